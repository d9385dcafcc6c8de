//! What a step of a file expects: nothing said, a rule, or a rule with what differs from it.

use serde_saphyr::{Location, Spanned};

use super::Mistake;
use super::repeat::Unrolled;
use super::written::{Reader, WrittenExpectation};
use crate::case::{self, StepRole, allowed};
use crate::contract::{Operation, RuleId, Rules, Service, Source};
use crate::expect::{Expectation, NoOutcome, Outcome};

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
                return Err(self.mistake(judged, String::from("judged: expected expect or judged: false, found both")));
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
            expect.error_basis = expect.error_basis.filter(|basis| basis.tier > tier.value);
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
    /// The outcomes that stand at a key.
    pub(super) fn outcomes(
        &self,
        key: &str,
        written: &[Spanned<String>],
        one: &Unrolled,
    ) -> Result<Vec<Outcome>, Mistake> {
        let parse = |outcome: &Spanned<String>| {
            let mistake = |problem: String| self.mistake(outcome, format!("{key}: {problem}"));
            let template = one.outcome(&outcome.value).map_err(|why| mistake(why.to_string()))?;
            template.to_string().parse().map_err(|why: NoOutcome| mistake(why.to_string()))
        };
        written.iter().map(parse).collect()
    }
}
