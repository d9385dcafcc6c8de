//! Patterns that are not anchored, that forgive a newline, that fold case, trim, or know other alphabets.

use regex::Regex;
use serde_json::Value;

use super::super::Change::{Admits, Ignores, Refuses, Takes};
use super::super::change::Call;
use super::{Fault, fault, retext, texts};
use crate::contract::{Operation, ecr, shapes};

const COMPLETE: Operation = Operation::CompleteLayerUpload;

pub(super) static FAULTS: &[Fault] = &[
    fault(
        "digest-unanchored",
        "CompleteLayerUpload takes a text that has a digest somewhere in it",
        "CompleteLayerUpload/layerDigests/item-pattern",
        &[Admits("CompleteLayerUpload/layerDigests/item-pattern", |list| all(list, "DIGEST"))],
    ),
    fault(
        "digest-open-end",
        "CompleteLayerUpload takes a text that begins with a digest",
        "CompleteLayerUpload/layerDigests/item-pattern",
        &[Admits("CompleteLayerUpload/layerDigests/item-pattern", |list| all(list, r"\ADIGEST"))],
    ),
    fault(
        "digest-open-beginning",
        "CompleteLayerUpload takes a text that ends with a digest",
        "CompleteLayerUpload/layerDigests/item-pattern",
        &[Admits("CompleteLayerUpload/layerDigests/item-pattern", |list| all(list, r"DIGEST\z"))],
    ),
    fault(
        "digest-newline",
        "CompleteLayerUpload takes a digest with a newline at its end, as `$` does in many languages",
        "CompleteLayerUpload/layerDigests/item-pattern",
        &[Admits("CompleteLayerUpload/layerDigests/item-pattern", |list| all(list, r"\ADIGEST\n?\z"))],
    ),
    fault(
        "digest-any-line",
        "CompleteLayerUpload takes a text with a digest on one of its lines, as `^` and `$` do in some languages",
        "CompleteLayerUpload/layerDigests/item-pattern",
        &[Admits("CompleteLayerUpload/layerDigests/item-pattern", |list| all(list, "(?m)^DIGEST$"))],
    ),
    fault(
        "digest-trimmed",
        "CompleteLayerUpload trims digests",
        "CompleteLayerUpload/layerDigests/item-pattern",
        &[Takes(|call| redigest(call, |digest| String::from(digest.trim())))],
    ),
    fault(
        "digest-until-nul",
        "CompleteLayerUpload reads digests until a NUL",
        "CompleteLayerUpload/layerDigests/item-pattern",
        &[Takes(|call| redigest(call, |digest| String::from(digest.split('\0').next().unwrap_or_default())))],
    ),
    fault(
        "digest-any-letter",
        "CompleteLayerUpload takes letters beyond f in a digest",
        "CompleteLayerUpload/layerDigests/item-pattern",
        &[Admits("CompleteLayerUpload/layerDigests/item-pattern", |list| {
            all(list, r"\A[a-zA-Z0-9_+.-]+:[a-zA-Z0-9]+\z")
        })],
    ),
    fault(
        "digest-unicode",
        "CompleteLayerUpload takes letters and digits of any alphabet in a digest",
        "CompleteLayerUpload/layerDigests/item-pattern",
        &[Admits("CompleteLayerUpload/layerDigests/item-pattern", |list| all(list, r"\A[\w+.-]+:[\w]+\z"))],
    ),
    fault(
        "digest-without-colon",
        "CompleteLayerUpload takes a digest without its algorithm as one of sha256",
        "CompleteLayerUpload/layerDigests/item-pattern",
        &[Takes(|call| {
            redigest(
                call,
                |digest| if digest.contains(':') { String::from(digest) } else { format!("sha256:{digest}") },
            );
        })],
    ),
    fault(
        "digest-nothing-after-colon",
        "CompleteLayerUpload takes a digest with nothing behind its colon",
        "CompleteLayerUpload/layerDigests/item-pattern",
        &[Admits("CompleteLayerUpload/layerDigests/item-pattern", |list| {
            all(list, r"\A[a-zA-Z0-9_+.-]+:[a-fA-F0-9]*\z")
        })],
    ),
    fault(
        "digest-nothing-before-colon",
        "CompleteLayerUpload takes a digest with nothing before its colon",
        "CompleteLayerUpload/layerDigests/item-pattern",
        &[Admits("CompleteLayerUpload/layerDigests/item-pattern", |list| {
            all(list, r"\A[a-zA-Z0-9_+.-]*:[a-fA-F0-9]+\z")
        })],
    ),
    fault(
        "digest-two-colons",
        "CompleteLayerUpload takes a digest with two colons",
        "CompleteLayerUpload/layerDigests/item-pattern",
        &[Admits("CompleteLayerUpload/layerDigests/item-pattern", |list| {
            all(list, r"\A[a-zA-Z0-9_+.:-]+:[a-fA-F0-9]+\z")
        })],
    ),
    fault(
        "digest-slash",
        "CompleteLayerUpload takes a slash in the algorithm of a digest",
        "CompleteLayerUpload/layerDigests/item-pattern",
        &[Admits("CompleteLayerUpload/layerDigests/item-pattern", |list| {
            all(list, r"\A[a-zA-Z0-9_+./-]+:[a-fA-F0-9]+\z")
        })],
    ),
    fault(
        "digest-empty",
        "CompleteLayerUpload takes an empty digest",
        "CompleteLayerUpload/layerDigests/item-pattern",
        &[Admits("CompleteLayerUpload/layerDigests/item-pattern", |list| all(list, r"\A(?:DIGEST)?\z"))],
    ),
    fault(
        "digest-sha256-only",
        "CompleteLayerUpload takes digests of sha256 and no other algorithm",
        "CompleteLayerUpload/layerDigests/other-algorithm",
        &[Refuses("CompleteLayerUpload/layerDigests/other-algorithm", |list| !all(list, r"\Asha256:"))],
    ),
    fault(
        "digest-no-separators",
        "CompleteLayerUpload takes no dots, dashes, plus signs or underscores in an algorithm",
        "CompleteLayerUpload/layerDigests/other-algorithm",
        &[Refuses("CompleteLayerUpload/layerDigests/other-algorithm", |list| {
            texts(list).iter().any(|digest| digest.contains(['.', '-', '+', '_']))
        })],
    ),
    fault(
        "url-digest-unanchored",
        "GetDownloadUrlForLayer takes a text that has a digest somewhere in it",
        "GetDownloadUrlForLayer/layerDigest/pattern",
        &[Admits("GetDownloadUrlForLayer/layerDigest/pattern", |digest| all(digest, "DIGEST"))],
    ),
    fault(
        "url-digest-any",
        "GetDownloadUrlForLayer takes any text as a digest",
        "GetDownloadUrlForLayer/layerDigest/pattern",
        &[Ignores("GetDownloadUrlForLayer/layerDigest/pattern")],
    ),
    fault(
        "initiate-name-unanchored",
        "InitiateLayerUpload takes a text that has a repository name somewhere in it",
        "InitiateLayerUpload/repositoryName/pattern",
        &[Admits("InitiateLayerUpload/repositoryName/pattern", |name| all(name, "NAME"))],
    ),
    fault(
        "complete-name-open-end",
        "CompleteLayerUpload takes a text that begins with a repository name",
        "CompleteLayerUpload/repositoryName/pattern",
        &[Admits("CompleteLayerUpload/repositoryName/pattern", |name| all(name, r"\ANAME"))],
    ),
    fault(
        "part-name-open-beginning",
        "UploadLayerPart takes a text that ends with a repository name",
        "UploadLayerPart/repositoryName/pattern",
        &[Admits("UploadLayerPart/repositoryName/pattern", |name| all(name, r"NAME\z"))],
    ),
    fault(
        "check-name-newline",
        "BatchCheckLayerAvailability takes a repository name with a newline at its end",
        "BatchCheckLayerAvailability/repositoryName/pattern",
        &[Admits("BatchCheckLayerAvailability/repositoryName/pattern", |name| all(name, r"\ANAME\n?\z"))],
    ),
    fault(
        "name-any-line",
        "CompleteLayerUpload takes a text with a repository name on one of its lines",
        "CompleteLayerUpload/repositoryName/pattern",
        &[Admits("CompleteLayerUpload/repositoryName/pattern", |name| all(name, "(?m)^NAME$"))],
    ),
    fault(
        "name-trimmed",
        "repository names are trimmed",
        "InitiateLayerUpload/repositoryName/pattern",
        &[Takes(|call| rename(call, |name| String::from(name.trim())))],
    ),
    fault(
        "name-until-nul",
        "repository names are read until a NUL",
        "CompleteLayerUpload/repositoryName/pattern",
        &[Takes(|call| rename(call, |name| String::from(name.split('\0').next().unwrap_or_default())))],
    ),
    fault(
        "name-lowered",
        "repository names are made lower-case",
        "InitiateLayerUpload/repositoryName/pattern",
        &[Takes(|call| rename(call, str::to_lowercase))],
    ),
    fault(
        "name-slashes-trimmed",
        "slashes around repository names are dropped",
        "UploadLayerPart/repositoryName/pattern",
        &[Takes(|call| rename(call, |name| String::from(name.trim_matches('/'))))],
    ),
    fault(
        "name-slashes-joined",
        "repeated slashes in repository names count as one",
        "CompleteLayerUpload/repositoryName/pattern",
        &[Takes(|call| rename(call, |name| name.replace("//", "/")))],
    ),
    fault(
        "name-upper-case",
        "InitiateLayerUpload takes upper-case letters in repository names",
        "InitiateLayerUpload/repositoryName/pattern",
        &[Admits("InitiateLayerUpload/repositoryName/pattern", |name| all(name, r"(?i)\ANAME\z"))],
    ),
    fault(
        "name-any-separators",
        "BatchCheckLayerAvailability takes dots, dashes and underscores anywhere in repository names",
        "BatchCheckLayerAvailability/repositoryName/pattern",
        &[Admits("BatchCheckLayerAvailability/repositoryName/pattern", |name| all(name, r"\A[a-z0-9._/-]+\z"))],
    ),
    fault(
        "name-with-tag",
        "CompleteLayerUpload takes a repository name with a colon and a tag behind it",
        "CompleteLayerUpload/repositoryName/pattern",
        &[Admits("CompleteLayerUpload/repositoryName/pattern", |name| all(name, r"\ANAME:[a-z0-9]+\z"))],
    ),
    fault(
        "name-unicode",
        "InitiateLayerUpload takes letters of any alphabet in repository names",
        "InitiateLayerUpload/repositoryName/pattern",
        &[Admits("InitiateLayerUpload/repositoryName/pattern", |name| {
            texts(name).iter().all(|name| {
                !name.is_ascii() && name.chars().all(|letter| letter.is_alphanumeric() || "._-/".contains(letter))
            })
        })],
    ),
    fault(
        "name-four-segments",
        "CompleteLayerUpload refuses repository names of four segments and more",
        "CompleteLayerUpload/repositoryName/accepted",
        &[Refuses("CompleteLayerUpload/repositoryName/accepted", |name| {
            texts(name).iter().any(|name| name.split('/').count() > 3)
        })],
    ),
    fault(
        "upload-id-any",
        "CompleteLayerUpload looks up any text as an upload id",
        "CompleteLayerUpload/uploadId/pattern",
        &[Ignores("CompleteLayerUpload/uploadId/pattern")],
    ),
    fault(
        "part-upload-id-any",
        "UploadLayerPart looks up any text as an upload id",
        "UploadLayerPart/uploadId/pattern",
        &[Ignores("UploadLayerPart/uploadId/pattern")],
    ),
    fault(
        "upload-id-unanchored",
        "UploadLayerPart takes a text that has an upload id somewhere in it",
        "UploadLayerPart/uploadId/pattern",
        &[Admits("UploadLayerPart/uploadId/pattern", |id| all(id, "UPLOAD_ID"))],
    ),
    fault(
        "upload-id-newline",
        "CompleteLayerUpload takes an upload id with a newline at its end",
        "CompleteLayerUpload/uploadId/pattern",
        &[Admits("CompleteLayerUpload/uploadId/pattern", |id| all(id, r"\AUPLOAD_ID\n?\z"))],
    ),
    fault(
        "upload-id-trimmed",
        "upload ids are trimmed",
        "CompleteLayerUpload/uploadId/pattern",
        &[Takes(|call| retext(&mut call.input, "uploadId", |id| String::from(id.trim())))],
    ),
    fault(
        "upload-id-any-uuid",
        "upload ids are read by a parser of UUIDs, with braces, as a URN, or without dashes",
        "CompleteLayerUpload/uploadId/pattern",
        &[Takes(|call| retext(&mut call.input, "uploadId", parsed_uuid))],
    ),
    fault(
        "upload-id-any-letter",
        "CompleteLayerUpload takes letters beyond f in an upload id",
        "CompleteLayerUpload/uploadId/pattern",
        &[Admits("CompleteLayerUpload/uploadId/pattern", |id| {
            all(id, r"\A[0-9a-zA-Z]{8}(?:-[0-9a-zA-Z]{4}){3}-[0-9a-zA-Z]{12}\z")
        })],
    ),
    fault(
        "upload-id-36-of-anything",
        "CompleteLayerUpload takes 36 hex digits and dashes in any order as an upload id",
        "CompleteLayerUpload/uploadId/pattern",
        &[Admits("CompleteLayerUpload/uploadId/pattern", |id| all(id, r"\A[0-9a-fA-F-]{36}\z"))],
    ),
    fault(
        "registry-any",
        "CompleteLayerUpload takes any text as a registry id",
        "CompleteLayerUpload/registryId/pattern",
        &[Ignores("CompleteLayerUpload/registryId/pattern")],
    ),
    fault(
        "registry-unicode-digits",
        "UploadLayerPart takes digits of any alphabet in a registry id",
        "UploadLayerPart/registryId/pattern",
        &[Admits("UploadLayerPart/registryId/pattern", |id| all(id, r"\A\d{12}\z"))],
    ),
    fault(
        "registry-unanchored",
        "InitiateLayerUpload takes a text with twelve digits in it as a registry id",
        "InitiateLayerUpload/registryId/pattern",
        &[Admits("InitiateLayerUpload/registryId/pattern", |id| all(id, "[0-9]{12}"))],
    ),
    fault(
        "registry-dashes",
        "dashes in a registry id are dropped",
        "CompleteLayerUpload/registryId/pattern",
        &[Takes(|call| retext(&mut call.input, "registryId", |id| id.replace('-', "")))],
    ),
    fault(
        "registry-empty",
        "an empty registry id is as if left out",
        "BatchCheckLayerAvailability/registryId/pattern",
        &[Takes(|call| {
            if call.input.get("registryId").and_then(Value::as_str) == Some("") {
                call.input.remove("registryId");
            }
        })],
    ),
];

/// Whether an expression is found in each text of a member. In it, DIGEST, NAME and UPLOAD_ID stand for the patterns of the
/// documents.
fn all(value: &Value, expression: &str) -> bool {
    let words = [("DIGEST", &shapes::LAYER_DIGEST), ("NAME", &ecr::REPOSITORY_NAME), ("UPLOAD_ID", &shapes::UPLOAD_ID)];
    let filled = words.into_iter().fold(String::from(expression), |filled, (word, shape)| {
        let pattern = super::bounds_of(shape).patterns[0].portable();
        filled.replace(word, &format!("(?:{pattern})"))
    });
    let expression = Regex::new(&filled).expect("the expressions of this file compile");
    texts(value).into_iter().all(|text| expression.is_match(text))
}

fn rename(call: &mut Call, change: impl FnOnce(&str) -> String) {
    if call.operation.name.role() == crate::contract::Role::Layer {
        retext(&mut call.input, "repositoryName", change);
    }
}

fn redigest(call: &mut Call, change: impl Fn(&str) -> String) {
    if !call.is(COMPLETE) {
        return;
    }
    for item in call.input.get_mut("layerDigests").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Value::String(digest) = item {
            *digest = change(digest);
        }
    }
}

fn parsed_uuid(id: &str) -> String {
    let bare = id.trim_start_matches("urn:uuid:").trim_start_matches('{').trim_end_matches('}').replace('-', "");
    match bare.len() == 32 && bare.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => [&bare[..8], &bare[8..12], &bare[12..16], &bare[16..20], &bare[20..]].join("-"),
        false => String::from(id),
    }
}
