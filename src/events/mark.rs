//! What a case counts for in the scores.

use serde::{Deserialize, Serialize};

use crate::case::{Case, Step, StepRole, Transcript};
use crate::contract::RuleId;
use crate::expect::Outcome;
use crate::judge::{Finding, Grade, Verdict};
use crate::wire::Exchange;

/// What a case counts for; of what several requests come to, the one that stands last here.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// Valid, and accepted.
    Accepted,
    /// Valid; rejected, answered with wrong values, or not come to.
    NotAccepted,
    /// Invalid, and rejected with an error type that is allowed.
    RightError,
    /// Invalid, and rejected with another error type or with none.
    OtherError,
    /// Invalid; a server fault, no answer, or not come to.
    NotRejected,
    /// Invalid, and accepted.
    LetThrough,
}

impl Mark {
    /// The mark of a case; `None` if it does not count. Without a transcript, the target is why it was not tried.
    pub fn of(case: &Case, verdict: &Verdict, transcript: Option<&Transcript>) -> Option<Mark> {
        let focus = || {
            let steps = case.steps.iter().enumerate();
            steps.filter(|(_, step)| step.role == StepRole::Focus && step.expect.tier.gates())
        };
        let invalid = focus().any(|(_, step)| must_be_rejected(step));
        let valid = focus().next().is_some() && focus().all(|(_, step)| step.expect.is_success());
        if case.plan.is_some() || !(valid || invalid) {
            return None;
        }
        match (verdict, transcript) {
            (Verdict::Pass, _) => Some(if invalid { Mark::RightError } else { Mark::Accepted }),
            (Verdict::Skipped { .. }, Some(_)) => None,
            (Verdict::Fail { findings }, Some(transcript)) => {
                let end = judged_until(case, findings);
                let asked = focus().filter(|(_, step)| !invalid || must_be_rejected(step));
                let mark = |(index, step): (usize, &Step)| {
                    let exchange = transcript.exchanges.get(index).filter(|_| index <= end);
                    if invalid { rejection(step, exchange) } else { acceptance(exchange.filter(|_| index < end)) }
                };
                asked.map(mark).max()
            }
            _ => Some(if invalid { Mark::NotRejected } else { Mark::NotAccepted }),
        }
    }

    /// Whether it is that of a valid case.
    pub fn is_of_valid(self) -> bool {
        matches!(self, Mark::Accepted | Mark::NotAccepted)
    }
}

fn must_be_rejected(step: &Step) -> bool {
    !step.expect.outcomes.iter().any(Outcome::is_success)
}

/// The step whose answer ended a case: what came after it was sent from a state that nobody knows.
fn judged_until(case: &Case, findings: &[Finding]) -> usize {
    let ends = |finding: &&Finding| finding.grade != Grade::Form || finding.rule == RuleId::new("answer/json-object");
    let place = |finding: &Finding| case.steps.iter().position(|step| step.name == finding.step);
    findings.iter().filter(ends).filter_map(place).min().unwrap_or(case.steps.len())
}

fn acceptance(exchange: Option<&Exchange>) -> Mark {
    let accepted = exchange.and_then(|exchange| exchange.observed().ok()).is_some_and(|seen| !seen.is_error());
    if accepted { Mark::Accepted } else { Mark::NotAccepted }
}

fn rejection(step: &Step, exchange: Option<&Exchange>) -> Mark {
    let judgeable = exchange.filter(|exchange| !exchange.is_transient());
    let Some(Ok(seen)) = judgeable.map(Exchange::observed) else { return Mark::NotRejected };
    match seen.error_name() {
        _ if !seen.is_error() || seen.is_taken_for_success() => Mark::LetThrough,
        Some(name) if !seen.is_server_fault() && step.expect.errors().contains(&name) => Mark::RightError,
        named if seen.is_client_fault() || (named.is_some() && !seen.is_server_fault()) => Mark::OtherError,
        _ => Mark::NotRejected,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use crate::case::draft::{Draft, HERE};
    use crate::contract::{Operation, Service};
    use crate::judge::{JudgeOptions, NotJudged, judge};
    use crate::model::operation::body;
    use crate::wire::{Reply, Response, TransportError, envelope};

    /// An initiation that must be rejected after one that must be accepted, or the latter alone.
    fn case(invalid: bool) -> Case {
        let valid = Draft::new(Service::Ecr, "some/case", "some case").focus(
            RuleId::new("InitiateLayerUpload/accepted"),
            Operation::InitiateLayerUpload,
            body::repository(HERE),
        );
        let rule = RuleId::new("InitiateLayerUpload/repositoryName/exists");
        if invalid {
            valid.focus(rule, Operation::InitiateLayerUpload, body::repository("absent")).done()
        } else {
            valid.done()
        }
    }

    fn mark(case: &Case, replies: &[Reply]) -> Option<Mark> {
        let exchange = |(step, reply): (&Step, &Reply)| {
            let request = step.request.with_body(step.request.body.to_bytes());
            Exchange::new(request, reply.clone(), Duration::ZERO, Duration::ZERO)
        };
        let transcript = Transcript::of(case, case.steps.iter().zip(replies).map(exchange).collect());
        let (verdict, _) = judge(case, &transcript, JudgeOptions::default());
        Mark::of(case, &verdict, Some(&transcript))
    }

    fn answer(status: u16, body: Value) -> Reply {
        Ok(envelope::response(status, &body))
    }

    fn accepted() -> Reply {
        answer(200, json!({ "uploadId": "00000000-0000-4000-8000-000000000001", "partSize": 10_485_760 }))
    }

    fn error(status: u16, name: &str) -> Reply {
        answer(status, json!({ "__type": name, "message": "no" }))
    }

    #[test]
    fn a_valid_case_is_accepted_whatever_the_form() {
        let plain = |reply: Reply| mark(&case(false), &[reply]);
        let html = Response { body: bytes::Bytes::from_static(b"<html>"), ..accepted().unwrap() };
        let other_type = Response { headers: Vec::new(), ..accepted().unwrap() };
        assert_eq!(plain(accepted()), Some(Mark::Accepted));
        assert_eq!(plain(Ok(other_type)), Some(Mark::Accepted));
        assert_eq!(plain(Ok(html)), Some(Mark::NotAccepted));
        assert_eq!(plain(error(400, "InvalidParameterException")), Some(Mark::NotAccepted));
        assert_eq!(plain(error(400, "ThrottlingException")), Some(Mark::NotAccepted));
        assert_eq!(plain(Err(TransportError::Dropped)), Some(Mark::NotAccepted));
    }

    #[test]
    fn an_invalid_case_is_rejected_by_an_error_of_the_client() {
        let after = |reply: Reply| mark(&case(true), &[accepted(), reply]);
        let right = "RepositoryNotFoundException";
        assert_eq!(after(error(400, right)), Some(Mark::RightError));
        assert_eq!(after(error(404, right)), Some(Mark::RightError), "the status is a matter of form");
        assert_eq!(after(error(400, "InvalidParameterException")), Some(Mark::OtherError));
        assert_eq!(after(answer(400, json!({ "message": "no" }))), Some(Mark::OtherError));
        assert_eq!(after(error(200, "InvalidParameterException")), Some(Mark::LetThrough));
        assert_eq!(after(accepted()), Some(Mark::LetThrough));
        for reply in [error(500, right), answer(302, json!({})), error(400, "ThrottlingException")] {
            assert_eq!(after(reply.clone()), Some(Mark::NotRejected), "{reply:?}");
        }
        assert_eq!(after(Err(TransportError::Dropped)), Some(Mark::NotRejected));
        // The rejection of a valid request before it says nothing of this one.
        let rejected = error(400, right);
        assert_eq!(mark(&case(true), &[rejected.clone(), rejected]), Some(Mark::NotRejected));
    }

    #[test]
    fn what_the_target_leaves_untried_counts_against_it() {
        let skipped = Verdict::Skipped { reason: NotJudged::Dead };
        assert_eq!(Mark::of(&case(false), &skipped, None), Some(Mark::NotAccepted));
        assert_eq!(Mark::of(&case(true), &skipped, None), Some(Mark::NotRejected));
        // Skipped on the way: where the documents leave an answer to the target.
        let transcript = Transcript::of(&case(true), Vec::new());
        assert_eq!(Mark::of(&case(true), &skipped, Some(&transcript)), None);
        let random = Case { plan: Some(crate::case::Plan::default()), ..case(true) };
        assert_eq!(Mark::of(&random, &Verdict::Pass, None), None);
    }
}
