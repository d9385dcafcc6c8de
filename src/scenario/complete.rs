//! What a file leaves out follows from the rules that it names: the outcomes that the reference registry has for them.

use super::Mistake;
use super::check::Outline;
use super::expect::Intended;
use super::written::Reader;
use crate::case::Case;
use crate::generate::expected::by_rule;

impl Reader<'_> {
    /// A case with the allowed outcomes of the steps for which the file has none.
    pub(super) fn completed(&self, outline: Outline) -> Result<Case, Mistake> {
        let Outline { mut case, intended } = outline;
        if !intended.iter().any(|meant| matches!(meant, Intended::ByRule { .. })) {
            return Ok(case);
        }
        let expected = by_rule(&case);
        for ((step, meant), expected) in case.steps.iter_mut().zip(intended).zip(expected) {
            if let Intended::ByRule { line } = meant {
                let rule = &step.expect.rule;
                let unclear = |why| {
                    let problem = format!("step {}: outcomes do not follow from {rule}: {why}. Write them", step.name);
                    self.mistake_on(line, problem)
                };
                step.expect.outcomes = expected.map_err(unclear)?.outcomes;
            }
        }
        Ok(case)
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::super::tests::GOOD;

    #[test]
    fn what_a_step_does_not_say_follows_from_its_rule() {
        let cases = parse("x.yaml", "scenarios/x/x", GOOD).unwrap().cases;
        let said: Vec<String> = cases[1].steps[..3]
            .iter()
            .map(|step| format!("{:?} {} {}", step.role, step.expect.rule, step.expect))
            .collect();
        let expected = [
            "Focus InitiateLayerUpload/accepted documented [api-public:InitiateLayerUpload] 200",
            "Focus UploadLayerPart/accepted observed [apple/container#1895 dotnet/sdk-container-builds#424 api-public:UploadLayerPart] 200 {\"lastByteReceived\":\"«last:layer»\"}",
            "Focus CompleteLayerUpload/accepted observed [api-public:CompleteLayerUpload] 200",
        ];
        assert_eq!(said, expected);
        assert_eq!(cases[1].steps[3].role, crate::case::StepRole::Attempt);
    }

    #[test]
    fn what_depends_on_the_target_is_pinned_by_reference() {
        let look = "BatchCheckLayerAvailability\n    body: {repositoryName: \"${repository}\", layerDigests: \
                    [\"${sha256:layer}\"]}\n    expect: BatchCheckLayerAvailability/layers/stored\n";
        let text = GOOD.replace("layer: 32", "layer: partSize") + "  - name: look\n    call: " + look;
        // The repository is gone in the model, but for the attempt.
        let text = text
            .replace("    judged: false", "    judged: false\n    only-if: [\"200\"]")
            .replacen("call: DeleteRepository", "call: CreateRepository", 1)
            .replace(", force: true", "");
        let cases = parse("x.yaml", "x", &text).unwrap().cases;
        let expect = &cases[0].steps.last().unwrap().expect;
        assert!(expect.to_string().contains(r#""layerSize":"«size:layer»""#), "{expect}");
    }
}
