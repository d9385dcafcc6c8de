//! The contract as rules with stable ids: derived from the tables where a table says it, rows of `prose` where a
//! sentence does.

mod derived;
mod id;
mod prose;
mod question;

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Serialize;

use super::{Basis, Operation, Service, Source, Tier};
pub(crate) use id::OfText;
pub use id::{Area, Constraint, NoRule, RuleId, RulePattern};
use prose::{Errors, Row};
pub use question::Question;

/// One statement of the contract that a target can keep or break.
#[derive(Clone, Debug, Serialize)]
pub struct Rule {
    /// Its name.
    pub id: RuleId,
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
    /// What the error types rest on, where that is weaker: that a request is rejected is one thing, with which error
    /// another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_basis: Option<Basis>,
}

impl Rule {
    /// Where it and its error types come from.
    pub fn all_sources(&self) -> impl Iterator<Item = &'static Source> {
        let of_errors = self.error_basis.iter().flat_map(|basis| &basis.sources);
        self.sources.iter().chain(of_errors).copied()
    }

    /// How strong it is that a rejection has one of the error types.
    pub fn error_tier(&self) -> Tier {
        self.error_basis.as_ref().map_or(self.tier, |basis| basis.tier)
    }
}

/// The rules of one service.
#[derive(Debug)]
pub struct Rules {
    /// Sorted by id.
    rules: Vec<Rule>,
    places: HashMap<RuleId, usize>,
}

impl Rules {
    /// The rules of a service.
    pub fn of(service: Service) -> &'static Rules {
        static RULES: LazyLock<[Rules; 2]> = LazyLock::new(|| Service::ALL.map(Rules::build));
        &RULES[service as usize]
    }

    /// The rule with this id.
    pub fn get(&self, id: RuleId) -> Option<&Rule> {
        self.places.get(&id).map(|place| &self.rules[*place])
    }

    /// The rule whose id is written so.
    pub fn find(&self, id: &str) -> Option<&Rule> {
        self.rules.binary_search_by(|rule| rule.id.cmp_text(id)).ok().map(|place| &self.rules[place])
    }

    /// All rules, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    fn build(service: Service) -> Rules {
        let contract = service.contract();
        let mut table = Table { service, rules: Vec::new() };
        for operation in contract.layer_operations() {
            table.derive(operation);
            table.write(prose::EACH_OPERATION, operation.name);
            match operation.input("uploadId") {
                Some(_) => table.write(prose::EACH_UPLOAD, operation.name),
                None => table.write(prose::EACH_WITHOUT_UPLOAD, operation.name),
            }
            match service {
                Service::Ecr => table.write(prose::EACH_PRIVATE, operation.name),
                Service::EcrPublic => table.write(prose::EACH_PUBLIC, operation.name),
            }
        }
        let of_service = match service {
            Service::Ecr => prose::PRIVATE,
            Service::EcrPublic => prose::PUBLIC,
        };
        for row in prose::rows().chain(of_service) {
            let id = RuleId::new(row.id);
            if id.operation().is_none_or(|operation| contract.operation(operation).is_some()) {
                table.add(row.tier, row.sources, id, row.statement, row.breach, &row.errors);
            }
        }
        let mut rules = table.rules;
        rules.sort_by_cached_key(|rule| rule.id.to_string());
        let mut places = HashMap::new();
        for (place, rule) in rules.iter().enumerate() {
            assert!(places.insert(rule.id, place).is_none(), "two rules have the id {}", rule.id);
        }
        Rules { rules, places }
    }
}

/// Collects the rules of a service.
struct Table {
    service: Service,
    rules: Vec<Rule>,
}

impl Table {
    /// Adds rows; `*` in them is the operation.
    fn write(&mut self, rows: &[Row], operation: Operation) {
        for row in rows {
            let sources: Vec<String> = row.sources.iter().map(|id| id.replace('*', operation.name())).collect();
            let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
            let id = RulePattern::new(row.id).at(operation);
            // What is said of one operation alone counts instead of what is said of all.
            if prose::rows().all(|own| own.id != id.to_string()) {
                self.add(row.tier, &sources, id, row.statement, row.breach, &row.errors);
            }
        }
    }

    /// Adds a rule. In `sources`, `api:X` is the page of operation X in the reference of the service at hand.
    fn add(
        &mut self,
        tier: Tier,
        sources: &[&str],
        id: RuleId,
        statement: impl Into<String>,
        breach: impl Into<String>,
        errors: &Errors,
    ) {
        let sources = self.sources(sources);
        let error_basis = errors.basis.map(|(tier, sources)| Basis { tier, sources: self.sources(sources) });
        if let Some(weaker) = &error_basis {
            assert!(weaker.tier > tier, "{id}: the error types rest on what the rule rests on");
        }
        self.rules.push(Rule {
            id,
            statement: capitalised(statement.into()),
            breach: breach.into(),
            errors: errors.names.to_vec(),
            tier,
            sources,
            error_basis,
        });
    }

    fn sources(&self, ids: &[&str]) -> Vec<&'static Source> {
        ids.iter()
            .map(|id| match (self.service, id.strip_prefix("api:")) {
                (Service::EcrPublic, Some(operation)) => format!("api-public:{operation}"),
                _ => String::from(*id),
            })
            .map(|id| Source::find(&id).unwrap_or_else(|| panic!("source {id} is not in contract/source.rs")))
            .collect()
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
