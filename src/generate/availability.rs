//! What BatchCheckLayerAvailability and GetDownloadUrlForLayer say of layers.

use crate::case::Case;
use crate::case::draft::{ABSENT, Draft, HERE, RIGHT};
use crate::contract::{Operation, RuleId, Service};
use crate::model::operation::body;

const CHECK: Operation = Operation::BatchCheckLayerAvailability;
const URL: Operation = Operation::GetDownloadUrlForLayer;

/// The cases about seeing layers.
pub fn cases(service: Service) -> Vec<Case> {
    let case = |what: &'static str, variant: &str, title: &str| {
        let rule = RuleId::of(CHECK, what);
        (Draft::new(service, format!("{rule}/{variant}"), title).own(&["other"]), rule)
    };
    let look = |(draft, rule): (Draft, RuleId), repository: &str, digest: &str| {
        draft.focus(rule, CHECK, body::check(repository, &[digest])).done()
    };
    let after = |(draft, rule): (Draft, RuleId), state: fn(Draft) -> Draft| (state(draft), rule);

    let stored = after(case("layers/stored", "completed", "a completed layer"), Draft::stored);
    let incomplete = after(case("layers/incomplete", "part-only", "a layer whose parts are there"), Draft::uploaded);
    let elsewhere =
        after(case("layers/per-repository", "other-repository", "a layer of another repository"), Draft::stored);
    let gone = after(
        case("layers/deleted-repository", "made-again", "a layer of the repository that had the name before"),
        |draft| {
            draft
                .stored()
                .set_up("delete", Operation::DeleteRepository, body::repository(HERE).set("force", "true"))
                .set_up("create", Operation::CreateRepository, body::repository(HERE))
        },
    );
    let rejected = after(case("layers/rejected", "wrong-digest", "a layer whose digest was wrong"), |draft| {
        let rule = RuleId::new("CompleteLayerUpload/layerDigests/match");
        let wrong = body::complete(HERE, "upload", &[ABSENT]);
        draft.uploaded().focus_as("wrong", rule, Operation::CompleteLayerUpload, wrong)
    });
    let mut cases = vec![
        look(stored, HERE, RIGHT),
        look(case("layers/absent", "never-uploaded", "a layer that was never uploaded"), HERE, ABSENT),
        look(incomplete, HERE, RIGHT),
        look(rejected, HERE, RIGHT),
        look(elsewhere, "${repository:other}", RIGHT),
        look(gone, HERE, RIGHT),
    ];
    if service == Service::Ecr {
        let exists = RuleId::of(URL, "layerDigest/exists");
        let unreferenced = RuleId::of(URL, "layer/unreferenced");
        cases.push(
            Draft::new(service, format!("{exists}/absent"), "a layer that does not exist")
                .focus(exists, URL, body::url(HERE, ABSENT))
                .done(),
        );
        let stored =
            Draft::new(service, format!("{unreferenced}/completed"), "a completed layer of no image").own(&[]).stored();
        cases.push(stored.focus(unreferenced, URL, body::url(HERE, RIGHT)).done());
    }
    cases
}
