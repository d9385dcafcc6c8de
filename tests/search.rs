//! The search on the mock in process: no false alarm, and what a run of it reaches.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use ecrspec::case::{Case, Transcript};
use ecrspec::contract::{Operation, Service};
use ecrspec::drive::{Driver, InProcess, Target};
use ecrspec::generate::{follow, followed, plan, realise};
use ecrspec::judge::Verdict;
use ecrspec::mock::{Mock, Variant, router};
use ecrspec::session::{Attempt, Session, Terms};
use tokio::runtime::{Builder, Runtime};

const CASES: u64 = 1000;
const DEFAULT_CASES: u64 = 200;
const DEFAULT_SEED: u64 = 0;

struct Bench {
    runtime: Runtime,
    session: Session,
}

impl Bench {
    fn new(service: Service) -> Bench {
        let server = router(Arc::new(Mock::new(&Service::ALL)));
        let target = Target::new(Driver::InProcess(InProcess::new(server)));
        let terms = Terms { messages: true, ..Terms::of("ecrspec-search") };
        let runtime = Builder::new_current_thread().build().unwrap();
        Bench { runtime, session: Session::unsurveyed(Arc::new(target), service, terms) }
    }

    fn drive(&self, case: &Case) -> Transcript {
        self.runtime.block_on(self.session.drive(case, None, Attempt { worker: 0, number: 1 }))
    }

    fn verdict(&self, case: &Case) -> Verdict {
        self.runtime.block_on(self.session.judge(case)).verdict
    }
}

fn no_finding(seeds: std::ops::Range<u64>) {
    for service in Service::ALL {
        let bench = Bench::new(service);
        for seed in seeds.clone() {
            let case = realise(service, &plan::nth(service, seed, 0));
            let verdict = bench.verdict(&case);
            assert_eq!(verdict, Verdict::Pass, "{service} {}", case.id);
        }
    }
}

#[test]
#[ignore = "ten thousand seeds: run by hand, in release"]
fn ten_thousand_seeds_give_no_finding_on_the_mock() {
    no_finding(0..10_000);
}

#[test]
fn a_thousand_seeds_give_no_finding_on_the_mock() {
    no_finding(0..CASES);
}

/// Sequences that go on after a call which a target may take or not, and this one does other than the reference registry.
#[test]
fn what_a_target_may_take_or_not_is_followed() {
    const NO_CASE: &str = "upload-ids-without-case";
    const PART_IN_UPPER_CASE: &str = "plan/InitiateLayerUpload,UploadLayerPart:uploadId/upper-case/own";
    let layer_again =
        "UploadLayerPart,CompleteLayerUpload,InitiateLayerUpload,UploadLayerPart@0000000080,CompleteLayerUpload";
    let elsewhere = "InitiateLayerUpload,UploadLayerPart:uploadId/exists/other-repository";
    let same_place = "plan/InitiateLayerUpload,UploadLayerPart:partLastByte/notation/point-zero,\
                      UploadLayerPart:partFirstByte/contiguous/other-bytes-again";
    for (variant, sequence) in [
        (NO_CASE, format!("{PART_IN_UPPER_CASE},{layer_again}")),
        (NO_CASE, format!("{PART_IN_UPPER_CASE},{elsewhere}")),
        ("exponents-rejected", String::from(same_place)),
    ] {
        for service in Service::ALL {
            let changes = Variant::find(variant).unwrap().changes;
            let server = router(Arc::new(Mock::with(&[service], changes)));
            let target = Target::new(Driver::InProcess(InProcess::new(server)));
            let session = Session::unsurveyed(Arc::new(target), service, Terms::of("ecrspec-search"));
            let case = realise(service, &plan::parse(service, &sequence).unwrap());
            let verdict = Builder::new_current_thread().build().unwrap().block_on(session.judge(&case)).verdict;
            assert_eq!(verdict, Verdict::Pass, "{service}, {variant}: {sequence}");
        }
    }
}

/// Where a target answers as the reference registry does, nothing is worked out again.
#[test]
fn what_was_expected_at_first_is_what_comes_of_following() {
    const CASES: u64 = 60;
    let runtime = Builder::new_current_thread().build().unwrap();
    // Of each question that the documents leave open, the answer that the reference registry does not give.
    let variants = [
        "upload-ids-without-case",
        "exponents-rejected",
        "upload-ends-when-rejected",
        "same-layer-ends-uploads",
        "completed-upload-takes-parts",
        "uploads-survive-deletion",
        "digests-before-parts",
    ];
    let mut as_expected = 0;
    for changes in std::iter::once(&[][..]).chain(variants.map(|name| Variant::find(name).unwrap().changes)) {
        let server = router(Arc::new(Mock::with(&Service::ALL, changes)));
        let target = Arc::new(Target::new(Driver::InProcess(InProcess::new(server))));
        for (service, number) in Service::ALL.into_iter().flat_map(|service| (0..CASES).map(move |n| (service, n))) {
            let session = Session::unsurveyed(target.clone(), service, Terms::of("ecrspec-search"));
            let case = realise(service, &plan::nth(service, 3, number));
            let transcript = runtime.block_on(session.judge(&case)).transcript;
            let quickly = follow(&case, &transcript);
            as_expected += usize::from(matches!(quickly, Cow::Borrowed(_)));
            assert_eq!(format!("{quickly:?}"), format!("{:?}", followed(&case, &transcript)), "{}", case.id);
        }
    }
    let all = (1 + variants.len()) * 2 * CASES as usize;
    assert!((all / 2..all).contains(&as_expected), "{as_expected} of {all}");
}

#[test]
fn two_workers_may_try_the_same_sequence_at_once() {
    let others_go_on = async |request: Request, next: Next| {
        tokio::task::yield_now().await;
        next.run(request).await
    };
    let server = router(Arc::new(Mock::new(&Service::ALL))).layer(from_fn(others_go_on));
    let target = Target::new(Driver::InProcess(InProcess::new(server)));
    let session = Session::unsurveyed(Arc::new(target), Service::Ecr, Terms::of("ecrspec-search"));
    let case = realise(Service::Ecr, &plan::nth(Service::Ecr, 0, 0));
    let by = async |worker: usize| session.attempt(&case, None, Attempt { worker, number: 1 }).await.verdict;
    let runtime = Builder::new_current_thread().build().unwrap();
    let both = runtime.block_on(async { tokio::join!(by(1), by(2)) });
    assert_eq!(both, (Verdict::Pass, Verdict::Pass));
    let same = runtime.block_on(async { tokio::join!(by(1), by(1)) });
    assert_ne!(same, (Verdict::Pass, Verdict::Pass), "they were not under way at once");
}

/// What a default run of the search reaches, on a target that does what the reference registry does.
#[test]
fn a_default_run_reaches_every_state() {
    for service in Service::ALL {
        let bench = Bench::new(service);
        let (mut calls, mut accepted, mut pairs) = (0, 0, 0);
        let mut reached: BTreeSet<(&str, Option<Operation>)> = BTreeSet::new();
        for index in 0..DEFAULT_CASES {
            let case = realise(service, &plan::nth(service, DEFAULT_SEED, index));
            let transcript = bench.drive(&case);
            let case = follow(&case, &transcript);
            let mut states: BTreeMap<&str, (String, &str)> = BTreeMap::new();
            for (step, exchange) in case.steps.iter().zip(&transcript.exchanges) {
                let success = exchange.response().is_some_and(|answer| answer.status == 200);
                calls += 1;
                accepted += usize::from(success);
                pairs += usize::from(step.precedence.is_some());
                let body = step.request.body.to_string();
                let repository = ["${repository}", "${repository:other}"].into_iter().find(|name| body.contains(name));
                let repository = repository.map(String::from).unwrap_or_default();
                if step.operation == Some(Operation::InitiateLayerUpload) && success {
                    states.insert(&step.name, (repository.clone(), "empty"));
                }
                if step.operation == Some(Operation::DeleteRepository) && success {
                    let of_it = states.values_mut().filter(|(name, _)| *name == repository);
                    of_it.for_each(|(_, state)| *state = "repository deleted");
                }
                let named = states
                    .iter()
                    .map(|(name, (_, state))| (*name, *state))
                    .find(|(name, _)| body.contains(&format!("\"${{{name}.uploadId}}\"")));
                let about_uploads =
                    matches!(step.operation, Some(Operation::UploadLayerPart | Operation::CompleteLayerUpload));
                let Some((upload, state)) = named else {
                    if about_uploads {
                        reached.insert(("unknown", step.operation));
                    }
                    continue;
                };
                reached.insert((state, step.operation));
                let after = match (step.operation, success, state) {
                    (Some(Operation::UploadLayerPart), true, "empty") => "one part",
                    (Some(Operation::UploadLayerPart), true, "one part") => "several parts",
                    (Some(Operation::CompleteLayerUpload), true, _) => "completed",
                    (Some(Operation::CompleteLayerUpload), false, "one part" | "several parts") => {
                        "completion rejected"
                    }
                    (_, _, state) => state,
                };
                states.entry(upload).and_modify(|(_, state)| *state = after);
            }
        }
        let ratio = accepted as f64 / calls as f64;
        println!("{service}: {calls} calls, {accepted} accepted ({ratio:.2}), {pairs} with two violations");
        assert!((0.4..0.6).contains(&ratio), "{service}: {ratio}");
        assert!(pairs > 20, "{service}: {pairs}");
        for state in
            ["empty", "one part", "several parts", "completion rejected", "completed", "repository deleted", "unknown"]
        {
            for operation in [Operation::UploadLayerPart, Operation::CompleteLayerUpload] {
                assert!(reached.contains(&(state, Some(operation))), "{service}: no {operation} on {state}");
            }
        }
    }
}

/// The hash of a case is that of what is sent and expected.
#[test]
fn a_seed_gives_the_same_cases() {
    for service in Service::ALL {
        for index in 0..500 {
            let case = realise(service, &plan::nth(service, 7, index));
            let once = format!("{case:?}");
            // The plan that a case says it has gives it again, and so does its text.
            let again = [
                realise(service, &plan::nth(service, 7, index)),
                realise(service, case.plan.as_ref().unwrap()),
                realise(service, &plan::parse(service, &case.id).unwrap()),
            ];
            for (way, again) in again.into_iter().enumerate() {
                assert!(format!("{again:?}") == once, "way {way}: {} and {}", case.id, again.id);
            }
        }
    }
}
