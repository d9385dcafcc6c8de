//! Lengths, sizes and numbers of items: off by one on both sides, or not looked at.

use serde_json::Value;

use super::super::Change::{AcceptIf, EditRejections, RejectIf, RewriteInput, SkipRule};
use super::super::change::{Call, invalid_parameter, rejection};
use super::{Fault, length};
use crate::contract::{Operation, RuleId, RulePattern};
use crate::model::Rejection;
use crate::model::registry::MIN_INNER_PART;

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "initiate-name-one-longer",
        sentence: "InitiateLayerUpload accepts a repository name one character over the limit",
        rule: RuleId::new("InitiateLayerUpload/repositoryName/max-length"),
        changes: &[AcceptIf(RulePattern::new("InitiateLayerUpload/repositoryName/max-length"), one_longer)],
    },
    Fault {
        name: "part-name-one-longer",
        sentence: "UploadLayerPart accepts a repository name one character over the limit",
        rule: RuleId::new("UploadLayerPart/repositoryName/max-length"),
        changes: &[AcceptIf(RulePattern::new("UploadLayerPart/repositoryName/max-length"), one_longer)],
    },
    Fault {
        name: "complete-name-one-longer",
        sentence: "CompleteLayerUpload accepts a repository name one character over the limit",
        rule: RuleId::new("CompleteLayerUpload/repositoryName/max-length"),
        changes: &[AcceptIf(RulePattern::new("CompleteLayerUpload/repositoryName/max-length"), one_longer)],
    },
    Fault {
        name: "check-name-unbounded",
        sentence: "BatchCheckLayerAvailability accepts repository names of any length",
        rule: RuleId::new("BatchCheckLayerAvailability/repositoryName/max-length"),
        changes: &[SkipRule(RulePattern::new("BatchCheckLayerAvailability/repositoryName/max-length"))],
    },
    Fault {
        name: "url-name-unbounded",
        sentence: "GetDownloadUrlForLayer accepts repository names of any length",
        rule: RuleId::new("GetDownloadUrlForLayer/repositoryName/max-length"),
        changes: &[SkipRule(RulePattern::new("GetDownloadUrlForLayer/repositoryName/max-length"))],
    },
    Fault {
        name: "name-one-shorter",
        sentence: "the longest allowed repository name is rejected by CompleteLayerUpload",
        rule: RuleId::new("CompleteLayerUpload/repositoryName/accepted"),
        changes: &[RejectIf(RulePattern::new("CompleteLayerUpload/repositoryName/accepted"), |name| {
            matches!(length(name), 205 | 256)
        })],
    },
    Fault {
        name: "initiate-name-one-shorter",
        sentence: "the longest allowed repository name is rejected by InitiateLayerUpload",
        rule: RuleId::new("InitiateLayerUpload/repositoryName/accepted"),
        changes: &[RejectIf(RulePattern::new("InitiateLayerUpload/repositoryName/accepted"), |name| {
            matches!(length(name), 205 | 256)
        })],
    },
    Fault {
        name: "initiate-name-1-character",
        sentence: "InitiateLayerUpload accepts a repository name of one character",
        rule: RuleId::new("InitiateLayerUpload/repositoryName/min-length"),
        changes: &[AcceptIf(RulePattern::new("InitiateLayerUpload/repositoryName/min-length"), |name| {
            length(name) == 1
        })],
    },
    Fault {
        name: "complete-name-1-character",
        sentence: "CompleteLayerUpload accepts a repository name of one character",
        rule: RuleId::new("CompleteLayerUpload/repositoryName/min-length"),
        changes: &[AcceptIf(RulePattern::new("CompleteLayerUpload/repositoryName/min-length"), |name| {
            length(name) == 1
        })],
    },
    Fault {
        name: "part-name-empty",
        sentence: "UploadLayerPart accepts an empty repository name",
        rule: RuleId::new("UploadLayerPart/repositoryName/min-length"),
        changes: &[
            AcceptIf(RulePattern::new("UploadLayerPart/repositoryName/min-length"), |name| length(name) == 0),
            AcceptIf(RulePattern::new("UploadLayerPart/repositoryName/pattern"), |name| length(name) == 0),
        ],
    },
    Fault {
        name: "name-2-characters-rejected",
        sentence: "a repository name of two characters is rejected",
        rule: RuleId::new("CompleteLayerUpload/repositoryName/exists"),
        changes: &[RejectIf(RulePattern::new("*/repositoryName/accepted"), |name| length(name) == 2)],
    },
    Fault {
        name: "digests-101",
        sentence: "CompleteLayerUpload accepts 101 digests",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/max-items"),
        changes: &[AcceptIf(RulePattern::new("CompleteLayerUpload/layerDigests/max-items"), |list| {
            length(list) == 101
        })],
    },
    Fault {
        name: "digests-unbounded",
        sentence: "CompleteLayerUpload accepts any number of digests",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/max-items"),
        changes: &[SkipRule(RulePattern::new("CompleteLayerUpload/layerDigests/max-items"))],
    },
    Fault {
        name: "digests-many",
        sentence: "CompleteLayerUpload rejects 101 to 255 digests, and accepts more",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/max-items"),
        changes: &[AcceptIf(RulePattern::new("CompleteLayerUpload/layerDigests/max-items"), |list| length(list) > 255)],
    },
    Fault {
        name: "digests-counted-once",
        sentence: "CompleteLayerUpload counts only distinct digests",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/max-items"),
        changes: &[AcceptIf(RulePattern::new("CompleteLayerUpload/layerDigests/max-items"), |list| {
            let distinct: std::collections::BTreeSet<&str> = super::texts(list).into_iter().collect();
            distinct.len() <= 100
        })],
    },
    Fault {
        name: "digests-cut-at-100",
        sentence: "CompleteLayerUpload checks only the first hundred digests",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/max-items"),
        changes: &[RewriteInput(|call| {
            if call.is(Operation::CompleteLayerUpload)
                && let Some(Value::Array(list)) = call.input.get_mut("layerDigests")
            {
                list.truncate(100);
            }
        })],
    },
    Fault {
        name: "digests-100-rejected",
        sentence: "CompleteLayerUpload accepts fewer than a hundred digests",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/any-match"),
        changes: &[RejectIf(RulePattern::new("CompleteLayerUpload/layerDigests/max-items"), |list| {
            length(list) == 100
        })],
    },
    Fault {
        name: "digests-10-at-most",
        sentence: "CompleteLayerUpload accepts at most ten digests",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/any-match"),
        changes: &[RejectIf(RulePattern::new("CompleteLayerUpload/layerDigests/max-items"), |list| length(list) > 10)],
    },
    Fault {
        name: "digests-none",
        sentence: "CompleteLayerUpload accepts an empty list of digests",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/min-items"),
        changes: &[SkipRule(RulePattern::new("CompleteLayerUpload/layerDigests/min-items"))],
    },
    Fault {
        name: "lookup-101",
        sentence: "BatchCheckLayerAvailability accepts 101 digests",
        rule: RuleId::new("BatchCheckLayerAvailability/layerDigests/max-items"),
        changes: &[AcceptIf(RulePattern::new("BatchCheckLayerAvailability/layerDigests/max-items"), |list| {
            length(list) == 101
        })],
    },
    Fault {
        name: "lookup-100-rejected",
        sentence: "BatchCheckLayerAvailability accepts fewer than a hundred digests",
        rule: RuleId::new("BatchCheckLayerAvailability/accepted"),
        changes: &[RejectIf(RulePattern::new("BatchCheckLayerAvailability/layerDigests/max-items"), |list| {
            length(list) == 100
        })],
    },
    Fault {
        name: "lookup-none",
        sentence: "BatchCheckLayerAvailability accepts an empty list of digests",
        rule: RuleId::new("BatchCheckLayerAvailability/layerDigests/min-items"),
        changes: &[SkipRule(RulePattern::new("BatchCheckLayerAvailability/layerDigests/min-items"))],
    },
    Fault {
        name: "lookup-digest-one-longer",
        sentence: "BatchCheckLayerAvailability accepts a digest of 1001 characters",
        rule: RuleId::new("BatchCheckLayerAvailability/layerDigests/item-max-length"),
        changes: &[AcceptIf(RulePattern::new("BatchCheckLayerAvailability/layerDigests/item-max-length"), |list| {
            longest(list) == 1001
        })],
    },
    Fault {
        name: "lookup-digest-unbounded",
        sentence: "BatchCheckLayerAvailability accepts digests of any length",
        rule: RuleId::new("BatchCheckLayerAvailability/layerDigests/item-max-length"),
        changes: &[SkipRule(RulePattern::new("BatchCheckLayerAvailability/layerDigests/item-max-length"))],
    },
    Fault {
        name: "lookup-digest-one-shorter",
        sentence: "BatchCheckLayerAvailability rejects a digest of 1000 characters",
        rule: RuleId::new("BatchCheckLayerAvailability/accepted"),
        changes: &[RejectIf(RulePattern::new("BatchCheckLayerAvailability/layerDigests/item-max-length"), |list| {
            longest(list) == 1000
        })],
    },
    Fault {
        name: "registry-13-digits",
        sentence: "CompleteLayerUpload accepts a registry id of 13 digits",
        rule: RuleId::new("CompleteLayerUpload/registryId/pattern"),
        changes: &[AcceptIf(RulePattern::new("CompleteLayerUpload/registryId/pattern"), |id| digits(id, 13))],
    },
    Fault {
        name: "registry-11-digits",
        sentence: "InitiateLayerUpload accepts a registry id of 11 digits",
        rule: RuleId::new("InitiateLayerUpload/registryId/pattern"),
        changes: &[AcceptIf(RulePattern::new("InitiateLayerUpload/registryId/pattern"), |id| digits(id, 11))],
    },
    Fault {
        name: "alias-257-characters",
        sentence: "CompleteLayerUpload accepts registry ids longer than 256 characters",
        rule: RuleId::new("CompleteLayerUpload/registryId/max-length"),
        changes: &[SkipRule(RulePattern::new("CompleteLayerUpload/registryId/max-length"))],
    },
    Fault {
        name: "alias-empty",
        sentence: "UploadLayerPart accepts an empty registry id",
        rule: RuleId::new("UploadLayerPart/registryId/min-length"),
        changes: &[SkipRule(RulePattern::new("UploadLayerPart/registryId/min-length"))],
    },
    Fault {
        name: "part-above-20-mib",
        sentence: "UploadLayerPart accepts parts of any size",
        rule: RuleId::new("UploadLayerPart/layerPartBlob/max-size"),
        changes: &[SkipRule(RulePattern::new("UploadLayerPart/layerPartBlob/max-size"))],
    },
    Fault {
        name: "part-of-5-mib-rejected",
        sentence: "UploadLayerPart rejects parts of 5 MiB",
        rule: RuleId::new("UploadLayerPart/accepted"),
        changes: &[EditRejections(|call, wrong| {
            if call.is(Operation::UploadLayerPart) && call.blob_size() == MIN_INNER_PART {
                wrong.push(invalid_parameter(RuleId::new("UploadLayerPart/accepted")));
            }
        })],
    },
    Fault {
        name: "inner-part-not-measured",
        sentence: "CompleteLayerUpload does not check the size of parts",
        rule: RuleId::new("CompleteLayerUpload/parts/min-size"),
        changes: &[SkipRule(RulePattern::new("CompleteLayerUpload/parts/min-size"))],
    },
    Fault {
        name: "inner-part-one-smaller",
        sentence: "CompleteLayerUpload accepts inner parts of one byte less than 5 MiB",
        rule: RuleId::new("CompleteLayerUpload/parts/min-size"),
        changes: &[EditRejections(|call, wrong| inner_parts(call, wrong, |size| size >= MIN_INNER_PART - 1))],
    },
    Fault {
        name: "inner-part-of-5-mb",
        sentence: "CompleteLayerUpload accepts inner parts of 5,000,000 bytes",
        rule: RuleId::new("CompleteLayerUpload/parts/min-size"),
        changes: &[EditRejections(|call, wrong| inner_parts(call, wrong, |size| size >= 5_000_000))],
    },
    Fault {
        name: "inner-part-one-larger",
        sentence: "CompleteLayerUpload rejects inner parts of 5 MiB",
        rule: RuleId::new("CompleteLayerUpload/accepted"),
        changes: &[EditRejections(|call, wrong| inner_parts(call, wrong, |size| size > MIN_INNER_PART))],
    },
    Fault {
        name: "first-part-not-measured",
        sentence: "CompleteLayerUpload checks only the size of the parts between the first and the last",
        rule: RuleId::new("CompleteLayerUpload/parts/min-size"),
        changes: &[EditRejections(|call, wrong| {
            parts(call, wrong, |sizes| sizes.iter().skip(1).rev().skip(1).all(|size| *size >= MIN_INNER_PART))
        })],
    },
    Fault {
        name: "middle-part-not-measured",
        sentence: "CompleteLayerUpload checks the size of only the first part",
        rule: RuleId::new("CompleteLayerUpload/parts/min-size"),
        changes: &[EditRejections(|call, wrong| {
            parts(call, wrong, |sizes| sizes.len() < 2 || sizes[0] >= MIN_INNER_PART)
        })],
    },
    Fault {
        name: "last-part-measured",
        sentence: "CompleteLayerUpload asks for 5 MiB of the last of several parts as well",
        rule: RuleId::new("CompleteLayerUpload/accepted"),
        changes: &[EditRejections(|call, wrong| {
            parts(call, wrong, |sizes| sizes.len() < 2 || sizes.iter().all(|size| *size >= MIN_INNER_PART));
        })],
    },
    Fault {
        name: "small-part-rejected-early",
        sentence: "UploadLayerPart rejects the part after a small one",
        rule: RuleId::new("UploadLayerPart/accepted"),
        changes: &[EditRejections(|call, wrong| {
            let small = call.upload().and_then(|upload| upload.parts.last()).is_some_and(|size| *size < MIN_INNER_PART);
            if call.is(Operation::UploadLayerPart) && small && wrong.is_empty() {
                wrong.push(rejection("InvalidLayerPartException", RuleId::new("UploadLayerPart/accepted")));
            }
        })],
    },
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
fn inner_parts(call: &mut Call, wrong: &mut Vec<Rejection>, is_enough: fn(usize) -> bool) {
    parts(call, wrong, |sizes| sizes.split_last().is_none_or(|(_, inner)| inner.iter().all(|size| is_enough(*size))));
}

/// CompleteLayerUpload with another idea of which parts are too small.
fn parts(call: &mut Call, wrong: &mut Vec<Rejection>, are_right: impl Fn(&[usize]) -> bool) {
    let Some(upload) = call.upload() else { return };
    let right = are_right(&upload.parts);
    if !call.is(Operation::CompleteLayerUpload) {
        return;
    }
    wrong.retain(|rejection| rejection.rule != RuleId::new("CompleteLayerUpload/parts/min-size"));
    if !right {
        wrong.insert(0, rejection("LayerPartTooSmallException", RuleId::new("CompleteLayerUpload/parts/min-size")));
    }
}
