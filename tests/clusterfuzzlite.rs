//! `.clusterfuzzlite/build.sh` does what ClusterFuzzLite and OSS-Fuzz ask of it.
//!
//! Building all targets takes minutes, so that part is ignored unless it is asked for, as `.ci/run` does: on the toolchain at
//! hand, without a sanitizer. What needs their image is not tested here.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The targets that are built: all but `empty`, which measures the engine.
fn targets() -> BTreeSet<String> {
    let entries = fs::read_dir(root().join("fuzz/fuzz_targets")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter_map(|name| name.strip_suffix(".rs").map(String::from)).filter(|name| name != "empty").collect()
}

#[test]
fn the_files_say_what_is_expected() {
    let read = |name: &str| fs::read_to_string(root().join(".clusterfuzzlite").join(name)).unwrap();
    assert!(read("project.yaml").contains("\nlanguage: rust\n"));
    let dockerfile = read("Dockerfile");
    for line in
        ["FROM gcr.io/oss-fuzz-base/base-builder-rust", "COPY . $SRC/ecrspec", "COPY .clusterfuzzlite/build.sh $SRC/"]
    {
        assert!(dockerfile.lines().any(|found| found == line), "{line}");
    }
    let manifest = fs::read_to_string(root().join("fuzz/Cargo.toml")).unwrap();
    for target in targets() {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{target}.rs\"")), "{target} is not built");
    }
}

#[test]
fn an_engine_or_sanitizer_that_is_not_there_is_said() {
    let temporary = tempfile::tempdir().unwrap();
    for (engine, sanitizer, expected) in [
        ("afl", "address", "expected the engine libfuzzer, found afl"),
        ("libfuzzer", "memory", "expected the sanitizer address, coverage or none, found memory"),
    ] {
        let output = build(temporary.path(), engine, sanitizer).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && errors.trim() == expected, "{errors}");
    }
}

#[test]
#[ignore = "builds all fuzz targets, which takes minutes, in the folder that CLUSTERFUZZLITE names"]
fn every_target_is_built_with_its_seeds_and_the_dictionary() {
    let directory = std::env::var_os("CLUSTERFUZZLITE").map(PathBuf::from);
    let directory = directory.expect("CLUSTERFUZZLITE names a directory to build in");
    let installed =
        Command::new("cargo").args(["fuzz", "--version"]).output().is_ok_and(|output| output.status.success());
    assert!(installed, "cargo-fuzz is not installed: cargo install --locked cargo-fuzz");
    let directory = if directory.is_absolute() { directory } else { root().join(directory) };
    // Whether they are built is what is asked, not how fast they are: then all cores may help.
    let status = build(&directory, "libfuzzer", "none").env("RUSTFLAGS", "-Ccodegen-units=16").status().unwrap();
    assert!(status.success(), "{status}");
    for target in targets() {
        let out = directory.join("out");
        // OSS-Fuzz knows a target by this word in its binary.
        let binary = fs::read(out.join(&target)).unwrap_or_else(|error| panic!("{target}: {error}"));
        assert!(binary.windows(22).any(|found| found == b"LLVMFuzzerTestOneInput"), "{target} is no fuzz target");
        assert_eq!(
            fs::read(out.join(format!("{target}.dict"))).unwrap(),
            fs::read(root().join("fuzz/ecrspec.dict")).unwrap()
        );
        let zip = out.join(format!("{target}_seed_corpus.zip"));
        let listed = Command::new("unzip").arg("-Z1").arg(zip).output().unwrap();
        let seeds: BTreeSet<String> = String::from_utf8(listed.stdout).unwrap().lines().map(String::from).collect();
        let committed = fs::read_dir(root().join("fuzz/corpus").join(&target)).unwrap();
        let committed = committed.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        assert_eq!(seeds, committed.filter(|name| name.contains('.')).collect(), "{target}");
    }
}

/// The script with the variables that the image sets.
fn build(directory: &Path, engine: &str, sanitizer: &str) -> Command {
    let source = directory.join("src");
    fs::create_dir_all(&source).unwrap();
    fs::create_dir_all(directory.join("out")).unwrap();
    if !source.join("ecrspec").exists() {
        std::os::unix::fs::symlink(root(), source.join("ecrspec")).unwrap();
    }
    let mut command = Command::new(root().join(".clusterfuzzlite/build.sh"));
    command.env("SRC", source).env("WORK", directory.join("work")).env("OUT", directory.join("out"));
    command.env("FUZZING_ENGINE", engine).env("SANITIZER", sanitizer);
    command
}
