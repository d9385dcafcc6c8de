//! `action.yml`: its steps do what GitHub Actions would do with them.
use std::collections::BTreeMap;
use std::process::Output;

use serde_json::Value;

use crate::binary::Mock;
use crate::workshop::{Workshop, all, file, yaml};

struct Action(Value);

impl Action {
    fn read() -> Action {
        Action(yaml(&file("action.yml")))
    }

    fn steps(&self) -> &[Value] {
        self.0["runs"]["steps"].as_array().unwrap()
    }

    fn step(&self, name: &str) -> &Value {
        self.steps().iter().find(|step| step["name"] == name).unwrap()
    }

    /// Runs a step with these inputs.
    fn run(&self, workshop: &Workshop, name: &str, inputs: &[(&str, &str)]) -> Output {
        let step = self.step(name);
        let given: BTreeMap<_, _> = inputs.iter().copied().collect();
        let known = self.0["inputs"].as_object().unwrap();
        assert!(given.keys().all(|name| known.contains_key(*name)), "{given:?}");
        let value = |expression: &str| {
            let input = expression.strip_prefix("${{ inputs.").and_then(|rest| rest.strip_suffix(" }}")).unwrap();
            let default = known[input]["default"].as_str().unwrap_or_default();
            String::from(*given.get(input).unwrap_or(&default))
        };
        let mut variables: Vec<(String, String)> = Vec::new();
        for (name, expression) in step["env"].as_object().unwrap() {
            variables.push((name.clone(), value(expression.as_str().unwrap())));
        }
        for (name, file) in [
            ("RUNNER_TEMP", "temp"),
            ("GITHUB_PATH", "path"),
            ("GITHUB_OUTPUT", "output"),
            ("GITHUB_STEP_SUMMARY", "summary.md"),
        ] {
            variables.push((String::from(name), workshop.path(file).display().to_string()));
        }
        variables.push((String::from("GITHUB_ACTION_PATH"), String::from(env!("CARGO_MANIFEST_DIR"))));
        // A release build takes minutes; what .ci/wheel has built is there.
        let arguments = "--profile dev --config profile.dev.package.ecrspec.opt-level=0 --locked";
        variables.push((String::from("MATURIN_PEP517_ARGS"), String::from(arguments)));
        let variables: Vec<(&str, &str)> =
            variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        workshop.bash(step["run"].as_str().unwrap(), &variables)
    }
}

const RUN: &str = "Run ecrspec";

#[test]
fn a_run_gives_its_verdict_the_summary_annotations_and_reports() {
    let (action, workshop, mock) =
        (Action::read(), Workshop::new(), Mock::start(&["--service", "ecr", "--fault", "digests-not-compared"]));
    let inputs = [("endpoint", mock.endpoint.as_str()), ("service", "ecr")];
    let output = action.run(&workshop, RUN, &inputs);
    assert_eq!(output.status.code(), Some(1), "{}", all(&output));
    assert!(String::from_utf8_lossy(&output.stdout).contains("\n::error title="), "{}", all(&output));
    assert!(workshop.read("summary.md").contains("CompleteLayerUpload/layerDigests/match"));
    let reports = workshop.path("temp/ecrspec-reports");
    assert_eq!(workshop.read("output"), format!("exit-code=1\nreports={}\n", reports.display()));
    for name in ["ecrspec.html", "ecrspec.ndjson", "ecrspec.xml"] {
        assert!(reports.join(name).metadata().unwrap().len() > 0, "{name}");
    }
}

#[test]
fn the_known_file_and_more_flags_are_passed_on() {
    let (action, workshop, mock) =
        (Action::read(), Workshop::new(), Mock::start(&["--service", "ecr", "--fault", "digests-not-compared"]));
    workshop.write(
        "accepted deviations.toml",
        "[[known]]\nrule = \"CompleteLayerUpload/layerDigests/match\"\ngot = \"200\"\nreason = \"issue 17\"\n",
    );
    let inputs = [
        ("endpoint", mock.endpoint.as_str()),
        ("known", "accepted deviations.toml"),
        ("arguments", "--service ecr\n--jobs 1"),
    ];
    let output = action.run(&workshop, RUN, &inputs);
    assert_eq!(output.status.code(), Some(0), "{}", all(&output));
    assert!(workshop.codes()[0].contains("--service ecr --jobs 1 --report"), "{:?}", workshop.codes());
}

#[test]
fn inputs_are_never_code() {
    let (action, workshop) = (Action::read(), Workshop::new());
    workshop.write("decoy", "");
    let inputs = [("endpoint", "http://127.0.0.1:9/$(touch endpoint)"), ("arguments", "; touch flags $(touch more) *")];
    let output = action.run(&workshop, RUN, &inputs);
    assert_eq!(output.status.code(), Some(2), "{}", all(&output));
    for made in ["endpoint", "flags", "more"] {
        assert!(!workshop.path(made).exists(), "{made}");
    }
    assert!(!workshop.codes()[0].contains("decoy"), "{:?}", workshop.codes());
    for step in action.steps() {
        assert!(!step["run"].as_str().unwrap_or_default().contains("${{"), "{step}");
    }
}

#[test]
fn without_an_endpoint_nothing_is_tested() {
    let (action, workshop) = (Action::read(), Workshop::new());
    let output = action.run(&workshop, RUN, &[]);
    assert!(!output.status.success() && workshop.codes().is_empty(), "{}", all(&output));
    assert!(all(&output).contains("expected the URL of the server"), "{}", all(&output));
}

#[test]
fn each_input_is_used_and_each_output_is_set() {
    let text = file("action.yml");
    let action = Action::read();
    for input in action.0["inputs"].as_object().unwrap().keys() {
        assert!(text.contains(&format!("inputs.{input}")), "{input}");
    }
    let script = action.step(RUN)["run"].as_str().unwrap();
    for (name, output) in action.0["outputs"].as_object().unwrap() {
        assert_eq!(output["value"], format!("${{{{ steps.run.outputs.{name} }}}}"));
        assert!(script.contains(&format!("echo \"{name}=")), "{name}");
    }
}

/// `.ci/wheel` has built a wheel, and names it. Without an input, the step builds one from this directory.
#[test]
fn the_wheel_is_installed() {
    let Ok(wheel) = std::env::var("ECRSPEC_WHEEL") else {
        return eprintln!("skipped: ECRSPEC_WHEEL names no wheel");
    };
    let action = Action::read();
    for inputs in [vec![("wheel", wheel.as_str())], Vec::new()] {
        let workshop = Workshop::new();
        let output = action.run(&workshop, "Install ecrspec", &inputs);
        assert!(output.status.success(), "{}", all(&output));
        let directory = workshop.read("path");
        let output = workshop.bash(&format!("{}/ecrspec --version", directory.trim()), &[]);
        assert!(all(&output).starts_with("ecrspec "), "{}", all(&output));
    }
}
