//! What a value may look like: the shapes of the service models, as data.

use super::pattern::Pattern;

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

    #[test]
    fn lengths_count_characters_and_not_bytes() {
        let text = Text { min: 2, max: Some(2), ..ANY_TEXT };
        assert!(text.allows_length("éé"));
        assert!(!text.allows_length("é"));
    }
}
