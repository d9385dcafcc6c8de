//! Values that a server may take for others: texts that become an existing one when they are decoded, normalised, folded,
//! trimmed, cut, or matched as a pattern. What such a server would find exists, so that the mistake shows.
//!
//! The texts are a table: each row changes a valid text, whatever it is. What a changed text breaks, the contract says; one
//! that breaks nothing is the valid name of another repository.

use super::steps::Steps;
use super::{converted, near};
use crate::case::Case;
use crate::case::draft::{Draft, HERE};
use crate::contract::check::first_broken;
use crate::contract::shape::Text;
use crate::contract::{Constraint, Kind, Operation, OperationSpec, RuleId, Service};
use crate::model::operation::body::Body;
use crate::model::operation::{Facts, body};
use crate::model::registry::ACCOUNT;
use crate::template::{Part, Template};

const CREATE: Operation = Operation::CreateRepository;

/// A name with all that the rows of the table change.
const TWIN: &str = "${repository}/ski/a-b.c_d3";

/// The cases about the members of an operation.
pub fn cases(service: Service, operation: &'static OperationSpec) -> Vec<Case> {
    let base = Base { service, operation };
    let mut cases = Vec::new();
    for (member, valid) in [
        ("repositoryName", TWIN),
        ("registryId", "${registry}"),
        ("uploadId", "${upload.uploadId}"),
        ("layerDigest", RIGHT_IN_PARTS),
        ("layerDigests", RIGHT_IN_PARTS),
    ] {
        if let Some(member) = operation.input(member) {
            cases.extend(base.texts(member.name, &member.shape.kind, valid));
        }
    }
    cases.extend(base.longest());
    cases.push(base.escaped());
    cases.extend(base.member_names());
    cases.extend(near::of_operation(service, operation.name));
    cases.extend(converted::cases(service, operation.name));
    cases
}

/// The right digest, its algorithm as text that can be changed.
const RIGHT_IN_PARTS: &str = "sha256:${hex:layer}";

/// What a server does to a text before it looks it up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Mistake {
    Decodes,
    Normalises,
    Folds,
    Trims,
    Cuts,
    Matches,
}

impl Mistake {
    const ALL: [Mistake; 6] =
        [Mistake::Decodes, Mistake::Normalises, Mistake::Folds, Mistake::Trims, Mistake::Cuts, Mistake::Matches];

    /// Variant and title of its cases.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Mistake::Decodes => ("decoded", "texts that an existing one is decoded from"),
            Mistake::Normalises => ("normalised", "texts that are normalised to an existing one"),
            Mistake::Folds => ("folded", "texts that differ from an existing one in the case of a letter"),
            Mistake::Trims => ("trimmed", "an existing one with white space around it"),
            Mistake::Cuts => ("cut", "an existing one, and more before or after it"),
            Mistake::Matches => ("matched", "texts that match an existing one as a pattern, or but for a separator"),
        }
    }
}

/// How a text is changed.
#[derive(Clone, Copy, Debug)]
enum Edit {
    /// Another text for the first such one.
    Swap(&'static str, &'static str),
    /// Something before and after it.
    Around(&'static str, &'static str),
}

impl Edit {
    /// The changed text; `None` if it has nothing to change.
    fn apply(self, text: &str) -> Option<String> {
        let (from, to) = match self {
            Edit::Around(before, after) => return Some(format!("{before}{text}{after}")),
            Edit::Swap(from, to) => (from, to),
        };
        let mut out = String::new();
        let mut is_done = false;
        for part in Template::lenient(text).parts() {
            match part {
                Part::Reference(reference) => out += &reference.written(),
                Part::Text(bytes) => {
                    let literal = String::from_utf8_lossy(bytes);
                    out += &if is_done { literal.to_string() } else { literal.replacen(from, to, 1) };
                    is_done |= literal.contains(from);
                }
            }
        }
        is_done.then_some(out)
    }
}

type Row = (Mistake, &'static str, Edit);

/// Each row a mistake that servers make, with the name of a step.
#[rustfmt::skip]
const ROWS: &[Row] = {
    use Edit::{Around, Swap};
    use Mistake::{Cuts, Decodes, Folds, Matches, Normalises, Trims};
    &[
        (Decodes, "percent-slash", Swap("/", "%2F")),
        (Decodes, "percent-slash-lower", Swap("/", "%2f")),
        (Decodes, "percent-colon", Swap(":", "%3A")),
        (Decodes, "percent-dash", Swap("-", "%2D")),
        (Decodes, "percent-letter", Swap("a", "%61")),
        (Decodes, "percent-twice", Swap("a", "%2561")),
        (Decodes, "percent-overlong", Swap("/", "%c0%af")),
        (Decodes, "percent-unicode", Swap("a", "%u0061")),
        (Decodes, "percent-tail", Around("", "%00")),
        (Decodes, "html-number", Swap("a", "&#97;")),
        (Decodes, "html-hex", Swap("a", "&#x61;")),
        (Decodes, "html-name", Swap("/", "&sol;")),
        (Decodes, "html-colon", Swap(":", "&colon;")),
        (Decodes, "json-letter", Swap("a", "\\u0061")),
        (Decodes, "json-slash", Swap("/", "\\/")),
        (Decodes, "json-text", Around("\"", "\"")),
        (Decodes, "json-list", Around("[\"", "\"]")),
        (Decodes, "hex-escape", Swap("a", "\\x61")),
        (Decodes, "quoted-printable", Swap("a", "=61")),
        (Decodes, "quotes", Around("'", "'")),
        (Decodes, "brackets", Around("<", ">")),

        (Normalises, "dot-segment", Swap("/", "/./")),
        (Normalises, "parent-segment", Swap("/", "/x/../")),
        (Normalises, "double-slash", Swap("/", "//")),
        (Normalises, "backslash", Swap("/", "\\")),
        (Normalises, "leading-dot-segment", Around("./", "")),
        (Normalises, "leading-slash", Around("/", "")),
        (Normalises, "trailing-slash", Around("", "/")),
        (Normalises, "trailing-dot-segment", Around("", "/.")),
        (Normalises, "trailing-parent-segment", Around("", "/x/..")),
        (Normalises, "trailing-dot", Around("", ".")),
        (Normalises, "wide-letter", Swap("a", "ａ")),
        (Normalises, "wide-slash", Swap("/", "／")),
        (Normalises, "wide-colon", Swap(":", "：")),
        (Normalises, "wide-digit", Swap("3", "３")),
        (Normalises, "wide-underscore", Swap("_", "＿")),
        (Normalises, "dot-leader", Swap(".", "․")),
        (Normalises, "hyphen", Swap("-", "‐")),
        (Normalises, "minus", Swap("-", "−")),
        (Normalises, "superscript", Swap("3", "³")),
        (Normalises, "arabic-digit", Swap("3", "٣")),
        (Normalises, "bold-letter", Swap("a", "𝐚")),
        (Normalises, "cyrillic-letter", Swap("a", "а")),
        (Normalises, "accent", Swap("a", "á")),
        (Normalises, "combining-accent", Swap("a", "a\u{301}")),
        (Normalises, "joiner", Swap("a", "a\u{200d}")),
        (Normalises, "soft-hyphen", Swap("a", "a\u{ad}")),
        (Normalises, "nul-inside", Swap("a", "a\0")),
        (Normalises, "control-inside", Swap("a", "a\u{7f}")),

        (Folds, "upper-letter", Swap("a", "A")),
        (Folds, "kelvin", Swap("k", "\u{212a}")),
        (Folds, "long-s", Swap("s", "ſ")),
        (Folds, "dotless-i", Swap("i", "ı")),
        (Folds, "dotted-i", Swap("i", "İ")),

        (Trims, "tab-before", Around("\t", "")),
        (Trims, "tab-after", Around("", "\t")),
        (Trims, "carriage-return-after", Around("", "\r")),
        (Trims, "line-ends-after", Around("", "\r\n")),
        (Trims, "form-feed-after", Around("", "\u{c}")),
        (Trims, "no-break-space-before", Around("\u{a0}", "")),
        (Trims, "no-break-space-after", Around("", "\u{a0}")),
        (Trims, "wide-space-before", Around("\u{3000}", "")),
        (Trims, "wide-space-after", Around("", "\u{3000}")),
        (Trims, "next-line-after", Around("", "\u{85}")),
        (Trims, "line-separator-after", Around("", "\u{2028}")),
        (Trims, "zero-width-space-before", Around("\u{200b}", "")),
        (Trims, "zero-width-space-after", Around("", "\u{200b}")),
        (Trims, "byte-order-mark", Around("\u{feff}", "")),
        (Trims, "space-inside", Swap("a", "a ")),
        (Trims, "spaces-around", Around(" ", " ")),

        (Cuts, "nul-and-more", Around("", "\0x")),
        (Cuts, "space-and-more", Around("", " x")),
        (Cuts, "line-end-and-more", Around("", "\r\nx")),
        (Cuts, "query", Around("", "?x=1")),
        (Cuts, "fragment", Around("", "#x")),
        (Cuts, "parameter", Around("", ";x=1")),
        (Cuts, "digest", Around("", "@sha256:00")),
        (Cuts, "list", Around("", ",x")),
        (Cuts, "list-last", Around("x,", "")),
        (Cuts, "comment", Around("", "'--")),
        (Cuts, "key-before", Around("x=", "")),
        (Cuts, "host-before", Around("https://x/", "")),
        (Cuts, "image-reference", Around("ecr.us-east-1.amazonaws.com/", "")),
        (Cuts, "twice", Around("x ", "")),
        (Cuts, "beginning-of-another", Around("", "x")),
        (Cuts, "above-another", Around("", "/x")),
        (Cuts, "same-last-segments", Swap("/", "/zz/")),
        (Cuts, "one-character-less", Swap("3", "")),

        (Matches, "star", Swap("3", "*")),
        (Matches, "question-mark", Swap("3", "?")),
        (Matches, "percent", Swap("3", "%")),
        (Matches, "set", Swap("3", "[0-9]")),
        (Matches, "dot-star", Swap("3", ".*")),
        (Matches, "digit-class", Swap("3", "\\d")),
        (Matches, "repetition", Swap("3", "3+")),
        (Matches, "anchors", Around("^", "$")),
        (Matches, "alternative", Around("x|", "")),
        (Matches, "escape", Swap(".", "\\.")),
        (Matches, "percent-after", Around("", "%")),
        (Matches, "star-after", Around("", "*")),
        (Matches, "dot-for-dash", Swap("-", ".")),
        (Matches, "underscore-for-dash", Swap("-", "_")),
        (Matches, "slash-for-dash", Swap("-", "/")),
        (Matches, "nothing-for-dash", Swap("-", "")),
        (Matches, "dash-for-dot", Swap(".", "-")),
        (Matches, "underscore-for-dot", Swap(".", "_")),
        (Matches, "slash-for-dot", Swap(".", "/")),
        (Matches, "nothing-for-dot", Swap(".", "")),
        (Matches, "dash-for-underscore", Swap("_", "-")),
        (Matches, "dot-for-underscore", Swap("_", ".")),
        (Matches, "slash-for-underscore", Swap("_", "/")),
        (Matches, "nothing-for-underscore", Swap("_", "")),
        (Matches, "dash-for-slash", Swap("/", "-")),
        (Matches, "dot-for-slash", Swap("/", ".")),
        (Matches, "underscore-for-slash", Swap("/", "_")),
        (Matches, "nothing-for-slash", Swap("/", "")),
        (Matches, "same-letters", Swap("ski", "kis")),
        (Matches, "padded-number", Swap("3", "03")),
        (Matches, "number-with-exponent", Swap("3", "3e0")),
        (Matches, "number-with-point", Swap("3", "3.0")),
    ]
};

/// An operation of a service.
struct Base {
    service: Service,
    operation: &'static OperationSpec,
}

impl Base {
    /// The rows for a text member, a case for each mistake and rule.
    fn texts(&self, member: &'static str, kind: &Kind, valid: &str) -> Vec<Case> {
        let (text, pattern) = match kind {
            Kind::Text(text) => (text, Constraint::Pattern),
            Kind::List { item, .. } => match &item.kind {
                Kind::Text(text) => (text, Constraint::ItemPattern),
                _ => return Vec::new(),
            },
            _ => return Vec::new(),
        };
        let mut cases = Vec::new();
        let rule = RuleId::of_member(self.operation.name, member, pattern);
        let other = RuleId::of(self.operation.name, "repositoryName/exists");
        for mistake in Mistake::ALL {
            let (mut broken, mut others) = (Vec::new(), Vec::new());
            for (_, variant, edit) in self.rows(member, mistake) {
                let Some(changed) = edit.apply(valid) else { continue };
                match first_broken_of(text, &changed) {
                    Some(Constraint::Pattern) => broken.push((*variant, changed)),
                    None if member == "repositoryName" => others.push((*variant, changed)),
                    _ => {}
                }
            }
            for (rule, rows) in [(rule, broken), (other, others)] {
                if !rows.is_empty() {
                    cases.push(self.case(member, rule, mistake, &rows));
                }
            }
        }
        cases
    }

    /// The rows for a mistake. Of what is the same in all operations and is asked of one with all rows, the others have a
    /// part of them each.
    fn rows(&self, member: &str, mistake: Mistake) -> impl Iterator<Item = &'static Row> {
        let is_whole = member != "registryId" || self.operation.name == Operation::InitiateLayerUpload;
        let own = self.operation.name as usize % 3;
        let rows =
            ROWS.iter().enumerate().filter(move |(index, (of, ..))| *of == mistake && (is_whole || index % 3 == own));
        rows.map(|(_, row)| row)
    }

    fn case(&self, member: &'static str, rule: RuleId, mistake: Mistake, rows: &[(&'static str, String)]) -> Case {
        let (variant, title) = mistake.words();
        let draft = Draft::new(self.service, format!("{rule}/{variant}"), format!("{member}: {title}"));
        let (draft, place) = match member {
            "repositoryName" => (made(draft.own(&[]), TWIN), TWIN),
            "layerDigest" => (draft.stored(), HERE),
            _ => (draft, HERE),
        };
        // A server that takes a name or an id for no other finds no upload that could end.
        let steps = match member {
            "repositoryName" | "uploadId" => Steps::new(self.operation.name, draft, place),
            _ => Steps::new(self.operation.name, draft, place).apart(),
        };
        let add = |steps: Steps, (variant, text): &(&str, String)| {
            let quoted = body::quote(text);
            let json = if member == "layerDigests" { format!("[{quoted}]") } else { quoted };
            // The upload that a row names is that of its own step.
            let own = |upload: &str| json.replace("${upload.", &format!("${{{upload}."));
            steps.rejected(variant, rule, |body, upload| body.set(member, own(upload)))
        };
        rows.iter().fold(steps, add).done()
    }

    /// Names that differ in their last character alone, or are one too long.
    fn longest(&self) -> Vec<Case> {
        let member = self.operation.input("repositoryName");
        let Some(Kind::Text(Text { max: Some(max), .. })) = member.map(|member| &member.shape.kind) else {
            return Vec::new();
        };
        let of = |rule: &'static str, twin: String, name: String, title: &str| {
            let rule = RuleId::of(self.operation.name, rule);
            let draft = Draft::new(self.service, format!("{rule}/cut-at-the-limit"), title);
            let steps = Steps::new(self.operation.name, made(draft.own(&[]), &twin), &twin);
            steps.rejected("longer", rule, |body, _| body.text("repositoryName", &name)).done()
        };
        let shorter = format!("${{pad:{}:repository}}", max - 1);
        let whole = format!("${{pad:{max}:repository}}");
        vec![
            of(
                "repositoryName/exists",
                format!("{shorter}b"),
                format!("{shorter}c"),
                "repositoryName: of the greatest length, another only in its last character",
            ),
            of(
                "repositoryName/max-length",
                whole.clone(),
                format!("{whole}a"),
                "repositoryName: that of a repository, and one character more than is allowed",
            ),
        ]
    }

    /// The same name, spelled with the escapes of JSON.
    fn escaped(&self) -> Case {
        let rule = RuleId::of(self.operation.name, "repositoryName/accepted");
        let title = "repositoryName: with escapes of JSON";
        let draft = made(Draft::new(self.service, format!("{rule}/escaped"), title).own(&[]), TWIN);
        let facts = Facts::of(self.operation.name);
        let (draft, body) = (facts.valid)(draft, TWIN);
        let json = body::quote(TWIN).replace("/ski/a", "\\/ski\\u002f\\u0061");
        draft.focus(facts.answers_to.unwrap_or(rule), self.operation.name, body.set("repositoryName", json)).done()
    }

    /// Required members under names that differ from theirs in case or in white space: they are not there.
    fn member_names(&self) -> Vec<Case> {
        let required = self.operation.input.iter().filter(|member| member.required);
        let cases = required.map(|member| {
            let rule = RuleId::of_member(self.operation.name, member.name, Constraint::Required);
            let title = format!("{}: under a name that differs in case, a separator or white space", member.name);
            let draft = Draft::new(self.service, format!("{rule}/other-names"), title);
            let add = |steps: Steps, (variant, name): (&'static str, String)| {
                steps.rejected(variant, rule, |body, _| {
                    let value = body.get(member.name).map(String::from).unwrap_or_default();
                    body.without(member.name).add(&name, value)
                })
            };
            other_names(member.name).into_iter().fold(Steps::new(self.operation.name, draft, HERE).apart(), add).done()
        });
        cases.collect()
    }
}

/// Names that are taken for this one.
fn other_names(name: &str) -> Vec<(&'static str, String)> {
    let mut capital = String::from(name);
    capital[..1].make_ascii_uppercase();
    let snake: String = name
        .chars()
        .map(|letter| if letter.is_uppercase() { format!("_{}", letter.to_lowercase()) } else { letter.to_string() })
        .collect();
    let mut names = vec![
        ("capital", capital),
        ("lower-case", name.to_lowercase()),
        ("upper-case", name.to_uppercase()),
        ("kebab-case", snake.replace('_', "-")),
        ("snake-case", snake),
        ("space-before", format!(" {name}")),
        ("space-after", format!("{name} ")),
        ("nul-after", format!("{name}\0")),
    ];
    if name.contains('s') {
        names.push(("long-s", name.replacen('s', "ſ", 1)));
    }
    names
}

/// Unknown members whose names differ from those of known ones in case alone, before and after them: they are ignored.
pub fn unknown_members(service: Service) -> Vec<Case> {
    let rule = RuleId::new("wire/body/unknown-members");
    let layer_operations = service.contract().layer_operations();
    // Without an image, no request of the others succeeds.
    let successful = layer_operations.filter(|known| Facts::of(known.name).answers_to.is_none());
    let cases = successful.map(|known| {
        let id = format!("{rule}/other-case-{}", known.name);
        let title = format!("{}: its members once more, in another case and with other values", known.name);
        let add = |steps: Steps, (variant, number): (&str, usize)| {
            let others = |body: Body| {
                let spelled = |member: &str| other_names(member).swap_remove(number).1;
                known.input.iter().fold(body, |body, one| body.add(&spelled(one.name), other_value(one.name)))
            };
            let members = |others: Body, body: &Body| {
                let members = known.input.iter().filter_map(|one| Some((one.name, body.get(one.name)?)));
                members.fold(others, |all, (name, value)| all.add(name, value))
            };
            steps.accepted(&format!("{variant}-after"), rule, |body, _| others(body)).accepted(
                &format!("{variant}-before"),
                rule,
                |body, _| members(others(Body::default()), &body),
            )
        };
        let steps = Steps::new(known.name, Draft::new(service, id, title), HERE);
        [("capital", 0), ("lower-case", 1), ("upper-case", 2)].into_iter().fold(steps, add).done()
    });
    cases.collect()
}

/// A value that no valid request of a case has for this member.
fn other_value(member: &str) -> String {
    match member {
        "partFirstByte" => String::from("7"),
        "partLastByte" => String::from("9"),
        "layerDigests" => format!("[{}]", body::quote(&format!("sha256:{}", "0".repeat(64)))),
        "layerPartBlob" => body::quote("QUJD"),
        "uploadId" => body::quote(crate::case::draft::NO_UPLOAD),
        "registryId" => body::quote("111122223333"),
        _ => body::quote("${absent}"),
    }
}

/// Makes a repository.
fn made(draft: Draft, name: &str) -> Draft {
    draft.set_up("create", CREATE, body::repository(name))
}

/// The first constraint that a text breaks, its references filled with what they usually stand for.
fn first_broken_of(bounds: &Text, text: &str) -> Option<Constraint> {
    let filled = text
        .replace("${repository}", "ecrspec/case")
        .replace("${registry}", ACCOUNT)
        .replace("${upload.uploadId}", "6cb64b8a-9378-0e33-2ab1-b780fab8a9e9")
        .replace("${hex:layer}", &"0f".repeat(32));
    first_broken(bounds, &filled)
}
