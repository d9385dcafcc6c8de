//! What the errors of the network and of the HTTP library mean, by their types.

use std::error::Error;
use std::io;

use rustls::CertificateError;

use crate::wire::{NoConnection, TransportError, Unsendable};

/// Why the library has no response.
///
/// # Errors
///
/// Where it did not send the request: that is no trouble of the target.
pub(super) fn of_library(error: &reqwest::Error) -> Result<TransportError, Unsendable> {
    if error.is_builder() {
        return Err(Unsendable::RejectedByLibrary(text(error)));
    }
    Ok(match () {
        () if error.is_connect() => TransportError::Unreachable(no_connection(error)),
        () if error.is_timeout() => TransportError::Silent,
        () if causes(error).any(is_no_http) => TransportError::Garbage,
        () => TransportError::Dropped,
    })
}

/// Why there is no connection over TCP.
pub(super) fn of_connect(error: &io::Error) -> NoConnection {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => NoConnection::Refused,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => NoConnection::NoRoute,
        io::ErrorKind::TimedOut => NoConnection::TimedOut,
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => NoConnection::Closed,
        _ => NoConnection::Unknown,
    }
}

fn no_connection(error: &reqwest::Error) -> NoConnection {
    if error.is_dns() {
        return NoConnection::NameNotResolved;
    }
    if error.is_timeout() {
        return NoConnection::TimedOut;
    }
    let of_tls = causes(error).find_map(|cause| cause.downcast_ref().map(of_tls));
    // The innermost says most: those around it are of the kind `Other`.
    let of_connect = || causes(error).filter_map(|cause| cause.downcast_ref().map(of_connect)).last();
    of_tls.or_else(of_connect).unwrap_or(NoConnection::Unknown)
}

fn of_tls(error: &rustls::Error) -> NoConnection {
    match error {
        rustls::Error::InvalidCertificate(problem) => match problem {
            CertificateError::UnknownIssuer => NoConnection::UnknownIssuer,
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => NoConnection::CertificateExpired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                NoConnection::CertificateNotYetValid
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                NoConnection::CertificateOfAnotherHost
            }
            CertificateError::Revoked => NoConnection::CertificateRevoked,
            _ => NoConnection::CertificateRejected,
        },
        rustls::Error::InvalidMessage(_) => NoConnection::NotTls,
        _ => NoConnection::HandshakeFailed,
    }
}

/// Whether an error is about bytes that are no HTTP.
fn is_no_http(cause: &(dyn Error + 'static)) -> bool {
    // A chunk without a size is told as an I/O error, which no socket gives of this kind.
    let malformed =
        |error: &io::Error| matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData);
    cause.downcast_ref().is_some_and(hyper::Error::is_parse) || cause.downcast_ref().is_some_and(malformed)
}

/// An error with all that is behind it. What an I/O error wraps is left out by [`Error::source`].
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    fn next<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
        match error.downcast_ref().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        }
    }
    std::iter::successors(Some(error), |error| next(*error))
}

fn text(error: &reqwest::Error) -> String {
    causes(error).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
