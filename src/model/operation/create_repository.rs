//! CreateRepository: makes a repository.

use crate::contract::RuleId;
use serde_json::{Value, json};

use super::input::repository;
use super::{Facts, Members, nothing};
use crate::case::body::Body;
use crate::model::registry::Repository;
use crate::model::{Registry, Rejection};

pub(super) static FACTS: Facts = Facts {
    step: "create",
    plain: "a plain request",
    answers_to: None,
    valid: |draft, repository| (draft, body(repository)),
    rejections,
    perform,
    pins: nothing,
};

/// CreateRepository or DeleteRepository.
pub fn body(name: &str) -> Body {
    Body::default().text("repositoryName", name)
}

fn rejections(registry: &Registry, input: &Members) -> Vec<Rejection> {
    let name = repository(input);
    if !registry.has_repository(name) {
        return Vec::new();
    }
    let text =
        format!("The repository with name '{name}' already exists in the registry with id '{}'", registry.account);
    vec![Rejection::named("RepositoryAlreadyExistsException", RuleId::new("CreateRepository/repositoryName/new"), text)]
}

fn perform(registry: &mut Registry, input: &Members) -> Value {
    registry.repositories.insert(String::from(repository(input)), Repository::default());
    json!({ "repository": registry.description(repository(input)) })
}
