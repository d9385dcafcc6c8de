//! The contract as rules with stable ids: derived from the tables where a table says it, rows of `prose.rs` where a
//! sentence does.

mod derived;
mod prose;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Serialize;

use super::{Operation, Service, Source, Tier};
use prose::Row;

/// One statement of the contract that a target can keep or break.
#[derive(Clone, Debug, Serialize)]
pub struct Rule {
    /// Stable id, built from names: `CompleteLayerUpload/layerDigests/max-items`.
    pub id: String,
    /// What the contract says, one sentence.
    pub statement: String,
    /// What a request that breaks it has, as it stands in a finding: "accepts *a digest that does not match the bytes*".
    pub breach: String,
    /// Error types that a request breaking it may be answered with. Empty where the rule says what must be accepted, or
    /// how an answer must look.
    pub errors: Vec<&'static str>,
    /// How strong it is.
    pub tier: Tier,
    /// Where it comes from, strongest first.
    pub sources: Vec<&'static Source>,
}

/// The rules of one service.
#[derive(Debug)]
pub struct Rules {
    by_id: BTreeMap<String, Rule>,
}

impl Rule {
    /// Whether the rule with this id is judged on every answer, or by the survey, and not by cases of its own.
    pub fn is_everywhere(id: &str) -> bool {
        ["answer/", "always/", "survey/"].iter().any(|prefix| id.starts_with(prefix))
            || id.contains("/answer/")
            || id.ends_with("/known")
    }
}

impl Rules {
    /// The rules of a service.
    pub fn of(service: Service) -> &'static Rules {
        static RULES: LazyLock<[Rules; 2]> = LazyLock::new(|| Service::ALL.map(Rules::build));
        &RULES[service as usize]
    }

    /// The rule with this id.
    pub fn get(&self, id: &str) -> Option<&Rule> {
        self.by_id.get(id)
    }

    /// All rules, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.by_id.values()
    }

    fn build(service: Service) -> Rules {
        let contract = service.contract();
        let mut table = Table { service, rules: Vec::new() };
        for operation in contract.layer_operations() {
            table.derive(operation);
            table.write(prose::EACH_OPERATION, Some(operation.name));
            match operation.input("uploadId") {
                Some(_) => table.write(prose::EACH_UPLOAD, Some(operation.name)),
                None => table.write(prose::EACH_WITHOUT_UPLOAD, Some(operation.name)),
            }
            if service == Service::EcrPublic {
                table.write(prose::EACH_PUBLIC, Some(operation.name));
            }
        }
        let is_here = |row: &&Row| {
            let operation = row.id.split('/').next().and_then(|name| name.parse().ok());
            operation.is_none_or(|operation| contract.operation(operation).is_some())
        };
        prose::ROWS.iter().filter(is_here).for_each(|row| table.write(std::slice::from_ref(row), None));
        let mut by_id = BTreeMap::new();
        for rule in table.rules {
            let before = by_id.insert(rule.id.clone(), rule);
            assert!(before.is_none(), "two rules have the id {}", before.map(|rule| rule.id).unwrap_or_default());
        }
        Rules { by_id }
    }
}

/// Collects the rules of a service.
struct Table {
    service: Service,
    rules: Vec<Rule>,
}

impl Table {
    /// Adds rows; `*` in them is the operation.
    fn write(&mut self, rows: &[Row], operation: Option<Operation>) {
        let operation = operation.map_or("", Operation::name);
        for row in rows {
            let sources: Vec<String> = row.sources.iter().map(|id| id.replace('*', operation)).collect();
            let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
            self.add(row.tier, &sources, &row.id.replace('*', operation), row.statement, row.breach, row.errors);
        }
    }

    /// Adds a rule. In `sources`, `api:X` is the page of operation X in the reference of the service at hand.
    fn add(
        &mut self,
        tier: Tier,
        sources: &[&str],
        id: &str,
        statement: impl Into<String>,
        breach: impl Into<String>,
        errors: &[&'static str],
    ) {
        let sources = sources
            .iter()
            .map(|id| match (self.service, id.strip_prefix("api:")) {
                (Service::EcrPublic, Some(operation)) => format!("api-public:{operation}"),
                _ => String::from(*id),
            })
            .map(|id| Source::find(&id).unwrap_or_else(|| panic!("source {id} is not in contract/source.rs")))
            .collect();
        self.rules.push(Rule {
            id: String::from(id),
            statement: capitalised(statement.into()),
            breach: breach.into(),
            errors: errors.to_vec(),
            tier,
            sources,
        });
    }
}

/// A sentence with a capital at its beginning, unless it begins with the name of a member.
fn capitalised(sentence: String) -> String {
    let first = sentence.split(' ').next().unwrap_or_default();
    match first.chars().next() {
        Some(letter) if first.chars().all(char::is_lowercase) => {
            format!("{}{}", letter.to_uppercase(), &sentence[letter.len_utf8()..])
        }
        _ => sentence,
    }
}
