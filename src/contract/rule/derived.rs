//! Rules that a table states: presence, type, bounds and pattern of each member of each operation.

use super::super::shape::{Kind, Text};
use super::super::{Member, Operation, OperationSpec, Tier};

use super::prose::{Errors, NONE, named, weaker};
use super::{Constraint, OfText, RuleId, Table};

const WRONG_TYPE: &[&str] = &["SerializationException", "InvalidParameterException"];
const PART: &[&str] = &["InvalidParameterException", "InvalidLayerPartException"];
const TOO_LARGE: &[&str] =
    &["InvalidParameterException", "InvalidLayerPartException", "RequestEntityTooLargeException"];
const BEYOND: &[&str] = &["SerializationException", "InvalidParameterException", "InvalidLayerPartException"];
/// Recorded answers to requests of other members.
const CONSTRAINTS: &[&str] = &["cloud-custodian/cloud-custodian:tests"];

/// InvalidParameterException, which published answers have for a constraint: the documents do not say which error belongs
/// to which, and know a ValidationError as well.
const fn invalid(seen: &'static [&'static str]) -> Errors {
    weaker(Tier::Observed, seen, &["InvalidParameterException"])
}

impl Table {
    /// Adds what the tables say of an operation.
    pub(super) fn derive(&mut self, operation: &OperationSpec) {
        for member in operation.input {
            self.member(operation, member);
        }
        for member in operation.output {
            self.answer_member(operation, member);
        }
    }

    /// What the tables say of one member of a request.
    fn member(&mut self, operation: &OperationSpec, member: &Member) {
        let name = member.name;
        let page = format!("api:{}", operation.name);
        let page = page.as_str();
        let id = |constraint| RuleId::of_member(operation.name, name, constraint);
        self.presence(page, id, member);
        self.add(
            Tier::Observed,
            &["mhart/kinesalite:test/helpers.js", page],
            id(Constraint::Type),
            format!("{name} is a JSON {}. Any other JSON type is rejected.", json_type(&member.shape.kind)),
            format!("{name} of another JSON type"),
            &named(WRONG_TYPE),
        );
        match &member.shape.kind {
            Kind::Text(bounds) => self.text(page, &OfText::MEMBER, id, name, bounds),
            Kind::Long { min } => self.long(page, id, name, *min),
            Kind::Blob { max } => self.blob(page, id, name, *max),
            Kind::List { min, max, item } => {
                self.list(page, id, name, *min, *max);
                if let Kind::Text(bounds) = &item.kind {
                    self.text(page, &OfText::ITEM, id, &format!("an item of {name}"), bounds);
                }
            }
            Kind::Boolean | Kind::Timestamp | Kind::Structure(_) => {}
        }
    }

    fn presence(&mut self, page: &str, id: impl Fn(Constraint) -> RuleId, member: &Member) {
        let name = member.name;
        if member.required {
            self.add(
                Tier::Documented,
                &[page, "smithy"],
                id(Constraint::Required),
                format!("{name} is required; null counts as absent."),
                format!("a request without {name}"),
                &invalid(CONSTRAINTS),
            );
        } else {
            self.add(
                Tier::Documented,
                &[page, "smithy"],
                id(Constraint::Optional),
                format!("{name} is optional; null counts as absent."),
                format!("a request with {name} null"),
                &NONE,
            );
        }
    }

    fn long(&mut self, page: &str, id: impl Fn(Constraint) -> RuleId, name: &str, min: i64) {
        self.add(
            Tier::Documented,
            &[page, "service-model"],
            id(Constraint::Min),
            // Such a range is also none that follows the last part: either error is allowed.
            format!("{name} is at least {min}."),
            format!("{name} below {min}"),
            &weaker(Tier::Observed, &["andrey-pohilko/registry-cli#79"], PART),
        );
        self.add(
            Tier::Open,
            &["mhart/kinesalite:index.js"],
            id(Constraint::Integer),
            format!("{name} is an integer. How a fraction is handled is not documented."),
            format!("{name} with a fraction"),
            &named(WRONG_TYPE),
        );
        self.add(
            Tier::Open,
            &["none-found"],
            id(Constraint::Notation),
            format!("{name} may be written with an exponent, as JSON allows. Whether the service reads it is not documented."),
            format!("{name} in exponent notation"),
            &named(WRONG_TYPE),
        );
        self.add(
            Tier::Derived,
            &[page, "smithy"],
            id(Constraint::Bits),
            format!("{name} is a 64-bit integer, and no larger number is the position of a byte that was sent. Which error is returned is not documented."),
            format!("{name} beyond 64 bits"),
            &weaker(Tier::Open, &["none-found"], BEYOND),
        );
    }

    fn blob(&mut self, page: &str, id: impl Fn(Constraint) -> RuleId, name: &str, max: usize) {
        self.add(
            Tier::Documented,
            &[page, "service-model", "aws:common-errors"],
            id(Constraint::MaxSize),
            // "The layer part size is not valid" is what the page says of one error, and of another, which every operation
            // may have, that the request entity is too large.
            format!("{name} has at most {max} bytes."),
            format!("{name} of more than {max} bytes"),
            &named(TOO_LARGE),
        );
        self.add(
            Tier::Observed,
            &["mhart/kinesalite:test/helpers.js", "rfc4648"],
            id(Constraint::Base64),
            format!("{name} is base64 in the standard alphabet."),
            format!("{name} that is not base64"),
            &named(WRONG_TYPE),
        );
        self.add(
            Tier::Observed,
            &["mhart/kinesalite:test/helpers.js", "rfc4648"],
            id(Constraint::Base64Padding),
            format!("{name} is padded base64."),
            format!("{name} without padding"),
            &named(WRONG_TYPE),
        );
    }

    fn list(&mut self, page: &str, id: impl Fn(Constraint) -> RuleId, name: &str, min: usize, max: Option<usize>) {
        self.add(
            Tier::Documented,
            &[page],
            id(Constraint::MinItems),
            format!("{name} has at least {min} item."),
            format!("an empty list of {name}"),
            &invalid(&["puemos/aws-lambda-ecr-cleaner#3"]),
        );
        if let Some(max) = max {
            self.add(
                Tier::Documented,
                &[page],
                id(Constraint::MaxItems),
                format!("{name} has at most {max} items."),
                format!("more than {max} {name}"),
                &invalid(&["fujiwara/ecrm#3"]),
            );
        }
        self.add(
            Tier::Observed,
            &["mhart/kinesalite:test/helpers.js", page],
            id(Constraint::ItemType),
            format!("each item of {name} is a JSON string."),
            format!("an item of {name} of another JSON type"),
            &named(WRONG_TYPE),
        );
        self.add(
            Tier::Documented,
            &["service-model", "smithy"],
            id(Constraint::ItemNull),
            format!("{name} must not contain nulls."),
            format!("a null in {name}"),
            &weaker(Tier::Observed, &["mhart/kinesalite:test/helpers.js"], WRONG_TYPE),
        );
    }

    fn text(&mut self, page: &str, of: &OfText, id: impl Fn(Constraint) -> RuleId, name: &str, bounds: &Text) {
        if bounds.min > 0 {
            self.add(
                Tier::Documented,
                &[page],
                id(of.min_length),
                format!("{name} has at least {} characters.", bounds.min),
                format!("{name} that is too short"),
                &invalid(&["aws/aws-dotnet-deploy#549"]),
            );
        }
        if let Some(max) = bounds.max {
            self.add(
                Tier::Documented,
                &[page],
                id(of.max_length),
                format!("{name} has at most {max} characters."),
                format!("{name} that is too long"),
                &invalid(CONSTRAINTS),
            );
        }
        if let [newest, others @ ..] = bounds.patterns {
            // What was seen of one member is taken for all members with a pattern.
            let seen: &[&str] = match name {
                _ if of.pattern != Constraint::Pattern => &["aws-actions/amazon-ecr-login#225"],
                "registryId" => &["icy/gDockerImageCheck"],
                _ => &["stelligent/mu#323", "hashicorp/terraform-provider-aws#40309", "jenkins-x/jx#1344"],
            };
            let matches = match others {
                [] => newest.text().to_owned(),
                [older, ..] => {
                    format!("{} ({}), or at least {} ({})", newest.text(), newest.edition, older.text(), older.edition)
                }
            };
            let sources = if others.is_empty() { vec![page] } else { vec!["service-model", page] };
            self.add(
                Tier::Documented,
                &sources,
                id(of.pattern),
                format!("{name} must match {matches} in full."),
                format!("{name} that breaks its pattern"),
                &invalid(seen),
            );
        }
        if bounds.patterns.len() > 1 {
            self.add(
                Tier::Open,
                &[page, "service-model"],
                id(of.editions),
                format!("editions of the documents differ about {name}; a value that only one of them allows may be accepted or rejected."),
                format!("{name} that only one edition of the documents allows"),
                &named(&["InvalidParameterException"]),
            );
        }
    }

    fn answer_member(&mut self, operation: &OperationSpec, member: &Member) {
        let page = format!("api:{}", operation.name);
        let mut sources = vec![page.as_str()];
        if member.name == "layerDigest" && operation.name == Operation::CompleteLayerUpload {
            sources.extend(["aws-cli:complete-layer-upload", "awslabs/amazon-ecr-containerd-resolver"]);
        }
        self.add(
            Tier::Documented,
            &sources,
            RuleId::of_response(operation.name, member.name),
            answer_statement(operation, member),
            format!("{} in the response", member.name),
            &NONE,
        );
    }
}

/// What is judged of a member of a response. One that the model does not require may be left out.
fn answer_statement(operation: &OperationSpec, member: &Member) -> String {
    let (name, kind) = (member.name, member.shape.kind.word());
    if !member.required {
        let left_out = match member.shape.kind {
            Kind::List { .. } => " A list that is left out counts as empty.",
            _ => "",
        };
        return format!("If a successful response has {name}, it is a {kind} as the model describes it.{left_out}");
    }
    let value = match (operation.name, name) {
        (_, "repositoryName" | "uploadId") if operation.input(name).is_some() => ", as it was sent",
        (_, "registryId") => " of twelve digits: the caller's account id where the request names no registry",
        (_, "uploadId") => " that requests can have as uploadId",
        (Operation::CompleteLayerUpload, "layerDigest") => {
            ": sha256: and the lower-case sha256 of the bytes, whatever digests were sent"
        }
        (Operation::UploadLayerPart, "lastByteReceived") => ": the last byte of the part",
        _ => "",
    };
    format!("a successful response has {name}, a {kind}{value}.")
}

fn json_type(kind: &Kind) -> &'static str {
    match kind {
        Kind::Text(_) | Kind::Blob { .. } => "string",
        Kind::Long { .. } | Kind::Timestamp => "number",
        Kind::Boolean => "boolean",
        Kind::List { .. } => "array",
        Kind::Structure(_) => "object",
    }
}
