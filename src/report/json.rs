//! JSON as it stands in a report: on lines, and with nothing in it that acts on a terminal.

use serde_json::Value;

use crate::wire::envelope::visible;

/// The text of a value. What a string has that acts on a terminal is an escape.
pub(super) fn text(value: &Value) -> String {
    let mut text = String::new();
    for letter in format!("{value:#}\n").chars() {
        if letter == '\n' || visible(letter) == letter {
            text.push(letter);
        } else {
            // Outside of a string there is no such letter. None of them is beyond the basic plane.
            text += &format!("\\u{:04x}", u32::from(letter));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_an_escape_that_reads_back() {
        let value = Value::from("\u{1b}[2J\u{9b}\u{202e}\u{7f}é\n");
        assert_eq!(text(&value), "\"\\u001b[2J\\u009b\\u202e\\u007fé\\n\"\n");
        assert_eq!(serde_json::from_str::<Value>(&text(&value)).unwrap(), value);
    }
}
