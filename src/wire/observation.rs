//! A response, decoded once: what a client of the operation sees of it, and, where the client speaks HTTP itself, how it
//! was said.

use serde_json::{Map, Value};

use super::envelope::{self, ErrorInfo, printable};
use super::{Flaw, Response, decode};
use crate::contract::ErrorType;
use crate::contract::error::THROTTLING;

/// A response as it is judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// What it says.
    pub decoded: Decoded,
    /// What the client shows of how it was said: what it does not show is not judged.
    pub shown: Shown,
    /// What the client tells whoever calls it, in its own words: of an error, or of a response that it cannot read.
    pub words: Option<String>,
}

/// How much of a response a client shows, besides the members of a success, and type and message of an error.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Shown {
    /// Nothing else, but for the HTTP status where the client puts it in the place of a type that is missing.
    Outcome(Option<u16>),
    /// The members of an error as well.
    Members,
    /// The members of an error, and the HTTP status.
    Status(u16),
    /// All of it: it speaks HTTP itself.
    Http(HttpFacts),
}

/// What a response says.
#[derive(Clone, Debug, PartialEq)]
pub enum Decoded {
    /// The call succeeded, with these members.
    Success(Map<String, Value>),
    /// The call succeeded, and the body is no JSON object.
    NotAnObject,
    /// The call failed.
    Error {
        /// The error.
        error: ErrorInfo,
        /// All members of the body; none if it is no JSON object.
        members: Map<String, Value>,
    },
}

/// What only a client that speaks HTTP sees.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HttpFacts {
    /// The status.
    pub status: u16,
    /// The header `Content-Type`.
    pub content_type: Option<String>,
    /// Whether it asks for a pause: by a header `Retry-After`, or as an object store does.
    pub retry_after: bool,
    /// What is wrong with the response as HTTP or as JSON, although it was made out what it says.
    pub flaws: Vec<Flaw>,
}

impl Observation {
    /// Decodes an HTTP response.
    pub fn of(answer: &Response) -> Observation {
        let (body, flaw) = decode::decode(answer);
        let error = envelope::read(answer, body.as_ref());
        let is_error = envelope::is_error(answer, &error);
        let decoded = match body {
            Some(Value::Object(members)) if is_error => Decoded::Error { error, members },
            _ if is_error => Decoded::Error { error, members: Map::new() },
            Some(Value::Object(members)) => Decoded::Success(members),
            _ => Decoded::NotAnObject,
        };
        let http = HttpFacts {
            status: answer.status,
            content_type: answer.header("content-type").map(String::from),
            retry_after: answer.header("retry-after").is_some() || says_slow_down(&answer.body),
            // Where it was cut, the JSON is no other flaw.
            flaws: answer.flaw.into_iter().chain(flaw.filter(|_| answer.flaw != Some(Flaw::Cut))).collect(),
        };
        Observation { decoded, shown: Shown::Http(http), words: None }
    }

    /// A call that succeeded with these members, of a client that shows no HTTP.
    pub fn of_success(members: Map<String, Value>) -> Observation {
        Observation { decoded: Decoded::Success(members), shown: Shown::Members, words: None }
    }

    /// A call that failed, of a client that shows no HTTP: with the type and the message of the error, as far as the client
    /// has them, and the members of the error.
    pub fn of_error(name: Option<&str>, message: Option<&str>, members: Map<String, Value>) -> Observation {
        let error = ErrorInfo { name: name.map(printable), typed: None, message: message.map(String::from) };
        Observation { decoded: Decoded::Error { error, members }, shown: Shown::Members, words: None }
    }

    /// A call that succeeded without members, of a client that shows no HTTP: the body is no JSON object.
    pub fn of_no_object() -> Observation {
        Observation { decoded: Decoded::NotAnObject, shown: Shown::Members, words: None }
    }

    /// The same, of a client that shows so much.
    pub fn with(self, shown: Shown) -> Observation {
        Observation { shown, ..self }
    }

    /// The same, with what the client tells whoever calls it.
    pub fn told(self, words: &str) -> Observation {
        Observation { words: Some(one_line(words)), ..self }
    }

    /// How it was said, if the client speaks HTTP itself.
    pub fn http(&self) -> Option<&HttpFacts> {
        match &self.shown {
            Shown::Http(http) => Some(http),
            Shown::Outcome(_) | Shown::Members | Shown::Status(_) => None,
        }
    }

    /// Whether the members of an error are shown.
    pub fn shows_error_members(&self) -> bool {
        !matches!(self.shown, Shown::Outcome(_))
    }

    /// Lets each text in it be changed, but for names of members.
    #[cfg(feature = "run")]
    pub(crate) fn each_text(&mut self, mut change: impl FnMut(&mut String)) {
        self.words.iter_mut().for_each(&mut change);
        let members = match &mut self.decoded {
            Decoded::Success(members) => members,
            Decoded::NotAnObject => return,
            Decoded::Error { error, members } => {
                error.name.iter_mut().chain(&mut error.message).for_each(&mut change);
                members
            }
        };
        let mut left: Vec<&mut Value> = members.values_mut().collect();
        while let Some(value) = left.pop() {
            match value {
                Value::String(text) => change(text),
                Value::Array(items) => left.extend(items),
                Value::Object(members) => left.extend(members.values_mut()),
                Value::Null | Value::Bool(_) | Value::Number(_) => {}
            }
        }
    }

    /// Whether the call failed.
    pub fn is_error(&self) -> bool {
        matches!(self.decoded, Decoded::Error { .. })
    }

    /// Whether it is an error with the status of a success. Clients go by the status: for them the call succeeded.
    pub fn is_taken_for_success(&self) -> bool {
        self.is_error() && self.status().is_some_and(|status| (200..300).contains(&status))
    }

    /// The error, if the call failed.
    pub fn error(&self) -> Option<&ErrorInfo> {
        match &self.decoded {
            Decoded::Error { error, .. } => Some(error),
            Decoded::Success(_) | Decoded::NotAnObject => None,
        }
    }

    /// The type of the error, if the call failed and a type is named.
    pub fn error_name(&self) -> Option<&str> {
        self.error()?.name.as_deref()
    }

    /// The members of a success, if its body is a JSON object.
    pub fn success(&self) -> Option<&Map<String, Value>> {
        match &self.decoded {
            Decoded::Success(members) => Some(members),
            Decoded::NotAnObject | Decoded::Error { .. } => None,
        }
    }

    /// The members of the body, if it is a JSON object and has any.
    pub fn members(&self) -> Option<&Map<String, Value>> {
        match &self.decoded {
            Decoded::Success(members) | Decoded::Error { members, .. } => Some(members),
            Decoded::NotAnObject => None,
        }
    }

    /// The HTTP status, if it was seen.
    pub fn status(&self) -> Option<u16> {
        match &self.shown {
            Shown::Http(http) => Some(http.status),
            Shown::Status(status) => Some(*status),
            Shown::Outcome(status) => *status,
            Shown::Members => None,
        }
    }

    /// Whether the server asks for fewer requests: by a throttling error, status 429, or status 503 with `Retry-After`.
    pub fn is_throttled(&self) -> bool {
        let asks_for_pause = || self.http().is_some_and(|http| http.retry_after);
        let by_status = self.status() == Some(429) || (self.status() == Some(503) && asks_for_pause());
        by_status || self.error_name().is_some_and(|name| THROTTLING.contains(&name))
    }

    /// Whether the server says that the fault is the client's: by its status, or else by any error that is no server fault.
    pub fn is_client_fault(&self) -> bool {
        match self.status() {
            Some(status) => (400..500).contains(&status),
            None => self.is_error() && !self.is_server_fault(),
        }
    }

    /// Whether the server says that the fault is its own: by its status, or else by an error type that means that.
    pub fn is_server_fault(&self) -> bool {
        let named = || self.error_name().and_then(ErrorType::find);
        match self.status() {
            Some(status) => status >= 500,
            None => named().is_some_and(ErrorType::is_server_fault),
        }
    }
}

/// The words of a client on one line that may stand in a report.
fn one_line(words: &str) -> String {
    const LONGEST: usize = 300;
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(LONGEST).map(envelope::visible).collect()
}

/// Whether a body is the error `SlowDown` in XML.
fn says_slow_down(body: &[u8]) -> bool {
    const SLOW_DOWN: &[u8] = b"<Code>SlowDown</Code>";
    body.starts_with(b"<") && body[..body.len().min(512)].windows(SLOW_DOWN.len()).any(|window| window == SLOW_DOWN)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn responses_are_decoded_by_what_they_say() {
        let decoded = |status: u16, body: Value| Observation::of(&envelope::response(status, &body)).decoded;
        let members = |value: Value| value.as_object().cloned().unwrap();
        assert_eq!(decoded(200, json!({"code": "Fine"})), Decoded::Success(members(json!({"code": "Fine"}))));
        assert_eq!(decoded(204, json!([])), Decoded::NotAnObject);
        let typed = json!({"__type": "a#FooException", "message": "no", "b": 1});
        for status in [200, 400] {
            let Decoded::Error { error, members: found } = decoded(status, typed.clone()) else { panic!("{status}") };
            assert_eq!((error.name.as_deref(), error.message.as_deref()), (Some("FooException"), Some("no")));
            assert_eq!(found, members(typed.clone()));
        }
        assert_eq!(decoded(302, json!(1)), Decoded::Error { error: ErrorInfo::default(), members: Map::new() });
    }

    #[test]
    fn throttling_is_told_in_all_its_forms() {
        let xml = "<?xml version=\"1.0\"?><Error><Code>SlowDown</Code></Error>";
        let answer = |status: u16, header: Option<&str>, body: &str| Response {
            status,
            headers: header.map(|name| (String::from(name), String::from("1"))).into_iter().collect(),
            body: bytes::Bytes::copy_from_slice(body.as_bytes()),
            flaw: None,
        };
        let is_throttled = |status, header, body| Observation::of(&answer(status, header, body)).is_throttled();
        assert!(is_throttled(429, None, ""));
        assert!(is_throttled(503, Some("retry-after"), ""));
        assert!(is_throttled(503, None, xml));
        assert!(is_throttled(503, None, r#"{"__type":"SlowDown"}"#));
        assert!(is_throttled(400, None, r#"{"__type":"RequestThrottledException"}"#));
        assert!(!is_throttled(503, None, "<Error><Code>InternalError</Code></Error>"));
        assert!(!is_throttled(400, None, r#"{"__type":"LimitExceededException"}"#), "a quota of the operation");
    }

    #[test]
    fn a_server_fault_is_told_with_and_without_http() {
        let answer = |status: u16, name: &str| Observation::of(&envelope::response(status, &json!({ "__type": name })));
        let unseen = |name: &str| answer(400, name).with(Shown::Members);
        assert!(answer(500, "InvalidLayerException").is_server_fault());
        assert!(!answer(400, "ServerException").is_server_fault());
        assert!(unseen("ServerException").is_server_fault());
        assert!(!unseen("InvalidLayerException").is_server_fault());
        assert!(!unseen("FooException").is_server_fault());
        assert!(answer(404, "ServerException").is_client_fault());
        assert!(!answer(302, "FooException").is_client_fault());
        assert!(!unseen("ServerException").is_client_fault());
        assert!(unseen("FooException").is_client_fault());
        assert!(Observation::of_error(None, None, Map::new()).is_client_fault());
        assert!(!Observation::of_success(Map::new()).is_client_fault());
    }
}
