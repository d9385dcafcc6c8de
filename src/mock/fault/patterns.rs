//! Patterns that are not anchored, that forgive a newline, that fold case, trim, or know other alphabets.

use regex::Regex;
use serde_json::Value;

use super::super::Change::{AcceptIf, RejectIf, RewriteInput, SkipRule};
use super::super::change::Call;
use super::{Fault, retext, texts};
use crate::contract::{Operation, RuleId, RulePattern, ecr, shapes};

const COMPLETE: Operation = Operation::CompleteLayerUpload;

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "digest-unanchored",
        sentence: "CompleteLayerUpload accepts a text that has a digest somewhere in it",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/item-pattern"),
        changes: &[AcceptIf(RulePattern::new("CompleteLayerUpload/layerDigests/item-pattern"), |list| {
            all(list, "DIGEST")
        })],
    },
    Fault {
        name: "digest-open-end",
        sentence: "CompleteLayerUpload accepts a text that starts with a digest",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/item-pattern"),
        changes: &[AcceptIf(RulePattern::new("CompleteLayerUpload/layerDigests/item-pattern"), |list| {
            all(list, r"\ADIGEST")
        })],
    },
    Fault {
        name: "digest-open-beginning",
        sentence: "CompleteLayerUpload accepts a text that ends with a digest",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/item-pattern"),
        changes: &[AcceptIf(RulePattern::new("CompleteLayerUpload/layerDigests/item-pattern"), |list| {
            all(list, r"DIGEST\z")
        })],
    },
    Fault {
        name: "digest-newline",
        sentence: "CompleteLayerUpload accepts a digest with a newline at its end, as `$` does in many languages",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/item-pattern"),
        changes: &[AcceptIf(RulePattern::new("CompleteLayerUpload/layerDigests/item-pattern"), |list| {
            all(list, r"\ADIGEST\n?\z")
        })],
    },
    Fault {
        name: "digest-any-line",
        sentence: "CompleteLayerUpload accepts a text with a digest on one of its lines, as `^` and `$` do in some languages",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/item-pattern"),
        changes: &[AcceptIf(RulePattern::new("CompleteLayerUpload/layerDigests/item-pattern"), |list| {
            all(list, "(?m)^DIGEST$")
        })],
    },
    Fault {
        name: "digest-trimmed",
        sentence: "CompleteLayerUpload trims digests",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/item-pattern"),
        changes: &[RewriteInput(|call| redigest(call, |digest| String::from(digest.trim())))],
    },
    Fault {
        name: "digest-until-nul",
        sentence: "CompleteLayerUpload reads digests until a NUL",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/item-pattern"),
        changes: &[RewriteInput(|call| {
            redigest(call, |digest| String::from(digest.split('\0').next().unwrap_or_default()))
        })],
    },
    Fault {
        name: "digest-any-letter",
        sentence: "CompleteLayerUpload accepts letters beyond f in a digest",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/item-pattern"),
        changes: &[AcceptIf(RulePattern::new("CompleteLayerUpload/layerDigests/item-pattern"), |list| {
            all(list, r"\A[a-zA-Z0-9_+.-]+:[a-zA-Z0-9]+\z")
        })],
    },
    Fault {
        name: "digest-unicode",
        sentence: "CompleteLayerUpload accepts letters and digits of any alphabet in a digest",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/item-pattern"),
        changes: &[AcceptIf(RulePattern::new("CompleteLayerUpload/layerDigests/item-pattern"), |list| {
            all(list, r"\A[\w+.-]+:[\w]+\z")
        })],
    },
    Fault {
        name: "digest-without-colon",
        sentence: "CompleteLayerUpload treats a digest without its algorithm as one of sha256",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/item-pattern"),
        changes: &[RewriteInput(|call| {
            redigest(
                call,
                |digest| if digest.contains(':') { String::from(digest) } else { format!("sha256:{digest}") },
            );
        })],
    },
    Fault {
        name: "digest-nothing-after-colon",
        sentence: "CompleteLayerUpload accepts a digest with nothing after its colon",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/item-pattern"),
        changes: &[AcceptIf(RulePattern::new("CompleteLayerUpload/layerDigests/item-pattern"), |list| {
            all(list, r"\A[a-zA-Z0-9_+.-]+:[a-fA-F0-9]*\z")
        })],
    },
    Fault {
        name: "digest-nothing-before-colon",
        sentence: "CompleteLayerUpload accepts a digest with nothing before its colon",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/item-pattern"),
        changes: &[AcceptIf(RulePattern::new("CompleteLayerUpload/layerDigests/item-pattern"), |list| {
            all(list, r"\A[a-zA-Z0-9_+.-]*:[a-fA-F0-9]+\z")
        })],
    },
    Fault {
        name: "digest-two-colons",
        sentence: "CompleteLayerUpload accepts a digest with two colons",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/item-pattern"),
        changes: &[AcceptIf(RulePattern::new("CompleteLayerUpload/layerDigests/item-pattern"), |list| {
            all(list, r"\A[a-zA-Z0-9_+.:-]+:[a-fA-F0-9]+\z")
        })],
    },
    Fault {
        name: "digest-slash",
        sentence: "CompleteLayerUpload accepts a slash in the algorithm of a digest",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/item-pattern"),
        changes: &[AcceptIf(RulePattern::new("CompleteLayerUpload/layerDigests/item-pattern"), |list| {
            all(list, r"\A[a-zA-Z0-9_+./-]+:[a-fA-F0-9]+\z")
        })],
    },
    Fault {
        name: "digest-empty",
        sentence: "CompleteLayerUpload accepts an empty digest",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/item-pattern"),
        changes: &[AcceptIf(RulePattern::new("CompleteLayerUpload/layerDigests/item-pattern"), |list| {
            all(list, r"\A(?:DIGEST)?\z")
        })],
    },
    Fault {
        name: "digest-sha256-only",
        sentence: "CompleteLayerUpload accepts digests of sha256 and no other algorithm",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/other-algorithm"),
        changes: &[RejectIf(RulePattern::new("CompleteLayerUpload/layerDigests/other-algorithm"), |list| {
            !all(list, r"\Asha256:")
        })],
    },
    Fault {
        name: "digest-no-separators",
        sentence: "CompleteLayerUpload accepts no dots, dashes, plus signs or underscores in an algorithm",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/other-algorithm"),
        changes: &[RejectIf(RulePattern::new("CompleteLayerUpload/layerDigests/other-algorithm"), |list| {
            texts(list).iter().any(|digest| digest.contains(['.', '-', '+', '_']))
        })],
    },
    Fault {
        name: "url-digest-unanchored",
        sentence: "GetDownloadUrlForLayer accepts a text that has a digest somewhere in it",
        rule: RuleId::new("GetDownloadUrlForLayer/layerDigest/pattern"),
        changes: &[AcceptIf(RulePattern::new("GetDownloadUrlForLayer/layerDigest/pattern"), |digest| {
            all(digest, "DIGEST")
        })],
    },
    Fault {
        name: "url-digest-any",
        sentence: "GetDownloadUrlForLayer accepts any text as a digest",
        rule: RuleId::new("GetDownloadUrlForLayer/layerDigest/pattern"),
        changes: &[SkipRule(RulePattern::new("GetDownloadUrlForLayer/layerDigest/pattern"))],
    },
    Fault {
        name: "initiate-name-unanchored",
        sentence: "InitiateLayerUpload accepts a text that has a repository name somewhere in it",
        rule: RuleId::new("InitiateLayerUpload/repositoryName/pattern"),
        changes: &[AcceptIf(RulePattern::new("InitiateLayerUpload/repositoryName/pattern"), |name| all(name, "NAME"))],
    },
    Fault {
        name: "complete-name-open-end",
        sentence: "CompleteLayerUpload accepts a text that starts with a repository name",
        rule: RuleId::new("CompleteLayerUpload/repositoryName/pattern"),
        changes: &[AcceptIf(RulePattern::new("CompleteLayerUpload/repositoryName/pattern"), |name| {
            all(name, r"\ANAME")
        })],
    },
    Fault {
        name: "part-name-open-beginning",
        sentence: "UploadLayerPart accepts a text that ends with a repository name",
        rule: RuleId::new("UploadLayerPart/repositoryName/pattern"),
        changes: &[AcceptIf(RulePattern::new("UploadLayerPart/repositoryName/pattern"), |name| all(name, r"NAME\z"))],
    },
    Fault {
        name: "check-name-newline",
        sentence: "BatchCheckLayerAvailability accepts a repository name with a newline at its end",
        rule: RuleId::new("BatchCheckLayerAvailability/repositoryName/pattern"),
        changes: &[AcceptIf(RulePattern::new("BatchCheckLayerAvailability/repositoryName/pattern"), |name| {
            all(name, r"\ANAME\n?\z")
        })],
    },
    Fault {
        name: "name-any-line",
        sentence: "CompleteLayerUpload accepts a text with a repository name on one of its lines",
        rule: RuleId::new("CompleteLayerUpload/repositoryName/pattern"),
        changes: &[AcceptIf(RulePattern::new("CompleteLayerUpload/repositoryName/pattern"), |name| {
            all(name, "(?m)^NAME$")
        })],
    },
    Fault {
        name: "name-trimmed",
        sentence: "repository names are trimmed",
        rule: RuleId::new("InitiateLayerUpload/repositoryName/pattern"),
        changes: &[RewriteInput(|call| rename(call, |name| String::from(name.trim())))],
    },
    Fault {
        name: "name-until-nul",
        sentence: "repository names are read until a NUL",
        rule: RuleId::new("CompleteLayerUpload/repositoryName/pattern"),
        changes: &[RewriteInput(|call| rename(call, |name| String::from(name.split('\0').next().unwrap_or_default())))],
    },
    Fault {
        name: "name-lowered",
        sentence: "repository names are made lower-case",
        rule: RuleId::new("InitiateLayerUpload/repositoryName/pattern"),
        changes: &[RewriteInput(|call| rename(call, str::to_lowercase))],
    },
    Fault {
        name: "name-slashes-trimmed",
        sentence: "slashes around repository names are dropped",
        rule: RuleId::new("UploadLayerPart/repositoryName/pattern"),
        changes: &[RewriteInput(|call| rename(call, |name| String::from(name.trim_matches('/'))))],
    },
    Fault {
        name: "name-slashes-joined",
        sentence: "repeated slashes in repository names count as one",
        rule: RuleId::new("CompleteLayerUpload/repositoryName/pattern"),
        changes: &[RewriteInput(|call| rename(call, |name| name.replace("//", "/")))],
    },
    Fault {
        name: "name-upper-case",
        sentence: "InitiateLayerUpload accepts upper-case letters in repository names",
        rule: RuleId::new("InitiateLayerUpload/repositoryName/pattern"),
        changes: &[AcceptIf(RulePattern::new("InitiateLayerUpload/repositoryName/pattern"), |name| {
            all(name, r"(?i)\ANAME\z")
        })],
    },
    Fault {
        name: "name-any-separators",
        sentence: "BatchCheckLayerAvailability accepts dots, dashes and underscores anywhere in repository names",
        rule: RuleId::new("BatchCheckLayerAvailability/repositoryName/pattern"),
        changes: &[AcceptIf(RulePattern::new("BatchCheckLayerAvailability/repositoryName/pattern"), |name| {
            all(name, r"\A[a-z0-9._/-]+\z")
        })],
    },
    Fault {
        name: "name-with-tag",
        sentence: "CompleteLayerUpload accepts a repository name with a colon and a tag after it",
        rule: RuleId::new("CompleteLayerUpload/repositoryName/pattern"),
        changes: &[AcceptIf(RulePattern::new("CompleteLayerUpload/repositoryName/pattern"), |name| {
            all(name, r"\ANAME:[a-z0-9]+\z")
        })],
    },
    Fault {
        name: "name-unicode",
        sentence: "InitiateLayerUpload accepts letters of any alphabet in repository names",
        rule: RuleId::new("InitiateLayerUpload/repositoryName/pattern"),
        changes: &[AcceptIf(RulePattern::new("InitiateLayerUpload/repositoryName/pattern"), |name| {
            texts(name).iter().all(|name| {
                !name.is_ascii() && name.chars().all(|letter| letter.is_alphanumeric() || "._-/".contains(letter))
            })
        })],
    },
    Fault {
        name: "name-four-segments",
        sentence: "CompleteLayerUpload rejects repository names of four segments and more",
        rule: RuleId::new("CompleteLayerUpload/repositoryName/accepted"),
        changes: &[RejectIf(RulePattern::new("CompleteLayerUpload/repositoryName/accepted"), |name| {
            texts(name).iter().any(|name| name.split('/').count() > 3)
        })],
    },
    Fault {
        name: "upload-id-any",
        sentence: "CompleteLayerUpload looks up any text as an upload id",
        rule: RuleId::new("CompleteLayerUpload/uploadId/pattern"),
        changes: &[SkipRule(RulePattern::new("CompleteLayerUpload/uploadId/pattern"))],
    },
    Fault {
        name: "part-upload-id-any",
        sentence: "UploadLayerPart looks up any text as an upload id",
        rule: RuleId::new("UploadLayerPart/uploadId/pattern"),
        changes: &[SkipRule(RulePattern::new("UploadLayerPart/uploadId/pattern"))],
    },
    Fault {
        name: "upload-id-unanchored",
        sentence: "UploadLayerPart accepts a text that has an upload id somewhere in it",
        rule: RuleId::new("UploadLayerPart/uploadId/pattern"),
        changes: &[AcceptIf(RulePattern::new("UploadLayerPart/uploadId/pattern"), |id| all(id, "UPLOAD_ID"))],
    },
    Fault {
        name: "upload-id-newline",
        sentence: "CompleteLayerUpload accepts an upload id with a newline at its end",
        rule: RuleId::new("CompleteLayerUpload/uploadId/pattern"),
        changes: &[AcceptIf(RulePattern::new("CompleteLayerUpload/uploadId/pattern"), |id| {
            all(id, r"\AUPLOAD_ID\n?\z")
        })],
    },
    Fault {
        name: "upload-id-trimmed",
        sentence: "upload ids are trimmed",
        rule: RuleId::new("CompleteLayerUpload/uploadId/pattern"),
        changes: &[RewriteInput(|call| retext(&mut call.input, "uploadId", |id| String::from(id.trim())))],
    },
    Fault {
        name: "upload-id-any-uuid",
        sentence: "upload ids are read by a parser of UUIDs, with braces, as a URN, or without dashes",
        rule: RuleId::new("CompleteLayerUpload/uploadId/pattern"),
        changes: &[RewriteInput(|call| retext(&mut call.input, "uploadId", parsed_uuid))],
    },
    Fault {
        name: "upload-id-any-letter",
        sentence: "CompleteLayerUpload accepts letters beyond f in an upload id",
        rule: RuleId::new("CompleteLayerUpload/uploadId/pattern"),
        changes: &[AcceptIf(RulePattern::new("CompleteLayerUpload/uploadId/pattern"), |id| {
            all(id, r"\A[0-9a-zA-Z]{8}(?:-[0-9a-zA-Z]{4}){3}-[0-9a-zA-Z]{12}\z")
        })],
    },
    Fault {
        name: "upload-id-36-of-anything",
        sentence: "CompleteLayerUpload accepts 36 hex digits and dashes in any order as an upload id",
        rule: RuleId::new("CompleteLayerUpload/uploadId/pattern"),
        changes: &[AcceptIf(RulePattern::new("CompleteLayerUpload/uploadId/pattern"), |id| {
            all(id, r"\A[0-9a-fA-F-]{36}\z")
        })],
    },
    Fault {
        name: "registry-any",
        sentence: "CompleteLayerUpload accepts any text as a registry id",
        rule: RuleId::new("CompleteLayerUpload/registryId/pattern"),
        changes: &[SkipRule(RulePattern::new("CompleteLayerUpload/registryId/pattern"))],
    },
    Fault {
        name: "registry-unicode-digits",
        sentence: "UploadLayerPart accepts digits of any alphabet in a registry id",
        rule: RuleId::new("UploadLayerPart/registryId/pattern"),
        changes: &[AcceptIf(RulePattern::new("UploadLayerPart/registryId/pattern"), |id| all(id, r"\A\d{12}\z"))],
    },
    Fault {
        name: "registry-unanchored",
        sentence: "InitiateLayerUpload accepts a text with twelve digits in it as a registry id",
        rule: RuleId::new("InitiateLayerUpload/registryId/pattern"),
        changes: &[AcceptIf(RulePattern::new("InitiateLayerUpload/registryId/pattern"), |id| all(id, "[0-9]{12}"))],
    },
    Fault {
        name: "registry-dashes",
        sentence: "dashes in a registry id are dropped",
        rule: RuleId::new("CompleteLayerUpload/registryId/pattern"),
        changes: &[RewriteInput(|call| retext(&mut call.input, "registryId", |id| id.replace('-', "")))],
    },
    Fault {
        name: "registry-empty",
        sentence: "an empty registry id counts as absent",
        rule: RuleId::new("BatchCheckLayerAvailability/registryId/pattern"),
        changes: &[RewriteInput(|call| {
            if call.input.get("registryId").and_then(Value::as_str) == Some("") {
                call.input.remove("registryId");
            }
        })],
    },
];

/// Whether an expression is found in each text of a member. In it, DIGEST, NAME and UPLOAD_ID stand for the patterns of the
/// documents.
fn all(value: &Value, expression: &str) -> bool {
    let words = [("DIGEST", &shapes::LAYER_DIGEST), ("NAME", &ecr::REPOSITORY_NAME), ("UPLOAD_ID", &shapes::UPLOAD_ID)];
    let filled = words.into_iter().fold(String::from(expression), |filled, (word, shape)| {
        let pattern = super::bounds_of(shape).patterns[0].expression.portable();
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
