//! `ecrspec mock`: serves the reference registry.

use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use clap::Args;
use tokio::net::TcpListener;

use super::{Code, Failure, print};
use crate::contract::Service;
use crate::mock::fault::FAMILIES;
use crate::mock::{Change, Fault, Mock, Variant, serve};

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// Service: ecr or ecr-public (repeatable; default both)
    #[arg(long, value_name = "SERVICE")]
    service: Vec<Service>,
    /// Port on 127.0.0.1; 0 picks a free one
    #[arg(long, default_value_t = 5000)]
    port: u16,
    /// Serve with this planted fault; `--fault list` lists them
    #[arg(long, value_name = "NAME")]
    fault: Option<String>,
    /// Behave differently where the documents allow it (repeatable); `--variant list` lists the variants
    #[arg(long, value_name = "NAME")]
    variant: Vec<String>,
}

pub(super) fn main(arguments: &Arguments) -> Code {
    if arguments.fault.as_deref() == Some("list") {
        for (family, faults) in FAMILIES {
            print(&format!("{family}\n"));
            faults
                .iter()
                .for_each(|fault| print(&format!("  {:<32} {} ({})\n", fault.name, fault.sentence, fault.rule)));
        }
        return Ok(0);
    }
    if arguments.variant.iter().any(|name| name == "list") {
        Variant::all().for_each(|variant| print(&format!("{:<34} {}\n", variant.name, variant.sentence)));
        return Ok(0);
    }
    let mut changes: Vec<&'static Change> = Vec::new();
    let mut deviations = Vec::new();
    if let Some(name) = &arguments.fault {
        let fault = Fault::find(name).ok_or_else(|| unknown("--fault", "a fault", name))?;
        changes.extend(fault.changes);
        deviations.push(fault.sentence);
    }
    for name in &arguments.variant {
        let variant = Variant::find(name).ok_or_else(|| unknown("--variant", "a variant", name))?;
        changes.extend(variant.changes);
        deviations.push(variant.sentence);
    }
    let services = if arguments.service.is_empty() { Service::ALL.to_vec() } else { arguments.service.clone() };
    let runtime = tokio::runtime::Runtime::new().map_err(Failure::harness)?;
    runtime
        .block_on(async {
            let bound = TcpListener::bind(("127.0.0.1", arguments.port)).await;
            let listener = bound.with_context(|| format!("could not listen on port {}", arguments.port))?;
            let deviation = match deviations.as_slice() {
                [] => String::new(),
                sentences => format!(", which deviates: {}", sentences.join("; ")),
            };
            print(&format!("ecrspec mock on http://{}{deviation}\n", listener.local_addr()?));
            tokio::select! {
                served = serve(listener, Arc::new(Mock::with(&services, changes))) => served.context("the mock ended"),
                _ = tokio::signal::ctrl_c() => Ok(()),
            }
        })
        .map_err(Failure::usage)?;
    Ok(0)
}

fn unknown(flag: &str, what: &str, name: &str) -> Failure {
    Failure::usage(anyhow!("{flag}: expected the name of {what} (`ecrspec mock {flag} list`), found {name:?}"))
}
