//! Which responses are far too slow. Pure: no clock, no target.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::case::{Case, Step, StepRole, Transcript};
use crate::contract::{Operation, RuleId, Rules};
use crate::judge::{Expected, Finding, Got, Grade, Witness};
use crate::wire::Exchange;

/// What is answered faster is not slow, whatever valid requests take; a second more for each MiB that was sent.
const LONG: Duration = Duration::from_secs(1);

/// So many times what a valid request takes is far longer.
const FAR: u32 = 50;

/// How many of the last valid requests of an operation are looked at.
const REMEMBERED: usize = 31;

/// So often a response must be slow to be found so.
pub(super) const TIMES: usize = 3;

/// After so many findings for an operation no more are sought: each costs seconds.
const ENOUGH: usize = 3;

/// That a response comes in time.
const IN_TIME: RuleId = RuleId::new("always/in-time");

/// How long valid requests take on a target, and what was found to take far longer.
#[derive(Debug, Default)]
pub(super) struct Pace {
    valid: HashMap<Operation, VecDeque<Duration>>,
    found: HashMap<Option<Operation>, usize>,
}

/// A response that was slow, each time that it was asked for so far.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Slow {
    /// The index of its step.
    pub step: usize,
    /// How long it took.
    pub took: Duration,
    /// What a valid request takes.
    pub valid: Duration,
}

impl Pace {
    /// Learns from the requests of a case, and says which responses to invalid ones were slow.
    pub fn learn(&mut self, case: &Case, transcript: &Transcript) -> Vec<Slow> {
        let mut slow = Vec::new();
        for (index, (step, exchange)) in case.steps.iter().zip(&transcript.exchanges).enumerate() {
            let is_success = exchange.observed().is_ok_and(|seen| !seen.is_error());
            if let Some(operation) = step.operation.filter(|_| is_success && step.expect.is_success()) {
                let valid = self.valid.entry(operation).or_default();
                valid.push_back(exchange.took);
                if valid.len() > REMEMBERED {
                    valid.pop_front();
                }
            }
            if is_long(exchange)
                && is_invalid(step)
                && let Some(valid) = self.usual(step.operation)
                && exchange.took > valid * FAR
            {
                slow.push(Slow { step: index, took: exchange.took, valid });
            }
        }
        slow
    }

    /// What a valid request of an operation takes; of a request that names none, a valid one of any.
    fn usual(&self, operation: Option<Operation>) -> Option<Duration> {
        let all = || self.valid.values().flatten().copied().collect::<Vec<_>>();
        let known = operation.and_then(|operation| self.valid.get(&operation));
        let mut times = known.map_or_else(all, |known| known.iter().copied().collect());
        times.sort_unstable();
        times.get(times.len() / 2).copied()
    }

    /// Whether it is worth asking again what was slow once.
    pub fn seeks(&self, operation: Option<Operation>) -> bool {
        self.found.get(&operation).is_none_or(|found| *found < ENOUGH)
    }

    /// A response was slow each time.
    pub fn found(&mut self, operation: Option<Operation>) {
        *self.found.entry(operation).or_default() += 1;
    }
}

/// Whether nothing but an error is allowed.
fn is_invalid(step: &Step) -> bool {
    step.role == StepRole::Focus && !step.expect.outcomes.iter().any(|outcome| outcome.is_success())
}

/// Whether a response took so long that it is worth asking what valid requests take.
fn is_long(exchange: &Exchange) -> bool {
    let mebibytes = (exchange.sent() >> 20) as u32;
    exchange.reply.is_ok() && !exchange.may_have_waited() && exchange.took > LONG * (1 + mebibytes)
}

/// The finding of responses that were slow each time, the first of which is given.
pub(super) fn finding(case: &Case, first: &Slow, times: &[Duration]) -> Finding {
    let step = &case.steps[first.step];
    let rules = Rules::of(case.service);
    let sources = rules.get(IN_TIME).map(|rule| rule.sources.iter().map(|source| String::from(source.id)).collect());
    let about = step.expect.rule;
    let call =
        |took: &Duration| format!("{}, {} ms; a valid one {} ms", step.name, took.as_millis(), first.valid.as_millis());
    Finding {
        rule: IN_TIME,
        operation: step.operation,
        tier: rules.get(IN_TIME).map_or(step.expect.tier, |rule| rule.tier),
        sources: sources.unwrap_or_default(),
        rejection: None,
        grade: Grade::Slow,
        about,
        also_broken: step.also_broken.clone(),
        accept_as: Finding::acceptable_as(IN_TIME, about),
        step: step.name.clone(),
        breach: Finding::breach_of(rules, about, &step.also_broken),
        expected: Expected::InTime,
        got: Got::Slow,
        client: None,
        witness: Some(Witness { seen: times.len(), rounds: times.len(), calls: times.iter().map(call).collect() }),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::json;

    use super::*;
    use crate::case::draft::{Draft, HERE};
    use crate::contract::Service;
    use crate::model::operation::body;
    use crate::wire::envelope;

    /// What is slow of a valid InitiateLayerUpload and an invalid one, in milliseconds, with so many bytes.
    fn slow(valid: u64, invalid: u64, bytes: usize) -> bool {
        let initiate = Operation::InitiateLayerUpload;
        let case = Draft::new(Service::Ecr, "some/case", "some case")
            .focus(RuleId::new("InitiateLayerUpload/accepted"), initiate, body::repository(HERE))
            .focus(RuleId::new("InitiateLayerUpload/repositoryName/exists"), initiate, body::repository("absent"))
            .done();
        let exchange = |millis: u64, answer, bytes: usize| {
            let request = envelope::request(Service::Ecr, initiate, Bytes::from(vec![b' '; bytes]));
            Exchange::new(request, Ok(answer), Duration::ZERO, Duration::from_millis(millis))
        };
        let right = envelope::response(200, &json!({ "uploadId": "1" }));
        let wrong = envelope::response(400, &json!({ "__type": "RepositoryNotFoundException" }));
        let exchanges = vec![exchange(valid, right, 2), exchange(invalid, wrong, bytes)];
        !Pace::default().learn(&case, &Transcript::of(&case, exchanges)).is_empty()
    }

    #[test]
    fn slow_is_what_takes_over_a_second_and_far_longer_than_what_is_valid() {
        assert!(slow(1, 1001, 2));
        assert!(!slow(1, 1000, 2), "not over a second");
        assert!(slow(20, 1001, 2));
        assert!(!slow(21, 1001, 2), "valid ones take long as well");
        assert!(!slow(1, 1001, 1 << 20), "it takes a while to send so much");
        assert!(slow(1, 2001, 1 << 20));
    }

    #[test]
    fn a_finding_or_three_are_enough() {
        let mut pace = Pace::default();
        for _ in 0..ENOUGH {
            assert!(pace.seeks(None));
            pace.found(None);
        }
        assert!(!pace.seeks(None) && pace.seeks(Some(Operation::UploadLayerPart)));
    }
}
