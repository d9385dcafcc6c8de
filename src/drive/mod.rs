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

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::join_all;
use serde_json::Value;

use crate::case::bindings::hex;
use crate::case::{Bindings, Case, Place, Step, Stopped, Transcript};
use crate::contract::{Operation, Service};
use crate::template::{Part, Reference, Template};
use crate::wire::bound::{MAX_KEPT, MAX_KEPT_AT_LENGTH};
use crate::wire::{Client, Exchange, NoConnection, Observation, Request, Shows, TransportError, Unsendable, envelope};

#[cfg(feature = "run")]
pub use bulk::Bulk;
#[cfg(feature = "run")]
use bulk::Share;
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
    pub async fn send(&self, service: Service, request: &Request) -> Result<Exchange, Unsendable> {
        Ok(self.send_patiently(service, request, 0).await?.0)
    }

    /// Sends a request that was throttled so often before, and again until it is not. With when it was sent last.
    async fn send_patiently(
        &self,
        service: Service,
        request: &Request,
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
    async fn send_once(&self, service: Service, request: &Request) -> Result<(Exchange, Instant), Unsendable> {
        #[cfg(feature = "net")]
        if let Some(pace) = &self.pace {
            pace.turn(service, request.operation()).await;
        }
        let sent = Instant::now();
        Ok((self.send_now(service, request).await?, sent))
    }

    /// Sends a request without asking whether it is too early.
    async fn send_now(&self, service: Service, request: &Request) -> Result<Exchange, Unsendable> {
        let signed = match self.sign(service, request).await {
            Ok(signed) => signed,
            Err(why) => return why.exchange(request),
        };
        let sending = signed.request.clone();
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
        Ok(signed.kept(request, exchange))
    }

    /// A request as it goes out: with a signature, unless the driver signs by itself.
    async fn sign(&self, service: Service, request: &Request) -> Result<Signed, Unsigned> {
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
        requests: Vec<Request>,
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
        requests: Vec<Request>,
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
            let mut signed = Vec::new();
            for request in &requests {
                match self.sign(service, request).await {
                    Ok(one) => signed.push(one),
                    // None of them is sent.
                    Err(why) => return requests.iter().map(|request| why.clone().exchange(request)).collect(),
                }
            }
            let sent = http.send_at_once(signed.iter().map(|one| one.request.clone()).collect(), clock).await?;
            let kept = sent.into_iter().zip(&signed).zip(&requests);
            return Ok(kept.map(|((exchange, signed), request)| signed.kept(request, exchange)).collect());
        }
        let send = async |request: Request| {
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

/// Makes the repositories of a case, sends its steps as far as they go, and removes what was made.
pub async fn case(target: &Target, case: &Case, workspace: &Workspace) -> Transcript {
    #[cfg(feature = "run")]
    let _turn = match &target.bulk {
        Some(bulk) => bulk.turn().await,
        None => None,
    };
    let mut drive = Drive::of(target, case, workspace);
    // Nothing is made for a case that cannot be tried.
    let outcome = match target.cannot_try(case) {
        Some(reason) => Err(reason),
        None => drive.create_repositories(workspace).await,
    };
    match outcome {
        Ok(()) => drive.steps().await,
        Err(reason) => drive.transcript.stopped = Some(reason),
    }
    drive.clean_up().await;
    drive.transcript
}

/// How long is asked again for an answer that may come right.
#[cfg(feature = "run")]
const LONGEST_LATENESS: Duration = Duration::from_millis(600);

/// Waits a moment before the same is asked again; not at all where there are no timers.
pub async fn pause() {
    #[cfg(feature = "run")]
    if tokio::runtime::Handle::try_current().is_ok() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Whether an answer to a step, after what is in a transcript, is right.
#[cfg(feature = "run")]
pub type IsRight = dyn Fn(&Transcript, &Exchange) -> bool + Send + Sync;

/// Drives a case up to a step, and asks for that one again until its answer is right, or it is late. How much later it was,
/// and the repositories that were made and could not be removed. Needs the timers of tokio.
#[cfg(feature = "run")]
pub async fn lateness(
    target: &Target,
    case: &Case,
    workspace: &Workspace,
    step: usize,
    is_right: Arc<IsRight>,
) -> (Option<Duration>, Vec<String>) {
    let until = Case { steps: case.steps[..=step].to_vec(), ..case.clone() };
    let mut drive = Drive::of(target, &until, workspace);
    let mut later = None;
    if drive.create_repositories(workspace).await.is_ok() {
        drive.steps().await;
        // Of what was sent, not all may be kept.
        let asked = &case.steps[step].request;
        let sent = drive.transcript.exchanges.get(step).is_some();
        let body = if sent { drive.transcript.bindings.fill(&asked.body).ok() } else { None };
        let request = body.map(|body| asked.with_body(body));
        let began = Instant::now();
        while let Some(request) = &request
            && later.is_none()
            && began.elapsed() < LONGEST_LATENESS
        {
            pause().await;
            let Ok(again) = target.send(case.service, request).await else { break };
            later = is_right(&drive.transcript, &again).then(|| began.elapsed());
        }
    }
    drive.clean_up().await;
    (later, drive.transcript.left)
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
    let request = envelope::request(service, operation, Bytes::from(body.to_string()));
    match target.send(service, &request).await {
        Ok(exchange) => exchange,
        // A client that does not send a plain request is broken: nothing is known of the target.
        Err(_) => {
            let trouble = TransportError::Unreachable(NoConnection::Unknown);
            Exchange::through_client(request, Err(trouble), Duration::ZERO, Duration::ZERO)
        }
    }
}

/// A case under way.
struct Drive<'a> {
    target: &'a Target,
    case: &'a Case,
    /// Repositories to remove, each with whether the target said that it was made.
    made: BTreeMap<String, bool>,
    transcript: Transcript,
    began: Instant,
    /// How many bytes the bodies have that are kept so far.
    kept: usize,
    /// What the answers cost that are kept so far.
    cost: usize,
}

/// From so many bytes on, what is kept of the requests of a case has the names of parts and not their bytes: the largest
/// cases send 200 MB.
const KEPT: usize = 8 << 20;

/// Bodies below this are kept whole in any case.
const LIGHT: usize = 1 << 20;

impl<'a> Drive<'a> {
    fn of(target: &'a Target, case: &'a Case, workspace: &Workspace) -> Drive<'a> {
        let salt = format!("{}/{}", workspace.salt, case.id);
        let transcript = Transcript {
            exchanges: Vec::new(),
            bindings: Bindings::new(&case.chunks, &salt, workspace.part_size),
            last_sent: Duration::ZERO,
            stopped: None,
            left: Vec::new(),
        };
        Drive { target, case, made: BTreeMap::new(), transcript, began: Instant::now(), kept: 0, cost: 0 }
    }

    /// Binds the names that the case works with, and makes its repositories.
    async fn create_repositories(&mut self, workspace: &Workspace) -> Result<(), Stopped> {
        let slug = slug(&self.case.id);
        let named = |more: &str| workspace.making.naming.name(&workspace.prefix, &format!("{slug}{more}"));
        let bindings = &mut self.transcript.bindings;
        bindings.bind(Reference::Absent, named("-absent"));
        if let Some(account) = &workspace.account {
            bindings.bind(Reference::Registry, account.as_str());
        }
        if let Some(alias) = &workspace.alias {
            bindings.bind(Reference::Alias, alias.as_str());
        }
        if let Some(shared) = &workspace.shared {
            bindings.bind(Reference::repository(None), shared.as_str());
            return Ok(());
        }
        let mut wanted = vec![(Reference::repository(None), named(""))];
        if let Place::Own(further) = &self.case.place {
            let further = further.iter().map(|name| (Reference::repository(Some(name)), named(&format!("-{name}"))));
            wanted.extend(further);
        }
        for (reference, name) in wanted {
            // Before it is known whether it was made: an answer may be lost.
            self.made.insert(name.clone(), false);
            let creation = create_repository(self.target, self.case.service, workspace.making, &name).await;
            if let Err(exchange) = creation {
                return Err(Stopped::NoRepository(Box::new(exchange)));
            }
            self.made.insert(name.clone(), true);
            self.transcript.bindings.bind(reference, name);
        }
        Ok(())
    }

    async fn steps(&mut self) {
        for group in self.case.groups() {
            let steps = &self.case.steps[group];
            #[cfg(feature = "run")]
            let mut share = match &self.target.bulk {
                Some(bulk) => bulk.share(self.weight(steps)).await,
                None => Share::default(),
            };
            let mut requests = Vec::new();
            for step in steps {
                match self.transcript.bindings.fill(&step.request.body) {
                    Ok(body) => requests.push(step.request.with_body(body)),
                    Err(unbound) => {
                        self.transcript.stopped =
                            Some(Stopped::Unbound { step: step.name.clone(), reference: unbound.0.to_string() });
                        return;
                    }
                }
            }
            self.transcript.last_sent = self.began.elapsed();
            let sending = self.send(requests);
            #[cfg(feature = "run")]
            let sending = share.answered(sending);
            let sent = sending.await;
            let mut exchanges = match sent {
                Ok(exchanges) => exchanges,
                Err(why) => {
                    self.transcript.stopped = Some(Stopped::Unsendable { step: steps[0].name.clone(), cause: why });
                    return;
                }
            };
            for (step, exchange) in steps.iter().zip(&mut exchanges) {
                self.bound(exchange);
                self.notice(step, exchange, steps.len() > 1);
            }
            let silent = exchanges.iter().any(|exchange| exchange.reply.is_err());
            for (step, mut exchange) in steps.iter().zip(exchanges) {
                self.lighten(step, &mut exchange);
                self.transcript.exchanges.push(exchange);
            }
            if silent {
                return; // Whoever did not answer once would make every further step wait as long.
            }
        }
    }

    /// About how many bytes the requests of these steps have.
    #[cfg(feature = "run")]
    fn weight(&self, steps: &[Step]) -> usize {
        steps.iter().map(|step| self.transcript.bindings.weight(&step.request.body)).sum()
    }

    /// Sends requests: at once, if there are several.
    async fn send(&self, requests: Vec<Request>) -> Result<Vec<Exchange>, Unsendable> {
        let [request] = requests.as_slice() else {
            return self.target.send_at_once(self.case.service, requests, self.began).await;
        };
        let began = self.began.elapsed();
        let exchange = self.target.send(self.case.service, request).await?;
        let took = exchange.took;
        Ok(vec![exchange.at(began, took)])
    }

    /// Drops the bytes of a large part, for nothing is judged by them: all but the beginning, and once the case has sent many,
    /// puts their name in their place. Of a request that was not answered, all is kept; and of calls at once, which are told
    /// apart by what they sent.
    fn lighten(&mut self, step: &Step, exchange: &mut Exchange) {
        let len = exchange.request.body.len();
        let is_part = step.request.body.references().any(|reference| matches!(reference, Reference::Base64(_)));
        if self.kept + len <= KEPT && len > LIGHT && exchange.reply.is_ok() && is_part && !self.case.is_race() {
            exchange.cut_body();
            self.kept += len;
            return;
        }
        let body = &mut exchange.request.body;
        if self.kept + body.len() > KEPT && body.len() > LIGHT && exchange.reply.is_ok() {
            let named = step.request.body.map(|reference| match reference {
                Reference::Base64(_) => Part::text(&Template::lenient(reference.written()).shown()),
                other => Part::Reference(other.clone()),
            });
            if let Ok(light) = self.transcript.bindings.fill(&named) {
                *body = light;
            }
        }
        self.kept += body.len();
    }

    /// Drops an answer if those of the case are too large together: memory must not be the target's to decide.
    fn bound(&mut self, exchange: &mut Exchange) {
        let cost = exchange.cost();
        self.cost += cost;
        #[cfg(feature = "run")]
        let at_length = self.target.bulk.as_ref().is_some_and(|bulk| bulk.is_at_length(cost));
        #[cfg(not(feature = "run"))]
        let at_length = false;
        if self.cost > if at_length { MAX_KEPT_AT_LENGTH } else { MAX_KEPT } {
            exchange.drop_answer();
        }
    }

    /// Keeps what an exchange made or removed, and the values that it brought.
    fn notice(&mut self, step: &Step, exchange: &Exchange, at_once: bool) {
        let done = exchange.observed().map(|seen| seen.status().map_or(!seen.is_error(), |status| status < 300));
        // Of other calls nobody asks: the body of a part takes long to read.
        let manages = step.operation.is_some_and(Operation::manages_repositories);
        let named = if manages { repository_of(&exchange.request.body) } else { None };
        match (step.operation, named, done) {
            (Some(Operation::CreateRepository), Some(name), Ok(true) | Err(_)) => {
                self.made.insert(name, done.is_ok());
            }
            // What was sent at the same time may have made it again.
            (Some(Operation::DeleteRepository), Some(name), Ok(true)) if at_once => {
                self.made.insert(name, false);
            }
            (Some(Operation::DeleteRepository), Some(name), Ok(true)) => {
                self.made.remove(&name);
            }
            _ => {}
        }
        if let Some(members) = exchange.observed().ok().and_then(Observation::members) {
            self.transcript.bindings.capture_members(&step.name, members);
        }
    }

    async fn clean_up(&mut self) {
        for (name, certain) in &self.made {
            if !is_gone(&delete_repository(self.target, self.case.service, name).await) && *certain {
                self.transcript.left.push(name.clone());
            }
        }
    }
}

fn repository_of(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    body.get("repositoryName")?.as_str().map(String::from)
}

/// A short name for a case that fits into a repository name.
fn slug(id: &str) -> String {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(id);
    format!("case-{}", hex(&digest[..6]))
}
