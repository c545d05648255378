//! A private certificate authority, and what can be wrong with a certificate.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig};
use tempfile::TempDir;

/// What a server shows of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// For `127.0.0.1`, `localhost`, `mcp.test` and the server's own address, by the private authority.
    Good,
    /// By the private authority, but for `elsewhere.example`.
    WrongName,
    /// By the private authority, but it ended in 2001.
    Expired,
    /// By the private authority, but it begins in 2099.
    NotYetValid,
    /// Signed by nobody but itself.
    SelfSigned,
    /// Signed by nobody but itself, and marked as an authority, as `openssl req -x509` does.
    SelfSignedAuthority,
}

/// Whether a server wants to see a certificate of the client, and in which TLS it says so: from 1.3 on
/// the handshake is over for the client before the server has looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientCertificate {
    NotAsked,
    AskedInTls12,
    AskedInTls13,
}

/// How a server does TLS.
#[derive(Clone, Copy, Debug)]
pub struct Tls {
    pub shown: Certificate,
    pub offered: Protocols,
    pub client: ClientCertificate,
}

/// Which protocols the server offers in the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocols {
    Http2AndHttp1,
    Http1,
}

pub struct PrivateAuthority {
    issuer: Issuer<'static, KeyPair>,
    root: CertificateDer<'static>,
    folder: TempDir,
}

impl PrivateAuthority {
    pub fn found() -> Self {
        let mut params = CertificateParams::new([]).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "a private authority");
        let key = KeyPair::generate().expect("a key");
        let root = params.self_signed(&key).expect("a certificate of the authority");
        let folder = TempDir::new().expect("a folder for the authority's certificate");
        std::fs::write(folder.path().join("ca.pem"), root.pem()).expect("writing the certificate");
        let root = root.der().clone();
        Self { issuer: Issuer::new(params, key), root, folder }
    }

    /// The file for `SSL_CERT_FILE`; it lives as long as the authority.
    pub fn pem_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Certificate, key, and both in one, of a client that the authority knows.
    pub fn client_files(&self) -> ClientFiles {
        self.client_files_named("client")
    }

    /// Those of another client.
    pub fn client_files_again(&self) -> ClientFiles {
        self.client_files_named("other")
    }

    fn client_files_named(&self, who: &str) -> ClientFiles {
        let params = CertificateParams::new(["a client".to_owned()]).expect("a plain name");
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate").pem();
        let write = |name: &str, content: &str| {
            let path = self.folder.path().join(format!("{who}.{name}"));
            std::fs::write(&path, content).expect("writing a file of the client");
            path
        };
        ClientFiles {
            certificate: write("pem", &certificate),
            key: write("key", &key.serialize_pem()),
            both: write("both.pem", &format!("{certificate}{}", key.serialize_pem())),
        }
    }

    pub fn server_config(&self, tls: Tls, address: IpAddr) -> Arc<ServerConfig> {
        let (chain, key) = self.issue(tls.shown, address);
        let versions: &[_] = match tls.client {
            ClientCertificate::AskedInTls12 => &[&TLS12],
            ClientCertificate::AskedInTls13 => &[&TLS13],
            ClientCertificate::NotAsked => &[&TLS12, &TLS13],
        };
        let builder = ServerConfig::builder_with_provider(ring::default_provider().into())
            .with_protocol_versions(versions)
            .expect("ring knows these versions");
        let builder = match tls.client {
            ClientCertificate::NotAsked => builder.with_no_client_auth(),
            _ => builder.with_client_cert_verifier(self.client_verifier()),
        };
        let mut config = builder.with_single_cert(chain, key).expect("key and certificate match");
        config.alpn_protocols = match tls.offered {
            Protocols::Http2AndHttp1 => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            Protocols::Http1 => vec![b"http/1.1".to_vec()],
        };
        Arc::new(config)
    }

    fn client_verifier(&self) -> Arc<dyn rustls::server::danger::ClientCertVerifier> {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone()).expect("an authority's certificate");
        let provider = ring::default_provider().into();
        WebPkiClientVerifier::builder_with_provider(roots.into(), provider)
            .build()
            .expect("a verifier")
    }

    fn issue(
        &self,
        shown: Certificate,
        address: IpAddr,
    ) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let mut params = CertificateParams::new(names(shown, address)).expect("plain names");
        if shown == Certificate::Expired {
            params.not_before = date_time_ymd(2000, 1, 1);
            params.not_after = date_time_ymd(2001, 1, 1);
        }
        if shown == Certificate::NotYetValid {
            params.not_before = date_time_ymd(2099, 1, 1);
            params.not_after = date_time_ymd(2100, 1, 1);
        }
        if shown == Certificate::SelfSignedAuthority {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        let key = KeyPair::generate().expect("a key");
        let own = matches!(shown, Certificate::SelfSigned | Certificate::SelfSignedAuthority);
        let certificate =
            if own { params.self_signed(&key) } else { params.signed_by(&key, &self.issuer) };
        let certificate = certificate.expect("a certificate");
        std::fs::write(self.folder.path().join("server.pem"), certificate.pem())
            .expect("writing the server's certificate");
        let chain = vec![certificate.der().clone()];
        (chain, PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der())))
    }

    /// What the server shows.
    pub fn server_file(&self) -> PathBuf {
        self.folder.path().join("server.pem")
    }
}

pub struct ClientFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
    pub both: PathBuf,
}

fn names(shown: Certificate, address: IpAddr) -> Vec<String> {
    match shown {
        Certificate::WrongName => vec!["elsewhere.example".to_owned()],
        _ => ["127.0.0.1", "localhost", "mcp.test", &address.to_string()].map(str::to_owned).into(),
    }
}
