//! What the references `${…}` of a case stand for.
//!
//! | reference | stands for |
//! | --- | --- |
//! | `repository`, `repository:NAME` | the repository of the case, a further one |
//! | `absent` | the name of a repository that nobody made |
//! | `registry` | the account id that the target uses |
//! | `STEP.MEMBER` | a member of an earlier answer |
//! | `base64:CHUNK` | the bytes of a chunk as base64 |
//! | `sha256:CHUNK+CHUNK…` | the digest of chunks put together, `sha256:` and 64 hex digits |
//! | `hex:CHUNK+…`, `HEX:CHUNK+…` | its hex digits alone, in lower or upper case |
//! | `short:CHUNK+…` | the first twelve of them |
//! | `nearly:CHUNK+…` | all of them, the last one another |
//! | `upper:STEP.MEMBER` | a member of an earlier answer in upper case |
//! | `size:CHUNK+CHUNK…` | the number of bytes; a body has it as a number |
//! | `last:CHUNK+CHUNK…` | the position of the last byte, one less; a body has it as a number |
//! | `repeat:COUNT:TEXT` | the text, so many times |
//! | `pad:LENGTH:NAME` | what the name is bound to, a slash, and as many `a` as make it that long |

use std::collections::BTreeMap;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::Chunk;
use super::chunk::Content;

/// The references that are one word.
pub const WORDS: [&str; 3] = ["repository", "absent", "registry"];

/// What the references begin with that have an argument after a colon.
pub const KINDS: [&str; 12] =
    ["repository", "base64", "sha256", "hex", "HEX", "short", "nearly", "upper", "size", "last", "repeat", "pad"];

/// What the references of one case, in one run, stand for.
#[derive(Clone, Debug)]
pub struct Bindings {
    values: BTreeMap<String, Value>,
    contents: BTreeMap<String, Content>,
}

impl Bindings {
    /// Bindings for these chunks, on a target with this `partSize`. The salt tells the bytes of one case and run from
    /// those of another.
    pub fn new(chunks: &[Chunk], salt: &str, part_size: usize) -> Bindings {
        let content = |chunk: &Chunk| (chunk.name.clone(), Content::of(chunk, salt, part_size));
        Bindings { values: BTreeMap::new(), contents: chunks.iter().map(content).collect() }
    }

    /// Adds a chunk, if no other has its name.
    pub fn add(&mut self, chunk: &Chunk, salt: &str, part_size: usize) {
        let content = || Content::of(chunk, salt, part_size);
        self.contents.entry(chunk.name.clone()).or_insert_with(content);
    }

    /// Binds a name to a value.
    pub fn bind(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.values.insert(name.into(), value.into());
    }

    /// Binds the members of an answer as `STEP.MEMBER`.
    pub fn capture(&mut self, step: &str, answer: &Value) {
        for (member, value) in answer.as_object().into_iter().flatten() {
            self.bind(format!("{step}.{member}"), value.clone());
        }
    }

    /// Binds a reference to what it stands for, so that [`Bindings::iter`] has it.
    pub fn remember(&mut self, name: &str) {
        if let Some(value) = self.value(name) {
            self.bind(name, value);
        }
    }

    /// What a reference stands for, as a JSON value. Base64 and repeated text are not among them: nothing compares them.
    pub fn value(&self, name: &str) -> Option<Value> {
        if let Some(value) = self.values.get(name) {
            return Some(value.clone());
        }
        let (kind, argument) = name.split_once(':')?;
        match kind {
            "sha256" => Some(Value::from(format!("sha256:{}", self.hex(argument)?))),
            "hex" => Some(Value::from(self.hex(argument)?)),
            "HEX" => Some(Value::from(self.hex(argument)?.to_uppercase())),
            "short" => Some(Value::from(short(&self.hex(argument)?))),
            "nearly" => Some(Value::from(nearly(&self.hex(argument)?))),
            "upper" => Some(Value::from(self.values.get(argument)?.as_str()?.to_uppercase())),
            "size" => Some(Value::from(self.size(argument)?)),
            "pad" => {
                let (length, name) = argument.split_once(':')?;
                let bound = self.values.get(name)?.as_str()?;
                let missing = length.parse::<usize>().ok()?.checked_sub(bound.len() + 1)?;
                Some(Value::from(format!("{bound}/{}", "a".repeat(missing))))
            }
            "last" => Some(Value::from(self.size(argument)?.checked_sub(1)?)),
            _ => None,
        }
    }

    /// Whether the name is of a form that can stand for something, given the steps that come before.
    pub fn check(name: &str, chunks: &[Chunk], repositories: &[String], steps: &[String]) -> Result<(), String> {
        let of_chunks =
            |names: &str| match names.split('+').find(|name| !chunks.iter().any(|chunk| chunk.name == *name)) {
                Some(name) => Err(format!("no bytes are named {name:?}")),
                None => Ok(()),
            };
        let of_step = |name: &str| match name.split_once('.') {
            Some((step, _)) if steps.iter().any(|known| known == step) => Ok(()),
            Some((step, _)) => Err(format!("no earlier step is named {step:?}")),
            None => Err(format!("{name:?} is no reference")),
        };
        match name.split_once(':') {
            None if WORDS.contains(&name) => Ok(()),
            None => of_step(name),
            Some((kind, _)) if !KINDS.contains(&kind) => Err(format!("{name:?} is no reference")),
            Some(("repository", other)) if repositories.iter().any(|known| known == other) => Ok(()),
            Some(("repository", other)) => Err(format!("no repository is named {other:?}")),
            Some(("base64" | "sha256" | "hex" | "HEX" | "short" | "nearly" | "size" | "last", names)) => {
                of_chunks(names)
            }
            Some(("upper", name)) => of_step(name),
            Some(("pad", rest)) if rest.split_once(':').is_some_and(|(length, _)| length.parse::<usize>().is_ok()) => {
                Ok(())
            }
            Some(("repeat", rest)) if rest.split_once(':').is_some_and(|(count, _)| count.parse::<usize>().is_ok()) => {
                Ok(())
            }
            Some(_) => Err(format!("{name:?} is no reference")),
        }
    }

    /// Appends what a reference stands for, as it stands inside a JSON string or, a number, by itself.
    pub(crate) fn append(&mut self, name: &str, out: &mut Vec<u8>) -> Option<()> {
        if let Some(chunk) = name.strip_prefix("base64:") {
            self.contents.get(chunk)?.append_base64(out);
            return Some(());
        }
        if let Some((count, text)) = name.strip_prefix("repeat:").and_then(|rest| rest.split_once(':')) {
            out.extend_from_slice(text.repeat(count.parse().ok()?).as_bytes());
            return Some(());
        }
        let value = self.value(name)?;
        match &value {
            Value::String(text) => {
                let quoted = serde_json::to_string(text).ok()?;
                out.extend_from_slice(&quoted.as_bytes()[1..quoted.len() - 1]);
            }
            other => out.extend_from_slice(other.to_string().as_bytes()),
        }
        self.values.insert(String::from(name), value); // Digests of 20 MiB are computed once.
        Some(())
    }

    /// The names bound so far, each with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.values.iter()
    }

    fn named(&self, names: &str) -> Option<Vec<&Content>> {
        names.split('+').map(|name| self.contents.get(name)).collect()
    }

    fn size(&self, names: &str) -> Option<usize> {
        Some(self.named(names)?.iter().map(|content| content.len()).sum())
    }

    fn hex(&self, names: &str) -> Option<String> {
        if let Some(Value::String(known)) = self.values.get(&format!("sha256:{names}")) {
            return known.strip_prefix("sha256:").map(String::from);
        }
        let mut hash = Sha256::new();
        for content in self.named(names)? {
            content.hash_into(&mut hash);
        }
        Some(hex(&hash.finalize()))
    }
}

/// The first twelve hex digits of a digest, as Docker shows it.
pub fn short(hex: &str) -> String {
    hex.chars().take(12).collect()
}

/// The hex digits of a digest, the last one another.
pub fn nearly(hex: &str) -> String {
    let mut hex = String::from(hex);
    let last = hex.pop().and_then(|digit| digit.to_digit(16)).unwrap_or_default();
    hex.extend(char::from_digit((last + 1) % 16, 16));
    hex
}

/// Bytes as lower-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::fill;

    #[test]
    fn references_stand_for_their_values() {
        let mut bindings = Bindings::new(&[Chunk::new("a", 3), Chunk::new("b", 2)], "salt", 0);
        bindings.bind("repository", "some/name");
        bindings.capture("upload", &serde_json::json!({"uploadId": "an \"id\"", "partSize": 7}));
        let mut filled = |template: &str| {
            fill(template.as_bytes(), &mut bindings).map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
        };
        assert_eq!(filled(r#"["${repository}",${upload.partSize}]"#).unwrap(), r#"["some/name",7]"#);
        assert_eq!(filled(r#""${upload.uploadId}""#).unwrap(), r#""an \"id\"""#);
        assert_eq!(filled("${size:a+b}-${last:a+b}").unwrap(), "5-4");
        assert_eq!(filled("${repeat:3:ab}").unwrap(), "ababab");
        assert_eq!(filled("${sha256:a}").unwrap().len(), 71);
        assert_eq!(filled("${HEX:a}").unwrap(), filled("${hex:a}").unwrap().to_uppercase());
        assert_eq!(filled("${short:a}").unwrap(), filled("${hex:a}").unwrap()[..12]);
        assert_eq!(filled("${nearly:a}").unwrap()[..63], filled("${hex:a}").unwrap()[..63]);
        assert_eq!((nearly("0f"), nearly("09")), (String::from("00"), String::from("0a")));
        assert_eq!(filled("${nobody.uploadId}").unwrap_err(), "nobody.uploadId");
        assert_eq!(filled("${open").unwrap(), "${open");
    }
}
