//! Byte ranges: where parts begin and end, how long they are, and how an upload goes on after a rejected one.

use crate::case::Case;
use crate::case::draft::{Draft, HERE, SMALL};
use crate::contract::{Operation, RuleId, Service};
use crate::model::operation::body;

const UPLOAD: Operation = Operation::UploadLayerPart;

/// The cases about ranges, far positions last.
pub fn cases(service: Service) -> Vec<Case> {
    let mut cases = positions(service);
    cases.extend(lengths(service));
    cases.push(resumed(service));
    cases.extend(sizes(service));
    cases.extend(far(service));
    cases
}

fn draft(service: Service, rule: RuleId, variant: &str, title: &str) -> Draft {
    Draft::new(service, format!("{rule}/{variant}"), title)
        .chunk("layer", SMALL)
        .chunk("next", SMALL)
        .initiate("upload")
}

/// Parts that do not begin where the last one ended.
fn positions(service: Service) -> Vec<Case> {
    let rule = RuleId::new("UploadLayerPart/partFirstByte/contiguous");
    let from_zero = RuleId::new("UploadLayerPart/partFirstByte/from-zero");
    let first = |variant: &str, title: &str, at: usize| {
        let body = body::part(HERE, "upload", "layer", at, SMALL);
        draft(service, from_zero, variant, title).focus(from_zero, UPLOAD, body).done()
    };
    let second = |variant: &str, title: &str, chunk: &str, at: usize| {
        let body = body::part(HERE, "upload", chunk, at, SMALL);
        draft(service, rule, variant, title).part("part", "upload", "layer", 0).focus(rule, UPLOAD, body).done()
    };
    vec![
        first("at-1", "the first part at 1", 1),
        first("at-length", "the first part at its own length", SMALL),
        second("gap", "a gap of one byte", "next", SMALL + 1),
        second("far-gap", "a gap of 1 GiB", "next", SMALL + (1 << 30)),
        second("overlap", "an overlap of one byte", "next", SMALL - 1),
        second("same-part-again", "the same part again", "layer", 0),
        second("other-bytes-again", "other bytes at the same place", "next", 0),
        {
            let accepted = draft(
                service,
                RuleId::new("UploadLayerPart/accepted"),
                "second-part",
                "a second part right after the first",
            );
            let body = body::part(HERE, "upload", "next", SMALL, SMALL);
            accepted
                .part("part", "upload", "layer", 0)
                .focus(RuleId::new("UploadLayerPart/accepted"), UPLOAD, body)
                .done()
        },
        Draft::new(service, "UploadLayerPart/accepted/one-byte", "a part of one byte, from 0 to 0")
            .chunk("byte", 1)
            .initiate("upload")
            .focus(RuleId::new("UploadLayerPart/accepted"), UPLOAD, body::part(HERE, "upload", "byte", 0, 1))
            .done(),
    ]
}

/// Ranges that are no ranges, or not those of the bytes.
fn lengths(service: Service) -> Vec<Case> {
    let length = RuleId::new("UploadLayerPart/layerPartBlob/length");
    let order = RuleId::new("UploadLayerPart/partLastByte/not-before-first");
    let row = |rule: RuleId, variant: &str, title: &str, last: &str| {
        let body = body::part(HERE, "upload", "layer", 0, SMALL).set("partLastByte", last);
        draft(service, rule, variant, title).focus(rule, UPLOAD, body).done()
    };
    let before = body::part(HERE, "upload", "next", SMALL, SMALL).set("partLastByte", (SMALL - 1).to_string());
    let far_before = body::part(HERE, "upload", "next", SMALL, SMALL).set("partLastByte", "0");
    let inverted = |variant: &str, title: &str, body| {
        draft(service, order, variant, title).part("part", "upload", "layer", 0).focus(order, UPLOAD, body).done()
    };
    let empty = RuleId::new("UploadLayerPart/layerPartBlob/empty");
    let no_bytes = body::part(HERE, "upload", "layer", 0, 1).text("layerPartBlob", "");
    vec![
        row(length, "one-byte-short", "a range one byte longer than the part", &SMALL.to_string()),
        row(length, "one-byte-over", "a range one byte shorter than the part", &(SMALL - 2).to_string()),
        row(length, "exclusive-end", "a range of one byte for 32", "0"),
        inverted("one-before", "a last byte one before the first", before),
        inverted("zero", "a last byte of 0 with a first of 32", far_before),
        draft(service, empty, "one-byte-range", "no bytes for a range of one").focus(empty, UPLOAD, no_bytes).done(),
    ]
}

/// After a rejected part the right one is taken, and the layer is that of the parts that were taken.
fn resumed(service: Service) -> Case {
    let rule = RuleId::new("UploadLayerPart/partFirstByte/resume");
    let draft = draft(service, rule, "after-gap", "the right part after a rejected one")
        .own(&[])
        .part("part", "upload", "layer", 0)
        .focus_as(
            "gap",
            RuleId::new("UploadLayerPart/partFirstByte/contiguous"),
            UPLOAD,
            body::part(HERE, "upload", "next", SMALL + 1, SMALL),
        );
    let right = draft.focus_as("right", rule, UPLOAD, body::part(HERE, "upload", "next", SMALL, SMALL));
    right.done()
}

/// The largest part, one byte more, and far more.
fn sizes(service: Service) -> Vec<Case> {
    let row = |rule: RuleId, variant: &str, title: &str, size: usize| {
        let draft =
            Draft::new(service, format!("{rule}/{variant}"), title).own(&[]).chunk("large", size).initiate("upload");
        draft.focus(rule, UPLOAD, body::part(HERE, "upload", "large", 0, size)).done()
    };
    let max = RuleId::new("UploadLayerPart/layerPartBlob/max-size");
    // No chunk holds so many bytes. Still more would meet what servers allow of any request before they look at it.
    let zeros = body::part(HERE, "upload", "large", 0, 23_068_674).text("layerPartBlob", "${repeat:30758232:A}");
    vec![
        row(
            RuleId::new("UploadLayerPart/layerPartBlob/above-10-MiB"),
            "10485761-bytes",
            "a part of 10 MiB and one byte",
            10_485_761,
        ),
        row(
            RuleId::new("UploadLayerPart/layerPartBlob/above-10-MiB"),
            "20971520-bytes",
            "a part of 20 MiB",
            20_971_520,
        ),
        row(max, "20971521-bytes", "a part of 20 MiB and one byte", 20_971_521),
        Draft::new(service, format!("{max}/23068674-bytes"), "a part of 22 MiB and two bytes")
            .own(&[])
            .initiate("upload")
            .focus(max, UPLOAD, zeros)
            .done(),
    ]
}

/// Positions far beyond what was received: nothing may be allocated for the gap.
fn far(service: Service) -> Vec<Case> {
    let far: [(&str, u64); 5] = [
        ("2-30", 1 << 30),
        ("2-31-1", (1 << 31) - 1),
        ("2-31", 1 << 31),
        ("2-32", 1 << 32),
        ("2-53-and-1", (1 << 53) + 1),
    ];
    let from_zero = RuleId::new("UploadLayerPart/partFirstByte/from-zero");
    let length = RuleId::new("UploadLayerPart/layerPartBlob/length");
    let mut cases = Vec::new();
    // What is left of it in 31 or 32 bits is right.
    let wrapped = ("2-32-too-far", (1 << 32) + SMALL as u64 - 1);
    for (variant, position) in far.into_iter().chain([wrapped]) {
        let last = body::part(HERE, "upload", "layer", 0, SMALL).set("partLastByte", position.to_string());
        let title = format!("a range that ends at {position}");
        cases
            .push(draft(service, length, &format!("last-{variant}"), &title).focus(length, UPLOAD, last).last().done());
    }
    for (variant, position) in far {
        let body = body::part(HERE, "upload", "layer", 0, SMALL)
            .set("partFirstByte", position.to_string())
            .set("partLastByte", (position + SMALL as u64 - 1).to_string());
        let title = format!("the first part at {position}");
        cases.push(
            draft(service, from_zero, &format!("at-{variant}"), &title).focus(from_zero, UPLOAD, body).last().done(),
        );
    }
    let largest = i64::MAX.to_string();
    let byte = Draft::new(service, format!("{from_zero}/at-2-63-1"), "one byte at the last position there is")
        .chunk("byte", 1)
        .initiate("upload");
    let body =
        body::part(HERE, "upload", "byte", 0, 1).set("partFirstByte", largest.clone()).set("partLastByte", largest);
    cases.push(byte.focus(from_zero, UPLOAD, body).last().done());
    cases
}
