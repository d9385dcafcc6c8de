//! Which of two errors is reported, and as what.

use bytes::Bytes;
use serde_json::json;

use super::super::Change::{EditRejections, ErrorAs, RewriteReply, RewriteRequest};
use super::super::change::{Call, invalid_parameter, rejection};
use super::super::reply::{of_error, of_errors};
use super::Variant;
use crate::contract::check::check;
use crate::contract::{Constraint, Operation, RuleId, RulePattern};
use crate::model::Rejection;
use crate::wire::{Reply, Request, Response};

pub(super) static VARIANTS: &[Variant] = &[
    Variant {
        name: "no-repository-as-no-upload",
        sentence: "an upload in a repository that does not exist is not found",
        changes: &[
            ErrorAs(RulePattern::new("UploadLayerPart/repositoryName/exists"), "UploadNotFoundException"),
            ErrorAs(RulePattern::new("CompleteLayerUpload/repositoryName/exists"), "UploadNotFoundException"),
        ],
        withholds: false,
    },
    Variant {
        name: "foreign-registry-denied",
        sentence: "the registry of another account is denied, with status 403",
        changes: &[
            ErrorAs(RulePattern::new("*/registryId/foreign"), "AccessDeniedException"),
            RewriteReply(|_, _, reply| of_error(reply, "AccessDeniedException", |answer| answer.status = 403)),
        ],
        withholds: false,
    },
    Variant {
        name: "lengths-as-parameter",
        sentence: "a part whose length differs from its range is rejected as a parameter",
        changes: &[
            ErrorAs(RulePattern::new("UploadLayerPart/layerPartBlob/length"), "InvalidParameterException"),
            ErrorAs(RulePattern::new("UploadLayerPart/partLastByte/not-before-first"), "InvalidParameterException"),
        ],
        withholds: false,
    },
    Variant {
        name: "bounds-of-parts-as-part",
        sentence: "a negative position and a part above 20 MiB are rejected as a part",
        changes: &[EditRejections(|call, wrong| {
            let received = call.upload().map_or(0, |upload| upload.size());
            let members = json!({
                "registryId": call.registry.account,
                "repositoryName": call.text("repositoryName"),
                "uploadId": call.text("uploadId"),
                "lastValidByteReceived": received.saturating_sub(1),
            });
            let of_bounds = |rule: RuleId| matches!(rule.constraint(), Some(Constraint::Min | Constraint::MaxSize));
            for rejected in wrong.iter_mut().filter(|rejection| of_bounds(rejection.rule)) {
                *rejected =
                    Rejection { members: members.clone(), ..rejection("InvalidLayerPartException", rejected.rule) };
            }
        })],
        withholds: false,
    },
    Variant {
        name: "wrong-types-as-parameter",
        sentence: "a wrong JSON type is rejected as a parameter",
        changes: &[EditRejections(|_, wrong| {
            for rejection in wrong.iter_mut().filter(|rejection| rejection.error.name == "SerializationException") {
                *rejection = invalid_parameter(rejection.rule);
            }
        })],
        withholds: false,
    },
    Variant {
        name: "bad-bodies-as-parameter",
        sentence: "an empty body, one that is not an object and one that is not UTF-8 are rejected as a parameter",
        changes: &[
            ErrorAs(RulePattern::new("wire/body/empty"), "InvalidParameterException"),
            ErrorAs(RulePattern::new("wire/body/object"), "InvalidParameterException"),
            ErrorAs(RulePattern::new("wire/body/utf-8"), "InvalidParameterException"),
        ],
        withholds: false,
    },
    Variant {
        name: "operation-unknown-as-404",
        sentence: "UnknownOperationException has the status 404",
        changes: &[RewriteReply(|_, _, reply| {
            of_error(reply, "UnknownOperationException", |answer| answer.status = 404)
        })],
        withholds: false,
    },
    Variant {
        name: "unknown-targets-as-page",
        sentence: "a request that reaches no operation gets 404 and a page of HTML",
        changes: &[RewriteReply(|request, _, reply| unaddressed(request, reply, "<h1>404</h1>"))],
        withholds: false,
    },
    Variant {
        name: "unknown-targets-without-body",
        sentence: "a request that reaches no operation gets 404 and nothing else",
        changes: &[RewriteReply(|request, _, reply| unaddressed(request, reply, ""))],
        withholds: false,
    },
    Variant {
        name: "without-images",
        sentence: "PutImage is an unknown operation",
        changes: &[RewriteRequest(|request| {
            if request.operation() == Some(Operation::PutImage) {
                request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("x-amz-target"));
            }
        })],
        withholds: false,
    },
    Variant {
        name: "last-fault-first",
        sentence: "of several violations the last one is reported",
        changes: &[EditRejections(|_, wrong| wrong.reverse())],
        withholds: false,
    },
    Variant {
        name: "state-first",
        sentence: "what the members name is looked up before the other members are checked",
        changes: &[EditRejections(state_first)],
        withholds: false,
    },
    Variant {
        name: "digests-before-parts",
        sentence: "CompleteLayerUpload compares digests before it checks the parts",
        changes: &[EditRejections(|call, wrong| {
            if call.is(Operation::CompleteLayerUpload) {
                wrong.sort_by_key(|rejection| rejection.rule.subject() == "parts");
            }
        })],
        withholds: false,
    },
];

/// Answers a request that reaches no operation as a web server does.
fn unaddressed(request: &Request, reply: &mut Reply, page: &'static str) {
    // An operation that is known and left out by a variant is no matter of the web server.
    let unknown = request.method == "POST" && request.operation().is_none() && request.header("x-amz-target").is_some();
    if unknown {
        of_errors(reply, |answer| {
            *answer =
                Response { status: 404, headers: Vec::new(), body: Bytes::from_static(page.as_bytes()), flaw: None };
        });
    }
}

/// Looks up what is named by members with which nothing is wrong, before the others.
fn state_first(call: &mut Call, wrong: &mut Vec<Rejection>) {
    let broken = check(call.operation, &call.input);
    let is_fine = |member: &str| !broken.iter().any(|breach| breach.rule.is_about(call.operation.name, member));
    if broken.is_empty() || !is_fine("repositoryName") || !is_fine("registryId") {
        return;
    }
    let first = call.registry.standing(call.operation.name, &call.input).into_iter().next();
    let Some(first) = first else { return };
    if first.rule.is("repositoryName/exists") || (first.rule.is("uploadId/exists") && is_fine("uploadId")) {
        *wrong = vec![first];
    }
}
