//! Errors: for each that an operation can be answered with, the cases that allow it, or why no request provokes it.

use serde::Serialize;

use super::{Cases, gap};
use crate::case::{Case, Step};
use crate::contract::error::{ERRORS, OutOfReach};
use crate::contract::{ErrorType, Operation, Role, Rules, Service};

/// An error that an operation documents, or that the framework answers for it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AllowedError {
    /// The operation; empty for the framework below all of them.
    pub operation: Option<Operation>,
    /// The error type.
    pub error: &'static str,
    /// The cases that allow it and nothing else.
    pub alone: Vec<String>,
    /// The cases that allow other answers too.
    pub among_others: Vec<String>,
    /// The cases that ask an open question, and record whether it comes.
    pub open: Vec<String>,
    /// Why there is none.
    pub why_not: Option<NotProvoked>,
}

/// Why no request provokes an error.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct NotProvoked {
    /// The reason.
    pub why: &'static str,
    /// Id of the source that says so.
    pub source: String,
}

/// The errors of each operation, as it documents them; those of the framework where a rule of the operation names them,
/// and once more over all requests.
pub(super) fn rows(service: Service) -> Vec<AllowedError> {
    let row = |operation, error: &'static ErrorType, why_not| AllowedError {
        operation,
        error: error.name,
        alone: Vec::new(),
        among_others: Vec::new(),
        open: Vec::new(),
        why_not,
    };
    let mut rows = Vec::new();
    for operation in service.contract().operations {
        let is_named = |error: &&ErrorType| {
            let mut rules = Rules::of(service).iter();
            rules.any(|rule| rule.id.operation() == Some(operation.name) && rule.errors.contains(&error.name))
        };
        let documented = operation.errors.iter().filter_map(|name| ErrorType::find(name));
        let framework = ERRORS.iter().filter(|error| error.source != "api").filter(is_named);
        for error in documented.chain(framework) {
            let reason = |out: &OutOfReach| NotProvoked {
                why: out.why,
                source: String::from(if out.source == "api" { operation.source } else { out.source }),
            };
            let why = error.out_of_reach.as_ref().map(reason);
            let beside = match operation.name.role() {
                Role::Layer => None,
                Role::Image => (!is_named(&error)).then_some(IMAGE),
                Role::SetUp => Some(SET_UP),
            };
            let beside = beside.map(|why| NotProvoked { why, source: String::from(operation.source) });
            rows.push(row(Some(operation.name), error, why.or(beside)));
        }
    }
    let below = |error: &&ErrorType| {
        let mut rules = Rules::of(service).iter().filter(|rule| rule.id.operation().is_none());
        error.source != "api" && rules.any(|rule| rule.errors.contains(&error.name))
    };
    rows.extend(ERRORS.iter().filter(below).map(|error| row(None, error, None)));
    rows
}

const SET_UP: &str =
    "the operation makes, finds and removes the repositories of the cases: it is called, and not judged";

const IMAGE: &str = "the operation is called as far as it tells what an upload is worth";

impl AllowedError {
    /// Counts a judged step of a case, if it allows the error.
    pub(super) fn note(&mut self, case: &Case, step: &Step) {
        let allowed = step.expect.errors();
        let is_here = self.operation.is_none() || step.operation == self.operation;
        if !is_here || !allowed.contains(&self.error) {
            return;
        }
        let only = step.expect.outcomes.iter().all(|outcome| !outcome.is_success())
            && allowed.iter().all(|error| *error == self.error);
        let cases = match (step.expect.tier.gates(), only) {
            (false, _) => &mut self.open,
            (true, true) => &mut self.alone,
            (true, false) => &mut self.among_others,
        };
        if cases.last() != Some(&case.id) {
            cases.push(case.id.clone());
        }
    }

    /// Whose error it is, for a reader.
    pub fn owner(&self) -> &'static str {
        self.operation.map_or("the framework", Operation::name)
    }

    /// All its cases.
    pub(super) fn cases(&self) -> Cases {
        Cases { judged: self.alone.iter().chain(&self.among_others).cloned().collect(), open: self.open.clone() }
    }

    /// What is wrong with the row, and what to do about it.
    pub(super) fn gap(&self) -> Option<String> {
        let problem =
            gap(self.cases().ids().next(), self.why_not.as_ref().map(|not| not.why), "src/contract/error.rs")?;
        Some(format!(
            "{} of {} has {problem}: name it in the rule whose breach it answers (src/contract/rule) and add a case of that \
             rule, or say in out_of_reach of its row in src/contract/error.rs why no request provokes it",
            self.error,
            self.owner()
        ))
    }
}
