//! How many requests a second are sent and judged: by a run over cases with small requests, again and again for ten seconds.
//!
//! ```text
//! cargo bench --bench judging                            # in process, and the bare router alone: one core
//! cargo bench --bench judging -- small http://…          # over HTTP, 16 cases at once
//! cargo bench --bench judging -- parts http://…          # parts of 20 MiB, in MB/s of their bodies
//! ```
//!
//! What is counted: the calls of the cases, and those that make and remove their repositories. `benches/side-by-side.sh`
//! puts the figures beside those of a program that looks at nothing.

use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use ecrspec::case::{Bindings, Case, Place};
use ecrspec::contract::Service;
use ecrspec::drive::http::{Http, Timeouts};
use ecrspec::drive::{Driver, InProcess, Target};
use ecrspec::events::{Event, Task};
use ecrspec::judge::Verdict;
use ecrspec::mock::{Mock, router};
use ecrspec::run::{self, Settings, Work};
use ecrspec::scenario;
use ecrspec::wire::Framing;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tower::ServiceExt as _;

/// As the command has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long is measured.
const LONG_ENOUGH: Duration = Duration::from_secs(10);

/// The body of a small request has no more bytes.
const SMALL: usize = 512;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [] => {
            let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
            let own = judged(&runtime, &in_process(mock()), 1, &small());
            println!("{:.0} {:.0}", own.rate(), alone(&runtime));
        }
        ["small", endpoint] => println!("{:.0}", judged(&runtime(), &over_http(endpoint), 16, &small()).rate()),
        ["parts", endpoint] => println!("{:.0}", judged(&runtime(), &over_http(endpoint), 1, &[parts()]).speed()),
        _ => {
            eprintln!("judging: no arguments, or small or parts and an endpoint");
            std::process::exit(2);
        }
    }
}

fn runtime() -> Runtime {
    Runtime::new().expect("a runtime")
}

fn over_http(endpoint: &str) -> Target {
    Target::new(Driver::Http(Http::new(endpoint, Timeouts::default()).expect("an endpoint")))
}

fn mock() -> Router {
    router(Arc::new(Mock::new(&[Service::Ecr])))
}

fn in_process(server: Router) -> Target {
    Target::new(Driver::InProcess(InProcess::new(server)))
}

/// The cases of the suite all whose requests are small, and framed as usual.
fn small() -> Vec<Case> {
    let is_small = |case: &Case| {
        let bindings = Bindings::new(&case.chunks, "", 0);
        let mut steps = case.steps.iter();
        steps.all(|step| step.request.framing == Framing::Length && bindings.weight(&step.request.body) <= SMALL)
    };
    let settings = Settings { services: vec![Service::Ecr], ..Settings::everything("", "") };
    let mut cases = run::choose(&settings).expect("the suite is right");
    cases.retain(|case| !case.is_race() && case.tier().gates() && is_small(case));
    cases
}

/// Parts of 20 MiB for an upload that is not there.
fn parts() -> Case {
    let text = r#"
title: parts of 20 MiB
bytes:
  part: 20971520
steps:
  - name: part
    call: UploadLayerPart
    body: {repositoryName: "${repository}", uploadId: "00000000-0000-4000-8000-000000000000", partFirstByte: 0,
           partLastByte: 20971519, layerPartBlob: "${base64:part}"}
    expect: UploadLayerPart/uploadId/exists
"#;
    let scenario = scenario::parse("parts.yaml", "parts", text).expect("the scenario is right");
    scenario.cases.into_iter().find(|case| case.service == Service::Ecr).expect("it is for both services")
}

/// What was sent and judged.
struct Sent {
    calls: usize,
    bytes: usize,
    took: Duration,
}

impl Sent {
    fn rate(&self) -> f64 {
        self.calls as f64 / self.took.as_secs_f64()
    }

    fn speed(&self) -> f64 {
        self.bytes as f64 / 1e6 / self.took.as_secs_f64()
    }
}

/// Runs of these cases, each with so many of them that the survey hardly counts.
fn judged(runtime: &Runtime, target: &Target, jobs: usize, cases: &[Case]) -> Sent {
    let times = if cases.len() == 1 { 50 } else { 20 };
    let again = |time: usize| cases.iter().map(move |case| Case { id: format!("{}/{time}", case.id), ..case.clone() });
    let all: Vec<Case> = (0..times).flat_map(again).collect();
    let (calls, bytes) = all.iter().map(weight).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    let target = Arc::new(target.clone());
    let mut sent = Sent { calls: 0, bytes: 0, took: Duration::ZERO };
    while sent.took < LONG_ENOUGH {
        let cases = all.clone();
        let began = Instant::now();
        run_all(runtime, &target, &format!("bench-{}", sent.calls), jobs, cases);
        sent = Sent { calls: sent.calls + calls, bytes: sent.bytes + bytes, took: sent.took + began.elapsed() };
    }
    sent
}

/// A run of these cases, which all pass.
fn run_all(runtime: &Runtime, target: &Arc<Target>, prefix: &str, jobs: usize, cases: Vec<Case>) {
    let settings = Settings::everything("the target of a benchmark", prefix);
    let settings = Settings { services: vec![Service::Ecr], jobs, ..settings };
    let count = cases.len();
    let work = Work { task: Task::Gate, cases, search: None, whole_survey: false };
    let (_sender, stop) = watch::channel(None);
    let mut passed = 0;
    let running = run::run(target.clone(), &settings, work, stop, |event| {
        if let Event::Judged(judged) = event {
            assert_eq!(judged.verdict, Verdict::Pass, "{}", judged.case);
            passed += 1;
        }
    });
    runtime.block_on(running).expect("the target answers");
    assert_eq!(passed, count);
}

/// How many calls a case takes, and how many bytes the bodies of its own have.
fn weight(case: &Case) -> (usize, usize) {
    let bindings = Bindings::new(&case.chunks, "", 0);
    let repositories = match &case.place {
        Place::Shared => 0,
        Place::Own(further) => 1 + further.len(),
    };
    let bytes = case.steps.iter().map(|step| bindings.weight(&step.request.body)).sum();
    (case.steps.len() + 2 * repositories, bytes)
}

/// How often the router alone answers, a second: the requests of a run, again and again.
fn alone(runtime: &Runtime) -> f64 {
    let requests = Arc::new(Mutex::new(Vec::new()));
    let notes = requests.clone();
    let noted = mock().layer(from_fn(move |request: Request, next: Next| {
        let notes = notes.clone();
        async move {
            let (head, body) = request.into_parts();
            let body = to_bytes(body, usize::MAX).await.expect("it is in memory");
            notes.lock().expect("nobody panics").push((head.clone(), body.clone()));
            next.run(Request::from_parts(head, Body::from(body))).await
        }
    }));
    run_all(runtime, &Arc::new(in_process(noted)), "bench", 1, small());
    let requests = std::mem::take(&mut *requests.lock().expect("nobody panics"));
    let began = Instant::now();
    let mut calls = 0;
    while began.elapsed() < LONG_ENOUGH {
        let router = mock();
        for (head, body) in &requests {
            let again = Request::from_parts(head.clone(), Body::from(body.clone()));
            let answer = runtime.block_on(router.clone().oneshot(again)).expect("the router answers");
            let body = runtime.block_on(to_bytes(answer.into_body(), usize::MAX)).expect("it is in memory");
            black_box(body);
        }
        calls += requests.len();
    }
    calls as f64 / began.elapsed().as_secs_f64()
}
