//! A private authority, and a server certificate from it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::TlsAcceptor;

use crate::Result;

/// Where Linux keeps the authorities that it trusts.
const SYSTEM_TRUST: &str = "/etc/ssl/certs/ca-certificates.crt";

/// What the server shows and what its clients are to trust.
pub struct Identity {
    pub acceptor: TlsAcceptor,
    /// The private authority after those of the system, since a real client loads them all.
    pub trust: PathBuf,
}

impl Identity {
    /// Makes one for 127.0.0.1; its files go to `directory`.
    pub fn create(directory: &Path) -> Result<Self> {
        let mut authority = CertificateParams::default();
        authority.distinguished_name.push(DnType::CommonName, "The authority of a benchmark");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate()?;
        let root = authority.self_signed(&key)?;
        let issuer = Issuer::new(authority, key);

        let leaf_key = KeyPair::generate()?;
        let leaf =
            CertificateParams::new(["127.0.0.1".to_owned()])?.signed_by(&leaf_key, &issuer)?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(
                vec![leaf.der().clone()],
                PrivatePkcs8KeyDer::from(leaf_key.serialize_der()).into(),
            )?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];

        let trust = directory.join("trust.pem");
        let system = std::fs::read_to_string(SYSTEM_TRUST).unwrap_or_default();
        std::fs::write(&trust, system + &root.pem())?;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), trust })
    }
}
