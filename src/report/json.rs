//! JSON as it stands in a report: on lines, and with nothing in it that acts on a terminal.

use serde_json::Value;

use crate::wire::envelope::visible_json;

/// The text of a value. What a string has that acts on a terminal is an escape.
pub(super) fn text(value: &Value) -> String {
    visible_json(&format!("{value:#}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_an_escape_that_reads_back() {
        let value = Value::from("\u{1b}[2J\u{9b}\u{202e}\u{2028}\u{7f}é\n");
        assert_eq!(text(&value), "\"\\u001b[2J\\u009b\\u202e\\u2028\\u007fé\\n\"\n");
        assert_eq!(serde_json::from_str::<Value>(&text(&value)).unwrap(), value);
    }
}
