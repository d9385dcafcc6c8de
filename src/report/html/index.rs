//! The cases of a page: what each came to, where it stands, and which causes it shows.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::markup;
use crate::contract::{RuleId, Service};
use crate::events::Judged;
use crate::report::summary::{Counts, Group, Standing, Summary};

/// A case on the page.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    /// What was said of it.
    pub judged: &'a Judged,
    /// What that came to.
    pub standing: Standing,
    /// The id of its row.
    pub anchor: String,
    /// The causes that it shows: their anchors.
    pub causes: Vec<String>,
}

/// Cases that stand together: those that are named after a rule, or lie in a folder of scenarios.
#[derive(Debug, Default)]
pub(super) struct Section<'a> {
    /// The cases, in the order of the suite.
    pub cases: Vec<&'a Entry<'a>>,
    /// Other cases that are about the rule.
    pub also: Vec<&'a Entry<'a>>,
}

/// What stands where: by service and area, in the order of the suite, and then by rule or folder.
pub(super) type Sections<'a> = Vec<((Service, String), Vec<(String, Section<'a>)>)>;

/// All cases of the page.
pub(super) fn entries(summary: &Summary) -> Vec<Entry<'_>> {
    let mut causes: HashMap<(Service, &str), Vec<String>> = HashMap::new();
    for (status, groups) in [("gates", &summary.groups), ("known", &summary.known), ("tolerated", &summary.tolerated)] {
        for group in groups {
            for (service, case) in &group.cases {
                causes.entry((*service, case)).or_default().push(cause(status, group));
            }
        }
    }
    let mut anchors = BTreeSet::new();
    let entry = |judged| {
        let case: &Judged = judged;
        let mut anchor = markup::id(&format!("{}/{}", case.service, case.case));
        while !anchors.insert(anchor.clone()) {
            anchor.push('~'); // Two jobs of a search may come to the same sequence.
        }
        let causes = causes.get(&(case.service, case.case.as_str())).cloned().unwrap_or_default();
        Entry { judged: case, standing: summary.standing(case), anchor, causes }
    };
    summary.cases.iter().map(entry).collect()
}

/// The id of a cause on the page.
pub(super) fn cause(status: &str, group: &Group) -> String {
    format!("{status}-{}", group.fingerprint())
}

/// The id of the cases of a rule, or of a folder.
pub(super) fn section(service: Service, name: &str) -> String {
    markup::id(&format!("{service}:{name}"))
}

/// The cases by where they stand.
pub(super) fn sections<'a>(entries: &'a [Entry<'a>]) -> Sections<'a> {
    let mut places: BTreeMap<(Service, String), usize> = BTreeMap::new();
    let mut sections: Sections = Vec::new();
    let mut at = |service: Service, area: &str, name: &str, add: &mut dyn FnMut(&mut Section<'a>)| {
        let key = (service, String::from(area));
        let place = *places.entry(key.clone()).or_insert_with(|| {
            sections.push((key, Vec::new()));
            sections.len() - 1
        });
        let named = &mut sections[place].1;
        match named.iter_mut().find(|(known, _)| known == name) {
            Some((_, section)) => add(section),
            None => {
                let mut section = Section::default();
                add(&mut section);
                named.push((String::from(name), section));
            }
        }
    };
    for entry in entries {
        let judged = entry.judged;
        at(judged.service, judged.area(), &home(judged), &mut |section| section.cases.push(entry));
    }
    for entry in entries.iter().filter(|entry| !entry.judged.kind.is_random()) {
        let judged = entry.judged;
        let home = home(judged);
        for rule in distinct(&judged.rules) {
            let name = rule.to_string();
            if name != home {
                at(judged.service, rule.area().name(), &name, &mut |section| section.also.push(entry));
            }
        }
    }
    sections.sort_by_key(|((service, _), _)| *service);
    sections
}

/// The rules that a case is about, each once.
pub(super) fn distinct(rules: &[RuleId]) -> BTreeSet<RuleId> {
    rules.iter().copied().collect()
}

/// The rule that a case is named after, or else the folder that it lies in.
fn home(judged: &Judged) -> String {
    let rules = judged.rules.iter().map(RuleId::to_string);
    let named = rules.filter(|rule| judged.case.strip_prefix(rule.as_str()).is_some_and(|rest| rest.starts_with('/')));
    let folder = || judged.case.rsplit_once('/').map_or(judged.area(), |(folder, _)| folder);
    named.max_by_key(String::len).unwrap_or_else(|| String::from(folder()))
}

/// How many cases came to what.
pub(super) fn tally<'a>(entries: impl IntoIterator<Item = &'a Entry<'a>>) -> Counts {
    let mut counts = Counts::default();
    entries.into_iter().for_each(|entry| counts.add(entry.standing));
    counts
}
