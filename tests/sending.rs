//! How a request gets to the target: the same by every path, and never the target's fault if it cannot be sent.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use axum::extract::Request as HttpRequest;
use axum::http::{Response, StatusCode};
use bytes::Bytes;
use ecrspec::case::Case;
use ecrspec::contract::{Operation, Service};
use ecrspec::drive::http::{Http, Timeouts};
use ecrspec::drive::{Driver, InProcess, Target};
use ecrspec::events::Event;
use ecrspec::events::Task;
use ecrspec::judge::Verdict;
use ecrspec::mock::{Mock, router, serve};
use ecrspec::run::{RunError, Settings, Work, run};
use ecrspec::session::{Attempt, Session, Terms};
use ecrspec::suite::find;
use ecrspec::template::Template;
use ecrspec::wire::{
    Body, Exchange, Framing, NoConnection, Outgoing, Reply, Request, TransportError, Unsendable, envelope,
};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::pki_types::PrivatePkcs8KeyDer;
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tower::ServiceExt as _;

/// Those that have the same head, and one request a connection.
const FRAMINGS: [Framing; 8] = [
    Framing::Length,
    Framing::Verbatim,
    Framing::Chunked,
    Framing::OneChunk,
    Framing::ByteChunks,
    Framing::OddChunks,
    Framing::ExpectContinue,
    Framing::Pieces,
];

fn request(framing: Framing, size: usize) -> Outgoing {
    let body = Body::from(vec![b' '; size]);
    Outgoing { framing, ..envelope::request(Service::Ecr, Operation::InitiateLayerUpload, body) }
}

fn http(endpoint: &str) -> Http {
    let short = Duration::from_secs(2);
    Http::new(endpoint, Timeouts { connect: short, first_byte: short, rest: short }).unwrap()
}

/// A server that gives one answer to everything, keeps connections open, and the heads of what it was asked.
fn stranger(answer: &'static [u8]) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = heads.clone();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let seen = seen.clone();
            thread::spawn(move || {
                let mut received = Vec::new();
                let mut buffer = [0; 4096];
                while !received.windows(4).any(|window| window == b"\r\n\r\n") {
                    match stream.read(&mut buffer) {
                        Ok(count) if count > 0 => received.extend_from_slice(&buffer[..count]),
                        _ => return,
                    }
                }
                seen.lock().unwrap().push(String::from_utf8_lossy(&received).into_owned());
                let _ = stream.write_all(answer);
                while stream.read(&mut buffer).is_ok_and(|count| count > 0) {}
            });
        }
    });
    (format!("http://{address}"), heads)
}

/// What came back over HTTP.
fn reply(exchange: Exchange) -> Reply {
    exchange.reply.map(|answer| answer.response().cloned().unwrap())
}

/// The replies to a request by every path: each framing, a large body, and two at once.
fn by_every_path(endpoint: &str) -> Vec<(String, Reply)> {
    let runtime = Runtime::new().unwrap();
    let http = http(endpoint);
    let mut replies: Vec<(String, Reply)> = FRAMINGS
        .into_iter()
        .map(|framing| (format!("{framing:?}"), request(framing, 2)))
        .chain([(String::from("large"), request(Framing::Length, 1 << 20))])
        .map(|(path, request)| (path, reply(runtime.block_on(http.send(request)).unwrap())))
        .collect();
    let two = vec![request(Framing::Length, 2); 2];
    let sent = runtime.block_on(http.send_at_once(two, Instant::now())).unwrap();
    replies.extend(sent.into_iter().map(|exchange| (String::from("at once"), reply(exchange))));
    replies
}

#[test]
fn every_path_asks_for_the_same_url() {
    let (endpoint, heads) = stranger(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    let host = endpoint.trim_start_matches("http://");
    for (path, reply) in by_every_path(&format!("{endpoint}/some/path?key=a%20b&more")) {
        assert_eq!(reply.map(|answer| answer.status), Ok(200), "{path}");
    }
    let heads = heads.lock().unwrap();
    assert_eq!(heads.len(), 11);
    for head in heads.iter() {
        assert!(head.starts_with("POST /some/path?key=a%20b&more HTTP/1.1\r\n"), "{head}");
        assert!(head.to_lowercase().contains(&format!("\r\nhost: {host}\r\n")), "{head}");
    }
}

#[test]
fn answers_that_have_no_body_end_with_their_head() {
    let answers: [(&[u8], u16); 5] = [
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204),
        (b"HTTP/1.1 304 Not Modified\r\n\r\n", 304),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 50\r\n\r\n", 304),
        (b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", 204),
        (b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", 101),
    ];
    for (answer, status) in answers {
        let (endpoint, _) = stranger(answer);
        for (path, reply) in by_every_path(&endpoint) {
            let reply = reply.map(|answer| (answer.status, answer.body));
            assert_eq!(reply, Ok((status, Bytes::new())), "{path}: {}", String::from_utf8_lossy(answer));
        }
    }
}

#[test]
fn an_answer_to_head_has_no_body() {
    let (endpoint, _) = stranger(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n");
    let runtime = Runtime::new().unwrap();
    for framing in FRAMINGS {
        let head = Request { method: String::from("HEAD"), ..request(framing, 2) };
        let reply = reply(runtime.block_on(http(&endpoint).send(head)).unwrap());
        assert_eq!(reply.map(|answer| (answer.status, answer.body)), Ok((200, Bytes::new())), "{framing:?}");
    }
}

#[test]
fn what_is_no_http_is_told_alike_by_every_path() {
    let answers: [&[u8]; 4] = [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}",
        b"HTTP/1.1 2x0 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nX A: a\r\nContent-Length: 2\r\n\r\n{}",
    ];
    for answer in answers {
        let (endpoint, _) = stranger(answer);
        for (path, reply) in by_every_path(&endpoint) {
            assert_eq!(reply, Err(TransportError::Garbage), "{path}: {}", String::from_utf8_lossy(answer));
        }
    }
}

/// The mock on a loopback port, for as long as the runtime lives.
fn mock(runtime: &Runtime) -> SocketAddr {
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(serve(listener, Arc::new(Mock::new(&Service::ALL))));
    address
}

/// Runs one case, and gives its verdict and whether it counts.
fn verdict(target: Target, case: Case) -> (Verdict, bool) {
    let work = Work { cases: vec![case], search: None, whole_survey: false, task: Task::Gate };
    let (outcome, events) = events(target, work);
    outcome.unwrap();
    let judged = events.into_iter().find_map(|event| match event {
        Event::Judged(judged) => Some((judged.verdict, judged.mark.is_some())),
        _ => None,
    });
    judged.expect("one case is judged")
}

fn events(target: Target, work: Work) -> (Result<(), RunError>, Vec<Event>) {
    let settings =
        Settings { services: vec![Service::Ecr], jobs: 1, ..Settings::everything("a target", "ecrspec-sending") };
    let mut events = Vec::new();
    let (_keep, stop) = watch::channel(None);
    let runtime = Runtime::new().unwrap();
    let outcome = runtime.block_on(run(Arc::new(target), &settings, work, stop, |event| events.push(event)));
    (outcome, events)
}

/// A case that any target passes.
fn plain() -> Case {
    find(Service::Ecr, "InitiateLayerUpload/accepted/plain").unwrap().unwrap()
}

#[test]
fn a_request_that_cannot_be_sent_is_not_the_targets_crash() {
    let server = Runtime::new().unwrap();
    let endpoint = format!("http://{}", mock(&server));
    let case = plain();
    let drivers = || {
        let in_process = InProcess::new(router(Arc::new(Mock::new(&Service::ALL))));
        [Driver::Http(http(&endpoint)), Driver::InProcess(in_process)]
    };
    for driver in drivers() {
        assert_eq!(verdict(Target::new(driver), case.clone()), (Verdict::Pass, true));
    }
    let change = |change: &dyn Fn(&mut Request<Template>)| {
        let mut case = case.clone();
        change(&mut case.steps.last_mut().unwrap().request);
        case
    };
    let header = |name: &str, value: &str| {
        let header = (String::from(name), String::from(value));
        change(&|request| request.headers.push(header.clone()))
    };
    let rows = [
        (change(&|request| request.method = String::from("PO ST")), "\"PO ST\" is not an HTTP method"),
        (change(&|request| request.method = String::from("CONNECT")), "CONNECT opens a tunnel and has no path"),
        (header("X A", "a"), "\"X A\" is not an HTTP header name"),
        (header("X-A", "a\nb"), "\"a\\nb\" is not an HTTP header value (header X-A)"),
        (header("content-length", "7"), "the header content-length is written by the sender"),
    ];
    for (case, expected) in rows {
        for driver in drivers() {
            let (verdict, counts) = verdict(Target::new(driver), case.clone());
            let Verdict::Skipped { reason } = verdict else { panic!("{expected}: {verdict:?}") };
            let reason = reason.to_string();
            assert!(reason.starts_with(&format!("cannot be sent: {expected}")), "{reason}");
            assert!(!counts, "{expected}");
        }
    }
}

#[test]
fn of_large_parts_that_were_sent_only_the_name_is_in_memory() {
    let target = Target::new(Driver::InProcess(InProcess::new(router(Arc::new(Mock::new(&Service::ALL))))));
    let session = Session::unsurveyed(Arc::new(target), Service::Ecr, Terms::of("ecrspec-kept"));
    let drive = |id: &str| {
        let case = find(Service::Ecr, id).unwrap().unwrap();
        Runtime::new().unwrap().block_on(session.drive(&case, None, Attempt { worker: 0, number: 1 })).exchanges
    };
    let mut large = 0;
    for exchange in ["scenarios/push/two-parts", "scenarios/push/three-parts"].into_iter().flat_map(drive) {
        assert!(exchange.observed().is_ok_and(|seen| !seen.is_error()));
        let body = &exchange.request.body;
        let kept = body.abridged();
        let members: Value = serde_json::from_slice(&kept).unwrap();
        assert!(members["repositoryName"].as_str().unwrap().starts_with("ecrspec-kept"), "{members}");
        if exchange.sent() > 1 << 20 {
            large += 1;
            assert!(kept.len() <= 4096 && exchange.sent() > 5 << 20, "{} of {}", kept.len(), exchange.sent());
            let whole: Value = serde_json::from_slice(&body.whole()).unwrap();
            assert_eq!(body.whole().len(), exchange.sent());
            assert_eq!(whole["partLastByte"], members["partLastByte"]);
        } else {
            assert_eq!(kept.len(), exchange.sent());
        }
    }
    assert_eq!(large, 3);
}

#[test]
fn framing_by_hand_needs_something_to_frame() {
    let in_process = Target::new(Driver::InProcess(InProcess::new(router(Arc::new(Mock::new(&Service::ALL))))));
    let plain = Target::new(Driver::Http(http("http://127.0.0.1:1")));
    let tls = Target::new(Driver::Http(http("https://127.0.0.1:1")));
    let runtime = Runtime::new().unwrap();
    for framing in FRAMINGS {
        let request = request(framing, 2);
        let by_hand = framing != Framing::Length;
        let cannot_send = |target: &Target| target.cannot_send(Service::Ecr, &request.with_body(Template::default()));
        assert_eq!(cannot_send(&plain), None);
        assert_eq!(cannot_send(&tls), None);
        assert_eq!(cannot_send(&in_process), by_hand.then_some(Unsendable::NoFramingInProcess));
        // Who does not ask is told when it is to be sent.
        let sent = runtime.block_on(in_process.send(Service::Ecr, &request));
        assert_eq!(sent.err(), cannot_send(&in_process), "{framing:?}");
    }
}

#[test]
fn without_a_connection_its_cause_is_told() {
    let rejected = format!("http://{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
    // No name of a host is that long, so that nobody needs to be asked.
    let nameless = format!("http://{}.invalid:5000", "a".repeat(64));
    for (endpoint, cause) in [(&rejected, NoConnection::Refused), (&nameless, NoConnection::NameNotResolved)] {
        for (path, reply) in by_every_path(endpoint) {
            assert_eq!(reply, Err(TransportError::Unreachable(cause)), "{path}");
        }
    }
    let runtime = Runtime::new().unwrap();
    let rows = [
        (with_certificate(2020, 2120), NoConnection::UnknownIssuer),
        (with_certificate(2020, 2021), NoConnection::CertificateExpired),
        (with_certificate(2119, 2120), NoConnection::CertificateNotYetValid),
        (format!("https://{}", mock(&runtime)), NoConnection::NotTls),
    ];
    for (endpoint, cause) in rows {
        let reply = reply(runtime.block_on(http(&endpoint).send(request(Framing::Length, 2))).unwrap());
        assert_eq!(reply, Err(TransportError::Unreachable(cause)));
        let target = Target::new(Driver::Http(http(&endpoint)));
        let (outcome, _) =
            events(target, Work { cases: vec![plain()], search: None, whole_survey: false, task: Task::Gate });
        let message = outcome.unwrap_err().to_string();
        assert!(message.starts_with(&format!("no connection to a target: {cause}")), "{message}");
    }
}

/// A TLS server with a certificate that it signed itself, for these years.
fn with_certificate(from: i32, to: i32) -> String {
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::new([String::from("127.0.0.1")]).unwrap();
    (parameters.not_before, parameters.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
    let certificate = parameters.self_signed(&key).unwrap();
    let configuration = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivatePkcs8KeyDer::from(key.serialize_der()).into())
        .unwrap();
    let configuration = Arc::new(configuration);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut session = rustls::ServerConnection::new(configuration.clone()).unwrap();
            let _ = session.complete_io(&mut stream);
        }
    });
    format!("https://{address}")
}

/// What a server does with the repositories of the survey that it makes for signed requests only.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Signed {
    Removes,
    RejectsToRemove,
    LosesTheAnswer,
}

/// A server for signed requests, and the mock behind it.
fn signed_only(behaviour: Signed) -> (Target, Arc<Mock>) {
    let mock = Arc::new(Mock::new(&Service::ALL));
    let inner = router(mock.clone());
    let router = axum::Router::new().fallback(move |request: HttpRequest| {
        let inner = inner.clone();
        async move {
            let target = request.headers().get("x-amz-target").map(|target| target.to_str().unwrap().to_owned());
            let operation = target.unwrap_or_default();
            let rejection = |status| Response::builder().status(status).body(axum::body::Body::from("<html>")).unwrap();
            if !request.headers().contains_key("authorization") {
                return rejection(StatusCode::NOT_FOUND);
            }
            if operation.ends_with(".DeleteRepository") && behaviour == Signed::RejectsToRemove {
                return rejection(StatusCode::FORBIDDEN);
            }
            let lost = operation.ends_with(".CreateRepository") && behaviour == Signed::LosesTheAnswer;
            let response = inner.oneshot(request).await.unwrap();
            if lost { rejection(StatusCode::BAD_GATEWAY) } else { response }
        }
    });
    (Target::new(Driver::InProcess(InProcess::new(router))), mock)
}

#[test]
fn what_the_survey_makes_with_a_signature_is_removed_or_reported() {
    let runtime = Runtime::new().unwrap();
    for behaviour in [Signed::Removes, Signed::RejectsToRemove, Signed::LosesTheAnswer] {
        let (target, mock) = signed_only(behaviour);
        let work = Work { cases: vec![plain()], search: None, whole_survey: false, task: Task::Gate };
        let (outcome, events) = events(target, work);
        outcome.unwrap();
        let left = events.into_iter().find_map(|event| match event {
            Event::Finished(finished) => Some(finished.left),
            _ => None,
        });
        let expected: &[&str] = match behaviour {
            Signed::RejectsToRemove => &["ecrspec-sending/survey-signed"],
            Signed::Removes | Signed::LosesTheAnswer => &[],
        };
        assert_eq!(left.unwrap(), expected, "{behaviour:?}");
        let target = Target::new(Driver::InProcess(InProcess::new(router(mock))));
        let describe =
            envelope::request(Service::Ecr, Operation::DescribeRepositories, Body::from(Bytes::from_static(b"{}")));
        let answer = reply(runtime.block_on(target.send(Service::Ecr, &describe)).unwrap()).unwrap();
        let kept = answer.json().unwrap()["repositories"].as_array().unwrap().len();
        assert_eq!(kept, expected.len(), "{behaviour:?}");
    }
}

#[test]
fn what_is_left_when_the_connection_is_gone_is_reported() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        // Whoever hears the answer finds nobody any more.
        drop(listener);
        let body = r#"{"repository":{"registryId":"012345678910"}}"#;
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nConnection: close\r\n";
        let _ = write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len());
    });
    let work = Work { cases: vec![plain()], search: None, whole_survey: false, task: Task::Gate };
    let (outcome, _) = events(Target::new(Driver::Http(http(&endpoint))), work);
    let left = vec![String::from("ecrspec-sending/survey")];
    let target = String::from("a target");
    let error = RunError::Unreachable { target, why: NoConnection::Refused, left };
    assert_eq!(outcome, Err(error.clone()));
    assert!(error.to_string().ends_with("(could not be removed: ecrspec-sending/survey)"), "{error}");
}
