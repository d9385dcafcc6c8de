//! What a value may look like: the shapes of the service models, as data.

use std::sync::{PoisonError, RwLock};

use regex::Regex;

/// A named shape of the service model.
#[derive(Debug)]
pub struct Shape {
    /// Its name in the model, as in `RepositoryName`.
    pub name: &'static str,
    /// Its type and bounds.
    pub kind: Kind,
}

/// The type of a shape, with its bounds.
#[derive(Debug)]
pub enum Kind {
    /// A JSON string.
    Text(Text),
    /// A JSON number that is a 64-bit signed integer, not below `min`.
    Long {
        /// Smallest value.
        min: i64,
    },
    /// `true` or `false`.
    Boolean,
    /// Seconds since 1970 as a JSON number, fractions allowed.
    Timestamp,
    /// Bytes, as base64 text; `max` counts the decoded bytes.
    Blob {
        /// Largest number of bytes.
        max: usize,
    },
    /// A JSON list; `max` is `None` where the model sets no bound.
    List {
        /// Fewest items.
        min: usize,
        /// Most items.
        max: Option<usize>,
        /// Shape of each item.
        item: &'static Shape,
    },
    /// A JSON object with these members.
    Structure(&'static [Member]),
}

/// Bounds of a string. Lengths count Unicode characters, as Smithy does.
#[derive(Debug)]
pub struct Text {
    /// Fewest characters.
    pub min: usize,
    /// Most characters; `None` where the model sets no bound.
    pub max: Option<usize>,
    /// The documented patterns, newest first, without anchors: each means the whole string.
    ///
    /// More than one where editions of the documents differ; a value is inside the contract if all of them match,
    /// outside if none does, and contested in between.
    pub patterns: &'static [Pattern],
    /// The allowed values of an enumeration; empty for a free string.
    pub values: &'static [&'static str],
}

/// One documented pattern.
#[derive(Debug)]
pub struct Pattern {
    /// The expression as the document prints it, without anchors.
    pub text: &'static str,
    /// Which edition of which document has it.
    pub edition: &'static str,
}

/// A member of a structure.
#[derive(Debug)]
pub struct Member {
    /// Its JSON key.
    pub name: &'static str,
    /// Whether a request must have it; in an answer, whether the response syntax always shows it.
    pub required: bool,
    /// What its value may look like.
    pub shape: &'static Shape,
}

impl Pattern {
    /// Whether the whole of `text` matches, in ASCII mode.
    pub fn matches(&self, text: &str) -> bool {
        /// A handful. Held for reading while one matches: many threads check names all the time.
        static COMPILED: RwLock<Vec<(&str, Regex)>> = RwLock::new(Vec::new());
        let of_this = |compiled: &[(&str, Regex)]| {
            compiled.iter().find(|(pattern, _)| *pattern == self.text).map(|(_, regex)| regex.is_match(text))
        };
        let known = of_this(&COMPILED.read().unwrap_or_else(PoisonError::into_inner));
        known.unwrap_or_else(|| {
            // `\z` and not `$`: a trailing newline is a character like any other.
            let regex = Regex::new(&format!(r"\A(?-u:{})\z", self.portable())).expect("documented patterns compile");
            let is_match = regex.is_match(text);
            COMPILED.write().unwrap_or_else(PoisonError::into_inner).push((self.text, regex));
            is_match
        })
    }

    /// The pattern in the syntax of the `regex` crates: the second dash of `[a-zA-Z0-9-_+.]` is a literal, which
    /// dialects disagree on, and an escaped slash is a slash.
    pub fn portable(&self) -> String {
        self.text.replace("0-9-_", r"0-9\-_").replace(r"\/", "/")
    }
}

impl Shape {
    /// Whether a text is one of the values of its enumeration, or of one inside of it.
    pub fn has_value(&self, text: &str) -> bool {
        match &self.kind {
            Kind::Text(bounds) => bounds.values.contains(&text),
            Kind::List { item, .. } => item.has_value(text),
            Kind::Structure(members) => members.iter().any(|member| member.shape.has_value(text)),
            Kind::Long { .. } | Kind::Boolean | Kind::Timestamp | Kind::Blob { .. } => false,
        }
    }
}

impl Text {
    /// Whether every edition of the pattern matches (true without a pattern).
    pub fn matches_all(&self, text: &str) -> bool {
        self.patterns.iter().all(|pattern| pattern.matches(text))
    }

    /// Whether some edition of the pattern matches (true without a pattern).
    pub fn matches_any(&self, text: &str) -> bool {
        self.patterns.is_empty() || self.patterns.iter().any(|pattern| pattern.matches(text))
    }

    /// Whether the length is within the bounds.
    pub fn allows_length(&self, text: &str) -> bool {
        let length = text.chars().count();
        length >= self.min && self.max.is_none_or(|max| length <= max)
    }
}

impl Kind {
    /// The word for this type in documents and messages.
    pub fn word(&self) -> &'static str {
        match self {
            Kind::Text(_) => "string",
            Kind::Long { .. } => "long",
            Kind::Boolean => "boolean",
            Kind::Timestamp => "timestamp",
            Kind::Blob { .. } => "blob",
            Kind::List { .. } => "list",
            Kind::Structure(_) => "structure",
        }
    }
}

/// A free string without bounds.
pub const ANY_TEXT: Text = Text { min: 0, max: None, patterns: &[], values: &[] };

/// A member that a request must have.
pub const fn required(name: &'static str, shape: &'static Shape) -> Member {
    Member { name, required: true, shape }
}

/// A member that a request may leave out.
pub const fn optional(name: &'static str, shape: &'static Shape) -> Member {
    Member { name, required: false, shape }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: Pattern = Pattern { text: "[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+", edition: "" };
    const ACCOUNT: Pattern = Pattern { text: "[0-9]{12}", edition: "" };

    #[test]
    fn patterns_mean_the_whole_string() {
        assert!(DIGEST.matches("a-b_c+d.e:0aF"));
        for miss in ["sha256:0a\n", " sha256:0a", "sha256:0a ", "sha256:", ":0a", "sha256", "sha256:0g", "sha256:0a\0"]
        {
            assert!(!DIGEST.matches(miss), "{miss:?}");
        }
        assert!(ACCOUNT.matches("012345678901"));
        for miss in ["01234567890", "0123456789012", "٠١٢٣٤٥٦٧٨٩٠١", "x012345678901"] {
            assert!(!ACCOUNT.matches(miss), "{miss:?}");
        }
    }

    #[test]
    fn lengths_count_characters_and_not_bytes() {
        let text = Text { min: 2, max: Some(2), ..ANY_TEXT };
        assert!(text.allows_length("éé"));
        assert!(!text.allows_length("é"));
    }
}
