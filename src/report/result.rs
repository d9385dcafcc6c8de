//! The whole result as one JSON object, for programs: `docs/schema/result-1.json` is its schema.
//!
//! Names are those of the event log; what a reader of the terminal gets as a sentence stands here beside its code.

use serde::Serialize;
use serde_json::{Value, json};

use super::input::Input;
use super::json;
use super::reference::RuleUrl;
use super::score::{Scores, Share};
use super::summary::{Group, Summary};
use super::terminal::{self, plain};
use crate::contract::{Question, Rules, Source};
use crate::events::Judged;
use crate::judge::{Verdict, words};

/// Version of the format; rises when a reader of the old one would misread the new.
pub(super) const SCHEMA: u32 = 1;

/// The result.
pub(super) fn result(input: &Input) -> String {
    let summary = input.summary;
    let reader = input.detail.reader;
    let counts = summary.counts(|_| true);
    let reasons = input.reasons.iter().map(|reason| {
        let text = terminal::because(*reason, summary, &counts, reader);
        json!({"code": reason.code(), "reason": reason.name(), "text": text})
    });
    let causes = [("gates", &summary.groups), ("known", &summary.known), ("tolerated", &summary.tolerated)];
    let causes = causes.iter().flat_map(|(status, groups)| groups.iter().map(|group| cause(input, status, group)));
    let known_trouble = summary
        .known_trouble
        .iter()
        .map(|(entry, trouble)| json!({"entry": value(entry), "trouble": trouble.to_string()}));
    let unjudged = terminal::unjudged(summary);
    let unjudged = unjudged.iter().map(|one| json!({"verdict": one.word, "reason": one.reason, "cases": one.cases}));
    let (judged, passed) = summary.judged();
    let result = json!({
        "schema": SCHEMA,
        "ecrspec": summary.started.ecrspec,
        "verdict": {
            "word": terminal::word(input.reasons),
            "exit_code": input.reasons.first().map_or(0, |reason| reason.code()),
            "reasons": reasons.collect::<Vec<_>>(),
            "line": plain(&terminal::verdict(summary, input.reasons, reader)).trim(),
        },
        "run": value(&summary.started),
        "finished": value(&summary.finished),
        "unfinished": summary.unfinished(),
        "surveys": value(&summary.surveys),
        "warnings": summary.warnings(),
        "counts": {
            "judged": judged,
            "as_allowed": passed,
            "passed": counts.passed,
            "failed": counts.failed,
            "tolerated": counts.tolerated,
            "inconclusive": counts.inconclusive,
            "skipped": counts.skipped,
        },
        "scores": summary.scores().as_ref().map(scores),
        "searched": value(&summary.searched),
        "causes": causes.collect::<Vec<_>>(),
        "known_trouble": known_trouble.collect::<Vec<_>>(),
        "unjudged": unjudged.collect::<Vec<_>>(),
        "unseen_rules": summary.unseen_rules().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "open": open(summary),
        "cases": summary.cases.iter().map(|judged| case(summary, judged)).collect::<Vec<_>>(),
    });
    json::text(&result)
}

/// As the event log has it.
fn value<T: Serialize>(part: &T) -> Value {
    serde_json::to_value(part).expect("all keys of an event are text")
}

fn scores(scores: &Scores) -> Value {
    let share = |share: &Option<Share>| {
        share.as_ref().map(|share| json!({"count": share.count, "of": share.of, "share": share.value()}))
    };
    json!({
        "valid_accepted": share(&scores.valid_accepted),
        "invalid_rejected": share(&scores.invalid_rejected),
        "right_error": share(&scores.right_error),
        "balanced": scores.balanced,
        "cases": scores.cases,
        "services": value(&scores.services),
        "left_out": value(&scores.left_out),
    })
}

fn cause(input: &Input, status: &str, group: &Group) -> Value {
    let found = &group.finding;
    let statement = group.services.first().and_then(|service| Rules::of(*service).get(found.rule));
    let sources = found.sources.iter().filter_map(|id| Source::find(id));
    let sources = sources
        .map(|source| json!({"id": source.id, "what": source.what, "edition": source.edition, "url": source.url}));
    let cases = group.cases.iter().map(|(service, case)| json!({"service": value(service), "case": case}));
    let place = match &group.smallest {
        Some(smallest) => Some((smallest.service, smallest.case.as_str())),
        None => group.services.first().map(|service| (*service, "survey")),
    };
    json!({
        "id": group.fingerprint(),
        "status": status,
        "sentence": group.sentence(),
        "statement": statement.map(|rule| rule.statement.as_str()),
        "sources": sources.collect::<Vec<_>>(),
        "expected_words": words::expected(&found.expected),
        "finding": value(found),
        "services": value(&group.services),
        "operations": value(&group.operations),
        "accept_as": value(&group.rules()),
        "about": value(&group.about),
        "cases": cases.collect::<Vec<_>>(),
        "smallest": value(&group.smallest),
        "guide": RuleUrl::of_group(input.summary, group).map(|url| url.to_string()),
        "replay": place.map(|(service, case)| terminal::again(input.summary, service, case, input.detail.reader)),
    })
}

/// What was answered where the documents leave it open.
fn open(summary: &Summary) -> Vec<Value> {
    let rules = |question: &Question| match question {
        Question::Rule(rule) => vec![rule.to_string()],
        Question::Precedence(one, other) => vec![one.to_string(), other.to_string()],
    };
    let records = summary.records().into_iter();
    let records = records.map(|((service, question), answers)| {
        json!({"service": value(&service), "rules": rules(&question), "answers": answers})
    });
    records.collect()
}

/// A case without its exchanges: those of failures are with the causes, and all are in the event log.
fn case(summary: &Summary, judged: &Judged) -> Value {
    let reason = match &judged.verdict {
        Verdict::Inconclusive { reason } | Verdict::Skipped { reason } => Some(reason.to_string()),
        Verdict::Pass | Verdict::Fail { .. } => None,
    };
    let of_case = |group: &&Group| group.cases.iter().any(|(of, case)| *of == judged.service && *case == judged.case);
    let groups = summary.groups.iter().chain(&summary.known).chain(&summary.tolerated);
    json!({
        "service": value(&judged.service),
        "case": judged.case,
        "area": judged.area(),
        "kind": value(&judged.kind),
        "title": judged.title,
        "tier": value(&judged.tier),
        "rules": value(&judged.rules),
        "verdict": summary.standing(judged).name(),
        "reason": reason,
        "mark": value(&judged.mark),
        "causes": groups.filter(of_case).map(Group::fingerprint).collect::<Vec<_>>(),
        "requests": judged.requests,
        "millis": judged.millis,
    })
}
