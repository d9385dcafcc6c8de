//! A case in other forms: with the AWS CLI, with boto3, as a file of HTTP requests, as a Rust test. Each is run, and shows
//! what ecrspec itself is answered. Tests of a client that is not installed are skipped: see `installed`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use bytes::Bytes;
use ecrspec::case::{Case, Transcript};
use ecrspec::contract::Service;
use ecrspec::drive::http::{Http, Timeouts};
use ecrspec::drive::named::DriverName;
use ecrspec::drive::{self, Driver, Target, Workspace};
use ecrspec::report::script::{self, Destination, Unscriptable};
use ecrspec::suite::{find, suite};
use ecrspec::template::Reference;
use ecrspec::wire::{Request, Trust, envelope};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::binary::{Mock, ecrspec, err, has_tool, out};
use crate::installed;
use crate::shell::run_with;

const WRONG: &str = "CompleteLayerUpload/layerDigests/match/wrong";

/// What was answered to a step: its name, and the error type, or nothing for a success.
type Answers = Vec<(String, Option<String>)>;

fn to(endpoint: &str) -> Destination<'_> {
    Destination { endpoint, trust: &Trust::System, certificate: None, headers: &[], sigv4: None, repository: None }
}

/// What ecrspec itself is answered.
fn driven(case: &Case, endpoint: &str) -> Answers {
    let room = Workspace {
        prefix: String::from("ecrspec-test"),
        making: Default::default(),
        shared: None,
        account: Some(String::from("012345678910")),
        alias: None,
        part_size: 5_242_880,
        salt: String::from("salt"),
        worker: 0,
    };
    let target = Target::new(Driver::Http(Http::new(endpoint, Timeouts::default()).unwrap()));
    let transcript: Transcript = Runtime::new().unwrap().block_on(drive::case(&target, case, &room));
    let of = |(step, exchange): (&ecrspec::case::Step, &ecrspec::wire::Exchange)| {
        (step.name.clone(), exchange.observed().unwrap().error_name().map(String::from))
    };
    case.steps.iter().zip(&transcript.exchanges).map(of).collect()
}

/// Cases that have all kinds of references between them, of those that a form can have.
fn some(count: usize, can: impl Fn(&Case) -> bool) -> Vec<Case> {
    let kind = |reference: &Reference| {
        let written = reference.written();
        written.split([':', '.', '}']).next().map(String::from).filter(|_| written.contains(':')).unwrap_or(written)
    };
    let mut seen = BTreeSet::new();
    let mut chosen: Vec<Case> = find(Service::Ecr, WRONG).unwrap().into_iter().collect();
    for case in suite(Service::Ecr).unwrap() {
        let kinds: BTreeSet<String> =
            case.steps.iter().flat_map(|step| step.request.body.references()).map(kind).collect();
        let is_small = case.steps.len() < 12 && !case.last;
        if is_small && !kinds.is_subset(&seen) && can(&case) {
            seen.extend(kinds);
            chosen.push(case);
        }
    }
    assert!(chosen.len() >= count.min(5), "{seen:?}");
    chosen.truncate(count);
    chosen
}

fn is_sent_by(client: &str, case: &Case) -> bool {
    client.parse::<DriverName>().unwrap().cannot_try(case).is_none()
}

#[test]
fn boto3_is_answered_what_ecrspec_is() {
    let Some(python) = installed::python() else { return };
    let mock = Mock::start(&["--service", "ecr"]);
    for case in some(14, |case| is_sent_by("boto3", case) && script::boto3(case, &to("x")).is_ok()) {
        let text = script::boto3(&case, &to(&mock.endpoint)).unwrap();
        let output = run_with(Command::new(&python).arg("-"), &text);
        assert!(output.status.success(), "{}: {}\n{text}", case.id, err(&output));
        let shown = out(&output);
        let lines = shown.lines().filter(|line| !line.starts_with("repository-create"));
        let answers: BTreeMap<String, Option<String>> = lines
            .map(|line| {
                let [step, status, told] = line.splitn(3, ' ').collect::<Vec<_>>().try_into().unwrap();
                let told: Value = serde_json::from_str(told).unwrap();
                assert_eq!(told.get("Code").is_some(), status != "200", "{line}");
                (String::from(step), told["Code"].as_str().map(String::from))
            })
            .collect();
        assert_eq!(answers, driven(&case, &mock.endpoint).into_iter().collect(), "{}\n{text}", case.id);
    }
    assert!(mock.repositories().contains("\"repositories\":[]"), "all that was made is removed");
}

#[test]
fn the_aws_cli_is_answered_what_ecrspec_is() {
    let Some(aws) = installed::aws() else { return };
    if !has_tool("awk") {
        return;
    }
    let mock = Mock::start(&["--service", "ecr"]);
    let folder = aws.parent().filter(|folder| !folder.as_os_str().is_empty());
    let path = folder.map_or_else(String::new, |folder| format!("{}:", folder.display()));
    for case in some(3, |case| is_sent_by("aws-cli", case) && script::aws_cli(case, &to("x")).is_ok()) {
        let text = script::aws_cli(&case, &to(&mock.endpoint)).unwrap();
        let path = format!("{path}{}", std::env::var("PATH").unwrap());
        let output = run_with(Command::new("sh").env("PATH", path), &text);
        assert!(output.status.success(), "{}: {}\n{text}", case.id, err(&output));
        for (step, error) in driven(&case, &mock.endpoint) {
            let told = match error {
                None => format!("{step} success {{"),
                Some(name) => format!("{step} error An error occurred ({name}) when calling"),
            };
            assert!(out(&output).contains(&told), "{}: {told}: {}", case.id, out(&output));
        }
    }
    assert!(mock.repositories().contains("\"repositories\":[]"), "all that was made is removed");
}

/// An editor, as far as these files need one: it sends request after request, and puts what was answered into those that
/// follow.
fn edited(file: &str) -> Vec<(String, Value)> {
    let mut variables: BTreeMap<String, String> = BTreeMap::new();
    let mut answers: Vec<(String, Value)> = Vec::new();
    let (settings, requests) = file.split_once("###\n").unwrap();
    for line in settings.lines().filter_map(|line| line.strip_prefix('@')) {
        let (name, value) = line.split_once(" = ").unwrap();
        variables.insert(String::from(name), String::from(value));
    }
    for request in requests.split("###\n") {
        let mut text = String::from(request);
        while let Some((before, rest)) = text.split_once("{{") {
            let (name, after) = rest.split_once("}}").unwrap();
            let value = variables.get(name).cloned().unwrap_or_else(|| {
                let (request, path) = name.split_once(".response.body.$.").unwrap();
                let (_, answer) = answers.iter().find(|(name, _)| name == request).unwrap();
                let found = path.split('.').fold(answer, |value, member| &value[member]);
                found.as_str().map_or_else(|| found.to_string(), String::from)
            });
            text = format!("{before}{value}{after}");
        }
        let (head, body) = text.split_once("\n\n").unwrap();
        let mut lines = head.lines();
        let name = lines.next().unwrap().strip_prefix("# @name ").unwrap();
        let (method, url) = lines.next().unwrap().split_once(' ').unwrap();
        let headers = lines.map(|line| line.split_once(": ").unwrap());
        let plain = envelope::plain(Service::Ecr, None, Bytes::from(String::from(body.trim_end())));
        let request = Request {
            method: String::from(method),
            headers: headers.map(|(name, value)| (String::from(name), String::from(value))).collect(),
            ..plain
        };
        let http = Http::new(url, Timeouts::default()).unwrap();
        let exchange = Runtime::new().unwrap().block_on(http.send(request)).unwrap();
        answers
            .push((String::from(name), serde_json::from_slice(&exchange.response().unwrap().body).unwrap_or_default()));
    }
    answers
}

#[test]
fn a_file_of_requests_is_answered_what_ecrspec_is() {
    let mock = Mock::start(&["--service", "ecr"]);
    let is_plain =
        |case: &Case| case.steps.iter().all(|step| step.name.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    for case in some(14, |case| is_plain(case) && script::requests(case, &to("x")).is_ok()) {
        let text = script::requests(&case, &to(&mock.endpoint)).unwrap();
        let answers = edited(&text).into_iter().filter(|(name, _)| !name.starts_with("repository_"));
        let error = |answer: &Value| answer["__type"].as_str().map(|name| name.rsplit('#').next().unwrap().to_string());
        let answers: Answers = answers.map(|(name, answer)| (name, error(&answer))).collect();
        assert_eq!(answers, driven(&case, &mock.endpoint), "{}\n{text}", case.id);
    }
    assert!(mock.repositories().contains("\"repositories\":[]"), "all that was made is removed");
}

/// The service of the Rust form.
fn server() -> impl ecrspec::drive::Server {
    ecrspec::mock::router(std::sync::Arc::new(ecrspec::mock::Mock::new(&[Service::Ecr])))
}

// What `explain CASE --as rust` prints, compiled and run.
include!("reproduction/case.rs");

#[test]
fn the_rust_form_is_the_one_that_is_compiled_here() {
    let case = find(Service::Ecr, WRONG).unwrap().unwrap();
    assert_eq!(script::rust(&case), include_str!("reproduction/case.rs"));
}

/// Every case has a form, or a reason why it has none; and no Python that is no Python.
#[test]
fn every_case_has_its_forms_or_says_why_not() {
    let mut scripts = Vec::new();
    let mut requests = 0;
    for service in Service::ALL {
        for case in suite(service).unwrap() {
            let is_plain = case.steps.iter().all(|step| step.request.signature.is_valid());
            if !is_plain {
                let forms = [script::boto3(&case, &to("x")), script::requests(&case, &to("x"))];
                let told = |form: Result<String, Unscriptable>| matches!(form, Err(Unscriptable::Signature(_)));
                assert!(forms.into_iter().all(told), "{}", case.id);
            } else if is_sent_by("boto3", &case) {
                let forms = [script::boto3(&case, &to("x")), script::aws_cli(&case, &to("x"))];
                let is_escaped = |reference: &Reference| matches!(reference, Reference::Escaped { .. });
                let escaped = case.steps.iter().any(|step| step.request.body.references().any(is_escaped));
                let told = |form: &Result<String, Unscriptable>| match form {
                    Ok(_) => !escaped,
                    Err(why) => escaped && matches!(why, Unscriptable::Body(_)),
                };
                assert!(forms.iter().all(told), "{}: {forms:?}", case.id);
                scripts.extend(forms.into_iter().next().unwrap().ok());
            }
            match script::requests(&case, &to("http://127.0.0.1:5000")) {
                Ok(_) => requests += 1,
                Err(Unscriptable::Alias | Unscriptable::Repositories | Unscriptable::Nul(_)) => {
                    panic!("{}: not without --repository", case.id)
                }
                Err(_) => {}
            }
        }
    }
    assert!(scripts.len() > 500 && requests > 1500, "{} {requests}", scripts.len());
    let Some(python) = installed::python() else { return };
    let check = "import ast, json, sys\nfor text in json.load(sys.stdin): ast.parse(text)";
    let output = run_with(Command::new(python).args(["-c", check]), &serde_json::to_string(&scripts).unwrap());
    assert!(output.status.success(), "{}", err(&output));
}

/// The clients sign by themselves; a server that verifies that takes what they send.
#[test]
fn forms_are_signed_where_the_run_is() {
    let mock = Mock::start(&["--service", "ecr", "--require-auth", "AKIDOWN:own/secret", "--region", "eu-west-1"]);
    let case = find(Service::Ecr, WRONG).unwrap().unwrap();
    let to = Destination { sigv4: Some("eu-west-1"), ..to(&mock.endpoint) };
    let keys = [("AWS_ACCESS_KEY_ID", "AKIDOWN"), ("AWS_SECRET_ACCESS_KEY", "own/secret")];
    let file = script::requests(&case, &to).unwrap();
    let line = "Authorization: AWS {{$processEnv AWS_ACCESS_KEY_ID}} {{$processEnv AWS_SECRET_ACCESS_KEY}} region:eu-west-1 \
                service:ecr\n";
    assert_eq!(file.matches(line).count(), file.matches("# @name ").count(), "{file}");
    if let Some(python) = installed::python() {
        let text = script::boto3(&case, &to).unwrap();
        let output = run_with(Command::new(python).arg("-").envs(keys), &text);
        assert!(out(&output).contains("InvalidLayerException"), "{}{}", out(&output), err(&output));
    }
    if let Some(aws) = installed::aws() {
        let text = script::aws_cli(&case, &to).unwrap();
        let path = format!("{}:{}", aws.parent().unwrap().display(), std::env::var("PATH").unwrap());
        let output = run_with(Command::new("sh").envs(keys).env("PATH", path), &text);
        let told = "focus error An error occurred (InvalidLayerException)";
        assert!(out(&output).contains(told), "{}{}", out(&output), err(&output));
    }
}

/// Whatever a scenario says is data in the script.
#[test]
fn no_text_of_a_case_is_code_in_python() {
    let Some(python) = installed::python() else { return };
    let mock = Mock::start(&["--service", "ecr"]);
    let folder = tempfile::TempDir::new().unwrap();
    let canary = folder.path().join("canary");
    let open = format!("open({:?}, 'w')", canary.to_str().unwrap());
    for text in [
        format!("\"); {open} #"),
        format!("'); {open} #"),
        format!("\\\"); {open} #"),
        format!("\n{open}\n"),
        format!("\r{open}\n#"),
        format!("\u{2028}{open}"),
        format!("=1); {open} #"),
        format!("{{{open}}}"),
        String::from("\u{1b}[2J"),
    ] {
        let quoted = serde_json::to_string(&text).unwrap();
        let yaml = format!(
            "title: {quoted}\nservices: [ecr]\nbytes: {{layer: {{text: {quoted}}}}}\nsteps:\n  - name: upload\n    call: \
             InitiateLayerUpload\n    body: {{repositoryName: {quoted}}}\n    judged: false\n  - name: part\n    call: \
             UploadLayerPart\n    judged: false\n    \
             body: {{repositoryName: \"${{repository}}\", uploadId: {quoted}, partFirstByte: 0, partLastByte: 1, \
             layerPartBlob: \"${{base64:layer}}\"}}\n  - name: make\n    call: CreateRepository\n    judged: false\n    body: \
             {{repositoryName: \"${{repository}}-2\", {quoted}: 1}}\n"
        );
        let case = ecrspec::scenario::parse("x.yaml", "x", &yaml).unwrap_or_else(|why| panic!("{why}\n{yaml}"));
        let script = script::boto3(&case.cases[0], &to(&mock.endpoint)).unwrap();
        let output = run_with(Command::new(&python).arg("-"), &script);
        assert!(!canary.exists(), "{script}");
        assert!(out(&output).contains("\npart 400 "), "{}\n{script}", err(&output));
        assert!(!out(&output).contains('\u{1b}') && !script.contains('\u{1b}'), "{script}");
    }
}

#[test]
fn what_a_client_does_not_send_is_said() {
    for (form, case, why) in [
        ("boto3", "wire/method/get", "boto3 does not send wire/method/get: it chooses the "),
        ("aws-cli", "UploadLayerPart/layerPartBlob/required/absent", "Missing required parameter in input"),
        ("http", "wire/framing/chunks/InitiateLayerUpload-one", "cannot be a script: the client chooses the framing"),
    ] {
        let output = ecrspec(&["explain", case, "--as", form, "--service", "ecr"]);
        assert_eq!(output.status.code(), Some(2), "{}", out(&output));
        assert!(err(&output).contains(why), "{}", err(&output));
    }
    let curl = ecrspec(&["explain", WRONG, "--as", "curl", "--service", "ecr"]);
    assert_eq!(out(&curl), out(&ecrspec(&["explain", WRONG, "--script", "--service", "ecr"])));
}
