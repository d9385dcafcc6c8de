//! A file is checked, and becomes cases: whatever it has that no case could have is a mistake.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use serde_saphyr::Spanned;

use super::Mistake;
use super::expect::Intended;
use super::json::Json;
use super::repeat::Unrolled;
use super::written::{File, Reader, Size, WrittenStep};
use crate::case::{Bindings, Case, CaseKind, Chunk, Length, Place, Step};
use crate::contract::{Operation, Service};
use crate::template::Template;
use crate::wire::{Request, envelope, unsendable};

const MAX_ROUNDS: usize = 1000;

/// A case without the outcomes that follow from rules, and what each of its steps is meant to expect.
pub(super) struct Outline {
    pub(super) case: Case,
    pub(super) intended: Vec<Intended>,
}

impl Reader<'_> {
    /// The case of a file for each of its services.
    pub(super) fn outlines(&self, written: &File) -> Result<Vec<Outline>, Mistake> {
        written.services.iter().map(|service| self.case(*service, written)).collect()
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
                    self.mistake_on(line, format!("{}: {problem}", reference.written()))
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
                "bytes.{name}: expected a number of bytes up to {}, partSize, {{text: …}}, or {{base64: …, times: …}}, found {found}",
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
                _ => literal(members).ok_or_else(|| problem(&size.value.to_string()))?,
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
        request.signature = step.signature;
        self.head(step, &mut request)?;
        let (role, expect, intended) = self.intended(service, operation, one)?;
        let only_if = self.outcomes("only-if", &step.only_if, one)?;
        let name = one.name.clone();
        let at_once = one.at_once.is_some_and(|at_once| at_once.value);
        let (also_broken, precedence) = (Vec::new(), None); // Of random sequences alone.
        let readings = None;
        Ok((
            Step { name, operation, request, at_once, role, expect, also_broken, precedence, only_if, readings },
            intended,
        ))
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
}

/// Changes a header as a file says: without a value, it is not sent.
pub(super) fn apply(headers: &mut Vec<(String, String)>, name: &str, value: Option<&str>) {
    headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    headers.extend(value.map(|value| (String::from(name), String::from(value))));
}

/// The bytes of `{base64: …, times: …}`, if it is that and they are not too many.
fn literal(members: &Map<String, Value>) -> Option<Length> {
    let unit = STANDARD.decode(members.get("base64")?.as_str()?).ok()?;
    let times = match (members.len(), members.get("times")) {
        (1, None) => 1,
        (2, Some(times)) => usize::try_from(times.as_u64()?).ok()?,
        _ => return None,
    };
    (unit.len().checked_mul(times)? <= Chunk::MAX).then(|| Length::Literal { unit: unit.into(), times })
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::super::tests::GOOD;

    /// Each row: what of a good file is replaced, by what, and how the mistake begins.
    fn are_mistakes(rows: &[(&str, &str, &str)]) {
        for (from, to, expected) in rows {
            assert!(GOOD.contains(from), "{from}");
            let found = parse("x.yaml", "scenarios/x/x", &GOOD.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(found.starts_with(expected), "{to}: {found}");
        }
    }

    #[test]
    fn mistakes_in_what_is_expected_have_a_line() {
        are_mistakes(&[
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
                "x.yaml:24: judged: expected expect or judged: false",
            ),
            ("    call: InitiateLayerUpload\n", "", "x.yaml:6: expect: expected the id of a rule, or judged: false"),
            ("call: InitiateLayerUpload", "call: DescribeRepositories", "x.yaml:6: expect: expected the id of a rule"),
            ("[api:CompleteLayerUpload]", "[nobody]", "x.yaml:20: sources: expected the id of a source"),
            (r#"["200"]"#, r#"["400 Oops"]"#, "x.yaml:18: outcomes: expected a documented error type"),
        ]);
    }

    #[test]
    fn mistakes_in_what_is_sent_have_a_line() {
        are_mistakes(&[
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
            ("tier: observed", "tier: certain", "x.yaml:19: "),
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
        ]);
    }
}
