//! What can be wrong with a call of a random sequence: with its state, with a value that is drawn, or with one of the
//! catalogue's values. A plan names them by number, its text by name.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use sha2::{Digest as _, Sha256};

use super::strings::Strings;
use super::values::Violation;
use super::{digests, members};
use crate::case::body::{Body, quote};
use crate::contract::{Kind, Operation, RuleId, Service, Text};

/// What can be wrong with the calls of an operation, in a fixed order.
#[derive(Debug)]
pub struct Violations {
    all: Vec<(String, Planned)>,
    /// Where a kind ends in the list: state, digests that do not match, drawn values. The rest are values of the catalogue.
    ends: [usize; 3],
}

/// A violation as a plan has it, without the values that depend on where it is used.
#[derive(Debug)]
pub(super) enum Planned {
    /// It does not fit what came before, and breaks this rule.
    Stateful(RuleId, Stateful),
    /// A member has a string that is drawn: nearly one that the pattern allows, or one that it does.
    Drawn(&'static str),
    /// A value of the catalogue.
    Value(Violation),
}

/// What does not fit what came before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stateful {
    RepositoryAbsent,
    UploadUnknown,
    OtherRepository,
    UpperCase,
    Completed,
    RepositoryDeleted,
    Gap,
    Overlap,
    FromTheStart,
    LastBeforeFirst,
    RangeLonger,
    RangeShorter,
    NoBytes,
    NoParts,
}

/// Each with its rule and variant: those of the case of the catalogue that is about it alone, without the operation.
const STATEFUL: [(&str, &str, Stateful); 14] = [
    ("repositoryName/exists", "unknown", Stateful::RepositoryAbsent),
    ("uploadId/exists", "unknown", Stateful::UploadUnknown),
    ("uploadId/exists", "other-repository", Stateful::OtherRepository),
    ("uploadId/upper-case", "own", Stateful::UpperCase),
    ("uploadId/once", "completed", Stateful::Completed),
    ("uploadId/recreated-repository", "deleted", Stateful::RepositoryDeleted),
    ("partFirstByte/contiguous", "gap", Stateful::Gap),
    ("partFirstByte/contiguous", "overlap", Stateful::Overlap),
    ("partFirstByte/contiguous", "other-bytes-again", Stateful::FromTheStart),
    ("partLastByte/not-before-first", "one-before", Stateful::LastBeforeFirst),
    ("layerPartBlob/length", "one-byte-short", Stateful::RangeLonger),
    ("layerPartBlob/length", "one-byte-over", Stateful::RangeShorter),
    ("layerPartBlob/empty", "one-byte-range", Stateful::NoBytes),
    ("parts/not-empty", "no-parts", Stateful::NoParts),
];

/// What a violation breaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Breaks {
    /// A rule.
    Rule(RuleId),
    /// Some rule about a member, or none: its value is drawn.
    Member(&'static str),
}

impl Breaks {
    /// Whether the breach of a rule is what the violation is there for.
    pub(crate) fn accounts_for(self, broken: RuleId) -> bool {
        match self {
            Breaks::Rule(rule) => rule == broken,
            Breaks::Member(member) => broken.subject() == member,
        }
    }
}

impl Violations {
    /// Those of an operation of a service.
    pub fn of(service: Service, operation: Operation) -> &'static Violations {
        static ALL: LazyLock<HashMap<(Service, Operation), Violations>> = LazyLock::new(|| {
            let operations =
                |service: Service| service.contract().operations.iter().map(move |one| (service, one.name));
            let keys = Service::ALL.into_iter().flat_map(operations);
            keys.map(|(service, operation)| ((service, operation), Violations::build(service, operation))).collect()
        });
        static NONE: Violations = Violations { all: Vec::new(), ends: [0; 3] };
        ALL.get(&(service, operation)).unwrap_or(&NONE)
    }

    fn build(service: Service, operation: Operation) -> Violations {
        let Some(known) = service.contract().layer_operations().find(|known| known.name == operation) else {
            return Violations { all: Vec::new(), ends: [0; 3] };
        };
        let mut all: Vec<(String, Planned)> = Vec::new();
        for (rule, variant, stateful) in STATEFUL {
            let rule = RuleId::of(operation, rule);
            let asks_for_parts = operation == Operation::CompleteLayerUpload && stateful == Stateful::NoParts;
            // Only a part has a position that can be wrong.
            if known.input(rule.subject()).is_some() || asks_for_parts {
                all.push((format!("{}/{variant}", rule.rest()), Planned::Stateful(rule, stateful)));
            }
        }
        let lists = if operation == Operation::CompleteLayerUpload { digests::violations() } else { Vec::new() };
        // What costs a megabyte a call, the catalogue does once.
        let light = |violation: &Violation| violation.variant != "1-MiB";
        let about_registry = |violation: &Violation| violation.rule.is_some_and(|rule| rule.is("registryId/unknown"));
        let values = members::violations(service, known).into_iter().chain(lists);
        let named = |violation: Violation| {
            let id = violation.id();
            let name = id.strip_prefix(&format!("{operation}/")).unwrap_or(&id);
            (String::from(name), Planned::Value(violation))
        };
        let values = values.filter(|violation| light(violation) && !about_registry(violation)).map(named);
        // Digests that are well-formed and wrong are a matter of what was sent before.
        let (matched, values): (Vec<_>, Vec<_>) =
            values.partition(|(name, _)| name.contains("/match/") || name.contains("/sha256-length/"));
        let stateful = all.len();
        all.extend(matched);
        let matching = all.len();
        for member in known.input.iter().map(|member| member.name) {
            if matches!(member, "repositoryName" | "uploadId" | "layerDigest") || is_matched(operation, member) {
                all.push((format!("{member}/drawn"), Planned::Drawn(member)));
            }
        }
        let drawn = all.len();
        all.extend(values);
        Violations { all, ends: [stateful, matching, drawn] }
    }

    /// Number of them.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether nothing can be wrong.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The numbers of a kind: what does not fit the state, digests that do not match, drawn values, values of the
    /// catalogue.
    pub(super) fn kinds(&self) -> [Range<usize>; 4] {
        let [stateful, matching, drawn] = self.ends;
        [0..stateful, stateful..matching, matching..drawn, drawn..self.all.len()]
    }

    /// The name of the one with this number; numbers go round.
    pub fn name(&self, number: u16) -> Option<&str> {
        self.all.get(self.index(number)?).map(|(name, _)| name.as_str())
    }

    /// What the one with this number breaks.
    pub(crate) fn breaks(&self, number: u16) -> Option<Breaks> {
        match &self.all.get(self.index(number)?)?.1 {
            Planned::Stateful(rule, _) => Some(Breaks::Rule(*rule)),
            Planned::Drawn(member) => Some(Breaks::Member(member)),
            Planned::Value(violation) => violation.rule.map(Breaks::Rule),
        }
    }

    /// The number of the one with this name.
    pub fn number(&self, name: &str) -> Option<u16> {
        self.all.iter().position(|(known, _)| known == name).and_then(|index| u16::try_from(index).ok())
    }

    /// Those with these numbers; the numbers come back as they stand in the list.
    pub(super) fn chosen(&self, numbers: &[u16]) -> Vec<(u16, &Planned)> {
        let chosen = |number: &u16| {
            let index = self.index(*number)?;
            Some((u16::try_from(index).ok()?, &self.all.get(index)?.1))
        };
        numbers.iter().filter_map(chosen).collect()
    }

    fn index(&self, number: u16) -> Option<usize> {
        usize::from(number).checked_rem(self.all.len())
    }
}

fn is_matched(operation: Operation, member: &str) -> bool {
    operation == Operation::CompleteLayerUpload && member == "layerDigests"
}

/// A drawn value for a member: a string of the pattern's automaton, most often with one character changed. Which rule it
/// breaks, if any, the contract says.
pub(super) fn drawn(
    service: Service,
    operation: Operation,
    member: &'static str,
    entropy: &[u8],
    valid: &Body,
) -> Option<Violation> {
    let known = service.contract().operation(operation)?.input(member)?;
    let text = match &known.shape.kind {
        Kind::Text(text) => text,
        Kind::List { item, .. } => match &item.kind {
            Kind::Text(text) => text,
            _ => return None,
        },
        _ => return None,
    };
    let digest = Sha256::digest(entropy);
    let drawn = quote(&draw(text, &digest));
    let json = match &known.shape.kind {
        // Beside the right one, so that the drawn one is the only violation.
        Kind::List { .. } => {
            let right = valid.get(member)?;
            format!("[{drawn},{}", right.strip_prefix('[')?)
        }
        _ => drawn,
    };
    Some(Violation {
        rule: None,
        variant: String::from("drawn"),
        title: format!("{member}: a drawn value"),
        changes: vec![(member, Some(json))],
    })
}

/// A string of exactly `length` characters that every edition of a text allows, if there is one.
pub fn matching(text: &Text, length: usize, entropy: u64) -> Option<String> {
    // The oldest edition is the narrowest: mostly the others only agree.
    let (oldest, others) = text.patterns.split_last()?;
    let found = Strings::built(oldest.expression).matching(length, entropy)?;
    (text.allows_length(&found) && others.iter().all(|pattern| pattern.matches(&found))).then_some(found)
}

/// A string for a text, by bytes of chance: in the first three of four it has one character changed.
pub fn draw(text: &Text, chance: &[u8]) -> String {
    let seed = u64::from_le_bytes(std::array::from_fn(|index| chance.get(index).copied().unwrap_or_default()));
    let byte = |index: usize| usize::from(chance.get(8 + index).copied().unwrap_or_default());
    // The oldest edition is the narrowest.
    let Some(pattern) = text.patterns.last() else { return "a".repeat(1 + byte(0) % 60) };
    let strings = Strings::built(pattern.expression);
    let lengths = [text.min.max(2), 36, 12, 71, 20, 64, 255];
    let wanted = match byte(0) {
        0..128 => 3 + byte(1) % 80,
        other => lengths[other % lengths.len()],
    };
    let lawful = strings.matching(strings.nearest_length(wanted), seed).unwrap_or_default();
    let mut letters: Vec<char> = lawful.chars().collect();
    let other = ODD[byte(2) % ODD.len()];
    let place = byte(3) % letters.len().max(1);
    match byte(4) % 4 {
        0 => {}
        1 => letters.insert(place, other),
        2 if letters.len() > 1 => {
            letters.remove(place);
        }
        _ if !letters.is_empty() => letters[place] = other,
        _ => letters.push(other),
    }
    letters.into_iter().collect()
}

/// Characters that some implementation of a pattern has been seen to take for others, and some plain ones.
const ODD: [char; 24] = [
    '-', '_', '.', '/', ':', '+', ' ', '\n', '\r', '\t', '\0', 'A', 'g', 'z', '0', '@', '%', '\\', '"', 'é', '٣', 'ſ',
    '\u{2028}', '😀',
];
