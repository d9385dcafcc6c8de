//! Servers that read requests, or write answers, otherwise than HTTP has it: each is found by its rule, and the rest is
//! judged all the same. Servers that do lawfully what others do not pass.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use ecrspec::contract::{RuleId, Service};
use ecrspec::drive::http::{Http, Timeouts};
use ecrspec::drive::{Driver, Target};
use ecrspec::events::Event;
use ecrspec::mock::Mock;
use ecrspec::report::Summary;
use ecrspec::report::summary::{Measure, Reason};
use ecrspec::run::{Settings, Work, run};
use ecrspec::wire::{Framing, Request, Response, Signature, envelope};
use serde_json::json;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::at_once;

/// How a server reads requests.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Reads {
    Rightly,
    NamesWithCase,
    NeedsASpace,
    KeepsSpaces,
    TypeBeforeTarget,
    BodyOfOnePacket,
    FirstChunkAlone,
    NoChunkExtensions,
    SizesInSmallLetters,
    PathAlone,
    ExpectationFails,
    HeadOfOnePacket,
}

/// How a server writes answers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Writes {
    Rightly,
    Chunked,
    Closing,
    OldHttp,
    AfterAHint,
    InPieces,
    LongerThanItIs,
    LongerAndClosed,
    TwoShorter,
    LineAfterTheEnd,
    AnswerTwice,
    BothLengths,
    NoLastChunk,
    ChunkCut,
}

/// A request as it came over the wire.
struct Read {
    version_line: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// Reads one request; `None` at the end of a connection, and a status where it cannot be read.
fn read(stream: &mut TcpStream, reads: Reads, buffer: &mut Vec<u8>) -> Option<Result<Read, u16>> {
    let mut packets = 0;
    let head = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break buffer.drain(..end + 4).collect::<Vec<u8>>();
        }
        if packets == 1 && reads == Reads::HeadOfOnePacket {
            return Some(Err(400));
        }
        packets += 1;
        more(stream, buffer)?;
    };
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut lines = head.trim_end().split("\r\n");
    let version_line = String::from(lines.next()?);
    let mut headers = Vec::new();
    for line in lines {
        let (name, value) = line.split_once(':')?;
        let value = match reads {
            Reads::NeedsASpace if !value.starts_with(' ') => return Some(Err(400)),
            Reads::KeepsSpaces => value.strip_prefix(' ').unwrap_or(value),
            _ => value.trim(),
        };
        headers.push((String::from(name), String::from(value)));
    }
    let header = |name: &str| {
        let found = headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim().to_lowercase())
    };
    if header("expect").is_some() && reads == Reads::ExpectationFails {
        return Some(Err(417));
    }
    if header("transfer-encoding").is_some_and(|coding| coding == "chunked") {
        let body = chunks(stream, reads, buffer)?;
        return Some(body.map(|body| Read { version_line, headers, body }));
    }
    let length: usize = header("content-length").and_then(|length| length.parse().ok()).unwrap_or_default();
    while buffer.len() < length {
        if reads == Reads::BodyOfOnePacket && !buffer.is_empty() {
            break;
        }
        more(stream, buffer)?;
    }
    let body = buffer.drain(..length.min(buffer.len())).collect();
    Some(Ok(Read { version_line, headers, body }))
}

fn chunks(stream: &mut TcpStream, reads: Reads, buffer: &mut Vec<u8>) -> Option<Result<Vec<u8>, u16>> {
    let (mut body, mut count) = (Vec::new(), 0);
    loop {
        let line = line(stream, buffer)?;
        if line.contains(';') && reads == Reads::NoChunkExtensions {
            return Some(Err(400));
        }
        let digits = line.split(';').next()?;
        if digits.chars().any(|digit| digit.is_ascii_uppercase()) && reads == Reads::SizesInSmallLetters {
            return Some(Err(400));
        }
        let size = usize::from_str_radix(digits, 16).ok()?;
        if size == 0 {
            while !self::line(stream, buffer)?.is_empty() {}
            return Some(Ok(body));
        }
        while buffer.len() < size + 2 {
            more(stream, buffer)?;
        }
        let chunk: Vec<u8> = buffer.drain(..size + 2).collect();
        count += 1;
        // Who takes the first chunks for the whole has often seen no more than two.
        if reads != Reads::FirstChunkAlone || count <= 20 {
            body.extend_from_slice(&chunk[..size]);
        }
    }
}

fn line(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<String> {
    loop {
        if let Some(end) = buffer.windows(2).position(|pair| pair == b"\r\n") {
            let line: Vec<u8> = buffer.drain(..end + 2).collect();
            return Some(String::from_utf8_lossy(&line[..end]).into_owned());
        }
        more(stream, buffer)?;
    }
}

fn more(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<()> {
    let mut bytes = [0; 65536];
    let count = stream.read(&mut bytes).ok().filter(|count| *count > 0)?;
    buffer.extend_from_slice(&bytes[..count]);
    Some(())
}

/// What the mock answers to a request as it was read.
fn answer(mock: &Mock, reads: Reads, read: Read) -> Response {
    let (name, target) = ("Content-Type", "X-Amz-Target");
    let place = |name: &str| read.headers.iter().position(|(known, _)| known.eq_ignore_ascii_case(name));
    let mut headers = read.headers.clone();
    match reads {
        Reads::NamesWithCase => headers.retain(|(known, _)| known == name || known == target),
        Reads::TypeBeforeTarget if place(name) > place(target) => headers.clear(),
        Reads::PathAlone if !read.version_line.starts_with("POST / ") => {
            return envelope::response(404, &json!({ "message": "not found" }));
        }
        _ => {}
    }
    let method = read.version_line.split(' ').next().unwrap_or_default();
    let request = Request {
        method: String::from(method),
        headers,
        body: Bytes::from(read.body),
        framing: Framing::Length,
        signature: Signature::Valid,
    };
    mock.answer(request).expect("a sound mock answers")
}

/// Writes an answer; `false` where the connection ends with it.
fn write(stream: &mut TcpStream, writes: Writes, answer: &Response) -> std::io::Result<bool> {
    let body = &answer.body[..];
    let headers: String = answer.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!("HTTP/1.1 {} Some Reason\r\n{headers}", answer.status);
    let with_length =
        |length: usize| [head.as_bytes(), format!("Content-Length: {length}\r\n\r\n").as_bytes(), body].concat();
    let chunked = |end: &str| {
        let framing = "Transfer-Encoding: chunked\r\n\r\n";
        let (first, second) = body.split_at(body.len() / 2);
        let chunk = |bytes: &[u8]| [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
        [head.as_bytes(), framing.as_bytes(), &chunk(first), &chunk(second), end.as_bytes()].concat()
    };
    let plain = with_length(body.len());
    match writes {
        Writes::Rightly => stream.write_all(&plain)?,
        Writes::Chunked => stream.write_all(&chunked("0\r\n\r\n"))?,
        Writes::Closing => {
            let said = String::from_utf8_lossy(&plain).replacen("\r\n", "\r\nConnection: close\r\n", 1);
            stream.write_all(said.as_bytes())?;
        }
        Writes::OldHttp => stream.write_all(&[b"HTTP/1.0", &plain[8..]].concat())?,
        Writes::AfterAHint => {
            stream.write_all(&[b"HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n", &plain[..]].concat())?
        }
        Writes::InPieces => {
            for piece in plain.chunks(plain.len() / 4 + 1) {
                stream.write_all(piece)?;
                thread::sleep(Duration::from_millis(2));
            }
        }
        Writes::LongerThanItIs | Writes::LongerAndClosed => stream.write_all(&with_length(body.len() + 2))?,
        Writes::TwoShorter => stream.write_all(&with_length(body.len() - 2))?,
        Writes::LineAfterTheEnd => stream.write_all(&[&plain[..], b"0\n"].concat())?,
        Writes::AnswerTwice => stream.write_all(&[&plain[..], &plain[..]].concat())?,
        Writes::BothLengths => {
            let with_both = String::from_utf8_lossy(&chunked("0\r\n\r\n")).into_owned();
            let both = format!("Content-Length: {}\r\nTransfer-Encoding", body.len());
            stream.write_all(with_both.replacen("Transfer-Encoding", &both, 1).as_bytes())?;
        }
        Writes::NoLastChunk => stream.write_all(&chunked(""))?,
        Writes::ChunkCut => {
            let whole = chunked("");
            stream.write_all(&whole[..whole.len() - 4])?;
        }
    }
    let closes = [Writes::Closing, Writes::OldHttp, Writes::LongerAndClosed, Writes::NoLastChunk, Writes::ChunkCut];
    Ok(!closes.contains(&writes))
}

/// A server on a loopback port.
fn serve(reads: Reads, writes: Writes) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let mock = Arc::new(Mock::new(&Service::ALL));
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mock = mock.clone();
            let _ = stream.set_nodelay(true);
            thread::spawn(move || {
                let mut buffer = Vec::new();
                while let Some(read) = read(&mut stream, reads, &mut buffer) {
                    let said = match read {
                        Ok(read) => answer(&mock, reads, read),
                        Err(status) => envelope::response(status, &json!({ "message": "cannot be read" })),
                    };
                    if !matches!(write(&mut stream, writes, &said), Ok(true)) {
                        return;
                    }
                }
            });
        }
    });
    endpoint
}

/// Runs the cases with these in their ids.
fn judged(endpoint: &str, filter: &[&str]) -> Summary {
    let long = Duration::from_secs(2);
    let http = Http::new(endpoint, Timeouts { connect: long, first_byte: long, rest: long }).unwrap();
    let settings = Settings {
        services: vec![Service::Ecr],
        filter: filter.iter().map(|part| String::from(*part)).collect(),
        jobs: 4,
        ..Settings::everything(endpoint, "ecrspec-framing")
    };
    let events = Mutex::new(Vec::<Event>::new());
    let (_keep, stop) = watch::channel(None);
    let work = Work { search: None, ..Work::usual(&settings).unwrap() };
    let target = Arc::new(Target::new(Driver::Http(http)));
    let sink = |event| events.lock().unwrap().push(event);
    Runtime::new().unwrap().block_on(run(target, &settings, work, stop, sink)).unwrap();
    let measure =
        Measure { known: Vec::new(), today: jiff::civil::date(2026, 11, 20), deny_warnings: false, all_parts: false };
    Summary::of(&events.into_inner().unwrap(), &measure).unwrap()
}

fn rules(summary: &Summary) -> Vec<String> {
    summary.groups.iter().map(|group| format!("{} ({})", group.finding.rule, group.finding.sentence())).collect()
}

#[test]
fn who_reads_requests_otherwise_is_found() {
    let rows = [
        (Reads::NamesWithCase, "wire/header/case"),
        (Reads::NeedsASpace, "wire/header/white-space"),
        (Reads::KeepsSpaces, "wire/header/white-space"),
        (Reads::TypeBeforeTarget, "wire/header/order"),
        (Reads::BodyOfOnePacket, "wire/framing/pieces"),
        (Reads::HeadOfOnePacket, "wire/framing/pieces"),
        (Reads::FirstChunkAlone, "wire/framing/chunks"),
        (Reads::NoChunkExtensions, "wire/framing/chunks"),
        (Reads::SizesInSmallLetters, "wire/framing/chunks"),
        (Reads::PathAlone, "wire/framing/absolute-form"),
        (Reads::ExpectationFails, "wire/framing/expect"),
    ];
    for (reads, rule) in rows {
        let summary = judged(&serve(reads, Writes::Rightly), &[rule]);
        let found = summary.groups.iter().any(|group| group.finding.rule.to_string() == rule);
        assert!(found, "{reads:?}: no finding names {rule}: {:?}", rules(&summary));
    }
}

/// Cases of some operations, written by the HTTP library and by hand.
const SOME: [&str; 4] =
    ["wire/framing/", "CompleteLayerUpload/layer/", "UploadLayerPart/partFirstByte/", "wire/body/order"];

#[test]
fn who_writes_answers_otherwise_is_found_and_judged() {
    let rows = [
        Writes::LongerThanItIs,
        Writes::LongerAndClosed,
        Writes::TwoShorter,
        Writes::LineAfterTheEnd,
        Writes::AnswerTwice,
        Writes::BothLengths,
        Writes::NoLastChunk,
        Writes::ChunkCut,
    ];
    at_once(rows, |writes| {
        let summary = judged(&serve(Reads::Rightly, writes), &SOME);
        let framing = RuleId::new("answer/framing");
        let found = summary.groups.iter().any(|group| group.finding.rule == framing);
        assert!(found, "{writes:?}: {:?}, {:?}", rules(&summary), summary.reasons(false));
        // Whatever else is told is told of the answers, and not of what the server does.
        // Where the upload id is what was cut off, no upload goes on.
        let is_cut = writes == Writes::ChunkCut;
        let is_of_answers =
            |rule: &String| rule.starts_with("answer/") || (is_cut && rule.starts_with("survey/plain-upload"));
        let others: Vec<String> = rules(&summary).into_iter().filter(|rule| !is_of_answers(rule)).collect();
        assert!(others.is_empty(), "{writes:?}: {others:?}");
        assert_eq!(summary.reasons(false), [Reason::Findings], "{writes:?}");
    });
}

#[test]
fn who_writes_answers_in_another_lawful_way_passes() {
    for writes in
        [Writes::Rightly, Writes::Chunked, Writes::Closing, Writes::OldHttp, Writes::AfterAHint, Writes::InPieces]
    {
        let summary = judged(&serve(Reads::Rightly, writes), &SOME);
        assert!(summary.groups.is_empty(), "{writes:?}: {:?}", rules(&summary));
        assert_eq!(summary.reasons(false), [], "{writes:?}");
        assert!(summary.counts(|_| true).passed > 60, "{writes:?}");
    }
}
