//! `ecrspec mock --tls`: a certificate authority that lives as long as the mock, and the one certificate that it
//! issues.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::serve::Listener;
use jiff::civil::Date;
use jiff::{Span, Zoned};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The hosts that the certificate is for.
const HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// What the mock proves with who it is.
pub(super) struct Certificate {
    /// The certificate of the authority, as PEM: what a client has to trust.
    pub bundle: String,
    configuration: Arc<ServerConfig>,
}

impl Certificate {
    /// Makes an authority and a certificate, each with a key that is never written anywhere.
    pub fn new() -> anyhow::Result<Certificate> {
        let authority_key = KeyPair::generate()?;
        let mut authority = parameters("ecrspec mock CA", &[])?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let bundle = authority.self_signed(&authority_key)?.pem();
        let key = KeyPair::generate()?;
        let mut server = parameters("ecrspec mock", &HOSTS)?;
        server.use_authority_key_identifier_extension = true;
        server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = server.signed_by(&key, &Issuer::new(authority, authority_key))?;
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        let mut configuration = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key.into())?;
        configuration.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Certificate { bundle, configuration: Arc::new(configuration) })
    }

    /// A listener whose connections speak TLS.
    pub fn listen(&self, mut listener: TcpListener) -> anyhow::Result<TlsListener> {
        let address = listener.local_addr()?;
        let acceptor = TlsAcceptor::from(self.configuration.clone());
        let (ready, accepted) = mpsc::channel(1);
        tokio::spawn(async move {
            loop {
                let (stream, peer) = Listener::accept(&mut listener).await;
                let (acceptor, ready) = (acceptor.clone(), ready.clone());
                // By itself: nobody waits for a client that does not go on with its handshake.
                tokio::spawn(async move {
                    let _ = stream.set_nodelay(true);
                    if let Ok(stream) = acceptor.accept(stream).await {
                        let _ = ready.send((stream, peer)).await;
                    }
                });
            }
        });
        Ok(TlsListener { accepted, address })
    }
}

/// Connections of which the handshake is done.
pub(super) struct TlsListener {
    accepted: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TlsStream<TcpStream>, SocketAddr) {
        match self.accepted.recv().await {
            Some(accepted) => accepted,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

/// A certificate for these hosts, from yesterday for a year.
fn parameters(name: &str, hosts: &[&str]) -> anyhow::Result<CertificateParams> {
    let hosts: Vec<String> = hosts.iter().copied().map(String::from).collect();
    let mut parameters = CertificateParams::new(hosts)?;
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
    let today = Zoned::now().date();
    let date = |date: Date| date_time_ymd(date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs());
    parameters.not_before = date(today.yesterday()?);
    parameters.not_after = date(today.checked_add(Span::new().years(1))?);
    Ok(parameters)
}
