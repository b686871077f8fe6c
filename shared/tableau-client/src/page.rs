//! The address of an object's page, which messages link to.

use crate::settings::may_share;
use confidential::SecureUrl;
use url::Url;

/// The address of a page that Tableau names in `webpageUrl`, at the server whose API is called. Behind a load balancer Tableau
/// Server may name itself with `http` or another port. `None` for a page of another server: people would follow a link there.
/// A server on this machine is a simulator, whose pages are elsewhere.
pub(crate) fn page(server: &SecureUrl, address: &str) -> Option<String> {
    let url = Url::parse(address).ok().filter(|url| matches!(url.scheme(), "https" | "http"))?;
    if url.host_str().is_some() && url.host_str() == server.host_str() {
        let mut page = server.as_url().clone();
        page.set_path(url.path());
        page.set_query(url.query());
        page.set_fragment(url.fragment());
        return Some(page.into());
    }
    let page = SecureUrl::try_from(url).ok()?;
    let is_known = may_share(server, &page) || (server.is_loopback() && page.scheme() == "https");
    is_known.then(|| page.as_url().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    // 16, item 5
    #[test]
    fn a_link_is_https_and_leads_to_the_server_that_is_called() {
        for (server, address, expected) in [
            (
                "https://tableau.example",
                "https://tableau.example/#/site/a/workbooks/8",
                Some("https://tableau.example/#/site/a/workbooks/8"),
            ),
            (
                "https://tableau.example:8443",
                "http://tableau.example/#/workbooks/8?a=b",
                Some("https://tableau.example:8443/#/workbooks/8?a=b"),
            ),
            (
                "https://tableau.example",
                "https://ana:x@tableau.example/#/workbooks/8",
                Some("https://tableau.example/#/workbooks/8"),
            ),
            (
                "https://10ay.online.tableau.com",
                "https://prod-useast-b.online.tableau.com/#/site/a/datasources/1",
                Some("https://prod-useast-b.online.tableau.com/#/site/a/datasources/1"),
            ),
            (
                "http://127.0.0.1:8080",
                "https://10ay.online.tableau.com/#/workbooks/8",
                Some("https://10ay.online.tableau.com/#/workbooks/8"),
            ),
            ("http://127.0.0.1:8080", "http://evil.example/#/workbooks/8", None),
            ("https://tableau.example", "https://evil.example/#/workbooks/8", None),
            ("https://tableau.example", "https://tableau.example.evil.example/", None),
            ("https://10ay.online.tableau.com", "https://online.tableau.com.evil.example/", None),
            ("https://tableau.example", "javascript:alert(1)", None),
            ("https://tableau.example", "/#/workbooks/8", None),
            ("https://tableau.example", "", None),
        ] {
            assert_eq!(page(&server.parse().unwrap(), address).as_deref(), expected, "{server} {address}");
        }
    }
}
