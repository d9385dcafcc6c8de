//! What ends an upload, and what does not.

use super::super::Change::{EditRejections, Execute};
use super::super::change::{again, rejection};
use super::Variant;
use crate::contract::check::check;
use crate::contract::{Operation, RuleId};

pub(super) static VARIANTS: &[Variant] = &[
    Variant {
        name: "upload-ends-when-rejected",
        sentence: "a rejected CompleteLayerUpload ends the upload",
        changes: &[EditRejections(|call, wrong| {
            let of_state = wrong.iter().all(|rejection| {
                !check(call.operation, &call.input).iter().any(|breach| breach.rule == rejection.rule)
            });
            if call.is(Operation::CompleteLayerUpload) && !wrong.is_empty() && of_state {
                let (repository, id) = call.key();
                call.registry.forget(&repository, &id);
            }
        })],
        withholds: false,
    },
    Variant {
        name: "twenty-parts-an-upload",
        sentence: "an upload has at most 20 parts: more are rejected with LimitExceededException",
        changes: &[EditRejections(|call, wrong| {
            let full = call.upload().is_some_and(|upload| upload.parts.len() >= 20);
            if call.is(Operation::UploadLayerPart) && wrong.is_empty() && full {
                wrong.push(rejection("LimitExceededException", RuleId::new("UploadLayerPart/accepted")));
            }
        })],
        withholds: false,
    },
    Variant {
        name: "repeated-completion-finds-layer",
        sentence: "a repeated CompleteLayerUpload finds the layer",
        changes: &[EditRejections(|call, wrong| {
            // Digests are compared before the layer is looked up.
            let Some((layer, _)) = call.memory.completed.get(&call.key()) else { return };
            let matches = |digest: &&str| digest.eq_ignore_ascii_case(layer) || !digest.starts_with("sha256:");
            if call.digests().iter().any(matches) {
                again(call, wrong, "LayerAlreadyExistsException");
            }
        })],
        withholds: false,
    },
    Variant {
        name: "same-layer-ends-uploads",
        sentence: "a completed layer ends the other uploads of the same bytes",
        changes: &[Execute(|call| {
            let digest = call.computed().filter(|_| call.is(Operation::CompleteLayerUpload))?;
            let members = call.perform();
            let (repository, _) = call.key();
            call.registry
                .repositories
                .get_mut(&repository)?
                .uploads
                .retain(|_, upload| upload.parts.is_empty() || upload.digest() != digest);
            Some(members)
        })],
        withholds: false,
    },
    Variant {
        name: "completed-upload-takes-parts",
        sentence: "a completed upload accepts parts, and forgets them",
        changes: &[
            EditRejections(|call, wrong| {
                if call.is(Operation::UploadLayerPart) && call.memory.completed.contains_key(&call.key()) {
                    wrong.retain(|rejection| rejection.rule != RuleId::new("UploadLayerPart/uploadId/exists"));
                }
            }),
            Execute(|call| {
                (call.is(Operation::UploadLayerPart)
                    && call.memory.completed.contains_key(&call.key())
                    && call.upload().is_none())
                .then(|| call.part_taken())
            }),
        ],
        withholds: false,
    },
    Variant {
        name: "uploads-survive-deletion",
        sentence: "a repository that is made again has the uploads of the deleted one",
        changes: &[Execute(|call| {
            let (name, _) = call.key();
            let uploads = call
                .memory
                .removed
                .get(&name)
                .filter(|_| call.operation.name == Operation::CreateRepository)?
                .uploads
                .clone();
            let members = call.perform();
            call.registry.repositories.get_mut(&name)?.uploads = uploads;
            Some(members)
        })],
        withholds: false,
    },
];
