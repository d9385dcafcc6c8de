//! Where each statement comes from, and how strong that makes it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How strong a statement about the service is; decides whether breaking it can fail a target.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// In the API reference, the service model or a protocol specification. Gates.
    Documented,
    /// No document says it, but it follows from a sentence that one has. Gates.
    Derived,
    /// A published answer of the real service; or, where the source says so, of another AWS service on the same
    /// framework, or what an engineer of the service says of it in published code. Gates.
    Observed,
    /// The documents are silent or contradict each other. Run and recorded, never failed.
    Open,
}

impl Tier {
    /// Whether breaking a statement of this tier is a finding.
    pub fn gates(self) -> bool {
        self != Tier::Open
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Tier::Documented => "documented",
            Tier::Derived => "derived",
            Tier::Observed => "observed",
            Tier::Open => "open",
        })
    }
}

impl FromStr for Tier {
    type Err = NoTier;

    fn from_str(text: &str) -> Result<Tier, NoTier> {
        match text {
            "documented" => Ok(Tier::Documented),
            "derived" => Ok(Tier::Derived),
            "observed" => Ok(Tier::Observed),
            "open" => Ok(Tier::Open),
            other => Err(NoTier(other.to_owned())),
        }
    }
}

/// A text that names no tier.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected a tier (documented, derived, observed or open), found {0:?}")]
pub struct NoTier(pub String);

/// What a statement rests on: how strong that is, and where it comes from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Basis {
    /// How strong.
    pub tier: Tier,
    /// Where it comes from, strongest first.
    pub sources: Vec<&'static Source>,
}

/// `observed [stelligent/mu#323]`
impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sources: Vec<&str> = self.sources.iter().map(|source| source.id).collect();
        write!(f, "{} [{}]", self.tier, sources.join(" "))
    }
}

/// A page, model or published trace that says something about the service.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Source {
    /// Name used in snapshots and scenario files: that of the repository and issue or file, or of the document and page.
    pub id: &'static str,
    /// What it is, and for an observation what was seen.
    pub what: &'static str,
    /// Where it is.
    pub url: &'static str,
    /// Edition, version or date of the text that was read.
    pub edition: &'static str,
}

impl Source {
    /// The source with this id.
    pub fn find(id: &str) -> Option<&'static Source> {
        SOURCES.iter().find(|source| source.id == id)
    }
}

/// Every source that an expectation may name, by kind.
pub static SOURCES: &[Source] = &[
    // The API references, one page an operation.
    api(
        "api:InitiateLayerUpload",
        "API reference, InitiateLayerUpload",
        "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_InitiateLayerUpload.html",
    ),
    api(
        "api:UploadLayerPart",
        "API reference, UploadLayerPart",
        "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_UploadLayerPart.html",
    ),
    api(
        "api:CompleteLayerUpload",
        "API reference, CompleteLayerUpload",
        "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CompleteLayerUpload.html",
    ),
    api(
        "api:BatchCheckLayerAvailability",
        "API reference, BatchCheckLayerAvailability",
        "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchCheckLayerAvailability.html",
    ),
    api(
        "api:GetDownloadUrlForLayer",
        "API reference, GetDownloadUrlForLayer",
        "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetDownloadUrlForLayer.html",
    ),
    api(
        "api:PutImage",
        "API reference, PutImage",
        "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImage.html",
    ),
    api(
        "api:CreateRepository",
        "API reference, CreateRepository",
        "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html",
    ),
    api(
        "api:DescribeRepositories",
        "API reference, DescribeRepositories",
        "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeRepositories.html",
    ),
    api(
        "api:DeleteRepository",
        "API reference, DeleteRepository",
        "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DeleteRepository.html",
    ),
    api(
        "api-public:InitiateLayerUpload",
        "API reference (public), InitiateLayerUpload",
        "https://docs.aws.amazon.com/AmazonECRPublic/latest/APIReference/API_InitiateLayerUpload.html",
    ),
    api(
        "api-public:UploadLayerPart",
        "API reference (public), UploadLayerPart",
        "https://docs.aws.amazon.com/AmazonECRPublic/latest/APIReference/API_UploadLayerPart.html",
    ),
    api(
        "api-public:CompleteLayerUpload",
        "API reference (public), CompleteLayerUpload",
        "https://docs.aws.amazon.com/AmazonECRPublic/latest/APIReference/API_CompleteLayerUpload.html",
    ),
    api(
        "api-public:BatchCheckLayerAvailability",
        "API reference (public), BatchCheckLayerAvailability",
        "https://docs.aws.amazon.com/AmazonECRPublic/latest/APIReference/API_BatchCheckLayerAvailability.html",
    ),
    api(
        "api-public:PutImage",
        "API reference (public), PutImage",
        "https://docs.aws.amazon.com/AmazonECRPublic/latest/APIReference/API_PutImage.html",
    ),
    api(
        "api-public:CreateRepository",
        "API reference (public), CreateRepository",
        "https://docs.aws.amazon.com/AmazonECRPublic/latest/APIReference/API_CreateRepository.html",
    ),
    api(
        "api-public:DescribeRepositories",
        "API reference (public), DescribeRepositories",
        "https://docs.aws.amazon.com/AmazonECRPublic/latest/APIReference/API_DescribeRepositories.html",
    ),
    api(
        "api-public:DeleteRepository",
        "API reference (public), DeleteRepository",
        "https://docs.aws.amazon.com/AmazonECRPublic/latest/APIReference/API_DeleteRepository.html",
    ),
    api(
        "api-public:RegistryAlias",
        "API reference (public), RegistryAlias: the name of an alias",
        "https://docs.aws.amazon.com/AmazonECRPublic/latest/APIReference/API_RegistryAlias.html",
    ),
    // Models and protocol specifications.
    source(
        "service-model",
        "the service model that the AWS SDKs are generated from",
        "https://github.com/boto/botocore/tree/develop/botocore/data",
        "botocore 1.43.106",
    ),
    source(
        "smithy",
        "AWS JSON 1.1 protocol specification and its compliance tests",
        "https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html",
        "commit 0f73231",
    ),
    source(
        "smithy-http",
        "Smithy HTTP bindings: a client fault is 400, a server fault 500, unless modelled otherwise",
        "https://smithy.io/2.0/spec/http-bindings.html",
        "commit 0f73231",
    ),
    source(
        "rfc8259",
        "The JavaScript Object Notation (JSON) Data Interchange Format",
        "https://www.rfc-editor.org/rfc/rfc8259",
        "2017-12",
    ),
    source(
        "aws:common-errors",
        "errors common to all AWS services, to which every page of the API reference points: RequestEntityTooLargeException (413), MalformedHttpRequestException and ValidationError (400) among them; later editions add that not every service has every error",
        "https://docs.aws.amazon.com/awsconsolehelpdocs/latest/gsg/common-errors.html",
        "2025",
    ),
    source(
        "iam:sigv4",
        "AWS Signature Version 4 for API requests: a request must include a signature, and AWS repeats its computation to grant or deny access",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html",
        "2025",
    ),
    source(
        "iam:canonical-request",
        "Signature Version 4, the canonical request: method, path, query, signed headers (the host among them, white space trimmed) and the hash of the body",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html",
        "2025",
    ),
    source(
        "iam:sigv4-troubleshooting",
        "Signature Version 4, troubleshooting: what fails where the signature, or the date, Region or service of its scope, is another than that of the request; SignatureDoesNotMatch (403)",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html",
        "2025",
    ),
    source(
        "emr:common-errors",
        "errors common to all AWS services, in the edition of Amazon EMR: InvalidClientTokenId (403), RequestExpired (400)",
        "https://docs.aws.amazon.com/emr/latest/APIReference/CommonErrors.html",
        "2025",
    ),
    source(
        "documentdb:common-errors",
        "errors common to AWS services, in the edition of Amazon DocumentDB: MissingAuthenticationToken",
        "https://docs.aws.amazon.com/documentdb/latest/developerguide/CommonErrors.html",
        "2025",
    ),
    source("rfc9110", "HTTP Semantics", "https://www.rfc-editor.org/rfc/rfc9110", "2022-06"),
    source("rfc9112", "HTTP/1.1", "https://www.rfc-editor.org/rfc/rfc9112", "2022-06"),
    source(
        "rfc4648",
        "The Base16, Base32, and Base64 Data Encodings",
        "https://www.rfc-editor.org/rfc/rfc4648",
        "2006-10",
    ),
    source(
        "user-guide:encryption-at-rest",
        "Amazon ECR user guide, encryption at rest: a repository made with a KMS key depends on that key and its grants",
        "https://docs.aws.amazon.com/AmazonECR/latest/userguide/encryption-at-rest.html",
        "2025",
    ),
    source(
        "user-guide:service-quotas",
        "Amazon ECR service quotas: parts of 5 to 10 MiB, where the API reference allows 20 MiB",
        "https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html",
        "2025",
    ),
    source(
        "aws-cli:complete-layer-upload",
        "AWS CLI example of complete-layer-upload: a digest of another algorithm is answered with the sha256 digest",
        "https://github.com/aws/aws-cli/blob/develop/awscli/examples/ecr/complete-layer-upload.rst",
        "2025",
    ),
    source(
        "aws-cli:initiate-layer-upload",
        "AWS CLI example of initiate-layer-upload: partSize 10485760",
        "https://github.com/aws/aws-cli/blob/develop/awscli/examples/ecr/initiate-layer-upload.rst",
        "2025",
    ),
    source(
        "aws-cli:upload-layer-part",
        "AWS CLI example of upload-layer-part: lastByteReceived is the partLastByte sent",
        "https://github.com/aws/aws-cli/blob/develop/awscli/examples/ecr/upload-layer-part.rst",
        "2025",
    ),
    source(
        "aws-cli:batch-check-layer-availability",
        "AWS CLI example of batch-check-layer-availability: layers and failures both present",
        "https://github.com/aws/aws-cli/blob/develop/awscli/examples/ecr/batch-check-layer-availability.rst",
        "2025",
    ),
    source(
        "aws-cli:ecr-public/create-repository",
        "AWS CLI example of create-repository in the public service: repositoryUri has the alias of the registry before the name of the repository",
        "https://github.com/aws/aws-cli/blob/develop/awscli/examples/ecr-public/create-repository.rst",
        "2025",
    ),
    source(
        "user-guide:public-registries",
        "Amazon ECR Public user guide, public registries: a registry is assigned an alias with its first repository, and any of its active aliases can stand before the name of a repository",
        "https://docs.aws.amazon.com/AmazonECR/latest/public/public-registries.html",
        "2025",
    ),
    // Published answers of the real service.
    source(
        "cloud-custodian/cloud-custodian:tests",
        "recorded answers: bare __type, lower-case message, 400, application/x-amz-json-1.1; constraint faults are InvalidParameterException",
        "https://github.com/cloud-custodian/cloud-custodian/tree/main/tests/data/placebo",
        "recordings of 2017 to 2019, commit df800e9",
    ),
    source(
        "awslabs/amazon-ecr-containerd-resolver",
        "Amazon's own containerd resolver: digests of other algorithms are not validated; digest validation comes before LayerAlreadyExistsException; absent layers are UNAVAILABLE",
        "https://github.com/awslabs/amazon-ecr-containerd-resolver/tree/main/ecr",
        "commit 8e1e030",
    ),
    source(
        "dotnet/sdk-container-builds#424",
        "published CloudTrail record: LayerPartTooSmallException, \"All layer parts except the last part should be at least 5MB\"; and through the Docker front end, which forwards the text and not the type: \"None of the provided layer digests match the calculated layer digest\"",
        "https://github.com/dotnet/sdk-container-builds/issues/424",
        "2023-06",
    ),
    source(
        "dotnet/sdk-container-builds#472",
        "published answer of the public service through the Docker front end, which forwards the text and not the type: \"None of the provided layer digests match the calculated layer digest\"",
        "https://github.com/dotnet/sdk-container-builds/issues/472",
        "2023-07",
    ),
    source(
        "abiosoft/colima#1167",
        "published answer through the Docker front end, which forwards the text and not the type: \"None of the provided layer digests match the calculated layer digest\"",
        "https://github.com/abiosoft/colima/issues/1167",
        "2024-10",
    ),
    source(
        "devcontainers/cli#814",
        "published CloudTrail record: EmptyUploadException for a CompleteLayerUpload without parts",
        "https://github.com/devcontainers/cli/issues/814",
        "2024-05",
    ),
    source(
        "GoogleContainerTools/kaniko#607",
        "published answer through the Docker front end, which forwards the text and not the type: \"First byte of the layer part is 10485760 instead of 20971520\"",
        "https://github.com/GoogleContainerTools/kaniko/issues/607",
        "2019-03",
    ),
    source(
        "turbot/steampipe-plugin-aws#1938",
        "published answer: The repository with name '…' does not exist in the registry with id '…'",
        "https://github.com/turbot/steampipe-plugin-aws/issues/1938",
        "2023",
    ),
    source(
        "monken/aws-ecr-public#11",
        "published answer: LayersNotFoundException for the download URL of an absent layer",
        "https://github.com/monken/aws-ecr-public/issues/11",
        "2022",
    ),
    source(
        "oras-project/oras-py#54",
        "published answer: layers that a manifest names and that are not in the repository, the configuration among them",
        "https://github.com/oras-project/oras-py/issues/54",
        "2022-12",
    ),
    source(
        "apple/container#1895",
        "published answer through the Docker front end: \"First byte of the layer part is 0 instead of 11304960\", which is 10 MiB and 800 KiB: a part below 5 MiB was accepted before the upload was completed",
        "https://github.com/apple/container/issues/1895",
        "2026-07",
    ),
    source(
        "airvzxf/ftp-deployment-action#92",
        "published answer of the public service through the Docker front end, to an alias that the account does not have: \"The repository with name 'ftp-deployment-action' does not exist in the registry with id 'airvzxf'\"",
        "https://github.com/airvzxf/ftp-deployment-action/pull/92",
        "2026-07",
    ),
    source(
        "aws/containers-roadmap#2860",
        "report by an Amazon engineer: a layer that no image refers to exists, and is treated otherwise than one that an image refers to",
        "https://github.com/aws/containers-roadmap/issues/2860",
        "2026-08",
    ),
    source(
        "stelligent/mu#323",
        "published answer: status 400 and InvalidParameterException for a repository name; the pattern means the whole string",
        "https://github.com/stelligent/mu/issues/323",
        "2018-09",
    ),
    source(
        "hashicorp/terraform-provider-aws#40309",
        "published answer: status 400 and InvalidParameterException for an ARN in the place of a repository name",
        "https://github.com/hashicorp/terraform-provider-aws/issues/40309",
        "2024-11",
    ),
    source(
        "icy/gDockerImageCheck",
        "published answer: status 400 and InvalidParameterException for a registry id of four digits, \"must satisfy regular expression [0-9]{12}\"",
        "https://github.com/icy/gDockerImageCheck/blob/master/README.md",
        "2018",
    ),
    source(
        "fujiwara/ecrm#3",
        "published answer: status 400 and InvalidParameterException for a list of more than 100 items",
        "https://github.com/fujiwara/ecrm/pull/3",
        "2022-07",
    ),
    source(
        "andrey-pohilko/registry-cli#79",
        "published answer through the Docker front end: \"Invalid parameter at 'maxResults' failed to satisfy constraint: 'Member must have value less than or equal to 1000'\"",
        "https://github.com/andrey-pohilko/registry-cli/issues/79",
        "2019-09",
    ),
    source(
        "jenkins-x/jx#1344",
        "published answer: InvalidParameterException for a repository name; the pattern means the whole string",
        "https://github.com/jenkins-x/jx/issues/1344",
        "2018-07",
    ),
    source(
        "aws/aws-dotnet-deploy#549",
        "published answer: InvalidParameterException for a repository name of one character",
        "https://github.com/aws/aws-dotnet-deploy/issues/549",
        "2022",
    ),
    source(
        "puemos/aws-lambda-ecr-cleaner#3",
        "published answer: InvalidParameterException for an empty list",
        "https://github.com/puemos/aws-lambda-ecr-cleaner/issues/3",
        "2017",
    ),
    source(
        "aws-actions/amazon-ecr-login#225",
        "published answer: InvalidParameterException for a list item that breaks its pattern",
        "https://github.com/aws-actions/amazon-ecr-login/issues/225",
        "2021",
    ),
    source(
        "aws-actions/amazon-ecr-login#232",
        "published answer: InitiateLayerUpload in the registry of another account, which does not allow it, is not authorized",
        "https://github.com/aws-actions/amazon-ecr-login/issues/232",
        "2021",
    ),
    source(
        "user-guide:common-errors",
        "Amazon ECR user guide, error messages: AccessDeniedException, and status 403 for what the caller is not authorized to do",
        "https://docs.aws.amazon.com/AmazonECR/latest/userguide/common-errors.html",
        "2025",
    ),
    source(
        "jenkinsci/amazon-ecr-plugin#199",
        "published answer: MissingAuthenticationTokenException with status 400 for a request without a signature",
        "https://github.com/jenkinsci/amazon-ecr-plugin/issues/199",
        "2025-01",
    ),
    source(
        "aws/aws-sdk-php#1114",
        "published answer: 400 {\"__type\":\"UnrecognizedClientException\",\"message\":\"The security token included in the request is invalid.\"}",
        "https://github.com/aws/aws-sdk-php/issues/1114",
        "2016-10",
    ),
    source(
        "upmc-enterprises/registry-creds#24",
        "published answer: InvalidSignatureException with status 400 for a date that is more than 15 minutes off",
        "https://github.com/upmc-enterprises/registry-creds/issues/24",
        "2017-01",
    ),
    // Published answers of other AWS services on the same server framework.
    source(
        "aws/aws-sdk-ruby#431",
        "another AWS service on the same framework (EMR, JSON 1.1): 400 {\"__type\":\"InvalidSignatureException\"} for a scope of another service",
        "https://github.com/aws/aws-sdk-ruby/issues/431",
        "2013-12",
    ),
    source(
        "teralytics/prometheus-ecs-discovery#7",
        "another AWS service on the same framework (ECS, JSON 1.1): InvalidSignatureException with status 400 where the signature does not match",
        "https://github.com/teralytics/prometheus-ecs-discovery/issues/7",
        "2018-03",
    ),
    source(
        "mhart/dynalite:index.js",
        "an implementation of another AWS service on the same framework (DynamoDB), with answers of the real one to signatures that are wrong in one way each, in the order in which it looks",
        "https://github.com/mhart/dynalite/blob/master/index.js",
        "commit 639b58d",
    ),
    source(
        "mhart/kinesalite:test/connection.js",
        "another AWS service on the same framework (Kinesis, JSON 1.1), tests that run against the real one: no target, no body, a body that is not JSON",
        "https://github.com/mhart/kinesalite/blob/master/test/connection.js",
        "commit c76689d",
    ),
    source(
        "mhart/kinesalite:test/helpers.js",
        "another AWS service on the same framework (Kinesis, JSON 1.1), tests that run against the real one: members of another JSON type, text that is not base64 or not padded",
        "https://github.com/mhart/kinesalite/blob/master/test/helpers.js",
        "commit c76689d",
    ),
    source(
        "mhart/kinesalite:index.js",
        "an implementation of another AWS service on the same framework (Kinesis, JSON 1.1), compared with the real one by its tests: targets and content types",
        "https://github.com/mhart/kinesalite/blob/master/index.js",
        "commit c76689d",
    ),
    source(
        "aws/aws-sdk-net#1536",
        "another AWS service on the same framework (CloudWatch Logs): 400 {\"__type\":\"UnknownOperationException\"}",
        "https://github.com/aws/aws-sdk-net/issues/1536",
        "2020-02",
    ),
    source(
        "cwe-400",
        "uncontrolled resource consumption: a request must not cost the server far more than its sender",
        "https://cwe.mitre.org/data/definitions/400.html",
        "2026-11",
    ),
    source(
        "cwe-1333",
        "inefficient regular expression complexity: checking a malformed text must not take far longer than checking a right one",
        "https://cwe.mitre.org/data/definitions/1333.html",
        "2026-11",
    ),
    source(
        "none-found",
        "the documents and published answers were searched and nothing was found",
        "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/",
        "2026-11",
    ),
];

const fn api(id: &'static str, what: &'static str, url: &'static str) -> Source {
    source(id, what, url, "2025")
}

const fn source(id: &'static str, what: &'static str, url: &'static str, edition: &'static str) -> Source {
    Source { id, what, url, edition }
}
