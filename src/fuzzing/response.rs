//! Bytes as what a target answers: judged, logged, summed up and reported.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::case::draft::SMALL;
use crate::case::{Bindings, Case, Length, Place, Stopped, Transcript};
use crate::contract::{Operation, RuleId, Service, Tier};
use crate::events::{self, Event, Finished, Judged, Logged, SCHEMA, Started, Task};
use crate::judge::{Expected, Finding, Grade, JudgeOptions, NotJudged, Verdict, describe, judge, words};
use crate::linearize::{Rounds, judge_round};
use crate::model::registry::{ACCOUNT, ALIAS};
use crate::model::{Registry, Rejection};
use crate::report::Summary;
use crate::report::format::{FORMATS, Input};
use crate::report::markdown;
use crate::report::summary::Measure;
use crate::report::terminal::{self, Detail, Reader};
use crate::suite::suite;
use crate::survey::Survey;
use crate::template::Reference;
use crate::wire::envelope::{self, printable, visible};
use crate::wire::{Body, Exchange, Reply, Response, TransportError, Trust};

/// What a target answers: a line with the status, or with a word for having no answer (`silent`, `dropped`, `garbage`,
/// `too-large`, `unreachable`); lines of headers; an empty line; and the body.
///
/// It answers so to one step of each of some cases, and to the rest as the reference registry does.
///
/// # Panics
///
/// When something panics, when a log or what is normalised is not the same again, or when something of the target
/// could do more to a terminal than stand there.
pub fn response(data: &[u8]) {
    let reply = reply(data);
    if let Ok(answer) = &reply {
        normal(answer);
    }
    let mut log = vec![Event::Started(Box::new(started()))];
    for service in Service::ALL {
        log.push(Event::Surveyed(Box::new(survey(service, &reply))));
    }
    for (index, (case, step)) in CASES.iter().enumerate() {
        let transcript = run(case, *step, &reply);
        let (verdict, _) = judge(case, &transcript, JudgeOptions::default());
        harmless(&verdict);
        let strict = JudgeOptions { messages: true, availability: true, tier: Tier::Open };
        let round = judge_round(case, transcript.clone(), strict);
        let records = round.records.clone();
        let mut rounds = Rounds::of(case, strict);
        rounds.add(round);
        let verdict = rounds.together(false).expect("one was added").verdict;
        harmless(&verdict);
        records.iter().for_each(|record| shown(&record.got.code()));
        log.push(Event::Judged(Box::new(Judged::of(index, case, verdict, records, Some(&transcript)))));
    }
    log.push(Event::Finished(Finished { seconds: 1.5, stopped: None, left: Vec::new(), unrecorded: 0 }));
    let written: String = log.iter().map(|event| line(event) + "\n").collect();
    assert_eq!(events::read(&written).as_ref(), Ok(&log), "a log reads back");
    let verbose = data.len().is_multiple_of(2); // One of the two, for speed.
    reported(&log, Detail { groups: if verbose { usize::MAX } else { 3 }, verbose, reader: Reader::CommandLine });
}

/// Cases, each with the number of the step that the bytes answer.
static CASES: LazyLock<Vec<(Case, usize)>> = LazyLock::new(|| {
    let [ecr, public] = Service::ALL.map(|service| suite(service).unwrap_or_else(|problem| panic!("{problem}")));
    let case = |suite: &[Case], id: &str, step: usize| {
        let case = suite.iter().find(|case| case.id == id).unwrap_or_else(|| panic!("the suite has no case {id}"));
        (case.clone(), step)
    };
    vec![
        // Valid: the first of several steps, which names what the others use; one in the midst; the last.
        case(&ecr, "scenarios/push/one-part", 0),
        case(&ecr, "CompleteLayerUpload/layerDigests/any-match/last-of-2", 1),
        case(&public, "CompleteLayerUpload/layerDigests/any-match/last-of-2", 2),
        case(&public, "BatchCheckLayerAvailability/accepted/plain", 0),
        // Rejected: with members, by the framework, by the state; without an operation.
        case(&ecr, "UploadLayerPart/partFirstByte/from-zero/at-1", 2),
        case(&public, "wire/body/json/open-brace", 0),
        case(&ecr, "CompleteLayerUpload/parts/not-empty/digest-of-nothing", 1),
        case(&ecr, "wire/target/operation/unknown", 0),
        // Open.
        case(&public, "CompleteLayerUpload/layerDigests/upper-case/hex", 2),
        // One of several at once.
        small(case(&ecr, "scenarios/races/first-parts", 3)),
    ]
});

/// The same case with few bytes, for speed.
fn small((mut case, step): (Case, usize)) -> (Case, usize) {
    case.chunks.iter_mut().for_each(|chunk| chunk.len = Length::Bytes(SMALL));
    (case, step)
}

/// Reads an answer. Total: what is missing is as usual.
fn reply(data: &[u8]) -> Reply {
    let (status, mut rest) = cut(data);
    let word = String::from_utf8_lossy(status).trim().to_lowercase();
    if let Ok(trouble) = serde_json::from_value::<TransportError>(Value::from(word.as_str())) {
        return Err(trouble);
    }
    let mut headers = Vec::new();
    loop {
        let (line, after) = cut(rest);
        let done = rest.is_empty() || line.is_empty();
        rest = after;
        if done {
            break;
        }
        let line = String::from_utf8_lossy(line);
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        headers.push((name.trim().to_lowercase(), String::from(value.trim())));
    }
    Ok(Response { status: word.parse().unwrap_or(200), headers, body: Bytes::copy_from_slice(rest), flaw: None })
}

fn cut(data: &[u8]) -> (&[u8], &[u8]) {
    match data.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&data[..end], &data[end + 1..]),
        None => (data, &[]),
    }
}

/// What is made presentable once is presentable.
fn normal(answer: &Response) {
    let body = String::from_utf8_lossy(&answer.body);
    let headers = answer.headers.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
    for text in headers.chain([body.as_ref()]) {
        let once = printable(text);
        assert_eq!(printable(&once), once, "printable, twice");
        assert!(text.chars().all(|letter| visible(visible(letter)) == visible(letter)), "visible, twice: {text:?}");
    }
    let error = envelope::error(answer);
    for name in error.name.iter().chain(&error.typed) {
        let again = envelope::error(&envelope::response(answer.status, &json!({ "__type": name })));
        assert_eq!(again.name.as_ref(), Some(name), "an error type, read from where it was reported");
    }
    let described = describe(&exchange(Ok(answer.clone())));
    shown(&described.code());
    shown(&words::got(&described));
    assert_eq!(described.code().parse().as_ref(), Ok(&described), "the code of what came, read back");
    if let Some(name) = described.error() {
        let status = described.status().unwrap_or_else(|| panic!("{described} has no status"));
        let again = envelope::response(status, &json!({ "__type": name }));
        assert_eq!(describe(&exchange(Ok(again))), described, "described, twice");
    }
}

fn exchange(reply: Reply) -> Exchange {
    let request = envelope::request(Service::Ecr, Operation::InitiateLayerUpload, Body::default());
    Exchange::new(request, reply, Duration::ZERO, Duration::ZERO)
}

/// A case on the reference registry, but for one step.
fn run(case: &Case, fuzzed: usize, reply: &Reply) -> Transcript {
    let mut registry = Registry::new(case.service);
    let mut bindings = Bindings::new(&case.chunks, "fuzz", SMALL);
    bindings.bind(Reference::Registry, ACCOUNT);
    bindings.bind(Reference::Alias, ALIAS);
    bindings.bind(Reference::Absent, "ecrspec/absent");
    let further = match &case.place {
        Place::Shared => &[],
        Place::Own(names) => names.as_slice(),
    };
    let further = further.iter().map(|name| (Reference::repository(Some(name)), format!("ecrspec/fuzz-{name}")));
    for (reference, name) in further.chain([(Reference::repository(None), String::from("ecrspec/fuzz"))]) {
        let body = Bytes::from(json!({"repositoryName": name.as_str()}).to_string());
        let made = registry.answer(&envelope::request(case.service, Operation::CreateRepository, body));
        assert!(made.is_ok(), "the reference registry makes {name}");
        bindings.bind(reference, name);
    }
    let mut transcript = Transcript { bindings, ..Transcript::of(case, Vec::new()) };
    for (index, step) in case.steps.iter().enumerate() {
        let body = match transcript.bindings.fill(&step.request.body) {
            Ok(body) => body,
            Err(unbound) => {
                transcript.stopped =
                    Some(Stopped::Unbound { step: step.name.clone(), reference: unbound.0.to_string() });
                break;
            }
        };
        let request = step.request.with_body(body);
        let reply = match registry.answer(&request) {
            _ if index == fuzzed => reply.clone(),
            Ok(members) => Ok(envelope::response(200, &members)),
            Err(rejection) => Ok(Rejection::to_response(&rejection)),
        };
        let answer = reply.as_ref().ok().and_then(Response::json);
        let silent = reply.is_err();
        transcript.exchanges.push(Exchange::new(
            request.with_body(Body::from(request.body.clone())),
            reply,
            Duration::ZERO,
            Duration::from_millis(1),
        ));
        if silent {
            break;
        }
        answer.into_iter().for_each(|answer| transcript.bindings.capture(&step.name, &answer));
    }
    transcript
}

/// What a verdict says can be shown.
fn harmless(verdict: &Verdict) {
    match verdict {
        Verdict::Pass => {}
        Verdict::Inconclusive { reason } | Verdict::Skipped { reason } => shown(&reason.to_string()),
        Verdict::Fail { findings } => {
            assert!(!findings.is_empty(), "a failure has a finding");
            for finding in findings {
                let Finding { got, expected, .. } = finding;
                [got.code(), words::got(got), expected.code(), words::expected(expected)]
                    .iter()
                    .for_each(|text| shown(text));
                [finding.sentence(), finding.cause()].iter().for_each(|text| shown(text));
                assert_eq!(got.code().parse().as_ref(), Ok(got), "the code of what came, read back");
                assert_eq!(expected.code().parse().as_ref(), Ok(expected), "the code of what was expected, read back");
                finding.witness.iter().flat_map(|witness| &witness.calls).for_each(|call| shown(call));
            }
        }
    }
}

/// A text stands in a terminal as itself.
fn shown(text: &str) {
    let harmful = text.chars().find(|letter| visible(*letter) != *letter);
    assert_eq!(harmful, None, "{text:?} does something to a terminal");
}

fn line(event: &Event) -> String {
    serde_json::to_string(event).unwrap_or_else(|error| panic!("{error}: {event:?}"))
}

/// A report without its own escape codes; what else begins one is the target's.
fn without_codes(text: &str) -> String {
    let own = |piece: &str| ["[0m", "[1m", "[2m", "[31m", "[32m", "[33m"].iter().find(|code| piece.starts_with(**code));
    let mut pieces = text.split('\u{1b}');
    let mut plain = String::from(pieces.next().unwrap_or_default());
    for piece in pieces {
        match own(piece) {
            Some(code) => plain += &piece[code.len()..],
            None => plain.extend(['\u{1b}']),
        }
    }
    plain
}

fn reported(log: &[Event], detail: Detail) {
    let measure =
        Measure { known: Vec::new(), today: jiff::civil::date(2026, 1, 1), deny_warnings: false, all_parts: false };
    let summary = Summary::of(log, &measure).unwrap_or_else(|problem| panic!("{problem}"));
    let reasons = summary.reasons(false);
    let judged: Vec<&Judged> = log.iter().filter_map(of_case).collect();
    let counts = summary.counts(|_| true);
    let counted = counts.passed + counts.failed + counts.tolerated + counts.inconclusive + counts.skipped;
    assert_eq!(counted, judged.len(), "every case is counted once");
    let mut text = terminal::report(&summary, detail, &reasons);
    for survey in &summary.surveys {
        text += &terminal::survey(survey);
    }
    for format in FORMATS.iter().filter(|format| format.name != "ndjson") {
        let page = format.render(&Input { events: log, summary: &summary, reasons: &reasons, detail, states: &[] });
        page.lines().for_each(shown);
        assert!(format.name != "markdown" || page.len() <= markdown::MAX, "{} bytes of Markdown", page.len());
    }
    without_codes(&text).lines().for_each(shown);
    assert!(!text.contains('\r'), "a carriage return in the report");
    for logged in judged.iter().flat_map(|judged| &judged.exchanges) {
        let Logged { answer_headers, .. } = logged;
        answer_headers.iter().for_each(|(name, value)| [name, value].into_iter().for_each(|text| shown(text)));
    }
}

fn of_case(event: &Event) -> Option<&Judged> {
    match event {
        Event::Judged(judged) => Some(judged),
        _ => None,
    }
}

fn started() -> Started {
    Started {
        schema: SCHEMA,
        ecrspec: String::from("0.0.0"),
        at: jiff::Timestamp::UNIX_EPOCH,
        task: Task::Gate,
        target: String::from("http://registry.example"),
        driver: crate::wire::Client { name: String::from("HTTP"), shows: crate::wire::Shows::Http },
        flags: ["--endpoint", "http://registry.example"].map(String::from).to_vec(),
        trust: Trust::System,
        services: Service::ALL.to_vec(),
        cases: CASES.len(),
        jobs: 1,
        options: Vec::new(),
        whole: false,
        tier: Tier::Open,
        strict: false,
        seed: Some(1),
        parts: Vec::new(),
        fail_on: Grade::ALL.to_vec(),
        deny_warnings: false,
        known: Vec::new(),
        suite: None,
        guide: None,
        repositories: String::from("ecrspec/fuzz"),
    }
}

/// A survey to which the target answered so. One service is served, the other not.
fn survey(service: Service, reply: &Reply) -> Survey {
    let got = describe(&exchange(reply.clone()));
    let answer = reply.as_ref().ok().and_then(Response::json).and_then(|body| body.as_object().cloned());
    let members: Map<String, Value> = answer.unwrap_or_default();
    let served = service == Service::Ecr;
    Survey {
        service,
        account: served.then(|| String::from(ACCOUNT)),
        alias: None,
        part_size: members.get("partSize").and_then(Value::as_u64),
        unknown: BTreeMap::from([(Operation::GetDownloadUrlForLayer, got.clone())]),
        broken: BTreeMap::from([(Operation::CompleteLayerUpload, got.clone())]),
        makes_repositories: true,
        availability: true,
        untestable: (!served).then_some(NotJudged::NotServed { service }),
        inconclusive: false,
        findings: vec![Finding {
            rule: RuleId::new("survey/service"),
            operation: Some(Operation::CreateRepository),
            tier: Tier::Documented,
            rejection: None,
            sources: vec![String::from("api:CreateRepository")],
            grade: Grade::Rejected,
            about: RuleId::new("survey/service"),
            also_broken: Vec::new(),
            accept_as: RuleId::new("survey/service"),
            step: String::from("survey"),
            breach: String::from("a plain request"),
            expected: Expected::success(),
            got,
            client: None,
            witness: None,
        }],
        without: Default::default(),
        making: Default::default(),
    }
}
