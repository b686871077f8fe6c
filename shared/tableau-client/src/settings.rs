//! The client's settings: server, site, and the user to act as.

use crate::{ApiVersion, BoxError, ConnectedApp};
use confidential::{InvalidUrl, SecureUrl};
use std::fmt;
use std::time::Duration;
use tableau::UserLuid;
use url::Url;

/// The domain of Tableau Cloud's pods.
const CLOUD: &str = "online.tableau.com";

/// The client's settings: server, site, and the user to act as.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The server's address: scheme, host and possibly a port. All secrets are sent there.
    pub(crate) server: SecureUrl,
    /// The site's content URL: the part after `/site/` in the browser's address. Empty for a server's default site.
    pub site: String,
    /// The REST API version to use, in place of the newest that server and client both know.
    pub api_version: Option<ApiVersion>,
    /// The user to act as, if not the credential's own user.
    pub act_as: Option<ActAs>,
    /// How long a session is used after its sign-in. `None` leaves it to the server, whose sessions end after some
    /// hours without use.
    pub session_limit: Option<Duration>,
    /// What a session of a connected app may do that names no scopes itself. At first [`ConnectedApp::SCOPES`].
    pub scopes: Vec<String>,
}

/// The user to act as.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActAs {
    /// A user by LUID. Tableau Server only; needs a server administrator's password or, if the server allows it,
    /// personal access token.
    User(UserLuid),
    /// A user by name, which on Tableau Cloud is the e-mail address. Needs a connected app.
    UserName(String),
}

/// Why settings cannot be used. The error repeats no setting: an address may contain a password.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSettings {
    /// The server's address is not an address.
    #[error(
        "the Tableau server's address must be https:// and a host, such as https://10ay.online.tableau.com"
    )]
    Server,
    /// The server's address does not begin with a scheme.
    #[error("the Tableau server's address must begin with https://")]
    NoScheme,
    /// The server's address does not begin with `https://`.
    #[error(
        "the Tableau server's address must begin with https://, so that no credential crosses a network in clear text"
    )]
    NotEncrypted,
    /// The server's address contains a user name or a password.
    #[error("the Tableau server's address must not hold a user name or password: put them into the secret")]
    Credential,
    /// The server's address continues after the host.
    #[error(
        "the Tableau server's address must end with the host: without a path, `?` or `#`; the site is a setting of its own"
    )]
    AfterHost,
    /// The version is not of the form `3.24`.
    #[error("the Tableau API version must be two numbers with a dot between, such as 3.24")]
    Version,
    /// The longest use of a session is not a number of minutes.
    #[error(
        "the longest use of a Tableau session must be a whole number of minutes, such as 60, or 0 for the server's own limit"
    )]
    SessionMinutes,
}

/// Shows the same sentence as `Display`, because that is what appears when `main` returns this error.
impl fmt::Debug for InvalidSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InvalidSettings({self})")
    }
}

impl Settings {
    /// Creates settings for a site, by its content URL, of the server at an address. An empty `api_version` means the
    /// newest that server and client both know.
    ///
    /// The address is of the form `https://10ay.online.tableau.com`. On Tableau Cloud use the site's own pod, or any
    /// other: the answer to the sign-in names the right one. Spaces around the address and a final `/` are allowed.
    ///
    /// The site's content URL is the part after `/site/` in the browser's address: `marketing` in
    /// `https://10ay.online.tableau.com/#/site/marketing/home`. It is not the name that people see. It is empty for
    /// the default site of a Tableau Server, whose addresses have no `/site/`. On Tableau Cloud every site has one.
    ///
    /// # Errors
    /// [`InvalidSettings`] when the address is not `https://` and a host (`http://` is allowed for this machine only,
    /// because a network would carry the token unencrypted), or when the version is invalid.
    pub fn new(server: &str, site: &str, api_version: &str) -> Result<Self, InvalidSettings> {
        let server = server_at(server)?;
        let api_version = match api_version {
            "" => None,
            version => Some(version.parse().map_err(|_| InvalidSettings::Version)?),
        };
        let scopes = ConnectedApp::SCOPES.map(str::to_owned).to_vec();
        Ok(Self { server, site: site.to_owned(), api_version, act_as: None, session_limit: None, scopes })
    }

    /// Creates settings for a site of the server at an address, from the variables that our programs have in common:
    /// `TABLEAU_SITE`, `TABLEAU_API_VERSION` and `TABLEAU_SESSION_MINUTES`. Each may be missing.
    ///
    /// # Errors
    /// As for [`Settings::new`] and [`Settings::limit_session`]. What is wrong with the minutes begins with the variable's name.
    pub fn of_variables<'v>(
        server: &str,
        get: impl Fn(&'static str) -> Option<&'v str>,
    ) -> Result<Self, BoxError> {
        let optional = |name| get(name).unwrap_or_default();
        let settings = Self::new(server, optional("TABLEAU_SITE"), optional("TABLEAU_API_VERSION"))?;
        let limited = settings.limit_session(optional("TABLEAU_SESSION_MINUTES"));
        Ok(limited.map_err(|error| format!("TABLEAU_SESSION_MINUTES: {error}"))?)
    }

    /// Sets what a session of a connected app may do that names no scopes itself: exactly what the program calls.
    #[must_use]
    pub fn with_scopes(mut self, scopes: &[&str]) -> Self {
        self.scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        self
    }

    /// The server's address: a scheme, a host and maybe a port.
    pub fn server(&self) -> &SecureUrl {
        &self.server
    }

    /// Limits how long a session is used, in whole minutes, as written in a setting. Empty and `0` mean no limit.
    ///
    /// # Errors
    /// [`InvalidSettings::SessionMinutes`] when it is not a number of minutes.
    pub fn limit_session(mut self, minutes: &str) -> Result<Self, InvalidSettings> {
        let minutes = match minutes.trim() {
            "" => 0,
            minutes => minutes.parse::<u32>().map_err(|_| InvalidSettings::SessionMinutes)?,
        };
        self.session_limit = (minutes > 0).then(|| Duration::from_secs(u64::from(minutes) * 60));
        Ok(self)
    }

    /// Acts as another user.
    #[must_use]
    pub fn acting_as(mut self, user: ActAs) -> Self {
        self.act_as = Some(user);
        self
    }
}

fn server_at(address: &str) -> Result<SecureUrl, InvalidSettings> {
    let server = address.parse::<SecureUrl>().map_err(|invalid| match invalid {
        InvalidUrl::NoScheme => InvalidSettings::NoScheme,
        InvalidUrl::Credential => InvalidSettings::Credential,
        InvalidUrl::NotEncrypted => InvalidSettings::NotEncrypted,
        _ => InvalidSettings::Server,
    })?;
    if server.path() != "/" || server.query().is_some() || server.fragment().is_some() {
        Err(InvalidSettings::AfterHost)
    } else {
        Ok(server)
    }
}

/// Whether the server is Tableau Cloud or a pod of it, at the default port.
fn is_cloud(server: &SecureUrl) -> bool {
    let is_label = |label: &str| {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !label.is_empty() && label.bytes().all(fits)
    };
    let host = server.host_str().unwrap_or_default();
    let pod = host.strip_suffix(CLOUD).and_then(|before| before.strip_suffix('.'));
    let is_known = host == CLOUD || pod.is_some_and(|pod| pod.split('.').all(is_label));
    is_known && server.scheme() == "https" && server.port().is_none()
}

/// Whether a credential or session of server `one` may be sent to server `other`: the same server, another pod of
/// Tableau Cloud, or both on this machine. No other server may get it, whatever an answer or the session store says.
/// A common domain does not prove that two hosts belong to the same operator.
pub(crate) fn may_share(one: &SecureUrl, other: &SecureUrl) -> bool {
    one.origin() == other.origin()
        || (is_cloud(one) && is_cloud(other))
        || (one.is_loopback() && other.is_loopback())
}

/// The server that a redirect from `from` leads to. `None` if it is the same server, or one that must not receive the
/// credential.
pub(crate) fn redirected(from: &Url, location: &str) -> Option<SecureUrl> {
    let to = SecureUrl::try_from(from.join(location).ok()?).ok()?;
    let from = SecureUrl::try_from(from.clone()).ok()?;
    (may_share(&from, &to) && to.origin() != from.origin()).then(|| to.origin_only())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_address_is_https_and_a_host() {
        for (address, server) in [
            ("https://10ay.online.tableau.com", "https://10ay.online.tableau.com/"),
            (" HTTPS://Tableau.Example.com:8443/\n", "https://tableau.example.com:8443/"),
            ("https://tableau.example.com:443", "https://tableau.example.com/"),
            ("http://127.0.0.1:8", "http://127.0.0.1:8/"),
            ("http://localhost:8000/", "http://localhost:8000/"),
        ] {
            assert_eq!(Settings::new(address, "", "3.24").unwrap().server().as_str(), server);
        }
        assert_eq!(Settings::new("https://a", "", "3").unwrap_err(), InvalidSettings::Version);
    }

    #[test]
    fn what_is_wrong_with_an_address_is_said_without_repeating_it() {
        for (address, wrong) in [
            ("", InvalidSettings::Server),
            (" ", InvalidSettings::Server),
            ("https://", InvalidSettings::Server),
            ("https://hunter2:x", InvalidSettings::Server),
            ("https://u:hunter2@", InvalidSettings::Server),
            ("hunter2.example.com", InvalidSettings::NoScheme),
            ("hunter2.example.com:443", InvalidSettings::NoScheme),
            ("localhost:8000", InvalidSettings::NoScheme),
            ("//hunter2.example.com", InvalidSettings::NoScheme),
            ("https:hunter2.example.com", InvalidSettings::NoScheme),
            ("u:hunter2@tableau.example.com", InvalidSettings::NoScheme),
            ("http://hunter2.example.com", InvalidSettings::NotEncrypted),
            ("http://127.0.0.1.hunter2.example/", InvalidSettings::NotEncrypted),
            ("ftp://hunter2.example.com", InvalidSettings::NotEncrypted),
            ("https://u:hunter2@tableau.example.com", InvalidSettings::Credential),
            ("https://hunter2@tableau.example.com", InvalidSettings::Credential),
            ("https://:hunter2@tableau.example.com", InvalidSettings::Credential),
            ("http://u:hunter2@tableau.example.com/x", InvalidSettings::Credential),
            ("https://a/hunter2", InvalidSettings::AfterHost),
            ("https://a/?token=hunter2", InvalidSettings::AfterHost),
            ("https://a?", InvalidSettings::AfterHost),
            ("https://10ay.online.tableau.com/#/site/hunter2/home", InvalidSettings::AfterHost),
        ] {
            let error = Settings::new(address, "", "").unwrap_err();
            assert_eq!(error, wrong, "{address}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{address}");
        }
    }

    #[test]
    fn the_limit_of_a_session_is_a_number_of_minutes() {
        let limit = |minutes: &str| {
            Settings::new("https://a", "", "").unwrap().limit_session(minutes).map(|it| it.session_limit)
        };
        for (minutes, seconds) in [("", None), ("0", None), (" 60 ", Some(3_600)), ("1", Some(60))] {
            assert_eq!(limit(minutes), Ok(seconds.map(Duration::from_secs)), "{minutes}");
        }
        for minutes in ["-1", "1.5", "60 min", "1h", "99999999999"] {
            assert_eq!(limit(minutes), Err(InvalidSettings::SessionMinutes), "{minutes}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_taken_is_a_host_and_encrypted(
            scheme in "(https?|ftp|)(://)?",
            credential in "(|u@|:p@|u:p@)",
            rest in "[a-z0-9.:/?#@%\\\\\\[\\] -]{0,16}|.*",
        ) {
            if let Ok(settings) = Settings::new(&format!("{scheme}{credential}{rest}"), "", "") {
                let server = settings.server();
                prop_assert!(server.scheme() == "https" || server.is_loopback(), "{server:?}");
                prop_assert_eq!(server.as_str(), format!("{}/", server.origin().ascii_serialization()));
            }
        }
    }

    #[test]
    fn a_session_is_shared_by_the_same_server_by_pods_of_tableau_cloud_and_on_this_machine() {
        for (one, other, expected) in [
            ("https://tableau.example.com", "https://tableau.example.com:443/", true),
            ("https://10ay.online.tableau.com", "https://10ax.online.tableau.com", true),
            ("http://127.0.0.1:80", "http://localhost:8091", true),
            ("http://[::1]:80", "http://127.1:8091", true),
            ("https://tableau.example.com", "https://tableau.example.com:8443", false),
            ("https://tableau.example.com", "https://10ay.online.tableau.com", false),
            ("https://10ay.online.tableau.com", "https://10ay.online.tableau.com:8443", false),
            ("https://10ay.online.tableau.com", "https://evilonline.tableau.com", false),
            ("https://10ay.online.tableau.com", "https://10ay.online.tableau.com.evil.com", false),
            ("https://10ay.online.tableau.com", "https://10ay.online.tableau.com.", false),
            ("https://10ay.online.tableau.com", "http://127.0.0.1", false),
            ("http://127.0.0.1", "https://10ay.online.tableau.com", false),
            ("http://127.0.0.1", "https://127.0.0.1.evil.com", false),
        ] {
            let url = |text: &str| text.parse::<SecureUrl>().unwrap();
            assert_eq!(may_share(&url(one), &url(other)), expected, "{one} {other}");
        }
    }

    #[test]
    fn a_redirect_is_followed_to_a_neighbour_over_https_only() {
        for (from, location, to) in [
            (
                "online.tableau.com",
                "https://prod-ca-a.online.tableau.com/api/3.24/auth/signin?x=1#y",
                "prod-ca-a.online.tableau.com",
            ),
            ("10ay.online.tableau.com", "https://10ax.online.tableau.com/", "10ax.online.tableau.com"),
            ("10ay.online.tableau.com", "//online.tableau.com:443", "online.tableau.com"),
            (
                "10ay.online.tableau.com",
                "HTTPS://PROD-USEAST-A.Online.Tableau.Com",
                "prod-useast-a.online.tableau.com",
            ),
        ] {
            let from: Url = format!("https://{from}/").parse().unwrap();
            assert_eq!(redirected(&from, location).unwrap().as_str(), format!("https://{to}/"));
        }
        let own: Url = "https://tableau.example.com/".parse().unwrap();
        for location in
            ["https://bi.example.com/", "https://tableau.example.com:8443/", "https://online.tableau.com/"]
        {
            assert_eq!(redirected(&own, location), None, "{location}");
        }
        for location in [
            "http://prod-ca-a.online.tableau.com/",
            "https://10ay.online.tableau.com:8443/",
            "/elsewhere",
            "https://online.tableau.com/other",
            "https://u:p@10ay.online.tableau.com/",
            "https://online.tableau.com.evil.example/",
            "https://10ay.online.tableau.com.evil.com/",
            "https://evilonline.tableau.com/",
            "https://online.tableau.com.",
            "https://10ay.online.tableau.com./",
            "https://.online.tableau.com/",
            "https://a..online.tableau.com/",
            "https://a_b.online.tableau.com/",
            "https://b\u{fc}cher.online.tableau.com.example/",
            "https://10ay.online.tableau.c\u{3bf}m/",
            "https://10ay@evil.example/?.online.tableau.com",
            "//evil.example/",
            "\\\\evil.example\\",
            "http://127.1/",
            "https://eviltableau.com/",
            "https://tableau.com/",
            "https://203.0.113.7/",
            "http://127.0.0.1:80/",
            "https://localhost/",
            "javascript:alert(1)",
            "",
        ] {
            let from: Url = "https://online.tableau.com/".parse().unwrap();
            assert_eq!(redirected(&from, location), None, "{location}");
        }
        let from: Url = "https://10.0.0.7/".parse().unwrap();
        assert_eq!(redirected(&from, "https://11.0.0.7/"), None);
        assert_eq!(redirected(&"https://example.com".parse().unwrap(), "https://evil.com"), None);
    }
}
