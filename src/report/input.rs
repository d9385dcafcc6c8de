//! What a report is made from.

use super::summary::{Reason, Summary};
use super::terminal::Detail;
use crate::contract::{Operation, Service};
use crate::events::Event;

/// What a report is made from.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// What happened, as far as the log goes.
    pub events: &'a [Event],
    /// What that comes to.
    pub summary: &'a Summary,
    /// Why the process ends as it does; empty for exit code 0.
    pub reasons: &'a [Reason],
    /// How much is reported.
    pub detail: Detail,
    /// What the requests of cases meet, if somebody measured it: see [`crate::report::format::Format::shows_states`].
    pub states: &'a [MetState],
}

/// An operation that is called on something in a state, and the cases that do.
#[derive(Clone, Debug)]
pub struct MetState {
    /// The service.
    pub service: Service,
    /// What the state is the state of: a repository, an upload or a layer.
    pub of: &'static str,
    /// The state.
    pub state: &'static str,
    /// The operation.
    pub operation: Operation,
    /// Ids of the cases.
    pub cases: Vec<String>,
}
