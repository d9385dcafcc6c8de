//! Known deviations: findings that a user has accepted for now, each with a reason. The cases run all the same.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::got::NoCode;
use super::{Finding, Got};
use crate::contract::{Area, Rule, RuleId, Rules, Service};

/// A file of known deviations.
#[derive(Clone, Debug, Default)]
pub struct KnownFile {
    /// The entries.
    pub known: Vec<Known>,
}

/// One finding that is accepted for now.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Known {
    /// Id of the rule that the finding names.
    pub rule: RuleId,
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

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    known: Vec<Entry>,
}

/// An entry as it is written, with its places in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    rule: Spanned<String>,
    got: Spanned<String>,
    reason: Spanned<String>,
    service: Option<Service>,
    #[serde(default)]
    sometimes: bool,
    /// A TOML date, `2027-01-31`.
    #[serde(default, deserialize_with = "day")]
    expires: Option<Date>,
}

/// The first mistake in a file of known deviations.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KnownError {
    /// It is no TOML, or has other keys or types.
    #[error(transparent)]
    Toml(#[from] toml::de::Error),
    /// An entry accepts nothing, or not so that a reader could tell what and why.
    #[error("line {line}: {mistake}")]
    Entry {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong.
        mistake: EntryMistake,
    },
    /// Two entries accept the same.
    #[error("line {line}: expected one entry for {rule}, got {:?}: line {first} has it as well", got.code())]
    Twice {
        /// The line of the second.
        line: usize,
        /// The line of the first.
        first: usize,
        /// The rule of both.
        rule: RuleId,
        /// What both accept.
        got: Box<Got>,
    },
}

/// What is wrong with an entry of known deviations.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EntryMistake {
    /// The service has no such rule.
    #[error("rule: expected the id of a rule{of}, found {found:?}", of = of_service(*service))]
    NoRule {
        /// What stands in its place.
        found: String,
        /// The service of the entry, if it names one.
        service: Option<Service>,
    },
    /// The rule is one that every request may break.
    #[error(
        "rule: expected the rule that the request breaks (`accept as` in the report, `accept_as` in the log), found \
         \"{0}\", which stands for all"
    )]
    StandsForAll(RuleId),
    /// The rule is open, and such an answer to it is no finding.
    #[error(
        "rule: expected a rule that {:?} can break, found \"{rule}\", which the documents leave open: only a server \
         fault, or no answer, can be a finding there", got.code()
    )]
    Open {
        /// The rule.
        rule: RuleId,
        /// What the entry accepts.
        got: Box<Got>,
    },
    /// What came is said by no code.
    #[error("got: {0}")]
    Got(NoCode),
    /// It gives no reason.
    #[error("reason: expected why the deviation is accepted, found nothing")]
    NoReason,
}

fn of_service(service: Option<Service>) -> String {
    service.map_or_else(String::new, |service| format!(" of {service}"))
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
    /// The first mistake: its line, what was expected and what was found.
    pub fn parse(text: &str) -> Result<KnownFile, KnownError> {
        let file: File = toml::from_str(text)?;
        let line = |place: &Spanned<String>| 1 + text[..place.span().start].matches('\n').count();
        let mut known: Vec<(usize, Known)> = Vec::new();
        for entry in file.known {
            let at_line = |(place, mistake)| KnownError::Entry { line: line(place), mistake };
            let (rule, got) = entry.check().map_err(at_line)?;
            let at = line(&entry.rule);
            let entry = entry.known(rule, got);
            let twin = known.iter().find(|(_, other)| other.is_twin(&entry));
            if let Some((first, _)) = twin {
                let Known { rule, got, .. } = entry;
                return Err(KnownError::Twice { line: at, first: *first, rule, got: Box::new(got) });
            }
            known.push((at, entry));
        }
        Ok(KnownFile { known: known.into_iter().map(|(_, entry)| entry).collect() })
    }
}

impl Entry {
    /// Its rule, and what came by its code; or what is wrong with the entry, and where.
    fn check(&self) -> Result<(RuleId, Got), (&Spanned<String>, EntryMistake)> {
        let rule = self.rule.get_ref();
        let services = Service::ALL.into_iter().filter(|service| self.service.is_none_or(|own| own == *service));
        let rules: Vec<&Rule> = services.filter_map(|service| Rules::of(service).find(rule)).collect();
        let Some(id) = rules.first().map(|rule| rule.id) else {
            return Err((&self.rule, EntryMistake::NoRule { found: rule.clone(), service: self.service }));
        };
        if id.area() == Area::Always {
            return Err((&self.rule, EntryMistake::StandsForAll(id)));
        }
        let got: Got = self.got.get_ref().parse().map_err(|error| (&self.got, EntryMistake::Got(error)))?;
        if rules.iter().all(|rule| !rule.tier.gates()) && !may_be_found_where_open(id, &got) {
            return Err((&self.rule, EntryMistake::Open { rule: id, got: Box::new(got) }));
        }
        match self.reason.get_ref().trim() {
            "" => Err((&self.reason, EntryMistake::NoReason)),
            _ => Ok((id, got)),
        }
    }

    fn known(self, rule: RuleId, got: Got) -> Known {
        Known {
            rule,
            got,
            reason: self.reason.into_inner(),
            service: self.service,
            sometimes: self.sometimes,
            expires: self.expires,
        }
    }
}

/// Whether an answer can be a finding where the documents leave the answer to the target: a server fault, no answer, or
/// wrong values for a layer.
fn may_be_found_where_open(rule: RuleId, got: &Got) -> bool {
    got.is_server_fault() || rule.subject() == "layers"
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
        let error = KnownFile::parse(&entry("CompleteLayerUpload/nothing", "issue 7")).unwrap_err().to_string();
        assert_eq!(error, "line 2: rule: expected the id of a rule, found \"CompleteLayerUpload/nothing\"");
        let error = KnownFile::parse(&entry("CompleteLayerUpload/layerDigests/match", " ")).unwrap_err().to_string();
        assert_eq!(error, "line 4: reason: expected why the deviation is accepted, found nothing");
        let text = entry("CompleteLayerUpload/layerDigests/match", "issue 7").replace("200", "connection dropped");
        let error = KnownFile::parse(&text).unwrap_err().to_string();
        assert!(error.starts_with("line 3: got: expected the code of what came, such as 200"), "{error}");
        assert!(error.ends_with("found \"connection dropped\""), "{error}");
        assert!(KnownFile::parse("[[known]]\nrul = 1\n").unwrap_err().to_string().contains("rul"));
        assert!(KnownFile::parse("").unwrap().known.is_empty());
        let dated = |day: &str| {
            KnownFile::parse(&format!(
                "{}expires = {day}\n",
                entry("CompleteLayerUpload/layerDigests/match", "issue 7")
            ))
        };
        assert_eq!(dated("2027-01-31").unwrap().known[0].expires, Some(jiff::civil::date(2027, 1, 31)));
        assert!(dated("12:00:00").unwrap_err().to_string().contains("expected a day such as 2027-01-31"));
    }

    #[test]
    fn an_entry_that_accepts_nothing_or_twice_is_rejected() {
        let entry = |rule: &str, got: &str, more: &str| {
            format!("# later\n[[known]]\nrule = {rule:?}\ngot = {got:?}\nreason = \"issue 7\"\n{more}\n")
        };
        let parsed = |entries: &[String]| KnownFile::parse(&entries.concat()).map(|file| file.known.len());
        let open = "UploadLayerPart/layerPartBlob/above-10-MiB";
        assert!(!Rules::of(Service::Ecr).find(open).unwrap().tier.gates());
        let error = parsed(&[entry("wire/body/json", "200", ""), entry(open, "200", "")]).unwrap_err().to_string();
        assert!(
            error.starts_with("line 9: rule: expected a rule that \"200\" can break") && error.contains(open),
            "{error}"
        );
        assert_eq!(parsed(&[entry(open, "500", ""), entry(open, "dropped", "")]), Ok(2));
        let rule = "CompleteLayerUpload/layerDigests/match";
        let error = parsed(&[entry(rule, "200", ""), entry(rule, "200", "service = \"ecr\"")]).unwrap_err().to_string();
        assert_eq!(error, format!("line 9: expected one entry for {rule}, got \"200\": line 3 has it as well"));
        let of = |service: &str| entry(rule, "200", &format!("service = {service:?}"));
        assert_eq!(parsed(&[of("ecr"), of("ecr-public"), entry(rule, "500", "")]), Ok(3));
        let everywhere = parsed(&[entry("always/no-5xx", "500", "")]).unwrap_err().to_string();
        assert!(everywhere.starts_with("line 3: rule: expected the rule that the request breaks"), "{everywhere}");
    }
}
