//! `ecrspec init`: the files of a gate. What is there already stays.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use clap::{Args, ValueEnum};

use super::target::{Accepts, Choice, Merged, TargetArguments};
use super::{Code, Failure, print};
use crate::case::SuiteVersion;

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// Which job to write
    #[arg(long, value_enum, default_value = "github")]
    ci: Ci,
    #[command(flatten)]
    target: TargetArguments,
}

/// What runs the gate.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Ci {
    /// GitHub Actions: .github/workflows/ecrspec.yml
    Github,
    /// GitLab: ecrspec.gitlab-ci.yml, to be included by .gitlab-ci.yml
    Gitlab,
    /// Nothing
    None,
}

/// The guide, which has the jobs: what it shows is what is written.
const GUIDE: &str = include_str!("../../docs/src/ci.md");

const KNOWN: &str = "\
# Known deviations: findings that are accepted for now, each with a reason.
# `ecrspec known init` writes what the server fails today, `update` adds to it, `prune` removes what is mended.
known = []
";

pub(super) fn main(arguments: &Arguments) -> Code {
    let merged = Merged::of(&arguments.target, |_| Choice { accepts: Accepts::Nothing, ..Choice::default() });
    let merged = merged.map_err(Failure::usage)?;
    let mut files =
        vec![(PathBuf::from("ecrspec.toml"), settings(&merged)), (PathBuf::from("known.toml"), KNOWN.into())];
    let job = match arguments.ci {
        Ci::Github => Some((".github/workflows/ecrspec.yml", "## GitHub Actions")),
        Ci::Gitlab => Some(("ecrspec.gitlab-ci.yml", "## GitLab")),
        Ci::None => None,
    };
    if let Some((path, heading)) = job {
        let text = block_after(heading).ok_or_else(|| Failure::harness(anyhow!("the guide has no job for {path}")))?;
        files.push((PathBuf::from(path), text));
    }
    for (path, text) in &files {
        let written = write_new(path, text).map_err(Failure::usage)?;
        print(&format!("{} {}\n", if written { "wrote" } else { "kept, it was there: " }.trim_end(), path.display()));
    }
    if job.is_some() {
        print("edit in the job: where ecrspec is built from, and the line that starts the server\n");
    }
    print("next: ecrspec known init, then ecrspec run\n");
    Ok(0)
}

/// The settings file, with what the flags say.
fn settings(merged: &Merged) -> String {
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let usual = "http://127.0.0.1:5000";
    let services: Vec<String> = merged.settings.services.iter().map(|service| quoted(service.name())).collect();
    let mut lines = vec![
        String::from("# Settings of ecrspec: the flags of `ecrspec run`, which win over this file."),
        format!("endpoint = {}", quoted(merged.endpoint.as_deref().unwrap_or(usual))),
        format!("service = [{}]", services.join(", ")),
    ];
    lines.extend(merged.auth_name().map(|name| format!("auth = {}", quoted(name))));
    lines.push(String::from("known = \"known.toml\""));
    lines.push(String::from("# Cases that come with later versions do not fail the gate until this is raised."));
    lines.push(format!("suite = {}", quoted(&SuiteVersion::own().to_string())));
    lines.join("\n") + "\n"
}

/// The first block of code after a heading of the guide.
fn block_after(heading: &str) -> Option<String> {
    let (_, section) = GUIDE.split_once(&format!("\n{heading}\n"))?;
    let (_, block) = section.split_once("```yaml\n")?;
    let (block, _) = block.split_once("```")?;
    Some(String::from(block))
}

/// Writes a file, unless there is one.
fn write_new(path: &Path, text: &str) -> anyhow::Result<bool> {
    use std::io::Write as _;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("could not create {}", folder.display()))?;
    }
    match std::fs::File::create_new(path) {
        Ok(mut file) => {
            file.write_all(text.as_bytes()).with_context(|| format!("could not write {}", path.display()))?;
            Ok(true)
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error).with_context(|| format!("could not write {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guide_has_a_job_for_each() {
        for heading in ["## GitHub Actions", "## GitLab"] {
            let job = block_after(heading).unwrap();
            assert!(job.contains("ecrspec run") && job.contains("./your-server"), "{job}");
        }
    }
}
