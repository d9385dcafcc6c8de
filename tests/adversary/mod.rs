//! A hostile server: raw sockets that answer as the reference server does until they are told otherwise. What it does then
//! is data: bytes, how fast they come, and how the connection ends.
#![allow(dead_code, reason = "each test file uses some of it")]

pub mod behaviour;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use ecrspec::contract::{Operation, Service};
use ecrspec::mock::Mock;
use ecrspec::wire::{Framing, Request, Response, Signature};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::time::sleep;

pub use behaviour::{Act, Behaviour, End, Piece};

/// Which requests are answered with a behaviour.
#[derive(Clone, Copy, Debug)]
pub struct When {
    /// Those of an operation; all without one.
    pub operation: Option<Operation>,
    /// After so many that were answered as they should be.
    pub after: usize,
    /// Until this says so; for ever without it.
    pub until: Option<&'static AtomicBool>,
}

impl std::fmt::Display for When {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = self.operation.map_or("all", Operation::name);
        write!(f, "{what} from {}", self.after + 1)
    }
}

struct Shared {
    mock: Mock,
    behaviour: Behaviour,
    when: When,
    asked: AtomicUsize,
}

/// Serves on a free port for as long as the runtime lives, and gives the endpoint.
pub fn serve(runtime: &Runtime, behaviour: Behaviour, when: When) -> String {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let shared = Arc::new(Shared { mock: Mock::new(&Service::ALL), behaviour, when, asked: AtomicUsize::new(0) });
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let shared = shared.clone();
            tokio::spawn(async move { shared.connection(stream).await });
        }
    });
    format!("http://{address}")
}

impl Shared {
    async fn connection(&self, mut stream: TcpStream) -> io::Result<()> {
        let mut buffer = Vec::new();
        while let Some((request, closes)) = read(&mut stream, &mut buffer).await? {
            let is_meant = self.when.operation.is_none_or(|operation| request.operation() == Some(operation));
            let is_late = is_meant && self.asked.fetch_add(1, Ordering::Relaxed) >= self.when.after;
            let is_late = is_late && !self.when.until.is_some_and(|over| over.load(Ordering::Relaxed));
            let honest = self.mock.answer(request).expect("the mock answers");
            if !is_late {
                stream.write_all(&written(&honest)).await?;
            } else if !self.behaviour.act(&mut stream, honest).await? {
                return Ok(());
            }
            if closes {
                return stream.shutdown().await;
            }
        }
        Ok(())
    }
}

impl Behaviour {
    /// Answers in this way. Whether the connection goes on.
    async fn act(&self, stream: &mut TcpStream, mut honest: Response) -> io::Result<bool> {
        let (pieces, end) = match &self.act {
            Act::Raw(pieces, end) => (&pieces[..], *end),
            Act::Changed(change) => {
                change(&mut honest);
                stream.write_all(&written(&honest)).await?;
                return Ok(true);
            }
        };
        for piece in pieces {
            match piece {
                Piece::Bytes(bytes) => stream.write_all(bytes).await?,
                Piece::ForEver(every, bytes) => loop {
                    stream.write_all(bytes).await?;
                    if !every.is_zero() {
                        sleep(*every).await;
                    }
                },
                Piece::HonestInDrips(every) => {
                    for byte in written(&honest) {
                        stream.write_all(&[byte]).await?;
                        sleep(*every).await;
                    }
                }
            }
        }
        match end {
            End::Next => return Ok(true),
            End::Close => stream.shutdown().await?,
            End::Reset => stream.set_zero_linger()?,
            // The client ends it.
            End::Hang => while stream.read(&mut [0; 1024]).await? > 0 {},
        }
        Ok(false)
    }
}

/// A response as it travels.
pub fn written(answer: &Response) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} Status\r\n", answer.status);
    for (name, value) in &answer.headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += &format!("Content-Length: {}\r\n\r\n", answer.body.len());
    [head.as_bytes(), &answer.body[..]].concat()
}

/// The next request, and whether the connection ends after it.
async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<Option<(Request, bool)>> {
    let end = loop {
        if let Some(end) = position(buffer, b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    buffer.drain(..end + 4);
    let mut lines = head.lines();
    let method = lines.next().and_then(|line| line.split(' ').next()).unwrap_or_default();
    let pair = |line: &str| line.split_once(':').map(|(name, value)| (name.to_lowercase(), String::from(value.trim())));
    let headers: Vec<(String, String)> = lines.filter_map(pair).collect();
    let header = |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    if header("expect").is_some() {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    let body = match header("content-length").and_then(|length| length.parse::<usize>().ok()) {
        Some(length) => {
            while buffer.len() < length {
                if stream.read_buf(buffer).await? == 0 {
                    return Ok(None);
                }
            }
            buffer.drain(..length).collect()
        }
        None if header("transfer-encoding").is_some() => chunks(stream, buffer).await?,
        None => Vec::new(),
    };
    let closes = header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    let request = Request {
        method: String::from(method),
        headers,
        body: Bytes::from(body),
        framing: Framing::Length,
        signature: Signature::Valid,
    };
    Ok(Some((request, closes)))
}

/// A body in chunks.
async fn chunks(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = loop {
            match position(buffer, b"\r\n") {
                Some(end) => break buffer.drain(..end + 2).collect::<Vec<u8>>(),
                None if stream.read_buf(buffer).await? == 0 => return Ok(body),
                None => {}
            }
        };
        let line = String::from_utf8_lossy(&line).into_owned();
        let size = line.split(';').next().and_then(|size| usize::from_str_radix(size.trim(), 16).ok()).unwrap_or(0);
        while buffer.len() < size + 2 {
            if stream.read_buf(buffer).await? == 0 {
                return Ok(body);
            }
        }
        body.extend(buffer.drain(..size));
        buffer.drain(..2);
        if size == 0 {
            return Ok(body);
        }
    }
}

fn position(bytes: &[u8], of: &[u8]) -> Option<usize> {
    bytes.windows(of.len()).position(|window| window == of)
}

/// A moment between two bytes, in a test that has no seconds to lose.
pub const DRIP: Duration = Duration::from_millis(60);
