//! The harness on itself: each fault of the mock must be found by a case that has a name, and no variant, alone or with
//! others, may give a finding.

#[cfg(feature = "net")]
mod through;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use crate::case::{Case, SIGNATURES};
use crate::contract::{Area, RuleId, Service};
use crate::drive::{Driver, InProcess, Signer, Signing, Target};
use crate::events::{EMBEDDED_MOCK, Event, Stop, Task};
use crate::judge::words;
use crate::mock::{Change, Fault, Keys, Mock, REGION, Variant, router};
use crate::report::Summary;
use crate::report::score::{Scores, Share};
use crate::report::summary::{Measure, Reason};
use crate::run::{RunError, SEED, Settings, Work, choose, run};
use crate::search::{Extent, Search};
#[cfg(feature = "net")]
pub use through::Through;

/// How long the mock may take for an answer. What hangs, hangs for ever.
const PATIENCE: Duration = Duration::from_millis(400);

/// The same where it is about how long it takes.
const LONG_PATIENCE: Duration = Duration::from_secs(10);

/// Random sequences that each variant is tried with, beside all cases.
const SEQUENCES: u64 = 40;

/// What became of a fault in one service.
#[derive(Clone, Debug, Serialize)]
pub struct Tried {
    /// Its name.
    pub fault: &'static str,
    /// What it does.
    pub sentence: &'static str,
    /// Id of the rule that it breaks.
    pub rule: RuleId,
    /// Which service.
    pub service: Service,
    /// The cases that found that this rule is broken, in the order in which they ran: the first one alone, or all. The
    /// survey is one of them where it is what the rule is about.
    pub caught: Vec<String>,
    /// Requests of the cases until the first of them.
    pub requests: usize,
    /// Milliseconds until then.
    pub millis: u64,
    /// Other rules that were found to be broken on the way.
    pub also_found: Vec<RuleId>,
    /// Why the client that it was tried through cannot find it, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_of_reach: Option<OutOfReach>,
}

/// Why a fault cannot be found through a client.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutOfReach {
    /// The client does not show what the rule is about.
    NotShown,
    /// The client sends none of the cases of the rule; its words for the first of them.
    NotSent(String),
}

/// What became of a variant, or of several at once, in one service.
#[derive(Clone, Debug, Serialize)]
pub struct Held {
    /// Their names.
    pub variants: Vec<&'static str>,
    /// Which service.
    pub service: Service,
    /// Cases that were judged.
    pub judged: usize,
    /// What was found: nothing, if all is well.
    pub alarms: Vec<String>,
}

impl Tried {
    /// Whether some case found it.
    pub fn is_caught(&self) -> bool {
        !self.caught.is_empty()
    }
}

/// Tries a fault in one service: the cases of its rule first, and no further than the first finding that names the rule;
/// or, to be thorough, all of them.
///
/// # Errors
///
/// Where the suite itself is wrong.
pub async fn fault(fault: &'static Fault, service: Service, thorough: bool) -> Result<Tried, RunError> {
    let attempt = Attempt::of(fault, service)?;
    let target = target(Mock::with(&[service], fault.changes), patience(fault), is_signed(fault));
    attempt.run(target, thorough).await
}

/// Whether the cases that find a fault are signed.
fn is_signed(fault: &Fault) -> bool {
    fault.rule.area() == Area::Auth
}

/// How long the mock with a fault may take for an answer.
fn patience(fault: &Fault) -> Duration {
    if fault.rule == RuleId::new("always/in-time") { LONG_PATIENCE } else { PATIENCE }
}

/// A fault, and the cases that it is tried with, those first that are likely to find it.
struct Attempt {
    fault: &'static Fault,
    service: Service,
    settings: Settings,
    cases: Vec<Case>,
}

impl Attempt {
    fn of(fault: &'static Fault, service: Service) -> Result<Attempt, RunError> {
        let settings = settings(service, is_signed(fault));
        let cases = choose(&settings)?;
        let mut attempt = Attempt { fault, service, settings, cases: Vec::new() };
        attempt.cases = attempt.in_order(cases);
        Ok(attempt)
    }

    fn in_order(&self, mut cases: Vec<Case>) -> Vec<Case> {
        let operation = self.fault.rule.operation();
        let of_operation =
            |case: &Case| operation.is_some() && case.steps.iter().any(|step| step.operation == operation);
        // What uploads 20 MiB takes as long as a hundred others.
        let bytes = |case: &Case| case.chunks.iter().map(|chunk| chunk.bytes()).sum::<usize>();
        cases.sort_by_key(|case| (!self.is_of_rule(case), !of_operation(case), case.last, bytes(case)));
        cases
    }

    /// Whether a step of a case expects what the rule of the fault demands.
    fn is_of_rule(&self, case: &Case) -> bool {
        case.steps.iter().any(|step| step.expect.rule == self.fault.rule)
    }

    /// What was found before anything was tried: nothing.
    fn untried(&self) -> Tried {
        Tried {
            fault: self.fault.name,
            sentence: self.fault.sentence,
            rule: self.fault.rule,
            service: self.service,
            caught: Vec::new(),
            requests: 0,
            millis: 0,
            also_found: Vec::new(),
            out_of_reach: None,
        }
    }

    async fn run(self, target: Target, thorough: bool) -> Result<Tried, RunError> {
        let mut tried = self.untried();
        let rule = self.fault.rule;
        // Of an operation that is missing, or whose answers cannot be read, no case is tried.
        let by_survey = rule.area() == Area::Survey || rule.is("known") || rule == RuleId::new("answer/json-object");
        let work = Work { task: Task::Gate, cases: self.cases, search: None, whole_survey: true };
        let began = Instant::now();
        let (stopping, stop) = watch::channel(None);
        run(Arc::new(target), &self.settings, work, stop, |event| {
            let (name, requests, findings) = match &event {
                Event::Surveyed(survey) => ("survey", 0, survey.findings.as_slice()),
                Event::Judged(judged) => (judged.case.as_str(), judged.requests, judged.verdict.findings()),
                _ => return,
            };
            let names_it = findings.iter().any(|finding| finding.rule == rule);
            let first = tried.caught.is_empty();
            if first {
                tried.requests += requests;
                tried.millis = began.elapsed().as_millis() as u64;
            }
            if names_it && (name != "survey" || by_survey) && (first || thorough) {
                tried.caught.push(String::from(name));
                stopping.send_replace((!thorough).then_some(Stop::Interrupted));
            }
            for finding in findings.iter().filter(|finding| finding.rule != rule && first) {
                if !tried.also_found.contains(&finding.rule) {
                    tried.also_found.push(finding.rule);
                }
            }
        })
        .await?;
        Ok(tried)
    }
}

/// Tries variants at once in one service, with all cases and some random sequences.
///
/// # Errors
///
/// Where the suite itself is wrong.
pub async fn variants(variants: &[&'static Variant], service: Service) -> Result<Held, RunError> {
    let signed = variants.iter().any(|variant| variant.is_about_signatures());
    let settings = settings(service, signed);
    let search = Some(Search { seed: SEED, extent: Extent::Cases(SEQUENCES) });
    let work = Work { search, ..Work::usual(&settings)? };
    let changes: Vec<&'static Change> = variants.iter().flat_map(|variant| variant.changes).collect();
    let mut events = Vec::new();
    let (_keep, stop) = watch::channel(None);
    let target = Arc::new(target(Mock::with(&[service], changes), PATIENCE, signed));
    run(target, &settings, work, stop, |event| events.push(event)).await?;
    let measure = Measure {
        known: Vec::new(),
        today: jiff::civil::Date::constant(2026, 1, 1),
        deny_warnings: false,
        all_parts: false,
    };
    let summary = Summary::of(&events, &measure).map_err(|error| RunError::Harness(error.to_string()))?;
    let withholds = variants.iter().any(|variant| variant.withholds);
    let counts = summary.counts(|_| true);
    let mut alarms: Vec<String> = Vec::new();
    for group in &summary.groups {
        let case = group.smallest.as_ref().map_or("survey", |judged| judged.case.as_str());
        alarms.push(format!(
            "{}, expected {} ({case})",
            group.finding.sentence(),
            words::expected(&group.finding.expected)
        ));
    }
    for reason in summary.reasons(false) {
        match reason {
            Reason::Findings => {}
            Reason::Inconclusive if withholds => {}
            other => alarms.push(format!("the run ends with exit code {}", other.code())),
        }
    }
    // What is lawful costs no score.
    let whole = |scores: Scores| [scores.valid_accepted, scores.right_error].iter().flatten().all(Share::is_whole);
    if !withholds && !summary.scores().is_some_and(whole) {
        alarms.push(String::from("the scores are not whole"));
    }
    // Silence would be no proof.
    let judged = counts.passed;
    let enough = if signed { 50 } else { 500 };
    if judged < enough && !withholds {
        alarms.push(format!("only {judged} cases were judged"));
    }
    Ok(Held { variants: variants.iter().map(|variant| variant.name).collect(), service, judged, alarms })
}

/// How many variants are tried together.
const TOGETHER: usize = 5;

/// Whether a variant can be tried together with others: those about signatures are tried with other cases.
fn is_usual(variant: &Variant) -> bool {
    !variant.withholds && !variant.is_about_signatures()
}

/// Five variants at once, chosen by a number; always the same ones for the same number.
pub fn combination(number: u64) -> Vec<&'static Variant> {
    let lawful: Vec<&'static Variant> = Variant::all().filter(|variant| is_usual(variant)).collect();
    let chance = Sha256::digest(number.to_le_bytes());
    let mut chosen: Vec<usize> = Vec::new();
    for pair in chance.chunks_exact(2) {
        let index = usize::from(u16::from_le_bytes([pair[0], pair[1]])) % lawful.len();
        let fits = chosen.iter().all(|other| *other != index && lawful[*other].goes_with(lawful[index]));
        if chosen.len() < TOGETHER && fits {
            chosen.push(index);
        }
    }
    // In the order of the table: what a later one changes, an earlier one has changed before.
    chosen.sort_unstable();
    chosen.into_iter().map(|index| lawful[index]).collect()
}

/// All variants, each once, in groups of at most five; alone where a variant goes with no others.
pub fn groups() -> Vec<Vec<&'static Variant>> {
    let mut groups: Vec<Vec<&'static Variant>> = Vec::new();
    for variant in Variant::all() {
        let takes = |group: &&mut Vec<&'static Variant>| {
            is_usual(variant)
                && group.len() < TOGETHER
                && group.iter().all(|other| is_usual(other) && other.goes_with(variant))
        };
        match groups.iter_mut().find(takes) {
            Some(group) => group.push(variant),
            None => groups.push(vec![variant]),
        }
    }
    groups
}

/// The settings of a run of all cases but those about signatures; or of those and some others, where requests are signed.
fn settings(service: Service, signed: bool) -> Settings {
    let filter = if signed { SIGNED.map(String::from).to_vec() } else { Vec::new() };
    Settings { services: vec![service], jobs: 1, filter, ..Settings::everything(EMBEDDED_MOCK, "ecrspec-selftest") }
}

/// Which cases are tried where requests are signed.
const SIGNED: [&str; 2] = [SIGNATURES, "wire/"];

/// A mock; where requests are signed, one that looks at signatures.
fn target(mock: Mock, patience: Duration, signed: bool) -> Target {
    let keys = Keys { key: String::from("AKIDEXAMPLE"), secret: String::from("selftest/secret+key"), token: None };
    let signer = Signer::with_keys(&keys.key, &keys.secret, None, REGION);
    let mock = if signed { mock.requiring(keys, REGION) } else { mock };
    let driver = Driver::InProcess(InProcess::new(router(Arc::new(mock))).guarded(patience));
    let signing = if signed { Signing::Sigv4(Arc::new(signer)) } else { Signing::None };
    Target { signing, ..Target::new(driver) }
}
