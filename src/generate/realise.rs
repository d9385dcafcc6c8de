//! A plan becomes a case: decisions are taken as far as the state of the sequence allows, values are derived from them.

use std::sync::LazyLock;

use super::follow::{Answered, Follower, Readings};
use super::values::Violation;
use super::violations::{Planned, Stateful, Violations, drawn};
use crate::case::bindings::of_digest;
use crate::case::draft::{NO_UPLOAD, OF_NOTHING, SMALL};
use crate::case::{Case, CaseKind, Chunk, Decision, Place, Plan, Step, StepRole, Transcript, allowed};
use crate::contract::{Effect, ErrorType, Operation, RuleId, Service, Tier};
use crate::expect::Outcome;
use crate::model::operation::Facts;
use crate::model::operation::body::{self, Body};
use crate::model::registry::{ACCOUNT, MIN_INNER_PART};
use crate::template::{Chunks, Member, Part, Reference, Template};
use crate::wire::envelope;

/// The case of a plan. Pure: the same version, service and plan give the same case.
///
/// Its expectations are those for a target that does what the reference registry does; [`follow`] gives those for the
/// target at hand. A decision that means nothing in its place, such as to remove what is not there, gives no call.
pub fn realise(service: Service, plan: &Plan) -> Case {
    Unfolding::of(service, plan).case
}

/// The case of three calls: an upload is begun, has one part, and is then called so. [`realise`] of that plan; what comes
/// before the last call is worked out once.
pub fn completion(service: Service, last: &Decision) -> Case {
    static UPLOADED: LazyLock<[(Unfolding, Follower); 2]> = LazyLock::new(|| {
        Service::ALL.map(|service| {
            let (mut unfolding, mut follower) = Unfolding::start(service);
            for operation in [Operation::InitiateLayerUpload, Operation::UploadLayerPart] {
                unfolding.take(&Decision::plain(operation), &mut follower);
            }
            (unfolding, follower)
        })
    });
    let (mut unfolding, mut follower) = UPLOADED[service as usize].clone();
    unfolding.take(last, &mut follower);
    unfolding.finish().case
}

/// The case with what it expects of a target that answered so: where the documents leave two ways, it goes on from what
/// the target did. Cases without a plan expect what they expect.
pub fn follow(case: &Case, transcript: &Transcript) -> Case {
    let Some(plan) = &case.plan else { return case.clone() };
    let unfolding = Unfolding::of(case.service, plan);
    let mut follower = unfolding.follower();
    let mut followed = Case { id: case.id.clone(), kind: case.kind, title: case.title.clone(), ..unfolding.case };
    followed.about.clone_from(&case.about);
    let steps = followed.steps.iter_mut().zip(&unfolding.readings);
    for ((step, readings), exchange) in steps.zip(&transcript.exchanges) {
        match Answered::of(exchange) {
            Some(answered) => follower.step(step, readings, Some(&answered)),
            None => follower.step(step, readings, None),
        };
    }
    followed
}

/// The followed case as one that stands by itself: where a step is open, it goes on only from what was answered here, for
/// all that comes later rests on that.
pub fn settled(case: &Case, transcript: &Transcript) -> Case {
    let mut settled = follow(case, transcript);
    let count = settled.steps.len();
    for (index, (step, exchange)) in settled.steps.iter_mut().zip(&transcript.exchanges).enumerate() {
        if step.expect.tier == Tier::Open && index + 1 < count {
            step.only_if = match Answered::of(exchange) {
                Some(Answered::Accepted) => vec![Outcome::success()],
                Some(Answered::Rejected(Some(name))) => {
                    ErrorType::find(&name).map(Outcome::error).into_iter().collect()
                }
                _ => Vec::new(),
            };
        }
    }
    settled.plan = None;
    settled.kind = CaseKind::UserScenario;
    settled
}

/// The repository beside the one of the case.
const OTHER: &str = "other";

/// A sequence in the making.
#[derive(Clone)]
struct Unfolding {
    case: Case,
    readings: Vec<Readings>,
    uploads: Vec<Upload>,
    /// The contents that were sent, by their chunks, in order.
    contents: Vec<Vec<String>>,
    /// Whether the repository of the case is there, and the other one.
    exists: [bool; 2],
    /// The decisions as they were taken: without those that gave no call, and violations that changed nothing.
    taken: Plan,
}

/// An upload of the sequence, as far as the next request depends on it.
#[derive(Clone, Debug)]
struct Upload {
    /// The step whose answer has its id.
    step: String,
    /// Index of its repository.
    repository: usize,
    /// Its chunks with their lengths.
    parts: Vec<(String, usize)>,
    life: Life,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Life {
    Open,
    Completed,
    RepositoryDeleted,
}

impl Upload {
    fn size(&self) -> usize {
        self.parts.iter().map(|(_, len)| len).sum()
    }

    fn content(&self) -> Vec<String> {
        self.parts.iter().map(|(chunk, _)| chunk.clone()).collect()
    }

    /// Whether an inner part is too small to be completed.
    fn is_too_small(&self) -> bool {
        self.parts.split_last().is_some_and(|(_, inner)| inner.iter().any(|(_, len)| *len < MIN_INNER_PART))
    }
}

impl Unfolding {
    fn of(service: Service, plan: &Plan) -> Unfolding {
        let (mut unfolding, mut follower) = Unfolding::start(service);
        for decision in plan.decisions.iter().take(Plan::MAX_CALLS) {
            unfolding.take(decision, &mut follower);
        }
        unfolding.finish()
    }

    /// Before the first call. Requests depend on what came before, and so on what the reference registry says of it.
    fn start(service: Service) -> (Unfolding, Follower) {
        let unfolding = Unfolding {
            case: Case {
                id: String::new(),
                kind: CaseKind::Plan,
                service,
                title: String::from("a random sequence"),
                about: String::new(),
                place: Place::Own(Vec::new()),
                chunks: Vec::new(),
                steps: Vec::new(),
                last: false,
                rounds: 1,
                plan: None,
            },
            readings: Vec::new(),
            uploads: Vec::new(),
            contents: Vec::new(),
            exists: [true, true],
            taken: Plan::default(),
        };
        let follower = unfolding.follower();
        (unfolding, follower)
    }

    /// After the last call.
    fn finish(mut self) -> Unfolding {
        self.case.id = super::plan::id(self.case.service, &self.taken);
        self.case.plan = Some(self.taken.clone());
        if self.case.steps.iter().any(|step| names_other(&step.request.body)) {
            self.case.place = Place::Own(vec![String::from(OTHER)]);
        }
        self
    }

    /// A follower for the whole case.
    fn follower(&self) -> Follower {
        Follower::new(self.case.service, &self.case.chunks, &[OTHER])
    }

    fn take(&mut self, decision: &Decision, follower: &mut Follower) {
        let service = self.case.service;
        let operation = match decision.operation {
            operation if self.is_about_another(decision) => operation,
            // A sequence begins with what makes the rest possible.
            Operation::UploadLayerPart | Operation::CompleteLayerUpload if !self.uploads.iter().any(is_open) => {
                Operation::InitiateLayerUpload
            }
            Operation::CompleteLayerUpload if !self.uploads.iter().any(has_parts) => Operation::UploadLayerPart,
            Operation::GetDownloadUrlForLayer if service == Service::EcrPublic => {
                Operation::BatchCheckLayerAvailability
            }
            other => other,
        };
        match operation {
            operation if operation.manages_repositories() => self.manage(operation, decision, follower),
            operation => self.call(operation, decision, follower),
        }
    }

    /// Whether what is wrong with a call is the upload that it names, and there is one: then it needs no other.
    fn is_about_another(&self, decision: &Decision) -> bool {
        let chosen = Violations::of(self.case.service, decision.operation).chosen(&decision.violations);
        chosen.iter().any(|(_, planned)| match planned {
            Planned::Stateful(_, stateful) => !self.others(decision.operation, stateful).is_empty(),
            _ => false,
        })
    }

    /// A call that removes a repository, or makes one again.
    fn manage(&mut self, operation: Operation, decision: &Decision, follower: &mut Follower) {
        let wanted = operation.effect() == Effect::RemovesRepository;
        let Some(repository) = self.choose_repository(decision, |exists| exists == wanted) else { return };
        let body = match wanted {
            true => body::repository(&reference(repository).written()).set("force", "true"),
            false => body::repository(&reference(repository).written()),
        };
        let readings = Readings {
            valid: body.template(),
            accepting: RuleId::of_survey(operation),
            alone: Vec::new(),
            elsewhere: false,
        };
        self.taken.decisions.push(Decision { operation, violations: Vec::new(), ..decision.clone() });
        if self.push(operation, StepRole::SetUp, &body, readings, follower) {
            self.exists[repository] = !wanted;
            for upload in self.uploads.iter_mut().filter(|upload| upload.repository == repository) {
                upload.life = Life::RepositoryDeleted;
            }
        }
    }

    /// A call of the layer-upload API.
    fn call(&mut self, operation: Operation, decision: &Decision, follower: &mut Follower) {
        let mut subject = self.subject(operation, decision);
        let chosen = match operation == decision.operation {
            true => Violations::of(self.case.service, operation).chosen(&decision.violations),
            false => Vec::new(),
        };
        // Those that are about another upload say which, before the rest is derived from it.
        let mut taken = Decision { operation, violations: Vec::new(), ..decision.clone() };
        for (number, planned) in &chosen {
            if let Planned::Stateful(_, stateful) = planned
                && self.retarget(operation, stateful, decision, &mut subject)
            {
                taken.violations.push(*number);
            }
        }
        let Some((valid, accepting)) = self.valid(operation, decision, &subject, follower) else { return };
        let mut alone: Vec<(Option<RuleId>, Template)> = Vec::new();
        let mut both = valid.clone();
        let mut elsewhere = false;
        let mut changed: Vec<&str> = Vec::new();
        for (number, planned) in &chosen {
            let Some(violation) = self.violation(operation, planned, decision, &subject, &valid) else { continue };
            // Two violations of one member would be one.
            if violation.changes.iter().any(|(member, _)| changed.contains(member)) {
                continue;
            }
            taken.violations.push(*number);
            changed.extend(violation.changes.iter().map(|(member, _)| *member));
            elsewhere |= violation.changes.iter().any(|(member, _)| matches!(*member, "repositoryName" | "uploadId"));
            alone.push((violation.rule, violation.apply(valid.clone()).template()));
            both = violation.apply(both);
        }
        let made = (operation.effect(), alone.is_empty(), subject.upload);
        let readings = Readings { valid: valid.template(), accepting, alone, elsewhere };
        let name = self.next_name(operation);
        self.taken.decisions.push(taken);
        let accepted = self.push(operation, StepRole::Focus, &both, readings, follower);
        if !accepted {
            return;
        }
        match made {
            (Effect::BeginsUpload, true, _) => self.uploads.push(Upload {
                step: name,
                repository: subject.repository,
                parts: Vec::new(),
                life: Life::Open,
            }),
            (Effect::AddsPart, _, Some(index)) => {
                let upload = &mut self.uploads[index];
                upload.parts.push((subject.chunk, subject.len));
                self.contents.push(upload.content());
            }
            (Effect::CompletesUpload, _, Some(index)) => self.uploads[index].life = Life::Completed,
            (Effect::BeginsUpload, false, _)
            | (Effect::AddsPart | Effect::CompletesUpload, _, None)
            | (Effect::Reads | Effect::ReferencesLayers, ..)
            | (Effect::MakesRepository | Effect::RemovesRepository, ..) => {}
        }
    }

    /// What the valid request is about.
    fn subject(&self, operation: Operation, decision: &Decision) -> Subject {
        let [_, which, size, _, reuse, ..] = decision.entropy;
        let mut subject = Subject { upload: None, repository: 0, chunk: String::new(), len: 0 };
        match operation {
            Operation::UploadLayerPart | Operation::CompleteLayerUpload => {
                let mut open: Vec<usize> =
                    (0..self.uploads.len()).filter(|index| is_open(&self.uploads[*index])).collect();
                open.reverse(); // The youngest is the plainest.
                match operation {
                    // One without parts is chosen by a violation alone.
                    Operation::CompleteLayerUpload => {
                        open.retain(|index| has_parts(&self.uploads[*index]));
                        open.sort_by_key(|index| self.uploads[*index].is_too_small());
                    }
                    // A second part makes the first one too small.
                    _ => open.sort_by_key(|index| has_parts(&self.uploads[*index])),
                }
                subject.upload = rarely(&open, which).copied();
                subject.repository = subject.upload.map_or(0, |index| self.uploads[index].repository);
            }
            _ => subject.repository = self.choose_repository(decision, |exists| exists).unwrap_or_default(),
        }
        if operation == Operation::UploadLayerPart {
            let chunks = || self.case.chunks.iter().filter(|chunk| chunk.name != "other");
            // The bytes of a layer that is there already, sooner than any others.
            let mut again: Vec<&Chunk> = chunks().collect();
            again.sort_by_key(|chunk| !self.is_layer(subject.repository, &chunk.name));
            subject.len = length(size);
            subject.chunk = format!("layer{}", again.len() + 1);
            if let Some(known) = rarely(&again, reuse.saturating_sub(96)).filter(|_| reuse >= 96) {
                subject.chunk.clone_from(&known.name);
                subject.len = known.bytes();
            }
        }
        subject
    }

    /// Whether a chunk by itself is a layer of a repository.
    fn is_layer(&self, repository: usize, chunk: &str) -> bool {
        let mut completed = self.uploads.iter().filter(|upload| upload.life == Life::Completed);
        completed.any(|upload| upload.repository == repository && upload.content() == [chunk])
    }

    /// Turns the subject to another upload, where that is what is wrong; whether there is one.
    fn retarget(&self, operation: Operation, stateful: &Stateful, decision: &Decision, subject: &mut Subject) -> bool {
        let others = self.others(operation, stateful);
        let Some(index) = rarely(&others, decision.entropy[1]).copied() else { return false };
        subject.upload = Some(index);
        subject.repository = self.uploads[index].repository;
        true
    }

    /// The uploads of which that is true, the youngest first.
    fn others(&self, operation: Operation, stateful: &Stateful) -> Vec<usize> {
        let is_meant = |upload: &Upload| match stateful {
            Stateful::Completed => upload.life == Life::Completed,
            // A completion of nothing is wrong in another way.
            Stateful::RepositoryDeleted => {
                upload.life == Life::RepositoryDeleted
                    && (operation != Operation::CompleteLayerUpload || !upload.parts.is_empty())
            }
            Stateful::NoParts => is_open(upload) && upload.parts.is_empty(),
            _ => false,
        };
        (0..self.uploads.len()).rev().filter(|index| is_meant(&self.uploads[*index])).collect()
    }

    /// A valid request about the subject, and the rule that it answers to; `None` where there is nothing that it could be
    /// about.
    fn valid(
        &mut self,
        operation: Operation,
        decision: &Decision,
        subject: &Subject,
        follower: &mut Follower,
    ) -> Option<(Body, RuleId)> {
        let here = reference(subject.repository).written();
        let here = here.as_str();
        let upload = subject.upload.map(|index| self.uploads[index].clone());
        let mut accepting = RuleId::of(operation, "accepted");
        let valid = match operation {
            Operation::InitiateLayerUpload => body::initiate(here),
            Operation::UploadLayerPart => {
                let upload = upload?;
                self.need(&subject.chunk, subject.len, follower);
                body::part(here, &upload.step, &subject.chunk, upload.size(), subject.len)
            }
            Operation::CompleteLayerUpload => {
                let upload = upload?;
                let right = right(&upload.content());
                let (digests, rule) = digests(&right, &upload.content(), decision.entropy[3]);
                accepting = RuleId::of(operation, rule);
                body::complete(here, &upload.step, &digests)
            }
            Operation::BatchCheckLayerAvailability => body::check(here, &[self.some_layer(decision)]),
            Operation::GetDownloadUrlForLayer => body::url(here, &self.some_layer(decision)),
            // Repositories are managed elsewhere; of images nothing is drawn.
            Operation::CreateRepository
            | Operation::DeleteRepository
            | Operation::DescribeRepositories
            | Operation::PutImage => return None,
        };
        Some((valid, accepting))
    }

    /// The digest of something that was sent, or of nothing anybody has.
    fn some_layer(&self, decision: &Decision) -> String {
        let mut contents: Vec<&Vec<String>> = self.contents.iter().collect();
        contents.reverse();
        rarely(&contents, decision.entropy[1])
            .map_or_else(|| String::from(crate::case::draft::ABSENT), |content| right(content))
    }

    /// What a violation changes, here.
    fn violation(
        &self,
        operation: Operation,
        planned: &Planned,
        decision: &Decision,
        subject: &Subject,
        valid: &Body,
    ) -> Option<Violation> {
        let upload = subject.upload.map(|index| self.uploads[index].clone());
        let content = match operation {
            Operation::UploadLayerPart => vec![subject.chunk.clone()],
            _ => upload.as_ref().map(Upload::content).unwrap_or_default(),
        };
        match planned {
            Planned::Value(violation) => {
                let mut violation = (*violation).clone();
                for (_, json) in &mut violation.changes {
                    if let Some(json) = json {
                        *json = self.localised(json, &reference(subject.repository), upload.as_ref(), &content)?;
                    }
                }
                Some(violation)
            }
            Planned::Drawn(member) => drawn(self.case.service, operation, member, &decision.entropy, valid),
            Planned::Stateful(_, stateful) => stateful_violation(operation, *stateful, subject, upload.as_ref()),
        }
    }

    /// A value of the catalogue, which is about `upload` and `layer`, with the names of this sequence.
    fn localised(&self, json: &str, here: &Reference, upload: Option<&Upload>, content: &[String]) -> Option<String> {
        let template = Template::lenient(json);
        let is_of_nothing = content.is_empty();
        let twice = |reference: &Reference| *reference == Reference::sha256("layer+layer");
        if is_of_nothing && template.references().any(twice) {
            return None; // Twice nothing is nothing, and no wrong digest.
        }
        let needs_upload = template.references().any(|reference| reference.of_member().is_some_and(is_upload_id));
        let step = match upload {
            Some(upload) => upload.step.as_str(),
            None if needs_upload => return None,
            None => "",
        };
        let nothing = OF_NOTHING.trim_start_matches("sha256:");
        let changed = template.map(|reference| match reference {
            Reference::Repository(None) => Part::Reference(here.clone()),
            Reference::Registry => Part::text(ACCOUNT),
            of_upload if of_upload.of_member().is_some_and(is_upload_id) => {
                Part::Reference(of_upload.rename(&|_| String::from(step)))
            }
            of_bytes if is_of_nothing && of_bytes.chunks() == ["layer"] => match of_digest(of_bytes, nothing) {
                Some(digest) => Part::text(&digest),
                None => Part::Reference(of_bytes.clone()),
            },
            other => Part::Reference(other.with_chunks(&|chunk| match chunk {
                "layer" => content.to_vec(),
                other => vec![String::from(other)],
            })),
        });
        changed.to_text()
    }

    fn need(&mut self, chunk: &str, len: usize, follower: &mut Follower) {
        if !self.case.chunks.iter().any(|known| known.name == chunk) {
            self.case.chunks.push(Chunk::new(chunk, len));
            follower.add_chunks(&self.case.chunks);
        }
    }

    /// Bytes that nobody uploads, where a request has their digest.
    fn need_other(&mut self, body: &Body) {
        let is_of_other = |reference: &Reference| reference.chunks().iter().any(|chunk| chunk == "other");
        if body.template().references().any(is_of_other) && !self.case.chunks.iter().any(|known| known.name == "other")
        {
            self.case.chunks.push(Chunk::new("other", SMALL));
        }
    }

    fn choose_repository(&self, decision: &Decision, fits: impl Fn(bool) -> bool) -> Option<usize> {
        let fitting: Vec<usize> = (0..2).filter(|index| fits(self.exists[*index])).collect();
        rarely(&fitting, decision.entropy[0]).copied()
    }

    fn next_name(&self, operation: Operation) -> String {
        let word = Facts::of(operation).step;
        let before = self.case.steps.iter().filter(|step| step.operation == Some(operation)).count();
        format!("{word}{}", before + 1)
    }

    /// Adds a step; whether the reference registry accepts it.
    fn push(
        &mut self,
        operation: Operation,
        role: StepRole,
        body: &Body,
        readings: Readings,
        follower: &mut Follower,
    ) -> bool {
        self.need_other(body);
        follower.add_chunks(&self.case.chunks);
        let service = self.case.service;
        let mut step = Step {
            name: self.next_name(operation),
            operation: Some(operation),
            request: envelope::request(service, operation, body.template()),
            at_once: false,
            role,
            expect: allowed(service, readings.accepting),
            beside: Vec::new(),
            precedence: None,
            only_if: Vec::new(),
        };
        let accepted = follower.step(&mut step, &readings, None);
        self.case.steps.push(step);
        self.readings.push(readings);
        accepted
    }
}

/// What a request is about.
#[derive(Clone, Debug)]
struct Subject {
    /// Index of its upload.
    upload: Option<usize>,
    /// Index of its repository.
    repository: usize,
    /// The bytes that it sends, and how many.
    chunk: String,
    len: usize,
}

fn is_open(upload: &Upload) -> bool {
    upload.life == Life::Open
}

fn has_parts(upload: &Upload) -> bool {
    is_open(upload) && !upload.parts.is_empty()
}

fn names_other(body: &Template) -> bool {
    body.references().any(|reference| reference.further_repository() == Some(OTHER))
}

fn is_upload_id(of: &Member) -> bool {
    of.step == "upload" && of.member == "uploadId"
}

fn reference(repository: usize) -> Reference {
    Reference::repository([None, Some(OTHER)][repository])
}

/// Mostly the first.
fn rarely<T>(of: &[T], choice: u8) -> Option<&T> {
    match choice {
        0..160 => of.first(),
        _ => of.get(usize::from(choice - 160) % of.len().max(1)),
    }
}

/// The digest of chunks put together.
fn right(content: &[String]) -> String {
    let chunks = Chunks::of(content.iter().cloned());
    chunks.map_or_else(|| String::from(OF_NOTHING), |chunks| Reference::Sha256(chunks).written())
}

/// Number of bytes of a part: mostly few, and now and then about as many as an inner part must have.
fn length(choice: u8) -> usize {
    match choice {
        0..64 => SMALL,
        64..252 => 1 + usize::from(choice) % 100,
        252..254 => MIN_INNER_PART,
        254 => MIN_INNER_PART - 1,
        255 => MIN_INNER_PART + 1,
    }
}

/// A list of digests that completes an upload, and the rule by which it does.
fn digests(right: &str, content: &[String], choice: u8) -> (Vec<String>, &'static str) {
    let wrong = |number: usize| format!("sha256:{number:064x}");
    let among = |place: usize, count: usize| {
        (0..count).map(|index| if index == place { String::from(right) } else { wrong(index) }).collect()
    };
    let hex = Chunks::of(content.iter().cloned()).map_or_else(
        || String::from(OF_NOTHING.trim_start_matches("sha256:")),
        |chunks| Reference::Hex { chunks, upper: false }.written(),
    );
    let other = format!("tarsum.v1+sha256:{hex}");
    match choice {
        0..176 => (vec![String::from(right)], "accepted"),
        176..192 => (among(0, 2), "layerDigests/any-match"),
        192..208 => (among(1, 2), "layerDigests/any-match"),
        208..216 => (among(usize::from(choice) % 100, 100), "layerDigests/any-match"),
        216..232 => (vec![String::from(right); 2], "layerDigests/duplicates"),
        232..240 => (vec![String::from(right); 100], "layerDigests/duplicates"),
        240.. => (vec![other], "layerDigests/other-algorithm"),
    }
}

/// What is wrong with the state that a request is about.
fn stateful_violation(
    operation: Operation,
    stateful: Stateful,
    subject: &Subject,
    upload: Option<&Upload>,
) -> Option<Violation> {
    let change = |rule: &'static str, variant: &str, title: &str, changes: Vec<(&'static str, String)>| {
        Some(Violation {
            rule: Some(RuleId::of(operation, rule)),
            variant: String::from(variant),
            title: String::from(title),
            changes: changes.into_iter().map(|(member, json)| (member, Some(json))).collect(),
        })
    };
    let first = upload.map_or(0, Upload::size);
    let last = (first + subject.len).saturating_sub(1);
    let range = |at: usize| {
        vec![("partFirstByte", at.to_string()), ("partLastByte", (at + subject.len).saturating_sub(1).to_string())]
    };
    let id = |id: &str| vec![("uploadId", body::quote(id))];
    match stateful {
        Stateful::RepositoryAbsent => {
            let absent = vec![("repositoryName", body::quote(&Reference::Absent.written()))];
            change("repositoryName/exists", "unknown", "a repository that nobody made", absent)
        }
        Stateful::UploadUnknown => {
            change("uploadId/exists", "unknown", "an upload id that nobody was given", id(NO_UPLOAD))
        }
        Stateful::OtherRepository => {
            let other = vec![("repositoryName", body::quote(&reference(1 - subject.repository).written()))];
            change("uploadId/exists", "other-repository", "the upload of another repository", other)
        }
        Stateful::UpperCase => {
            let upper = format!("${{upper:{}.uploadId}}", upload?.step);
            change("uploadId/upper-case", "own", "the upload id in upper case", id(&upper))
        }
        // The request itself is about such an upload.
        Stateful::Completed | Stateful::RepositoryDeleted | Stateful::NoParts => None,
        Stateful::Gap => change("partFirstByte/contiguous", "gap", "a gap of one byte", range(first + 1)),
        Stateful::Overlap => {
            change("partFirstByte/contiguous", "overlap", "an overlap of one byte", range(first.checked_sub(1)?))
        }
        Stateful::FromTheStart => match first {
            0 => None,
            _ => change("partFirstByte/contiguous", "other-bytes-again", "bytes at a place that has some", range(0)),
        },
        Stateful::LastBeforeFirst => {
            let before = vec![("partLastByte", first.checked_sub(1)?.to_string())];
            change("partLastByte/not-before-first", "one-before", "a last byte before the first", before)
        }
        Stateful::RangeLonger => {
            let longer = vec![("partLastByte", (last + 1).to_string())];
            change("layerPartBlob/length", "one-byte-short", "a range one byte longer than the part", longer)
        }
        Stateful::RangeShorter if subject.len > 1 => {
            let shorter = vec![("partLastByte", (last - 1).to_string())];
            change("layerPartBlob/length", "one-byte-over", "a range one byte shorter than the part", shorter)
        }
        Stateful::RangeShorter => None,
        Stateful::NoBytes => {
            let empty = vec![("layerPartBlob", body::quote("")), ("partLastByte", first.to_string())];
            change("layerPartBlob/empty", "one-byte-range", "no bytes for a range of one", empty)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_completion_is_the_last_call_of_its_plan() {
        const COMPLETE: Operation = Operation::CompleteLayerUpload;
        let before = [Operation::InitiateLayerUpload, Operation::UploadLayerPart].map(Decision::plain);
        for service in Service::ALL {
            for number in 0..Violations::of(service, COMPLETE).len() as u16 {
                for form in [0, 190, 210, 250] {
                    let entropy = [form, 0, 0, form, 7, 0, 0, 0];
                    let last = Decision { violations: vec![number, number + 9], entropy, ..Decision::plain(COMPLETE) };
                    let plan = Plan { decisions: before.iter().chain([&last]).cloned().collect() };
                    let (one, other) = (completion(service, &last), realise(service, &plan));
                    assert_eq!(format!("{one:?}"), format!("{other:?}"));
                }
            }
        }
    }
}
