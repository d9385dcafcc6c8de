//! What depends on what came before: repositories, uploads, parts and layers.

use crate::case::Case;
use crate::case::draft::{ABSENT, Draft, HERE, NO_UPLOAD, OF_NOTHING, RIGHT, SMALL};
use crate::contract::{Operation, RuleId, Service};
use crate::model::operation::{Facts, body};

const INITIATE: Operation = Operation::InitiateLayerUpload;
const UPLOAD: Operation = Operation::UploadLayerPart;
const COMPLETE: Operation = Operation::CompleteLayerUpload;
const DELETE: Operation = Operation::DeleteRepository;
const CREATE: Operation = Operation::CreateRepository;

const MIB_5: usize = 5_242_880;

/// The cases about state.
pub fn cases(service: Service) -> Vec<Case> {
    let mut cases = repositories(service);
    cases.extend(uploads(service));
    cases.extend(parts(service));
    cases.extend(layers(service));
    cases
}

/// Repositories that do not exist, or no longer.
fn repositories(service: Service) -> Vec<Case> {
    let mut cases = Vec::new();
    for operation in service.contract().layer_operations().map(|operation| operation.name) {
        let rule = RuleId::of(operation, "repositoryName/exists");
        let unknown = Draft::new(service, format!("{rule}/unknown"), "a repository that nobody made");
        let (unknown, body) = request(unknown.own(&[]), operation);
        cases.push(unknown.focus(rule, operation, body.text("repositoryName", "${absent}")).done());
        let deleted = Draft::new(service, format!("{rule}/deleted"), "a repository that was deleted");
        let (deleted, body) = request(deleted.own(&[]), operation);
        let deleted = deleted.set_up("delete", DELETE, body::repository(HERE).set("force", "true"));
        cases.push(deleted.focus(rule, operation, body).done());
    }
    cases
}

/// A valid request here, with what it needs in place.
fn request(draft: Draft, operation: Operation) -> (Draft, body::Body) {
    (Facts::of(operation).valid)(draft, HERE)
}

/// Uploads that do not exist, or elsewhere, or twice.
fn uploads(service: Service) -> Vec<Case> {
    let mut cases = Vec::new();
    for operation in [UPLOAD, COMPLETE] {
        let rule = RuleId::of(operation, "uploadId/exists");
        let draft = Draft::new(service, format!("{rule}/unknown"), "an upload id that nobody was given");
        let (draft, body) = request(draft, operation);
        let focus = draft.focus(rule, operation, body.text("uploadId", NO_UPLOAD));
        cases.push(if operation == COMPLETE { focus.probe_absent(RIGHT).done() } else { focus.done() });

        let elsewhere = Draft::new(service, format!("{rule}/other-repository"), "the upload of another repository");
        let (elsewhere, body) = request(elsewhere.own(&["other"]), operation);
        let focus = elsewhere.focus(rule, operation, body.text("repositoryName", "${repository:other}"));
        cases.push(match operation {
            COMPLETE => focus.probe_absent(RIGHT).done(),
            _ => focus.done(),
        });

        let rule = RuleId::of(operation, "uploadId/upper-case");
        let draft = Draft::new(service, format!("{rule}/own"), "the upload id in upper case");
        let (draft, body) = request(draft, operation);
        cases.push(draft.focus(rule, operation, body.text("uploadId", "${upper:upload.uploadId}")).done());

        let rule = RuleId::of(operation, "uploadId/recreated-repository");
        let draft =
            Draft::new(service, format!("{rule}/same-name"), "an upload of the repository that had the name before");
        let (draft, body) = request(draft.own(&[]), operation);
        let draft = draft.set_up("delete", DELETE, body::repository(HERE).set("force", "true")).set_up(
            "create",
            CREATE,
            body::repository(HERE),
        );
        cases.push(draft.focus(rule, operation, body).done());
    }
    cases.push(side_by_side(service));
    cases.push({
        let rule = RuleId::new("UploadLayerPart/uploadId/completed");
        let draft = Draft::new(service, format!("{rule}/next-part"), "a part after the completion")
            .own(&[])
            .chunk("next", SMALL);
        draft.stored().focus(rule, UPLOAD, body::part(HERE, "upload", "next", SMALL, SMALL)).done()
    });
    cases.push({
        let rule = RuleId::new("UploadLayerPart/uploadId/after-rejected");
        let draft = Draft::new(service, format!("{rule}/next-part"), "a part after a rejected completion")
            .own(&[])
            .chunk("next", SMALL)
            .uploaded();
        draft
            .focus_as(
                "wrong",
                RuleId::new("CompleteLayerUpload/layerDigests/match"),
                COMPLETE,
                body::complete(HERE, "upload", &[ABSENT]),
            )
            .focus_as("next-part", rule, UPLOAD, body::part(HERE, "upload", "next", SMALL, SMALL))
            .done()
    });
    cases.push({
        let rule = RuleId::new("CompleteLayerUpload/uploadId/once");
        let draft = Draft::new(service, format!("{rule}/repeated"), "the same completion again").own(&[]).stored();
        draft.focus(rule, COMPLETE, body::complete(HERE, "upload", &[RIGHT])).done()
    });
    cases.push({
        let rule = RuleId::new("CompleteLayerUpload/uploadId/after-rejected");
        let draft = Draft::new(service, format!("{rule}/right-digest"), "the right digest after a wrong one")
            .own(&[])
            .uploaded();
        draft
            .focus_as(
                "wrong",
                RuleId::new("CompleteLayerUpload/layerDigests/match"),
                COMPLETE,
                body::complete(HERE, "upload", &[ABSENT]),
            )
            .focus_as("right", rule, COMPLETE, body::complete(HERE, "upload", &[RIGHT]))
            .done()
    });
    cases
}

/// Two uploads of one repository, part by part in turn.
fn side_by_side(service: Service) -> Case {
    let (upload, complete) = (
        RuleId::new("UploadLayerPart/uploadId/side-by-side"),
        RuleId::new("CompleteLayerUpload/uploadId/side-by-side"),
    );
    Draft::new(service, format!("{upload}/interleaved"), "two uploads, part by part in turn")
        .own(&[])
        .chunk("one", SMALL)
        .chunk("two", SMALL + 1)
        .initiate("first")
        .initiate("second")
        .focus_as("part-one", upload, UPLOAD, body::part(HERE, "first", "one", 0, SMALL))
        .focus_as("part-two", upload, UPLOAD, body::part(HERE, "second", "two", 0, SMALL + 1))
        .focus_as("done-two", complete, COMPLETE, body::complete(HERE, "second", &["${sha256:two}"]))
        .focus_as("done-one", complete, COMPLETE, body::complete(HERE, "first", &["${sha256:one}"]))
        .done()
}

/// How many parts, and how large the inner ones.
fn parts(service: Service) -> Vec<Case> {
    let required = RuleId::new("CompleteLayerUpload/parts/not-empty");
    let small = RuleId::new("CompleteLayerUpload/parts/min-size");
    // With the digest of nothing, so that the missing parts are the only violation.
    let none = Draft::new(service, format!("{required}/digest-of-nothing"), "no parts, and the digest of nothing")
        .initiate("upload")
        .focus(required, COMPLETE, body::complete(HERE, "upload", &[OF_NOTHING]))
        .probe_absent(OF_NOTHING);
    // The parts of a layer in order, completed with the digest of them all.
    let row = |rule: RuleId, variant: &str, title: &str, sizes: &[usize]| {
        let mut draft = Draft::new(service, format!("{small}/{variant}"), title).own(&[]).initiate("upload");
        let mut at = 0;
        let mut names = Vec::new();
        for (index, size) in sizes.iter().enumerate() {
            let name = format!("chunk{}", index + 1);
            draft = draft.chunk(&name, *size).part(&format!("part{}", index + 1), "upload", &name, at);
            at += size;
            names.push(name);
        }
        let digest = format!("${{sha256:{}}}", names.join("+"));
        let draft = draft.focus(rule, COMPLETE, body::complete(HERE, "upload", &[digest.as_str()]));
        if rule == small { draft.probe_absent(&digest).done() } else { draft.done() }
    };
    let accepted = RuleId::new("CompleteLayerUpload/accepted");
    vec![
        none.done(),
        row(small, "first-of-32-bytes", "a first part of 32 bytes", &[SMALL, SMALL]),
        row(small, "first-5242879-bytes", "a first part of 5 MiB less one byte", &[MIB_5 - 1, SMALL]),
        row(small, "middle-5242879-bytes", "a middle part of 5 MiB less one byte", &[MIB_5, MIB_5 - 1, SMALL]),
        row(accepted, "first-5242880-bytes", "a first part of 5 MiB, and a small last one", &[MIB_5, SMALL]),
        row(accepted, "last-1-byte", "a last part of one byte", &[MIB_5, 1]),
        row(accepted, "single-small", "a single part of 33 bytes", &[SMALL + 1]),
        row(accepted, "three-parts", "two parts of 5 MiB and a small one", &[MIB_5, MIB_5, SMALL]),
    ]
}

/// Layers that exist already, or elsewhere.
fn layers(service: Service) -> Vec<Case> {
    let again = |draft: Draft| draft.initiate("again").part("part-again", "again", "layer", 0);
    let new = RuleId::new("CompleteLayerUpload/layer/new");
    let first = RuleId::new("CompleteLayerUpload/layer/digest-first");
    let elsewhere = RuleId::new("CompleteLayerUpload/layer/per-repository");
    let other = "${repository:other}";
    vec![
        again(Draft::new(service, format!("{new}/same-bytes"), "the same bytes again").own(&[]).stored())
            .focus(new, COMPLETE, body::complete(HERE, "again", &[RIGHT]))
            .done(),
        again(
            Draft::new(service, format!("{first}/same-bytes"), "the same bytes again, with a wrong digest")
                .own(&[])
                .stored(),
        )
        .focus(first, COMPLETE, body::complete(HERE, "again", &[ABSENT]))
        .done(),
        Draft::new(service, format!("{elsewhere}/same-bytes"), "the same bytes in another repository")
            .own(&["other"])
            .stored()
            .set_up("again", INITIATE, body::repository(other))
            .set_up("part-again", UPLOAD, body::part(other, "again", "layer", 0, SMALL))
            .focus(elsewhere, COMPLETE, body::complete(other, "again", &[RIGHT]))
            .done(),
    ]
}
