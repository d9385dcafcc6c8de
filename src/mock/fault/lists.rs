//! Lists of which only a part is looked at, or whose bad items are dropped; and what counts as a digest that matches.

use serde_json::{Value, json};

use super::super::Change::{Admits, Finds, Ignores, Takes};
use super::super::change::{Call, refusal};
use super::{Fault, fault, texts};
use crate::contract::{Operation, shapes};

const MATCH: &str = "CompleteLayerUpload/layerDigests/match";

pub(super) static FAULTS: &[Fault] = &[
    fault(
        "pattern-of-first-digest",
        "CompleteLayerUpload looks at the pattern of the first digest alone",
        "CompleteLayerUpload/layerDigests/item-pattern",
        &[Admits("CompleteLayerUpload/layerDigests/item-pattern", |list| {
            texts(list).first().copied().is_some_and(is_digest)
        })],
    ),
    fault(
        "pattern-of-last-digest",
        "CompleteLayerUpload looks at the pattern of the last digest alone",
        "CompleteLayerUpload/layerDigests/item-pattern",
        &[Admits("CompleteLayerUpload/layerDigests/item-pattern", |list| {
            texts(list).last().copied().is_some_and(is_digest)
        })],
    ),
    fault(
        "pattern-of-some-digest",
        "CompleteLayerUpload is content if one of the digests has the pattern",
        "CompleteLayerUpload/layerDigests/item-pattern",
        &[Admits("CompleteLayerUpload/layerDigests/item-pattern", |list| texts(list).into_iter().any(is_digest))],
    ),
    fault(
        "pattern-of-ends",
        "CompleteLayerUpload looks at the pattern of the first and the last digest",
        "CompleteLayerUpload/layerDigests/item-pattern",
        &[Admits("CompleteLayerUpload/layerDigests/item-pattern", |list| {
            let texts = texts(list);
            texts.len() > 2 && [texts.first(), texts.last()].into_iter().flatten().all(|text| is_digest(text))
        })],
    ),
    fault(
        "malformed-digests-dropped",
        "CompleteLayerUpload drops malformed digests if others are left",
        "CompleteLayerUpload/layerDigests/item-pattern",
        &[Takes(|call| keep(call, is_digest_item))],
    ),
    fault(
        "nulls-dropped",
        "CompleteLayerUpload drops nulls among the digests",
        "CompleteLayerUpload/layerDigests/item-null",
        &[Takes(|call| keep(call, |item| !item.is_null()))],
    ),
    fault(
        "nulls-dropped-to-nothing",
        "CompleteLayerUpload does not mind nulls among the digests",
        "CompleteLayerUpload/layerDigests/item-null",
        &[Ignores("CompleteLayerUpload/layerDigests/item-null")],
    ),
    fault(
        "lookup-nulls-dropped",
        "BatchCheckLayerAvailability drops nulls among the digests",
        "BatchCheckLayerAvailability/layerDigests/item-null",
        &[Ignores("BatchCheckLayerAvailability/layerDigests/item-null")],
    ),
    fault(
        "other-types-dropped",
        "CompleteLayerUpload drops items that are no texts if others are left",
        "CompleteLayerUpload/layerDigests/item-type",
        &[Takes(|call| keep(call, Value::is_string))],
    ),
    fault(
        "type-of-first-digest",
        "CompleteLayerUpload looks at the type of the first digest alone",
        "CompleteLayerUpload/layerDigests/item-type",
        &[Admits("CompleteLayerUpload/layerDigests/item-type", |list| {
            list.pointer("/0").is_some_and(Value::is_string)
        })],
    ),
    fault(
        "items-as-text",
        "CompleteLayerUpload reads items of any type as text, and takes what comes of it",
        "CompleteLayerUpload/layerDigests/item-type",
        &[Ignores("CompleteLayerUpload/layerDigests/item-type")],
    ),
    fault(
        "lookup-items-as-text",
        "BatchCheckLayerAvailability takes items of any type",
        "BatchCheckLayerAvailability/layerDigests/item-type",
        &[Ignores("BatchCheckLayerAvailability/layerDigests/item-type")],
    ),
    fault(
        "digests-not-compared",
        "CompleteLayerUpload accepts any well-formed digest",
        MATCH,
        &[Ignores(MATCH), Ignores("CompleteLayerUpload/layer/digest-first")],
    ),
    fault(
        "single-digest-not-compared",
        "CompleteLayerUpload compares digests if there are several",
        MATCH,
        &[Admits(MATCH, |list| texts(list).len() == 1)],
    ),
    fault(
        "many-digests-not-compared",
        "CompleteLayerUpload compares the digest if there is but one",
        MATCH,
        &[Admits(MATCH, |list| texts(list).len() > 1)],
    ),
    fault(
        "zeros-match",
        "CompleteLayerUpload takes a digest of zeros for any bytes",
        MATCH,
        &[Admits(MATCH, |list| {
            texts(list).iter().any(|digest| digest.trim_start_matches("sha256:").bytes().all(|byte| byte == b'0'))
        })],
    ),
    fault(
        "first-digest-alone",
        "CompleteLayerUpload compares the first digest alone",
        "CompleteLayerUpload/layerDigests/any-match",
        &[Finds(|call, wrong| compares(call, wrong, |digests, right| digests.first() == Some(&right)))],
    ),
    fault(
        "last-digest-alone",
        "CompleteLayerUpload compares the last digest alone",
        "CompleteLayerUpload/layerDigests/any-match",
        &[Finds(|call, wrong| compares(call, wrong, |digests, right| digests.last() == Some(&right)))],
    ),
    fault(
        "all-digests-must-match",
        "CompleteLayerUpload asks that all digests match",
        "CompleteLayerUpload/layerDigests/any-match",
        &[Finds(|call, wrong| compares(call, wrong, |digests, right| digests.iter().all(|digest| *digest == right)))],
    ),
    fault(
        "ends-alone",
        "CompleteLayerUpload compares the first and the last digest alone",
        "CompleteLayerUpload/layerDigests/any-match",
        &[Finds(|call, wrong| {
            compares(call, wrong, |digests, right| [digests.first(), digests.last()].contains(&Some(&right)));
        })],
    ),
    fault(
        "first-ten-digests",
        "CompleteLayerUpload compares the first ten digests",
        "CompleteLayerUpload/layerDigests/any-match",
        &[Finds(|call, wrong| {
            compares(call, wrong, |digests, right| digests.iter().take(10).any(|digest| *digest == right))
        })],
    ),
    fault(
        "digests-must-differ",
        "CompleteLayerUpload refuses the same digest twice",
        "CompleteLayerUpload/layerDigests/duplicates",
        &[Finds(|call, wrong| {
            let digests = call.digests();
            let distinct: std::collections::BTreeSet<&str> = digests.iter().copied().collect();
            if call.is(Operation::CompleteLayerUpload) && distinct.len() < digests.len() {
                wrong.push(super::super::change::invalid_parameter("CompleteLayerUpload/layerDigests/duplicates"));
            }
        })],
    ),
    fault(
        "digest-prefix-compared",
        "CompleteLayerUpload compares the first twelve hex digits of a digest",
        MATCH,
        &[Finds(|call, wrong| lenient(call, wrong, |digest, right| digest.get(..19) == right.get(..19)))],
    ),
    fault(
        "short-digest-compared",
        "CompleteLayerUpload takes the beginning of the right digest for the whole",
        "CompleteLayerUpload/layerDigests/sha256-length",
        &[Finds(|call, wrong| lenient(call, wrong, |digest, right| digest.len() > 7 && right.starts_with(digest)))],
    ),
    fault(
        "long-digest-compared",
        "CompleteLayerUpload compares the first 64 hex digits of a digest",
        "CompleteLayerUpload/layerDigests/sha256-length",
        &[Finds(|call, wrong| lenient(call, wrong, |digest, right| digest.starts_with(right)))],
    ),
    fault(
        "other-algorithms-compared",
        "CompleteLayerUpload refuses digests of other algorithms, since they differ from the sha256 of the bytes",
        "CompleteLayerUpload/layerDigests/other-algorithm",
        &[Finds(|call, wrong| {
            let Some(right) = call.computed() else { return };
            if call.is(Operation::CompleteLayerUpload) && wrong.is_empty() && !call.digests().contains(&right.as_str())
            {
                wrong.push(refusal("InvalidLayerException", "CompleteLayerUpload/layerDigests/other-algorithm"));
            }
        })],
    ),
    fault(
        "lookup-first-alone",
        "BatchCheckLayerAvailability answers for the first digest alone",
        "BatchCheckLayerAvailability/layers/stored",
        &[Takes(|call| {
            if call.is(Operation::BatchCheckLayerAvailability)
                && let Some(Value::Array(list)) = call.input.get_mut("layerDigests")
                && list.len() <= 100
            {
                list.truncate(1);
            }
        })],
    ),
    fault(
        "body-in-a-list",
        "the members may stand in a list of one object",
        "wire/body/object",
        &[super::super::Change::Reads(|request| {
            if let Ok(Value::Array(mut items)) = serde_json::from_slice(&request.body) {
                let first = if items.is_empty() { json!({}) } else { items.remove(0) };
                request.body = first.to_string().into();
            }
        })],
    ),
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
fn compares(call: &mut Call, wrong: &mut Vec<crate::model::Refusal>, is_match: fn(&[&str], &str) -> bool) {
    let Some(right) = call.computed() else { return };
    let digests = call.digests();
    if call.is(Operation::CompleteLayerUpload)
        && wrong.is_empty()
        && digests.iter().all(|digest| digest.starts_with("sha256:"))
        && !is_match(&digests, &right)
    {
        wrong.push(refusal("InvalidLayerException", "CompleteLayerUpload/layerDigests/any-match"));
    }
}

/// Takes a digest that is not the right one for it.
fn lenient(call: &mut Call, wrong: &mut Vec<crate::model::Refusal>, is_match: fn(&str, &str) -> bool) {
    let Some(right) = call.computed() else { return };
    if call.is(Operation::CompleteLayerUpload) && call.digests().iter().any(|digest| is_match(digest, &right)) {
        wrong.retain(|refusal| refusal.rule != MATCH && !refusal.rule.ends_with("/layerDigests/sha256-length"));
    }
}
