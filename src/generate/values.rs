//! Values for one member that break one rule, or none: strings that miss a pattern by one thing, bounds from both sides,
//! JSON of another type.

use super::strings::Strings;
use crate::case::body::{Body, quote};
use crate::contract::{Kind, Member, RuleId, Shape, Text};

/// A value for a member.
#[derive(Clone, Debug)]
pub struct NamedValue {
    /// Short name, the last part of case ids.
    pub variant: String,
    /// What it is, for a reader.
    pub title: String,
    /// The JSON text, with references.
    pub json: String,
}

impl NamedValue {
    fn new(variant: impl Into<String>, title: impl Into<String>, json: impl Into<String>) -> NamedValue {
        NamedValue { variant: variant.into(), title: title.into(), json: json.into() }
    }

    /// A string.
    pub fn text(variant: &str, title: impl Into<String>, text: impl AsRef<str>) -> NamedValue {
        NamedValue::new(variant, title, quote(text.as_ref()))
    }
}

/// A way to break one rule in an otherwise valid request.
#[derive(Clone, Debug)]
pub struct Violation {
    /// The rule that it breaks; `None` where only the contract can say.
    pub rule: Option<RuleId>,
    /// Short name, the last part of its id.
    pub variant: String,
    /// What it is, for a reader.
    pub title: String,
    /// The members that it changes, each with the JSON text that it sets; `None` leaves it out.
    pub changes: Vec<(&'static str, Option<String>)>,
}

impl Violation {
    /// A member with a value that breaks a rule.
    pub fn of(rule: RuleId, member: &'static str, value: &NamedValue) -> Violation {
        Violation {
            rule: Some(rule),
            variant: value.variant.clone(),
            title: format!("{member}: {}", value.title),
            changes: vec![(member, Some(value.json.clone()))],
        }
    }

    /// Its name, and that of the case about it alone.
    pub fn id(&self) -> String {
        self.rule.map_or_else(|| self.variant.clone(), |rule| format!("{rule}/{}", self.variant))
    }

    /// The body of a valid request with this violation in it.
    pub fn apply(&self, body: Body) -> Body {
        self.changes.iter().fold(body, |body, (member, json)| match json {
            Some(json) => body.set(member, json.clone()),
            None => body.without(member),
        })
    }
}

/// Values of every other JSON type than the member's. `valid` is the JSON text of a good value.
pub fn wrong_types(member: &Member, valid: &str) -> Vec<NamedValue> {
    let all = [
        ("string", quote("0")),
        ("number", String::from("1")),
        ("boolean", String::from("true")),
        ("list", format!("[{valid}]")),
        ("object", format!("{{\"value\":{valid}}}")),
    ];
    // What a language takes for "nothing" is a value all the same.
    let empty = [
        ("zero", "0", "number"),
        ("false", "false", "boolean"),
        ("empty-list", "[]", "list"),
        ("empty-object", "{}", "object"),
    ];
    let own = match &member.shape.kind {
        Kind::Text(_) | Kind::Blob { .. } => "string",
        Kind::Long { .. } | Kind::Timestamp => "number",
        Kind::List { .. } => "list",
        Kind::Boolean => "boolean",
        Kind::Structure(_) => "object",
    };
    all.into_iter()
        .filter(|(word, _)| *word != own)
        .map(|(word, json)| match (word, own) {
            ("string", "list") => NamedValue::new("string", "a bare string", item(valid)),
            ("object", _) => NamedValue::new(word, "an object", json),
            _ => NamedValue::new(word, format!("a {word}"), json),
        })
        .chain(
            empty
                .into_iter()
                .filter(|(_, _, kind)| *kind != own)
                .map(|(variant, json, _)| NamedValue::new(variant, json, json)),
        )
        .collect()
}

/// The first item of the JSON text of a list.
fn item(list: &str) -> String {
    String::from(list.trim_start_matches('[').trim_end_matches(']').split(',').next().unwrap_or_default())
}

/// What is put around or into any patterned string: none of the documented patterns allows these characters.
pub fn junk(valid: &str) -> Vec<NamedValue> {
    vec![
        NamedValue::text("junk-before", "junk before it", format!("!{valid}")),
        NamedValue::text("junk-after", "junk after it", format!("{valid}!")),
        NamedValue::text("leading-space", "a leading space", format!(" {valid}")),
        NamedValue::text("trailing-space", "a trailing space", format!("{valid} ")),
        NamedValue::text("leading-newline", "a leading newline", format!("\n{valid}")),
        NamedValue::text("trailing-newline", "a trailing newline", format!("{valid}\n")),
        NamedValue::text("second-line", "a second line", format!("{valid}\n{valid}")),
        NamedValue::text("nul", "a NUL at its end", format!("{valid}\0")),
        NamedValue::text("non-ascii-letter", "a letter outside of ASCII", format!("{valid}é")),
        NamedValue::text("non-ascii-digit", "a digit outside of ASCII", format!("{valid}٣")),
    ]
}

/// Strings for the member of a request that break its pattern or length by one thing.
pub fn wrong_texts(member: &Member, valid: &str) -> Vec<NamedValue> {
    let mut values = match member.name {
        "repositoryName" => repository_names(valid),
        "registryId" => registry_ids(member.shape),
        "uploadId" => upload_ids(valid),
        _ => Vec::new(),
    };
    if let Kind::Text(text) = &member.shape.kind {
        if !text.patterns.is_empty() {
            values.extend(junk(valid));
            values.push(NamedValue::text("empty", "an empty string", ""));
        }
        values.extend(lengths(text));
    }
    values
}

/// Strings beyond the bounds of a length, which match the pattern if there is one.
pub fn lengths(text: &'static Text) -> Vec<NamedValue> {
    let mut values = Vec::new();
    if text.min > 1 {
        values.push(NamedValue::text(&characters(text.min - 1), "one character less", of_length(text, text.min - 1)));
    }
    let Some(max) = text.max else { return values };
    if !text.patterns.is_empty() {
        // Below the run's prefix, so that a repository of that name can be made.
        let padded = format!("${{pad:{}:repository}}", max + 1);
        values.push(NamedValue::text(
            &format!("{}-padded", characters(max + 1)),
            "one character more, of the letter a",
            padded,
        ));
    }
    values.push(NamedValue::text(&characters(max + 1), "one character more", of_length(text, max + 1)));
    values.push(NamedValue::text("10000-characters", "10,000 characters", "${repeat:10000:a}"));
    values.push(NamedValue::text("1-MiB", "1 MiB of characters", "${repeat:1048576:a}"));
    values
}

/// Strings at the bounds of a length, just inside.
pub fn inner_lengths(text: &'static Text) -> Vec<NamedValue> {
    let bounds = [(text.min > 0).then_some(text.min), text.max];
    bounds
        .into_iter()
        .flatten()
        .map(|length| NamedValue::text(&characters(length), format!("{length} characters"), of_length(text, length)))
        .collect()
}

fn characters(count: usize) -> String {
    match count {
        1 => String::from("1-character"),
        _ => format!("{count}-characters"),
    }
}

/// A string of this length that matches every edition of the pattern. Long ones begin in a way that no repository of a
/// user does.
fn of_length(text: &'static Text, length: usize) -> String {
    // The oldest edition is the narrowest.
    let Some(pattern) = text.patterns.last() else { return "a".repeat(length) };
    const MARK: &str = "ecrspec";
    let strings = Strings::built(pattern.expression);
    let marked = length.checked_sub(MARK.len() + 1).filter(|rest| *rest > 0);
    let tail = |rest: usize| strings.matching(rest, 0x5eed_0000 + rest as u64);
    match marked.and_then(tail) {
        Some(tail) => format!("{MARK}/{tail}"),
        None => tail(length).unwrap_or_else(|| "a".repeat(length)),
    }
}

fn repository_names(valid: &str) -> Vec<NamedValue> {
    let mut values = vec![
        NamedValue::text("upper-case", "an upper-case letter", format!("{valid}/Upper")),
        NamedValue::text("leading-slash", "a leading slash", format!("/{valid}")),
        NamedValue::text("trailing-slash", "a trailing slash", format!("{valid}/")),
        NamedValue::text("double-slash", "two slashes in a row", format!("{valid}//a")),
        NamedValue::text("slash-dash", "a dash after a slash", format!("{valid}/-a")),
        NamedValue::text("triple-underscore", "three underscores in a row", format!("{valid}/a___b")),
        NamedValue::text("mixed-separators", "a dot and a dash in a row", format!("{valid}/a.-b")),
        NamedValue::text("colon", "a tag", format!("{valid}:latest")),
        NamedValue::text("space", "a space", format!("{valid}/a b")),
    ];
    for (name, plural, separator) in [("dot", "dots", '.'), ("underscore", "underscores", '_'), ("dash", "dashes", '-')]
    {
        values.push(NamedValue::text(
            &format!("leading-{name}"),
            format!("a leading {name}"),
            format!("{separator}{valid}"),
        ));
        values.push(NamedValue::text(
            &format!("trailing-{name}"),
            format!("a trailing {name}"),
            format!("{valid}{separator}"),
        ));
        values.push(NamedValue::text(
            &format!("double-{name}"),
            format!("two {plural} in a row"),
            format!("{valid}/a{separator}{separator}b"),
        ));
    }
    values.push(NamedValue::text("arn", "its ARN", format!("arn:aws:ecr:us-east-1:012345678910:repository/{valid}")));
    values
}

fn registry_ids(shape: &Shape) -> Vec<NamedValue> {
    match &shape.kind {
        // A public alias: any text of 2 to 50 characters; an older edition had 1 to 256.
        Kind::Text(text) if text.patterns.is_empty() => vec![
            NamedValue::text("empty", "an empty string", ""),
            NamedValue::text("2-characters", "an alias of 2 characters that nobody has", "zq"),
            NamedValue::text("50-characters", "an alias of 50 characters that nobody has", "z".repeat(50)),
        ],
        _ => vec![
            NamedValue::text("11-digits", "11 digits", "01234567890"),
            NamedValue::text("13-digits", "13 digits", "0123456789012"),
            NamedValue::text("letters", "12 letters", "abcdefghijkl"),
            NamedValue::text("one-letter", "11 digits and a letter", "01234567890a"),
            NamedValue::text("10000-digits", "10,000 digits", "${repeat:10000:0}"),
            NamedValue::text("1-MiB", "1 MiB of digits", "${repeat:1048576:0}"),
            NamedValue::text("dashes", "dashes between the digits", "0123-4567-8901"),
            NamedValue::text("non-ascii-digits", "12 digits outside of ASCII", "٠١٢٣٤٥٦٧٨٩٠١"),
        ],
    }
}

fn upload_ids(valid: &str) -> Vec<NamedValue> {
    const HEX: &str = "6cb64b8a93780e332ab1b780fab8a9e9";
    vec![
        NamedValue::text("no-dashes", "no dashes", HEX),
        NamedValue::text("braces", "braces around it", format!("{{{valid}}}")),
        NamedValue::text("35-characters", "35 characters", "6cb64b8a-9378-0e33-2ab1-b780fab8a9e"),
        NamedValue::text("37-characters", "37 characters", format!("{valid}0")),
        NamedValue::text("non-hex", "a letter that is no hex digit", "6cb64b8a-9378-0e33-2ab1-b780fab8a9eg"),
        NamedValue::text("dashes-elsewhere", "its dashes elsewhere", "6cb64b8a9-378-0e33-2ab1-b780fab8a9e9"),
        NamedValue::text("urn", "urn:uuid: before it", format!("urn:uuid:{valid}")),
        NamedValue::text("10000-characters", "10,000 characters", "${repeat:10000:a}"),
        NamedValue::text("1-MiB", "1 MiB of characters", "${repeat:1048576:a}"),
    ]
}

/// Digests that break the pattern, around the hex digits `hex`.
pub fn digests(hex: &str) -> Vec<NamedValue> {
    let valid = format!("sha256:{hex}");
    let mut values = vec![
        NamedValue::text("no-colon", "no colon", hex),
        NamedValue::text("nothing-before", "nothing before the colon", format!(":{hex}")),
        NamedValue::text("nothing-after", "nothing after the colon", "sha256:"),
        NamedValue::text("non-hex", "a letter that is no hex digit", format!("sha256:{hex}g")),
        NamedValue::text("two-colons", "two colons", format!("sha256:{hex}:{hex}")),
        NamedValue::text("slash", "a slash in the algorithm", format!("sha/256:{hex}")),
        NamedValue::text("empty", "an empty string", ""),
    ];
    values.extend(junk(&valid));
    values
}
