//! What is wrong with an answer as HTTP or as JSON, although it can be made out what it says.

use serde::{Deserialize, Serialize};
use strum::VariantArray;

use crate::contract::RuleId;

/// What is wrong with an answer that can be read all the same. Strict clients fail on each of them.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize, VariantArray)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Flaw {
    /// The body is shorter than the answer says: the connection ended, or nothing more came.
    Cut,
    /// Bytes come after the end of the answer.
    Excess,
    /// It says more than once how long it is, and each time otherwise.
    TwoLengths,
    /// A byte order mark stands before the JSON.
    ByteOrderMark,
    /// Something else stands before the JSON.
    Prefix,
    /// Something stands after the JSON object.
    Trailing,
    /// The JSON ends before its object does.
    Incomplete,
    /// It is no UTF-8.
    #[serde(rename = "not-utf-8")]
    NotUtf8,
    /// It is compressed, and does not say so.
    Compressed,
    /// It is a JSON string that has the JSON object in it.
    Quoted,
    /// A member comes twice.
    Repeated,
    /// It has a content coding that the request does not accept.
    Coded,
    /// It names a content coding that it does not have.
    NotCoded,
}

impl Flaw {
    /// All of them.
    pub const ALL: &[Flaw] = <Flaw as VariantArray>::VARIANTS;

    /// As it stands in codes.
    pub const fn name(self) -> &'static str {
        match self {
            Flaw::Cut => "cut",
            Flaw::Excess => "excess",
            Flaw::TwoLengths => "two-lengths",
            Flaw::ByteOrderMark => "byte-order-mark",
            Flaw::Prefix => "prefix",
            Flaw::Trailing => "trailing",
            Flaw::Incomplete => "incomplete",
            Flaw::NotUtf8 => "not-utf-8",
            Flaw::Compressed => "compressed",
            Flaw::Quoted => "quoted",
            Flaw::Repeated => "repeated",
            Flaw::Coded => "coded",
            Flaw::NotCoded => "not-coded",
        }
    }

    /// The rule that it breaks.
    pub const fn rule(self) -> RuleId {
        match self {
            Flaw::Cut | Flaw::Excess | Flaw::TwoLengths => RuleId::new("answer/framing"),
            Flaw::ByteOrderMark
            | Flaw::Prefix
            | Flaw::Trailing
            | Flaw::Incomplete
            | Flaw::NotUtf8
            | Flaw::Compressed
            | Flaw::Quoted => RuleId::new("answer/json-object"),
            Flaw::Repeated => RuleId::new("answer/unique-members"),
            Flaw::Coded | Flaw::NotCoded => RuleId::new("answer/content-coding"),
        }
    }

    /// Whether members that the server meant to send may be missing.
    pub const fn loses_members(self) -> bool {
        matches!(self, Flaw::Cut | Flaw::Incomplete)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_that_of_a_log() {
        for flaw in Flaw::ALL {
            assert_eq!(serde_json::from_value::<Flaw>(flaw.name().into()).ok(), Some(*flaw));
        }
    }
}
