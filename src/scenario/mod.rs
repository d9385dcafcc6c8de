//! Cases written by hand: `scenarios/<topic>/<name>.yaml`.
//!
//! ```yaml
//! title: a layer of one part
//! bytes:
//!   layer: 32
//! steps:
//!   - name: upload
//!     call: InitiateLayerUpload
//!     body: {repositoryName: "${repository}"}
//!   - name: complete
//!     call: CompleteLayerUpload
//!     body: {repositoryName: "${repository}", uploadId: "${upload.uploadId}", layerDigests: ["${sha256:layer}"]}
//!     expect: CompleteLayerUpload/parts/not-empty
//! ```
//!
//! A step that says nothing else must succeed; `expect` names the rule that it is about instead. Tier and sources are
//! those of the rule, and the allowed outcomes too, with the values that the reference registry answers with
//! ([`by_rule`](crate::generate::expected::by_rule)); a file that needs others has them below `expect`. `judged: false` is for what a target may reject
//! ([`Attempt`](crate::case::StepRole::Attempt)).
//!
//! A step may have `only-if`: the outcomes from which the case goes on ([`Step::only_if`](crate::case::Step::only_if)); and `at-once`: it is sent at
//! the same time as the step before it. A file with such steps may have `rounds` ([`Case::rounds`]). What `repeat` makes
//! of steps is in `repeat.rs`. A file may say what a target was found to do when it was written ([`Found`]).
//!
//! The references `${…}` are those of [`Reference`](crate::template::Reference). A mistake gives file, line, key and what was expected. [`print()`] is
//! the way back: a file for a case.

mod check;
mod complete;
mod expect;
mod json;
mod print;
mod quote;
mod repeat;
mod written;

use serde::Deserialize;

pub use print::{Loss, Unwritable, print, print_found};
use written::Reader;

use crate::case::Case;
use crate::contract::RuleId;

/// A mistake in a scenario file.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{file}{place}: {problem}", place = line.map_or(String::new(), |line| format!(":{line}")))]
pub struct Mistake {
    /// The file, as it was named.
    pub file: String,
    /// The line, counted from 1, if the mistake has one.
    pub line: Option<u64>,
    /// The key, what was expected and what was found.
    pub problem: String,
}

/// What a scenario file has.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// One case a service that it is for.
    pub cases: Vec<Case>,
    /// What a target was found to do, if the file says so.
    pub found: Option<Found>,
}

/// What a target was found to do when a file was written, so that whoever repeats it can tell whether it still does.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// Id of the rule that the finding names.
    pub rule: RuleId,
    /// What came, as the finding says it.
    pub got: String,
}

/// Reads a scenario file.
///
/// # Errors
///
/// The first mistake in the file.
pub fn parse(file: &str, id: &str, text: &str) -> Result<Scenario, Mistake> {
    let reader = Reader { file, id };
    let written = reader.written(text)?;
    let outlines = reader.outlines(&written)?;
    let cases = outlines.into_iter().map(|outline| reader.completed(outline)).collect::<Result<_, _>>()?;
    Ok(Scenario { cases, found: written.found })
}

/// Reads a scenario file, without the outcomes that follow from rules: enough for a list, and much cheaper, for no layer
/// is hashed.
///
/// # Errors
///
/// The first mistake in the file, but for an expectation that the reference registry would not answer by.
pub fn outline(file: &str, id: &str, text: &str) -> Result<Vec<Case>, Mistake> {
    let reader = Reader { file, id };
    let written = reader.written(text)?;
    Ok(reader.outlines(&written)?.into_iter().map(|outline| outline.case).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file without a mistake.
    pub(super) const GOOD: &str = r#"
title: a layer of one part
bytes:
  layer: 32
steps:
  - name: upload
    call: InitiateLayerUpload
    body: {repositoryName: "${repository}"}
  - name: part
    call: UploadLayerPart
    body: {"repositoryName": "${repository}", "uploadId": "${upload.uploadId}", "partFirstByte": 0,
           "partLastByte": "${last:layer}", "layerPartBlob": "${base64:layer}"}
    expect: UploadLayerPart/accepted
  - name: complete
    call: CompleteLayerUpload
    body: {repositoryName: "${repository}", uploadId: "${upload.uploadId}", layerDigests: ["${sha256:layer}"]}
    expect:
      outcomes: ["200"]
      tier: observed
      sources: [api:CompleteLayerUpload]
  - name: delete
    call: DeleteRepository
    body: {repositoryName: "${repository}", force: true}
    judged: false
"#;

    #[test]
    fn a_file_gives_a_case_a_service() {
        let cases = parse("x.yaml", "scenarios/x/x", GOOD).unwrap().cases;
        assert_eq!(cases.len(), 2);
        let body = cases[0].steps[1].request.body.to_string();
        assert!(body.contains(r#""partLastByte":${last:layer}"#), "{body}");
    }
}
