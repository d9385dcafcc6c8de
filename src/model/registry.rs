//! Repositories, uploads and layers, and what each operation does to them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::Refusal;
use crate::case::bindings::hex;
use crate::contract::check::{blob, check, long};
use crate::contract::{Operation, Service, shapes};

/// The state of one service.
#[derive(Debug)]
pub struct Registry {
    pub(super) service: Service,
    account: String,
    repositories: BTreeMap<String, Repository>,
    uploads_made: u64,
}

#[derive(Debug, Default)]
struct Repository {
    uploads: BTreeMap<String, Upload>,
    /// The bytes of each layer by its digest.
    layers: BTreeMap<String, Vec<u8>>,
}

#[derive(Debug, Default)]
struct Upload {
    bytes: Vec<u8>,
    parts: Vec<usize>,
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
    pub fn call(&mut self, operation: &Operation, input: &Members) -> Result<Value, Refusal> {
        self.check_syntax(operation, input)?;
        if let Some(registry) = text(input, "registryId").filter(|registry| *registry != self.account) {
            self.check_registry(operation, input, registry)?;
        }
        match operation.name {
            "CreateRepository" => self.create(input),
            "DescribeRepositories" => self.describe(input),
            "DeleteRepository" => self.delete(input),
            "InitiateLayerUpload" => self.initiate(input),
            "UploadLayerPart" => self.upload(input),
            "CompleteLayerUpload" => self.complete(input),
            "BatchCheckLayerAvailability" => self.availability(input),
            "GetDownloadUrlForLayer" => self.download_url(input),
            other => unreachable!("the contract has no operation {other}"),
        }
    }

    fn check_syntax(&self, operation: &Operation, input: &Members) -> Result<(), Refusal> {
        let broken = check(operation, input);
        // What one edition of the documents admits, the registry admits.
        match broken.into_iter().find(|breach| !breach.rule.ends_with("/editions")) {
            Some(breach) if operation.role == crate::contract::Role::Layer => {
                Err(Refusal::of(self.service, &breach.rule, breach.message))
            }
            Some(breach) => Err(refusal("InvalidParameterException", &breach.rule, breach.message)),
            None => Ok(()),
        }
    }

    fn check_registry(&self, operation: &Operation, input: &Members, registry: &str) -> Result<(), Refusal> {
        match self.service {
            Service::EcrPublic if operation.role == crate::contract::Role::Layer => Err(Refusal::of(
                self.service,
                &format!("{}/registryId/unknown", operation.name),
                format!("The registry with id '{registry}' does not exist"),
            )),
            _ => Err(self.no_repository(operation.name, text(input, "repositoryName").unwrap_or_default())),
        }
    }

    fn create(&mut self, input: &Members) -> Result<Value, Refusal> {
        let name = name(input);
        if self.repositories.contains_key(name) {
            let text =
                format!("The repository with name '{name}' already exists in the registry with id '{}'", self.account);
            return Err(refusal("RepositoryAlreadyExistsException", "CreateRepository", text));
        }
        self.repositories.insert(String::from(name), Repository::default());
        Ok(json!({ "repository": self.description(name) }))
    }

    fn describe(&mut self, input: &Members) -> Result<Value, Refusal> {
        let asked: Option<Vec<&str>> = input
            .get("repositoryNames")
            .and_then(Value::as_array)
            .map(|names| names.iter().filter_map(Value::as_str).collect());
        for name in asked.iter().flatten() {
            self.repository("DescribeRepositories", name)?;
        }
        let names =
            self.repositories.keys().filter(|name| asked.as_ref().is_none_or(|asked| asked.contains(&name.as_str())));
        let found: Vec<Value> = names.map(|name| self.description(name)).collect();
        Ok(json!({ "repositories": found }))
    }

    fn delete(&mut self, input: &Members) -> Result<Value, Refusal> {
        let name = name(input);
        self.repository("DeleteRepository", name)?;
        // Without images, which this API cannot push, a repository counts as empty: `force` changes nothing.
        let description = self.description(name);
        self.repositories.remove(name);
        Ok(json!({ "repository": description }))
    }

    fn initiate(&mut self, input: &Members) -> Result<Value, Refusal> {
        self.repository("InitiateLayerUpload", name(input))?;
        self.uploads_made += 1;
        let id = upload_id(self.uploads_made);
        if let Some(repository) = self.repositories.get_mut(name(input)) {
            repository.uploads.insert(id.clone(), Upload::default());
        }
        Ok(json!({ "uploadId": id, "partSize": PART_SIZE }))
    }

    fn upload(&mut self, input: &Members) -> Result<Value, Refusal> {
        let (service, account) = (self.service, self.account.clone());
        let upload = self.open_upload("UploadLayerPart", input)?;
        let number = |member: &str| input.get(member).and_then(long).unwrap_or_default();
        let (first, last) = (number("partFirstByte"), number("partLastByte"));
        let bytes = text(input, "layerPartBlob").and_then(blob).unwrap_or_default();
        let received = upload.bytes.len();
        let refuse = |rule: &str, message: String| {
            let mut refusal = Refusal::of(service, &format!("UploadLayerPart/{rule}"), message);
            refusal.members = json!({
                "registryId": account,
                "repositoryName": name(input),
                "uploadId": text(input, "uploadId"),
                "lastValidByteReceived": received.saturating_sub(1),
            });
            Err(refusal)
        };
        if first != received as i64 {
            let message = format!("First byte of the layer part is {first} instead of {received}");
            return refuse("partFirstByte/contiguous", message);
        }
        if last < first {
            return refuse(
                "partLastByte/not-before-first",
                format!("Last byte of the layer part is {last}, before its first, {first}"),
            );
        }
        if bytes.is_empty() {
            return refuse("layerPartBlob/empty", String::from("The layer part is empty"));
        }
        if last.checked_sub(first).and_then(|span| span.checked_add(1)) != Some(bytes.len() as i64) {
            let message = format!("The layer part has {} bytes instead of those from {first} to {last}", bytes.len());
            return refuse("layerPartBlob/length", message);
        }
        upload.parts.push(bytes.len());
        upload.bytes.extend_from_slice(&bytes);
        Ok(json!({
            "registryId": account,
            "repositoryName": name(input),
            "uploadId": text(input, "uploadId"),
            "lastByteReceived": last,
        }))
    }

    fn complete(&mut self, input: &Members) -> Result<Value, Refusal> {
        let (service, account) = (self.service, self.account.clone());
        let id = text(input, "uploadId").unwrap_or_default();
        let refuse =
            |rule: &str, message: String| Err(Refusal::of(service, &format!("CompleteLayerUpload/{rule}"), message));
        let upload = self.open_upload("CompleteLayerUpload", input)?;
        let Some((_, inner)) = upload.parts.split_last() else {
            let message = format!(
                "The upload with id '{id}' in the repository with name '{}' in registry with id '{account}' cannot be \
                 completed because it does not have any parts",
                name(input)
            );
            return refuse("parts/not-empty", message);
        };
        if inner.iter().any(|size| *size < MIN_INNER_PART) {
            return refuse(
                "parts/min-size",
                String::from("All layer parts except the last part should be at least 5MB"),
            );
        }
        let digest = format!("sha256:{}", hex(&Sha256::digest(&upload.bytes)));
        if !any_matches(input, &digest) {
            let message = String::from("None of the provided layer digests match the calculated layer digest");
            return refuse("layerDigests/match", message);
        }
        let repository = self.repository("CompleteLayerUpload", name(input))?;
        if repository.layers.contains_key(&digest) {
            return refuse("layer/new", format!("The layer with digest '{digest}' already exists in the repository"));
        }
        if let Some(upload) = repository.uploads.remove(id) {
            repository.layers.insert(digest.clone(), upload.bytes);
        }
        Ok(json!({
            "registryId": account,
            "repositoryName": name(input),
            "uploadId": id,
            "layerDigest": digest,
        }))
    }

    fn availability(&mut self, input: &Members) -> Result<Value, Refusal> {
        let repository = self.repository("BatchCheckLayerAvailability", name(input))?;
        let (mut layers, mut failures) = (Vec::new(), Vec::new());
        for digest in
            input.get("layerDigests").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
        {
            if let Some(bytes) = repository.layers.get(digest) {
                layers
                    .push(json!({ "layerDigest": digest, "layerAvailability": "AVAILABLE", "layerSize": bytes.len() }));
            } else if well_formed(digest) {
                layers.push(json!({ "layerDigest": digest, "layerAvailability": "UNAVAILABLE" }));
            } else {
                let reason = "The layer digest is malformed";
                failures.push(
                    json!({ "layerDigest": digest, "failureCode": "InvalidLayerDigest", "failureReason": reason }),
                );
            }
        }
        Ok(json!({ "layers": layers, "failures": failures }))
    }

    fn download_url(&mut self, input: &Members) -> Result<Value, Refusal> {
        let (service, account) = (self.service, self.account.clone());
        let digest = text(input, "layerDigest").unwrap_or_default();
        let repository = self.repository("GetDownloadUrlForLayer", name(input))?;
        let (rule, message) = if repository.layers.contains_key(digest) {
            let message = format!("The layer with digest '{digest}' is not associated with an image");
            ("GetDownloadUrlForLayer/layer/unreferenced", message)
        } else {
            let message = format!(
                "The layer with digest {digest} does not exist within the repository with name '{}' in the registry with \
                 id '{account}'",
                name(input)
            );
            ("GetDownloadUrlForLayer/layerDigest/exists", message)
        };
        Err(Refusal::of(service, rule, message))
    }

    fn repository(&mut self, operation: &str, name: &str) -> Result<&mut Repository, Refusal> {
        match self.repositories.contains_key(name) {
            true => Ok(self.repositories.entry(String::from(name)).or_default()),
            false => Err(self.no_repository(operation, name)),
        }
    }

    fn no_repository(&self, operation: &str, name: &str) -> Refusal {
        let message =
            format!("The repository with name '{name}' does not exist in the registry with id '{}'", self.account);
        refusal("RepositoryNotFoundException", &format!("{operation}/repositoryName/exists"), message)
    }

    fn open_upload(&mut self, operation: &str, input: &Members) -> Result<&mut Upload, Refusal> {
        let account = self.account.clone();
        let id = text(input, "uploadId").unwrap_or_default();
        self.repository(operation, name(input))?.uploads.get_mut(id).ok_or_else(|| {
            let message = format!(
                "The upload with id '{id}' in the repository with name '{}' in registry with id '{account}' does not exist",
                name(input)
            );
            refusal("UploadNotFoundException", &format!("{operation}/uploadId/exists"), message)
        })
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
    let digests = input.get("layerDigests").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let mut compared = digests.filter(|digest| digest.starts_with("sha256:")).peekable();
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

/// A UUID that looks random and is not.
fn upload_id(number: u64) -> String {
    let digest = hex(&Sha256::digest(number.to_le_bytes()));
    format!("{}-{}-4{}-8{}-{}", &digest[..8], &digest[8..12], &digest[13..16], &digest[17..20], &digest[20..32])
}
