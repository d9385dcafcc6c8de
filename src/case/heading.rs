//! A case in a list of cases.

use super::{Case, StepRole};
use crate::contract::{RuleId, Service, Tier};
use crate::template::shown;

/// What a list says of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Heading {
    /// Its service.
    pub service: Service,
    /// Its id.
    pub id: String,
    /// Its title, as it reads.
    pub title: String,
    /// The strongest tier among the steps that it is about.
    pub tier: Tier,
    /// The rules of these steps, each once.
    pub rules: Vec<RuleId>,
}

impl Heading {
    /// That of a case.
    pub fn of(case: &Case) -> Heading {
        let focus = case.steps.iter().filter(|step| step.role == StepRole::Focus);
        let mut rules: Vec<RuleId> = Vec::new();
        for step in focus {
            if !rules.contains(&step.expect.rule) {
                rules.push(step.expect.rule);
            }
        }
        Heading { service: case.service, id: case.id.clone(), title: shown(&case.title), tier: case.tier(), rules }
    }
}
