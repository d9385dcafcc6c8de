//! What programs read has a schema, and keeps to it: the event log, the result as JSON, SARIF, JUnit and HAR.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use jsonschema::Validator;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::binary::{Mock, command, err};

const LOG: &str = include_str!("../docs/schema/event-log-6.json");
const RESULT: &str = include_str!("../docs/schema/result-1.json");

/// A schema that lets no member through that it does not name: what is published lets more come.
fn strict(mut schema: Value) -> Validator {
    fn close(schema: &mut Value) {
        match schema {
            Value::Array(items) => items.iter_mut().for_each(close),
            Value::Object(members) => {
                members.values_mut().for_each(close);
                let is_object = members.get("type") == Some(&json!("object")) && members.contains_key("properties");
                // The members of a reason depend on its word.
                let is_reason = members.get("required") == Some(&json!(["why"]));
                let is_line = members.contains_key("oneOf");
                if is_object && !is_reason && !is_line {
                    members.insert(String::from("additionalProperties"), json!(false));
                }
            }
            _ => {}
        }
    }
    close(&mut schema);
    validator(&schema)
}

fn validator(schema: &Value) -> Validator {
    jsonschema::validator_for(schema).unwrap()
}

fn log_schema() -> Value {
    serde_json::from_str(LOG).unwrap()
}

/// The schema of the result, with what it takes from that of the log.
fn result_schema() -> Value {
    let mut schema: Value = serde_json::from_str(&RESULT.replace("event-log-6.json#/", "#/")).unwrap();
    let log = log_schema();
    for (name, part) in log["$defs"].as_object().unwrap() {
        schema["$defs"][name] = part.clone();
    }
    schema
}

fn keeps_to(validator: &Validator, value: &Value, what: &str) {
    let errors: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{} at {}", error, error.instance_path())).collect();
    assert!(errors.is_empty(), "{what}: {}", errors.join("\n").chars().take(3000).collect::<String>());
}

fn read(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).unwrap()
}

fn parsed(folder: &TempDir, name: &str) -> Value {
    serde_json::from_str(&read(folder, name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

const FORMATS: [&str; 5] = ["ndjson", "json", "sarif", "har", "junit"];

/// Runs the command with every format, into files of these names.
fn run(folder: &TempDir, arguments: &[&str], name: &str) -> Option<i32> {
    let reports: Vec<String> = FORMATS.iter().map(|format| format!("{format}={name}.{format}")).collect();
    let reports = reports.iter().flat_map(|report| ["--report", report]);
    let all: Vec<&str> = arguments.iter().copied().chain(reports).collect();
    let output = command(&all, folder.path()).output().unwrap();
    assert!(output.status.code().is_some_and(|code| code != 2 && code != 7), "{}", err(&output));
    output.status.code()
}

/// Logs of runs of all kinds: clean, with findings of each grade, with concurrent calls, known deviations and a search, not
/// judged, and of a target that is not there.
fn runs(folder: &TempDir) -> Vec<String> {
    let known = "[[known]]\nrule = \"*/uploadId/once\"\ngot = \"200\"\nreason = \"[issue](7) {0}\"\nsometimes = true\n";
    fs::write(folder.path().join("known.toml"), known).unwrap();
    let ecr = ["run", "--service", "ecr"];
    let mut names = Vec::new();
    let mut runs = |name: &str, fault: Option<&str>, arguments: &[&str]| {
        let mock = fault.map(|fault| Mock::start(&["--fault", fault, "--service", "ecr"]));
        let endpoint = mock.as_ref().map_or("", |mock| &mock.endpoint);
        let endpoint = if endpoint.is_empty() { Vec::new() } else { vec!["--endpoint", endpoint] };
        run(folder, &[arguments, &endpoint].concat(), name);
        names.push(String::from(name));
    };
    runs("clean", None, &[&ecr[..], &["--filter", "wire/target", "--record", "exchanges", "--cases", "20"]].concat());
    let races = ["--filter", "scenarios/races", "--filter", "uploadId/once", "--known", "known.toml", "--suite", "0.1"];
    let guide = ["--guide", "https://guide.example"];
    runs("races", Some("race-completed-twice"), &[&ecr[..], &races, &guide].concat());
    let wrong = ["--filter", "layerDigests", "--cases", "30"];
    runs("state", Some("digests-not-compared"), &[&ecr[..], &wrong].concat());
    runs("form", Some("errors-as-404"), &[&ecr[..], &wrong, &["--fail-on", "crash"]].concat());
    let none = ["--filter", "InitiateLayerUpload", "--cases", "0", "--repository", "team/none"];
    runs("none", Some("errors-as-404"), &[&ecr[..], &none].concat());
    runs("nobody", None, &["run", "--endpoint", "http://127.0.0.1:1"]);
    names
}

#[test]
fn what_programs_read_keeps_to_its_schema() {
    let folder = TempDir::new().unwrap();
    let (log, result) = (strict(log_schema()), strict(result_schema()));
    let sarif = sarif_schema().map(|schema| validator(&schema));
    for name in runs(&folder) {
        let mut events = Vec::new();
        for line in read(&folder, &format!("{name}.ndjson")).lines() {
            let event: Value = serde_json::from_str(line).unwrap();
            keeps_to(&log, &event, &format!("{name}: {line}"));
            events.push(event);
        }
        assert!(!events.is_empty(), "{name}");
        let whole = parsed(&folder, &format!("{name}.json"));
        keeps_to(&result, &whole, &name);
        assert_eq!(whole["cases"].as_array().unwrap().len(), events.iter().filter(|e| e["event"] == "judged").count());
        let scanned = parsed(&folder, &format!("{name}.sarif"));
        if let Some(sarif) = &sarif {
            keeps_to(sarif, &scanned, &name);
        }
        is_plain_sarif(&scanned, &whole);
        is_har(&parsed(&folder, &format!("{name}.har")));
        is_junit(&read(&folder, &format!("{name}.junit")));
    }
}

#[test]
fn a_schema_notices_what_is_wrong() {
    let log = strict(log_schema());
    let finished = json!({"event": "finished", "seconds": 1.0, "left": []});
    assert!(log.is_valid(&finished));
    for (member, value) in
        [("seconds", json!("1")), ("event", json!("ended")), ("new", json!(1)), ("left", json!(null))]
    {
        let mut wrong = finished.clone();
        wrong[member] = value;
        assert!(!log.is_valid(&wrong), "{member}");
    }
    let mut more = finished;
    more["new"] = json!(1);
    assert!(validator(&log_schema()).is_valid(&more), "new members may come");
    assert!(log_schema()["$defs"]["Started"]["properties"]["schema"]["const"] == ecrspec::events::SCHEMA);
}

/// The schema of SARIF, from a package that has it. Cargo has it wherever it could ask the registry; CI has to have it.
fn sarif_schema() -> Option<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: Option<Value> = serde_json::from_slice(&output.stdout).ok();
    let manifest = metadata.as_ref().and_then(|metadata| {
        let package = metadata["packages"].as_array()?.iter().find(|package| package["name"] == "serde-sarif")?;
        package["manifest_path"].as_str().map(PathBuf::from)
    });
    let path = manifest.map(|manifest| manifest.parent().unwrap_or(Path::new("")).join("src/schema.json"));
    let found = path.and_then(|path| fs::read_to_string(path).ok());
    assert!(found.is_some() || std::env::var_os("CI").is_none(), "{}", String::from_utf8_lossy(&output.stderr));
    if found.is_none() {
        eprintln!("skipped: the package serde-sarif, which has the schema of SARIF, could not be fetched");
    }
    found.map(|text| {
        let mut schema: Value = serde_json::from_str(&text).unwrap();
        // As it was published, its pattern of languages is no regular expression of JSON Schema: a bracket too many.
        for part in ["run", "toolComponent"] {
            let language = &mut schema["definitions"][part]["properties"]["language"];
            assert!(language.as_object_mut().unwrap().remove("pattern").is_some());
        }
        schema
    })
}

/// What code scanning asks for beyond the schema.
fn is_plain_sarif(sarif: &Value, result: &Value) {
    let run = &sarif["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), result["causes"].as_array().unwrap().len());
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let mut fingerprints = std::collections::BTreeSet::new();
    for (result, cause) in results.iter().zip(result["causes"].as_array().unwrap()) {
        let index = result["ruleIndex"].as_u64().unwrap() as usize;
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(rules[index]["helpUri"].as_str().unwrap().starts_with("https://"));
        assert_eq!(result["partialFingerprints"]["ecrspecCause/v1"], cause["id"]);
        assert!(fingerprints.insert(result["partialFingerprints"].to_string()), "{result}");
        assert_eq!(result.get("suppressions").is_some(), cause["status"] == "known", "{result}");
        assert_eq!(result["level"] == "note", cause["status"] == "tolerated", "{result}");
        let uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
        assert!(uri.starts_with("ecr/") && uri.is_ascii(), "{uri}");
    }
    assert_eq!(run["invocations"][0]["exitCode"], result["verdict"]["exit_code"]);
}

/// What HAR 1.2 asks for.
fn is_har(har: &Value) {
    let has = |value: &Value, members: &[&str]| {
        members.iter().for_each(|member| assert!(value.get(member).is_some(), "{member} of {value}"));
    };
    let log = &har["log"];
    assert_eq!(log["version"], "1.2");
    let pages: Vec<&Value> = log["pages"].as_array().unwrap().iter().map(|page| &page["id"]).collect();
    log["pages"]
        .as_array()
        .unwrap()
        .iter()
        .for_each(|page| has(page, &["startedDateTime", "id", "title", "pageTimings"]));
    for entry in log["entries"].as_array().unwrap() {
        has(entry, &["pageref", "startedDateTime", "time", "request", "response", "cache", "timings"]);
        assert!(pages.contains(&&entry["pageref"]), "{entry}");
        assert!(entry["startedDateTime"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok(), "{entry}");
        let common = ["httpVersion", "cookies", "headers", "headersSize", "bodySize"];
        has(&entry["request"], &[&common[..], &["method", "url", "queryString"]].concat());
        has(&entry["response"], &[&common[..], &["status", "statusText", "content", "redirectURL"]].concat());
        has(&entry["response"]["content"], &["size", "mimeType"]);
        for part in ["send", "wait", "receive"] {
            assert!(entry["timings"][part].as_f64().unwrap() >= 0.0, "{entry}");
        }
    }
}

/// What the schema of Jenkins (junit-10.xsd) and that of Ant let through together, for the elements that are written: which
/// elements and attributes there are, which must be there, of what type, and in what order. `.ci/junit` asks the schemas.
fn is_junit(report: &str) {
    let document = roxmltree::Document::parse(report).unwrap();
    assert_eq!(document.root_element().tag_name().name(), "testsuites");
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        let children: Vec<&str> =
            node.children().filter(roxmltree::Node::is_element).map(|child| child.tag_name().name()).collect();
        let (required, optional, inner): (&[&str], &[&str], &[&str]) = match node.tag_name().name() {
            "testsuites" => (&[], &[], &["testsuite"]),
            "testsuite" => (
                &["name", "tests", "failures", "errors", "time", "timestamp", "hostname", "id", "package", "skipped"],
                &[],
                &["properties", "testcase", "system-out", "system-err"],
            ),
            "properties" => (&[], &[], &["property"]),
            "property" => (&["name", "value"], &[], &[]),
            "testcase" => (&["name", "classname", "time"], &[], &["skipped", "error", "failure"]),
            "failure" | "error" => (&["message", "type"], &[], &[]),
            "skipped" => (&["message"], &[], &[]),
            "system-out" | "system-err" => (&[], &[], &[]),
            other => panic!("{other} is in neither schema"),
        };
        let name = node.tag_name().name();
        let attributes: Vec<&str> = node.attributes().map(|attribute| attribute.name()).collect();
        required.iter().for_each(|wanted| assert!(attributes.contains(wanted), "{name} without {wanted}: {node:?}"));
        attributes
            .iter()
            .for_each(|found| assert!(required.contains(found) || optional.contains(found), "{name} {found}"));
        let places: Vec<usize> = children
            .iter()
            .map(|child| inner.iter().position(|known| known == child).unwrap_or_else(|| panic!("{child} in {name}")))
            .collect();
        assert!(places.is_sorted(), "{children:?} in {name}");
        for number in ["time", "tests", "failures", "errors", "skipped", "id"] {
            let value = node.attribute(number);
            assert!(value.is_none_or(|value| value.parse::<f64>().is_ok()), "{number} {value:?}");
        }
    }
}
