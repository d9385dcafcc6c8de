//! DeleteRepository: removes a repository with all that is in it.

use serde_json::{Value, json};

use super::input::repository;
use super::{Facts, Members, body, nothing};
use crate::contract::{Operation, RuleId};
use crate::model::{Registry, Rejection};

pub(super) static FACTS: Facts = Facts {
    step: "delete",
    plain: "a plain request",
    answers_to: None,
    valid: |draft, repository| (draft, body::repository(repository).set("force", "true")),
    rejections,
    perform,
    pins: nothing,
};

fn rejections(registry: &Registry, input: &Members) -> Vec<Rejection> {
    let place = match registry.named_repository(Operation::DeleteRepository, input) {
        Ok(place) => place,
        Err(rejection) => return vec![rejection],
    };
    let forced = input.get("force").and_then(Value::as_bool).unwrap_or_default();
    // What is completed and in no image does not count: a repository is empty without images.
    if forced || place.images.is_empty() {
        return Vec::new();
    }
    let name = repository(input);
    let text = format!(
        "The repository with name '{name}' in registry with id '{}' cannot be deleted because it still contains images",
        registry.account
    );
    vec![Rejection::named("RepositoryNotEmptyException", RuleId::new("DeleteRepository/force/empty"), text)]
}

fn perform(registry: &mut Registry, input: &Members) -> Value {
    let description = registry.description(repository(input));
    registry.repositories.remove(repository(input));
    json!({ "repository": description })
}
