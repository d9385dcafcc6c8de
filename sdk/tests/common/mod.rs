//! Servers for the clients of both services.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::Response;
use ecrspec::contract::{ErrorType, Service};
use ecrspec::mock::{Mock, serve};
use ecrspec::wire::envelope;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;

/// The endpoint of a new reference server.
pub async fn mock(service: Service) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(serve(listener, Arc::new(Mock::new(&[service]))));
    endpoint
}

/// The endpoint of a server that answers this error to everything.
pub async fn answering(error: &'static ErrorType) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(move || async move {
        let answer = envelope::error_response(error, "as it is documented", Value::Null);
        let mut response = Response::builder().status(answer.status);
        for (name, value) in answer.headers {
            response = response.header(name, value);
        }
        response.body(Body::from(answer.body)).unwrap()
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    endpoint
}

/// The digest of a layer.
pub fn digest(layer: &[u8]) -> String {
    let digits: String = Sha256::digest(layer).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
}

/// Bytes that are no other layer's.
pub fn layer(seed: u8, len: usize) -> Vec<u8> {
    (0..len).map(|place| (place as u8).wrapping_mul(31).wrapping_add((place >> 8) as u8) ^ seed).collect()
}
