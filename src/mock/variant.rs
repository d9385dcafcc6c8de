//! Ways to answer that the documents leave open: one row each. None of them may give a finding, alone or with others
//! (`selftest`).

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::Change::{
    self, Delay, EditRejections, ErrorAs, Execute, InitialState, RewriteInput, RewriteReply, RewriteRequest,
    ShortCircuit,
};
use super::change::{Call, Memory, again, invalid_parameter, rejection};
use super::reply::{edit, of_error, retype};
use crate::contract::check::check;
use crate::contract::{Constraint, Operation, RuleId, RulePattern};
use crate::model::Rejection;
use crate::wire::{Reply, Response, TransportError, envelope};

/// One lawful way to answer that is not the reference registry's.
#[derive(Debug)]
pub struct Variant {
    /// Its name, for `ecrspec mock --variant NAME`.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub sentence: &'static str,
    /// Whether it keeps some cases from being judged: it throttles, or times out.
    pub withholds: bool,
    /// What the mock does otherwise.
    pub changes: &'static [Change],
}

impl Variant {
    /// The variant with this name.
    pub fn find(name: &str) -> Option<&'static Variant> {
        VARIANTS.iter().find(|variant| variant.name == name)
    }
}

/// All variants.
pub static VARIANTS: &[Variant] = &[
    // The form of answers.
    Variant {
        name: "type-with-namespace",
        sentence: "__type has a namespace before it",
        changes: &[RewriteReply(|_, _, reply| {
            retype(reply, |body, name| body["__type"] = json!(format!("com.amazonaws.ecr#{name}")))
        })],
        withholds: false,
    },
    Variant {
        name: "type-with-uri",
        sentence: "__type has a namespace before it and a URI after it",
        changes: &[RewriteReply(|_, _, reply| {
            retype(reply, |body, name| {
                let uri = "http://internal.amazon.com/coral/com.amazonaws.ecr/";
                body["__type"] = json!(format!("com.amazonaws.ecr#{name}:{uri}"));
            })
        })],
        withholds: false,
    },
    Variant {
        name: "type-in-header-too",
        sentence: "the error type is in x-amzn-errortype as well",
        changes: &[RewriteReply(|_, _, reply| {
            if let Ok(answer) = reply
                && let Some(name) = envelope::error(answer).name
            {
                answer.headers.push((String::from("x-amzn-errortype"), format!("{name}:http://internal.amazon.com/")));
            }
        })],
        withholds: false,
    },
    Variant {
        name: "type-in-code-too",
        sentence: "the error type is in code as well",
        changes: &[RewriteReply(|_, _, reply| {
            edit(reply, |body| {
                if let Some(name) = body.get("__type").cloned() {
                    body["code"] = name;
                }
            })
        })],
        withholds: false,
    },
    Variant {
        name: "message-with-capital",
        sentence: "the message of errors is in Message",
        changes: &[RewriteReply(|_, _, reply| {
            edit(reply, |body| {
                if let Some(message) = body.as_object_mut().and_then(|body| body.remove("message")) {
                    body["Message"] = message;
                }
            })
        })],
        withholds: false,
    },
    Variant {
        name: "other-messages",
        sentence: "messages have other texts",
        changes: &[RewriteReply(|_, _, reply| {
            edit(reply, |body| {
                if body.get("message").is_some() {
                    body["message"] = json!("Nein \u{1f6ab}\n\u{1b}[31m<b>");
                }
            })
        })],
        withholds: false,
    },
    Variant {
        name: "long-messages",
        sentence: "messages have ten thousand characters",
        changes: &[RewriteReply(|_, _, reply| {
            edit(reply, |body| {
                if body.get("message").is_some() {
                    body["message"] = json!("so it is. ".repeat(1000));
                }
            })
        })],
        withholds: false,
    },
    Variant {
        name: "further-members",
        sentence: "responses, and the objects in them, have members that the documents do not know",
        changes: &[RewriteReply(|_, _, reply| edit(reply, extend))],
        withholds: false,
    },
    Variant {
        name: "whole-numbers-as-floats",
        sentence: "the whole numbers of responses are written with .0",
        changes: &[RewriteReply(|_, _, reply| edit(reply, float))],
        withholds: false,
    },
    Variant {
        name: "members-in-reverse",
        sentence: "members are in another order",
        changes: &[RewriteReply(|_, _, reply| {
            if let Ok(answer) = reply
                && let Some(Value::Object(body)) = answer.json()
            {
                let members: Vec<String> =
                    body.iter().rev().map(|(name, value)| format!("{}:{value}", json!(name))).collect();
                answer.body = Bytes::from(format!("{{{}}}", members.join(",")));
            }
        })],
        withholds: false,
    },
    Variant {
        name: "pretty-printed",
        sentence: "responses are printed with line breaks",
        changes: &[RewriteReply(|_, _, reply| {
            if let Ok(answer) = reply
                && let Some(body) = answer.json()
            {
                answer.body = Bytes::from(format!("\n{body:#}\n"));
            }
        })],
        withholds: false,
    },
    Variant {
        name: "escaped",
        sentence: "responses are pure ASCII, with slashes escaped",
        changes: &[RewriteReply(|_, _, reply| {
            if let Ok(answer) = reply
                && let Some(body) = answer.json()
            {
                answer.body = Bytes::from(body.to_string().chars().map(escaped).collect::<String>());
            }
        })],
        withholds: false,
    },
    Variant {
        name: "charset",
        sentence: "the content type of responses names a charset",
        changes: &[RewriteReply(|_, _, reply| {
            header(reply, "content-type", "application/x-amz-json-1.1; charset=utf-8")
        })],
        withholds: false,
    },
    Variant {
        name: "content-type-in-capitals",
        sentence: "the content type of responses is written with capitals",
        changes: &[RewriteReply(|_, _, reply| header(reply, "content-type", "Application/X-Amz-JSON-1.1"))],
        withholds: false,
    },
    Variant {
        name: "chunked",
        sentence: "responses are chunked",
        changes: &[RewriteReply(|_, _, reply| header(reply, "transfer-encoding", "chunked"))],
        withholds: false,
    },
    Variant {
        name: "connection-closing",
        sentence: "each response ends its connection",
        changes: &[RewriteReply(|_, _, reply| header(reply, "connection", "close"))],
        withholds: false,
    },
    Variant {
        name: "no-request-id",
        sentence: "responses have no request id",
        changes: &[RewriteReply(|_, _, reply| {
            if let Ok(answer) = reply {
                answer.headers.retain(|(name, _)| name != "x-amzn-requestid");
            }
        })],
        withholds: false,
    },
    Variant {
        name: "many-headers",
        sentence: "responses have headers of a proxy",
        changes: &[RewriteReply(|_, _, reply| {
            for (name, value) in [
                ("via", "1.1 proxy"),
                ("server", "Server"),
                ("x-cache", "Miss"),
                ("vary", "*"),
                ("date", "Sat, 21 Nov 2026 00:00:00 GMT"),
            ] {
                header(reply, name, value);
            }
        })],
        withholds: false,
    },
    // What is whose.
    Variant {
        name: "another-account",
        sentence: "the registry belongs to another account",
        changes: &[InitialState(|registry| registry.account = String::from("987654321098"))],
        withholds: false,
    },
    Variant {
        name: "account-of-zeros",
        sentence: "the registry belongs to the account of all zeros",
        changes: &[InitialState(|registry| registry.account = String::from("000000000000"))],
        withholds: false,
    },
    Variant {
        name: "upload-ids-in-upper-case",
        sentence: "upload ids are in upper case, and compared case-insensitively",
        changes: &[
            RewriteInput(lower_id),
            RewriteReply(|request, _, reply| {
                edit(reply, |body| {
                    // What was sent is answered as it was sent.
                    let sent: Value = serde_json::from_slice(&request.body).unwrap_or_default();
                    if let Some(id) = body["uploadId"].as_str() {
                        body["uploadId"] = sent.get("uploadId").cloned().unwrap_or_else(|| json!(id.to_uppercase()));
                    }
                })
            }),
        ],
        withholds: false,
    },
    Variant {
        name: "upload-ids-without-case",
        sentence: "upload ids are compared case-insensitively",
        changes: &[RewriteInput(lower_id)],
        withholds: false,
    },
    Variant {
        name: "part-size-5-mib",
        sentence: "partSize is 5 MiB",
        changes: &[RewriteReply(|_, _, reply| part_size(reply, 5_242_880))],
        withholds: false,
    },
    Variant {
        name: "part-size-20-mib",
        sentence: "partSize is 20 MiB",
        changes: &[RewriteReply(|_, _, reply| part_size(reply, 20_971_520))],
        withholds: false,
    },
    Variant {
        name: "part-size-odd",
        sentence: "partSize is an odd number",
        changes: &[RewriteReply(|_, _, reply| part_size(reply, 7_654_321))],
        withholds: false,
    },
    Variant {
        name: "parts-above-10-mib-rejected",
        sentence: "parts above 10 MiB are rejected as a parameter",
        changes: &[
            EditRejections(|call, wrong| {
                if call.is(Operation::UploadLayerPart) && call.blob_size() > 10_485_760 && wrong.is_empty() {
                    wrong.push(invalid_parameter(RuleId::new("UploadLayerPart/layerPartBlob/above-10-MiB")));
                }
            }),
            // Whoever asks for larger ones cannot reject them.
            RewriteReply(|_, _, reply| {
                edit(reply, |body| {
                    if body["partSize"].as_u64().is_some_and(|size| size > 10_485_760) {
                        body["partSize"] = json!(10_485_760);
                    }
                });
            }),
        ],
        withholds: false,
    },
    Variant {
        name: "empty-parts-taken",
        sentence: "an empty part is accepted, and changes nothing",
        changes: &[
            EditRejections(|call, wrong| {
                if call.is(Operation::UploadLayerPart)
                    && call.blob_size() == 0
                    && wrong.iter().any(|rejection| rejection.rule.is("layerPartBlob/empty"))
                {
                    wrong.clear();
                }
            }),
            Execute(|call| (call.is(Operation::UploadLayerPart) && call.blob_size() == 0).then(|| call.part_taken())),
        ],
        withholds: false,
    },
    Variant {
        name: "unpadded-base64-taken",
        sentence: "base64 may lack its padding",
        changes: &[RewriteInput(|call| {
            let text = String::from(call.text("layerPartBlob"));
            if call.is(Operation::UploadLayerPart) && !text.contains('=') && !text.len().is_multiple_of(4) {
                let padded = format!("{text}{}", "=".repeat(4 - text.len() % 4));
                call.input.insert(String::from("layerPartBlob"), json!(padded));
            }
        })],
        withholds: false,
    },
    Variant {
        name: "older-names-only",
        sentence: "repository names follow the older edition of the documents",
        changes: &[EditRejections(|call, wrong| {
            let name = call.text("repositoryName");
            if (name.contains("__") || name.contains("--")) && wrong.is_empty() {
                wrong.push(invalid_parameter(RuleId::of(call.operation.name, "repositoryName/editions")));
            }
        })],
        withholds: false,
    },
    Variant {
        name: "names-begin-with-a-letter",
        sentence: "repository names that begin with a digit are rejected",
        changes: &[EditRejections(|call, wrong| {
            let digit = call.text("repositoryName").starts_with(|letter: char| letter.is_ascii_digit());
            if digit && call.operation.name == Operation::CreateRepository && wrong.is_empty() {
                wrong.push(invalid_parameter(RuleId::new("InitiateLayerUpload/repositoryName/leading-digit")));
            }
        })],
        withholds: false,
    },
    // Digests.
    Variant {
        name: "upper-case-digest-differs",
        sentence: "a digest in upper case does not match",
        changes: &[EditRejections(|call, wrong| case_counts(call, wrong, "InvalidLayerException"))],
        withholds: false,
    },
    Variant {
        name: "upper-case-digest-rejected",
        sentence: "a digest in upper case is rejected as a parameter",
        changes: &[EditRejections(|call, wrong| case_counts(call, wrong, "InvalidParameterException"))],
        withholds: false,
    },
    Variant {
        name: "sha256-length-as-parameter",
        sentence: "a sha256 digest of the wrong length is rejected as a parameter",
        changes: &[EditRejections(|call, wrong| {
            let odd = |digest: &&str| digest.strip_prefix("sha256:").is_some_and(|hex| hex.len() != 64);
            if call.is(Operation::CompleteLayerUpload)
                && call.digests().iter().any(odd)
                && wrong.iter().any(|rejection| rejection.rule.is("layerDigests/match"))
            {
                *wrong = vec![invalid_parameter(RuleId::new("CompleteLayerUpload/layerDigests/sha256-length"))];
            }
        })],
        withholds: false,
    },
    Variant {
        name: "mixed-algorithms-rejected",
        sentence: "digests of two algorithms are rejected, even with the right one among them",
        changes: &[EditRejections(|call, wrong| {
            let digests = call.digests();
            let compared = digests.iter().filter(|digest| digest.starts_with("sha256:")).count();
            if call.is(Operation::CompleteLayerUpload) && (1..digests.len()).contains(&compared) && wrong.is_empty() {
                wrong.push(rejection(
                    "InvalidLayerException",
                    RuleId::new("CompleteLayerUpload/layerDigests/mixed-algorithms"),
                ));
            }
        })],
        withholds: false,
    },
    Variant {
        name: "other-algorithms-suffice",
        sentence: "a digest of another algorithm counts as a match",
        changes: &[RewriteInput(other_algorithms)],
        withholds: false,
    },
    // What ends an upload.
    Variant {
        name: "upload-ends-when-rejected",
        sentence: "a rejected CompleteLayerUpload ends the upload",
        changes: &[EditRejections(|call, wrong| {
            let of_state = wrong.iter().all(|rejection| {
                !check(call.operation, &call.input).iter().any(|breach| breach.rule == rejection.rule)
            });
            if call.is(Operation::CompleteLayerUpload) && !wrong.is_empty() && of_state {
                let (repository, id) = call.key();
                call.registry.forget(&repository, &id);
            }
        })],
        withholds: false,
    },
    Variant {
        name: "repeated-completion-finds-layer",
        sentence: "a repeated CompleteLayerUpload finds the layer",
        changes: &[EditRejections(|call, wrong| {
            // Digests are compared before the layer is looked up.
            let Some((layer, _)) = call.memory.completed.get(&call.key()) else { return };
            let matches = |digest: &&str| digest.eq_ignore_ascii_case(layer) || !digest.starts_with("sha256:");
            if call.digests().iter().any(matches) {
                again(call, wrong, "LayerAlreadyExistsException");
            }
        })],
        withholds: false,
    },
    Variant {
        name: "same-layer-ends-uploads",
        sentence: "a completed layer ends the other uploads of the same bytes",
        changes: &[Execute(|call| {
            let digest = call.computed().filter(|_| call.is(Operation::CompleteLayerUpload))?;
            let members = call.perform();
            let (repository, _) = call.key();
            call.registry
                .repositories
                .get_mut(&repository)?
                .uploads
                .retain(|_, upload| upload.parts.is_empty() || upload.digest() != digest);
            Some(members)
        })],
        withholds: false,
    },
    Variant {
        name: "completed-upload-takes-parts",
        sentence: "a completed upload accepts parts, and forgets them",
        changes: &[
            EditRejections(|call, wrong| {
                if call.is(Operation::UploadLayerPart) && call.memory.completed.contains_key(&call.key()) {
                    wrong.retain(|rejection| rejection.rule != RuleId::new("UploadLayerPart/uploadId/exists"));
                }
            }),
            Execute(|call| {
                (call.is(Operation::UploadLayerPart)
                    && call.memory.completed.contains_key(&call.key())
                    && call.upload().is_none())
                .then(|| call.part_taken())
            }),
        ],
        withholds: false,
    },
    Variant {
        name: "uploads-survive-deletion",
        sentence: "a repository that is made again has the uploads of the deleted one",
        changes: &[Execute(|call| {
            let (name, _) = call.key();
            let uploads = call
                .memory
                .removed
                .get(&name)
                .filter(|_| call.operation.name == Operation::CreateRepository)?
                .uploads
                .clone();
            let members = call.perform();
            call.registry.repositories.get_mut(&name)?.uploads = uploads;
            Some(members)
        })],
        withholds: false,
    },
    // Which of two errors.
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
    // What can be seen of layers.
    Variant {
        name: "absent-layers-as-failures",
        sentence: "absent layers are failures with MissingLayerDigest",
        changes: &[RewriteReply(|_, _, reply| {
            let absent = |layer: &Value| layer["layerAvailability"] == "UNAVAILABLE";
            move_items(reply, "layers", "failures", absent, |layer| {
                let (code, reason) = ("MissingLayerDigest", "absent");
                json!({ "layerDigest": layer["layerDigest"], "failureCode": code, "failureReason": reason })
            });
        })],
        withholds: false,
    },
    Variant {
        name: "malformed-lookups-rejected",
        sentence: "BatchCheckLayerAvailability rejects malformed digests",
        changes: &[EditRejections(|call, wrong| {
            let malformed = |digest: &&str| !digest.contains(':') || digest.ends_with(':');
            if call.is(Operation::BatchCheckLayerAvailability)
                && call.digests().iter().any(malformed)
                && wrong.is_empty()
            {
                wrong.push(invalid_parameter(RuleId::new("BatchCheckLayerAvailability/layerDigests/malformed")));
            }
        })],
        withholds: false,
    },
    Variant {
        name: "malformed-lookups-unavailable",
        sentence: "BatchCheckLayerAvailability calls malformed digests unavailable, like absent ones",
        changes: &[RewriteReply(|_, _, reply| {
            let malformed = |failure: &Value| failure["failureCode"] == "InvalidLayerDigest";
            move_items(
                reply,
                "failures",
                "layers",
                malformed,
                |failure| json!({ "layerDigest": failure["layerDigest"], "layerAvailability": "UNAVAILABLE" }),
            );
        })],
        withholds: false,
    },
    Variant {
        name: "layers-of-no-image-handed-out",
        sentence: "GetDownloadUrlForLayer gives URLs for layers of no image",
        changes: &[
            Change::SkipRule(RulePattern::new("GetDownloadUrlForLayer/layer/unreferenced")),
            Execute(|call| {
                call.is(Operation::GetDownloadUrlForLayer).then(
                    || json!({ "downloadUrl": "https://example.com/layer", "layerDigest": call.text("layerDigest") }),
                )
            }),
        ],
        withholds: false,
    },
    Variant {
        name: "aliases-unknown",
        sentence: "an unknown registry alias is rejected as a parameter",
        changes: &[EditRejections(|_, wrong| {
            for rejection in wrong.iter_mut().filter(|rejection| rejection.rule.is("registryId/unknown")) {
                *rejection = invalid_parameter(rejection.rule);
            }
        })],
        withholds: false,
    },
    // What RFC 8259 leaves to parsers, and the documents to servers.
    Variant {
        name: "fractions-cut",
        sentence: "numbers lose their fractions, and saturate",
        changes: &[RewriteInput(|call| {
            for member in ["partFirstByte", "partLastByte"] {
                let number = call.input.get(member).filter(|value| value.as_i64().is_none()).and_then(Value::as_f64);
                if let Some(number) = number {
                    call.input.insert(String::from(member), json!(number as i64));
                }
            }
        })],
        withholds: false,
    },
    Variant {
        name: "exponents-rejected",
        sentence: "numbers with an exponent or a point cannot be read",
        changes: &[RewriteRequest(|request| {
            let positions = request.operation() == Some(Operation::UploadLayerPart) && request.body.len() < 4096;
            if positions && exponent(&request.body) {
                request.body = Bytes::from_static(b"1e");
            }
        })],
        withholds: false,
    },
    Variant {
        name: "byte-order-mark-skipped",
        sentence: "a byte order mark is skipped",
        changes: &[RewriteRequest(|request| {
            if request.body.starts_with(b"\xef\xbb\xbf") {
                request.body = request.body.slice(3..);
            }
        })],
        withholds: false,
    },
    Variant {
        name: "trailing-garbage-skipped",
        sentence: "what comes after the body is skipped",
        changes: &[RewriteRequest(|request| {
            let mut values = serde_json::Deserializer::from_slice(&request.body).into_iter::<Value>();
            if let Some(Ok(Value::Object(_))) = values.next() {
                let end = values.byte_offset();
                request.body = request.body.slice(..end);
            }
        })],
        withholds: false,
    },
    Variant {
        name: "nesting-read",
        sentence: "nesting is read to any depth, and what it is in is ignored",
        changes: &[RewriteRequest(|request| {
            if request.body.windows(500).any(|window| window.iter().all(|byte| *byte == b'['))
                && request.body.ends_with(b"}")
            {
                let text = String::from_utf8_lossy(&request.body).into_owned();
                let (start, end) = (text.find("[[").unwrap_or_default(), text.rfind("]]").map_or(0, |end| end + 2));
                if end > start {
                    request.body = Bytes::from(format!("{}null{}", &text[..start], &text[end..]));
                }
            }
        })],
        withholds: false,
    },
    Variant {
        name: "repeated-keys-rejected",
        sentence: "a body with the repository name twice cannot be read",
        changes: &[RewriteRequest(|request| {
            let key = b"\"repositoryName\":";
            let keys = request.body.windows(key.len()).filter(|window| window == key);
            if request.body.len() < 4096 && keys.count() > 1 {
                request.body = Bytes::from_static(b"{");
            }
        })],
        withholds: false,
    },
    Variant {
        name: "any-content-type",
        sentence: "the content type of requests is not checked",
        changes: &[RewriteRequest(|request| {
            if request.method == "POST" {
                request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
                request.headers.push((String::from("content-type"), String::from(crate::wire::CONTENT_TYPE)));
            }
        })],
        withholds: false,
    },
    Variant {
        name: "other-methods-as-405",
        sentence: "other methods than POST get 405 and a page of HTML",
        changes: &[RewriteReply(|request, _, reply| {
            if request.method != "POST" {
                *reply = Ok(Response {
                    status: 405,
                    headers: vec![(String::from("content-type"), String::from("text/html"))],
                    body: Bytes::from_static(b"<h1>405</h1>"),
                });
            }
        })],
        withholds: false,
    },
    // Time.
    Variant {
        name: "slow-now-and-then",
        sentence: "some responses take 30 ms",
        changes: &[Delay(|request| match request.body.len() % 97 {
            0 => Duration::from_millis(30),
            _ => Duration::ZERO,
        })],
        withholds: false,
    },
    Variant {
        name: "throttling-now-and-then",
        sentence: "one request in 251 is throttled",
        changes: &[ShortCircuit(|_, memory| throttled(memory, 251, 400))],
        withholds: true,
    },
    Variant {
        name: "throttling-as-429",
        sentence: "one request in 379 gets 429 and a page of HTML",
        changes: &[ShortCircuit(|_, memory| throttled(memory, 379, 429))],
        withholds: true,
    },
    Variant {
        name: "throttling-as-503",
        sentence: "one request in 379 gets 503 and Retry-After",
        changes: &[ShortCircuit(|_, memory| throttled(memory, 379, 503))],
        withholds: true,
    },
    Variant {
        name: "silent-now-and-then",
        sentence: "one of 61 accepted CompleteLayerUpload calls gets no response",
        changes: &[RewriteReply(|request, memory, reply| {
            let accepted = reply.as_ref().is_ok_and(|answer| answer.status == 200);
            if request.operation() == Some(Operation::CompleteLayerUpload)
                && accepted
                && memory.completed.len() % 61 == 60
            {
                *reply = Err(TransportError::Silent);
            }
        })],
        withholds: true,
    },
    Variant {
        name: "throttling",
        sentence: "every CompleteLayerUpload with two or more digests is throttled",
        changes: &[ShortCircuit(|request, _| {
            let sent: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            let many = request.operation() == Some(Operation::CompleteLayerUpload)
                && sent.pointer("/layerDigests/1").is_some();
            many.then(|| Ok(slow_down()))
        })],
        withholds: true,
    },
    Variant {
        name: "throttling-all",
        sentence: "every UploadLayerPart is throttled",
        changes: &[ShortCircuit(|request, _| {
            (request.operation() == Some(Operation::UploadLayerPart)).then(|| Ok(slow_down()))
        })],
        withholds: true,
    },
];

fn header(reply: &mut Reply, name: &str, value: &str) {
    if let Ok(answer) = reply {
        answer.headers.retain(|(known, _)| known != name);
        answer.headers.push((String::from(name), String::from(value)));
    }
}

fn part_size(reply: &mut Reply, size: u64) {
    edit(reply, |body| {
        if body.get("partSize").is_some() {
            body["partSize"] = json!(size);
        }
    });
}

fn slow_down() -> Response {
    envelope::response(400, &json!({ "__type": "ThrottlingException", "message": "Rate exceeded" }))
}

fn throttled(memory: &Memory, every: u64, status: u16) -> Option<Reply> {
    if !memory.requests.is_multiple_of(every) {
        return None;
    }
    let mut answer = slow_down();
    if status != 400 {
        answer.status = status;
        answer.headers = vec![
            (String::from("retry-after"), String::from("1")),
            (String::from("content-type"), String::from("text/html")),
        ];
        answer.body = Bytes::from_static(b"<h1>slow down</h1>");
    }
    Some(Ok(answer))
}

fn lower_id(call: &mut Call) {
    if let Some(Value::String(id)) = call.input.get_mut("uploadId") {
        *id = id.to_lowercase();
    }
}

/// Leaves the digests of other algorithms of a CompleteLayerUpload that is well-formed, if there are any.
fn other_algorithms(call: &mut Call) {
    let other = |digest: &Value| digest.as_str().is_some_and(|digest| !digest.starts_with("sha256:"));
    let well_formed = check(call.operation, &call.input).is_empty();
    if call.is(Operation::CompleteLayerUpload)
        && well_formed
        && let Some(Value::Array(digests)) = call.input.get_mut("layerDigests")
        && digests.iter().any(other)
    {
        digests.retain(other);
    }
}

/// A digest that matches but for its case does not match.
fn case_counts(call: &mut Call, wrong: &mut Vec<Rejection>, error: &str) {
    let Some(right) = call.computed() else { return };
    let digests = call.digests();
    let folded = digests.iter().any(|digest| digest.eq_ignore_ascii_case(&right) && *digest != right);
    if call.is(Operation::CompleteLayerUpload) && wrong.is_empty() && folded && !digests.contains(&right.as_str()) {
        wrong.push(rejection(error, RuleId::new("CompleteLayerUpload/layerDigests/upper-case")));
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

/// Gives each object of a body members that the documents do not know.
fn extend(body: &mut Value) {
    match body {
        Value::Object(members) => {
            members.values_mut().for_each(extend);
            members.insert(String::from("furtherMember"), json!({ "a": [1] }));
            members.insert(String::from("another"), Value::Null);
        }
        Value::Array(items) => items.iter_mut().for_each(extend),
        _ => {}
    }
}

/// Writes the whole numbers of a body with `.0`.
fn float(body: &mut Value) {
    match body {
        Value::Object(members) => members.values_mut().for_each(float),
        Value::Array(items) => items.iter_mut().for_each(float),
        Value::Number(number) => *body = json!(number.as_f64()),
        _ => {}
    }
}

/// Moves some items from one list of an answer to another, as what they are there.
fn move_items(reply: &mut Reply, from: &str, to: &str, is_moved: fn(&Value) -> bool, made: fn(&Value) -> Value) {
    edit(reply, |body| {
        let Some(items) = body.get(from).and_then(Value::as_array).cloned() else { return };
        let (moved, kept): (Vec<Value>, Vec<Value>) = items.into_iter().partition(is_moved);
        body[from] = json!(kept);
        if let Some(known) = body[to].as_array_mut() {
            known.extend(moved.iter().map(made));
        }
    });
}

/// A character of JSON as ASCII. Slashes and what is beyond ASCII stand in its texts alone.
fn escaped(letter: char) -> String {
    match letter {
        '/' => String::from(r"\/"),
        letter if letter.is_ascii() => String::from(letter),
        letter => letter.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
    }
}

/// Whether a position is written with an exponent or a point.
fn exponent(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body).into_owned();
    ["partFirstByte", "partLastByte"].into_iter().any(|member| {
        let Some((_, rest)) = text.split_once(&format!("\"{member}\":")) else { return false };
        let number: String = rest.trim_start().chars().take_while(|letter| !matches!(letter, ',' | '}')).collect();
        number.starts_with(|letter: char| letter.is_ascii_digit()) && number.contains(['e', 'E', '.'])
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn variants_have_names_and_sentences_of_their_own() {
        let names: BTreeSet<&str> = VARIANTS.iter().map(|variant| variant.name).collect();
        assert_eq!(names.len(), VARIANTS.len());
        assert!(VARIANTS.iter().all(|variant| !variant.changes.is_empty() && !variant.sentence.ends_with('.')));
    }
}
