//! One case on a tower service.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;

use super::Failure;
use crate::case::{Case, Plan};
use crate::contract::{Service, Source};
use crate::drive::{Driver, InProcess, Panics, Server, Target};
use crate::generate::{plan, realise};
use crate::judge::{Finding, Verdict};
use crate::linearize::Round;
use crate::search;
use crate::session::{Session, Terms};
use crate::suite;
use crate::wire::Exchange;

/// What a report of ecrspec calls the survey where it names a case.
const SURVEY: &str = "survey";

/// Judges one case on a tower service in this process, by its id: one of the suite, `random/<seed>/<number>`,
/// `plan/<calls>`, or `survey` for the look at the service that comes before all cases.
///
/// # Panics
///
/// With what was found, its source and the calls; or where the case could not be judged, or there is none with this id.
pub fn case(server: impl Server, service: Service, id: &str) {
    Panics::locate();
    let server = InProcess::new(server).caught();
    let panics = server.panics();
    let terms = Terms { messages: false, ..Terms::of("ecrspec-case") };
    let target = Arc::new(Target::new(Driver::InProcess(server)));
    let judged = on_own_thread(|| {
        block_on(async {
            let (session, _) = Session::prepare(target, service, terms)
                .await
                .map_err(|unreachable| Failure::NoConnection(unreachable.why))?;
            if id == SURVEY {
                let findings = session.survey().findings.iter().map(describe).collect::<Vec<_>>();
                return if findings.is_empty() { Ok(()) } else { Err(Failure::Report(findings.join("\n\n"))) };
            }
            let case = session.fitted(find(service, id)?);
            if let Some(skip) = session.skips(&case) {
                return Err(Failure::NotJudged { case: String::from(id), reason: Box::new(skip.reason), panic: None });
            }
            found(&session.judge(&case).await, &panics, |_| false)
        })
    });
    judged.unwrap_or_else(|failure| panic!("{failure}"));
}

/// Drives a sequence into a tower service in this process, and judges what comes back. A panic of the service is passed on.
///
/// # Panics
///
/// With the finding, the case and how to judge it again, where something is found.
pub fn sequence(server: impl Server, service: Service, plan: &Plan) {
    let target = Arc::new(Target::new(Driver::InProcess(InProcess::new(server))));
    let case = realise(service, plan);
    let round = on_own_thread(|| {
        let session = Session::unsurveyed(target, service, Terms::of("ecrspec-sequence"));
        block_on(session.judge(&case))
    });
    if let Verdict::Fail { .. } = round.verdict {
        found(&round, &Panics::default(), |_| false).unwrap_or_else(|failure| panic!("{failure}"));
    }
}

/// The case with this id.
fn find(service: Service, id: &str) -> Result<Case, Failure> {
    let drawn = || search::find(service, id).or_else(|| Some(realise(service, &plan::parse(service, id).ok()?)));
    let known = suite::find(service, id).unwrap_or_else(|error| panic!("{error}"));
    known.or_else(drawn).ok_or_else(|| {
        let all = suite::headings(&[service]).unwrap_or_else(|error| panic!("{error}"));
        let near = all.into_iter().map(|heading| heading.id).filter(|known| known.contains(id)).collect();
        Failure::NoCase { service, id: String::from(id), near }
    })
}

/// What was found in a case, but for findings that are accepted.
pub(super) fn found(round: &Round, panics: &Panics, accepted: impl Fn(&Finding) -> bool) -> Result<(), Failure> {
    let Round { case, transcript, verdict, .. } = round;
    let findings: Vec<&Finding> = match verdict {
        Verdict::Pass => return Ok(()),
        Verdict::Fail { findings } => findings.iter().filter(|finding| !accepted(finding)).collect(),
        Verdict::Inconclusive { reason } | Verdict::Skipped { reason } => {
            let panic = transcript.exchanges.iter().find_map(|exchange| panic_of(exchange, panics));
            return Err(Failure::NotJudged { case: case.id.clone(), reason: Box::new(reason.clone()), panic });
        }
    };
    if findings.is_empty() {
        return Ok(());
    }
    let mut text: Vec<String> = findings.into_iter().map(describe).collect();
    let mut calls = vec![format!("calls of {}", case.id)];
    for (step, exchange) in case.steps.iter().zip(&transcript.exchanges) {
        calls.push(format!("  {}: {}", step.name, shown(&exchange.request.body.whole())));
        calls.push(match &exchange.reply {
            Ok(answer) => format!("    -> {answer} {}", shown(&answer.body())),
            Err(trouble) => format!("    -> {trouble}"),
        });
        calls.extend(panic_of(exchange, panics).map(|panic| format!("    the service {panic}")));
    }
    text.push(calls.join("\n"));
    text.push(format!("again: ecrspec::testing::case(server, Service::{:?}, {:?})", case.service, case.id));
    Err(Failure::Report(text.join("\n\n")))
}

fn panic_of(exchange: &Exchange, panics: &Panics) -> Option<String> {
    exchange.reply.is_err().then(|| panics.of(&exchange.request.body.whole())).flatten()
}

/// A finding, with its sources.
fn describe(finding: &Finding) -> String {
    let mut text = format!(
        "{}\n  rule {}, {}\n  expected {}\n  got {}",
        finding.sentence(),
        finding.rule,
        finding.strength(),
        finding.expected,
        finding.got
    );
    for source in finding.sources.iter().filter_map(|id| Source::find(id)).take(3) {
        text += &format!("\n  source {} ({}), {}", source.what, source.edition, source.url);
    }
    text
}

/// A body, as far as it says something to a reader.
fn shown(body: &[u8]) -> String {
    const MOST: usize = 300;
    let text: String = String::from_utf8_lossy(body).chars().take(MOST).flat_map(char::escape_debug).collect();
    if body.len() > MOST { format!("{text}… ({} bytes)", body.len()) } else { text.replace("\\\"", "\"") }
}

/// Does something on a thread of its own: the one that asks may be a thread of a runtime, which must not be blocked on.
pub(super) fn on_own_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(work).join().unwrap_or_else(|panic| resume_unwind(panic)))
}

/// Waits for something, with what a service may want of tokio where tokio is there.
pub(super) fn block_on<T>(work: impl Future<Output = T>) -> T {
    #[cfg(any(feature = "run", feature = "mock"))]
    return tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap_or_else(|error| panic!("no runtime: {error}"))
        .block_on(work);
    #[cfg(not(any(feature = "run", feature = "mock")))]
    pollster::block_on(work)
}
