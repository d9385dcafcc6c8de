//! What the members of requests and responses hold: whose they are, how large, and in which spelling.

use serde_json::{Value, json};

use super::super::Change::{EditRejections, InitialState, RewriteInput, RewriteReply};
use super::super::change::{Call, invalid_parameter};
use super::super::reply::{edit, edit_success};
use super::Variant;
use crate::contract::{Operation, RuleId};
use crate::wire::{Reply, Request};

pub(super) static VARIANTS: &[Variant] = &[
    Variant {
        name: "another-account",
        sentence: "the registry belongs to another account",
        changes: &[InitialState(|registry| registry.account = String::from("987654321098"))],
        withholds: false,
    },
    Variant {
        name: "account-of-zeros",
        sentence: "the registry belongs to the account of all zeros",
        changes: &[InitialState(|registry| registry.account = String::from("000000000000"))],
        withholds: false,
    },
    Variant {
        name: "chosen-alias",
        sentence: "the public registry has an alias that was chosen",
        changes: &[InitialState(|registry| {
            registry.alias = registry.alias.as_ref().map(|_| String::from("some-team.images"));
        })],
        withholds: false,
    },
    Variant {
        name: "repositories-without-uri",
        sentence: "CreateRepository does not return the URI of a repository",
        changes: &[RewriteReply(|request, _, reply| uri(request, reply, |_, _, _| None))],
        withholds: false,
    },
    Variant {
        name: "uris-without-alias",
        sentence: "the URI of a repository is a host and its name",
        changes: &[RewriteReply(|request, _, reply| {
            uri(request, reply, |_, _, name| Some(format!("localhost:5000/{name}")))
        })],
        withholds: false,
    },
    Variant {
        name: "uris-with-account-id",
        sentence: "the URI of a repository is a host, the account id and its name",
        changes: &[RewriteReply(|request, _, reply| {
            uri(request, reply, |_, account, name| Some(format!("localhost:5000/{account}/{name}")))
        })],
        withholds: false,
    },
    Variant {
        name: "uris-of-another-host",
        sentence: "the URI of a public repository has a host of the target's own",
        changes: &[RewriteReply(|request, _, reply| {
            uri(request, reply, |uri, _, _| Some(uri.replace("public.ecr.aws", "localhost:5000")))
        })],
        withholds: false,
    },
    Variant {
        name: "upload-ids-in-upper-case",
        sentence: "upload ids are in upper case, and compared case-insensitively",
        changes: &[
            RewriteInput(lower_id),
            RewriteReply(|request, _, reply| {
                edit(reply, |body| {
                    // What was sent is answered as it was sent.
                    let sent: Value = serde_json::from_slice(&request.body).unwrap_or_default();
                    if let Some(id) = body["uploadId"].as_str() {
                        body["uploadId"] = sent.get("uploadId").cloned().unwrap_or_else(|| json!(id.to_uppercase()));
                    }
                })
            }),
        ],
        withholds: false,
    },
    Variant {
        name: "upload-ids-without-case",
        sentence: "upload ids are compared case-insensitively",
        changes: &[RewriteInput(lower_id)],
        withholds: false,
    },
    Variant {
        name: "part-size-5-mib",
        sentence: "partSize is 5 MiB",
        changes: &[RewriteReply(|_, _, reply| part_size(reply, 5_242_880))],
        withholds: false,
    },
    Variant {
        name: "part-size-20-mib",
        sentence: "partSize is 20 MiB",
        changes: &[RewriteReply(|_, _, reply| part_size(reply, 20_971_520))],
        withholds: false,
    },
    Variant {
        name: "part-size-odd",
        sentence: "partSize is an odd number",
        changes: &[RewriteReply(|_, _, reply| part_size(reply, 7_654_321))],
        withholds: false,
    },
    Variant {
        name: "parts-above-10-mib-rejected",
        sentence: "parts above 10 MiB are rejected as a parameter",
        changes: &[
            EditRejections(|call, wrong| {
                if call.is(Operation::UploadLayerPart) && call.blob_size() > 10_485_760 && wrong.is_empty() {
                    wrong.push(invalid_parameter(RuleId::new("UploadLayerPart/layerPartBlob/above-10-MiB")));
                }
            }),
            // Whoever asks for larger ones cannot reject them.
            RewriteReply(|_, _, reply| {
                edit(reply, |body| {
                    if body["partSize"].as_u64().is_some_and(|size| size > 10_485_760) {
                        body["partSize"] = json!(10_485_760);
                    }
                });
            }),
        ],
        withholds: false,
    },
    Variant {
        name: "older-names-only",
        sentence: "repository names follow the older edition of the documents",
        changes: &[EditRejections(|call, wrong| {
            let name = call.text("repositoryName");
            if (name.contains("__") || name.contains("--")) && wrong.is_empty() {
                wrong.push(invalid_parameter(RuleId::of(call.operation.name, "repositoryName/editions")));
            }
        })],
        withholds: false,
    },
    Variant {
        name: "names-begin-with-a-letter",
        sentence: "repository names that begin with a digit are rejected",
        changes: &[EditRejections(|call, wrong| {
            let digit = call.text("repositoryName").starts_with(|letter: char| letter.is_ascii_digit());
            if digit && call.operation.name == Operation::CreateRepository && wrong.is_empty() {
                wrong.push(invalid_parameter(RuleId::new("InitiateLayerUpload/repositoryName/leading-digit")));
            }
        })],
        withholds: false,
    },
];

/// Gives a repository that is made another URI, or none, for the URI that it has, its account id and its name.
fn uri(request: &Request, reply: &mut Reply, change: fn(&str, &str, &str) -> Option<String>) {
    edit_success(request, reply, Operation::CreateRepository, |body| {
        let Some(repository) = body["repository"].as_object_mut() else { return };
        let text = |member: &str| repository.get(member).and_then(Value::as_str).unwrap_or_default();
        match change(text("repositoryUri"), text("registryId"), text("repositoryName")) {
            Some(uri) => repository.insert(String::from("repositoryUri"), json!(uri)),
            None => repository.remove("repositoryUri"),
        };
    });
}

fn part_size(reply: &mut Reply, size: u64) {
    edit(reply, |body| {
        if body.get("partSize").is_some() {
            body["partSize"] = json!(size);
        }
    });
}

fn lower_id(call: &mut Call) {
    if let Some(Value::String(id)) = call.input.get_mut("uploadId") {
        *id = id.to_lowercase();
    }
}
