//! The protocol below the operations: targets, headers, bodies, framing. Each on InitiateLayerUpload, which needs no state.

use crate::case::Case;
use crate::case::draft::{Draft, HERE};
use crate::contract::{Operation, RuleId, Service};
use crate::model::operation::body;
use crate::template::Template;
use crate::wire::{CONTENT_TYPE, Framing, Request};

const INITIATE: Operation = Operation::InitiateLayerUpload;

/// `{"repositoryName":"ecrspec-absent/compressed"}`, compressed with gzip: who unpacks it finds no such repository.
const COMPRESSED: &[u8] = b"\
    \x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\xab\x56\x2a\x4a\x2d\xc8\x2f\xce\x2c\xc9\x2f\xaa\
    \xf4\x4b\xcc\x4d\x55\xb2\x52\x4a\x4d\x2e\x2a\x2e\x48\x4d\xd6\x4d\x4c\x2a\x4e\xcd\x2b\xd1\
    \x4f\xce\xcf\x2d\x28\x4a\x2d\x2e\x4e\x4d\x51\xaa\x05\x00\xb3\x81\x72\x4b\x2e\x00\x00\x00\
";

/// The cases about the wire.
pub fn cases(service: Service) -> Vec<Case> {
    let mut cases = targets(service);
    cases.extend(headers(service));
    cases.extend(bodies(service));
    cases.extend(encodings(service));
    cases.extend(framings(service));
    cases
}

/// A valid InitiateLayerUpload, its request changed.
fn case(
    service: Service,
    rule: RuleId,
    variant: &str,
    title: &str,
    change: impl FnOnce(&mut Request<Template>),
) -> Case {
    let draft = Draft::new(service, format!("{rule}/{variant}"), title).focus(rule, INITIATE, body::repository(HERE));
    draft.request(change).done()
}

fn header(request: &mut Request<Template>, name: &str, value: Option<&str>) {
    request.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    request.headers.extend(value.map(|value| (String::from(name), String::from(value))));
}

fn targets(service: Service) -> Vec<Case> {
    let prefix = service.contract().target_prefix;
    let rows = [
        (RuleId::new("wire/target/present"), "absent", "no X-Amz-Target", None),
        (RuleId::new("wire/target/present"), "empty", "an empty X-Amz-Target", Some(String::new())),
        (
            RuleId::new("wire/target/prefix"),
            "foreign",
            "a prefix that no service has",
            Some(format!("AmazonEC2ContainerRegistry_V20991231.{INITIATE}")),
        ),
        (RuleId::new("wire/target/prefix"), "none", "a target without its prefix", Some(INITIATE.to_string())),
        (
            RuleId::new("wire/target/operation"),
            "unknown",
            "an operation that does not exist",
            Some(format!("{prefix}.InitiateLayerDownload")),
        ),
    ];
    rows.into_iter()
        .map(|(rule, variant, title, target)| {
            let mut case =
                case(service, rule, variant, title, |request| header(request, "X-Amz-Target", target.as_deref()));
            for step in &mut case.steps {
                step.operation = None; // The request names no operation of the service.
            }
            case
        })
        .collect()
}

fn headers(service: Service) -> Vec<Case> {
    let content_type = |rule: RuleId, variant: &str, title: &str, value: Option<&str>| {
        case(service, rule, variant, title, |request| header(request, "Content-Type", value))
    };
    let charset = format!("{CONTENT_TYPE}; charset=utf-8");
    let method = |name: &str| {
        case(service, RuleId::new("wire/method"), &name.to_lowercase(), name, |request| {
            request.method = String::from(name)
        })
    };
    vec![
        case(service, RuleId::new("wire/header/case"), "lower", "header names in lower case", |request| {
            request.framing = Framing::Verbatim;
            request.headers.iter_mut().for_each(|(name, _)| *name = name.to_lowercase());
        }),
        case(service, RuleId::new("wire/header/case"), "upper", "header names in upper case", |request| {
            request.framing = Framing::Verbatim;
            request.headers.iter_mut().for_each(|(name, _)| *name = name.to_uppercase());
        }),
        content_type(
            RuleId::new("wire/content-type/parameters"),
            "charset",
            "a content type with a charset",
            Some(&charset),
        ),
        content_type(
            RuleId::new("wire/content-type/other"),
            "json-1.0",
            "application/x-amz-json-1.0",
            Some("application/x-amz-json-1.0"),
        ),
        content_type(RuleId::new("wire/content-type/other"), "json", "application/json", Some("application/json")),
        content_type(RuleId::new("wire/content-type/other"), "absent", "no content type", None),
        method("GET"),
        method("PUT"),
    ]
}

fn bodies(service: Service) -> Vec<Case> {
    let with = |rule: RuleId, variant: &str, title: &str, body: Vec<u8>| {
        case(service, rule, variant, title, |request| request.body = Template::lenient(body))
    };
    let plain = body::repository(HERE).to_string();
    let text =
        |rule: RuleId, variant: &str, title: &str, body: &str| with(rule, variant, title, body.as_bytes().to_vec());
    let surrounded = |before: &[u8], after: &[u8]| [before, plain.as_bytes(), after].concat();
    let unknown = |json: &str| body::repository(HERE).set("unknownMember", json).to_string();
    let (json, lenient, object) =
        (RuleId::new("wire/body/json"), RuleId::new("wire/body/json-extensions"), RuleId::new("wire/body/object"));
    vec![
        text(RuleId::new("wire/body/empty"), "empty", "an empty body", ""),
        with(json, "cut", "a body cut before its last brace", plain.as_bytes()[..plain.len() - 1].to_vec()),
        text(json, "cut-in-string", "a body cut inside a string", r#"{"repositoryName":"ecrs"#),
        text(json, "100000-brackets", "100,000 opening brackets", "${repeat:100000:[}"),
        text(lenient, "nan", "NaN as an unknown member", &unknown("NaN")),
        text(lenient, "infinity", "-Infinity as an unknown member", &unknown("-Infinity")),
        text(json, "open-brace", "an opening brace alone", "{"),
        text(json, "text", "text", "repositoryName=ecrspec"),
        text(lenient, "single-quotes", "single quotes", "{'repositoryName':'${repository}'}"),
        text(lenient, "trailing-comma", "a comma after the last member", r#"{"repositoryName":"${repository}",}"#),
        with(lenient, "trailing-garbage", "garbage after the object", surrounded(b"", b"garbage")),
        with(lenient, "two-objects", "two objects", surrounded(b"", b"{}")),
        text(object, "list", "[]", "[]"),
        text(object, "string", "a string", r#""x""#),
        text(object, "number", "1", "1"),
        text(object, "null", "null", "null"),
        with(RuleId::new("wire/body/utf-8"), "in-name", "a byte that is no UTF-8 in the repository name", {
            let (before, after) = (br#"{"repositoryName":"${repository}"#, b"\xff\"}");
            [before.as_slice(), after.as_slice()].concat()
        }),
        text(
            RuleId::new("wire/body/surrogate"),
            "in-name",
            "a lone surrogate in the repository name",
            r#"{"repositoryName":"${repository}\ud800"}"#,
        ),
        with(RuleId::new("wire/body/bom"), "bom", "a byte order mark", surrounded(b"\xef\xbb\xbf", b"")),
        text(
            RuleId::new("wire/body/duplicate-keys"),
            "same-value",
            "the repository name twice",
            &body::repository(HERE).add("repositoryName", body::quote(HERE)).to_string(),
        ),
        text(
            RuleId::new("wire/body/nesting"),
            "10000-lists",
            "10,000 lists in each other, as an unknown member",
            &unknown("${repeat:10000:[}${repeat:10000:]}"),
        ),
        text(RuleId::new("wire/body/unknown-members"), "string", "an unknown member", &unknown(r#""x""#)),
        text(
            RuleId::new("wire/body/unknown-members"),
            "object",
            "an unknown member that is an object",
            &unknown(r#"{"a":[1,null]}"#),
        ),
        text(
            RuleId::new("wire/body/unknown-members"),
            "1-MiB",
            "an unknown member of 1 MiB",
            &unknown(r#""${repeat:1048576:a}""#),
        ),
    ]
}

fn encodings(service: Service) -> Vec<Case> {
    let encoded = |variant: &str, title: &str, body: Option<&[u8]>| {
        case(service, RuleId::new("wire/content-encoding/gzip"), variant, title, |request| {
            header(request, "Content-Encoding", Some("gzip"));
            if let Some(body) = body {
                request.body = Template::literal(body.to_vec());
            }
        })
    };
    vec![
        encoded("absent-repository", "a compressed request, for a repository that nobody made", Some(COMPRESSED)),
        encoded("not-compressed", "Content-Encoding: gzip, and a body that is not compressed", None),
    ]
}

fn framings(service: Service) -> Vec<Case> {
    let framed = |rule: RuleId, variant: &str, title: &str, framing: Framing| {
        case(service, rule, variant, title, |request| request.framing = framing)
    };
    vec![
        framed(RuleId::new("wire/framing/chunked"), "chunked", "a chunked request", Framing::Chunked),
        framed(
            RuleId::new("wire/framing/expect"),
            "100-continue",
            "a request with Expect: 100-continue",
            Framing::ExpectContinue,
        ),
    ]
}
