//! layerDigests: how many, which of them is bad, which of them is right.

use super::values::{self, NamedValue, Violation};
use crate::case::Case;
use crate::case::draft::{ABSENT, Draft, HERE, OF_NOTHING, RIGHT, SMALL};
use crate::contract::{Operation, RuleId, Service};
use crate::model::operation::body;

/// The cases about layerDigests of CompleteLayerUpload and of BatchCheckLayerAvailability.
pub fn cases(service: Service) -> Vec<Case> {
    let mut cases = completed(service);
    cases.extend(rejected(service));
    cases.extend(looked_up(service));
    cases
}

const COMPLETE: Operation = Operation::CompleteLayerUpload;
const CHECK: Operation = Operation::BatchCheckLayerAvailability;

/// A well-formed digest of nothing that is uploaded.
pub(super) fn wrong(number: usize) -> String {
    format!("sha256:{number:064x}")
}

/// `count` wrong digests, the right one in their midst at `position`.
fn right_at(position: usize, count: usize) -> Vec<String> {
    (0..count).map(|index| if index == position { String::from(RIGHT) } else { wrong(index) }).collect()
}

fn json(digests: &[String]) -> String {
    let items: Vec<String> = digests.iter().map(|digest| body::quote(digest)).collect();
    format!("[{}]", items.join(","))
}

/// Lists that complete the upload, or of which that is not known.
fn completed(service: Service) -> Vec<Case> {
    let right = || String::from(RIGHT);
    let sha512 = || format!("sha512:{}", "0f".repeat(64));
    let documented = "6cb64b8a-9378-0e33-2ab1-b780fab8a9e9:48074e6d3a68b39aad8ccc002cdad912d4148c0f92b3729323e";
    let rows: Vec<(&str, &str, &str, &str, Vec<String>)> = vec![
        ("accepted", "min-items", "1-item", "one digest, the right one", vec![right()]),
        ("layerDigests/duplicates", "duplicates", "twice", "the right digest twice", vec![right(); 2]),
        ("layerDigests/duplicates", "max-items", "99-items", "99 digests, all right", vec![right(); 99]),
        ("layerDigests/duplicates", "max-items", "100-items", "100 digests, all right", vec![right(); 100]),
        ("layerDigests/any-match", "any-match", "first-of-2", "the first of 2 digests right", right_at(0, 2)),
        ("layerDigests/any-match", "any-match", "last-of-2", "the last of 2 digests right", right_at(1, 2)),
        ("layerDigests/any-match", "any-match", "first-of-100", "the first of 100 digests right", right_at(0, 100)),
        ("layerDigests/any-match", "any-match", "middle-of-100", "the 50th of 100 digests right", right_at(49, 100)),
        ("layerDigests/any-match", "any-match", "last-of-100", "the last of 100 digests right", right_at(99, 100)),
        ("layerDigests/sha512", "sha512", "wrong", "a wrong sha512 digest alone", vec![sha512()]),
        (
            "layerDigests/other-algorithm",
            "other-algorithm",
            "documented-example",
            "the digest of the AWS CLI page, literally",
            vec![String::from(documented)],
        ),
        (
            "layerDigests/other-algorithm",
            "other-algorithm",
            "all-separators",
            "an algorithm with + . _ and -",
            vec![String::from("tarsum.v1+sha_2-56:${hex:layer}")],
        ),
        (
            "layerDigests/any-match",
            "any-match",
            "beside-sha512",
            "a wrong sha512 digest and the right one",
            vec![sha512(), right()],
        ),
        (
            "layerDigests/mixed-algorithms",
            "mixed-algorithms",
            "sha512-and-wrong",
            "a wrong sha512 digest and a wrong sha256 digest",
            vec![sha512(), wrong(1)],
        ),
        (
            "layerDigests/upper-case",
            "upper-case",
            "hex",
            "the right hex digits in upper case",
            vec![String::from("sha256:${hex-upper:layer}")],
        ),
        (
            "layerDigests/upper-case",
            "upper-case",
            "algorithm",
            "SHA256 in upper case",
            vec![String::from("SHA256:${hex:layer}")],
        ),
    ];
    rows.into_iter()
        .map(|(rule, family, variant, title, digests)| {
            let id = format!("{COMPLETE}/layerDigests/{family}/{variant}");
            let draft = Draft::new(service, id, title).uploaded();
            draft.focus(RuleId::of(COMPLETE, rule), COMPLETE, body::complete(HERE, "upload", &digests)).done()
        })
        .collect()
}

/// Lists that are rejected; the layer must not be there afterwards.
fn rejected(service: Service) -> Vec<Case> {
    let case = |violation: Violation| {
        let draft = Draft::new(service, violation.id(), violation.title.clone()).chunk("other", SMALL).uploaded();
        let body = violation.apply(body::complete(HERE, "upload", &[RIGHT]));
        Some(draft.focus(violation.rule?, COMPLETE, body).probe_absent(RIGHT).done())
    };
    violations().into_iter().filter_map(case).collect()
}

/// What can be wrong with the list of a completion.
pub fn violations() -> Vec<Violation> {
    let mut lists: Vec<(&'static str, NamedValue)> = Vec::new();
    let mut add = |what: &'static str, variant: &str, title: &str, json: String| {
        let value = NamedValue { variant: String::from(variant), title: String::from(title), json };
        lists.push((what, value));
    };
    add("min-items", "empty-list", "an empty list", String::from("[]"));
    add("max-items", "101-items", "101 digests, the first right", json(&right_at(0, 101)));
    add("max-items", "101-duplicates", "the right digest 101 times", json(&vec![String::from(RIGHT); 101]));
    add("max-items", "1000-items", "1,000 digests, the first right", json(&right_at(0, 1000)));

    for bad in values::digests("${hex:layer}") {
        add("item-pattern", &bad.variant, &format!("one digest, with {}", bad.title), format!("[{}]", bad.json));
    }
    let right = body::quote(RIGHT);
    let bad = body::quote("no digest");
    for (place, list) in [
        ("first", format!("[{bad},{right},{right}]")),
        ("middle", format!("[{right},{bad},{right}]")),
        ("last", format!("[{right},{right},{bad}]")),
    ] {
        add("item-pattern", &format!("bad-{place}"), &format!("a malformed digest among right ones, {place}"), list);
    }
    for (title, item) in [("a number", "1"), ("a boolean", "true"), ("a list", "[]"), ("an object", "{}")] {
        let variant = title.rsplit(' ').next().unwrap_or(title);
        add("item-type", variant, &format!("{title} alone"), format!("[{item}]"));
        add(
            "item-type",
            &format!("{variant}-last"),
            &format!("{title} after the right digest"),
            format!("[{right},{item}]"),
        );
    }
    add("item-null", "alone", "null alone", String::from("[null]"));
    add("item-null", "first", "null before the right digest", format!("[null,{right}]"));
    add("item-null", "last", "null after the right digest", format!("[{right},null]"));

    add("match", "wrong", "one digest, a wrong one", json(&[wrong(1)]));
    add(
        "match",
        "last-digit",
        "the right digest but for its last digit",
        String::from(r#"["sha256:${sha256-last-digit-off:layer}"]"#),
    );
    add("match", "other-bytes", "the digest of other bytes", String::from(r#"["${sha256:other}"]"#));
    add("match", "twice-the-bytes", "the digest of the bytes sent twice", String::from(r#"["${sha256:layer+layer}"]"#));
    add("match", "of-nothing", "the sha256 of nothing", json(&[String::from(OF_NOTHING)]));
    add("match", "zeros", "64 zeros", json(&[wrong(0)]));
    add("match", "none-of-2", "2 digests, none right", json(&[wrong(1), wrong(2)]));
    add("match", "none-of-100", "100 digests, none right", json(&(0..100).map(wrong).collect::<Vec<_>>()));
    for (variant, digits) in [("2-digits", 2), ("63-digits", 63), ("65-digits", 65), ("128-digits", 128)] {
        let digest = format!("sha256:{}", "0".repeat(digits));
        add("sha256-length", variant, &format!("a sha256 digest of {digits} digits"), json(&[digest]));
    }
    for (variant, title, hex) in [
        ("beginning", "the first twelve digits of the right digest", "${sha256-prefix12:layer}"),
        ("digit-behind", "the right digest and one more digit", "${hex:layer}0"),
    ] {
        add("sha256-length", variant, title, format!(r#"["sha256:{hex}"]"#));
    }
    add(
        "sha256-length",
        "10000-digits",
        "a sha256 digest of 10,000 digits",
        String::from(r#"["sha256:${repeat:10000:a}"]"#),
    );
    add("sha256-length", "1-MiB", "a sha256 digest of 1 MiB", String::from(r#"["sha256:${repeat:1048576:a}"]"#));

    lists
        .into_iter()
        .map(|(what, value)| Violation {
            title: value.title.clone(),
            ..Violation::of(RuleId::about(COMPLETE, "layerDigests", what), "layerDigests", &value)
        })
        .collect()
}

/// Lists that BatchCheckLayerAvailability looks up.
fn looked_up(service: Service) -> Vec<Case> {
    let many = |count: usize| json(&(0..count).map(wrong).collect::<Vec<_>>());
    let accepted = "accepted";
    let rows: Vec<(&str, &str, &str, &str, String)> = vec![
        (accepted, "min-items", "1-item", "one digest", many(1)),
        (accepted, "max-items", "100-items", "100 digests", many(100)),
        (
            accepted,
            "item-max-length",
            "1000-characters",
            "a digest of 1,000 characters",
            String::from(r#"["sha256:${repeat:993:a}"]"#),
        ),
        (accepted, "duplicates", "twice", "one digest twice", json(&vec![String::from(ABSENT); 2])),
        ("layerDigests/min-items", "min-items", "empty-list", "an empty list", String::from("[]")),
        ("layerDigests/max-items", "max-items", "101-items", "101 digests", many(101)),
        ("layerDigests/max-items", "max-items", "1000-items", "1,000 digests", many(1000)),
        (
            "layerDigests/item-max-length",
            "item-max-length",
            "1001-characters",
            "a digest of 1,001 characters",
            String::from(r#"["sha256:${repeat:994:a}"]"#),
        ),
        (
            "layerDigests/item-max-length",
            "item-max-length",
            "10000-characters",
            "a digest of 10,000 characters",
            String::from(r#"["sha256:${repeat:9993:a}"]"#),
        ),
        (
            "layerDigests/item-max-length",
            "item-max-length",
            "1-MiB",
            "a digest of 1 MiB",
            String::from(r#"["sha256:${repeat:1048576:a}"]"#),
        ),
        ("layerDigests/item-type", "item-type", "number", "a number", String::from("[1]")),
        ("layerDigests/item-type", "item-type", "boolean", "a boolean", String::from("[true]")),
        ("layerDigests/item-type", "item-type", "list", "a list inside the list", String::from("[[]]")),
        ("layerDigests/item-type", "item-type", "object", "an object", String::from("[{}]")),
        ("layerDigests/item-null", "item-null", "alone", "null", String::from("[null]")),
        ("layerDigests/malformed", "malformed", "no-colon", "a digest without a colon", json(&["0f".repeat(32)])),
        ("layerDigests/malformed", "malformed", "empty", "an empty string", json(&[String::new()])),
        (
            "layerDigests/malformed",
            "malformed",
            "non-hex",
            "a digest that is not hex",
            json(&[String::from("sha256:xyz")]),
        ),
    ];
    rows.into_iter()
        .map(|(rule, family, variant, title, json)| {
            let id = format!("{CHECK}/layerDigests/{family}/{variant}");
            let body = body::check(HERE, &[ABSENT]).set("layerDigests", json);
            Draft::new(service, id, title).focus(RuleId::of(CHECK, rule), CHECK, body).done()
        })
        .collect()
}
