//! The built binary, and its mock.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;
use tokio::runtime::Runtime;

/// The binary, in a folder without a settings file.
pub fn ecrspec(arguments: &[&str]) -> Output {
    let folder = TempDir::new().unwrap();
    command(arguments, folder.path()).output().unwrap()
}

pub fn command(arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ecrspec"));
    command.args(arguments).current_dir(folder).env("NO_COLOR", "1").stdin(Stdio::null());
    command
}

pub fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

pub fn last_line(output: &Output) -> String {
    out(output).lines().last().unwrap_or_default().to_owned()
}

/// The body of the response of `ecr` to a call.
pub fn call(endpoint: &str, operation: &str, body: &str) -> String {
    let request = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .post(endpoint)
        .header("Content-Type", "application/x-amz-json-1.1")
        .header("X-Amz-Target", format!("AmazonEC2ContainerRegistry_V20150921.{operation}"))
        .body(body.to_owned());
    Runtime::new().unwrap().block_on(async { request.send().await.unwrap().text().await.unwrap() })
}

/// Whether a program is there that scripts call, and that Rust does not bring along. CI has to have it.
pub fn has_tool(name: &str) -> bool {
    let found = Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success());
    assert!(found || std::env::var_os("CI").is_none(), "{name} is not installed");
    if !found {
        eprintln!("skipped: {name} is not installed, which scripts call");
    }
    found
}

/// `ecrspec mock` on a free port, ended when it goes out of scope.
pub struct Mock {
    child: Child,
    pub endpoint: String,
}

impl Mock {
    pub fn start(arguments: &[&str]) -> Mock {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ecrspec"))
            .args(["mock", "--port", "0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let endpoint = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap().trim_end_matches(',');
        Mock { endpoint: endpoint.to_owned(), child }
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        ecrspec(&[&["run", "--endpoint", &self.endpoint], arguments].concat())
    }

    /// The body of the response of `ecr` to a call.
    pub fn call(&self, operation: &str, body: &str) -> String {
        call(&self.endpoint, operation, body)
    }

    /// What DescribeRepositories answers.
    pub fn repositories(&self) -> String {
        self.call("DescribeRepositories", "{}")
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
