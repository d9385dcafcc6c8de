//! What a finding says was expected, as data with a short code that parses back.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::got::{split, token};
use crate::contract::Service;
use crate::expect::Outcome;

/// What was expected where another thing came.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(into = "String", try_from = "String")]
pub enum Expected {
    /// One of these outcomes, which have no members here: `200 or 400 InvalidLayerException`.
    Outcomes(Vec<Outcome>),
    /// An outcome in which a member has this value, as short JSON: `200 with lastByteReceived 31`.
    Member {
        /// The outcome, without members.
        outcome: Outcome,
        /// The member, with its path.
        path: String,
        /// Its value.
        value: String,
    },
    /// A member of this shape: `shape partSize a whole number of at least 0`.
    Shape {
        /// The member.
        member: String,
        /// What the model says of it.
        shape: String,
    },
    /// A member as it was sent: `echo repositoryName`.
    Echo(String),
    /// An upload id that no other open upload has: `unique uploadId`.
    UniqueUploadId,
    /// This HTTP status: `status 400`.
    Status(u16),
    /// The content type of the protocol: `content-type`.
    ContentType,
    /// The error type in `__type`: `type-visible`.
    VisibleType,
    /// A message: `message`.
    Message,
    /// This message: `message-text The repository …`.
    MessageText(String),
    /// Anything but a server fault or silence: `no-server-fault`.
    NoServerFault,
    /// A response of this service: `service ecr`.
    Service(Service),
    /// Success, or an error that the operation documents: `documented-response`.
    DocumentedResponse,
    /// A layer that is absent before its upload and available after it: `layer-after-upload`.
    LayerAfterUpload,
}

impl Expected {
    /// The outcomes of an expectation, each once and without members.
    pub fn outcomes(outcomes: &[Outcome]) -> Expected {
        let mut distinct: Vec<Outcome> = Vec::new();
        for outcome in outcomes.iter().map(bare) {
            if !distinct.contains(&outcome) {
                distinct.push(outcome);
            }
        }
        Expected::Outcomes(distinct)
    }

    /// Success, and nothing else.
    pub fn success() -> Expected {
        Expected::Outcomes(vec![Outcome::success()])
    }

    /// An outcome with a value in a member.
    pub(super) fn member(outcome: &Outcome, path: &str, value: String) -> Expected {
        Expected::Member { outcome: bare(outcome), path: String::from(path), value }
    }

    /// Whether nothing but success is right: the request is valid.
    pub fn is_success(&self) -> bool {
        match self {
            Expected::Outcomes(outcomes) => outcomes.iter().all(Outcome::is_success),
            Expected::Member { outcome, .. } => outcome.is_success(),
            Expected::UniqueUploadId | Expected::LayerAfterUpload => true,
            _ => false,
        }
    }

    /// Whether success is right, perhaps beside an error.
    pub fn allows_success(&self) -> bool {
        match self {
            Expected::Outcomes(outcomes) => outcomes.iter().any(Outcome::is_success),
            _ => self.is_success(),
        }
    }

    /// The code, which parses back.
    pub fn code(&self) -> String {
        match self {
            Expected::Outcomes(outcomes) => outcomes.iter().map(Outcome::to_string).collect::<Vec<_>>().join(" or "),
            Expected::Member { outcome, path, value } => format!("{outcome} with {} {value}", token(path)),
            Expected::Shape { member, shape } => format!("shape {} {shape}", token(member)),
            Expected::Echo(member) => format!("echo {}", token(member)),
            Expected::UniqueUploadId => String::from("unique uploadId"),
            Expected::Status(status) => format!("status {status}"),
            Expected::ContentType => String::from("content-type"),
            Expected::VisibleType => String::from("type-visible"),
            Expected::Message => String::from("message"),
            Expected::MessageText(text) => format!("message-text {text}"),
            Expected::NoServerFault => String::from("no-server-fault"),
            Expected::Service(service) => format!("service {service}"),
            Expected::DocumentedResponse => String::from("documented-response"),
            Expected::LayerAfterUpload => String::from("layer-after-upload"),
        }
    }
}

/// An outcome without its members.
fn bare(outcome: &Outcome) -> Outcome {
    match outcome {
        Outcome::Success { .. } => Outcome::success(),
        Outcome::Error { error, .. } => Outcome::error(error),
    }
}

impl FromStr for Expected {
    type Err = String;

    fn from_str(text: &str) -> Result<Expected, String> {
        let wrong = || format!("expected the code of what was expected, such as 200 or status 400, found {text:?}");
        let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
        Ok(match (first, rest) {
            ("content-type", "") => Expected::ContentType,
            ("type-visible", "") => Expected::VisibleType,
            ("message", "") => Expected::Message,
            ("no-server-fault", "") => Expected::NoServerFault,
            ("documented-response", "") => Expected::DocumentedResponse,
            ("layer-after-upload", "") => Expected::LayerAfterUpload,
            ("unique", "uploadId") => Expected::UniqueUploadId,
            ("status", status) => Expected::Status(status.parse().map_err(|_| wrong())?),
            ("message-text", text) => Expected::MessageText(String::from(text)),
            ("service", service) => {
                let known = Service::ALL.into_iter().find(|known| known.name() == service);
                Expected::Service(known.ok_or_else(wrong)?)
            }
            ("echo", member) => Expected::Echo(split(member).ok_or_else(wrong)?.0),
            ("shape", rest) => {
                let (member, shape) = split(rest).ok_or_else(wrong)?;
                Expected::Shape { member, shape: String::from(shape) }
            }
            _ => match text.split_once(" with ") {
                Some((outcome, rest)) => {
                    let (path, value) = split(rest).ok_or_else(wrong)?;
                    Expected::Member { outcome: outcome.parse()?, path, value: String::from(value) }
                }
                None => Expected::Outcomes(text.split(" or ").map(str::parse).collect::<Result<_, String>>()?),
            },
        })
    }
}

impl TryFrom<String> for Expected {
    type Error = String;

    fn try_from(text: String) -> Result<Expected, String> {
        text.parse()
    }
}

impl From<Expected> for String {
    fn from(expected: Expected) -> String {
        expected.code()
    }
}

/// The code.
impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_read_back() {
        for code in [
            "200",
            "200 or 400 InvalidLayerException or 400 InvalidParameterException",
            "200 with layers[0].layerAvailability \"UNAVAILABLE\"",
            "400 InvalidLayerPartException with lastValidByteReceived 0",
            "shape partSize a whole number of at least 0",
            "echo repositoryName",
            "unique uploadId",
            "status 400",
            "content-type",
            "type-visible",
            "message",
            "message-text The repository with name 'x' does not exist",
            "no-server-fault",
            "service ecr-public",
            "documented-response",
            "layer-after-upload",
        ] {
            let expected: Expected = code.parse().unwrap();
            assert_eq!(expected.code(), code, "{expected:?}");
            assert_eq!(serde_json::to_value(&expected).unwrap(), code);
        }
        for text in ["", "nothing", "400 FooException", "status x", "anything but a server fault"] {
            assert!(text.parse::<Expected>().is_err(), "{text:?}");
        }
    }
}
