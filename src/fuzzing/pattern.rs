//! Each documented pattern against a second implementation, written by hand and without regular expressions.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::contract::{Kind, Member, Pattern, Service, Shape, Text};

/// A name of a repository, in every edition of both services, with its length.
///
/// # Panics
///
/// When the contract and the second implementation disagree.
pub fn repository_name(text: &str) {
    agree("RepositoryName", text);
}

/// An account id, or an alias of a public registry.
///
/// # Panics
///
/// When the contract and the second implementation disagree.
pub fn registry_id(text: &str) {
    agree("RegistryId", text);
    agree("RegistryIdOrAlias", text);
}

/// The id of an upload.
///
/// # Panics
///
/// When the contract and the second implementation disagree.
pub fn upload_id(text: &str) {
    agree("UploadId", text);
}

/// The digest of a layer, with or without a pattern.
///
/// # Panics
///
/// When the contract and the second implementation disagree.
pub fn layer_digest(text: &str) {
    agree("LayerDigest", text);
    agree("BatchedOperationLayerDigest", text);
}

fn agree(shape: &str, text: &str) {
    let shapes = SHAPES.get(shape).unwrap_or_else(|| panic!("no operation has a member of shape {shape}"));
    for bounds in shapes {
        for pattern in bounds.patterns {
            let (found, expected) = (pattern.matches(text), recogniser(pattern)(text.as_bytes()));
            assert_eq!(found, expected, "{shape}: {} ({}) matches {text:?}", pattern.text, pattern.edition);
        }
        let length = length(text);
        let inside = length >= bounds.min && bounds.max.is_none_or(|max| length <= max);
        assert_eq!(bounds.allows_length(text), inside, "{shape}: the length of {text:?} is allowed");
    }
}

/// The bounds of each named string of the requests and answers of both services.
static SHAPES: LazyLock<BTreeMap<&str, Vec<&Text>>> = LazyLock::new(|| {
    let mut shapes = BTreeMap::new();
    for operation in Service::ALL.iter().flat_map(|service| service.contract().operations) {
        operation.input.iter().chain(operation.output).for_each(|member: &Member| collect(member.shape, &mut shapes));
    }
    shapes
});

fn collect(shape: &'static Shape, shapes: &mut BTreeMap<&'static str, Vec<&'static Text>>) {
    match &shape.kind {
        Kind::Text(text) => {
            let known = shapes.entry(shape.name).or_default();
            if !known.iter().any(|other| std::ptr::eq(*other, text)) {
                known.push(text);
            }
        }
        Kind::List { item, .. } => collect(item, shapes),
        Kind::Structure(members) => members.iter().for_each(|member| collect(member.shape, shapes)),
        _ => {}
    }
}

/// Characters, counted as bytes that begin one.
pub(super) fn length(text: &str) -> usize {
    text.bytes().filter(|byte| byte & 0b1100_0000 != 0b1000_0000).count()
}

/// The second implementation of a pattern.
///
/// # Panics
///
/// When there is none: a pattern that the contract gets needs one here.
fn recogniser(pattern: &Pattern) -> fn(&[u8]) -> bool {
    match pattern.text {
        r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*" => |name| path(name, true),
        "(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*" => |name| path(name, false),
        "[0-9]{12}" => |id| id.len() == 12 && id.iter().all(u8::is_ascii_digit),
        "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}" => uuid,
        "[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+" => digest,
        other => panic!("{other} has no second implementation in fuzzing/pattern.rs"),
    }
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
}

/// Whether bytes are a name of a repository; `runs` allows two underscores and many dashes as separators.
fn path(name: &[u8], runs: bool) -> bool {
    let mut place = Place::Start;
    for byte in name {
        place = match (byte, place) {
            (b'a'..=b'z' | b'0'..=b'9', _) => Place::Word,
            (b'/' | b'.', Place::Word) => Place::Start,
            (b'_', Place::Word) if runs => Place::Underscore,
            (b'_', Place::Underscore) => Place::Start,
            (b'-', Place::Word | Place::Dashes) if runs => Place::Dashes,
            (b'_' | b'-', Place::Word) => Place::Start,
            _ => return false,
        };
    }
    place == Place::Word
}

fn uuid(id: &[u8]) -> bool {
    id.len() == 36
        && id.iter().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn digest(text: &[u8]) -> bool {
    let Some(colon) = text.iter().position(|byte| *byte == b':') else { return false };
    let (algorithm, hex) = (&text[..colon], &text[colon + 1..]);
    let of_algorithm = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_+.".contains(byte);
    !algorithm.is_empty()
        && algorithm.iter().all(of_algorithm)
        && !hex.is_empty()
        && hex.iter().all(u8::is_ascii_hexdigit)
}
