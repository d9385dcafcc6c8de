//! Commands that show again what was found.

use super::Reader;
use crate::contract::Service;
use crate::events::{Judged, Started};
use crate::report::script::{request_flags, sigv4_flag};
use crate::report::shell;
use crate::report::summary::Summary;
use crate::wire::ClientCertificate;
use crate::wire::envelope::visible;

/// How a case is run again.
pub(in crate::report) fn again(summary: &Summary, service: Service, case: &str, reader: Reader) -> String {
    match reader {
        Reader::CommandLine => replay(&summary.started.flags, service, case),
        Reader::Test => format!("ecrspec::testing::case(server, Service::{service:?}, {case:?})"),
    }
}

/// The command that runs a case again.
pub(super) fn replay(flags: &[String], service: Service, case: &str) -> String {
    let mut words = vec![String::from("ecrspec"), String::from("replay"), String::from(case)];
    words.extend(flags.iter().cloned());
    words.extend([String::from("--service"), service.to_string()]);
    command(&words)
}

/// Words as one command. Ids come from logs and files, which may have anything.
fn command(words: &[String]) -> String {
    shell::command(words.iter().map(String::as_str)).unwrap_or_else(|nul| nul.to_string())
}

/// The command that writes all calls of a case as a shell script: the last one alone needs the state of this run.
pub(in crate::report) fn script(started: &Started, judged: &Judged) -> Option<String> {
    // curl signs as it must be.
    if judged.exchanges.iter().any(|logged| !logged.signature.is_valid()) {
        return None;
    }
    let with_value = |name: &str| Some([String::from(name), started.flag(name)?.clone()]);
    let mut words: Vec<String> =
        ["ecrspec", "explain", &judged.case, "--script", "--service"].map(String::from).to_vec();
    words.push(judged.service.to_string());
    words.extend(with_value("--endpoint")?);
    words.extend(started.trust.flags());
    words.extend(ClientCertificate::of_flags(&started.flags).iter().flat_map(ClientCertificate::flags));
    words.extend(["--auth", "--region", "--repository"].into_iter().filter_map(with_value).flatten());
    Some(format!("{} | sh", command(&words)))
}

/// The credentials of the environment, for curl.
const CREDENTIALS: &str = r#"--user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" ${AWS_SESSION_TOKEN:+-H "X-Amz-Security-Token: $AWS_SESSION_TOKEN"}"#;

/// The last step of a case as a command, with the values of this run. None for bodies that are too long to paste, or
/// that would do something to a terminal: they may have a value that the target gave.
pub(super) fn curl(started: &Started, judged: &Judged, step: &str) -> Option<String> {
    let endpoint = started.flag("--endpoint")?;
    let logged = judged.exchanges.iter().find(|logged| logged.step == step)?;
    let harmful = logged.body.text.chars().any(|letter| letter != '\n' && visible(letter) != letter);
    if !logged.body.whole || logged.body.text.len() > 2000 || harmful || !logged.signature.is_valid() {
        return None;
    }
    let mut flags = request_flags(&logged.method, &logged.headers, logged.framing, false).ok()?;
    // It is sigv4 alone that has a region.
    if let Some(region) = started.flag("--region") {
        let sigv4 = sigv4_flag(judged.service, region).ok()?;
        flags = format!("{sigv4} {CREDENTIALS} {flags}");
    }
    let mut rest = started.trust.curl_flags();
    rest.extend(ClientCertificate::of_flags(&started.flags).iter().flat_map(ClientCertificate::curl_flags));
    rest.extend([String::from("--data-raw"), logged.body.text.clone(), endpoint.clone()]);
    let rest = shell::command(rest.iter().map(String::as_str)).ok()?;
    Some(format!("curl -sS -i {flags} {rest}"))
}
