//! Servers that answer without looking. Each ends non-zero, scores next to nothing, and a hollow run is said to be one.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::TcpListener;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request as HttpRequest;
use bytes::Bytes;
use ecrspec::case::Case;
use ecrspec::contract::check::check;
use ecrspec::contract::error::ERRORS;
use ecrspec::contract::{Operation, Rules, Service};
use ecrspec::drive::{Driver, InProcess, Target};
use ecrspec::events::{Event, Task};
use ecrspec::mock::{Mock, router};
use ecrspec::report::Summary;
use ecrspec::report::score::{Scores, Share};
use ecrspec::report::summary::{Measure, Reason};
use ecrspec::run::{Settings, Work, choose, is_chosen, run};
use ecrspec::wire::{Framing, Request, Response, envelope};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::at_once;
use crate::binary::{command, ecrspec, last_line, out};

const NO_UPLOAD_COMPLETED: &str = "no valid upload was ever completed";
const NO_ERROR_SEEN: &str = "no documented error type was ever answered";
const MOST_SKIPPED: &str = "most cases were skipped";
const NOTHING_JUDGED: &str = "nothing was judged";

/// What none of them may reach.
const LITTLE: f64 = 0.10;

/// A request, as far as a stub looks at it.
struct Seen {
    operation: Option<Operation>,
    body: Bytes,
}

impl Seen {
    /// A member as it was sent.
    fn sent(&self, member: &str) -> Value {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        body.get(member).cloned().unwrap_or_default()
    }

    fn digests(&self) -> Vec<Value> {
        self.sent("layerDigests").as_array().cloned().unwrap_or_default()
    }

    /// Whether it makes or removes a repository.
    fn manages(&self) -> bool {
        self.operation.is_some_and(Operation::manages_repositories)
    }
}

fn success(members: &Value) -> Response {
    envelope::response(200, members)
}

fn rejection(error: &str) -> Response {
    envelope::response(400, &json!({ "__type": error, "message": "no" }))
}

/// The same members in each answer, all plausible.
fn constant(seen: &Seen) -> Response {
    let digest = "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
    success(&match seen.operation {
        Some(Operation::BatchCheckLayerAvailability) => json!({ "layers": [], "failures": [] }),
        _ => json!({
            "repository": { "registryId": "012345678910", "repositoryName": "stub" },
            "registryId": "012345678910",
            "repositoryName": "stub",
            "uploadId": "11111111-1111-4111-8111-111111111111",
            "partSize": 10_485_760,
            "lastByteReceived": 31,
            "layerDigest": digest,
            "downloadUrl": "http://127.0.0.1/layer",
        }),
    })
}

/// The members that were sent, in the places where a client looks for them. `stored` says which layers are there.
fn obliging(seen: &Seen, stored: impl Fn(&Value) -> bool) -> Response {
    let (there, absent): (Vec<Value>, Vec<Value>) = seen.digests().into_iter().partition(stored);
    let layer = |digest| json!({ "layerDigest": digest, "layerAvailability": "AVAILABLE", "layerSize": 32 });
    let failure = |digest| json!({ "layerDigest": digest, "failureCode": "MissingLayerDigest", "failureReason": "no" });
    success(&match seen.operation {
        Some(Operation::UploadLayerPart) => json!({
            "registryId": "012345678910",
            "repositoryName": seen.sent("repositoryName"),
            "uploadId": seen.sent("uploadId"),
            "lastByteReceived": seen.sent("partLastByte"),
        }),
        Some(Operation::CompleteLayerUpload) => json!({
            "registryId": "012345678910",
            "repositoryName": seen.sent("repositoryName"),
            "uploadId": seen.sent("uploadId"),
            "layerDigest": seen.digests().first(),
        }),
        Some(Operation::BatchCheckLayerAvailability) => json!({
            "layers": there.into_iter().map(layer).collect::<Vec<_>>(),
            "failures": absent.into_iter().map(failure).collect::<Vec<_>>(),
        }),
        Some(Operation::GetDownloadUrlForLayer) => {
            json!({ "downloadUrl": "http://127.0.0.1/layer", "layerDigest": seen.sent("layerDigest") })
        }
        _ => return constant(seen),
    })
}

/// Accepts all, and remembers the digests of completed uploads: the survey finds nothing wrong with it.
fn remembering() -> impl Fn(&Seen) -> Response + Send + Sync + 'static {
    let stored: Mutex<BTreeSet<String>> = Mutex::default();
    move |seen| {
        let mut stored = stored.lock().unwrap();
        if seen.operation == Some(Operation::CompleteLayerUpload) {
            stored.extend(seen.digests().iter().map(Value::to_string));
        }
        obliging(seen, |digest| stored.contains(&digest.to_string()))
    }
}

/// Numbers without a pattern, the same ones for a seed.
fn chance(seed: u64) -> impl Fn() -> u64 + Send + Sync + 'static {
    let drawn = AtomicU64::new(0);
    move || {
        let mut hasher = DefaultHasher::new();
        (seed, drawn.fetch_add(1, Ordering::Relaxed)).hash(&mut hasher);
        hasher.finish()
    }
}

/// What a server answers without looking further.
type Stub = Box<dyn Fn(&Seen) -> Response + Send + Sync>;

/// A stub as a service, to serve or to call in process.
fn service(stub: impl Fn(&Seen) -> Response + Send + Sync + 'static) -> Router {
    let stub = Arc::new(stub);
    Router::new().fallback(move |request: HttpRequest| {
        let stub = stub.clone();
        async move {
            let target = request.headers().get("x-amz-target").and_then(|value| value.to_str().ok());
            let operation = target.and_then(|target| target.rsplit('.').next()?.parse().ok());
            let body = to_bytes(request.into_body(), usize::MAX).await.unwrap();
            let answer = stub(&Seen { operation, body });
            let response = axum::response::Response::builder().status(answer.status);
            let response = answer.headers.iter().fold(response, |response, (name, value)| response.header(name, value));
            response.body(Body::from(answer.body)).unwrap()
        }
    })
}

/// One job, so that what is left to chance comes out the same.
fn all_of(services: &[Service]) -> Settings {
    Settings { services: services.to_vec(), jobs: 1, ..Settings::everything("a stub", "ecrspec-stub") }
}

/// Runs the catalogue and the scenarios in process.
fn judged(settings: &Settings, server: Router) -> Summary {
    let target = Target::new(Driver::InProcess(InProcess::new(server)));
    // Reading the suite takes as long as running it on a stub.
    static SUITE: LazyLock<Vec<Case>> = LazyLock::new(|| choose(&all_of(&Service::ALL)).unwrap());
    let chosen = |case: &&Case| settings.services.contains(&case.service) && is_chosen(settings, &case.id);
    let cases = SUITE.iter().filter(chosen).cloned().collect();
    let work = Work { task: Task::Gate, cases, search: None, whole_survey: false };
    let (_keep, stop) = watch::channel(None);
    let mut events: Vec<Event> = Vec::new();
    let running = run(Arc::new(target), settings, work, stop, |event| events.push(event));
    Runtime::new().unwrap().block_on(running).unwrap();
    let measure =
        Measure { known: Vec::new(), today: jiff::civil::date(2026, 11, 20), deny_warnings: false, all_parts: false };
    Summary::of(&events, &measure).unwrap()
}

/// Runs a stub, which must fail, score little, and give each of these warnings.
fn fails(name: &str, settings: &Settings, warnings: &[&str], stub: impl Fn(&Seen) -> Response + Send + Sync + 'static) {
    let summary = judged(settings, service(stub));
    assert!(summary.reasons(false).first().is_some_and(|reason| reason.code() != 0), "{name} passes");
    let scores = summary.scores().unwrap();
    assert!(scores.balanced.is_some_and(|balanced| balanced <= LITTLE), "{name}: {scores}");
    let said = summary.warnings();
    for warning in warnings {
        assert!(said.iter().any(|line| line.contains(warning)), "{name}: no {warning:?} in {said:#?}");
    }
    assert_eq!(summary.reasons(true).contains(&Reason::Warnings), !said.is_empty(), "{name}");
}

fn is_whole(share: Option<Share>) -> bool {
    share.is_some_and(|share| share.count == share.of)
}

fn are_whole(scores: &Scores) -> bool {
    is_whole(scores.valid_accepted)
        && is_whole(scores.invalid_rejected)
        && is_whole(scores.right_error)
        && scores.balanced == Some(1.0)
}

#[test]
fn who_accepts_all_fails() {
    let ecr = all_of(&[Service::Ecr]);
    let rows: [(&str, &[&str], Stub); 7] = [
        ("constant members", &[NO_ERROR_SEEN, NO_UPLOAD_COMPLETED], Box::new(constant)),
        ("sent members, no layer there", &[NO_ERROR_SEEN], Box::new(|seen| obliging(seen, |_| false))),
        ("sent members, all layers there", &[NO_ERROR_SEEN], Box::new(|seen| obliging(seen, |_| true))),
        ("sent members, completed layers there", &[NO_ERROR_SEEN], Box::new(remembering())),
        (
            "the body that was sent",
            &[NO_ERROR_SEEN, NO_UPLOAD_COMPLETED],
            Box::new(|seen| Response { body: seen.body.clone(), ..success(&Value::Null) }),
        ),
        ("an empty object", &[NO_ERROR_SEEN, NO_UPLOAD_COMPLETED], Box::new(|_| success(&json!({})))),
        ("an empty body", &[NOTHING_JUDGED], Box::new(|_| Response { body: Bytes::new(), ..success(&Value::Null) })),
    ];
    at_once(rows, |(name, warnings, stub)| fails(name, &ecr, warnings, stub));
}

#[test]
fn who_rejects_all_fails() {
    let ecr = all_of(&[Service::Ecr]);
    // With a repository that is said to be there, more is tried.
    let furnished = Settings { repository: Some(String::from("mine")), ..ecr.clone() };
    let mut rows: Vec<(&str, &Settings, &[&str], Stub)> = vec![
        // What must be rejected of an upload is tried without one, too: not most is skipped.
        (
            "all but repositories",
            &ecr,
            &[NO_UPLOAD_COMPLETED],
            Box::new(|seen| if seen.manages() { constant(seen) } else { rejection("InvalidParameterException") }),
        ),
        ("throttled", &ecr, &[NOTHING_JUDGED], Box::new(|_| rejection("ThrottlingException"))),
        ("a server fault", &ecr, &[NOTHING_JUDGED], Box::new(|_| Response { status: 500, ..success(&json!({})) })),
        ("not found", &ecr, &[NOTHING_JUDGED], Box::new(|_| Response { status: 404, ..success(&json!({})) })),
    ];
    for error in ["InvalidParameterException", "UploadNotFoundException", "ServerException"] {
        rows.push((error, &ecr, &[NOTHING_JUDGED], Box::new(move |_| rejection(error))));
        rows.push((error, &furnished, &[NO_UPLOAD_COMPLETED, MOST_SKIPPED], Box::new(move |_| rejection(error))));
    }
    for seed in 0..3 {
        let drawn = chance(seed);
        let random = move |_: &Seen| rejection(ERRORS[drawn() as usize % ERRORS.len()].name);
        rows.push(("a random error", &furnished, &[NO_UPLOAD_COMPLETED], Box::new(random)));
    }
    at_once(rows, |(name, settings, warnings, stub)| fails(name, settings, warnings, stub));
}

#[test]
fn who_decides_by_the_operation_fails() {
    let ecr = all_of(&[Service::Ecr]);
    let operations = [
        Operation::InitiateLayerUpload,
        Operation::UploadLayerPart,
        Operation::CompleteLayerUpload,
        Operation::BatchCheckLayerAvailability,
    ];
    at_once(operations.into_iter().flat_map(|accepted| [(accepted, true), (accepted, false)]), |(accepted, only)| {
        let accepts = remembering();
        fails(&format!("{accepted}, only {only}"), &ecr, &[], move |seen| {
            let accept = seen.manages() || (seen.operation == Some(accepted)) == only;
            if accept { accepts(seen) } else { rejection("InvalidParameterException") }
        });
    });
}

#[test]
fn who_decides_by_chance_fails() {
    let all = Mutex::new(Vec::new());
    at_once(0..10, |seed| {
        let (accepts, drawn) = (remembering(), chance(seed));
        let summary = judged(
            &all_of(&[Service::Ecr]),
            service(move |seen| {
                let number = drawn();
                // So that the survey finds nothing wrong with it.
                let surveyed = seen.sent("repositoryName").as_str().is_some_and(|name| name.ends_with("/survey"));
                let accept = surveyed || seen.manages() || number % 6 <= seed % 5;
                if accept { accepts(seen) } else { rejection("InvalidParameterException") }
            }),
        );
        assert!(!summary.reasons(false).is_empty());
        all.lock().unwrap().push(summary.scores().unwrap().balanced.unwrap());
    });
    let balanced = all.into_inner().unwrap();
    // One of them may be lucky.
    let mean = balanced.iter().sum::<f64>() / balanced.len() as f64;
    assert!(mean <= LITTLE && balanced.iter().all(|one| *one < 0.25), "{balanced:?}");
}

/// The best that a server was thought of that keeps no uploads: it holds every member against the documents, and those
/// are what most cases are about. It is no stub any more, and scores accordingly; but it fails.
#[test]
fn who_checks_members_and_keeps_no_uploads_fails_with_a_score() {
    let accepts = remembering();
    let summary = judged(
        &all_of(&[Service::Ecr]),
        service(move |seen| {
            let Some(operation) = seen.operation.and_then(|named| Service::Ecr.contract().operation(named)) else {
                return rejection("UnknownOperationException");
            };
            let Ok(Value::Object(input)) = serde_json::from_slice(&seen.body) else {
                return rejection("SerializationException");
            };
            let broken = check(operation, &input).into_iter().next();
            let rule = broken.and_then(|breach| Rules::of(Service::Ecr).get(breach.rule));
            rule.map_or_else(|| accepts(seen), |rule| rejection(rule.errors[0]))
        }),
    );
    assert_eq!(summary.reasons(false), [Reason::Findings]);
    let scores = summary.scores().unwrap();
    let balanced = scores.balanced.unwrap();
    assert!((0.6..0.9).contains(&balanced), "{scores}");
}

#[test]
fn who_does_all_right_has_all_whatever_was_not_tried() {
    let mock = || Arc::new(Mock::new(&Service::ALL));
    let both = judged(&all_of(&Service::ALL), router(mock()));
    let scores = both.scores().unwrap();
    assert!(are_whole(&scores) && scores.left_out.is_empty(), "{scores}");
    assert!(both.warnings().is_empty(), "{:?}", both.warnings());

    // What a fixed repository cannot be used for is not tried, and does not count.
    let furnished = mock();
    let create = envelope::request(
        Service::Ecr,
        Operation::CreateRepository,
        Bytes::from_static(b"{\"repositoryName\":\"mine\"}"),
    );
    assert!(furnished.answer(Request { framing: Framing::Length, ..create }).is_ok());
    let fixed = Settings { repository: Some(String::from("mine")), ..all_of(&[Service::Ecr]) };
    let summary = judged(&fixed, router(furnished));
    assert!(summary.counts(|_| true).skipped > 0 && are_whole(&summary.scores().unwrap()));

    // One of two services: scored on what it has, and that is said.
    let summary = judged(&all_of(&Service::ALL), router(Arc::new(Mock::new(&[Service::Ecr]))));
    let scores = summary.scores().unwrap();
    assert!(are_whole(&scores) && scores.left_out == [Service::EcrPublic], "{scores}");
    assert!(scores.to_string().ends_with(" cases of ecr, without ecr-public)"), "{scores}");
}

#[test]
fn a_handful_of_cases_warns_of_nothing() {
    for filter in
        ["/layerDigests/match/", "CompleteLayerUpload/accepted/plain", "BatchCheckLayerAvailability/layers/absent"]
    {
        let few = Settings { filter: vec![String::from(filter)], ..all_of(&[Service::Ecr]) };
        let summary = judged(&few, service(constant));
        let hollow = |line: &&String| {
            [NO_ERROR_SEEN, NO_UPLOAD_COMPLETED, MOST_SKIPPED].iter().any(|warning| line.contains(warning))
        };
        assert!(!summary.cases.is_empty());
        assert_eq!(summary.warnings().iter().find(hollow), None, "{filter}");
    }
}

#[test]
fn the_command_line_says_so_and_the_log_gives_it_again() {
    let runtime = Runtime::new().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    runtime.spawn(async move { axum::serve(listener, service(remembering())).await });
    let folder = TempDir::new().unwrap();
    let base = ["run", "--endpoint", &endpoint, "--service", "ecr", "--cases", "0", "--report", "ndjson=log.ndjson"];
    let run = |more: &[&str]| command(&[&base[..], more].concat(), folder.path()).output().unwrap();
    let again = |more: &[&str]| command(&[&["report", "log.ndjson"], more].concat(), folder.path()).output().unwrap();

    let first = run(&[]);
    let (text, report) = (out(&first), again(&[]));
    assert_eq!(first.status.code(), Some(1), "{text}");
    let place = |part: &str| text.lines().position(|line| line.contains(part)).unwrap();
    assert!(place(NO_ERROR_SEEN) < place("1) "), "{text}");
    assert_eq!(place("scores     valid accepted ") + 1, text.lines().count() - 1, "{text}");
    assert!(text.lines().next_back().unwrap().starts_with("FAIL  "), "{text}");
    assert!(text.contains(" %, invalid rejected 0.0 %, right error 0.0 %, balanced 0.0 % ("), "{text}");
    assert_eq!(text, out(&report));

    // Whoever asks only for crashes sees none; that the run is hollow is all there is.
    let crashes = ["--fail-on", "crash", "--filter", "CompleteLayerUpload/"];
    assert_eq!(run(&crashes).status.code(), Some(0));
    let denied = run(&[&crashes[..], &["--deny-warnings"]].concat());
    assert_eq!(denied.status.code(), Some(1), "{}", out(&denied));
    assert!(last_line(&denied).contains("warnings, and --deny-warnings"), "{}", last_line(&denied));
    assert_eq!(again(&["--deny-warnings"]).status.code(), Some(1));
}

#[test]
fn who_does_not_answer_fails() {
    for keeps in [false, true] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let mut kept = Vec::new();
            for stream in listener.incoming().flatten() {
                kept.extend(keeps.then_some(stream));
            }
        });
        let output = ecrspec(&["run", "--endpoint", &endpoint, "--service", "ecr", "--timeout", "0.1"]);
        let text = out(&output);
        assert!(output.status.code().is_some_and(|code| code != 0), "{text}");
        assert!(
            text.contains("valid accepted 0.0 %, invalid rejected 0.0 %, right error 0.0 %, balanced 0.0 %"),
            "{text}"
        );
    }
}
