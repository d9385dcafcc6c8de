//! One broken rule, with what was expected and what came.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Expected, Got};
use crate::contract::{Area, Constraint, Operation, RuleId, Rules, Tier};

/// One broken rule.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Finding {
    /// Id of the rule.
    pub rule: RuleId,
    /// The operation whose answer breaks it; `None` where the request names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// How strong what is broken is: the rule, or, where only the error type is wrong, what is known of the type.
    pub tier: Tier,
    /// Ids of the sources of that.
    pub sources: Vec<String>,
    /// How strong it is that the request is rejected, where that was done and the error type rests on less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejection: Option<Tier>,
    /// How bad it is.
    pub grade: Grade,
    /// Id of the rule that the step is about; the same, but where every answer is judged.
    pub about: RuleId,
    /// Ids of the rules that the request breaks besides it, where none of them alone is answered so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_broken: Vec<RuleId>,
    /// Id of the rule that an entry of known deviations names to accept it. A server fault is accepted for the request
    /// that provokes it, and not for all that there are.
    pub accept_as: RuleId,
    /// Name of the step in the case.
    pub step: String,
    /// What the request had: "a digest that does not match the bytes", or several such "together with" one another.
    pub breach: String,
    /// What the contract allows.
    pub expected: Expected,
    /// What came: the same for the same cause.
    pub got: Got,
    /// What the client that sent the request tells whoever calls it, if it tells something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Which calls show it, where calls were sent at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<Witness>,
}

/// The calls that show a finding among calls that were sent at once, and how often they did.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Witness {
    /// In how many rounds it was found.
    pub seen: usize,
    /// How many rounds there were.
    pub rounds: usize,
    /// As few calls as show it, each as a line: what was called, when, and what came. Of the first such round.
    pub calls: Vec<String>,
}

/// How bad a finding is, worst first.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// A 5xx, a dropped connection or silence for a client's fault; no HTTP, or no end of it, for whatever request.
    Crash,
    /// Accepted what must be rejected, or gave an error a 2xx status; wrong bytes, digest or state.
    State,
    /// Rejected what must be accepted.
    Rejected,
    /// The wrong error type.
    Error,
    /// Status, header, envelope or member.
    Form,
    /// Far slower than a valid request.
    Slow,
}

impl Grade {
    /// All grades, worst first.
    pub const ALL: [Grade; 6] = [Grade::Crash, Grade::State, Grade::Rejected, Grade::Error, Grade::Form, Grade::Slow];

    /// The grades that fail a run that says nothing else. No document says how fast a server has to be.
    pub const USUAL: [Grade; 5] = [Grade::Crash, Grade::State, Grade::Rejected, Grade::Error, Grade::Form];
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Grade::Crash => "crash",
            Grade::State => "state",
            Grade::Rejected => "rejected",
            Grade::Error => "error",
            Grade::Form => "form",
            Grade::Slow => "slow",
        })
    }
}

impl FromStr for Grade {
    type Err = NoGrade;

    fn from_str(text: &str) -> Result<Grade, NoGrade> {
        let known = Grade::ALL.into_iter().find(|grade| grade.to_string() == text);
        known.ok_or_else(|| NoGrade(String::from(text)))
    }
}

/// A text that names no grade.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected crash, state, rejected, error, form or slow, found {0:?}")]
pub struct NoGrade(pub String);

impl Finding {
    /// What [`Finding::accept_as`] is for a broken rule and the rule that the step is about.
    pub fn acceptable_as(rule: RuleId, about: RuleId) -> RuleId {
        if rule.area() == Area::Always { about } else { rule }
    }

    /// What a request has that breaks these rules.
    pub fn breach_of(rules: &Rules, about: RuleId, also_broken: &[RuleId]) -> String {
        let broken = std::iter::once(about).chain(also_broken.iter().copied());
        let breaches: Vec<&str> = broken.filter_map(|rule| rules.get(rule)).map(|rule| rule.breach.as_str()).collect();
        breaches.join(" together with ")
    }

    /// How strong it is, in words: `documented`, or `observed; that it must be rejected: documented`.
    pub fn strength(&self) -> String {
        match self.rejection {
            Some(tier) => format!("{} for the error type; {tier} that it must be rejected", self.tier),
            None => self.tier.to_string(),
        }
    }

    /// Whether it is about what its request breaks, and not about what every answer must have.
    pub fn is_about_request(&self) -> bool {
        self.accept_as == self.about
    }

    /// Whether an entry of known deviations that names this rule is about it. Where several rules are broken, and it
    /// takes them all, any of them will do.
    pub fn is_of_rule(&self, rule: RuleId) -> bool {
        self.accept_as == rule || (self.is_about_request() && self.also_broken.contains(&rule))
    }

    /// Whether the other is the same finding, wherever it shows.
    pub fn is_same(&self, other: &Finding) -> bool {
        let named = |finding: &Finding| (finding.rule, finding.accept_as, finding.got.clone());
        let same = self.grade == other.grade && named(self) == named(other);
        same && (!self.is_about_request() || self.also_broken == other.also_broken)
    }

    /// The cause that findings share: the member whose constraints are not looked at, or else the rule that the step is
    /// about without its operation; the grade; and what came.
    pub fn cause(&self) -> String {
        let everywhere = self.rule.is_everywhere() && self.rule.area() != Area::Always;
        let about = if everywhere { self.rule } else { self.about };
        let beside = self.also_broken.iter().copied().filter(|_| self.is_about_request());
        let families: BTreeSet<String> = std::iter::once(about).chain(beside).map(family).collect();
        let families: Vec<String> = families.into_iter().collect();
        format!("{}|{}|{}", families.join("+"), self.grade, self.got)
    }
}

/// The member whose constraint a rule is, or else the rule without its operation.
fn family(rule: RuleId) -> String {
    member_constraint(rule).map_or_else(|| rule.rest(), |(member, _)| String::from(member))
}

/// The member and the constraint that a rule is about, if it is about the syntax of one member, or of the body or target:
/// what one piece of code in a server looks at.
pub(super) fn member_constraint(rule: RuleId) -> Option<(&'static str, &'static str)> {
    let is_syntax = match (rule.area(), rule.constraint()) {
        (Area::Wire, _) => !rule.subject().is_empty(),
        (_, Some(constraint)) => !matches!(constraint, Constraint::Optional | Constraint::Editions),
        (_, None) => false,
    };
    is_syntax.then(|| (rule.subject(), rule.what()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_has_the_words_of_the_settings_file() {
        for grade in Grade::ALL {
            assert_eq!(grade.to_string().parse(), Ok(grade));
            assert_eq!(serde_json::to_value(grade).unwrap(), grade.to_string());
        }
        let told = "worst".parse::<Grade>().unwrap_err().to_string();
        assert_eq!(told, "expected crash, state, rejected, error, form or slow, found \"worst\"");
        assert!(Grade::ALL.iter().all(|grade| told.contains(&grade.to_string())), "{told}");
    }
}
