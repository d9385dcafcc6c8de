//! `ecrspec run`: the gate.

use std::path::PathBuf;

use clap::Args;

use super::amount::Amount;
use super::cases::scenarios;
use super::gate::perform;
use super::target::{Accepts, Choice, Merged, TargetArguments, some};
use super::{Code, Failure, dry_run, print};
use crate::case::Partition;
use crate::contract::Tier;
use crate::events::Task;
use crate::run::{RANDOM_CASES, SEED, Work, choose_once, is_let_through, one_per_response};
use crate::search::{Extent, Search};

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// Send nothing; print how many calls of which operation, and how many bytes, a run would send
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    gate: GateArguments,
}

/// What is run, and on what.
#[derive(Args, Debug)]
pub(super) struct GateArguments {
    /// Only cases whose id contains ID (`=ID`: exact match; repeatable)
    #[arg(long, value_name = "ID")]
    filter: Vec<String>,
    /// Weakest tier of cases to run: documented, observed or open (default: open)
    #[arg(long)]
    tier: Option<Tier>,
    /// Number of random sequences per service (default 200; 0 for none); `all` also for all cases with --driver aws-cli
    #[arg(long, value_name = "N|all")]
    cases: Option<Amount>,
    /// Seed of the random sequences (default 0)
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Run only one part of the cases, e.g. hash:1/4, to split them over several jobs
    #[arg(long, value_name = "hash:K/N")]
    partition: Option<Partition>,
    /// Your own scenario files or directories, in addition to the suite (repeatable)
    #[arg(long, value_name = "PATH")]
    scenarios: Vec<PathBuf>,
    #[command(flatten)]
    pub target: TargetArguments,
}

/// Which cases are run where each call is a process.
const FEW: &str = "one case per operation and response (--cases all: everything)";

pub(super) fn main(arguments: &Arguments) -> Code {
    let (merged, work) = prepare(&arguments.gate, Accepts::Known)?;
    if let Some(search) = work.search.filter(|_| arguments.dry_run) {
        print(&dry_run::text(&merged.settings, &work.cases, search, merged.is_guest()));
        return Ok(0);
    }
    perform(&merged, work, |_, _| {})?.report(&merged)
}

/// Merges the flags with the settings file, and chooses the cases.
pub(super) fn prepare(arguments: &GateArguments, accepts: Accepts) -> Result<(Merged, Work), Failure> {
    let mut search = Search { seed: SEED, extent: Extent::Cases(RANDOM_CASES) };
    let mut paths = Vec::new();
    let mut amount = None;
    let mut merged = Merged::of(&arguments.target, |file| {
        search.seed = arguments.seed.or(file.seed).unwrap_or(SEED);
        amount = arguments.cases.or(file.cases);
        paths = some(&arguments.scenarios).or_else(|| file.scenarios.clone()).unwrap_or_default();
        Choice {
            filter: some(&arguments.filter).or_else(|| file.filter.clone()).unwrap_or_default(),
            tier: arguments.tier.or(file.tier),
            partition: arguments.partition.or(file.partition),
            accepts,
        }
    })
    .map_err(Failure::usage)?;
    let driver = merged.driver();
    let is_reduced = driver.is_costly() && amount != Some(Amount::All) && merged.settings.filter.is_empty();
    if is_reduced {
        merged.settings.options.push(String::from(FEW));
    }
    search.extent = Extent::Cases(match amount {
        Some(Amount::Random(count)) => count,
        None if is_reduced => 0,
        Some(Amount::All) | None => RANDOM_CASES,
    });
    let settings = &merged.settings;
    let mut cases = choose_once(settings).map_err(Failure::harness)?;
    if is_reduced {
        cases = one_per_response(cases, |case| driver.cannot_try(case).is_none());
    }
    let own = scenarios(&paths).map_err(Failure::usage)?.into_iter().flat_map(|scenario| scenario.cases);
    cases.extend(own.filter(|case| {
        settings.services.contains(&case.service) && case.tier() <= settings.tier && is_let_through(settings, &case.id)
    }));
    Ok((merged, Work { task: Task::Gate, cases, search: Some(search), whole_survey: false }))
}
