//! Templates: bytes with references in them, `${…}`. This is the only place that takes them apart.
//!
//! What the references stand for is not known here: a run binds them ([`Bindings`](../case/bindings/struct.Bindings.html)).

mod escape;
mod reference;

use std::fmt;

use bytes::Bytes;

pub use escape::Escape;
pub use reference::{Chunks, Member, NoReference, Reference};

/// Bytes with references. Whatever was read is written again to the byte.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Template {
    parts: Vec<Part>,
}

/// A part of a template.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Part {
    /// Bytes that stand for themselves, at least one, and no two in a row.
    Text(Bytes),
    /// What stands for something else.
    Reference(Reference),
}

/// What a reference begins and ends with.
type Marks = (&'static str, &'static str);

const WRITTEN: Marks = ("${", "}");
const SHOWN: Marks = ("«", "»");

impl Template {
    /// Reads a template that somebody wrote. A `${` that nothing closes stands for itself.
    ///
    /// # Errors
    ///
    /// The first `${…}` that is no reference.
    pub fn parse(source: impl AsRef<[u8]>) -> Result<Template, NoReference> {
        read(source.as_ref(), WRITTEN, Err)
    }

    /// Reads a template that was generated, and may have a `${…}` by chance: what is no reference stands for itself.
    pub fn lenient(source: impl AsRef<[u8]>) -> Template {
        let template: Result<Template, std::convert::Infallible> = read(source.as_ref(), WRITTEN, |_| Ok(()));
        template.unwrap_or_else(|never| match never {})
    }

    /// Reads what [`Template::shown`] gave. References may be written `${…}` as well.
    ///
    /// # Errors
    ///
    /// The first `«…»` or `${…}` that is no reference.
    pub fn from_shown(text: &str) -> Result<Template, NoReference> {
        let mut template = Template::default();
        for part in read(text.as_bytes(), SHOWN, Err)?.parts {
            match part {
                Part::Text(text) => Template::parse(text)?.parts.into_iter().for_each(|part| template.push(part)),
                reference @ Part::Reference(_) => template.push(reference),
            }
        }
        Ok(template)
    }

    /// Bytes that stand for themselves, whatever is in them.
    pub fn literal(bytes: impl Into<Bytes>) -> Template {
        let mut template = Template::default();
        template.push(Part::Text(bytes.into()));
        template
    }

    /// Its parts in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Its references in order, each as often as it is there.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        self.parts.iter().filter_map(|part| match part {
            Part::Reference(reference) => Some(reference),
            Part::Text(_) => None,
        })
    }

    /// The template as it was read.
    pub fn to_bytes(&self) -> Bytes {
        let mut out = Vec::new();
        for part in &self.parts {
            match part {
                Part::Text(bytes) => out.extend_from_slice(bytes),
                Part::Reference(reference) => out.extend_from_slice(reference.written().as_bytes()),
            }
        }
        Bytes::from(out)
    }

    /// The template as it was read, if it is text.
    pub fn to_text(&self) -> Option<String> {
        String::from_utf8(self.to_bytes().into()).ok()
    }

    /// The template for a reader: `${upload.uploadId}` reads `«upload.uploadId»`.
    pub fn shown(&self) -> String {
        let shown = |part: &Part| match part {
            Part::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Part::Reference(reference) => format!("«{reference}»"),
        };
        self.parts.iter().map(shown).collect()
    }

    /// A template of JSON as JSON: references that stand outside of strings, for numbers, are put in quotes. `None` if it
    /// is no text.
    pub fn to_json(&self) -> Option<String> {
        let mut json = String::new();
        let (mut in_string, mut escaped) = (false, false);
        for part in &self.parts {
            match part {
                Part::Text(bytes) => {
                    let text = std::str::from_utf8(bytes).ok()?;
                    for letter in text.chars() {
                        in_string ^= letter == '"' && !escaped;
                        escaped = in_string && letter == '\\' && !escaped;
                    }
                    json += text;
                }
                Part::Reference(reference) if in_string => {
                    escaped = false;
                    json += &reference.written();
                }
                Part::Reference(reference) => json += &format!("\"{}\"", reference.written()),
            }
        }
        Some(json)
    }

    /// The template with other references.
    pub fn map(&self, mut change: impl FnMut(&Reference) -> Part) -> Template {
        let mut template = Template::default();
        for part in &self.parts {
            template.push(match part {
                Part::Text(bytes) => Part::Text(bytes.clone()),
                Part::Reference(reference) => change(reference),
            });
        }
        template
    }

    /// The template with other names for repositories, steps and chunks.
    pub fn rename(&self, name: impl Fn(&str) -> String) -> Template {
        self.map(|reference| Part::Reference(reference.rename(&name)))
    }

    fn push(&mut self, part: Part) {
        match (self.parts.last_mut(), part) {
            (_, Part::Text(bytes)) if bytes.is_empty() => {}
            (Some(Part::Text(before)), Part::Text(bytes)) => *before = Bytes::from([&before[..], &bytes[..]].concat()),
            (_, part) => self.parts.push(part),
        }
    }
}

impl FromIterator<Part> for Template {
    fn from_iter<T: IntoIterator<Item = Part>>(parts: T) -> Template {
        let mut template = Template::default();
        parts.into_iter().for_each(|part| template.push(part));
        template
    }
}

/// A text with its references as a reader sees them: [`Template::shown`].
pub fn shown(text: &str) -> String {
    Template::lenient(text).shown()
}

impl Part {
    /// A text that stands for itself.
    pub fn text(text: &str) -> Part {
        Part::Text(Bytes::copy_from_slice(text.as_bytes()))
    }
}

/// The template as it was read; bytes that are no text are replaced by a mark.
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.to_bytes()))
    }
}

/// Takes bytes apart. What is between two marks and no reference is `rejected`, and stands for itself if that lets it.
fn read<E>(
    source: &[u8],
    (open, close): Marks,
    mut rejected: impl FnMut(NoReference) -> Result<(), E>,
) -> Result<Template, E> {
    let mut template = Template::default();
    let text = |range: std::ops::Range<usize>| Part::Text(Bytes::copy_from_slice(&source[range]));
    let (mut begun, mut at) = (0, 0);
    while let Some(start) = find(&source[at..], open.as_bytes()).map(|found| at + found) {
        let first = start + open.len();
        let Some(end) = find(&source[first..], close.as_bytes()).map(|found| first + found) else { break };
        match of_bytes(&source[first..end]) {
            Ok(reference) => {
                template.push(text(begun..start));
                template.push(Part::Reference(reference));
                (begun, at) = (end + close.len(), end + close.len());
            }
            Err(mistake) => {
                rejected(mistake)?;
                at = first;
            }
        }
    }
    template.push(text(begun..source.len()));
    Ok(template)
}

fn of_bytes(name: &[u8]) -> Result<Reference, NoReference> {
    let text = || String::from_utf8_lossy(name).into_owned();
    std::str::from_utf8(name).map_err(|_| NoReference::NotText(text()))?.parse()
}

/// Where a mark stands. Looked for by its first byte: the catalogue is read at every start.
fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let first = needle.first()?;
    let mut at = 0;
    while let Some(found) = haystack[at..].iter().position(|byte| byte == first) {
        if haystack[at + found..].starts_with(needle) {
            return Some(at + found);
        }
        at += found + 1;
    }
    None
}

#[cfg(test)]
mod tests;
