//! Where the guide is published.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The URL below which the pages of the guide are. Reports make links of it, so that it has nothing but what an address is
/// made of in HTML, in Markdown and in a workflow command; it has no user either: reports have no credentials.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Guide(String);

impl Guide {
    /// The address of a page, or of a place on it.
    pub fn page(&self, page: impl fmt::Display) -> String {
        format!("{}/{page}", self.0)
    }
}

impl fmt::Display for Guide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Guide {
    type Err = NoGuide;

    fn from_str(text: &str) -> Result<Guide, NoGuide> {
        let host_and_path = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let is_of_address = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/%+[]".contains(&byte);
        match host_and_path {
            Some(rest) if !rest.is_empty() && !rest.starts_with('/') && rest.bytes().all(is_of_address) => {
                Ok(Guide(String::from(text.trim_end_matches('/'))))
            }
            _ => Err(NoGuide(String::from(text))),
        }
    }
}

impl TryFrom<String> for Guide {
    type Error = NoGuide;

    fn try_from(text: String) -> Result<Guide, NoGuide> {
        text.parse()
    }
}

impl From<Guide> for String {
    fn from(guide: Guide) -> String {
        guide.0
    }
}

/// A text that is no such URL.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "expected the http:// or https:// URL of the folder that has the pages of the guide, without user, query and fragment, found {0:?}"
)]
pub struct NoGuide(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guide_is_a_folder_on_the_web() {
        for (text, page) in [
            ("https://guide.example", "https://guide.example/ci.html"),
            ("http://127.0.0.1:3000/a/b//", "http://127.0.0.1:3000/a/b/ci.html"),
            ("https://[::1]/%C3%A9", "https://[::1]/%C3%A9/ci.html"),
        ] {
            assert_eq!(text.parse::<Guide>().unwrap().page("ci.html"), page);
        }
        for text in [
            "",
            "https://",
            "https:///a",
            "guide.example",
            "javascript:alert(1)",
            "ftp://guide.example",
            "https://user:secret@guide.example",
            "https://guide.example/?a",
            "https://guide.example/#a",
            "https://guide.example/\n::error::",
            "https://guide.example/a b",
            "https://guide.example/)",
            "https://guide.example/\"><script>",
            "https://guide.example/é",
        ] {
            assert_eq!(text.parse::<Guide>(), Err(NoGuide(String::from(text))));
        }
    }
}
