//! What RFC 8259 leaves to parsers, and the documents to servers.

use bytes::Bytes;
use serde_json::{Value, json};

use super::super::Change::{EditRejections, RewriteInput, RewriteReply, RewriteRequest};
use super::super::change::{invalid_parameter, rejection};
use super::Variant;
use crate::contract::{Operation, RuleId};
use crate::wire::{Members, Response};

pub(super) static VARIANTS: &[Variant] = &[
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
            let members = serde_json::from_slice(&request.body).map_or_else(|_| Vec::new(), |Members(all)| all);
            if members.iter().filter(|(name, _)| name == "repositoryName").count() > 1 {
                request.body = Bytes::from_static(b"{");
            }
        })],
        withholds: false,
    },
    Variant {
        name: "unknown-members-rejected",
        sentence: "unknown members are rejected",
        changes: &[EditRejections(|call, wrong| {
            if call.input.keys().any(|name| call.operation.input(name).is_none()) && wrong.is_empty() {
                wrong.push(invalid_parameter(RuleId::new("wire/body/unknown-members")));
            }
        })],
        withholds: false,
    },
    Variant {
        name: "unknown-members-unreadable",
        sentence: "an object as an unknown member cannot be read",
        changes: &[EditRejections(|call, wrong| {
            let unread = |(name, value): (&String, &Value)| value.is_object() && call.operation.input(name).is_none();
            if call.input.iter().any(unread) {
                wrong.insert(0, rejection("SerializationException", RuleId::new("wire/body/unknown-members")));
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
                    flaw: None,
                });
            }
        })],
        withholds: false,
    },
];

/// Whether a position is written with an exponent or a point.
fn exponent(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body).into_owned();
    ["partFirstByte", "partLastByte"].into_iter().any(|member| {
        let Some((_, rest)) = text.split_once(&format!("\"{member}\":")) else { return false };
        let number: String = rest.trim_start().chars().take_while(|letter| !matches!(letter, ',' | '}')).collect();
        number.starts_with(|letter: char| letter.is_ascii_digit()) && number.contains(['e', 'E', '.'])
    })
}
