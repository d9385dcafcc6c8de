//! BatchCheckLayerAvailability: tells which of some layers a repository has.

use serde_json::{Value, json};

use super::input::texts;
use super::{Facts, Members, nothing};
use crate::case::StepRole;
use crate::case::body::Body;
use crate::case::draft::{ABSENT, Draft, HERE};
use crate::contract::{ErrorType, Kind, Operation, RuleId, shapes};
use crate::expect::Outcome;
use crate::model::{Registry, Rejection};

pub(super) static FACTS: Facts = Facts {
    step: "check",
    plain: "a plain request, for a layer that was never uploaded",
    answers_to: None,
    valid: |draft, repository| (draft, body(repository, &[ABSENT])),
    rejections,
    perform,
    pins,
};

/// What is said of one digest. Of several, the layers that are stored, each once: the others are absent, and the order of
/// the list is not documented.
fn pins(rule: RuleId, answer: &Members) -> Members {
    let list = |member: &str| answer.get(member).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let several = list("layers").len() + list("failures").len() > 1;
    match rule.subject() {
        "layers" if !several => answer.clone(),
        "layers" | "layerDigests" if several => {
            let mut stored: Vec<&Value> =
                list("layers").iter().filter(|layer| layer["layerAvailability"] == "AVAILABLE").collect();
            stored.sort_by_key(|layer| layer["layerDigest"].as_str());
            stored.dedup();
            Members::from_iter([(String::from("layers"), json!(stored))])
        }
        _ => nothing(rule, answer),
    }
}

/// BatchCheckLayerAvailability of these digests.
pub fn body<T: AsRef<str>>(repository: &str, digests: &[T]) -> Body {
    Body::default().text("repositoryName", repository).texts("layerDigests", digests)
}

/// What is said of a layer that is not there. The documents name both places: Amazon's own client counts on `layers`, the
/// failure codes speak of `failures`.
pub fn absent(digest: &str) -> Vec<Outcome> {
    let unavailable =
        json!({ "layers": [{ "layerDigest": digest, "layerAvailability": "UNAVAILABLE" }], "failures": [] });
    let missing = json!({ "layers": [], "failures": [{ "layerDigest": digest, "failureCode": "MissingLayerDigest" }] });
    let outcome = |members: Value| Outcome::Success { members: members.as_object().cloned().unwrap_or_default() };
    vec![outcome(unavailable), outcome(missing)]
}

/// What is said of a digest that is that of no layer, and that a server need not take for a digest.
pub fn not_a_layer(digest: &str) -> Vec<Outcome> {
    let invalid = json!({ "layers": [], "failures": [{ "layerDigest": digest, "failureCode": "InvalidLayerDigest" }] });
    let members = invalid.as_object().cloned().unwrap_or_default();
    let rejected = ErrorType::find("InvalidParameterException").map(Outcome::error);
    absent(digest).into_iter().chain([Outcome::Success { members }]).chain(rejected).collect()
}

impl Draft {
    /// Looks whether the layer is still absent.
    pub fn probe_absent(self, digest: &str) -> Draft {
        let rule = RuleId::new("BatchCheckLayerAvailability/layers/rejected");
        let operation = Operation::BatchCheckLayerAvailability;
        let draft = self.step("probe", operation, body(HERE, &[digest]), StepRole::Probe, rule);
        draft.expecting(absent(digest))
    }
}

fn rejections(registry: &Registry, input: &Members) -> Vec<Rejection> {
    registry.named_repository(Operation::BatchCheckLayerAvailability, input).err().into_iter().collect()
}

fn perform(registry: &mut Registry, input: &Members) -> Value {
    let place = registry.repository_mut(input);
    let (mut layers, mut failures) = (Vec::new(), Vec::new());
    for digest in texts(input, "layerDigests").unwrap_or_default() {
        if let Some(size) = place.layers.get(digest) {
            layers.push(json!({ "layerDigest": digest, "layerAvailability": "AVAILABLE", "layerSize": size }));
        } else if is_well_formed(digest) {
            layers.push(json!({ "layerDigest": digest, "layerAvailability": "UNAVAILABLE" }));
        } else {
            let reason = "The layer digest is malformed";
            failures
                .push(json!({ "layerDigest": digest, "failureCode": "InvalidLayerDigest", "failureReason": reason }));
        }
    }
    json!({ "layers": layers, "failures": failures })
}

fn is_well_formed(digest: &str) -> bool {
    match &shapes::LAYER_DIGEST.kind {
        Kind::Text(text) => text.matches_all(digest),
        _ => false,
    }
}
