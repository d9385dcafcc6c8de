//! The clients that are installed: named by a variable, or on PATH. A test without its client is skipped with a message; with
//! the variable set, the client has to be there.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A Python that has boto3: `ECRSPEC_PYTHON`, or `python3` on PATH.
pub fn python() -> Option<PathBuf> {
    client("ECRSPEC_PYTHON", "python3", &["-c", "import boto3"], "pip install boto3")
}

/// The AWS CLI: `ECRSPEC_AWS`, or `aws` on PATH.
pub fn aws() -> Option<PathBuf> {
    client("ECRSPEC_AWS", "aws", &["--version"], "pip install awscli")
}

fn client(variable: &str, usual: &str, arguments: &[&str], install: &str) -> Option<PathBuf> {
    let named = env::var_os(variable);
    let program = named.as_deref().map_or_else(|| PathBuf::from(usual), PathBuf::from);
    let works = Command::new(&program).args(arguments).output().is_ok_and(|output| output.status.success());
    assert!(works || named.is_none(), "{variable}: {} does not work ({install})", program.display());
    if !works {
        eprintln!("skipped: no {usual} that works ({install}, or name one with {variable})");
    }
    works.then_some(program)
}

/// The flags of a command for a client.
pub fn flags<'a>(driver: &'a str, flag: &'a str, program: &'a Path) -> [&'a str; 4] {
    ["--driver", driver, flag, program.to_str().unwrap()]
}
