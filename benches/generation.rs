//! How fast requests are generated: strings of the documented patterns, requests, and whole plans.
//!
//! `cargo bench --bench generation --no-default-features` prints items per second of one core: an item is a string, a
//! request, or a plan. Each measured step draws the same items, by number, so that two versions can be compared.
//! `benches/beside-hypothesis.sh` puts the figures beside those of Hypothesis.
//!
//! A step takes a millisecond or less where it can: on a busy machine the fastest one is then one without a pause.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};

/// As the command has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}

/// Measures the draws of the first `count` numbers, as items.
fn draws<T>(bencher: Bencher, count: u64, mut draw: impl FnMut(u64) -> T) {
    bencher.counter(ItemsCount::new(count)).bench_local(|| {
        for number in 0..count {
            black_box(draw(black_box(number)));
        }
    });
}

/// Entropy of a number: neighbours have nothing in common.
fn entropy(number: u64) -> u64 {
    (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Strings of the documented patterns.
mod strings {
    use divan::Bencher;
    use ecrspec::contract::{Operation, Service};
    use ecrspec::testing::Constraint;
    use proptest::strategy::{Strategy as _, ValueTree as _};
    use proptest::test_runner::TestRunner;

    use super::{draws, entropy};

    const MEMBERS: [&str; 4] = ["layerDigest", "repositoryName", "uploadId", "registryId"];

    /// The constraint of a member, and a length that is usual.
    pub fn usual(member: &str) -> (Constraint, usize) {
        let (member, length) = match member {
            "layerDigest" => ("layerDigests", 71),
            "repositoryName" => ("repositoryName", 20),
            "uploadId" => ("uploadId", 36),
            _ => ("registryId", 12),
        };
        (Constraint::of(Service::Ecr, Operation::CompleteLayerUpload, member).unwrap(), length)
    }

    /// Valid ones, from the automaton.
    #[divan::bench(args = MEMBERS)]
    fn matching(bencher: Bencher, member: &str) {
        let (constraint, length) = usual(member);
        draws(bencher, 100, |number| constraint.matching(length, entropy(number)).unwrap());
    }

    /// Valid ones and near misses of many lengths, as proptest draws them.
    #[divan::bench(args = MEMBERS)]
    fn texts(bencher: Bencher, member: &str) {
        let texts = usual(member).0.texts();
        let mut runner = TestRunner::deterministic();
        draws(bencher, 100, |_| texts.new_tree(&mut runner).unwrap().current());
    }
}

/// Bodies of CompleteLayerUpload in which every member is drawn from its pattern: nothing is known of the answer.
mod bodies {
    use divan::Bencher;
    use serde_json::json;

    use super::strings::usual;
    use super::{draws, entropy};

    #[divan::bench(args = [1, 100])]
    fn valid(bencher: Bencher, digests: u64) {
        let [repository, upload, digest] = ["repositoryName", "uploadId", "layerDigest"].map(|member| {
            let (constraint, length) = usual(member);
            move |number: u64| constraint.matching(length, entropy(number)).unwrap()
        });
        draws(bencher, 10, |number| {
            let digests: Vec<String> = (0..digests).map(|place| digest(number * digests + place)).collect();
            json!({ "repositoryName": repository(number), "uploadId": upload(number), "layerDigests": digests })
                .to_string()
        });
    }
}

/// CompleteLayerUpload for an upload that is there, each request with what it must be answered.
mod requests {
    use arbitrary::Unstructured;
    use divan::Bencher;
    use ecrspec::case::{Decision, Plan};
    use ecrspec::contract::{Operation, Service};
    use ecrspec::generate::Violations;
    use ecrspec::testing::{Completion, Upload};
    use serde_json::Value;

    use super::draws;

    const COMPLETE: Operation = Operation::CompleteLayerUpload;

    /// One digest, the right one.
    #[divan::bench]
    fn valid_small(bencher: Bencher) {
        let requests = [request(0, None)];
        requests.iter().for_each(|bytes| holds(bytes, true, 1));
        measure(bencher, &requests);
    }

    /// 100 digests, one of them right: from number to number another one.
    #[divan::bench]
    fn valid_100_digests(bencher: Bencher) {
        let requests: Vec<Vec<u8>> = (208..216).map(|form| request(form, None)).collect();
        requests.iter().for_each(|bytes| holds(bytes, true, 100));
        measure(bencher, &requests);
    }

    /// One digest at most, and one thing wrong.
    #[divan::bench]
    fn invalid_small(bencher: Bencher) {
        let requests = [
            "layerDigests/match/wrong",
            "layerDigests/min-items/empty-list",
            "layerDigests/item-pattern/no-colon",
            "uploadId/exists/unknown",
            "repositoryName/required/absent",
        ]
        .map(|violation| request(0, Some(violation)));
        requests.iter().for_each(|bytes| holds(bytes, false, 1));
        measure(bencher, &requests);
    }

    /// 100 digests, none of them right.
    #[divan::bench]
    fn invalid_100_digests(bencher: Bencher) {
        let requests = [request(0, Some("layerDigests/match/none-of-100"))];
        requests.iter().for_each(|bytes| holds(bytes, false, 100));
        measure(bencher, &requests);
    }

    /// One digest more than is allowed.
    #[divan::bench]
    fn invalid_101_digests(bencher: Bencher) {
        let requests = [request(0, Some("layerDigests/max-items/101-items"))];
        requests.iter().for_each(|bytes| holds(bytes, false, 101));
        measure(bencher, &requests);
    }

    fn measure(bencher: Bencher, requests: &[Vec<u8>]) {
        let upload = upload();
        draws(bencher, 20, |number| completion(&upload, &requests[number as usize % requests.len()]));
    }

    /// The bytes of a fuzzer for one request. The fourth byte of the entropy chooses the form of the list of digests.
    fn request(form: u8, violation: Option<&str>) -> Vec<u8> {
        let number =
            |name: &str| Violations::of(Service::Ecr, COMPLETE).number(name).unwrap_or_else(|| panic!("no {name}"));
        let violations = violation.map(number).into_iter().collect();
        let decision = Decision { violations, entropy: [0, 0, 0, form, 0, 0, 0, 0], ..Decision::plain(COMPLETE) };
        Plan { decisions: vec![decision] }.to_bytes()
    }

    fn completion(upload: &Upload, bytes: &[u8]) -> Completion {
        upload.completion(Service::Ecr, &mut Unstructured::new(bytes)).unwrap()
    }

    fn upload() -> Upload {
        Upload {
            repository: String::from("team/app"),
            id: String::from("6cb64b8a-9378-0e33-2ab1-b780fab8a9e9"),
            digest: format!("sha256:{}", "0f".repeat(32)),
        }
    }

    /// That a request is what its benchmark says.
    fn holds(bytes: &[u8], valid: bool, digests: usize) {
        let request = completion(&upload(), bytes);
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let found = body["layerDigests"].as_array().map_or(0, Vec::len);
        assert!(found == digests || digests == 1 && found == 0, "{found} digests");
        assert_eq!(request.expected.is_success(), valid, "{:?}", request.violations);
    }
}

/// Sequences of calls, drawn by number.
mod plans {
    use divan::Bencher;
    use ecrspec::contract::Service;
    use ecrspec::generate::{plan, realise};

    use super::draws;

    /// Decisions alone.
    #[divan::bench]
    fn drawn(bencher: Bencher) {
        draws(bencher, 100, |number| plan::nth(Service::Ecr, 1, number));
    }

    /// With requests and what they must be answered. The model follows every call, and some parts have 5 MiB.
    #[divan::bench(sample_count = 20)]
    fn realised(bencher: Bencher) {
        draws(bencher, 100, |number| realise(Service::Ecr, &plan::nth(Service::Ecr, 1, number)));
    }
}
