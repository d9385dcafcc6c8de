//! Each error type, replaced by those that servers give in its place.

use super::super::Change::{EditRejections, ErrorAs};
use super::super::change::again;
use super::Fault;
use crate::contract::{RuleId, RulePattern};

/// An error type for a rule.
macro_rules! named {
    ($name:literal, $rule:literal, $error:literal) => {
        Fault {
            name: $name,
            sentence: concat!("a break of ", $rule, " is answered with ", $error),
            rule: RuleId::new($rule),
            changes: &[ErrorAs(RulePattern::new($rule), $error)],
        }
    };
}

pub(super) static FAULTS: &[Fault] = &[
    named!("no-upload-as-no-repository", "UploadLayerPart/uploadId/exists", "RepositoryNotFoundException"),
    named!("no-upload-as-parameter", "UploadLayerPart/uploadId/exists", "InvalidParameterException"),
    named!("complete-no-upload-as-no-repository", "CompleteLayerUpload/uploadId/exists", "RepositoryNotFoundException"),
    named!("complete-no-upload-as-parameter", "CompleteLayerUpload/uploadId/exists", "InvalidParameterException"),
    named!("complete-no-upload-as-layer", "CompleteLayerUpload/uploadId/exists", "InvalidLayerException"),
    named!("complete-no-upload-as-empty", "CompleteLayerUpload/uploadId/exists", "EmptyUploadException"),
    named!("complete-no-upload-as-resource", "CompleteLayerUpload/uploadId/exists", "ResourceNotFoundException"),
    named!("no-match-as-part", "CompleteLayerUpload/layerDigests/match", "InvalidLayerPartException"),
    named!("no-match-as-parameter", "CompleteLayerUpload/layerDigests/match", "InvalidParameterException"),
    named!("no-match-as-digest", "CompleteLayerUpload/layerDigests/match", "ImageDigestDoesNotMatchException"),
    named!("no-match-as-no-upload", "CompleteLayerUpload/layerDigests/match", "UploadNotFoundException"),
    named!("empty-as-layer", "CompleteLayerUpload/parts/not-empty", "InvalidLayerException"),
    named!("empty-as-no-upload", "CompleteLayerUpload/parts/not-empty", "UploadNotFoundException"),
    named!("empty-as-parameter", "CompleteLayerUpload/parts/not-empty", "InvalidParameterException"),
    named!("small-as-part", "CompleteLayerUpload/parts/min-size", "InvalidLayerPartException"),
    named!("small-as-layer", "CompleteLayerUpload/parts/min-size", "InvalidLayerException"),
    named!("small-as-parameter", "CompleteLayerUpload/parts/min-size", "InvalidParameterException"),
    named!("exists-as-layer", "CompleteLayerUpload/layer/new", "InvalidLayerException"),
    named!("exists-as-image", "CompleteLayerUpload/layer/new", "ImageAlreadyExistsException"),
    named!("exists-as-parameter", "CompleteLayerUpload/layer/new", "InvalidParameterException"),
    named!("alias-as-parameter", "InitiateLayerUpload/registryId/unknown", "InvalidParameterException"),
    named!("alias-as-upload", "CompleteLayerUpload/registryId/unknown", "UploadNotFoundException"),
    named!("late-start-as-parameter", "UploadLayerPart/partFirstByte/from-zero", "InvalidParameterException"),
    named!("gap-as-layer", "UploadLayerPart/partFirstByte/contiguous", "InvalidLayerException"),
    named!("gap-as-parameter", "UploadLayerPart/partFirstByte/contiguous", "InvalidParameterException"),
    named!("gap-as-range", "UploadLayerPart/partFirstByte/contiguous", "RangeNotSatisfiableException"),
    named!("gap-as-small", "UploadLayerPart/partFirstByte/contiguous", "LayerPartTooSmallException"),
    named!("length-as-layer", "UploadLayerPart/layerPartBlob/length", "InvalidLayerException"),
    named!("no-repository-as-parameter", "InitiateLayerUpload/repositoryName/exists", "InvalidParameterException"),
    named!("no-repository-as-resource", "InitiateLayerUpload/repositoryName/exists", "ResourceNotFoundException"),
    named!("no-repository-as-access", "InitiateLayerUpload/repositoryName/exists", "AccessDeniedException"),
    named!("no-repository-as-registry", "InitiateLayerUpload/repositoryName/exists", "RegistryNotFoundException"),
    named!(
        "check-no-repository-as-image",
        "BatchCheckLayerAvailability/repositoryName/exists",
        "ImageNotFoundException"
    ),
    named!("part-no-repository-as-part", "UploadLayerPart/repositoryName/exists", "InvalidLayerPartException"),
    named!("name-as-validation", "InitiateLayerUpload/repositoryName/pattern", "ValidationException"),
    named!("name-as-no-repository", "InitiateLayerUpload/repositoryName/pattern", "RepositoryNotFoundException"),
    named!("name-as-serialization", "CompleteLayerUpload/repositoryName/pattern", "SerializationException"),
    named!("name-as-value", "CompleteLayerUpload/repositoryName/min-length", "InvalidParameterValueException"),
    named!("digest-as-layer", "CompleteLayerUpload/layerDigests/item-pattern", "InvalidLayerException"),
    named!("digest-as-validation", "CompleteLayerUpload/layerDigests/item-pattern", "ValidationException"),
    named!("many-as-limit", "CompleteLayerUpload/layerDigests/max-items", "LimitExceededException"),
    named!("none-as-layer", "CompleteLayerUpload/layerDigests/min-items", "InvalidLayerException"),
    named!("none-as-empty", "CompleteLayerUpload/layerDigests/min-items", "EmptyUploadException"),
    named!("id-as-no-upload", "CompleteLayerUpload/uploadId/pattern", "UploadNotFoundException"),
    named!("part-id-as-no-upload", "UploadLayerPart/uploadId/pattern", "UploadNotFoundException"),
    named!("registry-as-no-repository", "CompleteLayerUpload/registryId/pattern", "RepositoryNotFoundException"),
    named!("missing-as-missing", "CompleteLayerUpload/layerDigests/required", "MissingParameterException"),
    named!("missing-as-validation", "CompleteLayerUpload/uploadId/required", "ValidationException"),
    named!("missing-as-serialization", "UploadLayerPart/layerPartBlob/required", "SerializationException"),
    named!("missing-as-no-repository", "InitiateLayerUpload/repositoryName/required", "RepositoryNotFoundException"),
    named!("type-as-validation", "CompleteLayerUpload/layerDigests/type", "ValidationException"),
    named!("type-as-layer", "CompleteLayerUpload/layerDigests/item-type", "InvalidLayerException"),
    named!("type-as-json", "UploadLayerPart/partFirstByte/type", "InvalidJsonException"),
    named!("base64-as-part", "UploadLayerPart/layerPartBlob/base64", "InvalidLayerPartException"),
    named!("large-as-limit", "UploadLayerPart/layerPartBlob/max-size", "LimitExceededException"),
    named!("negative-as-validation", "UploadLayerPart/partFirstByte/min", "ValidationException"),
    named!("json-as-no-repository", "wire/body/json", "RepositoryNotFoundException"),
    named!("json-as-malformed", "wire/body/json", "MalformedRequestException"),
    named!("list-as-validation", "wire/body/object", "ValidationException"),
    named!("utf-8-as-validation", "wire/body/utf-8", "ValidationException"),
    named!("empty-body-as-missing", "wire/body/empty", "MissingParameterException"),
    named!("operation-as-action", "wire/target/operation", "InvalidAction"),
    named!("prefix-as-parameter", "wire/target/prefix", "InvalidParameterException"),
    named!("layer-as-no-repository", "GetDownloadUrlForLayer/layerDigest/exists", "RepositoryNotFoundException"),
    named!("layer-as-inaccessible", "GetDownloadUrlForLayer/layerDigest/exists", "LayerInaccessibleException"),
    named!("layer-as-parameter", "GetDownloadUrlForLayer/layerDigest/exists", "InvalidParameterException"),
    Fault {
        name: "once-as-layer",
        sentence: "a second CompleteLayerUpload of an upload gets InvalidLayerException",
        rule: RuleId::new("CompleteLayerUpload/uploadId/once"),
        changes: &[EditRejections(|call, wrong| again(call, wrong, "InvalidLayerException"))],
    },
    Fault {
        name: "once-as-empty",
        sentence: "a second CompleteLayerUpload of an upload gets EmptyUploadException",
        rule: RuleId::new("CompleteLayerUpload/uploadId/once"),
        changes: &[EditRejections(|call, wrong| again(call, wrong, "EmptyUploadException"))],
    },
];
