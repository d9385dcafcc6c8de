//! The protocol below the operations: targets, content types, bodies.

use bytes::Bytes;
use serde_json::{Value, json};

use super::super::Change::{Finds, Ignores, Reads, Says};
use super::super::change::{invalid_parameter, refusal};
use super::super::reply::of_error;
use super::{Fault, fault};
use crate::contract::Operation;
use crate::wire::{CONTENT_TYPE, Request, envelope};

pub(super) static FAULTS: &[Fault] = &[
    fault(
        "prefix-not-looked-at",
        "the prefix of X-Amz-Target is not looked at",
        "wire/target/prefix",
        &[Ignores("wire/target/prefix")],
    ),
    fault(
        "operation-unknown-as-404",
        "an unknown operation is answered with a page of HTML and 404",
        "answer/error-type",
        &[Says(|_, _, reply| {
            of_error(reply, "UnknownOperationException", |answer| {
                answer.status = 404;
                answer.headers = vec![(String::from("content-type"), String::from("text/html"))];
                answer.body = Bytes::from_static(b"<h1>Not Found</h1>");
            });
        })],
    ),
    fault(
        "operation-unknown-as-500",
        "an unknown operation is answered with 500",
        "always/no-5xx",
        &[Says(|_, _, reply| of_error(reply, "UnknownOperationException", |answer| answer.status = 500))],
    ),
    fault(
        "operation-unknown-accepted",
        "an unknown operation is answered with an empty object",
        "wire/target/operation",
        &[Says(|_, _, reply| {
            of_error(reply, "UnknownOperationException", |answer| *answer = envelope::answer(200, &json!({})));
        })],
    ),
    fault(
        "charset-refused",
        "a content type with a charset is refused",
        "wire/content-type/parameters",
        &[Reads(|request| {
            if request.header("content-type").is_some_and(|value| value.contains("charset")) {
                request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("x-amz-target"));
            }
        })],
    ),
    fault(
        "bad-json-as-nothing",
        "a body that is no JSON counts as an empty object",
        "wire/body/json",
        &[Reads(|request| {
            if !request.body.is_empty() && serde_json::from_slice::<Value>(&request.body).is_err() {
                request.body = Bytes::from_static(b"{}");
            }
        })],
    ),
    fault(
        "json-until-error",
        "a body that is cut off is read as far as it goes",
        "wire/body/json",
        &[Reads(|request| {
            if serde_json::from_slice::<Value>(&request.body).is_err() {
                mend(request);
            }
        })],
    ),
    fault(
        "empty-body-accepted",
        "an empty body is answered with an empty object, as a success",
        "wire/body/empty",
        &[Says(|request, _, reply| {
            if let Ok(answer) = reply
                && request.body.is_empty()
                && request.operation().is_some()
            {
                *answer = envelope::answer(200, &json!({}));
            }
        })],
    ),
    fault(
        "empty-body-500",
        "an empty body is answered with 500",
        "always/no-5xx",
        &[Says(|request, _, reply| {
            if let Ok(answer) = reply
                && request.body.is_empty()
            {
                answer.status = 500;
            }
        })],
    ),
    fault(
        "utf-8-dropped",
        "bytes that are no UTF-8 are dropped",
        "wire/body/utf-8",
        &[Reads(|request| {
            if std::str::from_utf8(&request.body).is_err() {
                request.body = request.body.utf8_chunks().map(|chunk| chunk.valid()).collect::<String>().into();
            }
        })],
    ),
    fault(
        "unknown-members-refused",
        "unknown members are refused",
        "wire/body/unknown-members",
        &[Finds(|call, wrong| {
            if call.input.keys().any(|name| call.operation.input(name).is_none()) {
                wrong.push(invalid_parameter("wire/body/unknown-members"));
            }
        })],
    ),
    fault(
        "unknown-members-unreadable",
        "an object as an unknown member cannot be read",
        "wire/body/unknown-members",
        &[Finds(|call, wrong| {
            if call.input.iter().any(|(name, value)| value.is_object() && call.operation.input(name).is_none()) {
                wrong.insert(0, refusal("SerializationException", "wire/body/unknown-members"));
            }
        })],
    ),
    fault(
        "long-body-refused",
        "a body of more than 1 MiB is refused, but for parts",
        "wire/body/unknown-members",
        &[Says(|request, _, reply| {
            if let Ok(answer) = reply
                && request.body.len() > 1 << 20
                && request.operation() != Some(Operation::UploadLayerPart)
                && answer.status == 200
            {
                *answer = envelope::answer(413, &json!({ "message": "too large" }));
            }
        })],
    ),
    fault(
        "text-body-as-nothing",
        "a text as the body is answered with success",
        "wire/body/object",
        &[Says(|request, _, reply| {
            if let (Ok(answer), Ok(Value::String(_))) = (reply, serde_json::from_slice(&request.body)) {
                *answer = envelope::answer(200, &json!({}));
            }
        })],
    ),
    fault(
        "null-body-as-nothing",
        "null as the body is answered with success",
        "wire/body/object",
        &[Says(|request, _, reply| {
            if let Ok(answer) = reply
                && request.body == "null"
            {
                *answer = envelope::answer(200, &json!({}));
            }
        })],
    ),
    fault(
        "content-type-compared-whole",
        "a request whose content type has parameters cannot be read",
        "wire/content-type/parameters",
        &[Says(|request, _, reply| {
            if let Ok(answer) = reply
                && request
                    .header("content-type")
                    .is_some_and(|value| value.starts_with(CONTENT_TYPE) && value != CONTENT_TYPE)
            {
                *answer = envelope::answer(400, &json!({ "__type": "SerializationException", "message": "no" }));
            }
        })],
    ),
];

/// Closes what a body that was cut off has left open.
fn mend(request: &mut Request) {
    let mut text = String::from_utf8_lossy(&request.body).into_owned();
    for end in ["}", "\"}", "\"]}", "]}"] {
        text.push_str(end);
        if serde_json::from_str::<Value>(&text).is_ok_and(|body| body.is_object()) {
            request.body = Bytes::from(text);
            return;
        }
        text.truncate(text.len() - end.len());
    }
}
