//! What `run`, `fuzz` and `replay` have in common: work on a target, with events, report and exit code.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::embedded::Embedded;
use super::reports::Reports;
use super::span::Span;
use super::target::Merged;
use super::{Code, Failure, complain, try_print, wrap};
use crate::events::{Event, Searched, Stop};
use crate::judge::Verdict;
use crate::report::Summary;
use crate::report::format::Input;
use crate::report::summary::Reason;
use crate::report::terminal;
use crate::run::{RunError, Work, run};

/// Does the work on the target, shows and writes what happens, and gives the exit code. `watch` sees each event.
pub(super) fn perform(
    merged: &Merged,
    work: Work,
    mut watch_events: impl FnMut(&Event, &Screen),
) -> Result<Done, Failure> {
    let runtime = Runtime::new().map_err(Failure::harness)?;
    let signing = merged.signing(&runtime).map_err(Failure::usage)?;
    let embedded = match &merged.endpoint {
        Some(_) => None,
        None => Some(Embedded::start(&runtime, &signing).map_err(Failure::usage)?),
    };
    let named = merged.endpoint.clone().or_else(|| Some(embedded.as_ref()?.endpoint.clone()));
    let endpoint = named.expect("the mock has one where none is named");
    let target = runtime.block_on(merged.target(&endpoint, signing)).map_err(Failure::usage)?;
    let mut reports = Reports::create(&merged.reports).map_err(Failure::usage)?;
    let mut events = Vec::new();
    let screen = Screen::default();
    let outcome = runtime.block_on(async {
        let (sender, stop) = watch::channel(None);
        let deadline = merged.deadline;
        tokio::spawn(async move {
            let stop = tokio::select! {
                () = interrupted() => Stop::Interrupted,
                () = after(deadline) => Stop::Deadline,
            };
            sender.send_replace(Some(stop));
            // What ends a job often signals twice at once; only a person who asks again later does not want to wait.
            tokio::time::sleep(Duration::from_secs(1)).await;
            let why = match stop {
                Stop::Interrupted | Stop::Unreachable => "",
                Stop::Deadline => "the deadline has passed, ",
            };
            let hint = "Ctrl-C aborts and leaves repositories behind";
            complain(&format!("{why}finishing running cases; {hint}"));
            interrupted().await;
            std::process::exit(i32::from(Reason::Interrupted.code()));
        });
        let running = run(Arc::new(target), &merged.settings, work, stop, |event| {
            reports.event(&event);
            screen.show(&event);
            watch_events(&event, &screen);
            // Of how far a search has come only the last counts.
            match (&event, events.last()) {
                (Event::Searched(_), Some(Event::Searched(_))) => *events.last_mut().expect("there is one") = event,
                _ => events.push(event),
            }
        });
        tokio::select! {
            outcome = running => Ok(outcome),
            error = exhausted(embedded.as_ref()) => Err(error),
        }
    });
    screen.clear();
    let outcome = outcome.map_err(|error| Failure { reason: Reason::SetUp, error })?;
    let summary = Summary::of(&events, &merged.measure).map_err(Failure::harness)?;
    outcome.map_err(|error| {
        let reason = match &error {
            RunError::Unreachable { .. } => Reason::SetUp,
            RunError::Suite(_) | RunError::Harness(_) => Reason::Harness,
        };
        let input =
            Input { events: &events, summary: &summary, reasons: &[reason], detail: merged.detail, states: &[] };
        reports.whole(&input); // That nothing could be judged is a report as well.
        Failure { reason, error: error.into() }
    })?;
    Ok(Done { summary, events, screen, reports })
}

/// Work that was done.
pub(super) struct Done {
    /// What it came to.
    pub summary: Summary,
    events: Vec<Event>,
    screen: Screen,
    reports: Reports,
}

impl Done {
    /// Prints something before the report.
    pub fn print(&self, text: &str) {
        self.screen.print(text);
    }

    /// Writes what reports were asked for, and gives why the process ends as it does.
    pub fn write(&mut self, merged: &Merged) -> Vec<Reason> {
        let Done { summary, events, reports, .. } = self;
        let reasons = summary.reasons(merged.measure.deny_warnings);
        let reasons = with_unwritten(reasons, reports);
        let states = reports.states(summary);
        let detail = merged.detail;
        reports.whole(&Input { events, summary, reasons: &reasons, detail, states: &states });
        with_unwritten(reasons, reports)
    }

    /// Prints the report, and gives the exit code.
    pub fn report(mut self, merged: &Merged) -> Code {
        let reasons = self.write(merged);
        let Done { summary, screen, reports, .. } = self;
        screen.print(&terminal::report(&summary, merged.detail, &reasons));
        if let Some(error) = reports.failed() {
            complain(&format!("{error:#}"));
        }
        let code = reasons.first().map_or(0, |reason| reason.code());
        // The verdict stands whether or not somebody could read it; but a clean end that nobody could read is none.
        match screen.failed.take() {
            Some(error) if code == 0 => Err(Failure::usage(anyhow!("could not print the report: {error}"))),
            _ => Ok(code),
        }
    }
}

/// The reasons, with that of a report that could not be written.
fn with_unwritten(mut reasons: Vec<Reason>, reports: &Reports) -> Vec<Reason> {
    if reports.failed().is_some() && !reasons.contains(&Reason::Usage) {
        let after_interruption = usize::from(reasons.first() == Some(&Reason::Interrupted));
        reasons.insert(after_interruption, Reason::Usage);
    }
    reasons
}

/// Waits until the embedded mock, if it is tested, can take no connection.
async fn exhausted(embedded: Option<&Embedded>) -> anyhow::Error {
    match embedded {
        Some(embedded) => embedded.exhausted().await,
        None => std::future::pending().await,
    }
}

/// Waits as long as a run may take.
async fn after(deadline: Option<Span>) {
    match deadline {
        Some(Span(time)) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}

/// Waits for Ctrl-C, for what a CI job is ended with, or for the end of the terminal.
async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let [terminate, hangup] = [SignalKind::terminate(), SignalKind::hangup()].map(signal);
        if let (Ok(mut terminate), Ok(mut hangup)) = (terminate, hangup) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

/// What is shown while the run works: header and surveys, and on a terminal a line that moves.
#[derive(Default)]
pub(super) struct Screen {
    bar: RefCell<Option<ProgressBar>>,
    /// Why something could not be printed. The run goes on: its exit code is the verdict, and repositories are removed.
    failed: RefCell<Option<std::io::Error>>,
}

impl Screen {
    fn show(&self, event: &Event) {
        match event {
            Event::Started(started) => {
                self.print(&terminal::header(started));
                let template = match started.cases {
                    0 => "{elapsed}  {wide_msg}",
                    _ => "{pos}/{len} cases, {per_sec}, {eta} left  {wide_msg}",
                };
                let style = ProgressStyle::with_template(template).map(|style| {
                    // With one decimal: a slow server answers less than one case a second.
                    style.with_key("per_sec", |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                        let _ = write!(out, "{:.1}/s", state.per_sec());
                    })
                });
                // Hidden by itself where there is no terminal.
                let bar = ProgressBar::new(started.cases as u64);
                self.bar.replace(Some(bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))));
            }
            Event::Surveyed(survey) => self.print(&terminal::survey(survey)),
            Event::Judged(judged) => {
                if let Some(bar) = &*self.bar.borrow() {
                    bar.inc(1);
                    if matches!(judged.verdict, Verdict::Fail { .. }) {
                        bar.set_message(format!("last failure: {}", judged.case));
                    }
                }
            }
            Event::Searched(Searched { cases, calls, classes, .. }) => {
                if let Some(bar) = &*self.bar.borrow() {
                    bar.set_message(format!("{cases} sequences, {calls} calls, {classes} kinds of responses"));
                }
            }
            Event::Finished(_) => self.clear(),
        }
    }

    /// Prints, with the line that moves out of the way.
    pub fn print(&self, text: &str) {
        let text = wrap::for_terminal(text);
        let printed = match &*self.bar.borrow() {
            Some(bar) => bar.suspend(|| try_print(&text)),
            None => try_print(&text),
        };
        match printed {
            // A reader that went away, such as `head`, has seen enough.
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                self.failed.borrow_mut().get_or_insert(error);
            }
            _ => {}
        }
    }

    fn clear(&self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
