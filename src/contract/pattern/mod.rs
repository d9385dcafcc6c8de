//! The documented patterns of strings, and the automata that decide what matches.
//!
//! The automata are made beforehand, by the test below: at run time nothing is compiled, and the same few states decide what
//! matches and draw what matches.

mod automata;
mod automaton;

use std::sync::LazyLock;

use strum::VariantArray;

use automata::AUTOMATA;
pub use automaton::{Automaton, State};

/// A pattern of a string, in an edition of the documents.
#[derive(Debug)]
pub struct Pattern {
    /// What the document prints.
    pub expression: Expression,
    /// Which edition of which document has it.
    pub edition: &'static str,
}

/// The expressions that the documents print as patterns. Each means the whole string. Which document has it, in which edition,
/// stands in the shapes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, VariantArray)]
pub enum Expression {
    /// An account id.
    AccountId,
    /// The alias of a public registry.
    RegistryAlias,
    /// The name of a repository.
    RepositoryName,
    /// The same, as older documents of the private service and those of the public one have it.
    PlainRepositoryName,
    /// The id of an upload.
    UploadId,
    /// The digest of a layer.
    LayerDigest,
    /// The bytes of a part. Of these RFC 4648 speaks, section 4; the documents name no pattern.
    Base64,
}

impl Pattern {
    /// The expression as the document prints it, without anchors.
    pub const fn text(&self) -> &'static str {
        self.expression.text()
    }

    /// Whether the whole of `text` matches.
    pub fn matches(&self, text: &str) -> bool {
        self.expression.matches(text)
    }
}

impl Expression {
    /// As the documents print it, without anchors.
    pub const fn text(self) -> &'static str {
        match self {
            Expression::AccountId => "[0-9]{12}",
            Expression::RegistryAlias => "[a-z][a-z0-9]+(?:[._-][a-z0-9]+)*",
            Expression::RepositoryName => r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*",
            Expression::PlainRepositoryName => "(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*",
            Expression::UploadId => "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}",
            Expression::LayerDigest => "[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+",
            Expression::Base64 => "([a-zA-Z0-9+/]{4})*([a-zA-Z0-9+/]{2}==|[a-zA-Z0-9+/]{3}=)?",
        }
    }

    /// Whether the whole of `text` matches.
    pub fn matches(self, text: &str) -> bool {
        self.automaton().accepts(text)
    }

    /// The expression in the syntax of the `regex` crates: the second dash of `[a-zA-Z0-9-_+.]` is a literal, which
    /// dialects disagree on, and an escaped slash is a slash.
    pub fn portable(self) -> String {
        self.text().replace("0-9-_", r"0-9\-_").replace(r"\/", "/")
    }

    /// What decides whether a text matches.
    ///
    /// # Panics
    ///
    /// For a new expression, until its automaton is made: `SNAPSHOTS=overwrite cargo test --lib the_automata`.
    pub fn automaton(self) -> &'static Automaton {
        static MADE: LazyLock<Vec<Automaton>> = LazyLock::new(|| AUTOMATA.iter().copied().map(Automaton::of).collect());
        &MADE[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::{env, fs};

    use regex_automata::dfa::{Automaton as _, StartKind, dense};
    use regex_automata::util::primitives::StateID;
    use regex_automata::util::syntax;
    use regex_automata::{Anchored, Input};

    use super::*;

    #[test]
    fn patterns_mean_the_whole_string() {
        assert!(Expression::LayerDigest.matches("a-b_c+d.e:0aF"));
        for miss in ["sha256:0a\n", " sha256:0a", "sha256:0a ", "sha256:", ":0a", "sha256", "sha256:0g", "sha256:0a\0"]
        {
            assert!(!Expression::LayerDigest.matches(miss), "{miss:?}");
        }
        assert!(Expression::AccountId.matches("012345678901"));
        for miss in ["01234567890", "0123456789012", "٠١٢٣٤٥٦٧٨٩٠١", "x012345678901"] {
            assert!(!Expression::AccountId.matches(miss), "{miss:?}");
        }
    }

    #[test]
    fn the_automata_are_those_of_the_expressions() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/contract/pattern/automata.rs");
        let text = written();
        if env::var("SNAPSHOTS").is_ok_and(|word| word == "overwrite") {
            fs::write(path, &text).unwrap();
        }
        let found = fs::read_to_string(path).unwrap();
        assert!(found == text, "{path} differs: SNAPSHOTS=overwrite cargo test --lib the_automata");
    }

    /// The file that has the automata.
    fn written() -> String {
        let mut out = String::from(
            "//! The automata of the documented patterns. Written by `SNAPSHOTS=overwrite cargo test --lib the_automata`, with the\n\
             //! crate `regex-automata`.\n\n\
             use super::automaton::State;\n\n\
             /// The states of each expression, in their order.\n\
             #[rustfmt::skip]\n\
             pub(super) static AUTOMATA: &[&[State]] = &[\n",
        );
        for expression in Expression::VARIANTS {
            writeln!(out, "    // {expression:?}: {}", expression.text()).unwrap();
            writeln!(out, "    &[").unwrap();
            for (is_match, ways) in states(*expression) {
                let ways: Vec<String> = ways.iter().map(|(bytes, next)| format!("({bytes:?}, {next})")).collect();
                writeln!(out, "        State {{ is_match: {is_match}, ways: &[{}] }},", ways.join(", ")).unwrap();
            }
            writeln!(out, "    ],").unwrap();
        }
        out + "];\n"
    }

    /// The states of an expression, in the order in which they are come to.
    fn states(expression: Expression) -> Vec<(bool, Vec<(String, usize)>)> {
        let dfa = dense::Builder::new()
            .configure(dense::Config::new().start_kind(StartKind::Anchored))
            .syntax(syntax::Config::new().unicode(false).utf8(false))
            .build(&format!(r"(?:{})\z", expression.portable()))
            .unwrap();
        let mut found = vec![dfa.start_state_forward(&Input::new("").anchored(Anchored::Yes)).unwrap()];
        let mut states = Vec::new();
        while let Some(id) = found.get(states.len()).copied() {
            let mut ways: Vec<(String, usize)> = Vec::new();
            let leads = |byte: &u8| -> Option<StateID> {
                let next = dfa.next_state(id, *byte);
                (!dfa.is_dead_state(next)).then_some(next)
            };
            for byte in (0..=u8::MAX).filter(|byte| leads(byte).is_some()) {
                assert!(byte.is_ascii_graphic(), "{expression:?} takes the byte {byte}");
                let next = dfa.next_state(id, byte);
                let index = found.iter().position(|known| *known == next).unwrap_or_else(|| {
                    found.push(next);
                    found.len() - 1
                });
                match ways.iter_mut().find(|(_, known)| *known == index) {
                    Some((characters, _)) => characters.push(char::from(byte)),
                    None => ways.push((String::from(char::from(byte)), index)),
                }
            }
            states.push((dfa.is_match_state(dfa.next_eoi_state(id)), ways));
        }
        states
    }
}
