//! Requests and answers as they travel, and what a case's exchanges add up to. No I/O: `drive` sends, `mock` answers.

mod answer;
pub mod auth;
pub(crate) mod body;
pub(crate) mod bound;
mod certificate;
pub(crate) mod decode;
pub mod envelope;
pub(crate) mod filler;
mod flaw;
mod members;
pub mod observation;
mod signature;
mod trust;
pub mod unsendable;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use strum::VariantArray;

use crate::contract::{ErrorType, Operation, Service};
pub use answer::{Answer, Client, Shows};
pub use body::Body;
pub use bound::{MAX_ANSWER, MAX_DEPTH, MAX_HEAD, MAX_VALUES, MOST_ANSWER, longest_answer};
pub use certificate::ClientCertificate;
pub use flaw::Flaw;
pub(crate) use members::Members;
pub use observation::{Decoded, HttpFacts, Observation, Shown};
pub use signature::{EXPIRED_TOKEN, Signature};
pub use trust::Trust;
pub use unsendable::Unsendable;

/// The content type of the protocol.
pub const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// A request, exactly as it should go out; with another kind of body, one that becomes such a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request<B = Bytes> {
    /// `POST`, but for cases about other methods.
    pub method: String,
    /// Headers in order, names as they should be spelled. `Host` and the length are added by whoever sends.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub body: B,
    /// How the body is framed.
    pub framing: Framing,
    /// How it is signed, where requests are signed with Signature Version 4.
    pub signature: Signature,
}

/// A request that is sent.
pub type Outgoing = Request<Body>;

/// How a request is written on a connection. All but the first are written by hand: HTTP libraries choose their own way.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize, VariantArray)]
#[serde(rename_all = "kebab-case")]
pub enum Framing {
    /// With `Content-Length`.
    #[default]
    Length,
    /// With `Content-Length`, and header names exactly as spelled.
    Verbatim,
    /// The same, and no white space before the values of headers.
    Tight,
    /// The same, and spaces and tabs around the values of headers.
    Spaced,
    /// The same, and the whole URL in the request line.
    AbsoluteForm,
    /// In chunks.
    Chunked,
    /// In one chunk.
    OneChunk,
    /// In chunks of one byte.
    ByteChunks,
    /// In chunks with extensions, with sizes in capitals and with leading zeros, and with a trailer.
    OddChunks,
    /// With `Content-Length` and `Expect: 100-continue`; the body follows a moment later.
    ExpectContinue,
    /// With `Content-Length`, in pieces with pauses between them.
    Pieces,
    /// With `Content-Length`, on a connection on which another request was answered before.
    SecondRequest,
}

impl Framing {
    /// All of them.
    pub const ALL: &[Framing] = <Framing as VariantArray>::VARIANTS;

    /// As it stands in files.
    pub const fn name(self) -> &'static str {
        match self {
            Framing::Length => "length",
            Framing::Verbatim => "verbatim",
            Framing::Tight => "tight",
            Framing::Spaced => "spaced",
            Framing::AbsoluteForm => "absolute-form",
            Framing::Chunked => "chunked",
            Framing::OneChunk => "one-chunk",
            Framing::ByteChunks => "byte-chunks",
            Framing::OddChunks => "odd-chunks",
            Framing::ExpectContinue => "expect-continue",
            Framing::Pieces => "pieces",
            Framing::SecondRequest => "second-request",
        }
    }

    /// Whether the body is sent in chunks, and not with `Content-Length`.
    pub const fn is_chunked(self) -> bool {
        matches!(self, Framing::Chunked | Framing::OneChunk | Framing::ByteChunks | Framing::OddChunks)
    }
}

/// An answer, exactly as it came in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Headers in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as far as it was read: at most [`longest_answer`] bytes.
    pub body: Bytes,
    /// What is wrong with how it was framed, if anything is and the body was made out all the same.
    pub flaw: Option<Flaw>,
}

/// How much is kept of a body in a log.
pub const LOGGED: usize = 4096;

/// Room for a body of about so many bytes. The room of a large one goes back to the system when the body is dropped: glibc
/// keeps smaller ones in each thread, up to twice the largest that it has seen, and maps what has 32 MiB or more. What is
/// not written to takes no memory.
pub(crate) fn room_for(len: usize) -> Vec<u8> {
    const LARGE: usize = 1 << 20;
    const MAPPED: usize = 33 << 20;
    let mapped = len >= LARGE && cfg!(all(target_env = "gnu", target_pointer_width = "64"));
    Vec::with_capacity(if mapped { len.max(MAPPED) } else { len })
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TransportError {
    /// Connected, but no complete answer within its time.
    Silent,
    /// The connection ended before the answer did.
    Dropped,
    /// What came is no HTTP.
    Garbage,
    /// The answer did not end within [`longest_answer`] bytes, has more than [`MAX_VALUES`] JSON values, or is nested deeper
    /// than [`MAX_DEPTH`]; or the answers of a case are too large together.
    TooLarge,
    /// No connection. In a log it is the word of its cause.
    #[serde(untagged)]
    Unreachable(NoConnection),
}

/// Why there is no connection.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NoConnection {
    /// Nobody listens there.
    Refused,
    /// The host's name has no address.
    NameNotResolved,
    /// There is no way to the host.
    NoRoute,
    /// Not within its time.
    TimedOut,
    /// It was closed before anything was sent.
    Closed,
    /// This process, or this machine, may open no more files and sockets.
    NoDescriptors,
    /// The certificate comes from an issuer that is not trusted, or from nobody but its owner.
    UnknownIssuer,
    /// The certificate is signed with another key than the one that its issuer is known by.
    IssuerHasAnotherKey,
    /// The certificate is not valid any more.
    CertificateExpired,
    /// The certificate is not valid yet.
    CertificateNotYetValid,
    /// The certificate is for another host.
    CertificateOfAnotherHost,
    /// The certificate was revoked.
    CertificateRevoked,
    /// The certificate is that of an issuer of others, and none of a server.
    CertificateOfAuthority,
    /// The certificate is not accepted for another reason.
    CertificateRejected,
    /// The server asks for a certificate of the client.
    ClientCertificateMissing,
    /// What answers the handshake does not speak TLS.
    NotTls,
    /// What answers a request in plain text speaks TLS.
    NeedsTls,
    /// The server speaks none of the protocols that it is offered.
    OtherProtocols,
    /// The handshake was not answered in its time, or the connection closed instead.
    HandshakeUnanswered,
    /// The two sides did not agree on a TLS session.
    HandshakeFailed,
    /// There are no credentials to sign a request with: it was not sent.
    NoCredentials,
    /// Another cause.
    #[serde(rename = "unreachable")]
    Unknown,
}

/// What came back for a request over HTTP.
pub type Reply = Result<Response, TransportError>;

/// One request and what came back.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The request as sent.
    pub request: Outgoing,
    /// The answer, or why there is none.
    pub reply: Result<Answer, TransportError>,
    /// When its first byte went out, from the beginning of the case. Only where calls are sent at once does it matter.
    pub began: Duration,
    /// From the first byte out to the last byte in.
    pub took: Duration,
    /// Whether it went over a connection that had carried a request before.
    over_kept: bool,
    /// Whether it may have waited until the target took its connection.
    may_have_waited: bool,
    /// The answer, decoded: once, when it is first asked for.
    observed: OnceLock<Arc<Observation>>,
}

impl Exchange {
    /// A request and what came back for it over HTTP.
    pub fn new<B: Into<Body>>(request: Request<B>, reply: Reply, began: Duration, took: Duration) -> Exchange {
        let request = Outgoing::of(request);
        let sent = request.body.len();
        let reply = match reply {
            Ok(answer) if bound::is_too_large(&answer, sent) => Err(TransportError::TooLarge),
            reply => reply.map(Answer::Http),
        };
        Exchange { request, reply, began, took, over_kept: false, may_have_waited: false, observed: OnceLock::new() }
    }

    /// The same exchange, which may have waited until the target took its connection, or not.
    pub fn waited(self, may_have_waited: bool) -> Exchange {
        Exchange { may_have_waited, ..self }
    }

    /// How many bytes the body had that was sent.
    pub fn sent(&self) -> usize {
        self.request.body.len()
    }

    /// Whether it may have waited until the target took its connection: then its time says little.
    pub fn may_have_waited(&self) -> bool {
        self.may_have_waited
    }

    /// The same exchange over a connection that had, or had not, carried a request before.
    pub fn over_kept(self, over_kept: bool) -> Exchange {
        Exchange { over_kept, ..self }
    }

    /// Whether there is no answer since a kept connection ended, as a server may end one at any time: whether the request
    /// was performed, nobody knows.
    pub fn met_ended_connection(&self) -> bool {
        self.over_kept && matches!(self.reply, Err(TransportError::Dropped))
    }

    /// A request and what a client made of the response that shows nothing else of it. The request is as it would have gone
    /// out over HTTP.
    pub fn through_client<B: Into<Body>>(
        request: Request<B>,
        seen: Result<Observation, TransportError>,
        began: Duration,
        took: Duration,
    ) -> Exchange {
        let (request, reply) = (Outgoing::of(request), seen.map(|seen| Answer::Observed(Arc::new(seen))));
        Exchange { request, reply, began, took, over_kept: false, may_have_waited: false, observed: OnceLock::new() }
    }

    /// What it takes to keep the answer, but for what quotes the request; nothing where that is little.
    pub(crate) fn cost(&self) -> usize {
        let cost = self.response().map_or(0, bound::cost);
        let own = cost.saturating_sub(self.sent().saturating_mul(4));
        if own <= bound::LIGHT { 0 } else { own }
    }

    /// Drops the answer: those of the case are too large together.
    pub(crate) fn drop_answer(&mut self) {
        self.reply = Err(TransportError::TooLarge);
        self.observed = OnceLock::new();
    }

    /// The same exchange at another time.
    pub fn at(self, began: Duration, took: Duration) -> Exchange {
        Exchange { began, took, ..self }
    }

    /// The same exchange as a client sees it that shows no HTTP.
    pub fn without_http(self) -> Exchange {
        let seen = self.observed().map(|seen| seen.clone().with(Shown::Members));
        Exchange::through_client(self.request, seen, self.began, self.took)
    }

    /// The HTTP response, if there is one and the client shows it.
    pub fn response(&self) -> Option<&Response> {
        self.reply.as_ref().ok()?.response()
    }

    /// The response, decoded; or why there is none. An HTTP response is decoded once, and must not be changed after that.
    ///
    /// # Errors
    ///
    /// Where there is no response.
    pub fn observed(&self) -> Result<&Observation, TransportError> {
        match self.reply.as_ref().map_err(|trouble| *trouble)? {
            Answer::Http(response) => Ok(self.observed.get_or_init(|| Arc::new(Observation::of(response)))),
            Answer::Observed(seen) => Ok(seen),
        }
    }

    /// Whether the response is a success or an error that the operation documents: then the target knows the operation.
    pub fn is_documented(&self, service: Service, operation: Operation) -> bool {
        let Ok(seen) = self.observed() else { return false };
        let errors = service.contract().operation(operation).map_or(&[][..], |operation| operation.errors);
        match seen.error_name() {
            None => seen.success().is_some(),
            Some("UnknownOperationException") => false,
            Some(name) => {
                let is_client_error = seen.status().map_or(!seen.is_server_fault(), |status| status == 400);
                errors.contains(&name) || (ErrorType::find(name).is_some() && is_client_error)
            }
        }
    }

    /// Whether the same request may well have another response later, whatever it is: the target was throttling, or not
    /// there.
    pub fn is_transient(&self) -> bool {
        match self.observed() {
            Ok(seen) => seen.is_throttled(),
            Err(trouble) => matches!(trouble, TransportError::Unreachable(_)),
        }
    }

    /// When the last byte of the answer came in, from the beginning of the case.
    pub fn ended(&self) -> Duration {
        self.began + self.took
    }
}

impl Response {
    /// The first header with this name, given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON, if it is.
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

impl Outgoing {
    /// A request that is sent as it is.
    pub fn of<B: Into<Body>>(request: Request<B>) -> Outgoing {
        let Request { method, headers, body, framing, signature } = request;
        Request { method, headers, body: body.into(), framing, signature }
    }
}

impl<B> Request<B> {
    /// The request with another body.
    pub fn with_body<C>(&self, body: C) -> Request<C> {
        Request {
            body,
            method: self.method.clone(),
            headers: self.headers.clone(),
            framing: self.framing,
            signature: self.signature,
        }
    }

    /// The first header with this name, compared without case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The operation that `X-Amz-Target` names, whatever its prefix.
    pub fn operation(&self) -> Option<Operation> {
        self.header("x-amz-target")?.rsplit('.').next()?.parse().ok()
    }
}

impl std::fmt::Display for TransportError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            TransportError::Unreachable(NoConnection::Unknown) => "no connection",
            TransportError::Unreachable(why) => return f.pad(&format!("no connection ({why})")),
            TransportError::Silent => "no answer in time",
            TransportError::Dropped => "connection dropped",
            TransportError::Garbage => "an answer that is no HTTP",
            TransportError::TooLarge => "an answer too large to read",
        })
    }
}

impl std::fmt::Display for NoConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            NoConnection::Refused => "connection refused",
            NoConnection::NameNotResolved => "name not resolved",
            NoConnection::NoRoute => "no route to the host",
            NoConnection::TimedOut => "connection timed out",
            NoConnection::Closed => "connection closed before anything was sent",
            NoConnection::NoDescriptors => "too many open files",
            NoConnection::UnknownIssuer => "certificate: unknown issuer",
            NoConnection::IssuerHasAnotherKey => "certificate: its issuer is known by another key",
            NoConnection::CertificateExpired => "certificate: expired",
            NoConnection::CertificateNotYetValid => "certificate: not valid yet",
            NoConnection::CertificateOfAnotherHost => "certificate: for another host",
            NoConnection::CertificateRevoked => "certificate: revoked",
            NoConnection::CertificateOfAuthority => "certificate: of an authority, and not of a server",
            NoConnection::CertificateRejected => "certificate: not accepted",
            NoConnection::ClientCertificateMissing => "the server asks for a client certificate",
            NoConnection::NotTls => "the server does not speak TLS",
            NoConnection::NeedsTls => "the server speaks TLS",
            NoConnection::OtherProtocols => "the server speaks other protocols over TLS",
            NoConnection::HandshakeUnanswered => "TLS handshake not answered",
            NoConnection::HandshakeFailed => "TLS handshake failed",
            NoConnection::NoCredentials => "no credentials to sign with",
            NoConnection::Unknown => "cause unknown",
        })
    }
}

impl NoConnection {
    /// What to look at first.
    pub fn hint(self) -> &'static str {
        match self {
            NoConnection::Refused => "is the server running, and are host and port right?",
            NoConnection::NameNotResolved | NoConnection::NoRoute => "is the host right?",
            NoConnection::TimedOut | NoConnection::Closed | NoConnection::Unknown => {
                "is the server running, and are host, port and http or https right?"
            }
            NoConnection::NoDescriptors => "raise the limit (ulimit -n), or lower --jobs",
            NoConnection::UnknownIssuer => {
                "name a file with its issuer (--ca-bundle; a self-signed certificate is its own), or pass --insecure"
            }
            NoConnection::IssuerHasAnotherKey => {
                "is the --ca-bundle of an earlier certificate? Name the present issuer, or pass --insecure"
            }
            NoConnection::CertificateExpired => "renew it, or pass --insecure",
            NoConnection::CertificateNotYetValid => "are both clocks right? If so, pass --insecure",
            NoConnection::CertificateOfAnotherHost => {
                "use a host that it names, have one issued for this host, or pass --insecure"
            }
            NoConnection::CertificateOfAuthority => {
                "have one issued that is no authority (CA:FALSE), or pass --insecure"
            }
            NoConnection::CertificateRevoked | NoConnection::CertificateRejected => {
                "have another one issued, or pass --insecure"
            }
            NoConnection::ClientCertificateMissing => "name one that it accepts (--client-cert, --client-key)",
            NoConnection::NotTls => "use http:// instead of https://",
            NoConnection::NeedsTls => "use https:// instead of http://",
            NoConnection::OtherProtocols => "does it speak HTTP/1.1 there, or with --http2 HTTP/2?",
            NoConnection::HandshakeUnanswered => "is it an http:// endpoint?",
            NoConnection::NoCredentials => "have they expired? Renew them (aws sso login, aws configure)",
            NoConnection::HandshakeFailed => "does the server speak TLS 1.2 or 1.3, with a current cipher suite?",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_transient_may_come_right() {
        let exchange = |reply: Reply| {
            let request = envelope::request(Service::Ecr, Operation::DeleteRepository, Bytes::new());
            Exchange::new(request, reply, Duration::ZERO, Duration::ZERO)
        };
        let error = |name: &str| exchange(Ok(envelope::response(400, &serde_json::json!({ "__type": name }))));
        assert!(error("ThrottlingException").is_transient());
        assert!(exchange(Err(TransportError::Unreachable(NoConnection::Refused))).is_transient());
        assert!(!error("RepositoryNotFoundException").is_transient());
        assert!(!exchange(Err(TransportError::Silent)).is_transient());
        assert!(!exchange(Err(TransportError::Dropped)).is_transient());
    }

    #[test]
    fn troubles_are_one_word_in_a_log() {
        for (trouble, word) in [
            (TransportError::Silent, "silent"),
            (TransportError::TooLarge, "too-large"),
            (TransportError::Unreachable(NoConnection::Refused), "refused"),
            (TransportError::Unreachable(NoConnection::UnknownIssuer), "unknown-issuer"),
            (TransportError::Unreachable(NoConnection::Unknown), "unreachable"),
        ] {
            assert_eq!(serde_json::to_value(trouble).unwrap(), word);
            assert_eq!(serde_json::from_value::<TransportError>(word.into()).unwrap(), trouble);
        }
        assert!(serde_json::from_value::<TransportError>("nonsense".into()).is_err());
    }
}
