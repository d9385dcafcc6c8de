//! How a request is signed: as it must be, or wrongly in one way. What signs is in `drive`.

use serde::{Deserialize, Serialize};
use strum::VariantArray;

use crate::contract::RuleId;

/// How a request is signed where requests are signed with Signature Version 4.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize, VariantArray)]
#[serde(rename_all = "kebab-case")]
pub enum Signature {
    /// As it must be.
    #[default]
    Valid,
    /// The same, two minutes ago.
    MinutesOld,
    /// The same, with a header whose value has spaces that are no part of what is signed.
    SpacedHeader,
    /// Not at all.
    Absent,
    /// Without `Credential` in the header `Authorization`.
    WithoutCredential,
    /// Without `SignedHeaders` there.
    WithoutSignedHeaders,
    /// Without `Signature` there.
    WithoutSignature,
    /// With a `Credential` that ends before its region.
    ShortCredential,
    /// With an algorithm that there is not.
    OtherAlgorithm,
    /// Without a date.
    WithoutDate,
    /// With a date in another format.
    OtherDateFormat,
    /// An hour ago.
    HourOld,
    /// In an hour.
    HourAhead,
    /// For a region that there is not.
    OtherRegion,
    /// For another service.
    OtherService,
    /// With an access key that nobody has.
    OtherKey,
    /// With another secret key.
    OtherSecret,
    /// With a session token that nobody was given.
    OtherToken,
    /// With a session token that has expired: [`EXPIRED_TOKEN`].
    ExpiredToken,
    /// For another host.
    OtherHost,
    /// Without the host.
    WithoutHost,
    /// For another operation.
    OtherTarget,
    /// With a header that is not sent.
    AbsentHeader,
    /// For another body.
    OtherBody,
    /// For another body, whose hash stands in a header.
    OtherBodyHashed,
}

/// A session token that has expired wherever it is known at all: in the mock.
pub const EXPIRED_TOKEN: &str = "ecrspec-expired-session-token";

impl std::fmt::Display for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.words())
    }
}

impl Signature {
    /// All of them.
    pub const ALL: &[Signature] = <Signature as VariantArray>::VARIANTS;

    /// As it stands in files.
    pub const fn name(self) -> &'static str {
        match self {
            Signature::Valid => "valid",
            Signature::MinutesOld => "minutes-old",
            Signature::SpacedHeader => "spaced-header",
            Signature::Absent => "absent",
            Signature::WithoutCredential => "without-credential",
            Signature::WithoutSignedHeaders => "without-signed-headers",
            Signature::WithoutSignature => "without-signature",
            Signature::ShortCredential => "short-credential",
            Signature::OtherAlgorithm => "other-algorithm",
            Signature::WithoutDate => "without-date",
            Signature::OtherDateFormat => "other-date-format",
            Signature::HourOld => "hour-old",
            Signature::HourAhead => "hour-ahead",
            Signature::OtherRegion => "other-region",
            Signature::OtherService => "other-service",
            Signature::OtherKey => "other-key",
            Signature::OtherSecret => "other-secret",
            Signature::OtherToken => "other-token",
            Signature::ExpiredToken => "expired-token",
            Signature::OtherHost => "other-host",
            Signature::WithoutHost => "without-host",
            Signature::OtherTarget => "other-target",
            Signature::AbsentHeader => "absent-header",
            Signature::OtherBody => "other-body",
            Signature::OtherBodyHashed => "other-body-hashed",
        }
    }

    /// What it is, in some words.
    pub const fn words(self) -> &'static str {
        match self {
            Signature::Valid => "a valid signature",
            Signature::MinutesOld => "a signature of two minutes ago",
            Signature::SpacedHeader => "a signature with spaces inside a signed header",
            Signature::Absent => "no signature",
            Signature::WithoutCredential => "an Authorization header without Credential",
            Signature::WithoutSignedHeaders => "an Authorization header without SignedHeaders",
            Signature::WithoutSignature => "an Authorization header without Signature",
            Signature::ShortCredential => "a Credential that ends before its region",
            Signature::OtherAlgorithm => "the algorithm AWS4-HMAC-SHA1",
            Signature::WithoutDate => "a signature without a date",
            Signature::OtherDateFormat => "a date in another format",
            Signature::HourOld => "a signature of an hour ago",
            Signature::HourAhead => "a signature dated in an hour",
            Signature::OtherRegion => "a signature for a region that does not exist",
            Signature::OtherService => "a signature for another service",
            Signature::OtherKey => "an access key ID that nobody has",
            Signature::OtherSecret => "a signature with another secret key",
            Signature::OtherToken => "a session token that nobody was given",
            Signature::ExpiredToken => "a session token that has expired",
            Signature::OtherHost => "a signature for another host",
            Signature::WithoutHost => "a signature without the host",
            Signature::OtherTarget => "a signature for another operation",
            Signature::AbsentHeader => "a signed header that is not sent",
            Signature::OtherBody => "a body that was changed after signing",
            Signature::OtherBodyHashed => {
                "a body that was changed after signing, with the hash of the first in a header"
            }
        }
    }

    /// The rule that says what becomes of such a request.
    pub const fn rule(self) -> RuleId {
        match self {
            Signature::Valid => RuleId::new("auth/accepted"),
            Signature::MinutesOld => RuleId::new("auth/date/accepted"),
            Signature::SpacedHeader => RuleId::new("auth/header/spaces"),
            Signature::Absent => RuleId::new("auth/header/present"),
            Signature::WithoutCredential
            | Signature::WithoutSignedHeaders
            | Signature::WithoutSignature
            | Signature::ShortCredential
            | Signature::OtherAlgorithm => RuleId::new("auth/header/form"),
            Signature::WithoutDate | Signature::OtherDateFormat => RuleId::new("auth/date/form"),
            Signature::HourOld | Signature::HourAhead => RuleId::new("auth/date/range"),
            Signature::OtherRegion => RuleId::new("auth/scope/region"),
            Signature::OtherService => RuleId::new("auth/scope/service"),
            Signature::OtherKey => RuleId::new("auth/key/known"),
            Signature::OtherToken => RuleId::new("auth/token/known"),
            Signature::ExpiredToken => RuleId::new("auth/token/expired"),
            Signature::WithoutHost => RuleId::new("auth/signature/host"),
            Signature::OtherSecret | Signature::OtherHost | Signature::OtherTarget | Signature::AbsentHeader => {
                RuleId::new("auth/signature/match")
            }
            Signature::OtherBody => RuleId::new("auth/signature/body"),
            Signature::OtherBodyHashed => RuleId::new("auth/signature/body-hash"),
        }
    }

    /// Whether it is as it must be.
    pub fn is_valid(&self) -> bool {
        *self == Signature::Valid
    }

    /// The rule that it breaks, if it breaks one.
    pub const fn breaks(self) -> Option<RuleId> {
        match self {
            Signature::Valid | Signature::MinutesOld | Signature::SpacedHeader => None,
            other => Some(other.rule()),
        }
    }
}
