//! The English of findings. All of it is made here, from codes: change a sentence, and no file of a user changes.

use std::fmt;

use super::expected::Expected;
use super::finding::{Finding, Grade, member_constraint};
use super::got::{Got, Head, Slip};
use super::not_judged::NotJudged;
use crate::contract::{Area, Operation, RuleId, Service};
use crate::expect::short;
use crate::wire::{CONTENT_TYPE, Flaw, Shows, TransportError};

impl Finding {
    /// The finding as a sentence: see [`sentence`].
    pub fn sentence(&self) -> String {
        sentence(self)
    }

    /// The sentence that findings of one cause share: see [`sentence_for`].
    pub fn sentence_for(&self, about: &[RuleId]) -> String {
        sentence_for(self, about)
    }
}

/// In words: see [`not_judged`].
impl fmt::Display for NotJudged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&not_judged(self))
    }
}

/// The finding as a sentence: "CompleteLayerUpload accepts a digest that does not match the bytes".
pub fn sentence(finding: &Finding) -> String {
    sentence_on(finding, &finding.breach)
}

/// The sentence that findings of one cause share. `about` are the rules that their steps are about: of those of this
/// operation, the broken constraints are named.
pub fn sentence_for(finding: &Finding, about: &[RuleId]) -> String {
    let area = finding.about.area();
    let mut broken: Vec<&str> = about
        .iter()
        .filter(|rule| rule.area() == area)
        .filter_map(|rule| member_constraint(*rule))
        .map(|(_, constraint)| constraint)
        .collect();
    broken.sort_unstable();
    broken.dedup();
    match member_constraint(finding.about) {
        Some((member, _)) if broken.len() > 1 && area == Area::Wire => {
            sentence_on(finding, &format!("a {member} outside of the protocol ({})", broken.join(", ")))
        }
        Some((member, _)) if broken.len() > 1 => {
            sentence_on(finding, &format!("{member} outside of its constraints ({})", broken.join(", ")))
        }
        _ => sentence(finding),
    }
}

/// What a client does not show that shows so much.
pub fn not_shown(shows: Shows) -> &'static str {
    match shows {
        Shows::Outcome => "no HTTP responses, and of an error no members",
        Shows::Members => "no HTTP responses",
        Shows::Status => "of HTTP responses the status alone",
        Shows::Http => "everything",
    }
}

/// Who answers: an operation, or the server where the request names none.
pub fn answering(operation: Option<Operation>) -> &'static str {
    operation.map_or("the server", Operation::name)
}

fn sentence_on(finding: &Finding, breach: &str) -> String {
    let Finding { operation, expected, .. } = finding;
    let operation = answering(*operation);
    let came = got(&finding.got);
    if finding.rule == RuleId::new("survey/service") {
        return format!("the target does not serve the service: {operation} answers {came}");
    }
    if finding.rule == RuleId::new("survey/availability") {
        return format!("{operation} does not tell a stored layer from an absent one: {came}");
    }
    if finding.rule.is("known") {
        return format!("{operation} is not known: {breach} is answered with {came}");
    }
    match (finding.grade, &finding.got) {
        (Grade::Crash, Got::Transport(trouble)) => match trouble {
            TransportError::Silent => format!("{operation} gives no response in time to {breach}"),
            TransportError::Dropped => format!("{operation} drops the connection on {breach}"),
            TransportError::Garbage => format!("{operation} gives an invalid HTTP response to {breach}"),
            TransportError::TooLarge => format!("{operation} gives {came} to {breach}"),
            TransportError::Unreachable(_) => format!("{operation}: {came} for {breach}"),
        },
        (Grade::State, Got::ErrorStatus(_)) => format!("{operation} answers {came}"),
        (Grade::State, _) if expected.allows_success() => format!("{operation} answers {came}"),
        (Grade::State, _) => format!("{operation} accepts {breach}"),
        (Grade::Rejected, _) => format!("{operation} rejects {breach}: {came}"),
        (Grade::Crash | Grade::Error, _) => format!("{operation} answers {came} to {breach}"),
        (Grade::Form, _) => format!("{operation} answers {came}"),
        (Grade::Slow, _) => format!("{operation} is slow to answer {breach}"),
    }
}

/// What the grade of a finding means.
pub fn grade(finding: &Finding) -> &'static str {
    match finding.grade {
        Grade::Crash if finding.expected.is_success() => "no complete HTTP response to a valid request",
        Grade::Crash if finding.expected.allows_success() || finding.expected == Expected::NoServerFault => {
            "a 5xx, or no complete HTTP response, where the documents leave the response open"
        }
        Grade::Crash => "a 5xx, or no complete HTTP response, to an invalid request",
        Grade::State => "accepted what must be rejected; wrong bytes, digest or state",
        Grade::Rejected => "rejected what must be accepted",
        Grade::Error => "the wrong error type",
        Grade::Form => "the right decision with a malformed response",
        Grade::Slow => "a response after more than a second, and 50 times what a valid request takes",
    }
}

/// What came, as it stands after "answers".
pub fn got(got: &Got) -> String {
    match got {
        Got::Response(head) => head_of(*head),
        Got::Error { head, name } => format!("{} {name}", head_of(*head)),
        Got::Untyped(head) => format!("{} without an error type", head_of(*head)),
        Got::NotAnObject(head) => format!("{} with a body that is no JSON object", head_of(*head)),
        Got::NotOfTheOperation(head) => format!("{} with a body that is no answer of the operation", head_of(*head)),
        Got::Member { head, error, path, slip } => {
            let error = error.as_ref().map_or_else(String::new, |name| format!(" {name}"));
            let head = head_of(*head);
            match slip {
                Slip::Missing => format!("{head}{error} without {path}"),
                Slip::Malformed => format!("{head}{error} with a malformed {path}"),
                Slip::NotEchoed => format!("{head}{error} with a different {path} than was sent"),
                Slip::NotUnique => format!("{head}{error} with the {path} of another upload"),
                Slip::Value(value) => format!("{head}{error} with {path} {value}"),
                Slip::OtherValue => format!("{head}{error} with another {path}"),
            }
        }
        Got::SuccessStatus(status) => format!("status {status} for a success"),
        Got::ErrorStatus(status @ 200..300) => {
            format!("status {status} for a client error, which clients take for a success")
        }
        // OpenAPI conversions of the service model number the errors of an operation so.
        Got::ErrorStatus(status @ 480..490) => {
            format!("status {status} for a client error, which is its row in an OpenAPI conversion and no status")
        }
        Got::ErrorStatus(status) => format!("status {status} for a client error"),
        Got::ContentType(Some(found)) => format!("content type {found}"),
        Got::ContentType(None) => String::from("no content type"),
        Got::TypeNotVisible => String::from("an error type outside of __type"),
        Got::TypeDiffers => String::from("another error type in __type than in the header or code"),
        Got::NoMessage => String::from("an error without a message"),
        Got::MessageText(name) => format!("another message for {name}"),
        Got::Flaw(flaw) => String::from(flawed(*flaw)),
        Got::Transport(trouble) => transport(*trouble),
        Got::NotReached => String::from("not reached"),
        Got::NoRepository => String::from("not tried without a repository"),
        Got::AbsentAfterUpload => String::from("200, and the layer still absent after the upload"),
        Got::Slow => String::from("a response far later than to a valid request"),
        Got::PresentBeforeUpload => String::from("200, and the layer there before the upload"),
    }
}

/// What is wrong with a response as HTTP or as JSON.
fn flawed(flaw: Flaw) -> &'static str {
    match flaw {
        Flaw::Cut => "a response that is shorter than it says",
        Flaw::Excess => "a response with bytes after its end",
        Flaw::TwoLengths => "a response with both Transfer-Encoding and Content-Length",
        Flaw::ByteOrderMark => "JSON with a byte order mark before it",
        Flaw::Prefix => "JSON with something before it",
        Flaw::Trailing => "JSON with something after it",
        Flaw::Incomplete => "JSON that ends too early",
        Flaw::NotUtf8 => "JSON that is not UTF-8",
        Flaw::Compressed => "compressed JSON, and no Content-Encoding",
        Flaw::Quoted => "a JSON string with the object in it",
        Flaw::Repeated => "JSON that has a member twice",
        Flaw::Coded => "a compressed response to a request that accepts none",
        Flaw::NotCoded => "a Content-Encoding that the body does not have",
    }
}

fn head_of(head: Head) -> String {
    match head {
        Head::Status(status) => status.to_string(),
        Head::Success => String::from("success"),
        Head::Error => String::from("an error"),
    }
}

/// Why there is no response.
pub fn transport(trouble: TransportError) -> String {
    match trouble {
        TransportError::Silent => String::from("no response in time"),
        TransportError::Garbage => String::from("an invalid HTTP response"),
        TransportError::TooLarge => String::from("a response too large to read"),
        TransportError::Dropped | TransportError::Unreachable(_) => trouble.to_string(),
    }
}

/// What was expected.
pub fn expected(expected: &Expected) -> String {
    match expected {
        Expected::Outcomes(outcomes) => short(outcomes),
        Expected::Member { outcome, path, value } => format!("{outcome} with {path} {value}"),
        Expected::Shape { member, shape } => format!("{member}: {shape}"),
        Expected::Echo(member) => format!("{member} as it was sent"),
        Expected::UniqueUploadId => String::from("200 with an uploadId of its own"),
        Expected::Status(status) => format!("status {status}"),
        Expected::ContentType => format!("content type {CONTENT_TYPE}"),
        Expected::PlainResponse => String::from("one JSON object in UTF-8, as long as the response says"),
        Expected::VisibleType => String::from("the error type in __type"),
        Expected::Message => String::from("a member message"),
        Expected::MessageText(text) => text.clone(),
        Expected::NoServerFault => String::from("anything but a server fault or silence"),
        Expected::Service(service) => of_service(*service),
        Expected::InTime => String::from("a response about as fast as to a valid request"),
        Expected::DocumentedResponse => String::from("400 LayersNotFoundException, or another error of the operation"),
        Expected::LayerAfterUpload => {
            String::from("200: UNAVAILABLE or MissingLayerDigest before the upload, AVAILABLE after it")
        }
    }
}

fn of_service(service: Service) -> String {
    format!("a response of {service} (a run can leave out a service that is not served)")
}

/// Why a case is not judged.
pub fn not_judged(reason: &NotJudged) -> String {
    match reason {
        NotJudged::Throttled { operation, got } => format!("{}: {}", answering(*operation), throttled(got)),
        NotJudged::LimitExceeded { operation, got: came } => {
            format!("{}: {} to a valid request, which may be a limit of the account", answering(*operation), got(came))
        }
        NotJudged::NoAnswer { operation, got: came } => format!("{}: {}", answering(*operation), got(came)),
        NotJudged::NoRepository { got: came, throttled: is_throttled } => {
            let came = if *is_throttled { throttled(came) } else { got(came) };
            format!("could not create a repository: {came}")
        }
        NotJudged::Unbound { step, reference } => {
            format!("{step} could not be sent: no earlier response has {reference}")
        }
        NotJudged::Unsendable { step, cause } => format!("cannot be sent: {cause} (step {step})"),
        NotJudged::RepositoryRejected => {
            String::from("it is about a repository that the target refused to create or delete, which it is free to do")
        }
        NotJudged::Ended { step, got: came, only_if } => {
            let (came, only_if) = (got(came), expected(only_if));
            format!("its call `{step}` was answered {came}; what it is about can only be tried after {only_if}")
        }
        NotJudged::Weaker { step, rule, tier } => {
            format!("step {step} does not keep {rule}, which is {tier} and not asked for: what follows rests on it")
        }
        NotJudged::TooManyOrders { steps } => format!("gave up looking for an order of the calls after {steps} steps"),
        NotJudged::OneRound { got: came, rounds } => format!("flaky: {} in one of {rounds} rounds", got(came)),
        NotJudged::OneSilence => String::from("flaky: no response the first time, an allowed response the second time"),
        NotJudged::Flaky { finding, shown, tried } => {
            format!("flaky: {finding} (in {shown} of {tried} further tries)")
        }
        NotJudged::Dead => String::from("the target has stopped responding"),
        NotJudged::GaveUpOn { operation } => {
            format!("{operation} has stopped responding, or left too many requests without a response")
        }
        NotJudged::GaveUp => {
            String::from("the target has stopped responding, or left too many requests without a response")
        }
        NotJudged::NotSurveyed => String::from("the service was not surveyed"),
        NotJudged::SurveyUnfinished { cause } => format!("the survey could not be finished: {cause}"),
        NotJudged::NotServed { service } => format!("the target does not serve {service}"),
        NotJudged::ServedSigned { service } => {
            format!("the target serves {service} only with a signature")
        }
        NotJudged::NoSuchRepository { name } => {
            format!(
                "the target has no repository {name:?}, which --repository names; create it first, or leave out the flag"
            )
        }
        NotJudged::NoRepositories => String::from("no repository could be created; a run can be given an existing one"),
        NotJudged::NoDeletion => String::from("the target does not delete repositories"),
        NotJudged::UnknownOperation { operation } => format!("the target does not know {operation}"),
        NotJudged::WithoutOperation { operation } => format!("the run leaves out {operation} (--without)"),
        NotJudged::BrokenOperation { operation } => format!("a plain {operation} does not work on this target"),
        NotJudged::FixedRepository => {
            String::from("it needs repositories of its own, and the run was given one to work in")
        }
        NotJudged::AvailabilityUntrusted => {
            String::from("BatchCheckLayerAvailability does not tell stored layers from absent ones on this target")
        }
        NotJudged::NoAccount => String::from("no response of the target has an account id"),
        NotJudged::NoAlias => String::from(
            "the alias of the registry is not known: no repositoryUri in a response of CreateRepository has it",
        ),
    }
}

fn throttled(got: &Got) -> String {
    let by = got.error().map_or_else(|| got.status().map(|status| status.to_string()), |name| Some(String::from(name)));
    format!("throttled ({})", by.unwrap_or_default())
}
