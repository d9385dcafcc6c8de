//! Signatures: what is not looked at, what is looked at too closely, and as what it is rejected.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::super::Change::{ErrorAs, ShortCircuit, SkipRule};
use super::super::signature::basic_date;
use super::Fault;
use crate::contract::{RuleId, RulePattern};
use crate::wire::{Reply, Request, envelope};

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "auth-not-required",
        sentence: "a request without a signature is accepted",
        rule: RuleId::new("auth/header/present"),
        changes: &[SkipRule(RulePattern::new("auth/header/present"))],
    },
    Fault {
        name: "auth-incomplete-accepted",
        sentence: "an Authorization header without its parts is accepted",
        rule: RuleId::new("auth/header/form"),
        changes: &[SkipRule(RulePattern::new("auth/header/form"))],
    },
    Fault {
        name: "auth-date-unread",
        sentence: "a signature without a date that can be read is accepted",
        rule: RuleId::new("auth/date/form"),
        changes: &[SkipRule(RulePattern::new("auth/date/form"))],
    },
    Fault {
        name: "auth-date-ignored",
        sentence: "a signature does not expire",
        rule: RuleId::new("auth/date/range"),
        changes: &[SkipRule(RulePattern::new("auth/date/range"))],
    },
    Fault {
        name: "auth-good-for-a-minute",
        sentence: "a signature expires after a minute",
        rule: RuleId::new("auth/date/accepted"),
        changes: &[ShortCircuit(|request, _| is_older_than_a_minute(request).then(invalid))],
    },
    Fault {
        name: "auth-region-ignored",
        sentence: "a signature for another Region is accepted",
        rule: RuleId::new("auth/scope/region"),
        changes: &[SkipRule(RulePattern::new("auth/scope/region"))],
    },
    Fault {
        name: "auth-service-ignored",
        sentence: "a signature for another service is accepted",
        rule: RuleId::new("auth/scope/service"),
        changes: &[SkipRule(RulePattern::new("auth/scope/service"))],
    },
    Fault {
        name: "auth-key-ignored",
        sentence: "an access key ID that does not exist is accepted",
        rule: RuleId::new("auth/key/known"),
        changes: &[SkipRule(RulePattern::new("auth/key/known"))],
    },
    Fault {
        name: "auth-token-ignored",
        sentence: "a session token that was given to nobody is accepted",
        rule: RuleId::new("auth/token/known"),
        changes: &[SkipRule(RulePattern::new("auth/token/known"))],
    },
    Fault {
        name: "auth-token-never-expires",
        sentence: "a session token that has expired is accepted",
        rule: RuleId::new("auth/token/expired"),
        changes: &[SkipRule(RulePattern::new("auth/token/expired"))],
    },
    Fault {
        name: "auth-signature-ignored",
        sentence: "the signature is not compared",
        rule: RuleId::new("auth/signature/match"),
        changes: &[SkipRule(RulePattern::new("auth/signature/match"))],
    },
    Fault {
        name: "auth-body-hash-believed",
        sentence: "the hash of the body is the one that a header has",
        rule: RuleId::new("auth/signature/body-hash"),
        changes: &[SkipRule(RulePattern::new("auth/signature/body-hash"))],
    },
    Fault {
        name: "auth-host-ignored",
        sentence: "the host need not be signed",
        rule: RuleId::new("auth/signature/host"),
        changes: &[SkipRule(RulePattern::new("auth/signature/host"))],
    },
    Fault {
        name: "auth-spaces-kept",
        sentence: "several spaces inside a signed header do not count as one",
        rule: RuleId::new("auth/header/spaces"),
        changes: &[ShortCircuit(|request, _| has_spaces(request).then(invalid))],
    },
    Fault {
        name: "auth-missing-as-denied",
        sentence: "a request without a signature is denied",
        rule: RuleId::new("auth/header/present"),
        changes: &[ErrorAs(RulePattern::new("auth/header/present"), "AccessDeniedException")],
    },
    Fault {
        name: "auth-mismatch-as-denied",
        sentence: "a signature that does not match is denied",
        rule: RuleId::new("auth/signature/match"),
        changes: &[ErrorAs(RulePattern::new("auth/signature/match"), "AccessDeniedException")],
    },
    Fault {
        name: "auth-mismatch-as-unknown-key",
        sentence: "a signature that does not match is one of a client that is not known",
        rule: RuleId::new("auth/signature/match"),
        changes: &[ErrorAs(RulePattern::new("auth/signature/match"), "UnrecognizedClientException")],
    },
    Fault {
        name: "auth-key-as-mismatch",
        sentence: "an access key ID that does not exist is a signature that does not match",
        rule: RuleId::new("auth/key/known"),
        changes: &[ErrorAs(RulePattern::new("auth/key/known"), "InvalidSignatureException")],
    },
    Fault {
        name: "auth-expired-token-as-mismatch",
        sentence: "a session token that has expired is a signature that does not match",
        rule: RuleId::new("auth/token/expired"),
        changes: &[ErrorAs(RulePattern::new("auth/token/expired"), "InvalidSignatureException")],
    },
    Fault {
        name: "auth-old-as-expired-token",
        sentence: "a signature whose date is an hour off is a session token that has expired",
        rule: RuleId::new("auth/date/range"),
        changes: &[ErrorAs(RulePattern::new("auth/date/range"), "ExpiredTokenException")],
    },
];

fn is_older_than_a_minute(request: &Request) -> bool {
    let date = request.header("x-amz-date").and_then(basic_date);
    date.is_some_and(|date| {
        Timestamp::now().duration_since(date) > Duration::from_secs(60).try_into().unwrap_or_default()
    })
}

fn has_spaces(request: &Request) -> bool {
    let mut signed = request.headers.iter().filter(|(name, _)| name.to_ascii_lowercase().starts_with("x-amz-"));
    signed.any(|(_, value)| value.trim().contains("  "))
}

fn invalid() -> Reply {
    Ok(envelope::response(400, &json!({ "__type": "InvalidSignatureException", "message": "no" })))
}
