//! Valid requests: what a call sends where nothing is wrong with it.

use super::super::follow::Follower;
use super::unfolding::{Unfolding, reference};
use super::upload::{Subject, rarely};
use crate::case::Decision;
use crate::case::draft::{ABSENT, OF_NOTHING};
use crate::contract::{Operation, RuleId};
use crate::model::operation::body::{self, Body};
use crate::template::{Chunks, Reference};

impl Unfolding {
    /// A valid request about the subject, and the rule that it answers to; `None` where there is nothing that it could be
    /// about.
    pub(super) fn valid(
        &mut self,
        operation: Operation,
        decision: &Decision,
        subject: &Subject,
        follower: &mut Follower,
    ) -> Option<(Body, RuleId)> {
        let here = reference(subject.repository).written();
        let here = here.as_str();
        let upload = subject.upload.map(|index| self.uploads[index].clone());
        let mut accepting = RuleId::of(operation, "accepted");
        let valid = match operation {
            Operation::InitiateLayerUpload => body::repository(here),
            Operation::UploadLayerPart => {
                let upload = upload?;
                self.need(&subject.chunk, subject.len, follower);
                body::part(here, &upload.step, &subject.chunk, upload.size(), subject.len)
            }
            Operation::CompleteLayerUpload => {
                let upload = upload?;
                let right = right(&upload.content());
                let (digests, rule) = digests(&right, &upload.content(), decision.entropy[3]);
                accepting = RuleId::of(operation, rule);
                body::complete(here, &upload.step, &digests)
            }
            Operation::BatchCheckLayerAvailability => body::check(here, &[self.some_layer(decision)]),
            Operation::GetDownloadUrlForLayer => body::url(here, &self.some_layer(decision)),
            // Repositories are managed elsewhere; of images nothing is drawn.
            Operation::CreateRepository
            | Operation::DeleteRepository
            | Operation::DescribeRepositories
            | Operation::PutImage => return None,
        };
        Some((valid, accepting))
    }

    /// The digest of something that was sent, or of nothing anybody has.
    fn some_layer(&self, decision: &Decision) -> String {
        let mut contents: Vec<&Vec<String>> = self.contents.iter().collect();
        contents.reverse();
        rarely(&contents, decision.entropy[1]).map_or_else(|| String::from(ABSENT), |content| right(content))
    }
}

/// The digest of chunks put together.
fn right(content: &[String]) -> String {
    let chunks = Chunks::of(content.iter().cloned());
    chunks.map_or_else(|| String::from(OF_NOTHING), |chunks| Reference::Sha256(chunks).written())
}

/// A list of digests that completes an upload, and the rule by which it does.
fn digests(right: &str, content: &[String], choice: u8) -> (Vec<String>, &'static str) {
    let wrong = |number: usize| format!("sha256:{number:064x}");
    let among = |place: usize, count: usize| {
        (0..count).map(|index| if index == place { String::from(right) } else { wrong(index) }).collect()
    };
    let hex = Chunks::of(content.iter().cloned()).map_or_else(
        || String::from(OF_NOTHING.trim_start_matches("sha256:")),
        |chunks| Reference::Hex { chunks, upper: false }.written(),
    );
    let other = format!("tarsum.v1+sha256:{hex}");
    match choice {
        0..176 => (vec![String::from(right)], "accepted"),
        176..192 => (among(0, 2), "layerDigests/any-match"),
        192..208 => (among(1, 2), "layerDigests/any-match"),
        208..216 => (among(usize::from(choice) % 100, 100), "layerDigests/any-match"),
        216..232 => (vec![String::from(right); 2], "layerDigests/duplicates"),
        232..240 => (vec![String::from(right); 100], "layerDigests/duplicates"),
        240.. => (vec![other], "layerDigests/other-algorithm"),
    }
}
