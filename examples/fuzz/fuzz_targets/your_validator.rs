//! A fuzz target for a validator of one's own: it has to say of each text what the documented constraint says.
//!
//! ```sh
//! cargo +stable fuzz run --fuzz-dir examples/fuzz --sanitizer none your_validator -- -max_total_time=10
//! ```
#![no_main]

use std::sync::LazyLock;

use ecrspec::contract::{Operation, Service};
use ecrspec::testing::Constraint;
use libfuzzer_sys::fuzz_target;

static DIGESTS: LazyLock<Constraint> =
    LazyLock::new(|| Constraint::of(Service::Ecr, Operation::CompleteLayerUpload, "layerDigests").expect("it has one"));

fuzz_target!(|bytes: &[u8]| DIGESTS.fuzz(bytes, is_digest));

/// Yours: `[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+`.
fn is_digest(text: &str) -> bool {
    let Some((algorithm, hex)) = text.split_once(':') else { return false };
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_+.".contains(&byte);
    let is_all = |text: &str, allowed: &dyn Fn(u8) -> bool| !text.is_empty() && text.bytes().all(allowed);
    is_all(algorithm, &is_letter) && is_all(hex, &|byte| byte.is_ascii_hexdigit())
}
