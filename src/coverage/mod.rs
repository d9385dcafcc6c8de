//! What the cases of a suite cover, and what they leave out: constraint by constraint, rule by rule, error by error, state
//! by state.
//!
//! Nothing here trusts the name of a case. Each case is performed on the reference registry, and each judged request is
//! measured: how far its values lie inside or outside of each bound of the contract, which errors its expectation allows,
//! and which states it meets. The rows are those of the contract; a row with an empty cell is a gap, unless it is said
//! why there can be no case.

mod constraint;
mod error;
pub mod page;
mod state;

use serde::Serialize;
use serde_json::Value;

pub use constraint::{Cell, Measured, Reach};
pub use error::{AllowedError, NotProvoked};
pub use state::{State, Thing};

use crate::case::{Case, Step, StepRole};
use crate::contract::check::check_in;
use crate::contract::{Constraint, Operation, OperationSpec, Rule, RuleId, Rules, Service, Tier};
use crate::expect::Expectation;
use crate::generate::expected::{Misfit, NOTATION, Rehearsal, repositories};
use crate::model::registry::{ACCOUNT, ALIAS};
use state::{Members, Past, STATES};

/// What the cases of a service cover.
#[derive(Debug, Serialize)]
pub struct Coverage {
    /// The service.
    pub service: Service,
    /// Constraints of members, and rules that a number or a length decides.
    pub constraints: Vec<Measured>,
    /// The other rules.
    pub rules: Vec<OtherRule>,
    /// The errors of the operations, and of the framework.
    pub errors: Vec<AllowedError>,
    /// What requests meet.
    pub states: Vec<MetState>,
}

/// Ids of cases.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Cases {
    /// Those that can fail a target there.
    pub judged: Vec<String>,
    /// Those that ask an open question there: their answer is recorded.
    pub open: Vec<String>,
}

/// A rule that is kept or broken, with nothing to measure between.
#[derive(Debug, Serialize)]
pub struct OtherRule {
    /// Its id.
    pub rule: RuleId,
    /// What it says.
    pub says: String,
    /// The cases that are about it.
    pub cases: Cases,
    /// Why it has none.
    #[serde(rename = "whyNot")]
    pub why_not: Option<&'static str>,
}

/// An operation, called on something in a state.
#[derive(Debug, Serialize)]
pub struct MetState {
    /// The state of what the request names.
    #[serde(flatten)]
    pub state: State,
    /// The operation.
    pub operation: Operation,
    /// The cases that call it so.
    pub cases: Cases,
}

/// How many cells there are.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Cells of constraints that have cases.
    pub covered: usize,
    /// Cells of constraints without one, with the reason.
    pub unreachable: usize,
    /// Cells of constraints without one: gaps.
    pub empty: usize,
    /// Other rules, errors and states without a case, with the reason.
    pub other_unreachable: usize,
    /// Other rules, errors and states without a case: gaps.
    pub other_empty: usize,
}

/// A judged request of a case, with all that is measured of it.
struct Sample<'a> {
    case: &'a str,
    expect: &'a Expectation,
    operation: &'static OperationSpec,
    input: &'a Members,
    /// The rules that its members break.
    broken: Vec<RuleId>,
    /// The parts of the upload that it names.
    parts: Option<&'a [usize]>,
}

impl Cases {
    fn add(&mut self, case: &str, tier: Tier) {
        let ids = if tier.gates() { &mut self.judged } else { &mut self.open };
        if ids.last().is_none_or(|last| last != case) {
            ids.push(String::from(case));
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.judged.len() + self.open.len()
    }

    /// Their ids, those that can fail a target first.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.judged.iter().chain(&self.open).map(String::as_str)
    }
}

/// A valid GetDownloadUrlForLayer finds no layer: there the rule of that answer stands for "accepted".
const STOOD_FOR: &str =
    "a layer without an image has no URL: `GetDownloadUrlForLayer/layerDigest/exists` stands for it";

impl Coverage {
    /// Measures the cases of a service.
    ///
    /// # Errors
    ///
    /// A case that cannot be performed.
    pub fn of(service: Service, cases: &[Case]) -> Result<Coverage, Misfit> {
        let mut coverage = Coverage::empty(service);
        for case in cases {
            coverage.take(case)?;
        }
        Ok(coverage)
    }

    /// The rows without any case.
    fn empty(service: Service) -> Coverage {
        let (constraints, others) = constraint::rows(service);
        // Of a layer of an image there is a case, for targets that take images.
        let without_image = |rule: &Rule| rule.id != RuleId::new("GetDownloadUrlForLayer/layer/referenced");
        let of_url =
            |rule: &Rule| rule.id.operation() == Some(Operation::GetDownloadUrlForLayer) && rule.errors.is_empty();
        let stands_for = |rule: &Rule| of_url(rule) && without_image(rule);
        let other = |rule: &Rule| OtherRule {
            rule: rule.id,
            says: rule.statement.clone(),
            cases: Cases::default(),
            why_not: stands_for(rule).then_some(STOOD_FOR),
        };
        let pairs = STATES.iter().flat_map(|state| {
            let operations = service.contract().layer_operations();
            operations.filter(|operation| state::names(operation, state.of)).map(move |operation| (*state, operation))
        });
        let met = |(state, operation): (State, &OperationSpec)| MetState {
            state,
            operation: operation.name,
            cases: Cases::default(),
        };
        Coverage {
            service,
            constraints,
            rules: others.into_iter().map(other).collect(),
            errors: error::rows(service),
            states: pairs.map(met).collect(),
        }
    }

    fn take(&mut self, case: &Case) -> Result<(), Misfit> {
        let mut rehearsal = Rehearsal::of(case).map_err(|why| Misfit::of(&case.id, None, why))?;
        let mut past = Past::new([ACCOUNT, ALIAS], repositories(case).into_iter().map(|(_, name)| name));
        // In which state a call at once is answered, differs from time to time.
        let by_itself: Vec<bool> =
            case.groups().into_iter().flat_map(|group| vec![group.len() == 1; group.len()]).collect();
        for (step, by_itself) in case.steps.iter().zip(by_itself) {
            let (request, answer) = rehearsal.step(step).map_err(|why| Misfit::of(&case.id, Some(step), why))?;
            let operation = step.spec(self.service);
            let input = match serde_json::from_slice(&request.body) {
                Ok(Value::Object(input)) => Some(input),
                _ => None,
            };
            if step.role == StepRole::Focus {
                self.note(case, step);
            }
            let (Some(operation), Some(input)) = (operation, input) else { continue };
            if step.role == StepRole::Focus && by_itself {
                let broken = check_in(NOTATION, operation, &input).into_iter().map(|breach| breach.rule);
                let sample = Sample {
                    case: &case.id,
                    expect: &step.expect,
                    operation,
                    input: &input,
                    // What one edition allows breaks nothing.
                    broken: broken.filter(|rule| rule.constraint() != Some(Constraint::Editions)).collect(),
                    parts: past.parts(&input),
                };
                self.constraints.iter_mut().for_each(|row| row.measure(&sample));
                if sample.broken.is_empty() {
                    self.meet(&sample, &past.met(operation, &input));
                }
            }
            past.learn(operation, &input, answer.as_ref().ok());
        }
        Ok(())
    }

    /// Counts a step whatever its request is.
    fn note(&mut self, case: &Case, step: &Step) {
        let about = self.rules.iter_mut().filter(|row| row.rule == step.expect.rule);
        about.for_each(|row| row.cases.add(&case.id, step.expect.tier));
        self.errors.iter_mut().for_each(|row| row.note(case, step));
    }

    fn meet(&mut self, sample: &Sample, states: &[State]) {
        let met = |row: &&mut MetState| row.operation == sample.operation.name && states.contains(&row.state);
        self.states.iter_mut().filter(met).for_each(|row| row.cases.add(sample.case, sample.expect.tier));
    }

    /// The rows whose rule, or operation with error or state, is asked for.
    pub fn only(mut self, is_asked: impl Fn(&str) -> bool) -> Coverage {
        self.constraints.retain(|row| is_asked(&row.rule.to_string()));
        self.rules.retain(|row| is_asked(&row.rule.to_string()));
        self.errors.retain(|row| is_asked(&format!("{}/{}", row.owner(), row.error)));
        self.states.retain(|row| is_asked(&format!("{}/{}/{}", row.operation, row.state.of.word(), row.state.name)));
        self
    }

    /// How many cells there are, of each kind.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for cell in self.constraints.iter().flat_map(|row| &row.cells) {
            match (cell.cases.is_empty(), cell.why_not.is_some()) {
                (false, _) => totals.covered += 1,
                (true, true) => totals.unreachable += 1,
                (true, false) => totals.empty += 1,
            }
        }
        let rules = self.rules.iter().map(|row| (row.cases.is_empty(), row.why_not.is_some()));
        let errors = self.errors.iter().map(|row| (row.cases().is_empty(), row.why_not.is_some()));
        let states = self.states.iter().map(|row| (row.cases.is_empty(), false));
        for (_, has_reason) in rules.chain(errors).chain(states).filter(|(is_empty, _)| *is_empty) {
            totals.other_unreachable += usize::from(has_reason);
            totals.other_empty += usize::from(!has_reason);
        }
        totals
    }

    /// What is missing, each with what to do about it; nothing where every row of the contract has its cases.
    pub fn gaps(&self) -> Vec<String> {
        let service = self.service;
        let mut gaps = Vec::new();
        for row in &self.constraints {
            gaps.extend(row.gaps().iter().map(|gap| format!("{service}: {gap}")));
        }
        for row in &self.rules {
            if let Some(problem) = gap(row.cases.ids().next(), row.why_not, "src/coverage/mod.rs") {
                let add = "add one to the file of its family in src/generate, or a scenario";
                gaps.push(format!("{service}: {} has {problem}: {add}", row.rule));
            }
        }
        for row in &self.errors {
            gaps.extend(row.gap().map(|gap| format!("{service}: {gap}")));
        }
        for row in self.states.iter().filter(|row| row.cases.is_empty()) {
            gaps.push(format!(
                "{service}: no case calls {} on {} {} that is {:?}: write a scenario of it (docs/src/scenarios.md)",
                row.operation,
                if row.state.of == Thing::Upload { "an" } else { "a" },
                row.state.of.word(),
                row.state.name
            ));
        }
        gaps
    }
}

/// What is wrong with a cell: no case and no reason, or both.
fn gap(case: Option<impl AsRef<str>>, why_not: Option<&str>, place: &str) -> Option<String> {
    match (case, why_not) {
        (None, None) => Some(String::from("no case")),
        (Some(case), Some(_)) => Some(format!("a case ({}), and a reason why it has none in {place}", case.as_ref())),
        _ => None,
    }
}

/// The rules that cases are about: all but those that are judged on every answer.
fn rules(service: Service) -> impl Iterator<Item = &'static Rule> {
    Rules::of(service).iter().filter(|rule| !rule.id.is_everywhere())
}
