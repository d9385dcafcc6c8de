//! Since which version of ecrspec a case, or a family of cases, is in the suite. A gate that is pinned to a version is not
//! failed by what came later: that is judged and told, and waits until the pin is raised.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A version of the suite: the first two numbers of the version of ecrspec.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct SuiteVersion {
    major: u16,
    minor: u16,
}

/// The first version: what is in no row of `SINCE` is since then.
pub const FIRST: SuiteVersion = SuiteVersion { major: 0, minor: 1 };

/// Families of cases that came later: the beginning of the ids of cases or rules, in whole words, and the version. A new
/// case that an earlier version does not have needs a row, for itself or for its family; so does a change of how random
/// sequences are drawn (`random`).
const SINCE: &[(&str, SuiteVersion)] = &[];

/// Since which version there is a case or a rule with this id.
pub fn since(id: &str) -> SuiteVersion {
    latest(SINCE, id)
}

fn latest(table: &[(&str, SuiteVersion)], id: &str) -> SuiteVersion {
    let is_of = |family: &str| id.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    table.iter().filter(|(family, _)| is_of(family)).map(|(_, version)| *version).max().unwrap_or(FIRST)
}

impl SuiteVersion {
    /// That of this ecrspec.
    pub fn own() -> SuiteVersion {
        let number = |text: &str| text.parse().unwrap_or_default();
        SuiteVersion { major: number(env!("CARGO_PKG_VERSION_MAJOR")), minor: number(env!("CARGO_PKG_VERSION_MINOR")) }
    }
}

/// A text that names no version of the suite that there is.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected a version of the suite such as {FIRST}, at most that of this ecrspec, {own}, found {0:?}", own = SuiteVersion::own())]
pub struct NoVersion(pub String);

impl FromStr for SuiteVersion {
    type Err = NoVersion;

    fn from_str(text: &str) -> Result<SuiteVersion, NoVersion> {
        let wrong = || NoVersion(String::from(text));
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse().ok()).flatten().ok_or_else(wrong)
        };
        let (major, minor) = text.split_once('.').ok_or_else(wrong)?;
        let version = SuiteVersion { major: number(major)?, minor: number(minor)? };
        if version > SuiteVersion::own() { Err(wrong()) } else { Ok(version) }
    }
}

impl TryFrom<String> for SuiteVersion {
    type Error = NoVersion;

    fn try_from(text: String) -> Result<SuiteVersion, NoVersion> {
        text.parse()
    }
}

impl From<SuiteVersion> for String {
    fn from(version: SuiteVersion) -> String {
        version.to_string()
    }
}

impl fmt::Display for SuiteVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_a_beginning_in_whole_words() {
        let version = |minor: u16| SuiteVersion { major: 0, minor };
        let table = [("PutImage/layers", version(3)), ("PutImage", version(2)), ("random", version(4))];
        for (id, minor) in [
            ("PutImage/layers/exist", 3),
            ("PutImage/layers", 3),
            ("PutImage/layersOf/exist", 2),
            ("PutImages/layers", 1),
            ("random/0/17", 4),
            ("UploadLayerPart/uploadId/exists", 1),
        ] {
            assert_eq!(latest(&table, id), version(minor), "{id}");
        }
    }

    #[test]
    fn a_version_is_one_that_there_is() {
        assert_eq!(FIRST.to_string().parse(), Ok(FIRST));
        for wrong in ["", "0", "0.1.0", "0.x", "+0.1", "999.0"] {
            assert_eq!(wrong.parse::<SuiteVersion>(), Err(NoVersion(String::from(wrong))), "{wrong:?}");
        }
        assert!(SINCE.iter().all(|(_, version)| (FIRST..=SuiteVersion::own()).contains(version)));
    }
}
