//! TLS: whom it is spoken with, what is sent over it, and what is said where there is none.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use bytes::Bytes;
use ecrspec::contract::{Operation, Service};
use ecrspec::drive::http::{Http, Timeouts};
use ecrspec::suite::suite;
use ecrspec::wire::{
    Body, ClientCertificate, Flaw, Framing, NoConnection, Outgoing, Reply, TransportError, Trust, envelope,
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::binary::{Mock, command, ecrspec, err, has_tool, last_line, out};

type Stream = StreamOwned<ServerConnection, std::net::TcpStream>;

/// What a server does with a connection.
type Talk = fn(&mut Stream) -> std::io::Result<()>;

const CASE: &str = "InitiateLayerUpload/accepted/plain";

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

/// A certificate that signed itself, and a server that has it.
struct Server {
    endpoint: String,
    /// The certificate, as a bundle.
    bundle: std::path::PathBuf,
    /// Its key.
    key: std::path::PathBuf,
    connections: Arc<AtomicUsize>,
    _folder: TempDir,
}

/// How a server is unlike the usual one.
struct Setting {
    host: &'static str,
    years: (i32, i32),
    is_authority: bool,
    asks_for_a_certificate: bool,
    protocols: &'static [&'static [u8]],
}

const USUAL: Setting = Setting {
    host: "127.0.0.1",
    years: (2020, 2120),
    is_authority: false,
    asks_for_a_certificate: false,
    protocols: &[],
};

impl Server {
    /// Speaks TLS, and then does this with each connection.
    fn start(setting: &Setting, talk: Talk) -> Server {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new([String::from(setting.host)]).unwrap();
        let (from, to) = setting.years;
        (parameters.not_before, parameters.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
        if setting.is_authority {
            parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        let certificate = parameters.self_signed(&key).unwrap();
        let folder = TempDir::new().unwrap();
        let bundle = folder.path().join("bundle.pem");
        fs::write(&bundle, certificate.pem()).unwrap();
        let key_file = folder.path().join("key.pem");
        fs::write(&key_file, key.serialize_pem()).unwrap();
        let configuration = Arc::new(configuration(setting, certificate.der(), &key));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("https://{}", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                count.fetch_add(1, Ordering::SeqCst);
                let session = ServerConnection::new(configuration.clone()).unwrap();
                thread::spawn(move || talk(&mut StreamOwned::new(session, stream)));
            }
        });
        Server { endpoint, bundle, key: key_file, connections, _folder: folder }
    }

    fn bundle(&self) -> Trust {
        Trust::Bundle(self.bundle.clone())
    }
}

fn configuration(setting: &Setting, certificate: &CertificateDer<'static>, key: &KeyPair) -> ServerConfig {
    let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let builder = ServerConfig::builder();
    let builder = match setting.asks_for_a_certificate {
        true => {
            let mut roots = RootCertStore::empty();
            roots.add(certificate.clone()).unwrap();
            builder.with_client_cert_verifier(WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap())
        }
        false => builder.with_no_client_auth(),
    };
    let mut configuration = builder.with_single_cert(vec![certificate.clone()], key).unwrap();
    configuration.alpn_protocols = setting.protocols.iter().map(|name| name.to_vec()).collect();
    configuration
}

/// Reads the head of a request, if there is one more.
fn head(stream: &mut Stream) -> std::io::Result<bool> {
    let (mut received, mut buffer) = (Vec::new(), [0; 4096]);
    while !received.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut buffer)? {
            0 => return Ok(false),
            count => received.extend_from_slice(&buffer[..count]),
        }
    }
    Ok(true)
}

/// Answers everything alike.
fn answers(stream: &mut Stream) -> std::io::Result<()> {
    while head(stream)? {
        stream.write_all(ANSWER)?;
        stream.flush()?;
    }
    Ok(())
}

fn timeouts() -> Timeouts {
    let short = Duration::from_secs(2);
    Timeouts { connect: short, first_byte: short, rest: short }
}

fn request(framing: Framing) -> Outgoing {
    let body = Body::from(Bytes::from_static(b"{}"));
    Outgoing { framing, ..envelope::request(Service::Ecr, Operation::InitiateLayerUpload, body) }
}

fn reply(runtime: &Runtime, http: &Http, framing: Framing) -> Reply {
    let exchange = runtime.block_on(http.send(request(framing))).unwrap();
    exchange.reply.map(|answer| answer.response().cloned().unwrap())
}

/// Why there is no connection to an endpoint.
fn why(endpoint: &str, trust: &Trust) -> NoConnection {
    let http = Http::trusting(endpoint, timeouts(), trust).unwrap();
    match reply(&Runtime::new().unwrap(), &http, Framing::Length) {
        Err(TransportError::Unreachable(why)) => why,
        other => panic!("{endpoint}: {other:?}"),
    }
}

#[test]
fn a_certificate_that_is_not_accepted_is_told_by_what_is_wrong_with_it() {
    let rows = [
        (Setting { host: "example.com", ..USUAL }, NoConnection::CertificateOfAnotherHost),
        (Setting { years: (2020, 2021), ..USUAL }, NoConnection::CertificateExpired),
        (Setting { years: (2119, 2120), ..USUAL }, NoConnection::CertificateNotYetValid),
        (Setting { is_authority: true, ..USUAL }, NoConnection::CertificateOfAuthority),
    ];
    let runtime = Runtime::new().unwrap();
    for (setting, expected) in rows {
        let server = Server::start(&setting, answers);
        assert_eq!(why(&server.endpoint, &server.bundle()), expected);
        let anyone = Http::trusting(&server.endpoint, timeouts(), &Trust::Anyone).unwrap();
        assert_eq!(reply(&runtime, &anyone, Framing::Length).map(|answer| answer.status), Ok(200), "{expected}");
    }
    let server = Server::start(&USUAL, answers);
    assert_eq!(why(&server.endpoint, &Trust::System), NoConnection::UnknownIssuer);
    // Of the same name, and of another one.
    let later = Server::start(&USUAL, answers);
    assert_eq!(why(&server.endpoint, &later.bundle()), NoConnection::IssuerHasAnotherKey);
    let mock = Mock::start_tls(&[], &later.bundle);
    assert_eq!(why(&server.endpoint, &later.bundle()), NoConnection::UnknownIssuer);
    drop(mock);
    let http = Http::trusting(&server.endpoint, timeouts(), &server.bundle()).unwrap();
    assert_eq!(reply(&runtime, &http, Framing::Length).map(|answer| answer.status), Ok(200));
}

#[test]
fn who_speaks_something_else_is_told() {
    let tls = Server::start(&USUAL, answers);
    assert_eq!(why(&tls.endpoint.replace("https", "http"), &Trust::System), NoConnection::NeedsTls);
    let asks = Server::start(&Setting { asks_for_a_certificate: true, ..USUAL }, answers);
    assert_eq!(why(&asks.endpoint, &asks.bundle()), NoConnection::ClientCertificateMissing);
    let other = Server::start(&Setting { protocols: &[b"h2"], ..USUAL }, answers);
    assert_eq!(why(&other.endpoint, &other.bundle()), NoConnection::OtherProtocols);
    let both = Server::start(&Setting { protocols: &[b"h2", b"http/1.1"], ..USUAL }, answers);
    let http = Http::trusting(&both.endpoint, timeouts(), &both.bundle()).unwrap();
    let reply = reply(&Runtime::new().unwrap(), &http, Framing::Length);
    assert_eq!(reply.map(|answer| answer.status), Ok(200));
}

#[test]
fn a_server_that_asks_for_a_certificate_is_shown_one() {
    let server = Server::start(&Setting { asks_for_a_certificate: true, ..USUAL }, answers);
    let runtime = Runtime::new().unwrap();
    let own = ClientCertificate { certificate: server.bundle.clone(), key: server.key.clone() };
    let shown = Http::showing(&server.endpoint, timeouts(), &server.bundle(), Some(&own)).unwrap();
    // Both ways of writing requests.
    for framing in [Framing::Length, Framing::Chunked] {
        assert_eq!(reply(&runtime, &shown, framing).unwrap().status, 200, "{framing:?}");
    }
    let silent = Http::trusting(&server.endpoint, timeouts(), &server.bundle()).unwrap();
    let missing = Err(TransportError::Unreachable(NoConnection::ClientCertificateMissing));
    assert_eq!(reply(&runtime, &silent, Framing::Length), missing);
}

#[test]
fn a_certificate_is_shown_over_http2_too() {
    let server = Server::start(&Setting { asks_for_a_certificate: true, protocols: &[b"h2"], ..USUAL }, greets);
    let runtime = Runtime::new().unwrap();
    let own = ClientCertificate { certificate: server.bundle.clone(), key: server.key.clone() };
    let sent = |own: Option<&ClientCertificate>| {
        let http = Http::showing(&server.endpoint, timeouts(), &server.bundle(), own).unwrap();
        let http = runtime.block_on(http.over_http2()).unwrap();
        reply(&runtime, &http, Framing::Length).unwrap_err()
    };
    // Who comes so far is answered, in another language.
    assert_eq!(sent(Some(&own)), TransportError::Garbage);
    // The end of the connection may overtake its alert, the more often the busier the machine is: that is TCP's, not ours.
    let missing = TransportError::Unreachable(NoConnection::ClientCertificateMissing);
    let began = Instant::now();
    loop {
        let told = sent(None);
        if told == missing {
            break;
        }
        assert_eq!(told, TransportError::Dropped);
        assert!(began.elapsed() < Duration::from_secs(60), "the alert was never told");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Reads a connection of HTTP/2 up to the head of a request, and answers as HTTP/1.1 does. Sooner, the client might end the
/// connection before it has a request to blame for it.
fn greets(stream: &mut Stream) -> std::io::Result<()> {
    const HEADERS: u8 = 1; // RFC 9113, 6.2.
    stream.read_exact(&mut [0; 24])?;
    loop {
        let mut head = [0; 9]; // RFC 9113, 4.1: length, type, flags, stream.
        stream.read_exact(&mut head)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        stream.read_exact(&mut vec![0; length as usize])?;
        if head[3] == HEADERS {
            break;
        }
    }
    stream.write_all(ANSWER)?;
    read_all(stream)
}

#[test]
fn flags_and_settings_of_a_client_certificate_are_checked() {
    let server = Server::start(&Setting { asks_for_a_certificate: true, ..USUAL }, answers);
    let folder = TempDir::new().unwrap();
    let file = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    fs::copy(&server.bundle, folder.path().join("own.pem")).unwrap();
    fs::copy(&server.key, folder.path().join("own.key")).unwrap();
    file("other.key", &KeyPair::generate().unwrap().serialize_pem());
    file("empty.pem", "nothing\n");
    let replay = |flags: &[&str]| {
        let target = ["replay", CASE, "--service", "ecr", "--endpoint", &server.endpoint, "--ca-bundle", "own.pem"];
        command(&[&target[..], flags].concat(), folder.path()).output().unwrap()
    };
    let rows: &[(&[&str], &str)] = &[
        (&["--client-cert", "own.pem"], "--client-key"),
        (&["--client-cert", "empty.pem", "--client-key", "own.key"], "--client-cert: no certificate in empty.pem: "),
        (&["--client-cert", "own.pem", "--client-key", "missing"], "--client-cert: no private key in missing: "),
        (
            &["--client-cert", "own.pem", "--client-key", "other.key"],
            "--client-cert: own.pem with the key in other.key: ",
        ),
        (
            &["--client-cert", "own.pem", "--client-key", "own.key", "--driver", "boto3"],
            "--client-cert: expected --driver http, found boto3",
        ),
        (
            &["--client-cert", "own.pem", "--client-key", "own.key", "--endpoint", "http://127.0.0.1:1"],
            "expected an https:// --endpoint, found http://127.0.0.1:1",
        ),
    ];
    for (flags, message) in rows {
        let mut arguments = vec!["replay", CASE, "--service", "ecr"];
        if !flags.contains(&"--endpoint") {
            arguments.extend(["--endpoint", &server.endpoint]);
        }
        let output = command(&[&arguments[..], flags].concat(), folder.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{flags:?}: {}", err(&output));
        assert!(err(&output).contains(message), "{flags:?}: {}", err(&output));
    }
    // Without one, there is no connection; with one, an answer that is none of the service.
    let without = replay(&[]);
    assert_eq!(without.status.code(), Some(3), "{}", out(&without));
    assert!(err(&without).contains("asks for a client certificate: name one that it accepts"), "{}", err(&without));
    let flags = ["--client-cert", "own.pem", "--client-key", "own.key"];
    let with = replay(&flags);
    assert_eq!(with.status.code(), Some(1), "{}{}", out(&with), err(&with));
    assert!(out(&with).contains("CA bundle own.pem, client certificate own.pem\n"), "{}", out(&with));
    let again = "--ca-bundle own.pem --client-cert own.pem --client-key own.key --service ecr\n";
    assert!(out(&with).contains(again), "{}", out(&with));
    let script = ["explain", CASE, "--script", "--endpoint", &server.endpoint];
    let script = command(&[&script[..], &flags].concat(), folder.path()).output().unwrap();
    let of_curl = format!(" --cert {0}/own.pem --key {0}/own.key ", folder.path().display());
    assert!(out(&script).contains(&of_curl), "{}", out(&script));
    file("ecrspec.toml", "client-cert = \"own.pem\"\nclient-key = \"own.key\"\n");
    assert!(out(&replay(&[])).contains("client certificate own.pem"));
    file("ecrspec.toml", "client-key = \"own.key\"\n");
    assert!(err(&replay(&[])).contains("has one of client-cert and client-key: expected both"));
}

#[test]
fn a_handshake_that_comes_to_nothing_is_told() {
    // What servers of plain text do with the first bytes of TLS: reject them, go away, or wait for the end of a line.
    let rows: [(fn(std::net::TcpStream), NoConnection); 3] = [
        (
            |mut stream| {
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
            },
            NoConnection::NotTls,
        ),
        (
            |mut stream| {
                let _ = stream.read(&mut [0; 4096]);
            },
            NoConnection::HandshakeUnanswered,
        ),
        (
            |mut stream| {
                while stream.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {}
            },
            NoConnection::HandshakeUnanswered,
        ),
    ];
    for (talk, expected) in rows {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("https://{}", listener.local_addr().unwrap());
        thread::spawn(move || listener.incoming().flatten().for_each(talk));
        assert_eq!(why(&endpoint, &Trust::Anyone), expected);
    }
}

#[test]
fn the_command_line_says_in_one_sentence_why_there_is_no_connection() {
    let server = Server::start(&USUAL, answers);
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let rows = [
        (server.endpoint.clone(), "certificate: unknown issuer: name a file with its issuer (--ca-bundle;"),
        (server.endpoint.replace("https", "http"), "the server speaks TLS: use https:// instead of http://"),
        (format!("https://{free}"), "connection refused: is the server running, and are host and port right?"),
        (String::from("https://nowhere.invalid"), "name not resolved: is the host right?"),
    ];
    for (endpoint, sentence) in rows {
        let output = ecrspec(&["replay", CASE, "--endpoint", &endpoint]);
        assert_eq!(output.status.code(), Some(3), "{endpoint}: {}", out(&output));
        let expected = format!("no connection to {endpoint}: {sentence}");
        assert!(err(&output).contains(&expected), "{endpoint}: {}", err(&output));
    }
}

#[test]
fn connections_are_kept_over_tls_and_may_end_at_any_time() {
    let runtime = Runtime::new().unwrap();
    let keeps = Server::start(&USUAL, answers);
    let http = Http::trusting(&keeps.endpoint, timeouts(), &keeps.bundle()).unwrap();
    for _ in 0..5 {
        assert_eq!(reply(&runtime, &http, Framing::Length).map(|answer| answer.status), Ok(200));
    }
    assert_eq!(keeps.connections.load(Ordering::SeqCst), 1);

    // Without a word of farewell.
    let ends = Server::start(&USUAL, |stream| {
        head(stream)?;
        stream.write_all(ANSWER)
    });
    let http = Http::trusting(&ends.endpoint, timeouts(), &ends.bundle()).unwrap();
    for _ in 0..5 {
        assert_eq!(reply(&runtime, &http, Framing::Length).map(|answer| answer.status), Ok(200));
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(ends.connections.load(Ordering::SeqCst), 5);

    // RFC 9112, 9.8: an answer that ends with its connection is whole only if the end is announced.
    let cuts = Server::start(&USUAL, |stream| {
        head(stream)?;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{\"uploadId\":")
    });
    let http = Http::trusting(&cuts.endpoint, timeouts(), &cuts.bundle()).unwrap();
    for framing in [Framing::Length, Framing::Chunked, Framing::SecondRequest] {
        assert_eq!(reply(&runtime, &http, framing).map(|answer| answer.flaw), Ok(Some(Flaw::Cut)), "{framing:?}");
    }
}

#[test]
fn requests_at_once_do_not_wait_for_a_server_that_takes_one_connection_at_a_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("https://{}", listener.local_addr().unwrap());
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([String::from("127.0.0.1")]).unwrap().self_signed(&key).unwrap();
    let configuration = Arc::new(configuration(&USUAL, certificate.der(), &key));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let session = ServerConnection::new(configuration.clone()).unwrap();
            let _ = answers(&mut StreamOwned::new(session, stream));
        }
    });
    let http = Http::trusting(&endpoint, Timeouts::default(), &Trust::Anyone).unwrap();
    let began = Instant::now();
    let sent = http.send_at_once(vec![request(Framing::Length); 3], began);
    let exchanges = Runtime::new().unwrap().block_on(sent).unwrap();
    assert!(exchanges.iter().all(|exchange| exchange.reply.is_ok()), "{exchanges:?}");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[test]
fn every_framing_is_judged_over_tls() {
    let folder = TempDir::new().unwrap();
    let mock = Mock::start_tls(&[], &folder.path().join("ca.pem"));
    let output = mock.run(&["--filter", "wire/", "--cases", "0", "--service", "ecr"]);
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    let chosen = suite(Service::Ecr).unwrap().iter().filter(|case| case.id.contains("wire/")).count();
    let judged = format!(" (ecr): {chosen} cases judged, {chosen} ok (");
    assert!(chosen > 100 && last_line(&output).contains(&judged), "{judged}: {}", last_line(&output));
    assert!(!out(&output).contains("skipped"), "{}", out(&output));
}

#[test]
fn insecure_is_said_wherever_it_counts() {
    let folder = TempDir::new().unwrap();
    let mock = Mock::start_tls(&["--fault", "digests-not-compared"], &folder.path().join("ca.pem"));
    let id = "CompleteLayerUpload/layerDigests/match/wrong";
    let run = ["run", "--endpoint", &mock.endpoint, "--service", "ecr", "--filter", &format!("={id}")];
    let output = command(&[&run[..], &["--insecure", "-v"]].concat(), folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}{}", out(&output), err(&output));
    let report = out(&output);
    assert!(report.contains("options    insecure: certificates are not checked, "), "{report}");
    assert!(last_line(&output).contains(" (ecr), insecure: 1 case judged"), "{report}");
    let endpoint = &mock.endpoint;
    for command in [
        format!("ecrspec replay {id} --endpoint {endpoint} --insecure --service ecr"),
        format!("ecrspec explain {id} --script --service ecr --endpoint {endpoint} --insecure | sh"),
        String::from("curl -sS -i "),
    ] {
        assert!(report.contains(&command), "{command}: {report}");
    }
    let output = command(&[&run[..], &["--ca-bundle", "ca.pem"]].concat(), folder.path()).output().unwrap();
    assert!(out(&output).contains(&format!("replay {id} --endpoint {endpoint} --ca-bundle ca.pem --service ecr")));
    assert!(out(&output).contains("options    CA bundle ca.pem, ") && !out(&output).contains("insecure"));
}

#[test]
fn scripts_trust_as_the_run_did() {
    if !has_tool("curl") {
        return;
    }
    let folder = TempDir::new().unwrap();
    let mock = Mock::start_tls(&["--service", "ecr"], &folder.path().join("ca.pem"));
    let explain = ["explain", CASE, "--script", "--endpoint", &mock.endpoint];
    for (flags, code) in [(&["--ca-bundle", "ca.pem"][..], 0), (&["--insecure"], 0), (&[], 60)] {
        let output = command(&[&explain[..], flags].concat(), folder.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        let ran = std::process::Command::new("sh").args(["-c", &out(&output)]).output().unwrap();
        assert_eq!(ran.status.code(), Some(code), "{flags:?}: {}{}", out(&ran), err(&ran));
    }
}

#[test]
fn flags_and_settings_of_trust_are_checked() {
    let folder = TempDir::new().unwrap();
    let file = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    file("empty.pem", "nothing\n");
    let https = ["replay", CASE, "--endpoint", "https://127.0.0.1:1"];
    let rows: &[(&[&str], &str)] = &[
        (&["--ca-bundle", "missing.pem"], "--ca-bundle: could not read missing.pem"),
        (&["--ca-bundle", "empty.pem"], "--ca-bundle: no certificate in empty.pem: expected PEM"),
        (&["--ca-bundle", "empty.pem", "--insecure"], "cannot be used with"),
    ];
    for (flags, message) in rows {
        let output = command(&[&https[..], flags].concat(), folder.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
        assert!(err(&output).contains(message), "{flags:?}: {}", err(&output));
    }
    for flags in [&["--insecure"][..], &["--ca-bundle", "empty.pem"]] {
        for endpoint in [&["--endpoint", "http://127.0.0.1:1"][..], &[]] {
            let output = command(&[&["replay", CASE], endpoint, flags].concat(), folder.path()).output().unwrap();
            assert_eq!(output.status.code(), Some(2), "{flags:?}");
            let expected = format!("{}: expected an https:// --endpoint, found ", flags[0]);
            assert!(err(&output).contains(&expected), "{}", err(&output));
        }
    }
    file("ecrspec.toml", "endpoint = \"https://127.0.0.1:1\"\nca-bundle = \"empty.pem\"\n");
    let output = command(&["replay", CASE], folder.path()).output().unwrap();
    assert!(err(&output).contains("no certificate in empty.pem"), "{}", err(&output));
    // A flag wins, and for another kind of endpoint there is nobody to trust.
    for flags in [&["--insecure"][..], &["--endpoint", "http://127.0.0.1:1"]] {
        let output = command(&[&["replay", CASE], flags].concat(), folder.path()).output().unwrap();
        assert!(err(&output).contains("connection refused"), "{flags:?}: {}", err(&output));
    }
    file("ecrspec.toml", "ca-bundle = \"empty.pem\"\ninsecure = true\n");
    let output = command(&["replay", CASE], folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("has both ca-bundle and insecure"), "{}", err(&output));
}

#[test]
fn cases_pass_over_http2_too() {
    let folder = TempDir::new().unwrap();
    let mock = Mock::start_tls(&[], &folder.path().join("ca.pem"));
    let run = ["--http2", "--cases", "0", "--service", "ecr"];
    let filters = ["--filter", "wire/", "--filter", "races", "--filter", "GetDownloadUrlForLayer/accepted"];
    let output = mock.run(&[&run[..], &filters].concat());
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    assert!(out(&output).contains(", HTTP/2, ") && !out(&output).contains("skipped"), "{}", out(&output));
    let verifying = ["--require-auth", "AKIDTLS:a secret"];
    let signed = Mock::start_tls(&verifying, &folder.path().join("signed.pem"));
    let bundle = folder.path().join("signed.pem");
    let trust = ["run", "--endpoint", &signed.endpoint, "--ca-bundle", bundle.to_str().unwrap(), "--auth", "sigv4"];
    let mut command =
        command(&[&trust[..], &run, &["--filter", "InitiateLayerUpload/accepted"]].concat(), folder.path());
    command.env("AWS_ACCESS_KEY_ID", "AKIDTLS").env("AWS_SECRET_ACCESS_KEY", "a secret");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    let faulty = Mock::start_tls(&["--fault", "digests-not-compared"], &folder.path().join("faulty.pem"));
    let output = faulty.run(&[&run[..], &["--filter", "=CompleteLayerUpload/layerDigests/match/wrong"]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", out(&output));
    let replay = out(&output).lines().find_map(|line| line.split_once("replay ")).unwrap().1.to_owned();
    assert!(replay.contains(" --http2"), "{replay}");
}

#[test]
fn http2_is_spoken_or_it_is_said_why_not() {
    let server = |protocols| Server::start(&Setting { protocols, ..USUAL }, answers);
    let (silent, older) = (server(&[]), server(&[b"http/1.1"]));
    let rows = [
        (silent.endpoint.as_str(), 2, "--http2: the server does not offer HTTP/2 (of h2 and http/1.1, it chose none)"),
        (
            older.endpoint.as_str(),
            2,
            "--http2: the server does not offer HTTP/2 (of h2 and http/1.1, it chose http/1.1)",
        ),
        ("http://127.0.0.1:1", 2, "--http2: expected an https:// URL for HTTP/2, found \"http://127.0.0.1:1/\""),
        ("https://127.0.0.1:1", 3, "connection refused"),
    ];
    for (endpoint, code, sentence) in rows {
        let insecure: &[&str] = if endpoint.starts_with("https") { &["--insecure"] } else { &[] };
        let output = ecrspec(&[&["replay", CASE, "--endpoint", endpoint, "--http2"], insecure].concat());
        assert_eq!(output.status.code(), Some(code), "{endpoint}: {}", err(&output));
        assert!(err(&output).contains(sentence), "{endpoint}: {}", err(&output));
    }
}

#[test]
fn a_server_of_http2_that_says_something_else_is_told() {
    let runtime = Runtime::new().unwrap();
    // An answer of HTTP/1.1 to a request of HTTP/2; the end of the connection; nothing.
    let rows: [(Talk, TransportError); 3] = [
        (greets, TransportError::Garbage),
        (|stream| stream.read(&mut [0; 4096]).map(|_| ()), TransportError::Dropped),
        (read_all, TransportError::Silent),
    ];
    for (talk, expected) in rows {
        let server = Server::start(&Setting { protocols: &[b"h2"], ..USUAL }, talk);
        let http = Http::trusting(&server.endpoint, timeouts(), &server.bundle()).unwrap();
        let http = runtime.block_on(http.over_http2()).unwrap();
        assert_eq!(reply(&runtime, &http, Framing::Length), Err(expected));
    }
}

/// Reads until the other side has ended.
fn read_all(stream: &mut Stream) -> std::io::Result<()> {
    while stream.read(&mut [0; 4096])? > 0 {}
    Ok(())
}
