//! Scripts of cases, run by a shell: what they send is what ecrspec sends, and nothing that a case or a target says is run.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ecrspec::case::{Case, Chunk, Length, Place, StepRole, Transcript};
use ecrspec::contract::Service;
use ecrspec::drive::http::{Http, Timeouts};
use ecrspec::drive::{self, Driver, Target, Workspace};
use ecrspec::report::script::{Destination, Unscriptable, script};
use ecrspec::scenario;
use ecrspec::suite::{find, suite};
use ecrspec::template::{Reference, Template};
use ecrspec::wire::{Framing, Request, Trust};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::binary::{Mock, err, has_tool, out};
use crate::shell::{Arrived, Recorder, run, run_with};

const ACCOUNT: &str = "012345678910";
const ALIAS: &str = "q2w4e6r8";

/// A layer of one part; and again, with what the first completion answered.
const LAYER: &str = r#"
title: a layer
services: [ecr]
bytes: {layer: 40, unused: 41}
steps:
  - name: upload
    call: InitiateLayerUpload
    body: {repositoryName: "${repository}"}
  - name: part
    call: UploadLayerPart
    body: {repositoryName: "${repository}", uploadId: "${upload.uploadId}", partFirstByte: 0,
           partLastByte: "${last:layer}", layerPartBlob: "${base64:layer}"}
  - name: complete
    call: CompleteLayerUpload
    body: {repositoryName: "${part.repositoryName}", uploadId: "${upload.uploadId}", layerDigests: ["${sha256:layer}"]}
  - name: again
    call: CompleteLayerUpload
    body: {repositoryName: "${absent}-x", uploadId: "${upper:upload.uploadId}", layerDigests: ["${complete.layerDigest}"]}
    judged: false
"#;

fn case(yaml: &str) -> Case {
    let mut case = scenario::parse("x.yaml", "x", yaml).unwrap().cases.remove(0);
    case.steps.iter_mut().for_each(|step| step.role = StepRole::Focus);
    case
}

/// What would leave a file, end the script, or change a word, if a shell ever read it as code. Each has an end that shows
/// whether it arrived whole.
fn hostile(canary: &Path) -> Vec<String> {
    let touch = format!("touch {}", canary.display());
    let mut texts = vec![
        format!("$({touch})"),
        format!("`{touch}`"),
        format!("'; {touch}; '"),
        format!("\"; {touch}; \""),
        format!("\\'; {touch} #"),
        format!("\\\"; {touch} #"),
        format!("a\n{touch}\n"),
        format!("a\r\n{touch}\r\n\r\n"),
        format!("' || {touch} || '"),
        format!("& {touch} & | {touch}"),
        format!("<({touch})>({touch})"),
    ];
    let plain = [
        "-n",
        "--version",
        "@/etc/passwd",
        "%s%n%%",
        "${IFS}$HOME~",
        "* ? [a-z]",
        "\\",
        "\\\\n\\u0041\\0101\\c",
        " a  b ",
        "\ttab",
        "!!",
        "$((1/0))",
        "{a,b}",
        "#x",
        "&",
        "\"",
        "'",
        "''",
        "it's \"so\"",
        "<EOF",
        "\u{1}\u{1f}\u{7f}",
        "line\nbreaks\n\n",
        "$'x'",
        "/",
        "",
    ];
    texts.extend(plain.map(String::from));
    texts
}

/// What ecrspec itself does with a case.
fn driven(case: &Case, endpoint: &str, repository: Option<&str>) -> Transcript {
    let room = Workspace {
        prefix: String::from("ecrspec-test"),
        making: Default::default(),
        shared: repository.map(String::from),
        account: Some(String::from(ACCOUNT)),
        alias: Some(String::from(ALIAS)),
        part_size: 5_242_880,
        salt: String::from("salt"),
        worker: 0,
    };
    let target = Target::new(Driver::Http(Http::new(endpoint, Timeouts::default()).unwrap()));
    tokio::runtime::Runtime::new().unwrap().block_on(drive::case(&target, case, &room))
}

fn to<'a>(endpoint: &'a str, repository: Option<&'a str>) -> Destination<'a> {
    Destination { endpoint, trust: &Trust::System, certificate: None, headers: &[], sigv4: None, repository }
}

/// Method, headers and body of a request.
type Sent = (String, Vec<(String, String)>, String);

/// Requests without what differs from run to run: bytes and what comes from them, names of repositories, and the headers
/// that a client adds by itself.
fn normal(arrived: &[Arrived]) -> Vec<Sent> {
    const OWN: [&str; 6] = ["host", "user-agent", "accept", "content-length", "connection", "accept-encoding"];
    let mut known: Vec<(String, String)> = Vec::new();
    for request in arrived {
        let Ok(body) = serde_json::from_slice::<Value>(&request.body) else { continue };
        if let Some(blob) = body["layerPartBlob"].as_str()
            && let Ok(bytes) = STANDARD.decode(blob)
        {
            let hex: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            let (most, last) = hex.split_at(63);
            let next = (u8::from_str_radix(last, 16).unwrap() + 1) % 16;
            known.extend([
                (format!("\"{blob}\""), format!("«base64: {}»", bytes.len())),
                (hex.clone(), String::from("«hex»")),
                (hex.to_uppercase(), String::from("«HEX»")),
                (format!("{most}{next:x}"), String::from("«nearly»")),
                (String::from(&hex[..12]), String::from("«short»")),
                (String::from(&hex[3..9]), String::from("«cut»")),
            ]);
        }
        if let Some(name) = body["repositoryName"].as_str()
            && request.operation() == "CreateRepository"
        {
            known.push((String::from(name), String::from("«repository»")));
        }
    }
    let absent = |text: &str| {
        let Some((before, _)) = text.split_once("-absent") else { return String::from(text) };
        let name = before.rsplit('"').next().unwrap();
        text.replace(&format!("{name}-absent"), "«absent»")
    };
    arrived
        .iter()
        .map(|request| {
            let text: String = request.body.iter().map(|byte| char::from(*byte)).collect();
            let text = known.iter().fold(absent(&text), |text, (from, to)| text.replace(from, to));
            let headers = request.headers.iter().filter(|(name, _)| !OWN.contains(&name.to_lowercase().as_str()));
            let mut headers: Vec<_> = headers.map(|(name, value)| (name.to_lowercase(), value.clone())).collect();
            headers.sort();
            (request.method.clone(), headers, text)
        })
        .collect()
}

/// Runs a case as a script and by ecrspec itself: what arrives must be the same, to the byte.
fn sends_the_same(case: &Case, server: &Recorder, repository: Option<&str>) {
    let text = script(case, &to(&server.endpoint, repository)).unwrap();
    let output = run(&text);
    assert!(output.status.success(), "{}\n{}{text}", out(&output), err(&output));
    let by_script = server.take();
    driven(case, &server.endpoint, repository);
    assert_eq!(normal(&by_script), normal(&server.take()), "{text}");
}

/// Answers with these values to whatever refers to them.
fn answering(value: &str) -> Recorder {
    let value = String::from(value);
    Recorder::start(move |request| {
        let members = json!({
            "registryId": ACCOUNT, "repositoryName": value, "uploadId": value, "layerDigest": value, "partSize": 5_242_880,
            "repository": {"registryId": ACCOUNT, "repositoryName": value, "repositoryUri": format!("public.ecr.aws/{ALIAS}/{value}")}, "message": "é \u{1f600} \u{9b}",
        });
        // Another way to write the same text.
        let text = members.to_string().replace('/', "\\/");
        let text = if request.body.len() % 2 == 0 { text } else { text.replace('$', "\\u0024") };
        format!(" {text}\n").into_bytes()
    })
}

#[test]
fn what_a_case_says_is_never_code() {
    if !has_tool("curl") {
        return;
    }
    let folder = TempDir::new().unwrap();
    let canary = folder.path().join("canary");
    let server = answering("an-upload");
    for (index, text) in hostile(&canary).into_iter().enumerate() {
        let mut case = case(LAYER);
        case.title.clone_from(&text);
        case.id.clone_from(&text);
        let fit = text.replace(['}', '+'], "");
        for (from, to) in [("upload.", format!("{fit}.")), (":layer", format!(":{fit}"))] {
            for step in &mut case.steps {
                let body = step.request.body.to_string();
                step.request.body = Template::parse(body.replace(from, &to)).unwrap();
            }
        }
        case.chunks = vec![Chunk::new(&fit, 40)];
        case.steps[0].name.clone_from(&fit);
        let value = text.replace(|letter: char| letter.is_control(), "");
        case.steps[1].request.headers.push((String::from("X-Value"), value.trim().to_owned()));
        case.steps[2].request.headers.push((String::from("X-`kill$IFS$$`"), String::from("name")));
        case.steps[3].request.method = String::from("P`kill$IFS$$`");
        case.steps[3].request.body = Template::literal(text.clone());
        if index % 2 == 0 || text.is_empty() {
            sends_the_same(&case, &server, Some(&text));
        } else {
            // In repositories of its own, a further one with this name.
            case.place = Place::Own(vec![fit.clone()]);
            case.steps[3].request.body = Template::parse(format!("{{\"x\":\"${{repository:{fit}}}\"}}")).unwrap();
            sends_the_same(&case, &server, None);
        }
        assert!(!canary.exists(), "{text:?}");
    }
}

#[test]
fn what_a_target_answers_is_never_code() {
    if !has_tool("curl") {
        return;
    }
    let folder = TempDir::new().unwrap();
    let canary = folder.path().join("canary");
    for (index, value) in hostile(&canary).iter().enumerate() {
        let repository = (index % 2 == 0).then_some("team/app");
        sends_the_same(&case(LAYER), &answering(value), repository);
        assert!(!canary.exists(), "{value:?}");
    }
}

#[test]
fn an_answer_that_cannot_be_sent_on_ends_the_script() {
    if !has_tool("curl") {
        return;
    }
    for answer in [
        r#"{"uploadId":"é"}"#,
        r#"{"uploadId":"\u00e9"}"#,
        r#"{"uploadId":{"uploadId":"x"}}"#,
        r#"{"uploadId":["x"]}"#,
        r#"{"uploadId":1.5}"#,
        r#"{"other":"x"}"#,
        r#"{"uploadId":"x"} trailing"#,
        r#"{"uploadId":"x"#,
        "<html>\"uploadId\":\"x\"</html>",
        "",
    ] {
        let server = Recorder::start(|_| answer.as_bytes().to_vec());
        let output = run(&script(&case(LAYER), &to(&server.endpoint, None)).unwrap());
        assert_eq!(output.status.code(), Some(1), "{answer}: {}{}", out(&output), err(&output));
        assert!(err(&output).contains("upload.json has no member uploadId"), "{answer}: {}", err(&output));
        let arrived: Vec<String> = server.take().iter().map(|request| String::from(request.operation())).collect();
        assert_eq!(arrived, ["CreateRepository", "InitiateLayerUpload", "DeleteRepository"], "{answer}");
    }
}

#[test]
fn what_arrived_on_a_terminal_acts_on_none() {
    if !has_tool("curl") {
        return;
    }
    let server = Recorder::start(|_| b"{\"uploadId\":\"a\",\"x\":\"\x1b[2J\xc2\x9b\"}".to_vec());
    let output = run(&script(&case(LAYER), &to(&server.endpoint, None)).unwrap());
    assert!(output.stdout.iter().all(|byte| matches!(byte, b'\n' | b' '..=b'~')), "{}", out(&output));
}

/// Cases of every kind, with what the mock answers to the script and to ecrspec.
#[test]
fn scripts_get_the_answers_that_their_cases_get() {
    if !has_tool("curl") {
        return;
    }
    let mock = Mock::start(&["--service", "ecr"]);
    let all = suite(Service::Ecr).unwrap();
    let named = [
        "wire/body/utf-8/in-name",
        "wire/body/json/100000-brackets",
        "wire/framing/chunked/chunked",
        "wire/framing/expect/100-continue",
        "wire/method/get",
        "wire/target/present/empty",
        "wire/content-type/other/absent",
        "wire/header/case/upper",
        "CompleteLayerUpload/repositoryName/pattern/nul",
        "CompleteLayerUpload/layerDigests/any-match/last-of-2",
    ];
    let spread = all.iter().enumerate().filter(|(index, case)| {
        // Open questions too; but not those of 20 MiB.
        index % 23 == 0 || named.contains(&case.id.as_str()) || (case.id.starts_with("scenarios/") && index % 5 == 0)
    });
    let mut tried = 0;
    // Nothing is signed here.
    let unsigned = spread.filter(|(_, case)| !case.id.starts_with("auth/"));
    for (_, case) in unsigned.filter(|(_, case)| !case.last && !case.is_race()) {
        let output = run(&script(case, &to(&mock.endpoint, None)).unwrap());
        assert!(output.status.success(), "{}: {}{}", case.id, out(&output), err(&output));
        assert_eq!(err(&output), "", "{}", case.id);
        let printed = out(&output);
        let transcript = driven(case, &mock.endpoint, None);
        assert!(transcript.stopped.is_none(), "{}: {:?}", case.id, transcript.stopped);
        let mut lines = printed.lines().filter(|line| !line.contains(": expected "));
        for (step, exchange) in case.steps.iter().zip(&transcript.exchanges) {
            let answer = exchange.response().unwrap();
            let line = lines.next().unwrap_or_else(|| panic!("{}, {}: {printed}", case.id, step.name));
            let (head, body) = line.split_at(line.match_indices(' ').nth(1).unwrap().0);
            assert_eq!(head, format!("{} {}", step.name, answer.status), "{}: {line}", case.id);
            let shape = |body: Option<Value>| {
                let members = body.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
                (members.keys().cloned().collect::<Vec<_>>(), members.get("__type").cloned())
            };
            assert_eq!(shape(serde_json::from_str(body).ok()), shape(answer.json()), "{}: {line}", case.id);
        }
        assert_eq!(lines.next(), None, "{}: {printed}", case.id);
        tried += 1;
    }
    assert!(tried > 50, "{tried}");
    assert!(mock.repositories().contains("\"repositories\":[]"), "{}", mock.repositories());
}

#[test]
fn a_script_of_calls_at_once_sends_all_of_them() {
    if !has_tool("curl") {
        return;
    }
    let mock = Mock::start(&["--service", "ecr"]);
    let race = find(Service::Ecr, "scenarios/races/completes").unwrap().unwrap();
    let output = run(&script(&race, &to(&mock.endpoint, None)).unwrap());
    assert!(output.status.success(), "{}{}", out(&output), err(&output));
    let answers = out(&output);
    let last: Vec<&str> = race
        .groups()
        .last()
        .map(|group| &race.steps[group.clone()])
        .unwrap()
        .iter()
        .map(|step| step.name.as_str())
        .collect();
    for name in last {
        assert!(answers.lines().any(|line| line.starts_with(&format!("{name} "))), "{name}: {answers}");
    }
    assert_eq!(answers.matches("{\"layerDigest\"").count(), 1, "{answers}");
}

#[test]
fn every_case_can_be_a_script() {
    for service in Service::ALL {
        for case in suite(service).unwrap() {
            let own = script(&case, &to("http://127.0.0.1:5000", None));
            let mut signatures = case.steps.iter().map(|step| step.request.signature);
            if let Some(signature) = signatures.find(|signature| !signature.is_valid()) {
                assert_eq!(own, Err(Unscriptable::Signature(signature)), "{}", case.id);
                continue;
            }
            assert!(own.is_ok(), "{}: {own:?}", case.id);
            let fixed = script(&case, &to("http://127.0.0.1:5000", Some("team/app")));
            let mut references = case.steps.iter().flat_map(|step| step.request.body.references());
            let expected = match case.manages_repositories() {
                true => Some(Unscriptable::Repositories),
                false => references.any(|reference| *reference == Reference::Alias).then_some(Unscriptable::Alias),
            };
            assert_eq!(fixed.err(), expected, "{}", case.id);
        }
    }
}

#[test]
fn what_curl_cannot_send_is_rejected() {
    let request = |change: fn(&mut Request<Template>)| {
        let mut case = case(LAYER);
        change(&mut case.steps[0].request);
        script(&case, &to("http://127.0.0.1:5000", None)).unwrap_err().to_string()
    };
    let header = |name: &str, value: &str| (String::from(name), String::from(value));
    let rows = [
        (request(|request| request.method = String::from("HEAD")), "curl cannot send the method \"HEAD\""),
        (request(|request| request.method = String::from("PO ST")), "curl cannot send the method \"PO ST\""),
        (
            request(|request| request.body = Template::parse("${nobody.uploadId}").unwrap()),
            "no command stands for ${nobody.uploadId}",
        ),
        (
            request(|request| request.body = Template::parse("${base64:absent}").unwrap()),
            "no command stands for ${base64:absent}",
        ),
    ];
    for (found, expected) in rows {
        assert_eq!(found, expected);
    }
    for (name, value) in [("@/etc/passwd", "x"), ("X A", "x"), ("X", "a\r\nY: b"), ("", "x"), ("X:", "x")] {
        let mut case = case(LAYER);
        case.steps[0].request.headers.push(header(name, value));
        let rejected = script(&case, &to("http://127.0.0.1:5000", None));
        assert_eq!(rejected, Err(Unscriptable::Header(format!("{name}: {value}"))));
    }
}

/// The temporary folder of a script is removed, and what it made, however it ends.
#[test]
fn a_script_leaves_nothing_behind() {
    if !has_tool("curl") {
        return;
    }
    let in_folder = |text: &str| -> (Output, usize) {
        let folder = TempDir::new().unwrap();
        let output = run_with(Command::new("sh").env("TMPDIR", folder.path()), text);
        (output, fs::read_dir(folder.path()).unwrap().count())
    };
    let server = answering("x");
    let (output, left) = in_folder(&script(&case(LAYER), &to(&server.endpoint, None)).unwrap());
    assert!(output.status.success() && left == 0, "{left}: {}", err(&output));

    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (output, left) = in_folder(&script(&case(LAYER), &to(&format!("http://{free}"), None)).unwrap());
    assert_eq!((output.status.code(), left), (Some(7), 0), "{}", err(&output));
    assert!(
        err(&output).contains("repository-create: no answer") && !err(&output).contains("still be there"),
        "{}",
        err(&output)
    );

    for endpoint in
        ["http://127.0.0.1:1/$(exit 99)", "x; exit 99", "`exit 99`", "-K", "file:///etc/passwd", "a\nexit 99"]
    {
        let (output, left) = in_folder(&script(&case(LAYER), &to(endpoint, None)).unwrap());
        assert!(!matches!(output.status.code(), Some(0 | 99) | None), "{endpoint}: {:?}", output.status);
        assert_eq!(left, 0, "{endpoint}");
    }
    let nul = script(&case(LAYER), &to("http://a\0b", None));
    assert!(matches!(nul, Err(Unscriptable::Nul(_))), "{nul:?}");
}

/// As on a macOS of some age: no sha256sum, no base64.
#[test]
fn a_script_does_with_other_tools() {
    if !has_tool("curl") {
        return;
    }
    let tools = TempDir::new().unwrap();
    let find = |tool: &str| {
        let path = std::env::var_os("PATH").unwrap();
        std::env::split_paths(&path).map(|folder| folder.join(tool)).find(|file| file.is_file())
    };
    let others = ["shasum", "openssl"].map(find);
    if others.iter().any(Option::is_none) {
        eprintln!("skipped: there is no shasum or no openssl");
        return;
    }
    for tool in ["awk", "cat", "curl", "grep", "head", "mktemp", "perl", "rm", "sh", "tail", "tr"]
        .map(find)
        .into_iter()
        .chain(others)
    {
        let tool = tool.expect("every Unix has it");
        std::os::unix::fs::symlink(&tool, tools.path().join(tool.file_name().unwrap())).unwrap();
    }
    let server = answering("x");
    let text = script(&case(LAYER), &to(&server.endpoint, None)).unwrap();
    let output = run_with(Command::new(tools.path().join("sh")).env("PATH", tools.path()), &text);
    assert!(output.status.success(), "{}", err(&output));
    let by_script = server.take();
    driven(&case(LAYER), &server.endpoint, None);
    assert_eq!(normal(&by_script), normal(&server.take()));
}

#[test]
fn only_the_bytes_that_are_used_are_made() {
    let text = script(&case(LAYER), &to("http://127.0.0.1:5000", None)).unwrap();
    assert!(text.contains("head -c 40 /dev/urandom > layer.bytes\n") && !text.contains("unused"), "{text}");
}

/// References that are rare in the suite, and framings.
#[test]
fn references_stand_for_what_they_stand_for_in_a_case() {
    if !has_tool("curl") {
        return;
    }
    let server = answering("Az-09");
    let mut case = case(LAYER);
    case.chunks.push(Chunk::new("Layer", 3));
    case.chunks.push(Chunk::new("none", 0));
    let bodies: [&[u8]; 4] = [
        b"{\"x\":\"${hex:layer}${hex-upper:layer}${sha256-prefix12:layer}${sha256-last-digit-off:layer}${repeat:3:ab}${repeat:100:z}${repeat:0:q}\"}",
        b"{\"layerPartBlob\":\"${base64:layer}\",\"x\":\"${repeat:40:\\\"}\"}",
        b"\xff\0\x01%s\\n-'\"${size:layer+Layer}${last:layer}${sha256:none}${open",
        b"-${pad:60:repository}${upload.partSize}${upper:upload.uploadId}${cut:1-4:upload.uploadId}${cut:3-9:hex:layer}",
    ];
    for (step, body) in case.steps.iter_mut().zip(bodies) {
        step.request.body = Template::parse(body).unwrap();
    }
    case.steps[2].request.framing = Framing::Chunked;
    case.steps[3].request.framing = Framing::ExpectContinue;
    sends_the_same(&case, &server, Some("team/app"));
    case.steps[3].request.framing = Framing::Verbatim;
    // Bytes that are the same in every run are for a repository of one's own.
    let unit = std::sync::Arc::from(&b"\0\xff'%\n"[..]);
    case.chunks.push(Chunk { name: String::from("raw"), len: Length::Literal { unit, times: 7 } });
    case.steps[3].request.body = Template::parse("\"${registry}${hex:raw}${size:raw}\"").unwrap();
    sends_the_same(&case, &server, None);
    // As long as asked for, whatever the repository is called.
    case.steps[3].request.body = Template::parse("${pad:60:repository}").unwrap();
    run(&script(&case, &to(&server.endpoint, None)).unwrap());
    let padded = String::from_utf8(server.take().into_iter().rev().nth(1).unwrap().body).unwrap();
    let (name, filler) = padded.split_once('/').unwrap();
    assert!(padded.len() == 60 && name.starts_with("ecrspec-script-"), "{padded}");
    assert!(filler.chars().all(|letter| letter == 'a'), "{padded}");
}

/// What a script must know of the target it asks, as the survey does.
#[test]
fn a_script_asks_for_the_account_and_the_part_size() {
    if !has_tool("curl") {
        return;
    }
    let server = answering("x");
    let mut case = case(LAYER);
    case.chunks[0].len = Length::PartSize;
    case.steps[3].request.body = Template::parse("{\"registryId\":\"${registry}\"}").unwrap();
    for repository in [None, Some("team/app")] {
        let output = run(&script(&case, &to(&server.endpoint, repository)).unwrap());
        assert!(output.status.success(), "{}", err(&output));
        let arrived = server.take();
        let part = arrived.iter().rfind(|request| request.operation() == "UploadLayerPart").unwrap();
        let part: Value = serde_json::from_slice(&part.body).unwrap();
        assert_eq!(part["partLastByte"], 5_242_879);
        assert_eq!(part["layerPartBlob"].as_str().map(str::len), Some(5_242_880_usize.div_ceil(3) * 4));
        let account = format!("{{\"registryId\":\"{ACCOUNT}\"}}");
        assert!(arrived.iter().any(|request| request.body == account.as_bytes()), "{repository:?}");
    }
}

#[test]
fn a_script_reads_the_alias_from_the_uri_of_the_repository() {
    if !has_tool("curl") {
        return;
    }
    let answering = |uri: &'static str| {
        Recorder::start(move |request| {
            let sent: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            let name = sent["repositoryName"].as_str().unwrap_or_default();
            let members = json!({
                "repository": {"repositoryUri": uri.replace("NAME", name)},
                "repositoryName": name, "uploadId": "x", "layerDigest": "x",
            });
            members.to_string().replace('/', "\\/").into_bytes()
        })
    };
    let mut case = case(LAYER);
    case.place = Place::Own(vec![String::from("other")]);
    case.steps[3].request.body = Template::parse("{\"registryId\":\"${alias}\"}").unwrap();
    for uri in ["public.ecr.aws/q2w4e6r8/NAME", "localhost:5000/q2w4e6r8/NAME"] {
        let server = answering(uri);
        let output = run(&script(&case, &to(&server.endpoint, None)).unwrap());
        assert!(output.status.success(), "{}", err(&output));
        let named = format!("{{\"registryId\":\"{ALIAS}\"}}");
        assert!(server.take().iter().any(|request| request.body == named.as_bytes()), "{uri}");
    }
    for uri in ["localhost:5000/NAME", "NAME", "public.ecr.aws/q2w4e6r8/x"] {
        let server = answering(uri);
        let output = run(&script(&case, &to(&server.endpoint, None)).unwrap());
        assert_eq!(output.status.code(), Some(1), "{uri}: {}", out(&output));
        assert!(err(&output).contains("no alias in "), "{uri}: {}", err(&output));
    }
    // Of a repository that is there already, nothing says its URI.
    case.place = Place::Shared;
    assert_eq!(script(&case, &to("http://127.0.0.1:1", Some("team/app"))), Err(Unscriptable::Alias));
}
