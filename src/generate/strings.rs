//! Strings from the automaton: text that matches a pattern, or misses it by one character, at an exact length.
//!
//! A walk over a dense DFA reaches a match at any length at which one exists, so that length and pattern can be broken
//! each on its own.

use std::collections::{BTreeSet, HashMap};
use std::sync::{LazyLock, Mutex, PoisonError};

use regex_automata::dfa::{Automaton, dense};
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input};

use crate::contract::Pattern;

/// The automaton of a pattern, over the printable ASCII characters.
#[derive(Debug)]
pub struct Strings {
    /// Its states, the start first: where each group of characters leads.
    states: Vec<State>,
    /// For each number of characters left up to [`USUAL`], whether so many lead from a state to a match.
    reach: Vec<Vec<bool>>,
}

/// Longer strings than this are drawn so seldom that what leads to them is found anew for each.
const USUAL: usize = 400;

#[derive(Debug, Default)]
struct State {
    is_match: bool,
    /// Characters that lead to the same state, with its index.
    ways: Vec<(Vec<u8>, usize)>,
}

impl Strings {
    /// Builds the automaton of a documented pattern, which means the whole string.
    pub fn of(pattern: &Pattern) -> Strings {
        let dfa = dense::Builder::new()
            .configure(dense::Config::new().start_kind(regex_automata::dfa::StartKind::Anchored))
            .syntax(syntax::Config::new().unicode(false).utf8(false))
            .build(&format!(r"(?:{})\z", pattern.portable()))
            .expect("documented patterns are small");
        let start = dfa
            .start_state_forward(&Input::new("").anchored(Anchored::Yes))
            .expect("the automaton was built to start anchored");
        let mut found = vec![start];
        let mut states = Vec::new();
        while let Some(id) = found.get(states.len()).copied() {
            let mut state = State { is_match: dfa.is_match_state(dfa.next_eoi_state(id)), ways: Vec::new() };
            for byte in ALPHABET {
                let next = dfa.next_state(id, byte);
                if dfa.is_dead_state(next) {
                    continue;
                }
                let index = found.iter().position(|known| *known == next).unwrap_or_else(|| {
                    found.push(next);
                    found.len() - 1
                });
                match state.ways.iter_mut().find(|(_, known)| *known == index) {
                    Some((bytes, _)) => bytes.push(byte),
                    None => state.ways.push((vec![byte], index)),
                }
            }
            states.push(state);
        }
        Strings { reach: reach(&states, USUAL), states }
    }

    /// The automaton of a pattern, built once.
    pub fn built(pattern: &'static Pattern) -> &'static Strings {
        static BUILT: LazyLock<Mutex<HashMap<&'static str, &'static Strings>>> = LazyLock::new(Mutex::default);
        let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
        built.entry(pattern.text).or_insert_with(|| Box::leak(Box::new(Strings::of(pattern))))
    }

    /// A string of exactly `length` characters that matches, if there is one. The entropy chooses among the many:
    /// the same entropy gives the same string.
    pub fn matching(&self, length: usize, entropy: u64) -> Option<String> {
        let longer;
        let reach = match length {
            0..=USUAL => &self.reach,
            _ => {
                longer = reach(&self.states, length);
                &longer
            }
        };
        let mut dice = Dice(entropy | 1);
        let mut state = 0;
        let mut text = String::with_capacity(length);
        for left in (0..length).rev() {
            let open = || self.states[state].ways.iter().filter(|(_, next)| reach[left][*next]);
            let mut place = dice.below(open().map(|(bytes, _)| bytes.len()).sum())?;
            let (bytes, next) = open().find(|(bytes, _)| match place.checked_sub(bytes.len()) {
                Some(rest) => {
                    place = rest;
                    false
                }
                None => true,
            })?;
            text.push(char::from(bytes[place]));
            state = *next;
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
        let byte = u8::try_from(letter).ok();
        let ways = from.iter().flat_map(|state| &self.states[*state].ways);
        ways.filter(|(bytes, _)| byte.is_some_and(|byte| bytes.contains(&byte))).map(|(_, next)| *next).collect()
    }

    fn after_any(&self, from: &BTreeSet<usize>) -> BTreeSet<usize> {
        from.iter().flat_map(|state| &self.states[*state].ways).map(|(_, next)| *next).collect()
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
        let here = states.iter().map(|state| state.ways.iter().any(|(_, next)| after[*next])).collect();
        reach.push(here);
    }
    reach
}

const ALPHABET: std::ops::RangeInclusive<u8> = b'!'..=b'~';

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
    use crate::contract::{Kind, Service, Shape, ecr, ecr_public, shapes};

    fn patterns(shape: &'static Shape) -> &'static [Pattern] {
        match &shape.kind {
            Kind::Text(text) => text.patterns,
            _ => &[],
        }
    }

    #[test]
    fn lengths_that_no_match_has_give_nothing() {
        let account = Strings::of(&patterns(&shapes::REGISTRY_ID)[0]);
        assert_eq!(account.matching(11, 1), None);
        assert_eq!(account.matching(12, 1).map(|text| text.len()), Some(12));
        assert_eq!(account.matching(13, 1), None);
        let upload = Strings::of(&patterns(&shapes::UPLOAD_ID)[0]);
        assert!(
            upload.matching(36, 7).is_some() && upload.matching(35, 7).is_none() && upload.matching(37, 7).is_none()
        );
    }

    #[test]
    fn near_is_one_character_away() {
        let account = Strings::of(&patterns(&shapes::REGISTRY_ID)[0]);
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
            for service in Service::ALL {
                let shape = match service {
                    Service::Ecr => &ecr::REPOSITORY_NAME,
                    Service::EcrPublic => &ecr_public::REPOSITORY_NAME,
                };
                for pattern in patterns(shape) {
                    let text = Strings::of(pattern).matching(length, entropy).unwrap();
                    prop_assert_eq!(text.len(), length);
                    prop_assert!(pattern.matches(&text), "{}", text);
                }
            }
        }
    }
}
