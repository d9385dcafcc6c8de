//! Keeps the number of requests a second below a bound: of all, and where the real service is asked, of each operation.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::contract::quota::requests_per_second;
use crate::contract::{Operation, Service};

/// A bound on requests a second, for all workers of a run together.
#[derive(Debug, Default)]
pub struct Pace {
    all: Option<Lane>,
    /// Of the operations that have a bound of their own; what is none has that of `None`.
    each: HashMap<(Service, Option<Operation>), Lane>,
}

/// Turns that are an interval apart.
#[derive(Debug)]
struct Lane {
    interval: Duration,
    next: Mutex<Instant>,
}

/// How many requests a second a guest sends of operations of which no document says how many there may be.
const UNKNOWN: f64 = 5.0;

impl Pace {
    /// At most so many requests a second.
    pub fn per_second(rate: f64) -> Pace {
        Pace { all: Some(Lane::per_second(rate)), each: HashMap::new() }
    }

    /// The same pace, and of each operation at most half of what the real service takes: the account has other users.
    pub fn as_guest(self) -> Pace {
        let mut each = HashMap::new();
        for service in Service::ALL {
            let operations = Operation::ALL.iter().copied().map(Some).chain([None]);
            each.extend(
                operations.map(|operation| ((service, operation), Lane::per_second(guest(service, operation)))),
            );
        }
        Pace { each, ..self }
    }

    /// Waits for the turn of the next request of an operation. Turns are given out in order and never saved up.
    pub async fn turn(&self, service: Service, operation: Option<Operation>) {
        for lane in self.each.get(&(service, operation)).into_iter().chain(&self.all) {
            tokio::time::sleep_until(lane.turn().into()).await;
        }
    }
}

/// How many requests of an operation a guest sends a second.
pub fn guest(service: Service, operation: Option<Operation>) -> f64 {
    let quota = operation.and_then(|operation| requests_per_second(service, operation));
    quota.map_or(UNKNOWN, |quota| f64::from(quota) / 2.0)
}

impl Lane {
    fn per_second(rate: f64) -> Lane {
        Lane { interval: Duration::from_secs_f64(1.0 / rate), next: Mutex::new(Instant::now()) }
    }

    fn turn(&self) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let at = (*next).max(Instant::now());
        *next = at + self.interval;
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INITIATE: Option<Operation> = Some(Operation::InitiateLayerUpload);

    #[tokio::test]
    async fn turns_are_an_interval_apart() {
        let pace = Pace::per_second(100.0);
        let start = Instant::now();
        for _ in 0..6 {
            pace.turn(Service::Ecr, INITIATE).await;
        }
        assert!(start.elapsed() >= Duration::from_millis(50), "five intervals of 10 ms");
    }

    #[tokio::test]
    async fn a_guest_has_a_pace_for_each_operation() {
        let pace = Pace::default().as_guest();
        let start = Instant::now();
        for operation in Operation::ALL {
            pace.turn(Service::EcrPublic, Some(*operation)).await;
        }
        pace.turn(Service::EcrPublic, None).await;
        assert!(start.elapsed() < Duration::from_millis(190), "the first turn of each is at once");
        pace.turn(Service::EcrPublic, INITIATE).await;
        pace.turn(Service::EcrPublic, INITIATE).await;
        assert!(start.elapsed() >= Duration::from_millis(400), "two intervals of 200 ms");
    }
}
