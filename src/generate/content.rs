//! What the bytes of a layer are decides nothing, nor how many they are: digest, size and availability are those of the
//! bytes that were sent.

use crate::case::Case;
use crate::case::draft::{Draft, HERE, SMALL};
use crate::contract::{Operation, RuleId, Service};
use crate::model::operation::body;

const UPLOAD: Operation = Operation::UploadLayerPart;
const COMPLETE: Operation = Operation::CompleteLayerUpload;
const CHECK: Operation = Operation::BatchCheckLayerAvailability;

const ACCEPTED: RuleId = RuleId::new("CompleteLayerUpload/accepted");

/// The cases about bytes and their number.
pub fn cases(service: Service) -> Vec<Case> {
    let mut cases: Vec<Case> = FAMILIES.iter().map(|family| family.case(service)).collect();
    cases.extend(lengths(service));
    cases
}

/// Layers of one repository that a server may take for one another, or for something else than bytes.
struct Family {
    variant: &'static str,
    title: &'static str,
    /// Whether their sizes are asked for.
    is_measured: bool,
    layers: &'static [Layer],
}

/// The name of a layer, and its bytes: some of them, so many times.
struct Layer(&'static str, &'static [u8], usize);

#[rustfmt::skip]
static FAMILIES: &[Family] = &[
    Family { variant: "line-ends", title: "the same lines with other line ends", is_measured: true, layers: &[
        Layer("line-feeds", b"one\ntwo\n", 1),
        Layer("both", b"one\r\ntwo\r\n", 1),
        Layer("carriage-returns", b"one\rtwo\r", 1),
        Layer("no-last", b"one\ntwo", 1),
        Layer("empty-lines-after", b"one\ntwo\n\n\n", 1),
        Layer("empty-lines-before", b"\n\none\ntwo", 1),
        // A line end on the boundary of every block of an even length less one.
        Layer("across-blocks", b"\r\n", 33_000),
        Layer("one-line-feed", b"\n", 1),
        Layer("control-z", b"one\n\x1atwo\n", 1),
        Layer("smtp-dots", b"one\r\n.\r\ntwo\r\n", 1),
    ] },
    Family { variant: "encodings", title: "the same text in several encodings", is_measured: true, layers: &[
        Layer("utf-8", "Gr\u{fc}\u{df}e, \u{20ac}".as_bytes(), 1),
        Layer("decomposed", "Gru\u{308}\u{df}e, \u{20ac}".as_bytes(), 1),
        Layer("utf-8-with-mark", b"\xef\xbb\xbfGr\xc3\xbc\xc3\x9fe", 1),
        Layer("utf-8-marks-alone", b"\xef\xbb\xbf\xef\xbb\xbf", 1),
        Layer("latin-1", b"Gr\xfc\xdfe", 1),
        Layer("utf-16-little", b"\xff\xfeG\0r\0\xfc\0", 1),
        Layer("utf-16-big", b"\xfe\xff\0G\0r\0\xfc", 1),
        Layer("utf-32-little", b"\xff\xfe\0\0G\0\0\0", 1),
        Layer("utf-16-without-mark", b"G\0r\0\xfc\0", 1),
        Layer("utf-7", b"Gr+APw-", 1),
        Layer("cut-in-letter", b"Gr\xc3", 1),
        Layer("overlong", b"\xc0\xaf\xc0\x80", 1),
        Layer("surrogates", b"\xed\xa0\x80\xed\xb0\x80", 1),
        Layer("replacement", "\u{fffd}\u{fffd}".as_bytes(), 1),
        Layer("no-characters", b"\xff\xff\xff", 1),
        Layer("letters-across-blocks", "\u{20ac}".as_bytes(), 22_000),
        Layer("four-byte-letters", "a\u{1f600}b".as_bytes(), 1),
        Layer("private-and-unassigned", "\u{e000}\u{378}\u{10ffff}".as_bytes(), 1),
        Layer("direction-marks", "a\u{202e}b\u{200b}\u{feff}c".as_bytes(), 1),
        Layer("upper-case", b"SAME TEXT", 1),
        Layer("lower-case", b"same text", 1),
    ] },
    Family { variant: "zeros", title: "zeros, and others that are counted as nothing", is_measured: true, layers: &[
        Layer("one", b"\0", 1),
        Layer("two", b"\0", 2),
        Layer("block-of-512", b"\0", 512),
        Layer("block-of-4096", b"\0", 4_096),
        Layer("blocks-of-65536", b"\0", 65_536),
        Layer("before-text", b"\0text", 1),
        Layer("after-text", b"text\0", 1),
        Layer("between", b"te\0xt", 1),
        Layer("two-after", b"text\0\0", 1),
        Layer("around-a-byte", &AMONG_ZEROS, 1),
        Layer("digits", b"0", 2),
        Layer("ones", b"\xff", 4_096),
        Layer("spaces", b"   ", 1),
        Layer("tab-and-spaces", b" text\t ", 1),
        Layer("text", b"text", 1),
        Layer("carets-and-escapes", b"\x1b[31m\x07\x08\x7f\x04", 1),
    ] },
    Family { variant: "json", title: "what JSON parsers read", is_measured: false, layers: &[
        Layer("object", b"{ \"b\": 1,\n  \"a\": 1.0 }\n", 1),
        Layer("printed-anew", br#"{"b":1,"a":1.0}"#, 1),
        Layer("sorted", br#"{"a":1.0,"b":1}"#, 1),
        Layer("keys-twice", br#"{"a":1,"a":2}"#, 1),
        Layer("text", b"\"text\"", 1),
        Layer("number", b"1e2", 1),
        Layer("same-number", b"100", 1),
        Layer("null", b"null", 1),
        Layer("true", b"true", 1),
        Layer("empty-list", b"[]", 1),
        Layer("empty-object", b"{}", 1),
        Layer("escape", br#""\u0061\/\n""#, 1),
        Layer("request", br#"{"layerPartBlob":"QUJD","partFirstByte":0}"#, 1),
        Layer("error", br#"{"__type":"ServerException","message":"no"}"#, 1),
        Layer("manifest", br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","layers":[]}"#, 1),
        Layer("index", br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#, 1),
        Layer("configuration", br#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#, 1),
    ] },
    Family { variant: "encoded", title: "what looks like the encoding of other bytes, and those", is_measured: false, layers: &[
        Layer("plain", b"ABCDEF", 1),
        Layer("base64", b"QUJDREVG", 1),
        Layer("base64-twice", b"UVVKRFJFVkc=", 1),
        Layer("base64-with-line-end", b"QUJDREVG\n", 1),
        Layer("base64-of-urls", b"-_-_", 1),
        Layer("base64-of-many", b"QUJD", 4_096),
        Layer("data-url", b"data:application/octet-stream;base64,QUJDREVG", 1),
        Layer("data-url-of-text", b"data:,ABCDEF", 1),
        Layer("hex", b"414243444546", 1),
        Layer("percent", b"%41%42%43+%44", 1),
        Layer("plus-signs", b"a+b=c&d=%20", 1),
        Layer("html", b"&lt;b&gt;&#65;&amp;", 1),
        Layer("quoted-printable", b"=41=42=\r\n", 1),
        Layer("escapes", b"\\x41\\u0042\\n\\\\", 1),
        Layer("uuencoded", b"begin 644 x\n&04)#1$5&\n`\nend\n", 1),
        Layer("armoured", b"-----BEGIN X-----\nQUJDREVG\n-----END X-----\n", 1),
        Layer("digest", b"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", 1),
        Layer("reference", b"$HOME `id` %s %n {{1}} #{1}", 1),
        Layer("markup", b"<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", 1),
        Layer("form-part", b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--x--\r\n", 1),
        Layer("chunked", b"3\r\nABC\r\n0\r\n\r\n", 1),
        Layer("query", b"'; DROP TABLE layers; --", 1),
        // All letters of base64 that some transports change.
        Layer("all-plus-signs", b"\xfb\xef\xbe", 8),
        Layer("all-slashes", b"\xff\xff\xff", 8),
    ] },
    Family { variant: "same-sums", title: "bytes that a weak sum does not tell apart", is_measured: false, layers: &[
        Layer("same-crc-32", b"plumless", 1),
        Layer("same-crc-32-too", b"buckeroo", 1),
        Layer("same-java-hash", b"AaAa", 1),
        Layer("same-java-hash-too", b"BBBB", 1),
        Layer("same-letters", b"listen", 1),
        Layer("same-letters-too", b"silent", 1),
        Layer("same-md5", &SAME_MD5[0], 1),
        Layer("same-md5-too", &SAME_MD5[1], 1),
        Layer("same-beginning", &BEGINNING_ALIKE[0], 1),
        Layer("same-beginning-too", &BEGINNING_ALIKE[1], 1),
        Layer("same-end", &END_ALIKE[0], 1),
        Layer("same-end-too", &END_ALIKE[1], 1),
    ] },
    Family { variant: "compressed", title: "what is compressed or packed, and what is in it", is_measured: false, layers: &[
        Layer("plain", b"abc", 1),
        Layer("gzip", &GZIP, 1),
        Layer("gzip-at-another-time", &GZIP_OTHER_TIME, 1),
        Layer("gzip-twice-in-a-row", &GZIP, 2),
        Layer("gzip-and-more", b"\x1f\x8b\x08\0\0\0\0\0\0\x03KLJ\x06\0\xc2A$5\x03\0\0\0more", 1),
        Layer("gzip-cut", b"\x1f\x8b\x08\0\0\0\0\0\0\x03KL", 1),
        Layer("gzip-mark", b"\x1f\x8b", 1),
        Layer("gzip-wrong-sum", b"\x1f\x8b\x08\0\0\0\0\0\0\x03KLJ\x06\0\0\0\0\0\x03\0\0\0", 1),
        Layer("zlib", b"\x78\x9cKLJ\x06\0\x02M\x01\x27", 1),
        Layer("zstd", b"\x28\xb5\x2f\xfd\x04\x58\x19\0\0abc\x99\x09\x77\xad", 1),
        Layer("zstd-mark", b"\x28\xb5\x2f\xfd", 1),
        Layer("zstd-skippable", b"\x50\x2a\x4d\x18\x03\0\0\0abc", 1),
        Layer("bzip2-mark", b"BZh91AY&SY", 1),
        Layer("xz-mark", b"\xfd7zXZ\0\0\x04", 1),
        Layer("lz4-mark", b"\x04\x22\x4d\x18", 1),
        Layer("zip", b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 1),
        Layer("empty-tar", b"\0", 1_024),
        Layer("tar-mark", &TAR, 1),
        Layer("executable", b"\x7fELF\x02\x01\x01\0", 1),
        Layer("script", b"#!/bin/sh\nexit 1\n", 1),
        Layer("sparse", b"\0\0\0\x01", 16_384),
    ] },
];

/// Two texts of 128 bytes that have the same MD5, by Wang and others (2004).
static SAME_MD5: [[u8; 128]; 2] = [
    bytes_of([
        0xd131dd02c5e6eec4,
        0x693d9a0698aff95c,
        0x2fcab58712467eab,
        0x4004583eb8fb7f89,
        0x55ad340609f4b302,
        0x83e488832571415a,
        0x085125e8f7cdc99f,
        0xd91dbdf280373c5b,
        0xd8823e3156348f5b,
        0xae6dacd436c919c6,
        0xdd53e2b487da03fd,
        0x02396306d248cda0,
        0xe99f33420f577ee8,
        0xce54b67080a80d1e,
        0xc69821bcb6a88393,
        0x96f9652b6ff72a70,
    ]),
    bytes_of([
        0xd131dd02c5e6eec4,
        0x693d9a0698aff95c,
        0x2fcab50712467eab,
        0x4004583eb8fb7f89,
        0x55ad340609f4b302,
        0x83e4888325f1415a,
        0x085125e8f7cdc99f,
        0xd91dbd7280373c5b,
        0xd8823e3156348f5b,
        0xae6dacd436c919c6,
        0xdd53e23487da03fd,
        0x02396306d248cda0,
        0xe99f33420f577ee8,
        0xce54b67080280d1e,
        0xc69821bcb6a88393,
        0x96f965ab6ff72a70,
    ]),
];

const fn bytes_of(words: [u64; 16]) -> [u8; 128] {
    let mut bytes = [0; 128];
    let mut index = 0;
    while index < 128 {
        bytes[index] = words[index / 8].to_be_bytes()[index % 8];
        index += 1;
    }
    bytes
}

/// The three letters abc, as gzip packs them.
const GZIP: [u8; 23] = *b"\x1f\x8b\x08\0\0\0\0\0\0\x03KLJ\x06\0\xc2A$5\x03\0\0\0";

/// The same at another time, by another system.
const GZIP_OTHER_TIME: [u8; 23] = *b"\x1f\x8b\x08\0\x01\x02\x03\x04\x02\xffKLJ\x06\0\xc2A$5\x03\0\0\0";

/// Where the header of a tar file says what it is.
const TAR: [u8; 512] = with_mark(b"ustar\x0000", 257);

/// Zeros, and in their midst a byte that is none.
const AMONG_ZEROS: [u8; 512] = with_mark(b"x", 255);

/// The same to the last byte but one.
static BEGINNING_ALIKE: [[u8; 512]; 2] = [with_mark(b"1", 511), with_mark(b"2", 511)];

/// The same from the second byte on.
static END_ALIKE: [[u8; 512]; 2] = [with_mark(b"1", 0), with_mark(b"2", 0)];

const fn with_mark<const N: usize>(mark: &[u8; N], at: usize) -> [u8; 512] {
    let mut bytes = [0; 512];
    let mut index = 0;
    while index < N {
        bytes[at + index] = mark[index];
        index += 1;
    }
    bytes
}

impl Family {
    fn case(&self, service: Service) -> Case {
        let id = format!("{ACCEPTED}/content-{}", self.variant);
        let draft = Draft::new(service, id, format!("layers of {}", self.title)).own(&[]);
        let draft = self
            .layers
            .iter()
            .fold(draft, |draft, Layer(name, unit, times)| uploaded(draft.chunk_literal(name, unit, *times), name));
        let looked_at = if self.is_measured { self.layers } else { &[] };
        looked_at.iter().fold(draft, |draft, Layer(name, ..)| looked_up(draft, name)).done()
    }
}

/// Lengths from one byte up, and those around what servers take at once.
fn lengths(service: Service) -> Vec<Case> {
    const KIB: usize = 1_024;
    let around = |kib: &[usize]| -> Vec<usize> {
        kib.iter().flat_map(|kib| [kib * KIB - 1, kib * KIB, kib * KIB + 1]).collect()
    };
    let rows = [
        ("1-to-17", "of every length from 1 byte to 17", (1..=17).collect()),
        ("around-head", "of lengths around those of headers", vec![20, 31, 33, 47, 48, 49, 55, 56, 57, 63, 64, 65]),
        ("around-lines", "of lengths around those of lines of base64", vec![54, 58, 72, 74, 75, 76, 77, 127, 128, 129]),
        ("around-255", "of lengths around those in one byte", vec![254, 255, 256, 257, 511, 512, 513]),
        ("around-1-KiB", "of lengths around 1, 2, 3 and 4 KiB", around(&[1, 2, 3, 4])),
        ("around-8-KiB", "of lengths around 8, 10, 16 and 32 KiB", around(&[8, 10, 16, 32])),
        // 48 KiB are 64 KiB of base64, and 96 KiB are 128.
        ("around-64-KiB", "of lengths around 48, 64, 96 and 128 KiB", around(&[48, 64, 96, 128])),
        ("around-256-KiB", "of lengths around 256 KiB", around(&[256])),
        ("around-1-MiB", "of lengths around 1 MiB", around(&[1_024])),
    ];
    let case = |(variant, title, lengths): (&str, &str, Vec<usize>)| {
        let draft = Draft::new(service, format!("{ACCEPTED}/length-{variant}"), format!("layers {title}")).own(&[]);
        let name = |length: &usize| format!("bytes-{length}");
        let draft =
            lengths.iter().fold(draft, |draft, length| uploaded(draft.chunk(&name(length), *length), &name(length)));
        lengths.iter().fold(draft, |draft, length| looked_up(draft, &name(length))).done()
    };
    rows.into_iter().map(case).collect()
}

/// A chunk as a layer of one part.
fn uploaded(draft: Draft, chunk: &str) -> Draft {
    let (upload, digest) = (format!("upload-{chunk}"), format!("${{sha256:{chunk}}}"));
    let length = draft.chunk_named(chunk).map_or(SMALL, |chunk| chunk.bytes());
    draft
        .initiate(&upload)
        .focus_as(
            &format!("part-{chunk}"),
            RuleId::new("UploadLayerPart/accepted"),
            UPLOAD,
            body::part(HERE, &upload, chunk, 0, length),
        )
        .focus_as(&format!("complete-{chunk}"), ACCEPTED, COMPLETE, body::complete(HERE, &upload, &[digest]))
}

/// The layer of a chunk is there, with its size.
fn looked_up(draft: Draft, chunk: &str) -> Draft {
    let stored = RuleId::new("BatchCheckLayerAvailability/layers/stored");
    let body = body::check(HERE, &[format!("${{sha256:{chunk}}}")]);
    draft.focus_as(&format!("look-{chunk}"), stored, CHECK, body)
}
