//! What is said of an answer: one row for each way in which it can be right, wrong, or nothing to judge by.

use std::collections::BTreeSet;
use std::time::Duration;

use ecrspec::case::draft::{ABSENT, Draft, HERE, NO_UPLOAD, RIGHT};
use ecrspec::case::{Case, Plan, Step, Stopped, Transcript};
use ecrspec::contract::{Operation, RuleId, Service, Tier};
use ecrspec::expect::Outcome;
use ecrspec::judge::known::{KnownFile, Stale};
use ecrspec::judge::{Finding, Grade, JudgeOptions, NotJudged, Verdict, judge, words};
use ecrspec::model::operation::body;
use ecrspec::suite::suite;
use ecrspec::template::Reference;
use ecrspec::wire::{Exchange, NoConnection, Reply, Response, TransportError, envelope};
use serde_json::{Value, json};

const CONTENT_TYPE: &str = "application/x-amz-json-1.1";
const TRUSTING: JudgeOptions = JudgeOptions { messages: false, availability: true, tier: Tier::Open };

/// A case of one step.
fn one(rule: &'static str, operation: Operation, body: body::Body) -> Case {
    Draft::new(Service::Ecr, "some/case", "some case").focus(RuleId::new(rule), operation, body).done()
}

fn initiate() -> Case {
    one("InitiateLayerUpload/accepted", Operation::InitiateLayerUpload, body::repository(HERE))
}

/// A completion with a digest that does not match.
fn wrong_digest() -> Case {
    one(
        "CompleteLayerUpload/layerDigests/match",
        Operation::CompleteLayerUpload,
        body::complete(HERE, "upload", &[ABSENT]),
    )
}

fn says(status: u16, content_type: &str, body: &str) -> Reply {
    let headers = vec![(String::from("content-type"), String::from(content_type))];
    Ok(Response { status, headers, body: body.to_owned().into(), flaw: None })
}

fn json_of(status: u16, body: Value) -> Reply {
    Ok(envelope::response(status, &body))
}

fn error(status: u16, name: &str) -> Reply {
    json_of(status, json!({ "__type": name, "message": "no" }))
}

fn began() -> Reply {
    json_of(200, json!({ "uploadId": NO_UPLOAD, "partSize": 10_485_760 }))
}

/// The verdict in a line: of each finding its grade, its rule, what was expected and what came.
fn verdict(case: &Case, replies: Vec<Reply>, options: JudgeOptions) -> String {
    let exchanges = case.steps.iter().zip(replies).map(|(step, reply)| exchange(step, reply));
    in_a_line(judge(case, &Transcript::of(case, exchanges.collect()), options).0)
}

/// An exchange whose request is as it is written.
fn exchange(step: &Step, reply: Reply) -> Exchange {
    let request = step.request.with_body(step.request.body.to_bytes());
    Exchange::new(request, reply, Duration::ZERO, Duration::ZERO)
}

fn in_a_line(verdict: Verdict) -> String {
    match verdict {
        Verdict::Pass => String::from("pass"),
        Verdict::Inconclusive { reason } => format!("inconclusive: {reason}"),
        Verdict::Skipped { reason } => format!("skipped: {reason}"),
        Verdict::Fail { findings } => {
            let lines = findings
                .iter()
                .map(|found| format!("{} {}: expected {}, got {}", found.grade, found.rule, found.expected, found.got));
            lines.collect::<Vec<_>>().join("; ")
        }
    }
}

#[track_caller]
fn check(case: &Case, rows: Vec<(Reply, &str)>) {
    for (reply, expected) in rows {
        assert_eq!(verdict(case, vec![reply.clone()], TRUSTING), expected, "{reply:?}");
    }
}

#[test]
fn a_valid_request() {
    let malformed = json!({ "uploadId": "U1", "partSize": "10" });
    check(
        &initiate(),
        vec![
            (began(), "pass"),
            (says(200, &format!("{CONTENT_TYPE}; charset=utf-8"), r#"{"uploadId":"a","partSize":1}"#), "pass"),
            (says(200, "Application/X-Amz-Json-1.1", r#"{"uploadId":"a","partSize":1,"x":null}"#), "pass"),
            (
                says(201, "application/json", r#"{"uploadId":"a","partSize":1}"#),
                "form answer/status: expected 200, got success-status 201; form answer/content-type: expected content-type, got \
                 content-type application/json",
            ),
            (
                Ok(Response { status: 200, headers: Vec::new(), body: r#"{"uploadId":"a","partSize":1}"#.into(), flaw: None }),
                "form answer/content-type: expected content-type, got no-content-type",
            ),
            (
                json_of(200, json!({ "partSize": 1 })),
                "form InitiateLayerUpload/answer/uploadId: expected 200, got 200 without uploadId",
            ),
            (
                json_of(200, json!({ "uploadId": null, "partSize": 1 })),
                "form InitiateLayerUpload/answer/uploadId: expected 200, got 200 without uploadId",
            ),
            (
                json_of(200, malformed),
                "form InitiateLayerUpload/answer/uploadId: expected shape uploadId \
                 [0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}, the whole of it, got 200 \
                 malformed uploadId; form InitiateLayerUpload/answer/partSize: expected shape partSize a whole number of \
                 at least 0, got 200 malformed partSize",
            ),
            (says(200, CONTENT_TYPE, "[]"), "form answer/json-object: expected 200, got 200 not-an-object"),
            (says(204, CONTENT_TYPE, ""), "form answer/json-object: expected 200, got 204 not-an-object"),
            (
                error(400, "RepositoryNotFoundException"),
                "rejected InitiateLayerUpload/accepted: expected 200, got 400 RepositoryNotFoundException",
            ),
            (
                error(200, "RepositoryNotFoundException"),
                "rejected InitiateLayerUpload/accepted: expected 200, got 200 RepositoryNotFoundException",
            ),
            (error(500, "ServerException"), "rejected InitiateLayerUpload/accepted: expected 200, got 500 ServerException"),
            (
                says(302, "text/html", ""),
                "rejected InitiateLayerUpload/accepted: expected 200, got 302 without-type",
            ),
        ]
        .into_iter()
        .map(|(reply, expected)| {
            // Ids that are no UUIDs would be another finding.
            let reply = reply.map(|answer| {
                let text = String::from_utf8_lossy(&answer.body).replace(r#""uploadId":"a""#, &format!(r#""uploadId":"{NO_UPLOAD}""#));
                Response { body: text.into(), ..answer }
            });
            (reply, expected)
        })
        .collect(),
    );
}

#[test]
fn no_answer() {
    let throttled = || error(400, "ThrottlingException");
    let wait = |status: u16| {
        let headers = vec![(String::from("retry-after"), String::from("1"))];
        Ok(Response { status, headers, body: Default::default(), flaw: None })
    };
    check(
        &initiate(),
        vec![
            (
                Err(TransportError::Unreachable(NoConnection::Refused)),
                "inconclusive: InitiateLayerUpload: no connection (connection refused)",
            ),
            (Err(TransportError::Silent), "inconclusive: InitiateLayerUpload: no response in time"),
            (Err(TransportError::Dropped), "inconclusive: InitiateLayerUpload: connection dropped"),
            (Err(TransportError::Garbage), "crash always/answered: expected 200, got invalid-http"),
            (Err(TransportError::TooLarge), "crash always/answered: expected 200, got too-large"),
            (throttled(), "inconclusive: InitiateLayerUpload: throttled (ThrottlingException)"),
            (wait(429), "inconclusive: InitiateLayerUpload: throttled (429)"),
            (wait(503), "inconclusive: InitiateLayerUpload: throttled (503)"),
        ],
    );
    let expected = "400 InvalidLayerException";
    check(
        &wrong_digest(),
        vec![
            (
                Err(TransportError::Unreachable(NoConnection::Unknown)),
                "inconclusive: CompleteLayerUpload: no connection",
            ),
            (Err(TransportError::Silent), &format!("crash always/answered: expected {expected}, got no-response")),
            (Err(TransportError::Dropped), &format!("crash always/answered: expected {expected}, got dropped")),
            (throttled(), "inconclusive: CompleteLayerUpload: throttled (ThrottlingException)"),
            (says(429, "text/html", ""), "inconclusive: CompleteLayerUpload: throttled (429)"),
            (says(503, "text/html", ""), &format!("crash always/no-5xx: expected {expected}, got 503 without-type")),
        ],
    );
}

#[test]
fn an_invalid_request() {
    let header = |name: &str, body: Value| {
        let mut answer = envelope::response(400, &body);
        answer.headers.push((String::from("x-amzn-errortype"), String::from(name)));
        Ok(answer)
    };
    let expected = "expected 400 InvalidLayerException";
    check(
        &wrong_digest(),
        vec![
            (error(400, "InvalidLayerException"), "pass"),
            (error(400, "com.amazonaws.ecr#InvalidLayerException:http://x/"), "pass"),
            (header("InvalidLayerException", json!({"__type": "InvalidLayerException", "Message": "no"})), "pass"),
            (error(409, "InvalidLayerException"), "form answer/status: expected status 400, got error-status 409"),
            (error(200, "InvalidLayerException"), "state answer/status: expected status 400, got error-status 200"),
            (
                error(500, "InvalidLayerException"),
                &format!("crash always/no-5xx: {expected}, got 500 InvalidLayerException"),
            ),
            (
                json_of(400, json!({ "__type": "InvalidLayerException" })),
                "form answer/message: expected message, got no-message",
            ),
            (
                json_of(400, json!({ "code": "InvalidLayerException", "message": "no" })),
                "form answer/type-visible: expected type-visible, got type-not-visible",
            ),
            (
                header("InvalidLayerException", json!({ "__type": "Other", "message": "no" })),
                "form answer/type-visible: expected type-visible, got type-differs",
            ),
            (
                error(400, "InvalidParameterException"),
                &format!("error CompleteLayerUpload/layerDigests/match: {expected}, got 400 InvalidParameterException"),
            ),
            (
                json_of(400, json!({ "message": "no" })),
                &format!("error answer/error-type: {expected}, got 400 without-type"),
            ),
            (says(404, "text/html", "<h1>"), &format!("error answer/error-type: {expected}, got 404 without-type")),
            (json_of(200, json!({})), &format!("state CompleteLayerUpload/layerDigests/match: {expected}, got 200")),
        ],
    );
    // A member of a success is no error type.
    let got = verdict(&wrong_digest(), vec![json_of(200, json!({ "code": "Fine" }))], TRUSTING);
    assert!(got.ends_with(", got 200"), "{got}");
    // The framework's own error needs no message, and may come as 404.
    let operation =
        one("wire/target/operation", Operation::CompleteLayerUpload, body::complete(HERE, "upload", &[RIGHT]));
    let unknown = |status| json_of(status, json!({ "__type": "UnknownOperationException" }));
    check(&operation, vec![(unknown(400), "pass"), (unknown(404), "pass")]);
    assert!(verdict(&operation, vec![unknown(410)], TRUSTING).starts_with("form answer/status: expected status 400"));
}

#[test]
fn an_open_question() {
    let case = one(
        "CompleteLayerUpload/layerDigests/upper-case",
        Operation::CompleteLayerUpload,
        body::complete(HERE, "upload", &[RIGHT]),
    );
    let body = json!({ "registryId": "012345678910", "repositoryName": "x", "uploadId": NO_UPLOAD, "layerDigest": "sha256:00" });
    check(
        &case,
        vec![
            (error(400, "InvalidLayerException"), "pass"),
            (error(499, "Whatever"), "pass"),
            (says(418, "text/html", "<h1>"), "pass"),
            (
                says(200, CONTENT_TYPE, "no JSON"),
                "form answer/json-object: expected 200 or 400 InvalidLayerException or 400 InvalidParameterException, got 200 \
                 not-an-object",
            ),
            (json_of(200, body.clone()), "pass"),
            (
                json_of(200, json!({ "registryId": "1" })),
                "form CompleteLayerUpload/answer/registryId: expected shape registryId [0-9]{12}, the whole of it, got 200 \
                 malformed registryId; form CompleteLayerUpload/answer/repositoryName: expected 200 or 400 \
                 InvalidLayerException or 400 InvalidParameterException, got 200 without repositoryName; form \
                 CompleteLayerUpload/answer/uploadId: expected 200 or 400 InvalidLayerException or 400 \
                 InvalidParameterException, got 200 without uploadId; form CompleteLayerUpload/answer/layerDigest: expected \
                 200 or 400 InvalidLayerException or 400 InvalidParameterException, got 200 without layerDigest",
            ),
            (error(500, "ServerException"), "crash always/no-5xx: expected no-server-fault, got 500 ServerException"),
            (Err(TransportError::Silent), "crash always/answered: expected no-server-fault, got no-response"),
        ],
    );
    // A list may repeat what was asked, in whatever form it was.
    let listed = || json_of(200, json!({ "layers": "none", "failures": [] }));
    let lookup =
        |rule: &'static str| one(rule, Operation::BatchCheckLayerAvailability, body::check(HERE, &["no digest"]));
    check(&lookup("BatchCheckLayerAvailability/layerDigests/malformed"), vec![(listed(), "pass")]);
    assert!(verdict(&lookup("BatchCheckLayerAvailability/accepted"), vec![listed()], TRUSTING).starts_with("form "));
    // Below the operations a success may be of something else.
    let wire = one("wire/method", Operation::CompleteLayerUpload, body::complete(HERE, "upload", &[RIGHT]));
    check(&wire, vec![(says(200, "text/html", "<h1>"), "pass"), (json_of(200, json!({})), "pass")]);
    // What was answered is kept.
    let exchange = exchange(&case.steps[0], json_of(200, body));
    let (_, records) = judge(&case, &Transcript::of(&case, vec![exchange]), TRUSTING);
    let kept: Vec<(String, String)> =
        records.iter().map(|record| (record.rule.to_string(), record.got.code())).collect();
    assert_eq!(
        kept,
        [("CompleteLayerUpload/layerDigests/upper-case", "200")].map(|(rule, got)| (rule.into(), got.into()))
    );
}

#[test]
fn what_was_sent_is_echoed() {
    let input = body::part("some/name", "upload", "layer", 0, 32).text("uploadId", NO_UPLOAD);
    let case = one("UploadLayerPart/accepted", Operation::UploadLayerPart, input.text("layerPartBlob", "AA=="));
    let answer = |name: &str, registry: &str| {
        json_of(
            200,
            json!({ "registryId": registry, "repositoryName": name, "uploadId": NO_UPLOAD, "lastByteReceived": 31 }),
        )
    };
    check(
        &case,
        vec![
            (answer("some/name", "012345678910"), "pass"),
            (answer("some/name", "987654321098"), "pass"),
            (
                answer("name", "012345678910"),
                "form UploadLayerPart/answer/repositoryName: expected echo repositoryName, got 200 not-echoed \
                 repositoryName",
            ),
        ],
    );
}

/// In both services: an alias is no registryId of a response.
#[test]
fn a_response_has_the_callers_own_account() {
    const OWN: &str = "012345678910";
    let rule = RuleId::new("UploadLayerPart/accepted");
    for service in Service::ALL {
        let verdict = |registry: &str, body: body::Body| {
            let case =
                Draft::new(service, "some/case", "some case").focus(rule, Operation::UploadLayerPart, body).done();
            let members = json!({
                "registryId": registry, "repositoryName": HERE, "uploadId": NO_UPLOAD, "lastByteReceived": 31
            });
            let mut transcript = Transcript::of(&case, vec![exchange(&case.steps[0], json_of(200, members))]);
            transcript.bindings.bind(Reference::Registry, OWN);
            in_a_line(judge(&case, &transcript, TRUSTING).0)
        };
        let part = || body::part(HERE, "upload", "layer", 0, 32).text("uploadId", NO_UPLOAD);
        assert_eq!(verdict(OWN, part()), "pass", "{service}");
        let other = verdict("999999999999", part());
        assert!(other.starts_with("form UploadLayerPart/answer/registryId: expected 200 with registryId"), "{other}");
        let alias = verdict("q2w4e6r8", part());
        assert!(alias.contains("expected shape registryId [0-9]{12}"), "{alias}");
        // Of a registry that the request names, the account is not known.
        assert_eq!(verdict("999999999999", part().text("registryId", "999999999999")), "pass", "{service}");
    }
}

#[test]
fn pinned_members() {
    let input = body::part("some/name", "upload", "layer", 0, 32).text("uploadId", NO_UPLOAD);
    let mut case = one("UploadLayerPart/accepted", Operation::UploadLayerPart, input);
    case.steps[0].expect.outcomes = vec!["200 {\"lastByteReceived\":31}".parse().unwrap()];
    let answer = |last: Value| {
        let members = json!({ "registryId": "012345678910", "repositoryName": "some/name", "uploadId": NO_UPLOAD, "lastByteReceived": last });
        json_of(200, members)
    };
    let last = "UploadLayerPart/answer/lastByteReceived";
    check(
        &case,
        vec![
            (answer(json!(31)), "pass"),
            (
                answer(json!(32)),
                &format!("state {last}: expected 200 with lastByteReceived 31, got 200 with lastByteReceived 32"),
            ),
            // What is missing is a matter of form.
            (answer(Value::Null), &format!("form {last}: expected 200, got 200 without lastByteReceived")),
        ],
    );
    // Of several outcomes one is enough; the first is what is told.
    let look = Draft::new(Service::Ecr, "some/case", "some case").probe_absent(ABSENT).done();
    let layers = |availability: &str| {
        json_of(
            200,
            json!({ "layers": [{ "layerDigest": ABSENT, "layerAvailability": availability }], "failures": [] }),
        )
    };
    let missing = json!({ "layerDigest": ABSENT, "failureCode": "MissingLayerDigest" });
    let rule = look.steps[0].expect.rule;
    check(
        &look,
        vec![
            (layers("UNAVAILABLE"), "pass"),
            (json_of(200, json!({ "layers": [], "failures": [missing] })), "pass"),
            (
                layers("AVAILABLE"),
                &format!(
                    "state {rule}: expected 200 with layers[0].layerAvailability \"UNAVAILABLE\", got 200 with \
                     layers[0].layerAvailability \"AVAILABLE\""
                ),
            ),
        ],
    );
    // It is not judged where it cannot be believed.
    assert_eq!(verdict(&look, vec![layers("AVAILABLE")], JudgeOptions::default()), "pass");
}

#[test]
fn members_of_an_error() {
    let rule = "UploadLayerPart/partFirstByte/contiguous";
    let mut case = one(rule, Operation::UploadLayerPart, body::part(HERE, "upload", "layer", 1, 32));
    case.steps[0].expect.outcomes =
        vec!["400 InvalidLayerPartException {\"lastValidByteReceived\":0}".parse().unwrap()];
    let answer = |last: Value| {
        json_of(400, json!({ "__type": "InvalidLayerPartException", "message": "no", "lastValidByteReceived": last }))
    };
    let expected =
        "expected 400 InvalidLayerPartException with lastValidByteReceived 0, got 400 InvalidLayerPartException";
    let of_value = "form UploadLayerPart/answer/lastValidByteReceived";
    let of_presence = "form UploadLayerPart/answer/InvalidLayerPartException";
    check(
        &case,
        vec![
            (answer(json!(0)), "pass"),
            (answer(json!(1)), &format!("{of_value}: {expected} with lastValidByteReceived 1")),
            (answer(Value::Null), &format!("{of_presence}: {expected} without lastValidByteReceived")),
        ],
    );
}

/// The verdict on a response of a client that shows no HTTP.
fn unseen(case: &Case, reply: Reply) -> String {
    let exchange = exchange(&case.steps[0], reply).without_http();
    in_a_line(judge(case, &Transcript::of(case, vec![exchange]), TRUSTING).0)
}

#[test]
fn what_a_client_does_not_show_is_not_judged() {
    let began = format!(r#"{{"uploadId":"{NO_UPLOAD}","partSize":1}}"#);
    let named = |status: u16, body: Value| json_of(status, body);
    let invalid = "CompleteLayerUpload/layerDigests/match";
    let expected = "expected 400 InvalidLayerException";
    for (case, reply, said) in [
        // answer/status and answer/content-type.
        (initiate(), says(201, "text/html", &began), "pass".to_owned()),
        (wrong_digest(), error(409, "InvalidLayerException"), "pass".to_owned()),
        // answer/type-visible.
        (wrong_digest(), named(400, json!({ "code": "InvalidLayerException", "message": "no" })), "pass".to_owned()),
        // What it does show is judged.
        (
            wrong_digest(),
            named(400, json!({ "__type": "InvalidLayerException" })),
            "form answer/message: expected message, got no-message".to_owned(),
        ),
        (
            wrong_digest(),
            error(400, "EmptyUploadException"),
            format!("error {invalid}: {expected}, got error EmptyUploadException"),
        ),
        (wrong_digest(), json_of(200, json!({})), format!("state {invalid}: {expected}, got success")),
        (
            wrong_digest(),
            error(500, "ServerException"),
            format!("crash always/no-5xx: {expected}, got error ServerException"),
        ),
        (
            initiate(),
            json_of(200, json!({ "partSize": 1 })),
            "form InitiateLayerUpload/answer/uploadId: expected 200, got success without uploadId".to_owned(),
        ),
        (
            initiate(),
            says(200, CONTENT_TYPE, "[]"),
            "form answer/json-object: expected 200, got success not-an-object".to_owned(),
        ),
        (
            initiate(),
            error(400, "ThrottlingException"),
            "inconclusive: InitiateLayerUpload: throttled (ThrottlingException)".to_owned(),
        ),
    ] {
        assert_eq!(unseen(&case, reply.clone()), said, "{reply:?}");
    }
}

/// Whatever asks for it: the response is decoded once.
#[test]
fn a_response_is_decoded_once() {
    let case = initiate();
    let exchange = exchange(&case.steps[0], began());
    let transcript = Transcript::of(&case, vec![exchange]);
    let first: *const _ = transcript.exchanges[0].observed().unwrap();
    assert_eq!(judge(&case, &transcript, TRUSTING).0, Verdict::Pass);
    let copied = transcript.clone();
    assert!(std::ptr::eq(first, transcript.exchanges[0].observed().unwrap()));
    assert!(std::ptr::eq(first, copied.exchanges[0].observed().unwrap()), "nor for a copy");
}

/// The verdict on a case of one step, and the rules that the response is recorded for.
fn judged(case: &Case, reply: Reply, tier: Tier) -> (Verdict, Vec<String>) {
    let transcript = Transcript::of(case, vec![exchange(&case.steps[0], reply)]);
    let (verdict, records) = judge(case, &transcript, JudgeOptions { tier, ..TRUSTING });
    (verdict, records.iter().map(|record| record.rule.to_string()).collect())
}

#[test]
fn an_error_type_has_a_tier_of_its_own() {
    let rule = "CompleteLayerUpload/layerDigests/max-items";
    let case = one(rule, Operation::CompleteLayerUpload, body::complete(HERE, "upload", &[ABSENT]));
    let accepted = || json_of(200, json!({ "uploadId": NO_UPLOAD, "layerDigest": ABSENT }));
    let finding = |reply: Reply, tier: Tier| judged(&case, reply, tier).0.findings()[0].clone();

    let other = finding(error(400, "ValidationException"), Tier::Open);
    assert_eq!((other.grade, other.tier, other.rejection), (Grade::Error, Tier::Observed, Some(Tier::Documented)));
    assert_eq!(other.sources, ["fujiwara/ecrm#3"]);
    assert_eq!(other.strength(), "observed for the error type; documented that it must be rejected");
    let taken = finding(accepted(), Tier::Open);
    assert_eq!((taken.grade, taken.tier, taken.rejection), (Grade::State, Tier::Documented, None));
    assert_eq!(taken.strength(), "documented");

    // What rests on less than is asked for is recorded, as what is open.
    let weak = judged(&case, error(400, "ValidationException"), Tier::Documented);
    assert_eq!(weak, (Verdict::Pass, vec![String::from(rule)]));
    assert_eq!(finding(error(400, "ValidationException"), Tier::Observed), other);
    assert_eq!(finding(accepted(), Tier::Documented), taken);
}

#[test]
fn an_open_error_type_is_recorded_and_the_rejection_judged() {
    let rule = "UploadLayerPart/partFirstByte/64-bit";
    let case = one(rule, Operation::UploadLayerPart, body::part(HERE, "upload", "layer", 1, 32));
    for name in ["ValidationException", "InvalidParameterException"] {
        assert_eq!(judged(&case, error(400, name), Tier::Open), (Verdict::Pass, vec![String::from(rule)]));
    }
    let taken = json_of(200, json!({ "uploadId": NO_UPLOAD, "lastByteReceived": 31 }));
    check(
        &case,
        vec![
            (
                taken,
                "state UploadLayerPart/partFirstByte/64-bit: expected 400 SerializationException or 400 \
                     InvalidParameterException or 400 InvalidLayerPartException, got 200",
            ),
            (
                json_of(400, json!({ "message": "no" })),
                "error answer/error-type: expected 400 SerializationException or 400 InvalidParameterException or 400 \
                 InvalidLayerPartException, got 400 without-type",
            ),
        ],
    );
}

#[test]
fn what_follows_a_weaker_statement_is_not_judged_without_it() {
    let any_match = RuleId::new("CompleteLayerUpload/layerDigests/any-match");
    let complete = |draft: Draft, name: &'static str, rule: RuleId| {
        draft.focus_as(name, rule, Operation::CompleteLayerUpload, body::complete(HERE, "upload", &[ABSENT]))
    };
    let draft = Draft::new(Service::Ecr, "some/case", "some case");
    let case =
        complete(complete(draft, "one", any_match), "two", RuleId::new("CompleteLayerUpload/parts/not-empty")).done();
    let replies = || vec![error(400, "InvalidLayerException"), error(400, "EmptyUploadException")];
    let documented = JudgeOptions { tier: Tier::Documented, ..TRUSTING };
    assert_eq!(
        verdict(&case, replies(), documented),
        "skipped: step one does not keep CompleteLayerUpload/layerDigests/any-match, which is observed and not asked for: \
         what follows rests on it"
    );
    assert!(verdict(&case, replies(), TRUSTING).starts_with("rejected CompleteLayerUpload/layerDigests/any-match"));
}

#[test]
fn a_part_size_is_one_that_a_part_may_have() {
    let began = |size: i64| json_of(200, json!({ "uploadId": NO_UPLOAD, "partSize": size }));
    let expected = "form InitiateLayerUpload/answer/partSize-range: expected shape partSize a whole number from 1 to \
                    20971520, got 200 malformed partSize";
    let of_range =
        [(began(0), expected), (began(20_971_521), expected), (began(1), "pass"), (began(20_971_520), "pass")];
    check(&initiate(), of_range.into());
}

#[test]
fn messages_are_compared_when_it_is_asked_for() {
    let strict = JudgeOptions { messages: true, availability: true, tier: Tier::Open };
    let case =
        one("InitiateLayerUpload/repositoryName/exists", Operation::InitiateLayerUpload, body::repository("some/name"));
    let says = |message: &str| json_of(400, json!({ "__type": "RepositoryNotFoundException", "message": message }));
    let right = "The repository with name 'some/name' does not exist in the registry with id '012345678910'";
    assert_eq!(verdict(&case, vec![says(right)], strict), "pass");
    assert_eq!(verdict(&case, vec![says("no")], TRUSTING), "pass");
    let found = verdict(&case, vec![says("no")], strict);
    assert!(found.starts_with("form answer/message-text: expected message-text The repository with name"), "{found}");
    // The text of one occasion says nothing of another.
    let says = || json_of(400, json!({ "__type": "InvalidLayerPartException", "message": "no" }));
    let at = |rule: &'static str| {
        let case = one(rule, Operation::UploadLayerPart, body::part(HERE, "upload", "layer", 1, 32));
        verdict(&case, vec![says()], strict)
    };
    assert!(at("UploadLayerPart/partFirstByte/contiguous").starts_with("form answer/message-text"));
    assert_eq!(at("UploadLayerPart/layerPartBlob/length"), "pass");
}

#[test]
fn an_attempt_that_failed_leaves_nothing_to_judge() {
    for (operation, input) in [
        (Operation::CreateRepository, body::repository("some/name")),
        (Operation::DeleteRepository, body::repository("some/name")),
    ] {
        let case = Draft::new(Service::Ecr, "some/case", "some case")
            .attempt("attempt", operation, input)
            .focus(
                RuleId::new("InitiateLayerUpload/accepted"),
                Operation::InitiateLayerUpload,
                body::repository("some/name"),
            )
            .done();
        let attempted = |reply: Reply, then: Reply| verdict(&case, vec![reply, then], TRUSTING);
        let not_found = || error(400, "RepositoryNotFoundException");
        let done = || json_of(200, json!({}));
        let skipped =
            "skipped: it is about a repository that the target refused to create or delete, which it is free to do";
        let rejected = "rejected InitiateLayerUpload/accepted: expected 200, got 400 RepositoryNotFoundException";
        assert_eq!(attempted(error(400, "InvalidParameterException"), not_found()), skipped);
        assert_eq!(attempted(says(300, "text/html", ""), not_found()), skipped);
        assert_eq!(attempted(done(), not_found()), rejected);
        assert_eq!(attempted(error(400, "InvalidParameterException"), began()), "pass");
        // The form of an answer does not depend on it.
        let bare = says(200, "text/plain", &format!(r#"{{"uploadId":"{NO_UPLOAD}","partSize":1}}"#));
        let form = "form answer/content-type: expected content-type, got content-type text/plain";
        assert_eq!(attempted(error(400, "InvalidParameterException"), bare), form);
    }
    // Another attempt than to make or to remove a repository says nothing about what comes after it.
    let case = Draft::new(Service::Ecr, "some/case", "some case")
        .attempt("attempt", Operation::InitiateLayerUpload, body::repository("some/name"))
        .focus(
            RuleId::new("InitiateLayerUpload/accepted"),
            Operation::InitiateLayerUpload,
            body::repository("some/name"),
        )
        .done();
    let twice = vec![error(400, "InvalidParameterException"), error(400, "InvalidParameterException")];
    assert!(verdict(&case, twice, TRUSTING).starts_with("rejected "));
}

#[test]
fn what_was_found_before_an_attempt_does_not_come_of_it() {
    let case = Draft::new(Service::Ecr, "some/case", "some case")
        .focus_as(
            "first",
            RuleId::new("InitiateLayerUpload/accepted"),
            Operation::InitiateLayerUpload,
            body::repository(HERE),
        )
        .attempt("attempt", Operation::DeleteRepository, body::repository(HERE))
        .focus_as(
            "second",
            RuleId::new("InitiateLayerUpload/accepted"),
            Operation::InitiateLayerUpload,
            body::repository("some/name"),
        )
        .done();
    let rejected = || error(400, "EmptyUploadException");
    let finding = "rejected InitiateLayerUpload/accepted: expected 200, got 400 EmptyUploadException";
    assert_eq!(verdict(&case, vec![rejected(), rejected(), began()], TRUSTING), finding);
    assert!(verdict(&case, vec![began(), rejected(), rejected()], TRUSTING).starts_with("skipped: "));
    // In a sequence that was drawn, and of calls at once, it is known what a rejection means for the others.
    let mut drawn = case.clone();
    drawn.plan = Some(Plan::default());
    assert_eq!(verdict(&drawn, vec![began(), rejected(), rejected()], TRUSTING), finding);
    let mut race = case;
    race.steps[2].at_once = true;
    assert_eq!(verdict(&race, vec![began(), rejected(), rejected()], TRUSTING), finding);
}

#[test]
fn each_digest_of_a_list_is_looked_for() {
    let stored = |number: usize| format!("sha256:{number:064x}");
    let (one_digest, other, absent) = (stored(1), stored(2), stored(3));
    let digests = [&one_digest, &absent, &one_digest, &other];
    let mut case = one(
        "BatchCheckLayerAvailability/layers/each",
        Operation::BatchCheckLayerAvailability,
        body::check(HERE, &digests),
    );
    let there = |digest: &str, size: usize| json!({ "layerDigest": digest, "layerAvailability": "AVAILABLE", "layerSize": size });
    let gone = |digest: &str| json!({ "layerDigest": digest, "layerAvailability": "UNAVAILABLE" });
    let missing = |digest: &str, code: &str| json!({ "layerDigest": digest, "failureCode": code });
    let pinned = format!(r#"200 {{"layers": [{}, {}]}}"#, there(&one_digest, 32), there(&other, 33));
    case.steps[0].expect.outcomes = vec![pinned.parse().unwrap()];
    let answer =
        |layers: Vec<Value>, failures: Vec<Value>| json_of(200, json!({ "layers": layers, "failures": failures }));
    let (one_there, other_there) = (there(&one_digest, 32), there(&other, 33));
    let begun = "state BatchCheckLayerAvailability/layers/each: expected 200 with";
    let rows = [
        // In any order, a repeated digest once or twice, an absent one in either list.
        (
            answer(vec![one_there.clone(), gone(&absent), one_there.clone(), other_there.clone()], vec![]),
            String::from("pass"),
        ),
        (
            answer(vec![other_there.clone(), one_there.clone()], vec![missing(&absent, "MissingLayerDigest")]),
            String::from("pass"),
        ),
        (
            answer(vec![one_there.clone(), gone(&absent)], vec![]),
            format!("{begun} layerDigests[3] once, got 200 without layerDigests[3]"),
        ),
        (
            answer(vec![one_there.clone(), gone(&absent), gone(&absent), other_there.clone()], vec![]),
            format!("{begun} layerDigests[1] 1 times at most, got 200 with layerDigests[1] 2 times"),
        ),
        (
            answer(vec![one_there.clone(), gone(&absent), other_there.clone(), gone(&stored(4))], vec![]),
            format!("{begun} layers.layerDigest one of layerDigests, got 200 with-other layers.layerDigest"),
        ),
        (
            answer(vec![gone(&one_digest), gone(&absent), other_there.clone()], vec![]),
            format!(
                "{begun} layerDigests[0].layerAvailability \"AVAILABLE\", got 200 with layerDigests[0].layerAvailability \"UNAVAILABLE\""
            ),
        ),
        (
            answer(vec![one_there.clone(), gone(&absent), there(&other, 32)], vec![]),
            format!("{begun} layerDigests[3].layerSize 33, got 200 with layerDigests[3].layerSize 32"),
        ),
        (
            answer(vec![one_there.clone(), there(&absent, 32), other_there.clone()], vec![]),
            format!(
                "{begun} layerDigests[1].layerAvailability \"UNAVAILABLE\", got 200 with layerDigests[1].layerAvailability \"AVAILABLE\""
            ),
        ),
        (
            answer(vec![one_there.clone(), other_there.clone()], vec![missing(&absent, "InvalidLayerDigest")]),
            format!(
                "{begun} layerDigests[1].failureCode \"MissingLayerDigest\", got 200 with layerDigests[1].failureCode \"InvalidLayerDigest\""
            ),
        ),
        // A failure that does not say of what it is may be that of the digest which is not answered.
        (
            answer(vec![one_there.clone(), other_there.clone()], vec![json!({ "failureCode": "MissingLayerDigest" })]),
            String::from(
                "form BatchCheckLayerAvailability/answer/failures: expected shape failures a member layerDigest, got 200 malformed failures",
            ),
        ),
    ];
    for (reply, expected) in rows {
        let shown = format!("{reply:?}");
        assert_eq!(verdict(&case, vec![reply], TRUSTING), expected, "{shown}");
    }
    // Where the operation cannot be believed, nothing is judged by it.
    assert_eq!(verdict(&case, vec![answer(vec![], vec![])], JudgeOptions::default()), "pass");
}

#[test]
fn a_limit_of_the_account_is_no_finding() {
    let limit = || error(400, "LimitExceededException");
    let skipped = "skipped: InitiateLayerUpload: 400 LimitExceededException to a valid request, which may be a limit of the account";
    assert_eq!(verdict(&initiate(), vec![limit()], TRUSTING), skipped);
    // What must be rejected, must be rejected for what is wrong with it.
    assert!(verdict(&wrong_digest(), vec![limit()], TRUSTING).contains("LimitExceededException"));
    assert!(!verdict(&wrong_digest(), vec![limit()], TRUSTING).starts_with("skipped"));
}

#[test]
fn two_uploads_of_one_id() {
    let own = "state InitiateLayerUpload/uploadId/own: expected unique uploadId, got 200 not-unique uploadId";
    let two = |first: &str, second: &str| {
        Draft::new(Service::Ecr, "some/case", "some case")
            .focus_as(
                "first",
                RuleId::new("InitiateLayerUpload/accepted"),
                Operation::InitiateLayerUpload,
                body::repository(first),
            )
            .focus_as(
                "second",
                RuleId::new("InitiateLayerUpload/accepted"),
                Operation::InitiateLayerUpload,
                body::repository(second),
            )
            .done()
    };
    let other = || json_of(200, json!({ "uploadId": NO_UPLOAD.replace("ff", "fe"), "partSize": 10_485_760 }));
    assert_eq!(verdict(&two(HERE, HERE), vec![began(), began()], TRUSTING), own);
    assert_eq!(verdict(&two(HERE, HERE), vec![began(), other()], TRUSTING), "pass");
    // Whether an id is given again once its upload may have ended, is not documented.
    for (operation, rule) in
        [(Operation::CompleteLayerUpload, "layerDigests/match"), (Operation::DeleteRepository, "known")]
    {
        let mut between = two(HERE, HERE);
        let mut ends = wrong_digest().steps.remove(0);
        ends.operation = Some(operation);
        ends.expect.rule = RuleId::of(operation, rule);
        between.steps.insert(1, ends);
        let answers = vec![began(), error(400, "InvalidLayerException"), began()];
        assert!(!verdict(&between, answers, TRUSTING).contains("uploadId/own"));
    }
    // A repository is named with each id.
    assert_eq!(verdict(&two(HERE, "some/name"), vec![began(), began()], TRUSTING), "pass");
    // A rejection that names an id began nothing, nor does what names the id of an upload that there is.
    let rejected = || json_of(400, json!({ "__type": "EmptyUploadException", "message": "no", "uploadId": NO_UPLOAD }));
    let finding = "rejected InitiateLayerUpload/accepted: expected 200, got 400 EmptyUploadException";
    assert_eq!(verdict(&two(HERE, HERE), vec![began(), rejected()], TRUSTING), finding);
    let part = Draft::new(Service::Ecr, "some/case", "some case")
        .chunk("layer", 32)
        .initiate("upload")
        .focus(
            RuleId::new("UploadLayerPart/accepted"),
            Operation::UploadLayerPart,
            body::part(HERE, "upload", "layer", 0, 32),
        )
        .done();
    let sent = json!({
        "registryId": "012345678910", "repositoryName": HERE, "uploadId": NO_UPLOAD, "lastByteReceived": 31
    });
    assert!(!verdict(&part, vec![began(), json_of(200, sent)], TRUSTING).contains("uploadId/own"));
    // What an attempt began, nobody looks at.
    let mut attempt = two(HERE, HERE);
    attempt.steps[0].role = ecrspec::case::StepRole::Attempt;
    assert_eq!(verdict(&attempt, vec![began(), began()], TRUSTING), "pass");
}

#[test]
fn several_steps() {
    let case = Draft::new(Service::Ecr, "some/case", "some case")
        .focus_as(
            "first",
            RuleId::new("InitiateLayerUpload/accepted"),
            Operation::InitiateLayerUpload,
            body::repository(HERE),
        )
        .focus_as(
            "second",
            RuleId::new("InitiateLayerUpload/accepted"),
            Operation::InitiateLayerUpload,
            body::repository("some/name"),
        )
        .focus_as(
            "third",
            RuleId::new("CompleteLayerUpload/layerDigests/match"),
            Operation::CompleteLayerUpload,
            body::complete(HERE, "upload", &[ABSENT]),
        )
        .done();
    let bare = || says(200, "text/plain", &format!(r#"{{"uploadId":"{NO_UPLOAD}","partSize":1}}"#));
    let form = "form answer/content-type: expected content-type, got content-type text/plain";
    let rejected = "rejected InitiateLayerUpload/accepted: expected 200, got 400 EmptyUploadException";
    let wrong = "error CompleteLayerUpload/layerDigests/match: expected 400 InvalidLayerException, got 400 EmptyUploadException";
    let empty = || error(400, "EmptyUploadException");
    let right = || error(400, "InvalidLayerException");
    let said = |case: &Case, replies: Vec<Reply>| verdict(case, replies, TRUSTING);
    // The same slip is one finding; what the case is about comes before it, and ends the case.
    assert_eq!(said(&case, vec![bare(), bare(), right()]), form);
    assert_eq!(said(&case, vec![bare(), began(), empty()]), format!("{wrong}; {form}"));
    assert_eq!(said(&case, vec![bare(), empty(), empty()]), format!("{rejected}; {form}"));
    // Another slip is another finding.
    let html = || says(200, "text/html", &format!(r#"{{"uploadId":"{NO_UPLOAD}","partSize":1}}"#));
    assert_eq!(said(&case, vec![bare(), html(), right()]), format!("{form}; {}", form.replace("plain", "html")));
    // What was found before the target fell silent is found.
    assert_eq!(said(&case, vec![bare(), Err(TransportError::Silent)]), form);
    assert_eq!(
        said(&case, vec![began(), Err(TransportError::Silent)]),
        "inconclusive: InitiateLayerUpload: no response in time"
    );
    // A sequence that was drawn goes on as long as it is certain what the target has done, and tells it in order.
    let mut drawn = case.clone();
    drawn.plan = Some(Plan::default());
    drawn.steps.rotate_right(1);
    assert_eq!(said(&drawn, vec![empty(), bare(), began()]), format!("{wrong}; {form}"));
    assert_eq!(said(&drawn, vec![empty(), empty(), bare()]), format!("{wrong}; {rejected}"));
    let accepted = "state CompleteLayerUpload/layerDigests/match: expected 400 InvalidLayerException, got 200";
    assert_eq!(said(&drawn, vec![json_of(200, json!({})), bare(), began()]), accepted);
    drawn.steps.rotate_left(1);
    assert_eq!(said(&drawn, vec![bare(), began(), empty()]), format!("{form}; {wrong}"));
}

#[test]
fn a_case_that_goes_on_from_success_only() {
    let mut case = Draft::new(Service::Ecr, "some/case", "some case")
        .attempt("first", Operation::InitiateLayerUpload, body::repository(HERE))
        .focus(RuleId::new("InitiateLayerUpload/accepted"), Operation::InitiateLayerUpload, body::repository(HERE))
        .done();
    case.steps[0].only_if = vec![ecrspec::expect::Outcome::success()];
    let rejected = || error(400, "RepositoryNotFoundException");
    assert!(verdict(&case, vec![began(), rejected()], TRUSTING).starts_with("rejected "));
    assert!(verdict(&case, vec![rejected(), rejected()], TRUSTING).starts_with("skipped: "));
}

#[test]
fn a_case_that_could_not_go_on() {
    let case = initiate();
    let rejected = || exchange(&case.steps[0], error(400, "EmptyUploadException"));
    let stopped = |exchanges: Vec<Exchange>| {
        let stopped = Some(Stopped::NoRepository(Box::new(rejected())));
        judge(&case, &Transcript { stopped, ..Transcript::of(&case, exchanges) }, TRUSTING).0
    };
    let reason = NotJudged::NoRepository { got: "400 EmptyUploadException".parse().unwrap(), throttled: false };
    assert_eq!(stopped(Vec::new()), Verdict::Inconclusive { reason });
    assert!(matches!(stopped(vec![rejected()]), Verdict::Fail { .. }));
}

fn finding(
    rule: &'static str,
    about: &'static str,
    operation: Option<Operation>,
    grade: Grade,
    expected: &str,
    got: &str,
) -> Finding {
    Finding {
        rule: RuleId::new(rule),
        operation,
        tier: Tier::Documented,
        rejection: None,
        sources: Vec::new(),
        grade,
        about: RuleId::new(about),
        also_broken: Vec::new(),
        accept_as: Finding::acceptable_as(RuleId::new(rule), RuleId::new(about)),
        step: String::from("call"),
        breach: String::from("a bad thing"),
        expected: expected.parse().unwrap(),
        got: got.parse().unwrap(),
        client: None,
        witness: None,
    }
}

const COMPLETE: Operation = Operation::CompleteLayerUpload;
const MATCH: &str = "CompleteLayerUpload/layerDigests/match";
const REJECTED: &str = "400 InvalidLayerException";

#[test]
fn findings_are_said_in_a_sentence() {
    let said = |rule: &'static str, grade, expected: &str, got: &str| {
        finding(rule, rule, Some(COMPLETE), grade, expected, got).sentence()
    };
    let (rule, rejected) = (MATCH, REJECTED);
    let known = "CompleteLayerUpload/known";
    for (text, expected) in [
        (said(rule, Grade::Crash, rejected, "500 without-type"), "answers 500 without an error type to a bad thing"),
        (said(rule, Grade::Crash, rejected, "no-response"), "gives no response in time to a bad thing"),
        (said(rule, Grade::Crash, rejected, "dropped"), "drops the connection on a bad thing"),
        (said(rule, Grade::Crash, "200", "invalid-http"), "gives an invalid HTTP response to a bad thing"),
        (said(rule, Grade::Crash, "200", "too-large"), "gives a response too large to read to a bad thing"),
        (said(rule, Grade::State, rejected, "200"), "accepts a bad thing"),
        (said(rule, Grade::State, "200 with a 1", "200 with a 2"), "answers 200 with a 2"),
        (said(rule, Grade::State, "200 with a 1", "200 with-other a"), "answers 200 with another a"),
        (
            said(rule, Grade::State, "unique uploadId", "200 not-unique uploadId"),
            "answers 200 with the uploadId of another upload",
        ),
        (said(rule, Grade::Rejected, "200", "400 X"), "rejects a bad thing: 400 X"),
        (said(rule, Grade::Rejected, "200", "error X"), "rejects a bad thing: an error X"),
        (said(rule, Grade::Error, rejected, "400 X"), "answers 400 X to a bad thing"),
        (said(rule, Grade::Form, "200", "200 without a"), "answers 200 without a"),
        (said(rule, Grade::Form, "shape a x", "200 malformed a"), "answers 200 with a malformed a"),
        (said(rule, Grade::Form, "echo a", "200 not-echoed a"), "answers 200 with a different a than was sent"),
        (said(rule, Grade::Form, "200", "200 not-an-object"), "answers 200 with a body that is no JSON object"),
        (said(rule, Grade::Form, "200", "success-status 201"), "answers status 201 for a success"),
        (said(rule, Grade::Form, "status 400", "error-status 409"), "answers status 409 for a client error"),
        (
            said(rule, Grade::Form, "status 400", "error-status 484"),
            "answers status 484 for a client error, which is its row in an OpenAPI conversion and no status",
        ),
        (
            said(rule, Grade::State, "status 400", "error-status 200"),
            "answers status 200 for a client error, which clients take for a success",
        ),
        (said(rule, Grade::Form, "content-type", "content-type text/html"), "answers content type text/html"),
        (said(rule, Grade::Form, "type-visible", "type-not-visible"), "answers an error type outside of __type"),
        (said(rule, Grade::Form, "message", "no-message"), "answers an error without a message"),
        (said(known, Grade::Rejected, "200", "404"), "is not known: a bad thing is answered with 404"),
        (
            said("survey/availability", Grade::State, "200", "absent-after-upload"),
            "does not tell a stored layer from an absent one: 200, and the layer still absent after the upload",
        ),
    ] {
        assert_eq!(text, format!("CompleteLayerUpload {expected}"));
    }
    assert_eq!(
        said("survey/service", Grade::Rejected, "service ecr", "404 without-type"),
        "the target does not serve the service: CompleteLayerUpload answers 404 without an error type"
    );
    let crash = finding("always/no-5xx", rule, Some(COMPLETE), Grade::Crash, rejected, "500");
    assert_eq!(
        (crash.accept_as, finding(rule, known, Some(COMPLETE), Grade::State, rejected, "200").accept_as),
        (RuleId::new(rule), RuleId::new(rule))
    );
}

#[test]
fn what_is_said_of_a_grade_is_true_of_the_request() {
    let (rule, rejected) = (MATCH, REJECTED);
    let meaning =
        |grade, expected: &str, got: &str| words::grade(&finding(rule, rule, Some(COMPLETE), grade, expected, got));
    for (said, expected) in [
        (meaning(Grade::Crash, "200", "invalid-http"), "no complete HTTP response to a valid request"),
        (meaning(Grade::Crash, rejected, "dropped"), "a 5xx, or no complete HTTP response, to an invalid request"),
        (
            meaning(Grade::Crash, "no-server-fault", "500"),
            "a 5xx, or no complete HTTP response, where the documents leave the response open",
        ),
        (meaning(Grade::State, rejected, "200"), "accepted what must be rejected; wrong bytes, digest or state"),
        (meaning(Grade::Rejected, "200", "400 X"), "rejected what must be accepted"),
        (meaning(Grade::Error, rejected, "400 X"), "the wrong error type"),
        (meaning(Grade::Form, "200", "success-status 201"), "the right decision with a malformed response"),
    ] {
        assert_eq!(said, expected);
    }
}

/// With the constraints of this operation that are broken.
#[test]
fn findings_of_one_cause_are_said_once() {
    let (rule, rejected) = (MATCH, REJECTED);
    let together = |rule: &'static str, about: &[&'static str]| {
        let about: Vec<RuleId> = about.iter().map(|rule| RuleId::new(rule)).collect();
        let operation = if rule.starts_with("wire/") { None } else { Some(COMPLETE) };
        finding(rule, rule, operation, Grade::State, rejected, "200").sentence_for(&about)
    };
    let pattern = "CompleteLayerUpload/uploadId/pattern";
    let required = "CompleteLayerUpload/uploadId/required";
    assert_eq!(
        together(
            pattern,
            &[required, pattern, pattern, "UploadLayerPart/uploadId/type", "CompleteLayerUpload/uploadId/exists"]
        ),
        "CompleteLayerUpload accepts uploadId outside of its constraints (pattern, required)"
    );
    assert_eq!(together(pattern, &[pattern]), "CompleteLayerUpload accepts a bad thing");
    assert_eq!(together(rule, &[pattern, required]), "CompleteLayerUpload accepts a bad thing");
    assert_eq!(
        together("wire/body/json", &["wire/body/json", "wire/body/utf-8", pattern]),
        "the server accepts a body outside of the protocol (json, utf-8)"
    );
    assert_eq!(together("wire/body/json", &["wire/body/json"]), "the server accepts a bad thing");
}

#[test]
fn findings_with_one_cause_share_it() {
    let cause = |rule: &'static str, about: &'static str| {
        finding(rule, about, Some(COMPLETE), Grade::State, "400 InvalidLayerException", "200").cause()
    };
    let own = |rule: &'static str| cause(rule, rule);
    for (found, expected) in [
        (own("CompleteLayerUpload/uploadId/pattern"), "uploadId|state|200"),
        (own("UploadLayerPart/uploadId/required"), "uploadId|state|200"),
        (own("CompleteLayerUpload/uploadId/exists"), "uploadId/exists|state|200"),
        (own("wire/body/json"), "body|state|200"),
        (own("survey/plain-upload"), "survey/plain-upload|state|200"),
        // What every answer may have wrong is one cause, whatever the request; but for whom it crashes, is another.
        (cause("answer/status", "CompleteLayerUpload/uploadId/pattern"), "answer/status|state|200"),
        (cause("CompleteLayerUpload/answer/uploadId", "CompleteLayerUpload/accepted"), "answer/uploadId|state|200"),
        (cause("always/no-5xx", "CompleteLayerUpload/uploadId/pattern"), "uploadId|state|200"),
    ] {
        assert_eq!(found, expected);
    }
}

#[test]
fn known_deviations_are_about_one_finding() {
    let rule = "CompleteLayerUpload/uploadId/pattern";
    let mut known = KnownFile::parse(
        "[[known]]\nrule = \"CompleteLayerUpload/uploadId/pattern\"\ngot = \"200\"\nreason = \"later\"\nservice = \"ecr\"\nexpires = 2026-11-20\n",
    )
    .unwrap()
    .known
    .remove(0);
    let found = |rule: &'static str, about: &'static str, got: &str| {
        finding(rule, about, Some(COMPLETE), Grade::State, "400 InvalidLayerException", got)
    };
    assert!(known.matches(Service::Ecr, &found(rule, rule, "200")));
    assert!(!known.matches(Service::EcrPublic, &found(rule, rule, "200")));
    assert!(!known.matches(Service::Ecr, &found(rule, rule, "400 X")));
    assert!(!known.matches(Service::Ecr, &found("CompleteLayerUpload/uploadId/type", rule, "200")));
    assert!(known.is_expired(jiff::civil::date(2026, 11, 21)));
    assert!(!known.is_expired(jiff::civil::date(2026, 11, 20)));
    (known.service, known.expires) = (None, None);
    assert!(known.matches(Service::EcrPublic, &found(rule, rule, "200")));
    assert!(!known.is_expired(jiff::civil::date(2036, 11, 20)));
    let told = [Stale::UnexpectedPass, Stale::Changed, Stale::Expired].map(|stale| stale.to_string());
    assert!(
        ["unexpected pass: ", "changed: ", "expired: "].iter().zip(&told).all(|(word, told)| told.starts_with(word))
    );
}

/// Of all cases: what `known init` writes down can be read.
#[test]
fn a_success_where_all_outcomes_are_errors_can_be_accepted() {
    let mut rejecting = BTreeSet::new();
    for service in Service::ALL {
        for step in suite(service).unwrap().iter().flat_map(|case| &case.steps) {
            if !step.expect.outcomes.is_empty() && !step.expect.outcomes.iter().any(Outcome::is_success) {
                rejecting.insert((service, step.expect.rule));
            }
        }
    }
    assert!(rejecting.len() > 200, "{}", rejecting.len());
    for (service, rule) in rejecting {
        let entry =
            format!("[[known]]\nrule = \"{rule}\"\ngot = \"200\"\nreason = \"issue 7\"\nservice = \"{service}\"\n");
        assert!(KnownFile::parse(&entry).is_ok_and(|file| file.known.len() == 1), "{service}: {rule}");
    }
}
