//! How long something may take: `90s`, `10m`, `2h`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;

/// A time, as it is written on the command line and in the settings file.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
pub(super) struct Span(pub Duration);

/// A text that is no time.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected a time such as 90s, 10m or 2h, found {0:?}")]
pub(super) struct NoSpan(String);

/// The greatest number that is taken, of any unit: eleven years.
const MOST: u64 = 100_000;

impl FromStr for Span {
    type Err = NoSpan;

    fn from_str(text: &str) -> Result<Span, NoSpan> {
        let seconds = |number: &str, unit: u64| {
            let number = number.parse().ok().filter(|number| (1..=MOST).contains(number))?;
            Some(Span(Duration::from_secs(number * unit)))
        };
        let units = [('s', 1), ('m', 60), ('h', 3600)];
        let read = units.into_iter().find_map(|(unit, of)| seconds(text.strip_suffix(unit)?, of));
        read.ok_or_else(|| NoSpan(String::from(text)))
    }
}

impl TryFrom<String> for Span {
    type Error = NoSpan;

    fn try_from(text: String) -> Result<Span, NoSpan> {
        text.parse()
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_secs() {
            seconds if seconds % 3600 == 0 => write!(f, "{}h", seconds / 3600),
            seconds if seconds % 60 == 0 => write!(f, "{}m", seconds / 60),
            seconds => write!(f, "{seconds}s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_printed_as_they_are_read() {
        for text in ["1s", "90s", "10m", "2h", "100000h"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
        }
        assert_eq!("120s".parse::<Span>().unwrap(), Span(Duration::from_secs(120)));
        for text in ["", "s", "0s", "5", "1.5m", "-1s", "100001s", "5 m", "5d", "99999999999999999999s"] {
            assert_eq!(text.parse::<Span>(), Err(NoSpan(String::from(text))));
        }
    }
}
