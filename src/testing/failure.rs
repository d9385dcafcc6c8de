//! What a test fails with.

use std::fmt;

use crate::contract::Service;
use crate::judge::NotJudged;
#[cfg(all(feature = "run", feature = "terminal"))]
use crate::run::RunError;
use crate::wire::NoConnection;

/// Why a test fails: what was found, or why nothing could be judged.
///
/// Its `Debug` is its `Display`: a `#[test]` that returns it, and `unwrap`, show the report as it is to be read.
#[derive(Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// Something was found that counts, nothing was run, or a known deviation is no longer as its entry says: the report,
    /// for the reader.
    #[error("{0}")]
    Report(String),
    /// A case could not be judged.
    #[error("{case} could not be judged: {reason}{}", panicked(panic.as_deref()))]
    NotJudged {
        /// The id of the case.
        case: String,
        /// Why.
        reason: Box<NotJudged>,
        /// What the service panicked with in the case, if it did: `panicked at …`.
        panic: Option<String>,
    },
    /// The suite has no such case.
    #[error("no case of {service} has the id {id:?}{}", there_are(near))]
    NoCase {
        /// The service.
        service: Service,
        /// What was asked for.
        id: String,
        /// Ids of the cases that have it in theirs.
        near: Vec<String>,
    },
    /// The service takes no connection.
    #[error("no connection to the service: {0}")]
    NoConnection(NoConnection),
    /// The suite could not be run.
    #[cfg(all(feature = "run", feature = "terminal"))]
    #[error(transparent)]
    Run(#[from] RunError),
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn panicked(panic: Option<&str>) -> String {
    panic.map(|panic| format!("\n  the service {panic}")).unwrap_or_default()
}

fn there_are(near: &[String]) -> String {
    if near.is_empty() { String::new() } else { format!("; there are {}", near.join(", ")) }
}
