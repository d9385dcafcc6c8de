//! Which certificates are accepted: two flags, or two settings.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use url::Url;

use crate::wire::Trust;

/// Flags that say which certificates are accepted.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct TrustArguments {
    /// PEM file of the CAs to trust for an https:// endpoint, instead of those of the system
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    pub ca_bundle: Option<PathBuf>,
    /// Accept any certificate of an https:// endpoint, unchecked
    #[arg(long)]
    pub insecure: bool,
}

impl TrustArguments {
    /// What they ask for, or else what the settings file does. For other endpoints than those of `https://` there is nobody
    /// to trust.
    pub fn or(&self, settings: &TrustArguments, endpoint: Option<&str>) -> anyhow::Result<Trust> {
        if settings.insecure && settings.ca_bundle.is_some() {
            bail!("the settings file has both ca-bundle and insecure: nothing would be checked with the bundle");
        }
        let url: Option<Url> = endpoint.and_then(|endpoint| endpoint.parse().ok());
        let is_tls = url.is_some_and(|url| url.scheme() == "https");
        match self.trust() {
            Some(trust) if !is_tls => {
                let flag = trust.flags().swap_remove(0);
                bail!("{flag}: expected an https:// --endpoint, found {}", endpoint.unwrap_or("none"))
            }
            flag => Ok(flag.or(settings.trust().filter(|_| is_tls)).unwrap_or_default()),
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
