//! Writes requests by hand where an HTTP library would choose its own spelling, framing or order of events.
//!
//! One connection a request, but for the one that is sent second. The answer is read while the request is still being written, so that a server that answers
//! early and closes is heard.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use reqwest::Url;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::timeouts::Waits;
use super::transport::of_connect;
use crate::contract::Operation;
use crate::wire::{Flaw, Framing, MAX_ANSWER, NoConnection, Reply, Request, Response, TransportError, decode};

/// Sends a request to a plain-text endpoint.
pub(super) async fn send(endpoint: &Url, request: &Request, waits: &Waits) -> Reply {
    let stream = connect(endpoint, waits).await?;
    if request.framing != Framing::SecondRequest {
        return talk(stream, endpoint, request, waits).await;
    }
    let first = Request { framing: Framing::SecondRequest, ..harmless(request) };
    let (mut reader, writer, answer) = exchange(Reader::of(stream), endpoint, &first, waits).await;
    let excess = reader.excess().await;
    match (answer?, writer) {
        (answer, Some(write)) if !answer.closes && !reader.ended && !excess => {
            reader.buffer.clear();
            let (_, _, answer) = exchange((reader, write), endpoint, request, waits).await;
            answer.map(|Answered { response, .. }| with_excess(response, excess))
        }
        // The server ends the connection, as it may, or it cannot be told what belongs to which answer.
        _ => {
            let stream = connect(endpoint, waits).await?;
            talk(stream, endpoint, request, waits).await.map(|response| with_excess(response, excess))
        }
    }
}

/// A request that changes nothing, for the same service.
fn harmless(request: &Request) -> Request {
    let mut first = request.with_body(Bytes::from_static(b"{}"));
    for (_, value) in first.headers.iter_mut().filter(|(name, _)| name.eq_ignore_ascii_case("x-amz-target")) {
        let prefix = value.rsplit_once('.').map_or("", |(prefix, _)| prefix);
        *value = format!("{prefix}.{}", Operation::DescribeRepositories);
    }
    first
}

/// Opens a connection.
pub(super) async fn connect(endpoint: &Url, waits: &Waits) -> Result<TcpStream, TransportError> {
    let host = endpoint.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let port = endpoint.port_or_known_default().unwrap_or(80);
    let connected = timeout(waits.of.connect, async {
        let addresses = lookup_host((host, port)).await.map_err(|_| NoConnection::NameNotResolved)?;
        TcpStream::connect(&*addresses.collect::<Vec<_>>()).await.map_err(|error| of_connect(&error))
    });
    let stream = connected.await.unwrap_or(Err(NoConnection::TimedOut)).map_err(TransportError::Unreachable)?;
    let _ = stream.set_nodelay(true); // A short body would wait until its head is acknowledged.
    Ok(stream)
}

/// Sends a request over an open connection.
pub(super) async fn talk(stream: TcpStream, endpoint: &Url, request: &Request, waits: &Waits) -> Reply {
    let (mut reader, _write, answer) = exchange(Reader::of(stream), endpoint, request, waits).await;
    let response = answer?.response;
    Ok(if response.flaw.is_none() { with_excess(response, reader.excess().await) } else { response })
}

/// An answer, and whether the server ends the connection after it.
struct Answered {
    response: Response,
    closes: bool,
}

fn with_excess(response: Response, excess: bool) -> Response {
    Response { flaw: response.flaw.or(excess.then_some(Flaw::Excess)), ..response }
}

/// Sends a request and reads its answer. Gives the two halves of the connection back, as far as the request was written.
async fn exchange(
    (mut reader, write): (Reader, OwnedWriteHalf),
    endpoint: &Url,
    request: &Request,
    waits: &Waits,
) -> (Reader, Option<OwnedWriteHalf>, Result<Answered, TransportError>) {
    let asked = Arc::new(Notify::new());
    let mut writing = tokio::spawn(write_request(write, head(endpoint, request), request.clone(), asked.clone()));
    let first = async {
        loop {
            let (answer, closes) = reader.head().await?;
            // Interim answers, such as 100 Continue, come before the one that counts. What follows a 101 is no HTTP.
            if answer.status >= 200 || answer.status == 101 {
                return Ok((answer, closes));
            }
            asked.notify_one();
        }
    };
    let answer = timeout(waits.of.first_byte_of(request), first).await.map_err(|_| TransportError::Silent).flatten();
    let answer = match answer {
        Ok((response, closes)) if has_no_body(request, &response) => Ok(Answered { response, closes }),
        Ok((head, closes)) => {
            let body = timeout(waits.of.rest, reader.body(head, waits)).await;
            body.map_err(|_| TransportError::Silent).flatten().map(|response| Answered { response, closes })
        }
        Err(trouble) => Err(trouble),
    };
    // The server has said what it has to say; whatever was not written by now need not be.
    let written = timeout(Duration::ZERO, &mut writing).await;
    writing.abort();
    (reader, written.ok().and_then(|joined| joined.ok()?.ok()), answer)
}

/// Whether an answer ends with its head, whatever its headers say. RFC 9112, 6.3.
fn has_no_body(request: &Request, answer: &Response) -> bool {
    request.method == "HEAD" || matches!(answer.status, 100..200 | 204 | 304)
}

fn head(endpoint: &Url, request: &Request) -> Vec<u8> {
    let host = match endpoint.port() {
        Some(port) => format!("{}:{port}", endpoint.host_str().unwrap_or_default()),
        None => String::from(endpoint.host_str().unwrap_or_default()),
    };
    let query = endpoint.query().map_or(String::new(), |query| format!("?{query}"));
    let (origin, before, after) = match request.framing {
        Framing::AbsoluteForm => (format!("http://{host}"), " ", ""),
        Framing::Tight => (String::new(), "", ""),
        Framing::Spaced => (String::new(), " \t ", "\t "),
        _ => (String::new(), " ", ""),
    };
    let mut head = format!("{} {origin}{}{query} HTTP/1.1\r\n", request.method, endpoint.path());
    let mut header = |name: &str, value: &str| head += &format!("{name}:{before}{value}{after}\r\n");
    header("Host", &host);
    request.headers.iter().for_each(|(name, value)| header(name, value));
    match request.framing {
        framing if framing.is_chunked() => header("Transfer-Encoding", "chunked"),
        _ => header("Content-Length", &request.body.len().to_string()),
    }
    match request.framing {
        Framing::ExpectContinue => header("Expect", "100-continue"),
        // RFC 9110, 6.6.2: names what comes after the last chunk.
        Framing::OddChunks => header("Trailer", "X-Trailer"),
        _ => {}
    }
    if request.framing != Framing::SecondRequest {
        header("Connection", "close");
    }
    head += "\r\n";
    head.into_bytes()
}

/// How long is waited between the pieces of a request.
const BETWEEN_PIECES: Duration = Duration::from_millis(2);

/// Errors end the writing and nothing else: the server may have answered already.
///
/// `asked` is told when the server asks for the body, or says something else before its answer.
async fn write_request(
    mut write: OwnedWriteHalf,
    head: Vec<u8>,
    request: Request,
    asked: Arc<Notify>,
) -> std::io::Result<OwnedWriteHalf> {
    let chunked = |size: usize, head: &dyn Fn(usize) -> String, end: &[u8]| {
        let mut bytes = Vec::new();
        for chunk in request.body.chunks(size) {
            bytes.extend_from_slice(head(chunk.len()).as_bytes());
            bytes.extend_from_slice(chunk);
            bytes.extend_from_slice(b"\r\n");
        }
        [&bytes, end].concat()
    };
    let plain = |size: usize| format!("{size:x}\r\n");
    let odd = |size: usize| format!("00{size:X};name=value;quoted=\"a;b\"\r\n");
    let body = match request.framing {
        Framing::Chunked => chunked(16, &plain, b"0\r\n\r\n"),
        Framing::OneChunk => chunked(request.body.len().max(1), &plain, b"0\r\n\r\n"),
        Framing::ByteChunks => chunked(1, &plain, b"0\r\n\r\n"),
        Framing::OddChunks => chunked(27, &odd, b"000;last\r\nX-Trailer: value\r\n\r\n"),
        Framing::Pieces => {
            for piece in pieces(&[&head, &request.body[..]].concat(), head.len()) {
                write.write_all(piece).await?;
                write.flush().await?;
                tokio::time::sleep(BETWEEN_PIECES).await;
            }
            return Ok(write);
        }
        _ => Vec::new(),
    };
    write.write_all(&head).await?;
    if request.framing == Framing::ExpectContinue {
        // RFC 9110, 10.1.1: a client that has waited may send the body without having been asked.
        let _ = timeout(Duration::from_millis(300), asked.notified()).await;
    }
    write.write_all(if request.framing.is_chunked() { &body } else { &request.body }).await?;
    write.flush().await?;
    Ok(write) // Closing this half now would look like going away to some servers.
}

/// A request, cut where servers are known to look for something whole: in the method, in a name, in the empty line, before
/// and in the body.
fn pieces(request: &[u8], head: usize) -> Vec<&[u8]> {
    let body = request.len() - head;
    let mut cuts = vec![1, 40, head - 20, head - 1, head, head + 1, head + body / 2, request.len() - 1, request.len()];
    cuts.sort_unstable();
    let mut begun = 0;
    let mut pieces = Vec::new();
    for cut in cuts.into_iter().filter(|cut| *cut <= request.len()) {
        if cut > begun {
            pieces.push(&request[begun..cut]);
            begun = cut;
        }
    }
    pieces
}

struct Reader {
    read: OwnedReadHalf,
    buffer: BytesMut,
    /// Whether the server has ended the connection.
    ended: bool,
}

/// How long is waited for bytes that must not come.
const EXCESS: Duration = Duration::from_millis(5);

impl Reader {
    fn of(stream: TcpStream) -> (Reader, OwnedWriteHalf) {
        let (read, write) = stream.into_split();
        (Reader { read, buffer: BytesMut::new(), ended: false }, write)
    }

    async fn more(&mut self) -> Result<usize, TransportError> {
        let count = self.read.read_buf(&mut self.buffer).await.map_err(|_| TransportError::Dropped);
        self.ended |= count == Ok(0);
        count
    }

    /// Whether bytes come after the end of an answer.
    async fn excess(&mut self) -> bool {
        if self.buffer.is_empty() && !self.ended {
            let _ = timeout(EXCESS, self.more()).await;
        }
        // RFC 9112, 2.2: an empty line does no harm.
        self.buffer.iter().any(|byte| !b"\r\n".contains(byte))
    }

    /// Status line and headers, and whether the server ends the connection after the answer.
    async fn head(&mut self) -> Result<(Response, bool), TransportError> {
        loop {
            let mut headers = [httparse::EMPTY_HEADER; 64];
            let mut response = httparse::Response::new(&mut headers);
            match response.parse(&self.buffer) {
                Ok(httparse::Status::Complete(length)) => {
                    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
                    let answer = Response {
                        status: response.code.unwrap_or_default(),
                        headers: response
                            .headers
                            .iter()
                            .map(|header| (header.name.to_lowercase(), text(header.value)))
                            .collect(),
                        body: Bytes::new(),
                        flaw: None,
                    };
                    let is_old = response.version == Some(0);
                    self.buffer.advance(length);
                    let announced =
                        answer.header("connection").is_some_and(|value| value.to_lowercase().contains("close"));
                    return Ok((answer, is_old || announced));
                }
                Ok(httparse::Status::Partial) if self.buffer.len() < MAX_ANSWER => {}
                Ok(httparse::Status::Partial) => return Err(TransportError::Endless),
                Err(_) => return Err(TransportError::Garbage),
            }
            if self.more().await? == 0 {
                return Err(TransportError::Dropped);
            }
        }
    }

    async fn body(&mut self, mut answer: Response, waits: &Waits) -> Reply {
        let chunked =
            answer.header("transfer-encoding").is_some_and(|coding| coding.to_lowercase().contains("chunked"));
        let mut lengths: Vec<usize> = Vec::new();
        for (_, length) in answer.headers.iter().filter(|(name, _)| name == "content-length") {
            lengths.push(length.trim().parse().map_err(|_| TransportError::Garbage)?);
        }
        if lengths.iter().any(|length| *length != lengths[0]) {
            return Err(TransportError::Garbage); // RFC 9112, 6.3: where it ends, nobody knows.
        }
        let (body, whole) = match (chunked, lengths.first()) {
            (true, _) => self.chunks(waits).await?,
            (false, Some(length)) if *length > MAX_ANSWER => return Err(TransportError::Endless),
            (false, Some(length)) => self.at_most(*length, waits).await,
            (false, None) => (self.until_closed().await?, true),
        };
        answer.body = body;
        answer.flaw = match () {
            () if !whole => Some(Flaw::Cut),
            () if chunked && !lengths.is_empty() => Some(Flaw::TwoLengths),
            () => None,
        };
        Ok(answer)
    }

    /// So many bytes and true, or as many as come and false.
    async fn at_most(&mut self, length: usize, waits: &Waits) -> (Bytes, bool) {
        while self.buffer.len() < length {
            // After a whole object nothing is missing that a client could need: it is not waited for long.
            let quiet = if decode::is_object(&self.buffer) { waits.quiet } else { Duration::MAX };
            if !matches!(timeout(quiet, self.more()).await, Ok(Ok(1..))) {
                return (self.buffer.split().freeze(), false);
            }
        }
        (self.buffer.split_to(length).freeze(), true)
    }

    async fn until_closed(&mut self) -> Result<Bytes, TransportError> {
        while self.more().await? > 0 {
            if self.buffer.len() > MAX_ANSWER {
                return Err(TransportError::Endless);
            }
        }
        Ok(self.buffer.split().freeze())
    }

    async fn chunks(&mut self, waits: &Waits) -> Result<(Bytes, bool), TransportError> {
        let mut body = BytesMut::new();
        loop {
            let (used, size) = match httparse::parse_chunk_size(&self.buffer) {
                Ok(httparse::Status::Complete((used, size))) => (used, usize::try_from(size).unwrap_or(usize::MAX)),
                Ok(httparse::Status::Partial) if self.buffer.len() > MAX_ANSWER => return Err(TransportError::Endless),
                Ok(httparse::Status::Partial) => {
                    let quiet = if decode::is_object(&body) { waits.quiet } else { Duration::MAX };
                    match timeout(quiet, self.more()).await {
                        Ok(Ok(1..)) => continue,
                        _ => return Ok((body.freeze(), false)),
                    }
                }
                Err(_) => return Err(TransportError::Garbage),
            };
            self.buffer.advance(used);
            if size == 0 {
                self.trailers().await;
                return Ok((body.freeze(), true));
            }
            if size > MAX_ANSWER || body.len() + size > MAX_ANSWER {
                return Err(TransportError::Endless);
            }
            let (chunk, whole) = self.at_most(size, waits).await;
            body.extend_from_slice(&chunk);
            let (end, ended) = if whole { self.at_most(2, waits).await } else { (Bytes::new(), false) };
            match (&end[..], ended) {
                (b"\r\n", true) => {}
                (_, true) => return Err(TransportError::Garbage),
                (_, false) => return Ok((body.freeze(), false)),
            }
        }
    }

    /// What comes after the last chunk, up to an empty line. It is of no interest, and neither is its absence.
    async fn trailers(&mut self) {
        loop {
            match self.buffer.windows(2).position(|pair| pair == b"\r\n") {
                Some(length) => {
                    self.buffer.advance(length + 2);
                    if length == 0 {
                        return;
                    }
                }
                None if self.buffer.len() > MAX_TRAILER => return,
                None => {
                    if !matches!(timeout(EXCESS, self.more()).await, Ok(Ok(1..))) {
                        return self.buffer.clear();
                    }
                }
            }
        }
    }
}

/// Where a line after the last chunk is taken for something else.
const MAX_TRAILER: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_the_whole() {
        for body in [0, 1, 2, 30] {
            let request = [
                b"POST / HTTP/1.1\r\nHost: 127.0.0.1:50000\r\nContent-Length: 30\r\n\r\n".as_slice(),
                &vec![b'x'; body],
            ]
            .concat();
            let pieces = pieces(&request, request.len() - body);
            assert_eq!(pieces.concat(), request);
            assert!(pieces.len() > 4 && pieces.iter().all(|piece| !piece.is_empty()), "{pieces:?}");
        }
    }
}
