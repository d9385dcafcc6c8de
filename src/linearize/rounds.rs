//! What several rounds of a case come to.

use std::collections::BTreeMap;
use std::mem::discriminant;

use super::Round;
use super::history::History;
use crate::case::Case;
use crate::contract::{Area, RuleId, Tier};
use crate::judge::{Finding, JudgeOptions, NotJudged, Verdict, Witness};

/// Rounds of a case as they come in.
///
/// Answers that no order explains are a finding however seldom they come; how often, the finding says. A connection
/// that was dropped in one round alone may be the network's, unless the target is dead since.
pub struct Rounds<'a> {
    case: &'a Case,
    options: JudgeOptions,
    count: usize,
    /// What was found, and in which round first.
    found: Vec<(usize, Finding)>,
    /// The rounds that may be the one to show. Answers are long and rounds are many: the others are dropped.
    kept: BTreeMap<usize, Round<'a>>,
}

impl<'a> Rounds<'a> {
    /// No round yet.
    pub fn of(case: &'a Case, options: JudgeOptions) -> Rounds<'a> {
        Rounds { case, options, count: 0, found: Vec::new(), kept: BTreeMap::new() }
    }

    /// Adds a round.
    pub fn add(&mut self, round: Round<'a>) {
        let number = self.count;
        self.count += 1;
        let mut is_shown = self.kept.values().all(|kept| discriminant(&kept.verdict) != discriminant(&round.verdict));
        let mut of_round: Vec<&Finding> = Vec::new();
        for finding in round.verdict.findings() {
            if of_round.iter().any(|known| is_same(known, finding)) {
                continue;
            }
            of_round.push(finding);
            match self.found.iter_mut().find(|(_, known)| is_same(known, finding)) {
                Some((_, known)) => known.witness.iter_mut().for_each(|witness| witness.seen += 1),
                None => {
                    is_shown |= is_of_connection(finding) || self.is_the_worst(finding);
                    let calls = History::of(self.case, &round.transcript, self.options).witness(&finding.step);
                    let witness = Some(Witness { seen: 1, rounds: 1, calls });
                    let tier = of_an_order(finding);
                    self.found.push((number, Finding { witness, tier, ..finding.clone() }));
                }
            }
        }
        if is_shown {
            self.kept.insert(number, round);
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The round that shows what all come to, with the verdict on all of them; `None` of none.
    pub fn together(mut self, is_dead: bool) -> Option<Round<'a>> {
        for witness in self.found.iter_mut().filter_map(|(_, finding)| finding.witness.as_mut()) {
            witness.rounds = self.count;
        }
        let once = |finding: &Finding| finding.witness.as_ref().is_some_and(|witness| witness.seen == 1);
        let may_be_network = |finding: &Finding| is_of_connection(finding) && once(finding) && !is_dead;
        let (unsure, mut found): (Vec<_>, Vec<_>) =
            self.found.into_iter().partition(|(_, finding)| may_be_network(finding));
        // The worst first, and what was seen first.
        found.sort_by_key(|(number, finding)| (finding.grade, *number));
        let first =
            |is: fn(&Verdict) -> bool| self.kept.iter().find(|(_, round)| is(&round.verdict)).map(|(at, _)| *at);
        if let Some((number, _)) = found.first() {
            let round = self.kept.remove(number)?;
            let findings = found.into_iter().map(|(_, finding)| finding).collect();
            return Some(Round { verdict: Verdict::Fail { findings }, ..round });
        }
        if let Some((number, finding)) = unsure.first() {
            let reason = NotJudged::OneRound { got: finding.got.clone(), rounds: self.count };
            return Some(Round { verdict: Verdict::Inconclusive { reason }, ..self.kept.remove(number)? });
        }
        // What was judged in one round counts, where others did not come as far.
        let unjudged = first(|verdict| matches!(verdict, Verdict::Inconclusive { .. }));
        let shown = unjudged.or(first(|verdict| *verdict == Verdict::Pass)).unwrap_or_default();
        self.kept.remove(&shown)
    }

    /// Whether no finding so far is as bad, but for those that may turn out to be the network's.
    fn is_the_worst(&self, finding: &Finding) -> bool {
        self.found.iter().filter(|(_, known)| !is_of_connection(known)).all(|(_, known)| finding.grade < known.grade)
    }
}

fn is_same(one: &Finding, other: &Finding) -> bool {
    (&one.rule, &one.about, &one.got) == (&other.rule, &other.about, &other.got)
}

fn is_of_connection(finding: &Finding) -> bool {
    finding.rule == RuleId::new("always/answered")
}

/// How strong a finding is that rests on an order of calls at once: no document says that there is one.
fn of_an_order(finding: &Finding) -> Tier {
    match finding.rule.area() {
        Area::Always => finding.tier,
        _ => finding.tier.max(Tier::Derived),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{ALL, GONE, race, transcript};
    use super::super::judge_round;
    use super::*;
    use crate::case::{Transcript, allowed};
    use crate::contract::Service;
    use crate::judge;
    use crate::wire::TransportError;

    #[test]
    fn rounds_come_to_what_is_worst_in_them() {
        let mut case = race(true, &["complete-a", "complete-b"]);
        // No answer to a valid request is the network's.
        case.steps[3].expect = allowed(Service::Ecr, RuleId::new("CompleteLayerUpload/uploadId/once"));
        let answered = |second: &str| transcript(&case, &[(0, 5, ""), (1, 4, second)]);
        let dropped = || {
            let mut transcript = answered("");
            transcript.exchanges[3].reply = Err(TransportError::Dropped);
            transcript
        };
        let together = |rounds: Vec<Transcript>, is_dead: bool| {
            let mut all = Rounds::of(&case, ALL);
            rounds.into_iter().for_each(|round| all.add(judge_round(&case, round, ALL)));
            let shown = all.together(is_dead).unwrap();
            let found = match &shown.verdict {
                Verdict::Fail { findings } => findings
                    .iter()
                    .map(|finding| {
                        let witness = finding.witness.as_ref().unwrap();
                        format!("{} {} of {}", finding.grade, witness.seen, witness.rounds)
                    })
                    .collect::<Vec<_>>()
                    .join(", "),
                other => format!("{other:?}"),
            };
            (found, judge::describe(&shown.transcript.exchanges[3]).code())
        };
        let right = || answered(GONE);
        let row = |found: &str, shown: &str| (String::from(found), String::from(shown));
        let limit = || answered("LimitExceededException");
        assert_eq!(together(vec![right(), right()], false), row("Pass", "400 UploadNotFoundException"));
        // The worst comes first, whenever it was seen.
        assert_eq!(
            together(vec![right(), limit(), answered(""), limit()], false),
            row("state 1 of 4, error 2 of 4", "200")
        );
        assert_eq!(together(vec![answered(""), limit()], false), row("state 1 of 2, error 1 of 2", "200"));
        // A connection that was dropped once may be the network's, unless the target is dead.
        let unstable = "Inconclusive { reason: OneRound { got: Transport(Dropped), rounds: 2 } }";
        assert_eq!(together(vec![dropped(), right()], false), row(unstable, "dropped"));
        assert_eq!(together(vec![right(), dropped()], true), row("crash 1 of 2", "dropped"));
        assert_eq!(together(vec![dropped(), dropped()], false), row("crash 2 of 2", "dropped"));
        assert_eq!(together(vec![dropped(), limit()], false), row("error 1 of 2", "400 LimitExceededException"));
        assert!(Rounds::of(&case, ALL).together(false).is_none());
    }
}
