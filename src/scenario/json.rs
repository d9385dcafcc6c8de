//! JSON as a scenario file has it: members in the order in which they are written, which is the order in which they
//! are sent.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::quote::json;
use crate::case::body::quote;
use crate::template::Reference;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    /// What stands for itself: null, true, false or a number, as it is sent.
    Word(String),
    /// A string.
    Text(String),
    /// A list.
    List(Vec<Json>),
    /// An object.
    Object(Ordered<Json>),
}

/// The entries of a mapping in their order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ordered<T>(pub(super) Vec<(String, T)>);

impl<T> Default for Ordered<T> {
    fn default() -> Ordered<T> {
        Ordered(Vec::new())
    }
}

impl Json {
    /// The number that a string stands for: a size or a position, `${size:layer}`.
    fn as_number(text: &str) -> Option<&str> {
        Reference::alone(text).filter(Reference::is_number).map(|_| text)
    }

    /// The value as it is sent.
    pub(super) fn sent(&self) -> String {
        let mut text = String::new();
        self.write(&mut text, Form::Sent);
        text
    }

    /// The value as it is written in a file, as JSON that is YAML too.
    pub(super) fn written(&self) -> String {
        let mut text = String::new();
        self.write(&mut text, Form::Written);
        text
    }

    fn write(&self, out: &mut String, form: Form) {
        let (comma, colon) = match form {
            Form::Sent => (",", ":"),
            Form::Written => (", ", ": "),
        };
        match self {
            Json::Word(word) => *out += word,
            Json::Text(text) => match Json::as_number(text) {
                Some(number) if form == Form::Sent => *out += number,
                _ => *out += &form.quote(text),
            },
            Json::List(items) => {
                *out += "[";
                for (index, item) in items.iter().enumerate() {
                    *out += if index > 0 { comma } else { "" };
                    item.write(out, form);
                }
                *out += "]";
            }
            Json::Object(Ordered(members)) => {
                *out += "{";
                for (index, (name, value)) in members.iter().enumerate() {
                    *out += if index > 0 { comma } else { "" };
                    *out += &form.quote(name);
                    *out += colon;
                    value.write(out, form);
                }
                *out += "}";
            }
        }
    }
}

/// Where JSON stands.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Form {
    /// In a request, without spaces.
    Sent,
    /// In a file.
    Written,
}

impl Form {
    fn quote(self, text: &str) -> String {
        match self {
            Form::Sent => quote(text),
            Form::Written => json(text),
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Word(String::from("null")))
    }

    fn visit_none<E: Error>(self) -> Result<Json, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        Json::deserialize(deserializer)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Word(value.to_string()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Word(value.to_string()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Word(value.to_string()))
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Json, E> {
        Ok(Json::Word(value.to_string()))
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<Json, E> {
        Ok(Json::Word(value.to_string()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Json, E> {
        let number = serde_json::Number::from_f64(value);
        number.map(|number| Json::Word(number.to_string())).ok_or_else(|| E::custom("JSON has no such number"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(String::from(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Json, A::Error> {
        OrderedReader(PhantomData).visit_map(members).map(Json::Object)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Ordered<T>, D::Error> {
        deserializer.deserialize_map(OrderedReader(PhantomData))
    }
}

struct OrderedReader<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OrderedReader<T> {
    type Value = Ordered<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Ordered<T>, A::Error> {
        let mut ordered = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            ordered.push(entry);
        }
        Ok(Ordered(ordered))
    }
}
