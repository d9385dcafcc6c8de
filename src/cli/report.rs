//! `ecrspec report`: the report of a run again, from its event log.

use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use clap::Args;

use super::target::read_known;
use super::{Code, Failure, print};
use crate::report::summary::Measure;
use crate::report::terminal::{self, Detail};
use crate::report::{Summary, event};

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The event log that `run --report ndjson=PATH` wrote
    log: PathBuf,
    /// File of known deviations
    #[arg(long, value_name = "FILE")]
    known: Option<PathBuf>,
    /// A warning fails the run
    #[arg(long)]
    deny_warnings: bool,
    /// Groups of findings to show
    #[arg(long, value_name = "N", default_value_t = 20)]
    max_groups: usize,
    /// Show all cases of each group, the exchanges, and the answers to open questions
    #[arg(long, short)]
    verbose: bool,
}

pub(super) fn main(arguments: &Arguments) -> Code {
    let path = arguments.log.display();
    let bytes =
        std::fs::read(&arguments.log).with_context(|| format!("could not read {path}")).map_err(Failure::usage)?;
    // A run that was killed may have left half a character.
    let text = String::from_utf8_lossy(&bytes);
    let events = event::read(&text).map_err(|error| Failure::usage(anyhow!("{path}: {error}")))?;
    let measure = Measure {
        known: arguments.known.as_deref().map(read_known).transpose().map_err(Failure::usage)?.unwrap_or_default(),
        today: jiff::Zoned::now().date(),
        deny_warnings: arguments.deny_warnings,
    };
    let summary = Summary::of(&events, &measure).map_err(|error| Failure::usage(anyhow!("{path}: {error}")))?;
    let reasons = summary.reasons(measure.deny_warnings);
    print(&terminal::header(&summary.started));
    summary.surveys.iter().for_each(|survey| print(&terminal::survey(survey)));
    let detail = Detail { groups: arguments.max_groups, verbose: arguments.verbose };
    print(&terminal::report(&summary, detail, &reasons));
    Ok(reasons.first().map_or(0, |reason| reason.code()))
}
