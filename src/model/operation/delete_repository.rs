//! DeleteRepository: removes a repository with all that is in it.

use serde_json::{Value, json};

use super::input::repository;
use super::{Facts, Members, create_repository, nothing};
use crate::contract::{Operation, RuleId};
use crate::model::{Refusal, Registry};

pub(super) static FACTS: Facts = Facts {
    step: "delete",
    plain: "a plain request",
    answers_to: None,
    valid: |draft, repository| (draft, create_repository::body(repository).set("force", "true")),
    refusals,
    perform,
    pins: nothing,
};

fn refusals(registry: &Registry, input: &Members) -> Vec<Refusal> {
    let place = match registry.named_repository(Operation::DeleteRepository, input) {
        Ok(place) => place,
        Err(refusal) => return vec![refusal],
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
    vec![Refusal::named("RepositoryNotEmptyException", RuleId::new("DeleteRepository/force/empty"), text)]
}

fn perform(registry: &mut Registry, input: &Members) -> Value {
    let description = registry.description(repository(input));
    registry.repositories.remove(repository(input));
    json!({ "repository": description })
}
