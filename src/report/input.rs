//! What a report is made from.

use super::summary::{Reason, Summary};
use super::terminal::Detail;
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
}
