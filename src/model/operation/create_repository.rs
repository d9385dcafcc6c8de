//! CreateRepository: makes a repository.

use serde_json::{Value, json};

use super::input::repository;
use super::{Facts, Members, body, nothing};
use crate::contract::RuleId;
use crate::model::registry::Repository;
use crate::model::{Registry, Rejection};

pub(super) static FACTS: Facts = Facts {
    step: "create",
    plain: "a plain request",
    answers_to: None,
    valid: |draft, repository| (draft, body::repository(repository)),
    rejections,
    perform,
    pins: nothing,
};

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
