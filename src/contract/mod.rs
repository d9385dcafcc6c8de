//! What the documents say about the two services, as data that can be checked against the AWS pages line by line.
//!
//! Start at [`Service::contract`]; [`rule::Rules`] turns the tables into rules with ids, [`check`] holds a value
//! against them.

pub mod blob;
pub mod check;
pub mod ecr;
pub mod ecr_public;
pub mod error;
pub mod name;
pub mod operation;
pub mod pattern;
pub mod quota;
pub mod rule;
pub mod shape;
pub mod shapes;
pub mod source;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use error::{ErrorType, Fault};
pub use operation::{Effect, Operation, Role};
pub use pattern::Pattern;
pub use rule::{Area, Constraint, Question, Rule, RuleId, RulePattern, Rules};
pub use shape::{Kind, Member, Shape, Text};
pub use source::{Basis, Source, Tier};

/// One of the two services that take image layers.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Service {
    /// Amazon ECR, the private registry.
    Ecr,
    /// Amazon ECR Public.
    EcrPublic,
}

/// Everything the documents say about one service.
#[derive(Debug)]
pub struct Contract {
    /// Which service.
    pub service: Service,
    /// Its name in the documents.
    pub title: &'static str,
    /// Version of the API.
    pub api_version: &'static str,
    /// What stands before the dot in `X-Amz-Target`.
    pub target_prefix: &'static str,
    /// The service name in the scope of a signature.
    pub signing_name: &'static str,
    /// The covered operations, in the order of an upload; set-up operations last.
    pub operations: &'static [OperationSpec],
}

/// What the documents say of one operation of a service.
#[derive(Debug)]
pub struct OperationSpec {
    /// Which operation.
    pub name: Operation,
    /// Members of the request.
    pub input: &'static [Member],
    /// Members of a successful answer.
    pub output: &'static [Member],
    /// Names of the errors that the operation documents.
    pub errors: &'static [&'static str],
    /// Id of the page that documents it.
    pub source: &'static str,
}

impl Service {
    /// Both services.
    pub const ALL: [Service; 2] = [Service::Ecr, Service::EcrPublic];

    /// The contract of this service.
    pub fn contract(self) -> &'static Contract {
        match self {
            Service::Ecr => &ecr::CONTRACT,
            Service::EcrPublic => &ecr_public::CONTRACT,
        }
    }

    /// `ecr` or `ecr-public`, as in `--service`.
    pub fn name(self) -> &'static str {
        match self {
            Service::Ecr => "ecr",
            Service::EcrPublic => "ecr-public",
        }
    }

    /// The service with this name.
    pub fn find(name: &str) -> Option<Service> {
        Service::ALL.into_iter().find(|service| service.name() == name)
    }
}

impl FromStr for Service {
    type Err = NoService;

    fn from_str(text: &str) -> Result<Service, NoService> {
        Service::find(text).ok_or_else(|| NoService(String::from(text)))
    }
}

/// A text that names no service.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected ecr or ecr-public, found {0:?}")]
pub struct NoService(pub String);

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Whether a text is one of the values of an enumeration that a response has, of any member and service.
pub fn is_enumerated(text: &str) -> bool {
    let operations = Service::ALL.iter().flat_map(|service| service.contract().operations);
    operations.flat_map(|operation| operation.output).any(|member| member.shape.has_value(text))
}

impl Contract {
    /// What the documents say of an operation, if the service has it.
    pub fn operation(&self, name: Operation) -> Option<&'static OperationSpec> {
        self.operations.iter().find(|operation| operation.name == name)
    }

    /// The operations that the gate judges.
    pub fn layer_operations(&self) -> impl Iterator<Item = &'static OperationSpec> {
        self.operations.iter().filter(|operation| operation.name.role() == Role::Layer)
    }

    /// The value of `X-Amz-Target` for an operation.
    pub fn target(&self, operation: Operation) -> String {
        format!("{}.{operation}", self.target_prefix)
    }
}

impl OperationSpec {
    /// The member of the request with this name.
    pub fn input(&self, name: &str) -> Option<&'static Member> {
        self.input.iter().find(|member| member.name == name)
    }

    /// The member of its successful response with this name.
    pub fn output(&self, name: &str) -> Option<&'static Member> {
        self.output.iter().find(|member| member.name == name)
    }

    /// The page that documents it.
    pub fn page(&self) -> &'static Source {
        Source::find(self.source).expect("tests/tidy.rs checks that every operation names a known source")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_has_the_words_of_the_settings_file() {
        for service in Service::ALL {
            assert_eq!(service.name().parse(), Ok(service));
            assert_eq!(serde_json::to_value(service).unwrap(), service.name());
        }
        let told = "s3".parse::<Service>().unwrap_err().to_string();
        assert_eq!(told, "expected ecr or ecr-public, found \"s3\"");
    }
}
