//! A case can be kept as a scenario file: what is printed reads back as the same case.

use ecrspec::case::{Case, CaseKind, Chunk, Place, StepRole};
use ecrspec::contract::{RuleId, Service, Tier};
use ecrspec::generate::expected::{Rehearsal, add_pins};
use ecrspec::scenario::{Found, parse, print, print_found};
use ecrspec::suite::{drafts, find, suite};
use ecrspec::template::Template;

/// The case that a file can say: with its own repository, and judged in every step that is judged at all.
fn own(mut case: Case) -> Case {
    if case.place == Place::Shared {
        case.place = Place::Own(Vec::new());
    }
    case.about = case.about.trim().to_owned();
    case.kind = CaseKind::UserScenario;
    for step in case.steps.iter_mut().filter(|step| step.role != StepRole::Attempt) {
        step.role = StepRole::Focus;
    }
    case
}

#[test]
fn every_case_of_the_suite_reads_back() {
    for service in Service::ALL {
        let mut unwritten = Vec::new();
        for case in suite(service).unwrap() {
            let text = match print(&case) {
                Ok(text) => text,
                Err(why) => {
                    unwritten.push(why.to_string());
                    continue;
                }
            };
            let read = parse("x.yaml", &case.id, &text).unwrap_or_else(|mistake| panic!("{mistake}\n{text}"));
            assert_eq!(read.cases.len(), 1, "{text}");
            assert_eq!(print(&read.cases[0]).as_ref(), Ok(&text));
            assert_eq!(format!("{:?}", read.cases[0]), format!("{:?}", own(case)), "{text}");
        }
        let no_text = |case: &str| format!("{case}, step focus: its body is no text");
        let no_texts = ["wire/body/utf-8/in-name", "wire/content-encoding/gzip/absent-repository"].map(no_text);
        assert_eq!(unwritten, no_texts, "{service}");
    }
}

#[test]
fn a_printed_case_can_be_read() {
    let mut case = find(Service::EcrPublic, "wire/content-type/other/absent").unwrap().unwrap();
    case.steps[0].only_if = vec!["200".parse().unwrap(), r#"400 UploadNotFoundException {"a":1}"#.parse().unwrap()];
    let found = Found { rule: RuleId::new("always/no-5xx"), got: String::from("500 \"odd\"") };
    let text = print_found(&case, Some(&found)).unwrap();
    let expected = r#"title: no content type
services: [ecr-public]
found: {rule: always/no-5xx, got: '500 "odd"'}
steps:
  - name: focus
    call: InitiateLayerUpload
    headers:
      Content-Type: null
    body: {"repositoryName": "${repository}"}
    expect: wire/content-type/other
    only-if: ["200", '400 UploadNotFoundException {"a":1}']
"#;
    assert_eq!(text, expected);
    assert_eq!(parse("x.yaml", "x", &text).unwrap().found, Some(found));
}

#[test]
fn what_differs_from_the_rule_is_written() {
    let mut case = find(Service::Ecr, "scenarios/digests/wrong-one").unwrap().unwrap();
    let find = |name: &str| case.steps.iter().position(|step| step.name == name).unwrap_or_else(|| panic!("{name}"));
    let (upload, complete) = (find("upload"), find("complete"));
    case.steps.truncate(complete + 1);
    case.steps[upload].expect.outcomes = vec![r#"200 {"partSize":1}"#.parse().unwrap()];
    case.steps[complete].expect.tier = Tier::Open;
    case.steps[complete].expect.sources.truncate(1);
    let text = print(&case).unwrap();
    let rows = [
        "\"${repository}\"}\n    expect:\n      outcomes: ['200 {\"partSize\":1}']\n  - name: part\n",
        "\n    expect:\n      rule: CompleteLayerUpload/layerDigests/match\n      tier: open\n      sources: [api:CompleteLayerUpload]\n",
    ];
    for row in rows {
        assert!(text.contains(row), "{row}\nin\n{text}");
    }
    assert_eq!(text.matches("expect:").count(), 2, "{text}");
}

#[test]
fn the_reference_registry_agrees_with_the_scenarios() {
    for service in Service::ALL {
        for case in drafts(service).unwrap().into_iter().filter(|case| case.id.starts_with("scenarios/")) {
            let mut rehearsal = Rehearsal::of(&case).unwrap();
            for step in &case.steps {
                let (_, answer) = rehearsal.step(step).unwrap_or_else(|why| panic!("{}: {why}", case.id));
                let got = answer.as_ref().map_or_else(|rejection| rejection.error.name, |_| "200");
                let words = step.expect.short();
                let allowed = words.split([' ']).any(|word| word == got);
                assert!(allowed || step.role == StepRole::Attempt, "{} {}: {got}, {words}", case.id, step.name);
            }
            // Of calls at once, one order of many is not what each is about.
            if !case.is_race() {
                add_pins(&mut case.clone()).unwrap();
            }
        }
    }
}

/// The YAML in the guide.
fn examples() -> Vec<&'static str> {
    let page = include_str!("../docs/src/scenarios.md");
    page.split("```yaml\n").skip(1).map(|rest| rest.split_once("```").unwrap().0).collect()
}

#[test]
fn the_examples_of_the_guide_are_scenarios() {
    assert_eq!(examples().len(), 3);
    for example in examples() {
        let cases = parse("scenarios.md", "x", example).unwrap_or_else(|mistake| panic!("{mistake}\n{example}")).cases;
        let judged = cases[0].steps.iter().any(|step| step.role == StepRole::Focus && !step.expect.is_success());
        assert!(judged, "{example}");
    }
}

/// A case of one step with this body.
fn with_body(body: &str) -> Case {
    let mut case = find(Service::Ecr, "wire/body/json/open-brace").unwrap().unwrap();
    case.steps[0].request.body = Template::parse(body).unwrap();
    case
}

#[test]
fn bodies_go_out_as_they_were() {
    let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(100_000));
    let key = format!(r#"{{"{}":1}}"#, "x".repeat(2_000));
    let deep = format!("{}1{}", r#"{"a":"#.repeat(100), "}".repeat(100));
    let rows = [
        // As members: what JSON and YAML read alike.
        (r#"{"z":"${repository}","a":null,"b":[true,-1,0.5,{}]}"#, "body"),
        (r#"{"n":${size:layer},"m":[${last:layer+layer}]}"#, "body"),
        (r#"{"a":"true","b":"0x1f","c":"~","d":"- x: #y","e":"","f":" x ","g":"1e3","h":"2026-01-01"}"#, "body"),
        (r#"{"a":"\u0000\u001b[31m\n\t\"\\","b":"'"}"#, "body"),
        ("{\"a\":\"\u{7f}\u{85}\u{9b}\u{2028}\u{feff}\u{202e}\u{10ffff}é\"}", "body"),
        (r#"{"a":18446744073709551615,"b":-9223372036854775808}"#, "body"),
        ("{}", "body"),
        (&long, "body"),
        // As text: what the members do not say.
        (r#"{"a":1,"a":2}"#, "raw"),
        (r#"{"a":1e1,"b":1.0}"#, "raw"),
        (r#"{"a":1E400}"#, "raw"),
        (r#"{"a":1234567890123456789012345678901234567890123}"#, "raw"),
        (r#"{"a": 1}"#, "raw"),
        (r#"{"a":"\/\u0041"}"#, "raw"),
        (r#"{"a":${upload.partSize}}"#, "raw"),
        (r#"{"a":"${size:layer}"}"#, "raw"),
        (&key, "raw"),
        (&deep, "raw"),
        ("", "raw"),
        ("\u{feff}{}", "raw"),
        ("\0\r\n\t ", "raw"),
        ("[]", "raw"),
        ("it's \"quoted\" \\ {", "raw"),
    ];
    for (body, form) in rows {
        let mut case = with_body(body);
        if body.contains("layer") || body.contains("upload.") {
            case.chunks.push(Chunk::new("layer", 32));
            let mut first = case.steps[0].clone();
            first.name = String::from("upload");
            first.request.body = Template::literal("{}");
            case.steps.insert(0, first);
        }
        let text = print(&case).unwrap_or_else(|why| panic!("{why}: {body}"));
        let read = parse("x.yaml", "x", &text).unwrap().cases.remove(0);
        assert_eq!(read.steps.last().unwrap().request.body.to_bytes(), body, "{text}");
        assert!(text.contains(&format!("\n    {form}: ")), "expected {form}:\n{text}");
    }
}

#[test]
fn what_a_file_cannot_say_is_said() {
    let mut case = with_body("{}");
    case.steps[0].request.headers.push((String::from("content-type"), String::from("text/plain")));
    assert_eq!(
        print(&case).unwrap_err().to_string(),
        "wire/body/json/open-brace, step focus: a file cannot say its headers"
    );
    let case = Case { rounds: 7, ..with_body("{}") };
    assert_eq!(print(&case).unwrap_err().to_string(), "wire/body/json/open-brace: a file cannot say its rounds");
    let case = with_body("${nobody.uploadId}");
    let why = print(&case).unwrap_err().to_string();
    assert!(why.contains("it cannot be written") && why.contains("no earlier step is named \"nobody\""), "{why}");
}
