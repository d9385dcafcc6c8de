//! Sends the steps of a case, and remembers what came back.

use std::collections::BTreeMap;
use std::pin::pin;
#[cfg(feature = "run")]
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

#[cfg(feature = "run")]
use super::bulk::Share;
#[cfg(feature = "run")]
use super::pause;
use super::{Target, Workspace, create_repository, delete_repository, is_gone};
use crate::case::bindings::hex;
use crate::case::{Bindings, Case, Place, Step, Stopped, Transcript};
use crate::contract::Operation;
use crate::template::Reference;
use crate::wire::bound::{MAX_KEPT, MAX_KEPT_AT_LENGTH};
use crate::wire::{Exchange, Observation, Outgoing, Unsendable};

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
        let body = if sent { drive.transcript.bindings.body(&asked.body).ok() } else { None };
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

/// A case under way.
struct Drive<'a> {
    target: &'a Target,
    case: &'a Case,
    /// Repositories to remove, each with whether the target said that it was made.
    made: BTreeMap<String, bool>,
    transcript: Transcript,
    began: Instant,
    /// What the answers cost that are kept so far.
    cost: usize,
}

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
        Drive { target, case, made: BTreeMap::new(), transcript, began: Instant::now(), cost: 0 }
    }

    /// Binds the names that the case works with, and makes its repositories.
    async fn create_repositories(&mut self, workspace: &Workspace) -> Result<(), Stopped> {
        let slug = match self.case.plan {
            None => slug(&self.case.id),
            Some(_) => slug(&format!("{}/{}", self.case.id, workspace.worker)),
        };
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
                match self.transcript.bindings.body(&step.request.body) {
                    Ok(body) => requests.push(step.request.with_body(body)),
                    Err(unbound) => {
                        self.transcript.stopped =
                            Some(Stopped::Unbound { step: step.name.clone(), reference: unbound.0.to_string() });
                        return;
                    }
                }
            }
            self.transcript.last_sent = self.began.elapsed();
            let sent = {
                // In one place: it is some kilobytes to move.
                let sending = pin!(self.send(requests));
                #[cfg(feature = "run")]
                let sending = share.answered(sending);
                sending.await
            };
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
            self.transcript.exchanges.extend(exchanges);
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
    async fn send(&self, requests: Vec<Outgoing>) -> Result<Vec<Exchange>, Unsendable> {
        let [request] = requests.as_slice() else {
            return self.target.send_at_once(self.case.service, requests, self.began).await;
        };
        let began = self.began.elapsed();
        let exchange = self.target.send(self.case.service, request).await?;
        let took = exchange.took;
        Ok(vec![exchange.at(began, took)])
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
        let named = if manages { repository_of(&exchange.request.body.abridged()) } else { None };
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
