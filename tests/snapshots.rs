//! The reviewed snapshots of the catalogue say exactly what rules and the reference registry say now; and each is used.
//!
//! After a change: `cargo insta test --review`, or `INSTA_UPDATE=always cargo test --test snapshots` and `git diff`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ecrspec::case::Case;
use ecrspec::contract::Service;
use ecrspec::generate::catalogue;
use ecrspec::generate::expected::add_pins;
use ecrspec::judge::snapshot;
use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    let mut expected = BTreeSet::new();
    for service in Service::ALL {
        for (file, cases) in files(service) {
            let name = format!("{service}/{file}");
            expected.insert(format!("{name}.snap"));
            trials.push(Trial::test(name, move || compare(service, &file, &cases)));
        }
    }
    trials.push(Trial::test("every_snapshot_is_used", move || {
        let unused: Vec<String> = found().into_iter().filter(|path| !expected.contains(path)).collect();
        if unused.is_empty() { Ok(()) } else { Err(format!("no case is in {}", unused.join(", ")).into()) }
    }));
    libtest_mimic::run(&arguments, trials).exit();
}

/// The catalogue of a service by the file that the cases stand in, each with what the reference registry adds.
fn files(service: Service) -> BTreeMap<String, Vec<Case>> {
    let mut files: BTreeMap<String, Vec<Case>> = BTreeMap::new();
    for mut case in catalogue(service) {
        add_pins(&mut case).unwrap_or_else(|problem| panic!("{problem}"));
        files.entry(snapshot::file(&case)).or_default().push(case);
    }
    files
}

fn compare(service: Service, file: &str, cases: &[Case]) -> Result<(), Failed> {
    let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
    let text = snapshot::print(&cases.iter().collect::<Vec<_>>());
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(root().join(service.name()).join(folder));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    // insta says what differs by panicking; libtest-mimic prints that and counts it as a failed trial.
    settings.bind(|| insta::assert_snapshot!(name, text));
    Ok(())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots")
}

/// All snapshot files, below the folder of snapshots.
fn found() -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "snap") {
                let below = path.strip_prefix(root()).expect("below the folder of snapshots");
                found.push(below.to_string_lossy().into_owned());
            }
        }
    }
    found
}
