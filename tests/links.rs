//! Reports and `explain` link to the rules of the published guide, where somebody says where that is.

use std::collections::BTreeSet;
use std::fs;

use ecrspec::report::format::FORMATS;
use tempfile::TempDir;

use crate::binary::{Mock, command, ecrspec, err, out};

const GUIDE: &str = "https://guide.example/ecrspec";
const OTHER: &str = "http://127.0.0.1:3000";

const RULE: &str = "CompleteLayerUpload/layerDigests/match";

/// What of a text are addresses of the guide, without what stands around them.
fn links(text: &str, guide: &str) -> BTreeSet<String> {
    let is_of_address = |letter: char| letter.is_ascii_alphanumeric() || "/-.#".contains(letter);
    let ends = text.split(guide).skip(1).map(|rest| rest.split(|letter| !is_of_address(letter)).next().unwrap());
    ends.map(String::from).collect()
}

/// Each leads to a page of the guide that has the anchor: the page that is generated, and that tests/docs.rs keeps so.
fn lead_somewhere(links: &BTreeSet<String>, what: &str) {
    assert!(!links.is_empty(), "{what} has no link");
    for link in links {
        let (page, anchor) = link.split_once(".html#").unwrap_or_else(|| panic!("{what}: {link}"));
        let page = page.strip_prefix('/').unwrap_or(page);
        let page = fs::read_to_string(format!("{}/docs/src/{page}.md", env!("CARGO_MANIFEST_DIR"))).unwrap();
        assert!(page.contains(&format!("<a id=\"{anchor}\"></a>")), "{what}: {link}");
    }
}

fn in_folder(folder: &TempDir, arguments: &[&str], code: i32) -> String {
    let output = command(arguments, folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", err(&output));
    out(&output)
}

#[test]
fn reports_link_to_the_rules_of_the_guide() {
    let folder = TempDir::new().unwrap();
    let mock = Mock::start(&["--fault", "digests-not-compared"]);
    fs::write(folder.path().join("ecrspec.toml"), format!("guide = \"{GUIDE}/\"\n")).unwrap();
    let known = format!("[[known]]\nrule = \"{RULE}\"\ngot = \"200\"\nreason = \"x\"\nservice = \"ecr-public\"\n");
    fs::write(folder.path().join("known.toml"), known).unwrap();
    let run = ["run", "--endpoint", &mock.endpoint, "--cases", "0", "--filter", "/layerDigests/match"];
    let logged = ["--known", "known.toml", "--report", "ndjson=log"];
    let shown = in_folder(&folder, &[&run[..], &logged].concat(), 1);
    assert!(shown.contains(&format!("   guide     {GUIDE}/rules-ecr.html#{RULE}\n")), "{shown}");

    let render = |more: &[&str]| -> Vec<(&str, String)> {
        let report = |name: &str| [String::from("--report"), format!("{name}={name}")];
        let reports: Vec<String> = FORMATS.iter().flat_map(|format| report(format.name)).collect();
        let reports: Vec<&str> = reports.iter().map(String::as_str).collect();
        // What the run kept is what counts here.
        fs::remove_file(folder.path().join("ecrspec.toml")).ok();
        in_folder(&folder, &[&["report", "log"], &reports[..], more].concat(), 1);
        let read = |name| (name, fs::read_to_string(folder.path().join(name)).unwrap());
        FORMATS.iter().map(|format| read(format.name)).collect()
    };
    for (guide, more) in [(GUIDE, vec![]), (OTHER, vec!["--guide", OTHER])] {
        for (name, text) in render(&more) {
            match name {
                // The log says once where the guide is; HAR has requests and responses alone.
                "ndjson" => assert_eq!(text.contains(&format!("\"guide\":\"{GUIDE}\"")), guide == GUIDE, "{text}"),
                "har" => assert!(!text.contains(guide), "{text}"),
                "json" => lead_somewhere(&links(&text, &format!("{guide}/")), name),
                _ => lead_somewhere(&links(&text, guide), name),
            }
        }
        let issue = in_folder(&folder, &[&["report", "log", "--issue", RULE], &more[..]].concat(), 0);
        assert!(issue.contains(&format!("- rule: [`{RULE}`]({guide}/rules-ecr.html#{RULE}) (documented)")), "{issue}");
    }
    let sarif: serde_json::Value = serde_json::from_str(&render(&[])[sarif()].1).unwrap();
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    assert!(!rules.is_empty());
    for rule in rules {
        let uri = rule["helpUri"].as_str().unwrap();
        assert!(uri.ends_with(&format!(".html#{}", rule["id"].as_str().unwrap())), "{uri}");
    }
}

fn sarif() -> usize {
    FORMATS.iter().position(|format| format.name == "sarif").unwrap()
}

#[test]
fn explain_says_where_the_guide_has_a_rule() {
    let without = out(&ecrspec(&["explain", RULE]));
    lead_somewhere(&links(&without, "  guide     "), "explain RULE");
    assert_eq!(links(&without, "  guide     ").len(), 2, "a page a service: {without}");
    for id in [RULE, "CompleteLayerUpload/layerDigests/match/wrong", "scenarios/reuse/repeated-completion"] {
        lead_somewhere(&links(&out(&ecrspec(&["explain", id, "--guide", GUIDE])), GUIDE), id);
    }
    let wrong = ecrspec(&["explain", RULE, "--guide", "javascript:alert(1)"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(err(&wrong).contains("expected the http:// or https:// URL of the folder"), "{}", err(&wrong));
}
