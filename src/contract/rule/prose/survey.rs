//! The preflight survey of a run: what a case needs of a target.

use super::{NONE, Row};
use crate::contract::Tier;

/// Rules of what the survey asks for.
pub(super) static ROWS: &[Row] = &[
    Row {
        id: "survey/CreateRepository",
        tier: Tier::Documented,
        sources: &["api:CreateRepository"],
        statement: "A repository can be created for the cases to work in.",
        breach: "a plain request",
        errors: NONE,
    },
    Row {
        id: "survey/DeleteRepository",
        tier: Tier::Documented,
        sources: &["api:DeleteRepository"],
        statement: "A repository can be removed, with what is in it.",
        breach: "a plain request",
        errors: NONE,
    },
    Row {
        id: "survey/availability",
        tier: Tier::Documented,
        sources: &["api:BatchCheckLayerAvailability"],
        statement: "BatchCheckLayerAvailability tells a stored layer from an absent one.",
        breach: "a plain BatchCheckLayerAvailability",
        errors: NONE,
    },
    Row {
        id: "survey/plain-upload",
        tier: Tier::Observed,
        sources: &[
            "aws-cli:batch-check-layer-availability",
            "dotnet/sdk-container-builds#424",
            "api:CompleteLayerUpload",
            "aws-cli:initiate-layer-upload",
            "aws-cli:upload-layer-part",
        ],
        statement: "One plain upload of a few bytes works from end to end.",
        breach: "a plain upload",
        errors: NONE,
    },
    Row {
        id: "survey/service",
        tier: Tier::Documented,
        sources: &["api:CreateRepository"],
        statement: "The endpoint serves this service.",
        breach: "a plain request",
        errors: NONE,
    },
];
