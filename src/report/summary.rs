//! What the events of a run come to: counts, groups of findings by cause, warnings, and how the process ends.

mod counts;
mod group;
mod known;
mod reason;
mod warnings;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::score::Scores;
use crate::case::{Partition, since};
use crate::contract::{Question, RuleId, Service, Tier};
use crate::events::{Event, Finished, Judged, Searched, Started, Stop, Task};
use crate::judge::known::{Known, Stale};
use crate::judge::{self, Finding, Verdict, words};
use crate::survey::Survey;
use group::Found;

pub use counts::{Counts, Standing};
pub use group::Group;
pub use known::StaleEntry;
pub use reason::Reason;

/// What a run came to.
#[derive(Clone, Debug)]
pub struct Summary {
    /// How it began.
    pub started: Started,
    /// What was found out about each service.
    pub surveys: Vec<Survey>,
    /// The cases in the order of the suite.
    pub cases: Vec<Judged>,
    /// How far the search came; `None` if there was none.
    pub searched: Option<Searched>,
    /// How it ended; `None` if it did not come to its end, or the log of it was cut off.
    pub finished: Option<Finished>,
    /// Findings by cause, worst first.
    pub groups: Vec<Group>,
    /// Findings that are known, by cause.
    pub known: Vec<Group>,
    /// Findings of grades that do not gate, by cause.
    pub tolerated: Vec<Group>,
    /// Findings of cases that are newer than the suite that gates, by cause.
    pub waiting: Vec<Group>,
    /// Whether all parts of the run must be here.
    pub all_parts: bool,
    /// Entries of known deviations that are wrong by now.
    pub known_trouble: Vec<(Known, Stale)>,
}

/// How to sum up.
#[derive(Clone, Debug)]
pub struct Measure {
    /// Known deviations.
    pub known: Vec<Known>,
    /// The day, for entries that expire.
    pub today: Date,
    /// Whether warnings fail the run.
    pub deny_warnings: bool,
    /// Whether all parts of a run must be here: one job of several has its part, who puts them together wants them all.
    pub all_parts: bool,
}

/// Events that do not begin with a start, as a log of a run does.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the log has no beginning")]
pub struct NoStart;

impl Summary {
    /// Sums up events. Reports need the whole suite in order, whatever the order of the log.
    ///
    /// # Errors
    ///
    /// Where the events do not begin with a start.
    pub fn of(events: &[Event], measure: &Measure) -> Result<Summary, NoStart> {
        let Some(Event::Started(started)) = events.first() else {
            return Err(NoStart);
        };
        let mut cases: Vec<Judged> = events
            .iter()
            .filter_map(|event| match event {
                Event::Judged(judged) => Some((**judged).clone()),
                _ => None,
            })
            .collect();
        cases.sort_by_key(|judged| judged.index);
        let surveys: Vec<Survey> = events
            .iter()
            .filter_map(|event| match event {
                Event::Surveyed(survey) => Some((**survey).clone()),
                _ => None,
            })
            .collect();
        let searched = events.iter().rev().find_map(|event| match event {
            Event::Searched(searched) => Some(*searched),
            _ => None,
        });
        let finished = events.iter().find_map(|event| match event {
            Event::Finished(finished) => Some(finished.clone()),
            _ => None,
        });
        let mut summary = Summary {
            started: (**started).clone(),
            surveys,
            cases,
            searched,
            finished,
            groups: Vec::new(),
            known: Vec::new(),
            tolerated: Vec::new(),
            waiting: Vec::new(),
            known_trouble: Vec::new(),
            all_parts: measure.all_parts,
        };
        summary.group(measure);
        summary.check_known(measure);
        Ok(summary)
    }

    fn group(&mut self, measure: &Measure) {
        let mut gating: BTreeMap<String, Vec<Found>> = BTreeMap::new();
        let mut known: BTreeMap<String, Vec<Found>> = BTreeMap::new();
        let mut tolerated: BTreeMap<String, Vec<Found>> = BTreeMap::new();
        let mut waiting: BTreeMap<String, Vec<Found>> = BTreeMap::new();
        let surveyed = self.surveys.iter().flat_map(|survey| {
            survey.findings.iter().map(|finding| Found { service: survey.service, finding, cases: None })
        });
        let judged = self.cases.iter().flat_map(|judged| {
            judged.verdict.findings().iter().map(|finding| {
                let (smallest, finding) = judged.smallest(finding);
                Found { service: judged.service, finding, cases: Some((judged, smallest)) }
            })
        });
        for found in surveyed.chain(judged) {
            let accepts =
                |entry: &Known| entry.matches(found.service, found.finding) && !entry.is_expired(measure.today);
            let groups = if measure.known.iter().any(accepts) {
                &mut known
            } else if self.waits(&found) {
                &mut waiting
            } else if self.started.fail_on.contains(&found.finding.grade) {
                &mut gating
            } else {
                &mut tolerated
            };
            groups.entry(found.finding.cause()).or_default().push(found);
        }
        let sorted = |groups: BTreeMap<String, Vec<Found>>| {
            let mut groups: Vec<Group> = groups.into_values().filter_map(|found| Group::of(&found)).collect();
            groups.sort_by_key(|group| (group.finding.grade, std::cmp::Reverse(group.cases.len())));
            groups
        };
        (self.groups, self.known) = (sorted(gating), sorted(known));
        (self.tolerated, self.waiting) = (sorted(tolerated), sorted(waiting));
    }

    /// Whether a finding waits: its case, or the rule that it breaks, is newer than the suite that gates.
    fn waits(&self, found: &Found) -> bool {
        let rules = [found.finding.rule, found.finding.about].map(|rule| rule.to_string());
        let case = found.cases.map(|(judged, _)| judged.case.as_str());
        rules.iter().map(String::as_str).chain(case).any(|id| self.is_newer(id))
    }

    /// Whether a case or a rule is newer than the suite that gates.
    fn is_newer(&self, id: &str) -> bool {
        self.started.suite.is_some_and(|suite| since(id) > suite)
    }

    /// What is said of cases that are newer than the suite that gates, if one is pinned.
    pub fn newer(&self) -> Option<String> {
        let suite = self.started.suite?;
        let is_newer = |judged: &&Judged| {
            self.is_newer(&judged.case) || judged.rules.iter().any(|rule| self.is_newer(&rule.to_string()))
        };
        let newer = self.cases.iter().filter(is_newer).count();
        let failing: BTreeSet<&(Service, String)> = self.waiting.iter().flat_map(|group| &group.cases).collect();
        Some(match newer {
            0 => format!("no case is newer than suite {suite}"),
            _ => format!(
                "{newer} of {} cases are newer than suite {suite} and do not count yet; {} of them would fail",
                self.cases.len(),
                failing.len()
            ),
        })
    }

    /// Whether everything was tried: see [`Started::whole`].
    pub fn is_whole(&self) -> bool {
        let all_parts = Partition::missing(&self.started.parts).is_empty();
        let to_the_end = self.finished.as_ref().is_some_and(|finished| finished.stopped.is_none());
        self.started.whole && self.started.task == Task::Gate && all_parts && to_the_end
    }

    /// All findings, each with the service.
    fn found(&self) -> impl Iterator<Item = (Service, &Finding)> {
        let surveyed = self.surveys.iter().flat_map(|survey| survey.findings.iter().map(|one| (survey.service, one)));
        let judged = self.cases.iter().flat_map(|case| case.verdict.findings().iter().map(|one| (case.service, one)));
        surveyed.chain(judged)
    }

    /// Rules that are judged in no answer, since the client that sent the requests does not show whether they are kept.
    pub fn unseen_rules(&self) -> Vec<RuleId> {
        judge::unseen(self.started.driver.shows)
    }

    /// Number of cases by verdict, of all or of those that a predicate chooses.
    pub fn counts(&self, choose: impl Fn(&Judged) -> bool) -> Counts {
        let mut counts = Counts::default();
        for judged in self.cases.iter().filter(|judged| choose(judged)) {
            counts.add(self.standing(judged));
        }
        counts
    }

    /// What a case came to.
    pub fn standing(&self, judged: &Judged) -> Standing {
        match &judged.verdict {
            Verdict::Pass => Standing::Passed,
            Verdict::Fail { .. } if self.is_in_a_group(judged) => Standing::Failed,
            Verdict::Fail { .. } => Standing::Tolerated,
            Verdict::Inconclusive { .. } => Standing::Inconclusive,
            Verdict::Skipped { .. } => Standing::Skipped,
        }
    }

    /// Number of random sequences that were judged and have no event of their own.
    fn unlogged(&self) -> usize {
        self.searched.map_or(0, |searched| searched.unlogged + searched.repeated)
    }

    /// What is missing of what was planned, if something is.
    pub fn unfinished(&self) -> Option<String> {
        let (events, planned) = (self.cases.len(), self.started.cases);
        let far = match self.started.task {
            Task::Search => String::new(),
            Task::Gate | Task::Replay => format!(" after {events} of {planned} cases"),
        };
        let missing = Partition::missing(&self.started.parts);
        match missing.first().filter(|_| self.all_parts) {
            _ if self.finished.is_none() => Some(format!("the log was cut off{far}")),
            _ if self.stopped() == Some(Stop::Unreachable) => {
                Some(String::from("there was no connection to the target"))
            }
            _ if self.stopped() == Some(Stop::Deadline) => Some(format!("the deadline passed{far}")),
            Some(first) if missing.len() == 1 => Some(format!("the part {first} is missing")),
            Some(first) => Some(format!("{} parts are missing, the first is {first}", missing.len())),
            None if events < planned => Some(format!("the log ends{far}")),
            None => None,
        }
    }

    /// Why it ended before all was tried.
    fn stopped(&self) -> Option<Stop> {
        self.finished.as_ref().and_then(|finished| finished.stopped)
    }

    /// Number of cases that were judged, and of those that are as allowed.
    pub fn judged(&self) -> (usize, usize) {
        let counts = self.counts(|_| true);
        let judged = counts.passed + counts.failed + counts.tolerated + self.unlogged();
        (judged, counts.passed + self.searched.map_or(0, |searched| searched.unlogged))
    }

    /// The scores; `None` if no case counts.
    pub fn scores(&self) -> Option<Scores> {
        Scores::of(&self.cases, &self.surveys)
    }

    fn is_in_a_group(&self, judged: &Judged) -> bool {
        self.groups.iter().any(|group| group.cases.contains(&(judged.service, judged.case.clone())))
    }

    /// Why the process ends as it does; the first decides the exit code. Empty for exit code 0.
    pub fn reasons(&self, deny_warnings: bool) -> Vec<Reason> {
        let counts = self.counts(|_| true);
        let judged = counts.passed + counts.failed + counts.tolerated + self.unlogged();
        let unsurveyed = self.surveys.iter().any(|survey| survey.inconclusive);
        let untestable = !self.surveys.is_empty() && self.surveys.iter().all(|survey| survey.untestable.is_some());
        let nothing = judged + counts.inconclusive == 0;
        let interrupted = self.stopped() == Some(Stop::Interrupted);
        let reasons = [
            (interrupted, Reason::Interrupted),
            (self.stopped() == Some(Stop::Unreachable) || nothing && untestable && !unsurveyed, Reason::SetUp),
            (!self.groups.is_empty(), Reason::Findings),
            (deny_warnings && !self.warnings().is_empty(), Reason::Warnings),
            (!self.known_trouble.is_empty(), Reason::KnownTrouble),
            (!interrupted && self.unfinished().is_some(), Reason::Unfinished),
            (counts.inconclusive > 0 || unsurveyed, Reason::Inconclusive),
            (nothing && !untestable, Reason::NothingRun),
        ];
        reasons.into_iter().filter(|(applies, _)| *applies).map(|(_, reason)| reason).collect()
    }

    /// What was answered to open questions, by service and rule.
    pub fn records(&self) -> BTreeMap<(Service, Question), BTreeMap<String, usize>> {
        let mut records: BTreeMap<_, BTreeMap<String, usize>> = BTreeMap::new();
        for judged in self.cases.iter().filter(|judged| judged.tier == Tier::Open || !judged.records.is_empty()) {
            for record in &judged.records {
                *records
                    .entry((judged.service, record.rule))
                    .or_default()
                    .entry(words::got(&record.got))
                    .or_default() += 1;
            }
        }
        records
    }
}
