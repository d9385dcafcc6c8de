//! Pinned members against the members of an answer.

use serde_json::{Map, Value};

use super::{Expected, Got, Head, Slip};
use crate::case::Bindings;
use crate::contract::check::long;
use crate::contract::is_enumerated;
use crate::expect::Outcome;
use crate::template::{Reference, Template};
use crate::wire::envelope::visible;

/// The first pinned member that an answer does not have as pinned.
#[derive(Clone, Debug, PartialEq)]
pub struct Miss {
    /// The member, with its path: `layers[0].layerSize`.
    pub path: String,
    /// The member of the answer that it is in.
    pub member: String,
    /// What was pinned, with its references resolved.
    pub expected: Value,
    /// What came; null if nothing did.
    pub got: Value,
    /// Whether the member was missing rather than different.
    pub absent: bool,
}

impl Miss {
    /// What was expected, for a finding.
    pub fn expected(&self, outcome: &Outcome) -> Expected {
        Expected::member(outcome, &self.path, short(&self.expected))
    }

    /// What came, for a finding.
    pub fn got(&self, head: Head, error: Option<&str>) -> Got {
        let slip = if self.absent { Slip::Missing } else { differing(&self.expected, &self.got) };
        Got::Member { head, error: error.map(String::from), path: self.path.clone(), slip }
    }
}

/// The first of the pinned members that `found` does not have as pinned, if any.
pub fn first_miss(pinned: &Map<String, Value>, found: &Map<String, Value>, bindings: &Bindings) -> Option<Miss> {
    pinned.iter().find_map(|(member, value)| {
        let missed = compare(member, value, found.get(member), bindings)?;
        Some(Miss { member: member.clone(), ..missed })
    })
}

fn compare(path: &str, pinned: &Value, found: Option<&Value>, bindings: &Bindings) -> Option<Miss> {
    let miss = |expected: Value| {
        let got = found.cloned().unwrap_or(Value::Null);
        Some(Miss { path: String::from(path), member: String::new(), absent: got.is_null(), expected, got })
    };
    match (pinned, found) {
        (Value::Object(members), Some(Value::Object(found))) => members
            .iter()
            .find_map(|(name, value)| compare(&format!("{path}.{name}"), value, found.get(name), bindings)),
        (Value::Array(items), Some(Value::Array(found))) if items.len() == found.len() => items
            .iter()
            .zip(found)
            .enumerate()
            .find_map(|(index, (value, found))| compare(&format!("{path}[{index}]"), value, Some(found), bindings)),
        (Value::String(text), found) => match resolve(text, bindings) {
            None if found.is_some() => None,
            Some(expected) if found.is_some_and(|found| is_same(&expected, found)) => None,
            expected => miss(expected.unwrap_or_else(|| pinned.clone())),
        },
        (pinned, Some(found)) if is_same(pinned, found) => None,
        (pinned, _) => miss(pinned.clone()),
    }
}

/// What is wrong with a value that is not the expected one. It is told only if it says something of the server: what is an
/// id, a name or a time is another one in each run and each case, so that each would be a cause of its own, and an entry of
/// known deviations would hold for one run.
pub(super) fn differing(expected: &Value, found: &Value) -> Slip {
    let says_something = match found {
        Value::Null | Value::Bool(_) => true,
        Value::String(text) => text.is_empty() || is_enumerated(text),
        Value::Number(_) => is_near(expected, found),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
    };
    if says_something { Slip::Value(short(found)) } else { Slip::OtherValue }
}

/// Whether a number may count what the expected one counts, as one that is off by one, or that stands for the other end of
/// a range. What is of chance is mostly far away.
fn is_near(expected: &Value, found: &Value) -> bool {
    let (expected, found) = (long(expected), long(found));
    expected
        .zip(found)
        .is_some_and(|(expected, found)| (-1..=expected.saturating_mul(2).saturating_add(1)).contains(&found))
}

/// What a pinned value stands for, if that is known.
pub(super) fn resolved(pinned: &Value, bindings: &Bindings) -> Option<Value> {
    pinned.as_str().map_or_else(|| Some(pinned.clone()), |text| resolve(text, bindings))
}

/// Whether two values are the same; a whole number is, in whatever notation.
pub(super) fn is_same(one: &Value, other: &Value) -> bool {
    one == other || long(one).is_some_and(|number| long(other) == Some(number))
}

/// What a pinned string stands for. A target that never names its account id has none to compare with; another
/// reference that is bound to nothing stands for itself, and so matches nothing.
fn resolve(text: &str, bindings: &Bindings) -> Option<Value> {
    let Some(reference) = Reference::alone(text) else {
        // A text that has references in it, such as a digest that is another in part.
        let filled = || String::from_utf8(bindings.clone().fill(&Template::lenient(text)).ok()?.into()).ok();
        let filled = if text.contains("${") { filled() } else { None };
        return Some(Value::from(filled.unwrap_or_else(|| String::from(text))));
    };
    match bindings.value(&reference) {
        None if reference == Reference::Registry => None,
        None => Some(Value::from(text)),
        bound => bound,
    }
}

/// A value as it may stand in a report: values are the target's, also those that were pinned by a reference to one.
pub(super) fn short(value: &Value) -> String {
    let text: String = value.to_string().chars().map(visible).collect();
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn miss(pinned: Value, found: Value) -> Option<String> {
        let mut bindings = Bindings::new(&[], "", 0);
        bindings.bind(Reference::member("upload", "uploadId"), "U1");
        first_miss(pinned.as_object().unwrap(), found.as_object().unwrap(), &bindings).map(|miss| miss.path)
    }

    #[test]
    fn pins_are_a_part_of_the_answer() {
        assert_eq!(miss(json!({"a": "${upload.uploadId}"}), json!({"a": "U1", "b": 2})), None);
        assert_eq!(miss(json!({"a": "${upload.uploadId}"}), json!({"a": "u1"})).as_deref(), Some("a"));
        assert_eq!(miss(json!({"a": "x-${cut:0-1:upload.uploadId}"}), json!({"a": "x-U"})), None);
        assert_eq!(miss(json!({"a": "x-${upload.uploadId}"}), json!({"a": "x-U"})).as_deref(), Some("a"));
        assert_eq!(miss(json!({"a": "${nobody.uploadId}"}), json!({"a": "U1"})).as_deref(), Some("a"));
        assert_eq!(miss(json!({"a": [{"b": 1}]}), json!({"a": [{"b": 1, "c": 2}]})), None);
        assert_eq!(miss(json!({"a": [{"b": 1}]}), json!({"a": [{"b": 2}]})).as_deref(), Some("a[0].b"));
        assert_eq!(miss(json!({"a": []}), json!({"a": [1]})).as_deref(), Some("a"));
        assert_eq!(miss(json!({"a": 1}), json!({})).as_deref(), Some("a"));
        assert_eq!(miss(json!({"a": 31}), json!({"a": 31.0})), None);
        assert_eq!(miss(json!({"a": 31}), json!({"a": 31.5})).as_deref(), Some("a"));
        assert_eq!(miss(json!({"a": 31}), json!({"a": "31"})).as_deref(), Some("a"));
        assert_eq!(miss(json!({"a": "${registry}"}), json!({"a": "012345678910"})), None);
        assert_eq!(miss(json!({"a": "${registry}"}), json!({})).as_deref(), Some("a"));
    }

    #[test]
    fn what_differs_from_run_to_run_is_left_out() {
        let got = |value: Value| {
            let (pinned, found) = (json!({"a": "pinned"}), json!({"a": value}));
            let miss = first_miss(pinned.as_object().unwrap(), found.as_object().unwrap(), &Bindings::new(&[], "", 0));
            miss.unwrap().got(Head::Status(200), None).code()
        };
        for value in [json!("u-1"), json!("12"), json!("x".repeat(90)), json!(12), json!(["x"]), json!({"x": 1})] {
            assert_eq!(got(value.clone()), "200 with-other a", "{value}");
        }
        assert_eq!(got(Value::Null), "200 without a");
        for (value, told) in
            [(json!("UNAVAILABLE"), "\"UNAVAILABLE\""), (json!(""), "\"\""), (json!([]), "[]"), (json!(false), "false")]
        {
            assert_eq!(got(value), format!("200 with a {told}"));
        }
    }

    #[test]
    fn a_number_is_told_if_it_may_count_the_same() {
        let differing = |expected: i64, found: i64| differing(&json!(expected), &json!(found));
        for (expected, found) in [(31, 32), (31, 0), (31, 63), (31, -1), (0, 1), (-1, -1), (i64::MAX, 5)] {
            assert_eq!(differing(expected, found), Slip::Value(found.to_string()), "{expected} {found}");
        }
        for (expected, found) in [(31, 64), (31, 1_700_000_000), (31, -5), (0, 2)] {
            assert_eq!(differing(expected, found), Slip::OtherValue, "{expected} {found}");
        }
    }

    #[test]
    fn values_of_a_target_can_be_shown() {
        let mut bindings = Bindings::new(&[], "", 0);
        bindings.bind(Reference::member("upload", "uploadId"), "\u{9b}2J");
        let (pinned, found) = (json!({"a": "${upload.uploadId}"}), json!({"a": "\u{1b}\u{7f}\u{202e}"}));
        let miss = first_miss(pinned.as_object().unwrap(), found.as_object().unwrap(), &bindings).unwrap();
        assert_eq!(miss.expected(&Outcome::success()).code(), "200 with a \"\u{fffd}2J\"");
        assert_eq!(miss.got(Head::Status(200), None).code(), "200 with-other a");
    }
}
