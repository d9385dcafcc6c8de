//! PutImage: ends a push. The layers that its manifest names must be in the repository, and belong to an image then.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::input::{repository, text};
use super::{Facts, Members, nothing};
use crate::case::bindings::hex;
use crate::case::body::{Body, quote};
use crate::case::draft::{Draft, HERE, SMALL};
use crate::contract::{Operation, RuleId};
use crate::model::{Registry, Rejection};

pub(super) static FACTS: Facts = Facts {
    step: "image",
    plain: "a manifest of one layer and a configuration, both completed",
    answers_to: None,
    valid: |draft, repository| {
        let draft = draft.chunk("layer", SMALL).config();
        let draft = draft.push_in(repository, "upload", "layer").push_in(repository, "config-upload", "config");
        (draft, body(repository, "config", &["layer"]))
    },
    rejections,
    perform,
    pins: nothing,
};

/// The media type of the manifests that are put.
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// The configuration of an image without a platform's files: valid for whoever reads it.
const CONFIG: &str = r#"{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[]}}"#;

/// PutImage of a manifest with these chunks as configuration and layers.
pub fn body(repository: &str, config: &str, layers: &[&str]) -> Body {
    let descriptor = |kind: &str, chunk: &str| {
        format!(
            r#"{{"mediaType":"application/vnd.oci.image.{kind}","digest":"${{sha256:{chunk}}}","size":${{size:{chunk}}}}}"#
        )
    };
    let layers: Vec<String> = layers.iter().map(|chunk| descriptor("layer.v1.tar", chunk)).collect();
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{},"layers":[{}]}}"#,
        descriptor("config.v1+json", config),
        layers.join(",")
    );
    // The references stand inside a string inside a string; what they stand for needs no escapes in either.
    Body::default()
        .text("repositoryName", repository)
        .set("imageManifest", quote(&manifest))
        .text("imageManifestMediaType", MANIFEST)
}

impl Draft {
    /// Adds the bytes of a configuration, as the chunk `config`.
    pub fn config(self) -> Draft {
        self.chunk_of("config", CONFIG)
    }

    /// Uploads a chunk as a layer of a repository.
    pub fn push_in(self, repository: &str, name: &str, chunk: &str) -> Draft {
        let digest = format!("${{sha256:{chunk}}}");
        let complete = super::complete_layer_upload::body(repository, name, &[digest]);
        self.initiate_in(repository, name).part_in(repository, &format!("{name}-part"), name, chunk, 0).set_up(
            &format!("{name}-complete"),
            Operation::CompleteLayerUpload,
            complete,
        )
    }

    /// An image of the chunk `layer`, which is in place as a layer.
    pub fn image(self) -> Draft {
        let draft = self.config().push_in(HERE, "config-upload", "config");
        draft.set_up("image", Operation::PutImage, body(HERE, "config", &["layer"]))
    }
}

fn rejections(registry: &Registry, input: &Members) -> Vec<Rejection> {
    let place = match registry.named_repository(Operation::PutImage, input) {
        Ok(place) => place,
        Err(rejection) => return vec![rejection],
    };
    let Some(named) = layers(text(input, "imageManifest")) else {
        let message =
            String::from("Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'");
        return vec![Rejection::named(
            "InvalidParameterException",
            RuleId::new("PutImage/imageManifest/json"),
            message,
        )];
    };
    let missing: Vec<String> = named.into_iter().filter(|digest| !place.layers.contains_key(digest)).collect();
    if missing.is_empty() {
        return Vec::new();
    }
    let message = format!(
        "Layers with digests '[{}]' required for pushing image into repository with name '{}' in the registry with id \
         '{}' do not exist",
        missing.join(", "),
        repository(input),
        registry.account
    );
    vec![Rejection::of(registry.service, RuleId::new("PutImage/layers/exist"), message)]
}

fn perform(registry: &mut Registry, input: &Members) -> Value {
    let manifest = text(input, "imageManifest");
    let digest = format!("sha256:{}", hex(&Sha256::digest(manifest)));
    registry.repository_mut(input).images.insert(digest.clone(), layers(manifest).unwrap_or_default());
    let mut id = json!({ "imageDigest": digest });
    if let Some(tag) = input.get("imageTag") {
        id["imageTag"] = tag.clone();
    }
    json!({ "image": {
        "registryId": registry.account,
        "repositoryName": repository(input),
        "imageId": id,
        "imageManifest": manifest,
        "imageManifestMediaType": input.get("imageManifestMediaType").cloned().unwrap_or(Value::from(MANIFEST)),
    } })
}

/// The digests of configuration and layers that a manifest names; `None` if it is no JSON object.
fn layers(manifest: &str) -> Option<Vec<String>> {
    let manifest: Members = serde_json::from_str(manifest).ok()?;
    let listed = manifest.get("layers").and_then(Value::as_array).into_iter().flatten();
    let named = manifest.get("config").into_iter().chain(listed);
    Some(named.filter_map(|descriptor| descriptor.get("digest")?.as_str().map(String::from)).collect())
}
