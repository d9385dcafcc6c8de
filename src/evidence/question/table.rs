//! The open questions.

use super::{OpenQuestion, Part, Read, part};
use crate::contract::Service;

const BOTH: &[Service] = &Service::ALL;

/// The open questions, in the order in which they are asked.
pub static QUESTIONS: &[OpenQuestion] = &[
    OpenQuestion {
        id: "completion-repeated",
        asks: "What is answered to CompleteLayerUpload for an upload that was completed before?",
        services: BOTH,
        parts: &[part("the same completion again", "CompleteLayerUpload/uploadId/once/repeated")],
    },
    OpenQuestion {
        id: "completion-after-rejected",
        asks: "Can an upload be completed, or take a part, after InvalidLayerException?",
        services: BOTH,
        parts: &[
            part("the right digest after a wrong one", "CompleteLayerUpload/uploadId/after-rejected/right-digest"),
            part(
                "the right digest after a short one",
                "CompleteLayerUpload/uploadId/after-rejected/after-layerDigests-sha256-length-2-digits",
            ),
            part("a part after a wrong digest", "UploadLayerPart/uploadId/after-rejected/next-part"),
            part("and the completion after that", "CompleteLayerUpload/uploadId/after-rejected/further-part"),
        ],
    },
    OpenQuestion {
        id: "digest-case",
        asks: "Does a digest match in upper case, and is SHA256 the algorithm sha256?",
        services: BOTH,
        parts: &[
            part("the right hex digits in upper case", "CompleteLayerUpload/layerDigests/upper-case/hex"),
            part("SHA256: and the right digits", "CompleteLayerUpload/layerDigests/upper-case/algorithm"),
        ],
    },
    OpenQuestion {
        id: "digest-length",
        asks: "How is a sha256 digest rejected that has not 64 digits?",
        services: BOTH,
        parts: &[
            part("2 digits", "CompleteLayerUpload/layerDigests/sha256-length/2-digits"),
            part("63 digits", "CompleteLayerUpload/layerDigests/sha256-length/63-digits"),
            part("65 digits", "CompleteLayerUpload/layerDigests/sha256-length/65-digits"),
            part("128 digits", "CompleteLayerUpload/layerDigests/sha256-length/128-digits"),
        ],
    },
    OpenQuestion {
        id: "digest-algorithms",
        asks: "Is a digest of another algorithm than sha256 compared with the bytes?",
        services: BOTH,
        parts: &[
            part("a wrong sha512", "CompleteLayerUpload/layerDigests/sha512/wrong"),
            part("a right sha256 and a sha512", "CompleteLayerUpload/layerDigests/any-match/beside-sha512"),
            part("a wrong sha256 and a sha512", "CompleteLayerUpload/layerDigests/mixed-algorithms/sha512-and-wrong"),
            part("the AWS CLI's example", "CompleteLayerUpload/layerDigests/other-algorithm/documented-example"),
        ],
    },
    OpenQuestion {
        id: "layer-exists",
        asks: "Does a layer that no image refers to make LayerAlreadyExistsException, and with which message?",
        services: BOTH,
        parts: &[
            part("the same bytes again", "CompleteLayerUpload/layer/new/same-bytes"),
            part("the same bytes of an image again", "CompleteLayerUpload/layer/new/referenced"),
            part("the same bytes with a wrong digest", "CompleteLayerUpload/layer/digest-first/same-bytes"),
        ],
    },
    OpenQuestion {
        id: "constraint-texts",
        asks: "What does the message say of a constraint on layerDigests and uploadId, and of null?",
        services: BOTH,
        parts: &[
            part("layerDigests absent", "CompleteLayerUpload/layerDigests/required/absent"),
            part("layerDigests null", "CompleteLayerUpload/layerDigests/required/null"),
            part("no digests", "CompleteLayerUpload/layerDigests/min-items/empty-list"),
            part("101 digests", "CompleteLayerUpload/layerDigests/max-items/101-items"),
            part("a digest that is null", "CompleteLayerUpload/layerDigests/item-null/alone"),
            part("a digest without colon", "CompleteLayerUpload/layerDigests/item-pattern/no-colon"),
            part("a digest that is empty", "CompleteLayerUpload/layerDigests/item-pattern/empty"),
            part("a malformed digest among others", "CompleteLayerUpload/layerDigests/item-pattern/bad-middle"),
            part("uploadId absent", "CompleteLayerUpload/uploadId/required/absent"),
            part("uploadId null", "CompleteLayerUpload/uploadId/required/null"),
            part("uploadId without dashes", "CompleteLayerUpload/uploadId/pattern/no-dashes"),
            part("uploadId empty", "CompleteLayerUpload/uploadId/pattern/empty"),
            part("uploadId without dashes, for a part", "UploadLayerPart/uploadId/pattern/no-dashes"),
            part("partFirstByte null", "UploadLayerPart/partFirstByte/required/null"),
            part("partFirstByte -1", "UploadLayerPart/partFirstByte/min/minus-1"),
        ],
    },
    OpenQuestion {
        id: "fault-order",
        asks: "Which of two faults does CompleteLayerUpload report?",
        services: BOTH,
        parts: &[
            part("a small part and a wrong digest", "scenarios/order/small-part-and-wrong-digest"),
            part("no parts and a wrong digest", "scenarios/order/no-parts-and-wrong-digest"),
            part("an unknown repository and upload", "scenarios/order/unknown-repository-and-upload"),
            part("a malformed digest and an unknown upload", "scenarios/order/malformed-digest-and-unknown-upload"),
            part(
                "a malformed digest and an unknown repository",
                "scenarios/order/malformed-digest-and-unknown-repository",
            ),
        ],
    },
    OpenQuestion {
        id: "part-ranges",
        asks: "How is a part answered whose range or size is not right, or larger than a quota?",
        services: BOTH,
        parts: &[
            part("a range one byte longer than the part", "UploadLayerPart/layerPartBlob/length/one-byte-short"),
            part("a range one byte shorter than the part", "UploadLayerPart/layerPartBlob/length/one-byte-over"),
            part("a last byte one before the first", "UploadLayerPart/partLastByte/not-before-first/one-before"),
            part("a last byte of 0 with a first of 32", "UploadLayerPart/partLastByte/not-before-first/zero"),
            part("no bytes for a range of one", "UploadLayerPart/layerPartBlob/empty/one-byte-range"),
            part("10 MiB and a byte", "UploadLayerPart/layerPartBlob/above-10-MiB/10485761-bytes"),
            part("20 MiB", "UploadLayerPart/layerPartBlob/above-10-MiB/20971520-bytes"),
            part("20 MiB and a byte", "UploadLayerPart/layerPartBlob/max-size/20971521-bytes"),
            part("a gap", "UploadLayerPart/partFirstByte/contiguous/gap"),
        ],
    },
    OpenQuestion {
        id: "upload-lifetime",
        asks: "Does an upload end with its repository, or with its completion? (Not asked: how long one lives.)",
        services: BOTH,
        parts: &[
            part("a part after the repository was made again", "scenarios/open/upload-of-a-recreated-repository"),
            part("a completion after that", "CompleteLayerUpload/uploadId/recreated-repository/same-name"),
            part("a part after the completion", "UploadLayerPart/uploadId/completed/next-part"),
        ],
    },
    OpenQuestion {
        id: "lookup-failures",
        asks: "What does BatchCheckLayerAvailability list in failures, and with which code and reason?",
        services: BOTH,
        parts: &[
            failures("a digest without colon", "BatchCheckLayerAvailability/layerDigests/malformed/no-colon"),
            failures("an empty text", "BatchCheckLayerAvailability/layerDigests/malformed/empty"),
            failures("no hex digits", "BatchCheckLayerAvailability/layerDigests/malformed/non-hex"),
            failures("an absent layer", "BatchCheckLayerAvailability/layers/absent/never-uploaded"),
            failures("an upload that is not complete", "BatchCheckLayerAvailability/layers/incomplete/part-only"),
            failures("another algorithm", "BatchCheckLayerAvailability/layers/other-algorithm/same-digits"),
        ],
    },
    OpenQuestion {
        id: "front-end",
        asks: "How does the service answer what reaches no operation, and what it cannot read?",
        services: BOTH,
        parts: &[
            part("an unknown operation", "wire/target/operation/unknown"),
            part("an unknown prefix", "wire/target/prefix/foreign"),
            part("no X-Amz-Target", "wire/target/present/absent"),
            part("an empty body", "wire/body/empty/empty"),
            part("cut JSON", "wire/body/json/cut"),
            part("a list as the body", "wire/body/object/list"),
            part("application/json", "wire/content-type/other/json"),
            part("application/x-amz-json-1.0", "wire/content-type/other/json-1.0"),
            part("no Content-Type", "wire/content-type/other/absent"),
            part("a charset", "wire/content-type/parameters/charset"),
            part("GET", "wire/method/get"),
            part("PUT", "wire/method/put"),
            part("a number for a text", "InitiateLayerUpload/repositoryName/type/number"),
            part("a text for a list", "CompleteLayerUpload/layerDigests/type/string"),
            part("a text for a number", "UploadLayerPart/partFirstByte/type/string"),
            part("no base64", "UploadLayerPart/layerPartBlob/base64/bad-alphabet"),
            part("a fraction for an integer", "UploadLayerPart/partFirstByte/integer/fraction"),
            part("an unknown member", "wire/body/unknown-members/string"),
            part("registryId null", "InitiateLayerUpload/registryId/optional/null"),
            part("no signature", "auth/header/present/absent"),
            part("half a signature", "auth/header/form/without-signature"),
            part("another access key", "auth/key/known/other-key"),
            part("another secret", "auth/signature/match/other-secret"),
            part("another region", "auth/scope/region/other-region"),
        ],
    },
    OpenQuestion {
        id: "framing",
        asks: "Are requests accepted that are sent in chunks, or compressed?",
        services: BOTH,
        parts: &[
            part("a request in chunks", "wire/framing/chunked/chunked"),
            Part { tried: "a part in chunks", case: "scenarios/open/chunked-part", read: Read::Step("part") },
            part("a compressed request", "wire/content-encoding/gzip/absent-repository"),
            part("Content-Encoding: gzip, not compressed", "wire/content-encoding/gzip/not-compressed"),
        ],
    },
    OpenQuestion {
        id: "foreign-registry",
        asks: "How is a registry answered that is not the caller's?",
        services: &[Service::Ecr],
        parts: &[
            part("begin an upload", "InitiateLayerUpload/registryId/foreign/other-account"),
            part("look up a layer", "BatchCheckLayerAvailability/registryId/foreign/other-account"),
        ],
    },
    OpenQuestion {
        id: "foreign-alias",
        asks: "Which error has an alias that nobody has, and which one that somebody else has?",
        services: &[Service::EcrPublic],
        parts: &[
            part("begin an upload, alias of 2 letters", "InitiateLayerUpload/registryId/unknown/2-characters"),
            part("begin an upload, alias of 50 letters", "InitiateLayerUpload/registryId/unknown/50-characters"),
            part("look up a layer, alias of 50", "BatchCheckLayerAvailability/registryId/unknown/50-characters"),
            part("look up a layer, alias of AWS itself", "scenarios/open/alias-of-somebody-else"),
        ],
    },
];

/// What a lookup lists in `failures`.
const fn failures(tried: &'static str, case: &'static str) -> Part {
    Part { tried, case, read: Read::Member("failures") }
}
