//! What shows only where calls are under way at once.

use super::super::Change::Races;
use super::super::race::Race;
use super::Fault;

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "race-completed-twice",
        sentence: "completions of one upload that are under way at once all succeed",
        rule: "CompleteLayerUpload/uploadId/once",
        changes: &[Races(Race::CompletedTwice)],
    },
    Fault {
        name: "race-layer-after-deletion",
        sentence: "a completion makes the repository again that was deleted while it was under way",
        rule: "BatchCheckLayerAvailability/repositoryName/exists",
        changes: &[Races(Race::LayerAfterDeletion)],
    },
    Fault {
        name: "race-part-forgotten",
        sentence: "a completion that is refused as empty forgets the parts that were accepted while it was under way",
        rule: "CompleteLayerUpload/accepted",
        changes: &[Races(Race::PartForgotten)],
    },
    Fault {
        name: "race-part-twice",
        sentence: "parts for one position that are under way at once are all accepted",
        rule: "UploadLayerPart/partFirstByte/contiguous",
        changes: &[Races(Race::PartTwice)],
    },
    Fault {
        name: "race-shared-id",
        sentence: "uploads that are begun at once are given one id",
        rule: "InitiateLayerUpload/uploadId/own",
        changes: &[Races(Race::SharedId)],
    },
];
