//! Hostile text in the place of all that a report shows.

use serde_json::Value;

/// Replaces every text of an event by a hostile one, but for what must be of some form.
pub fn poison(value: &mut Value, with: &str) {
    const FREE: [&str; 16] = [
        "target",
        "title",
        "case",
        "reason",
        "breach",
        "repositories",
        "account",
        "text",
        "step",
        "options",
        "client",
        "calls",
        "method",
        "headers",
        "answer_headers",
        "flags",
    ];
    fn all(value: &mut Value, with: &str) {
        match value {
            Value::String(text) => *text = format!("{with}{text}"),
            Value::Array(items) => items.iter_mut().for_each(|item| all(item, with)),
            _ => {}
        }
    }
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| poison(item, with)),
        Value::Object(members) => {
            for (name, member) in members {
                match name.as_str() {
                    // Codes are read: of what a target says they have names and values, in quotes.
                    "got" if member.is_string() => *member = Value::from(format!("400 {}", Value::from(with))),
                    "expected" if member.is_string() => *member = Value::from(format!("message-text {with}")),
                    name if FREE.contains(&name) && !member.is_object() => all(member, with),
                    _ => poison(member, with),
                }
            }
        }
        _ => {}
    }
}
