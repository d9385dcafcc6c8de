//! What the mock can be told to do wrong: one row each, by family. Each of them must be found by a case that has a name
//! (`selftest`).

mod aliases;
mod answers;
mod auth;
mod bounds;
mod bytes;
mod content;
mod crashes;
mod crippled;
mod envelope;
mod errors;
mod images;
mod late;
mod lists;
mod looks;
mod many;
mod parts;
mod patterns;
mod protocol;
mod races;
mod ranges;
mod slow;
mod spelling;
mod state;
mod types;

use serde_json::Value;

use super::Change;
use crate::contract::shape::{Shape, Text};
use crate::contract::{Kind, RuleId, Rules, Service};

/// One wrong behaviour.
#[derive(Debug)]
pub struct Fault {
    /// Its name, for `ecrspec mock --fault NAME`.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub sentence: &'static str,
    /// Id of the rule that it breaks.
    pub rule: RuleId,
    /// What the mock does otherwise.
    pub changes: &'static [Change],
}

/// All faults, by family.
pub static FAMILIES: &[(&str, &[Fault])] = &[
    ("bounds", bounds::FAULTS),
    ("patterns", patterns::FAULTS),
    ("lists", lists::FAULTS),
    ("types", types::FAULTS),
    ("ranges", ranges::FAULTS),
    ("bytes", bytes::FAULTS),
    ("state", state::FAULTS),
    ("parts", parts::FAULTS),
    ("many", many::FAULTS),
    ("errors", errors::FAULTS),
    ("envelope", envelope::FAULTS),
    ("protocol", protocol::FAULTS),
    ("crashes", crashes::FAULTS),
    ("races", races::FAULTS),
    ("images", images::FAULTS),
    ("looks", looks::FAULTS),
    ("content", content::FAULTS),
    ("spelling", spelling::FAULTS),
    ("answers", answers::FAULTS),
    ("aliases", aliases::FAULTS),
    ("slow", slow::FAULTS),
    ("crippled", crippled::FAULTS),
    ("late", late::FAULTS),
    ("auth", auth::FAULTS),
];

impl Fault {
    /// All faults.
    pub fn all() -> impl Iterator<Item = &'static Fault> {
        FAMILIES.iter().flat_map(|(_, faults)| faults.iter())
    }

    /// The fault with this name.
    pub fn find(name: &str) -> Option<&'static Fault> {
        Fault::all().find(|fault| fault.name == name)
    }

    /// The services that have the rule which it breaks, and what it breaks it with.
    pub fn services(&self) -> impl Iterator<Item = Service> {
        let is_of_alias = aliases::FAULTS.iter().any(|fault| fault.name == self.name);
        let has = move |service: &Service| match service {
            // Only a public registry has an alias.
            Service::Ecr => !is_of_alias,
            Service::EcrPublic => true,
        };
        Service::ALL.into_iter().filter(|service| Rules::of(*service).get(self.rule).is_some()).filter(has)
    }
}

/// How many characters a text has, or how many items a list.
fn length(value: &Value) -> usize {
    match value {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.len(),
        _ => 0,
    }
}

/// The items of a list that are texts; of a text, itself.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// What the documents say of a text.
fn bounds_of(shape: &'static Shape) -> &'static Text {
    match &shape.kind {
        Kind::Text(bounds) => bounds,
        _ => panic!("{} is a text", shape.name),
    }
}

/// Changes a member that is a text.
fn retext(input: &mut serde_json::Map<String, Value>, member: &str, change: impl FnOnce(&str) -> String) {
    if let Some(Value::String(text)) = input.get_mut(member) {
        *text = change(text);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn faults_have_names_sentences_and_rules_of_their_own() {
        let names: BTreeSet<&str> = Fault::all().map(|fault| fault.name).collect();
        assert_eq!(names.len(), Fault::all().count());
        for fault in Fault::all() {
            assert!(fault.services().next().is_some(), "{} breaks {}, which no service has", fault.name, fault.rule);
            assert!(!fault.changes.is_empty() && !fault.sentence.ends_with('.'), "{}", fault.name);
        }
    }
}
