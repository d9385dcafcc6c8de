//! What goes out as a signature, and what of it may be kept.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::contract::Service;

/// What is sent as a signature.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Auth {
    /// Nothing.
    #[default]
    None,
    /// A signature of the right form that signs nothing, for servers that route by its scope.
    Dummy,
    /// A signature of Signature Version 4, with credentials of the user.
    Sigv4,
}

impl Auth {
    /// As it stands in flags and files.
    pub const fn name(self) -> &'static str {
        match self {
            Auth::None => "none",
            Auth::Dummy => "dummy",
            Auth::Sigv4 => "sigv4",
        }
    }
}

impl FromStr for Auth {
    type Err = NoAuth;

    fn from_str(text: &str) -> Result<Auth, NoAuth> {
        match text {
            "none" => Ok(Auth::None),
            "dummy" => Ok(Auth::Dummy),
            "sigv4" => Ok(Auth::Sigv4),
            other => Err(NoAuth(String::from(other))),
        }
    }
}

/// A text that names no signature.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected none, dummy or sigv4, found {0:?}")]
pub struct NoAuth(pub String);

/// The headers of the dummy signature.
pub fn dummy(service: Service) -> Vec<(String, String)> {
    let scope = format!("20150830/us-east-1/{}/aws4_request", service.contract().signing_name);
    let signed = "SignedHeaders=content-type;host;x-amz-date;x-amz-target";
    let value = format!("{DUMMY}/{scope}, {signed}, Signature={}", "0".repeat(64));
    let header = |name: &str, value: &str| (String::from(name), String::from(value));
    vec![header("X-Amz-Date", "20150830T123600Z"), header("Authorization", &value)]
}

/// Whether a header may not be kept: all credentials but the dummy ones.
pub fn is_secret(name: &str, value: &str) -> bool {
    let credential = ["authorization", "x-amz-security-token"].iter().any(|secret| name.eq_ignore_ascii_case(secret));
    credential && !value.starts_with(DUMMY)
}

/// The example access key of the AWS documentation.
const DUMMY: &str = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_has_the_words_of_the_settings_file() {
        for auth in [Auth::None, Auth::Dummy, Auth::Sigv4] {
            let word = serde_json::to_value(auth).unwrap();
            assert_eq!(word.as_str().unwrap().parse(), Ok(auth));
        }
        assert_eq!("Dummy".parse::<Auth>(), Err(NoAuth(String::from("Dummy"))));
        let told = "v4".parse::<Auth>().unwrap_err().to_string();
        assert_eq!(told, "expected none, dummy or sigv4, found \"v4\"");
    }
}
