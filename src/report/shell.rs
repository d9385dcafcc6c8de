//! Text as data in a shell: words and comments that no text can turn into code, and nothing that acts on a terminal.

use crate::wire::envelope::visible;

/// A NUL byte: no word of a shell can have one.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("no command line can have a NUL byte")]
pub struct Nul;

/// A text as one word of a POSIX shell.
///
/// # Errors
///
/// If the text has a NUL byte.
pub fn word(text: &str) -> Result<String, Nul> {
    let quoted = shlex::try_quote(text).map_err(|_| Nul)?;
    if text.chars().all(|letter| visible(letter) == letter) {
        return Ok(quoted.into_owned());
    }
    // What a command prints loses the line breaks at its end, so they are quoted by themselves.
    let kept = text.trim_end_matches('\n');
    let breaks = &text[kept.len()..];
    let kept = if kept.is_empty() { String::new() } else { format!("\"$(printf {})\"", format(kept.as_bytes())) };
    Ok(if breaks.is_empty() { kept } else { format!("{kept}'{breaks}'") })
}

/// Words as one command.
///
/// # Errors
///
/// If a word has a NUL byte.
pub fn command<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<String, Nul> {
    let words: Vec<String> = words.into_iter().map(word).collect::<Result<_, _>>()?;
    Ok(words.join(" "))
}

/// Bytes as the format of `printf` that prints them, in quotes. What is not visible is an octal escape.
pub fn format(bytes: &[u8]) -> String {
    let mut out = String::from("'");
    for chunk in bytes.utf8_chunks() {
        for (index, letter) in chunk.valid().char_indices() {
            match letter {
                '%' => out += "%%",
                '\\' => out += "\\\\",
                // A quote would end the word; a hyphen could begin an option.
                '\'' | '-' => octal(&mut out, &[letter as u8]),
                letter if visible(letter) == letter => out.push(letter),
                letter => octal(&mut out, &chunk.valid().as_bytes()[index..index + letter.len_utf8()]),
            }
        }
        octal(&mut out, chunk.invalid());
    }
    out + "'"
}

fn octal(out: &mut String, bytes: &[u8]) {
    bytes.iter().for_each(|byte| *out += &format!("\\{byte:03o}"));
}

/// A comment of one line, whatever the text.
pub fn comment(text: &str) -> String {
    format!("# {}\n", text.chars().map(visible).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted() {
        for (text, expected) in [
            ("plain/word-1.0", "plain/word-1.0"),
            ("", "''"),
            ("$(touch x)", "'$(touch x)'"),
            ("it's", "\"it's\""),
            ("\u{1b}[2J", r#""$(printf '\033[2J')""#),
            ("a\nb", r#""$(printf 'a\012b')""#),
            ("-%\\'\n\n", "\"$(printf '\\055%%\\\\\\047')\"'\n\n'"),
        ] {
            assert_eq!(word(text).unwrap(), expected, "{text:?}");
        }
        assert_eq!(word("a\0b"), Err(Nul));
        assert_eq!(command(["echo", "a b"]).unwrap(), "echo 'a b'");
    }

    #[test]
    fn formats_have_every_byte() {
        assert_eq!(format(b"{\"a\":\"\xff\0\x7f\"}"), r#"'{"a":"\377\000\177"}'"#);
        assert_eq!(format("é\u{85}".as_bytes()), r"'é\302\205'");
    }

    #[test]
    fn a_comment_is_one_line() {
        assert_eq!(comment("a\ntouch x\r\u{1b}"), "# a\u{fffd}touch x\u{fffd}\u{fffd}\n");
    }
}
