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
        html.leaf("small", &[], format!(" at {:.1} ms, {millis:.1} ms", began as f64 / 1000.0));
    });
    html.tag("div", &[("class", "pair")], |html| {
        let mut request = format!("{} /\n", logged.method);
        headers(&mut request, &logged.headers);
        body(&mut request, &logged.body);
        side(html, "Request", &request);
        let mut response = format!("{answer}\n");
        headers(&mut response, &logged.answer_headers);
        if let Some(answer) = &logged.answer {
            body(&mut response, answer);
        }
        side(html, "Response", &response);
    });
}

fn side(html: &mut Html, name: &'static str, text: &str) {
    html.tag("figure", &[], |html| {
        html.leaf("figcaption", &[], name);
        html.leaf("pre", &[("tabindex", "0")], text);
    });
}

fn headers(text: &mut String, headers: &[(String, String)]) {
    for (name, value) in headers {
        *text += &format!("{}: {}\n", beginning(name, HEADER), beginning(value, HEADER));
    }
}

fn body(text: &mut String, body: &Text) {
    text.push('\n');
    *text += beginning(&body.text, LONGEST);
    if !body.whole || beginning(&body.text, LONGEST).len() < body.text.len() {
        *text += &format!("… ({} in all)", number_of(body.bytes, "byte"));
    }
}

/// The first characters of a text.
fn beginning(text: &str, longest: usize) -> &str {
    text.char_indices().nth(longest).map_or(text, |(end, _)| &text[..end])
}
