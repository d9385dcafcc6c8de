//! The committed seeds of the fuzz targets, and their dictionary: made from the catalogue and the contract, and replayed.
//!
//! `SNAPSHOTS=overwrite cargo test --test fuzz_corpora` writes them anew. A file whose name begins with `regression-` is
//! somebody's finding: it is replayed, and stays. What libFuzzer adds has no dot in its name, and is not looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use ecrspec::case::{Bindings, Case, Length, Step, StepRole};
use ecrspec::contract::error::ERRORS;
use ecrspec::contract::{Kind, Member, Operation, RuleId, Service, Shape};
use ecrspec::expect::Outcome;
use ecrspec::fuzzing;
use ecrspec::generate::plan;
use ecrspec::model::Registry;
use ecrspec::scenario::{Found, print, print_found};
use ecrspec::suite::{find, suite};
use ecrspec::template::{Reference, Template};
use ecrspec::wire::{Response, envelope};
use serde_json::{Value, json};

/// What a target does with a seed.
type Target = fn(&[u8]);

/// The targets.
const TARGETS: [(&str, Target); 9] = [
    ("empty", |_| {}),
    ("layer_digest", |data| text(data, fuzzing::layer_digest)),
    ("registry_id", |data| text(data, fuzzing::registry_id)),
    ("repository_name", |data| text(data, fuzzing::repository_name)),
    ("request", fuzzing::request),
    ("response", fuzzing::response),
    ("scenario", |data| text(data, fuzzing::scenario)),
    ("sequence", fuzzing::sequence),
    ("upload_id", |data| text(data, fuzzing::upload_id)),
];

/// Calls a target that takes text, as libFuzzer does: with the beginning that is text.
fn text(data: &[u8], target: fn(&str)) {
    let valid = match std::str::from_utf8(data) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&data[..error.valid_up_to()]).unwrap(),
    };
    target(valid);
}

#[test]
fn every_target_has_seeds_and_replays_them() {
    let sources: BTreeSet<String> = names(&fuzz().join("fuzz_targets"));
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| format!("{name}.rs")).collect();
    assert_eq!(sources, targets, "fuzz/fuzz_targets, and the table of this test");
    for (name, target) in TARGETS.iter().filter(|(name, _)| *name != "empty") {
        let folder = fuzz().join("corpus").join(name);
        let seeds: Vec<String> = names(&folder).into_iter().filter(|name| name.contains('.')).collect();
        assert!(!seeds.is_empty(), "{name} has no seeds");
        for seed in seeds {
            println!("{name}/{seed}"); // The last line before a panic names its input.
            target(&fs::read(folder.join(seed)).unwrap());
        }
    }
}

#[test]
fn seeds_are_those_of_catalogue_and_contract() {
    let mut seeds = BTreeMap::new();
    for (path, content) in
        members().into_iter().chain(requests()).chain(responses()).chain(scenarios()).chain(sequences())
    {
        seeds.insert(path, content);
    }
    let bytes: usize = seeds.values().map(Vec::len).sum();
    assert!(seeds.len() < 500 && bytes < 500_000, "{} seeds, {bytes} bytes", seeds.len());
    let overwrite = std::env::var("SNAPSHOTS").is_ok_and(|word| word == "overwrite");
    for (name, _) in TARGETS {
        let folder = fuzz().join("corpus").join(name);
        if overwrite && name != "empty" {
            fs::create_dir_all(&folder).unwrap();
        }
        for file in names(&folder).into_iter().filter(|file| file.contains('.') && !file.starts_with("regression-")) {
            if !seeds.contains_key(&format!("{name}/{file}")) {
                assert!(overwrite, "{name}/{file} is none of the seeds");
                fs::remove_file(folder.join(file)).unwrap();
            }
        }
    }
    for (path, content) in seeds {
        let file = fuzz().join("corpus").join(&path);
        if overwrite {
            fs::write(file, content).unwrap();
        } else {
            let found = fs::read(file).ok();
            assert!(found == Some(content), "{path} differs: SNAPSHOTS=overwrite cargo test --test fuzz_corpora");
        }
    }
}

#[test]
fn the_dictionary_is_that_of_the_contract() {
    let path = fuzz().join("ecrspec.dict");
    let dictionary = dictionary();
    if std::env::var("SNAPSHOTS").is_ok_and(|word| word == "overwrite") {
        fs::write(&path, &dictionary).unwrap();
    }
    assert!(fs::read_to_string(path).ok() == Some(dictionary), "SNAPSHOTS=overwrite cargo test --test fuzz_corpora");
}

/// Names of the files of a folder.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap());
    entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// A name of a file for the id of a case.
fn slug(id: &str) -> String {
    id.chars().map(|letter| if letter.is_ascii_alphanumeric() || letter == '.' { letter } else { '-' }).collect()
}

/// The body of a step in the repository and upload that the target `request` has.
fn body(case: &Case, step: &Step) -> Option<Bytes> {
    let mut bindings = Bindings::new(&case.chunks, "fuzz", 32);
    bindings.bind(Reference::Registry, ecrspec::model::registry::ACCOUNT);
    bindings.bind(Reference::Alias, ecrspec::model::registry::ALIAS);
    bindings.bind(Reference::Absent, "ecrspec/absent");
    bindings.bind(Reference::repository(None), "ecrspec/fuzz");
    for other in &case.steps {
        bindings.bind(Reference::member(&other.name, "uploadId"), upload_id());
    }
    bindings.fill(&step.request.body).ok()
}

/// The id that the reference registry gives the first upload.
fn upload_id() -> String {
    let mut registry = Registry::new(Service::Ecr);
    let mut call = |operation: Operation| {
        let body = Bytes::from_static(br#"{"repositoryName":"ecrspec/fuzz"}"#);
        registry.answer(&envelope::request(Service::Ecr, operation, body)).unwrap()
    };
    call(Operation::CreateRepository);
    String::from(call(Operation::InitiateLayerUpload)["uploadId"].as_str().unwrap())
}

fn focus(case: &Case) -> Option<&Step> {
    case.steps.iter().rfind(|step| step.role == StepRole::Focus)
}

/// Values of the patterned members, one seed a value.
fn members() -> Vec<(String, Vec<u8>)> {
    let mut seeds: Vec<(String, Vec<u8>)> = Vec::new();
    let mut known = BTreeSet::new();
    for case in Service::ALL.iter().flat_map(|service| suite(*service).unwrap()) {
        let parts: Vec<&str> = case.id.split('/').collect();
        let target = match parts.get(1) {
            Some(&"repositoryName") => "repository_name",
            Some(&"registryId") => "registry_id",
            Some(&"uploadId") => "upload_id",
            Some(&"layerDigest" | &"layerDigests") => "layer_digest",
            _ => continue,
        };
        let Some(body) = focus(&case).and_then(|step| body(&case, step)) else { continue };
        let Ok(body) = serde_json::from_slice::<Value>(&body) else { continue };
        let values = match &body[parts[1]] {
            Value::Array(items) if items.len() <= 3 => items.clone(),
            value => vec![value.clone()],
        };
        for (index, value) in values.iter().enumerate() {
            let Some(value) = value.as_str().filter(|text| text.len() <= 600) else { continue };
            if known.insert((target, String::from(value))) {
                let suffix = if index > 0 { format!("-{}", index + 1) } else { String::new() };
                let name = format!("{target}/{}{suffix}.txt", slug(&parts[2..].join("-")));
                seeds.push((name, value.as_bytes().to_vec()));
            }
        }
    }
    seeds
}

/// The first sequences of the search.
fn sequences() -> Vec<(String, Vec<u8>)> {
    let seed = |service: Service, index: u8, number: u64| {
        let bytes = [vec![index], plan::nth(service, 0, number).to_bytes()].concat();
        (format!("sequence/{service}-{number}.plan"), bytes)
    };
    (0..12).flat_map(|number| [seed(Service::Ecr, 0, number), seed(Service::EcrPublic, 1, number)]).collect()
}

/// The digit that stands for a service or an operation.
fn digit(index: usize) -> u8 {
    b'0' + u8::try_from(index).unwrap()
}

/// One request a rule, and one an operation of those that set up.
fn requests() -> Vec<(String, Vec<u8>)> {
    let mut seeds = Vec::new();
    let mut known: BTreeSet<String> = BTreeSet::new();
    for (number, service) in Service::ALL.into_iter().enumerate() {
        for case in suite(service).unwrap().iter().filter(|case| is_short(case)) {
            for step in &case.steps {
                let operations = service.contract().operations;
                let Some(index) = operations.iter().position(|known| Some(known.name) == step.operation) else {
                    continue;
                };
                let name = match step.role {
                    StepRole::Focus => step.expect.rule.to_string(),
                    // Set-up operations are in no rule.
                    StepRole::Attempt | StepRole::SetUp => format!("{service}-{}", step.operation_name()),
                    StepRole::Probe => continue,
                };
                let Some(body) = body(case, step).filter(|body| body.len() <= 8000) else { continue };
                // What all operations have in common is checked by the same code.
                let common = ["repositoryName/", "registryId/", "uploadId/"].iter().find_map(|member| {
                    let (_, rest) = name.split_once('/')?;
                    rest.starts_with(member).then_some(rest)
                });
                let seed = [&[digit(number), digit(index)], body.as_ref()].concat();
                // Both sides of it.
                let at_a_bound = step.role == StepRole::Focus && case.id.contains("/max-items/");
                let key = if at_a_bound { &case.id } else { common.unwrap_or(&name) };
                if known.insert(String::from(key)) && !seeds.iter().any(|(_, known)| *known == seed) {
                    let name = if at_a_bound { &case.id } else { &name };
                    seeds.push((format!("request/{}.json", slug(name)), seed));
                }
            }
        }
    }
    // What two readers of numbers and base64 could see differently.
    let part = |first: &str, blob: &str| {
        let id = upload_id();
        format!(
            r#"01{{"repositoryName":"ecrspec/fuzz","uploadId":"{id}","partFirstByte":{first},"partLastByte":3,"layerPartBlob":"{blob}"}}"#
        )
    };
    let odd = [
        ("padding-1-of-2", part("3", "QQ=")),
        ("padding-too-much", part("3", "QUI==")),
        ("spare-bits", part("3", "QR==")),
        ("float-at-2-53", part("9007199254740992.0", "QQ==")),
        ("float-beyond-2-53", part("9007199254740994.0", "QQ==")),
        ("negative-zero", part("-0", "QQ==")),
        ("just-not-whole", part("3.0000000000000004", "QQ==")),
        ("huge", part("1e300", "QQ==")),
        ("beyond-a-float", part("1e400", "QQ==")),
    ];
    seeds.extend(odd.map(|(name, seed)| (format!("request/odd-{name}.json"), seed.into_bytes())));
    seeds
}

/// What the reference registry answers to the catalogue, one seed an operation and outcome; every error type; and forms
/// that answers come in.
fn responses() -> Vec<(String, Vec<u8>)> {
    let mut seeds = BTreeMap::new();
    for service in Service::ALL {
        for case in suite(service).unwrap().iter().filter(|case| is_small(case) && is_short(case)) {
            for (name, answer) in answers(case) {
                seeds.entry(format!("{name}.http")).or_insert_with(|| http(&answer));
            }
        }
    }
    for error in ERRORS {
        let answer = envelope::error_response(error, "a message", Value::Null);
        seeds.entry(format!("error-{}.http", error.name)).or_insert_with(|| http(&answer));
    }
    let typed = |value: &str| json!({"__type": value, "message": "a message"}).to_string();
    let forms: [(&str, &str, String); 27] = [
        ("namespace", "400", typed("com.amazonaws.ecr#UploadNotFoundException")),
        ("uri", "400", typed("UploadNotFoundException:http://internal.amazon.com/coral/")),
        ("code", "400", json!({"code": "InvalidLayerException", "Message": "no"}).to_string()),
        ("header", "400\nx-amzn-errortype: InvalidLayerException:http://x/", String::from("{}")),
        ("typed-success", "200", typed("InvalidLayerException")),
        ("control-characters", "400", typed("\u{1b}[31mred\u{9b}31m\u{202e}\r\n\u{7f}")),
        ("control-header", "400\nx-odd: \u{9b}2J\u{202e}\ncontent-type: \u{9b}31m", typed("Other")),
        ("control-digest", "200", json!({"layerDigest": "\u{9b}2J\u{7f}\u{202e}", "lastByteReceived": 31}).to_string()),
        ("control-position", "200", json!({"lastByteReceived": "\u{9b}2J\u{7f}"}).to_string()),
        ("long-type", "400", typed(&format!("{} x", "a".repeat(99)))),
        ("html", "502\ncontent-type: text/html", String::from("<html>Bad Gateway</html>")),
        ("wait", "503\nretry-after: 5", String::new()),
        ("too-many", "429", String::new()),
        ("throttled", "400", typed("ThrottlingException")),
        ("server-fault", "500", typed("ServerException")),
        ("nothing", "200", String::new()),
        ("no-content", "204", String::new()),
        ("list", "200", String::from("[]")),
        ("deep", "200", "[".repeat(200)),
        ("cut", "200", String::from(r#"{"uploadId":""#)),
        ("charset", "200\ncontent-type: application/x-amz-json-1.1; charset=utf-8", String::from("{}")),
        ("odd-part-size", "200", json!({"uploadId": upload_id(), "partSize": -1.5e300}).to_string()),
        ("odd-upload-id", "200", json!({"uploadId": "'\u{9b}2J${repository}\"", "partSize": 1}).to_string()),
        ("nulls", "200", json!({"layers": null, "failures": [null]}).to_string()),
        ("strange-status", "99999", String::from("{}")),
        ("silent", "silent", String::new()),
        ("dropped", "dropped", String::new()),
    ];
    for (name, head, body) in forms {
        seeds.insert(format!("form-{name}.http"), format!("{head}\n\n{body}").into_bytes());
    }
    seeds.insert(String::from("form-no-utf-8.http"), b"200\nx: \xff\n\n{\"uploadId\":\"\xff\xfe\"}".to_vec());
    seeds.into_iter().map(|(name, seed)| (format!("response/{name}"), seed)).collect()
}

fn is_small(case: &Case) -> bool {
    let small = |length: &Length| matches!(length, Length::Bytes(len) if *len <= 4096);
    case.chunks.iter().all(|chunk| small(&chunk.len))
}

/// Whether it has few enough calls to be looked at: what hundreds of calls in a row show is no matter of a single one.
fn is_short(case: &Case) -> bool {
    case.steps.len() <= 20
}

/// The answers of the reference registry to a case, each under its operation and outcome. References to further
/// repositories end it.
fn answers(case: &Case) -> Vec<(String, Response)> {
    let mut registry = Registry::new(case.service);
    let mut bindings = Bindings::new(&case.chunks, "fuzz", 32);
    bindings.bind(Reference::Registry, ecrspec::model::registry::ACCOUNT);
    bindings.bind(Reference::Alias, ecrspec::model::registry::ALIAS);
    bindings.bind(Reference::Absent, "ecrspec/absent");
    bindings.bind(Reference::repository(None), "ecrspec/fuzz");
    let body = Bytes::from_static(br#"{"repositoryName":"ecrspec/fuzz"}"#);
    registry.answer(&envelope::request(case.service, Operation::CreateRepository, body)).unwrap();
    let mut found = Vec::new();
    for step in &case.steps {
        let Ok(body) = bindings.fill(&step.request.body) else { break };
        let operation = step.operation.map_or("none", Operation::name);
        match registry.answer(&step.request.with_body(body)) {
            Ok(members) => {
                bindings.capture(&step.name, &members);
                found.push((format!("{operation}-200"), envelope::response(200, &members)));
            }
            Err(rejection) => {
                let answer = rejection.to_response();
                if answer.body.len() < 2000 {
                    found.push((format!("{operation}-{}", rejection.error.name), answer));
                }
            }
        }
    }
    found
}

/// An answer as the target `response` reads it.
fn http(answer: &Response) -> Vec<u8> {
    let headers: String = answer.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    [format!("{}\n{headers}\n", answer.status).as_bytes(), &answer.body].concat()
}

/// Of each topic the first file; one case of each rule about the wire; and the keys that only ecrspec writes.
fn scenarios() -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut seeds: Vec<(String, Vec<u8>)> = Vec::new();
    for topic in names(&root) {
        let first = names(&root.join(&topic)).into_iter().next().unwrap();
        seeds.push((format!("scenario/{topic}-{first}"), fs::read(root.join(topic).join(first)).unwrap()));
    }
    let mut known = BTreeSet::new();
    for case in suite(Service::Ecr).unwrap().into_iter().filter(|case| case.id.starts_with("wire/")) {
        let rule = focus(&case).unwrap().expect.rule.to_string();
        if let Ok(text) = print(&case)
            && known.insert(rule.clone())
        {
            seeds.push((format!("scenario/{}.yaml", slug(&rule)), text.into_bytes()));
        }
    }
    let mut case = find(Service::EcrPublic, "CompleteLayerUpload/layerDigests/match/wrong").unwrap().unwrap();
    let rejected: Outcome = r#"400 UploadNotFoundException {"uploadId":"${upload.uploadId}"}"#.parse().unwrap();
    case.steps[0].only_if = vec![Outcome::success()];
    case.steps[1].only_if = vec![Outcome::success(), rejected];
    case.steps[1].role = StepRole::Attempt;
    let mut odd = case.clone();
    odd.steps.truncate(1);
    odd.title = String::from("\u{7f}\u{85}\u{9b}\u{2028}\u{feff}: #");
    odd.about = String::from("first\n\n  second \n\tthird");
    let text = "{\"repositoryName\":\"\u{7f}\u{85}\u{9b}\u{2028}\u{feff}\u{202e}'\\u0000\\n\",\"n\":0x1f}";
    odd.steps[0].request.body = Template::lenient(text);
    seeds.push((String::from("scenario/odd-characters.yaml"), print(&odd).unwrap().into_bytes()));
    let found = Found { rule: RuleId::new("always/no-5xx"), got: String::from("500 ServerException") };
    seeds.push((String::from("scenario/found.yaml"), print_found(&case, Some(&found)).unwrap().into_bytes()));
    seeds
}

/// Words that inputs are made of, for libFuzzer.
fn dictionary() -> String {
    let mut words: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut add = |kind: &'static str, word: &str| {
        words.entry(kind).or_default().insert(String::from(word));
    };
    for contract in Service::ALL.map(Service::contract) {
        for operation in contract.operations {
            add("operations", operation.name.name());
            add("targets", &contract.target(operation.name));
            for member in operation.input.iter().chain(operation.output) {
                collect(member, &mut add);
            }
        }
    }
    for error in ERRORS {
        add("error types", error.name);
        error.members.iter().for_each(|member| collect(member, &mut add));
    }
    for word in [r#"{""#, r#"":"#, r#"":""#, r#"",""#, r#""]}"#, "[", "{}", "[]", "null", "true", "false", "0", "-1"] {
        add("JSON", word);
    }
    for word in ["\\u0000", "\\ud800", "9223372036854775807", "9223372036854775808", "1e1", "1.0", "-0", "1e400"] {
        add("JSON", word);
    }
    for word in ["__type", "code", "message", "Message", "x-amzn-errortype: ", "content-type: ", "retry-after: 1"] {
        add("answers", word);
    }
    for word in ["application/x-amz-json-1.1", "200\n\n", "400\n\n", "500\n\n", "silent", "dropped", "#", ":http://"] {
        add("answers", word);
    }
    for word in
        ["title: ", "about: |\n", "services: ", "repositories: ", "bytes:\n", "partSize", "last: true\n", "raw: "]
    {
        add("scenario files", word);
    }
    for word in [
        "steps:\n  - name: ",
        "at-once: true\n",
        "repeat: 2\n",
        "judged: false\n",
        "rounds: 2\n",
        "call: ",
        "body: ",
        "headers:",
        "framing: ",
        "method: ",
        "only-if: ",
        "found: ",
    ] {
        add("scenario files", word);
    }
    for word in
        ["expect:", "rule: ", "tier: documented", "tier: open", "sources: ", "outcomes: ", "\\x", "&a ", "*a", "<<"]
    {
        add("scenario files", word);
    }
    for word in ["${repository}", "${absent}", "${registry}", "${base64:layer}", "${sha256:layer}", "${hex:layer}"] {
        add("references", word);
    }
    for word in ["${size:layer}", "${last:layer}", "${upper:upload.uploadId}", "${repeat:3:a}", "${pad:20:repository}"]
    {
        add("references", word);
    }
    for word in ["${upload.uploadId}", "${", "}"] {
        add("references", word);
    }
    for word in
        ["sha256:", "sha512:", "__", "--", "..", "_", "-", ".", "/", "+", ":", "a/", "012345678910", "ecrspec/fuzz"]
    {
        add("pieces of patterns", word);
    }
    add("pieces of patterns", &upload_id());
    let mut text = String::from("# Words of the contract, for libFuzzer. Written by tests/fuzz_corpora.rs.\n");
    for (kind, words) in words {
        text += &format!("\n# {kind}\n");
        for word in words {
            text += &format!("\"{}\"\n", escaped(&word));
        }
    }
    text
}

fn collect(member: &Member, add: &mut impl FnMut(&'static str, &str)) {
    add("members", &format!("\"{}\":", member.name));
    of_shape(member.shape, add);
}

fn of_shape(shape: &Shape, add: &mut impl FnMut(&'static str, &str)) {
    match &shape.kind {
        Kind::Text(text) => text.values.iter().for_each(|value| add("values", value)),
        Kind::List { item, .. } => of_shape(item, add),
        Kind::Structure(members) => members.iter().for_each(|member| collect(member, add)),
        _ => {}
    }
}

/// A word as dictionaries have it.
fn escaped(word: &str) -> String {
    let escape = |byte: u8| match byte {
        b'"' | b'\\' => format!("\\{}", char::from(byte)),
        b' '..=b'~' => String::from(char::from(byte)),
        byte => format!("\\x{byte:02x}"),
    };
    word.bytes().map(escape).collect()
}
