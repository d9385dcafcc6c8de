//! Faults that show only where calls are under way at once: the mock looks at a request, does something else for a
//! while, and then does what was asked without looking again.

use std::time::Duration;

use serde_json::{Map, Value};

use super::Mock;
use crate::contract::{Operation, OperationSpec, RuleId, Service};
use crate::model::Registry;
use crate::wire::{Reply, Request, Response, envelope};

/// What goes wrong between looking at a request and doing what it asks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Race {
    /// Completions of one upload that are under way at once all succeed.
    CompletedTwice,
    /// Parts for one position that are under way at once are all accepted.
    PartTwice,
    /// A completion that is rejected since the upload is empty puts it back as it found it, without the parts that were
    /// accepted meanwhile.
    PartForgotten,
    /// A completion makes the repository again that was deleted meanwhile.
    LayerAfterDeletion,
    /// Uploads that are begun at once are given one id.
    SharedId,
}

/// How long a request is under way between looking and doing.
const WHILE: Duration = Duration::from_millis(10);

type Members = Map<String, Value>;

impl Race {
    fn operation(self) -> Operation {
        match self {
            Race::CompletedTwice | Race::PartForgotten | Race::LayerAfterDeletion => Operation::CompleteLayerUpload,
            Race::PartTwice => Operation::UploadLayerPart,
            Race::SharedId => Operation::InitiateLayerUpload,
        }
    }

    /// Answers a request as the mock does, but for this.
    pub(super) async fn answer(self, mock: &Mock, request: Request) -> Reply {
        let Some((service, operation, input)) = self.meant(&request) else { return mock.answer(request) };
        let Some(found) = mock.with_registry(service, |registry| registry.clone()) else { return mock.answer(request) };
        tokio::time::sleep(WHILE).await;
        let answered = mock.with_registry(service, |registry| self.unlooked(registry, found, operation, &input));
        answered.flatten().map_or_else(|| mock.answer(request), Ok)
    }

    /// The request as one of the operation that the fault is about.
    fn meant(self, request: &Request) -> Option<(Service, &'static OperationSpec, Members)> {
        let target = request.header("x-amz-target")?;
        let is_meant = |service: &Service| target.starts_with(service.contract().target_prefix);
        let service = Service::ALL.into_iter().find(is_meant)?;
        let operation = service.contract().operation(request.operation()?)?;
        let input = serde_json::from_slice(&request.body).ok()?;
        (operation.name == self.operation()).then_some((service, operation, input))
    }

    /// Does what was asked after what was found a while ago, if that is what this fault is about.
    fn unlooked(
        self,
        registry: &mut Registry,
        mut found: Registry,
        operation: &OperationSpec,
        input: &Members,
    ) -> Option<Response> {
        let (name, upload) = (text(input, "repositoryName"), text(input, "uploadId"));
        let is_open = |registry: &Registry| registry.uploads(name).iter().any(|(id, _)| id == upload);
        if let Some(rejection) = found.rejections(operation, input).into_iter().next() {
            let forgets =
                self == Race::PartForgotten && rejection.rule == RuleId::new("CompleteLayerUpload/parts/not-empty");
            return forgets.then(|| {
                put_back(registry, &found, name, upload);
                rejection.to_response()
            });
        }
        match self {
            // Its layer is stored already, by the one that came first.
            Race::CompletedTwice if registry.has_repository(name) && !is_open(registry) => {}
            Race::LayerAfterDeletion if !registry.has_repository(name) => {
                registry.perform(operation.name, input);
            }
            Race::PartTwice | Race::SharedId => {
                registry.perform(operation.name, input);
            }
            Race::CompletedTwice | Race::LayerAfterDeletion | Race::PartForgotten => return None,
        }
        Some(envelope::response(200, &found.perform(operation.name, input)))
    }
}

/// Sets an upload that is still open back to what it was.
fn put_back(registry: &mut Registry, found: &Registry, repository: &str, upload: &str) {
    let before = found.repositories.get(repository).and_then(|repository| repository.uploads.get(upload));
    let now = registry.repositories.get_mut(repository).and_then(|repository| repository.uploads.get_mut(upload));
    if let (Some(now), Some(before)) = (now, before) {
        now.clone_from(before);
    }
}

fn text<'a>(input: &'a Members, member: &str) -> &'a str {
    input.get(member).and_then(Value::as_str).unwrap_or_default()
}
