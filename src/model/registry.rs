//! Repositories, uploads and layers, and what each operation does to them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::Refusal;
use crate::case::bindings::hex;
use crate::contract::check::{Breach, blob, check, long};
use crate::contract::{Operation, OperationSpec, Role, Service, shapes};

/// The state of one service. Plain data, so that the mock can spoil it.
#[derive(Clone, Debug)]
pub struct Registry {
    /// Which service.
    pub service: Service,
    /// The account that it belongs to.
    pub account: String,
    /// What it has, by name.
    pub repositories: BTreeMap<String, Repository>,
    /// How many uploads were begun so far.
    pub uploads_made: u64,
}

/// A repository.
#[derive(Clone, Debug, Default)]
pub struct Repository {
    /// The uploads that are open, by id.
    pub uploads: BTreeMap<String, Upload>,
    /// The size of each layer by its digest.
    pub layers: BTreeMap<String, usize>,
}

/// An upload that is open.
#[derive(Clone, Debug, Default)]
pub struct Upload {
    /// Of the bytes so far, which nobody asks for again.
    pub hash: Sha256,
    /// The size of each part.
    pub parts: Vec<usize>,
}

impl Upload {
    /// The digest of the bytes so far.
    pub fn digest(&self) -> String {
        format!("sha256:{}", hex(&self.hash.clone().finalize()))
    }

    /// How many bytes there are so far.
    pub fn size(&self) -> usize {
        self.parts.iter().sum()
    }
}

/// The account that the registry belongs to.
pub const ACCOUNT: &str = "012345678910";

/// What InitiateLayerUpload says that parts should have. Source: `cli-initiate`.
pub const PART_SIZE: u64 = 10_485_760;

/// What every part but the last must have. Source: API reference, LayerPartTooSmallException.
pub const MIN_INNER_PART: usize = 5_242_880;

type Members = Map<String, Value>;

impl Registry {
    /// An empty registry.
    pub fn new(service: Service) -> Registry {
        Registry { service, account: String::from(ACCOUNT), repositories: BTreeMap::new(), uploads_made: 0 }
    }

    /// Performs an operation, or says why not.
    pub fn call(&mut self, operation: &OperationSpec, input: &Members) -> Result<Value, Refusal> {
        match self.refusals(operation, input).into_iter().next() {
            Some(refusal) => Err(refusal),
            None => Ok(self.perform(operation, input)),
        }
    }

    /// All that is wrong with a request, what the registry looks at first before the rest. Where something is wrong with
    /// its members, nothing is said of what they name.
    pub fn refusals(&self, operation: &OperationSpec, input: &Members) -> Vec<Refusal> {
        match self.syntax(operation, input) {
            syntax if syntax.is_empty() => self.standing(operation, input),
            syntax => syntax,
        }
    }

    /// What is wrong with what the members of a request name, as things stand.
    pub fn standing(&self, operation: &OperationSpec, input: &Members) -> Vec<Refusal> {
        if let Some(registry) = text(input, "registryId").filter(|registry| *registry != self.account) {
            return vec![self.foreign(operation, input, registry)];
        }
        let repository = self.repositories.get(name(input));
        match (operation.name, repository) {
            (Operation::CreateRepository, Some(_)) => vec![self.created_before(name(input))],
            (Operation::CreateRepository, None) => Vec::new(),
            (Operation::DescribeRepositories, _) => self.described(input),
            (_, None) => vec![self.no_repository(operation.name, name(input))],
            (Operation::UploadLayerPart | Operation::CompleteLayerUpload, Some(repository)) => {
                match (repository.uploads.get(upload_id_of(input)), operation.name) {
                    (None, _) => vec![self.no_upload(operation.name, input)],
                    (Some(upload), Operation::UploadLayerPart) => self.bad_part(upload, input),
                    (Some(upload), _) => self.bad_completion(repository, upload, input),
                }
            }
            (Operation::GetDownloadUrlForLayer, Some(repository)) => vec![self.no_download(repository, input)],
            _ => Vec::new(),
        }
    }

    /// Whether there is a repository of this name.
    pub fn has_repository(&self, name: &str) -> bool {
        self.repositories.contains_key(name)
    }

    /// The uploads that are open in a repository, each with the digest of what it holds, if it holds anything.
    pub fn uploads(&self, repository: &str) -> Vec<(String, Option<String>)> {
        let held = |upload: &Upload| (!upload.parts.is_empty()).then(|| upload.digest());
        let uploads = self.repositories.get(repository).into_iter().flat_map(|repository| &repository.uploads);
        uploads.map(|(id, upload)| (id.clone(), held(upload))).collect()
    }

    /// The repositories that have a layer.
    pub fn holders(&self, digest: &str) -> Vec<&str> {
        let holders = self.repositories.iter().filter(|(_, repository)| repository.layers.contains_key(digest));
        holders.map(|(name, _)| name.as_str()).collect()
    }

    /// The digests of the layers of a repository.
    pub fn layers(&self, repository: &str) -> Vec<String> {
        let layers = self.repositories.get(repository).map(|repository| repository.layers.keys().cloned().collect());
        layers.unwrap_or_default()
    }

    /// Ends an upload.
    pub fn forget(&mut self, repository: &str, upload: &str) {
        if let Some(repository) = self.repositories.get_mut(repository) {
            repository.uploads.remove(upload);
        }
    }

    /// Performs an operation that [`Registry::refusals`] has nothing against.
    pub fn perform(&mut self, operation: &OperationSpec, input: &Members) -> Value {
        match operation.name {
            Operation::CreateRepository => self.create(input),
            Operation::DescribeRepositories => self.describe(input),
            Operation::DeleteRepository => self.delete(input),
            Operation::InitiateLayerUpload => self.initiate(input),
            Operation::UploadLayerPart => self.upload(input),
            Operation::CompleteLayerUpload => self.complete(input),
            Operation::BatchCheckLayerAvailability => self.availability(input),
            Operation::GetDownloadUrlForLayer => self.download(input),
        }
    }

    /// What is wrong with the members of a request.
    pub fn syntax(&self, operation: &OperationSpec, input: &Members) -> Vec<Refusal> {
        // What one edition of the documents admits, the registry admits.
        let broken = check(operation, input).into_iter().filter(|breach| !breach.rule.ends_with("/editions"));
        let refusal = |breach: Breach| match operation.name.role() {
            Role::Layer => Refusal::of(self.service, &breach.rule, breach.message),
            Role::SetUp => refusal("InvalidParameterException", &breach.rule, breach.message),
        };
        broken.map(refusal).collect()
    }

    fn foreign(&self, operation: &OperationSpec, input: &Members, registry: &str) -> Refusal {
        match self.service {
            Service::EcrPublic if operation.name.role() == Role::Layer => Refusal::of(
                self.service,
                &format!("{}/registryId/unknown", operation.name),
                format!("The registry with id '{registry}' does not exist"),
            ),
            _ => self.no_repository(operation.name, name(input)),
        }
    }

    fn created_before(&self, name: &str) -> Refusal {
        let text =
            format!("The repository with name '{name}' already exists in the registry with id '{}'", self.account);
        refusal("RepositoryAlreadyExistsException", Operation::CreateRepository.name(), text)
    }

    fn create(&mut self, input: &Members) -> Value {
        self.repositories.insert(String::from(name(input)), Repository::default());
        json!({ "repository": self.description(name(input)) })
    }

    fn described(&self, input: &Members) -> Vec<Refusal> {
        let unknown = asked(input).into_iter().flatten().filter(|name| !self.repositories.contains_key(*name));
        unknown.map(|name| self.no_repository(Operation::DescribeRepositories, name)).collect()
    }

    fn describe(&self, input: &Members) -> Value {
        let asked = asked(input);
        let names =
            self.repositories.keys().filter(|name| asked.as_ref().is_none_or(|asked| asked.contains(&name.as_str())));
        let found: Vec<Value> = names.map(|name| self.description(name)).collect();
        json!({ "repositories": found })
    }

    fn delete(&mut self, input: &Members) -> Value {
        // Without images, which this API cannot push, a repository counts as empty: `force` changes nothing.
        let description = self.description(name(input));
        self.repositories.remove(name(input));
        json!({ "repository": description })
    }

    fn initiate(&mut self, input: &Members) -> Value {
        self.uploads_made += 1;
        let id = upload_id(self.uploads_made);
        self.repository(input).uploads.insert(id.clone(), Upload::default());
        json!({ "uploadId": id, "partSize": PART_SIZE })
    }

    fn bad_part(&self, upload: &Upload, input: &Members) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        let (first, last) = (number(input, "partFirstByte"), number(input, "partLastByte"));
        let received = upload.size();
        let length = blob_size(input);
        let mut refuse = |rule: &str, message: String| {
            let mut refusal = Refusal::of(self.service, &format!("UploadLayerPart/{rule}"), message);
            refusal.members = json!({
                "registryId": self.account,
                "repositoryName": name(input),
                "uploadId": upload_id_of(input),
                "lastValidByteReceived": received.saturating_sub(1),
            });
            refusals.push(refusal);
        };
        if first != received as i64 {
            let message = format!("First byte of the layer part is {first} instead of {received}");
            refuse("partFirstByte/contiguous", message);
        }
        if last < first {
            refuse(
                "partLastByte/not-before-first",
                format!("Last byte of the layer part is {last}, before its first, {first}"),
            );
        }
        if length == 0 {
            refuse("layerPartBlob/empty", String::from("The layer part is empty"));
        }
        if last.checked_sub(first).and_then(|span| span.checked_add(1)) != Some(length as i64) {
            let message = format!("The layer part has {length} bytes instead of those from {first} to {last}");
            refuse("layerPartBlob/length", message);
        }
        refusals
    }

    fn upload(&mut self, input: &Members) -> Value {
        let bytes = blob_of(input);
        let upload = self.repository(input).uploads.entry(String::from(upload_id_of(input))).or_default();
        upload.parts.push(bytes.len());
        upload.hash.update(&bytes);
        json!({
            "registryId": self.account,
            "repositoryName": name(input),
            "uploadId": upload_id_of(input),
            "lastByteReceived": number(input, "partLastByte"),
        })
    }

    fn bad_completion(&self, repository: &Repository, upload: &Upload, input: &Members) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        let mut refuse = |rule: &str, message: String| {
            refusals.push(Refusal::of(self.service, &format!("CompleteLayerUpload/{rule}"), message));
        };
        if upload.parts.is_empty() {
            refuse(
                "parts/not-empty",
                format!("{} cannot be completed because it does not have any parts", self.named(input)),
            );
        }
        let inner = upload.parts.split_last().map_or(&[][..], |(_, inner)| inner);
        if inner.iter().any(|size| *size < MIN_INNER_PART) {
            refuse("parts/min-size", String::from("All layer parts except the last part should be at least 5MB"));
        }
        let digest = upload.digest();
        let exists = repository.layers.contains_key(&digest);
        match (any_matches(input, &digest), exists) {
            (true, false) => {}
            (true, true) => {
                refuse("layer/new", format!("The layer with digest '{digest}' already exists in the repository"));
            }
            (false, _) => {
                let rule = if exists { "layer/digest-first" } else { "layerDigests/match" };
                refuse(rule, String::from("None of the provided layer digests match the calculated layer digest"));
            }
        }
        refusals
    }

    fn complete(&mut self, input: &Members) -> Value {
        let repository = self.repository(input);
        let upload = repository.uploads.remove(upload_id_of(input)).unwrap_or_default();
        let digest = upload.digest();
        repository.layers.insert(digest.clone(), upload.size());
        json!({
            "registryId": self.account,
            "repositoryName": name(input),
            "uploadId": upload_id_of(input),
            "layerDigest": digest,
        })
    }

    fn availability(&mut self, input: &Members) -> Value {
        let repository = self.repository(input);
        let (mut layers, mut failures) = (Vec::new(), Vec::new());
        for digest in digests(input) {
            if let Some(size) = repository.layers.get(digest) {
                layers.push(json!({ "layerDigest": digest, "layerAvailability": "AVAILABLE", "layerSize": size }));
            } else if well_formed(digest) {
                layers.push(json!({ "layerDigest": digest, "layerAvailability": "UNAVAILABLE" }));
            } else {
                let reason = "The layer digest is malformed";
                failures.push(
                    json!({ "layerDigest": digest, "failureCode": "InvalidLayerDigest", "failureReason": reason }),
                );
            }
        }
        json!({ "layers": layers, "failures": failures })
    }

    fn download(&self, input: &Members) -> Value {
        let digest = text(input, "layerDigest").unwrap_or_default();
        json!({ "downloadUrl": format!("https://layers.example/{}/{digest}", name(input)), "layerDigest": digest })
    }

    /// No layer can be downloaded without an image, and this API pushes none.
    fn no_download(&self, repository: &Repository, input: &Members) -> Refusal {
        let digest = text(input, "layerDigest").unwrap_or_default();
        let (rule, message) = if repository.layers.contains_key(digest) {
            let message = format!("The layer with digest '{digest}' is not associated with an image");
            ("GetDownloadUrlForLayer/layer/unreferenced", message)
        } else {
            let message = format!(
                "The layer with digest {digest} does not exist within the repository with name '{}' in the registry with \
                 id '{}'",
                name(input),
                self.account
            );
            ("GetDownloadUrlForLayer/layerDigest/exists", message)
        };
        Refusal::of(self.service, rule, message)
    }

    /// The repository that a request names, which is there.
    fn repository(&mut self, input: &Members) -> &mut Repository {
        self.repositories.entry(String::from(name(input))).or_default()
    }

    fn no_repository(&self, operation: Operation, name: &str) -> Refusal {
        let message =
            format!("The repository with name '{name}' does not exist in the registry with id '{}'", self.account);
        refusal("RepositoryNotFoundException", &format!("{operation}/repositoryName/exists"), message)
    }

    fn no_upload(&self, operation: Operation, input: &Members) -> Refusal {
        let message = format!("{} does not exist", self.named(input));
        refusal("UploadNotFoundException", &format!("{operation}/uploadId/exists"), message)
    }

    /// The upload that a request names, as messages call it.
    fn named(&self, input: &Members) -> String {
        format!(
            "The upload with id '{}' in the repository with name '{}' in registry with id '{}'",
            upload_id_of(input),
            name(input),
            self.account
        )
    }

    fn description(&self, name: &str) -> Value {
        let (service, account) = (self.service.contract().signing_name, &self.account);
        json!({
            "repositoryArn": format!("arn:aws:{service}:us-east-1:{account}:repository/{name}"),
            "registryId": account,
            "repositoryName": name,
            "repositoryUri": format!("{account}.dkr.ecr.us-east-1.amazonaws.com/{name}"),
            "createdAt": 1.7e9,
        })
    }
}

/// One sha256 digest that matches is enough; without any sha256 digest there is nothing to compare.
fn any_matches(input: &Members, computed: &str) -> bool {
    let mut compared = digests(input).filter(|digest| digest.starts_with("sha256:")).peekable();
    compared.peek().is_none() || compared.any(|digest| digest.eq_ignore_ascii_case(computed))
}

fn well_formed(digest: &str) -> bool {
    match &shapes::LAYER_DIGEST.kind {
        crate::contract::Kind::Text(text) => text.matches_all(digest),
        _ => false,
    }
}

fn refusal(error: &str, rule: &str, message: String) -> Refusal {
    let error = crate::contract::ErrorType::find(error).unwrap_or_else(|| panic!("{error} is in the table of errors"));
    Refusal { rule: String::from(rule), error, message, members: Value::Null }
}

fn text<'a>(input: &'a Members, member: &str) -> Option<&'a str> {
    input.get(member).and_then(Value::as_str)
}

fn name(input: &Members) -> &str {
    text(input, "repositoryName").unwrap_or_default()
}

fn upload_id_of(input: &Members) -> &str {
    text(input, "uploadId").unwrap_or_default()
}

fn number(input: &Members, member: &str) -> i64 {
    input.get(member).and_then(long).unwrap_or_default()
}

/// How many bytes the part has. Its text was found to be base64 by then: 20 MiB need not be decoded for that.
pub(crate) fn blob_size(input: &Members) -> usize {
    let text = text(input, "layerPartBlob").unwrap_or_default().trim_end_matches('=');
    text.len() * 3 / 4
}

pub(crate) fn blob_of(input: &Members) -> Vec<u8> {
    text(input, "layerPartBlob").and_then(blob).unwrap_or_default()
}

fn digests(input: &Members) -> impl Iterator<Item = &str> {
    input.get("layerDigests").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// The repositories that DescribeRepositories asks about; `None` for all.
fn asked(input: &Members) -> Option<Vec<&str>> {
    let names = input.get("repositoryNames").and_then(Value::as_array)?;
    Some(names.iter().filter_map(Value::as_str).collect())
}

/// A UUID that looks random and is not.
fn upload_id(number: u64) -> String {
    let digest = hex(&Sha256::digest(number.to_le_bytes()));
    format!("{}-{}-4{}-8{}-{}", &digest[..8], &digest[8..12], &digest[13..16], &digest[17..20], &digest[20..32])
}
