//! Plans as text, and plans drawn by proptest: the text is the id of a random case, and gives it again.

use std::collections::HashSet;

use proptest::prelude::*;
use proptest::strategy::{NewTree, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use sha2::{Digest as _, Sha256};

use super::violations::Violations;
use crate::case::bindings::hex;
use crate::case::plan::{ENTROPY, OPERATIONS};
use crate::case::{Decision, Plan};
use crate::contract::{Operation, Service};

/// The id of a plan's case: `plan/InitiateLayerUpload,CompleteLayerUpload@02:layerDigests/min-items/empty-list`.
///
/// Each call is its operation, then `@` and its entropy in hex without the zeros at the end, then `:` and its violations
/// joined by `+`.
pub fn id(service: Service, plan: &Plan) -> String {
    let calls: Vec<String> = plan.decisions.iter().map(|decision| call(service, decision)).collect();
    format!("{PREFIX}{}", calls.join(","))
}

/// What the ids of plans begin with.
pub const PREFIX: &str = "plan/";

fn call(service: Service, decision: &Decision) -> String {
    let mut text = decision.operation.to_string();
    let meant = ENTROPY - decision.entropy.iter().rev().take_while(|byte| **byte == 0).count();
    if meant > 0 {
        text += &format!("@{}", hex(&decision.entropy[..meant]));
    }
    let known = Violations::of(service, decision.operation);
    let names: Vec<&str> = decision.violations.iter().filter_map(|number| known.name(*number)).collect();
    if !names.is_empty() {
        text += &format!(":{}", names.join("+"));
    }
    text
}

/// The plan with this id.
///
/// # Errors
///
/// What was expected, and what was found instead.
pub fn parse(service: Service, id: &str) -> Result<Plan, PlanError> {
    let text = id.strip_prefix(PREFIX).ok_or_else(|| PlanError::Prefix(id.to_owned()))?;
    let calls = text.split(',').filter(|call| !call.is_empty());
    let decisions: Vec<Decision> = calls.map(|call| parse_call(service, call)).collect::<Result<_, _>>()?;
    match decisions.len() {
        0..=Plan::MAX_CALLS => Ok(Plan { decisions }),
        many => Err(PlanError::Calls(many)),
    }
}

/// Why a text is not the id of a plan.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// It does not begin as the id of a plan.
    #[error("expected {PREFIX} and calls, found {0:?}")]
    Prefix(String),
    /// It has so many calls.
    #[error("expected at most {most} calls, found {0}", most = Plan::MAX_CALLS)]
    Calls(usize),
    /// A call is of no operation that a plan may have.
    #[error("expected one of {known}, found {0:?}", known = OPERATIONS.map(Operation::name).join(", "))]
    Operation(String),
    /// What follows `@` is not the entropy of a call.
    #[error("expected at most {ENTROPY} bytes in hex after @, found {0:?}")]
    Entropy(String),
    /// The catalogue has no such violation.
    #[error("{operation} has no violation {name:?} in {service}")]
    Violation {
        /// The operation of the call.
        operation: Operation,
        /// What was found.
        name: String,
        /// The service of the plan.
        service: Service,
    },
    /// A call has so many violations.
    #[error("expected at most {most} violations of a call, found {0}", most = Plan::MAX_VIOLATIONS)]
    Violations(usize),
}

fn parse_call(service: Service, text: &str) -> Result<Decision, PlanError> {
    let (head, names) = text.split_once(':').unwrap_or((text, ""));
    let (operation, hex) = head.split_once('@').unwrap_or((head, ""));
    let known = OPERATIONS.into_iter().find(|known| known.name() == operation);
    let operation = known.ok_or_else(|| PlanError::Operation(operation.to_owned()))?;
    let mut decision = Decision::plain(operation);
    let bad_hex = || PlanError::Entropy(hex.to_owned());
    if !hex.is_ascii() || hex.len() % 2 != 0 || hex.len() > 2 * ENTROPY {
        return Err(bad_hex());
    }
    for (place, byte) in decision.entropy.iter_mut().zip(0..hex.len() / 2) {
        *place = u8::from_str_radix(&hex[2 * byte..2 * byte + 2], 16).map_err(|_| bad_hex())?;
    }
    for name in names.split('+').filter(|name| !name.is_empty()) {
        let number = Violations::of(service, operation).number(name);
        let unknown = || PlanError::Violation { operation, name: name.to_owned(), service };
        decision.violations.push(number.ok_or_else(unknown)?);
    }
    match decision.violations.len() {
        0..=Plan::MAX_VIOLATIONS => Ok(decision),
        many => Err(PlanError::Violations(many)),
    }
}

/// The plan that a seed gives at a place: the same at any number of jobs, and in any part of a run.
pub fn nth(service: Service, seed: u64, index: u64) -> Plan {
    let digest = Sha256::digest([service.name().as_bytes(), &seed.to_le_bytes(), &index.to_le_bytes()].concat());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &digest);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    // What it would shrink to is not asked here.
    plans(service).0.new_tree(&mut runner).map(|tree| tree.current()).unwrap_or_default()
}

/// Draws plans of a service, mostly of valid calls. Shrinks to the fewest calls, then to the fewest violations, then to
/// the plainest values.
pub fn plans(service: Service) -> Plans {
    let calls = prop::collection::vec(decisions(service), 1..=MOST_CALLS);
    let plans = calls.prop_map(|mut decisions| {
        decisions.insert(0, Decision::plain(Operation::InitiateLayerUpload));
        Plan { decisions }
    });
    Plans(plans.boxed())
}

/// Long enough for every state of an upload, short enough to be shrunk in a minute over a network.
const MOST_CALLS: usize = 14;

/// Draws calls of one operation.
pub fn decisions_of(service: Service, operation: Operation) -> impl Strategy<Value = Decision> + use<> {
    calls(service, Just(operation))
}

fn decisions(service: Service) -> impl Strategy<Value = Decision> + use<> {
    let operation = prop_oneof![
        3 => Just(Operation::InitiateLayerUpload),
        7 => Just(Operation::UploadLayerPart),
        9 => Just(Operation::CompleteLayerUpload),
        4 => Just(Operation::BatchCheckLayerAvailability),
        1 => Just(Operation::GetDownloadUrlForLayer),
        2 => Just(Operation::DeleteRepository),
        1 => Just(Operation::CreateRepository),
    ];
    calls(service, operation)
}

fn calls<S>(service: Service, operation: S) -> impl Strategy<Value = Decision> + use<S>
where
    S: Strategy<Value = Operation>,
{
    let count = prop_oneof![4 => Just(0_usize), 6 => Just(1), 3 => Just(2)];
    (operation, count, any::<[(u8, u16); Plan::MAX_VIOLATIONS]>(), any::<[u8; ENTROPY]>(), any::<u8>()).prop_map(
        move |(operation, count, chosen, entropy, plain)| {
            let known = Violations::of(service, operation);
            let violations = chosen.into_iter().filter_map(|(kind, number)| pick(known, kind, number));
            Decision {
                operation,
                violations: violations.take(count).collect(),
                // Half of the calls are the plainest that there are: sequences of oddities do not get far.
                entropy: if plain < 128 { [0; ENTROPY] } else { entropy },
            }
        },
    )
}

/// The number of a violation: of some 200 values of the catalogue, state would rarely be drawn.
fn pick(known: &Violations, kind: u8, number: u16) -> Option<u16> {
    let [stateful, matching, drawn, values] = known.kinds();
    let kind = match kind {
        0..120 => stateful,
        120..145 if !matching.is_empty() => matching,
        120..170 => drawn,
        _ => values,
    };
    u16::try_from(kind.start + usize::from(number).checked_rem(kind.len())?).ok()
}

/// A strategy of plans. Made by [`plans`].
#[derive(Clone, Debug)]
pub struct Plans(BoxedStrategy<Plan>);

impl Strategy for Plans {
    type Tree = Shrinking;
    type Value = Plan;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Plans> {
        Ok(Shrinking::of(self.0.new_tree(runner)?.current()))
    }
}

/// A plan on its way to the smallest that still fails. The same steps serve proptest, and the search on a remote target.
#[derive(Clone, Debug)]
pub struct Shrinking {
    /// The smallest that is known to fail.
    best: Plan,
    /// The one to try now.
    current: Plan,
    /// Those to try after it, the next last.
    next: Vec<Plan>,
    tried: HashSet<Plan>,
}

impl Shrinking {
    /// Begins with a plan that fails.
    pub fn of(plan: Plan) -> Shrinking {
        let tried = HashSet::from([plan.clone()]);
        let mut shrinking = Shrinking { best: plan.clone(), current: plan, next: Vec::new(), tried };
        shrinking.refill();
        shrinking
    }

    /// The smallest plan that is known to fail.
    pub fn best(&self) -> &Plan {
        &self.best
    }

    fn refill(&mut self) {
        self.next = smaller(&self.best);
        self.next.reverse();
    }

    fn advance(&mut self) -> bool {
        while let Some(plan) = self.next.pop() {
            if self.tried.insert(plan.clone()) {
                self.current = plan;
                return true;
            }
        }
        self.current = self.best.clone();
        false
    }
}

impl ValueTree for Shrinking {
    type Value = Plan;

    fn current(&self) -> Plan {
        self.current.clone()
    }

    /// The current plan fails: goes on from it to a smaller one.
    fn simplify(&mut self) -> bool {
        if self.best != self.current {
            self.best = self.current.clone();
            self.refill();
        }
        self.advance()
    }

    /// The current plan does not fail: goes back, and on to another one.
    fn complicate(&mut self) -> bool {
        self.advance()
    }
}

/// Plans that are smaller by one thing or by many, the boldest first: calls go from the end, then violations, then
/// choices become plain.
fn smaller(plan: &Plan) -> Vec<Plan> {
    let calls = plan.decisions.len();
    let mut plans = Vec::new();
    let halves = std::iter::successors(Some(calls / 2), |chunk| Some(chunk / 2));
    for chunk in halves.take_while(|chunk| *chunk > 2).chain([2, 1]) {
        // Wherever they stand: an upload and its part go together or not at all.
        let step = if chunk > 2 { chunk } else { 1 };
        for end in (chunk..=calls).rev().step_by(step) {
            let mut decisions = plan.decisions.clone();
            decisions.drain(end - chunk..end);
            plans.push(Plan { decisions });
        }
    }
    let mut change = |index: usize, change: &dyn Fn(&mut Decision)| {
        let mut changed = plan.clone();
        change(&mut changed.decisions[index]);
        plans.push(changed);
    };
    for (index, decision) in plan.decisions.iter().enumerate().rev() {
        for violation in (0..decision.violations.len()).rev() {
            change(index, &|decision| {
                decision.violations.remove(violation);
            });
        }
    }
    for (index, decision) in plan.decisions.iter().enumerate().rev() {
        if decision.entropy != [0; ENTROPY] {
            change(index, &|decision| decision.entropy = [0; ENTROPY]);
        }
    }
    for (index, decision) in plan.decisions.iter().enumerate().rev() {
        for byte in (0..ENTROPY).filter(|byte| decision.entropy[*byte] != 0) {
            change(index, &|decision| decision.entropy[byte] = 0);
        }
    }
    for (index, decision) in plan.decisions.iter().enumerate().rev() {
        for byte in (0..ENTROPY).filter(|byte| decision.entropy[*byte] > 1) {
            change(index, &|decision| decision.entropy[byte] /= 2);
        }
    }
    plans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_plan_gives_it_again() {
        for service in Service::ALL {
            for index in 0..300 {
                let plan = nth(service, 1, index);
                let text = id(service, &plan);
                assert_eq!(id(service, &parse(service, &text).unwrap()), text);
                assert_eq!(parse(service, &text).unwrap(), plan);
            }
        }
        for (text, expected) in [
            ("nothing", "expected plan/ and calls"),
            ("plan/Initiate", "expected one of InitiateLayerUpload"),
            ("plan/InitiateLayerUpload@0", "expected at most 8 bytes in hex"),
            ("plan/InitiateLayerUpload@0é0", "expected at most 8 bytes in hex"),
            ("plan/InitiateLayerUpload:nothing", "InitiateLayerUpload has no violation"),
        ] {
            let found = parse(Service::Ecr, text).unwrap_err().to_string();
            assert!(found.starts_with(expected), "{text}: {found}");
        }
    }

    #[test]
    fn a_failure_shrinks_to_what_it_takes() {
        // "Fails" where a completion with some violation comes after a plain part.
        let fails = |plan: &Plan| {
            let part = plan.decisions.iter().position(|decision| decision.operation == Operation::UploadLayerPart);
            let completes = |decision: &Decision| {
                decision.operation == Operation::CompleteLayerUpload
                    && !decision.violations.is_empty()
                    && decision.entropy[3] > 9
            };
            part.is_some_and(|index| plan.decisions[index..].iter().any(completes))
        };
        let found: Vec<Plan> = (0..2000).map(|index| nth(Service::Ecr, 2, index)).filter(|plan| fails(plan)).collect();
        assert!(found.len() > 20, "{}", found.len());
        for plan in found {
            let mut tree = Shrinking::of(plan);
            let mut going = tree.simplify();
            while going {
                going = if fails(&tree.current()) { tree.simplify() } else { tree.complicate() };
            }
            let (calls, violations, choices) = tree.best().size();
            assert_eq!((calls, violations, choices), (2, 1, 1), "{:?}", tree.best());
            assert!(tree.best().decisions[1].entropy[3] < 20);
        }
    }
}
