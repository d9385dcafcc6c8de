//! The verdict of a run is that of the target: the same at any number of jobs, and of all parts together.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use ecrspec::case::Partition;
use ecrspec::contract::{Operation, RuleId, RulePattern, Service};
use ecrspec::drive::{Driver, InProcess, Target};
use ecrspec::events::{Event, Started, Task};
use ecrspec::generate::{plan, realise};
use ecrspec::judge::known::{self, Known, KnownFile, Stale};
use ecrspec::judge::{Finding, NotJudged, Verdict};
use ecrspec::mock::{Change, Mock, router};
use ecrspec::report::merge::merge;
use ecrspec::report::summary::{Measure, Reason};
use ecrspec::report::{Summary, accept};
use ecrspec::run::{Settings, Work, run};
use ecrspec::wire::{Request, Response, envelope};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// What a plain emulator does wrong: it looks up what the names of a request stand for before it looks at the members.
static FAULTS: [Change; 10] = [
    Change::SkipRule(RulePattern::new("*/repositoryName/pattern")),
    Change::SkipRule(RulePattern::new("*/repositoryName/min-length")),
    Change::SkipRule(RulePattern::new("*/repositoryName/max-length")),
    Change::SkipRule(RulePattern::new("*/uploadId/pattern")),
    Change::SkipRule(RulePattern::new("*/registryId/pattern")),
    Change::SkipRule(RulePattern::new("*/layerDigests/item-pattern")),
    Change::SkipRule(RulePattern::new("CompleteLayerUpload/layerDigests/match")),
    Change::SkipRule(RulePattern::new("UploadLayerPart/partFirstByte/contiguous")),
    Change::SkipRule(RulePattern::new("UploadLayerPart/layerPartBlob/length")),
    Change::ErrorAs(RulePattern::new("UploadLayerPart/partLastByte/not-before-first"), "InvalidLayerException"),
];

/// Time for other jobs to be first now and then.
static DELAY: Change = Change::Delay(|_| Duration::from_millis(1));

/// A run of everything in one service, one case after the other.
static WHOLE: LazyLock<Vec<Event>> = LazyLock::new(|| events(1, None));

/// A run of everything in one service, or of a part of it.
fn events(jobs: usize, part: Option<Partition>) -> Vec<Event> {
    let mock = Mock::with(&[Service::Ecr], FAULTS.iter().chain((jobs > 1).then_some(&DELAY)));
    let target = Target::new(Driver::InProcess(InProcess::new(router(Arc::new(mock)))));
    let settings = Settings {
        services: vec![Service::Ecr],
        jobs,
        partition: part,
        ..Settings::everything("a mock with faults", "ecrspec-verdict")
    };
    let work = Work::usual(&settings).unwrap();
    let events = Mutex::new(Vec::new());
    let (_keep, stop) = watch::channel(None);
    let runtime = Runtime::new().unwrap();
    runtime.block_on(run(Arc::new(target), &settings, work, stop, |event| events.lock().unwrap().push(event))).unwrap();
    events.into_inner().unwrap()
}

fn measure(known: Vec<Known>) -> Measure {
    Measure { known, today: jiff::civil::date(2026, 11, 21), deny_warnings: false, all_parts: false }
}

/// What an entry of known deviations must name, for each finding of each case.
fn accepted(events: &[Event]) -> BTreeSet<(RuleId, String)> {
    let of_case = events.iter().filter_map(|event| match event {
        Event::Judged(judged) => match &judged.verdict {
            Verdict::Fail { findings } => Some(findings),
            _ => None,
        },
        _ => None,
    });
    of_case.flatten().map(|finding| (finding.accept_as, finding.got.code())).collect()
}

/// Each case with its verdict, whatever the order.
fn verdicts(events: &[Event]) -> BTreeSet<String> {
    let of_case = events.iter().filter_map(|event| match event {
        Event::Judged(judged) => match &judged.verdict {
            Verdict::Fail { findings } => {
                let named = |finding: &ecrspec::judge::Finding| {
                    format!("{} {} {} {}", finding.rule, finding.about, finding.grade, finding.got)
                };
                Some(format!("{}: {:?}", judged.case, findings.iter().map(named).collect::<Vec<_>>()))
            }
            other => Some(format!("{}: {other:?}", judged.case)),
        },
        _ => None,
    });
    of_case.collect()
}

fn same(one: &[Event], other: &[Event], what: &str) {
    let (one, other) = (verdicts(one), verdicts(other));
    let differ: Vec<&String> = one.symmetric_difference(&other).collect();
    assert!(differ.is_empty(), "{what}: {differ:#?}");
}

fn causes(summary: &Summary) -> Vec<(String, Vec<RuleId>)> {
    let mut causes: Vec<_> = summary.groups.iter().map(|group| (group.finding.cause(), group.rules())).collect();
    causes.sort_unstable();
    causes
}

/// The file that is written for what a run has found.
fn written(events: &[Event]) -> String {
    let entries = accept::entries(&Summary::of(events, &measure(Vec::new())).unwrap());
    known::add("", &KnownFile::default(), &entries)
}

fn known(accepted: &BTreeSet<(RuleId, String)>) -> Vec<Known> {
    let entry =
        |(rule, got): &(RuleId, String)| format!("[[known]]\nrule = \"{rule}\"\ngot = {got:?}\nreason = \"later\"\n");
    KnownFile::parse(&accepted.iter().map(entry).collect::<String>()).unwrap().known
}

#[test]
fn the_verdict_does_not_depend_on_jobs_or_parts() {
    let whole = &*WHOLE;
    let expected = Summary::of(whole, &measure(Vec::new())).unwrap();
    assert_eq!(expected.reasons(false), [Reason::Findings]);
    assert!(expected.groups.len() >= 8, "{:?}", causes(&expected));
    for jobs in [4, 16] {
        let again = events(jobs, None);
        same(whole, &again, &format!("jobs {jobs}"));
        assert_eq!(causes(&expected), causes(&Summary::of(&again, &measure(Vec::new())).unwrap()), "jobs {jobs}");
    }
    // What is written for one run is what all of them need, and stands for nothing else.
    let file = written(whole);
    let entries = KnownFile::parse(&file).unwrap().known;
    let named: BTreeSet<_> = entries.iter().map(|entry| (entry.rule, entry.got.code())).collect();
    assert_eq!(named, accepted(whole), "{file}");
    assert!(file.contains("\"*/uploadId/pattern\""), "{file}");
    assert!(Summary::of(whole, &measure(entries.clone())).unwrap().reasons(true).is_empty());
    let mut logs = Vec::new();
    for number in 1..=4 {
        let part = events(4, Some(format!("hash:{number}/4").parse().unwrap()));
        let summary = Summary::of(&part, &measure(entries.clone())).unwrap();
        assert!(summary.reasons(true).is_empty(), "part {number}: {:?} {:?}", causes(&summary), summary.known_trouble);
        logs.push((format!("part {number}"), part));
    }
    let joined = merge(logs).unwrap();
    same(whole, &joined, "joined");
    assert_eq!(causes(&expected), causes(&Summary::of(&joined, &measure(Vec::new())).unwrap()));
    assert!(Summary::of(&joined, &measure(entries)).unwrap().reasons(true).is_empty());
}

/// What a server that answers so comes to, in a replay of one sequence.
fn replayed(change: &'static Change, plan: &str) -> (Vec<Event>, Summary) {
    let target =
        Target::new(Driver::InProcess(InProcess::new(router(Arc::new(Mock::with(&[Service::Ecr], [change]))))));
    let settings = Settings {
        services: vec![Service::Ecr],
        jobs: 1,
        ..Settings::everything("a mock with a fault", "ecrspec-verdict")
    };
    let case = realise(Service::Ecr, &plan::parse(Service::Ecr, plan).unwrap());
    let work = Work { task: Task::Replay, cases: vec![case], search: None, whole_survey: false };
    let mut events = Vec::new();
    let (_keep, stop) = watch::channel(None);
    let runtime = Runtime::new().unwrap();
    runtime.block_on(run(Arc::new(target), &settings, work, stop, |event| events.push(event))).unwrap();
    let summary = Summary::of(&events, &measure(Vec::new())).unwrap();
    (events, summary)
}

fn fault() -> Response {
    envelope::response(500, &serde_json::json!({}))
}

fn has(request: &Request, text: &str) -> bool {
    String::from_utf8_lossy(&request.body).contains(text)
}

/// An upload, and then a request with two violations among other calls.
const TWO: &str = "plan/InitiateLayerUpload,UploadLayerPart,BatchCheckLayerAvailability,\
    InitiateLayerUpload:repositoryName/type/number+registryId/type/number,UploadLayerPart";

#[test]
fn a_request_with_two_violations_is_put_down_to_the_one_that_shows_it_alone() {
    static ONE: Change = Change::ShortCircuit(|request, _| has(request, "\"registryId\":1").then(|| Ok(fault())));
    let (_, summary) = replayed(&ONE, TWO);
    let [group] = summary.groups.as_slice() else { panic!("{:?}", causes(&summary)) };
    assert_eq!(group.rules(), [RuleId::new("InitiateLayerUpload/registryId/type")]);
    assert_eq!(
        group.finding.sentence(),
        "InitiateLayerUpload answers 500 without an error type to registryId of another JSON type"
    );
    // And it is shrunk, in a replay too.
    assert_eq!(group.smallest.as_ref().unwrap().case, "plan/InitiateLayerUpload:registryId/type/number");
    assert_eq!(group.cases.len(), 1);
}

#[test]
fn a_finding_that_takes_two_violations_names_both() {
    static BOTH: Change = Change::ShortCircuit(|request, _| {
        let both = has(request, "\"registryId\":1") && has(request, "\"repositoryName\":1");
        both.then(|| Ok(fault()))
    });
    let (events, summary) = replayed(&BOTH, TWO);
    let [group] = summary.groups.as_slice() else { panic!("{:?}", causes(&summary)) };
    let rules = ["InitiateLayerUpload/repositoryName/type", "InitiateLayerUpload/registryId/type"].map(RuleId::new);
    let Finding { about, also_broken, breach, .. } = &group.finding;
    assert_eq!([*about, also_broken[0]], rules);
    assert_eq!(breach, "repositoryName of another JSON type together with registryId of another JSON type");
    assert!(group.finding.sentence().ends_with(breach), "{}", group.finding.sentence());
    let smallest = "plan/InitiateLayerUpload:repositoryName/type/number+registryId/type/number";
    assert_eq!(group.smallest.as_ref().unwrap().case, smallest);
    // An entry for either accepts it; one for another answer does not.
    for (rule, got, green) in
        [(rules[0], "500 without-type", true), (rules[1], "500 without-type", true), (rules[0], "200", false)]
    {
        let entries = known(&BTreeSet::from([(rule, String::from(got))]));
        let summary = Summary::of(&events, &measure(entries)).unwrap();
        assert_eq!(summary.reasons(false).is_empty(), green, "{rule} {got}");
    }
}

/// One rule with two answers that are accepted, and one entry that no longer happens.
#[test]
fn only_a_run_of_everything_calls_an_entry_stale() {
    let whole = &*WHOLE;
    let mut entries = accepted(whole);
    let (rule, _) = entries.iter().next().unwrap().clone();
    entries.insert((rule, String::from("400 EmptyUploadException")));
    let with_two = Summary::of(whole, &measure(known(&entries))).unwrap();
    assert!(with_two.known_trouble.is_empty(), "entries of a rule count together: {:?}", with_two.known_trouble);
    let kept = RuleId::new("UploadLayerPart/uploadId/exists");
    entries.insert((kept, String::from("200")));
    let with_stale = |change: fn(&mut Started)| {
        let mut events = whole.clone();
        if let Some(Event::Started(started)) = events.first_mut() {
            change(started);
        }
        Summary::of(&events, &measure(known(&entries))).unwrap().known_trouble
    };
    let told = with_stale(|_| {});
    assert_eq!(
        told.iter().map(|(entry, stale)| (entry.rule, *stale)).collect::<Vec<_>>(),
        [(kept, Stale::UnexpectedPass)]
    );
    assert!(with_stale(|started| started.whole = false).is_empty(), "a filter or a tier");
    assert!(with_stale(|started| started.task = Task::Search).is_empty());
    assert!(with_stale(|started| started.task = Task::Replay).is_empty());
    assert!(with_stale(|started| started.parts = vec!["hash:1/4".parse().unwrap()]).is_empty());
}

/// Each rule of a wildcard is watched: of one that is kept by now it is said, and it alone goes.
#[test]
fn a_wildcard_hides_no_rule_that_is_kept() {
    let file = written(&WHOLE);
    let entries = KnownFile::parse(&file).unwrap();
    let wildcards = entries.known.iter().filter(|entry| entry.wildcard.is_some());
    let kept: BTreeSet<RuleId> = wildcards.map(|entry| entry.rule).take(3).collect();
    assert_eq!(kept.len(), 3, "{file}");
    let mended: Vec<Event> = WHOLE.iter().cloned().map(|event| with_kept(event, &kept)).collect();
    let summary = Summary::of(&mended, &measure(entries.known.clone())).unwrap();
    assert_eq!(summary.reasons(false), [Reason::KnownTrouble]);
    let told: BTreeSet<RuleId> = summary.known_trouble.iter().map(|(entry, _)| entry.rule).collect();
    assert!(summary.known_trouble.iter().all(|(_, stale)| *stale == Stale::UnexpectedPass));
    assert_eq!(told, kept);
    let gone = accept::out_of_date(&summary, &entries.known);
    let pruned = known::remove(&file, &entries, &gone);
    let left = KnownFile::parse(&pruned).unwrap().known;
    assert_eq!(left.len(), entries.known.len() - gone.len(), "{pruned}");
    assert!(Summary::of(&mended, &measure(left.clone())).unwrap().reasons(true).is_empty(), "{pruned}");
    assert_eq!(Summary::of(&WHOLE, &measure(left)).unwrap().reasons(false), [Reason::Findings]);
}

/// The event, as it is where no answer breaks these rules.
fn with_kept(event: Event, kept: &BTreeSet<RuleId>) -> Event {
    let Event::Judged(mut judged) = event else { return event };
    if let Verdict::Fail { findings } = &mut judged.verdict {
        findings.retain(|finding| !kept.contains(&finding.accept_as));
        if findings.is_empty() {
            judged.verdict = Verdict::Pass;
        }
    }
    Event::Judged(judged)
}

/// A server that went away, or does not serve an operation, keeps no rule and breaks none.
#[test]
fn what_could_not_be_judged_satisfies_no_entry() {
    let entries = KnownFile::parse(&written(&WHOLE)).unwrap().known;
    let told = |reason: &NotJudged, skipped: bool| {
        let all = WHOLE.iter().cloned().map(|event| {
            let Event::Judged(mut judged) = event else { return event };
            let reason = reason.clone();
            judged.verdict = if skipped { Verdict::Skipped { reason } } else { Verdict::Inconclusive { reason } };
            Event::Judged(judged)
        });
        let summary = Summary::of(&all.collect::<Vec<_>>(), &measure(entries.clone())).unwrap();
        let stale: BTreeSet<_> = summary.known_trouble.iter().map(|(_, stale)| stale.to_string()).collect();
        (summary.reasons(false).first().map(|reason| reason.code()), stale)
    };
    assert_eq!(told(&NotJudged::Dead, false), (Some(6), BTreeSet::new()));
    let (code, stale) = told(&NotJudged::UnknownOperation { operation: Operation::PutImage }, true);
    assert_eq!(code, Some(5));
    assert!(stale.len() == 1 && stale.first().unwrap().starts_with("unmatched: "), "{stale:?}");
}
