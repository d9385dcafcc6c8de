//! A second look, later in a run: whether an operation that has stopped responding answers again.

use super::Survey;
use super::preflight::upload;
use crate::case::draft::SMALL;
use crate::contract::Operation;
use crate::drive::{self, Target, Workspace};

/// Whether an operation answers anything: its call in a plain upload, where it has a place there, or else an empty request.
/// Gives what was made for that and could not be removed as well.
pub(crate) async fn answers(
    target: &Target,
    survey: &Survey,
    prefix: &str,
    repository: Option<&str>,
    operation: Operation,
) -> (bool, Vec<String>) {
    let service = survey.service;
    let case = upload(service, repository.is_none());
    if !case.steps.iter().any(|step| step.operation == Some(operation)) {
        return (drive::answers(target, service, operation).await, Vec::new());
    }
    let room = Workspace {
        prefix: String::from(prefix),
        making: survey.making,
        shared: repository.map(String::from),
        account: survey.account.clone(),
        alias: survey.alias.clone(),
        part_size: SMALL,
        salt: format!("{prefix}/again"),
        worker: 0,
    };
    let transcript = drive::case(&target.afresh(), &case, &room).await;
    let calls = case.steps.iter().zip(&transcript.exchanges);
    let own = calls.filter(|(step, _)| step.operation == Some(operation)).map(|(_, exchange)| exchange).next();
    let answers = match own {
        Some(exchange) => drive::is_answer(exchange),
        None => drive::answers(target, service, operation).await,
    };
    (answers, transcript.left)
}
