//! HTTPS before a fixture that speaks plain HTTP.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::support::certificates::{
    Certificate, ClientCertificate, PrivateAuthority, Protocols, Tls,
};

/// An origin with TLS; what comes to it goes on to whoever it leads to. It lives as long as the process.
pub struct Front {
    listener: std::net::TcpListener,
    acceptor: TlsAcceptor,
}

impl Front {
    /// Has its address, and serves nobody yet.
    pub fn reserve(authority: &PrivateAuthority) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a non-blocking listener");
        let tls = Tls {
            shown: Certificate::Good,
            offered: Protocols::Http1,
            client: ClientCertificate::NotAsked,
        };
        let address = listener.local_addr().expect("a bound address");
        let acceptor = TlsAcceptor::from(authority.server_config(tls, address.ip()));
        Self { listener, acceptor }
    }

    /// `https://127.0.0.1:PORT`.
    pub fn origin(&self) -> String {
        format!("https://{}", self.listener.local_addr().expect("a bound address"))
    }

    /// Serves from now on.
    pub fn lead_to(self, behind: SocketAddr) {
        let acceptor = Arc::new(self.acceptor);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async move {
                let listener = TcpListener::from_std(self.listener).expect("a listener");
                while let Ok((socket, _)) = listener.accept().await {
                    let acceptor = Arc::clone(&acceptor);
                    tokio::spawn(async move {
                        let mut outside = acceptor.accept(socket).await.ok()?;
                        let mut inside = TcpStream::connect(behind).await.ok()?;
                        copy_bidirectional(&mut outside, &mut inside).await.ok()
                    });
                }
            });
        });
    }
}
