//! The smallest sequences that show what random cases found. To make a finding small names nothing anew: it shows the same
//! with less.

use std::time::{Duration, Instant};

use proptest::strategy::ValueTree as _;
use tokio::sync::mpsc;

use super::outcome::{Failed, Named};
use super::random::on_purpose;
use super::select::locked;
use super::worker::{Shared, Worker};
use crate::case::Case;
use crate::events::Judged;
use crate::generate::plan::Shrinking;
use crate::generate::realise;
use crate::judge::{Finding, NotJudged, Verdict};
use crate::search::Effort;
use crate::session::Session;

/// How often the smallest sequence of a finding is tried again: what does not show each time is unstable.
const CONFIRMATIONS: usize = 3;

/// Attempts of a case that come after those of its first verdict: bytes differ from attempt to attempt.
const FIRST_ATTEMPT: u32 = 100;

/// What became of a finding that was to be shrunk.
enum Shrunk {
    /// The smallest sequence that shows it each time.
    Small(Box<Judged>),
    /// It did not show each time, as the reason says.
    Unstable(NotJudged),
}

/// What is spent on making failures small in all, by all workers together: on a target that answers, hundreds of them.
const EFFORT_IN_ALL: Duration = Duration::from_secs(120);

impl Shared {
    /// Whether another failure is made small: what is found is told in any case.
    fn has_effort_left(&self) -> bool {
        *locked(&self.shrinking) < EFFORT_IN_ALL && !self.selection.is_settled()
    }
}

impl Worker {
    /// Makes those small that wait for it.
    pub(super) async fn make_all_small(mut self, sender: mpsc::Sender<Box<Judged>>) {
        let shared = self.shared.clone();
        let next = || locked(&shared.failed).pop_front();
        while let Some(failed) = next() {
            let over = shared.is_stopped() || !shared.has_effort_left();
            let judged = if over { failed.judged } else { self.made_small(failed).await };
            if sender.send(Box::new(judged)).await.is_err() {
                break;
            }
        }
        self.leave().await;
    }

    /// The same with the smallest sequences that show what it found; inconclusive if something does not show each time.
    pub(super) async fn made_small(&mut self, failed: Failed) -> Judged {
        let shared = self.shared.clone();
        let Failed { case, mut judged, named } = failed;
        let Some(session) = shared.session(case.service) else { return judged };
        for one in named {
            if !shared.has_effort_left() {
                break;
            }
            let began = Instant::now();
            let shrunk = self.shrunk(judged.index, &case, &one, session).await;
            *locked(&shared.shrinking) += began.elapsed();
            match shrunk {
                // It may have been the smallest before.
                Shrunk::Small(small) if small.case == case.id => {}
                Shrunk::Small(small) => judged.smaller.push(*small),
                Shrunk::Unstable(reason) => {
                    locked(&shared.causes).remove(&one.finding.cause());
                    return Judged { verdict: Verdict::Inconclusive { reason }, smaller: Vec::new(), ..judged };
                }
            }
        }
        judged
    }

    /// The smallest sequence that shows a finding of a random case, if it does each time that it is tried.
    async fn shrunk(&mut self, index: usize, case: &Case, named: &Named, session: &Session) -> Shrunk {
        let shared = self.shared.clone();
        let Named { finding, plan } = named;
        let shown = |case: &Case, judged: &Judged| {
            let plan = case.plan.as_ref()?;
            let place = |found: &Finding| case.steps.iter().position(|step| step.name == found.step);
            let found = judged.verdict.findings().iter().cloned();
            let mut named = found.filter_map(|found| Some(on_purpose(case.service, plan, place(&found)?, found)));
            named.find(|found| found.is_same(finding))
        };
        let mut attempt = FIRST_ATTEMPT;
        let effort = Effort::usual();
        let mut smaller = Shrinking::of(plan.clone());
        let mut going = smaller.simplify();
        let is_over = || shared.is_stopped() || shared.selection.is_settled();
        while going && effort.allows(attempt - FIRST_ATTEMPT) && !is_over() {
            attempt += 1;
            let tried = realise(case.service, &smaller.current());
            let judged = self.once(index, &tried, session, attempt).await;
            going = if shown(&tried, &judged).is_some() { smaller.simplify() } else { smaller.complicate() };
        }
        let small = realise(case.service, smaller.best());
        let (calls, before) = (small.steps.len(), case.steps.len());
        let small = Case { title: format!("{calls} calls, shrunk from {before} of {}", case.id), ..small };
        let mut times = 0;
        let mut last = None;
        for _ in 0..CONFIRMATIONS {
            attempt += 1;
            let again = self.once(index, &small, session, attempt).await;
            if let Some(found) = shown(&small, &again) {
                times += 1;
                // What else such a sequence shows has a sequence of its own.
                last = Some(Judged { verdict: Verdict::Fail { findings: vec![found] }, ..again });
            }
        }
        match last.filter(|_| times == CONFIRMATIONS) {
            Some(small) => Shrunk::Small(Box::new(small)),
            None => {
                Shrunk::Unstable(NotJudged::Flaky { finding: finding.sentence(), shown: times, tried: CONFIRMATIONS })
            }
        }
    }
}
