//! `ecrspec explain`: all that is known of a rule or a case.

use anyhow::anyhow;
use clap::Args;

use super::{Failure, Outcome, print};
use crate::case::Case;
use crate::contract::{Rules, Service};
use crate::report::terminal;
use crate::suite::suite;

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// Id of a rule or a case, as reports and `list` print it
    id: String,
    /// Service: ecr or ecr-public (repeatable; default both)
    #[arg(long, value_name = "SERVICE", value_parser = super::service)]
    service: Vec<Service>,
}

pub(super) fn main(arguments: &Arguments) -> Outcome {
    let services = if arguments.service.is_empty() { Service::ALL.to_vec() } else { arguments.service.clone() };
    let mut pages = Vec::new();
    let mut near = Vec::new();
    for service in services {
        let cases = suite(service).map_err(Failure::harness)?;
        if let Some(rule) = Rules::of(service).get(&arguments.id) {
            let about: Vec<&Case> = cases
                .iter()
                .filter(|case| {
                    case.steps
                        .iter()
                        .any(|step| step.expect.rule == rule.id && step.role == crate::case::StepRole::Focus)
                })
                .collect();
            pages.push(terminal::rule_page(service, rule, &about));
        }
        pages.extend(cases.iter().filter(|case| case.id == arguments.id).map(terminal::case_page));
        near.extend(Rules::of(service).iter().map(|rule| rule.id.clone()).filter(|id| id.contains(&arguments.id)));
    }
    if pages.is_empty() {
        near.sort_unstable();
        near.dedup();
        near.truncate(8);
        let hint = if near.is_empty() {
            String::from("`ecrspec list` shows them all")
        } else {
            format!("near it are {}", near.join(", "))
        };
        return Err(Failure::usage(anyhow!("expected the id of a rule or a case, found {:?}; {hint}", arguments.id)));
    }
    print(&pages.join("\n"));
    Ok(0)
}
