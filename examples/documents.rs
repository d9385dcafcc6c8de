//! The table of docs/src/documents.md: for each document that ecrspec starts from and each driver, how many cases reach the
//! target, and what they find. It is made from event logs:
//!
//! ```sh
//! ecrspec run --cases 0 --driver boto3 --report ndjson=boto3.ndjson
//! cargo run --example documents -- mock=http.ndjson mock=boto3.ndjson moto=moto.ndjson > table.md
//! ```

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::process::ExitCode;

use ecrspec::contract::{Operation, Service};
use ecrspec::events::{self, Event, Judged, Started};
use ecrspec::judge::Verdict;

/// A document, and the cases that are about what it says.
struct Document {
    title: &'static str,
    service: Service,
    operation: Operation,
    /// What its reader sends requests with: anything where it is about HTTP.
    drivers: &'static [&'static str],
}

/// What the names of drivers in a log begin with.
const HTTP: &str = "HTTP";
const BOTO3: &str = "boto3";
const AWS_CLI: &str = "AWS CLI";
const ALL_DRIVERS: &[&str] = &[HTTP, BOTO3, AWS_CLI];

const DOCUMENTS: [Document; 5] = [
    Document {
        title: "API reference of Amazon ECR, `CompleteLayerUpload`",
        service: Service::Ecr,
        operation: Operation::CompleteLayerUpload,
        drivers: ALL_DRIVERS,
    },
    Document {
        title: "OpenAPI page of Amazon ECR Public, `CompleteLayerUpload`",
        service: Service::EcrPublic,
        operation: Operation::CompleteLayerUpload,
        drivers: ALL_DRIVERS,
    },
    Document {
        title: "OpenAPI page of Amazon ECR Public, `InitiateLayerUpload`",
        service: Service::EcrPublic,
        operation: Operation::InitiateLayerUpload,
        drivers: ALL_DRIVERS,
    },
    Document {
        title: "AWS CLI, `aws ecr complete-layer-upload`",
        service: Service::Ecr,
        operation: Operation::CompleteLayerUpload,
        drivers: &[AWS_CLI],
    },
    Document {
        title: "boto3, `ECR.Client.complete_layer_upload`",
        service: Service::Ecr,
        operation: Operation::CompleteLayerUpload,
        drivers: &[BOTO3],
    },
];

/// A log, and what its target is called in the table.
struct Log {
    target: String,
    started: Started,
    cases: Vec<Judged>,
}

fn main() -> ExitCode {
    let logs: Result<Vec<Log>, String> = env::args().skip(1).map(|argument| read(&argument)).collect();
    match logs {
        Ok(logs) if logs.is_empty() => usage("no log is given"),
        Ok(logs) => {
            print!("{}", page(&logs));
            ExitCode::SUCCESS
        }
        Err(error) => usage(&error),
    }
}

fn usage(why: &str) -> ExitCode {
    eprintln!("documents: {why}\nusage: documents TARGET=LOG ...");
    ExitCode::from(2)
}

fn read(argument: &str) -> Result<Log, String> {
    let (target, path) = argument.split_once('=').ok_or_else(|| format!("expected TARGET=LOG, found {argument:?}"))?;
    let text = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let events = events::read(&text).map_err(|error| format!("{path}: {error}"))?;
    let mut started = None;
    let mut cases = Vec::new();
    for event in events {
        match event {
            Event::Started(start) => started = Some(*start),
            Event::Judged(judged) => cases.push(*judged),
            _ => {}
        }
    }
    let started = started.ok_or_else(|| format!("{path}: the log has no beginning"))?;
    Ok(Log { target: String::from(target), started, cases })
}

fn page(logs: &[Log]) -> String {
    let mut targets: Vec<&str> = Vec::new();
    for log in logs {
        if !targets.contains(&log.target.as_str()) {
            targets.push(&log.target);
        }
    }
    let mut text = String::from("| document | driver | cases |");
    targets.iter().for_each(|target| text += &format!(" {target}: judged | failed | rules |"));
    text += "\n| --- | --- | ---: |";
    text += &" ---: | ---: | ---: |".repeat(targets.len());
    text.push('\n');
    for document in &DOCUMENTS {
        for driver in document.drivers {
            let of_driver = |log: &&Log| log.started.driver.name.starts_with(driver);
            let counts: Vec<Option<Counts>> = targets
                .iter()
                .map(|target| logs.iter().filter(|log| log.target == **target).find(of_driver))
                .map(|log| log.and_then(|log| Counts::of(document, log)))
                .collect();
            let cases = counts.iter().flatten().map(|counts| counts.cases).max().unwrap_or(0);
            text += &format!("| {} | {driver} | {cases} |", document.title);
            counts.iter().for_each(|counts| text += &cells(counts.as_ref()));
            text.push('\n');
        }
    }
    text
}

/// What became of the cases of a document in a log.
struct Counts {
    cases: usize,
    judged: usize,
    failed: usize,
    rules: usize,
}

impl Counts {
    /// None if the log is not about the document's service.
    fn of(document: &Document, log: &Log) -> Option<Counts> {
        let is_about = |judged: &&Judged| {
            judged.service == document.service
                && !judged.kind.is_random()
                && judged.rules.iter().any(|rule| rule.operation() == Some(document.operation))
        };
        let cases: Vec<&Judged> = log.cases.iter().filter(is_about).collect();
        let has = |is: fn(&Verdict) -> bool| cases.iter().filter(|judged| is(&judged.verdict)).count();
        let (passed, failed) =
            (has(|verdict| *verdict == Verdict::Pass), has(|verdict| matches!(verdict, Verdict::Fail { .. })));
        let rules: BTreeSet<_> =
            cases.iter().flat_map(|judged| judged.verdict.findings()).map(|finding| finding.rule).collect();
        let counts = Counts { cases: cases.len(), judged: passed + failed, failed, rules: rules.len() };
        log.started.services.contains(&document.service).then_some(counts)
    }
}

fn cells(counts: Option<&Counts>) -> String {
    match counts {
        Some(Counts { judged, failed, rules, .. }) => format!(" {judged} | {failed} | {rules} |"),
        None => String::from(" – | – | – |"),
    }
}
