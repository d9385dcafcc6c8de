//! The drivers that a command can name: one row each.

use std::str::FromStr;
use std::sync::Arc;

use serde::Deserialize;

use super::Driver;
use super::aws_cli::AwsCli;
use super::boto3::Boto3;
use super::caller::Call;
use super::http::{Http, NoEndpoint};
use super::process::NoClient;
use super::way::Way;
use super::{botocore, caller};
use crate::case::{Case, Step};
use crate::contract::Service;

/// A driver that a command can name.
#[derive(Debug)]
pub struct Named {
    /// Its name: a value of `--driver`.
    pub name: &'static str,
    /// Whether a call costs the start of a process: then a run makes fewer, unless it is asked for all.
    pub is_costly: bool,
    /// Why the client does not send a call, as far as that is known without it; `None` for who sends everything.
    rejects: Option<fn(Service, &Call) -> Option<String>>,
    /// Makes it, for an endpoint.
    make: fn(&Way) -> Result<Driver, NoTarget>,
}

/// Why there is no driver for a target.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoTarget {
    /// The address cannot be one.
    #[error(transparent)]
    Endpoint(#[from] NoEndpoint),
    /// There is no client.
    #[error(transparent)]
    Client(#[from] NoClient),
}

/// All of them. The first is the usual one.
pub static DRIVERS: [Named; 3] = [
    Named { name: "http", is_costly: false, rejects: None, make: |way| Ok(Driver::Http(http(way)?)) },
    Named {
        name: "boto3",
        is_costly: false,
        rejects: Some(botocore::rejects),
        make: |way| {
            http(way)?; // What is no address or nothing to trust is said in the same words.
            Ok(Driver::Caller(Arc::new(Boto3::new(way)?)))
        },
    },
    Named {
        name: "aws-cli",
        is_costly: true,
        rejects: Some(botocore::rejects),
        make: |way| {
            http(way)?;
            Ok(Driver::Caller(Arc::new(AwsCli::new(way)?)))
        },
    },
];

fn http(way: &Way) -> Result<Http, NoEndpoint> {
    Http::showing(&way.endpoint, way.timeouts, &way.trust, way.certificate.as_ref())
}

/// The driver of this name.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct DriverName(&'static Named);

impl DriverName {
    /// The name.
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// Whether it is the one of commands that name none.
    pub fn is_usual(self) -> bool {
        self.name() == DRIVERS[0].name
    }

    /// Whether a call costs the start of a process.
    pub fn is_costly(self) -> bool {
        self.0.is_costly
    }

    /// Why a case cannot be tried, if so, as far as that is known without the client.
    pub fn cannot_try(self, case: &Case) -> Option<String> {
        let rejects = self.0.rejects?;
        let why = |step: &Step| match caller::beforehand(case.service, &step.request) {
            Ok(call) => rejects(case.service, &call),
            Err(no_call) => Some(no_call.to_string()),
        };
        case.steps.iter().find_map(why)
    }

    /// The driver for a target.
    ///
    /// # Errors
    ///
    /// Where the address cannot be a target, or there is no such client.
    pub fn driver(self, way: &Way) -> Result<Driver, NoTarget> {
        (self.0.make)(way)
    }
}

impl Default for DriverName {
    fn default() -> DriverName {
        DriverName(&DRIVERS[0])
    }
}

/// A text that names no driver.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected {names}, found {0:?}", names = names())]
pub struct NoDriver(pub String);

impl FromStr for DriverName {
    type Err = NoDriver;

    fn from_str(text: &str) -> Result<DriverName, NoDriver> {
        DRIVERS.iter().find(|named| named.name == text).map(DriverName).ok_or_else(|| NoDriver(String::from(text)))
    }
}

impl TryFrom<String> for DriverName {
    type Error = NoDriver;

    fn try_from(text: String) -> Result<DriverName, NoDriver> {
        text.parse()
    }
}

fn names() -> String {
    DRIVERS.iter().map(|named| named.name).collect::<Vec<_>>().join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drivers_are_found_by_their_names() {
        for named in &DRIVERS {
            let found: DriverName = named.name.parse().unwrap();
            assert_eq!(found.name(), named.name);
            // Whether there is a client or not: what is no address is said.
            assert!(matches!(found.driver(&Way::to("nowhere")), Err(NoTarget::Endpoint(_))), "{}", named.name);
        }
        assert!(DriverName::default().is_usual());
        assert!(DriverName::default().driver(&Way::to("http://127.0.0.1:1")).is_ok());
        assert_eq!(
            "gopher".parse::<DriverName>().unwrap_err().to_string(),
            "expected http or boto3 or aws-cli, found \"gopher\""
        );
    }

    #[test]
    fn a_client_that_is_missing_is_said_with_how_it_is_installed() {
        for (name, install) in [("boto3", "pip install boto3"), ("aws-cli", "pip install awscli")] {
            let none = Some(std::path::PathBuf::from("/no/such/program"));
            let way = Way { python: none.clone(), aws: none, ..Way::to("http://127.0.0.1:1") };
            let told = name.parse::<DriverName>().unwrap().driver(&way).unwrap_err().to_string();
            assert!(told.contains("/no/such/program") && told.contains(install), "{told}");
        }
    }
}
