//! The private service, `ecr`: service model 2015-09-21 (botocore 1.43.106) and the API reference of 2025.

use super::pattern::{Expression, Pattern};
use super::shape::{ANY_TEXT, Kind, Member, Shape, Text, optional, required};
use super::shapes::*;
use super::{Contract, Operation, OperationSpec, Service};

/// The contract of the private service.
pub static CONTRACT: Contract = Contract {
    service: Service::Ecr,
    title: "Amazon Elastic Container Registry",
    api_version: "2015-09-21",
    target_prefix: "AmazonEC2ContainerRegistry_V20150921",
    signing_name: "ecr",
    operations: OPERATIONS,
};

/// 2 to 256 characters. The pattern changed between 2024 and 2026: runs of dashes and a double underscore became valid.
pub static REPOSITORY_NAME: Shape = Shape {
    name: "RepositoryName",
    kind: Kind::Text(Text {
        min: 2,
        max: Some(256),
        patterns: &[
            Pattern { expression: Expression::RepositoryName, edition: "service model of 2026" },
            Pattern { expression: Expression::PlainRepositoryName, edition: "API reference of 2024 and 2025" },
        ],
        ..ANY_TEXT
    }),
};

static LAYER_AVAILABILITY: Shape = Shape {
    name: "LayerAvailability",
    kind: Kind::Text(Text { values: &["AVAILABLE", "UNAVAILABLE", "ARCHIVED"], ..ANY_TEXT }),
};

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
const REGISTRY: Member = optional("registryId", &REGISTRY_ID);
const NAME: Member = required("repositoryName", &REPOSITORY_NAME);

static OPERATIONS: &[OperationSpec] = &[
    OperationSpec {
        name: Operation::InitiateLayerUpload,
        input: &[REGISTRY, NAME],
        output: &[required("uploadId", &UPLOAD_ID), required("partSize", &PART_SIZE)],
        errors: &["InvalidParameterException", "KmsException", "RepositoryNotFoundException", "ServerException"],
        source: "api:InitiateLayerUpload",
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
            "KmsException",
            "LimitExceededException",
            "RepositoryNotFoundException",
            "ServerException",
            "UploadNotFoundException",
        ],
        source: "api:UploadLayerPart",
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
            "KmsException",
            "LayerAlreadyExistsException",
            "LayerPartTooSmallException",
            "RepositoryNotFoundException",
            "ServerException",
            "UploadNotFoundException",
        ],
        source: "api:CompleteLayerUpload",
    },
    OperationSpec {
        name: Operation::BatchCheckLayerAvailability,
        input: &[REGISTRY, NAME, required("layerDigests", &BATCHED_LAYER_DIGEST_LIST)],
        output: &[optional("layers", &LAYERS), optional("failures", &FAILURES)],
        errors: &["InvalidParameterException", "RepositoryNotFoundException", "ServerException"],
        source: "api:BatchCheckLayerAvailability",
    },
    OperationSpec {
        name: Operation::GetDownloadUrlForLayer,
        input: &[REGISTRY, NAME, required("layerDigest", &LAYER_DIGEST)],
        output: &[required("downloadUrl", &URL), required("layerDigest", &LAYER_DIGEST)],
        errors: &[
            "InvalidParameterException",
            "LayerInaccessibleException",
            "LayersNotFoundException",
            "RepositoryNotFoundException",
            "ServerException",
            "UnableToGetUpstreamLayerException",
        ],
        source: "api:GetDownloadUrlForLayer",
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
            "KmsException",
            "LayersNotFoundException",
            "LimitExceededException",
            "ReferencedImagesNotFoundException",
            "RepositoryNotFoundException",
            "ServerException",
        ],
        source: "api:PutImage",
    },
    // Of the set-up operations, only the members that the harness uses.
    OperationSpec {
        name: Operation::CreateRepository,
        input: &[REGISTRY, NAME],
        output: &[required("repository", &REPOSITORY)],
        errors: &[
            "InvalidParameterException",
            "InvalidTagParameterException",
            "KmsException",
            "LimitExceededException",
            "RepositoryAlreadyExistsException",
            "ServerException",
            "TooManyTagsException",
        ],
        source: "api:CreateRepository",
    },
    OperationSpec {
        name: Operation::DescribeRepositories,
        input: &[REGISTRY, optional("repositoryNames", &REPOSITORY_NAMES)],
        output: &[required("repositories", &REPOSITORIES)],
        errors: &["InvalidParameterException", "RepositoryNotFoundException", "ServerException"],
        source: "api:DescribeRepositories",
    },
    OperationSpec {
        name: Operation::DeleteRepository,
        input: &[REGISTRY, NAME, optional("force", &FORCE_FLAG)],
        output: &[required("repository", &REPOSITORY)],
        errors: &[
            "InvalidParameterException",
            "KmsException",
            "RepositoryNotEmptyException",
            "RepositoryNotFoundException",
            "ServerException",
        ],
        source: "api:DeleteRepository",
    },
];
