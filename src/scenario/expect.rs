//! What a step of a file expects: nothing said, a rule, or a rule with what differs from it.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_saphyr::{Location, Spanned};

use super::repeat::Unrolled;
use super::{Mistake, Reader, WrittenStep};
use crate::case::{self, StepRole, allowed};
use crate::contract::{Operation, RuleId, Rules, Service, Source, Tier};
use crate::expect::Expectation;

/// `expect: RULE`, or `expect: {rule: RULE, outcomes: […]}`.
#[derive(Debug, Default)]
pub(super) struct WrittenExpectation {
    rule: Option<Spanned<String>>,
    tier: Option<Spanned<Tier>>,
    sources: Option<Vec<Spanned<String>>>,
    outcomes: Option<Vec<Spanned<String>>>,
}

/// Where the allowed outcomes of a step come from.
pub(super) enum Intended {
    /// The file has them, or the step is not judged.
    AsWritten,
    /// From the rule; the line is that of the step or its rule.
    ByRule {
        /// Where a mistake would be.
        line: Option<u64>,
    },
}

/// The rule of a plain call, which must succeed.
pub(super) fn plain_rule(service: Service, operation: Option<Operation>) -> Option<RuleId> {
    Rules::of(service).get(case::plain_rule(operation?)).map(|rule| rule.id)
}

/// The source that a file names; `api:X` is the page of X in the reference of the service.
fn source(service: Service, id: &str) -> Option<&'static Source> {
    match service {
        Service::EcrPublic => Source::find(&id.replacen("api:", "api-public:", 1)),
        Service::Ecr => Source::find(id),
    }
}

impl WrittenStep {
    /// All outcomes that it has in writing, each with its key.
    pub(super) fn outcomes(&self) -> impl Iterator<Item = (&'static str, &Spanned<String>)> {
        let expected = self.expect.iter().filter_map(|expect| expect.value.outcomes.as_ref()).flatten();
        expected.map(|outcome| ("outcomes", outcome)).chain(self.only_if.iter().map(|outcome| ("only-if", outcome)))
    }
}

impl Reader<'_> {
    /// What a step is for, what it allows as far as the file has it, and whether the outcomes follow from the rule.
    pub(super) fn intended(
        &self,
        service: Service,
        operation: Option<Operation>,
        one: &Unrolled,
    ) -> Result<(StepRole, Expectation, Intended), Mistake> {
        let step = one.step;
        if let Some(judged) = step.judged.as_ref().filter(|judged| !judged.value) {
            if step.expect.is_some() {
                return Err(self.mistake(judged, String::from("judged: expected no expect beside judged: false")));
            }
            return Ok((StepRole::Attempt, allowed(service, RuleId::new("survey/plain-upload")), Intended::AsWritten));
        }
        let nothing = WrittenExpectation::default();
        let written = step.expect.as_ref().map_or(&nothing, |expect| &expect.value);
        let rule = match &written.rule {
            Some(rule) if let Some(known) = Rules::of(service).find(&rule.value) => known.id,
            Some(rule) => {
                let problem = format!("rule: expected the id of a rule, found {:?}", rule.value);
                return Err(match &step.expect {
                    Some(expect) if rule.referenced == Location::UNKNOWN => self.mistake(expect, problem),
                    _ => self.mistake(rule, problem),
                });
            }
            None => plain_rule(service, operation).ok_or_else(|| {
                let problem = "expect: expected the id of a rule, or judged: false: no rule says that this succeeds";
                self.mistake(one.at, String::from(problem))
            })?,
        };
        let mut expect = allowed(service, rule);
        if let Some(tier) = &written.tier {
            if expect.tier > tier.value {
                let problem = format!("tier: the rule is {}, a scenario cannot make it {}", expect.tier, tier.value);
                return Err(self.mistake(tier, problem));
            }
            expect.tier = tier.value;
        }
        if let Some(sources) = &written.sources {
            let find = |id: &Spanned<String>| {
                let problem = || format!("sources: expected the id of a source, found {:?}", id.value);
                source(service, &id.value).ok_or_else(|| self.mistake(id, problem()))
            };
            expect.sources = sources.iter().map(find).collect::<Result<_, _>>()?;
        }
        let intended = match &written.outcomes {
            Some(outcomes) => {
                expect.outcomes = self.outcomes("outcomes", outcomes, one)?;
                Intended::AsWritten
            }
            None => {
                let at = step.expect.as_ref().map_or(one.at.referenced, |expect| expect.referenced);
                Intended::ByRule { line: (at.line() > 0).then(|| at.line()) }
            }
        };
        if expect.sources.is_empty() || expect.outcomes.is_empty() {
            return Err(self.mistake(one.at, String::from("expect: expected at least one source and one outcome")));
        }
        Ok((StepRole::Focus, expect, intended))
    }
}

impl<'de> Deserialize<'de> for WrittenExpectation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<WrittenExpectation, D::Error> {
        deserializer.deserialize_any(Form)
    }
}

struct Form;

impl<'de> Visitor<'de> for Form {
    type Value = WrittenExpectation;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the id of a rule, or a mapping with rule, outcomes, tier and sources")
    }

    fn visit_str<E: Error>(self, rule: &str) -> Result<WrittenExpectation, E> {
        // Its place is that of the whole expectation.
        let rule = Spanned::new(String::from(rule), Location::UNKNOWN, Location::UNKNOWN);
        Ok(WrittenExpectation { rule: Some(rule), ..WrittenExpectation::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<WrittenExpectation, A::Error> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Mapping {
            rule: Option<Spanned<String>>,
            tier: Option<Spanned<Tier>>,
            sources: Option<Vec<Spanned<String>>>,
            outcomes: Option<Vec<Spanned<String>>>,
        }
        let Mapping { rule, tier, sources, outcomes } = Mapping::deserialize(MapAccessDeserializer::new(members))?;
        Ok(WrittenExpectation { rule, tier, sources, outcomes })
    }
}
