//! Automata: states, and which character leads from one to another.

/// What decides whether a text matches an expression, character by character.
#[derive(Debug)]
pub struct Automaton {
    /// The states, the start first.
    pub states: &'static [State],
    /// The states once more: where each character leads.
    rows: Vec<Row>,
}

/// A state of an automaton.
#[derive(Debug)]
pub struct State {
    /// Whether a text may end here.
    pub is_match: bool,
    /// Characters that lead to the same state, with its index. What is in none leads to no match.
    pub ways: &'static [(&'static str, u8)],
}

/// Where each character of ASCII leads from a state.
type Row = [Option<u8>; 128];

impl Automaton {
    pub(super) fn of(states: &'static [State]) -> Automaton {
        Automaton { states, rows: states.iter().map(State::row).collect() }
    }

    pub(super) fn accepts(&self, text: &str) -> bool {
        let step = |state: usize, byte: u8| self.rows[state].get(usize::from(byte)).copied().flatten().map(usize::from);
        text.bytes().try_fold(0, step).is_some_and(|last| self.states[last].is_match)
    }
}

impl State {
    fn row(&self) -> Row {
        let mut row = [None; 128];
        for (characters, next) in self.ways {
            characters.bytes().for_each(|byte| row[usize::from(byte)] = Some(*next));
        }
        row
    }
}
