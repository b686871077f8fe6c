//! Addresses of Microsoft Graph. Every name is encoded here, and only here.

use confidential::{InvalidUrl, SecureUrl};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

/// What is encoded in a part of a path: all but the signs that RFC 3986 calls unreserved.
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Ids of document libraries also have this sign.
const ID: &AsciiSet = &PART.remove(b'!');

/// What is asked about a file.
const ITEM: &str = "$select=id,name,webUrl,lastModifiedDateTime,lastModifiedBy";

/// Where tokens come from, and where Microsoft Graph is. National clouds have hosts of their own.
///
/// Source: <https://learn.microsoft.com/graph/deployments>
#[derive(Clone, Debug)]
pub struct GraphAddresses {
    login: SecureUrl,
    graph: SecureUrl,
}

impl GraphAddresses {
    /// The usual hosts.
    pub const LOGIN: &'static str = "https://login.microsoftonline.com";
    /// The usual host of Microsoft Graph.
    pub const GRAPH: &'static str = "https://graph.microsoft.com";

    /// These hosts.
    ///
    /// # Errors
    /// When one is no address that may receive a secret.
    pub fn new(login: &str, graph: &str) -> Result<Self, InvalidUrl> {
        Ok(Self {
            login: login.parse::<SecureUrl>()?.origin_only(),
            graph: graph.parse::<SecureUrl>()?.origin_only(),
        })
    }

    pub(super) fn token(&self, tenant: &str) -> Url {
        at(&self.login, &format!("{}/oauth2/v2.0/token", utf8_percent_encode(tenant, PART)))
    }

    /// What a token is for.
    pub(super) fn scope(&self) -> String {
        format!("{}/.default", self.graph.as_url().origin().ascii_serialization())
    }

    pub(super) fn drive(&self, drive: &str) -> Url {
        let mut url = at(&self.graph, &format!("v1.0/drives/{}", utf8_percent_encode(drive, ID)));
        url.set_query(Some("$select=id,name,webUrl"));
        url
    }

    /// The document libraries of a site.
    pub(super) fn drives_of(&self, site: &str) -> Url {
        let (host, path) = site.split_once(":/").unwrap_or((site, ""));
        let path: Vec<String> = path
            .split('/')
            .filter(|part| !part.is_empty())
            .map(|part| utf8_percent_encode(part, PART).to_string())
            .collect();
        let site = if path.is_empty() { host.to_owned() } else { format!("{host}:/{}:", path.join("/")) };
        let mut url = at(&self.graph, &format!("v1.0/sites/{site}/drives"));
        url.set_query(Some("$select=id,name"));
        url
    }

    /// A file by its path in a document library.
    pub(super) fn item(&self, drive: &str, path: &[String]) -> Url {
        let mut url = self.by_path(drive, path, "");
        url.set_query(Some(ITEM));
        url
    }

    /// The files and folders in the folder of a path.
    pub(super) fn beside(&self, drive: &str, path: &[String]) -> Url {
        let folders = &path[..path.len().saturating_sub(1)];
        let mut url = match folders.is_empty() {
            true => {
                let drive = utf8_percent_encode(drive, ID);
                at(&self.graph, &format!("v1.0/drives/{drive}/root/children"))
            }
            false => self.by_path(drive, folders, ":/children"),
        };
        url.set_query(Some(&format!("{ITEM}&$top=200")));
        url
    }

    /// The next page of a list, if it is at the same host.
    pub(super) fn next_page(&self, link: &str) -> Option<Url> {
        let url = link.parse::<Url>().ok()?;
        (url.origin() == self.graph.as_url().origin()).then_some(url)
    }

    pub(super) fn create_session(&self, drive: &str, path: &[String]) -> Url {
        self.by_path(drive, path, ":/createUploadSession")
    }

    fn by_path(&self, drive: &str, path: &[String], rest: &str) -> Url {
        let path: Vec<String> = path.iter().map(|part| utf8_percent_encode(part, PART).to_string()).collect();
        at(
            &self.graph,
            &format!("v1.0/drives/{}/root:/{}{rest}", utf8_percent_encode(drive, ID), path.join("/")),
        )
    }

    /// Whether an address that an answer names may be called: a secure one, and on this machine only if Graph is.
    pub(super) fn may_be_called(&self, url: &SecureUrl) -> bool {
        !url.is_loopback() || self.graph.is_loopback()
    }
}

fn at(base: &SecureUrl, path: &str) -> Url {
    let mut url = base.as_url().clone();
    // The parser keeps what is encoded as it is.
    url.set_path(path);
    url
}

#[cfg(test)]
mod tests {
    use super::*;
    use percent_encoding::percent_decode_str;

    fn addresses() -> GraphAddresses {
        GraphAddresses::new(GraphAddresses::LOGIN, "https://graph.microsoft.com/v1.0/").unwrap()
    }

    // G13
    #[test]
    fn every_sign_of_ascii_in_a_name_arrives_as_itself() {
        for byte in 0x20..0x7f_u8 {
            let name = format!("a{}b", char::from(byte));
            let url = addresses().create_session("b!x-Y_9", &["F 1".to_owned(), name.clone()]);
            let path = url.path();
            let end = "/root:/F%201/";
            let encoded = path
                .split_once(end)
                .and_then(|(_, rest)| rest.strip_suffix(":/createUploadSession"))
                .unwrap();
            assert!(!encoded.contains('/') && !encoded.contains(':'), "{path}");
            assert_eq!(percent_decode_str(encoded).decode_utf8().unwrap(), name);
            assert!(path.starts_with("/v1.0/drives/b!x-Y_9/root:/"), "{path}");
            assert!(url.query().is_none() && url.fragment().is_none(), "{url}");
        }
    }

    #[test]
    fn each_call_has_its_address() {
        let addresses = addresses();
        assert_eq!(
            addresses.token("t-1").as_str(),
            "https://login.microsoftonline.com/t-1/oauth2/v2.0/token"
        );
        assert_eq!(addresses.scope(), "https://graph.microsoft.com/.default");
        assert_eq!(
            addresses.drives_of("contoso.sharepoint.com:/sites/Finance Team").as_str(),
            "https://graph.microsoft.com/v1.0/sites/contoso.sharepoint.com:/sites/Finance%20Team:/drives?$select=id,name"
        );
        assert_eq!(
            addresses.drives_of("contoso.sharepoint.com").as_str(),
            "https://graph.microsoft.com/v1.0/sites/contoso.sharepoint.com/drives?$select=id,name"
        );
        assert_eq!(
            addresses.item("b!1", &["A".to_owned(), "B.pdf".to_owned()]).as_str(),
            "https://graph.microsoft.com/v1.0/drives/b!1/root:/A/B.pdf?$select=id,name,webUrl,lastModifiedDateTime,lastModifiedBy"
        );
        assert_eq!(
            addresses.beside("b!1", &["A".to_owned(), "B.pdf".to_owned()]).path(),
            "/v1.0/drives/b!1/root:/A:/children"
        );
        assert_eq!(addresses.beside("b!1", &["B.pdf".to_owned()]).path(), "/v1.0/drives/b!1/root/children");
        assert!(addresses.next_page("https://graph.microsoft.com/v1.0/x?$skiptoken=1").is_some());
        assert!(addresses.next_page("https://graph.example.com/v1.0/x").is_none());
        let here: SecureUrl = "http://127.0.0.1:8/upload".parse().unwrap();
        assert!(!addresses.may_be_called(&here));
        assert!(
            GraphAddresses::new(GraphAddresses::LOGIN, "http://127.0.0.1:8").unwrap().may_be_called(&here)
        );
    }
}
