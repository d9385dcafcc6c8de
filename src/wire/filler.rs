//! The bytes that all large parts share, and their base64 text. They are made when they are needed: neither takes memory
//! beside what is being sent.

use std::sync::OnceLock;

use bytes::Bytes;

use crate::contract::blob;

/// How many bytes the filler is made in at a time: a multiple of three, for base64, and of eight.
const BLOCK: usize = 24 << 10;

/// How many characters such a block has as text.
const CHARACTERS: usize = BLOCK / 3 * 4;

/// How many blocks are kept as text: enough for the smallest part that is lawful before the last.
const KEPT: usize = (5 << 20) / BLOCK + 1;

/// The generator of the filler: xorshift64, so that no run compresses away.
#[derive(Clone, Copy, Debug)]
struct Maker(u64);

/// A maker at its beginning.
const BEGINNING: Maker = Maker(0x9e37_79b9_7f4a_7c15);

impl Maker {
    fn fill(&mut self, block: &mut [u8; BLOCK]) {
        // As arrays: that needs no look at lengths, which unoptimised takes longer than all the rest of a case.
        let (words, _) = block.as_chunks_mut();
        for word in words {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            *word = self.0.to_le_bytes();
        }
    }
}

/// Hands the first `len` bytes of the filler to `take`, block by block.
pub(crate) fn bytes(len: usize, mut take: impl FnMut(&[u8])) {
    let mut maker = BEGINNING;
    let mut block = [0; BLOCK];
    let mut rest = len;
    while rest > 0 {
        maker.fill(&mut block);
        let made = &block[..rest.min(BLOCK)];
        take(made);
        rest -= made.len();
    }
}

/// The base64 text of the first `len` bytes of the filler, in pieces.
pub(super) fn text(len: usize) -> impl Iterator<Item = Bytes> + Send {
    let (kept, maker) = kept();
    let whole = len / BLOCK;
    let shared = kept.slice(..whole.min(KEPT) * CHARACTERS);
    let mut maker = if whole < KEPT { None } else { Some(*maker) };
    let made = (whole.min(KEPT)..len.div_ceil(BLOCK)).map(move |number| {
        let of_block = (len - number * BLOCK).min(BLOCK);
        match &mut maker {
            Some(maker) => {
                let mut block = [0; BLOCK];
                maker.fill(&mut block);
                encoded(&block[..of_block])
            }
            // The last one, of which a part is needed.
            None => {
                let text = &kept[number * CHARACTERS..][..of_block.div_ceil(3) * 4];
                let text = std::str::from_utf8(text).unwrap_or_default();
                encoded(&blob::bytes(text).unwrap_or_default()[..of_block])
            }
        }
    });
    std::iter::once(shared).chain(made).filter(|piece| !piece.is_empty())
}

fn encoded(bytes: &[u8]) -> Bytes {
    let mut text = Vec::with_capacity(CHARACTERS);
    blob::write(bytes, &mut text);
    Bytes::from(text)
}

/// The text of the first blocks, and the maker of those behind it.
fn kept() -> &'static (Bytes, Maker) {
    static KEPT_TEXT: OnceLock<(Bytes, Maker)> = OnceLock::new();
    KEPT_TEXT.get_or_init(|| {
        let mut maker = BEGINNING;
        let mut block = [0; BLOCK];
        let mut text = Vec::with_capacity(KEPT * CHARACTERS);
        for _ in 0..KEPT {
            maker.fill(&mut block);
            blob::write(&block, &mut text);
        }
        (Bytes::from(text), maker)
    })
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn the_text_is_that_of_the_bytes_wherever_it_ends() {
        let around = |len: usize| [len - 2, len - 1, len, len + 1, len + 2];
        let lengths = [0, 1, 2, 3]
            .into_iter()
            .chain([BLOCK, 3 * BLOCK, KEPT * BLOCK, (KEPT + 2) * BLOCK].map(around).into_iter().flatten());
        for len in lengths {
            let mut all = Vec::new();
            bytes(len, |block| all.extend_from_slice(block));
            let text: Vec<u8> = text(len).flat_map(|piece| piece.to_vec()).collect();
            assert_eq!(all.len(), len);
            assert!(text == STANDARD.encode(&all).into_bytes(), "{len} bytes");
        }
    }

    #[test]
    fn what_is_kept_is_shared() {
        let beginnings: Vec<Bytes> = (0..2).filter_map(|more| text(5 << 20 | more).next()).collect();
        assert_eq!(beginnings[0].as_ptr(), beginnings[1].as_ptr());
        assert!(beginnings[0].len() > 4 << 20);
    }
}
