//! How the mock is told to behave otherwise than the reference registry: a change for each seam of a call, so that a fault
//! or a variant is a row of data.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::race::Race;
use crate::contract::check::long;
use crate::contract::{Operation, OperationSpec, RuleId, RulePattern};
use crate::model::Rejection;
use crate::model::operation::{blob_of, blob_size};
use crate::model::registry::{Registry, Repository, Upload};
use crate::wire::{Reply, Request, Response};

/// One change of what the mock does, at one stage of a call: from the request as it comes in to the response as it goes
/// out.
///
/// A rule is named by its id; `*` in the place of the operation stands for every operation.
#[derive(Debug)]
#[non_exhaustive]
pub enum Change {
    /// Starts from another state.
    InitialState(fn(&mut Registry)),
    /// Changes the request before it is read.
    RewriteRequest(fn(&mut Request)),
    /// Sends a response before anything is checked, and does nothing.
    ShortCircuit(fn(&Request, &Memory) -> Option<Reply>),
    /// Changes the members of the request before they are checked.
    RewriteInput(fn(&mut Call)),
    /// Does not check a rule.
    SkipRule(RulePattern),
    /// Does not check a rule where the member that it is about has such a value.
    AcceptIf(RulePattern, fn(&Value) -> bool),
    /// Rejects a request that is valid, where the member that the rule is about has such a value.
    RejectIf(RulePattern, fn(&Value) -> bool),
    /// Changes what was found wrong with a request.
    EditRejections(fn(&mut Call, &mut Vec<Rejection>)),
    /// Reports the breach of a rule with another error type.
    ErrorAs(RulePattern, &'static str),
    /// Does something else; `None` leaves it to the registry.
    Execute(fn(&mut Call) -> Option<Value>),
    /// Changes the response. Without one, the connection is dropped, or stays silent.
    RewriteReply(fn(&Request, &mut Memory, &mut Reply)),
    /// Waits before it reads a request.
    Delay(fn(&Request) -> Duration),
    /// Lets time pass between checking a request and doing what it asks for.
    Races(Race),
}

/// What the mock remembers besides the state of the registry, which forgets an upload when it ends.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// Requests so far.
    pub requests: u64,
    /// Uploads that were completed, by repository and id, with their layer and its size.
    pub completed: BTreeMap<(String, String), (String, usize)>,
    /// Uploads that ended otherwise.
    pub ended: BTreeSet<(String, String)>,
    /// Answers that a fault keeps, under names of its own.
    pub said: BTreeMap<String, Response>,
    /// Repositories as they were when they were deleted, by name.
    pub removed: BTreeMap<String, Repository>,
    /// Uploads in the order in which they were begun, by repository and id; those that have ended too.
    pub begun: Vec<(String, String)>,
    /// The bytes of parts, by repository and id of their upload, where a change keeps them.
    pub bytes: BTreeMap<(String, String), Vec<Vec<u8>>>,
    /// How often something was asked for.
    pub asked: BTreeMap<String, u32>,
}

/// A call under way: its members can be read.
#[derive(Debug)]
pub struct Call<'a> {
    /// The state of the service.
    pub registry: &'a mut Registry,
    /// What is remembered besides it.
    pub memory: &'a mut Memory,
    /// What is asked for.
    pub operation: &'static OperationSpec,
    /// The members of the request.
    pub input: Map<String, Value>,
}

impl Memory {
    /// Whether something is asked for for the first few times.
    pub fn is_early(&mut self, what: String) -> bool {
        let asked = self.asked.entry(what).or_default();
        *asked += 1;
        *asked <= EARLY
    }
}

/// So often what shows late is asked for in vain.
const EARLY: u32 = 3;

impl Call<'_> {
    /// Whether this operation is asked for.
    pub fn is(&self, operation: Operation) -> bool {
        self.operation.name == operation
    }

    /// A member, if it is a text.
    pub fn text(&self, member: &str) -> &str {
        self.input.get(member).and_then(Value::as_str).unwrap_or_default()
    }

    /// A member, if it is a whole number, in whatever notation.
    pub fn number(&self, member: &str) -> i64 {
        self.input.get(member).and_then(long).unwrap_or_default()
    }

    /// How many bytes the part has by its positions.
    pub fn span(&self) -> i64 {
        self.number("partLastByte").saturating_sub(self.number("partFirstByte")).saturating_add(1)
    }

    /// How many bytes to make for a part that has none that can be read. The positions are the client's, and may name
    /// more than there is memory for.
    pub fn made_size(&self) -> usize {
        usize::try_from(self.span()).unwrap_or_default().min(1 << 20)
    }

    /// The last position of the part by its bytes.
    pub fn last_by_size(&self) -> i64 {
        self.number("partFirstByte").saturating_add(self.blob_size() as i64 - 1)
    }

    /// The items of `layerDigests` that are texts.
    pub fn digests(&self) -> Vec<&str> {
        self.input
            .get("layerDigests")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    }

    /// The bytes of the part.
    pub fn blob(&self) -> Vec<u8> {
        blob_of(&self.input)
    }

    /// How many bytes the part has.
    pub fn blob_size(&self) -> usize {
        blob_size(&self.input)
    }

    /// The upload that is named, by repository and id.
    pub fn key(&self) -> (String, String) {
        (String::from(self.text("repositoryName")), String::from(self.text("uploadId")))
    }

    /// The upload that is named, if it is open.
    pub fn upload(&mut self) -> Option<&mut Upload> {
        let (repository, id) = self.key();
        self.registry.repositories.get_mut(&repository)?.uploads.get_mut(&id)
    }

    /// The digest of the upload that is named, if it is open.
    pub fn computed(&mut self) -> Option<String> {
        self.upload().map(|upload| upload.digest())
    }

    /// The repository that has the upload of this id.
    pub fn repository_of_upload(&self) -> Option<String> {
        let id = self.text("uploadId");
        let mut all = self.registry.repositories.iter();
        all.find(|(_, repository)| repository.uploads.contains_key(id)).map(|(name, _)| name.clone())
    }

    /// What UploadLayerPart answers when it has taken a part.
    pub fn part_taken(&self) -> Value {
        json!({
            "registryId": self.registry.account,
            "repositoryName": self.text("repositoryName"),
            "uploadId": self.text("uploadId"),
            "lastByteReceived": self.number("partLastByte"),
        })
    }

    /// Lets the registry do it.
    pub fn perform(&mut self) -> Value {
        self.registry.perform(self.operation.name, &self.input)
    }
}

impl Change {
    /// Changes what was found wrong with the members of a call, or with what they name.
    pub(super) fn filter_rejections(&self, call: &Call, wrong: &mut Vec<Rejection>) {
        match self {
            Change::SkipRule(rule) => wrong.retain(|rejection| !rule.matches(rejection.rule)),
            Change::AcceptIf(rule, allows) => {
                let value = call.input.get(rule.subject()).unwrap_or(&Value::Null);
                wrong.retain(|rejection| !rule.matches(rejection.rule) || !allows(value));
            }
            _ => {}
        }
    }

    /// Finds something wrong with members that are right.
    pub(super) fn add_rejections(&self, call: &Call, wrong: &mut Vec<Rejection>) {
        let Change::RejectIf(rule, rejects) = self else { return };
        let (member, here) = (rule.subject(), rule.at(call.operation.name));
        let concerned = here.operation() == Some(call.operation.name) && call.operation.input(member).is_some();
        let value = call.input.get(member).unwrap_or(&Value::Null);
        if concerned && rejects(value) {
            wrong.push(invalid_parameter(here));
        }
    }
}

/// Rejects with another error that a completed upload is completed again.
pub(super) fn again(call: &Call, wrong: &mut [Rejection], error: &str) {
    let completed = call.is(Operation::CompleteLayerUpload) && call.memory.completed.contains_key(&call.key());
    for rejected in wrong.iter_mut().filter(|rejection| completed && rejection.rule.is("uploadId/exists")) {
        *rejected = rejection(error, RuleId::new("CompleteLayerUpload/uploadId/once"));
    }
}

/// A rejection as a parameter.
pub(super) fn invalid_parameter(rule: RuleId) -> Rejection {
    rejection("InvalidParameterException", rule)
}

/// A rejection with an error that the documents have.
pub(super) fn rejection(error: &str, rule: RuleId) -> Rejection {
    Rejection::named(error, rule, String::from("rejected"))
}
