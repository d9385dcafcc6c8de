//! The search: random sequences for a target, steered by what is new in its answers, and shrunk where they fail.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use crate::case::{Case, CaseKind, Decision, Plan, Transcript};
use crate::contract::{Operation, RuleId, Service};
use crate::events::Searched;
use crate::generate::plan;
use crate::generate::realise;
use crate::generate::violations::{Breaks, Violations};
use crate::judge::Finding;
use crate::wire::{Exchange, TransportError};

/// How far to search.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Search {
    /// All chance comes from it: the same seed gives the same sequences.
    pub seed: u64,
    /// How many of them.
    pub extent: Extent,
}

/// How many sequences are tried.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Extent {
    /// So many a service, those of the seed and no others.
    Cases(u64),
    /// As many as there is time for, steered by novelty.
    Time(Duration),
}

/// The random case of a seed: `random/<seed>/<number>`.
pub fn nth(service: Service, seed: u64, number: u64) -> Case {
    drawn(service, seed, number, &plan::nth(service, seed, number))
}

fn drawn(service: Service, seed: u64, number: u64, plan: &Plan) -> Case {
    Case { id: format!("{RANDOM}{seed}/{number}"), kind: CaseKind::Random, ..from_plan(service, plan) }
}

/// The random case with this id, if it is one.
pub fn find(service: Service, id: &str) -> Option<Case> {
    let (seed, number) = id.strip_prefix(RANDOM)?.split_once('/')?;
    Some(nth(service, seed.parse().ok()?, number.parse().ok()?))
}

/// What the ids of cases begin with that a seed gives.
pub const RANDOM: &str = "random/";

/// A random case without the operations that a target does not have: they would be the only thing that it shows.
pub fn fitted(case: Case, lacks: impl Fn(Operation) -> bool) -> Case {
    match &case.plan {
        Some(plan) if plan.decisions.iter().any(|decision| lacks(decision.operation)) => {
            let fitted = realise(case.service, &plan.clone().without(lacks));
            Case { id: case.id, kind: case.kind, title: case.title, ..fitted }
        }
        _ => case,
    }
}

/// What the answers of a target have shown so far: classes of answers, and the plans that first showed one.
#[derive(Debug, Default)]
pub struct Novelty {
    classes: HashSet<u64>,
    corpus: BTreeMap<Service, Vec<Plan>>,
    broken: HashSet<RuleId>,
    tally: Searched,
}

/// More classes than any honest server has: one that answers at random must not fill the memory.
const MOST_CLASSES: usize = 20_000;

impl Novelty {
    /// Takes note of the answers of a case; returns the number of classes that were new.
    pub fn learn(&mut self, case: &Case, transcript: &Transcript) -> usize {
        let before = self.classes.len();
        for (step, exchange) in case.steps.iter().zip(&transcript.exchanges) {
            self.tally.calls += 1;
            self.tally.accepted += usize::from(exchange.observed().is_ok_and(|seen| !seen.is_error()));
            if self.classes.len() < MOST_CLASSES {
                self.classes.insert(class(step.operation, step.expect.rule, exchange));
            }
        }
        let new = self.classes.len() - before;
        if let (true, Some(plan)) = (new > 0, &case.plan) {
            self.corpus.entry(case.service).or_default().push(plan.clone());
        }
        new
    }

    /// Takes note of a case that was drawn.
    pub fn drew(&mut self) {
        self.tally.cases += 1;
    }

    /// Takes note of a finding: the rule is known to be broken, and what breaks it would end most sequences early.
    pub fn found(&mut self, finding: &Finding) {
        self.broken.insert(finding.about);
    }

    /// Takes note of a case that passed or repeats a known cause, and has no event of its own.
    pub fn unlogged(&mut self, repeats: bool) {
        match repeats {
            true => self.tally.repeated += 1,
            false => self.tally.unlogged += 1,
        }
    }

    /// What there is to tell.
    pub fn tally(&self) -> Searched {
        Searched { classes: self.classes.len(), ..self.tally }
    }

    /// The next case: every other one is a changed plan of those that showed something new. Others learn meanwhile.
    pub fn steered(novelty: &Mutex<Novelty>, service: Service, seed: u64, number: u64) -> Case {
        let fresh = plan::nth(service, seed, number);
        let chance = Sha256::digest([&seed.to_le_bytes()[..], &number.to_le_bytes(), b"steered"].concat());
        let pick = usize::from(u16::from_le_bytes([chance[0], chance[1]]));
        let known = (number % 2 == 1).then(|| locked(novelty).known(service, pick)).flatten();
        let is_fresh = known.is_none();
        let chosen = known.map_or_else(|| fresh.clone(), |plan| changed(service, plan, &fresh, &chance[2..]));
        // Now and then all the same: a second cause may hide behind the first.
        let plan = if chance[31] >= 16 { locked(novelty).avoided(service, chosen) } else { chosen };
        match is_fresh && plan == fresh {
            true => drawn(service, seed, number, &fresh),
            false => from_plan(service, &plan),
        }
    }

    /// One of the plans that showed something new.
    fn known(&self, service: Service, pick: usize) -> Option<Plan> {
        let known = self.corpus.get(&service)?;
        known.get(pick % known.len().max(1)).cloned()
    }

    /// A plan without the violations whose rules the target is known to break.
    fn avoided(&self, service: Service, mut plan: Plan) -> Plan {
        plan.decisions.iter_mut().for_each(|call| self.avoid(service, call));
        plan
    }

    /// Takes the violations out of a call whose rules the target is known to break.
    fn avoid(&self, service: Service, call: &mut Decision) {
        let operation = call.operation;
        let violations = Violations::of(service, operation);
        let here = || self.broken.iter().filter(|broken| broken.operation() == Some(operation));
        let is_broken = |breaks: Breaks| here().any(|broken| breaks.accounts_for(*broken));
        call.violations.retain(|number| !violations.breaks(*number).is_some_and(is_broken));
    }
}

fn from_plan(service: Service, plan: &Plan) -> Case {
    let case = realise(service, plan);
    let title = format!("a random sequence of {} calls", case.steps.len());
    Case { title, ..case }
}

/// A plan with one to three changes; what is put in comes from another plan.
fn changed(service: Service, mut plan: Plan, other: &Plan, chance: &[u8]) -> Plan {
    let mut chance = chance.iter().copied().cycle();
    let mut below = |bound: usize| usize::from(chance.next().unwrap_or_default()) % bound.max(1);
    for _ in 0..=below(3) {
        let calls = &mut plan.decisions;
        let at = below(calls.len());
        let donor = other.decisions.get(below(other.decisions.len()));
        let many = calls.len() > 1;
        match (below(7), donor, calls.get_mut(at)) {
            (0, _, Some(_)) if many => {
                calls.remove(at);
            }
            (1, _, Some(call)) => {
                let again = call.clone();
                calls.insert(at, again);
            }
            (2, _, Some(_)) => {
                let with = below(calls.len());
                calls.swap(at, with);
            }
            (3, _, Some(call)) => {
                let byte = below(call.entropy.len());
                call.entropy[byte] = below(256) as u8;
            }
            (4, _, Some(call)) => spoil(service, call, below(256) << 8 | below(256)),
            (5, _, Some(_)) => {
                calls.truncate(at + 1);
                calls.extend_from_slice(&other.decisions);
            }
            (_, Some(donor), _) => calls.insert(at, donor.clone()),
            _ => {}
        }
    }
    plan.decisions.truncate(Plan::MAX_CALLS);
    plan
}

/// Gives a call one violation, or takes away those that it has.
fn spoil(service: Service, call: &mut Decision, number: usize) {
    let count = Violations::of(service, call.operation).len();
    match call.violations.is_empty() {
        true => call.violations.extend(number.checked_rem(count).and_then(|number| u16::try_from(number).ok())),
        false => call.violations.clear(),
    }
}

/// What distinguishes an answer from others: operation, what the request was about, status, error type, the shape of its
/// message, and roughly how long it took.
fn class(operation: Option<Operation>, rule: RuleId, exchange: &Exchange) -> u64 {
    let mut hasher = DefaultHasher::new();
    (operation, rule).hash(&mut hasher);
    match exchange.observed() {
        Ok(seen) => {
            let message = seen.error().and_then(|error| error.message.as_deref());
            (seen.status(), seen.is_error(), seen.error_name(), message.map(shape)).hash(&mut hasher);
        }
        Err(trouble) => std::mem::discriminant::<TransportError>(&trouble).hash(&mut hasher),
    }
    // 16 ms, 256 ms, 4 s: what is slower than usual by a factor and not by noise.
    (exchange.took.as_millis().max(1).ilog2() / 4).hash(&mut hasher);
    hasher.finish()
}

/// A message without what differs from request to request: words that hold a digit, and what stands in quotes.
fn shape(message: &str) -> String {
    let words = message.split_whitespace().take(40);
    let plain = |word: &&str| word.chars().all(|letter| letter.is_ascii_alphabetic() || ",.".contains(letter));
    words.filter(plain).collect::<Vec<_>>().join(" ")
}

/// How much is spent on making one failure small.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Sequences that are tried.
    pub attempts: u32,
    /// When it ends at the latest.
    pub until: Instant,
}

impl Effort {
    /// Enough for a sequence of a dozen calls on a target that answers in some milliseconds.
    pub fn usual() -> Effort {
        Effort { attempts: 400, until: Instant::now() + Duration::from_secs(30) }
    }

    /// Whether another attempt is in it, after so many.
    pub fn allows(&self, attempts: u32) -> bool {
        attempts < self.attempts && Instant::now() < self.until
    }
}

/// A panic while the lock was held would be a defect of ours; what was learned is plain data and stays usable.
fn locked(novelty: &Mutex<Novelty>) -> MutexGuard<'_, Novelty> {
    novelty.lock().unwrap_or_else(PoisonError::into_inner)
}
