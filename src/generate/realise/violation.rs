//! What is wrong with a call: a violation of the plan, with the names and the numbers of its sequence.

use super::super::values::Violation;
use super::super::violations::{Planned, Stateful, drawn};
use super::unfolding::{Unfolding, reference};
use super::upload::{Subject, Upload};
use crate::case::Decision;
use crate::case::bindings::of_digest;
use crate::case::draft::{NO_UPLOAD, OF_NOTHING};
use crate::contract::{Operation, RuleId};
use crate::model::operation::body::{self, Body};
use crate::model::registry::{ACCOUNT, ALIAS};
use crate::template::{Member, Part, Reference, Template};

impl Unfolding {
    /// What a violation changes, here.
    pub(super) fn violation(
        &self,
        operation: Operation,
        planned: &Planned,
        decision: &Decision,
        subject: &Subject,
        valid: &Body,
    ) -> Option<Violation> {
        let upload = subject.upload.map(|index| self.uploads[index].clone());
        let content = match operation {
            Operation::UploadLayerPart => vec![subject.chunk.clone()],
            _ => upload.as_ref().map(Upload::content).unwrap_or_default(),
        };
        match planned {
            Planned::Value(violation) => {
                let mut violation = (*violation).clone();
                for (_, json) in &mut violation.changes {
                    if let Some(json) = json {
                        *json = self.localised(json, &reference(subject.repository), upload.as_ref(), &content)?;
                    }
                }
                Some(violation)
            }
            Planned::Drawn(member) => drawn(self.case.service, operation, member, &decision.entropy, valid),
            Planned::Stateful(_, stateful) => stateful_violation(operation, *stateful, subject, upload.as_ref()),
        }
    }

    /// A value of the catalogue, which is about `upload` and `layer`, with the names of this sequence.
    fn localised(&self, json: &str, here: &Reference, upload: Option<&Upload>, content: &[String]) -> Option<String> {
        let template = Template::lenient(json);
        let is_of_nothing = content.is_empty();
        let twice = |reference: &Reference| *reference == Reference::sha256("layer+layer");
        if is_of_nothing && template.references().any(twice) {
            return None; // Twice nothing is nothing, and no wrong digest.
        }
        let needs_upload = template.references().any(|reference| reference.of_member().is_some_and(is_upload_id));
        let step = match upload {
            Some(upload) => upload.step.as_str(),
            None if needs_upload => return None,
            None => "",
        };
        let nothing = OF_NOTHING.trim_start_matches("sha256:");
        let changed = template.map(|reference| match reference {
            Reference::Repository(None) => Part::Reference(here.clone()),
            Reference::Registry => Part::text(ACCOUNT),
            Reference::Alias => Part::text(ALIAS),
            of_upload if of_upload.of_member().is_some_and(is_upload_id) => {
                Part::Reference(of_upload.rename(&|_| String::from(step)))
            }
            of_bytes if is_of_nothing && of_bytes.chunks() == ["layer"] => match of_digest(of_bytes, nothing) {
                Some(digest) => Part::text(&digest),
                None => Part::Reference(of_bytes.clone()),
            },
            other => Part::Reference(other.with_chunks(&|chunk| match chunk {
                "layer" => content.to_vec(),
                other => vec![String::from(other)],
            })),
        });
        changed.to_text()
    }
}

fn is_upload_id(of: &Member) -> bool {
    of.step == "upload" && of.member == "uploadId"
}

/// What is wrong with the state that a request is about.
fn stateful_violation(
    operation: Operation,
    stateful: Stateful,
    subject: &Subject,
    upload: Option<&Upload>,
) -> Option<Violation> {
    let change = |rule: &'static str, variant: &str, title: &str, changes: Vec<(&'static str, String)>| {
        Some(Violation {
            rule: Some(RuleId::of(operation, rule)),
            variant: String::from(variant),
            title: String::from(title),
            changes: changes.into_iter().map(|(member, json)| (member, Some(json))).collect(),
        })
    };
    let first = upload.map_or(0, Upload::size);
    let last = (first + subject.len).saturating_sub(1);
    let range = |at: usize| {
        vec![("partFirstByte", at.to_string()), ("partLastByte", (at + subject.len).saturating_sub(1).to_string())]
    };
    let id = |id: &str| vec![("uploadId", body::quote(id))];
    match stateful {
        Stateful::RepositoryAbsent => {
            let absent = vec![("repositoryName", body::quote(&Reference::Absent.written()))];
            change("repositoryName/exists", "unknown", "a repository that nobody made", absent)
        }
        Stateful::UploadUnknown => {
            change("uploadId/exists", "unknown", "an upload id that nobody was given", id(NO_UPLOAD))
        }
        Stateful::OtherRepository => {
            let other = vec![("repositoryName", body::quote(&reference(1 - subject.repository).written()))];
            change("uploadId/exists", "other-repository", "the upload of another repository", other)
        }
        Stateful::UpperCase => {
            let upper = format!("${{upper:{}.uploadId}}", upload?.step);
            change("uploadId/upper-case", "own", "the upload id in upper case", id(&upper))
        }
        // The request itself is about such an upload.
        Stateful::Completed | Stateful::RepositoryDeleted | Stateful::NoParts => None,
        Stateful::Gap if first == 0 => change("partFirstByte/from-zero", "at-1", "a first part at 1", range(1)),
        Stateful::Gap => change("partFirstByte/contiguous", "gap", "a gap of one byte", range(first + 1)),
        Stateful::Overlap => {
            change("partFirstByte/contiguous", "overlap", "an overlap of one byte", range(first.checked_sub(1)?))
        }
        Stateful::FromTheStart => match first {
            0 => None,
            _ => change("partFirstByte/contiguous", "other-bytes-again", "bytes at a place that has some", range(0)),
        },
        Stateful::LastBeforeFirst => {
            let before = vec![("partLastByte", first.checked_sub(1)?.to_string())];
            change("partLastByte/not-before-first", "one-before", "a last byte before the first", before)
        }
        Stateful::RangeLonger => {
            let longer = vec![("partLastByte", (last + 1).to_string())];
            change("layerPartBlob/length", "one-byte-short", "a range one byte longer than the part", longer)
        }
        Stateful::RangeShorter if subject.len > 1 => {
            let shorter = vec![("partLastByte", (last - 1).to_string())];
            change("layerPartBlob/length", "one-byte-over", "a range one byte shorter than the part", shorter)
        }
        Stateful::RangeShorter => None,
        Stateful::NoBytes => {
            let empty = vec![("layerPartBlob", body::quote("")), ("partLastByte", first.to_string())];
            change("layerPartBlob/empty", "one-byte-range", "no bytes for a range of one", empty)
        }
    }
}
