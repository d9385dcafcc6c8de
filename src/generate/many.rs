//! Many of a kind: uploads that are open at once, repositories, digests in a list, calls in a row.

use std::sync::LazyLock;

use bytes::Bytes;

use super::digests::wrong;
use crate::case::Case;
use crate::case::StepRole;
use crate::case::body::{Body, quote};
use crate::case::draft::{Draft, HERE, SMALL};
use crate::contract::{Operation, RuleId, Service};
use crate::model::operation::body;
use crate::template::{Part, Reference, Template};

const INITIATE: Operation = Operation::InitiateLayerUpload;
const UPLOAD: Operation = Operation::UploadLayerPart;
const COMPLETE: Operation = Operation::CompleteLayerUpload;
const CHECK: Operation = Operation::BatchCheckLayerAvailability;

const OWN_ID: RuleId = RuleId::new("InitiateLayerUpload/uploadId/own");
const PART: RuleId = RuleId::new("UploadLayerPart/uploadId/side-by-side");
const ACCEPTED: RuleId = RuleId::new("CompleteLayerUpload/accepted");
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

    /// Of the completions of a case, one is what it is about: the others expect the same, and a snapshot need not say so
    /// hundreds of times.
    fn complete(&self, draft: Draft, role: StepRole, rule: RuleId, digests: &[Item]) -> Draft {
        let body = with_list(&body::complete::<&str>(&self.repository, &self.step(), &[]), digests);
        let name = format!("complete{}", self.number);
        draft.step_with(&name, COMPLETE, body, role, rule).pinning("layerDigest", &self.digest())
    }
}

/// An item of a list of digests.
#[derive(Clone, Copy, Debug)]
enum Item {
    /// The digest of the layer with this number.
    Layer(usize),
    /// The digest with this number of no layer.
    Absent(usize),
    /// A malformed one.
    Text(&'static str),
}

/// The body of a call whose list of digests is empty, with a list.
///
/// All lists together have a megabyte, and are drafted whenever somebody asks which cases there are: so they are put
/// together from what is known, and not read again.
fn with_list(body: &Body, digests: &[Item]) -> Template {
    static ABSENT: LazyLock<Vec<String>> =
        LazyLock::new(|| (0..MAX_ITEMS).map(|number| quote(&wrong(number))).collect());
    let text = body.to_string();
    let head = text.strip_suffix("]}").expect("the list is the last member, and empty");
    let mut parts: Vec<Part> = Template::lenient(head).parts().to_vec();
    let mut text = String::new();
    for (place, item) in digests.iter().enumerate() {
        text += if place == 0 { "" } else { "," };
        match item {
            Item::Absent(number) => text += &ABSENT[*number],
            Item::Text(malformed) => text += &quote(malformed),
            Item::Layer(number) => {
                text.push('"');
                parts.push(Part::Text(Bytes::from(std::mem::take(&mut text))));
                parts.push(Part::Reference(Reference::sha256(format!("layer{number}").as_str())));
                text.push('"');
            }
        }
    }
    text += "]}";
    parts.push(Part::Text(Bytes::from(text)));
    parts.into_iter().collect()
}

/// BatchCheckLayerAvailability of a list.
fn look(draft: Draft, name: &str, rule: RuleId, repository: &str, digests: &[Item]) -> Draft {
    let body = with_list(&body::check::<&str>(repository, &[]), digests);
    draft.step_with(name, CHECK, body, StepRole::Focus, rule)
}

/// Begins all uploads, sends their parts, and completes them, each in an order of its own. Half of the uploads get their
/// part before further ones are begun, the others after.
fn interleaved(mut draft: Draft, uploads: &[Upload]) -> Draft {
    let at_once = |upload: &&Upload| upload.number.is_multiple_of(2);
    for upload in strided(uploads, 7) {
        draft = upload.begin(draft);
        if at_once(&upload) {
            draft = upload.part(draft);
        }
    }
    for upload in strided(uploads, 11).filter(|upload| !at_once(upload)) {
        draft = upload.part(draft);
    }
    for upload in strided(uploads, 13) {
        let role = if upload.number == 1 { StepRole::Focus } else { StepRole::SetUp };
        draft = upload.complete(draft, role, COMPLETION, &[Item::Layer(upload.number)]);
    }
    draft
}

/// All items, in steps of a prime that does not divide their number.
fn strided<T>(items: &[T], stride: usize) -> impl Iterator<Item = &T> {
    (0..items.len()).map(move |index| &items[index * stride % items.len()])
}

/// More uploads than 8 bits count, open at once in one repository: some thousand calls in a row.
fn uploads_of_a_repository(service: Service) -> Case {
    const UPLOADS: usize = 334;
    let title = format!("{UPLOADS} uploads of one repository, begun, sent and completed in three orders");
    let draft = Draft::new(service, format!("{COMPLETION}/{UPLOADS}-uploads"), title).own(&[]);
    let uploads: Vec<Upload> = (1..=UPLOADS).map(|number| Upload { repository: String::from(HERE), number }).collect();
    // What was stored first must still be there at the end.
    let some: Vec<Item> = (1..=UPLOADS).step_by(UPLOADS / 12).map(Item::Layer).collect();
    look(interleaved(draft, &uploads), "look", STORED, HERE, &some).done()
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
    let all: Vec<Item> = (1..=REPOSITORIES).map(Item::Layer).collect();
    for upload in &uploads {
        draft = look(draft, &format!("look{}", upload.number), per_repository, &upload.repository, &all);
    }
    draft.done()
}

/// Completions with lists of every length, with the right digest at some place of each: of every second list, where a server
/// that takes so many at a time begins or ends.
fn completed_lists(service: Service) -> Case {
    const PAGES: [usize; 16] = [0, 7, 8, 9, 10, 15, 16, 24, 25, 31, 32, 49, 50, 63, 64, 99];
    let title = "lists of every length with one right digest, at many places";
    let mut draft = Draft::new(service, format!("{ANY_MATCH}/every-length"), title).own(&[]);
    for length in 1..=MAX_ITEMS {
        let upload = Upload { repository: String::from(HERE), number: length };
        draft = upload.part(upload.begin(draft));
        let pages: Vec<usize> = PAGES.into_iter().filter(|place| *place < length).collect();
        let right = if length.is_multiple_of(2) { pages[length / 2 % pages.len()] } else { 4649 % length };
        let item = |place: usize| if place == right { Item::Layer(length) } else { Item::Absent(place) };
        let digests: Vec<Item> = (0..length).map(item).collect();
        let rule = if length == 1 { ACCEPTED } else { ANY_MATCH };
        let role = if length == MAX_ITEMS { StepRole::Focus } else { StepRole::SetUp };
        draft = upload.complete(draft, role, rule, &digests);
    }
    look(draft, "look", STORED, HERE, &[Item::Layer(1), Item::Layer(MAX_ITEMS)]).done()
}

/// How many layers are stored where lists are looked up.
const LAYERS: usize = 4;

/// A repository with some layers of distinct sizes.
fn with_layers(mut draft: Draft) -> Draft {
    for number in 1..=LAYERS {
        let upload = Upload { repository: String::from(HERE), number };
        draft = upload.part(upload.begin(draft));
        draft = upload.complete(draft, StepRole::SetUp, ACCEPTED, &[Item::Layer(number)]);
    }
    draft
}

/// A list of this length in which some layers are stored, at its ends and between them. Every fifth has digests twice at its
/// beginning, so that what follows has another place than it would have alone; every other fifth at its end.
fn mixed(length: usize) -> Vec<Item> {
    let mut digests: Vec<Item> = (0..length).map(Item::Absent).collect();
    for (number, place) in [(4, length / 3), (3, length * 7 / 10), (2, 0), (1, length - 1)] {
        digests[place] = Item::Layer(number);
    }
    match length % 5 {
        0 => {
            digests[1] = Item::Layer(2);
            digests[3] = digests[2];
        }
        1 => {
            digests[1] = Item::Layer(1);
            digests[length - 2] = digests[2];
        }
        _ => {}
    }
    digests
}

/// Lists of every length, of layers that are there and that are not.
fn looked_up_lists(service: Service) -> Case {
    let title = "lists of every length, with stored, absent and repeated layers";
    let mut draft = with_layers(Draft::new(service, format!("{EACH}/every-length"), title).own(&[]));
    for length in 2..=MAX_ITEMS {
        draft = look(draft, &format!("look{length}"), EACH, HERE, &mixed(length));
    }
    draft.done()
}

/// The same with a malformed digest at every kind of place. Whether that is rejected is open, and nothing else.
fn looked_up_with_malformed(service: Service) -> Vec<Case> {
    let rule = RuleId::of(CHECK, "layerDigests/malformed");
    let malformed = [
        ("no-colon", "a digest without a colon", "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f"),
        ("empty", "an empty string", ""),
        ("non-hex", "a digest that is not hex", "sha256:xyz"),
    ];
    let case = |(variant, title, text): (&str, &str, &'static str)| {
        let title = format!("{title} at many places among others");
        let mut draft = with_layers(Draft::new(service, format!("{rule}/{variant}-among-others"), title).own(&[]));
        for length in [2, 3, 10, 51] {
            for (word, place) in [("first", 0), ("middle", length / 2), ("last", length - 1)] {
                if place + 1 == length && word == "middle" {
                    continue; // Of two, the second is the last.
                }
                let mut items = mixed(length);
                items[place] = Item::Text(text);
                draft = look(draft, &format!("{word}-of-{length}"), rule, HERE, &items);
            }
        }
        draft.done()
    };
    malformed.into_iter().map(case).collect()
}
