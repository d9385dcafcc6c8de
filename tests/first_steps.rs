//! `doctor` and `init`: what they take of a target is what `run` takes.

use std::fs;
use std::process::Output;

use serde_json::Value;
use tempfile::TempDir;

use crate::binary::{Mock, command, err, out};

/// A folder with what the flags name, and the credentials that the server wants.
struct Place(TempDir);

impl Place {
    fn new() -> Place {
        let folder = TempDir::new().unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let own = rcgen::CertificateParams::new([String::from("client.example")]).unwrap().self_signed(&key).unwrap();
        fs::write(folder.path().join("own.pem"), own.pem()).unwrap();
        fs::write(folder.path().join("own.key"), key.serialize_pem()).unwrap();
        Place(folder)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = command(arguments, self.0.path());
        command.env("HOME", self.0.path()).env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
        command.env("AWS_SECRET_ACCESS_KEY", "secret").env_remove("AWS_PROFILE").output().unwrap()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.path().join(name)).unwrap()
    }

    /// How a run began, without what differs from run to run.
    fn started(&self, log: &str) -> Value {
        let mut started: Value = serde_json::from_str(self.read(log).lines().next().unwrap()).unwrap();
        for name in ["at", "repositories"] {
            started.as_object_mut().unwrap().remove(name).unwrap();
        }
        started
    }
}

#[test]
fn doctor_and_init_take_every_flag_of_a_target() {
    let place = Place::new();
    let bundle = place.0.path().join("ca.pem");
    let asks = ["--service", "ecr", "--require-auth", "AKIDEXAMPLE:secret", "--region", "eu-west-3"];
    let mock = Mock::start_tls(&asks, &bundle);
    let signed = ["--auth", "sigv4", "--region", "eu-west-3"];
    let trusted = ["--ca-bundle", "ca.pem", "--client-cert", "own.pem", "--client-key", "own.key", "--http2"];
    let paced = ["--jobs", "3", "--rate", "400", "--timeout", "7", "--without", "PutImage", "--service", "ecr"];
    let flags = [&["--endpoint", &mock.endpoint], &signed[..], &trusted, &paced].concat();

    let doctor = place.run(&[&["doctor"], &flags[..]].concat());
    let screen = out(&doctor);
    assert_eq!(doctor.status.code(), Some(0), "{screen}{}", err(&doctor));
    let tls =
        "tls         certificate accepted, by the issuers of --ca-bundle; that of --client-cert offered, over HTTP/2\n";
    assert!(screen.contains(tls), "{screen}");
    assert!(screen.contains("ecr         an upload works, "), "{screen}");
    let next = screen.lines().find_map(|line| line.strip_prefix("next        ecrspec ")).unwrap();
    let next = shlex::split(next).unwrap();
    let next: Vec<&str> = next.iter().map(String::as_str).collect();
    let pairs = |words: &[&str]| -> std::collections::BTreeSet<String> {
        let joined = words.join(" ").replace(" --", "\n--");
        joined.lines().map(String::from).collect()
    };
    assert_eq!(pairs(&next), &pairs(&flags) | &pairs(&["init"]), "what is told is what was typed");

    // What init writes is what a run reads.
    let init = place.run(&next);
    assert_eq!(init.status.code(), Some(0), "{}", err(&init));
    let settings = place.read("ecrspec.toml");
    for line in ["ca-bundle = \"ca.pem\"", "region = \"eu-west-3\"", "http2 = true", "rate = 400", "jobs = 3"] {
        assert!(settings.contains(&format!("{line}\n")), "{line}: {settings}");
    }
    let case = ["--filter", "InitiateLayerUpload/accepted/plain", "--cases", "0"];
    let by_file = place.run(&[&["run"], &case[..], &["--report", "ndjson=file"]].concat());
    assert_eq!(by_file.status.code(), Some(0), "{}{}", out(&by_file), err(&by_file));
    fs::rename(place.0.path().join("ecrspec.toml"), place.0.path().join("away.toml")).unwrap();
    let more = ["--known", "known.toml", "--suite", "0.1", "--report", "ndjson=flags"];
    let by_flags = place.run(&[&["run"], &flags[..], &case, &more].concat());
    assert_eq!(by_flags.status.code(), Some(0), "{}{}", out(&by_flags), err(&by_flags));
    assert_eq!(place.started("file"), place.started("flags"));

    // Of a file that somebody names, it is that file that the next commands take.
    let doctor = place.run(&["doctor", "--config", "away.toml"]);
    assert_eq!(doctor.status.code(), Some(0), "{}{}", out(&doctor), err(&doctor));
    for line in ["next        ecrspec known init --config away.toml ", "            ecrspec run --config away.toml "] {
        assert!(out(&doctor).contains(line), "{line}: {}", out(&doctor));
    }
}

#[test]
fn doctor_works_in_the_repository_that_is_named() {
    let place = Place::new();
    let mock = Mock::start(&["--service", "ecr"]);
    mock.call("CreateRepository", "{\"repositoryName\":\"team/mine\"}");
    let flags = ["--endpoint", mock.endpoint.as_str(), "--repository", "team/mine", "--service", "ecr"];
    let doctor = place.run(&[&["doctor"], &flags[..]].concat());
    assert_eq!(doctor.status.code(), Some(0), "{}", out(&doctor));
    let next = format!("ecrspec init --endpoint {} --repository team/mine --service ecr\n", mock.endpoint);
    assert!(out(&doctor).contains(&next), "{}", out(&doctor));
    assert_eq!(place.run(&[&["init"], &flags[..]].concat()).status.code(), Some(0));
    assert!(place.read("ecrspec.toml").contains("repository = \"team/mine\"\n"));
    // The job tests what the settings name, and waits for that.
    let job = place.read(".github/workflows/ecrspec.yml");
    assert!(
        job.contains("ecrspec run --deadline 5m") && !job.contains(":5000") && !job.contains("known.toml"),
        "{job}"
    );
    let port = mock.endpoint.rsplit_once(':').unwrap().1;
    assert!(job.contains(&format!("--port {port} >")) && job.contains(&format!("null {};", mock.endpoint)), "{job}");
}

#[test]
fn a_flag_that_has_no_use_is_rejected_in_a_sentence() {
    let place = Place::new();
    let no_verdict = "doctor judges nothing and writes no report: a flag for `ecrspec run`";
    let no_printing = "init tests nothing: a flag for `ecrspec run`, and no setting";
    let no_config = "init writes ecrspec.toml, which every command reads by itself";
    for (arguments, told) in [
        (vec!["doctor", "--known", "known.toml"], format!("--known: {no_verdict}")),
        (vec!["doctor", "--report", "html=page.html"], format!("--report: {no_verdict}")),
        (vec!["doctor", "--fail-on", "crash"], format!("--fail-on: {no_verdict}")),
        (vec!["doctor", "--deadline", "5m"], format!("--deadline: {no_verdict}")),
        (vec!["doctor", "-v"], format!("--verbose: {no_verdict}")),
        (vec!["init", "-v"], format!("--verbose: {no_printing}")),
        (vec!["init", "--max-groups", "3"], format!("--max-groups: {no_printing}")),
        (vec!["init", "--config", "other.toml"], format!("--config: {no_config}")),
    ] {
        let output = place.run(&[&arguments[..], &["--endpoint", "http://127.0.0.1:1"]].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(err(&output), format!("ecrspec: {told}\n"));
        assert!(!place.0.path().join("ecrspec.toml").exists(), "nothing is written before that");
    }
}
