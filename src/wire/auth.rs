//! What goes out as a signature.

use serde::{Deserialize, Serialize};

use super::Request;
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
}

/// Adds the signature headers to a request.
pub fn sign(auth: Auth, service: Service, request: &mut Request) {
    if auth == Auth::None {
        return;
    }
    let scope = format!("20150830/us-east-1/{}/aws4_request", service.contract().signing_name);
    let signed = "content-type;host;x-amz-date;x-amz-target";
    // The example credentials of the AWS documentation, and a signature that is none.
    let value = format!(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope}, SignedHeaders={signed}, Signature={}",
        "0".repeat(64)
    );
    request.headers.push((String::from("X-Amz-Date"), String::from("20150830T123600Z")));
    request.headers.push((String::from("Authorization"), value));
}
