//! Files that somebody wrote, or that something has damaged: a clear error of bounded length in bounded time, never a panic.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::binary::{Mock, command, ecrspec, err};
use ecrspec::case::Case;
use ecrspec::contract::Service;
use ecrspec::events;
use ecrspec::generate::{plan, realise};
use ecrspec::judge::known::KnownFile;
use ecrspec::judge::snapshot::{self, Snapshots};
use ecrspec::scenario;
use ecrspec::suite::{find, suite};
use tempfile::TempDir;

/// How long a file may take to be read, on a machine that may be busy.
const LONGEST: Duration = Duration::from_secs(20);

/// Numbers of chance, the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound.max(1)
    }
}

/// What stands in damaged files, and in those of who tries something.
const PIECES: [&str; 19] = [
    "\0",
    "\u{1b}[2J",
    "\u{202e}",
    "${repeat:99999999999:x}",
    "${pad:99999999999:repository}",
    "&a [*a]",
    "- ",
    ": ",
    "\n",
    "\"",
    "999999999999999999999999",
    "-1",
    "null",
    "{",
    "[[[[[[[[",
    "\t",
    "=> 99999999999 \u{d7} ",
    "  - ",
    "@ff:+,",
];

/// The same text, damaged in some places.
fn damaged(text: &str, chance: &mut Chance) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..1 + chance.below(4) {
        let at = chance.below(bytes.len() + 1);
        let end = (at + chance.below(20)).min(bytes.len());
        let piece = PIECES[chance.below(PIECES.len())];
        match chance.below(4) {
            0 => bytes.truncate(at),
            1 => drop(bytes.splice(at..end, piece.bytes())),
            2 => drop(bytes.drain(at..end)),
            _ => {
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads a text damaged in many ways; what the reader says is its error.
fn each_damage(name: &str, text: &str, times: usize, read: impl Fn(&str) -> Option<String>) {
    let mut chance = Chance(name.len() as u64);
    assert_eq!(read(text), None, "{name} is right as it is");
    let mut rejected = 0;
    for _ in 0..times {
        let damaged = damaged(text, &mut chance);
        let began = Instant::now();
        let said = read(&damaged);
        assert!(began.elapsed() < LONGEST, "{name} takes {:?}: {damaged:?}", began.elapsed());
        rejected += usize::from(said.is_some());
    }
    assert!(rejected > times / 4, "{name}: {rejected} of {times} were rejected");
}

fn first_scenario(folder: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().find(|path| path.extension().is_some_and(|kind| kind == "yaml")).unwrap()
}

#[test]
fn a_damaged_scenario_is_a_mistake_or_another_scenario() {
    for folder in ["push", "order", "races"] {
        let text = fs::read_to_string(first_scenario(folder)).unwrap();
        each_damage(folder, &text, 150, |text| {
            let read = scenario::outline("own.yaml", "own", text);
            read.err().map(|mistake| mistake.to_string())
        });
    }
}

#[test]
fn a_damaged_file_of_known_deviations_is_an_error() {
    let text = "[[known]]\nrule = \"CompleteLayerUpload/layerDigests/match\"\ngot = \"200\"\nreason = \"not yet\"\n\
                service = \"ecr\"\nexpires = 2027-03-31\nsometimes = true\n";
    each_damage("known", text, 1000, |text| KnownFile::parse(text).err().map(|error| error.to_string()));
}

#[test]
fn a_damaged_log_is_an_error_or_a_log() {
    let folder = TempDir::new().unwrap();
    let run = ["run", "--service", "ecr", "--filter", "wire/body/json", "--cases", "0", "--report", "ndjson=log"];
    assert!(command(&run, folder.path()).output().unwrap().status.success());
    let log = fs::read_to_string(folder.path().join("log")).unwrap();
    each_damage("log", &log, 500, |text| events::read(text).err().map(|error| error.to_string()));
}

#[test]
fn a_damaged_snapshot_is_an_error_that_names_the_case() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots/ecr/catalogue");
    for name in ["BatchCheckLayerAvailability.accepted.snap", "InitiateLayerUpload.repositoryName.snap"] {
        let text = fs::read_to_string(folder.join(name)).unwrap();
        let ids: Vec<String> = snapshot::entries(&text).map(|entry| entry.id).collect();
        let all = suite(Service::Ecr).unwrap();
        let cases: Vec<Case> = all.into_iter().filter(|case| ids.contains(&case.id)).collect();
        assert_eq!(cases.len(), ids.len());
        each_damage(name, &text, 400, |text| {
            let mut snapshots = Snapshots::default();
            snapshots.add(text);
            let rules = snapshot::entries(text).filter_map(|entry| entry.rules().err());
            let applied = cases.iter().filter_map(|case| snapshots.apply(&mut case.clone()).err());
            let errors: Vec<String> = applied.chain(rules).map(|error| error.to_string()).collect();
            let names = |said: &&String| said.contains("snapshot") && said.len() < 4000;
            assert_eq!(errors.iter().filter(names).count(), errors.len(), "{errors:?}");
            // Most of a file is for the reader: that what is judged by is not lost unseen is what counts.
            errors.into_iter().next().or_else(|| (snapshots.ids().count() != ids.len()).then(|| String::from("other")))
        });
    }
}

#[test]
fn a_snapshot_that_counts_without_bounds_is_told_and_not_counted_out() {
    let case = find(Service::Ecr, "BatchCheckLayerAvailability/accepted/plain").unwrap().unwrap();
    for (count, told) in [("99999999999", "99999999999 expectations for 1"), ("0", "0 expectations for 1")] {
        let mut snapshots = Snapshots::default();
        snapshots
            .add(&format!("=> {count} \u{d7} wire/method documented [none-found] 200\n  - {}: a title\n", case.id));
        let said = snapshots.apply(&mut case.clone()).unwrap_err().to_string();
        assert!(said.contains(&case.id) && said.contains(told), "{said}");
    }
}

#[test]
fn a_damaged_plan_is_an_error_or_another_plan() {
    for (service, number) in Service::ALL.into_iter().flat_map(|service| (0..5).map(move |number| (service, number))) {
        let id = plan::id(service, &plan::nth(service, 7, number));
        each_damage("plan", &id, 300, |text| match plan::parse(service, text) {
            // What can be read can be made a case, and has an id that is read as the same plan.
            Ok(read) => {
                assert_eq!(plan::parse(service, &plan::id(service, &read)).as_ref(), Ok(&read), "{text:?}");
                assert!(!realise(service, &read).steps.is_empty() || read.decisions.is_empty());
                None
            }
            Err(error) => Some(error.to_string()),
        });
    }
}

#[test]
fn a_damaged_scenario_of_a_search_is_a_mistake_or_another_scenario() {
    let mock = Mock::start(&["--service", "ecr", "--fault", "digests-not-compared"]);
    let folder = TempDir::new().unwrap();
    let fuzz =
        ["fuzz", "--service", "ecr", "--endpoint", &mock.endpoint, "--budget", "3s", "--seed", "1", "--save", "found"];
    let output = command(&fuzz, folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    let saved: Vec<PathBuf> =
        fs::read_dir(folder.path().join("found")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!saved.is_empty());
    for path in saved {
        let text = fs::read_to_string(path).unwrap();
        each_damage("saved", &text, 150, |text| {
            let read = scenario::outline("found/saved.yaml", "saved", text);
            read.err().map(|mistake| mistake.to_string()).inspect(|said| {
                assert!(said.starts_with("found/saved.yaml") && said.len() < 20_000, "{said:.400}");
            })
        });
    }
}

#[test]
fn a_log_without_end_is_not_read() {
    let output = ecrspec(&["report", "/dev/zero"]);
    assert_eq!(output.status.code(), Some(2), "{}", err(&output));
    assert!(err(&output).contains("line 1 is longer than 64 MiB"), "{}", err(&output));
}

#[test]
fn what_would_grow_without_bounds_is_a_mistake_with_its_line() {
    let usual = fs::read_to_string(first_scenario("push")).unwrap();
    let rejected = |text: &str| {
        let began = Instant::now();
        let said = scenario::outline("own.yaml", "own", text).unwrap_err().to_string();
        assert!(began.elapsed() < LONGEST, "{:?}: {said}", began.elapsed());
        assert!(said.len() < 4000, "{said}");
        said
    };
    let of = usual.replacen("${repository}", "${repeat:99999999999:x}", 1);
    assert_ne!(of, usual, "the scenario names its repository");
    let said = rejected(&of);
    assert!(said.contains("at most 32 MiB") && said.starts_with("own.yaml:"), "{said}");
    let mut aliases = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let below = format!("*a{}, ", level - 1).repeat(9);
        aliases += &format!("a{level}: &a{level} [{}]\n", below.trim_end_matches(", "));
    }
    rejected(&aliases);
    rejected(&"[".repeat(100_000));
    rejected(&"a:\n ".repeat(10_000));
}

#[test]
fn settings_that_are_wrong_are_told_in_a_few_lines() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("ecrspec.toml");
    let deep = format!("endpoint = {}{}", "[".repeat(50_000), "]".repeat(50_000));
    let long = format!("endpoint = \"{}\u{1b}[2J", "x".repeat(300_000));
    for text in [deep, long, String::from("jobs = 999999999999"), String::from("timeout = 1e19"), "\0".repeat(1000)] {
        fs::write(&file, &text).unwrap();
        let output = command(&["run"], folder.path()).output().unwrap();
        let said = err(&output);
        assert_eq!(output.status.code(), Some(2), "{text:.40}: {said:.400}");
        assert!(said.len() < 20_000 && !said.contains('\u{1b}'), "{text:.40}: {} bytes", said.len());
    }
}
