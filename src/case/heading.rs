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
        Heading {
            service: case.service,
            id: case.id.clone(),
            title: shown(&case.title),
            tier: case.tier(),
            rules: each_once(focus.map(|step| step.expect.rule)),
        }
    }
}

/// Rules in the order in which they come first.
pub(crate) fn each_once(rules: impl IntoIterator<Item = RuleId>) -> Vec<RuleId> {
    let mut once = Vec::new();
    for rule in rules {
        if !once.contains(&rule) {
            once.push(rule);
        }
    }
    once
}
