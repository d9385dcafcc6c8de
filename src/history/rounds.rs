//! What several rounds of a case come to.

use super::{History, Told};
use crate::case::Case;
use crate::judge::{Finding, Strictness, Verdict, Witness};

/// What several rounds of a case come to, and which of them shows it.
///
/// Answers that no order explains are a finding however seldom they come; how often, the finding says. A connection
/// that was dropped in one round alone may be the network's, unless the target is dead since.
pub fn together(case: &Case, rounds: &[Told], strictness: Strictness, is_dead: bool) -> (Verdict, usize) {
    let mut found: Vec<(usize, Finding)> = Vec::new();
    for (round, told) in rounds.iter().enumerate() {
        let Verdict::Fail { findings } = &told.verdict else { continue };
        let mut of_round: Vec<&Finding> = Vec::new();
        for finding in findings {
            let same = |known: &Finding| {
                (&known.rule, &known.about, &known.got) == (&finding.rule, &finding.about, &finding.got)
            };
            if of_round.iter().any(|known| same(known)) {
                continue;
            }
            of_round.push(finding);
            match found.iter_mut().find(|(_, known)| same(known)) {
                Some((_, known)) => known.witness.iter_mut().for_each(|witness| witness.seen += 1),
                None => {
                    let calls = History::of(case, &told.transcript, strictness).witness(&finding.step);
                    let witness = Some(Witness { seen: 1, rounds: rounds.len(), calls });
                    found.push((round, Finding { witness, ..finding.clone() }));
                }
            }
        }
    }
    let once = |finding: &Finding| finding.witness.as_ref().is_some_and(|witness| witness.seen == 1);
    let may_be_network = |finding: &Finding| finding.rule == "always/answered" && once(finding) && !is_dead;
    let (unsure, mut found): (Vec<_>, Vec<_>) = found.into_iter().partition(|(_, finding)| may_be_network(finding));
    // The worst first, and what was seen first.
    found.sort_by_key(|(round, finding)| (finding.grade, *round));
    if let Some((round, _)) = found.first() {
        let round = *round;
        return (Verdict::Fail { findings: found.into_iter().map(|(_, finding)| finding).collect() }, round);
    }
    if let Some((round, finding)) = unsure.first() {
        let reason = format!("unstable: {} in one of {} rounds", finding.got, rounds.len());
        return (Verdict::Inconclusive { reason }, *round);
    }
    let first = |is: fn(&Verdict) -> bool| rounds.iter().position(|told| is(&told.verdict));
    let unjudged = first(|verdict| matches!(verdict, Verdict::Inconclusive { .. }));
    // What was judged in one round counts, where others did not come as far.
    let shown = unjudged.or(first(|verdict| *verdict == Verdict::Pass)).unwrap_or_default();
    let nothing = || Verdict::Inconclusive { reason: String::from("not tried once") };
    (rounds.get(shown).map_or_else(nothing, |told| told.verdict.clone()), shown)
}
