//! The mock behind axum: in process, or over a network, where bodies have a bound, a time and a room in common.

use std::convert::Infallible;
use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request as HttpRequest, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response as HttpResponse;
use axum::serve::Listener;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame};
use http_body_util::BodyExt as _;
use tokio::time::timeout;

use super::Mock;
use super::guard::{Guarded, Place, Room};
use crate::wire::{Framing, Request, Response, Signature, TransportError, room_for};

/// Larger bodies are answered with 413: the largest part has 28 MB as base64.
const MAX_BODY: usize = 40 << 20;

/// How long a body may take.
const BODY: Duration = Duration::from_secs(60);

/// The mock as a service of axum, to serve or to call in process.
pub fn router(mock: Arc<Mock>) -> Router {
    Router::new().fallback(handle).with_state(mock)
}

/// Serves until the listener fails.
///
/// # Errors
///
/// What the listener failed with.
pub async fn serve<L>(listener: L, mock: Arc<Mock>) -> std::io::Result<()>
where
    L: Listener,
    L::Addr: Debug,
{
    let served = Served { mock, room: Room::default() };
    axum::serve(Guarded::new(listener), Router::new().fallback(handle_in_time).with_state(served)).await
}

async fn handle(State(mock): State<Arc<Mock>>, request: HttpRequest) -> HttpResponse {
    let (head, body) = request.into_parts();
    let body = whole(body, MAX_BODY, None).await;
    answered(&mock, head, body).await
}

/// A mock behind a network, and the room that the bodies of all its clients have together.
#[derive(Clone)]
struct Served {
    mock: Arc<Mock>,
    room: Room,
}

/// The same, for whoever serves over a network: a body has its time and its room. Needs the timers of tokio.
async fn handle_in_time(State(Served { mock, room }): State<Served>, request: HttpRequest) -> HttpResponse {
    let (head, body) = request.into_parts();
    match timeout(BODY, whole(body, MAX_BODY, Some(&room))).await {
        Ok(body) => answered(&mock, head, body).await,
        Err(_) => bare(408),
    }
}

fn bare(status: u16) -> HttpResponse {
    respond(Response { status, headers: Vec::new(), body: Bytes::new(), flaw: None })
}

async fn answered(mock: &Mock, head: Parts, body: Option<Held>) -> HttpResponse {
    let Some(Held { bytes: body, place }) = body else { return bare(413) };
    let text = |value: &axum::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let mut headers: Vec<_> = head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    // RFC 9113, 8.3.1: HTTP/2 has it in the target, and who signs it means the same.
    if let Some(host) = head.uri.authority().filter(|_| !head.headers.contains_key(axum::http::header::HOST)) {
        headers.push((String::from("host"), host.to_string()));
    }
    let request = Request {
        method: head.method.to_string(),
        headers,
        body,
        framing: Framing::Length,
        signature: Signature::Valid,
    };
    let delay = mock.delay(&request);
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let refused = mock.refused(&request, &head.uri);
    let reply = mock.answer_signed_at_once(request, &refused).await;
    // Some faults answer late, or never: the body is no more by then.
    drop(place);
    match reply {
        Ok(answer) => respond(answer),
        Err(TransportError::Silent) => std::future::pending().await,
        // Whoever serves the connection drops it. It is no panic, and nobody is told of one.
        Err(_) => std::panic::resume_unwind(Box::new("the mock drops the connection")),
    }
}

/// A body, and its place among those that are held at once.
struct Held {
    bytes: Bytes,
    place: Option<Place>,
}

/// A body as a whole, which is copied once at most; `None` if it does not come to its end, or has more bytes than `most`. A
/// large one waits for its place in the room, if there is one.
async fn whole(mut body: Body, most: usize, room: Option<&Room>) -> Option<Held> {
    let mut whole = Vec::new();
    let mut place = None;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.ok()?.into_data() else { continue };
        if whole.is_empty() && body.is_end_stream() && data.len() <= most {
            return Some(Held { bytes: data, place });
        }
        // No more than it may have: how long it is, is what somebody says.
        let hint = body.size_hint();
        let rest = usize::try_from(hint.lower()).unwrap_or(most);
        let known = whole.len().saturating_add(data.len()).saturating_add(rest).min(most);
        if let (None, Some(room)) = (&place, room) {
            place = room.place(known, if hint.exact().is_some() { known } else { most }).await;
        }
        if whole.is_empty() {
            whole = room_for(known);
        }
        if whole.len() + data.len() > most {
            return None;
        }
        whole.extend_from_slice(&data);
    }
    Some(Held { bytes: Bytes::from(whole), place })
}

fn respond(answer: Response) -> HttpResponse {
    let mut response = HttpResponse::builder()
        .status(StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    // Who frames the answer writes this header by itself.
    let chunked = |(name, _): &&(String, String)| name == "transfer-encoding";
    for (name, value) in answer.headers.iter().filter(|header| !chunked(header)) {
        response = response.header(name, value);
    }
    let body = match answer.headers.iter().find(chunked) {
        Some(_) => Body::new(Chunked(answer.body)),
        None => Body::from(answer.body),
    };
    response.body(body).unwrap_or_default()
}

/// A body that does not say how long it is, in chunks of a few bytes.
struct Chunked(Bytes);

impl HttpBody for Chunked {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let length = self.0.len().min(16);
        let chunk = self.0.split_to(length);
        Poll::Ready((length > 0).then(|| Ok(Frame::data(chunk))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A body of these frames.
    struct Frames(Vec<&'static [u8]>);

    impl HttpBody for Frames {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            let next = (!self.0.is_empty()).then(|| self.0.remove(0));
            Poll::Ready(next.map(|data| Ok(Frame::data(Bytes::from_static(data)))))
        }
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_a_number_of_bytes() {
        let read = async |frames: &[&'static [u8]], most: usize| {
            let body = Body::new(Frames(Vec::from(frames)));
            whole(body, most, None).await.map(|held| held.bytes.to_vec())
        };
        assert_eq!(read(&[], 0).await.as_deref(), Some(&b""[..]));
        assert_eq!(read(&[b"ab", b"", b"cde"], 5).await.as_deref(), Some(&b"abcde"[..]));
        assert_eq!(read(&[b"ab", b"", b"cde"], 4).await, None);
        let one = Bytes::from(vec![7; 100]);
        let read = whole(Body::from(one.clone()), 100, None).await.unwrap();
        assert_eq!(read.bytes.as_ptr(), one.as_ptr(), "what is there as a whole is not copied");
        assert!(whole(Body::from(one), 99, None).await.is_none());
    }

    #[tokio::test]
    async fn bodies_that_are_held_at_once_are_bounded_together_and_small_ones_do_not_wait() {
        // In two frames, of which the first is there when the place is asked for.
        let read = async |room: &Room, size: usize| {
            let half: &'static [u8] = Bytes::from(vec![b'x'; size / 2]).to_vec().leak();
            whole(Body::new(Frames(vec![half, half])), MAX_BODY, Some(room)).await
        };
        let room = Room::default();
        let mut held = Vec::new();
        for _ in 0..Room::MOST / MAX_BODY {
            held.push(read(&room, 2 << 20).await.unwrap());
        }
        let another = timeout(Duration::from_millis(50), read(&room, 2 << 20)).await;
        assert!(another.is_err(), "how long it is nobody says: each may have the most");
        assert!(read(&room, 1 << 10).await.is_some());
        held.pop();
        assert!(timeout(Duration::from_secs(30), read(&room, 2 << 20)).await.is_ok_and(|read| read.is_some()));
    }
}
