//! Runs that are ended from outside, and outputs that take nothing: what was judged is in the log, what was made is removed
//! or named, and no exit code says more than is known.
#![cfg(unix)]

mod adversary;
mod binary;

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use adversary::behaviour::all;
use adversary::{When, serve};
use binary::{Mock, command, ecrspec, err, last_line, out};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// How many runs are ended at moments of chance: more with KILLS=NUMBER.
fn kills() -> u64 {
    std::env::var("KILLS").ok().and_then(|number| number.parse().ok()).unwrap_or(24)
}

/// A number from 0 up to a bound, the same each time.
fn chance(seed: u64, below: u64) -> u64 {
    let mut state = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (state ^ (state >> 31)) % below
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// Waits for the end of a process that must come in time.
fn code(mut child: Child, most: Duration, what: &str) -> Option<i32> {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        if began.elapsed() > most {
            child.kill().unwrap();
            panic!("{what}: it goes on for more than {most:?}");
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// A run of a part of the suite with a log, whose outputs nobody reads.
fn run(endpoint: &str, log: &Path, more: &[&str]) -> Command {
    let report = format!("ndjson={}", log.display());
    let usual = ["run", "--endpoint", endpoint, "--service", "ecr", "--jobs", "2", "--report", &report];
    let mut run = command(&[&usual[..], more].concat(), log.parent().unwrap());
    run.stdout(Stdio::null()).stderr(Stdio::null());
    run
}

#[test]
fn a_run_that_is_ended_at_any_moment_leaves_a_log_and_nothing_untold() {
    let mock = Mock::start(&["--service", "ecr"]);
    let folder = TempDir::new().unwrap();
    for number in 0..kills() {
        let name = ["INT", "TERM", "HUP", "KILL"][(number % 4) as usize];
        let log = folder.path().join(format!("{number}.ndjson"));
        let filter = ["--filter", "CompleteLayerUpload/repositoryName", "--cases", "20"];
        let child = run(&mock.endpoint, &log, &filter).spawn().unwrap();
        thread::sleep(Duration::from_millis(chance(number, 1500)));
        let what = format!("{number}, {name}");
        signal(&child, name);
        let code = code(child, Duration::from_secs(20), &what);
        let text = fs::read_to_string(&log).unwrap_or_default();
        let has_ended = text.lines().last().is_some_and(|line| line.contains("\"event\":\"finished\""));
        let again = ecrspec(&["report", log.to_str().unwrap()]);
        match (code, has_ended) {
            // It was killed, or had not come to hear signals yet.
            (None, false) => {
                let told = again.status.code();
                let is_empty = !text.contains('\n');
                assert!(
                    if is_empty { told == Some(2) } else { matches!(told, Some(1 | 6)) },
                    "{what}: {told:?}, {text}"
                );
            }
            (Some(code), true) => assert_eq!(again.status.code(), Some(code), "{what}: {}", err(&again)),
            // It had ended by then.
            (None, true) => assert!(matches!(again.status.code(), Some(0 | 1 | 130)), "{what}"),
            other => panic!("{what}: {other:?}, {text}"),
        }
        let events = text.lines().map(serde_json::from_str::<serde_json::Value>).filter(Result::is_err).count();
        assert!(events <= usize::from(!has_ended), "{what}: {events} lines are no events");
        if code == Some(130) {
            let left = mock.repositories();
            let prefix = text.split("\"repositories\":\"").nth(1).and_then(|rest| rest.split('/').next()).unwrap();
            assert!(!left.contains(prefix) || text.contains("\"left\":[\""), "{what}: {left}");
        }
    }
}

/// Of the suite so much that a run of it on a target that does not answer would go on.
const FEW: [&str; 2] = ["--filter", "UploadLayerPart/"];

#[test]
fn a_survey_or_a_run_of_what_does_not_answer_can_be_interrupted_and_has_a_deadline() {
    let runtime = Runtime::new().unwrap();
    let folder = TempDir::new().unwrap();
    let names =
        ["silence", "body in drips", "the right answer in drips", "endless interim answers", "status 429 with x-more"];
    let work = |name: &'static str| {
        let behaviour = all().into_iter().find(|one| one.name == name).unwrap();
        for after in [0, 30] {
            let endpoint = serve(&runtime, behaviour.clone(), When { operation: None, after, until: None });
            let log = folder.path().join(format!("{name} {after}.ndjson"));
            let child = run(&endpoint, &log, &FEW).spawn().unwrap();
            // By then it listens to signals; a moment later the survey is under way, or cases are.
            while fs::read_to_string(&log).unwrap_or_default().is_empty() {
                thread::sleep(Duration::from_millis(5));
            }
            thread::sleep(Duration::from_secs(2));
            signal(&child, "INT");
            // What is under way has five seconds.
            assert_eq!(code(child, Duration::from_secs(12), name), Some(130), "{name}");
            let child = run(&endpoint, &log, &[&FEW[..], &["--deadline", "3s"]].concat()).spawn().unwrap();
            let ended = code(child, Duration::from_secs(15), name);
            assert!(matches!(ended, Some(1 | 6)), "{name}: {ended:?}");
            assert!(fs::read_to_string(&log).unwrap().contains("\"stopped\":\"deadline\""), "{name}");
        }
    };
    thread::scope(|scope| names.map(|name| scope.spawn(move || work(name))).map(|worker| worker.join().unwrap()));
}

#[test]
fn outputs_that_take_nothing_are_no_panic() {
    let mock = Mock::start(&["--service", "ecr"]);
    let folder = TempDir::new().unwrap();
    let full = || Stdio::from(File::options().write(true).open("/dev/full").unwrap());
    let few = ["--service", "ecr", "--filter", "wire/body/json", "--cases", "0"];
    let of = |arguments: &[&str]| command(arguments, folder.path());
    // A usage error, and a target that is not there, which nobody can be told of.
    for (endpoint, jobs, expected) in [(&*mock.endpoint, "0", 2), ("http://127.0.0.1:9", "1", 3)] {
        let arguments = [&["run", "--endpoint", endpoint, "--jobs", jobs][..], &few].concat();
        assert_eq!(of(&arguments).stdout(Stdio::null()).stderr(full()).status().unwrap().code(), Some(expected));
    }
    let clean = [&["run", "--endpoint", &mock.endpoint][..], &few].concat();
    let output = of(&clean).stdout(full()).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "a clean end that nobody could read is none");
    // Who reads one line has seen enough.
    let mut child = of(&clean).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("target"), "{line}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let output = of(&[&clean[..], &["--report", "ndjson=/dev/full"]].concat()).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", err(&output));
    assert!(last_line(&output).contains("a report could not be written"), "{}", out(&output));
}

#[test]
fn a_report_that_cannot_be_written_is_told_before_the_first_request() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let folder = TempDir::new().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (missing, pipe) = (String::from("/dev/null/log"), pipe.display().to_string());
    for (path, why) in [(missing, "could not create /dev/null"), (pipe, "it is a named pipe that nobody reads")] {
        let report = format!("ndjson={path}");
        let output = ecrspec(&["run", "--endpoint", &endpoint, "--report", &report]);
        assert_eq!(output.status.code(), Some(2), "{}", err(&output));
        assert!(err(&output).contains(why), "{}", err(&output));
        assert!(listener.accept().is_err(), "a request was sent");
    }
}

#[test]
fn no_descriptors_left_are_our_own_trouble() {
    let mock = Mock::start(&["--service", "ecr"]);
    let binary = env!("CARGO_BIN_EXE_ecrspec");
    let script = format!("ulimit -n 10; exec {binary} run --service ecr --endpoint {} --cases 0", mock.endpoint);
    let output = Command::new("sh").args(["-c", &script]).current_dir(TempDir::new().unwrap().path()).output().unwrap();
    let told = format!("{}{}", out(&output), err(&output));
    assert!(told.contains("too many open files"), "{told}");
    assert!(matches!(output.status.code(), Some(2 | 3 | 6 | 7)), "{told}");
}

#[test]
fn no_descriptors_left_for_the_embedded_mock_are_told_at_once_with_what_to_do() {
    let binary = env!("CARGO_BIN_EXE_ecrspec");
    let run = "run --service ecr --filter CompleteLayerUpload/accepted --cases 0 --jobs 32";
    for limit in [12, 16, 20, 24] {
        let script = format!("ulimit -n {limit}; exec {binary} {run}");
        let folder = TempDir::new().unwrap();
        let began = Instant::now();
        let output = Command::new("sh").args(["-c", &script]).current_dir(folder.path()).output().unwrap();
        let told = err(&output);
        assert_eq!(output.status.code(), Some(3), "{limit}: {told}{}", out(&output));
        assert!(told.contains("too many open files, no descriptor is left: raise the limit (ulimit -n)"), "{told}");
        assert!(!out(&output).contains("no response in time"), "{limit}: {}", out(&output));
        assert!(began.elapsed() < Duration::from_secs(20), "{limit}: {:?}", began.elapsed());
    }
}
