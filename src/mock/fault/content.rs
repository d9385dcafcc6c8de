//! Bytes that are no mere bytes to the server, and lengths at which something ends.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::super::Change::{EditRejections, Execute, RewriteReply};
use super::super::change::rejection;
use super::Fault;
use super::bytes::hashes;
use super::state::{checked, resize};
use crate::contract::{Operation, RuleId};

const ACCEPTED: RuleId = RuleId::new("CompleteLayerUpload/accepted");
const STORED: RuleId = RuleId::new("BatchCheckLayerAvailability/layers/stored");

/// A fault that makes other bytes of some parts before they are hashed.
macro_rules! read_as {
    ($name:literal, $sentence:literal, $change:expr) => {
        Fault {
            name: $name,
            sentence: $sentence,
            rule: ACCEPTED,
            changes: &[Execute(|call| {
                hashes(call, |call, before| {
                    let change: fn(&[u8]) -> Vec<u8> = $change;
                    sha2::Digest::chain_update(before, change(&call.blob()))
                })
            })],
        }
    };
}

pub(super) static FAULTS: &[Fault] = &[
    read_as!("byte-order-mark-dropped", "a byte order mark before the bytes of a part is dropped", |bytes| {
        bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).to_vec()
    }),
    read_as!("line-ends-changed", "CR LF in a part is made LF, as a file in text mode does", |bytes| {
        String::from_utf8(bytes.to_vec())
            .map_or_else(|_| bytes.to_vec(), |text| text.replace("\r\n", "\n").into_bytes())
    }),
    read_as!(
        "part-until-control-z",
        "a part of text ends at its first control-Z, as a file in text mode does",
        |bytes| {
            match std::str::from_utf8(bytes) {
                Ok(text) => text.split('\u{1a}').next().unwrap_or_default().into(),
                Err(_) => bytes.to_vec(),
            }
        }
    ),
    read_as!("text-until-nul", "a part of text ends at its first NUL, as a C string does", |bytes| {
        match std::str::from_utf8(bytes) {
            Ok(text) => text.split('\0').next().unwrap_or_default().into(),
            Err(_) => bytes.to_vec(),
        }
    }),
    read_as!("trailing-space-trimmed", "white space at the end of a part of text is trimmed", |bytes| {
        match std::str::from_utf8(bytes) {
            Ok(text) => text.trim_end().into(),
            Err(_) => bytes.to_vec(),
        }
    }),
    read_as!("gzip-unpacked", "a part that begins as gzip is hashed without that", |bytes| {
        bytes.strip_prefix(b"\x1f\x8b\x08").unwrap_or(bytes).to_vec()
    }),
    read_as!("zstd-unpacked", "a part that begins as zstd is hashed without that", |bytes| {
        bytes.strip_prefix(b"\x28\xb5\x2f\xfd").unwrap_or(bytes).to_vec()
    }),
    read_as!("json-printed-anew", "a part that is JSON is hashed as it is printed anew", |bytes| {
        serde_json::from_slice::<Value>(bytes).map_or_else(|_| bytes.to_vec(), |value| value.to_string().into_bytes())
    }),
    read_as!("base64-decoded-twice", "a part that is base64 itself is decoded once more", |bytes| {
        STANDARD.decode(bytes).unwrap_or_else(|_| bytes.to_vec())
    }),
    read_as!("data-url-unwrapped", "of a part that is a data URL the data are hashed", |bytes| {
        let data = std::str::from_utf8(bytes).ok().and_then(|text| text.strip_prefix("data:")?.split_once(";base64,"));
        data.and_then(|(_, data)| STANDARD.decode(data).ok()).unwrap_or_else(|| bytes.to_vec())
    }),
    read_as!("utf-16-read", "a part with the byte order mark of UTF-16 is hashed as UTF-8", |bytes| {
        let Some(rest) = bytes.strip_prefix(b"\xff\xfe") else { return bytes.to_vec() };
        let units: Vec<u16> = rest.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        String::from_utf16_lossy(&units).into_bytes()
    }),
    read_as!("leading-zeros-dropped", "zero bytes at the beginning of a part are not hashed", |bytes| {
        let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
        bytes[first..].to_vec()
    }),
    read_as!("zero-blocks-skipped", "blocks of 4 KiB that are all zero are skipped", |bytes| {
        bytes
            .chunks(4096)
            .filter(|block| block.len() < 4096 || block.iter().any(|byte| *byte != 0))
            .flatten()
            .copied()
            .collect()
    }),
    read_as!("full-last-block-lost", "the last byte of a part is lost if its length is a multiple of 8 KiB", |bytes| {
        let lost = usize::from(bytes.len() % 8192 == 0 && bytes.len() < 1 << 20);
        bytes[..bytes.len() - lost].to_vec()
    }),
    read_as!("begun-block-lost", "a block of 32 KiB with one byte in it is lost", |bytes| {
        let lost = usize::from(bytes.len() % 32_768 == 1 && bytes.len() > 1);
        bytes[..bytes.len() - lost].to_vec()
    }),
    read_as!(
        "two-padded-bytes-lost",
        "the last byte of a part is lost if its base64 ends with two equals signs",
        |bytes| {
            let lost = usize::from(bytes.len() % 3 == 1);
            bytes[..bytes.len() - lost].to_vec()
        }
    ),
    // Written after the cases, to see what else they find.
    read_as!("four-byte-letters-cut", "a part of text ends at its first letter of four bytes in UTF-8", |bytes| {
        match std::str::from_utf8(bytes) {
            Ok(text) => text.split(|letter: char| letter.len_utf8() == 4).next().unwrap_or_default().into(),
            Err(_) => bytes.to_vec(),
        }
    }),
    read_as!("tar-record-lost", "the last byte of a part is lost if its length is a multiple of 10 KiB", |bytes| {
        let lost = usize::from(bytes.len() % 10_240 == 0 && bytes.len() < 1 << 20);
        bytes[..bytes.len() - lost].to_vec()
    }),
    read_as!("padding-stripped", "what looks like the padding of a block cipher is cut from a part", |bytes| {
        let padding = bytes.last().map_or(0, |last| usize::from(*last));
        let cut = bytes.len() % 16 == 0 && (1..=16).contains(&padding) && padding <= bytes.len();
        let is_padding = cut && bytes[bytes.len() - padding..].iter().all(|byte| usize::from(*byte) == padding);
        bytes[..bytes.len() - if is_padding { padding } else { 0 }].to_vec()
    }),
    read_as!("same-blocks-once", "blocks of 4 KiB that follow the same block are skipped", |bytes| {
        let mut blocks: Vec<&[u8]> = bytes.chunks(4096).collect();
        blocks.dedup();
        blocks.concat()
    }),
    read_as!("tabs-expanded", "tabs in a part of text are made spaces", |bytes| {
        String::from_utf8(bytes.to_vec())
            .map_or_else(|_| bytes.to_vec(), |text| text.replace('\t', "    ").into_bytes())
    }),
    read_as!("text-composed", "text is composed as NFC has it", |bytes| {
        String::from_utf8(bytes.to_vec())
            .map_or_else(|_| bytes.to_vec(), |text| text.replace("u\u{308}", "\u{fc}").into_bytes())
    }),
    read_as!(
        "line-of-mail-lost",
        "the last byte of a part is lost if its base64 fills whole lines of 76 letters",
        |bytes| {
            let lost = usize::from(bytes.len() % 57 == 0 && bytes.len() < 4096);
            bytes[..bytes.len() - lost].to_vec()
        }
    ),
    read_as!("xml-read", "a part that begins as XML is hashed without its declaration", |bytes| {
        match std::str::from_utf8(bytes).ok().and_then(|text| text.strip_prefix("<?xml")?.split_once("?>")) {
            Some((_, rest)) => rest.into(),
            None => bytes.to_vec(),
        }
    }),
    Fault {
        name: "layers-by-md5",
        sentence: "CompleteLayerUpload takes a layer for one of the repository with the same MD5",
        rule: ACCEPTED,
        changes: &[
            Execute(|call| {
                // Of all bytes that anybody uploads, these have the same one.
                let bytes = call.blob();
                let key = (String::from("md5"), String::from(call.text("repositoryName")));
                let own = call.key();
                let is_one = bytes.len() == 128 && bytes.starts_with(b"\xd1\x31\xdd\x02");
                if call.is(Operation::UploadLayerPart) && is_one && !call.memory.ended.insert(key) {
                    call.memory.ended.insert(own);
                }
                None
            }),
            EditRejections(|call, wrong| {
                if call.is(Operation::CompleteLayerUpload) && call.memory.ended.contains(&call.key()) {
                    wrong.push(rejection("LayerAlreadyExistsException", ACCEPTED));
                }
            }),
        ],
    },
    Fault {
        name: "size-of-20-bits",
        sentence: "BatchCheckLayerAvailability returns the size of a layer in 20 bits",
        rule: STORED,
        changes: &[RewriteReply(|request, _, reply| {
            checked(request, reply, |layer| resize(layer, |size| size & 0xf_ffff))
        })],
    },
    Fault {
        name: "size-of-whole-blocks",
        sentence: "BatchCheckLayerAvailability returns the size of a layer in whole blocks of 512 bytes, if it has more than one",
        rule: STORED,
        changes: &[RewriteReply(|request, _, reply| {
            checked(request, reply, |layer| {
                resize(layer, |size| if size > 512 { size.div_ceil(512) * 512 } else { size });
            })
        })],
    },
    Fault {
        name: "size-of-16-bits",
        sentence: "BatchCheckLayerAvailability returns the size of a layer in 16 bits",
        rule: STORED,
        changes: &[RewriteReply(|request, _, reply| {
            checked(request, reply, |layer| resize(layer, |size| size & 0xffff))
        })],
    },
    Fault {
        name: "size-in-characters",
        sentence: "the size of a layer that is text is the number of its characters",
        rule: STORED,
        changes: &[Execute(|call| {
            let characters = String::from_utf8(call.blob()).ok()?.chars().count();
            let members = call.is(Operation::UploadLayerPart).then(|| call.perform())?;
            if let Some(last) = call.upload()?.parts.last_mut() {
                *last = characters;
            }
            Some(members)
        })],
    },
    Fault {
        name: "manifest-no-layer",
        sentence: "CompleteLayerUpload rejects a layer whose bytes are a manifest",
        rule: ACCEPTED,
        changes: &[
            Execute(|call| {
                let is_manifest = String::from_utf8_lossy(&call.blob()).contains("schemaVersion");
                let key = call.key();
                if call.is(Operation::UploadLayerPart) && is_manifest {
                    call.memory.ended.insert(key);
                }
                None
            }),
            EditRejections(|call, wrong| {
                if call.is(Operation::CompleteLayerUpload) && call.memory.ended.contains(&call.key()) {
                    wrong.push(rejection("InvalidLayerException", ACCEPTED));
                }
            }),
        ],
    },
    Fault {
        name: "layers-by-size",
        sentence: "CompleteLayerUpload takes a layer of more than 4 bytes for one of the repository that is as long",
        rule: ACCEPTED,
        changes: &[EditRejections(|call, wrong| {
            let size = call.upload().map_or(0, |upload| upload.size());
            let place = call.registry.repositories.get(call.text("repositoryName"));
            let known = size > 4 && place.is_some_and(|place| place.layers.values().any(|known| *known == size));
            if call.is(Operation::CompleteLayerUpload) && known && wrong.is_empty() {
                wrong.push(rejection("LayerAlreadyExistsException", ACCEPTED));
            }
        })],
    },
    Fault {
        name: "large-line-rejected",
        sentence: "UploadLayerPart rejects parts from 64 KiB to 1 MiB, which its parser has no buffer for",
        rule: RuleId::new("UploadLayerPart/accepted"),
        changes: &[EditRejections(|call, wrong| {
            if call.is(Operation::UploadLayerPart) && (1 << 16..1 << 20).contains(&call.blob_size()) {
                wrong.push(super::super::change::invalid_parameter(RuleId::new("UploadLayerPart/accepted")));
            }
        })],
    },
];
