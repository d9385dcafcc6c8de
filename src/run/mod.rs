//! One run: survey, cases, search, verdicts, events.

mod concurrency;
mod health;
mod late;
mod outcome;
mod random;
mod recorder;
mod select;
mod shrink;
mod slow;
mod worker;
mod workspace;

use std::collections::{BTreeSet, HashSet};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::case::{Case, Partition, SuiteVersion};
use crate::contract::{Operation, Service, Tier};
use crate::drive::{Bulk, Target};
use crate::events::{Event, Finished, Guide, Recording, SCHEMA, Started, Stop, Task};
use crate::judge::Grade;
use crate::judge::known::Known;
use crate::search::{Extent, Search};
use crate::session::{Session, Terms};
use crate::suite::SuiteError;
use crate::survey::Unreachable;
use crate::wire::{Client, NoConnection, Trust};

use concurrency::Concurrency;
use outcome::{Failed, Outcome};
pub use recorder::MAX_KEPT_OF_ALL;
use recorder::{Kept, Recorder};
use select::{Selection, drawn, is_whole, locked};
use worker::{Shared, Worker};

pub use select::{asks_for_signatures, choose, choose_once, is_chosen, is_let_through, is_named, one_per_response};

/// What is run, and how.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What is tested, for the reader.
    pub target: String,
    /// The flags that name this target, for commands that repeat a case.
    pub flags: Vec<String>,
    /// Which certificates of the target are accepted, for the reader.
    pub trust: Trust,
    /// Services to test.
    pub services: Vec<Service>,
    /// Cases to run: those whose id has one of these in it, or is what follows `=`. All if empty.
    pub filter: Vec<String>,
    /// The weakest tier that is run.
    pub tier: Tier,
    /// The part of the cases that is run; all if there is none.
    pub partition: Option<Partition>,
    /// Number of cases under way at once.
    pub jobs: usize,
    /// As many may be under way where the target takes its time to answer; no more than `jobs` if there is none.
    pub most_jobs: Option<usize>,
    /// An existing repository to work in, instead of making one a case.
    pub repository: Option<String>,
    /// Operations that the target is meant to lack.
    pub without: Vec<Operation>,
    /// Compare message texts where a real trace gives them.
    pub strict: bool,
    /// Findings of these grades gate; kept in the log for whoever reads it.
    pub fail_on: Vec<Grade>,
    /// Whether warnings gate; kept likewise.
    pub deny_warnings: bool,
    /// Known deviations; kept likewise.
    pub known: Vec<Known>,
    /// Which exchanges the log has.
    pub recording: Recording,
    /// The version of the suite that gates; kept likewise. Cases that came later are judged and do not count.
    pub suite: Option<SuiteVersion>,
    /// Where the guide is published, for links to it.
    pub guide: Option<Guide>,
    /// The other settings that are not as usual, for the reader.
    pub options: Vec<String>,
    /// What the repositories of the run begin with; different from run to run.
    pub prefix: String,
}

impl Settings {
    /// A run of everything in both services, in repositories that begin with this prefix.
    pub fn everything(target: &str, prefix: &str) -> Settings {
        Settings {
            target: String::from(target),
            flags: Vec::new(),
            trust: Trust::System,
            services: Service::ALL.to_vec(),
            filter: Vec::new(),
            tier: Tier::Open,
            partition: None,
            jobs: std::thread::available_parallelism().map_or(1, usize::from),
            most_jobs: None,
            repository: None,
            suite: None,
            guide: None,
            without: Vec::new(),
            strict: false,
            fail_on: Grade::USUAL.to_vec(),
            deny_warnings: false,
            known: Vec::new(),
            recording: Recording::Findings,
            options: Vec::new(),
            prefix: String::from(prefix),
        }
    }
}

impl Settings {
    /// What of them the sessions of the run have.
    fn terms(&self) -> Terms {
        Terms {
            prefix: self.prefix.clone(),
            repository: self.repository.clone(),
            messages: self.strict,
            tier: self.tier,
            without: self.without.clone(),
        }
    }
}

/// What is to be done: cases, and then a search.
#[derive(Clone, Debug)]
pub struct Work {
    /// What it is for.
    pub task: Task,
    /// Cases, in order.
    pub cases: Vec<Case>,
    /// Random sequences after them.
    pub search: Option<Search>,
    /// Whether all that the survey finds is told, and not only what concerns the cases.
    pub whole_survey: bool,
}

impl Work {
    /// The suite, as far as the settings choose, and the usual number of random sequences.
    ///
    /// # Errors
    ///
    /// Where the suite itself is wrong.
    pub fn usual(settings: &Settings) -> Result<Work, RunError> {
        let search = Search { seed: SEED, extent: Extent::Cases(RANDOM_CASES) };
        Ok(Work { task: Task::Gate, cases: choose(settings)?, search: Some(search), whole_survey: false })
    }
}

/// Random sequences of a service in a run: some two thousand requests, which is seconds on most targets.
pub const RANDOM_CASES: u64 = 200;

/// The seed of a run that names no other: a gate gives the same answer twice.
pub const SEED: u64 = 0;

/// Why a run could not begin.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The target could not be reached.
    #[error("no connection to {target}: {why}: {hint}{left}", hint = why.hint(), left = left_behind(left))]
    Unreachable {
        /// The target, for the reader.
        target: String,
        /// Why not.
        why: NoConnection,
        /// Repositories that were made before, and could not be removed.
        left: Vec<String>,
    },
    /// The cases or their snapshots are wrong.
    #[error("internal error of ecrspec: {0}")]
    Suite(#[from] SuiteError),
    /// The run itself failed.
    #[error("internal error of ecrspec: {0}")]
    Harness(String),
}

/// How long is paused before a survey is made again that came to nothing.
const PAUSE: Duration = Duration::from_millis(700);

/// How often the progress of a search is reported: it may be killed.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);

/// How long what is under way may take when a run is to end.
const GRACE: Duration = Duration::from_secs(5);

/// Added to the numbers of workers that try what was put off: names differ from worker to worker.
const SECOND_SHIFT: usize = 10_000;

/// Does the work on a target. Events go to `sink` as they happen. When `stop` says so, no further case begins; those under
/// way finish and clean up. Five seconds later they are given up, with the repositories in which they work.
///
/// # Errors
///
/// Where nothing could be judged at all: no connection, or a fault of the suite.
pub async fn run(
    target: Arc<Target>,
    settings: &Settings,
    work: Work,
    stop: watch::Receiver<Option<Stop>>,
    mut sink: impl FnMut(Event),
) -> Result<(), RunError> {
    let began = Instant::now();
    let mut kept = Kept::new();
    let mut sink = |event| sink(kept.bound(event));
    // Calls that are throttled are sent again, whoever sends them in this run.
    let target =
        Arc::new(Target { patience: Some(Arc::default()), bulk: Some(Bulk::default()), ..Target::clone(&target) });
    let drawn = drawn(settings, work.search);
    sink(Event::Started(Box::new(started(target.driver.client(), settings, &work, drawn.len()))));
    let surveyed = tokio::select! {
        surveyed = survey_all(&target, settings, &work, &drawn, &mut sink) => Some(surveyed),
        () = overdue(stop.clone()) => None,
    };
    let ended = |stopped: Option<Stop>, left: Vec<String>| {
        Event::Finished(Finished { seconds: began.elapsed().as_secs_f64(), stopped, left, unrecorded: 0 })
    };
    let (sessions, left) = match surveyed {
        Some(Ok(surveyed)) => surveyed,
        Some(Err(error)) => {
            if let RunError::Unreachable { left, .. } = &error {
                sink(ended(Some(Stop::Unreachable), left.clone()));
            }
            return Err(error);
        }
        None => {
            sink(ended(*stop.borrow(), given_up(settings).collect()));
            return Ok(());
        }
    };
    let deadline = match work.search.map(|search| search.extent) {
        Some(Extent::Time(time)) => Some(Instant::now() + time),
        _ => None,
    };
    let Work { cases, search, .. } = work;
    let shared = Arc::new(Shared {
        target,
        sessions,
        selection: Selection {
            cases: cases.into_iter().map(|case| Mutex::new(Some(case))).collect(),
            search,
            drawn,
            deadline,
            partition: settings.partition,
        },
        settings: settings.clone(),
        began,
        novelty: Mutex::default(),
        causes: Mutex::default(),
        failed: Mutex::default(),
        next: AtomicUsize::new(0),
        health: Mutex::default(),
        put_off: Mutex::default(),
        asked_again: AtomicBool::new(false),
        shrinking: Mutex::default(),
        pace: Mutex::default(),
        lateness: Mutex::default(),
        recorder: Mutex::new(Recorder::new(settings.recording)),
        left: Mutex::new(left.into_iter().collect()),
        stop,
    });
    let mut causes = HashSet::new();
    let mut failed = judge_all(&shared, 0, &mut causes, &mut sink).await?;
    if has_put_off(&shared).await {
        failed.extend(judge_all(&shared, SECOND_SHIFT, &mut causes, &mut sink).await?);
    }
    // In the order of the cases, whichever was judged first.
    failed.sort_by_key(|one| one.judged.index);
    for one in &mut failed {
        one.named.retain(|named| causes.insert(named.finding.cause()));
    }
    make_small(&shared, failed, &mut sink).await?;
    if search.is_some() {
        sink(Event::Searched(locked(&shared.novelty).tally()));
    }
    let left = std::mem::take(&mut *locked(&shared.left));
    let unrecorded = locked(&shared.recorder).as_ref().map_or(0, Recorder::unrecorded);
    let (seconds, stopped) = (began.elapsed().as_secs_f64(), *shared.stop.borrow());
    sink(Event::Finished(Finished { seconds, stopped, left, unrecorded }));
    Ok(())
}

/// Whether cases were put off that can be tried now, as far as they can: the target was asked again.
async fn has_put_off(shared: &Shared) -> bool {
    if locked(&shared.put_off).is_empty() || shared.is_stopped() {
        return false;
    }
    tokio::select! {
        () = shared.ask_again() => true,
        () = overdue(shared.stop.clone()) => false,
    }
}

/// Ends when the run is to end and what was under way then had its time.
async fn overdue(mut stop: watch::Receiver<Option<Stop>>) {
    match stop.wait_for(Option::is_some).await.map(drop) {
        Ok(()) => tokio::time::sleep(GRACE).await,
        // Nobody is there any more who could stop it.
        Err(_) => std::future::pending().await,
    }
}

/// What is said of the repositories of what was given up: nobody knows which are there.
fn given_up(settings: &Settings) -> impl Iterator<Item = String> {
    let own = settings.repository.is_none();
    own.then(|| format!("{}/… (given up)", settings.prefix)).into_iter()
}

/// Looks at each service that has something to be tried: twice, where it was throttled or silent. Gives what was left
/// behind as well.
async fn survey_all(
    target: &Arc<Target>,
    settings: &Settings,
    work: &Work,
    drawn: &[(Service, u64)],
    sink: &mut impl FnMut(Event),
) -> Result<(Vec<Session>, BTreeSet<String>), RunError> {
    let mut sessions = Vec::new();
    let mut left = BTreeSet::new();
    let searched = |service: Service| match work.search.map(|search| search.extent) {
        Some(Extent::Cases(_)) => drawn.iter().any(|(of, _)| *of == service),
        Some(Extent::Time(_)) => true,
        None => false,
    };
    let cases = |service: Service| work.cases.iter().filter(move |case| case.service == service);
    for service in settings.services.iter().copied().filter(|one| cases(*one).next().is_some() || searched(*one)) {
        let prepare = async || Session::prepare(target.clone(), service, settings.terms()).await;
        let mut session = keep(&mut left, prepare().await, settings)?;
        if session.survey().inconclusive {
            tokio::time::sleep(PAUSE).await;
            session = keep(&mut left, prepare().await, settings)?;
        }
        if !searched(service) && !work.whole_survey {
            session.narrow(cases(service));
        }
        sink(Event::Surveyed(Box::new(session.survey().clone())));
        sessions.push(session);
    }
    Ok((sessions, left))
}

/// How long outcomes are gathered: each would wake the thread that waits for them, many thousand times a second.
const GATHERING: Duration = Duration::from_millis(1);

/// Judges all cases but those that are put off, and returns the random ones that failed. Which of them are shrunk is decided
/// at the end, so that it does not depend on the order in which they were judged. `first` is the number of the first worker.
async fn judge_all(
    shared: &Arc<Shared>,
    first: usize,
    causes: &mut HashSet<String>,
    sink: &mut impl FnMut(Event),
) -> Result<Vec<Failed>, RunError> {
    let (sender, mut receiver) = mpsc::channel(64);
    let hiring = sender.downgrade();
    let jobs = shared.settings.jobs;
    let most = shared.settings.most_jobs.unwrap_or(jobs);
    let mut concurrency = Concurrency::new(jobs, most, shared.began.elapsed());
    let mut workers = Vec::new();
    let mut hire = |number: usize, sender: mpsc::Sender<Outcome>| {
        workers.push(tokio::spawn(Worker::new(first + number, shared.clone()).work(sender)));
    };
    (0..jobs.max(1)).for_each(|number| hire(number, sender.clone()));
    drop(sender);
    let mut hired = jobs.max(1);
    let mut failed = Vec::new();
    let mut told = Instant::now();
    let mut overdue = pin!(overdue(shared.stop.clone()));
    loop {
        if receiver.is_empty() {
            tokio::time::sleep(GATHERING).await;
        }
        let next = tokio::select! {
            next = tokio::time::timeout(PROGRESS_INTERVAL, receiver.recv()) => next,
            () = &mut overdue => {
                abort(shared, &workers);
                break;
            }
        };
        match next {
            Ok(Some(Outcome::Judged(judged))) => {
                let took = Duration::from_millis(judged.millis);
                let wanted = concurrency.case_ended(judged.requests, took, shared.began.elapsed());
                while let Some(sender) = hiring.upgrade().filter(|_| hired < wanted) {
                    hire(hired, sender);
                    hired += 1;
                }
                causes.extend(judged.verdict.findings().iter().map(|finding| finding.cause()));
                sink(Event::Judged(judged));
            }
            Ok(Some(Outcome::Failed(one))) => failed.push(*one),
            Ok(None) => break,
            Err(_) => {}
        }
        if shared.searches() && told.elapsed() >= PROGRESS_INTERVAL {
            told = Instant::now();
            sink(Event::Searched(locked(&shared.novelty).tally()));
        }
    }
    finished(workers).await?;
    Ok(failed)
}

/// Makes the random cases that failed small, each for what it is the first to find.
async fn make_small(shared: &Arc<Shared>, failed: Vec<Failed>, sink: &mut impl FnMut(Event)) -> Result<(), RunError> {
    let (new, known): (Vec<Failed>, Vec<Failed>) = failed.into_iter().partition(|one| !one.named.is_empty());
    known.into_iter().for_each(|one| sink(Event::Judged(Box::new(one.judged))));
    let (sender, mut receiver) = mpsc::channel(64);
    let workers = 0..shared.settings.jobs.clamp(1, new.len().max(1));
    locked(&shared.failed).extend(new);
    let workers: Vec<_> = workers
        .map(|number| tokio::spawn(Worker::new(number, shared.clone()).make_all_small(sender.clone())))
        .collect();
    drop(sender);
    let mut overdue = pin!(overdue(shared.stop.clone()));
    loop {
        tokio::select! {
            judged = receiver.recv() => match judged {
                Some(judged) => sink(Event::Judged(judged)),
                None => break,
            },
            () = &mut overdue => {
                abort(shared, &workers);
                break;
            }
        }
    }
    finished(workers).await
}

/// Gives up what workers do.
fn abort(shared: &Shared, workers: &[JoinHandle<()>]) {
    workers.iter().for_each(JoinHandle::abort);
    locked(&shared.left).extend(given_up(&shared.settings));
}

async fn finished(workers: Vec<JoinHandle<()>>) -> Result<(), RunError> {
    for worker in workers {
        match worker.await {
            Err(error) if !error.is_cancelled() => {
                return Err(RunError::Harness(format!("a worker ended early: {error}")));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The session, with what its survey left behind besides what others left.
fn keep(
    left: &mut BTreeSet<String>,
    prepared: Result<(Session, Vec<String>), Unreachable>,
    settings: &Settings,
) -> Result<Session, RunError> {
    match prepared {
        Ok((session, more)) => {
            left.extend(more);
            Ok(session)
        }
        Err(Unreachable { why, left: more }) => {
            left.extend(more);
            let left = std::mem::take(left).into_iter().collect();
            Err(RunError::Unreachable { target: settings.target.clone(), why, left })
        }
    }
}

fn left_behind(left: &[String]) -> String {
    if left.is_empty() { String::new() } else { format!(" (could not be removed: {})", left.join(", ")) }
}

fn started(driver: Client, settings: &Settings, work: &Work, drawn: usize) -> Started {
    Started {
        schema: SCHEMA,
        ecrspec: String::from(env!("CARGO_PKG_VERSION")),
        at: jiff::Timestamp::now(),
        task: work.task,
        target: settings.target.clone(),
        driver,
        flags: settings.flags.clone(),
        trust: settings.trust.clone(),
        services: settings.services.clone(),
        cases: work.cases.len() + drawn,
        jobs: settings.jobs,
        options: settings.options.clone(),
        whole: is_whole(settings, work),
        tier: settings.tier,
        strict: settings.strict,
        seed: work
            .search
            .filter(|search| drawn > 0 || matches!(search.extent, Extent::Time(_)))
            .map(|search| search.seed),
        parts: settings.partition.into_iter().collect(),
        fail_on: settings.fail_on.clone(),
        deny_warnings: settings.deny_warnings,
        known: settings.known.clone(),
        suite: settings.suite,
        guide: settings.guide.clone(),
        repositories: settings.repository.clone().unwrap_or_else(|| format!("{}/…", settings.prefix)),
    }
}
