//! Programs that make the calls: how they are found, and what they are told of the world.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};
use std::{env, io, thread};

use tokio::process::Command;

use crate::wire::{NoConnection, TransportError};

/// The trouble where a process cannot be started, or ends before it should: nothing is known of the target.
pub(super) const TROUBLE: TransportError = TransportError::Unreachable(NoConnection::Unknown);

/// Why a client cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NoClient {
    /// There is no such program.
    #[error("found no {program} on PATH: {install}, or name one with {flag} PATH")]
    NotFound {
        /// What was looked for.
        program: &'static str,
        /// How it is installed.
        install: &'static str,
        /// The flag that names one.
        flag: &'static str,
    },
    /// It does not do what it should.
    #[error("{program}: {why}: {install}, or name another with {flag} PATH")]
    Unusable {
        /// Which one.
        program: String,
        /// What it did.
        why: String,
        /// How it is installed.
        install: &'static str,
        /// The flag that names another.
        flag: &'static str,
    },
}

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// The names of the program.
    pub names: &'static [&'static str],
    /// How it is installed.
    pub install: &'static str,
    /// The flag that names one.
    pub flag: &'static str,
    /// What it is asked to tell its version.
    pub version: &'static [&'static str],
}

impl Wanted {
    /// The program, and what it tells of its version: that which is named, or the first on PATH that tells one.
    pub fn find(self, named: Option<&Path>) -> Result<(PathBuf, String), NoClient> {
        if let Some(program) = named {
            return self.try_out(program.to_path_buf());
        }
        let mut unusable = None;
        for program in self.names.iter().filter_map(|name| on_path(name)) {
            match self.try_out(program) {
                Ok(found) => return Ok(found),
                Err(error) => drop(unusable.get_or_insert(error)),
            }
        }
        let Wanted { names, install, flag, .. } = self;
        Err(unusable.unwrap_or(NoClient::NotFound { program: names[0], install, flag }))
    }

    fn try_out(self, program: PathBuf) -> Result<(PathBuf, String), NoClient> {
        let Wanted { install, flag, .. } = self;
        let unusable = |why: String| NoClient::Unusable { program: program.display().to_string(), why, install, flag };
        let output = version(&program, self.version).map_err(|error| unusable(error.to_string()))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_string();
        match output.status.success() {
            true => {
                // Of old, versions went to standard error.
                let told = Some(text(&output.stdout)).filter(|told| !told.is_empty());
                Ok((program.clone(), told.unwrap_or_else(|| text(&output.stderr))))
            }
            false => {
                let told = text(&output.stderr);
                let last = told.lines().last().map_or_else(|| output.status.to_string(), String::from);
                Err(unusable(last))
            }
        }
    }
}

/// How long a program may take to tell its version.
const VERSION: Duration = Duration::from_secs(30);

/// What a program does that is asked for its version.
fn version(program: &Path, arguments: &[&str]) -> io::Result<Output> {
    let mut command = std::process::Command::new(program);
    let pipes = command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn()?;
    let began = Instant::now();
    while child.try_wait()?.is_none() {
        if began.elapsed() > VERSION {
            child.kill()?;
            child.wait()?;
            return Err(io::Error::new(io::ErrorKind::TimedOut, "it did not tell its version in time"));
        }
        thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output()
}

/// The program of this name on PATH.
fn on_path(name: &str) -> Option<PathBuf> {
    let with_ending = format!("{name}{}", env::consts::EXE_SUFFIX);
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders).map(|folder| folder.join(&with_ending)).find(|path| path.is_file())
}

/// Variables that would lead a client elsewhere than asked: settings of AWS clients, proxies and certificates.
const MISLEADING: [&str; 12] = [
    "BOTO_CONFIG",
    "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
];

/// The access key that requests are signed with: that of the examples of the AWS documentation.
const KEY: [(&str, &str); 2] =
    [("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")];

/// Variables that say where credentials are.
const SOURCES: [&str; 6] = ["AWS_CONFIG_FILE", "AWS_PROFILE", "AWS_SHARED_", "AWS_CONTAINER_", "AWS_ROLE_", "AWS_WEB_"];

/// Variables that are credentials.
const CREDENTIALS: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/// Whose credentials a client signs with. It signs by itself in any case.
#[derive(Clone, Debug, Default)]
pub enum Identity {
    /// Those of the examples of the AWS documentation.
    #[default]
    Example,
    /// Those that the client finds by itself, in the environment and the files of the user.
    Own {
        /// The region that it signs for.
        region: String,
        /// The profile that has them; without one, it looks in the usual places.
        profile: Option<String>,
    },
}

impl Identity {
    /// The region that is signed for.
    pub(super) fn region(&self) -> &str {
        match self {
            Identity::Example => "us-east-1",
            Identity::Own { region, .. } => region,
        }
    }

    /// Whether a client gets a variable of the environment that is about AWS.
    fn passes(&self, name: &str) -> bool {
        let is_source = SOURCES.iter().any(|source| name.starts_with(source));
        match self {
            Identity::Example => false,
            Identity::Own { profile: None, .. } => is_source || CREDENTIALS.contains(&name),
            // Who names a profile means that one, whatever stands in the environment.
            Identity::Own { profile: Some(_), .. } => is_source,
        }
    }

    /// The variables that it takes beside those of the user.
    fn variables(&self) -> Vec<(&'static str, &str)> {
        let nothing = if cfg!(windows) { "NUL" } else { "/dev/null" };
        let mut variables = vec![("AWS_DEFAULT_REGION", self.region()), ("AWS_REGION", self.region())];
        match self {
            Identity::Example => {
                variables.extend(KEY);
                variables.extend([("AWS_CONFIG_FILE", nothing), ("AWS_SHARED_CREDENTIALS_FILE", nothing)]);
                variables.push(("AWS_EC2_METADATA_DISABLED", "true"));
            }
            Identity::Own { profile, .. } => variables.extend(profile.as_deref().map(|name| ("AWS_PROFILE", name))),
        }
        variables
    }
}

/// A command for a program, with nothing of the user's settings for AWS but what its identity takes: it is asked once,
/// answers nobody else, and ends when it is not needed any more.
pub(super) fn command(program: &Path, identity: &Identity) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        let is_of_aws = |name: &str| name.starts_with("AWS_") && !identity.passes(name);
        if name.to_str().is_some_and(|name| is_of_aws(name) || MISLEADING.contains(&name)) {
            command.env_remove(name);
        }
    }
    command
        .envs(identity.variables())
        .env("AWS_MAX_ATTEMPTS", "1")
        .env("AWS_PAGER", "")
        .env("PYTHONWARNINGS", "ignore")
        .env("PYTHONIOENCODING", "utf-8")
        .env("PYTHONUTF8", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    // Ctrl-C is for ecrspec alone: it still needs the client, to remove repositories.
    #[cfg(unix)]
    command.process_group(0);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Wanted =
        Wanted { names: &["no-such-program"], install: "pip install x", flag: "--x", version: &["--version"] };

    #[test]
    fn what_is_missing_is_said_with_how_it_is_installed() {
        let told = NONE.find(None).unwrap_err().to_string();
        assert_eq!(told, "found no no-such-program on PATH: pip install x, or name one with --x PATH");
        let told = NONE.find(Some(Path::new("/no/such"))).unwrap_err().to_string();
        assert!(told.starts_with("/no/such: ") && told.ends_with(": pip install x, or name another with --x PATH"));
    }
}
