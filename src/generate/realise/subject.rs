//! What a call is about: which upload, which repository, which bytes.

use super::super::violations::Stateful;
use super::unfolding::Unfolding;
use super::upload::{Life, Subject, Upload, rarely};
use crate::case::draft::SMALL;
use crate::case::{Chunk, Decision};
use crate::contract::Operation;
use crate::model::registry::MIN_INNER_PART;

impl Unfolding {
    /// What the valid request is about.
    pub(super) fn subject(&self, operation: Operation, decision: &Decision) -> Subject {
        let [_, which, size, _, reuse, ..] = decision.entropy;
        let mut subject = Subject { upload: None, repository: 0, chunk: String::new(), len: 0 };
        match operation {
            Operation::UploadLayerPart | Operation::CompleteLayerUpload => {
                let mut open: Vec<usize> =
                    (0..self.uploads.len()).filter(|index| self.uploads[*index].is_open()).collect();
                open.reverse(); // The youngest is the plainest.
                match operation {
                    // One without parts is chosen by a violation alone.
                    Operation::CompleteLayerUpload => {
                        open.retain(|index| self.uploads[*index].has_parts());
                        open.sort_by_key(|index| self.uploads[*index].is_too_small());
                    }
                    // A second part makes the first one too small.
                    _ => open.sort_by_key(|index| self.uploads[*index].has_parts()),
                }
                subject.upload = rarely(&open, which).copied();
                subject.repository = subject.upload.map_or(0, |index| self.uploads[index].repository);
            }
            _ => subject.repository = self.choose_repository(decision, |exists| exists).unwrap_or_default(),
        }
        if operation == Operation::UploadLayerPart {
            let chunks = || self.case.chunks.iter().filter(|chunk| chunk.name != "other");
            // The bytes of a layer that is there already, sooner than any others.
            let mut again: Vec<&Chunk> = chunks().collect();
            again.sort_by_key(|chunk| !self.is_layer(subject.repository, &chunk.name));
            subject.len = length(size);
            subject.chunk = format!("layer{}", again.len() + 1);
            if let Some(known) = rarely(&again, reuse.saturating_sub(96)).filter(|_| reuse >= 96) {
                subject.chunk.clone_from(&known.name);
                subject.len = known.bytes();
            }
        }
        subject
    }

    /// Whether a chunk by itself is a layer of a repository.
    fn is_layer(&self, repository: usize, chunk: &str) -> bool {
        let mut completed = self.uploads.iter().filter(|upload| upload.life == Life::Completed);
        completed.any(|upload| upload.repository == repository && upload.content() == [chunk])
    }

    /// Turns the subject to another upload, where that is what is wrong; whether there is one.
    pub(super) fn retarget(
        &self,
        operation: Operation,
        stateful: &Stateful,
        decision: &Decision,
        subject: &mut Subject,
    ) -> bool {
        let others = self.others(operation, stateful);
        let Some(index) = rarely(&others, decision.entropy[1]).copied() else { return false };
        subject.upload = Some(index);
        subject.repository = self.uploads[index].repository;
        true
    }

    /// The uploads of which that is true, the youngest first.
    pub(super) fn others(&self, operation: Operation, stateful: &Stateful) -> Vec<usize> {
        let is_meant = |upload: &Upload| match stateful {
            Stateful::Completed => upload.life == Life::Completed,
            // A completion of nothing is wrong in another way.
            Stateful::RepositoryDeleted => {
                upload.life == Life::RepositoryDeleted
                    && (operation != Operation::CompleteLayerUpload || !upload.parts.is_empty())
            }
            Stateful::NoParts => upload.is_open() && upload.parts.is_empty(),
            _ => false,
        };
        (0..self.uploads.len()).rev().filter(|index| is_meant(&self.uploads[*index])).collect()
    }
}

/// Number of bytes of a part: mostly few, and now and then about as many as an inner part must have.
fn length(choice: u8) -> usize {
    match choice {
        0..64 => SMALL,
        64..252 => 1 + usize::from(choice) % 100,
        252..254 => MIN_INNER_PART,
        254 => MIN_INNER_PART - 1,
        255 => MIN_INNER_PART + 1,
    }
}
