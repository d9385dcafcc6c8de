//! `ecrspec doctor`: whether an endpoint can be tested, on one screen, and what to run next.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::anyhow;
use clap::Args;
use serde_json::json;
use tokio::runtime::Runtime;

use super::target::{About, Accepts, Choice, Merged, TargetArguments, Typed};
use super::{Code, Failure, print};
use crate::contract::{Operation, Service};
use crate::drive::{Signing, Target};
use crate::judge::words;
use crate::report::shell;
use crate::report::summary::Reason;
use crate::survey::{Survey, preflight};
use crate::wire::envelope::printable;
use crate::wire::{Body, Exchange, TransportError, Trust, envelope};

#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    target: TargetArguments,
}

/// What AWS accepts of a signature's time.
const SKEW: i64 = 300;

/// Why it takes no flag about the verdict.
const NO_VERDICT: &str = "doctor judges nothing and writes no report: a flag for `ecrspec run`";

pub(super) fn main(arguments: &Arguments) -> Code {
    arguments.target.reject(&[About::Verdict, About::Printing], NO_VERDICT).map_err(Failure::usage)?;
    let merged = Merged::of(&arguments.target, |_| Choice { accepts: Accepts::Nothing, ..Choice::default() });
    let merged = merged.map_err(Failure::usage)?;
    let Some(endpoint) = merged.endpoint.clone() else {
        return Err(Failure::usage(anyhow!(
            "expected --endpoint URL, or an endpoint in ecrspec.toml or AWS_ENDPOINT_URL"
        )));
    };
    let runtime = Runtime::new().map_err(Failure::harness)?;
    let signing = merged.signing(&runtime).map_err(Failure::usage)?;
    let is_plain = matches!(signing, Signing::None);
    let target = runtime.block_on(merged.target(&endpoint, signing)).map_err(Failure::usage)?;
    let mut page = Page::default();
    page.row("endpoint", &merged.named_endpoint());
    let answered = runtime.block_on(first_answer(&target, &merged.settings.services));
    let exchange = match answered {
        Ok(exchange) => exchange,
        Err(why) => {
            page.row("reachable", &why);
            page.row("next", "start the server, or correct the endpoint; then `ecrspec doctor` again");
            print(&page.text);
            return Ok(Reason::SetUp.code());
        }
    };
    page.row("reachable", &format!("yes, {} ms for the first response", exchange.took.as_millis()));
    page.row("tls", &tls(&endpoint, &merged));
    if merged.driver().is_usual() {
        page.row("clock", &clock(&exchange));
        page.row("server", &server(&exchange));
    } else {
        page.row("clock", &format!("not asked: {} does not show the headers of a response", merged.driver().name()));
    }
    let mut flags = merged.settings.flags.clone();
    flags.extend(left_out(&arguments.target.typed(), &flags));
    let mut surveys = runtime.block_on(surveys(&target, &merged));
    // Many emulators route by the scope of a signature, and check nothing.
    if is_plain && surveys.iter().all(|(survey, _)| survey.untestable.is_some()) {
        let dummy = Target { signing: Signing::Dummy, ..target };
        let again = runtime.block_on(self::surveys(&dummy, &merged));
        if again.iter().any(|(survey, _)| survey.untestable.is_none()) {
            page.row("signature", "without one nothing is served; with `--auth dummy` it is");
            flags.extend(["--auth", "dummy"].map(String::from));
            surveys = again;
        }
    }
    for (survey, left) in &surveys {
        page.row(survey.service.name(), &service(survey));
        if !left.is_empty() {
            page.row("left", &format!("could not remove {}", left.join(", ")));
        }
    }
    page.row("credentials", &credentials());
    let served: Vec<Service> =
        surveys.iter().filter(|(survey, _)| survey.untestable.is_none()).map(|(survey, _)| survey.service).collect();
    page.next(&flags, &served, arguments.target.config.as_deref());
    print(&page.text);
    let unclear = surveys.iter().any(|(survey, _)| survey.inconclusive);
    Ok(match (served.is_empty(), unclear) {
        (true, false) => Reason::SetUp.code(),
        (_, true) => Reason::Inconclusive.code(),
        (false, false) => 0,
    })
}

/// The first response to anything, or why there is none.
async fn first_answer(target: &Target, services: &[Service]) -> Result<Exchange, String> {
    let service = services.first().copied().unwrap_or(Service::Ecr);
    let body = Body::from(json!({}).to_string());
    let request = envelope::request(service, Operation::DescribeRepositories, body);
    let exchange = target.send(service, &request).await.map_err(|why| why.to_string())?;
    match exchange.reply {
        Ok(_) => Ok(exchange),
        Err(trouble) => {
            let hint = match trouble {
                TransportError::Unreachable(why) => format!(": {}", why.hint()),
                _ => String::new(),
            };
            Err(format!("no: {trouble}{hint}"))
        }
    }
}

/// What the survey finds of each service, and the repositories that it could not remove.
async fn surveys(target: &Target, merged: &Merged) -> Vec<(Survey, Vec<String>)> {
    let target = Arc::new(target.clone());
    let mut surveys = Vec::new();
    for service in &merged.settings.services {
        let looked = preflight(&target, *service, &merged.settings.prefix, merged.settings.repository.as_deref()).await;
        if let Ok((mut survey, transcript)) = looked {
            survey.leave_out(&merged.settings.without);
            surveys.push((survey, transcript.left));
        }
    }
    surveys
}

fn tls(endpoint: &str, merged: &Merged) -> String {
    let is_tls = endpoint.trim_start().to_lowercase().starts_with("https:");
    let accepted = match merged.settings.trust {
        _ if !is_tls => return String::from("none, the endpoint is http://"),
        Trust::System => "certificate accepted, by the issuers that the system trusts",
        Trust::Bundle(_) => "certificate accepted, by the issuers of --ca-bundle",
        Trust::Anyone => "certificate not checked (--insecure)",
    };
    let shown = if merged.shows_certificate() { "; that of --client-cert offered" } else { "" };
    let version = if merged.settings.flags.iter().any(|flag| flag == "--http2") { ", over HTTP/2" } else { "" };
    format!("{accepted}{shown}{version}")
}

/// The flags about the target that were typed and are not among these, for the next command. Services stand there by what
/// is served.
fn left_out(typed: &[Typed], flags: &[String]) -> Vec<String> {
    let is_new = |typed: &&Typed| {
        let is_there = typed.words().first().is_some_and(|flag| flags.contains(flag));
        typed.about == About::Target && !["auth", "service"].contains(&typed.name) && !is_there
    };
    typed.iter().filter(is_new).flat_map(Typed::words).collect()
}

/// How far the clock of the target is from ours: signatures end after five minutes.
fn clock(exchange: &Exchange) -> String {
    let date = exchange.response().and_then(|response| {
        let found = response.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("date"));
        found.map(|(_, value)| value.clone())
    });
    let Some(date) = date else { return String::from("the responses have no Date header") };
    let Ok(theirs) = jiff::fmt::rfc2822::parse(&date) else {
        return format!("the Date header is no date: {}", printable(&date));
    };
    let seconds = theirs.timestamp().as_second() - jiff::Timestamp::now().as_second();
    let (distance, side) = (seconds.abs(), if seconds < 0 { "behind" } else { "ahead of" });
    match distance {
        0..=2 => String::from("as ours"),
        3..SKEW => format!("{distance} s {side} ours"),
        _ => format!("{distance} s {side} ours: AWS rejects signatures that are 300 s off"),
    }
}

/// What the responses say of who sends them.
fn server(exchange: &Exchange) -> String {
    let headers = exchange.response().map(|response| response.headers.as_slice()).unwrap_or_default();
    let header = |name: &str| headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    let named = header("server").map(|value| printable(value).chars().take(40).collect::<String>());
    let kind = match named.as_deref() {
        Some(name) if name.contains("Werkzeug") => Some("as moto and other servers in Python"),
        Some(name) if name.contains("hypercorn") || name.contains("TwistedWeb") => Some("as LocalStack"),
        None if header("x-amzn-requestid").is_some() => Some("looks like an AWS service, or an emulator of one"),
        _ => None,
    };
    match (named, kind) {
        (Some(name), Some(kind)) => format!("{name} ({kind})"),
        (Some(name), None) => name,
        (None, Some(kind)) => String::from(kind),
        (None, None) => String::from("does not name itself"),
    }
}

/// What a service has, in a line or two.
fn service(survey: &Survey) -> String {
    if let Some(why) = &survey.untestable {
        return format!("cannot be tested: {why}");
    }
    let operations = survey.service.contract().layer_operations().count();
    let mut missing = Vec::new();
    for (word, found) in [("unknown", &survey.unknown), ("broken", &survey.broken)] {
        missing.extend(found.iter().map(|(operation, got)| format!("{word} {operation} ({})", words::got(got))));
    }
    let works = if missing.is_empty() {
        format!("an upload works, all {operations} operations for layers are known")
    } else {
        format!("an upload was tried; {}", missing.join(", "))
    };
    let doubt = if survey.availability || !missing.is_empty() { "" } else { "; availability cannot be believed" };
    format!("{works}{doubt}")
}

/// Where credentials could come from. Names alone: not what they are.
fn credentials() -> String {
    const VARIABLES: [&str; 7] = [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_PROFILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ];
    let is_set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let mut sources: Vec<String> =
        VARIABLES.iter().filter(|name| is_set(name)).map(|name| String::from(*name)).collect();
    let home = std::env::home_dir().unwrap_or_default();
    for (variable, usual) in [("AWS_SHARED_CREDENTIALS_FILE", "credentials"), ("AWS_CONFIG_FILE", "config")] {
        let named = std::env::var_os(variable).map(PathBuf::from);
        let path = named.clone().unwrap_or_else(|| home.join(".aws").join(usual));
        if Path::new(&path).is_file() {
            sources.push(named.map_or_else(|| format!("~/.aws/{usual}"), |_| String::from(variable)));
        }
    }
    match sources.is_empty() {
        true => String::from("none in sight; they are used for --auth sigv4 only"),
        false => format!("in sight: {}; used for --auth sigv4 only", sources.join(", ")),
    }
}

/// The rows of the screen.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn row(&mut self, key: &str, value: &str) {
        let _ = writeln!(self.text, "{key:<11} {value}");
    }

    /// What to run next.
    fn next(&mut self, flags: &[String], served: &[Service], config: Option<&Path>) {
        if served.is_empty() {
            return self.row("next", "make CreateRepository and one upload work; then `ecrspec doctor` again");
        }
        let mut words: Vec<&str> = flags.iter().map(String::as_str).collect();
        if served.len() < Service::ALL.len() {
            words.extend(served.iter().flat_map(|service| ["--service", service.name()]));
        }
        let command = |start: &[&str]| {
            let words = start.iter().copied().chain(words.iter().copied());
            shell::command(words).unwrap_or_else(|nul| nul.to_string())
        };
        // A settings file that somebody named says all that, and is none that `init` writes.
        let config = config.map(|path| path.display().to_string());
        let by_file = |start: &[&str]| {
            let words = config.iter().flat_map(|path| ["--config", path.as_str()]);
            shell::command(start.iter().copied().chain(words)).unwrap_or_else(|nul| nul.to_string())
        };
        let first = config.is_none().then(|| command(&["ecrspec", "init"]));
        let known = format!("{}   # what it fails today, accepted for now", by_file(&["ecrspec", "known", "init"]));
        let run = format!("{}          # the gate", by_file(&["ecrspec", "run"]));
        for (place, line) in first.into_iter().chain([known, run]).enumerate() {
            self.row(if place == 0 { "next" } else { "" }, &line);
        }
    }
}
