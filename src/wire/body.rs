//! The body of a request that is sent. What is large in it is made when it goes out: a part of 20 MiB need not be in memory,
//! neither before nor after.

use std::borrow::Cow;

use bytes::{Bytes, BytesMut};

use super::{filler, room_for};
use crate::contract::blob::{self, Notation};

/// The body of a request, byte for byte.
#[derive(Clone, Debug, Default)]
pub struct Body {
    pieces: Vec<Piece>,
    len: usize,
}

/// Bytes that stand in a body, one piece behind the other.
#[derive(Clone, Debug)]
enum Piece {
    /// These.
    Bytes(Bytes),
    /// The base64 text of the first bytes of the filler.
    Filler {
        /// How many bytes of the filler.
        bytes: usize,
    },
    /// A text again and again.
    Repeat {
        /// The text, some times.
        block: Bytes,
        /// How many bytes in all.
        len: usize,
    },
}

/// About how long the block is that a repeated text is sent in.
const BLOCK: usize = 64 << 10;

impl Piece {
    fn chunks(&self) -> Box<dyn Iterator<Item = Bytes> + Send + '_> {
        match self {
            Piece::Bytes(bytes) => Box::new(std::iter::once(bytes.clone())),
            Piece::Filler { bytes } => Box::new(filler::text(*bytes)),
            Piece::Repeat { block, len } => {
                let size = block.len();
                Box::new((0..len.div_ceil(size)).map(move |number| block.slice(..size.min(len - number * size))))
            }
        }
    }
}

impl Body {
    /// How many bytes it has.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Its bytes, in pieces of which none is empty.
    pub fn chunks(&self) -> impl Iterator<Item = Bytes> + Send + '_ {
        self.pieces.iter().flat_map(Piece::chunks)
    }

    /// Its bytes as a whole. Of a large body they are copied.
    pub fn whole(&self) -> Bytes {
        match self.pieces.as_slice() {
            [] => Bytes::new(),
            [Piece::Bytes(bytes)] => bytes.clone(),
            _ => {
                let mut whole = room_for(self.len);
                self.chunks().for_each(|chunk| whole.extend_from_slice(&chunk));
                Bytes::from(whole)
            }
        }
    }

    /// Its bytes, but of the text that large parts share only its name: of JSON the same members, a part
    /// shorter. Enough for whoever asks what a request names.
    pub fn abridged(&self) -> Cow<'_, [u8]> {
        if let [Piece::Bytes(bytes)] = self.pieces.as_slice() {
            return Cow::Borrowed(bytes);
        }
        let mut kept = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Filler { bytes } => kept.extend_from_slice(blob::name_of_shared(*bytes).as_bytes()),
                other => other.chunks().for_each(|chunk| kept.extend_from_slice(&chunk)),
            }
        }
        Cow::Owned(kept)
    }

    /// Its first bytes, at most so many.
    pub fn beginning(&self, most: usize) -> Bytes {
        let mut beginning = BytesMut::new();
        for chunk in self.chunks() {
            beginning.extend_from_slice(&chunk[..chunk.len().min(most - beginning.len())]);
            if beginning.len() == most {
                break;
            }
        }
        beginning.freeze()
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Body {
        Body { len: bytes.len(), pieces: if bytes.is_empty() { Vec::new() } else { vec![Piece::Bytes(bytes)] } }
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Body {
        Body::from(Bytes::from(bytes))
    }
}

impl From<String> for Body {
    fn from(text: String) -> Body {
        Body::from(Bytes::from(text))
    }
}

impl PartialEq for Body {
    fn eq(&self, other: &Body) -> bool {
        self.len == other.len && self.whole() == other.whole()
    }
}

impl Eq for Body {}

/// A body that is put together.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    body: Body,
    /// What is not yet a piece.
    open: Vec<u8>,
}

impl Writer {
    /// One that may be told short texts of so many bytes together.
    pub(crate) fn with_room(len: usize) -> Writer {
        Writer { body: Body::default(), open: Vec::with_capacity(len) }
    }

    /// Where short texts go.
    pub(crate) fn text(&mut self) -> &mut Vec<u8> {
        &mut self.open
    }

    /// Adds the base64 text of the first bytes of the filler: a multiple of three.
    pub(crate) fn filler(&mut self, bytes: usize) {
        match Notation::Abridged.names(bytes) {
            false => filler::text(bytes).for_each(|piece| self.open.extend_from_slice(&piece)),
            true => self.add(Piece::Filler { bytes }, blob::text_len(bytes)),
        }
    }

    /// Adds a text, so many times.
    pub(crate) fn repeat(&mut self, text: &str, times: usize) {
        let len = text.len().saturating_mul(times);
        if len < BLOCK {
            self.open.extend_from_slice(text.repeat(times).as_bytes());
        } else {
            let block = Bytes::from(text.repeat(BLOCK.div_ceil(text.len())));
            self.add(Piece::Repeat { block, len }, len);
        }
    }

    fn add(&mut self, piece: Piece, len: usize) {
        self.close();
        self.body.pieces.push(piece);
        self.body.len += len;
    }

    fn close(&mut self) {
        if !self.open.is_empty() {
            self.body.len += self.open.len();
            self.body.pieces.push(Piece::Bytes(Bytes::from(std::mem::take(&mut self.open))));
        }
    }

    /// The body.
    pub(crate) fn done(mut self) -> Body {
        self.close();
        self.body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(filler: usize, times: usize) -> (Body, Vec<u8>) {
        let mut out = Writer::with_room(9);
        out.text().extend_from_slice(b"{\"a\":\"");
        out.filler(filler);
        out.text().extend_from_slice(b"\",\"b\":\"");
        out.repeat("abc", times);
        out.text().extend_from_slice(b"\"}");
        let text: Vec<u8> = filler::text(filler).flat_map(|piece| piece.to_vec()).collect();
        let expected = [b"{\"a\":\"", &text[..], b"\",\"b\":\"", "abc".repeat(times).as_bytes(), b"\"}"].concat();
        (out.done(), expected)
    }

    #[test]
    fn a_body_is_its_pieces() {
        for (filler, times) in [(0, 0), (6, 1), (30_000, 2), (6, 30_000), (100_002, 70_001), (12 << 20, 7 << 20)] {
            let (body, expected) = body(filler, times);
            assert_eq!(body.len(), expected.len());
            assert!(body.whole() == expected, "{filler} {times}");
            let chunks: Vec<u8> = body.chunks().inspect(|chunk| assert!(!chunk.is_empty())).flatten().collect();
            assert!(chunks == expected, "{filler} {times}");
            for most in [0, 1, 6, 7, 4096, 400_000] {
                assert!(body.beginning(most) == expected[..expected.len().min(most)], "{filler} {times} {most}");
            }
            assert!(body == Body::from(expected), "{filler} {times}");
        }
    }

    #[test]
    fn what_is_abridged_has_the_same_members() {
        let (large, _) = body(21 << 20, 9);
        let members: serde_json::Value = serde_json::from_slice(&large.abridged()).unwrap();
        assert_eq!(members.as_object().unwrap().keys().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(members["a"], blob::name_of_shared(21 << 20));
        assert!(large.abridged().len() < 100);
        for (filler, times) in [(30, 2), (30, 1 << 20)] {
            let (small, expected) = body(filler, times);
            assert!(small.abridged() == expected, "{filler} {times}");
        }
        assert!(Body::default().is_empty() && Body::default().abridged().is_empty());
    }
}
