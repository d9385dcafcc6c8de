//! Responses that are late, throttled, or never come.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::super::Change::{Delay, RewriteReply, ShortCircuit};
use super::super::change::Memory;
use super::Variant;
use crate::contract::Operation;
use crate::wire::{Reply, Response, TransportError, envelope};

pub(super) static VARIANTS: &[Variant] = &[
    Variant {
        name: "slow-now-and-then",
        sentence: "some responses take 30 ms",
        changes: &[Delay(|request| match request.body.len() % 97 {
            0 => Duration::from_millis(30),
            _ => Duration::ZERO,
        })],
        withholds: false,
    },
    Variant {
        name: "throttling-now-and-then",
        sentence: "one request in 251 is throttled",
        changes: &[ShortCircuit(|_, memory| throttled(memory, 251, 400))],
        withholds: false,
    },
    Variant {
        name: "throttling-as-429",
        sentence: "one request in 379 gets 429 and a page of HTML",
        changes: &[ShortCircuit(|_, memory| throttled(memory, 379, 429))],
        withholds: false,
    },
    Variant {
        name: "throttling-as-503",
        sentence: "one request in 379 gets 503 and Retry-After",
        changes: &[ShortCircuit(|_, memory| throttled(memory, 379, 503))],
        withholds: false,
    },
    Variant {
        name: "throttling-as-slow-down",
        sentence: "one request in 20 gets 503 SlowDown",
        changes: &[ShortCircuit(|_, memory| {
            let slow_down = json!({ "__type": "SlowDown", "message": "Please reduce your request rate." });
            memory.requests.is_multiple_of(20).then(|| Ok(envelope::response(503, &slow_down)))
        })],
        withholds: false,
    },
    Variant {
        name: "silent-now-and-then",
        sentence: "one of 61 accepted CompleteLayerUpload calls gets no response",
        changes: &[RewriteReply(|request, memory, reply| {
            let accepted = reply.as_ref().is_ok_and(|answer| answer.status == 200);
            if request.operation() == Some(Operation::CompleteLayerUpload)
                && accepted
                && memory.completed.len() % 61 == 60
            {
                *reply = Err(TransportError::Silent);
            }
        })],
        withholds: true,
    },
    Variant {
        name: "throttling",
        sentence: "every CompleteLayerUpload with two or more digests is throttled",
        changes: &[ShortCircuit(|request, _| {
            let sent: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            let many = request.operation() == Some(Operation::CompleteLayerUpload)
                && sent.pointer("/layerDigests/1").is_some();
            many.then(|| Ok(slow_down()))
        })],
        withholds: true,
    },
    Variant {
        name: "throttling-all",
        sentence: "every UploadLayerPart is throttled",
        changes: &[ShortCircuit(|request, _| {
            (request.operation() == Some(Operation::UploadLayerPart)).then(|| Ok(slow_down()))
        })],
        withholds: true,
    },
];

fn slow_down() -> Response {
    envelope::response(400, &json!({ "__type": "ThrottlingException", "message": "Rate exceeded" }))
}

fn throttled(memory: &Memory, every: u64, status: u16) -> Option<Reply> {
    if !memory.requests.is_multiple_of(every) {
        return None;
    }
    let mut answer = slow_down();
    if status != 400 {
        answer.status = status;
        answer.headers = vec![
            (String::from("retry-after"), String::from("0")),
            (String::from("content-type"), String::from("text/html")),
        ];
        answer.body = Bytes::from_static(b"<h1>slow down</h1>");
    }
    Some(Ok(answer))
}
