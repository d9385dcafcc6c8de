//! `ecrspec report`: the report of a run again, from its event log.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use clap::Args;

use super::explain::script_of;
use super::reports::Reports;
use super::target::some;
use super::{Code, Failure, known_file, print, read as files, wrap};
use crate::events::{self, Event, Guide, Started};
use crate::judge::Grade;
use crate::report::Summary;
use crate::report::format::{Input, ReportSpec};
use crate::report::issue;
use crate::report::merge::merge;
use crate::report::summary::{Measure, NoStart};
use crate::report::terminal::{self, Detail, Reader};

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// Event logs written by --report ndjson=PATH: one, or those of all parts of a run
    #[arg(required = true)]
    logs: Vec<PathBuf>,
    /// Known-deviations file (default: the entries that the run was judged by)
    #[arg(long, value_name = "FILE")]
    known: Option<PathBuf>,
    #[arg(long, value_name = "FORMAT=PATH", help = super::reports::help())]
    report: Vec<ReportSpec>,
    /// URL at which the guide is published as a book, so that reports link to its rules (default: as in the run)
    #[arg(long, value_name = "URL")]
    guide: Option<Guide>,
    /// Print the findings of a rule as texts of issues instead, for the maintainers of the server
    #[arg(long, value_name = "RULE")]
    issue: Option<String>,
    /// Grades that fail the run: crash, state, rejected, error, form, slow (repeatable; default: as in the run)
    #[arg(long, value_name = "GRADE")]
    fail_on: Vec<Grade>,
    /// Treat warnings as failures (default: as in the run)
    #[arg(long)]
    deny_warnings: bool,
    /// Maximum number of causes to show
    #[arg(long, value_name = "N", default_value_t = 20)]
    max_groups: usize,
    /// Show all cases of each cause, requests and responses, and undocumented behaviour
    #[arg(long, short)]
    verbose: bool,
}

pub(super) fn main(arguments: &Arguments) -> Code {
    let logs: Vec<(String, Vec<Event>)> =
        arguments.logs.iter().map(|path| read(path)).collect::<anyhow::Result<_>>().map_err(Failure::usage)?;
    let known = arguments.known.as_deref().map(known_file::read).transpose().map_err(Failure::usage)?;
    let judged_by = |event: Event| match event {
        Event::Started(started) => Event::Started(Box::new(Started {
            known: known.clone().unwrap_or(started.known),
            fail_on: some(&arguments.fail_on).unwrap_or(started.fail_on),
            deny_warnings: arguments.deny_warnings || started.deny_warnings,
            guide: arguments.guide.clone().or(started.guide),
            ..*started
        })),
        other => other,
    };
    let logs = logs.into_iter().map(|(name, events)| (name, events.into_iter().map(judged_by).collect())).collect();
    let events = merge(logs).map_err(Failure::usage)?;
    let Some(Event::Started(started)) = events.first() else {
        return Err(Failure::usage(NoStart));
    };
    let measure = Measure {
        known: started.known.clone(),
        today: jiff::Zoned::now().date(),
        deny_warnings: started.deny_warnings,
        all_parts: true,
    };
    let summary = Summary::of(&events, &measure).map_err(Failure::usage)?;
    let reasons = summary.reasons(measure.deny_warnings);
    let mut reports = Reports::create(&arguments.report).map_err(Failure::usage)?;
    let detail = Detail { groups: arguments.max_groups, verbose: arguments.verbose, reader: Reader::CommandLine };
    events.iter().for_each(|event| reports.event(event));
    let states = reports.states(&summary);
    reports.whole(&Input { events: &events, summary: &summary, reasons: &reasons, detail, states: &states });
    if let Some(rule) = &arguments.issue {
        if let Some(error) = reports.into_failed() {
            return Err(Failure::usage(error));
        }
        print(&issues(&summary, rule).map_err(Failure::usage)?);
        return Ok(0);
    }
    print(&terminal::header(&summary.started));
    summary.surveys.iter().for_each(|survey| print(&terminal::survey(survey)));
    print(&wrap::for_terminal(&terminal::report(&summary, detail, &reasons)));
    if let Some(error) = reports.into_failed() {
        return Err(Failure::usage(error));
    }
    Ok(reasons.first().map_or(0, |reason| reason.code()))
}

/// The causes of a rule as texts of issues.
fn issues(summary: &Summary, rule: &str) -> anyhow::Result<String> {
    let causes = || summary.groups.iter().chain(&summary.known).chain(&summary.tolerated);
    let texts = causes().filter(|group| issue::is_of(group, rule)).map(|group| {
        let smallest = group.smallest.as_ref();
        let script = smallest.and_then(|smallest| script_of(&summary.started, smallest.service, &smallest.case));
        issue::issue(summary, group, script.as_deref())
    });
    let texts: Vec<String> = texts.collect();
    if texts.is_empty() {
        let found: BTreeSet<String> = causes().map(|group| group.finding.rule.to_string()).collect();
        let found: Vec<String> = found.into_iter().collect();
        let found = if found.is_empty() { String::from("no finding") } else { found.join(", ") };
        bail!("--issue: expected a rule that a finding of the log names, found {rule:?}; the log has {found}");
    }
    Ok(texts.join("\n---\n\n"))
}

/// The events of a log, with its name.
pub(super) fn read(path: &Path) -> anyhow::Result<(String, Vec<Event>)> {
    let shown = path.display().to_string();
    let bytes = files::log(path).with_context(|| format!("could not read {shown}"))?;
    // A run that was killed may have left half a character.
    let events = events::read(&String::from_utf8_lossy(&bytes)).map_err(|error| anyhow!("{shown}: {error}"))?;
    Ok((shown, events))
}
