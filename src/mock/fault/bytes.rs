//! What is hashed, and which digest is answered.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::super::Change::{Execute, RewriteReply};
use super::super::change::Call;
use super::super::reply::edit_success;
use super::Fault;
use crate::case::bindings::hex;
use crate::contract::{Operation, RuleId};
use crate::wire::{Reply, Request};

const DIGEST: RuleId = RuleId::new("CompleteLayerUpload/answer/layerDigest");

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "layer-digest-echoed",
        sentence: "CompleteLayerUpload returns the first digest that was sent",
        rule: DIGEST,
        changes: &[RewriteReply(|request, _, reply| {
            completed(request, reply, |sent, body| body["layerDigest"] = sent["layerDigests"][0].clone())
        })],
    },
    Fault {
        name: "last-digest-echoed",
        sentence: "CompleteLayerUpload returns the last digest that was sent",
        rule: DIGEST,
        changes: &[RewriteReply(|request, _, reply| {
            completed(request, reply, |sent, body| {
                body["layerDigest"] =
                    sent["layerDigests"].as_array().and_then(|list| list.last()).cloned().unwrap_or_default();
            });
        })],
    },
    Fault {
        name: "other-algorithm-echoed",
        sentence: "CompleteLayerUpload returns a digest of another algorithm if one was sent",
        rule: DIGEST,
        changes: &[RewriteReply(|request, _, reply| {
            completed(request, reply, |sent, body| {
                let other = |digest: &&Value| digest.as_str().is_some_and(|digest| !digest.starts_with("sha256:"));
                if let Some(digest) = sent["layerDigests"].as_array().into_iter().flatten().find(other) {
                    body["layerDigest"] = digest.clone();
                }
            });
        })],
    },
    Fault {
        name: "digest-in-upper-case",
        sentence: "CompleteLayerUpload returns the digest in upper case",
        rule: DIGEST,
        changes: &[RewriteReply(|request, _, reply| {
            redigest(request, reply, |digest| format!("sha256:{}", digest[7..].to_uppercase()))
        })],
    },
    Fault {
        name: "digest-without-algorithm",
        sentence: "CompleteLayerUpload returns the bare hex digits of the digest",
        rule: DIGEST,
        changes: &[RewriteReply(|request, _, reply| redigest(request, reply, |digest| String::from(&digest[7..])))],
    },
    Fault {
        name: "digest-cut",
        sentence: "CompleteLayerUpload returns the first twelve hex digits of the digest",
        rule: DIGEST,
        changes: &[RewriteReply(|request, _, reply| redigest(request, reply, |digest| String::from(&digest[..19])))],
    },
    Fault {
        name: "digest-of-nothing",
        sentence: "CompleteLayerUpload returns the digest of no bytes",
        rule: DIGEST,
        changes: &[RewriteReply(|request, _, reply| {
            redigest(request, reply, |_| format!("sha256:{}", hex(&Sha256::digest(b""))))
        })],
    },
    Fault {
        name: "base64-hashed",
        sentence: "the base64 text of parts is hashed instead of their bytes",
        rule: RuleId::new("survey/plain-upload"),
        changes: &[Execute(|call| hashes(call, |call, before| before.chain_update(call.text("layerPartBlob"))))],
    },
    Fault {
        name: "first-part-hashed",
        sentence: "only the first part is hashed",
        rule: RuleId::new("CompleteLayerUpload/accepted"),
        changes: &[Execute(|call| {
            let first = call.upload().is_some_and(|upload| upload.parts.is_empty());
            (!first).then(|| hashes(call, |_, before| before)).flatten()
        })],
    },
    Fault {
        name: "last-part-hashed",
        sentence: "only the last part is hashed",
        rule: RuleId::new("CompleteLayerUpload/accepted"),
        changes: &[Execute(|call| hashes(call, |call, _| Sha256::new_with_prefix(call.blob())))],
    },
    Fault {
        name: "parts-hashed-apart",
        sentence: "the digests of the parts after the first are hashed instead of their bytes",
        rule: RuleId::new("CompleteLayerUpload/accepted"),
        changes: &[Execute(|call| {
            let first = call.upload().is_some_and(|upload| upload.parts.is_empty());
            (!first).then(|| hashes(call, |call, before| before.chain_update(Sha256::digest(call.blob())))).flatten()
        })],
    },
    Fault {
        name: "parts-chained",
        sentence: "after each part the digest of the previous parts is hashed instead of their bytes",
        rule: RuleId::new("CompleteLayerUpload/accepted"),
        changes: &[Execute(|call| {
            let first = call.upload().is_some_and(|upload| upload.parts.is_empty());
            (!first)
                .then(|| {
                    hashes(call, |call, before| Sha256::new_with_prefix(call.blob()).chain_update(before.finalize()))
                })
                .flatten()
        })],
    },
    Fault {
        name: "newline-hashed",
        sentence: "a newline after each part is hashed",
        rule: RuleId::new("survey/plain-upload"),
        changes: &[Execute(|call| hashes(call, |call, before| before.chain_update(call.blob()).chain_update(b"\n")))],
    },
    Fault {
        name: "zero-bytes-dropped",
        sentence: "zero bytes at the end of a part are not hashed",
        rule: RuleId::new("CompleteLayerUpload/accepted"),
        changes: &[Execute(|call| {
            hashes(call, |call, before| {
                let bytes = call.blob();
                let kept = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
                before.chain_update(&bytes[..kept])
            })
        })],
    },
    Fault {
        name: "bytes-as-utf-8",
        sentence: "parts are decoded as UTF-8 with replacement characters before they are hashed",
        rule: RuleId::new("survey/plain-upload"),
        changes: &[Execute(|call| {
            hashes(call, |call, before| before.chain_update(String::from_utf8_lossy(&call.blob()).as_bytes()))
        })],
    },
    Fault {
        name: "one-mib-hashed",
        sentence: "only the first MiB of a part is hashed",
        rule: RuleId::new("CompleteLayerUpload/accepted"),
        changes: &[Execute(|call| {
            hashes(call, |call, before| {
                let bytes = call.blob();
                before.chain_update(&bytes[..bytes.len().min(1 << 20)])
            })
        })],
    },
];

/// Changes the answer of a completion, given the members of its request.
fn completed(request: &Request, reply: &mut Reply, change: impl FnOnce(&Value, &mut Value)) {
    let sent: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    edit_success(request, reply, Operation::CompleteLayerUpload, |body| change(&sent, body));
}

fn redigest(request: &Request, reply: &mut Reply, change: fn(&str) -> String) {
    completed(request, reply, |_, body| {
        if let Some(digest) = body["layerDigest"].as_str() {
            body["layerDigest"] = json!(change(digest));
        }
    });
}

/// Takes a part and hashes it in another way, given what was hashed before.
pub(super) fn hashes(call: &mut Call, hash: fn(&Call, Sha256) -> Sha256) -> Option<Value> {
    if !call.is(Operation::UploadLayerPart) {
        return None;
    }
    let before = call.upload()?.hash.clone();
    let hashed = hash(call, before);
    let members = call.perform();
    call.upload()?.hash = hashed;
    Some(members)
}
