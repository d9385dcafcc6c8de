//! Uploads, layers and repositories: what ends, what stays, and what is whose.

use serde_json::{Value, json};

use super::super::Change::{Finds, Ignores, Performs, Says, Takes};
use super::super::change::Call;
use super::super::reply::edit_success;
use super::{Fault, fault};
use crate::contract::Operation;
use crate::wire::{Reply, Request};

const ONCE: &str = "CompleteLayerUpload/uploadId/once";
const STORED: &str = "BatchCheckLayerAvailability/layers/stored";

pub(super) static FAULTS: &[Fault] = &[
    fault(
        "completed-again",
        "a completed upload can be completed again",
        ONCE,
        &[
            Finds(|call, wrong| {
                if call.is(Operation::CompleteLayerUpload) && call.memory.completed.contains_key(&call.key()) {
                    wrong.retain(|refusal| !refusal.rule.ends_with("/uploadId/exists"));
                }
            }),
            Performs(|call| {
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
    ),
    fault(
        "upload-survives-completion",
        "an upload stays open when it is completed, and its layer can be completed once more",
        ONCE,
        &[
            Ignores("CompleteLayerUpload/layer/new"),
            Performs(|call| {
                let (repository, id) = call.key();
                let upload = call.upload().cloned().filter(|_| call.is(Operation::CompleteLayerUpload))?;
                let members = call.perform();
                call.registry.repositories.get_mut(&repository)?.uploads.insert(id, upload);
                Some(members)
            }),
        ],
    ),
    fault(
        "layer-again",
        "CompleteLayerUpload takes a layer that the repository has already",
        "CompleteLayerUpload/layer/new",
        &[Ignores("CompleteLayerUpload/layer/new")],
    ),
    fault(
        "layer-before-digests",
        "CompleteLayerUpload looks for the layer before it compares digests",
        "CompleteLayerUpload/layer/digest-first",
        &[super::super::Change::Names("CompleteLayerUpload/layer/digest-first", "LayerAlreadyExistsException")],
    ),
    fault(
        "layer-of-all-repositories",
        "a layer that another repository has counts as there",
        "CompleteLayerUpload/layer/per-repository",
        &[Finds(|call, wrong| {
            let Some(digest) = call.computed() else { return };
            let has = call.registry.holders(&digest).iter().any(|name| *name != call.text("repositoryName"));
            if call.is(Operation::CompleteLayerUpload) && has && wrong.is_empty() {
                wrong.push(super::super::change::refusal(
                    "LayerAlreadyExistsException",
                    "CompleteLayerUpload/layer/new",
                ));
            }
        })],
    ),
    fault(
        "empty-upload-completed",
        "CompleteLayerUpload completes an upload without parts",
        "CompleteLayerUpload/parts/not-empty",
        &[Ignores("CompleteLayerUpload/parts/not-empty")],
    ),
    fault(
        "refused-completion-stores",
        "a CompleteLayerUpload that is refused for its digests stores the layer all the same",
        "BatchCheckLayerAvailability/layers/refused",
        &[Finds(|call, wrong| {
            if call.is(Operation::CompleteLayerUpload)
                && wrong.iter().any(|refusal| refusal.rule == "CompleteLayerUpload/layerDigests/match")
            {
                store(call);
            }
        })],
    ),
    fault(
        "small-part-stores",
        "a CompleteLayerUpload that is refused for a small part stores the layer all the same",
        "BatchCheckLayerAvailability/layers/refused",
        &[Finds(|call, wrong| {
            if call.is(Operation::CompleteLayerUpload)
                && wrong.iter().any(|refusal| refusal.rule == "CompleteLayerUpload/parts/min-size")
            {
                store(call);
            }
        })],
    ),
    fault(
        "stored-with-first-part",
        "a layer is available as soon as a part is there",
        "BatchCheckLayerAvailability/layers/incomplete",
        &[
            Performs(|call| {
                if !call.is(Operation::UploadLayerPart) {
                    return None;
                }
                let members = call.perform();
                store(call);
                Some(members)
            }),
            // The completion must not find it.
            Ignores("CompleteLayerUpload/layer/new"),
        ],
    ),
    fault(
        "parts-under-one-key",
        "parts are kept by repository, not by upload",
        "CompleteLayerUpload/uploadId/side-by-side",
        &[Performs(|call| {
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
    ),
    fault(
        "upload-ended-by-another",
        "a CompleteLayerUpload ends all uploads of the repository",
        "CompleteLayerUpload/uploadId/side-by-side",
        &[Performs(|call| {
            if !call.is(Operation::CompleteLayerUpload) {
                return None;
            }
            let members = call.perform();
            let (repository, _) = call.key();
            call.registry.repositories.get_mut(&repository)?.uploads.clear();
            Some(members)
        })],
    ),
    fault(
        "one-upload-a-repository",
        "InitiateLayerUpload ends the other uploads of the repository",
        "UploadLayerPart/uploadId/side-by-side",
        &[Performs(|call| {
            if !call.is(Operation::InitiateLayerUpload) {
                return None;
            }
            let (repository, _) = call.key();
            call.registry.repositories.get_mut(&repository)?.uploads.clear();
            Some(call.perform())
        })],
    ),
    fault(
        "upload-id-reused",
        "InitiateLayerUpload gives the id of an upload of the repository that is open",
        "InitiateLayerUpload/uploadId/own",
        &[Performs(|call| {
            let (repository, _) = call.key();
            let open = call.registry.repositories.get(&repository)?.uploads.keys().next()?.clone();
            call.is(Operation::InitiateLayerUpload).then(|| json!({ "uploadId": open, "partSize": 10_485_760 }))
        })],
    ),
    fault(
        "upload-ended-by-bad-part",
        "an upload ends when a part is refused",
        "UploadLayerPart/partFirstByte/resume",
        &[Finds(|call, wrong| {
            if call.is(Operation::UploadLayerPart) && !wrong.is_empty() {
                let (repository, id) = call.key();
                call.registry.forget(&repository, &id);
            }
        })],
    ),
    fault(
        "uploads-of-all-repositories",
        "CompleteLayerUpload finds an upload under the name of any repository",
        "CompleteLayerUpload/uploadId/exists",
        &[Takes(|call| found_anywhere(call, Operation::CompleteLayerUpload))],
    ),
    fault(
        "part-of-any-repository",
        "UploadLayerPart finds an upload under the name of any repository",
        "UploadLayerPart/uploadId/exists",
        &[Takes(|call| found_anywhere(call, Operation::UploadLayerPart))],
    ),
    fault(
        "part-begins-upload",
        "UploadLayerPart begins an upload under an id that nobody has",
        "UploadLayerPart/uploadId/exists",
        &[Ignores("UploadLayerPart/uploadId/exists")],
    ),
    fault(
        "completion-of-nothing",
        "CompleteLayerUpload succeeds for an upload that nobody has",
        "CompleteLayerUpload/uploadId/exists",
        &[Finds(|call, wrong| {
            if !call.memory.completed.contains_key(&call.key()) {
                wrong.retain(|refusal| refusal.rule != "CompleteLayerUpload/uploadId/exists");
            }
        })],
    ),
    fault(
        "initiate-makes-repository",
        "InitiateLayerUpload makes a repository that is not there",
        "InitiateLayerUpload/repositoryName/exists",
        &[Ignores("InitiateLayerUpload/repositoryName/exists")],
    ),
    fault(
        "repository-begins-with",
        "a repository is found by what its name begins with",
        "InitiateLayerUpload/repositoryName/exists",
        &[Takes(|call| {
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
    ),
    fault(
        "lookup-in-no-repository",
        "BatchCheckLayerAvailability answers for a repository that is not there",
        "BatchCheckLayerAvailability/repositoryName/exists",
        &[Ignores("BatchCheckLayerAvailability/repositoryName/exists")],
    ),
    fault(
        "url-in-no-repository",
        "GetDownloadUrlForLayer answers for a repository that is not there as for one without the layer",
        "GetDownloadUrlForLayer/repositoryName/exists",
        &[super::super::Change::Names("GetDownloadUrlForLayer/repositoryName/exists", "LayersNotFoundException")],
    ),
    fault(
        "layers-survive-deletion",
        "the layers of a repository survive its deletion",
        "BatchCheckLayerAvailability/layers/deleted-repository",
        &[Performs(|call| {
            let (name, _) = call.key();
            let layers =
                call.memory.removed.get(&name).filter(|_| call.is(Operation::CreateRepository))?.layers.clone();
            let members = call.perform();
            call.registry.repositories.get_mut(&name)?.layers = layers;
            Some(members)
        })],
    ),
    fault(
        "no-deletion",
        "DeleteRepository is an unknown operation",
        "survey/DeleteRepository",
        &[super::super::Change::Reads(|request| unknown(request, Operation::DeleteRepository))],
    ),
    fault(
        "no-uploads",
        "InitiateLayerUpload is an unknown operation",
        "InitiateLayerUpload/known",
        &[super::super::Change::Reads(|request| unknown(request, Operation::InitiateLayerUpload))],
    ),
    fault(
        "no-availability",
        "BatchCheckLayerAvailability is an unknown operation",
        "BatchCheckLayerAvailability/known",
        &[super::super::Change::Reads(|request| unknown(request, Operation::BatchCheckLayerAvailability))],
    ),
    fault(
        "no-download",
        "GetDownloadUrlForLayer is an unknown operation",
        "GetDownloadUrlForLayer/known",
        &[super::super::Change::Reads(|request| unknown(request, Operation::GetDownloadUrlForLayer))],
    ),
    fault(
        "deletion-without-effect",
        "DeleteRepository answers with success and removes nothing",
        "BatchCheckLayerAvailability/repositoryName/exists",
        &[Performs(|call| {
            let (name, _) = call.key();
            call.is(Operation::DeleteRepository).then(|| json!({ "repository": { "repositoryName": name } }))
        })],
    ),
    fault(
        "layer-always-available",
        "BatchCheckLayerAvailability calls every layer available",
        "survey/availability",
        &[Says(|request, _, reply| {
            checked(request, reply, |layer| {
                layer["layerAvailability"] = json!("AVAILABLE");
                layer["layerSize"] = json!(1);
            })
        })],
    ),
    fault(
        "layer-never-available",
        "BatchCheckLayerAvailability calls no layer available",
        "survey/availability",
        &[Says(|request, _, reply| checked(request, reply, |layer| layer["layerAvailability"] = json!("UNAVAILABLE")))],
    ),
    fault(
        "layer-of-another-repository",
        "BatchCheckLayerAvailability finds the layers of other repositories",
        "BatchCheckLayerAvailability/layers/per-repository",
        &[Performs(|call| {
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
    ),
    fault(
        "size-of-base64",
        "BatchCheckLayerAvailability answers with the size of the base64 text",
        STORED,
        &[Says(|request, _, reply| checked(request, reply, |layer| resize(layer, |size| size.div_ceil(3) * 4)))],
    ),
    fault(
        "size-missing",
        "BatchCheckLayerAvailability answers without the size of layers",
        STORED,
        &[Says(|request, _, reply| {
            checked(request, reply, |layer| {
                if let Some(layer) = layer.as_object_mut() {
                    layer.remove("layerSize");
                }
            })
        })],
    ),
    fault(
        "size-as-text",
        "BatchCheckLayerAvailability answers with the size of layers as text",
        STORED,
        &[Says(|request, _, reply| {
            checked(request, reply, |layer| {
                if layer["layerSize"].is_number() {
                    layer["layerSize"] = json!(layer["layerSize"].to_string());
                }
            })
        })],
    ),
    fault(
        "size-one-less",
        "BatchCheckLayerAvailability answers with the last position as the size",
        STORED,
        &[Says(|request, _, reply| checked(request, reply, |layer| resize(layer, |size| size.saturating_sub(1))))],
    ),
    fault(
        "size-of-last-part",
        "BatchCheckLayerAvailability answers with the size of the last part",
        STORED,
        &[Performs(|call| {
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
    ),
    fault(
        "absent-layers-left-out",
        "BatchCheckLayerAvailability says nothing of absent layers",
        "BatchCheckLayerAvailability/layers/absent",
        &[Says(|request, _, reply| {
            listed(request, reply, |layers| layers.retain(|layer| layer["layerAvailability"] == "AVAILABLE"))
        })],
    ),
    fault(
        "absent-layers-available",
        "BatchCheckLayerAvailability calls an absent layer available if it is asked for others as well",
        STORED,
        &[Says(|request, _, reply| {
            listed(request, reply, |layers| {
                if layers.len() > 1 {
                    layers.iter_mut().for_each(|layer| layer["layerAvailability"] = json!("AVAILABLE"));
                }
            })
        })],
    ),
    fault(
        "url-for-absent-layer",
        "GetDownloadUrlForLayer gives a URL for a layer that is not there",
        "GetDownloadUrlForLayer/layerDigest/exists",
        &[
            Ignores("GetDownloadUrlForLayer/layerDigest/exists"),
            Performs(|call| {
                call.is(Operation::GetDownloadUrlForLayer).then(
                    || json!({ "downloadUrl": "https://example.com/layer", "layerDigest": call.text("layerDigest") }),
                )
            }),
        ],
    ),
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
fn checked(request: &Request, reply: &mut Reply, change: fn(&mut Value)) {
    listed(request, reply, |layers| layers.iter_mut().for_each(change));
}

fn listed(request: &Request, reply: &mut Reply, change: impl FnOnce(&mut Vec<Value>)) {
    edit_success(request, reply, Operation::BatchCheckLayerAvailability, |body| {
        if let Some(layers) = body["layers"].as_array_mut() {
            change(layers);
        }
    });
}

fn resize(layer: &mut Value, change: fn(u64) -> u64) {
    if let Some(size) = layer["layerSize"].as_u64() {
        layer["layerSize"] = json!(change(size));
    }
}
