//! Cases with calls at once: whether some order of the calls explains their answers, which calls show it if none does,
//! and what several rounds of a case come to.
//!
//! A server may answer calls that are under way at once in any order, but as if there had been one. An order is lawful
//! if a call that was answered before another was sent comes first, and if each answer is one that the contract allows
//! there: the reference registry goes along ([`crate::generate`]), with what the documents leave open. Only answers
//! that no order explains are a finding; a search that is too long is none.

mod explain;
#[cfg(test)]
mod fixtures;
mod history;
mod order;
mod rounds;
mod state;
mod verdict;
mod witness;

use std::borrow::Cow;

use history::History;
pub use rounds::Rounds;

use crate::case::{Case, Step, StepRole, Transcript};
use crate::generate::follow;
use crate::judge::{JudgeOptions, Record, Verdict, judge};

/// One round of a case, with what is said of it.
#[derive(Clone, Debug)]
pub struct Round<'a> {
    /// The case, with what it expects after what the target answered.
    pub case: Cow<'a, Case>,
    /// What came back.
    pub transcript: Transcript,
    /// What is said of it.
    pub verdict: Verdict,
    /// What was answered to open questions.
    pub records: Vec<Record>,
}

/// Judges what came back for a case, of whatever kind it is. The steps of a random one may be of any tier: those that
/// are weaker than what counts are not judged.
pub fn judge_round(case: &Case, transcript: Transcript, options: JudgeOptions) -> Round<'_> {
    if case.is_race() {
        let (verdict, records) = History::of(case, &transcript, options).judged();
        return Round { case: Cow::Borrowed(case), transcript, verdict, records };
    }
    let mut case = follow(case, &transcript);
    let is_weak = |step: &Step| step.role == StepRole::Focus && step.expect.tier > options.tier;
    if case.plan.is_some() && case.steps.iter().any(is_weak) {
        let weak = case.to_mut().steps.iter_mut().filter(|step| is_weak(step));
        weak.for_each(|step| step.role = StepRole::Attempt);
    }
    let (verdict, records) = judge(&case, &transcript, options);
    Round { case, transcript, verdict, records }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::fixtures::{ALL, EMPTY, EXISTS, GONE, NEXT, race, transcript};
    use super::*;
    use crate::case::draft::{Draft, SMALL};
    use crate::contract::{ErrorType, RuleId, Service};
    use crate::expect::Outcome;
    use crate::judge::Grade;
    use crate::template::Reference;
    use crate::wire::Answer;

    /// A call at once: its name, when it was under way, and an error or, if that is empty, success.
    type Sent<'a> = (&'a str, u64, u64, &'a str);

    /// The rule, the grade and the calls of the finding; `None` where the history is lawful.
    fn found(with_part: bool, calls: &[Sent]) -> Option<(RuleId, Grade, String)> {
        let case = race(with_part, &calls.iter().map(|(name, ..)| *name).collect::<Vec<_>>());
        let answers: Vec<_> = calls.iter().map(|(_, began, ended, error)| (*began, *ended, *error)).collect();
        let round = judge_round(&case, transcript(&case, &answers), ALL);
        let mut rounds = Rounds::of(&case, ALL);
        rounds.add(round);
        match rounds.together(false).unwrap().verdict {
            Verdict::Pass => None,
            Verdict::Fail { findings } => {
                let finding = &findings[0];
                let calls = &finding.witness.as_ref().unwrap().calls;
                let names: Vec<&str> = calls.iter().filter_map(|call| call.split(',').next()).collect();
                Some((finding.rule, finding.grade, names.join(" ")))
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn answers_that_some_order_explains_are_no_finding() {
        let rows: [(bool, &[Sent]); 8] = [
            (true, &[("complete-a", 0, 5, ""), ("complete-b", 1, 4, GONE)]),
            (true, &[("complete-a", 0, 5, EXISTS), ("complete-b", 1, 4, ""), ("complete-c", 2, 3, GONE)]),
            (false, &[("part-a", 0, 5, NEXT), ("part-b", 1, 4, ""), ("part-c", 1, 4, NEXT)]),
            (false, &[("complete-a", 0, 5, ""), ("part-b", 1, 9, "")]),
            (false, &[("complete-a", 0, 5, EMPTY), ("part-b", 1, 9, "")]),
            // Whether an upload survives a rejected completion is open.
            (false, &[("complete-a", 0, 5, EMPTY), ("part-b", 1, 9, GONE)]),
            (
                true,
                &[("complete-a", 0, 5, ""), ("delete-b", 1, 9, ""), ("look-c", 10, 11, "RepositoryNotFoundException")],
            ),
            (true, &[("complete-a", 0, 5, "RepositoryNotFoundException"), ("delete-b", 1, 9, "")]),
        ];
        for (with_part, calls) in rows {
            assert_eq!(found(with_part, calls), None, "{calls:?}");
        }
    }

    #[test]
    fn answers_that_no_order_explains_are_one() {
        let rows: [(bool, &[Sent], RuleId, Grade, &str); 10] = [
            (
                true,
                &[("complete-a", 0, 5, ""), ("complete-b", 1, 4, ""), ("complete-c", 1, 4, GONE)],
                RuleId::new("CompleteLayerUpload/uploadId/once"),
                Grade::State,
                "complete-a complete-b",
            ),
            // A layer that is handed out, which is open, changes nothing.
            (
                true,
                &[("complete-a", 0, 1, ""), ("url-b", 2, 3, "LayerInaccessibleException"), ("complete-c", 4, 5, "")],
                RuleId::new("CompleteLayerUpload/uploadId/once"),
                Grade::State,
                "complete-a complete-c",
            ),
            // Both were rejected: no order explains that, wherever the second one stands.
            (
                true,
                &[("complete-a", 0, 5, GONE), ("complete-b", 1, 4, GONE)],
                RuleId::new("CompleteLayerUpload/accepted"),
                Grade::Rejected,
                "complete-a complete-b",
            ),
            (
                true,
                &[("complete-a", 0, 5, ""), ("complete-b", 1, 4, "LimitExceededException")],
                RuleId::new("CompleteLayerUpload/uploadId/once"),
                Grade::Error,
                "complete-a complete-b",
            ),
            // A server's fault is one for the call that was too late, and so for both.
            (
                true,
                &[("complete-a", 0, 5, ""), ("complete-b", 1, 4, "500")],
                RuleId::new("CompleteLayerUpload/accepted"),
                Grade::Rejected,
                "complete-a complete-b",
            ),
            (
                false,
                &[("part-a", 0, 5, ""), ("part-b", 1, 4, ""), ("part-c", 1, 4, NEXT)],
                RuleId::new("UploadLayerPart/partFirstByte/contiguous"),
                Grade::State,
                "part-a part-b",
            ),
            // The part was answered before the completion was sent.
            (
                false,
                &[("part-a", 0, 1, ""), ("complete-b", 2, 4, EMPTY)],
                RuleId::new("CompleteLayerUpload/accepted"),
                Grade::Rejected,
                "part-a complete-b",
            ),
            // The other way round: nothing was there to complete.
            (
                false,
                &[("part-a", 3, 4, ""), ("complete-b", 0, 2, "")],
                RuleId::new("CompleteLayerUpload/parts/not-empty"),
                Grade::State,
                "complete-b",
            ),
            (
                true,
                &[("complete-a", 0, 5, ""), ("delete-b", 1, 9, ""), ("look-c", 10, 11, "AVAILABLE")],
                RuleId::new("BatchCheckLayerAvailability/repositoryName/exists"),
                Grade::State,
                "complete-a delete-b look-c",
            ),
            // It was deleted before it was completed.
            (
                true,
                &[("complete-a", 5, 8, ""), ("delete-b", 1, 4, "")],
                RuleId::new("CompleteLayerUpload/repositoryName/exists"),
                Grade::State,
                "delete-b complete-a",
            ),
        ];
        for (with_part, calls, rule, grade, names) in rows {
            let expected = (rule, grade, String::from(names));
            assert_eq!(found(with_part, calls), Some(expected), "{calls:?}");
        }
    }

    /// Whether answers to the last calls of a case are lawful.
    fn is_lawful(case: &Case, answers: &[(u64, u64, &str)]) -> bool {
        judge_round(case, transcript(case, answers), ALL).verdict == Verdict::Pass
    }

    #[test]
    fn an_upload_may_end_when_another_one_becomes_its_layer() {
        let mut case = Draft::new(Service::Ecr, "some/race", "some race")
            .own(&[])
            .uploaded()
            .initiate("twin")
            .part("part-of-twin", "twin", "layer", 0)
            .chunk("more", SMALL + 1)
            .part("more-of-twin", "twin", "more", SMALL)
            .complete("complete", "upload", "layer")
            .done();
        let count = case.steps.len();
        case.steps[count - 1].at_once = true;
        // The id of the twin is another one.
        let transcript = |answers: &[(u64, u64, &str)]| {
            let mut transcript = transcript(&case, answers);
            let other = "00000000-0000-4000-8000-000000000002";
            for exchange in &mut transcript.exchanges[2..count - 1] {
                let replaced = |text: &[u8]| {
                    let text = String::from_utf8_lossy(text).replace("00000000-0000-4000-8000-000000000001", other);
                    Bytes::from(text)
                };
                exchange.request.body = replaced(&exchange.request.body.whole()).into();
                let Ok(Answer::Http(answer)) = &mut exchange.reply else { panic!("{exchange:?}") };
                answer.body = replaced(&answer.body);
            }
            transcript.bindings.bind(Reference::member("twin", "uploadId"), other);
            transcript
        };
        let verdict = |answers| judge_round(&case, transcript(answers), ALL).verdict;
        assert_eq!(verdict(&[(0, 5, ""), (1, 4, "")]), Verdict::Pass);
        assert_eq!(verdict(&[(0, 5, GONE), (1, 4, "")]), Verdict::Pass);
        // Then it was answered before.
        assert!(matches!(verdict(&[(0, 1, GONE), (2, 4, "")]), Verdict::Fail { .. }));
    }

    #[test]
    fn what_an_answer_says_of_an_upload_tells_in_which_order_calls_came() {
        let case = race(false, &["part-a", "gap-b"]);
        let verdict = |answers: &[(u64, u64, &str)]| {
            let mut transcript = transcript(&case, answers);
            let Ok(Answer::Http(answer)) = &mut transcript.exchanges[2].reply else { panic!("no response") };
            // Not the last byte of the part. Before the first one, nothing is known of it.
            answer.body = String::from_utf8_lossy(&answer.body).replace("d\":31", "d\":5").into();
            judge_round(&case, transcript, ALL).verdict
        };
        assert_eq!(verdict(&[(0, 5, ""), (1, 4, NEXT)]), Verdict::Pass);
        assert!(matches!(verdict(&[(0, 1, ""), (2, 4, NEXT)]), Verdict::Fail { .. }));
    }

    #[test]
    fn what_a_second_deletion_may_be_answered_is_for_the_case_to_say() {
        let mut case = race(true, &["delete-a", "delete-b"]);
        let gone = ErrorType::find("RepositoryNotFoundException").unwrap();
        for step in &mut case.steps[2..] {
            step.expect.outcomes.push(Outcome::Error { error: gone, members: serde_json::Map::new() });
        }
        assert!(is_lawful(&case, &[(0, 5, ""), (1, 4, "RepositoryNotFoundException")]));
        assert!(!is_lawful(&case, &[(0, 5, "RepositoryNotFoundException"), (1, 4, "RepositoryNotFoundException")]));
    }
}
