//! Faults through a client that users have: which of them are found, and why others cannot be.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::TcpListener;

use super::{Attempt, OutOfReach, Tried, is_signed, patience};
use crate::case::{Step, StepRole};
use crate::contract::Service;
use crate::drive::http::Timeouts;
use crate::drive::named::{DriverName, NoTarget};
use crate::drive::{Driver, Target, Way};
use crate::judge;
use crate::mock::{Fault, Mock, serve};
use crate::run::RunError;

/// With how many cases a fault is tried that none is made for: through a client, a case takes as long as a hundred in this
/// process.
const CASES: usize = 100;

/// A client that faults are tried through, over loopback.
#[derive(Clone, Debug)]
pub struct Through {
    driver: DriverName,
    way: Way,
}

impl Through {
    /// Through this driver, with the Python that has boto3 and the AWS CLI where they are not those on `PATH`.
    ///
    /// # Errors
    ///
    /// Where there is no such client.
    pub fn new(driver: DriverName, python: Option<PathBuf>, aws: Option<PathBuf>) -> Result<Through, NoTarget> {
        let through = Through { driver, way: Way { python, aws, ..Way::to("http://127.0.0.1:1") } };
        through.driver.driver(&through.way).map(|_| through)
    }

    /// Tries a fault in one service: with the cases of its rule that the client sends, or with some others where no case is
    /// about the rule.
    ///
    /// # Errors
    ///
    /// Where the suite itself is wrong, or the client is not there any more.
    pub async fn fault(&self, fault: &'static Fault, service: Service) -> Result<Tried, RunError> {
        let mut attempt = Attempt::of(fault, service)?;
        let harness = |error: &dyn std::error::Error| RunError::Harness(error.to_string());
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| harness(&error))?;
        let address = listener.local_addr().map_err(|error| harness(&error))?;
        let patience = patience(fault);
        let timeouts = Timeouts { first_byte: patience, rest: patience, ..Timeouts::default() };
        let way = Way { endpoint: format!("http://{address}"), timeouts, ..self.way.clone() };
        let driver = self.driver.driver(&way).map_err(|error| harness(&error))?;
        if let Some(out_of_reach) = self.out_of_reach(&attempt, &driver) {
            return Ok(Tried { out_of_reach: Some(out_of_reach), ..attempt.untried() });
        }
        if attempt.cases.iter().any(|case| attempt.is_of_rule(case)) {
            let cases = std::mem::take(&mut attempt.cases);
            attempt.cases = cases.into_iter().filter(|case| attempt.is_of_rule(case)).collect();
        }
        attempt.cases.retain(|case| self.driver.cannot_try(case).is_none());
        // Many cases have a step that is to be accepted; made for that are those whose judged step is.
        let rule = fault.rule;
        let is_about = |step: &Step| step.role == StepRole::Focus && step.expect.rule == rule;
        attempt.cases.sort_by_key(|case| !case.steps.iter().any(is_about));
        attempt.cases.truncate(CASES);
        let serving = tokio::spawn(serve(listener, Arc::new(Mock::with(&[service], fault.changes))));
        let tried = attempt.run(Target::new(driver), false).await;
        serving.abort();
        tried
    }

    fn out_of_reach(&self, attempt: &Attempt, driver: &Driver) -> Option<OutOfReach> {
        if judge::unseen(driver.client().shows).contains(&attempt.fault.rule) {
            return Some(OutOfReach::NotShown);
        }
        if is_signed(attempt.fault) {
            return Some(OutOfReach::NotSent(String::from("it signs by itself")));
        }
        let mut of_rule = attempt.cases.iter().filter(|case| attempt.is_of_rule(case)).peekable();
        of_rule.peek()?;
        let why: Option<Vec<String>> = of_rule.map(|case| self.driver.cannot_try(case)).collect();
        why.and_then(|why| why.into_iter().next()).map(OutOfReach::NotSent)
    }
}
