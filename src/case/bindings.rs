//! What the references of a case stand for.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::Chunk;
use super::chunk::Content;
use crate::contract::blob::Notation;
use crate::template::{Chunks, Member, Part, Reference, Template};
use crate::wire::Body;
use crate::wire::body::Writer;

/// What the references of one case, in one run, stand for.
#[derive(Clone, Debug)]
pub struct Bindings {
    values: BTreeMap<Reference, Value>,
    contents: BTreeMap<String, Content>,
    /// Of the bytes that digests are of.
    notation: Notation,
}

/// How long a text is at most that is captured.
const LONGEST_CAPTURED: usize = 4096;

/// How many members of an answer are captured at most.
const MOST_CAPTURED: usize = 64;

/// How much room is made for a body at first. What is larger is large parts for the most.
const ROOM: usize = 16 << 10;

/// A reference that stands for nothing.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("nothing gave {0}")]
pub struct Unbound(pub Reference);

/// What a reference names and a case does not have.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unknown {
    /// A chunk.
    #[error("no bytes are named {0:?}")]
    Chunk(String),
    /// A step, or one that is not answered yet.
    #[error("no earlier step is named {0:?}")]
    Step(String),
    /// A further repository.
    #[error("no repository is named {0:?}")]
    Repository(String),
}

impl Bindings {
    /// Bindings for these chunks, on a target with this `partSize`. The salt tells the bytes of one case and run from
    /// those of another.
    pub fn new(chunks: &[Chunk], salt: &str, part_size: usize) -> Bindings {
        let content = |chunk: &Chunk| (chunk.name.clone(), Content::of(chunk, salt, part_size));
        let contents = chunks.iter().map(content).collect();
        Bindings { values: BTreeMap::new(), contents, notation: Notation::Base64 }
    }

    /// Bindings of which nothing is sent: their digests are those that a registry with this notation gives.
    pub(crate) fn in_notation(self, notation: Notation) -> Bindings {
        Bindings { notation, ..self }
    }

    /// Adds a chunk, if no other has its name.
    pub fn add(&mut self, chunk: &Chunk, salt: &str, part_size: usize) {
        let content = || Content::of(chunk, salt, part_size);
        self.contents.entry(chunk.name.clone()).or_insert_with(content);
    }

    /// Binds a reference to a value.
    pub fn bind(&mut self, reference: Reference, value: impl Into<Value>) {
        self.values.insert(reference, value.into());
    }

    /// Binds the members of the answer to a step, if it is an object.
    pub fn capture(&mut self, step: &str, answer: &Value) {
        answer.as_object().into_iter().for_each(|members| self.capture_members(step, members));
    }

    /// Binds the members of the answer to a step, as far as requests can name them: texts and numbers. Those that are far
    /// longer, or more, than the operations give are not: what is kept must not be a target's to decide.
    pub fn capture_members(&mut self, step: &str, answer: &Map<String, Value>) {
        let is_short = |text: &str| text.len() <= LONGEST_CAPTURED;
        let is_named = |(member, value): &(&String, &Value)| {
            let plain = value.as_str().map_or_else(|| value.is_number() || value.is_boolean(), is_short);
            plain && is_short(member)
        };
        for (member, value) in answer.iter().filter(is_named).take(MOST_CAPTURED) {
            self.bind(Reference::member(step, member), value.clone());
        }
    }

    /// Binds a reference to what it stands for, so that [`Bindings::iter`] has it.
    pub fn remember(&mut self, reference: Reference) {
        if let Some(value) = self.value(&reference) {
            self.bind(reference, value);
        }
    }

    /// What a reference stands for, as a JSON value. Base64 and repeated text are not among them: nothing compares them.
    pub fn value(&self, reference: &Reference) -> Option<Value> {
        if let Some(value) = self.values.get(reference) {
            return Some(value.clone());
        }
        match reference {
            // Known if it is bound, or not a value.
            Reference::Repository(_)
            | Reference::Absent
            | Reference::Registry
            | Reference::Alias
            | Reference::Member(_)
            | Reference::Base64(_)
            | Reference::Repeat { .. }
            | Reference::Escaped { .. } => None,
            Reference::Upper(member) => {
                let bound = self.values.get(&Reference::Member(member.clone()))?;
                Some(Value::from(bound.as_str()?.to_uppercase()))
            }
            Reference::Sha256(chunks)
            | Reference::Hex { chunks, .. }
            | Reference::Sha256Prefix12(chunks)
            | Reference::Sha256LastDigitOff(chunks) => of_digest(reference, &self.hex(chunks)?).map(Value::from),
            Reference::Size(chunks) => Some(Value::from(self.size(chunks)?)),
            Reference::Last(chunks) => Some(Value::from(self.size(chunks)?.checked_sub(1)?)),
            Reference::Pad { length, of } => {
                let bound = self.values.get(of)?.as_str()?;
                let missing = length.checked_sub(bound.len() + 1)?;
                Some(Value::from(format!("{bound}/{}", "a".repeat(missing))))
            }
            Reference::Cut { from, to, of } => {
                let whole = self.value(of)?;
                let kept = whole.as_str()?.chars().take(*to).skip(*from);
                Some(Value::from(kept.collect::<String>()))
            }
        }
    }

    /// Whether a case with these chunks and further repositories, and these steps before it, has what a reference names.
    ///
    /// # Errors
    ///
    /// The first name that the case does not have.
    pub fn check(
        reference: &Reference,
        chunks: &[Chunk],
        repositories: &[String],
        steps: &[String],
    ) -> Result<(), Unknown> {
        if let Some(name) = reference.chunks().iter().find(|name| !chunks.iter().any(|chunk| chunk.name == **name)) {
            return Err(Unknown::Chunk(name.clone()));
        }
        match reference.of_member() {
            Some(Member { step, .. }) if !steps.contains(step) => return Err(Unknown::Step(step.clone())),
            _ => {}
        }
        match reference.further_repository() {
            Some(name) if !repositories.iter().any(|known| known == name) => {
                Err(Unknown::Repository(String::from(name)))
            }
            _ => Ok(()),
        }
    }

    /// The bytes of a template, with all its references replaced by what they stand for.
    ///
    /// # Errors
    ///
    /// The first reference that stands for nothing.
    pub fn fill(&mut self, template: &Template) -> Result<Bytes, Unbound> {
        self.body(template).map(|body| body.whole())
    }

    /// The same, as the body of a request: what is large in it is not yet made.
    ///
    /// # Errors
    ///
    /// The first reference that stands for nothing.
    pub fn body(&mut self, template: &Template) -> Result<Body, Unbound> {
        let mut out = Writer::with_room(self.weight(template).min(ROOM));
        for part in template.parts() {
            match part {
                Part::Text(bytes) => out.text().extend_from_slice(bytes),
                Part::Reference(reference) => {
                    self.write(reference, &mut out).ok_or_else(|| Unbound(reference.clone()))?;
                }
            }
        }
        Ok(out.done())
    }

    /// About how many bytes a template has when it is filled: exactly, but for what is short.
    pub fn weight(&self, template: &Template) -> usize {
        const SHORT: usize = 80;
        let weight = |part: &Part| match part {
            Part::Text(bytes) => bytes.len(),
            Part::Reference(Reference::Base64(chunk)) => self.contents.get(chunk).map_or(0, Content::text_len),
            Part::Reference(Reference::Repeat { count, text }) => count.saturating_mul(text.len()),
            Part::Reference(_) => SHORT,
        };
        template.parts().iter().map(weight).fold(0, usize::saturating_add)
    }

    /// Writes what a reference stands for, as it stands inside a JSON string or, a number, by itself.
    fn write(&mut self, reference: &Reference, out: &mut Writer) -> Option<()> {
        match reference {
            Reference::Base64(chunk) => self.contents.get(chunk)?.write_base64(out),
            Reference::Repeat { count, text } => out.repeat(text, *count),
            Reference::Escaped { how, of } => {
                let mut quoted = Writer::default();
                quoted.text().push(b'"');
                self.write(of, &mut quoted)?;
                quoted.text().push(b'"');
                let text: String = serde_json::from_slice(&quoted.done().whole()).ok()?;
                out.text().extend_from_slice(how.written(&text).as_bytes());
            }
            other => {
                if !self.values.contains_key(other) {
                    let value = self.value(other)?;
                    self.bind(other.clone(), value); // Digests of 20 MiB are computed once.
                }
                write_value(self.values.get(other)?, out.text())?;
            }
        }
        Some(())
    }

    /// The references bound so far, each with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&Reference, &Value)> {
        self.values.iter()
    }

    fn named(&self, chunks: &Chunks) -> Option<Vec<&Content>> {
        chunks.names().iter().map(|name| self.contents.get(name)).collect()
    }

    fn size(&self, chunks: &Chunks) -> Option<usize> {
        Some(self.named(chunks)?.iter().map(|content| content.len()).sum())
    }

    fn hex(&self, chunks: &Chunks) -> Option<String> {
        if let Some(Value::String(known)) = self.values.get(&Reference::Sha256(chunks.clone())) {
            return known.strip_prefix("sha256:").map(String::from);
        }
        let mut contents = self.named(chunks)?.into_iter();
        let mut hash = contents.next().map_or_else(Sha256::new, |first| first.hashed(self.notation));
        contents.for_each(|content| content.hash_into(&mut hash, self.notation));
        Some(hex(&hash.finalize()))
    }
}

/// Writes a value as it stands inside a JSON string or, a number, by itself.
fn write_value(value: &Value, out: &mut Vec<u8>) -> Option<()> {
    let begun = out.len();
    serde_json::to_writer(&mut *out, value).ok()?;
    if value.is_string() {
        out.pop();
        out.remove(begun);
    }
    Some(())
}

/// What a reference to a digest stands for, if that digest has these hex digits.
pub fn of_digest(reference: &Reference, hex: &str) -> Option<String> {
    match reference {
        Reference::Sha256(_) => Some(format!("sha256:{hex}")),
        Reference::Hex { upper: false, .. } => Some(String::from(hex)),
        Reference::Hex { upper: true, .. } => Some(hex.to_uppercase()),
        Reference::Sha256Prefix12(_) => Some(hex.chars().take(12).collect()),
        Reference::Sha256LastDigitOff(_) => Some(last_digit_off(hex)),
        Reference::Repository(_)
        | Reference::Absent
        | Reference::Registry
        | Reference::Alias
        | Reference::Member(_)
        | Reference::Upper(_)
        | Reference::Base64(_)
        | Reference::Size(_)
        | Reference::Last(_)
        | Reference::Repeat { .. }
        | Reference::Pad { .. }
        | Reference::Cut { .. }
        | Reference::Escaped { .. } => None,
    }
}

/// The hex digits of a digest, the last one another.
fn last_digit_off(hex: &str) -> String {
    let mut hex = String::from(hex);
    let last = hex.pop().and_then(|digit| digit.to_digit(16)).unwrap_or_default();
    hex.extend(char::from_digit((last + 1) % 16, 16));
    hex
}

/// Bytes as lower-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    let mut hex = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        hex.extend([byte >> 4, byte & 0xf].map(|digit| char::from_digit(u32::from(digit), 16).unwrap_or_default()));
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_stand_for_their_values() {
        let mut bindings = Bindings::new(&[Chunk::new("a", 3), Chunk::new("b", 2)], "salt", 0);
        bindings.bind(Reference::repository(None), "some/name");
        bindings.bind(Reference::repository(Some("other")), "some/other");
        bindings.bind(Reference::Absent, "no/name");
        bindings.bind(Reference::Registry, "012345678910");
        bindings.bind(Reference::Alias, "q2w4e6r8");
        bindings.capture("upload", &serde_json::json!({"uploadId": "an \"id\"", "partSize": 7}));
        let mut filled = |template: &str| {
            let filled = bindings.fill(&Template::parse(template).unwrap());
            filled.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()).map_err(|unbound| unbound.to_string())
        };
        assert_eq!(filled(r#"["${repository}",${upload.partSize}]"#).unwrap(), r#"["some/name",7]"#);
        assert_eq!(filled("${repository:other} ${absent} ${registry}").unwrap(), "some/other no/name 012345678910");
        assert_eq!(filled("${alias}").unwrap(), "q2w4e6r8");
        assert_eq!(filled(r#""${upload.uploadId}""#).unwrap(), r#""an \"id\"""#);
        assert_eq!(filled(r#""${upper:upload.uploadId}""#).unwrap(), r#""AN \"ID\"""#);
        assert_eq!(filled("${pad:12:repository}").unwrap(), "some/name/aa");
        assert_eq!(filled("${cut:5-7:repository}${cut:2-9:registry}${cut:60-99:hex:a}").unwrap().len(), 2 + 7 + 4);
        assert_eq!(filled("${cut:5-7:repository}${cut:2-9:registry}").unwrap(), "na2345678");
        assert_eq!(filled("${base64:a}").unwrap().len(), 4);
        assert_eq!(filled("${size:a+b}-${last:a+b}").unwrap(), "5-4");
        assert_eq!(filled("${repeat:3:ab}").unwrap(), "ababab");
        assert_eq!(filled("${sha256:a}").unwrap(), format!("sha256:{}", filled("${hex:a}").unwrap()));
        assert_eq!(filled("${sha256:a}").unwrap().len(), 71);
        assert_eq!(filled("${hex-upper:a}").unwrap(), filled("${hex:a}").unwrap().to_uppercase());
        assert_eq!(filled("${sha256-prefix12:a}").unwrap(), filled("${hex:a}").unwrap()[..12]);
        assert_eq!(filled("${sha256-last-digit-off:a}").unwrap()[..63], filled("${hex:a}").unwrap()[..63]);
        assert_eq!((last_digit_off("0f"), last_digit_off("09")), (String::from("00"), String::from("0a")));
        for nothing in ["nobody.uploadId", "upper:nobody.uploadId", "sha256:a+c", "base64:c", "pad:9:repository"] {
            assert_eq!(filled(&format!("${{{nothing}}}")).unwrap_err(), format!("nothing gave {nothing}"));
        }
        assert_eq!(filled("${open").unwrap(), "${open");
    }

    #[test]
    fn what_no_operation_gives_is_not_captured() {
        let mut bindings = Bindings::new(&[], "salt", 0);
        let long = "x".repeat(LONGEST_CAPTURED);
        let answer =
            serde_json::json!({"id": long, "longer": format!("{long}x"), "size": 7, "list": [long], "more": {}});
        bindings.capture("upload", &answer);
        let captured: Vec<String> = bindings.iter().map(|(reference, _)| reference.to_string()).collect();
        assert_eq!(captured, ["upload.id", "upload.size"]);
        let many: Map<String, Value> = (0..1000).map(|number| (number.to_string(), Value::from(number))).collect();
        bindings.capture_members("many", &many);
        assert_eq!(bindings.iter().count(), 2 + MOST_CAPTURED);
    }

    #[test]
    fn what_is_large_is_filled_in_place() {
        const LEN: usize = 1 << 20;
        let mut bindings = Bindings::new(&[Chunk::new("a", LEN)], "salt", 0);
        bindings.capture("upload", &serde_json::json!({"uploadId": "00000000-0000-4000-8000-0000000000ff"}));
        let template = Template::parse(r#"{"uploadId":"${upload.uploadId}","layerPartBlob":"${base64:a}"}"#).unwrap();
        let (weight, filled) = (bindings.weight(&template), bindings.fill(&template).unwrap());
        assert!((filled.len()..filled.len() + 80).contains(&weight), "{weight} for {}", filled.len());
    }

    #[test]
    fn a_case_must_have_what_its_references_name() {
        let check = |text: &str| {
            let (repositories, steps) = ([String::from("other")], [String::from("upload")]);
            let checked = Bindings::check(&text.parse().unwrap(), &[Chunk::new("a", 1)], &repositories, &steps);
            checked.map_or_else(|unknown| unknown.to_string(), |()| String::from("known"))
        };
        for known in
            ["repository", "absent", "registry", "alias", "repeat:2:x", "repository:other", "base64:a", "last:a+a"]
        {
            assert_eq!(check(known), "known", "{known}");
        }
        assert_eq!(check("pad:60:upload.uploadId"), "known");
        for chunks in ["base64:b", "sha256:a+b", "hex:b", "sha256-prefix12:b", "size:a+b", "pad:60:hex-upper:b"] {
            assert_eq!(check(chunks), "no bytes are named \"b\"", "{chunks}");
        }
        for step in ["part.x", "upper:part.x", "pad:60:part.x", "cut:0-8:part.x"] {
            assert_eq!(check(step), "no earlier step is named \"part\"", "{step}");
        }
        for repository in ["repository:b", "pad:60:repository:b"] {
            assert_eq!(check(repository), "no repository is named \"b\"", "{repository}");
        }
    }
}
