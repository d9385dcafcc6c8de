//! What the server framework does before the service sees a request: routing, and reading the body.

#[cfg(feature = "mock")]
use std::collections::BTreeMap;
#[cfg(feature = "mock")]
use std::ops::Range;

#[cfg(feature = "mock")]
use bytes::Bytes;
#[cfg(feature = "mock")]
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::{Registry, Rejection};
use crate::contract::{OperationSpec, RuleId};
use crate::wire::{Request, envelope};

impl Registry {
    /// Answers a request: the members of a success, or why it is rejected.
    pub fn answer(&mut self, request: &Request) -> Result<Value, Rejection> {
        let operation = self.route(request)?;
        if let Some(broken) = request.signature.breaks() {
            return Err(Rejection::of(self.service, broken, String::new()));
        }
        let input = self.read(request)?;
        self.call(operation, &input)
    }

    /// The operation that a request names.
    ///
    /// # Errors
    ///
    /// Why it names none.
    pub fn route(&self, request: &Request) -> Result<&'static OperationSpec, Rejection> {
        let reject = |rule: RuleId| Rejection::of(self.service, rule, String::new());
        if request.method != "POST" {
            return Err(reject(RuleId::new("wire/method")));
        }
        let content_type = request.header("content-type").unwrap_or_default();
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        if !media_type.eq_ignore_ascii_case(crate::wire::CONTENT_TYPE) {
            return Err(reject(RuleId::new("wire/content-type/other")));
        }
        let target = request.header("x-amz-target").ok_or_else(|| reject(RuleId::new("wire/target/present")))?;
        let (prefix, operation) = target.rsplit_once('.').ok_or_else(|| reject(RuleId::new("wire/target/prefix")))?;
        let contract = self.service.contract();
        if prefix != contract.target_prefix {
            return Err(reject(RuleId::new("wire/target/prefix")));
        }
        operation
            .parse()
            .ok()
            .and_then(|operation| contract.operation(operation))
            .ok_or_else(|| reject(RuleId::new("wire/target/operation")))
    }

    /// The members of a request that nobody reads again: the body of a large one is not copied.
    ///
    /// # Errors
    ///
    /// Why it has none.
    #[cfg(feature = "mock")]
    pub fn take(&self, request: &mut Request) -> Result<Map<String, Value>, Rejection> {
        taken_apart(std::mem::take(&mut request.body)).or_else(|body| {
            request.body = body;
            self.read(request)
        })
    }

    /// The members of a request.
    ///
    /// # Errors
    ///
    /// Why it has none.
    pub fn read(&self, request: &Request) -> Result<Map<String, Value>, Rejection> {
        let reject = |rule: RuleId| Rejection::of(self.service, rule, String::new());
        if request.body.is_empty() {
            return Err(reject(RuleId::new("wire/body/empty")));
        }
        let Ok(body) = std::str::from_utf8(&request.body) else {
            return Err(reject(RuleId::new("wire/body/utf-8")));
        };
        match serde_json::from_str(body) {
            Ok(Value::Object(input)) => Ok(input),
            Ok(_) => Err(reject(RuleId::new("wire/body/object"))),
            // Both of serde_json's messages about a surrogate without its other half.
            Err(error) if error.to_string().contains("hex escape") => Err(reject(RuleId::new("wire/body/surrogate"))),
            Err(_) => Err(reject(RuleId::new("wire/body/json"))),
        }
    }
}

/// From so many bytes on, a text takes the room of the body that it stands in.
#[cfg(feature = "mock")]
const LONG: usize = 1 << 20;

/// The members of a body, if it is an object and one of them is a long text without escapes: that one is not copied.
/// `Err` gives the body back.
#[cfg(feature = "mock")]
fn taken_apart(body: Bytes) -> Result<Map<String, Value>, Bytes> {
    let Some((mut members, name, long)) = with_long(&body) else { return Err(body) };
    let mut text = Vec::from(body);
    text.copy_within(long.clone(), 0);
    text.truncate(long.len());
    // It was read as text before.
    members.insert(name, Value::from(String::from_utf8(text).unwrap_or_default()));
    Ok(members)
}

/// The members of a body but for a long text, with the name of that one and where it is.
#[cfg(feature = "mock")]
fn with_long(body: &[u8]) -> Option<(Map<String, Value>, String, Range<usize>)> {
    let text = std::str::from_utf8(body).ok().filter(|text| text.len() >= LONG)?;
    let mut raw: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
    let name = raw.iter().find(|(_, value)| value.get().len() >= LONG)?.0.clone();
    let long = raw.remove(&name)?.get().strip_prefix('"')?.strip_suffix('"')?;
    if long.contains('\\') {
        return None;
    }
    let start = long.as_ptr() as usize - text.as_ptr() as usize;
    let others = raw.into_iter().map(|(name, value)| Some((name, serde_json::from_str(value.get()).ok()?)));
    Some((others.collect::<Option<_>>()?, name, start..start + long.len()))
}

impl Rejection {
    /// The rejection as it goes over the wire.
    pub fn to_response(&self) -> crate::wire::Response {
        envelope::error_response(self.error, &self.message, self.members.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Operation, Service};
    use crate::wire::{Framing, Signature};

    #[test]
    fn members_are_the_same_whether_the_body_is_copied_or_not() {
        let registry = Registry::new(Service::Ecr);
        let long = "x".repeat(LONG);
        let bodies = [
            format!(r#"{{"a":1,"blob":"{long}","b":["y",null]}}"#),
            format!(r#" {{ "blob" : "{long}" , "blob" : "{long}z" }} "#),
            format!(r#"{{"blob":"{long}","blob":"y"}}"#),
            format!(r#"{{"blob":"{long}","other":"{long}"}}"#),
            format!(r#"{{"blob":"{long}\\u0041"}}"#),
            format!(r#"{{"blob":"{long}é"}}"#),
            format!(r#"{{"{long}":1}}"#),
            format!(r#"{{"blob":["{long}"]}}"#),
            format!(r#"{{"blob":"{long}\n","a":"\\ud800"}}"#),
            format!(r#"{{"blob":"{long}","a":"\\ud800"}}"#),
            format!(r#"{{"blob":"{long}"}} x"#),
            format!(r#""{long}""#),
            String::from(r#"{"a":"b"}"#),
        ];
        for body in bodies {
            let mut request =
                crate::wire::envelope::request(Service::Ecr, Operation::UploadLayerPart, Bytes::from(body));
            let read = registry.read(&request);
            let begins = String::from_utf8_lossy(&request.body[..20.min(request.body.len())]).into_owned();
            assert!(registry.take(&mut request).map_err(|why| why.rule) == read.map_err(|why| why.rule), "{begins}");
        }
        let plain = Bytes::from(format!(r#"{{"blob":"{long}"}}"#));
        let place = plain.as_ptr();
        assert_eq!(taken_apart(plain).unwrap()["blob"].as_str().unwrap().as_ptr(), place);
    }

    #[test]
    fn a_body_that_cannot_be_read_breaks_the_rule_that_is_about_it() {
        let rows: [(&[u8], &str); 10] = [
            (b"", "empty"),
            (b"{\"a\":\"\xff\"}", "utf-8"),
            (b"[{}]", "object"),
            (b"7", "object"),
            (b"{\"a\":", "json"),
            (b"{\"a\":1}}", "json"),
            (b"{\"a\":\"\\x\"}", "json"),
            // A surrogate without its other half, at the end of a text, before another character, and the second one alone.
            (b"{\"a\":\"\\ud800\"}", "surrogate"),
            (b"{\"a\":\"\\ud800x\"}", "surrogate"),
            (b"{\"a\":\"\\udc00\"}", "surrogate"),
        ];
        let registry = Registry::new(Service::Ecr);
        for (body, rule) in rows {
            let body = Bytes::from_static(body);
            let request = Request {
                method: String::from("POST"),
                headers: Vec::new(),
                body,
                framing: Framing::Length,
                signature: Signature::Valid,
            };
            let rejected = registry.read(&request).unwrap_err().rule;
            assert_eq!(rejected.to_string(), format!("wire/body/{rule}"), "{:?}", request.body);
        }
    }
}
