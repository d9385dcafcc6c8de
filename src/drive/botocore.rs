//! What botocore, and with it boto3 and the AWS CLI, rejects by itself before anything is sent: a member that is missing,
//! that it does not know, or that has another type, and what is below a least length or value. It looks at no pattern, at no
//! greatest length and at no list of values.
//!
//! Said in advance, so that nothing is made for a case that cannot be tried. What it says itself counts more: a call that it
//! rejects all the same is not sent either. tests/clients.rs holds this against botocore, call by call.

use serde_json::Value;

use super::caller::Call;
use crate::contract::{Kind, Member, Role, Service, blob};

/// Why botocore does not send a call, if so.
pub(super) fn rejects(service: Service, call: &Call) -> Option<String> {
    let Some(operation) = service.contract().operation(call.operation) else {
        return Some(format!("{service} has no {}", call.operation));
    };
    // Of what sets up and cleans up, the contract has not every member.
    if operation.name.role() != Role::Layer {
        return None;
    }
    let missing = operation.input.iter().find(|member| member.required && !call.members.contains_key(member.name));
    if let Some(member) = missing {
        return Some(format!("Missing required parameter in input: \"{}\"", member.name));
    }
    call.members.iter().find_map(|(name, value)| match operation.input(name) {
        None => Some(format!("Unknown parameter in input: \"{name}\"")),
        Some(member) => of_member(member, value),
    })
}

fn of_member(member: &Member, value: &Value) -> Option<String> {
    let name = member.name;
    match (&member.shape.kind, value) {
        // It takes bytes, and writes base64 by itself; what a reference stands for is known later.
        (Kind::Blob { .. }, Value::String(text)) if is_reference(text) => None,
        (Kind::Blob { .. }, Value::String(text)) => {
            let is_plain = blob::size(text).is_some();
            (!is_plain).then(|| format!("it takes bytes for {name} and writes base64 itself, which this is not"))
        }
        (kind, value) => of_kind(name, kind, value),
    }
}

fn of_kind(name: &str, kind: &Kind, value: &Value) -> Option<String> {
    let short = |length: usize, min: usize| {
        (length < min).then(|| format!("Invalid length for parameter {name}, value: {length}, valid min length: {min}"))
    };
    match (kind, value) {
        (Kind::Text(bounds), Value::String(text)) => short(text.chars().count(), bounds.min),
        (Kind::Long { min }, Value::Number(number)) if !number.is_f64() => {
            let below = number.as_i64().is_some_and(|number| number < *min);
            below.then(|| format!("Invalid value for parameter {name}, value: {number}, valid min value: {min}"))
        }
        // In Python, a truth value is a number.
        (Kind::Long { .. } | Kind::Boolean, Value::Bool(_)) => None,
        (Kind::List { min, item, .. }, Value::Array(items)) => {
            let of_item = |(index, value)| of_kind(&format!("{name}[{index}]"), &item.kind, value);
            short(items.len(), *min).or_else(|| items.iter().enumerate().find_map(of_item))
        }
        (Kind::Structure(_) | Kind::Timestamp, _) => None,
        // Without the value: cases that are not sent for one reason are one line of a report.
        _ => Some(format!("Invalid type for parameter {name}, valid types: {}", kind.word())),
    }
}

fn is_reference(text: &str) -> bool {
    text.contains("${")
}
