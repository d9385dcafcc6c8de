//! HTTP/2, where an endpoint offers it over TLS: an HTTP library writes the requests, and repairs nothing.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use reqwest::Client;
use reqwest::redirect::Policy;
use rustls::{AlertDescription, ClientConfig};
use tokio::time::timeout;
use url::Url;

use super::in_process::headers;
use super::timeouts::{Timeouts, Waits};
use super::transport::{of_connect, of_handshake, of_lookup};
use crate::wire::{Flaw, NoConnection, Outgoing, Reply, Response, TransportError, Unsendable, decode, longest_answer};

/// What is asked for by ALPN: nothing else would be HTTP/2 (RFC 9113, 3.2).
pub(super) const PROTOCOL: &[u8] = b"h2";

/// A client that speaks HTTP/2, and does as it is told.
#[derive(Clone, Debug)]
pub(super) struct Http2 {
    client: Client,
    /// The same without kept connections.
    fresh: Client,
}

impl Http2 {
    /// A client whose TLS is made from this.
    pub fn new(configuration: &Arc<ClientConfig>, timeouts: &Timeouts) -> reqwest::Result<Http2> {
        let mut configuration = ClientConfig::clone(configuration);
        configuration.alpn_protocols = vec![PROTOCOL.to_vec()];
        let client = |idle: usize| {
            Client::builder()
                .tls_backend_preconfigured(configuration.clone())
                .connect_timeout(timeouts.connect)
                .no_proxy()
                .redirect(Policy::none())
                .retry(reqwest::retry::never())
                .pool_max_idle_per_host(idle)
                .build()
        };
        Ok(Http2 { client: client(usize::MAX)?, fresh: client(0)? })
    }

    /// Sends a request, over a connection that is kept or one of its own.
    ///
    /// # Errors
    ///
    /// Why it cannot be sent: then nothing was.
    pub async fn send(&self, url: &Url, request: &Outgoing, kept: bool, waits: &Waits) -> Result<Reply, Unsendable> {
        let (method, headers) = request.head()?;
        let mut built = reqwest::Request::new(method, url.clone());
        *built.headers_mut() = headers;
        *built.body_mut() = Some(request.body.whole().into());
        let client = if kept { &self.client } else { &self.fresh };
        let reply = async {
            match timeout(waits.of.first_byte_of(request), client.execute(built)).await {
                Ok(Ok(response)) => {
                    timeout(waits.of.rest, read(response, waits.quiet, longest_answer(request.body.len()))).await
                }
                Ok(Err(error)) => Ok(Err(trouble(&error))),
                Err(elapsed) => Err(elapsed),
            }
        };
        Ok(reply.await.unwrap_or(Err(TransportError::Silent)))
    }
}

/// The response with its body, or as much of it as comes. `quiet` is how long is waited for more of a whole object, and
/// `longest` how many bytes the body may have.
async fn read(mut response: reqwest::Response, quiet: Duration, longest: usize) -> Reply {
    let (status, headers) = (response.status().as_u16(), headers(response.headers()));
    let mut body = BytesMut::new();
    let answer = |body: BytesMut, flaw| Response { status, headers, body: body.freeze(), flaw };
    loop {
        let quiet = if decode::is_object(&body) { quiet } else { Duration::MAX };
        let Ok(chunk) = timeout(quiet, response.chunk()).await else { return Ok(answer(body, Some(Flaw::Cut))) };
        match chunk {
            Ok(Some(chunk)) if body.len() + chunk.len() > longest => return Err(TransportError::TooLarge),
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(answer(body, None)),
            Err(error) => match trouble(&error) {
                TransportError::Dropped => return Ok(answer(body, Some(Flaw::Cut))),
                trouble => return Err(trouble),
            },
        }
    }
}

/// Why the library has no response.
fn trouble(error: &reqwest::Error) -> TransportError {
    if error.is_connect() {
        return TransportError::Unreachable(no_connection(error));
    }
    if error.is_timeout() {
        return TransportError::Silent;
    }
    if misses_certificate(error) {
        return TransportError::Unreachable(NoConnection::ClientCertificateMissing);
    }
    // What the other side said breaks the rules of HTTP/2: it is this side that ends the stream or the connection for it.
    let is_broken = |cause: &h2::Error| cause.is_library() && !cause.is_io();
    match causes(error).find_map(|cause| cause.downcast_ref()) {
        Some(cause) if is_broken(cause) => TransportError::Garbage,
        _ => TransportError::Dropped,
    }
}

/// Whether the server asked for a certificate of the client in vain. In TLS 1.3, it says so after the handshake; of an alert
/// that comes then, what speaks HTTP/2 passes on the text and not the type.
fn misses_certificate(error: &reqwest::Error) -> bool {
    let alert = rustls::Error::AlertReceived(AlertDescription::CertificateRequired).to_string();
    causes(error).any(|cause| cause.to_string() == alert)
}

fn no_connection(error: &reqwest::Error) -> NoConnection {
    if error.is_timeout() {
        return NoConnection::TimedOut;
    }
    let of_tls = |error: &rustls::Error| of_handshake(&std::io::Error::other(error.clone()));
    if let Some(why) = causes(error).find_map(|cause| cause.downcast_ref().map(of_tls)) {
        return why;
    }
    // The innermost says most: those around it are of the kind `Other`.
    let innermost = causes(error).filter_map(|cause| cause.downcast_ref()).last();
    match innermost {
        Some(innermost) if error.is_dns() => of_lookup(innermost),
        Some(innermost) => of_connect(innermost),
        None if error.is_dns() => NoConnection::NameNotResolved,
        None => NoConnection::Unknown,
    }
}

/// An error with all that is behind it. What an I/O error wraps is left out by [`Error::source`].
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    fn next<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
        match error.downcast_ref().and_then(std::io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        }
    }
    std::iter::successors(Some(error), |error| next(*error))
}
