//! Random cases: which violation of its request a finding is put down to, and the smallest sequence that shows it.
//!
//! What a random case comes to is a matter of the target and the case alone, whatever other cases found and when: of a
//! request with several violations, those are named that are answered so by themselves. To make it small names nothing
//! anew: it shows the same finding with less.

use proptest::strategy::ValueTree as _;
use tokio::sync::mpsc;

use super::{Failed, Outcome, Worker, locked};
use crate::case::{Case, Plan};
use crate::contract::{Rules, Service};
use crate::drive::Survey;
use crate::generate::plan::Shrinking;
use crate::generate::realise;
use crate::judge::{Finding, NotJudged, Verdict};
use crate::report::event::Judged;
use crate::search::{Effort, is_of, rule};

/// How often the smallest sequence of a finding is tried again: what does not show each time is unstable.
const CONFIRMATIONS: usize = 3;

/// Attempts of a case that come after those of its first verdict: bytes differ from attempt to attempt.
const FIRST_ATTEMPT: u32 = 100;

/// A finding of a random case with its name, and the plan that shows it.
pub(super) struct Named {
    pub finding: Finding,
    plan: Plan,
}

/// What became of a finding that was to be made small.
enum Shrunk {
    /// The smallest sequence that shows it each time.
    Small(Box<Judged>),
    /// It did not show each time, as the reason says.
    Unstable(NotJudged),
}

impl Worker {
    /// Judges a random case. `None` where a search that goes on as long as there is time has nothing new to tell.
    pub(super) async fn random(&mut self, index: usize, case: Case) -> Option<Outcome> {
        let shared = self.shared.clone();
        let judged = self.judged(index, &case).await;
        locked(&shared.novelty).drew();
        let searches = shared.deadline.is_some();
        match judged.verdict {
            Verdict::Fail { .. } => {}
            Verdict::Pass if searches => {
                locked(&shared.novelty).unlogged(false);
                return None;
            }
            _ => return Some(Outcome::Judged(Box::new(judged))),
        }
        let mut failed = self.named(case, judged).await;
        failed.named.iter().for_each(|named| locked(&shared.novelty).found(&named.finding));
        if !searches {
            return Some(Outcome::Failed(failed));
        }
        {
            let mut causes = locked(&shared.causes);
            failed.named.retain(|named| causes.insert(named.finding.cause()));
        }
        if failed.named.is_empty() {
            locked(&shared.novelty).unlogged(true);
            return None;
        }
        // What else it shows was told before.
        let findings = failed.named.iter().map(|named| named.finding.clone()).collect();
        failed.judged.verdict = Verdict::Fail { findings };
        Some(Outcome::Judged(Box::new(self.made_small(failed).await)))
    }

    /// Makes those small that wait for it.
    pub(super) async fn make_all_small(mut self, sender: mpsc::Sender<Box<Judged>>) {
        let shared = self.shared.clone();
        let next = || locked(&shared.failed).pop_front();
        while let Some(failed) = next() {
            let stopped = *shared.stop.borrow();
            let judged = if stopped { failed.judged } else { self.made_small(failed).await };
            if sender.send(Box::new(judged)).await.is_err() {
                break;
            }
        }
        self.leave().await;
    }

    /// A random case that failed, each finding put down to the violations that show it.
    async fn named(&mut self, case: Case, judged: Judged) -> Failed {
        let mut named: Vec<Named> = Vec::new();
        for finding in judged.verdict.findings() {
            for one in self.put_down(judged.index, &case, finding).await {
                if !named.iter().any(|known| known.finding.is_same(&one.finding)) {
                    named.push(one);
                }
            }
        }
        let findings = named.iter().map(|named| named.finding.clone()).collect();
        Failed { judged: Judged { verdict: Verdict::Fail { findings }, ..judged }, case, named }
    }

    /// The findings that a finding is put down to. Of the violations of its request, one is left out at a time: what is
    /// answered alike without it, is not its. If all of them are needed, the finding is about all.
    async fn put_down(&mut self, index: usize, case: &Case, finding: &Finding) -> Vec<Named> {
        let mut plan = case.plan.clone().unwrap_or_default();
        // Each call of a plan is a step.
        let calls = case.steps.iter().take_while(|step| step.name != finding.step).count() + 1;
        plan.decisions.truncate(calls);
        let mut open = vec![Named { finding: finding.clone(), plan }];
        let mut named = Vec::new();
        while let Some(one) = open.pop() {
            let several = one.finding.is_about_request() && !one.finding.beside.is_empty();
            let stopped = *self.shared.stop.borrow();
            let known = open.len();
            for plan in if several && !stopped { fewer(&one.plan) } else { Vec::new() } {
                open.extend(self.last_of(index, case.service, plan, &one.finding).await);
            }
            if open.len() == known {
                let finding = on_purpose(case.service, &one.plan, calls - 1, one.finding);
                named.push(Named { finding, ..one });
            }
        }
        named
    }

    /// What the last call of a plan shows, if that is alike.
    async fn last_of(&mut self, index: usize, service: Service, plan: Plan, sought: &Finding) -> Option<Named> {
        let case = realise(service, &plan);
        let last = case.steps.last().filter(|_| case.steps.len() == plan.decisions.len())?;
        let judged = self.judged(index, &case).await;
        let alike = |found: &&Finding| {
            let named = |finding: &Finding| (finding.operation.clone(), finding.grade, finding.got.clone());
            found.step == last.name && named(found) == named(sought)
        };
        let found = judged.verdict.findings().iter().find(alike)?;
        Some(Named { finding: Finding { step: sought.step.clone(), ..found.clone() }, plan })
    }

    /// The same with the smallest sequences that show what it found; inconclusive if something does not show each time.
    async fn made_small(&mut self, failed: Failed) -> Judged {
        let shared = self.shared.clone();
        let Failed { case, mut judged, named } = failed;
        let Some(survey) = shared.survey(case.service) else { return judged };
        for one in named {
            match self.shrunk(judged.index, &case, &one, survey).await {
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
    async fn shrunk(&mut self, index: usize, case: &Case, named: &Named, survey: &Survey) -> Shrunk {
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
        while going && effort.allows(attempt - FIRST_ATTEMPT) && !*shared.stop.borrow() {
            attempt += 1;
            let tried = realise(case.service, &smaller.current());
            let judged = self.once(index, &tried, survey, attempt).await;
            going = if shown(&tried, &judged).is_some() { smaller.simplify() } else { smaller.complicate() };
        }
        let small = realise(case.service, smaller.best());
        let (calls, before) = (small.steps.len(), case.steps.len());
        let small = Case { title: format!("{calls} calls, made small from {before} of {}", case.id), ..small };
        let mut times = 0;
        let mut last = None;
        for _ in 0..CONFIRMATIONS {
            attempt += 1;
            let again = self.once(index, &small, survey, attempt).await;
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

/// A finding about what is wrong with its request on purpose. A state that is wrong as well, and by itself is answered
/// otherwise, is part of the sequence.
fn on_purpose(service: Service, plan: &Plan, call: usize, mut finding: Finding) -> Finding {
    let Some(call) = plan.decisions.get(call) else { return finding };
    let violations: Vec<String> =
        call.violations.iter().filter_map(|number| rule(service, call.operation, *number)).collect();
    finding.beside.retain(|beside| violations.iter().any(|violation| is_of(beside, violation)));
    finding.breach = Finding::breach_of(Rules::of(service), &finding.about, &finding.beside);
    finding
}

/// The plans whose last call has one violation less.
fn fewer(plan: &Plan) -> Vec<Plan> {
    let violations = plan.decisions.last().map_or(0, |last| last.violations.len());
    let without = |violation: usize| {
        let mut plan = plan.clone();
        plan.decisions.last_mut().into_iter().for_each(|last| {
            last.violations.remove(violation);
        });
        plan
    };
    (0..violations).map(without).collect()
}
