//! Positions of parts: not looked at, counted otherwise, or kept in too few bits.

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use serde_json::json;

use super::super::Change::{Finds, Ignores, Performs, Takes};
use super::super::change::{Call, refusal};
use super::{Fault, fault, retext};
use crate::contract::Operation;
use crate::contract::check::long;

const CONTIGUOUS: &str = "UploadLayerPart/partFirstByte/contiguous";
const LENGTH: &str = "UploadLayerPart/layerPartBlob/length";
const INVERTED: &str = "UploadLayerPart/partLastByte/not-before-first";

pub(super) static FAULTS: &[Fault] = &[
    fault(
        "ranges-not-looked-at",
        "UploadLayerPart looks at neither position",
        CONTIGUOUS,
        &[Ignores(CONTIGUOUS), Ignores(LENGTH), Ignores(INVERTED)],
    ),
    fault(
        "first-byte-not-looked-at",
        "UploadLayerPart does not look at the first position",
        CONTIGUOUS,
        &[Ignores(CONTIGUOUS)],
    ),
    fault(
        "length-not-looked-at",
        "UploadLayerPart does not compare the number of bytes with the positions",
        LENGTH,
        &[Ignores(LENGTH), Ignores(INVERTED)],
    ),
    fault(
        "gaps-taken",
        "UploadLayerPart takes a part behind a gap",
        CONTIGUOUS,
        &[Finds(|call, wrong| {
            let received = call.upload().map_or(0, |upload| upload.size()) as i64;
            let first = call.number("partFirstByte");
            wrong.retain(|refusal| refusal.rule != CONTIGUOUS || first < received);
        })],
    ),
    fault(
        "overlaps-taken",
        "UploadLayerPart takes a part that begins before the end of the one before it, but not at 0",
        CONTIGUOUS,
        &[Finds(|call, wrong| {
            let received = call.upload().map_or(0, |upload| upload.size()) as i64;
            let first = call.number("partFirstByte");
            wrong.retain(|refusal| refusal.rule != CONTIGUOUS || first > received || first == 0);
        })],
    ),
    fault(
        "repeated-part-taken",
        "UploadLayerPart answers a part that it has already with success",
        CONTIGUOUS,
        &[
            Finds(|call, wrong| {
                if is_repeated(call) {
                    wrong.retain(|refusal| refusal.rule != CONTIGUOUS);
                }
            }),
            Performs(|call| is_repeated(call).then(|| call.part_taken())),
        ],
    ),
    fault(
        "late-start-taken",
        "UploadLayerPart takes a first part that does not begin at 0",
        CONTIGUOUS,
        &[Finds(|call, wrong| {
            if call.upload().is_some_and(|upload| upload.parts.is_empty()) {
                wrong.retain(|refusal| refusal.rule != CONTIGUOUS);
            }
        })],
    ),
    fault(
        "last-byte-excluded",
        "UploadLayerPart counts the last position as the one behind the part, as well",
        LENGTH,
        &[Takes(|call| {
            let size = call.blob_size() as i64;
            if call.is(Operation::UploadLayerPart) && size > 0 && call.span() == size + 1 {
                call.input.insert(String::from("partLastByte"), json!(call.last_by_size()));
            }
        })],
    ),
    fault(
        "short-part-taken",
        "UploadLayerPart takes fewer bytes than the positions say",
        LENGTH,
        &[Finds(|call, wrong| {
            let (said, size) = (call.span(), call.blob_size() as i64);
            wrong.retain(|refusal| refusal.rule != LENGTH || size > said);
        })],
    ),
    fault(
        "long-part-taken",
        "UploadLayerPart takes more bytes than the positions say",
        LENGTH,
        &[Finds(|call, wrong| {
            let (said, size) = (call.span(), call.blob_size() as i64);
            wrong.retain(|refusal| refusal.rule != LENGTH || size < said || said < 1);
        })],
    ),
    fault(
        "inverted-range-taken",
        "UploadLayerPart takes a last position before the first",
        INVERTED,
        &[Finds(|call, wrong| {
            if call.number("partLastByte") < call.number("partFirstByte") {
                wrong.retain(|refusal| refusal.rule != INVERTED && refusal.rule != LENGTH);
            }
        })],
    ),
    fault(
        "positions-of-32-bits",
        "positions are cut to 32 bits",
        CONTIGUOUS,
        &[Takes(|call| positions(call, |position| position & 0xffff_ffff))],
    ),
    fault(
        "last-position-of-31-bits",
        "the last position is cut to 31 bits",
        LENGTH,
        &[Takes(|call| {
            if let Some(last) = call.input.get("partLastByte").and_then(long) {
                call.input.insert(String::from("partLastByte"), json!(last & 0x7fff_ffff));
            }
        })],
    ),
    fault(
        "negative-positions-as-0",
        "UploadLayerPart reads a position below 0 as 0",
        "UploadLayerPart/partFirstByte/min",
        &[Takes(|call| positions(call, |position| position.max(0)))],
    ),
    fault(
        "negative-last-position",
        "UploadLayerPart computes the last position if it is below 0",
        "UploadLayerPart/partLastByte/min",
        &[Takes(|call| {
            if call.is(Operation::UploadLayerPart) && call.number("partLastByte") < 0 {
                call.input.insert(String::from("partLastByte"), json!(call.last_by_size()));
            }
        })],
    ),
    fault(
        "no-resuming",
        "after a refused part an upload takes no further one",
        "UploadLayerPart/partFirstByte/resume",
        &[Finds(|call, wrong| {
            if !call.is(Operation::UploadLayerPart) {
                return;
            }
            let key = call.key();
            if call.memory.ended.contains(&key) {
                wrong.push(refusal("InvalidLayerPartException", "UploadLayerPart/partFirstByte/resume"));
            } else if wrong.iter().any(|refusal| refusal.rule == CONTIGUOUS) {
                call.memory.ended.insert(key);
            }
        })],
    ),
    fault(
        "refused-part-kept",
        "a part that is refused for its position is kept all the same",
        "UploadLayerPart/partFirstByte/resume",
        &[Finds(|call, wrong| {
            if call.is(Operation::UploadLayerPart) && wrong.iter().any(|refusal| refusal.rule == CONTIGUOUS) {
                let bytes = call.blob();
                if let Some(upload) = call.upload() {
                    upload.parts.push(bytes.len());
                }
            }
        })],
    ),
    fault(
        "base64-of-urls",
        "UploadLayerPart takes base64 of the alphabet for URLs",
        "UploadLayerPart/layerPartBlob/base64",
        &[Takes(|call| decoded(call, |text| URL_SAFE.decode(text).ok()))],
    ),
    fault(
        "base64-lenient",
        "UploadLayerPart skips what is no base64, as Python does",
        "UploadLayerPart/layerPartBlob/base64",
        &[Takes(|call| {
            decoded(call, |text| {
                let kept: String = text
                    .chars()
                    .filter(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '/'))
                    .collect();
                lenient().decode(&kept[..kept.len() - usize::from(kept.len() % 4 == 1)]).ok()
            })
        })],
    ),
    fault(
        "base64-not-looked-at",
        "UploadLayerPart takes text that is no base64 as an empty part",
        "UploadLayerPart/layerPartBlob/base64",
        &[Ignores("UploadLayerPart/layerPartBlob/base64")],
    ),
    fault(
        "base64-raw",
        "UploadLayerPart takes text that is no base64 as the bytes themselves, of whatever length",
        "UploadLayerPart/layerPartBlob/base64",
        &[Takes(|call| decoded(call, |text| Some(text.as_bytes().to_vec())))],
    ),
];

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
