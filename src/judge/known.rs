//! Known deviations: findings that a user has accepted for now, each with a reason. The cases run all the same.

use jiff::civil::Date;
use serde::Deserialize;

use super::Finding;
use crate::contract::{Rules, Service};

/// A file of known deviations.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownFile {
    /// The entries.
    #[serde(default)]
    pub known: Vec<Known>,
}

/// One finding that is accepted for now.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// Id of the rule that the finding names.
    pub rule: String,
    /// What came, as the finding says it: another answer to the same rule is a new finding.
    pub got: String,
    /// Why it is accepted.
    pub reason: String,
    /// The service, if it is accepted in one only.
    pub service: Option<Service>,
    /// Whether it is found in some runs only, as what calls at once show may be: that it is not found is no news then.
    #[serde(default)]
    pub sometimes: bool,
    /// The last day on which it is accepted: a TOML date, `2027-01-31`.
    #[serde(default, deserialize_with = "day")]
    pub expires: Option<Date>,
}

/// Reads a TOML date.
fn day<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
    let written = toml::value::Datetime::deserialize(deserializer)?;
    let expected = || serde::de::Error::custom(format!("expected a day such as 2027-01-31, found {written}"));
    let date = written.date.ok_or_else(expected)?;
    Date::new(date.year as i16, date.month as i8, date.day as i8).map(Some).map_err(|_| expected())
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
}

impl Known {
    /// Whether the entry is about this finding.
    pub fn matches(&self, service: Service, finding: &Finding) -> bool {
        self.is_for(service) && self.rule == finding.acceptable_as() && self.got == finding.got
    }

    /// Whether the entry is about this service.
    pub fn is_for(&self, service: Service) -> bool {
        self.service.is_none_or(|own| own == service)
    }

    /// Whether its day is over.
    pub fn is_expired(&self, today: Date) -> bool {
        self.expires.is_some_and(|expires| expires < today)
    }
}

impl KnownFile {
    /// Reads a file of known deviations.
    ///
    /// # Errors
    ///
    /// The first mistake: where it is, what was expected and what was found.
    pub fn parse(text: &str) -> Result<KnownFile, String> {
        let file: KnownFile = toml::from_str(text).map_err(|error| error.to_string())?;
        for (index, entry) in file.known.iter().enumerate() {
            let known_rule = Service::ALL.iter().any(|service| Rules::of(*service).get(&entry.rule).is_some());
            if !known_rule {
                return Err(format!("entry {}, rule: expected the id of a rule, found {:?}", index + 1, entry.rule));
            }
            if entry.rule.starts_with("always/") {
                let expected = "expected the rule that the request breaks (`about` or `accept as` in the report)";
                return Err(format!(
                    "entry {}, rule: {expected}, found {:?}, which stands for all",
                    index + 1,
                    entry.rule
                ));
            }
            if entry.reason.trim().is_empty() {
                return Err(format!(
                    "entry {}, reason: expected why the deviation is accepted, found nothing",
                    index + 1
                ));
            }
        }
        Ok(file)
    }
}

impl std::fmt::Display for Stale {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Stale::UnexpectedPass => "unexpected pass: the rule is kept now, the entry can go",
            Stale::Changed => "changed: the rule is still broken, but with another answer",
            Stale::Expired => "expired: the finding counts again",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_need_a_rule_that_exists_and_a_reason() {
        let entry =
            |rule: &str, reason: &str| format!("[[known]]\nrule = {rule:?}\ngot = \"200\"\nreason = {reason:?}\n");
        assert_eq!(
            KnownFile::parse(&entry("CompleteLayerUpload/layerDigests/match", "issue 7")).unwrap().known.len(),
            1
        );
        let error = KnownFile::parse(&entry("CompleteLayerUpload/nothing", "issue 7")).unwrap_err();
        assert_eq!(error, "entry 1, rule: expected the id of a rule, found \"CompleteLayerUpload/nothing\"");
        let error = KnownFile::parse(&entry("CompleteLayerUpload/layerDigests/match", " ")).unwrap_err();
        assert_eq!(error, "entry 1, reason: expected why the deviation is accepted, found nothing");
        assert!(KnownFile::parse("[[known]]\nrul = 1\n").unwrap_err().contains("rul"));
        assert!(KnownFile::parse("").unwrap().known.is_empty());
        let dated = |day: &str| KnownFile::parse(&format!("{}expires = {day}\n", entry("wire/method", "issue 7")));
        assert_eq!(dated("2027-01-31").unwrap().known[0].expires, Some(jiff::civil::date(2027, 1, 31)));
        assert!(dated("12:00:00").unwrap_err().contains("expected a day such as 2027-01-31"));
    }
}
