//! Signs that a run tested little.

use super::Summary;
use crate::contract::{ErrorType, Operation, RuleId, Rules, Service};
use crate::events::{Judged, Mark};
use crate::judge::{Finding, Grade, NotJudged, Verdict, words};

/// Fewer cases than this, chosen by a filter, are no sign of anything.
const HANDFUL: usize = 10;

impl Summary {
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
}

/// Whether the run was told that the target lacks what a case needs.
fn is_left_out(judged: &Judged) -> bool {
    matches!(&judged.verdict, Verdict::Skipped { reason: NotJudged::WithoutOperation { .. } })
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
