//! The reference registry by itself: what it answers to each operation, and what it has then. Written by hand from the
//! documents, so that a slip in the registry cannot hide in expectations that were made with it.

use ecrspec::contract::{Operation, Service};
use ecrspec::model::Registry;
use ecrspec::model::registry::{ACCOUNT, ALIAS};
use serde_json::{Map, Value, json};

/// The digest of `hello`.
const HELLO: &str = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
/// The digest of nothing.
const NOTHING: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const NO_UPLOAD: &str = "00000000-0000-4000-8000-0000000000ff";

/// A registry, and the service that is asked.
struct Server(Registry);

impl Server {
    fn of(service: Service) -> Server {
        let mut server = Server(Registry::new(service));
        server.call(Operation::CreateRepository, json!({ "repositoryName": "one" })).unwrap();
        server
    }

    /// The members of a success; or the error type, the rule and the message of a rejection.
    fn call(&mut self, operation: Operation, input: Value) -> Result<Value, String> {
        let operation = self.0.service.contract().operation(operation).unwrap();
        let input: Map<String, Value> = input.as_object().cloned().unwrap();
        let rejected = |rejection: ecrspec::model::Rejection| {
            format!("{} by {}: {}", rejection.error.name, rejection.rule, rejection.message)
        };
        self.0.call(operation, &input).map_err(rejected)
    }

    fn rejected(&mut self, operation: Operation, input: Value) -> String {
        self.call(operation, input).unwrap_err()
    }

    fn begin(&mut self, repository: &str) -> String {
        let answer = self.call(Operation::InitiateLayerUpload, json!({ "repositoryName": repository })).unwrap();
        String::from(answer["uploadId"].as_str().unwrap())
    }

    /// Sends `hello`.
    fn send(&mut self, repository: &str, upload: &str) -> Result<Value, String> {
        let input = json!({
            "repositoryName": repository, "uploadId": upload, "partFirstByte": 0, "partLastByte": 4,
            "layerPartBlob": "aGVsbG8=",
        });
        self.call(Operation::UploadLayerPart, input)
    }

    fn complete(&mut self, repository: &str, upload: &str, digests: &[&str]) -> Result<Value, String> {
        let input = json!({ "repositoryName": repository, "uploadId": upload, "layerDigests": digests });
        self.call(Operation::CompleteLayerUpload, input)
    }

    fn check(&mut self, repository: &str, digests: &[&str]) -> Value {
        let input = json!({ "repositoryName": repository, "layerDigests": digests });
        self.call(Operation::BatchCheckLayerAvailability, input).unwrap()
    }
}

#[test]
fn repositories_are_made_described_and_removed() {
    for service in Service::ALL {
        let mut server = Server::of(service);
        let (arn, uri) = match service {
            Service::Ecr => ("arn:aws:ecr:us-east-1", format!("{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com")),
            Service::EcrPublic => ("arn:aws:ecr-public:", format!("public.ecr.aws/{ALIAS}")),
        };
        let described = |name_of: &str| {
            json!({
                "repositoryArn": format!("{arn}:{ACCOUNT}:repository/{name_of}"),
                "registryId": ACCOUNT,
                "repositoryName": name_of,
                "repositoryUri": format!("{uri}/{name_of}"),
                "createdAt": 1.7e9,
            })
        };
        let named = |name: &str| json!({ "repositoryName": name });
        assert_eq!(
            server.call(Operation::CreateRepository, named("two")).unwrap(),
            json!({ "repository": described("two") })
        );
        let again = format!(
            "RepositoryAlreadyExistsException by CreateRepository/repositoryName/new: The repository with name 'two' already exists in the \
             registry with id '{ACCOUNT}'"
        );
        assert_eq!(server.rejected(Operation::CreateRepository, named("two")), again);
        let unknown = |operation: Operation| {
            format!(
                "RepositoryNotFoundException by {operation}/repositoryName/exists: The repository with name 'three' does \
                 not exist in the registry with id '{ACCOUNT}'"
            )
        };
        assert_eq!(server.rejected(Operation::DeleteRepository, named("three")), unknown(Operation::DeleteRepository));
        if service.contract().operation(Operation::DescribeRepositories).is_some() {
            let all = json!({ "repositories": [described("one"), described("two")] });
            assert_eq!(server.call(Operation::DescribeRepositories, json!({})).unwrap(), all);
            let two = json!({ "repositoryNames": ["two"] });
            assert_eq!(
                server.call(Operation::DescribeRepositories, two).unwrap(),
                json!({ "repositories": [described("two")] })
            );
            let three = json!({ "repositoryNames": ["two", "three"] });
            assert_eq!(
                server.rejected(Operation::DescribeRepositories, three),
                unknown(Operation::DescribeRepositories)
            );
        }
        let removed =
            server.call(Operation::DeleteRepository, json!({ "repositoryName": "two", "force": true })).unwrap();
        assert_eq!(removed, json!({ "repository": described("two") }));
        assert!(server.0.has_repository("one") && !server.0.has_repository("two"));
        // Of another account there is none; a set-up operation has no error of its own for that.
        let foreign = json!({ "repositoryName": "one", "registryId": "999999999999" });
        let unknown = "RepositoryNotFoundException by DeleteRepository/repositoryName/exists";
        assert!(server.rejected(Operation::DeleteRepository, foreign.clone()).starts_with(unknown));
        let (error, rule) = match service {
            Service::Ecr => ("RepositoryNotFoundException", "registryId/foreign"),
            Service::EcrPublic => ("RegistryNotFoundException", "registryId/unknown"),
        };
        let rejected = server.rejected(Operation::InitiateLayerUpload, foreign);
        assert!(rejected.starts_with(&format!("{error} by InitiateLayerUpload/{rule}: ")), "{rejected}");
        assert!(rejected.contains(if service == Service::Ecr { "'one'" } else { "'999999999999'" }), "{rejected}");
        assert!(
            server
                .rejected(Operation::CreateRepository, named(""))
                .starts_with("InvalidParameterException by CreateRepository/")
        );
    }
}

#[test]
fn the_alias_of_a_public_registry_is_its_account_id() {
    let named = |registry: &str| json!({ "repositoryName": "one", "registryId": registry });
    let mut server = Server::of(Service::EcrPublic);
    let begun = server.call(Operation::InitiateLayerUpload, named(ALIAS)).unwrap();
    // Begun by the alias, it goes on without; and the other way round.
    let upload = begun["uploadId"].as_str().unwrap();
    server.send("one", upload).unwrap();
    let mut input = named(ALIAS);
    input["uploadId"] = json!(upload);
    input["layerDigests"] = json!([HELLO]);
    let completed = server.call(Operation::CompleteLayerUpload, input).unwrap();
    assert_eq!(completed["registryId"], ACCOUNT, "an alias is no RegistryId");
    assert_eq!(server.check("one", &[HELLO])["layers"][0]["layerAvailability"], "AVAILABLE");
    // An alias has no upper case, and a repository is not deleted in a registry by its alias.
    let unknown = server.rejected(Operation::InitiateLayerUpload, named(&ALIAS.to_uppercase()));
    assert!(unknown.starts_with("RegistryNotFoundException by InitiateLayerUpload/registryId/unknown"), "{unknown}");
    let deleted = server.rejected(Operation::DeleteRepository, named(ALIAS));
    assert!(deleted.starts_with("InvalidParameterException by DeleteRepository/registryId/pattern"), "{deleted}");
    // The private service has no aliases.
    let private = Server::of(Service::Ecr).rejected(Operation::InitiateLayerUpload, named(ALIAS));
    assert!(private.starts_with("InvalidParameterException by InitiateLayerUpload/registryId/pattern"), "{private}");
}

#[test]
fn an_upload_becomes_a_layer() {
    let mut server = Server::of(Service::Ecr);
    server.call(Operation::CreateRepository, json!({ "repositoryName": "two" })).unwrap();
    let (upload, other) = (server.begin("one"), server.begin("one"));
    assert_ne!(upload, other);
    assert_eq!(server.0.uploads("one").len(), 2);
    assert_eq!(server.0.uploads("two"), []);
    let begun = server.call(Operation::InitiateLayerUpload, json!({ "repositoryName": "two" })).unwrap();
    assert_eq!(begun["partSize"], 10_485_760);
    let sent = json!({ "registryId": ACCOUNT, "repositoryName": "one", "uploadId": upload, "lastByteReceived": 4 });
    assert_eq!(server.send("one", &upload).unwrap(), sent);
    let mut held = server.0.uploads("one");
    held.retain(|(_, held)| held.is_some());
    assert_eq!(held, [(upload.clone(), Some(String::from(HELLO)))]);
    assert_eq!(server.0.layers("one"), Vec::<String>::new());
    let completed = json!({ "registryId": ACCOUNT, "repositoryName": "one", "uploadId": upload, "layerDigest": HELLO });
    assert_eq!(server.complete("one", &upload, &[NOTHING, HELLO]).unwrap(), completed);
    assert_eq!(server.0.layers("one"), [HELLO]);
    assert_eq!(server.0.layers("three"), Vec::<String>::new());
    assert_eq!((server.0.holders(HELLO), server.0.holders(NOTHING)), (vec!["one"], Vec::new()));
    let available = json!({ "layerDigest": HELLO, "layerAvailability": "AVAILABLE", "layerSize": 5 });
    let absent = |digest: &str| json!({ "layerDigest": digest, "layerAvailability": "UNAVAILABLE" });
    let malformed = json!({
        "layerDigest": "hello", "failureCode": "InvalidLayerDigest", "failureReason": "The layer digest is malformed",
    });
    let both = json!({ "layers": [absent(NOTHING), available], "failures": [malformed] });
    assert_eq!(server.check("one", &[NOTHING, HELLO, "hello"]), both);
    assert_eq!(server.check("two", &[HELLO]), json!({ "layers": [absent(HELLO)], "failures": [] }));
    // What is not completed yet can be ended.
    server.0.forget("one", &other);
    assert_eq!(server.0.uploads("one"), []);
    server.0.forget("three", &other);
}

#[test]
fn what_does_not_fit_the_state_is_rejected_by_the_rule_that_is_about_it() {
    let mut server = Server::of(Service::Ecr);
    let upload = server.begin("one");
    let named = |id: &str| {
        format!("The upload with id '{id}' in the repository with name 'one' in registry with id '{ACCOUNT}'")
    };
    let starts = |rejected: String, beginning: &str| assert!(rejected.starts_with(beginning), "{rejected}");
    let unknown =
        format!("UploadNotFoundException by UploadLayerPart/uploadId/exists: {} does not exist", named(NO_UPLOAD));
    assert_eq!(server.send("one", NO_UPLOAD).unwrap_err(), unknown);
    let empty = format!(
        "EmptyUploadException by CompleteLayerUpload/parts/not-empty: {} cannot be completed because it does not have any \
         parts",
        named(&upload)
    );
    assert_eq!(server.complete("one", &upload, &[NOTHING]).unwrap_err(), empty);
    starts(
        server.complete("two", &upload, &[HELLO]).unwrap_err(),
        "RepositoryNotFoundException by CompleteLayerUpload/",
    );
    server.send("one", &upload).unwrap();
    // A part once more, one after a gap, one whose bytes are more or fewer than it says, and one without any.
    let mut part = |first: i64, last: i64, blob: &str| {
        let input = json!({
            "repositoryName": "one", "uploadId": upload, "partFirstByte": first, "partLastByte": last,
            "layerPartBlob": blob,
        });
        server.rejected(Operation::UploadLayerPart, input)
    };
    let rule = |rule: &str| format!("InvalidLayerPartException by UploadLayerPart/{rule}: ");
    starts(part(0, 4, "aGVsbG8="), &rule("partFirstByte/contiguous"));
    starts(part(6, 10, "aGVsbG8="), &rule("partFirstByte/contiguous"));
    starts(part(5, 4, "aGVsbG8="), &rule("partLastByte/not-before-first"));
    starts(part(5, 8, "aGVsbG8="), &rule("layerPartBlob/length"));
    starts(part(5, 10, "aGVsbG8="), &rule("layerPartBlob/length"));
    starts(part(5, i64::MAX, "aGVsbG8="), &rule("layerPartBlob/length"));
    starts(part(5, 5, ""), &rule("layerPartBlob/empty"));
    starts(
        server.complete("one", &upload, &[NOTHING]).unwrap_err(),
        "InvalidLayerException by CompleteLayerUpload/layerDigests/match",
    );
    // The rejections left it as it was. Digits are compared without case, and other algorithms not at all.
    let upper = HELLO.to_uppercase().replace("SHA256", "sha256");
    server.complete("one", &upload, &["md5:00", &upper]).unwrap();
    starts(
        server.complete("one", &upload, &[HELLO]).unwrap_err(),
        "UploadNotFoundException by CompleteLayerUpload/uploadId/exists",
    );
    let again = server.begin("one");
    server.send("one", &again).unwrap();
    starts(
        server.complete("one", &again, &[NOTHING]).unwrap_err(),
        "InvalidLayerException by CompleteLayerUpload/layer/digest-first",
    );
    starts(
        server.complete("one", &again, &[HELLO]).unwrap_err(),
        "LayerAlreadyExistsException by CompleteLayerUpload/layer/new",
    );
    let url = |server: &mut Server, digest: &str| {
        server.rejected(Operation::GetDownloadUrlForLayer, json!({ "repositoryName": "one", "layerDigest": digest }))
    };
    starts(url(&mut server, HELLO), "LayerInaccessibleException by GetDownloadUrlForLayer/layer/unreferenced");
    starts(url(&mut server, NOTHING), "LayersNotFoundException by GetDownloadUrlForLayer/layerDigest/exists");
    // In another repository it is no obstacle, and a digest of another algorithm alone compares nothing.
    server.call(Operation::CreateRepository, json!({ "repositoryName": "two" })).unwrap();
    let elsewhere = server.begin("two");
    server.send("two", &elsewhere).unwrap();
    assert_eq!(server.complete("two", &elsewhere, &["md5:00"]).unwrap()["layerDigest"], HELLO);
}
