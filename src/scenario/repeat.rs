//! Steps that are repeated, for what many clients do alike: each time with another number in place of `#`.
//!
//! ```yaml
//! bytes:
//!   layer-#: 32
//! steps:
//!   - repeat: 8
//!     at-once: true
//!     steps:
//!       - name: upload-#
//!         call: InitiateLayerUpload
//!         body: {repositoryName: "${repository}"}
//! ```
//!
//! A single step has `repeat` itself. `#` is a number in names, also in those that references have. With `at-once`, all that is repeated is
//! sent at the same time.

use serde_saphyr::Spanned;

use super::Mistake;
use super::written::{Reader, WrittenStep};
use crate::template::{NoReference, Template};

/// How often steps are repeated at most.
const MAX: usize = 100;

/// A step that is sent once.
pub(super) struct Unrolled<'a> {
    /// What the file says of it.
    pub(super) step: &'a WrittenStep,
    /// Its name, with its number.
    pub(super) name: String,
    /// Where its name stands, for mistakes.
    pub(super) at: &'a Spanned<String>,
    /// Whether it is sent at the same time as the one before it, and where that is said.
    pub(super) at_once: Option<&'a Spanned<bool>>,
    number: Option<usize>,
}

impl Unrolled<'_> {
    /// A template of the step with the number in the names of its references.
    pub(super) fn numbered(&self, template: &Template) -> Template {
        match self.number {
            Some(number) => template.rename(|name| name.replace('#', &number.to_string())),
            None => template.clone(),
        }
    }

    /// An outcome as the file has it, with the number.
    pub(super) fn outcome(&self, text: &str) -> Result<Template, NoReference> {
        Template::from_shown(text).map(|template| self.numbered(&template))
    }
}

impl Reader<'_> {
    /// The steps of a file as they are sent.
    pub(super) fn unrolled<'a>(&self, written: &'a [Spanned<WrittenStep>]) -> Result<Vec<Unrolled<'a>>, Mistake> {
        let mut all = Vec::new();
        for entry in written {
            match &entry.value.repeat {
                Some(repeat) => all.extend(self.repeated(entry, repeat)?),
                None if entry.value.steps.is_some() => {
                    return Err(self.mistake(entry, String::from("repeat: expected how often the steps are repeated")));
                }
                None => all.push(self.one(entry, None, entry.value.at_once.as_ref())?),
            }
        }
        Ok(all)
    }

    fn repeated<'a>(
        &self,
        entry: &'a Spanned<WrittenStep>,
        repeat: &Spanned<usize>,
    ) -> Result<Vec<Unrolled<'a>>, Mistake> {
        if !(2..=MAX).contains(&repeat.value) {
            let problem = format!("repeat: expected a number from 2 to {MAX}, found {}", repeat.value);
            return Err(self.mistake(repeat, problem));
        }
        let steps = match &entry.value.steps {
            Some(steps) if steps.is_empty() || !entry.value.is_group() => {
                let problem = "steps: expected one step at least, and no key besides repeat, at-once and steps";
                return Err(self.mistake(entry, String::from(problem)));
            }
            Some(steps) => steps.as_slice(),
            None => std::slice::from_ref(entry),
        };
        let together = entry.value.at_once.as_ref().filter(|at_once| at_once.value);
        let mut all = Vec::new();
        for number in 1..=repeat.value {
            for step in steps {
                let nested = entry.value.steps.is_some() && (step.value.repeat.is_some() || step.value.steps.is_some());
                if nested {
                    return Err(self.mistake(step, String::from("repeat: expected no repeat inside of another")));
                }
                let at_once = match together {
                    Some(_) if all.is_empty() => None,
                    Some(at_once) => Some(at_once),
                    None => step.value.at_once.as_ref(),
                };
                all.push(self.one(step, Some(number), at_once)?);
            }
        }
        Ok(all)
    }

    fn one<'a>(
        &self,
        step: &'a Spanned<WrittenStep>,
        number: Option<usize>,
        at_once: Option<&'a Spanned<bool>>,
    ) -> Result<Unrolled<'a>, Mistake> {
        let Some(at) = &step.value.name else {
            return Err(self.mistake(step, String::from("name: expected one in every step")));
        };
        let name = match number {
            Some(number) if at.value.contains('#') => at.value.replace('#', &number.to_string()),
            Some(_) => {
                let problem = format!("name: expected a # for the number of a repeated step, found {:?}", at.value);
                return Err(self.mistake(at, problem));
            }
            None => at.value.clone(),
        };
        Ok(Unrolled { step: &step.value, name, at, at_once, number })
    }
}

impl WrittenStep {
    /// Whether it says nothing of a request of its own.
    fn is_group(&self) -> bool {
        let request = self.name.is_some() || self.call.is_some() || self.body.is_some() || self.raw.is_some();
        let answer = self.expect.is_some() || self.judged.is_some() || !self.only_if.is_empty();
        !request && !answer && self.headers.0.is_empty() && self.method.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    #[test]
    fn steps_are_repeated_with_a_number() {
        let text = r#"
title: eight
rounds: 2
bytes: {layer-#: 32, other: 1}
steps:
  - name: upload-#
    repeat: 2
    call: InitiateLayerUpload
    body: {repositoryName: "${repository}"}
  - repeat: 2
    at-once: true
    steps:
      - name: part-#
        call: UploadLayerPart
        body: {repositoryName: "${repository}", uploadId: "${upload-#.uploadId}", partFirstByte: 0,
               partLastByte: "${last:layer-#}", layerPartBlob: "${base64:layer-#}"}
      - name: part-#-again
        call: UploadLayerPart
        body: {repositoryName: "${repository}", uploadId: "${upload-#.uploadId}", partFirstByte: 32,
               partLastByte: "${last:layer-#+layer-#}", layerPartBlob: "${base64:layer-#}"}
        expect: {outcomes: ['200 {"uploadId": "${upload-#.uploadId}"}']}
"#;
        let case = parse("x.yaml", "x", text).unwrap().cases.remove(0);
        let names: Vec<(&str, bool)> = case.steps.iter().map(|step| (step.name.as_str(), step.at_once)).collect();
        let expected = [
            ("upload-1", false),
            ("upload-2", false),
            ("part-1", false),
            ("part-1-again", true),
            ("part-2", true),
            ("part-2-again", true),
        ];
        assert_eq!(names, expected);
        let chunks: Vec<&str> = case.chunks.iter().map(|chunk| chunk.name.as_str()).collect();
        assert_eq!(chunks, ["layer-1", "layer-2", "other"]);
        let again = &case.steps[5];
        let body = again.request.body.to_string();
        assert!(body.contains("${upload-2.uploadId}") && body.contains("${last:layer-2+layer-2}"), "{body}");
        assert_eq!(again.expect.outcomes[0].members()["uploadId"], "${upload-2.uploadId}");
        let rows = [
            (
                "    repeat: 2\n    call",
                "    repeat: 1\n    call",
                "x.yaml:7: repeat: expected a number from 2 to 100, found 1",
            ),
            ("upload-#\n", "upload\n", "x.yaml:6: name: expected a # for the number of a repeated step"),
            ("  - repeat: 2\n    at-once", "  - at-once", "x.yaml:10: repeat: expected how often"),
            (
                "    at-once: true\n    steps",
                "    call: X\n    steps",
                "x.yaml:10: steps: expected one step at least, and no key",
            ),
            (
                "      - name: part-#\n",
                "      - name: part-#\n        repeat: 2\n",
                "x.yaml:13: repeat: expected no repeat inside",
            ),
            ("layer-#: 32", "layer: 32", "x.yaml:15: ${last:layer-1}: no bytes are named \"layer-1\""),
        ];
        for (from, to, expected) in rows {
            assert!(text.contains(from), "{from}");
            let found = parse("x.yaml", "x", &text.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(found.starts_with(expected), "{to}: {found}");
        }
    }
}
