//! What a failure is made to: the smallest counterexample of each of twenty planted defects.

use std::sync::Arc;

use ecrspec::case::Case;
use ecrspec::contract::Service;
use ecrspec::drive::{Driver, InProcess, Target};
use ecrspec::events::Event;
use ecrspec::events::{Judged, Task};
use ecrspec::generate::{plan, realise};
use ecrspec::judge::Verdict;
use ecrspec::mock::{Fault, Mock, router};
use ecrspec::run::{Settings, Work, run};
use ecrspec::session::{Session, Terms};
use tokio::runtime::Builder;
use tokio::sync::watch;

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
    "rejected-completion-stores",
    "serialization-500",
    "size-as-text",
    "untyped-errors",
    "upload-id-any-uuid",
];

/// How many sequences are tried until one fails.
const SEEDS: u64 = 2000;

#[test]
fn counterexamples_are_small() {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mut large = Vec::new();
    for name in FAULTS {
        let fault = Fault::find(name).unwrap();
        let fails = |seed: &u64| {
            let case = realise(Service::Ecr, &plan::nth(Service::Ecr, *seed, 0));
            matches!(runtime.block_on(verdict(fault, &case)), Verdict::Fail { .. })
        };
        let seed = (0..SEEDS).find(fails).unwrap_or_else(|| panic!("{name}: not found by {SEEDS} sequences"));
        let judged = runtime.block_on(replayed(fault, realise(Service::Ecr, &plan::nth(Service::Ecr, seed, 0))));
        let first = judged.verdict.findings().first().unwrap_or_else(|| panic!("{name}: {:?}", judged.verdict));
        let (smallest, _) = judged.smallest(first);
        let plan = plan::parse(Service::Ecr, &smallest.case).unwrap();
        let violations: usize = plan.decisions.iter().map(|call| call.violations.len()).sum();
        println!(
            "{name}: {} calls, {violations} violations, {}: {}",
            smallest.requests,
            smallest.case,
            first.sentence()
        );
        if smallest.requests > 4 || violations > 1 {
            large.push(name);
        }
    }
    assert!(large.len() <= 1, "{large:?}");
}

fn target(fault: &Fault) -> Target {
    let mock = Arc::new(Mock::with(&[Service::Ecr], fault.changes));
    Target::new(Driver::InProcess(InProcess::new(router(mock))))
}

/// What a case comes to that is driven into a fresh server.
async fn verdict(fault: &'static Fault, case: &Case) -> Verdict {
    let session = Session::unsurveyed(Arc::new(target(fault)), Service::Ecr, Terms::of("ecrspec-shrinking"));
    session.judge(case).await.verdict
}

/// What `ecrspec replay` makes of a case.
async fn replayed(fault: &'static Fault, case: Case) -> Judged {
    let settings =
        Settings { services: vec![Service::Ecr], jobs: 1, ..Settings::everything(fault.name, "ecrspec-shrinking") };
    let work = Work { task: Task::Replay, cases: vec![case], search: None, whole_survey: false };
    let mut judged = None;
    let (_keep, stop) = watch::channel(None);
    let sink = |event| {
        if let Event::Judged(one) = event {
            judged = Some(*one);
        }
    };
    run(Arc::new(target(fault)), &settings, work, stop, sink).await.unwrap();
    judged.unwrap()
}
