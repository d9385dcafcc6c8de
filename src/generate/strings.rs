//! Strings from the automaton: text that matches a pattern, or misses it by one character, at an exact length.
//!
//! A walk over a dense DFA reaches a match at any length at which one exists, so that length and pattern can be broken
//! each on its own.

use regex_automata::dfa::{Automaton, dense};
use regex_automata::util::primitives::StateID;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input};

use crate::contract::Pattern;

/// The automaton of a pattern, over the printable ASCII characters.
#[derive(Debug)]
pub struct Strings {
    dfa: dense::DFA<Vec<u32>>,
}

impl Strings {
    /// Builds the automaton of a documented pattern, which means the whole string.
    pub fn of(pattern: &Pattern) -> Strings {
        let dfa = dense::Builder::new()
            .configure(dense::Config::new().start_kind(regex_automata::dfa::StartKind::Anchored))
            .syntax(syntax::Config::new().unicode(false).utf8(false))
            .build(&format!(r"(?:{})\z", pattern.portable()))
            .expect("documented patterns are small");
        Strings { dfa }
    }

    /// A string of exactly `length` characters that matches, if there is one. The entropy chooses among the many:
    /// the same entropy gives the same string.
    pub fn matching(&self, length: usize, entropy: u64) -> Option<String> {
        let start = self.dfa.start_state_forward(&Input::new("").anchored(Anchored::Yes)).ok()?;
        let reach = self.states_that_match_after(length);
        let mut dice = Dice(entropy | 1);
        let mut state = start;
        let mut text = String::with_capacity(length);
        for left in (0..length).rev() {
            let choices: Vec<(u8, StateID)> = ALPHABET
                .map(|byte| (byte, self.dfa.next_state(state, byte)))
                .filter(|(_, next)| reach[left].contains(next))
                .collect();
            let (byte, next) = *choices.get(dice.below(choices.len())?)?;
            text.push(char::from(byte));
            state = next;
        }
        self.is_match(state).then_some(text)
    }

    /// For each number of characters left, the states from which so many lead to a match.
    fn states_that_match_after(&self, length: usize) -> Vec<Vec<StateID>> {
        let all = self.live_states();
        let mut reach: Vec<Vec<StateID>> = Vec::with_capacity(length + 1);
        reach.push(all.iter().copied().filter(|state| self.is_match(*state)).collect());
        for left in 1..=length {
            let next = &reach[left - 1];
            let here = all
                .iter()
                .copied()
                .filter(|state| ALPHABET.clone().any(|byte| next.contains(&self.dfa.next_state(*state, byte))))
                .collect();
            reach.push(here);
        }
        reach
    }

    fn live_states(&self) -> Vec<StateID> {
        let Ok(start) = self.dfa.start_state_forward(&Input::new("").anchored(Anchored::Yes)) else {
            return Vec::new();
        };
        let mut found = vec![start];
        let mut next = 0;
        while next < found.len() {
            for byte in ALPHABET {
                let state = self.dfa.next_state(found[next], byte);
                if !self.dfa.is_dead_state(state) && !found.contains(&state) {
                    found.push(state);
                }
            }
            next += 1;
        }
        found
    }

    fn is_match(&self, state: StateID) -> bool {
        self.dfa.is_match_state(self.dfa.next_eoi_state(state))
    }
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
