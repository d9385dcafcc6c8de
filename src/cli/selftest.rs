//! `ecrspec selftest`: the harness on itself.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::{Code, Failure, print};
use crate::contract::{RuleId, Service};
use crate::drive::named::DriverName;
use crate::mock::fault::FAMILIES;
use crate::mock::{Fault, Variant};
use crate::report::summary::Reason;
use crate::report::terminal::{BOLD, DIM, GREEN, RED};
use crate::run::RunError;
use crate::selftest::{self, Held, OutOfReach, Through, Tried};

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// Run every case for each fault, not just until the first detection
    #[arg(long)]
    full: bool,
    /// Number of random combinations of five variants
    #[arg(long, value_name = "N", default_value_t = 20)]
    combinations: u64,
    /// Only this part (repeatable; default all)
    #[arg(long, value_name = "PART")]
    only: Vec<Part>,
    /// Only faults and variants whose name contains NAME (repeatable)
    #[arg(long, value_name = "NAME")]
    filter: Vec<String>,
    /// Service: ecr or ecr-public (repeatable; default both)
    #[arg(long, value_name = "SERVICE")]
    service: Vec<Service>,
    /// Client that the faults are tried through: http (default: in this process), boto3 or aws-cli; no variants
    #[arg(long, value_name = "DRIVER")]
    driver: Option<DriverName>,
    /// Python that has boto3, for --driver boto3 (default: python3 on PATH)
    #[arg(long, value_name = "PATH", requires = "driver")]
    python: Option<PathBuf>,
    /// AWS CLI, for --driver aws-cli (default: aws on PATH)
    #[arg(long, value_name = "PATH", requires = "driver")]
    aws: Option<PathBuf>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Part {
    Faults,
    Variants,
    Combinations,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// What a selftest came to. The format rises with its `schema`.
#[derive(Debug, Serialize)]
struct Outcome {
    schema: u32,
    ecrspec: &'static str,
    full: bool,
    totals: Totals,
    faults: Vec<Tried>,
    variants: Vec<Held>,
    combinations: Vec<Held>,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Totals {
    faults: usize,
    faults_found: usize,
    /// Those that the client cannot find, each with its reason.
    faults_out_of_reach: usize,
    variants: usize,
    variants_passed: usize,
    combinations: usize,
    combinations_passed: usize,
}

impl Arguments {
    /// The client that the faults are tried through; none in this process.
    fn through(&self) -> Result<Option<Through>, Failure> {
        let driver = self.driver.filter(|driver| !driver.is_usual());
        if driver.is_some() && (self.full || !self.only.is_empty()) {
            return Err(Failure::usage(anyhow::anyhow!(
                "--full and --only are not for --driver: it tries the faults alone"
            )));
        }
        let through = driver.map(|driver| Through::new(driver, self.python.clone(), self.aws.clone()));
        through.transpose().map_err(Failure::usage)
    }
}

pub(super) fn main(arguments: &Arguments) -> Code {
    let services = if arguments.service.is_empty() { Service::ALL.to_vec() } else { arguments.service.clone() };
    let through = arguments.through()?;
    let tries = |part: Part| match &through {
        Some(_) => part == Part::Faults,
        None => arguments.only.is_empty() || arguments.only.contains(&part),
    };
    let wanted = |name: &str| arguments.filter.is_empty() || arguments.filter.iter().any(|part| name.contains(part));
    let faults: Vec<(&'static Fault, Service)> = Fault::all()
        .filter(|fault| tries(Part::Faults) && wanted(fault.name))
        .flat_map(|fault| fault.services().map(move |service| (fault, service)))
        .filter(|(_, service)| services.contains(service))
        .collect();
    let variants: Vec<(Vec<&'static Variant>, Service)> = Variant::all()
        .filter(|variant| tries(Part::Variants) && wanted(variant.name))
        .flat_map(|variant| services.iter().map(move |service| (vec![variant], *service)))
        .collect();
    // A combination has no name.
    let combines = tries(Part::Combinations) && arguments.filter.is_empty();
    let count = if combines { arguments.combinations } else { 0 };
    let combined = |number: u64| (selftest::combination(number), services[number as usize % services.len()]);
    let combinations: Vec<_> = (0..count).map(combined).collect();
    if faults.is_empty() && variants.is_empty() && combinations.is_empty() {
        let why = match arguments.filter.as_slice() {
            [] => String::from("--combinations is 0"),
            wanted => {
                let part = if arguments.only.is_empty() { "" } else { ", of what --only allows" };
                format!("no fault and no variant has a name with {}{part}", wanted.join(" or "))
            }
        };
        anstream::eprintln!("ecrspec: nothing was tried: {why}");
        return Ok(Reason::NothingRun.code());
    }
    let faults = side_by_side(&faults, async |(fault, service)| match &through {
        Some(through) => through.fault(fault, *service).await,
        None => selftest::fault(fault, *service, arguments.full).await,
    })?;
    let hold =
        async |(variants, service): &(Vec<&'static Variant>, Service)| selftest::variants(variants, *service).await;
    let variants = side_by_side(&variants, hold)?;
    let combinations = side_by_side(&combinations, hold)?;
    let totals = Totals::of(&faults, &variants, &combinations);
    let outcome = Outcome {
        schema: 2,
        ecrspec: env!("CARGO_PKG_VERSION"),
        full: arguments.full,
        totals,
        faults,
        variants,
        combinations,
    };
    match arguments.format {
        Format::Text => print(&outcome.text()),
        Format::Json => {
            let json = serde_json::to_string_pretty(&outcome).map_err(Failure::harness)?;
            print(&format!("{json}\n"));
        }
    }
    Ok(if totals.is_well() { 0 } else { Reason::Harness.code() })
}

/// Does something with each item, more at once than there are cores since many wait for slow answers, and brings the
/// results in order.
fn side_by_side<T: Sync, R: Send>(
    items: &[T],
    work: impl AsyncFn(&T) -> Result<R, RunError> + Sync,
) -> Result<Vec<R>, Failure> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(BTreeMap::new());
    let worker = || -> Result<(), Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(Failure::harness)?;
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { return Ok(()) };
            let result = runtime.block_on(work(item)).map_err(Failure::harness)?;
            results.lock().unwrap_or_else(PoisonError::into_inner).insert(index, result);
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..3 * cores).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().try_for_each(|worker| {
            worker
                .join()
                .unwrap_or_else(|_| Err(Failure::harness(anyhow::anyhow!("a worker of the selftest ended early"))))
        })
    })?;
    Ok(results.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect())
}

impl Totals {
    fn of(faults: &[Tried], variants: &[Held], combinations: &[Held]) -> Totals {
        // A fault counts once, and only if it is found wherever it can be.
        let names = |faults: &mut dyn Iterator<Item = &Tried>| {
            faults.map(|tried| tried.fault).collect::<std::collections::BTreeSet<_>>()
        };
        let all = names(&mut faults.iter());
        let beyond = names(&mut faults.iter().filter(|tried| tried.out_of_reach.is_some()));
        let missed = names(&mut faults.iter().filter(|tried| !tried.is_caught() && tried.out_of_reach.is_none()));
        let variant = |held: &&Held| held.variants.clone();
        let every: std::collections::BTreeSet<_> = variants.iter().map(|held| variant(&held)).collect();
        let alarming: std::collections::BTreeSet<_> =
            variants.iter().filter(|held| !held.alarms.is_empty()).map(|held| variant(&held)).collect();
        Totals {
            faults: all.len(),
            faults_found: all.len() - missed.union(&beyond).count(),
            faults_out_of_reach: beyond.difference(&missed).count(),
            variants: every.len(),
            variants_passed: every.len() - alarming.len(),
            combinations: combinations.len(),
            combinations_passed: combinations.iter().filter(|held| held.alarms.is_empty()).count(),
        }
    }

    fn is_well(self) -> bool {
        let found = self.faults_found + self.faults_out_of_reach;
        (self.faults, self.variants, self.combinations) == (found, self.variants_passed, self.combinations_passed)
    }
}

impl Outcome {
    fn text(&self) -> String {
        let mut text = String::new();
        for (family, faults) in FAMILIES {
            let of_family = |tried: &&Tried| faults.iter().any(|fault| fault.name == tried.fault);
            let tried: Vec<&Tried> = self.faults.iter().filter(of_family).collect();
            if tried.is_empty() {
                continue;
            }
            let _ = writeln!(text, "\n{BOLD}{family}{BOLD:#}");
            for one in tried {
                let _ = writeln!(text, "  {:<32} {:<10} {}", one.fault, one.service, by(one));
                let further = one.caught.iter().skip(1);
                further.for_each(|case| {
                    let _ = writeln!(text, "  {:<43} {DIM}{case}{DIM:#}", "");
                });
            }
        }
        if !(self.variants.is_empty() && self.combinations.is_empty()) {
            let _ = writeln!(text, "\n{BOLD}variants{BOLD:#}");
        }
        for held in self.variants.iter().chain(&self.combinations) {
            let verdict = match held.alarms.as_slice() {
                [] => format!("{GREEN}no finding{GREEN:#} in {} cases", held.judged),
                alarms => format!("{RED}FALSE ALARM{RED:#} {}", alarms.join("; ")),
            };
            let _ = writeln!(text, "  {:<32} {:<10} {verdict}", held.variants.join(" + "), held.service);
        }
        let Totals { faults, faults_found, variants, variants_passed, combinations, combinations_passed, .. } =
            self.totals;
        let beyond = match self.totals.faults_out_of_reach {
            0 => String::new(),
            count => format!(" ({count} cannot be found by this client)"),
        };
        let _ = writeln!(
            text,
            "\nfaults found {faults_found} of {faults}{beyond}, variants passed {variants_passed} of {variants}, combinations \
             passed {combinations_passed} of {combinations}"
        );
        text
    }
}

/// Which case found a fault, and what that took.
fn by(tried: &Tried) -> String {
    match (tried.caught.first(), &tried.out_of_reach) {
        (Some(case), _) => {
            format!("{GREEN}{case}{GREEN:#} {DIM}{} requests, {} ms{DIM:#}", tried.requests, tried.millis)
        }
        (None, Some(OutOfReach::NotShown)) => {
            format!("{DIM}the client does not show what {} is about{DIM:#}", tried.rule)
        }
        (None, Some(OutOfReach::NotSent(why))) => {
            format!("{DIM}the client sends no case of {}: {why}{DIM:#}", tried.rule)
        }
        (None, None) => format!(
            "{RED}NOT FOUND{RED:#} {} is broken; found {}",
            tried.rule,
            tried.also_found.iter().map(RuleId::to_string).collect::<Vec<_>>().join(", ")
        ),
    }
}
