//! `ecrspec run --dry-run`: what a run would send, and what it would leave.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::case::{Bindings, Case, Place};
use crate::contract::{Operation, Service};
use crate::drive::pace::guest;
use crate::model::registry::PART_SIZE;
use crate::run::{Settings, is_chosen};
use crate::search::{self, Extent, RANDOM, Search};

/// Calls of an operation, and how many bytes their bodies have.
#[derive(Clone, Copy, Debug, Default)]
struct Calls {
    count: usize,
    bytes: usize,
}

/// What a run would send, by service and operation.
#[derive(Debug, Default)]
struct Plan(BTreeMap<(Service, Option<Operation>), Calls>);

/// What a run of these cases would send, where all goes well. `is_guest` is whether the pace is that of a guest.
pub(super) fn text(settings: &Settings, cases: &[Case], search: Search, is_guest: bool) -> String {
    let mut plan = Plan::default();
    cases.iter().for_each(|case| plan.add(case, settings.repository.is_some()));
    if let Extent::Cases(count) = search.extent {
        for service in &settings.services {
            let numbers = (0..count).filter(|number| is_chosen(settings, &format!("{RANDOM}{}/{number}", search.seed)));
            numbers.for_each(|number| {
                plan.add(&search::nth(*service, search.seed, number), settings.repository.is_some());
            });
        }
    }
    plan.text(&settings.target, is_guest)
}

impl Plan {
    fn add(&mut self, case: &Case, is_fixed: bool) {
        let bindings = Bindings::new(&case.chunks, "", PART_SIZE as usize);
        let rounds = case.rounds.max(1);
        for step in &case.steps {
            let calls = self.0.entry((case.service, step.operation)).or_default();
            calls.count += rounds;
            calls.bytes += rounds * bindings.weight(&step.request.body);
        }
        let own = match &case.place {
            _ if is_fixed => 0,
            // Others share it, but how many depends on the jobs.
            Place::Shared => 1,
            Place::Own(further) => 1 + further.len(),
        };
        for operation in [Operation::CreateRepository, Operation::DeleteRepository] {
            self.0.entry((case.service, Some(operation))).or_default().count += own * rounds;
        }
    }

    fn text(&self, target: &str, is_guest: bool) -> String {
        let mut text =
            format!("dry run    nothing is sent to {target}; a run would send, at most, where all goes well\n");
        let mut longest: f64 = 0.0;
        for ((service, operation), calls) in self.0.iter().filter(|(_, calls)| calls.count > 0) {
            let name = operation.map_or("no operation", Operation::name);
            let _ = writeln!(text, "{service:<10} {name:<28} {:>6} calls {:>9.1} MiB", calls.count, mib(calls.bytes));
            longest = longest.max(calls.count as f64 / guest(*service, *operation));
        }
        let sum = |of: fn(&Calls) -> usize| self.0.values().map(of).sum::<usize>();
        let (count, bytes) = (sum(|calls| calls.count), sum(|calls| calls.bytes));
        let _ = writeln!(text, "{:<39} {count:>6} calls {:>9.1} MiB", "total", mib(bytes));
        if is_guest {
            let _ =
                writeln!(text, "pace       at most half of the quotas of AWS: {:.0} minutes at least", longest / 60.0);
        }
        text + "left       nothing: repositories are removed, with all that is in them\n"
    }
}

fn mib(bytes: usize) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
