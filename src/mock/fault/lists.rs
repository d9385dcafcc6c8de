//! Lists of which only a part is looked at, or whose bad items are dropped; and what counts as a digest that matches.

use serde_json::{Value, json};

use super::super::Change::{AcceptIf, EditRejections, RewriteInput, SkipRule};
use super::super::change::{Call, rejection};
use super::{Fault, texts};
use crate::contract::{Operation, RuleId, RulePattern, shapes};

const MATCH: RuleId = RuleId::new("CompleteLayerUpload/layerDigests/match");

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "pattern-of-first-digest",
        sentence: "CompleteLayerUpload checks the pattern of only the first digest",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/item-pattern"),
        changes: &[AcceptIf(RulePattern::new("CompleteLayerUpload/layerDigests/item-pattern"), |list| {
            texts(list).first().copied().is_some_and(is_digest)
        })],
    },
    Fault {
        name: "pattern-of-last-digest",
        sentence: "CompleteLayerUpload checks the pattern of only the last digest",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/item-pattern"),
        changes: &[AcceptIf(RulePattern::new("CompleteLayerUpload/layerDigests/item-pattern"), |list| {
            texts(list).last().copied().is_some_and(is_digest)
        })],
    },
    Fault {
        name: "pattern-of-some-digest",
        sentence: "CompleteLayerUpload accepts the list if one of the digests matches the pattern",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/item-pattern"),
        changes: &[AcceptIf(RulePattern::new("CompleteLayerUpload/layerDigests/item-pattern"), |list| {
            texts(list).into_iter().any(is_digest)
        })],
    },
    Fault {
        name: "pattern-of-ends",
        sentence: "CompleteLayerUpload checks only the pattern of the first and the last digest",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/item-pattern"),
        changes: &[AcceptIf(RulePattern::new("CompleteLayerUpload/layerDigests/item-pattern"), |list| {
            let texts = texts(list);
            texts.len() > 2 && [texts.first(), texts.last()].into_iter().flatten().all(|text| is_digest(text))
        })],
    },
    Fault {
        name: "malformed-digests-dropped",
        sentence: "CompleteLayerUpload drops malformed digests if others are left",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/item-pattern"),
        changes: &[RewriteInput(|call| keep(call, is_digest_item))],
    },
    Fault {
        name: "nulls-dropped",
        sentence: "CompleteLayerUpload drops nulls among the digests",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/item-null"),
        changes: &[RewriteInput(|call| keep(call, |item| !item.is_null()))],
    },
    Fault {
        name: "nulls-dropped-to-nothing",
        sentence: "CompleteLayerUpload ignores nulls among the digests",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/item-null"),
        changes: &[SkipRule(RulePattern::new("CompleteLayerUpload/layerDigests/item-null"))],
    },
    Fault {
        name: "lookup-nulls-dropped",
        sentence: "BatchCheckLayerAvailability drops nulls among the digests",
        rule: RuleId::new("BatchCheckLayerAvailability/layerDigests/item-null"),
        changes: &[SkipRule(RulePattern::new("BatchCheckLayerAvailability/layerDigests/item-null"))],
    },
    Fault {
        name: "other-types-dropped",
        sentence: "CompleteLayerUpload drops items that are not texts if others are left",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/item-type"),
        changes: &[RewriteInput(|call| keep(call, Value::is_string))],
    },
    Fault {
        name: "type-of-first-digest",
        sentence: "CompleteLayerUpload checks the type of only the first digest",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/item-type"),
        changes: &[AcceptIf(RulePattern::new("CompleteLayerUpload/layerDigests/item-type"), |list| {
            list.pointer("/0").is_some_and(Value::is_string)
        })],
    },
    Fault {
        name: "items-as-text",
        sentence: "CompleteLayerUpload converts items of any type to text",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/item-type"),
        changes: &[SkipRule(RulePattern::new("CompleteLayerUpload/layerDigests/item-type"))],
    },
    Fault {
        name: "lookup-items-as-text",
        sentence: "BatchCheckLayerAvailability accepts items of any type",
        rule: RuleId::new("BatchCheckLayerAvailability/layerDigests/item-type"),
        changes: &[SkipRule(RulePattern::new("BatchCheckLayerAvailability/layerDigests/item-type"))],
    },
    Fault {
        name: "digests-not-compared",
        sentence: "CompleteLayerUpload accepts any well-formed digest",
        rule: MATCH,
        changes: &[
            SkipRule(RulePattern::only(MATCH)),
            SkipRule(RulePattern::new("CompleteLayerUpload/layer/digest-first")),
        ],
    },
    Fault {
        name: "single-digest-not-compared",
        sentence: "CompleteLayerUpload compares digests only if there are several",
        rule: MATCH,
        changes: &[AcceptIf(RulePattern::only(MATCH), |list| texts(list).len() == 1)],
    },
    Fault {
        name: "many-digests-not-compared",
        sentence: "CompleteLayerUpload compares digests only if there is one",
        rule: MATCH,
        changes: &[AcceptIf(RulePattern::only(MATCH), |list| texts(list).len() > 1)],
    },
    Fault {
        name: "zeros-match",
        sentence: "CompleteLayerUpload accepts a digest of zeros for any bytes",
        rule: MATCH,
        changes: &[AcceptIf(RulePattern::only(MATCH), |list| {
            texts(list).iter().any(|digest| digest.trim_start_matches("sha256:").bytes().all(|byte| byte == b'0'))
        })],
    },
    Fault {
        name: "first-digest-alone",
        sentence: "CompleteLayerUpload compares only the first digest",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/any-match"),
        changes: &[EditRejections(|call, wrong| {
            compares(call, wrong, |digests, right| digests.first() == Some(&right))
        })],
    },
    Fault {
        name: "last-digest-alone",
        sentence: "CompleteLayerUpload compares only the last digest",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/any-match"),
        changes: &[EditRejections(|call, wrong| {
            compares(call, wrong, |digests, right| digests.last() == Some(&right))
        })],
    },
    Fault {
        name: "all-digests-must-match",
        sentence: "CompleteLayerUpload requires all digests to match",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/any-match"),
        changes: &[EditRejections(|call, wrong| {
            compares(call, wrong, |digests, right| digests.iter().all(|digest| *digest == right))
        })],
    },
    Fault {
        name: "ends-alone",
        sentence: "CompleteLayerUpload compares only the first and the last digest",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/any-match"),
        changes: &[EditRejections(|call, wrong| {
            compares(call, wrong, |digests, right| [digests.first(), digests.last()].contains(&Some(&right)));
        })],
    },
    Fault {
        name: "first-ten-digests",
        sentence: "CompleteLayerUpload compares the first ten digests",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/any-match"),
        changes: &[EditRejections(|call, wrong| {
            compares(call, wrong, |digests, right| digests.iter().take(10).any(|digest| *digest == right))
        })],
    },
    Fault {
        name: "mixed-algorithms-rejected",
        sentence: "digests of two algorithms are rejected, even with the right one among them",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/any-match"),
        changes: &[EditRejections(|call, wrong| {
            let digests = call.digests();
            let compared = digests.iter().filter(|digest| digest.starts_with("sha256:")).count();
            if call.is(Operation::CompleteLayerUpload) && (1..digests.len()).contains(&compared) && wrong.is_empty() {
                let rule = RuleId::new("CompleteLayerUpload/layerDigests/any-match");
                wrong.push(rejection("InvalidLayerException", rule));
            }
        })],
    },
    Fault {
        name: "digests-must-differ",
        sentence: "CompleteLayerUpload rejects the same digest twice",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/duplicates"),
        changes: &[EditRejections(|call, wrong| {
            let digests = call.digests();
            let distinct: std::collections::BTreeSet<&str> = digests.iter().copied().collect();
            if call.is(Operation::CompleteLayerUpload) && distinct.len() < digests.len() {
                wrong.push(super::super::change::invalid_parameter(RuleId::new(
                    "CompleteLayerUpload/layerDigests/duplicates",
                )));
            }
        })],
    },
    Fault {
        name: "digest-prefix-compared",
        sentence: "CompleteLayerUpload compares the first twelve hex digits of a digest",
        rule: MATCH,
        changes: &[EditRejections(|call, wrong| {
            lenient(call, wrong, |digest, right| digest.get(..19) == right.get(..19))
        })],
    },
    Fault {
        name: "short-digest-compared",
        sentence: "CompleteLayerUpload accepts a prefix of the right digest",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/sha256-length"),
        changes: &[EditRejections(|call, wrong| {
            lenient(call, wrong, |digest, right| digest.len() > 7 && right.starts_with(digest))
        })],
    },
    Fault {
        name: "long-digest-compared",
        sentence: "CompleteLayerUpload compares the first 64 hex digits of a digest",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/sha256-length"),
        changes: &[EditRejections(|call, wrong| lenient(call, wrong, |digest, right| digest.starts_with(right)))],
    },
    Fault {
        name: "other-algorithms-compared",
        sentence: "CompleteLayerUpload rejects digests of other algorithms, since they differ from the sha256 of the bytes",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/other-algorithm"),
        changes: &[EditRejections(|call, wrong| {
            let Some(right) = call.computed() else { return };
            if call.is(Operation::CompleteLayerUpload) && wrong.is_empty() && !call.digests().contains(&right.as_str())
            {
                wrong.push(rejection(
                    "InvalidLayerException",
                    RuleId::new("CompleteLayerUpload/layerDigests/other-algorithm"),
                ));
            }
        })],
    },
    Fault {
        name: "lookup-first-alone",
        sentence: "BatchCheckLayerAvailability answers only for the first digest",
        rule: RuleId::new("BatchCheckLayerAvailability/layers/stored"),
        changes: &[RewriteInput(|call| {
            if call.is(Operation::BatchCheckLayerAvailability)
                && let Some(Value::Array(list)) = call.input.get_mut("layerDigests")
                && list.len() <= 100
            {
                list.truncate(1);
            }
        })],
    },
    Fault {
        name: "body-in-a-list",
        sentence: "the members may be inside an array of one object",
        rule: RuleId::new("wire/body/object"),
        changes: &[super::super::Change::RewriteRequest(|request| {
            if let Ok(Value::Array(mut items)) = serde_json::from_slice(&request.body) {
                let first = if items.is_empty() { json!({}) } else { items.remove(0) };
                request.body = first.to_string().into();
            }
        })],
    },
];

fn is_digest(text: &str) -> bool {
    super::bounds_of(&shapes::LAYER_DIGEST).matches_all(text)
}

fn is_digest_item(item: &Value) -> bool {
    item.as_str().is_none_or(is_digest)
}

/// Drops items of a list of digests that CompleteLayerUpload can have, if others are left.
fn keep(call: &mut Call, is_kept: fn(&Value) -> bool) {
    if !call.is(Operation::CompleteLayerUpload) {
        return;
    }
    if let Some(Value::Array(list)) = call.input.get_mut("layerDigests")
        && list.len() <= 100
        && list.iter().any(is_kept)
    {
        list.retain(is_kept);
    }
}

/// Another way to compare the sha256 digests of a completion that is right but for them.
fn compares(call: &mut Call, wrong: &mut Vec<crate::model::Rejection>, is_match: fn(&[&str], &str) -> bool) {
    let Some(right) = call.computed() else { return };
    let digests = call.digests();
    if call.is(Operation::CompleteLayerUpload)
        && wrong.is_empty()
        && digests.iter().all(|digest| digest.starts_with("sha256:"))
        && !is_match(&digests, &right)
    {
        wrong.push(rejection("InvalidLayerException", RuleId::new("CompleteLayerUpload/layerDigests/any-match")));
    }
}

/// Takes a digest that is not the right one for it.
fn lenient(call: &mut Call, wrong: &mut Vec<crate::model::Rejection>, is_match: fn(&str, &str) -> bool) {
    let Some(right) = call.computed() else { return };
    if call.is(Operation::CompleteLayerUpload) && call.digests().iter().any(|digest| is_match(digest, &right)) {
        wrong.retain(|rejection| rejection.rule != MATCH && !rejection.rule.is("layerDigests/sha256-length"));
    }
}
