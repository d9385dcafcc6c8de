//! The AWS CLI as a driver: one process a call.

mod arguments;
mod outcome;

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::caller::{Call, CallError, Caller, Calling};
use super::process::{NoClient, TROUBLE, Wanted};
use super::way::Way;
use super::{botocore, process};
use crate::contract::Service;
use crate::wire::{MOST_ANSWER, Observation, Shows, TransportError, Trust};
use arguments::Arguments;
use outcome::Ended;

/// How the AWS CLI is looked for.
const AWS: Wanted = Wanted { names: &["aws"], install: "pip install awscli", flag: "--aws", version: &["--version"] };

/// The AWS CLI as a client.
#[derive(Debug)]
pub struct AwsCli {
    program: PathBuf,
    name: String,
    way: Way,
    /// One for each process that there may be.
    slots: Semaphore,
}

/// What is waited for a process longer than the client itself should take: Python has to start, and the machine may be busy.
const GRACE: Duration = Duration::from_secs(60);

/// How much is read of what a process prints.
const LONGEST: u64 = 2 * MOST_ANSWER as u64;

impl AwsCli {
    /// The AWS CLI that is named, or the one on PATH.
    ///
    /// # Errors
    ///
    /// Where there is none.
    pub fn new(way: &Way) -> Result<AwsCli, NoClient> {
        let (program, version) = AWS.find(way.aws.as_deref())?;
        let version = version.split_whitespace().next().unwrap_or_default().replace("aws-cli/", "");
        Ok(AwsCli { program, name: format!("AWS CLI {version}"), way: way.clone(), slots: Semaphore::new(way.calls()) })
    }

    async fn call(&self, service: Service, call: Call) -> Result<Observation, CallError> {
        let _slot = self.slots.acquire().await.expect("it is never closed");
        let arguments = Arguments::of(service, &call).map_err(|error| CallError::NotMade(error.to_string()))?;
        let Way { endpoint, timeouts, identity, trust, .. } = &self.way;
        let read = timeouts.first_byte_after(arguments.blob);
        let seconds = |time: Duration| time.as_secs().max(1).to_string();
        let mut command = process::command(&self.program, identity);
        command.args(["--output", "json", "--no-paginate", "--endpoint-url", endpoint, "--region", identity.region()]);
        command.args(["--cli-connect-timeout", &seconds(timeouts.connect), "--cli-read-timeout", &seconds(read)]);
        match trust {
            Trust::System => {}
            Trust::Bundle(path) => drop(command.arg("--ca-bundle").arg(path)),
            Trust::Anyone => drop(command.arg("--no-verify-ssl")),
        }
        let limit = timeouts.connect + read + timeouts.rest + GRACE;
        let mut process =
            command.args(&arguments.all).stderr(Stdio::piped()).spawn().map_err(|_| CallError::NoAnswer(TROUBLE))?;
        let (out, err) = (process.stdout.take(), process.stderr.take());
        let ended = async {
            // Both at once: who is not read waits.
            let (out, err) = tokio::join!(read_all(out), read_all(err));
            // What prints more than is read is killed when it is dropped.
            let (Some(out), Some(err)) = (out, err) else { return Err(TransportError::TooLarge) };
            let status = process.wait().await.map_err(|_| TROUBLE)?;
            Ok(Ended { code: status.code(), out, err })
        };
        match timeout(limit, ended).await {
            Ok(Ok(ended)) => ended.outcome(),
            Ok(Err(trouble)) => Err(CallError::NoAnswer(trouble)),
            Err(_) => Err(CallError::NoAnswer(TransportError::Silent)),
        }
    }
}

/// All that a process prints; `None` if that is too much.
async fn read_all(pipe: Option<impl AsyncRead + Unpin>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        // One that breaks has printed what it has printed.
        let _ = pipe.take(LONGEST).read_to_end(&mut bytes).await;
    }
    ((bytes.len() as u64) < LONGEST).then_some(bytes)
}

impl Caller for AwsCli {
    fn name(&self) -> &str {
        &self.name
    }

    fn shows(&self) -> Shows {
        Shows::Outcome
    }

    fn cannot_make(&self, service: Service, call: &Call) -> Option<String> {
        botocore::rejects(service, call)
    }

    fn make(&self, service: Service, call: Call) -> Calling<'_> {
        Box::pin(self.call(service, call))
    }
}
