//! The alias of the caller's own registry in the place of its account id: in the public service, both name one registry.

use crate::case::Case;
use crate::case::draft::{Draft, HERE, RIGHT, SMALL};
use crate::contract::{Operation, RuleId, Service};
use crate::model::operation::{Facts, body};

const INITIATE: Operation = Operation::InitiateLayerUpload;
const UPLOAD: Operation = Operation::UploadLayerPart;
const COMPLETE: Operation = Operation::CompleteLayerUpload;
const CHECK: Operation = Operation::BatchCheckLayerAvailability;

/// How a request names the registry.
#[derive(Clone, Copy)]
enum Registry {
    Alias,
    Account,
    Default,
}

impl Registry {
    /// The body of a request in the registry.
    fn named_in(self, body: body::Body) -> body::Body {
        match self {
            Registry::Alias => body.text("registryId", "${alias}"),
            Registry::Account => body.text("registryId", "${registry}"),
            Registry::Default => body,
        }
    }

    /// The rule that a valid request of an operation answers to.
    fn rule(self, operation: Operation) -> RuleId {
        RuleId::of(
            operation,
            match self {
                Registry::Alias => "registryId/alias",
                Registry::Account => "registryId/own",
                Registry::Default => "accepted",
            },
        )
    }

    /// As ids of cases have it, and as titles do.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Registry::Alias => ("alias", "with the alias"),
            Registry::Account => ("account", "with the account id"),
            Registry::Default => ("default", "without registryId"),
        }
    }
}

/// The cases about the alias. The private service has none.
pub fn cases(service: Service) -> Vec<Case> {
    if service == Service::Ecr {
        return Vec::new();
    }
    let mut cases: Vec<Case> = service.contract().layer_operations().map(|known| named(service, known.name)).collect();
    for later in [Registry::Account, Registry::Default] {
        cases.push(begun_with_alias(service, UPLOAD, later));
        cases.push(begun_with_alias(service, COMPLETE, later));
    }
    cases.push(looked_up(service, Registry::Alias, Registry::Alias));
    for other in [Registry::Account, Registry::Default] {
        cases.push(looked_up(service, Registry::Alias, other));
        cases.push(looked_up(service, other, Registry::Alias));
    }
    cases
}

/// One call with the alias, about what was made without registryId.
fn named(service: Service, operation: Operation) -> Case {
    let rule = Registry::Alias.rule(operation);
    let draft = Draft::new(service, format!("{rule}/named"), "registryId: the alias of the caller's own registry");
    let (draft, body) = (Facts::of(operation).valid)(draft, HERE);
    draft.focus(rule, operation, Registry::Alias.named_in(body)).done()
}

/// A call about an upload that was begun with the alias.
fn begun_with_alias(service: Service, operation: Operation, later: Registry) -> Case {
    let rule = later.rule(operation);
    let title = format!("an upload begun with the alias, and continued {}", later.words().1);
    let draft = Draft::new(service, format!("{rule}/begun-with-alias"), title).chunk("layer", SMALL);
    let draft = draft.set_up("upload", INITIATE, Registry::Alias.named_in(body::repository(HERE)));
    let part = || body::part(HERE, "upload", "layer", 0, SMALL);
    let (draft, body) = match operation {
        COMPLETE => {
            (draft.set_up("part", UPLOAD, Registry::Alias.named_in(part())), body::complete(HERE, "upload", &[RIGHT]))
        }
        _ => (draft, part()),
    };
    draft.focus(rule, operation, later.named_in(body)).done()
}

/// A layer that was uploaded in the registry by one of its names, and is looked up by another.
fn looked_up(service: Service, uploaded: Registry, looked_up: Registry) -> Case {
    let rule = RuleId::of(CHECK, "layers/stored");
    let ((by, title), (of, sought)) = (uploaded.words(), looked_up.words());
    let id = format!("{rule}/uploaded-by-{by}-found-by-{of}");
    let title = format!("a layer uploaded {title}, and looked up {sought}");
    Draft::new(service, id, title)
        .chunk("layer", SMALL)
        .set_up("upload", INITIATE, uploaded.named_in(body::repository(HERE)))
        .set_up("part", UPLOAD, uploaded.named_in(body::part(HERE, "upload", "layer", 0, SMALL)))
        .set_up("complete", COMPLETE, uploaded.named_in(body::complete(HERE, "upload", &[RIGHT])))
        .focus(rule, CHECK, looked_up.named_in(body::check(HERE, &[RIGHT])))
        .done()
}
