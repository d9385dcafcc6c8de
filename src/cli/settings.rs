//! `ecrspec.toml`: the flags of `run`, so that they need not be typed. Flags win.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;

use super::amount::Amount;
use super::credentials::AuthArguments;
use super::read;
use super::span::Span;
use super::trust::TrustArguments;
use crate::case::{Partition, SuiteVersion};
use crate::contract::{Operation, Service, Tier};
use crate::drive::named::DriverName;
use crate::events::{Guide, Recording};
use crate::judge::Grade;
use crate::report::format::ReportSpec;
use crate::wire::auth::Auth;

/// The settings file. Every key is the flag of the same name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct SettingsFile {
    pub endpoint: Option<String>,
    pub driver: Option<DriverName>,
    pub python: Option<PathBuf>,
    pub aws: Option<PathBuf>,
    pub service: Option<Vec<Service>>,
    pub repository: Option<String>,
    pub without: Option<Vec<Operation>>,
    pub filter: Option<Vec<String>>,
    pub tier: Option<Tier>,
    pub partition: Option<Partition>,
    pub cases: Option<Amount>,
    pub seed: Option<u64>,
    pub scenarios: Option<Vec<PathBuf>>,
    pub jobs: Option<usize>,
    pub rate: Option<f64>,
    pub ca_bundle: Option<PathBuf>,
    pub insecure: Option<bool>,
    pub client_cert: Option<PathBuf>,
    pub client_key: Option<PathBuf>,
    pub http2: Option<bool>,
    pub auth: Option<Auth>,
    pub region: Option<String>,
    pub profile_name: Option<String>,
    pub strict: Option<bool>,
    pub known: Option<PathBuf>,
    pub suite: Option<SuiteVersion>,
    pub guide: Option<Guide>,
    pub report: Option<Vec<ReportSpec>>,
    pub record: Option<Recording>,
    pub fail_on: Option<Vec<Grade>>,
    pub deny_warnings: Option<bool>,
    pub timeout: Option<f64>,
    pub deadline: Option<Span>,
    pub allow_aws: Option<bool>,
}

/// The file that is read if it is there and no other is named.
const NAME: &str = "ecrspec.toml";

impl SettingsFile {
    /// Reads the named file, or `ecrspec.toml` in the current folder if it is there.
    pub fn read(named: Option<&Path>) -> anyhow::Result<SettingsFile> {
        let path = match named {
            Some(path) => path,
            None if Path::new(NAME).is_file() => Path::new(NAME),
            None => return Ok(SettingsFile::default()),
        };
        let text = read::text(path).with_context(|| format!("could not read {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("invalid settings file {}", path.display()))
    }

    /// The settings of what signs the requests, as flags.
    pub fn auth(&self) -> AuthArguments {
        AuthArguments { auth: self.auth, region: self.region.clone(), profile_name: self.profile_name.clone() }
    }

    /// The settings of which certificates are accepted, and which one is shown, as flags.
    pub fn trust(&self) -> TrustArguments {
        TrustArguments {
            ca_bundle: self.ca_bundle.clone(),
            insecure: self.insecure == Some(true),
            client_cert: self.client_cert.clone(),
            client_key: self.client_key.clone(),
        }
    }
}
