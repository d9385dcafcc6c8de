//! The order that explains the answers to calls at once, if there is one.

use std::collections::BTreeSet;

use super::history::{Call, History};
use super::order::{Calls, Explained, Model, search};
use super::state::Members;

/// So many calls with short answers are tried in looking for an order: far more than it takes where there is one, or plainly
/// none.
pub(super) const BOUND: usize = 4_000;

impl History<'_> {
    /// An order of the calls that explains their answers: with all their members, if there is one. What says how far an
    /// upload has come differs from order to order.
    pub(super) fn explained(&self) -> Explained {
        match self.explained_by(Members::Right) {
            Explained::By(order) => Explained::By(order),
            _ => self.explained_by(Members::Any),
        }
    }

    fn explained_by(&self, members: Members) -> Explained {
        let mut state = self.start(members);
        for call in 0..self.first_at_once {
            match state.after(call) {
                Some(after) => state = after,
                None => return Explained::Not { longest: (0..call).collect(), next: call },
            }
        }
        let before = 0..self.first_at_once;
        match search(&self.relations(self.calls.len(), &BTreeSet::new()), &state, self.first_at_once, BOUND) {
            Explained::By(order) => Explained::By(before.chain(order).collect()),
            Explained::Not { longest, next } => Explained::Not { longest: before.chain(longest).collect(), next },
            Explained::Unknown => Explained::Unknown,
        }
    }

    /// What is known of the order of so many calls.
    pub(super) fn relations(&self, count: usize, free: &BTreeSet<usize>) -> Calls {
        let calls = &self.calls[..count];
        let table = |relation: &dyn Fn(&Call, &Call) -> bool| -> Vec<Vec<bool>> {
            calls.iter().map(|one| calls.iter().map(|other| relation(one, other)).collect()).collect()
        };
        let mut before = table(&|one, other| one.is_before(other));
        // Of two calls that are the same, with the same answer, the one comes first that was sent and answered first.
        for (one, other) in (0..count).flat_map(|one| (0..count).map(move |other| (one, other))) {
            before[one][other] |=
                calls[one].is_twin_before(&calls[other], one < other) && !free.contains(&one) && !free.contains(&other);
        }
        Calls {
            before,
            apart: table(&|one, other| !one.meets(other)),
            idle: calls.iter().map(Call::is_idle).collect(),
            free: (0..count).map(|call| free.contains(&call)).collect(),
            cost: calls.iter().map(Call::cost).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::super::fixtures::{ALL, EMPTY, GONE, NEXT, race, transcript};
    use super::super::judge_round;
    use super::super::state::State;
    use super::*;
    use crate::judge::Verdict;
    use crate::wire::Answer;

    #[test]
    fn answers_of_any_length_end_the_search() {
        let names = ["complete-a", "complete-b", "complete-c", "complete-d", "complete-e", "complete-f", "complete-g"];
        let case = race(true, &names);
        let mut transcript = transcript(&case, &[(0, 9, ""); 7]);
        for (index, exchange) in transcript.exchanges.iter_mut().enumerate() {
            let Ok(Answer::Http(answer)) = &mut exchange.reply else { panic!("{exchange:?}") };
            let text = String::from_utf8_lossy(&answer.body).replacen(
                '{',
                &format!("{{\"x{index}\":\"{}\",", "x".repeat(8 << 20)),
                1,
            );
            answer.body = Bytes::from(text);
        }
        let verdict = judge_round(&case, transcript, ALL).verdict;
        assert!(matches!(verdict, Verdict::Inconclusive { .. }), "{verdict:?}");
    }

    #[test]
    fn the_search_agrees_with_trying_all_orders() {
        fn by_trying_all(history: &History, state: &State, left: &[usize]) -> bool {
            left.is_empty()
                || left.iter().any(|call| {
                    let rest: Vec<usize> = left.iter().copied().filter(|other| other != call).collect();
                    let comes_next = !rest.iter().any(|other| history.calls[*other].is_before(&history.calls[*call]));
                    comes_next && state.after(*call).is_some_and(|after| by_trying_all(history, &after, &rest))
                })
        }
        let mut seed = 7_u64;
        let mut below = |bound: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % bound
        };
        let (mut lawful, mut unlawful) = (0, 0);
        for number in 0..400 {
            let with_part = number % 2 == 0;
            let names = ["complete-a", "complete-b", "part-c", "part-d", "complete-e"];
            let case = race(with_part, &names);
            let answers: Vec<(u64, u64, &str)> = names
                .iter()
                .map(|name| {
                    let began = below(6);
                    let errors = if name.starts_with("part") { ["", NEXT, GONE] } else { ["", GONE, EMPTY] };
                    (began, began + below(6), errors[below(3) as usize])
                })
                .collect();
            let transcript = transcript(&case, &answers);
            let history = History::of(&case, &transcript, ALL);
            let set_up = (0..history.first_at_once)
                .try_fold(history.start(Members::Any), |state, call| state.after(call))
                .unwrap();
            let rest: Vec<usize> = (history.first_at_once..history.calls.len()).collect();
            let expected = by_trying_all(&history, &set_up, &rest);
            match history.explained() {
                Explained::By(_) => assert!(expected, "{with_part} {answers:?}"),
                Explained::Not { .. } => assert!(!expected, "{with_part} {answers:?}"),
                Explained::Unknown => panic!("given up: {answers:?}"),
            }
            *(if expected { &mut lawful } else { &mut unlawful }) += 1;
        }
        assert!(lawful > 20 && unlawful > 20, "{lawful} {unlawful}");
    }
}
