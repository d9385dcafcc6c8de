//! TLS towards the target: one configuration for all connections, from what is trusted.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use crate::wire::{ClientCertificate, Trust};

/// Why nobody can be trusted as was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoTrust {
    /// The file of certificates cannot be read.
    #[error("could not read {path}: {error}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The file has no certificate.
    #[error("no certificate in {path}: expected PEM, with -----BEGIN CERTIFICATE----- in it", path = _0.display())]
    NoCertificate(PathBuf),
    /// The file has a certificate that is none.
    #[error("certificate {number} in {path} is malformed: {error}", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Which of its certificates, from 1.
        number: usize,
        /// What is wrong with it.
        error: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The certificate of the client, or its key, cannot be used.
    #[error(transparent)]
    Certificate(#[from] NoCertificate),
    /// The system trusts no issuer at all.
    #[error("this system trusts no issuer of certificates: install its package of CA certificates, or name a bundle")]
    NoSystemRoots,
}

/// Why a certificate of the client cannot be shown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoCertificate {
    /// A file has none, or no key, that can be read.
    #[error("no {what} in {path}: {error}", path = path.display())]
    Unreadable {
        /// What was looked for.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why there is none.
        error: pem::Error,
    },
    /// They do not belong together, or are of a kind that TLS does not know.
    #[error("{certificate} with the key in {key}: {error}", certificate = own.certificate.display(), key = own.key.display())]
    Unusable {
        /// The files.
        own: ClientCertificate,
        /// Why not.
        error: Error,
    },
}

/// What TLS sessions are made from.
pub(super) fn configuration(trust: &Trust, own: Option<&ClientCertificate>) -> Result<Arc<ClientConfig>, NoTrust> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .expect("the provider has what these versions need");
    let builder = match trust {
        Trust::System => builder.with_root_certificates(system()?),
        Trust::Bundle(path) => builder.with_root_certificates(bundle(path)?),
        Trust::Anyone => builder.dangerous().with_custom_certificate_verifier(Arc::new(Unchecked(provider))),
    };
    let mut configuration = match own {
        None => builder.with_no_client_auth(),
        Some(own) => {
            let (chain, key) = shown(own)?;
            let unusable = |error| NoCertificate::Unusable { own: own.clone(), error };
            builder.with_client_auth_cert(chain, key).map_err(unusable)?
        }
    };
    // Of a server that speaks several versions of HTTP, this is the one that is written here.
    configuration.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(configuration))
}

/// The certificates that a client shows, and the key of the first.
fn shown(own: &ClientCertificate) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), NoCertificate> {
    let none = |what: &'static str, path: &Path| {
        let path = path.to_path_buf();
        move |error| NoCertificate::Unreadable { what, path, error }
    };
    let chain = CertificateDer::pem_file_iter(&own.certificate).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.and_then(|chain| if chain.is_empty() { Err(pem::Error::NoItemsFound) } else { Ok(chain) });
    let chain = chain.map_err(none("certificate", &own.certificate))?;
    let key = PrivateKeyDer::from_pem_file(&own.key).map_err(none("private key", &own.key))?;
    Ok((chain, key))
}

/// The issuers that the system trusts. A store may have some that nobody can read.
fn system() -> Result<RootCertStore, NoTrust> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() { Err(NoTrust::NoSystemRoots) } else { Ok(roots) }
}

/// The issuers in a file of somebody who means all of them.
fn bundle(path: &Path) -> Result<RootCertStore, NoTrust> {
    let text = std::fs::read(path).map_err(|error| NoTrust::Unreadable { path: path.to_path_buf(), error })?;
    let mut roots = RootCertStore::empty();
    for (index, certificate) in CertificateDer::pem_slice_iter(&text).enumerate() {
        let malformed = |error| NoTrust::Malformed { path: path.to_path_buf(), number: index + 1, error };
        let certificate = certificate.map_err(|error: pem::Error| malformed(error.into()))?;
        roots.add(certificate).map_err(|error| malformed(error.into()))?;
    }
    if roots.is_empty() { Err(NoTrust::NoCertificate(path.to_path_buf())) } else { Ok(roots) }
}

/// Accepts every certificate. Whoever answers must still have its key, as TLS cannot do without.
#[derive(Debug)]
struct Unchecked(Arc<CryptoProvider>);

impl ServerCertVerifier for Unchecked {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_that_is_none_is_told() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("bundle.pem");
        let told = || configuration(&Trust::Bundle(path.clone()), None).unwrap_err().to_string();
        assert!(told().starts_with("could not read "), "{}", told());
        std::fs::write(&path, "no certificate\n").unwrap();
        assert!(told().starts_with("no certificate in "), "{}", told());
        std::fs::write(&path, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
        assert!(told().starts_with("certificate 1 in "), "{}", told());
        std::fs::write(&path, "-----BEGIN CERTIFICATE-----\nAAAA\n").unwrap();
        assert!(told().starts_with("certificate 1 in "), "{}", told());
    }
}
