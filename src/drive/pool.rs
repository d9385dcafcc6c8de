//! Connections that are kept for further requests.
//!
//! A server may end a kept connection at any time, announced or not (RFC 9112, section 9.5), and may serve few connections
//! at once while others wait. So it is known of each answer whether its connection was kept, and nothing is kept while a
//! request waits for the server to take its connection.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::raw::Connection;

/// How many connections are kept at most.
const MOST: usize = 64;

/// After so many connections that ended while they were kept, none is kept any more: the server keeps none.
const IN_VAIN: usize = 8;

/// The kept connections of an endpoint.
#[derive(Debug, Default)]
pub(super) struct Pool {
    idle: Mutex<Vec<Connection>>,
    /// Requests that wait for the server to take their connection.
    waiting: AtomicUsize,
    /// Kept connections that ended before they brought an answer.
    ended: AtomicUsize,
    /// Whether a request waited beside kept connections.
    crowded: AtomicBool,
}

/// A request that waits for the server to take its connection: until it is dropped, no connection is kept.
#[derive(Debug)]
pub(super) struct Waiting<'a>(&'a Pool);

impl Pool {
    /// A kept connection that is still open, as far as can be seen.
    pub fn take(&self) -> Option<Connection> {
        let mut idle = self.idle();
        std::iter::from_fn(|| idle.pop()).find_map(|mut kept| kept.is_open().then_some(kept))
    }

    /// Keeps a connection for the next request, unless it is better closed.
    pub fn keep(&self, connection: Connection) {
        let mut idle = self.idle();
        // Looked at with the lock held: who begins to wait clears the rest after that.
        let keeps = self.waiting.load(Ordering::SeqCst) == 0 && self.ended.load(Ordering::Relaxed) < IN_VAIN;
        if keeps && idle.len() < MOST {
            idle.push(connection);
        }
    }

    /// A kept connection ended before it brought an answer.
    pub fn ended(&self) {
        self.ended.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether the server may not take a new connection as long as others are kept: once, it did not.
    pub fn is_crowded(&self) -> bool {
        self.crowded.load(Ordering::Relaxed)
    }

    /// Closes what is idle: somebody waits.
    pub fn wait(&self) -> Waiting<'_> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let mut idle = self.idle();
        self.crowded.fetch_or(!idle.is_empty(), Ordering::Relaxed);
        idle.clear();
        drop(idle);
        Waiting(self)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        // Connections are plain data: a panic leaves them usable.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::net::TcpListener;

    use super::super::connect::Endpoint;
    use super::super::timeouts::Timeouts;
    use super::*;
    use crate::wire::Trust;

    async fn connection(listener: &TcpListener) -> (Connection, tokio::net::TcpStream) {
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let endpoint = Endpoint::new(&endpoint, &Trust::System, None).unwrap();
        let connection = Connection::open(&endpoint, &Timeouts::default()).await.unwrap();
        (connection, listener.accept().await.unwrap().0)
    }

    #[tokio::test]
    async fn a_connection_is_kept_until_it_ends_or_somebody_waits() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let pool = Pool::default();
        let (kept, theirs) = connection(&listener).await;
        pool.keep(kept);
        let kept = pool.take().expect("it is open");
        assert!(pool.take().is_none());
        pool.keep(kept);
        drop(theirs);
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(pool.take().is_none(), "the server has ended it");

        let (kept, _theirs) = connection(&listener).await;
        pool.keep(kept);
        let (other, _theirs) = connection(&listener).await;
        assert!(!pool.is_crowded());
        let waiting = pool.wait();
        assert!(pool.is_crowded() && pool.take().is_none(), "it was closed for who waits");
        pool.keep(other);
        drop(waiting);
        assert!(pool.take().is_none(), "and so was what came back meanwhile");
    }

    #[tokio::test]
    async fn nothing_is_kept_of_a_server_that_keeps_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let pool = Pool::default();
        (0..IN_VAIN).for_each(|_| pool.ended());
        let (kept, _theirs) = connection(&listener).await;
        pool.keep(kept);
        assert!(pool.take().is_none());
        drop(pool.wait());
        assert!(!pool.is_crowded(), "it waited, but not for a kept connection");
    }
}
