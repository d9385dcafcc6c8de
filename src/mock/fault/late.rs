//! Servers on which what was done shows only later: the first few times that it is asked for, it is not there yet.

use serde_json::{Value, json};

use super::super::Change::{EditRejections, Execute, RewriteReply};
use super::super::change::{Call, rejection};
use super::super::reply::edit_success;
use super::Fault;
use crate::contract::{Operation, RuleId};
use crate::model::Rejection;

const UPLOAD: RuleId = RuleId::new("survey/plain-upload");
const AVAILABILITY: RuleId = RuleId::new("survey/availability");

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "layers-late",
        sentence: "BatchCheckLayerAvailability finds a layer only later",
        rule: AVAILABILITY,
        changes: &[RewriteReply(|request, memory, reply| {
            edit_success(request, reply, Operation::BatchCheckLayerAvailability, |body| {
                for layer in body["layers"].as_array_mut().into_iter().flatten() {
                    let is_there = layer["layerAvailability"] == "AVAILABLE";
                    if is_there && memory.is_early(layer["layerDigest"].to_string()) {
                        layer["layerAvailability"] = json!("UNAVAILABLE");
                    }
                }
            });
        })],
    },
    Fault {
        name: "layers-late-as-failures",
        sentence: "BatchCheckLayerAvailability calls a layer missing, and finds it later",
        rule: AVAILABILITY,
        changes: &[RewriteReply(|request, memory, reply| {
            edit_success(request, reply, Operation::BatchCheckLayerAvailability, |body| {
                let layers = body["layers"].as_array().cloned().unwrap_or_default();
                let is_late = |layer: &Value| {
                    layer["layerAvailability"] == "AVAILABLE" && memory.is_early(layer["layerDigest"].to_string())
                };
                let (late, there): (Vec<Value>, Vec<Value>) = layers.into_iter().partition(is_late);
                let failure =
                    |layer: Value| json!({ "layerDigest": layer["layerDigest"], "failureCode": "MissingLayerDigest" });
                body["layers"] = Value::Array(there);
                let failures = body["failures"].as_array_mut();
                failures.into_iter().for_each(|failures| failures.extend(late.iter().cloned().map(failure)));
            });
        })],
    },
    Fault {
        name: "uploads-late",
        sentence: "UploadLayerPart finds an upload only later",
        rule: UPLOAD,
        changes: &[EditRejections(|call, wrong| {
            late(call, wrong, Operation::UploadLayerPart, "UploadNotFoundException", "uploadId")
        })],
    },
    Fault {
        name: "parts-late",
        sentence: "CompleteLayerUpload finds the parts of an upload only later",
        rule: UPLOAD,
        changes: &[EditRejections(|call, wrong| {
            late(call, wrong, Operation::CompleteLayerUpload, "EmptyUploadException", "uploadId")
        })],
    },
    Fault {
        name: "uploads-late-at-completion",
        sentence: "CompleteLayerUpload finds an upload only later",
        rule: UPLOAD,
        changes: &[EditRejections(|call, wrong| {
            late(call, wrong, Operation::CompleteLayerUpload, "UploadNotFoundException", "uploadId")
        })],
    },
    Fault {
        name: "repositories-late",
        sentence: "InitiateLayerUpload finds a repository only later",
        rule: UPLOAD,
        changes: &[EditRejections(|call, wrong| {
            late(call, wrong, Operation::InitiateLayerUpload, "RepositoryNotFoundException", "repositoryName")
        })],
    },
    Fault {
        name: "repositories-late-to-look-up",
        sentence: "BatchCheckLayerAvailability finds a repository only later",
        rule: UPLOAD,
        changes: &[EditRejections(|call, wrong| {
            late(call, wrong, Operation::BatchCheckLayerAvailability, "RepositoryNotFoundException", "repositoryName")
        })],
    },
    Fault {
        name: "deletions-late",
        sentence: "BatchCheckLayerAvailability finds a repository for a while that was deleted",
        rule: RuleId::new("BatchCheckLayerAvailability/repositoryName/exists"),
        changes: &[
            EditRejections(|call, wrong| {
                let (name, _) = call.key();
                let is_gone =
                    call.is(Operation::BatchCheckLayerAvailability) && call.memory.removed.contains_key(&name);
                if is_gone && call.memory.is_early(name) {
                    wrong.clear();
                }
            }),
            Execute(|call| {
                let (name, _) = call.key();
                let is_gone = call.is(Operation::BatchCheckLayerAvailability) && !call.registry.has_repository(&name);
                let layer = |digest: &&str| json!({ "layerDigest": digest, "layerAvailability": "UNAVAILABLE" });
                let layers = || call.digests().iter().map(layer).collect::<Vec<_>>();
                is_gone.then(|| json!({ "layers": layers(), "failures": [] }))
            }),
        ],
    },
];

/// Rejects a valid call the first few times that it names something.
fn late(call: &mut Call, wrong: &mut Vec<Rejection>, operation: Operation, error: &str, member: &str) {
    if call.is(operation) && wrong.is_empty() {
        let named = format!("{operation} {}", call.text(member));
        if call.memory.is_early(named) {
            wrong.push(rejection(error, UPLOAD));
        }
    }
}
