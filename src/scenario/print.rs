//! A case as a scenario file, for whoever wants to keep a case that was made and not written.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::check::apply;
use super::expect::plain_rule;
use super::json::{Json, Ordered};
use super::quote::{is_plain_text, json, quote, scalar};
use super::{Found, Mistake, parse};
use crate::case::{Case, Length, Place, Step, StepRole};
use crate::contract::{Rules, Service};
use crate::expect::{Expectation, Outcome};
use crate::generate::expected::by_rule;
use crate::template::Template;
use crate::wire::{Framing, Signature, envelope};

/// Columns that a line has at most, where a line can be broken.
const WIDTH: usize = 120;

/// A case that cannot be written as a scenario file.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{case}{}: {why}", step.as_ref().map(|step| format!(", step {step}")).unwrap_or_default())]
pub struct Unwritable {
    /// The id of the case.
    pub case: String,
    /// The name of the step; `None` where it is about the whole case.
    pub step: Option<String>,
    /// Why not.
    pub why: Loss,
}

/// What a scenario file would lose of a case.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Loss {
    /// The body of a request has bytes that are no text.
    #[error("its body is no text")]
    Body,
    /// Its headers are not those of a plain request with changes.
    #[error("a file cannot say its headers")]
    Headers,
    /// The file could not be read again.
    #[error("it cannot be written: {0}")]
    Unreadable(Mistake),
    /// The file would be for no service.
    #[error("it has no service")]
    Service,
    /// What the target was found to do.
    #[error("a file cannot say what was found")]
    Found,
    /// This part of it would read as another.
    #[error("a file cannot say its {0}")]
    Part(&'static str),
}

impl Unwritable {
    fn of(case: &Case, step: Option<&Step>, why: Loss) -> Unwritable {
        Unwritable { case: case.id.clone(), step: step.map(|step| step.name.clone()), why }
    }
}

/// The text of a scenario file for a case. Read again it gives the same case, but that it has its own repository, that
/// its id is what the reader gives it, and that what made the state or looked at it is judged as all else is.
///
/// # Errors
///
/// Why the case cannot be written: a body that is no text, a header twice.
pub fn print(case: &Case) -> Result<String, Unwritable> {
    print_found(case, None)
}

/// The same, with what a target was found to do.
///
/// # Errors
///
/// As for [`print()`].
pub fn print_found(case: &Case, found: Option<&Found>) -> Result<String, Unwritable> {
    let text = file(case, found)?;
    // What this writes, a reader reads as it likes: what cannot be said in a file shows here.
    let lost = |why: Loss| Unwritable::of(case, None, why);
    let read = parse("", &case.id, &text).map_err(|mistake| lost(Loss::Unreadable(mistake)))?;
    let [same] = read.cases.as_slice() else { return Err(lost(Loss::Service)) };
    match difference(case, same) {
        None if read.found.as_ref() == found => Ok(text),
        None => Err(lost(Loss::Found)),
        Some((step, what)) => Err(Unwritable::of(case, step, Loss::Part(what))),
    }
}

/// What of a case, or of a step of it, got lost in a file, if anything.
fn difference<'a>(case: &'a Case, read: &Case) -> Option<(Option<&'a Step>, &'static str)> {
    let own = match &case.place {
        Place::Shared => Place::Own(Vec::new()),
        own => own.clone(),
    };
    let parts = [
        (case.service == read.service, "service"),
        (case.title == read.title, "title"),
        (case.about.trim() == read.about, "about"),
        (own == read.place, "repositories"),
        (case.chunks == read.chunks, "bytes"),
        (case.last == read.last, "place in the order"),
        (case.rounds == read.rounds, "rounds"),
        (case.steps.len() == read.steps.len(), "steps"),
    ];
    if let Some((_, what)) = parts.into_iter().find(|(same, _)| !same) {
        return Some((None, what));
    }
    case.steps.iter().zip(&read.steps).find_map(|(step, read)| {
        let judged = step.role != StepRole::Attempt;
        let parts = [
            (step.name == read.name, "name"),
            (step.operation == read.operation, "operation"),
            (step.request == read.request, "request"),
            (step.at_once == read.at_once, "at-once"),
            (judged == (read.role != StepRole::Attempt), "role"),
            (!judged || step.expect == read.expect, "expectation"),
            (step.only_if == read.only_if, "only-if"),
        ];
        let (_, what) = parts.into_iter().find(|(same, _)| !same)?;
        Some((Some(step), what))
    })
}

fn file(case: &Case, found: Option<&Found>) -> Result<String, Unwritable> {
    let mut text = format!("title: {}\n", scalar(&case.title));
    text += &about(case.about.trim());
    let _ = writeln!(text, "services: [{}]", case.service);
    if let Place::Own(names) = &case.place
        && !names.is_empty()
    {
        let _ = writeln!(text, "repositories: {}", list(names));
    }
    if case.last {
        text += "last: true\n";
    }
    if case.is_race() {
        let _ = writeln!(text, "rounds: {}", case.rounds);
    }
    if let Some(Found { rule, got }) = found {
        let _ = writeln!(text, "found: {{rule: {}, got: {}}}", scalar(&rule.to_string()), quote(got));
    }
    if !case.chunks.is_empty() {
        text += "bytes:\n";
    }
    for chunk in &case.chunks {
        let len = match &chunk.len {
            Length::Bytes(len) => len.to_string(),
            Length::PartSize => String::from("partSize"),
            Length::Text(text) => format!("{{text: {}}}", quote(text)),
            Length::Literal { unit, times } => format!("{{base64: {}, times: {times}}}", quote(&STANDARD.encode(unit))),
        };
        let _ = writeln!(text, "  {}: {len}", scalar(&chunk.name));
    }
    text += "steps:\n";
    for (written, by_rule) in case.steps.iter().zip(by_rule(case)) {
        text += &step(case.service, written).map_err(|why| Unwritable::of(case, Some(written), why))?;
        text += &expectation(case.service, written, by_rule.ok().as_ref());
        if !written.only_if.is_empty() {
            text += &outcomes("    only-if:", &written.only_if);
        }
    }
    Ok(text)
}

fn about(about: &str) -> String {
    let lines = |text: &str| text.chars().all(|letter| letter == '\n' || is_plain_text(letter));
    match about {
        "" => String::new(),
        text if lines(text) => {
            let indented: Vec<String> = text
                .split('\n')
                .map(|line| if line.is_empty() { String::new() } else { format!("  {line}") })
                .collect();
            format!("about: |\n{}\n", indented.join("\n"))
        }
        text => format!("about: {}\n", quote(text)),
    }
}

fn step(service: Service, step: &Step) -> Result<String, Loss> {
    let mut text = format!("  - name: {}\n", scalar(&step.name));
    if let Some(operation) = step.operation {
        let _ = writeln!(text, "    call: {operation}");
    }
    if step.at_once {
        text += "    at-once: true\n";
    }
    let request = &step.request;
    let base = envelope::plain(service, step.operation, request.body.clone());
    if request.method != base.method {
        let _ = writeln!(text, "    method: {}", scalar(&request.method));
    }
    if request.framing != Framing::Length {
        let _ = writeln!(text, "    framing: {}", request.framing.name());
    }
    if request.signature != Signature::Valid {
        let _ = writeln!(text, "    signature: {}", request.signature.name());
    }
    text += &headers(&base.headers, &request.headers)?;
    let body = request.body.to_text().ok_or(Loss::Body)?;
    match members(&request.body, &body) {
        Some(object) => text += &wrapped("    body: ", &object),
        None => text += &format!("    raw: {}\n", quote(&body)),
    }
    Ok(text)
}

/// What a file says of what a step expects: as much as does not follow from its rule.
fn expectation(service: Service, step: &Step, by_rule: Option<&Expectation>) -> String {
    let expect = &step.expect;
    if step.role == StepRole::Attempt {
        return String::from("    judged: false\n");
    }
    let rule = (plain_rule(service, step.operation) != Some(expect.rule)).then(|| scalar(&expect.rule.to_string()));
    let known = Rules::of(service).get(expect.rule);
    let mut members = Vec::new();
    if known.is_none_or(|rule| rule.tier != expect.tier) {
        members.push(format!("tier: {}", expect.tier));
    }
    if known.is_none_or(|rule| rule.sources != expect.sources) {
        let sources = expect.sources.iter().map(|source| match source.id.split_once(':') {
            Some(("api-public", operation)) if service == Service::EcrPublic => format!("api:{operation}"),
            _ => String::from(source.id),
        });
        members.push(format!("sources: {}", list(&sources.collect::<Vec<_>>())));
    }
    let follow = by_rule.is_some_and(|by_rule| by_rule.outcomes == expect.outcomes);
    match (rule, members.is_empty() && follow) {
        (None, true) => String::new(),
        (Some(rule), true) => format!("    expect: {rule}\n"),
        (rule, false) => {
            members.splice(..0, rule.map(|rule| format!("rule: {rule}")));
            let mut text = String::from("    expect:\n");
            members.iter().for_each(|member| text += &format!("      {member}\n"));
            if !follow {
                text += &outcomes("      outcomes:", &expect.outcomes);
            }
            text
        }
    }
}

/// What a file says of headers, so that those of a plain request become those of the step.
fn headers(plain: &[(String, String)], wanted: &[(String, String)]) -> Result<String, Loss> {
    // As many as possible stay as they are; the rest is written in its order.
    let candidates = (0..=plain.len().min(wanted.len())).rev().map(|kept| {
        let (kept, written) = wanted.split_at(kept);
        let is_set = |name: &str| written.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
        let removed = plain.iter().filter(|header| !kept.contains(header) && !is_set(&header.0));
        let removed = removed.map(|(name, _)| (name.clone(), None));
        let written = written.iter().map(|(name, value)| (name.clone(), Some(value.clone())));
        Ordered(removed.chain(written).collect::<Vec<_>>())
    });
    let right = |changes: &Ordered<Option<String>>| {
        let mut headers = plain.to_vec();
        changes.0.iter().for_each(|(name, value)| apply(&mut headers, name, value.as_deref()));
        headers == wanted
    };
    let Ordered(changes) = candidates.into_iter().find(right).ok_or(Loss::Headers)?;
    if changes.is_empty() {
        return Ok(String::new());
    }
    let mut text = String::from("    headers:\n");
    for (name, value) in changes {
        let value = value.map_or_else(|| String::from("null"), |value| scalar(&value));
        let _ = writeln!(text, "      {}: {value}", scalar(&name));
    }
    Ok(text)
}

/// The members of a body that can be written as `body:`: an object that comes out of the file as it was put in.
fn members(template: &Template, body: &str) -> Option<Ordered<Json>> {
    let object: Json = serde_json::from_str(&template.to_json()?).ok().filter(|json: &Json| json.sent() == body)?;
    // Numbers, keys and depth are YAML's to understand.
    let read: Json = serde_saphyr::from_str(&object.written()).ok()?;
    match object {
        Json::Object(members) if read.sent() == body => Some(members),
        _ => None,
    }
}

/// An object after a key, over several lines if it is long.
fn wrapped(key: &str, Ordered(members): &Ordered<Json>) -> String {
    let mut text = format!("{key}{{");
    let indent = " ".repeat(key.len() + 1);
    let mut column = text.len();
    for (index, (name, value)) in members.iter().enumerate() {
        let member = format!("{}: {}", json(name), value.written());
        if index > 0 {
            text.push(',');
            let breaks = column + member.len() + 3 > WIDTH;
            text += &if breaks { format!("\n{indent}") } else { String::from(" ") };
            column = if breaks { indent.len() } else { column + 2 };
        }
        column += member.len();
        text += &member;
    }
    text + "}\n"
}

fn outcomes(key: &str, outcomes: &[Outcome]) -> String {
    let texts: Vec<String> = outcomes.iter().map(outcome).collect();
    let line = format!("{key} [{}]\n", texts.join(", "));
    if line.len() <= WIDTH {
        return line;
    }
    let indent = " ".repeat(key.len() - key.trim_start().len());
    let items: Vec<String> = texts.iter().map(|text| format!("{indent}  - {text}\n")).collect();
    format!("{key}\n{}", items.concat())
}

fn outcome(outcome: &Outcome) -> String {
    let head = match outcome {
        Outcome::Success { .. } => String::from("200"),
        Outcome::Error { error, .. } => format!("{} {}", error.statuses[0], error.name),
    };
    match outcome.members() {
        members if members.is_empty() => quote(&head),
        members => quote(&format!("{head} {}", serde_json::Value::Object(members.clone()))),
    }
}

fn list(texts: &[String]) -> String {
    let items: Vec<String> = texts.iter().map(|text| scalar(text)).collect();
    format!("[{}]", items.join(", "))
}
