//! Explains why a server gave no answer, and what to do.

use rustls::pki_types::InvalidDnsNameError;
use rustls::{CertificateError, Error as TlsError};
use std::env::var_os;
use std::error::Error;
use std::io::{self, ErrorKind};
use workflow::chain;

/// Why a server gave no answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// DNS does not know the server's name.
    UnknownHost,
    /// Nothing listens at the address.
    Refused,
    /// The server did not answer in time.
    Timeout,
    /// No secure connection was possible; the text says why.
    Tls(String),
    /// Another reason.
    Other(String),
}

/// An error and all its causes.
fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'e (dyn Error + 'static) = *error;
        // An I/O error of the standard library does not return the error inside it as its source.
        let inside = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        inside.map(|inside| inside as &(dyn Error + 'static)).or_else(|| error.source())
    })
}

impl Cause {
    /// Finds the reason in an error of the HTTP client.
    pub(crate) fn of(error: &(dyn Error + 'static)) -> Self {
        let kind = |kind: ErrorKind| {
            causes(error)
                .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == kind))
        };
        if let Some(tls) = causes(error).find_map(|cause| cause.downcast_ref::<TlsError>()) {
            return Self::Tls(tls_reason(tls));
        }
        // The first case is a name that is not valid. For the second there is no error type: the text is the
        // resolver's.
        if causes(error).any(|cause| cause.is::<InvalidDnsNameError>() || cause.to_string() == "dns error") {
            return Self::UnknownHost;
        }
        let is_timeout = |cause: &(dyn Error + 'static)| {
            cause.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_timeout)
        };
        if causes(error).any(is_timeout) || kind(ErrorKind::TimedOut) {
            return Self::Timeout;
        }
        if kind(ErrorKind::ConnectionRefused) {
            return Self::Refused;
        }
        let text = match error.downcast_ref::<reqwest::Error>() {
            // The error's own text contains the URL, which may contain a secret.
            Some(error) => error.source().map(chain).unwrap_or_else(|| "the connection broke off".to_owned()),
            None => chain(error),
        };
        Self::Other(text)
    }

    /// Why `host` did not answer, and what to do.
    pub(crate) fn words(&self, host: &str) -> String {
        let proxy = match proxy() {
            Some(name) => format!(" or the proxy in {name}"),
            None => String::new(),
        };
        match self {
            Self::UnknownHost => format!(
                "DNS does not know {host}{proxy}: check the spelling, and that the network or VPN is connected"
            ),
            Self::Refused => format!("{host}{proxy} refuses the connection: check the address and the port"),
            Self::Timeout => format!(
                "{host}{proxy} did not answer in time: check the network and the firewall, then try again"
            ),
            Self::Tls(why) => format!("no secure connection (TLS) to {host}{proxy}: {why}"),
            Self::Other(why) => format!("the connection to {host}{proxy} failed: {why}"),
        }
    }
}

/// What is wrong with a TLS connection, and what to do.
fn tls_reason(error: &TlsError) -> String {
    match error {
        TlsError::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "its certificate is of an unknown authority; if your network has one of its own, name its PEM file in AWS_CA_BUNDLE"
                .to_owned()
        }
        TlsError::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            "its certificate has expired, or the clock of this machine is wrong".to_owned()
        }
        TlsError::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "its certificate is for another name; check the address".to_owned(),
        TlsError::InvalidMessage(_) => {
            "it answers without TLS; check the port, and whether the address begins with http://".to_owned()
        }
        error => error.to_string(),
    }
}

/// The environment variable that sets a proxy, if any: the proxy may be what does not answer.
fn proxy() -> Option<&'static str> {
    ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
        .into_iter()
        .find(|name| var_os(name).is_some_and(|value| !value.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_tls_is_found_inside_an_error_and_says_what_to_do() {
        for (error, expected) in [
            (TlsError::InvalidCertificate(CertificateError::UnknownIssuer), "AWS_CA_BUNDLE"),
            (TlsError::InvalidCertificate(CertificateError::Expired), "the clock of this machine"),
            (TlsError::InvalidCertificate(CertificateError::NotValidForName), "for another name"),
        ] {
            let cause = Cause::of(&io::Error::new(ErrorKind::InvalidData, error));
            let words = cause.words("example.com");
            assert!(words.starts_with("no secure connection (TLS) to example.com: "), "{words}");
            assert!(words.contains(expected), "{words}");
        }
    }

    #[test]
    fn a_timeout_a_refusal_and_anything_else_are_different_causes() {
        assert_eq!(Cause::of(&io::Error::from(ErrorKind::TimedOut)), Cause::Timeout);
        assert_eq!(Cause::of(&io::Error::from(ErrorKind::ConnectionRefused)), Cause::Refused);
        assert!(matches!(Cause::of(&io::Error::from(ErrorKind::ConnectionReset)), Cause::Other(_)));
    }
}
