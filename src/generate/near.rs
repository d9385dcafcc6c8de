//! Values beside an existing one: digests and upload ids that differ in a part, positions that differ by a power of two, and
//! repositories whose names a server may take for one another.

use super::steps::Steps;
use crate::case::Case;
use crate::case::draft::{Draft, HERE, RIGHT, SMALL};
use crate::contract::{Operation, RuleId, Service};
use crate::model::operation::body;

const COMPLETE: Operation = Operation::CompleteLayerUpload;
const UPLOAD: Operation = Operation::UploadLayerPart;
const CHECK: Operation = Operation::BatchCheckLayerAvailability;
const URL: Operation = Operation::GetDownloadUrlForLayer;

/// The cases of an operation.
pub fn of_operation(service: Service, operation: Operation) -> Vec<Case> {
    match operation {
        UPLOAD => [upload_ids(service, operation), positions(service)].concat(),
        COMPLETE => [upload_ids(service, operation), vec![unmatched(service)]].concat(),
        CHECK => vec![checked(service), other_algorithms(service), side_by_side(service)],
        URL => vec![located(service)],
        _ => Vec::new(),
    }
}

/// Digests that are in part that of the chunk `layer`: what is compared in part, or cut, or turned round, is taken for it.
fn digests() -> Vec<(&'static str, String)> {
    let zeros = |count: usize| "0".repeat(count);
    let cut = |from: usize, to: usize| format!("${{cut:{from}-{to}:hex:layer}}");
    let rows = [
        ("first-8-digits", cut(0, 8) + &zeros(56)),
        ("first-12-digits", cut(0, 12) + &zeros(52)),
        ("first-16-digits", cut(0, 16) + &zeros(48)),
        ("first-32-digits", cut(0, 32) + &zeros(32)),
        ("first-48-digits", cut(0, 48) + &zeros(16)),
        ("last-8-digits", zeros(56) + &cut(56, 64)),
        ("last-16-digits", zeros(48) + &cut(48, 64)),
        ("last-32-digits", zeros(32) + &cut(32, 64)),
        ("last-48-digits", zeros(16) + &cut(16, 64)),
        ("both-ends", cut(0, 16) + &zeros(32) + &cut(48, 64)),
        ("middle", zeros(16) + &cut(16, 48) + &zeros(16)),
        ("halves-swapped", cut(32, 64) + &cut(0, 32)),
    ];
    rows.into_iter().map(|(variant, hex)| (variant, format!("sha256:{hex}"))).collect()
}

/// A completion that names them all, and not the right one.
fn unmatched(service: Service) -> Case {
    let rule = RuleId::new("CompleteLayerUpload/layerDigests/match");
    let near: Vec<String> = digests().into_iter().map(|(_, digest)| digest).collect();
    let draft = Draft::new(service, format!("{rule}/right-in-part"), "digests that are the right one in part");
    draft.uploaded().focus(rule, COMPLETE, body::complete(HERE, "upload", &near)).probe_absent(RIGHT).done()
}

/// Layers that were never uploaded, in a repository that has one whose digest is the same in part.
fn checked(service: Service) -> Case {
    let rule = RuleId::new("BatchCheckLayerAvailability/layers/absent");
    let title = "layers whose digests are in part that of one that is there";
    let draft = Draft::new(service, format!("{rule}/there-in-part"), title).own(&[]).stored();
    let rows = digests().into_iter();
    rows.fold(draft, |draft, (variant, digest)| draft.focus_as(variant, rule, CHECK, body::check(HERE, &[digest])))
        .done()
}

/// The digits of a layer's digest, said to be of other algorithms.
fn other_algorithms(service: Service) -> Case {
    let rule = RuleId::new("BatchCheckLayerAvailability/layers/other-algorithm");
    let title = "the digits of a layer's digest with other algorithms";
    let draft = Draft::new(service, format!("{rule}/same-digits"), title).own(&[]).stored();
    let rows = [
        ("sha512", "sha512:${hex:layer}"),
        ("md5", "md5:${cut:0-32:hex:layer}"),
        ("unknown", "sha2-256:${hex:layer}"),
        ("two", "tarsum+sha256:${hex:layer}"),
        ("longer", "xsha256:${hex:layer}"),
    ];
    let look = |draft: Draft, (variant, digest): (&str, &str)| {
        draft.focus_as(variant, rule, CHECK, body::check(HERE, &[digest]))
    };
    rows.into_iter().fold(draft, look).done()
}

/// The same for the addresses of layers.
fn located(service: Service) -> Case {
    let rule = RuleId::new("GetDownloadUrlForLayer/layerDigest/exists");
    let title = "layers whose digests are in part that of a layer of an image";
    let draft = Draft::new(service, format!("{rule}/there-in-part"), title).own(&[]).stored().image();
    let rows = digests().into_iter();
    rows.fold(draft, |draft, (variant, digest)| draft.focus_as(variant, rule, URL, body::url(HERE, &digest))).done()
}

/// Ids of no upload that are in part that of an open one.
fn upload_ids(service: Service, operation: Operation) -> Vec<Case> {
    let rule = RuleId::of(operation, "uploadId/exists");
    let title = "ids that are in part that of an open upload";
    let steps = Steps::new(operation, Draft::new(service, format!("{rule}/open-in-part"), title), HERE);
    let rows = [
        ("first-8-digits", "${cut:0-8:UPLOAD}-0000-4000-8000-0000000000ff"),
        ("first-two-groups", "${cut:0-13:UPLOAD}-4000-8000-0000000000ff"),
        ("all-but-last-group", "${cut:0-24:UPLOAD}0000000000ff"),
        ("last-group", "00000000-0000-4000-8000-${cut:24-36:UPLOAD}"),
        ("all-but-first-group", "00000000${cut:8-36:UPLOAD}"),
        ("both-ends", "${cut:0-8:UPLOAD}-0000-4000-8000-${cut:24-36:UPLOAD}"),
    ];
    let add = |steps: Steps, (variant, id): (&str, &str)| {
        let of = |upload: &str| id.replace("UPLOAD", &format!("{upload}.uploadId"));
        steps.rejected(variant, rule, |body, upload| body.text("uploadId", &of(upload)))
    };
    vec![rows.into_iter().fold(steps, add).done()]
}

/// What integers of so many bits can no longer hold.
const BITS: [u32; 10] = [8, 15, 16, 24, 31, 32, 48, 52, 53, 62];

/// How many digits some columns of databases have.
const DIGITS: [u32; 4] = [2, 5, 9, 18];

/// Positions that are right but for a power of two or ten, above and below, and after them the right one.
fn positions(service: Service) -> Vec<Case> {
    let contiguous = RuleId::new("UploadLayerPart/partFirstByte/contiguous");
    let length = RuleId::new("UploadLayerPart/layerPartBlob/length");
    let below = |member: &'static str| RuleId::about(UPLOAD, member, "min");
    let beyond = |member: &'static str| RuleId::about(UPLOAD, member, "64-bit");
    let (first, last) = (SMALL as i128, 2 * SMALL as i128 - 1);
    let case = |rule: RuleId, title: &str, rows: Vec<(String, i128, i128)>| {
        let draft = Draft::new(service, format!("{rule}/off-by-powers-of-2"), title)
            .chunk("layer", SMALL)
            .chunk("next", SMALL)
            .initiate("upload")
            .part("part", "upload", "layer", 0);
        let add = |draft: Draft, (variant, first, last): (String, i128, i128)| {
            let body = body::part(HERE, "upload", "next", SMALL, SMALL);
            let body = body.set("partFirstByte", first.to_string()).set("partLastByte", last.to_string());
            draft.focus_as(&variant, rule, UPLOAD, body)
        };
        rows.into_iter().fold(draft, add)
    };
    let above = |both: bool| {
        let twos = BITS.map(|bits| (format!("2-{bits}"), 1_i128 << bits));
        let tens = DIGITS.map(|digits| (format!("10-{digits}"), 10_i128.pow(digits)));
        let rows = twos.into_iter().chain(tens);
        rows.map(|(variant, off)| (variant, if both { first + off } else { first }, last + off)).collect::<Vec<_>>()
    };
    let negative = |of_first: bool| {
        let rows = BITS.into_iter().chain([63]).map(|bits| (format!("minus-2-{bits}"), 1_i128 << bits));
        // The right one without its sign.
        let rows = rows.chain([(String::from("sign"), if of_first { 2 * first } else { 2 * last })]);
        let rows = rows.map(|(variant, off)| match of_first {
            true => (variant, first - off, last),
            false => (variant, first, last - off),
        });
        rows.collect::<Vec<_>>()
    };
    // Which of these are rejected, nothing says; a crash is one all the same.
    let too_long = |of_first: bool| {
        let rows = [63, 64].map(|bits| (format!("2-{bits}"), 1_i128 << bits));
        rows.map(|(variant, off)| (variant, if of_first { first + off } else { first }, last + off)).to_vec()
    };
    let resumed = |draft: Draft| {
        let right = body::part(HERE, "upload", "next", SMALL, SMALL);
        draft.focus_as("right", RuleId::new("UploadLayerPart/partFirstByte/resume"), UPLOAD, right).last().done()
    };
    vec![
        resumed(case(contiguous, "a second part at the right position and a power of two or ten", above(true))),
        resumed(case(length, "a range that is too long by a power of two or ten", above(false))),
        resumed(case(below("partFirstByte"), "a first byte that is right but for a power of two less", negative(true))),
        resumed(case(below("partLastByte"), "a last byte that is right but for a power of two less", negative(false))),
        case(beyond("partFirstByte"), "a part at the right position and a power of two beyond 64 bits", too_long(true))
            .last()
            .done(),
        case(beyond("partLastByte"), "a range that is too long by a power of two beyond 64 bits", too_long(false))
            .last()
            .done(),
    ]
}

/// Repositories whose names differ in what some servers do not keep apart, each with a layer of its own.
fn side_by_side(service: Service) -> Case {
    const NAMES: [&str; 9] = ["a-1", "a.1", "a_1", "a/1", "a1", "ab1", "a-01", "a-1/x", "x/a-1"];
    let stored = RuleId::new("BatchCheckLayerAvailability/layers/stored");
    let elsewhere = RuleId::new("BatchCheckLayerAvailability/layers/per-repository");
    let title = "layers of repositories with names that look alike";
    let name = |index: usize| format!("${{repository}}/{}", NAMES[index % NAMES.len()]);
    let chunk = |index: usize| format!("layer-{}", index % NAMES.len() + 1);
    let indices = 0..NAMES.len();
    let mut draft = Draft::new(service, format!("{elsewhere}/names-alike"), title).own(&[]);
    for index in indices.clone() {
        let create = format!("create-{}", index + 1);
        draft = draft
            .chunk(&chunk(index), SMALL + index)
            .set_up(&create, Operation::CreateRepository, body::repository(&name(index)))
            .initiate_in(&name(index), &format!("upload-{}", index + 1));
    }
    for index in indices.clone() {
        let upload = format!("upload-{}", index + 1);
        draft = draft.part_in(&name(index), &format!("part-{}", index + 1), &upload, &chunk(index), 0);
    }
    for index in indices.clone() {
        let (upload, digest) = (format!("upload-{}", index + 1), format!("${{sha256:{}}}", chunk(index)));
        let body = body::complete(&name(index), &upload, &[digest]);
        draft = draft.set_up(&format!("complete-{}", index + 1), COMPLETE, body);
    }
    for index in indices {
        let digest = |of: usize| format!("${{sha256:{}}}", chunk(of));
        draft = draft
            .focus_as(
                &format!("other-{}", index + 1),
                elsewhere,
                CHECK,
                body::check(&name(index), &[digest(index + 1)]),
            )
            .focus_as(&format!("own-{}", index + 1), stored, CHECK, body::check(&name(index), &[digest(index)]));
    }
    draft.done()
}
