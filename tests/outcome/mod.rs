//! A run of the binary on a hostile server, and what it came to: exit code, grades, time, memory, and every report of it.

use std::fmt;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use ecrspec::events::{self, Event};
use ecrspec::judge::Grade;
use ecrspec::report::Summary;
use ecrspec::report::format::{FORMATS, Input};
use ecrspec::report::summary::{Measure, Reason};
use ecrspec::report::terminal::{Detail, Reader};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::adversary::{self, Behaviour, When};

/// Cases of a row: some that make uploads, some that are rejected, and one of broken JSON.
const CASES: [&str; 5] = [
    "=CompleteLayerUpload/accepted/plain",
    "=CompleteLayerUpload/repositoryName/exists/unknown",
    "=BatchCheckLayerAvailability/repositoryName/exists/deleted",
    "=wire/body/json/open-brace",
    "=UploadLayerPart/accepted/plain",
];

/// How long a row may take. It is bounded by a timeout of a second; generous, since the machine may be busy.
pub const LONGEST: Duration = Duration::from_secs(40);

/// How many bytes a run may take at most.
pub const MOST_MEMORY: usize = 200 << 20;

/// A behaviour, when it is shown, and to how many workers.
pub struct Row {
    pub behaviour: Behaviour,
    pub when: When,
    pub jobs: usize,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, {}", self.behaviour, self.when)
    }
}

/// What a row came to.
pub struct Ended {
    /// The exit code; none where it had to be killed.
    pub code: Option<i32>,
    pub took: Duration,
    /// How many bytes the process had at most.
    pub peak: usize,
    /// What its log comes to.
    pub log: Result<Verdict, String>,
    /// All that anybody may read of it: the format, or the terminal, and its text.
    texts: Vec<(&'static str, String)>,
}

/// What a log comes to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verdict {
    /// Why the exit code is what it is.
    pub reasons: Vec<Reason>,
    /// The grades of what was found, each once.
    pub grades: Vec<Grade>,
}

impl Verdict {
    pub fn code(&self) -> i32 {
        self.reasons.first().map_or(0, |reason| reason.code().into())
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit {}, {:?}, {:?}", self.code(), self.reasons, self.grades)
    }
}

/// Runs the cases on the server of a row.
pub fn of(runtime: &Runtime, row: &Row) -> Ended {
    let server = adversary::start(runtime, row.behaviour.clone(), row.when);
    let folder = TempDir::new().unwrap();
    let mut run = Command::new(env!("CARGO_BIN_EXE_ecrspec"));
    run.args(["run", "--service", "ecr", "--endpoint", &server.endpoint, "--timeout", "1", "--cases", "0", "-v"]);
    run.args(["--jobs", &row.jobs.to_string()]).args(&server.flags);
    run.args(CASES.iter().flat_map(|case| ["--filter", case]));
    run.args(["--report", "ndjson=ndjson"]);
    run.current_dir(folder.path()).env("CLICOLOR_FORCE", "1").env_remove("NO_COLOR").stdin(Stdio::null());
    let began = Instant::now();
    let file = |name: &str| File::create(folder.path().join(name)).unwrap();
    let (code, peak) = watched(run.stdout(file("stdout")).stderr(file("stderr")).spawn().unwrap());
    let took = began.elapsed();
    let shown = ["stdout", "stderr"].map(|name| text(&folder.path().join(name))).concat();
    let mut texts = vec![("terminal", shown)];
    let log = verdict(&text(&folder.path().join("ndjson")), &mut texts);
    Ended { code, took, peak, log, texts }
}

fn text(path: &Path) -> String {
    fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// Waits for a process. Its exit code, and how many bytes it had at most.
pub fn watched(mut child: Child) -> (Option<i32>, usize) {
    let (began, mut peak) = (Instant::now(), 0);
    loop {
        peak = peak.max(memory(&child));
        if let Some(status) = child.try_wait().unwrap() {
            return (status.code(), peak);
        }
        if began.elapsed() > LONGEST * 10 {
            child.kill().unwrap();
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// How many bytes a process has had at most: it only grows. A process that has ended tells of it no more.
#[cfg(target_os = "linux")]
pub fn memory(child: &Child) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<usize>().ok()).unwrap_or_default() << 10
}

/// Nobody tells here.
#[cfg(not(target_os = "linux"))]
pub fn memory(_: &Child) -> usize {
    1
}

/// What a log comes to, if it is whole. What is rendered of it is added to the texts.
fn verdict(log: &str, texts: &mut Vec<(&'static str, String)>) -> Result<Verdict, String> {
    let events = events::read(log).map_err(|error| error.to_string())?;
    if !matches!(events.last(), Some(Event::Finished(_))) {
        return Err(String::from("it has no end"));
    }
    let today = jiff::civil::date(2026, 11, 20);
    let measure = Measure { known: Vec::new(), today, deny_warnings: false, all_parts: false };
    let summary = Summary::of(&events, &measure).map_err(|error| error.to_string())?;
    let mut grades: Vec<Grade> = summary.groups.iter().map(|group| group.finding.grade).collect();
    grades.sort_unstable();
    grades.dedup();
    let reasons = summary.reasons(false);
    let detail = Detail { groups: 20, verbose: true, reader: Reader::CommandLine };
    let input = Input { events: &events, summary: &summary, reasons: &reasons, detail, states: &[] };
    texts.extend(FORMATS.iter().map(|format| (format.name, format.render(&input))));
    Ok(Verdict { reasons, grades })
}

impl Ended {
    /// What is wrong whatever the behaviour was. `is_read` is whether there is an answer that can be read.
    pub fn wrong(&self, is_read: bool) -> Vec<String> {
        let mut wrong = Vec::new();
        let may_be = matches!(self.code, Some(1 | 3 | 6)) || self.code == Some(0) && is_read;
        if !may_be {
            wrong.push(format!("exit code {:?}", self.code));
        }
        if self.took > LONGEST {
            wrong.push(format!("it takes {:?}", self.took));
        }
        if !(1..MOST_MEMORY).contains(&self.peak) {
            wrong.push(format!("it takes {} bytes", self.peak));
        }
        match &self.log {
            Err(why) => wrong.push(format!("its log is not whole: {why}; it shows {}", self.texts[0].1)),
            Ok(log) if Some(log.code()) != self.code => {
                wrong.push(format!("its log has {log}, and not {:?}", self.code))
            }
            Ok(_) => {}
        }
        for (format, text) in &self.texts {
            wrong.extend(harm(format, text).map(|harm| format!("{format} has {harm}")));
            wrong.extend(malformed(format, text).map(|why| format!("{format}: {why}")));
        }
        wrong
    }
}

/// Why a report is none that a program can read.
fn malformed(format: &str, text: &str) -> Option<String> {
    match format {
        "junit" => roxmltree::Document::parse(text).err().map(|error| error.to_string()),
        "sarif" | "har" | "json" => {
            serde_json::from_str::<serde_json::Value>(text).err().map(|error| error.to_string())
        }
        // Nothing to tell is no annotation.
        "github" => None,
        _ => text.trim().is_empty().then(|| String::from("it is empty")),
    }
}

/// What of a text does something to whoever shows it, if anything does.
fn harm(format: &str, text: &str) -> Option<String> {
    let text = if format == "terminal" { without_styles(text) } else { String::from(text) };
    let bidi = |letter: char| matches!(letter, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let acts = |letter: &char| {
        (letter.is_control() && !"\n\t".contains(*letter)) || bidi(*letter) || "\u{2028}\u{2029}".contains(*letter)
    };
    if let Some(letter) = text.chars().find(acts) {
        return Some(format!("{letter:?}"));
    }
    let commands = |line: &&str| line.starts_with("::error::pwned") || line.starts_with("##vso[");
    if let Some(line) = text.lines().find(commands) {
        return Some(String::from(line));
    }
    let tags = ["<img src=x", "<script>pwned"];
    let is_markup = matches!(format, "html" | "junit");
    let tag = tags.into_iter().find(|tag| is_markup && text.contains(tag)).map(String::from);
    tag.or_else(|| if format == "markdown" { harm_of_markdown(&text) } else { None })
}

/// Markup or a link of a target in what is rendered of a page.
fn harm_of_markdown(text: &str) -> Option<String> {
    use pulldown_cmark::{Event, Parser, Tag};
    Parser::new(text).find_map(|event| match event {
        Event::Html(markup) | Event::InlineHtml(markup) if markup.contains("pwned") => Some(markup.to_string()),
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) if dest_url.contains("pwned") => {
            Some(dest_url.to_string())
        }
        _ => None,
    })
}

/// A text without the colours that are the report's own.
fn without_styles(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = String::from(parts.next().unwrap_or_default());
    for part in parts {
        let end = part.find(|letter: char| !letter.is_ascii_digit() && letter != ';');
        match end.map(|end| part.split_at(end)) {
            Some((_, rest)) if rest.starts_with('m') => plain += &rest[1..],
            _ => plain = format!("{plain}\u{1b}[{part}"),
        }
    }
    plain
}
