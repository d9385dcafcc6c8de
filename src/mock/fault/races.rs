//! What shows only where calls are under way at once.

use super::super::Change::Races;
use super::super::race::Race;
use super::{Fault, fault};

pub(super) static FAULTS: &[Fault] = &[
    fault(
        "race-completed-twice",
        "completions of one upload that are under way at once all succeed",
        "CompleteLayerUpload/uploadId/once",
        &[Races(Race::CompletedTwice)],
    ),
    fault(
        "race-layer-after-deletion",
        "a completion makes the repository again that was deleted while it was under way",
        "BatchCheckLayerAvailability/repositoryName/exists",
        &[Races(Race::LayerAfterDeletion)],
    ),
    fault(
        "race-part-forgotten",
        "a completion that is refused as empty forgets the parts that were accepted while it was under way",
        "CompleteLayerUpload/accepted",
        &[Races(Race::PartForgotten)],
    ),
    fault(
        "race-part-twice",
        "parts for one position that are under way at once are all accepted",
        "UploadLayerPart/partFirstByte/contiguous",
        &[Races(Race::PartTwice)],
    ),
    fault(
        "race-shared-id",
        "uploads that are begun at once are given one id",
        "InitiateLayerUpload/uploadId/own",
        &[Races(Race::SharedId)],
    ),
];
