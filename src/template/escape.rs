//! Which characters of a text are written as escapes: another spelling of the same JSON string.

use std::str::FromStr;

use strum::VariantArray;

/// Which characters of a text are written as escapes, and how. RFC 8259, section 7.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, VariantArray)]
pub enum Escape {
    /// Every one as `\u006f`.
    All,
    /// Every one as `\u006F`.
    Upper,
    /// Every second one as `\u006f`.
    Mixed,
    /// The first one as `\u006f`.
    First,
    /// The last one as `\u006f`.
    Last,
    /// Every slash as `\/`.
    Slash,
}

impl Escape {
    /// All of them.
    pub const ALL: &[Escape] = <Escape as VariantArray>::VARIANTS;

    /// As it stands in a reference.
    pub const fn name(self) -> &'static str {
        match self {
            Escape::All => "all",
            Escape::Upper => "upper",
            Escape::Mixed => "mixed",
            Escape::First => "first",
            Escape::Last => "last",
            Escape::Slash => "slash",
        }
    }

    /// A text as it stands inside a JSON string.
    pub fn written(self, text: &str) -> String {
        let last = text.chars().count().saturating_sub(1);
        let escaped = |(place, letter): (usize, char)| match self {
            Escape::Slash if letter == '/' => String::from("\\/"),
            Escape::All => units(letter, false),
            Escape::Upper => units(letter, true),
            Escape::Mixed if place % 2 == 1 => units(letter, false),
            Escape::First if place == 0 => units(letter, false),
            Escape::Last if place == last => units(letter, false),
            Escape::Mixed | Escape::First | Escape::Last | Escape::Slash => plain(letter),
        };
        text.chars().enumerate().map(escaped).collect()
    }
}

/// A character as escapes of its units in UTF-16.
fn units(letter: char, upper: bool) -> String {
    let unit = |unit: &u16| if upper { format!("\\u{unit:04X}") } else { format!("\\u{unit:04x}") };
    letter.encode_utf16(&mut [0; 2]).iter().map(unit).collect()
}

/// A character that is escaped only if it must be.
fn plain(letter: char) -> String {
    let quoted = serde_json::Value::from(String::from(letter)).to_string();
    String::from(&quoted[1..quoted.len() - 1])
}

impl FromStr for Escape {
    type Err = ();

    fn from_str(text: &str) -> Result<Escape, ()> {
        Escape::ALL.iter().copied().find(|escape| escape.name() == text).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_the_same_in_every_spelling() {
        for text in ["", "a", "team/app-1", "sha256:0f", "a\"b\\c", "é😀", "\n/\n"] {
            for escape in Escape::ALL {
                let written = escape.written(text);
                let read: String = serde_json::from_str(&format!("\"{written}\"")).unwrap();
                assert_eq!(read, text, "{escape:?}: {written}");
            }
        }
        assert_eq!(Escape::Upper.written("o/"), "\\u006F\\u002F");
        assert_eq!(Escape::Mixed.written("abc"), "a\\u0062c");
        assert_eq!(Escape::First.written("abc"), "\\u0061bc");
        assert_eq!(Escape::Last.written("abc"), "ab\\u0063");
        assert_eq!(Escape::Slash.written("a/b"), "a\\/b");
    }
}
