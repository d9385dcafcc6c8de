//! The target and how to treat it: flags that `run`, `fuzz` and `replay` have in common, merged with the settings file.

mod asked;
mod typed;

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{anyhow, bail};
use clap::Args;
use tokio::runtime::Runtime;

use asked::Asked;
pub(super) use typed::{About, Typed};

use super::credentials::{AuthArguments, Authentication};
use super::settings::SettingsFile;
use super::span::Span;
use super::trust::TrustArguments;
use super::{endpoint, known_file};
use crate::case::{Partition, SuiteVersion};
use crate::contract::{Operation, Service, Tier};
use crate::drive::http::{NoEndpoint, NoTrust, Timeouts};
use crate::drive::named::{DriverName, NoTarget};
use crate::drive::pace::Pace;
use crate::drive::{Driver, Signing, Target, Way};
use crate::events::{EMBEDDED_MOCK, Guide, Recording, Started};
use crate::judge::Grade;
use crate::report::format::ReportSpec;
use crate::report::summary::Measure;
use crate::report::terminal::{Detail, Reader};
use crate::run::Settings;
use crate::wire::{ClientCertificate, Trust};

/// Flags of every command that talks to a server.
#[derive(Args, Debug)]
pub(super) struct TargetArguments {
    /// URL of the server, e.g. http://127.0.0.1:5000 (default: AWS_ENDPOINT_URL_ECR, AWS_ENDPOINT_URL_ECR_PUBLIC or
    /// AWS_ENDPOINT_URL, then ecrspec.toml; else test the embedded mock)
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// Client that sends the requests: http (default), boto3 or aws-cli
    #[arg(long, value_name = "NAME")]
    driver: Option<DriverName>,
    /// Python that has boto3, for --driver boto3 (default: python3 on PATH)
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,
    /// AWS CLI, for --driver aws-cli (default: aws on PATH)
    #[arg(long, value_name = "PATH")]
    aws: Option<PathBuf>,
    /// Service to test: ecr or ecr-public (repeatable; default both)
    #[arg(long, value_name = "SERVICE")]
    pub service: Vec<Service>,
    /// Existing repository to use instead of creating one per case
    #[arg(long, value_name = "NAME")]
    repository: Option<String>,
    /// Operation that the server is meant to lack: no finding, and its cases are skipped (repeatable)
    #[arg(long, value_name = "OPERATION")]
    without: Vec<Operation>,
    /// Number of concurrent cases (default: number of cores; more while the server answers slowly)
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Maximum requests per second (default: no limit)
    #[arg(long, value_name = "N")]
    rate: Option<f64>,
    #[command(flatten)]
    trust: TrustArguments,
    /// Speak HTTP/2, which an https:// endpoint must offer (cases about framing stay with HTTP/1.1)
    #[arg(long)]
    http2: bool,
    #[command(flatten)]
    auth: AuthArguments,
    /// Also compare message texts, where a published response of the real service shows them
    #[arg(long)]
    strict: bool,
    /// Known-deviations file: findings that are accepted for now
    #[arg(long, value_name = "FILE")]
    pub known: Option<PathBuf>,
    /// Version of the suite that gates, e.g. 0.1: newer cases are judged, and do not fail the run (default: all gate)
    #[arg(long, value_name = "VERSION")]
    suite: Option<SuiteVersion>,
    #[arg(long, value_name = "FORMAT=PATH", help = super::reports::help())]
    report: Vec<ReportSpec>,
    /// URL at which the guide is published as a book, so that reports link to its rules (default: no links)
    #[arg(long, value_name = "URL")]
    guide: Option<Guide>,
    /// Keep requests and responses in the event log: those of findings (default), or all exchanges, at most 64 MiB
    #[arg(long, value_name = "findings|exchanges")]
    record: Option<Recording>,
    /// Grades that fail the run: crash, state, rejected, error, form, slow (repeatable; default all but slow)
    #[arg(long, value_name = "GRADE")]
    fail_on: Vec<Grade>,
    /// Treat warnings as failures
    #[arg(long)]
    deny_warnings: bool,
    /// Seconds to wait for the first byte of a response (default 10)
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<f64>,
    /// Time for the whole run, e.g. 5m: what was judged by then is reported, and the run counts as unfinished (default:
    /// no limit)
    #[arg(long, value_name = "TIME")]
    deadline: Option<Span>,
    /// Allow an endpoint of amazonaws.com
    #[arg(long)]
    allow_aws: bool,
    /// Settings file (default: ecrspec.toml, if it exists)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Maximum number of causes to show (default 20)
    #[arg(long, value_name = "N")]
    max_groups: Option<usize>,
    /// Show all cases of each cause, requests and responses, and undocumented behaviour
    #[arg(long, short)]
    verbose: bool,
}

/// How many causes are shown if nobody says.
const GROUPS: usize = 20;

/// Flags and settings file, merged: flags win.
pub(super) struct Merged {
    pub endpoint: Option<String>,
    /// The variable of the environment that has the endpoint, if one does.
    variable: Option<&'static str>,
    driver: DriverName,
    python: Option<PathBuf>,
    aws: Option<PathBuf>,
    auth: Authentication,
    rate: Option<f64>,
    timeouts: Timeouts,
    pub deadline: Option<Span>,
    trust: Trust,
    certificate: Option<ClientCertificate>,
    http2: bool,
    pub settings: Settings,
    pub measure: Measure,
    given: Given,
    pub reports: Vec<ReportSpec>,
    pub detail: Detail,
}

/// Which of the settings by which is judged somebody gave.
struct Given {
    known: bool,
    fail_on: bool,
    deny_warnings: bool,
    strict: bool,
    suite: bool,
}

/// Which cases a command wants; nothing is all of them.
#[derive(Debug, Default)]
pub(super) struct Choice {
    pub filter: Vec<String>,
    pub tier: Option<Tier>,
    pub partition: Option<Partition>,
    pub accepts: Accepts,
}

/// Which findings do not count.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Accepts {
    /// Those in the file of known deviations.
    #[default]
    Known,
    /// None: the file need not be there yet.
    Nothing,
}

impl Merged {
    /// Merges the flags with the settings file, which is given as well: what else stands there is for the command.
    pub fn of(arguments: &TargetArguments, choose: impl FnOnce(&SettingsFile) -> Choice) -> anyhow::Result<Merged> {
        let file = SettingsFile::read(arguments.config.as_deref())?;
        let Choice { filter, tier, partition, accepts } = choose(&file);
        let (trust, auth) = (file.trust(), file.auth());
        let services = some(&arguments.service).or(file.service);
        let found = endpoint::find(arguments.endpoint.as_deref(), file.endpoint.as_deref(), services.as_deref())?;
        let endpoint = found.url.as_deref();
        let deny_warnings = arguments.deny_warnings.then_some(true).or(file.deny_warnings);
        let asked = Asked {
            services: services.or(found.services),
            variable: found.variable,
            driver: arguments.driver.or(file.driver).unwrap_or_default(),
            python: arguments.python.clone().or(file.python),
            aws: arguments.aws.clone().or(file.aws),
            auth: arguments.auth.or(&auth)?,
            certificate: arguments.trust.certificate_or(&trust, endpoint)?,
            trust: arguments.trust.or(&trust, endpoint)?,
            endpoint: found.url,
            http2: arguments.http2 || file.http2 == Some(true),
            repository: arguments.repository.clone().or(file.repository),
            without: some(&arguments.without).or(file.without).unwrap_or_default(),
            filter,
            tier,
            partition,
            jobs: arguments.jobs.or(file.jobs),
            strict: arguments.strict || file.strict == Some(true),
            fail_on: some(&arguments.fail_on).or(file.fail_on),
            deny_warnings: deny_warnings == Some(true),
            known: arguments.known.clone().or(file.known).filter(|_| accepts == Accepts::Known),
            suite: arguments.suite.or(file.suite),
            guide: arguments.guide.clone().or(file.guide),
            recording: arguments.record.or(file.record).unwrap_or_default(),
            timeout: arguments.timeout.or(file.timeout),
            deadline: arguments.deadline.or(file.deadline),
            rate: arguments.rate.or(file.rate),
        };
        asked.check(arguments.allow_aws || file.allow_aws == Some(true))?;
        let given = Given {
            known: asked.known.is_some(),
            fail_on: asked.fail_on.is_some(),
            deny_warnings: deny_warnings.is_some(),
            strict: arguments.strict || file.strict.is_some(),
            suite: asked.suite.is_some(),
        };
        let reports = some(&arguments.report).or(file.report).unwrap_or_default();
        let groups = arguments.max_groups.unwrap_or(GROUPS);
        let detail = Detail { groups, verbose: arguments.verbose, reader: Reader::CommandLine };
        Merged::with(asked, given, reports, detail)
    }

    fn with(asked: Asked, given: Given, reports: Vec<ReportSpec>, detail: Detail) -> anyhow::Result<Merged> {
        let (timeouts, rate) = (timeouts(asked.timeout)?, rate(asked.rate)?);
        let known = asked.known.as_deref().map(known_file::read).transpose()?.unwrap_or_default();
        let today = jiff::Zoned::now().date();
        let measure = Measure { known: known.clone(), today, deny_warnings: asked.deny_warnings, all_parts: false };
        Ok(Merged {
            settings: asked.settings(known),
            measure,
            endpoint: asked.endpoint,
            variable: asked.variable,
            driver: asked.driver,
            python: asked.python,
            aws: asked.aws,
            auth: asked.auth,
            rate,
            timeouts,
            deadline: asked.deadline,
            trust: asked.trust,
            certificate: asked.certificate,
            http2: asked.http2,
            given,
            reports,
            detail,
        })
    }

    /// The driver.
    pub fn driver(&self) -> DriverName {
        self.driver
    }

    /// The endpoint, and who names it.
    pub fn named_endpoint(&self) -> String {
        let endpoint = self.endpoint.as_deref().unwrap_or(EMBEDDED_MOCK);
        self.variable.map_or_else(|| String::from(endpoint), |name| format!("{endpoint} (of {name})"))
    }

    /// Judges as a run was judged, but for what somebody says otherwise.
    pub fn judge_as(&mut self, started: &Started) {
        let Merged { settings, measure, given, .. } = self;
        settings.tier = started.tier;
        if !given.known && !started.known.is_empty() {
            settings.known.clone_from(&started.known);
            measure.known.clone_from(&started.known);
            settings.options.push(String::from("known deviations of the log"));
        }
        if !given.fail_on {
            settings.fail_on.clone_from(&started.fail_on);
        }
        if !given.deny_warnings {
            (settings.deny_warnings, measure.deny_warnings) = (started.deny_warnings, started.deny_warnings);
        }
        if !given.suite {
            settings.suite = started.suite;
        }
        if !given.strict && started.strict {
            settings.strict = true;
            settings.flags.push(String::from("--strict"));
        }
    }

    /// Whether the target is the real service, whose guest a run is.
    pub fn is_guest(&self) -> bool {
        self.endpoint.as_deref().and_then(aws_host).is_some()
    }

    /// The region of the real service, if that is the target, by the name of its host.
    pub fn aws_region(&self) -> Option<String> {
        self.endpoint.as_deref().and_then(aws_host).as_deref().and_then(region_of).map(String::from)
    }

    /// Whether a certificate is shown to a target that asks for one.
    pub fn shows_certificate(&self) -> bool {
        self.certificate.is_some()
    }

    /// Whether requests have signatures that somebody could check.
    pub fn is_signed(&self) -> bool {
        self.auth.is_sigv4()
    }

    /// What signs the requests.
    pub fn signing(&self, runtime: &Runtime) -> anyhow::Result<Signing> {
        self.auth.signing(runtime)
    }

    /// The target at this address.
    pub async fn target(&self, endpoint: &str, signing: Signing) -> anyhow::Result<Target> {
        let named = |error| match error {
            NoTarget::Endpoint(NoEndpoint::Trust(NoTrust::Certificate(error))) => anyhow!("--client-cert: {error}"),
            NoTarget::Endpoint(NoEndpoint::Trust(error)) => anyhow!("--ca-bundle: {error}"),
            NoTarget::Endpoint(error @ (NoEndpoint::NoTls(_) | NoEndpoint::NoHttp2(_) | NoEndpoint::Client(_))) => {
                anyhow!("--http2: {error}")
            }
            NoTarget::Endpoint(error) => anyhow!("--endpoint: {error}"),
            error => anyhow!("--driver {}: {error}", self.driver.name()),
        };
        let way = Way {
            endpoint: String::from(endpoint),
            timeouts: self.timeouts,
            trust: self.trust.clone(),
            certificate: self.certificate.clone(),
            identity: self.auth.identity(),
            jobs: self.settings.jobs,
            python: self.python.clone(),
            aws: self.aws.clone(),
        };
        let mut driver = self.driver.driver(&way).map_err(named)?;
        if self.http2 {
            driver = match driver {
                Driver::Http(http) => Driver::Http(http.over_http2().await.map_err(|error| named(error.into()))?),
                _ => bail!("--http2: expected --driver http, found {}: it chooses by itself", self.driver.name()),
            };
        }
        let pace = self.rate.map(Pace::per_second);
        let pace = if aws_host(endpoint).is_some() { Some(pace.unwrap_or_default().as_guest()) } else { pace };
        let pace = pace.map(Arc::new);
        Ok(Target { signing, pace, ..Target::new(driver) })
    }
}

pub(super) fn some<T: Clone>(values: &[T]) -> Option<Vec<T>> {
    (!values.is_empty()).then(|| values.to_vec())
}

/// Different from run to run, so that runs against one server do not meet.
fn rate(requests: Option<f64>) -> anyhow::Result<Option<f64>> {
    match requests {
        Some(rate) if !(0.001..=1e6).contains(&rate) => {
            bail!("--rate: expected a number of requests a second from 0.001 to 1000000, found {rate}")
        }
        other => Ok(other),
    }
}

/// What is waited for an answer: an hour is longer than anybody has.
const SECONDS: RangeInclusive<f64> = 0.001..=3600.0;

fn timeouts(seconds: Option<f64>) -> anyhow::Result<Timeouts> {
    let Some(seconds) = seconds else { return Ok(Timeouts::default()) };
    if !SECONDS.contains(&seconds) {
        bail!("--timeout: expected a number of seconds from 0.001 to 3600, found {seconds}");
    }
    let first_byte = Duration::from_secs_f64(seconds);
    Ok(Timeouts::of(first_byte))
}

fn reject_aws(endpoint: &str) -> anyhow::Result<()> {
    match aws_host(endpoint) {
        Some(host) => {
            bail!("refusing to run against AWS ({host}): this creates billable resources; pass --allow-aws")
        }
        None => Ok(()),
    }
}

/// The host of an endpoint, if it is one of AWS.
fn aws_host(endpoint: &str) -> Option<String> {
    let url: Option<url::Url> = endpoint.parse().ok();
    let host = url.as_ref().and_then(url::Url::host_str).unwrap_or_default().trim_end_matches('.').to_lowercase();
    let is_aws = ["amazonaws.com", "amazonaws.com.cn", "api.aws"]
        .iter()
        .any(|domain| host == *domain || host.ends_with(&format!(".{domain}")));
    (is_aws && host.parse::<IpAddr>().is_err()).then_some(host)
}

/// The region in the name of a host of AWS: `us-east-1`, `us-gov-west-1`.
fn region_of(host: &str) -> Option<&str> {
    let is_region = |label: &&str| {
        let words: Vec<&str> = label.split('-').collect();
        let is_number = |word: &&&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
        words.len() >= 3 && words.last().filter(is_number).is_some()
    };
    host.split('.').find(is_region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_of_aws_tells_its_region() {
        for (endpoint, region) in [
            ("https://api.ecr.eu-central-1.amazonaws.com", Some("eu-central-1")),
            ("https://ecr-fips.us-gov-west-1.amazonaws.com/", Some("us-gov-west-1")),
            ("https://ecr.ap-southeast-3.api.aws", Some("ap-southeast-3")),
            ("https://api.ecr.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
            ("https://amazonaws.com", None),
            ("https://api.ecr.eu-central-1.example.com", None),
        ] {
            assert_eq!(aws_host(endpoint).as_deref().and_then(region_of), region, "{endpoint}");
        }
    }
}
