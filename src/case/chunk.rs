//! The bytes of parts: derived from a name, told apart by a salt, cheap at 20 MiB.
//!
//! A chunk is a filler that all chunks share, and an end of some 48 bytes that depends on salt and name. So chunks of
//! different cases differ; and of a large one, what takes long to encode and to hash is done once for all.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::contract::blob::{self, Notation};
use crate::wire::body::Writer;
use crate::wire::filler;

/// Bytes that a case uploads as one part.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Chunk {
    /// Its name in references: `${base64:NAME}`.
    pub name: String,
    /// How many bytes it has.
    pub len: Length,
}

/// How many bytes a chunk has.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Length {
    /// So many, at most [`Chunk::MAX`].
    Bytes(usize),
    /// As many as the target's InitiateLayerUpload calls `partSize`.
    PartSize,
    /// Those of a text, the same in every run.
    Text(Arc<str>),
    /// The same bytes again and again, the same in every run.
    Literal {
        /// The bytes.
        unit: Arc<[u8]>,
        /// How often they come; together at most [`Chunk::MAX`] bytes.
        times: usize,
    },
}

/// How many bytes the end of a chunk has at least, where there are so many. As many more as make the filler a multiple of
/// three, so that both are encoded separately.
const END: usize = 48;

impl Chunk {
    /// One byte more than the largest part that is allowed.
    pub const MAX: usize = 20_971_521;

    /// A chunk of this name and length.
    pub fn new(name: &str, len: usize) -> Chunk {
        Chunk { name: String::from(name), len: Length::Bytes(len) }
    }

    /// How many bytes it has; 0 where only the target says.
    pub fn bytes(&self) -> usize {
        match &self.len {
            Length::Bytes(len) => *len,
            Length::PartSize => 0,
            Length::Text(text) => text.len(),
            Length::Literal { unit, times } => unit.len().saturating_mul(*times),
        }
    }
}

/// The content of a chunk in one run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Content {
    /// What tells it from others: all of what is the same in every run, and the end of everything else.
    own: Vec<u8>,
    len: usize,
}

impl Content {
    /// The bytes of a chunk under a salt, on a target with this `partSize`.
    pub(super) fn of(chunk: &Chunk, salt: &str, part_size: usize) -> Content {
        let len = match &chunk.len {
            Length::Bytes(len) => *len,
            Length::PartSize => part_size,
            Length::Text(text) => return Content { own: Vec::from(text.as_bytes()), len: text.len() },
            Length::Literal { unit, times } => {
                let own = unit.repeat(*times);
                return Content { len: own.len(), own };
            }
        };
        let len = len.min(Chunk::MAX);
        let first = Sha256::digest(format!("{salt}/{}", chunk.name));
        let second = Sha256::digest(first);
        let mut own = [first, second].concat();
        own.truncate(len.min(END + len.saturating_sub(END) % 3));
        Content { own, len }
    }

    /// Number of bytes.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Number of characters of their base64 text.
    pub(super) fn text_len(&self) -> usize {
        blob::text_len(self.len)
    }

    /// Number of bytes that all chunks share, which come first.
    fn shared(&self) -> usize {
        self.len - self.own.len()
    }

    /// Writes their base64 text.
    pub(super) fn write_base64(&self, out: &mut Writer) {
        out.filler(self.shared());
        blob::write(&self.own, out.text());
    }

    /// The hash of them alone, as who reads them in this notation has it.
    pub(super) fn hashed(&self, notation: Notation) -> Sha256 {
        #[cfg(test)]
        HASHED.with(|hashed| hashed.set(hashed.get() + 1));
        let mut hash = match notation.names(self.shared()) {
            true => Sha256::new_with_prefix(blob::name_of_shared(self.shared())),
            false => filler::hashed(self.shared()),
        };
        hash.update(&self.own);
        hash
    }

    /// Feeds them to a hash of what comes before them.
    pub(super) fn hash_into(&self, hash: &mut Sha256, notation: Notation) {
        match notation.names(self.shared()) {
            true => hash.update(blob::name_of_shared(self.shared())),
            false => filler::bytes(self.shared(), |bytes| hash.update(bytes)),
        }
        hash.update(&self.own);
    }
}

#[cfg(test)]
thread_local! {
    static HASHED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// How many chunks this thread has hashed: what is only listed needs none.
#[cfg(test)]
pub(crate) fn hashed() -> usize {
    HASHED.get()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use bytes::Bytes;

    use super::*;

    fn text_of(content: &Content) -> Bytes {
        let mut out = Writer::default();
        content.write_base64(&mut out);
        out.done().whole()
    }

    #[test]
    fn base64_and_hash_are_of_the_same_bytes() {
        for len in [0, 1, 47, 48, 49, 50, 51, 24_000, 24_624, 24_625, 100_000, 7_000_000] {
            let content = Content::of(&Chunk::new("a", len), "salt", 0);
            let text = text_of(&content);
            assert_eq!(text.len(), content.text_len());
            let bytes = STANDARD.decode(&text).unwrap();
            assert_eq!(bytes.len(), len);
            assert_eq!(content.hashed(Notation::Base64).finalize(), Sha256::digest(&bytes), "{len} bytes");
            let mut hash = Sha256::new_with_prefix("before");
            content.hash_into(&mut hash, Notation::Base64);
            assert_eq!(hash.finalize(), Sha256::digest([&b"before"[..], &bytes].concat()), "{len} bytes");
        }
    }

    /// Targets have been found wrong by these bytes: they stay as they are.
    #[test]
    fn the_bytes_of_a_chunk_are_always_the_same() {
        let hash = Content::of(&Chunk::new("a", 100_000), "salt", 0).hashed(Notation::Base64);
        let digest = crate::case::bindings::hex(&hash.finalize());
        assert_eq!(digest, "86fc74cca4418734c4154c7b761953b11ff05f3030f6686fb378e53585d6b027");
    }

    #[test]
    fn a_literal_has_its_bytes() {
        let chunk =
            Chunk { name: String::from("a"), len: Length::Literal { unit: Arc::from(&b"\xff\0"[..]), times: 3 } };
        let content = Content::of(&chunk, "salt", 0);
        let (text, hash) = (text_of(&content), content.hashed(Notation::Base64));
        let bytes = b"\xff\0\xff\0\xff\0";
        assert_eq!((chunk.bytes(), STANDARD.decode(&text).unwrap()), (6, bytes.to_vec()));
        assert_eq!(hash.finalize(), Sha256::digest(bytes));
    }

    #[test]
    fn salts_and_names_tell_chunks_apart() {
        let text = |salt: &str, name: &str| text_of(&Content::of(&Chunk::new(name, 20), salt, 0));
        assert_ne!(text("a", "x"), text("b", "x"));
        assert_ne!(text("a", "x"), text("a", "y"));
        assert_eq!(text("a", "x"), text("a", "x"));
    }
}
