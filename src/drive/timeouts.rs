//! How long is waited for a target.

use std::time::Duration;

use crate::wire::Request;

/// How long is waited.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// For a connection over TCP.
    pub connect: Duration,
    /// For the first byte of an answer, from the first byte of the request; a second more for each MiB sent. As long for
    /// the handshake of TLS.
    pub first_byte: Duration,
    /// For the rest of an answer.
    pub rest: Duration,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts { connect: Duration::from_secs(5), first_byte: Duration::from_secs(10), rest: Duration::from_secs(10) }
    }
}

/// How long is waited, with what the target has shown so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waits {
    /// As it was asked for.
    pub of: Timeouts,
    /// For more of a body that is a whole JSON object already, and not as long as its head says.
    pub quiet: Duration,
}

impl Waits {
    /// After so many answers that were not as long as their heads say it is known that nothing more comes.
    pub fn after(stalled: usize, of: Timeouts) -> Waits {
        let quiet = if stalled < 3 { Duration::from_secs(2) } else { Duration::from_millis(50) };
        Waits { of, quiet: quiet.min(of.rest / 4) }
    }
}

impl Timeouts {
    pub(super) fn first_byte_of(&self, request: &Request) -> Duration {
        self.first_byte_after(request.body.len())
    }

    /// For the first byte of an answer to so many bytes.
    pub(super) fn first_byte_after(&self, sent: usize) -> Duration {
        self.first_byte + Duration::from_secs((sent >> 20) as u64)
    }
}
