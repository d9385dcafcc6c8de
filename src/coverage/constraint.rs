//! Constraints: each rule that a value can be measured by, from inside to far outside.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::{Cases, Sample, gap, rules};
use crate::contract::check::long;
use crate::contract::pattern::Expression;
use crate::contract::{Constraint, Kind, Member, Operation, OperationSpec, Rule, RuleId, Service, Text, blob};
use crate::generate::expected::NOTATION;
use crate::generate::strings::Strings;
use crate::model::registry::MIN_INNER_PART;

/// Where a value lies, as a rule sees it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// Inside, away from the bound.
    Inside,
    /// The last value inside.
    JustInside,
    /// The first value outside; of a pattern, one character away from a match.
    JustOutside,
    /// Further outside.
    FarOutside,
    /// Null.
    Null,
    /// Left out.
    Absent,
    /// Of another JSON type.
    WrongType,
}

impl Reach {
    /// All of them, in the order of the columns.
    pub const ALL: [Reach; 7] = [
        Reach::Inside,
        Reach::JustInside,
        Reach::JustOutside,
        Reach::FarOutside,
        Reach::Null,
        Reach::Absent,
        Reach::WrongType,
    ];

    /// As a reader sees it.
    pub fn words(self) -> &'static str {
        match self {
            Reach::Inside => "inside",
            Reach::JustInside => "just inside",
            Reach::JustOutside => "just outside",
            Reach::FarOutside => "far outside",
            Reach::Null => "null",
            Reach::Absent => "absent",
            Reach::WrongType => "wrong type",
        }
    }

    /// Of a bound, so many units beyond it.
    fn beyond(units: i128) -> Reach {
        match units {
            ..0 => Reach::Inside,
            0 => Reach::JustInside,
            1 => Reach::JustOutside,
            _ => Reach::FarOutside,
        }
    }

    /// Of the one value that is right, so many units away from it.
    fn off(units: i128) -> Reach {
        if units == 0 { Reach::Inside } else { Reach::beyond(units.abs()) }
    }
}

/// A rule that values are measured by.
#[derive(Debug, Serialize)]
pub struct Measured {
    /// The operation.
    pub operation: Operation,
    /// The member of its request.
    pub member: &'static str,
    /// The id of the rule.
    pub rule: RuleId,
    /// What it says.
    pub says: String,
    /// One a column.
    pub cells: Vec<Cell>,
    /// Cases that are about the rule, and do not break it.
    #[serde(skip)]
    astray: Vec<String>,
    #[serde(skip)]
    measure: Measure,
    #[serde(skip)]
    gates: bool,
    #[serde(skip)]
    errors: &'static [&'static str],
}

/// The cases of a constraint whose value lies at one place.
#[derive(Debug, Serialize)]
pub struct Cell {
    /// The place.
    pub reach: Reach,
    /// The cases.
    pub cases: Cases,
    /// Why there is none.
    #[serde(rename = "whyNot")]
    pub why_not: Option<&'static str>,
}

/// What of a value decides about a rule.
#[derive(Clone, Copy, Debug)]
enum Measure {
    Presence,
    Type(&'static Kind),
    ItemType,
    ItemNull,
    MinLength(usize),
    MaxLength(usize),
    Pattern(&'static Text),
    Editions(&'static Text),
    Min(i64),
    Integer,
    Notation,
    Bits,
    MaxSize(usize),
    Base64,
    Padding,
    MinItems(usize),
    MaxItems(usize),
    /// Rules that prose states.
    PartStart,
    FirstPartStart,
    RangeOrder,
    RangeLength,
    LargePart,
    InnerPart,
    HexDigits,
}

/// Rules that prose states and a number decides.
const OF_PROSE: [(RuleId, Measure); 7] = [
    (RuleId::new("UploadLayerPart/partFirstByte/contiguous"), Measure::PartStart),
    (RuleId::new("UploadLayerPart/partFirstByte/from-zero"), Measure::FirstPartStart),
    (RuleId::new("UploadLayerPart/partLastByte/not-before-first"), Measure::RangeOrder),
    (RuleId::new("UploadLayerPart/layerPartBlob/length"), Measure::RangeLength),
    (RuleId::new("UploadLayerPart/layerPartBlob/above-10-MiB"), Measure::LargePart),
    (RuleId::new("CompleteLayerUpload/parts/min-size"), Measure::InnerPart),
    (RuleId::new("CompleteLayerUpload/layerDigests/sha256-length"), Measure::HexDigits),
];

/// The largest part that the quota table allows. Source: `quotas`.
const QUOTA: usize = 10_485_760;

/// What an operation may be answered with where its request is no good at all.
const REJECTED: &[&str] = &["InvalidParameterException", "SerializationException"];

/// A place of a rule that no case reaches, or none that can fail a target.
struct Exception {
    /// The rule without its operation.
    rule: &'static str,
    /// The operations that have cases there all the same.
    but_at: &'static [Operation],
    reach: Reach,
    why: &'static str,
}

const EXCEPTIONS: &[Exception] = &[
    Exception {
        rule: "repositoryName/editions",
        but_at: &[Operation::InitiateLayerUpload],
        reach: Reach::JustOutside,
        why: "asked at InitiateLayerUpload: there the name alone decides",
    },
    Exception {
        rule: "partFirstByte/64-bit",
        but_at: &[],
        reach: Reach::JustInside,
        why: "no layer has so many bytes: the last position there is, is rejected for where it is",
    },
    Exception {
        rule: "partLastByte/64-bit",
        but_at: &[],
        reach: Reach::JustInside,
        why: "no layer has so many bytes: the last position there is, is rejected for where it is",
    },
    Exception {
        rule: "layerPartBlob/max-size",
        but_at: &[],
        reach: Reach::JustInside,
        why: "the quota table ends at 10 MiB: what lies between is the open question `above-10-MiB`",
    },
];

/// The constraints of a service, and its other rules.
pub(super) fn rows(service: Service) -> (Vec<Measured>, Vec<&'static Rule>) {
    let mut others = Vec::new();
    let mut found: BTreeMap<(usize, usize, RuleId), Measured> = BTreeMap::new();
    for rule in rules(service) {
        let member = rule.id.subject();
        let place = service.contract().operations.iter().position(|known| Some(known.name) == rule.id.operation());
        let operation = place.map(|place| &service.contract().operations[place]);
        let measure = operation.and_then(|operation| Measure::of(rule.id, operation.input(member)));
        let (Some(measure), Some(operation), Some(place)) = (measure, operation, place) else {
            others.push(rule);
            continue;
        };
        let members = operation.input.iter().position(|known| known.name == member).unwrap_or(operation.input.len());
        found.insert((place, members, rule.id), Measured::new(operation, rule, measure));
    }
    (found.into_values().collect(), others)
}

impl Measured {
    fn new(operation: &OperationSpec, rule: &'static Rule, measure: Measure) -> Measured {
        let exception = |reach: Reach| {
            let here = EXCEPTIONS.iter().filter(|known| !known.but_at.contains(&operation.name));
            let mut here = here.filter(|known| rule.id.is(known.rule));
            here.find(|known| known.reach == reach).map(|known| known.why)
        };
        let cell = |reach| Cell {
            reach,
            cases: Cases::default(),
            why_not: measure.cannot(reach).or_else(|| exception(reach)),
        };
        Measured {
            operation: operation.name,
            member: rule.id.subject(),
            rule: rule.id,
            says: rule.statement.clone(),
            cells: Reach::ALL.into_iter().map(cell).collect(),
            astray: Vec::new(),
            measure,
            gates: rule.tier.gates(),
            errors: if rule.errors.is_empty() { REJECTED } else { &rule.errors },
        }
    }

    /// Counts a request where its value lies, if the case says something about that place.
    ///
    /// What lies outside must be what the case is about, with no other member at fault. What lies inside must be in a
    /// request without any, and must not be answered as if it lay outside.
    pub(super) fn measure(&mut self, sample: &Sample) {
        if sample.operation.name != self.operation {
            return;
        }
        let Some(reach) = self.measure.reach(sample.input.get(self.member), sample) else { return };
        let is_asked = sample.expect.rule == self.rule;
        let alike = sample.expect.errors().iter().any(|error| self.errors.contains(error));
        let is_inside =
            matches!(reach, Reach::Inside | Reach::JustInside) && !matches!(self.measure, Measure::Notation);
        if is_asked && is_inside {
            self.astray.push(String::from(sample.case));
        }
        let keeps = sample.broken.is_empty();
        let is_alone = is_asked && sample.broken.iter().all(|rule| rule.is_about(self.operation, self.member));
        let counts = match (reach, self.measure) {
            _ if is_inside => keeps && !(alike && sample.expect.tier.gates()),
            (Reach::Null | Reach::Absent, Measure::Presence) => is_alone || (keeps && !alike),
            _ => is_alone,
        };
        if counts && let Some(cell) = self.cells.iter_mut().find(|cell| cell.reach == reach) {
            cell.cases.add(sample.case, sample.expect.tier);
        }
    }

    /// What is wrong with the row, and what to do about it.
    pub(super) fn gaps(&self) -> Vec<String> {
        let astray = self.astray.iter().map(|case| {
            format!("{case} says that it breaks {}, and keeps it: change its values, or what it expects", self.rule)
        });
        self.cells.iter().filter_map(|cell| self.gap(cell)).chain(astray).collect()
    }

    fn gap(&self, cell: &Cell) -> Option<String> {
        const PLACE: &str = "src/coverage/constraint.rs";
        let open = cell.cases.open.first().filter(|_| !self.gates);
        let problem = gap(cell.cases.judged.first().or(open), cell.why_not, &format!("EXCEPTIONS of {PLACE}"))?;
        let add = match cell.reach {
            Reach::Null | Reach::Absent | Reach::WrongType => {
                "presence_and_type of src/generate/members.rs makes those of a member, digests.rs those of items"
            }
            _ => "add a value to src/generate/values.rs, or to members.rs, digests.rs or ranges.rs beside it",
        };
        let judged = if self.gates { " that can fail a target" } else { "" };
        Some(format!(
            "{} ({}) has {problem}{judged} with a value {}: {add}, and review its snapshot (docs/src/snapshots.md); or say in \
             EXCEPTIONS of {PLACE} why there can be none",
            self.rule,
            self.says,
            cell.reach.words(),
        ))
    }
}

impl Measure {
    /// What decides about a rule; `None` where it is kept or broken, with nothing between.
    fn of(rule: RuleId, member: Option<&'static Member>) -> Option<Measure> {
        if let Some((_, measure)) = OF_PROSE.iter().find(|(known, _)| *known == rule) {
            return Some(*measure);
        }
        let kind = &member?.shape.kind;
        let text = match kind {
            Kind::Text(text) => Some(text),
            Kind::List { item, .. } => match &item.kind {
                Kind::Text(text) => Some(text),
                _ => None,
            },
            _ => None,
        };
        Some(match (rule.constraint()?, kind) {
            (Constraint::Required | Constraint::Optional, _) => Measure::Presence,
            (Constraint::Type, kind) => Measure::Type(kind),
            (Constraint::ItemType, _) => Measure::ItemType,
            (Constraint::ItemNull, _) => Measure::ItemNull,
            (Constraint::MinItems, Kind::List { min, .. }) => Measure::MinItems(*min),
            (Constraint::MaxItems, Kind::List { max, .. }) => Measure::MaxItems((*max)?),
            (Constraint::Min, Kind::Long { min }) => Measure::Min(*min),
            (Constraint::Integer, Kind::Long { .. }) => Measure::Integer,
            (Constraint::Notation, Kind::Long { .. }) => Measure::Notation,
            (Constraint::Bits, Kind::Long { .. }) => Measure::Bits,
            (Constraint::MaxSize, Kind::Blob { max }) => Measure::MaxSize(*max),
            (Constraint::Base64, Kind::Blob { .. }) => Measure::Base64,
            (Constraint::Base64Padding, Kind::Blob { .. }) => Measure::Padding,
            (Constraint::MinLength | Constraint::ItemMinLength, _) => Measure::MinLength(text?.min),
            (Constraint::MaxLength | Constraint::ItemMaxLength, _) => Measure::MaxLength(text?.max?),
            (Constraint::Pattern | Constraint::ItemPattern, _) => Measure::Pattern(text?),
            (Constraint::Editions, _) => Measure::Editions(text?),
            _ => return None,
        })
    }

    /// Where the value of a request lies, if this can be said.
    fn reach(self, value: Option<&Value>, sample: &Sample) -> Option<Reach> {
        let number = |member: &str| sample.input.get(member).and_then(long).map(i128::from);
        let bytes = || sample.input.get("layerPartBlob").and_then(Value::as_str).and_then(|text| NOTATION.size(text));
        let beyond = |value: usize, bound: usize| Reach::beyond(value as i128 - bound as i128);
        match (self, value) {
            (Measure::Presence, None) => Some(Reach::Absent),
            (Measure::Presence, Some(Value::Null)) => Some(Reach::Null),
            (Measure::Presence, Some(_)) => None,
            (Measure::InnerPart, _) => {
                let (_, inner) = sample.parts?.split_last()?;
                Some(beyond(MIN_INNER_PART, *inner.iter().min()?))
            }
            (_, None | Some(Value::Null)) => None,
            (Measure::Type(kind), Some(value)) => (!is_of(kind, value)).then_some(Reach::WrongType),
            (Measure::ItemType, Some(value)) => {
                let wrong = |item: &Value| !item.is_string() && !item.is_null();
                value.as_array()?.iter().any(wrong).then_some(Reach::WrongType)
            }
            (Measure::ItemNull, Some(value)) => value.as_array()?.iter().any(Value::is_null).then_some(Reach::Null),
            (Measure::Min(min), Some(value)) => Some(Reach::beyond(i128::from(min) - i128::from(long(value)?))),
            (Measure::Integer, Some(value)) => {
                Some(if value.as_f64()?.fract() == 0.0 { Reach::Inside } else { Reach::JustOutside })
            }
            (Measure::Notation, Some(value)) => (value.is_f64() && long(value).is_some()).then_some(Reach::Inside),
            (Measure::Bits, Some(value)) => match value.as_i64() {
                Some(found) => Some(if found == i64::MAX { Reach::JustInside } else { Reach::Inside }),
                None if value.as_u64() == Some(i64::MAX as u64 + 1) => Some(Reach::JustOutside),
                None => (value.as_f64()? > i64::MAX as f64).then_some(Reach::FarOutside),
            },
            (Measure::MaxSize(max), Some(_)) => Some(beyond(bytes()?, max)),
            (Measure::LargePart, Some(_)) => Some(beyond(bytes()?, QUOTA)),
            (Measure::Base64, Some(value)) => {
                let text = value.as_str()?;
                Some(match NOTATION.size(text) {
                    Some(_) => Reach::Inside,
                    None if is_unpadded(text) => return None,
                    None if Strings::built(Expression::Base64).is_near(text) => Reach::JustOutside,
                    None => Reach::FarOutside,
                })
            }
            (Measure::Padding, Some(value)) => is_unpadded(value.as_str()?).then_some(Reach::JustOutside),
            (Measure::MinItems(min), Some(value)) => Some(beyond(min, value.as_array()?.len())),
            (Measure::MaxItems(max), Some(value)) => Some(beyond(value.as_array()?.len(), max)),
            (Measure::PartStart, Some(_)) => {
                let received: usize = sample.parts.filter(|parts| !parts.is_empty())?.iter().sum();
                Some(Reach::off(number("partFirstByte")? - received as i128))
            }
            (Measure::FirstPartStart, Some(_)) => {
                sample.parts.filter(|parts| parts.is_empty())?;
                Some(Reach::off(number("partFirstByte")?))
            }
            (Measure::RangeOrder, Some(_)) => Some(Reach::beyond(number("partFirstByte")? - number("partLastByte")?)),
            (Measure::RangeLength, Some(_)) => {
                let (first, last) = (number("partFirstByte")?, number("partLastByte")?);
                Some(Reach::off(last - first + 1 - bytes()? as i128))
            }
            // Of the items of a list the worst counts.
            (_, Some(value)) => texts(value).into_iter().filter_map(|text| self.of_text(text)).max(),
        }
    }

    fn of_text(self, text: &str) -> Option<Reach> {
        let length = text.chars().count();
        let beyond = |value: usize, bound: usize| Reach::beyond(value as i128 - bound as i128);
        match self {
            Measure::MinLength(min) => Some(beyond(min, length)),
            Measure::MaxLength(max) => Some(beyond(length, max)),
            Measure::Pattern(bounds) if bounds.matches_all(text) => Some(Reach::Inside),
            Measure::Pattern(bounds) if bounds.matches_any(text) => None,
            Measure::Pattern(bounds) => {
                let near = bounds.patterns.iter().any(|pattern| Strings::built(pattern.expression).is_near(text));
                Some(if near { Reach::JustOutside } else { Reach::FarOutside })
            }
            Measure::Editions(bounds) => {
                let contested = !bounds.matches_all(text) && bounds.matches_any(text);
                contested.then_some(Reach::JustOutside)
            }
            Measure::HexDigits => {
                let digits = text.strip_prefix("sha256:")?;
                let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
                is_hex.then(|| Reach::off(digits.len() as i128 - 64))
            }
            _ => None,
        }
    }

    /// Why no value can lie there, whatever the operation.
    fn cannot(self, reach: Reach) -> Option<&'static str> {
        const VALUES: &str = "a member is there or not: its values have rows of their own";
        const PRESENCE: &str = "what is null or left out is the row `required` or `optional`";
        const TYPE: &str = "another JSON type is the row `type`";
        const ONE: &str = "a value is of the type or of another: nothing lies between";
        const ITEMS: &str = "the items of a list are never left out, and null among them is the row `item-null`";
        const NO_EDGE: &str = "only a length or a number has a last value inside";
        const EMPTY: &str = "nothing is shorter than nothing";
        const EDITIONS: &str = "what every edition allows and what none does are rows of their own";
        const OPEN: &str = "an open question, asked at its edge";
        match (self, reach) {
            (Measure::Presence, Reach::Null | Reach::Absent) => None,
            (Measure::Presence, _) => Some(VALUES),
            (Measure::Type(_) | Measure::ItemType, Reach::WrongType) => None,
            (Measure::ItemNull, Reach::Null) => None,
            (Measure::ItemType | Measure::ItemNull, Reach::Absent | Reach::Null) => Some(ITEMS),
            (Measure::ItemNull, Reach::WrongType) => Some("an item of another JSON type is the row `item-type`"),
            (Measure::Type(_) | Measure::ItemType | Measure::ItemNull, reach) if reach < Reach::Null => Some(ONE),
            (Measure::InnerPart, Reach::Null | Reach::Absent | Reach::WrongType) => {
                Some("the parts are those of the upload, and no member of the request")
            }
            (_, Reach::Null | Reach::Absent) => Some(PRESENCE),
            (_, Reach::WrongType) => Some(TYPE),
            (Measure::Pattern(_) | Measure::Base64, Reach::JustInside) => Some(NO_EDGE),
            (
                Measure::PartStart | Measure::FirstPartStart | Measure::RangeLength | Measure::HexDigits,
                Reach::JustInside,
            ) => Some("one value alone is right"),
            (Measure::MinLength(bound) | Measure::MinItems(bound), Reach::FarOutside) => (bound < 2).then_some(EMPTY),
            (Measure::Editions(_), Reach::Inside | Reach::JustInside) => Some(EDITIONS),
            (Measure::Editions(_), Reach::FarOutside) => Some(OPEN),
            (Measure::Integer, Reach::JustInside | Reach::FarOutside) => Some("a number has a fraction or none"),
            (Measure::Notation, Reach::Inside) => None,
            (Measure::Notation, _) => Some("one number in two notations: none lies outside"),
            (Measure::Padding, Reach::Inside | Reach::JustInside) => {
                Some("what is padded is inside of the row `base64`")
            }
            (Measure::Padding, Reach::FarOutside) => Some("padding is there or left out"),
            _ => None,
        }
    }
}

fn is_of(kind: &Kind, value: &Value) -> bool {
    match kind {
        Kind::Text(_) | Kind::Blob { .. } => value.is_string(),
        Kind::Long { .. } | Kind::Timestamp => value.is_number(),
        Kind::Boolean => value.is_boolean(),
        Kind::List { .. } => value.is_array(),
        Kind::Structure(_) => value.is_object(),
    }
}

/// Base64 but for its padding.
fn is_unpadded(text: &str) -> bool {
    let missing = text.len().next_multiple_of(4) - text.len();
    blob::size(text).is_none() && blob::size(&format!("{text}{}", "=".repeat(missing))).is_some()
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Rules;

    #[test]
    fn what_is_named_here_is_a_rule() {
        let ids: Vec<RuleId> =
            Service::ALL.iter().flat_map(|service| Rules::of(*service).iter()).map(|rule| rule.id).collect();
        for (rule, _) in OF_PROSE {
            assert!(ids.contains(&rule), "{rule}");
        }
        for exception in EXCEPTIONS {
            assert!(ids.iter().any(|id| id.is(exception.rule)), "{}", exception.rule);
        }
    }

    #[test]
    fn a_bound_has_an_inside_and_an_outside() {
        let reach = [-2, -1, 0, 1, 2].map(Reach::beyond);
        use Reach::{FarOutside, Inside, JustInside, JustOutside};
        assert_eq!(reach, [Inside, Inside, JustInside, JustOutside, FarOutside]);
        assert_eq!([-2, -1, 0, 1, 2].map(Reach::off), [FarOutside, JustOutside, Inside, JustOutside, FarOutside]);
    }
}
