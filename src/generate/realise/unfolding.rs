//! A sequence in the making: what it is so far, and how a call is added to it.

use std::sync::Arc;

use super::super::follow::Follower;
use super::super::plan;
use super::upload::{Upload, rarely};
use crate::case::draft::SMALL;
use crate::case::{Case, CaseKind, Chunk, Decision, Place, Plan, Readings, Step, StepRole, allowed};
use crate::contract::{Operation, Service};
use crate::model::operation::Facts;
use crate::template::{Reference, Template};
use crate::wire::envelope;

/// The repository besides the one of the case.
const OTHER: &str = "other";

/// A sequence in the making.
#[derive(Clone)]
pub(super) struct Unfolding {
    pub(super) case: Case,
    pub(super) uploads: Vec<Upload>,
    /// The contents that were sent, by their chunks, in order.
    pub(super) contents: Vec<Vec<String>>,
    /// Whether the repository of the case is there, and the other one.
    pub(super) exists: [bool; 2],
    /// The decisions as they were taken: without those that gave no call, and violations that changed nothing.
    pub(super) taken: Plan,
}

impl Unfolding {
    pub(super) fn of(service: Service, plan: &Plan) -> Unfolding {
        let (mut unfolding, mut follower) = Unfolding::start(service);
        for decision in plan.decisions.iter().take(Plan::MAX_CALLS) {
            unfolding.take(decision, &mut follower);
        }
        unfolding.finish()
    }

    /// Before the first call. Requests depend on what came before, and so on what the reference registry says of it.
    pub(super) fn start(service: Service) -> (Unfolding, Follower) {
        let unfolding = Unfolding {
            case: Case {
                id: String::new(),
                kind: CaseKind::Plan,
                service,
                title: String::from("a random sequence"),
                about: String::new(),
                place: Place::Own(Vec::new()),
                chunks: Vec::new(),
                steps: Vec::new(),
                last: false,
                rounds: 1,
                plan: None,
            },
            uploads: Vec::new(),
            contents: Vec::new(),
            exists: [true, true],
            taken: Plan::default(),
        };
        let follower = follower(&unfolding.case);
        (unfolding, follower)
    }

    /// After the last call.
    pub(super) fn finish(mut self) -> Unfolding {
        self.case.id = plan::id(self.case.service, &self.taken);
        self.case.plan = Some(self.taken.clone());
        if self.case.steps.iter().any(|step| names_other(&step.request.body)) {
            self.case.place = Place::Own(vec![String::from(OTHER)]);
        }
        self
    }

    pub(super) fn need(&mut self, chunk: &str, len: usize, follower: &mut Follower) {
        if !self.case.chunks.iter().any(|known| known.name == chunk) {
            self.case.chunks.push(Chunk::new(chunk, len));
            follower.add_chunks(&self.case.chunks);
        }
    }

    /// Bytes that nobody uploads, where a request has their digest.
    fn need_other(&mut self, body: &Template) {
        let is_of_other = |reference: &Reference| reference.chunks().iter().any(|chunk| chunk == "other");
        if body.references().any(is_of_other) && !self.case.chunks.iter().any(|known| known.name == "other") {
            self.case.chunks.push(Chunk::new("other", SMALL));
        }
    }

    pub(super) fn choose_repository(&self, decision: &Decision, fits: impl Fn(bool) -> bool) -> Option<usize> {
        let fitting: Vec<usize> = (0..2).filter(|index| fits(self.exists[*index])).collect();
        rarely(&fitting, decision.entropy[0]).copied()
    }

    pub(super) fn next_name(&self, operation: Operation) -> String {
        let word = Facts::of(operation).step;
        let before = self.case.steps.iter().filter(|step| step.operation == Some(operation)).count();
        format!("{word}{}", before + 1)
    }

    /// Adds a step; whether the reference registry accepts it.
    pub(super) fn push(
        &mut self,
        operation: Operation,
        role: StepRole,
        body: Template,
        mut readings: Readings,
        follower: &mut Follower,
    ) -> bool {
        self.need_other(&body);
        follower.add_chunks(&self.case.chunks);
        let service = self.case.service;
        let mut step = Step {
            name: self.next_name(operation),
            operation: Some(operation),
            request: envelope::request(service, operation, body),
            at_once: false,
            role,
            expect: allowed(service, readings.accepting),
            also_broken: Vec::new(),
            precedence: None,
            only_if: Vec::new(),
            readings: None,
        };
        let went = follower.step(&mut step, &readings, None);
        readings.accepted = Some(went.accepted).filter(|_| went.plainly);
        step.readings = Some(Arc::new(readings));
        self.case.steps.push(step);
        went.accepted
    }
}

/// A follower for a whole case.
pub(super) fn follower(case: &Case) -> Follower {
    Follower::new(case.service, &case.chunks, &[OTHER])
}

fn names_other(body: &Template) -> bool {
    body.references().any(|reference| reference.further_repository() == Some(OTHER))
}

/// The reference to a repository of the case.
pub(super) fn reference(repository: usize) -> Reference {
    Reference::repository([None, Some(OTHER)][repository])
}
