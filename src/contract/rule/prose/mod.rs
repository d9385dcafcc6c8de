//! The rules that prose states, one row each, by what they are about: what no table of the documents says.
//!
//! A row has tier, id, sources (strongest first), what the contract says, what a request that breaks it has, and which
//! errors it may then be answered with, and what these rest on. In sources, `api:X` is the page of operation X in the reference of the service at
//! hand; `*` is the operation at hand.

mod auth;
mod completion;
mod each;
mod response;
mod stored;
mod survey;
mod uploads;
mod wire;

use crate::contract::Tier;

pub(super) use each::{EACH_OPERATION, EACH_PRIVATE, EACH_PUBLIC, EACH_UPLOAD, EACH_WITHOUT_UPLOAD, PUBLIC};
pub(super) use uploads::PRIVATE;

/// A rule as it is written here.
#[derive(Debug)]
pub(super) struct Row {
    pub tier: Tier,
    pub id: &'static str,
    pub sources: &'static [&'static str],
    pub statement: &'static str,
    pub breach: &'static str,
    pub errors: Errors,
}

/// The errors that a request may be answered with.
#[derive(Debug)]
pub(super) struct Errors {
    pub names: &'static [&'static str],
    /// What the names rest on, where that is weaker than what the rule rests on.
    pub basis: Option<(Tier, &'static [&'static str])>,
}

/// No error: the rule says what is accepted, or how a response looks.
pub(super) const NONE: Errors = named(&[]);

/// Errors that rest on what the rule rests on.
pub(super) const fn named(names: &'static [&'static str]) -> Errors {
    Errors { names, basis: None }
}

/// Errors that rest on less than the rule: that it is rejected is known better than with which of them.
pub(super) const fn weaker(tier: Tier, sources: &'static [&'static str], names: &'static [&'static str]) -> Errors {
    Errors { names, basis: Some((tier, sources)) }
}

/// All rules of one operation, or of none. Those of an operation that a service does not have are not its rules.
pub(super) fn rows() -> impl Iterator<Item = &'static Row> {
    let tables = [
        uploads::ROWS,
        completion::ROWS,
        stored::ROWS,
        response::ROWS,
        wire::ROWS,
        wire::SPELLINGS,
        auth::ROWS,
        survey::ROWS,
    ];
    tables.into_iter().flatten()
}
