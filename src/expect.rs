//! What the contract allows as the answer to a step, and how that reads in snapshots and scenario files.

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};

use crate::contract::rule::NoRule;
use crate::contract::source::NoTier;
use crate::contract::{Basis, ErrorType, RuleId, Source, Tier};
use crate::template::{NoReference, Template};

/// An answer that the contract allows.
///
/// "Some error" cannot be said: an outcome is success or one named error type.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// 200. Beside the listed members the answer must have all that the contract documents for the operation.
    Success {
        /// Members with these values; a string that is a reference alone stands for its value. Objects may have
        /// more members, lists not more items.
        members: Map<String, Value>,
    },
    /// An error of this type, with one of its statuses.
    Error {
        /// The error type.
        error: &'static ErrorType,
        /// Members with these values, as for success.
        members: Map<String, Value>,
    },
}

/// The outcomes that a step allows, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// The rule that the step is about.
    pub rule: RuleId,
    /// How strong it is.
    pub tier: Tier,
    /// Where it comes from.
    pub sources: Vec<&'static Source>,
    /// What the types of the errors rest on, where that is weaker than that the request is rejected.
    pub error_basis: Option<Basis>,
    /// What is allowed, at least one.
    pub outcomes: Vec<Outcome>,
}

impl Outcome {
    /// Success without further pins.
    pub fn success() -> Outcome {
        Outcome::Success { members: Map::new() }
    }

    /// An error without further pins.
    pub fn error(error: &'static ErrorType) -> Outcome {
        Outcome::Error { error, members: Map::new() }
    }

    /// Whether this is success.
    pub fn is_success(&self) -> bool {
        matches!(self, Outcome::Success { .. })
    }

    /// The members that the outcome pins.
    pub fn members(&self) -> &Map<String, Value> {
        match self {
            Outcome::Success { members } | Outcome::Error { members, .. } => members,
        }
    }
}

impl Expectation {
    /// Whether only success is allowed: the request is valid.
    pub fn is_success(&self) -> bool {
        self.outcomes.iter().all(Outcome::is_success)
    }

    /// How strong it is that a rejection has one of the error types.
    pub fn error_tier(&self) -> Tier {
        self.error_basis.as_ref().map_or(self.tier, |basis| basis.tier)
    }

    /// Names of the allowed error types.
    pub fn errors(&self) -> Vec<&'static str> {
        self.outcomes
            .iter()
            .filter_map(|outcome| match outcome {
                Outcome::Error { error, .. } => Some(error.name),
                Outcome::Success { .. } => None,
            })
            .collect()
    }

    /// The outcomes as a reader sees them, `400 InvalidLayerException`, without pins.
    pub fn short(&self) -> String {
        short(&self.outcomes)
    }
}

/// Outcomes as a reader sees them, without pins, each once.
pub fn short(outcomes: &[Outcome]) -> String {
    let words = outcomes.iter().map(|outcome| match outcome {
        Outcome::Success { .. } => String::from("200"),
        Outcome::Error { error, .. } => format!("{} {}", error.statuses[0], error.name),
    });
    let mut distinct: Vec<String> = Vec::new();
    for word in words {
        if !distinct.contains(&word) {
            distinct.push(word);
        }
    }
    distinct.join(" or ")
}

/// `200 {"layerDigest":"«sha256:layer»"}` or `400 InvalidLayerException`.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Success { .. } => write!(f, "200")?,
            Outcome::Error { error, .. } => write!(f, "{} {}", error.statuses[0], error.name)?,
        }
        if !self.members().is_empty() {
            let text = serde_json::to_string(self.members()).map_err(|_| fmt::Error)?;
            write!(f, " {}", Template::lenient(text).shown())?;
        }
        Ok(())
    }
}

/// Why a text is no outcome.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NoOutcome {
    /// It begins neither with 200 nor with a status and an error type.
    #[error("expected 200, or a status and an error type, found {0:?}")]
    Head(String),
    /// No service has this error type.
    #[error("expected a documented error type, found {0:?}")]
    ErrorType(String),
    /// The error type has another status.
    #[error("expected status {expected} with {name}, found {found}")]
    Status {
        /// The error type.
        name: &'static str,
        /// Its documented status.
        expected: u16,
        /// What stands in its place.
        found: String,
    },
    /// A member has a reference that is none.
    #[error(transparent)]
    Reference(#[from] NoReference),
    /// Its members are no JSON object.
    #[error("expected a JSON object after {head:?}: {why}")]
    Members {
        /// What stands before them.
        head: String,
        /// What the JSON reader says.
        why: String,
    },
}

/// Why a text is no expectation.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NoExpectation {
    /// It has no sources after a tier.
    #[error("expected `tier [sources] outcomes`")]
    Form,
    /// The sources have no end.
    #[error("expected `]` after the sources")]
    OpenSources,
    /// It begins with something else than a tier.
    #[error(transparent)]
    Tier(#[from] NoTier),
    /// No rule has this id.
    #[error(transparent)]
    Rule(#[from] NoRule),
    /// No source has this id.
    #[error("expected the id of a source, found {0:?}")]
    Source(String),
    /// One of the outcomes is none.
    #[error(transparent)]
    Outcome(#[from] NoOutcome),
}

impl FromStr for Outcome {
    type Err = NoOutcome;

    fn from_str(text: &str) -> Result<Outcome, NoOutcome> {
        let (head, members) = match text.find('{') {
            Some(start) => (text[..start].trim(), &text[start..]),
            None => (text.trim(), ""),
        };
        let members = match members {
            "" => Map::new(),
            json => {
                let json = Template::from_shown(json)?.to_string();
                serde_json::from_str(&json)
                    .map_err(|error| NoOutcome::Members { head: String::from(head), why: error.to_string() })?
            }
        };
        if head == "200" {
            return Ok(Outcome::Success { members });
        }
        let (status, name) = head
            .split_once(' ')
            .filter(|(status, _)| status.bytes().all(|byte| byte.is_ascii_digit()))
            .ok_or_else(|| NoOutcome::Head(String::from(head)))?;
        let error = ErrorType::find(name).ok_or_else(|| NoOutcome::ErrorType(String::from(name)))?;
        if status != error.statuses[0].to_string() {
            let found = String::from(status);
            return Err(NoOutcome::Status { name: error.name, expected: error.statuses[0], found });
        }
        Ok(Outcome::Error { error, members })
    }
}

/// `documented [api:CompleteLayerUpload] 400 EmptyUploadException`; outcomes are separated by ` | `. Where the error types
/// rest on less than the rule, `documented [api:CompleteLayerUpload]; error observed [fujiwara/ecrm#3] 400 …`. The rule is
/// not part of the text: it stands in the line above.
impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sources: Vec<&str> = self.sources.iter().map(|source| source.id).collect();
        write!(f, "{} [{}]", self.tier, sources.join(" "))?;
        if let Some(basis) = &self.error_basis {
            write!(f, "{ERROR}{basis}")?;
        }
        let outcomes: Vec<String> = self.outcomes.iter().map(Outcome::to_string).collect();
        write!(f, " {}", outcomes.join(" | "))
    }
}

impl Expectation {
    /// Reads the text of an expectation of a rule.
    ///
    /// # Errors
    ///
    /// The first part of the text that is not as it should be.
    pub fn parse(rule: RuleId, text: &str) -> Result<Expectation, NoExpectation> {
        let (Basis { tier, sources }, rest) = basis(text.trim())?;
        let (error_basis, outcomes) = match rest.strip_prefix(ERROR) {
            Some(rest) => basis(rest).map(|(basis, rest)| (Some(basis), rest))?,
            None => (None, rest),
        };
        let outcomes = outcomes.trim_start().split(" | ").map(str::parse).collect::<Result<_, _>>()?;
        Ok(Expectation { rule, tier, sources, error_basis, outcomes })
    }
}

/// What stands between the two bases of an expectation.
const ERROR: &str = "; error ";

/// The basis that a text begins with, and the rest.
fn basis(text: &str) -> Result<(Basis, &str), NoExpectation> {
    let (tier, rest) = text.split_once(" [").ok_or(NoExpectation::Form)?;
    let (sources, rest) = rest.split_once(']').ok_or(NoExpectation::OpenSources)?;
    let tier = tier.parse()?;
    let source = |id: &str| Source::find(id).ok_or_else(|| NoExpectation::Source(String::from(id)));
    let sources = sources.split_whitespace().map(source).collect::<Result<_, _>>()?;
    Ok((Basis { tier, sources }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expectations_read_back_what_they_print() {
        for text in [
            "documented [api:CompleteLayerUpload dotnet/sdk-container-builds#424] 400 InvalidLayerException",
            "documented [api:CompleteLayerUpload]; error observed [fujiwara/ecrm#3] 400 InvalidParameterException",
            "observed [mhart/kinesalite:test/connection.js] 400 SerializationException | 400 InvalidParameterException",
            r#"open [none-found] 200 {"layerDigest":"«sha256:layer»"} | 400 UploadNotFoundException"#,
        ] {
            let parsed = Expectation::parse(RuleId::new("wire/method"), text).unwrap();
            assert_eq!(parsed.to_string(), text);
        }
    }

    #[test]
    fn mistakes_say_what_was_expected() {
        let error = |text: &str| Expectation::parse(RuleId::new("wire/method"), text).unwrap_err().to_string();
        assert!(error("documented [none-found] 400 FooException").contains("documented error type"));
        assert!(error("documented [none-found] 404 UploadNotFoundException").contains("expected status 400"));
        assert!(error("certain [none-found] 200").contains("expected a tier"));
        assert!(error("open [nobody] 200").contains("id of a source"));
        assert!(error(r#"open [none-found] 200 {"a":"«nobody»"}"#).starts_with("\"nobody\" is no reference"));
        assert!(error("open [none-found] 200 {").starts_with("expected a JSON object after \"200\": EOF"));
        assert_eq!(error("open [none-found] 404"), "expected 200, or a status and an error type, found \"404\"");
        assert!(error("open [none-found] not this").ends_with("found \"not this\""));
        assert_eq!(error("open"), "expected `tier [sources] outcomes`");
        assert_eq!(error("open [none-found 200"), "expected `]` after the sources");
    }
}
