//! Collects what a run's answers say, event by event.

use std::collections::BTreeMap;

use super::answer::Answers;
use super::file::{Endpoint, File, Origin, Questions};
use super::{Answer, Effect, Entry, Placeholders, question};
use crate::case::{Case, Step, StepRole};
use crate::contract::Service;
use crate::events::{Event, Judged};
use crate::judge::words::not_judged;
use crate::judge::{Finding, Grade, NotJudged, Verdict};

/// What is said without the requests, and what of them matters, by case and step.
type Entries = BTreeMap<Entry, BTreeMap<String, String>>;

/// What was answered so far.
#[derive(Debug)]
pub struct Recorder {
    /// In the order in which the run numbers them.
    cases: Vec<Case>,
    origin: Origin,
    endpoint: String,
    placeholders: Placeholders,
    /// Those of each service that was looked at.
    surveyed: BTreeMap<Service, Placeholders>,
    /// By service and area of rules.
    entries: BTreeMap<(Service, &'static str), Entries>,
    /// What was answered in cases that open questions name.
    replies: BTreeMap<(Service, String), Answers>,
    /// Cases without a verdict.
    unjudged: usize,
}

impl Recorder {
    /// For a run of these cases at an endpoint.
    pub fn new(cases: &[Case], endpoint: &str, origin: Origin) -> Recorder {
        Recorder {
            cases: cases.to_vec(),
            origin,
            endpoint: String::from(endpoint),
            placeholders: Placeholders::default(),
            surveyed: BTreeMap::new(),
            entries: BTreeMap::new(),
            replies: BTreeMap::new(),
            unjudged: 0,
        }
    }

    /// Takes what an event has.
    pub fn event(&mut self, event: &Event) {
        match event {
            Event::Started(started) => {
                self.origin.date = started.at.to_zoned(jiff::tz::TimeZone::UTC).date();
                self.origin.client = started.driver.name.clone();
                let name = started.repositories.trim_end_matches("/…");
                self.placeholders = Placeholders::new(&self.endpoint, name);
            }
            Event::Surveyed(survey) => {
                self.surveyed.insert(survey.service, self.placeholders.of_survey(survey));
            }
            Event::Judged(judged) => self.judged(judged),
            Event::Finished(finished) => {
                self.origin.finished = finished.stopped.is_none() && finished.unrecorded == 0;
            }
            Event::Searched(_) => {}
        }
    }

    fn judged(&mut self, judged: &Judged) {
        let Some(case) = self.cases.get(judged.index).filter(|case| case.id == judged.case) else { return };
        let service = self.surveyed.get(&judged.service).unwrap_or(&self.placeholders);
        let placeholders = service.of_case(&judged.exchanges);
        let is_judged = is_judged(&judged.verdict);
        self.unjudged += usize::from(!is_judged);
        let focus = |step: &&Step| step.role == StepRole::Focus;
        let named = |step: &&Step| focus(step) && judged.case.starts_with(&format!("{}/", step.expect.rule));
        let asks = case.steps.iter().rfind(named).or_else(|| case.steps.iter().rfind(focus));
        let mut answers = Answers {
            steps: BTreeMap::new(),
            asks: asks.map(|step| step.name.clone()).unwrap_or_default(),
            unanswered: reason(&judged.verdict).map(|why| placeholders.text(&not_judged(why))),
        };
        for logged in judged.exchanges.iter().filter(|_| is_judged) {
            let Some(step) = case.steps.iter().find(|step| step.name == logged.step) else { continue };
            let answer = Answer::of(logged, &placeholders);
            // That it was late says nothing about its rule.
            let about = |finding: &&Finding| finding.step == logged.step && finding.grade != Grade::Slow;
            let findings: Vec<&Finding> = judged.verdict.findings().iter().filter(about).collect();
            if focus(&step) {
                let mut entry = Entry::of(case, step, answer.clone(), &findings);
                let sent = std::mem::take(&mut entry.sent);
                let file = self.entries.entry((case.service, step.expect.rule.area().name())).or_default();
                file.entry(entry).or_default().extend(sent);
            }
            answers.steps.insert(logged.step.clone(), answer);
            // In which state that left the target, nobody knows.
            if let Some(serious) = findings.iter().find(|one| one.grade != Grade::Form) {
                answers.unanswered = Some(format!("the answer to step {} is against {}", serious.step, serious.rule));
                break;
            }
        }
        if question::names(&judged.case) {
            self.replies.insert((case.service, judged.case.clone()), answers);
        }
    }

    /// The files, by name.
    pub fn files(&self) -> Vec<(String, String)> {
        let file = |((service, area), entries): (&(Service, &str), &Entries)| {
            let whole = |(entry, sent): (&Entry, &BTreeMap<_, _>)| Entry { sent: sent.clone(), ..entry.clone() };
            let entries = entries.iter().map(whole).collect();
            let file = File { origin: self.origin.clone(), service: *service, entries };
            (format!("{service}-{area}.toml"), file.text())
        };
        self.entries.iter().map(file).collect()
    }

    /// What was answered to the open questions.
    pub fn questions(&self, services: &[Service]) -> Questions {
        let answers = |service: Service, case: &str| self.replies.get(&(service, String::from(case)));
        Questions { origin: self.origin.clone(), questions: question::asked(answers, services) }
    }

    /// How many answers were recorded, and what they do to rules, in one line.
    pub fn summary(&self) -> String {
        let entries = || self.entries.values().flatten();
        let count = |effect: Effect| -> usize {
            entries().filter(|(entry, _)| entry.effect == effect).map(|(_, sent)| sent.len()).sum()
        };
        let all: usize = entries().map(|(_, sent)| sent.len()).sum();
        let parts = [
            (count(Effect::Confirms), "as expected"),
            (count(Effect::RaisesRule), "to open rules"),
            (count(Effect::RaisesErrorType), "with an error type that is open"),
            (count(Effect::Contradicts), "against a rule"),
        ];
        let parts = parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
        let source = match self.origin.endpoint {
            Endpoint::Aws => "",
            Endpoint::Other => "; not from AWS, and so no source",
        };
        let unjudged = match self.unjudged {
            0 => String::new(),
            count => format!("; {count} cases not judged"),
        };
        format!("{all} answers: {}{unjudged}{source}", parts.collect::<Vec<_>>().join(", "))
    }
}

/// Whether what came was held against the rules. Where a case goes on from some answers alone, it was until then.
fn is_judged(verdict: &Verdict) -> bool {
    match verdict {
        Verdict::Pass | Verdict::Fail { .. } => true,
        Verdict::Skipped { reason } => matches!(reason, NotJudged::Ended { .. }),
        Verdict::Inconclusive { .. } => false,
    }
}

fn reason(verdict: &Verdict) -> Option<&NotJudged> {
    match verdict {
        Verdict::Skipped { reason } | Verdict::Inconclusive { reason } => Some(reason),
        Verdict::Pass | Verdict::Fail { .. } => None,
    }
}
