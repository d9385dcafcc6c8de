//! Targets that cut, stall, flood and lie: findings or `inconclusive`, never a panic, a hang or a pass.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use ecrspec::contract::{Operation, RuleId, Service};
use ecrspec::drive::http::{Http, Timeouts};
use ecrspec::drive::{Driver, Target};
use ecrspec::events::Event;
use ecrspec::judge::Grade;
use ecrspec::mock::Mock;
use ecrspec::report::Summary;
use ecrspec::report::summary::{Measure, Reason};
use ecrspec::run::{RunError, Settings, Work, run};
use ecrspec::wire::{Flaw, Framing, Request, TransportError, envelope, longest_answer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\n";

/// What a hostile server does with a connection, once it has read the head of a request.
#[derive(Clone, Copy, Debug)]
enum Behaviour {
    CutBody,
    WrongLength,
    NegativeLength,
    EndlessBody,
    EndlessHead,
    EndlessChunkSize,
    Silence,
    SilenceAfterHead,
    Close,
    Garbage,
    BinaryJson,
    DeepJson,
    EmptyBody,
    ManyInterimAnswers,
}

const ALL: [Behaviour; 14] = [
    Behaviour::CutBody,
    Behaviour::WrongLength,
    Behaviour::NegativeLength,
    Behaviour::EndlessBody,
    Behaviour::EndlessHead,
    Behaviour::EndlessChunkSize,
    Behaviour::Silence,
    Behaviour::SilenceAfterHead,
    Behaviour::Close,
    Behaviour::Garbage,
    Behaviour::BinaryJson,
    Behaviour::DeepJson,
    Behaviour::EmptyBody,
    Behaviour::ManyInterimAnswers,
];

/// Those that are written, or read, in ways of their own.
const FRAMINGS: [Framing; 6] = [
    Framing::Length,
    Framing::Verbatim,
    Framing::Chunked,
    Framing::ExpectContinue,
    Framing::Pieces,
    Framing::SecondRequest,
];

impl Behaviour {
    async fn answer(self, mut stream: TcpStream) -> std::io::Result<()> {
        match self {
            Behaviour::CutBody => {
                stream.write_all(format!("{OK}Content-Length: 50\r\n\r\n{{\"uploadId\":").as_bytes()).await
            }
            Behaviour::WrongLength => {
                stream.write_all(format!("{OK}Content-Length: 3\r\n\r\n{{}}{{}}{{}}{{}}").as_bytes()).await
            }
            Behaviour::NegativeLength => {
                stream.write_all(format!("{OK}Content-Length: -1\r\n\r\n{{}}").as_bytes()).await
            }
            Behaviour::EndlessBody => {
                stream.write_all(format!("{OK}\r\n").as_bytes()).await?;
                loop {
                    stream.write_all(&[b' '; 65536]).await?;
                }
            }
            Behaviour::EndlessHead => {
                stream.write_all(OK.as_bytes()).await?;
                loop {
                    stream.write_all(b"X-More: and more and more and more\r\n").await?;
                }
            }
            Behaviour::EndlessChunkSize => {
                stream.write_all(format!("{OK}Transfer-Encoding: chunked\r\n\r\n2;").as_bytes()).await?;
                loop {
                    stream.write_all(&[b'x'; 65536]).await?;
                }
            }
            Behaviour::Silence => std::future::pending().await,
            Behaviour::SilenceAfterHead => {
                stream.write_all(format!("{OK}Content-Length: 10\r\n\r\n{{").as_bytes()).await?;
                std::future::pending().await
            }
            Behaviour::Close => Ok(()),
            Behaviour::Garbage => stream.write_all(b"\x00\xff\xfeSSH-2.0-nobody\r\n\r\n").await,
            Behaviour::BinaryJson => respond(&mut stream, b"{\"uploadId\":\"\xff\xfe\xc0\"}").await,
            Behaviour::DeepJson => respond(&mut stream, "[".repeat(200_000).as_bytes()).await,
            Behaviour::EmptyBody => respond(&mut stream, b"").await,
            Behaviour::ManyInterimAnswers => loop {
                stream.write_all(b"HTTP/1.1 102 Processing\r\n\r\n").await?;
            },
        }
    }
}

async fn respond(stream: &mut TcpStream, body: &[u8]) -> std::io::Result<()> {
    stream.write_all(format!("{OK}Content-Length: {}\r\n\r\n", body.len()).as_bytes()).await?;
    stream.write_all(body).await
}

/// Serves connections this way on a free port.
fn serve(runtime: &Runtime, behaviour: Behaviour) -> String {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = [0; 4096];
                let _ = stream.read(&mut head).await;
                behaviour.answer(stream).await
            });
        }
    });
    format!("http://{address}")
}

fn timeouts() -> Timeouts {
    let short = Duration::from_millis(400);
    Timeouts { connect: short, first_byte: short, rest: short }
}

fn measure() -> Measure {
    Measure { known: Vec::new(), today: jiff::civil::date(2026, 11, 20), deny_warnings: false, all_parts: false }
}

/// Runs some cases against an address and sums up.
fn judge(runtime: &Runtime, endpoint: &str, filter: &str, jobs: usize) -> Result<Summary, RunError> {
    let target = Target::new(Driver::Http(Http::new(endpoint, timeouts()).unwrap()));
    let events = Mutex::new(Vec::<Event>::new());
    let (_keep, stop) = watch::channel(None);
    let settings = Settings {
        services: vec![Service::Ecr],
        filter: vec![String::from(filter)],
        jobs,
        ..Settings::everything(endpoint, "ecrspec-hostile")
    };
    let work = Work { search: None, ..Work::usual(&settings).unwrap() };
    runtime.block_on(run(Arc::new(target), &settings, work, stop, |event| events.lock().unwrap().push(event)))?;
    Ok(Summary::of(&events.into_inner().unwrap(), &measure()).unwrap())
}

#[test]
fn no_behaviour_passes_hangs_or_panics() {
    let runtime = Runtime::new().unwrap();
    for behaviour in ALL {
        let endpoint = serve(&runtime, behaviour);
        let clock = Instant::now();
        let ended = match judge(&runtime, &endpoint, "wire/body/json", 2) {
            Ok(summary) => summary.reasons(false),
            Err(RunError::Unreachable { .. }) => vec![Reason::SetUp],
            Err(error) => panic!("{behaviour:?}: {error}"),
        };
        assert!(!ended.is_empty(), "{behaviour:?} passes");
        // Bounded by timeouts and not by the target; generous, since the machine may be busy.
        assert!(clock.elapsed() < Duration::from_secs(60), "{behaviour:?} took {:?}", clock.elapsed());
    }
}

#[test]
fn every_framing_bears_every_behaviour() {
    let runtime = Runtime::new().unwrap();
    for behaviour in ALL {
        let http = Http::new(&serve(&runtime, behaviour), timeouts()).unwrap();
        for framing in FRAMINGS {
            let request = Request {
                framing,
                ..envelope::request(Service::Ecr, Operation::InitiateLayerUpload, Bytes::from_static(b"{}"))
            };
            let exchange = runtime.block_on(http.send(request)).unwrap();
            if let Some(answer) = exchange.response() {
                assert!(answer.body.len() <= longest_answer(2), "{behaviour:?}, {framing:?}");
                if matches!(behaviour, Behaviour::CutBody) {
                    assert_eq!(answer.flaw, Some(Flaw::Cut), "{framing:?}");
                }
            }
            let expected = match behaviour {
                Behaviour::Silence | Behaviour::SilenceAfterHead => Some(TransportError::Silent),
                Behaviour::Close => Some(TransportError::Dropped),
                Behaviour::Garbage => Some(TransportError::Garbage),
                _ => None,
            };
            if let Some(trouble) = expected {
                assert_eq!(exchange.reply, Err(trouble), "{behaviour:?}, {framing:?}");
            }
        }
    }
}

#[test]
fn an_early_answer_to_a_large_body_is_heard() {
    let runtime = Runtime::new().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 1024];
            let _ = stream.read(&mut head).await;
            let body = "{\"__type\":\"InvalidParameterException\"}";
            let _ = stream
                .write_all(
                    format!("HTTP/1.1 400 Bad Request\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes(),
                )
                .await;
            // Gone, with megabytes unread: what the client still writes fails.
        }
    });
    let http = Http::new(&format!("http://{address}"), Timeouts::default()).unwrap();
    let request = envelope::request(Service::Ecr, Operation::UploadLayerPart, Bytes::from(vec![b' '; 20 << 20]));
    let heard = (0..5)
        .filter(|_| {
            runtime.block_on(http.send(request.clone())).unwrap().response().is_some_and(|answer| answer.status == 400)
        })
        .count();
    // A reset may overtake the answer now and then: that is TCP's, not ours.
    assert!(heard >= 1, "heard {heard} of 5 early answers");
}

#[test]
fn silence_on_a_faulty_request_is_a_finding_once_confirmed() {
    let runtime = Runtime::new().unwrap();
    let endpoint = mute_on(&runtime, usize::MAX);
    let summary = judge(&runtime, &endpoint, "=wire/body/json/open-brace", 2).unwrap();
    assert_eq!(summary.groups.len(), 1);
    assert_eq!(
        (summary.groups[0].finding.rule, summary.groups[0].finding.grade),
        (RuleId::new("always/answered"), Grade::Crash)
    );

    // Silent once only: the machine, or the network.
    let endpoint = mute_on(&runtime, 1);
    let summary = judge(&runtime, &endpoint, "=wire/body/json/open-brace", 2).unwrap();
    assert!(summary.groups.is_empty(), "{:?}", summary.groups);
    assert_eq!(summary.reasons(false), [Reason::Inconclusive]);
}

#[test]
fn who_dies_of_a_request_is_found_once_and_the_rest_is_inconclusive() {
    let runtime = Runtime::new().unwrap();
    let server = Runtime::new().unwrap();
    let listener = server.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let mock = Arc::new(Mock::new(&Service::ALL));
    let dead = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let router = axum::Router::new().fallback(move |request: axum::extract::Request| {
        let (mock, dead) = (mock.clone(), dead.clone());
        async move {
            use tower::ServiceExt as _;
            let (head, body) = request.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            if body == "{" || dead.load(std::sync::atomic::Ordering::Relaxed) {
                dead.store(true, std::sync::atomic::Ordering::Relaxed);
                std::future::pending::<()>().await;
            }
            let request = axum::extract::Request::from_parts(head, axum::body::Body::from(body));
            ecrspec::mock::router(mock).oneshot(request).await.unwrap()
        }
    });
    server.spawn(async move { axum::serve(listener, router).await });
    let summary = judge(&runtime, &endpoint, "wire/body", 1).unwrap();
    let cases: Vec<_> = summary.groups.iter().flat_map(|group| &group.cases).collect();
    // One at a time, so that it is certain which request it was.
    assert_eq!(cases, [&(Service::Ecr, String::from("wire/body/json/open-brace"))]);
    assert_eq!(summary.reasons(false), [Reason::Findings, Reason::Inconclusive]);
}

/// The mock, but it hangs on the body `{`, so many times.
fn mute_on(runtime: &Runtime, times: usize) -> String {
    use axum::body::{Body, to_bytes};
    use axum::extract::Request as HttpRequest;
    use tower::ServiceExt as _;

    let inner = ecrspec::mock::router(Arc::new(Mock::new(&Service::ALL)));
    let left = Arc::new(Mutex::new(times));
    let router = axum::Router::new().fallback(move |request: HttpRequest| {
        let (inner, left) = (inner.clone(), left.clone());
        async move {
            let (head, body) = request.into_parts();
            let body = to_bytes(body, usize::MAX).await.unwrap();
            let mute = body == "{" && {
                let mut left = left.lock().unwrap();
                let mute = *left > 0;
                *left = left.saturating_sub(1);
                mute
            };
            if mute {
                std::future::pending::<()>().await;
            }
            inner.oneshot(HttpRequest::from_parts(head, Body::from(body))).await.unwrap()
        }
    });
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

#[test]
fn lawful_framings_of_an_answer_are_read_whole() {
    let runtime = Runtime::new().unwrap();
    let answers = [
        format!("{OK}Content-Length: 9\r\n\r\n{{\"a\":\"b\"}}"),
        format!("{OK}Transfer-Encoding: chunked\r\n\r\n3\r\n{{\"a\r\n6;x=y\r\n\":\"b\"}}\r\n0\r\nX-Trailer: 1\r\n\r\n"),
        format!("{OK}Connection: close\r\n\r\n{{\"a\":\"b\"}}"),
        format!("HTTP/1.1 100 Continue\r\n\r\n{OK}content-length: 9\r\n\r\n{{\"a\":\"b\"}}"),
    ];
    for answer in answers {
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let text = answer.clone();
        runtime.spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = [0; 4096];
                let _ = stream.read(&mut head).await;
                let _ = stream.write_all(text.as_bytes()).await;
            }
        });
        let http = Http::new(&format!("http://{address}"), Timeouts::default()).unwrap();
        for framing in FRAMINGS {
            let request = Request {
                framing,
                ..envelope::request(Service::Ecr, Operation::InitiateLayerUpload, Bytes::from_static(b"{}"))
            };
            let exchange = runtime.block_on(http.send(request)).unwrap();
            let reply = exchange.response().unwrap();
            assert_eq!(&reply.body[..], b"{\"a\":\"b\"}", "{answer:?}, {framing:?}");
        }
    }
}
