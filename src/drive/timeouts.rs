//! How long is waited for a target.

use std::time::Duration;

use crate::wire::Request;

/// How long is waited.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// For the first byte of an answer, from the first byte of the request; a second more for each MiB sent.
    pub first_byte: Duration,
    /// For the rest of an answer.
    pub rest: Duration,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts { connect: Duration::from_secs(5), first_byte: Duration::from_secs(10), rest: Duration::from_secs(10) }
    }
}

impl Timeouts {
    pub(super) fn first_byte_of(&self, request: &Request) -> Duration {
        self.first_byte + Duration::from_secs((request.body.len() >> 20) as u64)
    }
}
