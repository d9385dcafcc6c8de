//! How many cases: `--cases`.

use std::str::FromStr;

use serde::Deserialize;

/// How many cases are run.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "Written")]
pub(super) enum Amount {
    /// So many random sequences a service, besides the cases that are usual.
    Random(u64),
    /// All cases, and as many random sequences as usual.
    All,
}

/// As it stands in the settings file.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Number(u64),
    Word(String),
}

impl TryFrom<Written> for Amount {
    type Error = NoAmount;

    fn try_from(written: Written) -> Result<Amount, NoAmount> {
        match written {
            Written::Number(count) => Ok(Amount::Random(count)),
            Written::Word(word) => word.parse(),
        }
    }
}

/// A text that is no amount.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected a number of random sequences, or all, found {0:?}")]
pub(super) struct NoAmount(String);

impl FromStr for Amount {
    type Err = NoAmount;

    fn from_str(text: &str) -> Result<Amount, NoAmount> {
        match text {
            "all" => Ok(Amount::All),
            number => number.parse().map(Amount::Random).map_err(|_| NoAmount(String::from(number))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_has_the_words_of_the_settings_file() {
        #[derive(Deserialize)]
        struct File {
            cases: Amount,
        }
        let set = |text: &str| toml::from_str::<File>(&format!("cases = {text}")).map(|file| file.cases).ok();
        assert_eq!(("all".parse(), set("\"all\"")), (Ok(Amount::All), Some(Amount::All)));
        assert_eq!(("7".parse(), set("7")), (Ok(Amount::Random(7)), Some(Amount::Random(7))));
        assert_eq!(("most".parse(), set("\"most\"")), (Err::<Amount, _>(NoAmount(String::from("most"))), None));
    }
}
