//! InitiateLayerUpload and UploadLayerPart: uploads and their parts.

use super::{NONE, Row, named, weaker};
use crate::contract::Tier;

/// Rules of one operation.
pub(super) static ROWS: &[Row] = &[
    Row {
        id: "InitiateLayerUpload/repositoryName/leading-digit",
        tier: Tier::Open,
        sources: &["api:CreateRepository", "api:InitiateLayerUpload"],
        statement: "The pattern allows a leading digit; the text of CreateRepository asks for a letter.",
        breach: "a repository name with a leading digit",
        errors: named(&["InvalidParameterException"]),
    },
    Row {
        id: "InitiateLayerUpload/uploadId/own",
        tier: Tier::Documented,
        sources: &["api:InitiateLayerUpload"],
        statement: "Every call starts a new upload with its own uploadId.",
        breach: "one of several uploads",
        errors: NONE,
    },
    Row {
        id: "UploadLayerPart/answer/InvalidLayerPartException",
        tier: Tier::Documented,
        sources: &["api:UploadLayerPart"],
        statement: "InvalidLayerPartException names registry, repository, upload and the last valid byte received.",
        breach: "members of InvalidLayerPartException",
        errors: NONE,
    },
    Row {
        id: "UploadLayerPart/accepted",
        tier: Tier::Observed,
        sources: &["apple/container#1895", "dotnet/sdk-container-builds#424", "api:UploadLayerPart"],
        statement: "A part inside every constraint is accepted, however small: whether it is too small shows when the upload is completed.",
        breach: "a valid request",
        errors: NONE,
    },
    Row {
        id: "InitiateLayerUpload/answer/partSize-range",
        tier: Tier::Derived,
        sources: &["api:InitiateLayerUpload", "api:UploadLayerPart"],
        statement: "partSize is a size that a part may have: from 1 to 20,971,520 bytes.",
        breach: "partSize in the response",
        errors: NONE,
    },
    Row {
        id: "UploadLayerPart/layerPartBlob/above-10-MiB",
        tier: Tier::Open,
        sources: &["api:UploadLayerPart", "user-guide:service-quotas"],
        statement: "The API reference allows parts of up to 20 MiB, the quota table of up to 10 MiB.",
        breach: "a part of more than 10 MiB",
        errors: named(&["InvalidParameterException", "InvalidLayerPartException", "LimitExceededException"]),
    },
    Row {
        id: "UploadLayerPart/layerPartBlob/empty",
        tier: Tier::Derived,
        sources: &["api:UploadLayerPart"],
        statement: "A part has at least one byte: the range of a part includes both of its ends. Which of the two errors is returned is not documented.",
        breach: "an empty part",
        errors: named(&["InvalidLayerPartException", "InvalidParameterException"]),
    },
    Row {
        id: "UploadLayerPart/layerPartBlob/length",
        tier: Tier::Documented,
        sources: &["api:UploadLayerPart"],
        statement: "A part has exactly the bytes of its range, both ends included. Which of the two errors is returned is not documented.",
        breach: "a part whose length differs from its range",
        errors: named(&["InvalidLayerPartException", "InvalidParameterException"]),
    },
    Row {
        id: "UploadLayerPart/partFirstByte/contiguous",
        tier: Tier::Documented,
        sources: &["api:UploadLayerPart", "GoogleContainerTools/kaniko#607"],
        statement: "A part starts right after the previous one.",
        breach: "a part that does not start right after the previous one",
        errors: named(&["InvalidLayerPartException"]),
    },
    Row {
        id: "UploadLayerPart/partFirstByte/from-zero",
        tier: Tier::Derived,
        sources: &["api:UploadLayerPart"],
        statement: "The first part starts at 0: partFirstByte is a position within the layer.",
        breach: "a first part that does not start at 0",
        errors: weaker(Tier::Observed, &["GoogleContainerTools/kaniko#607"], &["InvalidLayerPartException"]),
    },
    Row {
        id: "UploadLayerPart/partFirstByte/resume",
        tier: Tier::Derived,
        sources: &["api:UploadLayerPart"],
        statement: "After a rejected part the upload continues after lastValidByteReceived: the member is there for it.",
        breach: "the right part after a rejected one",
        errors: NONE,
    },
    Row {
        id: "UploadLayerPart/partLastByte/not-before-first",
        tier: Tier::Documented,
        sources: &["api:UploadLayerPart"],
        statement: "The last byte of a part is not before its first. Which of the two errors is returned is not documented.",
        breach: "a part whose last byte is before its first",
        errors: named(&["InvalidLayerPartException", "InvalidParameterException"]),
    },
    Row {
        id: "UploadLayerPart/uploadId/completed",
        tier: Tier::Open,
        sources: &["none-found"],
        statement: "Whether a completed upload still exists is not documented.",
        breach: "a part of a completed upload",
        errors: named(&["UploadNotFoundException"]),
    },
];

/// Other rules of the private service alone.
pub(in crate::contract::rule) static PRIVATE: &[Row] = &[Row {
    id: "UploadLayerPart/answer/lastValidByteReceived",
    tier: Tier::Documented,
    sources: &["api:UploadLayerPart"],
    // The page of the public service says of the same member: the position of the last byte of the layer part.
    statement: "In InvalidLayerPartException, lastValidByteReceived is the last byte of the parts that were accepted.",
    breach: "lastValidByteReceived of an error",
    errors: NONE,
}];
