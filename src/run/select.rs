//! Which cases are run: those of the suite that the settings choose, and then what a search draws.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{RANDOM_CASES, RunError, SEED, Settings, Work};
use crate::case::{Case, Partition, SIGNATURES, StepRole};
use crate::contract::{Operation, Role, Service, Tier};
use crate::events::Task;
use crate::search::{self, Extent, Novelty, RANDOM, Search};
use crate::suite::{self, suite};

/// The cases of the chosen services that the settings choose, in order.
///
/// # Errors
///
/// Where the suite itself is wrong.
pub fn choose(settings: &Settings) -> Result<Vec<Case>, RunError> {
    let mut chosen = Vec::new();
    for service in &settings.services {
        let cases = suite(*service)?;
        chosen.extend(cases.into_iter().filter(|case| is_of_tier(settings, case) && is_chosen(settings, &case.id)));
    }
    Ok(in_order(chosen))
}

/// The same for whoever chooses once: nothing of the suite is made but what is chosen.
///
/// # Errors
///
/// As [`choose`].
pub fn choose_once(settings: &Settings) -> Result<Vec<Case>, RunError> {
    let mut cases = suite::once(&settings.services, |id| is_chosen(settings, id))?;
    cases.retain(|case| is_of_tier(settings, case));
    Ok(in_order(cases))
}

/// Of the cases, one for each response that an operation of the layer-upload API may have: a success, and each type of
/// error. It is the one with the fewest calls among those that can be tried, and for which the documents allow no other
/// response.
pub fn one_per_response(cases: Vec<Case>, can_try: impl Fn(&Case) -> bool) -> Vec<Case> {
    let mut chosen: BTreeMap<(&'static str, Operation, Option<&'static str>), usize> = BTreeMap::new();
    let fit = |case: &Case| !case.is_race() && case.tier().gates() && can_try(case);
    for (index, case) in cases.iter().enumerate().filter(|(_, case)| fit(case)) {
        for step in case.steps.iter().filter(|step| step.role == StepRole::Focus) {
            let is_plain = |operation: &Operation| operation.role() == Role::Layer && step.expect.outcomes.len() == 1;
            let Some(operation) = step.operation.filter(is_plain) else { continue };
            let response = (case.service.name(), operation, step.expect.errors().first().copied());
            let kept = chosen.entry(response).or_insert(index);
            if case.steps.len() < cases[*kept].steps.len() {
                *kept = index;
            }
        }
    }
    let chosen: BTreeSet<usize> = chosen.into_values().collect();
    cases.into_iter().enumerate().filter(|(index, _)| chosen.contains(index)).map(|(_, case)| case).collect()
}

fn is_of_tier(settings: &Settings, case: &Case) -> bool {
    case.tier() <= settings.tier
}

/// The order in which cases are tried: what strains a target comes late.
fn in_order(mut cases: Vec<Case>) -> Vec<Case> {
    cases.sort_by_key(|case| (case.last, case.is_race()));
    cases
}

/// Whether filter and partition choose the case of the suite with this id.
pub fn is_chosen(settings: &Settings, id: &str) -> bool {
    let asked_for = !id.starts_with(SIGNATURES) || asks_for_signatures(&settings.filter);
    asked_for && is_let_through(settings, id)
}

/// Whether filter and partition let a case with this id through, wherever it comes from.
pub fn is_let_through(settings: &Settings, id: &str) -> bool {
    is_named(&settings.filter, id) && settings.partition.is_none_or(|partition| partition.has(id))
}

/// Whether a filter asks for cases about signatures: most emulators look at none, so that they are tried on demand alone.
/// It is one that means them and nothing else: `auth`, `auth/…`, or the id of one.
pub fn asks_for_signatures(filter: &[String]) -> bool {
    let wanted = |wanted: &String| format!("{}/", wanted.trim_start_matches('=')).starts_with(SIGNATURES);
    filter.iter().any(wanted)
}

/// Whether a filter names the id: a part of it, or all of it after `=`.
pub fn is_named(filter: &[String], id: &str) -> bool {
    filter.is_empty()
        || filter.iter().any(|wanted| match wanted.strip_prefix('=') {
            Some(whole) => id == whole,
            None => id.contains(wanted.as_str()),
        })
}

/// The random sequences of a search that has a number of them, as service and number.
pub(super) fn drawn(settings: &Settings, search: Option<Search>) -> Vec<(Service, u64)> {
    let Some(Search { seed, extent: Extent::Cases(count) }) = search else { return Vec::new() };
    let of = |service: &Service| (0..count).map(|number| (*service, number)).collect::<Vec<_>>();
    let all = settings.services.iter().flat_map(of);
    all.filter(|(_, number)| is_chosen(settings, &format!("{RANDOM}{seed}/{number}"))).collect()
}

/// Whether all cases and the usual random sequences are tried, of which a partition may be a part.
pub(super) fn is_whole(settings: &Settings, work: &Work) -> bool {
    let usual = |search: Search| search.seed == SEED && matches!(search.extent, Extent::Cases(RANDOM_CASES..));
    let unfiltered = settings.filter.is_empty() && settings.tier == Tier::Open;
    work.task == Task::Gate && unfiltered && work.search.is_some_and(usual)
}

/// How long a search may take longer than it was given, to make small what it found last: what is not tried again may have
/// been an accident.
const SETTLING: Duration = Duration::from_secs(10);

/// The cases of a run by their numbers. Each is taken once.
pub(super) struct Selection {
    pub cases: Vec<Mutex<Option<Case>>>,
    pub search: Option<Search>,
    /// The random sequences of a search that has a number of them.
    pub drawn: Vec<(Service, u64)>,
    /// When a search that has none ends.
    pub deadline: Option<Instant>,
    pub partition: Option<Partition>,
}

impl Selection {
    /// The case with this number: those of the suite come first, then what is searched, in these services. `None` when all
    /// is done.
    pub fn case(&self, number: usize, searched: &[Service], novelty: &Mutex<Novelty>) -> Option<Case> {
        if let Some(case) = self.cases.get(number) {
            return locked(case).take();
        }
        let number = number - self.cases.len();
        let search = self.search?;
        match (search.extent, self.drawn.get(number)) {
            (Extent::Cases(_), drawn) => drawn.map(|(service, number)| search::nth(*service, search.seed, *number)),
            (Extent::Time(_), _) => self.steered(search, number, searched, novelty),
        }
    }

    /// Whether the time of a search is over that has no number of cases.
    fn is_over(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Whether the time is over as well in which what was found last is made small.
    pub fn is_settled(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline + SETTLING)
    }

    /// The next case of a search that has as many as there is time for.
    fn steered(&self, search: Search, number: usize, searched: &[Service], novelty: &Mutex<Novelty>) -> Option<Case> {
        if self.deadline.is_none() || self.is_over() || searched.is_empty() {
            return None;
        }
        let service = searched[number % searched.len()];
        // The parts of a search draw from different places of one seed.
        let own = (number / searched.len()) as u64;
        let part = self.partition.map_or(0, Partition::offset);
        Some(Novelty::steered(novelty, service, search.seed, part + own))
    }
}

/// A panic while a lock was held would be a defect of ours; what is shared is plain data and stays usable.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_about_signatures_are_asked_for_by_their_own_name() {
        let asks = |filter: &[&str]| asks_for_signatures(&filter.iter().copied().map(String::from).collect::<Vec<_>>());
        for filter in [&["auth"][..], &["auth/"], &["auth/date"], &["=auth/date/range/hour-old"], &["wire/", "auth"]] {
            assert!(asks(filter), "{filter:?}");
        }
        for filter in [&[][..], &["wire/"], &["my-auth-case"], &["author"], &["=team/auth/x"]] {
            assert!(!asks(filter), "{filter:?}");
        }
        let named = Settings { filter: vec![String::from("auth")], ..Settings::everything("", "") };
        let usual = Settings::everything("", "");
        assert!(is_chosen(&named, "auth/accepted/valid") && !is_chosen(&usual, "auth/accepted/valid"));
        assert!(is_let_through(&usual, "auth/mine"), "what somebody wrote is run");
    }
}
