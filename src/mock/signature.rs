//! Verifies signatures as the documents say that AWS does: by its own computation, from what arrived.
//!
//! Source: `iam:canonical-request`, `iam:sigv4-troubleshooting`; in which order is looked, `mhart/dynalite:index.js`.

use std::fmt;
use std::str::FromStr;

use axum::http::Uri;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use sha2::{Digest as _, Sha256};

use crate::case::bindings::hex;
use crate::contract::{RuleId, Service};
use crate::model::Rejection;
use crate::wire::{EXPIRED_TOKEN, Request};

/// The one who may ask a mock that requires signatures.
#[derive(Clone, Eq, PartialEq)]
pub struct Keys {
    /// The access key id.
    pub key: String,
    /// The secret key.
    pub secret: String,
    /// The session token, if there is one.
    pub token: Option<String>,
}

/// A text that has no keys.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected KEY:SECRET, or KEY:SECRET:TOKEN")]
pub struct NoKeys;

impl FromStr for Keys {
    type Err = NoKeys;

    fn from_str(text: &str) -> Result<Keys, NoKeys> {
        let mut parts = text.splitn(3, ':').map(String::from);
        match (parts.next(), parts.next(), parts.next()) {
            (Some(key), Some(secret), token) if !key.is_empty() && !secret.is_empty() => {
                Ok(Keys { key, secret, token: token.filter(|token| !token.is_empty()) })
            }
            _ => Err(NoKeys),
        }
    }
}

/// No secrets.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("key", &self.key).finish_non_exhaustive()
    }
}

/// What a mock looks at.
#[derive(Clone, Debug)]
pub(super) struct Verifier {
    pub keys: Keys,
    pub region: String,
}

/// So many seconds may lie between the date of a signature and the time at which it arrives.
/// Source: `upmc-enterprises/registry-creds#24`.
const SKEW: i64 = 15 * 60;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// An `Authorization` header, taken apart.
#[derive(Debug, Eq, PartialEq)]
struct Authorization<'a> {
    key: &'a str,
    /// Day, region, service and `aws4_request`.
    scope: [&'a str; 4],
    signed: Vec<&'a str>,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    /// Takes a header apart; what it lacks, if it lacks something.
    fn parse(header: &'a str) -> Result<Authorization<'a>, String> {
        let (algorithm, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if algorithm != ALGORITHM {
            return Err(format!("Unsupported AWS 'algorithm' (only {ALGORITHM} for now)."));
        }
        let part = |name: &str| {
            let mut parts = rest.split(',').filter_map(|part| part.trim().split_once('='));
            let found =
                parts.find(|(known, _)| *known == name).map(|(_, value)| value).filter(|value| !value.is_empty());
            found.ok_or_else(|| format!("Authorization header requires '{name}' parameter."))
        };
        let (credential, signature, signed) = (part("Credential")?, part("Signature")?, part("SignedHeaders")?);
        let elements: Vec<&str> = credential.split('/').collect();
        let [key, day, region, service, term] = elements[..] else {
            return Err(String::from("Credential must have exactly 5 slash-delimited elements."));
        };
        let scope = [day, region, service, term];
        Ok(Authorization { key, scope, signed: signed.split(';').collect(), signature })
    }
}

impl Verifier {
    /// All that is wrong with the signature of a request, in the order in which it is looked at. Where it is not that of the
    /// request, it is not told why.
    pub fn wrong(&self, service: Service, request: &Request, uri: &Uri, now: Timestamp) -> Vec<Rejection> {
        let reject = |rule: RuleId, message: &str| Rejection::of(service, rule, String::from(message));
        let Some(header) = request.header("authorization").filter(|header| header.trim().starts_with("AWS4-")) else {
            return vec![reject(RuleId::new("auth/header/present"), "Missing Authentication Token")];
        };
        let authorization = match Authorization::parse(header) {
            Ok(authorization) => authorization,
            Err(message) => return vec![reject(RuleId::new("auth/header/form"), &message)],
        };
        let date = request.header("x-amz-date").unwrap_or_default();
        let Some(at) = basic_date(date) else {
            let message = "Date must be in ISO-8601 'basic format'.";
            return vec![reject(RuleId::new("auth/date/form"), message)];
        };
        let mut wrong = Vec::new();
        if (at.as_second() - now.as_second()).abs() > SKEW {
            let expired = if at < now { "Signature expired" } else { "Signature not yet current" };
            wrong.push(reject(RuleId::new("auth/date/range"), &format!("{expired}: {date}")));
        }
        if !authorization.signed.contains(&"host") {
            let message = "'Host' must be a 'SignedHeader' in the AWS Authorization.";
            wrong.push(reject(RuleId::new("auth/signature/host"), message));
        }
        let [_, region, named, _] = authorization.scope;
        if region != self.region {
            let message = format!("Credential should be scoped to a valid region, not '{region}'.");
            wrong.push(reject(RuleId::new("auth/scope/region"), &message));
        }
        let own = service.contract().signing_name;
        if named != own {
            let message = format!("Credential should be scoped to correct service: '{own}'.");
            wrong.push(reject(RuleId::new("auth/scope/service"), &message));
        }
        const NO_TOKEN: &str = "The security token included in the request is invalid.";
        if authorization.key != self.keys.key {
            wrong.push(reject(RuleId::new("auth/key/known"), NO_TOKEN));
        }
        wrong.extend(self.mismatch(&authorization, request, uri, date).map(|rule| {
            let message = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.";
            reject(rule, message)
        }));
        match (request.header("x-amz-security-token"), self.keys.token.as_deref()) {
            (Some(EXPIRED_TOKEN), _) => {
                let message = "The security token included in the request is expired";
                wrong.push(reject(RuleId::new("auth/token/expired"), message));
            }
            (sent, own) if sent != own => wrong.push(reject(RuleId::new("auth/token/known"), NO_TOKEN)),
            _ => {}
        }
        wrong
    }

    /// The rule that a signature breaks that is not the one of the request, if it is not.
    fn mismatch(&self, authorization: &Authorization, request: &Request, uri: &Uri, date: &str) -> Option<RuleId> {
        let body = hex(&Sha256::digest(&request.body));
        let matches = |body: &str| {
            let canonical = canonical_request(request, uri, &authorization.signed, body);
            signature(&self.keys.secret, authorization.scope, date, &canonical) == authorization.signature
        };
        let said = request.header("x-amz-content-sha256");
        match said {
            Some(said) if said != body && matches(said) => Some(RuleId::new("auth/signature/body-hash")),
            _ => (!matches(&body)).then_some(RuleId::new("auth/signature/match")),
        }
    }
}

/// A time as `20150830T123600Z`.
pub(super) fn basic_date(text: &str) -> Option<Timestamp> {
    let date = DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// The request as it is signed.
fn canonical_request(request: &Request, uri: &Uri, signed: &[&str], body: &str) -> String {
    let mut names: Vec<String> = signed.iter().map(|name| name.to_ascii_lowercase()).collect();
    names.sort_unstable();
    let headers: String = names.iter().map(|name| format!("{name}:{}\n", header_value(request, name))).collect();
    let Request { method, .. } = request;
    let (path, query) = (canonical_path(uri.path()), canonical_query(uri.query().unwrap_or_default()));
    format!("{method}\n{path}\n{query}\n{headers}\n{}\n{body}", names.join(";"))
}

/// All values of a header, each without the spaces that do not count.
fn header_value(request: &Request, name: &str) -> String {
    let values = request.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
    let trimmed = values.map(|(_, value)| value.split_whitespace().collect::<Vec<_>>().join(" "));
    trimmed.collect::<Vec<_>>().join(",")
}

/// A path without `.` and `..`, encoded once more than it is.
fn canonical_path(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/').filter(|segment| !segment.is_empty() && *segment != ".") {
        match segment {
            ".." => drop(segments.pop()),
            other => segments.push(other),
        }
    }
    let end = if segments.is_empty() || !path.ends_with('/') { "" } else { "/" };
    format!("/{}{end}", segments.iter().map(|segment| encoded(segment.bytes())).collect::<Vec<_>>().join("/"))
}

/// The parameters of a query, sorted.
fn canonical_query(query: &str) -> String {
    let parameter = |parameter: &str| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        (encoded(decoded(name)), encoded(decoded(value)))
    };
    let mut parameters: Vec<(String, String)> =
        query.split('&').filter(|parameter| !parameter.is_empty()).map(parameter).collect();
    parameters.sort_unstable();
    let parameters: Vec<String> = parameters.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    parameters.join("&")
}

/// Bytes as they stand in a URI.
fn encoded(bytes: impl IntoIterator<Item = u8>) -> String {
    let letter = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    bytes.into_iter().map(letter).collect()
}

/// What a text in a URI stands for.
fn decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let code = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    decoded
}

/// The signature of a canonical request.
fn signature(secret: &str, scope: [&str; 4], date: &str, canonical: &str) -> String {
    let to_sign = format!("{ALGORITHM}\n{date}\n{}\n{}", scope.join("/"), hex(&Sha256::digest(canonical)));
    let key = scope.iter().fold(format!("AWS4{secret}").into_bytes(), |key, part| hmac(&key, part.as_bytes()).to_vec());
    hex(&hmac(&key, to_sign.as_bytes()))
}

/// HMAC-SHA256. RFC 2104.
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    const BLOCK: usize = 64;
    let mut padded = [0; BLOCK];
    match key.len() > BLOCK {
        true => padded[..32].copy_from_slice(&Sha256::digest(key)),
        false => padded[..key.len()].copy_from_slice(key),
    }
    let inner = Sha256::new().chain_update(padded.map(|byte| byte ^ 0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(padded.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().into()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::wire::{Framing, Signature};

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    const SCOPE: [&str; 4] = ["20150830", "us-east-1", "iam", "aws4_request"];

    fn request(method: &str, headers: &[(&str, &str)], body: &str) -> Request {
        Request {
            method: String::from(method),
            headers: headers.iter().map(|(name, value)| (String::from(*name), String::from(*value))).collect(),
            body: Bytes::from(body.to_owned()),
            framing: Framing::Length,
            signature: Signature::Valid,
        }
    }

    /// Source: RFC 4231, test cases 1, 2 and 6.
    #[test]
    fn hmac_is_that_of_the_published_vectors() {
        for (key, message, expected) in [
            (vec![0x0b; 20], "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (
                b"Jefe".to_vec(),
                "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                vec![0xaa; 131],
                "Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ] {
            assert_eq!(hex(&hmac(&key, message.as_bytes())), expected);
        }
    }

    /// The example of the documents: IAM, ListUsers.
    #[test]
    fn the_signature_of_the_published_example_is_calculated() {
        let headers = [
            ("Host", "iam.amazonaws.com"),
            ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("X-Amz-Date", "20150830T123600Z"),
        ];
        let uri = Uri::from_static("/?Version=2010-05-08&Action=ListUsers");
        let body = hex(&Sha256::digest(b""));
        let signed = ["content-type", "host", "x-amz-date"];
        let canonical = canonical_request(&request("GET", &headers, ""), &uri, &signed, &body);
        let expected = "GET\n/\nAction=ListUsers&Version=2010-05-08\ncontent-type:application/x-www-form-urlencoded; charset=utf-8\nhost:iam.amazonaws.com\nx-amz-date:20150830T123600Z\n\ncontent-type;host;x-amz-date\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(canonical, expected);
        assert_eq!(
            hex(&Sha256::digest(&canonical)),
            "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59"
        );
        assert_eq!(
            signature(SECRET, SCOPE, "20150830T123600Z", &canonical),
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
        );
    }

    /// Signatures of the published test suite: `get-vanilla`, `post-vanilla`, `get-vanilla-query-order-key-case`,
    /// `get-header-value-trim`.
    #[test]
    fn the_signatures_of_the_published_suite_are_calculated() {
        let date = ("X-Amz-Date", "20150830T123600Z");
        let host = ("Host", "example.amazonaws.com");
        let scope = ["20150830", "us-east-1", "service", "aws4_request"];
        let trimmed = [host, ("My-Header1", " value1"), ("My-Header2", " \"a   b   c\""), date];
        type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str, &'a [&'a str], &'a str);
        let rows: [Row; 4] = [
            (
                "GET",
                &[host, date],
                "/",
                &["host", "x-amz-date"],
                "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
            (
                "POST",
                &[host, date],
                "/",
                &["host", "x-amz-date"],
                "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            ),
            (
                "GET",
                &[host, date],
                "/?Param2=value2&Param1=value1",
                &["host", "x-amz-date"],
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
            (
                "GET",
                &trimmed,
                "/",
                &["host", "my-header1", "my-header2", "x-amz-date"],
                "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
            ),
        ];
        for (method, headers, uri, signed, expected) in rows {
            let body = hex(&Sha256::digest(b""));
            let canonical = canonical_request(&request(method, headers, ""), &uri.parse().unwrap(), signed, &body);
            assert_eq!(signature(SECRET, scope, "20150830T123600Z", &canonical), expected, "{canonical}");
        }
    }

    #[test]
    fn keys_are_two_or_three_texts() {
        let keys = |token: Option<&str>| Keys {
            key: String::from("AKID"),
            secret: String::from("a/b+c"),
            token: token.map(String::from),
        };
        assert_eq!("AKID:a/b+c".parse(), Ok(keys(None)));
        assert_eq!("AKID:a/b+c:t:u==".parse(), Ok(keys(Some("t:u=="))));
        for text in ["", "AKID", "AKID:", ":secret"] {
            assert_eq!(text.parse::<Keys>(), Err(NoKeys), "{text}");
        }
        assert!(!format!("{:?}", keys(Some("token"))).contains("a/b"));
    }

    #[test]
    fn paths_and_queries_are_canonical() {
        for (path, canonical) in
            [("/", "/"), ("", "/"), ("/a/./b/../c/", "/a/c/"), ("//a//b", "/a/b"), ("/a%20b", "/a%2520b")]
        {
            assert_eq!(canonical_path(path), canonical);
        }
        assert_eq!(canonical_query("b=2&a=%2f&a=1&c"), "a=%2F&a=1&b=2&c=");
    }
}
