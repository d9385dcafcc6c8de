//! Runs a case against the reference registry: checks that it breaks the rule it says it breaks, and that one alone, and
//! adds which values an allowed answer must have.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::case::{Bindings, Case, Length, Place, Step, StepRole, Unbound, allowed};
use crate::contract::blob::Notation;
use crate::contract::{Area, Operation, RuleId, Rules, Service};
use crate::expect::{Expectation, Outcome};
use crate::model::operation::{Facts, absent, not_a_layer};
use crate::model::{Registry, Rejection, registry};
use crate::template::{Chunks, Part, Reference, Template};
use crate::wire::Request;

/// Adds to the expectations of a case the values that the reference registry answers with.
///
/// # Errors
///
/// Where the registry's answer is none that the case allows: then the case, its rule or the registry is wrong.
pub fn add_pins(case: &mut Case) -> Result<(), Misfit> {
    let mut rehearsal = Rehearsal::of(case).map_err(|why| Misfit::of(&case.id, None, why))?;
    rehearsal.remember_chunks(case);
    let service = case.service;
    for step in &mut case.steps {
        let (_, answer) = rehearsal.call(step).map_err(|why| Misfit::of(&case.id, Some(step), why))?;
        if step.role != StepRole::Attempt {
            compare(step, &answer).map_err(|why| Misfit::of(&case.id, Some(step), why))?;
            if step.role == StepRole::Focus {
                pin(step, &answer, service, &rehearsal.bindings);
            }
        }
        if let Ok(answer) = answer {
            rehearsal.bindings.capture(&step.name, &answer);
        }
    }
    Ok(())
}

/// What the rule of each step allows as its answer, with the values that the reference registry answers with: what a
/// scenario file means where it names a rule and no outcomes.
///
/// An error says why nothing follows from the rule: the registry answers otherwise or never gets so far, or the
/// documents leave open which values come.
pub fn by_rule(case: &Case) -> Vec<Result<Expectation, Disagreement>> {
    let mut rehearsal = Rehearsal::of(case);
    let mut expected = Vec::new();
    for group in case.groups() {
        let concurrent = group.len() > 1;
        expected.extend(case.steps[group].iter().map(|step| match &mut rehearsal {
            Ok(rehearsal) => rehearsal.by_rule(case, step, concurrent),
            Err(problem) => Err(problem.clone()),
        }));
    }
    expected
}

/// Why a step of a case does not go through the reference registry as it is meant to.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Disagreement {
    /// The registry does not create a repository of the case.
    #[error("the reference registry creates no repository: {0}")]
    NoRepository(String),
    /// A reference stands for nothing.
    #[error("nothing is bound to {0}")]
    Unbound(Reference),
    /// The registry accepts what is meant to be rejected.
    #[error("the reference registry accepts it; allowed is {allowed}")]
    Accepted {
        /// What the step allows.
        allowed: String,
    },
    /// The registry rejects it for another reason.
    #[error("the reference registry rejects it by {by} ({message}), and not by {rule}")]
    OtherRule {
        /// The rule that the registry goes by.
        by: RuleId,
        /// The message of its error.
        message: String,
        /// The rule of the step.
        rule: RuleId,
    },
    /// The registry answers with an error that is not allowed.
    #[error("the reference registry answers {error} for {by} ({message}); allowed is {allowed}")]
    OtherError {
        /// The type of its error.
        error: &'static str,
        /// The rule that it goes by.
        by: RuleId,
        /// The message of its error.
        message: String,
        /// What the step allows.
        allowed: String,
    },
    /// The step has no rule that says what is allowed.
    #[error("no rule says what is allowed")]
    NoRule,
    /// Of concurrent calls, one that must fail.
    #[error("which of the calls at once succeeds is open")]
    AnyOfConcurrent,
    /// The response has one of several digests.
    #[error("which digest is answered depends on the order of the calls at once")]
    AnyDigest,
    /// The response has a digest that no reference of the case stands for.
    #[error("no reference stands for the digest of the layer")]
    UnnamedDigest,
}

/// A case that does not go through the reference registry as it is meant to.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{case}{at}: {why}", at = step.as_ref().map(|step| format!(", step {step}")).unwrap_or_default())]
pub struct Misfit {
    /// The id of the case.
    pub case: String,
    /// The name of the step; `None` before the first.
    pub step: Option<String>,
    /// Why.
    #[source]
    pub why: Box<Disagreement>,
}

impl Misfit {
    /// Of a step of a case.
    pub fn of(case: &str, step: Option<&Step>, why: Disagreement) -> Misfit {
        Misfit { case: String::from(case), step: step.map(|step| step.name.clone()), why: Box::new(why) }
    }
}

/// Nothing is sent of what the registry reads here.
pub(crate) const NOTATION: Notation = Notation::Abridged;

/// A case on its way through the reference registry, step by step.
#[derive(Debug)]
pub struct Rehearsal {
    registry: Registry,
    bindings: Bindings,
}

impl Rehearsal {
    /// A registry that has the repositories of a case.
    ///
    /// # Errors
    ///
    /// A repository that the registry does not make.
    pub fn of(case: &Case) -> Result<Rehearsal, Disagreement> {
        let mut registry = Registry::new(case.service).in_notation(NOTATION);
        let mut bindings = Bindings::new(&case.chunks, "expected", registry::PART_SIZE as usize).in_notation(NOTATION);
        bindings.bind(Reference::Registry, registry::ACCOUNT);
        bindings.bind(Reference::Alias, registry::ALIAS);
        bindings.bind(Reference::Absent, "ecrspec/absent");
        for (reference, name) in repositories(case) {
            let operation = case
                .service
                .contract()
                .operation(Operation::CreateRepository)
                .ok_or_else(|| Disagreement::NoRepository(String::from("no CreateRepository")))?;
            let input = Map::from_iter([(String::from("repositoryName"), Value::from(name.as_str()))]);
            registry.call(operation, &input).map_err(|rejection| Disagreement::NoRepository(rejection.message))?;
            bindings.bind(reference, name);
        }
        Ok(Rehearsal { registry, bindings })
    }

    /// Performs the next step: its request as it would be sent, but in [`NOTATION`], and what the registry answers.
    ///
    /// # Errors
    ///
    /// A reference that stands for nothing.
    pub fn step(&mut self, step: &Step) -> Result<(Request, Result<Value, Rejection>), Disagreement> {
        let (request, answer) = self.call(step)?;
        if let Ok(answer) = &answer {
            self.bindings.capture(&step.name, answer);
        }
        Ok((request, answer))
    }

    /// An answer may have a digest that no request names.
    fn remember_chunks(&mut self, case: &Case) {
        for chunk in &case.chunks {
            self.bindings.remember(Reference::Sha256(Chunks::one(&chunk.name)));
        }
    }

    /// Performs the next step, and says what its rule allows as its answer, as [`by_rule`] does.
    fn by_rule(&mut self, case: &Case, step: &Step, concurrent: bool) -> Result<Expectation, Disagreement> {
        let (request, answer) = self.call(step)?;
        // Large layers take long to hash: mostly the request names the digest that is answered.
        let digest = answer.as_ref().ok().and_then(|answer| answer.get("layerDigest"));
        if digest.is_some_and(|digest| !self.bindings.iter().any(|(_, bound)| bound == digest)) {
            self.remember_chunks(case);
        }
        let expected = || {
            let rule = step.expect.rule;
            if step.role == StepRole::Attempt || Rules::of(case.service).get(rule).is_none() {
                return Err(Disagreement::NoRule);
            }
            let mut step = Step { expect: allowed(case.service, rule), ..step.clone() };
            if concurrent && !step.expect.is_success() {
                return Err(Disagreement::AnyOfConcurrent);
            }
            compare(&step, &answer)?;
            pin(&mut step, &answer, case.service, &self.bindings);
            depend_on_part_size(&mut step, case);
            hold_for_every_target(&step, &request, case.is_race())?;
            Ok(step.expect)
        };
        let expected = expected();
        if let Ok(answer) = &answer {
            self.bindings.capture(&step.name, answer);
        }
        expected
    }

    fn call(&mut self, step: &Step) -> Result<(Request, Result<Value, Rejection>), Disagreement> {
        let unbound = |Unbound(reference)| Disagreement::Unbound(reference);
        let request = self.bindings.body(&step.request.body).map_err(unbound)?;
        let request = step.request.with_body(Bytes::from(request.abridged().into_owned()));
        let answer = self.registry.answer(&request);
        Ok((request, answer))
    }
}

/// The repositories that are made for a case, each with its reference.
pub fn repositories(case: &Case) -> Vec<(Reference, String)> {
    let further = match &case.place {
        Place::Shared => &[],
        Place::Own(names) => names.as_slice(),
    };
    let here = (Reference::repository(None), String::from("ecrspec/case"));
    let others = further.iter().map(|name| (Reference::repository(Some(name)), format!("ecrspec/case-{name}")));
    std::iter::once(here).chain(others).collect()
}

fn compare(step: &Step, answer: &Result<Value, Rejection>) -> Result<(), Disagreement> {
    let allowed = || step.expect.short();
    match answer {
        Ok(_) if step.expect.outcomes.iter().any(Outcome::is_success) => Ok(()),
        Ok(_) => Err(Disagreement::Accepted { allowed: allowed() }),
        // The rule of a spelling says that there is the same response, whichever that is.
        Err(rejection)
            if step.expect.error_tier().gates() && !is_of(step.expect.rule, rejection) && !is_spelled(step) =>
        {
            Err(Disagreement::OtherRule {
                by: rejection.rule,
                message: rejection.message.clone(),
                rule: step.expect.rule,
            })
        }
        Err(rejection) if step.expect.errors().contains(&rejection.error.name) => Ok(()),
        Err(rejection) => Err(Disagreement::OtherError {
            error: rejection.error.name,
            by: rejection.rule,
            message: rejection.message.clone(),
            allowed: allowed(),
        }),
    }
}

/// Rules that say more of some requests than the rule by which the registry rejects them.
const NARROWER: [(RuleId, RuleId); 3] = [
    (RuleId::new("CompleteLayerUpload/layer/side-by-side"), RuleId::new("CompleteLayerUpload/layer/new")),
    (
        RuleId::new("CompleteLayerUpload/layerDigests/sha256-length"),
        RuleId::new("CompleteLayerUpload/layerDigests/match"),
    ),
    (RuleId::new("CompleteLayerUpload/uploadId/once"), RuleId::new("CompleteLayerUpload/uploadId/exists")),
];

/// Whether a step is about another spelling of a request.
fn is_spelled(step: &Step) -> bool {
    let rule = step.expect.rule;
    // The same for both services.
    rule.area() == Area::Wire && Rules::of(Service::Ecr).get(rule).is_some_and(|rule| rule.errors.is_empty())
}

fn is_of(rule: RuleId, rejection: &Rejection) -> bool {
    rejection.rule == rule || NARROWER.contains(&(rule, rejection.rule))
}

/// Adds to the expectation of a step which values the registry answered with.
pub(super) fn pin(step: &mut Step, answer: &Result<Value, Rejection>, service: Service, bindings: &Bindings) {
    let template = step.request.body.clone();
    match answer {
        Ok(answer) => {
            let Some((operation, answer)) = step.operation.zip(answer.as_object()) else { return };
            let pinned = (Facts::of(operation).pins)(step.expect.rule, answer);
            if pinned.is_empty() {
                return;
            }
            let mut pinned = named(pinned, &template, bindings);
            if let (Some(last), Some(sent)) = (pinned.get_mut("lastByteReceived"), sent_as_reference(&template)) {
                *last = sent;
            }
            if let Some(digest) = unavailable(&pinned) {
                step.expect.outcomes = match step.expect.rule.is("layers/other-algorithm") {
                    true => not_a_layer(digest),
                    false => absent(digest),
                };
                return;
            }
            for outcome in &mut step.expect.outcomes {
                if let Outcome::Success { members } = outcome {
                    members.clone_from(&pinned);
                }
            }
        }
        Err(_) if !step.expect.error_tier().gates() => {}
        Err(rejection) => pin_error(step, rejection, service, bindings),
    }
}

/// Adds to the outcomes of a step which values the members of an error must have.
pub(super) fn pin_error(step: &mut Step, rejection: &Rejection, service: Service, bindings: &Bindings) {
    let template = step.request.body.clone();
    for outcome in &mut step.expect.outcomes {
        if let Outcome::Error { error, members } = outcome
            && error.name == rejection.error.name
            && let Value::Object(values) = &rejection.members
        {
            let mut values = values.clone();
            // Before the first byte there is no last valid one, and nothing says what stands there then. The page of the
            // public service says of it what it cannot be: the last byte of the part that was rejected.
            if values.get("lastValidByteReceived") == Some(&json!(0)) || service == Service::EcrPublic {
                values.remove("lastValidByteReceived");
            }
            *members = named(values, &template, bindings);
        }
    }
}

/// The reference that a request has as its last position.
fn sent_as_reference(template: &Template) -> Option<Value> {
    let mut neighbours = template.parts().windows(2);
    neighbours.find_map(|neighbours| match neighbours {
        [Part::Text(before), Part::Reference(reference)] if before.ends_with(br#""partLastByte":"#) => {
            Some(Value::from(reference.written()))
        }
        _ => None,
    })
}

/// Where chunks are as long as the target says, the sizes of layers are references too.
fn depend_on_part_size(step: &mut Step, case: &Case) {
    if !case.chunks.iter().any(|chunk| chunk.len == Length::PartSize) {
        return;
    }
    for outcome in &mut step.expect.outcomes {
        let Outcome::Success { members } = outcome else { continue };
        for layer in members.get_mut("layers").and_then(Value::as_array_mut).into_iter().flatten() {
            let digest = layer["layerDigest"].as_str().and_then(Reference::alone);
            if let (Some(known), Some(Reference::Sha256(chunks))) = (layer.get_mut("layerSize"), digest) {
                *known = Value::from(Reference::Size(chunks).written());
            }
        }
    }
}

/// Says what of an expectation holds for the reference registry alone, if anything does.
fn hold_for_every_target(step: &Step, request: &Request, race: bool) -> Result<(), Disagreement> {
    for members in step.expect.outcomes.iter().map(Outcome::members) {
        let Some(digest) = members.get("layerDigest").and_then(Value::as_str) else { continue };
        if race && asked_digests(request) > 1 {
            return Err(Disagreement::AnyDigest);
        }
        if Reference::alone(digest).is_none() && !String::from_utf8_lossy(&request.body).contains(digest) {
            return Err(Disagreement::UnnamedDigest);
        }
    }
    Ok(())
}

/// How many digests a request names. Of parts this is not asked: they take long to read.
fn asked_digests(request: &Request) -> usize {
    let asked = serde_json::from_slice::<Value>(&request.body).unwrap_or_default();
    asked["layerDigests"].as_array().map_or(0, Vec::len)
}

/// The digest of the layer that an answer calls UNAVAILABLE, if it does.
fn unavailable(members: &Map<String, Value>) -> Option<&str> {
    let layer = members.get("layers")?.pointer("/0")?;
    layer["layerDigest"].as_str().filter(|_| layer["layerAvailability"] == "UNAVAILABLE")
}

/// Values that references stand for, as those references: preferably as the template of the request has them.
fn named(members: Map<String, Value>, template: &Template, bindings: &Bindings) -> Map<String, Value> {
    members.into_iter().map(|(name, value)| (name, reference(value, template, bindings))).collect()
}

fn reference(value: Value, template: &Template, bindings: &Bindings) -> Value {
    match value {
        Value::String(text) => {
            let same = bindings.iter().filter(|(_, bound)| bound.as_str() == Some(text.as_str()));
            let best = same.map(|(reference, _)| reference).min_by_key(|reference| {
                let is_sent = template.references().any(|sent| sent == *reference);
                (!is_sent, reference.of_member().is_some(), reference.to_string())
            });
            match best {
                Some(reference) => Value::from(reference.written()),
                None => Value::from(composed(&text, template, bindings).unwrap_or(text)),
            }
        }
        Value::Array(items) => items.into_iter().map(|item| reference(item, template, bindings)).collect(),
        Value::Object(members) => Value::Object(named(members, template, bindings)),
        other => other,
    }
}

/// The string of a request that stands for a text with references among other letters, if there is one.
fn composed(text: &str, template: &Template, bindings: &Bindings) -> Option<String> {
    // Mostly a reference is all of a string, and there is nothing to look for.
    let is_among_letters = |parts: &[Part]| {
        matches!(parts, [Part::Text(before), Part::Reference(_)] if !before.ends_with(b"\""))
            || matches!(parts, [Part::Reference(_), Part::Text(after)] if !after.starts_with(b"\""))
            || matches!(parts, [Part::Reference(_), Part::Reference(_)])
    };
    if !template.parts().windows(2).any(is_among_letters) {
        return None;
    }
    let json: Value = serde_json::from_str(&template.to_json()?).ok()?;
    let members = json.as_object()?.values();
    let strings = members.flat_map(|member| member.as_array().map_or(std::slice::from_ref(member), Vec::as_slice));
    // Of the bytes of a part nothing is answered, and they may be many.
    let is_mixed = |string: &&str| string.contains("${") && !string.contains("${base64:");
    let mut mixed = strings.filter_map(Value::as_str).filter(is_mixed);
    let is_it = |string: &&str| {
        let filled = bindings.clone().fill(&Template::lenient(string));
        filled.is_ok_and(|filled| filled == text.as_bytes())
    };
    mixed.find(is_it).map(String::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::catalogue;

    #[test]
    fn the_reference_registry_agrees_with_the_catalogue() {
        for service in Service::ALL {
            let problems: Vec<String> = catalogue(service)
                .iter_mut()
                .filter_map(|case| add_pins(case).err().map(|misfit| misfit.to_string()))
                .collect();
            assert!(problems.is_empty(), "{service}:\n{}", problems.join("\n"));
        }
    }
}
