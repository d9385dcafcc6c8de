//! What becomes of calls that a target throttles: it did not perform them, so they are sent again, after a while, and those
//! of an operation that is throttled again and again are spaced out. Pure: moments are counted from the beginning of a run.

use std::collections::HashMap;
use std::time::Duration;

use crate::contract::Operation;

/// How often a call is sent at most.
const TRIES: u32 = 10;

/// The same where throttled calls come to nothing.
const TRIES_IN_VAIN: u32 = 2;

/// After so many calls that were throttled to the last, one after the other, there is little hope for others.
const IN_VAIN: u32 = 2;

/// The first pause; each that follows is four times as long, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(2);

/// The longest pause that nobody asked for.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A target that asks for a longer pause than this is not waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// From the so manieth throttled answer to one call on, it is a matter of pace, and not of chance.
const OF_PACE: u32 = 3;

/// The first gap between two calls of an operation, and the longest.
const FIRST_GAP: Duration = Duration::from_millis(5);
const LONGEST_GAP: Duration = Duration::from_millis(250);

/// A shorter gap is none.
const SHORTEST_GAP: Duration = Duration::from_millis(1);

/// How a target throttles, as far as it has shown.
#[derive(Debug, Default)]
pub(super) struct Throttling {
    lanes: HashMap<Option<Operation>, Lane>,
    in_vain: u32,
}

/// The calls of an operation.
#[derive(Debug, Default)]
struct Lane {
    /// What is between two of them.
    gap: Duration,
    /// When the next may be sent.
    next: Duration,
    /// When the gap grew.
    grew: Option<Duration>,
}

impl Throttling {
    /// When a call may be sent that is ready now.
    pub fn turn(&mut self, operation: Option<Operation>, now: Duration) -> Duration {
        // Where pauses bring nothing, none is made.
        let in_vain = self.in_vain >= IN_VAIN;
        let Some(lane) = self.lanes.get_mut(&operation).filter(|_| !in_vain) else { return now };
        let at = lane.next.max(now);
        lane.next = at + lane.gap;
        at
    }

    /// A call was throttled, for the so manieth time. How long to wait before it is sent again; `None` if it is not.
    pub fn throttled(
        &mut self,
        operation: Option<Operation>,
        times: u32,
        asked: Option<Duration>,
        now: Duration,
    ) -> Option<Duration> {
        let tries = if self.in_vain < IN_VAIN { TRIES } else { TRIES_IN_VAIN };
        if times >= tries || asked.is_some_and(|asked| asked > LONGEST_WAIT) {
            self.in_vain += 1;
            return None;
        }
        if times >= OF_PACE {
            let lane = self.lanes.entry(operation).or_default();
            // What was under way when the gap grew says nothing about the new one.
            if lane.grew.is_none_or(|grew| now >= grew + lane.gap) {
                lane.gap = (lane.gap * 2).clamp(FIRST_GAP, LONGEST_GAP);
                lane.grew = Some(now);
            }
        }
        let pause = FIRST_PAUSE * 4_u32.pow(times.saturating_sub(1).min(8));
        Some(pause.min(LONGEST_PAUSE).max(asked.unwrap_or_default()))
    }

    /// A call was answered otherwise, after it had been throttled so often.
    pub fn answered(&mut self, operation: Option<Operation>, times: u32) {
        if times > 0 {
            self.in_vain = 0;
        }
        if let Some(lane) = self.lanes.get_mut(&operation) {
            lane.gap -= lane.gap / 16;
            if lane.gap < SHORTEST_GAP {
                self.lanes.remove(&operation);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PART: Option<Operation> = Some(Operation::UploadLayerPart);

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_throttled_call_is_sent_again_later_and_later_and_not_for_ever() {
        let mut throttling = Throttling::default();
        let pauses: Vec<_> = (1..).map_while(|times| throttling.throttled(PART, times, None, at(0))).collect();
        assert_eq!(pauses[..5], [at(2), at(8), at(32), at(128), at(512)]);
        assert_eq!(pauses[5..], [at(1000); 4]);
    }

    #[test]
    fn a_longer_pause_is_made_if_it_is_asked_for_unless_it_is_too_long() {
        let mut throttling = Throttling::default();
        assert_eq!(throttling.throttled(PART, 1, Some(at(3000)), at(0)), Some(at(3000)));
        assert_eq!(throttling.throttled(PART, 1, Some(at(0)), at(0)), Some(at(2)));
        assert_eq!(throttling.throttled(PART, 1, Some(at(31_000)), at(0)), None);
    }

    #[test]
    fn where_it_comes_to_nothing_little_is_tried() {
        let mut throttling = Throttling::default();
        for _ in 0..IN_VAIN {
            assert_eq!(throttling.throttled(PART, TRIES, None, at(0)), None);
        }
        assert_eq!(throttling.throttled(PART, 1, None, at(0)), Some(FIRST_PAUSE));
        assert_eq!(throttling.throttled(PART, TRIES_IN_VAIN, None, at(0)), None);
        throttling.answered(PART, 0);
        assert_eq!(throttling.throttled(PART, TRIES_IN_VAIN, None, at(0)), None, "it was never throttled");
        throttling.answered(PART, 1);
        assert!(throttling.throttled(PART, TRIES_IN_VAIN, None, at(0)).is_some(), "hope again");
    }

    #[test]
    fn what_is_throttled_again_and_again_is_spaced_out_until_it_is_not() {
        let mut throttling = Throttling::default();
        let gap = |throttling: &mut Throttling| {
            let first = throttling.turn(PART, at(100_000));
            throttling.turn(PART, at(100_000)) - first
        };
        for times in 1..OF_PACE {
            throttling.throttled(PART, times, None, at(0));
        }
        assert_eq!(gap(&mut throttling), at(0), "chance");
        throttling.throttled(PART, OF_PACE, None, at(0));
        assert_eq!(gap(&mut throttling), at(5));
        throttling.throttled(PART, OF_PACE, None, at(1));
        assert_eq!(gap(&mut throttling), at(5), "it was under way before");
        for now in 1..10 {
            throttling.throttled(PART, OF_PACE, None, at(1000 * now));
        }
        assert_eq!(gap(&mut throttling), LONGEST_GAP);
        let other = Some(Operation::CompleteLayerUpload);
        assert_eq!(throttling.turn(other, at(7)), at(7), "of the others nothing was said");
        let answers = (1..).find(|_| {
            throttling.answered(PART, 0);
            gap(&mut throttling).is_zero()
        });
        assert!(answers.is_some_and(|answers| (40..200).contains(&answers)), "{answers:?}");
    }
}
