//! The bytes that all large parts share, and their base64 text: the same again and again, so that the text of some is that
//! of all. The bytes are made when they are needed.

use std::sync::OnceLock;

use bytes::Bytes;

use crate::contract::blob;

/// How many bytes the filler is made in at a time: a multiple of three, for base64, and of eight.
const BLOCK: usize = 24 << 10;

/// How many characters such a block has as text.
const CHARACTERS: usize = BLOCK / 3 * 4;

/// After so many blocks, it begins anew: their text is kept. Enough for the smallest part that is lawful before the last,
/// and no size that a server cuts bytes into.
const KEPT: usize = (5 << 20) / BLOCK + 1;

/// The generator of the filler: xorshift64, so that no run compresses away.
#[derive(Clone, Copy, Debug)]
struct Maker(u64);

impl Maker {
    /// At the beginning.
    fn new() -> Maker {
        Maker(0x9e37_79b9_7f4a_7c15)
    }

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
        return; // Of small parts there is none: they need no block.
    }
    let mut maker = Maker::new();
    let mut block = [0; BLOCK];
    for number in 0..len.div_ceil(BLOCK) {
        if number % KEPT == 0 {
            maker = Maker::new();
        }
        maker.fill(&mut block);
        take(&block[..BLOCK.min(len - number * BLOCK)]);
    }
}

/// The base64 text of the first `len` bytes of the filler, in pieces.
pub(super) fn text(len: usize) -> impl Iterator<Item = Bytes> + Send {
    let kept = kept();
    let (whole, of_last) = (len / BLOCK, len % BLOCK);
    let whole_times = std::iter::repeat_n(kept.clone(), whole / KEPT);
    let (before, behind) = kept.split_at(whole % KEPT * CHARACTERS);
    let beginning = kept.slice_ref(before);
    let last = move || {
        let text = std::str::from_utf8(&behind[..of_last.div_ceil(3) * 4]).unwrap_or_default();
        let mut cut = Vec::new();
        blob::write(&blob::bytes(text).unwrap_or_default()[..of_last], &mut cut);
        Bytes::from(cut)
    };
    whole_times.chain([beginning]).chain(std::iter::once_with(last)).filter(|piece| !piece.is_empty())
}

/// The text of the blocks before it begins anew.
fn kept() -> &'static Bytes {
    static KEPT_TEXT: OnceLock<Bytes> = OnceLock::new();
    KEPT_TEXT.get_or_init(|| {
        let mut text = Vec::with_capacity(KEPT * CHARACTERS);
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
        let around = |len: usize| [len - 2, len - 1, len, len + 1, len + 2];
        let lengths = [0, 1, 2, 3].into_iter().chain(
            [BLOCK, 3 * BLOCK, KEPT * BLOCK, (KEPT + 2) * BLOCK, 2 * KEPT * BLOCK].map(around).into_iter().flatten(),
        );
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
