//! What a client shows of a response: all of it, or what it made of it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Decoded, Observation, Response};

/// The client that sends the requests, as far as a report tells of it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Client {
    /// What it is called.
    pub name: String,
    /// What it shows of a response: what it does not show is not judged.
    pub shows: Shows,
}

/// How much of a response a client shows; more from one to the next.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shows {
    /// The members of a success; type and message of an error.
    Outcome,
    /// The members of an error as well.
    Members,
    /// The HTTP status as well.
    Status,
    /// All of it, as HTTP has it.
    Http,
}

/// A response, as far as the client shows it.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The HTTP response, exactly as it came in.
    Http(Response),
    /// What a client made of it that shows no response, as command-line tools and SDKs do.
    Observed(Arc<Observation>),
}

impl Answer {
    /// The HTTP response, if the client shows it.
    pub fn response(&self) -> Option<&Response> {
        match self {
            Answer::Http(response) => Some(response),
            Answer::Observed(_) => None,
        }
    }

    /// The body of the HTTP response; without one, the members that the client shows, as JSON.
    pub fn body(&self) -> Cow<'_, [u8]> {
        match self {
            Answer::Http(response) => Cow::Borrowed(&response.body),
            Answer::Observed(seen) => {
                let json = seen.members().map(|members| serde_json::to_vec(members).unwrap_or_default());
                Cow::Owned(json.unwrap_or_default())
            }
        }
    }
}

/// The status, or what the client says in its place.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Http(response) => write!(f, "{}", response.status),
            Answer::Observed(seen) if let Some(status) = seen.status() => write!(f, "{status}"),
            Answer::Observed(seen) => match (&seen.decoded, seen.error_name()) {
                (Decoded::Error { .. }, Some(name)) => write!(f, "error {name}"),
                (Decoded::Error { .. }, None) => f.write_str("error"),
                (Decoded::Success(_) | Decoded::NotAnObject, _) => f.write_str("success"),
            },
        }
    }
}
