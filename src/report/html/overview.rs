//! Verdict, identity, warnings, scores, and what was not judged or left open.

use super::markup::Html;
use super::{section, term};
use crate::contract::{Question, Service};
use crate::report::input::Input;
use crate::report::score::{Share, percent};
use crate::report::terminal::{self, number_of, plain};
use crate::wire::Shows;

/// Verdict and identity.
pub(super) fn header(html: &mut Html, input: &Input) {
    let summary = input.summary;
    let started = &summary.started;
    let word = terminal::word(input.reasons);
    let class = match word {
        "PASS" => "p",
        "FAIL" | "NOT JUDGED" => "f",
        _ => "i",
    };
    html.tag("header", &[("class", class)], |html| {
        html.tag("h1", &[], |html| {
            html.leaf("span", &[("class", "verdict")], word);
            html.markup(" ");
            html.leaf("span", &[("class", "target")], &started.target);
        });
        let line = plain(&terminal::verdict(summary, input.reasons, input.detail.reader));
        let facts = line.trim().strip_prefix(word).unwrap_or(line.trim()).trim();
        let services: Vec<&str> = started.services.iter().map(|service| service.name()).collect();
        // The heading and the list below say what was tested.
        let tested = format!("{} ({})", started.target, services.join(", "));
        let facts = facts.strip_prefix(&tested).unwrap_or(facts).trim_start_matches([':', ',', ' ']);
        html.leaf("p", &[("class", "line")], facts);
        html.tag("dl", &[("class", "identity")], |html| identity(html, input));
    });
    html.markup("\n");
}

fn identity(html: &mut Html, input: &Input) {
    let summary = input.summary;
    let started = &summary.started;
    let services: Vec<&str> = started.services.iter().map(|service| service.name()).collect();
    term(html, "services", |html| html.text(services.join(" and ")));
    for survey in &summary.surveys {
        let line = plain(&terminal::survey(survey));
        let (service, facts) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        term(html, service, |html| html.text(facts.trim()));
    }
    let driver = if started.driver.shows == Shows::Http { "HTTP" } else { &started.driver.name };
    let cases = if started.cases > 0 { number_of(started.cases, "case") } else { String::from("random sequences") };
    let seed = started.seed.map_or_else(String::new, |seed| format!(", seed {seed}"));
    let run = format!("ecrspec {}, {cases}, {} at once, through {driver}{seed}", started.ecrspec, started.jobs);
    term(html, "run", |html| html.text(run));
    let seconds = summary.finished.as_ref().map_or_else(
        || String::from("; it did not come to its end"),
        |finished| format!(", {:.1} s", finished.seconds),
    );
    term(html, "began", |html| html.text(format!("{}{seconds}", started.at.strftime("%Y-%m-%d %H:%M:%S UTC"))));
    if !started.options.is_empty() {
        term(html, "options", |html| html.text(started.options.join(", ")));
    }
    term(html, "works in", |html| html.text(format!("repositories {}", started.repositories)));
    term(html, "ends with", |html| {
        html.text(format!("exit code {}", input.reasons.first().map_or(0, |reason| reason.code())));
    });
}

/// Signs that the run tested little.
pub(super) fn warnings(html: &mut Html, input: &Input) {
    let mut warnings = input.summary.warnings();
    warnings.extend(input.summary.unfinished().map(|what| format!("unfinished: {what}")));
    if warnings.is_empty() {
        return;
    }
    section(html, "warnings", "Warnings", |html| {
        html.tag("ul", &[("class", "warnings")], |html| {
            for warning in warnings {
                html.leaf("li", &[], warning);
            }
        });
    });
}

/// The scores, and the cases by what they came to.
pub(super) fn scores(html: &mut Html, input: &Input) {
    let summary = input.summary;
    section(html, "scores", "Scores", |html| {
        if let Some(scores) = summary.scores() {
            let share =
                |share: Option<Share>| share.map(|share| (share.value(), format!("{} of {}", share.count, share.of)));
            let balanced = scores.balanced.map(|value| (value, String::from("all three, over all operations")));
            let cards = [
                ("valid accepted", share(scores.valid_accepted)),
                ("invalid rejected", share(scores.invalid_rejected)),
                ("right error", share(scores.right_error)),
                ("balanced", balanced),
            ];
            html.tag("dl", &[("class", "scores")], |html| {
                for (name, value) in cards {
                    html.tag("div", &[], |html| score(html, name, value));
                }
            });
        }
        let counts = summary.counts(|_| true);
        html.tag("ul", &[("class", "counts")], |html| {
            for (class, number, word) in [
                ("p", counts.passed, "ok"),
                ("f", counts.failed, "FAIL"),
                ("k", counts.tolerated, "known or tolerated"),
                ("i", counts.inconclusive, "inconclusive"),
                ("s", counts.skipped, "skipped"),
            ] {
                html.tag("li", &[("class", if number > 0 { class } else { "s" })], |html| {
                    html.leaf("b", &[], number);
                    html.text(format!(" {word}"));
                });
            }
        });
        if let Some(searched) = summary.searched.filter(|searched| searched.cases > 0) {
            let text = format!(
                "Random search: {}, {} calls, {} accepted, {} kinds of responses.",
                number_of(searched.cases, "sequence"),
                searched.calls,
                searched.accepted,
                searched.classes
            );
            html.leaf("p", &[("class", "note")], text);
        }
    });
}

/// A score: a number, a bar, and what of.
fn score(html: &mut Html, name: &str, value: Option<(f64, String)>) {
    html.leaf("dt", &[], name);
    html.tag("dd", &[], |html| match value {
        Some((value, of)) => {
            html.leaf("b", &[], percent(value));
            let width = format!("width:{:.1}%", (100.0 * value).clamp(0.0, 100.0));
            html.tag("span", &[("class", "bar"), ("aria-hidden", "true")], |html| {
                html.leaf("span", &[("style", &width)], "");
            });
            html.leaf("small", &[], of);
        }
        None => html.leaf("b", &[], "–"),
    });
}

/// What was not judged, and why.
pub(super) fn unjudged(html: &mut Html, input: &Input) {
    let reasons = terminal::unjudged(input.summary);
    let unseen = terminal::unseen(input.summary);
    if reasons.is_empty() && unseen.is_none() {
        return;
    }
    section(html, "unjudged", "Not judged", |html| {
        html.tag("ul", &[], |html| {
            for one in reasons {
                html.tag("li", &[], |html| {
                    html.leaf("b", &[("class", if one.word == "skipped" { "s" } else { "i" })], one.word);
                    html.text(format!(" {}: {}", number_of(one.cases.len(), "case"), one.reason));
                });
            }
            if let Some(unseen) = unseen {
                html.leaf("li", &[], unseen);
            }
        });
    });
}

/// What was answered where the documents leave it open.
pub(super) fn open(html: &mut Html, input: &Input) {
    let records = input.summary.records();
    section(html, "open", "Open questions", |html| {
        if records.is_empty() {
            html.leaf("p", &[], "Nothing was asked that the documents leave open.");
            return;
        }
        html.leaf(
            "p",
            &[],
            "Where the documents leave it open, or where a request breaks two rules at once, every answer but a server fault is \
             allowed. This target answers:",
        );
        html.tag("details", &[], |html| {
            html.leaf("summary", &[], number_of(records.len(), "question"));
            html.tag("div", &[("class", "scroll"), ("tabindex", "0")], |html| table(html, &records));
        });
    });
}

type Records = std::collections::BTreeMap<(Service, Question), std::collections::BTreeMap<String, usize>>;

fn table(html: &mut Html, records: &Records) {
    html.tag("table", &[], |html| {
        html.leaf("caption", &[], "Answers to open questions, with the number of times");
        html.markup("<thead><tr><th scope=\"col\">service</th><th scope=\"col\">rule, or two rules</th>");
        html.markup("<th scope=\"col\">answers</th></tr></thead>\n");
        html.tag("tbody", &[], |html| {
            for ((service, question), answers) in records {
                let question = match question {
                    Question::Rule(rule) => rule.to_string(),
                    Question::Precedence(one, other) => format!("{one} + {other}"),
                };
                let answers: Vec<String> = answers.iter().map(|(got, count)| format!("{got} ({count})")).collect();
                html.tag("tr", &[], |html| {
                    html.leaf("td", &[], service);
                    html.leaf("th", &[("scope", "row")], question);
                    html.leaf("td", &[], answers.join(", "));
                });
                html.markup("\n");
            }
        });
    });
}
