//! The certificate that a client shows to a server.

use std::path::PathBuf;

/// A certificate that a server may ask for, and its key: two files in PEM.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClientCertificate {
    /// The certificate, and those between it and its issuer.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl ClientCertificate {
    /// The flag that names the certificate.
    pub const FLAG: &str = "--client-cert";

    /// The flag that names its key.
    pub const KEY_FLAG: &str = "--client-key";

    /// The flags of a command that shows it likewise.
    pub fn flags(&self) -> Vec<String> {
        self.with_flags(Self::FLAG, Self::KEY_FLAG)
    }

    /// The flags of curl that stand for it.
    pub fn curl_flags(&self) -> Vec<String> {
        self.with_flags("--cert", "--key")
    }

    /// The one that a command with these flags shows.
    pub fn of_flags(flags: &[String]) -> Option<ClientCertificate> {
        let path = |name: &str| flags.iter().skip_while(|flag| *flag != name).nth(1).map(PathBuf::from);
        Some(ClientCertificate { certificate: path(Self::FLAG)?, key: path(Self::KEY_FLAG)? })
    }

    fn with_flags(&self, certificate: &str, key: &str) -> Vec<String> {
        let shown = |path: &PathBuf| path.display().to_string();
        vec![String::from(certificate), shown(&self.certificate), String::from(key), shown(&self.key)]
    }
}
