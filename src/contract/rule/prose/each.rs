//! Rules of every operation on layers: of both services, of those that name an upload, and of one service alone.

use super::{NONE, Row, named};
use crate::contract::Tier;

/// Rules of every operation on layers.
pub(in crate::contract::rule) static EACH_OPERATION: &[Row] = &[
    Row {
        id: "*/accepted",
        tier: Tier::Documented,
        sources: &["api:*"],
        statement: "A request inside every constraint succeeds.",
        breach: "a valid request",
        errors: NONE,
    },
    Row {
        id: "*/known",
        tier: Tier::Documented,
        sources: &["api:*"],
        statement: "The service has the operation.",
        breach: "a plain request",
        errors: NONE,
    },
    Row {
        id: "*/repositoryName/accepted",
        tier: Tier::Documented,
        sources: &["api:*"],
        statement: "A repository name that every edition of the documents allows is accepted.",
        breach: "a valid repository name",
        errors: NONE,
    },
    Row {
        id: "*/registryId/own",
        tier: Tier::Documented,
        sources: &["api:*"],
        statement: "A request may name the caller's own registry id.",
        breach: "the caller's own registry id",
        errors: NONE,
    },
];

/// Rules of every operation that names no upload.
pub(in crate::contract::rule) static EACH_WITHOUT_UPLOAD: &[Row] = &[Row {
    id: "*/repositoryName/exists",
    tier: Tier::Documented,
    sources: &["api:*", "turbot/steampipe-plugin-aws#1938"],
    statement: "The repository must exist.",
    breach: "a repository that does not exist",
    errors: named(&["RepositoryNotFoundException"]),
}];

/// Rules of every operation that names an upload.
pub(in crate::contract::rule) static EACH_UPLOAD: &[Row] = &[
    Row {
        id: "*/repositoryName/exists",
        tier: Tier::Documented,
        sources: &["api:*", "turbot/steampipe-plugin-aws#1938"],
        statement: "The repository must exist. No upload id is valid in a repository that does not, so either error is allowed.",
        breach: "a repository that does not exist",
        errors: named(&["RepositoryNotFoundException", "UploadNotFoundException"]),
    },
    Row {
        id: "*/uploadId/exists",
        tier: Tier::Documented,
        sources: &["api:*"],
        statement: "The upload must exist and belong to the repository.",
        breach: "an upload id that does not exist in this repository",
        errors: named(&["UploadNotFoundException"]),
    },
    Row {
        id: "*/uploadId/upper-case",
        tier: Tier::Open,
        sources: &["none-found"],
        statement: "The pattern allows upper case; whether ids are compared case-insensitively is not documented.",
        breach: "an upload id in upper case",
        errors: named(&["UploadNotFoundException"]),
    },
    Row {
        id: "*/uploadId/recreated-repository",
        tier: Tier::Open,
        sources: &["none-found"],
        statement: "Whether an upload survives the deletion of its repository is not documented.",
        breach: "an upload of a repository that was deleted and made again",
        errors: named(&["UploadNotFoundException"]),
    },
    Row {
        id: "*/uploadId/after-rejected",
        tier: Tier::Open,
        sources: &["none-found"],
        statement: "Whether an upload survives a rejected CompleteLayerUpload is not documented.",
        breach: "an upload whose completion was rejected",
        errors: named(&["UploadNotFoundException"]),
    },
    Row {
        id: "*/uploadId/side-by-side",
        tier: Tier::Derived,
        sources: &["api:*"],
        statement: "Uploads of different layers in one repository do not affect each other: each has an id of its own.",
        breach: "one of two uploads of a repository",
        errors: NONE,
    },
];

/// Rules of the private service alone, for every operation.
pub(in crate::contract::rule) static EACH_PRIVATE: &[Row] = &[Row {
    id: "*/registryId/foreign",
    tier: Tier::Documented,
    sources: &["api:*", "aws-actions/amazon-ecr-login#232"],
    statement: "registryId names the registry that the repository is looked for in: a repository of the caller's registry is in no other.",
    breach: "the registry id of another account",
    errors: named(&["RepositoryNotFoundException", "AccessDeniedException"]),
}];

/// Rules of the public service alone, for one operation.
pub(in crate::contract::rule) static PUBLIC: &[Row] = &[Row {
    id: "BatchCheckLayerAvailability/registryId/of-another",
    tier: Tier::Open,
    sources: &["none-found"],
    statement: "What is answered for the alias of a registry that somebody else has is not documented.",
    breach: "the alias of somebody else",
    errors: named(&["RegistryNotFoundException", "RepositoryNotFoundException", "AccessDeniedException"]),
}];

/// Rules of the public service alone, for every operation.
pub(in crate::contract::rule) static EACH_PUBLIC: &[Row] = &[
    Row {
        id: "*/registryId/alias",
        tier: Tier::Documented,
        sources: &[
            "api:*",
            "user-guide:public-registries",
            "api:RegistryAlias",
            "aws-cli:ecr-public/create-repository",
        ],
        statement: "A request may name the registry by its alias or by the account id: both are the same registry. Where a response has registryId, it is the account id.",
        breach: "the alias of the caller's own registry",
        errors: NONE,
    },
    Row {
        id: "*/registryId/unknown",
        tier: Tier::Documented,
        sources: &["api:*", "airvzxf/ftp-deployment-action#92"],
        statement: "The registry that registryId names must exist. RegistryNotFoundException is documented; that the repository was not found there, was observed.",
        breach: "an unknown registry alias",
        errors: named(&["RegistryNotFoundException", "RepositoryNotFoundException"]),
    },
];
