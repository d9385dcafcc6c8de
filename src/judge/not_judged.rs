//! Why a case has no verdict, as data. How it reads is for `words` to say.

use serde::{Deserialize, Serialize};

use super::{Expected, Got};
use crate::case::Stopped;
use crate::contract::{Operation, RuleId, Service, Tier};
use crate::wire::{Exchange, TransportError, Unsendable};

/// Why a case, or all cases of a service, could not be judged.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "why", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NotJudged {
    /// The target asks to be asked more slowly.
    Throttled {
        /// What was called; `None` where the request names no operation.
        operation: Option<Operation>,
        /// What it answered.
        got: Got,
    },
    /// A valid request met a limit of the account.
    LimitExceeded {
        /// What was called; `None` where the request names no operation.
        operation: Option<Operation>,
        /// What it answered.
        got: Got,
    },
    /// What came says nothing about conformance, as no response does to a valid request.
    NoAnswer {
        /// What was called; `None` where the request names no operation.
        operation: Option<Operation>,
        /// What came.
        got: Got,
    },
    /// A repository that the case needs could not be created.
    NoRepository {
        /// What came.
        got: Got,
        /// Whether the target was throttling.
        throttled: bool,
    },
    /// No earlier response gave what a request needs.
    Unbound {
        /// Name of the step.
        step: String,
        /// What it needs.
        reference: String,
    },
    /// A request cannot be sent to this target.
    Unsendable {
        /// Name of the step.
        step: String,
        /// Why not.
        cause: Unsendable,
    },
    /// The repository that the case is about was not created or not removed, as the target may.
    RepositoryRejected,
    /// The case goes on only from other responses.
    Ended {
        /// Name of the step.
        step: String,
        /// What came.
        got: Got,
        /// What it goes on from.
        only_if: Expected,
    },
    /// A response breaks a statement of a tier that is not asked for, and what follows rests on it.
    Weaker {
        /// Name of the step.
        step: String,
        /// Id of the rule.
        rule: RuleId,
        /// How strong it is.
        tier: Tier,
    },
    /// Calls at once have too many orders to try them all.
    TooManyOrders {
        /// How many steps were taken.
        steps: usize,
    },
    /// It came in one round, and may be the network's.
    OneRound {
        /// What came.
        got: Got,
        /// How many rounds there were.
        rounds: usize,
    },
    /// There was no response once, and an allowed one the second time.
    OneSilence,
    /// A finding does not show each time.
    Flaky {
        /// The finding as a sentence.
        finding: String,
        /// How often it showed.
        shown: usize,
        /// How often it was tried.
        tried: usize,
    },
    /// The target has stopped responding.
    Dead,
    /// The target has stopped responding, or left too many requests without a response.
    GaveUp,
    /// An operation that the case calls has left too many requests without a response.
    GaveUpOn {
        /// Which one.
        operation: Operation,
    },
    /// The service was not surveyed.
    NotSurveyed,
    /// The survey could not be finished.
    SurveyUnfinished {
        /// Why not.
        cause: Box<NotJudged>,
    },
    /// The target does not serve the service.
    NotServed {
        /// Which one.
        service: Service,
    },
    /// The target serves the service only with a signature.
    ServedSigned {
        /// Which one.
        service: Service,
    },
    /// The repository that was given does not exist.
    NoSuchRepository {
        /// Its name.
        name: String,
    },
    /// No repository could be created at all.
    NoRepositories,
    /// The target does not remove repositories.
    NoDeletion,
    /// The target does not know an operation.
    UnknownOperation {
        /// Which one.
        operation: Operation,
    },
    /// The run was told that the target lacks an operation.
    WithoutOperation {
        /// Which one.
        operation: Operation,
    },
    /// A plain call of an operation does not work.
    BrokenOperation {
        /// Which one.
        operation: Operation,
    },
    /// The case creates or removes repositories, and the run was given one.
    FixedRepository,
    /// What BatchCheckLayerAvailability says cannot be believed.
    AvailabilityUntrusted,
    /// The target never tells its account id.
    NoAccount,
    /// The target does not tell the alias of its registry: no `repositoryUri` that was seen has one.
    NoAlias,
}

impl NotJudged {
    /// Whether the target asks to be asked more slowly: after a pause the case may be judged.
    pub fn is_throttled(&self) -> bool {
        match self {
            NotJudged::Throttled { .. } | NotJudged::NoRepository { throttled: true, .. } => true,
            NotJudged::SurveyUnfinished { cause } => cause.is_throttled(),
            _ => false,
        }
    }
}

impl From<&Stopped> for NotJudged {
    fn from(stopped: &Stopped) -> NotJudged {
        match stopped {
            Stopped::NoRepository(exchange) => {
                let throttled = matches!(infrastructure(true, exchange), Some(Obstacle::Throttled(_)));
                NotJudged::NoRepository { got: super::describe(exchange), throttled }
            }
            Stopped::Unbound { step, reference } => {
                NotJudged::Unbound { step: step.clone(), reference: reference.clone() }
            }
            Stopped::Unsendable { step, cause } => NotJudged::Unsendable { step: step.clone(), cause: cause.clone() },
        }
    }
}

/// Why an exchange says nothing about conformance.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Obstacle {
    /// The target asks to be asked more slowly.
    Throttled(Got),
    /// There was no response.
    NoResponse(TransportError),
}

impl Obstacle {
    /// Why a case with this call is not judged.
    pub fn of(self, operation: Option<Operation>) -> NotJudged {
        match self {
            Obstacle::Throttled(got) => NotJudged::Throttled { operation, got },
            Obstacle::NoResponse(trouble) => NotJudged::NoAnswer { operation, got: Got::Transport(trouble) },
        }
    }
}

/// Why an exchange says nothing about conformance, if so: it was throttled, or there was no response to a valid request.
pub fn infrastructure(valid: bool, exchange: &Exchange) -> Option<Obstacle> {
    // Silence in answer to a valid request may be the network's; in answer to a fault it is a finding.
    let is_silence = matches!(exchange.reply, Err(TransportError::Silent | TransportError::Dropped));
    let is_infrastructure = exchange.is_transient() || (valid && is_silence);
    is_infrastructure.then(|| match exchange.reply {
        Ok(_) => Obstacle::Throttled(super::describe(exchange)),
        Err(trouble) => Obstacle::NoResponse(trouble),
    })
}
