//! What signs the requests to a target.

#[cfg(feature = "run")]
mod secrets;
#[cfg(feature = "run")]
mod signer;

#[cfg(feature = "run")]
use std::sync::Arc;
use std::time::Duration;

use crate::contract::Service;
use crate::wire::{Exchange, NoConnection, Outgoing, TransportError, Unsendable, auth};

#[cfg(feature = "run")]
pub use secrets::Secrets;
#[cfg(feature = "run")]
pub use signer::{NoCredentials, Signer};

/// What signs the requests to a target.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Signing {
    /// Nothing.
    #[default]
    None,
    /// Nothing, but it looks as if: for servers that route by the scope.
    Dummy,
    /// Signature Version 4.
    #[cfg(feature = "run")]
    Sigv4(Arc<Signer>),
}

/// Where a request goes, as far as that is signed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Place {
    /// As it stands in the header `Host`.
    pub host: String,
    /// Path and query, as they stand in the request line.
    pub path: String,
}

/// A request as it goes out.
#[derive(Debug)]
pub(super) struct Signed {
    pub request: Outgoing,
    /// What must not be told of its exchange.
    pub hidden: Hidden,
}

/// What must not be told of an exchange, if that is anything.
#[derive(Debug, Default)]
pub(super) struct Hidden(#[cfg(feature = "run")] Option<Secrets>);

/// Why a request is not signed.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "run"), expect(dead_code, reason = "without credentials, nothing can go wrong"))]
pub(super) enum Unsigned {
    /// It cannot be.
    Unsendable(Unsendable),
    /// There is nothing to sign it with. It is as if there were no connection.
    Unreachable(NoConnection),
}

impl Signing {
    /// Whether requests have signatures that somebody could check.
    pub fn can_sign(&self) -> bool {
        match self {
            Signing::None | Signing::Dummy => false,
            #[cfg(feature = "run")]
            Signing::Sigv4(_) => true,
        }
    }

    /// A request that a client signs by itself, with the same credentials if they are those of the user.
    pub(super) async fn left_to_client(&self, request: Outgoing) -> Signed {
        match self {
            Signing::None | Signing::Dummy => Signed::open(request),
            #[cfg(feature = "run")]
            Signing::Sigv4(signer) => Signed { request, hidden: Hidden(signer.secrets().await) },
        }
    }

    /// A request with its signature.
    pub(super) async fn sign(&self, service: Service, request: &Outgoing, place: &Place) -> Result<Signed, Unsigned> {
        let mut request = request.clone();
        match self {
            Signing::None => {}
            Signing::Dummy => request.headers.extend(auth::dummy(service)),
            #[cfg(feature = "run")]
            Signing::Sigv4(signer) => {
                let (request, secrets) = signer.sign(service, request, place).await?;
                return Ok(Signed { request, hidden: Hidden(Some(secrets)) });
            }
        }
        let _ = place;
        Ok(Signed::open(request))
    }
}

impl Signed {
    /// A request that has nothing to hide.
    pub fn open(request: Outgoing) -> Signed {
        Signed { request, hidden: Hidden::default() }
    }
}

impl Hidden {
    /// What is kept of an exchange: the request as it was before it was signed, and an answer without secrets.
    pub fn kept(&self, request: &Outgoing, mut exchange: Exchange) -> Exchange {
        #[cfg(feature = "run")]
        if let Hidden(Some(secrets)) = self {
            exchange.request.headers.clone_from(&request.headers);
            secrets.hide(&mut exchange);
        }
        let _ = (request, &mut exchange);
        exchange
    }
}

impl Unsigned {
    /// What comes of a request that is not sent.
    pub fn exchange(self, request: &Outgoing) -> Result<Exchange, Unsendable> {
        match self {
            Unsigned::Unsendable(why) => Err(why),
            Unsigned::Unreachable(why) => {
                let reply = Err(TransportError::Unreachable(why));
                Ok(Exchange::new(request.clone(), reply, Duration::ZERO, Duration::ZERO))
            }
        }
    }
}
