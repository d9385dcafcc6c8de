//! `ecrspec fuzz`: the search, as long as there is time.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use super::gate::perform;
use super::span::Span;
use super::target::{Choice, Merged, TargetArguments};
use super::{Code, Failure};
use crate::case::{Partition, Transcript};
use crate::contract::{RuleId, Tier};
use crate::events::Event;
use crate::events::{Judged, Task};
use crate::generate::{plan, settled};
use crate::judge::{Finding, words};
use crate::report::terminal;
use crate::run::Work;
use crate::scenario::{self, Found};
use crate::search::{Extent, Search};

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// How long to search: 90s, 10m or 2h
    #[arg(long, value_name = "TIME", default_value = "10m")]
    budget: Span,
    /// Random seed (default: a new one each time, shown in the header)
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Save each failure as a scenario file in this directory
    #[arg(long, value_name = "DIR")]
    save: Option<PathBuf>,
    /// Weakest tier of rules to judge by: documented or observed (default: both)
    #[arg(long)]
    tier: Option<Tier>,
    /// Run only one part of the sequences, e.g. hash:1/4, to split them over several jobs
    #[arg(long, value_name = "hash:K/N")]
    partition: Option<Partition>,
    #[command(flatten)]
    target: TargetArguments,
}

pub(super) fn main(arguments: &Arguments) -> Code {
    let choose = |file: &super::settings::SettingsFile| Choice {
        filter: Vec::new(),
        tier: arguments.tier.or(file.tier),
        partition: arguments.partition.or(file.partition),
        ..Choice::default()
    };
    let mut merged = Merged::of(&arguments.target, choose).map_err(Failure::usage)?;
    merged.settings.options.insert(0, format!("budget {}", arguments.budget));
    if let Some(folder) = &arguments.save {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("--save: could not create {}", folder.display()))
            .map_err(Failure::usage)?;
    }
    let seed = arguments.seed.unwrap_or_else(any_seed);
    let search = Some(Search { seed, extent: Extent::Time(arguments.budget.0) });
    let work = Work { task: Task::Search, cases: Vec::new(), search, whole_survey: true };
    let mut unsaved = None;
    let mut saved = BTreeSet::new();
    let mut flags = Vec::new();
    let done = perform(&merged, work, |event, screen| {
        if let Event::Started(started) = event {
            flags.clone_from(&started.flags);
        }
        let Event::Judged(judged) = event else { return };
        screen.print(&terminal::found(&flags, judged));
        for finding in judged.verdict.findings() {
            let Some(folder) = &arguments.save else { break };
            let (smallest, finding) = judged.smallest(finding);
            match save(folder, smallest, finding) {
                Ok(path) => drop(saved.insert(path)),
                Err(error) => drop(unsaved.get_or_insert(error)),
            }
        }
    })?;
    if let Some(folder) = &arguments.save {
        let files = if saved.len() == 1 { "scenario file" } else { "scenario files" };
        done.print(&format!("saved      {} {files} in {}\n", saved.len(), folder.display()));
    }
    let code = done.report(&merged)?;
    match unsaved {
        Some(error) if code == 0 => Err(Failure::usage(error)),
        Some(error) => {
            anstream::eprintln!("ecrspec: {error:#}");
            Ok(code)
        }
        None => Ok(code),
    }
}

/// Writes a finding and the sequence that shows it as a scenario file, named after what it is about.
fn save(folder: &Path, judged: &Judged, finding: &Finding) -> anyhow::Result<PathBuf> {
    let about: Vec<String> =
        std::iter::once(&finding.about).chain(&finding.also_broken).map(RuleId::to_string).collect();
    let name: String = format!("{}-{}-{}", judged.service, about.join("+"), finding.got)
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' })
        .take(120)
        .collect();
    let path = folder.join(format!("{name}.yaml"));
    let known = plan::parse(judged.service, &judged.case)?;
    let case = crate::generate::realise(judged.service, &known);
    let exchanges = judged.exchanges.iter().map(crate::events::Logged::exchange).collect();
    let transcript = Transcript::of(&case, exchanges);
    let mut case = settled(&case, &transcript);
    case.title = finding.sentence();
    case.about = format!(
        "{}. Expected {}, got {}. Made from {}",
        judged.title,
        words::expected(&finding.expected),
        words::got(&finding.got),
        judged.case
    );
    let found = Found { rule: finding.rule, got: finding.got.code() };
    let text = scenario::print_found(&case, Some(&found))?;
    std::fs::write(&path, text).with_context(|| format!("--save: could not write {}", path.display()))?;
    Ok(path)
}

/// A seed that nobody chose.
fn any_seed() -> u64 {
    (jiff::Timestamp::now().as_nanosecond() / 1000) as u64 % 1_000_000_000
}
