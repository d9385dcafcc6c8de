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
mod serving;
mod signature;
mod variant;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::Uri;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::contract::{Effect, ErrorType, RuleId, Service};
use crate::model::{Registry, Rejection};
use crate::wire::{Reply, Request, Response, TransportError, envelope};

use change::{Call, Memory};
use signature::Verifier;

pub use change::Change;
pub use fault::Fault;
pub use serving::{router, serve};
pub use signature::{Keys, NoKeys};
pub use variant::Variant;

/// The real service names each request with a UUID (`cloud-custodian/cloud-custodian:tests`); here it stands for "some
/// id".
const REQUEST_ID: &str = "00000000-0000-4000-8000-000000000000";

/// The state of a mock server.
#[derive(Debug)]
pub struct Mock {
    services: Vec<Hosted>,
    changes: Vec<&'static Change>,
    /// What signatures are held against, if they are looked at.
    verifier: Option<Verifier>,
}

/// A service that a mock stands for.
#[derive(Debug)]
struct Hosted {
    /// Says what requests ask for, while others change the state.
    reader: Registry,
    state: Mutex<State>,
}

/// The state of a service of a mock.
#[derive(Debug)]
struct State {
    registry: Registry,
    memory: Memory,
}

impl Hosted {
    fn service(&self) -> Service {
        self.reader.service
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while the lock was held would be a defect of ours; the state is plain data and stays usable.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a call comes to without changes: the members of a success, or why it is rejected. Bodies are read and bytes
    /// hashed while the registry answers others.
    fn call(&self, request: &mut Request, refused: &[Rejection]) -> Result<Value, Rejection> {
        let first = |rejections: Vec<Rejection>| rejections.into_iter().next().map_or(Ok(()), Err);
        let operation = self.reader.route(request)?;
        first(refused.to_vec())?;
        let input = self.reader.take(request)?;
        first(self.reader.syntax(operation, &input))?;
        let mut state = self.state();
        first(state.registry.standing(operation.name, &input))?;
        let Some(growing) = state.registry.about_to_grow(operation.name, &input) else {
            return Ok(state.registry.perform(operation.name, &input));
        };
        drop(state);
        let grown = growing.with(self.reader.notation, &input);
        // Meanwhile it may have come to stand otherwise.
        let registry = &mut self.state().registry;
        first(registry.standing(operation.name, &input))?;
        Ok(registry.grow(&input, grown))
    }
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
            let state = Mutex::new(State { registry, memory: Memory::default() });
            Hosted { reader: Registry::new(*service), state }
        };
        Mock { services: services.iter().map(begin).collect(), changes, verifier: None }
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
        // Without a known target any registry gives the framework's own answer.
        let Some(hosted) = self.meant(&request).or_else(|| self.services.first()) else {
            return Err(TransportError::Dropped);
        };
        if self.changes.is_empty() {
            let called = hosted.call(&mut request, refused);
            return Ok(with_id(
                called.map_or_else(|rejection| rejection.to_response(), |members| envelope::response(200, &members)),
            ));
        }
        let State { registry, memory } = &mut *hosted.state();
        memory.requests += 1;
        let intercepted = self.changes.iter().find_map(|change| match change {
            Change::ShortCircuit(intercepts) => intercepts(&request, memory),
            _ => None,
        });
        if let Some(reply) = intercepted {
            return reply;
        }
        let mut reply = Ok(with_id(match self.call(registry, memory, &request, refused) {
            Ok(members) => envelope::response(200, &members),
            Err(rejection) => self.named(&rejection),
        }));
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
        let hosted = self.services.iter().find(|hosted| hosted.service() == service)?;
        Some(work(&mut hosted.state().registry))
    }

    /// The service that a request is for.
    fn meant(&self, request: &Request) -> Option<&Hosted> {
        let target = request.header("x-amz-target").unwrap_or_default();
        self.services.iter().find(|hosted| target.starts_with(hosted.service().contract().target_prefix))
    }

    /// What a call comes to with the changes: the members of a success, or why it is rejected.
    fn call(
        &self,
        registry: &mut Registry,
        memory: &mut Memory,
        request: &Request,
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
        let input = registry.read(request)?;
        let mut call = Call { registry, memory, operation, input };
        for change in &self.changes {
            if let Change::RewriteInput(takes) = change {
                takes(&mut call);
            }
        }
        if let Some(rejection) = self.wrong(&mut call).into_iter().next() {
            return Err(rejection);
        }
        let (name, _) = call.key();
        let is_removal = operation.name.effect() == Effect::RemovesRepository;
        if let Some(removed) = call.registry.repositories.get(&name).filter(|_| is_removal) {
            call.memory.removed.insert(name, removed.clone());
        }
        let performed = self.changes.iter().find_map(|change| match change {
            Change::Execute(performs) => performs(&mut call),
            _ => None,
        });
        let layer = call.computed().zip(call.upload().map(|upload| upload.size()));
        let members = performed.unwrap_or_else(|| call.perform());
        if let Some(layer) = layer.filter(|_| operation.name.effect() == Effect::CompletesUpload) {
            let key = call.key();
            call.memory.completed.insert(key, layer);
        }
        if operation.name.effect() == Effect::BeginsUpload
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
        let service = self.meant(request).map(Hosted::service);
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

/// An answer with the id that the service gives to its request.
fn with_id(mut answer: Response) -> Response {
    answer.headers.push((String::from("x-amzn-requestid"), String::from(REQUEST_ID)));
    answer
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use bytes::Bytes;
    use sha2::{Digest as _, Sha256};

    use super::*;
    use crate::case::bindings::hex;
    use crate::contract::Operation;

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
            let State { registry, memory } = &*mock.services[0].state();
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

    /// UploadLayerPart of so many bytes at a position.
    fn part(upload: &Value, first: usize, bytes: &[u8]) -> Value {
        json!({
            "repositoryName": "ab",
            "uploadId": upload,
            "partFirstByte": first,
            "partLastByte": first + bytes.len() - 1,
            "layerPartBlob": STANDARD.encode(bytes),
        })
    }

    const LARGE: usize = 1 << 20;

    #[test]
    fn of_large_parts_that_come_at_once_one_is_added() {
        const CLIENTS: usize = 8;
        let mock = Mock::new(&[Service::Ecr]);
        let call = |operation: Operation, body: &Value| {
            let body = Bytes::from(body.to_string());
            mock.answer(envelope::request(Service::Ecr, operation, body)).unwrap()
        };
        call(Operation::CreateRepository, &json!({ "repositoryName": "ab" }));
        let begun = call(Operation::InitiateLayerUpload, &json!({ "repositoryName": "ab" })).json().unwrap();
        let bytes = vec![7; LARGE];
        let part = part(&begun["uploadId"], 0, &bytes);
        let mut statuses: Vec<u16> = std::thread::scope(|threads| {
            let clients: Vec<_> =
                (0..CLIENTS).map(|_| threads.spawn(|| call(Operation::UploadLayerPart, &part).status)).collect();
            clients.into_iter().map(|client| client.join().unwrap()).collect()
        });
        statuses.sort_unstable();
        assert_eq!(statuses, [&[200][..], &[400; CLIENTS - 1]].concat());
        let digest = format!("sha256:{}", hex(&Sha256::digest(&bytes)));
        let complete =
            json!({ "repositoryName": "ab", "uploadId": begun["uploadId"], "layerDigests": [digest.as_str()] });
        let completed = call(Operation::CompleteLayerUpload, &complete);
        assert_eq!(completed.json().unwrap()["layerDigest"], digest.as_str());
    }

    #[test]
    fn a_part_that_another_came_before_is_hashed_behind_it() {
        const PART: Operation = Operation::UploadLayerPart;
        let mut registry = Registry::new(Service::Ecr);
        let members = |value: Value| value.as_object().cloned().unwrap();
        let repository = members(json!({ "repositoryName": "ab" }));
        registry.perform(Operation::CreateRepository, &repository);
        let upload = registry.perform(Operation::InitiateLayerUpload, &repository)["uploadId"].clone();
        let large = members(part(&upload, 1, &[7; LARGE]));
        let grown = registry.about_to_grow(PART, &large).unwrap().with(registry.notation, &large);
        let small = members(part(&upload, 0, &[8]));
        assert!(registry.about_to_grow(PART, &small).is_none());
        registry.perform(PART, &small);
        registry.grow(&large, grown);
        let all = [&[8][..], &[7; LARGE]].concat();
        let held = Some(format!("sha256:{}", hex(&Sha256::digest(&all))));
        assert_eq!(registry.uploads("ab"), [(String::from(upload.as_str().unwrap()), held)]);
    }
}
