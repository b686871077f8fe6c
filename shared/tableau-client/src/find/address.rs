//! What a browser's address shows. No I/O.

use super::kind::ContentKind;
use percent_encoding::percent_decode_str;
use std::str::FromStr;
use url::Url;

/// A browser's address of a page of Tableau.
///
/// Addresses have the page after `#`, or without it in the path: `https://host/#/site/x/workbooks/130/views`,
/// `https://host/#/workbooks/130`, `https://host/site/x/datasources/7`, `https://host/t/x/views/Superstore/Overview`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrowserUrl {
    /// The server's host.
    pub host: String,
    /// What follows `/site/` or `/t/`; empty for an address that names no site.
    pub site: String,
    /// What the page shows.
    pub shown: PageShown,
}

/// What a page shows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PageShown {
    /// A workbook, data source or flow.
    Content(ContentKind, WebId),
    /// A view, by the names that its workbook and its sheet have in addresses.
    View {
        /// The workbook's name in addresses.
        workbook: String,
        /// The sheet's name in addresses.
        sheet: String,
    },
    /// A project. No method of Tableau's APIs knows its number.
    Project(String),
    /// Another page, such as the list of all workbooks.
    Other,
}

/// How an address names content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebId {
    /// By a number, which is not the LUID.
    Number(String),
    /// By the LUID.
    Luid(String),
}

/// The error that a text is no browser's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an address begins with https:// and a host, as the browser shows it")]
pub struct NotBrowserUrl;

impl BrowserUrl {
    /// Whether a text is meant to be an address, and not a name: some browsers show it without `https://`.
    pub fn is_meant(text: &str) -> bool {
        let text = text.trim_start().to_ascii_lowercase();
        text.starts_with("https://") || text.starts_with("http://") || is_bare(&text)
    }
}

/// Whether a text is an address without `https://`: a host with a dot or a port, and a page behind `#`.
fn is_bare(text: &str) -> bool {
    let Some((host, _)) = text.trim().split_once("/#/") else { return false };
    let is_host = |c: char| c.is_ascii_alphanumeric() || ".-:".contains(c);
    host.contains(['.', ':']) && !host.contains("//") && host.chars().all(is_host)
}

impl FromStr for BrowserUrl {
    type Err = NotBrowserUrl;

    fn from_str(text: &str) -> Result<Self, NotBrowserUrl> {
        let text = text.trim();
        let bare = is_bare(text).then(|| format!("https://{text}"));
        let url = Url::parse(bare.as_deref().unwrap_or(text)).map_err(|_| NotBrowserUrl)?;
        let host = url.host_str().filter(|host| !host.is_empty() && matches!(url.scheme(), "https" | "http"));
        let host = host.ok_or(NotBrowserUrl)?.to_owned();
        let route = url.fragment().filter(|fragment| fragment.starts_with('/')).unwrap_or(url.path());
        // Within the fragment, what follows `?` is a query.
        let route = route.split('?').next().unwrap_or_default();
        let parts: Vec<String> = route
            .split('/')
            .filter(|part| !part.is_empty())
            .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
            .collect();
        let mut parts = parts.iter().map(String::as_str);
        let mut next = parts.next();
        let mut site = String::new();
        if let Some("site" | "t") = next {
            parts.next().unwrap_or_default().clone_into(&mut site);
            next = parts.next();
        }
        let shown = next.map_or(PageShown::Other, |page| shown(page, parts.next(), parts.next()));
        Ok(Self { host, site, shown })
    }
}

fn shown(page: &str, first: Option<&str>, second: Option<&str>) -> PageShown {
    let kind = match page {
        "workbooks" => ContentKind::Workbook,
        "datasources" => ContentKind::Datasource,
        "flows" => ContentKind::Flow,
        "projects" => {
            return first.map_or(PageShown::Other, |number| PageShown::Project(number.to_owned()));
        }
        "views" | "authoring" => {
            return match (first, second) {
                (Some(workbook), Some(sheet)) => {
                    PageShown::View { workbook: workbook.to_owned(), sheet: sheet.to_owned() }
                }
                _ => PageShown::Other,
            };
        }
        _ => return PageShown::Other,
    };
    match first {
        Some(id) if id.bytes().all(|byte| byte.is_ascii_digit()) => {
            PageShown::Content(kind, WebId::Number(id.to_owned()))
        }
        Some(id) if is_luid(id) => PageShown::Content(kind, WebId::Luid(id.to_owned())),
        _ => PageShown::Other,
    }
}

/// Whether a text has the form of a LUID: 36 hexadecimal digits and hyphens.
pub(super) fn is_luid(text: &str) -> bool {
    let hyphens = [8, 13, 18, 23];
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match hyphens.contains(&at) {
            true => byte == b'-',
            false => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(kind: ContentKind, number: &str) -> PageShown {
        PageShown::Content(kind, WebId::Number(number.to_owned()))
    }

    fn view(workbook: &str, sheet: &str) -> PageShown {
        PageShown::View { workbook: workbook.to_owned(), sheet: sheet.to_owned() }
    }

    #[test]
    fn an_address_says_site_and_page_in_every_form() {
        use ContentKind::{Datasource, Flow, Workbook};
        let luid = "5998aaaf-1abe-4d38-b4d9-bc53e85bdd13";
        for (address, site, shown) in [
            ("https://h/#/site/x/workbooks/130/views", "x", number(Workbook, "130")),
            ("https://h/#/workbooks/130", "", number(Workbook, "130")),
            ("https://h/#/site/x/workbooks/130?:origin=card_share_link", "x", number(Workbook, "130")),
            ("https://h/?embed=y#/site/x/datasources/7/askData", "x", number(Datasource, "7")),
            ("https://h/#/datasources/7", "", number(Datasource, "7")),
            ("https://h/site/x/datasources/7?a=b", "x", number(Datasource, "7")),
            ("https://h:8443/#/site/x/flows/12/runHistory", "x", number(Flow, "12")),
            ("https://h/#/flows/12", "", number(Flow, "12")),
            ("https://h/#/projects/35", "", PageShown::Project("35".to_owned())),
            ("https://h/#/site/x/projects/35/workbooks", "x", PageShown::Project("35".to_owned())),
            ("https://h/#/site/x/views/Superstore/Overview?:iid=1", "x", view("Superstore", "Overview")),
            ("https://h/t/x/views/Superstore/Overview?:embed=y", "x", view("Superstore", "Overview")),
            ("https://h/views/Superstore/Overview", "", view("Superstore", "Overview")),
            ("https://h/#/site/x/views/A%C3%B1os/_0/8a1f/mine", "x", view("Años", "_0")),
            ("https://h/t/x/authoring/Superstore/Overview#1", "x", view("Superstore", "Overview")),
            ("https://h/#/site/x/home", "x", PageShown::Other),
            ("https://h/#/site/x/workbooks", "x", PageShown::Other),
            ("https://h/#/site/x/workbooks/8a", "x", PageShown::Other),
            ("https://h/", "", PageShown::Other),
            ("h:443/#/site/x/workbooks/130", "x", number(Workbook, "130")),
            (
                &format!("https://h/#/site/x/workbooks/{luid}"),
                "x",
                PageShown::Content(Workbook, WebId::Luid(luid.to_owned())),
            ),
        ] {
            let read: BrowserUrl = address.parse().unwrap();
            assert_eq!((read.host.as_str(), read.site.as_str()), ("h", site), "{address}");
            assert_eq!(read.shown, shown, "{address}");
        }
        for address in ["", "Sales", "h/#/workbooks/1", "ftp://h/#/workbooks/1", "file:///workbooks/1"] {
            assert_eq!(address.parse::<BrowserUrl>(), Err(NotBrowserUrl), "{address}");
            assert!(!BrowserUrl::is_meant(address), "{address}");
        }
        for address in [" HTTPS://h/", "10ay.online.tableau.com/#/site/x/workbooks/1", "http://h"] {
            assert!(BrowserUrl::is_meant(address), "{address}");
        }
        for name in ["Sales/#/EMEA", "a b.c/#/d", "#/workbooks/1"] {
            assert!(!BrowserUrl::is_meant(name), "{name}");
        }
    }
}
