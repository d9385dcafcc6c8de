//! Every case of catalogue and scenarios as a test of its own: against the mock in process, a group of them over a
//! loopback port, or, with `ECRSPEC_ENDPOINT`, all of them against that endpoint.
//!
//! `ECRSPEC_SERVICE` chooses one service, `ECRSPEC_REPOSITORY` names an existing repository to work in, and
//! `ECRSPEC_AUTH=dummy` sends a dummy signature, for servers that route by its scope.

use std::env;
use std::sync::Arc;

use ecrspec::case::Case;
use ecrspec::contract::Service;
use ecrspec::drive::http::{Http, Timeouts};
use ecrspec::drive::{Driver, InProcess, Signing, Target};
use ecrspec::judge::Verdict;
use ecrspec::mock::{Mock, router, serve};
use ecrspec::run::{RANDOM_CASES, SEED};
use ecrspec::search;
use ecrspec::session::{Session, Terms};
use ecrspec::suite::suite;
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

fn main() {
    let arguments = Arguments::from_args();
    let runtime = Arc::new(Runtime::new().expect("a runtime"));
    let services = match env::var("ECRSPEC_SERVICE") {
        Ok(name) => vec![
            Service::find(&name)
                .unwrap_or_else(|| panic!("ECRSPEC_SERVICE: expected ecr or ecr-public, found {name:?}")),
        ],
        Err(_) => Service::ALL.to_vec(),
    };
    let mut trials = Vec::new();
    for service in services {
        let mut cases = suite(service).expect("every case has its snapshot");
        cases.retain(|case| !case.id.starts_with("auth/")); // Nothing is signed here.
        cases.extend((0..RANDOM_CASES).map(|number| search::nth(service, SEED, number)));
        match env::var("ECRSPEC_ENDPOINT") {
            Ok(endpoint) => trials.extend(on_endpoint(&runtime, service, &endpoint, cases)),
            Err(_) => trials.extend(on_mock(&runtime, service, cases)),
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// A session, and the runtime that it works on.
struct Bench {
    runtime: Arc<Runtime>,
    session: Session,
}

fn on_mock(runtime: &Arc<Runtime>, service: Service, cases: Vec<Case>) -> Vec<Trial> {
    let in_process = Driver::InProcess(InProcess::new(router(Arc::new(Mock::new(&Service::ALL)))));
    let inside = bench(runtime, service, in_process, None);
    let outside =
        bench(runtime, service, Driver::Http(Http::new(&loopback(runtime), Timeouts::default()).expect("a URL")), None);
    let mut trials = Vec::new();
    for case in cases {
        // What needs bytes on a wire, and a sample of the rest.
        let framed = inside.session.skips(&case).is_some();
        if framed
            || case.id.starts_with("wire/")
            || case.id.starts_with("scenarios/")
            || case.id.contains("/layerDigests/")
        {
            trials.push(trial(format!("loopback::{service}::{}", case.id), &outside, case.clone()));
        }
        if !framed {
            trials.push(trial(format!("mock::{service}::{}", case.id), &inside, case));
        }
    }
    trials
}

fn on_endpoint(runtime: &Arc<Runtime>, service: Service, endpoint: &str, cases: Vec<Case>) -> Vec<Trial> {
    let http = Http::new(endpoint, Timeouts::default()).unwrap_or_else(|error| panic!("ECRSPEC_ENDPOINT: {error}"));
    let bench = bench(runtime, service, Driver::Http(http), env::var("ECRSPEC_REPOSITORY").ok());
    let surveyed = bench.clone();
    let mut trials = vec![Trial::test(format!("endpoint::{service}::survey"), move || {
        match surveyed.session.survey().findings.as_slice() {
            [] => Ok(()),
            findings => Err(findings.iter().map(|finding| finding.sentence()).collect::<Vec<_>>().join("\n").into()),
        }
    })];
    let fitted = cases.into_iter().map(|case| bench.session.fitted(case));
    trials.extend(fitted.map(|case| trial(format!("endpoint::{service}::{}", case.id), &bench, case)));
    trials
}

fn bench(runtime: &Arc<Runtime>, service: Service, driver: Driver, repository: Option<String>) -> Arc<Bench> {
    let signing = match env::var("ECRSPEC_AUTH").as_deref() {
        Ok("dummy") => Signing::Dummy,
        Ok(other) => panic!("ECRSPEC_AUTH: expected dummy, found {other:?}"),
        Err(_) => Signing::None,
    };
    let target = Arc::new(Target { signing, ..Target::new(driver) });
    let terms = Terms { repository, ..Terms::of(&format!("ecrspec-test-{}", std::process::id())) };
    let prepared = runtime.block_on(Session::prepare(target, service, terms));
    let (session, _) = prepared.unwrap_or_else(|_| panic!("no connection to the endpoint"));
    Arc::new(Bench { runtime: runtime.clone(), session })
}

fn loopback(runtime: &Runtime) -> String {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
    let address = listener.local_addr().expect("an address");
    runtime.spawn(serve(listener, Arc::new(Mock::new(&Service::ALL))));
    format!("http://{address}")
}

fn trial(name: String, bench: &Arc<Bench>, case: Case) -> Trial {
    let ignored = bench.session.skips(&case).is_some();
    let bench = bench.clone();
    Trial::ignorable_test(name, move || bench.judge(&case)).with_ignored_flag(ignored)
}

impl Bench {
    fn judge(&self, case: &Case) -> Result<Completion, Failed> {
        if let Some(skip) = self.session.skips(case) {
            return Ok(Completion::ignored_with(skip.reason.to_string()));
        }
        match self.runtime.block_on(self.session.judge(case)).verdict {
            Verdict::Pass => Ok(Completion::Completed),
            // After all: the target makes no repository of the odd name that the case is about.
            Verdict::Skipped { reason } => Ok(Completion::ignored_with(reason.to_string())),
            Verdict::Fail { findings } => {
                let told = findings.iter().map(|finding| {
                    format!(
                        "{}\nrule {}, {} {:?}\nexpected {}\ngot      {}",
                        finding.sentence(),
                        finding.rule,
                        finding.tier,
                        finding.sources,
                        finding.expected,
                        finding.got
                    )
                });
                Err(told.collect::<Vec<_>>().join("\n\n").into())
            }
            Verdict::Inconclusive { reason } => Err(format!("inconclusive: {reason}").into()),
        }
    }
}
