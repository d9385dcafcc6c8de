//! JSON types that are converted, and members that are missing.

use serde_json::{Map, Value, json};

use super::super::Change::{EditRejections, RewriteInput, SkipRule};
use super::super::change::{Call, invalid_parameter, rejection};
use super::Fault;
use crate::contract::{Operation, RuleId, RulePattern};

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "name-of-any-type",
        sentence: "InitiateLayerUpload reads a repository name of any JSON type as text",
        rule: RuleId::new("InitiateLayerUpload/repositoryName/type"),
        changes: &[RewriteInput(|call| as_text(call, Operation::InitiateLayerUpload, "repositoryName"))],
    },
    Fault {
        name: "complete-name-of-any-type",
        sentence: "CompleteLayerUpload treats a repository name of any JSON type as one that does not exist",
        rule: RuleId::new("CompleteLayerUpload/repositoryName/type"),
        changes: &[SkipRule(RulePattern::new("CompleteLayerUpload/repositoryName/type"))],
    },
    Fault {
        name: "number-as-registry",
        sentence: "CompleteLayerUpload accepts a number as the registry id",
        rule: RuleId::new("CompleteLayerUpload/registryId/type"),
        changes: &[RewriteInput(|call| {
            drop_where(call, Operation::CompleteLayerUpload, "registryId", Value::is_number)
        })],
    },
    Fault {
        name: "object-as-registry",
        sentence: "InitiateLayerUpload accepts an object as the registry id",
        rule: RuleId::new("InitiateLayerUpload/registryId/type"),
        changes: &[RewriteInput(|call| {
            drop_where(call, Operation::InitiateLayerUpload, "registryId", Value::is_object)
        })],
    },
    Fault {
        name: "false-is-null",
        sentence: "false counts as absent",
        rule: RuleId::new("UploadLayerPart/registryId/type"),
        changes: &[RewriteInput(|call| call.input.retain(|_, value| value != false))],
    },
    Fault {
        name: "zero-is-null",
        sentence: "the number 0 counts as absent, but for positions",
        rule: RuleId::new("CompleteLayerUpload/registryId/type"),
        changes: &[RewriteInput(|call| call.input.retain(|name, value| value != 0 || name.starts_with("part")))],
    },
    Fault {
        name: "empty-object-is-null",
        sentence: "an empty object counts as absent",
        rule: RuleId::new("BatchCheckLayerAvailability/registryId/type"),
        changes: &[RewriteInput(|call| call.input.retain(|_, value| *value != json!({})))],
    },
    Fault {
        name: "empty-list-is-null",
        sentence: "an empty array counts as absent",
        rule: RuleId::new("GetDownloadUrlForLayer/registryId/type"),
        changes: &[RewriteInput(|call| call.input.retain(|_, value| *value != json!([])))],
    },
    Fault {
        name: "upload-id-of-any-type",
        sentence: "CompleteLayerUpload looks up an upload id of any JSON type",
        rule: RuleId::new("CompleteLayerUpload/uploadId/type"),
        changes: &[SkipRule(RulePattern::new("CompleteLayerUpload/uploadId/type"))],
    },
    Fault {
        name: "part-upload-id-of-any-type",
        sentence: "UploadLayerPart looks up an upload id of any JSON type",
        rule: RuleId::new("UploadLayerPart/uploadId/type"),
        changes: &[SkipRule(RulePattern::new("UploadLayerPart/uploadId/type"))],
    },
    Fault {
        name: "one-digest-as-list",
        sentence: "CompleteLayerUpload treats a text as an array of one digest",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/type"),
        changes: &[RewriteInput(|call| as_list(call, Operation::CompleteLayerUpload))],
    },
    Fault {
        name: "digests-of-any-type",
        sentence: "CompleteLayerUpload treats digests of any JSON type as none",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/type"),
        changes: &[SkipRule(RulePattern::new("CompleteLayerUpload/layerDigests/type"))],
    },
    Fault {
        name: "one-lookup-as-list",
        sentence: "BatchCheckLayerAvailability treats a text as an array of one digest",
        rule: RuleId::new("BatchCheckLayerAvailability/layerDigests/type"),
        changes: &[RewriteInput(|call| as_list(call, Operation::BatchCheckLayerAvailability))],
    },
    Fault {
        name: "position-as-text",
        sentence: "UploadLayerPart reads a text of digits as a position",
        rule: RuleId::new("UploadLayerPart/partFirstByte/type"),
        changes: &[RewriteInput(|call| as_number(call, "partFirstByte"))],
    },
    Fault {
        name: "last-position-as-text",
        sentence: "UploadLayerPart reads a text of digits as the last position",
        rule: RuleId::new("UploadLayerPart/partLastByte/type"),
        changes: &[RewriteInput(|call| as_number(call, "partLastByte"))],
    },
    Fault {
        name: "position-as-boolean",
        sentence: "UploadLayerPart reads false as the position 0",
        rule: RuleId::new("UploadLayerPart/partFirstByte/type"),
        changes: &[RewriteInput(|call| {
            if call.input.get("partFirstByte") == Some(&Value::Bool(false)) {
                call.input.insert(String::from("partFirstByte"), json!(0));
            }
        })],
    },
    Fault {
        name: "position-of-any-type",
        sentence: "UploadLayerPart treats a position of any JSON type as 0",
        rule: RuleId::new("UploadLayerPart/partFirstByte/type"),
        changes: &[SkipRule(RulePattern::new("UploadLayerPart/partFirstByte/type"))],
    },
    Fault {
        name: "part-of-any-type",
        sentence: "UploadLayerPart treats a part of any JSON type as an empty one",
        rule: RuleId::new("UploadLayerPart/layerPartBlob/type"),
        changes: &[SkipRule(RulePattern::new("UploadLayerPart/layerPartBlob/type"))],
    },
    Fault {
        name: "bytes-as-numbers",
        sentence: "UploadLayerPart treats a list of numbers as the bytes of a part, whatever its length",
        rule: RuleId::new("UploadLayerPart/layerPartBlob/type"),
        changes: &[RewriteInput(|call| {
            if call.is(Operation::UploadLayerPart) && call.input.get("layerPartBlob").is_some_and(Value::is_array) {
                fill(call);
            }
        })],
    },
    Fault {
        name: "url-digest-of-any-type",
        sentence: "GetDownloadUrlForLayer looks up a digest of any JSON type",
        rule: RuleId::new("GetDownloadUrlForLayer/layerDigest/type"),
        changes: &[SkipRule(RulePattern::new("GetDownloadUrlForLayer/layerDigest/type"))],
    },
    Fault {
        name: "initiate-without-name",
        sentence: "InitiateLayerUpload looks for a repository without a name",
        rule: RuleId::new("InitiateLayerUpload/repositoryName/required"),
        changes: &[SkipRule(RulePattern::new("InitiateLayerUpload/repositoryName/required"))],
    },
    Fault {
        name: "complete-without-name",
        sentence: "CompleteLayerUpload finds the upload without the name of its repository",
        rule: RuleId::new("CompleteLayerUpload/repositoryName/required"),
        changes: &[RewriteInput(|call| {
            let name = call.repository_of_upload().map(Value::from);
            if let Some(name) =
                name.filter(|_| call.is(Operation::CompleteLayerUpload) && missing(&call.input, "repositoryName"))
            {
                call.input.insert(String::from("repositoryName"), name);
            }
        })],
    },
    Fault {
        name: "part-without-upload-id",
        sentence: "UploadLayerPart looks for an upload without an id",
        rule: RuleId::new("UploadLayerPart/uploadId/required"),
        changes: &[SkipRule(RulePattern::new("UploadLayerPart/uploadId/required"))],
    },
    Fault {
        name: "complete-without-upload-id",
        sentence: "CompleteLayerUpload completes the last upload of the repository if no id is named",
        rule: RuleId::new("CompleteLayerUpload/uploadId/required"),
        changes: &[RewriteInput(|call| {
            if !call.is(Operation::CompleteLayerUpload) || !missing(&call.input, "uploadId") {
                return;
            }
            let repository = call.registry.repositories.get(call.text("repositoryName"));
            let id = repository.and_then(|repository| repository.uploads.keys().next_back()).map(|id| json!(id));
            if let Some(id) = id {
                call.input.insert(String::from("uploadId"), id);
            }
        })],
    },
    Fault {
        name: "complete-without-digests",
        sentence: "CompleteLayerUpload accepts a request without digests",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/required"),
        changes: &[SkipRule(RulePattern::new("CompleteLayerUpload/layerDigests/required"))],
    },
    Fault {
        name: "lookup-without-digests",
        sentence: "BatchCheckLayerAvailability accepts a request without digests",
        rule: RuleId::new("BatchCheckLayerAvailability/layerDigests/required"),
        changes: &[SkipRule(RulePattern::new("BatchCheckLayerAvailability/layerDigests/required"))],
    },
    Fault {
        name: "url-without-digest",
        sentence: "GetDownloadUrlForLayer looks for a layer without a digest",
        rule: RuleId::new("GetDownloadUrlForLayer/layerDigest/required"),
        changes: &[SkipRule(RulePattern::new("GetDownloadUrlForLayer/layerDigest/required"))],
    },
    Fault {
        name: "part-without-first-byte",
        sentence: "UploadLayerPart uses the position after the last part if none is named",
        rule: RuleId::new("UploadLayerPart/partFirstByte/required"),
        changes: &[RewriteInput(|call| {
            if call.is(Operation::UploadLayerPart) && missing(&call.input, "partFirstByte") {
                let next = call.upload().map_or(0, |upload| upload.size());
                call.input.insert(String::from("partFirstByte"), json!(next));
            }
        })],
    },
    Fault {
        name: "part-without-last-byte",
        sentence: "UploadLayerPart computes the last byte if none is named",
        rule: RuleId::new("UploadLayerPart/partLastByte/required"),
        changes: &[RewriteInput(|call| {
            if call.is(Operation::UploadLayerPart) && missing(&call.input, "partLastByte") {
                call.input.insert(String::from("partLastByte"), json!(call.last_by_size()));
            }
        })],
    },
    Fault {
        name: "part-without-bytes",
        sentence: "UploadLayerPart accepts a part without bytes as zeros",
        rule: RuleId::new("UploadLayerPart/layerPartBlob/required"),
        changes: &[RewriteInput(|call| {
            if call.is(Operation::UploadLayerPart) && missing(&call.input, "layerPartBlob") {
                fill(call);
            }
        })],
    },
    Fault {
        name: "null-registry-rejected",
        sentence: "null as the registry id is rejected as a parameter",
        rule: RuleId::new("CompleteLayerUpload/registryId/optional"),
        changes: &[EditRejections(|call, wrong| {
            if call.input.get("registryId") == Some(&Value::Null) {
                wrong.insert(0, invalid_parameter(RuleId::new("CompleteLayerUpload/registryId/optional")));
            }
        })],
    },
    Fault {
        name: "null-registry-unreadable",
        sentence: "null as the registry id cannot be read",
        rule: RuleId::new("InitiateLayerUpload/registryId/optional"),
        changes: &[EditRejections(|call, wrong| {
            if call.input.get("registryId") == Some(&Value::Null) {
                wrong.insert(
                    0,
                    rejection("SerializationException", RuleId::new("InitiateLayerUpload/registryId/optional")),
                );
            }
        })],
    },
    Fault {
        name: "null-is-a-text",
        sentence: "null as a repository name is read as the text null",
        rule: RuleId::new("UploadLayerPart/repositoryName/required"),
        changes: &[RewriteInput(|call| {
            if call.input.get("repositoryName") == Some(&Value::Null) {
                call.input.insert(String::from("repositoryName"), json!("null"));
            }
        })],
    },
    Fault {
        name: "null-is-zero",
        sentence: "null as a position is read as 0",
        rule: RuleId::new("UploadLayerPart/partFirstByte/required"),
        changes: &[RewriteInput(|call| {
            if call.input.get("partFirstByte") == Some(&Value::Null) {
                call.input.insert(String::from("partFirstByte"), json!(0));
            }
        })],
    },
    Fault {
        name: "own-registry-rejected",
        sentence: "CompleteLayerUpload accepts no registry id, not even its own",
        rule: RuleId::new("CompleteLayerUpload/registryId/own"),
        changes: &[EditRejections(|call, wrong| {
            if call.is(Operation::CompleteLayerUpload)
                && call.input.get("registryId").is_some_and(Value::is_string)
                && wrong.is_empty()
            {
                wrong.push(invalid_parameter(RuleId::new("CompleteLayerUpload/registryId/own")));
            }
        })],
    },
    Fault {
        name: "own-registry-not-found",
        sentence: "UploadLayerPart does not find the repository if the request names the owner's registryId",
        rule: RuleId::new("UploadLayerPart/registryId/own"),
        changes: &[EditRejections(|call, wrong| {
            if call.is(Operation::UploadLayerPart)
                && call.input.get("registryId").is_some_and(Value::is_string)
                && wrong.is_empty()
            {
                wrong.push(rejection("RepositoryNotFoundException", RuleId::new("UploadLayerPart/registryId/own")));
            }
        })],
    },
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
