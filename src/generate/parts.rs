//! The shape of an upload: how many parts it has and how large they are, and what it is after parts and completions that
//! were rejected. What can be rejected is taken from the contract, rule by rule: a new rule is tried here too.

use super::values::Violation;
use super::{digests, members};
use crate::case::Case;
use crate::case::body::Body;
use crate::case::draft::{ABSENT, Draft, HERE, NO_UPLOAD, OF_NOTHING, RIGHT, SMALL};
use crate::contract::{Constraint, ErrorType, Operation, RuleId, Rules, Service};
use crate::expect::Outcome;
use crate::model::operation::body;
use crate::model::registry::MIN_INNER_PART;

const UPLOAD: Operation = Operation::UploadLayerPart;
const COMPLETE: Operation = Operation::CompleteLayerUpload;

const PART_ACCEPTED: RuleId = RuleId::new("UploadLayerPart/accepted");
const RESUME: RuleId = RuleId::new("UploadLayerPart/partFirstByte/resume");
const FROM_ZERO: RuleId = RuleId::new("UploadLayerPart/partFirstByte/from-zero");
const CONTIGUOUS: RuleId = RuleId::new("UploadLayerPart/partFirstByte/contiguous");
const COMPLETED: RuleId = RuleId::new("CompleteLayerUpload/accepted");
const MATCH: RuleId = RuleId::new("CompleteLayerUpload/layerDigests/match");
const MIN_SIZE: RuleId = RuleId::new("CompleteLayerUpload/parts/min-size");
const PART_AFTER_REJECTED: RuleId = RuleId::new("UploadLayerPart/uploadId/after-rejected");
const AFTER_REJECTED: RuleId = RuleId::new("CompleteLayerUpload/uploadId/after-rejected");
const STORED: RuleId = RuleId::new("BatchCheckLayerAvailability/layers/stored");

/// The cases about the shape of uploads, the largest last.
pub fn cases(service: Service) -> Vec<Case> {
    let rejected = Rejected::parts(service);
    let mut cases: Vec<Case> = rejected.iter().map(|part| after_rejected_part(service, part)).collect();
    cases.push(between_parts(service, &rejected));
    cases.push(small_parts(service, &rejected));
    cases
        .extend(Rejected::completions(service).iter().map(|completion| after_rejected_completion(service, completion)));
    cases.extend(other_completions(service));
    cases.extend(sizes(service));
    cases
}

/// A request that is rejected, about an upload as it is.
struct Rejected {
    rule: RuleId,
    /// Short name, distinct among those of a rule.
    variant: String,
    /// What it is, for a reader.
    title: String,
    /// How many parts there must be before it.
    parts: usize,
    /// Whether it is about this upload: then a server has looked at the upload before it rejects it, or may have.
    names_upload: bool,
    body: Box<dyn Fn(&Begun) -> Body>,
}

/// An upload so far: each part with its chunk, position and length.
#[derive(Default)]
struct Begun {
    parts: Vec<(String, usize, usize)>,
}

impl Begun {
    fn size(&self) -> usize {
        self.parts.last().map_or(0, |(_, at, len)| at + len)
    }

    fn digest(&self) -> String {
        let names: Vec<&str> = self.parts.iter().map(|(chunk, _, _)| chunk.as_str()).collect();
        format!("${{sha256:{}}}", names.join("+"))
    }

    /// Notes a part of this chunk, and gives the request that sends it.
    fn part(&mut self, chunk: &str, len: usize) -> Body {
        let body = body::part(HERE, "upload", chunk, self.size(), len);
        self.parts.push((String::from(chunk), self.size(), len));
        body
    }

    /// A part of the chunk `next` at another place.
    fn next(&self, at: usize) -> Body {
        body::part(HERE, "upload", "next", at, SMALL)
    }

    /// A part again, to the byte.
    fn again(&self, number: usize) -> Body {
        let (chunk, at, len) = &self.parts[number];
        body::part(HERE, "upload", chunk, *at, *len)
    }
}

/// A part that does not fit what came before: its rule, variant and title, how many parts there must be, and its request.
type Misplaced = (&'static str, &'static str, &'static str, usize, fn(&Begun) -> Body);

/// All ways in which a part can be of the right form and not fit.
const MISPLACED: [Misplaced; 13] = [
    ("partFirstByte/contiguous", "gap", "a gap of one byte", 0, |begun| begun.next(begun.size() + 1)),
    ("partFirstByte/contiguous", "gap-of-a-part", "a gap of a whole part", 0, |begun| begun.next(begun.size() + SMALL)),
    ("partFirstByte/contiguous", "overlap", "an overlap of one byte", 1, |begun| begun.next(begun.size() - 1)),
    ("partFirstByte/contiguous", "last-part-again", "the last part again", 1, |begun| {
        begun.again(begun.parts.len() - 1)
    }),
    ("partFirstByte/contiguous", "other-bytes-again", "other bytes in place of the first part", 1, |begun| {
        begun.next(0)
    }),
    ("partFirstByte/contiguous", "first-part-again", "the first of several parts again", 2, |begun| begun.again(0)),
    ("partFirstByte/contiguous", "inner-part-again", "the last part but one again", 3, |begun| {
        begun.again(begun.parts.len() - 2)
    }),
    ("layerPartBlob/length", "one-byte-short", "a range one byte longer than the part", 0, |begun| {
        begun.next(begun.size()).set("partLastByte", (begun.size() + SMALL).to_string())
    }),
    ("layerPartBlob/length", "one-byte-over", "a range one byte shorter than the part", 0, |begun| {
        begun.next(begun.size()).set("partLastByte", (begun.size() + SMALL - 2).to_string())
    }),
    ("partLastByte/not-before-first", "one-before", "a last byte one before the first", 1, |begun| {
        begun.next(begun.size()).set("partLastByte", (begun.size() - 1).to_string())
    }),
    ("partLastByte/not-before-first", "zero", "a last byte of 0", 1, |begun| {
        begun.next(begun.size()).set("partLastByte", "0")
    }),
    ("uploadId/exists", "unknown", "a part with an upload id that nobody was given", 0, |begun| {
        begun.next(begun.size()).text("uploadId", NO_UPLOAD)
    }),
    ("uploadId/exists", "other-repository", "a part under the name of another repository", 0, |begun| {
        begun.next(begun.size()).text("repositoryName", "${repository:other}")
    }),
];

impl Rejected {
    /// Parts that are rejected: all that do not fit, and one for each rule on the members of a part.
    fn parts(service: Service) -> Vec<Rejected> {
        let misplaced = MISPLACED.into_iter().map(|(rule, variant, title, parts, body)| Rejected {
            rule: RuleId::of(UPLOAD, rule),
            variant: String::from(variant),
            title: String::from(title),
            parts,
            names_upload: true,
            body: Box::new(body),
        });
        let malformed = of_each_rule(service, UPLOAD, Vec::new()).into_iter().map(|violation| Rejected {
            rule: violation.rule.expect("it is one of a rule"),
            variant: violation.variant.clone(),
            title: violation.title.clone(),
            parts: 0,
            names_upload: true,
            body: Box::new(move |begun| violation.apply(begun.next(begun.size()))),
        });
        misplaced.chain(malformed).collect()
    }

    /// Completions that are rejected: one for each rule on the members of a completion, and those of another upload.
    fn completions(service: Service) -> Vec<Rejected> {
        let of_rule = |violation: Violation| Rejected {
            rule: violation.rule.expect("it is one of a rule"),
            variant: violation.variant.clone(),
            title: violation.title.clone(),
            parts: 1,
            names_upload: !violation.changes.iter().any(|(member, _)| matches!(*member, "repositoryName" | "uploadId")),
            body: Box::new(move |_| violation.apply(body::complete(HERE, "upload", &[RIGHT]))),
        };
        let elsewhere =
            |rule: &'static str, variant: &str, title: &str, member: &'static str, text: &'static str| Rejected {
                rule: RuleId::of(COMPLETE, rule),
                variant: String::from(variant),
                title: String::from(title),
                parts: 1,
                names_upload: false,
                body: Box::new(move |_| body::complete(HERE, "upload", &[RIGHT]).text(member, text)),
            };
        let (other, absent) = ("${repository:other}", "${absent}");
        let mut all: Vec<Rejected> =
            of_each_rule(service, COMPLETE, digests::violations()).into_iter().map(of_rule).collect();
        all.extend([
            elsewhere("uploadId/exists", "unknown", "an unknown upload id", "uploadId", NO_UPLOAD),
            elsewhere("uploadId/exists", "other-repository", "another repository", "repositoryName", other),
            elsewhere("repositoryName/exists", "unknown", "an unknown repository", "repositoryName", absent),
        ]);
        all
    }

    /// Its name in the ids of cases.
    fn slug(&self) -> String {
        format!("{}-{}", self.rule.rest().replace('/', "-"), self.variant)
    }

    fn focus(&self, draft: Draft, name: &str, begun: &Begun, operation: Operation) -> Draft {
        // Where there is no part yet, another rule says where one begins.
        let rule = if self.rule == CONTIGUOUS && begun.parts.is_empty() { FROM_ZERO } else { self.rule };
        draft.focus_as(name, rule, operation, (self.body)(begun))
    }
}

/// Of each rule on the members of an operation that a request can only break by being rejected, the first violation.
fn of_each_rule(service: Service, operation: Operation, lists: Vec<Violation>) -> Vec<Violation> {
    let Some(known) = service.contract().operation(operation) else { return Vec::new() };
    let mut first: Vec<Violation> = Vec::new();
    for violation in members::violations(service, known).into_iter().chain(lists) {
        let Some(rule) = violation.rule.and_then(|rule| Rules::of(service).get(rule)) else { continue };
        let is_known = first.iter().any(|known| known.rule == Some(rule.id));
        // What has 20 MiB is tried once, where it is about that.
        let is_large = rule.id.constraint() == Some(Constraint::MaxSize);
        if rule.tier.gates() && !rule.errors.is_empty() && !is_known && !is_large {
            first.push(violation);
        }
    }
    first
}

/// What is rejected before and after the only part changes nothing of the layer.
fn after_rejected_part(service: Service, rejected: &Rejected) -> Case {
    let id = format!("{RESUME}/after-{}", rejected.slug());
    let mut draft = Draft::new(service, id, format!("a layer after {}", rejected.title))
        .own(&["other"])
        .chunk("layer", SMALL)
        .chunk("next", SMALL)
        .initiate("upload");
    let mut begun = Begun::default();
    if rejected.parts == 0 {
        draft = rejected.focus(draft, "rejected-first", &begun, UPLOAD);
        draft = draft.focus_as("part", RESUME, UPLOAD, begun.part("layer", SMALL));
    } else {
        // No inner part may be small, but where an upload is not completed any part may be.
        for number in 1..rejected.parts {
            let name = format!("layer{number}");
            draft = draft.chunk(&name, SMALL).set_up(&format!("part{number}"), UPLOAD, begun.part(&name, SMALL));
        }
        draft = draft.set_up("part", UPLOAD, begun.part("layer", SMALL));
    }
    draft = rejected.focus(draft, "rejected", &begun, UPLOAD);
    if rejected.parts > 1 {
        return draft.focus_as("right", RESUME, UPLOAD, begun.part("next", SMALL)).done();
    }
    draft
        .focus_as("complete", COMPLETED, COMPLETE, body::complete(HERE, "upload", &[RIGHT]))
        .focus_as("look", STORED, Operation::BatchCheckLayerAvailability, body::check(HERE, &[RIGHT]))
        .done()
}

/// All that is rejected, one after the other, between two parts.
fn between_parts(service: Service, all: &[Rejected]) -> Case {
    let title = "every part that is rejected, between two parts of one layer";
    let mut draft = Draft::new(service, format!("{RESUME}/between-parts"), title)
        .own(&["other"])
        .chunk("first", MIN_INNER_PART)
        .chunk("layer", SMALL)
        .chunk("next", SMALL)
        .initiate("upload");
    let mut begun = Begun::default();
    draft = draft.set_up("part", UPLOAD, begun.part("first", MIN_INNER_PART));
    // That the first part comes again has cases of its own, and 5 MiB here.
    let tried = all.iter().filter(|rejected| rejected.parts < 2 && rejected.variant != "last-part-again");
    for rejected in tried {
        draft = rejected.focus(draft, &rejected.slug(), &begun, UPLOAD);
    }
    draft = draft.focus_as("right", RESUME, UPLOAD, begun.part("layer", SMALL));
    finished(draft, &begun)
}

/// Thirty small parts, each of another size, and after each one some that do not fit; at last the completion that rejects
/// small parts.
fn small_parts(service: Service, all: &[Rejected]) -> Case {
    const PARTS: usize = 30;
    const TRIED: usize = 3;
    let title = "thirty small parts, and after each some that do not fit";
    let mut draft = Draft::new(service, format!("{PART_ACCEPTED}/thirty-parts"), title)
        .own(&[])
        .chunk("next", SMALL)
        .initiate("upload");
    let mut begun = Begun::default();
    let misplaced: Vec<&Rejected> = all.iter().filter(|rejected| rejected.rule == CONTIGUOUS).collect();
    for number in 1..=PARTS {
        let (name, size) = (format!("layer{number}"), SMALL + number);
        draft =
            draft.chunk(&name, size).focus_as(&format!("part{number}"), PART_ACCEPTED, UPLOAD, begun.part(&name, size));
        let fitting: Vec<&&Rejected> = misplaced.iter().filter(|rejected| rejected.parts <= number).collect();
        for turn in 0..TRIED {
            let rejected = fitting[(number * TRIED + turn) % fitting.len()];
            draft = rejected.focus(draft, &format!("{}-{number}", rejected.variant), &begun, UPLOAD);
        }
    }
    let digest = begun.digest();
    draft.focus(MIN_SIZE, COMPLETE, body::complete(HERE, "upload", &[digest.as_str()])).probe_absent(&digest).done()
}

/// What is rejected leaves another upload as it was. Whether its own upload survives is open; but a wrong digest is rejected
/// again, and a right one that is accepted is that of all the bytes.
fn after_rejected_completion(service: Service, rejected: &Rejected) -> Case {
    let rule = if rejected.names_upload { AFTER_REJECTED } else { COMPLETED };
    let id = format!("{rule}/after-{}", rejected.slug());
    let draft = Draft::new(service, id, format!("the right completion after {}", rejected.title))
        .own(&["other"])
        .chunk("other", SMALL)
        .uploaded();
    let mut draft = rejected.focus(draft, "rejected", &Begun::default(), COMPLETE);
    if rejected.names_upload {
        draft = wrong_again(draft, "wrong", MATCH, &[ABSENT]);
    }
    draft = draft.focus_as("right", rule, COMPLETE, body::complete(HERE, "upload", &[RIGHT]));
    if rejected.names_upload {
        draft = draft.only_if_accepted();
    }
    draft.focus_as("look", STORED, Operation::BatchCheckLayerAvailability, body::check(HERE, &[RIGHT])).done()
}

/// A completion that must be rejected, of an upload that may have ended by an earlier one.
fn wrong_again(draft: Draft, name: &str, rule: RuleId, digests: &[&str]) -> Draft {
    let draft = draft.focus_as(name, rule, COMPLETE, body::complete(HERE, "upload", digests));
    let ended = ErrorType::find("UploadNotFoundException").map(Outcome::error);
    draft.or_expecting(ended)
}

/// Completions that are rejected for the parts, and what comes after them.
fn other_completions(service: Service) -> Vec<Case> {
    let empty = RuleId::new("CompleteLayerUpload/parts/not-empty");
    let new = RuleId::new("CompleteLayerUpload/layer/new");
    let draft =
        |id: String, title: &str| Draft::new(service, id, title).own(&[]).chunk("layer", SMALL).initiate("upload");
    let wrong = body::complete(HERE, "upload", &[ABSENT]);
    let right = || body::complete(HERE, "upload", &[RIGHT]);
    let look = |draft: Draft, digest: &str| {
        let operation = Operation::BatchCheckLayerAvailability;
        draft.only_if_accepted().focus_as("look", STORED, operation, body::check(HERE, &[digest])).done()
    };
    let filled =
        draft(format!("{AFTER_REJECTED}/after-parts-not-empty"), "the first part after a completion without parts")
            .focus_as("empty", empty, COMPLETE, body::complete(HERE, "upload", &[OF_NOTHING]))
            .focus_as("part", PART_AFTER_REJECTED, UPLOAD, body::part(HERE, "upload", "layer", 0, SMALL))
            .only_if_accepted()
            .focus_as("right", AFTER_REJECTED, COMPLETE, right());
    let first = MIN_INNER_PART;
    let longer = draft(format!("{AFTER_REJECTED}/further-part"), "a further part after a wrong digest")
        .chunk("first", first)
        .part("part", "upload", "first", 0)
        .focus_as("wrong", MATCH, COMPLETE, wrong)
        .focus_as("further", PART_AFTER_REJECTED, UPLOAD, body::part(HERE, "upload", "layer", first, SMALL))
        .only_if_accepted()
        .focus_as("right", AFTER_REJECTED, COMPLETE, body::complete(HERE, "upload", &["${sha256:first+layer}"]));
    let small = draft(format!("{MIN_SIZE}/again"), "an inner part of 32 bytes, completed again")
        .chunk("next", SMALL)
        .part("part", "upload", "layer", 0)
        .part("next-part", "upload", "next", SMALL);
    let both = ["${sha256:layer+next}"];
    let small = small.focus_as("first", MIN_SIZE, COMPLETE, body::complete(HERE, "upload", &both));
    let known = Draft::new(service, format!("{new}/again"), "a layer that is there already, completed again and again")
        .own(&[])
        .chunk("layer", SMALL)
        .initiate("earlier")
        .part("earlier-part", "earlier", "layer", 0)
        .complete("earlier-complete", "earlier", "layer")
        .initiate("upload")
        .part("part", "upload", "layer", 0)
        .focus_as("first", new, COMPLETE, right());
    vec![
        look(filled, RIGHT),
        look(longer, "${sha256:first+layer}"),
        wrong_again(small, "again", MIN_SIZE, &both).probe_absent(both[0]).done(),
        wrong_again(known, "again", new, &[RIGHT]).done(),
    ]
}

/// Parts of many sizes, in numbers and orders that a container client sends and a test rarely does.
fn sizes(service: Service) -> Vec<Case> {
    const MIB: usize = 1 << 20;
    const INNER: usize = MIN_INNER_PART;
    let mut rows = vec![
        row(service, COMPLETED, "last-part-largest", "a last part that is larger than the first", &[INNER, INNER + 1]),
        row(
            service,
            MIN_SIZE,
            "third-5242879-bytes",
            "a third part of 5 MiB less one byte",
            &[INNER, INNER, INNER - 1, SMALL],
        ),
        row(
            service,
            MIN_SIZE,
            "small-after-large",
            "an inner part of 32 bytes after one of 10 MiB",
            &[10 * MIB, SMALL, SMALL + 1],
        ),
        same_bytes(service),
        largest(service),
    ];
    rows.push(many_parts(service));
    rows.into_iter().map(Draft::done).collect()
}

/// So many parts that what is in order with nine may be out of order with ten, and so large that the positions of small
/// numbers do not reach; every fourth time, parts that miss their place by one byte come first.
fn many_parts(service: Service) -> Draft {
    // The larger number of parts needs 145 MiB.
    let inner = if service == Service::Ecr { 29 } else { 11 };
    let (variant, title) = (format!("{}-parts", inner + 1), format!("{} parts of distinct sizes", inner + 1));
    let draft = Draft::new(service, format!("{COMPLETED}/{variant}"), title).own(&[]).chunk("next", SMALL);
    let mut draft = draft.initiate("upload");
    let mut begun = Begun::default();
    for number in 0..=inner {
        if number % 4 == 3 {
            for (word, at) in [("gap", begun.size() + 1), ("overlap", begun.size() - 1)] {
                draft = draft.focus_as(&format!("{word}{number}"), CONTIGUOUS, UPLOAD, begun.next(at));
            }
        }
        let (name, size) = (format!("layer{number}"), if number == inner { 1 } else { MIN_INNER_PART + number });
        let rule = if number % 4 == 3 { RESUME } else { PART_ACCEPTED };
        draft = draft.chunk(&name, size).focus_as(&format!("part{number}"), rule, UPLOAD, begun.part(&name, size));
    }
    completed(draft, &begun).last()
}

/// The parts of a layer in order, completed with the digest of them all.
fn row(service: Service, rule: RuleId, variant: &str, title: &str, sizes: &[usize]) -> Draft {
    let mut draft = Draft::new(service, format!("{rule}/{variant}"), title).own(&[]).initiate("upload");
    let mut begun = Begun::default();
    for (index, size) in sizes.iter().enumerate() {
        let (name, step) = (format!("layer{}", index + 1), format!("part{}", index + 1));
        draft = draft.chunk(&name, *size).focus_as(&step, PART_ACCEPTED, UPLOAD, begun.part(&name, *size));
    }
    let digest = begun.digest();
    let draft = draft.focus_as("complete", rule, COMPLETE, body::complete(HERE, "upload", &[digest.as_str()]));
    if rule == MIN_SIZE { draft.probe_absent(&digest) } else { look(draft, &digest) }
}

/// Parts of the same bytes at several places.
fn same_bytes(service: Service) -> Draft {
    let title = "two parts of the same bytes, and a third";
    let mut draft = Draft::new(service, format!("{COMPLETED}/same-bytes-twice"), title)
        .own(&[])
        .chunk("first", MIN_INNER_PART)
        .chunk("layer", SMALL)
        .initiate("upload");
    let mut begun = Begun::default();
    for (step, chunk, size) in
        [("one", "first", MIN_INNER_PART), ("two", "first", MIN_INNER_PART), ("three", "layer", SMALL)]
    {
        draft = draft.focus_as(step, PART_ACCEPTED, UPLOAD, begun.part(chunk, size));
    }
    completed(draft, &begun)
}

/// The largest part that the API reference allows; the quota table does not.
fn largest(service: Service) -> Draft {
    let rule = RuleId::new("UploadLayerPart/layerPartBlob/above-10-MiB");
    const LARGEST: usize = 20 << 20;
    let draft = Draft::new(service, format!("{rule}/completed"), "a layer of one part of 20 MiB")
        .own(&[])
        .chunk("layer", LARGEST)
        .initiate("upload");
    let mut begun = Begun::default();
    let draft = draft.focus_as("part", rule, UPLOAD, begun.part("layer", LARGEST)).only_if_accepted();
    completed(draft, &begun)
}

/// The upload completed with the digest of all its parts, and its layer looked at.
fn completed(draft: Draft, begun: &Begun) -> Draft {
    let digest = begun.digest();
    look(draft.focus_as("complete", COMPLETED, COMPLETE, body::complete(HERE, "upload", &[digest.as_str()])), &digest)
}

fn finished(draft: Draft, begun: &Begun) -> Case {
    completed(draft, begun).done()
}

fn look(draft: Draft, digest: &str) -> Draft {
    draft.focus_as("look", STORED, Operation::BatchCheckLayerAvailability, body::check(HERE, &[digest]))
}
