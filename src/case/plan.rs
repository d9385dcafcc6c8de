//! The decisions behind a random case: the only thing about it that is random.

use crate::contract::Operation;
use arbitrary::{Arbitrary, Result, Unstructured};

/// The decisions behind a random case. What they come to, [`crate::generate::realise`] says: version, service and plan
/// give the case.
///
/// `Default` is the plan of no calls.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Plan {
    /// One for each call, in order.
    pub decisions: Vec<Decision>,
}

/// What is decided of one call.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Decision {
    /// The operation that is called: one of [`OPERATIONS`].
    pub operation: Operation,
    /// Which of its violations the request has, at most [`Plan::MAX_VIOLATIONS`]; taken modulo the number that there are.
    pub violations: Vec<u16>,
    /// Which repository, upload, layer, size and value. Each byte is one choice, and 0 the plainest.
    pub entropy: [u8; ENTROPY],
}

/// Number of choices in [`Decision::entropy`].
pub const ENTROPY: usize = 8;

/// The operations of a plan, the plainest first.
pub const OPERATIONS: [Operation; 7] = [
    Operation::InitiateLayerUpload,
    Operation::UploadLayerPart,
    Operation::CompleteLayerUpload,
    Operation::BatchCheckLayerAvailability,
    Operation::GetDownloadUrlForLayer,
    Operation::DeleteRepository,
    Operation::CreateRepository,
];

impl Plan {
    /// How many calls a plan has at most.
    pub const MAX_CALLS: usize = 24;

    /// How many violations a call has at most.
    pub const MAX_VIOLATIONS: usize = 2;

    /// How far it is from nothing: calls, then violations, then choices that are not the plainest.
    pub fn size(&self) -> (usize, usize, usize) {
        let violations = self.decisions.iter().map(|decision| decision.violations.len()).sum();
        let choices = self.decisions.iter().flat_map(|decision| decision.entropy).filter(|byte| *byte != 0).count();
        (self.decisions.len(), violations, choices)
    }

    /// The plan without the calls of some operations.
    pub fn without(mut self, leave_out: impl Fn(Operation) -> bool) -> Plan {
        self.decisions.retain(|decision| !leave_out(decision.operation));
        self
    }
}

impl Plan {
    /// The bytes that a fuzzer would need for this plan, as far as a decision has its usual form.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.decisions.iter().flat_map(Decision::to_bytes).collect()
    }
}

impl Decision {
    fn to_bytes(&self) -> Vec<u8> {
        let operation = OPERATIONS.iter().position(|known| *known == self.operation).unwrap_or_default();
        let count = match self.violations.len() {
            0 => 0,
            1 => ONE_VIOLATION,
            _ => TWO_VIOLATIONS,
        };
        let violation = |index: usize| self.violations.get(index).copied().unwrap_or_default().to_le_bytes();
        let chosen = (0..Plan::MAX_VIOLATIONS).flat_map(violation);
        [operation as u8, count].into_iter().chain(chosen).chain(self.entropy).collect()
    }

    /// A plain call.
    ///
    /// # Panics
    ///
    /// When it is none of [`OPERATIONS`].
    pub fn plain(operation: Operation) -> Decision {
        let known = OPERATIONS.into_iter().find(|known| *known == operation);
        let operation = known.unwrap_or_else(|| panic!("a plan has no {operation}"));
        Decision { operation, violations: Vec::new(), entropy: [0; ENTROPY] }
    }
}

/// Bytes of a fuzzer as a plan: any bytes are one. A call takes fixed places, so that a changed byte changes one choice.
impl<'a> Arbitrary<'a> for Plan {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Plan> {
        let mut plan = Plan::default();
        while !bytes.is_empty() && plan.decisions.len() < Plan::MAX_CALLS {
            plan.decisions.push(Decision::arbitrary(bytes)?);
        }
        Ok(plan)
    }

    fn size_hint(_depth: usize) -> (usize, Option<usize>) {
        (0, Some(Plan::MAX_CALLS * BYTES))
    }
}

/// From which byte on a call has a violation, and from which on two.
const ONE_VIOLATION: u8 = 160;
const TWO_VIOLATIONS: u8 = 240;

/// Bytes of one decision: operation, number of violations, two violations, entropy.
const BYTES: usize = 2 + 2 * Plan::MAX_VIOLATIONS + ENTROPY;

impl<'a> Arbitrary<'a> for Decision {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Decision> {
        // What the bytes do not reach to is 0, and so the plainest.
        let mut fixed = [0; BYTES];
        bytes.fill_buffer(&mut fixed)?;
        let [operation, violations, rest @ ..] = fixed;
        let (chosen, entropy) = rest.split_at(2 * Plan::MAX_VIOLATIONS);
        // Most calls are to be valid, or no sequence gets anywhere.
        let count = match violations {
            0..ONE_VIOLATION => 0,
            ONE_VIOLATION..TWO_VIOLATIONS => 1,
            TWO_VIOLATIONS.. => Plan::MAX_VIOLATIONS,
        };
        Ok(Decision {
            operation: OPERATIONS[usize::from(operation) % OPERATIONS.len()],
            violations: chosen.chunks(2).take(count).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect(),
            entropy: std::array::from_fn(|index| entropy[index]),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_are_a_plan() {
        for bytes in [vec![], vec![0], vec![255; 5], vec![7; 10_000]] {
            let plan = Plan::arbitrary(&mut Unstructured::new(&bytes)).unwrap();
            assert!(plan.decisions.len() <= Plan::MAX_CALLS);
            assert_eq!(plan.decisions.len(), bytes.len().div_ceil(BYTES).min(Plan::MAX_CALLS));
        }
        let doubly =
            Decision { violations: vec![700, 3], entropy: [9; ENTROPY], ..Decision::plain(Operation::UploadLayerPart) };
        let plan = Plan { decisions: vec![Decision::plain(Operation::InitiateLayerUpload), doubly] };
        assert_eq!(Plan::arbitrary(&mut Unstructured::new(&plan.to_bytes())).unwrap(), plan);
        let one = Plan::arbitrary(&mut Unstructured::new(&[2])).unwrap();
        assert_eq!(one.decisions, [Decision::plain(Operation::CompleteLayerUpload)]);
    }
}
