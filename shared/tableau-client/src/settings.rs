//! Which server and site, and as whom.

use crate::ApiVersion;
use tableau::UserLuid;
use url::Url;

/// Where the pods of Tableau Cloud are.
const CLOUD: &str = "online.tableau.com";

/// Which server and site.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The server's address, such as `https://10ay.online.tableau.com`. On Tableau Cloud the pod's own, or any: its
    /// answer to the sign-in names the right one.
    pub server: Url,
    /// The site's content URL: what stands behind `/site/` in the browser. Empty for a server's default site.
    pub site: String,
    /// Use this version instead of the newest that server and client both know.
    pub api_version: Option<ApiVersion>,
    /// As whom, if not as the credential's own user.
    pub act_as: Option<ActAs>,
}

/// The user in whose name a client works.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActAs {
    /// A user by id. Tableau Server only, with a server administrator's password or, where that is switched on, personal
    /// access token.
    User(UserLuid),
    /// A user by name, which on Tableau Cloud is the e-mail address. With a connected app only.
    UserName(String),
}

/// Settings that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSettings {
    /// The server's address is not one.
    #[error("the Tableau server's address must be https:// and a host, with nothing after it")]
    Server,
    /// The version is not one.
    #[error("the Tableau API version must be two numbers with a dot between, such as 3.24")]
    Version,
}

impl Settings {
    /// A site, by its content URL, of the server at an address. An empty `api_version` stands for the newest that
    /// both sides know.
    ///
    /// # Errors
    /// [`InvalidSettings`] when the address is anything but `https://` and a host (on loopback, `http://` will do: a
    /// token must not cross a network in clear text), or the version is none.
    pub fn new(server: &str, site: &str, api_version: &str) -> Result<Self, InvalidSettings> {
        let server = Url::parse(server).map_err(|_| InvalidSettings::Server)?;
        if !is_safe(&server) || server.path() != "/" {
            return Err(InvalidSettings::Server);
        }
        let api_version = match api_version {
            "" => None,
            version => Some(version.parse().map_err(|_| InvalidSettings::Version)?),
        };
        Ok(Self { server, site: site.to_owned(), api_version, act_as: None })
    }

    /// The same in another user's name.
    #[must_use]
    pub fn acting_as(mut self, user: ActAs) -> Self {
        self.act_as = Some(user);
        self
    }
}

/// Whether a credential may be sent there: encrypted, or not leaving this machine.
fn is_safe(server: &Url) -> bool {
    let encrypted = server.scheme() == "https" || (server.scheme() == "http" && is_loopback(server));
    encrypted && server.username().is_empty() && server.password().is_none() && server.host_str().is_some()
}

fn is_loopback(server: &Url) -> bool {
    matches!(server.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"))
}

/// Whether it is Tableau Cloud, or a pod of it, where it is by default.
fn is_cloud(server: &Url) -> bool {
    let host = server.host_str().unwrap_or_default();
    (host == CLOUD || host.strip_suffix(CLOUD).is_some_and(|pod| pod.ends_with('.')))
        && server.port().is_none()
}

/// Whether two servers are pods of Tableau Cloud, or both on this machine: nobody else is sent a credential, whatever a
/// server answers. A common domain says little about who is behind a host.
fn are_neighbours(one: &Url, two: &Url) -> bool {
    (is_cloud(one) && is_cloud(two)) || (is_loopback(one) && is_loopback(two))
}

/// The server that `location`, the answer of `from`, points to. `None` when it is the same one, or a credential must not
/// be sent there.
pub(crate) fn redirected(from: &Url, location: &str) -> Option<Url> {
    let mut to = from.join(location).ok()?;
    if !is_safe(&to) || !are_neighbours(from, &to) || to.origin() == from.origin() {
        return None;
    }
    to.set_path("/");
    to.set_query(None);
    to.set_fragment(None);
    Some(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_https_and_a_host() {
        for server in
            ["https://10ay.online.tableau.com", "https://tableau.example.com:8443/", "http://127.0.0.1:8"]
        {
            assert!(Settings::new(server, "", "3.24").is_ok(), "{server}");
        }
        for server in ["http://tableau.example.com", "https://a/b", "https://u:p@a", "ftp://a", "a", ""] {
            assert_eq!(Settings::new(server, "", "").unwrap_err(), InvalidSettings::Server, "{server}");
        }
        assert_eq!(Settings::new("https://a", "", "3").unwrap_err(), InvalidSettings::Version);
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
