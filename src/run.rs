//! One run: survey, cases, search, verdicts, events.

mod random;

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};

use crate::case::{Case, Partition, Place, Transcript};
use crate::contract::{Service, Tier};
use crate::drive::survey::{Survey, Unreachable, survey};
use crate::drive::{self, Room, Target};
use crate::history::{self, Rounds, Told};
use crate::judge::known::Known;
use crate::judge::{Grade, NotJudged, Strictness, Verdict};
use crate::report::event::{Event, Finished, Judged, Logged, SCHEMA, Started, Task};
use crate::search::{self, Extent, Novelty, RANDOM, Search};
use crate::suite::suite;
use crate::wire::{NoConnection, Trouble};

use random::Named;

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
    /// The part of the cases that is run; all if there is none.
    pub partition: Option<Partition>,
    /// Number of cases under way at once.
    pub jobs: usize,
    /// An existing repository to work in, instead of making one a case.
    pub repository: Option<String>,
    /// Compare message texts where a real trace gives them.
    pub strict: bool,
    /// Findings of these grades gate; kept in the log for whoever reads it.
    pub fail_on: Vec<Grade>,
    /// Whether warnings gate; kept likewise.
    pub deny_warnings: bool,
    /// Known deviations; kept likewise.
    pub known: Vec<Known>,
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
            partition: None,
            jobs: std::thread::available_parallelism().map_or(1, usize::from),
            repository: None,
            strict: false,
            fail_on: Grade::ALL.to_vec(),
            deny_warnings: false,
            known: Vec::new(),
            options: Vec::new(),
            prefix: String::from(prefix),
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
        chosen.extend(cases.into_iter().filter(|case| case.tier() <= settings.tier && is_chosen(settings, &case.id)));
    }
    // What strains a target comes late.
    chosen.sort_by_key(|case| (case.last, case.is_race()));
    Ok(chosen)
}

/// Whether filter and partition choose the case with this id.
pub fn is_chosen(settings: &Settings, id: &str) -> bool {
    is_named(&settings.filter, id) && settings.partition.is_none_or(|partition| partition.has(id))
}

/// Whether a filter names the id: a part of it, or all of it after `=`.
pub fn is_named(filter: &[String], id: &str) -> bool {
    filter.is_empty()
        || filter.iter().any(|wanted| match wanted.strip_prefix('=') {
            Some(whole) => id == whole,
            None => id.contains(wanted.as_str()),
        })
}

/// Does the work on a target. Events go to `sink` as they happen. When `stop` becomes true, no further case begins; those
/// under way finish and clean up.
///
/// # Errors
///
/// Where nothing could be judged at all: no connection, or a fault of the suite.
pub async fn run(
    target: Arc<Target>,
    settings: &Settings,
    work: Work,
    stop: watch::Receiver<bool>,
    mut sink: impl FnMut(Event),
) -> Result<(), RunError> {
    let clock = Instant::now();
    let drawn = drawn(settings, work.search);
    sink(Event::Started(started(settings, &work, drawn.len())));
    let mut surveys = Vec::new();
    let mut left = BTreeSet::new();
    let searched = |service: Service| match work.search.map(|search| search.extent) {
        Some(Extent::Cases(_)) => drawn.iter().any(|(of, _)| *of == service),
        Some(Extent::Time(_)) => true,
        None => false,
    };
    let cases = |service: Service| work.cases.iter().filter(move |case| case.service == service);
    for service in settings.services.iter().copied().filter(|one| cases(*one).next().is_some() || searched(*one)) {
        let look = async || survey(&target, service, &settings.prefix, settings.repository.as_deref()).await;
        let mut survey = keep(&mut left, look().await, settings)?;
        if survey.inconclusive {
            tokio::time::sleep(PAUSE).await;
            survey = keep(&mut left, look().await, settings)?;
        }
        if !searched(service) && !work.whole_survey {
            survey.narrow(cases(service));
        }
        sink(Event::Surveyed(Box::new(survey.clone())));
        surveys.push(survey);
    }
    let deadline = match work.search.map(|search| search.extent) {
        Some(Extent::Time(time)) => Some(Instant::now() + time),
        _ => None,
    };
    let shared = Arc::new(Shared {
        target,
        cases: work.cases,
        search: work.search,
        drawn,
        deadline,
        novelty: Mutex::default(),
        causes: Mutex::default(),
        failed: Mutex::default(),
        surveys,
        settings: settings.clone(),
        next: AtomicUsize::new(0),
        in_a_row: AtomicUsize::new(0),
        in_all: AtomicUsize::new(0),
        first_silent: Mutex::new(None),
        gave_up: AtomicBool::new(false),
        left: Mutex::new(left.into_iter().collect()),
        stop: stop.clone(),
    });
    let failed = judge_all(&shared, &mut sink).await?;
    make_small(&shared, failed, &mut sink).await?;
    if shared.search.is_some() {
        sink(Event::Searched(locked(&shared.novelty).tally()));
    }
    let interrupted = *stop.borrow();
    let left = std::mem::take(&mut *locked(&shared.left));
    sink(Event::Finished(Finished { seconds: clock.elapsed().as_secs_f64(), interrupted, left }));
    Ok(())
}

/// Judges all cases, and gives those of chance that failed and whose causes are not told yet: what such a case comes to
/// is a matter of itself alone, but which of them are made small, is known when all were judged.
async fn judge_all(shared: &Arc<Shared>, sink: &mut impl FnMut(Event)) -> Result<Vec<Failed>, RunError> {
    let (sender, mut receiver) = mpsc::channel(64);
    let workers = 0..shared.settings.jobs.max(1);
    let workers: Vec<_> =
        workers.map(|number| tokio::spawn(Worker::new(number, shared.clone()).work(sender.clone()))).collect();
    drop(sender);
    let mut failed = Vec::new();
    let mut causes: HashSet<String> = HashSet::new();
    let mut told = Instant::now();
    loop {
        // How far a search has come is told now and then: it may be killed.
        match tokio::time::timeout(TELL, receiver.recv()).await {
            Ok(Some(Outcome::Judged(judged))) => {
                causes.extend(judged.verdict.findings().iter().map(|finding| finding.cause()));
                sink(Event::Judged(judged));
            }
            Ok(Some(Outcome::Failed(one))) => failed.push(one),
            Ok(None) => break,
            Err(_) => {}
        }
        if shared.deadline.is_some() && told.elapsed() >= TELL {
            told = Instant::now();
            sink(Event::Searched(locked(&shared.novelty).tally()));
        }
    }
    finished(workers).await?;
    // In the order of the cases, whichever was judged first.
    failed.sort_by_key(|one| one.judged.index);
    for one in &mut failed {
        one.named.retain(|named| causes.insert(named.finding.cause()));
    }
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
    while let Some(judged) = receiver.recv().await {
        sink(Event::Judged(judged));
    }
    finished(workers).await
}

async fn finished(workers: Vec<tokio::task::JoinHandle<()>>) -> Result<(), RunError> {
    for worker in workers {
        worker.await.map_err(|error| RunError::Harness(format!("a worker ended early: {error}")))?;
    }
    Ok(())
}

/// What a worker has to tell.
enum Outcome {
    /// A case was judged.
    Judged(Box<Judged>),
    /// A random case failed, and may be made small.
    Failed(Failed),
}

/// A random case that failed.
struct Failed {
    case: Case,
    judged: Judged,
    /// Its findings, as far as they are to be made small.
    named: Vec<Named>,
}

/// The survey, with what it left behind beside what others left.
fn keep(
    left: &mut BTreeSet<String>,
    surveyed: Result<(Survey, Transcript), Unreachable>,
    settings: &Settings,
) -> Result<Survey, RunError> {
    match surveyed {
        Ok((survey, transcript)) => {
            left.extend(transcript.left);
            Ok(survey)
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

/// How often is told how far a search has come.
const TELL: Duration = Duration::from_secs(1);

/// The random sequences of a search that has a number of them, as service and number.
fn drawn(settings: &Settings, search: Option<Search>) -> Vec<(Service, u64)> {
    let Some(Search { seed, extent: Extent::Cases(count) }) = search else { return Vec::new() };
    let of = |service: &Service| (0..count).map(|number| (*service, number)).collect::<Vec<_>>();
    let all = settings.services.iter().flat_map(of);
    all.filter(|(_, number)| is_chosen(settings, &format!("{RANDOM}{seed}/{number}"))).collect()
}

/// Whether all cases and the usual random sequences are tried, of which a partition may be a part.
fn is_whole(settings: &Settings, work: &Work) -> bool {
    let usual = |search: Search| search.seed == SEED && matches!(search.extent, Extent::Cases(RANDOM_CASES..));
    let unfiltered = settings.filter.is_empty() && settings.tier == Tier::Open;
    work.task == Task::Gate && unfiltered && work.search.is_some_and(usual)
}

fn started(settings: &Settings, work: &Work, drawn: usize) -> Started {
    Started {
        schema: SCHEMA,
        ecrspec: String::from(env!("CARGO_PKG_VERSION")),
        at: jiff::Timestamp::now(),
        task: work.task,
        target: settings.target.clone(),
        flags: settings.flags.clone(),
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
        repositories: settings.repository.clone().unwrap_or_else(|| format!("{}/…", settings.prefix)),
    }
}

/// What the workers of a run share.
struct Shared {
    target: Arc<Target>,
    cases: Vec<Case>,
    search: Option<Search>,
    /// The random sequences of a search that has a number of them.
    drawn: Vec<(Service, u64)>,
    /// When a search that has none ends.
    deadline: Option<Instant>,
    novelty: Mutex<Novelty>,
    /// Causes that were found so far, in a search that goes on as long as there is time: each is told once.
    causes: Mutex<HashSet<String>>,
    /// Random cases that failed and are to be made small.
    failed: Mutex<VecDeque<Failed>>,
    surveys: Vec<Survey>,
    settings: Settings,
    next: AtomicUsize,
    /// Cases that the target left unanswered, one after the other and in all.
    in_a_row: AtomicUsize,
    in_all: AtomicUsize,
    /// When the first of the requests was sent that are unanswered at the moment.
    first_silent: Mutex<Option<Instant>>,
    /// Whether the rest is not worth waiting for.
    gave_up: AtomicBool,
    /// Repositories that could not be removed.
    left: Mutex<Vec<String>>,
    stop: watch::Receiver<bool>,
}

/// A panic while a lock was held would be a defect of ours; what is shared is plain data and stays usable.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn keep_left(&self, names: impl Iterator<Item = String>) {
        locked(&self.left).extend(names);
    }

    fn survey(&self, service: Service) -> Option<&Survey> {
        self.surveys.iter().find(|survey| survey.service == service)
    }

    /// The case with this number: those of the suite come first, then what is searched. `None` when all is done.
    fn case(&self, number: usize) -> Option<Case> {
        if let Some(case) = self.cases.get(number) {
            return Some(self.fitted(case.clone()));
        }
        let number = number - self.cases.len();
        let search = self.search?;
        let case = match (search.extent, self.drawn.get(number)) {
            (Extent::Cases(_), drawn) => drawn.map(|(service, number)| search::nth(*service, search.seed, *number))?,
            (Extent::Time(_), _) => self.steered(search, number)?,
        };
        Some(self.fitted(case))
    }

    /// The next case of a search that has as many as there is time for.
    fn steered(&self, search: Search, number: usize) -> Option<Case> {
        let over = self.deadline.is_none_or(|deadline| Instant::now() >= deadline);
        let hopeful: Vec<Service> =
            self.surveys.iter().filter(|survey| survey.hopeless.is_none()).map(|survey| survey.service).collect();
        if over || hopeful.is_empty() || self.gave_up.load(Ordering::Relaxed) {
            return None;
        }
        let service = hopeful[number % hopeful.len()];
        // The parts of a search draw from different places of one seed.
        let own = (number / hopeful.len()) as u64;
        let part = self.settings.partition.map_or(0, Partition::offset);
        Some(locked(&self.novelty).steered(service, search.seed, part + own))
    }

    /// A random case without what the target does not have.
    fn fitted(&self, case: Case) -> Case {
        match self.survey(case.service) {
            Some(survey) if case.kind.is_random() => {
                let fixed = self.settings.repository.is_some();
                search::fitted(case, |operation| survey.lacks(operation) || (fixed && operation.manages_repositories()))
            }
            _ => case,
        }
    }
}

/// Takes one case after the other.
struct Worker {
    number: usize,
    shared: Arc<Shared>,
    /// The repository for cases that share one, with its service and how many have used it.
    repository: Option<(Service, String, usize)>,
    repositories_made: usize,
    /// When the last request of a case was sent.
    last_sent: Instant,
}

impl Worker {
    fn new(number: usize, shared: Arc<Shared>) -> Worker {
        Worker { number, shared, repository: None, repositories_made: 0, last_sent: Instant::now() }
    }

    async fn work(mut self, sender: mpsc::Sender<Outcome>) {
        let shared = self.shared.clone();
        while !*shared.stop.borrow() {
            let index = shared.next.fetch_add(1, Ordering::Relaxed);
            let Some(case) = shared.case(index) else { break };
            let outcome = match case.kind.is_random() {
                true => self.random(index, case).await,
                false => Some(Outcome::Judged(Box::new(self.judged(index, &case).await))),
            };
            if let Some(outcome) = outcome
                && sender.send(outcome).await.is_err()
            {
                break;
            }
        }
        self.leave().await;
    }

    async fn judged(&mut self, index: usize, case: &Case) -> Judged {
        let shared = self.shared.clone();
        let Some(survey) = shared.survey(case.service) else {
            let reason = NotJudged::NotSurveyed;
            return Judged::of(index, case, Verdict::Skipped { reason }, Vec::new(), None);
        };
        let unsendable = shared.target.cannot_try(case);
        let fixed = shared.settings.repository.is_some();
        // What keeps a case from being tried and is not the target's doing counts for nothing.
        let ours = unsendable.is_some() || (fixed && case.manages_repositories());
        if let Some(reason) = survey.skips(case, fixed).or(unsendable.as_ref().map(NotJudged::from)) {
            let skipped = Judged::of(index, case, Verdict::Skipped { reason }, Vec::new(), None);
            return if ours { Judged { mark: None, ..skipped } } else { skipped };
        }
        if shared.gave_up.load(Ordering::Relaxed) {
            let reason = NotJudged::GaveUp;
            return Judged::of(index, case, Verdict::Inconclusive { reason }, Vec::new(), None);
        }
        let judged = match case.is_race() {
            true => self.in_rounds(index, case, survey).await,
            false => self.judged_calmly(index, case, survey).await,
        };
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
        let sent = self.last_sent;
        {
            let mut first = locked(&self.shared.first_silent);
            *first = Some(first.map_or(sent, |first| first.min(sent)));
        }
        if !drive::is_answering(&self.shared.target, case.service).await {
            // Dead. The first request that it left unanswered may be why; those that were sent later are not.
            self.shared.gave_up.store(true, Ordering::Relaxed);
            if locked(&self.shared.first_silent).is_some_and(|first| first < sent) {
                let reason = NotJudged::Dead;
                return Judged { verdict: Verdict::Inconclusive { reason }, ..first };
            }
            return first;
        }
        *locked(&self.shared.first_silent) = None;
        let second = self.once(index, case, survey, PAUSES + 2).await;
        match &second.verdict {
            Verdict::Pass => {
                let reason = NotJudged::OneSilence;
                Judged { verdict: Verdict::Inconclusive { reason }, ..first }
            }
            Verdict::Fail { .. } => second,
            // It could not even begin again: the first request may well be why.
            Verdict::Inconclusive { .. } | Verdict::Skipped { .. } => first,
        }
    }

    /// Judges a case with calls at once: in several rounds, for what they come to differs from time to time.
    async fn in_rounds(&mut self, index: usize, case: &Case, survey: &Survey) -> Judged {
        let mut rounds = Rounds::of(case, self.strictness(survey));
        let (mut pauses, mut silences, mut attempt, mut is_dead) = (0, 0, 0, false);
        loop {
            attempt += 1;
            let told = self.told(case, survey, attempt).await;
            if is_throttled(&told.verdict) && pauses < PAUSES {
                pauses += 1;
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            if told.transcript.exchanges.iter().any(|exchange| exchange.reply.is_err()) {
                silences += 1;
                is_dead = !drive::is_answering(&self.shared.target, case.service).await;
            }
            rounds.add(told);
            // Twice is certain, and each time may cost the patience of its requests.
            if is_dead || silences == 2 || rounds.count() >= case.rounds || *self.shared.stop.borrow() {
                break;
            }
        }
        if is_dead {
            self.shared.gave_up.store(true, Ordering::Relaxed);
        }
        let shown = rounds.together(is_dead).expect("one round was tried at least");
        let Told { case, transcript, verdict, records } = shown;
        Judged::of(index, &case, verdict, records, Some(&transcript))
    }

    async fn once(&mut self, index: usize, case: &Case, survey: &Survey, attempt: u32) -> Judged {
        let Told { case, transcript, verdict, records } = self.told(case, survey, attempt).await;
        if case.plan.is_some() {
            locked(&self.shared.novelty).learn(&case, &transcript);
        }
        Judged::of(index, &case, verdict, records, Some(&transcript))
    }

    async fn told(&mut self, case: &Case, survey: &Survey, attempt: u32) -> Told {
        let room = self.room(case, survey, attempt).await;
        let began = Instant::now();
        let transcript = drive::case(&self.shared.target, case, &room).await;
        self.last_sent = began + transcript.last_sent;
        self.shared.keep_left(transcript.left.iter().cloned());
        history::told(case, transcript, self.strictness(survey), self.shared.settings.tier)
    }

    fn strictness(&self, survey: &Survey) -> Strictness {
        Strictness { messages: self.shared.settings.strict, availability: survey.availability }
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
    verdict.findings().iter().any(|finding| finding.rule == "always/answered")
}

/// Whether a case waited for an answer in vain, or could not even begin.
fn was_unanswered(judged: &Judged) -> bool {
    let waited = |logged: &Logged| matches!(logged.trouble, Some(Trouble::Silent | Trouble::Unreachable(_)));
    let stopped = judged.exchanges.is_empty() && matches!(judged.verdict, Verdict::Inconclusive { .. });
    stopped || judged.exchanges.iter().any(waited)
}

fn is_throttled(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Inconclusive { reason } if reason.is_throttled())
}
