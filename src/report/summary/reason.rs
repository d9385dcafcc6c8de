//! How a process ends.

/// Why a process ends with its exit code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reason {
    /// Exit code 130.
    Interrupted,
    /// Exit code 7.
    Harness,
    /// Exit code 2.
    Usage,
    /// Exit code 3.
    SetUp,
    /// Exit code 1.
    Findings,
    /// Exit code 1, under `--deny-warnings`.
    Warnings,
    /// Exit code 5.
    KnownTrouble,
    /// Exit code 6: not everything that was planned was tried.
    Unfinished,
    /// Exit code 6.
    Inconclusive,
    /// Exit code 4.
    NothingRun,
}

impl Reason {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Reason::Interrupted => 130,
            Reason::Harness => 7,
            Reason::Usage => 2,
            Reason::SetUp => 3,
            Reason::Findings | Reason::Warnings => 1,
            Reason::KnownTrouble => 5,
            Reason::Unfinished | Reason::Inconclusive => 6,
            Reason::NothingRun => 4,
        }
    }

    /// Its name for programs.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Interrupted => "interrupted",
            Reason::Harness => "harness",
            Reason::Usage => "usage",
            Reason::SetUp => "set-up",
            Reason::Findings => "findings",
            Reason::Warnings => "warnings",
            Reason::KnownTrouble => "known-trouble",
            Reason::Unfinished => "unfinished",
            Reason::Inconclusive => "inconclusive",
            Reason::NothingRun => "nothing-run",
        }
    }
}
