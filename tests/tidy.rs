//! The house rules of `src/lib.rs`, kept.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

mod source;

use ecrspec::case::StepRole;
use ecrspec::contract::source::SOURCES;
use ecrspec::contract::{self, ErrorType, Kind, Member, Operation, RuleId, RulePattern, Rules, Service, Shape, Tier};
use ecrspec::generate::catalogue;
use ecrspec::suite::{drafts, snapshots, suite};
use ecrspec::template::{Reference, Template};
use source::{Source, imports, source, sources};

/// Which rooms the code of a room may name: only rooms that come before it. Tests inside a room may name more.
const MAY_USE: &[(&str, &[&str])] = &[
    ("contract", &[]),
    ("wire", &["contract"]),
    ("template", &[]),
    ("expect", &["contract", "template"]),
    ("case", &["contract", "wire", "template", "expect"]),
    ("model", &["contract", "wire", "expect", "case"]),
    ("judge", &["contract", "wire", "template", "expect", "case"]),
    ("generate", &["contract", "wire", "template", "expect", "case", "model"]),
    ("linearize", &["contract", "wire", "template", "case", "judge", "generate"]),
    ("scenario", &["contract", "wire", "template", "expect", "case", "generate"]),
    ("mock", &["contract", "wire", "case", "model"]),
    ("drive", &["contract", "wire", "template", "case"]),
    ("survey", &["contract", "wire", "template", "expect", "case", "model", "judge", "drive"]),
    ("events", &["contract", "wire", "template", "expect", "case", "judge", "survey"]),
    ("report", &["contract", "wire", "template", "expect", "case", "judge", "survey", "events"]),
    ("evidence", &["contract", "wire", "template", "expect", "case", "judge", "survey", "events"]),
    ("coverage", &["contract", "expect", "case", "model", "generate"]),
    ("suite", &["contract", "case", "judge", "generate", "scenario"]),
    ("search", &["contract", "wire", "case", "judge", "generate", "events"]),
    ("session", &["contract", "wire", "case", "model", "judge", "generate", "linearize", "drive", "survey", "search"]),
    (
        "run",
        &[
            "session",
            "contract",
            "wire",
            "case",
            "judge",
            "generate",
            "linearize",
            "drive",
            "survey",
            "events",
            "suite",
            "search",
        ],
    ),
    ("selftest", &["contract", "case", "judge", "drive", "events", "mock", "report", "run", "search"]),
    (
        "cli",
        &[
            "contract", "wire", "case", "model", "judge", "generate", "scenario", "drive", "survey", "events",
            "evidence", "report", "coverage", "suite", "search", "run", "mock", "selftest",
        ],
    ),
    (
        "testing",
        &[
            "contract",
            "wire",
            "template",
            "expect",
            "case",
            "judge",
            "generate",
            "linearize",
            "drive",
            "events",
            "report",
            "suite",
            "search",
            "session",
            "run",
        ],
    ),
    (
        "fuzzing",
        &[
            "contract",
            "wire",
            "template",
            "expect",
            "case",
            "model",
            "judge",
            "generate",
            "linearize",
            "scenario",
            "survey",
            "events",
            "report",
            "suite",
            "mock",
            "testing",
        ],
    ),
    ("main", &["cli"]),
];

/// Rooms that neither wait nor touch the world.
const PURE: &[&str] = &[
    "contract",
    "template",
    "expect",
    "wire",
    "case",
    "model",
    "judge",
    "generate",
    "linearize",
    "scenario",
    "survey",
    "events",
    "evidence",
    "report",
    "coverage",
    "fuzzing",
];

/// What waits in a room that is pure otherwise: no pure room names it.
const WAITS: [[&str; 2]; 2] = [["survey", "preflight"], ["survey", "again"]];

#[test]
fn rooms_use_only_the_rooms_they_may() {
    let rooms: BTreeSet<&str> = MAY_USE.iter().map(|(room, _)| *room).collect();
    let sources = sources(&root());
    for source in &sources {
        let room = source.room();
        let Some((_, allowed)) = MAY_USE.iter().find(|(known, _)| *known == room) else {
            assert!(room == "lib", "{} is in no room of tests/tidy.rs", source.path.display());
            continue;
        };
        let root = if room == "main" { "ecrspec" } else { "crate" };
        for path in source.paths.iter().filter(|path| path[0] == root) {
            let used = path.get(1).map_or("the root of the crate", String::as_str);
            let path = path.join("::");
            assert!(rooms.contains(used), "{}: {path} names no room", source.path.display());
            assert!(used == room || allowed.contains(&used), "{}: {path}, {room} may not", source.path.display());
        }
    }
    let there: BTreeSet<&str> = sources.iter().map(Source::room).filter(|room| *room != "lib").collect();
    assert_eq!(rooms, there, "rooms of tests/tidy.rs, and rooms of src");
}

#[test]
fn rooms_use_only_rooms_below() {
    let map = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let floor = |room: &str| {
        let row = map.lines().find(|line| line.starts_with("//! | ") && line.contains(&format!("`{room}`")));
        let number = row.and_then(|row| row.split('|').nth(1)).map(str::trim);
        number.and_then(|number| number.parse::<u32>().ok()).unwrap_or_else(|| panic!("src/lib.rs has no {room}"))
    };
    for (at, (room, allowed)) in MAY_USE.iter().enumerate().filter(|(_, (room, _))| *room != "main") {
        for used in *allowed {
            // The order of the table has no circle.
            assert!(MAY_USE[..at].iter().any(|(earlier, _)| earlier == used), "{room} uses {used}, which comes later");
            assert!(floor(used) <= floor(room), "{room} uses {used}, which is on a higher floor");
        }
    }
}

/// Files that name each other, and are no module and one inside of it, are one file, or a third has what both need.
#[test]
fn no_two_files_name_each_other() {
    let sources = sources(&root());
    let imports = imports(&sources);
    let mut circles = BTreeSet::new();
    for (one, named) in &imports {
        // A module and one inside of it belong together: the outer declares the inner, and calls it.
        let others = named.iter().filter(|other| one < *other && !other.starts_with(one));
        for other in others.filter(|other| imports[**other].contains(one)) {
            circles.insert((one.join("/"), other.join("/")));
        }
    }
    assert!(circles.is_empty(), "{circles:?}");
}

#[test]
fn pure_rooms_neither_wait_nor_touch_the_world() {
    for source in sources(&root()) {
        if PURE.contains(&source.room()) && !WAITS.iter().any(|waits| source.module == waits) {
            let inner = !WAITS.iter().any(|waits| source.module == waits[..1]);
            let is_one = |path: &[String]| WAITS.iter().any(|waits| path.starts_with(&waits.map(String::from)));
            let waits = source.paths.iter().any(|path| path.get(1..).is_some_and(is_one));
            assert!(!(inner && waits), "{} names what waits", source.path.display());
            for word in ["async", "await", "tokio", "Instant", "SystemTime", "now"] {
                assert!(!source.words.contains(word), "{} has {word:?}", source.path.display());
            }
            for path in source.paths.iter().filter(|path| path[0] == "std") {
                assert!(
                    !["fs", "net", "env", "process"].contains(&path[1].as_str()),
                    "{} has {path:?}",
                    source.path.display()
                );
            }
        }
    }
}

#[test]
fn paths_are_found_however_they_are_written() {
    let text = r#"
        use crate::{report::{self, Event}, drive};
        use super::{super::run, wire::*};
        mod inner {
            #[cfg(test)]
            use crate::not_this;
            fn later() { println!("{}", super::super::suite::all(std::fs::read::<&str>)) }
        }
        use crate as root;
        #[cfg(test)]
        mod tests { use crate::nor_this; }
        #[cfg(test)]
        mod elsewhere;
        #[cfg(feature = "net")]
        const LAST: u8 = self::inner::r#COUNT;
    "#;
    let mut tests_only = BTreeSet::new();
    let module = vec![String::from("judge"), String::from("form")];
    let source = source(PathBuf::from("x.rs"), module, text, &mut tests_only);
    let paths: Vec<String> = source.paths.iter().map(|path| path.join("::")).collect();
    assert_eq!(
        paths,
        [
            "crate::as",
            "crate::drive",
            "crate::judge::form::inner::COUNT",
            "crate::judge::suite::all",
            "crate::judge::wire::*",
            "crate::report::Event",
            "crate::report::self",
            "crate::run",
            "std::fs::read",
        ]
    );
    let below = |name: &str| vec![String::from("judge"), String::from("form"), String::from(name)];
    assert_eq!(tests_only, BTreeSet::from([below("tests"), below("elsewhere")]));
}

/// Cargo does not look for tests: what nobody names would never run.
#[test]
fn every_file_of_tests_is_a_program_or_a_module_of_one() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let (programs, modules) = (read("Cargo.toml"), read("tests/integration.rs"));
    for path in files(&root().join("tests"), "rs").iter().filter(|path| path.parent().unwrap().ends_with("tests")) {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let is_program = programs.contains(&format!("[[test]]\nname = \"{name}\"\n"));
        let is_module = modules.lines().any(|line| line == format!("mod {name};"));
        assert!(is_program != is_module, "tests/{name}.rs: a program of its own: {is_program}, a module: {is_module}");
    }
}

#[test]
fn main_is_a_table_of_contents() {
    let main = fs::read_to_string(root().join("src/main.rs")).unwrap();
    assert!(main.lines().count() < 40);
}

#[test]
fn rules_have_sources_and_say_something() {
    for service in Service::ALL {
        for rule in Rules::of(service).iter() {
            assert!(!rule.sources.is_empty(), "{service} {} has no source", rule.id);
            assert!(rule.statement.ends_with('.') && !rule.breach.is_empty(), "{service} {}", rule.id);
            assert!(rule.errors.len() <= 3, "{service} {} allows {:?}", rule.id, rule.errors);
            let only_survey = rule.sources.iter().all(|source| source.id == "none-found");
            assert!(!rule.tier.gates() || !only_survey, "{service} {} gates on nothing", rule.id);
            if let Some(basis) = &rule.error_basis {
                let of_nothing = basis.sources.iter().all(|source| source.id == "none-found");
                assert!(!basis.tier.gates() || !of_nothing, "{service} {}: the error gates on nothing", rule.id);
                assert!(!rule.errors.is_empty(), "{service} {}: no error rests on anything", rule.id);
            }
            for error in &rule.errors {
                let known = ErrorType::find(error).unwrap_or_else(|| panic!("{} names {error}", rule.id));
                let documented = rule.id.operation().and_then(|name| service.contract().operation(name));
                let framework = known.source != "api";
                let listed = documented.is_none_or(|operation| operation.errors.contains(error));
                assert!(framework || listed, "{service}: {error} of {} is no error of its operation", rule.id);
            }
        }
    }
}

#[test]
fn the_mean_number_of_allowed_errors_is_small() {
    for service in Service::ALL {
        let sizes: Vec<usize> = suite(service)
            .unwrap()
            .iter()
            // Of calls at once, the order decides which of several answers is allowed.
            .filter(|case| !case.is_race())
            .flat_map(|case| &case.steps)
            .filter(|step| {
                step.role == StepRole::Focus && step.expect.error_tier().gates() && !step.expect.is_success()
            })
            .map(|step| step.expect.errors().len())
            .collect();
        let mean = sizes.iter().sum::<usize>() as f64 / sizes.len() as f64;
        assert!(mean < 1.3, "{service}: {mean:.2} error types a negative case");
    }
}

#[test]
fn sources_are_distinct_and_used() {
    let ids: BTreeSet<&str> = SOURCES.iter().map(|source| source.id).collect();
    assert_eq!(ids.len(), SOURCES.len());
    let mut used: BTreeSet<&str> = Service::ALL
        .iter()
        .flat_map(|service| Rules::of(*service).iter())
        .flat_map(|rule| rule.all_sources().map(|source| source.id))
        .collect();
    for error in ecrspec::contract::error::ERRORS {
        used.extend((error.source != "api").then_some(error.source));
        used.extend(error.message.as_ref().map(|text| text.source));
        used.extend(error.out_of_reach.as_ref().map(|out| out.source).filter(|source| *source != "api"));
    }
    for service in Service::ALL {
        used.extend(service.contract().operations.iter().map(|operation| operation.source));
    }
    let unused: Vec<_> = ids.difference(&used).collect();
    assert!(unused.is_empty(), "no rule, error or operation names {unused:?}");
    for source in SOURCES {
        assert!(
            source.url.starts_with("https://") && !source.what.is_empty() && !source.edition.is_empty(),
            "{}",
            source.id
        );
    }
}

#[test]
fn the_contract_names_what_exists() {
    for service in Service::ALL {
        for operation in service.contract().operations {
            assert!(contract::Source::find(operation.source).is_some(), "{}", operation.source);
            for error in operation.errors {
                assert!(ErrorType::find(error).is_some(), "{service} {} documents {error}", operation.name);
            }
            operation.input.iter().chain(operation.output).for_each(|member: &Member| compiles(member.shape));
        }
    }
}

fn compiles(shape: &Shape) {
    match &shape.kind {
        Kind::Text(text) => {
            let _ = text.matches_all("x"); // Panics on a pattern that does not compile.
        }
        Kind::List { item, .. } => compiles(item),
        Kind::Structure(members) => members.iter().for_each(|member| compiles(member.shape)),
        _ => {}
    }
}

/// Ids in the code are made without asking whether there is such a rule, so that they can be constants.
#[test]
fn rules_that_the_code_names_exist() {
    let written = regex::Regex::new(r#"Rule(?:Id|Pattern)::new\(\s*"([^"]+)"\s*,?\s*\)"#).unwrap();
    let rules: Vec<RuleId> =
        Service::ALL.iter().flat_map(|service| Rules::of(*service).iter()).map(|rule| rule.id).collect();
    // Why the reference registry rejects what no rule is about; each stands once.
    let mut of_registry = BTreeSet::from([
        "CreateRepository/repositoryName/new",
        "DeleteRepository/force/empty",
        "PutImage/imageManifest/json",
    ]);
    let mut named = 0;
    for file in files(&root().join("src"), "rs") {
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for id in written.captures_iter(code).map(|found| found.get(1).unwrap().as_str()) {
            let pattern = RulePattern::new(String::from(id).leak());
            let is_rule = rules.iter().any(|rule| pattern.matches(*rule));
            let is_own = of_registry.remove(id);
            named += 1;
            assert!(is_rule != is_own, "{}: {id} is {}", file.display(), if is_rule { "a rule" } else { "no rule" });
        }
    }
    assert!(of_registry.is_empty(), "no code names {of_registry:?}");
    assert!(named > 500, "{named} ids were found: are they written in another way?");
}

#[test]
fn case_ids_are_distinct() {
    for service in Service::ALL {
        let mut seen = BTreeSet::new();
        for case in drafts(service).unwrap() {
            assert!(seen.insert(case.id.clone()), "{service} has {} twice", case.id);
            assert!(case.id.is_ascii() && !case.id.contains(' ') && !case.title.is_empty(), "{}", case.id);
            let names: BTreeSet<&str> = case.steps.iter().map(|step| step.name.as_str()).collect();
            assert_eq!(names.len(), case.steps.len(), "{}: two steps have one name", case.id);
        }
    }
}

#[test]
fn every_rule_that_gates_has_a_case() {
    for service in Service::ALL {
        let cases = drafts(service).unwrap();
        let focus = cases.iter().flat_map(|case| &case.steps).filter(|step| step.role == StepRole::Focus);
        let tested: HashSet<RuleId> = focus.map(|step| step.expect.rule).collect();
        for rule in Rules::of(service).iter().filter(|rule| rule.tier.gates()) {
            let everywhere = rule.id.is_everywhere();
            // A valid GetDownloadUrlForLayer finds no layer: there the rule of that answer stands for "accepted".
            let stood_for = rule.id.operation() == Some(Operation::GetDownloadUrlForLayer) && rule.errors.is_empty();
            assert!(everywhere || stood_for || tested.contains(&rule.id), "{service}: no case for {}", rule.id);
        }
    }
}

#[test]
fn every_reference_of_a_case_is_one() {
    for service in Service::ALL {
        for case in suite(service).unwrap() {
            for step in &case.steps {
                // What is generated is read leniently: a typing mistake would be sent as it is.
                let parsed = Template::parse(step.request.body.to_bytes());
                assert_eq!(parsed.as_ref(), Ok(&step.request.body), "{service} {}, step {}", case.id, step.name);
            }
        }
    }
}

#[test]
fn scenarios_allow_what_their_rules_allow() {
    for service in Service::ALL {
        for case in drafts(service).unwrap().iter().filter(|case| case.id.starts_with("scenarios/")) {
            for step in case.steps.iter().filter(|step| step.role == StepRole::Focus && step.expect.tier.gates()) {
                let rule = Rules::of(service).get(step.expect.rule).unwrap();
                let mut allowed = step.expect.errors();
                let mut errors = rule.errors.clone();
                allowed.sort_unstable();
                errors.sort_unstable();
                // A valid GetDownloadUrlForLayer finds no layer: its rule is that of the answer.
                assert_eq!(allowed, errors, "{service} {}, step {}, rule {}", case.id, step.name, rule.id);
            }
        }
    }
}

#[test]
fn nothing_that_gates_rests_on_an_open_question() {
    // After an open step, the uploads that it names are in a state that nobody knows.
    for service in Service::ALL {
        for case in suite(service).unwrap() {
            let mut touched: BTreeSet<String> = BTreeSet::new();
            for step in &case.steps {
                let named = uploads(&step.request.body);
                let judged = step.expect.tier.gates() && step.role == StepRole::Focus;
                let clash = named.iter().find(|upload| touched.contains(*upload)).filter(|_| judged);
                assert!(clash.is_none(), "{service} {}, step {}: {clash:?}", case.id, step.name);
                // A case that goes on only from one answer knows it.
                if step.expect.tier == Tier::Open && step.only_if.is_empty() {
                    touched.extend(named);
                }
            }
        }
    }
}

/// The uploads that a body refers to.
fn uploads(body: &Template) -> BTreeSet<String> {
    let ids = body.references().filter_map(Reference::of_member).filter(|of| of.member == "uploadId");
    ids.map(|of| of.step.clone()).collect()
}

#[test]
fn snapshots_have_the_cases_of_the_catalogue_and_no_others() {
    for service in Service::ALL {
        let cases: BTreeSet<String> = catalogue(service).into_iter().map(|case| case.id).collect();
        let reviewed = snapshots(service);
        let ids: BTreeSet<String> = reviewed.ids().map(String::from).collect();
        assert_eq!(ids, cases, "{service}");
    }
}

#[test]
fn the_comparison_draws_from_the_documented_patterns() {
    let script = fs::read_to_string(root().join("benches/beside_hypothesis.py")).unwrap();
    let complete = Service::Ecr.contract().operation(Operation::CompleteLayerUpload).unwrap();
    let mut compared = 0;
    for member in complete.input {
        let text = match &member.shape.kind {
            Kind::Text(text) => text,
            Kind::List { item: Shape { kind: Kind::Text(text), .. }, .. } => text,
            _ => continue,
        };
        // The oldest edition is the narrowest.
        let pattern = text.patterns.last().unwrap().text().replace(r"\/", "/");
        assert!(script.contains(&format!("r\"{pattern}\"")), "{}: {pattern}", member.name);
        compared += 1;
    }
    assert_eq!(compared, 4);
}

#[test]
fn scenarios_read_like_documentation() {
    let mut topics: BTreeMap<String, usize> = BTreeMap::new();
    for path in files(&root().join("scenarios"), "yaml") {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("title: ") && text.contains("\nabout: "), "{} has no title or about", path.display());
        let topic = path.parent().and_then(Path::file_name).unwrap().to_string_lossy().into_owned();
        *topics.entry(topic).or_default() += 1;
    }
    assert!(topics.values().sum::<usize>() >= 30, "{topics:?}");
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|found| found == ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
