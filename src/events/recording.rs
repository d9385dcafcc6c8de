//! Which exchanges a log has.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// Which exchanges a log has.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Recording {
    /// Those of cases that failed, or could not be judged.
    #[default]
    Findings,
    /// Those of all cases, as far as [`Recording::MAX`] goes.
    Exchanges,
}

impl Recording {
    /// How many bytes the exchanges have together that are recorded although nothing was found.
    pub const MAX: usize = 64 << 20;
}

impl fmt::Display for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Recording::Findings => "findings",
            Recording::Exchanges => "exchanges",
        })
    }
}

impl FromStr for Recording {
    type Err = NoRecording;

    fn from_str(text: &str) -> Result<Recording, NoRecording> {
        let known = [Recording::Findings, Recording::Exchanges].into_iter().find(|one| one.to_string() == text);
        known.ok_or_else(|| NoRecording(String::from(text)))
    }
}

/// A text that does not say what is recorded.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected findings or exchanges, found {0:?}")]
pub struct NoRecording(pub String);
