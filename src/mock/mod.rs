//! The reference registry behind HTTP: a server to test clients and the harness against, and, with changes, one that
//! behaves otherwise on purpose: in a fault that must be found, or in a variant that must not.
//!
//! # A registry for the test of a client
//!
//! ```
//! use std::sync::Arc;
//!
//! use ecrspec::contract::Service;
//! use ecrspec::mock::{self, Mock};
//! use tokio::net::TcpListener;
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! // Under #[tokio::test]:
//! let listener = TcpListener::bind("127.0.0.1:0").await?;
//! let endpoint = format!("http://{}", listener.local_addr()?);
//! tokio::spawn(mock::serve(listener, Arc::new(Mock::new(&[Service::Ecr]))));
//! // Now your client, with this endpoint.
//! # assert!(tokio::net::TcpStream::connect(endpoint.trim_start_matches("http://")).await.is_ok());
//! # std::io::Result::Ok(())
//! # })?;
//! # std::io::Result::Ok(())
//! ```
//!
//! # With a fault
//!
//! What does the client do where a registry is not as it should be? `ecrspec mock --fault list` has the names.
//!
//! ```
//! use std::sync::Arc;
//!
//! use axum::body::Body;
//! use axum::http::{Request, StatusCode};
//! use ecrspec::contract::Service;
//! use ecrspec::mock::{Fault, Mock, router};
//! use tower::ServiceExt as _;
//!
//! let request = || {
//!     Request::post("/")
//!         .header("Content-Type", "application/x-amz-json-1.1")
//!         .header("X-Amz-Target", "AmazonEC2ContainerRegistry_V20150921.InitiateLayerUpload")
//!         .body(Body::from(r#"{"repositoryName": "team/absent"}"#))
//!         .unwrap()
//! };
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let sound = Mock::new(&[Service::Ecr]);
//! let fault = Fault::find("errors-as-404").unwrap();
//! let faulty = Mock::with(&[Service::Ecr], fault.changes);
//! // In process; `mock::serve` does it over a socket.
//! let answer = router(Arc::new(sound)).oneshot(request()).await.unwrap();
//! assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
//! let answer = router(Arc::new(faulty)).oneshot(request()).await.unwrap();
//! assert_eq!(answer.status(), StatusCode::NOT_FOUND);
//! # });
//! # std::io::Result::Ok(())
//! ```

pub mod change;
pub mod fault;
mod guard;
pub mod race;
mod reply;
mod signature;
mod variant;

use std::convert::Infallible;
use std::fmt::Debug;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request as HttpRequest, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use axum::response::Response as HttpResponse;
use axum::serve::Listener;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::contract::{Effect, ErrorType, RuleId, Service};
use crate::model::{Registry, Rejection};
use crate::wire::{Framing, Reply, Request, Response, Signature, TransportError, envelope, room_for};

use change::{Call, Memory};
use guard::{Guarded, Place, Room};
use signature::Verifier;

pub use change::Change;
pub use fault::Fault;
pub use signature::{Keys, NoKeys};
pub use variant::Variant;

/// Larger bodies are answered with 413: the largest part has 28 MB as base64.
const MAX_BODY: usize = 40 << 20;

/// How long a body may take.
const BODY: Duration = Duration::from_secs(60);

/// The real service names each request with a UUID (`cloud-custodian/cloud-custodian:tests`); here it stands for "some
/// id".
const REQUEST_ID: &str = "00000000-0000-4000-8000-000000000000";

/// The state of a mock server.
#[derive(Debug)]
pub struct Mock {
    services: Mutex<Vec<(Registry, Memory)>>,
    changes: Vec<&'static Change>,
    /// What signatures are held against, if they are looked at.
    verifier: Option<Verifier>,
}

/// The region of a mock that is given no other.
pub const REGION: &str = "us-east-1";

impl Mock {
    /// A mock of these services, empty, that does as the reference registry does.
    pub fn new(services: &[Service]) -> Mock {
        Mock::with(services, [])
    }

    /// A mock with these changes.
    pub fn with(services: &[Service], changes: impl IntoIterator<Item = &'static Change>) -> Mock {
        let changes: Vec<&Change> = changes.into_iter().collect();
        let begin = |service: &Service| {
            let mut registry = Registry::new(*service);
            for change in &changes {
                if let Change::InitialState(begins) = change {
                    begins(&mut registry);
                }
            }
            (registry, Memory::default())
        };
        Mock { services: Mutex::new(services.iter().map(begin).collect()), changes, verifier: None }
    }

    /// The same mock, which accepts only what is signed with these keys for this region.
    pub fn requiring(self, keys: Keys, region: &str) -> Mock {
        Mock { verifier: Some(Verifier { keys, region: String::from(region) }), ..self }
    }

    /// Answers a request, without waiting. Signatures are looked at behind HTTP alone.
    pub fn answer(&self, request: Request) -> Reply {
        self.answer_signed(request, &[])
    }

    /// Answers a request whose signature is wrong in these ways.
    fn answer_signed(&self, mut request: Request, refused: &[Rejection]) -> Reply {
        for change in &self.changes {
            if let Change::RewriteRequest(reads) = change {
                reads(&mut request);
            }
        }
        // A panic while the lock was held would be a defect of ours; the state is plain data and stays usable.
        let mut services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        let target = request.header("x-amz-target").unwrap_or_default();
        let is_meant =
            |(registry, _): &(Registry, Memory)| target.starts_with(registry.service.contract().target_prefix);
        // Without a known target any registry gives the framework's own answer.
        let meant = services.iter().position(is_meant).unwrap_or_default();
        let Some((registry, memory)) = services.get_mut(meant) else { return Err(TransportError::Dropped) };
        memory.requests += 1;
        let intercepted = self.changes.iter().find_map(|change| match change {
            Change::ShortCircuit(intercepts) => intercepts(&request, memory),
            _ => None,
        });
        if let Some(reply) = intercepted {
            return reply;
        }
        let mut reply = Ok(match self.call(registry, memory, &mut request, refused) {
            Ok(members) => envelope::response(200, &members),
            Err(rejection) => self.named(&rejection),
        });
        if let Ok(answer) = &mut reply {
            answer.headers.push((String::from("x-amzn-requestid"), String::from(REQUEST_ID)));
        }
        for change in &self.changes {
            if let Change::RewriteReply(says) = change {
                says(&request, memory, &mut reply);
            }
        }
        reply
    }

    /// The same for requests that may be under way at once: a fault of such calls takes its time.
    pub async fn answer_at_once(&self, request: Request) -> Reply {
        self.answer_signed_at_once(request, &[]).await
    }

    async fn answer_signed_at_once(&self, request: Request, refused: &[Rejection]) -> Reply {
        let race = self.changes.iter().find_map(|change| match change {
            Change::Races(race) => Some(race),
            _ => None,
        });
        match race {
            Some(race) if refused.is_empty() => race.answer(self, request).await,
            _ => self.answer_signed(request, refused),
        }
    }

    /// Does something with the registry of a service; `None` if there is no such service.
    fn with_registry<T>(&self, service: Service, work: impl FnOnce(&mut Registry) -> T) -> Option<T> {
        let mut services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        services.iter_mut().find(|(known, _)| known.service == service).map(|(registry, _)| work(registry))
    }

    /// What a call comes to: the members of a success, or why it is rejected.
    fn call(
        &self,
        registry: &mut Registry,
        memory: &mut Memory,
        request: &mut Request,
        refused: &[Rejection],
    ) -> Result<Value, Rejection> {
        let operation = match registry.route(request) {
            Err(rejection) if self.ignores(rejection.rule) => {
                let named = request.operation().and_then(|name| registry.service.contract().operation(name));
                named.ok_or(rejection)?
            }
            routed => routed?,
        };
        if let Some(rejection) = refused.iter().find(|rejection| !self.ignores(rejection.rule)) {
            return Err(rejection.clone());
        }
        // Some changes look at the body once more.
        let input = if self.changes.is_empty() { registry.take(request)? } else { registry.read(request)? };
        let mut call = Call { registry, memory, operation, input };
        for change in &self.changes {
            if let Change::RewriteInput(takes) = change {
                takes(&mut call);
            }
        }
        if let Some(rejection) = self.wrong(&mut call).into_iter().next() {
            return Err(rejection);
        }
        // Only changes look back: without them, a mock that serves for days would grow for days.
        let remembers = !self.changes.is_empty();
        let (name, _) = call.key();
        let is_removal = remembers && operation.name.effect() == Effect::RemovesRepository;
        if let Some(removed) = call.registry.repositories.get(&name).filter(|_| is_removal) {
            call.memory.removed.insert(name, removed.clone());
        }
        let performed = self.changes.iter().find_map(|change| match change {
            Change::Execute(performs) => performs(&mut call),
            _ => None,
        });
        let layer = call.computed().zip(call.upload().map(|upload| upload.size()));
        let members = performed.unwrap_or_else(|| call.perform());
        if let Some(layer) = layer.filter(|_| remembers && operation.name.effect() == Effect::CompletesUpload) {
            let key = call.key();
            call.memory.completed.insert(key, layer);
        }
        if remembers
            && operation.name.effect() == Effect::BeginsUpload
            && let Some(id) = members["uploadId"].as_str()
        {
            call.memory.begun.push((String::from(call.text("repositoryName")), String::from(id)));
        }
        Ok(members)
    }

    /// What is wrong with a call: with its members, or else with what they name.
    fn wrong(&self, call: &mut Call) -> Vec<Rejection> {
        let sift = |call: &Call, mut wrong: Vec<Rejection>| {
            self.changes.iter().for_each(|change| change.filter_rejections(call, &mut wrong));
            wrong
        };
        let mut wrong = sift(call, call.registry.syntax(call.operation, &call.input));
        self.changes.iter().for_each(|change| change.add_rejections(call, &mut wrong));
        if wrong.is_empty() {
            wrong = sift(call, call.registry.standing(call.operation.name, &call.input));
        }
        for change in &self.changes {
            if let Change::EditRejections(finds) = change {
                finds(call, &mut wrong);
            }
        }
        wrong
    }

    fn ignores(&self, rule: RuleId) -> bool {
        self.changes.iter().any(|change| matches!(change, Change::SkipRule(named) if named.matches(rule)))
    }

    /// A rejection with the error type that the mock has for it.
    fn named(&self, rejection: &Rejection) -> Response {
        let other = self.changes.iter().find_map(|change| match change {
            Change::ErrorAs(rule, error) if rule.matches(rejection.rule) => Some(*error),
            _ => None,
        });
        match other {
            None => rejection.to_response(),
            Some(name) => {
                let status = ErrorType::find(name).map_or(400, |error| error.statuses[0]);
                envelope::response(status, &json!({ "__type": name, "message": rejection.message }))
            }
        }
    }

    /// What is wrong with the signature of a request, if that is looked at and it names a service of the mock.
    fn refused(&self, request: &Request, uri: &Uri) -> Vec<Rejection> {
        let Some(verifier) = &self.verifier else { return Vec::new() };
        let target = request.header("x-amz-target").unwrap_or_default();
        let services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        let mut services = services.iter().map(|(registry, _)| registry.service);
        let service = services.find(|service| target.starts_with(service.contract().target_prefix));
        service.map_or_else(Vec::new, |service| verifier.wrong(service, request, uri, Timestamp::now()))
    }

    /// How long the mock waits before it looks at a request.
    fn delay(&self, request: &Request) -> Duration {
        let delay = |change: &&Change| match change {
            Change::Delay(waits) => waits(request),
            _ => Duration::ZERO,
        };
        self.changes.iter().map(delay).sum()
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
pub async fn serve<L>(listener: L, mock: Arc<Mock>) -> std::io::Result<()>
where
    L: Listener,
    L::Addr: Debug,
{
    let served = Served { mock, room: Room::default() };
    axum::serve(Guarded::new(listener), Router::new().fallback(handle_in_time).with_state(served)).await
}

async fn handle(State(mock): State<Arc<Mock>>, request: HttpRequest) -> HttpResponse {
    let (head, body) = request.into_parts();
    let body = whole(body, MAX_BODY, None).await;
    answered(&mock, head, body).await
}

/// A mock behind a network, and the room that the bodies of all its clients have together.
#[derive(Clone)]
struct Served {
    mock: Arc<Mock>,
    room: Room,
}

/// The same, for whoever serves over a network: a body has its time and its room. Needs the timers of tokio.
async fn handle_in_time(State(Served { mock, room }): State<Served>, request: HttpRequest) -> HttpResponse {
    let (head, body) = request.into_parts();
    match timeout(BODY, whole(body, MAX_BODY, Some(&room))).await {
        Ok(body) => answered(&mock, head, body).await,
        Err(_) => bare(408),
    }
}

fn bare(status: u16) -> HttpResponse {
    respond(Response { status, headers: Vec::new(), body: Bytes::new(), flaw: None })
}

async fn answered(mock: &Mock, head: Parts, body: Option<Held>) -> HttpResponse {
    let Some(Held { bytes: body, place }) = body else { return bare(413) };
    let text = |value: &axum::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let mut headers: Vec<_> = head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    // RFC 9113, 8.3.1: HTTP/2 has it in the target, and who signs it means the same.
    if let Some(host) = head.uri.authority().filter(|_| !head.headers.contains_key(axum::http::header::HOST)) {
        headers.push((String::from("host"), host.to_string()));
    }
    let request = Request {
        method: head.method.to_string(),
        headers,
        body,
        framing: Framing::Length,
        signature: Signature::Valid,
    };
    let delay = mock.delay(&request);
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let refused = mock.refused(&request, &head.uri);
    let reply = mock.answer_signed_at_once(request, &refused).await;
    // Some faults answer late, or never: the body is no more by then.
    drop(place);
    match reply {
        Ok(answer) => respond(answer),
        Err(TransportError::Silent) => std::future::pending().await,
        // Whoever serves the connection drops it. It is no panic, and nobody is told of one.
        Err(_) => std::panic::resume_unwind(Box::new("the mock drops the connection")),
    }
}

/// A body, and its place among those that are held at once.
struct Held {
    bytes: Bytes,
    place: Option<Place>,
}

/// A body as a whole, which is copied once at most; `None` if it does not come to its end, or has more bytes than `most`. A
/// large one waits for its place in the room, if there is one.
async fn whole(mut body: Body, most: usize, room: Option<&Room>) -> Option<Held> {
    let mut whole = Vec::new();
    let mut place = None;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.ok()?.into_data() else { continue };
        if whole.is_empty() && body.is_end_stream() && data.len() <= most {
            return Some(Held { bytes: data, place });
        }
        // No more than it may have: how long it is, is what somebody says.
        let hint = body.size_hint();
        let rest = usize::try_from(hint.lower()).unwrap_or(most);
        let known = whole.len().saturating_add(data.len()).saturating_add(rest).min(most);
        if let (None, Some(room)) = (&place, room) {
            place = room.place(known, if hint.exact().is_some() { known } else { most }).await;
        }
        if whole.is_empty() {
            whole = room_for(known);
        }
        if whole.len() + data.len() > most {
            return None;
        }
        whole.extend_from_slice(&data);
    }
    Some(Held { bytes: Bytes::from(whole), place })
}

fn respond(answer: Response) -> HttpResponse {
    let mut response = HttpResponse::builder()
        .status(StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    // Who frames the answer writes this header by itself.
    let chunked = |(name, _): &&(String, String)| name == "transfer-encoding";
    for (name, value) in answer.headers.iter().filter(|header| !chunked(header)) {
        response = response.header(name, value);
    }
    let body = match answer.headers.iter().find(chunked) {
        Some(_) => Body::new(Chunked(answer.body)),
        None => Body::from(answer.body),
    };
    response.body(body).unwrap_or_default()
}

/// A body that does not say how long it is, in chunks of a few bytes.
struct Chunked(Bytes);

impl HttpBody for Chunked {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let length = self.0.len().min(16);
        let chunk = self.0.split_to(length);
        Poll::Ready((length > 0).then(|| Ok(Frame::data(chunk))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Operation;

    /// A body of these frames.
    struct Frames(Vec<&'static [u8]>);

    impl HttpBody for Frames {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            let next = (!self.0.is_empty()).then(|| self.0.remove(0));
            Poll::Ready(next.map(|data| Ok(Frame::data(Bytes::from_static(data)))))
        }
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_a_number_of_bytes() {
        let read = async |frames: &[&'static [u8]], most: usize| {
            let body = Body::new(Frames(Vec::from(frames)));
            whole(body, most, None).await.map(|held| held.bytes.to_vec())
        };
        assert_eq!(read(&[], 0).await.as_deref(), Some(&b""[..]));
        assert_eq!(read(&[b"ab", b"", b"cde"], 5).await.as_deref(), Some(&b"abcde"[..]));
        assert_eq!(read(&[b"ab", b"", b"cde"], 4).await, None);
        let one = Bytes::from(vec![7; 100]);
        let read = whole(Body::from(one.clone()), 100, None).await.unwrap();
        assert_eq!(read.bytes.as_ptr(), one.as_ptr(), "what is there as a whole is not copied");
        assert!(whole(Body::from(one), 99, None).await.is_none());
    }

    #[tokio::test]
    async fn bodies_that_are_held_at_once_are_bounded_together_and_small_ones_do_not_wait() {
        // In two frames, of which the first is there when the place is asked for.
        let read = async |room: &Room, size: usize| {
            let half: &'static [u8] = Bytes::from(vec![b'x'; size / 2]).to_vec().leak();
            whole(Body::new(Frames(vec![half, half])), MAX_BODY, Some(room)).await
        };
        let room = Room::default();
        let mut held = Vec::new();
        for _ in 0..Room::MOST / MAX_BODY {
            held.push(read(&room, 2 << 20).await.unwrap());
        }
        let another = timeout(Duration::from_millis(50), read(&room, 2 << 20)).await;
        assert!(another.is_err(), "how long it is nobody says: each may have the most");
        assert!(read(&room, 1 << 10).await.is_some());
        held.pop();
        assert!(timeout(Duration::from_secs(30), read(&room, 2 << 20)).await.is_ok_and(|read| read.is_some()));
    }

    #[test]
    fn a_mock_without_changes_keeps_nothing_of_what_is_gone() {
        let remembered = |mock: &Mock| {
            let call = |operation: Operation, body: &str| {
                let body = Bytes::copy_from_slice(body.as_bytes());
                mock.answer(envelope::request(Service::Ecr, operation, body)).unwrap().json().unwrap_or_default()
            };
            call(Operation::CreateRepository, r#"{"repositoryName":"ab"}"#);
            let begun = call(Operation::InitiateLayerUpload, r#"{"repositoryName":"ab"}"#);
            assert!(begun["uploadId"].is_string(), "{begun}");
            call(Operation::DeleteRepository, r#"{"repositoryName":"ab","force":true}"#);
            let services = mock.services.lock().unwrap();
            let (registry, memory) = &services[0];
            assert!(registry.repositories.is_empty());
            (memory.removed.len(), memory.begun.len())
        };
        assert_eq!(remembered(&Mock::new(&[Service::Ecr])), (0, 0));
        let fault = Fault::find("digests-not-compared").unwrap();
        assert_eq!(remembered(&Mock::with(&[Service::Ecr], fault.changes)), (1, 1));
    }

    /// What a part with these members comes to is for `selftest`; here, that it comes to something.
    #[test]
    fn no_position_is_too_far_for_a_change() {
        const POSITIONS: [&str; 5] = ["0", "-1", "31.0", "9223372036854775807", "-9223372036854775808"];
        const BLOBS: [&str; 4] = ["\"AAAA\"", "\"*\"", "[0]", "null"];
        let faults = Fault::all().map(|fault| (fault.name, fault.changes));
        let variants = Variant::all().map(|variant| (variant.name, variant.changes));
        for (name, changes) in faults.chain(variants) {
            let mock = Mock::with(&[Service::Ecr], changes);
            let call = |operation: Operation, body: String| {
                mock.answer(envelope::request(Service::Ecr, operation, Bytes::from(body)))
            };
            let _ = call(Operation::CreateRepository, String::from(r#"{"repositoryName":"ab"}"#));
            for first in POSITIONS {
                for (last, blob) in POSITIONS.into_iter().flat_map(|last| BLOBS.map(|blob| (last, blob))) {
                    let begun = call(Operation::InitiateLayerUpload, String::from(r#"{"repositoryName":"ab"}"#));
                    let begun = begun.ok().and_then(|answer| answer.json()).unwrap_or_default();
                    let Some(id) = begun["uploadId"].as_str() else { continue };
                    let upload = format!(r#""repositoryName":"ab","uploadId":"{id}""#);
                    let part = format!(r#""partFirstByte":{first},"partLastByte":{last},"layerPartBlob":{blob}"#);
                    if let Ok(answer) = call(Operation::UploadLayerPart, format!("{{{upload},{part}}}")) {
                        assert!(answer.body.len() < 1 << 20, "{name}: {part}");
                    }
                    let _ = call(Operation::CompleteLayerUpload, format!("{{{upload},\"layerDigests\":[\"a:0\"]}}"));
                }
            }
        }
    }
}
