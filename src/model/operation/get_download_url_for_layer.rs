//! GetDownloadUrlForLayer: gives the address of a layer that an image refers to.

use serde_json::{Value, json};

use super::input::{repository, text};
use super::{Facts, Members, only};
use crate::case::body::Body;
use crate::case::draft::ABSENT;
use crate::contract::{Operation, RuleId};
use crate::model::{Registry, Rejection};

pub(super) static FACTS: Facts = Facts {
    step: "url",
    plain: "a plain request, for a layer that was never uploaded",
    // Without an image no layer can be downloaded: the plainest request is one that finds no layer.
    answers_to: Some(RuleId::new("GetDownloadUrlForLayer/layerDigest/exists")),
    valid: |draft, repository| (draft, body(repository, ABSENT)),
    rejections,
    perform,
    pins: |_, answer| only("layerDigest", answer),
};

/// GetDownloadUrlForLayer of a digest.
pub fn body(repository: &str, digest: &str) -> Body {
    Body::default().text("repositoryName", repository).text("layerDigest", digest)
}

fn rejections(registry: &Registry, input: &Members) -> Vec<Rejection> {
    let place = match registry.named_repository(Operation::GetDownloadUrlForLayer, input) {
        Ok(place) => place,
        Err(rejection) => return vec![rejection],
    };
    let digest = text(input, "layerDigest");
    let (rule, message) = if place.is_referenced(digest) {
        return Vec::new();
    } else if place.layers.contains_key(digest) {
        ("layer/unreferenced", format!("The layer with digest '{digest}' is not associated with an image"))
    } else {
        let message = format!(
            "The layer with digest {digest} does not exist within the repository with name '{}' in the registry with \
             id '{}'",
            repository(input),
            registry.account
        );
        ("layerDigest/exists", message)
    };
    vec![Rejection::of(registry.service, RuleId::of(Operation::GetDownloadUrlForLayer, rule), message)]
}

fn perform(_: &mut Registry, input: &Members) -> Value {
    let digest = text(input, "layerDigest");
    json!({ "downloadUrl": format!("https://layers.example/{}/{digest}", repository(input)), "layerDigest": digest })
}
