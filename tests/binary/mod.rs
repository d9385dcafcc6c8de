//! The built binary, and its mock.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use bytes::Bytes;
use ecrspec::contract::Service;
use ecrspec::drive::http::{Http, Timeouts};
use ecrspec::wire::{Trust, envelope};
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
    // A run that names no endpoint is one of the embedded mock, whatever else whoever runs the tests works on.
    for endpoint in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_ECR", "AWS_ENDPOINT_URL_ECR_PUBLIC"] {
        command.env_remove(endpoint);
    }
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
    call_trusting(endpoint, &Trust::System, operation, body)
}

fn call_trusting(endpoint: &str, trust: &Trust, operation: &str, body: &str) -> String {
    let http = Http::trusting(endpoint, Timeouts::default(), trust).unwrap();
    let request = envelope::request(Service::Ecr, operation.parse().unwrap(), Bytes::from(body.to_owned()));
    let exchange = Runtime::new().unwrap().block_on(http.send(request)).unwrap();
    String::from_utf8(exchange.response().unwrap().body.to_vec()).unwrap()
}

/// Whether a program is there that scripts call, and that Rust does not bring along. CI has to have it.
pub fn has_tool(name: &str) -> bool {
    // Not each of them has --version, as some awk.
    let found = Command::new("sh").args(["-c", "command -v \"$0\"", name]).output();
    let found = found.is_ok_and(|output| output.status.success());
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
    trust: Trust,
}

impl Mock {
    /// Over TLS, with the certificate of its authority in a file.
    pub fn start_tls(arguments: &[&str], bundle: &Path) -> Mock {
        let mut mock = Mock::start(&[&["--tls", "--ca-bundle-out", bundle.to_str().unwrap()], arguments].concat());
        mock.trust = Trust::Bundle(bundle.to_path_buf());
        mock
    }

    pub fn start(arguments: &[&str]) -> Mock {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ecrspec"))
            .args(["mock", "--port", "0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let endpoint = line.split_whitespace().find(|word| word.starts_with("http")).unwrap().trim_end_matches(',');
        Mock { endpoint: endpoint.to_owned(), child, trust: Trust::System }
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        let trust = self.trust.flags();
        let trust: Vec<&str> = trust.iter().map(String::as_str).collect();
        ecrspec(&[&["run", "--endpoint", &self.endpoint], &trust[..], arguments].concat())
    }

    /// The body of the response of `ecr` to a call.
    pub fn call(&self, operation: &str, body: &str) -> String {
        call_trusting(&self.endpoint, &self.trust, operation, body)
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
