//! All cases of a service, each with its reviewed expectations: what a run judges by. Those of scenarios are in their
//! files, those of the catalogue in snapshots.

use std::collections::HashSet;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;

use include_dir::{Dir, File, include_dir};

use crate::case::{Case, CaseKind, Heading, each_once};
use crate::contract::{RuleId, Service, Tier};
use crate::generate::{Family, catalogue, families};
use crate::judge::snapshot::{self, Entry, SnapshotError, Snapshots};
use crate::scenario::{self, Mistake};

static SCENARIOS: Dir = include_dir!("$CARGO_MANIFEST_DIR/scenarios");
static SNAPSHOTS: Dir = include_dir!("$CARGO_MANIFEST_DIR/snapshots");

/// What is wrong with the cases of this build.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SuiteError {
    /// A scenario has a mistake.
    #[error(transparent)]
    Scenario(#[from] Mistake),
    /// A case of the catalogue is not judged by its snapshot.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
}

/// The scenarios of a service and its catalogue, in order, with the expectations of the snapshots.
///
/// # Errors
///
/// A scenario with a mistake, or a case of the catalogue without a snapshot: a fault of this build.
pub fn suite(service: Service) -> Result<Vec<Case>, SuiteError> {
    Ok(made(service)?.to_vec())
}

/// The cases of the suites of these services whose ids are wanted, in order, for whoever asks once: no other is made whole.
/// All are made at the same time, for somebody waits for them.
///
/// # Errors
///
/// As [`suite`].
pub fn once(services: &[Service], is_wanted: impl Fn(&str) -> bool + Sync) -> Result<Vec<Case>, SuiteError> {
    let (written, generated) = std::thread::scope(|threads| {
        let makers: Vec<_> = services.iter().map(|service| threads.spawn(|| generated(*service, &is_wanted))).collect();
        let written = parsed(&is_wanted);
        (written, makers.into_iter().map(joined).collect::<Result<Vec<_>, _>>())
    });
    let (mut written, generated) = (written?, generated?);
    let mut cases = Vec::new();
    for (service, generated) in services.iter().zip(generated) {
        cases.extend(written.extract_if(.., |case| case.service == *service));
        cases.extend(generated);
    }
    Ok(cases)
}

/// The suite of a service, which is made once: whoever asks again and again, as a selftest does, gets the same.
fn made(service: Service) -> Result<&'static [Case], SuiteError> {
    static SUITES: [OnceLock<Result<Vec<Case>, SuiteError>>; 2] = [OnceLock::new(), OnceLock::new()];
    let both = || {
        let mut cases = scenarios(service)?;
        cases.extend(generated(service, |_| true)?);
        Ok(cases)
    };
    SUITES[service as usize].get_or_init(both).as_deref().map_err(Clone::clone)
}

/// The cases of the catalogue of a service whose ids are wanted, with their reviewed expectations.
fn generated(service: Service, is_wanted: impl Fn(&str) -> bool) -> Result<Vec<Case>, SuiteError> {
    let snapshots = snapshots(service);
    let mut cases = catalogue(service);
    cases.retain(|case| is_wanted(&case.id));
    for case in &mut cases {
        snapshots.apply(case)?;
    }
    Ok(cases)
}

/// The same cases before anything is reviewed: the catalogue with the expectations of its rules.
///
/// # Errors
///
/// A scenario with a mistake.
pub fn drafts(service: Service) -> Result<Vec<Case>, SuiteError> {
    let mut cases = scenarios(service)?;
    cases.extend(catalogue(service));
    Ok(cases)
}

/// The headings of the cases of these services: scenarios, then the catalogue. Much cheaper than the cases: no request is
/// made, and no layer hashed.
///
/// # Errors
///
/// A scenario with a mistake, or a snapshot that cannot be read.
pub fn headings(services: &[Service]) -> Result<Vec<Heading>, SuiteError> {
    let files: Vec<ScenarioFile> = scenario_files().collect();
    let snapshots = services.iter().flat_map(|service| {
        let files = files_of(&SNAPSHOTS, service.name(), "snap").into_iter();
        files.map(|(_, text)| Source::Snapshot(*service, text))
    });
    let sources: Vec<Source> = files.iter().map(Source::Scenario).chain(snapshots).collect();
    let mut read = Vec::new();
    for headings in two_at_a_time(&sources, Source::headings) {
        read.extend(headings?);
    }
    // Of each service, what is written stands before what is generated: a sort that is stable keeps it so.
    read.retain(|heading| services.contains(&heading.service));
    read.sort_by_key(|heading| services.iter().position(|service| *service == heading.service));
    Ok(read)
}

/// What has headings.
enum Source<'a> {
    Scenario(&'a ScenarioFile),
    Snapshot(Service, &'static str),
}

impl Source<'_> {
    fn headings(&self) -> Result<Vec<Heading>, SuiteError> {
        match self {
            Source::Scenario(file) => Ok(file.outline()?.map(|case| Heading::of(&case)).collect()),
            Source::Snapshot(service, text) => {
                snapshot::entries(text).map(|entry| Ok(drawn_up(*service, entry)?)).collect()
            }
        }
    }
}

/// What a case in a snapshot is about.
fn drawn_up(service: Service, entry: Entry) -> Result<Heading, SnapshotError> {
    let rules = entry.rules()?;
    let tier = rules.iter().map(|(_, tier)| *tier).min().unwrap_or(Tier::Open);
    let rules = each_once(rules.into_iter().map(|(rule, _)| rule));
    Ok(Heading { service, id: entry.id, title: String::from(entry.title), tier, rules })
}

/// The case with this id, as [`suite`] has it. No other is made whole.
///
/// # Errors
///
/// What is wrong with this case in this build.
pub fn find(service: Service, id: &str) -> Result<Option<Case>, SuiteError> {
    match scenario_file(id) {
        Some(file) => Ok(file.cases()?.into_iter().find(|case| case.service == service)),
        None => Ok(generated_with(service, |known| known == id, |family| family.may_have(id))?.pop()),
    }
}

/// The cases that are about a rule, as [`suite`] has them. No other is made whole.
///
/// # Errors
///
/// What is wrong with the cases of this build.
pub fn about(service: Service, rule: RuleId) -> Result<Vec<Case>, SuiteError> {
    let about: HashSet<String> = headings(&[service])?
        .into_iter()
        .filter(|heading| heading.rules.contains(&rule))
        .map(|heading| heading.id)
        .collect();
    let mut cases = Vec::new();
    for file in scenario_files().filter(|file| about.contains(&file.id)) {
        cases.extend(file.cases()?.into_iter().filter(|case| case.service == service));
    }
    let may_be = |family: Family| about.iter().any(|id| family.may_have(id));
    cases.extend(generated_with(service, |id| about.contains(id), may_be)?);
    Ok(cases)
}

/// The cases of the catalogue of a service whose ids are wanted, which are in some of its families, with their reviewed
/// expectations.
fn generated_with(
    service: Service,
    is_wanted: impl Fn(&str) -> bool + Sync,
    may_be_in: impl Fn(Family) -> bool,
) -> Result<Vec<Case>, SuiteError> {
    let families: Vec<Family> = families(service).into_iter().filter(|family| may_be_in(*family)).collect();
    let wanted = |family: &Family| {
        let mut cases = family.cases(service);
        cases.retain(|case| is_wanted(&case.id));
        cases
    };
    two_at_a_time(&families, wanted).into_iter().flatten().map(reviewed).collect()
}

/// A case of the catalogue with its reviewed expectations: only the snapshot that has them is read.
fn reviewed(mut case: Case) -> Result<Case, SuiteError> {
    let mut snapshots = Snapshots::default();
    let path = format!("{}/{}.snap", case.service, snapshot::file(&case));
    if let Some(text) = SNAPSHOTS.get_file(path).and_then(File::contents_utf8) {
        snapshots.add(text);
    }
    snapshots.apply(&mut case)?;
    Ok(case)
}

/// The reviewed snapshots of the catalogue of a service.
pub fn snapshots(service: Service) -> Snapshots {
    let mut snapshots = Snapshots::default();
    for (_, text) in files_of(&SNAPSHOTS, service.name(), "snap") {
        snapshots.add(text);
    }
    snapshots
}

fn scenarios(service: Service) -> Result<Vec<Case>, SuiteError> {
    // A file is for both services; what follows from its rules takes as long as all its layers are to hash.
    static PARSED: OnceLock<Result<Vec<Case>, SuiteError>> = OnceLock::new();
    let cases = PARSED.get_or_init(|| parsed(|_| true)).as_ref().map_err(Clone::clone)?;
    Ok(cases.iter().filter(|case| case.service == service).cloned().collect())
}

/// The cases of the scenarios whose ids are wanted, in order. Two files are read at a time: each may have parts of 20 MiB.
fn parsed(is_wanted: impl Fn(&str) -> bool) -> Result<Vec<Case>, SuiteError> {
    let files: Vec<ScenarioFile> = scenario_files().filter(|file| is_wanted(&file.id)).collect();
    let mut cases = Vec::new();
    for file in two_at_a_time(&files, ScenarioFile::cases) {
        cases.extend(file?);
    }
    Ok(cases)
}

/// Does something with each item, two at a time, and brings the results in order.
fn two_at_a_time<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mine = std::iter::from_fn(|| {
            let place = next.fetch_add(1, Ordering::Relaxed);
            Some((place, work(items.get(place)?)))
        });
        mine.collect::<Vec<_>>()
    };
    let mut done = std::thread::scope(|threads| {
        let other = threads.spawn(worker);
        let mut done = worker();
        done.extend(joined(other));
        done
    });
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}

/// What a thread came to; its panic is passed on.
fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// A scenario file in this build.
struct ScenarioFile {
    path: String,
    id: String,
    text: &'static str,
}

impl ScenarioFile {
    /// Its cases, one a service.
    fn cases(&self) -> Result<Vec<Case>, Mistake> {
        let parsed = scenario::parse(&self.path, &self.id, self.text)?;
        Ok(parsed.cases.into_iter().map(built_in).collect())
    }

    /// The same without the outcomes that follow from rules.
    fn outline(&self) -> Result<impl Iterator<Item = Case>, Mistake> {
        Ok(scenario::outline(&self.path, &self.id, self.text)?.into_iter().map(built_in))
    }
}

fn scenario_files() -> impl Iterator<Item = ScenarioFile> {
    files_of(&SCENARIOS, "", "yaml").into_iter().map(|(path, text)| ScenarioFile {
        path: format!("scenarios/{path}"),
        id: format!("scenarios/{}", path.trim_end_matches(".yaml")),
        text,
    })
}

fn scenario_file(id: &str) -> Option<ScenarioFile> {
    scenario_files().find(|file| file.id == id)
}

fn built_in(case: Case) -> Case {
    Case { kind: CaseKind::Scenario, ..case }
}

/// The files of an ending below a folder, by path.
fn files_of(dir: &'static Dir, under: &str, ending: &str) -> Vec<(&'static str, &'static str)> {
    let mut found = Vec::new();
    let mut folders = vec![dir];
    while let Some(folder) = folders.pop() {
        folders.extend(folder.dirs());
        for file in folder.files() {
            let path = file.path().to_str().unwrap_or_default();
            if path.starts_with(&format!("{under}/")) || under.is_empty() {
                found.extend(
                    file.contents_utf8().filter(|_| path.ends_with(&format!(".{ending}"))).map(|text| (path, text)),
                );
            }
        }
    }
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::case::chunk::hashed;
    use crate::contract::Rules;

    #[test]
    fn headings_are_those_of_the_suite_and_no_chunk_is_hashed_for_them() {
        let before = hashed();
        let listed = headings(&Service::ALL).unwrap();
        assert_eq!(hashed(), before);
        let cases = Service::ALL.into_iter().flat_map(|service| suite(service).unwrap());
        let by_id = |headings: Vec<Heading>| -> BTreeMap<_, _> {
            headings.into_iter().map(|heading| ((heading.service, heading.id.clone()), heading)).collect()
        };
        let (listed, known) = (by_id(listed), by_id(cases.map(|case| Heading::of(&case)).collect()));
        assert_eq!(listed.len(), known.len());
        for (id, heading) in known {
            assert_eq!(listed.get(&id), Some(&heading));
        }
        scenario_file("scenarios/availability/all-layers-at-once").unwrap().cases().unwrap();
        assert!(hashed() > before, "what is counted is not what hashes");
    }

    #[test]
    fn a_case_is_found_as_the_suite_has_it_and_no_other_is_made() {
        for service in Service::ALL {
            let all = suite(service).unwrap();
            let some =
                all.iter().step_by(97).chain(all.iter().filter(|case| case.is_about(RuleId::new("wire/method"))));
            for case in some {
                let found = find(service, &case.id).unwrap().unwrap();
                assert_eq!(format!("{found:?}"), format!("{case:?}"));
            }
            let before = hashed();
            assert!(find(service, "CompleteLayerUpload/accepted/plain").unwrap().is_some());
            assert_eq!(find(service, "CompleteLayerUpload/accepted/plai").unwrap().map(|case| case.id), None);
            assert_eq!(hashed(), before, "the expectations of the catalogue are in snapshots");
        }
    }

    #[test]
    fn what_is_about_a_rule_is_found_as_the_suite_has_it() {
        for service in Service::ALL {
            let all = suite(service).unwrap();
            for rule in ["CompleteLayerUpload/accepted", "CompleteLayerUpload/layerDigests/match"].map(RuleId::new) {
                let expected: Vec<String> =
                    all.iter().filter(|case| case.is_about(rule)).map(|case| format!("{case:?}")).collect();
                let found: Vec<String> = about(service, rule).unwrap().iter().map(|case| format!("{case:?}")).collect();
                assert!(!found.is_empty() && found == expected, "{service} {rule}");
            }
        }
    }

    #[test]
    fn what_is_made_once_is_what_the_suite_has() {
        let is_wanted = |id: &str| id.contains("layerDigests") || id.starts_with("scenarios/");
        for services in [&[Service::EcrPublic, Service::Ecr][..], &[Service::Ecr], &[]] {
            let kept = services.iter().flat_map(|service| suite(*service).unwrap()).filter(|case| is_wanted(&case.id));
            let kept: Vec<String> = kept.map(|case| format!("{case:?}")).collect();
            let made: Vec<String> = once(services, is_wanted).unwrap().iter().map(|case| format!("{case:?}")).collect();
            assert!(made == kept, "{services:?}");
        }
    }

    #[test]
    fn no_case_has_the_id_of_a_rule() {
        for service in Service::ALL {
            let rules = Rules::of(service);
            let both: Vec<String> = drafts(service)
                .unwrap()
                .into_iter()
                .map(|case| case.id)
                .filter(|id| rules.find(id).is_some())
                .collect();
            assert_eq!(both, [""; 0]);
        }
    }
}
