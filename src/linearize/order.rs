//! Whether there is an order of calls in which each answer is allowed: a search in depth, after Wing and Gong, that
//! comes to no state twice, after Lowe.

use std::collections::HashSet;
use std::hash::Hash;

/// What answers are allowed in, from the first call to the last.
pub(super) trait Model: Clone {
    /// What two states share that allow the same from there on.
    type Mark: Eq + Hash;

    /// The state after a call with its answer; `None` if the answer is not allowed.
    fn after(&self, call: usize) -> Option<Self>;

    /// The state after a call of which no answer is known.
    fn after_unknown(&self, call: usize) -> Self;

    /// What tells it from other states.
    fn mark(&self) -> Self::Mark;
}

/// Calls, and what is known of their order.
#[derive(Clone, Debug)]
pub(super) struct Calls {
    /// Whether the one was answered before the other was sent.
    pub before: Vec<Vec<bool>>,
    /// Whether it makes no difference which of the two comes first, whatever the state.
    pub apart: Vec<Vec<bool>>,
    /// Calls that change nothing in any state.
    pub idle: Vec<bool>,
    /// Calls that may have happened or not, with any answer.
    pub free: Vec<bool>,
    /// What trying each counts.
    pub cost: Vec<usize>,
}

impl Calls {
    /// Whether a free call can be in the order no more once another is: it would have been before, and that matters.
    fn is_left_out(&self, free: usize, call: usize) -> bool {
        self.free[free] && self.before[free][call] && !self.apart[free][call]
    }
}

/// What a search came to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Explained {
    /// An order in which every answer is allowed.
    By(Vec<usize>),
    /// There is none. The longest beginning of one, and a call that comes next and whose answer is not allowed there.
    Not { longest: Vec<usize>, next: usize },
    /// The search was given up.
    Unknown,
}

/// Looks for an order of the calls from the one with number `first` on, in a state that comes after those before it. Those
/// that are tried count `bound` at most.
pub(super) fn search<M: Model>(calls: &Calls, start: &M, first: usize, bound: usize) -> Explained {
    let mut search = Search { calls, bound, tried: 0, seen: HashSet::new(), longest: (Vec::new(), None) };
    let done = (0..calls.free.len()).map(|call| call < first).collect();
    let mut way = Way { done, order: Vec::new() };
    match search.go(start.clone(), &mut way) {
        Ok(true) => Explained::By(way.order),
        Ok(false) => match search.longest {
            (longest, Some(next)) => Explained::Not { longest, next },
            (_, None) => Explained::Unknown,
        },
        Err(GivenUp) => Explained::Unknown,
    }
}

struct GivenUp;

struct Search<'a, M: Model> {
    calls: &'a Calls,
    bound: usize,
    tried: usize,
    seen: HashSet<(Vec<bool>, M::Mark)>,
    longest: (Vec<usize>, Option<usize>),
}

/// How far an order has come.
#[derive(Clone)]
struct Way {
    /// Calls that are in the order, and free ones that can be in it no more.
    done: Vec<bool>,
    order: Vec<usize>,
}

impl Way {
    /// The way on with one more call.
    fn with(&self, call: usize, calls: &Calls) -> Way {
        let mut way = self.clone();
        way.order.push(call);
        let gone = |other: usize| other == call || calls.is_left_out(other, call);
        way.done.iter_mut().enumerate().for_each(|(other, done)| *done |= gone(other));
        way
    }
}

impl<M: Model> Search<'_, M> {
    /// Whether a way leads on to an order of all calls; then `way` is that order.
    fn go(&mut self, mut state: M, way: &mut Way) -> Result<bool, GivenUp> {
        loop {
            let open: Vec<usize> = (0..way.done.len()).filter(|call| !way.done[*call]).collect();
            let required: Vec<usize> = open.iter().copied().filter(|call| !self.calls.free[*call]).collect();
            // Nothing that must be in the order, and was answered before this call was sent, may come after it.
            let comes_next = |call: &usize| !required.iter().any(|other| self.calls.before[*other][*call]);
            let Some(first) = required.iter().copied().find(comes_next) else { return Ok(true) };
            if self.longest.1.is_none() || way.order.len() > self.longest.0.len() {
                self.longest = (way.order.clone(), Some(first));
            }
            let scope = self.scope(first, &open);
            let mut ways = Vec::new();
            let mut certain = None;
            for call in scope.into_iter().filter(comes_next) {
                self.tried += self.calls.cost[call];
                if self.tried > self.bound {
                    return Err(GivenUp);
                }
                if self.calls.free[call] {
                    let after = state.after_unknown(call);
                    if after.mark() != state.mark() {
                        ways.push((call, after));
                    }
                } else if let Some(after) = state.after(call) {
                    // What changes nothing can as well come first.
                    if self.calls.idle[call] && !open.iter().any(|other| self.calls.is_left_out(*other, call)) {
                        certain = Some((call, after));
                        break;
                    }
                    ways.push((call, after));
                }
            }
            match certain.or_else(|| if ways.len() == 1 { ways.pop() } else { None }) {
                Some((call, after)) => {
                    *way = way.with(call, self.calls);
                    state = after;
                }
                None if !self.seen.insert((way.done.clone(), state.mark())) => return Ok(false),
                None => {
                    for (call, after) in ways {
                        let mut longer = way.with(call, self.calls);
                        if self.go(after, &mut longer)? {
                            *way = longer;
                            return Ok(true);
                        }
                    }
                    return Ok(false);
                }
            }
        }
    }

    /// A call, and all whose place beside it may make a difference: those that may come before or after it and touch
    /// what it touches, those that must come before it, and so on from each of them. The others can wait.
    fn scope(&self, call: usize, open: &[usize]) -> Vec<usize> {
        let mut scope = vec![call];
        let mut next = 0;
        while let Some(one) = scope.get(next).copied() {
            let joins = |other: &usize| {
                let first = self.calls.before[*other][one] && !self.calls.free[*other];
                first || !(self.calls.before[one][*other] || self.calls.apart[one][*other])
            };
            let joining: Vec<usize> =
                open.iter().copied().filter(|other| !scope.contains(other) && joins(other)).collect();
            scope.extend(joining);
            next += 1;
        }
        scope.sort_unstable();
        scope
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two numbers that are written and read, and what each call does.
    #[derive(Clone, Debug)]
    struct Numbers<'a> {
        values: [u8; 2],
        calls: &'a [Access],
    }

    #[derive(Clone, Copy, Debug)]
    struct Access {
        number: usize,
        /// What is written, or what was read.
        value: u8,
        writes: bool,
        began: u64,
        ended: u64,
    }

    impl Model for Numbers<'_> {
        type Mark = [u8; 2];

        fn after(&self, call: usize) -> Option<Self> {
            let access = self.calls[call];
            (access.writes || self.values[access.number] == access.value).then(|| self.after_unknown(call))
        }

        fn after_unknown(&self, call: usize) -> Self {
            let mut after = self.clone();
            if self.calls[call].writes {
                after.values[self.calls[call].number] = self.calls[call].value;
            }
            after
        }

        fn mark(&self) -> [u8; 2] {
            self.values
        }
    }

    /// Numbers that look random and are not.
    struct Chance(u64);

    impl Chance {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 11) % bound
        }
    }

    fn history(chance: &mut Chance, count: usize) -> Vec<Access> {
        let mut access = || {
            let began = chance.below(12);
            Access {
                number: chance.below(2) as usize,
                value: chance.below(3) as u8,
                writes: chance.below(2) == 0,
                began,
                ended: began + chance.below(8),
            }
        };
        (0..count).map(|_| access()).collect()
    }

    fn calls(history: &[Access], free: Vec<bool>) -> Calls {
        let table = |relation: &dyn Fn(&Access, &Access) -> bool| -> Vec<Vec<bool>> {
            history.iter().map(|one| history.iter().map(|other| relation(one, other)).collect()).collect()
        };
        let before = table(&|one, other| one.ended < other.began);
        let idle = history.iter().map(|access| !access.writes).collect();
        let cost = vec![1; history.len()];
        Calls { before, apart: table(&|one, other| one.number != other.number), idle, free, cost }
    }

    /// Whether one of all orders explains the history; free calls may be anywhere that they may be, or nowhere.
    fn by_trying_all(calls: &Calls, state: &Numbers, left: &[usize]) -> bool {
        if left.iter().all(|call| calls.free[*call]) {
            return true;
        }
        (0..left.len()).any(|place| {
            let call = left[place];
            if left.iter().any(|other| calls.before[*other][call] && !calls.free[*other]) {
                return false;
            }
            let after = if calls.free[call] { Some(state.after_unknown(call)) } else { state.after(call) };
            let gone = |other: usize| other == call || (calls.free[other] && calls.before[other][call]);
            let rest: Vec<usize> = left.iter().copied().filter(|other| !gone(*other)).collect();
            after.is_some_and(|after| by_trying_all(calls, &after, &rest))
        })
    }

    #[test]
    fn the_search_finds_what_trying_all_orders_finds() {
        let mut chance = Chance(1);
        let (mut lawful, mut unlawful) = (0, 0);
        for _ in 0..3_000 {
            let count = 1 + chance.below(6) as usize;
            let history = history(&mut chance, count);
            let calls = calls(&history, vec![false; count]);
            let start = Numbers { values: [0, 0], calls: &history };
            let expected = by_trying_all(&calls, &start, &(0..count).collect::<Vec<_>>());
            match search(&calls, &start, 0, 10_000) {
                Explained::By(order) => {
                    assert!(expected, "{history:?}");
                    // The order is one: each call once, none before one that was answered before it was sent.
                    let state = order.iter().try_fold(start, |state, call| state.after(*call));
                    assert!(state.is_some() && order.len() == count, "{order:?} of {history:?}");
                    let swapped =
                        |place: usize| order[place + 1..].iter().any(|later| calls.before[*later][order[place]]);
                    assert!(!(0..count).any(swapped), "{order:?} of {history:?}");
                    lawful += 1;
                }
                Explained::Not { longest, next } => {
                    assert!(!expected, "{history:?}");
                    let state = longest.iter().try_fold(start, |state, call| state.after(*call)).unwrap();
                    assert!(state.after(next).is_none(), "{longest:?} {next} of {history:?}");
                    unlawful += 1;
                }
                Explained::Unknown => panic!("given up: {history:?}"),
            }
        }
        assert!(lawful > 500 && unlawful > 500, "{lawful} {unlawful}");
    }

    #[test]
    fn free_calls_never_make_a_history_unlawful_that_is_lawful() {
        let mut chance = Chance(2);
        let (mut lawful, mut unlawful) = (0, 0);
        for _ in 0..3_000 {
            let count = 2 + chance.below(5) as usize;
            let history = history(&mut chance, count);
            let free: Vec<bool> = (0..count).map(|_| chance.below(3) == 0).collect();
            let calls = calls(&history, free);
            let start = Numbers { values: [0, 0], calls: &history };
            let expected = by_trying_all(&calls, &start, &(0..count).collect::<Vec<_>>());
            match search(&calls, &start, 0, 10_000) {
                Explained::Not { .. } => {
                    assert!(!expected, "{:?} of {history:?}", calls.free);
                    unlawful += 1;
                }
                Explained::By(_) => lawful += 1,
                Explained::Unknown => panic!("given up: {history:?}"),
            }
        }
        assert!(lawful > 500 && unlawful > 300, "{lawful} {unlawful}");
    }

    #[test]
    fn a_search_that_is_too_long_says_nothing() {
        let access = |value| Access { number: 0, value, writes: value < 9, began: 0, ended: 9 };
        let history: Vec<Access> = (0..10).map(access).collect();
        let start = Numbers { values: [0, 0], calls: &history };
        let calls = calls(&history, vec![false; 10]);
        assert_eq!(search(&calls, &start, 0, 50), Explained::Unknown);
        assert!(matches!(search(&calls, &start, 0, 100_000), Explained::Not { .. }));
    }
}
