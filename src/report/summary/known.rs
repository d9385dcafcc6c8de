//! Entries of known deviations that are wrong by now.

use super::{Measure, Summary};
use crate::contract::{RuleId, Service};
use crate::events::Judged;
use crate::judge::known::{Known, Stale};
use crate::judge::{Finding, Got, NotJudged, Verdict};

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
    /// Whether the file says both with the same words.
    fn is_of(&self, known: &Known) -> bool {
        (&self.text, &self.got, &self.reason) == (&known.written(), &known.got, &known.reason)
    }

    /// The rules of a wildcard of which that is so, where it is not so of all.
    pub fn only(&self) -> Option<String> {
        let some = self.rules.len() < self.of;
        some.then(|| self.rules.iter().map(RuleId::to_string).collect::<Vec<_>>().join(", "))
    }
}

impl Summary {
    /// Which entries are wrong by now. Only a run of everything can tell: what is left out may have the case that an entry
    /// is about. That an entry has expired is said as well where its finding counts again.
    pub(super) fn check_known(&mut self, measure: &Measure) {
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

    /// Entries of known deviations that are wrong by now, each once with what is wrong: the rules of a wildcard together
    /// where they are alike.
    pub fn stale_entries(&self) -> Vec<StaleEntry> {
        let mut entries: Vec<StaleEntry> = Vec::new();
        for (known, stale) in &self.known_trouble {
            match entries.iter_mut().find(|entry| entry.stale == *stale && entry.is_of(known)) {
                Some(entry) => entry.rules.push(known.rule),
                None => entries.push(StaleEntry {
                    stale: *stale,
                    text: known.written(),
                    rules: vec![known.rule],
                    of: 0,
                    got: known.got.clone(),
                    reason: known.reason.clone(),
                }),
            }
        }
        for entry in &mut entries {
            entry.of = self.started.known.iter().filter(|known| entry.is_of(known)).count();
        }
        entries
    }
}

/// Whether a case was not run since the target does not serve an operation, whatever client sends it.
fn needs_what_is_not_served(verdict: &Verdict) -> bool {
    use NotJudged::{BrokenOperation, UnknownOperation, WithoutOperation};
    let Verdict::Skipped { reason } = verdict else { return false };
    matches!(reason, UnknownOperation { .. } | WithoutOperation { .. } | BrokenOperation { .. })
}
