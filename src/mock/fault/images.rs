//! Images: which layers they may refer to, and what holds of a layer that one refers to.

use super::super::Change::{EditRejections, ErrorAs, Execute, SkipRule};
use super::super::change::{Call, rejection};
use super::Fault;
use crate::contract::{Operation, RuleId, RulePattern};

const LAYERS: RuleId = RuleId::new("PutImage/layers/exist");

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "image-of-absent-layers",
        sentence: "PutImage does not check that the layers exist",
        rule: LAYERS,
        changes: &[SkipRule(RulePattern::only(LAYERS))],
    },
    Fault {
        name: "image-of-open-upload",
        sentence: "PutImage treats the bytes of an open upload as a layer",
        rule: LAYERS,
        changes: &[EditRejections(|call, wrong| {
            let uploads = call.registry.uploads(call.text("repositoryName"));
            let held = uploads.into_iter().filter_map(|(_, held)| held).find(|held| call.names_in_manifest(held));
            if call.is(Operation::PutImage) && held.is_some() {
                wrong.retain(|rejection| rejection.rule != LAYERS);
            }
        })],
    },
    Fault {
        name: "image-config-not-looked-for",
        sentence: "PutImage checks the layers of a manifest but not its configuration",
        rule: LAYERS,
        changes: &[EditRejections(|call, wrong| {
            if call.is(Operation::PutImage) && call.has_all_layers_of_manifest() {
                wrong.retain(|rejection| rejection.rule != LAYERS);
            }
        })],
    },
    Fault {
        name: "image-layers-as-parameter",
        sentence: "PutImage rejects absent layers as a parameter",
        rule: LAYERS,
        changes: &[ErrorAs(RulePattern::only(LAYERS), "InvalidParameterException")],
    },
    Fault {
        name: "image-of-one-layer-only",
        sentence: "PutImage rejects a manifest of two layers",
        rule: RuleId::new("PutImage/accepted"),
        changes: &[EditRejections(|call, wrong| {
            if call.is(Operation::PutImage) && call.text("imageManifest").matches("layer.v1.tar").count() > 1 {
                wrong.push(rejection("InvalidParameterException", RuleId::new("PutImage/accepted")));
            }
        })],
    },
    Fault {
        name: "image-makes-repository",
        sentence: "PutImage makes the repository if there is none",
        rule: RuleId::new("PutImage/repositoryName/exists"),
        changes: &[SkipRule(RulePattern::new("PutImage/repositoryName/exists"))],
    },
    Fault {
        name: "image-takes-layers-away",
        sentence: "PutImage removes the layers from the repository",
        rule: RuleId::new("BatchCheckLayerAvailability/layers/stored"),
        changes: &[Execute(|call| {
            let name = call.text("repositoryName").to_owned();
            let members = call.is(Operation::PutImage).then(|| call.perform())?;
            call.registry.repositories.get_mut(&name)?.layers.clear();
            Some(members)
        })],
    },
    Fault {
        name: "url-without-image",
        sentence: "GetDownloadUrlForLayer gives URLs for layers of no image",
        rule: RuleId::new("GetDownloadUrlForLayer/layer/unreferenced"),
        changes: &[SkipRule(RulePattern::new("GetDownloadUrlForLayer/layer/unreferenced"))],
    },
    Fault {
        name: "referenced-without-url",
        sentence: "GetDownloadUrlForLayer rejects a layer of an image as inaccessible",
        rule: RuleId::new("GetDownloadUrlForLayer/layer/referenced"),
        changes: &[EditRejections(|call, wrong| {
            if call.is(Operation::GetDownloadUrlForLayer) && wrong.is_empty() {
                wrong.push(rejection(
                    "LayerInaccessibleException",
                    RuleId::new("GetDownloadUrlForLayer/layer/unreferenced"),
                ));
            }
        })],
    },
    Fault {
        name: "referenced-completed-again",
        sentence: "CompleteLayerUpload accepts a layer again once an image refers to it",
        rule: RuleId::new("CompleteLayerUpload/layer/new"),
        changes: &[EditRejections(|call, wrong| {
            let digest = call.computed();
            let place = call.registry.repositories.get(call.text("repositoryName"));
            let referenced = place.zip(digest).is_some_and(|(place, digest)| place.is_referenced(&digest));
            if call.is(Operation::CompleteLayerUpload) && referenced {
                wrong.retain(|rejection| rejection.rule != RuleId::new("CompleteLayerUpload/layer/new"));
            }
        })],
    },
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
