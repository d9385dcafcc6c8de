//! The operations that are covered, as a type: who adds one is led by the compiler to all that depends on which it is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use strum::VariantArray;

/// An operation of either service. Which service has it, and with which members, says [`super::Contract::operation`].
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, VariantArray)]
#[non_exhaustive]
pub enum Operation {
    /// Begins an upload.
    InitiateLayerUpload,
    /// Adds a part to an upload.
    UploadLayerPart,
    /// Ends an upload: its parts become a layer.
    CompleteLayerUpload,
    /// Tells which of some layers a repository has.
    BatchCheckLayerAvailability,
    /// Gives the address of a layer that an image refers to.
    GetDownloadUrlForLayer,
    /// Ends a push: an image refers to layers from then on.
    PutImage,
    /// Makes a repository.
    CreateRepository,
    /// Removes a repository with all that is in it.
    DeleteRepository,
    /// Lists repositories.
    DescribeRepositories,
}

/// What an operation is to the gate.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Part of the layer-upload API: every rule is tested.
    Layer,
    /// What comes after an upload: tested as far as it tells what an upload is worth. A target may lack it.
    Image,
    /// Used to make and remove repositories.
    SetUp,
}

/// What an operation does to the state of a registry when it succeeds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Effect {
    /// Nothing: it only looks.
    Reads,
    /// There is one upload more.
    BeginsUpload,
    /// An upload has one part more.
    AddsPart,
    /// An upload becomes a layer.
    CompletesUpload,
    /// Layers belong to an image.
    ReferencesLayers,
    /// There is one repository more.
    MakesRepository,
    /// A repository is gone, with its uploads and layers.
    RemovesRepository,
}

impl Operation {
    /// All operations, in the order of an upload; set-up operations last.
    pub const ALL: &[Operation] = <Operation as VariantArray>::VARIANTS;

    /// Its name, as it stands in `X-Amz-Target` after the dot.
    pub const fn name(self) -> &'static str {
        match self {
            Operation::InitiateLayerUpload => "InitiateLayerUpload",
            Operation::UploadLayerPart => "UploadLayerPart",
            Operation::CompleteLayerUpload => "CompleteLayerUpload",
            Operation::BatchCheckLayerAvailability => "BatchCheckLayerAvailability",
            Operation::GetDownloadUrlForLayer => "GetDownloadUrlForLayer",
            Operation::PutImage => "PutImage",
            Operation::CreateRepository => "CreateRepository",
            Operation::DeleteRepository => "DeleteRepository",
            Operation::DescribeRepositories => "DescribeRepositories",
        }
    }

    /// Whether the gate judges it, or only uses it to set up and clean up.
    pub fn role(self) -> Role {
        match self {
            Operation::InitiateLayerUpload
            | Operation::UploadLayerPart
            | Operation::CompleteLayerUpload
            | Operation::BatchCheckLayerAvailability
            | Operation::GetDownloadUrlForLayer => Role::Layer,
            Operation::PutImage => Role::Image,
            Operation::CreateRepository | Operation::DeleteRepository | Operation::DescribeRepositories => Role::SetUp,
        }
    }

    /// What it does when it succeeds.
    pub fn effect(self) -> Effect {
        match self {
            Operation::InitiateLayerUpload => Effect::BeginsUpload,
            Operation::UploadLayerPart => Effect::AddsPart,
            Operation::CompleteLayerUpload => Effect::CompletesUpload,
            Operation::BatchCheckLayerAvailability
            | Operation::GetDownloadUrlForLayer
            | Operation::DescribeRepositories => Effect::Reads,
            Operation::PutImage => Effect::ReferencesLayers,
            Operation::CreateRepository => Effect::MakesRepository,
            Operation::DeleteRepository => Effect::RemovesRepository,
        }
    }

    /// Whether it makes or removes repositories.
    pub fn manages_repositories(self) -> bool {
        matches!(self.effect(), Effect::MakesRepository | Effect::RemovesRepository)
    }

    /// Whether uploads may have ended by it, whatever was answered.
    pub fn may_end_uploads(self) -> bool {
        matches!(self.effect(), Effect::CompletesUpload | Effect::RemovesRepository)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// No operation has this name.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected the name of an operation ({names}), found {found:?}", names = names())]
pub struct UnknownOperation {
    /// The name that was given.
    pub found: String,
}

fn names() -> String {
    Operation::ALL.iter().map(|operation| operation.name()).collect::<Vec<_>>().join(", ")
}

impl FromStr for Operation {
    type Err = UnknownOperation;

    fn from_str(name: &str) -> Result<Operation, UnknownOperation> {
        let known = Operation::ALL.iter().copied().find(|operation| operation.name() == name);
        known.ok_or_else(|| UnknownOperation { found: String::from(name) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for &operation in Operation::ALL {
            assert_eq!(operation.to_string().parse(), Ok(operation));
            assert_eq!(serde_json::to_value(operation).unwrap(), operation.name());
        }
        assert!("putimage".parse::<Operation>().unwrap_err().to_string().ends_with("found \"putimage\""));
    }
}
