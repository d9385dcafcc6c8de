//! The operations that are covered, as a type: who adds one is led by the compiler to all that depends on which it is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An operation of either service. Which service has it, and with which members, says [`super::Contract::operation`].
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
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
    /// Used to make and remove repositories.
    SetUp,
}

impl Operation {
    /// All operations, in the order of an upload; set-up operations last.
    pub const ALL: [Operation; 8] = [
        Operation::InitiateLayerUpload,
        Operation::UploadLayerPart,
        Operation::CompleteLayerUpload,
        Operation::BatchCheckLayerAvailability,
        Operation::GetDownloadUrlForLayer,
        Operation::CreateRepository,
        Operation::DeleteRepository,
        Operation::DescribeRepositories,
    ];

    /// Its name, as it stands in `X-Amz-Target` after the dot.
    pub fn name(self) -> &'static str {
        match self {
            Operation::InitiateLayerUpload => "InitiateLayerUpload",
            Operation::UploadLayerPart => "UploadLayerPart",
            Operation::CompleteLayerUpload => "CompleteLayerUpload",
            Operation::BatchCheckLayerAvailability => "BatchCheckLayerAvailability",
            Operation::GetDownloadUrlForLayer => "GetDownloadUrlForLayer",
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
            Operation::CreateRepository | Operation::DeleteRepository | Operation::DescribeRepositories => Role::SetUp,
        }
    }

    /// Whether it leaves everything as it was.
    pub fn is_read_only(self) -> bool {
        match self {
            Operation::BatchCheckLayerAvailability
            | Operation::GetDownloadUrlForLayer
            | Operation::DescribeRepositories => true,
            Operation::InitiateLayerUpload
            | Operation::UploadLayerPart
            | Operation::CompleteLayerUpload
            | Operation::CreateRepository
            | Operation::DeleteRepository => false,
        }
    }

    /// Whether it makes or removes repositories.
    pub fn manages_repositories(self) -> bool {
        match self {
            Operation::CreateRepository | Operation::DeleteRepository => true,
            Operation::InitiateLayerUpload
            | Operation::UploadLayerPart
            | Operation::CompleteLayerUpload
            | Operation::BatchCheckLayerAvailability
            | Operation::GetDownloadUrlForLayer
            | Operation::DescribeRepositories => false,
        }
    }

    /// Whether uploads may have ended by it, whatever was answered.
    pub fn may_end_uploads(self) -> bool {
        match self {
            Operation::CompleteLayerUpload | Operation::DeleteRepository => true,
            Operation::InitiateLayerUpload
            | Operation::UploadLayerPart
            | Operation::BatchCheckLayerAvailability
            | Operation::GetDownloadUrlForLayer
            | Operation::CreateRepository
            | Operation::DescribeRepositories => false,
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// No operation has this name.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected the name of an operation ({names}), found {found:?}", names = Operation::ALL.map(Operation::name).join(", "))]
pub struct UnknownOperation {
    /// The name that was given.
    pub found: String,
}

impl FromStr for Operation {
    type Err = UnknownOperation;

    fn from_str(name: &str) -> Result<Operation, UnknownOperation> {
        let known = Operation::ALL.into_iter().find(|operation| operation.name() == name);
        known.ok_or_else(|| UnknownOperation { found: String::from(name) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for operation in Operation::ALL {
            assert_eq!(operation.to_string().parse(), Ok(operation));
            assert_eq!(serde_json::to_value(operation).unwrap(), operation.name());
        }
        assert!("putImage".parse::<Operation>().unwrap_err().to_string().ends_with("found \"putImage\""));
    }
}
