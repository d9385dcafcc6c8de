//! Values of another JSON type that a server may convert to the right one: a number whose digits spell the text, a text that
//! spells the number, a list of one, an object of one.

use super::steps::Steps;
use crate::case::Case;
use crate::case::draft::{Draft, HERE, SMALL};
use crate::contract::{Constraint, Operation, RuleId, Service};
use crate::model::operation::body::{self, Body};

const COMPLETE: Operation = Operation::CompleteLayerUpload;
const UPLOAD: Operation = Operation::UploadLayerPart;

/// The cases of an operation.
pub fn cases(service: Service, operation: Operation) -> Vec<Case> {
    let mut cases = vec![registries(service, operation)];
    match operation {
        UPLOAD => {
            cases.extend(positions(service));
            cases.extend([parts(service), null_part(service), spelled_part(service), escaped_part(service)]);
            cases.push(notations(service));
        }
        COMPLETE | Operation::BatchCheckLayerAvailability => cases.extend(lists(service, operation)),
        _ => {}
    }
    cases
}

/// Calls with values for a member that are rejected by its type.
fn rejected(service: Service, operation: Operation, member: &'static str, rows: &[(&str, &str)]) -> Case {
    let rule = RuleId::of_member(operation, member, Constraint::Type);
    let draft = Draft::new(service, format!("{rule}/converted"), format!("{member}: values that can be converted"));
    let add =
        |steps: Steps, (variant, json): &(&str, &str)| steps.rejected(variant, rule, |body, _| body.set(member, *json));
    rows.iter().fold(Steps::new(operation, draft, HERE).apart(), add).done()
}

/// Numbers with the digits of an account id.
fn registries(service: Service, operation: Operation) -> Case {
    let rows = [
        ("twelve-digits", "111122223333"),
        // An account id that begins with a zero has none as a number.
        ("eleven-digits", "12345678910"),
        ("exponent", "1.11122223333e11"),
        ("two-digits", "11"),
    ];
    rejected(service, operation, "registryId", &rows)
}

/// Texts, lists and objects that spell the right position, and truth values that are counted as it.
fn positions(service: Service) -> Vec<Case> {
    const AS_0: &[(&str, &str)] = &[
        ("text", "\"0\""),
        ("empty-text", "\"\""),
        ("space", "\" \""),
        ("false", "false"),
        ("text-false", "\"false\""),
        ("text-null", "\"null\""),
        ("list", "[0]"),
        ("empty-list", "[]"),
        ("empty-object", "{}"),
        ("object", r#"{"value":0}"#),
    ];
    const AS_1: &[(&str, &str)] = &[
        ("text", "\"1\""),
        ("text-with-point", "\"1.0\""),
        ("text-with-sign", "\"+1\""),
        ("text-with-space", "\" 1\""),
        ("text-with-zero", "\"01\""),
        ("text-with-exponent", "\"1e0\""),
        ("hex-text", "\"0x1\""),
        ("text-with-unit", "\"1 bytes\""),
        ("arabic-digit", "\"١\""),
        ("wide-digit", "\"１\""),
        ("true", "true"),
        ("text-true", "\"true\""),
        ("list", "[1]"),
        ("list-of-text", "[\"1\"]"),
        ("object", r#"{"value":1}"#),
    ];
    let case = |member: &'static str, at: usize, len: usize, rows: &[(&str, &str)]| {
        let rule = RuleId::of_member(UPLOAD, member, Constraint::Type);
        let number = if rows.len() == AS_0.len() { 0 } else { 1 };
        let id = format!("{rule}/converted-to-{number}");
        let title = format!("{member}: values that can be converted to {number}, the right position");
        let draft = Draft::new(service, id, title).chunk("layer", len).chunk("first", 1).initiate("upload");
        let draft = if at > 0 { draft.part("part", "upload", "first", 0) } else { draft };
        let add = |draft: Draft, (variant, json): &(&str, &str)| {
            draft.focus_as(variant, rule, UPLOAD, body::part(HERE, "upload", "layer", at, len).set(member, *json))
        };
        rows.iter().fold(draft, add).done()
    };
    vec![
        case("partFirstByte", 0, SMALL, AS_0),
        case("partFirstByte", 1, SMALL, AS_1),
        case("partLastByte", 0, 1, AS_0),
        case("partLastByte", 0, 2, AS_1),
    ]
}

/// Three bytes, in other types than a text.
fn parts(service: Service) -> Case {
    let rule = RuleId::of_member(UPLOAD, "layerPartBlob", Constraint::Type);
    let rows = [
        // Four letters or digits are base64 of three bytes.
        ("number", "1234"),
        ("number-with-exponent", "1e10"),
        ("true", "true"),
        ("bytes", "[1,2,3]"),
        ("signed-bytes", "[1,-2,3]"),
        ("list-of-text", r#"["QUJD"]"#),
        ("list-of-parts", r#"["QU","JD"]"#),
        ("object", r#"{"layerPartBlob":"QUJD"}"#),
        ("base64-object", r#"{"$base64":"QUJD"}"#),
        ("buffer", r#"{"type":"Buffer","data":[65,66,67]}"#),
        ("bytes-by-index", r#"{"0":65,"1":66,"2":67}"#),
    ];
    let title = "layerPartBlob: values of another type that can be read as three bytes";
    let draft = Draft::new(service, format!("{rule}/three-bytes"), title);
    let add = |steps: Steps, (variant, json): (&str, &str)| {
        steps.rejected(variant, rule, |body, _| body.set("partLastByte", "2").set("layerPartBlob", json))
    };
    rows.into_iter().fold(Steps::new(UPLOAD, draft, HERE), add).done()
}

/// The word null is base64 of three bytes.
fn null_part(service: Service) -> Case {
    let rule = RuleId::of_member(UPLOAD, "layerPartBlob", Constraint::Required);
    let draft = Draft::new(service, format!("{rule}/null-for-three-bytes"), "layerPartBlob: null, for three bytes");
    let change = |body: Body, _: &str| body.set("partLastByte", "2").set("layerPartBlob", "null");
    Steps::new(UPLOAD, draft, HERE).rejected("focus", rule, change).done()
}

/// Text that some decoders read as three bytes, and that is no base64.
fn spelled_part(service: Service) -> Case {
    let rule = RuleId::of_member(UPLOAD, "layerPartBlob", Constraint::Base64);
    let rows = [
        ("space-inside", "QU JD"),
        ("line-feed-inside", "QU\nJD"),
        ("line-end-inside", "QU\r\nJD"),
        ("line-end-after", "QUJD\r\n"),
        ("line-feed-after", "QUJD\n"),
        ("space-before", " QUJD"),
        ("tab-after", "QUJD\t"),
        ("nul-after", "QUJD\0"),
        ("data-url", "data:application/octet-stream;base64,QUJD"),
        ("label", "base64:QUJD"),
        ("quotes", "\"QUJD\""),
        ("percent-letter", "QU%4AD"),
        ("html-letter", "QU&#74;D"),
        ("json-letter", "QU\\u004aD"),
        ("list", "QUJD,QUJD"),
        ("padding-before", "====QUJD"),
        ("padding-after", "QUJD===="),
        ("wide-letters", "ＱＵＪＤ"),
        ("zero-width-space", "QU\u{200b}JD"),
        ("byte-order-mark", "\u{feff}QUJD"),
        ("dashes", "QU-JD"),
        ("other-alphabet", "QU.D"),
    ];
    let title = "layerPartBlob: text that can be read as three bytes";
    let draft = Draft::new(service, format!("{rule}/three-bytes"), title);
    let add = |steps: Steps, (variant, text): (&str, &str)| {
        steps.rejected(variant, rule, |body, _| body.set("partLastByte", "2").text("layerPartBlob", text))
    };
    rows.into_iter().fold(Steps::new(UPLOAD, draft, HERE), add).done()
}

/// Base64 spelled with the escapes of JSON.
fn escaped_part(service: Service) -> Case {
    let rule = RuleId::new("UploadLayerPart/accepted");
    let part = |first: usize, json: &str| {
        body::part(HERE, "upload", "layer", first, 3).set("layerPartBlob", format!("\"{json}\""))
    };
    Draft::new(service, format!("{rule}/escaped"), "base64 with escapes of JSON")
        .initiate("upload")
        .focus_as("letters", rule, UPLOAD, part(0, "\\u0051U\\u004aD"))
        .focus_as("slashes", rule, UPLOAD, part(3, "\\/\\/\\/\\/"))
        .focus_as("plus-signs", rule, UPLOAD, part(6, "\\u002b\\u002b++"))
        .done()
}

/// A last byte in another notation: where it is accepted, it is that number.
fn notations(service: Service) -> Case {
    let open = RuleId::of_member(UPLOAD, "partLastByte", Constraint::Notation);
    let title = "partLastByte: an exponent that moves the point";
    let number = body::part(HERE, "upload", "layer", 0, SMALL).set("partLastByte", "3.1e1");
    let draft = Draft::new(service, format!("{open}/moved-point"), title).chunk("layer", SMALL).initiate("upload");
    draft.focus(open, UPLOAD, number).done()
}

/// The right digest in other types than a list of texts, and as an item of another type.
fn lists(service: Service, operation: Operation) -> Vec<Case> {
    const LISTS: &[(&str, &str)] = &[
        ("joined", r#""sha256:${hex:layer},sha256:${hex:layer}""#),
        ("lines", r#""sha256:${hex:layer}\nsha256:${hex:layer}""#),
        ("json-text", r#""[\"sha256:${hex:layer}\"]""#),
        ("by-index", r#"{"0":"sha256:${hex:layer}"}"#),
        ("by-name", r#"{"layerDigest":"sha256:${hex:layer}"}"#),
        ("member", r#"{"member":["sha256:${hex:layer}"]}"#),
        ("as-key", r#"{"sha256:${hex:layer}":true}"#),
        ("split", r#"{"sha256":"${hex:layer}"}"#),
    ];
    const ITEMS: &[(&str, &str)] = &[
        ("list", r#"[["sha256:${hex:layer}"]]"#),
        ("list-among-others", r#"["sha256:${hex:layer}",["sha256:${hex:layer}"]]"#),
        ("list-of-parts", r#"[["sha256","${hex:layer}"]]"#),
        ("by-name", r#"[{"layerDigest":"sha256:${hex:layer}"}]"#),
        ("by-index", r#"[{"0":"sha256:${hex:layer}"}]"#),
        ("as-key", r#"[{"sha256:${hex:layer}":true}]"#),
        ("split", r#"[{"sha256":"${hex:layer}"}]"#),
    ];
    let case = |constraint: Constraint, rows: &[(&str, &str)]| {
        let rule = RuleId::of_member(operation, "layerDigests", constraint);
        let title = "layerDigests: the right digest, in a value that can be converted";
        let draft = Draft::new(service, format!("{rule}/converted"), title);
        let draft = if operation == COMPLETE { draft } else { draft.stored() };
        let add = |steps: Steps, (variant, json): &(&str, &str)| {
            steps.rejected(variant, rule, |body, _| body.set("layerDigests", *json))
        };
        rows.iter().fold(Steps::new(operation, draft, HERE).apart(), add).done()
    };
    vec![case(Constraint::Type, LISTS), case(Constraint::ItemType, ITEMS)]
}
