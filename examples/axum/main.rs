//! An axum service, and the suite in its tests, in process: `cargo test --example axum`. It does one operation; what it does
//! wrong on purpose is in `known.toml` beside it, with a reason.
//!
//! As a program, it serves the operation on a port: `cargo run --example axum`.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::post};
use serde_json::{Value, json};

/// The names of the repositories.
type Repositories = Arc<Mutex<HashSet<String>>>;

/// An error type, with a message.
struct Error(&'static str, &'static str);

const INVALID: fn(&'static str) -> Error = |message| Error("InvalidParameterException", message);

fn router() -> Router {
    Router::new().route("/", post(answer)).with_state(Repositories::default())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 5000)).await?;
    println!("http://{}", listener.local_addr()?);
    axum::serve(listener, router()).await
}

async fn answer(State(repositories): State<Repositories>, headers: HeaderMap, body: Bytes) -> Response {
    let (status, body) = match call(&repositories, &headers, &body) {
        Ok(answer) => (StatusCode::OK, answer),
        Err(Error(name, message)) => (StatusCode::BAD_REQUEST, json!({ "__type": name, "message": message })),
    };
    let headers = [(header::CONTENT_TYPE, "application/x-amz-json-1.1"), (REQUEST_ID, "6f1e4d9c")];
    (status, headers, body.to_string()).into_response()
}

const REQUEST_ID: header::HeaderName = header::HeaderName::from_static("x-amzn-requestid");

fn call(repositories: &Repositories, headers: &HeaderMap, body: &[u8]) -> Result<Value, Error> {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let operation = target.strip_prefix("AmazonEC2ContainerRegistry_V20150921.").unwrap_or_default();
    let body: Value = serde_json::from_slice(body).map_err(|_| Error("SerializationException", "no JSON"))?;
    let name = || repository_name(&body["repositoryName"]);
    let mut repositories = repositories.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    match operation {
        "CreateRepository" => {
            let name = name()?;
            let described = json!({ "repository": { "repositoryName": name, "registryId": "123456789012" } });
            repositories.insert(name).then_some(described).ok_or(Error("RepositoryAlreadyExistsException", "it exists"))
        }
        "DeleteRepository" => repositories.take(&name()?).map(|_| json!({})).ok_or(NOT_FOUND),
        "InitiateLayerUpload" => {
            // There is one account: nobody looks at registryId.
            let name = name()?;
            let upload = json!({ "uploadId": "2f7f7a5e-64ec-4b0e-9b4c-8d9b1a9d9a6b", "partSize": 10 << 20 });
            repositories.contains(&name).then_some(upload).ok_or(NOT_FOUND)
        }
        _ => Err(Error("UnknownOperationException", "not yet")),
    }
}

const NOT_FOUND: Error = Error("RepositoryNotFoundException", "no such repository");

/// `[a-z0-9]+` with single separators between, in segments with `/` between: 2 to 256 characters.
fn repository_name(value: &Value) -> Result<String, Error> {
    let name = match value {
        Value::Null => return Err(INVALID("repositoryName is required")),
        Value::String(name) => name,
        _ => return Err(Error("SerializationException", "repositoryName is no string")),
    };
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9'));
    let is_named = name.split('/').all(|segment| segment.split(['.', '_', '-']).all(is_word));
    match (2..=256).contains(&name.len()) && is_named {
        true => Ok(name.clone()),
        false => Err(INVALID("repositoryName")),
    }
}

#[cfg(test)]
mod tests {
    use ecrspec::contract::Service;
    use ecrspec::testing::{Conformance, Failure};

    use super::router;

    #[test]
    fn initiate_layer_upload_conforms() -> Result<(), Failure> {
        Conformance::new(router())
            .services([Service::Ecr])
            .filter("InitiateLayerUpload/")
            .random(0) // They call operations that are not there yet.
            .known("examples/axum/known.toml")
            .check()
    }
}
