//! What was answered to a request, with placeholders.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Placeholders;
use super::placeholder::bounded;
use crate::events::Logged;
use crate::judge::Got;
use crate::wire::envelope::{ErrorInfo, visible};
use crate::wire::{CONTENT_TYPE, Decoded, Observation};

/// An answer, without anything that belongs to the account, the endpoint or the run.
#[derive(Clone, Debug, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Answer {
    /// The HTTP status, if the client shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The content type, where it is another than that of the protocol.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// The type of the error.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The message of the error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The other members, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<String>,
    /// The body, where it is no JSON object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Why there was no answer, as the code that findings have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_answer: Option<String>,
}

/// What was answered in a case.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// By the names of the steps.
    pub steps: BTreeMap<String, Answer>,
    /// The step that the case is there for: the last one about the rule that the case is named for, or else about any.
    pub asks: String,
    /// Why there may be no more.
    pub unanswered: Option<String>,
}

/// Members that say type and message of an error.
const ENVELOPE: [&str; 3] = ["__type", "message", "Message"];

/// How much is kept of members, and of another body.
const LONGEST: usize = 600;

impl Answer {
    /// What an exchange has as its answer.
    pub fn of(logged: &Logged, placeholders: &Placeholders) -> Answer {
        let exchange = logged.exchange();
        match exchange.observed() {
            Ok(seen) => Answer::observed(seen, logged, placeholders),
            Err(trouble) => Answer { no_answer: Some(Got::Transport(trouble).code()), ..Answer::default() },
        }
    }

    fn observed(seen: &Observation, logged: &Logged, placeholders: &Placeholders) -> Answer {
        let text = |text: &str| placeholders.text(text);
        let content_type = seen.http().map(|http| http.content_type.as_deref().unwrap_or("none"));
        let answer = Answer {
            status: seen.status(),
            content_type: content_type.filter(|found| *found != CONTENT_TYPE).map(text),
            ..Answer::default()
        };
        let body =
            logged.answer.as_ref().map(|body| bounded(&text(&body.text), LONGEST)).filter(|body| !body.is_empty());
        let whole = logged.answer.as_ref().is_none_or(|body| body.whole);
        match &seen.decoded {
            Decoded::Success(members) => {
                Answer { members: Some(listed(members, placeholders).unwrap_or_else(|| String::from("{}"))), ..answer }
            }
            Decoded::Error { error: ErrorInfo { name, message, .. }, members } => Answer {
                error: name.as_deref().map(text),
                message: message.as_deref().map(text),
                members: listed(members, placeholders),
                body: body.filter(|_| members.is_empty() && seen.http().is_some()),
                ..answer
            },
            // What was kept of a long one is no JSON.
            Decoded::NotAnObject if !whole => Answer { members: body, ..answer },
            Decoded::NotAnObject => Answer { body, ..answer },
        }
    }

    /// Whether it is an error.
    pub fn is_error(&self) -> bool {
        self.error.is_some() || self.status.is_some_and(|status| !(200..300).contains(&status))
    }

    /// The same answer, with this member alone, if it has it.
    pub fn with_member(&self, name: &str) -> Answer {
        let members =
            self.members.as_deref().and_then(|members| serde_json::from_str::<Map<String, Value>>(members).ok());
        let member = members.and_then(|mut members| members.remove(name));
        let members = member.map(|value| Value::Object(Map::from_iter([(String::from(name), value)])).to_string());
        Answer { members, ..self.clone() }
    }
}

/// The members of an answer as JSON, but for those that say what error it is; `None` where there are no others.
fn listed(members: &Map<String, Value>, placeholders: &Placeholders) -> Option<String> {
    let mut members = placeholders.members(members);
    members.retain(|name, _| !ENVELOPE.contains(&name.as_str()));
    (!members.is_empty()).then(|| bounded(&Value::Object(members).to_string(), LONGEST))
}

/// `400 InvalidLayerException: None of the …`, or `200 {"uploadId":"<uploadId>"}`: one line that may stand on a terminal.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(trouble) = &self.no_answer {
            return f.write_str(trouble);
        }
        match (self.status, self.is_error()) {
            (Some(status), _) => write!(f, "{status}")?,
            (None, true) => f.write_str("error")?,
            (None, false) => f.write_str("success")?,
        }
        let parts = [
            self.error.as_ref().map(|error| format!(" {error}")),
            self.message.as_ref().map(|message| format!(": {message}")),
            self.content_type.as_ref().map(|content_type| format!(" ({content_type})")),
            self.members.as_ref().or(self.body.as_ref()).map(|text| format!(" {text}")),
        ];
        let text: String = parts.into_iter().flatten().collect();
        let words: Vec<&str> = text.split_whitespace().collect();
        let line: String = words.join(" ").chars().map(visible).collect();
        let space = if line.is_empty() || line.starts_with(':') { "" } else { " " };
        write!(f, "{space}{line}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_one_line() {
        let error = |message: &str| Answer {
            status: Some(400),
            error: Some(String::from("InvalidLayerException")),
            message: Some(String::from(message)),
            ..Answer::default()
        };
        assert_eq!(error("no match").to_string(), "400 InvalidLayerException: no match");
        assert_eq!(
            error("a\n\tb\u{1b}[31m").to_string(),
            format!("400 InvalidLayerException: a b{}[31m", visible('\u{1b}'))
        );
        let untyped = Answer { error: None, ..error("no") };
        assert_eq!(untyped.to_string(), "400: no");
        let page = Answer { status: Some(404), body: Some(String::from("<html>\n</html>")), ..Answer::default() };
        assert_eq!(page.to_string(), "404 <html> </html>");
        assert_eq!(Answer { status: Some(200), ..Answer::default() }.to_string(), "200");
    }
}
