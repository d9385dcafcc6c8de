//! A driver that is no HTTP client: a client of the operations in this process that talks to the embedded mock, shows nothing
//! of HTTP, and cannot say everything. This file is all that such a driver takes.

use std::sync::Arc;

use bytes::Bytes;
use ecrspec::contract::{Area, RuleId, RulePattern, Service};
use ecrspec::drive::{Call, CallError, Caller, Calling, Driver, InProcess, Target};
use ecrspec::events::{self, Event, Judged, Seen, Task};
use ecrspec::judge::known::KnownFile;
use ecrspec::judge::{Grade, NotJudged, Verdict, unseen};
use ecrspec::mock::fault::Fault;
use ecrspec::mock::{Change, Mock, router};
use ecrspec::report::Summary;
use ecrspec::report::format::{FORMATS, Input};
use ecrspec::report::summary::Measure;
use ecrspec::report::terminal::{self, Detail, Reader};
use ecrspec::run::{Settings, Work, choose, run};
use ecrspec::search::{Extent, Search};
use ecrspec::wire::{Decoded, Observation, Shown, Shows, Unsendable, envelope};
use serde_json::{Map, Value};
use tokio::runtime::Runtime;
use tokio::sync::watch;

const NAME: &str = "the client of the tests";

/// Knows the operations and the members that they take, as an SDK does.
#[derive(Debug)]
struct Client {
    server: InProcess,
    /// How much it shows, up to the status.
    shows: Shows,
}

impl Caller for Client {
    fn name(&self) -> &str {
        NAME
    }

    fn shows(&self) -> Shows {
        self.shows
    }

    fn cannot_make(&self, service: Service, call: &Call) -> Option<String> {
        let operation = service.contract().operation(call.operation)?;
        let missing = |member: &&ecrspec::contract::Member| member.required && !call.members.contains_key(member.name);
        if let Some(member) = operation.input.iter().find(missing) {
            return Some(format!("missing required parameter {}", member.name));
        }
        let unknown = call.members.keys().find(|name| operation.input(name).is_none());
        unknown.map(|name| format!("unknown parameter {name}"))
    }

    fn make(&self, service: Service, call: Call) -> Calling<'_> {
        Box::pin(async move {
            let body = serde_json::to_vec(&call.members).map_err(|error| CallError::NotMade(error.to_string()))?;
            let request = envelope::request(service, call.operation, Bytes::from(body));
            let exchange = self.server.send(request).await.map_err(|why| CallError::NotMade(why.to_string()))?;
            let seen = exchange.observed().map_err(CallError::NoAnswer)?;
            let error_members = |members: &Map<String, Value>| match self.shows {
                Shows::Outcome => Map::new(),
                _ => members.clone(),
            };
            let shown = match self.shows {
                Shows::Outcome => Shown::Outcome(None),
                Shows::Members => Shown::Members,
                Shows::Status | Shows::Http => Shown::Status(seen.status().unwrap()),
            };
            Ok(match &seen.decoded {
                Decoded::Success(members) => Observation::of_success(members.clone()),
                Decoded::NotAnObject => Observation::of_no_object(),
                Decoded::Error { error, members } => {
                    let (name, message) = (error.name.as_deref(), error.message.as_deref());
                    Observation::of_error(name, message, error_members(members)).told("it\nfailed")
                }
            }
            .with(shown))
        })
    }
}

/// A few cases, for servers that are wrong in one place.
const FEW: [&str; 3] = ["InitiateLayerUpload/accepted", "CompleteLayerUpload/layerDigests/match", "random"];

/// The events of a run with this client of the cases that have one of these in their ids, and a few random sequences.
fn events(faults: &'static [Change], filter: &[&str]) -> Vec<Event> {
    events_of(Shows::Members, faults, filter)
}

/// The same of a client that shows so much.
fn events_of(shows: Shows, faults: &'static [Change], filter: &[&str]) -> Vec<Event> {
    let server = InProcess::new(router(Arc::new(Mock::with(&[Service::Ecr], faults)))).caught();
    let target = Arc::new(Target::new(Driver::Caller(Arc::new(Client { server, shows }))));
    let settings = Settings {
        services: vec![Service::Ecr],
        filter: filter.iter().map(|part| String::from(*part)).collect(),
        ..Settings::everything("a mock", "ecrspec-caller")
    };
    let search = Search { seed: 0, extent: Extent::Cases(3) };
    let cases = choose(&settings).unwrap();
    let work = Work { task: Task::Gate, cases, search: Some(search), whole_survey: false };
    let mut events = Vec::new();
    let (_keep, stop) = watch::channel(None);
    Runtime::new().unwrap().block_on(run(target, &settings, work, stop, |event| events.push(event))).unwrap();
    events
}

fn judged(events: &[Event]) -> impl Iterator<Item = &Judged> {
    events.iter().filter_map(|event| match event {
        Event::Judged(judged) => Some(&**judged),
        _ => None,
    })
}

/// The rules, grades and codes of what was found, each once.
fn found(events: &[Event]) -> Vec<(RuleId, Grade, String)> {
    let surveyed = events.iter().flat_map(|event| match event {
        Event::Surveyed(survey) => survey.findings.as_slice(),
        _ => &[],
    });
    let findings = surveyed.chain(judged(events).flat_map(|judged| judged.verdict.findings()));
    let mut found: Vec<_> = findings.map(|one| (one.rule, one.grade, one.got.code())).collect();
    found.sort();
    found.dedup();
    found
}

fn summary(events: &[Event], known: &str) -> Summary {
    let known = KnownFile::parse(known).unwrap().known;
    let today = jiff::civil::date(2026, 11, 21);
    Summary::of(events, &Measure { known, today, deny_warnings: false, all_parts: false }).unwrap()
}

fn report(summary: &Summary) -> String {
    let detail = Detail { groups: 20, verbose: true, reader: Reader::Test };
    let text = terminal::header(&summary.started) + &terminal::report(summary, detail, &summary.reasons(false));
    anstream::adapter::strip_str(&text).to_string()
}

#[test]
fn on_a_clean_server_nothing_is_found_and_what_cannot_be_said_is_skipped() {
    let events = events(&[], &[]);
    assert_eq!(found(&events), []);
    let inconclusive = judged(&events).filter(|one| matches!(one.verdict, Verdict::Inconclusive { .. }));
    assert_eq!(inconclusive.count(), 0);
    let passed = judged(&events).filter(|one| one.verdict == Verdict::Pass).count();
    assert!(passed > 500, "{passed} cases passed");

    let why = |id: &str| {
        let judged = judged(&events).find(|one| one.case == id).unwrap_or_else(|| panic!("no case {id}"));
        let Verdict::Skipped { reason: NotJudged::Unsendable { cause, .. } } = &judged.verdict else {
            panic!("{id}: {:?}", judged.verdict)
        };
        assert_eq!((judged.requests, judged.mark), (0, None), "{id}");
        let Unsendable::RejectedByClient { client, why } = cause else { panic!("{id}: {cause:?}") };
        assert_eq!(client, NAME);
        why.clone()
    };
    assert_eq!(why("wire/body/empty/empty"), "it writes the body, which is no JSON object here");
    assert_eq!(why("wire/body/duplicate-keys/same-value"), "it writes the body, which has repositoryName twice here");
    assert_eq!(why("wire/method/get"), "it chooses the method, which is \"GET\" here");
    assert_eq!(why("wire/framing/chunked/chunked"), "it chooses the framing");
    assert_eq!(why("wire/target/present/absent"), "it chooses the headers");
    assert_eq!(why("wire/body/unknown-members/string"), "unknown parameter unknownMember");
    let missing = judged(&events).find(|one| one.case.starts_with("CompleteLayerUpload/uploadId/required")).unwrap();
    assert_eq!(why(&missing.case), "missing required parameter uploadId");

    let summary = summary(&events, "");
    let text = report(&summary);
    assert!(text.contains(&format!("driver     {NAME}\n")), "{text}");
    let rules: Vec<String> = unseen(Shows::Members).iter().map(RuleId::to_string).collect();
    let unseen = rules.join(", ") + ": the client of the tests shows no HTTP responses";
    assert!(text.contains(&format!("not judged  {unseen}\n")), "{text}");
    let markdown = FORMATS.iter().find(|format| format.name == "markdown").unwrap();
    let detail = Detail { groups: 20, verbose: false, reader: Reader::Test };
    let page = markdown.render(&Input { events: &events, summary: &summary, reasons: &[], detail, states: &[] });
    assert!(page.contains("shows no HTTP responses"), "{page}");
}

#[test]
fn what_the_calls_come_to_is_judged() {
    static STATE: [Change; 1] = [Change::SkipRule(RulePattern::new("CompleteLayerUpload/layerDigests/match"))];
    let rule = RuleId::new("CompleteLayerUpload/layerDigests/match");
    let state = found(&events(&STATE, &FEW));
    assert!(state.contains(&(rule, Grade::State, String::from("success"))), "{state:?}");

    static TYPE: [Change; 1] =
        [Change::ErrorAs(RulePattern::new("CompleteLayerUpload/layerDigests/match"), "LayerPartTooSmallException")];
    let events = events(&TYPE, &FEW);
    let wrong = found(&events);
    assert_eq!(wrong, [(rule, Grade::Error, String::from("error LayerPartTooSmallException"))]);
    let text = report(&summary(&events, ""));
    assert!(text.contains("-> error LayerPartTooSmallException {"), "{text}");
}

#[test]
fn what_only_http_shows_is_not_judged() {
    let of_http = unseen(Shows::Members);
    let faults: Vec<&Fault> = Fault::all().filter(|fault| of_http.contains(&fault.rule)).collect();
    // Framing shows on connections alone: tests/framing.rs.
    let in_process = of_http.iter().filter(|rule| **rule != RuleId::new("answer/framing"));
    in_process.for_each(|rule| assert!(faults.iter().any(|fault| fault.rule == *rule), "{rule}"));
    for fault in &faults {
        // A fault that takes the body away takes members away as well, and that is seen.
        let of_envelope: Vec<_> = found(&events(fault.changes, &FEW))
            .into_iter()
            .filter(|(rule, ..)| rule.area() == Area::Response)
            .collect();
        assert_eq!(of_envelope, [], "{}", fault.name);
    }
    let mut events = events(faults[0].changes, &FEW);
    // As a run of everything, which alone tells what is mended.
    let Some(Event::Started(started)) = events.first_mut() else { panic!("no start") };
    started.whole = true;
    // Who has accepted it for another driver is not told that it is mended.
    for rule in of_http {
        let known =
            format!("[[known]]\nrule = \"{rule}\"\ngot = \"success-status 202\"\nreason = \"another driver\"\n");
        assert_eq!(summary(&events, &known).known_trouble, [], "{rule}");
    }
}

#[test]
fn more_or_less_of_a_response_is_judged_as_it_is_shown() {
    const PARTS: [&str; 2] = ["UploadLayerPart/partFirstByte/contiguous/gap", "CompleteLayerUpload/parts/not-empty"];
    let fault = |name: &str| Fault::all().find(|fault| fault.name == name).unwrap();
    for shows in [Shows::Outcome, Shows::Members, Shows::Status] {
        assert_eq!(found(&events_of(shows, &[], &PARTS)), [], "{shows:?}");
    }
    // The members of an error.
    let changes = fault("rejected-part-says-nothing").changes;
    assert_eq!(found(&events_of(Shows::Outcome, changes, &PARTS)), []);
    assert!(!found(&events_of(Shows::Members, changes, &PARTS)).is_empty());
    // The status.
    let changes = fault("errors-as-499").changes;
    let status = (RuleId::new("answer/status"), Grade::Form, String::from("error-status 499"));
    assert_eq!(found(&events_of(Shows::Members, changes, &PARTS)), []);
    let events = events_of(Shows::Status, changes, &PARTS);
    assert_eq!(found(&events), [status]);
    let text = report(&summary(&events, ""));
    assert!(text.contains("\n   client    it failed\n"), "{text}");
    assert!(!text.contains("answer/status, answer/type-visible"), "{text}");
    // A log has the status as well.
    let log: String = events.iter().map(events::line).collect();
    let read = events::read(&log).unwrap();
    assert_eq!(read, events);
    let failed = judged(&read).find(|one| !one.verdict.findings().is_empty()).unwrap();
    let logged = failed.exchanges.iter().find(|one| one.step == failed.verdict.findings()[0].step).unwrap();
    assert_eq!(logged.exchange().observed().unwrap().status(), Some(499));
}

#[test]
fn a_log_keeps_what_was_seen() {
    static TYPE: [Change; 1] =
        [Change::ErrorAs(RulePattern::new("CompleteLayerUpload/layerDigests/match"), "LayerPartTooSmallException")];
    let events = events(&TYPE, &FEW);
    let log: String = events.iter().map(events::line).collect();
    let read = events::read(&log).unwrap();
    assert_eq!(read, events);
    let failed = judged(&read).find(|one| !one.verdict.findings().is_empty()).unwrap();
    let logged = failed.exchanges.iter().find(|one| one.step == failed.verdict.findings()[0].step).unwrap();
    assert!(matches!(&logged.seen, Some(Seen::Error { name: Some(name), .. }) if name == "LayerPartTooSmallException"));
    let exchange = logged.exchange();
    assert_eq!(exchange.response(), None);
    assert_eq!(exchange.observed().unwrap().error_name(), Some("LayerPartTooSmallException"));
    assert_eq!(exchange.observed().unwrap().http(), None);
}
