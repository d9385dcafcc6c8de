//! No false alarms: ways to answer that the documents leave open give no finding.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use ecrspec::contract::Service;
use ecrspec::drive::{Driver, InProcess, Target};
use ecrspec::judge::Verdict;
use ecrspec::mock::Mock;
use ecrspec::report::summary::Measure;
use ecrspec::report::{Event, Summary};
use ecrspec::run::{SEED, Settings, Work, run};
use ecrspec::search::{Extent, Search};
use ecrspec::wire::{Answer, Framing, Request, envelope};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::watch;

const ACCOUNT: &str = ecrspec::model::registry::ACCOUNT;
const OTHER_ACCOUNT: &str = "987654321098";

/// A lawful way to answer, by a reference registry.
type Variant = Box<dyn Fn(&Mock, Request) -> Answer + Send + Sync>;

fn variants() -> Vec<(&'static str, Variant)> {
    vec![
        ("the reference itself", says(|_, answer| answer)),
        ("__type with a namespace", body(|body| prefix_type(body, "com.amazonaws.ecr#"))),
        (
            "__type with a namespace and a URI",
            body(|body| suffix_type(body, ":http://internal.amazon.com/coral/com.amazonaws.ecr/")),
        ),
        ("Message instead of message", body(|body| rename(body, "message", "Message"))),
        ("other texts", body(|body| replace(body, "message", "no"))),
        ("further members", body(|body| body["furtherMember"] = json!({"a": [1]}))),
        (
            "pretty-printed",
            says(|_, answer| {
                let text = answer.json().map(|body| format!("{body:#}\n")).unwrap_or_default();
                Answer { body: Bytes::from(text), ..answer }
            }),
        ),
        (
            "x-amzn-errortype beside __type",
            says(|_, mut answer| {
                if let Some(name) = envelope::error(&answer).name {
                    answer
                        .headers
                        .push((String::from("x-amzn-errortype"), format!("{name}:http://internal.amazon.com/")));
                }
                answer
            }),
        ),
        (
            "a charset",
            says(|_, mut answer| {
                answer.headers =
                    vec![(String::from("content-type"), String::from("application/x-amz-json-1.1; charset=utf-8"))];
                answer
            }),
        ),
        ("another account", body(|body| replace_everywhere(body, ACCOUNT, OTHER_ACCOUNT))),
        (
            "throttling now and then",
            says({
                let count = Mutex::new(0);
                move |_, answer| {
                    let mut count = count.lock().unwrap();
                    *count += 1;
                    if *count % 251 == 0 { refused("ThrottlingException") } else { answer }
                }
            }),
        ),
        ("partSize of 5 MiB", body(|body| set(body, "partSize", json!(5_242_880)))),
        ("partSize of 20 MiB", body(|body| set(body, "partSize", json!(20_971_520)))),
        (
            "UnknownOperationException as 404",
            says(|_, answer| {
                let unknown = envelope::error(&answer).name.as_deref() == Some("UnknownOperationException");
                Answer { status: if unknown { 404 } else { answer.status }, ..answer }
            }),
        ),
        ("absent layers as failures", body(absent_as_failures)),
        (
            "InvalidParameterException for wrong types",
            swap(
                "SerializationException",
                "InvalidParameterException",
                &[
                    "wire/body/json", // There is no parameter to be wrong.
                ],
            ),
        ),
        (
            "parts above 10 MiB refused",
            says(|request, answer| {
                let sent = (request.body.len() / 4) * 3;
                let large = request.operation() == Some("UploadLayerPart") && answer.status == 200 && sent > 11_000_000;
                if large { refused("InvalidParameterException") } else { answer }
            }),
        ),
        (
            "a repeated completion finds the layer",
            says({
                let completed = Mutex::new(BTreeSet::new());
                move |request, answer| finds_its_layer(&completed, request, answer)
            }),
        ),
        (
            "an upload ends with a refused completion",
            says({
                let ended = Mutex::new(BTreeSet::new());
                move |request, answer| ends_when_refused(&ended, request, answer)
            }),
        ),
        ("upload ids are compared without case", hears(|input| lower(input, "uploadId"))),
        (
            "digests of other algorithms do not count beside a sha256 digest",
            hears(|input| retain_digests(input, |digest| digest.starts_with("sha256:"))),
        ),
        (
            "a digest of another algorithm is as good as a right one",
            hears(|input| {
                let other = |digest: &str| !digest.starts_with("sha256:") && digest.contains(':');
                if input["layerDigests"].as_array().is_some_and(|list| list.iter().filter_map(Value::as_str).any(other))
                {
                    retain_digests(input, |digest| !digest.starts_with("sha256:"));
                }
            }),
        ),
        (
            "numbers lose their fractions, and saturate",
            hears(|input| {
                for member in ["partFirstByte", "partLastByte"] {
                    if let Some(number) =
                        input.get(member).filter(|value| value.as_i64().is_none()).and_then(Value::as_f64)
                    {
                        input[member] = json!(number as i64);
                    }
                }
            }),
        ),
        (
            "a completed upload takes parts, and forgets them",
            Box::new({
                let completed = Mutex::new(BTreeSet::new());
                move |mock, request| takes_parts(&completed, &request, mock.answer(request.clone()))
            }),
        ),
        (
            "repository names of the older edition only",
            says(|request, answer| {
                let name = member(request, "repositoryName");
                let odd = name.as_str().is_some_and(|name| name.contains("__") || name.contains("--"));
                if odd && answer.status == 200 { refused("InvalidParameterException") } else { answer }
            }),
        ),
    ]
}

#[test]
fn lawful_variants_give_no_finding() {
    let runtime = Runtime::new().unwrap();
    let mut alarms = Vec::new();
    for (index, (name, variant)) in variants().into_iter().enumerate() {
        // Each variant on one of the services: what differs between them is not the form of answers.
        let summary = judge(&runtime, Service::ALL[index % 2], variant);
        for group in &summary.groups {
            let case = group.smallest.as_ref().map_or("survey", |judged| judged.case.as_str());
            alarms.push(format!("{name}: {} ({case})", group.finding.sentence()));
        }
        // Not by leaving them unjudged either.
        let unjudged = summary.cases.iter().filter(|judged| matches!(judged.verdict, Verdict::Inconclusive { .. }));
        alarms.extend(unjudged.map(|judged| format!("{name}: {} is inconclusive", judged.case)));
        assert!(
            summary.cases.len() > 700 && summary.cases.iter().filter(|judged| judged.requests > 0).count() > 700,
            "{name}"
        );
    }
    assert!(alarms.is_empty(), "{}", alarms.join("\n"));
}

fn judge(runtime: &Runtime, service: Service, variant: Variant) -> Summary {
    let mock = Arc::new(Mock::new(&Service::ALL, None));
    let variant = Arc::new(variant);
    let answering = tower::service_fn(move |request: http::Request<Full<Bytes>>| {
        let (mock, variant) = (mock.clone(), variant.clone());
        async move {
            let (head, body) = request.into_parts();
            let text = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
            let request = Request {
                method: head.method.to_string(),
                headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
                body: body.collect().await.unwrap().to_bytes(),
                framing: Framing::Length,
            };
            // Whatever account the variant shows, the reference has one.
            let mut inner = request.clone();
            if let Ok(text) = std::str::from_utf8(&request.body)
                && text.len() < 4096
            {
                inner.body = Bytes::from(text.replace(OTHER_ACCOUNT, ACCOUNT));
            }
            let answer = variant(&mock, inner);
            let mut response = http::Response::builder().status(answer.status);
            for (name, value) in &answer.headers {
                response = response.header(name, value);
            }
            Ok::<_, Infallible>(response.body(Full::new(answer.body)).unwrap())
        }
    });
    let target = Target::new(Driver::InProcess(InProcess::new(answering)));
    let settings =
        Settings { services: vec![service], jobs: 2, ..Settings::everything("a lawful variant", "ecrspec-lawful") };
    let events = Mutex::new(Vec::<Event>::new());
    let (_keep, stop) = watch::channel(false);
    // Each variant gets some of the sequences of a run: there are many variants.
    let search = Some(Search { seed: SEED, extent: Extent::Cases(60) });
    let work = Work { search, ..Work::usual(&settings).unwrap() };
    runtime.block_on(run(Arc::new(target), &settings, work, stop, |event| events.lock().unwrap().push(event))).unwrap();
    let measure = Measure { known: Vec::new(), today: jiff::civil::date(2026, 11, 20), deny_warnings: false };
    Summary::of(&events.into_inner().unwrap(), &measure).unwrap()
}

/// Answers in another way.
fn says(change: impl Fn(&Request, Answer) -> Answer + Send + Sync + 'static) -> Variant {
    Box::new(move |mock, request| change(&request, mock.answer(request.clone())))
}

/// Takes requests in another way.
fn hears(change: impl Fn(&mut Value) + Send + Sync + 'static) -> Variant {
    Box::new(move |mock, mut request| {
        if let Ok(mut input @ Value::Object(_)) = serde_json::from_slice(&request.body) {
            change(&mut input);
            request.body = Bytes::from(input.to_string());
        }
        mock.answer(request)
    })
}

fn lower(input: &mut Value, member: &str) {
    if let Some(text) = input.get(member).and_then(Value::as_str) {
        input[member] = json!(text.to_lowercase());
    }
}

fn retain_digests(input: &mut Value, keep: fn(&str) -> bool) {
    let Some(Value::Array(digests)) = input.get_mut("layerDigests") else { return };
    // All of them well-formed: a malformed one is refused, whatever stands beside it.
    let well_formed = |digest: &Value| digest.as_str().is_some_and(|text| text.contains(':'));
    if digests.len() <= 100
        && digests.iter().all(well_formed)
        && digests.iter().any(|digest| keep(digest.as_str().unwrap()))
    {
        digests.retain(|digest| keep(digest.as_str().unwrap()));
    }
}

fn member(request: &Request, name: &str) -> Value {
    serde_json::from_slice::<Value>(&request.body).ok().and_then(|body| body.get(name).cloned()).unwrap_or_default()
}

fn takes_parts(completed: &Mutex<BTreeSet<String>>, request: &Request, answer: Answer) -> Answer {
    let Some(upload) = upload_of(request) else { return answer };
    let mut completed = completed.lock().unwrap();
    match request.operation() {
        Some("CompleteLayerUpload") if answer.status == 200 => {
            completed.insert(upload);
            answer
        }
        Some("UploadLayerPart")
            if envelope::error(&answer).name.as_deref() == Some("UploadNotFoundException")
                && completed.contains(&upload) =>
        {
            let sent = |name: &str| member(request, name);
            let (repository, upload, last) = (sent("repositoryName"), sent("uploadId"), sent("partLastByte"));
            envelope::answer(
                200,
                &json!({"registryId": ACCOUNT, "repositoryName": repository, "uploadId": upload, "lastByteReceived": last}),
            )
        }
        _ => answer,
    }
}

/// Changes the body of every answer.
fn body(change: impl Fn(&mut Value) + Send + Sync + 'static) -> Variant {
    says(move |_, answer| {
        let Some(mut body) = answer.json() else { return answer };
        change(&mut body);
        Answer { body: Bytes::from(body.to_string()), ..answer }
    })
}

/// Another error where both are admitted. `but` names what the first one alone is admitted for.
fn swap(from: &'static str, to: &'static str, but: &'static [&'static str]) -> Variant {
    says(move |request, answer| {
        let unreadable = serde_json::from_slice::<Value>(&request.body).is_err();
        let only = unreadable && !request.body.is_empty() && but.contains(&"wire/body/json");
        match envelope::error(&answer).name.as_deref() == Some(from) && !only {
            true => refused(to),
            false => answer,
        }
    })
}

fn refused(name: &str) -> Answer {
    envelope::answer(400, &json!({ "__type": name, "message": "no" }))
}

fn prefix_type(body: &mut Value, prefix: &str) {
    if let Some(name) = body["__type"].as_str() {
        body["__type"] = json!(format!("{prefix}{name}"));
    }
}

fn suffix_type(body: &mut Value, suffix: &str) {
    if let Some(name) = body["__type"].as_str() {
        body["__type"] = json!(format!("com.amazonaws.ecr#{name}{suffix}"));
    }
}

fn rename(body: &mut Value, from: &str, to: &str) {
    if let Some(value) = body.as_object_mut().and_then(|body| body.remove(from)) {
        body[to] = value;
    }
}

fn replace(body: &mut Value, member: &str, text: &str) {
    if body.get(member).is_some() {
        body[member] = json!(text);
    }
}

fn set(body: &mut Value, member: &str, value: Value) {
    if body.get(member).is_some() {
        body[member] = value;
    }
}

fn replace_everywhere(body: &mut Value, from: &str, to: &str) {
    *body = serde_json::from_str(&body.to_string().replace(from, to)).unwrap();
}

fn absent_as_failures(body: &mut Value) {
    let Some(layers) = body.get("layers").and_then(Value::as_array).cloned() else { return };
    let (absent, present): (Vec<Value>, Vec<Value>) =
        layers.into_iter().partition(|layer| layer["layerAvailability"] == "UNAVAILABLE");
    body["layers"] = json!(present);
    for layer in absent {
        let failure = json!({ "layerDigest": layer["layerDigest"], "failureCode": "MissingLayerDigest", "failureReason": "absent" });
        body["failures"].as_array_mut().unwrap().push(failure);
    }
}

/// The reference forgets an upload that is completed; another server may keep it, and find its layer.
fn finds_its_layer(completed: &Mutex<BTreeSet<String>>, request: &Request, answer: Answer) -> Answer {
    let (Some(upload), Some("CompleteLayerUpload")) = (upload_of(request), request.operation()) else { return answer };
    let mut completed = completed.lock().unwrap();
    if answer.status == 200 {
        completed.insert(upload);
        return answer;
    }
    let gone = envelope::error(&answer).name.as_deref() == Some("UploadNotFoundException");
    if gone && completed.contains(&upload) { refused("LayerAlreadyExistsException") } else { answer }
}

/// The upload that a request names, told apart by service and repository.
fn upload_of(request: &Request) -> Option<String> {
    let body = serde_json::from_slice::<Value>(&request.body).ok()?;
    Some(format!(
        "{} {} {}",
        request.header("x-amz-target")?.split('.').next()?,
        body["repositoryName"],
        body["uploadId"].as_str()?
    ))
}

fn ends_when_refused(ended: &Mutex<BTreeSet<String>>, request: &Request, answer: Answer) -> Answer {
    let (Some(upload), Some("CompleteLayerUpload" | "UploadLayerPart")) = (upload_of(request), request.operation())
    else {
        return answer;
    };
    let mut ended = ended.lock().unwrap();
    let name = envelope::error(&answer).name.unwrap_or_default();
    let valid = answer.status == 200
        || !matches!(
            name.as_str(),
            "InvalidParameterException" | "SerializationException" | "RepositoryNotFoundException"
        );
    if ended.contains(&upload) && valid {
        return refused("UploadNotFoundException");
    }
    if matches!(
        name.as_str(),
        "InvalidLayerException" | "LayerPartTooSmallException" | "LayerAlreadyExistsException" | "EmptyUploadException"
    ) {
        ended.insert(upload);
    }
    answer
}
