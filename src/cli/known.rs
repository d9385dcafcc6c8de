//! `ecrspec known`: the file of known deviations, from a run or from the log of one.

use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use clap::{Args, Subcommand};

use super::gate::perform;
use super::known_file::{Unread, parse, text};
use super::run::{GateArguments, prepare};
use super::settings::SettingsFile;
use super::target::Accepts;
use super::{Code, Failure, print};
use crate::events::{Event, Started};
use crate::judge::known::{self, Known, KnownFile, NewEntry};
use crate::report::summary::{Measure, NoStart, Reason};
use crate::report::terminal::number_of;
use crate::report::{Summary, accept, merge};

#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write the file: an entry for each cause of findings, the reason to be filled in
    Init(Source),
    /// Add entries for findings that no entry accepts (in CI: add nothing, and fail if there are any)
    Update(Source),
    /// Remove entries that no longer match, and leave everything else as it is
    Prune(Source),
}

/// Where the findings are from, and to which file they go: `--known`, or the one of the settings file, or `known.toml`.
#[derive(Args, Debug)]
struct Source {
    /// Event logs written by --report ndjson=PATH: one, or those of all parts of a run (default: run everything now)
    logs: Vec<PathBuf>,
    #[command(flatten)]
    gate: GateArguments,
}

/// The file where no other is named.
const FILE: &str = "known.toml";

pub(super) fn main(arguments: &Arguments) -> Code {
    match &arguments.command {
        Command::Init(source) => init(source),
        Command::Update(source) => update(source),
        Command::Prune(source) => prune(source),
    }
}

/// The code of a command that did its work, unless the run left something out: then the file has what was found.
fn unless_partial(code: u8, summary: &Summary) -> Code {
    let left_out = [Reason::Unfinished, Reason::Inconclusive];
    let Some(reason) = summary.reasons(false).into_iter().find(|reason| left_out.contains(reason)) else {
        return Ok(code);
    };
    print("not everything was judged: there may be more to find (`ecrspec known update`)\n");
    Ok(if code == 0 { reason.code() } else { code })
}

fn init(source: &Source) -> Code {
    let path = source.path().map_err(Failure::usage)?;
    let before = match text(&path) {
        Err(Unread::Missing(_) | Unread::Empty(_)) => String::new(),
        other => other.map_err(Failure::usage)?,
    };
    let file = parse(&path, &before).map_err(Failure::usage)?;
    if !file.places.is_empty() {
        let there = number_of(file.places.len(), "known deviation");
        let error = anyhow!("{} has {there} already: `ecrspec known update` adds what is new", path.display());
        return Err(Failure::usage(error));
    }
    let summary = source.summary(&[])?;
    let head = if before.is_empty() { head(&summary) } else { before };
    let code = accept_new(&path, &head, &file, &accept::entries(&summary))?;
    unless_partial(code, &summary)
}

fn update(source: &Source) -> Code {
    let path = source.path().map_err(Failure::usage)?;
    let before = text(&path).map_err(Failure::usage)?;
    let file = parse(&path, &before).map_err(Failure::usage)?;
    let summary = source.summary(&file.known)?;
    let code = accept_new(&path, &before, &file, &accept::entries(&summary))?;
    unless_partial(code, &summary)
}

/// Adds entries, unless nobody would look at them: what CI accepts by itself, no one has accepted.
fn accept_new(path: &Path, before: &str, file: &KnownFile, entries: &[NewEntry]) -> Code {
    let shown = path.display();
    let new = |what: &str| number_of(entries.len(), what);
    if is_ci() && !entries.is_empty() {
        entries.iter().for_each(|entry| print(&format!("new        {}\n", entry.sentence)));
        print(&format!("{shown}: nothing was added, since CI is set; {} not accepted\n", new("finding")));
        return Ok(Reason::Findings.code());
    }
    if entries.is_empty() && !before.trim().is_empty() && path.exists() {
        print(&format!("{shown}: nothing to add, every finding has its entry\n"));
        return Ok(0);
    }
    let after = match entries {
        [] => format!("{before}known = []\n"),
        some => known::add(before, file, some),
    };
    // What is written must be read again, and stand for what was found.
    let again = parse(path, &after).map_err(Failure::harness)?;
    write(path, &after).map_err(Failure::usage)?;
    let rules = number_of(again.known.len() - file.known.len(), "rule");
    let next = if entries.is_empty() { "" } else { "; fill in the reasons" };
    print(&format!("{shown}: {} added, for {rules}{next}\n", number_of(entries.len(), "known deviation")));
    Ok(0)
}

fn prune(source: &Source) -> Code {
    let path = source.path().map_err(Failure::usage)?;
    let before = text(&path).map_err(Failure::usage)?;
    let file = parse(&path, &before).map_err(Failure::usage)?;
    let summary = source.summary(&file.known)?;
    if !summary.is_whole() {
        let error =
            anyhow!("only a full run can tell what is out of date: no --filter, no --tier, all parts, to its end");
        return Err(Failure::usage(error));
    }
    let gone = accept::out_of_date(&summary, &file.known);
    let shown = path.display();
    for entry in summary.stale_entries() {
        let only = entry.only().map_or_else(String::new, |rules| format!(" for {rules}"));
        print(&format!("{}: {}{only}, got {:?} ({})\n", entry.stale, entry.text, entry.got.code(), entry.reason));
    }
    if gone.is_empty() {
        print(&format!("{shown}: nothing to remove\n"));
        return unless_partial(0, &summary);
    }
    let after = known::remove(&before, &file, &gone);
    let again = parse(&path, &after).map_err(Failure::harness)?;
    write(&path, &after).map_err(Failure::usage)?;
    let removed = number_of(file.places.len() - again.places.len(), "known deviation");
    print(&format!(
        "{shown}: {removed} removed, {} left; {} fewer\n",
        again.places.len(),
        number_of(gone.len(), "rule")
    ));
    unless_partial(0, &summary)
}

/// What a new file begins with.
fn head(summary: &Summary) -> String {
    let Started { target, ecrspec, .. } = &summary.started;
    let target: String = target.chars().filter(|letter| !letter.is_control()).collect();
    format!(
        "# Known deviations of {target}, found by ecrspec {ecrspec}: accepted for now.\n# Fill in the reasons. `ecrspec known \
         update` adds what is new, `ecrspec known prune` removes what is mended.\n"
    )
}

/// Writes a file as a whole or not at all.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let written = std::fs::write(&new, text).and_then(|()| std::fs::rename(&new, path));
    if let Err(error) = written {
        let _ = std::fs::remove_file(&new);
        bail!("could not write {}: {error}", path.display());
    }
    Ok(())
}

/// Whether this runs in CI, as the services that do say by `CI`.
fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
}

impl Source {
    fn path(&self) -> anyhow::Result<PathBuf> {
        let file = SettingsFile::read(self.gate.target.config.as_deref())?;
        Ok(self.gate.target.known.clone().or(file.known).unwrap_or_else(|| PathBuf::from(FILE)))
    }

    /// The run, or the log of one, as it is with these entries.
    fn summary(&self, known: &[Known]) -> Result<Summary, Failure> {
        let summary = if self.logs.is_empty() { self.run(known)? } else { self.read(known)? };
        let nothing = [Reason::Interrupted, Reason::SetUp, Reason::NothingRun];
        match summary.reasons(false).into_iter().find(|reason| nothing.contains(reason)) {
            Some(reason) => {
                let error = anyhow!("the file is left as it is: the run was interrupted, or judged nothing");
                Err(Failure { reason, error })
            }
            None => Ok(summary),
        }
    }

    fn run(&self, known: &[Known]) -> Result<Summary, Failure> {
        let (mut merged, work) = prepare(&self.gate, Accepts::Nothing)?;
        if merged.endpoint.is_none() {
            let error = anyhow!("expected the log of a run, or --endpoint: the embedded mock has no deviations");
            return Err(Failure::usage(error));
        }
        merged.settings.known = known.to_vec();
        merged.measure.known = known.to_vec();
        let mut done = perform(&merged, work, |_, _| {})?;
        if done.write(&merged).contains(&Reason::Usage) {
            return Err(Failure::usage(anyhow!("a report could not be written")));
        }
        Ok(done.summary)
    }

    fn read(&self, known: &[Known]) -> Result<Summary, Failure> {
        let logs: Vec<(String, Vec<Event>)> = self
            .logs
            .iter()
            .map(|path| super::report::read(path))
            .collect::<anyhow::Result<_>>()
            .map_err(Failure::usage)?;
        let judged_by = |event: Event| match event {
            Event::Started(started) => Event::Started(Box::new(Started { known: known.to_vec(), ..*started })),
            other => other,
        };
        let logs = logs.into_iter().map(|(name, events)| (name, events.into_iter().map(judged_by).collect())).collect();
        let events = merge::merge(logs).map_err(Failure::usage)?;
        let Some(Event::Started(_)) = events.first() else { return Err(Failure::usage(NoStart)) };
        let measure =
            Measure { known: known.to_vec(), today: jiff::Zoned::now().date(), deny_warnings: false, all_parts: true };
        Summary::of(&events, &measure).map_err(Failure::usage)
    }
}
