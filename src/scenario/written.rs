//! A scenario file as it is written: its keys in serde's terms, each with its line, so that a mistake has one.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_saphyr::{Location, Spanned};

use super::json::{Json, Ordered};
use super::{Found, Mistake};
use crate::contract::{Service, Tier};
use crate::wire::{Framing, Signature};

/// A whole file.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) title: String,
    #[serde(default)]
    pub(super) about: String,
    #[serde(default = "all_services")]
    pub(super) services: Vec<Service>,
    #[serde(default)]
    pub(super) repositories: Vec<String>,
    #[serde(default)]
    pub(super) last: bool,
    pub(super) rounds: Option<Spanned<usize>>,
    pub(super) found: Option<Found>,
    #[serde(default)]
    pub(super) bytes: Ordered<Spanned<Size>>,
    pub(super) steps: Vec<Spanned<WrittenStep>>,
}

/// A number of bytes, the word `partSize`, or an object with a text.
pub(super) type Size = serde_json::Value;

/// A step, or several that are repeated.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenStep {
    /// Left out where it only repeats others.
    pub(super) name: Option<Spanned<String>>,
    pub(super) repeat: Option<Spanned<usize>>,
    /// What is repeated, if not the step itself.
    pub(super) steps: Option<Vec<Spanned<WrittenStep>>>,
    /// Left out where the request names no operation.
    pub(super) call: Option<Spanned<String>>,
    pub(super) body: Option<Spanned<Ordered<Json>>>,
    pub(super) raw: Option<Spanned<String>>,
    /// Null for a header that is not sent.
    #[serde(default)]
    pub(super) headers: Ordered<Spanned<Option<String>>>,
    #[serde(default)]
    pub(super) framing: Framing,
    #[serde(default)]
    pub(super) signature: Signature,
    pub(super) method: Option<Spanned<String>>,
    #[serde(rename = "at-once")]
    pub(super) at_once: Option<Spanned<bool>>,
    pub(super) expect: Option<Spanned<WrittenExpectation>>,
    pub(super) judged: Option<Spanned<bool>>,
    #[serde(default, rename = "only-if")]
    pub(super) only_if: Vec<Spanned<String>>,
}

/// `expect: RULE`, or `expect: {rule: RULE, outcomes: […]}`.
#[derive(Debug, Default)]
pub(super) struct WrittenExpectation {
    pub(super) rule: Option<Spanned<String>>,
    pub(super) tier: Option<Spanned<Tier>>,
    pub(super) sources: Option<Vec<Spanned<String>>>,
    pub(super) outcomes: Option<Vec<Spanned<String>>>,
}

fn all_services() -> Vec<Service> {
    Service::ALL.to_vec()
}

/// What reads a file: it knows where mistakes are.
pub(super) struct Reader<'a> {
    /// The file, as mistakes name it.
    pub(super) file: &'a str,
    /// The id of its case.
    pub(super) id: &'a str,
}

impl Reader<'_> {
    /// A mistake on the line of what was read.
    pub(super) fn mistake<T>(&self, at: &Spanned<T>, problem: String) -> Mistake {
        let line = at.referenced.line();
        self.mistake_on((line > 0).then_some(line), problem)
    }

    /// A mistake on a line, if it has one.
    pub(super) fn mistake_on(&self, line: Option<u64>, problem: String) -> Mistake {
        Mistake { file: String::from(self.file), line, problem }
    }

    /// The file as it is written, with one service and one step at least.
    pub(super) fn written(&self, text: &str) -> Result<File, Mistake> {
        let written: File = serde_saphyr::from_str(text).map_err(|error| {
            self.mistake_on(error.location().map(|location| location.line()), first_line(&error.to_string()))
        })?;
        if written.services.is_empty() || written.steps.is_empty() {
            return Err(self.mistake_on(None, String::from("services, steps: expected at least one of each")));
        }
        Ok(written)
    }
}

impl WrittenStep {
    /// All outcomes that it has in writing, each with its key.
    pub(super) fn outcomes(&self) -> impl Iterator<Item = (&'static str, &Spanned<String>)> {
        let expected = self.expect.iter().filter_map(|expect| expect.value.outcomes.as_ref()).flatten();
        expected.map(|outcome| ("outcomes", outcome)).chain(self.only_if.iter().map(|outcome| ("only-if", outcome)))
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

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().to_owned()
}
