//! A directory in which the commands of the guide and of the action run: programs they call, and a server.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::cell::RefCell;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// What a run of a snippet is restricted to: that the command works is what is asked, and not what the suite says.
pub const FILTER: &str = "CompleteLayerUpload/layerDigests/match";

/// `ecrspec`, which notes its exit code. A run is a part of one.
const ECRSPEC: &str = r#"#!/bin/bash
case "$1 $2" in
    run\ *)
        [[ " $* " == *" --filter "* ]] || set -- "$@" --filter "$FILTER"
        [[ " $* " == *" --cases "* ]] || set -- "$@" --cases 0 ;;
    known\ init)
        [[ " $* " == *.ndjson* ]] || set -- known init run.ndjson ;;
esac
code=0
"$ECRSPEC_BINARY" "$@" || code=$?
echo "$code ecrspec $*" >> "$WORKSHOP/codes"
exit "$code"
"#;

/// A server that deviates, so that there is something to find.
const SERVER: &str = "#!/bin/sh\nexec \"$ECRSPEC_BINARY\" mock --service ecr --fault digests-not-compared \"$@\"\n";

pub struct Workshop {
    folder: TempDir,
    /// A port that was free.
    pub port: u16,
    groups: RefCell<Vec<u32>>,
}

impl Workshop {
    pub fn new() -> Workshop {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let workshop = Workshop { folder: TempDir::new().unwrap(), port, groups: RefCell::default() };
        workshop.program("bin/ecrspec", ECRSPEC);
        workshop.program("your-server", SERVER);
        workshop.write("known.toml", "known = []\n");
        workshop
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Puts a script where it is found.
    pub fn program(&self, name: &str, script: &str) {
        self.write(name, script);
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Programs that do nothing, in place of ones that would build or download something.
    pub fn without(&self, names: &[&str]) {
        for name in names {
            self.program(&format!("bin/{name}"), "#!/bin/sh\n");
        }
    }

    /// The directory of the binary, where a snippet expects it.
    pub fn installed(&self, directory: &str) {
        fs::create_dir_all(self.path(directory)).unwrap();
        symlink(self.path("bin/ecrspec"), self.path(directory).join("ecrspec")).unwrap();
    }

    /// The text with the port of this workshop.
    pub fn here(&self, text: &str) -> String {
        text.replace("5000", &self.port.to_string())
    }

    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A bash as a step of GitHub Actions has it; what it leaves behind ends with this workshop.
    pub fn bash(&self, script: &str, variables: &[(&str, &str)]) -> Output {
        let file = self.path("step.sh");
        fs::write(&file, script).unwrap();
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-eo", "pipefail"]).arg(&file);
        self.run(&mut command, variables)
    }

    pub fn run(&self, command: &mut Command, variables: &[(&str, &str)]) -> Output {
        let path = std::env::var("PATH").unwrap();
        command.current_dir(self.folder.path()).env("PATH", format!("{}:{path}", self.path("bin").display()));
        command.env("ECRSPEC_BINARY", env!("CARGO_BIN_EXE_ecrspec")).env("WORKSHOP", self.folder.path());
        command.env("FILTER", FILTER).env("NO_COLOR", "1").envs(variables.iter().copied());
        for endpoint in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_ECR", "AWS_ENDPOINT_URL_ECR_PUBLIC"] {
            command.env_remove(endpoint);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let child = command.spawn().unwrap();
        self.groups.borrow_mut().push(child.id());
        child.wait_with_output().unwrap()
    }

    /// Each `ecrspec` command that ran, behind its exit code.
    pub fn codes(&self) -> Vec<String> {
        fs::read_to_string(self.path("codes")).unwrap_or_default().lines().map(String::from).collect()
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        for group in self.groups.borrow().iter() {
            let _ = Command::new("kill").args(["--", &format!("-{group}")]).stderr(Stdio::null()).status();
        }
    }
}

pub fn all(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// YAML as JSON.
pub fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

pub fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}
