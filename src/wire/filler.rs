//! The bytes that all large parts share, and their base64 text: the same again and again, so that the text of some is that
//! of all. The bytes are made when they are needed.

use std::sync::{Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::contract::blob;

/// How many bytes the filler is made in at a time: a multiple of three, for base64, and of eight.
const BLOCK: usize = 24 << 10;

/// After so many blocks, it begins anew: their text is kept. Enough for the smallest part that is lawful before the last,
/// and no size that a server cuts bytes into.
const KEPT: usize = (5 << 20) / BLOCK + 1;

/// The generator of the filler: xorshift64, so that no run compresses away.
#[derive(Clone, Copy, Debug)]
struct Maker(u64);

impl Default for Maker {
    /// At the beginning.
    fn default() -> Maker {
        Maker(0x9e37_79b9_7f4a_7c15)
    }
}

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
    if len == 0 {
        return; // Small parts have none: they need no block.
    }
    let mut maker = Maker::default();
    let mut block = [0; BLOCK];
    for number in 0..len.div_ceil(BLOCK) {
        if number.is_multiple_of(KEPT) {
            maker = Maker::default();
        }
        maker.fill(&mut block);
        take(&block[..BLOCK.min(len - number * BLOCK)]);
    }
}

/// The hash of the first `len` bytes of the filler, which more may follow.
pub(crate) fn hashed(len: usize) -> Sha256 {
    /// Of no block, of the first one, and so on: their hash, and what makes those behind them.
    static KNOWN: Mutex<Vec<(Sha256, Maker)>> = Mutex::new(Vec::new());
    if len == 0 {
        return Sha256::new();
    }
    let (whole, rest) = (len / BLOCK, len % BLOCK);
    let mut block = [0; BLOCK];
    let (mut hash, mut maker) = {
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        while known.len() <= whole {
            let (mut hash, mut maker) = known.last().cloned().unwrap_or_default();
            if !known.is_empty() {
                maker.fill(&mut block);
                hash.update(block);
            }
            let begins_anew = known.len().is_multiple_of(KEPT);
            known.push((hash, if begins_anew { Maker::default() } else { maker }));
        }
        known[whole].clone()
    };
    maker.fill(&mut block);
    hash.update(&block[..rest]);
    hash
}

/// The base64 text of the first `len` bytes of the filler, in pieces. `len` is a multiple of three.
pub(super) fn text(len: usize) -> impl Iterator<Item = Bytes> + Send {
    debug_assert!(len.is_multiple_of(3), "the text of {len} bytes ends within a character");
    let (kept, len) = (kept(), blob::text_len(len));
    let whole = std::iter::repeat_n(kept.clone(), len / kept.len());
    whole.chain([kept.slice(..len % kept.len())]).filter(|piece| !piece.is_empty())
}

/// The text of the blocks before it begins anew.
fn kept() -> &'static Bytes {
    static KEPT_TEXT: OnceLock<Bytes> = OnceLock::new();
    KEPT_TEXT.get_or_init(|| {
        let mut text = Vec::with_capacity(blob::text_len(KEPT * BLOCK));
        bytes(KEPT * BLOCK, |block| blob::write(block, &mut text));
        Bytes::from(text)
    })
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn the_text_is_that_of_the_bytes_wherever_it_ends() {
        let around = |len: usize| [len - 6, len - 3, len, len + 3, len + 6];
        let ends = [BLOCK, 3 * BLOCK, KEPT * BLOCK, (KEPT + 2) * BLOCK, 2 * KEPT * BLOCK].map(around);
        let lengths = [0, 3, 6].into_iter().chain(ends.into_iter().flatten());
        for len in lengths {
            let mut all = Vec::new();
            bytes(len, |block| all.extend_from_slice(block));
            let text: Vec<u8> = text(len).flat_map(|piece| piece.to_vec()).collect();
            assert_eq!(all.len(), len);
            assert!(text == STANDARD.encode(&all).into_bytes(), "{len} bytes");
            assert_eq!(hashed(len).finalize(), Sha256::digest(&all), "{len} bytes");
        }
    }

    #[test]
    fn what_is_kept_is_shared() {
        let beginnings: Vec<Bytes> = (0..2).filter_map(|more| text((5 << 20) / 3 * 3 + 3 * more).next()).collect();
        assert_eq!(beginnings[0].as_ptr(), beginnings[1].as_ptr());
        assert!(beginnings[0].len() > 4 << 20);
    }
}
