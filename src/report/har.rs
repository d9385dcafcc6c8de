//! The recorded exchanges as HAR 1.2, for the network view of a browser and for what reads that: a page a case.
//!
//! It has what the event log has: bodies up to their bound, with their full length, and no credentials. What a client
//! made of a response that it does not show as HTTP is a comment.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::input::Input;
use super::json;
use super::terminal::number_of;
use crate::events::{Judged, Logged, Started, Text};
use crate::wire::envelope::visible;

/// The report.
pub(super) fn har(input: &Input) -> String {
    let summary = input.summary;
    let started = &summary.started;
    let all = || summary.cases.iter().flat_map(|judged| std::iter::once(judged).chain(&judged.smaller));
    let recorded = || all().filter(|judged| !judged.exchanges.is_empty()).enumerate();
    let pages = recorded().map(|(number, judged)| page(started, number, judged));
    let entries = recorded()
        .flat_map(|(number, judged)| judged.exchanges.iter().map(move |logged| entry(started, number, judged, logged)));
    let mut comment = format!(
        "Exchanges of {} of {}: {}. --record exchanges keeps those of cases without a finding as well.",
        recorded().count(),
        number_of(all().count(), "case"),
        shown(&started.target)
    );
    if let Some(finished) = summary.finished.as_ref().filter(|finished| finished.unrecorded > 0) {
        comment += &format!(" Those of {} found no room.", number_of(finished.unrecorded, "case"));
    }
    json::text(&json!({"log": {
        "version": "1.2",
        "creator": {"name": "ecrspec", "version": started.ecrspec},
        "pages": pages.collect::<Vec<_>>(),
        "entries": entries.collect::<Vec<_>>(),
        "comment": comment,
    }}))
}

fn page(started: &Started, number: usize, judged: &Judged) -> Value {
    json!({
        "startedDateTime": at(started, judged, 0),
        "id": id(number),
        "title": shown(&format!("{} ({}): {}", judged.case, judged.service, judged.title)),
        "pageTimings": {},
    })
}

fn id(number: usize) -> String {
    format!("case-{number}")
}

/// When something happened, so many microseconds after the beginning of a case.
fn at(started: &Started, judged: &Judged, micros: u64) -> String {
    let sum = i64::try_from(judged.began.saturating_mul(1000).saturating_add(micros));
    let since = SignedDuration::from_micros(sum.unwrap_or_default());
    // A log may say that a case began beyond the end of time.
    let at: Timestamp = started.at.checked_add(since).unwrap_or(started.at);
    at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

fn entry(started: &Started, number: usize, judged: &Judged, logged: &Logged) -> Value {
    let (began, ended) = logged.micros;
    let millis = ended.saturating_sub(began) as f64 / 1000.0;
    json!({
        "pageref": id(number),
        "startedDateTime": at(started, judged, began),
        "time": millis,
        "request": {
            "method": shown(&logged.method),
            "url": started.flag("--endpoint").map_or_else(|| String::from("http://127.0.0.1/"), |url| shown(url)),
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": headers(&logged.headers),
            "queryString": [],
            "postData": {
                "mimeType": header(&logged.headers, "content-type"),
                "params": [],
                "text": logged.body.text,
                "comment": shortened(&logged.body),
            },
            "headersSize": -1,
            "bodySize": logged.body.bytes,
        },
        "response": response(logged),
        "cache": {},
        "timings": {"send": 0, "wait": millis, "receive": 0},
        "comment": format!("step {}", shown(&logged.step)),
    })
}

/// The response; of none, HAR has the status 0.
fn response(logged: &Logged) -> Value {
    let nothing = Text { text: String::new(), bytes: 0, whole: true };
    let body = logged.answer.as_ref().unwrap_or(&nothing);
    let comment = match (&logged.trouble, &logged.seen) {
        (Some(trouble), _) => trouble.to_string(),
        (None, Some(seen)) => format!("as the client shows it: {seen}"),
        (None, None) => String::new(),
    };
    json!({
        "status": logged.status.unwrap_or_default(),
        "statusText": "",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": headers(&logged.answer_headers),
        "content": {
            "size": body.bytes,
            "mimeType": header(&logged.answer_headers, "content-type"),
            "text": body.text,
            "comment": shortened(body),
        },
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": body.bytes,
        "comment": shown(&comment),
    })
}

fn shortened(text: &Text) -> String {
    if text.whole {
        String::new()
    } else {
        format!("shortened, or not UTF-8: {} in all", number_of(text.bytes, "byte"))
    }
}

fn headers(headers: &[(String, String)]) -> Vec<Value> {
    headers.iter().map(|(name, value)| json!({"name": shown(name), "value": shown(value)})).collect()
}

fn header(headers: &[(String, String)], name: &str) -> String {
    let found = headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map_or_else(String::new, |(_, value)| shown(value))
}

fn shown(text: &str) -> String {
    text.chars().map(visible).collect()
}
