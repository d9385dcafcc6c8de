//! What the AWS CLI says of a call: its exit code, what it prints, and where it failed why.
//!
//! Exit codes: 0 for a success. Version 2 ends with 254 where the service answered with an error, 252 where the command or a
//! parameter is wrong, 253 where the configuration is, and 255 otherwise. Version 1 ends with 2 where the command is wrong,
//! and with 255 in all other cases. So what is printed counts, and the code only where nothing else tells.

use serde_json::{Map, Value};

use crate::drive::caller::CallError;
use crate::wire::{NoConnection, Observation, Shown, TransportError};

/// How a process ended, and what it printed.
#[derive(Debug)]
pub(super) struct Ended {
    /// Its exit code; none if it was killed.
    pub code: Option<i32>,
    /// Its standard output.
    pub out: Vec<u8>,
    /// Its standard error.
    pub err: Vec<u8>,
}

/// What comes before the type of an error.
const ERROR: &str = "An error occurred (";

/// What the AWS CLI says that did not make the call.
const NOT_MADE: [&str; 6] = [
    "Parameter validation failed",
    "Error parsing parameter",
    "Unknown options:",
    "aws: error:",
    "[ERROR]: Unknown options",
    "Unable to locate credentials",
];

/// What it says where there is no response.
const TROUBLES: [(&str, TransportError); 11] = [
    ("Connect timeout on endpoint URL", TransportError::Unreachable(NoConnection::TimedOut)),
    ("Read timeout on endpoint URL", TransportError::Silent),
    ("Could not connect to the endpoint URL", TransportError::Unreachable(NoConnection::Unknown)),
    ("Connection was closed before we received a valid response", TransportError::Dropped),
    ("certificate has expired", TransportError::Unreachable(NoConnection::CertificateExpired)),
    ("Hostname mismatch", TransportError::Unreachable(NoConnection::CertificateOfAnotherHost)),
    ("IP address mismatch", TransportError::Unreachable(NoConnection::CertificateOfAnotherHost)),
    ("self-signed certificate", TransportError::Unreachable(NoConnection::UnknownIssuer)),
    ("unable to get local issuer certificate", TransportError::Unreachable(NoConnection::UnknownIssuer)),
    ("SSL validation failed", TransportError::Unreachable(NoConnection::HandshakeFailed)),
    ("HTTP Client raised an unhandled exception", TransportError::Dropped),
];

impl Ended {
    /// What is to be judged.
    pub fn outcome(self) -> Result<Observation, CallError> {
        let told = String::from_utf8_lossy(&self.err).trim().to_string();
        match self.code {
            Some(0) => Ok(self.success().with(Shown::Outcome(None))),
            None => Err(CallError::NoAnswer(TransportError::Unreachable(NoConnection::Unknown))),
            Some(code) => failed(code, &told).map(|seen| seen.told(&told)),
        }
    }

    fn success(&self) -> Observation {
        let printed = self.out.trim_ascii();
        if printed.is_empty() {
            return Observation::of_success(Map::new()); // It prints nothing for an object without members.
        }
        match serde_json::from_slice(printed) {
            Ok(Value::Object(members)) => Observation::of_success(members),
            _ => Observation::of_no_object(),
        }
    }
}

fn failed(code: i32, told: &str) -> Result<Observation, CallError> {
    if let Some((code, message)) = error(told) {
        // Where a response names no type, botocore puts the status in its place.
        let status = code.parse().ok();
        let name = Some(code).filter(|code| status.is_none() && *code != "Unknown");
        return Ok(Observation::of_error(name, message, Map::new()).with(Shown::Outcome(status)));
    }
    if let Some((_, trouble)) = TROUBLES.iter().find(|(text, _)| told.contains(text)) {
        return Err(CallError::NoAnswer(*trouble));
    }
    if matches!(code, 2 | 252 | 253) || NOT_MADE.iter().any(|text| told.contains(text)) {
        let why = told.lines().skip_while(|line| !NOT_MADE.iter().any(|text| line.contains(text)));
        let why = why.filter(|line| !line.trim().is_empty()).collect::<Vec<_>>().join(" ");
        return Err(CallError::NotMade(if why.is_empty() { String::from(told) } else { why }));
    }
    // It could not read the response: for whoever calls it, the call failed.
    Ok(Observation::of_error(None, None, Map::new()).with(Shown::Outcome(None)))
}

/// Code and message of an error of the service.
fn error(told: &str) -> Option<(&str, Option<&str>)> {
    let (_, rest) = told.split_once(ERROR)?;
    let (code, rest) = rest.split_once(") when calling the ")?;
    let (_, rest) = rest.split_once(" operation")?;
    let rest = match rest.strip_prefix(" (reached max retries: ") {
        Some(rest) => rest.split_once(')')?.1,
        None => rest,
    };
    let message = rest.strip_prefix(':').map(str::trim);
    // Version 2 prints the members of an error below its message, if it prints them.
    let message = message.map(|message| message.split("\n\nAdditional error details:").next().unwrap_or(message));
    Some((code, message.filter(|message| !message.is_empty())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: i32, out: &str, err: &str) -> Result<Observation, CallError> {
        Ended { code: Some(code), out: out.into(), err: err.into() }.outcome()
    }

    #[test]
    fn a_success_is_what_is_printed() {
        assert_eq!(of(0, "{\n  \"uploadId\": \"a\"\n}\n", "").unwrap().success().unwrap().len(), 1);
        assert_eq!(of(0, "", "").unwrap().success(), Some(&Map::new()));
        assert_eq!(of(0, "None\n", "").unwrap().success(), None);
    }

    #[test]
    fn an_error_of_the_service_has_type_and_message() {
        for code in [254, 255] {
            let told = "\nAn error occurred (InvalidLayerException) when calling the CompleteLayerUpload operation \
                        (reached max retries: 0): The digests: no\n";
            let seen = of(code, "", told).unwrap();
            let error = seen.error().unwrap();
            assert_eq!(error.name.as_deref(), Some("InvalidLayerException"));
            assert_eq!(error.message.as_deref(), Some("The digests: no"));
            assert!(!seen.shows_error_members() && seen.words.unwrap().starts_with("An error occurred (Inv"));
        }
        let seen = of(254, "", "An error occurred (400) when calling the X operation: ").unwrap();
        assert_eq!((seen.error_name(), seen.status(), seen.error().unwrap().message.clone()), (None, Some(400), None));
        let seen = of(255, "", "An error occurred (500) when calling the X operation: <html>").unwrap();
        assert!(seen.is_server_fault() && !seen.shows_error_members(), "{seen:?}");
    }

    #[test]
    fn what_was_not_sent_says_why() {
        let why = |code: i32, told: &str| match of(code, "", told) {
            Err(CallError::NotMade(why)) => why,
            other => panic!("{told}: {other:?}"),
        };
        let invalid = "\nParameter validation failed:\nMissing required parameter in input: \"uploadId\"\n";
        let told = "Parameter validation failed: Missing required parameter in input: \"uploadId\"";
        assert_eq!((why(255, invalid).as_str(), why(252, invalid).as_str()), (told, told));
        let usage =
            "usage: aws [options]\n\n  aws help\naws: error: the following arguments are required: --upload-id\n";
        assert_eq!(why(2, usage), "aws: error: the following arguments are required: --upload-id");
    }

    #[test]
    fn no_response_is_trouble_and_an_unreadable_one_an_error() {
        let told = "Could not connect to the endpoint URL: \"http://127.0.0.1:1/\"";
        assert_eq!(of(255, "", told), Err(CallError::NoAnswer(TransportError::Unreachable(NoConnection::Unknown))));
        let killed = Ended { code: None, out: Vec::new(), err: Vec::new() };
        assert!(matches!(killed.outcome(), Err(CallError::NoAnswer(TransportError::Unreachable(_)))));
        let seen = of(255, "", "'list' object has no attribute 'get'").unwrap();
        assert_eq!((seen.error_name(), seen.is_error()), (None, true));
    }
}
