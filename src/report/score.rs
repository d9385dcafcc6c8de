//! What a run comes to in numbers that no server gets by answering without looking: how many valid requests it accepts,
//! how many invalid ones it rejects, how many of them with the right error, and one number of all three.
//!
//! # What counts
//!
//! Each case of the catalogue and each scenario has one [`Mark`], if what it is about gates. A case is *invalid* if
//! some request that it is about must be rejected, and *valid* if all of them must be accepted. Random sequences have no
//! mark: each is many steps. What a target leaves to be skipped (a missing operation, an upload that does not work) or
//! inconclusive counts against it like a wrong answer; known deviations count as what they are. No mark has what is
//! skipped for another reason: `--repository`, the way to the target, or an answer that the documents leave to it. The
//! form of an answer does not matter here.
//!
//! A service that the target does not serve, beside one that it does, is left out.
//!
//! # The numbers
//!
//! *Valid accepted*, *invalid rejected* and *right error* are shares of the valid, of the invalid and again of the
//! invalid cases. *Balanced* looks at each area of a service (an operation, `wire`, `scenarios`) that has valid and
//! invalid cases: how much more often are valid ones accepted than invalid ones let through, how many of the invalid
//! ones are rejected, how many with the right error? Each is averaged over the areas, and the harmonic mean of the three
//! is the score. One answer to all requests of an area adds nothing to the first; so the score is 0, or little, for
//! whoever decides by the operation or by chance.

use std::collections::BTreeMap;
use std::fmt;

use crate::contract::{RuleId, Service};
use crate::events::{Judged, Mark};
use crate::survey::Survey;

/// Some of several cases.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Share {
    /// How many.
    pub count: usize,
    /// Of how many, at least one.
    pub of: usize,
}

impl Share {
    fn new(count: usize, of: usize) -> Option<Share> {
        (of > 0).then_some(Share { count, of })
    }

    /// Whether it is all of them.
    pub fn is_whole(&self) -> bool {
        self.count == self.of
    }

    /// The share as a number from 0 to 1.
    pub fn value(self) -> f64 {
        self.count as f64 / self.of as f64
    }
}

/// The scores of a run. Where there are no cases, there is no score.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// Valid cases that were accepted.
    pub valid_accepted: Option<Share>,
    /// Invalid cases that were rejected, with whatever error.
    pub invalid_rejected: Option<Share>,
    /// Invalid cases that were rejected with an error type that is allowed.
    pub right_error: Option<Share>,
    /// One number from 0 to 1.
    pub balanced: Option<f64>,
    /// Number of cases that they rest on.
    pub cases: usize,
    /// The services that they are about.
    pub services: Vec<Service>,
    /// The services that the target does not serve.
    pub left_out: Vec<Service>,
}

impl Scores {
    /// The scores of cases on a target that was surveyed; `None` if none of them counts.
    pub fn of(cases: &[Judged], surveys: &[Survey]) -> Option<Scores> {
        let mut areas: BTreeMap<(Service, &str), Tally> = BTreeMap::new();
        for judged in cases {
            if let Some(mark) = judged.mark {
                areas.entry((judged.service, judged.area())).or_default().add(mark);
            }
        }
        let mut services: Vec<Service> = areas.keys().map(|(service, _)| *service).collect();
        services.dedup();
        let (left_out, served): (Vec<_>, Vec<_>) =
            services.into_iter().partition(|service| surveys.iter().any(|survey| is_not_served(survey, *service)));
        // Who serves nothing at all is measured by everything.
        let (services, left_out) = if served.is_empty() { (left_out, served) } else { (served, left_out) };
        areas.retain(|(service, _), _| services.contains(service));
        let all = areas.values().fold(Tally::default(), Tally::plus);
        (!services.is_empty()).then(|| Scores {
            valid_accepted: Share::new(all.accepted, all.valid),
            invalid_rejected: Share::new(all.rejected, all.invalid),
            right_error: Share::new(all.right, all.invalid),
            balanced: balanced(areas.values()),
            cases: all.valid + all.invalid,
            services,
            left_out,
        })
    }
}

fn is_not_served(survey: &Survey, service: Service) -> bool {
    let not_served = || survey.findings.iter().any(|finding| finding.rule == RuleId::new("survey/service"));
    survey.service == service && survey.untestable.is_some() && not_served()
}

/// Number of cases of an area.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    valid: usize,
    accepted: usize,
    invalid: usize,
    rejected: usize,
    right: usize,
    let_through: usize,
}

impl Tally {
    fn add(&mut self, mark: Mark) {
        *if mark.is_of_valid() { &mut self.valid } else { &mut self.invalid } += 1;
        self.accepted += usize::from(mark == Mark::Accepted);
        self.rejected += usize::from(matches!(mark, Mark::RightError | Mark::OtherError));
        self.right += usize::from(mark == Mark::RightError);
        self.let_through += usize::from(mark == Mark::LetThrough);
    }

    fn plus(self, other: &Tally) -> Tally {
        Tally {
            valid: self.valid + other.valid,
            accepted: self.accepted + other.accepted,
            invalid: self.invalid + other.invalid,
            rejected: self.rejected + other.rejected,
            right: self.right + other.right,
            let_through: self.let_through + other.let_through,
        }
    }

    /// Of an area with valid and invalid cases: how much more often valid ones are accepted than invalid ones are let
    /// through, and the shares of the invalid ones that are rejected, and rejected with the right error.
    fn shares(&self) -> Option<[f64; 3]> {
        let of_invalid = |count| Share::new(count, self.invalid).map(Share::value);
        let told_apart = Share::new(self.accepted, self.valid)?.value() - of_invalid(self.let_through)?;
        Some([told_apart, of_invalid(self.rejected)?, of_invalid(self.right)?])
    }
}

fn balanced<'a>(areas: impl Iterator<Item = &'a Tally>) -> Option<f64> {
    let shares: Vec<[f64; 3]> = areas.filter_map(Tally::shares).collect();
    let mean = |which: usize| shares.iter().map(|shares| shares[which]).sum::<f64>() / shares.len() as f64;
    (!shares.is_empty()).then(|| harmonic_mean([mean(0), mean(1), mean(2)]))
}

/// 0 if one of them is, or is less.
fn harmonic_mean(values: [f64; 3]) -> f64 {
    if values.iter().any(|value| *value <= 0.0) {
        return 0.0;
    }
    values.len() as f64 / values.iter().map(|value| 1.0 / value).sum::<f64>()
}

/// A number from 0 to 1 as percent. Only what is whole reads 100.0 %, and only what is nothing 0.0 %.
pub fn percent(value: f64) -> String {
    let exact = value <= 0.0 || value >= 1.0;
    let shown = if exact { 100.0 * value } else { (100.0 * value).clamp(0.1, 99.9) };
    format!("{shown:.1} %")
}

/// `valid accepted 98.1 %, invalid rejected 61.0 %, right error 44.7 %, balanced 49.0 % (1032 cases of ecr)`.
impl fmt::Display for Scores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scores = [
            ("valid accepted", self.valid_accepted.map(Share::value)),
            ("invalid rejected", self.invalid_rejected.map(Share::value)),
            ("right error", self.right_error.map(Share::value)),
            ("balanced", self.balanced),
        ];
        let scores = scores.into_iter().filter_map(|(name, value)| Some(format!("{name} {}", percent(value?))));
        let names = |services: &[Service]| services.iter().map(Service::to_string).collect::<Vec<_>>().join(" and ");
        let cases = if self.cases == 1 { "case" } else { "cases" };
        write!(f, "{} ({} {cases}", scores.collect::<Vec<_>>().join(", "), self.cases)?;
        if !self.left_out.is_empty() {
            write!(f, " of {}, without {}", names(&self.services), names(&self.left_out))?;
        }
        write!(f, ")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::draft::{Draft, HERE};
    use crate::contract::Operation;
    use crate::judge::Verdict;
    use crate::model::operation::body;

    /// The scores of areas, each with these marks so many times.
    fn scores(areas: &[&[(Mark, usize)]]) -> Option<Scores> {
        let operation = Operation::InitiateLayerUpload;
        let draft = Draft::new(Service::Ecr, "some/case", "some case");
        let case = draft.focus(RuleId::new("InitiateLayerUpload/accepted"), operation, body::repository(HERE)).done();
        let mut cases = Vec::new();
        for (index, area) in areas.iter().enumerate() {
            for (mark, count) in *area {
                let judged = Judged::of(index, &case, Verdict::Pass, Vec::new(), None);
                let judged = Judged { case: format!("area-{index}/case"), mark: Some(*mark), ..judged };
                cases.extend(std::iter::repeat_n(judged, *count));
            }
        }
        Scores::of(&cases, &[])
    }

    #[test]
    fn balanced_is_nothing_for_one_answer_to_all() {
        let shown = |areas: &[&[(Mark, usize)]]| scores(areas).map(|scores| scores.to_string());
        assert_eq!(shown(&[]), None);
        assert_eq!(shown(&[&[(Mark::Accepted, 1)]]).unwrap(), "valid accepted 100.0 % (1 case)");
        let all = [(Mark::Accepted, 9), (Mark::RightError, 20)];
        let whole =
            "valid accepted 100.0 %, invalid rejected 100.0 %, right error 100.0 %, balanced 100.0 % (29 cases)";
        assert_eq!(shown(&[&all]).unwrap(), whole);
        // All accepted in one area, all rejected in the other.
        let accepts = [(Mark::Accepted, 9), (Mark::LetThrough, 20)];
        let rejects = [(Mark::NotAccepted, 9), (Mark::RightError, 20)];
        let balanced = |areas: &[&[(Mark, usize)]]| scores(areas).unwrap().balanced;
        assert_eq!(balanced(&[&accepts, &rejects]), Some(0.0));
        assert_eq!(
            balanced(&[&[(Mark::Accepted, 5), (Mark::NotAccepted, 5), (Mark::LetThrough, 10), (Mark::RightError, 10)]]),
            Some(0.0)
        );
        // Round apart by 3/4, rejected 3/4, right 1/2.
        let some = [(Mark::Accepted, 4), (Mark::RightError, 2), (Mark::OtherError, 1), (Mark::LetThrough, 1)];
        assert!(balanced(&[&some]).is_some_and(|balanced| (balanced - 9.0 / 14.0).abs() < 1e-9));
        assert_eq!(balanced(&[&[(Mark::Accepted, 1)], &[(Mark::RightError, 1)]]), None);
    }

    #[test]
    fn only_what_is_whole_reads_so() {
        let shown = [0.0, 0.000_01, 0.5, 0.999_99, 1.0].map(percent);
        assert_eq!(shown, ["0.0 %", "0.1 %", "50.0 %", "99.9 %", "100.0 %"]);
    }
}
