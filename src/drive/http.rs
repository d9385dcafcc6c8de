//! Sends requests over HTTP and repairs nothing: no retries, redirects, proxies or decompression.
//!
//! To a plain-text endpoint they are written by hand; over TLS an HTTP library writes them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use futures_util::future::join_all;
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use tokio::sync::Barrier;
use tokio::time::timeout;

use super::in_process::headers;
use super::pool::Pool;
use super::raw::Connection;
pub use super::timeouts::Timeouts;
use super::timeouts::Waits;
use super::{raw, transport};
use crate::wire::{
    Exchange, Flaw, Framing, MAX_ANSWER, NoConnection, Reply, Request, Response, TransportError, Unsendable, decode,
};

/// An HTTP endpoint as a target.
#[derive(Clone, Debug)]
pub struct Http {
    endpoint: Url,
    timeouts: Timeouts,
    /// How many answers were not as long as their heads say, although the connection did not end.
    stalled: Arc<AtomicUsize>,
    /// Whether connections are used that carried a request before.
    keeps: bool,
    pool: Arc<Pool>,
    /// For TLS.
    client: Client,
    /// For TLS, without kept connections.
    fresh: Arc<OnceLock<Client>>,
}

/// A new connection that has brought no answer for so long may wait until the server has ended another.
const TAKEN: Duration = Duration::from_secs(1);

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
    /// The HTTP client could not be set up, for whatever address.
    #[error("could not set up HTTP: {0}")]
    Client(reqwest::Error),
}

impl Http {
    /// A target at this address.
    ///
    /// # Errors
    ///
    /// Where the address is none of `http://` or `https://`, or cannot be requested, or has credentials.
    pub fn new(endpoint: &str, timeouts: Timeouts) -> Result<Http, NoEndpoint> {
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
        let client = library(&timeouts, MOST_IDLE).map_err(NoEndpoint::Client)?;
        Ok(Http {
            endpoint: url,
            timeouts,
            keeps: true,
            pool: Arc::default(),
            client,
            fresh: Arc::default(),
            stalled: Arc::default(),
        })
    }

    /// The same endpoint, asked over connections that carried no request before.
    pub fn afresh(&self) -> Http {
        Http { keeps: false, ..self.clone() }
    }

    /// Whether bytes can be written by hand.
    pub fn is_plain(&self) -> bool {
        self.endpoint.scheme() == "http"
    }

    /// Why a request cannot be sent, if so.
    pub fn cannot_send<B>(&self, request: &Request<B>) -> Option<Unsendable> {
        let by_hand = request.framing != Framing::Length;
        let framing = (by_hand && !self.is_plain()).then_some(Unsendable::FramingNeedsPlainHttp);
        framing.or_else(|| request.head().err())
    }

    /// Sends a request.
    ///
    /// # Errors
    ///
    /// Why it cannot be sent: then nothing was.
    pub async fn send(&self, request: Request) -> Result<Exchange, Unsendable> {
        if let Some(why) = self.cannot_send(&request) {
            return Err(why);
        }
        let started = Instant::now();
        let (reply, kept) = match self.is_plain() {
            true => self.by_hand(&request).await,
            false => {
                let reply = self.by_library(&request).await?;
                // The library does not tell whether it was.
                let kept = self.keeps && reply == Err(TransportError::Dropped);
                (reply, kept)
            }
        };
        let took = started.elapsed();
        self.notice(&reply, took);
        let waited = self.is_plain() && !kept && took >= TAKEN;
        Ok(Exchange::new(request, reply, Duration::ZERO, took).over_kept(kept).waited(waited))
    }

    /// What came back, and whether over a connection that carried a request before.
    async fn by_hand(&self, request: &Request) -> (Reply, bool) {
        // Large bodies go out alone: a server may answer and close before it has read them, and that answer counts.
        if request.framing != Framing::Length || request.body.len() > LARGE {
            let _waiting = self.pool.wait();
            let reply = match request.framing {
                Framing::SecondRequest => raw::second(&self.endpoint, request, &self.waits()).await,
                _ => self.alone(request).await,
            };
            return (reply, false);
        }
        if self.keeps
            && let Some(mut kept) = self.pool.take()
        {
            let reply = kept.talk(&self.endpoint, request, false, &self.waits()).await;
            if reply == Err(TransportError::Dropped) {
                self.pool.ended();
            }
            if kept.is_reusable() {
                self.pool.keep(kept);
            }
            return (reply, true);
        }
        (self.over_new(request).await, false)
    }

    /// Over a connection that is kept afterwards.
    async fn over_new(&self, request: &Request) -> Reply {
        let sending = async {
            let mut connection = Connection::open(&self.endpoint, &self.timeouts).await?;
            let reply = connection.talk(&self.endpoint, request, !self.keeps, &self.waits()).await;
            if connection.is_reusable() {
                self.pool.keep(connection);
            }
            reply
        };
        let mut sending = std::pin::pin!(sending);
        match timeout(TAKEN.min(self.timeouts.first_byte / 4), &mut sending).await {
            Ok(reply) => reply,
            Err(_) => {
                let _waiting = self.pool.wait();
                sending.await
            }
        }
    }

    /// Over a connection of its own.
    async fn alone(&self, request: &Request) -> Reply {
        let mut connection = Connection::open(&self.endpoint, &self.timeouts).await?;
        connection.talk(&self.endpoint, request, true, &self.waits()).await
    }

    /// Sends requests at once, each over a connection of its own: all are open before the first byte goes out. `clock`
    /// is what `began` counts from.
    ///
    /// # Errors
    ///
    /// Why one of them cannot be sent: then none was, unless it is the HTTP library that rejects it.
    pub async fn send_at_once(&self, requests: Vec<Request>, clock: Instant) -> Result<Vec<Exchange>, Unsendable> {
        if let Some(why) = requests.iter().find_map(|request| self.cannot_send(request)) {
            return Err(why);
        }
        // Until all are answered: the server may serve some of them only when others have ended.
        let _waiting = self.pool.wait();
        let connect = async |_: &Request| match self.is_plain() {
            true => Connection::open(&self.endpoint, &self.timeouts).await.map(Some),
            false => Ok(None),
        };
        let connections = join_all(requests.iter().map(connect)).await;
        let gate = Arc::new(Barrier::new(requests.len()));
        let sending = requests.iter().cloned().zip(connections).map(|(request, connection)| {
            let (http, gate) = (self.clone(), gate.clone());
            tokio::spawn(async move {
                gate.wait().await;
                let began = clock.elapsed();
                let reply = match connection {
                    Ok(Some(mut own)) => Ok(own.talk(&http.endpoint, &request, true, &http.waits()).await),
                    Ok(None) => http.by_library(&request).await,
                    Err(trouble) => Ok(Err(trouble)),
                };
                (reply, began, clock.elapsed() - began)
            })
        });
        let sent = join_all(sending).await.into_iter().zip(requests);
        sent.map(|(sent, request)| {
            // A task that was not let finish has sent nothing that could be judged.
            let unsent = Ok(Err(TransportError::Unreachable(NoConnection::Unknown)));
            let (reply, began, took) = sent.unwrap_or((unsent, clock.elapsed(), Duration::ZERO));
            Ok(Exchange::new(request, reply?, began, took))
        })
        .collect()
    }

    fn waits(&self) -> Waits {
        Waits::after(self.stalled.load(Ordering::Relaxed), self.timeouts)
    }

    /// Remembers whether the target left an answer without its end.
    fn notice(&self, reply: &Reply, took: Duration) {
        let is_cut = reply.as_ref().is_ok_and(|response| response.flaw == Some(Flaw::Cut));
        if is_cut && took >= self.waits().quiet {
            self.stalled.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn by_library(&self, request: &Request) -> Result<Reply, Unsendable> {
        let (method, headers) = request.head()?;
        let mut built = reqwest::Request::new(method, self.endpoint.clone());
        *built.headers_mut() = headers;
        *built.body_mut() = Some(request.body.clone().into());
        let client = match self.keeps {
            true => &self.client,
            false => self.fresh.get_or_init(|| library(&self.timeouts, 0).unwrap_or_else(|_| self.client.clone())),
        };
        let response = match timeout(self.timeouts.first_byte_of(request), client.execute(built)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return transport::of_library(&error).map(Err),
            Err(_) => return Ok(Err(TransportError::Silent)),
        };
        let read = timeout(self.timeouts.rest, read(response, self.waits().quiet)).await;
        read.unwrap_or(Ok(Err(TransportError::Silent)))
    }
}

const LARGE: usize = 256 << 10;

/// How many connections the library keeps at most.
const MOST_IDLE: usize = 64;

/// The library as a client that does as it is told.
fn library(timeouts: &Timeouts, idle: usize) -> reqwest::Result<Client> {
    Client::builder()
        .connect_timeout(timeouts.connect)
        .http1_only()
        .http1_title_case_headers()
        .no_proxy()
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .pool_max_idle_per_host(idle)
        .build()
}

/// The response with its body, or as much of it as comes. `quiet` is how long is waited for more of a whole object.
async fn read(mut response: reqwest::Response, quiet: Duration) -> Result<Reply, Unsendable> {
    let (status, headers) = (response.status().as_u16(), headers(response.headers()));
    let mut body = BytesMut::new();
    let answer = |body: BytesMut, flaw| Response { status, headers, body: body.freeze(), flaw };
    loop {
        let quiet = if decode::is_object(&body) { quiet } else { Duration::MAX };
        let Ok(chunk) = timeout(quiet, response.chunk()).await else { return Ok(Ok(answer(body, Some(Flaw::Cut)))) };
        match chunk {
            Ok(Some(chunk)) if body.len() + chunk.len() > MAX_ANSWER => return Ok(Err(TransportError::Endless)),
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(Ok(answer(body, None))),
            Err(error) => match transport::of_library(&error)? {
                TransportError::Dropped => return Ok(Ok(answer(body, Some(Flaw::Cut)))),
                trouble => return Ok(Err(trouble)),
            },
        }
    }
}
