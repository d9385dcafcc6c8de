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
//!   - name: complete
//!     call: CompleteLayerUpload
//!     body: {repositoryName: "${repository}", uploadId: "${upload.uploadId}", layerDigests: ["${sha256:layer}"]}
//!     expect: CompleteLayerUpload/parts/not-empty
//! ```
//!
//! A step that says nothing else must succeed; `expect` names the rule that it is about instead. Tier and sources are
//! those of the rule, and the allowed outcomes too, with the values that the reference registry answers with
//! ([`by_rule`]); a file that needs others has them below `expect`. `judged: false` is for what a target may reject
//! ([`Attempt`](crate::case::StepRole::Attempt)).
//!
//! A step may have `only-if`: the outcomes from which the case goes on ([`Step::only_if`]); and `at-once`: it is sent at
//! the same time as the step before it. A file with such steps may have `rounds` ([`Case::rounds`]). What `repeat` makes
//! of steps is in `repeat.rs`. A file may say what a target was found to do when it was written ([`Found`]).
//!
//! The references `${…}` are those of [`Reference`](crate::template::Reference). A mistake gives file, line, key and what was expected. [`print()`] is
//! the way back: a file for a case.

mod expect;
mod json;
mod print;
mod repeat;

use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::Spanned;

use expect::{Intended, WrittenExpectation};
use json::{Json, Ordered};
pub use print::{Loss, Unwritable, print, print_found};
use repeat::Unrolled;

use crate::case::{Bindings, Case, CaseKind, Chunk, Length, Place, Step};
use crate::contract::{Operation, RuleId, Service};
use crate::expect::{NoOutcome, Outcome};
use crate::generate::expected::by_rule;
use crate::template::Template;
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
    pub rule: RuleId,
    /// What came, as the finding says it.
    pub got: String,
}

/// Reads a scenario file.
///
/// # Errors
///
/// The first mistake in the file.
pub fn parse(file: &str, id: &str, text: &str) -> Result<Scenario, Mistake> {
    let reader = Reader { file, id };
    let (written, outlines) = reader.read(text)?;
    let cases = outlines.into_iter().map(|outline| reader.completed(outline)).collect::<Result<_, _>>()?;
    Ok(Scenario { cases, found: written.found })
}

/// Reads a scenario file, without the outcomes that follow from rules: enough for a list, and much cheaper, for no layer
/// is hashed.
///
/// # Errors
///
/// The first mistake in the file, but for an expectation that the reference registry would not answer by.
pub fn outline(file: &str, id: &str, text: &str) -> Result<Vec<Case>, Mistake> {
    let (_, outlines) = Reader { file, id }.read(text)?;
    Ok(outlines.into_iter().map(|outline| outline.case).collect())
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

/// A number of bytes, the word `partSize`, or an object with a text.
type Size = Value;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenStep {
    /// Left out where it only repeats others.
    name: Option<Spanned<String>>,
    repeat: Option<Spanned<usize>>,
    /// What is repeated, if not the step itself.
    steps: Option<Vec<Spanned<WrittenStep>>>,
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
    expect: Option<Spanned<WrittenExpectation>>,
    judged: Option<Spanned<bool>>,
    #[serde(default, rename = "only-if")]
    only_if: Vec<Spanned<String>>,
}

const MAX_ROUNDS: usize = 1000;

fn all_services() -> Vec<Service> {
    Service::ALL.to_vec()
}

/// A case without the outcomes that follow from rules, and what each of its steps is meant to expect.
struct Outline {
    case: Case,
    intended: Vec<Intended>,
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

    /// The file, and its case for each service with what its steps are meant to expect.
    fn read(&self, text: &str) -> Result<(File, Vec<Outline>), Mistake> {
        let written: File = serde_saphyr::from_str(text).map_err(|error| Mistake {
            file: String::from(self.file),
            line: error.location().map(|location| location.line()),
            problem: first_line(&error.to_string()),
        })?;
        if written.services.is_empty() || written.steps.is_empty() {
            let problem = String::from("services, steps: expected at least one of each");
            return Err(Mistake { file: String::from(self.file), line: None, problem });
        }
        let outlines =
            written.services.iter().map(|service| self.case(*service, &written)).collect::<Result<_, _>>()?;
        Ok((written, outlines))
    }

    fn case(&self, service: Service, written: &File) -> Result<Outline, Mistake> {
        let unrolled = self.unrolled(&written.steps)?;
        let chunks = self.chunks(written)?;
        let mut names: Vec<String> = Vec::new();
        // What is sent at once knows no answer of its own group: how many of the names are those of steps before it.
        let mut answered = 0;
        let mut steps: Vec<Step> = Vec::new();
        let mut intended: Vec<Intended> = Vec::new();
        for one in &unrolled {
            match one.at_once {
                Some(at_once) if at_once.value => self.at_once(at_once, &steps)?,
                _ => answered = names.len(),
            }
            if names.contains(&one.name) {
                let problem = format!("name: expected a name of its own, {:?} is another step's", one.name);
                return Err(self.mistake(one.at, problem));
            }
            let (step, meant) = self.step(service, one)?;
            for reference in step.request.body.references() {
                Bindings::check(reference, &chunks, &written.repositories, &names[..answered]).map_err(|problem| {
                    let body = one.step.body.as_ref().map(|body| body.referenced.line());
                    let line = body.or(one.step.raw.as_ref().map(|raw| raw.referenced.line()));
                    Mistake {
                        file: String::from(self.file),
                        line,
                        problem: format!("{}: {problem}", reference.written()),
                    }
                })?;
            }
            names.push(one.name.clone());
            for (key, outcome) in one.step.outcomes() {
                let template =
                    one.outcome(&outcome.value).map_err(|why| self.mistake(outcome, format!("{key}: {why}")))?;
                for reference in template.references() {
                    Bindings::check(reference, &chunks, &written.repositories, &names).map_err(|problem| {
                        self.mistake(outcome, format!("{key}: {}: {problem}", reference.written()))
                    })?;
                }
            }
            steps.push(step);
            intended.push(meant);
        }
        let case = Case {
            id: String::from(self.id),
            kind: CaseKind::UserScenario,
            service,
            title: written.title.clone(),
            about: written.about.trim().to_owned(),
            place: Place::Own(written.repositories.clone()),
            chunks,
            last: written.last,
            rounds: self.rounds(written, &steps)?,
            steps,
            plan: None,
        };
        Ok(Outline { case, intended })
    }

    /// A case with the allowed outcomes of the steps for which the file has none.
    fn completed(&self, outline: Outline) -> Result<Case, Mistake> {
        let Outline { mut case, intended } = outline;
        if !intended.iter().any(|meant| matches!(meant, Intended::ByRule { .. })) {
            return Ok(case);
        }
        let expected = by_rule(&case);
        for ((step, meant), expected) in case.steps.iter_mut().zip(intended).zip(expected) {
            if let Intended::ByRule { line } = meant {
                let rule = &step.expect.rule;
                step.expect.outcomes = expected
                    .map_err(|why| Mistake {
                        file: String::from(self.file),
                        line,
                        problem: format!("step {}: outcomes do not follow from {rule}: {why}. Write them", step.name),
                    })?
                    .outcomes;
            }
        }
        Ok(case)
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

    /// The chunks of a file; a name with `#` stands for as many as the steps are repeated at most.
    fn chunks(&self, written: &File) -> Result<Vec<Chunk>, Mistake> {
        let most = written.steps.iter().filter_map(|step| step.value.repeat.as_ref()).map(|repeat| repeat.value).max();
        let mut chunks = Vec::new();
        for (name, size) in &written.bytes.0 {
            match most {
                Some(most) if name.contains('#') => {
                    for number in 1..=most {
                        chunks.push(self.chunk(&name.replace('#', &number.to_string()), size)?);
                    }
                }
                _ => chunks.push(self.chunk(name, size)?),
            }
        }
        Ok(chunks)
    }

    fn chunk(&self, name: &str, size: &Spanned<Size>) -> Result<Chunk, Mistake> {
        let problem = |found: &str| {
            let problem = format!(
                "bytes.{name}: expected a number of bytes up to {}, partSize, or {{text: …}}, found {found}",
                Chunk::MAX
            );
            self.mistake(size, problem)
        };
        let len = match &size.value {
            Value::String(word) if word == "partSize" => Length::PartSize,
            Value::Number(number) => match number.as_u64() {
                Some(len) if len <= Chunk::MAX as u64 => Length::Bytes(len as usize),
                _ => return Err(problem(&number.to_string())),
            },
            Value::Object(members) => match (members.len(), members.get("text")) {
                (1, Some(Value::String(text))) => Length::Text(text.as_str().into()),
                _ => return Err(problem(&size.value.to_string())),
            },
            other => return Err(problem(&other.to_string())),
        };
        Ok(Chunk { name: String::from(name), len })
    }

    fn step(&self, service: Service, one: &Unrolled) -> Result<(Step, Intended), Mistake> {
        let step = one.step;
        let operation = step.call.as_ref().map(|call| self.operation(service, call)).transpose()?;
        let body = match (&step.body, &step.raw) {
            (Some(body), None) => Template::parse(Json::Object(body.value.clone()).sent())
                .map_err(|why| self.mistake(body, format!("body: {why}")))?,
            (None, Some(raw)) => Template::parse(&raw.value).map_err(|why| self.mistake(raw, format!("raw: {why}")))?,
            _ => {
                return Err(self
                    .mistake(one.at, String::from("expected either body (an object) or raw (text), and one of them")));
            }
        };
        let mut request = envelope::plain(service, operation, one.numbered(&body));
        request.framing = step.framing;
        self.head(step, &mut request)?;
        let (role, expect, intended) = self.intended(service, operation, one)?;
        let only_if = self.outcomes("only-if", &step.only_if, one)?;
        let name = one.name.clone();
        let at_once = one.at_once.is_some_and(|at_once| at_once.value);
        let beside = Vec::new();
        Ok((Step { name, operation, request, at_once, role, expect, beside, precedence: None, only_if }, intended))
    }

    fn operation(&self, service: Service, call: &Spanned<String>) -> Result<Operation, Mistake> {
        let known = call.value.parse().ok().filter(|known| service.contract().operation(*known).is_some());
        let names = || service.contract().operations.iter().map(|operation| operation.name.name()).collect::<Vec<_>>();
        known.ok_or_else(|| {
            let problem =
                format!("call: expected an operation of {service} ({}), found {:?}", names().join(", "), call.value);
            self.mistake(call, problem)
        })
    }

    /// Changes method and headers as a step says.
    fn head(&self, step: &WrittenStep, request: &mut Request<Template>) -> Result<(), Mistake> {
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

    fn outcomes(&self, key: &str, written: &[Spanned<String>], one: &Unrolled) -> Result<Vec<Outcome>, Mistake> {
        let parse = |outcome: &Spanned<String>| {
            let mistake = |problem: String| self.mistake(outcome, format!("{key}: {problem}"));
            let template = one.outcome(&outcome.value).map_err(|why| mistake(why.to_string()))?;
            template.to_string().parse().map_err(|why: NoOutcome| mistake(why.to_string()))
        };
        written.iter().map(parse).collect()
    }
}

/// Changes a header as a file says: without a value, it is not sent.
fn apply(headers: &mut Vec<(String, String)>, name: &str, value: Option<&str>) {
    headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    headers.extend(value.map(|value| (String::from(name), String::from(value))));
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
  - name: part
    call: UploadLayerPart
    body: {"repositoryName": "${repository}", "uploadId": "${upload.uploadId}", "partFirstByte": 0,
           "partLastByte": "${last:layer}", "layerPartBlob": "${base64:layer}"}
    expect: UploadLayerPart/accepted
  - name: complete
    call: CompleteLayerUpload
    body: {repositoryName: "${repository}", uploadId: "${upload.uploadId}", layerDigests: ["${sha256:layer}"]}
    expect:
      outcomes: ["200"]
      tier: documented
      sources: [api:CompleteLayerUpload]
  - name: delete
    call: DeleteRepository
    body: {repositoryName: "${repository}", force: true}
    judged: false
"#;

    fn mistake(from: &str, to: &str) -> String {
        assert!(GOOD.contains(from), "{from}");
        parse("x.yaml", "scenarios/x/x", &GOOD.replacen(from, to, 1)).unwrap_err().to_string()
    }

    #[test]
    fn a_file_gives_a_case_a_service() {
        let cases = parse("x.yaml", "scenarios/x/x", GOOD).unwrap().cases;
        assert_eq!(cases.len(), 2);
        let body = cases[0].steps[1].request.body.to_string();
        assert!(body.contains(r#""partLastByte":${last:layer}"#), "{body}");
    }

    #[test]
    fn what_a_step_does_not_say_follows_from_its_rule() {
        let cases = parse("x.yaml", "scenarios/x/x", GOOD).unwrap().cases;
        let said: Vec<String> = cases[1].steps[..3]
            .iter()
            .map(|step| format!("{:?} {} {}", step.role, step.expect.rule, step.expect))
            .collect();
        let expected = [
            "Focus InitiateLayerUpload/accepted documented [api-public:InitiateLayerUpload] 200",
            "Focus UploadLayerPart/accepted documented [api-public:UploadLayerPart] 200 {\"lastByteReceived\":\"«last:layer»\"}",
            "Focus CompleteLayerUpload/accepted documented [api-public:CompleteLayerUpload] 200",
        ];
        assert_eq!(said, expected);
        assert_eq!(cases[1].steps[3].role, crate::case::StepRole::Attempt);
    }

    #[test]
    fn what_depends_on_the_target_is_pinned_by_reference() {
        let look = "BatchCheckLayerAvailability\n    body: {repositoryName: \"${repository}\", layerDigests: \
                    [\"${sha256:layer}\"]}\n    expect: BatchCheckLayerAvailability/layers/stored\n";
        let text = GOOD.replace("layer: 32", "layer: partSize") + "  - name: look\n    call: " + look;
        // The repository is gone in the model, but for the attempt.
        let text = text
            .replace("    judged: false", "    judged: false\n    only-if: [\"200\"]")
            .replacen("call: DeleteRepository", "call: CreateRepository", 1)
            .replace(", force: true", "");
        let cases = parse("x.yaml", "x", &text).unwrap().cases;
        let expect = &cases[0].steps.last().unwrap().expect;
        assert!(expect.to_string().contains(r#""layerSize":"«size:layer»""#), "{expect}");
    }

    #[test]
    fn steps_are_repeated_with_a_number() {
        let text = r#"
title: eight
rounds: 2
bytes: {layer-#: 32, other: 1}
steps:
  - name: upload-#
    repeat: 2
    call: InitiateLayerUpload
    body: {repositoryName: "${repository}"}
  - repeat: 2
    at-once: true
    steps:
      - name: part-#
        call: UploadLayerPart
        body: {repositoryName: "${repository}", uploadId: "${upload-#.uploadId}", partFirstByte: 0,
               partLastByte: "${last:layer-#}", layerPartBlob: "${base64:layer-#}"}
      - name: part-#-again
        call: UploadLayerPart
        body: {repositoryName: "${repository}", uploadId: "${upload-#.uploadId}", partFirstByte: 32,
               partLastByte: "${last:layer-#+layer-#}", layerPartBlob: "${base64:layer-#}"}
        expect: {outcomes: ['200 {"uploadId": "${upload-#.uploadId}"}']}
"#;
        let case = parse("x.yaml", "x", text).unwrap().cases.remove(0);
        let names: Vec<(&str, bool)> = case.steps.iter().map(|step| (step.name.as_str(), step.at_once)).collect();
        let expected = [
            ("upload-1", false),
            ("upload-2", false),
            ("part-1", false),
            ("part-1-again", true),
            ("part-2", true),
            ("part-2-again", true),
        ];
        assert_eq!(names, expected);
        let chunks: Vec<&str> = case.chunks.iter().map(|chunk| chunk.name.as_str()).collect();
        assert_eq!(chunks, ["layer-1", "layer-2", "other"]);
        let again = &case.steps[5];
        let body = again.request.body.to_string();
        assert!(body.contains("${upload-2.uploadId}") && body.contains("${last:layer-2+layer-2}"), "{body}");
        assert_eq!(again.expect.outcomes[0].members()["uploadId"], "${upload-2.uploadId}");
        let rows = [
            (
                "    repeat: 2\n    call",
                "    repeat: 1\n    call",
                "x.yaml:7: repeat: expected a number from 2 to 100, found 1",
            ),
            ("upload-#\n", "upload\n", "x.yaml:6: name: expected a # for the number of a repeated step"),
            ("  - repeat: 2\n    at-once", "  - at-once", "x.yaml:10: repeat: expected how often"),
            (
                "    at-once: true\n    steps",
                "    call: X\n    steps",
                "x.yaml:10: steps: expected one step at least, and no key",
            ),
            (
                "      - name: part-#\n",
                "      - name: part-#\n        repeat: 2\n",
                "x.yaml:13: repeat: expected no repeat inside",
            ),
            ("layer-#: 32", "layer: 32", "x.yaml:15: ${last:layer-1}: no bytes are named \"layer-1\""),
        ];
        for (from, to, expected) in rows {
            assert!(text.contains(from), "{from}");
            let found = parse("x.yaml", "x", &text.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(found.starts_with(expected), "{to}: {found}");
        }
    }

    #[test]
    fn mistakes_have_a_line_and_say_what_was_expected() {
        let rows = [
            ("call: InitiateLayerUpload", "call: InitiateUpload", "x.yaml:7: call: expected an operation of ecr"),
            ("expect: UploadLayerPart/accepted", "expect: nothing", "x.yaml:13: rule: expected the id of a rule"),
            (
                "expect: UploadLayerPart/accepted",
                "expect: UploadLayerPart/uploadId/exists",
                "x.yaml:13: step part: outcomes do not follow from UploadLayerPart/uploadId/exists: the reference \
                 registry accepts it",
            ),
            ("expect: UploadLayerPart/accepted", "expect: [200]", "x.yaml:13: "),
            ("expect: UploadLayerPart/accepted", "expect: {rules: x}", "x.yaml:13: "),
            (
                "    judged: false",
                "    judged: false\n    expect: survey/DeleteRepository",
                "x.yaml:24: judged: expected no",
            ),
            ("    call: InitiateLayerUpload\n", "", "x.yaml:6: expect: expected the id of a rule, or judged: false"),
            ("call: InitiateLayerUpload", "call: DescribeRepositories", "x.yaml:6: expect: expected the id of a rule"),
            ("[api:CompleteLayerUpload]", "[nobody]", "x.yaml:20: sources: expected the id of a source"),
            (r#"["200"]"#, r#"["400 Oops"]"#, "x.yaml:18: outcomes: expected a documented error type"),
            ("layer: 32", "layer: many", "x.yaml:4: bytes.layer: expected a number of bytes"),
            (
                "${upload.uploadId}",
                "${uplaod.uploadId}",
                "x.yaml:11: ${uplaod.uploadId}: no earlier step is named \"uplaod\"",
            ),
            (
                "${upload.uploadId}",
                "${upload}",
                "x.yaml:11: body: \"upload\" is no reference: expected one of repository, repository:NAME,",
            ),
            (
                "${base64:layer}",
                "${repeat:many:a}",
                "x.yaml:11: body: \"repeat:many:a\" is no reference: expected repeat:COUNT:TEXT",
            ),
            (
                "body: {repositoryName: \"${repository}\", force: true}",
                "raw: '${HEX:layer}'",
                "x.yaml:23: raw: \"HEX:layer\" is no reference: expected one of",
            ),
            (
                "  - name: part",
                "    only-if: ['200 {\"uploadId\": \"${u}\"}']\n  - name: part",
                "x.yaml:9: only-if: \"u\" is no reference: expected one of",
            ),
            ("title: a layer", "titel: a layer", "x.yaml:2: "),
            ("tier: documented", "tier: certain", "x.yaml:19: "),
            ("- name: part", "- name: upload", "x.yaml:9: name: expected a name of its own"),
            ("- name: part\n    call", "- call", "x.yaml:9: name: expected one in every step"),
            (
                "    call: UploadLayerPart\n",
                "    call: UploadLayerPart\n    method: PO ST\n",
                "x.yaml:11: method: expected one that can be sent: \"PO ST\" is not an HTTP method",
            ),
            (
                "    call: UploadLayerPart\n",
                "    call: UploadLayerPart\n    headers:\n      X-A: a\n      X A: a\n",
                "x.yaml:13: headers: expected one that can be sent: \"X A\" is not an HTTP header name",
            ),
            (
                "    call: UploadLayerPart\n",
                "    call: UploadLayerPart\n    headers: {X-A: \"a\\nb\"}\n",
                "x.yaml:11: headers: expected one that can be sent: \"a\\nb\" is not an HTTP header value (header X-A)",
            ),
            (
                "    call: UploadLayerPart\n",
                "    call: UploadLayerPart\n    headers: {Content-Length: null}\n",
                "x.yaml:11: headers: expected one that can be sent: the header Content-Length is written by the sender",
            ),
            (
                "  - name: part",
                "    only-if: [\"201\"]\n  - name: part",
                "x.yaml:9: only-if: expected 200, or a status",
            ),
            (
                "  - name: part",
                "    only-if: ['200 {\"uploadId\": \"${u.uploadId}\"}']\n  - name: part",
                "x.yaml:9: only-if: ${u.uploadId}: no earlier step",
            ),
        ];
        for (from, to, expected) in rows {
            let found = mistake(from, to);
            assert!(found.starts_with(expected), "{to}: {found}");
        }
    }
}
