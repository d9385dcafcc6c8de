//! Keeps the exchanges of cases in which nothing was found, as long as there is room.

use crate::case::{Case, Transcript};
use crate::events::{Judged, Logged, Recording};

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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::contract::Service;
    use crate::judge::Verdict;
    use crate::wire::{Exchange, TransportError};

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
