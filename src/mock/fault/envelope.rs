//! How answers look: status, content type, body, and where the error type stands.

use bytes::Bytes;
use serde_json::{Value, json};

use super::super::Change::RewriteReply;
use super::super::reply::{edit_answer, edit_success, of_error, of_errors, of_operation, of_success, retype};
use super::Fault;
use crate::contract::name::separated;
use crate::contract::{Operation, RuleId};
use crate::wire::{Reply, Request, Response, envelope};

const STATUS: RuleId = RuleId::new("answer/status");
const TYPE: RuleId = RuleId::new("answer/error-type");
const VISIBLE: RuleId = RuleId::new("answer/type-visible");
const CONTENT_TYPE: RuleId = RuleId::new("answer/content-type");

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "errors-as-200",
        sentence: "errors have the status 200",
        rule: STATUS,
        changes: &[RewriteReply(|_, _, reply| of_errors(reply, |answer| answer.status = 200))],
    },
    Fault {
        name: "errors-as-404",
        sentence: "errors have the status 404",
        rule: STATUS,
        changes: &[RewriteReply(|_, _, reply| of_errors(reply, |answer| answer.status = 404))],
    },
    Fault {
        name: "errors-as-409",
        sentence: "LayerAlreadyExistsException has the status 409",
        rule: STATUS,
        changes: &[RewriteReply(|_, _, reply| {
            of_error(reply, "LayerAlreadyExistsException", |answer| answer.status = 409)
        })],
    },
    Fault {
        name: "errors-as-422",
        sentence: "InvalidParameterException has the status 422",
        rule: STATUS,
        changes: &[RewriteReply(|_, _, reply| {
            of_error(reply, "InvalidParameterException", |answer| answer.status = 422)
        })],
    },
    Fault {
        name: "not-found-as-404",
        sentence: "not-found errors have the status 404",
        rule: STATUS,
        changes: &[RewriteReply(|_, _, reply| {
            of_errors(reply, |answer| {
                if envelope::error(answer).name.is_some_and(|name| name.ends_with("NotFoundException")) {
                    answer.status = 404;
                }
            })
        })],
    },
    Fault {
        name: "errors-as-500",
        sentence: "errors have the status 500",
        rule: RuleId::new("always/no-5xx"),
        changes: &[RewriteReply(|_, _, reply| of_errors(reply, |answer| answer.status = 500))],
    },
    Fault {
        name: "serialization-500",
        sentence: "SerializationException comes with status 500",
        rule: RuleId::new("always/no-5xx"),
        changes: &[RewriteReply(|_, _, reply| of_error(reply, "SerializationException", |answer| answer.status = 500))],
    },
    Fault {
        name: "errors-as-480",
        sentence: "errors have the statuses 480 to 489 that a conversion to OpenAPI gives them",
        rule: STATUS,
        changes: &[RewriteReply(|_, _, reply| {
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
    },
    Fault {
        name: "errors-as-499",
        sentence: "EmptyUploadException has the status 499",
        rule: STATUS,
        changes: &[RewriteReply(|_, _, reply| of_error(reply, "EmptyUploadException", |answer| answer.status = 499))],
    },
    Fault {
        name: "success-as-201",
        sentence: "success has the status 201",
        rule: STATUS,
        changes: &[RewriteReply(|_, _, reply| of_success(reply, |answer| answer.status = 201))],
    },
    Fault {
        name: "complete-as-201",
        sentence: "CompleteLayerUpload succeeds with the status 201",
        rule: STATUS,
        changes: &[RewriteReply(|request, _, reply| {
            of_operation(request, reply, Operation::CompleteLayerUpload, |answer| answer.status = 201)
        })],
    },
    Fault {
        name: "part-as-202",
        sentence: "UploadLayerPart succeeds with the status 202",
        rule: STATUS,
        changes: &[RewriteReply(|request, _, reply| {
            of_operation(request, reply, Operation::UploadLayerPart, |answer| answer.status = 202)
        })],
    },
    Fault {
        name: "check-as-203",
        sentence: "BatchCheckLayerAvailability succeeds with the status 203",
        rule: STATUS,
        changes: &[RewriteReply(|request, _, reply| {
            of_operation(request, reply, Operation::BatchCheckLayerAvailability, |answer| answer.status = 203)
        })],
    },
    Fault {
        name: "complete-as-204",
        sentence: "CompleteLayerUpload succeeds with the status 204 and no body",
        rule: RuleId::new("answer/json-object"),
        changes: &[RewriteReply(|request, _, reply| {
            of_operation(request, reply, Operation::CompleteLayerUpload, |answer| {
                answer.status = 204;
                answer.body = Bytes::new();
            });
        })],
    },
    Fault {
        name: "untyped-errors",
        sentence: "errors name no type",
        rule: TYPE,
        changes: &[RewriteReply(|_, _, reply| {
            of_errors(reply, |answer| answer.body = Bytes::from_static(b"{\"message\":\"no\"}"))
        })],
    },
    Fault {
        name: "type-in-code",
        sentence: "the error type is only in code",
        rule: VISIBLE,
        changes: &[RewriteReply(|_, _, reply| retype(reply, |body, name| rename_type(body, "code", name)))],
    },
    Fault {
        name: "type-in-type",
        sentence: "the error type is only in type",
        rule: TYPE,
        changes: &[RewriteReply(|_, _, reply| retype(reply, |body, name| rename_type(body, "type", name)))],
    },
    Fault {
        name: "type-in-capitals",
        sentence: "the error type is in Code, below Error",
        rule: TYPE,
        changes: &[RewriteReply(|_, _, reply| {
            retype(reply, |body, name| *body = json!({ "Error": { "Code": name, "Message": "no" } }))
        })],
    },
    Fault {
        name: "type-of-docker",
        sentence: "errors look as those of the registry protocol",
        rule: TYPE,
        changes: &[RewriteReply(|_, _, reply| {
            retype(reply, |body, name| *body = json!({ "errors": [{ "code": name, "message": "no" }] }))
        })],
    },
    Fault {
        name: "type-without-exception",
        sentence: "the error type lacks its ending Exception",
        rule: RuleId::new("CompleteLayerUpload/uploadId/exists"),
        changes: &[RewriteReply(|_, _, reply| {
            retype(reply, |body, name| body["__type"] = json!(name.trim_end_matches("Exception")))
        })],
    },
    Fault {
        name: "type-in-lower-case",
        sentence: "the error type starts with a small letter",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/match"),
        changes: &[RewriteReply(|_, _, reply| {
            retype(reply, |body, name| body["__type"] = json!(format!("{}{}", name[..1].to_lowercase(), &name[1..])))
        })],
    },
    Fault {
        name: "type-in-snake-case",
        sentence: "the error type is written in snake case",
        rule: RuleId::new("UploadLayerPart/uploadId/exists"),
        changes: &[RewriteReply(|_, _, reply| {
            retype(reply, |body, name| body["__type"] = json!(separated(name, '_')))
        })],
    },
    Fault {
        name: "type-in-header",
        sentence: "the error type is in x-amzn-errortype, and another one in __type",
        rule: VISIBLE,
        changes: &[RewriteReply(|_, _, reply| {
            if let Ok(answer) = reply
                && let (Some(name), Some(mut body)) = (envelope::error(answer).name, answer.json())
            {
                body["__type"] = json!("ValidationException");
                answer.body = Bytes::from(body.to_string());
                answer.headers.push((String::from("x-amzn-errortype"), name));
            }
        })],
    },
    Fault {
        name: "type-in-header-alone",
        sentence: "the error type is only in x-amzn-errortype",
        rule: VISIBLE,
        changes: &[RewriteReply(|_, _, reply| {
            if let Ok(answer) = reply
                && let Some(name) = envelope::error(answer).name
            {
                answer.body = Bytes::from_static(b"{\"message\":\"no\"}");
                answer.headers.push((String::from("x-amzn-errortype"), name));
            }
        })],
    },
    Fault {
        name: "message-missing",
        sentence: "errors have no message",
        rule: RuleId::new("answer/message"),
        changes: &[RewriteReply(|_, _, reply| retype(reply, |body, name| *body = json!({ "__type": name })))],
    },
    Fault {
        name: "message-no-text",
        sentence: "the message of errors is an object",
        rule: RuleId::new("answer/message"),
        changes: &[RewriteReply(|_, _, reply| {
            retype(reply, |body, name| *body = json!({ "__type": name, "message": {} }))
        })],
    },
    Fault {
        name: "errors-as-html",
        sentence: "errors are a page of HTML",
        rule: TYPE,
        changes: &[RewriteReply(|_, _, reply| {
            of_errors(reply, |answer| page(answer, "text/html", "<html><title>400 Bad Request</title></html>"))
        })],
    },
    Fault {
        name: "html-500",
        sentence: "InvalidParameterException becomes an HTML page with status 500",
        rule: RuleId::new("always/no-5xx"),
        changes: &[RewriteReply(|_, _, reply| {
            of_error(reply, "InvalidParameterException", |answer| {
                answer.status = 500;
                page(answer, "text/html", "<html><title>500 Internal Server Error</title></html>");
            })
        })],
    },
    Fault {
        name: "errors-as-text",
        sentence: "errors are plain text",
        rule: TYPE,
        changes: &[RewriteReply(|_, _, reply| of_errors(reply, |answer| page(answer, "text/plain", "bad request\n")))],
    },
    Fault {
        name: "errors-as-xml",
        sentence: "errors are XML, as those of S3",
        rule: TYPE,
        changes: &[RewriteReply(|_, _, reply| {
            of_errors(reply, |answer| {
                let name = envelope::error(answer).name.unwrap_or_default();
                page(answer, "application/xml", &format!("<Error><Code>{name}</Code><Message>no</Message></Error>"));
            })
        })],
    },
    Fault {
        name: "errors-empty",
        sentence: "errors have no body",
        rule: TYPE,
        changes: &[RewriteReply(|_, _, reply| of_errors(reply, |answer| answer.body = Bytes::new()))],
    },
    Fault {
        name: "errors-cut",
        sentence: "the body of errors is cut in the middle",
        rule: RuleId::new("answer/json-object"),
        changes: &[RewriteReply(|_, _, reply| {
            of_errors(reply, |answer| answer.body = answer.body.slice(..answer.body.len() / 2))
        })],
    },
    Fault {
        name: "error-in-a-list",
        sentence: "errors are inside an array",
        rule: TYPE,
        changes: &[RewriteReply(|_, _, reply| retype(reply, |body, _| *body = json!([body])))],
    },
    Fault {
        name: "complete-empty",
        sentence: "CompleteLayerUpload succeeds without a body",
        rule: RuleId::new("answer/json-object"),
        changes: &[RewriteReply(|request, _, reply| {
            of_operation(request, reply, Operation::CompleteLayerUpload, |answer| answer.body = Bytes::new())
        })],
    },
    Fault {
        name: "complete-cut",
        sentence: "the body of CompleteLayerUpload is cut in the middle",
        rule: RuleId::new("answer/json-object"),
        changes: &[RewriteReply(|request, _, reply| {
            of_operation(request, reply, Operation::CompleteLayerUpload, |answer| {
                answer.body = answer.body.slice(..answer.body.len() / 2)
            })
        })],
    },
    Fault {
        name: "complete-empty-object",
        sentence: "CompleteLayerUpload succeeds with an empty object",
        rule: RuleId::new("CompleteLayerUpload/answer/layerDigest"),
        changes: &[RewriteReply(|request, _, reply| {
            of_operation(request, reply, Operation::CompleteLayerUpload, |answer| {
                answer.body = Bytes::from_static(b"{}")
            })
        })],
    },
    Fault {
        name: "complete-in-pascal-case",
        sentence: "members of CompleteLayerUpload begin with a capital",
        rule: RuleId::new("CompleteLayerUpload/answer/uploadId"),
        changes: &[RewriteReply(|request, _, reply| {
            of_operation(request, reply, Operation::CompleteLayerUpload, |answer| {
                rename_members(answer, |name| format!("{}{}", name[..1].to_uppercase(), &name[1..]))
            })
        })],
    },
    Fault {
        name: "part-in-snake-case",
        sentence: "members of UploadLayerPart are written in snake case",
        rule: RuleId::new("UploadLayerPart/answer/lastByteReceived"),
        changes: &[RewriteReply(|request, _, reply| {
            of_operation(request, reply, Operation::UploadLayerPart, |answer| {
                rename_members(answer, |name| separated(name, '_'))
            })
        })],
    },
    Fault {
        name: "complete-in-an-envelope",
        sentence: "the members of CompleteLayerUpload are below a member of its own",
        rule: RuleId::new("CompleteLayerUpload/answer/registryId"),
        changes: &[RewriteReply(|request, _, reply| {
            of_operation(request, reply, Operation::CompleteLayerUpload, |answer| {
                let body = answer.json();
                answer.body = Bytes::from(json!({ "CompleteLayerUploadResponse": body }).to_string());
            })
        })],
    },
    Fault {
        name: "content-type-json",
        sentence: "responses have the content type application/json",
        rule: CONTENT_TYPE,
        changes: &[RewriteReply(|_, _, reply| retag(reply, Some("application/json")))],
    },
    Fault {
        name: "content-type-1.0",
        sentence: "responses have the content type of version 1.0",
        rule: CONTENT_TYPE,
        changes: &[RewriteReply(|_, _, reply| retag(reply, Some("application/x-amz-json-1.0")))],
    },
    Fault {
        name: "content-type-missing",
        sentence: "responses have no content type",
        rule: CONTENT_TYPE,
        changes: &[RewriteReply(|_, _, reply| retag(reply, None))],
    },
    Fault {
        name: "content-type-of-errors",
        sentence: "errors have the content type text/plain",
        rule: CONTENT_TYPE,
        changes: &[RewriteReply(|_, _, reply| {
            if reply.as_ref().is_ok_and(|answer| answer.status == 400) {
                retag(reply, Some("text/plain"));
            }
        })],
    },
    Fault {
        name: "check-as-list",
        sentence: "BatchCheckLayerAvailability returns a bare list",
        rule: RuleId::new("answer/json-object"),
        changes: &[RewriteReply(|request, _, reply| {
            of_operation(request, reply, Operation::BatchCheckLayerAvailability, |answer| {
                let layers = answer.json().map(|body| body["layers"].clone());
                answer.body = Bytes::from(json!(layers).to_string());
            })
        })],
    },
    Fault {
        name: "check-with-failures-as-text",
        sentence: "BatchCheckLayerAvailability returns failures as text",
        rule: RuleId::new("BatchCheckLayerAvailability/answer/failures"),
        changes: &[RewriteReply(|request, _, reply| {
            edit_success(request, reply, Operation::BatchCheckLayerAvailability, |body| {
                body["failures"] = json!(body["failures"].to_string());
            });
        })],
    },
    Fault {
        name: "completed-without-registry",
        sentence: "CompleteLayerUpload leaves registryId out",
        rule: RuleId::new("CompleteLayerUpload/answer/registryId"),
        changes: &[RewriteReply(|request, _, reply| {
            without(request, reply, Operation::CompleteLayerUpload, "registryId")
        })],
    },
    Fault {
        name: "completed-without-name",
        sentence: "CompleteLayerUpload leaves repositoryName out",
        rule: RuleId::new("CompleteLayerUpload/answer/repositoryName"),
        changes: &[RewriteReply(|request, _, reply| {
            without(request, reply, Operation::CompleteLayerUpload, "repositoryName")
        })],
    },
    Fault {
        name: "completed-without-upload-id",
        sentence: "CompleteLayerUpload leaves uploadId out",
        rule: RuleId::new("CompleteLayerUpload/answer/uploadId"),
        changes: &[RewriteReply(|request, _, reply| {
            without(request, reply, Operation::CompleteLayerUpload, "uploadId")
        })],
    },
    Fault {
        name: "completed-without-layer-digest",
        sentence: "CompleteLayerUpload leaves layerDigest out",
        rule: RuleId::new("CompleteLayerUpload/answer/layerDigest"),
        changes: &[RewriteReply(|request, _, reply| {
            without(request, reply, Operation::CompleteLayerUpload, "layerDigest")
        })],
    },
    Fault {
        name: "taken-without-registry",
        sentence: "UploadLayerPart leaves registryId out",
        rule: RuleId::new("UploadLayerPart/answer/registryId"),
        changes: &[RewriteReply(|request, _, reply| without(request, reply, Operation::UploadLayerPart, "registryId"))],
    },
    Fault {
        name: "taken-without-last-byte",
        sentence: "UploadLayerPart leaves lastByteReceived out",
        rule: RuleId::new("UploadLayerPart/answer/lastByteReceived"),
        changes: &[RewriteReply(|request, _, reply| {
            without(request, reply, Operation::UploadLayerPart, "lastByteReceived")
        })],
    },
    Fault {
        name: "initiate-without-part-size",
        sentence: "InitiateLayerUpload leaves partSize out",
        rule: RuleId::new("InitiateLayerUpload/answer/partSize"),
        changes: &[RewriteReply(|request, _, reply| {
            without(request, reply, Operation::InitiateLayerUpload, "partSize")
        })],
    },
    Fault {
        name: "initiate-without-upload-id",
        sentence: "InitiateLayerUpload leaves uploadId out",
        rule: RuleId::new("InitiateLayerUpload/answer/uploadId"),
        changes: &[RewriteReply(|request, _, reply| {
            without(request, reply, Operation::InitiateLayerUpload, "uploadId")
        })],
    },
    Fault {
        name: "part-size-as-text",
        sentence: "InitiateLayerUpload gives partSize as text",
        rule: RuleId::new("InitiateLayerUpload/answer/partSize"),
        changes: &[RewriteReply(|request, _, reply| {
            edit_success(request, reply, Operation::InitiateLayerUpload, |body| {
                body["partSize"] = json!(body["partSize"].to_string())
            })
        })],
    },
    Fault {
        name: "upload-id-malformed",
        sentence: "InitiateLayerUpload gives ids that are no UUIDs in its responses",
        rule: RuleId::new("InitiateLayerUpload/answer/uploadId"),
        changes: &[
            super::super::Change::RewriteInput(|call| {
                super::retext(&mut call.input, "uploadId", |id| String::from(id.trim_start_matches("upload-")))
            }),
            RewriteReply(|request, _, reply| {
                edit_success(request, reply, Operation::InitiateLayerUpload, |body| {
                    body["uploadId"] = json!(format!("upload-{}", body["uploadId"].as_str().unwrap_or_default()))
                })
            }),
        ],
    },
    Fault {
        name: "last-byte-counted",
        sentence: "UploadLayerPart returns the number of bytes so far",
        rule: RuleId::new("UploadLayerPart/answer/lastByteReceived"),
        changes: &[RewriteReply(|request, _, reply| {
            edit_success(request, reply, Operation::UploadLayerPart, |body| {
                body["lastByteReceived"] =
                    json!(body["lastByteReceived"].as_i64().unwrap_or_default().saturating_add(1))
            })
        })],
    },
    Fault {
        name: "last-byte-of-part",
        sentence: "UploadLayerPart counts lastByteReceived from the beginning of the part",
        rule: RuleId::new("UploadLayerPart/answer/lastByteReceived"),
        changes: &[RewriteReply(|request, _, reply| {
            let sent: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            let first = sent["partFirstByte"].as_i64().unwrap_or_default();
            edit_success(request, reply, Operation::UploadLayerPart, |body| {
                if let Some(last) = body["lastByteReceived"].as_i64().filter(|_| first > 0) {
                    body["lastByteReceived"] = json!(last.saturating_sub(first));
                }
            });
        })],
    },
    Fault {
        name: "last-byte-as-text",
        sentence: "UploadLayerPart gives lastByteReceived as text",
        rule: RuleId::new("UploadLayerPart/answer/lastByteReceived"),
        changes: &[RewriteReply(|request, _, reply| {
            edit_success(request, reply, Operation::UploadLayerPart, |body| {
                body["lastByteReceived"] = json!(body["lastByteReceived"].to_string())
            })
        })],
    },
    Fault {
        name: "upload-id-of-answer",
        sentence: "CompleteLayerUpload returns an upload id of its own",
        rule: RuleId::new("CompleteLayerUpload/answer/uploadId"),
        changes: &[RewriteReply(|request, _, reply| {
            edit_success(request, reply, Operation::CompleteLayerUpload, |body| {
                body["uploadId"] = json!("00000000-0000-4000-8000-000000000000")
            })
        })],
    },
    Fault {
        name: "name-of-answer",
        sentence: "CompleteLayerUpload returns the last segment of the repository name",
        rule: RuleId::new("CompleteLayerUpload/answer/repositoryName"),
        changes: &[RewriteReply(|request, _, reply| {
            edit_success(request, reply, Operation::CompleteLayerUpload, |body| {
                let name = body["repositoryName"].as_str().unwrap_or_default();
                body["repositoryName"] = json!(name.rsplit('/').next());
            })
        })],
    },
    Fault {
        name: "registry-as-number",
        sentence: "UploadLayerPart gives registryId as a number",
        rule: RuleId::new("UploadLayerPart/answer/registryId"),
        changes: &[RewriteReply(|request, _, reply| {
            edit_success(request, reply, Operation::UploadLayerPart, |body| {
                body["registryId"] = json!(12_345_678_910_u64)
            })
        })],
    },
    Fault {
        name: "rejected-part-says-nothing",
        sentence: "InvalidLayerPartException names nothing",
        rule: RuleId::new("UploadLayerPart/answer/InvalidLayerPartException"),
        changes: &[RewriteReply(|_, _, reply| {
            of_error(reply, "InvalidLayerPartException", |answer| {
                answer.body = Bytes::from_static(b"{\"__type\":\"InvalidLayerPartException\",\"message\":\"no\"}");
            })
        })],
    },
    Fault {
        name: "part-size-of-nothing",
        sentence: "InitiateLayerUpload asks for parts of 0 bytes",
        rule: RuleId::new("InitiateLayerUpload/answer/partSize-range"),
        changes: &[RewriteReply(|request, _, reply| {
            edit_success(request, reply, Operation::InitiateLayerUpload, |body| body["partSize"] = json!(0));
        })],
    },
    Fault {
        name: "part-size-beyond-the-largest",
        sentence: "InitiateLayerUpload asks for parts of 100 MiB",
        rule: RuleId::new("InitiateLayerUpload/answer/partSize-range"),
        changes: &[RewriteReply(|request, _, reply| {
            edit_success(request, reply, Operation::InitiateLayerUpload, |body| body["partSize"] = json!(104_857_600));
        })],
    },
    Fault {
        name: "rejected-part-last-byte",
        sentence: "InvalidLayerPartException gives the number of bytes received as the last valid one",
        rule: RuleId::new("UploadLayerPart/answer/lastValidByteReceived"),
        changes: &[RewriteReply(|_, _, reply| {
            of_error(reply, "InvalidLayerPartException", |answer| {
                edit_answer(answer, |body| {
                    if let Some(last) = body["lastValidByteReceived"].as_i64().filter(|last| *last > 0) {
                        body["lastValidByteReceived"] = json!(last + 1);
                    }
                });
            })
        })],
    },
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

fn rename_members(answer: &mut Response, change: impl Fn(&str) -> String) {
    edit_answer(answer, |body| {
        if let Value::Object(members) = body {
            *members = std::mem::take(members).into_iter().map(|(name, value)| (change(&name), value)).collect();
        }
    });
}

fn page(answer: &mut Response, content_type: &str, text: &str) {
    answer.headers = vec![(String::from("content-type"), String::from(content_type))];
    answer.body = Bytes::from(String::from(text));
}

fn retag(reply: &mut Reply, content_type: Option<&str>) {
    let Ok(answer) = reply else { return };
    answer.headers.retain(|(name, _)| name != "content-type");
    answer.headers.extend(content_type.map(|value| (String::from("content-type"), String::from(value))));
}
