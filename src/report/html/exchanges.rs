//! Requests and responses, as far as the log has them.

use super::markup::Html;
use crate::events::{Judged, Logged, Text};
use crate::report::terminal::number_of;

/// How much of a body is shown, in characters.
const LONGEST: usize = 1200;

/// How much of a header is shown, in characters.
const HEADER: usize = 200;

/// The exchanges of a case, as a list.
pub(super) fn exchanges(html: &mut Html, judged: &Judged) {
    html.tag("ol", &[("class", "exchanges")], |html| {
        for logged in &judged.exchanges {
            html.tag("li", &[], |html| exchange(html, logged));
            html.markup("\n");
        }
    });
    let hidden = judged.requests.saturating_sub(judged.exchanges.len());
    if hidden > 0 {
        html.leaf("p", &[("class", "note")], format!("{} between them are not in the log.", number_of(hidden, "call")));
    }
}

fn exchange(html: &mut Html, logged: &Logged) {
    let operation = logged.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("x-amz-target"));
    let operation = operation.and_then(|(_, target)| target.rsplit_once('.')).map_or("", |(_, name)| name);
    let answer = match (logged.status, &logged.seen, &logged.trouble) {
        (_, _, Some(trouble)) => trouble.to_string(),
        (Some(status), Some(seen), None) => format!("{status} {seen}"),
        (Some(status), None, None) => status.to_string(),
        (None, Some(seen), None) => seen.to_string(),
        (None, None, None) => String::from("nothing"),
    };
    let (began, ended) = logged.micros;
    let millis = ended.saturating_sub(began) as f64 / 1000.0;
    html.tag("p", &[("class", "call")], |html| {
        html.leaf("b", &[], &logged.step);
        html.text(format!(" {operation} → "));
        html.leaf("b", &[], &answer);
        html.leaf("small", &[], format!(" at {:.1} ms, took {millis:.1} ms", began as f64 / 1000.0));
    });
    html.tag("div", &[("class", "pair")], |html| {
        side(html, "Request", &head(&format!("{} /", logged.method), &logged.headers), &body(&logged.body));
        let answered = logged.answer.as_ref().map(body).unwrap_or_default();
        side(html, "Response", &head(&answer, &logged.answer_headers), &answered);
    });
}

/// A request or a response. The body is what says something: many headers do not push it out of sight.
fn side(html: &mut Html, name: &'static str, head: &str, body: &str) {
    html.tag("figure", &[], |html| {
        html.leaf("figcaption", &[], name);
        html.leaf("pre", &[("class", "head"), ("tabindex", "0")], head);
        if !body.is_empty() {
            html.leaf("pre", &[("tabindex", "0")], body);
        }
    });
}

fn head(first: &str, headers: &[(String, String)]) -> String {
    let lines =
        headers.iter().map(|(name, value)| format!("\n{}: {}", beginning(name, HEADER), beginning(value, HEADER)));
    [String::from(first)].into_iter().chain(lines).collect()
}

fn body(body: &Text) -> String {
    let mut text = String::from(beginning(&body.text, LONGEST));
    if !body.whole || text.len() < body.text.len() {
        text += &format!("… ({} in all)", number_of(body.bytes, "byte"));
    }
    text
}

/// The first characters of a text.
fn beginning(text: &str, longest: usize) -> &str {
    text.char_indices().nth(longest).map_or(text, |(end, _)| &text[..end])
}
