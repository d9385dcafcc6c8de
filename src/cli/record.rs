//! `ecrspec record`: what a server answers, as files that can be proposed as sources.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::Args;

use super::gate::perform;
use super::target::{Choice, Merged, TargetArguments, some};
use super::{Code, Failure, dry_run, print};
use crate::case::{Case, Partition};
use crate::contract::Tier;
use crate::events::{Recording, Task};
use crate::evidence::{Endpoint, Origin, Recorder, question};
use crate::report::summary::Reason;
use crate::run::{SEED, Settings, Work, choose_once};
use crate::search::{Extent, Search};
use crate::suite;

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// Directory for the files; must be empty, or not exist yet
    #[arg(long, value_name = "DIR", required_unless_present_any = ["questions", "dry_run"])]
    out: Option<PathBuf>,
    /// Ask the open questions, those that no document settles, and print what is answered
    #[arg(long, conflicts_with_all = ["filter", "tier", "partition"])]
    questions: bool,
    /// Only cases whose id contains ID (`=ID`: exact match; repeatable)
    #[arg(long, value_name = "ID")]
    filter: Vec<String>,
    /// Weakest tier of cases to run: documented, derived, observed or open (default: open)
    #[arg(long)]
    tier: Option<Tier>,
    /// Run only one part of the cases, e.g. hash:1/4, to split them over several days
    #[arg(long, value_name = "hash:K/N")]
    partition: Option<Partition>,
    /// Send nothing; print how many calls of which operation, and how many bytes, would be sent
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    target: TargetArguments,
}

pub(super) fn main(arguments: &Arguments) -> Code {
    let mut merged = Merged::of(&arguments.target, |file| match arguments.questions {
        true => Choice::default(),
        false => Choice {
            filter: some(&arguments.filter).or_else(|| file.filter.clone()).unwrap_or_default(),
            tier: arguments.tier.or(file.tier),
            partition: arguments.partition.or(file.partition),
            ..Choice::default()
        },
    })
    .map_err(Failure::usage)?;
    let cases = cases(arguments, &merged).map_err(Failure::harness)?;
    if arguments.dry_run {
        let search = Search { seed: SEED, extent: Extent::Cases(0) };
        print(&dry_run::text(&merged.settings, &cases, search, merged.is_guest()));
        return Ok(0);
    }
    let mut folder = arguments.out.as_deref().map(Folder::create).transpose().map_err(Failure::usage)?;
    let settings = &mut merged.settings;
    // Cases were chosen by the tier. What they are answered is held against all that is known.
    settings.tier = Tier::Open;
    settings.recording = Recording::Exchanges;
    if arguments.questions {
        settings.options.push(String::from("the open questions"));
    }
    record(&merged, cases, arguments.questions, &mut folder)
}

/// Runs the cases, and writes now and then what was answered.
fn record(merged: &Merged, cases: Vec<Case>, asks: bool, folder: &mut Option<Folder>) -> Code {
    let endpoint = if merged.is_guest() { Endpoint::Aws } else { Endpoint::Other };
    let origin = Origin::new(endpoint, merged.aws_region());
    let mut recorder = Recorder::new(&cases, &merged.settings.target, origin);
    let services = merged.settings.services.clone();
    let files = |recorder: &Recorder| {
        let mut files = recorder.files();
        if asks && !files.is_empty() {
            files.push((String::from("questions.toml"), recorder.questions(&services).text()));
        }
        files
    };
    let work = Work { task: Task::Gate, cases, search: None, whole_survey: false };
    let done = perform(merged, work, |event, _| {
        recorder.event(event);
        if let Some(folder) = folder {
            folder.write_now_and_then(|| files(&recorder));
        }
    });
    let written = folder.take().map(|folder| folder.write_last(&files(&recorder)));
    let done = done?;
    if asks {
        done.print(&format!("\n{}", recorder.questions(&services).table()));
    }
    match written {
        Some(Ok(path)) => done.print(&format!("recorded   in {}: {}\n", path.display(), recorder.summary())),
        Some(Err(error)) => {
            let code = done.report(merged)?;
            let failure = Failure { reason: Reason::Usage, error };
            // What a signal ended stays ended by it.
            return if code == Reason::Interrupted.code() { Ok(code) } else { Err(failure) };
        }
        None => {}
    }
    done.report(merged)
}

/// The cases of the suite that are asked for. Of calls at once, what is answered depends on their order: it says nothing
/// about one rule.
fn cases(arguments: &Arguments, merged: &Merged) -> anyhow::Result<Vec<Case>> {
    let settings: &Settings = &merged.settings;
    let mut cases = match arguments.questions {
        true => suite::once(&settings.services, |id| {
            question::names(id) && (merged.is_signed() || !question::is_of_auth(id))
        })?,
        false => choose_once(settings)?,
    };
    cases.retain(|case| !case.is_race());
    Ok(cases)
}

/// A directory that is filled.
struct Folder {
    path: PathBuf,
    /// When it was written last.
    written: Instant,
    failed: Option<anyhow::Error>,
}

impl Folder {
    /// A new one: nothing that is there is overwritten.
    fn create(path: &Path) -> anyhow::Result<Folder> {
        fs::create_dir_all(path).with_context(|| format!("--out: could not create {}", path.display()))?;
        let mut found =
            fs::read_dir(path).with_context(|| format!("--out: could not read {}", path.display()))?.peekable();
        if found.peek().is_some() {
            bail!("--out: expected an empty directory, found files in {}: nothing is overwritten", path.display());
        }
        let probe = path.join(".ecrspec");
        fs::write(&probe, "").with_context(|| format!("--out: could not write into {}", path.display()))?;
        fs::remove_file(&probe).with_context(|| format!("--out: could not write into {}", path.display()))?;
        Ok(Folder { path: path.to_path_buf(), written: Instant::now(), failed: None })
    }

    /// Writes the files every few seconds: a run that is killed leaves what it has.
    fn write_now_and_then(&mut self, files: impl FnOnce() -> Vec<(String, String)>) {
        const PAUSE: Duration = Duration::from_secs(5);
        if self.failed.is_none() && self.written.elapsed() >= PAUSE {
            self.failed = self.write(&files()).err();
            self.written = Instant::now();
        }
    }

    /// Writes the files as they are in the end, and gives the directory.
    fn write_last(mut self, files: &[(String, String)]) -> anyhow::Result<PathBuf> {
        match self.failed.take() {
            Some(error) => Err(error),
            None => self.write(files).map(|()| self.path),
        }
    }

    /// Each file is whole at any time.
    fn write(&self, files: &[(String, String)]) -> anyhow::Result<()> {
        for (name, text) in files {
            let path = self.path.join(name);
            let new = self.path.join(format!("{name}.new"));
            let written = fs::write(&new, text).and_then(|()| fs::rename(&new, &path));
            written.with_context(|| format!("--out: could not write {}", path.display()))?;
        }
        Ok(())
    }
}
