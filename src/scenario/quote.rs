//! Strings as a scenario file has them: bare, in quotes, or as JSON, so that YAML reads what was meant.

use crate::wire::envelope::visible;

/// A string, without quotes where it is sure to be read as that string, also in a list.
pub(super) fn scalar(text: &str) -> String {
    const WORDS: [&str; 8] = ["null", "true", "false", "yes", "no", "on", "off", "nan"];
    let first = text.starts_with(|letter: char| letter.is_ascii_alphabetic());
    let inner = |letter: char| letter.is_ascii_alphanumeric() || " -_./;+=()$".contains(letter);
    let colon = |index: usize| text[index + 1..].starts_with(|letter: char| letter.is_ascii_alphanumeric());
    let safe = text.char_indices().all(|(index, letter)| inner(letter) || (letter == ':' && colon(index)));
    let word = text.len() == 1 || WORDS.iter().any(|word| text.eq_ignore_ascii_case(word));
    if first && safe && !text.ends_with(' ') && !word { String::from(text) } else { quote(text) }
}

/// A string in quotes: in single ones where that needs no escapes, or else as JSON.
pub(super) fn quote(text: &str) -> String {
    if text.contains('"') && !text.contains('\'') && text.chars().all(is_plain_text) {
        return format!("'{text}'");
    }
    json(text)
}

/// A string as JSON has it, which is YAML too.
pub(super) fn json(text: &str) -> String {
    let mut out = String::new();
    for letter in serde_json::Value::from(text).to_string().chars() {
        if is_plain_text(letter) {
            out.push(letter);
        } else {
            letter.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out += &format!("\\u{unit:04x}"));
        }
    }
    out
}

/// Whether a letter stands in a file as itself: YAML reads some as the end of a line, and an editor shows some not at
/// all.
pub(super) fn is_plain_text(letter: char) -> bool {
    let line = matches!(letter, '\u{85}' | '\u{2028}' | '\u{2029}');
    let nothing = matches!(letter, '\u{feff}' | '\u{fffe}' | '\u{ffff}');
    !line && !nothing && (letter == '\u{fffd}' || visible(letter) == letter)
}
