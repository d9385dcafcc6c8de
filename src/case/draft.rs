//! Puts a case together, step by step.

use serde_json::{Map, Value};

use super::body::Body;
use super::{Case, CaseKind, Chunk, Length, Place, Step, StepRole, allowed, plain_rule};
use crate::contract::{Operation, RuleId, Service};
use crate::expect::Outcome;
use crate::template::Template;
use crate::wire::{Request, envelope};

/// A case in the making.
#[derive(Clone, Debug)]
pub struct Draft {
    case: Case,
}

/// The repository of the case.
pub const HERE: &str = "${repository}";

/// The digest of the chunk `layer`.
pub const RIGHT: &str = "${sha256:layer}";

/// A well-formed digest of no bytes that anybody uploads.
pub const ABSENT: &str = "sha256:00000000000000000000000000000000000000000000000000000000000000ff";

/// The sha256 of no bytes.
pub const OF_NOTHING: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// An upload id of the right form that no server gives out.
pub const NO_UPLOAD: &str = "00000000-0000-4000-8000-0000000000ff";

/// Size of a small layer: small enough for any server, and large enough to differ from run to run.
pub const SMALL: usize = 32;

impl Draft {
    /// A case without steps, in a shared repository.
    pub fn new(service: Service, id: impl Into<String>, title: impl Into<String>) -> Draft {
        Draft {
            case: Case {
                id: id.into(),
                kind: CaseKind::Catalogue,
                service,
                title: title.into(),
                about: String::new(),
                place: Place::Shared,
                chunks: Vec::new(),
                steps: Vec::new(),
                last: false,
                rounds: 1,
                plan: None,
            },
        }
    }

    /// Gives the case a repository of its own, and further ones with these names.
    pub fn own(mut self, further: &[&str]) -> Draft {
        self.case.place = Place::Own(further.iter().map(|name| String::from(*name)).collect());
        self
    }

    /// Adds bytes to upload.
    pub fn chunk(mut self, name: &str, len: usize) -> Draft {
        self.case.chunks.push(Chunk::new(name, len));
        self
    }

    /// Adds a text to upload.
    pub fn chunk_of(mut self, name: &str, text: &str) -> Draft {
        self.case.chunks.push(Chunk { name: String::from(name), len: Length::Text(text.into()) });
        self
    }

    /// Adds bytes to upload that are the same in every run: these, so many times.
    pub fn chunk_literal(mut self, name: &str, unit: &[u8], times: usize) -> Draft {
        self.case.chunks.push(Chunk { name: String::from(name), len: Length::Literal { unit: unit.into(), times } });
        self
    }

    /// A chunk of the case.
    pub fn chunk_named(&self, name: &str) -> Option<&Chunk> {
        self.case.chunks.iter().find(|known| known.name == name)
    }

    /// A valid call that makes the state that the case is about.
    pub fn set_up(self, name: &str, operation: Operation, body: Body) -> Draft {
        self.step(name, operation, body, StepRole::SetUp, plain_rule(operation))
    }

    /// A call that the target may reject without anything following from it.
    pub fn attempt(self, name: &str, operation: Operation, body: Body) -> Draft {
        self.step(name, operation, body, StepRole::Attempt, RuleId::new("survey/plain-upload"))
    }

    /// What the case is about.
    pub fn focus(self, rule: RuleId, operation: Operation, body: Body) -> Draft {
        let name = match self.case.steps.iter().filter(|step| step.role == StepRole::Focus).count() {
            0 => String::from("focus"),
            count => format!("focus{}", count + 1),
        };
        self.step(&name, operation, body, StepRole::Focus, rule)
    }

    /// What the case is about, under a name that later steps refer to.
    pub fn focus_as(self, name: &str, rule: RuleId, operation: Operation, body: Body) -> Draft {
        self.step(name, operation, body, StepRole::Focus, rule)
    }

    /// Replaces the outcomes that the last step expects.
    pub fn expecting(mut self, outcomes: Vec<Outcome>) -> Draft {
        if let Some(step) = self.case.steps.last_mut() {
            step.expect.outcomes = outcomes;
        }
        self
    }

    /// Adds outcomes to those that the last step expects.
    pub fn or_expecting(mut self, outcomes: impl IntoIterator<Item = Outcome>) -> Draft {
        if let Some(step) = self.case.steps.last_mut() {
            step.expect.outcomes.extend(outcomes);
        }
        self
    }

    /// Goes on from the last step only if it got one of these.
    pub fn only_if(mut self, outcomes: Vec<Outcome>) -> Draft {
        if let Some(step) = self.case.steps.last_mut() {
            step.only_if = outcomes;
        }
        self
    }

    /// Goes on from the last step only where it succeeds: what follows rests on what the documents leave open.
    pub fn only_if_accepted(mut self) -> Draft {
        if let Some(step) = self.case.steps.last_mut() {
            step.only_if = vec![Outcome::success()];
        }
        self
    }

    /// Pins a member of the success of the last step, where nothing but success is allowed.
    pub fn pinning(self, member: &str, value: &str) -> Draft {
        let members = Map::from_iter([(String::from(member), Value::from(value))]);
        self.expecting(vec![Outcome::Success { members }])
    }

    /// Changes the request of the last step.
    pub fn request(mut self, change: impl FnOnce(&mut Request<Template>)) -> Draft {
        if let Some(step) = self.case.steps.last_mut() {
            change(&mut step.request);
        }
        self
    }

    /// Runs the case after all others.
    pub fn last(mut self) -> Draft {
        self.case.last = true;
        self
    }

    /// The case.
    pub fn done(self) -> Case {
        self.case
    }

    pub(crate) fn step(self, name: &str, operation: Operation, body: Body, role: StepRole, rule: RuleId) -> Draft {
        self.step_with(name, operation, body.template(), role, rule)
    }

    /// A call whose body is a template already.
    pub(crate) fn step_with(
        mut self,
        name: &str,
        operation: Operation,
        body: Template,
        role: StepRole,
        rule: RuleId,
    ) -> Draft {
        let service = self.case.service;
        let mut expect = allowed(service, rule);
        if role == StepRole::SetUp
            && let Some(known) = service.contract().operation(operation)
        {
            expect.sources = vec![known.page()];
        }
        self.case.steps.push(Step {
            name: String::from(name),
            operation: Some(operation),
            request: envelope::request(service, operation, body),
            at_once: false,
            role,
            expect,
            also_broken: Vec::new(),
            precedence: None,
            only_if: Vec::new(),
            readings: None,
        });
        self
    }
}
