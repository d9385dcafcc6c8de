//! Reads large requests for the mock: their body is text for the most, and is not copied.

use std::collections::BTreeMap;
use std::ops::Range;

use bytes::Bytes;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::{Registry, Rejection};
use crate::wire::Request;

impl Registry {
    /// The members of a request, as [`Registry::read`] has them. The body is taken out of it, if it is large.
    ///
    /// # Errors
    ///
    /// Why it has none.
    pub fn take(&self, request: &mut Request) -> Result<Map<String, Value>, Rejection> {
        taken_apart(std::mem::take(&mut request.body)).or_else(|body| {
            request.body = body;
            self.read(request)
        })
    }
}

/// From so many bytes on, a text takes the room of the body that it stands in.
const LONG: usize = 1 << 20;

/// The members of a body, if it is an object and one of them is a long text without escapes: that one is not copied.
/// `Err` gives the body back.
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
fn with_long(body: &[u8]) -> Option<(Map<String, Value>, String, Range<usize>)> {
    let text = std::str::from_utf8(body).ok().filter(|text| text.len() >= LONG)?;
    let mut raw: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
    let name = raw.iter().find(|(_, value)| value.get().len() >= LONG)?.0.clone();
    let long = raw.remove(&name)?.get().strip_prefix('"')?.strip_suffix('"')?;
    if memchr::memchr(b'\\', long.as_bytes()).is_some() {
        return None;
    }
    let start = long.as_ptr() as usize - text.as_ptr() as usize;
    let others = raw.into_iter().map(|(name, value)| Some((name, serde_json::from_str(value.get()).ok()?)));
    Some((others.collect::<Option<_>>()?, name, start..start + long.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Operation, Service};
    use crate::wire::envelope;

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
            let mut request = envelope::request(Service::Ecr, Operation::UploadLayerPart, Bytes::from(body));
            let read = registry.read(&request);
            let begins = String::from_utf8_lossy(&request.body[..20.min(request.body.len())]).into_owned();
            assert!(registry.take(&mut request).map_err(|why| why.rule) == read.map_err(|why| why.rule), "{begins}");
        }
        let plain = Bytes::from(format!(r#"{{"blob":"{long}"}}"#));
        let place = plain.as_ptr();
        assert_eq!(taken_apart(plain).unwrap()["blob"].as_str().unwrap().as_ptr(), place);
    }
}
