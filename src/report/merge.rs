//! Several event logs as one: what the jobs of a run did, each its part.

use std::collections::BTreeMap;

use crate::case::{CaseKind, Partition};
use crate::contract::Service;
use crate::events::{Event, Finished, Judged, Searched, Started};
use crate::survey::Survey;
use crate::wire::Trust;

/// Why logs are not those of one run. A log is named by its file.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    /// There is none, or none with a start.
    #[error("no log was given")]
    Empty,
    /// One is of another version.
    #[error("{log}: expected a log of ecrspec {expected}, found one of {found}")]
    Version {
        /// The log.
        log: String,
        /// The version of those before it.
        expected: String,
        /// Its version.
        found: String,
    },
    /// One is of another command.
    #[error("{log}: expected a log of the same command as the others")]
    Command {
        /// The log.
        log: String,
    },
    /// One was judged by other settings.
    #[error(
        "{log}: judged by other known deviations, another version of the suite, or other grades or warnings that fail, than the logs before it; give those that \
         all are to be judged by"
    )]
    JudgedOtherwise {
        /// The log.
        log: String,
    },
    /// One has a part that is there already, or that is of another division.
    #[error(
        "{log}: expected another part of the run than {}, found {found}",
        there.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    )]
    Part {
        /// The log.
        log: String,
        /// The parts of those before it.
        there: Vec<Partition>,
        /// Its part.
        found: Partition,
    },
    /// Two have the same case.
    #[error("{log}: {case} in {service} is in {first} as well: expected logs of different parts or services")]
    Twice {
        /// The second log.
        log: String,
        /// The first.
        first: String,
        /// The id of the case.
        case: String,
        /// The service.
        service: Service,
    },
}

/// The events of several logs as those of one run. Names are those of the files, for what is wrong with them.
///
/// # Errors
///
/// Logs that are not of one run: of different versions or wholes, judged otherwise, or with a case in common.
pub fn merge(mut logs: Vec<(String, Vec<Event>)>) -> Result<Vec<Event>, MergeError> {
    if logs.len() == 1 {
        return Ok(logs.swap_remove(0).1);
    }
    let mut merged = Merged::default();
    for (name, events) in logs {
        merged.add(&name, events)?;
    }
    merged.events()
}

#[derive(Default)]
struct Merged {
    started: Option<Started>,
    count: usize,
    surveys: BTreeMap<Service, Survey>,
    cases: Vec<Judged>,
    /// Which log has a case.
    homes: BTreeMap<(Service, String), String>,
    searched: Option<Searched>,
    finished: Vec<Option<Finished>>,
}

impl Merged {
    fn add(&mut self, name: &str, events: Vec<Event>) -> Result<(), MergeError> {
        self.count += 1;
        let before = self.cases.iter().map(|judged| judged.index + 1).max().unwrap_or_default();
        let mut finished = None;
        let mut searched = None;
        for event in events {
            match event {
                Event::Started(started) => self.start(name, *started)?,
                Event::Surveyed(survey) => self.survey(*survey),
                Event::Judged(judged) => self.judged(name, Judged { index: before + judged.index, ..*judged })?,
                Event::Searched(found) => searched = Some(found),
                Event::Finished(found) => finished = Some(found),
            }
        }
        if let Some(one) = searched {
            let all = self.searched.unwrap_or_default();
            self.searched = Some(Searched {
                cases: all.cases + one.cases,
                calls: all.calls + one.calls,
                accepted: all.accepted + one.accepted,
                // Not a sum: most of them are the same ones.
                classes: all.classes.max(one.classes),
                unlogged: all.unlogged + one.unlogged,
                repeated: all.repeated + one.repeated,
            });
        }
        self.finished.push(finished);
        Ok(())
    }

    fn start(&mut self, name: &str, started: Started) -> Result<(), MergeError> {
        let Some(all) = &mut self.started else {
            self.started = Some(started);
            return Ok(());
        };
        let log = || String::from(name);
        if all.ecrspec != started.ecrspec {
            let expected = all.ecrspec.clone();
            return Err(MergeError::Version { log: log(), expected, found: started.ecrspec });
        }
        if all.task != started.task {
            return Err(MergeError::Command { log: log() });
        }
        let judged_by = |started: &Started| {
            let Started { known, fail_on, deny_warnings, suite, .. } = started;
            (known.clone(), fail_on.clone(), *deny_warnings, *suite)
        };
        if judged_by(all) != judged_by(&started) {
            return Err(MergeError::JudgedOtherwise { log: log() });
        }
        for part in &started.parts {
            if all.parts.iter().any(|known| known == part || !known.fit(*part)) {
                return Err(MergeError::Part { log: log(), there: all.parts.clone(), found: *part });
            }
        }
        if all.target != started.target {
            all.target = format!("{}, {}", all.target, started.target);
        }
        if all.driver.name != started.driver.name {
            all.driver.name = format!("{}, {}", all.driver.name, started.driver.name);
        }
        all.driver.shows = all.driver.shows.min(started.driver.shows);
        if started.trust == Trust::Anyone {
            all.trust = Trust::Anyone; // What holds for a part must not be read as checked in the whole.
        }
        all.services.extend(
            started.services.iter().filter(|service| !all.services.contains(service)).copied().collect::<Vec<_>>(),
        );
        all.cases += started.cases;
        all.jobs += started.jobs;
        all.whole &= started.whole;
        all.seed = all.seed.filter(|seed| Some(*seed) == started.seed);
        all.parts.extend(started.parts);
        let options =
            started.options.iter().filter(|option| !all.options.contains(option)).cloned().collect::<Vec<_>>();
        all.options.extend(options);
        if all.repositories != started.repositories {
            all.repositories = format!("{}, {}", all.repositories, started.repositories);
        }
        Ok(())
    }

    /// Of two surveys of a service the one that found more.
    fn survey(&mut self, survey: Survey) {
        let weight = |survey: &Survey| (survey.untestable.is_some(), survey.inconclusive, survey.findings.len());
        match self.surveys.get(&survey.service) {
            Some(known) if weight(known) >= weight(&survey) => {}
            _ => {
                self.surveys.insert(survey.service, survey);
            }
        }
    }

    fn judged(&mut self, name: &str, judged: Judged) -> Result<(), MergeError> {
        let key = (judged.service, judged.case.clone());
        // The searches of two jobs may come to the same sequence: then it was tried twice.
        match self.homes.get(&key) {
            Some(home) if judged.kind != CaseKind::Plan => Err(MergeError::Twice {
                log: String::from(name),
                first: home.clone(),
                case: judged.case,
                service: judged.service,
            }),
            _ => {
                self.homes.insert(key, String::from(name));
                self.cases.push(judged);
                Ok(())
            }
        }
    }

    fn events(self) -> Result<Vec<Event>, MergeError> {
        let mut started = self.started.ok_or(MergeError::Empty)?;
        started.options.retain(|option| !option.starts_with("partition "));
        started.options.push(format!("put together from {} logs", self.count));
        let mut events = vec![Event::Started(Box::new(started))];
        events.extend(self.surveys.into_values().map(|survey| Event::Surveyed(Box::new(survey))));
        events.extend(self.cases.into_iter().map(|judged| Event::Judged(Box::new(judged))));
        events.extend(self.searched.map(Event::Searched));
        let finished: Option<Vec<Finished>> = self.finished.into_iter().collect();
        events.extend(finished.map(|all| {
            Event::Finished(Finished {
                seconds: all.iter().map(|one| one.seconds).fold(0.0, f64::max),
                stopped: all.iter().filter_map(|one| one.stopped).min(),
                unrecorded: all.iter().map(|one| one.unrecorded).sum(),
                left: all.into_iter().flat_map(|one| one.left).collect(),
            })
        }));
        Ok(events)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A log of one run, but for a member of its start.
    fn log(name: &str, member: &str, value: Value) -> (String, Vec<Event>) {
        let mut started = json!({
            "event": "started", "schema": crate::events::SCHEMA, "ecrspec": "1.0.0", "at": "2026-01-01T00:00:00Z",
            "task": "gate", "target": "a target", "driver": { "name": "HTTP", "shows": "http" }, "flags": [], "services": ["ecr"],
            "cases": 1, "jobs": 1, "whole": true, "tier": "documented", "strict": false, "parts": [name], "fail_on": ["crash"], "deny_warnings": false,
            "repositories": "x",
        });
        started[member] = value;
        (format!("{name}.ndjson"), vec![serde_json::from_value(started).unwrap()])
    }

    #[test]
    fn logs_of_several_runs_are_rejected() {
        let first = || log("hash:1/2", "jobs", json!(1));
        let merged = |member: &str, value: Value| merge(vec![first(), log("hash:2/2", member, value)]);
        let why = |member: &str, value: Value| merged(member, value).unwrap_err().to_string();
        assert!(merged("jobs", json!(2)).is_ok());
        assert_eq!(
            why("ecrspec", json!("1.0.1")),
            "hash:2/2.ndjson: expected a log of ecrspec 1.0.0, found one of 1.0.1"
        );
        assert_eq!(why("task", json!("replay")), "hash:2/2.ndjson: expected a log of the same command as the others");
        let otherwise = why("deny_warnings", json!(true));
        assert!(otherwise.ends_with("; give those that all are to be judged by"), "{otherwise}");
        let part = |text: &str| text.parse::<Partition>().unwrap();
        let again = MergeError::Part {
            log: String::from("hash:2/2.ndjson"),
            there: vec![part("hash:1/2")],
            found: part("hash:1/2"),
        };
        assert_eq!(merged("parts", json!(["hash:1/2"])), Err(again.clone()));
        assert_eq!(
            again.to_string(),
            "hash:2/2.ndjson: expected another part of the run than hash:1/2, found hash:1/2"
        );
        assert_eq!(merge(Vec::new()), Err(MergeError::Empty));
    }
}
