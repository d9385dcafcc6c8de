//! What the mock can be told to do wrong: one row each. A fault changes a request before the reference registry sees it,
//! or the answer before it goes out.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::wire::{Answer, CONTENT_TYPE, Request, envelope};

/// One wrong behaviour.
#[derive(Debug)]
pub struct Fault {
    /// Its name, for `ecrspec mock --fault NAME`.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub sentence: &'static str,
    /// Id of the rule that it breaks.
    pub rule: &'static str,
    /// Changes a request before it is looked at.
    pub before: fn(&mut Request),
    /// Changes an answer before it goes out.
    pub after: fn(&Request, &mut Answer),
}

impl Fault {
    /// The fault with this name.
    pub fn find(name: &str) -> Option<&'static Fault> {
        FAULTS.iter().find(|fault| fault.name == name)
    }
}

/// All faults, by name.
pub static FAULTS: &[Fault] = &[
    Fault {
        name: "content-type-json",
        sentence: "answers have the content type application/json",
        rule: "answer/content-type",
        after: |_, answer| {
            answer.headers = vec![(String::from("content-type"), String::from("application/json"))];
        },
        ..LAWFUL
    },
    Fault {
        name: "digests-not-compared",
        sentence: "CompleteLayerUpload accepts any well-formed digest",
        rule: "CompleteLayerUpload/layerDigests/match",
        before: |request| {
            edit(request, "CompleteLayerUpload", |input| {
                let digests = input.get_mut("layerDigests").and_then(Value::as_array_mut);
                for digest in digests.into_iter().flatten() {
                    if let Some(text) = digest.as_str().and_then(|text| text.strip_prefix("sha256:")) {
                        *digest = json!(format!("unknown:{text}"));
                    }
                }
            });
        },
        ..LAWFUL
    },
    Fault {
        name: "errors-as-404",
        sentence: "errors have the status 404",
        rule: "answer/status",
        after: |_, answer| {
            if answer.status == 400 {
                answer.status = 404;
            }
        },
        ..LAWFUL
    },
    Fault {
        name: "html-500",
        sentence: "InvalidParameterException becomes an HTML page with status 500",
        rule: "always/no-5xx",
        after: |_, answer| {
            if envelope::error(answer).name.as_deref() == Some("InvalidParameterException") {
                answer.status = 500;
                answer.headers = vec![(String::from("content-type"), String::from("text/html"))];
                answer.body = Bytes::from_static(b"<html><title>500 Internal Server Error</title></html>");
            }
        },
        ..LAWFUL
    },
    Fault {
        name: "layer-digest-echoed",
        sentence: "CompleteLayerUpload answers with the first digest that was sent",
        rule: "CompleteLayerUpload/answer/layerDigest",
        after: |request, answer| {
            let sent: Option<Value> = serde_json::from_slice(&request.body).ok();
            let (Some(sent), Some(mut body), 200) = (sent, answer.json(), answer.status) else { return };
            if let (Some("CompleteLayerUpload"), Some(digest)) = (request.operation(), sent.pointer("/layerDigests/0"))
            {
                body["layerDigest"] = digest.clone();
                answer.body = Bytes::from(body.to_string());
            }
        },
        ..LAWFUL
    },
    Fault {
        name: "no-deletion",
        sentence: "DeleteRepository is an unknown operation",
        rule: "survey/DeleteRepository",
        before: |request| {
            if request.operation() == Some("DeleteRepository") {
                request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("x-amz-target"));
            }
        },
        ..LAWFUL
    },
    Fault {
        name: "no-uploads",
        sentence: "InitiateLayerUpload is an unknown operation",
        rule: "InitiateLayerUpload/known",
        before: |request| {
            if request.operation() == Some("InitiateLayerUpload") {
                request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("x-amz-target"));
            }
        },
        ..LAWFUL
    },
    Fault {
        name: "serialization-500",
        sentence: "SerializationException comes with status 500",
        rule: "always/no-5xx",
        after: |_, answer| {
            if envelope::error(answer).name.as_deref() == Some("SerializationException") {
                answer.status = 500;
            }
        },
        ..LAWFUL
    },
    Fault {
        name: "throttling",
        sentence: "every CompleteLayerUpload with two or more digests is throttled",
        rule: "CompleteLayerUpload/accepted",
        after: |request, answer| {
            let sent: Option<Value> = serde_json::from_slice(&request.body).ok();
            let many = sent.as_ref().and_then(|sent| sent.pointer("/layerDigests/1")).is_some();
            if many && request.operation() == Some("CompleteLayerUpload") {
                *answer =
                    envelope::answer(400, &json!({ "__type": "ThrottlingException", "message": "Rate exceeded" }));
            }
        },
        ..LAWFUL
    },
    Fault {
        name: "throttling-all",
        sentence: "every UploadLayerPart is throttled",
        rule: "UploadLayerPart/accepted",
        after: |request, answer| {
            if request.operation() == Some("UploadLayerPart") {
                *answer =
                    envelope::answer(400, &json!({ "__type": "ThrottlingException", "message": "Rate exceeded" }));
            }
        },
        ..LAWFUL
    },
    Fault {
        name: "type-in-header",
        sentence: "the error type stands in x-amzn-errortype, and another one in __type",
        rule: "answer/type-visible",
        after: |_, answer| {
            if let (Some(name), Some(mut body)) = (envelope::error(answer).name, answer.json()) {
                body["__type"] = json!("ValidationException");
                answer.body = Bytes::from(body.to_string());
                answer.headers.push((String::from("x-amzn-errortype"), name));
            }
        },
        ..LAWFUL
    },
    Fault {
        name: "untyped-errors",
        sentence: "errors name no type",
        rule: "answer/error-type",
        after: |_, answer| {
            if answer.status == 400 {
                answer.body = Bytes::from_static(b"{\"message\":\"no\"}");
            }
        },
        ..LAWFUL
    },
];

/// No change at all: what the rows begin with.
const LAWFUL: Fault = Fault { name: "", sentence: "", rule: "", before: |_| {}, after: |_, _| {} };

/// Changes the members of a request of one operation.
fn edit(request: &mut Request, operation: &str, change: impl FnOnce(&mut Value)) {
    if request.operation() != Some(operation) || request.header("content-type") != Some(CONTENT_TYPE) {
        return;
    }
    if let Ok(mut input) = serde_json::from_slice::<Value>(&request.body) {
        change(&mut input);
        request.body = Bytes::from(input.to_string());
    }
}
