//! The report as SARIF 2.1.0, for the code-scanning view of a CI system: a rule a broken rule, a result a cause.
//!
//! What is found has no place in a source file. Its place is the id of the smallest case, below the base `CASES`, and as a
//! logical location the operation. What is known is suppressed, with the reason of its entry.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::input::Input;
use super::json;
use super::reference::RuleUrl;
use super::summary::{Group, Reason, Summary};
use super::terminal::{self, plain};
use crate::contract::{RuleId, Rules, Service, Source};
use crate::judge::{Grade, words};
use crate::wire::envelope::visible;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Ids of cases of a result; the rest is counted.
const CASES: usize = 100;

/// The report.
pub(super) fn sarif(input: &Input) -> String {
    let summary = input.summary;
    let groups = || summary.groups.iter().chain(&summary.known).chain(&summary.tolerated);
    let rules: BTreeSet<RuleId> = groups().map(|group| group.finding.rule).collect();
    let rules: Vec<RuleId> = rules.into_iter().collect();
    let gating = summary.groups.iter().map(|group| result(input, &rules, group, level(group.finding.grade)));
    let known = summary.known.iter().map(|group| {
        let mut known = result(input, &rules, group, level(group.finding.grade));
        known["suppressions"] = suppressions(summary, group);
        known
    });
    let tolerated = summary.tolerated.iter().map(|group| result(input, &rules, group, "note"));
    let services: Vec<&str> = summary.started.services.iter().map(|service| service.name()).collect();
    let page = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "ecrspec",
                "version": summary.started.ecrspec,
                "rules": rules.iter().map(|rule| described(summary, *rule)).collect::<Vec<_>>(),
            }},
            "automationDetails": {"id": format!("ecrspec/{}/", services.join("+"))},
            "originalUriBaseIds": {"CASES": {"description": {
                "text": "Ids of cases of ecrspec, below their service: `ecrspec explain ID` shows one, `ecrspec replay ID` runs it.",
            }}},
            "invocations": [invocation(input)],
            "results": gating.chain(known).chain(tolerated).collect::<Vec<_>>(),
            "properties": {
                "target": shown(&summary.started.target),
                "services": services,
                "seed": summary.started.seed,
                "options": summary.started.options.iter().map(|option| shown(option)).collect::<Vec<_>>(),
            },
        }],
    });
    json::text(&page)
}

/// How bad a finding of a grade is, in the words of SARIF.
fn level(grade: Grade) -> &'static str {
    match grade {
        Grade::Crash | Grade::State | Grade::Rejected | Grade::Error => "error",
        Grade::Form => "warning",
        Grade::Slow => "note",
    }
}

/// How the run went.
fn invocation(input: &Input) -> Value {
    let summary = input.summary;
    let notification = |level: &str, text: &str| json!({"level": level, "message": {"text": message(text)}});
    let warnings = summary.warnings();
    let warnings = warnings.iter().map(|warning| notification("warning", warning));
    let unfinished = summary.unfinished().map(|what| notification("error", &format!("unfinished: {what}")));
    let stale = summary
        .known_trouble
        .iter()
        .map(|(entry, stale)| notification("warning", &format!("{stale}: {}, got {}", entry.rule, entry.got.code())));
    let is_judged = |reason: &Reason| matches!(reason, Reason::Findings | Reason::Warnings | Reason::KnownTrouble);
    json!({
        "executionSuccessful": input.reasons.iter().all(is_judged),
        "exitCode": input.reasons.first().map_or(0, |reason| reason.code()),
        "exitCodeDescription": plain(&terminal::verdict(summary, input.reasons, input.detail.reader)).trim(),
        "startTimeUtc": summary.started.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "toolExecutionNotifications": warnings.chain(unfinished).chain(stale).collect::<Vec<_>>(),
    })
}

/// A rule, with what it says and where that stands.
fn described(summary: &Summary, id: RuleId) -> Value {
    let groups = || summary.groups.iter().chain(&summary.known).chain(&summary.tolerated);
    let group = groups().find(|group| group.finding.rule == id);
    let service = group.and_then(|group| group.services.first());
    let rule = service.and_then(|service| Rules::of(*service).get(id));
    let says = rule.map_or_else(|| id.to_string(), |rule| rule.statement.clone());
    let sources: Vec<&Source> = rule.map_or_else(Vec::new, |rule| rule.all_sources().collect());
    let cited = sources.iter().map(|source| format!("{} ({}): {}", source.what, source.edition, source.url));
    let help = [says.clone()].into_iter().chain(cited).collect::<Vec<_>>().join("\n");
    let cited = sources.iter().map(|source| format!("- [{} ({})]({})", source.what, source.edition, source.url));
    let markdown = [format!("{says}\n"), format!("`ecrspec explain {id}` has its cases.\n")];
    let worst = groups().filter(|group| group.finding.rule == id).map(|group| group.finding.grade).min();
    let mut described = json!({
        "id": id.to_string(),
        "shortDescription": {"text": says},
        "help": {"text": help, "markdown": markdown.into_iter().chain(cited).collect::<Vec<_>>().join("\n")},
        "defaultConfiguration": {"level": worst.map_or("error", level)},
    });
    if let Some(rule) = rule {
        described["properties"] = json!({"tier": rule.tier.to_string(), "tags": [rule.id.area().name()]});
    }
    let page = group.and_then(|group| RuleUrl::of_group(summary, group)).map(|url| url.to_string());
    if let Some(url) = page.or_else(|| sources.first().map(|source| String::from(source.url))) {
        described["helpUri"] = json!(url);
    }
    described
}

fn result(input: &Input, rules: &[RuleId], group: &Group, level: &str) -> Value {
    let found = &group.finding;
    let (service, case) = place(group);
    let text = format!(
        "{}. Expected {}, got {}. Shown by {}, the smallest of {}.",
        group.sentence(),
        words::expected(&found.expected),
        found.got.code(),
        group.smallest.as_ref().map_or("the survey", |smallest| &smallest.case),
        terminal::number_of(group.cases.len().max(1), "case"),
    );
    let operation = found.operation.map_or_else(|| service.to_string(), |operation| format!("{service}/{operation}"));
    let cases = group.cases.iter().take(CASES).map(|(service, case)| shown(&format!("{service}/{case}")));
    json!({
        "ruleId": found.rule.to_string(),
        "ruleIndex": rules.iter().position(|rule| *rule == found.rule),
        "kind": "fail",
        "level": level,
        "message": {"text": message(&text)},
        "locations": [{
            "physicalLocation": {
                "artifactLocation": {"uri": uri(&format!("{service}/{case}")), "uriBaseId": "CASES"},
                "region": {"startLine": 1},
            },
            "logicalLocations": [{"fullyQualifiedName": operation, "kind": "function"}],
        }],
        // A cause keeps its alert while its smallest case stays the same, and the cause alone tells it across cases.
        "partialFingerprints": {
            "ecrspecCase/v1": shown(&format!("{service}/{case}|{}", found.cause())),
            "ecrspecCause/v1": group.fingerprint(),
        },
        "occurrenceCount": group.cases.len().max(1),
        "properties": {
            "grade": found.grade.to_string(),
            "tier": found.strength(),
            "expected": shown(&found.expected.code()),
            "got": shown(&found.got.code()),
            "acceptAs": group.rules().iter().map(RuleId::to_string).collect::<Vec<_>>(),
            "cases": cases.collect::<Vec<_>>(),
            "replay": terminal::again(input.summary, service, case, input.detail.reader),
        },
    })
}

/// The case that stands for a cause, or the survey that found it.
fn place(group: &Group) -> (Service, &str) {
    let surveyed = || (group.services.first().copied().unwrap_or(Service::Ecr), "survey");
    group.smallest.as_ref().map_or_else(surveyed, |smallest| (smallest.service, smallest.case.as_str()))
}

/// Why a finding is accepted.
fn suppressions(summary: &Summary, group: &Group) -> Value {
    let found = &group.finding;
    let accepts = |service: &Service| {
        summary.started.known.iter().find(|entry| entry.matches(*service, found)).map(|entry| shown(&entry.reason))
    };
    match group.services.iter().find_map(accepts) {
        Some(reason) => json!([{"kind": "external", "status": "accepted", "justification": reason}]),
        None => json!([{"kind": "external", "status": "accepted"}]),
    }
}

/// A text of a message: nothing in it is a link.
fn message(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars().map(visible) {
        if matches!(letter, '\\' | '[' | ']') {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

fn shown(text: &str) -> String {
    text.chars().map(visible).collect()
}

/// A text as the path of a URI.
fn uri(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(byte)),
            _ => out += &format!("%{byte:02X}"),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_no_links() {
        assert_eq!(message(r"a [b](http://c) \d"), r"a \[b\](http://c) \\d");
        assert_eq!(message("\u{1b}\n"), "\u{fffd}\u{fffd}");
    }

    #[test]
    fn an_id_is_a_path() {
        assert_eq!(uri("ecr/random:1/é %"), "ecr/random%3A1/%C3%A9%20%25");
    }
}
