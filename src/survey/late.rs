//! What shows only later: a layer, an upload or a repository that is there after a while, though it should have been at
//! once.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::contract::{Operation, Service};
use crate::drive::Target;
use crate::judge::Witness;
use crate::wire::{Exchange, Observation};

/// How long is asked again.
const LONGEST: Duration = Duration::from_secs(1);

/// What is between two questions.
const PAUSE: Duration = Duration::from_millis(20);

/// Asks the same again until the answer is as it should be, or it is late. How much later that was.
pub(super) async fn later(
    target: &Target,
    service: Service,
    exchange: &Exchange,
    is_right: fn(&Observation) -> bool,
) -> Option<Duration> {
    let began = Instant::now();
    while began.elapsed() < LONGEST {
        pause().await;
        let again = target.send(service, &exchange.request).await.ok()?;
        if is_right(again.observed().ok()?) {
            return Some(began.elapsed());
        }
    }
    None
}

/// How a finding says so.
pub(super) fn witness(operation: Operation, later: Duration) -> Witness {
    let call = format!("{operation}: as it should be after {} ms", later.as_millis());
    Witness { seen: 1, rounds: 1, calls: vec![call] }
}

/// Whether an answer says that something is not there which was made before.
pub(super) fn is_absence(seen: &Observation) -> bool {
    matches!(
        seen.error_name(),
        Some("RepositoryNotFoundException" | "UploadNotFoundException" | "EmptyUploadException")
    )
}

/// Whether an answer lists a layer that is available.
pub(super) fn has_layer(seen: &Observation) -> bool {
    let layers = seen.success().and_then(|body| body.get("layers")).and_then(Value::as_array);
    layers.into_iter().flatten().any(|layer| layer["layerAvailability"] == "AVAILABLE")
}

async fn pause() {
    #[cfg(feature = "run")]
    if tokio::runtime::Handle::try_current().is_ok() {
        tokio::time::sleep(PAUSE).await;
    }
}
