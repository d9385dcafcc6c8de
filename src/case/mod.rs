//! A case: a named sequence of calls, with what the contract allows for each. Written (`scenario`) and generated
//! (`generate`) cases meet here.

pub mod bindings;
pub mod body;
pub mod chunk;
pub mod draft;
mod heading;
pub mod partition;
pub mod plan;
mod since;

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::contract::{Effect, Operation, OperationSpec, Question, Role, RuleId, Rules, Service, Tier};
use crate::expect::{Expectation, Outcome};
use crate::template::Template;
use crate::wire::{Exchange, Request, Unsendable};

pub use bindings::{Bindings, Unbound, Unknown};
pub use chunk::{Chunk, Length};
pub use heading::Heading;
pub(crate) use heading::each_once;
pub use partition::Partition;
pub use plan::{Decision, Plan};
pub use since::{FIRST, NoVersion, SuiteVersion, since};

/// What the ids of cases about signatures begin with: they take a signed run.
pub const SIGNATURES: &str = "auth/";

/// A named sequence of calls.
#[derive(Clone, Debug)]
pub struct Case {
    /// Stable id: the rule and a variant, or `scenarios/<topic>/<name>`.
    pub id: String,
    /// Where it comes from.
    pub kind: CaseKind,
    /// Which service it is for.
    pub service: Service,
    /// What it does, in a few words.
    pub title: String,
    /// What happens and why it matters, in some sentences; empty where the title says it.
    pub about: String,
    /// The repository it works in.
    pub place: Place,
    /// The bytes it uploads.
    pub chunks: Vec<Chunk>,
    /// The calls, in order.
    pub steps: Vec<Step>,
    /// Whether it is run after all others: far positions have been seen to exhaust the memory of servers.
    pub last: bool,
    /// How often it is tried: what calls that are sent at once come to differs from time to time. 1 for all other cases.
    pub rounds: usize,
    /// The decisions that a random case was made from. What it expects then follows what the target answers.
    pub plan: Option<Plan>,
}

/// Where a case comes from.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaseKind {
    /// Generated from the contract.
    Catalogue,
    /// A scenario of the suite.
    Scenario,
    /// A scenario file of the user.
    UserScenario,
    /// A random sequence that a seed gives.
    Random,
    /// A random sequence with a plan of its own: a steered one, or one that was shrunk.
    Plan,
}

impl CaseKind {
    /// Whether chance made it.
    pub fn is_random(self) -> bool {
        matches!(self, CaseKind::Random | CaseKind::Plan)
    }
}

/// The repository that a case works in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Place {
    /// One that other cases use too: the case changes nothing that they could see.
    Shared,
    /// Its own. The names are those of further repositories, `${repository:NAME}`.
    Own(Vec<String>),
}

/// One call of a case.
#[derive(Clone, Debug)]
pub struct Step {
    /// Name under which later steps refer to its answer.
    pub name: String,
    /// The operation called; `None` where the request names none that there is.
    pub operation: Option<Operation>,
    /// The request, with references in its body.
    pub request: Request<Template>,
    /// Whether it is sent at the same time as the step before it.
    pub at_once: bool,
    /// What the step is for.
    pub role: StepRole,
    /// What is allowed as its answer.
    pub expect: Expectation,
    /// Rules that its request breaks besides the one of `expect`, where it has several violations.
    pub also_broken: Vec<RuleId>,
    /// Set where it breaks two rules that are answered differently: which of them the target looks at first is recorded.
    pub precedence: Option<Question>,
    /// The answers from which the case goes on; empty where it always does. For cases whose later expectations rest on
    /// what a target did where the documents leave it a choice.
    pub only_if: Vec<Outcome>,
    /// What its request comes to without its violations, and with each: what a random case expects follows from that.
    pub readings: Option<Arc<Readings>>,
}

/// A request of a random case, and what it would be with each of its violations alone.
#[derive(Clone, Debug)]
pub struct Readings {
    /// Without any.
    pub valid: Template,
    /// The rule that the valid request answers to.
    pub accepting: RuleId,
    /// With each alone, and the rule that it breaks, if the violation itself says so.
    pub alone: Vec<(Option<RuleId>, Template)>,
    /// Whether a violation makes it name another repository or upload: then the state of the right one does not count.
    pub elsewhere: bool,
    /// Whether the reference registry accepts it, where no more of an answer counts for what comes later.
    pub accepted: Option<bool>,
}

/// What a step is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StepRole {
    /// Makes the state that the case is about; valid, and expected to succeed.
    SetUp,
    /// Tries something that the target may reject, such as creating a repository with an odd name; never judged.
    Attempt,
    /// What the case is about.
    Focus,
    /// Looks, by BatchCheckLayerAvailability, whether the focus changed what it must not; judged where the survey found
    /// that the operation can be believed.
    Probe,
}

/// All exchanges of a case, with the values its references stood for.
#[derive(Clone, Debug)]
pub struct Transcript {
    /// One exchange a step, in order; shorter than the steps where the case could not go on.
    pub exchanges: Vec<Exchange>,
    /// What the references stood for.
    pub bindings: Bindings,
    /// When the last of them was sent, from the beginning of the case.
    pub last_sent: Duration,
    /// Why the case could not go on.
    pub stopped: Option<Stopped>,
    /// Repositories that were made and could not be removed.
    pub left: Vec<String>,
}

/// Why a case could not go on.
#[derive(Clone, Debug)]
pub enum Stopped {
    /// A repository that it needs could not be created: what came back.
    NoRepository(Box<Exchange>),
    /// No earlier response gave what a request needs.
    Unbound {
        /// Name of the step.
        step: String,
        /// What it needs.
        reference: String,
    },
    /// A request cannot be sent to this target.
    Unsendable {
        /// Name of the step.
        step: String,
        /// Why not.
        cause: Unsendable,
    },
}

impl Transcript {
    /// Exchanges that were kept, without what their references stood for.
    pub fn of(case: &Case, exchanges: Vec<Exchange>) -> Transcript {
        let bindings = Bindings::new(&case.chunks, "", 0);
        Transcript { exchanges, bindings, last_sent: Duration::ZERO, stopped: None, left: Vec::new() }
    }

    /// Whether a kept connection ended before it brought an answer: that says nothing about the target.
    pub fn met_ended_connection(&self) -> bool {
        let of_repository = match &self.stopped {
            Some(Stopped::NoRepository(exchange)) => exchange.met_ended_connection(),
            _ => false,
        };
        of_repository || self.exchanges.iter().any(Exchange::met_ended_connection)
    }
}

impl Case {
    /// How often a case with calls at once is tried where it says nothing else.
    pub const ROUNDS: usize = 12;

    /// How many calls are sent at once at most.
    pub const MAX_AT_ONCE: usize = 16;

    /// Whether it sends calls at once.
    pub fn is_race(&self) -> bool {
        self.steps.iter().any(|step| step.at_once)
    }

    /// Whether a step that it is about answers to this rule.
    pub fn is_about(&self, rule: RuleId) -> bool {
        self.steps.iter().any(|step| step.role == StepRole::Focus && step.expect.rule == rule)
    }

    /// The steps by when they are sent: each group is sent when the one before it is answered.
    pub fn groups(&self) -> Vec<Range<usize>> {
        let mut groups: Vec<Range<usize>> = Vec::new();
        for (index, step) in self.steps.iter().enumerate() {
            match groups.last_mut() {
                Some(group) if step.at_once => group.end += 1,
                _ => groups.push(index..index + 1),
            }
        }
        groups
    }

    /// Whether it needs a repository of its own: it makes or removes repositories, needs more than one, or leaves an image
    /// behind, which only goes with its repository, or completes layers whose bytes are the same in every run.
    pub fn manages_repositories(&self) -> bool {
        let more = matches!(&self.place, Place::Own(names) if !names.is_empty());
        let leaves_image = |operation: Operation| operation.effect() == Effect::ReferencesLayers;
        let manages = |operation: Operation| operation.manages_repositories() || leaves_image(operation);
        let same_bytes = self.chunks.iter().any(|chunk| matches!(chunk.len, Length::Literal { .. } | Length::Text(_)));
        more || same_bytes || self.steps.iter().any(|step| step.operation.is_some_and(manages))
    }

    /// The strongest tier among the steps that the case is about. That calls at once have an order is derived.
    pub fn tier(&self) -> Tier {
        let focus = self.steps.iter().filter(|step| step.role == StepRole::Focus);
        let strongest = focus.map(|step| step.expect.tier).min().unwrap_or(Tier::Open);
        if self.is_race() { strongest.max(Tier::Derived) } else { strongest }
    }
}

impl Step {
    /// What the documents say of its operation.
    pub fn spec(&self, service: Service) -> Option<&'static OperationSpec> {
        service.contract().operation(self.operation?)
    }

    /// Who answers, for a reader: the operation, or the server where the request names none.
    pub fn operation_name(&self) -> &str {
        self.operation.map_or("the server", Operation::name)
    }
}

/// The rule of a plain call, which must succeed.
pub fn plain_rule(operation: Operation) -> RuleId {
    match operation.role() {
        Role::Layer | Role::Image => RuleId::of(operation, "accepted"),
        Role::SetUp => RuleId::of_survey(operation),
    }
}

/// What a rule allows, before the model adds which values the answer must have: the errors of the rule, success where it
/// has none, either for an open rule.
///
/// # Panics
///
/// When the service has no rule with this id: generators name rules that exist (tests/tidy.rs).
pub fn allowed(service: Service, rule: RuleId) -> Expectation {
    let rule = Rules::of(service).get(rule).unwrap_or_else(|| panic!("{service} has no rule {rule}"));
    let success = (rule.errors.is_empty() || rule.tier == Tier::Open).then(Outcome::success);
    let errors = rule.errors.iter().filter_map(|name| crate::contract::ErrorType::find(name)).map(Outcome::error);
    Expectation {
        rule: rule.id,
        tier: rule.tier,
        sources: rule.sources.clone(),
        error_basis: rule.error_basis.clone(),
        outcomes: success.into_iter().chain(errors).collect(),
    }
}
