//! The mock that is tested where no endpoint is named: in this process, on a loopback port.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use axum::serve::Listener;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::Notify;

use crate::contract::Service;
use crate::drive::{Signing, has_no_descriptor};
use crate::mock::{Keys, Mock, serve};
use crate::wire::NoConnection;

/// The embedded mock, for as long as its runtime lives.
pub(super) struct Embedded {
    pub endpoint: String,
    exhausted: Arc<Notify>,
}

/// How long is waited after a connection could not be taken.
const PAUSE: Duration = Duration::from_millis(100);

impl Embedded {
    /// Serves on a free port. Where requests are signed, that is verified.
    pub fn start(runtime: &Runtime, signing: &Signing) -> anyhow::Result<Embedded> {
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).context("could not listen on 127.0.0.1")?;
        let address = listener.local_addr()?;
        let mut mock = Mock::new(&Service::ALL);
        if let Signing::Sigv4(signer) = signing {
            let own = runtime.block_on(signer.credentials())?;
            let [key, secret] = [own.access_key_id(), own.secret_access_key()].map(String::from);
            mock = mock.requiring(Keys { key, secret, token: own.session_token().map(String::from) }, signer.region());
        }
        let exhausted = Arc::new(Notify::new());
        runtime.spawn(serve(Frank { listener, exhausted: exhausted.clone() }, Arc::new(mock)));
        Ok(Embedded { endpoint: format!("http://{address}"), exhausted })
    }

    /// Ends when this process has no descriptor left for a connection, and says so. Who waits for an answer cannot tell:
    /// the connection is there, and nobody takes it.
    pub async fn exhausted(&self) -> anyhow::Error {
        self.exhausted.notified().await;
        let why = NoConnection::NoDescriptors;
        anyhow!("the embedded mock cannot take a connection: {why}, no descriptor is left: {}", why.hint())
    }
}

/// A listener that says why it takes no connection.
struct Frank {
    listener: TcpListener,
    exhausted: Arc<Notify>,
}

impl Listener for Frank {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok(accepted) => return accepted,
                Err(error) => {
                    if has_no_descriptor(&error) {
                        self.exhausted.notify_one();
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}
