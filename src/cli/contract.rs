//! `ecrspec contract show`: the documented contract, with its sources.

use std::fmt::Write as _;

use anyhow::anyhow;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{Code, Failure, print};
use crate::contract::{Contract, ErrorType, Kind, Member, OperationSpec, Service, Shape, Text};

#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print operations, members with their constraints, errors, and the source of each
    Show {
        /// Only this operation
        operation: Option<String>,
        /// Service: ecr or ecr-public (repeatable; default both)
        #[arg(long, value_name = "SERVICE")]
        service: Vec<Service>,
        /// Output format
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Json,
}

pub(super) fn main(arguments: &Arguments) -> Code {
    let Command::Show { operation, service, format } = &arguments.command;
    let services = if service.is_empty() { Service::ALL.to_vec() } else { service.clone() };
    let contracts: Vec<&Contract> = services.iter().map(|service| service.contract()).collect();
    let chosen = |contract: &&Contract| -> Vec<&'static OperationSpec> {
        contract
            .operations
            .iter()
            .filter(|known| operation.as_ref().is_none_or(|name| known.name.name() == name))
            .collect()
    };
    if contracts.iter().all(|contract| chosen(contract).is_empty()) {
        let names: Vec<&str> =
            Service::Ecr.contract().operations.iter().map(|operation| operation.name.name()).collect();
        let found = operation.clone().unwrap_or_default();
        return Err(Failure::usage(anyhow!("expected an operation ({}), found {found:?}", names.join(", "))));
    }
    match format {
        Format::Text => contracts.iter().for_each(|contract| print(&text(contract, &chosen(contract)))),
        Format::Json => {
            let all: Vec<Value> = contracts.iter().map(|contract| as_json(contract, &chosen(contract))).collect();
            print(&format!("{:#}\n", json!({ "schema": 1, "services": all })));
        }
    }
    Ok(0)
}

fn text(contract: &Contract, operations: &[&OperationSpec]) -> String {
    let mut text = format!(
        "{} ({}), API {}, X-Amz-Target {}.<Operation>, signed as {}\n",
        contract.title, contract.service, contract.api_version, contract.target_prefix, contract.signing_name
    );
    for operation in operations {
        let page = operation.page();
        let _ = writeln!(text, "\n{}\n  {} ({})\n  request", operation.name, page.url, page.edition);
        operation.input.iter().for_each(|member| text += &member_line(member, true));
        text += "  answer\n";
        operation.output.iter().for_each(|member| text += &member_line(member, false));
        text += "  errors\n";
        for error in operation.errors.iter().filter_map(|name| ErrorType::find(name)) {
            let _ = writeln!(text, "    {} {:<34} {}", error.statuses[0], error.name, error.meaning);
        }
    }
    text + "\n"
}

fn member_line(member: &Member, request: bool) -> String {
    let presence = match (member.required, request) {
        (true, true) => "required",
        (false, true) => "optional",
        (true, false) => "present",
        (false, false) => "may be absent",
    };
    format!("    {:<16} {presence:<14} {}\n", member.name, shape_line(member.shape))
}

fn shape_line(shape: &Shape) -> String {
    let bounds = match &shape.kind {
        Kind::Text(text) => text_line(text),
        Kind::Long { min } => format!(", at least {min}"),
        Kind::Blob { max } => format!(", at most {max} bytes, as base64"),
        Kind::List { min, max, item } => {
            let max = max.map_or_else(|| String::from("any number"), |max| max.to_string());
            format!(" of {min} to {max} items: {}", shape_line(item))
        }
        Kind::Structure(members) => {
            let names: Vec<&str> = members.iter().map(|member| member.name).collect();
            format!(" of {}", names.join(", "))
        }
        Kind::Boolean | Kind::Timestamp => String::new(),
    };
    format!("{}: {}{bounds}", shape.name, shape.kind.word())
}

fn text_line(text: &Text) -> String {
    let mut line = match (text.min, text.max) {
        (0, None) => String::new(),
        (min, None) => format!(", at least {min} characters"),
        (min, Some(max)) => format!(", {min} to {max} characters"),
    };
    for pattern in text.patterns {
        let edition = if pattern.edition == "all" { String::new() } else { format!(" ({})", pattern.edition) };
        let _ = write!(line, ", pattern {}{edition}", pattern.text());
    }
    if !text.values.is_empty() {
        let _ = write!(line, ", one of {}", text.values.join(" "));
    }
    line
}

fn as_json(contract: &Contract, operations: &[&OperationSpec]) -> Value {
    let operations: Vec<Value> = operations
        .iter()
        .map(|operation| {
            let errors = operation.errors.iter().filter_map(|name| ErrorType::find(name));
            json!({
                "name": operation.name,
                "role": operation.name.role(),
                "source": operation.page(),
                "request": operation.input.iter().map(member_json).collect::<Vec<_>>(),
                "answer": operation.output.iter().map(member_json).collect::<Vec<_>>(),
                "errors": errors.map(|error| json!({
                    "name": error.name, "fault": error.fault, "status": error.statuses[0], "meaning": error.meaning,
                    "members": error.members.iter().map(member_json).collect::<Vec<_>>(),
                })).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "service": contract.service, "title": contract.title, "apiVersion": contract.api_version,
        "targetPrefix": contract.target_prefix, "signingName": contract.signing_name, "operations": operations,
    })
}

fn member_json(member: &Member) -> Value {
    json!({ "name": member.name, "required": member.required, "shape": shape_json(member.shape) })
}

fn shape_json(shape: &Shape) -> Value {
    let mut value = json!({ "name": shape.name, "type": shape.kind.word() });
    match &shape.kind {
        Kind::Text(text) => {
            value["min"] = json!(text.min);
            value["max"] = json!(text.max);
            value["patterns"] = text
                .patterns
                .iter()
                .map(|pattern| json!({ "pattern": pattern.text(), "edition": pattern.edition }))
                .collect();
            value["values"] = json!(text.values);
        }
        Kind::Long { min } => value["min"] = json!(min),
        Kind::Blob { max } => value["max"] = json!(max),
        Kind::List { min, max, item } => {
            value["min"] = json!(min);
            value["max"] = json!(max);
            value["item"] = shape_json(item);
        }
        Kind::Structure(members) => value["members"] = members.iter().map(member_json).collect(),
        Kind::Boolean | Kind::Timestamp => {}
    }
    value
}
