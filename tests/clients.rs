//! boto3 and the AWS CLI as drivers: the mock passes through them, its faults are found through them, and what they send is
//! what the guide says. Tests of a client that is not installed are skipped: see `installed`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ecrspec::case::{Case, StepRole};
use ecrspec::contract::{Role, RuleId, Service};
use ecrspec::drive::named::DriverName;
use ecrspec::drive::{Call, Target, Way};
use ecrspec::suite::suite;
use ecrspec::wire::{Body, Unsendable};
use serde_json::json;
use snapbox::{Data, assert_data_eq};
use tempfile::TempDir;

mod binary;
mod installed;

use binary::{Mock, ecrspec, err, last_line, out};

/// A few cases that take all that there is in a driver: bytes, numbers, lists, errors with members, calls at once.
const FEW: [&str; 5] = [
    "CompleteLayerUpload/layerDigests/match",
    "UploadLayerPart/partFirstByte",
    "UploadLayerPart/accepted",
    "InitiateLayerUpload/repositoryName",
    "BatchCheckLayerAvailability/accepted",
];

fn filters<'a>(few: &[&'a str]) -> Vec<&'a str> {
    few.iter().flat_map(|filter| ["--filter", filter]).collect()
}

#[test]
fn the_mock_passes_through_boto3() {
    let Some(python) = installed::python() else { return };
    let output = ecrspec(&[&["run"], &installed::flags("boto3", "--python", &python)[..], &filters(&FEW)].concat());
    assert_eq!(output.status.code(), Some(0), "{}{}", out(&output), err(&output));
    assert!(out(&output).contains("\ndriver     boto3 1."), "{}", out(&output));
    assert!(last_line(&output).starts_with("PASS"), "{}", out(&output));
    let unseen = "answer/type-visible, answer/unique-members: boto3 1.";
    assert!(out(&output).contains(unseen), "{}", out(&output));
    assert!(!out(&output).contains("answer/status"), "boto3 shows the status: {}", out(&output));
}

#[test]
fn the_mock_passes_through_the_aws_cli() {
    let Some(aws) = installed::aws() else { return };
    let few = ["=CompleteLayerUpload/layerDigests/match/wrong", "=UploadLayerPart/accepted/plain"];
    let run = ["run", "--service", "ecr"];
    let output = ecrspec(&[&run[..], &installed::flags("aws-cli", "--aws", &aws), &filters(&few)].concat());
    assert_eq!(output.status.code(), Some(0), "{}{}", out(&output), err(&output));
    assert!(out(&output).contains("\ndriver     AWS CLI "), "{}", out(&output));
    let unseen = "shows no HTTP responses, and of an error no members";
    assert!(out(&output).contains(unseen), "{}", out(&output));
}

/// Faults, with the rule that they break for boto3, what comes, and what whoever calls boto3 reads.
const FAULTS: [(&str, &str, &str, &str, &str); 9] = [
    (
        "digests-not-compared",
        "=CompleteLayerUpload/layerDigests/match/wrong",
        "rule      CompleteLayerUpload/layerDigests/match,",
        "got       200\n",
        "",
    ),
    (
        // Other SDKs find it; boto3 puts the status in its place.
        "type-in-code",
        "=CompleteLayerUpload/layerDigests/match/wrong",
        "rule      answer/error-type,",
        "got       400 without-type\n",
        "client    ClientError: An error occurred (400) when calling the CompleteLayerUpload operation",
    ),
    (
        "type-in-header-alone",
        "=CompleteLayerUpload/layerDigests/match/wrong",
        "rule      answer/error-type,",
        "got       400 without-type\n",
        "client    ClientError: An error occurred (400) when calling the CompleteLayerUpload operation",
    ),
    (
        // For boto3, what stands in the header is not there. Its model has an exception of the other name.
        "type-in-header",
        "=CompleteLayerUpload/layerDigests/match/wrong",
        "rule      CompleteLayerUpload/layerDigests/match,",
        "got       400 ValidationException\n",
        "client    ValidationException: An error occurred (ValidationException)",
    ),
    (
        "type-in-lower-case",
        "=CompleteLayerUpload/layerDigests/match/wrong",
        "rule      CompleteLayerUpload/layerDigests/match,",
        "got       400 invalidLayerException\n",
        "client    ClientError: An error occurred (invalidLayerException)",
    ),
    (
        "error-in-a-list",
        "=CompleteLayerUpload/layerDigests/match/wrong",
        "rule      answer/error-type,",
        "got       400 without-type\n",
        "client    AttributeError: 'list' object has no attribute 'get'",
    ),
    (
        "errors-as-html",
        "=CompleteLayerUpload/layerDigests/match/wrong",
        "rule      answer/error-type,",
        "got       400 without-type\n",
        "client    ClientError: An error occurred (400)",
    ),
    (
        "digest-in-upper-case",
        "=CompleteLayerUpload/accepted/plain",
        "rule      CompleteLayerUpload/answer/layerDigest,",
        "got       200 with",
        "",
    ),
    (
        "complete-in-pascal-case",
        "=CompleteLayerUpload/accepted/plain",
        "rule      CompleteLayerUpload/answer/",
        "got       200 without",
        "",
    ),
];

#[test]
fn faults_of_the_mock_are_found_through_boto3() {
    let Some(python) = installed::python() else { return };
    for (fault, filter, rule, got, client) in FAULTS {
        let mock = Mock::start(&["--fault", fault]);
        let flags = installed::flags("boto3", "--python", &python);
        let output = mock.run(&[&flags[..], &["--service", "ecr", "--filter", filter]].concat());
        let report = out(&output);
        assert_eq!(output.status.code(), Some(1), "{fault}: {report}{}", err(&output));
        for text in [rule, got, client] {
            assert!(report.contains(text), "{fault}: no {text:?} in {report}");
        }
        let command = format!("--driver boto3 --python {} --service ecr", python.display());
        assert!(report.contains(&command), "{fault}: no {command} in {report}");
    }
}

/// What boto3 does not show cannot be wrong: the same target, without a finding.
#[test]
fn what_boto3_does_not_show_is_no_finding() {
    let Some(python) = installed::python() else { return };
    for fault in ["content-type-json", "content-type-missing"] {
        let mock = Mock::start(&["--fault", fault]);
        let flags = installed::flags("boto3", "--python", &python);
        let few = filters(&["=CompleteLayerUpload/layerDigests/match/wrong", "=UploadLayerPart/accepted/plain"]);
        let output = mock.run(&[&flags[..], &few, &["--service", "ecr"]].concat());
        assert_eq!(output.status.code(), Some(0), "{fault}: {}{}", out(&output), err(&output));
    }
}

/// The selftest tells which faults a client finds, and why it cannot find others.
#[test]
fn the_selftest_says_which_faults_boto3_finds() {
    let Some(python) = installed::python() else { return };
    let wanted = ["--service", "ecr", "--filter", "digests-none", "--filter", "type-twice", "--filter", "digests-101"];
    let output = ecrspec(&[&["selftest"], &installed::flags("boto3", "--python", &python)[..], &wanted].concat());
    let report = out(&output);
    assert_eq!(output.status.code(), Some(0), "{report}{}", err(&output));
    let line = |fault: &str| report.lines().find(|line| line.contains(fault)).unwrap_or_default();
    assert!(line("digests-101").contains("CompleteLayerUpload/layerDigests/max-items/"), "{report}");
    assert!(
        line("digests-none").contains("sends no case of CompleteLayerUpload/layerDigests/min-items: Inv"),
        "{report}"
    );
    assert!(line("type-twice").contains("does not show what answer/unique-members is about"), "{report}");
    let total = "faults found 1 of 3 (2 cannot be found by this client)";
    assert!(last_line(&output).starts_with(total), "{report}");
}

#[test]
fn a_fault_of_the_mock_is_found_through_the_aws_cli() {
    let Some(aws) = installed::aws() else { return };
    let mock = Mock::start(&["--fault", "type-in-code"]);
    let flags = installed::flags("aws-cli", "--aws", &aws);
    let filter = ["--service", "ecr", "--filter", "=CompleteLayerUpload/layerDigests/match/wrong"];
    let output = mock.run(&[&flags[..], &filter].concat());
    let report = out(&output);
    assert_eq!(output.status.code(), Some(1), "{report}{}", err(&output));
    for text in ["got       400 without-type\n", "client    An error occurred (400) when calling the Complete"] {
        assert!(report.contains(text), "no {text:?} in {report}");
    }
}

#[test]
fn both_clients_go_over_tls() {
    let folder = TempDir::new().unwrap();
    let bundle = folder.path().join("ca.pem");
    let mock = Mock::start_tls(&[], &bundle);
    let few = ["--service", "ecr", "--filter", "=InitiateLayerUpload/accepted/plain"];
    for (driver, flag, program) in [("boto3", "--python", installed::python()), ("aws-cli", "--aws", installed::aws())]
    {
        let Some(program) = program else { continue };
        let flags = installed::flags(driver, flag, &program);
        let output = mock.run(&[&flags[..], &few].concat());
        assert_eq!(output.status.code(), Some(0), "{driver}: {}{}", out(&output), err(&output));
        let insecure = ["run", "--endpoint", &mock.endpoint, "--insecure"];
        let output = ecrspec(&[&insecure[..], &flags, &few].concat());
        assert_eq!(output.status.code(), Some(0), "{driver}: {}{}", out(&output), err(&output));
        let output = ecrspec(&[&["run", "--endpoint", &mock.endpoint], &flags[..], &few].concat());
        assert_eq!(output.status.code(), Some(3), "{driver}: {}{}", out(&output), err(&output));
        assert!(err(&output).contains("certificate: unknown issuer"), "{driver}: {}", err(&output));
    }
}

/// A program in the place of Python that tells a version, and then does this with calls.
#[cfg(unix)]
fn pretended(folder: &TempDir, does: &str) -> std::path::PathBuf {
    use std::os::unix::fs::PermissionsExt as _;

    let path = folder.path().join("python");
    let script = format!("#!/bin/sh\ncase \"$2\" in *'print(boto3'*) echo 1.0; exit;; esac\n{does}\n");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[cfg(unix)]
#[test]
fn a_worker_that_dies_says_nothing_about_the_target() {
    let folder = TempDir::new().unwrap();
    let ready = "read settings; echo '{}'; read call";
    for does in ["exit 1", ready, &format!("{ready}; echo nonsense"), &format!("{ready}; kill -9 $$")] {
        let python = pretended(&folder, does);
        let flags = installed::flags("boto3", "--python", &python);
        let began = Instant::now();
        let output = ecrspec(
            &[&["run", "--service", "ecr", "--filter", "=CompleteLayerUpload/accepted/plain"], &flags[..]].concat(),
        );
        assert_eq!(output.status.code(), Some(3), "{does}: {}{}", out(&output), err(&output));
        assert!(began.elapsed() < Duration::from_secs(60), "{does}");
    }
}

#[test]
fn a_client_that_is_missing_is_said() {
    let rows = [("boto3", "--python", "pip install boto3"), ("aws-cli", "--aws", "pip install awscli")];
    for (driver, flag, install) in rows {
        let output = ecrspec(&["run", "--driver", driver, flag, "/no/such/program"]);
        assert_eq!(output.status.code(), Some(2), "{driver}");
        let told = format!("--driver {driver}: /no/such/program: ");
        assert!(err(&output).contains(&told) && err(&output).contains(install), "{}", err(&output));
    }
}

/// A driver for boto3 that is never asked to send.
fn target(python: &std::path::Path) -> Target {
    let way = Way { python: Some(python.to_path_buf()), ..Way::to("http://127.0.0.1:1") };
    Target::new("boto3".parse::<DriverName>().unwrap().driver(&way).unwrap())
}

/// Asks botocore whether it would send each call that is a line, and says why not.
const VALIDATOR: &str = r#"
import base64, json, sys
import botocore.session, botocore.validate
session = botocore.session.get_session()
models = {}
for line in sys.stdin:
    call = json.loads(line)
    model = models.setdefault(call["service"], session.get_service_model(call["service"]))
    members = dict(call["members"])
    for name, value in members.items():
        if name == "layerPartBlob" and isinstance(value, str):
            members[name] = value.encode()
    report = botocore.validate.ParamValidator().validate(members, model.operation_model(call["operation"]).input_shape)
    print(json.dumps(report.generate_report()))
"#;

/// What is said in advance of what botocore rejects is what it rejects.
#[test]
fn what_botocore_rejects_is_known_in_advance() {
    let Some(python) = installed::python() else { return };
    let target = target(&python);
    let mut asked = Vec::new();
    for case in Service::ALL.into_iter().flat_map(|service| suite(service).unwrap()) {
        for step in case.steps.iter().filter(|step| step.operation.is_some_and(|one| one.role() == Role::Layer)) {
            let said = target.cannot_send(case.service, &step.request);
            let request = step.request.with_body(Body::from(step.request.body.to_bytes()));
            let Ok(call) = Call::of(case.service, &request) else { continue };
            if case.service.contract().operation(call.operation).is_none() {
                continue;
            }
            asked.push((format!("{} {} {}", case.service, case.id, step.name), case.service, call, said));
        }
    }
    assert!(asked.len() > 3000, "{}", asked.len());
    let mut process = Command::new(&python);
    process.args(["-c", VALIDATOR]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = process.spawn().unwrap();
    let mut calls = process.stdin.take().unwrap();
    let lines: String = asked
        .iter()
        .map(|(_, service, call, _)| {
            let call = json!({"service": service, "operation": call.operation, "members": call.members});
            format!("{call}\n")
        })
        .collect();
    let writer = std::thread::spawn(move || calls.write_all(lines.as_bytes()).unwrap());
    let output = process.wait_with_output().unwrap();
    writer.join().unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.lines().count(), asked.len());
    for ((id, _, call, said), told) in asked.iter().zip(output.lines()) {
        let told: String = serde_json::from_str(told).unwrap();
        match said {
            None => assert_eq!(told, "", "{id}: it would not be sent: {call:?}"),
            // It takes bytes: what is no base64 cannot be told to it.
            Some(Unsendable::RejectedByClient { why, .. }) if why.contains("it takes bytes") => {}
            // The client signs, and always well.
            Some(Unsendable::NotSigned) => {}
            Some(why) => assert_ne!(told, "", "{id}: it would be sent: {why}"),
        }
    }
}

/// The page that says what reaches the wire. `SNAPSHOTS=overwrite cargo test --test clients` writes it anew.
#[test]
fn the_guide_says_what_the_clients_send() {
    let mut page = String::from(
        "# What the clients send\n\n\
         boto3 and the AWS CLI validate parameters by the same code, that of botocore. For each rule about requests: of how \
         many cases they send every request, and what they say of the others. Those are *not sent* in a run, and skipped. \
         Written by `SNAPSHOTS=overwrite cargo test --test clients`.\n",
    );
    for service in Service::ALL {
        let _ = write!(page, "\n## {service}\n\n| rule | sent | of | not sent, since |\n| --- | --- | --- | --- |\n");
        for (rule, Sent { sent, of, whys }) in sent(service) {
            // The usual reason; a case may break a second rule besides.
            let why = whys.iter().max_by_key(|(_, cases)| **cases).map_or("", |(why, _)| why.as_str());
            let more = if whys.len() > 1 { format!(" (and {} more)", whys.len() - 1) } else { String::new() };
            let _ = writeln!(page, "| `{rule}` | {sent} | {of} | {why}{more} |");
        }
    }
    let path = format!("{}/docs/src/clients-send.md", env!("CARGO_MANIFEST_DIR"));
    assert_data_eq!(page, Data::read_from(path.as_ref(), None).raw());
}

/// How many cases of a rule are sent, of how many, and for which reasons how many others are not.
#[derive(Default)]
struct Sent {
    sent: usize,
    of: usize,
    whys: BTreeMap<String, usize>,
}

fn sent(service: Service) -> BTreeMap<String, Sent> {
    let boto3: DriverName = "boto3".parse().unwrap();
    let mut rules: BTreeMap<String, Sent> = BTreeMap::new();
    let own = |case: &Case| case.id.split('/').next().is_some_and(|area| !["scenarios", "auth"].contains(&area));
    for case in suite(service).unwrap().iter().filter(|case| own(case)) {
        for step in case.steps.iter().filter(|step| step.role == StepRole::Focus) {
            let rule: RuleId = step.expect.rule;
            let counts = rules.entry(rule.to_string()).or_default();
            counts.of += 1;
            match boto3.cannot_try(case) {
                None => counts.sent += 1,
                Some(why) => *counts.whys.entry(generic(&why)).or_default() += 1,
            }
        }
    }
    rules
}

/// A reason without the values of a case.
fn generic(why: &str) -> String {
    let why = why.split(", value:").next().unwrap_or(why);
    let why = if why.starts_with("Unknown parameter") { "Unknown parameter in input" } else { why };
    let why = why.split(", which is").next().unwrap_or(why);
    why.trim_end_matches(" here").replace('|', "\\|")
}

#[test]
fn clients_sign_with_the_credentials_of_the_user() {
    let (token, region) = ("a session token of twenty", "eu-west-1");
    let requires = format!("AKIDCLIENT:the secret of the client:{token}");
    let mock = Mock::start(&["--require-auth", &requires, "--region", region]);
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("credentials");
    let keys = |secret: &str| format!("aws_access_key_id = AKIDCLIENT\naws_secret_access_key = {secret}\n");
    let named = format!("[named]\n{}aws_session_token = {token}\n", keys("the secret of the client"));
    fs::write(&file, format!("[default]\n{}{named}", keys("another secret"))).unwrap();
    let run = |client: &[&str], profile: &[&str], secret: Option<&str>| {
        let endpoint = ["run", "--endpoint", &mock.endpoint, "--auth", "sigv4", "--region", region, "--service", "ecr"];
        let filter = ["--filter", "=InitiateLayerUpload/accepted/plain"];
        let mut command = binary::command(&[&endpoint, client, profile, &filter[..]].concat(), folder.path());
        command.env("AWS_SHARED_CREDENTIALS_FILE", &file).env("AWS_EC2_METADATA_DISABLED", "true");
        if let Some(secret) = secret {
            command.env("AWS_ACCESS_KEY_ID", "AKIDCLIENT").env("AWS_SECRET_ACCESS_KEY", secret);
            command.env("AWS_SESSION_TOKEN", token);
        }
        command.output().unwrap()
    };
    let (python, aws) = (installed::python(), installed::aws());
    let boto3 = python.as_deref().map(|python| installed::flags("boto3", "--python", python));
    let cli = aws.as_deref().map(|aws| installed::flags("aws-cli", "--aws", aws));
    for client in [boto3, cli].into_iter().flatten() {
        let rows = [
            (&[][..], Some("the secret of the client"), 0),
            // The profile that somebody names wins over the environment, and over the default one.
            (&["--profile-name", "named"], Some("a wrong secret"), 0),
            (&[], Some("a wrong secret"), 3),
            (&[], None, 3),
        ];
        for (profile, secret, code) in rows {
            let output = run(&client, profile, secret);
            let told = format!("{client:?} {profile:?} {secret:?}: {}{}", out(&output), err(&output));
            assert_eq!(output.status.code(), Some(code), "{told}");
            assert!(code == 0 || out(&output).contains("InvalidSignatureException"), "{told}");
        }
    }
}
