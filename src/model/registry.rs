//! Repositories, uploads, layers and images: the state of a registry, and how a call is looked at and done.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Rejection;
use super::operation::{Facts, Members};
use crate::case::bindings::hex;
use crate::contract::blob::Notation;
use crate::contract::check::{Breach, check_in};
use crate::contract::{Constraint, Operation, OperationSpec, Role, RuleId, Service};

/// The state of one service. Plain data, so that the mock can spoil it.
#[derive(Clone, Debug)]
pub struct Registry {
    /// Which service.
    pub service: Service,
    /// The account that it belongs to.
    pub account: String,
    /// The alias that it has beside the account id, in the public service.
    pub alias: Option<String>,
    /// What it has, by name.
    pub repositories: BTreeMap<String, Repository>,
    /// How many uploads were begun so far.
    pub uploads_made: u64,
    /// How the bytes of parts stand in requests.
    pub(crate) notation: Notation,
}

/// A repository.
#[derive(Clone, Debug, Default)]
pub struct Repository {
    /// The uploads that are open, by id.
    pub uploads: BTreeMap<String, Upload>,
    /// The size of each layer by its digest.
    pub layers: BTreeMap<String, usize>,
    /// The layers that each image refers to, by the digest of its manifest.
    pub images: BTreeMap<String, Vec<String>>,
}

/// An upload that is open.
#[derive(Clone, Debug, Default)]
pub struct Upload {
    /// Of the bytes so far, which nobody asks for again.
    pub hash: Sha256,
    /// The size of each part.
    pub parts: Vec<usize>,
}

impl Repository {
    /// Whether a layer belongs to an image.
    pub fn is_referenced(&self, digest: &str) -> bool {
        self.layers.contains_key(digest) && self.images.values().flatten().any(|named| named == digest)
    }
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

/// The alias that the registry has in the public service: one of those that are assigned, not chosen.
pub const ALIAS: &str = "q2w4e6r8";

/// What InitiateLayerUpload says that parts should have. Source: `cli-initiate`.
pub const PART_SIZE: u64 = 10_485_760;

/// What every part but the last must have. Source: API reference, LayerPartTooSmallException.
pub const MIN_INNER_PART: usize = 5_242_880;

impl Registry {
    /// An empty registry.
    pub fn new(service: Service) -> Registry {
        let alias = match service {
            Service::Ecr => None,
            Service::EcrPublic => Some(String::from(ALIAS)),
        };
        Registry {
            service,
            account: String::from(ACCOUNT),
            alias,
            repositories: BTreeMap::new(),
            uploads_made: 0,
            notation: Notation::Base64,
        }
    }

    /// One that reads parts in this notation.
    pub(crate) fn in_notation(self, notation: Notation) -> Registry {
        Registry { notation, ..self }
    }

    /// Performs an operation, or says why not.
    pub fn call(&mut self, operation: &OperationSpec, input: &Members) -> Result<Value, Rejection> {
        match self.rejections(operation, input).into_iter().next() {
            Some(rejection) => Err(rejection),
            None => Ok(self.perform(operation.name, input)),
        }
    }

    /// All that is wrong with a request, what the registry looks at first before the rest. Where something is wrong with
    /// its members, nothing is said of what they name.
    pub fn rejections(&self, operation: &OperationSpec, input: &Members) -> Vec<Rejection> {
        self.read_closely(operation, input).1
    }

    /// The same, after the rules that the members of the request break: of each edition of the documents.
    pub(crate) fn read_closely(&self, operation: &OperationSpec, input: &Members) -> (Vec<RuleId>, Vec<Rejection>) {
        let breaches = check_in(self.notation, operation, input);
        let broken = breaches.iter().map(|breach| breach.rule).collect();
        match self.rejected(operation, breaches) {
            syntax if syntax.is_empty() => (broken, self.standing(operation.name, input)),
            syntax => (broken, syntax),
        }
    }

    /// What is wrong with the members of a request.
    pub fn syntax(&self, operation: &OperationSpec, input: &Members) -> Vec<Rejection> {
        self.rejected(operation, check_in(self.notation, operation, input))
    }

    fn rejected(&self, operation: &OperationSpec, breaches: Vec<Breach>) -> Vec<Rejection> {
        // What one edition of the documents allows, the registry allows.
        let broken = breaches.into_iter().filter(|breach| breach.rule.constraint() != Some(Constraint::Editions));
        let rejection = |breach: Breach| match operation.name.role() {
            Role::Layer => Rejection::of(self.service, breach.rule, breach.message),
            Role::Image | Role::SetUp => Rejection::named("InvalidParameterException", breach.rule, breach.message),
        };
        broken.map(rejection).collect()
    }

    /// What is wrong with what the members of a request name, as things stand.
    pub fn standing(&self, operation: Operation, input: &Members) -> Vec<Rejection> {
        match input.get("registryId").and_then(Value::as_str).filter(|registry| !self.is_named(registry)) {
            Some(registry) => vec![self.foreign(operation, input, registry)],
            None => (Facts::of(operation).rejections)(self, input),
        }
    }

    /// Whether a registry id, or an alias, is its own.
    fn is_named(&self, registry: &str) -> bool {
        registry == self.account || self.alias.as_deref() == Some(registry)
    }

    /// Performs an operation that [`Registry::rejections`] has nothing against.
    pub fn perform(&mut self, operation: Operation, input: &Members) -> Value {
        (Facts::of(operation).perform)(self, input)
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

    /// The repository that a request names, or the rejection that there is none.
    pub(super) fn named_repository(&self, operation: Operation, input: &Members) -> Result<&Repository, Rejection> {
        let name = text(input, "repositoryName");
        self.repositories.get(name).ok_or_else(|| self.no_repository(operation, name))
    }

    /// The upload that a request names, with its repository; or the rejection that one of them is not there.
    pub(super) fn named_upload(
        &self,
        operation: Operation,
        input: &Members,
    ) -> Result<(&Repository, &Upload), Rejection> {
        let repository = self.named_repository(operation, input)?;
        let upload = repository.uploads.get(text(input, "uploadId")).ok_or_else(|| {
            let message = format!("{} does not exist", self.words_for_upload(input));
            Rejection::named("UploadNotFoundException", RuleId::of(operation, "uploadId/exists"), message)
        })?;
        Ok((repository, upload))
    }

    /// The repository that a request names, which is there.
    pub(super) fn repository_mut(&mut self, input: &Members) -> &mut Repository {
        self.repositories.entry(String::from(text(input, "repositoryName"))).or_default()
    }

    /// The rejection that there is no repository of this name.
    pub(super) fn no_repository(&self, operation: Operation, name: &str) -> Rejection {
        let message =
            format!("The repository with name '{name}' does not exist in the registry with id '{}'", self.account);
        Rejection::named("RepositoryNotFoundException", RuleId::of(operation, "repositoryName/exists"), message)
    }

    /// The upload that a request names, as messages call it.
    pub(super) fn words_for_upload(&self, input: &Members) -> String {
        format!(
            "The upload with id '{}' in the repository with name '{}' in registry with id '{}'",
            text(input, "uploadId"),
            text(input, "repositoryName"),
            self.account
        )
    }

    /// A repository as answers describe it.
    pub(super) fn description(&self, name: &str) -> Value {
        let account = &self.account;
        let (arn, uri) = match &self.alias {
            None => (
                format!("arn:aws:ecr:us-east-1:{account}:repository/{name}"),
                format!("{account}.dkr.ecr.us-east-1.amazonaws.com/{name}"),
            ),
            // Source: `aws-cli:ecr-public/create-repository`.
            Some(alias) => {
                (format!("arn:aws:ecr-public::{account}:repository/{name}"), format!("public.ecr.aws/{alias}/{name}"))
            }
        };
        json!({
            "repositoryArn": arn,
            "registryId": account,
            "repositoryName": name,
            "repositoryUri": uri,
            "createdAt": 1.7e9,
        })
    }

    fn foreign(&self, operation: Operation, input: &Members, registry: &str) -> Rejection {
        let name = text(input, "repositoryName");
        match (self.service, operation.role()) {
            (Service::Ecr, Role::Layer) => Rejection::of(
                self.service,
                RuleId::of(operation, "registryId/foreign"),
                format!("The repository with name '{name}' does not exist in the registry with id '{registry}'"),
            ),
            (Service::EcrPublic, Role::Layer) => Rejection::of(
                self.service,
                RuleId::of(operation, "registryId/unknown"),
                format!("The registry with id '{registry}' does not exist"),
            ),
            (_, Role::Image | Role::SetUp) => self.no_repository(operation, name),
        }
    }
}

fn text<'a>(input: &'a Members, member: &str) -> &'a str {
    input.get(member).and_then(Value::as_str).unwrap_or_default()
}
