//! Lengths, sizes and numbers of items: off by one on both sides, or not looked at.

use serde_json::Value;

use super::super::Change::{Admits, Finds, Ignores, Refuses, Takes};
use super::super::change::{Call, invalid_parameter, refusal};
use super::{Fault, fault, length};
use crate::contract::Operation;
use crate::model::Refusal;
use crate::model::registry::MIN_INNER_PART;

pub(super) static FAULTS: &[Fault] = &[
    fault(
        "initiate-name-one-longer",
        "InitiateLayerUpload takes a repository name of one character more than the most",
        "InitiateLayerUpload/repositoryName/max-length",
        &[Admits("InitiateLayerUpload/repositoryName/max-length", one_longer)],
    ),
    fault(
        "part-name-one-longer",
        "UploadLayerPart takes a repository name of one character more than the most",
        "UploadLayerPart/repositoryName/max-length",
        &[Admits("UploadLayerPart/repositoryName/max-length", one_longer)],
    ),
    fault(
        "complete-name-one-longer",
        "CompleteLayerUpload takes a repository name of one character more than the most",
        "CompleteLayerUpload/repositoryName/max-length",
        &[Admits("CompleteLayerUpload/repositoryName/max-length", one_longer)],
    ),
    fault(
        "check-name-unbounded",
        "BatchCheckLayerAvailability takes repository names of any length",
        "BatchCheckLayerAvailability/repositoryName/max-length",
        &[Ignores("BatchCheckLayerAvailability/repositoryName/max-length")],
    ),
    fault(
        "url-name-unbounded",
        "GetDownloadUrlForLayer takes repository names of any length",
        "GetDownloadUrlForLayer/repositoryName/max-length",
        &[Ignores("GetDownloadUrlForLayer/repositoryName/max-length")],
    ),
    fault(
        "name-one-shorter",
        "the longest repository name that is admitted is refused by CompleteLayerUpload",
        "CompleteLayerUpload/repositoryName/accepted",
        &[Refuses("CompleteLayerUpload/repositoryName/accepted", |name| matches!(length(name), 205 | 256))],
    ),
    fault(
        "initiate-name-one-shorter",
        "the longest repository name that is admitted is refused by InitiateLayerUpload",
        "InitiateLayerUpload/repositoryName/accepted",
        &[Refuses("InitiateLayerUpload/repositoryName/accepted", |name| matches!(length(name), 205 | 256))],
    ),
    fault(
        "initiate-name-1-character",
        "InitiateLayerUpload takes a repository name of one character",
        "InitiateLayerUpload/repositoryName/min-length",
        &[Admits("InitiateLayerUpload/repositoryName/min-length", |name| length(name) == 1)],
    ),
    fault(
        "complete-name-1-character",
        "CompleteLayerUpload takes a repository name of one character",
        "CompleteLayerUpload/repositoryName/min-length",
        &[Admits("CompleteLayerUpload/repositoryName/min-length", |name| length(name) == 1)],
    ),
    fault(
        "part-name-empty",
        "UploadLayerPart takes an empty repository name",
        "UploadLayerPart/repositoryName/min-length",
        &[
            Admits("UploadLayerPart/repositoryName/min-length", |name| length(name) == 0),
            Admits("UploadLayerPart/repositoryName/pattern", |name| length(name) == 0),
        ],
    ),
    fault(
        "name-2-characters-refused",
        "a repository name of two characters is refused",
        "CompleteLayerUpload/repositoryName/exists",
        &[Refuses("*/repositoryName/accepted", |name| length(name) == 2)],
    ),
    fault(
        "digests-101",
        "CompleteLayerUpload takes 101 digests",
        "CompleteLayerUpload/layerDigests/max-items",
        &[Admits("CompleteLayerUpload/layerDigests/max-items", |list| length(list) == 101)],
    ),
    fault(
        "digests-unbounded",
        "CompleteLayerUpload takes any number of digests",
        "CompleteLayerUpload/layerDigests/max-items",
        &[Ignores("CompleteLayerUpload/layerDigests/max-items")],
    ),
    fault(
        "digests-many",
        "CompleteLayerUpload refuses 101 to 255 digests, and takes more",
        "CompleteLayerUpload/layerDigests/max-items",
        &[Admits("CompleteLayerUpload/layerDigests/max-items", |list| length(list) > 255)],
    ),
    fault(
        "digests-counted-once",
        "CompleteLayerUpload counts distinct digests",
        "CompleteLayerUpload/layerDigests/max-items",
        &[Admits("CompleteLayerUpload/layerDigests/max-items", |list| {
            let distinct: std::collections::BTreeSet<&str> = super::texts(list).into_iter().collect();
            distinct.len() <= 100
        })],
    ),
    fault(
        "digests-cut-at-100",
        "CompleteLayerUpload looks at the first hundred digests",
        "CompleteLayerUpload/layerDigests/max-items",
        &[Takes(|call| {
            if call.is(Operation::CompleteLayerUpload)
                && let Some(Value::Array(list)) = call.input.get_mut("layerDigests")
            {
                list.truncate(100);
            }
        })],
    ),
    fault(
        "digests-100-refused",
        "CompleteLayerUpload takes fewer than a hundred digests",
        "CompleteLayerUpload/layerDigests/any-match",
        &[Refuses("CompleteLayerUpload/layerDigests/max-items", |list| length(list) == 100)],
    ),
    fault(
        "digests-10-at-most",
        "CompleteLayerUpload takes at most ten digests",
        "CompleteLayerUpload/layerDigests/any-match",
        &[Refuses("CompleteLayerUpload/layerDigests/max-items", |list| length(list) > 10)],
    ),
    fault(
        "digests-none",
        "CompleteLayerUpload takes an empty list of digests",
        "CompleteLayerUpload/layerDigests/min-items",
        &[Ignores("CompleteLayerUpload/layerDigests/min-items")],
    ),
    fault(
        "lookup-101",
        "BatchCheckLayerAvailability takes 101 digests",
        "BatchCheckLayerAvailability/layerDigests/max-items",
        &[Admits("BatchCheckLayerAvailability/layerDigests/max-items", |list| length(list) == 101)],
    ),
    fault(
        "lookup-100-refused",
        "BatchCheckLayerAvailability takes fewer than a hundred digests",
        "BatchCheckLayerAvailability/accepted",
        &[Refuses("BatchCheckLayerAvailability/layerDigests/max-items", |list| length(list) == 100)],
    ),
    fault(
        "lookup-none",
        "BatchCheckLayerAvailability takes an empty list of digests",
        "BatchCheckLayerAvailability/layerDigests/min-items",
        &[Ignores("BatchCheckLayerAvailability/layerDigests/min-items")],
    ),
    fault(
        "lookup-digest-one-longer",
        "BatchCheckLayerAvailability takes a digest of 1001 characters",
        "BatchCheckLayerAvailability/layerDigests/item-max-length",
        &[Admits("BatchCheckLayerAvailability/layerDigests/item-max-length", |list| longest(list) == 1001)],
    ),
    fault(
        "lookup-digest-unbounded",
        "BatchCheckLayerAvailability takes digests of any length",
        "BatchCheckLayerAvailability/layerDigests/item-max-length",
        &[Ignores("BatchCheckLayerAvailability/layerDigests/item-max-length")],
    ),
    fault(
        "lookup-digest-one-shorter",
        "BatchCheckLayerAvailability refuses a digest of 1000 characters",
        "BatchCheckLayerAvailability/accepted",
        &[Refuses("BatchCheckLayerAvailability/layerDigests/item-max-length", |list| longest(list) == 1000)],
    ),
    fault(
        "registry-13-digits",
        "CompleteLayerUpload takes a registry id of 13 digits",
        "CompleteLayerUpload/registryId/pattern",
        &[Admits("CompleteLayerUpload/registryId/pattern", |id| digits(id, 13))],
    ),
    fault(
        "registry-11-digits",
        "InitiateLayerUpload takes a registry id of 11 digits",
        "InitiateLayerUpload/registryId/pattern",
        &[Admits("InitiateLayerUpload/registryId/pattern", |id| digits(id, 11))],
    ),
    fault(
        "alias-257-characters",
        "CompleteLayerUpload takes registry ids longer than 256 characters",
        "CompleteLayerUpload/registryId/max-length",
        &[Ignores("CompleteLayerUpload/registryId/max-length")],
    ),
    fault(
        "alias-empty",
        "UploadLayerPart takes an empty registry id",
        "UploadLayerPart/registryId/min-length",
        &[Ignores("UploadLayerPart/registryId/min-length")],
    ),
    fault(
        "part-above-20-mib",
        "UploadLayerPart takes parts of any size",
        "UploadLayerPart/layerPartBlob/max-size",
        &[Ignores("UploadLayerPart/layerPartBlob/max-size")],
    ),
    fault(
        "part-of-5-mib-refused",
        "UploadLayerPart refuses parts of 5 MiB",
        "UploadLayerPart/accepted",
        &[Finds(|call, wrong| {
            if call.is(Operation::UploadLayerPart) && call.blob_size() == MIN_INNER_PART {
                wrong.push(invalid_parameter("UploadLayerPart/accepted"));
            }
        })],
    ),
    fault(
        "inner-part-not-measured",
        "CompleteLayerUpload does not look at the size of parts",
        "CompleteLayerUpload/parts/min-size",
        &[Ignores("CompleteLayerUpload/parts/min-size")],
    ),
    fault(
        "inner-part-one-smaller",
        "CompleteLayerUpload takes inner parts of one byte less than 5 MiB",
        "CompleteLayerUpload/parts/min-size",
        &[Finds(|call, wrong| inner_parts(call, wrong, |size| size >= MIN_INNER_PART - 1))],
    ),
    fault(
        "inner-part-of-5-mb",
        "CompleteLayerUpload takes inner parts of 5,000,000 bytes",
        "CompleteLayerUpload/parts/min-size",
        &[Finds(|call, wrong| inner_parts(call, wrong, |size| size >= 5_000_000))],
    ),
    fault(
        "inner-part-one-larger",
        "CompleteLayerUpload refuses inner parts of 5 MiB",
        "CompleteLayerUpload/accepted",
        &[Finds(|call, wrong| inner_parts(call, wrong, |size| size > MIN_INNER_PART))],
    ),
    fault(
        "first-part-not-measured",
        "CompleteLayerUpload looks at the size of the parts between the first and the last",
        "CompleteLayerUpload/parts/min-size",
        &[Finds(|call, wrong| {
            parts(call, wrong, |sizes| sizes.iter().skip(1).rev().skip(1).all(|size| *size >= MIN_INNER_PART))
        })],
    ),
    fault(
        "middle-part-not-measured",
        "CompleteLayerUpload looks at the size of the first part alone",
        "CompleteLayerUpload/parts/min-size",
        &[Finds(|call, wrong| parts(call, wrong, |sizes| sizes.len() < 2 || sizes[0] >= MIN_INNER_PART))],
    ),
    fault(
        "last-part-measured",
        "CompleteLayerUpload asks for 5 MiB of the last of several parts as well",
        "CompleteLayerUpload/accepted",
        &[Finds(|call, wrong| {
            parts(call, wrong, |sizes| sizes.len() < 2 || sizes.iter().all(|size| *size >= MIN_INNER_PART));
        })],
    ),
    fault(
        "small-part-refused-early",
        "UploadLayerPart refuses the part after a small one",
        "UploadLayerPart/accepted",
        &[Finds(|call, wrong| {
            let small = call.upload().and_then(|upload| upload.parts.last()).is_some_and(|size| *size < MIN_INNER_PART);
            if call.is(Operation::UploadLayerPart) && small && wrong.is_empty() {
                wrong.push(refusal("InvalidLayerPartException", "UploadLayerPart/accepted"));
            }
        })],
    ),
];

fn one_longer(name: &Value) -> bool {
    matches!(length(name), 206 | 257)
}

fn longest(list: &Value) -> usize {
    super::texts(list).iter().map(|text| text.chars().count()).max().unwrap_or_default()
}

fn digits(id: &Value, count: usize) -> bool {
    id.as_str().is_some_and(|id| id.len() == count && id.bytes().all(|byte| byte.is_ascii_digit()))
}

/// CompleteLayerUpload with another idea of how large all parts but the last must be.
fn inner_parts(call: &mut Call, wrong: &mut Vec<Refusal>, is_enough: fn(usize) -> bool) {
    parts(call, wrong, |sizes| sizes.split_last().is_none_or(|(_, inner)| inner.iter().all(|size| is_enough(*size))));
}

/// CompleteLayerUpload with another idea of which parts are too small.
fn parts(call: &mut Call, wrong: &mut Vec<Refusal>, are_right: impl Fn(&[usize]) -> bool) {
    let Some(upload) = call.upload() else { return };
    let right = are_right(&upload.parts);
    if !call.is(Operation::CompleteLayerUpload) {
        return;
    }
    wrong.retain(|refusal| refusal.rule != "CompleteLayerUpload/parts/min-size");
    if !right {
        wrong.insert(0, refusal("LayerPartTooSmallException", "CompleteLayerUpload/parts/min-size"));
    }
}
