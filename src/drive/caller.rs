//! Drivers that are no HTTP clients: a command-line tool or an SDK is told what to call, and shows what it made of the
//! response. What only a response shows is not judged then.

use std::fmt;
use std::pin::Pin;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use crate::contract::{Operation, Service};
use crate::template::{Part, Reference, Template};
use crate::wire::{
    Body, Exchange, Framing, Members, Observation, Outgoing, Request, Shows, TransportError, Unsendable, envelope,
};

/// A client of the operations. It is told a call, and shows what came of it: of a success its members, of an error its type,
/// message and members.
pub trait Caller: fmt::Debug + Send + Sync {
    /// What it is called in reports: `the AWS CLI`.
    fn name(&self) -> &str;

    /// What it shows of a response.
    fn shows(&self) -> Shows {
        Shows::Members
    }

    /// Why it cannot make a call, if so: it may look at members by itself. Asked before a case is tried, so where a member
    /// refers to an earlier answer, the reference stands there as text; a number that is not known yet is 0.
    fn cannot_make(&self, service: Service, call: &Call) -> Option<String>;

    /// Makes a call. It is made once: no retries.
    fn make(&self, service: Service, call: Call) -> Calling<'_>;
}

/// A call under way.
pub type Calling<'a> = Pin<Box<dyn Future<Output = Result<Observation, CallError>> + Send + 'a>>;

/// Why nothing was answered to a call.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum CallError {
    /// It was made, and there was no answer.
    NoAnswer(TransportError),
    /// The client did not make it, and why.
    NotMade(String),
}

/// What is called: a request as a client of the operations has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The operation.
    pub operation: Operation,
    /// Its members.
    pub members: Map<String, Value>,
}

/// Why a request is no call of an operation: it differs from one in what no such client lets be changed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NoCall {
    /// Another method.
    #[error("it chooses the method, which is {0:?} here")]
    Method(String),
    /// Another framing.
    #[error("it chooses the framing")]
    Framing,
    /// Other headers, or none that names the operation.
    #[error("it chooses the headers")]
    Headers,
    /// Another body than a JSON object.
    #[error("it writes the body, which is no JSON object here")]
    NotAnObject,
    /// A member twice.
    #[error("it writes the body, which has {0} twice here")]
    Twice(String),
    /// Another text of the JSON: white space, escapes, or numbers in another notation.
    #[error("it writes the body, whose JSON has another text here")]
    Text,
}

impl Call {
    /// The call that a request makes.
    ///
    /// # Errors
    ///
    /// Why it makes none.
    pub fn of(service: Service, request: &Outgoing) -> Result<Call, NoCall> {
        let body = request.body.whole();
        let plain = envelope::plain(service, request.operation(), ());
        let Some(operation) = request.operation() else { return Err(NoCall::Headers) };
        if request.method != plain.method {
            return Err(NoCall::Method(request.method.clone()));
        }
        if request.framing != Framing::Length {
            return Err(NoCall::Framing);
        }
        if request.headers != plain.headers {
            return Err(NoCall::Headers);
        }
        let Members(all) = serde_json::from_slice(&body).map_err(|_| NoCall::NotAnObject)?;
        let is_plain = text_of(&all).as_bytes() == &*body;
        let mut members = Map::new();
        for (name, value) in all {
            if members.contains_key(&name) {
                return Err(NoCall::Twice(name));
            }
            members.insert(name, value);
        }
        if !is_plain {
            return Err(NoCall::Text);
        }
        Ok(Call { operation, members })
    }
}

/// The text of an object with these members, as clients write it: without white space and without an escape that is not
/// needed.
fn text_of(members: &[(String, Value)]) -> String {
    let member = |(name, value): &(String, Value)| format!("{}:{value}", Value::from(name.as_str()));
    format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(","))
}

/// Why a client cannot send a request of a case, if so.
pub(super) fn cannot_send(caller: &dyn Caller, service: Service, request: &Request<Template>) -> Option<Unsendable> {
    let why = match beforehand(service, request) {
        Ok(call) => caller.cannot_make(service, &call)?,
        Err(no_call) => no_call.to_string(),
    };
    Some(rejected(caller, why))
}

/// The call of a request of a case, before it is known what its references stand for.
pub(super) fn beforehand(service: Service, request: &Request<Template>) -> Result<Call, NoCall> {
    Call::of(service, &request.with_body(Body::from(stand_in(&request.body))))
}

/// Sends a request as the call that it makes.
pub(super) async fn send(caller: &dyn Caller, service: Service, request: Outgoing) -> Result<Exchange, Unsendable> {
    let call = Call::of(service, &request).map_err(|no_call| rejected(caller, no_call.to_string()))?;
    if let Some(why) = caller.cannot_make(service, &call) {
        return Err(rejected(caller, why));
    }
    let started = Instant::now();
    let seen = match caller.make(service, call).await {
        Ok(seen) => Ok(seen),
        Err(CallError::NoAnswer(trouble)) => Err(trouble),
        Err(CallError::NotMade(why)) => return Err(rejected(caller, why)),
    };
    // What it took is the client's time for the greater part: it says nothing about how fast the target is.
    Ok(Exchange::through_client(request, seen, Duration::ZERO, started.elapsed()).waited(true))
}

fn rejected(caller: &dyn Caller, why: String) -> Unsendable {
    Unsendable::RejectedByClient { client: String::from(caller.name()), why }
}

/// How often a repeated text stands there: oftener than a reader of JSON follows brackets.
const ENOUGH: usize = 1_000;

/// A body with something of the same kind where it has references: enough to tell whether it is JSON, and what its members
/// are.
fn stand_in(body: &Template) -> Vec<u8> {
    let mut out = Vec::new();
    for part in body.parts() {
        match part {
            Part::Text(text) => out.extend_from_slice(text),
            Part::Reference(Reference::Repeat { count, text }) => out.extend(text.repeat((*count).min(ENOUGH)).bytes()),
            Part::Reference(reference) if reference.is_number() => out.push(b'0'),
            Part::Reference(reference) => out.extend(reference.written().bytes()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::generate::catalogue;
    use crate::model::operation::body;

    const INITIATE: Operation = Operation::InitiateLayerUpload;

    fn call(body: &'static str, change: impl FnOnce(&mut Outgoing)) -> Result<Call, NoCall> {
        let mut request = envelope::request(Service::Ecr, INITIATE, Body::from(Bytes::from_static(body.as_bytes())));
        change(&mut request);
        Call::of(Service::Ecr, &request)
    }

    #[test]
    fn a_call_is_what_a_client_can_say() {
        let plain = call(r#"{"repositoryName":"a"}"#, |_| {}).unwrap();
        assert_eq!((plain.operation, plain.members.len()), (INITIATE, 1));
        assert_eq!(call("{}", |request| request.method = "PUT".into()), Err(NoCall::Method("PUT".into())));
        assert_eq!(call("{}", |request| request.framing = Framing::Chunked), Err(NoCall::Framing));
        assert_eq!(call("{}", |request| request.headers.clear()), Err(NoCall::Headers));
        assert_eq!(call("{}", |request| request.headers.push(("X-A".into(), "b".into()))), Err(NoCall::Headers));
        for body in ["", "[]", "{", "{} {}", "null"] {
            assert_eq!(call(body, |_| {}), Err(NoCall::NotAnObject), "{body}");
        }
        assert_eq!(call(r#"{"a":1,"a":1}"#, |_| {}), Err(NoCall::Twice("a".into())));
        for body in [r#"{"a": 1}"#, "{}\n", r#"{"a":"\u0062"}"#, r#"{"a":1e1}"#] {
            assert_eq!(call(body, |_| {}), Err(NoCall::Text), "{body}");
        }
        assert!(call(r#"{"b":1,"a":["\n",{"c":null}]}"#, |_| {}).is_ok());
    }

    /// What is valid can be said, unless it is about the text of the JSON: a reference never stands where the body is no JSON
    /// without its value.
    #[test]
    fn valid_requests_are_calls_before_their_references_are_known() {
        for case in catalogue(Service::Ecr) {
            for step in case.steps.iter().filter(|step| step.expect.rule.to_string().ends_with("/accepted")) {
                let request = step.request.with_body(Body::from(stand_in(&step.request.body)));
                let call = Call::of(Service::Ecr, &request);
                assert!(matches!(call, Ok(_) | Err(NoCall::Text)), "{} {}: {call:?}", case.id, step.name);
            }
        }
        let body = body::repository("${repository}").template();
        assert_eq!(stand_in(&body), br#"{"repositoryName":"${repository}"}"#);
    }
}
