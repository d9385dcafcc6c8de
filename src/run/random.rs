//! Random cases: which violation of its request a finding is put down to.
//!
//! What a random case comes to is a matter of the target and the case alone, whatever other cases found and when: of a
//! request with several violations, those are named that are answered so by themselves.

use super::outcome::{Failed, Named, Outcome};
use super::select::locked;
use super::worker::Worker;
use crate::case::{Case, Plan};
use crate::contract::{Rules, Service};
use crate::events::Judged;
use crate::generate::realise;
use crate::generate::violations::{Breaks, Violations};
use crate::judge::{Finding, Verdict};

impl Worker {
    /// Judges a random case. `None` where a search that goes on as long as there is time has nothing new to tell.
    pub(super) async fn random(&mut self, index: usize, case: Case) -> Option<Outcome> {
        let shared = self.shared.clone();
        let judged = self.judged(index, &case).await;
        locked(&shared.novelty).drew();
        let searches = shared.searches();
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
            return Some(Outcome::Failed(Box::new(failed)));
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
            let several = one.finding.is_about_request() && !one.finding.also_broken.is_empty();
            let stopped = self.shared.is_stopped();
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
            let named = |finding: &Finding| (finding.operation, finding.grade, finding.got.clone());
            found.step == last.name && named(found) == named(sought)
        };
        let found = judged.verdict.findings().iter().find(alike)?;
        Some(Named { finding: Finding { step: sought.step.clone(), ..found.clone() }, plan })
    }
}

/// A finding about what is wrong with its request on purpose. A state that is wrong as well, and by itself is answered
/// otherwise, is part of the sequence.
pub(super) fn on_purpose(service: Service, plan: &Plan, call: usize, mut finding: Finding) -> Finding {
    let Some(call) = plan.decisions.get(call) else { return finding };
    let violations = Violations::of(service, call.operation);
    let breaks: Vec<Breaks> = call.violations.iter().filter_map(|number| violations.breaks(*number)).collect();
    finding.also_broken.retain(|beside| {
        beside.operation() == Some(call.operation) && breaks.iter().any(|breaks| breaks.accounts_for(*beside))
    });
    finding.breach = Finding::breach_of(Rules::of(service), finding.about, &finding.also_broken);
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
