//! What keeps clients from taking all that the mock has: connections are bounded, and so is the time in which nothing comes
//! over one, and what the bodies of all take together.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

/// How many connections are served at once; others wait.
pub(super) const CONNECTIONS: usize = 1024;

/// How long a connection may have nothing to say.
pub(super) const IDLE: Duration = Duration::from_secs(60);

/// The bytes that the bodies of all clients may have at once.
#[derive(Clone)]
pub(super) struct Room(Arc<Semaphore>);

/// The bytes of one body, until they are given back.
pub(super) struct Place(#[allow(dead_code, reason = "it is there to be dropped")] OwnedSemaphorePermit);

/// Bodies that have no more than that do not wait: a thousand of them have no more than the room.
const LIGHT: usize = 128 << 10;

/// What is counted: bytes in so many.
const UNIT: usize = 1 << 10;

impl Default for Room {
    fn default() -> Room {
        Room(Arc::new(Semaphore::new(Room::MOST / UNIT)))
    }
}

impl Room {
    /// How many bytes bodies may have at once: four of the largest.
    pub const MOST: usize = 160 << 20;

    /// Waits for a place for a body of which so many bytes are known, and which may have as many as `most`; none for one that
    /// is small as far as is known.
    pub async fn place(&self, known: usize, most: usize) -> Option<Place> {
        if known <= LIGHT {
            return None;
        }
        let units = u32::try_from(most.min(Room::MOST).div_ceil(UNIT)).unwrap_or(u32::MAX);
        self.0.clone().acquire_many_owned(units).await.ok().map(Place)
    }
}

/// A listener whose connections are guarded.
pub(super) struct Guarded<L> {
    listener: L,
    free: Arc<Semaphore>,
    idle: Duration,
}

impl<L> Guarded<L> {
    /// Guards the connections of a listener.
    pub fn new(listener: L) -> Guarded<L> {
        Guarded { listener, free: Arc::new(Semaphore::new(CONNECTIONS)), idle: IDLE }
    }
}

impl<L: Listener> Listener for Guarded<L> {
    type Io = Timed<L::Io>;
    type Addr = L::Addr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let place = self.free.clone().acquire_owned().await.expect("the semaphore is never closed");
        let (io, address) = self.listener.accept().await;
        (Timed { io, idle: self.idle, until: Box::pin(sleep(self.idle)), _place: place }, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// A connection that ends when nothing came over it, and nothing was taken from it, for too long.
pub(super) struct Timed<T> {
    io: T,
    idle: Duration,
    until: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
}

impl<T> Timed<T> {
    /// What came of an attempt: an error where it comes too late.
    fn timed<R>(&mut self, context: &mut Context<'_>, polled: Poll<io::Result<R>>) -> Poll<io::Result<R>> {
        if polled.is_ready() {
            self.until.as_mut().reset(Instant::now() + self.idle);
            return polled;
        }
        let late = || io::Error::new(io::ErrorKind::TimedOut, "nothing came for too long");
        self.until.as_mut().poll(context).map(|()| Err(late()))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Timed<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = pin!(&mut self.io).poll_read(context, buffer);
        self.timed(context, polled)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Timed<T> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = pin!(&mut self.io).poll_write(context, bytes);
        self.timed(context, polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        pin!(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        pin!(&mut self.io).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    #[tokio::test]
    async fn who_says_nothing_is_let_go_and_makes_room() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let free = Arc::new(Semaphore::new(1));
        let mut guarded = Guarded { listener, free, idle: Duration::from_millis(50) };
        let (_first, _second) =
            (TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap());
        let (mut served, _) = guarded.accept().await;
        let waiting = tokio::time::timeout(Duration::from_millis(20), guarded.accept()).await;
        assert!(waiting.is_err(), "there is room for one");
        let ended = served.read_u8().await.unwrap_err();
        assert_eq!(ended.kind(), io::ErrorKind::TimedOut);
        drop(served);
        assert!(tokio::time::timeout(Duration::from_secs(30), guarded.accept()).await.is_ok());
    }
}
