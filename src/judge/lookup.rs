//! What an answer of BatchCheckLayerAvailability says of each digest that was asked for.
//!
//! The documents leave open in which order layers are listed, whether a digest that was asked for twice is answered once or
//! twice, and whether an absent layer is UNAVAILABLE or a failure. So each digest is looked for by itself.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Expected, Finding, Got, Grade, Head, Slip, Subject, matching};
use crate::contract::shapes::LAYER_DIGEST;
use crate::contract::{Kind, Operation, RuleId, Tier};
use crate::expect::Outcome;
use crate::wire::Exchange;

const EACH: RuleId = RuleId::new("BatchCheckLayerAvailability/layers/each");

/// What is wrong with what is said of a digest.
struct Wrong {
    /// What it is about: `layerDigests[7].layerSize`.
    path: String,
    /// What it should be, as short JSON.
    expected: String,
    slip: Slip,
}

/// A request and its answer, by digest without case.
struct Lookup<'a> {
    /// The digests that were asked for, each with its first place and how often it was.
    asked: BTreeMap<String, (usize, usize)>,
    layers: Vec<(Option<String>, &'a Value)>,
    failures: Vec<(Option<String>, &'a Value)>,
}

/// Whether an outcome names the layers that are stored, and no failures: it means that all other digests of the request are
/// absent.
pub(super) fn is_of_each(operation: Option<Operation>, members: &Map<String, Value>) -> bool {
    let layers = members.get("layers").and_then(Value::as_array);
    operation == Some(Operation::BatchCheckLayerAvailability)
        && !members.contains_key("failures")
        && layers.is_some_and(|layers| layers.iter().all(|layer| layer["layerAvailability"] == "AVAILABLE"))
}

impl Subject<'_> {
    /// The finding that some digest of the request is answered wrongly, or not at all.
    pub(super) fn each_digest(
        &self,
        exchange: &Exchange,
        body: &Map<String, Value>,
        head: Head,
    ) -> Result<(), Box<Finding>> {
        if self.step.operation != Some(Operation::BatchCheckLayerAvailability) || !self.options.availability {
            return Ok(());
        }
        let Some(lookup) = Lookup::of(&exchange.request.body.abridged(), body) else { return Ok(()) };
        // What is said of one odd text is open where the text is.
        if self.step.expect.tier == Tier::Open && lookup.asked.len() == 1 {
            return Ok(());
        }
        let named = self.step.expect.outcomes.iter().filter(|outcome| outcome.is_success()).map(Outcome::members);
        let stored = named.into_iter().find(|members| is_of_each(self.step.operation, members));
        let wrong = lookup.miscounted().or_else(|| self.misstated(&lookup, stored?));
        let Some(Wrong { path, expected, slip }) = wrong else { return Ok(()) };
        let about = self.step.expect.rule;
        let rule = if about.subject() == "layers" { about } else { EACH };
        let wanted = Expected::member(&Outcome::success(), &path, expected);
        let mut finding = self.finding(rule, Grade::State, Got::Member { head, error: None, path, slip });
        finding.expected = wanted;
        Err(finding)
    }

    /// What is said otherwise of a digest than that these layers are stored, and no others.
    fn misstated(&self, lookup: &Lookup, stored: &Map<String, Value>) -> Option<Wrong> {
        let bindings = &self.transcript.bindings;
        let layers = stored.get("layers").and_then(Value::as_array).into_iter().flatten();
        let resolved = |layer: &Value| matching::resolved(layer.get("layerDigest")?, bindings);
        let stored: BTreeMap<String, &Value> =
            layers.filter_map(|layer| Some((resolved(layer)?.as_str()?.to_lowercase(), layer))).collect();
        lookup.asked.iter().find_map(|(digest, (place, _))| match stored.get(digest) {
            Some(layer) => {
                let size = layer.get("layerSize").and_then(|size| matching::resolved(size, bindings));
                lookup.not_stored(digest, *place, size.as_ref())
            }
            None => lookup.not_absent(digest, *place),
        })
    }
}

impl<'a> Lookup<'a> {
    /// `None` where the request or the answer has not the form that the model describes: that is another finding.
    fn of(request: &[u8], answer: &'a Map<String, Value>) -> Option<Lookup<'a>> {
        let request: Value = serde_json::from_slice(request).ok()?;
        let digests = request.get("layerDigests")?.as_array()?;
        let mut asked: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for (place, digest) in digests.iter().enumerate() {
            asked.entry(digest.as_str()?.to_lowercase()).or_insert((place, 0)).1 += 1;
        }
        let list = |member: &str| {
            let items = match answer.get(member) {
                None | Some(Value::Null) => &[][..],
                Some(list) => list.as_array()?.as_slice(),
            };
            let digest = |item: &Value| item.get("layerDigest").and_then(Value::as_str).map(str::to_lowercase);
            Some(items.iter().map(|item| (digest(item), item)).collect::<Vec<_>>())
        };
        let (layers, failures) = (list("layers")?, list("failures")?);
        (!asked.is_empty()).then_some(Lookup { asked, layers, failures })
    }

    /// A digest of the request that is not answered, or too often; or one that nobody asked for.
    fn miscounted(&self) -> Option<Wrong> {
        let strange = |(digest, _): &&(Option<String>, &Value)| {
            digest.as_ref().is_some_and(|digest| !self.asked.contains_key(digest))
        };
        if self.layers.iter().chain(&self.failures).any(|item| strange(&item)) {
            let path = String::from("layers.layerDigest");
            return Some(Wrong { path, expected: String::from("one of layerDigests"), slip: Slip::OtherValue });
        }
        // That a failure does not say of what it is, is a finding of its own.
        let mut anonymous = self.failures.iter().filter(|(digest, _)| digest.is_none()).count();
        let mut by_place: Vec<(&String, &(usize, usize))> = self.asked.iter().collect();
        by_place.sort_by_key(|(_, (place, _))| *place);
        by_place.into_iter().find_map(|(digest, (place, times))| {
            let answered = self.said(&self.layers, digest).count() + self.said(&self.failures, digest).count();
            let path = format!("layerDigests[{place}]");
            match answered {
                0 if anonymous > 0 => {
                    anonymous -= 1;
                    None
                }
                0 => Some(Wrong { path, expected: String::from("once"), slip: Slip::Missing }),
                many if many > *times => {
                    let expected = format!("{times} times at most");
                    Some(Wrong { path, expected, slip: Slip::Value(format!("{many} times")) })
                }
                _ => None,
            }
        })
    }

    fn said<'b>(
        &self,
        list: &'b [(Option<String>, &'a Value)],
        digest: &'b str,
    ) -> impl Iterator<Item = &'a Value> + use<'a, 'b> {
        list.iter().filter(move |(named, _)| named.as_deref() == Some(digest)).map(|(_, item)| *item)
    }

    /// What is said otherwise than that a layer is stored, with this size.
    fn not_stored(&self, digest: &str, place: usize, size: Option<&Value>) -> Option<Wrong> {
        let failure = self.said(&self.failures, digest).next();
        if let Some(failure) = failure {
            return Some(wrong("layerAvailability", place, &json!("AVAILABLE"), failure.get("failureCode")));
        }
        self.said(&self.layers, digest).find_map(|layer| {
            let (availability, found) = (layer.get("layerAvailability"), layer.get("layerSize"));
            if availability.and_then(Value::as_str) != Some("AVAILABLE") {
                return Some(wrong("layerAvailability", place, &json!("AVAILABLE"), availability));
            }
            let other = |size: &&Value| !found.is_some_and(|found| matching::is_same(size, found));
            // The model does not require it.
            size.filter(|_| found.is_some_and(|found| !found.is_null()))
                .filter(other)
                .map(|size| wrong("layerSize", place, size, found))
        })
    }

    /// What is said otherwise than that a layer is absent. Which failure a malformed digest has is not documented.
    fn not_absent(&self, digest: &str, place: usize) -> Option<Wrong> {
        let present = self.said(&self.layers, digest).find_map(|layer| {
            let availability = layer.get("layerAvailability");
            let absent = availability.and_then(Value::as_str) == Some("UNAVAILABLE");
            (!absent).then(|| wrong("layerAvailability", place, &json!("UNAVAILABLE"), availability))
        });
        let well_formed = matches!(&LAYER_DIGEST.kind, Kind::Text(text) if text.matches_all(digest));
        let failed = || {
            self.said(&self.failures, digest).filter(|_| well_formed).find_map(|failure| {
                let code = failure.get("failureCode");
                let missing = code.and_then(Value::as_str) == Some("MissingLayerDigest");
                (!missing).then(|| wrong("failureCode", place, &json!("MissingLayerDigest"), code))
            })
        };
        present.or_else(failed)
    }
}

fn wrong(member: &str, place: usize, expected: &Value, found: Option<&Value>) -> Wrong {
    let slip = found.map_or(Slip::Missing, |found| matching::differing(expected, found));
    Wrong { path: format!("layerDigests[{place}].{member}"), expected: expected.to_string(), slip }
}
