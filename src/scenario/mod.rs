//! Cases written by hand: `scenarios/<topic>/<name>.yaml`.
//!
//! ```yaml
//! title: a layer of one part
//! bytes:
//!   layer: 32
//! steps:
//!   - name: upload
//!     call: InitiateLayerUpload
//!     body: {repositoryName: "${repository}"}
//!     expect:
//!       rule: InitiateLayerUpload/accepted
//!       tier: documented
//!       sources: [api:InitiateLayerUpload]
//!       outcomes: ["200"]
//! ```
//!
//! Beside `expect`, a step may have `only-if`: the outcomes from which the case goes on ([`Step::only_if`]), and
//! `at-once`: it is sent at the same time as the step before it. A file with such steps may have `rounds`
//! ([`Case::rounds`]). A file may say what a target was found to do when it was written ([`Found`]).
//!
//! The references `${…}` are those of [`Bindings`]. A mistake gives file, line, key and what was expected. [`print()`] is
//! the way back: a file for a case.

mod json;
mod print;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::Spanned;

use json::{Json, Ordered};
pub use print::{print, print_found};

use crate::case::{Bindings, Case, Chunk, Length, Place, Step, StepRole};
use crate::contract::{Rules, Service, Source, Tier};
use crate::expect::{Expectation, Outcome};
use crate::wire::{Framing, Request, envelope, unsendable};

/// A mistake in a scenario file.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{file}{place}: {problem}", place = line.map_or(String::new(), |line| format!(":{line}")))]
pub struct Mistake {
    /// The file, as it was named.
    pub file: String,
    /// The line, counted from 1, if the mistake has one.
    pub line: Option<u64>,
    /// The key, what was expected and what was found.
    pub problem: String,
}

/// What a scenario file has.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// One case a service that it is for.
    pub cases: Vec<Case>,
    /// What a target was found to do, if the file says so.
    pub found: Option<Found>,
}

/// What a target was found to do when a file was written, so that whoever repeats it can tell whether it still does.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// Id of the rule that the finding names.
    pub rule: String,
    /// What came, as the finding says it.
    pub got: String,
}

/// Reads a scenario file.
///
/// # Errors
///
/// The first mistake in the file.
pub fn parse(file: &str, id: &str, text: &str) -> Result<Scenario, Mistake> {
    let written: File = serde_saphyr::from_str(text).map_err(|error| Mistake {
        file: String::from(file),
        line: error.location().map(|location| location.line()),
        problem: first_line(&error.to_string()),
    })?;
    let reader = Reader { file, id };
    if written.services.is_empty() || written.steps.is_empty() {
        let problem = String::from("services, steps: expected at least one of each");
        return Err(Mistake { file: String::from(file), line: None, problem });
    }
    let cases = written.services.iter().map(|service| reader.case(*service, &written)).collect::<Result<_, _>>()?;
    Ok(Scenario { cases, found: written.found })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    title: String,
    #[serde(default)]
    about: String,
    #[serde(default = "all_services")]
    services: Vec<Service>,
    #[serde(default)]
    repositories: Vec<String>,
    #[serde(default)]
    last: bool,
    rounds: Option<Spanned<usize>>,
    found: Option<Found>,
    #[serde(default)]
    bytes: Ordered<Spanned<Size>>,
    steps: Vec<Spanned<WrittenStep>>,
}

/// A number of bytes, or the word `partSize`.
type Size = Value;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenStep {
    name: Spanned<String>,
    /// Left out where the request names no operation.
    call: Option<Spanned<String>>,
    body: Option<Spanned<Ordered<Json>>>,
    raw: Option<Spanned<String>>,
    /// Null for a header that is not sent.
    #[serde(default)]
    headers: Ordered<Spanned<Option<String>>>,
    #[serde(default)]
    framing: Framing,
    method: Option<Spanned<String>>,
    #[serde(rename = "at-once")]
    at_once: Option<Spanned<bool>>,
    expect: Option<WrittenExpectation>,
    #[serde(default, rename = "only-if")]
    only_if: Vec<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenExpectation {
    rule: Spanned<String>,
    tier: Spanned<Tier>,
    sources: Vec<Spanned<String>>,
    outcomes: Vec<Spanned<String>>,
}

const MAX_ROUNDS: usize = 1000;

fn all_services() -> Vec<Service> {
    Service::ALL.to_vec()
}

struct Reader<'a> {
    file: &'a str,
    id: &'a str,
}

impl Reader<'_> {
    fn mistake<T>(&self, at: &Spanned<T>, problem: String) -> Mistake {
        let line = at.referenced.line();
        Mistake { file: String::from(self.file), line: (line > 0).then_some(line), problem }
    }

    fn case(&self, service: Service, written: &File) -> Result<Case, Mistake> {
        let chunks =
            written.bytes.0.iter().map(|(name, size)| self.chunk(name, size)).collect::<Result<Vec<_>, _>>()?;
        let mut names: Vec<String> = Vec::new();
        // What is sent at once knows no answer of its own group.
        let mut answered: Vec<String> = Vec::new();
        let mut steps: Vec<Step> = Vec::new();
        for step in &written.steps {
            let step = &step.value;
            match &step.at_once {
                Some(at_once) if at_once.value => self.at_once(at_once, &steps)?,
                _ => answered.clone_from(&names),
            }
            if names.contains(&step.name.value) {
                return Err(self.mistake(
                    &step.name,
                    format!("name: expected a name of its own, {:?} is another step's", step.name.value),
                ));
            }
            steps.push(self.step(service, step)?);
            let body = steps
                .last()
                .map(|step: &Step| String::from_utf8_lossy(&step.request.body).into_owned())
                .unwrap_or_default();
            for reference in references(&body) {
                Bindings::check(reference, &chunks, &written.repositories, &answered).map_err(|problem| {
                    let at = step
                        .body
                        .as_ref()
                        .map(|body| body.referenced.line())
                        .or(step.raw.as_ref().map(|raw| raw.referenced.line()));
                    Mistake { file: String::from(self.file), line: at, problem: format!("${{{reference}}}: {problem}") }
                })?;
            }
            names.push(step.name.value.clone());
            let outcomes = step.expect.iter().flat_map(|expect| &expect.outcomes).map(|outcome| ("outcomes", outcome));
            for (key, outcome) in outcomes.chain(step.only_if.iter().map(|outcome| ("only-if", outcome))) {
                for reference in references(&outcome.value) {
                    Bindings::check(reference, &chunks, &written.repositories, &names)
                        .map_err(|problem| self.mistake(outcome, format!("{key}: ${{{reference}}}: {problem}")))?;
                }
            }
        }
        let place = Place::Own(written.repositories.clone());
        Ok(Case {
            id: String::from(self.id),
            service,
            title: written.title.clone(),
            about: written.about.trim().to_owned(),
            place,
            chunks,
            last: written.last,
            rounds: self.rounds(written, &steps)?,
            steps,
            plan: None,
        })
    }

    /// Checks that a step can be sent at the same time as those before it.
    fn at_once(&self, at_once: &Spanned<bool>, before: &[Step]) -> Result<(), Mistake> {
        let sent = before.iter().rev().take_while(|step| step.at_once).count() + 1;
        match before.len() {
            0 => Err(self.mistake(at_once, String::from("at-once: expected a step before it"))),
            _ if sent >= Case::MAX_AT_ONCE => {
                Err(self.mistake(at_once, format!("at-once: expected at most {} calls at once", Case::MAX_AT_ONCE)))
            }
            _ => Ok(()),
        }
    }

    fn rounds(&self, written: &File, steps: &[Step]) -> Result<usize, Mistake> {
        let races = steps.iter().any(|step| step.at_once);
        match &written.rounds {
            None if races => Ok(Case::ROUNDS),
            None => Ok(1),
            Some(rounds) if !races => {
                Err(self.mistake(rounds, String::from("rounds: expected a step that is sent at once with another")))
            }
            Some(rounds) if (1..=MAX_ROUNDS).contains(&rounds.value) => Ok(rounds.value),
            Some(rounds) => {
                let problem = format!("rounds: expected a number from 1 to {MAX_ROUNDS}, found {}", rounds.value);
                Err(self.mistake(rounds, problem))
            }
        }
    }

    fn chunk(&self, name: &str, size: &Spanned<Size>) -> Result<Chunk, Mistake> {
        let problem = |found: &str| {
            let problem =
                format!("bytes.{name}: expected a number of bytes up to {}, or partSize, found {found}", Chunk::MAX);
            self.mistake(size, problem)
        };
        let len = match &size.value {
            Value::String(word) if word == "partSize" => Length::PartSize,
            Value::Number(number) => match number.as_u64() {
                Some(len) if len <= Chunk::MAX as u64 => Length::Bytes(len as usize),
                _ => return Err(problem(&number.to_string())),
            },
            other => return Err(problem(&other.to_string())),
        };
        Ok(Chunk { name: String::from(name), len })
    }

    fn step(&self, service: Service, step: &WrittenStep) -> Result<Step, Mistake> {
        let operation = step.call.as_ref().map_or("", |call| call.value.as_str());
        if let Some(call) = &step.call
            && service.contract().operation(operation).is_none()
        {
            let operations: Vec<&str> = service.contract().operations.iter().map(|operation| operation.name).collect();
            let problem =
                format!("call: expected an operation of {service} ({}), found {operation:?}", operations.join(", "));
            return Err(self.mistake(call, problem));
        }
        let body = match (&step.body, &step.raw) {
            (Some(body), None) => Json::Object(body.value.clone()).sent(),
            (None, Some(raw)) => raw.value.clone(),
            _ => {
                return Err(self.mistake(
                    &step.name,
                    String::from("expected either body (an object) or raw (text), and one of them"),
                ));
            }
        };
        let mut request = plain(service, operation, Bytes::from(body));
        request.framing = step.framing;
        self.head(step, &mut request)?;
        let (role, expect) = match &step.expect {
            Some(written) => (StepRole::Focus, self.expectation(service, written)?),
            None => (StepRole::Attempt, crate::case::admitted(service, "survey/plain-upload")),
        };
        let only_if = self.outcomes("only-if", &step.only_if)?;
        let (name, operation) = (step.name.value.clone(), String::from(operation));
        let at_once = step.at_once.as_ref().is_some_and(|at_once| at_once.value);
        Ok(Step { name, operation, request, at_once, role, expect, precedence: None, only_if })
    }

    /// Changes method and headers as a step says.
    fn head(&self, step: &WrittenStep, request: &mut Request) -> Result<(), Mistake> {
        if let Some(method) = &step.method {
            unsendable::method(&method.value)
                .map_err(|why| self.mistake(method, format!("method: expected one that can be sent: {why}")))?;
            request.method.clone_from(&method.value);
        }
        for (name, written) in &step.headers.0 {
            let value = &written.value;
            unsendable::header_name(name)
                .and_then(|_| value.iter().try_for_each(|value| unsendable::header_value(name, value).map(drop)))
                .map_err(|why| self.mistake(written, format!("headers: expected one that can be sent: {why}")))?;
            apply(&mut request.headers, name, value.as_deref());
        }
        Ok(())
    }

    fn outcomes(&self, key: &str, written: &[Spanned<String>]) -> Result<Vec<Outcome>, Mistake> {
        let parse = |outcome: &Spanned<String>| {
            outcome.value.parse().map_err(|problem| self.mistake(outcome, format!("{key}: {problem}")))
        };
        written.iter().map(parse).collect()
    }

    fn expectation(&self, service: Service, written: &WrittenExpectation) -> Result<Expectation, Mistake> {
        let rule = &written.rule;
        let Some(known) = Rules::of(service).get(&rule.value) else {
            return Err(self.mistake(
                rule,
                format!("rule: expected the id of a rule (`ecrspec list --rules`), found {:?}", rule.value),
            ));
        };
        if known.tier > written.tier.value {
            let problem = format!("tier: the rule is {}, a scenario cannot make it {}", known.tier, written.tier.value);
            return Err(self.mistake(&written.tier, problem));
        }
        let mut sources = Vec::new();
        for source in &written.sources {
            let id = match service {
                Service::EcrPublic => source.value.replacen("api:", "api-public:", 1),
                Service::Ecr => source.value.clone(),
            };
            let problem =
                || self.mistake(source, format!("sources: expected the id of a source, found {:?}", source.value));
            sources.push(Source::find(&id).ok_or_else(problem)?);
        }
        if sources.is_empty() || written.outcomes.is_empty() {
            return Err(self.mistake(rule, String::from("expect: expected at least one source and one outcome")));
        }
        let outcomes = self.outcomes("outcomes", &written.outcomes)?;
        Ok(Expectation { rule: rule.value.clone(), tier: written.tier.value, sources, outcomes })
    }
}

/// The request of a step that says nothing else. Where it names no operation, it has no target.
fn plain(service: Service, operation: &str, body: Bytes) -> Request {
    let mut request = envelope::request(service, operation, body);
    if operation.is_empty() {
        request.headers.retain(|(name, _)| name != "X-Amz-Target");
    }
    request
}

/// Changes a header as a file says: without a value, it is not sent.
fn apply(headers: &mut Vec<(String, String)>, name: &str, value: Option<&str>) {
    headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    headers.extend(value.map(|value| (String::from(name), String::from(value))));
}

fn references(text: &str) -> Vec<&str> {
    text.split("${").skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
title: a layer of one part
bytes:
  layer: 32
steps:
  - name: upload
    call: InitiateLayerUpload
    body: {repositoryName: "${repository}"}
    expect:
      rule: InitiateLayerUpload/accepted
      tier: documented
      sources: [api:InitiateLayerUpload]
      outcomes: ["200"]
  - name: part
    call: UploadLayerPart
    body: {"repositoryName": "${repository}", "uploadId": "${upload.uploadId}", "partFirstByte": 0,
           "partLastByte": "${last:layer}", "layerPartBlob": "${base64:layer}"}
    expect:
      rule: UploadLayerPart/accepted
      tier: documented
      sources: [api:UploadLayerPart]
      outcomes: ['200 {"lastByteReceived": "${last:layer}"}']
"#;

    fn mistake(from: &str, to: &str) -> String {
        assert!(GOOD.contains(from), "{from}");
        parse("x.yaml", "scenarios/x/x", &GOOD.replacen(from, to, 1)).unwrap_err().to_string()
    }

    #[test]
    fn a_file_gives_a_case_a_service() {
        let cases = parse("x.yaml", "scenarios/x/x", GOOD).unwrap().cases;
        assert_eq!(cases.len(), 2);
        assert_eq!(cases[1].steps[1].expect.sources[0].id, "api-public:UploadLayerPart");
        let body = String::from_utf8(cases[0].steps[1].request.body.to_vec()).unwrap();
        assert!(body.contains(r#""partLastByte":${last:layer}"#), "{body}");
    }

    #[test]
    fn mistakes_have_a_line_and_say_what_was_expected() {
        let rows = [
            ("call: InitiateLayerUpload", "call: InitiateUpload", "x.yaml:7: call: expected an operation of ecr"),
            ("rule: InitiateLayerUpload/accepted", "rule: nothing", "x.yaml:10: rule: expected the id of a rule"),
            ("[api:InitiateLayerUpload]", "[nobody]", "x.yaml:12: sources: expected the id of a source"),
            (r#"["200"]"#, r#"["400 Oops"]"#, "x.yaml:13: outcomes: expected a documented error type"),
            ("layer: 32", "layer: many", "x.yaml:4: bytes.layer: expected a number of bytes"),
            (
                "${upload.uploadId}",
                "${uplaod.uploadId}",
                "x.yaml:16: ${uplaod.uploadId}: no earlier step is named \"uplaod\"",
            ),
            ("title: a layer", "titel: a layer", "x.yaml:2: "),
            ("tier: documented", "tier: certain", "x.yaml:11: "),
            ("- name: part", "- name: upload", "x.yaml:14: name: expected a name of its own"),
            (
                "    call: UploadLayerPart\n",
                "    call: UploadLayerPart\n    method: PO ST\n",
                "x.yaml:16: method: expected one that can be sent: \"PO ST\" is not an HTTP method",
            ),
            (
                "    call: UploadLayerPart\n",
                "    call: UploadLayerPart\n    headers:\n      X-A: a\n      X A: a\n",
                "x.yaml:18: headers: expected one that can be sent: \"X A\" is not an HTTP header name",
            ),
            (
                "    call: UploadLayerPart\n",
                "    call: UploadLayerPart\n    headers: {X-A: \"a\\nb\"}\n",
                "x.yaml:16: headers: expected one that can be sent: \"a\\nb\" is not an HTTP header value (header X-A)",
            ),
            (
                "    call: UploadLayerPart\n",
                "    call: UploadLayerPart\n    headers: {Content-Length: null}\n",
                "x.yaml:16: headers: expected one that can be sent: the header Content-Length is written by the sender",
            ),
            (
                "  - name: part",
                "    only-if: [\"201\"]\n  - name: part",
                "x.yaml:14: only-if: expected 200, or a status",
            ),
            (
                "  - name: part",
                "    only-if: ['200 {\"uploadId\": \"${u.uploadId}\"}']\n  - name: part",
                "x.yaml:14: only-if: ${u.uploadId}: no earlier step",
            ),
        ];
        for (from, to, expected) in rows {
            let found = mistake(from, to);
            assert!(found.starts_with(expected), "{to}: {found}");
        }
    }
}
