//! Chromium without a window, told what to do over a pipe (the DevTools protocol).

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::binary::has_tool;

/// Whether there is a browser. CI has to have one, or say by `ECRSPEC_NO_BROWSER` that none can be installed.
pub fn is_there() -> bool {
    if std::env::var_os("ECRSPEC_NO_BROWSER").is_some() {
        eprintln!("skipped: ECRSPEC_NO_BROWSER says that there is no browser");
        return false;
    }
    has_tool("chromium")
}

/// A browser with one page.
pub struct Browser {
    child: Child,
    input: File,
    output: Receiver<Value>,
    session: Option<String>,
    calls: u64,
    /// What happened on the page.
    pub events: Vec<Value>,
    _folder: TempDir,
}

impl Browser {
    /// Starts it; `width` by `height` pixels.
    pub fn start(width: u32, height: u32) -> Browser {
        let folder = TempDir::new().unwrap();
        for pipe in ["in", "out"] {
            assert!(Command::new("mkfifo").arg(folder.path().join(pipe)).status().unwrap().success());
        }
        // A shell gives it the two descriptors that the protocol wants.
        let child = Command::new("sh")
            .args(["-c", "exec chromium \"$@\" 3<in 4>out", "chromium"])
            .args(["--headless", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
            .args(["--no-first-run", "--hide-scrollbars", "--user-data-dir=profile"])
            .arg(format!("--window-size={width},{height}"))
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let input = OpenOptions::new().write(true).open(folder.path().join("in")).unwrap();
        let mut reader = BufReader::new(File::open(folder.path().join("out")).unwrap());
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut message = Vec::new();
            while reader.read_until(0, &mut message).is_ok_and(|bytes| bytes > 0) {
                message.pop();
                let Ok(value) = serde_json::from_slice(&message) else { break };
                if sender.send(value).is_err() {
                    break;
                }
                message.clear();
            }
        });
        let mut browser =
            Browser { child, input, output, session: None, calls: 0, events: Vec::new(), _folder: folder };
        let target = browser.call("Target.createTarget", json!({"url": "about:blank"}))["targetId"].clone();
        let attached = browser.call("Target.attachToTarget", json!({"targetId": target, "flatten": true}));
        browser.session = attached["sessionId"].as_str().map(String::from);
        for domain in ["Page", "Runtime", "Network", "Log"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        browser.size(width, height);
        browser
    }

    /// Sets how large the page is shown.
    pub fn size(&mut self, width: u32, height: u32) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", metrics);
    }

    /// Calls a method of the protocol.
    pub fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.calls += 1;
        let mut message = json!({"id": self.calls, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.input.write_all(format!("{message}\0").as_bytes()).unwrap();
        loop {
            let answer = self.next(method);
            if answer["id"] == json!(self.calls) {
                assert!(answer.get("error").is_none(), "{method}: {answer}");
                return answer["result"].clone();
            }
            self.events.push(answer);
        }
    }

    fn next(&self, what: &str) -> Value {
        self.output.recv_timeout(Duration::from_secs(120)).unwrap_or_else(|error| panic!("{what}: {error}"))
    }

    /// Opens a file and waits until it is there.
    pub fn open(&mut self, path: &Path) {
        self.events.clear();
        self.call("Page.navigate", json!({"url": format!("file://{}", path.display())}));
        while !self.events.iter().any(|event| event["method"] == "Page.loadEventFired") {
            let event = self.next("load");
            self.events.push(event);
        }
    }

    /// What an expression comes to.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let parameters = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let result = self.call("Runtime.evaluate", parameters);
        assert!(result.get("exceptionDetails").is_none(), "{expression}: {result}");
        result["result"]["value"].clone()
    }

    /// Presses a key.
    pub fn press(&mut self, key: &str, code: u32) {
        for kind in ["keyDown", "keyUp"] {
            let event = json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code});
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// The addresses that were asked for since the page was opened.
    pub fn requests(&self) -> Vec<String> {
        let sent = self.events.iter().filter(|event| event["method"] == "Network.requestWillBeSent");
        sent.map(|event| String::from(event["params"]["request"]["url"].as_str().unwrap_or_default())).collect()
    }

    /// What the page threw, and what the browser complains of.
    pub fn complaints(&self) -> Vec<&Value> {
        let is_complaint = |event: &&Value| {
            ["Runtime.exceptionThrown", "Log.entryAdded", "Page.javascriptDialogOpening"]
                .iter()
                .any(|method| event["method"] == *method)
        };
        self.events.iter().filter(is_complaint).collect()
    }

    /// Keeps a picture where ECRSPEC_PICTURES names a folder, for whoever wants to look.
    pub fn picture(&mut self, name: &str) {
        self.capture(name, json!({"format": "png"}));
    }

    /// The same of one element.
    pub fn picture_of(&mut self, name: &str, selector: &str) {
        let edges = "({x, y, width, height}) => ({x: x + scrollX, y: y + scrollY, width, height, scale: 1})";
        let clip = self.evaluate(&format!("({edges})(document.querySelector('{selector}').getBoundingClientRect())"));
        self.capture(name, json!({"format": "png", "clip": clip, "captureBeyondViewport": true}));
    }

    fn capture(&mut self, name: &str, parameters: Value) {
        use base64::Engine as _;
        let Some(folder) = std::env::var_os("ECRSPEC_PICTURES") else { return };
        let data = self.call("Page.captureScreenshot", parameters)["data"].clone();
        let bytes = base64::engine::general_purpose::STANDARD.decode(data.as_str().unwrap()).unwrap();
        std::fs::write(Path::new(&folder).join(format!("{name}.png")), bytes).unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
