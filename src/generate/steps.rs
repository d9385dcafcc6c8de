//! Calls of one operation that differ from a valid one in one thing each.

use crate::case::draft::{Draft, RIGHT, SMALL};
use crate::case::{Case, StepRole};
use crate::contract::{Operation, RuleId};
use crate::model::operation::body::Body;
use crate::model::operation::{Facts, absent, body};

const COMPLETE: Operation = Operation::CompleteLayerUpload;
const UPLOAD: Operation = Operation::UploadLayerPart;

/// Calls of one operation. Whether an upload survives a rejected completion is not documented: what names the upload
/// rightly is sent for one of its own, and so is what is accepted.
pub(super) struct Steps {
    operation: Operation,
    draft: Draft,
    place: String,
    /// The body of a valid request, where all calls are about the same state.
    body: Option<Body>,
    is_apart: bool,
    is_rejected: bool,
}

impl Steps {
    /// None yet, in a repository.
    pub fn new(operation: Operation, draft: Draft, place: &str) -> Steps {
        Steps { operation, draft, place: String::from(place), body: None, is_apart: false, is_rejected: false }
    }

    /// Each rejected call has an upload of its own: what is wrong with it does not keep a server from finding the upload.
    pub fn apart(self) -> Steps {
        Steps { is_apart: true, ..self }
    }

    /// A call that is rejected, with this change. The change is told which step began the upload.
    pub fn rejected(mut self, variant: &str, rule: RuleId, change: impl FnOnce(Body, &str) -> Body) -> Steps {
        self.is_rejected = true;
        let body = match self.body.take() {
            _ if self.is_apart && self.operation == COMPLETE => {
                return self.with_own_upload(variant, "layer", rule, change);
            }
            Some(body) => body,
            None => {
                let (draft, body) = (Facts::of(self.operation).valid)(self.draft, &self.place);
                self.draft = draft;
                body
            }
        };
        self.draft = self.draft.focus_as(variant, rule, self.operation, change(body.clone(), "upload"));
        self.body = Some(body);
        self
    }

    /// A call that is accepted, with this change.
    pub fn accepted(self, variant: &str, rule: RuleId, change: impl FnOnce(Body, &str) -> Body) -> Steps {
        self.with_own_upload(variant, &format!("layer-{variant}"), rule, change)
    }

    /// A call on an upload of its own, of a chunk.
    fn with_own_upload(
        mut self,
        variant: &str,
        chunk: &str,
        rule: RuleId,
        change: impl FnOnce(Body, &str) -> Body,
    ) -> Steps {
        let (upload, place) = (format!("upload-{variant}"), self.place.as_str());
        let begun = |draft: Draft| match draft.chunk_named(chunk) {
            Some(_) => draft.initiate_in(place, &upload),
            None => draft.chunk(chunk, SMALL).initiate_in(place, &upload),
        };
        let (draft, body) = match self.operation {
            COMPLETE => (
                begun(self.draft).part_in(place, &format!("part-{variant}"), &upload, chunk, 0),
                body::complete(place, &upload, &[format!("${{sha256:{chunk}}}")]),
            ),
            UPLOAD => (begun(self.draft), body::part(place, &upload, chunk, 0, SMALL)),
            operation => (Facts::of(operation).valid)(self.draft, place),
        };
        self.draft = draft.focus_as(variant, rule, self.operation, change(body, &upload));
        self
    }

    /// The case. What was rejected must have stored nothing.
    pub fn done(self) -> Case {
        if self.operation != COMPLETE || !self.is_rejected {
            return self.draft.done();
        }
        let rule = RuleId::new("BatchCheckLayerAvailability/layers/rejected");
        let body = body::check(&self.place, &[RIGHT]);
        self.draft
            .step("probe", Operation::BatchCheckLayerAvailability, body, StepRole::Probe, rule)
            .expecting(absent(RIGHT))
            .done()
    }
}
