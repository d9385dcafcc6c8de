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

/// How many characters a text has at most for which a whole block takes longer to make than to fill.
const SHORT: usize = 512;

/// Hands the bytes of a text to `take`, block by block, and gives their number; `None` if the text is no base64, which may
/// show only after some blocks.
pub fn read(text: &str, mut take: impl FnMut(&[u8])) -> Option<usize> {
    let text = text.as_bytes();
    if text.len() <= SHORT {
        let mut block = [0; SHORT];
        let read = PADDED.decode_slice(text, &mut block).ok()?;
        take(&block[..read]);
        return Some(read);
    }
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

/// How a text stands for bytes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Notation {
    /// As base64.
    #[default]
    Base64,
    /// As base64, but what large parts share is named by its length. For who makes the parts and needs to know what comes of
    /// them: nobody has to write, read and hash 20 MiB for that.
    Abridged,
}

/// What stands before and behind the number of bytes that large parts share.
const MARK: char = '~';

/// How many bytes of it are named, and not written, at least.
const NAMED: usize = 12 << 10;

impl Notation {
    /// Whether so many bytes of what large parts share are only named.
    pub fn names(self, shared: usize) -> bool {
        self == Notation::Abridged && shared >= NAMED
    }

    /// Hands the bytes of a text to `take`, and gives their number; `None` if the text stands for none.
    pub fn read(self, text: &str, mut take: impl FnMut(&[u8])) -> Option<usize> {
        match self.parts(text) {
            None => read(text, take),
            Some((name, shared, own)) => {
                take(name.as_bytes());
                Some(shared + read(own, take)?)
            }
        }
    }

    /// How many bytes a text stands for.
    pub fn size(self, text: &str) -> Option<usize> {
        self.read(text, |_| {})
    }

    /// The same of a text that is known to stand for bytes: 20 MiB need not be read for that.
    pub fn known_size(self, text: &str) -> usize {
        let size = |text: &str| text.trim_end_matches('=').len() * 3 / 4;
        self.parts(text).map_or_else(|| size(text), |(_, shared, own)| shared + size(own))
    }

    /// The name of what is only named in a text, of how many bytes, and what is written behind it.
    fn parts(self, text: &str) -> Option<(&str, usize, &str)> {
        let named = text.strip_prefix(MARK).filter(|_| self == Notation::Abridged)?;
        let (shared, own) = named.split_once(MARK)?;
        Some((&text[..text.len() - own.len()], shared.parse().ok()?, own))
    }
}

/// The name of so many bytes of what large parts share.
pub(crate) fn name_of_shared(bytes: usize) -> String {
    format!("{MARK}{bytes}{MARK}")
}

/// The bytes of a text, if it is base64.
pub fn bytes(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    read(text, |block| bytes.extend_from_slice(block))?;
    Some(bytes)
}

/// Appends bytes as text.
pub fn write(bytes: &[u8], out: &mut Vec<u8>) {
    if text_len(bytes.len()) <= SHORT {
        let mut block = [0; SHORT];
        let written = PADDED.encode_slice(bytes, &mut block).expect("it fits into its text");
        out.extend_from_slice(&block[..written]);
        return;
    }
    let mut block = [0; CHARACTERS];
    for bytes in bytes.chunks(BYTES) {
        let written = PADDED.encode_slice(bytes, &mut block).expect("a block fits into its text");
        out.extend_from_slice(&block[..written]);
    }
}

/// How many characters so many bytes have as text.
pub fn text_len(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
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
        for len in [0, 1, 2, 3, 100, 384, 385, BYTES - 1, BYTES, BYTES + 1, 2 * BYTES, 2 * BYTES + 2, bytes.len()] {
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
    fn what_is_abridged_has_the_size_of_the_whole() {
        let text = format!("{}AAAA", name_of_shared(1 << 20));
        assert_eq!((Notation::Abridged.size(&text), Notation::Base64.size(&text)), (Some(3 + (1 << 20)), None));
        assert_eq!(Notation::Abridged.known_size(&text), 3 + (1 << 20));
        for text in ["AAAA", "AA==", ""] {
            for notation in [Notation::Base64, Notation::Abridged] {
                assert_eq!((notation.size(text), notation.known_size(text)), (size(text), size(text).unwrap()));
            }
        }
        for text in ["~", "~~", "~7~A", "~7", "7~", "~-7~", "*"] {
            assert_eq!((Notation::Abridged.size(text), Notation::Base64.size(text)), (None, None), "{text}");
        }
        let bytes = |text: &str| {
            let mut bytes = Vec::new();
            Notation::Abridged.read(text, |more| bytes.extend_from_slice(more)).map(|_| bytes)
        };
        assert_ne!(bytes("~20000~AAAA"), bytes("~20001~AAAA"));
        assert_ne!(bytes("~20000~AAAA"), bytes("~20000~AAAB"));
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
