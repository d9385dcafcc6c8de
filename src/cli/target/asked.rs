//! What the flags and the settings file ask for, what of it goes together, and what it comes to.

use std::path::PathBuf;

use anyhow::bail;

use super::{aws_host, reject_aws};
use crate::case::{Partition, SuiteVersion};
use crate::cli::credentials::Authentication;
use crate::cli::span::Span;
use crate::contract::{Kind, Operation, Role, Service, Tier};
use crate::drive::named::DriverName;
use crate::events::{EMBEDDED_MOCK, Guide, Recording};
use crate::judge::Grade;
use crate::judge::known::Known;
use crate::run::{Settings, asks_for_signatures};
use crate::wire::{ClientCertificate, Trust};

/// What the flags say, or else the settings file.
pub(super) struct Asked {
    pub services: Option<Vec<Service>>,
    pub endpoint: Option<String>,
    pub variable: Option<&'static str>,
    pub driver: DriverName,
    pub python: Option<PathBuf>,
    pub aws: Option<PathBuf>,
    pub auth: Authentication,
    pub trust: Trust,
    pub certificate: Option<ClientCertificate>,
    pub http2: bool,
    pub repository: Option<String>,
    pub without: Vec<Operation>,
    pub filter: Vec<String>,
    pub tier: Option<Tier>,
    pub partition: Option<Partition>,
    pub jobs: Option<usize>,
    pub strict: bool,
    pub fail_on: Option<Vec<Grade>>,
    pub deny_warnings: bool,
    pub known: Option<PathBuf>,
    pub suite: Option<SuiteVersion>,
    pub guide: Option<Guide>,
    pub recording: Recording,
    pub timeout: Option<f64>,
    pub deadline: Option<Span>,
    pub rate: Option<f64>,
}

impl Asked {
    /// Whether that goes together.
    pub fn check(&self, allows_aws: bool) -> anyhow::Result<()> {
        if let Some(needed) = self.without.iter().find(|operation| operation.role() == Role::SetUp) {
            bail!("--without: {needed} makes what the cases work in; with --repository, they work in an existing one");
        }
        if asks_for_signatures(&self.filter) && !self.auth.is_sigv4() {
            bail!("--filter: the cases about signatures take --auth sigv4");
        }
        if let Some(name) = &self.repository {
            check_repository(name, self.services.as_deref().unwrap_or(&Service::ALL))?;
        }
        if self.certificate.is_some() && !self.driver.is_usual() {
            bail!("--client-cert: expected --driver http, found {}", self.driver.name());
        }
        if let Some(jobs) = self.jobs.filter(|jobs| !(1..=MAX_JOBS).contains(jobs)) {
            bail!("--jobs: expected a number from 1 to {MAX_JOBS}, found {jobs}");
        }
        match &self.endpoint {
            Some(endpoint) if !allows_aws => reject_aws(endpoint),
            _ => Ok(()),
        }
    }

    /// What is not as usual, for the header of a report.
    fn options(&self) -> Vec<String> {
        let joined = |values: &[Grade]| values.iter().map(Grade::to_string).collect::<Vec<_>>().join(" ");
        let asks_of_target = [
            self.variable.map(|name| format!("endpoint of {name}")),
            match &self.trust {
                Trust::System => None,
                Trust::Bundle(path) => Some(format!("CA bundle {}", path.display())),
                Trust::Anyone => Some(String::from("insecure: certificates are not checked")),
            },
            self.certificate.as_ref().map(|own| format!("client certificate {}", own.certificate.display())),
            self.http2.then(|| String::from("HTTP/2")),
            self.auth.option(),
            (self.auth.is_sigv4() && !asks_for_signatures(&self.filter))
                .then(|| String::from("signatures themselves not tested (--filter auth does)")),
        ];
        let judges = [
            self.tier.map(|tier| format!("tier {tier}")),
            (!self.filter.is_empty()).then(|| format!("filter {}", self.filter.join(" "))),
            self.partition.map(|partition| format!("partition {partition}")),
            self.strict.then(|| String::from("strict")),
            (!self.without.is_empty()).then(|| format!("without {}", names(&self.without).join(" "))),
            self.suite.map(|version| format!("suite {version}")),
            self.fail_on.as_deref().map(|grades| format!("fail on {}", joined(grades))),
            (self.recording != Recording::Findings).then(|| format!("record {}", self.recording)),
            self.known.as_ref().map(|path| format!("known deviations in {}", path.display())),
        ];
        let takes_time = [
            self.timeout.map(|seconds| format!("timeout {seconds} s")),
            self.deadline.map(|span| format!("deadline {span}")),
            self.rate.map(|rate| format!("at most {rate} requests/s")),
            self.endpoint.as_deref().and_then(aws_host).map(|_| String::from("at most half of the quotas of AWS")),
        ];
        asks_of_target.into_iter().chain(judges).chain(takes_time).flatten().collect()
    }

    /// The flags with which a case of the run is tried again in the same way.
    fn flags(&self) -> Vec<String> {
        let flag = |name: &str, value: Option<&str>| value.map(|value| vec![format!("--{name}"), String::from(value)]);
        let path = |name: &str, path: &Option<PathBuf>, driver: &str| {
            let path = path.as_ref().filter(|_| self.driver.name() == driver)?;
            flag(name, Some(&path.display().to_string()))
        };
        let switch = |name: &str, on: bool| on.then(|| vec![format!("--{name}")]);
        let flags = [
            flag("endpoint", self.endpoint.as_deref()),
            flag("driver", Some(self.driver.name()).filter(|_| !self.driver.is_usual())),
            path("python", &self.python, "boto3"),
            path("aws", &self.aws, "aws-cli"),
            Some(self.trust.flags()),
            self.certificate.as_ref().map(ClientCertificate::flags),
            switch("http2", self.http2),
            flag("repository", self.repository.as_deref()),
            Some(self.auth.flags()),
            switch("strict", self.strict),
        ];
        flags.into_iter().flatten().flatten().collect()
    }

    /// The settings of a run, with these known deviations.
    pub fn settings(&self, known: Vec<Known>) -> Settings {
        let usual = Settings::everything(self.endpoint.as_deref().unwrap_or(EMBEDDED_MOCK), &prefix());
        Settings {
            trust: self.trust.clone(),
            flags: self.flags(),
            services: self.services.clone().unwrap_or_else(|| usual.services.clone()),
            filter: self.filter.clone(),
            tier: self.tier.unwrap_or(usual.tier),
            partition: self.partition,
            jobs: self.jobs.unwrap_or(usual.jobs),
            // Of other clients it is the client that takes its time, and not the target.
            most_jobs: (self.jobs.is_none() && self.driver.is_usual()).then_some(MOST_JOBS),
            repository: self.repository.clone(),
            without: self.without.clone(),
            strict: self.strict,
            fail_on: self.fail_on.clone().unwrap_or_else(|| usual.fail_on.clone()),
            deny_warnings: self.deny_warnings,
            known,
            suite: self.suite,
            guide: self.guide.clone(),
            recording: self.recording,
            options: self.options(),
            ..usual
        }
    }
}

/// Whether a repository can have this name in these services: else every request would be invalid, and no fault of the
/// target.
fn check_repository(name: &str, services: &[Service]) -> anyhow::Result<()> {
    let bounds = services.iter().filter_map(|service| {
        let operation = service.contract().operation(Operation::InitiateLayerUpload)?;
        let member = operation.input.iter().find(|member| member.name == "repositoryName")?;
        if let Kind::Text(text) = &member.shape.kind { Some(text) } else { None }
    });
    for text in bounds {
        let (min, max) = (text.min, text.max.map_or(String::new(), |max| format!(" to {max}")));
        if !text.allows_length(name) {
            bail!("--repository: expected the name of a repository, of {min}{max} characters, found {name:?}");
        }
        // Editions differ: which of them the target keeps to, the run finds out.
        if let Some(pattern) = text.patterns.first().filter(|_| !text.matches_any(name)) {
            bail!("--repository: expected the name of a repository, as {} says, found {name:?}", pattern.text());
        }
    }
    Ok(())
}

/// How many cases may be under way at once: each has connections of its own.
const MAX_JOBS: usize = 1024;

/// How many cases are under way at once at most where the target answers slowly and nobody asks for a number.
const MOST_JOBS: usize = 64;

fn names(operations: &[Operation]) -> Vec<String> {
    operations.iter().map(Operation::to_string).collect()
}

fn prefix() -> String {
    let nanos = jiff::Timestamp::now().as_nanosecond();
    format!("ecrspec-{:08x}", (nanos ^ i128::from(std::process::id()) << 20) as u32)
}
