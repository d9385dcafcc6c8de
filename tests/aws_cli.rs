//! What only the command line of the AWS CLI has: flags, input as JSON and as YAML, skeletons, output, `--query`, exit codes,
//! and the example of its page. Skipped without `aws`; with `ECRSPEC_AWS=PATH`, it has to be there.
//!
//! Version 1 (`pip install awscli`) has no `--cli-input-yaml` and no skeleton in YAML; it ends with 2 where the command line is
//! wrong, and with 255 otherwise, where version 2 tells 252, 254 and 255 apart.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;

use ecrspec::contract::{Kind, Operation, OperationSpec, Role, Service};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::binary::{Mock, err, out};
use crate::installed;

/// The AWS CLI for an endpoint that is named by the environment, as its users name it.
struct Aws {
    program: PathBuf,
    endpoint: String,
    /// 1 or 2.
    version: u32,
}

impl Aws {
    fn new(endpoint: &str) -> Option<Aws> {
        let program = installed::aws()?;
        let output = Command::new(&program).arg("--version").output().unwrap();
        let told = out(&output) + &err(&output);
        let version = told.split("aws-cli/").nth(1).and_then(|rest| rest.split('.').next()).unwrap().parse().unwrap();
        Some(Aws { program, endpoint: endpoint.to_owned(), version })
    }

    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_MAX_ATTEMPTS", "1")
            .env("AWS_PAGER", "");
        command
    }

    fn ecr(&self, arguments: &[&str]) -> Output {
        self.command(&self.program).arg("ecr").args(arguments).output().unwrap()
    }

    /// What a call prints that must succeed.
    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.ecr(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", err(&output));
        out(&output).trim().to_owned()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.ok(arguments)).unwrap()
    }

    /// The exit code for an error of the service, and for a parameter that is rejected before anything is sent.
    fn error_codes(&self) -> (i32, i32) {
        if self.version == 1 { (255, 255) } else { (254, 252) }
    }
}

/// A part in a file, and its digest.
fn part(folder: &TempDir) -> (String, String, usize) {
    let bytes: Vec<u8> = (0..=255).cycle().take(1000).collect(); // No text: it must go out as it is.
    let path = folder.path().join("part");
    fs::write(&path, &bytes).unwrap();
    let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    (format!("fileb://{}", path.display()), format!("sha256:{digest}"), bytes.len())
}

#[test]
fn a_push_by_flags_alone() {
    let mock = Mock::start(&[]);
    let Some(aws) = Aws::new(&mock.endpoint) else { return };
    let folder = TempDir::new().unwrap();
    let (blob, digest, len) = part(&folder);
    let name = ["--repository-name", "layer-test"];
    aws.ok(&[&["create-repository"], &name[..]].concat());
    // Text, and a part of the response.
    let upload = aws.ok(&[&["initiate-layer-upload", "--query", "uploadId", "--output", "text"], &name[..]].concat());
    let last = (len - 1).to_string();
    let positions = ["--part-first-byte", "0", "--part-last-byte", &last, "--layer-part-blob", &blob];
    let of_upload = ["--upload-id", &upload];
    let added = aws.json(&[&["upload-layer-part"], &name[..], &of_upload, &positions].concat());
    assert_eq!(added["lastByteReceived"], len - 1);
    // Several digests in one command: one that matches is enough.
    let wrong = format!("sha256:{}", "0".repeat(64));
    let digests = ["--layer-digests", &wrong, &digest];
    let completed = aws.json(&[&["complete-layer-upload"], &name[..], &of_upload, &digests].concat());
    assert_eq!((&completed["layerDigest"], &completed["uploadId"]), (&json!(digest), &json!(upload)));
    // A filter, as text.
    let query = ["--query", "layers[?layerSize].[layerAvailability,layerSize]", "--output", "text"];
    let there = aws.ok(&[&["batch-check-layer-availability"], &name[..], &digests, &query].concat());
    assert_eq!(there, format!("AVAILABLE\t{len}"));
    // A mapping, as JSON.
    let query = ["--query", "{sizes: layers[].layerSize, failed: length(failures)}"];
    let there = aws.json(&[&["batch-check-layer-availability"], &name[..], &digests, &query].concat());
    assert_eq!(there, json!({"sizes": [len], "failed": 0}));
}

#[test]
fn exit_codes_and_messages() {
    let mock = Mock::start(&[]);
    let Some(aws) = Aws::new(&mock.endpoint) else { return };
    let (of_service, of_parameter) = aws.error_codes();
    let missing = ["initiate-layer-upload", "--repository-name", "no/such"];
    let output = aws.ecr(&missing);
    assert_eq!(output.status.code(), Some(of_service));
    let told = "An error occurred (RepositoryNotFoundException) when calling the InitiateLayerUpload operation";
    assert!(err(&output).contains(told) && out(&output).is_empty(), "{}", err(&output));
    // Too short: not sent.
    let output = aws.ecr(&["initiate-layer-upload", "--repository-name", "a"]);
    assert_eq!(output.status.code(), Some(of_parameter), "{}", err(&output));
    assert!(err(&output).contains("valid min length: 2"), "{}", err(&output));
    // No command line.
    let output = aws.ecr(&["complete-layer-upload", "--repository-name", "layer-test"]);
    assert_eq!(output.status.code(), Some(if aws.version == 1 { 2 } else { 252 }), "{}", err(&output));
    assert!(err(&output).contains("--upload-id") && err(&output).contains("--layer-digests"), "{}", err(&output));
    let output = aws.ecr(&[&missing[..], &["--no-such-flag"]].concat());
    assert_eq!(output.status.code(), Some(of_parameter), "{}", err(&output));
    let nobody = Aws { endpoint: String::from("http://127.0.0.1:1"), ..aws };
    assert_eq!(nobody.ecr(&missing).status.code(), Some(255));
}

#[test]
fn input_as_json_and_what_overrides_it() {
    let mock = Mock::start(&[]);
    let Some(aws) = Aws::new(&mock.endpoint) else { return };
    aws.ok(&["create-repository", "--cli-input-json", r#"{"repositoryName":"layer-test"}"#]);
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("input.json");
    fs::write(&path, r#"{"repositoryName":"layer-test"}"#).unwrap();
    let of_file = format!("file://{}", path.display());
    assert!(aws.json(&["initiate-layer-upload", "--cli-input-json", &of_file])["uploadId"].is_string());
    // A flag wins, over what would be valid and over what would not.
    let output = aws.ecr(&["initiate-layer-upload", "--cli-input-json", &of_file, "--repository-name", "no/such"]);
    assert!(err(&output).contains("RepositoryNotFoundException"), "{}", err(&output));
    let wrong = ["initiate-layer-upload", "--cli-input-json", r#"{"repositoryName":"no/such"}"#];
    assert!(aws.json(&[&wrong[..], &["--repository-name", "layer-test"]].concat())["uploadId"].is_string());
    // Bytes beside it.
    let upload = aws.json(&["initiate-layer-upload", "--repository-name", "layer-test"])["uploadId"].clone();
    let (blob, digest, len) = part(&folder);
    let input =
        json!({"repositoryName": "layer-test", "uploadId": upload, "partFirstByte": 0, "partLastByte": len - 1});
    aws.ok(&["upload-layer-part", "--cli-input-json", &input.to_string(), "--layer-part-blob", &blob]);
    let input = json!({"repositoryName": "layer-test", "uploadId": upload, "layerDigests": [digest]});
    let completed = aws.json(&["complete-layer-upload", "--cli-input-json", &input.to_string()]);
    assert_eq!(completed["layerDigest"], digest);
    let output = aws.ecr(&["initiate-layer-upload", "--cli-input-json", r#"{"repositoryName":"#]);
    assert_ne!(output.status.code(), Some(0));
    assert!(err(&output).contains("Invalid JSON"), "{}", err(&output));
}

#[test]
fn input_as_yaml_is_of_version_2() {
    let mock = Mock::start(&[]);
    let Some(aws) = Aws::new(&mock.endpoint) else { return };
    aws.ok(&["create-repository", "--repository-name", "layer-test"]);
    let output = aws.ecr(&["initiate-layer-upload", "--cli-input-yaml", "repositoryName: layer-test"]);
    if aws.version == 1 {
        assert_eq!(output.status.code(), Some(2));
        return;
    }
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let skeleton = aws.ok(&["complete-layer-upload", "--generate-cli-skeleton", "yaml-input"]);
    assert!(skeleton.contains("layerDigests:") && skeleton.contains("uploadId: "), "{skeleton}");
    let both = ["initiate-layer-upload", "--cli-input-yaml", "a: b", "--cli-input-json", "{}"];
    assert_eq!(aws.ecr(&both).status.code(), Some(252));
}

/// The skeletons have the members of the contract, and nothing is sent for them: there is no server.
#[test]
fn skeletons_have_the_members_of_the_contract() {
    let Some(aws) = Aws::new("http://127.0.0.1:1") else { return };
    for operation in Service::Ecr.contract().layer_operations() {
        let command = dashed(operation.name);
        for form in [&["--generate-cli-skeleton"][..], &["--generate-cli-skeleton", "input"]] {
            let skeleton = aws.json(&[&[command.as_str()], form].concat());
            let members = skeleton.as_object().unwrap();
            for member in operation.input {
                // Bytes cannot stand in JSON: version 1 leaves their place out.
                let value = members.get(member.name);
                let fits = value.is_some_and(|value| fits(&member.shape.kind, value));
                assert!(fits, "{command}: {} is {value:?}", member.name);
            }
            let known = |name: &String| operation.input(name).is_some();
            assert!(members.keys().all(known), "{command}: {skeleton}");
        }
        answer_skeleton(&aws, operation, &command);
    }
    assert!(Service::Ecr.contract().layer_operations().all(|operation| operation.name.role() == Role::Layer));
}

/// The skeleton of a response, for a command line that is complete.
fn answer_skeleton(aws: &Aws, operation: &OperationSpec, command: &str) {
    let folder = TempDir::new().unwrap();
    let (blob, digest, _) = part(&folder);
    let mut arguments = vec![command, "--generate-cli-skeleton", "output"];
    let rows: [(&str, &str, &str); 7] = [
        ("repositoryName", "--repository-name", "layer-test"),
        ("uploadId", "--upload-id", "6cb64b8a-9378-0e33-2ab1-b780fab8a9e9"),
        ("layerDigests", "--layer-digests", &digest),
        ("layerDigest", "--layer-digest", &digest),
        ("partFirstByte", "--part-first-byte", "0"),
        ("partLastByte", "--part-last-byte", "999"),
        ("layerPartBlob", "--layer-part-blob", &blob),
    ];
    for (name, flag, value) in rows {
        if operation.input(name).is_some() {
            arguments.extend([flag, value]);
        }
    }
    let skeleton = aws.json(&arguments);
    for member in operation.output {
        let value = &skeleton[member.name];
        assert!(fits(&member.shape.kind, value), "{command}: {} is {value}", member.name);
    }
    assert!(skeleton.as_object().unwrap().keys().all(|name| operation.output(name).is_some()), "{command}: {skeleton}");
}

/// Whether a value has the JSON type of a shape.
fn fits(kind: &Kind, value: &Value) -> bool {
    match kind {
        Kind::Text(_) => value.is_string(),
        Kind::Long { .. } => value.is_i64(),
        Kind::Boolean => value.is_boolean(),
        Kind::Timestamp => value.is_string(),
        // As text, or null where version 1 has no form for bytes.
        Kind::Blob { .. } => value.is_string() || value.is_null(),
        Kind::List { item, .. } => value.as_array().is_some_and(|items| items.iter().all(|one| fits(&item.kind, one))),
        Kind::Structure(members) => members.iter().all(|member| fits(&member.shape.kind, &value[member.name])),
    }
}

/// A name as the AWS CLI has it.
fn dashed(operation: Operation) -> String {
    let dash = |letter: char| format!("{}{}", if letter.is_uppercase() { "-" } else { "" }, letter.to_lowercase());
    operation.name().chars().map(dash).collect::<String>().trim_start_matches('-').to_owned()
}

/// The example of the page of `complete-layer-upload`.
const EXAMPLE: &str = "\
aws ecr complete-layer-upload \\
--repository-name layer-test \\
--upload-id 6cb64b8a-9378-0e33-2ab1-b780fab8a9e9 \\
--layer-digests 6cb64b8a-9378-0e33-2ab1-b780fab8a9e9:48074e6d3a68b39aad8ccc002cdad912d4148c0f92b3729323e
";

/// What the page shows as its output.
const OUTPUT: &str = r#"{
"uploadId": "6cb64b8a-9378-0e33-2ab1-b780fab8a9e9",
"layerDigest": "sha256:9a77f85878aa1906f2020a0ecdf7a7e962d57e882250acd773383224b3fe9a02",
"repositoryName": "layer-test",
"registryId": "130757420319"
}"#;

#[cfg(unix)]
#[test]
fn the_example_of_the_page_runs_word_for_word() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let Some(aws) = Aws::new(&format!("http://{}", listener.local_addr().unwrap())) else { return };
    let server = thread::spawn(move || answer_once(&listener));
    // A shell reads it, which finds the program by its name.
    let folder = TempDir::new().unwrap();
    let program = fs::canonicalize(which(&aws.program)).unwrap();
    std::os::unix::fs::symlink(program, folder.path().join("aws")).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let output = aws.command("sh").args(["-c", EXAMPLE]).env("PATH", path).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let printed: Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(printed, serde_json::from_str::<Value>(OUTPUT).unwrap());
    let (head, body) = server.join().unwrap();
    let target = "x-amz-target: amazonec2containerregistry_v20150921.completelayerupload";
    assert!(head.to_lowercase().contains(target), "{head}");
    let digest = "6cb64b8a-9378-0e33-2ab1-b780fab8a9e9:48074e6d3a68b39aad8ccc002cdad912d4148c0f92b3729323e";
    let upload = "6cb64b8a-9378-0e33-2ab1-b780fab8a9e9";
    assert_eq!(body, json!({"repositoryName": "layer-test", "uploadId": upload, "layerDigests": [digest]}));
}

/// The program itself, where only its name is known.
fn which(program: &Path) -> PathBuf {
    if program.components().count() > 1 {
        return program.to_path_buf();
    }
    let folders = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| path.is_file()).unwrap()
}

/// Answers one request with the output of the page; gives its head and its body.
fn answer_once(listener: &TcpListener) -> (String, Value) {
    let (stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(reader.read_line(&mut head).unwrap(), 0);
    }
    let length = head.to_lowercase().split("content-length: ").nth(1).unwrap().split("\r\n").next().unwrap().to_owned();
    let mut body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\n\r\n{OUTPUT}",
        OUTPUT.len()
    );
    (&stream).write_all(answer.as_bytes()).unwrap();
    (head, serde_json::from_slice(&body).unwrap())
}
