//! The calls of a race and what came back for them: what each touches, and which came before which.

use std::collections::{BTreeMap, BTreeSet};

use crate::case::{Case, Readings, Step, Transcript};
use crate::contract::{Effect, Operation, RuleId, Rules, Service};
use crate::generate::Answered;
use crate::judge::{JudgeOptions, begun};
use crate::template::Reference;
use crate::wire::{Exchange, Observation};

/// The calls of a race, each with what came back.
pub(super) struct History<'a> {
    pub(super) case: &'a Case,
    pub(super) transcript: &'a Transcript,
    pub(super) options: JudgeOptions,
    pub(super) calls: Vec<Call<'a>>,
    /// How many of them were sent one after the other, before the first that were sent at once.
    pub(super) first_at_once: usize,
}

/// A call of a race.
pub(super) struct Call<'a> {
    pub(super) step: &'a Step,
    pub(super) exchange: &'a Exchange,
    /// Which group it was sent with.
    pub(super) group: usize,
    pub(super) answered: Option<Answered>,
    pub(super) readings: Readings,
    /// The uploads that it names or began, by the number of their id: ids may be of any length.
    pub(super) uploads: BTreeSet<usize>,
    /// Whether it began one, and in which repository.
    pub(super) begun: Option<(String, usize)>,
    /// The bytes whose digests it names, or that it sends; and those of the parts of its uploads.
    pub(super) bytes: BTreeSet<String>,
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
        let valid = step.request.body.clone();
        let readings = Readings { valid, accepting, alone: Vec::new(), elsewhere: false, accepted: None };
        let sent: Option<serde_json::Value> = serde_json::from_slice(&exchange.request.body.abridged()).ok();
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

    pub(super) fn is(&self, operation: Operation) -> bool {
        self.step.operation == Some(operation)
    }

    /// Whether it was answered before the other was sent.
    pub(super) fn is_before(&self, other: &Call) -> bool {
        self.group < other.group || (self.group == other.group && self.exchange.ended() < other.exchange.began)
    }

    /// Whether the other is the same call with the same answer, and came later or not earlier.
    pub(super) fn is_twin_before(&self, other: &Call, or_equal: bool) -> bool {
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
    pub(super) fn is_idle(&self) -> bool {
        self.step.operation.is_some_and(|operation| operation.effect() == Effect::Reads)
    }

    /// What trying it counts: its answer is read each time, and those that are lawful are short.
    pub(super) fn cost(&self) -> usize {
        const SHORT: usize = 4_096;
        1 + self.exchange.reply.as_ref().map_or(0, |answer| answer.body().len() / SHORT)
    }

    /// Whether it touches what the other touches.
    pub(super) fn meets(&self, other: &Call) -> bool {
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
    pub(super) fn of(case: &'a Case, transcript: &'a Transcript, options: JudgeOptions) -> History<'a> {
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

    pub(super) fn is_at_once(&self, call: usize) -> bool {
        self.calls.iter().filter(|other| other.group == self.calls[call].group).count() > 1
    }
}
