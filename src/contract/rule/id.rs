//! The names of rules: where a rule applies, what of it, and what it says.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use strum::VariantArray;

use super::super::{Operation, Service};
use super::Rules;

/// The id of a rule, stable and built from names: `CompleteLayerUpload/layerDigests/max-items`.
///
/// What stands in the code is made by [`RuleId::new`] or from its parts; what a user wrote is parsed, and is then the id of
/// a rule that exists.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct RuleId {
    area: Area,
    subject: &'static str,
    what: What,
}

/// Where a rule applies: the first word of its id.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Area {
    /// The requests and responses of one operation.
    Operation(Operation),
    /// Every response that is judged: `answer/…`.
    Response,
    /// Every request that is sent: `always/…`.
    Always,
    /// What the survey asks before a run: `survey/…`.
    Survey,
    /// Requests before their members are read: `wire/…`.
    Wire,
    /// How requests are signed: `auth/…`.
    Auth,
}

/// What a rule says: the last word of its id.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum What {
    /// A constraint on the syntax of a member, derived from the tables of the contract.
    Constraint(Constraint),
    /// A statement of its own, a row of `prose`; or the member of a response.
    Named(&'static str),
}

/// What the tables can say of the syntax of a member, or of the items of a list.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, VariantArray)]
pub enum Constraint {
    /// Must be there.
    Required,
    /// May be absent or null.
    Optional,
    /// Its JSON type.
    Type,
    /// The least value of a number.
    Min,
    /// A number without fraction.
    Integer,
    /// A number with an exponent, or with `.0`.
    Notation,
    /// A number of 64 bits.
    Bits,
    /// The most bytes of a blob.
    MaxSize,
    /// The alphabet of a blob.
    Base64,
    /// The padding of a blob.
    Base64Padding,
    /// The fewest items of a list.
    MinItems,
    /// The most items of a list.
    MaxItems,
    /// The fewest characters of a text.
    MinLength,
    /// The most characters of a text.
    MaxLength,
    /// The pattern of a text.
    Pattern,
    /// What the editions of the documents differ about.
    Editions,
    /// The JSON type of an item.
    ItemType,
    /// An item that is null.
    ItemNull,
    /// The fewest characters of an item.
    ItemMinLength,
    /// The most characters of an item.
    ItemMaxLength,
    /// The pattern of an item.
    ItemPattern,
}

/// The constraints on a text: a member, or an item of a list.
#[derive(Debug)]
pub(crate) struct OfText {
    pub min_length: Constraint,
    pub max_length: Constraint,
    pub pattern: Constraint,
    /// One rule for a member and its items: what is contested breaks nothing.
    pub editions: Constraint,
}

/// Rules that share words of their ids: `*` stands for every operation in `*/registryId/editions`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RulePattern {
    /// `None` is every operation.
    area: Option<Area>,
    subject: &'static str,
    what: What,
}

/// A text that is the id of no rule.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected the id of a rule, found {0:?}")]
pub struct NoRule(pub String);

impl RuleId {
    /// The id that is written so. Meant for constants: what names no area is a compile error there, and tests/tidy.rs
    /// holds that the rule exists.
    ///
    /// # Panics
    ///
    /// Where the text does not begin with an area, or has no or too many words after it.
    pub const fn new(text: &'static str) -> RuleId {
        let (first, rest) = split(text);
        match Area::find(first) {
            Some(area) => RuleId::within(area, rest),
            None => panic!("the id of a rule begins with an operation, answer, always, auth, survey or wire"),
        }
    }

    /// The rule of an operation that the rest of its id names: `uploadId/exists`.
    pub const fn of(operation: Operation, rest: &'static str) -> RuleId {
        RuleId::within(Area::Operation(operation), rest)
    }

    /// The rule of an operation with these words behind it.
    pub const fn about(operation: Operation, subject: &'static str, what: &'static str) -> RuleId {
        let (nothing, what) = subject_and_what(what);
        assert!(nothing.is_empty(), "the last word of an id is one word");
        RuleId { area: Area::Operation(operation), subject, what }
    }

    /// The rule about a constraint of a member.
    pub const fn of_member(operation: Operation, member: &'static str, constraint: Constraint) -> RuleId {
        RuleId { area: Area::Operation(operation), subject: member, what: What::Constraint(constraint) }
    }

    /// The rule about an operation that the survey tries.
    pub const fn of_survey(operation: Operation) -> RuleId {
        RuleId { area: Area::Survey, subject: "", what: What::Named(operation.name()) }
    }

    /// The rule about a member of the successful responses of an operation.
    pub const fn of_response(operation: Operation, member: &'static str) -> RuleId {
        RuleId { area: Area::Operation(operation), subject: ANSWER, what: What::Named(member) }
    }

    const fn within(area: Area, rest: &'static str) -> RuleId {
        let (subject, what) = subject_and_what(rest);
        RuleId { area, subject, what }
    }

    /// Where it applies.
    pub fn area(self) -> Area {
        self.area
    }

    /// The operation whose requests or responses it is about, if it is about those of one.
    pub fn operation(self) -> Option<Operation> {
        match self.area {
            Area::Operation(operation) => Some(operation),
            Area::Response | Area::Always | Area::Survey | Area::Wire | Area::Auth => None,
        }
    }

    /// What of a request or response it is about: a member, mostly. Empty where it is about the whole.
    pub fn subject(self) -> &'static str {
        self.subject
    }

    /// The last word.
    pub fn what(self) -> &'static str {
        self.what.name()
    }

    /// The constraint that it states, if it is one that the tables state.
    pub fn constraint(self) -> Option<Constraint> {
        match self.what {
            What::Constraint(constraint) => Some(constraint),
            What::Named(_) => None,
        }
    }

    /// Whether it is the rule of some operation with this rest: `uploadId/exists`.
    pub fn is(self, rest: &'static str) -> bool {
        let (subject, what) = subject_and_what(rest);
        self.operation().is_some() && self.subject == subject && self.what == what
    }

    /// Whether it is about this member of the requests of this operation.
    pub fn is_about(self, operation: Operation, member: &str) -> bool {
        self.operation() == Some(operation) && self.subject == member
    }

    /// Whether it is about what the responses of one operation have.
    pub fn is_about_response(self) -> bool {
        self.operation().is_some() && self.subject == ANSWER
    }

    /// The id without its operation, or the whole where it has none.
    pub fn rest(self) -> String {
        match self.area {
            Area::Operation(operation) => self.to_string().split_off(operation.name().len() + 1),
            Area::Response | Area::Always | Area::Survey | Area::Wire | Area::Auth => self.to_string(),
        }
    }

    /// Whether it is judged on every response, or by the survey, and not by cases of its own.
    pub fn is_everywhere(self) -> bool {
        match self.area {
            Area::Response | Area::Always | Area::Survey => true,
            Area::Operation(_) => self.is_about_response() || self.what == What::Named("known"),
            Area::Wire | Area::Auth => false,
        }
    }

    /// How its text compares with another.
    pub(super) fn cmp_text(self, text: &str) -> Ordering {
        let mut rest = text.as_bytes();
        for (place, word) in self.words().enumerate() {
            if place > 0 {
                match rest.split_first() {
                    Some((b'/', after)) => rest = after,
                    Some((other, _)) => return b'/'.cmp(other),
                    None => return Ordering::Greater,
                }
            }
            // Where the text ends within the word, the word is greater.
            let (beginning, after) = rest.split_at(rest.len().min(word.len()));
            match word.as_bytes().cmp(beginning) {
                Ordering::Equal => rest = after,
                different => return different,
            }
        }
        if rest.is_empty() { Ordering::Equal } else { Ordering::Less }
    }

    fn bytes(self) -> impl Iterator<Item = u8> {
        self.words().enumerate().flat_map(|(place, word)| {
            let slash = if place == 0 { "" } else { "/" };
            slash.bytes().chain(word.bytes())
        })
    }

    fn words(self) -> impl Iterator<Item = &'static str> {
        [self.area.name(), self.subject, self.what.name()].into_iter().filter(|word| !word.is_empty())
    }
}

/// The subject of rules about the members of responses.
const ANSWER: &str = "answer";

impl Area {
    /// As it stands in ids.
    pub const fn name(self) -> &'static str {
        match self {
            Area::Operation(operation) => operation.name(),
            Area::Response => ANSWER,
            Area::Always => "always",
            Area::Survey => "survey",
            Area::Wire => "wire",
            Area::Auth => "auth",
        }
    }

    const fn find(name: &str) -> Option<Area> {
        let others = [Area::Response, Area::Always, Area::Survey, Area::Wire, Area::Auth];
        let mut at = 0;
        while at < others.len() {
            if same(others[at].name(), name) {
                return Some(others[at]);
            }
            at += 1;
        }
        let mut at = 0;
        while at < Operation::ALL.len() {
            if same(Operation::ALL[at].name(), name) {
                return Some(Area::Operation(Operation::ALL[at]));
            }
            at += 1;
        }
        None
    }
}

impl What {
    /// As it stands in ids.
    pub const fn name(self) -> &'static str {
        match self {
            What::Constraint(constraint) => constraint.name(),
            What::Named(name) => name,
        }
    }
}

impl OfText {
    /// Of a member that is a text.
    pub(crate) const MEMBER: OfText = OfText {
        min_length: Constraint::MinLength,
        max_length: Constraint::MaxLength,
        pattern: Constraint::Pattern,
        editions: Constraint::Editions,
    };

    /// Of the items of a list.
    pub(crate) const ITEM: OfText = OfText {
        min_length: Constraint::ItemMinLength,
        max_length: Constraint::ItemMaxLength,
        pattern: Constraint::ItemPattern,
        editions: Constraint::Editions,
    };
}

impl Constraint {
    /// All of them.
    pub const ALL: &[Constraint] = <Constraint as VariantArray>::VARIANTS;

    /// As it stands in ids.
    pub const fn name(self) -> &'static str {
        match self {
            Constraint::Required => "required",
            Constraint::Optional => "optional",
            Constraint::Type => "type",
            Constraint::Min => "min",
            Constraint::Integer => "integer",
            Constraint::Notation => "notation",
            Constraint::Bits => "64-bit",
            Constraint::MaxSize => "max-size",
            Constraint::Base64 => "base64",
            Constraint::Base64Padding => "base64-padding",
            Constraint::MinItems => "min-items",
            Constraint::MaxItems => "max-items",
            Constraint::MinLength => "min-length",
            Constraint::MaxLength => "max-length",
            Constraint::Pattern => "pattern",
            Constraint::Editions => "editions",
            Constraint::ItemType => "item-type",
            Constraint::ItemNull => "item-null",
            Constraint::ItemMinLength => "item-min-length",
            Constraint::ItemMaxLength => "item-max-length",
            Constraint::ItemPattern => "item-pattern",
        }
    }

    const fn find(name: &str) -> Option<Constraint> {
        let mut at = 0;
        while at < Constraint::ALL.len() {
            if same(Constraint::ALL[at].name(), name) {
                return Some(Constraint::ALL[at]);
            }
            at += 1;
        }
        None
    }
}

impl RulePattern {
    /// The rules that are written so. Meant for constants, as [`RuleId::new`].
    ///
    /// # Panics
    ///
    /// As [`RuleId::new`].
    pub const fn new(text: &'static str) -> RulePattern {
        let (first, rest) = split(text);
        let area = if same(first, "*") { None } else { Some(RuleId::new(text).area) };
        let (subject, what) = subject_and_what(rest);
        RulePattern { area, subject, what }
    }

    /// One rule alone.
    pub const fn only(rule: RuleId) -> RulePattern {
        RulePattern { area: Some(rule.area), subject: rule.subject, what: rule.what }
    }

    /// Whether a rule is one of them.
    pub fn matches(self, rule: RuleId) -> bool {
        let area = self.area.map_or(rule.operation().is_some(), |area| area == rule.area);
        area && self.subject == rule.subject && self.what == rule.what
    }

    /// The one of an operation.
    pub fn at(self, operation: Operation) -> RuleId {
        RuleId { area: self.area.unwrap_or(Area::Operation(operation)), subject: self.subject, what: self.what }
    }

    /// The one rule that it is, if it has no `*`.
    pub fn rule(self) -> Option<RuleId> {
        self.area.map(|area| RuleId { area, subject: self.subject, what: self.what })
    }

    /// What of a request they are about.
    pub fn subject(self) -> &'static str {
        self.subject
    }
}

/// The first word, and the rest.
const fn split(text: &'static str) -> (&'static str, &'static str) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'/' {
            return (text.split_at(at).0, text.split_at(at + 1).1);
        }
        at += 1;
    }
    (text, "")
}

const fn subject_and_what(rest: &'static str) -> (&'static str, What) {
    let (first, second) = split(rest);
    let (subject, what) = if second.is_empty() { ("", first) } else { (first, second) };
    assert!(!what.is_empty() && split(what).1.is_empty(), "the id of a rule has two or three words");
    match Constraint::find(what) {
        Some(constraint) => (subject, What::Constraint(constraint)),
        None => (subject, What::Named(what)),
    }
}

/// Whether two texts are the same: `==` of texts cannot be used in constants.
const fn same(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    let mut at = 0;
    while at < left.len() && at < right.len() && left[at] == right[at] {
        at += 1;
    }
    at == left.len() && at == right.len()
}

/// By their text, as every list of rules is sorted.
impl Ord for RuleId {
    fn cmp(&self, other: &RuleId) -> Ordering {
        self.bytes().cmp(other.bytes())
    }
}

impl PartialOrd for RuleId {
    fn partial_cmp(&self, other: &RuleId) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.words().collect::<Vec<_>>().join("/"))
    }
}

impl fmt::Debug for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

impl fmt::Display for RulePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [self.area.map_or("*", Area::name), self.subject, self.what.name()];
        f.pad(&words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join("/"))
    }
}

impl FromStr for RuleId {
    type Err = NoRule;

    fn from_str(text: &str) -> Result<RuleId, NoRule> {
        let found = Service::ALL.into_iter().find_map(|service| Rules::of(service).find(text));
        found.map(|rule| rule.id).ok_or_else(|| NoRule(String::from(text)))
    }
}

impl Serialize for RuleId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RuleId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RuleId, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_compares_with_a_text_as_its_own_text_does() {
        let rules = Rules::of(Service::Ecr);
        for id in rules.iter().map(|rule| rule.id) {
            let own = id.to_string();
            let (head, tail) = own.split_at(own.len() / 2);
            let others =
                [String::new(), format!("{own}/"), format!("{own}x"), format!("{head}!{tail}"), own.replace('/', "-")];
            for other in others.iter().map(String::as_str).chain([head, "~", own.as_str()]) {
                assert_eq!(id.cmp_text(other), own.as_str().cmp(other), "{own} and {other}");
            }
        }
    }

    #[test]
    fn every_rule_reads_back_what_it_prints_and_is_sorted_by_it() {
        for service in Service::ALL {
            let ids: Vec<RuleId> = Rules::of(service).iter().map(|rule| rule.id).collect();
            let texts: Vec<String> = ids.iter().map(RuleId::to_string).collect();
            assert!(texts.is_sorted(), "{texts:?}");
            for (id, text) in ids.iter().zip(&texts) {
                assert_eq!(text.parse::<RuleId>().as_ref(), Ok(id));
                assert_eq!(serde_json::to_value(id).unwrap(), serde_json::Value::String(text.clone()));
            }
        }
        assert_eq!(
            "CompleteLayerUpload/nothing".parse::<RuleId>(),
            Err(NoRule(String::from("CompleteLayerUpload/nothing")))
        );
    }

    #[test]
    fn ids_have_parts() {
        const BOUND: RuleId = RuleId::new("CompleteLayerUpload/layerDigests/item-pattern");
        assert_eq!(BOUND.operation(), Some(Operation::CompleteLayerUpload));
        assert_eq!(BOUND.constraint(), Some(Constraint::ItemPattern));
        assert!(BOUND.is_about(Operation::CompleteLayerUpload, "layerDigests") && !BOUND.is_everywhere());
        assert_eq!(BOUND.rest(), "layerDigests/item-pattern");
        let plain = RuleId::new("PutImage/accepted");
        assert!(plain.is("accepted") && plain.subject().is_empty() && plain.constraint().is_none());
        let framing = RuleId::new("wire/framing/chunked");
        assert_eq!((framing.operation(), framing.rest().as_str()), (None, "wire/framing/chunked"));
        assert!(!framing.is("framing/chunked"), "no operation has it");
        assert!(RuleId::new("UploadLayerPart/answer/uploadId").is_everywhere());
        assert_eq!(
            RuleId::of_response(Operation::UploadLayerPart, "uploadId").to_string(),
            "UploadLayerPart/answer/uploadId"
        );
    }

    #[test]
    fn patterns_match_the_rules_of_every_operation_or_of_one() {
        let every = RulePattern::new("*/uploadId/exists");
        assert!(every.matches(RuleId::new("UploadLayerPart/uploadId/exists")));
        assert!(!every.matches(RuleId::new("UploadLayerPart/uploadId/completed")));
        assert_eq!(every.at(Operation::UploadLayerPart), RuleId::new("UploadLayerPart/uploadId/exists"));
        let one = RulePattern::new("wire/method");
        assert!(one.matches(RuleId::new("wire/method")) && one.rule() == Some(RuleId::new("wire/method")));
        assert_eq!(
            (every.to_string(), one.to_string()),
            (String::from("*/uploadId/exists"), String::from("wire/method"))
        );
    }

    #[test]
    #[should_panic(expected = "begins with an operation")]
    fn an_id_without_an_area_cannot_be_made() {
        RuleId::new("uploadId/exists");
    }
}
