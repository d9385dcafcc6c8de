//! `ecrspec run`: the gate.

use std::cell::RefCell;
use std::fs::File;
use std::io::Write as _;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::settings::SettingsFile;
use super::{Code, Failure, try_print};
use crate::contract::{Service, Tier};
use crate::drive::http::{Http, Patience};
use crate::drive::pace::Pace;
use crate::drive::{Driver, Target};
use crate::judge::known::{Known, KnownFile};
use crate::judge::{Grade, Verdict};
use crate::mock::{Mock, serve};
use crate::report::summary::{Measure, Reason};
use crate::report::terminal::{self, Detail};
use crate::report::{Event, Summary};
use crate::run::{RunError, Settings, run};
use crate::wire::auth::Auth;

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// Address of the server, as in http://127.0.0.1:5000; without it the embedded mock is tested
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// Service to test: ecr or ecr-public (repeatable; default both)
    #[arg(long, value_name = "SERVICE", value_parser = super::service)]
    service: Vec<Service>,
    /// Work in this existing repository instead of making one a case
    #[arg(long, value_name = "NAME")]
    repository: Option<String>,
    /// Only cases whose id has this in it, or is what follows a = (repeatable)
    #[arg(long, value_name = "ID")]
    filter: Vec<String>,
    /// Only cases of this tier or a stronger one: documented, observed, open (default)
    #[arg(long)]
    tier: Option<Tier>,
    /// Cases under way at once (default: number of cores)
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Requests a second at most (default: as fast as the server answers)
    #[arg(long, value_name = "N")]
    rate: Option<f64>,
    /// What is sent as a signature: none (default), or dummy for servers that route by its scope
    #[arg(long, value_name = "KIND", value_parser = super::auth)]
    auth: Option<Auth>,
    /// Compare message texts too, where a published answer of the real service gives them
    #[arg(long)]
    strict: bool,
    /// File of known deviations: findings that are accepted for now
    #[arg(long, value_name = "FILE")]
    known: Option<PathBuf>,
    /// Write a report: ndjson=PATH is the event log (repeatable)
    #[arg(long, value_name = "FORMAT=PATH")]
    report: Vec<String>,
    /// Grades that gate: crash, state, refused, error, form (repeatable; default all)
    #[arg(long, value_name = "GRADE", value_parser = grade)]
    fail_on: Vec<Grade>,
    /// A warning fails the run
    #[arg(long)]
    deny_warnings: bool,
    /// Seconds to wait for the first byte of an answer (default 10)
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<f64>,
    /// Allow an endpoint of amazonaws.com
    #[arg(long)]
    allow_aws: bool,
    /// Settings file (default: ecrspec.toml, if it is there)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Groups of findings to show
    #[arg(long, value_name = "N", default_value_t = 20)]
    max_groups: usize,
    /// Show all cases of each group, the exchanges, and the answers to open questions
    #[arg(long, short)]
    verbose: bool,
}

pub(super) fn main(arguments: &Arguments) -> Code {
    let merged = Merged::of(arguments).map_err(Failure::usage)?;
    let runtime = Runtime::new().map_err(|error| Failure::harness(error.to_string()))?;
    let endpoint = match &merged.endpoint {
        Some(endpoint) => endpoint.clone(),
        None => embedded_mock(&runtime).map_err(Failure::usage)?,
    };
    let target = merged.target(&endpoint).map_err(Failure::usage)?;
    let mut log = Log::create(&merged.reports).map_err(Failure::usage)?;
    let mut events = Vec::new();
    let screen = Screen::default();
    let outcome = runtime.block_on(async {
        let (sender, stop) = watch::channel(false);
        tokio::spawn(async move {
            interrupted().await;
            let _ = sender.send(true);
            // What ends a job often signals twice at once; only a person who asks again later does not want to wait.
            tokio::time::sleep(Duration::from_secs(1)).await;
            anstream::eprintln!("ecrspec: finishing the cases under way; once more leaves their repositories behind");
            interrupted().await;
            std::process::exit(i32::from(Reason::Interrupted.code()));
        });
        run(Arc::new(target), &merged.settings, stop, |event| {
            log.write(&event);
            screen.show(&event);
            events.push(event);
        })
        .await
    });
    screen.clear();
    outcome.map_err(|error| {
        let reason = match &error {
            RunError::Unreachable(_) => Reason::SetUp,
            RunError::Harness(_) => Reason::Harness,
        };
        Failure { reason, error: error.into() }
    })?;
    let summary = Summary::of(&events, &merged.measure).map_err(Failure::harness)?;
    let mut reasons = summary.reasons(merged.measure.deny_warnings);
    let unwritten = log.finish().err();
    if unwritten.is_some() {
        let after_interruption = usize::from(reasons.first() == Some(&Reason::Interrupted));
        reasons.insert(after_interruption, Reason::Usage);
    }
    let detail = Detail { groups: arguments.max_groups, verbose: arguments.verbose };
    screen.print(&terminal::report(&summary, detail, &reasons));
    if let Some(error) = unwritten {
        anstream::eprintln!("ecrspec: {error:#}");
    }
    let code = reasons.first().map_or(0, |reason| reason.code());
    // The verdict stands whether or not somebody could read it; but a clean end that nobody could read is none.
    match screen.failed.take() {
        Some(error) if code == 0 => Err(Failure::usage(anyhow!("could not print the report: {error}"))),
        _ => Ok(code),
    }
}

/// Waits for Ctrl-C, or for what a CI job is ended with.
async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

/// Flags and settings file, merged: flags win.
struct Merged {
    endpoint: Option<String>,
    auth: Auth,
    rate: Option<f64>,
    patience: Patience,
    settings: Settings,
    measure: Measure,
    reports: Vec<PathBuf>,
}

impl Merged {
    fn of(arguments: &Arguments) -> anyhow::Result<Merged> {
        let file = SettingsFile::read(arguments.config.as_deref())?;
        let endpoint = arguments.endpoint.clone().or(file.endpoint);
        let services = some(&arguments.service).or(file.service);
        let repository = arguments.repository.clone().or(file.repository);
        let auth = arguments.auth.or(file.auth).unwrap_or_default();
        let known = arguments.known.clone().or(file.known);
        let reports = some(&arguments.report).or(file.report).unwrap_or_default();
        let patience = patience(arguments.timeout.or(file.timeout))?;
        if let Some(endpoint) = &endpoint
            && !arguments.allow_aws
            && file.allow_aws != Some(true)
        {
            refuse_aws(endpoint)?;
        }
        let usual = Settings::everything(endpoint.as_deref().unwrap_or("the embedded mock"), &prefix());
        let jobs = arguments.jobs.or(file.jobs);
        if jobs == Some(0) {
            bail!("--jobs: expected at least 1, found 0");
        }
        let auth_flag = (auth == Auth::Dummy).then(|| vec![String::from("--auth"), String::from("dummy")]);
        let strict = arguments.strict || file.strict == Some(true);
        let strict_flag = strict.then(|| vec![String::from("--strict")]);
        let filter = some(&arguments.filter).or(file.filter).unwrap_or_default();
        let tier = arguments.tier.or(file.tier);
        let fail_on = some(&arguments.fail_on).or(file.fail_on);
        let timeout = arguments.timeout.or(file.timeout);
        let requests = arguments.rate.or(file.rate);
        let joined = |values: &[Grade]| values.iter().map(Grade::to_string).collect::<Vec<_>>().join(" ");
        let options = [
            (auth == Auth::Dummy).then(|| String::from("auth dummy")),
            tier.map(|tier| format!("tier {tier}")),
            (!filter.is_empty()).then(|| format!("filter {}", filter.join(" "))),
            strict.then(|| String::from("strict")),
            fail_on.as_deref().map(|grades| format!("fail on {}", joined(grades))),
            known.as_ref().map(|path| format!("known deviations in {}", path.display())),
            timeout.map(|seconds| format!("timeout {seconds} s")),
            requests.map(|rate| format!("at most {rate} requests/s")),
        ];
        let flag = |name: &str, value: &Option<String>| value.clone().map(|value| vec![format!("--{name}"), value]);
        let flags = [flag("endpoint", &endpoint), flag("repository", &repository), auth_flag, strict_flag];
        Ok(Merged {
            endpoint,
            auth,
            rate: rate(requests)?,
            patience,
            settings: Settings {
                flags: flags.into_iter().flatten().flatten().collect(),
                services: services.unwrap_or_else(|| usual.services.clone()),
                filter,
                tier: tier.unwrap_or(usual.tier),
                jobs: jobs.unwrap_or(usual.jobs),
                repository,
                strict,
                fail_on: fail_on.unwrap_or_else(|| usual.fail_on.clone()),
                options: options.into_iter().flatten().collect(),
                ..usual
            },
            measure: Measure {
                known: known.as_deref().map(read_known).transpose()?.unwrap_or_default(),
                today: jiff::Zoned::now().date(),
                deny_warnings: arguments.deny_warnings || file.deny_warnings == Some(true),
            },
            reports: reports.iter().map(|report| report_path(report)).collect::<anyhow::Result<_>>()?,
        })
    }

    fn target(&self, endpoint: &str) -> anyhow::Result<Target> {
        let http = Http::new(endpoint, self.patience).map_err(|error| anyhow!("--endpoint: {error}"))?;
        let pace = self.rate.map(|rate| Arc::new(Pace::per_second(rate)));
        Ok(Target { auth: self.auth, pace, ..Target::new(Driver::Http(http)) })
    }
}

/// Serves the embedded mock on a loopback port for as long as the runtime lives, and gives its address.
fn embedded_mock(runtime: &Runtime) -> anyhow::Result<String> {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).context("could not listen on 127.0.0.1")?;
    let address = listener.local_addr()?;
    runtime.spawn(serve(listener, Arc::new(Mock::new(&Service::ALL, None))));
    Ok(format!("http://{address}"))
}

/// Reads a file of known deviations.
pub(super) fn read_known(path: &std::path::Path) -> anyhow::Result<Vec<Known>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("could not read the known deviations in {}", path.display()))?;
    let file = KnownFile::parse(&text).map_err(|error| anyhow!("{}: {error}", path.display()))?;
    Ok(file.known)
}

fn some<T: Clone>(values: &[T]) -> Option<Vec<T>> {
    (!values.is_empty()).then(|| values.to_vec())
}

/// Different from run to run, so that runs against one server do not meet.
fn prefix() -> String {
    let nanos = jiff::Timestamp::now().as_nanosecond();
    format!("ecrspec-{:08x}", (nanos ^ i128::from(std::process::id()) << 20) as u32)
}

fn rate(requests: Option<f64>) -> anyhow::Result<Option<f64>> {
    match requests {
        Some(rate) if !(0.001..=1e6).contains(&rate) => {
            bail!("--rate: expected a number of requests a second from 0.001 to 1000000, found {rate}")
        }
        other => Ok(other),
    }
}

fn patience(seconds: Option<f64>) -> anyhow::Result<Patience> {
    let Some(seconds) = seconds else { return Ok(Patience::default()) };
    let first_byte = Duration::try_from_secs_f64(seconds).ok().filter(|time| !time.is_zero());
    let first_byte =
        first_byte.with_context(|| format!("--timeout: expected a number of seconds above 0, found {seconds}"))?;
    Ok(Patience { first_byte, ..Patience::default() })
}

fn refuse_aws(endpoint: &str) -> anyhow::Result<()> {
    let url: Option<reqwest::Url> = endpoint.parse().ok();
    let host = url.as_ref().and_then(reqwest::Url::host_str).unwrap_or_default().trim_end_matches('.').to_lowercase();
    let is_aws = ["amazonaws.com", "amazonaws.com.cn", "api.aws"]
        .iter()
        .any(|domain| host == *domain || host.ends_with(&format!(".{domain}")));
    if is_aws && host.parse::<IpAddr>().is_err() {
        bail!(
            "{host} is Amazon's own: the run would make repositories and layers there, at a cost. --allow-aws allows it"
        );
    }
    Ok(())
}

fn grade(text: &str) -> Result<Grade, String> {
    Grade::ALL
        .into_iter()
        .find(|grade| grade.to_string() == text)
        .ok_or_else(|| String::from("expected crash, state, refused, error or form"))
}

fn report_path(report: &str) -> anyhow::Result<PathBuf> {
    match report.split_once('=') {
        Some(("ndjson", path)) if !path.is_empty() => Ok(PathBuf::from(path)),
        Some((format, _)) => bail!("--report: expected ndjson=PATH, found the format {format:?}"),
        None => bail!("--report: expected ndjson=PATH, found {report:?}"),
    }
}

/// The event log, written as things happen: a run that is killed leaves all but the cases under way.
struct Log {
    files: Vec<(PathBuf, File)>,
    failed: Option<anyhow::Error>,
}

impl Log {
    fn create(paths: &[PathBuf]) -> anyhow::Result<Log> {
        let create = |path: &PathBuf| {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)
                    .with_context(|| format!("--report: could not make {}", folder.display()))?;
            }
            let file = File::create(path).with_context(|| format!("--report: could not write {}", path.display()))?;
            Ok((path.clone(), file))
        };
        Ok(Log { files: paths.iter().map(create).collect::<anyhow::Result<_>>()?, failed: None })
    }

    /// A file that takes no more is left alone, so that it ends after its last whole line.
    fn write(&mut self, event: &Event) {
        let failed = &mut self.failed;
        self.files.retain_mut(|(path, file)| {
            let line = serde_json::to_string(event).map_err(std::io::Error::other);
            let written = line.and_then(|line| file.write_all(format!("{line}\n").as_bytes()));
            if let Err(error) = written {
                let context = format!("--report: could not write {}", path.display());
                failed.get_or_insert_with(|| anyhow::Error::new(error).context(context));
                return false;
            }
            true
        });
    }

    /// Says afterwards that the log is not whole: a run is not given up for that.
    fn finish(self) -> anyhow::Result<()> {
        self.failed.map_or(Ok(()), Err)
    }
}

/// What is shown while the run works: header and surveys, and on a terminal a line that moves.
#[derive(Default)]
struct Screen {
    bar: RefCell<Option<ProgressBar>>,
    /// Why something could not be printed. The run goes on: its exit code is the verdict, and repositories are removed.
    failed: RefCell<Option<std::io::Error>>,
}

impl Screen {
    fn show(&self, event: &Event) {
        match event {
            Event::Started(started) => {
                self.print(&terminal::header(started));
                let style = ProgressStyle::with_template("{pos}/{len} cases  {msg}");
                // Hidden by itself where there is no terminal.
                let bar = ProgressBar::new(started.cases as u64);
                self.bar.replace(Some(bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))));
            }
            Event::Surveyed(survey) => self.print(&terminal::survey(survey)),
            Event::Judged(judged) => {
                if let Some(bar) = &*self.bar.borrow() {
                    bar.inc(1);
                    if matches!(judged.verdict, Verdict::Fail { .. }) {
                        bar.set_message(format!("last failure: {}", judged.case));
                    }
                }
            }
            Event::Finished(_) => self.clear(),
        }
    }

    fn print(&self, text: &str) {
        let printed = match &*self.bar.borrow() {
            Some(bar) => bar.suspend(|| try_print(text)),
            None => try_print(text),
        };
        match printed {
            // A reader that went away, such as `head`, has seen enough.
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                self.failed.borrow_mut().get_or_insert(error);
            }
            _ => {}
        }
    }

    fn clear(&self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
