//! The reviewed expectations: how they read, and how cases are judged by them.
//!
//! A snapshot is text made from the expectations, reviewed with `cargo insta review`, and carried inside the binary. In
//! the catalogue, cases that expect the same stand below what they expect: one `=>` line for each step that they are
//! about, with its rule.
//!
//! ```text
//! => CompleteLayerUpload/layerDigests/max-items documented [api:CompleteLayerUpload] 400 InvalidParameterException
//!    and nothing is stored
//!   - CompleteLayerUpload/layerDigests/max-items/101-items: 101 digests, the first right
//! ```
//!
//! A scenario has a file of its own, with its requests; every step that is judged has an indented `=>` line.

use std::collections::BTreeMap;

use crate::case::{Case, CaseKind, Length, Place, Step, StepRole};
use crate::expect::{Expectation, shown};
use crate::wire::{Framing, envelope};

/// The file, without its ending, that has the expectations of a case, below the folder of its service.
pub fn file(case: &Case) -> String {
    let parts: Vec<&str> = case.id.split('/').collect();
    match parts.as_slice() {
        ["scenarios", ..] => case.id.clone(),
        [operation, member, ..] => format!("catalogue/{operation}.{member}"),
        _ => format!("catalogue/{}", case.id),
    }
}

/// The text of a snapshot, for the cases that it has.
pub fn print(cases: &[&Case]) -> String {
    let mut text = String::new();
    let mut block = String::new();
    for case in cases {
        if is_scenario(case) {
            text += &print_scenario(case);
            continue;
        }
        let expected = print_expected(case);
        if expected != block {
            let gap = if text.is_empty() { "" } else { "\n" };
            text += &format!("{gap}{expected}");
            block = expected;
        }
        text += &format!("  - {}: {}\n", case.id, shown(&case.title));
    }
    text
}

/// Expectations by case id, as they stand in snapshots.
#[derive(Debug, Default)]
pub struct Snapshots {
    entries: BTreeMap<String, Vec<String>>,
}

impl Snapshots {
    /// Adds the cases of a snapshot file.
    pub fn add(&mut self, text: &str) {
        let mut block: Vec<String> = Vec::new();
        let mut in_block = false;
        let mut scenario: Option<String> = None;
        for line in without_header(text).lines() {
            if let Some(expectation) = line.strip_prefix("=> ") {
                if !in_block {
                    block.clear();
                }
                in_block = true;
                block.push(String::from(expectation));
            } else if let Some((id, _)) = line.strip_prefix("  - ").and_then(|line| line.split_once(": ")) {
                in_block = false;
                self.entries.insert(String::from(id), block.clone());
            } else if let Some(expectation) = line.strip_prefix("    => ") {
                let entry = scenario.as_ref().and_then(|id| self.entries.get_mut(id));
                entry.into_iter().for_each(|entry| entry.push(String::from(expectation)));
            } else if let Some((id, _)) = line.split_once(": ").filter(|(id, _)| id.starts_with("scenarios/")) {
                self.entries.insert(String::from(id), Vec::new());
                scenario = Some(String::from(id));
            }
        }
    }

    /// Replaces the expectations of a case by the reviewed ones.
    ///
    /// # Errors
    ///
    /// Where the snapshots have no such case, or other steps.
    pub fn apply(&self, case: &mut Case) -> Result<(), String> {
        let id = case.id.clone();
        let lines = self.entries.get(&id).ok_or_else(|| format!("no snapshot has the case {id}"))?;
        let scenario = is_scenario(case);
        let steps: Vec<&mut Step> = case.steps.iter_mut().filter(|step| has_line(step, scenario)).collect();
        if steps.len() != lines.len() {
            return Err(format!("the snapshot of {id} has {} expectations for {} steps", lines.len(), steps.len()));
        }
        for (step, line) in steps.into_iter().zip(lines) {
            step.expect = parse(line).map_err(|problem| format!("the snapshot of {id}: {problem}"))?;
        }
        Ok(())
    }

    /// Ids of the cases.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }
}

fn is_scenario(case: &Case) -> bool {
    case.kind == CaseKind::Scenario
}

fn has_line(step: &Step, scenario: bool) -> bool {
    match step.role {
        StepRole::Focus => true,
        StepRole::SetUp => scenario,
        StepRole::Attempt | StepRole::Probe => false,
    }
}

fn line(step: &Step) -> String {
    format!("=> {} {}", step.expect.rule, step.expect)
}

fn parse(line: &str) -> Result<Expectation, String> {
    let (rule, rest) = line.split_once(' ').ok_or("expected a rule and what it admits")?;
    Expectation::parse(rule, rest)
}

fn print_expected(case: &Case) -> String {
    let mut text = String::new();
    for step in &case.steps {
        match step.role {
            StepRole::Focus => text += &format!("{}\n", line(step)),
            StepRole::Probe => text += "   and nothing is stored\n",
            StepRole::SetUp | StepRole::Attempt => {}
        }
    }
    text
}

fn print_scenario(case: &Case) -> String {
    let mut text = format!("{}: {}\n", case.id, case.title);
    for chunk in &case.chunks {
        let length = match chunk.len {
            Length::Bytes(len) => format!("{len} bytes"),
            Length::PartSize => String::from("as many bytes as the target's partSize"),
        };
        text += &format!("    {}: {length}\n", chunk.name);
    }
    if let Place::Own(names) = &case.place
        && !names.is_empty()
    {
        text += &format!("    further repositories: {}\n", names.join(", "));
    }
    if case.is_race() {
        text += &format!("    tried in {} rounds\n", case.rounds);
    }
    for step in &case.steps {
        let body = String::from_utf8_lossy(&step.request.body).into_owned();
        let optional = if step.role == StepRole::Attempt { " (may be refused)" } else { "" };
        let at_once = if step.at_once { " (at once with the step before it)" } else { "" };
        text += &format!("\n  {}: {}{optional}{at_once}\n    {}\n", step.name, step.operation_name(), shown(&body));
        for difference in differences(case, step) {
            text += &format!("    {difference}\n");
        }
        if has_line(step, true) {
            text += &format!("    {}\n", line(step));
        }
        if !step.only_if.is_empty() {
            let outcomes: Vec<String> = step.only_if.iter().map(ToString::to_string).collect();
            text += &format!("    goes on only from {}\n", outcomes.join(" or "));
        }
    }
    text
}

/// Where a request differs from a plain one, beside its body.
fn differences(case: &Case, step: &Step) -> Vec<String> {
    let plain = envelope::request(case.service, &step.operation, step.request.body.clone());
    let mut found = Vec::new();
    if step.request.method != plain.method {
        found.push(format!("method {}", step.request.method));
    }
    if step.request.framing != Framing::Length {
        found.push(format!("framing {:?}", step.request.framing));
    }
    found.extend(
        step.request
            .headers
            .iter()
            .filter(|header| !plain.headers.contains(header))
            .map(|(name, value)| format!("{name}: {value}")),
    );
    for (name, _) in plain.headers.iter().filter(|(name, _)| step.request.header(name).is_none()) {
        found.push(format!("without {name}"));
    }
    found
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
        assert_eq!(error, format!("no snapshot has the case {}", case.id));
    }
}
