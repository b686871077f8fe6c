//! Addresses that may receive a secret.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;
use url::{Host, Url};

/// An address that may receive a secret: `https`, or `http` on this machine, and without a user name or password.
///
/// `Debug` shows only scheme, host and port: the path of an incoming webhook's URL is a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct SecureUrl(Url);

/// Why an address may not receive a secret. The error does not repeat the address, which may contain a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidUrl {
    /// The text is not an address.
    #[error("must be an address: https:// and a host")]
    NotAUrl,
    /// The text does not begin with a scheme.
    #[error("must begin with https://")]
    NoScheme,
    /// The address contains a user name or a password.
    #[error("must not hold a user name or password before the host")]
    Credential,
    /// The address is `http` on another machine, so the network would carry the secret unencrypted.
    #[error("must begin with https://; http:// is only for localhost, 127.0.0.1 and [::1]")]
    NotEncrypted,
}

impl SecureUrl {
    /// Whether the address is on this machine.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }

    /// The address as a [`Url`].
    pub fn as_url(&self) -> &Url {
        &self.0
    }

    /// The address reduced to scheme, host and port.
    #[must_use]
    pub fn origin_only(&self) -> Self {
        let mut url = self.0.clone();
        url.set_path("/");
        url.set_query(None);
        url.set_fragment(None);
        Self(url)
    }
}

impl FromStr for SecureUrl {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        // Without a scheme, the URL parser would take the host before a port for the scheme.
        if !text.contains("://") {
            return Err(if text.trim().is_empty() { InvalidUrl::NotAUrl } else { InvalidUrl::NoScheme });
        }
        Url::parse(text).map_err(|_| InvalidUrl::NotAUrl)?.try_into()
    }
}

impl TryFrom<Url> for SecureUrl {
    type Error = InvalidUrl;

    fn try_from(url: Url) -> Result<Self, InvalidUrl> {
        if url.host_str().is_none_or(str::is_empty) {
            Err(InvalidUrl::NotAUrl)
        } else if !url.username().is_empty() || url.password().is_some() {
            Err(InvalidUrl::Credential)
        } else if url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url)) {
            Ok(Self(url))
        } else {
            Err(InvalidUrl::NotEncrypted)
        }
    }
}

/// Recognises a loopback IP address, and `localhost`, the only name that never leaves the machine: `a.localhost` may
/// be looked up at a DNS server.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl Deref for SecureUrl {
    type Target = Url;

    fn deref(&self) -> &Url {
        &self.0
    }
}

impl From<SecureUrl> for Url {
    fn from(url: SecureUrl) -> Self {
        url.0
    }
}

impl fmt::Debug for SecureUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecureUrl({})", self.0.origin().ascii_serialization())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_secret_goes_to_https_or_to_this_machine_and_nowhere_else() {
        for address in [
            "https://slack.com/api",
            "https://hooks.slack.com/services/T0/B0/x",
            "https://tableau.example.com:8443",
            "https://203.0.113.7/",
            "HTTPS://EXAMPLE.COM",
            "http://localhost:8090/a?b=c",
            "http://LOCALHOST",
            "http://127.0.0.1",
            "http://127.9.9.9:1",
            "http://127.1",
            "http://0x7f000001/",
            "http://2130706433",
            "http://[::1]:8",
            "https://localhost",
            " https://example.com\n",
        ] {
            assert!(address.parse::<SecureUrl>().is_ok(), "{address}");
        }
        for (address, wrong) in [
            ("", InvalidUrl::NotAUrl),
            (" ", InvalidUrl::NotAUrl),
            ("https://", InvalidUrl::NotAUrl),
            ("https://hunter2:x", InvalidUrl::NotAUrl),
            ("https://a b", InvalidUrl::NotAUrl),
            ("hunter2.example.com", InvalidUrl::NoScheme),
            ("localhost:8000", InvalidUrl::NoScheme),
            ("//hunter2.example.com", InvalidUrl::NoScheme),
            ("https:hunter2.example.com", InvalidUrl::NoScheme),
            ("https://hunter2@host", InvalidUrl::Credential),
            ("https://u:hunter2@host", InvalidUrl::Credential),
            ("https://:hunter2@host", InvalidUrl::Credential),
            ("http://hunter2@127.0.0.1", InvalidUrl::Credential),
            ("https://slack.com@evil.example", InvalidUrl::Credential),
            ("https://slack.com:443@evil.example", InvalidUrl::Credential),
            ("http://hunter2.example.com", InvalidUrl::NotEncrypted),
            ("http://127.0.0.1.evil.com", InvalidUrl::NotEncrypted),
            ("http://localhost.evil.com", InvalidUrl::NotEncrypted),
            ("http://a.localhost", InvalidUrl::NotEncrypted),
            ("http://localhost.", InvalidUrl::NotEncrypted),
            ("http://0.0.0.0", InvalidUrl::NotEncrypted),
            ("http://[::]", InvalidUrl::NotEncrypted),
            ("http://[::ffff:127.0.0.1]", InvalidUrl::NotEncrypted),
            ("http://128.0.0.1", InvalidUrl::NotEncrypted),
            ("http://10.0.0.7", InvalidUrl::NotEncrypted),
            ("http://l\u{3bf}calhost", InvalidUrl::NotEncrypted),
            ("ftp://hunter2.example.com", InvalidUrl::NotEncrypted),
            ("ws://127.0.0.1", InvalidUrl::NotEncrypted),
            ("file:///etc/hunter2", InvalidUrl::NotAUrl),
        ] {
            let error = address.parse::<SecureUrl>().unwrap_err();
            assert_eq!(error, wrong, "{address}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{address}");
        }
    }

    #[test]
    fn debug_shows_no_path_and_no_query() {
        let url: SecureUrl = "https://hooks.slack.com/services/T0/B0/hunter2?a=hunter2".parse().unwrap();
        assert_eq!(format!("{url:?}"), "SecureUrl(https://hooks.slack.com)");
        assert_eq!(url.origin_only().as_str(), "https://hooks.slack.com/");
    }

    proptest! {
        #[test]
        fn what_is_taken_is_encrypted_or_on_this_machine(
            scheme in "(https?|ftp|)(://)?",
            credential in "(|u@|:p@|u:p@)",
            host in "(localhost|127\\.0\\.0\\.1|\\[::1\\]|)[a-z0-9.:/?#@%\\\\\\[\\] -]{0,12}|.*",
        ) {
            if let Ok(url) = format!("{scheme}{credential}{host}").parse::<SecureUrl>() {
                let host = url.host_str().unwrap_or_default();
                let local = matches!(host, "localhost" | "[::1]") || host.starts_with("127.");
                prop_assert!(url.scheme() == "https" || (url.scheme() == "http" && local), "{host}");
                prop_assert!(url.username().is_empty() && url.password().is_none());
            }
        }
    }
}
