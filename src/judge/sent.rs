//! What a case of the catalogue sends, for whoever reviews it: as far as it differs from what every plain call sends.
//!
//! ```text
//! after upload, part, complete
//! bytes: layer 33
//! layerDigests=[«sha256:layer», "sha256:0000…00ff"] uploadId absent
//! ```

use serde_json::{Map, Value};

use crate::case::{Case, Length, Step, StepRole};
use crate::contract::{Effect, Operation};
use crate::template::{Reference, shown};
use crate::wire::{Framing, Signature, envelope};

/// How many letters of a text are shown.
const LETTERS: usize = 80;

/// How many sizes are in a line.
const SIZES: usize = 4;

/// How many items of a list are shown.
const ITEMS: usize = 4;

/// How many lines or words are shown of a case with many steps: the first of them, and the last.
const SHOWN: usize = 16;
/// How many unknown members, or headers, are shown at most.
const UNKNOWN: usize = 12;

/// Length of a chunk where nothing else matters.
const SMALL: usize = 32;

/// What a case sends that a plain call does not, line by line; nothing where its steps say it all.
pub(super) fn sent(case: &Case) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(state(case));
    lines.extend(sizes(case));
    for step in case.steps.iter().filter(|step| step.role != StepRole::Probe) {
        let words = request(case, step);
        if !words.is_empty() {
            let name = if step.name == "focus" { String::new() } else { format!("{}: ", step.name) };
            lines.push(format!("{name}{}", words.join(" ")));
        }
    }
    some_of(lines)
}

/// The first and the last of many.
fn some_of(all: Vec<String>) -> Vec<String> {
    let Some(left_out) = all.len().checked_sub(SHOWN + 1).filter(|left_out| *left_out > 0) else { return all };
    let (first, last) = (&all[..SHOWN - SHOWN / 4], &all[all.len() - SHOWN / 4..]);
    [first, &[format!("… {} more", left_out + 1)], last].concat()
}

/// The steps that come before the last one, where they are not those that every such call needs.
fn state(case: &Case) -> Option<String> {
    let steps: Vec<&Step> = case.steps.iter().filter(|step| step.role != StepRole::Probe).collect();
    let (last, before) = steps.split_last()?;
    let effects: Vec<_> = before.iter().filter_map(|step| step.operation).map(Operation::effect).collect();
    let plain: &[Effect] = match last.operation.map(Operation::effect) {
        Some(Effect::AddsPart) => &[Effect::BeginsUpload],
        Some(Effect::CompletesUpload) => &[Effect::BeginsUpload, Effect::AddsPart],
        Some(
            Effect::Reads
            | Effect::BeginsUpload
            | Effect::ReferencesLayers
            | Effect::MakesRepository
            | Effect::RemovesRepository,
        )
        | None => &[],
    };
    let names = some_of(before.iter().map(|step| step.name.clone()).collect());
    match effects == plain {
        true => None,
        false if names.is_empty() => Some(String::from("after nothing")),
        false => Some(format!("after {}", names.join(", "))),
    }
}

/// The sizes of the chunks, where there are others than a small one, some a line.
fn sizes(case: &Case) -> Vec<String> {
    let plain = case.chunks.iter().all(|chunk| chunk.len == Length::Bytes(SMALL));
    let sizes: Vec<String> = case
        .chunks
        .iter()
        .map(|chunk| match &chunk.len {
            Length::Bytes(len) => format!("{} {len}", chunk.name),
            Length::PartSize => format!("{} partSize", chunk.name),
            Length::Text(_) => format!("{} {}", chunk.name, chunk.bytes()),
            Length::Literal { unit, times } => format!("{} {}", chunk.name, literal(unit, *times)),
        })
        .collect();
    let lines = sizes.chunks(SIZES).filter(|_| !plain);
    lines.map(|sizes| format!("bytes: {}", sizes.join(", "))).collect()
}

/// The bytes of a literal, shortened, and how often they come.
fn literal(unit: &[u8], times: usize) -> String {
    let text: String = unit.escape_ascii().to_string().replace('"', "'");
    let often = if times == 1 { String::new() } else { format!(" ×{times}") };
    format!("{} \"{}\"{often}", unit.len().saturating_mul(times), cut(&text))
}

/// Where a request differs from a plain one.
fn request(case: &Case, step: &Step) -> Vec<String> {
    let mut words = headers(case, step);
    let body = &step.request.body;
    let Some(json) = body.to_json() else {
        words.push(format!("body {:?}", body.to_bytes()));
        return words;
    };
    if json.is_empty() {
        words.push(String::from("no body"));
        return words;
    }
    let members = match serde_json::from_str(&json) {
        // Spaces, escapes and members that come twice are in the text alone.
        Ok(Value::Object(members)) if Value::Object(members.clone()).to_string().len() == json.len() => members,
        _ => {
            words.push(format!("body {}", cut(&visible(&body.shown()))));
            return words;
        }
    };
    words.extend(changed(case, step, &members));
    words
}

/// Members that differ from those of a plain call, and required ones that are missing.
fn changed(case: &Case, step: &Step, members: &Map<String, Value>) -> Vec<String> {
    let input = step.spec(case.service).map_or(&[][..], |operation| operation.input);
    let known = input.iter().filter_map(|member| match members.get(member.name) {
        None if member.required => Some(format!("{} absent", member.name)),
        None => None,
        Some(value) if is_plain(case, member.name, value) => None,
        Some(value) => Some(format!("{}={}", member.name, of_value(value))),
    });
    let is_known = |name: &String| input.iter().any(|member| member.name == name);
    let unknown = members.iter().filter(|(name, _)| !is_known(name));
    let mut words: Vec<String> = known.collect();
    let count = members.keys().filter(|name| !is_known(name)).count();
    words.extend(unknown.take(UNKNOWN).map(|(name, value)| format!("{}={}", cut(&visible(name)), of_value(value))));
    words.extend(count.checked_sub(UNKNOWN).filter(|more| *more > 0).map(|more| format!("… {more} more members")));
    words
}

/// Whether a plain call has this member so.
fn is_plain(case: &Case, name: &str, value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    match name {
        "repositoryName" => text == "${repository}",
        "uploadId" => text == "${upload.uploadId}",
        "layerPartBlob" => text == "${base64:layer}",
        "layerDigest" => text == "${sha256:layer}",
        "layerDigests" => {
            value.as_array().is_some_and(|items| matches!(items.as_slice(), [only] if only == "${sha256:layer}"))
        }
        "partFirstByte" => value.as_u64() == Some(0),
        "partLastByte" => {
            let layer = case.chunks.iter().find(|chunk| chunk.name == "layer");
            layer.is_some_and(|layer| value.as_u64().map(|last| last + 1) == Some(layer.bytes() as u64))
        }
        _ => false,
    }
}

/// Method, framing and headers that a plain request has otherwise.
fn headers(case: &Case, step: &Step) -> Vec<String> {
    let sent = &step.request;
    let plain = envelope::plain(case.service, step.operation, sent.body.clone());
    let mut words = Vec::new();
    if sent.method != plain.method {
        words.push(format!("method {}", visible(&sent.method)));
    }
    if sent.framing != Framing::Length {
        words.push(format!("framing {:?}", sent.framing));
    }
    if sent.signature != Signature::Valid {
        words.push(String::from(sent.signature.words()));
    }
    let other: Vec<_> = sent.headers.iter().filter(|header| !plain.headers.contains(header)).collect();
    let more = other.len().checked_sub(UNKNOWN).filter(|more| *more > 0);
    words.extend(
        other.into_iter().take(UNKNOWN).map(|(name, value)| format!("{}: {:?}", visible(name), cut(&visible(value)))),
    );
    words.extend(more.map(|more| format!("… {more} more headers")));
    let missing = plain.headers.iter().filter(|(name, _)| sent.header(name).is_none());
    words.extend(missing.map(|(name, _)| format!("{name} absent")));
    words
}

/// A value, shortened; a reference without quotes.
fn of_value(value: &Value) -> String {
    match value {
        Value::String(text) if Reference::alone(text).is_some() => shown(text),
        Value::String(text) => format!("\"{}\"", cut(&visible(&shown(text)).replace('"', "\\\""))),
        Value::Array(items) => list(items),
        other => cut(&visible(&shown(&other.to_string()))),
    }
}

/// A list: of items that are alike one, of a long list those that a reference stands for and the first of the others.
fn list(items: &[Value]) -> String {
    let mut runs: Vec<(String, usize)> = Vec::new();
    for item in items.iter().map(of_value) {
        match runs.last_mut() {
            Some((known, count)) if *known == item => *count += 1,
            _ => runs.push((item, 1)),
        }
    }
    let mut words: Vec<String> = Vec::new();
    let mut left_out = 0;
    for (index, (item, count)) in runs.iter().enumerate() {
        // A reference among other letters is in quotes.
        let literal = |at: usize| runs.get(at).is_some_and(|(item, _)| item.starts_with('"') || !item.contains('«'));
        if runs.len() > ITEMS && literal(index) && index > 0 && literal(index - 1) {
            left_out += count;
        } else {
            words.extend((left_out > 0).then(|| format!("… {left_out} more")));
            left_out = 0;
            words.push(if *count > 1 { format!("{item} ×{count}") } else { item.clone() });
        }
    }
    words.extend((left_out > 0).then(|| format!("… {left_out} more")));
    let count = if items.len() > ITEMS { format!("; {} items", items.len()) } else { String::new() };
    format!("[{}{count}]", words.join(", "))
}

/// The beginning and the end of a long text.
fn cut(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= LETTERS {
        return String::from(text);
    }
    let (head, tail) = (&letters[..LETTERS / 2], &letters[letters.len() - LETTERS / 4..]);
    let (head, tail): (String, String) = (head.iter().collect(), tail.iter().collect());
    format!("{head}…{tail} ({} letters)", letters.len())
}

/// A text in letters that an editor shows.
fn visible(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            ' '..='~' | '«' | '»' => out.push(letter),
            other => out.extend(other.escape_default()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Service;
    use crate::generate::catalogue;

    fn of(id: &str) -> String {
        let case = catalogue(Service::Ecr).into_iter().find(|case| case.id == id);
        sent(&case.unwrap_or_else(|| panic!("no case {id}"))).join("\n")
    }

    #[test]
    fn the_changed_member_is_shown() {
        let rows = [
            ("CompleteLayerUpload/layerDigests/type/string", "layerDigests=«sha256:layer»"),
            ("CompleteLayerUpload/layerDigests/required/absent", "layerDigests absent"),
            ("CompleteLayerUpload/layerDigests/required/null", "layerDigests=null"),
            (
                "CompleteLayerUpload/layerDigests/max-items/101-duplicates",
                "layerDigests=[«sha256:layer» ×101; 101 items]",
            ),
            ("CompleteLayerUpload/layerDigests/min-items/1-item", ""),
            ("wire/content-type/other/absent", "Content-Type absent"),
            ("wire/body/empty/empty", "no body"),
        ];
        for (id, expected) in rows {
            assert_eq!(of(id), expected, "{id}");
        }
        let first = of("CompleteLayerUpload/layerDigests/max-items/101-items");
        assert!(first.starts_with("layerDigests=[«sha256:layer», \"sha256:"), "{first}");
        assert!(first.ends_with(", … 99 more; 101 items]"), "{first}");
    }

    #[test]
    fn what_is_shown_is_one_line_of_plain_letters() {
        for case in Service::ALL.into_iter().flat_map(catalogue) {
            for line in sent(&case) {
                let plain = |letter: char| letter == ' ' || letter.is_ascii_graphic() || "«»…×".contains(letter);
                assert!(line.chars().all(plain) && line.chars().count() < 600, "{}: {line}", case.id);
            }
        }
    }
}
