//! The public service, `ecr-public`: service model 2020-10-30 (botocore 1.43.106) and the API reference of 2025.

use super::pattern::{Expression, Pattern};
use super::shape::{ANY_TEXT, Kind, Member, Shape, Text, optional, required};
use super::shapes::*;
use super::{Contract, Operation, OperationSpec, Service};

/// The contract of the public service.
pub static CONTRACT: Contract = Contract {
    service: Service::EcrPublic,
    title: "Amazon Elastic Container Registry Public",
    api_version: "2020-10-30",
    target_prefix: "SpencerFrontendService",
    signing_name: "ecr-public",
    operations: OPERATIONS,
};

/// 2 to 205 characters, parts of letters and digits joined by single separators.
pub static REPOSITORY_NAME: Shape = Shape {
    name: "RepositoryName",
    kind: Kind::Text(Text {
        min: 2,
        max: Some(205),
        patterns: &[Pattern { expression: Expression::PlainRepositoryName, edition: "all" }],
        ..ANY_TEXT
    }),
};

/// An account id or an alias of a public registry, 2 to 50 characters without a pattern: so every current document has
/// it. An older edition of the reference had 1 to 256.
pub static REGISTRY_ID_OR_ALIAS: Shape =
    Shape { name: "RegistryIdOrAlias", kind: Kind::Text(Text { min: 2, max: Some(50), ..ANY_TEXT }) };

/// The alias of a public registry, as the registry says it of itself: 2 to 50 characters, beginning with a letter.
pub static REGISTRY_ALIAS: Shape = Shape {
    name: "RegistryAliasName",
    kind: Kind::Text(Text {
        min: 2,
        max: Some(50),
        patterns: &[Pattern { expression: Expression::RegistryAlias, edition: "all" }],
        ..ANY_TEXT
    }),
};

static LAYER_AVAILABILITY: Shape =
    Shape { name: "LayerAvailability", kind: Kind::Text(Text { values: &["AVAILABLE", "UNAVAILABLE"], ..ANY_TEXT }) };

static LAYER: Shape = Shape {
    name: "Layer",
    kind: Kind::Structure(&[
        required("layerDigest", &LAYER_DIGEST),
        required("layerAvailability", &LAYER_AVAILABILITY),
        optional("layerSize", &LAYER_SIZE),
        optional("mediaType", &FREE_TEXT),
    ]),
};

static REPOSITORY_NAMES: Shape =
    Shape { name: "RepositoryNameList", kind: Kind::List { min: 1, max: Some(100), item: &REPOSITORY_NAME } };
static LAYERS: Shape = Shape { name: "LayerList", kind: Kind::List { min: 0, max: None, item: &LAYER } };
const REGISTRY: Member = optional("registryId", &REGISTRY_ID_OR_ALIAS);
const NAME: Member = required("repositoryName", &REPOSITORY_NAME);

static OPERATIONS: &[OperationSpec] = &[
    OperationSpec {
        name: Operation::InitiateLayerUpload,
        input: &[REGISTRY, NAME],
        output: &[required("uploadId", &UPLOAD_ID), required("partSize", &PART_SIZE)],
        errors: &[
            "InvalidParameterException",
            "RegistryNotFoundException",
            "RepositoryNotFoundException",
            "ServerException",
            "UnsupportedCommandException",
        ],
        source: "api-public:InitiateLayerUpload",
    },
    OperationSpec {
        name: Operation::UploadLayerPart,
        input: &[
            REGISTRY,
            NAME,
            required("uploadId", &UPLOAD_ID),
            required("partFirstByte", &PART_SIZE),
            required("partLastByte", &PART_SIZE),
            required("layerPartBlob", &LAYER_PART_BLOB),
        ],
        output: &[
            required("registryId", &REGISTRY_ID),
            required("repositoryName", &ANSWERED_REPOSITORY_NAME),
            required("uploadId", &UPLOAD_ID),
            required("lastByteReceived", &PART_SIZE),
        ],
        errors: &[
            "InvalidLayerPartException",
            "InvalidParameterException",
            "LimitExceededException",
            "RegistryNotFoundException",
            "RepositoryNotFoundException",
            "ServerException",
            "UnsupportedCommandException",
            "UploadNotFoundException",
        ],
        source: "api-public:UploadLayerPart",
    },
    OperationSpec {
        name: Operation::CompleteLayerUpload,
        input: &[REGISTRY, NAME, required("uploadId", &UPLOAD_ID), required("layerDigests", &LAYER_DIGEST_LIST)],
        output: &[
            required("registryId", &REGISTRY_ID),
            required("repositoryName", &ANSWERED_REPOSITORY_NAME),
            required("uploadId", &UPLOAD_ID),
            required("layerDigest", &LAYER_DIGEST),
        ],
        errors: &[
            "EmptyUploadException",
            "InvalidLayerException",
            "InvalidParameterException",
            "LayerAlreadyExistsException",
            "LayerPartTooSmallException",
            "RegistryNotFoundException",
            "RepositoryNotFoundException",
            "ServerException",
            "UnsupportedCommandException",
            "UploadNotFoundException",
        ],
        source: "api-public:CompleteLayerUpload",
    },
    OperationSpec {
        name: Operation::BatchCheckLayerAvailability,
        input: &[REGISTRY, NAME, required("layerDigests", &BATCHED_LAYER_DIGEST_LIST)],
        output: &[optional("layers", &LAYERS), optional("failures", &FAILURES)],
        errors: &[
            "InvalidParameterException",
            "RegistryNotFoundException",
            "RepositoryNotFoundException",
            "ServerException",
            "UnsupportedCommandException",
        ],
        source: "api-public:BatchCheckLayerAvailability",
    },
    OperationSpec {
        name: Operation::PutImage,
        input: &[
            REGISTRY,
            NAME,
            required("imageManifest", &IMAGE_MANIFEST),
            optional("imageManifestMediaType", &FREE_TEXT),
            optional("imageTag", &IMAGE_TAG),
        ],
        output: &[required("image", &IMAGE)],
        errors: &[
            "ImageAlreadyExistsException",
            "ImageDigestDoesNotMatchException",
            "ImageTagAlreadyExistsException",
            "InvalidParameterException",
            "LayersNotFoundException",
            "LimitExceededException",
            "ReferencedImagesNotFoundException",
            "RegistryNotFoundException",
            "RepositoryNotFoundException",
            "ServerException",
            "UnsupportedCommandException",
        ],
        source: "api-public:PutImage",
    },
    // Of the set-up operations, only the members that the harness uses.
    OperationSpec {
        name: Operation::CreateRepository,
        input: &[NAME],
        output: &[required("repository", &REPOSITORY)],
        errors: &[
            "InvalidParameterException",
            "InvalidTagParameterException",
            "LimitExceededException",
            "RepositoryAlreadyExistsException",
            "ServerException",
            "TooManyTagsException",
            "UnsupportedCommandException",
        ],
        source: "api-public:CreateRepository",
    },
    OperationSpec {
        name: Operation::DescribeRepositories,
        input: &[optional("registryId", &REGISTRY_ID), optional("repositoryNames", &REPOSITORY_NAMES)],
        output: &[required("repositories", &REPOSITORIES)],
        errors: &[
            "InvalidParameterException",
            "RepositoryNotFoundException",
            "ServerException",
            "UnsupportedCommandException",
        ],
        source: "api-public:DescribeRepositories",
    },
    OperationSpec {
        name: Operation::DeleteRepository,
        input: &[optional("registryId", &REGISTRY_ID), NAME, optional("force", &FORCE_FLAG)],
        output: &[required("repository", &REPOSITORY)],
        errors: &[
            "InvalidParameterException",
            "RepositoryNotEmptyException",
            "RepositoryNotFoundException",
            "ServerException",
            "UnsupportedCommandException",
        ],
        source: "api-public:DeleteRepository",
    },
];
