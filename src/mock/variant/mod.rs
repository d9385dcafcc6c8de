//! Ways to answer that the documents leave open: one row each, by family. None of them may give a finding, alone or with
//! others (`selftest`).

mod auth;
mod digests;
mod errors;
mod form;
mod layers;
mod members;
mod requests;
mod timing;
mod uploads;

use super::Change;
use crate::contract::Area;

/// One lawful way to answer that is not the reference registry's.
#[derive(Debug)]
pub struct Variant {
    /// Its name, for `ecrspec mock --variant NAME`.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub sentence: &'static str,
    /// Whether it keeps some cases from being judged: it throttles, or times out.
    pub withholds: bool,
    /// What the mock does otherwise.
    pub changes: &'static [Change],
}

/// All variants, by family, in the order in which a mock that has several does what they do.
static FAMILIES: &[&[Variant]] = &[
    members::VARIANTS,
    digests::VARIANTS,
    uploads::VARIANTS,
    errors::VARIANTS,
    layers::VARIANTS,
    requests::VARIANTS,
    timing::VARIANTS,
    auth::VARIANTS,
    // What makes other bytes of an answer comes last: nothing reads them after it.
    form::VARIANTS,
];

/// Names of variants of which no server is both: what one says, the other denies.
const CONTRARY: [(&str, &str); 1] = [("sha512-compared", "other-algorithms-suffice")];

impl Variant {
    /// Whether a server can be both.
    pub fn goes_with(&self, other: &Variant) -> bool {
        let names = [(self.name, other.name), (other.name, self.name)];
        !CONTRARY.iter().any(|pair| names.contains(pair))
    }

    /// Whether it is about how signatures are rejected: nothing of it shows where none is looked at.
    pub fn is_about_signatures(&self) -> bool {
        let names = |change: &Change| matches!(change, Change::ErrorAs(rule, _) if rule.rule().is_some_and(|rule| rule.area() == Area::Auth));
        self.changes.iter().any(names)
    }

    /// All variants.
    pub fn all() -> impl Iterator<Item = &'static Variant> {
        FAMILIES.iter().copied().flatten()
    }

    /// The variant with this name.
    pub fn find(name: &str) -> Option<&'static Variant> {
        Variant::all().find(|variant| variant.name == name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn variants_have_names_and_sentences_of_their_own() {
        let names: BTreeSet<&str> = Variant::all().map(|variant| variant.name).collect();
        assert_eq!(names.len(), Variant::all().count());
        assert!(Variant::all().all(|variant| !variant.changes.is_empty() && !variant.sentence.ends_with('.')));
    }

    #[test]
    fn contrary_variants_are_variants() {
        for (one, other) in CONTRARY {
            let (one, other) = (Variant::find(one).unwrap(), Variant::find(other).unwrap());
            assert!(!one.goes_with(other) && !other.goes_with(one) && one.goes_with(one));
        }
    }
}
