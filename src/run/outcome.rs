//! What workers tell of the cases that they took.

use crate::case::{Case, Plan};
use crate::events::Judged;
use crate::judge::Finding;

/// What a worker has to tell.
pub(super) enum Outcome {
    /// A case was judged.
    Judged(Box<Judged>),
    /// A random case failed, and may be shrunk.
    Failed(Box<Failed>),
}

/// A random case that failed.
pub(super) struct Failed {
    pub case: Case,
    pub judged: Judged,
    /// Its findings, as far as they are to be shrunk.
    pub named: Vec<Named>,
}

/// A finding of a random case with its name, and the plan that shows it.
pub(super) struct Named {
    pub finding: Finding,
    pub plan: Plan,
}
