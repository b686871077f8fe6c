//! The site of Tableau that this function is for: where its alerts come from.

use confidential::SecureUrl;
use plain_text::one_line;

/// How much of it a key has: a key has room for a group's id too.
const IN_KEY: usize = 150;

/// The server and the site that this function is for.
#[derive(Clone, Debug)]
pub struct Origin {
    server: SecureUrl,
    site: String,
}

impl Origin {
    /// The site with this content URL on this server. The default site of a server has an empty one.
    pub fn new(server: SecureUrl, site: &str) -> Self {
        let line = one_line(site);
        let site = if line.is_empty() { "default".to_owned() } else { line };
        Self { server, site }
    }

    /// The server's address, without a path.
    pub(super) fn url(&self) -> String {
        let origin = self.server.origin_only();
        origin.as_url().as_str().trim_end_matches('/').to_owned()
    }

    /// Server and site, the source of every alert: `10ay.online.tableau.com/marketing`.
    pub(super) fn source(&self) -> String {
        let host = self.server.as_url().host_str().unwrap_or_default();
        format!("{host}/{}", self.site)
    }

    /// Server and site as a part of a key. Two stacks that page one service have other keys.
    pub(super) fn in_key(&self) -> String {
        self.source().chars().filter(char::is_ascii_graphic).take(IN_KEY).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // D021
    #[test]
    fn a_source_is_never_empty_and_shows_no_more_of_an_address_than_its_host() {
        let of = |site: &str| Origin::new("https://10ay.online.tableau.com".parse().unwrap(), site);
        assert_eq!(of("").source(), "10ay.online.tableau.com/default");
        assert_eq!(of("marketing").source(), "10ay.online.tableau.com/marketing");
        assert_eq!(of("marketing").url(), "https://10ay.online.tableau.com");
        assert_eq!(of(&"x".repeat(500)).in_key().len(), IN_KEY);
    }
}
