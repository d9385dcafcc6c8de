//! The repositories that cases of a worker share: a new one after so many cases, each removed when it was used.

use crate::contract::Service;
use crate::drive::{self, Making, Target};

/// How many cases share a repository before it is removed: abandoned uploads make some servers slow.
const CASES_PER_SHARED_REPOSITORY: usize = 48;

/// The leases of one worker.
#[derive(Debug)]
pub(super) struct Leases {
    /// What the names of the run begin with.
    prefix: String,
    /// What tells the worker from others.
    worker: usize,
    made: usize,
    current: Option<Lease>,
}

#[derive(Debug)]
struct Lease {
    service: Service,
    name: String,
    cases_left: usize,
}

impl Leases {
    /// None yet, of a worker in a run.
    pub fn new(prefix: String, worker: usize) -> Leases {
        Leases { prefix, worker, made: 0, current: None }
    }

    /// A repository for one more case; `None` if it could not be made: then the case tries for itself. What could not be
    /// removed on the way goes to `left`.
    pub async fn lend(
        &mut self,
        target: &Target,
        service: Service,
        making: Making,
        left: &mut Vec<String>,
    ) -> Option<String> {
        if let Some(lease) = self.current.as_mut().filter(|lease| lease.service == service && lease.cases_left > 0) {
            lease.cases_left -= 1;
            return Some(lease.name.clone());
        }
        left.extend(self.end(target).await);
        self.made += 1;
        // As long for every worker: of which sequences is the smallest must not depend on who tried them.
        let name = making.naming.name(&self.prefix, &format!("shared-{:05}-{:04}", self.worker, self.made));
        // Remembered even if it seems to fail: the answer may have been lost, and the repository is removed all the same.
        let made = drive::create_repository(target, service, making, &name).await.is_ok();
        let cases_left = if made { CASES_PER_SHARED_REPOSITORY - 1 } else { 0 };
        self.current = Some(Lease { service, name: name.clone(), cases_left });
        made.then_some(name)
    }

    /// Removes the current one, and gives its name where that could not be done.
    pub async fn end(&mut self, target: &Target) -> Option<String> {
        let Lease { service, name, .. } = self.current.take()?;
        let deletion = drive::delete_repository(target, service, &name).await;
        (!drive::is_gone(&deletion)).then_some(name)
    }
}
