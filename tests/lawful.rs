//! Servers that do what they may, and that no client would mind: no finding, nothing inconclusive, and no waiting.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use ecrspec::contract::{Operation, Service};
use ecrspec::drive::http::{Http, Timeouts};
use ecrspec::drive::{Driver, Target};
use ecrspec::events::Event;
use ecrspec::judge::{NotJudged, Verdict};
use ecrspec::mock::Mock;
use ecrspec::report::Summary;
use ecrspec::report::summary::Measure;
use ecrspec::run::{Settings, Work, run};
use ecrspec::search::{Extent, Search};
use ecrspec::wire::{Framing, Request, Response, Signature, envelope};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, watch};

use crate::at_once;

/// What a server may do.
#[derive(Clone, Copy, Debug)]
enum Manner {
    /// Ends a connection after so many answers, and does not say so.
    ClosesAfter(u64),
    /// Ends a connection after an error, and does not say so.
    ClosesAfterErrors,
    /// Ends a connection that was idle for so long.
    ClosesIdle(Duration),
    /// Serves so many connections at once; the others wait.
    AtOnce(usize),
    /// Throttles one call in so many.
    ThrottlesEvery(u64, Throttling),
    /// Throttles all for a while, now and then.
    Bursts,
    /// Throttles what exceeds so many calls of CompleteLayerUpload in a tenth of a second.
    Quota(u64),
    /// Answers so much later.
    Late(Duration),
    /// Rejects what reaches no operation as a web server does: with a page, or with nothing.
    Unaddressed(&'static str),
    /// Does not know GetDownloadUrlForLayer.
    WithoutUrls,
}

#[derive(Clone, Copy, Debug)]
enum Throttling {
    Typed,
    Status429,
    Status503,
    SlowDown,
    LimitExceeded,
}

impl Throttling {
    fn answer(self) -> Response {
        let typed = |status, name: &str| envelope::response(status, &json!({ "__type": name, "message": "slower" }));
        let bare = |status| Response {
            status,
            headers: vec![(String::from("content-type"), String::from("text/html"))],
            body: Bytes::from_static(b"<h1>slower</h1>"),
            flaw: None,
        };
        match self {
            Throttling::Typed => typed(400, "ThrottlingException"),
            Throttling::LimitExceeded => typed(400, "RequestLimitExceeded"),
            Throttling::SlowDown => typed(503, "SlowDown"),
            Throttling::Status429 => bare(429),
            Throttling::Status503 => {
                let mut answer = bare(503);
                answer.headers.push((String::from("retry-after"), String::from("0")));
                answer
            }
        }
    }
}

/// A server of these manners before a mock.
struct Server {
    manner: Manner,
    mock: Mock,
    began: Instant,
    requests: AtomicU64,
    throttled: AtomicU64,
    /// How many requests it has at once: now, and at most so far.
    under_way: [AtomicU64; 2],
    windows: Mutex<HashMap<u128, u64>>,
}

impl Server {
    /// Serves on a free port.
    fn start(runtime: &Runtime, manner: Manner) -> (String, Arc<Server>) {
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let server = Arc::new(Server {
            manner,
            mock: Mock::new(&Service::ALL),
            began: Instant::now(),
            requests: AtomicU64::new(0),
            throttled: AtomicU64::new(0),
            under_way: Default::default(),
            windows: Mutex::default(),
        });
        let places = match manner {
            Manner::AtOnce(places) => places,
            _ => Semaphore::MAX_PERMITS,
        };
        let (serving, places) = (server.clone(), Arc::new(Semaphore::new(places)));
        runtime.spawn(async move {
            loop {
                let place = places.clone().acquire_owned().await.unwrap();
                let Ok((stream, _)) = listener.accept().await else { break };
                let server = serving.clone();
                tokio::spawn(async move {
                    let _ = server.connection(stream).await;
                    drop(place);
                });
            }
        });
        (endpoint, server)
    }

    async fn connection(&self, mut stream: TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let mut buffer = BytesMut::new();
        for number in 1.. {
            let next = read(&mut stream, &mut buffer);
            let next = match self.manner {
                Manner::ClosesIdle(idle) if number > 1 => tokio::time::timeout(idle, next).await.unwrap_or(Ok(None))?,
                _ => next.await?,
            };
            let Some(request) = next else { break };
            let is_last = request.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
            let [now, most] = &self.under_way;
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            let answer = self.answer(request).await;
            now.fetch_sub(1, Ordering::SeqCst);
            let mut text = format!("HTTP/1.1 {} Whatever\r\n", answer.status);
            for (name, value) in &answer.headers {
                text += &format!("{name}: {value}\r\n");
            }
            text += &format!("content-length: {}\r\n\r\n", answer.body.len());
            stream.write_all(&[text.as_bytes(), &answer.body].concat()).await?;
            let closes = match self.manner {
                Manner::ClosesAfter(answers) => number >= answers,
                Manner::ClosesAfterErrors => answer.status != 200,
                _ => false,
            };
            if is_last || closes {
                break;
            }
        }
        Ok(())
    }

    async fn answer(&self, request: Request) -> Response {
        let number = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let elapsed = self.began.elapsed().as_millis();
        let throttles = match self.manner {
            Manner::Late(latency) => {
                tokio::time::sleep(latency).await;
                None
            }
            Manner::ThrottlesEvery(every, throttling) => number.is_multiple_of(every).then_some(throttling),
            Manner::Bursts => (elapsed % 800 >= 600).then_some(Throttling::Typed),
            Manner::Quota(calls) if request.operation() == Some(Operation::CompleteLayerUpload) => {
                let mut windows = self.windows.lock().unwrap();
                let window = windows.entry(elapsed / 100).or_default();
                *window += 1;
                (*window > calls).then_some(Throttling::Typed)
            }
            _ => None,
        };
        if let Some(throttling) = throttles {
            self.throttled.fetch_add(1, Ordering::Relaxed);
            return throttling.answer();
        }
        let is_addressed = request.method == "POST" && request.operation().is_some();
        match self.manner {
            Manner::Unaddressed(page) if !is_addressed => Response {
                status: if request.method == "POST" { 404 } else { 405 },
                headers: vec![(String::from("content-type"), String::from("text/html"))],
                body: Bytes::from_static(page.as_bytes()),
                flaw: None,
            },
            Manner::WithoutUrls if request.operation() == Some(Operation::GetDownloadUrlForLayer) => {
                envelope::response(400, &json!({ "__type": "UnknownOperationException", "message": "no" }))
            }
            _ => self.mock.answer_at_once(request).await.unwrap(),
        }
    }
}

/// The next request of a connection; `None` at its end.
async fn read(stream: &mut TcpStream, buffer: &mut BytesMut) -> std::io::Result<Option<Request>> {
    let end = |buffer: &BytesMut| buffer.windows(4).position(|window| window == b"\r\n\r\n");
    while end(buffer).is_none() {
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
    let head = buffer.split_to(end(buffer).unwrap() + 4);
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut lines = head.lines();
    let method = lines.next().and_then(|line| line.split(' ').next()).unwrap_or_default();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (String::from(name), String::from(value.trim())))
        .collect();
    let mut request = Request {
        method: String::from(method),
        headers,
        body: Bytes::new(),
        framing: Framing::Length,
        signature: Signature::Valid,
    };
    let chunked = request.header("transfer-encoding").is_some();
    let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let is_whole = |buffer: &BytesMut| if chunked { buffer.ends_with(b"\r\n\r\n") } else { buffer.len() >= length };
    while !is_whole(buffer) {
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
    request.body = match chunked {
        true => dechunked(&buffer.split()),
        false => buffer.split_to(length).freeze(),
    };
    Ok(Some(request))
}

fn dechunked(mut chunks: &[u8]) -> Bytes {
    let mut body = BytesMut::new();
    while let Some(end) = chunks.windows(2).position(|window| window == b"\r\n") {
        let size = std::str::from_utf8(&chunks[..end]).unwrap().split(';').next().unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            break; // What follows are trailers.
        }
        body.extend_from_slice(&chunks[end + 2..end + 2 + size]);
        chunks = &chunks[(end + 2 + size + 2).min(chunks.len())..];
    }
    body.freeze()
}

/// Some cases of each kind: requests written by hand, uploads, and calls at once.
const SOME: [&str; 7] = [
    "wire/framing",
    "wire/method",
    "wire/target",
    "InitiateLayerUpload/registryId",
    "layerDigests/match",
    "uploadId/",
    "scenarios/race",
];

fn settings(endpoint: &str, filter: &[&str]) -> Settings {
    Settings {
        services: vec![Service::Ecr],
        filter: filter.iter().map(|part| String::from(*part)).collect(),
        ..Settings::everything(endpoint, "ecrspec-lawful")
    }
}

/// Runs cases against an address.
fn events(runtime: &Runtime, settings: &Settings) -> Vec<Event> {
    let waits = Duration::from_secs(3);
    let timeouts = Timeouts { connect: waits, first_byte: waits, rest: waits };
    let target = Target::new(Driver::Http(Http::new(&settings.target, timeouts).unwrap()));
    let mut events: Vec<Event> = Vec::new();
    let (_keep, stop) = watch::channel(None);
    let search = Some(Search { seed: 0, extent: Extent::Cases(30) });
    let mut work = Work { search, ..Work::usual(settings).unwrap() };
    if !settings.filter.is_empty() {
        work.search = None;
    }
    runtime.block_on(run(Arc::new(target), settings, work, stop, |event| events.push(event))).unwrap();
    events
}

fn summary(events: &[Event]) -> Summary {
    let measure =
        Measure { known: Vec::new(), today: jiff::civil::date(2026, 11, 20), deny_warnings: false, all_parts: false };
    Summary::of(events, &measure).unwrap()
}

/// Runs cases, which must all pass.
fn passes(manner: Manner, filter: &[&str]) -> (Duration, Arc<Server>) {
    let runtime = Runtime::new().unwrap();
    let (endpoint, server) = Server::start(&runtime, manner);
    let began = Instant::now();
    let summary = summary(&events(&runtime, &settings(&endpoint, filter)));
    let took = began.elapsed();
    let odd: Vec<_> = summary
        .cases
        .iter()
        .filter(|judged| !matches!(judged.verdict, Verdict::Pass | Verdict::Skipped { .. }))
        .map(|judged| (&judged.case, &judged.verdict))
        .collect();
    assert!(
        summary.reasons(false).is_empty(),
        "{manner:?}: {:?} {odd:#?} {:?}",
        summary.reasons(false),
        summary.surveys
    );
    assert!(summary.cases.len() > 30, "{manner:?}: {}", summary.cases.len());
    (took, server)
}

#[test]
fn a_connection_may_end_at_any_time() {
    for manner in [
        Manner::ClosesAfter(1),
        Manner::ClosesAfter(2),
        Manner::ClosesAfter(7),
        Manner::ClosesAfterErrors,
        Manner::ClosesIdle(Duration::from_millis(1)),
        Manner::ClosesIdle(Duration::from_millis(50)),
    ] {
        passes(manner, &SOME);
    }
}

#[test]
fn connections_may_have_to_wait_for_others() {
    for places in [1, 2] {
        passes(Manner::AtOnce(places), &SOME);
    }
}

#[test]
fn what_is_throttled_is_sent_again() {
    // Everything, random sequences and calls at once too.
    let (_, server) = passes(Manner::ThrottlesEvery(20, Throttling::Typed), &[]);
    assert!(server.throttled.load(Ordering::Relaxed) > 100);
}

#[test]
#[ignore = "measures time, for a machine that does nothing else"]
fn one_throttled_call_in_twenty_costs_less_than_twice_the_time() {
    let (usual, _) = passes(Manner::Late(Duration::ZERO), &[]);
    let (took, _) = passes(Manner::ThrottlesEvery(20, Throttling::Typed), &[]);
    assert!(took < usual * 2, "{took:?}, and {usual:?} without throttling");
}

#[test]
fn every_form_of_throttling_is_known() {
    for throttling in [Throttling::Status429, Throttling::Status503, Throttling::SlowDown, Throttling::LimitExceeded] {
        passes(Manner::ThrottlesEvery(9, throttling), &SOME);
    }
}

#[test]
fn bursts_and_quotas_are_waited_for() {
    // What is let through once a second takes that long.
    let few = ["wire/framing", "InitiateLayerUpload/registryId"];
    let rows = [(Manner::Bursts, &SOME[..]), (Manner::Quota(1), &few), (Manner::Quota(10), &SOME)];
    at_once(rows, |(manner, filter)| {
        let (_, server) = passes(manner, filter);
        assert!(server.throttled.load(Ordering::Relaxed) > 0, "{manner:?}");
    });
}

#[test]
fn concurrency_follows_latency_and_the_report_is_the_same() {
    let runtime = Runtime::new().unwrap();
    let (endpoint, server) = Server::start(&runtime, Manner::Late(Duration::from_millis(20)));
    let lines = |jobs: usize, most: Option<usize>| {
        let settings = Settings { jobs, most_jobs: most, ..settings(&endpoint, &["uploadId/", "wire/framing"]) };
        let summary = summary(&events(&runtime, &settings));
        let lines = summary.cases.iter().map(|judged| (judged.case.clone(), judged.verdict.clone()));
        (lines.collect::<Vec<_>>(), server.under_way[1].swap(0, Ordering::SeqCst))
    };
    let (fixed, at_once) = lines(4, None);
    assert_eq!(at_once, 4);
    let (followed, at_once) = lines(1, Some(32));
    assert_eq!(fixed, followed);
    assert!((8..=32).contains(&at_once), "{at_once} requests at once");
}

#[test]
fn who_finds_no_operation_need_not_speak_the_protocol() {
    for page in ["", "<h1>no</h1>"] {
        passes(Manner::Unaddressed(page), &["wire/", "InitiateLayerUpload/repositoryName"]);
    }
}

#[test]
fn what_a_target_is_meant_to_lack_is_left_out() {
    let runtime = Runtime::new().unwrap();
    let (endpoint, _) = Server::start(&runtime, Manner::WithoutUrls);
    let settings = settings(&endpoint, &["GetDownloadUrlForLayer/", "wire/body"]);
    let lacking = Operation::GetDownloadUrlForLayer;
    let found = summary(&events(&runtime, &settings));
    assert_eq!(found.groups.len(), 1, "{:?}", found.groups);
    let told = summary(&events(&runtime, &Settings { without: vec![lacking], ..settings }));
    assert!(told.reasons(false).is_empty() && told.warnings().is_empty(), "{:?}", told.warnings());
    let skipped = told.cases.iter().filter(|judged| judged.case.starts_with("GetDownloadUrlForLayer/"));
    for judged in skipped {
        let reason = NotJudged::WithoutOperation { operation: lacking };
        assert_eq!((&judged.verdict, judged.mark), (&Verdict::Skipped { reason }, None), "{}", judged.case);
    }
}
