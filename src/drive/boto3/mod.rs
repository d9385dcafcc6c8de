//! boto3 as a driver: a pool of Python processes that make the calls, one at a time each.

mod worker;

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::botocore;
use super::caller::{Call, CallError, Caller, Calling};
use super::process::{NoClient, TROUBLE, Wanted};
use super::way::Way;
use crate::contract::Service;
use crate::wire::{Observation, Shows, TransportError, Trust};
use worker::{Lost, Worker};

/// How boto3 is looked for.
const PYTHON: Wanted = Wanted {
    names: &["python3", "python"],
    install: "pip install boto3",
    flag: "--python",
    version: &["-c", "import boto3; print(boto3.__version__)"],
};

/// boto3 as a client.
#[derive(Debug)]
pub struct Boto3 {
    python: PathBuf,
    name: String,
    way: Way,
    /// Workers that are waiting for a call.
    idle: Mutex<Vec<Worker>>,
    /// One for each worker that there may be.
    slots: Semaphore,
}

/// What is waited for a worker longer than the client itself should take: it has a response to read, and its machine may be
/// busy.
const GRACE: Duration = Duration::from_secs(20);

impl Boto3 {
    /// boto3 of the Python that is named, or of the one on PATH.
    ///
    /// # Errors
    ///
    /// Where there is none, or it has no boto3.
    pub fn new(way: &Way) -> Result<Boto3, NoClient> {
        let (python, version) = PYTHON.find(way.python.as_deref())?;
        Ok(Boto3 {
            python,
            name: format!("boto3 {version}"),
            way: way.clone(),
            idle: Mutex::default(),
            slots: Semaphore::new(way.calls()),
        })
    }

    async fn call(&self, service: Service, call: Call) -> Result<Observation, CallError> {
        let line = self.line(service, &call);
        let read = self.way.timeouts.first_byte_after(line.len());
        let _slot = self.slots.acquire().await.expect("the pool is never closed");
        let mut worker = match self.take() {
            Some(worker) => worker,
            None => self.start().await?,
        };
        // One that ended while it waited has not read the call.
        if worker.send(&line).await.is_err() {
            worker = self.start().await?;
            worker.send(&line).await.map_err(|_| CallError::NoAnswer(TROUBLE))?;
        }
        let limit = self.way.timeouts.connect + read + self.way.timeouts.rest + GRACE;
        // A worker that is not kept is killed.
        match timeout(limit, worker.reply()).await {
            Ok(Ok(reply)) => {
                self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
                reply.outcome()
            }
            Ok(Err(Lost::TooLong)) => Err(CallError::NoAnswer(TransportError::TooLarge)),
            // It is the worker that ended, and not a connection: nothing is known of the target.
            Ok(Err(Lost::Ended)) => Err(CallError::NoAnswer(TROUBLE)),
            Err(_) => Err(CallError::NoAnswer(TransportError::Silent)),
        }
    }

    fn take(&self) -> Option<Worker> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    async fn start(&self) -> Result<Worker, CallError> {
        let verify = match &self.way.trust {
            Trust::System => json!(null),
            Trust::Bundle(path) => json!(path),
            Trust::Anyone => json!(false),
        };
        let Way { endpoint, timeouts, identity, .. } = &self.way;
        let (connect, region) = (timeouts.connect.as_secs_f64(), identity.region());
        let settings = json!({ "endpoint": endpoint, "verify": verify, "connect": connect, "region": region });
        Worker::start(&self.python, identity, &settings).await.map_err(|_| CallError::NoAnswer(TROUBLE))
    }

    /// A call as a worker reads it.
    fn line(&self, service: Service, call: &Call) -> String {
        let mut line = json!({
            "service": service.name(),
            "operation": call.operation,
            "members": call.members,
        });
        let size = line["members"]["layerPartBlob"].as_str().map_or(0, str::len);
        line["read"] = json!(self.way.timeouts.first_byte_after(size).as_secs_f64().ceil());
        format!("{line}\n")
    }
}

impl Caller for Boto3 {
    fn name(&self) -> &str {
        &self.name
    }

    fn shows(&self) -> Shows {
        Shows::Status
    }

    fn cannot_make(&self, service: Service, call: &Call) -> Option<String> {
        botocore::rejects(service, call)
    }

    fn make(&self, service: Service, call: Call) -> Calling<'_> {
        Box::pin(self.call(service, call))
    }
}
