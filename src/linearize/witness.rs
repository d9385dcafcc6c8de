//! As few calls as show that no order explains what came back.

use std::collections::BTreeSet;

use super::history::{Call, History};
use super::order::{Explained, search};
use super::state::Members;
use crate::contract::Operation;
use crate::judge::describe;
use crate::template::{Reference, Template};

/// So many calls are tried to find out whether a call can be left out.
const BOUND: usize = 1_000;

/// So many calls are shown.
const SHOWN: usize = 4;

impl History<'_> {
    /// The calls that show the finding of a step.
    pub(super) fn witness(&self, step: &str) -> Vec<String> {
        let Some(call) = self.calls.iter().position(|call| call.step.name == step) else { return Vec::new() };
        match self.explained() {
            Explained::Not { next, .. } if next == call => self.lines(self.core(next), call),
            // What is wrong with it has nothing to do with the order; but what was accepted meanwhile may tell more.
            _ => {
                let meets =
                    |other: &usize| self.are_at_once(call, *other) && self.calls[call].meets(&self.calls[*other]);
                let accepted = (0..self.calls.len()).filter(|other| *other != call && self.was_accepted(*other));
                self.lines(accepted.filter(meets).take(SHOWN - 1).chain([call]).collect(), call)
            }
        }
    }

    /// Calls that no order explains whatever the others did, if they did anything: one whose answer is not allowed,
    /// and as few others as possible.
    fn core(&self, next: usize) -> Vec<usize> {
        if next < self.first_at_once {
            return vec![next];
        }
        let group = self.calls[next].group;
        let end = self.calls.iter().take_while(|call| call.group <= group).count();
        let mut start = self.start(Members::Any);
        for call in 0..self.first_at_once {
            start.follow(call, true);
        }
        let stands = |free: &BTreeSet<usize>| {
            let found = search(&self.relations(end, free), &start, self.first_at_once, BOUND);
            matches!(found, Explained::Not { .. })
        };
        // What began an upload stays. So does what was answered before the calls that are in question were sent.
        let of_group = |call: &usize| self.calls[*call].group == group || !self.is_at_once(next);
        let is_open = |call: &usize| {
            !self.calls[*call].is(Operation::InitiateLayerUpload) || self.calls[next].is(Operation::InitiateLayerUpload)
        };
        let others: Vec<usize> =
            (self.first_at_once..end).filter(|call| *call != next).filter(of_group).filter(is_open).collect();
        let mut free = BTreeSet::new();
        let mut leave_out = |calls: Vec<usize>| {
            let more = free.iter().copied().chain(calls).collect();
            if stands(&more) {
                free = more;
            }
        };
        let of = |is: &dyn Fn(usize) -> bool| others.iter().copied().filter(|call| is(*call)).collect::<Vec<_>>();
        leave_out(of(&|call| !self.calls[call].meets(&self.calls[next])));
        leave_out(of(&|call| !self.was_accepted(call)));
        // What came late explains less than what came early.
        others.iter().rev().for_each(|call| leave_out(vec![*call]));
        let needed = others.iter().copied().filter(|call| !free.contains(call));
        let mut core: Vec<usize> = needed.chain([next]).collect();
        let at_once = |one: usize, other: usize| one != other && self.are_at_once(one, other);
        if !core.iter().any(|one| core.iter().any(|other| at_once(*one, *other))) {
            // It takes a call that was under way with one of them to get there.
            let meets = |call: &usize| {
                core.iter().any(|other| at_once(*call, *other) && self.calls[*call].meets(&self.calls[*other]))
            };
            let operations: BTreeSet<Option<Operation>> =
                core.iter().map(|call| self.calls[*call].step.operation).collect();
            let mut with: Vec<usize> = free.iter().copied().filter(meets).collect();
            with.sort_by_key(|call| operations.contains(&self.calls[*call].step.operation));
            core.extend(with.first());
        }
        core
    }

    fn was_accepted(&self, call: usize) -> bool {
        self.calls[call].answered == Some(crate::generate::Answered::Accepted)
    }

    fn are_at_once(&self, one: usize, other: usize) -> bool {
        let (one, other) = (&self.calls[one], &self.calls[other]);
        !one.is_before(other) && !other.is_before(one)
    }

    /// Calls as a reader sees them, in the order in which they were sent: the one that the finding is about, and some.
    fn lines(&self, mut calls: Vec<usize>, about: usize) -> Vec<String> {
        calls.sort_by_key(|call| *call != about);
        let left_out = calls.split_off(calls.len().min(SHOWN)).len();
        calls.sort_by_key(|call| (self.calls[*call].group, self.calls[*call].exchange.began));
        let first = calls.iter().map(|call| self.calls[*call].exchange.began).min().unwrap_or_default();
        let millis = |at: std::time::Duration| at.saturating_sub(first).as_secs_f64() * 1000.0;
        let line = |call: &usize| {
            let Call { step, exchange, .. } = &self.calls[*call];
            let (began, ended) = (millis(exchange.began), millis(exchange.ended()));
            let uploads = upload_names(&step.request.body);
            let of = if uploads.is_empty() { uploads } else { format!(" of {uploads}") };
            let (name, operation, got) = (&step.name, step.operation_name(), describe(exchange));
            format!("{name}, {operation}{of}, from {began:.1} to {ended:.1} ms: {got}")
        };
        let more = (left_out > 0).then(|| format!("and {left_out} more"));
        calls.iter().map(line).chain(more).collect()
    }
}

/// The steps that began the uploads that a template names.
fn upload_names(template: &Template) -> String {
    let ids = template.references().filter_map(Reference::of_member).filter(|of| of.member == "uploadId");
    let names: Vec<&str> = ids.map(|of| of.step.as_str()).collect();
    names.join(", ")
}
