//! The files: TOML, for whoever reviews them as a source, in an order that no run changes.

use serde::{Deserialize, Serialize};

use super::{Answer, Entry, SCHEMA};
use crate::contract::Service;

/// Where answers come from, as far as it may be told.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Origin {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Version of ecrspec.
    pub ecrspec: String,
    /// The day, in UTC.
    pub date: jiff::civil::Date,
    /// What was asked.
    pub endpoint: Endpoint,
    /// The region of the service, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// How requests got there.
    pub client: String,
    /// Whether the run ended by itself, and there was room for all of its exchanges: otherwise some answers are missing.
    pub finished: bool,
}

/// What kind of server was asked.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Endpoint {
    /// The real service.
    Aws,
    /// Another one, whose answers are no source.
    Other,
}

impl Origin {
    /// Of a run that has not ended.
    pub fn new(endpoint: Endpoint, region: Option<String>) -> Origin {
        Origin {
            schema: SCHEMA,
            ecrspec: String::from(env!("CARGO_PKG_VERSION")),
            date: jiff::civil::Date::ZERO,
            endpoint,
            region,
            client: String::new(),
            finished: false,
        }
    }
}

/// What a service answered to the requests about one area of rules.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct File {
    /// Where it comes from.
    #[serde(flatten)]
    pub origin: Origin,
    /// Which service.
    pub service: Service,
    /// By rule, and what the answers do to it.
    #[serde(rename = "answer")]
    pub entries: Vec<Entry>,
}

/// What was answered to the open questions.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Questions {
    /// Where it comes from.
    #[serde(flatten)]
    pub origin: Origin,
    /// In the order of the table.
    #[serde(rename = "question")]
    pub questions: Vec<Asked>,
}

/// A question, and what was answered to it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Asked {
    /// Its name.
    pub id: String,
    /// The question.
    pub asks: String,
    /// In the order of the table.
    #[serde(rename = "reply")]
    pub replies: Vec<Reply>,
}

/// What was answered to one part of a question.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Reply {
    /// Which service.
    pub service: Service,
    /// What was tried.
    pub tried: String,
    /// Id of the case.
    pub case: String,
    /// Name of the step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// Why it was not answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unanswered: Option<String>,
    /// What came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub got: Option<Answer>,
}

/// What each file begins with.
const HEAD: &str =
    "# Recorded by `ecrspec record`; docs/src/record.md says what it means. Read it before you pass it on.\n";

impl File {
    /// The text of the file.
    pub fn text(&self) -> String {
        text(self)
    }
}

impl Questions {
    /// The text of the file.
    pub fn text(&self) -> String {
        text(self)
    }
}

fn text(file: &impl Serialize) -> String {
    let toml = toml::to_string(file).unwrap_or_else(|error| unreachable!("all keys are text: {error}"));
    format!("{HEAD}\n{toml}")
}
