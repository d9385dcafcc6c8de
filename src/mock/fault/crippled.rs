//! Servers on which an operation that the others need does not work. What can be judged without it still is.

use bytes::Bytes;
use serde_json::json;

use super::super::Change::{EditRejections, RewriteReply};
use super::super::change::{Call, invalid_parameter, rejection};
use super::super::reply::edit_success;
use super::Fault;
use crate::contract::{Operation, RuleId};
use crate::model::Rejection;
use crate::wire::{Reply, Request, envelope};

const CREATE: RuleId = RuleId::new("survey/CreateRepository");
const UPLOAD: RuleId = RuleId::new("survey/plain-upload");

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "create-without-slashes",
        sentence: "CreateRepository rejects names with a slash",
        rule: CREATE,
        changes: &[EditRejections(|call, wrong| rejects_name(call, wrong, |name| name.contains('/')))],
    },
    Fault {
        name: "create-letters-only",
        sentence: "CreateRepository rejects names with anything but letters",
        rule: CREATE,
        changes: &[EditRejections(|call, wrong| {
            rejects_name(call, wrong, |name| name.contains(|letter: char| !letter.is_ascii_lowercase()));
        })],
    },
    Fault {
        name: "create-needs-tags",
        sentence: "CreateRepository rejects requests without tags",
        rule: CREATE,
        changes: &[EditRejections(|call, wrong| {
            if call.is(Operation::CreateRepository) && !call.input.contains_key("tags") && wrong.is_empty() {
                wrong.push(invalid_parameter(CREATE));
            }
        })],
    },
    Fault {
        name: "create-needs-tags-and-no-slashes",
        sentence: "CreateRepository rejects requests without tags, and names with a slash",
        rule: CREATE,
        changes: &[EditRejections(|call, wrong| {
            rejects_name(call, wrong, |name| name.contains('/'));
            if call.is(Operation::CreateRepository) && !call.input.contains_key("tags") && wrong.is_empty() {
                wrong.push(invalid_parameter(CREATE));
            }
        })],
    },
    Fault {
        name: "parts-fail",
        sentence: "UploadLayerPart fails with 500 for every valid part",
        rule: UPLOAD,
        changes: &[RewriteReply(|request, _, reply| {
            edit_status(request, reply, Operation::UploadLayerPart, 500, "ServerException")
        })],
    },
    Fault {
        name: "parts-invalid",
        sentence: "UploadLayerPart calls every part invalid",
        rule: UPLOAD,
        changes: &[EditRejections(|call, wrong| {
            rejects_all(call, wrong, Operation::UploadLayerPart, "InvalidLayerPartException")
        })],
    },
    Fault {
        name: "parts-as-parameter",
        sentence: "UploadLayerPart rejects every part as a parameter",
        rule: UPLOAD,
        changes: &[EditRejections(|call, wrong| {
            rejects_all(call, wrong, Operation::UploadLayerPart, "InvalidParameterException")
        })],
    },
    Fault {
        name: "parts-find-no-upload",
        sentence: "UploadLayerPart finds no upload",
        rule: UPLOAD,
        changes: &[EditRejections(|call, wrong| {
            rejects_all(call, wrong, Operation::UploadLayerPart, "UploadNotFoundException")
        })],
    },
    Fault {
        name: "parts-limited",
        sentence: "UploadLayerPart has reached its limit from the first part on",
        rule: UPLOAD,
        changes: &[EditRejections(|call, wrong| {
            rejects_all(call, wrong, Operation::UploadLayerPart, "LimitExceededException")
        })],
    },
    Fault {
        name: "parts-unknown",
        sentence: "UploadLayerPart is an unknown operation",
        rule: RuleId::new("UploadLayerPart/known"),
        changes: &[RewriteReply(|request, _, reply| {
            if request.operation() == Some(Operation::UploadLayerPart) {
                *reply =
                    Ok(envelope::response(400, &json!({ "__type": "UnknownOperationException", "message": "no" })));
            }
        })],
    },
    Fault {
        name: "begun-without-id",
        sentence: "InitiateLayerUpload answers without uploadId",
        rule: UPLOAD,
        changes: &[RewriteReply(|request, _, reply| {
            edit_success(request, reply, Operation::InitiateLayerUpload, |body| {
                if let Some(body) = body.as_object_mut() {
                    body.remove("uploadId");
                }
            });
        })],
    },
    Fault {
        name: "begun-in-vain",
        sentence: "InitiateLayerUpload fails with 500 for every valid request",
        rule: UPLOAD,
        changes: &[RewriteReply(|request, _, reply| {
            edit_status(request, reply, Operation::InitiateLayerUpload, 500, "ServerException")
        })],
    },
    Fault {
        name: "completed-in-vain",
        sentence: "CompleteLayerUpload fails with 500 for every valid request",
        rule: UPLOAD,
        changes: &[RewriteReply(|request, _, reply| {
            edit_status(request, reply, Operation::CompleteLayerUpload, 500, "ServerException")
        })],
    },
];

fn rejects_name(call: &mut Call, wrong: &mut Vec<Rejection>, is_such: impl Fn(&str) -> bool) {
    if call.is(Operation::CreateRepository) && is_such(call.text("repositoryName")) && wrong.is_empty() {
        wrong.push(invalid_parameter(CREATE));
    }
}

fn rejects_all(call: &mut Call, wrong: &mut Vec<Rejection>, operation: Operation, error: &str) {
    if call.is(operation) && wrong.is_empty() {
        wrong.push(rejection(error, UPLOAD));
    }
}

/// Answers with an error where an operation succeeded.
fn edit_status(request: &Request, reply: &mut Reply, operation: Operation, status: u16, error: &str) {
    if let Ok(answer) = reply
        && answer.status == 200
        && request.operation() == Some(operation)
    {
        answer.status = status;
        answer.body = Bytes::from(json!({ "__type": error, "message": "no" }).to_string());
    }
}
