//! What was done so far to repositories, uploads and layers, and so the state that a request meets.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::case::bindings::hex;
use crate::contract::{Effect, OperationSpec};
use crate::generate::expected::NOTATION;

/// What a state is the state of.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Thing {
    /// The repository that a request names.
    Repository,
    /// The upload that it names.
    Upload,
    /// The layers that it names, or the one that it would complete.
    Layer,
}

/// A state of a repository, an upload or a layer, as a request finds it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct State {
    /// Of what.
    pub of: Thing,
    /// Its name.
    pub name: &'static str,
}

impl State {
    const fn of(of: Thing, name: &'static str) -> State {
        State { of, name }
    }
}

impl Thing {
    /// As a reader sees it.
    pub fn word(self) -> &'static str {
        match self {
            Thing::Repository => "repository",
            Thing::Upload => "upload",
            Thing::Layer => "layer",
        }
    }
}

const THERE: State = State::of(Thing::Repository, "there");
const NEVER_MADE: State = State::of(Thing::Repository, "never made");
const DELETED: State = State::of(Thing::Repository, "deleted");
const MADE_AGAIN: State = State::of(Thing::Repository, "made again");

const EMPTY: State = State::of(Thing::Upload, "empty");
const ONE_PART: State = State::of(Thing::Upload, "one part");
const SEVERAL_PARTS: State = State::of(Thing::Upload, "several parts");
const COMPLETION_REJECTED: State = State::of(Thing::Upload, "completion rejected");
const COMPLETED: State = State::of(Thing::Upload, "completed");
const REPOSITORY_DELETED: State = State::of(Thing::Upload, "repository deleted");
const UNKNOWN: State = State::of(Thing::Upload, "unknown");
const OF_ANOTHER_REPOSITORY: State = State::of(Thing::Upload, "of another repository");

const ABSENT: State = State::of(Thing::Layer, "absent");
const INCOMPLETE: State = State::of(Thing::Layer, "incomplete");
const REJECTED: State = State::of(Thing::Layer, "rejected");
const STORED: State = State::of(Thing::Layer, "stored");
const STORED_ELSEWHERE: State = State::of(Thing::Layer, "stored elsewhere");
const LOST: State = State::of(Thing::Layer, "lost with its repository");

/// All of them, from the first to the last in the life of the thing.
pub const STATES: [State; 18] = [
    NEVER_MADE,
    THERE,
    DELETED,
    MADE_AGAIN,
    UNKNOWN,
    OF_ANOTHER_REPOSITORY,
    EMPTY,
    ONE_PART,
    SEVERAL_PARTS,
    COMPLETION_REJECTED,
    COMPLETED,
    REPOSITORY_DELETED,
    ABSENT,
    INCOMPLETE,
    REJECTED,
    STORED,
    STORED_ELSEWHERE,
    LOST,
];

/// The members of a request.
pub type Members = Map<String, Value>;

/// What was done so far.
#[derive(Clone, Debug)]
pub struct Past {
    /// The account whose registry this is, and its alias: of others nothing is known.
    registry: [&'static str; 2],
    repositories: BTreeMap<String, State>,
    uploads: BTreeMap<String, Upload>,
    /// Layers by repository and digest: those that are there, those whose completion was rejected, and those that went
    /// with their repository.
    stored: BTreeSet<(String, String)>,
    rejected: BTreeSet<(String, String)>,
    lost: BTreeSet<(String, String)>,
}

#[derive(Clone, Debug)]
struct Upload {
    repository: String,
    state: State,
    parts: Vec<usize>,
    hash: Sha256,
}

impl Upload {
    fn digest(&self) -> String {
        format!("sha256:{}", hex(&self.hash.clone().finalize()))
    }

    fn is_open(&self) -> bool {
        self.state != COMPLETED && self.state != REPOSITORY_DELETED
    }
}

/// Whether a request of an operation meets things in states.
pub fn names(operation: &OperationSpec, of: Thing) -> bool {
    match of {
        Thing::Repository => operation.input("repositoryName").is_some(),
        Thing::Upload => operation.input("uploadId").is_some(),
        Thing::Layer => operation.input("layerDigest").or(operation.input("layerDigests")).is_some(),
    }
}

impl Past {
    /// Nothing but these repositories, in the registry of this account and alias.
    pub fn new(registry: [&'static str; 2], repositories: impl IntoIterator<Item = String>) -> Past {
        Past {
            registry,
            repositories: repositories.into_iter().map(|name| (name, THERE)).collect(),
            uploads: BTreeMap::new(),
            stored: BTreeSet::new(),
            rejected: BTreeSet::new(),
            lost: BTreeSet::new(),
        }
    }

    /// The states that a request meets: that of its repository, of its upload, and of its layers.
    pub fn met(&self, operation: &OperationSpec, input: &Members) -> Vec<State> {
        if input.get("registryId").and_then(Value::as_str).is_some_and(|named| !self.registry.contains(&named)) {
            return Vec::new();
        }
        let repository = text(input, "repositoryName");
        let mut states = Vec::new();
        if names(operation, Thing::Repository) {
            states.push(self.repositories.get(repository).copied().unwrap_or(NEVER_MADE));
        }
        if names(operation, Thing::Upload) {
            states.extend(self.upload_met(repository, text(input, "uploadId")));
        }
        if names(operation, Thing::Layer) {
            states.extend(self.layers_met(input).iter().map(|digest| self.layer(repository, digest)));
        }
        states.sort_unstable();
        states.dedup();
        states
    }

    /// The sizes of the parts of the upload that a request names, if there is one.
    pub fn parts(&self, input: &Members) -> Option<&[usize]> {
        self.uploads.get(text(input, "uploadId")).map(|upload| upload.parts.as_slice())
    }

    /// Takes note of a request and of what came of it; `None` if it was rejected.
    pub fn learn(&mut self, operation: &OperationSpec, input: &Members, answer: Option<&Value>) {
        let repository = String::from(text(input, "repositoryName"));
        match (operation.name.effect(), answer) {
            (Effect::MakesRepository, Some(_)) => {
                let again = self.repositories.get(&repository) == Some(&DELETED);
                self.repositories.insert(repository, if again { MADE_AGAIN } else { THERE });
            }
            (Effect::RemovesRepository, Some(_)) => self.delete(&repository),
            (Effect::BeginsUpload, Some(answer)) => {
                let id = answer.get("uploadId").and_then(Value::as_str).unwrap_or_default();
                let upload = Upload { repository, state: EMPTY, parts: Vec::new(), hash: Sha256::new() };
                self.uploads.insert(String::from(id), upload);
            }
            (Effect::AddsPart, Some(_)) => {
                if let Some(upload) = self.uploads.get_mut(text(input, "uploadId")) {
                    let size = NOTATION.read(text(input, "layerPartBlob"), |bytes| upload.hash.update(bytes));
                    upload.parts.push(size.unwrap_or_default());
                    upload.state = match upload.state {
                        EMPTY => ONE_PART,
                        ONE_PART => SEVERAL_PARTS,
                        other => other,
                    };
                }
            }
            (Effect::CompletesUpload, answer) => {
                let Some(upload) = self.uploads.get_mut(text(input, "uploadId")) else { return };
                if answer.is_some() {
                    upload.state = COMPLETED;
                    self.stored.insert((repository, upload.digest()));
                } else if matches!(upload.state, ONE_PART | SEVERAL_PARTS) {
                    upload.state = COMPLETION_REJECTED;
                    self.rejected.insert((repository, upload.digest()));
                }
            }
            // That a layer belongs to an image changes nothing for an upload.
            (Effect::Reads | Effect::ReferencesLayers, _)
            | (Effect::MakesRepository | Effect::RemovesRepository | Effect::BeginsUpload | Effect::AddsPart, None) => {
            }
        }
    }

    fn delete(&mut self, repository: &str) {
        self.repositories.insert(String::from(repository), DELETED);
        let uploads = self.uploads.values_mut().filter(|upload| upload.repository == repository);
        uploads.for_each(|upload| upload.state = REPOSITORY_DELETED);
        let (gone, stored) = std::mem::take(&mut self.stored).into_iter().partition(|(of, _)| of == repository);
        self.stored = stored;
        let gone: BTreeSet<(String, String)> = gone;
        self.lost.extend(gone);
        self.rejected.retain(|(of, _)| of != repository);
    }

    /// An id in upper case may be that of an upload or of none: nobody knows.
    fn upload_met(&self, repository: &str, id: &str) -> Option<State> {
        match self.uploads.get(id) {
            Some(upload) if upload.repository != repository => Some(OF_ANOTHER_REPOSITORY),
            Some(upload) => Some(upload.state),
            None => {
                let alike = self.uploads.keys().any(|known| known.eq_ignore_ascii_case(id));
                (!alike).then_some(UNKNOWN)
            }
        }
    }

    /// The digests of the layers that a request is about: of an upload that which it holds, whatever is claimed of it.
    fn layers_met(&self, input: &Members) -> Vec<String> {
        if input.contains_key("uploadId") {
            let upload = self.uploads.get(text(input, "uploadId")).filter(|upload| !upload.parts.is_empty());
            return upload.map(Upload::digest).into_iter().collect();
        }
        let listed = input.get("layerDigests").and_then(Value::as_array).into_iter().flatten();
        let digests = listed.chain(input.get("layerDigest")).filter_map(Value::as_str);
        digests.filter(|digest| digest.starts_with("sha256:")).map(String::from).collect()
    }

    fn layer(&self, repository: &str, digest: &str) -> State {
        let key = (String::from(repository), String::from(digest));
        let is_open = |upload: &Upload| upload.is_open() && !upload.parts.is_empty() && upload.repository == repository;
        if self.stored.contains(&key) {
            STORED
        } else if self.lost.contains(&key) {
            LOST
        } else if self.stored.iter().any(|(_, stored)| stored == digest) {
            STORED_ELSEWHERE
        } else if self.rejected.contains(&key) {
            REJECTED
        } else if self.uploads.values().any(|upload| is_open(upload) && upload.digest() == digest) {
            INCOMPLETE
        } else {
            ABSENT
        }
    }
}

fn text<'a>(input: &'a Members, member: &str) -> &'a str {
    input.get(member).and_then(Value::as_str).unwrap_or_default()
}
