//! What shows only where calls are under way at once.

use super::super::Change::Races;
use super::super::race::Race;
use super::Fault;
use crate::contract::RuleId;

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "race-completed-twice",
        sentence: "concurrent completions of one upload all succeed",
        rule: RuleId::new("CompleteLayerUpload/uploadId/once"),
        changes: &[Races(Race::CompletedTwice)],
    },
    Fault {
        name: "race-layer-after-deletion",
        sentence: "a completion recreates a repository that was deleted concurrently",
        rule: RuleId::new("BatchCheckLayerAvailability/repositoryName/exists"),
        changes: &[Races(Race::LayerAfterDeletion)],
    },
    Fault {
        name: "race-part-forgotten",
        sentence: "a completion that is rejected as empty drops parts that were accepted concurrently",
        rule: RuleId::new("CompleteLayerUpload/accepted"),
        changes: &[Races(Race::PartForgotten)],
    },
    Fault {
        name: "race-part-twice",
        sentence: "concurrent parts for one position are all accepted",
        rule: RuleId::new("UploadLayerPart/partFirstByte/contiguous"),
        changes: &[Races(Race::PartTwice)],
    },
    Fault {
        name: "race-shared-id",
        sentence: "concurrent InitiateLayerUpload calls get the same uploadId",
        rule: RuleId::new("InitiateLayerUpload/uploadId/own"),
        changes: &[Races(Race::SharedId)],
    },
];
