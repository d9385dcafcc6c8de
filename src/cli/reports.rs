//! The files that `--report` names.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::contract::Service;
use crate::coverage::Coverage;
use crate::events::Event;
use crate::report::Summary;
use crate::report::format::{FORMATS, Input, MetState, ReportSpec};
use crate::suite::drafts;

/// What `--report` says of itself.
pub(super) fn help() -> String {
    let formats: Vec<String> = FORMATS.iter().map(|format| format!("{} ({})", format.name, format.about)).collect();
    format!("Write a report into a file (repeatable). Formats: {}", formats.join("; "))
}

/// How long is waited for somebody who reads a named pipe.
const READER: Duration = Duration::from_secs(5);

/// Makes a file. A named pipe that nobody reads would be waited for before the run, and for ever.
fn create(path: &Path) -> io::Result<File> {
    if !is_pipe(path) {
        return File::create(path);
    }
    let (sender, opened) = mpsc::channel();
    let path = path.to_path_buf();
    // Where nobody reads, the thread waits until the process ends.
    thread::spawn(move || sender.send(File::create(path)));
    opened
        .recv_timeout(READER)
        .unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "it is a named pipe that nobody reads")))
}

#[cfg(unix)]
fn is_pipe(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_fifo())
}

#[cfg(not(unix))]
fn is_pipe(_: &Path) -> bool {
    false
}

/// Reports on their way into files. What needs only one event is written when it happens: a run that is killed leaves
/// all but the cases under way.
pub(super) struct Reports {
    files: Vec<(ReportSpec, File)>,
    failed: Option<anyhow::Error>,
}

impl Reports {
    /// Makes the files, so that one that cannot be written is known before anything is sent.
    pub fn create(specs: &[ReportSpec]) -> anyhow::Result<Reports> {
        let mut files: Vec<(ReportSpec, File)> = Vec::new();
        for spec in specs {
            let path = &spec.path;
            if files.iter().any(|(known, _)| known.path == *path) {
                bail!("--report: expected a file for each report, found {} twice", path.display());
            }
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)
                    .with_context(|| format!("--report: could not create {}", folder.display()))?;
            }
            let file = create(path).with_context(|| format!("--report: could not write {}", path.display()))?;
            files.push((spec.clone(), file));
        }
        Ok(Reports { files, failed: None })
    }

    /// Writes what an event adds.
    pub fn event(&mut self, event: &Event) {
        self.write(|spec| spec.format.line(event));
    }

    /// What the requests of the cases of a run meet, where a report shows that.
    pub fn states(&self, summary: &Summary) -> Vec<MetState> {
        if !self.files.iter().any(|(spec, _)| spec.format.shows_states()) {
            return Vec::new();
        }
        let tried: HashSet<(Service, &str)> =
            summary.cases.iter().map(|judged| (judged.service, judged.case.as_str())).collect();
        // A fault of the suite would have ended the run.
        let measured = |service| {
            let mut cases = drafts(service).ok()?;
            cases.retain(|case| tried.contains(&(service, case.id.as_str())));
            Coverage::of(service, &cases).ok()
        };
        let met = |coverage: Coverage| {
            coverage.states.into_iter().map(move |met| MetState {
                service: coverage.service,
                of: met.state.of.word(),
                state: met.state.name,
                operation: met.operation,
                cases: met.cases.ids().map(String::from).collect(),
            })
        };
        summary.started.services.iter().copied().filter_map(measured).flat_map(met).collect()
    }

    /// Writes what needs all events.
    pub fn whole(&mut self, input: &Input) {
        self.write(|spec| spec.format.whole(input));
    }

    /// A file that takes no more is left alone, so that a log ends after its last whole line.
    fn write(&mut self, text: impl Fn(&ReportSpec) -> Option<String>) {
        let failed = &mut self.failed;
        self.files.retain_mut(|(spec, file)| {
            let Some(text) = text(spec) else { return true };
            let Err(error) = file.write_all(text.as_bytes()) else { return true };
            let context = format!("--report: could not write {}", spec.path.display());
            failed.get_or_insert_with(|| anyhow::Error::new(error).context(context));
            false
        });
    }

    /// The first file that is not whole, if any: a run is not given up for that, but says so afterwards.
    pub fn failed(&self) -> Option<&anyhow::Error> {
        self.failed.as_ref()
    }

    /// The same, at the end.
    pub fn into_failed(self) -> Option<anyhow::Error> {
        self.failed
    }
}
