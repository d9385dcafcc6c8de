//! What comes back and says nothing about who answers: throttling, and silence that may be the network's.

use super::{Exchange, Trouble, envelope};
use crate::contract::error::THROTTLING;

/// Why an exchange says nothing about conformance, if so: it was throttled, or there was no answer to a valid request.
pub fn infrastructure(valid: bool, exchange: &Exchange) -> Option<String> {
    match &exchange.reply {
        Err(trouble @ Trouble::Unreachable(_)) => Some(trouble.to_string()),
        // Silence in answer to a valid request may be the network's; in answer to a fault it is a finding.
        Err(trouble @ (Trouble::Silent | Trouble::Dropped)) if valid => Some(trouble.to_string()),
        Err(_) => None,
        Ok(answer) => {
            let name = envelope::error(answer).name;
            let named = name.as_deref().is_some_and(|name| THROTTLING.contains(&name));
            let asked_to_wait =
                answer.status == 429 || (answer.status == 503 && answer.header("retry-after").is_some());
            (named || asked_to_wait)
                .then(|| format!("{THROTTLED} ({})", name.unwrap_or_else(|| answer.status.to_string())))
        }
    }
}

/// How the reason begins where a target asks to be asked more slowly.
pub const THROTTLED: &str = "throttled";
