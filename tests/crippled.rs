//! Servers on which an operation that others need does not work: said once, and the rest is judged.

use std::sync::Arc;

use ecrspec::contract::Service;
use ecrspec::drive::{Driver, InProcess, Target};
use ecrspec::events::{Event, Judged};
use ecrspec::judge::{NotJudged, Verdict};
use ecrspec::mock::fault::FAMILIES;
use ecrspec::mock::{Fault, Mock, router};
use ecrspec::report::Summary;
use ecrspec::report::summary::{Measure, Reason};
use ecrspec::run::{Settings, Work, run};
use tokio::runtime::Runtime;
use tokio::sync::watch;

fn summary(fault: &'static Fault) -> Summary {
    let filter = ["CompleteLayerUpload/", "InitiateLayerUpload/repositoryName", "BatchCheckLayerAvailability/"];
    let settings = Settings {
        services: vec![Service::Ecr],
        filter: filter.map(String::from).to_vec(),
        ..Settings::everything("a cripple", "ecrspec-01ab")
    };
    let work = Work { search: None, ..Work::usual(&settings).unwrap() };
    let target =
        Target::new(Driver::InProcess(InProcess::new(router(Arc::new(Mock::with(&[Service::Ecr], fault.changes))))));
    let mut events: Vec<Event> = Vec::new();
    let (_keep, stop) = watch::channel(None);
    let running = run(Arc::new(target), &settings, work, stop, |event| events.push(event));
    Runtime::new().unwrap().block_on(running).unwrap();
    let measure =
        Measure { known: Vec::new(), today: jiff::civil::date(2026, 11, 20), deny_warnings: false, all_parts: false };
    Summary::of(&events, &measure).unwrap()
}

/// How many of the 238 cases of CompleteLayerUpload are judged at least: all, or those of requests that must be rejected.
fn least(name: &str) -> usize {
    if name.starts_with("create-") { 230 } else { 160 }
}

#[test]
fn what_can_be_judged_is() {
    let (_, faults) = FAMILIES.iter().find(|(family, _)| *family == "crippled").unwrap();
    for fault in faults.iter() {
        let summary = summary(fault);
        assert_eq!(summary.reasons(false).first(), Some(&Reason::Findings), "{}", fault.name);
        assert!(
            summary.groups.iter().any(|group| group.finding.rule == fault.rule),
            "{}: {:?}",
            fault.name,
            summary.groups
        );
        let counts = summary.counts(|judged| judged.case.starts_with("CompleteLayerUpload/"));
        let judged = counts.passed + counts.failed;
        let inconclusive = |judged: &&Judged| matches!(judged.verdict, Verdict::Inconclusive { .. });
        let undecided: Vec<_> = summary.cases.iter().filter(inconclusive).collect();
        assert!(undecided.is_empty(), "{}: {undecided:?}", fault.name);
        assert!(judged >= least(fault.name), "{}: {judged} were judged", fault.name);
        // What is broken is said once, by the survey, and not by each case that needs it.
        let survey = summary.groups.iter().filter(|group| group.finding.step == "survey").count();
        assert_eq!(survey, 1, "{}: {:?}", fault.name, summary.groups);
    }
}

#[test]
fn what_shows_later_is_said_to() {
    let (_, faults) = FAMILIES.iter().find(|(family, _)| *family == "late").unwrap();
    for fault in faults.iter() {
        let summary = summary(fault);
        let witnesses = summary.groups.iter().filter_map(|group| group.finding.witness.as_ref());
        let told = witnesses.flat_map(|witness| &witness.calls).any(|call| call.contains("as it should be after"));
        assert!(told, "{}: {:?}", fault.name, summary.groups);
    }
}

#[test]
fn what_is_tried_on_an_empty_upload_may_be_answered_so() {
    let fault = Fault::find("parts-fail").unwrap();
    let summary = summary(fault);
    let reduced = |judged: &&ecrspec::events::Judged| judged.title.ends_with("(on an upload without parts)");
    let cases: Vec<_> = summary.cases.iter().filter(reduced).collect();
    assert!(cases.len() > 100, "{}", cases.len());
    for judged in cases {
        assert_eq!(judged.verdict, Verdict::Pass, "{}", judged.case);
    }
    let skipped = |reason: &NotJudged| matches!(reason, NotJudged::BrokenOperation { .. });
    let valid = summary.cases.iter().find(|judged| judged.case == "CompleteLayerUpload/accepted/plain");
    let valid = valid.map(|judged| &judged.verdict);
    assert!(valid.is_none_or(|verdict| matches!(verdict, Verdict::Skipped { reason } if skipped(reason))), "{valid:?}");
}
