//! TLS that is wrong: its certificate, its handshake, or what comes over it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::behaviour::{OK, raw};
use super::{Behaviour, End, Piece};

/// What is wrong below HTTP.
#[derive(Clone, Copy, Debug)]
pub enum Layer {
    /// Nothing: it is what comes over TLS that is wrong.
    Sound,
    Certificate(Certificate),
    /// These bytes are the answer to the first message of the handshake, and then this is the end.
    Handshake(&'static [u8], End),
}

/// Whose certificate there is instead of the right one.
#[derive(Clone, Copy, Debug)]
pub enum Certificate {
    OfAnotherHost,
    Expired,
    NotYetValid,
    /// It signed itself, and nobody has heard of it.
    Unknown,
}

impl Layer {
    /// Whether it is wrong before a request can be sent.
    pub fn is_of_connections(self) -> bool {
        !matches!(self, Layer::Sound)
    }
}

/// The beginning of a ServerHello that has another hundred bytes (RFC 8446, 4.1.3).
const HALF_A_HELLO: &[u8] = b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03abcdefghijklmnop";

/// A fatal alert in plain text: handshake_failure (RFC 8446, 6).
const ALERT: &[u8] = b"\x15\x03\x03\x00\x02\x02\x28";

const PLAIN_TEXT: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";

/// All behaviours of this kind.
pub(super) fn layers() -> Vec<Behaviour> {
    let of = |name: &str, layer: Layer| Behaviour { layer: Some(layer), ..raw(name, Vec::new(), End::Close) };
    let over = |name: &str, pieces: Vec<Piece>, end: End| Behaviour {
        layer: Some(Layer::Sound),
        ..raw(&format!("TLS: {name}"), pieces, end)
    };
    let certificate = |name: &str, which: Certificate| of(&format!("certificate {name}"), Layer::Certificate(which));
    let handshake = |name: &str, bytes: &'static [u8], end: End| of(name, Layer::Handshake(bytes, end));
    let half = || Piece::Bytes(Bytes::from(format!("{OK}Content-Length: 50\r\n\r\n{{\"uploadId\":")));
    let without_length = || Piece::Bytes(Bytes::from(format!("{OK}Connection: close\r\n\r\n{{}}")));
    let below = |bytes: &'static [u8]| Piece::Below(Bytes::from_static(bytes));
    // What came before is read by then: whether it is, would be a race.
    let pause = || Piece::Pause(Duration::from_millis(150));
    vec![
        certificate("of another host", Certificate::OfAnotherHost),
        certificate("that has expired", Certificate::Expired),
        certificate("that is not valid yet", Certificate::NotYetValid),
        certificate("that nobody knows", Certificate::Unknown),
        handshake("plain text for TLS", PLAIN_TEXT, End::Close),
        handshake("silence in the handshake", b"", End::Hang),
        handshake("close in the handshake", b"", End::Close),
        handshake("reset in the handshake", b"", End::Reset),
        handshake("half a ServerHello, then silence", HALF_A_HELLO, End::Hang),
        handshake("half a ServerHello, then the end", HALF_A_HELLO, End::Close),
        handshake("garbage for a ServerHello", b"\x00\xff\xfe\x01garbage, and more of it", End::Close),
        handshake("alert in the handshake", ALERT, End::Close),
        over("end without close_notify", vec![without_length()], End::Cut),
        over("end in the body without close_notify", vec![half()], End::Cut),
        over("close_notify in the body", vec![half()], End::Close),
        over("alert in the body", vec![half(), pause(), below(ALERT)], End::Hang),
        over("garbage in the body", vec![half(), pause(), below(b"\x17\x03\x03\x00\x10no such record..")], End::Hang),
        over("alert for an answer", vec![below(ALERT)], End::Close),
    ]
}

/// What takes connections over TLS: rightly, and wrongly.
pub struct Acceptors {
    sound: TlsAcceptor,
    wrong: Wrong,
    /// The certificates that are told to the client.
    told: TempDir,
}

enum Wrong {
    No,
    Certificate(TlsAcceptor),
    Handshake(&'static [u8], End),
}

const HOST: &str = "127.0.0.1";

/// What takes connections with a certificate of its own, and this certificate.
fn acceptor(host: &str, years: (i32, i32)) -> (TlsAcceptor, String) {
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::new([String::from(host)]).unwrap();
    (parameters.not_before, parameters.not_after) = (date_time_ymd(years.0, 1, 1), date_time_ymd(years.1, 1, 1));
    // Of one name each: who knows a name by another key is told so.
    parameters.distinguished_name.push(rcgen::DnType::CommonName, format!("{host} from {} to {}", years.0, years.1));
    let certificate = parameters.self_signed(&key).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let own = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let configuration = builder.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], own).unwrap();
    (TlsAcceptor::from(Arc::new(configuration)), certificate.pem())
}

impl Acceptors {
    pub fn of(layer: Layer) -> Acceptors {
        let (sound, known) = acceptor(HOST, (2020, 2120));
        let mut told = vec![known];
        let mut certified = |host: &str, years: (i32, i32), is_told: bool| {
            let (wrong, certificate) = acceptor(host, years);
            told.extend(is_told.then_some(certificate));
            Wrong::Certificate(wrong)
        };
        let wrong = match layer {
            Layer::Sound => Wrong::No,
            Layer::Certificate(Certificate::OfAnotherHost) => certified("example.com", (2020, 2120), true),
            Layer::Certificate(Certificate::Expired) => certified(HOST, (2020, 2021), true),
            Layer::Certificate(Certificate::NotYetValid) => certified(HOST, (2119, 2120), true),
            Layer::Certificate(Certificate::Unknown) => certified(HOST, (2020, 2119), false),
            Layer::Handshake(bytes, end) => Wrong::Handshake(bytes, end),
        };
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("bundle.pem"), told.concat()).unwrap();
        Acceptors { sound, wrong, told: folder }
    }

    /// The flags of who is to trust these certificates.
    pub fn flags(&self) -> [String; 2] {
        [String::from("--ca-bundle"), self.told.path().join("bundle.pem").display().to_string()]
    }

    /// What requests come over, if there is a handshake.
    pub async fn accept(&self, mut stream: TcpStream, is_wrong: bool) -> io::Result<Option<TlsStream<TcpStream>>> {
        match &self.wrong {
            Wrong::Certificate(acceptor) if is_wrong => acceptor.accept(stream).await.map(Some),
            Wrong::Handshake(bytes, end) if is_wrong => {
                let _ = stream.read(&mut [0; 4096]).await?;
                stream.write_all(bytes).await?;
                end.of(&mut stream).await.map(|_| None)
            }
            _ => self.sound.accept(stream).await.map(Some),
        }
    }
}
