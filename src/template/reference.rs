//! What a place in a body can stand for.

use std::fmt;
use std::str::FromStr;

use super::Escape;

/// A place in a body that is filled when it is sent, written `${…}`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Reference {
    /// `repository`, `repository:NAME`: the repository of the case, or a further one.
    Repository(Option<String>),
    /// `absent`: the name of a repository that nobody made.
    Absent,
    /// `registry`: the account id that the target uses.
    Registry,
    /// `alias`: the alias of the target's registry, which the public service has beside the account id.
    Alias,
    /// `STEP.MEMBER`: a member of an earlier answer.
    Member(Member),
    /// `upper:STEP.MEMBER`: a member of an earlier answer in upper case.
    Upper(Member),
    /// `base64:CHUNK`: the bytes of a chunk as base64.
    Base64(String),
    /// `sha256:CHUNK+CHUNK…`: the digest of chunks put together, `sha256:` and 64 hex digits.
    Sha256(Chunks),
    /// `hex:CHUNK+…`, `hex-upper:CHUNK+…`: the hex digits of that digest alone.
    Hex {
        /// The chunks that it is the digest of.
        chunks: Chunks,
        /// Whether the digits are in upper case.
        upper: bool,
    },
    /// `sha256-prefix12:CHUNK+…`: the first twelve of these digits.
    Sha256Prefix12(Chunks),
    /// `sha256-last-digit-off:CHUNK+…`: these digits, the last one another.
    Sha256LastDigitOff(Chunks),
    /// `size:CHUNK+CHUNK…`: the number of bytes.
    Size(Chunks),
    /// `last:CHUNK+CHUNK…`: the position of the last byte, one less.
    Last(Chunks),
    /// `repeat:COUNT:TEXT`: the text, so many times.
    Repeat {
        /// How many times.
        count: usize,
        /// The text.
        text: String,
    },
    /// `pad:LENGTH:NAME`: what another reference stands for, a slash, and as many `a` as make it that long.
    Pad {
        /// How long it becomes.
        length: usize,
        /// What it begins with.
        of: Box<Reference>,
    },
    /// `cut:FROM-TO:NAME`: of what another reference stands for, the characters from one position to before another.
    Cut {
        /// Where it begins.
        from: usize,
        /// Where it ends: the first position that it has not.
        to: usize,
        /// What it is a part of.
        of: Box<Reference>,
    },
    /// `escape:HOW:NAME`: what another reference stands for, in another spelling of the same JSON string.
    Escaped {
        /// Which characters are escapes.
        how: Escape,
        /// What is written so.
        of: Box<Reference>,
    },
}

/// A member of the answer to a step.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Member {
    /// The name of the step.
    pub step: String,
    /// The name of the member.
    pub member: String,
}

/// The names of chunks that are put together, at least one.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Chunks(Vec<String>);

/// Why a text is no reference.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NoReference {
    /// It begins like no reference.
    #[error("{0:?} is no reference: expected one of {forms}", forms = Reference::FORMS.join(", "))]
    Unknown(String),
    /// It begins like one and goes on otherwise.
    #[error("{found:?} is no reference: expected {expected}")]
    Malformed {
        /// The text.
        found: String,
        /// The form that it should have.
        expected: &'static str,
    },
    /// Its bytes are no text.
    #[error("a reference is no UTF-8: {0:?}")]
    NotText(String),
}

impl Reference {
    /// How many bytes a repeated or padded text may have: more than the largest part has as base64.
    pub const MAX_MADE: usize = 32 << 20;

    /// How many characters it repeats a text to; 0 for what repeats none.
    pub(crate) fn repeats(&self) -> usize {
        match self {
            Reference::Repeat { count, text } => count.saturating_mul(text.chars().count()),
            _ => 0,
        }
    }

    /// The forms of all references, as a reader sees them.
    pub const FORMS: [&str; 19] = [
        "repository",
        "repository:NAME",
        "absent",
        "registry",
        "alias",
        "STEP.MEMBER",
        "upper:STEP.MEMBER",
        "base64:NAME",
        "sha256:NAME",
        "hex:NAME",
        "hex-upper:NAME",
        "sha256-prefix12:NAME",
        "sha256-last-digit-off:NAME",
        "size:NAME",
        "last:NAME",
        "repeat:COUNT:TEXT",
        "pad:LENGTH:REFERENCE",
        "cut:FROM-TO:REFERENCE",
        "escape:HOW:REFERENCE",
    ];

    /// The repository of a case, or a further one.
    pub fn repository(further: Option<&str>) -> Reference {
        Reference::Repository(further.map(String::from))
    }

    /// A member of the answer to a step.
    pub fn member(step: &str, member: &str) -> Reference {
        Reference::Member(Member { step: String::from(step), member: String::from(member) })
    }

    /// The digest of chunks.
    pub fn sha256(chunks: impl Into<Chunks>) -> Reference {
        Reference::Sha256(chunks.into())
    }

    /// The only reference of a text that has nothing besides it: `${sha256:layer}`.
    pub fn alone(text: &str) -> Option<Reference> {
        match super::Template::lenient(text).parts() {
            [super::Part::Reference(reference)] => Some(reference.clone()),
            _ => None,
        }
    }

    /// The reference as it stands in a template.
    pub fn written(&self) -> String {
        format!("${{{self}}}")
    }

    /// Whether it stands for a number, which a body has without quotes.
    pub fn is_number(&self) -> bool {
        match self {
            Reference::Size(_) | Reference::Last(_) => true,
            Reference::Repository(_)
            | Reference::Absent
            | Reference::Registry
            | Reference::Alias
            | Reference::Member(_)
            | Reference::Upper(_)
            | Reference::Base64(_)
            | Reference::Sha256(_)
            | Reference::Hex { .. }
            | Reference::Sha256Prefix12(_)
            | Reference::Sha256LastDigitOff(_)
            | Reference::Repeat { .. }
            | Reference::Pad { .. }
            | Reference::Cut { .. }
            | Reference::Escaped { .. } => false,
        }
    }

    /// The names of the chunks whose bytes it depends on, beyond how many they are.
    pub fn bytes_of(&self) -> &[String] {
        match self {
            Reference::Base64(chunk) => std::slice::from_ref(chunk),
            Reference::Sha256(chunks)
            | Reference::Hex { chunks, .. }
            | Reference::Sha256Prefix12(chunks)
            | Reference::Sha256LastDigitOff(chunks) => chunks.names(),
            Reference::Pad { of, .. } | Reference::Cut { of, .. } | Reference::Escaped { of, .. } => of.bytes_of(),
            Reference::Size(_)
            | Reference::Last(_)
            | Reference::Repository(_)
            | Reference::Absent
            | Reference::Registry
            | Reference::Alias
            | Reference::Member(_)
            | Reference::Upper(_)
            | Reference::Repeat { .. } => &[],
        }
    }

    /// The names of all chunks that it depends on.
    pub fn chunks(&self) -> &[String] {
        match self {
            Reference::Size(chunks) | Reference::Last(chunks) => chunks.names(),
            Reference::Pad { of, .. } | Reference::Cut { of, .. } | Reference::Escaped { of, .. } => of.chunks(),
            other => other.bytes_of(),
        }
    }

    /// The member of an earlier answer that it depends on.
    pub fn of_member(&self) -> Option<&Member> {
        match self {
            Reference::Member(member) | Reference::Upper(member) => Some(member),
            Reference::Pad { of, .. } | Reference::Cut { of, .. } | Reference::Escaped { of, .. } => of.of_member(),
            Reference::Repository(_)
            | Reference::Absent
            | Reference::Registry
            | Reference::Alias
            | Reference::Base64(_)
            | Reference::Sha256(_)
            | Reference::Hex { .. }
            | Reference::Sha256Prefix12(_)
            | Reference::Sha256LastDigitOff(_)
            | Reference::Size(_)
            | Reference::Last(_)
            | Reference::Repeat { .. } => None,
        }
    }

    /// The further repository that it depends on.
    pub fn further_repository(&self) -> Option<&str> {
        match self {
            Reference::Repository(further) => further.as_deref(),
            Reference::Pad { of, .. } | Reference::Cut { of, .. } | Reference::Escaped { of, .. } => {
                of.further_repository()
            }
            Reference::Absent
            | Reference::Registry
            | Reference::Alias
            | Reference::Member(_)
            | Reference::Upper(_)
            | Reference::Base64(_)
            | Reference::Sha256(_)
            | Reference::Hex { .. }
            | Reference::Sha256Prefix12(_)
            | Reference::Sha256LastDigitOff(_)
            | Reference::Size(_)
            | Reference::Last(_)
            | Reference::Repeat { .. } => None,
        }
    }

    /// The reference with other names for repositories, steps and chunks.
    pub fn rename(&self, name: &impl Fn(&str) -> String) -> Reference {
        let of_member = |Member { step, member }: &Member| Member { step: name(step), member: member.clone() };
        match self {
            Reference::Repository(further) => Reference::Repository(further.as_deref().map(name)),
            Reference::Member(member) => Reference::Member(of_member(member)),
            Reference::Upper(member) => Reference::Upper(of_member(member)),
            Reference::Pad { length, of } => Reference::Pad { length: *length, of: Box::new(of.rename(name)) },
            Reference::Cut { from, to, of } => Reference::Cut { from: *from, to: *to, of: Box::new(of.rename(name)) },
            Reference::Escaped { how, of } => Reference::Escaped { how: *how, of: Box::new(of.rename(name)) },
            other => other.with_chunks(&|chunk| vec![name(chunk)]),
        }
    }

    /// The reference with other chunks in place of each. Base64 is of one chunk: where there would be more, it stays.
    pub fn with_chunks(&self, others: &impl Fn(&str) -> Vec<String>) -> Reference {
        let put =
            |chunks: &Chunks| Chunks::of(chunks.names().iter().flat_map(|name| others(name))).unwrap_or(chunks.clone());
        match self {
            Reference::Base64(chunk) => match others(chunk).as_slice() {
                [only] => Reference::Base64(only.clone()),
                _ => self.clone(),
            },
            Reference::Sha256(chunks) => Reference::Sha256(put(chunks)),
            Reference::Hex { chunks, upper } => Reference::Hex { chunks: put(chunks), upper: *upper },
            Reference::Sha256Prefix12(chunks) => Reference::Sha256Prefix12(put(chunks)),
            Reference::Sha256LastDigitOff(chunks) => Reference::Sha256LastDigitOff(put(chunks)),
            Reference::Size(chunks) => Reference::Size(put(chunks)),
            Reference::Last(chunks) => Reference::Last(put(chunks)),
            Reference::Pad { length, of } => Reference::Pad { length: *length, of: Box::new(of.with_chunks(others)) },
            Reference::Cut { from, to, of } => {
                Reference::Cut { from: *from, to: *to, of: Box::new(of.with_chunks(others)) }
            }
            Reference::Escaped { how, of } => Reference::Escaped { how: *how, of: Box::new(of.with_chunks(others)) },
            Reference::Repository(_)
            | Reference::Absent
            | Reference::Registry
            | Reference::Alias
            | Reference::Member(_)
            | Reference::Upper(_)
            | Reference::Repeat { .. } => self.clone(),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reference::Repository(None) => f.write_str("repository"),
            Reference::Repository(Some(further)) => write!(f, "repository:{further}"),
            Reference::Absent => f.write_str("absent"),
            Reference::Registry => f.write_str("registry"),
            Reference::Alias => f.write_str("alias"),
            Reference::Member(member) => write!(f, "{member}"),
            Reference::Upper(member) => write!(f, "upper:{member}"),
            Reference::Base64(chunk) => write!(f, "base64:{chunk}"),
            Reference::Sha256(chunks) => write!(f, "sha256:{chunks}"),
            Reference::Hex { chunks, upper: false } => write!(f, "hex:{chunks}"),
            Reference::Hex { chunks, upper: true } => write!(f, "hex-upper:{chunks}"),
            Reference::Sha256Prefix12(chunks) => write!(f, "sha256-prefix12:{chunks}"),
            Reference::Sha256LastDigitOff(chunks) => write!(f, "sha256-last-digit-off:{chunks}"),
            Reference::Size(chunks) => write!(f, "size:{chunks}"),
            Reference::Last(chunks) => write!(f, "last:{chunks}"),
            Reference::Repeat { count, text } => write!(f, "repeat:{count}:{text}"),
            Reference::Pad { length, of } => write!(f, "pad:{length}:{of}"),
            Reference::Cut { from, to, of } => write!(f, "cut:{from}-{to}:{of}"),
            Reference::Escaped { how, of } => write!(f, "escape:{}:{of}", how.name()),
        }
    }
}

impl FromStr for Reference {
    type Err = NoReference;

    fn from_str(text: &str) -> Result<Reference, NoReference> {
        let (kind, argument) = match text.split_once(':') {
            Some((kind, argument)) => (kind, Some(argument)),
            None => (text, None),
        };
        let malformed = |expected| NoReference::Malformed { found: String::from(text), expected };
        let reference = match (kind, argument) {
            ("repository", further) => Reference::repository(further),
            ("absent", None) => Reference::Absent,
            ("registry", None) => Reference::Registry,
            ("alias", None) => Reference::Alias,
            ("upper", Some(name)) => {
                Reference::Upper(Member::find(name).ok_or_else(|| malformed("upper:STEP.MEMBER"))?)
            }
            ("base64", Some(chunk)) => Reference::Base64(String::from(chunk)),
            ("sha256", Some(chunks)) => Reference::sha256(chunks),
            ("hex", Some(chunks)) => Reference::Hex { chunks: chunks.into(), upper: false },
            ("hex-upper", Some(chunks)) => Reference::Hex { chunks: chunks.into(), upper: true },
            ("sha256-prefix12", Some(chunks)) => Reference::Sha256Prefix12(chunks.into()),
            ("sha256-last-digit-off", Some(chunks)) => Reference::Sha256LastDigitOff(chunks.into()),
            ("size", Some(chunks)) => Reference::Size(chunks.into()),
            ("last", Some(chunks)) => Reference::Last(chunks.into()),
            ("repeat", Some(rest)) => {
                let (count, text) = counted(rest).ok_or_else(|| malformed("repeat:COUNT:TEXT"))?;
                if count.checked_mul(text.len()).is_none_or(|bytes| bytes > Reference::MAX_MADE) {
                    return Err(malformed("at most 32 MiB of repeat:COUNT:TEXT"));
                }
                Reference::Repeat { count, text: String::from(text) }
            }
            ("pad", Some(rest)) => {
                let (length, of) = counted(rest).ok_or_else(|| malformed("pad:LENGTH:REFERENCE"))?;
                if length > Reference::MAX_MADE {
                    return Err(malformed("at most 32 MiB of pad:LENGTH:REFERENCE"));
                }
                // What is padded is a name: a padding of a padding is none, and would be of any depth.
                match of.parse()? {
                    Reference::Pad { .. } | Reference::Cut { .. } | Reference::Escaped { .. } => {
                        return Err(malformed("pad:LENGTH:REFERENCE"));
                    }
                    of => Reference::Pad { length, of: Box::new(of) },
                }
            }
            ("cut", Some(rest)) => {
                let (range, of) = rest.split_once(':').ok_or_else(|| malformed("cut:FROM-TO:REFERENCE"))?;
                let ends = range.split_once('-').and_then(|(from, to)| Some((number(from)?, number(to)?)));
                let (from, to) = ends.ok_or_else(|| malformed("cut:FROM-TO:REFERENCE"))?;
                match of.parse()? {
                    Reference::Pad { .. } | Reference::Cut { .. } | Reference::Escaped { .. } => {
                        return Err(malformed("cut:FROM-TO:REFERENCE"));
                    }
                    of => Reference::Cut { from, to, of: Box::new(of) },
                }
            }
            ("escape", Some(rest)) => {
                let form = || malformed("escape:HOW:REFERENCE");
                let (how, of) = rest.split_once(':').ok_or_else(form)?;
                let how = how.parse().map_err(|()| form())?;
                match of.parse()? {
                    Reference::Escaped { .. } => return Err(form()),
                    of => Reference::Escaped { how, of: Box::new(of) },
                }
            }
            // The name of a step may have a colon.
            _ => Reference::Member(Member::find(text).ok_or_else(|| NoReference::Unknown(String::from(text)))?),
        };
        Ok(reference)
    }
}

/// A number as it is printed, and what follows its colon.
fn counted(text: &str) -> Option<(usize, &str)> {
    let (digits, rest) = text.split_once(':')?;
    Some((number(digits)?, rest))
}

/// A number as it is printed.
fn number(digits: &str) -> Option<usize> {
    let number: usize = digits.parse().ok()?;
    (number.to_string() == digits).then_some(number)
}

impl Member {
    fn find(text: &str) -> Option<Member> {
        // The name of a step may have a dot, that of a member has none.
        let (step, member) = text.rsplit_once('.')?;
        Some(Member { step: String::from(step), member: String::from(member) })
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.step, self.member)
    }
}

impl Chunks {
    /// Chunks of these names; `None` where there is no name.
    pub fn of(names: impl IntoIterator<Item = String>) -> Option<Chunks> {
        let names: Vec<String> = names.into_iter().collect();
        (!names.is_empty()).then_some(Chunks(names))
    }

    /// One chunk.
    pub fn one(name: &str) -> Chunks {
        Chunks(vec![String::from(name)])
    }

    /// Their names.
    pub fn names(&self) -> &[String] {
        &self.0
    }
}

/// Names between which there is a `+`.
impl From<&str> for Chunks {
    fn from(names: &str) -> Chunks {
        Chunks(names.split('+').map(String::from).collect())
    }
}

impl fmt::Display for Chunks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("+"))
    }
}
