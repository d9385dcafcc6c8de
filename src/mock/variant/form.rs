//! The form of responses.

use bytes::Bytes;
use serde_json::{Value, json};

use super::super::Change::RewriteReply;
use super::super::reply::{edit, gzip, retype};
use super::Variant;
use crate::wire::{Reply, envelope};

pub(super) static VARIANTS: &[Variant] = &[
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
        name: "coding-identity",
        sentence: "responses have Content-Encoding: identity",
        changes: &[RewriteReply(|_, _, reply| header(reply, "content-encoding", "identity"))],
        withholds: false,
    },
    Variant {
        name: "gzip-where-acceptable",
        sentence: "responses are gzip, and say so, where the request has no Accept-Encoding",
        changes: &[RewriteReply(|request, _, reply| {
            if request.header("accept-encoding").is_none() {
                header(reply, "content-encoding", "gzip");
                if let Ok(answer) = reply {
                    answer.body = Bytes::from(gzip(&answer.body));
                }
            }
        })],
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
];

fn header(reply: &mut Reply, name: &str, value: &str) {
    if let Ok(answer) = reply {
        answer.headers.retain(|(known, _)| known != name);
        answer.headers.push((String::from(name), String::from(value)));
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

/// A character of JSON as ASCII. Slashes and what is beyond ASCII stand in its texts alone.
fn escaped(letter: char) -> String {
    match letter {
        '/' => String::from(r"\/"),
        letter if letter.is_ascii() => String::from(letter),
        letter => letter.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
    }
}
