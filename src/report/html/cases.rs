//! All cases: a table an area, a row a case; what did not pass has its exchanges.

use super::exchanges::exchanges;
use super::findings::links;
use super::grids::class;
use super::index::{Entry, Section, section as anchor, sections, tally};
use super::markup::{Href, Html};
use super::{MAX, Page, section as of_page};
use crate::contract::{Rule, Rules, Service};
use crate::judge::Verdict;
use crate::report::reference::RuleUrl;
use crate::report::summary::Standing;
use crate::report::terminal::number_of;
use crate::template::shown;

/// Other cases of a rule that are links; the rest is counted.
const ALSO: usize = 6;

/// The cases.
pub(super) fn section(html: &mut Html, page: &Page) {
    of_page(html, "cases", "Cases", |html| {
        html.markup(FILTER);
        let mut hidden = 0;
        for ((service, area), sections) in sections(page.entries) {
            hidden += table(html, page, service, &area, &sections);
        }
        if hidden > 0 {
            let cases = number_of(hidden, "case");
            html.leaf(
                "p",
                &[("class", "note")],
                format!("{cases} that passed did not fit in here; the event log has them."),
            );
        }
        if page.entries.is_empty() {
            html.leaf("p", &[], "No case was judged.");
        }
    });
}

/// Shown by the script: without it, it would do nothing.
const FILTER: &str = r#"<div id="filter" role="search" hidden="hidden">
<label>Find <input id="find" type="search" autocomplete="off" placeholder="part of an id or a title"/></label>
<fieldset><legend>Show</legend>
<label><input type="checkbox" value="p" checked="checked"/> ok</label>
<label><input type="checkbox" value="f" checked="checked"/> FAIL</label>
<label><input type="checkbox" value="k" checked="checked"/> known</label>
<label><input type="checkbox" value="i" checked="checked"/> inconclusive</label>
<label><input type="checkbox" value="s" checked="checked"/> skipped</label>
</fieldset>
<label>Sort by <select id="sort"><option value="order">suite</option><option value="result">result</option><option value="time">time</option></select></label>
<button type="button" id="fold" aria-pressed="false">Open all exchanges</button>
<output id="shown" aria-live="polite"></output>
</div>
"#;

/// The rule that cases are named after, or the folder that they lie in.
fn heading(html: &mut Html, page: &Page, service: Service, name: &str) {
    let url = |rule: &Rule| RuleUrl::of(page.input.summary.started.guide.as_ref(), service, rule.id);
    match Rules::of(service).find(name).and_then(url) {
        Some(url) => html.link(Href::Rule(&url), name),
        None => html.text(name),
    }
}

/// The cases of an area. Gives how many did not fit in.
fn table(html: &mut Html, page: &Page, service: Service, area: &str, sections: &[(String, Section)]) -> usize {
    let counts = tally(sections.iter().flat_map(|(_, section)| section.cases.iter().copied()));
    let parts = [
        (counts.passed, "ok"),
        (counts.failed, "FAIL"),
        (counts.tolerated, "known or tolerated"),
        (counts.inconclusive, "inconclusive"),
        (counts.skipped, "skipped"),
    ];
    let parts: Vec<String> =
        parts.iter().filter(|(number, _)| *number > 0).map(|(number, word)| format!("{number} {word}")).collect();
    let mut hidden = 0;
    html.leaf("h3", &[], format!("{service} {area}"));
    html.tag("table", &[("class", "cases")], |html| {
        html.leaf(
            "caption",
            &[],
            if parts.is_empty() { String::from("cases of other tables") } else { parts.join(", ") },
        );
        html.markup("<thead><tr><th scope=\"col\">case</th><th scope=\"col\">what it does</th>");
        html.markup("<th scope=\"col\">result</th><th scope=\"col\">ms</th></tr></thead>\n");
        for (name, section) in sections {
            html.tag("tbody", &[("id", &anchor(service, name))], |html| {
                html.tag("tr", &[("class", "rule")], |html| {
                    html.tag("th", &[("scope", "rowgroup"), ("colspan", "4")], |html| {
                        heading(html, page, service, name);
                        if !section.also.is_empty() {
                            html.tag("details", &[], |html| {
                                html.leaf("summary", &[], format!("also in {}", number_of(section.also.len(), "case")));
                                links(html, section.also.iter().copied(), ALSO);
                            });
                        }
                    });
                });
                html.markup("\n");
                for entry in &section.cases {
                    if entry.standing == Standing::Passed && html.len() > MAX {
                        hidden += 1;
                    } else {
                        row(html, page, entry, name);
                    }
                }
            });
        }
    });
    html.markup("\n");
    hidden
}

fn row(html: &mut Html, page: &Page, entry: &Entry, section: &str) {
    let judged = entry.judged;
    let name = judged.case.strip_prefix(section).and_then(|rest| rest.strip_prefix('/')).unwrap_or(&judged.case);
    html.tag("tr", &[("id", &entry.anchor), ("class", class(entry.standing))], |html| {
        html.tag("th", &[("scope", "row")], |html| html.link(Href::Here(&entry.anchor), name));
        html.tag("td", &[], |html| {
            html.text(shown(&judged.title));
            if entry.standing != Standing::Passed || !judged.exchanges.is_empty() {
                detail(html, page, entry);
            }
        });
        html.tag("td", &[], |html| result(html, entry));
        html.leaf("td", &[], judged.millis);
    });
    html.markup("\n");
}

/// What a case came to, with links to the causes that it shows.
fn result(html: &mut Html, entry: &Entry) {
    html.text(match entry.standing {
        Standing::Passed => "ok",
        Standing::Failed => "FAIL",
        Standing::Tolerated => "known",
        Standing::Inconclusive => "inconclusive",
        Standing::Skipped => "skipped",
    });
    for (number, cause) in entry.causes.iter().enumerate().take(3) {
        html.markup(" ");
        html.link(Href::Here(cause), if number == 0 { String::from("why") } else { format!("{}", number + 1) });
    }
}

/// Why, and what was sent and answered.
fn detail(html: &mut Html, page: &Page, entry: &Entry) {
    let judged = entry.judged;
    if let Verdict::Inconclusive { reason } | Verdict::Skipped { reason } = &judged.verdict {
        html.leaf("small", &[("class", "reason")], format!(" {reason}"));
    }
    if judged.exchanges.is_empty() {
        return;
    }
    let is_surplus = html.len() > page.room;
    if is_surplus {
        html.leaf("small", &[("class", "reason")], " Its exchanges are in the event log.");
        return;
    }
    html.tag("details", &[("class", "sequence")], |html| {
        html.leaf("summary", &[], number_of(judged.requests, "call"));
        exchanges(html, judged);
    });
}
