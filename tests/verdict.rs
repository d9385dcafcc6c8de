//! The verdict of a run is that of the target: the same at any number of jobs, and of all parts together.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ecrspec::case::Partition;
use ecrspec::contract::Service;
use ecrspec::drive::{Driver, InProcess, Target};
use ecrspec::judge::Verdict;
use ecrspec::judge::known::{Known, KnownFile};
use ecrspec::mock::{Change, Mock, router};
use ecrspec::report::merge::merge;
use ecrspec::report::summary::{Measure, Reason};
use ecrspec::report::{Event, Summary};
use ecrspec::run::{Settings, Work, run};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// What a plain emulator does wrong: it looks up what the names of a request stand for before it looks at the members.
static FAULTS: [Change; 11] = [
    Change::Ignores("*/repositoryName/pattern"),
    Change::Ignores("*/repositoryName/min-length"),
    Change::Ignores("*/repositoryName/max-length"),
    Change::Ignores("*/uploadId/pattern"),
    Change::Ignores("*/registryId/pattern"),
    Change::Ignores("*/layerDigests/item-pattern"),
    Change::Ignores("CompleteLayerUpload/layerDigests/match"),
    Change::Ignores("UploadLayerPart/partFirstByte/contiguous"),
    Change::Ignores("UploadLayerPart/layerPartBlob/length"),
    Change::Names("UploadLayerPart/partLastByte/not-before-first", "InvalidLayerException"),
    // Time for other jobs to be first now and then.
    Change::Waits(|_| Duration::from_millis(1)),
];

/// A run of everything in one service, or of a part of it.
fn events(jobs: usize, part: Option<Partition>) -> Vec<Event> {
    let mock = Mock::with(&[Service::Ecr], &FAULTS);
    let target = Target::new(Driver::InProcess(InProcess::new(router(Arc::new(mock)))));
    let settings = Settings {
        services: vec![Service::Ecr],
        jobs,
        partition: part,
        ..Settings::everything("a mock with faults", "ecrspec-verdict")
    };
    let work = Work::usual(&settings).unwrap();
    let events = Mutex::new(Vec::new());
    let (_keep, stop) = watch::channel(false);
    let runtime = Runtime::new().unwrap();
    runtime.block_on(run(Arc::new(target), &settings, work, stop, |event| events.lock().unwrap().push(event))).unwrap();
    events.into_inner().unwrap()
}

fn measure(known: Vec<Known>) -> Measure {
    Measure { known, today: jiff::civil::date(2026, 11, 21), deny_warnings: false }
}

/// What an entry of known deviations must name, for each finding of each case.
fn accepted(events: &[Event]) -> BTreeSet<(String, String)> {
    let of_case = events.iter().filter_map(|event| match event {
        Event::Judged(judged) => match &judged.verdict {
            Verdict::Fail { findings } => Some(findings),
            _ => None,
        },
        _ => None,
    });
    of_case.flatten().map(|finding| (finding.accept_as.clone(), finding.got.clone())).collect()
}

/// Each case with its verdict, whatever the order.
fn verdicts(events: &[Event]) -> BTreeSet<String> {
    let of_case = events.iter().filter_map(|event| match event {
        Event::Judged(judged) => match &judged.verdict {
            Verdict::Fail { findings } => {
                let named = |finding: &ecrspec::judge::Finding| {
                    format!("{} {} {} {}", finding.rule, finding.about, finding.grade, finding.got)
                };
                Some(format!("{}: {:?}", judged.case, findings.iter().map(named).collect::<Vec<_>>()))
            }
            other => Some(format!("{}: {other:?}", judged.case)),
        },
        _ => None,
    });
    of_case.collect()
}

fn same(one: &[Event], other: &[Event], what: &str) {
    let (one, other) = (verdicts(one), verdicts(other));
    let differ: Vec<&String> = one.symmetric_difference(&other).collect();
    assert!(differ.is_empty(), "{what}: {differ:#?}");
}

fn causes(summary: &Summary) -> Vec<(String, Vec<String>)> {
    let mut causes: Vec<_> = summary.groups.iter().map(|group| (group.finding.cause(), group.rules.clone())).collect();
    causes.sort_unstable();
    causes
}

fn known(accepted: &BTreeSet<(String, String)>) -> Vec<Known> {
    let entry =
        |(rule, got): &(String, String)| format!("[[known]]\nrule = {rule:?}\ngot = {got:?}\nreason = \"later\"\n");
    KnownFile::parse(&accepted.iter().map(entry).collect::<String>()).unwrap().known
}

#[test]
fn the_verdict_does_not_depend_on_jobs_or_parts() {
    let whole = events(1, None);
    let expected = Summary::of(&whole, &measure(Vec::new())).unwrap();
    assert_eq!(expected.reasons(false), [Reason::Findings]);
    assert!(expected.groups.len() >= 8, "{:?}", causes(&expected));
    for jobs in [4, 16] {
        let again = events(jobs, None);
        same(&whole, &again, &format!("jobs {jobs}"));
        assert_eq!(causes(&expected), causes(&Summary::of(&again, &measure(Vec::new())).unwrap()), "jobs {jobs}");
    }
    let entries = known(&accepted(&whole));
    assert!(Summary::of(&whole, &measure(entries.clone())).unwrap().reasons(true).is_empty());
    let mut logs = Vec::new();
    for number in 1..=4 {
        let part = events(4, Some(format!("hash:{number}/4").parse().unwrap()));
        let summary = Summary::of(&part, &measure(entries.clone())).unwrap();
        assert!(summary.reasons(true).is_empty(), "part {number}: {:?} {:?}", causes(&summary), summary.known_trouble);
        logs.push((format!("part {number}"), part));
    }
    let joined = merge(logs).unwrap();
    same(&whole, &joined, "joined");
    assert_eq!(causes(&expected), causes(&Summary::of(&joined, &measure(Vec::new())).unwrap()));
    assert!(Summary::of(&joined, &measure(entries)).unwrap().reasons(true).is_empty());
}
