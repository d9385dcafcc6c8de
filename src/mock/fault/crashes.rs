//! Servers that fail, drop the connection, or stay silent for a client's fault.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::super::Change::{Delay, ErrorAs, RewriteReply};
use super::super::reply::of_error;
use super::Fault;
use crate::contract::{Operation, RuleId, RulePattern};
use crate::wire::{Reply, Request, Response, TransportError};

const ANSWERED: RuleId = RuleId::new("always/answered");
const FAULT: RuleId = RuleId::new("always/no-5xx");

/// Longer than the timeouts of a selftest.
const LONG: Duration = Duration::from_secs(30);

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "bad-json-500",
        sentence: "a body that is not JSON gets 500",
        rule: FAULT,
        changes: &[RewriteReply(|request, _, reply| fails(reply, is_no_json(request)))],
    },
    Fault {
        name: "bad-json-drops",
        sentence: "a body that is not JSON closes the connection",
        rule: ANSWERED,
        changes: &[RewriteReply(|request, _, reply| drops(reply, is_no_json(request)))],
    },
    Fault {
        name: "bad-json-hangs",
        sentence: "a body that is not JSON gets no response",
        rule: ANSWERED,
        changes: &[RewriteReply(|request, _, reply| hangs(reply, is_no_json(request)))],
    },
    Fault {
        name: "utf-8-500",
        sentence: "a body that is not UTF-8 gets 500",
        rule: FAULT,
        changes: &[RewriteReply(|request, _, reply| fails(reply, is_no_utf_8(request)))],
    },
    Fault {
        name: "utf-8-drops",
        sentence: "a body that is not UTF-8 closes the connection",
        rule: ANSWERED,
        changes: &[RewriteReply(|request, _, reply| drops(reply, is_no_utf_8(request)))],
    },
    Fault {
        name: "nesting-drops",
        sentence: "a deeply nested body closes the connection",
        rule: ANSWERED,
        changes: &[RewriteReply(|request, _, reply| drops(reply, is_nested(request)))],
    },
    Fault {
        name: "nesting-500",
        sentence: "a deeply nested body gets 500",
        rule: FAULT,
        changes: &[RewriteReply(|request, _, reply| fails(reply, is_nested(request)))],
    },
    Fault {
        name: "long-member-500",
        sentence: "a member of 1 MiB gets 500",
        rule: FAULT,
        changes: &[RewriteReply(|request, _, reply| fails(reply, is_long(request, 1 << 20)))],
    },
    Fault {
        name: "long-member-drops",
        sentence: "a member of 10,000 characters closes the connection",
        rule: ANSWERED,
        changes: &[RewriteReply(|request, _, reply| drops(reply, is_long(request, 10_000)))],
    },
    Fault {
        name: "large-part-500",
        sentence: "a part of 20 MiB or more gets 500",
        rule: FAULT,
        changes: &[RewriteReply(|request, _, reply| fails(reply, request.body.len() > 27_962_000))],
    },
    Fault {
        name: "large-part-drops",
        sentence: "a part of 20 MiB or more closes the connection",
        rule: ANSWERED,
        changes: &[RewriteReply(|request, _, reply| drops(reply, request.body.len() > 27_962_000))],
    },
    Fault {
        name: "list-500",
        sentence: "a body that is JSON and no object gets 500",
        rule: FAULT,
        changes: &[RewriteReply(|request, _, reply| fails(reply, is_no_object(request)))],
    },
    Fault {
        name: "object-500",
        sentence: "an object in the place of a text gets 500",
        rule: FAULT,
        changes: &[RewriteReply(|request, _, reply| fails(reply, has(request, |value| value.is_object())))],
    },
    Fault {
        name: "null-digest-500",
        sentence: "null among the digests gets 500",
        rule: FAULT,
        changes: &[RewriteReply(|request, _, reply| {
            fails(reply, has(request, |value| value.as_array().is_some_and(|items| items.contains(&Value::Null))));
        })],
    },
    Fault {
        name: "missing-500",
        sentence: "a request without digests gets 500",
        rule: FAULT,
        changes: &[RewriteReply(|request, _, reply| {
            let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            fails(
                reply,
                request.operation() == Some(Operation::CompleteLayerUpload)
                    && body.is_object()
                    && body.get("layerDigests").is_none(),
            );
        })],
    },
    Fault {
        name: "base64-500",
        sentence: "text that is not base64 gets 500",
        rule: FAULT,
        changes: &[ErrorAs(RulePattern::new("UploadLayerPart/layerPartBlob/base64"), "ServerException")],
    },
    Fault {
        name: "far-position-500",
        sentence: "a position over 31 bits gets 500",
        rule: FAULT,
        changes: &[RewriteReply(|request, _, reply| {
            fails(reply, has(request, |value| value.as_i64().is_some_and(|position| position > i64::from(i32::MAX))));
        })],
    },
    Fault {
        name: "negative-position-500",
        sentence: "a negative position gets 500",
        rule: FAULT,
        changes: &[RewriteReply(|request, _, reply| {
            fails(reply, has(request, |value| value.as_i64().is_some_and(|position| position < 0)));
        })],
    },
    Fault {
        name: "no-upload-500",
        sentence: "an upload that does not exist gets 500",
        rule: FAULT,
        changes: &[RewriteReply(|_, _, reply| of_error(reply, "UploadNotFoundException", fail))],
    },
    Fault {
        name: "empty-upload-500",
        sentence: "an upload without parts gets 500",
        rule: FAULT,
        changes: &[RewriteReply(|_, _, reply| of_error(reply, "EmptyUploadException", fail))],
    },
    Fault {
        name: "once-500",
        sentence: "a second CompleteLayerUpload of an upload gets 500",
        rule: FAULT,
        changes: &[RewriteReply(|request, memory, reply| {
            let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            let text = |member: &str| String::from(body[member].as_str().unwrap_or_default());
            let completed = memory.completed.contains_key(&(text("repositoryName"), text("uploadId")));
            let rejected = reply.as_ref().is_ok_and(|answer| answer.status == 400);
            fails(reply, completed && rejected && request.operation() == Some(Operation::CompleteLayerUpload));
        })],
    },
    Fault {
        name: "nul-drops",
        sentence: "a NUL in a text closes the connection",
        rule: ANSWERED,
        changes: &[RewriteReply(|request, _, reply| {
            drops(reply, has(request, |value| value.as_str().is_some_and(|text| text.contains('\0'))))
        })],
    },
    Fault {
        name: "non-ascii-500",
        sentence: "a text outside ASCII gets 500",
        rule: FAULT,
        changes: &[RewriteReply(|request, _, reply| {
            fails(reply, has(request, |value| value.as_str().is_some_and(|text| !text.is_ascii())))
        })],
    },
    Fault {
        name: "many-digests-hang",
        sentence: "more than a hundred digests get no response",
        rule: ANSWERED,
        changes: &[RewriteReply(|request, _, reply| {
            hangs(reply, has(request, |value| value.as_array().is_some_and(|items| items.len() > 100)));
        })],
    },
    Fault {
        name: "slow-on-long-member",
        sentence: "InitiateLayerUpload gets a response half a minute later if a member has more than 1,000 characters",
        rule: ANSWERED,
        changes: &[Delay(|request| {
            let long = has(request, |value| value.as_str().is_some_and(|text| text.len() > 1000));
            if long && request.operation() == Some(Operation::InitiateLayerUpload) { LONG } else { Duration::ZERO }
        })],
    },
    Fault {
        name: "slow-on-bad-json",
        sentence: "a body that is not JSON gets a response half a minute later",
        rule: ANSWERED,
        changes: &[Delay(|request| if is_no_json(request) { LONG } else { Duration::ZERO })],
    },
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

fn fail(answer: &mut Response) {
    answer.status = 500;
    answer.body = Bytes::from_static(b"{\"__type\":\"InternalFailure\",\"message\":\"no\"}");
}

fn drops(reply: &mut Reply, fault: bool) {
    if fault {
        *reply = Err(TransportError::Dropped);
    }
}

fn hangs(reply: &mut Reply, fault: bool) {
    if fault {
        *reply = Err(TransportError::Silent);
    }
}
