//! Calls at once: faults that show only there are found, and nothing that a lawful server answers is a finding.
//!
//! `cargo test --release --test races -- --ignored` does more of it.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock, Mutex};

use bytes::Bytes;
use ecrspec::case::{Case, Length, Step};
use ecrspec::contract::{Operation, RuleId, Service, Tier};
use ecrspec::drive::http::{Http, Timeouts};
use ecrspec::drive::{Driver, InProcess, Target};
use ecrspec::expect::Outcome;
use ecrspec::judge::{Finding, JudgeOptions, Verdict};
use ecrspec::linearize::{Round, Rounds};
use ecrspec::mock::{Fault, Mock, Variant, router, serve};
use ecrspec::session::{Attempt, Session, Terms};
use ecrspec::suite::suite;
use ecrspec::wire::envelope;
use http_body_util::Full;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tower::ServiceExt as _;

const STRICTNESS: JudgeOptions = JudgeOptions { messages: false, availability: true, tier: Tier::Open };

/// The cases with calls at once, of each service.
static RACES: LazyLock<[Vec<Case>; 2]> =
    LazyLock::new(|| Service::ALL.map(|service| suite(service).unwrap().into_iter().filter(Case::is_race).collect()));

/// The same with layers so small that a round takes no time.
static SMALL_RACES: LazyLock<[Vec<Case>; 2]> = LazyLock::new(|| {
    let mut of_both = RACES.clone();
    for case in of_both.iter_mut().flatten() {
        for (index, chunk) in case.chunks.iter_mut().enumerate() {
            chunk.len = Length::Bytes(32 + index);
        }
    }
    of_both
});

async fn round<'a>(target: &Target, case: &'a Case, number: usize) -> Round<'a> {
    let session = Session::unsurveyed(Arc::new(target.clone()), case.service, Terms::of("ecrspec-races"));
    let round = session.attempt(case, None, Attempt { worker: 0, number: number as u32 }).await;
    assert!(round.transcript.left.is_empty(), "{}: {:?}", case.id, round.transcript.left);
    round
}

/// The findings of some rounds.
fn findings(case: &Case, rounds: &[Round]) -> Vec<Finding> {
    let mut all = Rounds::of(case, STRICTNESS);
    rounds.iter().for_each(|round| all.add(round.clone()));
    match all.together(false).unwrap().verdict {
        Verdict::Fail { findings } => findings,
        Verdict::Pass => Vec::new(),
        other => panic!("{}: {other:?}", case.id),
    }
}

/// As many rounds of each case as a run tries, in turn, until something is found.
async fn run(target: &Target, cases: &[Case]) -> Option<Finding> {
    let most = cases.iter().map(|case| case.rounds).max().unwrap();
    for number in 0..most {
        for case in cases.iter().filter(|case| number < case.rounds) {
            if let Some(finding) = findings(case, &[round(target, case, number).await]).into_iter().next() {
                return Some(finding);
            }
        }
    }
    None
}

/// In how many of so many runs a fault is found as what it is, and shown by few calls.
async fn times_found(fault: &'static Fault, runs: usize) -> usize {
    let mut tasks = JoinSet::new();
    for number in 0..runs {
        tasks.spawn(async move {
            let target = in_process(Mock::with(&Service::ALL, fault.changes));
            let found = run(&target, &SMALL_RACES[number % 2]).await;
            found.is_some_and(|finding| {
                assert_eq!(finding.rule, fault.rule, "{}: {}", fault.name, finding.sentence());
                assert!(finding.tier.gates());
                (2..=4).contains(&finding.witness.as_ref().map_or(0, |witness| witness.calls.len()))
            })
        });
    }
    tasks.join_all().await.into_iter().filter(|found| *found).count()
}

fn in_process(mock: Mock) -> Target {
    Target::new(Driver::InProcess(InProcess::new(router(Arc::new(mock)))))
}

fn faults() -> Vec<&'static Fault> {
    let faults: Vec<&Fault> = Fault::all().filter(|fault| fault.name.starts_with("race-")).collect();
    assert_eq!(faults.len(), 5);
    faults
}

#[test]
fn faults_of_calls_at_once_are_found() {
    let runtime = Runtime::new().unwrap();
    for fault in faults() {
        let found = runtime.block_on(times_found(fault, 20));
        assert!(found >= 19, "{} was found in {found} of 20 runs", fault.name);
    }
}

#[test]
#[ignore = "some minutes: the same over HTTP, each run whole"]
fn faults_of_calls_at_once_are_found_over_http() {
    let runtime = Runtime::new().unwrap();
    for fault in faults() {
        let mut found = 0;
        for number in 0..20 {
            let target = over_http(&runtime, Mock::with(&Service::ALL, fault.changes));
            let of_run = RACES[number % 2].iter().flat_map(|case| {
                let rounds = (0..case.rounds).map(|number| runtime.block_on(round(&target, case, number)));
                findings(case, &rounds.collect::<Vec<_>>())
            });
            let rules: BTreeSet<RuleId> = of_run.map(|finding| finding.rule).collect();
            found += usize::from(rules.contains(&fault.rule));
            let others: Vec<&RuleId> = rules.iter().filter(|rule| **rule != fault.rule).collect();
            println!("{} {number}: {rules:?}", fault.name);
            assert!(others.is_empty(), "{}: {others:?}", fault.name);
        }
        assert!(found >= 19, "{} was found in {found} of 20 runs", fault.name);
    }
}

fn over_http(runtime: &Runtime, mock: Mock) -> Target {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    runtime.spawn(serve(listener, Arc::new(mock)));
    Target::new(Driver::Http(Http::new(&endpoint, Timeouts::default()).unwrap()))
}

/// What the documents leave open of calls at once; the reference itself first.
const VARIANTS: [Option<&str>; 5] = [
    None,
    Some("repeated-completion-finds-layer"),
    Some("upload-ends-when-rejected"),
    Some("same-layer-ends-uploads"),
    Some("completed-upload-takes-parts"),
];

/// A server that answers each request at once, at some moment between its first byte and its answer.
fn dawdling(variant: Option<&str>) -> Target {
    let changes = variant.into_iter().flat_map(|name| Variant::find(name).unwrap().changes);
    let mock = router(Arc::new(Mock::with(&Service::ALL, changes)));
    let chance = Arc::new(Mutex::new(88_172_645_463_325_252_u64));
    let answering = tower::service_fn(move |request: http::Request<Full<Bytes>>| {
        let (mock, chance) = (mock.clone(), chance.clone());
        async move {
            let dawdle = || {
                let mut chance = chance.lock().unwrap();
                *chance ^= *chance << 13;
                *chance ^= *chance >> 7;
                *chance ^= *chance << 17;
                (*chance >> 20) % 6
            };
            let (before, after) = (dawdle(), dawdle());
            for _ in 0..before {
                tokio::task::yield_now().await;
            }
            let answer = mock.oneshot(request).await;
            for _ in 0..after {
                tokio::task::yield_now().await;
            }
            answer
        }
    });
    Target::new(Driver::InProcess(InProcess::new(answering)))
}

/// Tries at least so many rounds on a lawful server; gives how many there were, and in how many of them calls that were
/// under way at once were answered in another order than that in which they were sent.
async fn histories(variant: Option<&'static str>, count: usize) -> (usize, usize) {
    let target = dawdling(variant);
    let (mut done, mut turned) = (0, 0);
    while done < count {
        for case in SMALL_RACES.iter().flatten() {
            let round = round(&target, case, done).await;
            let exchanges = &round.transcript.exchanges;
            done += 1;
            turned += usize::from(!exchanges.is_sorted_by_key(|exchange| exchange.ended()));
            assert_eq!(
                round.verdict,
                Verdict::Pass,
                "{variant:?}: {} {:#?}",
                case.id,
                findings(case, std::slice::from_ref(&round))
            );
        }
    }
    (done, turned)
}

fn all_lawful(count: usize) {
    let runtime = Runtime::new().unwrap();
    let mut tasks = JoinSet::new();
    for (index, variant) in VARIANTS.into_iter().enumerate() {
        // Most of them are of the reference.
        let share = if index == 0 { count } else { count / 5 };
        tasks.spawn_on(histories(variant, share), runtime.handle());
    }
    for (done, turned) in runtime.block_on(tasks.join_all()) {
        println!("{done} histories, {turned} of them answered in another order than sent");
        assert!(turned * 2 > done, "calls at once overtake each other");
    }
}

#[test]
fn lawful_histories_give_no_finding() {
    all_lawful(560);
}

#[test]
#[ignore = "a minute in release: 18,000 of them"]
fn ten_thousand_lawful_histories_give_no_finding() {
    all_lawful(10_000);
}

#[test]
fn what_a_file_allows_some_order_allows() {
    let outcome = |outcome: &Outcome| match outcome {
        Outcome::Success { .. } => String::from("200"),
        Outcome::Error { error, .. } => String::from(error.name),
    };
    let of_step = |case: &Case, step: &Step| {
        let of = |outcome| (case.id.clone(), step.expect.rule, outcome);
        step.expect.outcomes.iter().map(outcome).map(of).collect::<Vec<_>>()
    };
    let [cases, _] = &*SMALL_RACES;
    let allowed: BTreeSet<_> =
        cases.iter().flat_map(|case| case.steps.iter().flat_map(|step| of_step(case, step))).collect();
    // Of a repository that is gone, the reference says that and no more.
    let is_silent = |(case, rule, got): &(String, RuleId, String)| {
        case.ends_with("/deletion")
            && rule.operation() == Some(Operation::CompleteLayerUpload)
            && got == "UploadNotFoundException"
    };
    let sought: BTreeSet<_> = allowed.iter().filter(|outcome| !is_silent(outcome)).cloned().collect();
    // Each outcome of a call at once comes up where servers dawdle, and nothing else does.
    let runtime = Runtime::new().unwrap();
    let targets = VARIANTS.map(dawdling);
    let mut seen = BTreeSet::new();
    for number in 0..200 {
        for (target, case) in targets.iter().flat_map(|target| cases.iter().map(move |case| (target, case))) {
            let round = runtime.block_on(round(target, case, number));
            for (step, exchange) in case.steps.iter().zip(&round.transcript.exchanges) {
                let got = envelope::error(exchange.response().unwrap()).name;
                let got = got.unwrap_or_else(|| String::from("200"));
                seen.insert((case.id.clone(), step.expect.rule, got));
            }
        }
        if number >= 3 && seen.is_superset(&sought) {
            break;
        }
    }
    assert_eq!(seen, sought);
}
