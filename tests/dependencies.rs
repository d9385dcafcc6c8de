//! What we build on: where it comes from, and its licences. `deny.toml` says what is allowed; `cargo deny check` asks for more.
//!
//! Only what this platform needs is looked at, since only that is on every machine that can run this test.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use spdx::{Expression, ParseMode};

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

#[test]
fn all_packages_have_an_allowed_licence() {
    let allowed = allowed();
    for package in packages() {
        let name = package["name"].as_str().unwrap();
        let licence = package["license"].as_str().unwrap_or_else(|| panic!("{name} names no licence"));
        let expression = Expression::parse_mode(licence, ParseMode::LAX).unwrap();
        let is_allowed = expression.evaluate(|requirement| allowed.contains(&requirement.to_string()));
        assert!(is_allowed, "{name}: deny.toml does not allow {licence}");
    }
}

#[test]
fn all_packages_come_from_the_registry_or_from_here() {
    for package in packages() {
        let source = package["source"].as_str();
        let is_here = Path::new(package["manifest_path"].as_str().unwrap()).starts_with(env!("CARGO_MANIFEST_DIR"));
        assert!(source == Some(REGISTRY) || (source.is_none() && is_here), "{} is from {source:?}", package["name"]);
    }
}

/// The licences that `deny.toml` allows.
fn allowed() -> BTreeSet<String> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deny.toml")).unwrap();
    let table: toml::Table = text.parse().unwrap();
    let licences = table["licenses"]["allow"].as_array().unwrap();
    licences.iter().map(|licence| licence.as_str().unwrap().to_owned()).collect()
}

/// All packages that a build of this one and its tests can take in, itself among them. The fuzz targets are not published.
fn packages() -> Vec<Value> {
    let version = String::from_utf8(Command::new("rustc").arg("-vV").output().unwrap().stdout).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--all-features"])
        .args(["--filter-platform", host])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
    let mut needed = BTreeSet::new();
    let mut open = vec![metadata["resolve"]["root"].as_str().unwrap()];
    while let Some(id) = open.pop() {
        if needed.insert(id) {
            let node = nodes.iter().find(|node| node["id"] == id).unwrap();
            open.extend(node["dependencies"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()));
        }
    }
    assert!(needed.len() > 100, "{needed:?}");
    let packages = metadata["packages"].as_array().unwrap();
    packages.iter().filter(|package| needed.contains(package["id"].as_str().unwrap())).cloned().collect()
}
