//! Decisions are taken, one by one: each becomes a call, as far as the state of the sequence allows.

use super::super::follow::Follower;
use super::super::violations::{Planned, Violations};
use super::unfolding::{Unfolding, reference};
use super::upload::{Life, Upload};
use crate::case::{Decision, Readings, StepRole};
use crate::contract::{Effect, Operation, RuleId, Service};
use crate::model::operation::body;
use crate::template::Template;

impl Unfolding {
    /// Adds the call of a decision, if it means anything here.
    pub(super) fn take(&mut self, decision: &Decision, follower: &mut Follower) {
        let service = self.case.service;
        let operation = match decision.operation {
            operation if self.is_about_another(decision) => operation,
            // A sequence begins with what makes the rest possible.
            Operation::UploadLayerPart | Operation::CompleteLayerUpload
                if !self.uploads.iter().any(Upload::is_open) =>
            {
                Operation::InitiateLayerUpload
            }
            Operation::CompleteLayerUpload if !self.uploads.iter().any(Upload::has_parts) => Operation::UploadLayerPart,
            Operation::GetDownloadUrlForLayer if service == Service::EcrPublic => {
                Operation::BatchCheckLayerAvailability
            }
            other => other,
        };
        match operation {
            operation if operation.manages_repositories() => self.manage(operation, decision, follower),
            operation => self.call(operation, decision, follower),
        }
    }

    /// Whether what is wrong with a call is the upload that it names, and there is one: then it needs no other.
    fn is_about_another(&self, decision: &Decision) -> bool {
        let chosen = Violations::of(self.case.service, decision.operation).chosen(&decision.violations);
        chosen.iter().any(|(_, planned)| match planned {
            Planned::Stateful(_, stateful) => !self.others(decision.operation, stateful).is_empty(),
            _ => false,
        })
    }

    /// A call that removes a repository, or makes one again.
    fn manage(&mut self, operation: Operation, decision: &Decision, follower: &mut Follower) {
        let wanted = operation.effect() == Effect::RemovesRepository;
        let Some(repository) = self.choose_repository(decision, |exists| exists == wanted) else { return };
        let body = match wanted {
            true => body::repository(&reference(repository).written()).set("force", "true"),
            false => body::repository(&reference(repository).written()),
        };
        let body = body.template();
        let readings = Readings {
            valid: body.clone(),
            accepting: RuleId::of_survey(operation),
            alone: Vec::new(),
            elsewhere: false,
            accepted: None,
        };
        self.taken.decisions.push(Decision { operation, violations: Vec::new(), ..decision.clone() });
        if self.push(operation, StepRole::SetUp, body, readings, follower) {
            self.exists[repository] = !wanted;
            for upload in self.uploads.iter_mut().filter(|upload| upload.repository == repository) {
                upload.life = Life::RepositoryDeleted;
            }
        }
    }

    /// A call of the layer-upload API.
    fn call(&mut self, operation: Operation, decision: &Decision, follower: &mut Follower) {
        let mut subject = self.subject(operation, decision);
        let chosen = match operation == decision.operation {
            true => Violations::of(self.case.service, operation).chosen(&decision.violations),
            false => Vec::new(),
        };
        // Those that are about another upload say which, before the rest is derived from it.
        let mut taken = Decision { operation, violations: Vec::new(), ..decision.clone() };
        for (number, planned) in &chosen {
            if let Planned::Stateful(_, stateful) = planned
                && self.retarget(operation, stateful, decision, &mut subject)
            {
                taken.violations.push(*number);
            }
        }
        let Some((valid, accepting)) = self.valid(operation, decision, &subject, follower) else { return };
        let mut alone: Vec<(Option<RuleId>, Template)> = Vec::new();
        let mut both = valid.clone();
        let mut elsewhere = false;
        let mut changed: Vec<&str> = Vec::new();
        for (number, planned) in &chosen {
            let Some(violation) = self.violation(operation, planned, decision, &subject, &valid) else { continue };
            // Two violations of one member would be one.
            if violation.changes.iter().any(|(member, _)| changed.contains(member)) {
                continue;
            }
            taken.violations.push(*number);
            changed.extend(violation.changes.iter().map(|(member, _)| *member));
            elsewhere |= violation.changes.iter().any(|(member, _)| matches!(*member, "repositoryName" | "uploadId"));
            alone.push((violation.rule, violation.apply(valid.clone()).template()));
            both = violation.apply(both);
        }
        let made = (operation.effect(), alone.is_empty(), subject.upload);
        let valid = valid.template();
        let body = match alone.as_slice() {
            [] => valid.clone(),
            [(_, one)] => one.clone(),
            _ => both.template(),
        };
        let readings = Readings { valid, accepting, alone, elsewhere, accepted: None };
        let name = self.next_name(operation);
        self.taken.decisions.push(taken);
        let accepted = self.push(operation, StepRole::Focus, body, readings, follower);
        if !accepted {
            return;
        }
        match made {
            (Effect::BeginsUpload, true, _) => self.uploads.push(Upload {
                step: name,
                repository: subject.repository,
                parts: Vec::new(),
                life: Life::Open,
            }),
            (Effect::AddsPart, _, Some(index)) => {
                let upload = &mut self.uploads[index];
                upload.parts.push((subject.chunk, subject.len));
                self.contents.push(upload.content());
            }
            (Effect::CompletesUpload, _, Some(index)) => self.uploads[index].life = Life::Completed,
            (Effect::BeginsUpload, false, _)
            | (Effect::AddsPart | Effect::CompletesUpload, _, None)
            | (Effect::Reads | Effect::ReferencesLayers, ..)
            | (Effect::MakesRepository | Effect::RemovesRepository, ..) => {}
        }
    }
}
