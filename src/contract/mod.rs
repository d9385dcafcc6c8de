//! What the documents say about the two services, as data that can be checked against the AWS pages line by line.
//!
//! Start at [`Service::contract`]; [`rule::Rules`] turns the tables into rules with ids, [`check`] holds a value
//! against them.

pub mod check;
pub mod ecr;
pub mod ecr_public;
pub mod error;
pub mod rule;
pub mod shape;
pub mod shapes;
pub mod source;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use error::{ErrorType, Fault};
pub use rule::{Rule, Rules};
pub use shape::{Kind, Member, Pattern, Shape, Text};
pub use source::{Source, Tier};

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
    pub operations: &'static [Operation],
}

/// One operation of a service.
#[derive(Debug)]
pub struct Operation {
    /// Its name, as it stands in `X-Amz-Target` after the dot.
    pub name: &'static str,
    /// Whether the gate judges it, or only uses it to set up and clean up.
    pub role: Role,
    /// Members of the request.
    pub input: &'static [Member],
    /// Members of a successful answer.
    pub output: &'static [Member],
    /// Names of the errors that the operation documents.
    pub errors: &'static [&'static str],
    /// Id of the page that documents it.
    pub source: &'static str,
}

/// What an operation is to the gate.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Part of the layer-upload API: every rule is tested.
    Layer,
    /// Used to make and remove repositories.
    SetUp,
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

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Contract {
    /// The operation with this name, if the service has it.
    pub fn operation(&self, name: &str) -> Option<&'static Operation> {
        self.operations.iter().find(|operation| operation.name == name)
    }

    /// The operations that the gate judges.
    pub fn layer_operations(&self) -> impl Iterator<Item = &'static Operation> {
        self.operations.iter().filter(|operation| operation.role == Role::Layer)
    }

    /// The value of `X-Amz-Target` for an operation.
    pub fn target(&self, operation: &str) -> String {
        format!("{}.{operation}", self.target_prefix)
    }
}

impl Operation {
    /// The member of the request with this name.
    pub fn input(&self, name: &str) -> Option<&'static Member> {
        self.input.iter().find(|member| member.name == name)
    }

    /// Whether it only looks, and leaves everything as it was.
    pub fn changes_nothing(&self) -> bool {
        matches!(self.name, "BatchCheckLayerAvailability" | "GetDownloadUrlForLayer" | "DescribeRepositories")
    }

    /// The page that documents it.
    pub fn page(&self) -> &'static Source {
        Source::find(self.source).expect("tests/tidy.rs checks that every operation names a known source")
    }
}
