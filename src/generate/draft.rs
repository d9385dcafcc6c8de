//! Puts a case together, step by step.

use bytes::Bytes;
use serde_json::{Value, json};

use super::body::{self, Body};
use crate::case::{Case, CaseKind, Chunk, Length, Place, Step, StepRole, admitted};
use crate::contract::Service;
use crate::expect::Outcome;
use crate::wire::envelope;

/// A case in the making.
#[derive(Clone, Debug)]
pub struct Draft {
    case: Case,
}

/// The repository of the case.
pub const HERE: &str = "${repository}";

/// The digest of the chunk `layer`.
pub const RIGHT: &str = "${sha256:layer}";

/// A well-formed digest of no bytes that anybody uploads.
pub const ABSENT: &str = "sha256:00000000000000000000000000000000000000000000000000000000000000ff";

/// The sha256 of no bytes.
pub const OF_NOTHING: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// An upload id of the right form that no server gives out.
pub const NO_UPLOAD: &str = "00000000-0000-4000-8000-0000000000ff";

/// Size of a small layer: small enough for any server, and large enough to differ from run to run.
pub const SMALL: usize = 32;

/// What BatchCheckLayerAvailability says of a layer that is not there. The documents name both places: Amazon's own
/// client counts on `layers`, the failure codes speak of `failures`.
pub fn absent(digest: &str) -> Vec<Outcome> {
    let unavailable =
        json!({ "layers": [{ "layerDigest": digest, "layerAvailability": "UNAVAILABLE" }], "failures": [] });
    let missing = json!({ "layers": [], "failures": [{ "layerDigest": digest, "failureCode": "MissingLayerDigest" }] });
    let outcome = |members: Value| Outcome::Success { members: members.as_object().cloned().unwrap_or_default() };
    vec![outcome(unavailable), outcome(missing)]
}

impl Draft {
    /// A case without steps, in a shared repository.
    pub fn new(service: Service, id: impl Into<String>, title: impl Into<String>) -> Draft {
        Draft {
            case: Case {
                id: id.into(),
                kind: CaseKind::Catalogue,
                service,
                title: title.into(),
                about: String::new(),
                place: Place::Shared,
                chunks: Vec::new(),
                steps: Vec::new(),
                last: false,
                rounds: 1,
                plan: None,
            },
        }
    }

    /// Gives the case a repository of its own, and further ones with these names.
    pub fn own(mut self, further: &[&str]) -> Draft {
        self.case.place = Place::Own(further.iter().map(|name| String::from(*name)).collect());
        self
    }

    /// Adds bytes to upload.
    pub fn chunk(mut self, name: &str, len: usize) -> Draft {
        self.case.chunks.push(Chunk::new(name, len));
        self
    }

    /// A valid call that makes the state that the case is about.
    pub fn set_up(self, name: &str, operation: &str, body: Body) -> Draft {
        let rule = match self.case.service.contract().operation(operation) {
            Some(known) if known.role == crate::contract::Role::Layer => format!("{operation}/accepted"),
            _ => format!("survey/{operation}"),
        };
        self.step(name, operation, body, StepRole::SetUp, &rule)
    }

    /// A call that the target may refuse without anything following from it.
    pub fn attempt(self, name: &str, operation: &str, body: Body) -> Draft {
        self.step(name, operation, body, StepRole::Attempt, "survey/plain-upload")
    }

    /// What the case is about.
    pub fn focus(self, rule: &str, operation: &str, body: Body) -> Draft {
        let name = match self.case.steps.iter().filter(|step| step.role == StepRole::Focus).count() {
            0 => String::from("focus"),
            count => format!("focus{}", count + 1),
        };
        self.step(&name, operation, body, StepRole::Focus, rule)
    }

    /// What the case is about, under a name that later steps refer to.
    pub fn focus_as(self, name: &str, rule: &str, operation: &str, body: Body) -> Draft {
        self.step(name, operation, body, StepRole::Focus, rule)
    }

    /// Looks whether the layer is still absent.
    pub fn probe_absent(self, digest: &str) -> Draft {
        let rule = "BatchCheckLayerAvailability/layers/refused";
        let body = body::check(HERE, &[digest]);
        let mut draft = self.step("probe", "BatchCheckLayerAvailability", body, StepRole::Probe, rule);
        if let Some(step) = draft.case.steps.last_mut() {
            step.expect.outcomes = absent(digest);
        }
        draft
    }

    /// InitiateLayerUpload here.
    pub fn initiate(self, name: &str) -> Draft {
        self.set_up(name, "InitiateLayerUpload", body::initiate(HERE))
    }

    /// UploadLayerPart here.
    pub fn part(self, name: &str, upload: &str, chunk: &str, first: usize) -> Draft {
        let len = self.case.chunks.iter().find(|known| known.name == chunk).map(|chunk| chunk.len);
        let Some(Length::Bytes(len)) = len else { panic!("{}: no chunk of fixed length {chunk}", self.case.id) };
        self.set_up(name, "UploadLayerPart", body::part(HERE, upload, chunk, first, len))
    }

    /// CompleteLayerUpload here, with the digest of these chunks.
    pub fn complete(self, name: &str, upload: &str, chunks: &str) -> Draft {
        let digest = format!("${{sha256:{chunks}}}");
        self.set_up(name, "CompleteLayerUpload", body::complete(HERE, upload, &[digest]))
    }

    /// An upload `upload` with the chunk `layer` in place.
    pub fn uploaded(self) -> Draft {
        self.chunk("layer", SMALL).initiate("upload").part("part", "upload", "layer", 0)
    }

    /// The same, completed.
    pub fn stored(self) -> Draft {
        self.uploaded().complete("complete", "upload", "layer")
    }

    /// Changes the request of the last step.
    pub fn request(mut self, change: impl FnOnce(&mut crate::wire::Request)) -> Draft {
        if let Some(step) = self.case.steps.last_mut() {
            change(&mut step.request);
        }
        self
    }

    /// Runs the case after all others.
    pub fn last(mut self) -> Draft {
        self.case.last = true;
        self
    }

    /// The case.
    pub fn done(self) -> Case {
        self.case
    }

    fn step(mut self, name: &str, operation: &str, body: Body, role: StepRole, rule: &str) -> Draft {
        let service = self.case.service;
        let mut expect = admitted(service, rule);
        if role == StepRole::SetUp
            && let Some(known) = service.contract().operation(operation)
        {
            expect.sources = vec![known.page()];
        }
        self.case.steps.push(Step {
            name: String::from(name),
            operation: String::from(operation),
            request: envelope::request(service, operation, Bytes::from(body.to_string())),
            at_once: false,
            role,
            expect,
            beside: Vec::new(),
            precedence: None,
            only_if: Vec::new(),
        });
        self
    }
}
