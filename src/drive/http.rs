//! Sends requests over HTTP and repairs nothing: no retries, redirects, proxies or decompression.
//!
//! Those of HTTP/1.1 are written by hand, over TCP as over TLS; an HTTP library writes those of HTTP/2.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::sync::Barrier;
use tokio::time::timeout;

use super::connect::Endpoint;
pub use super::connect::NoEndpoint;
use super::http2::{self, Http2};
use super::pool::Pool;
use super::raw;
use super::raw::Connection;
use super::signing::Place;
pub use super::timeouts::Timeouts;
use super::timeouts::{Shown, Waits};
pub use super::tls::{NoCertificate, NoTrust};
use crate::wire::{
    Body, ClientCertificate, Exchange, Framing, NoConnection, Outgoing, Reply, Request, TransportError, Trust,
    Unsendable,
};

/// An HTTP endpoint as a target.
#[derive(Clone, Debug)]
pub struct Http {
    endpoint: Endpoint,
    timeouts: Timeouts,
    /// What the target has shown of how long its answers take.
    shown: Arc<Mutex<Shown>>,
    /// Whether connections are used that carried a request before.
    keeps: bool,
    pool: Arc<Pool>,
    /// What sends the requests that need no framing of HTTP/1.1, if not this.
    http2: Option<Http2>,
}

/// A new connection that has brought no answer for so long may wait until the server has ended another.
const TAKEN: Duration = Duration::from_secs(1);

impl Http {
    /// A target at this address, with a certificate that the system trusts if it is one of `https://`.
    ///
    /// # Errors
    ///
    /// Where the address is none of `http://` or `https://`, or cannot be requested, or has credentials.
    pub fn new(endpoint: &str, timeouts: Timeouts) -> Result<Http, NoEndpoint> {
        Http::trusting(endpoint, timeouts, &Trust::System)
    }

    /// A target at this address, with a certificate that is trusted in this way.
    ///
    /// # Errors
    ///
    /// Those of [`Http::new`], and where there is nothing to trust.
    pub fn trusting(endpoint: &str, timeouts: Timeouts, trust: &Trust) -> Result<Http, NoEndpoint> {
        Http::showing(endpoint, timeouts, trust, None)
    }

    /// The same, which shows this certificate to a server that asks for one.
    ///
    /// # Errors
    ///
    /// Those of [`Http::trusting`], and where there is no such certificate.
    pub fn showing(
        endpoint: &str,
        timeouts: Timeouts,
        trust: &Trust,
        own: Option<&ClientCertificate>,
    ) -> Result<Http, NoEndpoint> {
        let endpoint = Endpoint::new(endpoint, trust, own)?;
        Ok(Http { endpoint, timeouts, keeps: true, pool: Arc::default(), shown: Arc::default(), http2: None })
    }

    /// The same endpoint, asked over HTTP/2, but for what is about the framing of HTTP/1.1. Where the server cannot be
    /// reached now, each request says so.
    ///
    /// # Errors
    ///
    /// Where the server does not offer it.
    pub async fn over_http2(self) -> Result<Http, NoEndpoint> {
        let Some(configuration) = self.endpoint.configuration() else {
            return Err(NoEndpoint::NoTls(self.endpoint.url.to_string()));
        };
        let http2 = Some(Http2::new(configuration, &self.timeouts)?);
        match self.endpoint.choice(&[http2::PROTOCOL, b"http/1.1"], &self.timeouts).await {
            Ok(Some(chosen)) if chosen.as_bytes() == http2::PROTOCOL => Ok(Http { http2, ..self }),
            Ok(chosen) => Err(NoEndpoint::NoHttp2(chosen.unwrap_or_else(|| String::from("none")))),
            Err(_) => Ok(Http { http2, ..self }),
        }
    }

    /// What it speaks, for a report.
    pub fn name(&self) -> &'static str {
        if self.http2.is_some() { "HTTP/2" } else { "HTTP" }
    }

    /// The same endpoint, asked over connections that carried no request before.
    pub fn afresh(&self) -> Http {
        Http { keeps: false, ..self.clone() }
    }

    /// Why a request cannot be sent, if so.
    pub fn cannot_send<B>(&self, request: &Request<B>) -> Option<Unsendable> {
        request.check().err()
    }

    /// Sends a request.
    ///
    /// # Errors
    ///
    /// Why it cannot be sent: then nothing was.
    pub async fn send<B: Into<Body>>(&self, request: Request<B>) -> Result<Exchange, Unsendable> {
        let request = Outgoing::of(request);
        if let Some(why) = self.cannot_send(&request) {
            return Err(why);
        }
        let started = Instant::now();
        let (reply, kept) = match self.library(&request) {
            Some(http2) => {
                let reply = http2.send(&self.endpoint.url, &request, self.keeps, &self.waits(&request)).await?;
                // The library does not tell whether it was.
                let kept = self.keeps && reply == Err(TransportError::Dropped);
                (reply, kept)
            }
            None => self.by_hand(&request).await,
        };
        let took = started.elapsed();
        self.shown().notice(&request, &reply, took, self.timeouts);
        let waited = self.library(&request).is_none() && !kept && took >= TAKEN;
        Ok(Exchange::new(request, reply, Duration::ZERO, took).over_kept(kept).waited(waited))
    }

    /// What sends a request instead of this.
    fn library(&self, request: &Outgoing) -> Option<&Http2> {
        self.http2.as_ref().filter(|_| request.framing == Framing::Length)
    }

    /// What came back, and whether over a connection that carried a request before.
    async fn by_hand(&self, request: &Outgoing) -> (Reply, bool) {
        // Large bodies go out alone: a server may answer and close before it has read them, and that answer counts.
        if request.framing != Framing::Length || request.body.len() > LARGE {
            let sending = async {
                match request.framing {
                    Framing::SecondRequest => {
                        raw::second(&self.endpoint, &raw::harmless(request), request, &self.waits(request)).await
                    }
                    _ => self.alone(request).await,
                }
            };
            return (self.beside_kept(self.pool.is_crowded(), sending).await, false);
        }
        if self.keeps
            && let Some(mut kept) = self.pool.take()
        {
            let reply = kept.talk(&self.endpoint, request, false, &self.waits(request)).await;
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
    async fn over_new(&self, request: &Outgoing) -> Reply {
        let sending = async {
            let mut connection = Connection::open(&self.endpoint, &self.timeouts).await?;
            let reply = connection.talk(&self.endpoint, request, !self.keeps, &self.waits(request)).await;
            if connection.is_reusable() {
                self.pool.keep(connection);
            }
            reply
        };
        self.beside_kept(false, sending).await
    }

    /// What comes of sending over new connections. A server that serves few at once may take them only when others have
    /// ended: those that are kept are closed when it does not answer, or at once.
    async fn beside_kept<T>(&self, at_once: bool, sending: impl Future<Output = T>) -> T {
        let mut sending = pin!(sending);
        if !at_once && let Ok(sent) = timeout(TAKEN.min(self.timeouts.first_byte / 4), &mut sending).await {
            return sent;
        }
        let _waiting = self.pool.wait();
        sending.await
    }

    /// Over a connection of its own.
    async fn alone(&self, request: &Outgoing) -> Reply {
        let mut connection = Connection::open(&self.endpoint, &self.timeouts).await?;
        connection.talk(&self.endpoint, request, true, &self.waits(request)).await
    }

    /// Sends requests at once, each over a connection of its own: all are open before the first byte goes out, unless the
    /// server does not take so many. `clock` is what `began` counts from.
    ///
    /// # Errors
    ///
    /// Why one of them cannot be sent: then none was.
    pub async fn send_at_once(&self, requests: Vec<Outgoing>, clock: Instant) -> Result<Vec<Exchange>, Unsendable> {
        if let Some(why) = requests.iter().find_map(|request| self.cannot_send(request)) {
            return Err(why);
        }
        if let Some(http2) =
            self.http2.as_ref().filter(|_| requests.iter().all(|request| self.library(request).is_some()))
        {
            return self.at_once_over(http2, requests, clock).await;
        }
        let gate = Arc::new(Barrier::new(requests.len()));
        let sending = requests.iter().cloned().map(|request| {
            let (http, gate) = (self.clone(), gate.clone());
            tokio::spawn(async move {
                let mut opening = pin!(Connection::open(&http.endpoint, &http.timeouts));
                // A server that serves few connections at once ends a handshake when another request is answered.
                let opened = timeout(TAKEN, &mut opening).await;
                gate.wait().await;
                let began = clock.elapsed();
                let connection = match opened {
                    Ok(connection) => connection,
                    Err(_) => opening.await,
                };
                let reply = match connection {
                    Ok(mut own) => own.talk(&http.endpoint, &request, true, &http.waits(&request)).await,
                    Err(trouble) => Err(trouble),
                };
                (reply, began, clock.elapsed() - began)
            })
        });
        let sent = self.beside_kept(self.pool.is_crowded(), join_all(sending)).await.into_iter().zip(requests);
        let exchanges = sent.map(|(sent, request)| {
            // A task that was not let finish has sent nothing that could be judged.
            let unsent = Err(TransportError::Unreachable(NoConnection::Unknown));
            let (reply, began, took) = sent.unwrap_or((unsent, clock.elapsed(), Duration::ZERO));
            Exchange::new(request, reply, began, took)
        });
        Ok(exchanges.collect())
    }

    /// Sends requests at once over HTTP/2: as streams of one connection, if one is kept.
    async fn at_once_over(
        &self,
        http2: &Http2,
        requests: Vec<Outgoing>,
        clock: Instant,
    ) -> Result<Vec<Exchange>, Unsendable> {
        let sending = requests.into_iter().map(async |request| {
            let began = clock.elapsed();
            let reply = http2.send(&self.endpoint.url, &request, self.keeps, &self.waits(&request)).await?;
            Ok(Exchange::new(request, reply, began, clock.elapsed() - began))
        });
        join_all(sending).await.into_iter().collect()
    }

    /// Where requests go, for who signs them.
    pub(super) fn place(&self) -> Place {
        let url = &self.endpoint.url;
        let query = url.query().map_or(String::new(), |query| format!("?{query}"));
        Place { host: raw::host(url), path: format!("{}{query}", url.path()) }
    }

    /// The request that goes before one on its connection, if one does.
    pub(super) fn before(request: &Outgoing) -> Option<Outgoing> {
        (request.framing == Framing::SecondRequest).then(|| raw::harmless(request))
    }

    /// Sends a request as the second one of a connection, on which another was answered.
    ///
    /// # Errors
    ///
    /// Those of [`Http::send`].
    pub(super) async fn send_after(&self, first: &Outgoing, request: Outgoing) -> Result<Exchange, Unsendable> {
        if let Some(why) = self.cannot_send(&request).or_else(|| self.cannot_send(first)) {
            return Err(why);
        }
        let started = Instant::now();
        let waits = self.waits(&request);
        let sending = raw::second(&self.endpoint, first, &request, &waits);
        let reply = self.beside_kept(self.pool.is_crowded(), sending).await;
        let took = started.elapsed();
        self.shown().notice(&request, &reply, took, self.timeouts);
        Ok(Exchange::new(request, reply, Duration::ZERO, took).waited(took >= TAKEN))
    }

    fn waits(&self, request: &Outgoing) -> Waits {
        self.shown().waits(request, self.timeouts)
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        // Numbers: a panic leaves them usable.
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const LARGE: usize = 256 << 10;
