//! DescribeRepositories: lists repositories.

use serde_json::{Value, json};

use super::input::texts;
use super::{Facts, Members, nothing};
use crate::case::body::Body;
use crate::contract::Operation;
use crate::model::{Registry, Rejection};

pub(super) static FACTS: Facts = Facts {
    step: "describe",
    plain: "a plain request",
    answers_to: None,
    valid: |draft, repository| (draft, Body::default().texts("repositoryNames", &[repository])),
    rejections,
    perform,
    pins: nothing,
};

fn rejections(registry: &Registry, input: &Members) -> Vec<Rejection> {
    let unknown = asked(input).into_iter().flatten().filter(|name| !registry.has_repository(name));
    unknown.map(|name| registry.no_repository(Operation::DescribeRepositories, name)).collect()
}

fn perform(registry: &mut Registry, input: &Members) -> Value {
    let asked = asked(input);
    let is_asked = |name: &&String| asked.as_ref().is_none_or(|asked| asked.contains(&name.as_str()));
    let found: Vec<Value> =
        registry.repositories.keys().filter(is_asked).map(|name| registry.description(name)).collect();
    json!({ "repositories": found })
}

/// The repositories that are asked about; `None` for all.
fn asked(input: &Members) -> Option<Vec<&str>> {
    texts(input, "repositoryNames")
}
