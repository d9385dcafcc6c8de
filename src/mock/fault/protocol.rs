//! The protocol below the operations: targets, content types, bodies.

use bytes::Bytes;
use serde_json::{Value, json};

use super::super::Change::{RewriteReply, RewriteRequest, SkipRule};
use super::super::reply::of_error;
use super::Fault;
use crate::contract::{RuleId, RulePattern};
use crate::wire::{CONTENT_TYPE, Request, envelope};

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "prefix-not-looked-at",
        sentence: "the prefix of X-Amz-Target is not checked",
        rule: RuleId::new("wire/target/prefix"),
        changes: &[SkipRule(RulePattern::new("wire/target/prefix"))],
    },
    Fault {
        name: "operation-unknown-as-500",
        sentence: "an unknown operation gets 500",
        rule: RuleId::new("always/no-5xx"),
        changes: &[RewriteReply(|_, _, reply| {
            of_error(reply, "UnknownOperationException", |answer| answer.status = 500)
        })],
    },
    Fault {
        name: "operation-unknown-accepted",
        sentence: "an unknown operation gets an empty object",
        rule: RuleId::new("wire/target/operation"),
        changes: &[RewriteReply(|_, _, reply| {
            of_error(reply, "UnknownOperationException", |answer| *answer = envelope::response(200, &json!({})));
        })],
    },
    Fault {
        name: "charset-rejected",
        sentence: "a content type with a charset is rejected",
        rule: RuleId::new("wire/content-type/parameters"),
        changes: &[RewriteRequest(|request| {
            if request.header("content-type").is_some_and(|value| value.contains("charset")) {
                request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("x-amz-target"));
            }
        })],
    },
    Fault {
        name: "json-until-error",
        sentence: "a body that is cut off is read as far as it goes",
        rule: RuleId::new("wire/body/json"),
        changes: &[RewriteRequest(|request| {
            if serde_json::from_slice::<Value>(&request.body).is_err() {
                mend(request);
            }
        })],
    },
    Fault {
        name: "empty-body-accepted",
        sentence: "an empty body gets an empty object, as a success",
        rule: RuleId::new("wire/body/empty"),
        changes: &[RewriteReply(|request, _, reply| {
            if let Ok(answer) = reply
                && request.body.is_empty()
                && request.operation().is_some()
            {
                *answer = envelope::response(200, &json!({}));
            }
        })],
    },
    Fault {
        name: "empty-body-500",
        sentence: "an empty body gets 500",
        rule: RuleId::new("always/no-5xx"),
        changes: &[RewriteReply(|request, _, reply| {
            if let Ok(answer) = reply
                && request.body.is_empty()
            {
                answer.status = 500;
            }
        })],
    },
    Fault {
        name: "utf-8-dropped",
        sentence: "bytes that are not UTF-8 are dropped",
        rule: RuleId::new("wire/body/utf-8"),
        changes: &[RewriteRequest(|request| {
            if std::str::from_utf8(&request.body).is_err() {
                request.body = request.body.utf8_chunks().map(|chunk| chunk.valid()).collect::<String>().into();
            }
        })],
    },
    Fault {
        name: "text-body-as-nothing",
        sentence: "a text as the body gets success",
        rule: RuleId::new("wire/body/object"),
        changes: &[RewriteReply(|request, _, reply| {
            if let (Ok(answer), Ok(Value::String(_))) = (reply, serde_json::from_slice(&request.body)) {
                *answer = envelope::response(200, &json!({}));
            }
        })],
    },
    Fault {
        name: "null-body-as-nothing",
        sentence: "null as the body gets success",
        rule: RuleId::new("wire/body/object"),
        changes: &[RewriteReply(|request, _, reply| {
            if let Ok(answer) = reply
                && request.body == "null"
            {
                *answer = envelope::response(200, &json!({}));
            }
        })],
    },
    Fault {
        name: "content-type-compared-whole",
        sentence: "a request whose content type has parameters cannot be read",
        rule: RuleId::new("wire/content-type/parameters"),
        changes: &[RewriteReply(|request, _, reply| {
            if let Ok(answer) = reply
                && request
                    .header("content-type")
                    .is_some_and(|value| value.starts_with(CONTENT_TYPE) && value != CONTENT_TYPE)
            {
                *answer = envelope::response(400, &json!({ "__type": "SerializationException", "message": "no" }));
            }
        })],
    },
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
