//! The built binary: exit codes, and what it prints.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::binary::{Mock, call, command, ecrspec, err, has_tool, last_line, out};
use crate::shell;
use snapbox::{assert_data_eq, str};
use tempfile::TempDir;

const MATCH: &str = "CompleteLayerUpload/layerDigests/match";

#[test]
fn exit_0_judged_and_clean() {
    let output = ecrspec(&["run", "--filter", "scenarios/"]);
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    assert!(
        last_line(&output).starts_with("PASS  ") && last_line(&output).ends_with("exit 0)"),
        "{}",
        last_line(&output)
    );
}

#[test]
fn exit_1_findings() {
    let mock = Mock::start(&["--fault", "digests-not-compared", "--service", "ecr"]);
    let output = mock.run(&["--service", "ecr", "--filter", &format!("={MATCH}/wrong")]);
    assert_eq!(output.status.code(), Some(1));
    let report = out(&output).replace(&mock.endpoint, "http://ENDPOINT");
    assert_data_eq!(
        report,
        str![[r#"
target     http://ENDPOINT
run        ecrspec [..], 1 case, jobs [..], ecr
options    filter =CompleteLayerUpload/layerDigests/match/wrong
works in   repositories ecrspec-[..]
ecr        account 012345678910, partSize 10485760

ecr
  CompleteLayerUpload               0 ok     1 FAIL

1) CompleteLayerUpload accepts a digest that does not match the bytes
   grade     state: accepted what must be rejected; wrong bytes, digest or state
   rule      CompleteLayerUpload/layerDigests/match, documented
   says      At least one digest must match the uploaded bytes.
   source    API reference, CompleteLayerUpload (2025), https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CompleteLayerUpload.html
   source    published CloudTrail record: LayerPartTooSmallException, "All layer parts except the last part should be at least 5MB"; and through the Docker front end, which forwards the text and not the type: "None of the provided layer digests match the calculated layer digest" (2023-06), https://github.com/dotnet/sdk-container-builds/issues/424
   expected  400 InvalidLayerException
   got       200
   smallest  CompleteLayerUpload/layerDigests/match/wrong: one digest, a wrong one
   cases     1 in ecr; -v lists them
   replay    ecrspec replay CompleteLayerUpload/layerDigests/match/wrong --endpoint http://ENDPOINT --service ecr
   all calls ecrspec explain CompleteLayerUpload/layerDigests/match/wrong --script --service ecr --endpoint http://ENDPOINT | sh

scores     invalid rejected 0.0 %, right error 0.0 % (1 case)
FAIL  http://ENDPOINT (ecr): 1 case judged, 0 ok; 1 case failed, 1 cause (1 state) ([..] s, exit 1)

"#]]
    );
}

#[test]
fn exit_2_usage_and_configuration() {
    let rows: &[(&[&str], &str)] = &[
        (&["run", "--nonsense"], "unexpected argument '--nonsense'"),
        (&["run", "--service", "s3"], "expected ecr or ecr-public"),
        (&["run", "--auth", "v4"], "expected none, dummy or sigv4"),
        (&["run", "--endpoint", "localhost"], "expected a URL such as http://127.0.0.1:5000"),
        (&["run", "--endpoint", "https://api.ecr.us-east-1.amazonaws.com"], "pass --allow-aws"),
        (
            &["run", "--report", "pdf=x"],
            "expected one of the formats ndjson, text, markdown, html, junit, sarif, github, har, json, found \"pdf\"",
        ),
        (&["run", "--report", "ndjson=/dev/null/log"], "could not create /dev/null"),
        (&["run", "--jobs", "0"], "expected a number from 1 to 1024"),
        (&["run", "--jobs", "1000000"], "expected a number from 1 to 1024"),
        (&["run", "--driver", "curl"], "expected http or boto3 or aws-cli, found \"curl\""),
        (&["run", "--cases", "most"], "expected a number of random sequences, or all, found \"most\""),
        (&["run", "--endpoint", "http://user:secret@127.0.0.1:1"], "without a user and a password"),
        (
            &["run", "--known", "missing.toml"],
            "there is no file missing.toml of known deviations: `ecrspec known init`",
        ),
        (&["run", "--known", "."], "could not read the known deviations in .: "),
        (&["run", "--known", "/dev/null"], "/dev/null is empty: expected known deviations, or `known = []`"),
        (&["run", "--config", "missing.toml"], "could not read missing.toml"),
        (&["run", "--rate", "0"], "expected a number of requests a second from 0.001 to 1000000"),
        (&["run", "--timeout", "0"], "expected a number of seconds from 0.001 to 3600"),
        (&["run", "--timeout", "1e19"], "expected a number of seconds from 0.001 to 3600"),
        (&["run", "--fail-on", "worst"], "expected crash, state, rejected, error, form or slow"),
        (&["explain", "CompleteLayerUpload/layerDigests/mach"], "expected the id of a rule or a case"),
        (&["explain", "CompleteLayerUpload/layerDigests/"], "near it are CompleteLayerUpload/layerDigests/any-match"),
        (&["mock", "--fault", "none"], "expected the name of a fault"),
        (&["contract", "show", "ListImages"], "expected an operation (InitiateLayerUpload"),
        (&["report", "missing.ndjson"], "could not read missing.ndjson"),
    ];
    for (arguments, message) in rows {
        let output = ecrspec(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(err(&output).contains(message), "{arguments:?}: {}", err(&output));
        assert_eq!(out(&output), "", "{arguments:?}");
    }
}

#[test]
fn mistakes_in_files_have_a_place() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("ecrspec.toml"), "jobs = 2\nendpiont = \"http://127.0.0.1:1\"\n").unwrap();
    let output = command(&["run"], folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        err(&output).contains("invalid settings file ecrspec.toml")
            && err(&output).contains("line 2")
            && err(&output).contains("endpiont")
    );

    fs::write(folder.path().join("ecrspec.toml"), "known = \"known.toml\"\n").unwrap();
    fs::write(folder.path().join("known.toml"), "[[known]]\nrule = \"no/such\"\ngot = \"200\"\nreason = \"x\"\n")
        .unwrap();
    let output = command(&["run"], folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        err(&output).contains("known.toml: line 2: rule: expected the id of a rule, found \"no/such\""),
        "{}",
        err(&output)
    );
}

#[test]
fn settings_come_from_the_file_and_flags_win() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("ecrspec.toml"), "service = [\"ecr\"]\nfilter = [\"wire/target\"]\njobs = 1\n")
        .unwrap();
    let output = command(&["run"], folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(out(&output).contains(" 5 cases, jobs 1, ecr\n"), "{}", out(&output));
    let output =
        command(&["run", "--filter", "wire/method", "--service", "ecr-public"], folder.path()).output().unwrap();
    assert!(out(&output).contains(" 2 cases, jobs 1, ecr-public\n"), "{}", out(&output));
}

#[test]
fn exit_3_unreachable_and_set_up_failed() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = ecrspec(&["run", "--endpoint", &format!("http://{free}")]);
    assert_eq!(output.status.code(), Some(3));
    let expected = format!("no connection to http://{free}: connection refused: is the server running");
    assert!(err(&output).contains(&expected), "{}", err(&output));

    let stranger = stranger("HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\nConnection: close\r\n\r\nnot found");
    let output = ecrspec(&["run", "--endpoint", &stranger]);
    assert_eq!(output.status.code(), Some(3), "{}", out(&output));
    assert!(
        out(&output)
            .contains("the target does not serve the service: CreateRepository answers 404 without an error type")
    );
    assert!(
        last_line(&output).starts_with("NOT JUDGED  ") && last_line(&output).contains("): 0 cases judged"),
        "{}",
        last_line(&output)
    );
}

#[test]
fn the_mock_words_its_messages_as_the_real_service_does() {
    let output = ecrspec(&["run", "--strict", "--filter", "Layer", "--filter", "parts"]);
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
}

#[cfg(unix)]
#[test]
fn findings_decide_the_exit_code_even_if_nobody_can_read_them() {
    let mock = Mock::start(&["--fault", "digests-not-compared", "--service", "ecr"]);
    let folder = TempDir::new().unwrap();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let filter = format!("={MATCH}/wrong");
    let run = ["run", "--endpoint", &mock.endpoint, "--service", "ecr", "--filter", &filter];
    let output = command(&run, folder.path()).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let output = command(&[&run[..], &["--report", "ndjson=/dev/full"]].concat(), folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "the log that was asked for is not there");
    assert!(last_line(&output).contains("a report could not be written; 1 case failed"), "{}", last_line(&output));
    assert!(mock.repositories().contains("\"repositories\":[]"));
}

#[test]
fn exit_4_nothing_was_run() {
    let output = ecrspec(&["run", "--filter", "no such case"]);
    assert_eq!(output.status.code(), Some(4));
    assert!(last_line(&output).contains("nothing was run"), "{}", last_line(&output));
    for (arguments, told) in [
        (["list", "--filter", "no such case"], "nothing is listed: no case has an id with no such case"),
        (["selftest", "--filter", "no such fault"], "no fault and no variant has a name with no such fault"),
    ] {
        let output = ecrspec(&arguments);
        assert_eq!(output.status.code(), Some(4));
        assert!(err(&output).contains(told), "{}", err(&output));
    }
}

#[test]
fn exit_5_only_trouble_with_known_deviations() {
    let folder = TempDir::new().unwrap();
    let known = folder.path().join("known.toml");
    let entry = |rule: &str, got: &str, more: &str| {
        fs::write(&known, format!("[[known]]\nrule = \"{rule}\"\ngot = \"{got}\"\nreason = \"issue 7\"\n{more}"))
            .unwrap();
    };
    let deviating = Mock::start(&["--fault", "digests-not-compared"]);
    let correct = Mock::start(&[]);
    let run = |mock: &Mock| mock.run(&["--filter", &format!("{MATCH}/wrong"), "--known", known.to_str().unwrap()]);

    entry(MATCH, "200", "");
    let output = run(&deviating);
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    assert!(out(&output).contains("known    CompleteLayerUpload accepts a digest that does not match the bytes"));
    assert!(last_line(&output).contains("known or tolerated"), "{}", last_line(&output));

    // Only a run of everything can say that the rule is kept: a filter may leave out the case that breaks it.
    assert_eq!(run(&correct).status.code(), Some(0));
    let log = folder.path().join("log.ndjson");
    let to_log = format!("ndjson={}", log.display());
    let output = correct.run(&["--service", "ecr", "--known", known.to_str().unwrap(), "--report", &to_log]);
    assert_eq!(output.status.code(), Some(5), "{}", out(&output));
    assert!(out(&output).contains("unexpected pass"), "{}", out(&output));
    let verdict = last_line(&output);
    assert!(
        verdict.contains("; 1 known deviation no longer matches what was found: see `ecrspec known prune` ("),
        "{verdict}"
    );

    // What shows in some runs only is not missed in another.
    entry(MATCH, "200", "sometimes = true\n");
    let output = ecrspec(&["report", log.to_str().unwrap(), "--known", known.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    assert_eq!(run(&deviating).status.code(), Some(0));

    entry(MATCH, "200", "expires = 2020-01-31\n");
    let output = run(&deviating);
    assert_eq!(output.status.code(), Some(1), "an expired entry accepts nothing");
    assert!(out(&output).contains("expired"), "{}", out(&output));

    entry(MATCH, "400 UploadNotFoundException", "");
    let output = run(&deviating);
    assert_eq!(output.status.code(), Some(1), "another answer is a new finding");
    assert!(!out(&output).contains("changed"), "a part cannot tell: {}", out(&output));
}

/// From nothing to a green gate, and on: what a new finding, and what is mended, comes to.
#[test]
fn a_file_of_known_deviations_is_written_extended_and_pruned() {
    let folder = TempDir::new().unwrap();
    let here = |arguments: &[&str], ci: &str| command(arguments, folder.path()).env("CI", ci).output().unwrap();
    let deviating = Mock::start(&["--fault", "digests-not-compared", "--service", "ecr"]);
    let correct = Mock::start(&["--service", "ecr"]);
    for (mock, log) in [(&deviating, "before"), (&correct, "after")] {
        here(&["run", "--service", "ecr", "--endpoint", &mock.endpoint, "--report", &format!("ndjson={log}")], "");
    }
    let file = folder.path().join("known.toml");
    let text = || fs::read_to_string(&file).unwrap();
    let of_file = |log: &str| here(&["report", log, "--known", "known.toml"], "");

    let in_ci = here(&["known", "init", "before"], "true");
    assert_eq!(in_ci.status.code(), Some(1), "{}", out(&in_ci));
    assert!(out(&in_ci).contains("nothing was added, since CI is set; "), "{}", out(&in_ci));
    let missing = here(&["known", "update", "before"], "");
    assert_eq!(missing.status.code(), Some(2));
    assert!(err(&missing).contains("`ecrspec known init` writes one"), "{}", err(&missing));
    let init = here(&["known", "init", "before"], "");
    assert_eq!(init.status.code(), Some(0), "{}", err(&init));
    assert!(out(&init).starts_with("known.toml: ") && out(&init).contains("fill in the reasons"), "{}", out(&init));
    let comment = "  # CompleteLayerUpload accepts a digest that does not match the bytes\n";
    assert!(text().contains(comment) && text().contains("reason = \"to be filled in\""), "{}", text());
    let again = here(&["known", "init", "before"], "");
    assert_eq!(again.status.code(), Some(2));
    assert!(err(&again).contains("`ecrspec known update` adds what is new"), "{}", err(&again));
    let green = of_file("before");
    assert_eq!(green.status.code(), Some(0), "{}", out(&green));
    assert!(out(&green).contains("rules have no reason yet"), "{}", out(&green));

    // One has a reason by now, the others are lost.
    let (first, others) = text().split_once("},\n").map(|(first, rest)| (first.to_owned(), rest.to_owned())).unwrap();
    assert!(others.contains("rule = "), "more than one: {others}");
    let shorter = first.replace("to be filled in", "issue 7") + "},\n]\n# ours\n";
    fs::write(&file, &shorter).unwrap();
    let in_ci = here(&["known", "update", "before"], "true");
    assert_eq!((in_ci.status.code(), text()), (Some(1), shorter.clone()), "{}", out(&in_ci));
    let update = here(&["known", "update", "before"], "");
    assert_eq!(update.status.code(), Some(0), "{}", err(&update));
    assert!(text().starts_with(shorter.split("]\n").next().unwrap()) && text().ends_with("# ours\n"), "{}", text());
    assert_eq!(of_file("before").status.code(), Some(0));
    let same = here(&["known", "update", "before"], "true");
    assert_eq!((same.status.code(), out(&same).contains("nothing to add")), (Some(0), true), "{}", out(&same));

    let kept = text();
    let nothing = here(&["known", "prune", "before"], "");
    assert_eq!((nothing.status.code(), text()), (Some(0), kept), "{}", err(&nothing));
    assert_eq!(of_file("after").status.code(), Some(5));
    let prune = here(&["known", "prune", "after"], "");
    assert_eq!(prune.status.code(), Some(0), "{}", err(&prune));
    assert!(out(&prune).contains("unexpected pass: the rule is kept now"), "{}", out(&prune));
    assert!(text().starts_with("# Known deviations of ") && text().ends_with("known = [\n]\n# ours\n"), "{}", text());
    assert_eq!(of_file("after").status.code(), Some(0));
}

/// What is newer than the pinned suite is judged and told, and does not fail the gate.
#[test]
fn cases_that_are_newer_than_the_suite_wait() {
    let mock = Mock::start(&["--fault", "digests-not-compared", "--service", "ecr"]);
    let folder = TempDir::new().unwrap();
    let run = |suite: &str, more: &[&str]| {
        fs::write(folder.path().join("ecrspec.toml"), format!("suite = {suite:?}\n")).unwrap();
        let filter = format!("={MATCH}/wrong");
        let run = ["run", "--endpoint", &mock.endpoint, "--service", "ecr", "--filter", &filter];
        command(&[&run[..], more].concat(), folder.path()).output().unwrap()
    };
    // All that there is is since 0.1.
    let before = run("0.0", &["--deny-warnings", "--report", "ndjson=log"]);
    assert_eq!(before.status.code(), Some(0), "{}", out(&before));
    assert!(
        out(&before).contains("waiting  CompleteLayerUpload accepts a digest that does not match"),
        "{}",
        out(&before)
    );
    let told = "1 of 1 cases are newer than suite 0.0 and do not count yet; 1 of them would fail";
    assert!(out(&before).contains(told), "{}", out(&before));
    let report = command(&["report", "log"], folder.path()).output().unwrap();
    assert_eq!((report.status.code(), out(&report)), (Some(0), out(&before)));
    let own = run("0.1", &[]);
    assert_eq!(own.status.code(), Some(1), "{}", out(&own));
    assert!(out(&own).contains("no case is newer than suite 0.1"), "{}", out(&own));
    let later = run("99.0", &[]);
    assert_eq!(later.status.code(), Some(2));
    assert!(err(&later).contains("expected a version of the suite such as 0.1, at most that of"), "{}", err(&later));
}

#[test]
fn doctor_says_on_one_screen_what_can_be_tested_and_names_no_secret() {
    let mock = Mock::start(&["--service", "ecr"]);
    let home = TempDir::new().unwrap();
    let doctor = |endpoint: &str| {
        let mut command = command(&["doctor", "--endpoint", endpoint], home.path());
        command.env("HOME", home.path()).env("AWS_ACCESS_KEY_ID", "AKIDSECRETID").env("AWS_PROFILE", "secret-profile");
        command.env("AWS_SECRET_ACCESS_KEY", "secret-key").output().unwrap()
    };
    let well = doctor(&mock.endpoint);
    assert_eq!(well.status.code(), Some(0), "{}", err(&well));
    let shown = out(&well);
    assert!(shown.lines().count() <= 24, "{shown}");
    for told in [
        "reachable   yes, ",
        "tls         none",
        "clock       as ours",
        "ecr         an upload works, all ",
        "ecr-public  cannot be tested: ",
        "in sight: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_PROFILE; used for --auth sigv4 only",
        &format!("next        ecrspec init --endpoint {} --service ecr\n", mock.endpoint),
    ] {
        assert!(shown.contains(told) || told == "clock       as ours", "{told}: {shown}");
    }
    for secret in ["AKIDSECRETID", "secret-profile", "secret-key"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(mock.repositories().contains("\"repositories\":[]"));
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let away = doctor(&format!("http://{closed}"));
    assert_eq!(away.status.code(), Some(3));
    assert!(out(&away).contains("reachable   no: ") && out(&away).contains("connection refused"), "{}", out(&away));
    let nowhere = command(&["doctor"], home.path()).output().unwrap();
    assert_eq!(nowhere.status.code(), Some(2), "{}", out(&nowhere));
}

#[test]
fn init_writes_the_files_of_a_gate_and_overwrites_none() {
    let folder = TempDir::new().unwrap();
    let here = |arguments: &[&str]| command(arguments, folder.path()).output().unwrap();
    fs::write(folder.path().join("known.toml"), "known = [] # ours\n").unwrap();
    let init = here(&["init", "--endpoint", "http://127.0.0.1:1", "--service", "ecr", "--auth", "dummy"]);
    assert_eq!(init.status.code(), Some(0), "{}", err(&init));
    assert!(out(&init).contains("kept, it was there: known.toml"), "{}", out(&init));
    let read = |path: &str| fs::read_to_string(folder.path().join(path)).unwrap();
    assert_eq!(read("known.toml"), "known = [] # ours\n");
    assert!(read(".github/workflows/ecrspec.yml").contains("run: >\n          ecrspec run"));
    let settings = read("ecrspec.toml");
    assert!(
        settings.contains("endpoint = \"http://127.0.0.1:1\"\nservice = [\"ecr\"]\nauth = \"dummy\"\n"),
        "{settings}"
    );
    // They are what a run reads: it finds the server gone, and nothing wrong with the files.
    let run = here(&["run", "--filter", "scenarios/"]);
    assert_eq!(run.status.code(), Some(3), "{}", err(&run));
    assert!(out(&run).contains("http://127.0.0.1:1") && out(&run).contains("suite 0.1"), "{}", out(&run));
    let gitlab = here(&["init", "--ci", "gitlab"]);
    assert_eq!(gitlab.status.code(), Some(0), "{}", err(&gitlab));
    assert_eq!((read("ecrspec.toml"), out(&gitlab).contains("wrote ecrspec.gitlab-ci.yml")), (settings, true));
}

/// As the AWS tools: the environment wins over the file, and a flag over both. The header says where it is from.
#[test]
fn the_endpoint_may_come_from_the_environment() {
    let mock = Mock::start(&["--service", "ecr"]);
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("ecrspec.toml"), "endpoint = \"http://127.0.0.1:1\"\n").unwrap();
    let run = ["run", "--service", "ecr", "--filter", "wire/method"];
    let of = |variable: &str| command(&run, folder.path()).env(variable, &mock.endpoint).output().unwrap();
    for variable in ["AWS_ENDPOINT_URL_ECR", "AWS_ENDPOINT_URL"] {
        let output = of(variable);
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        assert!(out(&output).contains(&format!("options    endpoint of {variable}, ")), "{}", out(&output));
    }
    assert_eq!(of("AWS_ENDPOINT_URL_ECR_PUBLIC").status.code(), Some(3), "of the other service");
}

#[test]
fn completions_and_the_manual_are_made_of_the_command_line() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = ecrspec(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        assert!(out(&output).contains("doctor") && out(&output).contains("deny-warnings"), "{shell}");
    }
    let man = ecrspec(&["man"]);
    assert_eq!(man.status.code(), Some(0), "{}", err(&man));
    for told in [".TH ecrspec ", "ecrspec\\-known", "\\-\\-deny\\-warnings", "Exit codes: 0 judged and clean"] {
        assert!(out(&man).contains(told), "{told}");
    }
}

#[test]
fn exit_6_inconclusive() {
    let mock = Mock::start(&["--variant", "throttling"]);
    let output = mock.run(&["--service", "ecr", "--filter", "CompleteLayerUpload/layerDigests/any-match"]);
    assert_eq!(output.status.code(), Some(6), "{}", out(&output));
    assert!(out(&output).contains("throttled (ThrottlingException)"));

    let mock = Mock::start(&["--variant", "throttling-all"]);
    let output = mock.run(&["--service", "ecr", "--filter", "UploadLayerPart"]);
    assert_eq!(output.status.code(), Some(6), "{}", out(&output));
    assert!(out(&output).contains("the survey could not be finished"));
}

#[test]
fn exit_6_an_unfinished_run_is_never_green() {
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("log.ndjson");
    let report = format!("ndjson={}", log.display());
    let output = ecrspec(&["run", "--filter", "wire/method", "--report", &report]);
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    let text = fs::read_to_string(&log).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let is_judged = |line: &str| line.contains("\"event\":\"judged\"");
    // The log with so many of its cases.
    let judged = |count: usize| {
        let cases = lines.iter().filter(|line| is_judged(line)).take(count);
        let (before, after): (Vec<&str>, Vec<&str>) =
            lines.iter().filter(|line| !is_judged(line)).partition(|line| !line.contains("\"finished\""));
        before.iter().chain(cases).chain(&after).map(|line| format!("{line}\n")).collect::<String>()
    };
    let without_end = |text: String| {
        let kept = text.lines().filter(|line| !line.contains("\"finished\""));
        kept.map(|line| format!("{line}\n")).collect::<String>()
    };
    for (log_text, told) in [
        (without_end(judged(4)), "4 cases judged, 4 ok; unfinished: the log was cut off after 4 of 4 cases (exit 6)"),
        (without_end(judged(2)), "2 cases judged, 2 ok; unfinished: the log was cut off after 2 of 4 cases (exit 6)"),
        (judged(3), "3 cases judged, 3 ok; unfinished: the log ends after 3 of 4 cases ("),
    ] {
        fs::write(&log, log_text).unwrap();
        let cut = ecrspec(&["report", log.to_str().unwrap()]);
        assert_eq!(cut.status.code(), Some(6), "{}", out(&cut));
        let line = last_line(&cut);
        assert!(line.starts_with("NOT CLEAN  ") && line.contains(told), "{told}: {line}");
    }
}

#[test]
fn the_last_line_names_what_was_tested() {
    let mock = Mock::start(&[]);
    let started = |output: &std::process::Output, start: &str| {
        assert!(last_line(output).starts_with(start), "{start}: {}", last_line(output));
    };
    let filter = ["--filter", "wire/method"];
    let forgotten = ecrspec(&[&["run"], &filter[..]].concat());
    started(&forgotten, "PASS  the embedded mock (ecr, ecr-public), no server was tested: 4 cases judged, 4 ok (");
    let one = mock.run(&[&["--service", "ecr"], &filter[..]].concat());
    started(&one, &format!("PASS  {} (ecr): 2 cases judged, 2 ok (", mock.endpoint));
}

#[test]
fn a_log_is_judged_as_its_run_was() {
    let mock = Mock::start(&["--fault", "digests-not-compared", "--service", "ecr"]);
    let folder = TempDir::new().unwrap();
    let entry = |rule: &str| format!("[[known]]\nrule = {rule:?}\ngot = \"200\"\nreason = \"issue 7\"\n");
    // One of the cases about the rule has a digest that is too short as well.
    let known = [MATCH, "CompleteLayerUpload/layerDigests/sha256-length"].map(entry).concat();
    fs::write(folder.path().join("known.toml"), known).unwrap();
    fs::write(folder.path().join("none.toml"), "known = []\n").unwrap();
    let here = |arguments: &[&str]| command(arguments, folder.path()).output().unwrap();
    let target = ["--service", "ecr", "--endpoint", &mock.endpoint];
    let filter = format!("={MATCH}/wrong");
    let run = ["run", "--filter", &filter, "--known", "known.toml", "--report", "ndjson=log"];
    let run = here(&[&run[..], &target].concat());
    assert_eq!(run.status.code(), Some(0), "{}", out(&run));
    let report = here(&["report", "log"]);
    assert_eq!((out(&report), report.status.code()), (out(&run), Some(0)));
    assert_eq!(here(&["report", "log", "--known", "none.toml"]).status.code(), Some(1));
    let tolerated = here(&["report", "log", "--known", "none.toml", "--fail-on", "crash"]);
    assert_eq!(tolerated.status.code(), Some(0), "{}", out(&tolerated));

    // So it is tried again: no other entry is told, no scores of what was chosen by its failure.
    for arguments in [
        &["replay", "log"][..],
        &["replay", "log", "--known", "known.toml"],
        &["replay", &filter[1..], "--known", "known.toml"],
        &["replay", MATCH, "--known", "known.toml"],
    ] {
        let replay = here(&[arguments, &target].concat());
        assert_eq!(replay.status.code(), Some(0), "{arguments:?}: {}", out(&replay));
        assert!(!out(&replay).contains("scores "), "{}", out(&replay));
    }
    let judged_anew = here(&[&["replay", "log", "--known", "none.toml"], &target[..]].concat());
    assert_eq!(judged_anew.status.code(), Some(1), "{}", out(&judged_anew));
}

#[test]
fn a_scenario_of_the_user_is_one_wherever_it_stands() {
    let folder = TempDir::new().unwrap();
    let scenario = "title: an upload\nservices: [ecr]\nsteps:\n  - name: upload\n    call: InitiateLayerUpload\n    body: \
                    {repositoryName: \"${repository}\"}\n    expect:\n      rule: InitiateLayerUpload/accepted\n      tier: \
                    documented\n      sources: [api:InitiateLayerUpload]\n      outcomes: [\"200\"]\n";
    let absolute = folder.path().join("own.yaml");
    for path in [Path::new("random/ok.yaml"), Path::new("wire/ok.yaml"), &absolute] {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, scenario).unwrap();
    }
    let run = ["run", "--filter", "ok.yaml", "--filter", "own.yaml", "--cases", "0", "--scenarios", "random/ok.yaml"];
    let paths = ["--scenarios", "wire", "--scenarios", absolute.to_str().unwrap(), "--report", "ndjson=log"];
    let output = command(&[&run[..], &paths].concat(), folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    assert!(out(&output).contains("\necr\n  own scenarios                     3 ok\n\n"), "{}", out(&output));
    let log = fs::read_to_string(folder.path().join("log")).unwrap();
    assert_eq!(log.matches("\"kind\":\"user-scenario\"").count(), 3, "{log}");
}

#[cfg(debug_assertions)]
#[test]
fn exit_7_a_fault_of_our_own() {
    let output = ecrspec(&["--panic", "run"]);
    assert_eq!(output.status.code(), Some(7));
    assert!(err(&output).contains("internal error of ecrspec"));
}

#[cfg(unix)]
#[test]
fn exit_130_interrupted_with_a_report_and_nothing_left_behind() {
    let mock = Mock::start(&["--service", "ecr"]);
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("log.ndjson");
    let report = format!("ndjson={}", log.display());
    // Many rounds of the suite would be needed to be sure that it is still running: one job, and the heavy cases.
    let run = ["run", "--endpoint", &mock.endpoint, "--service", "ecr", "--jobs", "1", "--report", &report];
    let mut child = command(&run, folder.path()).stdout(Stdio::piped()).spawn().unwrap();
    while fs::read_to_string(&log).unwrap_or_default().lines().count() < 20 {
        assert!(child.try_wait().unwrap().is_none(), "the run ended before it could be interrupted");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let mut printed = String::new();
    child.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{printed}");
    assert!(printed.lines().last().unwrap().starts_with("INTERRUPTED  "), "{printed}");
    assert!(fs::read_to_string(&log).unwrap().contains("\"stopped\":\"interrupted\""));
    let left = mock.repositories();
    assert!(left.contains("\"repositories\":[]"), "{left}");
}

#[test]
fn errors_with_the_right_type_and_another_status_are_seen() {
    let mock = Mock::start(&["--fault", "errors-as-404"]);
    let run = mock.run(&["--filter", "CompleteLayerUpload/layerDigests", "--service", "ecr"]);
    let text = out(&run);
    assert!(text.contains("right error 100.0 %"), "{text}");
    assert!(!text.contains("no documented error type was ever answered"), "{text}");
}

/// The report of a run that a deadline ends.
fn at_a_deadline(endpoint: &str, folder: &TempDir) -> (Output, String) {
    let log = folder.path().join("log.ndjson");
    let report = format!("ndjson={}", log.display());
    let run =
        ["run", "--endpoint", endpoint, "--service", "ecr", "--jobs", "1", "--deadline", "1s", "--report", &report];
    let output = command(&run, folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(6), "{}{}", out(&output), err(&output));
    let log = fs::read_to_string(&log).unwrap();
    assert!(log.lines().last().unwrap().contains("\"stopped\":\"deadline\""), "{log}");
    (output, log)
}

#[test]
fn a_deadline_ends_a_run_with_what_was_judged_and_nothing_left_behind() {
    let mock = Mock::start(&["--service", "ecr"]);
    let (output, _) = at_a_deadline(&mock.endpoint, &TempDir::new().unwrap());
    let last = last_line(&output);
    assert!(last.contains("unfinished: the deadline passed after ") && !last.starts_with("PASS"), "{last}");
    let left = mock.repositories();
    assert!(left.contains("\"repositories\":[]"), "{left}");
}

#[test]
fn a_deadline_ends_a_run_on_a_server_that_never_answers() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let began = Instant::now();
    let (output, _) = at_a_deadline(&format!("http://{address}"), &TempDir::new().unwrap());
    // A second, ten more for what is under way, and some to start and to end on a machine that has more to do. Without a
    // deadline, the survey alone waits for ten seconds again and again.
    assert!(began.elapsed() < Duration::from_secs(40), "{:?}", began.elapsed());
    let last = last_line(&output);
    assert!(last.contains("unfinished: the deadline passed after 0 of "), "{last}");
    assert!(out(&output).contains("/… (given up)"), "{}", out(&output));
}

#[test]
fn a_log_gives_its_report_again_even_if_it_was_cut_off() {
    let mock = Mock::start(&["--fault", "errors-as-404"]);
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("log.ndjson");
    let report = format!("ndjson={}", log.display());
    let run = mock.run(&["--filter", "/layerDigests/match/", "--report", &report]);
    let again = ecrspec(&["report", log.to_str().unwrap()]);
    assert_eq!(out(&run), out(&again));
    assert_eq!(run.status.code(), again.status.code());

    let text = fs::read_to_string(&log).unwrap();
    fs::write(&log, &text[..text.len() - 200]).unwrap();
    let cut = ecrspec(&["report", log.to_str().unwrap()]);
    assert_eq!(cut.status.code(), Some(1), "{}", err(&cut));
    assert!(last_line(&cut).contains("; unfinished: the log was cut off after "), "{}", last_line(&cut));

    fs::write(&log, "not a log\n").unwrap();
    let wrong = ecrspec(&["report", log.to_str().unwrap()]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(err(&wrong).contains("line 1: expected an event of an ecrspec log"), "{}", err(&wrong));
}

#[test]
fn the_order_of_results_does_not_depend_on_jobs() {
    let ids = |jobs: &str| {
        let folder = TempDir::new().unwrap();
        let log = folder.path().join("log.ndjson");
        let report = format!("ndjson={}", log.display());
        let output = ecrspec(&[
            "run",
            "--filter",
            "CompleteLayerUpload/",
            "--service",
            "ecr",
            "--jobs",
            jobs,
            "--report",
            &report,
            "-v",
        ]);
        assert_eq!(output.status.code(), Some(0));
        // Without the lines that say how it was run, and how long it took.
        out(&output)
            .lines()
            .filter(|line| !line.starts_with("run ") && !line.starts_with("works in") && !line.starts_with("PASS"))
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_eq!(ids("1"), ids("8"));
}

#[test]
fn faults_of_the_mock_that_is_served_are_found() {
    // Over the network; tests/selftest.rs has all of them.
    for (name, rule) in [
        ("digests-not-compared", "CompleteLayerUpload/layerDigests/match"),
        ("bad-json-drops", "always/answered"),
        ("no-uploads", "InitiateLayerUpload/known"),
        ("untyped-errors", "answer/error-type"),
    ] {
        let mock = Mock::start(&["--fault", name, "--service", "ecr"]);
        let filters = ["--filter", "CompleteLayerUpload/layerDigests", "--filter", "wire/"];
        let output = mock.run(&[&["--service", "ecr", "--max-groups", "100"], &filters[..]].concat());
        assert_eq!(output.status.code(), Some(1), "{name}");
        assert!(out(&output).contains(&format!("rule      {rule}, ")), "{name}: {}", out(&output));
    }
}

#[test]
fn variants_of_the_mock_that_is_served_are_no_findings() {
    let mock = Mock::start(&["--variant", "chunked", "--variant", "connection-closing", "--service", "ecr"]);
    let output = mock.run(&["--service", "ecr", "--filter", "CompleteLayerUpload/layerDigests"]);
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
}

#[cfg(unix)]
#[test]
fn a_script_does_what_the_case_does() {
    if !has_tool("curl") {
        return;
    }
    // tests/scripts.rs runs many of them.
    let mock = Mock::start(&["--service", "ecr"]);
    let rows = [
        (format!("{MATCH}/wrong"), "focus 400 {\"__type\":\"InvalidLayerException\""),
        (String::from("UploadLayerPart/partFirstByte/contiguous/gap"), "\"lastValidByteReceived\":31"),
        (String::from("random/0/3"), ""),
    ];
    for (case, expected) in rows {
        let output = run_script(&ecrspec(&["explain", &case, "--script", "--endpoint", &mock.endpoint]));
        assert!(output.status.success(), "{case}: {}{}", out(&output), err(&output));
        assert!(out(&output).contains(expected), "{case}: {}{}", out(&output), err(&output));
    }
    let left = mock.repositories();
    assert!(left.contains("\"repositories\":[]"), "{left}");

    // In a repository that exists, and stays; the settings file says where.
    mock.call("CreateRepository", r#"{"repositoryName":"team/app"}"#);
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("ecrspec.toml"), format!("endpoint = \"{}\"\n", mock.endpoint)).unwrap();
    let explain = ["explain", &format!("{MATCH}/wrong"), "--script", "--repository", "team/app"];
    let output = run_script(&command(&explain, folder.path()).output().unwrap());
    assert!(out(&output).contains("focus 400 {\"__type\":\"InvalidLayerException\""), "{}", out(&output));
    assert!(mock.repositories().contains("\"repositoryName\":\"team/app\""), "{}", mock.repositories());
    let makes = ["explain", "scenarios/repositories/deleted", "--script", "--repository", "team/app"];
    let rejected = ecrspec(&makes);
    assert_eq!(rejected.status.code(), Some(2));
    assert!(
        err(&rejected).contains("the case needs repositories of its own: leave out --repository"),
        "{}",
        err(&rejected)
    );
}

/// The report says how to see all calls of a finding, whatever is in them and wherever the run worked.
#[cfg(unix)]
#[test]
fn a_finding_has_a_command_that_shows_all_calls() {
    if !has_tool("curl") {
        return;
    }
    let wrong = format!("={MATCH}/wrong");
    for (fault, case, more) in [
        ("digests-not-compared", wrong.as_str(), &["--auth", "dummy"]),
        ("digests-not-compared", wrong.as_str(), &["--repository", "team/app"]),
        ("utf-8-500", "=wire/body/utf-8/in-name", &["--repository", "team/app"]),
    ] {
        let mock = Mock::start(&["--fault", fault, "--service", "ecr"]);
        mock.call("CreateRepository", r#"{"repositoryName":"team/app"}"#);
        let output = mock.run(&[&["--service", "ecr", "--filter", case], &more[..]].concat());
        let report = out(&output);
        assert!(!report.contains("   curl "), "the last call alone is for -v: {report}");
        let line = report.lines().find_map(|line| line.trim_start().strip_prefix("all calls ")).unwrap();
        let words = shlex::split(line.strip_suffix(" | sh").unwrap()).unwrap();
        let words: Vec<&str> = words[1..].iter().map(String::as_str).collect();
        let output = run_script(&ecrspec(&words));
        assert!(output.status.success(), "{line}: {}", err(&output));
        // The answer that is the finding, again.
        let got = report.lines().find_map(|line| line.trim_start().strip_prefix("got       ")).unwrap();
        assert!(out(&output).contains(&format!("focus {} ", &got[..3])), "{got}: {}", out(&output));
        assert!(!mock.repositories().contains("ecrspec-"), "{}", mock.repositories());
    }
    let mock = Mock::start(&["--fault", "digests-not-compared", "--service", "ecr"]);
    let verbose = mock.run(&["--service", "ecr", "--filter", &wrong, "-v"]);
    assert!(out(&verbose).contains("   curl      curl -sS -i -H "), "{}", out(&verbose));
}

fn run_script(explained: &Output) -> Output {
    assert!(explained.status.success(), "{}", err(explained));
    shell::run(&out(explained))
}

#[test]
fn a_fixed_repository_serves_for_all() {
    let mock = Mock::start(&["--service", "ecr"]);
    call(&mock.endpoint, "CreateRepository", r#"{"repositoryName":"mine"}"#);
    for _ in 0..2 {
        // Twice: the bytes of one run are not those of another.
        let output = mock.run(&["--service", "ecr", "--repository", "mine", "--filter", "CompleteLayerUpload"]);
        assert_eq!(output.status.code(), Some(0), "{}", out(&output));
        assert!(out(&output).contains("needs repositories of its own"));
    }
    let left = mock.repositories();
    assert!(left.contains("\"repositoryName\":\"mine\"") && !left.contains("ecrspec-"), "{left}");
}

#[test]
fn a_repository_that_cannot_be_or_is_not_there_is_the_fault_of_the_flag() {
    let mock = Mock::start(&["--service", "ecr"]);
    for name in ["A", "a", "", "Team/App", "team/", "a..b", &"a".repeat(257), "\u{1b}[2J"] {
        for command in ["run", "fuzz", "doctor"] {
            let output = ecrspec(&[command, "--endpoint", &mock.endpoint, "--repository", name]);
            assert_eq!(output.status.code(), Some(2), "{command} {name:?}: {}", out(&output));
            let said = err(&output);
            assert!(said.contains("--repository: expected the name of a repository"), "{command} {name:?}: {said}");
            assert!(!said.contains('\u{1b}') && !out(&output).contains("FAIL"), "{command} {name:?}: {said}");
        }
    }
    let output =
        mock.run(&["--service", "ecr", "--repository", "team/absent", "--filter", "CompleteLayerUpload/accepted"]);
    assert_eq!(output.status.code(), Some(3), "{}", out(&output));
    let why = "the target has no repository \"team/absent\", which --repository names; create it first";
    assert!(out(&output).contains(why) && !out(&output).contains("1) "), "{}", out(&output));
}

#[test]
fn explain_and_contract_say_all_with_sources() {
    assert_data_eq!(
        out(&ecrspec(&["explain", "CompleteLayerUpload/uploadId/once", "--service", "ecr"])),
        str![[r#"
CompleteLayerUpload/uploadId/once (ecr), derived
An upload can be completed once; a second completion gets UploadNotFoundException or LayerAlreadyExistsException.

  allowed   UploadNotFoundException or LayerAlreadyExistsException
  source    API reference, CompleteLayerUpload (2025)
            https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CompleteLayerUpload.html
  guide     rules-ecr.html#CompleteLayerUpload/uploadId/once
  case      scenarios/races/completes: one upload completed by eight clients at once
  case      scenarios/races/pairs: eight uploads, each completed twice at once
  case      scenarios/races/part-and-complete: a part sent at the same time as the completion of its upload
  case      scenarios/reuse/repeated-completion: the same completion a second time
  case      CompleteLayerUpload/uploadId/once/repeated: the same completion again

"#]]
    );
    assert_data_eq!(
        out(&ecrspec(&["contract", "show", "InitiateLayerUpload", "--service", "ecr-public"])),
        str![[r#"
Amazon Elastic Container Registry Public (ecr-public), API 2020-10-30, X-Amz-Target SpencerFrontendService.<Operation>, signed as ecr-public

InitiateLayerUpload
  https://docs.aws.amazon.com/AmazonECRPublic/latest/APIReference/API_InitiateLayerUpload.html (2025)
  request
    registryId       optional       RegistryIdOrAlias: string, 2 to 50 characters
    repositoryName   required       RepositoryName: string, 2 to 205 characters, pattern (?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*
  answer
    uploadId         present        UploadId: string, pattern [0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}
    partSize         present        PartSize: long, at least 0
  errors
    400 InvalidParameterException          The specified parameter is invalid. Review the available parameters for the API request.
    400 RegistryNotFoundException          The registry does not exist.
    400 RepositoryNotFoundException        The specified repository could not be found.
    500 ServerException                    These errors are usually caused by a server-side issue.
    400 UnsupportedCommandException        The action is not supported in this Region.


"#]]
    );
    let json: serde_json::Value =
        serde_json::from_slice(&ecrspec(&["contract", "show", "--format", "json"]).stdout).unwrap();
    assert_eq!(json["schema"], 1);
    assert_eq!(json["services"][0]["operations"][2]["request"][3]["shape"]["max"], 100);
}

/// A server that gives one answer to everything.
fn stranger(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut stream = stream;
                let mut request = [0; 4096];
                let _ = stream.read(&mut request);
                let _ = stream.write_all(answer.as_bytes());
            });
        }
    });
    format!("http://{address}")
}

/// Long lines are broken for a terminal, between words; a pipe gets them as they are.
#[cfg(unix)]
#[test]
fn a_report_fits_its_terminal() {
    if !has_tool("script") || !has_tool("stty") {
        return;
    }
    let run = ["run", "--service", "ecr", "--filter", "wire/target", "--cases", "0"];
    let piped = ecrspec(&run);
    let verdict = last_line(&piped);
    assert!(verdict.starts_with("PASS  the embedded mock (ecr), no server was tested: ") && verdict.len() > 60);
    let shell = format!("stty cols 60 rows 40; {} {} 2>/dev/null", env!("CARGO_BIN_EXE_ecrspec"), run.join(" "));
    let folder = TempDir::new().unwrap();
    let mut terminal = Command::new("script");
    terminal.args(["-qec", &shell, "/dev/null"]).current_dir(folder.path()).env("NO_COLOR", "1").stdin(Stdio::null());
    for endpoint in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_ECR", "AWS_ENDPOINT_URL_ECR_PUBLIC"] {
        terminal.env_remove(endpoint);
    }
    let shown = out(&terminal.output().unwrap()).replace('\r', "");
    assert!(shown.lines().all(|line| line.chars().count() <= 60), "{shown}");
    let words = |text: &str| text.split_whitespace().take(10).map(String::from).collect::<Vec<_>>();
    let at = shown.find("PASS  the embedded mock").unwrap_or_else(|| panic!("{shown}"));
    assert_eq!(words(&shown[at..]), words(&verdict));
    assert!(shown[at..].contains("\n      "), "what follows stands below the verdict's value: {shown}");
}
