//! Servers that take seconds to reject a short request.

use std::time::Duration;

use serde_json::{Map, Value};

use super::super::Change::Delay;
use super::{Fault, length, texts};
use crate::contract::check::{check, long};
use crate::contract::{Operation, RuleId, Service};
use crate::wire::Request;

const IN_TIME: RuleId = RuleId::new("always/in-time");

/// What it takes them.
const SECONDS: Duration = Duration::from_millis(1200);

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "names-backtracked",
        sentence: "a repository name that breaks its pattern is matched for more than a second",
        rule: IN_TIME,
        changes: &[Delay(|request| of_member(request, "repositoryName", |name| name.ends_with(['-', '_', '.', '/'])))],
    },
    Fault {
        name: "digests-backtracked",
        sentence: "a digest that breaks its pattern is matched for more than a second",
        rule: IN_TIME,
        changes: &[Delay(|request| of_member(request, "layerDigests", |digest| !digest.contains(':')))],
    },
    Fault {
        name: "upload-ids-backtracked",
        sentence: "an upload id that breaks its pattern is matched for more than a second",
        rule: IN_TIME,
        changes: &[Delay(|request| of_member(request, "uploadId", |id| id.len() != 36))],
    },
    Fault {
        name: "sleeps-on-error",
        sentence: "CompleteLayerUpload sleeps before it rejects members",
        rule: IN_TIME,
        changes: &[Delay(|request| {
            let known = Service::Ecr.contract().operation(Operation::CompleteLayerUpload);
            let broken =
                known.is_some_and(|known| members(request).is_some_and(|input| !check(known, &input).is_empty()));
            slow(request.operation() == Some(Operation::CompleteLayerUpload) && broken)
        })],
    },
    Fault {
        name: "digests-compared-pairwise",
        sentence: "a list of more than a hundred digests is checked for more than a second",
        rule: IN_TIME,
        changes: &[Delay(|request| slow(has(request, |value| value.is_array() && length(value) > 100)))],
    },
    Fault {
        name: "long-texts-copied",
        sentence: "a text of more than 250 characters is checked for more than a second",
        rule: IN_TIME,
        changes: &[Delay(|request| {
            let is_long = |value: &Value| value.is_string() && length(value) > 250;
            slow(request.operation() != Some(Operation::UploadLayerPart) && has(request, is_long))
        })],
    },
    Fault {
        name: "negative-positions-counted",
        sentence: "a part that begins before the first byte is looked for for more than a second",
        rule: IN_TIME,
        changes: &[Delay(|request| slow(has(request, |value| long(value).is_some_and(|position| position < 0))))],
    },
    Fault {
        name: "gaps-filled",
        sentence: "a part far beyond the last byte is rejected after the gap was filled",
        rule: IN_TIME,
        changes: &[Delay(|request| slow(has(request, |value| long(value).is_some_and(|position| position > 1 << 30))))],
    },
    Fault {
        name: "uploads-sought-everywhere",
        sentence: "an upload that does not exist is looked for for more than a second",
        rule: IN_TIME,
        changes: &[Delay(|request| of_member(request, "uploadId", |id| id.starts_with("00000000-0000")))],
    },
    Fault {
        name: "repositories-sought-everywhere",
        sentence: "a repository that does not exist is looked for for more than a second",
        rule: IN_TIME,
        changes: &[Delay(|request| of_member(request, "repositoryName", |name| name.ends_with("-absent")))],
    },
    Fault {
        name: "bad-json-parsed-twice",
        sentence: "a body that is not JSON is read for more than a second",
        rule: IN_TIME,
        changes: &[Delay(|request| {
            slow(!request.body.is_empty() && serde_json::from_slice::<Value>(&request.body).is_err())
        })],
    },
    Fault {
        name: "base64-restarted",
        sentence: "text that is not base64 is decoded for more than a second",
        rule: IN_TIME,
        changes: &[Delay(|request| {
            of_member(request, "layerPartBlob", |blob| {
                blob.bytes().any(|byte| !(byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)))
            })
        })],
    },
    Fault {
        name: "types-converted",
        sentence: "an object in the place of a text is converted for more than a second",
        rule: IN_TIME,
        changes: &[Delay(|request| slow(has(request, Value::is_object)))],
    },
];

fn slow(is_slow: bool) -> Duration {
    if is_slow { SECONDS } else { Duration::ZERO }
}

fn members(request: &Request) -> Option<Map<String, Value>> {
    serde_json::from_slice(&request.body).ok()
}

/// Whether some member of a request is such a value.
fn has(request: &Request, is_such: impl Fn(&Value) -> bool) -> bool {
    members(request).is_some_and(|members| members.values().any(is_such))
}

/// Slow where a text in a member is such a one.
fn of_member(request: &Request, member: &str, is_such: impl Fn(&str) -> bool) -> Duration {
    let members = members(request);
    let value = members.as_ref().and_then(|members| members.get(member));
    slow(value.is_some_and(|value| texts(value).into_iter().any(is_such)))
}
