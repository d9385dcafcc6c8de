//! Signatures: requests that are signed with credentials of every source, a server that looks at them, and secrets that
//! nobody is told.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::future::ProvideCredentials as Provided;
use aws_credential_types::provider::{ProvideCredentials, Result as Given};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use bytes::Bytes;
use ecrspec::contract::{Operation, Service};
use ecrspec::drive::http::{Http, Timeouts};
use ecrspec::drive::{Driver, InProcess, Signer, Signing, Target};
use ecrspec::mock::{Keys, Mock as Library, REGION, router};
use ecrspec::report::format::FORMATS;
use ecrspec::wire::{Body, Framing, Outgoing, Request, Signature, envelope};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::binary::{Mock, command, err, has_tool, out};
use crate::shell;
use crate::shell::{Arrived, Recorder};

const KEY: &str = "AKIAECRSPECCANARY000";
const SECRET: &str = "canary/of+a/secret+key/0123456789abcdefABC";
const TOKEN: &str = "canary//of++a//session//token==";

/// The binary with these variables and no others of AWS.
fn with(environment: &[(&str, &str)], arguments: &[&str], folder: &Path) -> Command {
    let mut command = command(arguments, folder);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
        command.env_remove(name);
    }
    let absent = folder.join("absent");
    command.env("AWS_CONFIG_FILE", &absent).env("AWS_SHARED_CREDENTIALS_FILE", &absent);
    command.env("AWS_EC2_METADATA_DISABLED", "true").envs(environment.iter().copied());
    command
}

fn run(environment: &[(&str, &str)], arguments: &[&str]) -> Output {
    let folder = TempDir::new().unwrap();
    with(environment, arguments, folder.path()).output().unwrap()
}

/// A mock that requires the signature of these keys.
fn strict(more: &[&str]) -> Mock {
    let keys = format!("{KEY}:{SECRET}");
    Mock::start(&[&["--service", "ecr", "--require-auth", &keys], more].concat())
}

const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", KEY), ("AWS_SECRET_ACCESS_KEY", SECRET)];

const PLAIN: &str = "=InitiateLayerUpload/accepted/plain";

#[test]
fn signed_requests_are_accepted_where_signatures_are_looked_at() {
    let mock = strict(&[]);
    let endpoint = ["run", "--service", "ecr", "--endpoint", &mock.endpoint];
    for filter in ["auth", "wire", "scenarios/races/first-parts"] {
        let output = run(&KEYS, &[&endpoint[..], &["--auth", "sigv4", "--cases", "0", "--filter", filter]].concat());
        assert_eq!(output.status.code(), Some(0), "{filter}: {}{}", out(&output), err(&output));
    }
    for (auth, error) in [("none", "MissingAuthenticationTokenException"), ("dummy", "InvalidSignatureException")] {
        let output = run(&[], &[&endpoint[..], &["--auth", auth, "--filter", PLAIN]].concat());
        assert_eq!(output.status.code(), Some(3), "{}", out(&output));
        assert!(out(&output).contains(error), "{auth}: {}", out(&output));
    }
}

#[test]
fn the_embedded_mock_looks_at_the_signatures_of_the_run() {
    let output = run(&KEYS, &["run", "--auth", "sigv4", "--filter", "auth", "--cases", "0"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", out(&output), err(&output));
    assert!(!out(&output).contains("not tested"), "{}", out(&output));
    let token = [KEYS[0], KEYS[1], ("AWS_SESSION_TOKEN", TOKEN), ("AWS_REGION", "eu-north-1")];
    let output = run(&token, &["run", "--auth", "sigv4", "--filter", PLAIN, "--service", "ecr"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", out(&output), err(&output));
    let told = "auth sigv4 for eu-north-1, signatures themselves not tested (--filter auth does)";
    assert!(out(&output).contains(told), "{}", out(&output));
}

#[test]
fn cases_of_signatures_are_tried_on_demand_alone() {
    for auth in ["none", "dummy"] {
        let output = run(&[], &["run", "--filter", "auth", "--auth", auth]);
        assert_eq!(output.status.code(), Some(2), "{}", out(&output));
        let told = "--filter: the cases about signatures take --auth sigv4";
        assert!(err(&output).contains(told), "{}", err(&output));
    }
    let replayed = out(&run(&[], &["replay", "auth/signature/match/other-secret", "--service", "ecr"]));
    assert!(replayed.contains("it is about signatures, and requests are not signed"), "{replayed}");
    let listed = out(&run(&[], &["list", "--service", "ecr"]));
    assert!(listed.contains("auth/signature/match/other-secret"), "{listed}");
}

#[test]
fn credentials_come_from_every_source_of_the_chain() {
    let mock = strict(&[]);
    let folder = TempDir::new().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let credentials = file(
        "credentials",
        &format!(
            "[default]\naws_access_key_id = AKIDOTHER\naws_secret_access_key = other/secret\n\n[ci]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n"
        ),
    );
    let json = file("given.json", &format!(r#"{{"Version":1,"AccessKeyId":"{KEY}","SecretAccessKey":"{SECRET}"}}"#));
    let config = file("config", &format!("[profile by-process]\nregion = {REGION}\ncredential_process = cat {json}\n"));
    let wrong = [("AWS_ACCESS_KEY_ID", "AKIDOTHER"), ("AWS_SECRET_ACCESS_KEY", "other/secret")];
    let files = [("AWS_SHARED_CREDENTIALS_FILE", credentials.as_str()), ("AWS_CONFIG_FILE", config.as_str())];
    let named = [("AWS_PROFILE", "ci")];
    type Environment<'a> = &'a [(&'a str, &'a str)];
    let rows: [(&[Environment], &[&str], i32); 7] = [
        (&[&KEYS], &[], 0),
        (&[&wrong], &[], 3),
        (&[&files], &[], 3),
        (&[&files, &named], &[], 0),
        (&[&files], &["--profile-name", "ci"], 0),
        (&[&files], &["--profile-name", "by-process"], 0),
        // Who names a profile means that one.
        (&[&files, &wrong], &["--profile-name", "ci"], 0),
    ];
    for (environment, flags, code) in rows {
        let run_one = ["run", "--endpoint", &mock.endpoint, "--service", "ecr", "--filter", PLAIN, "--auth", "sigv4"];
        let output = run(&environment.concat(), &[&run_one[..], flags].concat());
        assert_eq!(output.status.code(), Some(code), "{flags:?}: {}{}", out(&output), err(&output));
    }
    // Flags may stand in the settings file.
    let settings =
        format!("endpoint = \"{}\"\nauth = \"sigv4\"\nprofile-name = \"ci\"\nregion = \"{REGION}\"\n", mock.endpoint);
    fs::write(folder.path().join("ecrspec.toml"), settings).unwrap();
    let output = with(&files, &["run", "--service", "ecr", "--filter", PLAIN], folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}{}", out(&output), err(&output));
}

#[test]
fn what_is_missing_or_odd_is_said_before_anything_is_sent() {
    for (environment, flags, told) in [
        (&[][..], &["--auth", "sigv4"][..], "--auth sigv4: no credentials found: set AWS_ACCESS_KEY_ID"),
        (&[], &["--auth", "sigv4", "--profile-name", "absent"], "--auth sigv4: "),
        (&KEYS, &["--auth", "sigv4", "--region", "a b"], "--region: expected the name of a region"),
        (&KEYS, &["--region", "us-east-1"], "--region: expected --auth sigv4, found none"),
        (&KEYS, &["--auth", "dummy", "--profile-name", "ci"], "--profile-name: expected --auth sigv4, found dummy"),
    ] {
        let output = run(environment, &[&["run", "--filter", PLAIN][..], flags].concat());
        assert_eq!(output.status.code(), Some(2), "{flags:?}: {}", out(&output));
        assert!(err(&output).contains(told), "{flags:?}: {}", err(&output));
    }
    let output = run(&[], &["mock", "--require-auth", "AKID"]);
    assert!(err(&output).contains("expected KEY:SECRET, or KEY:SECRET:TOKEN"), "{}", err(&output));
}

/// A provider whose credentials are good for a while.
#[derive(Debug)]
struct Rotating {
    asked: Arc<AtomicUsize>,
    good_for: Duration,
}

impl ProvideCredentials for Rotating {
    fn provide_credentials<'a>(&'a self) -> Provided<'a>
    where
        Self: 'a,
    {
        let given: Given = match self.asked.fetch_add(1, Ordering::SeqCst) {
            0 | 1 => Ok(Credentials::new(KEY, SECRET, None, Some(SystemTime::now() + self.good_for), "test")),
            _ => Err(CredentialsError::provider_error(format!("the process said {SECRET}"))),
        };
        Provided::ready(given)
    }
}

#[test]
fn credentials_are_fetched_again_when_they_expire_and_not_before() {
    let runtime = Runtime::new().unwrap();
    for (good_for, calls, asked) in [(3600, 5, 1), (30, 2, 2), (0, 1, 1)] {
        let count = Arc::new(AtomicUsize::new(0));
        let signer = Signer::new(Rotating { asked: count.clone(), good_for: Duration::from_secs(good_for) }, REGION);
        for _ in 0..calls {
            runtime.block_on(signer.credentials()).unwrap();
        }
        assert_eq!(count.load(Ordering::SeqCst), asked, "good for {good_for} s");
    }
    // The provider fails: what is left of the others is used, and then there are none; nothing it said is told.
    let count = Arc::new(AtomicUsize::new(1));
    let signer = Signer::new(Rotating { asked: count, good_for: Duration::from_secs(2) }, REGION);
    assert!(runtime.block_on(signer.credentials()).is_ok());
    assert!(runtime.block_on(signer.credentials()).is_ok());
    std::thread::sleep(Duration::from_millis(2100));
    let error = runtime.block_on(signer.credentials()).unwrap_err();
    assert_eq!(error.to_string(), "no source gave credentials");
    assert!(!format!("{error:?} {signer:?}").contains("canary"), "{error:?} {signer:?}");
    // A request without credentials is not sent, and that is no fault of the target.
    let target = Target { signing: Signing::Sigv4(Arc::new(signer)), ..Target::new(in_process()) };
    let exchange = runtime.block_on(target.send(Service::Ecr, &request())).unwrap();
    assert_eq!(exchange.reply.unwrap_err().to_string(), "no connection (no credentials to sign with)");
}

fn keys() -> Keys {
    format!("{KEY}:{SECRET}").parse().unwrap()
}

fn in_process() -> Driver {
    Driver::InProcess(InProcess::new(router(Arc::new(Library::new(&[Service::Ecr]).requiring(keys(), REGION)))))
}

fn request() -> Outgoing {
    envelope::request(Service::Ecr, Operation::DescribeRepositories, Body::from(Bytes::from_static(b"{}")))
}

#[test]
fn every_framing_is_signed_and_what_is_kept_has_no_credentials() {
    let runtime = Runtime::new().unwrap();
    let mock = strict(&[]);
    for query in ["", "/?b=2&a=1%2F", "/some/path%20here/?x"] {
        let http = Http::new(&format!("{}{query}", mock.endpoint), Timeouts::default()).unwrap();
        let signer = Arc::new(Signer::with_keys(KEY, SECRET, None, REGION));
        let target = Target { signing: Signing::Sigv4(signer), ..Target::new(Driver::Http(http)) };
        for framing in Framing::ALL {
            let sent = Request { framing: *framing, ..request() };
            let exchange = runtime.block_on(target.send(Service::Ecr, &sent)).unwrap();
            assert_eq!(exchange.response().unwrap().status, 200, "{query} {framing:?}: {:?}", exchange.reply);
            assert_eq!(exchange.request, sent);
        }
        for signature in Signature::ALL {
            let absent = Body::from(Bytes::from_static(b"{\"repositoryName\":\"absent\"}"));
            let plain = envelope::request(Service::Ecr, Operation::InitiateLayerUpload, absent);
            let sent = Request { signature: *signature, ..plain };
            let exchange = runtime.block_on(target.send(Service::Ecr, &sent)).unwrap();
            let accepted = exchange.observed().unwrap().error_name() == Some("RepositoryNotFoundException");
            assert_eq!(accepted, signature.breaks().is_none(), "{signature:?}: {:?}", exchange.reply);
            assert_eq!(exchange.request, sent);
        }
    }
}

/// A text in the encodings in which somebody may quote it.
fn quoted(text: &str) -> Vec<String> {
    let bytes = text.as_bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let url: String = url::form_urlencoded::byte_serialize(bytes).collect();
    vec![
        text.to_owned(),
        hex.to_uppercase(),
        hex,
        url.to_lowercase(),
        url,
        STANDARD.encode(bytes),
        URL_SAFE.encode(bytes),
    ]
}

/// A registry that quotes in every answer what it was sent, and a secret that it guessed.
fn quoting() -> Recorder {
    let registry = Library::new(&[Service::Ecr]);
    Recorder::start(move |arrived: &Arrived| {
        let request = Request {
            method: arrived.method.clone(),
            headers: arrived.headers.clone(),
            body: Bytes::from(arrived.body.clone()),
            framing: Framing::Length,
            signature: Signature::Valid,
        };
        let answer = registry.answer(request).unwrap();
        let mut body: Value = serde_json::from_slice(&answer.body).unwrap();
        let sent = ["authorization", "x-amz-security-token"].map(|name| arrived.header(name).unwrap_or_default());
        let quotes = [sent[0], sent[1], signature_of(arrived), SECRET, TOKEN].map(quoted).concat();
        let inside = STANDARD.encode(format!("before {} between {SECRET} after", sent[0]));
        body["message"] = json!(format!("{} {inside}", quotes.join(" ")));
        body["quotes"] = json!(quotes);
        body.to_string().into_bytes()
    })
}

fn signature_of(arrived: &Arrived) -> &str {
    let authorization = arrived.header("authorization").unwrap_or_default();
    authorization.rsplit_once("Signature=").map_or("", |(_, signature)| signature)
}

#[test]
fn no_secret_is_told_whatever_the_target_quotes() {
    let target = quoting();
    let folder = TempDir::new().unwrap();
    let environment = [KEYS[0], KEYS[1], ("AWS_SESSION_TOKEN", TOKEN)];
    let report = |format: &str| format!("{format}={}", folder.path().join(format).display());
    let reports: Vec<String> =
        FORMATS.iter().flat_map(|format| [String::from("--report"), report(format.name)]).collect();
    let reports: Vec<&str> = reports.iter().map(String::as_str).collect();
    let flags = ["--endpoint", &target.endpoint, "--service", "ecr", "--auth", "sigv4"];
    let filters = [
        "--filter",
        "layerDigests/match",
        "--filter",
        "auth/signature",
        "--filter",
        "first-parts",
        "--cases",
        "5",
        "--record",
        "exchanges",
        "-v",
    ];
    let output =
        with(&environment, &[&["run"], &flags[..], &filters, &reports].concat(), folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}{}", out(&output), err(&output));
    let mut told = vec![(String::from("the terminal"), out(&output) + &err(&output))];
    for format in FORMATS {
        told.push((String::from(format.name), fs::read_to_string(folder.path().join(format.name)).unwrap()));
    }
    let log = folder.path().join("ndjson");
    let again = with(&environment, &["report", log.to_str().unwrap(), "-v"], folder.path()).output().unwrap();
    told.push((String::from("a report of the log"), out(&again) + &err(&again)));
    let case = "CompleteLayerUpload/layerDigests/match/wrong";
    let replayed =
        with(&environment, &[&["replay", case], &flags[..], &["-v"]].concat(), folder.path()).output().unwrap();
    told.push((String::from("a replay"), out(&replayed) + &err(&replayed)));
    let script =
        with(&environment, &[&["explain", case, "--script"], &flags[..]].concat(), folder.path()).output().unwrap();
    assert!(out(&script).contains("--aws-sigv4 aws:amz:us-east-1:ecr"), "{}", err(&script));
    told.push((String::from("a script"), out(&script) + &err(&script)));
    let arrived = target.take();
    let signatures: Vec<&str> = arrived.iter().map(signature_of).filter(|signature| signature.len() == 64).collect();
    assert!(signatures.len() > 100, "{}", signatures.len());
    // Looking for all of them in all that was told takes minutes.
    let signatures = signatures.iter().copied().step_by(signatures.len() / 50);
    let secrets: Vec<String> = [SECRET, TOKEN].into_iter().chain(signatures).flat_map(quoted).collect();
    for (whose, text) in &told {
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{whose} tells {secret}");
        }
        assert!(!text.contains("AWS4-HMAC-SHA256 Credential=AKIAECRSPEC") || text.contains("****"), "{whose}");
    }
    // What was quoted is in the log, as stars.
    assert!(told[1].1.contains(&"*".repeat(SECRET.len())), "nothing was quoted");
}

/// curl signs by itself: two programs that do not know each other agree with the mock.
#[cfg(unix)]
#[test]
fn a_script_of_a_signed_case_is_accepted_and_has_its_credentials_from_the_environment() {
    if !has_tool("curl") {
        return;
    }
    let keys = format!("{KEY}:{SECRET}:{TOKEN}");
    let mock = Mock::start(&["--service", "ecr", "--require-auth", &keys]);
    let environment = [KEYS[0], KEYS[1], ("AWS_SESSION_TOKEN", TOKEN)];
    for case in
        ["CompleteLayerUpload/accepted/plain", "wire/framing/expect/100-continue", "scenarios/repositories/deleted"]
    {
        let explain =
            ["explain", case, "--script", "--service", "ecr", "--auth", "sigv4", "--endpoint", &mock.endpoint];
        let script = out(&run(&environment, &explain));
        let ran = shell::run_with(Command::new("sh").envs(environment), &script);
        assert!(ran.status.success(), "{case}: {}{}", out(&ran), err(&ran));
        // A line has the name of the step, the status, and the body.
        let rejected = out(&ran).lines().any(|line| line.split(' ').nth(1) == Some("400"));
        assert_eq!(rejected, case.contains("deleted"), "{case}: {}", out(&ran));
        assert!(!out(&ran).contains("Token") && !out(&ran).contains("Signature"), "{case}: {}", out(&ran));
        let without = shell::run_with(Command::new("sh").env_remove("AWS_ACCESS_KEY_ID"), &script);
        assert!(!without.status.success() && err(&without).contains("AWS_ACCESS_KEY_ID"), "{}", err(&without));
    }
    let odd = run(&environment, &["explain", "auth/header/present/absent", "--script", "--auth", "sigv4"]);
    assert!(err(&odd).contains("the client does not send no signature"), "{}", err(&odd));
}

#[test]
fn a_dry_run_sends_nothing_and_counts_what_a_run_would_send() {
    let target = quoting();
    let dry =
        ["run", "--dry-run", "--service", "ecr", "--cases", "0", "--filter", "=CompleteLayerUpload/accepted/plain"];
    let counted = out(&run(&[], &[&dry[..], &["--endpoint", &target.endpoint]].concat()));
    assert_eq!(target.take(), [], "nothing is sent");
    for operation in
        ["InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload", "CreateRepository", "DeleteRepository"]
    {
        let row = counted.lines().find(|line| line.contains(operation)).unwrap_or_else(|| panic!("{counted}"));
        assert!(row.contains(" 1 calls "), "{row}");
    }
    assert!(counted.contains("left       nothing") && !counted.contains("minutes at least"), "{counted}");
    let aws = ["--endpoint", "https://api.ecr.us-east-1.amazonaws.com", "--allow-aws"];
    let counted = out(&run(&[], &[&dry[..], &aws].concat()));
    assert!(counted.contains("pace       at most half of the quotas of AWS"), "{counted}");
}
