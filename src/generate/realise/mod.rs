//! A plan becomes a case: decisions are taken as far as the state of the sequence allows, values are derived from them.

mod calls;
mod subject;
mod unfolding;
mod upload;
mod valid;
mod violation;

use std::borrow::Cow;
use std::sync::LazyLock;

use unfolding::{Unfolding, follower};

use super::follow::{Answered, Follower};
use crate::case::{Case, CaseKind, Decision, Plan, Step, Transcript};
use crate::contract::{ErrorType, Operation, Service, Tier};
use crate::expect::Outcome;
use crate::wire::Exchange;

/// The case of a plan. Pure: the same version, service and plan give the same case.
///
/// Its expectations are those for a target that does what the reference registry does; [`follow`] gives those for the
/// target at hand. A decision that means nothing in its place, such as to remove what is not there, gives no call.
pub fn realise(service: Service, plan: &Plan) -> Case {
    Unfolding::of(service, plan).case
}

/// The case of three calls: an upload is begun, has one part, and is then called so. [`realise`] of that plan; what comes
/// before the last call is worked out once.
pub fn completion(service: Service, last: &Decision) -> Case {
    static UPLOADED: LazyLock<[(Unfolding, Follower); 2]> = LazyLock::new(|| {
        Service::ALL.map(|service| {
            let (mut unfolding, mut follower) = Unfolding::start(service);
            for operation in [Operation::InitiateLayerUpload, Operation::UploadLayerPart] {
                unfolding.take(&Decision::plain(operation), &mut follower);
            }
            (unfolding, follower)
        })
    });
    let (mut unfolding, mut follower) = UPLOADED[service as usize].clone();
    unfolding.take(last, &mut follower);
    unfolding.finish().case
}

/// The case with what it expects of a target that answered so: where the documents leave two ways, it goes on from what
/// the target did. Cases without a plan expect what they expect. One with a plan must be as [`realise`] gave it.
pub fn follow<'a>(case: &'a Case, transcript: &Transcript) -> Cow<'a, Case> {
    let expects_so = |step: &Step, exchange: &Exchange| match (&step.readings, Answered::of(exchange)) {
        (Some(readings), Some(answered)) => readings.accepted == Some(answered == Answered::Accepted),
        _ => true,
    };
    let mut answered = case.steps.iter().zip(&transcript.exchanges);
    if case.plan.is_none() || answered.all(|(step, exchange)| expects_so(step, exchange)) {
        return Cow::Borrowed(case);
    }
    Cow::Owned(followed(case, transcript))
}

/// The same, worked out anew for each step.
pub fn followed(case: &Case, transcript: &Transcript) -> Case {
    let mut follower = follower(case);
    let mut followed = case.clone();
    for (step, exchange) in followed.steps.iter_mut().zip(&transcript.exchanges) {
        let Some(readings) = step.readings.clone() else { continue };
        follower.step(step, &readings, Answered::of(exchange).as_ref());
    }
    followed
}

/// The followed case as one that stands by itself: where a step is open, it goes on only from what was answered here, for
/// all that comes later rests on that.
pub fn settled(case: &Case, transcript: &Transcript) -> Case {
    let mut settled = follow(case, transcript).into_owned();
    let count = settled.steps.len();
    for (index, (step, exchange)) in settled.steps.iter_mut().zip(&transcript.exchanges).enumerate() {
        if step.expect.tier == Tier::Open && index + 1 < count {
            step.only_if = match Answered::of(exchange) {
                Some(Answered::Accepted) => vec![Outcome::success()],
                Some(Answered::Rejected(Some(name))) => {
                    ErrorType::find(&name).map(Outcome::error).into_iter().collect()
                }
                _ => Vec::new(),
            };
        }
    }
    settled.plan = None;
    settled.kind = CaseKind::UserScenario;
    settled
}

#[cfg(test)]
mod tests {
    use super::super::violations::Violations;
    use super::*;

    #[test]
    fn a_completion_is_the_last_call_of_its_plan() {
        const COMPLETE: Operation = Operation::CompleteLayerUpload;
        let before = [Operation::InitiateLayerUpload, Operation::UploadLayerPart].map(Decision::plain);
        for service in Service::ALL {
            for number in 0..Violations::of(service, COMPLETE).len() as u16 {
                for form in [0, 190, 210, 250] {
                    let entropy = [form, 0, 0, form, 7, 0, 0, 0];
                    let last = Decision { violations: vec![number, number + 9], entropy, ..Decision::plain(COMPLETE) };
                    let plan = Plan { decisions: before.iter().chain([&last]).cloned().collect() };
                    let (one, other) = (completion(service, &last), realise(service, &plan));
                    assert_eq!(format!("{one:?}"), format!("{other:?}"));
                }
            }
        }
    }
}
