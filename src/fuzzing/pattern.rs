//! Each documented pattern against a second implementation, written by hand and without regular expressions.

use crate::contract::pattern::Expression;
use crate::contract::{Kind, Shape, ecr, ecr_public, shapes};

/// A name of a repository, in every edition of both services, with its length.
///
/// # Panics
///
/// When the contract and the second implementation disagree.
pub fn repository_name(text: &str) {
    agree(&[&ecr::REPOSITORY_NAME, &ecr_public::REPOSITORY_NAME], text);
}

/// An account id, or an alias of a public registry.
///
/// # Panics
///
/// When the contract and the second implementation disagree.
pub fn registry_id(text: &str) {
    agree(&[&shapes::REGISTRY_ID, &ecr_public::REGISTRY_ID_OR_ALIAS, &ecr_public::REGISTRY_ALIAS], text);
}

/// The id of an upload.
///
/// # Panics
///
/// When the contract and the second implementation disagree.
pub fn upload_id(text: &str) {
    agree(&[&shapes::UPLOAD_ID], text);
}

/// The digest of a layer, with or without a pattern.
///
/// # Panics
///
/// When the contract and the second implementation disagree.
pub fn layer_digest(text: &str) {
    agree(&[&shapes::LAYER_DIGEST, &shapes::BATCHED_LAYER_DIGEST], text);
}

fn agree(shapes: &[&Shape], text: &str) {
    let length = length(text);
    for shape in shapes {
        let Kind::Text(bounds) = &shape.kind else { panic!("{} is no text", shape.name) };
        bounds.patterns.iter().for_each(|pattern| same(pattern.expression, text));
        let inside = length >= bounds.min && bounds.max.is_none_or(|max| length <= max);
        assert_eq!(bounds.allows_length(text), inside, "{}: the length of {text:?} is allowed", shape.name);
    }
}

fn same(expression: Expression, text: &str) {
    let (found, expected) = (expression.matches(text), recogniser(expression)(text));
    assert_eq!(found, expected, "{} matches {text:?}", expression.text());
}

/// Characters, counted as bytes that begin one. Without a comparison, and from tables below: a fuzzer notes each, which takes
/// longer than what is compared.
pub(super) fn length(text: &str) -> usize {
    text.bytes().map(|byte| usize::from(1 - (byte >> 7 & !(byte >> 6) & 1))).sum()
}

/// The second implementation of an expression.
fn recogniser(expression: Expression) -> fn(&str) -> bool {
    match expression {
        Expression::RepositoryName => |name| path(name, &RUNS),
        Expression::PlainRepositoryName => |name| path(name, &SINGLE),
        Expression::AccountId => |id| id.len() == 12 && all(id, &DIGITS),
        Expression::RegistryAlias => alias,
        Expression::UploadId => uuid,
        Expression::LayerDigest => digest,
        Expression::Base64 => base64,
    }
}

/// Whether a byte is one of some.
type Bytes = [bool; 256];

const fn bytes(some: &[u8]) -> Bytes {
    let (mut bytes, mut at) = ([false; 256], 0);
    while at < some.len() {
        bytes[some[at] as usize] = true;
        at += 1;
    }
    bytes
}

static DIGITS: Bytes = bytes(b"0123456789");
static HEX: Bytes = bytes(b"0123456789abcdefABCDEF");
static OF_ALGORITHM: Bytes = bytes(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_+.");
static OF_BASE64: Bytes = bytes(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/");

fn all(text: &str, some: &Bytes) -> bool {
    text.bytes().all(|byte| some[usize::from(byte)])
}

/// Where one is in a name of a repository.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Place {
    /// Where a letter or digit must come: at the beginning, after a slash, after a separator that is complete.
    Start,
    /// After a letter or digit.
    Word,
    /// After one underscore, which may be followed by another.
    Underscore,
    /// After dashes, which may be followed by more.
    Dashes,
    /// In no name.
    Nowhere,
}

/// Where a letter or digit, a slash or dot, an underscore, a dash, and any other byte lead, from each place.
type Ways = [[Place; 5]; 4];

/// Two underscores and many dashes are separators.
static RUNS: Ways = {
    use Place::{Dashes, Nowhere, Start, Underscore, Word};
    [
        [Word, Nowhere, Nowhere, Nowhere, Nowhere],
        [Word, Start, Underscore, Dashes, Nowhere],
        [Word, Nowhere, Start, Nowhere, Nowhere],
        [Word, Nowhere, Nowhere, Dashes, Nowhere],
    ]
};

/// Separators are single characters.
static SINGLE: Ways = {
    use Place::{Nowhere, Start, Word};
    let start = [Word, Nowhere, Nowhere, Nowhere, Nowhere];
    [start, [Word, Start, Start, Start, Nowhere], start, start]
};

/// The column of a byte in [`Ways`].
static COLUMNS: [u8; 256] = {
    let (mut columns, mut byte) = ([4; 256], 0);
    while byte < 256 {
        columns[byte] = match byte as u8 {
            b'a'..=b'z' | b'0'..=b'9' => 0,
            b'/' | b'.' => 1,
            b'_' => 2,
            b'-' => 3,
            _ => 4,
        };
        byte += 1;
    }
    columns
};

fn path(name: &str, ways: &Ways) -> bool {
    let mut place = Place::Start;
    for byte in name.bytes() {
        place = ways[place as usize][usize::from(COLUMNS[usize::from(byte)])];
        if place == Place::Nowhere {
            return false;
        }
    }
    place == Place::Word
}

fn alias(name: &str) -> bool {
    let begins = matches!(name.as_bytes(), [b'a'..=b'z', b'a'..=b'z' | b'0'..=b'9', ..]);
    begins && !name.contains('/') && path(name, &SINGLE)
}

fn uuid(id: &str) -> bool {
    let groups = [id.get(..8), id.get(9..13), id.get(14..18), id.get(19..23), id.get(24..)];
    let dashes = [8, 13, 18, 23].map(|at| id.as_bytes().get(at) == Some(&b'-'));
    id.len() == 36 && dashes == [true; 4] && groups.iter().all(|group| group.is_some_and(|group| all(group, &HEX)))
}

fn digest(text: &str) -> bool {
    let parts = text.split_once(':');
    parts.is_some_and(|(algorithm, hex)| {
        !algorithm.is_empty() && all(algorithm, &OF_ALGORITHM) && !hex.is_empty() && all(hex, &HEX)
    })
}

fn base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    text.len().is_multiple_of(4) && text.len() - digits.len() <= 2 && all(digits, &OF_BASE64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use strum::VariantArray as _;

    use super::super::syntax::whole;
    use super::*;
    use crate::generate::strings::Strings;

    proptest! {
        /// Matches, and what is left of them with another character somewhere, or one less.
        #[test]
        fn automata_regular_expressions_and_code_by_hand_agree(
            length in 0usize..90, entropy: u64, place: proptest::sample::Index, other: Option<char>,
        ) {
            for expression in Expression::VARIANTS.iter().copied() {
                let strings = Strings::built(expression);
                let text = strings.matching(strings.nearest_length(length), entropy).unwrap();
                let mut letters: Vec<char> = text.chars().collect();
                if !letters.is_empty() {
                    let place = place.index(letters.len());
                    letters.splice(place..=place, other);
                }
                let near: String = letters.into_iter().collect();
                for text in [text, near] {
                    same(expression, &text);
                    prop_assert_eq!(expression.matches(&text), whole(expression, &text), "{:?} of {:?}", text, expression);
                }
            }
        }
    }
}
