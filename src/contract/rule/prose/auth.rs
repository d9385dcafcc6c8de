//! How requests are signed, and what becomes of one that is not signed as it must be.

use super::{NONE, Row, named, weaker};
use crate::contract::Tier;

/// The rejection of a signature that is not that of the request.
const INVALID: &[&str] = &["InvalidSignatureException", "SignatureDoesNotMatch"];

/// The rejection of what does not look like a signature.
const INCOMPLETE: &[&str] = &["IncompleteSignatureException", "IncompleteSignature"];

/// Rules of signatures.
pub(super) static ROWS: &[Row] = &[
    Row {
        id: "auth/accepted",
        tier: Tier::Documented,
        sources: &["iam:sigv4"],
        statement: "A request with a valid signature is accepted.",
        breach: "a valid signature",
        errors: NONE,
    },
    Row {
        id: "auth/date/accepted",
        tier: Tier::Derived,
        sources: &["aws:common-errors"],
        statement: "A signature is good for some minutes: what arrives more than 15 minutes after its date has expired.",
        breach: "a signature of two minutes ago",
        errors: NONE,
    },
    Row {
        id: "auth/header/spaces",
        tier: Tier::Documented,
        sources: &["iam:canonical-request"],
        statement: "Of the value of a signed header, outer spaces do not count, and several inside count as one.",
        breach: "spaces inside a signed header",
        errors: NONE,
    },
    Row {
        id: "auth/header/present",
        tier: Tier::Documented,
        sources: &["iam:sigv4"],
        statement: "A request has a signature.",
        breach: "a request without a signature",
        errors: weaker(
            Tier::Observed,
            &["jenkinsci/amazon-ecr-plugin#199", "mhart/kinesalite:index.js"],
            &["MissingAuthenticationTokenException", "MissingAuthenticationToken"],
        ),
    },
    Row {
        id: "auth/header/form",
        tier: Tier::Documented,
        sources: &["aws:common-errors", "iam:sigv4"],
        statement: "The Authorization header has the algorithm, Credential, SignedHeaders and Signature.",
        breach: "an Authorization header that is not complete",
        errors: weaker(Tier::Observed, &["mhart/kinesalite:index.js", "mhart/dynalite:index.js"], INCOMPLETE),
    },
    Row {
        id: "auth/date/form",
        tier: Tier::Documented,
        sources: &["aws:common-errors", "iam:sigv4"],
        statement: "A signed request has a date in the basic format of ISO 8601.",
        breach: "a signature without a date in the basic format",
        errors: weaker(Tier::Observed, &["mhart/kinesalite:index.js", "mhart/dynalite:index.js"], INCOMPLETE),
    },
    Row {
        id: "auth/date/range",
        tier: Tier::Documented,
        sources: &["iam:sigv4-troubleshooting", "aws:common-errors"],
        statement: "The date of a signature is at most 15 minutes from the time at which the request arrives.",
        breach: "a signature whose date is an hour off",
        errors: weaker(
            Tier::Observed,
            &["upmc-enterprises/registry-creds#24", "mhart/dynalite:index.js"],
            &["InvalidSignatureException", "SignatureDoesNotMatch", "RequestExpired"],
        ),
    },
    Row {
        id: "auth/scope/region",
        tier: Tier::Documented,
        sources: &["iam:sigv4-troubleshooting"],
        statement: "The scope of a signature has the Region of the request.",
        breach: "a signature for a Region that does not exist",
        errors: weaker(Tier::Observed, &["mhart/dynalite:index.js"], INVALID),
    },
    Row {
        id: "auth/scope/service",
        tier: Tier::Documented,
        sources: &["iam:sigv4-troubleshooting"],
        statement: "The scope of a signature has the service of the request.",
        breach: "a signature for another service",
        errors: weaker(Tier::Observed, &["aws/aws-sdk-ruby#431", "mhart/dynalite:index.js"], INVALID),
    },
    Row {
        id: "auth/key/known",
        tier: Tier::Documented,
        sources: &["aws:common-errors", "aws/aws-sdk-php#1114"],
        statement: "The access key ID is one that exists.",
        breach: "an access key ID that does not exist",
        errors: named(&["UnrecognizedClientException", "InvalidClientTokenId"]),
    },
    Row {
        id: "auth/token/known",
        tier: Tier::Observed,
        sources: &["mhart/dynalite:index.js"],
        statement: "The session token is that of the access key.",
        breach: "a session token that was given to nobody",
        errors: named(&["UnrecognizedClientException", "InvalidClientTokenId"]),
    },
    Row {
        id: "auth/token/expired",
        tier: Tier::Documented,
        sources: &["aws:common-errors"],
        statement: "The session token has not expired. A target that never gave it out cannot tell, and does not know it.",
        breach: "a session token that has expired",
        errors: named(&["ExpiredTokenException", "UnrecognizedClientException", "InvalidClientTokenId"]),
    },
    Row {
        id: "auth/signature/match",
        tier: Tier::Documented,
        sources: &["iam:sigv4-troubleshooting"],
        statement: "The signature is the one that follows from the request and the secret key.",
        breach: "a signature that is not that of the request",
        errors: weaker(Tier::Observed, &["teralytics/prometheus-ecs-discovery#7", "mhart/dynalite:index.js"], INVALID),
    },
    Row {
        id: "auth/signature/host",
        tier: Tier::Documented,
        sources: &["iam:canonical-request"],
        statement: "The host is signed.",
        breach: "a signature without the host",
        errors: weaker(Tier::Observed, &["mhart/dynalite:index.js"], INVALID),
    },
    Row {
        id: "auth/signature/body",
        tier: Tier::Documented,
        sources: &["iam:canonical-request"],
        statement: "The body is signed.",
        breach: "a body that was changed after signing",
        errors: weaker(Tier::Observed, &["mhart/dynalite:index.js"], INVALID),
    },
    Row {
        id: "auth/signature/body-hash",
        tier: Tier::Derived,
        sources: &["iam:canonical-request"],
        statement: "What counts is the hash of the body that arrives, whatever a header says of it.",
        breach: "a body that was changed after signing, with the hash of the first in a header",
        errors: weaker(Tier::Open, &["none-found"], INVALID),
    },
];
