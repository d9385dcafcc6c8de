//! Where cases come from: ids, and scenario files of the user.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context as _, anyhow};

use crate::case::Case;
use crate::contract::{RuleId, Service};
use crate::generate::{plan, realise};
use crate::scenario::{self, Scenario};
use crate::search;
use crate::suite;

/// The case of a service with this id: of the suite, of a seed, or of a plan.
///
/// # Errors
///
/// A fault of the suite, or a plan with a mistake.
fn find(service: Service, id: &str) -> anyhow::Result<Option<Case>> {
    if id.starts_with(plan::PREFIX) {
        return Ok(Some(realise(service, &plan::parse(service, id)?)));
    }
    match search::find(service, id) {
        Some(case) => Ok(Some(case)),
        None => Ok(suite::find(service, id)?),
    }
}

/// The cases of a service that are about this rule.
pub(super) fn of_rule(service: Service, rule: RuleId) -> anyhow::Result<Vec<Case>> {
    suite::about(service, rule).map_err(|error| anyhow!("{rule}: {error}"))
}

/// The case of a service with this id, or in this scenario file.
pub(super) fn named(service: Service, what: &str) -> anyhow::Result<Option<Case>> {
    let path = Path::new(what);
    match path.extension() {
        Some(kind) if kind == "yaml" => Ok(scenario(path)?.cases.into_iter().find(|case| case.service == service)),
        _ => find(service, what).map_err(|error| anyhow!("{what}: {error:#}")),
    }
}

/// [`named`] in each of these services, looked for at the same time.
pub(super) fn named_in(services: &[Service], what: &str) -> BTreeMap<Service, anyhow::Result<Option<Case>>> {
    thread::scope(|threads| {
        let seek = |service: &Service| {
            (
                *service,
                threads.spawn({
                    let service = *service;
                    move || named(service, what)
                }),
            )
        };
        let seekers: Vec<_> = services.iter().map(seek).collect();
        let panicked = || Err(anyhow!("{what}: the search for it panicked"));
        seekers.into_iter().map(|(service, seeker)| (service, seeker.join().unwrap_or_else(|_| panicked()))).collect()
    })
}

/// The scenarios in files, and in folders with all below them; their ids are their paths.
pub(super) fn scenarios(paths: &[PathBuf]) -> anyhow::Result<Vec<Scenario>> {
    let mut found = Vec::new();
    for path in paths {
        walk(path, &mut found)?;
    }
    found.iter().map(|path| scenario(path)).collect()
}

/// The scenario in a file.
pub(super) fn scenario(path: &Path) -> anyhow::Result<Scenario> {
    let shown = path.display().to_string();
    let text = super::read::text(path).with_context(|| format!("could not read {shown}"))?;
    scenario::parse(&shown, &shown, &text).map_err(|mistake| anyhow!(mistake))
}

fn walk(path: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if !path.is_dir() {
        found.push(path.to_path_buf());
        return Ok(());
    }
    let entries = std::fs::read_dir(path).with_context(|| format!("could not read {}", path.display()))?;
    let mut entries: Vec<PathBuf> = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    entries.sort();
    for entry in entries.iter().filter(|entry| entry.is_dir() || entry.extension().is_some_and(|kind| kind == "yaml")) {
        walk(entry, found)?;
    }
    Ok(())
}
