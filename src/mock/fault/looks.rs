//! Values that are taken for others: decoded, normalised, folded, cut, converted, or matched as a pattern.

use serde_json::{Map, Value, json};

use super::super::Change::{EditRejections, Execute, RewriteInput};
use super::super::change::Call;
use super::{Fault, retext, texts};
use crate::contract::check::long;
use crate::contract::{Operation, Role, RuleId};
use crate::model::registry::Repository;

const COMPLETE: Operation = Operation::CompleteLayerUpload;
const UPLOAD: Operation = Operation::UploadLayerPart;
const CONTIGUOUS: RuleId = RuleId::new("UploadLayerPart/partFirstByte/contiguous");

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "name-percent-decoded",
        sentence: "repository names are decoded as parts of a URL",
        rule: RuleId::new("InitiateLayerUpload/repositoryName/pattern"),
        changes: &[RewriteInput(|call| rename(call, percent_decoded))],
    },
    Fault {
        name: "name-cleaned-as-path",
        sentence: "the segments . and .. of a repository name are resolved as those of a path",
        rule: RuleId::new("CompleteLayerUpload/repositoryName/pattern"),
        changes: &[RewriteInput(|call| rename(call, cleaned))],
    },
    Fault {
        name: "name-wide-letters",
        sentence: "full-width letters of a repository name are read as plain ones, as NFKC does",
        rule: RuleId::new("UploadLayerPart/repositoryName/pattern"),
        changes: &[RewriteInput(|call| rename(call, |name| name.chars().map(narrow).collect()))],
    },
    Fault {
        name: "name-unescaped-twice",
        sentence: "the escapes of JSON in a repository name are read twice",
        rule: RuleId::new("BatchCheckLayerAvailability/repositoryName/pattern"),
        changes: &[RewriteInput(|call| {
            rename(call, |name| serde_json::from_str(&format!("\"{name}\"")).unwrap_or_else(|_| String::from(name)))
        })],
    },
    Fault {
        name: "name-by-collation",
        sentence: "accents on the letters of a repository name do not count, as in many collations of databases",
        rule: RuleId::new("InitiateLayerUpload/repositoryName/pattern"),
        changes: &[RewriteInput(|call| {
            rename(call, |name| {
                let bare = |letter: char| match letter {
                    'á' | 'à' | 'ä' => Some('a'),
                    'ß' | 'ş' => Some('s'),
                    'ķ' => Some('k'),
                    '\u{300}'..='\u{36f}' => None,
                    other => Some(other),
                };
                name.chars().filter_map(bare).collect()
            })
        })],
    },
    Fault {
        name: "name-with-like",
        sentence: "InitiateLayerUpload looks repositories up with LIKE: an underscore stands for any character",
        rule: RuleId::new("InitiateLayerUpload/repositoryName/exists"),
        changes: &[RewriteInput(|call| {
            found(call, Operation::InitiateLayerUpload, |asked, known| same_but(asked, known, '_'))
        })],
    },
    Fault {
        name: "name-as-expression",
        sentence: "BatchCheckLayerAvailability looks repositories up by a regular expression: a dot stands for any character",
        rule: RuleId::new("BatchCheckLayerAvailability/repositoryName/exists"),
        changes: &[RewriteInput(|call| {
            found(call, Operation::BatchCheckLayerAvailability, |asked, known| same_but(asked, known, '.'))
        })],
    },
    Fault {
        name: "name-flattened",
        sentence: "CompleteLayerUpload keeps repositories in directories, with dashes for the slashes of their names",
        rule: RuleId::new("CompleteLayerUpload/repositoryName/exists"),
        changes: &[RewriteInput(|call| {
            found(call, COMPLETE, |asked, known| asked.replace('/', "-") == known.replace('/', "-"))
        })],
    },
    Fault {
        name: "name-cut-at-200",
        sentence: "repositories are looked up by the first 200 characters of their names",
        rule: RuleId::new("InitiateLayerUpload/repositoryName/exists"),
        changes: &[RewriteInput(|call| {
            found(call, Operation::InitiateLayerUpload, |asked, known| {
                asked.get(..200).is_some_and(|head| known.starts_with(head))
            })
        })],
    },
    Fault {
        name: "name-with-plain-numbers",
        sentence: "GetDownloadUrlForLayer compares the numbers in repository names without their leading zeros",
        rule: RuleId::new("GetDownloadUrlForLayer/repositoryName/exists"),
        changes: &[RewriteInput(|call| {
            found(call, Operation::GetDownloadUrlForLayer, |asked, known| unpadded(asked) == unpadded(known))
        })],
    },
    Fault {
        name: "part-of-any-scalar",
        sentence: "UploadLayerPart decodes the digits of a number, and the letters of true, as base64",
        rule: RuleId::new("UploadLayerPart/layerPartBlob/type"),
        changes: &[RewriteInput(|call| {
            let value = call.input.get("layerPartBlob").filter(|value| value.is_number() || value.is_boolean());
            if let Some(text) = value.map(Value::to_string).filter(|text| text.len() % 4 == 0) {
                call.input.insert(String::from("layerPartBlob"), json!(text));
            }
        })],
    },
    Fault {
        name: "positions-of-16-bits",
        sentence: "UploadLayerPart compares the first position in 16 bits",
        rule: CONTIGUOUS,
        changes: &[EditRejections(|call, wrong| compared(call, wrong, |first| first & 0xffff))],
    },
    Fault {
        name: "positions-of-53-bits",
        sentence: "UploadLayerPart compares the first position in 53 bits",
        rule: CONTIGUOUS,
        changes: &[EditRejections(|call, wrong| compared(call, wrong, |first| first & ((1 << 53) - 1)))],
    },
    Fault {
        name: "negative-positions-wrap",
        sentence: "negative positions are read in 32 bits without a sign",
        rule: RuleId::new("UploadLayerPart/partFirstByte/min"),
        changes: &[RewriteInput(|call| {
            for member in ["partFirstByte", "partLastByte"] {
                // What fits into 32 bits with its sign is negative to this server too.
                if let Some(position) = call.input.get(member).and_then(long).filter(|at| *at < i64::from(i32::MIN)) {
                    call.input.insert(String::from(member), json!(position & 0xffff_ffff));
                }
            }
        })],
    },
    Fault {
        name: "registry-of-digits",
        sentence: "CompleteLayerUpload accepts a number of twelve digits as a registry id",
        rule: RuleId::new("CompleteLayerUpload/registryId/type"),
        changes: &[RewriteInput(|call| {
            let twelve = |value: &Value| value.as_u64().is_some_and(|number| number.to_string().len() == 12);
            if call.is(COMPLETE) && call.input.get("registryId").is_some_and(twelve) {
                call.input.remove("registryId");
            }
        })],
    },
    Fault {
        name: "members-in-any-case",
        sentence: "the names of members are read in any case, as Go does",
        rule: RuleId::new("InitiateLayerUpload/repositoryName/required"),
        changes: &[RewriteInput(|call| {
            for member in call.operation.input {
                let folded = call.input.keys().find(|name| name.eq_ignore_ascii_case(member.name)).cloned();
                if let Some(value) = folded.and_then(|name| call.input.remove(&name)) {
                    call.input.insert(String::from(member.name), value);
                }
            }
        })],
    },
    Fault {
        name: "later-member-in-any-case-wins",
        sentence: "a later member replaces one whose name differs in case alone, as in Go",
        rule: RuleId::new("wire/body/unknown-members"),
        changes: &[RewriteInput(|call| {
            for member in call.operation.input {
                let other = |name: &&String| name.eq_ignore_ascii_case(member.name) && *name != member.name;
                let folded = call.input.keys().rev().find(other).cloned();
                if call.input.contains_key(member.name)
                    && let Some(value) = folded.and_then(|name| call.input.remove(&name))
                {
                    call.input.insert(String::from(member.name), value);
                }
            }
        })],
    },
    Fault {
        name: "upload-by-first-segment",
        sentence: "CompleteLayerUpload compares upload ids up to their first dash",
        rule: RuleId::new("CompleteLayerUpload/uploadId/exists"),
        changes: &[RewriteInput(|call| {
            let id = call.text("uploadId").to_owned();
            let place = call.registry.repositories.get(call.text("repositoryName"));
            let known = place.and_then(|place| place.uploads.keys().find(|known| known.get(..8) == id.get(..8)));
            if let Some(known) = known.filter(|_| call.is(COMPLETE) && id.len() == 36).map(|known| json!(known)) {
                call.input.insert(String::from("uploadId"), known);
            }
        })],
    },
    Fault {
        name: "layers-by-prefix",
        sentence: "BatchCheckLayerAvailability finds layers by the first twelve digits of their digests",
        rule: RuleId::new("BatchCheckLayerAvailability/layers/absent"),
        changes: &[Execute(|call| {
            if !call.is(Operation::BatchCheckLayerAvailability) {
                return None;
            }
            let place = call.registry.repositories.get(call.text("repositoryName")).cloned().unwrap_or_default();
            let mut members = call.perform();
            for layer in members["layers"].as_array_mut()? {
                let asked = layer["layerDigest"].as_str().and_then(|digest| digest.get(..19)).unwrap_or("none");
                if let Some((_, size)) = place.layers.iter().find(|(known, _)| known.starts_with(asked)) {
                    layer["layerAvailability"] = json!("AVAILABLE");
                    layer["layerSize"] = json!(size);
                }
            }
            Some(members)
        })],
    },
    Fault {
        name: "digest-percent-decoded",
        sentence: "CompleteLayerUpload decodes digests as parts of a URL",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/item-pattern"),
        changes: &[RewriteInput(|call| redigest(call, percent_decoded))],
    },
    Fault {
        name: "digests-of-members",
        sentence: "CompleteLayerUpload reads an object as the list of its values, as PHP does",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/type"),
        changes: &[RewriteInput(|call| {
            let values = call.input.get("layerDigests").and_then(Value::as_object).map(Map::values);
            let texts: Option<Vec<Value>> =
                values.map(|values| values.filter(|value| value.is_string()).cloned().collect());
            if let Some(texts) = texts.filter(|texts| call.is(COMPLETE) && !texts.is_empty()) {
                call.input.insert(String::from("layerDigests"), json!(texts));
            }
        })],
    },
    Fault {
        name: "list-of-one-as-text",
        sentence: "CompleteLayerUpload reads a list of one digest among the digests as that digest, as JavaScript does",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/item-type"),
        changes: &[RewriteInput(|call| {
            for item in call.input.get_mut("layerDigests").and_then(Value::as_array_mut).into_iter().flatten() {
                if let Some([only]) = item.as_array().map(Vec::as_slice) {
                    *item = only.clone();
                }
            }
        })],
    },
    Fault {
        name: "digest-tails-compared",
        sentence: "CompleteLayerUpload compares the last 16 digits of digests",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/match"),
        changes: &[EditRejections(|call, wrong| {
            let Some(right) = call.computed() else { return };
            let tail = |digest: &str| digest.get(digest.len().saturating_sub(16)..).map(String::from);
            let same = call.digests().iter().any(|digest| digest.len() == 71 && tail(digest) == tail(&right));
            if call.is(COMPLETE) && same {
                wrong.retain(|rejection| !rejection.rule.is("layerDigests/match"));
            }
        })],
    },
    Fault {
        name: "layers-by-hex-digits",
        sentence: "BatchCheckLayerAvailability looks for the hex digits of a digest, whatever the algorithm",
        rule: RuleId::new("BatchCheckLayerAvailability/layers/other-algorithm"),
        changes: &[Execute(|call| {
            if !call.is(Operation::BatchCheckLayerAvailability) {
                return None;
            }
            let place: Repository =
                call.registry.repositories.get(call.text("repositoryName")).cloned().unwrap_or_default();
            let mut members = call.perform();
            for layer in members["layers"].as_array_mut()? {
                let hex = layer["layerDigest"].as_str().and_then(|digest| digest.split(':').next_back());
                let known = place.layers.iter().find(|(known, _)| known.split(':').next_back() == hex);
                if let Some((_, size)) = known {
                    layer["layerAvailability"] = json!("AVAILABLE");
                    layer["layerSize"] = json!(size);
                }
            }
            Some(members)
        })],
    },
    // Written after the cases, to see what else they find.
    Fault {
        name: "name-after-host",
        sentence: "the host of a registry before a repository name is dropped, as container clients do",
        rule: RuleId::new("InitiateLayerUpload/repositoryName/exists"),
        changes: &[RewriteInput(|call| {
            rename(call, |name| match name.split_once(".amazonaws.com/") {
                Some((_, rest)) => String::from(rest),
                None => String::from(name),
            })
        })],
    },
    Fault {
        name: "name-of-four-segments",
        sentence: "UploadLayerPart looks repositories up by the first four segments of their names, if they have as many",
        rule: RuleId::new("UploadLayerPart/repositoryName/exists"),
        changes: &[RewriteInput(|call| {
            found(call, UPLOAD, |asked, known| {
                let first_four = |name: &str| name.splitn(5, '/').take(4).map(String::from).collect::<Vec<_>>();
                first_four(asked).len() == 4 && first_four(asked) == first_four(known)
            })
        })],
    },
    Fault {
        name: "name-with-sorted-letters",
        sentence: "GetDownloadUrlForLayer compares repository names by the sum of their bytes",
        rule: RuleId::new("GetDownloadUrlForLayer/repositoryName/exists"),
        changes: &[RewriteInput(|call| {
            found(call, Operation::GetDownloadUrlForLayer, |asked, known| {
                let sum = |name: &str| name.bytes().map(u32::from).sum::<u32>();
                asked.len() == known.len() && sum(asked) == sum(known)
            })
        })],
    },
    Fault {
        name: "upload-id-of-hex-digits",
        sentence: "UploadLayerPart leaves all but the hex digits and dashes of an upload id out",
        rule: RuleId::new("UploadLayerPart/uploadId/pattern"),
        changes: &[RewriteInput(|call| {
            if call.is(UPLOAD) {
                let kept = |letter: &char| letter.is_ascii_hexdigit() || *letter == '-';
                retext(&mut call.input, "uploadId", |id| match id.len() > 36 && !id.contains(['{', 'u']) {
                    true => id.chars().filter(kept).collect(),
                    false => String::from(id),
                });
            }
        })],
    },
    Fault {
        name: "upload-id-of-last-group",
        sentence: "UploadLayerPart compares the last twelve digits of upload ids",
        rule: RuleId::new("UploadLayerPart/uploadId/exists"),
        changes: &[RewriteInput(|call| {
            let id = call.text("uploadId").to_owned();
            let place = call.registry.repositories.get(call.text("repositoryName"));
            let known = place.and_then(|place| place.uploads.keys().find(|known| known.get(24..) == id.get(24..)));
            if let Some(known) = known.filter(|_| call.is(UPLOAD) && id.len() == 36).map(|known| json!(known)) {
                call.input.insert(String::from("uploadId"), known);
            }
        })],
    },
    Fault {
        name: "positions-of-nine-digits",
        sentence: "UploadLayerPart reads the last nine digits of the first position",
        rule: CONTIGUOUS,
        changes: &[EditRejections(|call, wrong| compared(call, wrong, |first| first % 1_000_000_000))],
    },
    Fault {
        name: "positions-without-sign",
        sentence: "UploadLayerPart drops the sign of the first position",
        rule: RuleId::new("UploadLayerPart/partFirstByte/min"),
        changes: &[RewriteInput(|call| {
            if let Some(first) = call.input.get("partFirstByte").and_then(long).filter(|first| *first < -1) {
                call.input.insert(String::from("partFirstByte"), json!(first.unsigned_abs()));
            }
        })],
    },
    Fault {
        name: "positions-of-20-bits",
        sentence: "UploadLayerPart compares the first position in 20 bits",
        rule: CONTIGUOUS,
        changes: &[EditRejections(|call, wrong| compared(call, wrong, |first| first & 0xf_ffff))],
    },
    Fault {
        name: "part-as-mime",
        sentence: "UploadLayerPart skips line ends in base64, as decoders of mail do",
        rule: RuleId::new("UploadLayerPart/layerPartBlob/base64"),
        changes: &[RewriteInput(|call| {
            if call.is(UPLOAD) {
                retext(&mut call.input, "layerPartBlob", |text| text.replace(['\r', '\n'], ""));
            }
        })],
    },
    Fault {
        name: "part-of-data-url",
        sentence: "UploadLayerPart reads base64 after the comma of a data URL",
        rule: RuleId::new("UploadLayerPart/layerPartBlob/base64"),
        changes: &[RewriteInput(|call| {
            if call.is(UPLOAD) {
                retext(&mut call.input, "layerPartBlob", |text| match text.split_once(";base64,") {
                    Some((_, data)) => String::from(data),
                    None => String::from(text),
                });
            }
        })],
    },
    Fault {
        name: "members-trimmed",
        sentence: "white space around the names of members is trimmed",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/required"),
        changes: &[RewriteInput(|call| {
            let odd: Vec<String> = call.input.keys().filter(|name| name.trim() != name.as_str()).cloned().collect();
            for name in odd {
                if let Some(value) = call.input.remove(&name) {
                    call.input.insert(String::from(name.trim()), value);
                }
            }
        })],
    },
    Fault {
        name: "digest-after-name",
        sentence: "GetDownloadUrlForLayer reads what comes after an @ as the digest, as in the reference of an image",
        rule: RuleId::new("GetDownloadUrlForLayer/layerDigest/pattern"),
        changes: &[RewriteInput(|call| {
            retext(&mut call.input, "layerDigest", |digest| {
                String::from(digest.split('@').next_back().unwrap_or(digest))
            })
        })],
    },
];

/// Changes the name of the repository in calls about layers.
fn rename(call: &mut Call, change: impl FnOnce(&str) -> String) {
    if call.operation.name.role() == Role::Layer {
        retext(&mut call.input, "repositoryName", change);
    }
}

/// Finds the repository that is meant in another way, where none has exactly this name.
fn found(call: &mut Call, operation: Operation, is_same: fn(&str, &str) -> bool) {
    let asked = call.text("repositoryName");
    if !call.is(operation) || asked.is_empty() || call.registry.has_repository(asked) {
        return;
    }
    let known = call.registry.repositories.keys().find(|known| is_same(asked, known)).map(|known| json!(known));
    if let Some(known) = known {
        call.input.insert(String::from("repositoryName"), known);
    }
}

/// Whether two texts are the same but for where the first has a wild card.
fn same_but(pattern: &str, text: &str, wild: char) -> bool {
    pattern.chars().count() == text.chars().count()
        && pattern.chars().zip(text.chars()).all(|(letter, other)| letter == other || letter == wild)
}

/// Compares only a part of the first position with how many bytes there are.
fn compared(call: &mut Call, wrong: &mut Vec<crate::model::Rejection>, cut: fn(i64) -> i64) {
    let received = call.upload().map_or(0, |upload| upload.size()) as i64;
    if call.is(UPLOAD) && cut(call.number("partFirstByte")) == received {
        wrong.retain(|rejection| rejection.rule != CONTIGUOUS);
    }
}

fn redigest(call: &mut Call, change: impl Fn(&str) -> String) {
    for item in call.input.get_mut("layerDigests").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(digest) = texts(item).first().map(|digest| change(digest)) {
            *item = json!(digest);
        }
    }
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let digits = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| String::from(text))
}

fn cleaned(name: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in name.split('/') {
        match segment {
            "." => {}
            ".." => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    segments.join("/")
}

fn narrow(letter: char) -> char {
    match letter {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter),
        other => other,
    }
}

/// The name without the zeros before its numbers.
fn unpadded(name: &str) -> String {
    let mut out = String::new();
    for (letter, next) in name.chars().zip(name.chars().skip(1).map(Some).chain([None])) {
        let in_number = out.ends_with(|last: char| last.is_ascii_digit());
        if letter == '0' && !in_number && next.is_some_and(|next| next.is_ascii_digit()) {
            continue;
        }
        out.push(letter);
    }
    out
}
