//! The suite on a tower service.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::watch;

use super::Failure;
use super::single::{block_on, found, on_own_thread};
use crate::case::Case;
use crate::contract::Service;
use crate::drive::{Driver, InProcess, Panics, Server, Target};
use crate::events::{Event, Task};
use crate::judge::known::{Known, KnownFile};
use crate::judge::{Finding, Grade, Verdict};
use crate::report::Summary;
use crate::report::summary::Measure;
use crate::report::terminal::{Detail, Reader, report};
use crate::run::{RANDOM_CASES, RunError, SEED, Settings, Work, choose, is_chosen, run};
use crate::search::{self, Extent, RANDOM, Search};
use crate::session::{Session, Terms};

/// How long a service in this process may take for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Causes that a report shows.
const CAUSES: usize = 20;

/// Runs the whole suite and the usual random sequences on a tower service in this process; what else can be chosen, has
/// [`Conformance`].
///
/// # Panics
///
/// With the report, where something is found, or nothing could be judged.
pub fn conforms(server: impl Server, services: &[Service]) {
    Conformance::new(server).services(services.iter().copied()).run();
}

/// The suite for a tower service in this process: by default all cases of both services and the usual random sequences,
/// and every finding counts.
#[derive(Clone, Debug)]
pub struct Conformance {
    server: InProcess,
    settings: Settings,
    random: u64,
    causes: usize,
}

impl Conformance {
    /// The suite for this service.
    pub fn new(server: impl Server) -> Conformance {
        Conformance {
            server: InProcess::new(server).guarded(PATIENCE),
            settings: Settings::everything("a service in this process", "ecrspec-conforms"),
            random: RANDOM_CASES,
            causes: CAUSES,
        }
    }

    /// Only these services.
    pub fn services(mut self, services: impl IntoIterator<Item = Service>) -> Conformance {
        self.settings.services = services.into_iter().collect();
        self
    }

    /// Only cases whose id has this in it, or is what follows a `=`. Several filters choose what any of them does.
    pub fn filter(mut self, id: &str) -> Conformance {
        self.settings.filter.push(String::from(id));
        self
    }

    /// Only findings of these grades count; others are reported.
    pub fn fail_on(mut self, grades: impl IntoIterator<Item = Grade>) -> Conformance {
        self.settings.fail_on = grades.into_iter().collect();
        self
    }

    /// Accepts the findings that a file of known deviations has. A relative path begins where `cargo test` runs: in the
    /// folder of the package.
    ///
    /// # Panics
    ///
    /// Where the file cannot be read, with its mistake.
    pub fn known(self, file: impl AsRef<Path>) -> Conformance {
        let file = file.as_ref();
        let text =
            std::fs::read_to_string(file).unwrap_or_else(|error| panic!("could not read {}: {error}", file.display()));
        let read = KnownFile::parse(&text).unwrap_or_else(|mistake| panic!("{}: {mistake}", file.display()));
        self.known_entries(read.known)
    }

    /// Accepts these known deviations.
    pub fn known_entries(mut self, entries: impl IntoIterator<Item = Known>) -> Conformance {
        self.settings.known.extend(entries);
        self
    }

    /// So many random sequences a service.
    pub fn random(mut self, sequences: u64) -> Conformance {
        self.random = sequences;
        self
    }

    /// Shows so many causes at most; the rest is counted.
    pub fn causes(mut self, causes: usize) -> Conformance {
        self.causes = causes;
        self
    }

    /// Runs it.
    ///
    /// # Panics
    ///
    /// With the report, where something is found that counts, nothing could be judged, or a known deviation is no longer as
    /// its entry says.
    pub fn run(self) {
        self.check().unwrap_or_else(|failure| panic!("{failure}"));
    }

    /// Runs it.
    ///
    /// # Errors
    ///
    /// The report, where [`Conformance::run`] panics. A `#[test]` can return it: it is shown as it is to be read.
    pub fn check(self) -> Result<(), Failure> {
        Panics::locate();
        let search = Search { seed: SEED, extent: Extent::Cases(self.random) };
        let cases = choose(&self.settings)?;
        let search = Some(search).filter(|_| self.random > 0);
        let work = Work { task: Task::Gate, cases, search, whole_survey: false };
        let target = Arc::new(Target::new(Driver::InProcess(self.server.clone())));
        let mut events = Vec::new();
        on_own_thread(|| {
            let runtime =
                tokio::runtime::Runtime::new().map_err(|error| RunError::Harness(format!("no runtime: {error}")))?;
            let (_keep, stop) = watch::channel(None);
            runtime.block_on(run(target, &self.settings, work, stop, |event| events.push(event)))
        })?;
        let measure = Measure {
            known: self.settings.known.clone(),
            today: jiff::Zoned::now().date(),
            deny_warnings: false,
            all_parts: false,
        };
        let summary = Summary::of(&events, &measure).map_err(|error| RunError::Harness(error.to_string()))?;
        let reasons = summary.reasons(false);
        if reasons.is_empty() {
            return Ok(());
        }
        let detail = Detail { groups: self.causes, verbose: false, reader: Reader::Test };
        let text = report(&summary, detail, &reasons);
        Err(Failure::Report(self.panics(&events) + &anstream::adapter::strip_str(&text).to_string()))
    }

    /// What the service panicked with, and in which cases.
    fn panics(&self, events: &[Event]) -> String {
        let panics = self.server.panics();
        let mut with_cases: Vec<(String, Vec<String>)> = Vec::new();
        for event in events {
            let Event::Judged(judged) = event else { continue };
            let unanswered = judged.exchanges.iter().filter(|logged| logged.trouble.is_some());
            let Some(panic) = unanswered.filter_map(|logged| panics.of(logged.body.text.as_bytes())).next() else {
                continue;
            };
            let case = format!("{} {}", judged.service, judged.case);
            match with_cases.iter_mut().find(|(known, _)| *known == panic) {
                Some((_, cases)) => cases.push(case),
                None => with_cases.push((panic, vec![case])),
            }
        }
        let mut text = String::new();
        for (panic, cases) in with_cases {
            let _ = writeln!(text, "the service {panic}\n   cases    {}, the first is {}", cases.len(), cases[0]);
        }
        match (text.is_empty(), panics.first()) {
            (true, Some(first)) => format!("the service {first}\n"),
            _ => text,
        }
    }

    /// The cases one by one, for a test harness that shows each: those that are chosen, and then the random sequences. They
    /// share the service, and one look at it before the first of them.
    ///
    /// # Panics
    ///
    /// Where the suite itself is wrong.
    pub fn cases(self) -> Vec<ConformanceCase> {
        Panics::locate();
        let mut cases = choose(&self.settings).unwrap_or_else(|error| panic!("{error}"));
        for service in &self.settings.services {
            let chosen =
                (0..self.random).filter(|number| is_chosen(&self.settings, &format!("{RANDOM}{SEED}/{number}")));
            cases.extend(chosen.map(|number| search::nth(*service, SEED, number)));
        }
        let of_service =
            |service: Service| Arc::new(Prepared { suite: self.clone(), service, session: OnceLock::new() });
        let prepared = Service::ALL.map(of_service);
        let one = |case: Case| {
            let prepared = prepared.iter().find(|prepared| prepared.service == case.service)?.clone();
            Some(ConformanceCase { case, prepared })
        };
        cases.into_iter().filter_map(one).collect()
    }

    fn accepts(&self, service: Service, finding: &Finding) -> bool {
        let today = jiff::Zoned::now().date();
        let mut known = self.settings.known.iter().filter(|entry| !entry.is_expired(today));
        !self.settings.fail_on.contains(&finding.grade) || known.any(|entry| entry.matches(service, finding))
    }
}

/// A service that is looked at when the first of its cases is judged.
#[derive(Debug)]
struct Prepared {
    suite: Conformance,
    service: Service,
    session: OnceLock<Result<Session, Failure>>,
}

impl Prepared {
    fn session(&self) -> Result<&Session, Failure> {
        let look = || {
            let target = Arc::new(Target::new(Driver::InProcess(self.suite.server.clone())));
            let prepared = block_on(Session::prepare(target, self.service, Terms::of("ecrspec-case")));
            prepared.map(|(session, _)| session).map_err(|unreachable| Failure::NoConnection(unreachable.why))
        };
        self.session.get_or_init(look).as_ref().map_err(Clone::clone)
    }
}

/// A case that can be judged by itself.
#[derive(Clone, Debug)]
pub struct ConformanceCase {
    case: Case,
    prepared: Arc<Prepared>,
}

/// What a case came to that has no finding.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CaseOutcome {
    /// Nothing was found that counts.
    Passed,
    /// It was not tried, for this reason.
    Skipped(String),
}

impl ConformanceCase {
    /// Its name: service and id.
    pub fn name(&self) -> String {
        format!("{}::{}", self.case.service, self.case.id)
    }

    /// Judges it.
    ///
    /// # Errors
    ///
    /// What was found, its source and the calls; or why it could not be judged.
    pub fn judge(&self) -> Result<CaseOutcome, Failure> {
        on_own_thread(|| {
            let session = self.prepared.session()?;
            let case = session.fitted(self.case.clone());
            if let Some(skip) = session.skips(&case) {
                return Ok(CaseOutcome::Skipped(skip.reason.to_string()));
            }
            let round = block_on(session.judge(&case));
            if let Verdict::Skipped { reason } = round.verdict {
                return Ok(CaseOutcome::Skipped(reason.to_string()));
            }
            let suite = &self.prepared.suite;
            found(&round, &suite.server.panics(), |finding| suite.accepts(case.service, finding))?;
            Ok(CaseOutcome::Passed)
        })
    }
}
