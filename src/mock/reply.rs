//! Changes of a reply on its way out: which one is meant, and what of it.

use bytes::Bytes;
use serde_json::Value;

use crate::contract::Operation;
use crate::wire::{Reply, Request, Response, envelope};

/// Changes the body of an answer, if it is JSON.
pub(super) fn edit(reply: &mut Reply, change: impl FnOnce(&mut Value)) {
    if let Ok(answer) = reply {
        edit_answer(answer, change);
    }
}

/// The same for an answer.
pub(super) fn edit_answer(answer: &mut Response, change: impl FnOnce(&mut Value)) {
    if let Some(mut body) = answer.json() {
        change(&mut body);
        answer.body = Bytes::from(body.to_string());
    }
}

/// The same for a success of this operation.
pub(super) fn edit_success(
    request: &Request,
    reply: &mut Reply,
    operation: Operation,
    change: impl FnOnce(&mut Value),
) {
    of_operation(request, reply, operation, |answer| edit_answer(answer, change));
}

/// Changes the body of an error, given its type.
pub(super) fn retype(reply: &mut Reply, change: impl FnOnce(&mut Value, &str)) {
    of_errors(reply, |answer| {
        if let Some(name) = envelope::error(answer).name {
            edit_answer(answer, |body| change(body, &name));
        }
    });
}

/// Changes an answer that is an error.
pub(super) fn of_errors(reply: &mut Reply, change: impl FnOnce(&mut Response)) {
    if let Ok(answer) = reply
        && answer.status >= 400
    {
        change(answer);
    }
}

/// Changes an answer that is an error of this type.
pub(super) fn of_error(reply: &mut Reply, name: &str, change: impl FnOnce(&mut Response)) {
    of_errors(reply, |answer| {
        if envelope::error(answer).name.as_deref() == Some(name) {
            change(answer);
        }
    });
}

/// Changes an answer that is a success.
pub(super) fn of_success(reply: &mut Reply, change: impl FnOnce(&mut Response)) {
    if let Ok(answer) = reply
        && answer.status == 200
    {
        change(answer);
    }
}

/// Changes an answer that is a success of this operation.
pub(super) fn of_operation(
    request: &Request,
    reply: &mut Reply,
    operation: Operation,
    change: impl FnOnce(&mut Response),
) {
    if request.operation() == Some(operation) {
        of_success(reply, change);
    }
}

/// Bytes as gzip.
pub(super) fn gzip(body: &[u8]) -> Vec<u8> {
    // What nobody checks stands for the checksum.
    let length = (body.len() as u32).to_le_bytes();
    let deflated = miniz_oxide::deflate::compress_to_vec(body, 6);
    [b"\x1f\x8b\x08\0\0\0\0\0\0\xff".as_slice(), &deflated, b"\0\0\0\0", &length].concat()
}
