//! How answers look: status, content type, body, and where the error type stands.

use bytes::Bytes;
use serde_json::{Value, json};

use super::super::Change::Says;
use super::super::reply::{edit_answer, edit_success, of_error, of_errors, of_operation, of_success, retype};
use super::{Fault, fault};
use crate::contract::Operation;
use crate::wire::{Answer, Reply, Request, envelope};

const STATUS: &str = "answer/status";
const TYPE: &str = "answer/error-type";
const VISIBLE: &str = "answer/type-visible";
const CONTENT_TYPE: &str = "answer/content-type";

pub(super) static FAULTS: &[Fault] = &[
    fault(
        "errors-as-200",
        "errors have the status 200",
        STATUS,
        &[Says(|_, _, reply| of_errors(reply, |answer| answer.status = 200))],
    ),
    fault(
        "errors-as-404",
        "errors have the status 404",
        STATUS,
        &[Says(|_, _, reply| of_errors(reply, |answer| answer.status = 404))],
    ),
    fault(
        "errors-as-409",
        "LayerAlreadyExistsException has the status 409",
        STATUS,
        &[Says(|_, _, reply| of_error(reply, "LayerAlreadyExistsException", |answer| answer.status = 409))],
    ),
    fault(
        "errors-as-422",
        "InvalidParameterException has the status 422",
        STATUS,
        &[Says(|_, _, reply| of_error(reply, "InvalidParameterException", |answer| answer.status = 422))],
    ),
    fault(
        "not-found-as-404",
        "what is not found has the status 404",
        STATUS,
        &[Says(|_, _, reply| {
            of_errors(reply, |answer| {
                if envelope::error(answer).name.is_some_and(|name| name.ends_with("NotFoundException")) {
                    answer.status = 404;
                }
            })
        })],
    ),
    fault(
        "errors-as-500",
        "errors have the status 500",
        "always/no-5xx",
        &[Says(|_, _, reply| of_errors(reply, |answer| answer.status = 500))],
    ),
    fault(
        "serialization-500",
        "SerializationException comes with status 500",
        "always/no-5xx",
        &[Says(|_, _, reply| of_error(reply, "SerializationException", |answer| answer.status = 500))],
    ),
    fault(
        "errors-as-480",
        "errors have the statuses 480 to 489 that a conversion to OpenAPI gives them",
        STATUS,
        &[Says(|_, _, reply| {
            of_errors(reply, |answer| {
                const CONVERTED: [&str; 10] = [
                    "ServerException",
                    "InvalidParameterException",
                    "RepositoryNotFoundException",
                    "UploadNotFoundException",
                    "InvalidLayerException",
                    "LayerPartTooSmallException",
                    "LayerAlreadyExistsException",
                    "EmptyUploadException",
                    "KmsException",
                    "RegistryNotFoundException",
                ];
                let name = envelope::error(answer).name.unwrap_or_default();
                if let Some(index) = CONVERTED.iter().position(|known| *known == name) {
                    answer.status = 480 + index as u16;
                }
            })
        })],
    ),
    fault(
        "errors-as-499",
        "EmptyUploadException has the status 499",
        STATUS,
        &[Says(|_, _, reply| of_error(reply, "EmptyUploadException", |answer| answer.status = 499))],
    ),
    fault(
        "success-as-201",
        "success has the status 201",
        STATUS,
        &[Says(|_, _, reply| of_success(reply, |answer| answer.status = 201))],
    ),
    fault(
        "complete-as-201",
        "CompleteLayerUpload succeeds with the status 201",
        STATUS,
        &[Says(|request, _, reply| {
            of_operation(request, reply, Operation::CompleteLayerUpload, |answer| answer.status = 201)
        })],
    ),
    fault(
        "part-as-202",
        "UploadLayerPart succeeds with the status 202",
        STATUS,
        &[Says(|request, _, reply| {
            of_operation(request, reply, Operation::UploadLayerPart, |answer| answer.status = 202)
        })],
    ),
    fault(
        "check-as-203",
        "BatchCheckLayerAvailability succeeds with the status 203",
        STATUS,
        &[Says(|request, _, reply| {
            of_operation(request, reply, Operation::BatchCheckLayerAvailability, |answer| answer.status = 203)
        })],
    ),
    fault(
        "complete-as-204",
        "CompleteLayerUpload succeeds with the status 204 and no body",
        "answer/json-object",
        &[Says(|request, _, reply| {
            of_operation(request, reply, Operation::CompleteLayerUpload, |answer| {
                answer.status = 204;
                answer.body = Bytes::new();
            });
        })],
    ),
    fault(
        "untyped-errors",
        "errors name no type",
        TYPE,
        &[Says(|_, _, reply| of_errors(reply, |answer| answer.body = Bytes::from_static(b"{\"message\":\"no\"}")))],
    ),
    fault(
        "type-in-code",
        "the error type stands in code alone",
        VISIBLE,
        &[Says(|_, _, reply| retype(reply, |body, name| rename_type(body, "code", name)))],
    ),
    fault(
        "type-in-type",
        "the error type stands in type alone",
        TYPE,
        &[Says(|_, _, reply| retype(reply, |body, name| rename_type(body, "type", name)))],
    ),
    fault(
        "type-in-capitals",
        "the error type stands in Code, below Error",
        TYPE,
        &[Says(|_, _, reply| {
            retype(reply, |body, name| *body = json!({ "Error": { "Code": name, "Message": "no" } }))
        })],
    ),
    fault(
        "type-of-docker",
        "errors look as those of the registry protocol",
        TYPE,
        &[Says(|_, _, reply| {
            retype(reply, |body, name| *body = json!({ "errors": [{ "code": name, "message": "no" }] }))
        })],
    ),
    fault(
        "type-without-exception",
        "the error type lacks its ending Exception",
        "CompleteLayerUpload/uploadId/exists",
        &[Says(|_, _, reply| retype(reply, |body, name| body["__type"] = json!(name.trim_end_matches("Exception"))))],
    ),
    fault(
        "type-in-lower-case",
        "the error type begins with a small letter",
        "CompleteLayerUpload/layerDigests/match",
        &[Says(|_, _, reply| {
            retype(reply, |body, name| body["__type"] = json!(format!("{}{}", name[..1].to_lowercase(), &name[1..])))
        })],
    ),
    fault(
        "type-in-snake-case",
        "the error type is written in snake case",
        "UploadLayerPart/uploadId/exists",
        &[Says(|_, _, reply| retype(reply, |body, name| body["__type"] = json!(snake(name))))],
    ),
    fault(
        "type-in-header",
        "the error type stands in x-amzn-errortype, and another one in __type",
        VISIBLE,
        &[Says(|_, _, reply| {
            if let Ok(answer) = reply
                && let (Some(name), Some(mut body)) = (envelope::error(answer).name, answer.json())
            {
                body["__type"] = json!("ValidationException");
                answer.body = Bytes::from(body.to_string());
                answer.headers.push((String::from("x-amzn-errortype"), name));
            }
        })],
    ),
    fault(
        "type-in-header-alone",
        "the error type stands in x-amzn-errortype alone",
        VISIBLE,
        &[Says(|_, _, reply| {
            if let Ok(answer) = reply
                && let Some(name) = envelope::error(answer).name
            {
                answer.body = Bytes::from_static(b"{\"message\":\"no\"}");
                answer.headers.push((String::from("x-amzn-errortype"), name));
            }
        })],
    ),
    fault(
        "message-missing",
        "errors have no message",
        "answer/message",
        &[Says(|_, _, reply| retype(reply, |body, name| *body = json!({ "__type": name })))],
    ),
    fault(
        "message-no-text",
        "the message of errors is an object",
        "answer/message",
        &[Says(|_, _, reply| retype(reply, |body, name| *body = json!({ "__type": name, "message": {} })))],
    ),
    fault(
        "errors-as-html",
        "errors are a page of HTML",
        TYPE,
        &[Says(|_, _, reply| {
            of_errors(reply, |answer| page(answer, "text/html", "<html><title>400 Bad Request</title></html>"))
        })],
    ),
    fault(
        "html-500",
        "InvalidParameterException becomes an HTML page with status 500",
        "always/no-5xx",
        &[Says(|_, _, reply| {
            of_error(reply, "InvalidParameterException", |answer| {
                answer.status = 500;
                page(answer, "text/html", "<html><title>500 Internal Server Error</title></html>");
            })
        })],
    ),
    fault(
        "errors-as-text",
        "errors are plain text",
        TYPE,
        &[Says(|_, _, reply| of_errors(reply, |answer| page(answer, "text/plain", "bad request\n")))],
    ),
    fault(
        "errors-as-xml",
        "errors are XML, as those of S3",
        TYPE,
        &[Says(|_, _, reply| {
            of_errors(reply, |answer| {
                let name = envelope::error(answer).name.unwrap_or_default();
                page(answer, "application/xml", &format!("<Error><Code>{name}</Code><Message>no</Message></Error>"));
            })
        })],
    ),
    fault(
        "errors-empty",
        "errors have no body",
        TYPE,
        &[Says(|_, _, reply| of_errors(reply, |answer| answer.body = Bytes::new()))],
    ),
    fault(
        "errors-cut",
        "the body of errors is cut in the middle",
        TYPE,
        &[Says(|_, _, reply| of_errors(reply, |answer| answer.body = answer.body.slice(..answer.body.len() / 2)))],
    ),
    fault(
        "error-in-a-list",
        "errors stand in a list",
        TYPE,
        &[Says(|_, _, reply| retype(reply, |body, _| *body = json!([body])))],
    ),
    fault(
        "complete-empty",
        "CompleteLayerUpload succeeds without a body",
        "answer/json-object",
        &[Says(|request, _, reply| {
            of_operation(request, reply, Operation::CompleteLayerUpload, |answer| answer.body = Bytes::new())
        })],
    ),
    fault(
        "complete-cut",
        "the body of CompleteLayerUpload is cut in the middle",
        "answer/json-object",
        &[Says(|request, _, reply| {
            of_operation(request, reply, Operation::CompleteLayerUpload, |answer| {
                answer.body = answer.body.slice(..answer.body.len() / 2)
            })
        })],
    ),
    fault(
        "complete-empty-object",
        "CompleteLayerUpload succeeds with an empty object",
        "CompleteLayerUpload/answer/layerDigest",
        &[Says(|request, _, reply| {
            of_operation(request, reply, Operation::CompleteLayerUpload, |answer| {
                answer.body = Bytes::from_static(b"{}")
            })
        })],
    ),
    fault(
        "complete-in-pascal-case",
        "members of CompleteLayerUpload begin with a capital",
        "CompleteLayerUpload/answer/uploadId",
        &[Says(|request, _, reply| {
            of_operation(request, reply, Operation::CompleteLayerUpload, |answer| {
                rename_members(answer, |name| format!("{}{}", name[..1].to_uppercase(), &name[1..]))
            })
        })],
    ),
    fault(
        "part-in-snake-case",
        "members of UploadLayerPart are written in snake case",
        "UploadLayerPart/answer/lastByteReceived",
        &[Says(|request, _, reply| {
            of_operation(request, reply, Operation::UploadLayerPart, |answer| rename_members(answer, snake))
        })],
    ),
    fault(
        "complete-in-an-envelope",
        "the members of CompleteLayerUpload stand below a member of its own",
        "CompleteLayerUpload/answer/registryId",
        &[Says(|request, _, reply| {
            of_operation(request, reply, Operation::CompleteLayerUpload, |answer| {
                let body = answer.json();
                answer.body = Bytes::from(json!({ "CompleteLayerUploadResponse": body }).to_string());
            })
        })],
    ),
    fault(
        "content-type-json",
        "answers have the content type application/json",
        CONTENT_TYPE,
        &[Says(|_, _, reply| retag(reply, Some("application/json")))],
    ),
    fault(
        "content-type-1.0",
        "answers have the content type of version 1.0",
        CONTENT_TYPE,
        &[Says(|_, _, reply| retag(reply, Some("application/x-amz-json-1.0")))],
    ),
    fault(
        "content-type-missing",
        "answers have no content type",
        CONTENT_TYPE,
        &[Says(|_, _, reply| retag(reply, None))],
    ),
    fault(
        "content-type-of-errors",
        "errors have the content type text/plain",
        CONTENT_TYPE,
        &[Says(|_, _, reply| {
            if reply.as_ref().is_ok_and(|answer| answer.status == 400) {
                retag(reply, Some("text/plain"));
            }
        })],
    ),
    fault(
        "check-as-list",
        "BatchCheckLayerAvailability answers with a bare list",
        "answer/json-object",
        &[Says(|request, _, reply| {
            of_operation(request, reply, Operation::BatchCheckLayerAvailability, |answer| {
                let layers = answer.json().map(|body| body["layers"].clone());
                answer.body = Bytes::from(json!(layers).to_string());
            })
        })],
    ),
    fault(
        "check-without-failures",
        "BatchCheckLayerAvailability leaves failures out",
        "BatchCheckLayerAvailability/answer/failures",
        &[Says(|request, _, reply| without(request, reply, Operation::BatchCheckLayerAvailability, "failures"))],
    ),
    fault(
        "completed-without-registry",
        "CompleteLayerUpload leaves registryId out",
        "CompleteLayerUpload/answer/registryId",
        &[Says(|request, _, reply| without(request, reply, Operation::CompleteLayerUpload, "registryId"))],
    ),
    fault(
        "completed-without-name",
        "CompleteLayerUpload leaves repositoryName out",
        "CompleteLayerUpload/answer/repositoryName",
        &[Says(|request, _, reply| without(request, reply, Operation::CompleteLayerUpload, "repositoryName"))],
    ),
    fault(
        "completed-without-upload-id",
        "CompleteLayerUpload leaves uploadId out",
        "CompleteLayerUpload/answer/uploadId",
        &[Says(|request, _, reply| without(request, reply, Operation::CompleteLayerUpload, "uploadId"))],
    ),
    fault(
        "completed-without-layer-digest",
        "CompleteLayerUpload leaves layerDigest out",
        "CompleteLayerUpload/answer/layerDigest",
        &[Says(|request, _, reply| without(request, reply, Operation::CompleteLayerUpload, "layerDigest"))],
    ),
    fault(
        "taken-without-registry",
        "UploadLayerPart leaves registryId out",
        "UploadLayerPart/answer/registryId",
        &[Says(|request, _, reply| without(request, reply, Operation::UploadLayerPart, "registryId"))],
    ),
    fault(
        "taken-without-last-byte",
        "UploadLayerPart leaves lastByteReceived out",
        "UploadLayerPart/answer/lastByteReceived",
        &[Says(|request, _, reply| without(request, reply, Operation::UploadLayerPart, "lastByteReceived"))],
    ),
    fault(
        "initiate-without-part-size",
        "InitiateLayerUpload leaves partSize out",
        "InitiateLayerUpload/answer/partSize",
        &[Says(|request, _, reply| without(request, reply, Operation::InitiateLayerUpload, "partSize"))],
    ),
    fault(
        "initiate-without-upload-id",
        "InitiateLayerUpload leaves uploadId out",
        "InitiateLayerUpload/answer/uploadId",
        &[Says(|request, _, reply| without(request, reply, Operation::InitiateLayerUpload, "uploadId"))],
    ),
    fault(
        "part-size-as-text",
        "InitiateLayerUpload gives partSize as text",
        "InitiateLayerUpload/answer/partSize",
        &[Says(|request, _, reply| {
            edit_success(request, reply, Operation::InitiateLayerUpload, |body| {
                body["partSize"] = json!(body["partSize"].to_string())
            })
        })],
    ),
    fault(
        "upload-id-malformed",
        "InitiateLayerUpload gives ids that are no UUIDs in its answers",
        "InitiateLayerUpload/answer/uploadId",
        &[
            super::super::Change::Takes(|call| {
                super::retext(&mut call.input, "uploadId", |id| String::from(id.trim_start_matches("upload-")))
            }),
            Says(|request, _, reply| {
                edit_success(request, reply, Operation::InitiateLayerUpload, |body| {
                    body["uploadId"] = json!(format!("upload-{}", body["uploadId"].as_str().unwrap_or_default()))
                })
            }),
        ],
    ),
    fault(
        "last-byte-counted",
        "UploadLayerPart answers with the number of bytes so far",
        "UploadLayerPart/answer/lastByteReceived",
        &[Says(|request, _, reply| {
            edit_success(request, reply, Operation::UploadLayerPart, |body| {
                body["lastByteReceived"] =
                    json!(body["lastByteReceived"].as_i64().unwrap_or_default().saturating_add(1))
            })
        })],
    ),
    fault(
        "last-byte-of-part",
        "UploadLayerPart counts lastByteReceived from the beginning of the part",
        "UploadLayerPart/answer/lastByteReceived",
        &[Says(|request, _, reply| {
            let sent: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            let first = sent["partFirstByte"].as_i64().unwrap_or_default();
            edit_success(request, reply, Operation::UploadLayerPart, |body| {
                if let Some(last) = body["lastByteReceived"].as_i64().filter(|_| first > 0) {
                    body["lastByteReceived"] = json!(last.saturating_sub(first));
                }
            });
        })],
    ),
    fault(
        "last-byte-as-text",
        "UploadLayerPart gives lastByteReceived as text",
        "UploadLayerPart/answer/lastByteReceived",
        &[Says(|request, _, reply| {
            edit_success(request, reply, Operation::UploadLayerPart, |body| {
                body["lastByteReceived"] = json!(body["lastByteReceived"].to_string())
            })
        })],
    ),
    fault(
        "upload-id-of-answer",
        "CompleteLayerUpload answers with an upload id of its own",
        "CompleteLayerUpload/answer/uploadId",
        &[Says(|request, _, reply| {
            edit_success(request, reply, Operation::CompleteLayerUpload, |body| {
                body["uploadId"] = json!("00000000-0000-4000-8000-000000000000")
            })
        })],
    ),
    fault(
        "name-of-answer",
        "CompleteLayerUpload answers with the last segment of the repository name",
        "CompleteLayerUpload/answer/repositoryName",
        &[Says(|request, _, reply| {
            edit_success(request, reply, Operation::CompleteLayerUpload, |body| {
                let name = body["repositoryName"].as_str().unwrap_or_default();
                body["repositoryName"] = json!(name.rsplit('/').next());
            })
        })],
    ),
    fault(
        "registry-as-number",
        "UploadLayerPart gives registryId as a number",
        "UploadLayerPart/answer/registryId",
        &[Says(|request, _, reply| {
            edit_success(request, reply, Operation::UploadLayerPart, |body| {
                body["registryId"] = json!(12_345_678_910_u64)
            })
        })],
    ),
    fault(
        "refused-part-says-nothing",
        "InvalidLayerPartException names nothing",
        "UploadLayerPart/answer/InvalidLayerPartException",
        &[Says(|_, _, reply| {
            of_error(reply, "InvalidLayerPartException", |answer| {
                answer.body = Bytes::from_static(b"{\"__type\":\"InvalidLayerPartException\",\"message\":\"no\"}");
            })
        })],
    ),
    fault(
        "refused-part-last-byte",
        "InvalidLayerPartException gives the number of bytes received as the last valid one",
        "UploadLayerPart/answer/InvalidLayerPartException",
        &[Says(|_, _, reply| {
            of_error(reply, "InvalidLayerPartException", |answer| {
                edit_answer(answer, |body| {
                    if let Some(last) = body["lastValidByteReceived"].as_i64().filter(|last| *last > 0) {
                        body["lastValidByteReceived"] = json!(last + 1);
                    }
                });
            })
        })],
    ),
];

fn without(request: &Request, reply: &mut Reply, operation: Operation, member: &str) {
    edit_success(request, reply, operation, |body| {
        if let Some(body) = body.as_object_mut() {
            body.remove(member);
        }
    });
}

fn rename_type(body: &mut Value, member: &str, name: &str) {
    if let Some(body) = body.as_object_mut() {
        body.remove("__type");
        body.insert(String::from(member), json!(name));
    }
}

fn rename_members(answer: &mut Answer, change: impl Fn(&str) -> String) {
    edit_answer(answer, |body| {
        if let Value::Object(members) = body {
            *members = std::mem::take(members).into_iter().map(|(name, value)| (change(&name), value)).collect();
        }
    });
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

fn page(answer: &mut Answer, content_type: &str, text: &str) {
    answer.headers = vec![(String::from("content-type"), String::from(content_type))];
    answer.body = Bytes::from(String::from(text));
}

fn retag(reply: &mut Reply, content_type: Option<&str>) {
    let Ok(answer) = reply else { return };
    answer.headers.retain(|(name, _)| name != "content-type");
    answer.headers.extend(content_type.map(|value| (String::from("content-type"), String::from(value))));
}
