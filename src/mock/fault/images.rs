//! Images: which layers they may refer to, and what holds of a layer that one refers to.

use super::super::Change::{Finds, Ignores, Names, Performs};
use super::super::change::{Call, refusal};
use super::{Fault, fault};
use crate::contract::Operation;

const LAYERS: &str = "PutImage/layers/exist";

pub(super) static FAULTS: &[Fault] = &[
    fault("image-of-absent-layers", "PutImage does not look for the layers", LAYERS, &[Ignores(LAYERS)]),
    fault(
        "image-of-open-upload",
        "PutImage takes the bytes of an upload that is not completed for a layer",
        LAYERS,
        &[Finds(|call, wrong| {
            let uploads = call.registry.uploads(call.text("repositoryName"));
            let held = uploads.into_iter().filter_map(|(_, held)| held).find(|held| call.names_in_manifest(held));
            if call.is(Operation::PutImage) && held.is_some() {
                wrong.retain(|refusal| refusal.rule != LAYERS);
            }
        })],
    ),
    fault(
        "image-config-not-looked-for",
        "PutImage looks for the layers of a manifest and not for its configuration",
        LAYERS,
        &[Finds(|call, wrong| {
            if call.is(Operation::PutImage) && call.has_all_layers_of_manifest() {
                wrong.retain(|refusal| refusal.rule != LAYERS);
            }
        })],
    ),
    fault(
        "image-layers-as-parameter",
        "PutImage refuses absent layers as a parameter",
        LAYERS,
        &[Names(LAYERS, "InvalidParameterException")],
    ),
    fault(
        "image-of-one-layer-only",
        "PutImage refuses a manifest of two layers",
        "PutImage/accepted",
        &[Finds(|call, wrong| {
            if call.is(Operation::PutImage) && call.text("imageManifest").matches("layer.v1.tar").count() > 1 {
                wrong.push(refusal("InvalidParameterException", "PutImage/accepted"));
            }
        })],
    ),
    fault(
        "image-makes-repository",
        "PutImage makes the repository if there is none",
        "PutImage/repositoryName/exists",
        &[Ignores("PutImage/repositoryName/exists")],
    ),
    fault(
        "image-takes-layers-away",
        "PutImage moves the layers into the image, and the repository has them no more",
        "BatchCheckLayerAvailability/layers/stored",
        &[Performs(|call| {
            let name = call.text("repositoryName").to_owned();
            let members = call.is(Operation::PutImage).then(|| call.perform())?;
            call.registry.repositories.get_mut(&name)?.layers.clear();
            Some(members)
        })],
    ),
    fault(
        "referenced-without-url",
        "GetDownloadUrlForLayer refuses a layer of an image as inaccessible",
        "GetDownloadUrlForLayer/layer/referenced",
        &[Finds(|call, wrong| {
            if call.is(Operation::GetDownloadUrlForLayer) && wrong.is_empty() {
                wrong.push(refusal("LayerInaccessibleException", "GetDownloadUrlForLayer/layer/unreferenced"));
            }
        })],
    ),
    fault(
        "referenced-completed-again",
        "CompleteLayerUpload completes a layer again once an image refers to it",
        "CompleteLayerUpload/layer/new",
        &[Finds(|call, wrong| {
            let digest = call.computed();
            let place = call.registry.repositories.get(call.text("repositoryName"));
            let referenced = place.zip(digest).is_some_and(|(place, digest)| place.is_referenced(&digest));
            if call.is(Operation::CompleteLayerUpload) && referenced {
                wrong.retain(|refusal| refusal.rule != "CompleteLayerUpload/layer/new");
            }
        })],
    ),
];

impl Call<'_> {
    fn names_in_manifest(&self, digest: &str) -> bool {
        self.text("imageManifest").contains(digest)
    }

    fn has_all_layers_of_manifest(&self) -> bool {
        let manifest: Option<serde_json::Value> = serde_json::from_str(self.text("imageManifest")).ok();
        let place = self.registry.repositories.get(self.text("repositoryName"));
        let layers = manifest.as_ref().and_then(|manifest| manifest.get("layers")?.as_array()).into_iter().flatten();
        let mut digests = layers.filter_map(|layer| layer.get("digest")?.as_str());
        place.is_some_and(|place| digests.all(|digest| place.layers.contains_key(digest)))
    }
}
