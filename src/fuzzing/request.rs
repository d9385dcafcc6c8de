//! A request from bytes: what the reference registry makes of it, and the contract.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::syntax;
use crate::contract::check::check;
use crate::contract::{Operation, OperationSpec, Service};
use crate::model::{Registry, Rejection};
use crate::wire::envelope;

/// A request. The first byte chooses the service, the second the operation, both by their digits `0` to `9`, or what
/// remains of other bytes; the rest is the body. `ecrspec/fuzz` is a repository, with an upload that has a part.
///
/// # Panics
///
/// When the registry panics, or rejects or accepts what plain code does not; when two readers find other breaches.
pub fn request(data: &[u8]) {
    let [service, operation, body @ ..] = data else { return };
    let service = Service::ALL[usize::from(service.wrapping_sub(b'0')) % Service::ALL.len()];
    let operations = service.contract().operations;
    let operation = &operations[usize::from(operation.wrapping_sub(b'0')) % operations.len()];
    let request = envelope::request(service, operation.name, Bytes::copy_from_slice(body));
    assert_eq!(request.operation(), Some(operation.name), "the target names the operation");
    let answer = furnished(service).answer(&request);
    match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(input)) => of_members(operation, &input, &answer),
        _ => {
            let rejected = answer.as_ref().err().map(|rejection| rejection.error.name);
            assert_eq!(rejected, Some("SerializationException"), "what is no JSON object is rejected");
        }
    }
    travels(answer);
}

/// A registry with a repository, and an upload in it.
fn furnished(service: Service) -> Registry {
    let mut registry = Registry::new(service);
    let mut call = |operation: Operation, body: Value| {
        let request = envelope::request(service, operation, Bytes::from(body.to_string()));
        registry.answer(&request).unwrap_or_else(|rejection| panic!("{operation} is rejected: {}", rejection.message))
    };
    call(Operation::CreateRepository, json!({"repositoryName": REPOSITORY}));
    let upload = call(Operation::InitiateLayerUpload, json!({"repositoryName": REPOSITORY}));
    let part = json!({"repositoryName": REPOSITORY, "uploadId": upload["uploadId"], "partFirstByte": 0,
        "partLastByte": 2, "layerPartBlob": "YWJj"});
    call(Operation::UploadLayerPart, part);
    registry
}

const REPOSITORY: &str = "ecrspec/fuzz";

fn of_members(operation: &OperationSpec, input: &Map<String, Value>, answer: &Result<Value, Rejection>) {
    let found: BTreeSet<String> = check(operation, input).into_iter().map(|breach| breach.rule.to_string()).collect();
    let expected = syntax::broken(operation, input);
    assert_eq!(found, expected, "breaches of {} by {input:?}", operation.name);
    // What an edition of the documents allows, the registry allows.
    let broken: Vec<&String> = expected.iter().filter(|rule| !rule.ends_with("editions")).collect();
    match answer {
        Ok(_) => assert!(broken.is_empty(), "{} is accepted in spite of {broken:?}", operation.name),
        Err(Rejection { rule, .. }) if broken.is_empty() => {
            assert!(!expected.contains(&rule.to_string()), "rejected for {rule}")
        }
        Err(Rejection { rule, .. }) => {
            assert!(broken.contains(&&rule.to_string()), "rejected for {rule} and not for {broken:?}")
        }
    }
}

/// An answer of the registry is read from the wire as what it is.
fn travels(answer: Result<Value, Rejection>) {
    match answer {
        Ok(members) => {
            let answer = envelope::response(200, &members);
            assert_eq!(answer.json(), Some(members), "an answer reads back");
            assert_eq!(envelope::error(&answer).name, None, "a success names no error");
        }
        Err(rejection) => {
            let error = envelope::error(&rejection.to_response());
            assert_eq!(error.name.as_deref(), Some(rejection.error.name), "the error type reads back");
            let message = Some(rejection.message).filter(|text| !text.is_empty());
            assert_eq!(error.message, message, "the message reads back");
        }
    }
}
