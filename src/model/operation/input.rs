//! The members of a request, read. What is missing or of another type is read as a default: requests come here when
//! their syntax was found right.

use serde_json::Value;

use super::Members;
#[cfg(feature = "mock")]
use crate::contract::blob::Notation;
use crate::contract::check::long;

/// A member that is a text.
pub(super) fn text<'a>(input: &'a Members, member: &str) -> &'a str {
    input.get(member).and_then(Value::as_str).unwrap_or_default()
}

/// The name of the repository.
pub(super) fn repository(input: &Members) -> &str {
    text(input, "repositoryName")
}

/// The id of the upload.
pub(super) fn upload(input: &Members) -> &str {
    text(input, "uploadId")
}

/// A member that is a whole number.
pub(super) fn number(input: &Members, member: &str) -> i64 {
    input.get(member).and_then(long).unwrap_or_default()
}

/// The items of a list that are texts; `None` if there is no list.
pub(super) fn texts<'a>(input: &'a Members, member: &str) -> Option<Vec<&'a str>> {
    let items = input.get(member).and_then(Value::as_array)?;
    Some(items.iter().filter_map(Value::as_str).collect())
}

/// How many bytes the part has, whose text was found to be base64 by then.
#[cfg(feature = "mock")]
pub(crate) fn blob_size(input: &Members) -> usize {
    Notation::Base64.known_size(text(input, "layerPartBlob"))
}

/// The bytes of the part.
#[cfg(feature = "mock")]
pub(crate) fn blob_of(input: &Members) -> Vec<u8> {
    crate::contract::blob::bytes(text(input, "layerPartBlob")).unwrap_or_default()
}
