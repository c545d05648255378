//! TLS: whom to trust, what to show, and why it failed.

use std::cell::Cell;
use std::error::Error;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, OnceLock};

use rustls::client::ResolvesClientCert;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, Error as TlsError, SignatureScheme,
};
use rustls_platform_verifier::Verifier;
use tokio_rustls::TlsConnector;

use super::certificates::Certificates;
use super::fault::{Fault, FaultKind, Sent, TlsReason};
use super::stream::{Session, Stream};
use super::trace::{Noting, Trace};

/// Makes TLS sessions. Loading the trust store takes milliseconds, so that it waits for the first.
pub(super) struct Tls {
    certificates: Arc<Certificates>,
    to_server: OnceLock<Result<Arc<ClientConfig>, String>>,
    to_proxy: OnceLock<Result<Arc<ClientConfig>, String>>,
    trace: Option<Trace>,
}

/// Who is at the other end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Peer {
    /// A server: HTTP/2 if it likes, and our certificate if it asks.
    Server,
    /// A proxy: HTTP/1.1, and no certificate of ours.
    Proxy,
}

impl Tls {
    pub(super) fn new(certificates: Arc<Certificates>, trace: Option<Trace>) -> Self {
        let (to_server, to_proxy) = (OnceLock::new(), OnceLock::new());
        Self { certificates, to_server, to_proxy, trace }
    }

    /// A session over `below`, and whether it speaks HTTP/2. `host` is as in a URL.
    pub(super) async fn connect(
        &self,
        peer: Peer,
        host: &str,
        below: Stream,
    ) -> Result<(Session, bool), Fault> {
        let config = match peer {
            Peer::Server => self.to_server.get_or_init(|| self.config(peer)),
            Peer::Proxy => self.to_proxy.get_or_init(|| self.config(peer)),
        };
        let setup = FaultKind::Tls(TlsReason::Setup);
        let config = config.as_ref().map_err(|cause| Fault::words(setup, Sent::No, cause))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host)
            .map_err(|error| Fault::new(FaultKind::Tls(TlsReason::WrongName), Sent::No, &error))?;
        let own = peer == Peer::Server && self.has_own_certificate();
        let mut connecting = pin!(TlsConnector::from(Arc::clone(config)).connect(name, below));
        let mut client = Client { own_certificate: own, missed: false };
        let connected = poll_fn(|context| {
            MISSED.set(false);
            let polled = connecting.as_mut().poll(context);
            client.missed |= MISSED.get();
            polled
        });
        let session = connected.await.map_err(|error| Fault::tls(&error, &client))?;
        let h2 = session.get_ref().1.alpn_protocol() == Some(b"h2");
        Ok((Session::new(session, client), h2))
    }

    /// Whether there is a certificate to show.
    fn has_own_certificate(&self) -> bool {
        self.certificates.load().is_ok_and(|loaded| loaded.client.is_some())
    }

    fn config(&self, peer: Peer) -> Result<Arc<ClientConfig>, String> {
        let loaded = self.certificates.load().map_err(ToString::to_string)?;
        let provider = Arc::new(ring::default_provider());
        let unusable = |error| format!("the system's certificates can't be used: {error}");
        let verifier =
            Verifier::new_with_extra_roots(loaded.authorities.iter().cloned(), provider.clone())
                .map_err(unusable)?;
        let verifier: Arc<dyn ServerCertVerifier> = match self.trace.clone() {
            None => Arc::new(verifier),
            Some(trace) => Arc::new(Noting { by: Arc::new(verifier), trace }),
        };
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match &loaded.client {
            Some(client) if peer == Peer::Server => {
                builder.with_client_cert_resolver(client.clone())
            }
            _ => builder.with_client_cert_resolver(Arc::new(NoCertificate)),
        };
        config.alpn_protocols = match peer {
            Peer::Server => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            Peer::Proxy => vec![b"http/1.1".to_vec()],
        };
        Ok(Arc::new(config))
    }
}

/// What is known of the client's certificate in one session.
pub(super) struct Client {
    own_certificate: bool,
    /// Whether the server asked for a certificate that there is none of. Its alert may get lost, where a tunnel
    /// falls with the connection behind it.
    missed: bool,
}

thread_local! {
    /// Whether a certificate was asked for in the handshake that is being polled: sessions are resumed only where all
    /// have the same resolver, which so can't belong to one of them.
    static MISSED: Cell<bool> = const { Cell::new(false) };
}

#[derive(Debug)]
struct NoCertificate;

impl ResolvesClientCert for NoCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        MISSED.set(true);
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

impl Client {
    /// What an error in the handshake means.
    pub(super) fn reason(&self, error: &(dyn Error + 'static)) -> TlsReason {
        match tls_error(error) {
            Some(TlsError::InvalidCertificate(certificate)) => of_certificate(certificate),
            Some(TlsError::AlertReceived(alert)) => {
                of_alert(*alert, self.own_certificate).unwrap_or(TlsReason::Other)
            }
            Some(TlsError::InvalidMessage(_)) => TlsReason::NotTls,
            Some(_) => TlsReason::Other,
            None => self.left_without().unwrap_or(TlsReason::Other),
        }
    }

    /// What an end right after the handshake says of the client's certificate, if anything.
    pub(super) fn refusal(&self, error: &(dyn Error + 'static)) -> Option<TlsReason> {
        match tls_error(error) {
            Some(TlsError::AlertReceived(alert)) => of_alert(*alert, self.own_certificate),
            Some(_) => None,
            None => self.left_without(),
        }
    }

    /// What it means that a server ends a session without a word.
    pub(super) fn left_without(&self) -> Option<TlsReason> {
        self.missed.then_some(TlsReason::ClientCertificateMissed)
    }
}

fn of_certificate(error: &CertificateError) -> TlsReason {
    use CertificateError as E;
    match error {
        E::UnknownIssuer => TlsReason::UnknownIssuer,
        E::Expired | E::ExpiredContext { .. } => TlsReason::Expired,
        E::NotValidYet | E::NotValidYetContext { .. } => TlsReason::NotYetValid,
        E::NotValidForName | E::NotValidForNameContext { .. } => TlsReason::WrongName,
        E::Revoked => TlsReason::Revoked,
        // No type of rustls' own stands for it.
        E::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => TlsReason::Authority,
        _ => TlsReason::Certificate,
    }
}

/// Alerts about the client's certificate (RFC 8446 §6.2).
fn of_alert(alert: AlertDescription, own_certificate: bool) -> Option<TlsReason> {
    use AlertDescription as A;
    match alert {
        A::CertificateRequired => Some(TlsReason::ClientCertificateWanted),
        A::BadCertificate
        | A::UnsupportedCertificate
        | A::CertificateRevoked
        | A::CertificateExpired
        | A::CertificateUnknown
        | A::UnknownCA
        | A::AccessDenied
        | A::DecryptError => Some(if own_certificate {
            TlsReason::ClientCertificateRefused
        } else {
            TlsReason::ClientCertificateWanted
        }),
        _ => None,
    }
}

/// The TLS error below another: in its sources or in an `io::Error`.
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a TlsError> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref::<TlsError>() {
            return Some(tls);
        }
        if let Some(inner) = error.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref()) {
            return tls_error(inner);
        }
        next = error.source();
    }
    None
}
