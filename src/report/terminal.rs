//! The report for a terminal: identity, warnings, counts, findings by cause, and the verdict last, so that the last line
//! alone is enough. Colours are written as escape codes; whoever prints strips them where they are not wanted.

mod commands;
mod verdict;

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::reference::RuleUrl;
use super::summary::{Counts, Group, Reason, StaleEntry, Summary};
use crate::contract::{Question, RuleId, Rules, Service, Source};
use crate::events::{Judged, Logged, Searched, Started, Task};
use crate::judge::{NotJudged, Verdict, words};
use crate::survey::Survey;
use crate::template::shown;
use crate::wire::Shows;
use crate::wire::envelope::visible;
use commands::{curl, replay};

pub(super) use commands::{again, script};
pub(super) use verdict::{because, verdict, word};

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const RED: Style = AnsiColor::Red.on_default().bold();
pub(crate) const GREEN: Style = AnsiColor::Green.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default();
pub(crate) const DIM: Style = Style::new().dimmed();

/// How much is reported.
#[derive(Clone, Copy, Debug)]
pub struct Detail {
    /// Groups of findings that are shown; the rest is counted.
    pub groups: usize,
    /// Every case of each group, exchanges, and what was answered to open questions.
    pub verbose: bool,
    /// Who reads it.
    pub reader: Reader,
}

/// Who reads a report: it says how to see more in the words of what was called.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reader {
    /// Whoever typed a command: commands and flags.
    CommandLine,
    /// Whoever runs tests: functions of [`crate::testing`].
    Test,
}

/// What is known before the first case: target and run.
pub fn header(started: &Started) -> String {
    let services: Vec<String> = started.services.iter().map(Service::to_string).collect();
    let mut text = String::new();
    row(&mut text, "target", &started.target);
    if started.driver.shows != Shows::Http {
        row(&mut text, "driver", &started.driver.name);
    }
    let cases = if started.cases > 0 { number_of(started.cases, "case") } else { String::from("random sequences") };
    let version = format!("ecrspec {}, {cases}, jobs {}", started.ecrspec, started.jobs);
    row(&mut text, "run", &format!("{version}, {}", services.join(" and ")));
    if let Some(seed) = started.seed {
        row(&mut text, "seed", &seed.to_string());
    }
    if !started.options.is_empty() {
        row(&mut text, "options", &started.options.join(", "));
    }
    row(&mut text, "works in", &format!("repositories {}", started.repositories));
    text
}

/// What was found out about a service.
pub fn survey(survey: &Survey) -> String {
    let mut text = String::new();
    let facts = match &survey.untestable {
        // Seen on the command line alone.
        Some(reason) => match hint(reason) {
            Some(hint) => format!("{reason}; {hint}"),
            None => reason.to_string(),
        },
        None => format!(
            "account {}{}, partSize {}",
            survey.account.as_deref().unwrap_or("unknown"),
            survey.alias.as_ref().map(|alias| format!(", alias {alias}")).unwrap_or_default(),
            survey.part_size.map_or_else(|| String::from("unknown"), |size| size.to_string()),
        ),
    };
    row(&mut text, survey.service.name(), &facts);
    text
}

/// Everything that follows: the whole report but for the header and the surveys.
pub fn report(summary: &Summary, detail: Detail, reasons: &[Reason]) -> String {
    let mut text = String::new();
    let warnings = summary.warnings();
    if !warnings.is_empty() {
        text += "\n";
    }
    for warning in warnings {
        let _ = writeln!(text, "{YELLOW}WARNING{YELLOW:#}  {warning}");
    }
    text += &counts(summary);
    text += &searched(summary);
    for (index, group) in summary.groups.iter().take(detail.groups).enumerate() {
        text += &finding(summary, index + 1, group, detail);
    }
    if summary.groups.len() > detail.groups {
        let hidden = summary.groups.len() - detail.groups;
        let hidden = number_of(hidden, "more cause");
        let all = summary.groups.len();
        let _ = match detail.reader {
            Reader::CommandLine => writeln!(text, "\n{hidden}: --max-groups {all} shows all"),
            Reader::Test => writeln!(text, "\n{hidden}: Conformance::causes({all}) shows all"),
        };
    }
    text += &known(summary);
    text += &summary.newer().map(|newer| format!("\n{DIM}suite{DIM:#}    {newer}\n")).unwrap_or_default();
    text += &open(summary, detail);
    text += &troubles(summary, detail);
    text += &unseen(summary).map(|unseen| format!("\n{DIM}not judged{DIM:#}  {unseen}\n")).unwrap_or_default();
    text += "\n";
    // What is tried again was chosen by what it came to.
    if let Some(scores) = summary.scores().filter(|_| summary.started.task != Task::Replay) {
        row(&mut text, "scores", &scores.to_string());
    }
    text += &verdict(summary, reasons, detail.reader);
    text
}

/// Cases by what they are about.
fn counts(summary: &Summary) -> String {
    let mut text = String::new();
    // Of a search, most sequences have no event of their own: its own line counts them.
    for service in summary.started.services.iter().filter(|_| summary.started.task != Task::Search) {
        let mut areas: Vec<&str> = Vec::new();
        for judged in summary.cases.iter().filter(|judged| judged.service == *service) {
            if !areas.contains(&judged.area()) {
                areas.push(judged.area());
            }
        }
        let untestable = summary.surveys.iter().any(|survey| survey.service == *service && survey.untestable.is_some());
        if areas.is_empty() || untestable {
            continue;
        }
        let _ = writeln!(text, "\n{BOLD}{service}{BOLD:#}");
        for name in areas {
            let counts = summary.counts(|judged| judged.service == *service && judged.area() == name);
            let _ = writeln!(text, "  {name:<30} {}", tally(&counts));
        }
    }
    text
}

/// How far the search came.
fn searched(summary: &Summary) -> String {
    let Some(Searched { cases, calls, accepted, classes, unlogged, repeated }) =
        summary.searched.filter(|searched| searched.cases > 0)
    else {
        return String::new();
    };
    let percent = 100 * accepted / calls.max(1);
    let sequences = number_of(cases, "random sequence");
    let mut text =
        format!("\nsearch     {sequences}, {calls} calls, {percent} % accepted, {classes} kinds of responses\n");
    if summary.started.task == Task::Search {
        let counts = summary.counts(|_| true);
        let ok = counts.passed + unlogged;
        let _ = write!(text, "           {ok} ok, {repeated} failed for causes that were reported earlier");
        for (number, word) in [
            (counts.failed, "for a new cause"),
            (counts.tolerated, "for one that is known or tolerated"),
            (counts.inconclusive, "inconclusive"),
            (counts.skipped, "skipped"),
        ] {
            if number > 0 {
                let _ = write!(text, ", {number} {word}");
            }
        }
        text += "\n";
    }
    text
}

fn tally(counts: &Counts) -> String {
    let mut text = format!("{:>4} ok", counts.passed);
    for (number, style, word) in [
        (counts.failed, RED, "FAIL"),
        (counts.tolerated, DIM, "known or tolerated"),
        (counts.inconclusive, YELLOW, "inconclusive"),
        (counts.skipped, DIM, "skipped"),
    ] {
        if number > 0 {
            let _ = write!(text, "  {style}{number:>4} {word}{style:#}");
        }
    }
    text
}

/// One group: what is wrong, why that is wrong, and how to see it again.
fn finding(summary: &Summary, number: usize, group: &Group, detail: Detail) -> String {
    let mut text = String::new();
    let found = &group.finding;
    let _ = writeln!(text, "\n{BOLD}{number}) {}{BOLD:#}", group.sentence());
    let mut line = |key: &str, value: &str| {
        let _ = writeln!(text, "   {DIM}{key:<9}{DIM:#} {value}");
    };
    line("grade", &format!("{}: {}", found.grade, words::grade(found)));
    line("rule", &format!("{}, {}", found.rule, found.strength()));
    if let Some(url) = RuleUrl::of_group(summary, group) {
        line("guide", url.as_str());
    }
    if group.rules().len() > 1 || group.rules().first() != Some(&found.rule) {
        let many = if detail.verbose || detail.reader == Reader::Test { group.rules().len() } else { 3 };
        let named: Vec<String> = group.rules().iter().take(many).map(RuleId::to_string).collect();
        let more = group.rules().len().saturating_sub(many);
        let more = if more > 0 { format!(" and {more} more (-v)") } else { String::new() };
        line("accept as", &format!("{}{more}", named.join(", ")));
    }
    if let Some(rule) = group.services.first().and_then(|service| Rules::of(*service).get(found.rule)) {
        line("says", &rule.statement);
    }
    for source in found.sources.iter().filter_map(|id| Source::find(id)).take(3) {
        line("source", &format!("{} ({}), {}", source.what, source.edition, source.url));
    }
    line("expected", &words::expected(&found.expected));
    // As an entry of known deviations has it; in words it is in the sentence.
    line("got", &found.got.code());
    if let Some(words) = &found.client {
        line("client", words);
    }
    if let Some(witness) = &found.witness {
        line("seen", &format!("in {} of {}", witness.seen, number_of(witness.rounds, "round")));
        witness.calls.iter().for_each(|call| line("call", call));
    }
    let Some(smallest) = &group.smallest else {
        let services: Vec<String> = group.services.iter().map(Service::to_string).collect();
        line("found by", &format!("the survey of {}, before the first case", services.join(" and ")));
        if let Some(service) = group.services.first() {
            line("replay", &again(summary, *service, "survey", detail.reader));
        }
        return text;
    };
    line("smallest", &format!("{}: {}", smallest.case, shown(&smallest.title)));
    let count = |service: &Service| group.cases.iter().filter(|(of, _)| of == service).count();
    let counts: Vec<String> = group.services.iter().map(|service| format!("{} in {service}", count(service))).collect();
    let more = !detail.verbose && detail.reader == Reader::CommandLine;
    line("cases", &format!("{}{}", counts.join(", "), if more { "; -v lists them" } else { "" }));
    line("replay", &again(summary, smallest.service, &smallest.case, detail.reader));
    let script = || script(&summary.started, smallest);
    if let Some(command) = (detail.reader == Reader::CommandLine).then(script).flatten() {
        line("all calls", &command);
    }
    if detail.verbose {
        // What the last call refers to is gone: on its own it shows what was sent, and nothing again.
        let curl = || curl(&summary.started, smallest, &found.step);
        if let Some(command) = (detail.reader == Reader::CommandLine).then(curl).flatten() {
            line("curl", &format!("{command} # the last call alone; all calls make anew what it refers to"));
        }
        for (service, case) in &group.cases {
            line("case", &format!("{service} {case}"));
        }
        for logged in &smallest.exchanges {
            line(&logged.step, &exchange(logged));
        }
    }
    text
}

/// A failure as it is told while a search goes on: each finding as a sentence, and how to see it again.
pub fn found(flags: &[String], judged: &Judged) -> String {
    let mut text = String::new();
    if let Verdict::Inconclusive { reason } = &judged.verdict {
        let _ = writeln!(text, "{YELLOW}inconclusive{YELLOW:#}  {}: {reason}", judged.case);
    }
    for finding in judged.verdict.findings() {
        let (smallest, finding) = judged.smallest(finding);
        let _ = writeln!(text, "{RED}{}{RED:#} {}", finding.grade, finding.sentence());
        let _ = writeln!(
            text,
            "      rule {}, {}; expected {}",
            finding.rule,
            finding.strength(),
            words::expected(&finding.expected)
        );
        let _ = writeln!(text, "      {}", replay(flags, smallest.service, &smallest.case));
    }
    text
}

fn exchange(logged: &Logged) -> String {
    let body = logged.answer.as_ref().map(|body| one_line(&body.text)).unwrap_or_default();
    let answer = match (&logged.status, &logged.seen, &logged.trouble) {
        (Some(status), Some(seen), _) => format!("{status} {seen} {body}"),
        (Some(status), None, _) => format!("{status} {body}"),
        (None, Some(seen), _) => format!("{seen} {body}"),
        (None, None, Some(trouble)) => trouble.to_string(),
        (None, None, None) => String::from("nothing"),
    };
    let cut = if logged.body.whole { String::new() } else { format!("… ({} bytes)", logged.body.bytes) };
    format!("{}{cut}\n             -> {answer}", one_line(&logged.body.text))
}

/// A body without its line breaks, and not too much of it.
fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(400).map(visible).collect()
}

fn known(summary: &Summary) -> String {
    let mut text = String::new();
    let all = [&summary.known, &summary.tolerated, &summary.waiting];
    if all.iter().any(|groups| !groups.is_empty()) || !summary.known_trouble.is_empty() {
        text += "\n";
    }
    for group in &summary.waiting {
        let (sentence, cases) = (group.sentence(), number_of(group.cases.len(), "case"));
        let _ = writeln!(text, "{YELLOW}waiting{YELLOW:#}  {sentence} ({}, {cases})", group.finding.rule);
    }
    for group in &summary.known {
        let sentence = group.finding.sentence_for(&group.about);
        let _ = writeln!(
            text,
            "{DIM}known{DIM:#}    {sentence} ({}, {})",
            group.finding.rule,
            number_of(group.cases.len(), "case")
        );
    }
    for group in &summary.tolerated {
        let sentence = group.finding.sentence_for(&group.about);
        let grade = group.finding.grade;
        let _ = writeln!(
            text,
            "{DIM}{grade:<8}{DIM:#} {sentence} ({}, {})",
            group.finding.rule,
            number_of(group.cases.len(), "case")
        );
    }
    for entry in summary.stale_entries() {
        let only = entry.only().map_or_else(String::new, |rules| format!(" for {rules}"));
        let StaleEntry { stale, text: rule, got, reason, .. } = entry;
        let _ = writeln!(text, "{YELLOW}known{YELLOW:#}    {stale}: {rule}{only}, got {:?} ({reason})", got.code());
    }
    text
}

fn open(summary: &Summary, detail: Detail) -> String {
    let (pairs, questions): (Vec<_>, Vec<_>) =
        summary.records().into_iter().partition(|((_, asked), _)| matches!(asked, Question::Precedence(..)));
    let mut text = String::new();
    if !detail.verbose {
        let asked = [
            (questions.len(), "question", "asked that the documents leave open"),
            (pairs.len(), "pair", "of violations tried at once"),
        ];
        let asked: Vec<String> = asked
            .into_iter()
            .filter(|(count, ..)| *count > 0)
            .map(|(count, word, what)| format!("{} {what}", number_of(count, word)))
            .collect();
        if !asked.is_empty() {
            let more = if detail.reader == Reader::CommandLine { "; -v shows the answers" } else { "" };
            let _ = writeln!(text, "\n{}{more}", asked.join(", "));
        }
        return text;
    }
    for (title, records) in [
        ("Where the documents leave it open, this target answers", questions),
        ("Where two rules are broken at once, this target answers", pairs),
    ] {
        if !records.is_empty() {
            let _ = writeln!(text, "\n{BOLD}{title}{BOLD:#}");
        }
        for ((service, asked), answers) in records {
            let answers: Vec<String> = answers.iter().map(|(got, count)| format!("{got} ({count})")).collect();
            let asked = match asked {
                Question::Rule(rule) => rule.to_string(),
                Question::Precedence(one, other) => format!("{one} + {other}"),
            };
            let _ = writeln!(text, "  {service} {asked}: {}", answers.join(", "));
        }
    }
    text
}

/// The rules that were not judged in any answer, and why.
pub(super) fn unseen(summary: &Summary) -> Option<String> {
    let rules: Vec<String> = summary.unseen_rules().iter().map(RuleId::to_string).collect();
    let client = &summary.started.driver.name;
    (!rules.is_empty())
        .then(|| format!("{}: {client} shows {}", rules.join(", "), words::not_shown(summary.started.driver.shows)))
}

/// Cases that could not be judged, by reason.
fn troubles(summary: &Summary, detail: Detail) -> String {
    let mut text = String::new();
    let reasons = unjudged(summary);
    if !reasons.is_empty() {
        text += "\n";
    }
    for Unjudged { word, reason, why, cases } in reasons {
        let hint = hint(why).filter(|_| detail.reader == Reader::CommandLine && !detail.verbose);
        let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
        let _ = writeln!(text, "{YELLOW}{word}{YELLOW:#}  {}: {reason}{hint}", number_of(cases.len(), "case"));
        if detail.verbose {
            cases.iter().for_each(|case| {
                let _ = writeln!(text, "    {case}");
            });
        }
    }
    text
}

/// Cases without a verdict, for one reason.
pub(super) struct Unjudged<'a> {
    /// What became of them.
    pub word: &'static str,
    /// The reason in words.
    pub reason: String,
    why: &'a NotJudged,
    pub cases: Vec<&'a str>,
}

/// Which flag of the command line may help.
fn hint(why: &NotJudged) -> Option<&'static str> {
    match why {
        NotJudged::ServedSigned { .. } => Some("try --auth dummy"),
        NotJudged::NotServed { .. } => Some("--service leaves it out"),
        NotJudged::NoRepositories => Some("--repository names one"),
        NotJudged::RepositoryRejected => Some("-v lists the cases"),
        _ => None,
    }
}

/// Cases without a verdict by what became of them and why.
pub(super) fn unjudged(summary: &Summary) -> Vec<Unjudged<'_>> {
    let mut reasons: Vec<Unjudged> = Vec::new();
    for judged in &summary.cases {
        let (word, why) = match &judged.verdict {
            Verdict::Inconclusive { reason } => ("inconclusive", reason),
            Verdict::Skipped { reason } => ("skipped", reason),
            _ => continue,
        };
        let reason = why.to_string();
        match reasons.iter_mut().find(|known| known.word == word && known.reason == reason) {
            Some(known) => known.cases.push(&judged.case),
            None => reasons.push(Unjudged { word, reason, why, cases: vec![&judged.case] }),
        }
    }
    reasons
}

/// `1 case`, `2 cases`.
pub(crate) fn number_of(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

fn row(text: &mut String, key: &str, value: &str) {
    let _ = writeln!(text, "{DIM}{key:<10}{DIM:#} {value}");
}

/// A text of this module without its colours.
pub(super) fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::Text;
    use crate::wire::{Framing, Signature, Trust};

    #[test]
    fn a_command_with_a_value_that_acts_on_a_terminal_is_not_shown() {
        let logged = |body: &str| Logged {
            step: String::from("part"),
            method: String::from("POST"),
            headers: Vec::new(),
            framing: Framing::Length,
            signature: Signature::Valid,
            body: Text { text: String::from(body), bytes: body.len(), whole: true },
            status: Some(200),
            seen: None,
            answer_headers: Vec::new(),
            answer: None,
            trouble: None,
            micros: (0, 0),
        };
        let started = Started {
            schema: crate::events::SCHEMA,
            ecrspec: String::new(),
            at: jiff::Timestamp::UNIX_EPOCH,
            task: Task::Gate,
            target: String::new(),
            driver: crate::wire::Client { name: String::from("HTTP"), shows: Shows::Http },
            flags: ["--endpoint", "http://x"].map(String::from).to_vec(),
            trust: Trust::System,
            services: vec![Service::Ecr],
            cases: 1,
            jobs: 1,
            options: Vec::new(),
            whole: true,
            tier: crate::contract::Tier::Open,
            strict: false,
            seed: None,
            parts: Vec::new(),
            fail_on: Vec::new(),
            deny_warnings: false,
            known: Vec::new(),
            suite: None,
            guide: None,
            repositories: String::new(),
        };
        let command = |started: &Started, body: &str| {
            let judged = Judged {
                index: 0,
                service: Service::Ecr,
                case: String::new(),
                kind: crate::case::CaseKind::Catalogue,
                title: String::new(),
                tier: crate::contract::Tier::Open,
                rules: Vec::new(),
                verdict: Verdict::Pass,
                mark: None,
                records: Vec::new(),
                requests: 1,
                began: 0,
                millis: 0,
                exchanges: vec![logged(body)],
                smaller: Vec::new(),
            };
            curl(started, &judged, "part")
        };
        let harmless = "{\"uploadId\":\"x\"}\n";
        assert!(command(&started, harmless).is_some_and(|line| line.ends_with(" http://x")));
        for body in ["\u{9b}2J", "\u{1b}[2J", "\u{202e}"] {
            assert_eq!(command(&started, body), None, "{body:?}");
        }
        for (trust, flag) in
            [(Trust::Anyone, " --insecure "), (Trust::Bundle("a b.pem".into()), " --cacert 'a b.pem' ")]
        {
            let started = Started { trust, ..started.clone() };
            assert!(command(&started, harmless).is_some_and(|line| line.contains(flag)), "{flag}");
        }
    }
}
