//! The built binary, and its mock.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

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

    /// Calls an operation of ecr, and gives the body of the answer.
    pub fn call(&self, operation: &str, body: &str) -> String {
        let address = self.endpoint.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).unwrap();
        let target = format!("AmazonEC2ContainerRegistry_V20150921.{operation}");
        let head = format!(
            "POST / HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/x-amz-json-1.1\r\nX-Amz-Target: {target}\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
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
