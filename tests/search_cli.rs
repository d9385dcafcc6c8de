//! `run --cases`, `fuzz`, `replay`, `--partition` and `report` of several logs, as the built binary does them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::binary::{Mock, command, ecrspec, err, last_line, out};
use serde_json::Value;
use tempfile::TempDir;

const MATCH: &str = "CompleteLayerUpload/layerDigests/match";

/// The events of a log of one kind.
fn events(log: &Path, kind: &str) -> Vec<Value> {
    let text = fs::read_to_string(log).unwrap();
    let events = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events.filter(|event| event["event"] == kind).collect()
}

fn findings(judged: &Value) -> Vec<Value> {
    judged["findings"].as_array().cloned().unwrap_or_default()
}

/// Runs the binary in a folder.
fn run_in(folder: &TempDir, arguments: &[&str]) -> std::process::Output {
    command(arguments, folder.path()).output().unwrap()
}

#[test]
fn a_run_searches_after_the_catalogue() {
    let output = ecrspec(&["run", "--filter", "random/", "--cases", "30", "--seed", "5"]);
    let report = out(&output);
    assert_eq!(output.status.code(), Some(0), "{report}");
    assert!(report.contains("seed       5\n"), "{report}");
    assert!(report.contains("search     60 random sequences, "), "{report}");
    assert!(last_line(&output).contains(": 60 cases judged, 60 ok"), "{}", last_line(&output));
    let none = ecrspec(&["run", "--filter", "random/", "--cases", "0"]);
    assert_eq!(none.status.code(), Some(4));
}

#[test]
fn the_same_seed_gives_the_same_cases_at_any_jobs_and_partition() {
    let folder = TempDir::new().unwrap();
    let run = |name: &str, more: &[&str]| {
        let report = format!("ndjson={name}");
        let fixed =
            ["run", "--service", "ecr", "--filter", "random/", "--cases", "60", "--seed", "3", "--report", &report];
        let output = run_in(&folder, &[&fixed[..], more].concat());
        assert_eq!(output.status.code(), Some(0), "{}", out(&output));
        let judged = events(&folder.path().join(name), "judged");
        judged
            .iter()
            .map(|case| (text(&case["case"]), case["requests"].to_string() + &text(&case["rules"].to_string().into())))
            .collect::<BTreeMap<String, String>>()
    };
    let one = run("one", &["--jobs", "1"]);
    assert_eq!(one.len(), 60);
    assert_eq!(one, run("many", &["--jobs", "16"]));
    let mut parts = BTreeMap::new();
    for part in ["hash:1/3", "hash:2/3", "hash:3/3"] {
        let some = run(part.replace([':', '/'], "-").as_str(), &["--partition", part]);
        assert!(!some.is_empty() && some.keys().all(|case| !parts.contains_key(case)));
        parts.extend(some);
    }
    assert_eq!(one, parts);
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[test]
fn logs_of_parts_are_one_report() {
    let folder = TempDir::new().unwrap();
    let run = |part: &str, name: &str| {
        let output = run_in(
            &folder,
            &["run", "--filter", "scenarios/", "--partition", part, "--report", &format!("ndjson={name}")],
        );
        assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    };
    run("hash:1/2", "a");
    run("hash:2/2", "b");
    run("hash:1/3", "c");
    let whole = ecrspec(&["run", "--filter", "scenarios/"]);
    let judged = |output: &std::process::Output| {
        last_line(output).split(": ").nth(1).unwrap().split(" (").next().unwrap().to_owned()
    };
    let merged = run_in(&folder, &["report", "a", "b"]);
    assert_eq!(merged.status.code(), Some(0), "{}", err(&merged));
    assert_eq!(judged(&merged), judged(&whole));
    assert!(!out(&merged).contains("WARNING"), "{}", out(&merged));
    for (logs, expected) in [
        (["a", "a"], "expected another part of the run than hash:1/2, found hash:1/2"),
        (["a", "c"], "expected another part of the run than hash:1/2, found hash:1/3"),
    ] {
        let wrong = run_in(&folder, &[&["report"], &logs[..]].concat());
        assert_eq!(wrong.status.code(), Some(2));
        assert!(err(&wrong).contains(expected), "{}", err(&wrong));
    }
    run("hash:3/3", "d");
    let two_of_three = run_in(&folder, &["report", "c", "d"]);
    assert_eq!(two_of_three.status.code(), Some(6));
    assert!(last_line(&two_of_three).starts_with("NOT CLEAN  "), "{}", out(&two_of_three));
    assert!(last_line(&two_of_three).contains("unfinished: the part hash:2/3 is missing"), "{}", out(&two_of_three));
    // Alone it is a part of a run that somebody wants whole.
    let alone = run_in(&folder, &["report", "c"]);
    assert!(last_line(&alone).contains("unfinished: 2 parts are missing, the first is hash:2/3"), "{}", out(&alone));
}

/// A result without what differs from run to run: times, and what the processes were. Lists in any order: that of the cases
/// is the order of the parts.
fn normal(value: &Value) -> Value {
    const OF_THE_PROCESS: [&str; 7] = ["millis", "seconds", "at", "jobs", "options", "repositories", "parts"];
    // The place in the log; the bytes, which are new in each run; how many kinds of responses a search has seen, which each
    // part counts for itself.
    const OF_THE_LOG: [&str; 4] = ["index", "began", "exchanges", "classes"];
    let is_kept = |name: &str| !OF_THE_PROCESS.contains(&name) && !OF_THE_LOG.contains(&name);
    match value {
        Value::Object(members) => members
            .iter()
            .filter(|(name, _)| is_kept(name))
            .map(|(name, value)| (name.clone(), normal(value)))
            .collect(),
        Value::Array(values) => {
            let mut values: Vec<Value> = values.iter().map(normal).collect();
            values.sort_by_key(Value::to_string);
            Value::Array(values)
        }
        Value::String(text) => Value::from(timeless(text)),
        other => other.clone(),
    }
}

/// A line without the seconds in it.
fn timeless(line: &str) -> String {
    let taken = line.rsplit_once(" s, exit ").and_then(|(before, code)| Some((before.rsplit_once(" (")?.0, code)));
    taken.map_or_else(|| line.to_owned(), |(before, code)| format!("{before} (exit {code}"))
}

#[test]
fn four_processes_with_a_part_each_come_to_what_one_comes_to() {
    let mock = Mock::start(&["--fault", "digests-not-compared", "--service", "ecr"]);
    let folder = TempDir::new().unwrap();
    let start = |name: &str, more: &[&str]| {
        let report = format!("ndjson={name}");
        let some = ["--filter", "CompleteLayerUpload", "--filter", "random/", "--filter", "scenarios/digests"];
        let fixed = ["run", "--endpoint", &mock.endpoint, "--service", "ecr", "--cases", "60", "--report", &report];
        let mut run = command(&[&fixed[..], &some, more].concat(), folder.path());
        run.stdout(std::process::Stdio::null()).spawn().unwrap()
    };
    // At once, on one server.
    let parts = ["1", "2", "3", "4"].map(|part| start(part, &["--partition", &format!("hash:{part}/4")]));
    for mut part in parts {
        part.wait().unwrap();
    }
    assert_eq!(start("whole", &[]).wait().unwrap().code(), Some(1));
    let report = |logs: &[&str]| {
        let output = run_in(&folder, &[&["report", "--report", "json=result"], logs].concat());
        assert_eq!(output.status.code(), Some(1), "{}", err(&output));
        let result: Value = serde_json::from_slice(&fs::read(folder.path().join("result")).unwrap()).unwrap();
        let of_the_process = ["run  ", "options  ", "works in  ", "search  "];
        let text = out(&output);
        let lines = text.lines().filter(|line| !of_the_process.iter().any(|word| line.starts_with(word)));
        (lines.map(timeless).collect::<Vec<_>>().join("\n"), format!("{:#}", normal(&result)))
    };
    let (whole, joined) = (report(&["whole"]), report(&["1", "2", "3", "4"]));
    assert!(whole.0.contains("FAIL  ") && whole.1.len() > 10_000, "{}", whole.0);
    assert_eq!(whole.0, joined.0);
    assert_eq!(whole.1, joined.1);
}

#[test]
fn fuzz_finds_makes_small_and_saves() {
    let folder = TempDir::new().unwrap();
    let mock = Mock::start(&["--fault", "digests-not-compared", "--service", "ecr"]);
    let target = ["--endpoint", &mock.endpoint, "--service", "ecr"];
    let fuzz = ["fuzz", "--budget", "4s", "--seed", "1", "--save", "found", "--report", "ndjson=log"];
    let output = run_in(&folder, &[&fuzz[..], &target].concat());
    let report = out(&output).replace(&mock.endpoint, "http://ENDPOINT");
    assert_eq!(output.status.code(), Some(1), "{report}");
    let sentence = "CompleteLayerUpload accepts a digest that does not match the bytes";
    // Once as it is found, once in the report.
    assert_eq!(report.matches(&format!("{sentence}\n")).count(), 2, "{report}");
    assert!(report.contains("3 calls, shrunk from "), "{report}");
    let judged = events(&folder.path().join("log"), "judged");
    let found: Vec<String> = judged
        .iter()
        .flat_map(findings)
        .map(|finding| finding["accept_as"].to_string() + &text(&finding["got"]))
        .collect();
    assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), found.len(), "each cause once: {found:?}");
    assert!(report.contains(&format!("saved      {} scenario files in found\n", found.len())), "{report}");
    // All sequences are accounted for.
    let searched = events(&folder.path().join("log"), "searched").pop().unwrap();
    let count = |name: &str| searched[name].as_u64().unwrap() as usize;
    assert_eq!(count("cases"), count("unlogged") + count("repeated") + judged.len(), "{searched}");
    let line = format!(
        "           {} ok, {} failed for causes that were reported earlier",
        count("unlogged"),
        count("repeated")
    );
    assert!(report.contains(&line), "{line}: {report}");
    // What was saved is a scenario, that run and replay take.
    let saved = format!("found/ecr-{}-200.yaml", MATCH.replace('/', "-"));
    assert!(
        folder.path().join(&saved).is_file(),
        "{:?}",
        fs::read_dir(folder.path().join("found")).unwrap().collect::<Vec<_>>()
    );
    let replay = run_in(&folder, &[&["replay", &saved], &target[..]].concat());
    assert_eq!(replay.status.code(), Some(1), "{}", out(&replay));
    assert!(out(&replay).contains(&format!("{saved}: 200 then, now the same finding")), "{}", out(&replay));
    let run = run_in(&folder, &[&["run", "--scenarios", "found", "--filter", "found/"], &target[..]].concat());
    assert_eq!(run.status.code(), Some(1), "{}", out(&run));
    // On a server without the defect it is gone.
    let gone = run_in(&folder, &["replay", &saved, "--service", "ecr"]);
    assert_eq!(gone.status.code(), Some(0), "{}", out(&gone));
    assert!(out(&gone).contains("200 then, now gone: the case passes"), "{}", out(&gone));
    // And a log is replayed whole.
    let log = run_in(&folder, &[&["replay", "log"], &target[..]].concat());
    assert_eq!(out(&log).matches("now the same finding").count(), found.len(), "{}", out(&log));
    // So is a folder.
    let saved = run_in(&folder, &[&["replay", "found"], &target[..]].concat());
    assert_eq!(out(&saved).matches("now the same finding").count(), found.len(), "{}", out(&saved));
}

#[test]
fn a_log_replayed_elsewhere_tells_another_finding() {
    let folder = TempDir::new().unwrap();
    let one = Mock::start(&["--fault", "untyped-errors", "--service", "ecr"]);
    let case = format!("={MATCH}/wrong");
    let run = ["run", "--service", "ecr", "--filter", &case, "--report", "ndjson=log", "--endpoint", &one.endpoint];
    assert_eq!(run_in(&folder, &run).status.code(), Some(1));
    let other = Mock::start(&["--fault", "digests-not-compared", "--service", "ecr"]);
    let replay = run_in(&folder, &["replay", "log", "--service", "ecr", "--endpoint", &other.endpoint]);
    assert!(
        out(&replay).contains("400 without-type then, now another finding: CompleteLayerUpload accepts"),
        "{}",
        out(&replay)
    );
}

#[test]
fn replay_says_what_it_expects() {
    for (what, expected) in [
        (
            "nothing",
            "expected the id of a case (`ecrspec list`) or of a rule (`ecrspec list --rules`), a scenario file or a directory of \
             them, or an event log with failures, found \"nothing\"",
        ),
        ("plan/Nothing", "plan/Nothing: expected one of InitiateLayerUpload, "),
        ("nothing.yaml", "could not read nothing.yaml"),
    ] {
        let output = ecrspec(&["replay", what]);
        assert_eq!(output.status.code(), Some(2));
        assert!(err(&output).contains(expected), "{}", err(&output));
    }
}

#[test]
fn fuzz_that_is_interrupted_reports_what_it_found() {
    let folder = TempDir::new().unwrap();
    let mock = Mock::start(&["--fault", "digests-not-compared", "--service", "ecr"]);
    let fuzz = ["fuzz", "--budget", "10m", "--seed", "1", "--service", "ecr", "--report", "ndjson=log"];
    let arguments = [&fuzz[..], &["--endpoint", &mock.endpoint]].concat();
    let mut child = command(&arguments, folder.path()).stdout(Stdio::piped()).spawn().unwrap();
    let log = folder.path().join("log");
    while !fs::read_to_string(&log).unwrap_or_default().contains("\"event\":\"judged\"") {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let mut printed = String::new();
    child.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{printed}");
    assert!(printed.contains("search     ") && printed.contains("\n1) CompleteLayerUpload accepts "), "{printed}");
    assert!(printed.lines().last().unwrap().starts_with("INTERRUPTED  "), "{printed}");
}

/// The errors of two rules are allowed where both are broken; which one came is told.
#[test]
fn precedence_is_recorded() {
    let output = ecrspec(&["run", "--service", "ecr", "--filter", "random/", "-v"]);
    let report = out(&output);
    let told = report.split("Where two rules are broken at once, this target answers").nth(1).unwrap();
    let line = told.lines().nth(1).unwrap();
    assert!(line.contains(" + ") && line.contains(": 400 ") && line.ends_with(')'), "{line}");
}

/// Every finding has a replay line, and what it says is what happens.
#[test]
fn replay_lines_show_the_finding_again() {
    for fault in ["digests-not-compared", "html-500", "no-uploads", "untyped-errors", "type-in-header"] {
        let mock = Mock::start(&["--fault", fault, "--service", "ecr"]);
        let output = mock.run(&["--service", "ecr", "--cases", "40", "--max-groups", "99"]);
        let report = out(&output);
        let lines: Vec<&str> = report.lines().filter_map(|line| line.trim_start().strip_prefix("replay    ")).collect();
        let groups =
            report.lines().filter(|line| line.split(')').next().is_some_and(|number| number.parse::<u32>().is_ok()));
        let sentences: Vec<&str> = groups.map(|line| line.split_once(") ").unwrap().1).collect();
        assert!(!lines.is_empty() && lines.len() == sentences.len(), "{fault}: {report}");
        for (line, sentence) in lines.into_iter().zip(sentences) {
            let words: Vec<String> = shlex::split(line).unwrap();
            let arguments: Vec<&str> = words[1..].iter().map(String::as_str).collect();
            let replayed = ecrspec(&arguments);
            assert_eq!(replayed.status.code(), Some(1), "{fault}: {line}\n{}", out(&replayed));
            // A group names all that its cases are about; one case is about one thing.
            let operation = sentence.split(' ').next().unwrap();
            assert!(out(&replayed).contains(&format!("1) {operation}")), "{fault}: {line}\n{}", out(&replayed));
        }
    }
}
