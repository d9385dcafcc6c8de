//! Findings by cause.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use crate::case::bindings::hex;
use crate::contract::{Operation, RuleId, Service};
use crate::events::Judged;
use crate::judge::known::Known;
use crate::judge::{Finding, words};

/// Findings with one cause.
#[derive(Clone, Debug)]
pub struct Group {
    /// In which services.
    pub services: Vec<Service>,
    /// The finding that stands for all: of the strongest tier, of the operation with most cases, of the smallest case.
    pub finding: Finding,
    /// What shows it with the fewest calls; `None` if the survey found it.
    pub smallest: Option<Judged>,
    /// Ids of the rules that the steps are about.
    pub about: Vec<RuleId>,
    /// All operations.
    pub operations: Vec<Option<Operation>>,
    /// All cases.
    pub cases: Vec<(Service, String)>,
    /// What entries of known deviations accept it by: each service and rule, and whether it is found in some runs only.
    pub accepted_by: BTreeMap<(Service, RuleId), bool>,
}

/// A finding, and where it is from.
#[derive(Clone, Copy)]
pub(super) struct Found<'a> {
    pub service: Service,
    pub finding: &'a Finding,
    /// The case, and what shows it with the fewest calls; `None` if the survey found it.
    pub cases: Option<(&'a Judged, &'a Judged)>,
}

impl Group {
    /// What all have in common, as a sentence, with the operations beside the one that it names.
    pub fn sentence(&self) -> String {
        let found = &self.finding;
        let others = self.operations.iter().filter(|operation| **operation != found.operation);
        let others: Vec<&str> = others.map(|operation| words::answering(*operation)).collect();
        let others = match others.as_slice() {
            [] => String::new(),
            [one] => format!(" (and {one})"),
            many => format!(" (and {} more operations)", many.len()),
        };
        format!("{}{others}", found.sentence_for(&self.about))
    }

    /// The rules that entries of known deviations name to accept it.
    pub fn rules(&self) -> Vec<RuleId> {
        distinct(self.accepted_by.keys().map(|(_, rule)| *rule))
    }

    /// Whether an entry of known deviations, were it not for its last day, accepts some of it.
    pub fn is_about(&self, entry: &Known) -> bool {
        let named = |(service, rule): &(Service, RuleId)| entry.is_for(*service) && *rule == entry.rule;
        self.finding.got == entry.got && self.accepted_by.keys().any(named)
    }

    /// The cause as 16 hexadecimal digits: the same in every run that finds it.
    pub fn fingerprint(&self) -> String {
        hex(&Sha256::digest(self.finding.cause()))[..16].into()
    }

    pub(super) fn of(found: &[Found]) -> Option<Group> {
        let cases_of =
            |operation: Option<Operation>| found.iter().filter(|found| found.finding.operation == operation).count();
        let first = found.iter().min_by_key(|found| {
            let most = std::cmp::Reverse(cases_of(found.finding.operation));
            (found.finding.tier, most, found.cases.map(size))
        })?;
        Some(Group {
            services: distinct(found.iter().map(|found| found.service)),
            finding: first.finding.clone(),
            smallest: first.cases.map(|(_, smallest)| smallest.clone()),
            about: distinct(found.iter().map(|found| found.finding.about)),
            operations: distinct(found.iter().map(|found| found.finding.operation)),
            cases: found.iter().filter_map(|found| Some((found.service, found.cases?.0.case.clone()))).collect(),
            accepted_by: accepted_by(found),
        })
    }
}

/// What entries accept findings by. Only calls at once show in some runs and not in others.
fn accepted_by(found: &[Found]) -> BTreeMap<(Service, RuleId), bool> {
    let mut accepted_by = BTreeMap::new();
    for one in found {
        let sometimes = accepted_by.entry((one.service, one.finding.accept_as)).or_insert(true);
        *sometimes &= one.finding.witness.is_some();
    }
    accepted_by
}

/// Each value once, in order.
fn distinct<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    values.collect::<BTreeSet<T>>().into_iter().collect()
}

/// Cases of the suite first, then those whose exchanges found room, then the fewest calls, then the fewest bytes, then the
/// order of the ids, which is the same in a run and in its parts.
fn size<'a>((judged, smallest): (&'a Judged, &Judged)) -> (bool, bool, usize, usize, &'a str) {
    (
        smallest.kind.is_random(),
        smallest.requests > 0 && smallest.exchanges.is_empty(),
        smallest.requests,
        smallest.exchanges.iter().map(|exchange| exchange.body.bytes).sum(),
        &judged.case,
    )
}
