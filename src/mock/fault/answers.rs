//! Answers that are wrong as JSON or as HTTP, and answers that belong to another request.

use bytes::Bytes;
use serde_json::{Value, json};

use super::super::Change::RewriteReply;
use super::super::reply::{edit_answer, edit_success, gzip, of_error, of_errors, of_operation, of_success};
use super::Fault;
use crate::contract::{Operation, RuleId};
use crate::wire::{Reply, Response};

const OBJECT: RuleId = RuleId::new("answer/json-object");
const CODING: RuleId = RuleId::new("answer/content-coding");
const UNIQUE: RuleId = RuleId::new("answer/unique-members");
const VISIBLE: RuleId = RuleId::new("answer/type-visible");

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "bom-before-answers",
        sentence: "responses begin with a byte order mark",
        rule: OBJECT,
        changes: &[RewriteReply(|_, _, reply| rewrite(reply, |body| [b"\xef\xbb\xbf", body].concat()))],
    },
    Fault {
        name: "prefix-against-hijacking",
        sentence: "responses begin with )]}'",
        rule: OBJECT,
        changes: &[RewriteReply(|_, _, reply| rewrite(reply, |body| [b")]}',\n", body].concat()))],
    },
    Fault {
        name: "answers-as-a-call",
        sentence: "responses are calls of a function, as for scripts of another origin",
        rule: OBJECT,
        changes: &[RewriteReply(|_, _, reply| rewrite(reply, |body| [b"callback(", body, b");"].concat()))],
    },
    Fault {
        name: "two-answers-in-one",
        sentence: "CompleteLayerUpload returns two objects",
        rule: OBJECT,
        changes: &[RewriteReply(|request, _, reply| {
            of_operation(request, reply, Operation::CompleteLayerUpload, |answer| {
                answer.body = Bytes::from([&answer.body[..], b"{\"status\":\"ok\"}"].concat());
            });
        })],
    },
    Fault {
        name: "answers-end-with-nul",
        sentence: "responses end with a NUL",
        rule: OBJECT,
        changes: &[RewriteReply(|_, _, reply| rewrite(reply, |body| [body, b"\0"].concat()))],
    },
    Fault {
        name: "answers-as-text-in-json",
        sentence: "responses are JSON within a JSON string",
        rule: OBJECT,
        changes: &[RewriteReply(|_, _, reply| {
            rewrite(reply, |body| json!(String::from_utf8_lossy(body)).to_string().into_bytes())
        })],
    },
    Fault {
        name: "last-brace-missing",
        sentence: "responses lack their last brace",
        rule: OBJECT,
        changes: &[RewriteReply(|_, _, reply| {
            rewrite(reply, |body| body[..body.len().saturating_sub(1)].to_vec());
        })],
    },
    Fault {
        name: "answers-in-utf-16",
        sentence: "responses are UTF-16",
        rule: OBJECT,
        changes: &[RewriteReply(|_, _, reply| {
            rewrite(reply, |body| {
                let text = format!("\u{feff}{}", String::from_utf8_lossy(body));
                text.encode_utf16().flat_map(u16::to_le_bytes).collect()
            });
        })],
    },
    Fault {
        name: "messages-in-latin-1",
        sentence: "messages of errors are Latin-1",
        rule: OBJECT,
        changes: &[RewriteReply(|_, _, reply| {
            of_errors(reply, |answer| {
                if let Some(end) = answer.body.windows(2).rposition(|pair| pair == b"\"}") {
                    answer.body = Bytes::from([&answer.body[..end], b"\xe9\"}"].concat());
                }
            });
        })],
    },
    Fault {
        name: "gzip-unasked-and-unsaid",
        sentence: "responses are gzip, and have no Content-Encoding",
        rule: OBJECT,
        changes: &[RewriteReply(|_, _, reply| rewrite(reply, gzip))],
    },
    Fault {
        name: "gzip-not-acceptable",
        sentence: "responses are gzip, whatever the request accepts",
        rule: CODING,
        changes: &[RewriteReply(|_, _, reply| {
            rewrite(reply, gzip);
            coded(reply);
        })],
    },
    Fault {
        name: "gzip-said-and-not-done",
        sentence: "errors have Content-Encoding: gzip, and are not",
        rule: CODING,
        changes: &[RewriteReply(|_, _, reply| {
            if reply.as_ref().is_ok_and(|answer| answer.status >= 400) {
                coded(reply);
            }
        })],
    },
    Fault {
        name: "upload-id-twice",
        sentence: "InitiateLayerUpload returns two uploadIds",
        rule: UNIQUE,
        changes: &[RewriteReply(|request, _, reply| {
            of_operation(request, reply, Operation::InitiateLayerUpload, |answer| {
                twice(answer, "\"uploadId\":\"00000000-0000-4000-8000-00000000000d\"");
            });
        })],
    },
    Fault {
        name: "type-twice",
        sentence: "errors have two members __type",
        rule: UNIQUE,
        changes: &[RewriteReply(|_, _, reply| {
            of_errors(reply, |answer| twice(answer, "\"__type\":\"ServerException\""))
        })],
    },
    Fault {
        name: "type-of-header-is-another",
        sentence: "x-amzn-errortype is InternalFailure, whatever __type is",
        rule: VISIBLE,
        changes: &[RewriteReply(|_, _, reply| {
            of_errors(reply, |answer| {
                answer.headers.push((String::from("x-amzn-errortype"), String::from("InternalFailure")));
            });
        })],
    },
    Fault {
        name: "parts-answered-from-a-cache",
        sentence: "UploadLayerPart answers what it answered before in the same repository",
        rule: RuleId::new("UploadLayerPart/answer/uploadId"),
        changes: &[RewriteReply(|request, memory, reply| {
            let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            let name = String::from(body["repositoryName"].as_str().unwrap_or_default());
            of_operation(request, reply, Operation::UploadLayerPart, |answer| {
                let known = memory.said.entry(name).or_insert_with(|| answer.clone());
                *answer = known.clone();
            });
        })],
    },
    Fault {
        name: "answer-of-another-operation",
        sentence: "CompleteLayerUpload answers what UploadLayerPart does",
        rule: RuleId::new("CompleteLayerUpload/answer/layerDigest"),
        changes: &[RewriteReply(|request, _, reply| {
            edit_success(request, reply, Operation::CompleteLayerUpload, |body| {
                if let Some(members) = body.as_object_mut() {
                    members.remove("layerDigest");
                    members.insert(String::from("lastByteReceived"), json!(31));
                }
            });
        })],
    },
    Fault {
        name: "account-of-a-neighbour",
        sentence: "CompleteLayerUpload returns the registryId of another account",
        rule: RuleId::new("CompleteLayerUpload/answer/registryId"),
        changes: &[RewriteReply(|request, _, reply| {
            edit_success(request, reply, Operation::CompleteLayerUpload, |body| {
                body["registryId"] = json!("999999999999")
            });
        })],
    },
    Fault {
        name: "rejection-of-a-neighbour",
        sentence: "InvalidLayerPartException names the upload of the first one",
        rule: RuleId::new("UploadLayerPart/answer/InvalidLayerPartException"),
        changes: &[RewriteReply(|_, memory, reply| {
            of_error(reply, "InvalidLayerPartException", |answer| {
                let known =
                    memory.said.entry(String::new()).or_insert_with(|| answer.clone()).json().unwrap_or_default();
                edit_answer(answer, |body| body["uploadId"] = known["uploadId"].clone());
            });
        })],
    },
    Fault {
        name: "layers-of-a-neighbour",
        sentence: "BatchCheckLayerAvailability answers of a layer what it said of the first layer that was there",
        rule: RuleId::new("BatchCheckLayerAvailability/layers/stored"),
        changes: &[RewriteReply(|request, memory, reply| {
            if request.operation() == Some(Operation::BatchCheckLayerAvailability) {
                of_success(reply, |answer| {
                    if String::from_utf8_lossy(&answer.body).contains("\"AVAILABLE\"") {
                        let known = memory.said.entry(String::from("layers")).or_insert_with(|| answer.clone());
                        *answer = known.clone();
                    }
                });
            }
        })],
    },
    Fault {
        name: "comment-after-answers",
        sentence: "responses end with a comment of HTML",
        rule: OBJECT,
        changes: &[RewriteReply(|_, _, reply| rewrite(reply, |body| [body, b"\n<!-- 3 ms -->"].concat()))],
    },
    Fault {
        name: "log-before-errors",
        sentence: "a line of a log comes before errors",
        rule: OBJECT,
        changes: &[RewriteReply(|_, _, reply| {
            of_errors(reply, |answer| {
                answer.body = Bytes::from([b"WARN: {request rejected}\n", &answer.body[..]].concat());
            });
        })],
    },
    Fault {
        name: "zlib-unsaid",
        sentence: "BatchCheckLayerAvailability returns zlib, and no Content-Encoding",
        rule: OBJECT,
        changes: &[RewriteReply(|request, _, reply| {
            of_operation(request, reply, Operation::BatchCheckLayerAvailability, |answer| {
                answer.body = Bytes::from(miniz_oxide::deflate::compress_to_vec_zlib(&answer.body, 6));
            });
        })],
    },
    Fault {
        name: "layers-twice",
        sentence: "BatchCheckLayerAvailability returns two lists of layers",
        rule: UNIQUE,
        changes: &[RewriteReply(|request, _, reply| {
            of_operation(request, reply, Operation::BatchCheckLayerAvailability, |answer| {
                twice(answer, "\"layers\":[]")
            });
        })],
    },
    Fault {
        name: "utf-16-without-a-mark",
        sentence: "responses are UTF-16, and do not say so",
        rule: OBJECT,
        changes: &[RewriteReply(|_, _, reply| {
            rewrite(reply, |body| String::from_utf8_lossy(body).encode_utf16().flat_map(u16::to_le_bytes).collect());
        })],
    },
    Fault {
        name: "completion-of-a-neighbour",
        sentence: "CompleteLayerUpload returns the digest of the completion before it",
        rule: RuleId::new("CompleteLayerUpload/answer/layerDigest"),
        changes: &[RewriteReply(|request, memory, reply| {
            of_operation(request, reply, Operation::CompleteLayerUpload, |answer| {
                let before = memory.said.insert(String::from("completed"), answer.clone());
                let digest = before.and_then(|before| before.json()).map(|before| before["layerDigest"].clone());
                edit_answer(answer, |body| {
                    if let Some(digest) = digest {
                        body["layerDigest"] = digest;
                    }
                });
            });
        })],
    },
    Fault {
        name: "coding-said-of-successes",
        sentence: "successes have Content-Encoding: br, and are not",
        rule: CODING,
        changes: &[RewriteReply(|_, _, reply| {
            of_success(reply, |answer| answer.headers.push((String::from("content-encoding"), String::from("br"))));
        })],
    },
    Fault {
        name: "code-is-another",
        sentence: "code is 400, whatever __type is",
        rule: VISIBLE,
        changes: &[RewriteReply(|_, _, reply| {
            of_errors(reply, |answer| edit_answer(answer, |body| body["code"] = json!("400")))
        })],
    },
];

/// Changes the body of every answer that has one.
fn rewrite(reply: &mut Reply, change: impl FnOnce(&[u8]) -> Vec<u8>) {
    if let Ok(answer) = reply
        && !answer.body.is_empty()
    {
        answer.body = Bytes::from(change(&answer.body));
    }
}

fn coded(reply: &mut Reply) {
    if let Ok(answer) = reply {
        answer.headers.push((String::from("content-encoding"), String::from("gzip")));
    }
}

/// Puts a member before those of an object.
fn twice(answer: &mut Response, member: &str) {
    if let Some(rest) = answer.body.strip_prefix(b"{") {
        answer.body = Bytes::from([b"{", member.as_bytes(), b",", rest].concat());
    }
}
