//! Keeps the exchanges of cases as long as there is room: of those in which nothing was found, and of all others.

use crate::case::{Case, Transcript};
use crate::events::{Event, Judged, Logged, Recording};
use crate::judge::Verdict;

/// How much room is left, and what found none.
pub(super) struct Recorder {
    room: usize,
    unrecorded: usize,
}

impl Recorder {
    pub fn new(recording: Recording) -> Option<Recorder> {
        (recording == Recording::Exchanges).then_some(Recorder { room: Recording::MAX, unrecorded: 0 })
    }

    /// Lets a case keep its exchanges. After the first that finds no room, others may still.
    pub fn record(&mut self, judged: &mut Judged, case: &Case, transcript: &Transcript) {
        if !judged.exchanges.is_empty() || transcript.exchanges.is_empty() {
            return;
        }
        judged.record(case, transcript);
        let bytes = judged.exchanges.iter().map(Logged::bytes).sum();
        match self.room.checked_sub(bytes) {
            Some(room) => self.room = room,
            None => {
                judged.exchanges.clear();
                self.unrecorded += 1;
            }
        }
    }

    /// Number of cases that found no room.
    pub fn unrecorded(&self) -> usize {
        self.unrecorded
    }
}

/// How many bytes are kept of the exchanges of all cases together that something was found in, or that could not be judged.
/// A target that fails all of the suite in an ordinary way has some ten million; one that answers at length has no bound.
pub const MAX_KEPT_OF_ALL: usize = 32 << 20;

/// How much room is left for them, and what found none.
pub(super) struct Kept {
    room: usize,
    dropped: usize,
}

impl Kept {
    pub fn new() -> Kept {
        Kept { room: MAX_KEPT_OF_ALL, dropped: 0 }
    }

    /// An event as it is told. A case that finds no room has its verdict, and no exchanges: memory must not be the target's
    /// to decide. What it is made small to is told all the same: there are few of these.
    pub fn bound(&mut self, mut event: Event) -> Event {
        match &mut event {
            Event::Judged(judged) if !matches!(judged.verdict, Verdict::Pass | Verdict::Skipped { .. }) => {
                match self.room.checked_sub(judged.exchanges.iter().map(Logged::bytes).sum()) {
                    Some(room) => self.room = room,
                    None => {
                        judged.exchanges = Vec::new();
                        self.dropped += 1;
                    }
                }
            }
            Event::Finished(finished) => finished.unrecorded += self.dropped,
            _ => {}
        }
        event
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;

    use super::*;
    use crate::contract::{Operation, Service};
    use crate::events::Finished;
    use crate::wire::{Exchange, TransportError, envelope};

    #[test]
    fn what_is_kept_of_all_cases_together_is_bounded_and_what_is_not_is_counted() {
        let case = crate::suite::find(Service::Ecr, "CompleteLayerUpload/accepted/plain").unwrap().unwrap();
        let answer = envelope::response(200, &serde_json::json!({ "uploadId": "u".repeat(1000) }));
        let request = envelope::request(Service::Ecr, Operation::InitiateLayerUpload, Bytes::from_static(b"{}"));
        let exchange = Exchange::new(request, Ok(answer), Duration::ZERO, Duration::ZERO);
        let transcript = Transcript::of(&case, vec![exchange]);
        let failed = || {
            let verdict = Verdict::Fail { findings: Vec::new() };
            Event::Judged(Box::new(Judged::of(0, &case, verdict, Vec::new(), Some(&transcript))))
        };
        let bytes = |event: &Event| match event {
            Event::Judged(judged) => judged.exchanges.iter().map(Logged::bytes).sum::<usize>(),
            _ => 0,
        };
        let (mut kept, one) = (Kept::new(), bytes(&failed()));
        assert!(one > 1000);
        let sizes: Vec<usize> = (0..MAX_KEPT_OF_ALL / one + 3).map(|_| bytes(&kept.bound(failed()))).collect();
        assert_eq!(sizes.iter().sum::<usize>(), MAX_KEPT_OF_ALL / one * one);
        assert!(sizes.ends_with(&[0, 0, 0]) && sizes[0] == one);
        let end = Event::Finished(Finished { seconds: 0.0, stopped: None, left: Vec::new(), unrecorded: 2 });
        assert!(matches!(kept.bound(end), Event::Finished(Finished { unrecorded: 5, .. })));
    }

    #[test]
    fn what_finds_no_room_is_counted() {
        let case = crate::suite::find(Service::Ecr, "CompleteLayerUpload/accepted/plain").unwrap().unwrap();
        let request = crate::wire::envelope::request(
            Service::Ecr,
            crate::contract::Operation::InitiateLayerUpload,
            bytes::Bytes::from_static(b"{}"),
        );
        let exchange = Exchange::new(request, Err(TransportError::Silent), Duration::ZERO, Duration::ZERO);
        let transcript = Transcript::of(&case, vec![exchange]);
        let mut judged = Judged::of(0, &case, Verdict::Pass, Vec::new(), Some(&transcript));
        assert!(judged.exchanges.is_empty());
        let mut recorder = Recorder { room: 300, unrecorded: 0 };
        recorder.record(&mut judged, &case, &transcript);
        assert_eq!((judged.exchanges.len(), recorder.unrecorded()), (1, 0));
        let room = recorder.room;
        assert_eq!(room, 300 - judged.exchanges[0].bytes());
        recorder.room = 10;
        judged.exchanges.clear();
        recorder.record(&mut judged, &case, &transcript);
        assert_eq!((judged.exchanges.len(), recorder.unrecorded(), recorder.room), (0, 1, 10));
    }
}
