//! What the README and the guide tell to type works: commands, and jobs of CI.
use std::fs;
use std::process::Command;

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};
use serde_json::Value;

use crate::binary;
use crate::binary::has_tool;
use crate::workshop;
use crate::workshop::{Workshop, all, file, yaml};

/// A block of code of a page.
struct Block {
    language: String,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let (text, mut blocks, mut language) = (file(page), Vec::new(), None);
    for event in Parser::new(&text) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => language = Some(info.to_string()),
            Event::End(TagEnd::CodeBlock) => language = None,
            Event::Text(code) => {
                let block = |language: &String| Block { language: language.clone(), text: code.to_string() };
                blocks.extend(language.as_ref().map(block));
            }
            _ => {}
        }
    }
    blocks
}

/// The first block behind a heading.
fn block(page: &str, heading: &str, language: &str) -> String {
    let text = file(page);
    let text = format!("\n{text}");
    let at = text.find(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("{page} has no {heading}"));
    let behind = text[at..].split_once(&format!("```{language}\n")).unwrap().1;
    String::from(behind.split_once("```").unwrap().0)
}

fn pages() -> Vec<String> {
    let book = fs::read_dir(format!("{}/docs/src", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let book = book.filter(|entry| entry.as_ref().is_ok_and(|entry| entry.path().is_file()));
    let book = book.map(|entry| format!("docs/src/{}", entry.unwrap().file_name().into_string().unwrap()));
    let mut pages: Vec<String> = book.chain(["README.md", "CONTRIBUTING.md"].map(String::from)).collect();
    pages.sort();
    pages
}

/// The commands of a script, each on a line.
fn commands(script: &str) -> Vec<String> {
    let joined = script.replace("\\\n", " ");
    let lines = joined.lines().map(|line| line.split(" #").next().unwrap_or_default().trim().to_owned());
    lines.filter(|line| line.starts_with("ecrspec ")).collect()
}

#[test]
fn every_command_and_flag_exists() {
    let mut seen = 0;
    for page in pages() {
        for block in blocks(&page).iter().filter(|block| block.language == "sh") {
            for command in commands(&block.text) {
                let bare = command.split(['|', '>', '&']).next().unwrap();
                let words = shlex::split(bare).unwrap_or_else(|| panic!("{page}: {command}"));
                // The help is shown when all before it was understood.
                let words: Vec<&str> = words[1..].iter().map(String::as_str).chain(["--help"]).collect();
                let output = binary::ecrspec(&words);
                assert!(output.status.success(), "{page}: {command}\n{}", all(&output));
                seen += 1;
            }
        }
    }
    assert!(seen > 40, "{seen} commands were found: are they written in another way?");
}

/// Pages that lead through first steps: all their commands are run, against a server that deviates.
const WALKED: &[&str] = &[
    "README.md",
    "docs/src/gate.md",
    "docs/src/start.md",
    "docs/src/ci.md",
    "docs/src/known-deviations.md",
    "docs/src/reports.md",
    "docs/src/scenarios.md",
    "docs/src/search.md",
];

#[test]
fn the_commands_of_first_steps_work() {
    let workshop = Workshop::new();
    let server = format!("./your-server --port {} > server.log 2>&1 &\n{}", workshop.port, AWAIT);
    let logs = "
        for k in 1 2 3 4; do ecrspec run --endpoint $ENDPOINT --service ecr --partition hash:$k/4 --report ndjson=part$k.ndjson; done
        ecrspec run --endpoint $ENDPOINT --service ecr --report ndjson=run.ndjson
        cp run.ndjson ecrspec.ndjson
        mkdir -p found && cp wrong.yaml found/x.yaml
    ";
    workshop.write("wrong.yaml", &block("docs/src/scenarios.md", "# Writing a scenario", "yaml"));
    let endpoint = workshop.endpoint();
    let variables = [("ENDPOINT", endpoint.as_str())];
    let output = workshop.bash(&format!("set +e\n{server}{logs}"), &variables);
    assert!(output.status.success(), "{}", all(&output));
    fs::remove_file(workshop.path("codes")).unwrap();
    let mut written = 0;
    for page in WALKED {
        for block in blocks(page).iter().filter(|block| block.language == "sh" && !block.text.contains("cargo ")) {
            // moto is not needed for this: its port is that of the server that is.
            let text = workshop
                .here(&block.text.replace("5001", "5000").replace("CASE-ID", &format!("{}/wrong", workshop::FILTER)));
            let text = text.replace("RULE", workshop::FILTER).replace("URL", &endpoint);
            for command in commands(&text) {
                if command.contains("known init") {
                    // It leaves a file with entries alone.
                    workshop.write("known.toml", "known = []\n");
                }
                let command = command.replace("10m", "1s").replace("30m", "1s").replace(" || code=$?", "");
                workshop.bash(&command, &variables);
                written += 1;
            }
        }
    }
    let ran = workshop.codes();
    assert_eq!(ran.len(), written, "{ran:#?}");
    // Found something, or not: neither a wrong flag, nor a file that is missing, nor a server that is.
    let bad: Vec<&String> = ran.iter().filter(|ran| !ran.starts_with("0 ") && !ran.starts_with("1 ")).collect();
    assert!(bad.is_empty(), "{bad:#?}");
    assert!(written > 25, "{written}");
}

const AWAIT: &str = "timeout 60 sh -c 'until curl -s -o /dev/null \"$ENDPOINT\"; do sleep 0.1; done'\n";

/// What a job of GitHub Actions runs by itself, with the number of the part in its place.
fn github(workshop: &Workshop, job: &Value, part: &str) -> Option<i32> {
    for step in job["steps"].as_array().unwrap() {
        let Some(script) = step["run"].as_str() else { continue };
        let script = workshop.here(&script.replace("${{ matrix.part }}", part));
        assert!(!script.contains("${{"), "{script}");
        let summary = workshop.path("summary.md").display().to_string();
        let environment = [("GITHUB_STEP_SUMMARY", summary.as_str()), ("ECRSPEC_GIT", "git"), ("ECRSPEC_REV", "rev")];
        let output = workshop.bash(&script, &environment);
        let goes_on = output.status.success() || step["continue-on-error"] == true;
        // The verdict is the exit code of ecrspec; nothing before it may fail.
        if !goes_on {
            assert!(script.contains("ecrspec run") || script.contains("ecrspec report"), "{script}\n{}", all(&output));
            return output.status.code();
        }
    }
    Some(0)
}

fn has_tools() -> bool {
    has_tool("curl") && has_tool("timeout")
}

#[test]
fn the_github_job_works() {
    if !has_tools() {
        return;
    }
    let workshop = Workshop::new();
    workshop.without(&["cargo", "rustup"]);
    let job = yaml(&block("docs/src/ci.md", "## GitHub Actions", "yaml"));
    assert_eq!(github(&workshop, &job["jobs"]["ecrspec"], ""), Some(1));
    for name in ["summary.md", "ecrspec.html", "ecrspec.ndjson", "server.log"] {
        assert!(!workshop.read(name).is_empty(), "{name}");
    }
}

#[test]
fn the_job_with_the_action_gives_it_inputs_that_it_has() {
    let job = yaml(&block("docs/src/ci.md", "### As an action", "yaml"));
    let action = yaml(&file("action.yml"));
    let step = job["jobs"]["ecrspec"]["steps"].as_array().unwrap().iter().find(|step| !step["with"].is_null()).unwrap();
    for (input, value) in step["with"].as_object().unwrap() {
        assert!(!action["inputs"][input].is_null(), "{input}");
        if input == "arguments" {
            let flags: Vec<&str> =
                ["run"].into_iter().chain(value.as_str().unwrap().split(' ')).chain(["--help"]).collect();
            assert!(binary::ecrspec(&flags).status.success(), "{value}");
        }
    }
}

#[test]
fn the_matrix_gives_the_verdict_of_the_whole() {
    if !has_tools() {
        return;
    }
    let workflow = yaml(&block("docs/src/ci.md", "## Several jobs", "yaml"));
    let (part, report) = (&workflow["jobs"]["part"], &workflow["jobs"]["report"]);
    let whole = Workshop::new();
    whole.without(&["pip"]);
    for number in part["strategy"]["matrix"]["part"].as_array().unwrap() {
        let workshop = Workshop::new();
        workshop.without(&["pip"]);
        let number = number.to_string();
        assert_eq!(github(&workshop, part, &number), Some(0), "the job `report` has the verdict");
        let log = format!("part{number}.ndjson");
        // What upload-artifact and download-artifact do.
        whole.write(&log, &workshop.read(&log));
    }
    assert_eq!(github(&whole, report, ""), Some(1));
    assert!(whole.read("summary.md").contains(workshop::FILTER));
    fs::remove_file(whole.path("part2.ndjson")).unwrap();
    fs::remove_file(whole.path("part4.ndjson")).unwrap();
    let code = github(&whole, report, "");
    assert!(matches!(code, Some(1 | 6)), "parts that are missing: {code:?}");
    assert!(whole.read("summary.md").contains("unfinished"), "{}", whole.read("summary.md"));
}

#[test]
fn the_gitlab_job_works() {
    if !has_tools() {
        return;
    }
    let workshop = Workshop::new();
    workshop.installed(".ecrspec/bin");
    let job = &yaml(&block("docs/src/ci.md", "## GitLab", "yaml"))["ecrspec"];
    let lines: Vec<&str> = job["script"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    let output = workshop.bash(&workshop.here(&lines.join("\n")), &[("ECRSPEC_GIT", "git"), ("ECRSPEC_REV", "rev")]);
    assert_eq!(output.status.code(), Some(1), "{}", all(&output));
    let artifacts = job["artifacts"]["paths"].as_array().unwrap().iter();
    for name in artifacts.chain([&job["artifacts"]["reports"]["junit"]]) {
        assert!(!workshop.read(name.as_str().unwrap()).is_empty(), "{name}");
    }
}

#[test]
fn make_and_pre_commit_work() {
    if !has_tools() || !has_tool("make") {
        return;
    }
    let workshop = Workshop::new();
    workshop.write("Makefile", &workshop.here(&block("docs/src/ci.md", "## Make", "make")));
    let hooks = yaml(&block("docs/src/ci.md", "## pre-commit", "yaml"));
    let hook = &hooks["repos"][0]["hooks"][0];
    assert_eq!((&hook["language"], &hook["pass_filenames"]), (&Value::from("system"), &Value::from(false)));
    let entry: Vec<&str> = hook["entry"].as_str().unwrap().split(' ').collect();
    let output = workshop.run(Command::new(entry[0]).args(&entry[1..]), &[]);
    assert!(!output.status.success() && workshop.codes()[0].starts_with("1 ecrspec run"), "{}", all(&output));
    // The server ends with the run, so that the next one can start it.
    let again = workshop.run(Command::new(entry[0]).args(&entry[1..]), &[]);
    assert!(workshop.codes()[1].starts_with("1 ecrspec run"), "{}", all(&again));
}

#[test]
fn the_kubernetes_job_runs_all_parts() {
    if !has_tools() {
        return;
    }
    let job = yaml(&block("docs/src/ci.md", "### Kubernetes", "yaml"));
    let (spec, workshop) = (&job["spec"], Workshop::new());
    let server = format!("./your-server --port {} > server.log 2>&1 &\n{}", workshop.port, AWAIT);
    let endpoint = workshop.endpoint();
    assert!(workshop.bash(&server, &[("ENDPOINT", &endpoint)]).status.success());
    let container = &spec["template"]["spec"]["containers"][0];
    let words = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|word| String::from(word.as_str().unwrap())).collect()
    };
    let here = |text: &str| workshop.here(text).replace("/work/", "");
    let (command, arguments) = (words(&container["command"]), words(&container["args"]));
    for index in 0..spec["completions"].as_u64().unwrap() {
        let mut part = Command::new(&command[0]);
        part.args(&command[1..]).args(arguments.iter().map(|argument| here(argument)));
        let output = workshop.run(&mut part, &[("JOB_COMPLETION_INDEX", &index.to_string())]);
        assert!(output.status.success(), "{}", all(&output));
    }
    let page = file("docs/src/ci.md");
    let command = page.split('`').find(|code| code.starts_with("ecrspec report /work/part*")).unwrap();
    let output = workshop.bash(&here(command), &[]);
    assert_eq!(output.status.code(), Some(1), "{}", all(&output));
    assert!(!workshop.read("ecrspec.html").is_empty());
}
