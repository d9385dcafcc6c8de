//! What a failure is made to: the smallest counterexample of each of twenty planted defects.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use ecrspec::case::Plan;
use ecrspec::contract::Service;
use ecrspec::drive::{self, Driver, InProcess, Room, Target};
use ecrspec::generate::plan::Shrinking;
use ecrspec::generate::{follow, plan, realise};
use ecrspec::judge::{Finding, Strictness, Verdict, judge};
use ecrspec::mock::{Fault, Mock};
use ecrspec::search::Sought;
use ecrspec::wire::{Answer, Framing, Request, envelope};
use http_body_util::{BodyExt as _, Full};
use proptest::strategy::ValueTree as _;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

/// A server that is right but for one thing.
type Defect = Arc<dyn Fn(&Mock, Request) -> Answer + Send + Sync>;

/// How many sequences are tried until one fails.
const SEEDS: u64 = 600;

#[test]
fn counterexamples_are_small() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let mut large = Vec::new();
    let defects = defects();
    assert_eq!(defects.len(), 20);
    for (name, defect) in defects {
        let found = (0..SEEDS).find_map(|seed| {
            let plan = plan::nth(Service::Ecr, seed, 0);
            let finding = finding(&runtime, &defect, &plan, |_| true)?;
            Some((plan, finding))
        });
        let (plan, first) = found.unwrap_or_else(|| panic!("{name}: not found by {SEEDS} sequences"));
        let sought = Sought::of(Service::Ecr, &plan, &first);
        let mut smaller = Shrinking::of(plan.clone());
        let mut going = smaller.simplify();
        while going {
            let fails = finding(&runtime, &defect, &smaller.current(), |found| sought.is(found)).is_some();
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
fn finding(runtime: &Runtime, defect: &Defect, plan: &Plan, sought: impl Fn(&Finding) -> bool) -> Option<Finding> {
    let case = realise(Service::Ecr, plan);
    let mock = Arc::new(Mock::new(&[Service::Ecr], None));
    let defect = defect.clone();
    let server = tower::service_fn(move |request: http::Request<Full<Bytes>>| {
        let (mock, defect) = (mock.clone(), defect.clone());
        async move {
            let (head, body) = request.into_parts();
            let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
            let answer = defect(
                &mock,
                Request {
                    method: head.method.to_string(),
                    headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
                    body: body.collect().await.unwrap().to_bytes(),
                    framing: Framing::Length,
                },
            );
            let mut response = http::Response::builder().status(answer.status);
            for (name, value) in &answer.headers {
                response = response.header(name, value);
            }
            Ok::<_, Infallible>(response.body(Full::new(answer.body)).unwrap())
        }
    });
    let target = Target::new(Driver::InProcess(InProcess::new(server)));
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

fn defects() -> Vec<(&'static str, Defect)> {
    let of_mock = |name: &'static str| {
        let fault = Fault::find(name).unwrap();
        let defect: Defect = Arc::new(move |mock: &Mock, mut request: Request| {
            (fault.before)(&mut request);
            let mut answer = mock.answer(request.clone());
            (fault.after)(&request, &mut answer);
            answer
        });
        (name, defect)
    };
    let mut defects: Vec<(&'static str, Defect)> = vec![
        of_mock("digests-not-compared"),
        of_mock("layer-digest-echoed"),
        of_mock("serialization-500"),
        of_mock("untyped-errors"),
        of_mock("errors-as-404"),
        before("first-digest-only", |input| truncate(input, 1)),
        before("last-digest-only", |input| {
            if let Some(Value::Array(digests)) = input.get_mut("layerDigests") {
                digests.drain(..digests.len().saturating_sub(1));
            }
        }),
        before("any-number-of-digests", |input| truncate(input, 100)),
        before("malformed-digests-dropped", |input| {
            if let Some(Value::Array(digests)) = input.get_mut("layerDigests") {
                digests.retain(|digest| digest.as_str().is_none_or(|text| text.starts_with("sha256:")));
            }
        }),
        before("names-trimmed", |input| {
            if let Some(Value::String(name)) = input.get_mut("repositoryName") {
                *name = String::from(name.trim());
            }
        }),
        before("numbers-as-strings", |input| {
            let number = input.get("partFirstByte").and_then(Value::as_str).and_then(|text| text.parse::<i64>().ok());
            if let Some(number) = number {
                input["partFirstByte"] = json!(number);
            }
        }),
        after("wrong-error-for-uploads", |_, answer| {
            if error(answer) == "UploadNotFoundException" {
                *answer = refused("RepositoryNotFoundException");
            }
        }),
        after("parts-anywhere", |request, answer| {
            if error(answer) == "InvalidLayerPartException" {
                *answer = accepted(request, &[("lastByteReceived", member(request, "partLastByte"))]);
            }
        }),
        after("last-byte-exclusive", |request, answer| {
            if let (Some("UploadLayerPart"), 200, Some(mut body)) = (request.operation(), answer.status, answer.json())
            {
                body["lastByteReceived"] = json!(body["lastByteReceived"].as_i64().unwrap() + 1);
                answer.body = Bytes::from(body.to_string());
            }
        }),
        after("sizes-in-kilobytes", |_, answer| {
            if let Some(mut body) = answer.json().filter(|body| body["layers"][0]["layerSize"].is_number()) {
                body["layers"][0]["layerSize"] = json!(body["layers"][0]["layerSize"].as_u64().unwrap() / 1024);
                answer.body = Bytes::from(body.to_string());
            }
        }),
        after("small-parts-taken", |request, answer| {
            if error(answer) == "LayerPartTooSmallException" {
                *answer = accepted(request, &[("layerDigest", member(request, "layerDigests")[0].clone())]);
            }
        }),
        after("empty-uploads-taken", |request, answer| {
            if error(answer) == "EmptyUploadException" {
                *answer = accepted(request, &[("layerDigest", member(request, "layerDigests")[0].clone())]);
            }
        }),
        after("urls-for-anything", |request, answer| {
            if error(answer) == "LayersNotFoundException" {
                let url = json!("https://layers.example/blob");
                *answer = accepted(request, &[("layerDigest", member(request, "layerDigest")), ("downloadUrl", url)]);
            }
        }),
    ];
    defects.push(("completions-again", completions_again()));
    defects.push(("stored-though-refused", stored_though_refused()));
    defects
}

/// A defect that changes the members of a request.
fn before(name: &'static str, change: fn(&mut Value)) -> (&'static str, Defect) {
    let defect = move |mock: &Mock, mut request: Request| {
        if let Ok(mut input @ Value::Object(_)) = serde_json::from_slice(&request.body) {
            change(&mut input);
            request.body = Bytes::from(input.to_string());
        }
        mock.answer(request)
    };
    (name, Arc::new(defect))
}

/// A defect that changes an answer.
fn after(name: &'static str, change: fn(&Request, &mut Answer)) -> (&'static str, Defect) {
    let defect = move |mock: &Mock, request: Request| {
        let mut answer = mock.answer(request.clone());
        change(&request, &mut answer);
        answer
    };
    (name, Arc::new(defect))
}

/// A completed upload can be completed once more.
fn completions_again() -> Defect {
    let done: Mutex<BTreeSet<String>> = Mutex::default();
    Arc::new(move |mock, request| {
        let answer = mock.answer(request.clone());
        let upload = member(&request, "uploadId").to_string();
        match (request.operation(), answer.status) {
            (Some("CompleteLayerUpload"), 200) => {
                done.lock().unwrap().insert(upload);
                answer
            }
            (Some("CompleteLayerUpload"), _)
                if error(&answer) == "UploadNotFoundException" && done.lock().unwrap().contains(&upload) =>
            {
                accepted(&request, &[("layerDigest", member(&request, "layerDigests")[0].clone())])
            }
            _ => answer,
        }
    })
}

/// A layer is there although its completion was refused.
fn stored_though_refused() -> Defect {
    let refused: Mutex<bool> = Mutex::default();
    Arc::new(move |mock, request| {
        let mut answer = mock.answer(request.clone());
        if request.operation() == Some("CreateRepository") {
            *refused.lock().unwrap() = false;
        }
        if error(&answer) == "InvalidLayerException" {
            *refused.lock().unwrap() = true;
        }
        if let (true, Some(mut body)) = (*refused.lock().unwrap(), answer.json())
            && body["layers"][0]["layerAvailability"] == "UNAVAILABLE"
        {
            body["layers"][0]["layerAvailability"] = json!("AVAILABLE");
            answer.body = Bytes::from(body.to_string());
        }
        answer
    })
}

fn truncate(input: &mut Value, count: usize) {
    if let Some(Value::Array(digests)) = input.get_mut("layerDigests") {
        digests.truncate(count);
    }
}

fn member(request: &Request, name: &str) -> Value {
    serde_json::from_slice::<Value>(&request.body).ok().and_then(|body| body.get(name).cloned()).unwrap_or_default()
}

fn error(answer: &Answer) -> String {
    envelope::error(answer).name.unwrap_or_default()
}

fn refused(name: &str) -> Answer {
    envelope::answer(400, &json!({ "__type": name, "message": "no" }))
}

fn accepted(request: &Request, members: &[(&str, Value)]) -> Answer {
    let mut body = json!({
        "registryId": "012345678910",
        "repositoryName": member(request, "repositoryName"),
        "uploadId": member(request, "uploadId"),
    });
    members.iter().for_each(|(name, value)| body[*name] = value.clone());
    envelope::answer(200, &body)
}
