//! The error types of the two services and of the protocol beneath them.

use serde::Serialize;

use super::rule::RuleId;
use super::shape::{Member, optional};
use super::shapes;

/// An error type that a server may answer with.
#[derive(Debug)]
pub struct ErrorType {
    /// Its bare name, as in `__type`.
    pub name: &'static str,
    /// Whose fault it is.
    pub fault: Fault,
    /// HTTP statuses it may come with; the first is the documented one.
    pub statuses: &'static [u16],
    /// What the documents say it means.
    pub meaning: &'static str,
    /// Members besides `message`.
    pub members: &'static [Member],
    /// Its message, where a real trace gives the text; `{…}` stands for a value. Compared under `--strict` only.
    pub message: Option<Message>,
    /// Id of the source that documents it, without the operation: `api` is the page of the operation at hand.
    pub source: &'static str,
    /// Why no request of the covered operations provokes it, if none does.
    pub out_of_reach: Option<OutOfReach>,
}

/// Why no request provokes an error.
#[derive(Debug)]
pub struct OutOfReach {
    /// What it takes instead.
    pub why: &'static str,
    /// Id of the source that says so; `api` is the page of the operation at hand.
    pub source: &'static str,
}

/// The text that the real service was seen to answer with.
#[derive(Debug)]
pub struct Message {
    /// The text, with `{…}` where a value stands.
    pub text: &'static str,
    /// Id of the source that shows it.
    pub source: &'static str,
    /// The rule whose breach it was seen for, if the error has other occasions too.
    pub rule: Option<RuleId>,
}

/// Whose fault an error is, which decides its HTTP status.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fault {
    /// The request was wrong: 400.
    Client,
    /// The server failed: 500.
    Server,
}

/// Error types are told apart by name.
impl PartialEq for ErrorType {
    fn eq(&self, other: &ErrorType) -> bool {
        self.name == other.name
    }
}

impl ErrorType {
    /// The error type with this bare name.
    pub fn find(name: &str) -> Option<&'static ErrorType> {
        ERRORS.iter().find(|error| error.name == name)
    }

    /// Whether it says that the fault is the server's.
    pub fn is_server_fault(&self) -> bool {
        self.statuses.iter().all(|status| *status >= 500)
    }
}

impl Message {
    /// Whether `text` is this message with its gaps filled. A final full stop is ignored: traces of the same message
    /// have it and have it not.
    pub fn matches(&self, text: &str) -> bool {
        let mut expression = String::from(r"\A");
        let mut rest = self.text;
        while let Some((before, after)) = rest.split_once('{') {
            expression += &regex::escape(before);
            expression += "(?s:.*)";
            rest = after.split_once('}').map_or("", |(_, tail)| tail);
        }
        expression += &regex::escape(rest);
        expression += r"\.?\z";
        regex::Regex::new(&expression).is_ok_and(|regex| regex.is_match(text))
    }
}

/// Error types that mean "slow down": such an answer is inconclusive, whatever was expected.
pub static THROTTLING: &[&str] = &[
    "BandwidthLimitExceeded",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "SlowDown",
    "ThrottleException",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
];

/// All error types of the covered operations, and those of what lies beneath them.
pub static ERRORS: &[ErrorType] = &[
    ErrorType {
        fault: Fault::Server,
        statuses: &[500],
        out_of_reach: unreachable("only the server itself can fail", "api"),
        ..client("ServerException", "These errors are usually caused by a server-side issue.")
    },
    client(
        "InvalidParameterException",
        "The specified parameter is invalid. Review the available parameters for the API request.",
    ),
    ErrorType {
        message: Some(Message {
            text: "The repository with name '{repository}' does not exist in the registry with id '{registry}'",
            source: "turbot/steampipe-plugin-aws#1938",
            rule: None,
        }),
        ..client("RepositoryNotFoundException", "The specified repository could not be found.")
    },
    client("RepositoryAlreadyExistsException", "The specified repository already exists in the specified registry."),
    client(
        "RepositoryNotEmptyException",
        "The specified repository contains images; to delete it, force the deletion.",
    ),
    client("RegistryNotFoundException", "The registry does not exist."),
    ErrorType {
        out_of_reach: unreachable("the region decides it, and a region that has the operation never answers so", "api"),
        ..client("UnsupportedCommandException", "The action is not supported in this Region.")
    },
    ErrorType {
        members: &[optional("kmsError", &shapes::FREE_TEXT)],
        out_of_reach: unreachable(
            "it takes a repository whose key was disabled or deleted, in another service: no request here can do that",
            "user-guide:encryption-at-rest",
        ),
        ..client("KmsException", "The operation failed due to a KMS exception.")
    },
    client(
        "UploadNotFoundException",
        "The upload could not be found, or the specified upload ID is not valid for this repository.",
    ),
    ErrorType {
        members: &[
            optional("registryId", &shapes::REGISTRY_ID),
            optional("repositoryName", &shapes::ANSWERED_REPOSITORY_NAME),
            optional("uploadId", &shapes::UPLOAD_ID),
            optional("lastValidByteReceived", &shapes::PART_SIZE),
        ],
        message: Some(Message {
            text: "First byte of the layer part is {sent} instead of {expected}",
            source: "GoogleContainerTools/kaniko#607",
            rule: Some(RuleId::new("UploadLayerPart/partFirstByte/contiguous")),
        }),
        ..client(
            "InvalidLayerPartException",
            "The layer part size is not valid, or the first byte specified is not consecutive to the last byte of a previous layer part upload.",
        )
    },
    client(
        "LimitExceededException",
        "The operation did not succeed because it would have exceeded a service limit for your account.",
    ),
    ErrorType {
        message: Some(Message {
            text: "None of the provided layer digests match the calculated layer digest",
            source: "dotnet/sdk-container-builds#424",
            rule: None,
        }),
        ..client(
            "InvalidLayerException",
            "The layer digest calculation performed by Amazon ECR upon receipt of the image layer does not match the digest specified.",
        )
    },
    ErrorType {
        message: Some(Message {
            text: "All layer parts except the last part should be at least 5MB",
            source: "dotnet/sdk-container-builds#424",
            rule: None,
        }),
        ..client("LayerPartTooSmallException", "Layer parts must be at least 5 MiB in size.")
    },
    client("LayerAlreadyExistsException", "The image layer already exists in the associated repository."),
    ErrorType {
        message: Some(Message {
            text: "The upload with id '{upload}' in the repository with name '{repository}' in registry with id '{registry}' cannot be completed because it does not have any parts",
            source: "devcontainers/cli#814",
            rule: None,
        }),
        ..client("EmptyUploadException", "The specified layer upload does not contain any layer parts.")
    },
    client(
        "LayersNotFoundException",
        "The specified layers could not be found, or the specified layer is not valid for this repository.",
    ),
    client(
        "LayerInaccessibleException",
        "The specified layer is not available because it is not associated with an image. Unassociated image layers may be cleaned up at any time.",
    ),
    ErrorType {
        out_of_reach: ONE_IMAGE,
        ..client(
            "ImageAlreadyExistsException",
            "The specified image has already been pushed, and there were no changes to the manifest or image tag after the last push.",
        )
    },
    ErrorType {
        out_of_reach: ONE_IMAGE,
        ..client(
            "ImageTagAlreadyExistsException",
            "The specified image is tagged with a tag that already exists. The repository is configured for tag immutability.",
        )
    },
    ErrorType {
        out_of_reach: unreachable(
            "no manifest is put by its digest: that is about images, and not about uploads",
            "api",
        ),
        ..client(
            "ImageDigestDoesNotMatchException",
            "The specified image digest does not match the digest that Amazon ECR calculated for the image.",
        )
    },
    ErrorType {
        out_of_reach: unreachable("no manifest list is put: that is about images, and not about uploads", "api"),
        ..client("ReferencedImagesNotFoundException", "The manifest list is referencing an image that does not exist.")
    },
    ErrorType {
        out_of_reach: unreachable(
            "it takes a pull through cache rule and an upstream registry that fails: no request here makes either",
            "api",
        ),
        ..client(
            "UnableToGetUpstreamLayerException",
            "There was an issue getting the upstream layer matching the pull through cache rule.",
        )
    },
    client(
        "InvalidTagParameterException",
        "An invalid parameter has been specified. Tag keys can have a maximum character length of 128 characters, and tag values 256.",
    ),
    client("TooManyTagsException", "The list of tags on the repository is over the limit."),
    // Not in the service models: what the protocol's server framework answers before the service sees the request.
    ErrorType {
        statuses: &[400, 404],
        source: "mhart/kinesalite:test/connection.js",
        ..client("UnknownOperationException", "The target header names no operation of the service.")
    },
    ErrorType {
        // Older copies of the pages of common errors have 400, newer ones and the user guide 403.
        statuses: &[400, 403],
        source: "user-guide:common-errors",
        ..client("AccessDeniedException", "The caller is not authorized to perform the operation on the resource.")
    },
    ErrorType {
        statuses: &[413],
        source: "aws:common-errors",
        ..client("RequestEntityTooLargeException", "The request entity is too large.")
    },
    ErrorType {
        source: "mhart/kinesalite:test/connection.js",
        ..client("SerializationException", "The body is not JSON, not an object, or a member has the wrong JSON type.")
    },
    // Of signatures. The pages of common errors have 403 for most of them; what the framework was seen to answer has 400.
    ErrorType {
        source: "jenkinsci/amazon-ecr-plugin#199",
        ..unsigned("MissingAuthenticationTokenException", "The request has no signature.")
    },
    ErrorType {
        source: "documentdb:common-errors",
        ..unsigned("MissingAuthenticationToken", "The request has no access key ID.")
    },
    ErrorType {
        source: "mhart/kinesalite:index.js",
        ..unsigned("IncompleteSignatureException", "The Authorization header, or the date, lacks a part.")
    },
    unsigned("IncompleteSignature", "The request signature does not conform to AWS standards."),
    ErrorType {
        source: "mhart/dynalite:index.js",
        ..unsigned("InvalidSignatureException", "The signature is not that of the request, or not for this service.")
    },
    ErrorType {
        source: "iam:sigv4-troubleshooting",
        ..unsigned("SignatureDoesNotMatch", "The signature is not the one that the service calculated.")
    },
    unsigned("RequestExpired", "The request arrived more than 15 minutes after its date, or before it."),
    unsigned("UnrecognizedClientException", "The access key ID, or the session token, does not exist."),
    ErrorType {
        source: "emr:common-errors",
        ..unsigned("InvalidClientTokenId", "The access key ID provided does not exist.")
    },
    unsigned("ExpiredTokenException", "The security token included in the request is expired."),
];

const ONE_IMAGE: Option<OutOfReach> = unreachable(
    "a case puts one image into a repository of its own: the rest is about images, and not about uploads",
    "api",
);

const fn client(name: &'static str, meaning: &'static str) -> ErrorType {
    ErrorType {
        name,
        fault: Fault::Client,
        statuses: &[400],
        meaning,
        members: &[],
        message: None,
        source: "api",
        out_of_reach: None,
    }
}

/// An error of a signature.
const fn unsigned(name: &'static str, meaning: &'static str) -> ErrorType {
    ErrorType { statuses: &[400, 403], source: "aws:common-errors", ..client(name, meaning) }
}

const fn unreachable(why: &'static str, source: &'static str) -> Option<OutOfReach> {
    Some(OutOfReach { why, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_match_with_their_gaps_filled() {
        let message = ErrorType::find("InvalidLayerPartException").unwrap().message.as_ref().unwrap();
        assert!(message.matches("First byte of the layer part is 5 instead of 0"));
        assert!(message.matches("First byte of the layer part is 5 instead of 0."));
        assert!(!message.matches("The first byte of the layer part is 5 instead of 0"));
    }
}
