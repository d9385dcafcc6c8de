//! What a hostile server does, as data.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ecrspec::wire::Response;
use serde_json::{Map, Value, json};

use super::DRIP;
use super::tls::{Layer, layers};

/// One of the things that a hostile server does.
#[derive(Clone)]
pub struct Behaviour {
    pub name: String,
    pub act: Act,
    /// Whether there is an answer that can be read, whatever it says.
    pub is_read: bool,
    /// What is wrong below HTTP; without it, there is no TLS.
    pub layer: Option<Layer>,
}

/// What is done in place of an answer.
#[derive(Clone)]
pub enum Act {
    /// These bytes, and then this end.
    Raw(Vec<Piece>, End),
    /// The right answer, changed.
    Changed(Arc<dyn Fn(&mut Response) + Send + Sync>),
    /// The answer to the request before, whoever sent it.
    Neighbours,
    /// The right answer, and after a while once more: the next request of the connection finds it.
    Twice(Duration),
    /// The right answer, each time later.
    Slower { first: Duration, factor: f64 },
    /// None: the server is gone.
    Dies(Absence),
}

/// How long a server is gone.
#[derive(Clone, Copy, Debug)]
pub enum Absence {
    ForGood,
    /// For so many connections, which it resets.
    Connections(usize),
}

/// Bytes, and how they come.
#[derive(Clone)]
pub enum Piece {
    Bytes(Bytes),
    /// The same below TLS.
    Below(Bytes),
    Pause(Duration),
    /// The same again and again, with a pause in between.
    ForEver(Duration, Bytes),
    /// The right answer, a byte at a time.
    HonestInDrips(Duration),
}

/// What happens after the bytes.
#[derive(Clone, Copy, Debug)]
pub enum End {
    Next,
    Close,
    /// TCP ends, and TLS does not.
    Cut,
    Reset,
    Hang,
}

impl fmt::Debug for Behaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

pub(super) const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\n";

pub(super) fn raw(name: &str, pieces: Vec<Piece>, end: End) -> Behaviour {
    Behaviour { name: String::from(name), act: Act::Raw(pieces, end), is_read: false, layer: None }
}

/// These bytes, as they are.
fn bytes(name: &str, text: impl Into<Vec<u8>>, end: End) -> Behaviour {
    raw(name, vec![Piece::Bytes(Bytes::from(text.into()))], end)
}

/// A beginning, and then the same for ever.
fn endless(name: &str, begin: &str, every: Duration, more: &[u8]) -> Behaviour {
    let begin = Piece::Bytes(Bytes::copy_from_slice(begin.as_bytes()));
    raw(name, vec![begin, Piece::ForEver(every, Bytes::copy_from_slice(more))], End::Hang)
}

/// A success with this body.
fn body(name: &str, body: impl Into<Vec<u8>>) -> Behaviour {
    let body = Bytes::from(body.into());
    changed(name, move |answer| {
        answer.status = 200;
        answer.body = body.clone();
    })
}

fn changed(name: &str, change: impl Fn(&mut Response) + Send + Sync + 'static) -> Behaviour {
    Behaviour { name: String::from(name), act: Act::Changed(Arc::new(change)), is_read: true, layer: None }
}

/// The right answer with other members.
fn members(name: &str, change: impl Fn(&mut Map<String, Value>) + Send + Sync + 'static) -> Behaviour {
    changed(name, move |answer| {
        if let Some(Value::Object(mut members)) = answer.json() {
            change(&mut members);
            answer.body = Bytes::from(Value::Object(members).to_string());
        }
    })
}

/// All of them.
pub fn all() -> Vec<Behaviour> {
    [
        connections(),
        framings(),
        drips(),
        floods(),
        bodies(),
        values(),
        statuses(),
        strings(),
        mixed_up(),
        moody(),
        layers(),
    ]
    .concat()
}

/// Answers that belong to other requests.
fn mixed_up() -> Vec<Behaviour> {
    let of = |name: &str, act: Act| Behaviour { name: String::from(name), act, is_read: true, layer: None };
    vec![
        of("the answer to the request before", Act::Neighbours),
        of("each answer twice", Act::Twice(Duration::ZERO)),
        of("each answer once more, late", Act::Twice(Duration::from_millis(30))),
    ]
}

/// What is right at first, and then is not, or not for long.
fn moody() -> Vec<Behaviour> {
    let of = |name: &str, act: Act| Behaviour { name: String::from(name), act, is_read: true, layer: None };
    let throttled = changed("throttled for ever", |answer| {
        answer.status = 400;
        answer.body = Bytes::from_static(b"{\"__type\":\"ThrottlingException\",\"message\":\"Rate exceeded\"}");
    });
    vec![
        of("each answer 1.2 times later", Act::Slower { first: Duration::from_millis(20), factor: 1.2 }),
        Behaviour { is_read: false, ..of("gone for good", Act::Dies(Absence::ForGood)) },
        of("gone for two connections", Act::Dies(Absence::Connections(2))),
        of("gone for twelve connections", Act::Dies(Absence::Connections(12))),
        throttled,
    ]
}

/// What happens to the connection.
fn connections() -> Vec<Behaviour> {
    let half = format!("{OK}Content-Length: 50\r\n\r\n{{\"uploadId\":");
    vec![
        raw("silence", Vec::new(), End::Hang),
        raw("close", Vec::new(), End::Close),
        raw("reset", Vec::new(), End::Reset),
        bytes("close in the head", "HTTP/1.1 200 O", End::Close),
        bytes("reset in the head", "HTTP/1.1 200 O", End::Reset),
        bytes("close in the body", half.clone(), End::Close),
        bytes("reset in the body", half.clone(), End::Reset),
        bytes("silence in the body", half, End::Hang),
        bytes("silence in the head", OK, End::Hang),
    ]
}

/// How the answer is framed.
fn framings() -> Vec<Behaviour> {
    let of = |name: &str, headers: &str, end: End| bytes(name, format!("{OK}{headers}\r\n{{}}"), end);
    vec![
        of("negative length", "Content-Length: -1\r\n", End::Hang),
        of("huge length", "Content-Length: 9223372036854775808\r\n", End::Hang),
        of("length that is no number", "Content-Length: two\r\n", End::Hang),
        of("two lengths", "Content-Length: 2\r\nContent-Length: 3\r\n", End::Hang),
        of("length that is too long", "Content-Length: 2000\r\n", End::Hang),
        of("length that is too short", "Content-Length: 1\r\n", End::Close),
        of("chunk of 2^63 bytes", "Transfer-Encoding: chunked\r\n\r\n8000000000000000\r\n", End::Hang),
        of("chunk size that is none", "Transfer-Encoding: chunked\r\n\r\nzz\r\n", End::Hang),
        of("chunk without end", "Transfer-Encoding: chunked\r\n\r\n2\r\n", End::Hang),
        bytes("another version", "HTTP/9.9 200 OK\r\nContent-Length: 2\r\n\r\n{}", End::Close),
        bytes("no HTTP", "\0\u{ff}SSH-2.0-nobody\r\n\r\n", End::Close),
        bytes("a status of four digits", "HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\n{}", End::Close),
        bytes("headers without a colon", "HTTP/1.1 200 OK\r\nnothing\r\n\r\n{}", End::Close),
        bytes("TLS in plain text", b"\x16\x03\x03\x00\x02\x01\x00".to_vec(), End::Close),
        bytes("HTTP/2 in plain text", b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0d".to_vec(), End::Close),
    ]
}

/// What never gets anywhere.
fn drips() -> Vec<Behaviour> {
    let started = format!("{OK}Content-Length: 5000\r\n\r\n{{");
    let chunked = format!("{OK}Transfer-Encoding: chunked\r\n\r\n");
    vec![
        raw("the right answer in drips", vec![Piece::HonestInDrips(DRIP)], End::Next),
        endless("head in drips", OK, DRIP, b"x"),
        endless("body in drips", &started, DRIP, b" "),
        endless("chunks in drips", &chunked, DRIP, b"1\r\n \r\n"),
        endless("interim answers in drips", "", DRIP, b"HTTP/1.1 102 Processing\r\n\r\n"),
    ]
}

/// What has no end.
fn floods() -> Vec<Behaviour> {
    let now = Duration::ZERO;
    let chunked = format!("{OK}Transfer-Encoding: chunked\r\n\r\n");
    vec![
        endless("endless headers", OK, now, &b"X-More: and more and more\r\n".repeat(500)),
        endless("endless header line", &format!("{OK}X-More: "), now, &[b'x'; 16384]),
        endless("endless body", &format!("{OK}\r\n"), now, &[b' '; 16384]),
        endless("endless chunks", &chunked, now, &b"1\r\na\r\n".repeat(1000)),
        endless("endless chunk extension", &format!("{chunked}2;"), now, &[b'x'; 16384]),
        endless("endless interim answers", "", now, &b"HTTP/1.1 102 Processing\r\n\r\n".repeat(100)),
        endless("endless trailers", &format!("{chunked}0\r\n"), now, &b"X-More: 1\r\n".repeat(500)),
        body("string of 10 MB", format!("{{\"uploadId\":\"{}\"}}", "a".repeat(10_000_000))),
        body("string of 250 KB", format!("{{\"uploadId\":\"{}\"}}", "a".repeat(250_000))),
        body("a million keys", keys(1_000_000)),
        body("4,000 keys", keys(4_000)),
        body("array of 15 MB", format!("{{\"layers\":[{}1]}}", "1,".repeat(7_500_000))),
        body("array of 4,000 values", format!("{{\"layers\":[{}1]}}", "1,".repeat(4_000))),
        body("nesting", "[".repeat(200_000)),
        body("nested objects", "{\"a\":".repeat(100_000)),
        body("compression bomb", bomb()),
        changed("headers of 100 KB", |answer| answer.headers.push((String::from("x-more"), "x".repeat(100_000)))),
        changed("headers of 1 MB", |answer| answer.headers.push((String::from("x-more"), "x".repeat(1_000_000)))),
    ]
}

fn keys(count: usize) -> String {
    let keys: Vec<String> = (0..count).map(|key| format!("\"k{key}\":{key}")).collect();
    format!("{{{}}}", keys.join(","))
}

/// Zeros, far more than they look.
fn bomb() -> Vec<u8> {
    miniz_oxide::deflate::compress_to_vec_zlib(&vec![b'0'; 50_000_000], 6)
}

/// Bodies that say nothing, or nothing that can be read.
fn bodies() -> Vec<Behaviour> {
    vec![
        body("empty body", ""),
        body("null", "null"),
        body("number of 10,000 digits", format!("{{\"partSize\":{}}}", "9".repeat(10_000))),
        body("exponent", "{\"partSize\":1e999999}"),
        body("no UTF-8", b"{\"uploadId\":\"\xff\xfe\xc0\"}".to_vec()),
        body("lone surrogate", "{\"uploadId\":\"\\ud800\"}"),
        body("NUL", b"{\"uploadId\":\"\0\"}".to_vec()),
        body("a page", "<html><script>pwned()</script></html>"),
    ]
}

/// Values that no server gives.
fn values() -> Vec<Behaviour> {
    let size = |size: Value| {
        let name = format!("partSize {size}");
        members(&name, move |members| {
            if members.contains_key("partSize") {
                members.insert(String::from("partSize"), size.clone());
            }
        })
    };
    let sizes = [json!(0), json!(-1), json!(1), json!(u64::MAX), json!(1e300), json!("20971520"), json!(null)];
    let mut all: Vec<Behaviour> = sizes.into_iter().map(size).collect();
    all.extend([
        members("no members", Map::clear),
        members("every member null", |members| members.values_mut().for_each(|value| *value = Value::Null)),
        members("every member an array", |members| {
            members.values_mut().for_each(|value| *value = json!([value.take()]))
        }),
        members("upload id of 100 KB", |members| {
            if let Some(id) = members.get_mut("uploadId") {
                *id = Value::from("u".repeat(100_000));
            }
        }),
    ]);
    all
}

/// Statuses, and what goes with them.
fn statuses() -> Vec<Behaviour> {
    let status = |status: u16| changed(&format!("status {status}"), move |answer| answer.status = status);
    let with = |status: u16, header: &'static str, value: &'static str| {
        changed(&format!("status {status} with {header}"), move |answer| {
            answer.status = status;
            answer.headers.push((String::from(header), String::from(value)));
        })
    };
    let mut all: Vec<Behaviour> = [101, 204, 206, 304, 401, 403, 404, 500, 503, 599, 999].map(status).into();
    all.extend([
        // Port 9 discards: whoever follows hears nothing.
        with(301, "location", "http://127.0.0.1:9/"),
        with(307, "location", "http://127.0.0.1:9/"),
        with(429, "x-more", "throttled for ever"),
        with(503, "retry-after", "1000000"),
        with(503, "retry-after", "0"),
    ]);
    all
}

/// What does something to whoever shows it.
pub const HARMFUL: [(&str, &str); 6] = [
    ("escape sequences", "\u{1b}[2J\u{1b}[31mpwned\u{7}\r"),
    ("a command of the terminal", "\u{1b}]52;c;cHduZWQ=\u{7}\u{9b}31m\u{90}pwned"),
    ("bidi and line separators", "\u{202e}denwp\u{2066}\u{2028}\u{2029}\u{61c}\u{200f}\u{85}"),
    ("workflow commands", "\n::error::pwned\n##vso[task.complete]pwned\n"),
    ("markup", "<img src=x onerror=pwned()>]]></script><script>pwned()</script>|`[x](javascript:pwned())"),
    ("shell code", "'\"; touch pwned; $(touch pwned) `touch pwned` \\"),
];

/// Such strings in each place of an answer.
fn strings() -> Vec<Behaviour> {
    let mut all = Vec::new();
    for (name, text) in HARMFUL {
        all.push(changed(&format!("{name} in an error"), move |answer| {
            answer.status = 400;
            let error = json!({ "__type": text, "message": text, text: text });
            answer.body = Bytes::from(error.to_string());
        }));
        all.push(members(&format!("{name} in members"), move |members| {
            members.values_mut().filter(|value| value.is_string()).for_each(|value| *value = Value::from(text));
            members.insert(String::from(text), json!([{ text: text }]));
        }));
        // What cannot stand in a header is left out.
        let line: String = text.chars().filter(|letter| !matches!(letter, '\r' | '\n')).collect();
        all.push(changed(&format!("{name} in headers"), move |answer| {
            answer.headers.retain(|(name, _)| name != "content-type");
            for name in ["content-type", "x-amzn-errortype", "location", "x-amzn-requestid"] {
                answer.headers.push((String::from(name), line.clone()));
            }
        }));
    }
    all
}
