//! Findings by cause: what is wrong, why that is wrong, and the smallest sequence that shows it.

use super::exchanges::exchanges;
use super::index::{self, Entry};
use super::markup::{Href, Html};
use super::{Page, section as of_page, term};
use crate::contract::{RuleId, Rules, Service, Source};
use crate::events::Judged;
use crate::judge::{Grade, words};
use crate::report::reference::RuleUrl;
use crate::report::summary::Group;
use crate::report::terminal::{self, number_of};
use crate::template::shown;

/// How many cases of a cause are links; the rest is counted.
const CASES: usize = 60;

/// The causes that gate.
pub(super) fn section(html: &mut Html, page: &Page) {
    let summary = page.input.summary;
    let heading = match summary.groups.len() {
        0 => String::from("Findings: none"),
        causes => format!("Findings: {}", number_of(causes, "cause")),
    };
    of_page(html, "findings", &heading, |html| {
        if summary.groups.len() > 1 {
            contents(html, &summary.groups);
        }
        for (number, group) in summary.groups.iter().enumerate() {
            cause(html, page, group, number + 1);
        }
    });
}

/// The causes in a line each, to go to.
fn contents(html: &mut Html, groups: &[Group]) {
    html.tag("ol", &[("class", "contents")], |html| {
        for group in groups {
            html.tag("li", &[], |html| {
                grade(html, group.finding.grade);
                html.link(Href::Here(&index::cause("gates", group)), group.sentence());
                html.leaf("small", &[], format!(" {}", number_of(group.cases.len().max(1), "case")));
            });
            html.markup("\n");
        }
    });
}

fn grade(html: &mut Html, grade: Grade) {
    let class = match grade {
        Grade::Crash | Grade::State | Grade::Rejected | Grade::Error => "grade f",
        Grade::Form => "grade i",
        Grade::Slow => "grade s",
    };
    html.leaf("span", &[("class", class)], grade);
    html.markup(" ");
}

fn cause(html: &mut Html, page: &Page, group: &Group, number: usize) {
    let found = &group.finding;
    let anchor = index::cause("gates", group);
    html.tag("article", &[("id", &anchor)], |html| {
        html.tag("h3", &[], |html| {
            html.text(format!("{number}. "));
            grade(html, found.grade);
            html.link(Href::Here(&anchor), group.sentence());
        });
        html.tag("dl", &[], |html| facts(html, page, group));
        if let Some(smallest) = &group.smallest {
            sequence(html, page, smallest);
        }
        members(html, page, group);
    });
    html.markup("\n");
}

fn facts(html: &mut Html, page: &Page, group: &Group) {
    let found = &group.finding;
    let service = group.services.first().copied();
    let rule = service.and_then(|service| Rules::of(service).get(found.rule));
    term(html, "expected", |html| html.leaf("code", &[], words::expected(&found.expected)));
    term(html, "got", |html| html.leaf("code", &[], found.got.code()));
    if let Some(rule) = rule {
        term(html, "says", |html| html.text(&rule.statement));
    }
    term(html, "rule", |html| {
        rule_link(html, page, group);
        html.text(format!(", {}", found.strength()));
    });
    let sources: Vec<&Source> = found.sources.iter().filter_map(|id| Source::find(id)).collect();
    if !sources.is_empty() {
        term(html, if sources.len() == 1 { "source" } else { "sources" }, |html| {
            for (place, source) in sources.iter().enumerate() {
                html.markup(if place > 0 { ", " } else { "" });
                html.link(Href::Source(source.url), format!("{} ({})", source.what, source.edition));
            }
        });
    }
    term(html, "grade", |html| html.text(format!("{}: {}", found.grade, words::grade(found))));
    if group.rules().len() > 1 || group.rules().first() != Some(&found.rule) {
        let named: Vec<String> = group.rules().iter().map(RuleId::to_string).collect();
        term(html, "accept as", |html| html.text(named.join(", ")));
    }
    if let Some(words) = &found.client {
        term(html, "client", |html| html.text(words));
    }
    if let Some(witness) = &found.witness {
        term(html, "seen", |html| {
            html.text(format!("in {} of {}", witness.seen, number_of(witness.rounds, "round")));
            html.tag("ul", &[], |html| witness.calls.iter().for_each(|call| html.leaf("li", &[], call)));
        });
    }
    let (service, case) = match &group.smallest {
        Some(smallest) => (Some(smallest.service), smallest.case.as_str()),
        None => (service, "survey"),
    };
    if let Some(service) = service {
        let again = terminal::again(page.input.summary, service, case, page.input.detail.reader);
        term(html, "replay", |html| html.leaf("code", &[("class", "command")], again));
    }
    let script = group.smallest.as_ref().and_then(|smallest| terminal::script(&page.input.summary.started, smallest));
    if let Some(script) = script {
        term(html, "all calls", |html| html.leaf("code", &[("class", "command")], script));
    }
}

/// The rule that a cause breaks, as a link if it is known where the guide has it.
fn rule_link(html: &mut Html, page: &Page, group: &Group) {
    html.tag("code", &[], |html| match RuleUrl::of_group(page.input.summary, group) {
        Some(url) => html.link(Href::Rule(&url), group.finding.rule),
        None => html.text(group.finding.rule),
    });
}

/// The sequence that shows a cause with the fewest calls.
fn sequence(html: &mut Html, page: &Page, smallest: &Judged) {
    let what = format!("{} ({})", shown(&smallest.title), number_of(smallest.requests, "call"));
    if smallest.exchanges.is_empty() || html.len() > page.room {
        html.leaf("p", &[("class", "note")], format!("Smallest sequence: {what}. Its exchanges are in the event log."));
        return;
    }
    html.tag("details", &[("class", "sequence")], |html| {
        html.tag("summary", &[], |html| {
            html.leaf("b", &[], "Smallest sequence: ");
            html.text(what);
        });
        exchanges(html, smallest);
    });
}

/// The cases of a cause.
fn members(html: &mut Html, page: &Page, group: &Group) {
    if group.cases.is_empty() {
        let services: Vec<String> = group.services.iter().map(Service::to_string).collect();
        html.leaf("p", &[("class", "note")], format!("Found by the survey of {}.", services.join(" and ")));
        return;
    }
    html.tag("details", &[], |html| {
        html.leaf("summary", &[], number_of(group.cases.len(), "case"));
        let anchor = index::cause("gates", group);
        links(html, page.entries.iter().filter(|entry| entry.causes.contains(&anchor)), CASES);
    });
}

/// Cases as links.
pub(super) fn links<'a>(html: &mut Html, entries: impl Iterator<Item = &'a Entry<'a>>, most: usize) {
    let mut hidden = 0;
    html.tag("ul", &[("class", "links")], |html| {
        for (place, entry) in entries.enumerate() {
            if place < most {
                html.tag("li", &[], |html| html.link(Href::Here(&entry.anchor), &entry.anchor));
            } else {
                hidden += 1;
            }
        }
        if hidden > 0 {
            html.leaf("li", &[], format!("and {hidden} more"));
        }
    });
}

/// What is known or does not gate, and entries that are wrong by now.
pub(super) fn accepted(html: &mut Html, page: &Page) {
    let summary = page.input.summary;
    of_page(html, "accepted", "Known and tolerated", |html| {
        let lists = [("known", &summary.known), ("tolerated", &summary.tolerated)];
        if lists.iter().all(|(_, groups)| groups.is_empty()) && summary.known_trouble.is_empty() {
            html.leaf("p", &[], "No finding is accepted as known, or of a grade that does not gate.");
            return;
        }
        html.tag("ul", &[], |html| {
            for (entry, trouble) in &summary.known_trouble {
                html.tag("li", &[], |html| {
                    html.leaf("b", &[("class", "f")], trouble);
                    html.text(format!(": {}, got {} ({})", entry.rule, entry.got.code(), entry.reason));
                });
            }
            for (status, group) in
                lists.iter().flat_map(|(status, groups)| groups.iter().map(move |group| (status, group)))
            {
                html.tag("li", &[("id", &index::cause(status, group))], |html| {
                    html.leaf("b", &[("class", "k")], status);
                    html.text(format!(" {} ({}, ", group.sentence(), group.finding.grade));
                    rule_link(html, page, group);
                    html.text(format!(", {})", number_of(group.cases.len(), "case")));
                    let reasons =
                        summary.started.known.iter().filter(|entry| {
                            group.services.iter().any(|service| entry.matches(*service, &group.finding))
                        });
                    reasons.for_each(|entry| html.leaf("small", &[], format!(" {}", entry.reason)));
                });
            }
        });
    });
}
