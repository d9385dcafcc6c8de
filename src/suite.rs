//! All cases of a service, each with its reviewed expectations: what a run judges by. Those of scenarios are in their
//! files, those of the catalogue in snapshots.

use std::sync::OnceLock;

use include_dir::{Dir, include_dir};

use crate::case::{Case, CaseKind};
use crate::contract::Service;
use crate::generate::catalogue;
use crate::judge::snapshot::{SnapshotError, Snapshots};
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
    // Whoever asks again and again, as a selftest does, gets the same.
    static SUITES: [OnceLock<Result<Vec<Case>, SuiteError>>; 2] = [OnceLock::new(), OnceLock::new()];
    let judged = || {
        let snapshots = snapshots(service);
        let mut cases = scenarios(service)?;
        let mut generated = catalogue(service);
        for case in &mut generated {
            snapshots.apply(case)?;
        }
        cases.extend(generated);
        Ok(cases)
    };
    SUITES[service as usize].get_or_init(judged).clone()
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

/// The same cases with ids, titles and requests, and without expectations: enough for a list, and much
/// cheaper, for no layer is hashed.
///
/// # Errors
///
/// A scenario with a mistake.
pub fn outline(service: Service) -> Result<Vec<Case>, SuiteError> {
    let mut cases = Vec::new();
    for file in scenario_files() {
        let outlined = scenario::outline(&file.path, &file.id, file.text)?;
        cases.extend(outlined.into_iter().filter(|case| case.service == service).map(built_in));
    }
    cases.extend(catalogue(service));
    Ok(cases)
}

/// The reviewed snapshots of the catalogue of a service.
pub fn snapshots(service: Service) -> Snapshots {
    let mut snapshots = Snapshots::default();
    for (_, text) in files(&SNAPSHOTS, service.name(), "snap") {
        snapshots.add(text);
    }
    snapshots
}

fn scenarios(service: Service) -> Result<Vec<Case>, SuiteError> {
    // A file is for both services; what follows from its rules takes as long as all its layers are to hash.
    static PARSED: OnceLock<Result<Vec<Case>, SuiteError>> = OnceLock::new();
    let parsed = || {
        let mut cases = Vec::new();
        for file in scenario_files() {
            let parsed = scenario::parse(&file.path, &file.id, file.text)?;
            cases.extend(parsed.cases.into_iter().map(built_in));
        }
        Ok(cases)
    };
    let cases = PARSED.get_or_init(parsed).as_ref().map_err(Clone::clone)?;
    Ok(cases.iter().filter(|case| case.service == service).cloned().collect())
}

/// A scenario file in this build.
struct ScenarioFile {
    path: String,
    id: String,
    text: &'static str,
}

fn scenario_files() -> impl Iterator<Item = ScenarioFile> {
    files(&SCENARIOS, "", "yaml").into_iter().map(|(path, text)| ScenarioFile {
        path: format!("scenarios/{path}"),
        id: format!("scenarios/{}", path.trim_end_matches(".yaml")),
        text,
    })
}

fn built_in(case: Case) -> Case {
    Case { kind: CaseKind::Scenario, ..case }
}

/// The files of an ending below a folder, by path.
fn files(dir: &'static Dir, under: &str, ending: &str) -> Vec<(&'static str, &'static str)> {
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
