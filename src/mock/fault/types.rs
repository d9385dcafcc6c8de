//! JSON types that are converted, and members that are missing.

use crate::contract::Operation;
use serde_json::{Map, Value, json};

use super::super::Change::{Finds, Ignores, Takes};
use super::super::change::{Call, invalid_parameter, refusal};
use super::{Fault, fault};

pub(super) static FAULTS: &[Fault] = &[
    fault(
        "name-of-any-type",
        "InitiateLayerUpload reads a repository name of any JSON type as text",
        "InitiateLayerUpload/repositoryName/type",
        &[Takes(|call| as_text(call, Operation::InitiateLayerUpload, "repositoryName"))],
    ),
    fault(
        "complete-name-of-any-type",
        "CompleteLayerUpload takes a repository name of any JSON type as one that does not exist",
        "CompleteLayerUpload/repositoryName/type",
        &[Ignores("CompleteLayerUpload/repositoryName/type")],
    ),
    fault(
        "number-as-registry",
        "CompleteLayerUpload takes a number as the registry id",
        "CompleteLayerUpload/registryId/type",
        &[Takes(|call| drop_where(call, Operation::CompleteLayerUpload, "registryId", Value::is_number))],
    ),
    fault(
        "object-as-registry",
        "InitiateLayerUpload takes an object as the registry id",
        "InitiateLayerUpload/registryId/type",
        &[Takes(|call| drop_where(call, Operation::InitiateLayerUpload, "registryId", Value::is_object))],
    ),
    fault(
        "false-is-null",
        "false is as if left out",
        "UploadLayerPart/registryId/type",
        &[Takes(|call| call.input.retain(|_, value| value != false))],
    ),
    fault(
        "zero-is-null",
        "the number 0 is as if left out, but for positions",
        "CompleteLayerUpload/registryId/type",
        &[Takes(|call| call.input.retain(|name, value| value != 0 || name.starts_with("part")))],
    ),
    fault(
        "empty-object-is-null",
        "an empty object is as if left out",
        "BatchCheckLayerAvailability/registryId/type",
        &[Takes(|call| call.input.retain(|_, value| *value != json!({})))],
    ),
    fault(
        "empty-list-is-null",
        "an empty list is as if left out",
        "GetDownloadUrlForLayer/registryId/type",
        &[Takes(|call| call.input.retain(|_, value| *value != json!([])))],
    ),
    fault(
        "upload-id-of-any-type",
        "CompleteLayerUpload looks up an upload id of any JSON type",
        "CompleteLayerUpload/uploadId/type",
        &[Ignores("CompleteLayerUpload/uploadId/type")],
    ),
    fault(
        "part-upload-id-of-any-type",
        "UploadLayerPart looks up an upload id of any JSON type",
        "UploadLayerPart/uploadId/type",
        &[Ignores("UploadLayerPart/uploadId/type")],
    ),
    fault(
        "one-digest-as-list",
        "CompleteLayerUpload takes a text as a list of one digest",
        "CompleteLayerUpload/layerDigests/type",
        &[Takes(|call| as_list(call, Operation::CompleteLayerUpload))],
    ),
    fault(
        "digests-of-any-type",
        "CompleteLayerUpload takes digests of any JSON type as none",
        "CompleteLayerUpload/layerDigests/type",
        &[Ignores("CompleteLayerUpload/layerDigests/type")],
    ),
    fault(
        "one-lookup-as-list",
        "BatchCheckLayerAvailability takes a text as a list of one digest",
        "BatchCheckLayerAvailability/layerDigests/type",
        &[Takes(|call| as_list(call, Operation::BatchCheckLayerAvailability))],
    ),
    fault(
        "position-as-text",
        "UploadLayerPart reads a text of digits as a position",
        "UploadLayerPart/partFirstByte/type",
        &[Takes(|call| as_number(call, "partFirstByte"))],
    ),
    fault(
        "last-position-as-text",
        "UploadLayerPart reads a text of digits as the last position",
        "UploadLayerPart/partLastByte/type",
        &[Takes(|call| as_number(call, "partLastByte"))],
    ),
    fault(
        "position-as-boolean",
        "UploadLayerPart reads false as the position 0",
        "UploadLayerPart/partFirstByte/type",
        &[Takes(|call| {
            if call.input.get("partFirstByte") == Some(&Value::Bool(false)) {
                call.input.insert(String::from("partFirstByte"), json!(0));
            }
        })],
    ),
    fault(
        "position-of-any-type",
        "UploadLayerPart takes a position of any JSON type as 0",
        "UploadLayerPart/partFirstByte/type",
        &[Ignores("UploadLayerPart/partFirstByte/type")],
    ),
    fault(
        "part-of-any-type",
        "UploadLayerPart takes a part of any JSON type as an empty one",
        "UploadLayerPart/layerPartBlob/type",
        &[Ignores("UploadLayerPart/layerPartBlob/type")],
    ),
    fault(
        "bytes-as-numbers",
        "UploadLayerPart takes a list of numbers as the bytes of a part, whatever its length",
        "UploadLayerPart/layerPartBlob/type",
        &[Takes(|call| {
            if call.is(Operation::UploadLayerPart) && call.input.get("layerPartBlob").is_some_and(Value::is_array) {
                fill(call);
            }
        })],
    ),
    fault(
        "url-digest-of-any-type",
        "GetDownloadUrlForLayer looks up a digest of any JSON type",
        "GetDownloadUrlForLayer/layerDigest/type",
        &[Ignores("GetDownloadUrlForLayer/layerDigest/type")],
    ),
    fault(
        "initiate-without-name",
        "InitiateLayerUpload looks for a repository without a name",
        "InitiateLayerUpload/repositoryName/required",
        &[Ignores("InitiateLayerUpload/repositoryName/required")],
    ),
    fault(
        "complete-without-name",
        "CompleteLayerUpload finds the upload without the name of its repository",
        "CompleteLayerUpload/repositoryName/required",
        &[Takes(|call| {
            let name = call.repository_of_upload().map(Value::from);
            if let Some(name) =
                name.filter(|_| call.is(Operation::CompleteLayerUpload) && missing(&call.input, "repositoryName"))
            {
                call.input.insert(String::from("repositoryName"), name);
            }
        })],
    ),
    fault(
        "part-without-upload-id",
        "UploadLayerPart looks for an upload without an id",
        "UploadLayerPart/uploadId/required",
        &[Ignores("UploadLayerPart/uploadId/required")],
    ),
    fault(
        "complete-without-upload-id",
        "CompleteLayerUpload completes the last upload of the repository if no id is named",
        "CompleteLayerUpload/uploadId/required",
        &[Takes(|call| {
            if !call.is(Operation::CompleteLayerUpload) || !missing(&call.input, "uploadId") {
                return;
            }
            let repository = call.registry.repositories.get(call.text("repositoryName"));
            let id = repository.and_then(|repository| repository.uploads.keys().next_back()).map(|id| json!(id));
            if let Some(id) = id {
                call.input.insert(String::from("uploadId"), id);
            }
        })],
    ),
    fault(
        "complete-without-digests",
        "CompleteLayerUpload takes a request without digests",
        "CompleteLayerUpload/layerDigests/required",
        &[Ignores("CompleteLayerUpload/layerDigests/required")],
    ),
    fault(
        "lookup-without-digests",
        "BatchCheckLayerAvailability takes a request without digests",
        "BatchCheckLayerAvailability/layerDigests/required",
        &[Ignores("BatchCheckLayerAvailability/layerDigests/required")],
    ),
    fault(
        "url-without-digest",
        "GetDownloadUrlForLayer looks for a layer without a digest",
        "GetDownloadUrlForLayer/layerDigest/required",
        &[Ignores("GetDownloadUrlForLayer/layerDigest/required")],
    ),
    fault(
        "part-without-first-byte",
        "UploadLayerPart takes the position after the last part if none is named",
        "UploadLayerPart/partFirstByte/required",
        &[Takes(|call| {
            if call.is(Operation::UploadLayerPart) && missing(&call.input, "partFirstByte") {
                let next = call.upload().map_or(0, |upload| upload.size());
                call.input.insert(String::from("partFirstByte"), json!(next));
            }
        })],
    ),
    fault(
        "part-without-last-byte",
        "UploadLayerPart computes the last byte if none is named",
        "UploadLayerPart/partLastByte/required",
        &[Takes(|call| {
            if call.is(Operation::UploadLayerPart) && missing(&call.input, "partLastByte") {
                call.input.insert(String::from("partLastByte"), json!(call.last_by_size()));
            }
        })],
    ),
    fault(
        "part-without-bytes",
        "UploadLayerPart takes a part without bytes as zeros",
        "UploadLayerPart/layerPartBlob/required",
        &[Takes(|call| {
            if call.is(Operation::UploadLayerPart) && missing(&call.input, "layerPartBlob") {
                fill(call);
            }
        })],
    ),
    fault(
        "null-registry-refused",
        "null as the registry id is refused as a parameter",
        "CompleteLayerUpload/registryId/optional",
        &[Finds(|call, wrong| {
            if call.input.get("registryId") == Some(&Value::Null) {
                wrong.insert(0, invalid_parameter("CompleteLayerUpload/registryId/optional"));
            }
        })],
    ),
    fault(
        "null-registry-unreadable",
        "null as the registry id cannot be read",
        "InitiateLayerUpload/registryId/optional",
        &[Finds(|call, wrong| {
            if call.input.get("registryId") == Some(&Value::Null) {
                wrong.insert(0, refusal("SerializationException", "InitiateLayerUpload/registryId/optional"));
            }
        })],
    ),
    fault(
        "null-is-a-text",
        "null as a repository name is read as the text null",
        "UploadLayerPart/repositoryName/required",
        &[Takes(|call| {
            if call.input.get("repositoryName") == Some(&Value::Null) {
                call.input.insert(String::from("repositoryName"), json!("null"));
            }
        })],
    ),
    fault(
        "null-is-zero",
        "null as a position is read as 0",
        "UploadLayerPart/partFirstByte/required",
        &[Takes(|call| {
            if call.input.get("partFirstByte") == Some(&Value::Null) {
                call.input.insert(String::from("partFirstByte"), json!(0));
            }
        })],
    ),
    fault(
        "own-registry-refused",
        "CompleteLayerUpload takes no registry id, not even its own",
        "CompleteLayerUpload/registryId/own",
        &[Finds(|call, wrong| {
            if call.is(Operation::CompleteLayerUpload)
                && call.input.get("registryId").is_some_and(Value::is_string)
                && wrong.is_empty()
            {
                wrong.push(invalid_parameter("CompleteLayerUpload/registryId/own"));
            }
        })],
    ),
    fault(
        "own-registry-not-found",
        "UploadLayerPart finds no repository under the registry id of its owner",
        "UploadLayerPart/registryId/own",
        &[Finds(|call, wrong| {
            if call.is(Operation::UploadLayerPart)
                && call.input.get("registryId").is_some_and(Value::is_string)
                && wrong.is_empty()
            {
                wrong.push(refusal("RepositoryNotFoundException", "UploadLayerPart/registryId/own"));
            }
        })],
    ),
];

fn missing(input: &Map<String, Value>, member: &str) -> bool {
    input.get(member).is_none_or(Value::is_null)
}

fn as_text(call: &mut Call, operation: Operation, member: &str) {
    if call.is(operation)
        && let Some(value) = call.input.get_mut(member).filter(|value| !value.is_string() && !value.is_null())
    {
        *value = json!("text-of-a-value");
    }
}

fn as_list(call: &mut Call, operation: Operation) {
    if call.is(operation)
        && let Some(value) = call.input.get_mut("layerDigests").filter(|value| value.is_string())
    {
        *value = json!([value]);
    }
}

fn as_number(call: &mut Call, member: &str) {
    if let Some(number) = call.input.get(member).and_then(Value::as_str).and_then(|text| text.parse::<i64>().ok()) {
        call.input.insert(String::from(member), json!(number));
    }
}

fn drop_where(call: &mut Call, operation: Operation, member: &str, is_dropped: fn(&Value) -> bool) {
    if call.is(operation) && call.input.get(member).is_some_and(is_dropped) {
        call.input.remove(member);
    }
}

/// Makes the part zeros, as many as its positions say, but no more than 1 MiB.
fn fill(call: &mut Call) {
    use base64::Engine as _;
    let zeros = base64::engine::general_purpose::STANDARD.encode(vec![0; call.made_size()]);
    call.input.insert(String::from("layerPartBlob"), json!(zeros));
}
