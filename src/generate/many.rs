//! Many of a kind: uploads that are open at once, repositories, digests in a list, calls in a row.

use super::digests::wrong;
use crate::case::Case;
use crate::case::StepRole;
use crate::case::body::quote;
use crate::case::draft::{Draft, HERE, SMALL};
use crate::contract::{Operation, RuleId, Service};
use crate::model::operation::body;

const INITIATE: Operation = Operation::InitiateLayerUpload;
const UPLOAD: Operation = Operation::UploadLayerPart;
const COMPLETE: Operation = Operation::CompleteLayerUpload;
const CHECK: Operation = Operation::BatchCheckLayerAvailability;

const OWN_ID: RuleId = RuleId::new("InitiateLayerUpload/uploadId/own");
const PART: RuleId = RuleId::new("UploadLayerPart/uploadId/side-by-side");
const COMPLETION: RuleId = RuleId::new("CompleteLayerUpload/uploadId/side-by-side");
const ANY_MATCH: RuleId = RuleId::new("CompleteLayerUpload/layerDigests/any-match");
const STORED: RuleId = RuleId::new("BatchCheckLayerAvailability/layers/stored");
const EACH: RuleId = RuleId::new("BatchCheckLayerAvailability/layers/each");

/// How many items a list of digests has at most.
const MAX_ITEMS: usize = 100;

/// The cases about many of a kind.
pub fn cases(service: Service) -> Vec<Case> {
    let mut cases = vec![
        uploads_of_a_repository(service),
        uploads_of_repositories(service),
        completed_lists(service),
        looked_up_lists(service),
    ];
    cases.extend(looked_up_with_malformed(service));
    cases
}

/// An upload among many.
struct Upload {
    /// The repository that it is in.
    repository: String,
    number: usize,
}

impl Upload {
    fn chunk(&self) -> String {
        format!("layer{}", self.number)
    }

    fn step(&self) -> String {
        format!("upload{}", self.number)
    }

    fn digest(&self) -> String {
        format!("${{sha256:{}}}", self.chunk())
    }

    /// Each has another size than its neighbours, so that a mistaken one shows.
    fn size(&self) -> usize {
        SMALL + self.number % 11
    }

    fn begin(&self, draft: Draft) -> Draft {
        let body = body::repository(&self.repository);
        draft.chunk(&self.chunk(), self.size()).step(&self.step(), INITIATE, body, StepRole::SetUp, OWN_ID)
    }

    fn part(&self, draft: Draft) -> Draft {
        let body = body::part(&self.repository, &self.step(), &self.chunk(), 0, self.size());
        draft.step(&format!("part{}", self.number), UPLOAD, body, StepRole::SetUp, PART)
    }

    fn complete<T: AsRef<str>>(&self, draft: Draft, rule: RuleId, digests: &[T]) -> Draft {
        let body = body::complete(&self.repository, &self.step(), digests);
        let name = format!("complete{}", self.number);
        draft.step(&name, COMPLETE, body, StepRole::SetUp, rule).pinning("layerDigest", &self.digest())
    }
}

/// Begins all uploads, then sends their parts, then completes them, each in an order of its own.
fn interleaved(mut draft: Draft, uploads: &[Upload]) -> Draft {
    for upload in strided(uploads, 7) {
        draft = upload.begin(draft);
    }
    for upload in strided(uploads, 11) {
        draft = upload.part(draft);
    }
    for upload in strided(uploads, 13) {
        draft = upload.complete(draft, COMPLETION, &[upload.digest()]);
    }
    draft
}

/// All items, in steps of a prime that does not divide their number.
fn strided<T>(items: &[T], stride: usize) -> impl Iterator<Item = &T> {
    (0..items.len()).map(move |index| &items[index * stride % items.len()])
}

/// More uploads than 8 bits count, open at once in one repository: some thousand calls in a row.
fn uploads_of_a_repository(service: Service) -> Case {
    const UPLOADS: usize = 300;
    let title = format!("{UPLOADS} uploads of one repository, begun, sent and completed in three orders");
    let draft = Draft::new(service, format!("{COMPLETION}/{UPLOADS}-uploads"), title).own(&[]);
    let uploads: Vec<Upload> = (1..=UPLOADS).map(|number| Upload { repository: String::from(HERE), number }).collect();
    let mut draft = interleaved(draft, &uploads);
    // What was stored first must still be there at the end.
    let some: Vec<String> = uploads.iter().step_by(UPLOADS / 12).map(Upload::digest).collect();
    draft = draft.focus(STORED, CHECK, body::check(HERE, &some));
    draft.done()
}

/// An upload in each of many repositories; each sees its own layer alone.
fn uploads_of_repositories(service: Service) -> Case {
    const REPOSITORIES: usize = 24;
    let per_repository = RuleId::new("BatchCheckLayerAvailability/layers/per-repository");
    let names: Vec<String> = (1..=REPOSITORIES).map(|number| format!("r{number}")).collect();
    let further: Vec<&str> = names.iter().map(String::as_str).collect();
    let title = format!("{REPOSITORIES} repositories with an upload each, begun, sent and completed in three orders");
    let id = format!("{per_repository}/{REPOSITORIES}-repositories");
    let repository = |name: &String| format!("${{repository:{name}}}");
    let uploads: Vec<Upload> = names
        .iter()
        .enumerate()
        .map(|(index, name)| Upload { repository: repository(name), number: index + 1 })
        .collect();
    let mut draft = interleaved(Draft::new(service, id, title).own(&further), &uploads);
    let all: Vec<String> = uploads.iter().map(Upload::digest).collect();
    for upload in &uploads {
        let name = format!("look{}", upload.number);
        draft = draft.focus_as(&name, per_repository, CHECK, body::check(&upload.repository, &all));
    }
    draft.done()
}

/// Completions with lists of every length, and with the right digest at the ends of what a server may take at a time.
fn completed_lists(service: Service) -> Case {
    const PLACES: [usize; 13] = [7, 8, 9, 10, 15, 16, 24, 25, 31, 32, 50, 63, 64];
    let title = "lists of every length with one right digest, and that at the ends of pages of a list of 100";
    let mut draft = Draft::new(service, format!("{ANY_MATCH}/every-length"), title).own(&[]);
    let lengths = (1..=MAX_ITEMS).map(|length| (length, 4649 % length));
    let pages = PLACES.into_iter().map(|place| (MAX_ITEMS, place));
    for (index, (length, place)) in lengths.chain(pages).enumerate() {
        let upload = Upload { repository: String::from(HERE), number: index + 1 };
        draft = upload.part(upload.begin(draft));
        let digests: Vec<String> =
            (0..length).map(|index| if index == place { upload.digest() } else { wrong(index) }).collect();
        let rule = if length == 1 { RuleId::new("CompleteLayerUpload/accepted") } else { ANY_MATCH };
        draft = upload.complete(draft, rule, &digests);
    }
    draft.focus(STORED, CHECK, body::check(HERE, &["${sha256:layer1}", "${sha256:layer100}"])).done()
}

/// How many layers are stored where lists are looked up.
const LAYERS: usize = 4;

/// A repository with some layers of distinct sizes.
fn with_layers(mut draft: Draft) -> Draft {
    for number in 1..=LAYERS {
        let upload = Upload { repository: String::from(HERE), number };
        draft = upload.part(upload.begin(draft));
        draft = upload.complete(draft, RuleId::new("CompleteLayerUpload/accepted"), &[upload.digest()]);
    }
    draft
}

/// A list of this length in which some layers are stored, at its ends and between them; of every fifth length, two digests
/// are there twice.
fn mixed(length: usize) -> Vec<String> {
    let mut digests: Vec<String> = (0..length).map(wrong).collect();
    let stored = |number: usize| format!("${{sha256:layer{number}}}");
    for (number, place) in [(4, length / 3), (3, length * 7 / 10), (2, 0), (1, length - 1)] {
        digests[place] = stored(number);
    }
    if length.is_multiple_of(5) {
        digests[1] = stored(1);
        digests[length - 2] = wrong(2);
    }
    digests
}

/// Lists of every length, of layers that are there and that are not.
fn looked_up_lists(service: Service) -> Case {
    let title = "lists of every length, with stored, absent and repeated layers";
    let mut draft = with_layers(Draft::new(service, format!("{EACH}/every-length"), title).own(&[]));
    for length in 2..=MAX_ITEMS {
        draft = draft.focus_as(&format!("look{length}"), EACH, CHECK, body::check(HERE, &mixed(length)));
    }
    draft.done()
}

/// The same with a malformed digest at every kind of place. Whether that is rejected is open, and nothing else.
fn looked_up_with_malformed(service: Service) -> Vec<Case> {
    let rule = RuleId::of(CHECK, "layerDigests/malformed");
    let malformed = [
        ("no-colon", "a digest without a colon", "0f".repeat(32)),
        ("empty", "an empty string", String::new()),
        ("non-hex", "a digest that is not hex", String::from("sha256:xyz")),
    ];
    let case = |(variant, title, text): (&str, &str, String)| {
        let title = format!("{title} at many places among others");
        let mut draft = with_layers(Draft::new(service, format!("{rule}/{variant}-among-others"), title).own(&[]));
        for length in [2, 3, 10, 51, MAX_ITEMS] {
            for (word, place) in [("first", 0), ("middle", length / 2), ("last", length - 1)] {
                if place + 1 == length && word == "middle" {
                    continue; // Of two, the second is the last.
                }
                let mut items: Vec<String> = mixed(length).iter().map(|digest| quote(digest)).collect();
                items[place] = quote(&text);
                let list = format!("[{}]", items.join(","));
                let body = body::check(HERE, &[""]).set("layerDigests", list);
                draft = draft.focus_as(&format!("{word}-of-{length}"), rule, CHECK, body);
            }
        }
        draft.done()
    };
    malformed.into_iter().map(case).collect()
}
