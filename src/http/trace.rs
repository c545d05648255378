//! What is seen while connections are made, for whoever explains what went wrong with them. Nobody looks while
//! messages are forwarded: then there is no trace, and nothing is noted.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};

/// Addresses of a name, and certificates of a chain, that are noted.
const MAX_NOTED: usize = 16;

/// Where it is noted. All clones are one.
#[derive(Debug, Clone, Default)]
pub struct Trace(Arc<Mutex<Seen>>);

/// How far the last connection came.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// The name that was looked up last; none where the host is an address.
    pub name: Option<String>,
    /// The addresses that it has, of the wanted kind.
    pub addresses: Vec<IpAddr>,
    /// To whom there is a TCP connection: the server, or the proxy before it.
    pub peer: Option<SocketAddr>,
    /// Whether the proxy let us through, where there is one.
    pub is_through: bool,
    /// The certificates that were shown, in DER, the server's own first.
    pub chain: Vec<Vec<u8>>,
    /// The TLS session that stands.
    pub session: Option<TlsSession>,
}

/// What both sides agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TlsSession {
    /// `TLS 1.3`.
    pub version: &'static str,
    /// Whether it carries HTTP/2.
    pub h2: bool,
}

impl Trace {
    /// What was seen since the last time that this was asked.
    pub fn take(&self) -> Seen {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn note(&self, what: impl FnOnce(&mut Seen)) {
        what(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn looked_up(&self, name: &str, addresses: &[SocketAddr]) {
        let found = addresses.iter().take(MAX_NOTED).map(SocketAddr::ip).collect();
        self.note(|seen| (seen.name, seen.addresses) = (Some(name.to_owned()), found));
    }
}

/// Notes the chain that it is shown; who verifies it is the same as ever.
#[derive(Debug)]
pub(super) struct Noting {
    pub(super) by: Arc<dyn ServerCertVerifier>,
    pub(super) trace: Trace,
}

impl ServerCertVerifier for Noting {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = std::iter::once(end_entity).chain(intermediates).take(MAX_NOTED);
        let chain = shown.map(|certificate| certificate.to_vec()).collect();
        self.trace.note(|seen| seen.chain = chain);
        self.by.verify_server_cert(end_entity, intermediates, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.by.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.by.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.by.supported_verify_schemes()
    }
}
