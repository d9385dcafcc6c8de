//! Every row of the contract has its cases, or it is said why it can have none.

use std::sync::LazyLock;

use ecrspec::case::Case;
use ecrspec::contract::{Operation, RuleId, Rules, Service};
use ecrspec::coverage::{AllowedError, Cell, Coverage, Reach, Thing};
use ecrspec::suite::drafts;
use ecrspec::template::Template;

/// That of all cases, measured once; with what rules and scenario files say, before anything is reviewed.
static COVERAGE: LazyLock<[Coverage; 2]> =
    LazyLock::new(|| Service::ALL.map(|service| Coverage::of(service, &drafts(service).unwrap()).unwrap()));

#[test]
fn every_row_of_the_contract_has_its_cases() {
    let gaps: Vec<String> = COVERAGE.iter().flat_map(Coverage::gaps).collect();
    assert!(gaps.is_empty(), "{} gaps of coverage:\n{}", gaps.len(), gaps.join("\n"));
}

#[test]
fn every_rule_and_error_has_a_row() {
    for coverage in COVERAGE.iter() {
        let service = coverage.service;
        let constraints = coverage.constraints.iter().map(|row| row.rule);
        let rows: Vec<RuleId> = constraints.chain(coverage.rules.iter().map(|row| row.rule)).collect();
        for rule in Rules::of(service).iter().filter(|rule| !rule.id.is_everywhere()) {
            assert_eq!(rows.iter().filter(|row| **row == rule.id).count(), 1, "{service} {}", rule.id);
        }
        for operation in service.contract().operations {
            for error in operation.errors {
                let is_it = |row: &&_| {
                    matches!(row, AllowedError { operation: of, error: name, .. }
                    if *of == Some(operation.name) && name == error)
                };
                assert_eq!(coverage.errors.iter().filter(is_it).count(), 1, "{service} {} {error}", operation.name);
            }
        }
    }
}

/// Cases that are taken away leave the cells empty that they covered alone.
#[test]
fn a_case_that_is_missing_is_a_gap() {
    let alone = [
        ("UploadLayerPart/layerPartBlob/max-size/23068674-bytes", "max-size", "far outside"),
        ("CompleteLayerUpload/uploadId/required/null", "uploadId/required", "value null"),
        ("BatchCheckLayerAvailability/layerDigests/item-null/alone", "item-null", "value null"),
        (
            "scenarios/availability/download-url-after-a-rejected-completion",
            "layer that is \"rejected\"",
            "GetDownloadUrl",
        ),
        ("wire/target/operation/unknown", "wire/target/operation", "no case"),
    ];
    let is_left = |case: &Case| alone.iter().all(|(id, ..)| case.id != *id);
    let left: Vec<Case> = drafts(Service::Ecr).unwrap().into_iter().filter(is_left).collect();
    let gaps = Coverage::of(Service::Ecr, &left).unwrap().gaps();
    for (id, what, place) in alone {
        assert!(gaps.iter().any(|gap| gap.contains(what) && gap.contains(place)), "without {id}: {gaps:?}");
    }
}

/// What a case is called does not count: only what it sends.
#[test]
fn a_case_that_keeps_its_rule_is_found() {
    let mut cases = drafts(Service::Ecr).unwrap();
    let id = "CompleteLayerUpload/layerDigests/max-items/101-items";
    let case = cases.iter_mut().find(|case| case.id == id).unwrap();
    let right = &case.steps.iter().find(|step| step.name == "probe").unwrap().request.body;
    let list = right.to_string().split_once("\"layerDigests\":").unwrap().1.to_owned();
    let focus = case.steps.iter_mut().find(|step| step.name == "focus").unwrap();
    let body = focus.request.body.to_string();
    let body = format!("{}\"layerDigests\":{list}", body.split_once("\"layerDigests\":").unwrap().0);
    focus.request.body = Template::parse(body).unwrap();
    let gaps = Coverage::of(Service::Ecr, &cases).unwrap().gaps();
    let expected = format!("ecr: {id} says that it breaks CompleteLayerUpload/layerDigests/max-items, and keeps it");
    assert!(gaps.iter().any(|gap| gap.starts_with(&expected)), "{gaps:?}");
}

/// Where the values of some cases lie, as a reader would say.
#[test]
fn values_lie_where_a_reader_sees_them() {
    let rows = [
        ("InitiateLayerUpload/repositoryName/max-length", Reach::JustInside, "256-characters"),
        ("InitiateLayerUpload/repositoryName/max-length", Reach::JustOutside, "257-characters"),
        ("InitiateLayerUpload/repositoryName/max-length", Reach::FarOutside, "1-MiB"),
        ("InitiateLayerUpload/repositoryName/min-length", Reach::FarOutside, "empty"),
        ("InitiateLayerUpload/repositoryName/pattern", Reach::JustOutside, "trailing-newline"),
        ("InitiateLayerUpload/repositoryName/pattern", Reach::FarOutside, "arn"),
        ("InitiateLayerUpload/registryId/optional", Reach::Null, "null"),
        ("InitiateLayerUpload/registryId/pattern", Reach::JustOutside, "13-digits"),
        ("InitiateLayerUpload/registryId/pattern", Reach::FarOutside, "dashes"),
        ("InitiateLayerUpload/repositoryName/required", Reach::Absent, "absent"),
        ("UploadLayerPart/partFirstByte/min", Reach::JustOutside, "minus-1"),
        ("UploadLayerPart/partFirstByte/min", Reach::FarOutside, "minus-2-63"),
        ("UploadLayerPart/partFirstByte/64-bit", Reach::JustOutside, "2-63"),
        ("UploadLayerPart/partFirstByte/contiguous", Reach::JustOutside, "overlap"),
        ("UploadLayerPart/partFirstByte/from-zero", Reach::FarOutside, "at-2-30"),
        ("UploadLayerPart/layerPartBlob/base64", Reach::JustOutside, "bad-alphabet"),
        ("UploadLayerPart/layerPartBlob/length", Reach::JustOutside, "one-byte-over"),
        ("UploadLayerPart/layerPartBlob/type", Reach::WrongType, "object"),
        ("CompleteLayerUpload/layerDigests/max-items", Reach::JustInside, "100-items"),
        ("CompleteLayerUpload/layerDigests/max-items", Reach::FarOutside, "1000-items"),
        ("CompleteLayerUpload/layerDigests/min-items", Reach::JustOutside, "empty-list"),
        ("CompleteLayerUpload/layerDigests/item-type", Reach::WrongType, "boolean-last"),
        ("CompleteLayerUpload/layerDigests/sha256-length", Reach::JustOutside, "63-digits"),
        ("CompleteLayerUpload/parts/min-size", Reach::JustInside, "first-5242880-bytes"),
        ("CompleteLayerUpload/parts/min-size", Reach::JustOutside, "middle-5242879-bytes"),
    ];
    let [ecr, _] = &*COVERAGE;
    for (rule, reach, variant) in rows {
        let row = ecr.constraints.iter().find(|row| row.rule == RuleId::new(rule)).unwrap();
        let of = |cell: &&Cell| cell.reach == reach;
        let cell = row.cells.iter().find(of).unwrap();
        let ids: Vec<&str> = cell.cases.ids().collect();
        assert!(ids.iter().any(|id| id.ends_with(&format!("/{variant}"))), "{rule}, {reach:?}: {ids:?}");
    }
    let met = |of: Thing, name: &str, operation: Operation| {
        let mut rows = ecr.states.iter();
        let row = rows.find(|row| row.state.of == of && row.state.name == name && row.operation == operation).unwrap();
        row.cases.ids().map(String::from).collect::<Vec<_>>()
    };
    for (of, name, operation, case) in [
        (Thing::Upload, "completed", Operation::CompleteLayerUpload, "scenarios/reuse/repeated-completion"),
        (Thing::Upload, "of another repository", Operation::UploadLayerPart, "scenarios/clients/foreign-upload-id"),
        (
            Thing::Repository,
            "made again",
            Operation::InitiateLayerUpload,
            "scenarios/repositories/recreated-and-pushed",
        ),
        (
            Thing::Layer,
            "stored elsewhere",
            Operation::CompleteLayerUpload,
            "CompleteLayerUpload/layer/per-repository/same-bytes",
        ),
    ] {
        let cases = met(of, name, operation);
        assert!(cases.iter().any(|id| id == case), "{operation} on {name}: {cases:?}");
    }
}

#[cfg(feature = "cli")]
#[test]
fn the_command_prints_it() {
    use std::process::Command;

    use serde_json::Value;

    let listed = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_ecrspec")).args(["list", "--coverage"]).args(arguments).output();
        let output = output.unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, text) = listed(&["--service", "ecr"]);
    let longest = text.lines().max_by_key(|line| line.chars().count()).unwrap();
    assert!(code == Some(0) && longest.chars().count() <= 80, "{longest}");
    assert!(!text.contains("EMPTY") && !text.contains("Gaps"), "{text}");

    let (_, text) = listed(&["--service", "ecr", "-v", "--filter", "CompleteLayerUpload/layerDigests/max-items"]);
    assert!(text.contains("far outside   CompleteLayerUpload/layerDigests/max-items/1000-items"), "{text}");
    assert_eq!(listed(&["--service", "ecr-public", "--filter", "no such row"]).0, Some(4));

    let json: Value = serde_json::from_str(&listed(&["--format", "json"]).1).unwrap();
    assert_eq!(json["schema"], 1);
    for (service, coverage) in json["services"].as_array().unwrap().iter().zip(&*COVERAGE) {
        assert_eq!(service["service"], coverage.service.name());
        assert_eq!(service["totals"], serde_json::to_value(coverage.totals()).unwrap());
        assert_eq!(service["constraints"].as_array().unwrap().len(), coverage.constraints.len());
    }
}
