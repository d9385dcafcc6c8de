//! How many requests a second the real service takes by default.

use super::{Operation, Service};

/// How many requests of an operation an account may send a second, where a document says so.
///
/// Source: `user-guide:service-quotas`, and the quotas of the public service. Of two editions that differ, the lower one.
pub const fn requests_per_second(service: Service, operation: Operation) -> Option<u32> {
    match (service, operation) {
        (Service::Ecr, Operation::InitiateLayerUpload | Operation::CompleteLayerUpload) => Some(10),
        (Service::Ecr, Operation::UploadLayerPart) => Some(500),
        (Service::Ecr, Operation::BatchCheckLayerAvailability) => Some(200),
        (Service::Ecr, Operation::GetDownloadUrlForLayer) => Some(3000),
        (Service::EcrPublic, Operation::InitiateLayerUpload | Operation::CompleteLayerUpload) => Some(10),
        (Service::EcrPublic, Operation::UploadLayerPart) => Some(260),
        (Service::EcrPublic, Operation::BatchCheckLayerAvailability) => Some(200),
        (_, Operation::PutImage) => Some(10),
        _ => None,
    }
}
