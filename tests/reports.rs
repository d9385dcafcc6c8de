//! `--report FORMAT=PATH` of `run` and of `report`: every format, of every kind of run.

use std::fs;
use std::process::Output;

use ecrspec::report::format::{FORMATS, Format};
use ecrspec::report::markdown::MAX;
use pulldown_cmark::{Event, Options, Parser, Tag};
use serde_json::Value;
use tempfile::TempDir;

use crate::binary::{Mock, command, ecrspec, err, last_line, out};
use crate::poison::poison;

const WRONG: &str = "CompleteLayerUpload/layerDigests/match/wrong";

/// `--report` for every format, into files of these names.
fn reports(prefix: &str) -> Vec<String> {
    FORMATS.iter().flat_map(|format| [String::from("--report"), format!("{0}={prefix}.{0}", format.name)]).collect()
}

fn run_in(folder: &TempDir, arguments: &[&str], prefix: &str) -> Output {
    let reports = reports(prefix);
    let reports: Vec<&str> = reports.iter().map(String::as_str).collect();
    command(&[arguments, &reports].concat(), folder.path()).output().unwrap()
}

fn read(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).unwrap()
}

/// The report of a log again, in all formats.
fn again(folder: &TempDir, log: &str) -> Output {
    run_in(folder, &["report", log], "again")
}

#[test]
fn a_clean_run_in_every_format() {
    let folder = TempDir::new().unwrap();
    let output = run_in(&folder, &["run", "--service", "ecr", "--filter", "wire/target"], "run");
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert_eq!(again(&folder, "run.ndjson").status.code(), Some(0));
    for format in FORMATS {
        let name = format.name;
        assert_eq!(read(&folder, &format!("run.{name}")), read(&folder, &format!("again.{name}")), "{name}");
    }
    assert_eq!(read(&folder, "run.text"), out(&output));
    let page = read(&folder, "run.markdown");
    assert!(
        page.starts_with("## ecrspec: PASS\n\nthe embedded mock (ecr), no server was tested: 5 cases judged, 5 ok ("),
        "{page}"
    );
    assert!(page.contains("- **target** `the embedded mock`\n") && !page.contains("### Findings"), "{page}");
}

#[test]
fn a_run_with_findings_in_every_format() {
    let folder = TempDir::new().unwrap();
    let mock = Mock::start(&["--fault", "digests-not-compared", "--service", "ecr"]);
    let filter = format!("={WRONG}");
    let run = ["run", "--service", "ecr", "--filter", &filter, "--endpoint", &mock.endpoint];
    let output = run_in(&folder, &run, "run");
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    assert_eq!(again(&folder, "run.ndjson").status.code(), Some(1));
    for format in FORMATS {
        let name = format.name;
        assert_eq!(read(&folder, &format!("run.{name}")), read(&folder, &format!("again.{name}")), "{name}");
    }
    assert_eq!(read(&folder, "run.text"), out(&output));
    let page = read(&folder, "run.markdown");
    for part in [
        "## ecrspec: FAIL\n",
        "- **scores** invalid rejected 0.0 %",
        "### Findings: 1 cause\n\n#### 1. CompleteLayerUpload accepts a digest that does not match the bytes\n",
        "- **rule** `CompleteLayerUpload/layerDigests/match`, documented: At least one digest must match the uploaded bytes.\n",
        "- **source** [API reference, CompleteLayerUpload (2025)](https://docs.aws.amazon.com/",
        "- **expected** `400 InvalidLayerException`\n- **got** `200`\n",
        &format!("```sh\necrspec replay {WRONG} --endpoint {} --service ecr\n", mock.endpoint),
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[test]
fn annotations_are_few_and_harmless() {
    let folder = TempDir::new().unwrap();
    let mock = Mock::start(&["--fault", "digests-not-compared", "--service", "ecr"]);
    let filter = format!("={WRONG}");
    let run = ["run", "--service", "ecr", "--filter", &filter, "--endpoint", &mock.endpoint];
    assert_eq!(run_in(&folder, &run, "run").status.code(), Some(1));
    let annotations = read(&folder, "run.github");
    let expected = format!(
        "::error title=state%3A CompleteLayerUpload accepts a digest that does not match the bytes::expected 400 \
         InvalidLayerException, got 200%0Arule CompleteLayerUpload/layerDigests/match, documented; 1 case%0Aecrspec replay {WRONG}"
    );
    assert!(annotations.starts_with(&expected), "{annotations}");
    assert_eq!(annotations.lines().count(), 1, "{annotations}");
    let log = read(&folder, "run.ndjson");
    let judged = log.lines().find(|line| line.contains("\"event\":\"judged\"")).unwrap();
    let many: String = (0..30)
        .map(|number| {
            let mut event: Value = serde_json::from_str(judged).unwrap();
            event["case"] = Value::from(format!("{WRONG}/{number}"));
            event["findings"][0]["got"] = Value::from(format!("{number} \"\\r\\n::error::x\""));
            event["title"] = Value::from("\r\n::set-output name=x::y");
            format!("{event}\n")
        })
        .collect();
    fs::write(folder.path().join("many"), log.replace(&format!("{judged}\n"), &many)).unwrap();
    again(&folder, "many");
    let annotations = read(&folder, "again.github");
    let lines: Vec<&str> = annotations.lines().collect();
    assert!(lines.len() == 10 && lines.iter().all(|line| line.starts_with("::error title=")), "{annotations}");
    assert!(lines[9].starts_with("::error title=ecrspec::22 more annotations not shown here. FAIL "), "{annotations}");
    assert!(!annotations.contains('\r'));
    let clean = run_in(&folder, &["run", "--service", "ecr", "--filter", "wire/target"], "clean");
    assert_eq!(clean.status.code(), Some(0));
    assert!(read(&folder, "clean.github").starts_with("::notice title=ecrspec::PASS "));
}

#[test]
fn a_finding_is_the_text_of_an_issue() {
    let folder = TempDir::new().unwrap();
    let mock = Mock::start(&["--fault", "digests-not-compared", "--service", "ecr"]);
    let filter = format!("={WRONG}");
    let run = ["run", "--service", "ecr", "--filter", &filter, "--endpoint", &mock.endpoint];
    assert_eq!(run_in(&folder, &run, "run").status.code(), Some(1));
    let issue = |rule: &str| command(&["report", "run.ndjson", "--issue", rule], folder.path()).output().unwrap();
    let output = issue("CompleteLayerUpload/layerDigests/match");
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let page = out(&output);
    let script = ["explain", WRONG, "--script", "--service", "ecr", "--endpoint", &mock.endpoint];
    let script = out(&command(&script, folder.path()).output().unwrap());
    for part in [
        "CompleteLayerUpload accepts a digest that does not match the bytes\n\n### Expected\n\nAt least one digest must match",
        "So the response should be `400 InvalidLayerException`.\n\n- [API reference, CompleteLayerUpload (2025)](https://docs.aws.",
        "\n### Got\n\n`200`\n",
        ".CompleteLayerUpload\n{",
        "-> 200 {",
        &format!("```sh\n{}\n```\n", script.trim_end()),
        "- found with: ecrspec ",
        &format!("- again with: `ecrspec replay {WRONG} --endpoint {} --service ecr`", mock.endpoint),
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let mut event: Value = serde_json::from_str(read(&folder, "run.ndjson").lines().nth(2).unwrap()).unwrap();
    assert_eq!(event["event"], "judged");
    let log = read(&folder, "run.ndjson");
    let line = log.lines().nth(2).unwrap();
    let exchange = event["exchanges"][0].clone();
    event["exchanges"].as_array_mut().unwrap().resize(40, exchange);
    event["exchanges"][0]["body"]["text"] = Value::from("```\n<script>alert(1)</script>\u{1b}[2J");
    event["title"] = Value::from("<img src=x onerror=y> [a](http://evil.example) @all");
    fs::write(folder.path().join("run.ndjson"), log.replace(line, &event.to_string())).unwrap();
    let hostile = out(&issue("CompleteLayerUpload/layerDigests/match"));
    assert!(!hostile.contains('\u{1b}') && hostile.contains("<script>"), "{hostile}");
    assert!(hostile.contains("\n(28 more calls)\n") && hostile.matches("\n-> ").count() == 12, "{hostile}");
    for event in Parser::new_ext(&hostile, Options::all()) {
        let is_markup = matches!(&event, Event::Html(_) | Event::InlineHtml(_) | Event::Start(Tag::Image { .. }));
        let is_foreign = matches!(&event, Event::Start(Tag::Link { dest_url, .. }) if dest_url.contains("evil"));
        assert!(!is_markup && !is_foreign, "{event:?} in {hostile}");
    }
    let output = issue("CompleteLayerUpload/uploadId/once");
    assert_eq!(output.status.code(), Some(2));
    let told = "expected a rule that a finding of the log names, found \"CompleteLayerUpload/uploadId/once\"; the log has CompleteLayerUpload/layerDigests/match";
    assert!(err(&output).contains(told), "{}", err(&output));
}

#[test]
fn exchanges_of_all_cases_are_recorded_if_asked_for() {
    let folder = TempDir::new().unwrap();
    let run = ["run", "--service", "ecr", "--filter", "CompleteLayerUpload/accepted/plain", "--cases", "0"];
    let cases = |name: &str| -> Vec<Value> {
        let log = read(&folder, name);
        let events = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        events.filter(|event| event["event"] == "judged").collect()
    };
    assert_eq!(run_in(&folder, &run, "usual").status.code(), Some(0));
    assert!(cases("usual.ndjson").iter().all(|case| case.get("exchanges").is_none()));
    let recorded = run_in(&folder, &[&run[..], &["--record", "exchanges"]].concat(), "all");
    assert_eq!(recorded.status.code(), Some(0), "{}", err(&recorded));
    assert!(out(&recorded).contains("record exchanges"), "{}", out(&recorded));
    for case in cases("all.ndjson") {
        let exchanges = case["exchanges"].as_array().unwrap();
        assert_eq!(Value::from(exchanges.len()), case["requests"]);
        let times: Vec<u64> = exchanges.iter().map(|exchange| exchange["micros"][0].as_u64().unwrap()).collect();
        assert!(times.is_sorted() && times.last() > times.first(), "{times:?}");
        assert!(exchanges.iter().all(|exchange| exchange["body"]["text"].as_str().unwrap().len() <= 4096));
    }
    let har: Value = serde_json::from_str(&read(&folder, "all.har")).unwrap();
    let entries = har["log"]["entries"].as_array().unwrap();
    assert!(entries.len() >= 3 && entries.iter().all(|entry| entry["response"]["status"] == 200), "{har}");
    let empty: Value = serde_json::from_str(&read(&folder, "usual.har")).unwrap();
    assert_eq!(empty["log"]["entries"], serde_json::json!([]));
    let wrong = ecrspec(&["run", "--record", "everything"]);
    assert!(err(&wrong).contains("expected findings or exchanges, found \"everything\""), "{}", err(&wrong));
}

/// Name, class and outcome of each test of a report in JUnit XML.
fn tests_of(report: &str) -> Vec<(String, String, String)> {
    let document = roxmltree::Document::parse(report).unwrap();
    let attribute = |node: roxmltree::Node, name: &str| String::from(node.attribute(name).unwrap_or_default());
    let tests = document.descendants().filter(|node| node.has_tag_name("testcase"));
    let outcome = |test: roxmltree::Node| {
        test.children().find(|child| child.is_element() && !child.has_tag_name("system-out")).map_or_else(
            || String::from("passed"),
            |child| {
                format!("{} {}: {}", child.tag_name().name(), attribute(child, "type"), attribute(child, "message"))
            },
        )
    };
    tests.map(|test| (attribute(test, "name"), attribute(test, "classname"), outcome(test))).collect()
}

#[test]
fn junit_has_a_test_for_each_case() {
    let folder = TempDir::new().unwrap();
    let mock = Mock::start(&["--fault", "digests-not-compared", "--service", "ecr"]);
    let other = "CompleteLayerUpload/layerDigests/match/zeros";
    let known =
        "[[known]]\nrule = \"CompleteLayerUpload/layerDigests/sha256-length\"\ngot = \"200\"\nreason = \"issue 7\"\n";
    fs::write(folder.path().join("known.toml"), known).unwrap();
    let short = "CompleteLayerUpload/layerDigests/sha256-length/63-digits";
    let filters = [WRONG, other, short, "CompleteLayerUpload/accepted/plain"].map(|id| format!("={id}"));
    let mut run = vec!["run", "--service", "ecr", "--known", "known.toml", "--endpoint", &mock.endpoint];
    filters.iter().for_each(|filter| run.extend(["--filter", filter]));
    let output = run_in(&folder, &run, "run");
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    let report = read(&folder, "run.junit");
    let class = || String::from("ecr.CompleteLayerUpload");
    let tests = tests_of(&report);
    let of = |name: &str| tests.iter().find(|(known, ..)| known == name).unwrap_or_else(|| panic!("{name}: {report}"));
    let failed = "failure CompleteLayerUpload/layerDigests/match: CompleteLayerUpload accepts a digest that does not match the bytes";
    assert_eq!(*of(WRONG), (String::from(WRONG), class(), String::from(failed)));
    assert_eq!(of(other).2, failed);
    assert_eq!(of("CompleteLayerUpload/accepted/plain").2, "passed");
    assert_eq!(of(short).2, "skipped : its findings are known, or of grades that do not gate");
    assert_eq!(of("survey").2, "passed");
    assert!(of("verdict").2.starts_with("failure verdict: FAIL "), "{}", of("verdict").2);
    for part in
        ["source    API reference", "expected  400 InvalidLayerException", &format!("replay    ecrspec replay {WRONG}")]
    {
        assert!(report.contains(part), "{part}: {report}");
    }
}

/// Each member of each event of a log, with those of its findings, exchanges and bodies.
fn members(value: &Value, names: &mut std::collections::BTreeSet<String>) {
    match value {
        // What a target answered, and the keys of a reason: those are told by its word.
        Value::Object(object) if object.contains_key("why") => {}
        Value::Object(object) => {
            for (name, value) in object {
                names.insert(name.clone());
                members(value, names);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| members(item, names)),
        _ => {}
    }
}

#[test]
fn the_guide_has_every_member_of_the_log() {
    let folder = TempDir::new().unwrap();
    let mock = Mock::start(&["--fault", "race-completed-twice", "--service", "ecr"]);
    let filters = ["--filter", "scenarios/races", "--filter", "uploadId/once"];
    let known = "[[known]]\nrule = \"CompleteLayerUpload/uploadId/once\"\ngot = \"200\"\nreason = \"issue 7\"\nsometimes = true\n";
    fs::write(folder.path().join("known.toml"), known).unwrap();
    let run =
        [&["run", "--service", "ecr", "--known", "known.toml", "--endpoint", &mock.endpoint], &filters[..]].concat();
    assert_eq!(run_in(&folder, &run, "run").status.code(), Some(0));
    let page = include_str!("../docs/src/event-log.md");
    let log = read(&folder, "run.ndjson");
    let mut names = std::collections::BTreeSet::new();
    log.lines().for_each(|line| members(&serde_json::from_str(line).unwrap(), &mut names));
    assert!(names.len() > 40, "{names:?}");
    let missing: Vec<&String> = names.iter().filter(|name| !page.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "docs/src/event-log.md does not say what {missing:?} is");
    let schema = serde_json::from_str::<Value>(log.lines().next().unwrap()).unwrap()["schema"].clone();
    assert!(page.contains(&format!("`schema` ({schema})")), "the log has schema {schema}");
}

#[test]
fn a_run_that_was_killed_in_every_format() {
    let folder = TempDir::new().unwrap();
    let mock = Mock::start(&["--fault", "errors-as-404", "--service", "ecr"]);
    let run = ["run", "--service", "ecr", "--filter", "/layerDigests/match/", "--endpoint", &mock.endpoint];
    assert_eq!(run_in(&folder, &run, "run").status.code(), Some(1));
    let log = read(&folder, "run.ndjson");
    fs::write(folder.path().join("cut"), &log[..log.len() - 200]).unwrap();
    let output = again(&folder, "cut");
    assert!(last_line(&output).contains("the log was cut off after"), "{}", last_line(&output));
    let lines = |text: &str| text.lines().count();
    assert_eq!(lines(&read(&folder, "again.ndjson")), read(&folder, "cut").matches('\n').count(), "whole events only");
    assert!(read(&folder, "again.text").contains("the log was cut off"));
    let page = read(&folder, "again.markdown");
    assert!(page.contains("the log was cut off") && page.contains("#### 1. "), "{page}");
}

#[test]
fn a_target_that_is_not_there_in_every_format() {
    let folder = TempDir::new().unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = run_in(&folder, &["run", "--endpoint", &format!("http://{free}")], "run");
    assert_eq!(output.status.code(), Some(3), "{}", err(&output));
    for format in FORMATS {
        let report = read(&folder, &format!("run.{}", format.name));
        assert!(report.contains(&free.to_string()), "{}: {report}", format.name);
    }
    assert!(read(&folder, "run.markdown").starts_with("## ecrspec: NOT JUDGED\n"));
}

#[test]
fn help_and_mistakes_name_the_formats() {
    for subcommand in ["run", "fuzz", "replay", "report"] {
        let help = out(&ecrspec(&[subcommand, "--help"]));
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        for format in FORMATS {
            assert!(help.contains(&format!("{} ({})", format.name, format.about)), "{subcommand}: {help}");
        }
    }
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("log"), "").unwrap();
    let names = Format::names();
    for (report, expected) in [
        ("pdf=x", format!("expected one of the formats {names}, found \"pdf\"")),
        ("markdown", format!("expected FORMAT=PATH (formats: {names}), found \"markdown\"")),
        ("=x", format!("expected one of the formats {names}, found \"\"")),
    ] {
        for arguments in [["run", "--report", report].as_slice(), &["report", "log", "--report", report]] {
            let output = command(arguments, folder.path()).output().unwrap();
            assert_eq!(output.status.code(), Some(2), "{arguments:?}");
            assert!(err(&output).contains(&expected), "{arguments:?}: {}", err(&output));
        }
        fs::write(folder.path().join("ecrspec.toml"), format!("jobs = 1\nreport = [\"{report}\"]\n")).unwrap();
        let output = command(&["run"], folder.path()).output().unwrap();
        fs::remove_file(folder.path().join("ecrspec.toml")).unwrap();
        assert!(err(&output).contains("line 2") && err(&output).contains(&expected), "{}", err(&output));
    }
    let twice = command(&["run", "--report", "text=x", "--report", "markdown=x"], folder.path()).output().unwrap();
    assert_eq!(twice.status.code(), Some(2));
    assert!(err(&twice).contains("expected a file for each report, found x twice"), "{}", err(&twice));
}

#[cfg(target_os = "linux")]
#[test]
fn a_report_that_cannot_be_written_is_told() {
    let folder = TempDir::new().unwrap();
    let run = ["run", "--service", "ecr", "--filter", "wire/target", "--report", "ndjson=log"];
    let full = ["--report", "markdown=/dev/full"];
    let output = command(&[&run[..], &full].concat(), folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", out(&output));
    assert!(last_line(&output).contains("a report could not be written"), "{}", last_line(&output));
    assert!(err(&output).contains("--report: could not write /dev/full"), "{}", err(&output));
    let output = command(&[&["report", "log"], &full[..]].concat(), folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", out(&output));
}

#[test]
fn what_a_log_says_is_text_in_a_page() {
    let folder = TempDir::new().unwrap();
    let mock = Mock::start(&["--fault", "errors-as-404", "--service", "ecr"]);
    let run = ["run", "--service", "ecr", "--filter", "InitiateLayerUpload", "--endpoint", &mock.endpoint];
    let run = [&run[..], &["--cases", "0", "--repository", "team/none"]].concat();
    run_in(&folder, &run, "none");
    let run = ["run", "--service", "ecr", "--filter", "InitiateLayerUpload", "--endpoint", &mock.endpoint];
    assert_eq!(run_in(&folder, &run, "run").status.code(), Some(1));
    for text in [
        "<script>alert(1)</script> <img src=x onerror=y> ",
        "\n\n# heading\n\n- item\n\n> quote\n\n---\n\n",
        "[a](https://evil.example) ![b](https://evil.example/x.png) <https://evil.example> ",
        "https://evil.example www.evil.example a@evil.example @all ",
        "` ``` ```` ~~~\n```\n<b>\n",
        "**bold** _it_ ~~no~~ | a | b | $x$ &lt; &#60;b&#62; \\<b\\> ",
        "\u{1b}[2J\u{202e}\0",
    ] {
        for log in ["run.ndjson", "none.ndjson"] {
            let events = read(&folder, log);
            let poisoned = events.lines().map(|line| {
                let mut event: Value = serde_json::from_str(line).unwrap();
                poison(&mut event, text);
                format!("{event}\n")
            });
            fs::write(folder.path().join("poisoned"), poisoned.collect::<String>()).unwrap();
            let output = again(&folder, "poisoned");
            assert!(err(&output).is_empty(), "{}", err(&output));
            is_harmless(&read(&folder, "again.markdown"), text);
        }
    }
}

/// No HTML, no link but those to sources, no heading but those of the page, and nothing that acts on a terminal.
fn is_harmless(page: &str, text: &str) {
    assert!(page.len() <= MAX);
    let control = page.chars().find(|letter| letter.is_control() && *letter != '\n');
    assert_eq!(control, None, "{text:?}: {page}");
    let mut headings = 0;
    for event in Parser::new_ext(page, Options::all()) {
        match event {
            Event::Html(_) | Event::InlineHtml(_) | Event::InlineMath(_) | Event::DisplayMath(_) | Event::Rule => {
                panic!("{text:?}: {event:?} in {page}")
            }
            Event::Start(Tag::Link { dest_url, .. }) => {
                let known = ["https://docs.aws.amazon.com/", "https://github.com/", "https://smithy.io/"];
                assert!(known.iter().any(|start| dest_url.starts_with(start)), "{text:?}: {dest_url} in {page}");
            }
            Event::Start(
                Tag::Image { .. } | Tag::BlockQuote(_) | Tag::Table(_) | Tag::Emphasis | Tag::Strikethrough,
            ) => panic!("{text:?}: {event:?} in {page}"),
            Event::Start(Tag::Heading { .. }) => headings += 1,
            _ => {}
        }
    }
    let own = page.lines().filter(|line| line.starts_with('#')).count();
    assert!(headings > 0 && headings == own, "{text:?}: {headings} headings, {own} lines, in {page}");
    // GitHub makes links of addresses and mentions that stand in text.
    let mut outside = String::from(page);
    let mut code: Vec<_> = Parser::new_ext(page, Options::all()).into_offset_iter().collect();
    code.retain(|(event, _)| matches!(event, Event::Code(_) | Event::Start(Tag::CodeBlock(_) | Tag::Link { .. })));
    code.into_iter().rev().for_each(|(_, range)| outside.replace_range(range, ""));
    for link in ["https://", "www.", "@a"] {
        assert!(!outside.contains(link), "{text:?}: {link} in {outside}");
    }
}

/// A page for a step summary is of bounded size, however much was found.
#[test]
fn a_page_has_its_bounds() {
    let folder = TempDir::new().unwrap();
    let mock = Mock::start(&["--fault", "digests-not-compared", "--service", "ecr"]);
    let filter = format!("={WRONG}");
    let run = ["run", "--service", "ecr", "--filter", &filter, "--endpoint", &mock.endpoint];
    assert_eq!(run_in(&folder, &run, "run").status.code(), Some(1));
    let log = read(&folder, "run.ndjson");
    let judged = log.lines().find(|line| line.contains("\"event\":\"judged\"")).unwrap();
    let many: String = (0..400)
        .map(|number| {
            let mut event: Value = serde_json::from_str(judged).unwrap();
            event["case"] = Value::from(format!("{}/{number}", "`é".repeat(500)));
            event["findings"][0]["got"] = Value::from(format!("{number} {}", Value::from("<".repeat(5000))));
            format!("{event}\n")
        })
        .collect();
    let log = log.replace(&format!("{judged}\n"), &many);
    fs::write(folder.path().join("many"), log).unwrap();
    again(&folder, "many");
    let page = read(&folder, "again.markdown");
    assert!(page.len() <= MAX && page.len() > MAX / 2, "{}", page.len());
    assert!(page.contains("### Findings: 400 causes\n"));
    assert!(page.trim_end().ends_with(" did not fit in here; `ecrspec report LOG` shows all."));
    is_harmless(&page, "many");
}
