//! The contract as rules with stable ids: derived from the tables where a table says it, written here where prose does.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Serialize;

use super::shape::{Kind, Text};
use super::{Member, Operation, Service, Source, Tier};

/// One statement of the contract that a target can keep or break.
#[derive(Clone, Debug, Serialize)]
pub struct Rule {
    /// Stable id, built from names: `CompleteLayerUpload/layerDigests/max-items`.
    pub id: String,
    /// What the contract says, one sentence.
    pub statement: String,
    /// What a request that breaks it has, as it stands in a finding: "accepts *a digest that does not match the bytes*".
    pub breach: String,
    /// Error types that a request breaking it may be answered with. Empty where the rule says what must be accepted, or
    /// how an answer must look.
    pub errors: Vec<&'static str>,
    /// How strong it is.
    pub tier: Tier,
    /// Where it comes from, strongest first.
    pub sources: Vec<&'static Source>,
}

/// The rules of one service.
#[derive(Debug)]
pub struct Rules {
    by_id: BTreeMap<String, Rule>,
}

impl Rules {
    /// The rules of a service.
    pub fn of(service: Service) -> &'static Rules {
        static RULES: LazyLock<[Rules; 2]> = LazyLock::new(|| Service::ALL.map(Rules::build));
        &RULES[service as usize]
    }

    /// The rule with this id.
    pub fn get(&self, id: &str) -> Option<&Rule> {
        self.by_id.get(id)
    }

    /// All rules, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.by_id.values()
    }

    /// Mean number of admitted error types over the rules that refuse something and gate.
    pub fn mean_admitted(&self) -> f64 {
        let sizes: Vec<usize> = self
            .iter()
            .filter(|rule| rule.tier.gates() && !rule.errors.is_empty())
            .map(|rule| rule.errors.len())
            .collect();
        sizes.iter().sum::<usize>() as f64 / sizes.len().max(1) as f64
    }

    fn build(service: Service) -> Rules {
        let mut table = Table { service, rules: Vec::new() };
        for operation in service.contract().layer_operations() {
            for member in operation.input {
                table.member(operation, member);
            }
            for member in operation.output {
                table.answer_member(operation, member);
            }
            table.operation(operation);
        }
        table.uploads();
        table.availability();
        table.answers();
        table.wire();
        table.survey();
        Rules { by_id: table.rules.into_iter().map(|rule| (rule.id.clone(), rule)).collect() }
    }
}

/// Collects the rules of a service, family by family.
struct Table {
    service: Service,
    rules: Vec<Rule>,
}

const INVALID: &[&str] = &["InvalidParameterException"];
const WRONG_TYPE: &[&str] = &["SerializationException", "InvalidParameterException"];
const NOTHING: &[&str] = &[];

impl Table {
    /// Adds a rule. In `sources`, `api:X` is the page of operation X in the reference of the service at hand.
    fn add(
        &mut self,
        tier: Tier,
        sources: &[&str],
        id: &str,
        statement: impl Into<String>,
        breach: impl Into<String>,
        errors: &[&'static str],
    ) {
        let sources = sources
            .iter()
            .map(|id| match (self.service, id.strip_prefix("api:")) {
                (Service::EcrPublic, Some(operation)) => format!("api-public:{operation}"),
                _ => String::from(*id),
            })
            .map(|id| Source::find(&id).unwrap_or_else(|| panic!("source {id} is not in contract/source.rs")))
            .collect();
        self.rules.push(Rule {
            id: String::from(id),
            statement: statement.into(),
            breach: breach.into(),
            errors: errors.to_vec(),
            tier,
            sources,
        });
    }

    /// What the tables say of one member of a request.
    fn member(&mut self, operation: &Operation, member: &Member) {
        let name = member.name;
        let page = format!("api:{}", operation.name);
        let page = page.as_str();
        let id = |what: &str| format!("{}/{name}/{what}", operation.name);
        if member.required {
            self.add(
                Tier::Documented,
                &[page, "smithy"],
                &id("required"),
                format!("{name} is required. Null is as if left out."),
                format!("a request without {name}"),
                INVALID,
            );
        } else {
            self.add(
                Tier::Documented,
                &[page, "smithy"],
                &id("optional"),
                format!("{name} may be left out. Null is as if left out."),
                format!("a request with {name} null"),
                NOTHING,
            );
        }
        self.add(
            Tier::Observed,
            &["kinesalite", page],
            &id("type"),
            format!("{name} is a JSON {}. Another JSON type is refused.", json_type(&member.shape.kind)),
            format!("{name} of another JSON type"),
            WRONG_TYPE,
        );
        match &member.shape.kind {
            Kind::Text(bounds) => self.text(page, "", &id, name, bounds),
            Kind::Long { min } => {
                self.add(
                    Tier::Documented,
                    &[page, "model"],
                    &id("min"),
                    format!("{name} is at least {min}."),
                    format!("{name} below {min}"),
                    INVALID,
                );
                self.add(
                    Tier::Open,
                    &["kinesalite"],
                    &id("integer"),
                    format!("{name} is a whole number. What happens to a fraction is not documented."),
                    format!("{name} with a fraction"),
                    WRONG_TYPE,
                );
                self.add(
                    Tier::Open,
                    &["survey"],
                    &id("notation"),
                    format!("{name} may be written with an exponent, as JSON allows. Whether the service reads it is not documented."),
                    format!("{name} in exponent notation"),
                    WRONG_TYPE,
                );
                self.add(
                    Tier::Open,
                    &["survey"],
                    &id("64-bit"),
                    format!("{name} is a 64-bit integer. What happens beyond is not documented."),
                    format!("{name} beyond 64 bits"),
                    WRONG_TYPE,
                );
            }
            Kind::Blob { max } => {
                self.add(
                    Tier::Documented,
                    &[page, "model"],
                    &id("max-size"),
                    format!("{name} holds at most {max} bytes."),
                    format!("{name} of more than {max} bytes"),
                    INVALID,
                );
                self.add(
                    Tier::Observed,
                    &["kinesalite", "rfc4648"],
                    &id("base64"),
                    format!("{name} is base64 of the standard alphabet."),
                    format!("{name} that is not base64"),
                    WRONG_TYPE,
                );
                self.add(
                    Tier::Open,
                    &["rfc4648"],
                    &id("base64-padding"),
                    format!(
                        "{name} is padded base64. Whether a decoder refuses text without its padding is left open."
                    ),
                    format!("{name} without its padding"),
                    WRONG_TYPE,
                );
            }
            Kind::List { min, max, item } => {
                self.add(
                    Tier::Documented,
                    &[page, "ecrcleaner3"],
                    &id("min-items"),
                    format!("{name} has at least {min} item."),
                    format!("an empty list of {name}"),
                    INVALID,
                );
                if let Some(max) = max {
                    self.add(
                        Tier::Documented,
                        &[page],
                        &id("max-items"),
                        format!("{name} has at most {max} items."),
                        format!("more than {max} {name}"),
                        INVALID,
                    );
                }
                self.add(
                    Tier::Observed,
                    &["kinesalite", page],
                    &id("item-type"),
                    format!("each item of {name} is a JSON string."),
                    format!("an item of {name} of another JSON type"),
                    WRONG_TYPE,
                );
                self.add(
                    Tier::Documented,
                    &["model", "smithy"],
                    &id("item-null"),
                    format!("{name} is no sparse list: it holds no null."),
                    format!("null inside {name}"),
                    WRONG_TYPE,
                );
                if let Kind::Text(bounds) = &item.kind {
                    self.text(page, "item-", &id, &format!("an item of {name}"), bounds);
                }
            }
            Kind::Boolean | Kind::Timestamp | Kind::Structure(_) => {}
        }
    }

    fn text(&mut self, page: &str, prefix: &str, id: &dyn Fn(&str) -> String, name: &str, bounds: &Text) {
        let id = |what: &str| id(&format!("{prefix}{what}"));
        if bounds.min > 0 {
            self.add(
                Tier::Documented,
                &[page, "dotnetdeploy549"],
                &id("min-length"),
                format!("{name} has at least {} characters.", bounds.min),
                format!("{name} that is too short"),
                INVALID,
            );
        }
        if let Some(max) = bounds.max {
            self.add(
                Tier::Documented,
                &[page],
                &id("max-length"),
                format!("{name} has at most {max} characters."),
                format!("{name} that is too long"),
                INVALID,
            );
        }
        if let Some(pattern) = bounds.patterns.first() {
            let seen = if prefix.is_empty() { "jx1344" } else { "ecrlogin225" };
            self.add(
                Tier::Documented,
                &[page, seen],
                &id("pattern"),
                format!("{name} matches {}, the whole of it.", pattern.text),
                format!("{name} that breaks its pattern"),
                INVALID,
            );
        }
        if bounds.patterns.len() > 1 || bounds.other_bounds.is_some() {
            self.add(
                Tier::Open,
                &[page, "model"],
                &id("editions"),
                format!("editions of the documents differ about {name}; what only one of them admits may be accepted or refused."),
                format!("{name} that only one edition of the documents admits"),
                if bounds.patterns.is_empty() { &["InvalidParameterException", "RegistryNotFoundException"] } else { INVALID },
            );
        }
    }

    fn answer_member(&mut self, operation: &Operation, member: &Member) {
        self.add(
            Tier::Documented,
            &[&format!("api:{}", operation.name)],
            &format!("{}/answer/{}", operation.name, member.name),
            format!(
                "a successful answer has {}, a {}{}.",
                member.name,
                member.shape.kind.word(),
                match (operation.name, member.name) {
                    (_, "repositoryName" | "uploadId") if operation.input(member.name).is_some() => ", as it was sent",
                    ("CompleteLayerUpload", "layerDigest") =>
                        ": sha256: and the lower-case sha256 of the bytes, whatever digests were sent",
                    ("UploadLayerPart", "lastByteReceived") => ": the last byte of the part",
                    _ => "",
                }
            ),
            format!("{} in the answer", member.name),
            NOTHING,
        );
    }

    /// What holds for each operation as a whole.
    fn operation(&mut self, operation: &Operation) {
        let page = format!("api:{}", operation.name);
        let page = page.as_str();
        let id = |what: &str| format!("{}/{what}", operation.name);
        self.add(
            Tier::Documented,
            &[page],
            &id("accepted"),
            "a request inside every constraint succeeds.",
            "a valid request",
            NOTHING,
        );
        self.add(
            Tier::Documented,
            &[page],
            &id("known"),
            format!("the service has the operation {}.", operation.name),
            "a plain request",
            NOTHING,
        );
        self.add(
            Tier::Documented,
            &[page, "steampipe1938"],
            &id("repositoryName/exists"),
            "the repository must exist.",
            "a repository that does not exist",
            &["RepositoryNotFoundException"],
        );
        self.add(
            Tier::Documented,
            &[page],
            &id("repositoryName/accepted"),
            "a repository name that every edition of the documents admits is accepted.",
            "a valid repository name",
            NOTHING,
        );
        self.add(
            Tier::Open,
            &["api:CreateRepository", page],
            &id("repositoryName/leading-digit"),
            "the pattern admits a leading digit, the text of CreateRepository asks for a letter.",
            "a repository name with a leading digit",
            INVALID,
        );
        self.add(
            Tier::Documented,
            &[page],
            &id("registryId/own"),
            "the registry id of the caller may be named.",
            "the caller's own registry id",
            NOTHING,
        );
        if self.service == Service::EcrPublic {
            self.add(
                Tier::Open,
                &["survey"],
                &id("registryId/unknown"),
                "an alias that nobody has: RegistryNotFoundException is documented, but whether it comes before other errors is not.",
                "a registry alias that nobody has",
                &["RegistryNotFoundException", "RepositoryNotFoundException"],
            );
        }
        if operation.input("uploadId").is_some() {
            self.add(
                Tier::Documented,
                &[page],
                &id("uploadId/exists"),
                "the upload must exist and belong to the repository.",
                "an upload id that does not exist in this repository",
                &["UploadNotFoundException"],
            );
            self.add(
                Tier::Open,
                &["survey"],
                &id("uploadId/upper-case"),
                "the pattern admits upper case; whether ids are compared without case is not documented.",
                "an upload id in upper case",
                &["UploadNotFoundException"],
            );
            self.add(
                Tier::Open,
                &["survey"],
                &id("uploadId/recreated-repository"),
                "whether an upload survives the deletion of its repository is not documented.",
                "an upload of a repository that was deleted and made again",
                &["UploadNotFoundException"],
            );
            self.add(
                Tier::Documented,
                &[page],
                &id("uploadId/side-by-side"),
                "uploads of one repository do not touch each other.",
                "one of two uploads of a repository",
                NOTHING,
            );
        }
    }

    /// Parts and their completion.
    fn uploads(&mut self) {
        let (upload, complete) = ("api:UploadLayerPart", "api:CompleteLayerUpload");
        let part = &["InvalidLayerPartException"];
        let range = &["InvalidLayerPartException", "InvalidParameterException"];
        self.add(
            Tier::Documented,
            &[upload, "kaniko607"],
            "UploadLayerPart/partFirstByte/contiguous",
            "a part begins where the part before it ended, the first at 0.",
            "a part that does not begin where the last one ended",
            part,
        );
        self.add(
            Tier::Documented,
            &[upload],
            "UploadLayerPart/partLastByte/not-before-first",
            "the last byte of a part is not before its first. Which of the two errors is answered is not documented.",
            "a part whose last byte is before its first",
            range,
        );
        self.add(
            Tier::Documented,
            &[upload],
            "UploadLayerPart/layerPartBlob/length",
            "a part has as many bytes as its range says, both ends counted. Which of the two errors is answered is not documented.",
            "a part whose length differs from its range",
            range,
        );
        self.add(
            Tier::Open,
            &["survey"],
            "UploadLayerPart/layerPartBlob/empty",
            "the model admits an empty part; no range can describe one.",
            "an empty part",
            range,
        );
        self.add(
            Tier::Open,
            &[upload, "quotas"],
            "UploadLayerPart/layerPartBlob/above-10-MiB",
            "the API reference admits parts of 20 MiB, the quota table of 10 MiB.",
            "a part of more than 10 MiB",
            &["InvalidParameterException", "InvalidLayerPartException", "LimitExceededException"],
        );
        self.add(
            Tier::Documented,
            &[upload],
            "UploadLayerPart/partFirstByte/resume",
            "after a refused part the upload goes on at lastValidByteReceived.",
            "the right part after a refused one",
            NOTHING,
        );
        self.add(
            Tier::Documented,
            &[upload],
            "UploadLayerPart/answer/InvalidLayerPartException",
            "InvalidLayerPartException names registry, repository, upload and the last valid byte received.",
            "members of InvalidLayerPartException",
            NOTHING,
        );
        self.add(
            Tier::Open,
            &["survey"],
            "UploadLayerPart/uploadId/completed",
            "whether a completed upload still exists is not documented.",
            "a part of a completed upload",
            &["UploadNotFoundException"],
        );
        self.add(
            Tier::Documented,
            &[complete, "devcontainers814"],
            "CompleteLayerUpload/parts/required",
            "an upload without parts cannot be completed.",
            "an upload without parts",
            &["EmptyUploadException"],
        );
        self.add(
            Tier::Documented,
            &[complete, "dotnet424"],
            "CompleteLayerUpload/parts/min-size",
            "every part but the last has at least 5,242,880 bytes. It is looked at when the upload is completed.",
            "an inner part of less than 5 MiB",
            &["LayerPartTooSmallException"],
        );
        self.add(
            Tier::Documented,
            &[complete, "dotnet424"],
            "CompleteLayerUpload/layerDigests/match",
            "one of the digests must be that of the bytes.",
            "a digest that does not match the bytes",
            &["InvalidLayerException"],
        );
        self.add(
            Tier::Observed,
            &["dotnet424", "dotnet472", "colima1167"],
            "CompleteLayerUpload/layerDigests/any-match",
            "one right digest among several is enough.",
            "a list in which one digest is right",
            NOTHING,
        );
        self.add(
            Tier::Documented,
            &[complete, "model"],
            "CompleteLayerUpload/layerDigests/duplicates",
            "the model asks for no distinct items: the same digest may be listed twice.",
            "the same digest twice",
            NOTHING,
        );
        self.add(
            Tier::Observed,
            &["cli-complete", "resolver"],
            "CompleteLayerUpload/layerDigests/other-algorithm",
            "digests of another algorithm than sha256 are not compared; the answer has the sha256 digest.",
            "a digest of another algorithm",
            NOTHING,
        );
        self.add(
            Tier::Open,
            &["survey"],
            "CompleteLayerUpload/layerDigests/mixed-algorithms",
            "what a digest of another algorithm counts beside a sha256 digest is not documented.",
            "digests of two algorithms",
            &["InvalidLayerException"],
        );
        self.add(
            Tier::Open,
            &["survey"],
            "CompleteLayerUpload/layerDigests/upper-case",
            "the pattern admits upper case; whether digests are compared without case is not documented.",
            "the right digest in upper case",
            &["InvalidLayerException", "InvalidParameterException"],
        );
        self.add(
            Tier::Documented,
            &[complete],
            "CompleteLayerUpload/layerDigests/sha256-length",
            "a sha256 digest of another length than 64 cannot match. It may be refused as a parameter.",
            "a sha256 digest of the wrong length",
            &["InvalidLayerException", "InvalidParameterException"],
        );
        self.add(
            Tier::Documented,
            &[complete],
            "CompleteLayerUpload/layer/new",
            "a layer that the repository has already cannot be completed again.",
            "a layer that the repository has already",
            &["LayerAlreadyExistsException"],
        );
        self.add(
            Tier::Documented,
            &[complete],
            "CompleteLayerUpload/layer/per-repository",
            "a layer of another repository is no obstacle.",
            "a layer that another repository has",
            NOTHING,
        );
        self.add(
            Tier::Observed,
            &["resolver"],
            "CompleteLayerUpload/layer/digest-first",
            "digests are compared before the layer is looked up.",
            "a wrong digest for a layer that the repository has already",
            &["InvalidLayerException"],
        );
        self.add(
            Tier::Documented,
            &[complete],
            "CompleteLayerUpload/uploadId/once",
            "an upload is completed once: after that the upload is gone, or its layer exists.",
            "an upload that was completed already",
            &["UploadNotFoundException", "LayerAlreadyExistsException"],
        );
        self.add(
            Tier::Open,
            &["survey"],
            "CompleteLayerUpload/uploadId/after-refused",
            "whether an upload survives a refused CompleteLayerUpload is not documented.",
            "an upload whose completion was refused",
            &["UploadNotFoundException"],
        );
    }

    /// What can be seen of layers.
    fn availability(&mut self) {
        let check = "api:BatchCheckLayerAvailability";
        let rows: &[(&str, &[&str], &str, &str)] = &[
            ("stored", &[check, "cli-batch"], "a completed layer is AVAILABLE, with its size.", "a completed layer"),
            (
                "absent",
                &[check, "resolver"],
                "a layer that was never uploaded is UNAVAILABLE, or a failure with MissingLayerDigest.",
                "a layer that was never uploaded",
            ),
            (
                "incomplete",
                &[check, "api:CompleteLayerUpload"],
                "a layer is not available before its upload is completed.",
                "a layer whose upload is not completed",
            ),
            (
                "refused",
                &[check, "api:CompleteLayerUpload"],
                "a refused CompleteLayerUpload stores nothing.",
                "a layer whose completion was refused",
            ),
            (
                "per-repository",
                &[check],
                "a layer is available in its repository only.",
                "a layer of another repository",
            ),
            (
                "deleted-repository",
                &["api:DeleteRepository", check],
                "deleting a repository deletes its layers.",
                "a layer of a repository that was deleted and made again",
            ),
        ];
        for (name, sources, statement, breach) in rows {
            let id = format!("BatchCheckLayerAvailability/layers/{name}");
            self.add(Tier::Documented, sources, &id, *statement, *breach, NOTHING);
        }
        self.add(
            Tier::Open,
            &["model"],
            "BatchCheckLayerAvailability/layerDigests/malformed",
            "the model has a failure code InvalidLayerDigest and no pattern; when it is used is not documented.",
            "a malformed digest",
            INVALID,
        );
        if self.service == Service::Ecr {
            let url = "api:GetDownloadUrlForLayer";
            self.add(
                Tier::Documented,
                &[url, "monken11"],
                "GetDownloadUrlForLayer/layerDigest/exists",
                "the layer must exist in the repository.",
                "a layer that does not exist",
                &["LayersNotFoundException"],
            );
            self.add(
                Tier::Open,
                &[url],
                "GetDownloadUrlForLayer/layer/unreferenced",
                "a layer of no image is inaccessible, so the page says; servers that hand it out all the same do more than they must.",
                "a layer that no image refers to",
                &["LayerInaccessibleException"],
            );
        }
    }

    /// How every answer looks.
    fn answers(&mut self) {
        let rows: &[(&str, Tier, &[&str], &str, &str)] = &[
            (
                "answer/status",
                Tier::Documented,
                &["smithy-http", "c7n"],
                "success is 200, a client fault 400, a server fault 500.",
                "the status of an answer",
            ),
            (
                "answer/content-type",
                Tier::Documented,
                &["smithy", "c7n"],
                "an answer has the content type application/x-amz-json-1.1.",
                "the content type of an answer",
            ),
            (
                "answer/json-object",
                Tier::Documented,
                &["smithy"],
                "the body of an answer is the JSON object that the model describes.",
                "the body of an answer",
            ),
            (
                "answer/error-type",
                Tier::Documented,
                &["smithy", "c7n"],
                "an error answer names its type: in x-amzn-errortype, code or __type.",
                "an error answer",
            ),
            (
                "answer/type-visible",
                Tier::Observed,
                &["c7n"],
                "the error type stands in __type, where all SDKs look.",
                "the place of the error type",
            ),
            (
                "answer/message",
                Tier::Documented,
                &["model", "c7n"],
                "a modelled error carries a message.",
                "the message of an error",
            ),
            (
                "answer/message-text",
                Tier::Observed,
                &["c7n", "dotnet424"],
                "a message reads as the real service was seen to write it (only under --strict).",
                "the text of an error",
            ),
            (
                "always/answered",
                Tier::Documented,
                &["rfc9110", "smithy-http"],
                "a faulty request is answered: the connection is neither dropped nor left silent.",
                "a faulty request",
            ),
            (
                "always/no-5xx",
                Tier::Documented,
                &["smithy-http"],
                "a client's fault is never answered as a server's fault.",
                "a faulty request",
            ),
        ];
        for (id, tier, sources, statement, breach) in rows {
            self.add(*tier, sources, id, *statement, *breach, NOTHING);
        }
    }

    /// The protocol below the operations.
    fn wire(&mut self) {
        let unknown: &[&str] = &["UnknownOperationException"];
        let unreadable: &[&str] = &["SerializationException"];
        let rows: &[(&str, Tier, &[&str], &str, &str, &[&'static str])] = &[
            (
                "wire/target/present",
                Tier::Observed,
                &["kinesalite", "smithy"],
                "X-Amz-Target names the operation; without it there is none.",
                "a request without X-Amz-Target",
                unknown,
            ),
            (
                "wire/target/prefix",
                Tier::Observed,
                &["kinesalite", "smithy"],
                "the prefix of X-Amz-Target is the service's.",
                "a target of another service",
                unknown,
            ),
            (
                "wire/target/operation",
                Tier::Observed,
                &["kinesalite", "net1536"],
                "X-Amz-Target names an operation that the service has.",
                "a target that names no operation",
                unknown,
            ),
            (
                "wire/header/case",
                Tier::Documented,
                &["rfc9110"],
                "header names are compared without case.",
                "lower-case header names",
                NOTHING,
            ),
            (
                "wire/content-type/parameters",
                Tier::Documented,
                &["smithy"],
                "parameters of the content type are ignored.",
                "a content type with a charset",
                NOTHING,
            ),
            (
                "wire/content-type/other",
                Tier::Open,
                &["kinesalite"],
                "how ECR answers to another content type is not documented.",
                "another content type",
                unknown,
            ),
            (
                "wire/body/empty",
                Tier::Observed,
                &["kinesalite"],
                "an operation with required members needs a body.",
                "an empty body",
                WRONG_TYPE,
            ),
            (
                "wire/body/json",
                Tier::Observed,
                &["kinesalite", "rfc8259"],
                "the body is JSON.",
                "a body that is not JSON",
                unreadable,
            ),
            (
                "wire/body/object",
                Tier::Observed,
                &["kinesalite"],
                "the body is a JSON object.",
                "a body that is JSON but no object",
                WRONG_TYPE,
            ),
            (
                "wire/body/utf-8",
                Tier::Observed,
                &["rfc8259", "kinesalite"],
                "the body is UTF-8.",
                "a body that is not UTF-8",
                WRONG_TYPE,
            ),
            (
                "wire/body/surrogate",
                Tier::Observed,
                &["rfc8259", "kinesalite"],
                "a lone surrogate is no character, so no member that holds one matches its pattern.",
                "a lone surrogate",
                WRONG_TYPE,
            ),
            (
                "wire/body/bom",
                Tier::Open,
                &["rfc8259"],
                "a parser may ignore a byte order mark or refuse it.",
                "a byte order mark",
                unreadable,
            ),
            (
                "wire/body/duplicate-keys",
                Tier::Open,
                &["rfc8259"],
                "which of two equal keys counts is left open.",
                "two equal keys",
                WRONG_TYPE,
            ),
            (
                "wire/body/nesting",
                Tier::Open,
                &["rfc8259"],
                "a parser may limit the depth of nesting.",
                "deep nesting",
                unreadable,
            ),
            (
                "wire/body/unknown-members",
                Tier::Observed,
                &["kinesalite"],
                "members that the model does not know are ignored.",
                "an unknown member",
                NOTHING,
            ),
            (
                "wire/framing/chunked",
                Tier::Open,
                &["smithy"],
                "the protocol asks for Content-Length; whether a chunked request is taken is not documented.",
                "a chunked request",
                unreadable,
            ),
            (
                "wire/framing/expect",
                Tier::Documented,
                &["rfc9110"],
                "a request with Expect: 100-continue is answered like any other.",
                "Expect: 100-continue",
                NOTHING,
            ),
            (
                "wire/method",
                Tier::Open,
                &["kinesalite", "smithy"],
                "only POST names an operation; how ECR answers to other methods is not documented.",
                "another method than POST",
                unknown,
            ),
        ];
        for (id, tier, sources, statement, breach, errors) in rows {
            self.add(*tier, sources, id, *statement, *breach, errors);
        }
    }

    /// What a run asks before it judges.
    fn survey(&mut self) {
        let create = "api:CreateRepository";
        self.add(
            Tier::Documented,
            &[create],
            "survey/service",
            "the endpoint serves this service.",
            "a plain request",
            NOTHING,
        );
        self.add(
            Tier::Documented,
            &[create],
            "survey/CreateRepository",
            "a repository can be created for the cases to work in.",
            "a plain CreateRepository",
            NOTHING,
        );
        self.add(
            Tier::Documented,
            &["api:CompleteLayerUpload", "cli-initiate", "cli-upload"],
            "survey/plain-upload",
            "one plain upload works from end to end.",
            "a plain upload",
            NOTHING,
        );
        self.add(
            Tier::Documented,
            &["api:BatchCheckLayerAvailability"],
            "survey/availability",
            "BatchCheckLayerAvailability tells a stored layer from an absent one.",
            "a plain BatchCheckLayerAvailability",
            NOTHING,
        );
    }
}

fn json_type(kind: &Kind) -> &'static str {
    match kind {
        Kind::Text(_) | Kind::Blob { .. } => "string",
        Kind::Long { .. } | Kind::Timestamp => "number",
        Kind::Boolean => "boolean",
        Kind::List { .. } => "list",
        Kind::Structure(_) => "object",
    }
}
