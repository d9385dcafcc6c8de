//! Holds a transcript against the expectations of its case. Pure: no I/O, no clock, no target.

pub mod expected;
pub mod finding;
mod form;
pub mod got;
pub mod known;
mod lookup;
#[doc(hidden)]
pub mod matching;
mod not_judged;
mod sent;
#[doc(hidden)]
pub mod snapshot;
pub mod words;

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::case::{Case, Step, StepRole, Stopped, Transcript};
use crate::contract::{Area, Kind, Operation, OperationSpec, Question, RuleId, Rules, Shape, Tier};
use crate::expect::Outcome;
use crate::wire::envelope::ErrorInfo;
use crate::wire::{Exchange, Observation};

pub use expected::Expected;
pub use finding::{Finding, Grade, Witness};
pub use form::unseen;
pub use got::{Got, Head, Slip};
pub use not_judged::{NotJudged, Obstacle, infrastructure};

/// What is said of a case.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Verdict {
    /// Every answer is allowed.
    Pass,
    /// Some answer is not.
    Fail {
        /// The rules that were broken; the first is the one that the case is about, unless only the form is wrong.
        findings: Vec<Finding>,
    },
    /// The target, or the way to it, did not let itself be judged: no connection, throttled, silent on a valid request.
    Inconclusive {
        /// Why.
        reason: NotJudged,
    },
    /// Not run.
    Skipped {
        /// Why.
        reason: NotJudged,
    },
}

impl Verdict {
    /// The rules that were broken; none unless it is a failure.
    pub fn findings(&self) -> &[Finding] {
        match self {
            Verdict::Fail { findings } => findings,
            _ => &[],
        }
    }
}

/// What a target did where the documents leave it open.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Record {
    /// What is open.
    pub rule: Question,
    /// What was answered.
    pub got: Got,
}

/// How to judge.
#[derive(Clone, Copy, Debug)]
pub struct JudgeOptions {
    /// Compare message texts where a real trace gives them.
    pub messages: bool,
    /// The survey found that BatchCheckLayerAvailability tells stored layers from absent ones: judge by it.
    pub availability: bool,
    /// The weakest tier that counts: what breaks a weaker statement is recorded, as what breaks an open one is.
    pub tier: Tier,
}

/// Judges what is said of a case, whatever it rests on, except message texts and availability.
impl Default for JudgeOptions {
    fn default() -> JudgeOptions {
        JudgeOptions { messages: false, availability: false, tier: Tier::Open }
    }
}

/// Judges a transcript, and records what was answered to open questions.
pub fn judge(case: &Case, transcript: &Transcript, options: JudgeOptions) -> (Verdict, Vec<Record>) {
    let (verdict, records) = steps(case, transcript, options);
    match (verdict, rejected_attempt(case, transcript)) {
        // What the case is about was never reached. Where it is an odd name, its twin without the repository finds the same.
        (Verdict::Fail { findings }, Some(attempt)) if comes_of(&findings, case, attempt) => {
            (Verdict::Skipped { reason: NotJudged::RepositoryRejected }, records)
        }
        (verdict, _) => (verdict, records),
    }
}

/// Whether the answer to a step is allowed, its form aside; and then, whether its members are as they should be.
pub fn allows(
    case: &Case,
    step: &Step,
    transcript: &Transcript,
    exchange: &Exchange,
    options: JudgeOptions,
) -> Option<bool> {
    if is_passed_over(step, options) {
        return Some(true);
    }
    let form = Subject { case, step, transcript, options }.exchange(exchange).ok()?;
    Some(!form.iter().any(|finding| finding.rule.is_about_response()))
}

/// Whether the answer to a step is not looked at.
fn is_passed_over(step: &Step, options: JudgeOptions) -> bool {
    let by_availability = step.expect.rule.is_about(Operation::BatchCheckLayerAvailability, "layers");
    step.role == StepRole::Attempt || (by_availability && !options.availability)
}

/// The rule that each upload has an id of its own.
const OWN_ID: RuleId = RuleId::new("InitiateLayerUpload/uploadId/own");

/// The upload that a call began, if it did: its repository and its id. No other call may begin the same one, until one
/// comes that [`may_end_uploads`]: whether an id is given again after that, is not documented.
pub fn begun(step: &Step, exchange: &Exchange) -> Option<(String, String)> {
    let began = step.operation == Some(Operation::InitiateLayerUpload) && step.role != StepRole::Attempt;
    let answer = exchange.observed().ok().filter(|_| began)?.success()?;
    let request: Value = serde_json::from_slice(&exchange.request.body.abridged()).ok()?;
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(String::from);
    Some((text(request.get("repositoryName"))?, text(answer.get("uploadId"))?))
}

/// Whether uploads may have ended by a call, whatever was answered to it.
pub fn may_end_uploads(step: &Step) -> bool {
    step.operation.is_some_and(Operation::may_end_uploads)
}

/// The first step with which the case tried to make or remove a repository, and the target did not. In a sequence that was
/// drawn, and of calls at once, it is known what that means for the others.
fn rejected_attempt(case: &Case, transcript: &Transcript) -> Option<usize> {
    let mut steps = case.steps.iter().zip(&transcript.exchanges);
    let rejected = steps.position(|(step, exchange)| {
        let manages = step.operation.is_some_and(Operation::manages_repositories);
        let done = exchange.observed().is_ok_and(|seen| !seen.is_error());
        step.role == StepRole::Attempt && manages && !done
    });
    rejected.filter(|_| case.plan.is_none() && !case.is_race())
}

/// Whether the findings, but for those of form, are of steps after this one.
fn comes_of(findings: &[Finding], case: &Case, attempt: usize) -> bool {
    let earlier = |finding: &&Finding| case.steps[..=attempt].iter().any(|step| step.name == finding.step);
    let mut serious = findings.iter().filter(|finding| finding.grade != Grade::Form).peekable();
    serious.peek().is_some() && !serious.any(|finding| earlier(&finding))
}

fn steps(case: &Case, transcript: &Transcript, options: JudgeOptions) -> (Verdict, Vec<Record>) {
    let mut findings = Vec::new();
    let mut records = Vec::new();
    // The uploads that were begun since uploads may have ended.
    let mut open: HashSet<(String, String)> = HashSet::new();
    for (index, (step, exchange)) in case.steps.iter().zip(&transcript.exchanges).enumerate() {
        let skip = is_passed_over(step, options);
        if let Some(obstacle) = infrastructure(step.expect.is_success(), exchange) {
            return (ended(findings, Verdict::Inconclusive { reason: obstacle.of(step.operation) }), records);
        }
        if let Some(reason) = limit(step, exchange) {
            return (ended(findings, Verdict::Skipped { reason }), records);
        }
        let judged = Subject { case, step, transcript, options };
        if may_end_uploads(step) {
            open.clear();
        }
        let form = match skip {
            true => Ok(Vec::new()),
            false => judged.exchange(exchange).and_then(|form| judged.own_id(exchange, &open).map(|()| form)),
        };
        open.extend(begun(step, exchange));
        match form {
            // The same slip in every answer of a case is one finding.
            Ok(form) => form.into_iter().filter(|finding| finding.tier <= options.tier).for_each(|finding| {
                if !findings.iter().any(|known: &Finding| known.rule == finding.rule && known.got == finding.got) {
                    findings.push(finding);
                }
            }),
            // The state is as it should be: a sequence that was drawn has more to tell.
            Err(finding) if finding.tier > options.tier => {
                records.push(Record { rule: Question::Rule(finding.rule), got: finding.got.clone() });
                if !leaves_state_certain(&finding, step) && index + 1 < case.steps.len() {
                    let reason = NotJudged::Weaker { step: step.name.clone(), rule: finding.rule, tier: finding.tier };
                    return (ended(findings, Verdict::Skipped { reason }), records);
                }
            }
            Err(finding) if case.plan.is_some() && leaves_state_certain(&finding, step) => findings.push(*finding),
            Err(finding) => {
                // What the case is about comes first; a sequence is about all its calls.
                let place = if case.plan.is_some() { findings.len() } else { 0 };
                findings.insert(place, *finding);
                return (Verdict::Fail { findings }, records);
            }
        }
        let is_open = step.expect.tier == Tier::Open || (step.expect.error_tier() == Tier::Open && is_error(exchange));
        let question = is_open.then_some(Question::Rule(step.expect.rule));
        let asked = question.into_iter().chain(step.precedence).filter(|_| !skip);
        records.extend(asked.map(|rule| Record { rule, got: describe(exchange) }));
        if !judged.goes_on(exchange) {
            return (ended(findings, Verdict::Skipped { reason: judged.ended(exchange) }), records);
        }
    }
    let verdict = match (findings.is_empty(), &transcript.stopped) {
        (false, _) => Verdict::Fail { findings },
        // It was the client that did not send it: that says nothing about the target, now or later.
        (true, Some(stopped @ Stopped::Unsendable { .. })) => Verdict::Skipped { reason: stopped.into() },
        (true, Some(stopped)) => Verdict::Inconclusive { reason: stopped.into() },
        (true, None) => Verdict::Pass,
    };
    (verdict, records)
}

/// The verdict where a case ends early: what was found counts, and otherwise why it ended.
fn ended(findings: Vec<Finding>, otherwise: Verdict) -> Verdict {
    if findings.is_empty() { otherwise } else { Verdict::Fail { findings } }
}

fn is_error(exchange: &Exchange) -> bool {
    exchange.observed().is_ok_and(Observation::is_error)
}

/// A documented limit of the account that a valid call has met: which, no document that the target follows need say.
fn limit(step: &Step, exchange: &Exchange) -> Option<NotJudged> {
    let seen = exchange.observed().ok()?;
    let limited = step.expect.is_success() && seen.error_name() == Some("LimitExceededException");
    limited.then(|| NotJudged::LimitExceeded { operation: step.operation, got: describe(exchange) })
}

/// Whether a target did what it should, and said it wrongly.
fn leaves_state_certain(finding: &Finding, step: &Step) -> bool {
    match finding.grade {
        Grade::Error | Grade::Slow => true,
        Grade::State | Grade::Form => step.expect.is_success(),
        Grade::Crash | Grade::Rejected => false,
    }
}

/// What came back. Findings with the same code have the same cause.
pub fn describe(exchange: &Exchange) -> Got {
    exchange.observed().map_or_else(Got::Transport, describe_observed)
}

fn describe_observed(seen: &Observation) -> Got {
    let head = head(seen);
    match seen.error() {
        Some(ErrorInfo { name: Some(name), .. }) => Got::Error { head, name: name.clone() },
        Some(ErrorInfo { name: None, .. }) => Got::Untyped(head),
        None => Got::Response(head),
    }
}

/// How a response says whether it is a success.
fn head(seen: &Observation) -> Head {
    match seen.status() {
        Some(status) => Head::Status(status),
        None if seen.is_error() => Head::Error,
        None => Head::Success,
    }
}

/// How a success is said where its own status is another rule's.
fn plain_head(seen: &Observation) -> Head {
    if seen.status().is_some() { Head::Status(200) } else { Head::Success }
}

/// A step and what is needed to judge its exchange.
struct Subject<'a> {
    case: &'a Case,
    step: &'a Step,
    transcript: &'a Transcript,
    options: JudgeOptions,
}

impl Subject<'_> {
    /// Findings about form if the answer is allowed, or the finding that it is not.
    fn exchange(&self, exchange: &Exchange) -> Result<Vec<Finding>, Box<Finding>> {
        match exchange.observed() {
            Ok(seen) => told(seen, self.with_flaws(exchange, seen, self.response(exchange, seen))),
            Err(trouble) => Err(self.finding(RuleId::new("always/answered"), Grade::Crash, Got::Transport(trouble))),
        }
    }

    fn response(&self, exchange: &Exchange, seen: &Observation) -> Result<Vec<Finding>, Box<Finding>> {
        let got = describe_observed(seen);
        let expect = &self.step.expect;
        if seen.is_server_fault() && !expect.is_success() {
            return Err(self.finding(RuleId::new("always/no-5xx"), Grade::Crash, got));
        }
        let Some(error) = seen.error() else {
            if !expect.outcomes.iter().any(Outcome::is_success) {
                return Err(self.finding(expect.rule, Grade::State, got));
            }
            return self.success(exchange, seen);
        };
        let named = |name: &Option<String>| {
            expect.outcomes.iter().find_map(|outcome| match outcome {
                Outcome::Error { error: allowed, members } if name.as_deref() == Some(allowed.name) => {
                    Some((*allowed, members))
                }
                _ => None,
            })
        };
        // Right in one place and wrong in another: which of them a client takes, depends on the client.
        let by_type = || named(&error.typed);
        let allowed = named(&error.name);
        if let Some((allowed, members)) = allowed.or_else(by_type) {
            let form = || self.error_form(seen, error, allowed, members);
            return Ok(if self.is_addressed() { form() } else { Vec::new() });
        }
        if expect.is_success() {
            return Err(self.finding(expect.rule, Grade::Rejected, got));
        }
        match &error.name {
            _ if expect.tier == Tier::Open => Ok(Vec::new()),
            None if !self.is_addressed() && seen.is_client_fault() => Ok(Vec::new()),
            None => Err(self.finding(RuleId::new("answer/error-type"), Grade::Error, got)),
            Some(_) if expect.error_tier() == Tier::Open => Ok(Vec::new()),
            Some(_) => Err(self.finding(expect.rule, Grade::Error, got)),
        }
    }

    /// Whether the request reaches an operation. Who rejects another, a router or a proxy, need not know the protocol.
    fn is_addressed(&self) -> bool {
        self.step.operation.is_some() && self.step.request.method == "POST"
    }

    fn success(&self, exchange: &Exchange, seen: &Observation) -> Result<Vec<Finding>, Box<Finding>> {
        if self.is_open_protocol() {
            return Ok(Vec::new()); // It may have answered something else altogether.
        }
        let Some(body) = seen.success() else {
            return Err(self.finding(RuleId::new("answer/json-object"), Grade::Form, Got::NotAnObject(head(seen))));
        };
        let by_digest = |members: &&Map<String, Value>| lookup::is_of_each(self.step.operation, members);
        let pinned: Vec<_> = self
            .step
            .expect
            .outcomes
            .iter()
            .filter(|outcome| outcome.is_success())
            .map(Outcome::members)
            .filter(|members| !by_digest(members))
            .collect();
        let operation = self.step.spec(self.case.service);
        let misses: Vec<_> = pinned
            .iter()
            .map(|members| present(members, body, operation))
            .filter_map(|members| matching::first_miss(&members, body, &self.transcript.bindings))
            .collect();
        if misses.len() == pinned.len()
            && let Some(miss) = misses.into_iter().next()
        {
            // What a layer rule says of the answer's members is its own; otherwise the member's rule is broken.
            let about = self.step.expect.rule;
            let member = operation.and_then(|operation| operation.output(&miss.member));
            let rule = match (member, self.step.operation) {
                (Some(member), Some(operation)) if about.subject() != "layers" => {
                    RuleId::of_response(operation, member.name)
                }
                _ => about,
            };
            // Who leaves out a list says that it is empty.
            let is_form = miss.absent && !miss.expected.is_array();
            let grade = if is_form { Grade::Form } else { Grade::State };
            let mut finding = self.finding(rule, grade, miss.got(head(seen), None));
            finding.expected = miss.expected(&Outcome::success());
            return Err(finding);
        }
        self.each_digest(exchange, body, head(seen))?;
        Ok(self.success_form(exchange, seen, body))
    }

    /// Whether it is open what the request calls: its method, target or content type is another. That of an odd body or
    /// framing is known.
    fn is_open_protocol(&self) -> bool {
        let rule = self.step.expect.rule;
        let is_open = self.step.expect.tier == Tier::Open && rule.area() == Area::Wire;
        is_open && !matches!(rule.subject(), "body" | "framing")
    }

    /// The finding that an upload has the id of an earlier one that is open.
    fn own_id(&self, exchange: &Exchange, open: &HashSet<(String, String)>) -> Result<(), Box<Finding>> {
        if !begun(self.step, exchange).is_some_and(|own| open.contains(&own)) {
            return Ok(());
        }
        let (path, head) = (String::from("uploadId"), exchange.observed().map_or(Head::Success, plain_head));
        let got = Got::Member { head, error: None, path, slip: Slip::NotUnique };
        let mut finding = self.finding(OWN_ID, Grade::State, got);
        finding.expected = Expected::UniqueUploadId;
        Err(finding)
    }

    /// Whether what follows rests on this answer: the step says from which answers the case goes on.
    fn goes_on(&self, exchange: &Exchange) -> bool {
        let is = |outcome: &Outcome| {
            let Ok(seen) = exchange.observed() else { return false };
            let same = match outcome {
                Outcome::Success { .. } => !seen.is_error(),
                Outcome::Error { error: named, .. } => seen.error_name() == Some(named.name),
            };
            let none = Map::new();
            let members = seen.members().unwrap_or(&none);
            same && matching::first_miss(outcome.members(), members, &self.transcript.bindings).is_none()
        };
        self.step.only_if.is_empty() || self.step.only_if.iter().any(is)
    }

    /// Why the case does not go on.
    fn ended(&self, exchange: &Exchange) -> NotJudged {
        let only_if = Expected::outcomes(&self.step.only_if);
        NotJudged::Ended { step: self.step.name.clone(), got: describe(exchange), only_if }
    }

    fn finding(&self, rule: RuleId, grade: Grade, got: Got) -> Box<Finding> {
        let expect = &self.step.expect;
        let rules = Rules::of(self.case.service);
        let known = rules.get(rule);
        let beside = &self.step.also_broken;
        // That a request is rejected is one thing, with which error another.
        let error_basis = expect.error_basis.as_ref().filter(|_| grade == Grade::Error && rule == expect.rule);
        let (tier, sources) = match (error_basis, known) {
            (Some(basis), _) => (basis.tier, &basis.sources),
            (None, Some(rule)) => (rule.tier, &rule.sources),
            (None, None) => (expect.tier, &expect.sources),
        };
        Box::new(Finding {
            rule,
            operation: self.step.operation,
            tier,
            sources: sources.iter().map(|source| String::from(source.id)).collect(),
            rejection: error_basis.map(|_| expect.tier),
            grade,
            about: expect.rule,
            also_broken: beside.clone(),
            accept_as: Finding::acceptable_as(rule, expect.rule),
            step: self.step.name.clone(),
            breach: Finding::breach_of(rules, expect.rule, beside),
            expected: match expect.tier {
                Tier::Open if rule.area() == Area::Always => Expected::NoServerFault,
                _ => Expected::outcomes(&expect.outcomes),
            },
            got,
            client: None,
            witness: None,
        })
    }
}

/// What was found, with what the client tells whoever calls it.
fn told(seen: &Observation, found: Result<Vec<Finding>, Box<Finding>>) -> Result<Vec<Finding>, Box<Finding>> {
    let with_words = |finding: Finding| Finding { client: seen.words.clone(), ..finding };
    match found {
        Ok(form) => Ok(form.into_iter().map(with_words).collect()),
        Err(finding) => Err(Box::new(with_words(*finding))),
    }
}

/// The pins of members that the answer has: one that is missing is a matter of form, and hides no wrong value. A list that
/// is left out is empty, and an optional member may be.
fn present(
    pinned: &Map<String, Value>,
    body: &Map<String, Value>,
    operation: Option<&OperationSpec>,
) -> Map<String, Value> {
    let found = |name: &str| body.get(name).filter(|value| !value.is_null());
    let has_items = |value: &Value| value.as_array().is_some_and(|items| !items.is_empty());
    let kept = pinned.iter().filter(|(name, value)| found(name).is_some() || has_items(value));
    kept.map(|(name, value)| {
        let shape = operation.and_then(|operation| operation.output(name)).map(|member| member.shape);
        let value = match (shape, found(name)) {
            (Some(shape), Some(found)) => without_optional(shape, value, found),
            _ => value.clone(),
        };
        (name.clone(), value)
    })
    .collect()
}

/// A pin without the optional members that are not there.
fn without_optional(shape: &Shape, pinned: &Value, found: &Value) -> Value {
    match (&shape.kind, pinned, found) {
        (Kind::List { item, .. }, Value::Array(pins), Value::Array(items)) if pins.len() == items.len() => {
            pins.iter().zip(items).map(|(pin, found)| without_optional(item, pin, found)).collect()
        }
        (Kind::Structure(members), Value::Object(pins), Value::Object(found)) => {
            let is_left_out = |name: &str| found.get(name).is_none_or(Value::is_null);
            let may_be = |name: &str| members.iter().any(|member| member.name == name && !member.required);
            let kept = pins.iter().filter(|(name, _)| !(is_left_out(name) && may_be(name)));
            Value::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
        }
        _ => pinned.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::case::Bindings;
    use crate::case::draft::{Draft, HERE};
    use crate::contract::{ErrorType, Service};
    use crate::model::operation::body;
    use crate::template::Reference;
    use crate::wire::{Response, envelope};

    /// The verdict on a case that tries a completion, and goes on from there only if it was rejected in one way.
    fn verdict(answers: &[Response], members: Value) -> Verdict {
        let digest = "sha256:00";
        let mut case = Draft::new(Service::Ecr, "some/case", "some case")
            .attempt("complete", Operation::CompleteLayerUpload, body::complete(HERE, "upload", &[digest]))
            .focus(RuleId::new("InitiateLayerUpload/accepted"), Operation::InitiateLayerUpload, body::repository(HERE))
            .done();
        let error = ErrorType::find("UploadNotFoundException").unwrap();
        case.steps[0].only_if = vec![Outcome::Error { error, members: members.as_object().cloned().unwrap() }];
        let exchange = |(step, answer): (&Step, &Response)| {
            let request = step.request.with_body(step.request.body.to_bytes());
            Exchange::new(request, Ok(answer.clone()), Duration::ZERO, Duration::ZERO)
        };
        let mut bindings = Bindings::new(&[], "", 0);
        bindings.bind(Reference::member("upload", "uploadId"), "U1");
        let exchanges = case.steps.iter().zip(answers).map(exchange).collect();
        judge(&case, &Transcript { bindings, ..Transcript::of(&case, exchanges) }, JudgeOptions::default()).0
    }

    #[test]
    fn a_case_goes_on_only_from_the_answers_that_it_names() {
        let rejected = |name: &str, members| envelope::error_response(ErrorType::find(name).unwrap(), "no", members);
        let wrong = envelope::response(200, &json!({"partSize": 1}));
        let not_found = rejected("UploadNotFoundException", json!({"uploadId": "U1"}));
        let reason = |got: &str| {
            let only_if = "400 UploadNotFoundException".parse().unwrap();
            let step = String::from("complete");
            Verdict::Skipped { reason: NotJudged::Ended { step, got: got.parse().unwrap(), only_if } }
        };
        assert!(matches!(verdict(&[not_found.clone(), wrong.clone()], json!({})), Verdict::Fail { .. }));
        assert_eq!(verdict(&[envelope::response(200, &json!({})), wrong.clone()], json!({})), reason("200"));
        let empty = rejected("EmptyUploadException", json!({}));
        assert_eq!(verdict(&[empty, wrong.clone()], json!({})), reason("400 EmptyUploadException"));
        // Members that are pinned must be as pinned.
        let pinned = json!({"uploadId": "${upload.uploadId}"});
        assert!(matches!(verdict(&[not_found.clone(), wrong.clone()], pinned), Verdict::Fail { .. }));
        let other = json!({"uploadId": "U2"});
        assert_eq!(verdict(&[not_found, wrong], other), reason("400 UploadNotFoundException"));
    }
}
