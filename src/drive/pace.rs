//! Keeps the number of requests a second below a bound.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A bound on requests a second, for all workers of a run together.
#[derive(Debug)]
pub struct Pace {
    interval: Duration,
    next: Mutex<Instant>,
}

impl Pace {
    /// At most so many requests a second.
    pub fn per_second(rate: f64) -> Pace {
        Pace { interval: Duration::from_secs_f64(1.0 / rate), next: Mutex::new(Instant::now()) }
    }

    /// Waits for the turn of the next request. Turns are given out in order and never saved up.
    pub async fn turn(&self) {
        let at = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let at = (*next).max(Instant::now());
            *next = at + self.interval;
            at
        };
        tokio::time::sleep_until(at.into()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn turns_are_an_interval_apart() {
        let pace = Pace::per_second(100.0);
        let start = Instant::now();
        for _ in 0..6 {
            pace.turn().await;
        }
        assert!(start.elapsed() >= Duration::from_millis(50), "five intervals of 10 ms");
    }
}
