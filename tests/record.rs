//! What a server answered, as files: their format, and that nothing is in them that belongs to an account or a run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use ecrspec::case::{Case, StepRole};
use ecrspec::contract::Service;
use ecrspec::drive::{Driver, InProcess, Target};
use ecrspec::events::{Recording, Task};
use ecrspec::evidence::question::{QUESTIONS, Read};
use ecrspec::evidence::{Effect, Endpoint, File, Origin, Questions, Recorder};
use ecrspec::mock::{Change, Mock as Library, router};
use ecrspec::run::{Settings, Work, run};
use ecrspec::suite::suite;
use ecrspec::wire::{Request, Response, envelope};
use regex::Regex;
use serde_json::{Value, json};
use snapbox::{assert_data_eq, str};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::binary::{Mock, command, ecrspec, err, out};

const MATCH: &str = "CompleteLayerUpload/layerDigests/match/wrong";

/// `ecrspec record` into a folder.
fn record(folder: &Path, arguments: &[&str]) -> Output {
    ecrspec(&[&["record", "--out", folder.to_str().unwrap()], arguments].concat())
}

/// The files of a folder.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap())).collect()
}

#[test]
fn a_file_has_what_was_sent_and_answered_and_what_that_says() {
    let folder = TempDir::new().unwrap();
    let mock = Mock::start(&["--service", "ecr", "--fault", "digests-not-compared"]);
    let filter = [
        &format!("={MATCH}")[..],
        "=CompleteLayerUpload/layerDigests/max-items/101-items",
        "=CompleteLayerUpload/layerDigests/upper-case/hex",
        "=wire/method/get",
    ];
    let mut arguments = vec!["--endpoint", &mock.endpoint, "--service", "ecr"];
    filter.iter().for_each(|id| arguments.extend(["--filter", id]));
    let output = record(folder.path(), &arguments);
    assert_eq!(output.status.code(), Some(1), "an answer against a rule is a finding: {}", out(&output));
    let told = "4 answers: 1 as expected, 2 to open rules, 1 against a rule; not from AWS, and so no source\n";
    assert!(out(&output).contains(told), "{}", out(&output));
    let files = files(folder.path());
    assert_eq!(files.keys().collect::<Vec<_>>(), ["ecr-CompleteLayerUpload.toml", "ecr-wire.toml"]);
    assert_data_eq!(
        files["ecr-CompleteLayerUpload.toml"].as_str(),
        str![[r##"
# Recorded by `ecrspec record`; docs/src/record.md says what it means. Read it before you pass it on.

schema = 1
ecrspec = "[..]"
date = "[..]"
endpoint = "other"
client = "HTTP"
finished = true
service = "ecr"

[[answer]]
rule = "CompleteLayerUpload/layerDigests/match"
says = "At least one digest must match the uploaded bytes."
tier = "documented"
effect = "contradicts"
expected = "400 InvalidLayerException"
breaks = ["CompleteLayerUpload/layerDigests/match (documented)"]

[answer.got]
status = 200
members = '{"layerDigest":"<digest>","registryId":"<registryId>","repositoryName":"<repositoryName>","uploadId":"<uploadId>"}'

[answer.sent]
"CompleteLayerUpload/layerDigests/match/wrong focus" = 'layerDigests: ["sha256:0000000000000000000000000000000000000000000000000000000000000001"]'

[[answer]]
rule = "CompleteLayerUpload/layerDigests/max-items"
says = "layerDigests has at most 100 items."
tier = "documented"
error-tier = "observed"
effect = "confirms"
expected = "400 InvalidParameterException"

[answer.got]
status = 400
type = "InvalidParameterException"
message = "Invalid parameter at 'layerDigests' failed to satisfy constraint: 'Member must have length less than or equal to 100'"

[answer.sent]
"CompleteLayerUpload/layerDigests/max-items/101-items focus" = 'layerDigests: ["«sha256:layer»","sha256:0000000000000000000000000000000000000000000000000000000000000001","sha256:0000000000000000000000000000000000000000000000000000000000000002","sha256:000000000000…'

[[answer]]
rule = "CompleteLayerUpload/layerDigests/upper-case"
says = "The pattern allows upper case; whether digests are compared case-insensitively is not documented."
tier = "open"
effect = "raises-rule"
expected = "200 or 400 InvalidLayerException or 400 InvalidParameterException"

[answer.got]
status = 200
members = '{"layerDigest":"<digest>","registryId":"<registryId>","repositoryName":"<repositoryName>","uploadId":"<uploadId>"}'

[answer.sent]
"CompleteLayerUpload/layerDigests/upper-case/hex focus" = 'layerDigests: ["sha256:«hex-upper:layer»"]'

"##]]
    );
    assert_data_eq!(
        files["ecr-wire.toml"].as_str(),
        str![[r##"
# Recorded by `ecrspec record`; docs/src/record.md says what it means. Read it before you pass it on.

schema = 1
ecrspec = "[..]"
date = "[..]"
endpoint = "other"
client = "HTTP"
finished = true
service = "ecr"

[[answer]]
rule = "wire/method"
says = "Only POST calls an operation; how ECR responds to other methods is not documented."
tier = "open"
effect = "raises-rule"
expected = "200 or 400 UnknownOperationException"

[answer.got]
status = 400
type = "UnknownOperationException"

[answer.sent]
"wire/method/get focus" = 'GET, body {"repositoryName":"«repository»"}'

"##]]
    );
    for text in files.values() {
        let file: File = toml::from_str(text).unwrap();
        assert_eq!(file.text(), *text, "it reads back");
    }
}

#[test]
fn the_same_answers_make_the_same_files() {
    let folder = TempDir::new().unwrap();
    let mut all = Vec::new();
    for jobs in ["1", "4"] {
        let to = folder.path().join(jobs);
        let filters = ["--filter", "/layers/", "--filter", "registryId/", "--filter", "wire/target"];
        let output = record(&to, &[&["--jobs", jobs], &filters[..]].concat());
        assert_eq!(output.status.code(), Some(0), "{}{}", out(&output), err(&output));
        all.push(files(&to));
    }
    assert!(all[0].len() >= 8, "{:?}", all[0].keys());
    assert!(all[0] == all[1], "the order of answers is in the files");
}

#[test]
fn nothing_is_overwritten() {
    let folder = TempDir::new().unwrap();
    let kept = folder.path().join("ecr-CompleteLayerUpload.toml");
    fs::write(&kept, "mine").unwrap();
    let output = record(folder.path(), &["--filter", &format!("={MATCH}")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        err(&output).starts_with("ecrspec: --out: expected an empty directory, found files in "),
        "{}",
        err(&output)
    );
    assert_eq!(
        files(folder.path()),
        BTreeMap::from([(String::from("ecr-CompleteLayerUpload.toml"), String::from("mine"))])
    );
    // Where nobody answered, nothing is left that is in the way of the next attempt.
    let nobody = folder.path().join("nobody");
    for _ in 0..2 {
        let output = record(&nobody, &["--questions", "--endpoint", "http://127.0.0.1:1"]);
        assert_eq!(output.status.code(), Some(3), "{}", err(&output));
        assert!(files(&nobody).is_empty());
    }
    // Nor is nothing recorded where somebody forgot to say where to.
    assert_eq!(ecrspec(&["record"]).status.code(), Some(2));
}

#[test]
fn an_unfinished_run_leaves_what_it_has_and_says_so() {
    let mock = Mock::start(&["--service", "ecr"]);
    let folder = TempDir::new().unwrap();
    let (to, log) = (folder.path().join("out"), folder.path().join("log.ndjson"));
    let report = format!("ndjson={}", log.display());
    let arguments = ["record", "--out", to.to_str().unwrap(), "--endpoint", &mock.endpoint, "--service", "ecr"];
    let arguments = [&arguments[..], &["--jobs", "1", "--report", &report]].concat();
    let mut child = command(&arguments, folder.path()).stdout(Stdio::null()).spawn().unwrap();
    while fs::read_to_string(&log).unwrap_or_default().lines().count() < 20 {
        assert!(child.try_wait().unwrap().is_none(), "the run ended before it could be interrupted");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let files = files(&to);
    assert!(!files.is_empty());
    for (name, text) in files {
        assert!(text.contains("\nfinished = false\n") && text.contains("\n[[answer]]\n"), "{name}: {text}");
    }
}

const KEY: &str = "AKIAECRSPECCANARY000";
const SECRET: &str = "canary/of+a/secret+key/0123456789abcdefABC";

#[test]
fn nothing_of_an_account_an_endpoint_or_a_run_is_in_a_file() {
    let folder = TempDir::new().unwrap();
    let bundle = folder.path().join("ca.pem");
    let mock = Mock::start_tls(&["--require-auth", &format!("{KEY}:{SECRET}")], &bundle);
    let port = mock.endpoint.rsplit_once(':').unwrap().1;
    let to = folder.path().join("out");
    let arguments = ["record", "--questions", "--out", to.to_str().unwrap(), "--endpoint", &mock.endpoint];
    let signed = ["--ca-bundle", bundle.to_str().unwrap(), "--auth", "sigv4", "--region", "us-east-1"];
    let mut recording = command(&[&arguments[..], &signed].concat(), folder.path());
    recording.env("AWS_ACCESS_KEY_ID", KEY).env("AWS_SECRET_ACCESS_KEY", SECRET).env_remove("AWS_SESSION_TOKEN");
    let output = recording.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}{}", out(&output), err(&output));
    let files = files(&to);
    assert!(files.len() > 8 && files.contains_key("ecr-auth.toml"), "{:?}", files.keys());
    let ids = Regex::new("ecrspec-[0-9a-f]{8}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").unwrap();
    for (name, text) in &files {
        for secret in [KEY, SECRET, "Credential=", "012345678910", "127.0.0.1", &format!(":{port}"), "ca.pem"] {
            assert!(!text.contains(secret), "{name} has {secret}");
        }
        // What is sent is the text of the catalogue.
        let of_run = text.lines().filter(|line| !line.contains("«") && !line.starts_with('"'));
        for line in of_run {
            assert!(!ids.is_match(line), "{name}: {line}");
        }
    }
    // Whoever signs is asked all of it.
    let asked: Questions = toml::from_str(&files["questions.toml"]).unwrap();
    for reply in asked.questions.iter().flat_map(|asked| &asked.replies) {
        assert!(reply.got.is_some(), "{} {}: {:?}", reply.service, reply.case, reply.unanswered);
    }
    assert_eq!(asked.questions.len(), QUESTIONS.len());
}

/// A service that tells more than it should.
fn telling(request: &Request) -> Option<Response> {
    let body: Value = serde_json::from_slice(&request.body).ok()?;
    let wrong = |digest: &Value| digest.as_str().is_some_and(|digest| digest.ends_with("00000000"));
    body.get("layerDigests")?.as_array()?.iter().any(wrong).then(|| {
        let name = body["repositoryName"].as_str().unwrap_or_default();
        let upload = body["uploadId"].as_str().unwrap_or_default();
        let message = format!(
            "User: arn:aws:sts::012345678910:assumed-role/Canary/jane.canary@corp.example with key {KEY} at \
             https://canary.corp.example:8443/{name}?X-Amz-Signature=canary, host canary.corp.example:8443 and \
             012345678910.dkr.ecr.us-east-1.amazonaws.com/{name}, account 012345678910: upload {upload} of {name}"
        );
        envelope::response(400, &json!({"__type": "AccessDeniedException", "message": message}))
    })
}

#[test]
fn what_a_service_quotes_is_replaced() {
    static TELLS: Change = Change::ShortCircuit(|request, _| telling(request).map(Ok));
    let mock = Library::with(&[Service::Ecr], [&TELLS]);
    let target = Target::new(Driver::InProcess(InProcess::new(router(Arc::new(mock)))));
    let settings = Settings {
        services: vec![Service::Ecr],
        recording: Recording::Exchanges,
        ..Settings::everything("a service that tells", "ecrspec-c0ffee00")
    };
    let zeros = |case: &Case| case.id == "CompleteLayerUpload/layerDigests/match/zeros";
    let cases: Vec<Case> = suite(Service::Ecr).unwrap().into_iter().filter(zeros).collect();
    let endpoint = "https://canary.corp.example:8443";
    let mut recorder = Recorder::new(&cases, endpoint, Origin::new(Endpoint::Other, None));
    let work = Work { task: Task::Gate, cases, search: None, whole_survey: false };
    let (_keep, stop) = watch::channel(None);
    let runtime = Runtime::new().unwrap();
    runtime.block_on(run(Arc::new(target), &settings, work, stop, |event| recorder.event(&event))).unwrap();
    let files = recorder.files();
    let [(name, text)] = files.as_slice() else { panic!("{files:?}") };
    assert_eq!(name, "ecr-CompleteLayerUpload.toml");
    let file: File = toml::from_str(text).unwrap();
    let [entry] = file.entries.as_slice() else { panic!("{text}") };
    assert_eq!(
        entry.got.message.as_deref(),
        Some(
            "User: <arn> with key <accessKeyId> at <url>, host <host> and <host>, account <registryId>: upload <uploadId> \
             of <repositoryName>"
        )
    );
    assert_eq!((entry.effect, entry.got.status), (Effect::Contradicts, Some(400)));
    for canary in ["canary", "c0ffee", "012345678910", KEY] {
        assert!(!text.contains(canary), "{canary}: {text}");
    }
}

#[test]
fn every_open_question_is_asked_by_cases_that_there_are() {
    let suites = Service::ALL.map(|service| suite(service).unwrap());
    let mut ids = BTreeSet::new();
    for question in QUESTIONS {
        assert!(ids.insert(question.id), "two questions are called {}", question.id);
        assert!(!question.parts.is_empty() && !question.services.is_empty(), "{} asks nothing", question.id);
        let sentence = question.asks.trim_end_matches(')').trim_end_matches('.');
        assert!(sentence.contains('?') && question.asks.starts_with(char::is_uppercase), "{}", question.asks);
        for (service, part) in
            question.services.iter().flat_map(|service| question.parts.iter().map(move |part| (service, part)))
        {
            let case = suites[*service as usize].iter().find(|case| case.id == part.case);
            let case = case.unwrap_or_else(|| panic!("{}: {service} has no case {}", question.id, part.case));
            assert!(!case.is_race() && case.steps.iter().any(|step| step.role == StepRole::Focus), "{}", case.id);
            if let Read::Step(name) = part.read {
                assert!(case.steps.iter().any(|step| step.name == name), "{} has no step {name}", case.id);
            }
        }
        let tried: BTreeSet<&str> = question.parts.iter().map(|part| part.tried).collect();
        assert_eq!(tried.len(), question.parts.len(), "{}", question.id);
    }
}

#[test]
fn questions_are_printed_with_their_answers() {
    let output = ecrspec(&["record", "--questions", "--service", "ecr-public"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let printed = out(&output);
    let at = printed.find("upload-lifetime\n").unwrap();
    let shown = printed[at..].split("\n\n").next().unwrap();
    assert_data_eq!(
        format!("{shown}\n"),
        str![[r#"
upload-lifetime
  Does an upload end with its repository, or with its completion? (Not asked: how long one lives.)
  ecr-public  a part after the repository was made again  400 UploadNotFoundException: The upload with id '<uploadId>' in the repository with name '<repositoryName>' in registry with id '<registryId>' does not exist
  ecr-public  a completion after that                     400 UploadNotFoundException: The upload with id '<uploadId>' in the repository with name '<repositoryName>' in registry with id '<registryId>' does not exist
  ecr-public  a part after the completion                 400 UploadNotFoundException: The upload with id '<uploadId>' in the repository with name '<repositoryName>' in registry with id '<registryId>' does not exist

"#]]
    );
    assert!(printed.contains("(not tried: it takes --auth sigv4)"), "{printed}");
    assert!(!printed.contains("\nforeign-registry\n"), "a question for the other service alone");
    let both = ecrspec(&["record", "--questions", "--filter", "x"]);
    assert_eq!(both.status.code(), Some(2), "which cases are run is in the table");
}
