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

/// Of a target that was silent so often, answers are waited for less long.
const SILENT_OFTEN: usize = 3;

/// How long is waited, with what the target has shown so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waits {
    /// As it was asked for.
    pub of: Timeouts,
    /// For more of a body that is a whole JSON object already, and not as long as its head says.
    pub quiet: Duration,
}

/// What a target has shown of how long its answers take.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shown {
    /// How many answers were not as long as their heads say, although the connection did not end.
    pub stalled: usize,
    /// How many requests had no answer in time.
    pub silent: usize,
    /// What the slowest answer took.
    pub slowest: Duration,
}

impl Waits {
    /// After so many answers that were not as long as their heads say it is known that nothing more comes; after so many
    /// that did not come, that others will not either: those that come do so in a fifth of the time, or in four times what
    /// the slowest took that came.
    pub fn after(shown: Shown, asked: Timeouts) -> Waits {
        let enough = |time: Duration| match shown.silent < SILENT_OFTEN {
            true => time,
            false => (time / 5).max(shown.slowest * 4).min(time),
        };
        let of = Timeouts { first_byte: enough(asked.first_byte), rest: enough(asked.rest), ..asked };
        let quiet = if shown.stalled < 3 { Duration::from_secs(2) } else { Duration::from_millis(50) };
        Waits { of, quiet: quiet.min(of.rest / 4) }
    }
}

impl Timeouts {
    /// Those of a target that may take so long for the first byte of an answer: half of it for the rest.
    pub fn of(first_byte: Duration) -> Timeouts {
        Timeouts { connect: CONNECT.min(first_byte), first_byte, rest: first_byte / 2 }
    }

    pub(super) fn first_byte_of(&self, request: &Request) -> Duration {
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

    #[test]
    fn who_was_silent_often_is_waited_for_less_long_unless_it_is_slow() {
        let asked = Timeouts::of(Duration::from_secs(10));
        let waits = |silent: usize, slowest: u64| {
            let shown = Shown { silent, slowest: Duration::from_millis(slowest), ..Shown::default() };
            Waits::after(shown, asked).of.first_byte.as_millis()
        };
        assert_eq!(waits(SILENT_OFTEN - 1, 3), 10_000);
        assert_eq!(waits(SILENT_OFTEN, 3), 2_000);
        assert_eq!(waits(SILENT_OFTEN, 1_000), 4_000);
        assert_eq!(waits(SILENT_OFTEN, 9_000), 10_000, "never longer than was asked for");
        assert_eq!(Timeouts::of(Duration::from_secs(3)).connect, Duration::from_secs(3));
    }
}
