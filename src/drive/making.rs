//! How repositories are made and named, for targets that do not make every one that the documents allow.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How repositories are made.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Making {
    /// How they are named.
    pub naming: Naming,
    /// Whether they have a tag.
    pub tagged: bool,
}

/// How repositories are named.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Naming {
    /// With a slash after what the names of a run begin with.
    #[default]
    Path,
    /// With a dash in its place.
    Flat,
    /// With nothing but letters.
    Letters,
}

impl Making {
    /// All ways, the usual one first.
    pub const ALL: [Making; 6] = {
        const fn of(naming: Naming, tagged: bool) -> Making {
            Making { naming, tagged }
        }
        [
            of(Naming::Path, false),
            of(Naming::Flat, false),
            of(Naming::Letters, false),
            of(Naming::Path, true),
            of(Naming::Flat, true),
            of(Naming::Letters, true),
        ]
    };

    /// The body of the request that makes a repository.
    pub fn body(self, name: &str) -> Value {
        match self.tagged {
            false => json!({ "repositoryName": name }),
            true => json!({ "repositoryName": name, "tags": [{ "Key": "made-by", "Value": "ecrspec" }] }),
        }
    }

    /// What a target does not take that takes this; nothing where it takes the usual.
    pub fn instead_of(self) -> Option<&'static str> {
        match (self.naming, self.tagged) {
            (Naming::Path, false) => None,
            (Naming::Flat, false) => Some("a repository name with a slash"),
            (Naming::Letters, false) => Some("a repository name with digits and dashes"),
            (Naming::Path, true) => Some("a request without tags"),
            (Naming::Flat, true) => Some("a repository name with a slash, and a request without tags"),
            (Naming::Letters, true) => Some("a repository name with digits and dashes, and a request without tags"),
        }
    }
}

impl Naming {
    /// The name of a repository, of what the names of a run begin with and what tells it from the others.
    pub fn name(self, prefix: &str, own: &str) -> String {
        match self {
            Naming::Path => format!("{prefix}/{own}"),
            Naming::Flat => format!("{prefix}-{own}").replace('/', "-"),
            Naming::Letters => prefix.chars().chain(own.chars()).filter_map(letter).collect(),
        }
    }
}

/// A letter in the place of a digit; nothing in the place of what is neither.
fn letter(of: char) -> Option<char> {
    match of {
        '0'..='9' => Some(char::from(b'g' + (of as u8 - b'0'))),
        'a'..='z' => Some(of),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_what_the_target_takes() {
        let name = |naming: Naming| naming.name("ecrspec-01ab", "case-9f-absent");
        assert_eq!(name(Naming::Path), "ecrspec-01ab/case-9f-absent");
        assert_eq!(name(Naming::Flat), "ecrspec-01ab-case-9f-absent");
        assert_eq!(name(Naming::Letters), "ecrspecghabcasepfabsent");
    }

    #[test]
    fn only_the_usual_way_goes_without_saying() {
        assert_eq!(Making::ALL[0], Making::default());
        assert!(Making::ALL.iter().all(|making| making.instead_of().is_none() == (*making == Making::default())));
        assert!(Making::ALL.iter().all(|making| making.body("ab").get("tags").is_some() == making.tagged));
    }
}
