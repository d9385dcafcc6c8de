//! Requests and answers as they travel, and what a case's exchanges add up to. No I/O: `drive` sends, `mock` answers.

pub mod auth;
pub mod envelope;

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::contract::Operation;

/// The content type of the protocol.
pub const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// A request, exactly as it should go out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request {
    /// `POST`, but for cases about other methods.
    pub method: String,
    /// Headers in order, names as they should be spelled. `Host` and the length are added by whoever sends.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub body: Bytes,
    /// How the body is framed.
    pub framing: Framing,
}

/// How the body of a request is framed.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Framing {
    /// With `Content-Length`.
    #[default]
    Length,
    /// With `Content-Length`, and header names exactly as spelled: HTTP libraries choose their own spelling.
    Verbatim,
    /// In chunks.
    Chunked,
    /// With `Content-Length` and `Expect: 100-continue`; the body follows a moment later.
    ExpectContinue,
}

/// An answer, exactly as it came in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as far as it was read: at most [`MAX_ANSWER`] bytes.
    pub body: Bytes,
}

/// Where reading an answer stops. Far beyond what the covered operations have to say: a server may quote a name of 1 MiB.
pub const MAX_ANSWER: usize = 16 << 20;

/// Why there is no answer.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trouble {
    /// No connection: refused, unreachable, or not within its time.
    Unreachable,
    /// Connected, but no complete answer within its time.
    Silent,
    /// The connection ended before the answer did.
    Dropped,
    /// What came is no HTTP.
    Garbage,
    /// The answer did not end within [`MAX_ANSWER`] bytes.
    Endless,
}

/// What came back for a request.
pub type Reply = Result<Answer, Trouble>;

/// One request and what came back.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The request as sent.
    pub request: Request,
    /// The answer, or why there is none.
    pub reply: Reply,
    /// When its first byte went out, from the beginning of the case. Only where calls are sent at once does it matter.
    pub began: Duration,
    /// From the first byte out to the last byte in.
    pub took: Duration,
}

impl Exchange {
    /// When the last byte of the answer came in, from the beginning of the case.
    pub fn ended(&self) -> Duration {
        self.began + self.took
    }
}

impl Answer {
    /// The first header with this name, given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON, if it is.
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

impl Request {
    /// The first header with this name, compared without case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The operation that `X-Amz-Target` names, whatever its prefix.
    pub fn operation(&self) -> Option<Operation> {
        self.header("x-amz-target")?.rsplit('.').next()?.parse().ok()
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Trouble::Unreachable => "no connection",
            Trouble::Silent => "no answer in time",
            Trouble::Dropped => "connection dropped",
            Trouble::Garbage => "an answer that is no HTTP",
            Trouble::Endless => "an answer without end",
        })
    }
}
