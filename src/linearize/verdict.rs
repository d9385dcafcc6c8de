//! What is said of a round of a case with calls at once.

use super::explain::BOUND;
use super::history::History;
use super::order::Explained;
use crate::case::{Case, StepRole, Transcript};
use crate::judge::{self, Got, NotJudged, Record, Verdict, infrastructure, judge};
use crate::wire::{Observation, TransportError};

impl History<'_> {
    /// What is said of this round.
    pub(super) fn judged(&self) -> (Verdict, Vec<Record>) {
        if let Some(reason) = self.unjudgeable() {
            return (Verdict::Inconclusive { reason }, Vec::new());
        }
        match self.crashes() {
            Verdict::Pass => {}
            // What such a call did is not known, and so neither what may be answered to the others.
            crashed => return (crashed, Vec::new()),
        }
        let order = match self.explained() {
            Explained::By(order) => order,
            Explained::Not { longest, next } => longest.into_iter().chain([next]).collect(),
            Explained::Unknown => {
                let reason = NotJudged::TooManyOrders { steps: BOUND };
                return (Verdict::Inconclusive { reason }, Vec::new());
            }
        };
        let ordered = Case { steps: self.followed(&order), ..self.case.clone() };
        let exchanges = order.iter().map(|call| self.calls[*call].exchange.clone()).collect();
        judge(&ordered, &Transcript { exchanges, ..self.transcript.clone() }, self.options)
    }

    /// Why nothing can be said of this round, if so: the target was throttling, or too slow for so many calls at once.
    fn unjudgeable(&self) -> Option<NotJudged> {
        self.calls.iter().enumerate().find_map(|(index, call)| {
            let operation = call.step.operation;
            let no_answer = |got: Got| Some(NotJudged::NoAnswer { operation, got });
            let unsure = self.is_at_once(index) || call.step.role == StepRole::Attempt;
            let broken = call.exchange.observed().map_or(true, Observation::is_server_fault);
            match call.exchange.reply.as_ref().err() {
                Some(trouble @ (TransportError::Silent | TransportError::Unreachable(_))) if unsure => {
                    no_answer(Got::Transport(*trouble))
                }
                _ => match infrastructure(false, call.exchange) {
                    Some(obstacle) => Some(obstacle.of(operation)),
                    // Nothing is expected of it, but what it did is not known.
                    None if broken && call.step.role == StepRole::Attempt => no_answer(judge::describe(call.exchange)),
                    None => None,
                },
            }
        })
    }

    /// The calls at once that were answered with a fault of the server, or not at all.
    fn crashes(&self) -> Verdict {
        let mut found = Vec::new();
        for (_, call) in self.calls.iter().enumerate().filter(|(index, _)| self.is_at_once(*index)) {
            let crashed = call.exchange.observed().map_or(true, Observation::is_server_fault);
            if !crashed {
                continue;
            }
            let single = Case { steps: vec![call.step.clone()], ..self.case.clone() };
            let exchanges = vec![call.exchange.clone()];
            let one = Transcript { exchanges, stopped: None, ..self.transcript.clone() };
            match judge(&single, &one, self.options).0 {
                Verdict::Fail { findings } => found.extend(findings),
                Verdict::Pass => {}
                other => return other,
            }
        }
        if found.is_empty() { Verdict::Pass } else { Verdict::Fail { findings: found } }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{ALL, race, transcript};
    use super::super::judge_round;
    use super::*;
    use crate::wire::NoConnection;

    #[test]
    fn what_was_throttled_or_too_slow_says_nothing() {
        let case = race(true, &["complete-a", "complete-b"]);
        for trouble in [TransportError::Silent, TransportError::Unreachable(NoConnection::Refused)] {
            let mut transcript = transcript(&case, &[(0, 5, ""), (1, 4, "")]);
            transcript.exchanges[3].reply = Err(trouble);
            let verdict = judge_round(&case, transcript, ALL).verdict;
            assert!(matches!(verdict, Verdict::Inconclusive { .. }), "{verdict:?}");
        }
        let transcript = transcript(&case, &[(0, 5, ""), (1, 4, "ThrottlingException")]);
        let verdict = judge_round(&case, transcript, ALL).verdict;
        assert!(matches!(verdict, Verdict::Inconclusive { .. }), "{verdict:?}");
    }
}
