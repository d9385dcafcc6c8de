//! What came, as data with a short code: `200`, `400 InvalidLayerException`, `200 without layerDigest`, `no-response`.
//!
//! Codes are what files keep: the event log, known deviations and saved scenarios. How they read in a report is for
//! [`super::words`] to say, and may change at any time.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::contract::ErrorType;
use crate::wire::{Flaw, NoConnection, TransportError};

/// What came in place of what was expected.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(into = "String", try_from = "String")]
#[non_exhaustive]
pub enum Got {
    /// A response, of which no more is to be said than whether it is a success: `200`.
    Response(Head),
    /// An error of a type: `400 InvalidLayerException`.
    Error {
        /// Success or not.
        head: Head,
        /// The type, as the target names it.
        name: String,
    },
    /// An error that names no type: `400 without-type`.
    Untyped(Head),
    /// A success whose body is no JSON object: `200 not-an-object`.
    NotAnObject(Head),
    /// A success that is none of the operation: `200 not-of-the-operation`.
    NotOfTheOperation(Head),
    /// A member is not as it should be: `200 without layerDigest`.
    Member {
        /// Success or not.
        head: Head,
        /// The type, if it is an error.
        error: Option<String>,
        /// The member, with its path: `layers[0].layerSize`.
        path: String,
        /// What is wrong with it.
        slip: Slip,
    },
    /// A success of a status that means another thing: `success-status 201`.
    SuccessStatus(u16),
    /// An error of the client with the status of something else: `error-status 409`.
    ErrorStatus(u16),
    /// Another content type, if any: `content-type text/html`, `no-content-type`.
    ContentType(Option<String>),
    /// The error type stands elsewhere than in `__type`: `type-not-visible`.
    TypeNotVisible,
    /// The error type in `__type` is not that in the header or in `code`: `type-differs`.
    TypeDiffers,
    /// An error without a message: `no-message`.
    NoMessage,
    /// Another text than the documented one for this error type: `message-text UploadNotFoundException`.
    MessageText(String),
    /// It is wrong as HTTP or as JSON, and was made out all the same: `flaw trailing`.
    Flaw(Flaw),
    /// No response: `no-response`, `dropped`, `invalid-http`, `too-large`, `no-connection refused`.
    Transport(TransportError),
    /// The survey did not come to it: `not-reached`.
    NotReached,
    /// The survey had no repository to try it in: `no-repository`.
    NoRepository,
    /// The layer is not available after its upload: `absent-after-upload`.
    AbsentAfterUpload,
    /// The layer was available before its upload: `present-before-upload`.
    PresentBeforeUpload,
    /// A response that took far longer than that to a valid request: `slow`.
    Slow,
}

/// How a response says whether it is a success.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Head {
    /// By its HTTP status.
    Status(u16),
    /// A success of a client that shows no status: `success`.
    Success,
    /// An error of a client that shows no status: `error`.
    Error,
}

/// What is wrong with a member.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Slip {
    /// It is missing: `without`.
    Missing,
    /// It has not the shape that the model gives it: `malformed`.
    Malformed,
    /// It is not what was sent: `not-echoed`.
    NotEchoed,
    /// An open upload has it already: `not-unique`.
    NotUnique,
    /// It has this value, as short JSON: `with`.
    Value(String),
    /// It has another value, which is not told: it differs from run to run: `with-other`.
    OtherValue,
}

/// A text that is no code of [`Got`].
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "expected the code of what came, such as 200, 400 InvalidLayerException, 400 without-type, 200 without layerDigest \
     or no-response, found {0:?}"
)]
pub struct NoCode(pub String);

impl Got {
    /// The code, which parses back.
    pub fn code(&self) -> String {
        match self {
            Got::Response(head) => head.to_string(),
            Got::Error { head, name } => format!("{head} {}", token(name)),
            Got::Untyped(head) => format!("{head} {UNTYPED}"),
            Got::NotAnObject(head) => format!("{head} {NOT_AN_OBJECT}"),
            Got::NotOfTheOperation(head) => format!("{head} {NOT_OF_THE_OPERATION}"),
            Got::Member { head, error, path, slip } => {
                let error = error.as_ref().map_or_else(String::new, |name| format!("{} ", token(name)));
                let value = if let Slip::Value(value) = slip { format!(" {value}") } else { String::new() };
                format!("{head} {error}{} {}{value}", slip.word(), token(path))
            }
            Got::SuccessStatus(status) => format!("success-status {status}"),
            Got::ErrorStatus(status) => format!("error-status {status}"),
            Got::ContentType(Some(found)) => format!("content-type {}", token(found)),
            Got::MessageText(name) => format!("message-text {}", token(name)),
            Got::Flaw(flaw) => format!("flaw {}", flaw.name()),
            Got::Transport(trouble) => transport(*trouble),
            plain => PLAIN.iter().find(|(_, got)| got == plain).map_or_else(String::new, |(word, _)| (*word).into()),
        }
    }

    /// The error type that the response names, if it does.
    pub fn error(&self) -> Option<&str> {
        match self {
            Got::Error { name, .. } | Got::Member { error: Some(name), .. } => Some(name),
            _ => None,
        }
    }

    /// The HTTP status of the response, if it is part of the code.
    pub fn status(&self) -> Option<u16> {
        match self {
            Got::Response(Head::Status(status))
            | Got::Error { head: Head::Status(status), .. }
            | Got::Untyped(Head::Status(status))
            | Got::NotAnObject(Head::Status(status))
            | Got::NotOfTheOperation(Head::Status(status))
            | Got::Member { head: Head::Status(status), .. }
            | Got::SuccessStatus(status)
            | Got::ErrorStatus(status) => Some(*status),
            _ => None,
        }
    }

    /// Whether the server is to blame, whatever the request: a 5xx, or an error type that means one where no status is
    /// shown, or no response.
    pub fn is_server_fault(&self) -> bool {
        match self {
            Got::Transport(_) => true,
            Got::Error { head: Head::Error, name } => ErrorType::find(name).is_some_and(ErrorType::is_server_fault),
            _ => self.status().is_some_and(|status| status >= 500),
        }
    }
}

impl Slip {
    fn word(&self) -> &'static str {
        match self {
            Slip::Missing => "without",
            Slip::Malformed => "malformed",
            Slip::NotEchoed => "not-echoed",
            Slip::NotUnique => "not-unique",
            Slip::Value(_) => "with",
            Slip::OtherValue => "with-other",
        }
    }

    fn of(word: &str, value: &str) -> Option<Slip> {
        match (word, value) {
            ("without", "") => Some(Slip::Missing),
            ("malformed", "") => Some(Slip::Malformed),
            ("not-echoed", "") => Some(Slip::NotEchoed),
            ("not-unique", "") => Some(Slip::NotUnique),
            ("with-other", "") => Some(Slip::OtherValue),
            ("with", value) if !value.is_empty() => Some(Slip::Value(String::from(value))),
            _ => None,
        }
    }
}

const UNTYPED: &str = "without-type";
const NOT_AN_OBJECT: &str = "not-an-object";
const NOT_OF_THE_OPERATION: &str = "not-of-the-operation";

/// Words that stand after a head, and so for no error type.
const RESERVED: [&str; 9] = [
    UNTYPED,
    NOT_AN_OBJECT,
    NOT_OF_THE_OPERATION,
    "without",
    "malformed",
    "not-echoed",
    "not-unique",
    "with",
    "with-other",
];

/// Codes of one word.
const PLAIN: [(&str, Got); 13] = [
    ("no-content-type", Got::ContentType(None)),
    ("type-not-visible", Got::TypeNotVisible),
    ("type-differs", Got::TypeDiffers),
    ("no-message", Got::NoMessage),
    ("no-response", Got::Transport(TransportError::Silent)),
    ("dropped", Got::Transport(TransportError::Dropped)),
    ("invalid-http", Got::Transport(TransportError::Garbage)),
    ("too-large", Got::Transport(TransportError::TooLarge)),
    ("not-reached", Got::NotReached),
    ("no-repository", Got::NoRepository),
    ("absent-after-upload", Got::AbsentAfterUpload),
    ("present-before-upload", Got::PresentBeforeUpload),
    ("slow", Got::Slow),
];

fn transport(trouble: TransportError) -> String {
    match trouble {
        TransportError::Silent => String::from("no-response"),
        TransportError::Dropped => String::from("dropped"),
        TransportError::Garbage => String::from("invalid-http"),
        TransportError::TooLarge => String::from("too-large"),
        TransportError::Unreachable(why) => {
            let word = serde_json::to_value(why).ok();
            format!("no-connection {}", word.as_ref().and_then(|word| word.as_str()).unwrap_or_default())
        }
    }
}

/// A word of a target: as it is, or in quotes where it could be taken for another thing.
pub(super) fn token(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-/+[]$".contains(letter);
    match !word.is_empty() && word.chars().all(is_plain) && !RESERVED.contains(&word) {
        true => String::from(word),
        false => serde_json::Value::from(word).to_string(),
    }
}

/// The first word of a text, and what comes after it.
pub(super) fn split(text: &str) -> Option<(String, &str)> {
    if !text.starts_with('"') {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        return (!word.is_empty()).then(|| (String::from(word), rest));
    }
    let mut words = serde_json::Deserializer::from_str(text).into_iter::<String>();
    let word = words.next()?.ok()?;
    let rest = &text[words.byte_offset()..];
    Some((word, rest.strip_prefix(' ').unwrap_or(rest)))
}

fn number(text: &str) -> Option<u16> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn parse(text: &str) -> Option<Got> {
    if let Some((_, plain)) = PLAIN.iter().find(|(word, _)| *word == text) {
        return Some(plain.clone());
    }
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    let only = |rest: &str| split(rest).filter(|(_, more)| more.is_empty()).map(|(word, _)| word);
    match first {
        "success-status" => return number(rest).map(Got::SuccessStatus),
        "error-status" => return number(rest).map(Got::ErrorStatus),
        "content-type" => return only(rest).map(|found| Got::ContentType(Some(found))),
        "message-text" => return only(rest).map(Got::MessageText),
        "flaw" => return serde_json::from_value(rest.into()).ok().map(Got::Flaw),
        "no-connection" => {
            let why: NoConnection = serde_json::from_value(rest.into()).ok()?;
            return Some(Got::Transport(TransportError::Unreachable(why)));
        }
        _ => {}
    }
    let head: Head = first.parse().ok()?;
    match rest {
        "" => return Some(Got::Response(head)),
        UNTYPED => return Some(Got::Untyped(head)),
        NOT_AN_OBJECT => return Some(Got::NotAnObject(head)),
        NOT_OF_THE_OPERATION => return Some(Got::NotOfTheOperation(head)),
        _ => {}
    }
    let is_slip =
        |rest: &str| RESERVED.iter().any(|word| rest.strip_prefix(word).is_some_and(|rest| rest.starts_with(' ')));
    let (error, rest) = match is_slip(rest) {
        true => (None, rest),
        false => split(rest).map(|(name, rest)| (Some(name), rest))?,
    };
    if let (Some(name), "") = (&error, rest) {
        return Some(Got::Error { head, name: name.clone() });
    }
    let (word, rest) = rest.split_once(' ')?;
    let (path, value) = split(rest)?;
    Some(Got::Member { head, error, path, slip: Slip::of(word, value)? })
}

impl FromStr for Got {
    type Err = NoCode;

    /// Reads a code, exactly as it is written.
    fn from_str(text: &str) -> Result<Got, NoCode> {
        parse(text).filter(|got| got.code() == text).ok_or_else(|| NoCode(String::from(text)))
    }
}

impl TryFrom<String> for Got {
    type Error = NoCode;

    fn try_from(text: String) -> Result<Got, NoCode> {
        text.parse()
    }
}

impl From<Got> for String {
    fn from(got: Got) -> String {
        got.code()
    }
}

/// The code.
impl fmt::Display for Got {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.code())
    }
}

impl FromStr for Head {
    type Err = NoCode;

    fn from_str(text: &str) -> Result<Head, NoCode> {
        match text {
            "success" => Ok(Head::Success),
            "error" => Ok(Head::Error),
            text => number(text).map(Head::Status).ok_or_else(|| NoCode(String::from(text))),
        }
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Head::Status(status) => write!(f, "{status}"),
            Head::Success => f.write_str("success"),
            Head::Error => f.write_str("error"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_read_back() {
        for code in [
            "200",
            "success",
            "error UploadNotFoundException",
            "400 InvalidLayerException",
            "400 \"odd name\"",
            "400 \"without\"",
            "400 \"\\\"odd\\\"\"",
            "400 without-type",
            "200 not-an-object",
            "200 not-of-the-operation",
            "200 without layerDigest",
            "200 malformed partSize",
            "200 not-echoed repositoryName",
            "200 not-unique uploadId",
            "200 with-other layers[0].layerDigest",
            "200 with layers[0].layerAvailability \"AVAILABLE\"",
            "200 with \"a b\" [1,2",
            "400 InvalidLayerPartException without lastValidByteReceived",
            "400 InvalidLayerPartException with lastValidByteReceived 1",
            "success-status 201",
            "error-status 409",
            "content-type application/json",
            "content-type \"\"",
            "no-content-type",
            "type-not-visible",
            "type-differs",
            "no-message",
            "message-text UploadNotFoundException",
            "flaw cut",
            "flaw not-utf-8",
            "no-response",
            "dropped",
            "invalid-http",
            "too-large",
            "no-connection refused",
            "no-connection unreachable",
            "not-reached",
            "no-repository",
            "absent-after-upload",
            "present-before-upload",
            "slow",
        ] {
            let got: Got = code.parse().unwrap();
            assert_eq!(got.code(), code, "{got:?}");
            assert_eq!(serde_json::to_value(&got).unwrap(), code);
        }
    }

    #[test]
    fn what_is_no_code_is_rejected() {
        for text in [
            "",
            " 200",
            "+200",
            "0200",
            "99999",
            "200 ",
            "200 without",
            "200 without a b",
            "200 with a",
            "200  X",
            "400 \"X\"",
            "400 an error",
            "400 without an error type",
            "connection dropped",
            "no-connection",
            "no-connection nonsense",
            "content-type",
            "flaw",
            "flaw nonsense",
        ] {
            assert_eq!(text.parse::<Got>(), Err(NoCode(String::from(text))), "{text:?}");
        }
    }

    /// Names are the target's: whatever it sends, another thing has another code.
    #[test]
    fn names_of_a_target_are_told_from_codes() {
        let head = Head::Status(400);
        for name in RESERVED.into_iter().chain(["", " ", "a b", "\"", "without x", "\u{9b}2J", "é", "-"]) {
            let error = Got::Error { head, name: String::from(name) };
            assert_eq!(error.code().parse(), Ok(error.clone()), "{name:?}");
            let slip =
                Got::Member { head, error: Some(name.into()), path: name.into(), slip: Slip::Value("[ 1".into()) };
            assert_eq!(slip.code().parse(), Ok(slip.clone()), "{name:?}");
            let other = Got::ContentType(Some(String::from(name)));
            assert_eq!(other.code().parse(), Ok(other.clone()), "{name:?}");
        }
    }
}
