//! Strings from the automaton: text that matches a pattern, or misses it by one character, at an exact length.
//!
//! A walk over the states reaches a match at any length at which one exists, so that length and pattern can be broken
//! each on its own.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use strum::VariantArray as _;

use crate::contract::pattern::{Expression, State};

/// The automaton of a pattern, with what leads to a match.
#[derive(Debug)]
pub struct Strings {
    states: &'static [State],
    /// For each number of characters left up to [`USUAL`], whether so many lead from a state to a match.
    reach: Vec<Vec<bool>>,
}

/// Longer strings than this are drawn so seldom that what leads to them is found anew for each.
const USUAL: usize = 400;

impl Strings {
    fn of(expression: Expression) -> Strings {
        let states = expression.automaton().states;
        Strings { reach: reach(states, USUAL), states }
    }

    /// What draws the matches of an expression.
    pub fn built(expression: Expression) -> &'static Strings {
        static BUILT: LazyLock<Vec<Strings>> =
            LazyLock::new(|| Expression::VARIANTS.iter().copied().map(Strings::of).collect());
        &BUILT[expression as usize]
    }

    /// A string of exactly `length` characters that matches, if there is one. The entropy chooses among the many:
    /// the same entropy gives the same string.
    pub fn matching(&self, length: usize, entropy: u64) -> Option<String> {
        let longer;
        let reach = match length {
            0..=USUAL => &self.reach,
            _ => {
                longer = reach(self.states, length);
                &longer
            }
        };
        let mut dice = Dice(entropy | 1);
        let mut state = 0;
        let mut text = String::with_capacity(length);
        for left in (0..length).rev() {
            let open = || self.states[state].ways.iter().filter(|(_, next)| reach[left][usize::from(*next)]);
            let mut place = dice.below(open().map(|(characters, _)| characters.len()).sum())?;
            let (characters, next) = open().find(|(characters, _)| match place.checked_sub(characters.len()) {
                Some(rest) => {
                    place = rest;
                    false
                }
                None => true,
            })?;
            text.push(char::from(characters.as_bytes()[place]));
            state = usize::from(*next);
        }
        self.states[state].is_match.then_some(text)
    }

    /// Whether a text matches, or misses a match by one character: one too many, one too few, or another one.
    pub fn is_near(&self, text: &str) -> bool {
        let mut exact = BTreeSet::from([0]);
        let mut off_by_one = self.after_any(&exact);
        for letter in text.chars() {
            let next = self.after(&exact, letter);
            let mut near = self.after(&off_by_one, letter);
            near.extend(self.after_any(&exact)); // Another character in its place,
            near.extend(exact); // or none,
            near.extend(self.after_any(&next)); // or one more after it.
            if near.is_empty() {
                return false;
            }
            (exact, off_by_one) = (next, near);
        }
        exact.iter().chain(&off_by_one).any(|state| self.states[*state].is_match)
    }

    fn after(&self, from: &BTreeSet<usize>, letter: char) -> BTreeSet<usize> {
        let ways = from.iter().flat_map(|state| self.states[*state].ways);
        ways.filter(|(characters, _)| characters.contains(letter)).map(|(_, next)| usize::from(*next)).collect()
    }

    fn after_any(&self, from: &BTreeSet<usize>) -> BTreeSet<usize> {
        from.iter().flat_map(|state| self.states[*state].ways).map(|(_, next)| usize::from(*next)).collect()
    }

    /// The length nearest to this one that a match has, up to 400 characters.
    pub fn nearest_length(&self, wanted: usize) -> usize {
        let has = |length: &usize| self.reach.get(*length).is_some_and(|states| states[0]);
        (0..USUAL).flat_map(|off| [wanted.saturating_sub(off), wanted + off]).find(has).unwrap_or_default()
    }
}

/// For each number of characters left up to `length`, whether so many lead from a state to a match.
fn reach(states: &[State], length: usize) -> Vec<Vec<bool>> {
    let mut reach: Vec<Vec<bool>> = Vec::with_capacity(length + 1);
    reach.push(states.iter().map(|state| state.is_match).collect());
    for left in 1..=length {
        let after = &reach[left - 1];
        let here = states.iter().map(|state| state.ways.iter().any(|(_, next)| after[usize::from(*next)])).collect();
        reach.push(here);
    }
    reach
}

/// A small generator of numbers: the entropy is all there is.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> Option<usize> {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 as usize).checked_rem(bound)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lengths_that_no_match_has_give_nothing() {
        let account = Strings::built(Expression::AccountId);
        assert_eq!(account.matching(11, 1), None);
        assert_eq!(account.matching(12, 1).map(|text| text.len()), Some(12));
        assert_eq!(account.matching(13, 1), None);
        let upload = Strings::built(Expression::UploadId);
        assert!(
            upload.matching(36, 7).is_some() && upload.matching(35, 7).is_none() && upload.matching(37, 7).is_none()
        );
    }

    #[test]
    fn near_is_one_character_away() {
        let account = Strings::built(Expression::AccountId);
        for near in ["012345678901", "01234567890", "0123456789012", "01234567890a", "0123456789é1", "a012345678901"] {
            assert!(account.is_near(near), "{near}");
        }
        for far in ["", "0123456789", "01234567890123", "0123456789ab", "0123-4567-8901", "a12345678901b"] {
            assert!(!account.is_near(far), "{far}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn every_string_matches_and_has_its_length(length in 2usize..600, entropy: u64) {
            for expression in [Expression::RepositoryName, Expression::PlainRepositoryName] {
                let text = Strings::built(expression).matching(length, entropy).unwrap();
                prop_assert_eq!(text.len(), length);
                prop_assert!(expression.matches(&text), "{}", text);
            }
        }
    }
}
