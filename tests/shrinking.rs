//! What a failure is made to: the smallest counterexample of each of twenty planted defects.

use std::sync::Arc;

use ecrspec::case::Plan;
use ecrspec::contract::Service;
use ecrspec::drive::{self, Driver, InProcess, Room, Target};
use ecrspec::generate::plan::Shrinking;
use ecrspec::generate::{follow, plan, realise};
use ecrspec::judge::{Finding, Strictness, Verdict, judge};
use ecrspec::mock::{Fault, Mock, router};
use ecrspec::search::Sought;
use proptest::strategy::ValueTree as _;
use tokio::runtime::{Builder, Runtime};

/// Of each family some.
const FAULTS: [&str; 20] = [
    "completed-again",
    "digests-not-compared",
    "digests-unbounded",
    "empty-upload-completed",
    "errors-as-404",
    "first-digest-alone",
    "gaps-taken",
    "inner-part-not-measured",
    "last-byte-counted",
    "last-digest-alone",
    "layer-digest-echoed",
    "length-not-looked-at",
    "malformed-digests-dropped",
    "name-trimmed",
    "position-as-text",
    "refused-completion-stores",
    "serialization-500",
    "size-as-text",
    "untyped-errors",
    "upload-id-any-uuid",
];

/// How many sequences are tried until one fails.
const SEEDS: u64 = 2000;

#[test]
fn counterexamples_are_small() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let mut large = Vec::new();
    for name in FAULTS {
        let fault = Fault::find(name).unwrap();
        let found = (0..SEEDS).find_map(|seed| {
            let plan = plan::nth(Service::Ecr, seed, 0);
            let finding = finding(&runtime, fault, &plan, |_| true)?;
            Some((plan, finding))
        });
        let (plan, first) = found.unwrap_or_else(|| panic!("{name}: not found by {SEEDS} sequences"));
        let sought = Sought::of(Service::Ecr, &plan, &first);
        let mut smaller = Shrinking::of(plan.clone());
        let mut going = smaller.simplify();
        while going {
            let fails = finding(&runtime, fault, &smaller.current(), |found| sought.is(found)).is_some();
            going = if fails { smaller.simplify() } else { smaller.complicate() };
        }
        let small = realise(Service::Ecr, smaller.best());
        let violations: usize = smaller.best().decisions.iter().map(|call| call.violations.len()).sum();
        println!("{name}: {} calls, {violations} violations, {}: {}", small.steps.len(), small.id, first.sentence());
        if small.steps.len() > 4 || violations > 1 {
            large.push(name);
        }
    }
    assert!(large.len() <= 1, "{large:?}");
}

/// What is found when a plan is driven into a fresh server, if it is what is sought.
fn finding(
    runtime: &Runtime,
    fault: &'static Fault,
    plan: &Plan,
    sought: impl Fn(&Finding) -> bool,
) -> Option<Finding> {
    let case = realise(Service::Ecr, plan);
    let mock = Arc::new(Mock::with(&[Service::Ecr], fault.changes));
    let target = Target::new(Driver::InProcess(InProcess::new(router(mock))));
    let room = Room {
        prefix: String::from("ecrspec-shrinking"),
        shared: None,
        account: Some(String::from("012345678910")),
        part_size: 10_485_760,
        salt: String::from("shrinking"),
    };
    let transcript = runtime.block_on(drive::case(&target, &case, &room));
    match judge(&follow(&case, &transcript), &transcript, Strictness { messages: false, availability: true }).0 {
        Verdict::Fail { findings } => findings.into_iter().find(sought),
        _ => None,
    }
}
