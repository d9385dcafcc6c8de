//! Writes requests by hand, where an HTTP library would choose its own spelling, framing or order of events, and would not
//! tell whether a connection was used before.
//!
//! The answer is read while the request is still being written, so that a server that answers early and closes is heard.

use std::pin::pin;
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use futures_util::future::{Either, select};
use reqwest::Url;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::timeouts::Timeouts;
use super::transport::of_connect;
use crate::wire::{Framing, MAX_ANSWER, NoConnection, Reply, Request, Response, TransportError};

/// An open connection to a plain-text endpoint.
#[derive(Debug)]
pub(super) struct Connection {
    reader: Reader,
    write: OwnedWriteHalf,
    /// Whether it can carry another request.
    reusable: bool,
}

impl Connection {
    /// Opens a connection.
    pub async fn open(endpoint: &Url, timeouts: &Timeouts) -> Result<Connection, TransportError> {
        let host = endpoint.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let port = endpoint.port_or_known_default().unwrap_or(80);
        let connected = timeout(timeouts.connect, async {
            let addresses = lookup_host((host, port)).await.map_err(|_| NoConnection::NameNotResolved)?;
            TcpStream::connect(&*addresses.collect::<Vec<_>>()).await.map_err(|error| of_connect(&error))
        });
        let stream = connected.await.unwrap_or(Err(NoConnection::TimedOut)).map_err(TransportError::Unreachable)?;
        let _ = stream.set_nodelay(true); // A short body would wait until its head is acknowledged.
        let (read, write) = stream.into_split();
        Ok(Connection { reader: Reader { read, buffer: BytesMut::new(), ended: false }, write, reusable: true })
    }

    /// Whether the server has neither ended the connection nor said anything that nobody asked for, as far as can be seen.
    pub fn is_open(&self) -> bool {
        let peeked = self.reader.read.try_read(&mut [0]);
        peeked.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    }

    /// Whether it can carry another request.
    pub fn is_reusable(&self) -> bool {
        self.reusable
    }

    /// Sends a request and reads the answer. `last` is whether the server is told that no other request follows.
    pub async fn talk(&mut self, endpoint: &Url, request: &Request, last: bool, timeouts: &Timeouts) -> Reply {
        let head = head(endpoint, request, last);
        let (written, reply) = {
            let writing = pin!(write_request(&mut self.write, head, request));
            let answering = pin!(self.reader.answer(request, timeouts));
            match select(writing, answering).await {
                Either::Left((written, answering)) => (written.is_ok(), answering.await),
                // The server has said what it has to say; whatever was not written by now need not be.
                Either::Right((reply, _)) => (false, reply),
            }
        };
        self.reusable = !last && written && reply.is_ok() && self.reader.is_between_answers();
        reply
    }
}

/// Whether an answer ends with its head, whatever its headers say. RFC 9112, 6.3.
fn has_no_body(request: &Request, answer: &Response) -> bool {
    request.method == "HEAD" || matches!(answer.status, 100..200 | 204 | 304)
}

fn head(endpoint: &Url, request: &Request, last: bool) -> Vec<u8> {
    let host = match endpoint.port() {
        Some(port) => format!("{}:{port}", endpoint.host_str().unwrap_or_default()),
        None => String::from(endpoint.host_str().unwrap_or_default()),
    };
    let query = endpoint.query().map_or(String::new(), |query| format!("?{query}"));
    let mut head = format!("{} {}{query} HTTP/1.1\r\nHost: {host}\r\n", request.method, endpoint.path());
    for (name, value) in &request.headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += &match request.framing {
        Framing::Chunked => String::from("Transfer-Encoding: chunked\r\n"),
        Framing::ExpectContinue => format!("Content-Length: {}\r\nExpect: 100-continue\r\n", request.body.len()),
        Framing::Length | Framing::Verbatim => format!("Content-Length: {}\r\n", request.body.len()),
    };
    head += if last { "Connection: close\r\n\r\n" } else { "\r\n" };
    head.into_bytes()
}

/// Errors end the writing and nothing else: the server may have answered already.
async fn write_request(write: &mut OwnedWriteHalf, mut head: Vec<u8>, request: &Request) -> std::io::Result<()> {
    match request.framing {
        Framing::Chunked => {
            write.write_all(&head).await?;
            for chunk in request.body.chunks(16) {
                write.write_all(format!("{:x}\r\n", chunk.len()).as_bytes()).await?;
                write.write_all(chunk).await?;
                write.write_all(b"\r\n").await?;
            }
            write.write_all(b"0\r\n\r\n").await?;
        }
        Framing::ExpectContinue => {
            write.write_all(&head).await?;
            // RFC 9110, 10.1.1: a client that has waited may send the body without having been asked.
            tokio::time::sleep(Duration::from_millis(300)).await;
            write.write_all(&request.body).await?;
        }
        // In one packet, as far as it fits.
        Framing::Length | Framing::Verbatim if request.body.len() < SHORT => {
            head.extend_from_slice(&request.body);
            write.write_all(&head).await?;
        }
        Framing::Length | Framing::Verbatim => {
            write.write_all(&head).await?;
            write.write_all(&request.body).await?;
        }
    }
    write.flush().await
}

/// A body that is copied behind its head.
const SHORT: usize = 16 << 10;

#[derive(Debug)]
struct Reader {
    read: OwnedReadHalf,
    buffer: BytesMut,
    /// Whether the answer said that nothing follows it, or did not say where it ends.
    ended: bool,
}

impl Reader {
    /// The answer to a request.
    async fn answer(&mut self, request: &Request, timeouts: &Timeouts) -> Reply {
        let first = async {
            loop {
                let answer = self.head().await?;
                // Interim answers, such as 100 Continue, come before the one that counts. What follows a 101 is no HTTP.
                if answer.status >= 200 || answer.status == 101 {
                    return Ok(answer);
                }
            }
        };
        let answer = timeout(timeouts.first_byte_of(request), first).await.map_err(|_| TransportError::Silent);
        match answer.flatten()? {
            head if has_no_body(request, &head) => {
                self.ended |= head.status == 101;
                Ok(head)
            }
            head => timeout(timeouts.rest, self.body(head)).await.map_err(|_| TransportError::Silent).flatten(),
        }
    }

    /// Whether the answer was read to its end, and the next may follow.
    fn is_between_answers(&self) -> bool {
        !self.ended && self.buffer.is_empty()
    }

    async fn more(&mut self) -> Result<usize, TransportError> {
        self.read.read_buf(&mut self.buffer).await.map_err(|_| TransportError::Dropped)
    }

    /// Status line and headers.
    async fn head(&mut self) -> Result<Response, TransportError> {
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
                    };
                    let closes =
                        answer.header("connection").is_some_and(|value| value.to_lowercase().contains("close"));
                    self.ended = closes || response.version != Some(1);
                    self.buffer.advance(length);
                    return Ok(answer);
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

    async fn body(&mut self, mut answer: Response) -> Reply {
        let chunked =
            answer.header("transfer-encoding").is_some_and(|coding| coding.to_lowercase().contains("chunked"));
        let length = match answer.header("content-length") {
            Some(length) if !chunked => Some(length.trim().parse::<usize>().map_err(|_| TransportError::Garbage)?),
            _ => None,
        };
        answer.body = match (chunked, length) {
            (true, _) => self.chunks().await?,
            (false, Some(length)) if length > MAX_ANSWER => return Err(TransportError::Endless),
            (false, Some(length)) => self.exactly(length).await?,
            (false, None) => self.until_closed().await?,
        };
        Ok(answer)
    }

    async fn exactly(&mut self, length: usize) -> Result<Bytes, TransportError> {
        while self.buffer.len() < length {
            if self.more().await? == 0 {
                return Err(TransportError::Dropped);
            }
        }
        Ok(self.buffer.split_to(length).freeze())
    }

    async fn until_closed(&mut self) -> Result<Bytes, TransportError> {
        self.ended = true;
        while self.more().await? > 0 {
            if self.buffer.len() > MAX_ANSWER {
                return Err(TransportError::Endless);
            }
        }
        Ok(self.buffer.split().freeze())
    }

    async fn chunks(&mut self) -> Result<Bytes, TransportError> {
        let mut body = BytesMut::new();
        loop {
            let (used, size) = match httparse::parse_chunk_size(&self.buffer) {
                Ok(httparse::Status::Complete((used, size))) => (used, usize::try_from(size).unwrap_or(usize::MAX)),
                Ok(httparse::Status::Partial) if self.buffer.len() > MAX_ANSWER => return Err(TransportError::Endless),
                Ok(httparse::Status::Partial) => {
                    if self.more().await? == 0 {
                        return Err(TransportError::Dropped);
                    }
                    continue;
                }
                Err(_) => return Err(TransportError::Garbage),
            };
            self.buffer.advance(used);
            if size == 0 {
                // Trailers are of no interest; with some, or with an end that is late, the connection is not used again.
                match self.buffer.as_ref() {
                    b"\r\n" => self.buffer.clear(),
                    _ => self.ended = true,
                }
                return Ok(body.freeze());
            }
            if size > MAX_ANSWER || body.len() + size > MAX_ANSWER {
                return Err(TransportError::Endless);
            }
            body.extend_from_slice(&self.exactly(size).await?);
            self.exactly(2).await?;
        }
    }
}
