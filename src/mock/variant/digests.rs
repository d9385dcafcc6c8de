//! What counts as a digest that matches.

use serde_json::Value;

use super::super::Change::{EditRejections, RewriteInput};
use super::super::change::{Call, invalid_parameter, rejection};
use super::Variant;
use crate::contract::check::check;
use crate::contract::{Operation, RuleId};
use crate::model::Rejection;

pub(super) static VARIANTS: &[Variant] = &[
    Variant {
        name: "upper-case-digest-differs",
        sentence: "a digest in upper case does not match",
        changes: &[EditRejections(|call, wrong| case_counts(call, wrong, "InvalidLayerException"))],
        withholds: false,
    },
    Variant {
        name: "upper-case-digest-rejected",
        sentence: "a digest in upper case is rejected as a parameter",
        changes: &[EditRejections(|call, wrong| case_counts(call, wrong, "InvalidParameterException"))],
        withholds: false,
    },
    Variant {
        name: "sha256-length-as-parameter",
        sentence: "a sha256 digest of the wrong length is rejected as a parameter",
        changes: &[EditRejections(|call, wrong| {
            let odd = |digest: &&str| digest.strip_prefix("sha256:").is_some_and(|hex| hex.len() != 64);
            if call.is(Operation::CompleteLayerUpload)
                && call.digests().iter().any(odd)
                && wrong.iter().any(|rejection| rejection.rule.is("layerDigests/match"))
            {
                *wrong = vec![invalid_parameter(RuleId::new("CompleteLayerUpload/layerDigests/sha256-length"))];
            }
        })],
        withholds: false,
    },
    Variant {
        name: "sha512-compared",
        sentence: "a sha512 digest is compared, and a wrong one does not match",
        changes: &[EditRejections(|call, wrong| {
            let digests = call.digests();
            let alone = !digests.is_empty() && digests.iter().all(|digest| digest.starts_with("sha512:"));
            if call.is(Operation::CompleteLayerUpload) && alone && wrong.is_empty() {
                wrong.push(rejection("InvalidLayerException", RuleId::new("CompleteLayerUpload/layerDigests/sha512")));
            }
        })],
        withholds: false,
    },
    Variant {
        name: "other-algorithms-suffice",
        sentence: "a digest of another algorithm counts as a match",
        changes: &[RewriteInput(other_algorithms)],
        withholds: false,
    },
];

/// Leaves the digests of other algorithms of a CompleteLayerUpload that is well-formed, if there are any.
fn other_algorithms(call: &mut Call) {
    let other = |digest: &Value| digest.as_str().is_some_and(|digest| !digest.starts_with("sha256:"));
    let well_formed = check(call.operation, &call.input).is_empty();
    if call.is(Operation::CompleteLayerUpload)
        && well_formed
        && let Some(Value::Array(digests)) = call.input.get_mut("layerDigests")
        && digests.iter().any(other)
    {
        digests.retain(other);
    }
}

/// A digest that matches but for its case does not match.
fn case_counts(call: &mut Call, wrong: &mut Vec<Rejection>, error: &str) {
    let Some(right) = call.computed() else { return };
    let digests = call.digests();
    let folded = digests.iter().any(|digest| digest.eq_ignore_ascii_case(&right) && *digest != right);
    if call.is(Operation::CompleteLayerUpload) && wrong.is_empty() && folded && !digests.contains(&right.as_str()) {
        wrong.push(rejection(error, RuleId::new("CompleteLayerUpload/layerDigests/upper-case")));
    }
}
