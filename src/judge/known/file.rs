//! The file of known deviations, as it is written: what is wrong with it is told with its line.

use std::fmt;
use std::ops::Range;

use jiff::civil::Date;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::wildcard::{expand, is_narrow, is_wildcard, unused};
use super::{Known, may_be_found};
use crate::contract::{Area, Rule, RuleId, Rules, Service};
use crate::judge::Got;
use crate::judge::got::NoCode;
use crate::wire::TransportError;

/// A file of known deviations.
#[derive(Clone, Debug, Default)]
pub struct KnownFile {
    /// What the entries accept, one rule each.
    pub known: Vec<Known>,
    /// The service of all entries that name none.
    pub service: Option<Service>,
    /// Where the entries stand, in the order of the file.
    pub places: Vec<Place>,
    /// The list that they stand in, brackets included; `None` where each has a head of its own, `[[known]]`.
    pub list: Option<Range<usize>>,
}

/// Where an entry stands in the text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    /// What it accepts: its part of [`KnownFile::known`].
    pub known: Range<usize>,
    /// The value of its `rule`.
    pub rule: Range<usize>,
    /// From the first of its keys to the end of its last value; all of it, braces included, where it is in line.
    pub keys: Range<usize>,
}

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    service: Option<Service>,
    known: Option<Spanned<Vec<Spanned<Entry>>>>,
}

/// An entry as it is written, with its places in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    rule: Spanned<Texts>,
    got: Spanned<String>,
    reason: Spanned<String>,
    service: Option<Spanned<Service>>,
    sometimes: Option<Spanned<bool>>,
    /// A TOML date, `2027-01-31`.
    expires: Option<Spanned<toml::value::Datetime>>,
}

/// One text, or a list of them.
enum Texts {
    One(String),
    Several(Vec<Spanned<String>>),
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
    /// A wildcard stands for no rule that can be broken so.
    #[error("rule: expected a wildcard for rules{of} that {:?} can break, found {found:?}", got.code(), of = of_service(*service))]
    NoRules {
        /// The wildcard.
        found: String,
        /// The service of the entry, if it names one.
        service: Option<Service>,
        /// What the entry accepts.
        got: Box<Got>,
    },
    /// A wildcard names nothing but operations.
    #[error("rule: expected a wildcard that names a member or what is wrong, found {0:?}, which stands for too much")]
    TooWide(String),
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
    /// What came says nothing about the target.
    #[error("got: expected what the target answered, found {:?}: without a connection nothing is judged", .0.code())]
    Infrastructure(Box<Got>),
    /// It gives no reason.
    #[error("reason: expected why the deviation is accepted, found nothing")]
    NoReason,
    /// It ends on no day.
    #[error("expires: expected a day such as 2027-01-31, found {0}")]
    NoDay(String),
}

fn of_service(service: Option<Service>) -> String {
    service.map_or_else(String::new, |service| format!(" of {service}"))
}

/// What is wrong, and at which byte.
type Mistake = (usize, EntryMistake);

impl KnownFile {
    /// Reads a file of known deviations.
    ///
    /// # Errors
    ///
    /// The first mistake: its line, what was expected and what was found.
    pub fn parse(text: &str) -> Result<KnownFile, KnownError> {
        let File { service, known } = toml::from_str(text)?;
        let line = |at: usize| 1 + text[..at].matches('\n').count();
        let is_list =
            |span: &Range<usize>| text[span.clone()].starts_with('[') && !text[span.clone()].starts_with("[[");
        let list = known.as_ref().map(Spanned::span).filter(is_list);
        let mut file = KnownFile { service, list, ..KnownFile::default() };
        let mut lines: Vec<usize> = Vec::new();
        for entry in known.map(Spanned::into_inner).unwrap_or_default() {
            let whole = entry.span();
            let mut entry = entry.into_inner();
            entry.service = entry.service.or(service.map(|service| Spanned::new(0..0, service)));
            let accepted = entry.accepted().map_err(|(at, mistake)| KnownError::Entry { line: line(at), mistake })?;
            let first = file.known.len();
            for (at, known) in accepted {
                if let Some(twin) = file.known.iter().position(|other| other.is_twin(&known)) {
                    let Known { rule, got, .. } = known;
                    return Err(KnownError::Twice { line: line(at), first: lines[twin], rule, got: Box::new(got) });
                }
                lines.push(line(at));
                file.known.push(known);
            }
            let keys = if file.list.is_some() { whole } else { entry.keys(text) };
            file.places.push(Place { known: first..file.known.len(), rule: entry.rule.span(), keys });
        }
        Ok(file)
    }
}

impl Entry {
    /// What it accepts, each with its place; or what is wrong with it.
    fn accepted(&self) -> Result<Vec<(usize, Known)>, Mistake> {
        let service = self.service.as_ref().map(|service| *service.get_ref());
        let got = self.got()?;
        let reason = self.reason.get_ref();
        if reason.trim().is_empty() {
            return Err((self.reason.span().start, EntryMistake::NoReason));
        }
        let expires = self.expires.as_ref().map(day).transpose()?;
        let mut accepted = Vec::new();
        for (at, text) in self.rule.get_ref().each(self.rule.span().start) {
            let rules = rules(text, service, &got).map_err(|mistake| (at, mistake))?;
            accepted.extend(rules.into_iter().map(|rule| {
                let known = Known {
                    rule,
                    wildcard: is_wildcard(text).then(|| String::from(text)),
                    got: got.clone(),
                    reason: reason.clone(),
                    service,
                    sometimes: self.sometimes.as_ref().is_some_and(|sometimes| *sometimes.get_ref()),
                    expires,
                };
                (at, known)
            }));
        }
        match accepted.is_empty() {
            true => Err((self.rule.span().start, EntryMistake::NoRule { found: String::new(), service })),
            false => Ok(accepted),
        }
    }

    fn got(&self) -> Result<Got, Mistake> {
        let at = self.got.span().start;
        let got: Got = self.got.get_ref().parse().map_err(|error| (at, EntryMistake::Got(error)))?;
        match got {
            Got::Transport(TransportError::Unreachable(_)) => Err((at, EntryMistake::Infrastructure(Box::new(got)))),
            got => Ok(got),
        }
    }

    /// From the line of its first key to the end of its last value.
    fn keys(&self, text: &str) -> Range<usize> {
        let optional = [
            self.service.as_ref().map(Spanned::span).filter(|span| !span.is_empty()),
            self.sometimes.as_ref().map(Spanned::span),
            self.expires.as_ref().map(Spanned::span),
        ];
        let given = [self.rule.span(), self.got.span(), self.reason.span()];
        let spans = || given.iter().cloned().chain(optional.iter().flatten().cloned());
        let first = spans().map(|span| span.start).min().unwrap_or_default();
        let start = text[..first].rfind('\n').map_or(0, |newline| newline + 1);
        start..spans().map(|span| span.end).max().unwrap_or_default()
    }
}

/// The rules of an entry that a text stands for.
fn rules(text: &str, service: Option<Service>, got: &Got) -> Result<Vec<RuleId>, EntryMistake> {
    let services = || Service::ALL.into_iter().filter(|one| service.is_none_or(|own| own == *one));
    if is_wildcard(text) {
        if !is_narrow(text) {
            return Err(EntryMistake::TooWide(String::from(text)));
        }
        let rules = expand(text, service, got);
        if let Some(word) = unused(text, &rules).filter(|_| !rules.is_empty()) {
            return Err(EntryMistake::NoRules { found: String::from(word), service, got: Box::new(got.clone()) });
        }
        return match rules.is_empty() {
            true => Err(EntryMistake::NoRules { found: String::from(text), service, got: Box::new(got.clone()) }),
            false => Ok(rules.into_iter().collect()),
        };
    }
    let rules: Vec<&Rule> = services().filter_map(|service| Rules::of(service).find(text)).collect();
    let Some(id) = rules.first().map(|rule| rule.id) else {
        return Err(EntryMistake::NoRule { found: String::from(text), service });
    };
    if id.area() == Area::Always {
        return Err(EntryMistake::StandsForAll(id));
    }
    if rules.iter().all(|rule| !rule.tier.gates() && !may_be_found(rule, got)) {
        return Err(EntryMistake::Open { rule: id, got: Box::new(got.clone()) });
    }
    Ok(vec![id])
}

/// The day of a TOML date.
fn day(written: &Spanned<toml::value::Datetime>) -> Result<Date, Mistake> {
    let date = written.get_ref().date;
    let day = date.and_then(|date| Date::new(date.year as i16, date.month as i8, date.day as i8).ok());
    day.ok_or_else(|| (written.span().start, EntryMistake::NoDay(written.get_ref().to_string())))
}

impl Texts {
    /// Each with its place; one alone is at the place of the whole.
    fn each(&self, at: usize) -> Vec<(usize, &str)> {
        match self {
            Texts::One(text) => vec![(at, text)],
            Texts::Several(texts) => texts.iter().map(|text| (text.span().start, text.get_ref().as_str())).collect(),
        }
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Texts, D::Error> {
        struct OneOrSeveral;

        impl<'de> Visitor<'de> for OneOrSeveral {
            type Value = Texts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the id of a rule, a wildcard, or a list of them")
            }

            fn visit_str<E>(self, text: &str) -> Result<Texts, E> {
                Ok(Texts::One(String::from(text)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Texts, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = list.next_element()? {
                    texts.push(text);
                }
                Ok(Texts::Several(texts))
            }
        }

        deserializer.deserialize_any(OneOrSeveral)
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
