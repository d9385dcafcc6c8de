//! What shows only later: a layer, an upload or a repository that is there after a while, though it should have been at
//! once. Pure.

use std::time::Duration;

use serde_json::Value;

use crate::contract::Operation;
use crate::judge::Witness;
use crate::wire::Observation;

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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::wire::envelope;

    #[test]
    fn absence_is_told_from_other_errors() {
        let seen = |status, body: Value| Observation::of(&envelope::response(status, &body));
        assert!(is_absence(&seen(400, json!({ "__type": "UploadNotFoundException" }))));
        assert!(!is_absence(&seen(400, json!({ "__type": "InvalidParameterException" }))));
        assert!(!is_absence(&seen(200, json!({}))));
        let layer = |availability: &str| json!({ "layers": [{ "layerAvailability": availability }] });
        assert!(has_layer(&seen(200, layer("AVAILABLE"))));
        assert!(!has_layer(&seen(200, layer("UNAVAILABLE"))));
        assert!(!has_layer(&seen(200, json!({}))));
    }
}
