//! What happens in a run, as a run tells it and as reports read it: the event log, one JSON object a line, in the order
//! in which it happened.

mod guide;
mod mark;
mod recording;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::case::{Case, CaseKind, Partition, Step, StepRole, SuiteVersion, Transcript};
use crate::contract::{RuleId, Service, Tier};
use crate::judge::known::Known;
use crate::judge::{Finding, Grade, Record, Verdict};
use crate::survey::Survey;
use crate::wire::envelope::{ErrorInfo, printable, visible_json};
use crate::wire::{
    Client, Decoded, Exchange, Framing, LOGGED, Observation, Request, Response, Shown, Signature, TransportError,
    Trust, auth,
};

pub use guide::{Guide, NoGuide};
pub use mark::Mark;
pub use recording::{NoRecording, Recording};

/// Version of the format of the log; rises when a reader of the old one would misread the new.
pub const SCHEMA: u32 = 6;

/// What the target is called where no endpoint is given: then no server was tested.
pub const EMBEDDED_MOCK: &str = "the embedded mock";

/// One event.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// The run begins.
    Started(Box<Started>),
    /// A service of the target was looked at.
    Surveyed(Box<Survey>),
    /// A case was judged, or skipped.
    Judged(Box<Judged>),
    /// How far the search has come: the last one counts.
    Searched(Searched),
    /// The run ended by itself, or was interrupted and could clean up. A log without it was cut off.
    Finished(Finished),
}

/// What a run is for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// To judge a target by its cases: the gate.
    Gate,
    /// To search as long as there is time.
    Search,
    /// To try again what was tried before.
    Replay,
}

/// How a run began.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Started {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Version of ecrspec.
    pub ecrspec: String,
    /// When, in UTC.
    pub at: jiff::Timestamp,
    /// What it is for.
    pub task: Task,
    /// What is tested: an endpoint, or [`EMBEDDED_MOCK`].
    pub target: String,
    /// How requests get there.
    pub driver: Client,
    /// What a command that repeats a case begins with: the flags that name this target.
    pub flags: Vec<String>,
    /// Which of its certificates are accepted.
    #[serde(default, skip_serializing_if = "Trust::is_usual")]
    pub trust: Trust,
    /// Services that are tested.
    pub services: Vec<Service>,
    /// Number of cases that were chosen.
    pub cases: usize,
    /// Number of cases under way at once.
    pub jobs: usize,
    /// Settings that are not as usual.
    #[serde(default)]
    pub options: Vec<String>,
    /// Whether it tries everything in its services, and so can tell what no longer happens: no filter and no tier chose
    /// among the cases, and the usual random sequences are among them. A partition is for [`Started::parts`].
    pub whole: bool,
    /// The weakest tier by which is judged.
    pub tier: Tier,
    /// Whether message texts are compared.
    pub strict: bool,
    /// Where the chance of its random sequences comes from.
    #[serde(default)]
    pub seed: Option<u64>,
    /// The parts of the whole that this log has; empty for all of it.
    #[serde(default)]
    pub parts: Vec<Partition>,
    /// Grades that gate.
    pub fail_on: Vec<Grade>,
    /// Whether warnings gate.
    pub deny_warnings: bool,
    /// Known deviations.
    #[serde(default)]
    pub known: Vec<Known>,
    /// The version of the suite that gates, where it is not that of this ecrspec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suite: Option<SuiteVersion>,
    /// Where the guide is published, for links to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guide: Option<Guide>,
    /// What all repositories of the run begin with, or the one that it was given.
    pub repositories: String,
}

impl Started {
    /// The value of a flag that names the target.
    pub fn flag(&self, name: &str) -> Option<&String> {
        self.flags.iter().skip_while(|flag| *flag != name).nth(1)
    }
}

/// A case and what is said of it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Judged {
    /// Its place in the suite: results come in any order, reports have this one.
    pub index: usize,
    /// Which service.
    pub service: Service,
    /// Id of the case.
    pub case: String,
    /// Where it comes from.
    pub kind: CaseKind,
    /// What it does.
    pub title: String,
    /// The strongest tier among the steps that it is about.
    pub tier: Tier,
    /// Rules of those steps.
    pub rules: Vec<RuleId>,
    /// What is said of it.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// What it counts for in the scores; `None` if it does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<Mark>,
    /// What was answered to open questions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<Record>,
    /// Number of requests.
    pub requests: usize,
    /// When the first of them was sent, in milliseconds from the beginning of the run.
    pub began: u64,
    /// Time from the first to the last of them.
    pub millis: u64,
    /// The exchanges, where the case did not pass, and otherwise if [`Recording`] says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exchanges: Vec<Logged>,
    /// The smallest sequences that show what a random case found, each with one finding: for those causes that no earlier
    /// case has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub smaller: Vec<Judged>,
}

/// An exchange as it is kept.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Logged {
    /// Name of the step.
    pub step: String,
    /// Method of the request.
    pub method: String,
    /// Headers of the request, without credentials.
    pub headers: Vec<(String, String)>,
    /// How the body was framed.
    #[serde(default)]
    pub framing: Framing,
    /// How it was signed, where requests were.
    #[serde(default, skip_serializing_if = "Signature::is_valid")]
    pub signature: Signature,
    /// Body of the request.
    pub body: Text,
    /// Status of the answer, if there was one and the client shows it.
    pub status: Option<u16>,
    /// What the client made of the answer, if it shows no HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
    /// Headers of the answer.
    #[serde(default)]
    pub answer_headers: Vec<(String, String)>,
    /// Body of the answer; the members that it has for the client, if that shows no HTTP.
    pub answer: Option<Text>,
    /// Why there was no answer.
    pub trouble: Option<TransportError>,
    /// When it was sent and when it was answered, in microseconds from the beginning of the case.
    pub micros: (u64, u64),
}

/// What a client that shows no HTTP made of an answer, but for the members.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Seen {
    /// A success.
    Success,
    /// A success that has no members: its body is no JSON object.
    NotAnObject,
    /// An error.
    Error {
        /// Its type.
        name: Option<String>,
        /// Its message.
        message: Option<Text>,
    },
}

impl Seen {
    fn of(seen: &Observation) -> Option<Seen> {
        let error = |error: &ErrorInfo| Seen::Error {
            name: error.name.as_deref().map(printable),
            message: error.message.as_ref().map(|message| Text::of(message.as_bytes())),
        };
        seen.http().is_none().then(|| match &seen.decoded {
            Decoded::Success(_) => Seen::Success,
            Decoded::NotAnObject => Seen::NotAnObject,
            Decoded::Error { error: info, .. } => error(info),
        })
    }

    /// The answer again, with its members as far as they were kept.
    fn observation(&self, members: Map<String, Value>, status: Option<u16>) -> Observation {
        let seen = match self {
            Seen::Success => Observation::of_success(members),
            Seen::NotAnObject => Observation::of_no_object(),
            Seen::Error { name, message } => {
                let message = message.as_ref().map(|message| message.text.as_str());
                Observation::of_error(name.as_deref(), message, members)
            }
        };
        match status {
            Some(status) => seen.with(Shown::Status(status)),
            None => seen,
        }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Seen::Success | Seen::NotAnObject => f.write_str("success"),
            Seen::Error { name: Some(name), .. } => write!(f, "error {name}"),
            Seen::Error { name: None, .. } => f.write_str("error"),
        }
    }
}

/// A body as it is kept: its beginning, and how long it was.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Text {
    /// At most [`Text::MAX`] bytes of it, what is no UTF-8 replaced.
    pub text: String,
    /// Number of bytes of the whole.
    pub bytes: usize,
    /// Whether `text` is the whole, to the byte.
    pub whole: bool,
}

/// How far a search has come.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Searched {
    /// Random sequences.
    pub cases: usize,
    /// Requests in them.
    pub calls: usize,
    /// Of those, how many were accepted.
    pub accepted: usize,
    /// Classes of answers that were seen.
    pub classes: usize,
    /// Sequences that passed and have no event of their own.
    #[serde(default)]
    pub unlogged: usize,
    /// Sequences that failed for a cause that was known by then, and have no event of their own.
    #[serde(default)]
    pub repeated: usize,
}

/// How a run ended.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Finished {
    /// Seconds from start to end.
    pub seconds: f64,
    /// Why it ended before all was tried; `None` if it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stop>,
    /// Repositories that could not be removed.
    #[serde(default)]
    pub left: Vec<String>,
    /// Cases whose exchanges were to be recorded, and are not: there were too many.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unrecorded: usize,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// Why a run ends before all is tried; of several parts, the one that stands first here.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// Somebody asked for it.
    Interrupted,
    /// There was no connection to the target.
    Unreachable,
    /// Its time was over.
    Deadline,
}

impl Judged {
    /// The event of a case.
    pub fn of(
        index: usize,
        case: &Case,
        verdict: Verdict,
        records: Vec<Record>,
        transcript: Option<&Transcript>,
    ) -> Judged {
        let exchanges = transcript.map_or(&[][..], |transcript| &transcript.exchanges);
        let focus = case.steps.iter().filter(|step| step.role == StepRole::Focus);
        let kept = match verdict {
            Verdict::Pass | Verdict::Skipped { .. } => Vec::new(),
            _ => logged(case, exchanges),
        };
        Judged {
            index,
            service: case.service,
            case: case.id.clone(),
            kind: case.kind,
            title: case.title.clone(),
            tier: case.tier(),
            rules: focus.map(|step| step.expect.rule).collect(),
            mark: Mark::of(case, &verdict, transcript),
            verdict,
            records,
            requests: exchanges.len(),
            began: 0,
            millis: exchanges.iter().map(|exchange| exchange.took.as_millis() as u64).sum(),
            exchanges: kept,
            smaller: Vec::new(),
        }
    }

    /// Keeps the exchanges although nothing was found.
    pub fn record(&mut self, case: &Case, transcript: &Transcript) {
        self.exchanges = logged(case, &transcript.exchanges);
    }

    /// What it is about, in some words: an operation, `wire`, `scenarios`.
    pub fn area(&self) -> &str {
        match self.kind {
            // The ids of the catalogue are those of its rules, with a variant.
            CaseKind::Catalogue => self.case.split('/').next().unwrap_or_default(),
            CaseKind::Scenario => "scenarios",
            CaseKind::UserScenario => "own scenarios",
            CaseKind::Random => "random",
            CaseKind::Plan => "plan",
        }
    }

    /// The sequence that shows a finding of it with the fewest calls.
    pub fn smallest<'a>(&'a self, finding: &'a Finding) -> (&'a Judged, &'a Finding) {
        let shows = |judged: &&Judged| judged.verdict.findings().iter().any(|found| found.is_same(finding));
        let shown = self.smaller.iter().find(shows).unwrap_or(self);
        let found = shown.verdict.findings().iter().find(|found| found.is_same(finding));
        (shown, found.unwrap_or(finding))
    }
}

/// The exchanges that are kept: of a thousand calls, those that began it, and those that led to its end.
fn logged(case: &Case, exchanges: &[Exchange]) -> Vec<Logged> {
    const FIRST: usize = 8;
    const LAST: usize = 56;
    let last = exchanges.len().saturating_sub(LAST);
    let kept = case.steps.iter().zip(exchanges).enumerate().filter(|(place, _)| *place < FIRST || *place >= last);
    kept.map(|(_, (step, exchange))| Logged::of(step, exchange)).collect()
}

impl Logged {
    fn of(step: &Step, exchange: &Exchange) -> Logged {
        let headers = exchange.request.headers.iter().filter(|(name, value)| !auth::is_secret(name, value));
        let answer = exchange.reply.as_ref().ok();
        Logged {
            step: step.name.clone(),
            method: exchange.request.method.clone(),
            headers: headers.cloned().collect(),
            framing: exchange.request.framing,
            signature: exchange.request.signature,
            body: Text::of_beginning(&exchange.request.body.beginning(Text::MAX), exchange.sent()),
            status: exchange.observed().ok().and_then(Observation::status),
            seen: exchange.observed().ok().and_then(Seen::of),
            answer_headers: exchange
                .response()
                .map(|response| response.headers.iter().take(32).map(bounded).collect())
                .unwrap_or_default(),
            answer: answer.map(|answer| Text::of(&answer.body())),
            trouble: exchange.reply.as_ref().err().copied(),
            micros: (exchange.began.as_micros() as u64, exchange.ended().as_micros() as u64),
        }
    }

    /// About how much room it takes in a log.
    pub fn bytes(&self) -> usize {
        let headers = self.headers.iter().chain(&self.answer_headers).map(|(name, value)| name.len() + value.len());
        let answer = self.answer.as_ref().map_or(0, |answer| answer.text.len());
        self.step.len() + headers.sum::<usize>() + self.body.text.len() + answer
    }
}

impl Logged {
    /// The exchange again, as far as it was kept.
    pub fn exchange(&self) -> Exchange {
        let bytes = |text: &Text| Bytes::from(text.text.clone());
        let request = Request {
            method: self.method.clone(),
            headers: self.headers.clone(),
            body: bytes(&self.body),
            framing: self.framing,
            signature: self.signature,
        };
        let answer = |status| Response {
            status,
            headers: self.answer_headers.clone(),
            body: self.answer.as_ref().map(bytes).unwrap_or_default(),
            flaw: None,
        };
        let (began, ended) = self.micros;
        let (began, took) = (Duration::from_micros(began), Duration::from_micros(ended.saturating_sub(began)));
        if let Some(seen) = &self.seen {
            let members = self.answer.as_ref().and_then(|members| serde_json::from_str(&members.text).ok());
            let seen = seen.observation(members.unwrap_or_default(), self.status);
            return Exchange::through_client(request, Ok(seen), began, took);
        }
        let reply = self.status.map(answer).ok_or(self.trouble.unwrap_or(TransportError::Silent));
        Exchange::new(request, reply, began, took)
    }
}

impl Text {
    /// How much of a body is kept.
    pub const MAX: usize = LOGGED;

    fn of(bytes: &[u8]) -> Text {
        Text::of_beginning(bytes, bytes.len())
    }

    /// Of a body of so many bytes that begins with these, which may be all.
    fn of_beginning(bytes: &[u8], len: usize) -> Text {
        let kept = &bytes[..bytes.len().min(Text::MAX)];
        let text = String::from_utf8_lossy(kept).into_owned();
        Text { whole: kept.len() == len && text.as_bytes() == kept, bytes: len, text }
    }
}

/// A header, as far as it may stand in a log: names and values are the target's, and may be of any length.
fn bounded((name, value): &(String, String)) -> (String, String) {
    (printable(name), printable(value))
}

/// An event as a line of the log.
///
/// # Panics
///
/// Never: all keys of an event are text.
pub fn line(event: &Event) -> String {
    // Whoever prints a log must not be told what to do by a target.
    visible_json(&serde_json::to_string(event).expect("all keys of an event are text")) + "\n"
}

/// Why a text is no log of events.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NoLog {
    /// A line is no event.
    #[error("line {line}: expected an event of an ecrspec log: {why}")]
    Line {
        /// The line, counted from 1.
        line: usize,
        /// What the JSON reader says.
        why: String,
    },
    /// It is of another version of the format.
    #[error("expected schema {SCHEMA}, found {0}")]
    Schema(u32),
    /// It does not begin with the start of a run.
    #[error("line 1: expected the event `started` of an ecrspec log")]
    NoStart,
}

/// Reads a log. A last line that was cut off is left out: the run may have been killed while writing it.
///
/// # Errors
///
/// The first line, counted from 1, that is no event, and why.
pub fn read(log: &str) -> Result<Vec<Event>, NoLog> {
    let lines: Vec<&str> = log.lines().collect();
    let mut events = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        match serde_json::from_str(line) {
            Ok(event) => events.push(event),
            Err(_) if index + 1 == lines.len() && !log.ends_with('\n') => {}
            Err(error) => return Err(NoLog::Line { line: index + 1, why: error.to_string() }),
        }
    }
    match events.first() {
        Some(Event::Started(started)) if started.schema == SCHEMA => Ok(events),
        Some(Event::Started(started)) => Err(NoLog::Schema(started.schema)),
        _ => Err(NoLog::NoStart),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Operation;
    use crate::wire::envelope;

    #[test]
    fn a_large_body_is_logged_alike_whether_all_of_it_was_kept_or_not() {
        for len in [0, Text::MAX - 1, Text::MAX, Text::MAX + 1, 3 * Text::MAX] {
            let body = Bytes::from(vec![b'x'; len]);
            let request = envelope::request(Service::Ecr, Operation::UploadLayerPart, body.clone());
            let reply = Err(TransportError::Silent);
            let exchange = Exchange::new(request, reply, Duration::ZERO, Duration::ZERO);
            let cut = Text::of_beginning(&exchange.request.body.beginning(Text::MAX), exchange.sent());
            assert_eq!((cut, exchange.sent()), (Text::of(&body), len));
        }
    }

    #[test]
    fn what_is_no_log_is_told_with_its_line() {
        assert_eq!(read(""), Err(NoLog::NoStart));
        let finished =
            line(&Event::Finished(Finished { seconds: 1.0, stopped: None, left: Vec::new(), unrecorded: 0 }));
        assert_eq!(read(&finished), Err(NoLog::NoStart), "a log begins with a start");
        assert_eq!(read(&format!("{finished}{{")), Err(NoLog::NoStart), "the last line may be cut off");
        let broken = read(&format!("{finished}{{\n{finished}")).unwrap_err().to_string();
        assert!(broken.starts_with("line 2: expected an event of an ecrspec log: EOF"), "{broken}");
        let old = serde_json::json!({
            "event": "started", "schema": 1, "ecrspec": "1.0.0", "at": "2026-01-01T00:00:00Z", "task": "gate",
            "target": "a target", "driver": {"name": "HTTP", "shows": "http"}, "flags": [], "services": ["ecr"], "cases": 1, "jobs": 1, "whole": true,
            "tier": "documented", "strict": false, "fail_on": [], "deny_warnings": false, "repositories": "x",
        });
        assert_eq!(read(&format!("{old}\n")), Err(NoLog::Schema(1)));
    }
}
