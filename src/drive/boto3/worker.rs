//! A Python process that makes calls through boto3, and what it says of them.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::time::timeout;

use crate::drive::caller::CallError;
use crate::drive::process::{self, Identity};
use crate::wire::{MOST_ANSWER, Observation, Shown, TransportError};

/// What the process runs.
const SCRIPT: &str = include_str!("worker.py");

/// How long a process may take to be ready: Python has to read boto3.
const START: Duration = Duration::from_secs(60);

/// The longest line that is read: a response as JSON within JSON.
const LONGEST: u64 = 3 * MOST_ANSWER as u64;

/// A Python process. Dropped, it is killed.
#[derive(Debug)]
pub(super) struct Worker {
    /// Kept, since it is killed when it is dropped.
    _process: Child,
    calls: ChildStdin,
    replies: BufReader<ChildStdout>,
}

/// Why there is no reply.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Lost {
    /// The process ended, or says what is no reply.
    Ended,
    /// The reply is too long.
    TooLong,
}

impl Worker {
    /// Starts a process, and waits until it is ready.
    pub async fn start(python: &Path, identity: &Identity, settings: &Value) -> io::Result<Worker> {
        let mut process = process::command(python, identity).args(["-c", SCRIPT]).stdin(Stdio::piped()).spawn()?;
        let (Some(calls), Some(replies)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let mut worker = Worker { _process: process, calls, replies: BufReader::new(replies) };
        worker.send(&format!("{settings}\n")).await?;
        match timeout(START, worker.line()).await {
            Ok(Ok(_)) => Ok(worker),
            Ok(Err(_)) => Err(io::ErrorKind::UnexpectedEof.into()),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    /// Sends a line. Where that fails, nobody has read it.
    pub async fn send(&mut self, line: &str) -> io::Result<()> {
        self.calls.write_all(line.as_bytes()).await?;
        self.calls.flush().await
    }

    /// The reply to a call.
    pub async fn reply(&mut self) -> Result<Reply, Lost> {
        let line = self.line().await?;
        serde_json::from_slice(&line).map_err(|_| Lost::Ended)
    }

    async fn line(&mut self) -> Result<Vec<u8>, Lost> {
        let mut line = Vec::new();
        let read = (&mut self.replies).take(LONGEST).read_until(b'\n', &mut line).await;
        match read {
            Ok(_) if line.ends_with(b"\n") => Ok(line),
            Ok(read) if read as u64 >= LONGEST => Err(Lost::TooLong),
            Ok(_) | Err(_) => Err(Lost::Ended),
        }
    }
}

/// What came of a call.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) struct Reply {
    #[serde(flatten)]
    came: Came,
    status: Option<u16>,
    /// What whoever calls boto3 reads of an exception.
    words: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Came {
    /// A success; without members, its body is no JSON object.
    Success(Option<Map<String, Value>>),
    /// An error.
    Error { name: Option<String>, message: Option<String>, members: Map<String, Value> },
    /// No response.
    Trouble(TransportError),
    /// boto3 did not make it.
    Refused(String),
}

impl Reply {
    /// What is to be judged.
    pub fn outcome(self) -> Result<Observation, CallError> {
        let seen = match self.came {
            Came::Success(Some(members)) => Observation::of_success(members),
            Came::Success(None) => Observation::of_no_object(),
            Came::Error { name, message, members } => {
                Observation::of_error(name.as_deref(), message.as_deref(), members)
            }
            Came::Trouble(trouble) => return Err(CallError::NoAnswer(trouble)),
            Came::Refused(why) => return Err(CallError::NotMade(why)),
        };
        let seen = match self.status {
            Some(status) => seen.with(Shown::Status(status)),
            None => seen,
        };
        Ok(match &self.words {
            Some(words) => seen.told(words),
            None => seen,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::NoConnection;

    fn outcome(line: &str) -> Result<Observation, CallError> {
        serde_json::from_str::<Reply>(line).unwrap().outcome()
    }

    #[test]
    fn what_a_worker_says_is_read() {
        let seen = outcome(r#"{"success":{"uploadId":"a"},"status":200}"#).unwrap();
        assert_eq!((seen.status(), seen.success().map(Map::len), seen.http()), (Some(200), Some(1), None));
        let seen = outcome(r#"{"success":null,"status":200,"words":"AttributeError: no"}"#).unwrap();
        assert_eq!((seen.success(), seen.words.as_deref()), (None, Some("AttributeError: no")));
        let error = r#"{"error":{"name":null,"message":"no","members":{}},"status":400,"words":"ClientError:\nno"}"#;
        let seen = outcome(error).unwrap();
        assert_eq!((seen.error_name(), seen.words.as_deref()), (None, Some("ClientError: no")));
        let refused = TransportError::Unreachable(NoConnection::Refused);
        assert_eq!(outcome(r#"{"trouble":"refused","words":"x"}"#), Err(CallError::NoAnswer(refused)));
        assert_eq!(outcome(r#"{"refused":"no"}"#), Err(CallError::NotMade(String::from("no"))));
    }
}
