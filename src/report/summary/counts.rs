//! What cases came to, and how many came to it.

/// Number of cases by verdict.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Every answer was allowed.
    pub passed: usize,
    /// Some finding counts.
    pub failed: usize,
    /// All findings are known, or of a grade that does not gate.
    pub tolerated: usize,
    /// Could not be judged.
    pub inconclusive: usize,
    /// Not run.
    pub skipped: usize,
}

impl Counts {
    /// Counts a case.
    pub fn add(&mut self, standing: Standing) {
        *match standing {
            Standing::Passed => &mut self.passed,
            Standing::Failed => &mut self.failed,
            Standing::Tolerated => &mut self.tolerated,
            Standing::Inconclusive => &mut self.inconclusive,
            Standing::Skipped => &mut self.skipped,
        } += 1;
    }
}

/// What a case came to: its verdict, in the light of what is known and of what gates.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Standing {
    /// Some finding counts.
    Failed,
    /// All findings are known, or of a grade that does not gate.
    Tolerated,
    /// Could not be judged.
    Inconclusive,
    /// Not run.
    Skipped,
    /// Every answer was allowed.
    Passed,
}

impl Standing {
    /// Its name for programs.
    pub fn name(self) -> &'static str {
        match self {
            Standing::Failed => "fail",
            Standing::Tolerated => "tolerated",
            Standing::Inconclusive => "inconclusive",
            Standing::Skipped => "skipped",
            Standing::Passed => "pass",
        }
    }
}
