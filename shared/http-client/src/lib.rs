#![doc = include_str!("../README.md")]

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The timeout for establishing a connection.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The timeout of a whole request, unless the caller sets another.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an idle connection is kept for reuse. Lambda freezes the process between two events; meanwhile the server
/// or a proxy may close the connection without this process noticing. Some servers close idle connections after five
/// seconds, so the limit is below that. The age is checked when a connection is taken from the pool, so no timer has
/// to run.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// Why the HTTP client could not be created.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file with additional certificate authorities cannot be read as PEM certificates.
    #[error("cannot read certificates from {}", .path.display())]
    ExtraAuthorities {
        /// The file's path.
        path: PathBuf,
        /// What is wrong with the file.
        source: rustls::pki_types::pem::Error,
    },
    /// A certificate in the file cannot be used as a certificate authority.
    #[error("a certificate in {} cannot be an authority", .path.display())]
    NotAnAuthority {
        /// The file's path.
        path: PathBuf,
        /// What is wrong with the certificate.
        source: rustls::Error,
    },
    /// The file contains no certificate.
    #[error("there is no certificate in {}", .0.display())]
    NoCertificate(PathBuf),
    /// rustls refused the TLS configuration.
    #[error("cannot set up TLS")]
    Tls(#[source] rustls::Error),
    /// The HTTP library refused its configuration.
    #[error("cannot set up the HTTP client")]
    Client(#[source] reqwest::Error),
}

/// Creates the HTTP client. `extra_authorities` is a PEM file with private certificate authorities to trust
/// additionally.
///
/// # Errors
/// [`Error`] when the file does not exist or contains no usable certificate.
pub fn client(extra_authorities: Option<&Path>) -> Result<reqwest::Client, Error> {
    builder(extra_authorities)?.no_proxy().build().map_err(Error::Client)
}

/// Creates the HTTP client with another resolver: it connects to the addresses that `resolver` returns for a host's name, and to no
/// others.
///
/// # Errors
/// The same as for [`client`].
pub fn client_with_resolver(
    extra_authorities: Option<&Path>,
    resolver: Arc<dyn reqwest::dns::Resolve>,
) -> Result<reqwest::Client, Error> {
    builder(extra_authorities)?.no_proxy().dns_resolver(resolver).build().map_err(Error::Client)
}

/// Creates the HTTP client for a program on a person's computer: it uses the proxy named by `HTTPS_PROXY`,
/// `HTTP_PROXY` and `NO_PROXY`, as other programs do.
///
/// # Errors
/// The same as for [`client`].
pub fn client_behind_proxy(extra_authorities: Option<&Path>) -> Result<reqwest::Client, Error> {
    builder(extra_authorities)?.build().map_err(Error::Client)
}

fn builder(extra_authorities: Option<&Path>) -> Result<reqwest::ClientBuilder, Error> {
    let mut roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = extra_authorities {
        let unreadable = |source| Error::ExtraAuthorities { path: path.to_owned(), source };
        let bundled = roots.len();
        for certificate in CertificateDer::pem_file_iter(path).map_err(unreadable)? {
            let certificate = certificate.map_err(unreadable)?;
            roots
                .add(certificate)
                .map_err(|source| Error::NotAnAuthority { path: path.to_owned(), source })?;
        }
        if roots.len() == bundled {
            return Err(Error::NoCertificate(path.to_owned()));
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Error::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    #[expect(clippy::disallowed_methods, reason = "this is the shared builder that the rule points to")]
    let builder = reqwest::Client::builder();
    Ok(builder
        .tls_backend_preconfigured(tls)
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(REQUEST_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("tableau-webhooks/", env!("CARGO_PKG_VERSION"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_authorities_that_is_not_there_is_named() {
        let error = client(Some(Path::new("no-such.pem"))).unwrap_err();
        assert_eq!(error.to_string(), "cannot read certificates from no-such.pem");
    }
}
