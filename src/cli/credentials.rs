//! What signs the requests: three flags, or three settings, and the credentials of the user.

use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, Region};
use clap::Args;
use tokio::runtime::Runtime;

use crate::drive::{Identity, Signer, Signing};
use crate::mock::REGION;
use crate::wire::auth::Auth;

/// Flags that say what signs the requests.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct AuthArguments {
    /// Signature: none (default), sigv4 with your AWS credentials, or dummy for servers that route by its scope
    #[arg(long, value_name = "KIND")]
    pub auth: Option<Auth>,
    /// Region to sign for (default: that of your AWS configuration, or us-east-1)
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// Profile of your AWS configuration whose credentials to use (default: the standard chain)
    #[arg(long, value_name = "NAME")]
    pub profile_name: Option<String>,
}

/// What signs the requests.
#[derive(Clone, Debug)]
pub(super) enum Authentication {
    /// Nothing.
    None,
    /// Nothing, but it looks as if.
    Dummy,
    /// Signature Version 4.
    Sigv4 {
        /// The region that is signed for.
        region: String,
        /// The profile whose credentials sign; without one, those of the standard chain.
        profile: Option<String>,
    },
}

impl AuthArguments {
    /// What they ask for, or else what the settings file does.
    pub fn or(&self, settings: &AuthArguments) -> anyhow::Result<Authentication> {
        let auth = self.auth.or(settings.auth).unwrap_or_default();
        let flags = [("--region", &self.region), ("--profile-name", &self.profile_name)];
        if auth != Auth::Sigv4
            && let Some((flag, _)) = flags.into_iter().find(|(_, value)| value.is_some())
        {
            bail!("{flag}: expected --auth sigv4, found {}", auth.name());
        }
        match auth {
            Auth::None => Ok(Authentication::None),
            Auth::Dummy => Ok(Authentication::Dummy),
            Auth::Sigv4 => {
                let profile = self.profile_name.clone().or_else(|| settings.profile_name.clone());
                let region = match self.region.clone().or_else(|| settings.region.clone()) {
                    Some(region) => region,
                    None => usual_region(profile.as_deref())?,
                };
                match is_region(&region) {
                    true => Ok(Authentication::Sigv4 { region, profile }),
                    false => bail!("--region: expected the name of a region, such as us-east-1, found {region:?}"),
                }
            }
        }
    }
}

impl Authentication {
    /// The flags of a command that signs likewise.
    pub fn flags(&self) -> Vec<String> {
        let words: Vec<&str> = match self {
            Authentication::None => Vec::new(),
            Authentication::Dummy => vec!["--auth", "dummy"],
            Authentication::Sigv4 { region, profile: None } => vec!["--auth", "sigv4", "--region", region],
            Authentication::Sigv4 { region, profile: Some(profile) } => {
                vec!["--auth", "sigv4", "--region", region, "--profile-name", profile]
            }
        };
        words.into_iter().map(String::from).collect()
    }

    /// Whether requests have signatures that somebody could check.
    pub fn is_sigv4(&self) -> bool {
        matches!(self, Authentication::Sigv4 { .. })
    }

    /// Whose credentials a client signs with that signs by itself.
    pub fn identity(&self) -> Identity {
        match self {
            Authentication::None | Authentication::Dummy => Identity::Example,
            Authentication::Sigv4 { region, profile } => {
                Identity::Own { region: region.clone(), profile: profile.clone() }
            }
        }
    }

    /// How it reads among the settings that are not as usual.
    pub fn option(&self) -> Option<String> {
        match self {
            Authentication::None => None,
            Authentication::Dummy => Some(String::from("auth dummy")),
            Authentication::Sigv4 { region, profile: None } => Some(format!("auth sigv4 for {region}")),
            Authentication::Sigv4 { region, profile: Some(profile) } => {
                Some(format!("auth sigv4 for {region}, profile {profile}"))
            }
        }
    }

    /// What signs. The credentials are fetched once already: that there are none is said before anything is sent.
    pub fn signing(&self, runtime: &Runtime) -> anyhow::Result<Signing> {
        let (region, profile) = match self {
            Authentication::None => return Ok(Signing::None),
            Authentication::Dummy => return Ok(Signing::Dummy),
            Authentication::Sigv4 { region, profile } => (region, profile.as_deref()),
        };
        let signer = runtime.block_on(async {
            let signer = signer(region, profile).await?;
            let remedy =
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile (--profile-name), or log in again";
            match signer.credentials().await {
                Ok(_) => Ok(signer),
                Err(why) => Err(anyhow!("--auth sigv4: {why}: {remedy}")),
            }
        });
        Ok(Signing::Sigv4(Arc::new(signer?)))
    }
}

/// What signs with the credentials of a profile, or of the standard chain.
async fn signer(region: &str, profile: Option<&str>) -> anyhow::Result<Signer> {
    let own = Region::new(String::from(region));
    // Whoever names a profile means that one, whatever stands in the environment.
    if let Some(profile) = profile {
        let configuration = ProviderConfig::without_region().with_region(Some(own));
        let provider =
            ProfileFileCredentialsProvider::builder().configure(&configuration).profile_name(profile).build();
        return Ok(Signer::new(provider, region));
    }
    let configuration = aws_config::defaults(BehaviorVersion::latest()).region(own).load().await;
    let provider = configuration.credentials_provider().context("--auth sigv4: there is no source of credentials")?;
    Ok(Signer::new(provider, region))
}

/// The region of the environment, or else of the profile. The metadata of a machine are not asked.
fn usual_region(profile: Option<&str>) -> anyhow::Result<String> {
    let mut file = ProfileFileRegionProvider::builder();
    if let Some(profile) = profile {
        file = file.profile_name(profile);
    }
    let chain = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new()).or_else(file.build());
    let region = Runtime::new().context("could not start")?.block_on(chain.region());
    Ok(region.map_or_else(|| String::from(REGION), |region| region.to_string()))
}

/// Whether it may be a region: it goes into headers and scripts.
fn is_region(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}
