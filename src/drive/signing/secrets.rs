//! What must not be told, and how it is hidden in what a target says: some quote what they were sent.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use bytes::Bytes;
use memchr::memmem;

use crate::case::bindings::hex;
use crate::wire::{Answer, Exchange};

/// Texts that must not be told, in every encoding in which they may be quoted. In lower case: more is hidden so, and never
/// less.
#[derive(Clone, Default)]
pub struct Secrets(Vec<Vec<u8>>);

impl Secrets {
    /// These texts.
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Secrets {
        let mut forms: Vec<Vec<u8>> = texts.into_iter().filter(|text| text.len() >= SHORTEST).flat_map(forms).collect();
        // What has another one in it is hidden first.
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        forms.dedup();
        Secrets(forms)
    }

    /// These and others.
    pub fn and(&self, others: &Secrets) -> Secrets {
        Secrets(self.0.iter().chain(&others.0).cloned().collect())
    }

    /// Hides them in the answer of an exchange, before anybody reads it.
    pub fn hide(&self, exchange: &mut Exchange) {
        match &mut exchange.reply {
            Ok(Answer::Http(response)) => {
                if let Some(hidden) = self.hidden(&response.body) {
                    response.body = Bytes::from(hidden);
                }
                response.headers.iter_mut().for_each(|(_, value)| self.hide_in(value));
            }
            Ok(Answer::Observed(seen)) => Arc::make_mut(seen).each_text(|text| self.hide_in(text)),
            Err(_) => {}
        }
    }

    fn hide_in(&self, text: &mut String) {
        if let Some(hidden) = self.hidden(text.as_bytes()) {
            *text = String::from_utf8_lossy(&hidden).into_owned();
        }
    }

    /// Bytes with a star in the place of each byte of a secret, if there is one.
    fn hidden(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut low = bytes.to_ascii_lowercase();
        let mut hidden: Option<Vec<u8>> = None;
        for form in &self.0 {
            let mut from = 0;
            while let Some(at) = memmem::find(&low[from..], form) {
                let place = from + at..from + at + form.len();
                low[place.clone()].fill(b'*');
                hidden.get_or_insert_with(|| bytes.to_vec())[place.clone()].fill(b'*');
                from = place.end;
            }
        }
        hidden
    }
}

/// Shorter ones stand everywhere.
const SHORTEST: usize = 8;

/// A text as it may be quoted.
fn forms(text: &str) -> Vec<Vec<u8>> {
    let bytes = text.as_bytes();
    let url: String = bytes.iter().map(|byte| quoted(*byte, &|byte| format!("%{byte:02x}"))).collect();
    let twice: String = url.replace('%', "%25");
    let json: String = bytes.iter().map(|byte| quoted(*byte, &|byte| format!("\\u{byte:04x}"))).collect();
    let mut forms = vec![text.to_owned(), hex(bytes), url, twice, json, text.replace('/', "\\/")];
    for before in 0..3 {
        forms.push(inner_base64(bytes, before));
        forms.push(inner_base64(bytes, before).replace('+', "-").replace('/', "_"));
        forms.push(inner_base64(bytes, before).replace('/', "\\/"));
    }
    forms.push(URL_SAFE.encode(bytes));
    let mut forms: Vec<Vec<u8>> = forms.into_iter().map(|form| form.to_ascii_lowercase().into_bytes()).collect();
    forms.dedup();
    forms
}

/// A byte, or what stands for it where it is no letter or digit.
fn quoted(byte: u8, escape: &dyn Fn(u8) -> String) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => escape(other),
    }
}

/// The letters of base64 that stand for these bytes alone, after so many others.
fn inner_base64(bytes: &[u8], before: usize) -> String {
    let all = [&[0; 2][..before], bytes].concat();
    let whole = STANDARD.encode(&all);
    // Six bits a letter: of the first and the last, some may be those of a neighbour.
    let (first, last) = ((before * 8).div_ceil(6), all.len() * 8 / 6);
    whole.get(first..last).unwrap_or_default().to_owned()
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::contract::{Operation, Service};
    use crate::wire::{Observation, Response, envelope};

    /// What is left of an answer with this in it.
    fn left(answer: &str) -> String {
        let request = envelope::request(Service::Ecr, Operation::DeleteRepository, Bytes::new());
        let headers = vec![(String::from("x-echo"), String::from(answer))];
        let response = Response { status: 400, headers, body: Bytes::from(answer.to_owned()), flaw: None };
        let mut exchange = Exchange::new(request, Ok(response), Duration::ZERO, Duration::ZERO);
        Secrets::of([SECRET]).hide(&mut exchange);
        let response = exchange.response().unwrap();
        assert_eq!(response.body.len(), answer.len());
        assert_eq!(response.headers[0].1.as_bytes(), &response.body[..]);
        String::from_utf8(response.body.to_vec()).unwrap()
    }

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    #[test]
    fn a_secret_is_hidden_in_every_encoding_and_at_every_place() {
        let stars = "*".repeat(SECRET.len());
        assert_eq!(left(&format!("a {SECRET} b {SECRET}")), format!("a {stars} b {stars}"));
        let hexed = hex(SECRET.as_bytes());
        for quoted in [hexed.clone(), hexed.to_uppercase(), SECRET.to_lowercase(), SECRET.replace('/', "\\/")] {
            assert_eq!(left(&quoted), "*".repeat(quoted.len()));
        }
        let escaped = SECRET.replace('/', "%2F").replace('+', "%2b");
        assert_eq!(left(&escaped), "*".repeat(escaped.len()));
        for before in ["", "a", "ab", "abc"] {
            for after in ["", "d", "de"] {
                let coded = STANDARD.encode(format!("{before}{SECRET}{after}"));
                let left = left(&coded);
                assert!(left.contains(&"*".repeat(SECRET.len() * 8 / 6 - 2)), "{left}");
            }
        }
        assert_eq!(left("nothing of it"), "nothing of it");
    }

    #[test]
    fn nothing_is_told_of_them_by_a_client_either() {
        let error = Observation::of_error(Some(SECRET), Some(SECRET), serde_json::Map::new());
        let members = serde_json::json!({ "a": [{ "b": SECRET }], "c": 1 });
        let success = Observation::of_success(members.as_object().cloned().unwrap());
        for seen in [Observation { words: Some(String::from(SECRET)), ..error }, success] {
            let request = envelope::request(Service::Ecr, Operation::DeleteRepository, Bytes::new());
            let mut exchange = Exchange::through_client(request, Ok(seen), Duration::ZERO, Duration::ZERO);
            assert!(format!("{:?}", exchange.observed()).contains(SECRET));
            Secrets::of([SECRET]).hide(&mut exchange);
            let told = format!("{:?}", exchange.observed());
            assert!(!told.contains(SECRET) && told.contains("****"), "{told}");
        }
    }
}
