//! Uploads of many parts, of parts of other sizes, and of parts between rejected ones: what an upload is after each.

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::super::Change::{EditRejections, Execute, RewriteInput, RewriteReply};
use super::super::change::{Call, rejection};
use super::super::reply::edit_success;
use super::Fault;
use super::bytes::hashes;
use crate::contract::{Operation, RuleId};
use crate::model::Rejection;
use crate::model::registry::MIN_INNER_PART;

const PART_ACCEPTED: RuleId = RuleId::new("UploadLayerPart/accepted");
const COMPLETED: RuleId = RuleId::new("CompleteLayerUpload/accepted");
const CONTIGUOUS: RuleId = RuleId::new("UploadLayerPart/partFirstByte/contiguous");
const RESUME: RuleId = RuleId::new("UploadLayerPart/partFirstByte/resume");
const LENGTH: RuleId = RuleId::new("UploadLayerPart/layerPartBlob/length");
const MIN_SIZE: RuleId = RuleId::new("CompleteLayerUpload/parts/min-size");
const MATCH: RuleId = RuleId::new("CompleteLayerUpload/layerDigests/match");

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "parts-sorted-as-text",
        sentence: "the parts of an upload are put together in the order of their numbers as text, 10 before 2",
        rule: COMPLETED,
        changes: &[
            Execute(|call| {
                if call.is(Operation::UploadLayerPart) {
                    let (key, bytes) = (call.key(), call.blob());
                    call.memory.bytes.entry(key).or_default().push(bytes);
                }
                None
            }),
            RewriteInput(|call| {
                let parts = call.memory.bytes.get(&call.key()).filter(|_| call.is(Operation::CompleteLayerUpload));
                let Some(parts) = parts else { return };
                let mut order: Vec<usize> = (0..parts.len()).collect();
                order.sort_by_key(|index| (index + 1).to_string());
                let sorted = order.iter().fold(Sha256::new(), |hash, index| hash.chain_update(&parts[*index]));
                if let Some(upload) = call.upload() {
                    upload.hash = sorted;
                }
            }),
        ],
    },
    Fault {
        name: "parts-in-a-table-of-10",
        sentence: "from the 11th on, parts are accepted and dropped",
        rule: COMPLETED,
        changes: &[Execute(|call| {
            let full = call.upload().is_some_and(|upload| upload.parts.len() >= 10);
            full.then(|| hashes(call, |_, before| before)).flatten()
        })],
    },
    Fault {
        name: "hash-restarted-after-rejected-part",
        sentence: "the hash of an upload starts again with the part after a rejected one",
        rule: COMPLETED,
        changes: &[
            EditRejections(|call, wrong| {
                if call.is(Operation::UploadLayerPart) && !wrong.is_empty() {
                    let key = call.key();
                    call.memory.ended.insert(key);
                }
            }),
            Execute(|call| {
                let key = call.key();
                let restarts = call.is(Operation::UploadLayerPart) && call.memory.ended.remove(&key);
                restarts.then(|| hashes(call, |call, _| Sha256::new_with_prefix(call.blob()))).flatten()
            }),
        ],
    },
    Fault {
        name: "part-of-wrong-length-hashed",
        sentence: "a part that is rejected for its length is hashed before it is measured",
        rule: COMPLETED,
        changes: &[EditRejections(|call, wrong| {
            if breaks(call, wrong, Operation::UploadLayerPart, LENGTH) {
                let bytes = call.blob();
                if let Some(upload) = call.upload() {
                    upload.hash.update(bytes);
                }
            }
        })],
    },
    Fault {
        name: "inverted-range-truncates",
        sentence: "a part whose last position is before its first is rejected, and cuts the upload there",
        rule: RESUME,
        changes: &[EditRejections(|call, wrong| {
            let inverted = RuleId::new("UploadLayerPart/partLastByte/not-before-first");
            if breaks(call, wrong, Operation::UploadLayerPart, inverted) {
                let end = usize::try_from(call.number("partLastByte")).unwrap_or_default();
                if let Some(upload) = call.upload().filter(|upload| end < upload.size()) {
                    upload.parts = vec![end + 1];
                }
            }
        })],
    },
    Fault {
        name: "text-leaves-empty-part",
        sentence: "a part that is not base64 is rejected, and leaves an empty part behind",
        rule: COMPLETED,
        changes: &[EditRejections(|call, wrong| {
            let base64 = RuleId::new("UploadLayerPart/layerPartBlob/base64");
            if breaks(call, wrong, Operation::UploadLayerPart, base64)
                && let Some(upload) = call.upload()
            {
                upload.parts.push(0);
            }
        })],
    },
    Fault {
        name: "stray-part-ends-uploads",
        sentence: "a part with an unknown upload id ends the open uploads of the repository",
        rule: RESUME,
        changes: &[EditRejections(|call, wrong| {
            if breaks(call, wrong, Operation::UploadLayerPart, RuleId::new("UploadLayerPart/uploadId/exists")) {
                let (repository, _) = call.key();
                if let Some(repository) = call.registry.repositories.get_mut(&repository) {
                    repository.uploads.clear();
                }
            }
        })],
    },
    Fault {
        name: "third-part-may-be-small",
        sentence: "CompleteLayerUpload measures only the first two of the inner parts",
        rule: MIN_SIZE,
        changes: &[EditRejections(|call, wrong| {
            measures(call, wrong, |inner| inner.iter().take(2).all(|size| *size >= MIN_INNER_PART))
        })],
    },
    Fault {
        name: "inner-parts-on-average",
        sentence: "CompleteLayerUpload measures the inner parts on average",
        rule: MIN_SIZE,
        changes: &[EditRejections(|call, wrong| {
            measures(call, wrong, |inner| inner.iter().sum::<usize>() >= inner.len() * MIN_INNER_PART)
        })],
    },
    Fault {
        name: "parts-of-one-size",
        sentence: "UploadLayerPart rejects a part after one whose size is not that of the first",
        rule: PART_ACCEPTED,
        changes: &[EditRejections(|call, wrong| {
            let other = call.upload().is_some_and(|upload| upload.parts.last() != upload.parts.first());
            if call.is(Operation::UploadLayerPart) && wrong.is_empty() && other {
                wrong.push(rejection("InvalidLayerPartException", PART_ACCEPTED));
            }
        })],
    },
    Fault {
        name: "last-part-largest",
        sentence: "CompleteLayerUpload rejects an upload whose last part is larger than all before it",
        rule: COMPLETED,
        changes: &[EditRejections(|call, wrong| {
            let is_largest = |parts: &[usize]| {
                parts
                    .split_last()
                    .is_some_and(|(last, inner)| !inner.is_empty() && inner.iter().all(|size| size < last))
            };
            let largest = call.upload().is_some_and(|upload| is_largest(&upload.parts));
            if call.is(Operation::CompleteLayerUpload) && wrong.is_empty() && largest {
                wrong.push(rejection("InvalidLayerException", COMPLETED));
            }
        })],
    },
    Fault {
        name: "second-completion-not-compared",
        sentence: "after a completion that was rejected for its digests, CompleteLayerUpload accepts any",
        rule: MATCH,
        changes: &[EditRejections(|call, wrong| {
            let key = call.key();
            if call.memory.ended.contains(&key) {
                wrong.retain(|rejection| rejection.rule != MATCH);
            } else if breaks(call, wrong, Operation::CompleteLayerUpload, MATCH) {
                call.memory.ended.insert(key);
            }
        })],
    },
    Fault {
        name: "earlier-part-again-taken",
        sentence: "UploadLayerPart accepts any part again but the last one",
        rule: CONTIGUOUS,
        changes: &[
            EditRejections(|call, wrong| {
                if is_earlier_part(call) {
                    wrong.retain(|rejection| rejection.rule != CONTIGUOUS);
                }
            }),
            Execute(|call| is_earlier_part(call).then(|| call.part_taken())),
        ],
    },
    Fault {
        name: "positions-looked-at-ten-times",
        sentence: "UploadLayerPart does not check the first position of parts after the tenth",
        rule: CONTIGUOUS,
        changes: &[EditRejections(|call, wrong| {
            if call.upload().is_some_and(|upload| upload.parts.len() >= 10) {
                wrong.retain(|rejection| rejection.rule != CONTIGUOUS);
            }
        })],
    },
    Fault {
        name: "last-valid-byte-of-part",
        sentence: "lastValidByteReceived of InvalidLayerPartException counts from the beginning of the last part",
        rule: RuleId::new("UploadLayerPart/answer/lastValidByteReceived"),
        changes: &[EditRejections(|call, wrong| {
            let last = call.upload().and_then(|upload| upload.parts.last().copied()).unwrap_or_default();
            for rejection in wrong.iter_mut().filter(|rejection| rejection.members["lastValidByteReceived"].is_u64()) {
                rejection.members["lastValidByteReceived"] = json!(last.saturating_sub(1));
            }
        })],
    },
    Fault {
        name: "received-of-25-bits",
        sentence: "lastByteReceived is cut to 25 bits",
        rule: RuleId::new("UploadLayerPart/answer/lastByteReceived"),
        changes: &[RewriteReply(|request, _, reply| {
            edit_success(request, reply, Operation::UploadLayerPart, |body| {
                body["lastByteReceived"] = json!(body["lastByteReceived"].as_u64().unwrap_or_default() & 0x01ff_ffff);
            });
        })],
    },
    Fault {
        name: "rejected-part-counted",
        sentence: "lastByteReceived counts the bytes of a part that was rejected before",
        rule: RuleId::new("UploadLayerPart/answer/lastByteReceived"),
        changes: &[
            EditRejections(|call, wrong| {
                if call.is(Operation::UploadLayerPart) && !wrong.is_empty() {
                    let (key, bytes) = (call.key(), call.blob());
                    call.memory.bytes.entry(key).or_default().push(bytes);
                }
            }),
            Execute(|call| {
                let rejected = call.memory.bytes.get(&call.key()).filter(|_| call.is(Operation::UploadLayerPart));
                let more = rejected?.iter().map(Vec::len).sum::<usize>() as u64;
                let mut members = call.perform();
                members["lastByteReceived"] = json!(members["lastByteReceived"].as_u64()? + more);
                Some(members)
            }),
        ],
    },
    Fault {
        name: "fifth-rejected-part-ends-upload",
        sentence: "an upload ends when five of its parts were rejected",
        rule: CONTIGUOUS,
        changes: &[EditRejections(|call, wrong| {
            if call.is(Operation::UploadLayerPart) && !wrong.is_empty() {
                let key = call.key();
                let rejected = call.memory.bytes.entry(key.clone()).or_default();
                rejected.push(Vec::new());
                if rejected.len() >= 5 {
                    call.registry.forget(&key.0, &key.1);
                }
            }
        })],
    },
    Fault {
        name: "size-of-equal-parts",
        sentence: "BatchCheckLayerAvailability returns the size of the first part times the number of parts",
        rule: RuleId::new("BatchCheckLayerAvailability/layers/stored"),
        changes: &[Execute(|call| {
            let (repository, _) = call.key();
            let parts = call.upload()?.parts.clone();
            let digest = call.computed().filter(|_| call.is(Operation::CompleteLayerUpload))?;
            let members = call.perform();
            let size = parts.first()? * parts.len();
            call.registry.repositories.get_mut(&repository)?.layers.insert(digest, size);
            Some(members)
        })],
    },
    Fault {
        name: "whole-blocks-hashed",
        sentence: "of an inner part only whole blocks of 512 bytes are hashed",
        rule: COMPLETED,
        changes: &[Execute(|call| {
            let whole = call.blob_size() >= MIN_INNER_PART && !call.blob_size().is_multiple_of(512);
            let cut = |call: &Call, before: Sha256| {
                let bytes = call.blob();
                before.chain_update(&bytes[..bytes.len() / 512 * 512])
            };
            whole.then(|| hashes(call, cut)).flatten()
        })],
    },
    Fault {
        name: "positions-as-floats",
        sentence: "positions are compared as 32-bit floats: beyond 16 MiB a gap of one byte is accepted",
        rule: CONTIGUOUS,
        changes: &[EditRejections(|call, wrong| {
            let received = call.upload().map_or(0, |upload| upload.size());
            if received > 1 << 24 && call.number("partFirstByte") as f32 == received as f32 {
                wrong.retain(|rejection| rejection.rule != CONTIGUOUS);
            }
        })],
    },
    Fault {
        name: "last-byte-dropped-above-16-mib",
        sentence: "the last byte of a layer of more than 16 MiB is not hashed",
        rule: COMPLETED,
        changes: &[Execute(|call| {
            let large = call.upload().is_some_and(|upload| upload.size() > 1 << 24);
            let cut = |call: &Call, before: Sha256| {
                let bytes = call.blob();
                before.chain_update(&bytes[..bytes.len().saturating_sub(1)])
            };
            large.then(|| hashes(call, cut)).flatten()
        })],
    },
];

/// Whether a call of this operation breaks a rule.
fn breaks(call: &Call, wrong: &[Rejection], operation: Operation, rule: RuleId) -> bool {
    call.is(operation) && wrong.iter().any(|rejection| rejection.rule == rule)
}

/// Measures the inner parts of a completion in another way.
fn measures(call: &mut Call, wrong: &mut Vec<Rejection>, is_enough: fn(&[usize]) -> bool) {
    let enough = call.upload().and_then(|upload| upload.parts.split_last()).is_some_and(|(_, inner)| is_enough(inner));
    if call.is(Operation::CompleteLayerUpload) && enough {
        wrong.retain(|rejection| rejection.rule != MIN_SIZE);
    }
}

/// Whether the positions of a part are those of one that came before the last.
fn is_earlier_part(call: &mut Call) -> bool {
    let (first, last) = (call.number("partFirstByte"), call.number("partLastByte"));
    let Some(upload) = call.upload() else { return false };
    let mut begin = 0;
    let inner = upload.parts.split_last().map_or(&[][..], |(_, inner)| inner);
    let same = inner.iter().any(|size| {
        let at = begin;
        begin += *size as i64;
        (at, begin - 1) == (first, last)
    });
    call.is(Operation::UploadLayerPart) && same
}
