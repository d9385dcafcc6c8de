//! The reference registry behind HTTP: a server to test clients and the harness against, and, with a fault, one that
//! deviates on purpose.

pub mod fault;

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request as HttpRequest, State};
use axum::http::{Response, StatusCode};
use tokio::net::TcpListener;

use crate::contract::Service;
use crate::model::Registry;
use crate::wire::{Answer, Framing, Request, envelope};

pub use fault::Fault;

/// Larger bodies are answered with 413: the largest part has 28 MB as base64.
const MAX_BODY: usize = 40 << 20;

/// The state of a mock server.
#[derive(Debug)]
pub struct Mock {
    registries: Mutex<Vec<(Service, Registry)>>,
    fault: Option<&'static Fault>,
}

impl Mock {
    /// A mock of these services, empty; with a fault, it deviates in that.
    pub fn new(services: &[Service], fault: Option<&'static Fault>) -> Mock {
        let registries = services.iter().map(|service| (*service, Registry::new(*service))).collect();
        Mock { registries: Mutex::new(registries), fault }
    }

    /// Answers a request.
    pub fn answer(&self, mut request: Request) -> Answer {
        if let Some(fault) = self.fault {
            (fault.before)(&mut request);
        }
        let mut answer = self.truthful(&request);
        if let Some(fault) = self.fault {
            (fault.after)(&request, &mut answer);
        }
        answer
    }

    fn truthful(&self, request: &Request) -> Answer {
        // A panic while the lock was held would be a defect of ours; the state is plain data and stays usable.
        let mut registries = self.registries.lock().unwrap_or_else(PoisonError::into_inner);
        let target = request.header("x-amz-target").unwrap_or_default();
        let meant = registries.iter().position(|(service, _)| target.starts_with(service.contract().target_prefix));
        // Without a known target any registry gives the framework's own answer.
        let Some((_, registry)) = registries.get_mut(meant.unwrap_or_default()) else {
            return Answer { status: 503, headers: Vec::new(), body: bytes::Bytes::new() };
        };
        match registry.answer(request) {
            Ok(members) => envelope::answer(200, &members),
            Err(refusal) => refusal.to_answer(),
        }
    }
}

/// The mock as a service of axum, to serve or to call in process.
pub fn router(mock: Arc<Mock>) -> Router {
    Router::new().fallback(handle).with_state(mock)
}

/// Serves until the listener fails.
///
/// # Errors
///
/// What the listener failed with.
pub async fn serve(listener: TcpListener, mock: Arc<Mock>) -> std::io::Result<()> {
    axum::serve(listener, router(mock)).await
}

async fn handle(State(mock): State<Arc<Mock>>, request: HttpRequest) -> Response<Body> {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return respond(Answer { status: 413, headers: Vec::new(), body: bytes::Bytes::new() });
    };
    let text = |value: &axum::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let request = Request {
        method: head.method.to_string(),
        headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body,
        framing: Framing::Length,
    };
    respond(mock.answer(request))
}

fn respond(answer: Answer) -> Response<Body> {
    let mut response =
        Response::builder().status(StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    for (name, value) in &answer.headers {
        response = response.header(name, value);
    }
    // The real service names each request with a UUID (c7n); here it stands for "some id".
    response = response.header("x-amzn-requestid", "00000000-0000-4000-8000-000000000000");
    response.body(Body::from(answer.body)).unwrap_or_default()
}
