//! The awsJson1_1 envelope: how a call becomes a request, and how the type of an error is found in an answer.

use bytes::Bytes;
use serde_json::Value;

use super::{CONTENT_TYPE, Framing, Request, Response, Signature};
use crate::contract::{ErrorType, Operation, Service};

/// The request of a call: `POST /` with the target of the operation.
pub fn request<B>(service: Service, operation: Operation, body: B) -> Request<B> {
    plain(service, Some(operation), body)
}

/// The request of a call that says nothing else. One that names no operation has no target.
pub fn plain<B>(service: Service, operation: Option<Operation>, body: B) -> Request<B> {
    let target = |operation| (String::from("X-Amz-Target"), service.contract().target(operation));
    let content_type = (String::from("Content-Type"), String::from(CONTENT_TYPE));
    Request {
        method: String::from("POST"),
        headers: std::iter::once(content_type).chain(operation.map(target)).collect(),
        body,
        framing: Framing::Length,
        signature: Signature::Valid,
    }
}

/// An error as clients read it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ErrorInfo {
    /// The bare type, found as SDKs find it: header, then `code`, then `__type`; cut at the first `:`, then what
    /// follows the last `#`.
    pub name: Option<String>,
    /// The bare type in `__type`, the only place where botocore looks.
    pub typed: Option<String>,
    /// The text: `message`, `Message` or `errorMessage`.
    pub message: Option<String>,
}

/// Reads the error of an answer. Total: on garbage everything is empty.
///
/// Source: AWS JSON 1.1 protocol, "Operation error serialization", and its tests `AwsJson11FooError*`.
pub fn error(answer: &Response) -> ErrorInfo {
    read(answer, answer.json().as_ref())
}

/// [`error`], of a body that is decoded already.
pub(super) fn read(answer: &Response, body: Option<&Value>) -> ErrorInfo {
    let text = |key: &str| body.and_then(|body| body.get(key)).and_then(Value::as_str);
    let header = answer.header("x-amzn-errortype").and_then(bare);
    let code = text("code").and_then(bare);
    let typed = text("__type").and_then(bare);
    ErrorInfo {
        name: header.or(code).or_else(|| typed.clone()),
        typed,
        message: ["message", "Message", "errorMessage"].into_iter().find_map(text).map(String::from),
    }
}

/// Whether an answer says that the request failed: by its status, or by naming an error type where botocore or the
/// Rust SDK look first.
pub fn is_error(answer: &Response, error: &ErrorInfo) -> bool {
    !(200..300).contains(&answer.status) || error.typed.is_some() || answer.header("x-amzn-errortype").is_some()
}

/// An error answer as the real service writes it.
///
/// Source: recorded answers (`cloud-custodian/cloud-custodian:tests`): compact JSON, bare `__type`, lower-case `message`.
pub fn error_response(error: &ErrorType, message: &str, members: Value) -> Response {
    let mut body = serde_json::Map::from_iter([(String::from("__type"), Value::from(error.name))]);
    if let Value::Object(members) = members {
        body.extend(members);
    }
    if !message.is_empty() {
        body.insert(String::from("message"), Value::from(message));
    }
    response(error.statuses[0], &Value::Object(body))
}

/// An answer with a JSON body.
pub fn response(status: u16, body: &Value) -> Response {
    Response {
        status,
        headers: vec![(String::from("content-type"), String::from(CONTENT_TYPE))],
        body: Bytes::from(body.to_string()),
        flaw: None,
    }
}

fn bare(text: &str) -> Option<String> {
    let text = text.split(':').next().unwrap_or(text);
    let name = printable(text.rsplit('#').next().unwrap_or(text).trim());
    let name = name.trim_end(); // A long one may be cut after a space.
    (!name.is_empty()).then(|| String::from(name))
}

/// A short text of a target as it may stand in a report: no control characters, and not long.
pub fn printable(text: &str) -> String {
    text.chars().take(100).map(visible).collect()
}

/// A letter, or a mark in its place if it would do something to a terminal instead of standing there.
pub fn visible(letter: char) -> char {
    match letter {
        // What turns the direction of a text, and what ends a line.
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        '\u{2028}' | '\u{2029}' => '\u{fffd}',
        letter if letter.is_control() => '\u{fffd}',
        letter => letter,
    }
}

/// JSON in which nothing acts on a terminal: what a string has that does is an escape.
pub(crate) fn visible_json(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for letter in json.chars() {
        if letter == '\n' || visible(letter) == letter {
            text.push(letter);
        } else {
            // Outside of a string there is no such letter. None of them is beyond the basic plane.
            text += &format!("\\u{:04x}", u32::from(letter));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn error_types_are_found_as_sdks_find_them() {
        let name = |header: Option<&str>, body: Value| {
            let mut answer = response(400, &body);
            answer.headers.extend(header.map(|value| (String::from("x-amzn-errortype"), String::from(value))));
            error(&answer).name
        };
        let found = Some(String::from("FooError"));
        assert_eq!(name(None, json!({"__type": "FooError"})), found);
        assert_eq!(name(None, json!({"__type": "aws.protocoltests.json#FooError"})), found);
        assert_eq!(
            name(None, json!({"__type": "a#FooError:http://internal.amazon.com/coral/com.amazon.coral.validate/"})),
            found
        );
        assert_eq!(name(None, json!({"code": "FooError"})), found);
        assert_eq!(name(Some("FooError:http://internal.amazon.com/coral/"), json!({"__type": "Other"})), found);
        assert_eq!(name(None, json!({"nested": {"__type": "FooError"}})), None);
        assert_eq!(name(None, json!({"__type": ""})), None);
        assert_eq!(name(None, json!({"__type": format!("{} x", "a".repeat(99))})), Some("a".repeat(99)));
        assert_eq!(
            error(&Response { status: 500, headers: Vec::new(), body: Bytes::from_static(b"\xff<html>"), flaw: None }),
            ErrorInfo::default()
        );
    }
}
