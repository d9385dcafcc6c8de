//! The JSON of an answer, made out also where something is wrong with it: a server that sends a byte order mark is told
//! of that once, and of the rest as any other.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::bound::{MAX_ANSWER, is_bounded};
use super::{Flaw, Response};

/// What the body of an answer says, and what is wrong with how it says so.
pub(super) fn decode(answer: &Response) -> (Option<Value>, Option<Flaw>) {
    let (json, flaw) = of_text(&answer.body);
    let coding =
        answer.header("content-encoding").is_some_and(|coding| !coding.trim().eq_ignore_ascii_case("identity"));
    if json.is_some() {
        return (json, flaw.or(coding.then_some(Flaw::NotCoded)));
    }
    match inflated(&answer.body).map(|body| of_text(&body)) {
        Some((Some(json), flaw)) => {
            let own = if coding { Flaw::Coded } else { Flaw::Compressed };
            (Some(json), flaw.or(Some(own)))
        }
        _ => (None, None),
    }
}

/// Whether bytes are a whole JSON object.
#[cfg_attr(not(feature = "net"), expect(dead_code, reason = "only who reads from a network asks"))]
pub(crate) fn is_object(bytes: &[u8]) -> bool {
    /// Far beyond what the covered operations have to say.
    const LONGEST_ASKED: usize = 64 << 10;
    // It is asked after each piece that comes, and a target may send pieces without end.
    bytes.len() <= LONGEST_ASKED
        && bytes.trim_ascii_end().ends_with(b"}")
        && strict(bytes).is_some_and(|(json, _)| json.is_object())
}

fn of_text(bytes: &[u8]) -> (Option<Value>, Option<Flaw>) {
    if let Some((json, repeated)) = strict(bytes) {
        let inner = json.as_str().and_then(|inner| strict(inner.as_bytes()));
        return match inner {
            Some((inner @ Value::Object(_), _)) => (Some(inner), Some(Flaw::Quoted)),
            _ => (Some(json), repeated.then_some(Flaw::Repeated)),
        };
    }
    if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf")
        && let Some((json, _)) = strict(rest)
    {
        return (Some(json), Some(Flaw::ByteOrderMark));
    }
    let of_other_encoding = || match recoded(bytes).and_then(|text| strict(text.as_bytes())) {
        Some((json @ Value::Object(_), _)) => (Some(json), Some(Flaw::NotUtf8)),
        _ => (None, None),
    };
    match std::str::from_utf8(bytes) {
        // No JSON has a NUL at its beginning.
        Ok(text) if !text.as_bytes().iter().take(2).any(|byte| *byte == 0) => of_flawed(text),
        _ => of_other_encoding(),
    }
}

/// What a text says that is not JSON alone. What says nothing has no flaw either.
fn of_flawed(text: &str) -> (Option<Value>, Option<Flaw>) {
    let body = text.trim_start_matches(|letter: char| letter == '\u{feff}' || letter.is_whitespace());
    let (members, flaw) = match body.chars().next() {
        Some('{') => match first_object(body) {
            Some(members) => (Some(members), Flaw::Trailing),
            None => (beginning(body), Flaw::Incomplete),
        },
        // A page is no JSON with something before it, whatever its scripts have in them.
        Some('<') | None => (None, Flaw::Prefix),
        Some(_) => {
            let starts = body.match_indices('{').take(MOST_BRACES);
            let mut objects = starts.filter_map(|(start, _)| first_object(&body[start..]));
            (objects.find(|members| !members.is_empty()), Flaw::Prefix)
        }
    };
    let flaw = members.is_some().then_some(flaw);
    (members.map(Value::Object), flaw)
}

/// How many braces before an object may belong to something else.
const MOST_BRACES: usize = 16;

/// The JSON of bytes that are JSON and nothing else, and whether a member comes twice.
fn strict(bytes: &[u8]) -> Option<(Value, bool)> {
    if !is_bounded(bytes) {
        return None;
    }
    let repeated = Cell::new(false);
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let json = Json { repeated: &repeated }.deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    Some((json, repeated.get()))
}

/// The object that a text begins with, whatever follows it.
fn first_object(text: &str) -> Option<Map<String, Value>> {
    if !is_bounded(text.as_bytes()) {
        return None;
    }
    match serde_json::Deserializer::from_str(text).into_iter::<Value>().next() {
        Some(Ok(Value::Object(members))) => Some(members),
        _ => None,
    }
}

/// The members of an object that is cut, as far as they are whole.
fn beginning(text: &str) -> Option<Map<String, Value>> {
    let mut open = Vec::new();
    // Where the text was whole at last, but for what was open then.
    let mut whole = (0, String::new());
    let (mut in_string, mut escaped) = (false, false);
    for (place, letter) in text.char_indices() {
        match letter {
            _ if in_string => {
                in_string = escaped || letter != '"';
                escaped = letter == '\\' && !escaped;
            }
            '"' => in_string = true,
            '{' | '[' => {
                open.push(if letter == '{' { '}' } else { ']' });
                whole = (place + 1, closing(&open));
            }
            '}' | ']' => {
                open.pop()?;
                whole = (place + 1, closing(&open));
            }
            ',' => whole = (place, closing(&open)),
            _ => {}
        }
        if open.len() > DEEPEST {
            return None;
        }
    }
    // A number may be cut itself.
    let ends_whole = !in_string && !text.trim_end().ends_with(|letter: char| letter.is_ascii_digit());
    let (end, close) = whole;
    let all = ends_whole.then(|| first_object(&format!("{text}{}", closing(&open)))).flatten();
    all.or_else(|| first_object(&format!("{}{close}", &text[..end])))
}

/// How deep an object that is cut may be nested.
const DEEPEST: usize = 64;

fn closing(open: &[char]) -> String {
    open.iter().rev().collect()
}

/// The text of bytes that are no UTF-8: UTF-16, or what has a byte of another encoding here and there.
fn recoded(bytes: &[u8]) -> Option<String> {
    let units = |of: fn([u8; 2]) -> u16, bytes: &[u8]| {
        let units = bytes.chunks_exact(2).map(|pair| of([pair[0], pair[1]]));
        char::decode_utf16(units).collect::<Result<String, _>>().ok()
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => units(u16::from_le_bytes, rest),
        [0xfe, 0xff, rest @ ..] => units(u16::from_be_bytes, rest),
        [_, 0, ..] => units(u16::from_le_bytes, bytes),
        [0, _, ..] => units(u16::from_be_bytes, bytes),
        _ => Some(String::from_utf8_lossy(bytes).into_owned()),
    }
}

/// The bytes behind a gzip or a zlib.
fn inflated(bytes: &[u8]) -> Option<Vec<u8>> {
    match bytes {
        [0x1f, 0x8b, 8, flags, _, _, _, _, _, _, rest @ ..] => {
            // Names and comments, which nobody writes on the fly.
            let rest = if flags & 0b1000 == 0 { rest } else { &rest[rest.iter().position(|byte| *byte == 0)? + 1..] };
            miniz_oxide::inflate::decompress_to_vec_with_limit(rest, MAX_ANSWER).ok()
        }
        [0x78, ..] => miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(bytes, MAX_ANSWER).ok(),
        _ => None,
    }
}

/// Reads a [`Value`], and notices members that come twice.
#[derive(Clone, Copy)]
struct Json<'a> {
    repeated: &'a Cell<bool>,
}

impl<'de> DeserializeSeed<'de> for Json<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Json<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(self)?;
            if object.insert(name, value).is_some() {
                self.repeated.set(true);
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::json;

    use super::*;

    fn of(headers: &[(&str, &str)], body: &[u8]) -> (Option<Value>, Option<Flaw>) {
        let headers = headers.iter().map(|(name, value)| (String::from(*name), String::from(*value))).collect();
        decode(&Response { status: 200, headers, body: Bytes::copy_from_slice(body), flaw: None })
    }

    #[test]
    fn what_is_right_has_no_flaw() {
        for text in ["{}", " {\"a\":[1,null,true,\"x\",-1.5,{\"b\":{}}]}\r\n", "[]", "1", "\"x\"", "null"] {
            assert_eq!(of(&[], text.as_bytes()), (serde_json::from_str(text).ok(), None), "{text}");
        }
        assert_eq!(of(&[("content-encoding", "Identity")], b"{}"), (Some(json!({})), None));
        // One name in two objects is no repetition.
        assert_eq!(of(&[], br#"{"a":{"b":1},"b":1}"#).1, None);
    }

    #[test]
    fn what_can_be_made_out_has_its_flaw() {
        let read = Some(json!({"a": "b"}));
        let utf_16: Vec<u8> = "\u{feff}{\"a\":\"b\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let utf_16_bare: Vec<u8> = "{\"a\":\"b\"}".encode_utf16().flat_map(u16::to_be_bytes).collect();
        let rows: [(&[u8], Flaw); 14] = [
            (b"WARN: {no}\n{\"a\":\"b\"}", Flaw::Prefix),
            (&utf_16_bare, Flaw::NotUtf8),
            (br#""{\"a\":\"b\"}""#, Flaw::Quoted),
            (b"\xef\xbb\xbf{\"a\":\"b\"}", Flaw::ByteOrderMark),
            (b")]}',\n{\"a\":\"b\"}", Flaw::Prefix),
            (b"a=b;{\"a\":\"b\"};", Flaw::Prefix),
            (b"{\"a\":\"b\"}{\"a\":\"c\"}", Flaw::Trailing),
            (b"{\"a\":\"b\"}\0", Flaw::Trailing),
            (b"{\"a\":\"b\"}]", Flaw::Trailing),
            (b"{\"a\":\"b\"", Flaw::Incomplete),
            (b"{\"a\":\"b\",\"c\":12", Flaw::Incomplete),
            (b"{\"a\":\"b\",\"c\\\"\":\"x", Flaw::Incomplete),
            (b"{\"a\":\"c\",\"a\":\"b\"}", Flaw::Repeated),
            (&utf_16, Flaw::NotUtf8),
        ];
        for (body, flaw) in rows {
            assert_eq!(of(&[], body), (read.clone(), Some(flaw)), "{:?}", String::from_utf8_lossy(body));
        }
        assert_eq!(of(&[], b"{\"a\":\"\xe9\"}").1, Some(Flaw::NotUtf8));
        assert_eq!(of(&[("content-encoding", "gzip")], b"{\"a\":\"b\"}"), (read, Some(Flaw::NotCoded)));
        let (json, flaw) = of(&[], b"{\"a\":[{\"b\":1},{\"b\":2");
        assert_eq!((json, flaw), (Some(json!({"a": [{"b": 1}, {}]})), Some(Flaw::Incomplete)));
    }

    #[test]
    fn what_is_compressed_is_read() {
        let zlib = miniz_oxide::deflate::compress_to_vec_zlib(b"{\"a\":\"b\"}", 6);
        let deflated = &zlib[2..zlib.len() - 4];
        let gzip = [b"\x1f\x8b\x08\0\0\0\0\0\0\xff".as_slice(), deflated, b"\0\0\0\0\x09\0\0\0"].concat();
        let named = [b"\x1f\x8b\x08\x08\0\0\0\0\0\xffx\0".as_slice(), deflated, b"\0\0\0\0\x09\0\0\0"].concat();
        for body in [&gzip, &named, &zlib] {
            assert_eq!(of(&[], body), (Some(json!({"a": "b"})), Some(Flaw::Compressed)));
            assert_eq!(of(&[("content-encoding", "gzip")], body).1, Some(Flaw::Coded));
        }
        assert_eq!(of(&[], b"\x1f\x8b\x08\0\0\0\0\0\0\xff\xff"), (None, None));
    }

    #[test]
    fn what_is_no_answer_says_nothing() {
        let deep = "[".repeat(100_000);
        let objects = "{\"a\":".repeat(100_000);
        for body in [
            "",
            "<html>{ color: red }</html>",
            "<script>x = {\"a\":1}</script>",
            "no {} here",
            "{",
            "{{{",
            "uploadId",
            &deep,
            &objects,
        ] {
            let (json, _) = of(&[], body.as_bytes());
            assert!(json.is_none() || json == Some(json!({})), "{body:.40}: {json:?}");
        }
    }
}
