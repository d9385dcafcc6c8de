//! The reference registry on its way along an order of calls.

use std::collections::{BTreeMap, BTreeSet};

use super::history::{Call, History};
use super::order::Model;
use crate::case::{Place, Step};
use crate::contract::Operation;
use crate::generate::Follower;
use crate::judge::{self, may_end_uploads};

/// Which members an answer must have to be explained.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Members {
    /// Those that it should have in this place.
    Right,
    /// Any: what is wrong with them is a matter of form.
    Any,
}

/// The reference registry on its way along an order.
#[derive(Clone)]
pub(super) struct State<'a> {
    history: &'a History<'a>,
    members: Members,
    follower: Follower,
    /// The uploads that were begun and are certain to be open.
    begun: BTreeSet<(String, usize)>,
    /// The parts that each upload was sent: what it holds.
    parts: BTreeMap<usize, Vec<usize>>,
}

impl History<'_> {
    /// Before the first call.
    pub(super) fn start(&self, members: Members) -> State<'_> {
        let further = match &self.case.place {
            Place::Shared => &[],
            Place::Own(names) => names.as_slice(),
        };
        let references: Vec<String> = std::iter::once(String::from("repository"))
            .chain(further.iter().map(|name| format!("repository:{name}")))
            .collect();
        let references: Vec<&str> = references.iter().map(String::as_str).collect();
        let follower = Follower::new(self.case.service, &self.case.chunks, &references);
        State { history: self, members, follower, begun: BTreeSet::new(), parts: BTreeMap::new() }
    }

    /// The steps in an order, with what each expects there.
    pub(super) fn followed(&self, order: &[usize]) -> Vec<Step> {
        let mut state = self.start(Members::Any);
        order.iter().map(|call| state.follow(*call, true)).collect()
    }
}

impl State<'_> {
    /// Goes on by a call, with its answer or as the registry would answer; the step with what it expects.
    pub(super) fn follow(&mut self, call: usize, answered: bool) -> Step {
        let Call { step, readings, answered: answer, .. } = &self.history.calls[call];
        let mut step = Step::clone(step);
        let accepted = self.follower.step(&mut step, readings, answer.as_ref().filter(|_| answered)).accepted;
        if may_end_uploads(&step) {
            self.begun.clear();
        }
        self.begun.extend(self.history.calls[call].begun.clone());
        if accepted && step.operation == Some(Operation::UploadLayerPart) {
            let uploads = &self.history.calls[call].uploads;
            uploads.iter().for_each(|upload| self.parts.entry(*upload).or_default().push(call));
        }
        step
    }
}

impl Model for State<'_> {
    type Mark = String;

    fn after(&self, call: usize) -> Option<Self> {
        let mut after = self.clone();
        let step = after.follow(call, true);
        let History { case, transcript, options, calls, .. } = self.history;
        let repeats_an_id = calls[call].begun.as_ref().is_some_and(|own| self.begun.contains(own));
        let as_it_should_be = judge::allows(case, &step, transcript, calls[call].exchange, *options)?;
        let explained = as_it_should_be || self.members == Members::Any;
        (explained && !repeats_an_id).then_some(after)
    }

    fn after_unknown(&self, call: usize) -> Self {
        let mut after = self.clone();
        after.follow(call, false);
        after
    }

    fn mark(&self) -> String {
        format!("{}{:?}{:?}", self.follower.state(), self.begun, self.parts)
    }
}
