//! What the contract admits as the answer to a step, and how that reads in snapshots and scenario files.

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};

use crate::contract::source::NoTier;
use crate::contract::{ErrorType, RuleId, Source, Tier};
use crate::template::Template;

/// An answer that the contract admits.
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

/// The outcomes that a step admits, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// The rule that the step is about.
    pub rule: RuleId,
    /// How strong it is.
    pub tier: Tier,
    /// Where it comes from.
    pub sources: Vec<&'static Source>,
    /// What is admitted, at least one.
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
    /// Whether only success is admitted: the request is valid.
    pub fn is_success(&self) -> bool {
        self.outcomes.iter().all(Outcome::is_success)
    }

    /// Names of the admitted error types.
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

impl FromStr for Outcome {
    type Err = String;

    fn from_str(text: &str) -> Result<Outcome, String> {
        let (head, members) = match text.find('{') {
            Some(start) => (text[..start].trim(), &text[start..]),
            None => (text.trim(), ""),
        };
        let members = match members {
            "" => Map::new(),
            json => {
                let json = Template::from_shown(json).map_err(|mistake| mistake.to_string())?.to_string();
                serde_json::from_str(&json)
                    .map_err(|error| format!("expected a JSON object after {head:?}: {error}"))?
            }
        };
        if head == "200" {
            return Ok(Outcome::Success { members });
        }
        let (status, name) = head
            .split_once(' ')
            .ok_or_else(|| format!("expected 200, or a status and an error type, found {head:?}"))?;
        let error = ErrorType::find(name).ok_or_else(|| format!("expected a documented error type, found {name:?}"))?;
        if status != error.statuses[0].to_string() {
            return Err(format!("expected status {} with {name}, found {status}", error.statuses[0]));
        }
        Ok(Outcome::Error { error, members })
    }
}

/// `documented [api:CompleteLayerUpload] 400 EmptyUploadException`; outcomes are separated by ` | `. The rule is not
/// part of the text: it stands in the line above.
impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sources: Vec<&str> = self.sources.iter().map(|source| source.id).collect();
        let outcomes: Vec<String> = self.outcomes.iter().map(Outcome::to_string).collect();
        write!(f, "{} [{}] {}", self.tier, sources.join(" "), outcomes.join(" | "))
    }
}

impl Expectation {
    /// Reads the text of an expectation of a rule.
    pub fn parse(rule: RuleId, text: &str) -> Result<Expectation, String> {
        let (tier, rest) = text.trim().split_once(" [").ok_or("expected `tier [sources] outcomes`")?;
        let (sources, outcomes) = rest.split_once("] ").ok_or("expected `]` after the sources")?;
        let sources: Result<Vec<_>, String> = sources
            .split_whitespace()
            .map(|id| Source::find(id).ok_or_else(|| format!("expected the id of a source, found {id:?}")))
            .collect();
        let outcomes: Result<Vec<_>, String> = outcomes.split(" | ").map(str::parse).collect();
        let tier = tier.parse().map_err(|error: NoTier| error.to_string())?;
        Ok(Expectation { rule, tier, sources: sources?, outcomes: outcomes? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expectations_read_back_what_they_print() {
        for text in [
            "documented [api:CompleteLayerUpload dotnet/sdk-container-builds#424] 400 InvalidLayerException",
            "observed [mhart/kinesalite:test/connection.js] 400 SerializationException | 400 InvalidParameterException",
            r#"open [none-found] 200 {"layerDigest":"«sha256:layer»"} | 400 UploadNotFoundException"#,
        ] {
            let parsed = Expectation::parse(RuleId::new("wire/method"), text).unwrap();
            assert_eq!(parsed.to_string(), text);
        }
    }

    #[test]
    fn mistakes_say_what_was_expected() {
        let error = |text: &str| Expectation::parse(RuleId::new("wire/method"), text).unwrap_err();
        assert!(error("documented [none-found] 400 FooException").contains("documented error type"));
        assert!(error("documented [none-found] 404 UploadNotFoundException").contains("expected status 400"));
        assert!(error("certain [none-found] 200").contains("expected a tier"));
        assert!(error("open [nobody] 200").contains("id of a source"));
        assert!(error(r#"open [none-found] 200 {"a":"«nobody»"}"#).starts_with("\"nobody\" is no reference"));
    }
}
