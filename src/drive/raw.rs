//! Writes requests by hand, where an HTTP library would choose its own spelling, framing or order of events, and would not
//! tell whether a connection was used before.
//!
//! The answer is read while the request is still being written, so that a server that answers early and closes is heard.

use std::pin::pin;
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use futures_util::future::{Either, select};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Notify;
use tokio::time::timeout;
use url::Url;

use super::connect::{Endpoint, ReadHalf, WriteHalf};
use super::timeouts::{Timeouts, Waits};
use super::transport::{is_tls, of_read};
use crate::contract::Operation;
use crate::wire::{
    Body, Flaw, Framing, MAX_HEAD, NoConnection, Outgoing, Reply, Response, TransportError, decode, longest_answer,
};

/// Sends a request as the second one of a connection, on which the first was answered.
pub(super) async fn second(endpoint: &Endpoint, first: &Outgoing, request: &Outgoing, waits: &Waits) -> Reply {
    let mut connection = Connection::open(endpoint, &waits.of).await?;
    connection.talk(endpoint, first, false, waits).await?;
    let excess = connection.reader.excess().await;
    if connection.is_reusable() && !excess {
        let reply = connection.talk(endpoint, request, false, waits).await;
        if reply != Err(TransportError::Dropped) {
            return reply;
        }
    }
    // The server ends the connection, as it may, or it cannot be told what belongs to which answer.
    let mut connection = Connection::open(endpoint, &waits.of).await?;
    connection.talk(endpoint, request, true, waits).await.map(|response| with_excess(response, excess))
}

/// A request that changes nothing, for the same service.
pub(super) fn harmless(request: &Outgoing) -> Outgoing {
    let mut first = request.with_body(Body::from(Bytes::from_static(b"{}")));
    for (_, value) in first.headers.iter_mut().filter(|(name, _)| name.eq_ignore_ascii_case("x-amz-target")) {
        let prefix = value.rsplit_once('.').map_or("", |(prefix, _)| prefix);
        *value = format!("{prefix}.{}", Operation::DescribeRepositories);
    }
    first
}

/// An open connection.
#[derive(Debug)]
pub(super) struct Connection {
    reader: Reader,
    write: WriteHalf,
    /// Whether it can carry another request.
    reusable: bool,
}

impl Connection {
    /// Opens a connection.
    pub async fn open(endpoint: &Endpoint, timeouts: &Timeouts) -> Result<Connection, TransportError> {
        let (read, write) = endpoint.connect(timeouts).await.map_err(TransportError::Unreachable)?;
        Ok(Connection {
            reader: Reader { read, buffer: BytesMut::new(), longest: longest_answer(0), ended: false, closed: false },
            write,
            reusable: true,
        })
    }

    /// Whether the server has neither ended the connection nor said anything that nobody asked for, as far as can be seen.
    pub fn is_open(&mut self) -> bool {
        self.reader.read.is_quiet()
    }

    /// Whether it can carry another request.
    pub fn is_reusable(&self) -> bool {
        self.reusable
    }

    /// Sends a request and reads the answer. `last` is whether the server is told that no other request follows.
    pub async fn talk(&mut self, endpoint: &Endpoint, request: &Outgoing, last: bool, waits: &Waits) -> Reply {
        let head = head(&endpoint.url, request, last);
        let asked = Notify::new();
        let (written, reply) = {
            let writing = pin!(write_request(&mut self.write, head, request, &asked));
            let answering = pin!(self.reader.answer(request, waits, &asked));
            match select(writing, answering).await {
                Either::Left((written, answering)) => (written.is_ok(), answering.await),
                // The server has said what it has to say; whatever was not written by now need not be.
                Either::Right((reply, _)) => (false, reply),
            }
        };
        // What comes after the end of an answer is waited for only where no other request follows: a kept connection that
        // has something to say is not used again.
        let excess = reply.is_ok() && (!self.reader.buffer.is_empty() || last) && self.reader.excess().await;
        let rest = &self.reader.buffer;
        let reply = reply.map(|response| if excess { with_rest(response, rest) } else { response });
        let is_plain = reply.as_ref().is_ok_and(|response| response.flaw.is_none());
        self.reusable = !last && written && is_plain && self.reader.is_between_answers();
        reply
    }
}

/// A response with these bytes after its end. Where they are the end of its object, its length was too small.
fn with_rest(response: Response, rest: &[u8]) -> Response {
    let whole = [&response.body[..], rest].concat();
    let is_end = !decode::is_object(&response.body) && decode::is_object(&whole);
    let body = if is_end { whole.into() } else { response.body.clone() };
    with_excess(Response { body, ..response }, true)
}

/// A response with bytes after its end, if there are some and nothing else is wrong with it.
fn with_excess(response: Response, excess: bool) -> Response {
    Response { flaw: response.flaw.or(excess.then_some(Flaw::Excess)), ..response }
}

/// Whether an answer ends with its head, whatever its headers say. RFC 9112, 6.3.
fn has_no_body(request: &Outgoing, answer: &Response) -> bool {
    request.method == "HEAD" || matches!(answer.status, 100..200 | 204 | 304)
}

/// Host and port, as they stand in a request.
pub(super) fn host(endpoint: &Url) -> String {
    let host = endpoint.host_str().unwrap_or_default();
    endpoint.port().map_or_else(|| String::from(host), |port| format!("{host}:{port}"))
}

fn head(endpoint: &Url, request: &Outgoing, last: bool) -> Vec<u8> {
    let host = host(endpoint);
    let query = endpoint.query().map_or(String::new(), |query| format!("?{query}"));
    let (origin, before, after) = match request.framing {
        Framing::AbsoluteForm => (format!("{}://{host}", endpoint.scheme()), " ", ""),
        Framing::Tight => (String::new(), "", ""),
        Framing::Spaced => (String::new(), " \t ", "\t "),
        _ => (String::new(), " ", ""),
    };
    let mut head = String::with_capacity(HEAD);
    let mut write = |pieces: &[&str]| pieces.iter().for_each(|piece| head += piece);
    write(&[&request.method, " ", &origin, endpoint.path(), &query, " HTTP/1.1\r\n"]);
    let mut header = |name: &str, value: &str| write(&[name, ":", before, value, after, "\r\n"]);
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
    if last {
        header("Connection", "close");
    }
    head += "\r\n";
    head.into_bytes()
}

/// As long as most heads are.
const HEAD: usize = 512;

/// How long is waited between the pieces of a request.
const BETWEEN_PIECES: Duration = Duration::from_millis(1);

/// Errors end the writing and nothing else: the server may have answered already.
///
/// `asked` is told when the server asks for the body, or says something else before its answer.
async fn write_request(
    write: &mut WriteHalf,
    mut head: Vec<u8>,
    request: &Outgoing,
    asked: &Notify,
) -> std::io::Result<()> {
    let chunked = |size: usize, head: &dyn Fn(usize) -> String, end: &[u8]| {
        let mut bytes = Vec::new();
        for chunk in request.body.whole().chunks(size) {
            bytes.extend_from_slice(head(chunk.len()).as_bytes());
            bytes.extend_from_slice(chunk);
            bytes.extend_from_slice(b"\r\n");
        }
        Body::from(Bytes::from([&bytes, end].concat()))
    };
    let plain = |size: usize| format!("{size:x}\r\n");
    let odd = |size: usize| format!("00{size:X};name=value;quoted=\"a;b\"\r\n");
    let body = match request.framing {
        Framing::Chunked => chunked(16, &plain, b"0\r\n\r\n"),
        Framing::OneChunk => chunked(request.body.len().max(1), &plain, b"0\r\n\r\n"),
        Framing::ByteChunks => chunked(1, &plain, b"0\r\n\r\n"),
        Framing::OddChunks => chunked(27, &odd, b"000;last\r\nX-Trailer: value\r\n\r\n"),
        Framing::Pieces => {
            for piece in pieces(&[&head[..], &request.body.whole()].concat(), head.len()) {
                write.write_all(piece).await?;
                write.flush().await?;
                tokio::time::sleep(BETWEEN_PIECES).await;
            }
            return Ok(());
        }
        _ => request.body.clone(),
    };
    if request.framing == Framing::ExpectContinue {
        write.write_all(&head).await?;
        write.flush().await?;
        // RFC 9110, 10.1.1: a client that has waited may send the body without having been asked.
        let _ = timeout(Duration::from_millis(300), asked.notified()).await;
    } else if body.len() < SHORT {
        head.extend_from_slice(&body.whole());
        write.write_all(&head).await?; // In one packet, as far as it fits.
        return write.flush().await;
    } else {
        write.write_all(&head).await?;
    }
    for piece in body.chunks() {
        write.write_all(&piece).await?;
    }
    write.flush().await // Closing this half now would look like going away to some servers.
}

/// A body that is copied behind its head.
const SHORT: usize = 16 << 10;

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

#[derive(Debug)]
struct Reader {
    read: ReadHalf,
    buffer: BytesMut,
    /// How many bytes the body of the answer may have.
    longest: usize,
    /// Whether the answer said that nothing follows it, or did not say where it ends.
    ended: bool,
    /// Whether the server has ended the connection.
    closed: bool,
}

/// How many headers an answer may have. Clients take a hundred.
const MOST_HEADERS: usize = 128;

/// How many bytes are read at once at least, as far as there are so many.
const READ: usize = 4 << 10;

/// How long a line is at least that is looked at only when it has ended.
const LONG_LINE: usize = 64 << 10;

/// How long is waited for bytes that must not come.
const EXCESS: Duration = Duration::from_millis(5);

impl Reader {
    /// The answer to a request.
    async fn answer(&mut self, request: &Outgoing, waits: &Waits, asked: &Notify) -> Reply {
        self.longest = longest_answer(request.body.len());
        let first = async {
            loop {
                let answer = self.head().await?;
                // Interim answers, such as 100 Continue, come before the one that counts. What follows a 101 is no HTTP.
                if answer.status >= 200 || answer.status == 101 {
                    return Ok(answer);
                }
                asked.notify_one();
            }
        };
        let answer = timeout(waits.of.first_byte_of(request), first).await.map_err(|_| TransportError::Silent);
        match answer.flatten()? {
            head if has_no_body(request, &head) => {
                self.ended |= head.status == 101;
                Ok(head)
            }
            head => timeout(waits.of.rest, self.body(head, waits)).await.map_err(|_| TransportError::Silent).flatten(),
        }
    }

    /// Whether the answer was read to its end, and the next may follow.
    fn is_between_answers(&self) -> bool {
        !self.ended && !self.closed && self.buffer.is_empty()
    }

    async fn more(&mut self) -> Result<usize, TransportError> {
        // As much as most answers have: who reads into less asks the system again and again.
        self.buffer.reserve(READ);
        let count = self.read.read_buf(&mut self.buffer).await.map_err(|error| of_read(&error));
        self.closed |= !matches!(count, Ok(1..));
        count
    }

    /// More of a line. Of a long one not before it ends: to look at all of it after each piece takes as long as a target
    /// likes.
    async fn more_of_line(&mut self) -> Result<usize, TransportError> {
        loop {
            let before = self.buffer.len();
            let count = self.more().await?;
            let is_long = (LONG_LINE..MAX_HEAD).contains(&before);
            if count == 0 || !is_long || self.buffer[before..].contains(&b'\n') {
                return Ok(count);
            }
        }
    }

    /// Whether bytes come after the end of an answer.
    async fn excess(&mut self) -> bool {
        if self.buffer.is_empty() && !self.closed {
            let _ = timeout(EXCESS, self.more()).await;
        }
        // RFC 9112, 2.2: an empty line does no harm.
        self.buffer.iter().any(|byte| !b"\r\n".contains(byte))
    }

    /// Status line and headers.
    async fn head(&mut self) -> Result<Response, TransportError> {
        loop {
            let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
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
                    let closes =
                        answer.header("connection").is_some_and(|value| value.to_lowercase().contains("close"));
                    self.ended = closes || response.version != Some(1);
                    self.buffer.advance(length);
                    return Ok(answer);
                }
                Ok(httparse::Status::Partial) if self.buffer.len() < MAX_HEAD => {}
                Ok(httparse::Status::Partial) => return Err(TransportError::TooLarge),
                Err(_) if self.read.is_plain() && is_tls(&self.buffer) => {
                    return Err(TransportError::Unreachable(NoConnection::NeedsTls));
                }
                Err(_) => return Err(TransportError::Garbage),
            }
            if self.more_of_line().await? == 0 {
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
            (false, Some(length)) if *length > self.longest => return Err(TransportError::TooLarge),
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
                return (self.taken(self.buffer.len()), false);
            }
        }
        (self.taken(length), true)
    }

    /// So many bytes that were read. Few are copied: the room of the buffer is used again, and not kept for their sake.
    fn taken(&mut self, length: usize) -> Bytes {
        if length > READ {
            return self.buffer.split_to(length).freeze();
        }
        let taken = Bytes::copy_from_slice(&self.buffer[..length]);
        self.buffer.advance(length);
        taken
    }

    async fn until_closed(&mut self) -> Result<Bytes, TransportError> {
        self.ended = true;
        while self.more().await? > 0 {
            if self.buffer.len() > self.longest {
                return Err(TransportError::TooLarge);
            }
        }
        Ok(self.taken(self.buffer.len()))
    }

    async fn chunks(&mut self, waits: &Waits) -> Result<(Bytes, bool), TransportError> {
        let mut body = BytesMut::new();
        loop {
            let (used, size) = match httparse::parse_chunk_size(&self.buffer) {
                Ok(httparse::Status::Complete((used, size))) => (used, usize::try_from(size).unwrap_or(usize::MAX)),
                Ok(httparse::Status::Partial) if self.buffer.len() > MAX_HEAD => return Err(TransportError::TooLarge),
                Ok(httparse::Status::Partial) => {
                    let quiet = if decode::is_object(&body) { waits.quiet } else { Duration::MAX };
                    match timeout(quiet, self.more_of_line()).await {
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
            if size > self.longest || body.len() + size > self.longest {
                return Err(TransportError::TooLarge);
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
