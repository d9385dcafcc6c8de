//! What the events of a run come to: counts, groups of findings by cause, warnings, and how the process ends.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use sha2::{Digest as _, Sha256};

use super::score::Scores;
use crate::case::bindings::hex;
use crate::case::{Partition, since};
use crate::contract::{ErrorType, Operation, Question, RuleId, Rules, Service, Tier};
use crate::events::{Event, Finished, Judged, Mark, Searched, Started, Stop, Task};
use crate::judge::known::{Known, Stale};
use crate::judge::{self, Finding, Got, Grade, NotJudged, Verdict, words};
use crate::survey::Survey;

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

/// Findings with one cause.
#[derive(Clone, Debug)]
pub struct Group {
    /// In which services.
    pub services: Vec<Service>,
    /// The finding that stands for all: of the strongest tier, of the operation with most cases, of the smallest case.
    pub finding: Finding,
    /// What shows it with the fewest calls; `None` if the survey found it.
    pub smallest: Option<Judged>,
    /// Ids of the rules that entries of known deviations name to accept it.
    pub rules: Vec<RuleId>,
    /// Ids of the rules that the steps are about.
    pub about: Vec<RuleId>,
    /// All operations.
    pub operations: Vec<Option<Operation>>,
    /// All cases.
    pub cases: Vec<(Service, String)>,
    /// What entries of known deviations accept it by: each service and rule, and whether it is found in some runs only.
    pub accepted_by: BTreeMap<(Service, RuleId), bool>,
}

/// An entry of known deviations that is wrong by now.
#[derive(Clone, Debug, PartialEq)]
pub struct StaleEntry {
    /// What is wrong.
    pub stale: Stale,
    /// Its rule or wildcard, as it is written.
    pub text: String,
    /// The rules of which that is so.
    pub rules: Vec<RuleId>,
    /// How many rules the text stands for.
    pub of: usize,
    /// What it accepts.
    pub got: Got,
    /// Why.
    pub reason: String,
}

impl StaleEntry {
    /// The rules of a wildcard of which that is so, where it is not so of all.
    pub fn only(&self) -> Option<String> {
        let some = self.rules.len() < self.of;
        some.then(|| self.rules.iter().map(RuleId::to_string).collect::<Vec<_>>().join(", "))
    }
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

/// Number of cases by verdict.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Every answer was allowed.
    pub passed: usize,
    /// Some finding counts.
    pub failed: usize,
    /// All findings are known, or of a grade that does not gate.
    pub tolerated: usize,
    /// Could not be judged.
    pub inconclusive: usize,
    /// Not run.
    pub skipped: usize,
}

impl Counts {
    /// Counts a case.
    pub fn add(&mut self, standing: Standing) {
        *match standing {
            Standing::Passed => &mut self.passed,
            Standing::Failed => &mut self.failed,
            Standing::Tolerated => &mut self.tolerated,
            Standing::Inconclusive => &mut self.inconclusive,
            Standing::Skipped => &mut self.skipped,
        } += 1;
    }
}

/// What a case came to: its verdict, in the light of what is known and of what gates.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Standing {
    /// Some finding counts.
    Failed,
    /// All findings are known, or of a grade that does not gate.
    Tolerated,
    /// Could not be judged.
    Inconclusive,
    /// Not run.
    Skipped,
    /// Every answer was allowed.
    Passed,
}

impl Standing {
    /// Its name for programs.
    pub fn name(self) -> &'static str {
        match self {
            Standing::Failed => "fail",
            Standing::Tolerated => "tolerated",
            Standing::Inconclusive => "inconclusive",
            Standing::Skipped => "skipped",
            Standing::Passed => "pass",
        }
    }
}

/// Why a process ends with its exit code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reason {
    /// Exit code 130.
    Interrupted,
    /// Exit code 7.
    Harness,
    /// Exit code 2.
    Usage,
    /// Exit code 3.
    SetUp,
    /// Exit code 1.
    Findings,
    /// Exit code 1, under `--deny-warnings`.
    Warnings,
    /// Exit code 5.
    KnownTrouble,
    /// Exit code 6: not everything that was planned was tried.
    Unfinished,
    /// Exit code 6.
    Inconclusive,
    /// Exit code 4.
    NothingRun,
}

impl Reason {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Reason::Interrupted => 130,
            Reason::Harness => 7,
            Reason::Usage => 2,
            Reason::SetUp => 3,
            Reason::Findings | Reason::Warnings => 1,
            Reason::KnownTrouble => 5,
            Reason::Unfinished | Reason::Inconclusive => 6,
            Reason::NothingRun => 4,
        }
    }

    /// Its name for programs.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Interrupted => "interrupted",
            Reason::Harness => "harness",
            Reason::Usage => "usage",
            Reason::SetUp => "set-up",
            Reason::Findings => "findings",
            Reason::Warnings => "warnings",
            Reason::KnownTrouble => "known-trouble",
            Reason::Unfinished => "unfinished",
            Reason::Inconclusive => "inconclusive",
            Reason::NothingRun => "nothing-run",
        }
    }
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

    /// Which entries are wrong by now. Only a run of everything can tell: what is left out may have the case that an entry
    /// is about. That an entry has expired is said as well where its finding counts again.
    fn check_known(&mut self, measure: &Measure) {
        let whole = self.is_whole();
        for entry in &measure.known {
            let of_rule = self.found().filter(|(service, finding)| entry.is_about(*service, finding));
            let of_rule: Vec<(Service, &Finding)> = of_rule.collect();
            let expired = entry.is_expired(measure.today);
            // The entries of a rule count together: which of two answers comes may depend on what came before.
            let accepts = |other: &Known, found: &(Service, &Finding)| other.matches(found.0, found.1);
            let is_accepted = |found: &(Service, &Finding)| measure.known.iter().any(|other| accepts(other, found));
            let stale = match () {
                () if expired && (whole || of_rule.iter().any(|found| accepts(entry, found))) => Some(Stale::Expired),
                () if expired || !whole || of_rule.iter().any(is_accepted) => None,
                () if !of_rule.is_empty() => Some(Stale::Changed),
                () if entry.sometimes => None,
                () if self.is_out_of_reach(entry) => Some(Stale::Unmatched),
                () => self.is_kept(entry).then_some(Stale::UnexpectedPass),
            };
            self.known_trouble.extend(stale.map(|stale| (entry.clone(), stale)));
        }
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

    /// Whether the cases of the rule of an entry were judged, as many as could be, and there are some.
    fn is_kept(&self, entry: &Known) -> bool {
        // Rules that every answer is judged by are in the list of no case: then any case may break them.
        let everywhere = entry.rule.is_everywhere();
        if self.unseen_rules().contains(&entry.rule) {
            return false;
        }
        let of_rule = |judged: &&Judged| everywhere || judged.rules.contains(&entry.rule);
        let mut cases = self.cases.iter().filter(|judged| entry.is_for(judged.service)).filter(of_rule).peekable();
        let surveyed = self.surveys.iter().filter(|survey| entry.is_for(survey.service));
        cases.peek().is_some()
            && !cases.any(|judged| matches!(judged.verdict, Verdict::Inconclusive { .. }))
            && !surveyed.into_iter().any(|survey| survey.untestable.is_some())
    }

    /// Whether no case of the rule of an entry could be run, since the target does not serve an operation.
    fn is_out_of_reach(&self, entry: &Known) -> bool {
        let of_rule = |judged: &&Judged| entry.is_for(judged.service) && judged.rules.contains(&entry.rule);
        let mut cases = self.cases.iter().filter(of_rule).peekable();
        cases.peek().is_some() && cases.all(|judged| needs_what_is_not_served(&judged.verdict))
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

    /// Entries of known deviations that are wrong by now, each once with what is wrong: the rules of a wildcard together
    /// where they are alike.
    pub fn stale_entries(&self) -> Vec<StaleEntry> {
        let mut entries: Vec<StaleEntry> = Vec::new();
        for (known, stale) in &self.known_trouble {
            let text = known.wildcard.clone().unwrap_or_else(|| known.rule.to_string());
            let alike = |entry: &&mut StaleEntry| {
                (entry.stale, &entry.text, &entry.got, &entry.reason) == (*stale, &text, &known.got, &known.reason)
            };
            match entries.iter_mut().find(alike) {
                Some(entry) => entry.rules.push(known.rule),
                None => entries.push(StaleEntry {
                    stale: *stale,
                    text,
                    rules: vec![known.rule],
                    of: 0,
                    got: known.got.clone(),
                    reason: known.reason.clone(),
                }),
            }
        }
        for entry in &mut entries {
            let alike = |known: &&Known| {
                let text = known.wildcard.clone().unwrap_or_else(|| known.rule.to_string());
                (text, &known.got, &known.reason) == (entry.text.clone(), &entry.got, &entry.reason)
            };
            entry.of = self.started.known.iter().filter(alike).count();
        }
        entries
    }

    /// Signs that the run tested little: they come before the findings.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let unexplained = self.started.known.iter().filter(|entry| !entry.has_reason()).count();
        if unexplained > 0 {
            let rules = if unexplained == 1 { "rule" } else { "rules" };
            warnings.push(format!("known deviations of {unexplained} {rules} have no reason yet"));
        }
        let left = self.finished.iter().flat_map(|finished| &finished.left).collect::<Vec<_>>();
        if let [first, ..] = left.as_slice() {
            warnings.push(format!("{} repositories could not be removed; the first is {first}", left.len()));
        }
        for survey in &self.surveys {
            let service = survey.service;
            if let Some(reason) = &survey.untestable {
                warnings.push(format!("{service}: nothing was judged: {reason}"));
                continue;
            }
            for (operation, got) in &survey.unknown {
                warnings.push(format!(
                    "{service}: the target does not know {operation} ({}); cases that need it are skipped",
                    words::got(got)
                ));
            }
            for (operation, got) in &survey.broken {
                warnings.push(format!(
                    "{service}: a plain {operation} does not work ({}); cases that need it are skipped",
                    words::got(got)
                ));
            }
            if !survey.availability && survey.unknown.is_empty() && survey.broken.is_empty() {
                let text = "BatchCheckLayerAvailability does not tell stored layers from absent ones, so side effects of rejected requests were not checked";
                warnings.push(format!("{service}: {text}"));
            }
            self.hollow(service, &mut warnings);
        }
        let slow = self.tolerated.iter().filter(|group| group.finding.grade == Grade::Slow);
        warnings.extend(slow.map(|group| {
            let took = group.finding.witness.as_ref().and_then(|witness| witness.calls.first());
            let took = took.map_or_else(String::new, |call| format!(" ({call})"));
            format!("{}{took}", group.finding.sentence_for(&group.about))
        }));
        warnings
    }

    fn hollow(&self, service: Service, warnings: &mut Vec<String>) {
        let cases = || self.cases.iter().filter(move |judged| judged.service == service);
        let (skipped, run): (Vec<&Judged>, Vec<&Judged>) = cases()
            .filter(|judged| !judged.kind.is_random() && !is_left_out(judged))
            .partition(|judged| matches!(judged.verdict, Verdict::Skipped { .. }));
        if skipped.len() >= HANDFUL && skipped.len() > run.len() {
            warnings.push(format!(
                "{service}: most cases were skipped ({} of {}): what they need is missing, the reasons are below; \
                 leave out what is not meant to work",
                skipped.len(),
                skipped.len() + run.len()
            ));
        }
        let uploads: Vec<Mark> = cases()
            .filter(|judged| completes(judged))
            .filter_map(|judged| judged.mark.filter(|mark| mark.is_of_valid()))
            .collect();
        if uploads.len() >= HANDFUL && !uploads.contains(&Mark::Accepted) {
            warnings.push(format!(
                "{service}: no valid upload was ever completed (0 of {}): a server that rejects everything looks like \
                 this; make one plain upload work before reading on",
                uploads.len()
            ));
        }
        let answered: Vec<&Judged> = cases()
            .filter(|judged| judged.mark.is_some_and(|mark| !mark.is_of_valid()))
            .filter(|judged| matches!(judged.verdict, Verdict::Pass | Verdict::Fail { .. }))
            .collect();
        if answered.len() >= HANDFUL && !answered.iter().any(|judged| names_an_error(judged)) {
            warnings.push(format!(
                "{service}: no documented error type was ever answered (in {} invalid cases): a server that looks at \
                 nothing looks like this; see whether its errors have a __type",
                answered.len()
            ));
        }
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
            (nothing && untestable && !unsurveyed, Reason::SetUp),
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

/// A finding, and where it is from.
#[derive(Clone, Copy)]
struct Found<'a> {
    service: Service,
    finding: &'a Finding,
    /// The case, and what shows it with the fewest calls; `None` if the survey found it.
    cases: Option<(&'a Judged, &'a Judged)>,
}

impl Group {
    /// What all have in common, as a sentence, with the operations beside the one that it names.
    pub fn sentence(&self) -> String {
        let found = &self.finding;
        let others = self.operations.iter().filter(|operation| **operation != found.operation);
        let others: Vec<&str> = others.map(|operation| words::answering(*operation)).collect();
        let others = match others.as_slice() {
            [] => String::new(),
            [one] => format!(" (and {one})"),
            many => format!(" (and {} more operations)", many.len()),
        };
        format!("{}{others}", found.sentence_for(&self.about))
    }

    /// Whether an entry of known deviations, were it not for its last day, accepts some of it.
    pub fn is_about(&self, entry: &Known) -> bool {
        let named = |(service, rule): &(Service, RuleId)| entry.is_for(*service) && *rule == entry.rule;
        self.finding.got == entry.got && self.accepted_by.keys().any(named)
    }

    /// The cause as 16 hexadecimal digits: the same in every run that finds it.
    pub fn fingerprint(&self) -> String {
        hex(&Sha256::digest(self.finding.cause()))[..16].into()
    }

    fn of(found: &[Found]) -> Option<Group> {
        let cases_of =
            |operation: Option<Operation>| found.iter().filter(|found| found.finding.operation == operation).count();
        let first = found.iter().min_by_key(|found| {
            let most = std::cmp::Reverse(cases_of(found.finding.operation));
            (found.finding.tier, most, found.cases.map(size))
        })?;
        Some(Group {
            services: distinct(found.iter().map(|found| found.service)),
            finding: first.finding.clone(),
            smallest: first.cases.map(|(_, smallest)| smallest.clone()),
            rules: distinct(found.iter().map(|found| found.finding.accept_as)),
            about: distinct(found.iter().map(|found| found.finding.about)),
            operations: distinct(found.iter().map(|found| found.finding.operation)),
            cases: found.iter().filter_map(|found| Some((found.service, found.cases?.0.case.clone()))).collect(),
            accepted_by: accepted_by(found),
        })
    }
}

/// What entries accept findings by. Only calls at once show in some runs and not in others.
fn accepted_by(found: &[Found]) -> BTreeMap<(Service, RuleId), bool> {
    let mut accepted_by = BTreeMap::new();
    for one in found {
        let sometimes = accepted_by.entry((one.service, one.finding.accept_as)).or_insert(true);
        *sometimes &= one.finding.witness.is_some();
    }
    accepted_by
}

/// Each value once, in order.
fn distinct<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    values.collect::<BTreeSet<T>>().into_iter().collect()
}

/// Cases of the suite first, then the fewest calls, then the fewest bytes, then the order of the suite.
fn size((judged, smallest): (&Judged, &Judged)) -> (bool, usize, usize, usize) {
    (
        smallest.kind.is_random(),
        smallest.requests,
        smallest.exchanges.iter().map(|exchange| exchange.body.bytes).sum(),
        judged.index,
    )
}

/// Fewer cases than this, chosen by a filter, are no sign of anything.
const HANDFUL: usize = 10;

/// Whether the run was told that the target lacks what a case needs.
fn is_left_out(judged: &Judged) -> bool {
    matches!(&judged.verdict, Verdict::Skipped { reason: NotJudged::WithoutOperation { .. } })
}

/// Whether a case was not run since the target does not serve an operation, whatever client sends it.
fn needs_what_is_not_served(verdict: &Verdict) -> bool {
    use NotJudged::{BrokenOperation, UnknownOperation, WithoutOperation};
    let Verdict::Skipped { reason } = verdict else { return false };
    matches!(reason, UnknownOperation { .. } | WithoutOperation { .. } | BrokenOperation { .. })
}

/// Whether a valid case has a completion among what it is about.
fn completes(judged: &Judged) -> bool {
    let rules = Rules::of(judged.service);
    let accepts = |id: &RuleId| rules.get(*id).is_some_and(|rule| rule.tier.gates() && rule.errors.is_empty());
    judged.rules.iter().any(|rule| rule.operation() == Some(Operation::CompleteLayerUpload) && accepts(rule))
}

/// Whether some answer had a documented error type.
fn names_an_error(judged: &Judged) -> bool {
    let is_documented = |finding: &Finding| finding.got.error().and_then(ErrorType::find).is_some();
    // Right in its type, if not in its form.
    judged.mark == Some(Mark::RightError) || judged.verdict.findings().iter().any(is_documented)
}
