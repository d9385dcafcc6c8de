//! UploadLayerPart: adds bytes to the end of an upload.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::input::{number, repository, text, upload};
use super::{Facts, Members, with_registry};
use crate::case::Length;
use crate::case::body::Body;
use crate::case::draft::{Draft, HERE, SMALL};
use crate::contract::blob::Notation;
use crate::contract::{Operation, RuleId};
use crate::model::registry::Upload;
use crate::model::{Registry, Rejection};

pub(super) static FACTS: Facts = Facts {
    step: "part",
    plain: "a plain request",
    answers_to: None,
    valid: |draft, repository| {
        let draft = draft.chunk("layer", SMALL).initiate_in(repository, "upload");
        (draft, body(repository, "upload", "layer", 0, SMALL))
    },
    rejections,
    perform,
    pins: |rule, answer| with_registry(rule, "lastByteReceived", answer),
};

/// UploadLayerPart of a chunk of `len` bytes at a position.
pub fn body(repository: &str, upload: &str, chunk: &str, first: usize, len: usize) -> Body {
    Body::default()
        .text("repositoryName", repository)
        .text("uploadId", &format!("${{{upload}.uploadId}}"))
        .set("partFirstByte", first.to_string())
        .set("partLastByte", (first + len).saturating_sub(1).to_string())
        .text("layerPartBlob", &format!("${{base64:{chunk}}}"))
}

impl Draft {
    /// UploadLayerPart here.
    ///
    /// # Panics
    ///
    /// When the case has no chunk of this name and of a fixed length.
    pub fn part(self, name: &str, upload: &str, chunk: &str, first: usize) -> Draft {
        self.part_in(HERE, name, upload, chunk, first)
    }

    /// UploadLayerPart in a repository.
    ///
    /// # Panics
    ///
    /// As [`Draft::part`].
    pub fn part_in(self, repository: &str, name: &str, upload: &str, chunk: &str, first: usize) -> Draft {
        let len = match self.chunk_named(chunk) {
            Some(chunk) if chunk.len != Length::PartSize => chunk.bytes(),
            _ => panic!("no chunk of fixed length {chunk}"),
        };
        self.set_up(name, Operation::UploadLayerPart, body(repository, upload, chunk, first, len))
    }
}

fn rejections(registry: &Registry, input: &Members) -> Vec<Rejection> {
    let known = match registry.named_upload(Operation::UploadLayerPart, input) {
        Ok((_, known)) => known,
        Err(rejection) => return vec![rejection],
    };
    let mut rejections = Vec::new();
    let (first, last) = (number(input, "partFirstByte"), number(input, "partLastByte"));
    let received = known.size();
    let length = registry.notation.known_size(text(input, "layerPartBlob"));
    let mut reject = |rule: &'static str, message: String| {
        let mut rejection = Rejection::of(registry.service, RuleId::of(Operation::UploadLayerPart, rule), message);
        rejection.members = json!({
            "registryId": registry.account,
            "repositoryName": repository(input),
            "uploadId": upload(input),
            "lastValidByteReceived": received.saturating_sub(1),
        });
        rejections.push(rejection);
    };
    if first != received as i64 {
        let rule = if known.parts.is_empty() { "partFirstByte/from-zero" } else { "partFirstByte/contiguous" };
        reject(rule, format!("First byte of the layer part is {first} instead of {received}"));
    }
    if last < first {
        let message = format!("Last byte of the layer part is {last}, before its first, {first}");
        reject("partLastByte/not-before-first", message);
    }
    if length == 0 {
        reject("layerPartBlob/empty", String::from("The layer part is empty"));
    }
    if last.checked_sub(first).and_then(|span| span.checked_add(1)) != Some(length as i64) {
        let message = format!("The layer part has {length} bytes instead of those from {first} to {last}");
        reject("layerPartBlob/length", message);
    }
    rejections
}

fn perform(registry: &mut Registry, input: &Members) -> Value {
    let notation = registry.notation;
    let grown = Grown::of(registry.repository_mut(input).uploads.entry(String::from(upload(input))).or_default());
    let grown = grown.with(notation, input);
    registry.grow(input, grown)
}

/// What an upload holds with one more part: 20 MiB are hashed while the registry answers others.
pub(crate) struct Grown {
    /// How many parts there were before.
    before: usize,
    size: usize,
    hash: Sha256,
}

impl Grown {
    fn of(upload: &Upload) -> Grown {
        Grown { before: upload.parts.len(), size: 0, hash: upload.hash.clone() }
    }

    /// With the part of a request.
    pub(crate) fn with(mut self, notation: Notation, input: &Members) -> Grown {
        let mut hash = self.hash.clone();
        // What is no base64 comes here only where a fault lets it through, as a part without bytes.
        if let Some(size) = notation.read(text(input, "layerPartBlob"), |bytes| hash.update(bytes)) {
            (self.size, self.hash) = (size, hash);
        }
        self
    }
}

impl Registry {
    /// What the upload holds that a request is to add a large part to: [`Registry::grow`] takes it with that part.
    #[cfg(feature = "mock")]
    pub(crate) fn about_to_grow(&self, operation: Operation, input: &Members) -> Option<Grown> {
        let is_large = operation == Operation::UploadLayerPart && text(input, "layerPartBlob").len() >= LARGE;
        let (_, known) = self.named_upload(operation, input).ok().filter(|_| is_large)?;
        Some(Grown::of(known))
    }

    /// Adds a part that [`Registry::rejections`] has nothing against. `grown` is hashed anew where the upload has grown
    /// otherwise by now.
    pub(crate) fn grow(&mut self, input: &Members, grown: Grown) -> Value {
        let notation = self.notation;
        let known = self.repository_mut(input).uploads.entry(String::from(upload(input))).or_default();
        let grown = if known.parts.len() == grown.before { grown } else { Grown::of(known).with(notation, input) };
        known.parts.push(grown.size);
        known.hash = grown.hash;
        json!({
            "registryId": self.account,
            "repositoryName": repository(input),
            "uploadId": upload(input),
            "lastByteReceived": number(input, "partLastByte"),
        })
    }
}

/// How long the text of a part is that takes noticeable time to hash.
#[cfg(feature = "mock")]
const LARGE: usize = 64 << 10;
