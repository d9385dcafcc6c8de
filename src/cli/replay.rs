//! `ecrspec replay`: one case again, or what failed in a run.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use clap::Args;

use super::gate::perform;
use super::target::{Choice, Merged, TargetArguments};
use super::{Code, Failure, cases};
use crate::case::Case;
use crate::contract::{RuleId, Rules, Service};
use crate::events::{Event, Judged, Started, Task};
use crate::judge::{Finding, Verdict};
use crate::report::Summary;
use crate::run::Work;
use crate::scenario::Scenario;

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// Id of a case or rule, a scenario file or directory, an event log (reruns its failures, with its settings), or
    /// `survey` for the preflight survey
    #[arg(value_name = "ID|SCENARIO|LOG")]
    what: String,
    #[command(flatten)]
    target: TargetArguments,
}

/// What is replayed, and what was found before.
#[derive(Default)]
struct Replay {
    cases: Vec<Case>,
    before: Vec<Before>,
    survey: bool,
    /// How the run of the log began.
    started: Option<Started>,
}

/// A finding of an earlier run.
struct Before {
    service: Service,
    case: String,
    rule: RuleId,
    got: String,
}

pub(super) fn main(arguments: &Arguments) -> Code {
    let mut merged = Merged::of(&arguments.target, |_| Choice::default()).map_err(Failure::usage)?;
    let replay = Replay::of(&arguments.what, &merged.settings.services).map_err(Failure::usage)?;
    if let Some(started) = &replay.started {
        merged.judge_as(started);
    }
    merged.settings.services.retain(|service| replay.cases.iter().any(|case| case.service == *service));
    let work = Work { task: Task::Replay, cases: replay.cases.clone(), search: None, whole_survey: replay.survey };
    let done = perform(&merged, work, |_, _| {})?;
    done.print(&replay.compare(&done.summary));
    done.report(&merged)
}

impl Replay {
    fn of(what: &str, services: &[Service]) -> anyhow::Result<Replay> {
        let path = Path::new(what);
        let replay = match path.extension() {
            Some(kind) if kind == "yaml" => Replay::of_scenarios(vec![cases::scenario(path)?], services),
            _ if path.is_dir() => Replay::of_scenarios(cases::scenarios(&[path.to_path_buf()])?, services),
            _ if path.is_file() => Replay::of_log(path, services)?,
            _ => Replay::of_id(what, services)?,
        };
        match replay.cases.is_empty() {
            true => Err(anyhow!(
                "expected the id of a case (`ecrspec list`) or of a rule (`ecrspec list --rules`), a scenario file or a \
                 directory of them, or an event log with failures, found {what:?}"
            )),
            false => Ok(replay),
        }
    }

    fn of_id(id: &str, services: &[Service]) -> anyhow::Result<Replay> {
        let survey = id == "survey";
        // Something to judge besides what the survey finds.
        let id = if survey { "InitiateLayerUpload/accepted/plain" } else { id };
        let mut replay = Replay { survey, ..Replay::default() };
        let mut mistake = None;
        for service in services {
            match cases::named(*service, id) {
                Ok(Some(found)) => replay.cases.push(found),
                Ok(None) => {
                    if let Some(rule) = Rules::of(*service).find(id) {
                        replay.cases.extend(cases::of_rule(*service, rule.id)?);
                    }
                }
                Err(error) => mistake = Some(error),
            }
        }
        match mistake {
            Some(error) if replay.cases.is_empty() => Err(error),
            _ => Ok(replay),
        }
    }

    fn of_scenarios(scenarios: Vec<Scenario>, services: &[Service]) -> Replay {
        let mut replay = Replay::default();
        for scenario in scenarios {
            for case in scenario.cases.into_iter().filter(|case| services.contains(&case.service)) {
                replay.before.extend(scenario.found.iter().map(|found| Before {
                    service: case.service,
                    case: case.id.clone(),
                    rule: found.rule,
                    got: found.got.clone(),
                }));
                replay.cases.push(case);
            }
        }
        replay
    }

    /// The cases that failed in a run, and what was found in each.
    fn of_log(path: &Path, services: &[Service]) -> anyhow::Result<Replay> {
        let (shown, events) = super::report::read(path)?;
        let mut replay = Replay::default();
        if let Some(Event::Started(started)) = events.first() {
            replay.started = Some((**started).clone());
        }
        for judged in events.iter().filter_map(failed).filter(|judged| services.contains(&judged.service)) {
            let found = cases::named(judged.service, &judged.case)?;
            replay.cases.push(found.with_context(|| {
                format!("{shown}: this version of ecrspec has no case {} in {}", judged.case, judged.service)
            })?);
            replay.before.extend(judged.verdict.findings().iter().map(|finding| Before {
                service: judged.service,
                case: judged.case.clone(),
                rule: finding.rule,
                got: finding.got.code(),
            }));
        }
        Ok(replay)
    }

    /// What became of what was found before.
    fn compare(&self, summary: &Summary) -> String {
        let mut text = String::new();
        for before in &self.before {
            let judged =
                summary.cases.iter().find(|judged| judged.service == before.service && judged.case == before.case);
            let Some(judged) = judged else { continue };
            let same = |finding: &&Finding| finding.rule == before.rule && finding.got.code() == before.got;
            let now = match (&judged.verdict, judged.verdict.findings()) {
                (_, found) if found.iter().any(|finding| same(&finding)) => String::from("the same finding"),
                (Verdict::Pass, _) => String::from("gone: the case passes"),
                (Verdict::Fail { .. }, [another, ..]) => {
                    format!("another finding: {} ({}, got {})", another.sentence(), another.rule, another.got)
                }
                (Verdict::Inconclusive { reason } | Verdict::Skipped { reason }, _) => format!("not judged: {reason}"),
                (Verdict::Fail { .. }, []) => continue,
            };
            let _ = writeln!(text, "replay     {} {}: {} then, now {now}", before.service, before.case, before.got);
        }
        text
    }
}

fn failed(event: &Event) -> Option<&Judged> {
    match event {
        Event::Judged(judged) if matches!(judged.verdict, Verdict::Fail { .. }) => Some(judged),
        _ => None,
    }
}
