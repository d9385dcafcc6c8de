//! Calls a tower service in this process, without sockets.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderValue, header};
use http_body_util::{BodyExt as _, Full, Limited};
use tower::{Service, ServiceExt as _};

use super::panics::Panics;
use super::signing::Place;
use crate::wire::{
    Body, Exchange, Framing, MOST_ANSWER, Outgoing, Reply, Request, Response, TransportError, Unsendable,
};

/// A tower service as a target.
#[derive(Clone)]
pub struct InProcess {
    call: Arc<Call>,
    /// How long to wait for an answer; without it as long as it takes.
    #[cfg(feature = "run")]
    timeouts: Option<Duration>,
    /// Whether a panic of the service drops the connection; otherwise it is passed on.
    catches: bool,
    /// What the service panicked with.
    panics: Panics,
}

type Call = dyn Fn(http::Request<Full<Bytes>>) -> Pending + Send + Sync;
type Pending = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// A tower service that answers HTTP requests, as a router of axum does. Whatever is one is a `Server`.
pub trait Server: Send + Sync + 'static {
    /// The service as a target. It is cloned for each request.
    fn in_process(self) -> InProcess;
}

impl<S, B> Server for S
where
    S: Service<http::Request<Full<Bytes>>, Response = http::Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    fn in_process(self) -> InProcess {
        InProcess {
            call: Arc::new(move |request| {
                let service = self.clone();
                Box::pin(async move {
                    let Ok(response) = service.oneshot(request).await else { return Err(TransportError::Dropped) };
                    let (head, body) = response.into_parts();
                    let body = match Limited::new(body, MOST_ANSWER).collect().await {
                        Ok(body) => body.to_bytes(),
                        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
                            return Err(TransportError::TooLarge);
                        }
                        Err(_) => return Err(TransportError::Dropped),
                    };
                    Ok(Response { status: head.status.as_u16(), headers: headers(&head.headers), body, flaw: None })
                })
            }),
            #[cfg(feature = "run")]
            timeouts: None,
            catches: false,
            panics: Panics::default(),
        }
    }
}

/// The host that requests are for.
const HOST: &str = "localhost";

impl InProcess {
    /// Where requests go, for who signs them.
    pub(super) fn place() -> Place {
        Place { host: String::from(HOST), path: String::from("/") }
    }

    /// Wraps a service.
    pub fn new(server: impl Server) -> InProcess {
        server.in_process()
    }

    /// The service behind what a network does: a panic drops the connection.
    pub fn caught(self) -> InProcess {
        InProcess { catches: true, ..self }
    }

    /// The service behind what a network does: no answer within this time is silence, and a panic drops the connection.
    /// Needs the timers of tokio.
    #[cfg(feature = "run")]
    pub fn guarded(self, timeouts: Duration) -> InProcess {
        InProcess { timeouts: Some(timeouts), catches: true, ..self }
    }

    /// What the service panicked with, as far as its panics are caught.
    pub fn panics(&self) -> Panics {
        self.panics.clone()
    }

    async fn answer(&self, request: http::Request<Full<Bytes>>, body: &Bytes) -> Reply {
        let pending = (self.call)(request);
        if !self.catches {
            return pending.await;
        }
        let answer = Unpanicked { pending, panics: &self.panics, body };
        #[cfg(feature = "run")]
        if let Some(timeouts) = self.timeouts {
            return tokio::time::timeout(timeouts, answer).await.unwrap_or(Err(TransportError::Silent));
        }
        answer.await
    }

    /// Why a request cannot be sent, if so.
    pub fn cannot_send<B>(&self, request: &Request<B>) -> Option<Unsendable> {
        framed(request).or_else(|| request.check().err())
    }

    /// Sends a request.
    ///
    /// # Errors
    ///
    /// Why it cannot be sent: then nothing was.
    pub async fn send<B: Into<Body>>(&self, request: Request<B>) -> Result<Exchange, Unsendable> {
        let request = Outgoing::of(request);
        if let Some(why) = framed(&request) {
            return Err(why);
        }
        let (method, headers) = request.head()?;
        let body = request.body.whole();
        let mut http = http::Request::new(Full::new(body.clone()));
        *http.method_mut() = method;
        *http.headers_mut() = headers;
        http.headers_mut().insert(header::HOST, HeaderValue::from_static(HOST));
        let started = Instant::now();
        let reply = self.answer(http, &body).await;
        Ok(Exchange::new(request, reply, Duration::ZERO, started.elapsed()))
    }
}

/// Why a request cannot be sent where there is no framing, if so.
fn framed<B>(request: &Request<B>) -> Option<Unsendable> {
    (request.framing != Framing::Length).then_some(Unsendable::NoFramingInProcess)
}

/// An answer, or a dropped connection where making it panics.
struct Unpanicked<'a> {
    pending: Pending,
    panics: &'a Panics,
    body: &'a Bytes,
}

impl Future for Unpanicked<'_> {
    type Output = Reply;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Reply> {
        // What a panic left behind in the service is the service's own affair, as it is behind a network.
        let polled = catch_unwind(AssertUnwindSafe(|| self.pending.as_mut().poll(context)));
        polled.unwrap_or_else(|payload| {
            self.panics.add(self.body, &*payload);
            Poll::Ready(Err(TransportError::Dropped))
        })
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcess")
    }
}

/// Headers as they are kept: bytes that are no text are replaced.
pub(super) fn headers(map: &http::HeaderMap) -> Vec<(String, String)> {
    map.iter().map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())).collect()
}
