//! Servers that take the same request in another spelling for another one.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::super::Change::{EditRejections, Execute, RewriteInput, RewriteReply, RewriteRequest};
use super::Fault;
use crate::contract::{Operation, RuleId};
use crate::wire::{Reply, Request, Response, envelope};

const ESCAPES: RuleId = RuleId::new("wire/body/escapes");
const WHITE_SPACE: RuleId = RuleId::new("wire/body/white-space");
const ORDER: RuleId = RuleId::new("wire/body/order");
const MEMBERS: RuleId = RuleId::new("wire/body/unknown-members");
const HEADERS: RuleId = RuleId::new("wire/header/unknown");

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "escapes-not-decoded",
        sentence: "texts are taken as they stand in the body, with their escapes",
        rule: ESCAPES,
        changes: &[RewriteRequest(|request| retext(request, |text| text.replace("\\u", "\\\\u")))],
    },
    Fault {
        name: "escapes-in-capitals-misread",
        sentence: "an escape with capitals among its digits becomes a question mark",
        rule: ESCAPES,
        changes: &[RewriteRequest(|request| {
            retext(request, |text| {
                let mut pieces = text.split("\\u");
                let first = String::from(pieces.next().unwrap_or_default());
                pieces.fold(first, |done, piece| match piece.get(..4) {
                    Some(digits) if digits.bytes().any(|digit| digit.is_ascii_uppercase()) => {
                        format!("{done}?{}", &piece[4..])
                    }
                    _ => format!("{done}\\u{piece}"),
                })
            })
        })],
    },
    Fault {
        name: "slash-keeps-its-backslash",
        sentence: "an escaped slash keeps its backslash",
        rule: ESCAPES,
        changes: &[RewriteRequest(|request| retext(request, |text| text.replace("\\/", "\\\\/")))],
    },
    Fault {
        name: "names-compared-as-written",
        sentence: "the name of a member that is written with escapes is not known",
        rule: ESCAPES,
        changes: &[RewriteRequest(|request| {
            retext(request, |text| text.replace("\"\\u0072", "\"r").replace("\"\\u0075", "\"u_"))
        })],
    },
    Fault {
        name: "upload-id-compared-as-written",
        sentence: "UploadLayerPart does not find an upload whose id has an escape",
        rule: ESCAPES,
        changes: &[RewriteRequest(|request| {
            if request.operation() == Some(Operation::UploadLayerPart) && raw(request, "uploadId").contains('\\') {
                reread(request, |members| {
                    members.insert(String::from("uploadId"), json!("00000000-0000-4000-8000-00000000000e"));
                });
            }
        })],
    },
    Fault {
        name: "digest-not-compared-with-escapes",
        sentence: "CompleteLayerUpload does not compare digests that have an escape",
        rule: ESCAPES,
        changes: &[RewriteRequest(|request| {
            if request.operation() == Some(Operation::CompleteLayerUpload)
                && raw(request, "layerDigests").contains('\\')
            {
                // Digests of no algorithm that is known are not compared.
                reread(request, |members| {
                    members.insert(String::from("layerDigests"), json!(["sha512:00"]));
                });
            }
        })],
    },
    Fault {
        name: "line-ends-of-windows",
        sentence: "a body with CR in it cannot be read",
        rule: WHITE_SPACE,
        changes: &[RewriteReply(|request, _, reply| unreadable(reply, request.body.contains(&b'\r')))],
    },
    Fault {
        name: "members-by-search",
        sentence: "members are found by searching the body for their names, without spaces",
        rule: WHITE_SPACE,
        changes: &[RewriteRequest(|request| {
            if request.body.windows(3).any(|letters| letters == b"\" :" || letters == b"\"\t:") {
                request.body = Bytes::from_static(b"{}");
            }
        })],
    },
    Fault {
        name: "brace-must-be-last",
        sentence: "a body that does not end with a brace cannot be read",
        rule: WHITE_SPACE,
        changes: &[RewriteReply(|request, _, reply| {
            unreadable(reply, is_object(request) && !request.body.ends_with(b"}"));
        })],
    },
    Fault {
        name: "members-in-their-order",
        sentence: "members are read in the order of the model, and others skipped",
        rule: ORDER,
        changes: &[RewriteRequest(|request| {
            let Some(operation) = request.operation() else { return };
            let contract = crate::contract::Service::Ecr.contract();
            let known: Vec<&str> = contract
                .operation(operation)
                .map_or(&[][..], |known| known.input)
                .iter()
                .map(|member| member.name)
                .collect();
            let text = String::from_utf8_lossy(&request.body).into_owned();
            let place = |name: &&&str| text.find(&format!("\"{name}\""));
            let places: Vec<usize> = known.iter().filter_map(|name| place(&name)).collect();
            if !places.is_sorted() {
                reread(request, |members| {
                    members.remove("repositoryName");
                });
            }
        })],
    },
    Fault {
        name: "names-without-case",
        sentence: "the names of members are compared without regard to case, as Go does it",
        rule: MEMBERS,
        changes: &[RewriteInput(|call| {
            let others: Vec<(String, Value)> =
                call.input.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
            for member in call.operation.input {
                for (name, value) in &others {
                    if name.eq_ignore_ascii_case(member.name) && name != member.name {
                        call.input.insert(String::from(member.name), value.clone());
                    }
                }
            }
        })],
    },
    Fault {
        name: "members-flattened",
        sentence: "members of an object within the request count as its own",
        rule: MEMBERS,
        changes: &[RewriteInput(|call| {
            let inner: Vec<(String, Value)> = call
                .input
                .values()
                .filter_map(Value::as_object)
                .flatten()
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
            call.input.extend(inner);
        })],
    },
    Fault {
        name: "first-4096-bytes",
        sentence: "of a body, but for parts, 4096 bytes are read",
        rule: MEMBERS,
        changes: &[RewriteRequest(|request| {
            if request.operation() != Some(Operation::UploadLayerPart) {
                request.body.truncate(4096);
            }
        })],
    },
    Fault {
        name: "surrogates-rejected",
        sentence: "a body with a character as two escapes cannot be read",
        rule: MEMBERS,
        changes: &[RewriteReply(|request, _, reply| {
            unreadable(reply, request.body.windows(4).any(|letters| letters == b"\\ud8"));
        })],
    },
    Fault {
        name: "numbers-in-53-bits",
        sentence: "a number in an unknown member that a double has not exactly gets a 400",
        rule: MEMBERS,
        changes: &[RewriteReply(|request, _, reply| {
            unreadable(reply, request.body.windows(16).any(|digits| digits == b"9007199254740993"));
        })],
    },
    Fault {
        name: "unknown-members-end-the-checks",
        sentence: "a request with unknown members is not checked any further",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/item-pattern"),
        changes: &[EditRejections(|call, wrong| {
            if call.is(Operation::CompleteLayerUpload)
                && call.input.keys().any(|name| call.operation.input(name).is_none())
            {
                wrong.retain(|rejection| !rejection.rule.is("layerDigests/item-pattern"));
            }
        })],
    },
    Fault {
        name: "at-most-32-headers",
        sentence: "a request with more than 32 headers gets 431",
        rule: HEADERS,
        changes: &[RewriteReply(|request, _, reply| {
            if request.headers.len() > 32 {
                *reply = Ok(envelope::response(431, &json!({ "message": "too many headers" })));
            }
        })],
    },
    Fault {
        name: "first-header-that-begins-so",
        sentence: "the first header whose name begins with X-Amz-Target is taken for it",
        rule: HEADERS,
        changes: &[RewriteRequest(|request| {
            let first =
                request.headers.iter().find(|(name, _)| name.to_lowercase().starts_with("x-amz-target")).cloned();
            if let Some((_, value)) = first {
                request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("x-amz-target"));
                request.headers.push((String::from("x-amz-target"), value));
            }
        })],
    },
    Fault {
        name: "empty-header-rejected",
        sentence: "a header without a value gets 400",
        rule: HEADERS,
        changes: &[RewriteReply(|request, _, reply| {
            unreadable(reply, request.headers.iter().any(|(_, value)| value.is_empty()));
        })],
    },
    Fault {
        name: "content-type-in-small-letters",
        sentence: "the content type is compared with regard to case",
        rule: RuleId::new("wire/content-type/case"),
        changes: &[RewriteReply(|request, _, reply| {
            unreadable(reply, request.header("content-type").is_some_and(|value| value.starts_with("Application")));
        })],
    },
    Fault {
        name: "charset-in-quotes-500",
        sentence: "a charset in quotes gets 500",
        rule: RuleId::new("wire/content-type/parameters"),
        changes: &[RewriteReply(|request, _, reply| {
            if request.header("content-type").is_some_and(|value| value.contains('"')) {
                *reply = Ok(Response { status: 500, ..envelope::response(500, &json!({})) });
            }
        })],
    },
    Fault {
        name: "identity-not-acceptable",
        sentence: "Accept-Encoding: identity gets 406",
        rule: RuleId::new("wire/header/accept-encoding"),
        changes: &[RewriteReply(|request, _, reply| {
            if request.header("accept-encoding") == Some("identity") {
                *reply = Ok(envelope::response(406, &json!({ "message": "not acceptable" })));
            }
        })],
    },
    Fault {
        name: "escaped-digits-misread",
        sentence: "a digit that is written as an escape is lost",
        rule: ESCAPES,
        changes: &[RewriteRequest(|request| {
            retext(request, |text| {
                (b'0'..=b'9').fold(String::from(text), |text, digit| text.replace(&format!("\\u00{digit:02x}"), ""))
            })
        })],
    },
    Fault {
        name: "padding-in-escapes",
        sentence: "base64 whose padding is written as escapes is no base64",
        rule: ESCAPES,
        changes: &[RewriteReply(|request, _, reply| {
            unreadable(reply, raw(request, "layerPartBlob").ends_with("\\u003d"));
        })],
    },
    Fault {
        name: "list-with-white-space-is-empty",
        sentence: "a list that begins with white space has no items",
        rule: WHITE_SPACE,
        changes: &[RewriteRequest(|request| {
            if request.body.windows(2).any(|pair| pair[0] == b'[' && pair[1].is_ascii_whitespace()) {
                reread(request, |members| {
                    if let Some(list) = members.get_mut("layerDigests") {
                        *list = json!([]);
                    }
                });
            }
        })],
    },
    Fault {
        name: "last-member-lost",
        sentence: "the last member is lost if white space comes after it",
        rule: WHITE_SPACE,
        changes: &[RewriteRequest(|request| {
            let text = String::from_utf8_lossy(&request.body).into_owned();
            let inner = text.trim_end().trim_end_matches('}');
            if is_object(request) && inner.ends_with(char::is_whitespace) {
                reread(request, |members| {
                    members.remove("uploadId");
                    members.remove("repositoryName");
                });
            }
        })],
    },
    Fault {
        name: "empty-name-rejected",
        sentence: "a member with an empty name gets a 400",
        rule: MEMBERS,
        changes: &[RewriteReply(|request, _, reply| {
            let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            unreadable(reply, body.get("").is_some());
        })],
    },
    Fault {
        name: "false-is-a-trial",
        sentence: "CompleteLayerUpload with a member that is false does nothing and succeeds",
        rule: RuleId::new("CompleteLayerUpload/answer/layerDigest"),
        changes: &[Execute(|call| {
            let is_trial =
                call.is(Operation::CompleteLayerUpload) && call.input.values().any(|value| *value == json!(false));
            is_trial
                .then(|| json!({ "uploadId": call.text("uploadId"), "repositoryName": call.text("repositoryName") }))
        })],
    },
    Fault {
        name: "head-of-2048-bytes",
        sentence: "a request whose headers have more than 2048 bytes gets 400",
        rule: HEADERS,
        changes: &[RewriteReply(|request, _, reply| {
            let size: usize = request.headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
            unreadable(reply, size > 2048);
        })],
    },
    Fault {
        name: "parameters-split-at-quotes",
        sentence: "a semicolon in a quoted parameter of the content type ends it",
        rule: RuleId::new("wire/content-type/parameters"),
        changes: &[RewriteReply(|request, _, reply| {
            unreadable(reply, request.header("content-type").is_some_and(|value| value.contains("x;y")));
        })],
    },
];

fn is_object(request: &Request) -> bool {
    serde_json::from_slice::<Value>(&request.body).is_ok_and(|body| body.is_object())
}

/// Changes the text of a body that is a JSON object, and still is one then.
fn retext(request: &mut Request, change: impl FnOnce(&str) -> String) {
    if is_object(request)
        && let Ok(text) = std::str::from_utf8(&request.body)
    {
        request.body = Bytes::from(change(text));
    }
}

/// Changes the members of a body that is a JSON object.
fn reread(request: &mut Request, change: impl FnOnce(&mut Map<String, Value>)) {
    if let Ok(Value::Object(mut members)) = serde_json::from_slice(&request.body) {
        change(&mut members);
        request.body = Bytes::from(Value::Object(members).to_string());
    }
}

/// A member that is a text, as it stands in the body.
fn raw(request: &Request, member: &str) -> String {
    let text = String::from_utf8_lossy(&request.body);
    let after = text.split_once(&format!("\"{member}\"")).map_or("", |(_, after)| after);
    after.split('"').nth(1).map(String::from).unwrap_or_default()
}

/// Answers that a request cannot be read.
fn unreadable(reply: &mut Reply, fault: bool) {
    if fault {
        *reply = Ok(envelope::response(400, &json!({ "__type": "SerializationException", "message": "no" })));
    }
}
