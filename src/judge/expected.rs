//! What a finding says was expected, as data with a short code that parses back.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::got::{split, token};
use crate::contract::Service;
use crate::expect::{NoOutcome, Outcome};

/// What was expected where another thing came.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(into = "String", try_from = "String")]
#[non_exhaustive]
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
    /// One JSON object, framed as HTTP has it: `plain-response`.
    PlainResponse,
    /// A message: `message`.
    Message,
    /// This message: `message-text The repository …`.
    MessageText(String),
    /// Anything but a server fault or silence: `no-server-fault`.
    NoServerFault,
    /// A response of this service: `service ecr`.
    Service(Service),
    /// A response about as fast as to a valid request: `in-time`.
    InTime,
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

    /// Whether success is right, perhaps besides an error.
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
            Expected::PlainResponse => String::from("plain-response"),
            Expected::Message => String::from("message"),
            Expected::MessageText(text) => format!("message-text {text}"),
            Expected::NoServerFault => String::from("no-server-fault"),
            Expected::Service(service) => format!("service {service}"),
            Expected::DocumentedResponse => String::from("documented-response"),
            Expected::InTime => String::from("in-time"),
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

/// Why a text is no code of [`Expected`].
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NoCode {
    /// It has the form of none.
    #[error(
        "expected the code of what was expected, such as 200, 400 InvalidLayerException, 200 with lastByteReceived 31 \
         or status 400, found {0:?}"
    )]
    Unknown(String),
    /// It names an outcome that there is not.
    #[error(transparent)]
    Outcome(#[from] NoOutcome),
}

fn parse(text: &str) -> Result<Expected, NoCode> {
    let unknown = || NoCode::Unknown(String::from(text));
    let outcome = |outcome: &str| match outcome.parse() {
        Ok(known) => Ok(bare(&known)),
        Err(why @ (NoOutcome::ErrorType(_) | NoOutcome::Status { .. })) => Err(NoCode::Outcome(why)),
        Err(_) => Err(unknown()),
    };
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    Ok(match (first, rest) {
        ("content-type", "") => Expected::ContentType,
        ("type-visible", "") => Expected::VisibleType,
        ("plain-response", "") => Expected::PlainResponse,
        ("message", "") => Expected::Message,
        ("in-time", "") => Expected::InTime,
        ("no-server-fault", "") => Expected::NoServerFault,
        ("documented-response", "") => Expected::DocumentedResponse,
        ("layer-after-upload", "") => Expected::LayerAfterUpload,
        ("unique", "uploadId") => Expected::UniqueUploadId,
        ("status", status) => Expected::Status(status.parse().map_err(|_| unknown())?),
        ("message-text", text) => Expected::MessageText(String::from(text)),
        ("service", service) => Expected::Service(Service::find(service).ok_or_else(unknown)?),
        ("echo", member) => Expected::Echo(split(member).ok_or_else(unknown)?.0),
        ("shape", rest) => {
            let (member, shape) = split(rest).ok_or_else(unknown)?;
            Expected::Shape { member, shape: String::from(shape) }
        }
        _ => match text.split_once(" with ") {
            Some((head, rest)) => {
                let (path, value) = split(rest).ok_or_else(unknown)?;
                Expected::Member { outcome: outcome(head)?, path, value: String::from(value) }
            }
            None => Expected::Outcomes(text.split(" or ").map(outcome).collect::<Result<_, _>>()?),
        },
    })
}

impl FromStr for Expected {
    type Err = NoCode;

    /// Reads a code, exactly as it is written.
    fn from_str(text: &str) -> Result<Expected, NoCode> {
        let expected = parse(text)?;
        if expected.code() == text { Ok(expected) } else { Err(NoCode::Unknown(String::from(text))) }
    }
}

impl TryFrom<String> for Expected {
    type Error = NoCode;

    fn try_from(text: String) -> Result<Expected, NoCode> {
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
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::contract::error::ERRORS;

    /// Which variant it is. A variant that is missing here does not compile: it needs a place among those that are drawn.
    fn variant(expected: &Expected) -> usize {
        match expected {
            Expected::Outcomes(_) => 0,
            Expected::Member { .. } => 1,
            Expected::Shape { .. } => 2,
            Expected::Echo(_) => 3,
            Expected::UniqueUploadId => 4,
            Expected::Status(_) => 5,
            Expected::ContentType => 6,
            Expected::VisibleType => 7,
            Expected::Message => 8,
            Expected::MessageText(_) => 9,
            Expected::NoServerFault => 10,
            Expected::Service(_) => 11,
            Expected::DocumentedResponse => 12,
            Expected::LayerAfterUpload => 13,
            Expected::PlainResponse => 14,
            Expected::InTime => 15,
        }
    }

    const VARIANTS: usize = 16;

    fn drawn() -> impl Strategy<Value = Expected> {
        // Texts with the words and signs that a code has itself.
        let text = || prop_oneof![any::<String>(), "(with|or|200|status|echo|\"| |\n|[a-z]\\[0\\]|[{}])*"];
        let outcome = || {
            let error = (0..ERRORS.len()).prop_map(|index| Outcome::error(&ERRORS[index]));
            prop_oneof![Just(Outcome::success()), error]
        };
        prop_oneof![
            proptest::collection::vec(outcome(), 1..4).prop_map(Expected::Outcomes),
            (outcome(), text(), text()).prop_map(|(outcome, path, value)| Expected::Member { outcome, path, value }),
            (text(), text()).prop_map(|(member, shape)| Expected::Shape { member, shape }),
            text().prop_map(Expected::Echo),
            Just(Expected::UniqueUploadId),
            any::<u16>().prop_map(Expected::Status),
            Just(Expected::ContentType),
            Just(Expected::VisibleType),
            Just(Expected::Message),
            text().prop_map(Expected::MessageText),
            Just(Expected::NoServerFault),
            proptest::sample::select(&Service::ALL[..]).prop_map(Expected::Service),
            Just(Expected::DocumentedResponse),
            Just(Expected::InTime),
            Just(Expected::LayerAfterUpload),
            Just(Expected::PlainResponse),
        ]
    }

    #[test]
    fn every_variant_reads_back() {
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        let seen = std::cell::RefCell::new(BTreeSet::new());
        let reads_back = |expected: Expected| {
            seen.borrow_mut().insert(variant(&expected));
            prop_assert_eq!(expected.code().parse(), Ok(expected));
            Ok(())
        };
        runner.run(&drawn(), reads_back).unwrap();
        assert!(seen.into_inner().into_iter().eq(0..VARIANTS), "every variant is drawn");
    }

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
    }

    #[test]
    fn what_is_no_code_is_rejected() {
        for text in [
            "",
            " 200",
            "200 ",
            "200 or ",
            "200 {\"a\":1}",
            "200 with \"a\" 1",
            "nothing",
            "status",
            "status x",
            "status +400",
            "status 0400",
            "content-type ",
            "echo",
            "echo a b",
            "echo \"a\"",
            "shape",
            "shape a",
            "unique",
            "service s3",
            "anything but a server fault",
        ] {
            assert_eq!(text.parse::<Expected>(), Err(NoCode::Unknown(String::from(text))), "{text:?}");
        }
        let why = |text: &str| text.parse::<Expected>().unwrap_err().to_string();
        assert_eq!(why("400 FooException"), "expected a documented error type, found \"FooException\"");
        let status = "expected status 400 with UploadNotFoundException, found 404";
        assert_eq!(why("200 or 404 UploadNotFoundException"), status);
    }
}
