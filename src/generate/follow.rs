//! What a random case expects, step by step: the reference registry follows the sequence, and where the documents leave
//! two ways it goes on from what the target did.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::{Map, Value};

use super::expected::{pin, pin_error};
use crate::case::{Bindings, Chunk, Readings, Step, StepRole, allowed};
use crate::contract::blob::Notation;
use crate::contract::{Basis, Effect, Operation, OperationSpec, Question, Role, Rule, RuleId, Rules, Service};
use crate::expect::{Expectation, Outcome};
use crate::model::{Registry, Rejection, registry};
use crate::template::{Reference, Template};
use crate::wire::Exchange;

/// What came back for a step, as far as the sequence depends on it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Answered {
    /// Success.
    Accepted,
    /// An error, with its type if it names one.
    Rejected(Option<String>),
}

impl Answered {
    /// `None` where there was no answer.
    pub(crate) fn of(exchange: &Exchange) -> Option<Answered> {
        Some(match exchange.observed().ok()?.error() {
            Some(error) => Answered::Rejected(error.name.clone()),
            None => Answered::Accepted,
        })
    }
}

/// Where a step has led.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Went {
    /// Whether it was accepted.
    pub accepted: bool,
    /// Whether all answers that say as much lead there.
    pub plainly: bool,
}

/// The reference registry on its way through a sequence, with what is not certain about the target's state.
#[derive(Clone, Debug)]
pub(crate) struct Follower {
    service: Service,
    registry: Registry,
    bindings: Bindings,
    doubts: BTreeMap<Upload, Doubt>,
    /// Repositories in which the target accepted what leaves open what it made of it: nothing in them is judged.
    lost: BTreeSet<String>,
    /// Layers, by repository and digest, whose completion was rejected, and those of deleted repositories.
    rejected: BTreeSet<(String, String)>,
    deleted: BTreeSet<(String, String)>,
}

const SALT: &str = "followed";

/// Nothing is sent of what the follower reads.
const NOTATION: Notation = Notation::Abridged;

/// An upload by repository and id.
type Upload = (String, String);

/// Why it is not certain whether an upload exists.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Doubt {
    /// Its completion was rejected, or its layer was completed by another upload.
    MayHaveEnded,
    /// It was completed.
    Completed,
    /// Its repository was deleted.
    RepositoryDeleted,
}

/// What the contract says of one reading of a request.
#[derive(Debug, Default)]
struct Allowed {
    /// Rules that it breaks.
    broken: Vec<Broken>,
    /// Open rules that it breaks: success is allowed as well.
    open: Vec<RuleId>,
    /// The open rule by which the upload that it names may have ended.
    ended: Option<RuleId>,
    /// Of each reading put together here, the rule that it is about if it breaks one.
    leading: Vec<RuleId>,
}

impl Allowed {
    fn add(&mut self, one: Allowed) {
        let leading = one.broken.first().map(|broken| broken.rule.id).or(one.open.first().copied());
        if let Some(rule) = leading.filter(|rule| !self.leading.contains(rule)) {
            self.leading.push(rule);
        }
        self.open.extend(one.open);
        self.ended = self.ended.take().or(one.ended);
        for broken in one.broken {
            if !self.broken.iter().any(|known| known.rule.id == broken.rule.id) {
                self.broken.push(broken);
            }
        }
    }
}

/// A rule that is broken, with the registry's answer if it has one.
#[derive(Debug)]
struct Broken {
    rule: &'static Rule,
    rejection: Option<Rejection>,
}

type Members = Map<String, Value>;

/// A request as the registry reads it.
#[derive(Debug)]
struct Reading {
    /// Its members; `None` where it cannot be read.
    input: Option<Members>,
    /// The rules that its members break by themselves.
    syntax: Vec<RuleId>,
    /// What the registry has to say against it.
    rejections: Vec<Rejection>,
}

impl Reading {
    /// Whether nothing is wrong with it, as things stand.
    fn is_right(&self) -> bool {
        self.input.is_some() && self.syntax.is_empty() && self.rejections.is_empty()
    }
}

/// The request of a step, and [`Readings`] of it. Those that are the same are read once.
struct Read {
    request: Rc<Reading>,
    valid: Rc<Reading>,
    /// Each with the rule that it breaks, if the violation itself says so.
    alone: Vec<(Option<RuleId>, Rc<Reading>)>,
}

impl Follower {
    /// A registry with the repository of a case and further ones.
    pub(crate) fn new(service: Service, chunks: &[Chunk], further: &[&str]) -> Follower {
        let mut follower = Follower {
            service,
            registry: Registry::new(service).in_notation(NOTATION),
            bindings: Bindings::new(chunks, SALT, registry::PART_SIZE as usize).in_notation(NOTATION),
            doubts: BTreeMap::new(),
            lost: BTreeSet::new(),
            rejected: BTreeSet::new(),
            deleted: BTreeSet::new(),
        };
        follower.bindings.bind(Reference::Registry, registry::ACCOUNT);
        follower.bindings.bind(Reference::Alias, registry::ALIAS);
        follower.bindings.bind(Reference::Absent, "ecrspec/absent");
        for further in std::iter::once(None).chain(further.iter().copied().map(Some)) {
            let name =
                further.map_or_else(|| String::from("ecrspec/repository"), |name| format!("ecrspec/repository-{name}"));
            if let Some(create) = service.contract().operation(Operation::CreateRepository) {
                let input = Map::from_iter([(String::from("repositoryName"), Value::from(name.as_str()))]);
                let _ = follower.registry.call(create, &input);
            }
            follower.bindings.bind(Reference::repository(further), name);
        }
        follower
    }

    /// Makes chunks known that came up on the way.
    pub(super) fn add_chunks(&mut self, chunks: &[Chunk]) {
        chunks.iter().for_each(|chunk| self.bindings.add(chunk, SALT, registry::PART_SIZE as usize));
    }

    /// Says what a step expects, and goes on from what was answered; without an answer, from what the reference registry
    /// does.
    pub(crate) fn step(&mut self, step: &mut Step, readings: &Readings, answered: Option<&Answered>) -> Went {
        // Nothing follows from these.
        let nowhere = Went { accepted: answered == Some(&Answered::Accepted), plainly: true };
        let Some(operation) = step.spec(self.service) else { return nowhere };
        // A number that no type holds cannot be read: then what the valid request names is what it names.
        let read = self.read(operation, &step.request.body, readings);
        let performs = read.request.input.is_some() && read.request.rejections.is_empty();
        let Some(input) = read.request.input.as_ref().or(read.valid.input.as_ref()) else {
            // It names what came of a call that could not be followed.
            step.role = StepRole::Attempt;
            return nowhere;
        };
        if self.lost.contains(name(input)) {
            step.role = StepRole::Attempt;
            return nowhere;
        }
        if operation.name.role() == Role::SetUp {
            let accepted = self.set_up(operation, step, input, answered);
            return Went { accepted, plainly: accepted };
        }
        let allowed = self.allowed(operation, &read, readings.elsewhere);
        let rejections: Vec<Rejection> = allowed.broken.iter().filter_map(|broken| broken.rejection.clone()).collect();
        let mut beside = allowed.leading.clone();
        step.expect = self.expectation(operation, input, readings.accepting, allowed);
        beside.retain(|rule| *rule != step.expect.rule);
        step.also_broken = beside;
        step.precedence = self.precedence(operation, &read.alone);
        if step.expect.tier.gates() {
            rejections.iter().for_each(|rejection| pin_error(step, rejection, self.service, &self.bindings));
        }
        let accepted = match answered {
            None => performs,
            Some(answered) => *answered == Answered::Accepted,
        };
        let plainly = accepted || self.doubts.get(&upload_of(input)) != Some(&Doubt::MayHaveEnded);
        match accepted {
            true if performs => self.accepted(operation, step, input),
            true if operation.name.effect() == Effect::Reads => {}
            true => {
                // Accepted where that is open, in a way that the registry cannot follow. Or a finding, which ends the case.
                // Whatever was done, was done to what the request names, or to what it should have named.
                let meant = read.valid.input.as_ref();
                self.lost.extend(std::iter::once(input).chain(meant).map(|input| String::from(name(input))));
            }
            false => self.was_rejected(operation, input, answered),
        }
        Went { accepted, plainly }
    }

    /// A call that makes or removes a repository.
    fn set_up(
        &mut self,
        operation: &OperationSpec,
        step: &mut Step,
        input: &Members,
        answered: Option<&Answered>,
    ) -> bool {
        // What is expected where it cannot be done, is for the author of the case to say.
        if self.registry.rejections(operation, input).is_empty() {
            step.expect = allowed(self.service, RuleId::of_survey(operation.name));
        }
        if matches!(answered, Some(Answered::Rejected(_))) {
            return false;
        }
        let repository = name(input);
        if operation.name.effect() == Effect::RemovesRepository {
            for (upload, _) in self.registry.uploads(repository) {
                self.doubts.insert((String::from(repository), upload), Doubt::RepositoryDeleted);
            }
            let of_it = self.doubts.iter_mut().filter(|((name, _), _)| name == repository);
            of_it.for_each(|(_, doubt)| *doubt = Doubt::RepositoryDeleted);
            let layers = self.registry.layers(repository);
            self.deleted.extend(layers.into_iter().map(|digest| (String::from(repository), digest)));
        }
        self.registry.call(operation, input).is_ok()
    }

    /// What the readings of a request allow, put together. `elsewhere` is that of [`Readings`].
    fn allowed(&self, operation: &OperationSpec, read: &Read, elsewhere: bool) -> Allowed {
        let mut all = Allowed::default();
        for (declared, one) in &read.alone {
            all.add(self.of_reading(operation, one, *declared));
        }
        // As things stand it may break nothing: the target did not take the part that this one would have repeated.
        if all.open.is_empty() && all.broken.is_empty() && read.request.is_right() {
            all.add(self.of_reading(operation, &read.request, None));
            return all;
        }
        // What was done on purpose leads; a state that is wrong as well comes after it. It does not count where another
        // upload or repository is named; but whether another one is named, may be open.
        if read.alone.is_empty() || !elsewhere || !all.open.is_empty() {
            all.add(self.of_reading(operation, &read.valid, None));
        } else if let Some(input) = &read.valid.input {
            // The repository is the same one, as far as the violations leave its name alone.
            let mut others = read.alone.iter().filter_map(|(_, one)| one.input.as_ref());
            if others.all(|other| name(other) == name(input)) {
                let mut of_valid = self.of_reading(operation, &read.valid, None);
                of_valid.broken.retain(|broken| broken.rule.id.is("repositoryName/exists"));
                all.add(Allowed { broken: of_valid.broken, ..Allowed::default() });
            }
        }
        all
    }

    /// What one reading of a request allows; of one that cannot be read, what its violation says.
    fn of_reading(&self, operation: &OperationSpec, reading: &Reading, declared: Option<RuleId>) -> Allowed {
        let mut allowed = Allowed::default();
        let rules = Rules::of(self.service);
        let declared = declared.and_then(|rule| rules.get(rule));
        allowed.open.extend(declared.filter(|rule| !rule.tier.gates()).map(|rule| rule.id));
        let broken = declared.filter(|rule| rule.tier.gates() && !rule.errors.is_empty());
        let Reading { input: Some(input), syntax, rejections } = reading else {
            allowed.broken.extend(broken.map(|rule| Broken { rule, rejection: None }));
            return allowed;
        };
        let is_open = |rule: &&RuleId| rules.get(**rule).is_some_and(|rule| !rule.tier.gates());
        allowed.open.extend(syntax.iter().filter(is_open).copied());
        allowed.open.extend(mixes_algorithms(operation, input).then_some(MIXED));
        let mut rejections: Vec<&Rejection> = rejections.iter().collect();
        if !allowed.open.is_empty() {
            // What the registry makes of it is its own choice; what is wrong with the members is not.
            rejections.retain(|rejection| syntax.contains(&rejection.rule));
        }
        let upload = upload_of(input);
        match self.doubts.get(&upload) {
            _ if !is_about_uploads(operation) => {}
            Some(Doubt::MayHaveEnded) => {
                allowed.ended = Some(RuleId::of(operation.name, "uploadId/after-rejected"));
            }
            Some(Doubt::RepositoryDeleted) if self.registry.has_repository(&upload.0) => {
                rejections.retain(|rejection| !rejection.rule.is("uploadId/exists"));
                allowed.ended = Some(RuleId::of(operation.name, "uploadId/recreated-repository"));
            }
            Some(Doubt::Completed) => {
                rejections.retain(|rejection| !rejection.rule.is("uploadId/exists"));
                match operation.name {
                    Operation::CompleteLayerUpload => {
                        allowed.broken.extend(self.broken(RuleId::new("CompleteLayerUpload/uploadId/once")))
                    }
                    _ => allowed.ended = Some(RuleId::new("UploadLayerPart/uploadId/completed")),
                }
            }
            Some(Doubt::RepositoryDeleted) | None => {}
        }
        // What the violation is made to break says more than what the registry happens to look at first.
        let broken = broken.filter(|_| !reading.is_right());
        allowed.broken.extend(broken.map(|rule| Broken { rule, rejection: None }));
        for rejection in rejections {
            let Some(rule) = rules.get(rejection.rule) else { continue };
            if !rule.tier.gates() {
                allowed.open.push(rule.id);
                continue;
            }
            let same = |broken: &&mut Broken| rule.errors.iter().all(|error| broken.rule.errors.contains(error));
            match allowed.broken.iter_mut().find(same) {
                Some(broken) => broken.rejection = broken.rejection.take().or_else(|| Some(rejection.clone())),
                None => allowed.broken.push(Broken { rule, rejection: Some(rejection.clone()) }),
            }
        }
        allowed
    }

    fn broken(&self, rule: RuleId) -> Option<Broken> {
        Rules::of(self.service).get(rule).map(|rule| Broken { rule, rejection: None })
    }

    fn expectation(
        &self,
        operation: &OperationSpec,
        input: &Members,
        accepting: RuleId,
        allows: Allowed,
    ) -> Expectation {
        let (service, rules) = (self.service, Rules::of(self.service));
        let exists = RuleId::of(operation.name, "uploadId/exists");
        let mut involved: Vec<&Rule> = Vec::new();
        // A request that breaks a rule which gates is rejected, even if it breaks an open one as well; with which error is open then.
        let leading = match (allows.broken.first(), allows.open.first(), &allows.ended) {
            (Some(broken), _, ended) => {
                // If it has ended, that is wrong as well.
                involved.extend(ended.as_ref().and_then(|_| rules.get(exists)));
                broken.rule.id
            }
            (None, Some(open), _) => *open,
            (None, None, Some(ended)) => *ended,
            (None, None, None) => self.accepting(operation, input, accepting),
        };
        let mut expect = allowed(service, leading);
        involved.extend(allows.broken.iter().map(|broken| broken.rule));
        involved.extend(allows.open.iter().filter_map(|rule| rules.get(*rule)));
        for rule in involved.into_iter().filter(|rule| rule.id != leading) {
            involve(&mut expect, rule);
            for outcome in allowed(service, rule.id).outcomes {
                let known = |known: &Outcome| known.to_string() == outcome.to_string();
                if !outcome.is_success() && !expect.outcomes.iter().any(known) {
                    expect.outcomes.push(outcome);
                }
            }
        }
        expect
    }

    /// The rule that a request answers to with which nothing is wrong.
    fn accepting(&self, operation: &OperationSpec, input: &Members, accepting: RuleId) -> RuleId {
        if operation.name != Operation::BatchCheckLayerAvailability {
            return accepting;
        }
        let repository = name(input);
        let digest = input.get("layerDigests").and_then(|list| list.pointer("/0")).and_then(Value::as_str);
        let digest = digest.unwrap_or_default();
        let layer = (String::from(repository), String::from(digest));
        let holders = self.registry.holders(digest);
        let held = || self.registry.uploads(repository).iter().any(|(_, held)| held.as_deref() == Some(digest));
        let what = match () {
            () if holders.contains(&repository) => "layers/stored",
            () if self.rejected.contains(&layer) => "layers/rejected",
            () if self.deleted.contains(&layer) => "layers/deleted-repository",
            () if held() => "layers/incomplete",
            () if !holders.is_empty() => "layers/per-repository",
            () => "layers/absent",
        };
        RuleId::of(Operation::BatchCheckLayerAvailability, what)
    }

    /// The rules that a request breaks, if it breaks two that are answered differently.
    fn precedence(&self, operation: &OperationSpec, alone: &[(Option<RuleId>, Rc<Reading>)]) -> Option<Question> {
        let [one, other] = alone else { return None };
        let first = |(declared, reading): &(Option<RuleId>, Rc<Reading>)| {
            let allowed = self.of_reading(operation, reading, *declared);
            allowed.open.is_empty().then(|| allowed.broken.into_iter().next().map(|broken| broken.rule)).flatten()
        };
        let (one, other) = (first(one)?, first(other)?);
        let distinct = one.errors.iter().all(|error| !other.errors.contains(error));
        distinct.then(|| Question::of_both(one.id, other.id))
    }

    fn accepted(&mut self, operation: &OperationSpec, step: &mut Step, input: &Members) {
        let upload = upload_of(input);
        let repository = upload.0.clone();
        let members = self.registry.perform(operation.name, input);
        self.bindings.capture(&step.name, &members);
        self.doubts.remove(&upload);
        if operation.name.effect() == Effect::CompletesUpload {
            let digest = members["layerDigest"].as_str();
            let twins = self.registry.uploads(&repository).into_iter().filter(|(_, held)| held.as_deref() == digest);
            self.doubts.extend(twins.map(|(twin, _)| ((repository.clone(), twin), Doubt::MayHaveEnded)));
            self.doubts.insert(upload, Doubt::Completed);
        }
        pin(step, &Ok(members), self.service, &self.bindings);
    }

    fn was_rejected(&mut self, operation: &OperationSpec, input: &Members, answered: Option<&Answered>) {
        if !is_about_uploads(operation) {
            return;
        }
        let upload = upload_of(input);
        let open = self.registry.uploads(&upload.0).into_iter().find(|(id, _)| *id == upload.1);
        let Some((_, held)) = open else { return };
        if let (Some(Answered::Rejected(Some(error))), Some(Doubt::MayHaveEnded)) = (answered, self.doubts.get(&upload))
        {
            if error == "UploadNotFoundException" {
                self.registry.forget(&upload.0, &upload.1);
                self.doubts.remove(&upload);
                return;
            }
            if error != "InvalidParameterException" && error != "SerializationException" {
                self.doubts.remove(&upload); // It was looked up, and found.
            }
        }
        if operation.name.effect() == Effect::CompletesUpload {
            self.rejected.extend(held.map(|digest| (upload.0.clone(), digest)));
            self.doubts.insert(upload, Doubt::MayHaveEnded);
        }
    }

    /// What it knows, as a text that two ways share if they came to the same.
    pub(crate) fn state(&self) -> String {
        let bound = |id: &str| {
            let same =
                self.bindings.iter().filter(|(_, known)| **known == *id).filter_map(|(reference, _)| match reference {
                    Reference::Member(of) if of.member == "uploadId" => Some(of.step.clone()),
                    _ => None,
                });
            same.min().unwrap_or_default()
        };
        let upload = |(repository, id): &Upload| (repository.clone(), bound(id));
        let names: BTreeSet<&str> = self
            .bindings
            .iter()
            .filter(|(reference, _)| matches!(reference, Reference::Repository(_)))
            .filter_map(|(_, value)| value.as_str())
            .collect();
        let repositories: Vec<_> = names
            .into_iter()
            .map(|name| {
                let uploads = self.registry.uploads(name).into_iter();
                let uploads: BTreeMap<_, _> = uploads.map(|(id, held)| (bound(&id), held)).collect();
                (name, self.registry.has_repository(name), uploads, self.registry.layers(name))
            })
            .collect();
        let doubts: BTreeMap<_, _> = self.doubts.iter().map(|(known, doubt)| (upload(known), doubt)).collect();
        format!("{:?}", (repositories, doubts, &self.lost, &self.rejected, &self.deleted))
    }

    fn read(&mut self, operation: &OperationSpec, request: &Template, readings: &Readings) -> Read {
        let valid = Rc::new(self.reading(operation, &readings.valid));
        let alone = readings.alone.iter().map(|(rule, body)| (*rule, Rc::new(self.reading(operation, body))));
        let alone: Vec<_> = alone.collect();
        let request = match (readings.alone.as_slice(), alone.as_slice()) {
            ([], _) if *request == readings.valid => valid.clone(),
            ([(_, body)], [(_, one)]) if request == body => one.clone(),
            _ => Rc::new(self.reading(operation, request)),
        };
        Read { request, valid, alone }
    }

    fn reading(&mut self, operation: &OperationSpec, body: &Template) -> Reading {
        let filled = self.bindings.body(body).ok();
        let input: Option<Members> = filled.and_then(|filled| serde_json::from_slice(&filled.abridged()).ok());
        let read = input.as_ref().map(|input| self.registry.read_closely(operation, input));
        let (syntax, rejections) = read.unwrap_or_default();
        Reading { input, syntax, rejections }
    }
}

const MIXED: RuleId = RuleId::new("CompleteLayerUpload/layerDigests/mixed-algorithms");

/// Whether a list has a sha256 digest and one of another algorithm. Where the right one is among them, the registry takes
/// it, and every other has to.
fn mixes_algorithms(operation: &OperationSpec, input: &Members) -> bool {
    let digests = input.get("layerDigests").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let kinds: BTreeSet<bool> = digests.map(|digest| digest.starts_with("sha256:")).collect();
    operation.name == Operation::CompleteLayerUpload && kinds.len() > 1
}

/// Adds a rule that the request breaks as well: that it is rejected is as strong as the strongest of its rules says, with
/// which error as weak as the weakest.
fn involve(expect: &mut Expectation, rule: &Rule) {
    let mut weakest = Basis {
        tier: expect.error_tier().max(rule.error_tier()),
        sources: expect.error_basis.as_ref().map_or_else(|| expect.sources.clone(), |basis| basis.sources.clone()),
    };
    let of_errors = rule.error_basis.as_ref().map_or(&rule.sources, |basis| &basis.sources);
    for (known, more) in [(&mut expect.sources, &rule.sources), (&mut weakest.sources, of_errors)] {
        let new: Vec<_> = more.iter().copied().filter(|source| !known.contains(source)).collect();
        known.extend(new);
    }
    expect.tier = expect.tier.min(rule.tier);
    expect.error_basis = Some(weakest).filter(|basis| basis.tier > expect.tier);
}

fn is_about_uploads(operation: &OperationSpec) -> bool {
    operation.input("uploadId").is_some()
}

fn upload_of(input: &Members) -> Upload {
    (String::from(name(input)), String::from(text(input, "uploadId")))
}

fn name(input: &Members) -> &str {
    text(input, "repositoryName")
}

fn text<'a>(input: &'a Members, member: &str) -> &'a str {
    input.get(member).and_then(Value::as_str).unwrap_or_default()
}
