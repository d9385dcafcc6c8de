//! Signature Version 4, as it must be and wrong in one way.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;

use super::{Place, Secrets, Unsigned};
use crate::case::bindings::hex;
use crate::contract::{Operation, Service};
use crate::wire::{Body, EXPIRED_TOKEN, NoConnection, Outgoing, Signature, Unsendable};

/// Signs requests with the credentials of a provider, which are fetched again when they are about to expire.
pub struct Signer {
    provider: SharedCredentialsProvider,
    region: String,
    held: Mutex<Option<Arc<Held>>>,
}

/// Why there are no credentials.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoCredentials {
    /// No source of the chain has any.
    #[error("no credentials found")]
    NotFound,
    /// A source has some, and did not give them in time.
    #[error("the source of the credentials did not answer in time")]
    TimedOut,
    /// A source has some that cannot be used.
    #[error("the credentials are not configured as they must be")]
    Misconfigured,
    /// A source did not give them. What it said is not told: it may be a secret.
    #[error("no source gave credentials")]
    Failed,
}

/// Credentials, and what must not be told of them.
struct Held {
    credentials: Credentials,
    secrets: Secrets,
}

/// So long before they expire, credentials are fetched again.
const BEFORE_EXPIRY: Duration = Duration::from_secs(60);

impl Signer {
    /// A signer for a region.
    pub fn new(provider: impl ProvideCredentials + 'static, region: impl Into<String>) -> Signer {
        Signer { provider: SharedCredentialsProvider::new(provider), region: region.into(), held: Mutex::default() }
    }

    /// A signer with credentials that do not expire.
    pub fn with_keys(key: &str, secret: &str, token: Option<&str>, region: impl Into<String>) -> Signer {
        Signer::new(Credentials::new(key, secret, token.map(String::from), None, "ecrspec"), region)
    }

    /// The region that it signs for.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The credentials, as long as they are good.
    ///
    /// # Errors
    ///
    /// Why there are none.
    pub async fn credentials(&self) -> Result<Credentials, NoCredentials> {
        Ok(self.held().await?.credentials.clone())
    }

    /// What must not be told of them, if there are any.
    pub(super) async fn secrets(&self) -> Option<Secrets> {
        Some(self.held().await.ok()?.secrets.clone())
    }

    async fn held(&self) -> Result<Arc<Held>, NoCredentials> {
        let mut held = self.held.lock().await;
        let now = SystemTime::now();
        if let Some(held) = held.as_ref().filter(|held| held.is_good(now + BEFORE_EXPIRY)) {
            return Ok(held.clone());
        }
        match self.provider.provide_credentials().await {
            Ok(credentials) => Ok(held.insert(Arc::new(Held::of(credentials))).clone()),
            // The last minute of the others is better than nothing.
            Err(error) => held.clone().filter(|held| held.is_good(now)).ok_or_else(|| NoCredentials::of(&error)),
        }
    }

    /// A request with its signature, and what must not be told of it.
    pub(super) async fn sign(
        &self,
        service: Service,
        mut request: Outgoing,
        place: &Place,
    ) -> Result<(Outgoing, Secrets), Unsigned> {
        let held = self.held().await.map_err(|_| Unsigned::Unreachable(NoConnection::NoCredentials))?;
        if request.signature == Signature::Absent {
            return Ok((request, held.secrets.clone()));
        }
        let mut inputs = Inputs::of(&held.credentials, &self.region, service, &request, place);
        inputs.spoil(request.signature, service);
        let (headers, signature) = inputs.headers().map_err(Unsigned::Unsendable)?;
        request.headers.extend(inputs.sent);
        request.headers.extend(headers.into_iter().filter_map(|header| spoiled(header, request.signature)));
        Ok((request, held.secrets.and(&Secrets::of([signature.as_str()]))))
    }
}

impl Held {
    fn of(credentials: Credentials) -> Held {
        let secrets = Secrets::of([credentials.secret_access_key()].into_iter().chain(credentials.session_token()));
        Held { credentials, secrets }
    }

    fn is_good(&self, at: SystemTime) -> bool {
        self.credentials.expiry().is_none_or(|expiry| at < expiry)
    }
}

impl NoCredentials {
    fn of(error: &CredentialsError) -> NoCredentials {
        match error {
            CredentialsError::CredentialsNotLoaded(_) => NoCredentials::NotFound,
            CredentialsError::ProviderTimedOut(_) => NoCredentials::TimedOut,
            CredentialsError::InvalidConfiguration(_) => NoCredentials::Misconfigured,
            _ => NoCredentials::Failed,
        }
    }
}

/// What a signature is computed from.
struct Inputs {
    credentials: Credentials,
    region: String,
    service: &'static str,
    time: SystemTime,
    method: String,
    url: String,
    /// The headers that are signed.
    headers: Vec<(String, String)>,
    /// Headers that are sent besides.
    sent: Vec<(String, String)>,
    excluded: Vec<Cow<'static, str>>,
    body: Body,
}

impl Inputs {
    /// Those of a request: of its headers, the host and those that say what is asked for.
    fn of(credentials: &Credentials, region: &str, service: Service, request: &Outgoing, place: &Place) -> Inputs {
        let is_signed = |name: &str| {
            let name = name.to_ascii_lowercase();
            name == "content-type" || name.starts_with("x-amz-")
        };
        let own = request.headers.iter().filter(|(name, _)| is_signed(name)).cloned();
        Inputs {
            credentials: credentials.clone(),
            region: String::from(region),
            service: service.contract().signing_name,
            time: SystemTime::now(),
            method: request.method.clone(),
            url: format!("http://{}{}", place.host, place.path),
            headers: std::iter::once((String::from("host"), place.host.clone())).chain(own).collect(),
            sent: Vec::new(),
            excluded: Vec::new(),
            body: request.body.clone(),
        }
    }

    /// Makes them wrong in the way that is asked for.
    fn spoil(&mut self, signature: Signature, service: Service) {
        const HOUR: Duration = Duration::from_secs(3600);
        let Inputs { credentials, .. } = self;
        let with = |key: &str, secret: &str, token: Option<&str>| {
            Credentials::new(key, secret, token.map(String::from), None, "ecrspec")
        };
        let (key, secret) = (credentials.access_key_id(), credentials.secret_access_key());
        let token = credentials.session_token();
        match signature {
            Signature::MinutesOld => self.time -= Duration::from_secs(120),
            Signature::HourOld => self.time -= HOUR,
            Signature::HourAhead => self.time += HOUR,
            Signature::OtherRegion => self.region = String::from("xx-nowhere-1"),
            Signature::OtherService => {
                self.service = match service {
                    Service::Ecr => "ecs",
                    Service::EcrPublic => "ecs-public",
                }
            }
            Signature::OtherKey => self.credentials = with("AKIAECRSPECNOBODYHAS", secret, token),
            Signature::OtherSecret => self.credentials = with(key, &format!("not/{secret}"), token),
            Signature::OtherToken => self.credentials = with(key, secret, Some("ecrspec-token-of-nobody")),
            Signature::ExpiredToken => self.credentials = with(key, secret, Some(EXPIRED_TOKEN)),
            Signature::OtherHost => self.replace("host", "elsewhere.invalid"),
            Signature::WithoutHost => self.excluded.push(Cow::Borrowed("host")),
            Signature::OtherTarget => {
                self.replace("x-amz-target", &service.contract().target(Operation::DescribeRepositories));
            }
            Signature::AbsentHeader => self.headers.push(header("x-amz-meta-absent", "absent")),
            Signature::SpacedHeader => self.add(header("X-Amz-Meta-Spaced", "one  two   three")),
            Signature::OtherBody => self.change_body(),
            Signature::OtherBodyHashed => {
                self.change_body();
                self.add(header("X-Amz-Content-Sha256", &digest(&self.body)));
            }
            Signature::Valid
            | Signature::Absent
            | Signature::WithoutCredential
            | Signature::WithoutSignedHeaders
            | Signature::WithoutSignature
            | Signature::ShortCredential
            | Signature::OtherAlgorithm
            | Signature::WithoutDate
            | Signature::OtherDateFormat => {}
        }
    }

    /// Signs another value of a header than is sent.
    fn replace(&mut self, name: &str, value: &str) {
        for (_, known) in self.headers.iter_mut().filter(|(known, _)| known.eq_ignore_ascii_case(name)) {
            *known = String::from(value);
        }
    }

    /// Signs and sends another header.
    fn add(&mut self, header: (String, String)) {
        self.headers.push(header.clone());
        self.sent.push(header);
    }

    /// Signs another body than is sent, which is valid as well.
    fn change_body(&mut self) {
        self.body = Body::from([&self.body.whole()[..], b" "].concat());
    }

    /// The headers of the signature, and the signature itself.
    fn headers(&self) -> Result<(Vec<(String, String)>, String), Unsendable> {
        let unsignable = |why: String| Unsendable::Unsignable(why);
        let mut settings = SigningSettings::default();
        settings.excluded_headers.get_or_insert_default().extend(self.excluded.iter().cloned());
        let identity = self.credentials.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(self.service)
            .time(self.time)
            .settings(settings)
            .build()
            .map_err(|error| unsignable(error.to_string()))?;
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let request =
            SignableRequest::new(&self.method, &self.url, headers, SignableBody::Precomputed(digest(&self.body)));
        let request = request.map_err(|error| unsignable(error.to_string()))?;
        let signed = sign(request, &parameters.into()).map_err(|error| unsignable(error.to_string()))?;
        let (instructions, signature) = signed.into_parts();
        Ok((instructions.headers().map(|(name, value)| header(name, value)).collect(), signature))
    }
}

/// The digest of a body, as a signature has it.
fn digest(body: &Body) -> String {
    let mut hash = Sha256::new();
    body.chunks().for_each(|chunk| hash.update(&chunk));
    hex(&hash.finalize())
}

/// A header of a signature, made wrong in the way that is asked for.
fn spoiled((name, value): (String, String), signature: Signature) -> Option<(String, String)> {
    let is_date = name.eq_ignore_ascii_case("x-amz-date");
    let value = match signature {
        Signature::WithoutDate if is_date => return None,
        Signature::OtherDateFormat if is_date => {
            format!("{}-{}-{} {}", &value[..4], &value[4..6], &value[6..8], &value[9..])
        }
        _ if !name.eq_ignore_ascii_case("authorization") => value,
        Signature::WithoutCredential => without(&value, "Credential="),
        Signature::WithoutSignedHeaders => without(&value, "SignedHeaders="),
        Signature::WithoutSignature => without(&value, "Signature="),
        Signature::ShortCredential => {
            let parts: Vec<&str> = value.splitn(6, '/').collect();
            let rest = parts.last().and_then(|last| last.split_once(',')).map_or("", |(_, rest)| rest);
            format!("{}/{},{rest}", parts[0], parts.get(1).copied().unwrap_or_default())
        }
        Signature::OtherAlgorithm => value.replacen("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1", 1),
        _ => value,
    };
    Some((name, value))
}

/// An `Authorization` header without one of its parts.
fn without(value: &str, part: &str) -> String {
    let (algorithm, parts) = value.split_once(' ').unwrap_or((value, ""));
    let parts: Vec<&str> = parts.split(',').map(str::trim).filter(|known| !known.starts_with(part)).collect();
    format!("{algorithm} {}", parts.join(", "))
}

fn header(name: &str, value: &str) -> (String, String) {
    (String::from(name), String::from(value))
}

/// No secrets.
impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("region", &self.region).finish_non_exhaustive()
    }
}
