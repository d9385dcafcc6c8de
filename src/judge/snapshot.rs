//! The reviewed expectations: how they read, and how cases are judged by them.
//!
//! A snapshot is text made from the expectations, reviewed with `cargo insta review`, and carried inside the binary. In
//! the catalogue, cases that expect the same stand below what they expect: one `=>` line for each step that they are
//! about, with its rule, and how many steps in a row where it is more than one.
//!
//! ```text
//! => CompleteLayerUpload/layerDigests/max-items documented [api:CompleteLayerUpload] 400 InvalidParameterException
//!    and nothing is stored
//!   - ./101-items: 101 digests, the first right
//!       layerDigests=[«sha256:layer», "sha256:0000…0001", … 99 more; 101 items]
//! ```
//!
//! An id that begins with `./` goes on from the rule above it. Below it stands what is sent, for whoever reads.
//! Scenarios have no snapshots: their files are read and reviewed as they are.

use std::collections::BTreeMap;

use super::sent::sent;
use crate::case::{Case, Step, StepRole};
use crate::contract::{RuleId, Tier};
use crate::expect::{Expectation, NoExpectation};
use crate::template::shown;

/// The file, without its ending, that has the expectations of a case of the catalogue, below the folder of its service.
pub fn file(case: &Case) -> String {
    let parts: Vec<&str> = case.id.split('/').collect();
    match parts.as_slice() {
        [operation, member, ..] => format!("catalogue/{operation}.{member}"),
        _ => format!("catalogue/{}", case.id),
    }
}

/// The text of a snapshot, for the cases that it has.
pub fn print(cases: &[&Case]) -> String {
    let mut text = String::new();
    let mut block = String::new();
    for case in cases {
        let expected = print_expected(case);
        if expected != block {
            let gap = if text.is_empty() { "" } else { "\n" };
            text += &format!("{gap}{expected}");
            block = expected;
        }
        text += &format!("  - {}: {}\n", short_id(case), shown(&case.title));
        sent(case).iter().for_each(|line| text += &format!("      {line}\n"));
    }
    text
}

/// Why a case is not judged by its snapshot.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SnapshotError {
    /// No snapshot has the case with this id.
    #[error("no snapshot has the case {0}")]
    Missing(String),
    /// The snapshot was made of another case.
    #[error("the snapshot of {case} has {expectations} expectations for {steps} steps")]
    OtherSteps {
        /// The id of the case.
        case: String,
        /// How many expectations the snapshot has.
        expectations: usize,
        /// How many steps of the case are judged.
        steps: usize,
    },
    /// A line of it has nothing after a rule.
    #[error("the snapshot of {case}: expected a rule and what it allows, found {line:?}")]
    NothingAllowed {
        /// The id of the case.
        case: String,
        /// The line.
        line: String,
    },
    /// A line of it is no expectation.
    #[error("the snapshot of {case}: {problem}")]
    Unreadable {
        /// The id of the case.
        case: String,
        /// What was expected, and what was found.
        problem: NoExpectation,
    },
}

/// Expectations by case id, as they stand in snapshots.
#[derive(Debug, Default)]
pub struct Snapshots {
    /// What the judged steps expect, and how many in a row do.
    entries: BTreeMap<String, Vec<(String, usize)>>,
}

/// A case as it stands in a snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry<'a> {
    /// Its id.
    pub id: String,
    /// Its title, as it reads.
    pub title: &'a str,
    /// What its judged steps expect: the rule and what it allows, and how many steps in a row expect it.
    pub expected: Vec<(&'a str, usize)>,
}

impl Entry<'_> {
    /// The rules of its judged steps, and how strong each is, once for steps in a row.
    ///
    /// # Errors
    ///
    /// A line that does not begin with a rule and a tier.
    pub fn rules(&self) -> Result<Vec<(RuleId, Tier)>, SnapshotError> {
        let parse = |(line, _): &(&str, usize)| {
            let mut words = line.split(' ');
            let (rule, tier) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let rule = rule.parse().map_err(NoExpectation::Rule)?;
            Ok((rule, tier.parse()?))
        };
        let unreadable = |problem: NoExpectation| SnapshotError::Unreadable { case: self.id.clone(), problem };
        self.expected.iter().map(|line| parse(line).map_err(unreadable)).collect()
    }
}

/// The cases of a snapshot file, in order.
pub fn entries(text: &str) -> impl Iterator<Item = Entry<'_>> {
    let mut block: Vec<(&str, usize)> = Vec::new();
    let mut in_block = false;
    without_header(text).lines().filter_map(move |line| {
        if let Some(expectation) = line.strip_prefix("=> ") {
            if !in_block {
                block.clear();
            }
            in_block = true;
            let (times, expectation) = times(expectation);
            block.push((expectation, times));
            return None;
        }
        let (id, title) = line.strip_prefix("  - ")?.split_once(": ")?;
        in_block = false;
        let rule = block.first().and_then(|(line, _)| line.split(' ').next()).unwrap_or_default();
        let id = id.strip_prefix('.').map_or_else(|| String::from(id), |below| format!("{rule}{below}"));
        Some(Entry { id, title, expected: block.clone() })
    })
}

impl Snapshots {
    /// Adds the cases of a snapshot file.
    pub fn add(&mut self, text: &str) {
        let each = |(line, times): (&str, usize)| (String::from(line), times);
        let owned = |entry: Entry| (entry.id, entry.expected.into_iter().map(each).collect());
        self.entries.extend(entries(text).map(owned));
    }

    /// Replaces the expectations of a case by the reviewed ones.
    ///
    /// # Errors
    ///
    /// Where the snapshots have no such case, or other steps.
    pub fn apply(&self, case: &mut Case) -> Result<(), SnapshotError> {
        let id = case.id.clone();
        let lines = self.entries.get(&id).ok_or_else(|| SnapshotError::Missing(id.clone()))?;
        let steps: Vec<&mut Step> = case.steps.iter_mut().filter(|step| step.role == StepRole::Focus).collect();
        // Summed before anything is repeated: the numbers may be any.
        let expectations = lines.iter().fold(0_usize, |sum, (_, times)| sum.saturating_add(*times));
        if steps.len() != expectations {
            return Err(SnapshotError::OtherSteps { case: id, expectations, steps: steps.len() });
        }
        let lines = lines.iter().flat_map(|(line, times)| std::iter::repeat_n(line, *times));
        for (step, line) in steps.into_iter().zip(lines) {
            step.expect = parse(&id, line)?;
        }
        Ok(())
    }

    /// Ids of the cases.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }
}

/// The id of a case below its heading: from there on, if it goes on from the first rule.
fn short_id(case: &Case) -> String {
    let rule = case.steps.iter().find(|step| step.role == StepRole::Focus).map(|step| step.expect.rule);
    let below = rule.and_then(|rule| case.id.strip_prefix(&rule.to_string())).filter(|below| below.starts_with('/'));
    below.map_or_else(|| case.id.clone(), |below| format!(".{below}"))
}

fn line(step: &Step) -> String {
    format!("=> {} {}", step.expect.rule, step.expect)
}

fn parse(case: &str, line: &str) -> Result<Expectation, SnapshotError> {
    let case = || String::from(case);
    let nothing = || SnapshotError::NothingAllowed { case: case(), line: String::from(line) };
    let (rule, rest) = line.split_once(' ').ok_or_else(nothing)?;
    let expectation = rule.parse().map_err(NoExpectation::Rule).and_then(|rule| Expectation::parse(rule, rest));
    expectation.map_err(|problem| SnapshotError::Unreadable { case: case(), problem })
}

fn print_expected(case: &Case) -> String {
    let mut lines: Vec<(String, usize)> = Vec::new();
    for step in &case.steps {
        let line = match step.role {
            StepRole::Focus => line(step),
            StepRole::Probe => String::from(NOTHING_STORED),
            StepRole::SetUp | StepRole::Attempt => continue,
        };
        match lines.last_mut() {
            Some((known, count)) if *known == line && line != NOTHING_STORED => *count += 1,
            _ => lines.push((line, 1)),
        }
    }
    let print = |(line, count): &(String, usize)| match line.strip_prefix("=> ") {
        Some(expectation) if *count > 1 => format!("=> {count}{TIMES}{expectation}\n"),
        _ => format!("{line}\n"),
    };
    lines.iter().map(print).collect()
}

const NOTHING_STORED: &str = "   and nothing is stored";

/// What stands between a number and what so many steps in a row expect.
const TIMES: &str = " × ";

/// How many steps in a row expect this.
fn times(line: &str) -> (usize, &str) {
    let counted = line.split_once(TIMES).and_then(|(count, rest)| Some((count.parse().ok()?, rest)));
    counted.unwrap_or((1, line))
}

/// The text below the header that insta writes.
fn without_header(text: &str) -> &str {
    text.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n")).map_or(text, |(_, body)| body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Service;
    use crate::generate::catalogue;

    #[test]
    fn what_is_printed_is_what_is_judged_by() {
        for service in Service::ALL {
            let cases = catalogue(service);
            let text = print(&cases.iter().collect::<Vec<_>>());
            let mut snapshots = Snapshots::default();
            snapshots.add(&format!("---\nsource: tests/some.rs\n---\n{text}"));
            assert_eq!(snapshots.ids().count(), cases.len());
            for case in &cases {
                let mut read = case.clone();
                snapshots.apply(&mut read).unwrap();
                for (step, read) in case.steps.iter().zip(&read.steps) {
                    assert_eq!(step.expect, read.expect, "{}", case.id);
                }
            }
        }
    }

    #[test]
    fn cases_without_a_snapshot_are_said() {
        let mut case = catalogue(Service::Ecr).remove(0);
        let error = Snapshots::default().apply(&mut case).unwrap_err();
        assert_eq!(error, SnapshotError::Missing(case.id.clone()));
    }

    #[test]
    fn mistakes_in_a_snapshot_name_the_case() {
        let mut case = catalogue(Service::Ecr).remove(0);
        let mut error = |expectation: &str| {
            let mut snapshots = Snapshots::default();
            snapshots.add(&format!("=> {expectation}\n  - {}: a title\n", case.id));
            snapshots.apply(&mut case).unwrap_err().to_string()
        };
        let nothing = error("wire/method");
        assert!(nothing.starts_with("the snapshot of InitiateLayerUpload/"), "{nothing}");
        assert!(nothing.ends_with(": expected a rule and what it allows, found \"wire/method\""), "{nothing}");
        let rule = error("some/rule open [none-found] 200");
        assert!(rule.ends_with("found \"some/rule\""), "{rule}");
        let source = error("wire/method open [nobody] 200");
        assert!(source.ends_with(": expected the id of a source, found \"nobody\""), "{source}");
    }
}
