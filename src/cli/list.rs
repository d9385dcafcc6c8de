//! `ecrspec list`: the cases, or the rules.

use clap::Args;

use super::{Code, Failure, print};
use crate::contract::{Rules, Service};
use crate::report::summary::Reason;
use crate::report::{page, reference};
use crate::run::is_named;
use crate::suite::suite;

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// Service: ecr or ecr-public (repeatable; default both)
    #[arg(long, value_name = "SERVICE", value_parser = super::service)]
    service: Vec<Service>,
    /// Only ids that have this in them, or are what follows a = (repeatable)
    #[arg(long, value_name = "ID")]
    filter: Vec<String>,
    /// Rules instead of cases
    #[arg(long)]
    rules: bool,
    /// The rules as a page of the documentation
    #[arg(long, requires = "rules")]
    markdown: bool,
}

pub(super) fn main(arguments: &Arguments) -> Code {
    let services = if arguments.service.is_empty() { Service::ALL.to_vec() } else { arguments.service.clone() };
    let mut listed = 0;
    for service in services {
        if arguments.markdown {
            let cases = suite(service).map_err(Failure::harness)?;
            print(&reference::page(service, &cases));
            listed += 1;
            continue;
        }
        let lines: Vec<String> = if arguments.rules {
            let rules = Rules::of(service).iter().filter(|rule| is_named(&arguments.filter, &rule.id));
            rules.map(|rule| format!("{service:<10} {:<11} {}: {}", rule.tier, rule.id, rule.statement)).collect()
        } else {
            let cases = suite(service).map_err(Failure::harness)?;
            cases.iter().filter(|case| is_named(&arguments.filter, &case.id)).map(page::case_line).collect()
        };
        listed += lines.len();
        lines.iter().for_each(|line| print(&format!("{line}\n")));
    }
    // An empty list is no success: the filter names nothing.
    Ok(if listed == 0 { Reason::NothingRun.code() } else { 0 })
}
