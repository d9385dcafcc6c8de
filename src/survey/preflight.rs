//! The first look itself: one plain upload from end to end.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Survey, late};
use crate::case::draft::{ABSENT, Draft, HERE, RIGHT, SMALL};
use crate::case::{Bindings, Case, StepRole, Transcript};
use crate::contract::check::first_broken;
use crate::contract::ecr_public::REGISTRY_ALIAS;
use crate::contract::{Kind, Operation, Role, RuleId, Rules, Service, Tier};
use crate::drive::{self, Making, Signing, Target, Workspace};
use crate::judge::{
    Expected, Finding, Got, Grade, Head, JudgeOptions, NotJudged, Verdict, describe, infrastructure, judge,
};
use crate::model::operation::body;
use crate::template::Reference;
use crate::wire::{Decoded, Exchange, NoConnection, Observation, Shows, TransportError};

/// Why there is no survey: there was no connection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unreachable {
    /// Why not.
    pub why: NoConnection,
    /// Repositories that were made before, and could not be removed.
    pub left: Vec<String>,
}

/// Looks at one service of a target. `repository` is an existing repository to work in, instead of making one. What the
/// survey made and could not remove is in [`Transcript::left`].
///
/// # Errors
///
/// Where no connection could be made at all.
pub async fn preflight(
    target: &Target,
    service: Service,
    prefix: &str,
    repository: Option<&str>,
) -> Result<(Survey, Transcript), Unreachable> {
    let case = upload(service, repository.is_none());
    let mut look = Look::at(service);
    let Owner { account, alias } = match repository {
        None => look.creation(target, prefix).await?,
        Some(_) => Owner::default(),
    };
    let name = repository.map_or_else(|| look.making.naming.name(prefix, "survey"), String::from);
    let makes_repositories = repository.is_none() && look.is_fine(Operation::CreateRepository);
    let room = Workspace {
        prefix: String::from(prefix),
        making: look.making,
        shared: Some(name.clone()),
        account: account.clone(),
        alias: alias.clone(),
        part_size: SMALL,
        salt: String::from(prefix),
        worker: 0,
    };
    let mut transcript = drive::case(target, &case, &room).await;
    let late = look.late(target, &case, &transcript).await;
    let deletion = match repository {
        // Even if the creation seemed to fail: its answer may have been lost.
        None => Some(drive::delete_repository(target, service, &name).await),
        Some(_) => None,
    };
    let kept = deletion.filter(|deletion| makes_repositories && !drive::is_gone(deletion));
    transcript.left.extend(kept.iter().map(|_| name.clone()));
    if let Some(Err(TransportError::Unreachable(why))) = transcript.exchanges.first().map(|exchange| &exchange.reply) {
        return Err(Unreachable { why: *why, left: transcript.left });
    }
    let known_repository = makes_repositories || repository.is_some();
    look.steps(&case, &transcript, known_repository);
    if let Some(deletion) = kept {
        look.failed(Operation::DeleteRepository, &deletion);
    }
    look.report();
    let availability = look.availability(&case, &transcript);
    if let Some((operation, later)) = late {
        let of_operation = |finding: &&mut Finding| finding.operation == Some(operation);
        let witness = late::witness(operation, later);
        look.findings.iter_mut().filter(of_operation).for_each(|finding| finding.witness = Some(witness.clone()));
    }
    let mut untestable = look.untestable(&transcript, known_repository);
    let is_other = look.findings.iter().any(|finding| finding.rule == SERVICE);
    if is_other && serves_signed(target, service, prefix, &mut transcript.left).await {
        untestable = Some(NotJudged::ServedSigned { service });
    }
    let untestable = look.set_aside(repository).or(untestable);
    let survey = Survey {
        service,
        alias,
        account: account.or_else(|| member(&transcript, "registryId").as_ref().and_then(digits)),
        part_size: member(&transcript, "partSize").as_ref().and_then(Value::as_u64),
        unknown: look.unknown,
        broken: look.broken,
        makes_repositories,
        availability,
        untestable,
        inconclusive: look.trouble.is_some(),
        findings: look.findings,
        without: Default::default(),
        making: look.making,
    };
    Ok((survey, transcript))
}

/// Whether a target that does not know unsigned requests knows them with a signature: some route by its scope. What was
/// made for that and could not be removed goes to `left`.
async fn serves_signed(target: &Target, service: Service, prefix: &str, left: &mut Vec<String>) -> bool {
    // Other clients sign by themselves.
    if !matches!(target.signing, Signing::None) || target.driver.client().shows != Shows::Http {
        return false;
    }
    let signed = Target { signing: Signing::Dummy, ..target.clone() };
    // Of the run's own, whatever repository the run was given: it is removed again.
    let name = format!("{prefix}/survey-signed");
    let creation = drive::create_repository(&signed, service, Making::default(), &name).await;
    // Even if the creation seemed to fail: its answer may have been lost.
    let deletion = drive::delete_repository(&signed, service, &name).await;
    if creation.is_ok() && !drive::is_gone(&deletion) {
        left.push(name);
    }
    creation.map_or_else(|exchange| exchange.is_documented(service, Operation::CreateRepository), |_| true)
}

/// One plain upload, with a look at the layer before and after; and an image of it, if the repository is deleted with what
/// is in it.
pub(super) fn upload(service: Service, is_own: bool) -> Case {
    let check = Operation::BatchCheckLayerAvailability;
    let mut draft = Draft::new(service, "survey/plain-upload", "one plain upload")
        .set_up("before", check, body::check(HERE, &[RIGHT]))
        .uploaded()
        .complete("complete", "upload", "layer")
        .set_up("after", check, body::check(HERE, &[RIGHT]));
    if is_own {
        // Whether it is known is all that is asked: one layer is enough, whatever it is in an image.
        draft = draft.attempt("image", Operation::PutImage, body::image(HERE, "layer", &["layer"]));
    }
    match service {
        Service::Ecr => draft.attempt("url", Operation::GetDownloadUrlForLayer, body::url(HERE, ABSENT)).done(),
        Service::EcrPublic => draft.done(),
    }
}

/// Whom a repository belongs to, as far as it is known.
#[derive(Default)]
struct Owner {
    account: Option<String>,
    /// The alias of the registry, which the public service has.
    alias: Option<String>,
}

/// A survey under way.
struct Look {
    service: Service,
    unknown: BTreeMap<Operation, Got>,
    broken: BTreeMap<Operation, Got>,
    findings: Vec<Finding>,
    /// How repositories are made here.
    making: Making,
    /// What came for one that was made in the usual way, if they are made otherwise.
    picky: Option<Got>,
    /// Throttling, or silence in answer to a valid request: it says nothing about the target's conformance.
    trouble: Option<NotJudged>,
}

/// That the target serves the service.
const SERVICE: RuleId = RuleId::new("survey/service");

impl Look {
    fn at(service: Service) -> Look {
        Look {
            service,
            unknown: BTreeMap::new(),
            broken: BTreeMap::new(),
            findings: Vec::new(),
            making: Making::default(),
            picky: None,
            trouble: None,
        }
    }

    /// Makes the repository of the survey, in the first way that the target takes; whom it is said to belong to.
    async fn creation(&mut self, target: &Target, prefix: &str) -> Result<Owner, Unreachable> {
        let mut first = None;
        for making in Making::ALL {
            let name = making.naming.name(prefix, "survey");
            match create(target, self.service, making, &name).await {
                Ok(created) => {
                    self.making = making;
                    self.picky = first.as_ref().map(describe);
                    let members = created.observed().ok().and_then(Observation::success);
                    let repository = members.and_then(|body| body.get("repository"));
                    return Ok(repository.map_or_else(Owner::default, |repository| self.owner(repository, &name)));
                }
                Err(Exchange { reply: Err(TransportError::Unreachable(why)), .. }) if first.is_none() => {
                    return Err(Unreachable { why, left: Vec::new() });
                }
                Err(exchange) => {
                    let may_take_another = is_picky(&exchange);
                    first.get_or_insert(exchange);
                    if !may_take_another {
                        break;
                    }
                }
            }
        }
        if let Some(exchange) = first {
            self.failed(Operation::CreateRepository, &exchange);
        }
        Ok(Owner::default())
    }

    /// Whom the repository of this name belongs to, by what is said of it.
    fn owner(&self, repository: &Value, name: &str) -> Owner {
        let uri = || repository.get("repositoryUri")?.as_str();
        let alias = match self.service {
            Service::Ecr => None,
            Service::EcrPublic => uri().and_then(|uri| alias_in(uri, name)),
        };
        Owner { account: repository.get("registryId").and_then(digits), alias }
    }

    /// Why what was found says nothing of the service, if so; then nothing was found.
    fn set_aside(&mut self, repository: Option<&str>) -> Option<NotJudged> {
        let begun = self.broken.get(&Operation::InitiateLayerUpload);
        let is_missing = begun.is_some_and(|got| got.error() == Some("RepositoryNotFoundException"));
        let reason = match (&self.trouble, repository) {
            (Some(reason), _) => NotJudged::SurveyUnfinished { cause: Box::new(reason.clone()) },
            (None, Some(name)) if is_missing => NotJudged::NoSuchRepository { name: String::from(name) },
            (None, _) => return None,
        };
        self.findings.clear();
        Some(reason)
    }

    /// What was not there when it should have been, and showed later: the operation that looked for it, and how much later.
    async fn late(&self, target: &Target, case: &Case, transcript: &Transcript) -> Option<(Operation, Duration)> {
        let valid = || case.steps.iter().zip(&transcript.exchanges).filter(|(step, _)| step.role == StepRole::SetUp);
        let observed = |exchange: &Exchange, is: fn(&Observation) -> bool| exchange.observed().is_ok_and(is);
        let absent = valid().find(|(_, exchange)| observed(exchange, late::is_absence));
        if let Some((step, exchange)) = absent {
            let later = later(target, self.service, exchange, |seen| !seen.is_error()).await?;
            return Some((step.operation?, later));
        }
        let (step, exchange) = valid().find(|(step, exchange)| {
            step.name == "after" && observed(exchange, |seen| !seen.is_error() && !late::has_layer(seen))
        })?;
        let later = later(target, self.service, exchange, late::has_layer).await?;
        Some((step.operation?, later))
    }

    fn is_fine(&self, operation: Operation) -> bool {
        !self.unknown.contains_key(&operation) && !self.broken.contains_key(&operation)
    }

    /// A valid call did not succeed.
    fn failed(&mut self, operation: Operation, exchange: &Exchange) {
        self.trouble = self.trouble.take().or_else(|| Some(infrastructure(true, exchange)?.of(Some(operation))));
        let bare = is_bare(exchange);
        let got = match describe(exchange) {
            Got::Response(head) if bare => Got::NotAnObject(head),
            Got::Response(head @ Head::Status(200..300)) => Got::NotOfTheOperation(head),
            other => other,
        };
        let known = bare || exchange.is_documented(self.service, operation);
        if known { &mut self.broken } else { &mut self.unknown }.insert(operation, got);
    }

    fn steps(&mut self, case: &Case, transcript: &Transcript, repository: bool) {
        for (step, exchange) in case.steps.iter().zip(&transcript.exchanges) {
            let Some(operation) = step.operation else { continue };
            let works = match step.role {
                // No layer can be downloaded without an image: any error that the operation documents will do.
                StepRole::Attempt => exchange.is_documented(self.service, operation) || is_untyped_rejection(exchange),
                _ => self.succeeded(case, transcript, &step.name) && gives_id(operation, exchange),
            };
            let already = !self.is_fine(operation);
            if works || already {
                continue;
            }
            if !repository && exchange.is_documented(self.service, operation) {
                self.broken.insert(operation, Got::NoRepository);
                continue;
            }
            self.failed(operation, exchange);
        }
        // What comes after a call that failed was not reached, and is not the target's fault twice.
        for step in case.steps.iter().skip(transcript.exchanges.len()) {
            if let Some(operation) = step.operation
                && self.is_fine(operation)
                && step.role != StepRole::Attempt
            {
                self.broken.insert(operation, Got::NotReached);
            }
        }
    }

    fn succeeded(&self, case: &Case, transcript: &Transcript, name: &str) -> bool {
        let Some(index) = case.steps.iter().position(|step| step.name == name) else { return false };
        let single = Case { steps: vec![case.steps[index].clone()], ..case.clone() };
        let exchanges = vec![transcript.exchanges[index].clone()];
        let one = Transcript { bindings: transcript.bindings.clone(), ..Transcript::of(&single, exchanges) };
        match judge(&single, &one, JudgeOptions { availability: true, ..JudgeOptions::default() }).0 {
            Verdict::Pass => true,
            // Wrong form does not keep an upload from working; a body that is no object does.
            // What is said of layers is asked for by itself.
            Verdict::Fail { findings } => findings.iter().all(|finding| {
                let of_layers = finding.rule.is_about(Operation::BatchCheckLayerAvailability, "layers");
                of_layers || finding.grade == Grade::Form && !matches!(finding.got, Got::NotAnObject(_))
            }),
            Verdict::Inconclusive { .. } | Verdict::Skipped { .. } => false,
        }
    }

    /// One finding for what is missing: the first cause, and each operation that is unknown or answers with no object.
    fn report(&mut self) {
        if let (Some(got), Some(breach)) = (self.picky.clone(), self.making.instead_of()) {
            self.finding(RuleId::of_survey(Operation::CreateRepository), Operation::CreateRepository, breach, got);
        }
        let unknown = self.unknown.clone();
        for (operation, got) in &unknown {
            let rule = match operation.role() {
                Role::SetUp => RuleId::of_survey(*operation),
                Role::Layer => RuleId::of(*operation, "known"),
                // What comes after an upload, a target of uploads may lack.
                Role::Image => continue,
            };
            self.finding(rule, *operation, "a plain request", got.clone());
        }
        let broken = self.broken.clone();
        for (operation, got) in broken.iter().filter(|(_, got)| matches!(got, Got::NotAnObject(_))) {
            if operation.role() == Role::Layer {
                self.finding(RuleId::new("answer/json-object"), *operation, "a plain request", got.clone());
            }
        }
        let first = [
            Operation::CreateRepository,
            Operation::InitiateLayerUpload,
            Operation::UploadLayerPart,
            Operation::CompleteLayerUpload,
            Operation::BatchCheckLayerAvailability,
        ];
        for operation in first {
            let Some(got) = broken.get(&operation).filter(|got| was_tried(got)) else { continue };
            let rule = if operation == Operation::CreateRepository {
                RuleId::new("survey/CreateRepository")
            } else {
                RuleId::new("survey/plain-upload")
            };
            if operation == Operation::CreateRepository || !matches!(got, Got::NotAnObject(_)) {
                self.finding(rule, operation, "a plain request", got.clone());
            }
            break;
        }
        // Not on the way of an upload, and so no consequence of what came before.
        if let Some(got) = broken.get(&Operation::DeleteRepository) {
            self.finding(
                RuleId::new("survey/DeleteRepository"),
                Operation::DeleteRepository,
                "a plain request",
                got.clone(),
            );
        }
    }

    fn finding(&mut self, rule: RuleId, operation: Operation, breach: &str, got: Got) {
        let known = Rules::of(self.service).get(rule);
        self.findings.push(Finding {
            rule,
            operation: Some(operation),
            tier: known.map_or(Tier::Documented, |rule| rule.tier),
            rejection: None,
            sources: known
                .map(|rule| rule.sources.iter().map(|source| String::from(source.id)).collect())
                .unwrap_or_default(),
            grade: if rule == RuleId::new("answer/json-object") { Grade::Form } else { Grade::Rejected },
            about: rule,
            also_broken: Vec::new(),
            accept_as: rule,
            step: String::from("survey"),
            breach: String::from(breach),
            expected: match (rule, operation) {
                (SERVICE, _) => Expected::Service(self.service),
                (_, Operation::GetDownloadUrlForLayer) => Expected::DocumentedResponse,
                _ => Expected::success(),
            },
            got,
            client: None,
            witness: None,
        });
    }

    /// Whether BatchCheckLayerAvailability saw the layer come.
    fn availability(&mut self, case: &Case, transcript: &Transcript) -> bool {
        let operation = Operation::BatchCheckLayerAvailability;
        let (Some(before), Some(after)) = (body_of(case, transcript, "before"), body_of(case, transcript, "after"))
        else {
            return false;
        };
        let digest = transcript.bindings.value(&Reference::sha256("layer")).unwrap_or_default();
        let is_there = |body: &serde_json::Map<String, Value>| {
            let listed = body.get("layers").and_then(Value::as_array).into_iter().flatten();
            listed.into_iter().any(|layer| layer["layerDigest"] == digest && layer["layerAvailability"] == "AVAILABLE")
        };
        let (was_absent, is_there) = (!is_there(&before), is_there(&after));
        let completed = self.is_fine(Operation::CompleteLayerUpload) && self.is_fine(operation);
        if completed && !(was_absent && is_there) {
            let got = if was_absent { Got::AbsentAfterUpload } else { Got::PresentBeforeUpload };
            self.finding(RuleId::new("survey/availability"), operation, "a plain request", got);
            if let Some(finding) = self.findings.last_mut() {
                finding.grade = Grade::State;
                finding.expected = Expected::LayerAfterUpload;
            }
        }
        completed && was_absent && is_there
    }

    /// A target that answers nothing as the service does has no service: then that is the only finding.
    fn untestable(&mut self, transcript: &Transcript, repository: bool) -> Option<NotJudged> {
        let answered = transcript.exchanges.iter().any(|exchange| {
            exchange.request.operation().is_some_and(|operation| exchange.is_documented(self.service, operation))
        });
        if !answered {
            let got = self.unknown.values().chain(self.broken.values()).next().cloned();
            let got = got.unwrap_or(Got::NotReached);
            let operation = if self.unknown.contains_key(&Operation::CreateRepository) {
                Operation::CreateRepository
            } else {
                Operation::BatchCheckLayerAvailability
            };
            self.findings.clear();
            self.finding(SERVICE, operation, "a plain request", got);
            return Some(NotJudged::NotServed { service: self.service });
        }
        (!repository).then_some(NotJudged::NoRepositories)
    }
}

/// Makes the repository of the survey. One that is there already is of the look before this one, at a target that lost its
/// answers: nobody else has such a name.
async fn create(target: &Target, service: Service, making: Making, name: &str) -> Result<Exchange, Exchange> {
    let created = drive::create_repository(target, service, making, name).await;
    let exists = |seen: &Observation| seen.error_name() == Some("RepositoryAlreadyExistsException");
    match &created {
        Err(exchange) if exchange.observed().is_ok_and(exists) => {
            drive::delete_repository(target, service, name).await;
            drive::create_repository(target, service, making, name).await
        }
        _ => created,
    }
}

/// How long is asked again for what should have been there.
const LONGEST_LATENESS: Duration = Duration::from_millis(600);

/// Asks the same again until the answer is right, or it is too late. How much later that was.
async fn later(
    target: &Target,
    service: Service,
    exchange: &Exchange,
    is_right: fn(&Observation) -> bool,
) -> Option<Duration> {
    let began = Instant::now();
    while began.elapsed() < LONGEST_LATENESS {
        drive::pause().await;
        let again = target.send(service, &exchange.request).await.ok()?;
        if is_right(again.observed().ok()?) {
            return Some(began.elapsed());
        }
    }
    None
}

/// Whether an answer has what the calls after it need.
fn gives_id(operation: Operation, exchange: &Exchange) -> bool {
    let members = exchange.observed().ok().and_then(Observation::success);
    operation != Operation::InitiateLayerUpload
        || members.is_some_and(|members| members.get("uploadId").is_some_and(Value::is_string))
}

/// Whether an answer to a CreateRepository may be about the name, or about what is missing.
fn is_picky(exchange: &Exchange) -> bool {
    let is_about_it =
        |seen: &Observation| seen.is_client_fault() && seen.error_name().is_some() && !seen.is_throttled();
    let is_unknown = |seen: &Observation| seen.error_name() == Some("UnknownOperationException");
    exchange.observed().is_ok_and(|seen| is_about_it(seen) && !is_unknown(seen))
}

/// Whether the survey came to an operation.
fn was_tried(got: &Got) -> bool {
    !matches!(got, Got::NotReached | Got::NoRepository)
}

/// Whether an answer is a success whose body is no JSON object.
fn is_bare(exchange: &Exchange) -> bool {
    exchange.observed().is_ok_and(|seen| seen.decoded == Decoded::NotAnObject)
}

/// Whether an answer rejects a request in JSON without naming a type: that is said of every answer, and once.
fn is_untyped_rejection(exchange: &Exchange) -> bool {
    let is_untyped = |seen: &Observation| match &seen.decoded {
        // Who shows no HTTP may show no members of an error either.
        Decoded::Error { error, members } if seen.is_client_fault() => {
            error.name.is_none() && (seen.http().is_none() || !members.is_empty())
        }
        _ => false,
    };
    exchange.observed().is_ok_and(is_untyped)
}

fn body_of(case: &Case, transcript: &Transcript, name: &str) -> Option<serde_json::Map<String, Value>> {
    let index = case.steps.iter().position(|step| step.name == name)?;
    transcript.exchanges.get(index)?.observed().ok()?.members().cloned()
}

/// A member of the first answer that has it.
fn member(transcript: &Transcript, name: &str) -> Option<Value> {
    let bindings: &Bindings = &transcript.bindings;
    let of_name = |reference: &Reference| matches!(reference, Reference::Member(of) if of.member == name);
    bindings.iter().find(|(reference, _)| of_name(reference)).map(|(_, value)| value.clone())
}

/// The alias in the URI of a repository: the one segment between the host and the name of the repository, if it has the form
/// of an alias. Any other URI has none; nor is `v2` one, which is where registries have their API.
fn alias_in(uri: &str, name: &str) -> Option<String> {
    let registry = uri.strip_suffix(name)?.strip_suffix('/')?;
    let (host, alias) = registry.split_once('/')?;
    let is_alias = matches!(&REGISTRY_ALIAS.kind, Kind::Text(text) if first_broken(text, alias).is_none());
    (!host.is_empty() && is_alias && alias != "v2").then(|| String::from(alias))
}

fn digits(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    (text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| String::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_is_what_stands_between_host_and_name() {
        let name = "ecrspec-1/survey";
        for (uri, alias) in [
            ("public.ecr.aws/q2w4e6r8/ecrspec-1/survey", Some("q2w4e6r8")),
            ("localhost:5000/some-team.images/ecrspec-1/survey", Some("some-team.images")),
            // No segment, several, an account id, one that is too short or too long for an alias, and another scheme.
            ("localhost:5000/ecrspec-1/survey", None),
            ("012345678910.dkr.ecr.us-east-1.amazonaws.com/ecrspec-1/survey", None),
            ("localhost:5000/v2/ecrspec-1/survey", None),
            ("localhost:5000/v2/q2w4e6r8/ecrspec-1/survey", None),
            ("localhost:5000/012345678910/ecrspec-1/survey", None),
            ("localhost:5000/q/ecrspec-1/survey", None),
            ("localhost:5000/Q2w4e6r8/ecrspec-1/survey", None),
            ("localhost:5000//ecrspec-1/survey", None),
            ("/q2w4e6r8/ecrspec-1/survey", None),
            ("https://public.ecr.aws/q2w4e6r8/ecrspec-1/survey", None),
            // Of another repository, or of none.
            ("public.ecr.aws/q2w4e6r8/ecrspec-1/other", None),
            ("public.ecr.aws/q2w4e6r8-ecrspec-1/survey", None),
            ("ecrspec-1/survey", None),
            ("", None),
        ] {
            assert_eq!(alias_in(uri, name).as_deref(), alias, "{uri}");
        }
        let longest = "a".repeat(50);
        assert_eq!(alias_in(&format!("public.ecr.aws/{longest}/{name}"), name), Some(longest));
        assert_eq!(alias_in(&format!("public.ecr.aws/{}/{name}", "a".repeat(51)), name), None);
    }
}
