//! Calls a tower service in this process, without sockets.

use std::fmt;
use std::future::Future;
#[cfg(feature = "net")]
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
#[cfg(feature = "net")]
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use tower::{Service, ServiceExt as _};

use crate::wire::{Answer, Exchange, Framing, MAX_ANSWER, Reply, Request, Trouble, Unsendable};

/// A tower service as a target.
#[derive(Clone)]
pub struct InProcess {
    call: Arc<Call>,
    /// How long to wait for an answer; without it as long as it takes, and a panic of the service is passed on.
    #[cfg(feature = "net")]
    patience: Option<std::time::Duration>,
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
                    let Ok(response) = service.oneshot(request).await else { return Err(Trouble::Dropped) };
                    let (head, body) = response.into_parts();
                    let body = match Limited::new(body, MAX_ANSWER).collect().await {
                        Ok(body) => body.to_bytes(),
                        Err(error) if error.is::<http_body_util::LengthLimitError>() => return Err(Trouble::Endless),
                        Err(_) => return Err(Trouble::Dropped),
                    };
                    Ok(Answer { status: head.status.as_u16(), headers: headers(&head.headers), body })
                })
            }),
            #[cfg(feature = "net")]
            patience: None,
        }
    }
}

impl InProcess {
    /// Wraps a service.
    pub fn new(server: impl Server) -> InProcess {
        server.in_process()
    }

    /// The service behind what a network does: no answer within this time is silence, and a panic drops the connection.
    /// Needs the timers of tokio.
    #[cfg(feature = "net")]
    pub fn guarded(self, patience: std::time::Duration) -> InProcess {
        InProcess { patience: Some(patience), ..self }
    }

    async fn answer(&self, request: http::Request<Full<Bytes>>) -> Reply {
        #[cfg(feature = "net")]
        if let Some(patience) = self.patience {
            let answer = tokio::time::timeout(patience, Unpanicked((self.call)(request))).await;
            return answer.unwrap_or(Err(Trouble::Silent));
        }
        (self.call)(request).await
    }

    /// Why a request cannot be sent, if so.
    pub fn cannot_send(&self, request: &Request) -> Option<Unsendable> {
        let framed = request.framing != Framing::Length;
        framed.then_some(Unsendable::NoFramingInProcess).or_else(|| request.head().err())
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
        let (method, headers) = request.head()?;
        let mut http = http::Request::new(Full::new(request.body.clone()));
        *http.method_mut() = method;
        *http.headers_mut() = headers;
        let started = Instant::now();
        let reply = self.answer(http).await;
        Ok(Exchange::new(request, reply, Duration::ZERO, started.elapsed()))
    }
}

/// An answer, or a dropped connection where making it panics.
#[cfg(feature = "net")]
struct Unpanicked(Pending);

#[cfg(feature = "net")]
impl Future for Unpanicked {
    type Output = Reply;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Reply> {
        // What a panic left behind in the service is the service's own affair, as it is behind a network.
        let polled = catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(context)));
        polled.unwrap_or(Poll::Ready(Err(Trouble::Dropped)))
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
