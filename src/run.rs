//! One run: survey, cases, verdicts, events.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};

use crate::case::{Case, Place};
use crate::contract::{Service, Tier};
use crate::drive::survey::{Survey, survey};
use crate::drive::{self, Room, Target};
use crate::judge::{Grade, Strictness, THROTTLED, Verdict, judge};
use crate::report::event::{Event, Finished, Judged, Logged, SCHEMA, Started};
use crate::suite::suite;
use crate::wire::Trouble;

/// What is run, and how.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What is tested, for the reader.
    pub target: String,
    /// The flags that name this target, for commands that repeat a case.
    pub flags: Vec<String>,
    /// Services to test.
    pub services: Vec<Service>,
    /// Cases to run: those whose id has one of these in it, or is what follows `=`. All if empty.
    pub filter: Vec<String>,
    /// The weakest tier that is run.
    pub tier: Tier,
    /// Number of cases under way at once.
    pub jobs: usize,
    /// An existing repository to work in, instead of making one a case.
    pub repository: Option<String>,
    /// Compare message texts where a real trace gives them.
    pub strict: bool,
    /// Findings of these grades gate; kept in the log for whoever reads it.
    pub fail_on: Vec<Grade>,
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
            services: Service::ALL.to_vec(),
            filter: Vec::new(),
            tier: Tier::Open,
            jobs: std::thread::available_parallelism().map_or(1, usize::from),
            repository: None,
            strict: false,
            fail_on: Grade::ALL.to_vec(),
            options: Vec::new(),
            prefix: String::from(prefix),
        }
    }
}

/// Why a run could not begin.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RunError {
    /// The target could not be reached.
    #[error("no connection to {0}: is the server running, and are host, port and http or https right?")]
    Unreachable(String),
    /// The cases or their snapshots are wrong.
    #[error("a fault of ecrspec itself: {0}")]
    Harness(String),
}

/// How many cases share a repository before it is removed: abandoned uploads make some servers slow.
const SHARERS: usize = 48;

/// After so many unanswered cases in a row the target is asked whether it lives.
const DEAD: usize = 24;

/// After so many unanswered cases in all the rest is not tried: each would cost the patience of its requests.
const TOO_MANY: usize = 96;

/// How long is paused when the target asks for it, and how often for one case.
const PAUSE: Duration = Duration::from_millis(700);
const PAUSES: u32 = 3;

/// The cases of the chosen services that the settings choose, in order.
///
/// # Errors
///
/// Where the suite itself is wrong.
pub fn choose(settings: &Settings) -> Result<Vec<Case>, RunError> {
    let mut chosen = Vec::new();
    for service in &settings.services {
        let cases = suite(*service).map_err(RunError::Harness)?;
        chosen.extend(
            cases.into_iter().filter(|case| case.tier() <= settings.tier && is_named(&settings.filter, &case.id)),
        );
    }
    chosen.sort_by_key(|case| case.last);
    Ok(chosen)
}

/// Whether a filter names the id: a part of it, or all of it after `=`.
pub fn is_named(filter: &[String], id: &str) -> bool {
    filter.is_empty()
        || filter.iter().any(|wanted| match wanted.strip_prefix('=') {
            Some(whole) => id == whole,
            None => id.contains(wanted.as_str()),
        })
}

/// Runs the suite against a target. Events go to `sink` as they happen. When `stop` becomes true, no further case
/// begins; those under way finish and clean up.
///
/// # Errors
///
/// Where nothing could be judged at all: no connection, or a fault of the suite.
pub async fn run(
    target: Arc<Target>,
    settings: &Settings,
    stop: watch::Receiver<bool>,
    mut sink: impl FnMut(Event),
) -> Result<(), RunError> {
    let clock = Instant::now();
    let cases = choose(settings)?;
    sink(Event::Started(started(settings, cases.len())));
    let mut surveys = Vec::new();
    let mut left = Vec::new();
    for service in settings.services.iter().filter(|service| cases.iter().any(|case| case.service == **service)) {
        let look = async || survey(&target, *service, &settings.prefix, settings.repository.as_deref()).await;
        let unreachable = |_| RunError::Unreachable(settings.target.clone());
        let (mut survey, _) = look().await.map_err(unreachable)?;
        if survey.inconclusive {
            tokio::time::sleep(PAUSE).await;
            (survey, _) = look().await.map_err(unreachable)?;
        }
        survey.narrow(cases.iter().filter(|case| case.service == *service));
        let keeps = |known: &BTreeMap<String, String>| known.contains_key("DeleteRepository");
        if survey.makes_repositories && (keeps(&survey.unknown) || keeps(&survey.broken)) {
            left.push(format!("{}/survey", settings.prefix));
        }
        sink(Event::Surveyed(Box::new(survey.clone())));
        surveys.push(survey);
    }
    let shared = Arc::new(Shared {
        target,
        cases,
        surveys,
        settings: settings.clone(),
        next: AtomicUsize::new(0),
        in_a_row: AtomicUsize::new(0),
        in_all: AtomicUsize::new(0),
        first_silent: AtomicUsize::new(usize::MAX),
        gave_up: AtomicBool::new(false),
        left: Mutex::new(left),
        stop: stop.clone(),
    });
    let (sender, mut receiver) = mpsc::channel(64);
    let workers: Vec<_> = (0..settings.jobs.max(1))
        .map(|number| tokio::spawn(Worker::new(number, shared.clone()).work(sender.clone())))
        .collect();
    drop(sender);
    while let Some(judged) = receiver.recv().await {
        sink(Event::Judged(Box::new(judged)));
    }
    for worker in workers {
        worker.await.map_err(|error| RunError::Harness(format!("a worker ended early: {error}")))?;
    }
    let interrupted = *stop.borrow();
    let left = std::mem::take(&mut *shared.left.lock().unwrap_or_else(PoisonError::into_inner));
    sink(Event::Finished(Finished { seconds: clock.elapsed().as_secs_f64(), interrupted, left }));
    Ok(())
}

fn started(settings: &Settings, cases: usize) -> Started {
    Started {
        schema: SCHEMA,
        ecrspec: String::from(env!("CARGO_PKG_VERSION")),
        at: jiff::Timestamp::now(),
        target: settings.target.clone(),
        flags: settings.flags.clone(),
        services: settings.services.clone(),
        cases,
        jobs: settings.jobs,
        options: settings.options.clone(),
        filtered: !settings.filter.is_empty() || settings.tier != Tier::Open,
        fail_on: settings.fail_on.clone(),
        repositories: settings.repository.clone().unwrap_or_else(|| format!("{}/…", settings.prefix)),
    }
}

/// What the workers of a run share.
struct Shared {
    target: Arc<Target>,
    cases: Vec<Case>,
    surveys: Vec<Survey>,
    settings: Settings,
    next: AtomicUsize,
    /// Cases that the target left unanswered, one after the other and in all.
    in_a_row: AtomicUsize,
    in_all: AtomicUsize,
    /// The first of the cases that are unanswered at the moment, by index.
    first_silent: AtomicUsize,
    /// Whether the rest is not worth waiting for.
    gave_up: AtomicBool,
    /// Repositories that could not be removed.
    left: Mutex<Vec<String>>,
    stop: watch::Receiver<bool>,
}

impl Shared {
    fn keep_left(&self, names: impl Iterator<Item = String>) {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).extend(names);
    }
}

/// Takes one case after the other.
struct Worker {
    number: usize,
    shared: Arc<Shared>,
    /// The repository for cases that share one, with its service and how many have used it.
    repository: Option<(Service, String, usize)>,
    repositories_made: usize,
}

impl Worker {
    fn new(number: usize, shared: Arc<Shared>) -> Worker {
        Worker { number, shared, repository: None, repositories_made: 0 }
    }

    async fn work(mut self, sender: mpsc::Sender<Judged>) {
        let shared = self.shared.clone();
        while !*shared.stop.borrow() {
            let index = shared.next.fetch_add(1, Ordering::Relaxed);
            let Some(case) = shared.cases.get(index) else { break };
            let judged = self.judged(index, case).await;
            if sender.send(judged).await.is_err() {
                break;
            }
        }
        self.leave().await;
    }

    async fn judged(&mut self, index: usize, case: &Case) -> Judged {
        let shared = self.shared.clone();
        let Some(survey) = shared.surveys.iter().find(|survey| survey.service == case.service) else {
            let reason = String::from("the service was not surveyed");
            return Judged::of(index, case, Verdict::Skipped { reason }, Vec::new(), None);
        };
        let framing =
            case.steps.iter().find_map(|step| shared.target.cannot_frame(step.request.framing)).map(String::from);
        if let Some(reason) = survey.skips(case, shared.settings.repository.is_some()).or(framing) {
            return Judged::of(index, case, Verdict::Skipped { reason }, Vec::new(), None);
        }
        if shared.gave_up.load(Ordering::Relaxed) {
            let reason = String::from("the target has stopped answering, or left too many requests unanswered");
            return Judged::of(index, case, Verdict::Inconclusive { reason }, Vec::new(), None);
        }
        let judged = self.judged_calmly(index, case, survey).await;
        if was_unanswered(&judged) {
            let in_a_row = shared.in_a_row.fetch_add(1, Ordering::Relaxed) + 1;
            let in_all = shared.in_all.fetch_add(1, Ordering::Relaxed) + 1;
            // One after the other, and dead when asked; or alive, but each further one costs its patience.
            let dead = in_a_row.is_multiple_of(DEAD) && !drive::is_answering(&shared.target, case.service).await;
            if dead || in_all >= TOO_MANY {
                shared.gave_up.store(true, Ordering::Relaxed);
            }
        } else {
            shared.in_a_row.store(0, Ordering::Relaxed);
        }
        judged
    }

    /// Judges a case: once more if the target was silent, and after a pause if it asked for one.
    async fn judged_calmly(&mut self, index: usize, case: &Case, survey: &Survey) -> Judged {
        let mut first = self.once(index, case, survey, 1).await;
        for attempt in 2..=PAUSES + 1 {
            if !is_throttled(&first.verdict) {
                break;
            }
            tokio::time::sleep(PAUSE).await;
            first = self.once(index, case, survey, attempt).await;
        }
        // Silence and dropped connections may be the network's: only what happens twice is a finding.
        if !is_silence(&first.verdict) {
            return first;
        }
        self.shared.first_silent.fetch_min(index, Ordering::Relaxed);
        if !drive::is_answering(&self.shared.target, case.service).await {
            // Dead. The first case that it left unanswered may be why; those that came after are not.
            self.shared.gave_up.store(true, Ordering::Relaxed);
            if self.shared.first_silent.load(Ordering::Relaxed) < index {
                let reason = String::from("the target has stopped answering");
                return Judged { verdict: Verdict::Inconclusive { reason }, ..first };
            }
            return first;
        }
        self.shared.first_silent.store(usize::MAX, Ordering::Relaxed);
        let second = self.once(index, case, survey, PAUSES + 2).await;
        match &second.verdict {
            Verdict::Pass => {
                let reason = String::from("unstable: no answer once, an admitted answer the second time");
                Judged { verdict: Verdict::Inconclusive { reason }, ..first }
            }
            Verdict::Fail { .. } => second,
            // It could not even begin again: the first request may well be why.
            Verdict::Inconclusive { .. } | Verdict::Skipped { .. } => first,
        }
    }

    async fn once(&mut self, index: usize, case: &Case, survey: &Survey, attempt: u32) -> Judged {
        let room = self.room(case, survey, attempt).await;
        let transcript = drive::case(&self.shared.target, case, &room).await;
        self.shared.keep_left(transcript.left.iter().cloned());
        let strictness = Strictness { messages: self.shared.settings.strict, availability: survey.availability };
        let (verdict, records) = judge(case, &transcript, strictness);
        Judged::of(index, case, verdict, records, Some(&transcript))
    }

    async fn room(&mut self, case: &Case, survey: &Survey, attempt: u32) -> Room {
        let shared = match (&self.shared.settings.repository, &case.place) {
            (Some(fixed), _) => Some(fixed.clone()),
            (None, Place::Shared) => self.shared_repository(case.service).await,
            (None, Place::Own(_)) => None,
        };
        Room {
            prefix: self.shared.settings.prefix.clone(),
            shared,
            account: survey.account.clone(),
            part_size: survey.usable_part_size(),
            salt: format!("{}/{attempt}", self.shared.settings.prefix),
        }
    }

    /// The repository that cases of this worker share; `None` if it could not be made: then the case tries for itself.
    async fn shared_repository(&mut self, service: Service) -> Option<String> {
        match &mut self.repository {
            Some((known, name, used)) if *known == service && *used < SHARERS => {
                *used += 1;
                return Some(name.clone());
            }
            _ => self.leave().await,
        }
        self.repositories_made += 1;
        let name = format!("{}/shared-{}-{}", self.shared.settings.prefix, self.number, self.repositories_made);
        // Remembered even if it seems to fail: the answer may have been lost, and the repository is removed all the same.
        let made = drive::create_repository(&self.shared.target, service, &name).await.is_ok();
        self.repository = Some((service, name.clone(), if made { 1 } else { SHARERS }));
        made.then_some(name)
    }

    async fn leave(&mut self) {
        if let Some((service, name, _)) = self.repository.take() {
            let deletion = drive::delete_repository(&self.shared.target, service, &name).await;
            if !drive::is_gone(&deletion) {
                self.shared.keep_left(std::iter::once(name));
            }
        }
    }
}

fn is_silence(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Fail { findings } if findings.iter().any(|finding| finding.rule == "always/answered"))
}

/// Whether a case waited for an answer in vain, or could not even begin.
fn was_unanswered(judged: &Judged) -> bool {
    let waited = |logged: &Logged| matches!(logged.trouble, Some(Trouble::Silent | Trouble::Unreachable));
    let stopped = judged.exchanges.is_empty() && matches!(judged.verdict, Verdict::Inconclusive { .. });
    stopped || judged.exchanges.iter().any(waited)
}

fn is_throttled(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Inconclusive { reason } if reason.contains(THROTTLED))
}
