//! TLS with a certificate that is generated for each server and kept in memory.

use crate::socket::{Socket, Stream};
use axum::serve::Listener;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
};
use rcgen::{IsCa, KeyPair, KeyUsagePurpose, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The host names of the certificate.
const NAMES: [&str; 3] = ["127.0.0.1", "::1", "localhost"];

/// The timeout of the TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The TLS identity of a server.
#[derive(Clone)]
pub(crate) struct Identity {
    acceptor: TlsAcceptor,
    authority: Arc<str>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

impl Identity {
    /// A certificate for this machine from a new CA whose key is discarded. Both certificates are valid for two days
    /// from `now`.
    pub(crate) fn new(now: Timestamp) -> io::Result<Self> {
        Self::named(now, &NAMES)
    }

    /// The same for these names.
    pub(crate) fn named(now: Timestamp, names: &[&str]) -> io::Result<Self> {
        let made = issue(now, names).map_err(io::Error::other)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.key.serialize_der()));
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(vec![made.certificate], key)
            .map_err(io::Error::other)?;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), authority: made.authority.into() })
    }

    /// The CA certificate as PEM, for clients to trust.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }
}

struct Made {
    certificate: CertificateDer<'static>,
    key: KeyPair,
    authority: String,
}

fn issue(now: Timestamp, names: &[&str]) -> Result<Made, rcgen::Error> {
    let mut authority = valid_around(now, CertificateParams::default());
    authority.distinguished_name.push(DnType::CommonName, "Tableau simulator, this run only");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;

    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut server = valid_around(now, CertificateParams::new(names)?);
    server.distinguished_name.push(DnType::CommonName, "Tableau simulator");
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // OpenSSL's strict mode, which Python 3.13 uses, requires this extension.
    server.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = server.signed_by(&key, &authority)?;
    Ok(Made { certificate: certificate.der().clone(), key, authority: authority.pem() })
}

/// Valid from yesterday to the day after tomorrow, so that clocks and time zones do not matter.
fn valid_around(now: Timestamp, mut parameters: CertificateParams) -> CertificateParams {
    let now = now.to_zoned(TimeZone::UTC);
    let day = |span: jiff::Span| {
        let date = now.date().saturating_add(span);
        date_time_ymd(date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs())
    };
    parameters.not_before = day(-1.day());
    parameters.not_after = day(2.days());
    parameters.distinguished_name = DistinguishedName::new();
    parameters
}

/// Accepts connections. Each TLS handshake runs in its own task, so that a silent client does not block others.
pub(crate) struct TlsSocket {
    socket: Socket,
    acceptor: TlsAcceptor,
    handshakes: JoinSet<Option<(TlsStream<Stream>, SocketAddr)>>,
}

impl TlsSocket {
    pub(crate) fn new(socket: Socket, identity: &Identity) -> Self {
        Self { socket, acceptor: identity.acceptor.clone(), handshakes: JoinSet::new() }
    }
}

impl Listener for TlsSocket {
    type Io = TlsStream<Stream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TlsStream<Stream>, SocketAddr) {
        loop {
            tokio::select! {
                (stream, address) = self.socket.accept() => {
                    let handshake = self.acceptor.accept(stream);
                    self.handshakes.spawn(async move {
                        Some((timeout(HANDSHAKE, handshake).await.ok()?.ok()?, address))
                    });
                }
                Some(handshake) = self.handshakes.join_next() => {
                    // Ignore failed handshakes: the client does not trust the certificate, or speaks plain HTTP.
                    if let Ok(Some(connection)) = handshake {
                        return connection;
                    }
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}
