//! What is asked where the documents leave the answer open.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{NoRule, RuleId};

/// What an answer that is recorded, and not judged, is the answer to.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Question {
    /// An open rule: how is a request answered that breaks it?
    Rule(RuleId),
    /// Two rules that one request breaks, in the order of their ids: which of them is answered for?
    Precedence(RuleId, RuleId),
}

const PRECEDENCE: &str = "precedence/";
const AND: &str = " + ";

impl Question {
    /// Which of two rules is answered for.
    pub fn of_both(one: RuleId, other: RuleId) -> Question {
        Question::Precedence(one.min(other), one.max(other))
    }
}

/// The id of the rule, or `precedence/` and both.
impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Question::Rule(rule) => write!(f, "{rule}"),
            Question::Precedence(one, other) => write!(f, "{PRECEDENCE}{one}{AND}{other}"),
        }
    }
}

impl FromStr for Question {
    type Err = NoRule;

    fn from_str(text: &str) -> Result<Question, NoRule> {
        match text.strip_prefix(PRECEDENCE).and_then(|both| both.split_once(AND)) {
            Some((one, other)) => Ok(Question::Precedence(one.parse()?, other.parse()?)),
            None => Ok(Question::Rule(text.parse()?)),
        }
    }
}

impl Serialize for Question {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Question {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Question, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_read_back_what_they_print() {
        let (one, other) = (RuleId::new("PutImage/layers/exist"), RuleId::new("PutImage/accepted"));
        let both = Question::of_both(one, other);
        assert_eq!(both.to_string(), "precedence/PutImage/accepted + PutImage/layers/exist");
        assert_eq!(Question::of_both(other, one), both);
        for question in [both, Question::Rule(one)] {
            assert_eq!(question.to_string().parse(), Ok(question));
        }
        assert_eq!("precedence/PutImage/accepted + x".parse::<Question>(), Err(NoRule(String::from("x"))));
    }
}
