//! The syntax of a request, told a second time: by the `regex` crate and plain code over the numbers of the contract.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Number, Value};
use strum::VariantArray as _;

use super::pattern::length;
use crate::contract::pattern::Expression;
use crate::contract::{Kind, OperationSpec, Text};

/// The rules of syntax that the members of a request break.
pub(super) fn broken(operation: &OperationSpec, input: &Map<String, Value>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for member in operation.input {
        let faults = match input.get(member.name) {
            None | Some(Value::Null) if member.required => vec![String::from("required")],
            None | Some(Value::Null) => Vec::new(),
            Some(value) => of_value(&member.shape.kind, value),
        };
        found.extend(faults.into_iter().map(|fault| format!("{}/{}/{fault}", operation.name, member.name)));
    }
    found
}

fn of_value(kind: &Kind, value: &Value) -> Vec<String> {
    let faults = match (kind, value) {
        (Kind::Text(bounds), Value::String(text)) => of_text(bounds, text),
        (Kind::Long { min }, Value::Number(number)) => of_number(*min, number).into_iter().collect(),
        (Kind::Blob { max }, Value::String(text)) => of_base64(*max, text.as_bytes()).into_iter().collect(),
        (Kind::List { min, max, item }, Value::Array(items)) => {
            let mut faults: Vec<String> = items.iter().flat_map(|value| of_item(&item.kind, value)).collect();
            if items.len() < *min {
                faults.push(String::from("min-items"));
            }
            if max.is_some_and(|max| items.len() > max) {
                faults.push(String::from("max-items"));
            }
            return faults;
        }
        (Kind::Boolean, Value::Bool(_)) | (Kind::Timestamp, Value::Number(_)) => Vec::new(),
        (Kind::Structure(_), Value::Object(_)) => Vec::new(),
        _ => vec!["type"],
    };
    faults.into_iter().map(String::from).collect()
}

fn of_item(kind: &Kind, value: &Value) -> Vec<String> {
    match (kind, value) {
        (Kind::Text(bounds), Value::String(text)) => {
            let named = |fault| if fault == "editions" { String::from(fault) } else { format!("item-{fault}") };
            of_text(bounds, text).into_iter().map(named).collect()
        }
        (Kind::Text(_), Value::Null) => vec![String::from("item-null")],
        _ => vec![String::from("item-type")],
    }
}

fn of_text(bounds: &Text, text: &str) -> Vec<&'static str> {
    let mut faults = Vec::new();
    let length = length(text);
    let above = bounds.max.is_some_and(|max| length > max);
    if length < bounds.min || above {
        faults.push(if above { "max-length" } else { "min-length" });
    }
    let matching = bounds.patterns.iter().filter(|pattern| whole(pattern.expression, text)).count();
    if matching < bounds.patterns.len() {
        faults.push(if matching > 0 { "editions" } else { "pattern" });
    }
    faults
}

/// Whether the whole text matches.
pub(super) fn whole(expression: Expression, text: &str) -> bool {
    static COMPILED: LazyLock<Vec<Regex>> =
        LazyLock::new(|| Expression::VARIANTS.iter().copied().map(compiled).collect());
    // In this mode `$` is the very end, and letters and digits in brackets are those of ASCII.
    COMPILED[expression as usize].is_match(text)
}

fn compiled(expression: Expression) -> Regex {
    // Dialects disagree on the second dash of `0-9-_`; documented is a literal one.
    let text = expression.text().replace("[a-zA-Z0-9-_+.]", "[-a-zA-Z0-9_+.]").replace(r"\/", "[/]");
    Regex::new(&format!("^(?:{text})$")).expect("documented patterns compile")
}

/// A number as its decimal digits, which say more than a float's comparisons.
fn of_number(min: i64, number: &Number) -> Option<&'static str> {
    let value: i128 = match (number.as_i64(), number.as_u64(), number.as_f64()) {
        (Some(value), _, _) => i128::from(value),
        (None, Some(value), _) => i128::from(value),
        (None, None, Some(float)) => {
            let digits = format!("{float}"); // Without exponent, to the last digit.
            if digits.contains('.') {
                return Some("integer");
            }
            // A float beyond 2^53 stands for many integers; one of 39 digits is too much for the type here, too.
            match digits.parse::<i128>() {
                Ok(value) if value.abs() <= 1 << 53 => value,
                _ => return Some("64-bit"),
            }
        }
        (None, None, None) => return Some("64-bit"),
    };
    match value {
        value if value > i128::from(i64::MAX) => Some("64-bit"),
        value if value < i128::from(min) => Some("min"),
        _ => None,
    }
}

/// Base64 by counting: characters, padding, and the bits that the last character has too many.
fn of_base64(max: usize, text: &[u8]) -> Option<&'static str> {
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let digits = &text[..text.len() - padding];
    let values: Option<Vec<u8>> = digits.iter().map(|byte| digit(*byte)).collect();
    let Some(values) = values else { return Some("base64") };
    let (rest, needed) = (digits.len() % 4, (4 - digits.len() % 4) % 4);
    let spare = match rest {
        2 => 0b1111,
        3 => 0b11,
        _ => 0,
    };
    let last = values.last().copied().unwrap_or_default();
    if rest == 1 || last & spare != 0 || padding > needed {
        return Some("base64");
    }
    if padding < needed {
        return Some("base64-padding");
    }
    (digits.len() / 4 * 3 + rest.saturating_sub(1) > max).then_some("max-size")
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}
