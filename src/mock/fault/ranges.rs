//! Positions of parts: not looked at, counted otherwise, or kept in too few bits.

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use serde_json::json;

use super::super::Change::{EditRejections, Execute, RewriteInput, SkipRule};
use super::super::change::{Call, rejection};
use super::{Fault, retext};
use crate::contract::check::long;
use crate::contract::{Operation, RuleId, RulePattern};
use crate::model::Rejection;

const CONTIGUOUS: RuleId = RuleId::new("UploadLayerPart/partFirstByte/contiguous");
const FROM_ZERO: RuleId = RuleId::new("UploadLayerPart/partFirstByte/from-zero");
const LENGTH: RuleId = RuleId::new("UploadLayerPart/layerPartBlob/length");
const INVERTED: RuleId = RuleId::new("UploadLayerPart/partLastByte/not-before-first");

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "ranges-not-looked-at",
        sentence: "UploadLayerPart checks neither position",
        rule: CONTIGUOUS,
        changes: &[
            SkipRule(RulePattern::only(CONTIGUOUS)),
            SkipRule(RulePattern::only(FROM_ZERO)),
            SkipRule(RulePattern::only(LENGTH)),
            SkipRule(RulePattern::only(INVERTED)),
        ],
    },
    Fault {
        name: "first-byte-not-looked-at",
        sentence: "UploadLayerPart does not check the first position",
        rule: CONTIGUOUS,
        changes: &[SkipRule(RulePattern::only(CONTIGUOUS)), SkipRule(RulePattern::only(FROM_ZERO))],
    },
    Fault {
        name: "length-not-looked-at",
        sentence: "UploadLayerPart does not compare the number of bytes with the positions",
        rule: LENGTH,
        changes: &[SkipRule(RulePattern::only(LENGTH)), SkipRule(RulePattern::only(INVERTED))],
    },
    Fault {
        name: "gaps-taken",
        sentence: "UploadLayerPart accepts a part after a gap",
        rule: CONTIGUOUS,
        changes: &[EditRejections(|call, wrong| {
            let received = call.upload().map_or(0, |upload| upload.size()) as i64;
            let first = call.number("partFirstByte");
            wrong.retain(|rejection| !is_of_position(rejection) || first < received);
        })],
    },
    Fault {
        name: "overlaps-taken",
        sentence: "UploadLayerPart accepts a part that starts before the end of the one before it, but not at 0",
        rule: CONTIGUOUS,
        changes: &[EditRejections(|call, wrong| {
            let received = call.upload().map_or(0, |upload| upload.size()) as i64;
            let first = call.number("partFirstByte");
            wrong.retain(|rejection| !is_of_position(rejection) || first > received || first == 0);
        })],
    },
    Fault {
        name: "repeated-part-taken",
        sentence: "UploadLayerPart accepts a part that it already has",
        rule: CONTIGUOUS,
        changes: &[
            EditRejections(|call, wrong| {
                if is_repeated(call) {
                    wrong.retain(|rejection| rejection.rule != CONTIGUOUS);
                }
            }),
            Execute(|call| is_repeated(call).then(|| call.part_taken())),
        ],
    },
    Fault {
        name: "late-start-taken",
        sentence: "UploadLayerPart accepts a first part that does not begin at 0",
        rule: FROM_ZERO,
        changes: &[SkipRule(RulePattern::only(FROM_ZERO))],
    },
    Fault {
        name: "last-byte-excluded",
        sentence: "UploadLayerPart also accepts the position after the part as its last one",
        rule: LENGTH,
        changes: &[RewriteInput(|call| {
            let size = call.blob_size() as i64;
            if call.is(Operation::UploadLayerPart) && size > 0 && call.span() == size + 1 {
                call.input.insert(String::from("partLastByte"), json!(call.last_by_size()));
            }
        })],
    },
    Fault {
        name: "short-part-taken",
        sentence: "UploadLayerPart accepts fewer bytes than the positions say",
        rule: LENGTH,
        changes: &[EditRejections(|call, wrong| {
            let (said, size) = (call.span(), call.blob_size() as i64);
            wrong.retain(|rejection| rejection.rule != LENGTH || size > said);
        })],
    },
    Fault {
        name: "long-part-taken",
        sentence: "UploadLayerPart accepts more bytes than the positions say",
        rule: LENGTH,
        changes: &[EditRejections(|call, wrong| {
            let (said, size) = (call.span(), call.blob_size() as i64);
            wrong.retain(|rejection| rejection.rule != LENGTH || size < said || said < 1);
        })],
    },
    Fault {
        name: "inverted-range-taken",
        sentence: "UploadLayerPart accepts a last position before the first",
        rule: INVERTED,
        changes: &[EditRejections(|call, wrong| {
            if call.number("partLastByte") < call.number("partFirstByte") {
                wrong.retain(|rejection| rejection.rule != INVERTED && rejection.rule != LENGTH);
            }
        })],
    },
    Fault {
        name: "positions-of-32-bits",
        sentence: "positions are cut to 32 bits",
        rule: FROM_ZERO,
        changes: &[RewriteInput(|call| positions(call, |position| position & 0xffff_ffff))],
    },
    Fault {
        name: "last-position-of-31-bits",
        sentence: "the last position is cut to 31 bits",
        rule: LENGTH,
        changes: &[RewriteInput(|call| {
            if let Some(last) = call.input.get("partLastByte").and_then(long) {
                call.input.insert(String::from("partLastByte"), json!(last & 0x7fff_ffff));
            }
        })],
    },
    Fault {
        name: "negative-positions-as-0",
        sentence: "UploadLayerPart reads a negative position as 0",
        rule: RuleId::new("UploadLayerPart/partFirstByte/min"),
        changes: &[RewriteInput(|call| positions(call, |position| position.max(0)))],
    },
    Fault {
        name: "negative-last-position",
        sentence: "UploadLayerPart computes the last position if it is negative",
        rule: RuleId::new("UploadLayerPart/partLastByte/min"),
        changes: &[RewriteInput(|call| {
            if call.is(Operation::UploadLayerPart) && call.number("partLastByte") < 0 {
                call.input.insert(String::from("partLastByte"), json!(call.last_by_size()));
            }
        })],
    },
    Fault {
        name: "no-resuming",
        sentence: "after a rejected part an upload accepts no further part",
        rule: RuleId::new("UploadLayerPart/partFirstByte/resume"),
        changes: &[EditRejections(|call, wrong| {
            if !call.is(Operation::UploadLayerPart) {
                return;
            }
            let key = call.key();
            if call.memory.ended.contains(&key) {
                wrong.push(rejection("InvalidLayerPartException", RuleId::new("UploadLayerPart/partFirstByte/resume")));
            } else if wrong.iter().any(is_of_position) {
                call.memory.ended.insert(key);
            }
        })],
    },
    Fault {
        name: "rejected-part-kept",
        sentence: "a part that is rejected for its position is stored anyway",
        rule: RuleId::new("UploadLayerPart/partFirstByte/resume"),
        changes: &[EditRejections(|call, wrong| {
            if call.is(Operation::UploadLayerPart) && wrong.iter().any(is_of_position) {
                let bytes = call.blob();
                if let Some(upload) = call.upload() {
                    upload.parts.push(bytes.len());
                }
            }
        })],
    },
    Fault {
        name: "empty-parts-taken",
        sentence: "an empty part is accepted, and changes nothing",
        rule: RuleId::new("UploadLayerPart/layerPartBlob/empty"),
        changes: &[
            EditRejections(|call, wrong| {
                let empty = call.is(Operation::UploadLayerPart) && call.blob_size() == 0;
                if empty && wrong.iter().any(|rejection| rejection.rule.is("layerPartBlob/empty")) {
                    wrong.clear();
                }
            }),
            Execute(|call| (call.is(Operation::UploadLayerPart) && call.blob_size() == 0).then(|| call.part_taken())),
        ],
    },
    Fault {
        name: "first-position-saturates",
        sentence: "a first position beyond 64 bits counts as 0",
        rule: RuleId::new("UploadLayerPart/partFirstByte/64-bit"),
        changes: &[RewriteInput(|call| read_if_beyond(call, "partFirstByte", |_| 0))],
    },
    Fault {
        name: "last-position-saturates",
        sentence: "a last position beyond 64 bits counts as the end of the part",
        rule: RuleId::new("UploadLayerPart/partLastByte/64-bit"),
        changes: &[RewriteInput(|call| read_if_beyond(call, "partLastByte", |call| call.last_by_size()))],
    },
    Fault {
        name: "unpadded-base64-taken",
        sentence: "base64 may lack its padding",
        rule: RuleId::new("UploadLayerPart/layerPartBlob/base64-padding"),
        changes: &[RewriteInput(|call| {
            let text = String::from(call.text("layerPartBlob"));
            if call.is(Operation::UploadLayerPart) && !text.contains('=') && !text.len().is_multiple_of(4) {
                let padded = format!("{text}{}", "=".repeat(4 - text.len() % 4));
                call.input.insert(String::from("layerPartBlob"), json!(padded));
            }
        })],
    },
    Fault {
        name: "base64-of-urls",
        sentence: "UploadLayerPart accepts base64 in the URL-safe alphabet",
        rule: RuleId::new("UploadLayerPart/layerPartBlob/base64"),
        changes: &[RewriteInput(|call| decoded(call, |text| URL_SAFE.decode(text).ok()))],
    },
    Fault {
        name: "base64-lenient",
        sentence: "UploadLayerPart skips characters that are not base64, as Python does",
        rule: RuleId::new("UploadLayerPart/layerPartBlob/base64"),
        changes: &[RewriteInput(|call| {
            decoded(call, |text| {
                let kept: String = text
                    .chars()
                    .filter(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '/'))
                    .collect();
                lenient().decode(&kept[..kept.len() - usize::from(kept.len() % 4 == 1)]).ok()
            })
        })],
    },
    Fault {
        name: "base64-not-looked-at",
        sentence: "UploadLayerPart treats text that is not base64 as an empty part",
        rule: RuleId::new("UploadLayerPart/layerPartBlob/base64"),
        changes: &[SkipRule(RulePattern::new("UploadLayerPart/layerPartBlob/base64"))],
    },
    Fault {
        name: "base64-raw",
        sentence: "UploadLayerPart treats text that is not base64 as the bytes themselves, of any length",
        rule: RuleId::new("UploadLayerPart/layerPartBlob/base64"),
        changes: &[RewriteInput(|call| decoded(call, |text| Some(text.as_bytes().to_vec())))],
    },
];

/// Reads a number that no 64 bits hold as another one.
fn read_if_beyond(call: &mut Call, member: &str, read: fn(&Call) -> i64) {
    let beyond = |value: &serde_json::Value| value.as_f64().is_some_and(|number| number >= i64::MAX as f64);
    if call.input.get(member).is_some_and(beyond) {
        let value = json!(read(call));
        call.input.insert(String::from(member), value);
    }
}

/// Whether a part begins at the wrong place.
fn is_of_position(rejection: &Rejection) -> bool {
    [CONTIGUOUS, FROM_ZERO].contains(&rejection.rule)
}

fn is_repeated(call: &mut Call) -> bool {
    let (first, last) = (call.number("partFirstByte"), call.number("partLastByte"));
    let received = call.upload().map_or(0, |upload| upload.size()) as i64;
    call.is(Operation::UploadLayerPart) && first >= 0 && last >= first && last < received
}

fn positions(call: &mut Call, change: fn(i64) -> i64) {
    for member in ["partFirstByte", "partLastByte"] {
        if let Some(position) = call.input.get(member).and_then(long) {
            call.input.insert(String::from(member), json!(change(position)));
        }
    }
}

/// Reads a part that is no base64 in another way, as many bytes as the positions say, but no more than 1 MiB.
fn decoded(call: &mut Call, decode: fn(&str) -> Option<Vec<u8>>) {
    if !call.is(Operation::UploadLayerPart) {
        return;
    }
    let size = call.made_size();
    retext(&mut call.input, "layerPartBlob", |text| match (STANDARD.decode(text), decode(text)) {
        (Err(_), Some(mut bytes)) => {
            bytes.resize(size, 0);
            STANDARD.encode(bytes)
        }
        _ => String::from(text),
    });
}

fn lenient() -> GeneralPurpose {
    GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true),
    )
}
