//! `ecrspec explain`: all that is known of a rule or a case.

use anyhow::{anyhow, bail};
use clap::Args;

use super::credentials::{AuthArguments, Authentication};
use super::settings::SettingsFile;
use super::trust::TrustArguments;
use super::{Code, Failure, endpoint, print};
use crate::case::{Case, Heading};
use crate::contract::{Rules, Service};
use crate::drive::named::DriverName;
use crate::events::{Guide, Started};
use crate::report::page;
use crate::report::script::{Destination, aws_cli, boto3, requests, rust, script};
use crate::suite::headings;
use crate::wire::auth::dummy;
use crate::wire::{ClientCertificate, Trust};

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// Id of a rule or case (as printed by reports and `list`), or a scenario file
    id: String,
    /// Service: ecr or ecr-public (repeatable; default both)
    #[arg(long, value_name = "SERVICE")]
    service: Vec<Service>,
    /// Print the case as something to run instead: a shell script of curl or AWS CLI calls, a Python script, a Rust test with
    /// the library, or a file of HTTP requests for an editor
    #[arg(long = "as", value_enum, value_name = "FORM")]
    form: Option<Form>,
    /// The same as --as curl
    #[arg(long, conflicts_with = "form")]
    script: bool,
    /// URL at which the guide is published as a book, to link to (default: the one in ecrspec.toml; without one, the page
    /// of the book)
    #[arg(long, value_name = "URL")]
    guide: Option<Guide>,
    /// Endpoint of the script (default: the one in ecrspec.toml, or http://127.0.0.1:5000)
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    #[command(flatten)]
    trust: TrustArguments,
    #[command(flatten)]
    auth: AuthArguments,
    /// Existing repository for the script to use instead of creating one
    #[arg(long, value_name = "NAME")]
    repository: Option<String>,
}

/// Where a script goes that nobody told.
const USUAL_ENDPOINT: &str = "http://127.0.0.1:5000";

/// A case of a run as a script; `None` if there is no such case any more, or none that curl can send.
pub(super) fn script_of(started: &Started, service: Service, case: &str) -> Option<String> {
    let case = super::cases::named(service, case).ok()??;
    Script::of_run(started).text(&case).ok()
}

/// As what a case can be printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
enum Form {
    Curl,
    AwsCli,
    Boto3,
    Rust,
    Http,
}

impl Arguments {
    fn form(&self) -> Option<Form> {
        self.form.or(self.script.then_some(Form::Curl))
    }
}

/// Where a script goes: flags and settings file, merged.
struct Script {
    form: Form,
    endpoint: String,
    trust: Trust,
    certificate: Option<ClientCertificate>,
    auth: Authentication,
    repository: Option<String>,
}

impl Script {
    fn of(arguments: &Arguments, file: SettingsFile) -> anyhow::Result<Option<Script>> {
        let Some(form) = arguments.form() else { return Ok(None) };
        let settings = file.trust();
        let auth = arguments.auth.or(&file.auth())?;
        let services = super::target::some(&arguments.service);
        let found = endpoint::find(arguments.endpoint.as_deref(), file.endpoint.as_deref(), services.as_deref())?;
        let endpoint = found.url.unwrap_or_else(|| String::from(USUAL_ENDPOINT));
        Ok(Some(Script {
            form,
            trust: arguments.trust.or(&settings, Some(&endpoint))?,
            certificate: arguments.trust.certificate_or(&settings, Some(&endpoint))?,
            endpoint,
            auth,
            repository: arguments.repository.clone().or(file.repository),
        }))
    }

    /// That of a run, by the flags that name its target.
    fn of_run(started: &Started) -> Script {
        let flag = |name: &str| started.flag(name).cloned();
        let auth = match flag("--auth").as_deref() {
            Some("dummy") => Authentication::Dummy,
            Some("sigv4") => Authentication::Sigv4 { region: flag("--region").unwrap_or_default(), profile: None },
            _ => Authentication::None,
        };
        Script {
            form: Form::Curl,
            endpoint: flag("--endpoint").unwrap_or_else(|| String::from(USUAL_ENDPOINT)),
            trust: started.trust.clone(),
            certificate: ClientCertificate::of_flags(&started.flags),
            auth,
            repository: flag("--repository"),
        }
    }

    fn text(&self, case: &Case) -> anyhow::Result<String> {
        let headers = match &self.auth {
            Authentication::Dummy => dummy(case.service),
            Authentication::None | Authentication::Sigv4 { .. } => Vec::new(),
        };
        let Script { endpoint, trust, certificate, repository, .. } = self;
        let sigv4 = match &self.auth {
            Authentication::Sigv4 { region, .. } => Some(region.as_str()),
            Authentication::None | Authentication::Dummy => None,
        };
        let certificate = certificate.as_ref();
        let repository = repository.as_deref();
        let to = Destination { endpoint, trust, certificate, headers: &headers, sigv4, repository };
        self.rejected(case)?;
        let text = match self.form {
            Form::Curl => script(case, &to),
            Form::AwsCli => aws_cli(case, &to),
            Form::Boto3 => boto3(case, &to),
            Form::Rust => Ok(rust(case)),
            Form::Http => requests(case, &to),
        };
        text.map_err(|problem| anyhow!("{} cannot be a script: {problem}", case.id))
    }

    /// That the client of the form does not send the case, if so.
    fn rejected(&self, case: &Case) -> anyhow::Result<()> {
        let name = match self.form {
            Form::Boto3 => "boto3",
            Form::AwsCli => "aws-cli",
            Form::Curl | Form::Rust | Form::Http => return Ok(()),
        };
        let driver: DriverName = name.parse()?;
        match driver.cannot_try(case) {
            Some(why) => bail!("{name} does not send {}: {why}; `--as curl` does", case.id),
            None => Ok(()),
        }
    }
}

pub(super) fn main(arguments: &Arguments) -> Code {
    let file = SettingsFile::read(None).map_err(Failure::usage)?;
    let guide = arguments.guide.clone().or(file.guide.clone());
    let script = Script::of(arguments, file).map_err(Failure::usage)?;
    let services = if arguments.service.is_empty() { Service::ALL.to_vec() } else { arguments.service.clone() };
    let rule = |service: Service| Rules::of(service).find(&arguments.id).filter(|_| arguments.form().is_none());
    let cases = match services.iter().any(|service| rule(*service).is_some()) {
        true => headings(&services).map_err(Failure::harness)?,
        false => Vec::new(),
    };
    let mut pages = Vec::new();
    let mut near = Vec::new();
    let mut mistake = None;
    // No case has the id of a rule.
    let sought: Vec<Service> = services.iter().copied().filter(|service| rule(*service).is_none()).collect();
    let mut named = super::cases::named_in(&sought, &arguments.id);
    for service in services.iter().copied() {
        if arguments.form().is_some() && !pages.is_empty() {
            break; // One script, of the first service that has the case.
        }
        if let Some(rule) = rule(service) {
            let is_about = |case: &&Heading| case.service == service && case.rules.contains(&rule.id);
            let about: Vec<&Heading> = cases.iter().filter(is_about).collect();
            pages.push(page::rule_page(service, rule, &about, guide.as_ref()));
            continue;
        }
        // A plan may be one of the other service.
        let case = named.remove(&service).unwrap_or(Ok(None)).unwrap_or_else(|error| {
            mistake.get_or_insert(error);
            None
        });
        for case in case.iter() {
            pages.push(match &script {
                Some(script) => script.text(case).map_err(Failure::usage)?,
                None => page::case_page(case, guide.as_ref()),
            });
        }
        near.extend(Rules::of(service).iter().map(|rule| rule.id.to_string()).filter(|id| id.contains(&arguments.id)));
    }
    if let (true, Some(error)) = (pages.is_empty(), mistake) {
        return Err(Failure::usage(error));
    }
    if pages.is_empty()
        && arguments.form().is_some()
        && Service::ALL.iter().any(|service| Rules::of(*service).find(&arguments.id).is_some())
    {
        return Err(Failure::usage(anyhow!(
            "--as: expected the id of a case, found the rule {:?}; `ecrspec explain` lists its cases",
            arguments.id
        )));
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
