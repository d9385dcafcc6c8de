//! Sends calls again that a target throttles.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::{sleep, sleep_until};

use super::throttling::Throttling;
use crate::wire::{Exchange, Outgoing};

/// How long a run waits for a target that throttles: for all its workers together, so that they learn from one another.
#[derive(Debug)]
pub struct Patience {
    clock: Instant,
    throttling: Mutex<Throttling>,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience { clock: Instant::now(), throttling: Mutex::default() }
    }
}

impl Patience {
    /// Waits until it is the turn of a request.
    pub(super) async fn turn(&self, request: &Outgoing) {
        let at = self.throttling().turn(request.operation(), self.clock.elapsed());
        if at > self.clock.elapsed() {
            sleep_until((self.clock + at).into()).await;
        }
    }

    /// Whether a call is to be sent again, after a while that this waits. It was throttled so often before.
    pub(super) async fn is_sent_again(&self, exchange: &Exchange, times: u32) -> bool {
        if exchange.observed().is_ok_and(|seen| seen.is_throttled()) {
            return self.waits_after(exchange, times + 1).await;
        }
        self.throttling().answered(exchange.request.operation(), times);
        false
    }

    /// Waits after a call was throttled for the so manieth time. Whether it is to be sent again.
    async fn waits_after(&self, exchange: &Exchange, times: u32) -> bool {
        let (operation, now) = (exchange.request.operation(), self.clock.elapsed());
        let pause = self.throttling().throttled(operation, times, retry_after(exchange), now);
        if let Some(pause) = pause {
            sleep(pause).await;
        }
        pause.is_some()
    }

    fn throttling(&self) -> MutexGuard<'_, Throttling> {
        // Numbers: a panic leaves them usable.
        self.throttling.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a response asks to wait. A date is not read: what throttles says seconds.
fn retry_after(exchange: &Exchange) -> Option<Duration> {
    let seconds = exchange.response()?.header("retry-after")?.trim().parse::<u32>().ok()?;
    Some(Duration::from_secs(seconds.into()))
}
