//! The URL of a target, checked. No I/O.

use super::blocks::refused;
use std::fmt;
use url::{Host, Url};

/// Names that never are public, and the ends of such names.
const NOT_PUBLIC: [&str; 7] = ["corp", "home.arpa", "internal", "lan", "local", "localdomain", "localhost"];

/// The URL of a target: `https`, without a user name, at a host that may be public. Whether a host's name leads to public addresses is
/// checked when a connection is made.
///
/// `Debug` shows the host only: the path of a webhook's URL is a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

/// Why a URL cannot be a target's. It does not repeat the URL, which may hold a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UrlProblem(String);

impl Endpoint {
    /// Checks a URL as a browser reads it, and as the HTTP client uses it.
    ///
    /// # Errors
    /// [`UrlProblem`], which says what to do.
    pub fn parse(text: &str) -> Result<Self, UrlProblem> {
        let wrong = |what: &str| Err(UrlProblem(what.to_owned()));
        let text = text.trim();
        if text.is_empty() {
            return wrong("is empty: write the URL that takes the events");
        }
        if text.contains("&amp;") {
            return wrong("has `&amp;` in it, as a page's source shows it: write `&` alone");
        }
        if text.chars().any(|c| c.is_control() || c == '\\') {
            return wrong("has a line break, a tab or a `\\` in it: copy it again");
        }
        let Ok(mut url) = Url::parse(text) else {
            return wrong("is not a URL: it begins with https:// and a host");
        };
        if url.scheme() != "https" {
            return wrong("is not https");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return wrong(
                "has a user name or password before the host: write these as `basic`, or as a header",
            );
        }
        let name = match url.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(address)) => return Self::at(url.clone(), refused(address.into())),
            Some(Host::Ipv6(address)) => return Self::at(url.clone(), refused(address.into())),
            None => return wrong("has no host"),
        };
        // `example.com.` is the same name; more dots are none.
        let name = name.strip_suffix('.').unwrap_or(&name);
        if name.split('.').any(str::is_empty) {
            return wrong("has a host with a dot too many");
        }
        if !name.contains('.') || NOT_PUBLIC.iter().any(|end| is_below(name, end)) {
            return wrong("has a host that is not public: events go to public addresses only");
        }
        if url.set_host(Some(name)).is_err() {
            return wrong("has a host that is no name");
        }
        // Without its dot, a name may be a number.
        match url.host() {
            Some(Host::Domain(_)) => Ok(Self(url)),
            Some(Host::Ipv4(address)) => Self::at(url.clone(), refused(address.into())),
            Some(Host::Ipv6(address)) => Self::at(url.clone(), refused(address.into())),
            None => wrong("has no host"),
        }
    }

    fn at(url: Url, refused: Option<&str>) -> Result<Self, UrlProblem> {
        match refused {
            None => Ok(Self(url)),
            Some(what) => Err(UrlProblem(format!(
                "has an address that is not public ({what}): events go to public addresses only"
            ))),
        }
    }

    /// The URL.
    pub fn as_url(&self) -> &Url {
        &self.0
    }

    /// The host, for logs.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }
}

fn is_below(name: &str, end: &str) -> bool {
    name.strip_suffix(end).is_some_and(|start| start.is_empty() || start.ends_with('.'))
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({})", self.host())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_what_to_do_and_repeats_nothing() {
        for (text, expected) in [
            ("", "is empty"),
            ("hunter2", "is not a URL"),
            ("http://example.com/hunter2", "is not https"),
            ("https://u:hunter2@example.com/", "has a user name"),
            ("https://hunter2@example.com/", "has a user name"),
            ("https://example.com/a?b=1&amp;c=hunter2", "has `&amp;`"),
            ("https://example.com/hun\nter2", "has a line break"),
            ("https://example.com\\@127.0.0.1/hunter2", "has a line break, a tab or a `\\`"),
            ("https://10.0.0.1/hunter2", "has an address that is not public (private)"),
            ("https://hunter2.internal/", "has a host that is not public"),
            ("https://hunter2/", "has a host that is not public"),
            ("https://example..com/hunter2", "has a host with a dot too many"),
        ] {
            let problem = Endpoint::parse(text).unwrap_err().to_string();
            assert!(problem.starts_with(expected), "{text}: {problem}");
            assert!(!problem.contains("hunter2"), "{problem}");
        }
        let endpoint = Endpoint::parse("https://example.com/hunter2?a=hunter2").unwrap();
        assert_eq!(format!("{endpoint:?}"), "Endpoint(example.com)");
    }

    // D036
    #[test]
    fn an_encoded_slash_in_the_path_stays_and_a_space_is_encoded() {
        let url = "https://etl.example.com/rest/v1/group/name/BI/project/name/P/version/name/default/job/name/Load Sales%2FEU/run?environmentName=Prod";
        let endpoint = Endpoint::parse(url).unwrap();
        assert!(
            endpoint.as_url().path().ends_with("/job/name/Load%20Sales%2FEU/run"),
            "{}",
            endpoint.as_url()
        );
    }
}
