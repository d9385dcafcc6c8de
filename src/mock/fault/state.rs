//! Uploads, layers and repositories: what ends, what stays, and what is whose.

use serde_json::{Value, json};

use super::super::Change::{EditRejections, ErrorAs, Execute, RewriteInput, RewriteReply, SkipRule};
use super::super::change::Call;
use super::super::reply::edit_success;
use super::Fault;
use crate::contract::{Operation, RuleId, RulePattern};
use crate::wire::{Reply, Request};

const ONCE: RuleId = RuleId::new("CompleteLayerUpload/uploadId/once");
const STORED: RuleId = RuleId::new("BatchCheckLayerAvailability/layers/stored");

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "upload-ends-when-malformed",
        sentence: "a CompleteLayerUpload that is rejected for its members ends the upload that it names",
        rule: RuleId::new("CompleteLayerUpload/uploadId/after-malformed"),
        changes: &[EditRejections(|call, wrong| {
            if call.is(Operation::CompleteLayerUpload) && !wrong.is_empty() {
                let (repository, id) = call.key();
                call.registry.forget(&repository, &id);
            }
        })],
    },
    Fault {
        name: "registry-not-looked-at",
        sentence: "CompleteLayerUpload takes the registry id of another account for the caller's",
        rule: RuleId::new("CompleteLayerUpload/registryId/foreign"),
        changes: &[SkipRule(RulePattern::new("CompleteLayerUpload/registryId/foreign"))],
    },
    Fault {
        name: "registry-not-looked-at-first",
        sentence: "InitiateLayerUpload begins an upload whatever account's registry is named",
        rule: RuleId::new("InitiateLayerUpload/registryId/foreign"),
        changes: &[SkipRule(RulePattern::new("InitiateLayerUpload/registryId/foreign"))],
    },
    Fault {
        name: "foreign-registry-as-parameter",
        sentence: "UploadLayerPart calls the registry id of another account an invalid parameter",
        rule: RuleId::new("UploadLayerPart/registryId/foreign"),
        changes: &[ErrorAs(RulePattern::new("UploadLayerPart/registryId/foreign"), "InvalidParameterException")],
    },
    Fault {
        name: "completed-again",
        sentence: "a completed upload can be completed again",
        rule: ONCE,
        changes: &[
            EditRejections(|call, wrong| {
                if call.is(Operation::CompleteLayerUpload) && call.memory.completed.contains_key(&call.key()) {
                    wrong.retain(|rejection| !rejection.rule.is("uploadId/exists"));
                }
            }),
            Execute(|call| {
                let layer = call
                    .memory
                    .completed
                    .get(&call.key())
                    .filter(|_| call.is(Operation::CompleteLayerUpload))
                    .map(|(digest, _)| digest.clone())?;
                Some(json!({
                    "registryId": call.registry.account,
                    "repositoryName": call.text("repositoryName"),
                    "uploadId": call.text("uploadId"),
                    "layerDigest": layer,
                }))
            }),
        ],
    },
    Fault {
        name: "upload-survives-completion",
        sentence: "an upload stays open when it is completed, and its layer can be completed once more",
        rule: ONCE,
        changes: &[
            SkipRule(RulePattern::new("CompleteLayerUpload/layer/new")),
            Execute(|call| {
                let (repository, id) = call.key();
                let upload = call.upload().cloned().filter(|_| call.is(Operation::CompleteLayerUpload))?;
                let members = call.perform();
                call.registry.repositories.get_mut(&repository)?.uploads.insert(id, upload);
                Some(members)
            }),
        ],
    },
    Fault {
        name: "layer-again",
        sentence: "CompleteLayerUpload accepts a layer that is already in the repository",
        rule: RuleId::new("CompleteLayerUpload/layer/new"),
        changes: &[SkipRule(RulePattern::new("CompleteLayerUpload/layer/new"))],
    },
    Fault {
        name: "layer-before-digests",
        sentence: "CompleteLayerUpload looks for the layer before it compares digests",
        rule: RuleId::new("CompleteLayerUpload/layer/digest-first"),
        changes: &[super::super::Change::ErrorAs(
            RulePattern::new("CompleteLayerUpload/layer/digest-first"),
            "LayerAlreadyExistsException",
        )],
    },
    Fault {
        name: "layer-of-all-repositories",
        sentence: "a layer of another repository counts as present",
        rule: RuleId::new("CompleteLayerUpload/layer/per-repository"),
        changes: &[EditRejections(|call, wrong| {
            let Some(digest) = call.computed() else { return };
            let has = call.registry.holders(&digest).iter().any(|name| *name != call.text("repositoryName"));
            if call.is(Operation::CompleteLayerUpload) && has && wrong.is_empty() {
                wrong.push(super::super::change::rejection(
                    "LayerAlreadyExistsException",
                    RuleId::new("CompleteLayerUpload/layer/new"),
                ));
            }
        })],
    },
    Fault {
        name: "empty-upload-completed",
        sentence: "CompleteLayerUpload completes an upload without parts",
        rule: RuleId::new("CompleteLayerUpload/parts/not-empty"),
        changes: &[SkipRule(RulePattern::new("CompleteLayerUpload/parts/not-empty"))],
    },
    Fault {
        name: "rejected-completion-stores",
        sentence: "a CompleteLayerUpload that is rejected for its digests stores the layer anyway",
        rule: RuleId::new("BatchCheckLayerAvailability/layers/rejected"),
        changes: &[EditRejections(|call, wrong| {
            if call.is(Operation::CompleteLayerUpload)
                && wrong.iter().any(|rejection| rejection.rule == RuleId::new("CompleteLayerUpload/layerDigests/match"))
            {
                store(call);
            }
        })],
    },
    Fault {
        name: "small-part-stores",
        sentence: "a CompleteLayerUpload that is rejected for a small part stores the layer anyway",
        rule: RuleId::new("BatchCheckLayerAvailability/layers/rejected"),
        changes: &[EditRejections(|call, wrong| {
            if call.is(Operation::CompleteLayerUpload)
                && wrong.iter().any(|rejection| rejection.rule == RuleId::new("CompleteLayerUpload/parts/min-size"))
            {
                store(call);
            }
        })],
    },
    Fault {
        name: "stored-with-first-part",
        sentence: "a layer is available as soon as a part is there",
        rule: RuleId::new("BatchCheckLayerAvailability/layers/incomplete"),
        changes: &[
            Execute(|call| {
                if !call.is(Operation::UploadLayerPart) {
                    return None;
                }
                let members = call.perform();
                store(call);
                Some(members)
            }),
            // The completion must not find it.
            SkipRule(RulePattern::new("CompleteLayerUpload/layer/new")),
        ],
    },
    Fault {
        name: "parts-under-one-key",
        sentence: "parts are kept by repository, not by upload",
        rule: RuleId::new("CompleteLayerUpload/uploadId/side-by-side"),
        changes: &[Execute(|call| {
            if !call.is(Operation::UploadLayerPart) {
                return None;
            }
            let bytes = call.blob();
            let members = call.perform();
            let (repository, id) = call.key();
            let others =
                call.registry.repositories.get_mut(&repository)?.uploads.iter_mut().filter(|(other, _)| **other != id);
            for (_, upload) in others {
                use sha2::Digest as _;
                upload.hash.update(&bytes);
            }
            Some(members)
        })],
    },
    Fault {
        name: "upload-ended-by-another",
        sentence: "a CompleteLayerUpload ends all uploads of the repository",
        rule: RuleId::new("CompleteLayerUpload/uploadId/side-by-side"),
        changes: &[Execute(|call| {
            if !call.is(Operation::CompleteLayerUpload) {
                return None;
            }
            let members = call.perform();
            let (repository, _) = call.key();
            call.registry.repositories.get_mut(&repository)?.uploads.clear();
            Some(members)
        })],
    },
    Fault {
        name: "one-upload-a-repository",
        sentence: "InitiateLayerUpload ends the other uploads of the repository",
        rule: RuleId::new("UploadLayerPart/uploadId/side-by-side"),
        changes: &[Execute(|call| {
            if !call.is(Operation::InitiateLayerUpload) {
                return None;
            }
            let (repository, _) = call.key();
            call.registry.repositories.get_mut(&repository)?.uploads.clear();
            Some(call.perform())
        })],
    },
    Fault {
        name: "upload-id-reused",
        sentence: "InitiateLayerUpload gives the id of an upload of the repository that is open",
        rule: RuleId::new("InitiateLayerUpload/uploadId/own"),
        changes: &[Execute(|call| {
            let (repository, _) = call.key();
            let open = call.registry.repositories.get(&repository)?.uploads.keys().next()?.clone();
            call.is(Operation::InitiateLayerUpload).then(|| json!({ "uploadId": open, "partSize": 10_485_760 }))
        })],
    },
    Fault {
        name: "upload-ended-by-bad-part",
        sentence: "an upload ends when a part is rejected",
        rule: RuleId::new("UploadLayerPart/partFirstByte/resume"),
        changes: &[EditRejections(|call, wrong| {
            if call.is(Operation::UploadLayerPart) && !wrong.is_empty() {
                let (repository, id) = call.key();
                call.registry.forget(&repository, &id);
            }
        })],
    },
    Fault {
        name: "uploads-of-all-repositories",
        sentence: "CompleteLayerUpload finds an upload under the name of any repository",
        rule: RuleId::new("CompleteLayerUpload/uploadId/exists"),
        changes: &[RewriteInput(|call| found_anywhere(call, Operation::CompleteLayerUpload))],
    },
    Fault {
        name: "part-of-any-repository",
        sentence: "UploadLayerPart finds an upload under the name of any repository",
        rule: RuleId::new("UploadLayerPart/uploadId/exists"),
        changes: &[RewriteInput(|call| found_anywhere(call, Operation::UploadLayerPart))],
    },
    Fault {
        name: "part-begins-upload",
        sentence: "UploadLayerPart creates an upload for an unknown id",
        rule: RuleId::new("UploadLayerPart/uploadId/exists"),
        changes: &[SkipRule(RulePattern::new("UploadLayerPart/uploadId/exists"))],
    },
    Fault {
        name: "completion-of-nothing",
        sentence: "CompleteLayerUpload succeeds for an unknown upload",
        rule: RuleId::new("CompleteLayerUpload/uploadId/exists"),
        changes: &[EditRejections(|call, wrong| {
            if !call.memory.completed.contains_key(&call.key()) {
                wrong.retain(|rejection| rejection.rule != RuleId::new("CompleteLayerUpload/uploadId/exists"));
            }
        })],
    },
    Fault {
        name: "initiate-makes-repository",
        sentence: "InitiateLayerUpload makes a repository that does not exist",
        rule: RuleId::new("InitiateLayerUpload/repositoryName/exists"),
        changes: &[SkipRule(RulePattern::new("InitiateLayerUpload/repositoryName/exists"))],
    },
    Fault {
        name: "repository-begins-with",
        sentence: "a repository is found by a prefix of its name",
        rule: RuleId::new("InitiateLayerUpload/repositoryName/exists"),
        changes: &[RewriteInput(|call| {
            let name = String::from(call.text("repositoryName"));
            let longer = call
                .registry
                .repositories
                .keys()
                .filter(|other| name.starts_with(other.as_str()))
                .map(|other| json!(other))
                .next_back();
            if let Some(other) = longer.filter(|_| call.is(Operation::InitiateLayerUpload)) {
                call.input.insert(String::from("repositoryName"), other);
            }
        })],
    },
    Fault {
        name: "lookup-in-no-repository",
        sentence: "BatchCheckLayerAvailability succeeds for a repository that does not exist",
        rule: RuleId::new("BatchCheckLayerAvailability/repositoryName/exists"),
        changes: &[SkipRule(RulePattern::new("BatchCheckLayerAvailability/repositoryName/exists"))],
    },
    Fault {
        name: "url-in-no-repository",
        sentence: "GetDownloadUrlForLayer treats a repository that does not exist as one without the layer",
        rule: RuleId::new("GetDownloadUrlForLayer/repositoryName/exists"),
        changes: &[super::super::Change::ErrorAs(
            RulePattern::new("GetDownloadUrlForLayer/repositoryName/exists"),
            "LayersNotFoundException",
        )],
    },
    Fault {
        name: "layers-survive-deletion",
        sentence: "the layers of a repository survive its deletion",
        rule: RuleId::new("BatchCheckLayerAvailability/layers/deleted-repository"),
        changes: &[Execute(|call| {
            let (name, _) = call.key();
            let layers =
                call.memory.removed.get(&name).filter(|_| call.is(Operation::CreateRepository))?.layers.clone();
            let members = call.perform();
            call.registry.repositories.get_mut(&name)?.layers = layers;
            Some(members)
        })],
    },
    Fault {
        name: "no-deletion",
        sentence: "DeleteRepository is an unknown operation",
        rule: RuleId::new("survey/DeleteRepository"),
        changes: &[super::super::Change::RewriteRequest(|request| unknown(request, Operation::DeleteRepository))],
    },
    Fault {
        name: "no-uploads",
        sentence: "InitiateLayerUpload is an unknown operation",
        rule: RuleId::new("InitiateLayerUpload/known"),
        changes: &[super::super::Change::RewriteRequest(|request| unknown(request, Operation::InitiateLayerUpload))],
    },
    Fault {
        name: "no-availability",
        sentence: "BatchCheckLayerAvailability is an unknown operation",
        rule: RuleId::new("BatchCheckLayerAvailability/known"),
        changes: &[super::super::Change::RewriteRequest(|request| {
            unknown(request, Operation::BatchCheckLayerAvailability)
        })],
    },
    Fault {
        name: "no-download",
        sentence: "GetDownloadUrlForLayer is an unknown operation",
        rule: RuleId::new("GetDownloadUrlForLayer/known"),
        changes: &[super::super::Change::RewriteRequest(|request| unknown(request, Operation::GetDownloadUrlForLayer))],
    },
    Fault {
        name: "deletion-without-effect",
        sentence: "DeleteRepository returns success and removes nothing",
        rule: RuleId::new("BatchCheckLayerAvailability/repositoryName/exists"),
        changes: &[Execute(|call| {
            let (name, _) = call.key();
            call.is(Operation::DeleteRepository).then(|| json!({ "repository": { "repositoryName": name } }))
        })],
    },
    Fault {
        name: "layer-always-available",
        sentence: "BatchCheckLayerAvailability calls every layer available",
        rule: RuleId::new("survey/availability"),
        changes: &[RewriteReply(|request, _, reply| {
            checked(request, reply, |layer| {
                layer["layerAvailability"] = json!("AVAILABLE");
                layer["layerSize"] = json!(1);
            })
        })],
    },
    Fault {
        name: "layer-never-available",
        sentence: "BatchCheckLayerAvailability calls no layer available",
        rule: RuleId::new("survey/availability"),
        changes: &[RewriteReply(|request, _, reply| {
            checked(request, reply, |layer| layer["layerAvailability"] = json!("UNAVAILABLE"))
        })],
    },
    Fault {
        name: "layer-of-another-repository",
        sentence: "BatchCheckLayerAvailability finds the layers of other repositories",
        rule: RuleId::new("BatchCheckLayerAvailability/layers/per-repository"),
        changes: &[Execute(|call| {
            if !call.is(Operation::BatchCheckLayerAvailability) {
                return None;
            }
            let everywhere: Vec<(String, usize)> =
                call.registry.repositories.values().flat_map(|repository| repository.layers.clone()).collect();
            let mut members = call.perform();
            for layer in members["layers"].as_array_mut()? {
                if let Some((_, size)) = everywhere.iter().find(|(digest, _)| layer["layerDigest"] == json!(digest)) {
                    layer["layerAvailability"] = json!("AVAILABLE");
                    layer["layerSize"] = json!(size);
                }
            }
            Some(members)
        })],
    },
    Fault {
        name: "size-of-base64",
        sentence: "BatchCheckLayerAvailability returns the size of the base64 text",
        rule: STORED,
        changes: &[RewriteReply(|request, _, reply| {
            checked(request, reply, |layer| resize(layer, |size| size.div_ceil(3) * 4))
        })],
    },
    Fault {
        name: "check-without-stored-layers",
        sentence: "BatchCheckLayerAvailability leaves layers out if one of them is stored",
        rule: RuleId::new("survey/availability"),
        changes: &[RewriteReply(|request, _, reply| {
            edit_success(request, reply, Operation::BatchCheckLayerAvailability, |body| {
                let is_stored = |layer: &Value| layer["layerAvailability"] == "AVAILABLE";
                if body["layers"].as_array().is_some_and(|layers| layers.iter().any(is_stored))
                    && let Some(body) = body.as_object_mut()
                {
                    body.remove("layers");
                }
            });
        })],
    },
    Fault {
        name: "size-as-text",
        sentence: "BatchCheckLayerAvailability returns the size of layers as text",
        rule: STORED,
        changes: &[RewriteReply(|request, _, reply| {
            checked(request, reply, |layer| {
                if layer["layerSize"].is_number() {
                    layer["layerSize"] = json!(layer["layerSize"].to_string());
                }
            })
        })],
    },
    Fault {
        name: "size-one-less",
        sentence: "BatchCheckLayerAvailability returns the last position as the size",
        rule: STORED,
        changes: &[RewriteReply(|request, _, reply| {
            checked(request, reply, |layer| resize(layer, |size| size.saturating_sub(1)))
        })],
    },
    Fault {
        name: "size-of-last-part",
        sentence: "BatchCheckLayerAvailability returns the size of the last part",
        rule: STORED,
        changes: &[Execute(|call| {
            let (repository, _) = call.key();
            let last = call
                .upload()
                .and_then(|upload| upload.parts.last().copied())
                .filter(|_| call.is(Operation::CompleteLayerUpload))?;
            let digest = call.computed()?;
            let members = call.perform();
            call.registry.repositories.get_mut(&repository)?.layers.insert(digest, last);
            Some(members)
        })],
    },
    Fault {
        name: "absent-layers-left-out",
        sentence: "BatchCheckLayerAvailability leaves out absent layers",
        rule: RuleId::new("BatchCheckLayerAvailability/layers/absent"),
        changes: &[RewriteReply(|request, _, reply| {
            listed(request, reply, |layers| layers.retain(|layer| layer["layerAvailability"] == "AVAILABLE"))
        })],
    },
    Fault {
        name: "absent-layers-available",
        sentence: "BatchCheckLayerAvailability calls an absent layer available if it is asked for others as well",
        rule: STORED,
        changes: &[RewriteReply(|request, _, reply| {
            listed(request, reply, |layers| {
                if layers.len() > 1 {
                    layers.iter_mut().for_each(|layer| layer["layerAvailability"] = json!("AVAILABLE"));
                }
            })
        })],
    },
    Fault {
        name: "url-for-absent-layer",
        sentence: "GetDownloadUrlForLayer gives a URL for a layer that does not exist",
        rule: RuleId::new("GetDownloadUrlForLayer/layerDigest/exists"),
        changes: &[
            SkipRule(RulePattern::new("GetDownloadUrlForLayer/layerDigest/exists")),
            Execute(|call| {
                call.is(Operation::GetDownloadUrlForLayer).then(
                    || json!({ "downloadUrl": "https://example.com/layer", "layerDigest": call.text("layerDigest") }),
                )
            }),
        ],
    },
];

/// Finds an upload by its id alone, if the repository that is named is there.
fn found_anywhere(call: &mut Call, operation: Operation) {
    let name = call.repository_of_upload().map(Value::from);
    if call.is(operation)
        && call.registry.has_repository(call.text("repositoryName"))
        && let Some(name) = name
    {
        call.input.insert(String::from("repositoryName"), name);
    }
}

/// Stores what an upload has as a layer.
fn store(call: &mut Call) {
    let (repository, _) = call.key();
    let layer = call.upload().map(|upload| (upload.digest(), upload.size()));
    if let (Some((digest, size)), Some(repository)) = (layer, call.registry.repositories.get_mut(&repository)) {
        repository.layers.insert(digest, size);
    }
}

/// Takes the operation for one that it does not know.
fn unknown(request: &mut Request, operation: Operation) {
    if request.operation() == Some(operation) {
        request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("x-amz-target"));
    }
}

/// Changes each layer of an answer of BatchCheckLayerAvailability.
pub(super) fn checked(request: &Request, reply: &mut Reply, change: fn(&mut Value)) {
    listed(request, reply, |layers| layers.iter_mut().for_each(change));
}

fn listed(request: &Request, reply: &mut Reply, change: impl FnOnce(&mut Vec<Value>)) {
    edit_success(request, reply, Operation::BatchCheckLayerAvailability, |body| {
        if let Some(layers) = body["layers"].as_array_mut() {
            change(layers);
        }
    });
}

pub(super) fn resize(layer: &mut Value, change: fn(u64) -> u64) {
    if let Some(size) = layer["layerSize"].as_u64() {
        layer["layerSize"] = json!(change(size));
    }
}
