//! Bounds how many bytes of large requests are under way at once: a target has a part of 20 MiB as text several times over,
//! and all jobs may come to one at the same time. And how many cases are under way on a target that answers at length, which
//! no target has reason to.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::wire::bound::AT_LENGTH;

/// The bytes of large requests that may be under way at once, for all jobs of a run. Needs the timers of tokio.
#[derive(Clone, Debug)]
pub struct Bulk {
    free: Arc<Semaphore>,
    /// Whether the target answers at length.
    at_length: Arc<AtomicBool>,
    /// Cases that may be under way on one that does.
    few: Arc<Semaphore>,
}

/// The bytes that a case has under way, until they are given back.
#[derive(Debug, Default)]
pub(super) struct Share(Option<OwnedSemaphorePermit>);

/// How many cases are under way at once on a target that answers at length.
const FEW: usize = 4;

/// Whoever has less under way does not wait: many such requests together are no more than a large one.
const LIGHT: usize = 1 << 20;

/// What is counted: bytes in so many.
const UNIT: usize = 1 << 10;

/// Whoever waits for an answer as long as this lets others go on: a target that is slow or silent holds up nobody.
const LONG: Duration = Duration::from_millis(if cfg!(test) { 50 } else { 2000 });

impl Default for Bulk {
    fn default() -> Bulk {
        Bulk {
            free: Arc::new(Semaphore::new(Bulk::MOST / UNIT)),
            at_length: Arc::default(),
            few: Arc::new(Semaphore::new(FEW)),
        }
    }
}

impl Bulk {
    /// How many bytes may be under way at once. A part of 10 MiB has 14 MB as text; the largest one goes alone.
    pub const MOST: usize = 16 << 20;

    /// Whether the target answers at length: with this answer, which costs so much to keep, or with one before.
    pub(super) fn is_at_length(&self, cost: usize) -> bool {
        self.at_length.fetch_or(cost > AT_LENGTH, Ordering::Relaxed) || cost > AT_LENGTH
    }

    /// Waits until another case may begin: at once, unless the target answers at length.
    pub(super) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        match self.at_length.load(Ordering::Relaxed) {
            true => self.few.clone().acquire_owned().await.ok(),
            false => None,
        }
    }

    /// Waits until so many bytes may be under way. More than [`Bulk::MOST`] are, when no others are.
    pub(super) async fn share(&self, bytes: usize) -> Share {
        if bytes < LIGHT {
            return Share(None);
        }
        let units = u32::try_from(bytes.min(Bulk::MOST) / UNIT).unwrap_or(u32::MAX);
        Share(self.free.clone().acquire_many_owned(units).await.ok())
    }

    #[cfg(test)]
    fn under_way(&self) -> usize {
        Bulk::MOST - self.free.available_permits() * UNIT
    }
}

impl Share {
    /// Waits for an answer; when that takes long, without a share.
    pub async fn answered<T>(&mut self, sending: impl Future<Output = T>) -> T {
        let mut sending = pin!(sending);
        if self.0.is_some() {
            if let Ok(answered) = timeout(LONG, &mut sending).await {
                return answered;
            }
            self.0 = None;
        }
        sending.await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use tokio::sync::Notify;
    use tokio::task::yield_now;

    use super::*;

    #[tokio::test]
    async fn no_more_bytes_are_under_way_than_may_be() {
        let bulk = Bulk::default();
        let (now, most, done) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        let sizes = [7 << 20, 3 << 20, 14 << 20, 2 << 20, Bulk::MOST].into_iter().cycle().take(60);
        futures_util::future::join_all(sizes.map(async |size| {
            let _share = bulk.share(size).await;
            most.fetch_max(now.fetch_add(size, Ordering::Relaxed) + size, Ordering::Relaxed);
            for _ in 0..3 {
                yield_now().await;
            }
            now.fetch_sub(size, Ordering::Relaxed);
            done.fetch_add(1, Ordering::Relaxed);
        }))
        .await;
        assert_eq!(done.into_inner(), 60);
        let most = most.into_inner();
        assert!((Bulk::MOST / 2..=Bulk::MOST).contains(&most), "{most}");
        assert_eq!(bulk.under_way(), 0);
    }

    #[tokio::test]
    async fn small_requests_do_not_wait_and_too_large_ones_go_alone() {
        let bulk = Bulk::default();
        let all = bulk.share(Bulk::MOST * 2).await;
        assert_eq!(bulk.under_way(), Bulk::MOST);
        bulk.share(LIGHT - 1).await;
        drop(all);
        assert_eq!(bulk.under_way(), 0);
    }

    #[tokio::test]
    async fn few_cases_are_under_way_where_answers_are_long() {
        let bulk = Bulk::default();
        assert!(bulk.turn().await.is_none());
        assert!(!bulk.is_at_length(AT_LENGTH) && bulk.is_at_length(AT_LENGTH + 1) && bulk.is_at_length(0));
        let mut turns = Vec::new();
        for _ in 0..FEW {
            turns.push(bulk.turn().await);
        }
        assert!(timeout(LONG, bulk.turn()).await.is_err());
        turns.pop();
        assert!(timeout(Duration::from_secs(30), bulk.turn()).await.is_ok_and(|turn| turn.is_some()));
    }

    #[tokio::test]
    async fn who_waits_for_long_lets_others_go_on() {
        let bulk = Bulk::default();
        let (began, mut first) = (Notify::new(), bulk.share(Bulk::MOST).await);
        let answered_when_the_second_has_begun = first.answered(began.notified());
        let second = async {
            bulk.share(Bulk::MOST).await;
            began.notify_one();
        };
        let both = async { tokio::join!(answered_when_the_second_has_begun, second) };
        assert!(timeout(Duration::from_secs(30), both).await.is_ok(), "the second one waits for the first for ever");
        assert_eq!(bulk.under_way(), 0);
    }
}
