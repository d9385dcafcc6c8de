//! What of a case can be tried on a target on which the calls before it do not work.

use super::Survey;
use crate::case::draft::NO_UPLOAD;
use crate::case::{Case, Step, StepRole};
use crate::contract::{Effect, ErrorType, Operation};
use crate::expect::Outcome;
use crate::template::{Part, Reference, Template};

impl Survey {
    /// The case as far as it can be tried: what must be rejected of an upload is tried on one without parts where the target
    /// takes no part, and on one that does not exist where it begins none. Its own error is allowed besides, and the one for
    /// that upload. As it is where it can be tried as it is, or not even so.
    pub fn reduced(&self, case: Case) -> Case {
        let begins = !self.lacks(Operation::InitiateLayerUpload);
        if case.kind.is_random() || case.is_race() || (begins && !self.lacks(Operation::UploadLayerPart)) {
            return case;
        }
        let missing: &[Effect] = match begins {
            true => &[Effect::AddsPart],
            false => &[Effect::BeginsUpload, Effect::AddsPart],
        };
        let (state, error) = match begins {
            true => ("an upload without parts", "EmptyUploadException"),
            false => ("an upload that does not exist", "UploadNotFoundException"),
        };
        let is_missing = |step: &Step| {
            let effect = step.operation.map(Operation::effect);
            step.role == StepRole::SetUp && effect.is_some_and(|effect| missing.contains(&effect))
        };
        let rests_on = |step: &Step| match step.operation.map(Operation::effect) {
            Some(Effect::CompletesUpload) => true,
            Some(Effect::AddsPart) => !begins,
            _ => false,
        };
        let tried = |step: &&Step| step.role != StepRole::Probe && !is_missing(step);
        // Whatever else comes before it may need a layer.
        let can_be = |step: &Step| {
            let is_bound = begins || step.request.body.references().all(|of| of.of_member().is_none() || is_id(of));
            step.role == StepRole::Focus && rests_on(step) && must_be_rejected(step) && is_bound
        };
        let all_can = case.steps.iter().filter(tried).all(|step| can_be(step) || is_begun(step));
        if !case.steps.iter().any(is_missing) || !all_can {
            return case;
        }
        let steps = case.steps.iter().filter(tried).cloned().map(|mut step| {
            if step.role == StepRole::Focus && !step.expect.errors().contains(&error) {
                step.expect.outcomes.extend(ErrorType::find(error).map(Outcome::error));
            }
            if !begins {
                step.request.body = without_upload(&step.request.body);
            }
            step
        });
        let steps: Vec<Step> = steps.collect();
        if !steps.iter().any(|step| step.role == StepRole::Focus) {
            return case;
        }
        Case { title: format!("{} (on {state})", case.title), steps, ..case }
    }
}

/// Whether a step begins an upload for the others.
fn is_begun(step: &Step) -> bool {
    step.role == StepRole::SetUp && step.operation == Some(Operation::InitiateLayerUpload)
}

fn must_be_rejected(step: &Step) -> bool {
    !step.expect.outcomes.iter().any(Outcome::is_success)
}

/// Whether a reference stands for the whole id of an upload.
fn is_id(reference: &Reference) -> bool {
    matches!(reference, Reference::Member(of) if of.member == "uploadId")
}

/// A body with the id of an upload that does not exist in the place of one that was to be given.
fn without_upload(body: &Template) -> Template {
    body.map(|reference| match is_id(reference) {
        true => Part::text(NO_UPLOAD),
        false => Part::Reference(reference.clone()),
    })
}
