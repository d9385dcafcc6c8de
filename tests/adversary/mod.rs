//! A hostile server: raw sockets that answer as the reference server does until they are told otherwise. What it does then
//! is data: bytes, how fast they come, and how the connection ends.
#![allow(dead_code, reason = "each test file uses some of it")]

pub mod behaviour;
pub mod tls;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use ecrspec::contract::{Operation, Service};
use ecrspec::mock::Mock;
use ecrspec::wire::{Framing, Request, Response, Signature};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_rustls::server::TlsStream;

pub use behaviour::{Absence, Act, Behaviour, End, Piece};
use tls::{Acceptors, Layer};

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
    /// Requests that were meant; connections, where it is the handshake that is wrong.
    asked: AtomicUsize,
    /// Those that were answered with the behaviour.
    acted: AtomicUsize,
    /// The answer that waits for another request than its own.
    neighbour: Mutex<Option<Response>>,
    /// How many connections are still ended at once, for the server is dead.
    dead: AtomicUsize,
    /// Told when the server is gone for good.
    gone: Notify,
    acceptors: Option<Acceptors>,
}

/// A hostile server, for as long as its runtime lives.
pub struct Server {
    pub endpoint: String,
    /// The flags that say whom to trust.
    pub flags: Vec<String>,
}

/// Serves on a free port for as long as the runtime lives, and gives the endpoint.
pub fn serve(runtime: &Runtime, behaviour: Behaviour, when: When) -> String {
    start(runtime, behaviour, when).endpoint
}

/// The same, with the flags that are needed to reach it.
pub fn start(runtime: &Runtime, behaviour: Behaviour, when: When) -> Server {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let acceptors = behaviour.layer.map(Acceptors::of);
    let flags = acceptors.iter().flat_map(Acceptors::flags).collect();
    let scheme = if acceptors.is_some() { "https" } else { "http" };
    let shared = Arc::new(Shared {
        mock: Mock::new(&Service::ALL),
        behaviour,
        when,
        asked: AtomicUsize::new(0),
        acted: AtomicUsize::new(0),
        neighbour: Mutex::default(),
        dead: AtomicUsize::new(0),
        gone: Notify::new(),
        acceptors,
    });
    runtime.spawn(async move {
        // Once the server is gone, so is the listener: connections are refused.
        while let Some(Ok((stream, _))) = accepted(&listener, &shared.gone).await {
            let shared = shared.clone();
            tokio::spawn(async move { shared.accept(stream).await });
        }
    });
    Server { endpoint: format!("{scheme}://{address}"), flags }
}

async fn accepted(listener: &TcpListener, gone: &Notify) -> Option<io::Result<(TcpStream, SocketAddr)>> {
    tokio::select! {
        stream = listener.accept() => Some(stream),
        () = gone.notified() => None,
    }
}

/// What a request goes over: TCP, or TLS over it.
trait Wire: AsyncRead + AsyncWrite + Unpin + Send {
    fn tcp(&mut self) -> &mut TcpStream;
}

impl Wire for TcpStream {
    fn tcp(&mut self) -> &mut TcpStream {
        self
    }
}

impl Wire for TlsStream<TcpStream> {
    fn tcp(&mut self) -> &mut TcpStream {
        self.get_mut().0
    }
}

impl Shared {
    /// Whether one more that is meant is to be answered with the behaviour.
    fn is_late(&self) -> bool {
        let is_late = self.asked.fetch_add(1, Ordering::Relaxed) >= self.when.after;
        is_late && !self.when.until.is_some_and(|over| over.load(Ordering::Relaxed))
    }

    async fn accept(&self, mut stream: TcpStream) -> io::Result<()> {
        let is_dead = |left: usize| left.checked_sub(1);
        if self.dead.fetch_update(Ordering::SeqCst, Ordering::SeqCst, is_dead).is_ok() {
            // Once it has sent something: how a connection that ends before that is told, is a race.
            let _ = stream.read(&mut [0; 4096]).await?;
            return stream.set_zero_linger();
        }
        match (&self.acceptors, self.behaviour.layer) {
            (Some(acceptors), Some(layer)) => {
                let is_wrong = layer.is_of_connections() && self.is_late();
                match acceptors.accept(stream, is_wrong).await? {
                    Some(stream) => self.connection(stream).await,
                    None => Ok(()),
                }
            }
            _ => self.connection(stream).await,
        }
    }

    async fn connection(&self, mut stream: impl Wire) -> io::Result<()> {
        // Of connections that are wrong one counts after the other: each has one request.
        let is_single = self.behaviour.layer.is_some_and(Layer::is_of_connections);
        let mut buffer = Vec::new();
        while let Some((request, closes)) = read(&mut stream, &mut buffer).await? {
            if self.dead.load(Ordering::SeqCst) > 0 {
                return stream.tcp().set_zero_linger();
            }
            let is_meant = self.when.operation.is_none_or(|operation| request.operation() == Some(operation));
            let is_late = !is_single && is_meant && self.is_late();
            let mut honest = self.mock.answer(request).expect("the mock answers");
            if is_single {
                honest.headers.push((String::from("connection"), String::from("close")));
            }
            if !is_late {
                stream.write_all(&written(&honest)).await?;
                stream.flush().await?;
            } else if !self.act(&mut stream, honest).await? {
                return Ok(());
            }
            if closes || is_single {
                return stream.shutdown().await;
            }
        }
        Ok(())
    }

    /// Answers with the behaviour. Whether the connection goes on.
    async fn act(&self, stream: &mut impl Wire, mut honest: Response) -> io::Result<bool> {
        let times = self.acted.fetch_add(1, Ordering::Relaxed);
        match &self.behaviour.act {
            Act::Raw(pieces, end) => {
                for piece in pieces {
                    piece.send(stream, &honest).await?;
                }
                return end.of(stream).await;
            }
            Act::Changed(change) => change(&mut honest),
            Act::Neighbours => {
                let before = self.neighbour.lock().unwrap().replace(honest.clone());
                honest = before.unwrap_or(honest);
            }
            Act::Twice(pause) if pause.is_zero() => {
                stream.write_all(&[written(&honest), written(&honest)].concat()).await?;
                stream.flush().await?;
                return Ok(true);
            }
            Act::Twice(pause) => {
                stream.write_all(&written(&honest)).await?;
                stream.flush().await?;
                sleep(*pause).await;
            }
            Act::Slower { first, factor } => sleep(first.mul_f64(factor.powf(times as f64))).await,
            Act::Dies(absence) => {
                match absence {
                    Absence::ForGood => self.gone.notify_one(),
                    Absence::Connections(count) if times == 0 => self.dead.store(*count, Ordering::SeqCst),
                    // It is back.
                    Absence::Connections(_) => {
                        stream.write_all(&written(&honest)).await?;
                        return Ok(true);
                    }
                }
                stream.tcp().set_zero_linger()?;
                return Ok(false);
            }
        }
        stream.write_all(&written(&honest)).await?;
        stream.flush().await?;
        Ok(true)
    }
}

impl Piece {
    async fn send(&self, stream: &mut impl Wire, honest: &Response) -> io::Result<()> {
        match self {
            Piece::Bytes(bytes) => stream.write_all(bytes).await?,
            Piece::Below(bytes) => {
                stream.flush().await?;
                stream.tcp().write_all(bytes).await?;
            }
            Piece::Pause(time) => {
                stream.flush().await?;
                sleep(*time).await;
            }
            Piece::ForEver(every, bytes) => loop {
                stream.write_all(bytes).await?;
                stream.flush().await?;
                if !every.is_zero() {
                    sleep(*every).await;
                }
            },
            Piece::HonestInDrips(every) => {
                for byte in written(honest) {
                    stream.write_all(&[byte]).await?;
                    stream.flush().await?;
                    sleep(*every).await;
                }
            }
        }
        stream.flush().await
    }
}

impl End {
    /// Whether the connection goes on.
    async fn of(self, stream: &mut impl Wire) -> io::Result<bool> {
        match self {
            End::Next => return Ok(true),
            End::Close => stream.shutdown().await?,
            End::Cut => stream.tcp().shutdown().await?,
            End::Reset => stream.tcp().set_zero_linger()?,
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
async fn read(stream: &mut impl Wire, buffer: &mut Vec<u8>) -> io::Result<Option<(Request, bool)>> {
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
        stream.flush().await?;
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
async fn chunks(stream: &mut impl Wire, buffer: &mut Vec<u8>) -> io::Result<Vec<u8>> {
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
