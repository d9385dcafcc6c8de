//! The drivers that a command can name: one row each.

use std::str::FromStr;

use serde::Deserialize;

use super::Driver;
use super::http::{Http, NoEndpoint, Timeouts};
use crate::wire::Trust;

/// A driver that a command can name.
#[derive(Debug)]
pub struct Named {
    /// Its name: a value of `--driver`.
    pub name: &'static str,
    /// Makes it, for an endpoint.
    make: fn(&str, Timeouts, &Trust) -> Result<Driver, NoEndpoint>,
}

/// All of them. The first is the usual one.
pub static DRIVERS: [Named; 1] = [Named {
    name: "http",
    make: |endpoint, timeouts, trust| Http::trusting(endpoint, timeouts, trust).map(Driver::Http),
}];

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

    /// The driver for an endpoint.
    ///
    /// # Errors
    ///
    /// Where the address cannot be a target.
    pub fn driver(self, endpoint: &str, timeouts: Timeouts, trust: &Trust) -> Result<Driver, NoEndpoint> {
        (self.0.make)(endpoint, timeouts, trust)
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
            assert!(found.driver("http://127.0.0.1:1", Timeouts::default(), &Trust::System).is_ok());
        }
        assert!(DriverName::default().is_usual());
        assert_eq!("gopher".parse::<DriverName>().unwrap_err().to_string(), "expected http, found \"gopher\"");
    }
}
