//! For people who write such a server in Rust: what ecrspec knows, in their own `cargo test` and `cargo fuzz`.
//!
//! # Your own validator against the documented constraint
//!
//! ```
//! use ecrspec::contract::{Operation, Service};
//! use ecrspec::testing::Constraint;
//! use proptest::prelude::*;
//!
//! // Yours.
//! fn validate(digest: &str) -> bool {
//!     digest.split_once(':').is_some_and(|(algorithm, hex)| {
//!         let letters = |text: &str, more: &str| {
//!             text.chars().all(|letter| letter.is_ascii_alphanumeric() || more.contains(letter)) && !text.is_empty()
//!         };
//!         letters(algorithm, "-_+.") && hex.chars().all(|digit| digit.is_ascii_hexdigit()) && !hex.is_empty()
//!     })
//! }
//!
//! let digests = Constraint::of(Service::Ecr, Operation::CompleteLayerUpload, "layerDigests").unwrap();
//! proptest!(|(text in digests.texts())| digests.hold(&text, validate(&text)));
//! ```
//!
//! Under `cargo fuzz`, the same in one line: `fuzz_target!(|bytes: &[u8]| digests.fuzz(bytes, validate))`.
//!
//! # A tower service against the suite, in process
//!
//! From red to green step by step: what is not done yet is filtered out, or is a known deviation, and the test says when
//! that is no longer so. It needs the features `run` and `terminal`, and neither an HTTP client nor TLS:
//! `ecrspec = { version = "…", default-features = false, features = ["run", "terminal"] }`.
//!
//! ```
//! # #[cfg(all(feature = "run", feature = "terminal", feature = "mock"))] {
//! use ecrspec::contract::Service;
//! use ecrspec::judge::Grade;
//! use ecrspec::testing::{self, Conformance};
//! # use std::sync::Arc;
//! # fn your_router() -> axum::Router {
//! #     ecrspec::mock::router(Arc::new(ecrspec::mock::Mock::new(&Service::ALL)))
//! # }
//!
//! // Panics with the report where something is found.
//! Conformance::new(your_router())
//!     .services([Service::Ecr])
//!     .filter("InitiateLayerUpload") // Part of an id; `=` and an id for that case alone.
//!     .fail_on([Grade::Crash, Grade::State]) // Other grades are reported, and do not fail.
//!     .random(0) // No random sequences.
//!     .run();
//!
//! // One case, by the id that a report gives.
//! testing::case(your_router(), Service::Ecr, "InitiateLayerUpload/accepted/plain");
//! # }
//! ```
//!
//! All functions here work inside and outside of a runtime of tokio: the service is called on a thread with a runtime of its
//! own. A service with tasks on the runtime of the test wants `#[tokio::test(flavor = "multi_thread")]`.
//!
//! One test a case, as `cargo test` shows them: [`Conformance::cases`] under `libtest-mimic`, in a `[[test]]` with
//! `harness = false`:
//!
//! ```no_run
//! # #[cfg(all(feature = "run", feature = "terminal", feature = "mock"))] {
//! use ecrspec::testing::{CaseOutcome, Conformance};
//! use libtest_mimic::{Arguments, Completion, Trial};
//! # use std::sync::Arc;
//! # use ecrspec::contract::Service;
//! # fn your_router() -> axum::Router {
//! #     ecrspec::mock::router(Arc::new(ecrspec::mock::Mock::new(&Service::ALL)))
//! # }
//!
//! let trial = |case: ecrspec::testing::ConformanceCase| {
//!     Trial::ignorable_test(case.name(), move || match case.judge()? {
//!         CaseOutcome::Passed => Ok(Completion::Completed),
//!         CaseOutcome::Skipped(reason) => Ok(Completion::ignored_with(reason)),
//!     })
//! };
//! let trials = Conformance::new(your_router()).cases().into_iter().map(trial).collect();
//! libtest_mimic::run(&Arguments::from_args(), trials).exit();
//! # }
//! ```
//!
//! Under `cargo fuzz`, one sequence after the other, each found by what it reaches in your code:
//!
//! ```
//! # #[cfg(feature = "mock")] {
//! use ecrspec::case::Plan;
//! use ecrspec::contract::Service;
//! use ecrspec::testing;
//! # use std::sync::Arc;
//! # fn your_router() -> axum::Router {
//! #     ecrspec::mock::router(Arc::new(ecrspec::mock::Mock::new(&Service::ALL)))
//! # }
//!
//! // fuzz_target!(|plan: Plan| testing::sequence(your_router(), Service::Ecr, &plan));
//! let plan: Plan = arbitrary::Unstructured::new(b"bytes of a fuzzer").arbitrary().unwrap();
//! testing::sequence(your_router(), Service::Ecr, &plan);
//! # }
//! ```
//!
//! # Requests, each with what it must be answered
//!
//! ```
//! use ecrspec::contract::Service;
//! use ecrspec::testing::Upload;
//! use proptest::prelude::*;
//!
//! // An upload as it is in your server: one part, and not completed.
//! let upload = Upload {
//!     repository: String::from("team/app"),
//!     id: String::from("6cb64b8a-9378-0e33-2ab1-b780fab8a9e9"),
//!     digest: format!("sha256:{}", "0f".repeat(32)),
//! };
//! proptest!(|(request in upload.completions(Service::Ecr))| {
//!     let valid = request.expected.is_success();
//!     prop_assert_eq!(valid, request.violations.is_empty(), "{:?}", request.violations);
//! });
//!
//! // From the bytes of a fuzzer:
//! let mut bytes = arbitrary::Unstructured::new(&[7; 40]);
//! let request = upload.completion(Service::Ecr, &mut bytes).unwrap();
//! assert!(!request.body.is_empty());
//! ```

#[cfg(all(feature = "run", feature = "terminal"))]
mod conformance;
mod failure;
mod single;

use arbitrary::{Arbitrary as _, Unstructured};
use bytes::Bytes;
use proptest::prelude::*;

use crate::case::bindings::of_digest;
use crate::case::{Bindings, Case, Decision};
use crate::contract::{self, Kind, Operation, RuleId, Rules, Service, Text};
use crate::expect::Expectation;
use crate::generate::{self, Violations, plan};
use crate::template::Reference;

#[cfg(all(feature = "run", feature = "terminal"))]
pub use conformance::{CaseOutcome, Conformance, ConformanceCase, conforms};
pub use failure::Failure;
pub use single::{case, sequence};

/// What the documents say of a string: of a member of a request, or of each item of a list.
#[derive(Clone, Copy, Debug)]
pub struct Constraint {
    service: Service,
    operation: Operation,
    member: &'static str,
    text: &'static Text,
}

/// What a constraint says of one string.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Allows {
    /// It must be accepted.
    Yes,
    /// It must be rejected.
    No,
    /// Editions of the documents differ.
    Open,
}

impl Constraint {
    /// The constraint of a member, such as `repositoryName` of `InitiateLayerUpload`. `None` where there is no such
    /// member, or where it is no string and no list of strings.
    pub fn of(service: Service, operation: Operation, member: &str) -> Option<Constraint> {
        let operation = service.contract().operation(operation)?;
        let member = operation.input(member)?;
        let text = match &member.shape.kind {
            Kind::Text(text) => text,
            Kind::List { item, .. } => match &item.kind {
                Kind::Text(text) => text,
                _ => return None,
            },
            _ => return None,
        };
        Some(Constraint { service, operation: operation.name, member: member.name, text })
    }

    /// What it says of a string.
    pub fn allows(&self, text: &str) -> Allows {
        let length = self.text.allows_length(text);
        match () {
            () if length && self.text.matches_all(text) => Allows::Yes,
            () if !length || !self.text.matches_any(text) => Allows::No,
            () => Allows::Open,
        }
    }

    /// Panics where a validator contradicts it.
    ///
    /// # Panics
    ///
    /// When the validator accepts what must be rejected, or rejects what must be accepted. The message has the string, the
    /// rule and its sources.
    pub fn hold(&self, text: &str, accepted: bool) {
        let wrong = match (self.allows(text), accepted) {
            (Allows::Yes, false) => "is rejected and must be accepted",
            (Allows::No, true) => "is accepted and must be rejected",
            _ => return,
        };
        use contract::Constraint::{ItemMaxLength, ItemMinLength, ItemPattern, MaxLength, MinLength, Pattern};
        let of_text = [ItemMaxLength, ItemMinLength, ItemPattern, MaxLength, MinLength, Pattern];
        let about = |id: RuleId| {
            let stated = id.constraint().is_some_and(|constraint| of_text.contains(&constraint));
            stated && id.is_about(self.operation, self.member)
        };
        let rules: Vec<String> = Rules::of(self.service)
            .iter()
            .filter(|rule| about(rule.id))
            .map(|rule| {
                let sources: Vec<&str> = rule.sources.iter().map(|source| source.url).collect();
                format!("{}: {} ({})", rule.id, rule.statement, sources.join(", "))
            })
            .collect();
        panic!("{text:?} {wrong}\n{}", rules.join("\n"));
    }

    /// A string of exactly so many characters that every edition of the documents allows, if there is one. The entropy
    /// chooses among the many: the same entropy gives the same string.
    ///
    /// ```
    /// use ecrspec::contract::{Operation, Service};
    /// use ecrspec::testing::{Allows, Constraint};
    ///
    /// let names = Constraint::of(Service::Ecr, Operation::InitiateLayerUpload, "repositoryName").unwrap();
    /// let longest = names.matching(256, 7).unwrap();
    /// assert_eq!((longest.len(), names.allows(&longest)), (256, Allows::Yes));
    /// assert_eq!(names.matching(257, 7), None);
    /// ```
    pub fn matching(&self, length: usize, entropy: u64) -> Option<String> {
        generate::matching(self.text, length, entropy)
    }

    /// Strings that it allows, and strings that it nearly allows, some of each.
    pub fn texts(self) -> impl Strategy<Value = String> {
        any::<[u8; 24]>().prop_map(move |chance| generate::draw(self.text, &chance))
    }

    /// A string from the bytes of a fuzzer: those of [`Constraint::texts`], or the bytes themselves.
    pub fn text(&self, bytes: &[u8]) -> String {
        match bytes.split_first() {
            Some((first, rest)) if first % 2 == 0 => String::from_utf8_lossy(rest).into_owned(),
            Some((_, rest)) => generate::draw(self.text, rest),
            None => String::new(),
        }
    }

    /// A fuzz target's body: holds a validator's word on the string of these bytes.
    ///
    /// # Panics
    ///
    /// As [`Constraint::hold`].
    pub fn fuzz(&self, bytes: &[u8], validate: impl Fn(&str) -> bool) {
        let text = self.text(bytes);
        self.hold(&text, validate(&text));
    }
}

/// An upload of a server that is to be completed: of one part, in a repository that has nothing else.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Upload {
    /// Its repository.
    pub repository: String,
    /// What InitiateLayerUpload gave it as `uploadId`.
    pub id: String,
    /// `sha256:` and the hex digits of what was uploaded, in lower case.
    pub digest: String,
}

/// A CompleteLayerUpload with what it must be answered.
#[derive(Clone, Debug)]
pub struct Completion {
    /// The body of the request.
    pub body: Bytes,
    /// What is wrong with it, by the names that cases of the catalogue have; empty where it is valid.
    pub violations: Vec<String>,
    /// What is allowed as its answer, with sources.
    pub expected: Expectation,
}

const COMPLETE: Operation = Operation::CompleteLayerUpload;

impl Upload {
    /// Valid and invalid requests to complete it.
    pub fn completions(&self, service: Service) -> impl Strategy<Value = Completion> + use<> {
        let upload = self.clone();
        plan::decisions_of(service, COMPLETE).prop_map(move |decision| upload.completion_of(service, &decision))
    }

    /// A request to complete it, from the bytes of a fuzzer.
    ///
    /// # Errors
    ///
    /// None: any bytes are a request. The type is that of [`arbitrary`].
    pub fn completion(&self, service: Service, bytes: &mut Unstructured) -> arbitrary::Result<Completion> {
        let decision = Decision { operation: COMPLETE, ..Decision::arbitrary(bytes)? };
        Ok(self.completion_of(service, &decision))
    }

    /// The last call of a sequence that comes to such an upload.
    fn completion_of(&self, service: Service, decision: &Decision) -> Completion {
        let of = |decision: &Decision| self.last_of(&generate::completion(service, decision), &decision.violations);
        // What takes another repository or upload to be wrong is left out: then it is the plain request.
        of(decision)
            .or_else(|| of(&Decision::plain(COMPLETE)))
            .unwrap_or_else(|| unreachable!("a plain completion names only this upload"))
    }

    fn last_of(&self, case: &Case, violations: &[u16]) -> Option<Completion> {
        let mut bindings = Bindings::new(&case.chunks, "testing", 0);
        let hex = self.digest.strip_prefix("sha256:").unwrap_or(&self.digest);
        bindings.bind(Reference::repository(None), self.repository.as_str());
        bindings.bind(Reference::Absent, format!("{}-absent", self.repository));
        bindings.bind(Reference::member("upload1", "uploadId"), self.id.as_str());
        bindings.bind(Reference::sha256("layer1"), self.digest.as_str());
        let step = case.steps.last()?;
        // A digest of no known form has no digits that follow from it by themselves.
        for reference in step.request.body.references().filter(|reference| reference.bytes_of() == ["layer1"]) {
            if bindings.value(reference).is_none()
                && let Some(digest) = of_digest(reference, hex)
            {
                bindings.bind(reference.clone(), digest);
            }
        }
        let known = Violations::of(case.service, COMPLETE);
        let names: Vec<String> = violations.iter().filter_map(|number| known.name(*number)).map(String::from).collect();
        Some(Completion {
            body: bindings.fill(&step.request.body).ok()?,
            // A drawn value may be a good one, and what is wrong with a state may not apply to this one.
            violations: if step.expect.is_success() { Vec::new() } else { names },
            expected: step.expect.clone(),
        })
    }
}
