//! What is known of each operation besides what the documents say of its members: one file each.
//!
//! A file has the body of a valid request and what it needs in place, what the reference registry has against a request
//! and what it does, and which values of an answer matter. [`Facts::of`] has a row for each: a new operation is a variant
//! of [`Operation`], a file here and its row, and what the documents say of it in [`crate::contract`].

mod batch_check_layer_availability;
mod complete_layer_upload;
mod create_repository;
mod delete_repository;
mod describe_repositories;
mod get_download_url_for_layer;
mod initiate_layer_upload;
mod input;
mod put_image;
mod upload_layer_part;

use serde_json::{Map, Value};

use super::{Registry, Rejection};
use crate::case::body::Body;
use crate::case::draft::Draft;
use crate::contract::{Operation, RuleId};

pub use batch_check_layer_availability::{absent, not_a_layer};
#[cfg(feature = "mock")]
pub(crate) use input::{blob_of, blob_size};

/// The members of a request or of an answer.
pub type Members = Map<String, Value>;

/// What is known of an operation.
#[derive(Debug)]
pub struct Facts {
    /// What steps that call it are named after.
    pub step: &'static str,
    /// What a plain request of it is, in a few words.
    pub plain: &'static str,
    /// The rule that a valid request answers to, where that is not success.
    pub answers_to: Option<RuleId>,
    /// Adds to a case what must be in place in a repository, and gives the body of a valid request there.
    pub valid: fn(Draft, repository: &str) -> (Draft, Body),
    /// What is wrong with what the members of a request name, in a registry of its own account.
    pub rejections: fn(&Registry, &Members) -> Vec<Rejection>,
    /// Does what a request asks for that is rejected by nothing.
    pub perform: fn(&mut Registry, &Members) -> Value,
    /// The members of an answer that matter besides those that every answer of it has, where a step is about this rule.
    pub pins: fn(rule: RuleId, answer: &Members) -> Members,
}

impl Facts {
    /// What is known of an operation.
    pub fn of(operation: Operation) -> &'static Facts {
        match operation {
            Operation::InitiateLayerUpload => &initiate_layer_upload::FACTS,
            Operation::UploadLayerPart => &upload_layer_part::FACTS,
            Operation::CompleteLayerUpload => &complete_layer_upload::FACTS,
            Operation::BatchCheckLayerAvailability => &batch_check_layer_availability::FACTS,
            Operation::GetDownloadUrlForLayer => &get_download_url_for_layer::FACTS,
            Operation::PutImage => &put_image::FACTS,
            Operation::CreateRepository => &create_repository::FACTS,
            Operation::DeleteRepository => &delete_repository::FACTS,
            Operation::DescribeRepositories => &describe_repositories::FACTS,
        }
    }
}

/// Bodies of valid requests, under short names.
pub mod body {
    pub use super::batch_check_layer_availability::body as check;
    pub use super::complete_layer_upload::body as complete;
    pub use super::get_download_url_for_layer::body as url;
    pub use super::put_image::body as image;
    pub use super::upload_layer_part::body as part;
    pub use crate::case::body::{Body, quote};

    /// A call that names a repository and no more: CreateRepository, DeleteRepository, InitiateLayerUpload.
    pub fn repository(name: &str) -> Body {
        Body::default().text("repositoryName", name)
    }
}

/// Pins nothing.
fn nothing(_rule: RuleId, _answer: &Members) -> Members {
    Members::new()
}

/// Pins one member, if the answer has it.
fn only(member: &str, answer: &Members) -> Members {
    answer.get(member).map(|value| (String::from(member), value.clone())).into_iter().collect()
}

/// Pins one member; and the account id, where the request has the alias in its place.
fn with_registry(rule: RuleId, member: &str, answer: &Members) -> Members {
    let mut pinned = only(member, answer);
    if rule.is("registryId/alias") {
        pinned.extend(only("registryId", answer));
    }
    pinned
}
