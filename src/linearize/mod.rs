//! Cases with calls at once: whether some order of the calls explains their answers, which calls show it if none does,
//! and what several rounds of a case come to.
//!
//! A server may answer calls that are under way at once in any order, but as if there had been one. An order is lawful
//! if a call that was answered before another was sent comes first, and if each answer is one that the contract allows
//! there: the reference registry goes along ([`crate::generate`]), with what the documents leave open. Only answers
//! that no order explains are a finding; a search that is too long is none.

mod order;
mod rounds;
mod witness;

use std::collections::{BTreeMap, BTreeSet};

use order::{Calls, Explained, Model, search};

use crate::case::{Case, Place, Step, StepRole, Transcript};
use crate::contract::{Effect, Operation, RuleId, Rules, Service, Tier};
use crate::generate::{Answered, Follower, Readings, follow};
use crate::judge::{
    self, Got, JudgeOptions, NotJudged, Record, Verdict, begun, infrastructure, judge, may_end_uploads,
};
use crate::template::Reference;
use crate::wire::{Exchange, Observation, TransportError};

pub use rounds::Rounds;

/// One round of a case, with what is said of it.
#[derive(Clone, Debug)]
pub struct Round {
    /// The case, with what it expects after what the target answered.
    pub case: Case,
    /// What came back.
    pub transcript: Transcript,
    /// What is said of it.
    pub verdict: Verdict,
    /// What was answered to open questions.
    pub records: Vec<Record>,
}

/// So many calls with short answers are tried in looking for an order: far more than it takes where there is one, or plainly
/// none.
const BOUND: usize = 4_000;

/// Judges what came back for a case, of whatever kind it is. The steps of a random one may be of any tier: those that
/// are weaker than `tier` are not judged.
pub fn judge_round(case: &Case, transcript: Transcript, options: JudgeOptions, tier: Tier) -> Round {
    if case.is_race() {
        let (verdict, records) = History::of(case, &transcript, options).judged();
        return Round { case: case.clone(), transcript, verdict, records };
    }
    let mut case = follow(case, &transcript);
    if case.plan.is_some() {
        let weak = |step: &&mut Step| step.role == StepRole::Focus && step.expect.tier > tier;
        case.steps.iter_mut().filter(weak).for_each(|step| step.role = StepRole::Attempt);
    }
    let (verdict, records) = judge(&case, &transcript, options);
    Round { case, transcript, verdict, records }
}

/// The calls of a race, each with what came back.
struct History<'a> {
    case: &'a Case,
    transcript: &'a Transcript,
    options: JudgeOptions,
    calls: Vec<Call<'a>>,
    /// How many of them were sent one after the other, before the first that were sent at once.
    first_at_once: usize,
}

/// A call of a race.
struct Call<'a> {
    step: &'a Step,
    exchange: &'a Exchange,
    /// Which group it was sent with.
    group: usize,
    answered: Option<Answered>,
    readings: Readings,
    /// The uploads that it names or began, by the number of their id: ids may be of any length.
    uploads: BTreeSet<usize>,
    /// Whether it began one, and in which repository.
    begun: Option<(String, usize)>,
    /// The bytes whose digests it names, or that it sends; and those of the parts of its uploads.
    bytes: BTreeSet<String>,
}

impl<'a> Call<'a> {
    fn of(
        service: Service,
        group: usize,
        step: &'a Step,
        exchange: &'a Exchange,
        number: &mut impl FnMut(String) -> usize,
    ) -> Call<'a> {
        let accepts = |rule: RuleId| Rules::of(service).get(rule).is_some_and(|rule| rule.errors.is_empty());
        let accepting = match accepts(step.expect.rule) {
            true => step.expect.rule,
            false => step.operation.map_or(step.expect.rule, |operation| RuleId::of(operation, "accepted")),
        };
        let readings = Readings { valid: step.request.body.clone(), accepting, alone: Vec::new(), elsewhere: false };
        let sent: Option<serde_json::Value> = serde_json::from_slice(&exchange.request.body).ok();
        let member = |body: &Option<serde_json::Value>, name: &str| body.as_ref()?.get(name).cloned();
        let named = exchange.observed().ok().and_then(Observation::members);
        let ids = [member(&sent, "uploadId"), named.and_then(|members| members.get("uploadId").cloned())];
        let listed = member(&sent, "layerDigests").and_then(|list| list.as_array().cloned()).unwrap_or_default();
        let digests = listed.into_iter().chain(member(&sent, "layerDigest"));
        let mut bytes: BTreeSet<String> = digests.filter_map(|digest| digest.as_str().map(String::from)).collect();
        bytes.extend(chunks(step));
        if bytes.is_empty() {
            let written = member(&sent, "layerPartBlob");
            bytes.extend(written.and_then(|blob| blob.as_str().map(String::from)));
        }
        let uploads = ids.into_iter().flatten().filter_map(|id| Some(number(String::from(id.as_str()?)))).collect();
        let begun = begun(step, exchange).map(|(repository, id)| (repository, number(id)));
        Call { step, exchange, group, answered: Answered::of(exchange), readings, uploads, begun, bytes }
    }

    fn is(&self, operation: Operation) -> bool {
        self.step.operation == Some(operation)
    }

    /// Whether it was answered before the other was sent.
    fn is_before(&self, other: &Call) -> bool {
        self.group < other.group || (self.group == other.group && self.exchange.ended() < other.exchange.began)
    }

    /// Whether the other is the same call with the same answer, and came later or not earlier.
    fn is_twin_before(&self, other: &Call, or_equal: bool) -> bool {
        // What began an upload is told apart by later calls.
        let same = !self.is(Operation::InitiateLayerUpload)
            && self.step.request == other.step.request
            && self.exchange.observed().ok() == other.exchange.observed().ok();
        let times = |call: &Call| (call.exchange.began, call.exchange.ended());
        let ((began, ended), (later_began, later_ended)) = (times(self), times(other));
        let earlier = began <= later_began && ended <= later_ended;
        same && self.group == other.group && earlier && (or_equal || (began, ended) != (later_began, later_ended))
    }

    /// Whether it changes nothing.
    fn is_idle(&self) -> bool {
        self.step.operation.is_some_and(|operation| operation.effect() == Effect::Reads)
    }

    /// What trying it counts: its answer is read each time, and those that are lawful are short.
    fn cost(&self) -> usize {
        const SHORT: usize = 4_096;
        1 + self.exchange.reply.as_ref().map_or(0, |answer| answer.body().len() / SHORT)
    }

    /// Whether it touches what the other touches.
    fn meets(&self, other: &Call) -> bool {
        let effect = |call: &Call| call.step.operation.map(Operation::effect);
        let manages = |call: &Call| match effect(call) {
            Some(Effect::MakesRepository | Effect::RemovesRepository) => true,
            Some(
                Effect::Reads
                | Effect::BeginsUpload
                | Effect::AddsPart
                | Effect::CompletesUpload
                | Effect::ReferencesLayers,
            )
            | None => false,
        };
        let grows = |call: &Call| matches!(effect(call), Some(Effect::BeginsUpload | Effect::AddsPart));
        let same_upload = !self.uploads.is_disjoint(&other.uploads);
        // The same bytes in two uploads matter when one of them becomes a layer.
        let become_layers = !grows(self) || !grows(other);
        let same_bytes = !self.bytes.is_disjoint(&other.bytes);
        manages(self) || manages(other) || same_upload || (same_bytes && become_layers)
    }
}

/// The names of the bytes that a request has, or has digests of.
fn chunks(step: &Step) -> BTreeSet<String> {
    step.request.body.references().flat_map(Reference::bytes_of).cloned().collect()
}

impl<'a> History<'a> {
    fn of(case: &'a Case, transcript: &'a Transcript, options: JudgeOptions) -> History<'a> {
        let mut calls: Vec<Call> = Vec::new();
        let mut ids: BTreeMap<String, usize> = BTreeMap::new();
        let mut number = |id: String| {
            let next = ids.len();
            *ids.entry(id).or_insert(next)
        };
        let groups = case.groups();
        for (at, group) in groups.iter().enumerate() {
            let exchanges = transcript.exchanges.iter().skip(group.start);
            let sent = case.steps[group.clone()].iter().zip(exchanges);
            calls.extend(sent.map(|(step, exchange)| Call::of(case.service, at, step, exchange, &mut number)));
        }
        // An upload is what its parts are: it becomes that layer, and may end when another upload does.
        let parts: Vec<(BTreeSet<usize>, BTreeSet<String>)> = calls
            .iter()
            .filter(|call| call.is(Operation::UploadLayerPart))
            .map(|part| (part.uploads.clone(), part.bytes.clone()))
            .collect();
        for call in calls.iter_mut().filter(|call| !call.is(Operation::InitiateLayerUpload)) {
            let own = parts.iter().filter(|(uploads, _)| !uploads.is_disjoint(&call.uploads));
            call.bytes.extend(own.flat_map(|(_, bytes)| bytes.iter().cloned()));
        }
        let first_at_once = groups.iter().take_while(|group| group.len() == 1).count().min(calls.len());
        History { case, transcript, options, calls, first_at_once }
    }

    fn is_at_once(&self, call: usize) -> bool {
        self.calls.iter().filter(|other| other.group == self.calls[call].group).count() > 1
    }

    /// What is said of this round.
    fn judged(&self) -> (Verdict, Vec<Record>) {
        if let Some(reason) = self.unjudgeable() {
            return (Verdict::Inconclusive { reason }, Vec::new());
        }
        match self.crashes() {
            Verdict::Pass => {}
            // What such a call did is not known, and so neither what may be answered to the others.
            crashed => return (crashed, Vec::new()),
        }
        let order = match self.explained() {
            Explained::By(order) => order,
            Explained::Not { longest, next } => longest.into_iter().chain([next]).collect(),
            Explained::Unknown => {
                let reason = NotJudged::TooManyOrders { steps: BOUND };
                return (Verdict::Inconclusive { reason }, Vec::new());
            }
        };
        let ordered = Case { steps: self.followed(&order), ..self.case.clone() };
        let exchanges = order.iter().map(|call| self.calls[*call].exchange.clone()).collect();
        judge(&ordered, &Transcript { exchanges, ..self.transcript.clone() }, self.options)
    }

    /// Why nothing can be said of this round, if so: the target was throttling, or too slow for so many calls at once.
    fn unjudgeable(&self) -> Option<NotJudged> {
        self.calls.iter().enumerate().find_map(|(index, call)| {
            let operation = call.step.operation_name();
            let no_answer = |got: Got| Some(NotJudged::NoAnswer { operation: String::from(operation), got });
            let unsure = self.is_at_once(index) || call.step.role == StepRole::Attempt;
            let broken = call.exchange.observed().map_or(true, Observation::is_server_fault);
            match call.exchange.reply.as_ref().err() {
                Some(trouble @ (TransportError::Silent | TransportError::Unreachable(_))) if unsure => {
                    no_answer(Got::Transport(*trouble))
                }
                _ => match infrastructure(false, call.exchange) {
                    Some(obstacle) => Some(obstacle.of(operation)),
                    // Nothing is expected of it, but what it did is not known.
                    None if broken && call.step.role == StepRole::Attempt => no_answer(judge::describe(call.exchange)),
                    None => None,
                },
            }
        })
    }

    /// The calls at once that were answered with a fault of the server, or not at all.
    fn crashes(&self) -> Verdict {
        let mut found = Vec::new();
        for (_, call) in self.calls.iter().enumerate().filter(|(index, _)| self.is_at_once(*index)) {
            let crashed = call.exchange.observed().map_or(true, Observation::is_server_fault);
            if !crashed {
                continue;
            }
            let single = Case { steps: vec![call.step.clone()], ..self.case.clone() };
            let exchanges = vec![call.exchange.clone()];
            let one = Transcript { exchanges, stopped: None, ..self.transcript.clone() };
            match judge(&single, &one, self.options).0 {
                Verdict::Fail { findings } => found.extend(findings),
                Verdict::Pass => {}
                other => return other,
            }
        }
        if found.is_empty() { Verdict::Pass } else { Verdict::Fail { findings: found } }
    }

    /// An order of the calls that explains their answers: with all their members, if there is one. What says how far an
    /// upload has come differs from order to order.
    fn explained(&self) -> Explained {
        match self.explained_by(Members::Right) {
            Explained::By(order) => Explained::By(order),
            _ => self.explained_by(Members::Any),
        }
    }

    fn explained_by(&self, members: Members) -> Explained {
        let mut state = self.start(members);
        for call in 0..self.first_at_once {
            match state.after(call) {
                Some(after) => state = after,
                None => return Explained::Not { longest: (0..call).collect(), next: call },
            }
        }
        let before = 0..self.first_at_once;
        match search(&self.relations(self.calls.len(), &BTreeSet::new()), &state, self.first_at_once, BOUND) {
            Explained::By(order) => Explained::By(before.chain(order).collect()),
            Explained::Not { longest, next } => Explained::Not { longest: before.chain(longest).collect(), next },
            Explained::Unknown => Explained::Unknown,
        }
    }

    /// What is known of the order of so many calls.
    fn relations(&self, count: usize, free: &BTreeSet<usize>) -> Calls {
        let calls = &self.calls[..count];
        let table = |relation: &dyn Fn(&Call, &Call) -> bool| -> Vec<Vec<bool>> {
            calls.iter().map(|one| calls.iter().map(|other| relation(one, other)).collect()).collect()
        };
        let mut before = table(&|one, other| one.is_before(other));
        // Of two calls that are the same, with the same answer, the one comes first that was sent and answered first.
        for (one, other) in (0..count).flat_map(|one| (0..count).map(move |other| (one, other))) {
            before[one][other] |=
                calls[one].is_twin_before(&calls[other], one < other) && !free.contains(&one) && !free.contains(&other);
        }
        Calls {
            before,
            apart: table(&|one, other| !one.meets(other)),
            idle: calls.iter().map(Call::is_idle).collect(),
            free: (0..count).map(|call| free.contains(&call)).collect(),
            cost: calls.iter().map(Call::cost).collect(),
        }
    }

    fn start(&self, members: Members) -> State<'_> {
        let further = match &self.case.place {
            Place::Shared => &[],
            Place::Own(names) => names.as_slice(),
        };
        let references: Vec<String> = std::iter::once(String::from("repository"))
            .chain(further.iter().map(|name| format!("repository:{name}")))
            .collect();
        let references: Vec<&str> = references.iter().map(String::as_str).collect();
        let follower = Follower::new(self.case.service, &self.case.chunks, &references);
        State { history: self, members, follower, begun: BTreeSet::new(), parts: BTreeMap::new() }
    }

    /// The steps in an order, with what each expects there.
    fn followed(&self, order: &[usize]) -> Vec<Step> {
        let mut state = self.start(Members::Any);
        order.iter().map(|call| state.follow(*call, true)).collect()
    }
}

/// Which members an answer must have to be explained.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Members {
    /// Those that it should have in this place.
    Right,
    /// Any: what is wrong with them is a matter of form.
    Any,
}

/// The reference registry on its way along an order.
#[derive(Clone)]
struct State<'a> {
    history: &'a History<'a>,
    members: Members,
    follower: Follower,
    /// The uploads that were begun and are certain to be open.
    begun: BTreeSet<(String, usize)>,
    /// The parts that each upload was sent: what it holds.
    parts: BTreeMap<usize, Vec<usize>>,
}

impl State<'_> {
    /// Goes on by a call, with its answer or as the registry would answer; the step with what it expects.
    fn follow(&mut self, call: usize, answered: bool) -> Step {
        let Call { step, readings, answered: answer, .. } = &self.history.calls[call];
        let mut step = Step::clone(step);
        let accepted = self.follower.step(&mut step, readings, answer.as_ref().filter(|_| answered));
        if may_end_uploads(&step) {
            self.begun.clear();
        }
        self.begun.extend(self.history.calls[call].begun.clone());
        if accepted && step.operation == Some(Operation::UploadLayerPart) {
            let uploads = &self.history.calls[call].uploads;
            uploads.iter().for_each(|upload| self.parts.entry(*upload).or_default().push(call));
        }
        step
    }
}

impl Model for State<'_> {
    type Mark = String;

    fn after(&self, call: usize) -> Option<Self> {
        let mut after = self.clone();
        let step = after.follow(call, true);
        let History { case, transcript, options, calls, .. } = self.history;
        let repeats_an_id = calls[call].begun.as_ref().is_some_and(|own| self.begun.contains(own));
        let as_it_should_be = judge::allows(case, &step, transcript, calls[call].exchange, *options)?;
        let explained = as_it_should_be || self.members == Members::Any;
        (explained && !repeats_an_id).then_some(after)
    }

    fn after_unknown(&self, call: usize) -> Self {
        let mut after = self.clone();
        after.follow(call, false);
        after
    }

    fn mark(&self) -> String {
        format!("{}{:?}{:?}", self.follower.state(), self.begun, self.parts)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use serde_json::{Value, json};

    use super::*;
    use crate::case::Bindings;
    use crate::case::draft::{Draft, HERE, RIGHT, SMALL};
    use crate::contract::ErrorType;
    use crate::expect::Outcome;
    use crate::judge::Grade;
    use crate::model::operation::body;
    use crate::wire::{Answer, NoConnection, Response, envelope};

    /// A call at once: its name, when it was under way, and an error or, if that is empty, success.
    type Sent<'a> = (&'a str, u64, u64, &'a str);

    const ALL: JudgeOptions = JudgeOptions { messages: false, availability: true };

    /// An upload `upload`, with the chunk `layer` in place or without, and calls of it that are sent at once.
    fn race(with_part: bool, calls: &[&str]) -> Case {
        let draft = Draft::new(Service::Ecr, "some/race", "some race").own(&[]);
        let mut draft = match with_part {
            true => draft.uploaded(),
            false => draft.chunk("layer", SMALL).initiate("upload"),
        };
        for call in calls {
            draft = match call.split('-').next() {
                Some("complete") => draft.complete(call, "upload", "layer"),
                Some("part") => draft.part(call, "upload", "layer", 0),
                Some("gap") => draft.part(call, "upload", "layer", 2 * SMALL),
                Some("url") => draft.set_up(call, Operation::GetDownloadUrlForLayer, body::url(HERE, RIGHT)),
                Some("delete") => {
                    draft.set_up(call, Operation::DeleteRepository, body::repository(HERE).set("force", "true"))
                }
                _ => draft.set_up(call, Operation::BatchCheckLayerAvailability, body::check(HERE, &[RIGHT])),
            };
        }
        let mut case = draft.done();
        let set_up = case.steps.len() - calls.len();
        let looks = calls.iter().filter(|call| call.starts_with("look")).count();
        let count = case.steps.len() - looks;
        case.steps[set_up + 1..count].iter_mut().for_each(|step| step.at_once = true);
        case
    }

    /// What came back: for each of the calls when it was under way, and an error or, if that is empty, success.
    fn transcript(case: &Case, answers: &[(u64, u64, &str)]) -> Transcript {
        let mut bindings = Bindings::new(&case.chunks, "salt", 0);
        bindings.bind(Reference::repository(None), "some/repository");
        let mut exchanges = Vec::new();
        let set_up = case.steps.len() - answers.len();
        for (index, step) in case.steps.iter().enumerate() {
            let body = bindings.fill(&step.request.body).unwrap();
            let sent: Value = serde_json::from_slice(&body).unwrap();
            let (began, ended, error) = if index < set_up { (0, 0, "") } else { answers[index - set_up] };
            let digest = bindings.value(&Reference::sha256("layer")).unwrap();
            let mut members = match step.operation {
                Some(Operation::InitiateLayerUpload) => {
                    json!({"uploadId": "00000000-0000-4000-8000-000000000001", "partSize": 5_242_880})
                }
                Some(Operation::UploadLayerPart) => json!({"lastByteReceived": sent["partLastByte"]}),
                Some(Operation::CompleteLayerUpload) => json!({"layerDigest": digest}),
                Some(Operation::GetDownloadUrlForLayer) => json!({"layerDigest": digest, "downloadUrl": "https://"}),
                _ => {
                    let layer = json!({"layerDigest": digest, "layerAvailability": error, "layerSize": SMALL});
                    json!({"layers": [layer], "failures": []})
                }
            };
            for name in ["repositoryName", "uploadId"] {
                if let Some(value) = sent.get(name) {
                    members[name] = value.clone();
                }
            }
            members["registryId"] = json!("012345678910");
            let answer = match error {
                "500" => Response { status: 500, headers: Vec::new(), body: Bytes::new() },
                error if error.ends_with("Exception") => {
                    members["__type"] = json!(error);
                    members["message"] = json!("no");
                    members["lastValidByteReceived"] = json!(SMALL - 1);
                    envelope::response(400, &members)
                }
                _ => envelope::response(200, &members),
            };
            bindings.capture(&step.name, &answer.json().unwrap_or_default());
            let (began, took) = (Duration::from_millis(began), Duration::from_millis(ended - began));
            exchanges.push(Exchange::new(step.request.with_body(body), Ok(answer), began, took));
        }
        Transcript { bindings, ..Transcript::of(case, exchanges) }
    }

    /// The rule, the grade and the calls of the finding; `None` where the history is lawful.
    fn found(with_part: bool, calls: &[Sent]) -> Option<(RuleId, Grade, String)> {
        let case = race(with_part, &calls.iter().map(|(name, ..)| *name).collect::<Vec<_>>());
        let answers: Vec<_> = calls.iter().map(|(_, began, ended, error)| (*began, *ended, *error)).collect();
        let round = judge_round(&case, transcript(&case, &answers), ALL, Tier::Open);
        let mut rounds = Rounds::of(&case, ALL);
        rounds.add(round);
        match rounds.together(false).unwrap().verdict {
            Verdict::Pass => None,
            Verdict::Fail { findings } => {
                let finding = &findings[0];
                let calls = &finding.witness.as_ref().unwrap().calls;
                let names: Vec<&str> = calls.iter().filter_map(|call| call.split(',').next()).collect();
                Some((finding.rule, finding.grade, names.join(" ")))
            }
            other => panic!("{other:?}"),
        }
    }

    const GONE: &str = "UploadNotFoundException";
    const EXISTS: &str = "LayerAlreadyExistsException";
    const EMPTY: &str = "EmptyUploadException";
    const NEXT: &str = "InvalidLayerPartException";

    #[test]
    fn answers_that_some_order_explains_are_no_finding() {
        let rows: [(bool, &[Sent]); 8] = [
            (true, &[("complete-a", 0, 5, ""), ("complete-b", 1, 4, GONE)]),
            (true, &[("complete-a", 0, 5, EXISTS), ("complete-b", 1, 4, ""), ("complete-c", 2, 3, GONE)]),
            (false, &[("part-a", 0, 5, NEXT), ("part-b", 1, 4, ""), ("part-c", 1, 4, NEXT)]),
            (false, &[("complete-a", 0, 5, ""), ("part-b", 1, 9, "")]),
            (false, &[("complete-a", 0, 5, EMPTY), ("part-b", 1, 9, "")]),
            // Whether an upload survives a rejected completion is open.
            (false, &[("complete-a", 0, 5, EMPTY), ("part-b", 1, 9, GONE)]),
            (
                true,
                &[("complete-a", 0, 5, ""), ("delete-b", 1, 9, ""), ("look-c", 10, 11, "RepositoryNotFoundException")],
            ),
            (true, &[("complete-a", 0, 5, "RepositoryNotFoundException"), ("delete-b", 1, 9, "")]),
        ];
        for (with_part, calls) in rows {
            assert_eq!(found(with_part, calls), None, "{calls:?}");
        }
    }

    #[test]
    fn answers_that_no_order_explains_are_one() {
        let rows: [(bool, &[Sent], RuleId, Grade, &str); 10] = [
            (
                true,
                &[("complete-a", 0, 5, ""), ("complete-b", 1, 4, ""), ("complete-c", 1, 4, GONE)],
                RuleId::new("CompleteLayerUpload/uploadId/once"),
                Grade::State,
                "complete-a complete-b",
            ),
            // A layer that is handed out, which is open, changes nothing.
            (
                true,
                &[("complete-a", 0, 1, ""), ("url-b", 2, 3, ""), ("complete-c", 4, 5, "")],
                RuleId::new("CompleteLayerUpload/uploadId/once"),
                Grade::State,
                "complete-a complete-c",
            ),
            // Both were rejected: no order explains that, wherever the second one stands.
            (
                true,
                &[("complete-a", 0, 5, GONE), ("complete-b", 1, 4, GONE)],
                RuleId::new("CompleteLayerUpload/accepted"),
                Grade::Rejected,
                "complete-a complete-b",
            ),
            (
                true,
                &[("complete-a", 0, 5, ""), ("complete-b", 1, 4, "LimitExceededException")],
                RuleId::new("CompleteLayerUpload/uploadId/once"),
                Grade::Error,
                "complete-a complete-b",
            ),
            // A server's fault is one for the call that was too late, and so for both.
            (
                true,
                &[("complete-a", 0, 5, ""), ("complete-b", 1, 4, "500")],
                RuleId::new("CompleteLayerUpload/accepted"),
                Grade::Rejected,
                "complete-a complete-b",
            ),
            (
                false,
                &[("part-a", 0, 5, ""), ("part-b", 1, 4, ""), ("part-c", 1, 4, NEXT)],
                RuleId::new("UploadLayerPart/partFirstByte/contiguous"),
                Grade::State,
                "part-a part-b",
            ),
            // The part was answered before the completion was sent.
            (
                false,
                &[("part-a", 0, 1, ""), ("complete-b", 2, 4, EMPTY)],
                RuleId::new("CompleteLayerUpload/accepted"),
                Grade::Rejected,
                "part-a complete-b",
            ),
            // The other way round: nothing was there to complete.
            (
                false,
                &[("part-a", 3, 4, ""), ("complete-b", 0, 2, "")],
                RuleId::new("CompleteLayerUpload/parts/not-empty"),
                Grade::State,
                "complete-b",
            ),
            (
                true,
                &[("complete-a", 0, 5, ""), ("delete-b", 1, 9, ""), ("look-c", 10, 11, "AVAILABLE")],
                RuleId::new("BatchCheckLayerAvailability/repositoryName/exists"),
                Grade::State,
                "complete-a delete-b look-c",
            ),
            // It was deleted before it was completed.
            (
                true,
                &[("complete-a", 5, 8, ""), ("delete-b", 1, 4, "")],
                RuleId::new("CompleteLayerUpload/repositoryName/exists"),
                Grade::State,
                "delete-b complete-a",
            ),
        ];
        for (with_part, calls, rule, grade, names) in rows {
            let expected = (rule, grade, String::from(names));
            assert_eq!(found(with_part, calls), Some(expected), "{calls:?}");
        }
    }

    /// Whether answers to the last calls of a case are lawful.
    fn is_lawful(case: &Case, answers: &[(u64, u64, &str)]) -> bool {
        judge_round(case, transcript(case, answers), ALL, Tier::Open).verdict == Verdict::Pass
    }

    #[test]
    fn an_upload_may_end_when_another_one_becomes_its_layer() {
        let mut case = Draft::new(Service::Ecr, "some/race", "some race")
            .own(&[])
            .uploaded()
            .initiate("twin")
            .part("part-of-twin", "twin", "layer", 0)
            .chunk("more", SMALL + 1)
            .part("more-of-twin", "twin", "more", SMALL)
            .complete("complete", "upload", "layer")
            .done();
        let count = case.steps.len();
        case.steps[count - 1].at_once = true;
        // The id of the twin is another one.
        let transcript = |answers: &[(u64, u64, &str)]| {
            let mut transcript = transcript(&case, answers);
            let other = "00000000-0000-4000-8000-000000000002";
            for exchange in &mut transcript.exchanges[2..count - 1] {
                let replaced = |text: &[u8]| {
                    let text = String::from_utf8_lossy(text).replace("00000000-0000-4000-8000-000000000001", other);
                    Bytes::from(text)
                };
                exchange.request.body = replaced(&exchange.request.body);
                let Ok(Answer::Http(answer)) = &mut exchange.reply else { panic!("{exchange:?}") };
                answer.body = replaced(&answer.body);
            }
            transcript.bindings.bind(Reference::member("twin", "uploadId"), other);
            transcript
        };
        let verdict = |answers| judge_round(&case, transcript(answers), ALL, Tier::Open).verdict;
        assert_eq!(verdict(&[(0, 5, ""), (1, 4, "")]), Verdict::Pass);
        assert_eq!(verdict(&[(0, 5, GONE), (1, 4, "")]), Verdict::Pass);
        // Then it was answered before.
        assert!(matches!(verdict(&[(0, 1, GONE), (2, 4, "")]), Verdict::Fail { .. }));
    }

    #[test]
    fn what_an_answer_says_of_an_upload_tells_in_which_order_calls_came() {
        let case = race(false, &["part-a", "gap-b"]);
        let verdict = |answers: &[(u64, u64, &str)]| {
            let mut transcript = transcript(&case, answers);
            let Ok(Answer::Http(answer)) = &mut transcript.exchanges[2].reply else { panic!("no response") };
            // Not the last byte of the part. Before the first one, nothing is known of it.
            answer.body = String::from_utf8_lossy(&answer.body).replace("d\":31", "d\":5").into();
            judge_round(&case, transcript, ALL, Tier::Open).verdict
        };
        assert_eq!(verdict(&[(0, 5, ""), (1, 4, NEXT)]), Verdict::Pass);
        assert!(matches!(verdict(&[(0, 1, ""), (2, 4, NEXT)]), Verdict::Fail { .. }));
    }

    #[test]
    fn what_a_second_deletion_may_be_answered_is_for_the_case_to_say() {
        let mut case = race(true, &["delete-a", "delete-b"]);
        let gone = ErrorType::find("RepositoryNotFoundException").unwrap();
        for step in &mut case.steps[2..] {
            step.expect.outcomes.push(Outcome::Error { error: gone, members: serde_json::Map::new() });
        }
        assert!(is_lawful(&case, &[(0, 5, ""), (1, 4, "RepositoryNotFoundException")]));
        assert!(!is_lawful(&case, &[(0, 5, "RepositoryNotFoundException"), (1, 4, "RepositoryNotFoundException")]));
    }

    #[test]
    fn answers_of_any_length_end_the_search() {
        let names = ["complete-a", "complete-b", "complete-c", "complete-d", "complete-e", "complete-f", "complete-g"];
        let case = race(true, &names);
        let mut transcript = transcript(&case, &[(0, 9, ""); 7]);
        for (index, exchange) in transcript.exchanges.iter_mut().enumerate() {
            let Ok(Answer::Http(answer)) = &mut exchange.reply else { panic!("{exchange:?}") };
            let text = String::from_utf8_lossy(&answer.body).replacen(
                '{',
                &format!("{{\"x{index}\":\"{}\",", "x".repeat(8 << 20)),
                1,
            );
            answer.body = Bytes::from(text);
        }
        let verdict = judge_round(&case, transcript, ALL, Tier::Open).verdict;
        assert!(matches!(verdict, Verdict::Inconclusive { .. }), "{verdict:?}");
    }

    #[test]
    fn rounds_come_to_what_is_worst_in_them() {
        let mut case = race(true, &["complete-a", "complete-b"]);
        // No answer to a valid request is the network's.
        case.steps[3].expect = crate::case::allowed(Service::Ecr, RuleId::new("CompleteLayerUpload/uploadId/once"));
        let answered = |second: &str| transcript(&case, &[(0, 5, ""), (1, 4, second)]);
        let dropped = || {
            let mut transcript = answered("");
            transcript.exchanges[3].reply = Err(TransportError::Dropped);
            transcript
        };
        let together = |rounds: Vec<Transcript>, is_dead: bool| {
            let mut all = Rounds::of(&case, ALL);
            rounds.into_iter().for_each(|round| all.add(judge_round(&case, round, ALL, Tier::Open)));
            let shown = all.together(is_dead).unwrap();
            let found = match &shown.verdict {
                Verdict::Fail { findings } => findings
                    .iter()
                    .map(|finding| {
                        let witness = finding.witness.as_ref().unwrap();
                        format!("{} {} of {}", finding.grade, witness.seen, witness.rounds)
                    })
                    .collect::<Vec<_>>()
                    .join(", "),
                other => format!("{other:?}"),
            };
            (found, judge::describe(&shown.transcript.exchanges[3]).code())
        };
        let right = || answered(GONE);
        let row = |found: &str, shown: &str| (String::from(found), String::from(shown));
        let limit = || answered("LimitExceededException");
        assert_eq!(together(vec![right(), right()], false), row("Pass", "400 UploadNotFoundException"));
        // The worst comes first, whenever it was seen.
        assert_eq!(
            together(vec![right(), limit(), answered(""), limit()], false),
            row("state 1 of 4, error 2 of 4", "200")
        );
        assert_eq!(together(vec![answered(""), limit()], false), row("state 1 of 2, error 1 of 2", "200"));
        // A connection that was dropped once may be the network's, unless the target is dead.
        let unstable = "Inconclusive { reason: OneRound { got: Transport(Dropped), rounds: 2 } }";
        assert_eq!(together(vec![dropped(), right()], false), row(unstable, "dropped"));
        assert_eq!(together(vec![right(), dropped()], true), row("crash 1 of 2", "dropped"));
        assert_eq!(together(vec![dropped(), dropped()], false), row("crash 2 of 2", "dropped"));
        assert_eq!(together(vec![dropped(), limit()], false), row("error 1 of 2", "400 LimitExceededException"));
        assert!(Rounds::of(&case, ALL).together(false).is_none());
    }

    #[test]
    fn what_was_throttled_or_too_slow_says_nothing() {
        let case = race(true, &["complete-a", "complete-b"]);
        for trouble in [TransportError::Silent, TransportError::Unreachable(NoConnection::Refused)] {
            let mut transcript = transcript(&case, &[(0, 5, ""), (1, 4, "")]);
            transcript.exchanges[3].reply = Err(trouble);
            let verdict = judge_round(&case, transcript, ALL, Tier::Open).verdict;
            assert!(matches!(verdict, Verdict::Inconclusive { .. }), "{verdict:?}");
        }
        let transcript = transcript(&case, &[(0, 5, ""), (1, 4, "ThrottlingException")]);
        let verdict = judge_round(&case, transcript, ALL, Tier::Open).verdict;
        assert!(matches!(verdict, Verdict::Inconclusive { .. }), "{verdict:?}");
    }

    #[test]
    fn the_search_agrees_with_trying_all_orders() {
        fn by_trying_all(history: &History, state: &State, left: &[usize]) -> bool {
            left.is_empty()
                || left.iter().any(|call| {
                    let rest: Vec<usize> = left.iter().copied().filter(|other| other != call).collect();
                    let comes_next = !rest.iter().any(|other| history.calls[*other].is_before(&history.calls[*call]));
                    comes_next && state.after(*call).is_some_and(|after| by_trying_all(history, &after, &rest))
                })
        }
        let mut seed = 7_u64;
        let mut below = |bound: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % bound
        };
        let (mut lawful, mut unlawful) = (0, 0);
        for number in 0..400 {
            let with_part = number % 2 == 0;
            let names = ["complete-a", "complete-b", "part-c", "part-d", "complete-e"];
            let case = race(with_part, &names);
            let answers: Vec<(u64, u64, &str)> = names
                .iter()
                .map(|name| {
                    let began = below(6);
                    let errors = if name.starts_with("part") { ["", NEXT, GONE] } else { ["", GONE, EMPTY] };
                    (began, began + below(6), errors[below(3) as usize])
                })
                .collect();
            let transcript = transcript(&case, &answers);
            let history = History::of(&case, &transcript, ALL);
            let set_up = (0..history.first_at_once)
                .try_fold(history.start(Members::Any), |state, call| state.after(call))
                .unwrap();
            let rest: Vec<usize> = (history.first_at_once..history.calls.len()).collect();
            let expected = by_trying_all(&history, &set_up, &rest);
            match history.explained() {
                Explained::By(_) => assert!(expected, "{with_part} {answers:?}"),
                Explained::Not { .. } => assert!(!expected, "{with_part} {answers:?}"),
                Explained::Unknown => panic!("given up: {answers:?}"),
            }
            *(if expected { &mut lawful } else { &mut unlawful }) += 1;
        }
        assert!(lawful > 20 && unlawful > 20, "{lawful} {unlawful}");
    }
}
