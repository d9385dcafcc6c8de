//! What the library gives to the tests of others: from red to green step by step, in and outside of a runtime.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use ecrspec::case::Plan;
use ecrspec::contract::{Operation, RulePattern, Service};
use ecrspec::judge::Grade;
use ecrspec::judge::known::KnownFile;
use ecrspec::mock::{Change, Fault, Mock, router};
use ecrspec::testing::{self, CaseOutcome, Conformance, Failure};
use ecrspec::wire::envelope;
use http_body_util::Full;
use serde_json::{Value, json};
use tower::ServiceExt as _;

fn mock() -> Router {
    router(Arc::new(Mock::new(&[Service::Ecr])))
}

fn faulty(fault: &str) -> Router {
    router(Arc::new(Mock::with(&[Service::Ecr], Fault::find(fault).unwrap().changes)))
}

/// Some cases of one operation.
fn some(server: Router) -> Conformance {
    Conformance::new(server).services([Service::Ecr]).filter("UploadLayerPart/uploadId").random(0)
}

/// What is said by a function that panics.
fn message(panics: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(panics)).expect_err("a panic");
    payload.downcast_ref::<String>().expect("a text").clone()
}

/// Nothing that only a command has.
fn has_no_flags(report: &str) {
    for word in ["ecrspec ", " --", "(-v", " -v ", "exit "] {
        assert!(!report.contains(word), "{word:?} in\n{report}");
    }
}

/// A fault that some of the cases find.
const FAULT: &str = "upload-id-any-uuid";

/// What entries of known deviations must name, for each cause of a report.
fn accepted(report: &str) -> BTreeSet<(String, String)> {
    let mut entries = BTreeSet::new();
    let mut rules = Vec::new();
    for line in report.lines().map(str::trim) {
        match line.split_once(' ').map(|(key, value)| (key, value.trim())) {
            Some(("rule", rule)) => rules = vec![String::from(rule.split(',').next().unwrap())],
            Some(("accept", value)) => {
                rules = value.trim_start_matches("as").trim().split(", ").map(String::from).collect();
            }
            Some(("got", got)) => entries.extend(rules.drain(..).map(|rule| (rule, String::from(got)))),
            _ => {}
        }
    }
    entries
}

#[test]
fn known_deviations_turn_it_green() {
    let server = || faulty(FAULT);
    let report = some(server()).check().unwrap_err().to_string();
    has_no_flags(&report);
    assert!(report.contains("ecrspec::testing::case(server, Service::Ecr, \"UploadLayerPart/uploadId/"), "{report}");
    let accepted = accepted(&report);
    let entry =
        |(rule, got): &(String, String)| format!("[[known]]\nrule = {rule:?}\ngot = {got:?}\nreason = \"later\"\n");
    let entries: String = accepted.iter().map(entry).collect();
    some(server()).known_entries(KnownFile::parse(&entries).unwrap().known).run();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &entries).unwrap();
    some(server()).known(file.path()).run();
    // Of another answer, an entry says nothing.
    let rules: BTreeSet<&String> = accepted.iter().map(|(rule, _)| rule).collect();
    let other = rules.into_iter().map(|rule| entry(&(rule.clone(), String::from("500 without-type"))));
    let other: String = other.collect();
    assert!(some(server()).known_entries(KnownFile::parse(&other).unwrap().known).check().is_err());
}

#[test]
fn grades_that_do_not_count_turn_it_green() {
    assert!(some(faulty(FAULT)).fail_on(Grade::ALL).check().is_err());
    let report = some(faulty(FAULT)).check().unwrap_err().to_string();
    let graded = |grade: &Grade| report.contains(&format!("grade     {grade}:"));
    let others: Vec<Grade> = Grade::ALL.into_iter().filter(|grade| !graded(grade)).collect();
    assert!(others.len() < Grade::ALL.len(), "{report}");
    some(faulty(FAULT)).fail_on(others).run();
}

#[test]
fn what_is_chosen_by_no_filter_is_no_success() {
    let report = some(mock()).filter("nonsense").check();
    assert_eq!(report, Ok(()), "one of two filters chooses");
    let nothing = Conformance::new(mock()).services([Service::Ecr]).filter("nonsense").check().unwrap_err().to_string();
    assert!(nothing.contains("nothing was run"), "{nothing}");
}

#[test]
fn a_test_that_returns_its_failure_shows_the_report_as_it_reads() {
    let failure = some(faulty(FAULT)).check().unwrap_err();
    assert!(matches!(&failure, Failure::Report(_)), "{failure}");
    assert!(failure.to_string().lines().count() > 5, "{failure}");
    assert_eq!(format!("{failure:?}"), failure.to_string());
    assert_eq!(format!("{failure:#?}"), failure.to_string());
    let cases = some(faulty(FAULT)).cases();
    let failure = cases.iter().find_map(|case| case.judge().err()).unwrap();
    assert!(format!("{failure:?}").contains("\n  rule UploadLayerPart/uploadId/"), "{failure}");
}

#[test]
fn each_case_is_a_test() {
    let names = |suite: Conformance| suite.cases().iter().map(testing::ConformanceCase::name).collect::<BTreeSet<_>>();
    let all = names(some(mock()).random(2));
    assert_eq!(all.len(), some(mock()).random(2).cases().len(), "names are distinct");
    assert!(all.iter().all(|name| name.starts_with("ecr::UploadLayerPart/uploadId/")), "{all:?}");
    let random = Conformance::new(mock()).services([Service::Ecr]).filter("random/").random(2);
    assert_eq!(names(random), ["ecr::random/0/0", "ecr::random/0/1"].map(String::from).into());
    assert!(some(mock()).cases().iter().all(|case| case.judge() == Ok(CaseOutcome::Passed)));
    let failures: Vec<String> = some(faulty(FAULT))
        .cases()
        .iter()
        .filter_map(|case| case.judge().err().map(|failure| failure.to_string()))
        .collect();
    assert!(!failures.is_empty());
    failures.iter().for_each(|failure| has_no_flags(failure));
    let without_grades = some(faulty(FAULT)).fail_on([]).cases();
    assert!(without_grades.iter().all(|case| case.judge() == Ok(CaseOutcome::Passed)));
}

#[test]
fn a_single_case_is_judged_by_its_id() {
    for id in ["UploadLayerPart/accepted/plain", "random/0/7", "plan/InitiateLayerUpload,UploadLayerPart", "survey"] {
        testing::case(mock(), Service::Ecr, id);
    }
    let found = message(|| {
        let report = some(faulty(FAULT)).check().unwrap_err().to_string();
        let (_, id) = report.split_once("Service::Ecr, \"").unwrap();
        testing::case(faulty(FAULT), Service::Ecr, id.split('"').next().unwrap());
    });
    assert!(found.contains("rule UploadLayerPart/uploadId/") && found.contains("again: "), "{found}");
    has_no_flags(&found);
    let unknown = message(|| testing::case(mock(), Service::Ecr, "UploadLayerPart/nonsense"));
    assert!(unknown.contains("no case of ecr has the id"), "{unknown}");
}

/// A mock that wants the timers of tokio.
fn with_timers() -> impl ecrspec::drive::Server {
    let mock = mock();
    tower::service_fn(move |request: http::Request<Full<Bytes>>| {
        let mock = mock.clone();
        async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            mock.oneshot(request).await
        }
    })
}

fn plain_plan() -> Plan {
    use arbitrary::Unstructured;
    Unstructured::new(&[3; 200]).arbitrary().unwrap()
}

#[test]
fn services_may_use_tokio() {
    testing::sequence(with_timers(), Service::Ecr, &plain_plan());
    testing::case(with_timers(), Service::Ecr, "UploadLayerPart/accepted/plain");
}

#[tokio::test]
async fn it_works_in_a_runtime() {
    some(mock()).run();
    testing::sequence(with_timers(), Service::Ecr, &plain_plan());
    testing::case(with_timers(), Service::Ecr, "UploadLayerPart/accepted/plain");
    let cases = some(mock()).cases();
    assert_eq!(cases[0].judge(), Ok(CaseOutcome::Passed));
}

/// A mock that panics where a part is uploaded with an uploadId that is no text.
fn panicking() -> impl ecrspec::drive::Server {
    let mock = mock();
    tower::service_fn(move |request: http::Request<Full<Bytes>>| {
        let mock = mock.clone();
        async move {
            let (head, body) = request.into_parts();
            let bytes = http_body_util::BodyExt::collect(body).await.unwrap().to_bytes();
            let target = head.headers.get("x-amz-target").is_some_and(|target| {
                target.to_str().is_ok_and(|target| target.ends_with(Operation::UploadLayerPart.name()))
            });
            let body = String::from_utf8_lossy(&bytes).into_owned();
            assert!(!(target && body.contains("\"uploadId\":1")), "the id is no text");
            let answer: Result<Response<Body>, Infallible> =
                mock.oneshot(http::Request::from_parts(head, Full::new(bytes))).await;
            answer
        }
    })
}

#[test]
fn a_panic_of_the_service_is_told_with_its_place() {
    let suite =
        Conformance::new(panicking()).services([Service::Ecr]).filter("UploadLayerPart/uploadId/type").random(0);
    let report = suite.clone().check().unwrap_err().to_string();
    let told = "the service panicked at tests/testing.rs:";
    assert!(report.contains(told) && report.contains("the id is no text"), "{report}");
    let failures: Vec<String> =
        suite.cases().iter().filter_map(|case| case.judge().err().map(|failure| failure.to_string())).collect();
    assert!(failures.iter().any(|failure| failure.contains(told)), "{failures:?}");
}

/// A server that is wrong in every way.
static WRONG: [Change; 5] = [
    Change::SkipRule(RulePattern::new("CompleteLayerUpload/layerDigests/match")),
    Change::ErrorAs(RulePattern::new("CompleteLayerUpload/uploadId/exists"), "InvalidLayerException"),
    Change::RejectIf(RulePattern::new("CompleteLayerUpload/registryId/pattern"), |value| !value.is_null()),
    Change::ShortCircuit(|request, _| {
        let is_empty = String::from_utf8_lossy(&request.body).contains(r#""uploadId":"""#);
        is_empty.then(|| Ok(envelope::response(500, &serde_json::json!({}))))
    }),
    Change::RewriteReply(|_, _, reply| {
        if let Ok(response) = reply.as_mut().map_err(|_| ())
            && response.status == 200
        {
            response.status = 201;
        }
    }),
];

#[test]
fn whatever_is_found_is_told_without_the_command_line() {
    let server = router(Arc::new(Mock::with(&[Service::Ecr], &WRONG)));
    let conformance = Conformance::new(server).filter("CompleteLayerUpload").filter("wire/").random(0);
    let report = conformance.check().unwrap_err().to_string();
    has_no_flags(&report);
    // What is slow takes seconds to be found: tests of the run have it.
    for grade in Grade::ALL.into_iter().filter(|grade| *grade != Grade::Slow) {
        assert!(report.contains(&format!("grade     {grade}: ")), "{grade} in\n{report}");
    }
    for word in ["skipped  ", "cannot be sent: there is no framing in process", "the target does not serve ecr-public"]
    {
        assert!(report.contains(word), "{word:?} in\n{report}");
    }
    let nothing = Conformance::new(mock()).filter("no such case").random(0).check().unwrap_err().to_string();
    has_no_flags(&nothing);
}

/// A mock in whose responses one member, wherever it stands, has a value that no other response has.
fn scrambled(member: &'static str, value: fn(u64) -> Value) -> impl ecrspec::drive::Server {
    fn scramble(found: &mut Value, member: &str, value: &Value) {
        match found {
            Value::Object(members) => {
                for (name, inner) in members {
                    if name == member { *inner = value.clone() } else { scramble(inner, member, value) }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| scramble(item, member, value)),
            _ => {}
        }
    }
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let mock = mock();
    tower::service_fn(move |request: http::Request<Full<Bytes>>| {
        let mock = mock.clone();
        async move {
            let is_plain = request.headers().get("x-amz-target").is_some_and(|target| {
                let name = target.to_str().unwrap_or_default();
                // What others are told later is as it was.
                !name.ends_with("Repository")
                    && !name.ends_with("Repositories")
                    && !name.ends_with("InitiateLayerUpload")
            });
            let response: Response<Body> = mock.oneshot(request).await?;
            let (mut head, body) = response.into_parts();
            let bytes = http_body_util::BodyExt::collect(body).await.unwrap().to_bytes();
            let Ok(mut answer) = serde_json::from_slice::<Value>(&bytes) else {
                return Ok(Response::from_parts(head, Body::from(bytes)));
            };
            if is_plain {
                // Multiplied, so that neighbours have nothing in common.
                let number = COUNT.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                scramble(&mut answer, member, &value(number));
            }
            head.headers.remove("content-length");
            Ok::<_, Infallible>(Response::from_parts(head, Body::from(answer.to_string())))
        }
    })
}

/// The causes of a report are those of its server, however many cases show them, and the same in the next run.
#[test]
fn a_value_of_chance_does_not_make_causes() {
    let short_id: fn(u64) -> Value = |number| json!(format!("u-{:08x}", number >> 32));
    let word: fn(u64) -> Value =
        |number| json!(format!("k{number:x}").replace(|letter: char| letter.is_ascii_digit(), "z"));
    let large: fn(u64) -> Value = |number| json!(number >> 12);
    let list: fn(u64) -> Value = |number| json!([format!("{:x}", number >> 48)]);
    for (member, value, filter) in [
        ("uploadId", short_id, "UploadLayerPart/accepted"),
        ("repositoryName", short_id, "UploadLayerPart/accepted"),
        ("registryId", short_id, "CompleteLayerUpload/accepted"),
        ("layerDigest", word, "CompleteLayerUpload/accepted"),
        ("lastByteReceived", large, "UploadLayerPart/accepted"),
        ("lastByteReceived", list, "UploadLayerPart/accepted"),
        ("layerAvailability", word, "BatchCheckLayerAvailability/layers/"),
        ("layerSize", large, "BatchCheckLayerAvailability/layers/"),
        ("lastValidByteReceived", large, "UploadLayerPart/accepted"),
    ] {
        let report = || {
            let suite = Conformance::new(scrambled(member, value)).services([Service::Ecr]).filter(filter).random(0);
            suite.causes(99).check().map_or_else(|failure| failure.to_string(), |()| String::new())
        };
        let (first, second) = (report(), report());
        // The rule, and what is wrong with the member without its value.
        let told =
            |key: &'static str| first.lines().filter_map(move |line| line.trim().strip_prefix(key)).map(str::trim);
        let slip =
            |got: &'_ str| got.split_inclusive([' ']).take_while(|word| !word.contains(member)).collect::<String>();
        let causes: Vec<(&str, String)> = told("rule ").zip(told("got ").map(slip)).collect();
        let distinct: BTreeSet<&(&str, String)> = causes.iter().collect();
        assert!(!causes.is_empty(), "{member} is looked at");
        assert_eq!(causes.len(), distinct.len(), "{member}: one slip has several causes\n{first}");
        assert_eq!(accepted(&first), accepted(&second), "{member}: an entry of today accepts it tomorrow");
    }
}
