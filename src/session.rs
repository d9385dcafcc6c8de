//! A service of a target that was looked at: all that it takes to judge a case on it. Runs, the tests of others and our own
//! judge cases in the same way.

use std::sync::Arc;
#[cfg(feature = "run")]
use std::time::Duration;

use crate::case::{Case, Transcript};
use crate::contract::{Operation, Service, Tier};
use crate::drive::{self, Target, Workspace};
#[cfg(feature = "run")]
use crate::judge::allows;
use crate::judge::{JudgeOptions, NotJudged};
use crate::linearize::{self, Round, Rounds};
use crate::model::registry::{ACCOUNT, ALIAS, PART_SIZE};
use crate::search;
#[cfg(feature = "run")]
use crate::survey::answers;
use crate::survey::{Skip, Survey, Unreachable, preflight};
#[cfg(feature = "run")]
use crate::wire::Exchange;

/// Where the cases of a session work, and how they are judged.
#[derive(Clone, Debug)]
pub struct Terms {
    /// What the repositories of the session begin with.
    pub prefix: String,
    /// An existing repository to work in, instead of making one a case.
    pub repository: Option<String>,
    /// Compare message texts where a real trace gives them.
    pub messages: bool,
    /// The weakest tier that counts.
    pub tier: Tier,
    /// Operations that the target is meant to lack.
    pub without: Vec<Operation>,
}

impl Terms {
    /// Judges everything except message texts. Repositories begin with this prefix.
    pub fn of(prefix: &str) -> Terms {
        Terms { prefix: String::from(prefix), repository: None, messages: false, tier: Tier::Open, without: Vec::new() }
    }
}

/// One of the times that a case is tried.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// Who tries it: no two at once have the same number.
    pub worker: usize,
    /// Which time: bytes differ from one to another.
    pub number: u32,
}

/// A service of a target, and what the survey found out about it.
#[derive(Clone, Debug)]
pub struct Session {
    target: Arc<Target>,
    terms: Terms,
    survey: Survey,
}

impl Session {
    /// Looks at a service of a target. What the survey made and could not remove comes with the session.
    ///
    /// # Errors
    ///
    /// Where no connection could be made at all.
    pub async fn prepare(
        target: Arc<Target>,
        service: Service,
        terms: Terms,
    ) -> Result<(Session, Vec<String>), Unreachable> {
        let repository = terms.repository.as_deref();
        let (mut survey, mut transcript) = preflight(&target, service, &terms.prefix, repository).await?;
        if transcript.met_ended_connection() {
            (survey, transcript) = preflight(&target.afresh(), service, &terms.prefix, repository).await?;
        }
        survey.leave_out(&terms.without);
        Ok((Session { target, terms, survey }, transcript.left))
    }

    /// A session without a survey, on a target that has all that the reference registry has.
    pub fn unsurveyed(target: Arc<Target>, service: Service, terms: Terms) -> Session {
        let survey = Survey {
            service,
            account: Some(String::from(ACCOUNT)),
            alias: (service == Service::EcrPublic).then(|| String::from(ALIAS)),
            part_size: Some(PART_SIZE),
            unknown: Default::default(),
            broken: Default::default(),
            makes_repositories: true,
            availability: true,
            untestable: None,
            inconclusive: false,
            findings: Vec::new(),
            without: Default::default(),
            making: Default::default(),
        };
        Session { target, terms, survey }
    }

    /// The same session over connections that carried no request before.
    pub fn afresh(&self) -> Session {
        Session { target: Arc::new(self.target.afresh()), ..self.clone() }
    }

    /// Whether an operation of the target answers anything. Gives what was made to see that and could not be removed as well.
    #[cfg(feature = "run")]
    pub(crate) async fn answers(&self, operation: Operation) -> (bool, Vec<String>) {
        answers(&self.target, &self.survey, &self.terms.prefix, self.terms.repository.as_deref(), operation).await
    }

    /// Which service.
    pub fn service(&self) -> Service {
        self.survey.service
    }

    /// What was found out about it.
    pub fn survey(&self) -> &Survey {
        &self.survey
    }

    /// Leaves of the survey only the findings that concern these cases.
    pub fn narrow<'a>(&mut self, cases: impl Iterator<Item = &'a Case>) {
        self.survey.narrow(cases);
    }

    /// A case as far as it can be tried: without what the target does not have.
    pub fn fitted(&self, case: Case) -> Case {
        match case.kind.is_random() {
            true => search::fitted(case, |operation| self.lacks(operation)),
            false => self.survey.reduced(case),
        }
    }

    fn lacks(&self, operation: Operation) -> bool {
        self.survey.lacks(operation) || (self.terms.repository.is_some() && operation.manages_repositories())
    }

    /// Why a case cannot be judged here, if so.
    pub fn skips(&self, case: &Case) -> Option<Skip> {
        let fixed = self.terms.repository.is_some();
        let unsendable = self.target.cannot_try(case);
        // What keeps a case from being tried and is not the target's doing counts for nothing.
        let ours = unsendable.is_some() || (fixed && case.manages_repositories());
        let skip = self
            .survey
            .skips(case, fixed)
            .or(unsendable.as_ref().map(|stopped| Skip::excused(NotJudged::from(stopped))))?;
        Some(Skip { counts: skip.counts && !ours, ..skip })
    }

    /// How its cases are judged.
    pub fn options(&self) -> JudgeOptions {
        JudgeOptions { messages: self.terms.messages, availability: self.survey.availability, tier: self.terms.tier }
    }

    /// Judges a case, whatever [`Session::skips`] says: one with calls at once in all its rounds.
    pub async fn judge<'a>(&self, case: &'a Case) -> Round<'a> {
        let mut rounds = Rounds::of(case, self.options());
        loop {
            let number = rounds.count() as u32 + 1;
            let round = self.attempt(case, None, Attempt { worker: 0, number }).await;
            if !case.is_race() {
                return round;
            }
            rounds.add(round);
            if number as usize >= case.rounds {
                break;
            }
        }
        rounds.together(false).unwrap_or_else(|| unreachable!("one round was tried at least"))
    }

    /// Tries a case once, and judges what came back. `shared` is a repository for cases that share one.
    pub async fn attempt<'a>(&self, case: &'a Case, shared: Option<&str>, attempt: Attempt) -> Round<'a> {
        let transcript = self.drive(case, shared, attempt).await;
        self.judge_round(case, transcript)
    }

    /// Tries a case once.
    pub async fn drive(&self, case: &Case, shared: Option<&str>, attempt: Attempt) -> Transcript {
        drive::case(&self.target, case, &self.workspace(shared, attempt)).await
    }

    /// How much later the answer to a step is allowed, if it is after a while; and what could not be removed.
    #[cfg(feature = "run")]
    pub async fn lateness(&self, case: &Case, step: usize, attempt: Attempt) -> (Option<Duration>, Vec<String>) {
        let (judged, options) = (case.clone(), self.options());
        let is_right = move |transcript: &Transcript, exchange: &Exchange| {
            allows(&judged, &judged.steps[step], transcript, exchange, options) == Some(true)
        };
        drive::lateness(&self.target, case, &self.workspace(None, attempt), step, Arc::new(is_right)).await
    }

    fn workspace(&self, shared: Option<&str>, Attempt { worker, number }: Attempt) -> Workspace {
        Workspace {
            prefix: self.terms.prefix.clone(),
            making: self.survey.making,
            shared: self.terms.repository.as_deref().or(shared).map(String::from),
            account: self.survey.account.clone(),
            alias: self.survey.alias.clone(),
            part_size: self.survey.usable_part_size(),
            salt: format!("{}/{number}", self.terms.prefix),
            worker,
        }
    }

    /// Judges what came back for a case.
    pub fn judge_round<'a>(&self, case: &'a Case, transcript: Transcript) -> Round<'a> {
        linearize::judge_round(case, transcript, self.options())
    }
}
