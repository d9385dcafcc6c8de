//! Holds the members of a request against the contract: the syntax only, no state.

use std::fmt;

use serde_json::{Map, Value};

use super::OperationSpec;
use super::blob::{self, Notation};
use super::pattern::Pattern;
use super::rule::{Constraint, OfText, RuleId};
use super::shape::{Kind, Shape, Text};

/// A rule that a request breaks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Breach {
    /// The rule.
    pub rule: RuleId,
    /// What the real service's message would say of it; empty where no text is known.
    pub message: String,
}

/// The rules that the members of a request break, in the order in which the server framework looks: types first, then
/// constraints. Unknown members are ignored; null is as if left out.
pub fn check(operation: &OperationSpec, input: &Map<String, Value>) -> Vec<Breach> {
    check_in(Notation::Base64, operation, input)
}

/// The same, of members in which parts stand in this notation.
pub(crate) fn check_in(notation: Notation, operation: &OperationSpec, input: &Map<String, Value>) -> Vec<Breach> {
    let mut types = Vec::new();
    let mut constraints = Vec::new();
    for member in operation.input {
        let id = |constraint| RuleId::of_member(operation.name, member.name, constraint);
        match input.get(member.name).filter(|value| !value.is_null()) {
            None if member.required => constraints.push(Breach {
                rule: id(Constraint::Required),
                message: constraint(member.name, "Member must not be null"),
            }),
            None => {}
            Some(value) => shape(notation, &id, member.name, member.shape, value, &mut types, &mut constraints),
        }
    }
    types.append(&mut constraints);
    types
}

/// A JSON number that is a 64-bit integer, in whatever notation: `10`, `10.0` and `1e1` are one number.
pub fn long(value: &Value) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0; // Beyond 2^53 a float no longer says which integer was meant.
    value.as_i64().or_else(|| {
        value.as_f64().filter(|found| found.fract() == 0.0 && found.abs() <= EXACT).map(|found| found as i64)
    })
}

/// A value of an answer that is not of its shape.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{}expected {expected}", self.place())]
pub struct Unfit {
    /// The members that lead to what is wrong, the outermost first; none where it is the value itself.
    pub path: Vec<&'static str>,
    /// What was expected there.
    pub expected: Fit,
}

/// What a shape wants of a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fit {
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// A string of which the whole matches this pattern.
    Pattern(&'static str),
    /// A whole number that is not below this one.
    AtLeast(i64),
    /// An object that has this member.
    Member(&'static str),
    /// A value of this type, by [`Kind::word`].
    Type(&'static str),
}

impl Unfit {
    /// The shape that was expected, with the members that lead to it: `layerSize: a whole number of at least 0`.
    pub fn shape(&self) -> String {
        format!("{}{}", self.place(), self.expected)
    }

    fn place(&self) -> String {
        self.path.iter().map(|member| format!("{member}: ")).collect()
    }

    fn within(mut self, member: &'static str) -> Unfit {
        self.path.insert(0, member);
        self
    }
}

impl fmt::Display for Fit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fit::OneOf(values) => write!(f, "one of {}", values.join(", ")),
            Fit::Pattern(pattern) => write!(f, "{pattern}, the whole of it"),
            Fit::AtLeast(min) => write!(f, "a whole number of at least {min}"),
            Fit::Member(name) => write!(f, "a member {name}"),
            Fit::Type(word) => write!(f, "a {word}"),
        }
    }
}

/// Whether a value of an answer is of its shape.
///
/// # Errors
///
/// The first part of the value that is not, and what was expected there.
pub fn conforms(of: &Shape, value: &Value) -> Result<(), Unfit> {
    let expected = |expected: Fit| Err(Unfit { path: Vec::new(), expected });
    match (&of.kind, value) {
        (Kind::Text(bounds), Value::String(found)) => {
            if !bounds.values.is_empty() && !bounds.values.contains(&found.as_str()) {
                return expected(Fit::OneOf(bounds.values));
            }
            if !bounds.matches_any(found) {
                return expected(Fit::Pattern(bounds.patterns[0].text()));
            }
            Ok(())
        }
        (Kind::Long { min }, value) if long(value).is_some_and(|found| found >= *min) => Ok(()),
        (Kind::Long { min }, _) => expected(Fit::AtLeast(*min)),
        (Kind::Boolean, Value::Bool(_)) | (Kind::Timestamp, Value::Number(_)) => Ok(()),
        (Kind::Blob { .. }, Value::String(found)) if blob::size(found).is_some() => Ok(()),
        (Kind::List { item, .. }, Value::Array(items)) => items.iter().try_for_each(|value| conforms(item, value)),
        (Kind::Structure(members), Value::Object(found)) => {
            members.iter().try_for_each(|member| match found.get(member.name) {
                None | Some(Value::Null) if member.required => expected(Fit::Member(member.name)),
                None | Some(Value::Null) => Ok(()),
                Some(value) => conforms(member.shape, value).map_err(|unfit| unfit.within(member.name)),
            })
        }
        (kind, _) => expected(Fit::Type(kind.word())),
    }
}

fn shape(
    notation: Notation,
    id: &dyn Fn(Constraint) -> RuleId,
    name: &str,
    of: &Shape,
    value: &Value,
    types: &mut Vec<Breach>,
    constraints: &mut Vec<Breach>,
) {
    let wrong_type = |constraint| Breach { rule: id(constraint), message: String::new() };
    match (&of.kind, value) {
        (Kind::Text(bounds), Value::String(found)) => text(id, &OfText::MEMBER, name, bounds, found, constraints),
        (Kind::Long { min }, Value::Number(number)) => match long(value) {
            Some(found) if found < *min => constraints.push(Breach {
                rule: id(Constraint::Min),
                message: constraint(name, &format!("Member must have value greater than or equal to {min}")),
            }),
            Some(_) => {}
            None if number.as_f64().is_some_and(|found| found.fract() != 0.0) => {
                types.push(wrong_type(Constraint::Integer))
            }
            None => types.push(wrong_type(Constraint::Bits)),
        },
        (Kind::Blob { max }, Value::String(found)) => match notation.size(found) {
            None if blob::lacks_padding(found) => types.push(wrong_type(Constraint::Base64Padding)),
            None => types.push(wrong_type(Constraint::Base64)),
            Some(size) if size > *max => constraints.push(Breach {
                rule: id(Constraint::MaxSize),
                message: constraint(name, &format!("Member must have length less than or equal to {max}")),
            }),
            Some(_) => {}
        },
        (Kind::List { min, max, item }, Value::Array(found)) => {
            if found.len() < *min {
                constraints.push(Breach {
                    rule: id(Constraint::MinItems),
                    message: constraint(name, &format!("Member must have length greater than or equal to {min}")),
                });
            }
            if let Some(max) = max.filter(|max| found.len() > *max) {
                constraints.push(Breach {
                    rule: id(Constraint::MaxItems),
                    message: constraint(name, &format!("Member must have length less than or equal to {max}")),
                });
            }
            for value in found {
                match (&item.kind, value) {
                    (Kind::Text(bounds), Value::String(found)) => {
                        text(id, &OfText::ITEM, name, bounds, found, constraints)
                    }
                    (Kind::Text(_), Value::Null) => types.push(wrong_type(Constraint::ItemNull)),
                    _ => types.push(wrong_type(Constraint::ItemType)),
                }
            }
        }
        (Kind::Boolean, Value::Bool(_))
        | (Kind::Timestamp, Value::Number(_))
        | (Kind::Structure(_), Value::Object(_)) => {}
        _ => types.push(wrong_type(Constraint::Type)),
    }
}

fn text(
    id: &dyn Fn(Constraint) -> RuleId,
    of: &OfText,
    name: &str,
    bounds: &Text,
    found: &str,
    constraints: &mut Vec<Breach>,
) {
    let is_item = of.pattern == Constraint::ItemPattern;
    let breach = |broken: Constraint, text: String| Breach {
        rule: id(broken),
        message: match is_item {
            false => constraint(name, &text),
            true => constraint(name, &format!("Member must satisfy constraint: [Member {text}]")),
        },
    };
    if let Some(broken) = broken_length(of, bounds, found) {
        let length = match broken {
            _ if broken == of.min_length => format!("must have length greater than or equal to {}", bounds.min),
            _ => format!("must have length less than or equal to {}", bounds.max.unwrap_or_default()),
        };
        constraints.push(breach(broken, length));
    }
    if let Some(broken) = broken_pattern(of, bounds, found) {
        let pattern = bounds.patterns.first().map_or("", Pattern::text);
        constraints.push(if broken == of.editions {
            Breach { rule: id(broken), message: constraint(name, "is contested") }
        } else if is_item {
            breach(broken, format!("must satisfy regular expression pattern: {pattern}"))
        } else {
            breach(broken, format!("must satisfy regular expression '{pattern}'"))
        });
    }
}

/// The first constraint that the text of a member breaks, as [`check`] has it. A text whose length says it all is not
/// held against patterns.
pub(crate) fn first_broken(bounds: &Text, found: &str) -> Option<Constraint> {
    let of = &OfText::MEMBER;
    broken_length(of, bounds, found).or_else(|| broken_pattern(of, bounds, found))
}

fn broken_length(of: &OfText, bounds: &Text, found: &str) -> Option<Constraint> {
    match () {
        () if bounds.allows_length(found) => None,
        () if found.chars().count() < bounds.min => Some(of.min_length),
        () => Some(of.max_length),
    }
}

fn broken_pattern(of: &OfText, bounds: &Text, found: &str) -> Option<Constraint> {
    match () {
        () if bounds.matches_all(found) => None,
        () if bounds.matches_any(found) => Some(of.editions),
        () => Some(of.pattern),
    }
}

fn constraint(member: &str, text: &str) -> String {
    format!("Invalid parameter at '{member}' failed to satisfy constraint: '{text}'")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::contract::{Operation, Service};

    fn rules(service: Service, operation: Operation, input: Value) -> Vec<String> {
        let Value::Object(input) = input else { panic!("an object") };
        check(service.contract().operation(operation).unwrap(), &input)
            .into_iter()
            .map(|breach| breach.rule.to_string())
            .collect()
    }

    #[test]
    fn a_request_of_the_documents_breaks_nothing() {
        let input = json!({"repositoryName": "layer-test", "uploadId": "6cb64b8a-9378-0e33-2ab1-b780fab8a9e9",
            "layerDigests": ["6cb64b8a-9378-0e33-2ab1-b780fab8a9e9:48074e6d3a68b39aad8ccc002cdad912d4148c0f92b3729323e"]});
        assert_eq!(rules(Service::Ecr, Operation::CompleteLayerUpload, input.clone()), [""; 0]);
        assert_eq!(rules(Service::EcrPublic, Operation::CompleteLayerUpload, input), [""; 0]);
    }

    #[test]
    fn each_fault_breaks_its_rule() {
        let rows = [
            (json!({}), "InitiateLayerUpload/repositoryName/required"),
            (json!({"repositoryName": null}), "InitiateLayerUpload/repositoryName/required"),
            (json!({"repositoryName": 1}), "InitiateLayerUpload/repositoryName/type"),
            (json!({"repositoryName": "a"}), "InitiateLayerUpload/repositoryName/min-length"),
            (json!({"repositoryName": "a".repeat(257)}), "InitiateLayerUpload/repositoryName/max-length"),
            (json!({"repositoryName": "a..b"}), "InitiateLayerUpload/repositoryName/pattern"),
            (json!({"repositoryName": "a__b"}), "InitiateLayerUpload/repositoryName/editions"),
            (json!({"repositoryName": "ab", "registryId": "1"}), "InitiateLayerUpload/registryId/pattern"),
        ];
        for (input, rule) in rows {
            assert_eq!(rules(Service::Ecr, Operation::InitiateLayerUpload, input.clone()), [rule], "{input}");
        }
        let names = json!({"repositoryNames": ["a__b"]});
        assert_eq!(
            rules(Service::Ecr, Operation::DescribeRepositories, names),
            ["DescribeRepositories/repositoryNames/editions"]
        );
        let public = json!({"repositoryName": "a__b", "registryId": "x".repeat(51)});
        assert_eq!(
            rules(Service::EcrPublic, Operation::InitiateLayerUpload, public),
            ["InitiateLayerUpload/registryId/max-length", "InitiateLayerUpload/repositoryName/pattern"]
        );
    }

    #[test]
    fn what_is_not_of_its_shape_is_told_with_its_place() {
        let operation = Service::Ecr.contract().operation(Operation::BatchCheckLayerAvailability).unwrap();
        let layers = operation.output.iter().find(|member| member.name == "layers").unwrap();
        let layer = |member: &str, value: Value| {
            let mut layer =
                json!({"layerDigest": format!("sha256:{}", "0".repeat(64)), "layerAvailability": "AVAILABLE"});
            layer[member] = value;
            json!([layer])
        };
        let unfit = |member: &str, value: Value| conforms(layers.shape, &layer(member, value)).unwrap_err();
        let size = unfit("layerSize", json!(-1));
        assert_eq!(size, Unfit { path: vec!["layerSize"], expected: Fit::AtLeast(0) });
        assert_eq!(size.to_string(), "layerSize: expected a whole number of at least 0");
        assert_eq!(size.shape(), "layerSize: a whole number of at least 0");
        let available = unfit("layerAvailability", json!("MAYBE"));
        assert_eq!(available.to_string(), "layerAvailability: expected one of AVAILABLE, UNAVAILABLE, ARCHIVED");
        let digest = unfit("layerDigest", json!("x"));
        assert!(matches!(digest.expected, Fit::Pattern(pattern) if digest.shape().contains(pattern)), "{digest}");
        assert_eq!(unfit("layerDigest", Value::Null).to_string(), "expected a member layerDigest");
        assert_eq!(conforms(layers.shape, &json!([7])).unwrap_err().to_string(), "expected a structure");
        assert_eq!(conforms(layers.shape, &layer("layerSize", json!(7))), Ok(()));
    }

    #[test]
    fn numbers_are_64_bit_integers() {
        let check = |number: &str| {
            let text = format!(
                r#"{{"repositoryName":"ab","uploadId":"6cb64b8a-9378-0e33-2ab1-b780fab8a9e9","partFirstByte":{number},
                "partLastByte":0,"layerPartBlob":""}}"#
            );
            rules(Service::Ecr, Operation::UploadLayerPart, serde_json::from_str(&text).unwrap())
        };
        assert_eq!(check("9223372036854775807"), [""; 0]);
        assert_eq!(check("-1"), ["UploadLayerPart/partFirstByte/min"]);
        assert_eq!(check("0.5"), ["UploadLayerPart/partFirstByte/integer"]);
        assert_eq!(check("1e1"), [""; 0]);
        assert_eq!(check("9223372036854775808"), ["UploadLayerPart/partFirstByte/64-bit"]);
        assert_eq!(check("\"0\""), ["UploadLayerPart/partFirstByte/type"]);
    }
}
