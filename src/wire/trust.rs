//! Which certificates of a server are accepted.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Which certificates of a server are accepted, over TLS.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// Those whose issuer the system trusts.
    #[default]
    System,
    /// Those whose issuer is in this file, and no others.
    Bundle(PathBuf),
    /// All of them, unchecked: whoever answers is believed.
    Anyone,
}

impl Trust {
    /// Whether it is what clients do that are told nothing.
    pub fn is_usual(&self) -> bool {
        *self == Trust::System
    }

    /// The flags of a command that trusts likewise.
    pub fn flags(&self) -> Vec<String> {
        match self {
            Trust::System => Vec::new(),
            Trust::Bundle(path) => vec![String::from("--ca-bundle"), path.display().to_string()],
            Trust::Anyone => vec![String::from("--insecure")],
        }
    }

    /// The flags of curl that stand for it.
    pub fn curl_flags(&self) -> Vec<String> {
        match self {
            Trust::System => Vec::new(),
            Trust::Bundle(path) => vec![String::from("--cacert"), path.display().to_string()],
            Trust::Anyone => vec![String::from("--insecure")],
        }
    }
}
