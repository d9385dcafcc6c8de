//! CompleteLayerUpload: an upload becomes a layer, if one of the digests is that of its bytes.

use serde_json::{Value, json};

use super::input::{repository, texts, upload};
use super::{Facts, Members, with_registry};
use crate::case::body::Body;
use crate::case::draft::{Draft, HERE, RIGHT, SMALL};
use crate::contract::{Operation, RuleId};
use crate::model::registry::MIN_INNER_PART;
use crate::model::{Registry, Rejection};

pub(super) static FACTS: Facts = Facts {
    step: "complete",
    plain: "a plain request",
    answers_to: None,
    valid: |draft, repository| {
        let draft = draft.chunk("layer", SMALL).initiate_in(repository, "upload");
        let draft = draft.part_in(repository, "part", "upload", "layer", 0);
        (draft, body(repository, "upload", &[RIGHT]))
    },
    rejections,
    perform,
    pins: |rule, answer| with_registry(rule, "layerDigest", answer),
};

/// CompleteLayerUpload with these digests.
pub fn body<T: AsRef<str>>(repository: &str, upload: &str, digests: &[T]) -> Body {
    Body::default()
        .text("repositoryName", repository)
        .text("uploadId", &format!("${{{upload}.uploadId}}"))
        .texts("layerDigests", digests)
}

impl Draft {
    /// CompleteLayerUpload here, with the digest of these chunks.
    pub fn complete(self, name: &str, upload: &str, chunks: &str) -> Draft {
        let digest = format!("${{sha256:{chunks}}}");
        self.set_up(name, Operation::CompleteLayerUpload, body(HERE, upload, &[digest]))
    }

    /// An upload `upload` with the chunk `layer` in place.
    pub fn uploaded(self) -> Draft {
        self.chunk("layer", SMALL).initiate("upload").part("part", "upload", "layer", 0)
    }

    /// The same, completed.
    pub fn stored(self) -> Draft {
        self.uploaded().complete("complete", "upload", "layer")
    }
}

fn rejections(registry: &Registry, input: &Members) -> Vec<Rejection> {
    let (place, known) = match registry.named_upload(Operation::CompleteLayerUpload, input) {
        Ok(found) => found,
        Err(rejection) => return vec![rejection],
    };
    let mut rejections = Vec::new();
    let mut reject = |rule: &'static str, message: String| {
        rejections.push(Rejection::of(registry.service, RuleId::of(Operation::CompleteLayerUpload, rule), message));
    };
    if known.parts.is_empty() {
        let named = registry.words_for_upload(input);
        reject("parts/not-empty", format!("{named} cannot be completed because it does not have any parts"));
    }
    let inner = known.parts.split_last().map_or(&[][..], |(_, inner)| inner);
    if inner.iter().any(|size| *size < MIN_INNER_PART) {
        reject("parts/min-size", String::from("All layer parts except the last part should be at least 5MB"));
    }
    let digest = known.digest();
    let exists = place.layers.contains_key(&digest);
    match (any_matches(input, &digest), exists) {
        (true, false) => {}
        (true, true) => {
            reject("layer/new", format!("The layer with digest '{digest}' already exists in the repository"));
        }
        (false, _) => {
            let rule = if exists { "layer/digest-first" } else { "layerDigests/match" };
            reject(rule, String::from("None of the provided layer digests match the calculated layer digest"));
        }
    }
    rejections
}

fn perform(registry: &mut Registry, input: &Members) -> Value {
    let place = registry.repository_mut(input);
    let known = place.uploads.remove(upload(input)).unwrap_or_default();
    let digest = known.digest();
    place.layers.insert(digest.clone(), known.size());
    json!({
        "registryId": registry.account,
        "repositoryName": repository(input),
        "uploadId": upload(input),
        "layerDigest": digest,
    })
}

/// One sha256 digest that matches is enough; without any sha256 digest there is nothing to compare.
fn any_matches(input: &Members, computed: &str) -> bool {
    let listed = texts(input, "layerDigests").unwrap_or_default();
    let mut compared = listed.into_iter().filter(|digest| digest.starts_with("sha256:")).peekable();
    compared.peek().is_none() || compared.any(|digest| digest.eq_ignore_ascii_case(computed))
}
