//! The bodies of the fuzz targets: each takes bytes, and panics if they make the harness break a promise that it gives.
//! `fuzz/fuzz_targets` calls each in one line; `tests/fuzz_corpora.rs` replays the committed corpora on stable.
//!
//! | target | what must hold |
//! | --- | --- |
//! | [`repository_name`], [`registry_id`], [`upload_id`], [`layer_digest`] | two implementations of each documented pattern agree |
//! | [`request()`] | two implementations of the syntax of a request agree, and the reference registry answers by them |
//! | `response` (feature `terminal`) | whatever a target answers is judged, logged and reported, and what is shown of it is harmless |
//! | `sequence` (feature `mock`) | a sequence of calls on the reference server gives no finding |
//! | [`scenario`] | a scenario file that can be read can be written, and reads the same |

mod pattern;
mod request;
#[cfg(feature = "terminal")]
mod response;
mod syntax;

pub use pattern::{layer_digest, registry_id, repository_name, upload_id};
pub use request::request;
#[cfg(feature = "terminal")]
pub use response::response;

#[cfg(feature = "mock")]
use crate::case::Plan;
#[cfg(feature = "mock")]
use crate::contract::{Operation, Service};
use crate::scenario::{parse, print_found};

/// A sequence of calls is driven into the reference server in process, and judged: nothing is found. The first byte says
/// which service, the others are a plan.
///
/// # Panics
///
/// With the finding: then the model, what is expected of it, or the way from one to the other is wrong.
#[cfg(feature = "mock")]
pub fn sequence(data: &[u8]) {
    use arbitrary::{Arbitrary as _, Unstructured};

    let Some((first, rest)) = data.split_first() else { return };
    let service = Service::ALL[usize::from(*first) % Service::ALL.len()];
    let Ok(mut plan) = Plan::arbitrary(&mut Unstructured::new(rest)) else { return };
    // A part of 5 MiB takes as long as a hundred small calls: few inputs have some, and those not many.
    let allowed = if *first >= 250 { 2 } else { 0 };
    let large =
        plan.decisions.iter_mut().filter(|call| call.operation == Operation::UploadLayerPart && call.entropy[2] >= 252);
    large.skip(allowed).for_each(|call| call.entropy[2] = 0);
    let server = crate::mock::router(std::sync::Arc::new(crate::mock::Mock::new(&[service])));
    crate::testing::sequence(server, service, &plan);
}

/// A scenario file that can be read can be written; what was written reads the same, and is written the same.
///
/// # Panics
///
/// When it does not.
pub fn scenario(text: &str) {
    let Ok(read) = parse("", "fuzz/case", text) else { return };
    for case in &read.cases {
        let found = read.found.as_ref();
        let printed = print_found(case, found).unwrap_or_else(|why| panic!("{why}"));
        let again = parse("", "fuzz/case", &printed).unwrap_or_else(|mistake| panic!("{mistake} in\n{printed}"));
        assert_eq!(again.cases.len(), 1, "services of\n{printed}");
        // `print` itself compares; this says all of a difference.
        assert_eq!(format!("{:?}", again.cases[0]), format!("{case:?}"), "another case reads from\n{printed}");
        assert_eq!(again.found.as_ref(), found, "another finding reads from\n{printed}");
        assert_eq!(print_found(&again.cases[0], found).as_ref(), Ok(&printed), "printed again");
    }
}
