//! A private certificate authority, and what can be wrong with a certificate.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tempfile::TempDir;

/// What a server shows of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// For `127.0.0.1` and `localhost`, by the private authority.
    Good,
    /// By the private authority, but for `elsewhere.example`.
    WrongName,
    /// By the private authority, but it ended in 2001.
    Expired,
    /// Signed by nobody but itself.
    SelfSigned,
}

/// Which protocols the server offers in the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocols {
    Http2AndHttp1,
    Http1,
}

pub struct PrivateAuthority {
    issuer: Issuer<'static, KeyPair>,
    folder: TempDir,
}

impl PrivateAuthority {
    pub fn found() -> Self {
        let mut params = CertificateParams::new([]).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "a private authority");
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("a certificate of the authority").pem();
        let folder = TempDir::new().expect("a folder for the authority's certificate");
        std::fs::write(folder.path().join("ca.pem"), &pem).expect("writing the certificate");
        Self { issuer: Issuer::new(params, key), folder }
    }

    /// The file for `SSL_CERT_FILE`; it lives as long as the authority.
    pub fn pem_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    pub fn server_config(&self, shown: Certificate, offered: Protocols) -> Arc<ServerConfig> {
        let (chain, key) = self.issue(shown);
        let mut config = ServerConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .expect("ring knows the default versions")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("key and certificate match");
        config.alpn_protocols = match offered {
            Protocols::Http2AndHttp1 => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            Protocols::Http1 => vec![b"http/1.1".to_vec()],
        };
        Arc::new(config)
    }

    fn issue(&self, shown: Certificate) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let names = match shown {
            Certificate::WrongName => vec!["elsewhere.example".to_owned()],
            _ => vec!["127.0.0.1".to_owned(), "localhost".to_owned()],
        };
        let mut params = CertificateParams::new(names).expect("plain names");
        if shown == Certificate::Expired {
            params.not_before = date_time_ymd(2000, 1, 1);
            params.not_after = date_time_ymd(2001, 1, 1);
        }
        let key = KeyPair::generate().expect("a key");
        let certificate = match shown {
            Certificate::SelfSigned => params.self_signed(&key),
            _ => params.signed_by(&key, &self.issuer),
        };
        let chain = vec![certificate.expect("a certificate").der().clone()];
        (chain, PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der())))
    }
}
