//! How long is waited for a target.

use std::collections::HashMap;
use std::time::Duration;

use crate::contract::Operation;
use crate::wire::{Flaw, Outgoing, Reply, TransportError};

/// How long is waited.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// For a connection over TCP.
    pub connect: Duration,
    /// For the first byte of an answer, from the first byte of the request; a second more for each MiB sent. As long for
    /// the handshake of TLS.
    pub first_byte: Duration,
    /// For the rest of an answer, however it comes: one byte after the other is no progress.
    pub rest: Duration,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts::of(Duration::from_secs(10))
    }
}

/// How long is waited for a connection at most.
const CONNECT: Duration = Duration::from_secs(5);

/// Of an operation that was silent so often, answers are waited for less long.
const SILENT_OFTEN: usize = 3;

/// After so many answers that were not as long as their heads say it is known that nothing more comes.
const STALLED_OFTEN: usize = 3;

/// How long is waited, with what the target has shown so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waits {
    /// As it was asked for.
    pub of: Timeouts,
    /// For more of a body that is a whole JSON object already, and not as long as its head says.
    pub quiet: Duration,
}

/// What a target has shown of how long its answers take.
#[derive(Clone, Debug, Default)]
pub(super) struct Shown {
    /// How many answers were not as long as their heads say, although the connection did not end.
    stalled: usize,
    of_operations: HashMap<Option<Operation>, Pace>,
}

/// How an operation answers.
#[derive(Clone, Copy, Debug, Default)]
struct Pace {
    /// How many requests had no answer in time.
    silent: usize,
    /// What the slowest answer took.
    slowest: Duration,
}

impl Shown {
    /// How long is waited for the answer to a request. After some that did not come it is likely that others will not
    /// either: those that come do so in a fifth of the time, or in four times what the slowest took. Each operation by
    /// itself: that one never answers does not make another one quick.
    pub fn waits(&self, request: &Outgoing, asked: Timeouts) -> Waits {
        let Pace { silent, slowest } = self.of_operations.get(&request.operation()).copied().unwrap_or_default();
        let enough = |time: Duration| match silent < SILENT_OFTEN {
            true => time,
            false => (time / 5).max(slowest * 4).min(time),
        };
        let of = Timeouts { first_byte: enough(asked.first_byte), rest: enough(asked.rest), ..asked };
        Waits { of, quiet: self.quiet(of.rest) }
    }

    fn quiet(&self, rest: Duration) -> Duration {
        let quiet = if self.stalled < STALLED_OFTEN { Duration::from_secs(2) } else { Duration::from_millis(50) };
        quiet.min(rest / 4)
    }

    /// Remembers how long the target took, or that it left an answer without its end.
    pub fn notice(&mut self, request: &Outgoing, reply: &Reply, took: Duration, asked: Timeouts) {
        let quiet = self.quiet(asked.rest);
        let pace = self.of_operations.entry(request.operation()).or_default();
        match reply {
            Ok(response) if response.flaw == Some(Flaw::Cut) && took >= quiet => self.stalled += 1,
            Ok(_) => pace.slowest = pace.slowest.max(took),
            Err(TransportError::Silent) => pace.silent += 1,
            Err(_) => {}
        }
    }
}

impl Timeouts {
    /// Those of a target that may take so long for the first byte of an answer: half of it for the rest.
    pub fn of(first_byte: Duration) -> Timeouts {
        Timeouts { connect: CONNECT.min(first_byte), first_byte, rest: first_byte / 2 }
    }

    pub(super) fn first_byte_of(&self, request: &Outgoing) -> Duration {
        self.first_byte_after(request.body.len())
    }

    /// For the first byte of an answer to so many bytes.
    pub(super) fn first_byte_after(&self, sent: usize) -> Duration {
        self.first_byte + Duration::from_secs((sent >> 20) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Service;
    use crate::wire::{Body, envelope};

    #[test]
    fn an_operation_that_was_silent_often_is_waited_for_less_long_unless_it_is_slow() {
        let asked = Timeouts::of(Duration::from_secs(10));
        let request = |operation| envelope::request(Service::Ecr, operation, Body::default());
        let (part, check) = (Operation::UploadLayerPart, Operation::BatchCheckLayerAvailability);
        let waits = |silent: usize, slowest: u64, whom: Operation| {
            let mut shown = Shown::default();
            let came = Ok(envelope::response(200, &serde_json::json!({})));
            shown.notice(&request(part), &came, Duration::from_millis(slowest), asked);
            for _ in 0..silent {
                shown.notice(&request(part), &Err(TransportError::Silent), asked.first_byte, asked);
            }
            shown.waits(&request(whom), asked).of.first_byte.as_millis()
        };
        assert_eq!(waits(SILENT_OFTEN - 1, 3, part), 10_000);
        assert_eq!(waits(SILENT_OFTEN, 3, part), 2_000);
        assert_eq!(waits(SILENT_OFTEN, 1_000, part), 4_000);
        assert_eq!(waits(SILENT_OFTEN, 9_000, part), 10_000, "never longer than was asked for");
        assert_eq!(waits(10 * SILENT_OFTEN, 3, check), 10_000, "of another operation nothing is known");
        assert_eq!(Timeouts::of(Duration::from_secs(3)).connect, Duration::from_secs(3));
    }
}
