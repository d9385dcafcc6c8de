//! Servers that fail, drop the connection, or stay silent for a client's fault.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::super::Change::{Names, Says, Waits};
use super::super::reply::of_error;
use super::{Fault, fault};
use crate::contract::Operation;
use crate::wire::{Answer, Reply, Request, Trouble};

const ANSWERED: &str = "always/answered";
const FAULT: &str = "always/no-5xx";

/// Longer than the patience of a selftest.
const LONG: Duration = Duration::from_secs(30);

pub(super) static FAULTS: &[Fault] = &[
    fault(
        "bad-json-500",
        "a body that is no JSON is answered with 500",
        FAULT,
        &[Says(|request, _, reply| fails(reply, is_no_json(request)))],
    ),
    fault(
        "bad-json-drops",
        "a body that is no JSON ends the connection",
        ANSWERED,
        &[Says(|request, _, reply| drops(reply, is_no_json(request)))],
    ),
    fault(
        "bad-json-hangs",
        "a body that is no JSON is never answered",
        ANSWERED,
        &[Says(|request, _, reply| hangs(reply, is_no_json(request)))],
    ),
    fault(
        "utf-8-500",
        "a body that is no UTF-8 is answered with 500",
        FAULT,
        &[Says(|request, _, reply| fails(reply, is_no_utf_8(request)))],
    ),
    fault(
        "utf-8-drops",
        "a body that is no UTF-8 ends the connection",
        ANSWERED,
        &[Says(|request, _, reply| drops(reply, is_no_utf_8(request)))],
    ),
    fault(
        "nesting-drops",
        "a body that is nested deeply ends the connection",
        ANSWERED,
        &[Says(|request, _, reply| drops(reply, is_nested(request)))],
    ),
    fault(
        "nesting-500",
        "a body that is nested deeply is answered with 500",
        FAULT,
        &[Says(|request, _, reply| fails(reply, is_nested(request)))],
    ),
    fault(
        "long-member-500",
        "a member of 1 MiB is answered with 500",
        FAULT,
        &[Says(|request, _, reply| fails(reply, is_long(request, 1 << 20)))],
    ),
    fault(
        "long-member-drops",
        "a member of 10,000 characters ends the connection",
        ANSWERED,
        &[Says(|request, _, reply| drops(reply, is_long(request, 10_000)))],
    ),
    fault(
        "large-part-500",
        "a part of 20 MiB or more is answered with 500",
        FAULT,
        &[Says(|request, _, reply| fails(reply, request.body.len() > 27_962_000))],
    ),
    fault(
        "large-part-drops",
        "a part of 20 MiB or more ends the connection",
        ANSWERED,
        &[Says(|request, _, reply| drops(reply, request.body.len() > 27_962_000))],
    ),
    fault(
        "list-500",
        "a body that is JSON and no object is answered with 500",
        FAULT,
        &[Says(|request, _, reply| fails(reply, is_no_object(request)))],
    ),
    fault(
        "object-500",
        "an object in the place of a text is answered with 500",
        FAULT,
        &[Says(|request, _, reply| fails(reply, has(request, |value| value.is_object())))],
    ),
    fault(
        "null-digest-500",
        "null among the digests is answered with 500",
        FAULT,
        &[Says(|request, _, reply| {
            fails(reply, has(request, |value| value.as_array().is_some_and(|items| items.contains(&Value::Null))));
        })],
    ),
    fault(
        "missing-500",
        "a request without digests is answered with 500",
        FAULT,
        &[Says(|request, _, reply| {
            let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            fails(
                reply,
                request.operation() == Some(Operation::CompleteLayerUpload)
                    && body.is_object()
                    && body.get("layerDigests").is_none(),
            );
        })],
    ),
    fault(
        "base64-500",
        "text that is no base64 is answered with 500",
        FAULT,
        &[Names("UploadLayerPart/layerPartBlob/base64", "ServerException")],
    ),
    fault(
        "far-position-500",
        "a position beyond 31 bits is answered with 500",
        FAULT,
        &[Says(|request, _, reply| {
            fails(reply, has(request, |value| value.as_i64().is_some_and(|position| position > i64::from(i32::MAX))));
        })],
    ),
    fault(
        "negative-position-500",
        "a position below 0 is answered with 500",
        FAULT,
        &[Says(|request, _, reply| {
            fails(reply, has(request, |value| value.as_i64().is_some_and(|position| position < 0)));
        })],
    ),
    fault(
        "no-upload-500",
        "an upload that does not exist is answered with 500",
        FAULT,
        &[Says(|_, _, reply| of_error(reply, "UploadNotFoundException", fail))],
    ),
    fault(
        "empty-upload-500",
        "an upload without parts is answered with 500",
        FAULT,
        &[Says(|_, _, reply| of_error(reply, "EmptyUploadException", fail))],
    ),
    fault(
        "once-500",
        "the second CompleteLayerUpload of an upload is answered with 500",
        FAULT,
        &[Says(|request, memory, reply| {
            let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            let text = |member: &str| String::from(body[member].as_str().unwrap_or_default());
            let completed = memory.completed.contains_key(&(text("repositoryName"), text("uploadId")));
            let refused = reply.as_ref().is_ok_and(|answer| answer.status == 400);
            fails(reply, completed && refused && request.operation() == Some(Operation::CompleteLayerUpload));
        })],
    ),
    fault(
        "nul-drops",
        "a NUL in a text ends the connection",
        ANSWERED,
        &[Says(|request, _, reply| {
            drops(reply, has(request, |value| value.as_str().is_some_and(|text| text.contains('\0'))))
        })],
    ),
    fault(
        "non-ascii-500",
        "a text beyond ASCII is answered with 500",
        FAULT,
        &[Says(|request, _, reply| {
            fails(reply, has(request, |value| value.as_str().is_some_and(|text| !text.is_ascii())))
        })],
    ),
    fault(
        "many-digests-hang",
        "more than a hundred digests are never answered",
        ANSWERED,
        &[Says(|request, _, reply| {
            hangs(reply, has(request, |value| value.as_array().is_some_and(|items| items.len() > 100)));
        })],
    ),
    fault(
        "slow-on-long-member",
        "InitiateLayerUpload is answered half a minute later if a member has more than 1,000 characters",
        ANSWERED,
        &[Waits(|request| {
            let long = has(request, |value| value.as_str().is_some_and(|text| text.len() > 1000));
            if long && request.operation() == Some(Operation::InitiateLayerUpload) { LONG } else { Duration::ZERO }
        })],
    ),
    fault(
        "slow-on-bad-json",
        "a body that is no JSON is answered half a minute later",
        ANSWERED,
        &[Waits(|request| if is_no_json(request) { LONG } else { Duration::ZERO })],
    ),
];

fn is_no_json(request: &Request) -> bool {
    !request.body.is_empty()
        && std::str::from_utf8(&request.body).is_ok()
        && serde_json::from_slice::<Value>(&request.body).is_err()
}

fn is_no_utf_8(request: &Request) -> bool {
    std::str::from_utf8(&request.body).is_err()
}

fn is_no_object(request: &Request) -> bool {
    serde_json::from_slice::<Value>(&request.body).is_ok_and(|body| !body.is_object())
}

fn is_nested(request: &Request) -> bool {
    request.body.windows(500).any(|window| window.iter().all(|byte| *byte == b'['))
}

fn is_long(request: &Request, length: usize) -> bool {
    request.operation() != Some(Operation::UploadLayerPart)
        && has(request, |value| {
            let texts = super::texts(value);
            texts.iter().any(|text| text.len() >= length)
        })
}

/// Whether some member of a request is such a value.
fn has(request: &Request, is_such: impl Fn(&Value) -> bool) -> bool {
    let Ok(Value::Object(members)) = serde_json::from_slice(&request.body) else { return false };
    members.values().any(is_such)
}

fn fails(reply: &mut Reply, fault: bool) {
    if let Ok(answer) = reply
        && fault
    {
        fail(answer);
    }
}

fn fail(answer: &mut Answer) {
    answer.status = 500;
    answer.body = Bytes::from_static(b"{\"__type\":\"InternalFailure\",\"message\":\"no\"}");
}

fn drops(reply: &mut Reply, fault: bool) {
    if fault {
        *reply = Err(Trouble::Dropped);
    }
}

fn hangs(reply: &mut Reply, fault: bool) {
    if fault {
        *reply = Err(Trouble::Silent);
    }
}
