//! The reference registry: what a server that follows the documents does. State, the rules that a request breaks in that
//! state, and the answer.
//!
//! Where the documents leave a choice, the registry makes one: an upload survives a rejected CompleteLayerUpload and ends
//! with a successful one, hex digits are compared without case, absent layers are UNAVAILABLE, all editions of the
//! repository-name pattern are accepted. Expectations never rest on such a choice (see `generate::expected`).

mod front;
#[cfg(feature = "mock")]
mod large;
pub mod operation;
pub mod registry;

use serde_json::Value;

use crate::contract::{ErrorType, RuleId, Rules, Service};

pub use registry::Registry;

/// Why the registry rejects a request.
#[derive(Clone, Debug)]
pub struct Rejection {
    /// The rule that the request breaks.
    pub rule: RuleId,
    /// What is answered.
    pub error: &'static ErrorType,
    /// Its message, as the real service words it where that is known.
    pub message: String,
    /// Members besides the message.
    pub members: Value,
}

impl Rejection {
    /// A rejection for breaking a rule, with the first error that the rule allows.
    ///
    /// # Panics
    ///
    /// When there is no such rule, or it names no error.
    pub fn of(service: Service, rule: RuleId, message: String) -> Rejection {
        let error = Rules::of(service)
            .get(rule)
            .and_then(|rule| rule.errors.first())
            .and_then(|name| ErrorType::find(name))
            .unwrap_or_else(|| panic!("rule {rule} of {service} names no error"));
        Rejection { rule, error, message, members: Value::Null }
    }

    /// A rejection with this error: for requests of operations that have no rules of their own, and where a rule names
    /// several errors.
    ///
    /// # Panics
    ///
    /// When the documents have no such error.
    pub fn named(error: &str, rule: RuleId, message: String) -> Rejection {
        let error = ErrorType::find(error).unwrap_or_else(|| panic!("{error} is in the table of errors"));
        Rejection { rule, error, message, members: Value::Null }
    }
}
