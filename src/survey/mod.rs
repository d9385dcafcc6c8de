//! The first look at a target: what it knows, and whether one plain upload works from end to end.
//!
//! What is missing here is one finding, and the cases that need it are skipped: a server without the public service
//! must not drown the report.

#[cfg(feature = "run")]
mod again;
mod late;
mod preflight;
mod reduced;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::case::{Case, Step, StepRole};
use crate::contract::{Operation, Role, RuleId, Service};
use crate::drive::Making;
use crate::judge::{Finding, Got, NotJudged};
use crate::template::Reference;

#[cfg(feature = "run")]
pub(crate) use again::answers;
pub use preflight::{Unreachable, preflight};

/// What was found out about one service of a target.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Survey {
    /// Which service.
    pub service: Service,
    /// The account id that the target uses.
    pub account: Option<String>,
    /// The alias of its registry, which the public service has beside the account id.
    pub alias: Option<String>,
    /// What InitiateLayerUpload calls `partSize`.
    pub part_size: Option<u64>,
    /// Operations that the target does not know, each with what it answered.
    pub unknown: BTreeMap<Operation, Got>,
    /// Operations that it knows but whose plain call did not work, each with what it answered.
    pub broken: BTreeMap<Operation, Got>,
    /// Whether repositories can be made.
    pub makes_repositories: bool,
    /// Whether BatchCheckLayerAvailability tells a stored layer from an absent one.
    pub availability: bool,
    /// Why no case of the service can be judged, if so.
    pub untestable: Option<NotJudged>,
    /// Whether that is because the target was throttling or silent, and not because of what it answered.
    pub inconclusive: bool,
    /// What is missing, as findings: at most one a cause.
    pub findings: Vec<Finding>,
    /// Operations that it is meant to lack.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub without: BTreeSet<Operation>,
    /// How repositories are made there.
    #[serde(default)]
    pub making: Making,
}

impl Survey {
    /// Leaves out operations that the target is meant to lack: that they are missing is no finding.
    pub fn leave_out(&mut self, operations: &[Operation]) {
        self.without.extend(operations);
        self.unknown.retain(|operation, _| !operations.contains(operation));
        self.broken.retain(|operation, _| !operations.contains(operation));
        self.findings.retain(|finding| !finding.operation.is_some_and(|operation| operations.contains(&operation)));
    }

    /// What a part of `partSize` has: as advertised, if that is a size that a part can have.
    pub fn usable_part_size(&self) -> usize {
        const SMALLEST: u64 = 5_242_880;
        const LARGEST: u64 = 20_971_520;
        match self.part_size {
            Some(size) if (SMALLEST..=LARGEST).contains(&size) => size as usize,
            _ => SMALLEST as usize,
        }
    }

    /// Leaves only the findings that concern these cases: whoever runs one case asks about that case.
    pub fn narrow<'a>(&mut self, cases: impl Iterator<Item = &'a Case>) {
        let judged: BTreeSet<Option<Operation>> = cases
            .flat_map(|case| &case.steps)
            .filter(|step| step.role == StepRole::Focus || step.role == StepRole::SetUp)
            .map(|step| step.operation)
            .collect();
        self.findings.retain(|finding| {
            let whole = [
                RuleId::new("survey/service"),
                RuleId::of_survey(Operation::CreateRepository),
                RuleId::of_survey(Operation::DeleteRepository),
            ];
            whole.contains(&finding.rule) || judged.contains(&finding.operation)
        });
    }

    /// Whether an operation is missing or broken, so that a random sequence is better off without it.
    pub fn lacks(&self, operation: Operation) -> bool {
        let is_missing = self.unknown.contains_key(&operation) || self.without.contains(&operation);
        is_missing || self.broken.contains_key(&operation)
    }

    /// Why a case cannot be judged on this target, if so.
    pub fn skips(&self, case: &Case, fixed_repository: bool) -> Option<Skip> {
        if let Some(reason) = &self.untestable {
            return Some(Skip::counted(reason.clone()));
        }
        let judged = || case.steps.iter().filter(|step| step.role != StepRole::Attempt && step.role != StepRole::Probe);
        let mut called = judged().filter_map(|step| step.operation);
        if let Some(operation) = called.find(|operation| self.without.contains(operation)) {
            return Some(Skip::excused(NotJudged::WithoutOperation { operation }));
        }
        let deletes = case.steps.iter().any(|step| step.operation == Some(Operation::DeleteRepository));
        if deletes && self.lacks(Operation::DeleteRepository) {
            return Some(Skip::counted(NotJudged::NoDeletion));
        }
        if let Some(skip) = self.calls_unknown(judged()) {
            return Some(skip);
        }
        let broken = |operation: &Operation| self.broken.contains_key(operation);
        let mut valid = judged().filter(|step| step.expect.is_success());
        if let Some(operation) = valid.find_map(|step| step.operation.filter(broken)) {
            return Some(Skip::counted(NotJudged::BrokenOperation { operation }));
        }
        if fixed_repository && case.manages_repositories() {
            return Some(Skip::excused(NotJudged::FixedRepository));
        }
        if !self.availability && judged().all(|step| is_about_layers(step.expect.rule) || step.role == StepRole::SetUp)
        {
            return Some(Skip::counted(NotJudged::AvailabilityUntrusted));
        }
        let names = |sought: Reference| {
            judged().any(|step| step.request.body.references().any(|reference| *reference == sought))
        };
        if self.account.is_none() && names(Reference::Registry) {
            return Some(Skip::counted(NotJudged::NoAccount));
        }
        // A repository need not have a URI, and a URI may have any form.
        (self.alias.is_none() && names(Reference::Alias)).then(|| Skip::excused(NotJudged::NoAlias))
    }

    /// The skip of a case with a step whose operation the target does not know.
    fn calls_unknown<'a>(&self, steps: impl Iterator<Item = &'a Step>) -> Option<Skip> {
        let unknown = |operation: &Operation| self.unknown.contains_key(operation);
        // What an upload needs comes first: without images alone a target may do.
        let operation = steps
            .filter_map(|step| step.operation)
            .filter(unknown)
            .min_by_key(|operation| operation.role() == Role::Image)?;
        let reason = NotJudged::UnknownOperation { operation };
        Some(if operation.role() == Role::Image { Skip::excused(reason) } else { Skip::counted(reason) })
    }
}

/// Why a case is not tried on a target.
#[derive(Clone, Debug, PartialEq)]
pub struct Skip {
    /// Why.
    pub reason: NotJudged,
    /// Whether it counts in the scores as what the target could not do; not so what a target of uploads may lack, and what
    /// keeps a case from being tried and is not the target's doing.
    pub counts: bool,
}

impl Skip {
    fn counted(reason: NotJudged) -> Skip {
        Skip { reason, counts: true }
    }

    /// One that counts for nothing.
    pub fn excused(reason: NotJudged) -> Skip {
        Skip { reason, counts: false }
    }
}

/// Whether a rule is judged by what BatchCheckLayerAvailability says.
fn is_about_layers(rule: RuleId) -> bool {
    rule.is_about(Operation::BatchCheckLayerAvailability, "layers")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::draft::{Draft, HERE};
    use crate::judge::Head;
    use crate::model::operation::body;

    /// A target that does all but know these operations.
    fn without(unknown: &[Operation]) -> Survey {
        Survey {
            service: Service::Ecr,
            account: Some(String::from("012345678910")),
            alias: None,
            part_size: None,
            unknown: unknown.iter().map(|operation| (*operation, Got::Response(Head::Status(404)))).collect(),
            broken: BTreeMap::new(),
            makes_repositories: true,
            availability: true,
            untestable: None,
            inconclusive: false,
            findings: Vec::new(),
            without: BTreeSet::new(),
            making: Making::default(),
        }
    }

    #[test]
    fn a_target_without_images_is_excused_from_what_takes_one() {
        let draft =
            Draft::new(Service::Ecr, "some/case", "some case").uploaded().complete("complete", "upload", "layer");
        let image = body::image(HERE, "layer", &["layer"]);
        let case = draft.focus(RuleId::new("PutImage/accepted"), Operation::PutImage, image).done();
        let skip = |unknown: &[Operation]| without(unknown).skips(&case, false).map(|skip| (skip.counts, skip.reason));
        let told = |operation: Operation| NotJudged::UnknownOperation { operation };
        assert_eq!(skip(&[]), None);
        assert_eq!(skip(&[Operation::PutImage]), Some((false, told(Operation::PutImage))));
        // Who lacks what an upload takes is not excused by lacking images as well.
        let both = [Operation::PutImage, Operation::CompleteLayerUpload];
        assert_eq!(skip(&both), Some((true, told(Operation::CompleteLayerUpload))));
    }

    #[test]
    fn a_target_need_not_tell_its_alias_but_its_account() {
        let case = |registry: &str| {
            let body = body::repository(HERE).text("registryId", registry);
            let rule = RuleId::new("InitiateLayerUpload/registryId/own");
            let draft = Draft::new(Service::EcrPublic, "some/case", "some case");
            draft.focus(rule, Operation::InitiateLayerUpload, body).done()
        };
        let survey = |account: bool, alias: bool| Survey {
            account: account.then(|| String::from("012345678910")),
            alias: alias.then(|| String::from("q2w4e6r8")),
            ..without(&[])
        };
        let skip = |survey: Survey, registry| survey.skips(&case(registry), false);
        assert_eq!(skip(survey(true, true), "${alias}"), None);
        assert_eq!(skip(survey(false, true), "${alias}"), None);
        assert_eq!(skip(survey(true, false), "${registry}"), None);
        assert_eq!(skip(survey(true, false), "${alias}"), Some(Skip::excused(NotJudged::NoAlias)));
        assert_eq!(skip(survey(false, false), "${registry}"), Some(Skip::counted(NotJudged::NoAccount)));
    }
}
