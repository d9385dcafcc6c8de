//! Scripts as a shell runs them, and a server that keeps what arrives.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

/// Runs a script as `| sh` does.
pub fn run(script: &str) -> Output {
    run_with(&mut Command::new("sh"), script)
}

/// Runs a script in this shell.
pub fn run_with(shell: &mut Command, script: &str) -> Output {
    let mut child = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let script = String::from(script);
    // It may end before it has read all of a large script.
    let writer = std::thread::spawn(move || input.write_all(script.as_bytes()));
    let output = child.wait_with_output().unwrap();
    let _ = writer.join();
    output
}

/// A request as it arrived.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Arrived {
    pub method: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Arrived {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn operation(&self) -> &str {
        self.header("x-amz-target").and_then(|target| target.rsplit('.').next()).unwrap_or_default()
    }
}

/// A server on a loopback port that keeps what arrives.
pub struct Recorder {
    pub endpoint: String,
    arrived: Arc<Mutex<Vec<Arrived>>>,
}

impl Recorder {
    /// Answers each request with status 200 and what `answer` gives for its operation.
    pub fn start(answer: impl Fn(&Arrived) -> Vec<u8> + Send + 'static) -> Recorder {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let arrived = Arc::new(Mutex::new(Vec::new()));
        let kept = arrived.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if let Some(request) = read(&stream) {
                    let body = answer(&request);
                    kept.lock().unwrap().push(request);
                    let head =
                        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                    let _ = (&stream).write_all(&[head.as_bytes(), &body].concat());
                }
            }
        });
        Recorder { endpoint, arrived }
    }

    /// What arrived since the last time.
    pub fn take(&self) -> Vec<Arrived> {
        std::mem::take(&mut *self.arrived.lock().unwrap())
    }
}

fn read(stream: &TcpStream) -> Option<Arrived> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let method = String::from(line.split(' ').next()?);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end_matches("\r\n").split_once(':') {
            Some((name, value)) => headers.push((String::from(name), String::from(value.trim_matches(' ')))),
            None => break,
        }
    }
    let mut arrived = Arrived { method, headers, body: Vec::new() };
    if arrived.header("expect").is_some() {
        (&mut &*stream).write_all(b"HTTP/1.1 100 Continue\r\n\r\n").ok()?;
    }
    if arrived.header("transfer-encoding").is_some() {
        loop {
            let mut size = String::new();
            reader.read_line(&mut size).ok()?;
            let size = usize::from_str_radix(size.trim(), 16).ok()?;
            let mut chunk = vec![0; size + 2];
            reader.read_exact(&mut chunk).ok()?;
            if size == 0 {
                break;
            }
            arrived.body.extend_from_slice(&chunk[..size]);
        }
    } else {
        arrived.body = vec![0; arrived.header("content-length").map_or(Some(0), |length| length.parse().ok())?];
        reader.read_exact(&mut arrived.body).ok()?;
    }
    Some(arrived)
}
