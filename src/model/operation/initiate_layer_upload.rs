//! InitiateLayerUpload: begins an upload in a repository.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Facts, Members, body, nothing};
use crate::case::bindings::hex;
use crate::case::draft::{Draft, HERE};
use crate::contract::Operation;
use crate::model::registry::{PART_SIZE, Upload};
use crate::model::{Registry, Rejection};

pub(super) static FACTS: Facts = Facts {
    step: "upload",
    plain: "a plain request",
    answers_to: None,
    valid: |draft, repository| (draft, body::repository(repository)),
    rejections,
    perform,
    pins: nothing,
};

impl Draft {
    /// InitiateLayerUpload here.
    pub fn initiate(self, name: &str) -> Draft {
        self.initiate_in(HERE, name)
    }

    /// InitiateLayerUpload in a repository.
    pub fn initiate_in(self, repository: &str, name: &str) -> Draft {
        self.set_up(name, Operation::InitiateLayerUpload, body::repository(repository))
    }
}

fn rejections(registry: &Registry, input: &Members) -> Vec<Rejection> {
    registry.named_repository(Operation::InitiateLayerUpload, input).err().into_iter().collect()
}

fn perform(registry: &mut Registry, input: &Members) -> Value {
    registry.uploads_made += 1;
    let id = upload_id(registry.uploads_made);
    registry.repository_mut(input).uploads.insert(id.clone(), Upload::default());
    json!({ "uploadId": id, "partSize": PART_SIZE })
}

/// A UUID that looks random and is not.
fn upload_id(number: u64) -> String {
    let digest = hex(&Sha256::digest(number.to_le_bytes()));
    format!("{}-{}-4{}-8{}-{}", &digest[..8], &digest[8..12], &digest[13..16], &digest[17..20], &digest[20..32])
}
