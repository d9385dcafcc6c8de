//! The generated pages say what the code says now. `SNAPSHOTS=overwrite cargo test --test docs` writes them anew.

use std::process::Command;

use snapbox::{Data, assert_data_eq};

#[test]
fn the_rule_references_are_those_of_the_rules() {
    are_current("rules");
}

#[test]
fn the_coverage_is_that_of_the_suite() {
    are_current("coverage");
}

fn are_current(table: &str) {
    for service in ["ecr", "ecr-public"] {
        let output = Command::new(env!("CARGO_BIN_EXE_ecrspec"))
            .args(["list", &format!("--{table}"), "--markdown", "--service", service])
            .output()
            .unwrap();
        let page = String::from_utf8(output.stdout).unwrap();
        let path = format!("{}/docs/src/{table}-{service}.md", env!("CARGO_MANIFEST_DIR"));
        assert_data_eq!(page, Data::read_from(path.as_ref(), None).raw());
    }
}

#[test]
fn the_readme_counts_faults_and_variants() {
    // That all of them are found, and none of them gives a finding, is for tests/selftest.rs.
    let readme = include_str!("../README.md").split_whitespace().collect::<Vec<_>>().join(" ");
    let (faults, variants) = (ecrspec::mock::Fault::all().count(), ecrspec::mock::variant::VARIANTS.len());
    for text in [format!("{faults} of {faults} planted faults"), format!("{variants} of {variants} lawful variants")] {
        assert!(readme.contains(&text), "{text}");
    }
}

#[test]
fn the_readme_counts_what_there_is() {
    let readme = include_str!("../README.md");
    let of = |service| ecrspec::suite::suite(service).unwrap().len() + ecrspec::run::RANDOM_CASES as usize;
    let cases: usize = ecrspec::contract::Service::ALL.into_iter().map(of).sum();
    assert!(
        readme.contains(&format!(
            "PASS  the embedded mock (ecr, ecr-public), no server was tested: {cases} cases judged, {cases} ok"
        )),
        "{cases} cases"
    );
}
