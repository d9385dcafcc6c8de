//! How many cases are under way at once: more where the target takes its time to answer, as long as that helps. Pure:
//! moments are counted from the beginning of the run.

use std::time::Duration;

/// Whoever answers faster is kept busy by few.
const SLOW: Duration = Duration::from_millis(5);

/// What twice as many cases at once must bring at least; more would only wait for one another otherwise.
const GAIN: f64 = 1.25;

/// The number of cases under way at once, and what it rests on.
#[derive(Debug)]
pub(super) struct Concurrency {
    jobs: usize,
    most: usize,
    /// Requests a second with half as many.
    before: Option<f64>,
    settled: bool,
    window: Window,
}

/// What came to an end since the number was last looked at.
#[derive(Debug, Default)]
struct Window {
    since: Duration,
    cases: usize,
    requests: usize,
    took: Duration,
}

impl Concurrency {
    /// So many at first, and so many at most.
    pub fn new(jobs: usize, most: usize, now: Duration) -> Concurrency {
        let jobs = jobs.max(1);
        let window = Window { since: now, ..Window::default() };
        Concurrency { jobs, most: most.max(jobs), before: None, settled: false, window }
    }

    /// A case ended that had so many requests, which took so long together. How many are to be under way from now on.
    pub fn case_ended(&mut self, requests: usize, took: Duration, now: Duration) -> usize {
        let window = &mut self.window;
        window.cases += usize::from(requests > 0);
        window.requests += requests;
        window.took += took;
        let is_enough = window.cases >= 2 * self.jobs && window.requests >= 4 * self.jobs;
        if self.settled || self.jobs >= self.most || !is_enough {
            return self.jobs;
        }
        let rate = window.requests as f64 / (now - window.since).as_secs_f64().max(1e-6);
        let is_slow = window.took >= SLOW * window.requests as u32;
        match self.before {
            _ if !is_slow => self.before = None,
            Some(before) if rate < before * GAIN => self.settled = true,
            _ => {
                self.before = Some(rate);
                self.jobs = (self.jobs * 2).min(self.most);
            }
        }
        self.window = Window { since: now, ..Window::default() };
        self.jobs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many are under way after a while, where a request takes so long by itself, and the target does so many at once.
    fn settled(latency: Duration, at_once: usize) -> usize {
        let mut concurrency = Concurrency::new(2, 64, Duration::ZERO);
        let mut now = Duration::ZERO;
        let mut jobs = 2;
        for _ in 0..2000 {
            // A case has five requests, which wait for their turn.
            let took = 5 * latency * jobs as u32 / jobs.min(at_once) as u32;
            now += took / jobs as u32;
            jobs = concurrency.case_ended(5, took, now);
        }
        jobs
    }

    #[test]
    fn it_grows_with_latency_as_long_as_that_helps() {
        assert_eq!(settled(Duration::from_micros(300), 64), 2, "two keep it busy");
        assert_eq!(settled(Duration::from_millis(100), 1000), 64);
        assert_eq!(settled(Duration::from_millis(100), 1), 4, "it does one at a time");
        assert_eq!(settled(Duration::from_millis(30), 8), 16);
    }

    #[test]
    fn no_more_than_is_wanted() {
        let mut concurrency = Concurrency::new(3, 0, Duration::ZERO);
        for number in 1..100 {
            assert_eq!(concurrency.case_ended(5, Duration::from_secs(1), Duration::from_secs(number)), 3);
        }
        assert_eq!(Concurrency::new(0, 0, Duration::ZERO).case_ended(0, Duration::ZERO, Duration::ZERO), 1);
    }
}
