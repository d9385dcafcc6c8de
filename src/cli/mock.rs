//! `ecrspec mock`: serves the reference registry.

use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use clap::Args;
use tokio::net::TcpListener;

use super::{Code, Failure, print};
use crate::contract::Service;
use crate::mock::fault::FAULTS;
use crate::mock::{Fault, Mock, serve};

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// Service: ecr or ecr-public (repeatable; default both)
    #[arg(long, value_name = "SERVICE", value_parser = super::service)]
    service: Vec<Service>,
    /// Port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 5000)]
    port: u16,
    /// Deviate in this one thing; `--fault list` shows what there is
    #[arg(long, value_name = "NAME")]
    fault: Option<String>,
}

pub(super) fn main(arguments: &Arguments) -> Code {
    let fault = match arguments.fault.as_deref() {
        Some("list") => {
            FAULTS.iter().for_each(|fault| print(&format!("{:<22} {} ({})\n", fault.name, fault.sentence, fault.rule)));
            return Ok(0);
        }
        Some(name) => Some(Fault::find(name).ok_or_else(|| {
            Failure::usage(anyhow!(
                "--fault: expected the name of a fault (`ecrspec mock --fault list`), found {name:?}"
            ))
        })?),
        None => None,
    };
    let services = if arguments.service.is_empty() { Service::ALL.to_vec() } else { arguments.service.clone() };
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::harness(error.to_string()))?;
    runtime
        .block_on(async {
            let bound = TcpListener::bind(("127.0.0.1", arguments.port)).await;
            let listener = bound.with_context(|| format!("could not listen on port {}", arguments.port))?;
            let deviation = fault.map_or_else(String::new, |fault| format!(", which deviates: {}", fault.sentence));
            print(&format!("ecrspec mock on http://{}{deviation}\n", listener.local_addr()?));
            tokio::select! {
                served = serve(listener, Arc::new(Mock::new(&services, fault))) => served.context("the mock ended"),
                _ = tokio::signal::ctrl_c() => Ok(()),
            }
        })
        .map_err(Failure::usage)?;
    Ok(0)
}
