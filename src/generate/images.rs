//! What an upload is worth: an image of its layer can be put, and what holds of the layer from then on.

use crate::case::Case;
use crate::case::draft::{Draft, HERE, RIGHT};
use crate::contract::{Operation, RuleId, Service};
use crate::model::operation::{Facts, body};

const PUT: Operation = Operation::PutImage;
const CHECK: Operation = Operation::BatchCheckLayerAvailability;
const COMPLETE: Operation = Operation::CompleteLayerUpload;
const URL: Operation = Operation::GetDownloadUrlForLayer;

/// The cases about images.
pub fn cases(service: Service) -> Vec<Case> {
    let mut cases = puts(service);
    cases.extend(referenced(service));
    cases
}

/// Manifests of layers that are there, and of layers that are not.
fn puts(service: Service) -> Vec<Case> {
    let accepted = RuleId::new("PutImage/accepted");
    let missing = RuleId::new("PutImage/layers/exist");
    let draft = |rule: RuleId, variant: &str, title: &str| Draft::new(service, format!("{rule}/{variant}"), title);
    // All but the layer itself is in place.
    let with_config = |variant: &str, title: &str| {
        draft(missing, variant, title).own(&["other"]).config().push_in(HERE, "config-upload", "config")
    };
    let put = |draft: Draft| draft.focus(missing, PUT, body::image(HERE, "config", &["layer"])).done();
    let known = Facts::of(PUT);
    let (plain, valid) = (known.valid)(draft(accepted, "plain", known.plain).own(&[]), HERE);
    let two = draft(accepted, "two-layers", "a manifest of two layers").own(&[]).chunk("top", 33).config();
    let two = two.stored().push_in(HERE, "top-upload", "top").push_in(HERE, "config-upload", "config");
    let exists = RuleId::new("PutImage/repositoryName/exists");
    vec![
        plain.focus(accepted, PUT, valid).done(),
        two.focus(accepted, PUT, body::image(HERE, "config", &["layer", "top"])).done(),
        put(with_config("never-uploaded", "a manifest with a layer that was never uploaded").chunk("layer", 32)),
        put(with_config("part-only", "a manifest with a layer whose upload is not completed").uploaded()),
        put(with_config("rejected", "a manifest with a layer whose completion was rejected").uploaded().focus_as(
            "wrong",
            RuleId::new("CompleteLayerUpload/layerDigests/match"),
            COMPLETE,
            body::complete(HERE, "upload", &[crate::case::draft::ABSENT]),
        )),
        draft(missing, "config", "a manifest whose configuration was never uploaded")
            .own(&[])
            .config()
            .stored()
            .focus(missing, PUT, body::image(HERE, "config", &["layer"]))
            .done(),
        draft(exists, "unknown", "a repository that nobody made")
            .own(&[])
            .chunk("layer", 32)
            .config()
            .focus(exists, PUT, body::image("${absent}", "config", &["layer"]))
            .done(),
    ]
}

/// A layer that an image refers to.
fn referenced(service: Service) -> Vec<Case> {
    let draft =
        |rule: RuleId, title: &str| Draft::new(service, format!("{rule}/referenced"), title).own(&[]).stored().image();
    let stored = RuleId::new("BatchCheckLayerAvailability/layers/stored");
    let new = RuleId::new("CompleteLayerUpload/layer/new");
    let again = draft(new, "the bytes of a layer of an image again").initiate("again");
    let mut cases = vec![
        draft(stored, "a layer of an image").focus(stored, CHECK, body::check(HERE, &[RIGHT])).done(),
        again
            .part("part-again", "again", "layer", 0)
            .focus(new, COMPLETE, body::complete(HERE, "again", &[RIGHT]))
            .done(),
    ];
    if service == Service::Ecr {
        let url = RuleId::new("GetDownloadUrlForLayer/layer/referenced");
        let image = Draft::new(service, format!("{url}/plain"), "a layer of an image").own(&[]).stored().image();
        cases.push(image.focus(url, URL, body::url(HERE, RIGHT)).done());
    }
    cases
}
