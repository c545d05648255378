//! Certificates that the user names: authorities to trust beside the system's, and one of his own.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use crate::paths;

/// A PEM file, and the flag or variable that names it.
#[derive(Debug, Clone)]
pub struct PemFile {
    /// Where it lies.
    pub path: PathBuf,
    /// `--ca-cert`, `NODE_EXTRA_CA_CERTS`, …
    pub named_by: &'static str,
}

/// The client's own certificate.
#[derive(Debug, Clone)]
pub struct ClientFiles {
    /// The certificate and those that lead to its issuer.
    pub certificate: PemFile,
    /// Its key; may be the same file.
    pub key: PemFile,
}

/// Files that are read once, when they are first needed.
#[derive(Debug, Default)]
pub struct Certificates {
    authorities: Vec<PemFile>,
    client: Option<ClientFiles>,
    loaded: OnceLock<Result<Loaded, CertificateError>>,
}

/// What the files hold.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) authorities: Vec<CertificateDer<'static>>,
    pub(super) client: Option<Arc<SingleCertAndKey>>,
}

/// A file that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Missing, a folder, forbidden.
    #[error("{path}, named by `{named_by}`, can't be read: {why}", path = .0.path.display(), named_by = .0.named_by, why = .1)]
    Unreadable(PemFile, String),
    /// No certificate in it that can be used.
    #[error("{path}, named by `{named_by}`, holds no certificate", path = .0.path.display(), named_by = .0.named_by)]
    NoCertificate(PemFile),
    /// No key in it.
    #[error("{path}, named by `{named_by}`, holds no private key", path = .0.path.display(), named_by = .0.named_by)]
    NoKey(PemFile),
    /// A key behind a password.
    #[error("the private key in {path}, named by `{named_by}`, is encrypted, and bridge can't ask for its password", path = .0.path.display(), named_by = .0.named_by)]
    EncryptedKey(PemFile),
    /// A key that is not the certificate's, or of a kind that is not known.
    #[error("the private key in {path}, named by `{named_by}`, can't be used: {why}", path = .0.path.display(), named_by = .0.named_by, why = .1)]
    UnusableKey(PemFile, String),
}

impl PartialEq for PemFile {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path && self.named_by == other.named_by
    }
}

impl Eq for PemFile {}

impl CertificateError {
    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::Unreadable(file, _) => format!("check the path that `{}` gives", file.named_by),
            Self::NoCertificate(file) => format!(
                "it has to hold `-----BEGIN CERTIFICATE-----`; `openssl x509 -inform der -in {0} -out {0}.pem` \
                 converts a binary file",
                file.path.display()
            ),
            Self::NoKey(_) => {
                "name the file that holds `-----BEGIN PRIVATE KEY-----` with `--client-key`".into()
            }
            Self::EncryptedKey(file) => format!(
                "write it without a password to a file that only you can read: \
                 `openssl pkey -in {0} -out {0}.plain`",
                file.path.display()
            ),
            Self::UnusableKey(..) => {
                "check that `--client-cert` begins with the certificate that belongs to the key"
                    .into()
            }
        }
    }
}

impl Certificates {
    /// Files that were not read yet.
    pub fn new(authorities: Vec<PemFile>, client: Option<ClientFiles>) -> Self {
        Self { authorities, client, loaded: OnceLock::new() }
    }

    /// Reads the files, if that was not done yet.
    ///
    /// # Errors
    /// The first file that can't be used.
    pub fn check(&self) -> Result<(), &CertificateError> {
        self.load().map(drop)
    }

    pub(super) fn load(&self) -> Result<&Loaded, &CertificateError> {
        self.loaded.get_or_init(|| self.read()).as_ref()
    }

    fn read(&self) -> Result<Loaded, CertificateError> {
        let mut authorities = Vec::new();
        for file in &self.authorities {
            authorities.extend(usable(file)?);
        }
        let client = self.client.as_ref().map(certified).transpose()?;
        Ok(Loaded { authorities, client })
    }
}

/// Longest file of certificates, in bytes: all authorities of a system are half a megabyte.
const LONGEST: u64 = 16 * 1024 * 1024;

impl PemFile {
    fn read(&self) -> Result<Vec<u8>, CertificateError> {
        paths::read_at_most(&self.path, LONGEST)
            .map_err(|error| CertificateError::Unreadable(self.clone(), error.to_string()))
    }

    /// Checks that there is a certificate in it.
    ///
    /// # Errors
    /// There is none.
    pub fn check(&self) -> Result<(), CertificateError> {
        let pem = self.read()?;
        // The first one is enough: a whole bundle of authorities takes milliseconds.
        let found = CertificateDer::pem_slice_iter(&pem).any(|certificate| certificate.is_ok());
        if found { Ok(()) } else { Err(CertificateError::NoCertificate(self.clone())) }
    }
}

fn certificates(
    file: &PemFile,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem).filter_map(Result::ok).collect();
    if found.is_empty() { Err(CertificateError::NoCertificate(file.clone())) } else { Ok(found) }
}

/// The certificates of a file that can serve as authorities. A bundle may hold odd ones, of which one
/// must not spoil the others.
fn usable(file: &PemFile) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let mut found = certificates(file, &file.read()?)?;
    found.retain(|certificate| {
        let added = RootCertStore::empty().add(certificate.clone());
        if let Err(error) = &added {
            tracing::warn!(
                "a certificate in {}, named by `{}`, can't be used: {error}",
                file.path.display(),
                file.named_by
            );
        }
        added.is_ok()
    });
    if found.is_empty() { Err(CertificateError::NoCertificate(file.clone())) } else { Ok(found) }
}

fn certified(files: &ClientFiles) -> Result<Arc<SingleCertAndKey>, CertificateError> {
    let chain = certificates(&files.certificate, &files.certificate.read()?)?;
    let key = key(&files.key)?;
    let certified = CertifiedKey::from_der(chain, key, &ring::default_provider())
        .map_err(|error| CertificateError::UnusableKey(files.key.clone(), error.to_string()))?;
    Ok(Arc::new(SingleCertAndKey::from(certified)))
}

fn key(file: &PemFile) -> Result<PrivateKeyDer<'static>, CertificateError> {
    let pem = file.read()?;
    let text = String::from_utf8_lossy(&pem);
    // PKCS#8 (RFC 5958) and the older kind (RFC 1421 §4.6.1.1).
    if text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(CertificateError::EncryptedKey(file.clone()));
    }
    PrivateKeyDer::from_pem_slice(&pem).map_err(|_| CertificateError::NoKey(file.clone()))
}
