//! Where a driver goes, and what it goes by.

use std::path::PathBuf;

use super::process::Identity;
use super::timeouts::Timeouts;
use crate::case::Case;
use crate::wire::{ClientCertificate, Trust};

/// Where a driver goes, and what it goes by.
#[derive(Clone, Debug)]
pub struct Way {
    /// The URL of the target.
    pub endpoint: String,
    /// How long is waited.
    pub timeouts: Timeouts,
    /// Which of its certificates are accepted.
    pub trust: Trust,
    /// The certificate that it is shown if it asks for one.
    pub certificate: Option<ClientCertificate>,
    /// Whose credentials clients sign with that sign by themselves.
    pub identity: Identity,
    /// How many cases are under way at once.
    pub jobs: usize,
    /// The Python that has boto3; the one on PATH if none is named.
    pub python: Option<PathBuf>,
    /// The AWS CLI; the one on PATH if none is named.
    pub aws: Option<PathBuf>,
}

impl Way {
    /// The way of whoever says nothing but where to go.
    pub fn to(endpoint: &str) -> Way {
        Way {
            endpoint: String::from(endpoint),
            timeouts: Timeouts::default(),
            trust: Trust::System,
            certificate: None,
            identity: Identity::default(),
            jobs: 1,
            python: None,
            aws: None,
        }
    }

    /// How many calls are under way at once at most: those of a case that sends some at once do not wait for one another.
    pub(super) fn calls(&self) -> usize {
        self.jobs.max(Case::MAX_AT_ONCE)
    }
}
