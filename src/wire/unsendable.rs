//! What no driver can send, and why: a fault of the request or of the way to the target, and never of the target.

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde::{Deserialize, Serialize};

use super::Request;

/// Why a request cannot be sent to a target.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Unsendable {
    /// The method is no token of HTTP.
    #[error("{0:?} is not an HTTP method")]
    InvalidMethod(String),
    /// CONNECT names a host instead of a path, and what follows it is no HTTP.
    #[error("CONNECT opens a tunnel and has no path")]
    Tunnel,
    /// The name of a header is no token of HTTP.
    #[error("{0:?} is not an HTTP header name")]
    InvalidHeaderName(String),
    /// The value of a header has a control character, which would end it.
    #[error("{value:?} is not an HTTP header value (header {name})")]
    InvalidHeaderValue {
        /// Name of the header.
        name: String,
        /// Its value.
        value: String,
    },
    /// A header that is written by whoever sends, from the endpoint and the framing.
    #[error("the header {0} is written by the sender, from the endpoint and `framing`")]
    ReservedHeader(String),
    /// More headers than a driver takes.
    #[error("{0} headers are more than the {max} that can be sent", max = MAX_HEADERS)]
    TooManyHeaders(usize),
    /// Another framing than the usual one, and nothing that is framed.
    #[error("there is no framing in process")]
    NoFramingInProcess,
    /// A signature of some kind, where requests are not signed, or the client signs by itself.
    #[error("it is about signatures, and requests are not signed")]
    NotSigned,
    /// A request that cannot be signed.
    #[error("it cannot be signed: {0}")]
    Unsignable(String),
    /// The client that sends the calls cannot express it, or rejects it by itself.
    #[error("{client} cannot send it: {why}")]
    RejectedByClient {
        /// What the client is called.
        client: String,
        /// Why not, in its words.
        why: String,
    },
}

/// The most headers that a request may have.
pub const MAX_HEADERS: usize = 10_000;

/// Headers that are written by whoever sends: a second one would change what the request means.
const RESERVED: [HeaderName; 5] =
    [header::HOST, header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION, header::EXPECT];

/// A method as HTTP has it.
///
/// # Errors
///
/// Where it cannot be sent.
pub fn method(text: &str) -> Result<Method, Unsendable> {
    match Method::from_bytes(text.as_bytes()) {
        Ok(Method::CONNECT) => Err(Unsendable::Tunnel),
        Ok(method) => Ok(method),
        Err(_) => Err(Unsendable::InvalidMethod(String::from(text))),
    }
}

/// The name of a header as HTTP has it.
///
/// # Errors
///
/// Where it cannot be sent.
pub fn header_name(text: &str) -> Result<HeaderName, Unsendable> {
    match HeaderName::from_bytes(text.as_bytes()) {
        Ok(name) if RESERVED.contains(&name) => Err(Unsendable::ReservedHeader(String::from(text))),
        Ok(name) => Ok(name),
        Err(_) => Err(Unsendable::InvalidHeaderName(String::from(text))),
    }
}

/// The value of a header as HTTP has it.
///
/// # Errors
///
/// Where it cannot be sent.
pub fn header_value(name: &str, text: &str) -> Result<HeaderValue, Unsendable> {
    HeaderValue::from_bytes(text.as_bytes())
        .map_err(|_| Unsendable::InvalidHeaderValue { name: String::from(name), value: String::from(text) })
}

/// Whether a text is the name of a header that nobody has anything against, at first sight.
fn is_plain_name(text: &str) -> bool {
    let is_reserved = || RESERVED.iter().any(|reserved| reserved.as_str().eq_ignore_ascii_case(text));
    (1..64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !is_reserved()
}

fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

impl<B> Request<B> {
    /// Whether it can be sent over HTTP.
    ///
    /// # Errors
    ///
    /// Why not.
    pub fn check(&self) -> Result<(), Unsendable> {
        // Asked of every request, before it is made: most need no look at how HTTP has it.
        let is_plain = self.headers.iter().all(|(name, value)| is_plain_name(name) && is_printable(value));
        if !is_plain || self.headers.len() > MAX_HEADERS {
            self.fields()?.try_for_each(|field| field.map(drop))?;
        }
        method(&self.method).map(drop)
    }

    /// Method and headers as HTTP has them. A request that has them can be sent over HTTP.
    ///
    /// # Errors
    ///
    /// Why it cannot be sent.
    pub fn head(&self) -> Result<(Method, HeaderMap), Unsendable> {
        let mut headers = HeaderMap::new();
        for field in self.fields()? {
            let (name, value) = field?;
            headers.try_append(name, value).map_err(|_| self.too_many())?;
        }
        Ok((method(&self.method)?, headers))
    }

    /// The headers as HTTP has them, one after the other.
    fn fields(&self) -> Result<impl Iterator<Item = Result<(HeaderName, HeaderValue), Unsendable>>, Unsendable> {
        if self.headers.len() > MAX_HEADERS {
            return Err(self.too_many());
        }
        Ok(self.headers.iter().map(|(name, value)| Ok((header_name(name)?, header_value(name, value)?))))
    }

    fn too_many(&self) -> Unsendable {
        Unsendable::TooManyHeaders(self.headers.len())
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::contract::{Operation, Service};
    use crate::wire::auth::dummy;
    use crate::wire::envelope;

    fn rejected(change: impl FnOnce(&mut Request)) -> String {
        let mut request = envelope::request(Service::Ecr, Operation::InitiateLayerUpload, Bytes::from_static(b"{}"));
        change(&mut request);
        request.headers.extend(dummy(Service::Ecr));
        assert_eq!(request.check(), request.head().map(drop));
        request.head().map_or_else(|why| why.to_string(), |_| String::from("sent"))
    }

    fn header(name: &str, value: &str) -> String {
        rejected(|request| request.headers.push((String::from(name), String::from(value))))
    }

    #[test]
    fn what_cannot_be_sent_has_a_reason() {
        assert_eq!(rejected(|_| {}), "sent");
        assert_eq!(rejected(|request| request.method = String::from("BREW")), "sent");
        assert_eq!(rejected(|request| request.method = String::from("PO ST")), "\"PO ST\" is not an HTTP method");
        assert_eq!(rejected(|request| request.method.clear()), "\"\" is not an HTTP method");
        assert_eq!(
            rejected(|request| request.method = String::from("CONNECT")),
            "CONNECT opens a tunnel and has no path"
        );
        assert_eq!(header("X-A", "ä\tb"), "sent");
        assert_eq!(header("X A", "a"), "\"X A\" is not an HTTP header name");
        assert_eq!(header("", "a"), "\"\" is not an HTTP header name");
        assert_eq!(header("X-A", "a\r\nB: c"), "\"a\\r\\nB: c\" is not an HTTP header value (header X-A)");
        assert_eq!(
            header("content-Length", "7"),
            "the header content-Length is written by the sender, from the endpoint and `framing`"
        );
        let many = |request: &mut Request| request.headers = vec![request.headers[0].clone(); MAX_HEADERS];
        assert_eq!(rejected(many), "10002 headers are more than the 10000 that can be sent");
    }

    #[test]
    fn as_many_headers_as_are_allowed_can_be_sent() {
        let mut request = envelope::request(Service::Ecr, Operation::InitiateLayerUpload, Bytes::from_static(b"{}"));
        request.headers = (0..MAX_HEADERS).map(|number| (format!("x-{number}"), String::from("a"))).collect();
        assert_eq!(request.head().map(|(_, headers)| headers.len()), Ok(MAX_HEADERS));
    }
}
