//! Makes cases from the contract. Pure and deterministic: the same version and service give the same cases.

#[doc(hidden)]
pub mod expected;
pub mod plan;
#[doc(hidden)]
pub mod strings;

mod aliases;
mod auth;
mod availability;
mod content;
mod converted;
mod digests;
mod follow;
mod images;
mod looks;
mod many;
mod members;
mod near;
mod parts;
mod ranges;
mod realise;
mod spelling;
mod state;
mod steps;
mod values;
pub(crate) mod violations;
mod wire_faults;

pub(crate) use follow::{Answered, Follower};

#[doc(hidden)]
pub use realise::{completion, follow, followed, settled};
#[doc(hidden)]
pub use violations::{Violations, draw, matching};

pub use realise::realise;

use crate::case::Case;
use crate::contract::{OperationSpec, Service};

/// The catalogue of a service: every rule, just inside, just outside and far outside, in a fixed order.
///
/// Expectations are those of the rules; which values an answer must have is added by [`expected::add_pins`], or comes
/// from the reviewed snapshots.
pub fn catalogue(service: Service) -> Vec<Case> {
    families(service).iter().flat_map(|family| family.cases(service)).collect()
}

/// Cases of the catalogue that are made together, without any others.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Family {
    /// Those about the members of an operation: most of the catalogue. Their ids begin with its name.
    Members(&'static OperationSpec),
    /// Those about what an operation looks at.
    Looks(&'static OperationSpec),
    /// Any others.
    Others(fn(Service) -> Vec<Case>),
}

impl Family {
    /// Its cases, in order.
    pub fn cases(self, service: Service) -> Vec<Case> {
        match self {
            Family::Members(operation) => members::cases(service, operation),
            Family::Looks(operation) => looks::cases(service, operation),
            Family::Others(cases) => cases(service),
        }
    }

    /// Whether it may have a case with this id.
    pub fn may_have(self, id: &str) -> bool {
        match self {
            Family::Members(operation) | Family::Looks(operation) => id.starts_with(operation.name.name()),
            Family::Others(_) => true,
        }
    }
}

/// The catalogue of a service, as far as it is made together.
pub(crate) fn families(service: Service) -> Vec<Family> {
    let operations = service.contract().layer_operations();
    let of_operations = operations.flat_map(|operation| [Family::Members(operation), Family::Looks(operation)]);
    let others = [
        digests::cases,
        state::cases,
        availability::cases,
        aliases::cases,
        images::cases,
        wire_faults::cases,
        auth::cases,
        looks::unknown_members,
        content::cases,
        spelling::cases,
        ranges::cases,
        parts::cases,
        many::cases,
    ];
    of_operations.chain(others.map(Family::Others)).collect()
}
