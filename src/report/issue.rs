//! A cause as the text of an issue, for whoever maintains the server: what is wrong, by which document, and a script that
//! shows it without ecrspec.
//!
//! The first line is the title. The rest is Markdown, in which what a target or a file says is text or code.

use std::fmt::Write as _;

use super::markdown::{code, fenced, rule_link, text};
use super::summary::{Group, Summary};
use super::terminal::{self, Reader, number_of};
use crate::contract::{RuleId, Rules, Source};
use crate::events::{Judged, Logged};
use crate::judge::words;
use crate::template::shown;
use crate::wire::Shows;

/// How much of a body is shown, in characters.
const LONGEST: usize = 600;

/// How many calls are shown from the beginning and from the end of a sequence: the text of an issue has its bounds.
const FIRST: usize = 4;
const LAST: usize = 8;

/// Whether a cause is asked for by this rule: the one that is broken, or one by which it is accepted.
pub fn is_of(group: &Group, rule: &str) -> bool {
    group.finding.rule.to_string() == rule || group.rules().iter().any(|known| known.to_string() == rule)
}

/// The text. `script` is the smallest case as a shell script, where there can be one.
pub fn issue(summary: &Summary, group: &Group, script: Option<&str>) -> String {
    let found = &group.finding;
    let mut page = format!("{}\n\n", text(&group.sentence()));
    let rule = group.services.first().and_then(|service| Rules::of(*service).get(found.rule));
    page += "### Expected\n\n";
    if let Some(rule) = rule {
        let _ = writeln!(page, "{}\n", text(&rule.statement));
    }
    let _ = writeln!(page, "So the response should be {}.\n", code(&words::expected(&found.expected)));
    for source in found.sources.iter().filter_map(|id| Source::find(id)) {
        let _ = writeln!(page, "- [{} ({})]({})", text(source.what), text(source.edition), source.url);
    }
    let _ = writeln!(page, "\n### Got\n\n{}\n", code(&found.got.code()));
    if let Some(words) = &found.client {
        let _ = writeln!(page, "The client says {}.\n", code(words));
    }
    if let Some(witness) = &found.witness {
        let _ = writeln!(page, "Seen in {} of {}:\n", witness.seen, number_of(witness.rounds, "round"));
        for call in &witness.calls {
            let _ = writeln!(page, "- {}", code(call));
        }
        page.push('\n');
    }
    if let Some(smallest) = &group.smallest {
        page += &calls(smallest, group);
    }
    if let Some(script) = script {
        page += "### How to reproduce\n\nThis script makes the calls with curl, and removes what it made. The server is its first \
                 argument.\n";
        page += &fenced("sh", script.trim_end());
        page.push('\n');
    }
    page + &versions(summary, group)
}

/// The smallest sequence, as it went.
fn calls(smallest: &Judged, group: &Group) -> String {
    let count = group.cases.len();
    let mut page = format!("### Calls\n\n{}", text(&shown(&smallest.title)));
    if count > 1 {
        let _ = write!(page, " (the smallest of {})", number_of(count, "case"));
    }
    page.push('\n');
    let mut calls: Vec<String> = smallest.exchanges.iter().map(call).collect();
    let hidden = calls.len().saturating_sub(FIRST + LAST);
    if hidden > 0 {
        calls.splice(FIRST..FIRST + hidden, [format!("({})", number_of(hidden, "more call"))]);
    }
    if !calls.is_empty() {
        page += &fenced("text", &calls.join("\n\n"));
    }
    page + "\n"
}

fn call(logged: &Logged) -> String {
    let target = logged.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("x-amz-target"));
    let target = target.map_or_else(String::new, |(name, value)| format!("{name}: {value}"));
    let body = |text: &crate::events::Text| {
        let kept: String = text.text.chars().take(LONGEST).collect();
        let cut = kept.len() < text.text.len() || !text.whole;
        if cut { format!("{kept}… ({} in all)", number_of(text.bytes, "byte")) } else { kept }
    };
    let answer = match (logged.status, &logged.seen, &logged.trouble) {
        (_, _, Some(trouble)) => trouble.to_string(),
        (Some(status), _, None) => status.to_string(),
        (None, Some(seen), None) => seen.to_string(),
        (None, None, None) => String::from("nothing"),
    };
    let answered = logged.answer.as_ref().map(body).unwrap_or_default();
    printed(&format!("{} / {target}\n{}\n-> {answer} {answered}", logged.method, body(&logged.body)))
}

/// On its lines, and with nothing in it that acts on a terminal.
fn printed(text: &str) -> String {
    let visible = |letter| if letter == '\n' { letter } else { crate::wire::envelope::visible(letter) };
    text.trim_end().chars().map(visible).collect()
}

fn versions(summary: &Summary, group: &Group) -> String {
    let started = &summary.started;
    let mut page = String::from("### Versions\n\n");
    let mut line = |key: &str, value: String| page += &format!("- {key}: {value}\n");
    line("server", format!("(which version?) at {}", code(&started.target)));
    line("found with", format!("ecrspec {}, {}", text(&started.ecrspec), started.at.strftime("%Y-%m-%d")));
    if started.driver.shows != Shows::Http {
        line("client", text(&started.driver.name));
    }
    let rules: Vec<String> = group.rules().iter().map(RuleId::to_string).map(|rule| code(&rule)).collect();
    line("rule", format!("{} ({})", rule_link(summary, group), group.finding.strength()));
    if rules.len() > 1 {
        line("rules with the same cause", rules.join(", "));
    }
    let (service, case) = match &group.smallest {
        Some(smallest) => (Some(smallest.service), smallest.case.as_str()),
        None => (group.services.first().copied(), "survey"),
    };
    if let Some(service) = service {
        line("again with", code(&terminal::again(summary, service, case, Reader::CommandLine)));
    }
    page
}
