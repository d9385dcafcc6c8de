//! `ecrspec`: a conformance and fuzz test harness for the layer-upload API of Amazon ECR and of everything that claims to
//! be compatible with it.
//!
//! From the documented constraints it builds valid and invalid sequences of calls that end in `CompleteLayerUpload`,
//! sends them to any endpoint, and says of each answer whether the documents allow it, with the source.
//!
//! # The flow
//!
//! ```text
//! contract ──► generate ──► Case ──► drive ──► Transcript ──► judge ──► Verdict ──► event log ──► reports
//!    │            ▲  ▲        ▲        │              │          ▲          │
//!    │       Plan ┘  │  scenarios/*.yaml              │ follow   │          └─► search ──► smaller Plan
//!    └──► model ─────┴────────┴───► Expectation ◄─────┘          │
//!                                        └───► snapshots/ (reviewed)
//! ```
//!
//! Written and generated cases meet at [`case::Case`]; from there there is one way. A drawn case begins as a
//! [`case::Plan`]; what it expects follows what the target answered ([`generate::follow`]), and what fails is shrunk
//! as a plan.
//!
//! # What others use
//!
//! [`testing`] in tests, `mock` as a server, `run` with its [`events`] and [`report`], and what these speak of: [`contract`],
//! [`scenario`], plans ([`case`], [`generate::plan`]), findings ([`judge`]). A room that is public for the command, the tests
//! and the fuzz targets alone has `#[doc(hidden)]`. What will grow is `#[non_exhaustive]`.
//!
//! # The rooms
//!
//! Floors from the ground up. A room imports rooms below it, and few on its own floor; `tests/tidy.rs` has the list.
//!
//! | floor | room | what it is for |
//! | --- | --- | --- |
//! | 1 | [`contract`] | what the documents say, as data: shapes, patterns, errors, rules, sources; [`contract::check`] holds a request against them |
//! | 2 | [`wire`] | requests, answers, the awsJson1_1 envelope, how an error type is found; [`wire::Observation`], an answer decoded once |
//! | 2 | [`template`] | bytes with references `${…}`, parsed once; [`template::Reference`], the kinds of them |
//! | 2 | [`expect`] | what is allowed as an answer, and how that reads |
//! | 3 | [`case`] | a sequence of calls, its references and its bytes; [`case::Plan`], the decisions behind a random one |
//! | 3 | [`model`] | the reference registry |
//! | 3 | [`judge`] | a transcript against its expectations; [`judge::snapshot`] reads and prints the reviewed ones |
//! | 4 | [`generate`] | the catalogue, one file a family; [`generate::expected`] runs a case on the model; [`generate::realise`] makes a plan a case |
//! | 4 | [`scenario`] | a YAML file becomes a case, and a case a file |
//! | 4 | `mock` | the model behind HTTP, its faults and its lawful variants (feature `mock`) |
//! | 4 | [`drive`] | a case on a target |
//! | 4 | [`survey`] | the first look at a target, and which cases make no sense there |
//! | 5 | [`events`] | the event log of a run |
//! | 5 | [`report`] | what is rendered from the events of a run |
//! | 5 | [`evidence`] | what a run's answers say about rules, as files that can be proposed as sources |
//! | 5 | [`coverage`] | what cases cover, measured: constraint by constraint, error by error, state by state |
//! | 5 | [`linearize`] | calls at once: the order that explains their answers, and the calls that show that there is none |
//! | 5 | [`suite`] | all cases of a service with their reviewed expectations |
//! | 5 | [`search`] | random sequences: novelty, and what a failure is shrunk to |
//! | 5 | [`session`] | a service of a target as the survey found it, and how a case is judged on it |
//! | 5 | `run` | survey, cases, search, verdicts, events (feature `run`) |
//! | 6 | `selftest` | the harness on itself: faults must be found, variants must not |
//! | 6 | `cli` | one file a subcommand (feature `cli`) |
//! | 6 | [`testing`] | for the test suites of servers in Rust: constraints, a tower service, drawn requests |
//! | 7 | [`fuzzing`] | the bodies of the fuzz targets |
//!
//! # Where a new thing goes
//!
//! `CONTRIBUTING.md` has the table: operation, rule, case, fault, variant, report format, driver, exit code, wording, and
//! the rest, each with the files that it touches.
//!
//! # Invariants
//!
//! 1. [`contract`] depends on no other room. [`contract`], [`template`], [`expect`], [`case`], [`model`], [`judge`],
//!    [`generate`], [`linearize`], [`scenario`], [`events`], [`evidence`], [`report`] and [`coverage`] do no I/O and are not async; of
//!    [`survey`], they use what was found, and only a run looks.
//! 2. [`judge`] sees an expectation and a transcript, never a target. `mock` uses neither [`generate`] nor [`judge`].
//! 3. The catalogue is deterministic: ids are built from names, and the same version has the same cases in the same order.
//!    All randomness enters through a [`case::Plan`]; the id of a random case is its plan as text, or its seed and number.
//! 4. No finding without a rule, no rule without a source; every rule that gates has a case.
//! 5. Bytes from a target can give findings, never a panic, a hang or unbounded memory.
//! 6. A case works in repositories with the run's prefix in their names, and removes them: after a pass, a failure, or
//!    Ctrl-C. What a target does not let it remove is said.
//! 7. Credentials never reach a report or a log.
//! 8. Of calls at once, only answers that no lawful order explains are a finding; a search that was given up is none.
//!
//! `tests/tidy.rs` keeps the first two and the fourth, `tests/search.rs` and `tests/search_cli.rs` the third, `tests/cli.rs` the sixth, `tests/hostile.rs` and [`fuzzing`] the fifth,
//! `tests/races.rs` the eighth.

pub mod case;
pub mod contract;
#[doc(hidden)]
pub mod coverage;
pub mod drive;
pub mod events;
#[doc(hidden)]
pub mod evidence;
pub mod expect;
#[doc(hidden)]
pub mod fuzzing;
pub mod generate;
pub mod judge;
#[doc(hidden)]
pub mod linearize;
pub mod model;
pub mod report;
pub mod scenario;
#[doc(hidden)]
pub mod session;
#[doc(hidden)]
pub mod suite;
pub mod survey;
pub mod template;
pub mod wire;

#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
#[cfg(feature = "mock")]
pub mod mock;
#[cfg(feature = "run")]
pub mod run;
pub mod search;
#[cfg(all(feature = "run", feature = "mock"))]
#[doc(hidden)]
pub mod selftest;
pub mod testing;
