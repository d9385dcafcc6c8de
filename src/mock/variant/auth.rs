//! As what a signature is rejected.

use super::super::Change::{ErrorAs, RewriteReply};
use super::super::reply::of_errors;
use super::Variant;
use crate::contract::RulePattern;

pub(super) static VARIANTS: &[Variant] = &[
    Variant {
        name: "auth-as-documented",
        sentence: "the errors of signatures have the names of the pages of common errors",
        changes: &[
            ErrorAs(RulePattern::new("auth/header/present"), "MissingAuthenticationToken"),
            ErrorAs(RulePattern::new("auth/header/form"), "IncompleteSignature"),
            ErrorAs(RulePattern::new("auth/date/form"), "IncompleteSignature"),
            ErrorAs(RulePattern::new("auth/date/range"), "RequestExpired"),
            ErrorAs(RulePattern::new("auth/scope/region"), "SignatureDoesNotMatch"),
            ErrorAs(RulePattern::new("auth/scope/service"), "SignatureDoesNotMatch"),
            ErrorAs(RulePattern::new("auth/key/known"), "InvalidClientTokenId"),
            ErrorAs(RulePattern::new("auth/token/known"), "InvalidClientTokenId"),
            ErrorAs(RulePattern::new("auth/signature/match"), "SignatureDoesNotMatch"),
            ErrorAs(RulePattern::new("auth/signature/body-hash"), "SignatureDoesNotMatch"),
            ErrorAs(RulePattern::new("auth/signature/host"), "SignatureDoesNotMatch"),
        ],
        withholds: false,
    },
    Variant {
        name: "auth-as-403",
        sentence: "the errors of signatures have the status 403",
        changes: &[
            ErrorAs(RulePattern::new("auth/token/expired"), "UnrecognizedClientException"),
            RewriteReply(|_, _, reply| {
                of_errors(reply, |answer| {
                    let body = String::from_utf8_lossy(&answer.body).into_owned();
                    let is_of_signature = ["Signature", "Token", "Client"].iter().any(|word| body.contains(word));
                    if is_of_signature {
                        answer.status = 403;
                    }
                });
            }),
        ],
        withholds: false,
    },
];
