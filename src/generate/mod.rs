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
pub use realise::{completion, follow, settled};
#[doc(hidden)]
pub use violations::{Violations, draw, matching};

pub use realise::realise;

use crate::case::Case;
use crate::contract::{Operation, Service};

/// The catalogue of a service: every rule, just inside, just outside and far outside, in a fixed order.
///
/// Expectations are those of the rules; which values an answer must have is added by [`expected::add_pins`], or comes
/// from the reviewed snapshots.
pub fn catalogue(service: Service) -> Vec<Case> {
    catalogue_with(service, |_| true)
}

/// The catalogue with the member cases of some operations alone: these are most of it, and their ids begin with the name
/// of the operation.
pub(crate) fn catalogue_with(service: Service, members_of: impl Fn(Operation) -> bool) -> Vec<Case> {
    let mut cases = Vec::new();
    for operation in service.contract().layer_operations().filter(|operation| members_of(operation.name)) {
        cases.extend(members::cases(service, operation));
        cases.extend(looks::cases(service, operation));
    }
    cases.extend(digests::cases(service));
    cases.extend(state::cases(service));
    cases.extend(availability::cases(service));
    cases.extend(aliases::cases(service));
    cases.extend(images::cases(service));
    cases.extend(wire_faults::cases(service));
    cases.extend(auth::cases(service));
    cases.extend(looks::unknown_members(service));
    cases.extend(content::cases(service));
    cases.extend(spelling::cases(service));
    cases.extend(ranges::cases(service));
    cases.extend(parts::cases(service));
    cases.extend(many::cases(service));
    cases
}
