//! How a target does under a run: when a case is tried again, when it is asked whether it lives, and
//! when the rest is not worth waiting for. Pure: no clock, no target, nothing that waits.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use crate::contract::{Operation, RuleId, Service};
use crate::events::{Judged, Logged};
use crate::judge::{Got, Verdict};
use crate::wire::{Flaw, TransportError};

/// After so many unanswered cases in a row the target is asked whether it lives.
const SILENT_IN_A_ROW: usize = 24;

/// After so many unanswered cases in all the rest is not tried: each would cost the timeouts of its requests.
const SILENT_IN_ALL: usize = 48;

/// After so many calls of an operation in a row that were not answered, it is asked for by itself.
const SILENT_OF_OPERATION: usize = 6;

/// In so many rounds of a case silence is certain.
const SILENT_ROUNDS: usize = 2;

/// What one attempt of a case came to, as far as it matters here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Attempted {
    /// An answer was waited for in vain, or the connection was dropped.
    Unanswered,
    /// Every answer is allowed.
    Passed,
    /// Some answer is not.
    Failed,
    /// Nothing could be judged.
    Unjudged,
}

impl Attempted {
    pub fn of(verdict: &Verdict) -> Attempted {
        match verdict {
            Verdict::Pass => Attempted::Passed,
            Verdict::Fail { findings }
                if findings.iter().any(|finding| {
                    // A connection that ends too early may be the network's too.
                    finding.rule == RuleId::new("always/answered") || finding.got == Got::Flaw(Flaw::Cut)
                }) =>
            {
                Attempted::Unanswered
            }
            Verdict::Fail { .. } => Attempted::Failed,
            Verdict::Inconclusive { .. } | Verdict::Skipped { .. } => Attempted::Unjudged,
        }
    }
}

/// What comes next for a case.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Next {
    /// To try again.
    Again,
    /// To ask the target whether it answers anything.
    Ask,
    /// Nothing.
    End(Ending),
}

/// Which verdict a case has after its attempts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Ending {
    /// That of the last attempt.
    Last,
    /// That of the attempt that was not answered.
    Unanswered,
    /// None: it was not answered once, and rightly the second time.
    Unstable,
    /// That of the attempt that was not answered, if it is why the target is dead.
    Dead,
}

/// The attempts of a case that is tried once: once more if the target was silent, for silence and dropped connections may
/// be the network's.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    unanswered: bool,
}

impl Attempts {
    /// What follows an attempt.
    pub fn after(&mut self, attempted: Attempted) -> Next {
        match (attempted, self.unanswered) {
            (Attempted::Unanswered, false) => {
                self.unanswered = true;
                Next::Ask
            }
            (_, false) | (Attempted::Failed | Attempted::Unanswered, true) => Next::End(Ending::Last),
            (Attempted::Passed, true) => Next::End(Ending::Unstable),
            // It could not even begin again: the first request may well be why.
            (Attempted::Unjudged, true) => Next::End(Ending::Unanswered),
        }
    }

    /// What follows the question whether the target answers.
    pub fn heard(&self, answers: bool) -> Next {
        if answers { Next::Again } else { Next::End(Ending::Dead) }
    }
}

/// The rounds of a case with calls at once. What a round comes to differs from time to time: none is tried again.
#[derive(Debug)]
pub(super) struct Repeats {
    left: usize,
    unanswered: usize,
}

impl Repeats {
    /// So many rounds are to come.
    pub fn of(rounds: usize) -> Repeats {
        Repeats { left: rounds, unanswered: 0 }
    }

    /// What follows a round. `unanswered` is whether a call of it was not.
    pub fn after(&mut self, unanswered: bool) -> Next {
        self.left = self.left.saturating_sub(1);
        if unanswered {
            self.unanswered += 1;
            return Next::Ask;
        }
        self.go_on()
    }

    /// What follows the question whether the target answers.
    pub fn heard(&self, answers: bool) -> Next {
        if answers { self.go_on() } else { Next::End(Ending::Dead) }
    }

    fn go_on(&self) -> Next {
        // Each silence may cost the timeouts of its requests.
        let certain = self.unanswered >= SILENT_ROUNDS;
        if certain || self.left == 0 { Next::End(Ending::Last) } else { Next::Again }
    }
}

/// How the target does in all cases of a run. Moments are counted from the beginning of the run.
#[derive(Debug, Default)]
pub(super) struct Health {
    silent_in_a_row: usize,
    silent_in_all: usize,
    /// When the first of the requests was sent that are unanswered at the moment.
    first_unanswered: Option<Duration>,
    gave_up: bool,
    /// Calls of an operation that were not answered, since one was.
    in_vain: HashMap<Answers, usize>,
    given_up: BTreeSet<Answers>,
}

/// Who answers a call.
pub(super) type Answers = (Service, Operation);

impl Health {
    /// Whether the rest is not worth waiting for.
    pub fn gave_up(&self) -> bool {
        self.gave_up
    }

    /// The first of these operations that is not worth waiting for, if one is.
    pub fn gave_up_on(&self, service: Service, mut operations: impl Iterator<Item = Operation>) -> Option<Operation> {
        operations.find(|operation| self.given_up.contains(&(service, *operation)))
    }

    /// An operation was called, and answered or not: a call that is throttled to the last comes to nothing either. Whether
    /// it is to be asked for by itself.
    pub fn called(&mut self, whom: Answers, answered: bool) -> bool {
        if answered {
            self.in_vain.remove(&whom);
            return false;
        }
        let in_vain = self.in_vain.entry(whom).or_default();
        *in_vain += 1;
        in_vain.is_multiple_of(SILENT_OF_OPERATION) && !self.given_up.contains(&whom)
    }

    /// An operation is not worth waiting for.
    pub fn give_up_on(&mut self, whom: Answers) {
        self.given_up.insert(whom);
    }

    /// The operations that are not worth waiting for.
    pub fn given_up(&self) -> Vec<Answers> {
        self.given_up.iter().copied().collect()
    }

    /// The target was asked again: whether it answers, and which operations still do not.
    pub fn asked_again(&mut self, answers: bool, given_up: impl Iterator<Item = Answers>) {
        *self = Health { gave_up: !answers, given_up: given_up.collect(), ..Health::default() };
    }

    /// A request that was sent at this moment was not answered.
    pub fn unanswered(&mut self, sent: Duration) {
        self.first_unanswered = Some(self.first_unanswered.map_or(sent, |first| first.min(sent)));
    }

    /// The target answers: it lives, whatever it left unanswered.
    pub fn lives(&mut self) {
        self.first_unanswered = None;
    }

    /// The target is dead. Whether the request that was sent at this moment may be why: the first that was not answered may
    /// be, those that were sent later are not.
    pub fn is_dead_of(&mut self, sent: Duration) -> bool {
        self.gave_up = true;
        self.first_unanswered.is_none_or(|first| first >= sent)
    }

    /// The target is dead.
    pub fn dead(&mut self) {
        self.gave_up = true;
    }

    /// A case is over. Whether the target is to be asked if it lives: it left too many unanswered, one after the other.
    pub fn case_ended(&mut self, unanswered: bool) -> bool {
        if !unanswered {
            self.silent_in_a_row = 0;
            return false;
        }
        self.silent_in_a_row += 1;
        self.silent_in_all += 1;
        self.gave_up |= self.silent_in_all >= SILENT_IN_ALL;
        !self.gave_up && self.silent_in_a_row.is_multiple_of(SILENT_IN_A_ROW)
    }
}

/// Whether a case waited for an answer in vain, or could not even begin.
pub(super) fn was_unanswered(judged: &Judged) -> bool {
    let in_vain = |trouble: TransportError| {
        matches!(trouble, TransportError::Silent | TransportError::TooLarge | TransportError::Unreachable(_))
    };
    let waited = |logged: &Logged| logged.trouble.is_some_and(in_vain);
    let stopped = judged.exchanges.is_empty() && matches!(judged.verdict, Verdict::Inconclusive { .. });
    stopped || judged.exchanges.iter().any(waited)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::NotJudged;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn what_was_answered_is_not_tried_again() {
        for attempted in [Attempted::Passed, Attempted::Failed, Attempted::Unjudged] {
            assert_eq!(Attempts::default().after(attempted), Next::End(Ending::Last), "{attempted:?}");
        }
    }

    #[test]
    fn silence_is_a_finding_if_it_happens_twice() {
        for (second, ending) in [
            (Attempted::Unanswered, Ending::Last),
            (Attempted::Failed, Ending::Last),
            (Attempted::Passed, Ending::Unstable),
            (Attempted::Unjudged, Ending::Unanswered),
        ] {
            let mut attempts = Attempts::default();
            assert_eq!(attempts.after(Attempted::Unanswered), Next::Ask);
            assert_eq!(attempts.heard(true), Next::Again);
            assert_eq!(attempts.after(second), Next::End(ending), "{second:?}");
        }
        let mut attempts = Attempts::default();
        assert_eq!(attempts.after(Attempted::Unanswered), Next::Ask);
        assert_eq!(attempts.heard(false), Next::End(Ending::Dead));
    }

    #[test]
    fn rounds_end_with_their_number_with_certain_silence_or_with_the_target() {
        let mut repeats = Repeats::of(2);
        assert_eq!(repeats.after(false), Next::Again);
        assert_eq!(repeats.after(false), Next::End(Ending::Last));
        let mut repeats = Repeats::of(8);
        assert_eq!(repeats.after(true), Next::Ask);
        assert_eq!(repeats.heard(true), Next::Again);
        assert_eq!(repeats.after(true), Next::Ask);
        assert_eq!(repeats.heard(true), Next::End(Ending::Last));
        let mut repeats = Repeats::of(8);
        assert_eq!(repeats.after(true), Next::Ask);
        assert_eq!(repeats.heard(false), Next::End(Ending::Dead));
    }

    #[test]
    fn only_the_first_unanswered_request_may_have_killed_the_target() {
        let mut health = Health::default();
        health.unanswered(at(5));
        health.unanswered(at(3));
        assert!(!health.gave_up());
        assert!(!health.is_dead_of(at(5)));
        assert!(health.is_dead_of(at(3)));
        assert!(health.gave_up());
        // What was unanswered before the target answered again is not why.
        let mut health = Health::default();
        health.unanswered(at(1));
        health.lives();
        health.unanswered(at(7));
        assert!(health.is_dead_of(at(7)));
    }

    #[test]
    fn a_target_is_asked_after_many_silent_cases_in_a_row() {
        let mut health = Health::default();
        assert!((1..SILENT_IN_A_ROW).all(|_| !health.case_ended(true)));
        assert!(health.case_ended(true));
        assert!(!health.gave_up(), "it is for who asked to say that it is dead");
        let mut health = Health::default();
        for _ in 1..SILENT_IN_A_ROW {
            health.case_ended(true);
        }
        health.case_ended(false);
        assert!(!health.case_ended(true), "an answer in between");
    }

    #[test]
    fn an_operation_is_asked_for_after_calls_in_vain_and_given_up_until_it_is_asked_again() {
        let (part, begin) = (Operation::UploadLayerPart, Operation::InitiateLayerUpload);
        let whom = (Service::Ecr, part);
        let mut health = Health::default();
        assert!((1..SILENT_OF_OPERATION).all(|_| !health.called(whom, false)));
        health.called(whom, true);
        assert!((1..SILENT_OF_OPERATION).all(|_| !health.called(whom, false)), "an answer in between");
        assert!(!health.called((Service::EcrPublic, part), false), "of another service");
        assert!(health.called(whom, false));
        health.give_up_on(whom);
        assert_eq!(health.gave_up_on(Service::Ecr, [begin, part].into_iter()), Some(part));
        assert_eq!(health.gave_up_on(Service::EcrPublic, [begin, part].into_iter()), None);
        assert!((0..SILENT_OF_OPERATION).all(|_| !health.called(whom, false)), "it is known");
        health.dead();
        health.asked_again(true, std::iter::empty());
        assert!(!health.gave_up() && health.given_up().is_empty());
        health.asked_again(false, [whom].into_iter());
        assert!(health.gave_up() && health.given_up() == [whom]);
    }

    #[test]
    fn the_rest_is_not_tried_after_too_many_silent_cases_in_all() {
        let mut health = Health::default();
        for _ in 1..SILENT_IN_ALL {
            health.case_ended(true);
            health.case_ended(false);
        }
        assert!(!health.gave_up());
        assert!(!health.case_ended(true), "nothing is left to ask");
        assert!(health.gave_up());
    }

    #[test]
    fn attempts_are_what_their_verdicts_say() {
        let inconclusive = |reason: NotJudged| Verdict::Inconclusive { reason };
        assert_eq!(Attempted::of(&Verdict::Pass), Attempted::Passed);
        assert_eq!(Attempted::of(&inconclusive(NotJudged::NotSurveyed)), Attempted::Unjudged);
        assert_eq!(Attempted::of(&Verdict::Fail { findings: Vec::new() }), Attempted::Failed);
    }
}
