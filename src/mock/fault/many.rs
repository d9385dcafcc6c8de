//! Many uploads, many digests, many repositories: what works with two of a kind, and not with twenty or two hundred.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sha2::Sha256;

use super::super::Change::{EditRejections, Execute, RewriteInput, RewriteReply};
use super::super::change::{Call, invalid_parameter, rejection};
use super::super::reply::edit_success;
use super::Fault;
use crate::contract::{Operation, RuleId};
use crate::wire::{Reply, Request};

const EACH: RuleId = RuleId::new("BatchCheckLayerAvailability/layers/each");
const PART: RuleId = RuleId::new("UploadLayerPart/uploadId/side-by-side");
const COMPLETION: RuleId = RuleId::new("CompleteLayerUpload/uploadId/side-by-side");
const OWN_ID: RuleId = RuleId::new("InitiateLayerUpload/uploadId/own");

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "sixteen-uploads-a-repository",
        sentence: "the 17th open upload of a repository ends the oldest one",
        rule: PART,
        changes: &[Execute(|call| {
            let (repository, _) = call.key();
            let open: Vec<_> = open(call).into_iter().filter(|(name, _)| *name == repository).collect();
            if call.is(Operation::InitiateLayerUpload) && open.len() >= 16 {
                call.registry.forget(&repository, &open[0].1);
            }
            None
        })],
    },
    Fault {
        name: "hundred-uploads-in-all",
        sentence: "the 101st upload that has parts ends the oldest one that has some, in whatever repository",
        rule: COMPLETION,
        changes: &[Execute(|call| {
            let filled: Vec<_> = open(call).into_iter().filter(|key| has_parts(call, key)).collect();
            if call.is(Operation::UploadLayerPart) && filled.len() > 100 {
                call.registry.forget(&filled[0].0, &filled[0].1);
            }
            None
        })],
    },
    Fault {
        name: "upload-ids-of-8-bits",
        sentence: "the 257th upload gets the id of the first, open or not",
        rule: OWN_ID,
        changes: &[Execute(|call| {
            let begun = call.memory.begun.len().checked_sub(256)?;
            let (repository, id) = call.memory.begun[begun].clone();
            let again = call.is(Operation::InitiateLayerUpload) && repository == call.text("repositoryName");
            again.then(|| {
                call.registry
                    .repositories
                    .get_mut(&repository)
                    .map(|known| known.uploads.entry(id.clone()).or_default());
                json!({ "uploadId": id, "partSize": 10_485_760 })
            })
        })],
    },
    Fault {
        name: "buffer-of-64-uploads",
        sentence: "uploads have 64 buffers in turn: a new one empties the buffer that an older one still has",
        rule: COMPLETION,
        changes: &[Execute(|call| {
            let place = call.memory.begun.len().checked_sub(64)?;
            if call.is(Operation::InitiateLayerUpload) {
                let (repository, id) = call.memory.begun[place].clone();
                let upload =
                    call.registry.repositories.get_mut(&repository).and_then(|known| known.uploads.get_mut(&id));
                if let Some(upload) = upload {
                    upload.hash = Sha256::default();
                }
            }
            None
        })],
    },
    Fault {
        name: "completion-of-the-newest",
        sentence: "CompleteLayerUpload hashes the newest open upload of the repository, whichever is named",
        rule: COMPLETION,
        changes: &[RewriteInput(|call| {
            let (repository, _) = call.key();
            let newest = open(call).into_iter().rfind(|key| key.0 == repository && has_parts(call, key));
            let hash = newest
                .and_then(|(name, id)| Some(call.registry.repositories.get(&name)?.uploads.get(&id)?.hash.clone()));
            if call.is(Operation::CompleteLayerUpload)
                && let (Some(hash), Some(upload)) = (hash, call.upload())
                && !upload.parts.is_empty()
            {
                upload.hash = hash;
            }
        })],
    },
    Fault {
        name: "lookup-of-25-digests",
        sentence: "BatchCheckLayerAvailability answers for the first 25 digests",
        rule: EACH,
        changes: &[RewriteReply(|request, _, reply| looked_up(request, reply, |layers| layers.truncate(25)))],
    },
    Fault {
        name: "lookup-of-50-digests",
        sentence: "BatchCheckLayerAvailability calls layers unavailable after the 50th digest",
        rule: EACH,
        changes: &[RewriteReply(|request, _, reply| {
            looked_up(request, reply, |layers| {
                for layer in layers.iter_mut().skip(50) {
                    *layer = json!({ "layerDigest": layer["layerDigest"], "layerAvailability": "UNAVAILABLE" });
                }
            })
        })],
    },
    Fault {
        name: "lookup-shifted",
        sentence: "BatchCheckLayerAvailability reports of a digest what is true of the one before it",
        rule: EACH,
        changes: &[RewriteReply(|request, _, reply| {
            looked_up(request, reply, |layers| {
                let digests: Vec<Value> = layers.iter().map(|layer| layer["layerDigest"].clone()).collect();
                let turned = layers.len().min(1);
                layers.rotate_right(turned);
                for (layer, digest) in layers.iter_mut().zip(digests) {
                    layer["layerDigest"] = digest;
                }
            })
        })],
    },
    Fault {
        name: "lookup-without-the-last",
        sentence: "BatchCheckLayerAvailability leaves out the last of more than ten digests",
        rule: EACH,
        changes: &[RewriteReply(|request, _, reply| {
            looked_up(request, reply, |layers| {
                if layers.len() > 10 {
                    layers.pop();
                }
            })
        })],
    },
    Fault {
        name: "lookup-counts-distinct",
        sentence: "BatchCheckLayerAvailability answers for as many of the first digests as there are distinct ones",
        rule: EACH,
        changes: &[RewriteReply(|request, _, reply| {
            looked_up(request, reply, |layers| {
                let distinct: BTreeSet<String> = layers.iter().map(|layer| layer["layerDigest"].to_string()).collect();
                layers.truncate(distinct.len());
            })
        })],
    },
    Fault {
        name: "lookup-ends-at-malformed",
        sentence: "BatchCheckLayerAvailability looks no further after a malformed digest, and calls the rest unavailable",
        rule: EACH,
        changes: &[RewriteReply(|request, _, reply| {
            let sent: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            let digests: Vec<Value> = sent["layerDigests"].as_array().cloned().unwrap_or_default();
            let malformed = digests.iter().position(|digest| !digest.as_str().unwrap_or_default().contains(':'));
            let Some(malformed) = malformed else { return };
            looked_up(request, reply, |layers| {
                for layer in layers.iter_mut().filter(|layer| digests[malformed..].contains(&layer["layerDigest"])) {
                    *layer = json!({ "layerDigest": layer["layerDigest"], "layerAvailability": "UNAVAILABLE" });
                }
            });
        })],
    },
    Fault {
        name: "lookup-with-one-size",
        sentence: "BatchCheckLayerAvailability returns the size of the first layer for all of them",
        rule: EACH,
        changes: &[RewriteReply(|request, _, reply| {
            looked_up(request, reply, |layers| {
                let first = layers.iter().find_map(|layer| layer.get("layerSize").cloned());
                for size in layers.iter_mut().filter_map(|layer| layer.get_mut("layerSize")) {
                    *size = first.clone().unwrap_or_default();
                }
            })
        })],
    },
    Fault {
        name: "digests-in-pages",
        sentence: "CompleteLayerUpload compares digests ten by ten, and skips the tenth of each page but the last",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/any-match"),
        changes: &[EditRejections(|call, wrong| {
            let Some(right) = call.computed() else { return };
            let digests = call.digests();
            let compared = |(place, _): &(usize, &&str)| place % 10 != 9 || place + 1 == digests.len();
            let found = digests.iter().enumerate().filter(compared).any(|(_, digest)| *digest == right);
            if call.is(Operation::CompleteLayerUpload)
                && wrong.is_empty()
                && digests.contains(&right.as_str())
                && !found
            {
                let any = RuleId::new("CompleteLayerUpload/layerDigests/any-match");
                wrong.push(rejection("InvalidLayerException", any));
            }
        })],
    },
    Fault {
        name: "two-hundred-uploads-begun",
        sentence: "InitiateLayerUpload rejects the 201st upload that is begun in a repository",
        rule: OWN_ID,
        changes: &[EditRejections(|call, wrong| {
            let name = call.text("repositoryName");
            let begun = call.memory.begun.iter().filter(|(repository, _)| repository == name).count();
            if call.is(Operation::InitiateLayerUpload) && wrong.is_empty() && begun >= 200 {
                wrong.push(invalid_parameter(OWN_ID));
            }
        })],
    },
    Fault {
        name: "layers-in-eight-buckets",
        sentence: "layers are kept in eight buckets of repositories: those of one bucket see each other's",
        rule: RuleId::new("BatchCheckLayerAvailability/layers/per-repository"),
        changes: &[Execute(|call| {
            if !call.is(Operation::BatchCheckLayerAvailability) {
                return None;
            }
            let bucket = |name: &str| name.bytes().map(usize::from).sum::<usize>() % 8;
            let here = bucket(call.text("repositoryName"));
            let same = call.registry.repositories.iter().filter(|(name, _)| bucket(name) == here);
            let layers: Vec<(String, usize)> = same.flat_map(|(_, repository)| repository.layers.clone()).collect();
            let (name, _) = call.key();
            let own = call.registry.repositories.get(&name)?.layers.clone();
            call.registry.repositories.get_mut(&name)?.layers = layers.into_iter().collect();
            let members = call.perform();
            call.registry.repositories.get_mut(&name)?.layers = own;
            Some(members)
        })],
    },
    Fault {
        name: "uploads-of-eight-repositories",
        sentence: "an upload in a ninth repository ends the uploads of the one that was used the longest ago",
        rule: PART,
        changes: &[Execute(|call| {
            let mut used: Vec<String> = Vec::new();
            for (name, _) in open(call).into_iter().rev() {
                if !used.contains(&name) {
                    used.push(name);
                }
            }
            let name = String::from(call.text("repositoryName"));
            if call.is(Operation::InitiateLayerUpload) && used.len() >= 8 && !used.contains(&name) {
                let oldest = call.registry.repositories.get_mut(used.last()?)?;
                oldest.uploads.clear();
            }
            None
        })],
    },
    Fault {
        name: "completion-ends-the-next",
        sentence: "where more than ten uploads are open, a CompleteLayerUpload ends the one that was begun after its own",
        rule: COMPLETION,
        changes: &[Execute(|call| {
            let (open, key) = (open(call), call.key());
            let place = open.iter().position(|known| *known == key).filter(|_| open.len() > 10)?;
            if call.is(Operation::CompleteLayerUpload)
                && let Some((repository, id)) = open.get(place + 1)
            {
                call.registry.forget(repository, id);
            }
            None
        })],
    },
    Fault {
        name: "lookup-rejects-above-64",
        sentence: "BatchCheckLayerAvailability rejects lists of more than 64 digests, if some are stored",
        rule: EACH,
        changes: &[EditRejections(|call, wrong| {
            let digests = call.digests();
            let repository = call.registry.repositories.get(call.text("repositoryName"));
            let stored = repository.is_some_and(|known| digests.iter().any(|one| known.layers.contains_key(*one)));
            if call.is(Operation::BatchCheckLayerAvailability) && wrong.is_empty() && stored && digests.len() > 64 {
                wrong.push(invalid_parameter(EACH));
            }
        })],
    },
    Fault {
        name: "lookup-repeated-as-failure",
        sentence: "BatchCheckLayerAvailability calls a digest invalid that it was asked for before in the list",
        rule: EACH,
        changes: &[RewriteReply(|request, _, reply| {
            edit_success(request, reply, Operation::BatchCheckLayerAvailability, |body| {
                let mut known: BTreeSet<String> = BTreeSet::new();
                let layers = body["layers"].as_array().cloned().unwrap_or_default();
                let (first, again): (Vec<Value>, Vec<Value>) =
                    layers.into_iter().partition(|layer| known.insert(layer["layerDigest"].to_string()));
                body["layers"] = json!(first);
                for layer in again {
                    let failure = json!({ "layerDigest": layer["layerDigest"], "failureCode": "InvalidLayerDigest" });
                    body["failures"].as_array_mut().into_iter().for_each(|list| list.push(failure.clone()));
                }
            });
        })],
    },
    Fault {
        name: "sixty-four-layers",
        sentence: "a repository keeps 64 layers: one more drops the one with the smallest digest",
        rule: RuleId::new("BatchCheckLayerAvailability/layers/stored"),
        changes: &[Execute(|call| {
            let (name, _) = call.key();
            let layers = &mut call.registry.repositories.get_mut(&name)?.layers;
            if layers.len() > 64 {
                layers.pop_first();
            }
            None
        })],
    },
    Fault {
        name: "digests-searched-as-sorted",
        sentence: "CompleteLayerUpload looks for the right digest by halves, as if the list were sorted",
        rule: RuleId::new("CompleteLayerUpload/layerDigests/any-match"),
        changes: &[EditRejections(|call, wrong| {
            let Some(right) = call.computed() else { return };
            let missed = call.digests().binary_search(&right.as_str()).is_err();
            let any = RuleId::new("CompleteLayerUpload/layerDigests/any-match");
            let present = call.digests().contains(&right.as_str());
            if call.is(Operation::CompleteLayerUpload) && wrong.is_empty() && present && missed {
                wrong.push(rejection("InvalidLayerException", any));
            }
        })],
    },
    Fault {
        name: "layers-by-name-prefix",
        sentence: "a repository sees the layers of those whose names begin with its own",
        rule: RuleId::new("BatchCheckLayerAvailability/layers/per-repository"),
        changes: &[Execute(|call| {
            if !call.is(Operation::BatchCheckLayerAvailability) {
                return None;
            }
            let (name, _) = call.key();
            let below = call.registry.repositories.iter().filter(|(other, _)| other.starts_with(&name));
            let layers: Vec<(String, usize)> = below.flat_map(|(_, repository)| repository.layers.clone()).collect();
            let own = call.registry.repositories.get(&name)?.layers.clone();
            call.registry.repositories.get_mut(&name)?.layers = layers.into_iter().collect();
            let members = call.perform();
            call.registry.repositories.get_mut(&name)?.layers = own;
            Some(members)
        })],
    },
];

/// The uploads that are open, by repository and id, the oldest first.
fn open(call: &Call) -> Vec<(String, String)> {
    let is_open = |(name, id): &&(String, String)| {
        call.registry.repositories.get(name).is_some_and(|repository| repository.uploads.contains_key(id))
    };
    call.memory.begun.iter().filter(is_open).cloned().collect()
}

fn has_parts(call: &Call, (name, id): &(String, String)) -> bool {
    let upload = call.registry.repositories.get(name).and_then(|repository| repository.uploads.get(id));
    upload.is_some_and(|upload| !upload.parts.is_empty())
}

/// Changes the list of layers that BatchCheckLayerAvailability answers with.
fn looked_up(request: &Request, reply: &mut Reply, change: impl FnOnce(&mut Vec<Value>)) {
    edit_success(request, reply, Operation::BatchCheckLayerAvailability, |body| {
        if let Some(layers) = body["layers"].as_array_mut() {
            change(layers);
        }
    });
}
