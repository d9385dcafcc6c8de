//! What can be seen of layers.

use serde_json::{Map, Value, json};

use super::super::Change::{EditRejections, RewriteReply};
use super::super::change::invalid_parameter;
use super::super::reply::{edit, edit_success};
use super::Variant;
use crate::contract::{Operation, RuleId};
use crate::wire::{Reply, Request};

pub(super) static VARIANTS: &[Variant] = &[
    Variant {
        name: "absent-layers-as-failures",
        sentence: "absent layers are failures with MissingLayerDigest",
        changes: &[RewriteReply(|_, _, reply| {
            let absent = |layer: &Value| layer["layerAvailability"] == "UNAVAILABLE";
            move_items(reply, "layers", "failures", absent, |layer| {
                let (code, reason) = ("MissingLayerDigest", "absent");
                json!({ "layerDigest": layer["layerDigest"], "failureCode": code, "failureReason": reason })
            });
        })],
        withholds: false,
    },
    Variant {
        name: "empty-lists-left-out",
        sentence: "BatchCheckLayerAvailability leaves out lists that are empty",
        changes: &[RewriteReply(|request, _, reply| {
            edit_success(request, reply, Operation::BatchCheckLayerAvailability, |body| {
                if let Some(body) = body.as_object_mut() {
                    body.retain(|_, value| value.as_array().is_none_or(|items| !items.is_empty()));
                }
            });
        })],
        withholds: false,
    },
    Variant {
        name: "sizes-left-out",
        sentence: "BatchCheckLayerAvailability does not say how large layers are",
        changes: &[RewriteReply(|request, _, reply| {
            each_layer(request, reply, |layer| {
                layer.remove("layerSize");
            });
        })],
        withholds: false,
    },
    Variant {
        name: "media-types",
        sentence: "BatchCheckLayerAvailability gives the media types of stored layers",
        changes: &[RewriteReply(|request, _, reply| {
            each_layer(request, reply, |layer| {
                if layer.contains_key("layerSize") {
                    layer.insert(String::from("mediaType"), json!("application/vnd.oci.image.layer.v1.tar+gzip"));
                }
            });
        })],
        withholds: false,
    },
    Variant {
        name: "malformed-lookups-rejected",
        sentence: "BatchCheckLayerAvailability rejects malformed digests",
        changes: &[EditRejections(|call, wrong| {
            let malformed = |digest: &&str| !digest.contains(':') || digest.ends_with(':');
            if call.is(Operation::BatchCheckLayerAvailability)
                && call.digests().iter().any(malformed)
                && wrong.is_empty()
            {
                wrong.push(invalid_parameter(RuleId::new("BatchCheckLayerAvailability/layerDigests/malformed")));
            }
        })],
        withholds: false,
    },
    Variant {
        name: "malformed-lookups-unavailable",
        sentence: "BatchCheckLayerAvailability calls malformed digests unavailable, like absent ones",
        changes: &[RewriteReply(|_, _, reply| {
            let malformed = |failure: &Value| failure["failureCode"] == "InvalidLayerDigest";
            move_items(
                reply,
                "failures",
                "layers",
                malformed,
                |failure| json!({ "layerDigest": failure["layerDigest"], "layerAvailability": "UNAVAILABLE" }),
            );
        })],
        withholds: false,
    },
    Variant {
        name: "repeated-lookups-once",
        sentence: "a digest that is asked for twice is answered once",
        changes: &[RewriteReply(|request, _, reply| {
            looked_up(request, reply, |items| {
                let mut known: Vec<Value> = Vec::new();
                items.retain(|item| {
                    let is_new = !known.contains(&item["layerDigest"]);
                    known.push(item["layerDigest"].clone());
                    is_new
                });
            });
        })],
        withholds: false,
    },
    Variant {
        name: "other-algorithms-as-failures",
        sentence: "BatchCheckLayerAvailability calls digests of other algorithms than sha256 invalid",
        changes: &[RewriteReply(|_, _, reply| {
            let is_other = |layer: &Value| !layer["layerDigest"].as_str().is_some_and(|it| it.starts_with("sha256:"));
            move_items(reply, "layers", "failures", is_other, |layer| {
                let (code, reason) = ("InvalidLayerDigest", "not a sha256 digest");
                json!({ "layerDigest": layer["layerDigest"], "failureCode": code, "failureReason": reason })
            });
        })],
        withholds: false,
    },
    Variant {
        name: "other-algorithms-not-looked-up",
        sentence: "BatchCheckLayerAvailability rejects digests of other algorithms than sha256",
        changes: &[EditRejections(|call, wrong| {
            let is_other = |digest: &&str| digest.contains(':') && !digest.starts_with("sha256:");
            if call.is(Operation::BatchCheckLayerAvailability)
                && call.digests().iter().any(is_other)
                && wrong.is_empty()
            {
                wrong.push(invalid_parameter(RuleId::new("BatchCheckLayerAvailability/layers/other-algorithm")));
            }
        })],
        withholds: false,
    },
    Variant {
        name: "lookups-in-another-order",
        sentence: "BatchCheckLayerAvailability lists layers and failures by their digests, and not as they were asked for",
        changes: &[RewriteReply(|request, _, reply| {
            looked_up(request, reply, |items| items.sort_by_key(|item| item["layerDigest"].to_string()));
        })],
        withholds: false,
    },
];

/// Changes both lists of an answer of BatchCheckLayerAvailability.
fn looked_up(request: &Request, reply: &mut Reply, change: fn(&mut Vec<Value>)) {
    edit_success(request, reply, Operation::BatchCheckLayerAvailability, |body| {
        for list in ["layers", "failures"] {
            if let Some(items) = body[list].as_array_mut() {
                change(items);
            }
        }
    });
}

/// Moves some items from one list of an answer to another, as what they are there.
fn move_items(reply: &mut Reply, from: &str, to: &str, is_moved: fn(&Value) -> bool, made: fn(&Value) -> Value) {
    edit(reply, |body| {
        let Some(items) = body.get(from).and_then(Value::as_array).cloned() else { return };
        let (moved, kept): (Vec<Value>, Vec<Value>) = items.into_iter().partition(is_moved);
        body[from] = json!(kept);
        // An empty list may have been left out.
        let mut known = body.get(to).and_then(Value::as_array).cloned().unwrap_or_default();
        known.extend(moved.iter().map(made));
        body[to] = json!(known);
    });
}

/// Changes each layer that BatchCheckLayerAvailability answers with.
fn each_layer(request: &Request, reply: &mut Reply, change: fn(&mut Map<String, Value>)) {
    edit_success(request, reply, Operation::BatchCheckLayerAvailability, |body| {
        let layers = body["layers"].as_array_mut();
        layers.into_iter().flatten().filter_map(Value::as_object_mut).for_each(change);
    });
}
