//! Cases with calls at once and what came back for them, for the tests.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::case::draft::{Draft, HERE, RIGHT, SMALL};
use crate::case::{Bindings, Case, Transcript};
use crate::contract::{Operation, Service, Tier};
use crate::judge::JudgeOptions;
use crate::model::operation::body;
use crate::template::Reference;
use crate::wire::{Exchange, Response, envelope};

pub(super) const ALL: JudgeOptions = JudgeOptions { messages: false, availability: true, tier: Tier::Open };

pub(super) const GONE: &str = "UploadNotFoundException";
pub(super) const EXISTS: &str = "LayerAlreadyExistsException";
pub(super) const EMPTY: &str = "EmptyUploadException";
pub(super) const NEXT: &str = "InvalidLayerPartException";

/// An upload `upload`, with the chunk `layer` in place or without, and calls of it that are sent at once.
pub(super) fn race(with_part: bool, calls: &[&str]) -> Case {
    let draft = Draft::new(Service::Ecr, "some/race", "some race").own(&[]);
    let mut draft = match with_part {
        true => draft.uploaded(),
        false => draft.chunk("layer", SMALL).initiate("upload"),
    };
    for call in calls {
        draft = match call.split('-').next() {
            Some("complete") => draft.complete(call, "upload", "layer"),
            Some("part") => draft.part(call, "upload", "layer", 0),
            Some("gap") => draft.part(call, "upload", "layer", 2 * SMALL),
            Some("url") => draft.set_up(call, Operation::GetDownloadUrlForLayer, body::url(HERE, RIGHT)),
            Some("delete") => {
                draft.set_up(call, Operation::DeleteRepository, body::repository(HERE).set("force", "true"))
            }
            _ => draft.set_up(call, Operation::BatchCheckLayerAvailability, body::check(HERE, &[RIGHT])),
        };
    }
    let mut case = draft.done();
    let set_up = case.steps.len() - calls.len();
    let looks = calls.iter().filter(|call| call.starts_with("look")).count();
    let count = case.steps.len() - looks;
    case.steps[set_up + 1..count].iter_mut().for_each(|step| step.at_once = true);
    case
}

/// What came back: for each of the calls when it was under way, and an error or, if that is empty, success.
pub(super) fn transcript(case: &Case, answers: &[(u64, u64, &str)]) -> Transcript {
    let mut bindings = Bindings::new(&case.chunks, "salt", 0);
    bindings.bind(Reference::repository(None), "some/repository");
    let mut exchanges = Vec::new();
    let set_up = case.steps.len() - answers.len();
    for (index, step) in case.steps.iter().enumerate() {
        let body = bindings.fill(&step.request.body).unwrap();
        let sent: Value = serde_json::from_slice(&body).unwrap();
        let (began, ended, error) = if index < set_up { (0, 0, "") } else { answers[index - set_up] };
        let digest = bindings.value(&Reference::sha256("layer")).unwrap();
        let mut members = match step.operation {
            Some(Operation::InitiateLayerUpload) => {
                json!({"uploadId": "00000000-0000-4000-8000-000000000001", "partSize": 5_242_880})
            }
            Some(Operation::UploadLayerPart) => json!({"lastByteReceived": sent["partLastByte"]}),
            Some(Operation::CompleteLayerUpload) => json!({"layerDigest": digest}),
            Some(Operation::GetDownloadUrlForLayer) => json!({"layerDigest": digest, "downloadUrl": "https://"}),
            _ => {
                let layer = json!({"layerDigest": digest, "layerAvailability": error, "layerSize": SMALL});
                json!({"layers": [layer], "failures": []})
            }
        };
        for name in ["repositoryName", "uploadId"] {
            if let Some(value) = sent.get(name) {
                members[name] = value.clone();
            }
        }
        members["registryId"] = json!("012345678910");
        let answer = match error {
            "500" => Response { status: 500, headers: Vec::new(), body: Bytes::new(), flaw: None },
            error if error.ends_with("Exception") => {
                members["__type"] = json!(error);
                members["message"] = json!("no");
                members["lastValidByteReceived"] = json!(SMALL - 1);
                envelope::response(400, &members)
            }
            _ => envelope::response(200, &members),
        };
        bindings.capture(&step.name, &answer.json().unwrap_or_default());
        let (began, took) = (Duration::from_millis(began), Duration::from_millis(ended - began));
        exchanges.push(Exchange::new(step.request.with_body(body), Ok(answer), began, took));
    }
    Transcript { bindings, ..Transcript::of(case, exchanges) }
}
