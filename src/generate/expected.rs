//! Runs a case against the reference registry: checks that it breaks the rule it says it breaks, and that one alone, and
//! adds which values an admitted answer must have.

use serde_json::{Map, Value, json};

use crate::case::{Bindings, Case, Place, Step, StepRole, fill};
use crate::contract::Operation;
use crate::expect::Outcome;
use crate::model::operation::{Facts, absent};
use crate::model::{Refusal, Registry, registry};
use crate::wire::Request;

/// Adds to the expectations of a case the values that the reference registry answers with.
///
/// # Errors
///
/// Where the registry's answer is none that the case admits: then the case, its rule or the registry is wrong.
pub fn add_pins(case: &mut Case) -> Result<(), String> {
    let mut rehearsal = Rehearsal::of(case)?;
    for chunk in &case.chunks {
        // An answer may have a digest that no request names.
        rehearsal.bindings.remember(&format!("sha256:{}", chunk.name));
    }
    for step in &mut case.steps {
        let (_, answer) = rehearsal.call(step).map_err(|problem| format!("{}, {problem}", case.id))?;
        if step.role != StepRole::Attempt {
            compare(step, &answer).map_err(|problem| format!("{}, step {}: {problem}", case.id, step.name))?;
            if step.role == StepRole::Focus {
                pin(step, &answer, &rehearsal.bindings);
            }
        }
        if let Ok(answer) = answer {
            rehearsal.bindings.capture(&step.name, &answer);
        }
    }
    Ok(())
}

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
    pub fn of(case: &Case) -> Result<Rehearsal, String> {
        let mut registry = Registry::new(case.service);
        let mut bindings = Bindings::new(&case.chunks, "expected", registry::PART_SIZE as usize);
        bindings.bind("registry", registry::ACCOUNT);
        bindings.bind("absent", "ecrspec/absent");
        for (reference, name) in repositories(case) {
            let operation =
                case.service.contract().operation(Operation::CreateRepository).ok_or("no CreateRepository")?;
            let input = Map::from_iter([(String::from("repositoryName"), Value::from(name.as_str()))]);
            registry.call(operation, &input).map_err(|refusal| refusal.message)?;
            bindings.bind(reference, name);
        }
        Ok(Rehearsal { registry, bindings })
    }

    /// Performs the next step: its request as it would be sent, and what the registry answers.
    ///
    /// # Errors
    ///
    /// A reference that stands for nothing.
    pub fn step(&mut self, step: &Step) -> Result<(Request, Result<Value, Refusal>), String> {
        let (request, answer) = self.call(step)?;
        if let Ok(answer) = &answer {
            self.bindings.capture(&step.name, answer);
        }
        Ok((request, answer))
    }

    fn call(&mut self, step: &Step) -> Result<(Request, Result<Value, Refusal>), String> {
        let unbound = |name: String| format!("step {}: nothing is bound to {name}", step.name);
        let body = fill(&step.request.body, &mut self.bindings).map_err(unbound)?;
        let request = Request { body, ..step.request.clone() };
        let answer = self.registry.answer(&request);
        Ok((request, answer))
    }
}

/// The repositories that are made for a case, each with its reference.
pub fn repositories(case: &Case) -> Vec<(String, String)> {
    let further = match &case.place {
        Place::Shared => &[],
        Place::Own(names) => names.as_slice(),
    };
    let here = (String::from("repository"), String::from("ecrspec/case"));
    let others = further.iter().map(|name| (format!("repository:{name}"), format!("ecrspec/case-{name}")));
    std::iter::once(here).chain(others).collect()
}

fn compare(step: &Step, answer: &Result<Value, Refusal>) -> Result<(), String> {
    let admitted = step.expect.short();
    match answer {
        Ok(_) if step.expect.outcomes.iter().any(Outcome::is_success) => Ok(()),
        Ok(_) => Err(format!("the reference registry accepts it; admitted is {admitted}")),
        Err(refusal) if step.expect.tier.gates() && !is_of(&step.expect.rule, refusal) => Err(format!(
            "the reference registry refuses it by {} ({}), and not by {}",
            refusal.rule, refusal.message, step.expect.rule
        )),
        Err(refusal) if step.expect.errors().contains(&refusal.error.name) => Ok(()),
        Err(refusal) => Err(format!(
            "the reference registry answers {} for {} ({}); admitted is {admitted}",
            refusal.error.name, refusal.rule, refusal.message
        )),
    }
}

/// Rules that say more of some requests than the rule by which the registry refuses them.
const NARROWER: [(&str, &str); 2] = [
    ("CompleteLayerUpload/layerDigests/sha256-length", "CompleteLayerUpload/layerDigests/match"),
    ("CompleteLayerUpload/uploadId/once", "CompleteLayerUpload/uploadId/exists"),
];

fn is_of(rule: &str, refusal: &Refusal) -> bool {
    refusal.rule == rule || NARROWER.contains(&(rule, &refusal.rule))
}

/// Adds to the expectation of a step which values the registry answered with.
pub(super) fn pin(step: &mut Step, answer: &Result<Value, Refusal>, bindings: &Bindings) {
    let template = String::from_utf8_lossy(&step.request.body).into_owned();
    match answer {
        Ok(answer) => {
            let Some((operation, answer)) = step.operation.zip(answer.as_object()) else { return };
            let pinned = (Facts::of(operation).pins)(&step.expect.rule, answer);
            if pinned.is_empty() {
                return;
            }
            let pinned = named(pinned, &template, bindings);
            if let Some(digest) = unavailable(&pinned) {
                step.expect.outcomes = absent(digest);
                return;
            }
            for outcome in &mut step.expect.outcomes {
                if let Outcome::Success { members } = outcome {
                    members.clone_from(&pinned);
                }
            }
        }
        Err(_) if !step.expect.tier.gates() => {}
        Err(refusal) => pin_error(step, refusal, bindings),
    }
}

/// Adds to the outcomes of a step which values the members of an error must have.
pub(super) fn pin_error(step: &mut Step, refusal: &Refusal, bindings: &Bindings) {
    let template = String::from_utf8_lossy(&step.request.body).into_owned();
    for outcome in &mut step.expect.outcomes {
        if let Outcome::Error { error, members } = outcome
            && error.name == refusal.error.name
            && let Value::Object(values) = &refusal.members
        {
            let mut values = values.clone();
            // Before the first byte there is no last valid one, and nothing says what stands there then.
            if values.get("lastValidByteReceived") == Some(&json!(0)) {
                values.remove("lastValidByteReceived");
            }
            *members = named(values, &template, bindings);
        }
    }
}

/// The digest of the layer that an answer calls UNAVAILABLE, if it does.
fn unavailable(members: &Map<String, Value>) -> Option<&str> {
    let layer = members.get("layers")?.pointer("/0")?;
    layer["layerDigest"].as_str().filter(|_| layer["layerAvailability"] == "UNAVAILABLE")
}

/// Values that references stand for, as those references: preferably as the template of the request has them.
fn named(members: Map<String, Value>, template: &str, bindings: &Bindings) -> Map<String, Value> {
    members.into_iter().map(|(name, value)| (name, reference(value, template, bindings))).collect()
}

fn reference(value: Value, template: &str, bindings: &Bindings) -> Value {
    match value {
        Value::String(text) => {
            let same = bindings.iter().filter(|(_, bound)| bound.as_str() == Some(text.as_str()));
            let best = same
                .map(|(name, _)| name)
                .min_by_key(|name| (!template.contains(&format!("${{{name}}}")), name.contains('.')));
            best.map_or(Value::String(text), |name| Value::from(format!("${{{name}}}")))
        }
        Value::Array(items) => items.into_iter().map(|item| reference(item, template, bindings)).collect(),
        Value::Object(members) => Value::Object(named(members, template, bindings)),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Service;
    use crate::generate::catalogue;

    #[test]
    fn the_reference_registry_agrees_with_the_catalogue() {
        for service in Service::ALL {
            let problems: Vec<String> = catalogue(service).iter_mut().filter_map(|case| add_pins(case).err()).collect();
            assert!(problems.is_empty(), "{service}:\n{}", problems.join("\n"));
        }
    }
}
