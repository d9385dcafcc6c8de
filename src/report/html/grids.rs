//! Two maps of what was tested: rules by operation, and states by operation. Each cell leads to its cases.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::findings::links;
use super::index::{self, Entry, distinct, tally};
use super::markup::{Href, Html};
use super::{Page, section};
use crate::contract::{RuleId, Service};
use crate::report::summary::{Counts, Standing};

/// How many cases of a state are links; the rest is counted.
const CASES: usize = 8;

const LEGEND: &str = "A cell has the number of cases, and what they came to: ok; FAIL, and how many of them; known (or \
                      tolerated); ? where some could not be judged; – where all were skipped.";

/// Rules by operation.
pub(super) fn constraints(html: &mut Html, page: &Page) {
    section(html, "constraints", "Constraints by operation", |html| {
        html.leaf("p", &[("class", "note")], LEGEND);
        for service in &page.input.summary.started.services {
            let mut cells: BTreeMap<RuleId, Vec<&Entry>> = BTreeMap::new();
            // A sequence that was drawn is about no rule more than about another.
            let is_about = |entry: &&Entry| entry.judged.service == *service && !entry.judged.kind.is_random();
            for entry in page.entries.iter().filter(is_about) {
                distinct(&entry.judged.rules).into_iter().for_each(|rule| cells.entry(rule).or_default().push(entry));
            }
            if cells.is_empty() {
                continue;
            }
            let columns: BTreeSet<&str> = cells.keys().map(|rule| rule.area().name()).collect();
            let columns: Vec<&str> = columns.into_iter().collect();
            let mut rows: BTreeMap<String, BTreeMap<&str, (RuleId, &[&Entry])>> = BTreeMap::new();
            for (rule, entries) in &cells {
                rows.entry(rule.rest()).or_default().insert(rule.area().name(), (*rule, entries));
            }
            grid(html, &format!("{service}: rules by operation"), "rule", &columns, |html| {
                for (name, row) in &rows {
                    html.tag("tr", &[], |html| {
                        html.leaf("th", &[("scope", "row")], name);
                        for column in &columns {
                            match row.get(column) {
                                Some((rule, entries)) => rule_cell(html, *service, *rule, entries),
                                None => html.markup("<td></td>"),
                            }
                        }
                    });
                    html.markup("\n");
                }
            });
        }
    });
}

fn rule_cell(html: &mut Html, service: Service, rule: RuleId, entries: &[&Entry]) {
    let (class, text) = words(&tally(entries.iter().copied()));
    html.tag("td", &[("class", class)], |html| {
        html.link(Href::Here(&index::section(service, &rule.to_string())), text);
    });
}

/// States by operation.
pub(super) fn states(html: &mut Html, page: &Page) {
    section(html, "states", "States by operation", |html| {
        html.leaf(
            "p",
            &[("class", "note")],
            "What the requests of cases meet when their syntax is right, measured on the reference server.",
        );
        let by_id: HashMap<(Service, &str), &Entry> =
            page.entries.iter().map(|entry| ((entry.judged.service, entry.judged.case.as_str()), entry)).collect();
        let mut is_empty = true;
        for service in &page.input.summary.started.services {
            let met = || page.input.states.iter().filter(|met| met.service == *service);
            let entries = |cases: &[String]| -> Vec<&Entry> {
                cases.iter().filter_map(|case| by_id.get(&(*service, case.as_str())).copied()).collect()
            };
            if met().all(|met| entries(&met.cases).is_empty()) {
                continue;
            }
            is_empty = false;
            let mut columns: Vec<&str> = Vec::new();
            let mut rows: Vec<(&str, &str)> = Vec::new();
            for met in met() {
                if !columns.contains(&met.operation.name()) {
                    columns.push(met.operation.name());
                }
                if !rows.contains(&(met.of, met.state)) {
                    rows.push((met.of, met.state));
                }
            }
            columns.sort_unstable();
            grid(html, &format!("{service}: states by operation"), "state", &columns, |html| {
                for (of, state) in rows {
                    html.tag("tr", &[], |html| {
                        html.leaf("th", &[("scope", "row")], format!("{of}: {state}"));
                        for column in &columns {
                            let cell =
                                met().find(|met| (met.of, met.state, met.operation.name()) == (of, state, *column));
                            let entries = cell.map_or_else(Vec::new, |met| entries(&met.cases));
                            state_cell(html, &entries);
                        }
                    });
                    html.markup("\n");
                }
            });
        }
        if is_empty {
            html.leaf("p", &[], "No case of the suite was tried.");
        }
    });
}

fn state_cell(html: &mut Html, entries: &[&Entry]) {
    if entries.is_empty() {
        html.markup("<td></td>");
        return;
    }
    let (class, text) = words(&tally(entries.iter().copied()));
    let mut worst_first = entries.to_vec();
    worst_first.sort_by_key(|entry| entry.standing);
    html.tag("td", &[("class", class)], |html| {
        html.tag("details", &[], |html| {
            html.leaf("summary", &[], text);
            links(html, worst_first.into_iter(), CASES);
        });
    });
}

/// A table with operations as its columns.
fn grid(html: &mut Html, caption: &str, corner: &str, columns: &[&str], rows: impl FnOnce(&mut Html)) {
    let scroll = [("class", "scroll"), ("role", "region"), ("tabindex", "0"), ("aria-label", caption)];
    html.tag("div", &scroll, |html| {
        html.tag("table", &[("class", "grid")], |html| {
            html.leaf("caption", &[], caption);
            html.tag("thead", &[], |html| {
                html.tag("tr", &[], |html| {
                    html.leaf("th", &[("scope", "col")], corner);
                    for column in columns {
                        html.tag("th", &[("scope", "col")], |html| breakable(html, column));
                    }
                });
            });
            html.markup("\n");
            html.tag("tbody", &[], rows);
        });
    });
    html.markup("\n");
}

/// The name of an operation, which may be broken before each of its words.
fn breakable(html: &mut Html, name: &str) {
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            html.markup("<wbr/>");
        }
        html.text(letter);
    }
}

/// What the cases of a cell came to: a class, and words that say the same.
fn words(counts: &Counts) -> (&'static str, String) {
    let Counts { passed, failed, tolerated, inconclusive, skipped } = *counts;
    let all = passed + failed + tolerated + inconclusive + skipped;
    match () {
        () if failed > 0 => (class(Standing::Failed), format!("FAIL {failed}/{all}")),
        () if tolerated > 0 => (class(Standing::Tolerated), format!("known {tolerated}/{all}")),
        () if inconclusive > 0 => (class(Standing::Inconclusive), format!("? {inconclusive}/{all}")),
        () if passed > 0 => (class(Standing::Passed), format!("ok {passed}")),
        () => (class(Standing::Skipped), format!("– {skipped}")),
    }
}

/// The class of what a case came to.
pub(super) fn class(standing: Standing) -> &'static str {
    match standing {
        Standing::Passed => "p",
        Standing::Failed => "f",
        Standing::Tolerated => "k",
        Standing::Inconclusive => "i",
        Standing::Skipped => "s",
    }
}
