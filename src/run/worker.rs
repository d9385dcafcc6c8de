//! A worker takes one case after the other, judges it, and tells of it.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};

use super::health::{Answers, Attempted, Attempts, Ending, Health, Next, Repeats, was_unanswered};
use super::late::{self, Lateness};
use super::outcome::{Failed, Outcome};
use super::recorder::Recorder;
use super::select::{Selection, locked};
use super::slow::{self, Pace, TIMES};
use super::workspace::Leases;
use super::{PAUSE, Settings};
use crate::case::{Case, Place, Transcript};
use crate::contract::Service;
use crate::drive::{self, Target};
use crate::events::{Judged, Stop};
use crate::judge::{Finding, NotJudged, Verdict};
use crate::linearize::{Round, Rounds};
use crate::search::{Novelty, fitted};
use crate::session::{Attempt, Session};
use crate::survey::Skip;
use crate::wire::Exchange;

/// What the workers of a run share.
pub(super) struct Shared {
    pub target: Arc<Target>,
    pub sessions: Vec<Session>,
    pub selection: Selection,
    pub settings: Settings,
    /// When the run began.
    pub began: Instant,
    pub novelty: Mutex<Novelty>,
    /// Causes that were found so far, in a search that goes on as long as there is time: each is told once.
    pub causes: Mutex<HashSet<String>>,
    /// Random cases that failed and are to be shrunk.
    pub failed: Mutex<VecDeque<Failed>>,
    pub next: AtomicUsize,
    pub health: Mutex<Health>,
    /// Cases that were put off, with their numbers: the target, or an operation that they call, had stopped responding.
    pub put_off: Mutex<VecDeque<(usize, Case)>>,
    /// Whether the target was asked again since then: what is put off now is tried, and nothing else is put off.
    pub asked_again: AtomicBool,
    /// What was spent on making failures small.
    pub shrinking: Mutex<Duration>,
    /// How long requests take.
    pub pace: Mutex<Pace>,
    /// What was asked for again in vain.
    pub lateness: Mutex<Lateness>,
    /// What keeps exchanges in which nothing was found, if they are to be kept.
    pub recorder: Mutex<Option<Recorder>>,
    /// Repositories that could not be removed.
    pub left: Mutex<Vec<String>>,
    pub stop: watch::Receiver<Option<Stop>>,
}

impl Shared {
    pub fn session(&self, service: Service) -> Option<&Session> {
        self.sessions.iter().find(|session| session.service() == service)
    }

    pub fn is_stopped(&self) -> bool {
        self.stop.borrow().is_some()
    }

    /// Whether a search goes on as long as there is time.
    pub fn searches(&self) -> bool {
        self.selection.deadline.is_some()
    }

    /// The event of a case that was tried.
    fn told(&self, index: usize, round: Round<'_>) -> Judged {
        let Round { case, transcript, verdict, records } = round;
        let took = transcript.exchanges.last().map_or(Duration::ZERO, Exchange::ended);
        let mut judged = Judged::of(index, &case, verdict, records, Some(&transcript));
        judged.began = self.began.elapsed().saturating_sub(took).as_millis() as u64;
        if let Some(recorder) = &mut *locked(&self.recorder) {
            recorder.record(&mut judged, &case, &transcript);
        }
        judged
    }

    /// The case with this number; `None` when all is done.
    fn case(&self, number: usize) -> Option<Case> {
        let gave_up = locked(&self.health).gave_up();
        let hopeful = self.sessions.iter().filter(|session| session.survey().untestable.is_none() && !gave_up);
        let searched: Vec<Service> = hopeful.map(Session::service).collect();
        let case = self.selection.case(number, &searched, &self.novelty)?;
        let case = match self.session(case.service) {
            Some(session) => session.fitted(case),
            None => case,
        };
        let service = case.service;
        Some(match self.searches() && case.kind.is_random() {
            true => {
                fitted(case, |operation| locked(&self.health).gave_up_on(service, [operation].into_iter()).is_some())
            }
            false => case,
        })
    }

    /// The next case with its number; `None` when all is done, but for what is put off.
    fn next(&self) -> Option<(usize, Case)> {
        if self.asked_again.load(Ordering::Relaxed) {
            return locked(&self.put_off).pop_front();
        }
        loop {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            let case = self.case(index)?;
            // A search that goes on as long as there is time has others.
            if self.searches() || self.hopeless(&case).is_none() {
                return Some((index, case));
            }
            locked(&self.put_off).push_back((index, case));
        }
    }

    /// Why a case is not worth trying, if it is not.
    fn hopeless(&self, case: &Case) -> Option<NotJudged> {
        let health = locked(&self.health);
        if health.gave_up() {
            return Some(NotJudged::GaveUp);
        }
        let operation = health.gave_up_on(case.service, case.steps.iter().filter_map(|step| step.operation))?;
        Some(NotJudged::GaveUpOn { operation })
    }

    /// Asks the target again, and the operations that had stopped responding, after a pause.
    pub async fn ask_again(&self) {
        tokio::time::sleep(PAUSE).await;
        let (given_up, gave_up) = {
            let health = locked(&self.health);
            (health.given_up(), health.gave_up())
        };
        let mut answers = !gave_up;
        for session in self.sessions.iter().filter(|_| gave_up) {
            answers = answers || self.is_answering(session.service()).await;
        }
        let mut silent = Vec::new();
        for whom in given_up {
            if !answers || !self.does_answer(whom).await {
                silent.push(whom);
            }
        }
        locked(&self.health).asked_again(answers, silent.into_iter());
        self.asked_again.store(true, Ordering::Relaxed);
    }

    async fn does_answer(&self, (service, operation): Answers) -> bool {
        let Some(session) = self.session(service) else { return false };
        let (answers, left) = session.answers(operation).await;
        locked(&self.left).extend(left);
        answers
    }

    /// Learns from a round which operations answer, and gives up on those that do not.
    async fn learn(&self, case: &Case, transcript: &Transcript) {
        for (step, exchange) in case.steps.iter().zip(&transcript.exchanges) {
            let Some(operation) = step.operation else { continue };
            let whom = (case.service, operation);
            let ask = locked(&self.health).called(whom, drive::is_answer(exchange));
            if ask && !self.does_answer(whom).await {
                locked(&self.health).give_up_on(whom);
            }
        }
    }

    async fn is_answering(&self, service: Service) -> bool {
        drive::is_answering(&self.target, service).await
    }
}

/// Takes one case after the other.
pub(super) struct Worker {
    pub shared: Arc<Shared>,
    number: usize,
    leases: Leases,
    /// When the last request of a case was sent, from the beginning of the run.
    last_sent: Duration,
}

impl Worker {
    pub fn new(number: usize, shared: Arc<Shared>) -> Worker {
        let leases = Leases::new(shared.settings.prefix.clone(), number);
        Worker { shared, number, leases, last_sent: Duration::ZERO }
    }

    /// Works until all is done, or until it is told to stop.
    pub async fn work(mut self, sender: mpsc::Sender<Outcome>) {
        let shared = self.shared.clone();
        while !shared.is_stopped() {
            let Some((index, case)) = shared.next() else { break };
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

    /// Judges a case, if it can be tried and the target still answers.
    pub async fn judged(&mut self, index: usize, case: &Case) -> Judged {
        let shared = self.shared.clone();
        let Some(session) = shared.session(case.service) else {
            let reason = NotJudged::NotSurveyed;
            return Judged::of(index, case, Verdict::Skipped { reason }, Vec::new(), None);
        };
        if let Some(Skip { reason, counts }) = session.skips(case) {
            let skipped = Judged::of(index, case, Verdict::Skipped { reason }, Vec::new(), None);
            return Judged { mark: skipped.mark.filter(|_| counts), ..skipped };
        }
        if let Some(reason) = shared.hopeless(case) {
            return Judged::of(index, case, Verdict::Inconclusive { reason }, Vec::new(), None);
        }
        let judged = match case.is_race() {
            true => self.in_rounds(index, case, session).await,
            false => self.calmly(index, case, session).await,
        };
        let ask = locked(&shared.health).case_ended(was_unanswered(&judged));
        if ask && !shared.is_answering(case.service).await {
            locked(&shared.health).dead();
        }
        judged
    }

    /// Judges a case: once more if the target was silent.
    async fn calmly(&mut self, index: usize, case: &Case, session: &Session) -> Judged {
        let shared = self.shared.clone();
        let mut attempts = Attempts::default();
        let mut unanswered = None;
        for number in 1.. {
            let judged = self.timed(index, case, session, number).await;
            match attempts.after(Attempted::of(&judged.verdict)) {
                Next::Again => {}
                Next::Ask => {
                    let sent = self.last_sent;
                    locked(&shared.health).unanswered(sent);
                    let answers = shared.is_answering(case.service).await;
                    if let Next::End(_) = attempts.heard(answers) {
                        let killed = locked(&shared.health).is_dead_of(sent);
                        return if killed { judged } else { inconclusive(judged, NotJudged::Dead) };
                    }
                    locked(&shared.health).lives();
                    unanswered = Some(judged);
                }
                Next::End(ending) => {
                    return match (ending, unanswered) {
                        (Ending::Unanswered, Some(unanswered)) => unanswered,
                        (Ending::Unstable, Some(unanswered)) => inconclusive(unanswered, NotJudged::OneSilence),
                        _ => judged,
                    };
                }
            }
        }
        unreachable!("the attempts of a case end")
    }

    /// Judges a case with calls at once: in several rounds, for what they come to differs from time to time.
    async fn in_rounds(&mut self, index: usize, case: &Case, session: &Session) -> Judged {
        let shared = self.shared.clone();
        let mut rounds = Rounds::of(case, session.options());
        let mut repeats = Repeats::of(case.rounds);
        let mut is_dead = false;
        for number in 1.. {
            let round = self.round(case, session, number).await;
            let unanswered = round.transcript.exchanges.iter().any(|exchange| exchange.reply.is_err());
            let next = match repeats.after(unanswered) {
                Next::Ask => repeats.heard(shared.is_answering(case.service).await),
                next => next,
            };
            rounds.add(round);
            is_dead = next == Next::End(Ending::Dead);
            if matches!(next, Next::End(_)) || shared.is_stopped() {
                break;
            }
        }
        if is_dead {
            locked(&shared.health).dead();
        }
        shared.told(index, rounds.together(is_dead).expect("one round was tried at least"))
    }

    /// Tries a case once, and again if it was slow: what is slow each time is a finding besides the others.
    async fn timed(&mut self, index: usize, case: &Case, session: &Session, number: u32) -> Judged {
        let shared = self.shared.clone();
        if case.kind.is_random() {
            return self.once(index, case, session, number).await;
        }
        let mut round = self.round(case, session, number).await;
        let slow = locked(&shared.pace).learn(&round.case, &round.transcript);
        let sought = slow.into_iter().find(|slow| locked(&shared.pace).seeks(case.steps[slow.step].operation));
        if let Some(first) = sought {
            let mut times = vec![first.took];
            while times.len() < TIMES {
                let again = self.round(case, session, number + AGAIN * times.len() as u32).await;
                let slow = locked(&shared.pace).learn(&again.case, &again.transcript);
                match slow.iter().find(|slow| slow.step == first.step) {
                    Some(slow) => times.push(slow.took),
                    None => break,
                }
            }
            if times.len() == TIMES {
                locked(&shared.pace).found(case.steps[first.step].operation);
                round.verdict = with_finding(round.verdict, slow::finding(&round.case, &first, &times));
            }
        }
        let candidate = locked(&shared.lateness).candidate(&round.case, &round.verdict);
        if let Some((step, cause)) = candidate {
            let (later, left) = session.lateness(&round.case, step, self.attempt(number + AGAIN)).await;
            locked(&shared.left).extend(left);
            locked(&shared.lateness).asked(cause, later);
            round.verdict = later.map(|later| late::told(round.verdict.clone(), later)).unwrap_or(round.verdict);
        }
        shared.told(index, round)
    }

    /// Tries a case once, and learns from what is answered to a random one.
    pub async fn once(&mut self, index: usize, case: &Case, session: &Session, number: u32) -> Judged {
        let round = self.round(case, session, number).await;
        if round.case.plan.is_some() {
            locked(&self.shared.novelty).learn(&round.case, &round.transcript);
        }
        self.shared.told(index, round)
    }

    /// Tries a case once: again over fresh connections, if a kept one ended under it.
    async fn round<'a>(&mut self, case: &'a Case, session: &Session, number: u32) -> Round<'a> {
        let round = self.round_over_any(case, session, number).await;
        match round.transcript.met_ended_connection() {
            true => self.round_over_any(case, &session.afresh(), number + AFRESH).await,
            false => round,
        }
    }

    async fn round_over_any<'a>(&mut self, case: &'a Case, session: &Session, number: u32) -> Round<'a> {
        let shared = self.shared.clone();
        let mut left = Vec::new();
        let lent = match (&shared.settings.repository, &case.place) {
            (None, Place::Shared) => {
                self.leases.lend(&shared.target, case.service, session.survey().making, &mut left).await
            }
            (Some(_), _) | (None, Place::Own(_)) => None,
        };
        let began = shared.began.elapsed();
        let transcript = session.drive(case, lent.as_deref(), self.attempt(number)).await;
        self.last_sent = began + transcript.last_sent;
        left.extend(transcript.left.iter().cloned());
        locked(&shared.left).extend(left);
        shared.learn(case, &transcript).await;
        session.judge_round(case, transcript)
    }

    fn attempt(&self, number: u32) -> Attempt {
        Attempt { worker: self.number, number }
    }

    /// Removes what the worker still has.
    pub async fn leave(&mut self) {
        let left = self.leases.end(&self.shared.target).await;
        locked(&self.shared.left).extend(left);
    }
}

/// Added to the number of an attempt that is made again over fresh connections: bytes differ from attempt to attempt.
const AFRESH: u32 = 1 << 16;

/// The same for an attempt that is made again to see how long it takes.
const AGAIN: u32 = 1 << 20;

/// A verdict with a finding more.
fn with_finding(verdict: Verdict, finding: Finding) -> Verdict {
    match verdict {
        Verdict::Fail { mut findings } => {
            findings.push(finding);
            Verdict::Fail { findings }
        }
        Verdict::Pass => Verdict::Fail { findings: vec![finding] },
        other => other,
    }
}

fn inconclusive(judged: Judged, reason: NotJudged) -> Judged {
    Judged { verdict: Verdict::Inconclusive { reason }, ..judged }
}
