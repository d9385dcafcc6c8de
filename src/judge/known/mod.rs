//! Known deviations: findings that a user has accepted for now, each with a reason. The cases run all the same.

mod file;
mod wildcard;
mod write;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Finding, Got};
use crate::contract::{RuleId, Service};

pub use file::{EntryMistake, KnownError, KnownFile, Place};
pub use wildcard::{fold, may_be_found};
pub use write::{NewEntry, add, remove};

/// What stands for a reason that nobody has given yet.
pub const NO_REASON_YET: &str = "to be filled in";

/// One finding that is accepted for now.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Known {
    /// Id of the rule that the finding names.
    pub rule: RuleId,
    /// The wildcard that the rule is one of, as it is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wildcard: Option<String>,
    /// What came: another answer to the same rule is a new finding.
    pub got: Got,
    /// Why it is accepted.
    pub reason: String,
    /// The service, if it is accepted in one only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Service>,
    /// Whether it is found in some runs only, as what calls at once show may be: that it is not found is no news then.
    #[serde(default)]
    pub sometimes: bool,
    /// The last day on which it is accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Date>,
}

/// What is wrong with an entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stale {
    /// Its cases were judged and pass.
    UnexpectedPass,
    /// The rule is still broken, with another answer.
    Changed,
    /// Its day is over.
    Expired,
    /// No case of its rule was run: the target does not serve what they need.
    Unmatched,
}

impl Known {
    /// What the file says for its rule: the rule, or the wildcard that it is one of.
    pub fn written(&self) -> String {
        self.wildcard.clone().unwrap_or_else(|| self.rule.to_string())
    }

    /// Whether the entry is about this finding.
    pub fn matches(&self, service: Service, finding: &Finding) -> bool {
        self.is_about(service, finding) && self.got == finding.got
    }

    /// Whether the entry is about the rule of this finding, whatever came.
    pub fn is_about(&self, service: Service, finding: &Finding) -> bool {
        self.is_for(service) && finding.is_of_rule(self.rule)
    }

    /// Whether the entry is about this service.
    pub fn is_for(&self, service: Service) -> bool {
        self.service.is_none_or(|own| own == service)
    }

    /// Whether another entry accepts the same finding.
    fn is_twin(&self, other: &Known) -> bool {
        let meet = self.service.is_none_or(|service| other.is_for(service));
        meet && (&self.rule, &self.got) == (&other.rule, &other.got)
    }

    /// Whether somebody has said why it is accepted.
    pub fn has_reason(&self) -> bool {
        self.reason != NO_REASON_YET
    }

    /// Whether its day is over.
    pub fn is_expired(&self, today: Date) -> bool {
        self.expires.is_some_and(|expires| expires < today)
    }
}

impl std::fmt::Display for Stale {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Stale::UnexpectedPass => "unexpected pass: the rule is kept now, the entry can go",
            Stale::Changed => "changed: the rule is still broken, but with another answer",
            Stale::Expired => "expired: the entry accepts nothing any more",
            Stale::Unmatched => {
                "unmatched: the target does not serve what the cases of the rule need, the entry can go"
            }
        })
    }
}
