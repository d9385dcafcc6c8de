//! What the server framework does before the service sees a request: routing, and reading the body.

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

impl Rejection {
    /// The rejection as it goes over the wire.
    pub fn to_response(&self) -> crate::wire::Response {
        envelope::error_response(self.error, &self.message, self.members.clone())
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::contract::Service;
    use crate::wire::{Framing, Signature};

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
