//! What the errors of the network and of TLS mean, by their types.

use std::io;

use rustls::{AlertDescription, CertificateError, Error};

use crate::wire::{NoConnection, TransportError};

/// Why a host has no address.
pub(super) fn of_lookup(error: &io::Error) -> NoConnection {
    if has_no_descriptor(error) { NoConnection::NoDescriptors } else { NoConnection::NameNotResolved }
}

/// Why there is no connection over TCP.
pub(super) fn of_connect(error: &io::Error) -> NoConnection {
    match error.kind() {
        _ if has_no_descriptor(error) => NoConnection::NoDescriptors,
        io::ErrorKind::ConnectionRefused => NoConnection::Refused,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => NoConnection::NoRoute,
        io::ErrorKind::TimedOut => NoConnection::TimedOut,
        _ if is_end(error) => NoConnection::Closed,
        _ => NoConnection::Unknown,
    }
}

/// Why there is no TLS session over a connection.
pub(super) fn of_handshake(error: &io::Error) -> NoConnection {
    match tls(error) {
        Some(error) => of_tls(error),
        None if is_end(error) => NoConnection::HandshakeUnanswered,
        None => of_connect(error),
    }
}

/// Why an answer cannot be read any further.
pub(super) fn of_read(error: &io::Error) -> TransportError {
    match tls(error).map(of_tls) {
        // In TLS 1.3, the client is done with the handshake before the server has looked for its certificate.
        Some(why @ NoConnection::ClientCertificateMissing) => TransportError::Unreachable(why),
        _ => TransportError::Dropped,
    }
}

/// Whether bytes are the beginning of TLS: an alert, or a message of a handshake (RFC 8446, 5.1).
pub(super) fn is_tls(bytes: &[u8]) -> bool {
    matches!(bytes, [21 | 22, 3, 0..=4, ..])
}

/// The error of TLS behind one of I/O.
fn tls(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

fn of_tls(error: &Error) -> NoConnection {
    match error {
        Error::InvalidCertificate(problem) => of_certificate(problem),
        Error::InvalidMessage(_) => NoConnection::NotTls,
        Error::AlertReceived(AlertDescription::CertificateRequired) => NoConnection::ClientCertificateMissing,
        Error::AlertReceived(AlertDescription::NoApplicationProtocol) | Error::NoApplicationProtocol => {
            NoConnection::OtherProtocols
        }
        _ => NoConnection::HandshakeFailed,
    }
}

fn of_certificate(problem: &CertificateError) -> NoConnection {
    match problem {
        CertificateError::UnknownIssuer => NoConnection::UnknownIssuer,
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => NoConnection::CertificateExpired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            NoConnection::CertificateNotYetValid
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            NoConnection::CertificateOfAnotherHost
        }
        CertificateError::BadSignature => NoConnection::IssuerHasAnotherKey,
        CertificateError::Revoked => NoConnection::CertificateRevoked,
        CertificateError::Other(other) if matches!(other.0.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity)) => {
            NoConnection::CertificateOfAuthority
        }
        _ => NoConnection::CertificateRejected,
    }
}

fn is_end(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof
    )
}

/// Whether this process, or this machine, may open no more files and sockets. No [`io::ErrorKind`] stands for it.
pub(crate) fn has_no_descriptor(error: &io::Error) -> bool {
    // EMFILE and ENFILE have these numbers on all systems of the kind of Unix; Windows has WSAEMFILE.
    let numbers: &[i32] = if cfg!(windows) { &[10024] } else { &[24, 23] };
    error.raw_os_error().is_some_and(|number| numbers.contains(&number))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::OtherError;

    use super::*;

    #[test]
    fn no_descriptors_left_is_our_own_trouble() {
        let number = if cfg!(windows) { 10024 } else { 24 };
        let error = io::Error::from_raw_os_error(number);
        assert_eq!(of_connect(&error), NoConnection::NoDescriptors);
        assert_eq!(of_lookup(&error), NoConnection::NoDescriptors);
        assert_eq!(of_handshake(&error), NoConnection::NoDescriptors);
    }

    #[test]
    fn troubles_of_tls_are_told_apart() {
        let wrapped = |error: Error| io::Error::new(io::ErrorKind::InvalidData, error);
        let other = CertificateError::Other(OtherError(Arc::new(webpki::Error::CaUsedAsEndEntity)));
        for (error, why) in [
            (Error::InvalidCertificate(other), NoConnection::CertificateOfAuthority),
            (Error::InvalidCertificate(CertificateError::BadEncoding), NoConnection::CertificateRejected),
            (Error::InvalidCertificate(CertificateError::Revoked), NoConnection::CertificateRevoked),
            (Error::NoApplicationProtocol, NoConnection::OtherProtocols),
            (Error::AlertReceived(AlertDescription::NoApplicationProtocol), NoConnection::OtherProtocols),
            (Error::AlertReceived(AlertDescription::ProtocolVersion), NoConnection::HandshakeFailed),
        ] {
            assert_eq!(of_handshake(&wrapped(error.clone())), why);
            assert_eq!(of_read(&wrapped(error)), TransportError::Dropped);
        }
        let asked = Error::AlertReceived(AlertDescription::CertificateRequired);
        let why = NoConnection::ClientCertificateMissing;
        assert_eq!(of_handshake(&wrapped(asked.clone())), why);
        assert_eq!(of_read(&wrapped(asked)), TransportError::Unreachable(why));
    }
}
