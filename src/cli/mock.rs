//! `ecrspec mock`: serves the reference registry.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use clap::Args;
use tokio::net::TcpListener;

use super::mock_tls::Certificate;
use super::{Code, Failure, print};
use crate::contract::Service;
use crate::mock::fault::FAMILIES;
use crate::mock::{Change, Fault, Keys, Mock, REGION, Variant, serve};
use crate::report::shell;

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// Service: ecr or ecr-public (repeatable; default both)
    #[arg(long, value_name = "SERVICE")]
    service: Vec<Service>,
    /// Port on 127.0.0.1; 0 picks a free one
    #[arg(long, default_value_t = 5000)]
    port: u16,
    /// Serve https:// with a certificate of a new CA, which is written to a file for --ca-bundle
    #[arg(long)]
    tls: bool,
    /// The file of the CA (default: a new one in the directory for temporary files, removed on Ctrl-C)
    #[arg(long, value_name = "FILE", requires = "tls")]
    ca_bundle_out: Option<PathBuf>,
    /// Verify signatures: reject what is not signed with this made-up key (all users of this machine can see it)
    #[arg(long, value_name = "KEY:SECRET[:TOKEN]")]
    require_auth: Option<Keys>,
    /// Region that signatures must be for
    #[arg(long, value_name = "REGION", requires = "require_auth", default_value = REGION)]
    region: String,
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
        Variant::find(name).ok_or_else(|| unknown("--variant", "a variant", name))?;
    }
    for variant in Variant::all().filter(|variant| arguments.variant.iter().any(|name| name == variant.name)) {
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
            let address = listener.local_addr()?;
            let mock = Mock::with(&services, changes);
            let mock = Arc::new(match arguments.require_auth.clone() {
                Some(keys) => mock.requiring(keys, &arguments.region),
                None => mock,
            });
            if !arguments.tls {
                print(&format!("ecrspec mock on http://{address}{deviation}\n"));
                return until_interrupted(serve(listener, mock)).await;
            }
            let own = Certificate::new().context("could not make a certificate")?;
            let bundle = Bundle::write(arguments.ca_bundle_out.as_deref(), address.port(), &own.bundle)?;
            let path = bundle.path.to_str().context("the name of the file of the CA is no text")?;
            let flags = shell::command(["--endpoint", &format!("https://{address}"), "--ca-bundle", path])?;
            print(&format!("ecrspec mock on https://{address}{deviation}\nrun it with {flags}\n"));
            until_interrupted(serve(own.listen(listener)?, mock)).await
        })
        .map_err(Failure::usage)?;
    Ok(0)
}

async fn until_interrupted(serving: impl Future<Output = std::io::Result<()>>) -> anyhow::Result<()> {
    tokio::select! {
        served = serving => served.context("the mock ended"),
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

/// The file with the certificate of the authority.
struct Bundle {
    path: PathBuf,
    /// Whether nobody asked for this file by its name.
    is_ours: bool,
}

impl Bundle {
    fn write(asked: Option<&Path>, port: u16, certificate: &str) -> anyhow::Result<Bundle> {
        let path = match asked {
            Some(path) => path.to_path_buf(),
            None => std::env::temp_dir().join(format!("ecrspec-mock-{}-{port}.pem", std::process::id())),
        };
        let is_ours = asked.is_none();
        let mut options = OpenOptions::new();
        match is_ours {
            // Never what somebody else has put there.
            true => options.write(true).create_new(true),
            false => options.write(true).create(true).truncate(true),
        };
        let written = options.open(&path).and_then(|mut file| file.write_all(certificate.as_bytes()));
        written.with_context(|| format!("could not write the certificate to {}", path.display()))?;
        Ok(Bundle { path, is_ours })
    }
}

impl Drop for Bundle {
    fn drop(&mut self) {
        if self.is_ours {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn unknown(flag: &str, what: &str, name: &str) -> Failure {
    Failure::usage(anyhow!("{flag}: expected the name of {what} (`ecrspec mock {flag} list`), found {name:?}"))
}
