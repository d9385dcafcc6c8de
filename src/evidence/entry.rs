//! What an answer says about the rule that its request is about.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Answer;
use super::placeholder::bounded;
use crate::case::{Case, Step};
use crate::contract::{Area, Rules, Service, Tier};
use crate::expect;
use crate::judge::Finding;
use crate::template;
use crate::wire::{CONTENT_TYPE, Framing};

/// What an answer does to a rule.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// It is none that the rule allows.
    Contradicts,
    /// The rule is open: it would become observed.
    RaisesRule,
    /// Only the error type is open: it would become observed.
    RaisesErrorType,
    /// It is what the rule says.
    Confirms,
}

impl Effect {
    /// Of an answer to a step, where these are the findings about it.
    fn of(step: &Step, got: &Answer, findings: &[&Finding]) -> Effect {
        let expect = &step.expect;
        if findings.iter().any(|finding| finding.is_about_request()) {
            return Effect::Contradicts;
        }
        match got.is_error() && expect.error_tier() == Tier::Open {
            _ if expect.tier == Tier::Open => Effect::RaisesRule,
            true => Effect::RaisesErrorType,
            false => Effect::Confirms,
        }
    }
}

/// One answer to the requests about one rule, and the cases in which it came.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Entry {
    /// Id of the rule that the request is about.
    pub rule: String,
    /// What it says.
    pub says: String,
    /// How strong the rule is now.
    pub tier: Tier,
    /// How strong it is now that a rejection has one of its error types, where that is weaker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_tier: Option<Tier>,
    /// What the answer does to it.
    pub effect: Effect,
    /// The answers that are expected now.
    pub expected: String,
    /// The rules that the answer breaks, with their tiers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub breaks: Vec<String>,
    /// What came.
    pub got: Answer,
    /// What of the requests matters for the rule, by case and step.
    pub sent: BTreeMap<String, String>,
}

impl Entry {
    /// Of an answer of a service to a step that a case is about, with what was found about it.
    pub fn of(case: &Case, step: &Step, got: Answer, findings: &[&Finding]) -> Entry {
        let expect = &step.expect;
        let error_tier = expect.error_tier();
        // What came is in the answer, with placeholders.
        let broken = |finding: &&Finding| format!("{} ({})", finding.rule, finding.tier);
        Entry {
            rule: expect.rule.to_string(),
            says: Rules::of(case.service).get(expect.rule).map(|rule| rule.statement.clone()).unwrap_or_default(),
            tier: expect.tier,
            error_tier: (error_tier != expect.tier).then_some(error_tier),
            effect: Effect::of(step, &got, findings),
            expected: expect::short(&expect.outcomes),
            breaks: findings.iter().map(broken).collect(),
            got,
            sent: BTreeMap::from([(format!("{} {}", case.id, step.name), sent(case.service, step))]),
        }
    }
}

/// What of a request matters for its rule: the member, the envelope, or all of the body. References read `«sha256:layer»`,
/// so that it is the same in every run.
fn sent(service: Service, step: &Step) -> String {
    const LONGEST: usize = 200;
    let rule = step.expect.rule;
    let text = match rule.area() {
        Area::Wire | Area::Auth => envelope(step),
        Area::Operation(operation) if step.operation == Some(operation) => {
            member(service, step, rule.subject()).unwrap_or_else(|| step.request.body.shown())
        }
        _ => step.request.body.shown(),
    };
    bounded(&text, LONGEST)
}

/// A member that the operation has, as it is sent.
fn member(service: Service, step: &Step, name: &str) -> Option<String> {
    step.spec(service)?.input(name)?;
    let body: Value = serde_json::from_str(&step.request.body.to_json()?).ok()?;
    match body.as_object()?.get(name) {
        Some(value) => Some(template::shown(&format!("{name}: {value}"))),
        None => Some(format!("no {name}")),
    }
}

/// What is unusual about a request besides its members, and its body.
fn envelope(step: &Step) -> String {
    let request = &step.request;
    let header = |name: &str| {
        let found = request.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or_else(|| format!("no {name}"), |(_, value)| format!("{name}: {value}"))
    };
    let usual_content_type = format!("Content-Type: {CONTENT_TYPE}");
    let mut parts = Vec::new();
    parts.extend((request.method != "POST").then(|| request.method.clone()));
    parts.extend((request.framing != Framing::Length).then(|| format!("framing {}", request.framing.name())));
    parts.extend((!request.signature.is_valid()).then(|| format!("signature {}", request.signature.name())));
    parts.extend(Some(header("Content-Type")).filter(|found| *found != usual_content_type));
    parts.extend(step.operation.is_none().then(|| header("X-Amz-Target")));
    let encoding = || request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("Content-Encoding"));
    parts.extend(encoding().then(|| header("Content-Encoding")));
    parts.push(format!("body {}", request.body.shown()));
    parts.join(", ")
}
