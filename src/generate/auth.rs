//! How requests are signed: each signature on InitiateLayerUpload, which needs no state, and some on the calls that send
//! what matters.

use crate::case::Case;
use crate::case::draft::{Draft, HERE};
use crate::contract::{Operation, Service};
use crate::model::operation::Facts;
use crate::wire::Signature;

/// The cases about signatures.
pub fn cases(service: Service) -> Vec<Case> {
    let first = Signature::ALL.iter().map(|signature| case(service, *signature, Operation::InitiateLayerUpload, ""));
    let on_others = [Signature::Absent, Signature::OtherSecret, Signature::OtherBody, Signature::OtherBodyHashed];
    let others = on_others.into_iter().flat_map(|signature| {
        [(Operation::UploadLayerPart, "-part"), (Operation::CompleteLayerUpload, "-completion")]
            .map(|(operation, on)| case(service, signature, operation, on))
    });
    first.chain(others).collect()
}

/// A valid call that is signed so.
fn case(service: Service, signature: Signature, operation: Operation, on: &str) -> Case {
    let id = format!("{}/{}{on}", signature.rule(), signature.name());
    let (draft, body) = (Facts::of(operation).valid)(Draft::new(service, id, signature.words()), HERE);
    draft.focus(signature.rule(), operation, body).request(|request| request.signature = signature).done()
}
