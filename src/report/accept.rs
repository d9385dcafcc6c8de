//! What a file of known deviations needs so that a run is accepted, and what of it can go.

use std::collections::{BTreeMap, BTreeSet};

use super::Summary;
use super::summary::Group;
use crate::contract::{RuleId, Service};
use crate::judge::known::{Known, NewEntry, Stale};

/// Entries for all findings that count, worst first: one for each cause and service, or for both services where both
/// have it.
pub fn entries(summary: &Summary) -> Vec<NewEntry> {
    let mut written = BTreeSet::new();
    let mut entries = Vec::new();
    for group in &summary.groups {
        let is_new =
            |(service, rule): (Service, RuleId)| written.insert((service.name(), rule, group.finding.got.code()));
        entries.extend(of_group(group, is_new));
    }
    entries
}

fn of_group(group: &Group, mut is_new: impl FnMut((Service, RuleId)) -> bool) -> Vec<NewEntry> {
    // Rules are together that are found in the same services, always or now and then.
    let mut alike: BTreeMap<(Vec<&str>, bool), BTreeSet<RuleId>> = BTreeMap::new();
    let accepted = group.accepted_by.iter().filter(|(key, _)| is_new(**key));
    let accepted: BTreeMap<(Service, RuleId), bool> = accepted.map(|(key, sometimes)| (*key, *sometimes)).collect();
    for (_, rule) in accepted.keys() {
        let of_rule = || accepted.iter().filter(|((_, other), _)| other == rule);
        let services = of_rule().map(|((service, _), _)| service.name()).collect();
        let sometimes = of_rule().all(|(_, sometimes)| *sometimes);
        alike.entry((services, sometimes)).or_default().insert(*rule);
    }
    let entry = |((services, sometimes), rules): ((Vec<&str>, bool), BTreeSet<RuleId>)| NewEntry {
        sentence: group.sentence(),
        rules,
        got: group.finding.got.clone(),
        service: Service::ALL.into_iter().find(|service| services == [service.name()]),
        sometimes,
    };
    alike.into_iter().map(entry).collect()
}

/// Entries that are out of date, by their places among those that the run was judged by. One that has expired and is still
/// found is not: somebody has to say what becomes of it.
pub fn out_of_date(summary: &Summary, known: &[Known]) -> BTreeSet<usize> {
    let gone = |(entry, stale): &&(Known, Stale)| {
        let found = || summary.groups.iter().any(|group| group.is_about(entry));
        *stale != Stale::Expired || !found()
    };
    let gone: Vec<&Known> = summary.known_trouble.iter().filter(gone).map(|(entry, _)| entry).collect();
    known.iter().enumerate().filter(|(_, entry)| gone.contains(entry)).map(|(number, _)| number).collect()
}
