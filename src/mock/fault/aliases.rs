//! The alias of a public registry, in the place of its account id.

use serde_json::{Value, json};

use super::super::Change::{EditRejections, RejectIf, RewriteReply};
use super::super::change::{Call, rejection};
use super::super::reply::edit_success;
use super::Fault;
use crate::contract::{Operation, RuleId, RulePattern};
use crate::model::Rejection;
use crate::model::registry::ALIAS;
use crate::wire::Request;

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "own-alias-as-parameter",
        sentence: "UploadLayerPart rejects the alias of the caller's own registry as a parameter",
        rule: RuleId::new("UploadLayerPart/registryId/alias"),
        changes: &[RejectIf(RulePattern::new("UploadLayerPart/registryId/alias"), |value| value == ALIAS)],
    },
    Fault {
        name: "own-alias-unknown",
        sentence: "CompleteLayerUpload finds a registry by its account id alone, and none by its alias",
        rule: RuleId::new("CompleteLayerUpload/registryId/alias"),
        changes: &[EditRejections(|call, wrong| {
            reject_alias(call, wrong, "RegistryNotFoundException", RuleId::new("CompleteLayerUpload/registryId/alias"));
        })],
    },
    Fault {
        name: "own-alias-without-repositories",
        sentence: "InitiateLayerUpload finds no repository in a registry that is named by its alias",
        rule: RuleId::new("InitiateLayerUpload/registryId/alias"),
        changes: &[EditRejections(|call, wrong| {
            reject_alias(
                call,
                wrong,
                "RepositoryNotFoundException",
                RuleId::new("InitiateLayerUpload/registryId/alias"),
            );
        })],
    },
    Fault {
        name: "own-alias-echoed",
        sentence: "UploadLayerPart returns the alias that was sent instead of the account id",
        rule: RuleId::new("UploadLayerPart/answer/registryId"),
        changes: &[RewriteReply(|request, _, reply| {
            if names_alias(request) {
                edit_success(request, reply, Operation::UploadLayerPart, |body| body["registryId"] = json!(ALIAS));
            }
        })],
    },
    Fault {
        name: "own-alias-of-another-account",
        sentence: "CompleteLayerUpload returns the account id of another registry where the alias was sent",
        rule: RuleId::new("CompleteLayerUpload/answer/registryId"),
        changes: &[RewriteReply(|request, _, reply| {
            if names_alias(request) {
                edit_success(request, reply, Operation::CompleteLayerUpload, |body| {
                    body["registryId"] = json!("000000000000");
                });
            }
        })],
    },
    Fault {
        name: "own-alias-with-uploads-of-its-own",
        sentence: "an upload that was begun by the alias is not found by the account id",
        rule: RuleId::new("CompleteLayerUpload/registryId/own"),
        changes: &[
            RewriteReply(|request, memory, reply| {
                if names_alias(request) {
                    edit_success(request, reply, Operation::InitiateLayerUpload, |body| {
                        memory.asked.insert(begun(body["uploadId"].as_str().unwrap_or_default()), 1);
                    });
                }
            }),
            EditRejections(|call, wrong| {
                let is_kept_apart = call.memory.asked.contains_key(&begun(call.text("uploadId")));
                let by_account = call.text("registryId") == call.registry.account;
                if call.is(Operation::CompleteLayerUpload) && is_kept_apart && by_account && wrong.is_empty() {
                    let rule = RuleId::new("CompleteLayerUpload/registryId/own");
                    wrong.push(rejection("UploadNotFoundException", rule));
                }
            }),
        ],
    },
    Fault {
        name: "own-alias-with-layers-of-its-own",
        sentence: "BatchCheckLayerAvailability finds what was completed by the alias by the alias alone",
        rule: RuleId::new("BatchCheckLayerAvailability/layers/stored"),
        changes: &[RewriteReply(|request, memory, reply| {
            let by_alias = names_alias(request);
            edit_success(request, reply, Operation::CompleteLayerUpload, |body| {
                if by_alias {
                    memory.asked.insert(completed(&body["layerDigest"]), 1);
                }
            });
            edit_success(request, reply, Operation::BatchCheckLayerAvailability, |body| {
                let is_hidden =
                    |layer: &Value| !by_alias && memory.asked.contains_key(&completed(&layer["layerDigest"]));
                let layers = body["layers"].as_array_mut().into_iter().flatten();
                for layer in layers.filter(|layer| is_hidden(layer)) {
                    *layer = json!({ "layerDigest": layer["layerDigest"], "layerAvailability": "UNAVAILABLE" });
                }
            });
        })],
    },
];

/// Rejects what is right but for the alias, where the rule is one of the called operation.
fn reject_alias(call: &Call<'_>, wrong: &mut Vec<Rejection>, error: &str, rule: RuleId) {
    if rule.operation() == Some(call.operation.name) && call.names_alias() && wrong.is_empty() {
        wrong.push(rejection(error, rule));
    }
}

/// The name under which an upload is remembered that was begun by the alias.
fn begun(upload: &str) -> String {
    format!("begun by the alias: {upload}")
}

/// The name under which a layer is remembered that was completed by the alias.
fn completed(digest: &Value) -> String {
    format!("completed by the alias: {digest}")
}

/// Whether a request names the registry by its alias.
fn names_alias(request: &Request) -> bool {
    let sent: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    sent["registryId"] == ALIAS
}

impl Call<'_> {
    /// Whether the registry is named by its alias.
    fn names_alias(&self) -> bool {
        self.text("registryId") == ALIAS
    }
}
