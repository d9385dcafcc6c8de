//! `ecrspec init`: the files of a gate. What is there already stays.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use clap::{Args, ValueEnum};
use toml::Value;
use url::Url;

use super::target::{About, Accepts, Choice, Merged, TargetArguments, Typed};
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

/// Where a server is looked for that nobody named: that of the jobs in the guide.
const USUAL_ENDPOINT: &str = "http://127.0.0.1:5000";

/// The file of known deviations, if nobody names another.
const KNOWN_FILE: &str = "known.toml";

pub(super) fn main(arguments: &Arguments) -> Code {
    let flags = &arguments.target;
    let no_config = "init writes ecrspec.toml, which every command reads by itself";
    flags.reject(&[About::Settings], no_config).map_err(Failure::usage)?;
    let no_printing = "init tests nothing: a flag for `ecrspec run`, and no setting";
    flags.reject(&[About::Printing], no_printing).map_err(Failure::usage)?;
    let typed = flags.typed();
    let merged = Merged::of(&arguments.target, |_| Choice { accepts: Accepts::Nothing, ..Choice::default() });
    let merged = merged.map_err(Failure::usage)?;
    let known = flags.known.clone().unwrap_or_else(|| PathBuf::from(KNOWN_FILE));
    let mut files = vec![(PathBuf::from("ecrspec.toml"), settings(&merged, &typed)), (known, KNOWN.into())];
    let job = match arguments.ci {
        Ci::Github => Some((".github/workflows/ecrspec.yml", "## GitHub Actions")),
        Ci::Gitlab => Some(("ecrspec.gitlab-ci.yml", "## GitLab")),
        Ci::None => None,
    };
    if let Some((path, heading)) = job {
        let text = block_after(heading).ok_or_else(|| Failure::harness(anyhow!("the guide has no job for {path}")))?;
        files.push((PathBuf::from(path), adapted(&text, &merged)));
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

/// The settings file: what the flags say, and what a gate has besides.
fn settings(merged: &Merged, typed: &[Typed]) -> String {
    let services: Vec<&str> = merged.settings.services.iter().map(|service| service.name()).collect();
    let setting = |name, value: Value| Typed { name, value, about: About::Target }.setting();
    let mut lines = vec![
        String::from("# Settings of ecrspec: the flags of `ecrspec run`, which win over this file."),
        setting("endpoint", Value::from(merged.endpoint.as_deref().unwrap_or(USUAL_ENDPOINT))),
        setting("service", Value::from(services)),
    ];
    let rest = typed.iter().filter(|typed| !["endpoint", "service", "known", "suite"].contains(&typed.name));
    lines.extend(rest.map(Typed::setting));
    let or_usual = |name, usual: String| {
        let value = typed.iter().find(|typed| typed.name == name).map(|typed| typed.value.clone());
        setting(name, value.unwrap_or_else(|| Value::from(usual)))
    };
    lines.push(or_usual("known", String::from(KNOWN_FILE)));
    lines.push(String::from("# Cases that come with later versions do not fail the gate until this is raised."));
    lines.push(or_usual("suite", SuiteVersion::own().to_string()));
    lines.join("\n") + "\n"
}

/// A job of the guide, for the settings that are beside it: it waits for the endpoint that these name, and tests that.
fn adapted(job: &str, merged: &Merged) -> String {
    let job = job.replace(" --endpoint http://127.0.0.1:5000 --service ecr --known known.toml", "");
    // In a shell script, within quotes: what could end them is left to whoever edits the job.
    let is_plain =
        |endpoint: &&String| endpoint.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":/.-_~%[]".contains(&byte));
    let Some(endpoint) = merged.endpoint.as_ref().filter(is_plain) else { return job };
    let port = endpoint.parse::<Url>().ok().and_then(|url| url.port_or_known_default());
    let job = port.map_or_else(|| job.clone(), |port| job.replace("--port 5000", &format!("--port {port}")));
    // Whether it has started is all that is waited for, whoever has signed its certificate.
    let curl = if endpoint.starts_with("https:") { "curl -sk -o" } else { "curl -s -o" };
    job.replace("curl -s -o", curl).replace(USUAL_ENDPOINT, endpoint)
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
