//! `ecrspec list`: the cases, the rules, or what the cases cover.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::{Code, Failure, print};
use crate::contract::{Rule, Rules, Service};
use crate::coverage::{self, Coverage};
use crate::report::summary::Reason;
use crate::report::{page, reference};
use crate::run::is_named;
use crate::suite::{headings, suite};

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// Service: ecr or ecr-public (repeatable; default both)
    #[arg(long, value_name = "SERVICE")]
    service: Vec<Service>,
    /// Only ids that contain ID (`=ID`: exact match; repeatable)
    #[arg(long, value_name = "ID")]
    filter: Vec<String>,
    /// List rules instead of cases
    #[arg(long, group = "table")]
    rules: bool,
    /// Show what the cases cover: constraints, errors and states
    #[arg(long, group = "table")]
    coverage: bool,
    /// Print rules or coverage as a Markdown page
    #[arg(long, requires = "table")]
    markdown: bool,
    /// Output format of the coverage
    #[arg(long, value_enum, default_value_t = Format::Text, requires = "coverage", conflicts_with = "markdown")]
    format: Format,
    /// Include the case ids in the coverage
    #[arg(long, short, requires = "coverage")]
    verbose: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Format {
    Text,
    Json,
}

pub(super) fn main(arguments: &Arguments) -> Code {
    let services = if arguments.service.is_empty() { Service::ALL.to_vec() } else { arguments.service.clone() };
    if arguments.coverage {
        return covered(arguments, &services);
    }
    if arguments.markdown {
        for service in services {
            let cases = suite(service).map_err(Failure::harness)?;
            print(&reference::page(service, &cases));
        }
        return Ok(0);
    }
    let is_wanted = |id: &str| is_named(&arguments.filter, id);
    let lines: Vec<String> = if arguments.rules {
        let line = |service: Service, rule: &Rule| {
            format!("{service:<10} {:<11} {}: {}\n", rule.tier, rule.id, rule.statement)
        };
        let rules = services.iter().flat_map(|service| Rules::of(*service).iter().map(move |rule| (*service, rule)));
        rules.filter(|(_, rule)| is_wanted(&rule.id.to_string())).map(|(service, rule)| line(service, rule)).collect()
    } else {
        let cases = headings(&services).map_err(Failure::harness)?;
        cases.iter().filter(|case| is_wanted(&case.id)).map(|case| format!("{}\n", page::case_line(case))).collect()
    };
    print(&lines.concat());
    Ok(ended(lines.len(), arguments))
}

/// The exit code. An empty list is no success: the filter names nothing, and that is said.
fn ended(listed: usize, arguments: &Arguments) -> u8 {
    if listed > 0 {
        return 0;
    }
    let what = if arguments.rules { "rule" } else { "case" };
    let wanted = arguments.filter.join(" or ");
    anstream::eprintln!("ecrspec: nothing is listed: no {what} has an id with {wanted} (upper and lower case differ)");
    Reason::NothingRun.code()
}

fn covered(arguments: &Arguments, services: &[Service]) -> Code {
    let mut all: Vec<Value> = Vec::new();
    let mut listed = 0;
    for service in services {
        let cases = suite(*service).map_err(Failure::harness)?;
        let coverage = Coverage::of(*service, &cases).map_err(Failure::harness)?;
        let coverage = coverage.only(|id| is_named(&arguments.filter, id));
        listed += coverage.constraints.len() + coverage.rules.len() + coverage.errors.len() + coverage.states.len();
        match (arguments.format, arguments.markdown) {
            (Format::Json, _) => {
                let mut value = json!(coverage);
                value["totals"] = json!(coverage.totals());
                all.push(value);
            }
            (_, true) => print(&coverage::page::markdown(&coverage)),
            (_, false) => print(&coverage::page::text(&coverage, arguments.verbose)),
        }
    }
    if arguments.format == Format::Json {
        print(&format!("{:#}\n", json!({ "schema": 1, "services": all })));
    }
    Ok(ended(listed, arguments))
}
