//! Servers on which an operation that others need does not work: said once, and the rest is judged.

use std::sync::Arc;

use ecrspec::contract::Service;
use ecrspec::drive::{Driver, InProcess, Target};
use ecrspec::events::Event;
use ecrspec::judge::{NotJudged, Verdict};
use ecrspec::mock::fault::FAMILIES;
use ecrspec::mock::{Fault, Mock, router};
use ecrspec::report::Summary;
use ecrspec::report::summary::{Measure, Reason};
use ecrspec::run::{Settings, Work, run};
use tokio::runtime::Runtime;
use tokio::sync::watch;

fn summary(fault: &'static Fault) -> Summary {
    let settings = Settings { services: vec![Service::Ecr], ..Settings::everything("a cripple", "ecrspec-01ab") };
    let work = Work { search: None, ..Work::usual(&settings).unwrap() };
    let target = Target::new(Driver::InProcess(InProcess::new(router(Arc::new(Mock::with(
        &[Service::Ecr],
        fault.changes,
    ))))));
    let mut events: Vec<Event> = Vec::new();
    let (_keep, stop) = watch::channel(false);
    let running = run(Arc::new(target), &settings, work, stop, |event| events.push(event));
    Runtime::new().unwrap().block_on(running).unwrap();
    let measure =
        Measure { known: Vec::new(), today: jiff::civil::date(2026, 11, 20), deny_warnings: false, all_parts: false };
    Summary::of(&events, &measure).unwrap()
}

/// How many cases are judged at least, of all and of CompleteLayerUpload.
fn least(name: &str) -> (usize, usize) {
    match name {
        _ if name.starts_with("create-") => (900, 200),
        _ if name.starts_with("parts-") => (500, 150),
        _ if name.starts_with("begun-") => (400, 130),
        _ => (600, 150),
    }
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
        let counts = summary.counts(|_| true);
        let of_complete = summary.counts(|judged| judged.case.starts_with("CompleteLayerUpload/"));
        let judged = (counts.passed + counts.failed, of_complete.passed + of_complete.failed);
        println!("{}: {judged:?} of {} judged, {} causes", fault.name, summary.cases.len(), summary.groups.len());
        assert_eq!(counts.inconclusive, 0, "{}", fault.name);
        let least = least(fault.name);
        assert!(judged.0 >= least.0 && judged.1 >= least.1, "{}: {judged:?} were judged", fault.name);
        // What is broken is said once, by the survey, and not by each case that needs it.
        let survey = summary.groups.iter().filter(|group| group.finding.step == "survey").count();
        assert_eq!(survey, 1, "{}: {:?}", fault.name, summary.groups);
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
