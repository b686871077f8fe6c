//! The credential for SharePoint: an application of Microsoft Entra.

use confidential::Secrets;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::fmt;

/// An application of Microsoft Entra, and the document library that files go to.
///
/// JSON form: `{"tenant": "…", "client_id": "…", "client_secret": "…", "drive": "b!…", "site": "contoso.sharepoint.com:/sites/finance"}`.
/// `drive` may stand in rules instead. `site` is only for help: where there is no such library, the error lists those of the site.
#[derive(Clone, Deserialize)]
#[serde(try_from = "Json")]
pub struct GraphCredential {
    pub(super) tenant: String,
    pub(super) client_id: String,
    pub(super) client_secret: SecretString,
    pub(super) drive: Option<String>,
    pub(super) site: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Json {
    #[serde(default)]
    tenant: String,
    #[serde(default)]
    client_id: String,
    #[serde(default)]
    client_secret: String,
    #[serde(default)]
    drive: String,
    #[serde(default)]
    site: String,
}

/// The characters of ids and of the host names that a tenant or site may be given as.
fn is_plain(text: &str, more: &[u8]) -> bool {
    !text.contains("..") && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
}

impl TryFrom<Json> for GraphCredential {
    type Error = String;

    fn try_from(json: Json) -> Result<Self, String> {
        for (name, text) in
            [("tenant", &json.tenant), ("client_id", &json.client_id), ("client_secret", &json.client_secret)]
        {
            if text.is_empty() {
                return Err(format!("fill in `{name}`"));
            }
            if text.chars().any(|c| c.is_control() || c == ' ') {
                return Err(format!("`{name}` has a space or a line break: paste it again"));
            }
        }
        if !is_plain(&json.tenant, b".-") {
            return Err("`tenant` is no id and no domain: write the directory id of the tenant".to_owned());
        }
        if !is_plain(&json.client_id, b"-") {
            return Err("`client_id` is no id: write the application id".to_owned());
        }
        if !is_plain(&json.drive, b"!-_") {
            return Err("`drive` is no id of a document library, such as b!abc".to_owned());
        }
        if !is_site(&json.site) {
            return Err(
                "`site` is no site: write host and path, such as contoso.sharepoint.com:/sites/finance"
                    .to_owned(),
            );
        }
        let filled = |text: String| Some(text).filter(|text| !text.is_empty());
        Ok(Self {
            tenant: json.tenant,
            client_id: json.client_id,
            client_secret: SecretString::from(json.client_secret),
            drive: filled(json.drive),
            site: filled(json.site),
        })
    }
}

/// Nothing, a host, or a host and a path: `contoso.sharepoint.com:/sites/finance`.
fn is_site(text: &str) -> bool {
    let (host, path) = text.split_once(":/").unwrap_or((text, ""));
    let is_path = !path.contains("..")
        && !path.starts_with('/')
        && path.chars().all(|c| c.is_alphanumeric() || "-_.~/ ".contains(c));
    let is_host = text.is_empty() || host.contains('.');
    is_plain(host, b".-,") && is_host && is_path
}

impl GraphCredential {
    /// What an answer must not bring into an error.
    pub(super) fn secrets(&self) -> Secrets {
        Secrets::new([self.client_secret.clone()])
    }
}

impl PartialEq for GraphCredential {
    fn eq(&self, other: &Self) -> bool {
        let open =
            |one: &Self| (one.tenant.clone(), one.client_id.clone(), one.drive.clone(), one.site.clone());
        open(self) == open(other) && self.client_secret.expose_secret() == other.client_secret.expose_secret()
    }
}

impl fmt::Debug for GraphCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GraphCredential([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<GraphCredential, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_secret_that_cannot_work_is_refused_with_what_to_do_and_debug_shows_nothing() {
        let whole = r#"{"tenant":"contoso.onmicrosoft.com","client_id":"c-1","client_secret":"hunter2~x","drive":"b!x","site":"contoso.sharepoint.com:/sites/Finance Team"}"#;
        let credential = parse(whole).unwrap();
        assert_eq!(format!("{credential:?}"), "GraphCredential([redacted])");
        assert_eq!(credential.drive.as_deref(), Some("b!x"));
        for (from, to, expected) in [
            (r#""hunter2~x""#, r#""""#, "fill in `client_secret`"),
            ("hunter2~x", "hunter2\\nx", "`client_secret` has a space or a line break"),
            ("contoso.onmicrosoft.com", "", "fill in `tenant`"),
            ("contoso.onmicrosoft.com", "../hunter2", "`tenant` is no id"),
            ("c-1", "c/hunter2", "`client_id` is no id"),
            ("b!x", "b!x/root", "`drive` is no id"),
            ("contoso.sharepoint.com:/sites", "https://hunter2/sites", "`site` is no site"),
            ("\"site\"", "\"sites\"", "unknown field `sites`"),
        ] {
            let problem = parse(&whole.replacen(from, to, 1)).unwrap_err();
            assert!(problem.starts_with(expected), "{problem}");
            assert!(!problem.contains("hunter2"), "{problem}");
        }
    }
}
