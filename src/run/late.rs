//! Which findings may be of an answer that only comes too early: what was done before shows later. Pure.

use std::collections::HashMap;
use std::time::Duration;

use crate::case::Case;
use crate::contract::{Effect, Operation};
use crate::judge::{Finding, Got, Grade, Verdict, Witness};

/// After so many questions in vain about findings of one cause, no more are asked: each takes a while.
const IN_VAIN: usize = 2;

/// The same for findings of all causes, one after the other.
const IN_VAIN_IN_ALL: usize = 6;

/// What was asked, and came to nothing.
#[derive(Debug, Default)]
pub(super) struct Lateness {
    in_vain: HashMap<String, usize>,
    in_vain_in_all: usize,
}

impl Lateness {
    /// The step of a finding that may come right later, with its cause.
    pub fn candidate(&self, case: &Case, verdict: &Verdict) -> Option<(usize, String)> {
        let finding = verdict.findings().first()?;
        let step = case.steps.iter().position(|step| step.name == finding.step)?;
        let effects = || case.steps[..step].iter().filter_map(|step| step.operation).map(Operation::effect);
        let changes = effects().any(|effect| effect != Effect::Reads);
        let cause = finding.cause();
        let asked = self.in_vain.get(&cause).is_some_and(|times| *times >= IN_VAIN);
        let asked = asked || self.in_vain_in_all >= IN_VAIN_IN_ALL;
        (changes && !asked && !case.is_race() && may_come_right(finding)).then_some((step, cause))
    }

    /// What a question came to.
    pub fn asked(&mut self, cause: String, later: Option<Duration>) {
        match later {
            Some(_) => self.in_vain_in_all = 0,
            None => {
                self.in_vain_in_all += 1;
                *self.in_vain.entry(cause).or_default() += 1;
            }
        }
    }
}

/// Whether an answer says that something is not there, or still is; and asking again does no harm.
fn may_come_right(finding: &Finding) -> bool {
    let effect = finding.operation.map(Operation::effect);
    match (&finding.got, finding.grade) {
        (Got::Error { name, .. }, Grade::Rejected | Grade::Error) => {
            name.ends_with("NotFoundException") || name == "EmptyUploadException" || name.contains("AlreadyExists")
        }
        (_, Grade::State) => matches!(effect, Some(Effect::Reads | Effect::BeginsUpload)),
        _ => false,
    }
}

/// The verdict, whose first finding says how much later the answer was right.
pub(super) fn told(verdict: Verdict, later: Duration) -> Verdict {
    let Verdict::Fail { mut findings } = verdict else { return verdict };
    if let Some(finding) = findings.first_mut().filter(|finding| finding.witness.is_none()) {
        let call = format!("{}: as it should be after {} ms", finding.step, later.as_millis());
        finding.witness = Some(Witness { seen: 1, rounds: 1, calls: vec![call] });
    }
    Verdict::Fail { findings }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::draft::{Draft, HERE};
    use crate::contract::{RuleId, Service};
    use crate::judge::{Expected, Head};
    use crate::model::operation::body;

    fn verdict(grade: Grade, got: Got) -> Verdict {
        let rule = RuleId::new("BatchCheckLayerAvailability/repositoryName/exists");
        Verdict::Fail {
            findings: vec![Finding {
                rule,
                operation: Some(Operation::InitiateLayerUpload),
                tier: crate::contract::Tier::Documented,
                sources: Vec::new(),
                rejection: None,
                grade,
                about: rule,
                also_broken: Vec::new(),
                accept_as: rule,
                step: String::from("focus"),
                breach: String::new(),
                expected: Expected::success(),
                got,
                client: None,
                witness: None,
            }],
        }
    }

    #[test]
    fn what_may_come_right_is_asked_again_and_not_for_ever() {
        let rule = RuleId::new("InitiateLayerUpload/accepted");
        let alone = Draft::new(Service::Ecr, "some/case", "some case");
        let after = alone.clone().set_up("begin", Operation::InitiateLayerUpload, body::repository(HERE));
        let case = |draft: Draft| draft.focus(rule, Operation::InitiateLayerUpload, body::repository(HERE)).done();
        let error = |name: &str| Got::Error { head: Head::Status(400), name: String::from(name) };
        let absent = verdict(Grade::Rejected, error("UploadNotFoundException"));
        let mut lateness = Lateness::default();
        assert_eq!(lateness.candidate(&case(alone), &absent), None, "nothing was done before");
        let case = case(after);
        for other in
            [verdict(Grade::Rejected, error("KmsException")), verdict(Grade::Form, Got::NoMessage), Verdict::Pass]
        {
            assert_eq!(lateness.candidate(&case, &other), None, "{other:?}");
        }
        assert!(lateness.candidate(&case, &verdict(Grade::State, Got::Response(Head::Status(200)))).is_some());
        for _ in 0..IN_VAIN {
            let (step, cause) = lateness.candidate(&case, &absent).unwrap();
            assert_eq!(step, 1);
            lateness.asked(cause.clone(), Some(Duration::from_millis(300)));
            lateness.asked(cause, None);
        }
        assert_eq!(lateness.candidate(&case, &absent), None, "in vain");
        let told = told(absent, Duration::from_millis(300));
        let calls = &told.findings()[0].witness.as_ref().unwrap().calls;
        assert_eq!(calls[..], ["focus: as it should be after 300 ms"]);
    }
}
