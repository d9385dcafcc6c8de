//! Blobs: bytes that travel as base64 text, as RFC 4648 has it.
//!
//! A part has up to 20 MiB, and several are under way at once. So they are read and written block by block: neither needs
//! the bytes as a whole beside their text.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::alphabet;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use base64::engine::simd::Simd as Fast;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose};

/// The fastest engine of this machine for the standard alphabet.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn engine(config: GeneralPurposeConfig) -> Fast {
    Fast::standard(config)
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
use GeneralPurpose as Fast;

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn engine(config: GeneralPurposeConfig) -> Fast {
    Fast::new(&alphabet::STANDARD, config)
}

static PADDED: LazyLock<Fast> = LazyLock::new(|| engine(general_purpose::PAD));
/// For all blocks of a text but the last: padding stands at the end alone.
static UNPADDED: LazyLock<Fast> = LazyLock::new(|| engine(general_purpose::NO_PAD));

/// How many bytes a block has.
const BYTES: usize = 24 << 10;

/// How many characters it has as text.
const CHARACTERS: usize = BYTES / 3 * 4;

/// Hands the bytes of a text to `take`, block by block, and gives their number; `None` if the text is no base64, which may
/// show only after some blocks.
pub fn read(text: &str, mut take: impl FnMut(&[u8])) -> Option<usize> {
    let text = text.as_bytes();
    let (blocks, last) = text.split_at(text.len().saturating_sub(1) / CHARACTERS * CHARACTERS);
    let mut block = [0; BYTES];
    let mut size = 0;
    for characters in blocks.chunks_exact(CHARACTERS) {
        let read = UNPADDED.decode_slice(characters, &mut block).ok()?;
        take(&block[..read]);
        size += read;
    }
    let read = PADDED.decode_slice(last, &mut block).ok()?;
    take(&block[..read]);
    Some(size + read)
}

/// How many bytes a text stands for, if it is base64.
pub fn size(text: &str) -> Option<usize> {
    read(text, |_| {})
}

/// The bytes of a text, if it is base64.
pub fn bytes(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    read(text, |block| bytes.extend_from_slice(block))?;
    Some(bytes)
}

/// Appends bytes as text.
pub fn write(bytes: &[u8], out: &mut Vec<u8>) {
    let mut block = [0; CHARACTERS];
    for bytes in bytes.chunks(BYTES) {
        let written = PADDED.encode_slice(bytes, &mut block).expect("a block fits into its text");
        out.extend_from_slice(&block[..written]);
    }
}

/// Whether a text that is no base64 is some without the padding.
pub fn lacks_padding(text: &str) -> bool {
    let lenient = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    lenient.decode(text).is_ok()
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn blocks_are_read_and_written_as_the_whole() {
        let bytes: Vec<u8> = (0..3 * BYTES + 5).map(|index| (index * index / 7) as u8).collect();
        for len in [0, 1, 2, 3, 100, BYTES - 1, BYTES, BYTES + 1, 2 * BYTES, 2 * BYTES + 2, bytes.len()] {
            let mut text = Vec::new();
            write(&bytes[..len], &mut text);
            let text = String::from_utf8(text).unwrap();
            assert_eq!(text, STANDARD.encode(&bytes[..len]), "{len} bytes");
            assert_eq!((size(&text), self::bytes(&text).as_deref()), (Some(len), Some(&bytes[..len])));
        }
    }

    #[test]
    fn a_text_is_no_base64_wherever_it_is_wrong() {
        let text = STANDARD.encode(vec![7; 2 * BYTES + 1]);
        let places = [0, 1, CHARACTERS - 1, CHARACTERS, 2 * CHARACTERS - 1, 2 * CHARACTERS, text.len() - 1];
        for (place, wrong) in places.into_iter().flat_map(|place| ["=", "*", "-", "\n", ""].map(|wrong| (place, wrong)))
        {
            let mut text = text.clone();
            text.replace_range(place..place + 1, wrong);
            assert_eq!(size(&text), STANDARD.decode(&text).ok().map(|bytes| bytes.len()), "{wrong:?} at {place}");
        }
        for text in ["AA==", "AB==", "AAA=", "AAB=", "AA", "A", "AAAA=", "====", "AA==AAAA", " AAAA"] {
            assert_eq!(bytes(text), STANDARD.decode(text).ok(), "{text}");
        }
    }

    #[test]
    fn no_block_is_larger_than_a_block() {
        let text = STANDARD.encode(vec![7; 10 * BYTES + 1]);
        let mut sizes = Vec::new();
        read(&text, |block| sizes.push(block.len()));
        assert_eq!(sizes, [[BYTES; 10].as_slice(), &[1]].concat());
    }

    #[test]
    fn padding_that_is_missing_is_told_from_other_mistakes() {
        assert_eq!(["AA", "AAA", "A", "A*", "AA="].map(lacks_padding), [true, true, false, false, true]);
    }
}
