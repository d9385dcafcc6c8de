//! Targets that cut, stall, flood and lie: findings or `inconclusive`, never a panic, a hang or a pass.

mod adversary;
mod outcome;

use std::collections::{HashMap, VecDeque};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use adversary::tls::Layer;
use adversary::{Act, Behaviour as Hostile, When};
use outcome::{Ended, MOST_MEMORY, Row};

use bytes::Bytes;
use ecrspec::contract::{Operation, RuleId, Service};
use ecrspec::drive::http::{Http, Timeouts};
use ecrspec::drive::{Driver, Target};
use ecrspec::events::{self, Event};
use ecrspec::judge::{Grade, NotJudged, Verdict};
use ecrspec::mock::Mock;
use ecrspec::report::Summary;
use ecrspec::report::summary::{Measure, Reason};
use ecrspec::run::{MAX_KEPT_OF_ALL, RunError, Settings, Work, choose_once, run};
use ecrspec::wire::{
    Flaw, Framing, MAX_ANSWER, MAX_DEPTH, MAX_HEAD, MAX_VALUES, MOST_ANSWER, Request, TransportError, envelope,
    longest_answer,
};
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

/// The rows of the table, for one worker, so that each comes to the same each time: each behaviour for all requests from the
/// first on, for those of one operation, and from one on that comes when the cases have begun.
fn rows() -> Vec<Row> {
    let operations = [Operation::InitiateLayerUpload, Operation::UploadLayerPart, Operation::CompleteLayerUpload];
    let of = |(number, behaviour): (usize, Hostile)| {
        let one = Some(operations[number % operations.len()]);
        // A connection is of no operation.
        let one = if behaviour.layer.is_some_and(Layer::is_of_connections) { None } else { one };
        let whens = [(None, 0), (one, 2), (None, 16)].map(|(operation, after)| When { operation, after, until: None });
        // What an answer says is the same, whenever it is said.
        let is_change = matches!(behaviour.act, Act::Changed(_));
        let kept = if is_change && !full() { 1 + number % 2..2 + number % 2 } else { 0..3 };
        whens[kept].iter().map(|when| Row { behaviour: behaviour.clone(), when: *when, jobs: 1 }).collect::<Vec<_>>()
    };
    adversary::behaviour::all().into_iter().enumerate().flat_map(of).collect()
}

/// What each row may come to, as it was reviewed: one thing, unless the behaviour races with the client.
type Reviewed = HashMap<String, Vec<String>>;

fn reviewed() -> Reviewed {
    let mut reviewed = Reviewed::new();
    for (row, rest) in include_str!("outcome/rows.txt").lines().filter_map(|line| line.split_once(": exit ")) {
        reviewed.entry(row.into()).or_default().push(format!("exit {rest}"));
    }
    reviewed
}

/// What is wrong with what a row came to.
fn wrong(row: &Row, ended: &Ended, reviewed: &Reviewed) -> Vec<String> {
    let mut wrong = ended.wrong(row.behaviour.is_read);
    let Ok(log) = &ended.log else { return wrong };
    let Some(expected) = reviewed.get(&row.to_string()) else {
        // Those of HOSTILE_FULL alone claim nothing more than that.
        wrong.extend((!full()).then(|| String::from("tests/outcome/rows.txt does not have it")));
        return wrong;
    };
    // Which request meets the behaviour differs with several workers: how bad it is may, that it is bad may not.
    let is_expected = match row.jobs {
        1 => expected.contains(&log.to_string()),
        _ => log.code() != 0 || expected.iter().any(|expected| expected.starts_with("exit 0")),
    };
    if !is_expected {
        wrong.push(format!("it comes to {log}, and not to {}", expected.join(" or ")));
    }
    wrong
}

/// Works on rows, some at a time: they wait more than they work. Gives what is wrong with any, and of each in order what it
/// came to, with the time and the memory that it took.
fn all_rows(runtime: &Runtime, rows: Vec<Row>) -> (Vec<String>, Vec<(Row, Ended)>) {
    let (failures, done) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    let left = Mutex::new(rows.into_iter().enumerate().collect::<VecDeque<_>>());
    let reviewed = reviewed();
    let work = || {
        while let Some((number, row)) = { left.lock().unwrap_or_else(PoisonError::into_inner).pop_front() } {
            let mut ended = outcome::of(runtime, &row);
            let mut found = wrong(&row, &ended, &reviewed);
            if !found.is_empty() {
                // A machine that is busy makes answers late that are not: what is wrong is wrong twice.
                ended = outcome::of(runtime, &row);
                found = wrong(&row, &ended, &reviewed);
            }
            failures.lock().unwrap().extend(found.into_iter().map(|what| format!("{row}, {} jobs: {what}", row.jobs)));
            done.lock().unwrap().push((number, row, ended));
        }
    };
    thread::scope(|scope| (0..AT_ONCE).for_each(|_| drop(scope.spawn(work))));
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(number, _, _)| *number);
    (failures.into_inner().unwrap(), done.into_iter().map(|(_, row, ended)| (row, ended)).collect())
}

/// Whether all rows are asked for, and not the usual ones.
fn full() -> bool {
    std::env::var_os("HOSTILE_FULL").is_some()
}

/// How many rows are under way at once.
const AT_ONCE: usize = 12;

#[test]
fn every_row_ends_in_time_in_little_memory_with_its_verdict_a_whole_log_and_harmless_reports() {
    let runtime = Runtime::new().unwrap();
    let mut all = rows();
    assert!(all.len() >= 120, "{}", all.len());
    let many = |jobs: usize| move |row: Row| Row { jobs, ..row };
    match full() {
        true => all.extend(rows().into_iter().map(many(2)).chain(rows().into_iter().map(many(64))).collect::<Vec<_>>()),
        false => all.extend(rows().into_iter().step_by(7).map(many(64)).collect::<Vec<_>>()),
    }
    let (wrong, done) = all_rows(&runtime, all);
    if let Some(path) = std::env::var_os("HOSTILE_TABLE") {
        let table = done.iter().map(|(row, ended)| {
            let verdict = ended.log.as_ref().map_or_else(Clone::clone, ToString::to_string);
            format!(
                "{row}, {} jobs: {verdict}, {:.1} s, {} MiB\n",
                row.jobs,
                ended.took.as_secs_f64(),
                ended.peak >> 20
            )
        });
        std::fs::write(path, table.collect::<String>()).unwrap();
    }
    if std::env::var_os("SNAPSHOTS").is_some_and(|value| value == "overwrite") {
        let reviewed = reviewed();
        let alone = done.iter().filter(|(row, _)| row.jobs == 1);
        let table = alone.flat_map(|(row, ended)| {
            let now = ended.log.as_ref().map_or_else(Clone::clone, ToString::to_string);
            let before = reviewed.get(&row.to_string()).filter(|before| before.contains(&now));
            let all = before.cloned().unwrap_or_else(|| vec![now]);
            all.into_iter().map(move |one| format!("{row}: {one}\n"))
        });
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/outcome/rows.txt");
        std::fs::write(path, table.collect::<String>()).unwrap();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_operation_that_comes_back_is_asked_again_at_the_end() {
    static OVER: AtomicBool = AtomicBool::new(false);
    let runtime = Runtime::new().unwrap();
    let close = adversary::behaviour::all().into_iter().find(|one| one.name == "close").unwrap();
    let judged_in_order = |until: Option<&'static AtomicBool>| {
        let when = When { operation: Some(Operation::InitiateLayerUpload), after: 3, until };
        let endpoint = adversary::serve(&runtime, close.clone(), when);
        let target = Target::new(Driver::Http(Http::new(&endpoint, timeouts()).unwrap()));
        let filter = vec![String::from("InitiateLayerUpload/repositoryName/")];
        let settings = Settings {
            services: vec![Service::Ecr],
            filter,
            jobs: 1,
            ..Settings::everything(&endpoint, "ecrspec-hostile")
        };
        let cases = choose_once(&settings).unwrap();
        let work = Work { task: events::Task::Gate, cases, search: None, whole_survey: false };
        let (_keep, stop) = watch::channel(None);
        let mut judged = Vec::new();
        let running = run(Arc::new(target), &settings, work, stop, |event| {
            if let Event::Judged(case) = event {
                judged.push((case.index, case.verdict));
                // Three cases, each tried twice: by then the operation is given up.
                let failed = judged.iter().filter(|(_, verdict)| matches!(verdict, Verdict::Fail { .. })).count();
                until.into_iter().filter(|_| failed == 3).for_each(|over| over.store(true, Ordering::Relaxed));
            }
        });
        runtime.block_on(running).unwrap();
        judged
    };
    let gave_up = |verdict: &Verdict| {
        matches!(
            verdict,
            Verdict::Inconclusive { reason: NotJudged::GaveUpOn { operation: Operation::InitiateLayerUpload } }
        )
    };
    let back = judged_in_order(Some(&OVER));
    assert!(!back.iter().any(|(_, verdict)| gave_up(verdict)), "{back:?}");
    let passed = back.iter().filter(|(_, verdict)| *verdict == Verdict::Pass).count();
    assert_eq!(passed, back.len() - 3, "what was put off is judged: {back:?}");

    let gone = judged_in_order(None);
    assert_eq!(gone.len(), back.len(), "each case has a verdict");
    assert!(gone.iter().filter(|(_, verdict)| gave_up(verdict)).count() > gone.len() / 2, "{gone:?}");
    assert!(gone.iter().any(|(_, verdict)| matches!(verdict, Verdict::Fail { .. })), "what it did is found");
}

#[test]
fn the_guide_has_the_bounds() {
    let page = include_str!("../docs/src/robustness.md");
    let usual = Timeouts::default();
    for bound in [
        format!("{} KiB, and twice the bytes of its request; at most {} MiB", MAX_ANSWER >> 10, MOST_ANSWER >> 20),
        format!("{} KiB, in at most 128 headers", MAX_HEAD >> 10),
        format!("{MAX_VALUES} values, nested {MAX_DEPTH} deep"),
        format!("`--timeout` ({} s)", usual.first_byte.as_secs()),
        format!("half of `--timeout` ({} s)", usual.rest.as_secs()),
        format!("{} MiB", MOST_MEMORY >> 20),
        format!("could not be judged | {} MiB |", MAX_KEPT_OF_ALL >> 20),
    ] {
        assert!(page.contains(&bound), "the page has no {bound:?}");
    }
}

/// Behaviours whose answers are large: every other one is tried usually.
const LARGE: [&str; 12] = [
    "string of 250 KB",
    "string of 10 MB",
    "4,000 keys",
    "a million keys",
    "array of 15 MB",
    "array of 4,000 values",
    "nesting",
    "endless headers",
    "headers of 100 KB",
    "endless body",
    "compression bomb",
    "endless chunks",
];

/// Runs a part of the suite with so many jobs against answers that are large from the beginning, and from one on that comes
/// when cases have begun. With HOSTILE_FULL, the whole suite.
#[test]
#[cfg(target_os = "linux")]
fn large_answers_take_little_memory() {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let jobs: &[&str] = if full() { &["2", "64"] } else { &["64"] };
    let mut rows = VecDeque::new();
    for name in LARGE.into_iter().step_by(if full() { 1 } else { 2 }) {
        for jobs in jobs {
            let afters: &[usize] = if full() { &[0, 60] } else { &[60] };
            rows.extend(afters.iter().map(|after| (name, *jobs, *after)));
        }
    }
    let (rows, told) = (Mutex::new(rows), Mutex::new(Vec::new()));
    let work = || {
        while let Some((name, jobs, after)) = { rows.lock().unwrap().pop_front() } {
            let behaviour = adversary::behaviour::all().into_iter().find(|one| one.name == name).unwrap();
            let endpoint = adversary::serve(&runtime, behaviour, When { operation: None, after, until: None });
            let mut run = Command::new(env!("CARGO_BIN_EXE_ecrspec"));
            run.args(["run", "--service", "ecr", "--endpoint", &endpoint, "--timeout", "2", "--jobs", jobs]);
            run.args(["--report", "html=/dev/null"]).current_dir(folder.path()).stdin(Stdio::null());
            if !full() {
                run.args(["--filter", "BatchCheckLayerAvailability/", "--filter", "wire/body/json/", "--cases", "0"]);
            }
            let clock = Instant::now();
            let (code, peak) = outcome::watched(run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
            let (peak, took) = (peak >> 20, clock.elapsed().as_secs());
            told.lock()
                .unwrap()
                .push((peak, format!("{name}, from {after}, {jobs} jobs: {peak} MiB, {took} s, {code:?}")));
        }
    };
    thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(work))));
    let mut told = told.into_inner().unwrap();
    told.sort();
    let table: String = told.iter().map(|(_, row)| format!("{row}\n")).collect();
    if let Some(path) = std::env::var_os("HOSTILE_MEMORY") {
        std::fs::write(path, &table).unwrap();
    }
    assert!(told.iter().all(|(peak, _)| (1..MOST_MEMORY >> 20).contains(peak)), "{table}");
    assert!(!told.iter().any(|(_, row)| row.ends_with("None")), "{table}");
}

/// A mock in a process of its own, and how to reach it.
#[cfg(target_os = "linux")]
fn mock_process() -> (std::process::Child, String) {
    use std::io::BufRead as _;
    let mut mock = Command::new(env!("CARGO_BIN_EXE_ecrspec"));
    let mut child = mock.args(["mock", "--port", "0"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    std::io::BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let endpoint = line.split_whitespace().find(|word| word.starts_with("http")).unwrap();
    (child, endpoint.trim_end_matches(',').to_owned())
}

#[test]
#[cfg(target_os = "linux")]
fn the_mock_bears_many_clients_with_large_bodies_in_little_memory() {
    const CLIENTS: usize = 25;
    let (mut mock, endpoint) = mock_process();
    let runtime = Runtime::new().unwrap();
    // One body for all: what is measured is what the mock keeps of it.
    let body = Bytes::from([b"{\"a\":\"", &vec![b'x'; 39 << 20][..], b"\"}"].concat());
    let statuses = runtime.block_on(async {
        let send = async |framing: Framing| {
            let http = Http::new(&endpoint, Timeouts::of(Duration::from_secs(60))).unwrap();
            let request = envelope::request(Service::Ecr, Operation::UploadLayerPart, body.clone());
            let exchange = http.send(Request { framing, ..request }).await.unwrap();
            exchange.response().map(|answer| answer.status)
        };
        let clients = (0..CLIENTS).map(|_| send(Framing::Length));
        futures_util::future::join_all(clients).await
    });
    let peak = outcome::memory(&mock);
    mock.kill().unwrap();
    mock.wait().unwrap();
    assert!(statuses.iter().all(|status| *status == Some(400)), "{statuses:?}");
    // Without a bound, the bodies alone have 975 MiB. An answer takes a body a second time.
    assert!((1..500 << 20).contains(&peak), "{} MiB", peak >> 20);
}

#[test]
#[cfg(target_os = "linux")]
fn the_mock_bears_ten_thousand_open_uploads() {
    const UPLOADS: usize = 10_000;
    let (mut mock, endpoint) = mock_process();
    let runtime = Runtime::new().unwrap();
    let http = Http::new(&endpoint, Timeouts::default()).unwrap();
    let call = async |operation: Operation, body: String| {
        let exchange = http.send(envelope::request(Service::Ecr, operation, Bytes::from(body))).await.unwrap();
        let answer = exchange.response().unwrap();
        (answer.status, answer.json().unwrap())
    };
    let uploads = runtime.block_on(async {
        call(Operation::CreateRepository, String::from("{\"repositoryName\":\"many\"}")).await;
        let mut uploads = std::collections::HashSet::new();
        while uploads.len() < UPLOADS {
            let begin = || call(Operation::InitiateLayerUpload, String::from("{\"repositoryName\":\"many\"}"));
            for (status, members) in futures_util::future::join_all((0..50).map(|_| begin())).await {
                assert_eq!(status, 200, "{members}");
                assert!(uploads.insert(members["uploadId"].as_str().unwrap().to_owned()), "{members}");
            }
        }
        let id = uploads.iter().next().unwrap().clone();
        let part = format!(
            "{{\"repositoryName\":\"many\",\"uploadId\":\"{id}\",\"partFirstByte\":0,\"partLastByte\":2,\"layerPartBlob\":\"YWJj\"}}"
        );
        let (status, members) = call(Operation::UploadLayerPart, part).await;
        assert_eq!((status, &members["lastByteReceived"]), (200, &serde_json::json!(2)), "{members}");
        uploads.len()
    });
    let peak = outcome::memory(&mock);
    mock.kill().unwrap();
    mock.wait().unwrap();
    assert_eq!(uploads, UPLOADS);
    assert!((1..MOST_MEMORY).contains(&peak), "{} MiB", peak >> 20);
}
