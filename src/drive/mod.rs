//! Takes a case to a target and brings back its transcript.

#[cfg(feature = "net")]
mod aws_cli;
#[cfg(feature = "net")]
mod boto3;
#[cfg(feature = "net")]
mod botocore;
#[cfg(feature = "run")]
mod bulk;
pub mod caller;
#[cfg(feature = "net")]
mod connect;
#[cfg(feature = "net")]
pub mod http;
#[cfg(feature = "net")]
mod http2;
pub mod in_process;
mod making;
#[cfg(feature = "net")]
pub mod named;
#[cfg(feature = "net")]
pub mod pace;
pub mod panics;
#[cfg(feature = "run")]
mod patience;
#[cfg(feature = "net")]
mod pool;
#[cfg(feature = "net")]
mod process;
#[cfg(feature = "net")]
mod raw;
pub mod signing;
mod steps;
#[cfg(feature = "run")]
mod throttling;
#[cfg(feature = "net")]
mod timeouts;
#[cfg(feature = "net")]
mod tls;
#[cfg(feature = "net")]
mod transport;
#[cfg(feature = "net")]
mod way;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::Value;

use crate::case::{Case, Stopped};
use crate::contract::{Operation, Service};
use crate::template::Template;
use crate::wire::{
    Body, Client, Exchange, NoConnection, Observation, Outgoing, Request, Shows, TransportError, Unsendable, envelope,
};

#[cfg(feature = "run")]
pub use bulk::Bulk;
pub use caller::{Call, CallError, Caller, Calling};
pub use in_process::{InProcess, Server};
pub use making::{Making, Naming};
pub use panics::Panics;
#[cfg(feature = "run")]
pub use patience::Patience;
#[cfg(feature = "net")]
pub use process::{Identity, NoClient};
#[cfg(feature = "run")]
pub use signing::Signer;
pub use signing::Signing;
use signing::{Signed, Unsigned};
pub use steps::case;
#[cfg(feature = "run")]
pub use steps::{IsRight, lateness};
#[cfg(feature = "cli")]
pub(crate) use transport::has_no_descriptor;
#[cfg(feature = "net")]
pub use way::Way;

/// What is tested, and how a request gets there.
#[derive(Clone, Debug)]
pub struct Target {
    /// How a request gets there.
    pub driver: Driver,
    /// What signs the requests. A client that signs by itself does so.
    pub signing: Signing,
    /// How many requests a second it is asked at most.
    #[cfg(feature = "net")]
    pub pace: Option<Arc<pace::Pace>>,
    /// How calls are sent again that it throttles; without it they are not. Needs the timers of tokio.
    #[cfg(feature = "run")]
    pub patience: Option<Arc<Patience>>,
    /// How many bytes of the requests of cases may be under way at once, if that is bounded. Needs the timers of tokio.
    #[cfg(feature = "run")]
    pub bulk: Option<Bulk>,
}

/// How a request gets to the target.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Driver {
    /// Over HTTP.
    #[cfg(feature = "net")]
    Http(http::Http),
    /// By calling a tower service in this process.
    InProcess(InProcess),
    /// By a client of the operations that shows no HTTP.
    Caller(Arc<dyn Caller>),
}

impl Driver {
    /// The client that sends, for a report.
    pub fn client(&self) -> Client {
        match self {
            #[cfg(feature = "net")]
            Driver::Http(http) => Client { name: String::from(http.name()), shows: Shows::Http },
            Driver::InProcess(_) => Client { name: String::from("in process"), shows: Shows::Http },
            Driver::Caller(caller) => Client { name: String::from(caller.name()), shows: caller.shows() },
        }
    }
}

impl Driver {
    /// Where requests go, for who signs them. `None` for a client that signs by itself, if it does.
    fn place(&self) -> Option<signing::Place> {
        match self {
            #[cfg(feature = "net")]
            Driver::Http(http) => Some(http.place()),
            Driver::InProcess(_) => Some(InProcess::place()),
            Driver::Caller(_) => None,
        }
    }
}

/// Where a case works: names and values that differ from run to run, and never change what is expected.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// What all repositories of the run begin with.
    pub prefix: String,
    /// How they are made.
    pub making: Making,
    /// The repository that the case shares with others; `None` if it makes its own.
    pub shared: Option<String>,
    /// The account id that the target uses, if it is known.
    pub account: Option<String>,
    /// The alias of its registry, if it is known.
    pub alias: Option<String>,
    /// What a part of `partSize` has, in bytes.
    pub part_size: usize,
    /// Tells the bytes of this run from those of another.
    pub salt: String,
    /// Who works there: two may try the same random case at once.
    pub worker: usize,
}

impl Target {
    /// A target that is asked unsigned, and as fast as it answers.
    pub fn new(driver: Driver) -> Target {
        Target {
            driver,
            signing: Signing::None,
            #[cfg(feature = "net")]
            pace: None,
            #[cfg(feature = "run")]
            patience: None,
            #[cfg(feature = "run")]
            bulk: None,
        }
    }

    /// The same target, asked over connections that carried no request before.
    pub fn afresh(&self) -> Target {
        let driver = match &self.driver {
            #[cfg(feature = "net")]
            Driver::Http(http) => Driver::Http(http.afresh()),
            other => other.clone(),
        };
        Target { driver, ..self.clone() }
    }

    /// Sends a request and waits for what comes back. Nothing is repaired or followed; a call that was throttled was not
    /// performed, and is sent again if there is [`Target::patience`].
    ///
    /// # Errors
    ///
    /// Why it cannot be sent: then nothing was.
    pub async fn send(&self, service: Service, request: &Outgoing) -> Result<Exchange, Unsendable> {
        Ok(self.send_patiently(service, request, 0).await?.0)
    }

    /// Sends a request that was throttled so often before, and again until it is not. With when it was sent last.
    async fn send_patiently(
        &self,
        service: Service,
        request: &Outgoing,
        throttled: u32,
    ) -> Result<(Exchange, Instant), Unsendable> {
        #[cfg(feature = "run")]
        if let Some(patience) = &self.patience {
            for times in throttled.. {
                patience.turn(request).await;
                let (exchange, sent) = self.send_once(service, request).await?;
                if !patience.is_sent_again(&exchange, times).await {
                    return Ok((exchange, sent));
                }
            }
        }
        let _ = throttled;
        self.send_once(service, request).await
    }

    /// Sends a request when its turn has come. With when it was sent.
    async fn send_once(&self, service: Service, request: &Outgoing) -> Result<(Exchange, Instant), Unsendable> {
        #[cfg(feature = "net")]
        if let Some(pace) = &self.pace {
            pace.turn(service, request.operation()).await;
        }
        let sent = Instant::now();
        Ok((self.send_now(service, request).await?, sent))
    }

    /// Sends a request without asking whether it is too early.
    async fn send_now(&self, service: Service, request: &Outgoing) -> Result<Exchange, Unsendable> {
        let signed = match self.sign(service, request).await {
            Ok(signed) => signed,
            Err(why) => return why.exchange(request),
        };
        let Signed { request: sending, hidden } = signed;
        let exchange = match &self.driver {
            #[cfg(feature = "net")]
            Driver::Http(http) => match http::Http::before(request) {
                None => http.send(sending).await?,
                Some(before) => match self.sign(service, &before).await {
                    Ok(before) => http.send_after(&before.request, sending).await?,
                    Err(why) => return why.exchange(request),
                },
            },
            Driver::InProcess(in_process) => in_process.send(sending).await?,
            Driver::Caller(caller) => caller::send(&**caller, service, sending).await?,
        };
        Ok(hidden.kept(request, exchange))
    }

    /// A request as it goes out: with a signature, unless the driver signs by itself.
    async fn sign(&self, service: Service, request: &Outgoing) -> Result<Signed, Unsigned> {
        match self.driver.place() {
            Some(place) => self.signing.sign(service, request, &place).await,
            None => Ok(self.signing.left_to_client(request.clone()).await),
        }
    }

    /// Sends requests at once: all are made ready before the first goes out. `clock` is what `began` counts from. Those that
    /// are throttled are sent again, if there is [`Target::patience`]: what counts is when that was.
    async fn send_at_once(
        &self,
        service: Service,
        requests: Vec<Outgoing>,
        clock: Instant,
    ) -> Result<Vec<Exchange>, Unsendable> {
        let sent = self.send_at_once_now(service, requests, clock).await?;
        let settled = sent.into_iter().map(|exchange| self.settled(service, exchange, clock));
        join_all(settled).await.into_iter().collect()
    }

    /// What came of a call that was sent at once with others: sent again if it was throttled.
    async fn settled(&self, service: Service, exchange: Exchange, clock: Instant) -> Result<Exchange, Unsendable> {
        #[cfg(feature = "run")]
        if let Some(patience) = &self.patience
            && patience.is_sent_again(&exchange, 0).await
        {
            let (exchange, sent) = self.send_patiently(service, &exchange.request, 1).await?;
            let took = exchange.took;
            return Ok(exchange.at(sent.duration_since(clock), took));
        }
        let _ = (service, clock);
        Ok(exchange)
    }

    async fn send_at_once_now(
        &self,
        service: Service,
        requests: Vec<Outgoing>,
        clock: Instant,
    ) -> Result<Vec<Exchange>, Unsendable> {
        #[cfg(feature = "net")]
        if let Some(pace) = &self.pace {
            for request in &requests {
                pace.turn(service, request.operation()).await;
            }
        }
        #[cfg(feature = "net")]
        if let Driver::Http(http) = &self.driver {
            let (mut sending, mut hidden) = (Vec::new(), Vec::new());
            for request in &requests {
                match self.sign(service, request).await {
                    Ok(one) => {
                        sending.push(one.request);
                        hidden.push(one.hidden);
                    }
                    // None of them is sent.
                    Err(why) => return requests.iter().map(|request| why.clone().exchange(request)).collect(),
                }
            }
            let sent = http.send_at_once(sending, clock).await?;
            let kept = sent.into_iter().zip(&hidden).zip(&requests);
            return Ok(kept.map(|((exchange, hidden), request)| hidden.kept(request, exchange)).collect());
        }
        let send = async |request: Outgoing| {
            let began = clock.elapsed();
            let exchange = self.send_now(service, &request).await?;
            // By one clock: what ended must not seem to have ended before it did.
            Ok(exchange.at(began, clock.elapsed() - began))
        };
        join_all(requests.iter().cloned().map(send)).await.into_iter().collect()
    }

    /// Why a request cannot be sent to this target, if so. That says nothing about the target.
    pub fn cannot_send(&self, service: Service, request: &Request<Template>) -> Option<Unsendable> {
        let by_driver = match &self.driver {
            #[cfg(feature = "net")]
            Driver::Http(http) => http.cannot_send(request),
            Driver::InProcess(in_process) => in_process.cannot_send(request),
            Driver::Caller(caller) => caller::cannot_send(&**caller, service, request),
        };
        let is_signed = self.driver.place().is_some() && self.signing.can_sign();
        let unsigned = !is_signed && !request.signature.is_valid();
        by_driver.or(unsigned.then_some(Unsendable::NotSigned))
    }

    /// Why a case cannot be tried on this target, if so: one of its requests cannot be sent.
    pub fn cannot_try(&self, case: &Case) -> Option<Stopped> {
        let unsendable =
            case.steps.iter().find_map(|step| Some((&step.name, self.cannot_send(case.service, &step.request)?)));
        unsendable.map(|(step, cause)| Stopped::Unsendable { step: step.clone(), cause })
    }
}

/// Waits a moment before the same is asked again; not at all where there are no timers.
pub async fn pause() {
    #[cfg(feature = "run")]
    if tokio::runtime::Handle::try_current().is_ok() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Makes a repository.
///
/// # Errors
///
/// What came back instead of success.
pub async fn create_repository(
    target: &Target,
    service: Service,
    making: Making,
    name: &str,
) -> Result<Exchange, Exchange> {
    let body = making.body(name);
    let mut exchange = call(target, service, Operation::CreateRepository, body.clone()).await;
    if exchange.met_ended_connection() {
        // It may have been made all the same: then the name is taken, and it is made again for the answer.
        let afresh = target.afresh();
        delete_repository(&afresh, service, name).await;
        exchange = call(&afresh, service, Operation::CreateRepository, body).await;
    }
    let accepted = exchange.observed().is_ok_and(|seen| !seen.is_error());
    if accepted && exchange.is_documented(service, Operation::CreateRepository) { Ok(exchange) } else { Err(exchange) }
}

/// Whether the target answers at all, whatever it says. Asked in two ways, since much hangs on it, and one of the
/// operations may be unknown to it.
pub async fn is_answering(target: &Target, service: Service) -> bool {
    let upload = serde_json::json!({ "repositoryName": "ecrspec/absent" });
    let target = &target.afresh();
    call(target, service, Operation::InitiateLayerUpload, upload).await.reply.is_ok()
        || call(target, service, Operation::DescribeRepositories, serde_json::json!({})).await.reply.is_ok()
}

/// Whether an operation answers an empty request, which changes nothing.
#[cfg(feature = "run")]
pub async fn answers(target: &Target, service: Service, operation: Operation) -> bool {
    is_answer(&call(&target.afresh(), service, operation, serde_json::json!({})).await)
}

/// Whether a call was answered, and not throttled to the last.
#[cfg(feature = "run")]
pub fn is_answer(exchange: &Exchange) -> bool {
    exchange.observed().is_ok_and(|seen| !seen.is_throttled())
}

/// Removes a repository with all that is in it. A target that is throttling is asked again.
pub async fn delete_repository(target: &Target, service: Service, name: &str) -> Exchange {
    let body = serde_json::json!({ "repositoryName": name, "force": true });
    let mut exchange = call(target, service, Operation::DeleteRepository, body.clone()).await;
    for _ in 0..3 {
        let repeatable = exchange.is_transient() || exchange.met_ended_connection();
        if is_gone(&exchange) || !repeatable {
            break;
        }
        let target = &target.afresh();
        exchange = call(target, service, Operation::DeleteRepository, body.clone()).await;
    }
    exchange
}

/// Whether what came back for a DeleteRepository says that the repository is not there any more.
pub fn is_gone(deletion: &Exchange) -> bool {
    let gone = |seen: &Observation| !seen.is_error() || seen.error_name() == Some("RepositoryNotFoundException");
    deletion.observed().is_ok_and(gone)
}

async fn call(target: &Target, service: Service, operation: Operation, body: Value) -> Exchange {
    let request = envelope::request(service, operation, Body::from(body.to_string()));
    match target.send(service, &request).await {
        Ok(exchange) => exchange,
        // A client that does not send a plain request is broken: nothing is known of the target.
        Err(_) => {
            let trouble = TransportError::Unreachable(NoConnection::Unknown);
            Exchange::through_client(request, Err(trouble), Duration::ZERO, Duration::ZERO)
        }
    }
}
