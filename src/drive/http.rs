//! Sends requests over HTTP and repairs nothing: no retries, redirects, proxies or decompression.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use futures_util::future::join_all;
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Url};
use tokio::sync::Barrier;
use tokio::time::timeout;

use super::in_process::headers;
use super::raw;
use crate::wire::{Answer, Exchange, Framing, MAX_ANSWER, Reply, Request, Trouble};

/// How long is waited.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For the first byte of an answer, from the first byte of the request; a second more for each MiB sent.
    pub first_byte: Duration,
    /// For the rest of an answer.
    pub rest: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience { connect: Duration::from_secs(5), first_byte: Duration::from_secs(10), rest: Duration::from_secs(10) }
    }
}

impl Patience {
    pub(super) fn first_byte_of(&self, request: &Request) -> Duration {
        self.first_byte + Duration::from_secs((request.body.len() >> 20) as u64)
    }
}

/// An HTTP endpoint as a target.
#[derive(Clone, Debug)]
pub struct Http {
    endpoint: Url,
    client: Client,
    patience: Patience,
}

impl Http {
    /// A target at this address.
    ///
    /// # Errors
    ///
    /// Where the address is none of `http://` or `https://`.
    pub fn new(endpoint: &str, patience: Patience) -> Result<Http, String> {
        let url: Url = endpoint
            .parse()
            .map_err(|_| format!("expected a URL such as http://127.0.0.1:5000, found {endpoint:?}"))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(format!("expected a URL such as http://127.0.0.1:5000, found {endpoint:?}"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(String::from("expected a URL without a user and a password: they would stand in reports"));
        }
        let client = Client::builder()
            .connect_timeout(patience.connect)
            .http1_only()
            .http1_title_case_headers()
            .no_proxy()
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .build()
            .map_err(|error| format!("could not set up HTTP: {error}"))?;
        Ok(Http { endpoint: url, client, patience })
    }

    /// Whether bytes can be written by hand.
    pub fn is_plain(&self) -> bool {
        self.endpoint.scheme() == "http"
    }

    /// Sends a request.
    pub async fn send(&self, request: Request) -> Exchange {
        let started = Instant::now();
        // Large bodies go out by hand: a server may answer and close before it has read them, and that answer counts.
        let large = request.body.len() > LARGE && self.is_plain();
        let reply = match request.framing {
            Framing::Length if !large => self.by_library(&request).await,
            _ => raw::send(&self.endpoint, &request, &self.patience).await,
        };
        Exchange { request, reply, began: Duration::ZERO, took: started.elapsed() }
    }

    /// Sends requests at once, each over a connection of its own: all are open before the first byte goes out. `clock`
    /// is what `began` counts from.
    pub async fn send_at_once(&self, requests: Vec<Request>, clock: Instant) -> Vec<Exchange> {
        let connect = async |_: &Request| match self.is_plain() {
            true => raw::connect(&self.endpoint, &self.patience).await.map(Some),
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
                    Ok(Some(stream)) => raw::talk(stream, &http.endpoint, &request, &http.patience).await,
                    Ok(None) => http.by_library(&request).await,
                    Err(trouble) => Err(trouble),
                };
                (reply, began, clock.elapsed() - began)
            })
        });
        let sent = join_all(sending).await.into_iter().zip(requests);
        sent.map(|(sent, request)| {
            // A task that was not let finish has sent nothing that could be judged.
            let (reply, began, took) = sent.unwrap_or((Err(Trouble::Unreachable), clock.elapsed(), Duration::ZERO));
            Exchange { request, reply, began, took }
        })
        .collect()
    }

    async fn by_library(&self, request: &Request) -> Reply {
        let method = Method::from_bytes(request.method.as_bytes()).map_err(|_| Trouble::Garbage)?;
        let mut http = self.client.request(method, self.endpoint.clone()).body(request.body.clone());
        for (name, value) in &request.headers {
            http = http.header(name, value);
        }
        let sent = timeout(self.patience.first_byte_of(request), http.send()).await.map_err(|_| Trouble::Silent)?;
        let mut response = sent.map_err(|error| trouble(&error))?;
        let (status, headers) = (response.status().as_u16(), headers(response.headers()));
        let read = async {
            let mut body = BytesMut::new();
            while let Some(chunk) = response.chunk().await.map_err(|error| trouble(&error))? {
                if body.len() + chunk.len() > MAX_ANSWER {
                    return Err(Trouble::Endless);
                }
                body.extend_from_slice(&chunk);
            }
            Ok(body.freeze())
        };
        let body = timeout(self.patience.rest, read).await.map_err(|_| Trouble::Silent)??;
        Ok(Answer { status, headers, body })
    }
}

const LARGE: usize = 256 << 10;

fn trouble(error: &reqwest::Error) -> Trouble {
    if error.is_connect() {
        return Trouble::Unreachable;
    }
    if error.is_timeout() {
        return Trouble::Silent;
    }
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        let text = error.to_string();
        if text.contains("invalid HTTP")
            || text.contains("invalid content-length")
            || text.contains("message head is too large")
        {
            return Trouble::Garbage;
        }
        cause = error.source();
    }
    Trouble::Dropped
}
