//! Targets that cut, stall, flood and lie: findings or `inconclusive`, never a panic, a hang or a pass.

mod adversary;

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use adversary::{Behaviour as Hostile, When};

use bytes::Bytes;
use ecrspec::case::Case;
use ecrspec::contract::{Operation, RuleId, Service};
use ecrspec::drive::http::{Http, Timeouts};
use ecrspec::drive::{Driver, Target};
use ecrspec::events::{self, Event};
use ecrspec::judge::{Grade, NotJudged, Verdict};
use ecrspec::mock::Mock;
use ecrspec::report::Summary;
use ecrspec::report::format::{FORMATS, Input};
use ecrspec::report::summary::{Measure, Reason};
use ecrspec::report::terminal::{self, Detail, Reader};
use ecrspec::run::{RunError, Settings, Work, choose_once, run};
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

/// Cases of a row: some that make uploads, some that are rejected, and one of broken JSON.
const CASES: [&str; 5] = [
    "=CompleteLayerUpload/accepted/plain",
    "=CompleteLayerUpload/repositoryName/exists/unknown",
    "=BatchCheckLayerAvailability/repositoryName/exists/deleted",
    "=wire/body/json/open-brace",
    "=UploadLayerPart/accepted/plain",
];

/// How long a row may take. It is bounded by timeouts of a third of a second; generous, since the machine may be busy.
const LONGEST: Duration = Duration::from_secs(40);

/// The rows of the table: each behaviour for all requests from the first on, for those of one operation, and from one on
/// that comes when the cases have begun.
fn rows() -> Vec<(Hostile, When)> {
    let operations = [Operation::InitiateLayerUpload, Operation::UploadLayerPart, Operation::CompleteLayerUpload];
    let of = |(number, behaviour): (usize, Hostile)| {
        let one = Some(operations[number % operations.len()]);
        let whens = [(None, 0), (one, 2), (None, 16)].map(|(operation, after)| When { operation, after, until: None });
        // What an answer says is the same, whenever it is said.
        let kept = if behaviour.is_read && !full() { 1 + number % 2..2 + number % 2 } else { 0..3 };
        whens[kept].iter().map(|when| (behaviour.clone(), *when)).collect::<Vec<_>>()
    };
    adversary::behaviour::all().into_iter().enumerate().flat_map(of).collect()
}

/// What a row came to.
struct Ended {
    code: u8,
    took: Duration,
    /// The grades of what was found, each once.
    grades: Vec<Grade>,
    /// All that anybody may read of it: the format, or the terminal, and its text.
    texts: Vec<(&'static str, String)>,
    /// The exit code of its log.
    code_of_log: u8,
}

/// A run of some cases on a hostile server.
fn against(runtime: &Runtime, behaviour: &Hostile, when: When, cases: &[Case]) -> Ended {
    let endpoint = adversary::serve(runtime, behaviour.clone(), when);
    let timeouts = Timeouts::of(Duration::from_millis(300));
    let target = Target::new(Driver::Http(Http::new(&endpoint, timeouts).unwrap()));
    let (_keep, stop) = watch::channel(None);
    let settings =
        Settings { services: vec![Service::Ecr], jobs: 2, ..Settings::everything(&endpoint, "ecrspec-hostile") };
    let work = Work { task: events::Task::Gate, cases: cases.to_vec(), search: None, whole_survey: true };
    let clock = Instant::now();
    let mut all = Vec::new();
    let outcome = runtime.block_on(run(Arc::new(target), &settings, work, stop, |event| all.push(event)));
    let took = clock.elapsed();
    let summary = Summary::of(&all, &measure()).unwrap();
    let reasons = match outcome {
        Ok(()) => summary.reasons(false),
        Err(RunError::Unreachable { .. }) => vec![Reason::SetUp],
        Err(error) => panic!("{behaviour:?}: {error}"),
    };
    let log: String = all.iter().map(events::line).collect();
    let again = Summary::of(&events::read(&log).unwrap(), &measure()).unwrap();
    let code = |reasons: &[Reason]| reasons.first().map_or(0, |reason| reason.code());
    let mut grades: Vec<Grade> = summary.groups.iter().map(|group| group.finding.grade).collect();
    grades.sort_unstable();
    grades.dedup();
    Ended {
        code: code(&reasons),
        took,
        grades,
        texts: texts(&all, &summary, &reasons),
        code_of_log: code(&again.reasons(false)),
    }
}

/// Each report of a run, as it is written.
fn texts(events: &[Event], summary: &Summary, reasons: &[Reason]) -> Vec<(&'static str, String)> {
    let detail = Detail { groups: 20, verbose: true, reader: Reader::CommandLine };
    let input = Input { events, summary, reasons, detail, states: &[] };
    let mut texts: Vec<_> = FORMATS.iter().map(|format| (format.name, format.render(&input))).collect();
    let mut shown = terminal::header(&summary.started);
    shown.extend(summary.surveys.iter().map(terminal::survey));
    shown += &terminal::report(summary, detail, reasons);
    texts.push(("terminal", shown));
    texts
}

/// What of a text does something to whoever shows it, if anything does.
fn harm(format: &str, text: &str) -> Option<String> {
    let text = if format == "terminal" { without_styles(text) } else { String::from(text) };
    let bidi = |letter: char| matches!(letter, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let acts = |letter: &char| {
        (letter.is_control() && !"\n\t".contains(*letter)) || bidi(*letter) || "\u{2028}\u{2029}".contains(*letter)
    };
    if let Some(letter) = text.chars().find(acts) {
        return Some(format!("{letter:?}"));
    }
    let commands = |line: &&str| line.starts_with("::error::pwned") || line.starts_with("##vso[");
    if let Some(line) = text.lines().find(commands) {
        return Some(String::from(line));
    }
    let tags = ["<img src=x", "<script>pwned"];
    let is_markup = matches!(format, "html" | "junit");
    let tag = tags.into_iter().find(|tag| is_markup && text.contains(tag)).map(String::from);
    tag.or_else(|| if format == "markdown" { harm_of_markdown(&text) } else { None })
}

/// Markup or a link of a target in what is rendered of a page.
fn harm_of_markdown(text: &str) -> Option<String> {
    use pulldown_cmark::{Event, Parser, Tag};
    Parser::new(text).find_map(|event| match event {
        Event::Html(markup) | Event::InlineHtml(markup) if markup.contains("pwned") => Some(markup.to_string()),
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) if dest_url.contains("pwned") => {
            Some(dest_url.to_string())
        }
        _ => None,
    })
}

/// A text without the colours that are the report's own.
fn without_styles(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = String::from(parts.next().unwrap_or_default());
    for part in parts {
        let end = part.find(|letter: char| !letter.is_ascii_digit() && letter != ';');
        match end.map(|end| part.split_at(end)) {
            Some((_, rest)) if rest.starts_with('m') => plain += &rest[1..],
            _ => plain = format!("{plain}\u{1b}[{part}"),
        }
    }
    plain
}

/// Works on rows, some at a time: they wait more than they work. Gives what is wrong with any, and the table.
fn all_rows(runtime: &Runtime, rows: Vec<(Hostile, When)>, cases: &[Case]) -> (Vec<String>, String) {
    let (wrong, table) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    let left = Mutex::new(rows.into_iter().enumerate().collect::<VecDeque<_>>());
    let work = || {
        while let Some((number, (behaviour, when))) =
            { left.lock().unwrap_or_else(PoisonError::into_inner).pop_front() }
        {
            let ended = against(runtime, &behaviour, when, cases);
            let row = format!("{behaviour:?}, {when}: exit {}, {:?}, {:?}", ended.code, ended.grades, ended.took);
            let is_wrong = |what: String| wrong.lock().unwrap().push(format!("{row}: {what}"));
            let is_expected = matches!(ended.code, 1 | 3 | 6) || ended.code == 0 && behaviour.is_read;
            if !is_expected {
                is_wrong(String::from("another exit code was expected"));
            }
            if ended.took > LONGEST {
                is_wrong(String::from("it takes too long"));
            }
            if ended.code_of_log != ended.code {
                is_wrong(format!("its log has exit code {}", ended.code_of_log));
            }
            for (format, text) in &ended.texts {
                harm(format, text).into_iter().for_each(|harm| is_wrong(format!("{format} has {harm}")));
            }
            table.lock().unwrap().push((number, row));
        }
    };
    thread::scope(|scope| (0..AT_ONCE).for_each(|_| drop(scope.spawn(work))));
    let mut table = table.into_inner().unwrap();
    table.sort();
    let mut text = String::new();
    table.iter().for_each(|(_, row)| writeln!(text, "{row}").unwrap());
    (wrong.into_inner().unwrap(), text)
}

/// Whether all rows are asked for, and not the usual ones.
fn full() -> bool {
    std::env::var_os("HOSTILE_FULL").is_some()
}

/// How many rows are under way at once.
const AT_ONCE: usize = 32;

#[test]
fn every_row_ends_in_time_with_a_verdict_a_whole_log_and_harmless_reports() {
    let runtime = Runtime::new().unwrap();
    let settings = Settings {
        services: vec![Service::Ecr],
        filter: CASES.map(String::from).to_vec(),
        ..Settings::everything("", "")
    };
    let cases = choose_once(&settings).unwrap();
    assert_eq!(cases.len(), CASES.len());
    let rows = rows();
    assert!(rows.len() >= 120, "{}", rows.len());
    let (wrong, table) = all_rows(&runtime, rows, &cases);
    if let Some(path) = std::env::var_os("HOSTILE_TABLE") {
        std::fs::write(path, &table).unwrap();
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

/// How many bytes a run may take at most.
const MOST_MEMORY: usize = 200 << 20;

/// What a process has taken at most by the time that it ends, and its exit code.
#[cfg(target_os = "linux")]
fn peak(mut command: Command) -> (usize, Option<i32>) {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        // It only grows; a process that has ended tells of it no more.
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<usize>().ok());
        peak = peak.max(kilobytes.unwrap_or_default() << 10);
        if let Some(status) = child.try_wait().unwrap() {
            return (peak, status.code());
        }
        thread::sleep(Duration::from_millis(5));
    }
}

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
            run.current_dir(folder.path()).stdin(Stdio::null());
            if !full() {
                run.args(["--filter", "BatchCheckLayerAvailability/", "--filter", "wire/body/json/", "--cases", "0"]);
            }
            let clock = Instant::now();
            let (peak, code) = peak(run);
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
}
