//! The shapes that both services share. Names and bounds as in the service models, to be checked line by line.

use super::pattern::{Expression, Pattern};
use super::shape::{ANY_TEXT, Kind, Shape, Text, optional, required};

/// Free text: the model sets no bound.
pub static FREE_TEXT: Shape = Shape { name: "String", kind: Kind::Text(ANY_TEXT) };

/// An account id: twelve digits.
pub static REGISTRY_ID: Shape = Shape {
    name: "RegistryId",
    kind: Kind::Text(Text { patterns: &[Pattern { expression: Expression::AccountId, edition: "all" }], ..ANY_TEXT }),
};

/// A repository name in an answer: echoes a name that the request rules already judged.
pub static ANSWERED_REPOSITORY_NAME: Shape = Shape { name: "RepositoryName", kind: Kind::Text(ANY_TEXT) };

/// The id of an upload, a UUID in either case.
pub static UPLOAD_ID: Shape = Shape {
    name: "UploadId",
    kind: Kind::Text(Text { patterns: &[Pattern { expression: Expression::UploadId, edition: "all" }], ..ANY_TEXT }),
};

/// A position or size in bytes.
pub static PART_SIZE: Shape = Shape { name: "PartSize", kind: Kind::Long { min: 0 } };

/// The bytes of a part, at most 20 MiB.
pub static LAYER_PART_BLOB: Shape = Shape { name: "LayerPartBlob", kind: Kind::Blob { max: 20_971_520 } };

/// A digest: algorithm, colon, hex digits.
pub static LAYER_DIGEST: Shape = Shape {
    name: "LayerDigest",
    kind: Kind::Text(Text { patterns: &[Pattern { expression: Expression::LayerDigest, edition: "all" }], ..ANY_TEXT }),
};

/// The digests that CompleteLayerUpload compares, 1 to 100.
pub static LAYER_DIGEST_LIST: Shape =
    Shape { name: "LayerDigestList", kind: Kind::List { min: 1, max: Some(100), item: &LAYER_DIGEST } };

/// A digest that BatchCheckLayerAvailability looks up: no pattern, at most 1000 characters.
pub static BATCHED_LAYER_DIGEST: Shape =
    Shape { name: "BatchedOperationLayerDigest", kind: Kind::Text(Text { max: Some(1000), ..ANY_TEXT }) };

/// The digests of one BatchCheckLayerAvailability, 1 to 100.
pub static BATCHED_LAYER_DIGEST_LIST: Shape = Shape {
    name: "BatchedOperationLayerDigestList",
    kind: Kind::List { min: 1, max: Some(100), item: &BATCHED_LAYER_DIGEST },
};

/// The size of a stored layer in bytes.
pub static LAYER_SIZE: Shape = Shape { name: "LayerSizeInBytes", kind: Kind::Long { min: 0 } };

/// Why BatchCheckLayerAvailability could not answer for a digest.
pub static LAYER_FAILURE_CODE: Shape = Shape {
    name: "LayerFailureCode",
    kind: Kind::Text(Text { values: &["InvalidLayerDigest", "MissingLayerDigest"], ..ANY_TEXT }),
};

/// Whether DeleteRepository also deletes contents.
pub static FORCE_FLAG: Shape = Shape { name: "ForceFlag", kind: Kind::Boolean };

/// When a repository was created.
pub static CREATION_TIMESTAMP: Shape = Shape { name: "CreationTimestamp", kind: Kind::Timestamp };

/// A web address.
pub static URL: Shape = Shape { name: "Url", kind: Kind::Text(ANY_TEXT) };

/// Why BatchCheckLayerAvailability has no answer for a digest.
pub static LAYER_FAILURE: Shape = Shape {
    name: "LayerFailure",
    kind: Kind::Structure(&[
        required("layerDigest", &BATCHED_LAYER_DIGEST),
        required("failureCode", &LAYER_FAILURE_CODE),
        optional("failureReason", &FREE_TEXT),
    ]),
};

/// A repository, as far as the harness reads it.
pub static REPOSITORY: Shape = Shape {
    name: "Repository",
    kind: Kind::Structure(&[
        required("repositoryArn", &FREE_TEXT),
        required("registryId", &REGISTRY_ID),
        required("repositoryName", &ANSWERED_REPOSITORY_NAME),
        required("repositoryUri", &URL),
        required("createdAt", &CREATION_TIMESTAMP),
    ]),
};

/// The repositories that were found.
pub static REPOSITORIES: Shape =
    Shape { name: "RepositoryList", kind: Kind::List { min: 0, max: None, item: &REPOSITORY } };

/// The digests without an answer.
pub static FAILURES: Shape =
    Shape { name: "LayerFailureList", kind: Kind::List { min: 0, max: None, item: &LAYER_FAILURE } };

/// An image manifest, as JSON text.
pub static IMAGE_MANIFEST: Shape =
    Shape { name: "ImageManifest", kind: Kind::Text(Text { min: 1, max: Some(4_194_304), ..ANY_TEXT }) };

/// A tag of an image.
pub static IMAGE_TAG: Shape = Shape { name: "ImageTag", kind: Kind::Text(Text { min: 1, max: Some(300), ..ANY_TEXT }) };

/// What an image is known by.
pub static IMAGE_IDENTIFIER: Shape = Shape {
    name: "ImageIdentifier",
    kind: Kind::Structure(&[optional("imageDigest", &FREE_TEXT), optional("imageTag", &IMAGE_TAG)]),
};

/// An image, as far as the harness reads it. The model requires none of its members.
pub static IMAGE: Shape = Shape {
    name: "Image",
    kind: Kind::Structure(&[
        optional("registryId", &FREE_TEXT),
        optional("repositoryName", &ANSWERED_REPOSITORY_NAME),
        optional("imageId", &IMAGE_IDENTIFIER),
        optional("imageManifest", &IMAGE_MANIFEST),
        optional("imageManifestMediaType", &FREE_TEXT),
    ]),
};
