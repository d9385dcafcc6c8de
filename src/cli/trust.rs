//! Which certificates are accepted, and which one is shown: flags, or settings.

use std::path::PathBuf;

use anyhow::{anyhow, bail};
use clap::Args;
use url::Url;

use crate::wire::{ClientCertificate, Trust};

/// Flags that say which certificates are accepted, and which one is shown.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct TrustArguments {
    /// PEM file of the CAs to trust for an https:// endpoint, instead of those of the system
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    pub ca_bundle: Option<PathBuf>,
    /// Accept any certificate of an https:// endpoint, unchecked
    #[arg(long)]
    pub insecure: bool,
    /// PEM file of the certificate to show to an https:// endpoint that asks for one
    #[arg(long, value_name = "FILE", requires = "client_key")]
    pub client_cert: Option<PathBuf>,
    /// PEM file of its private key
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    pub client_key: Option<PathBuf>,
}

impl TrustArguments {
    /// What they ask for, or else what the settings file does. For other endpoints than those of `https://` there is nobody
    /// to trust.
    pub fn or(&self, settings: &TrustArguments, endpoint: Option<&str>) -> anyhow::Result<Trust> {
        if settings.insecure && settings.ca_bundle.is_some() {
            bail!("the settings file has both ca-bundle and insecure: nothing would be checked with the bundle");
        }
        let is_tls = is_tls(endpoint);
        match self.trust() {
            Some(trust) if !is_tls => Err(no_tls(&trust.flags()[0], endpoint)),
            flag => Ok(flag.or(settings.trust().filter(|_| is_tls)).unwrap_or_default()),
        }
    }

    /// The certificate that they name, or else the settings file.
    pub fn certificate_or(
        &self,
        settings: &TrustArguments,
        endpoint: Option<&str>,
    ) -> anyhow::Result<Option<ClientCertificate>> {
        let is_tls = is_tls(endpoint);
        if self.client_cert.is_some() && !is_tls {
            return Err(no_tls(ClientCertificate::FLAG, endpoint));
        }
        let named = if self.client_cert.is_some() { self } else { settings };
        match (&named.client_cert, &named.client_key) {
            (Some(certificate), Some(key)) => {
                let own = ClientCertificate { certificate: certificate.clone(), key: key.clone() };
                Ok(Some(own).filter(|_| is_tls))
            }
            (None, None) => Ok(None),
            _ => bail!("the settings file has one of client-cert and client-key: expected both"),
        }
    }

    fn trust(&self) -> Option<Trust> {
        match &self.ca_bundle {
            _ if self.insecure => Some(Trust::Anyone),
            Some(path) => Some(Trust::Bundle(path.clone())),
            None => None,
        }
    }
}

fn is_tls(endpoint: Option<&str>) -> bool {
    let url: Option<Url> = endpoint.and_then(|endpoint| endpoint.parse().ok());
    url.is_some_and(|url| url.scheme() == "https")
}

/// That a flag is for another endpoint.
fn no_tls(flag: &str, endpoint: Option<&str>) -> anyhow::Error {
    anyhow!("{flag}: expected an https:// --endpoint, found {}", endpoint.unwrap_or("none"))
}
