//! Opens connections: TCP, and over it TLS where the endpoint asks for it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::Url;

use super::timeouts::Timeouts;
use super::tls::{NoTrust, configuration};
use super::transport::{of_connect, of_handshake, of_lookup};
use crate::wire::{ClientCertificate, NoConnection, Trust};

/// Why an address cannot be a target.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoEndpoint {
    /// It is no URL of HTTP.
    #[error("expected a URL such as http://127.0.0.1:5000, found {0:?}")]
    NoUrl(String),
    /// It has credentials; they are not kept here either.
    #[error("expected a URL without a user and a password: they would stand in reports")]
    Credentials,
    /// No request can name it.
    #[error("expected a URL that can be requested, found {0:?}")]
    NotRequestable(String),
    /// Nobody can be trusted as was asked for.
    #[error(transparent)]
    Trust(#[from] NoTrust),
    /// HTTP/2 is asked for, which is spoken over TLS alone.
    #[error("expected an https:// URL for HTTP/2, found {0:?}")]
    NoTls(String),
    /// HTTP/2 is asked for, and the server chose another protocol.
    #[error("the server does not offer HTTP/2 (of h2 and http/1.1, it chose {0})")]
    NoHttp2(String),
    /// The client that speaks HTTP/2 could not be set up.
    #[error("could not set up HTTP/2: {0}")]
    Client(#[from] reqwest::Error),
}

/// Where requests go.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    pub url: Url,
    /// What is spoken over TCP, if it is not HTTP itself.
    tls: Option<Tls>,
}

#[derive(Clone, Debug)]
struct Tls {
    configuration: Arc<ClientConfig>,
    /// Whose certificate it must be.
    name: ServerName<'static>,
}

impl Endpoint {
    /// The endpoint at this address, which is shown this certificate if it asks for one.
    pub fn new(endpoint: &str, trust: &Trust, own: Option<&ClientCertificate>) -> Result<Endpoint, NoEndpoint> {
        let no_url = || NoEndpoint::NoUrl(String::from(endpoint));
        let url: Url = endpoint.parse().map_err(|_| no_url())?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(no_url());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(NoEndpoint::Credentials);
        }
        if url.as_str().parse::<http::Uri>().is_err() {
            return Err(NoEndpoint::NotRequestable(String::from(endpoint)));
        }
        let tls = match url.scheme() {
            "https" => {
                let name = ServerName::try_from(host(&url)).map_err(|_| NoEndpoint::NotRequestable(url.to_string()))?;
                Some(Tls { name: name.to_owned(), configuration: configuration(trust, own)? })
            }
            _ => None,
        };
        Ok(Endpoint { url, tls })
    }

    /// What TLS sessions are made from, if the endpoint speaks TLS.
    pub fn configuration(&self) -> Option<&Arc<ClientConfig>> {
        Some(&self.tls.as_ref()?.configuration)
    }

    /// What the server chooses of these protocols (ALPN, RFC 7301), if it chooses one.
    pub async fn choice(&self, protocols: &[&[u8]], timeouts: &Timeouts) -> Result<Option<String>, NoConnection> {
        let stream = self.tcp(timeouts).await?;
        let Some(tls) = &self.tls else { return Ok(None) };
        let mut configuration = ClientConfig::clone(&tls.configuration);
        configuration.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        let asking = Tls { configuration: Arc::new(configuration), name: tls.name.clone() };
        let stream = asking.handshake(stream, timeouts).await?;
        Ok(stream.get_ref().1.alpn_protocol().map(|chosen| String::from_utf8_lossy(chosen).into_owned()))
    }

    /// A new connection, as far as it needs to be before a request can be sent.
    pub async fn connect(&self, timeouts: &Timeouts) -> Result<(ReadHalf, WriteHalf), NoConnection> {
        let stream = self.tcp(timeouts).await?;
        let Some(tls) = &self.tls else {
            let (read, write) = stream.into_split();
            return Ok((ReadHalf::Plain(read), WriteHalf::Plain(write)));
        };
        let (read, write) = tokio::io::split(tls.handshake(stream, timeouts).await?);
        Ok((ReadHalf::Tls(read), WriteHalf::Tls(write)))
    }

    async fn tcp(&self, timeouts: &Timeouts) -> Result<TcpStream, NoConnection> {
        let port = self.url.port_or_known_default().unwrap_or(80);
        let connected = timeout(timeouts.connect, async {
            let addresses = lookup_host((host(&self.url), port)).await.map_err(|error| of_lookup(&error))?;
            TcpStream::connect(&*addresses.collect::<Vec<_>>()).await.map_err(|error| of_connect(&error))
        });
        let stream = connected.await.unwrap_or(Err(NoConnection::TimedOut))?;
        let _ = stream.set_nodelay(true); // A short body would wait until its head is acknowledged.
        Ok(stream)
    }
}

impl Tls {
    async fn handshake(&self, stream: TcpStream, timeouts: &Timeouts) -> Result<TlsStream<TcpStream>, NoConnection> {
        let handshake = TlsConnector::from(self.configuration.clone()).connect(self.name.clone(), stream);
        // A server that serves few connections at once answers when it takes this one, as it would a request.
        match timeout(timeouts.first_byte, handshake).await {
            Ok(stream) => stream.map_err(|error| of_handshake(&error)),
            Err(_) => Err(NoConnection::HandshakeUnanswered),
        }
    }
}

/// The host as a name or a number.
fn host(url: &Url) -> &str {
    url.host_str().unwrap_or_default().trim_matches(['[', ']'])
}

/// What is read of a connection.
#[derive(Debug)]
pub(super) enum ReadHalf {
    Plain(OwnedReadHalf),
    Tls(tokio::io::ReadHalf<TlsStream<TcpStream>>),
}

impl ReadHalf {
    /// Whether nothing protects the connection.
    pub fn is_plain(&self) -> bool {
        matches!(self, ReadHalf::Plain(_))
    }

    /// Whether there is nothing to read, and no end, as far as can be seen. What there is may be lost.
    pub fn is_quiet(&mut self) -> bool {
        match self {
            ReadHalf::Plain(half) => {
                half.try_read(&mut [0]).is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
            }
            // What TLS itself has to say, such as tickets for later sessions, is taken in on the way.
            ReadHalf::Tls(half) => {
                let mut byte = [0];
                let polled =
                    Pin::new(half).poll_read(&mut Context::from_waker(Waker::noop()), &mut ReadBuf::new(&mut byte));
                polled.is_pending()
            }
        }
    }
}

impl AsyncRead for ReadHalf {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            ReadHalf::Plain(half) => Pin::new(half).poll_read(context, buffer),
            ReadHalf::Tls(half) => Pin::new(half).poll_read(context, buffer),
        }
    }
}

/// What is written to a connection.
#[derive(Debug)]
pub(super) enum WriteHalf {
    Plain(OwnedWriteHalf),
    Tls(tokio::io::WriteHalf<TlsStream<TcpStream>>),
}

impl AsyncWrite for WriteHalf {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            WriteHalf::Plain(half) => Pin::new(half).poll_write(context, bytes),
            WriteHalf::Tls(half) => Pin::new(half).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            WriteHalf::Plain(half) => Pin::new(half).poll_flush(context),
            WriteHalf::Tls(half) => Pin::new(half).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            WriteHalf::Plain(half) => Pin::new(half).poll_shutdown(context),
            WriteHalf::Tls(half) => Pin::new(half).poll_shutdown(context),
        }
    }
}
