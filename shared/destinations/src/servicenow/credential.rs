//! The credential for an instance of ServiceNow.

use confidential::{InvalidUrl, Secrets, SecureUrl};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::fmt;

/// The address of an instance, and an account there: its name and password, or the id and secret of an OAuth application.
///
/// JSON form: `{"instance": "https://example.service-now.com", "user": "…", "password": "…"}`, or with `client_id` and
/// `client_secret` in the place of the latter two. The address stands beside them because they are valid at this instance only.
#[derive(Clone, Deserialize)]
#[serde(try_from = "Json")]
pub struct ServiceNowCredential {
    instance: SecureUrl,
    kind: Kind,
}

#[derive(Clone)]
pub(super) enum Kind {
    Basic { user: String, password: SecretString },
    OAuth { client_id: String, client_secret: SecretString },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Json {
    #[serde(default)]
    instance: String,
    #[serde(default)]
    user: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    client_id: String,
    #[serde(default)]
    client_secret: String,
}

impl ServiceNowCredential {
    pub(super) fn instance(&self) -> &SecureUrl {
        &self.instance
    }

    pub(super) fn kind(&self) -> &Kind {
        &self.kind
    }

    /// What an answer must not bring into an error.
    pub(super) fn secrets(&self) -> Secrets {
        let secret = match &self.kind {
            Kind::Basic { password, .. } => password,
            Kind::OAuth { client_secret, .. } => client_secret,
        };
        Secrets::new([secret.clone()])
    }
}

/// The address of an instance, without a path.
fn instance(text: &str) -> Result<SecureUrl, String> {
    let wrong = |why: &str| Err(format!("`instance` {why}"));
    if text.is_empty() {
        return wrong("is empty: write the address of the instance, such as https://example.service-now.com");
    }
    let url = match text.parse::<SecureUrl>() {
        Ok(url) => url,
        Err(InvalidUrl::NotEncrypted) => return wrong("is not https"),
        Err(InvalidUrl::Credential) => {
            return wrong("has a user name or password before the host: write them as `user` and `password`");
        }
        Err(InvalidUrl::NoScheme) => return wrong("does not begin with https://: write the whole address"),
        Err(_) => return wrong("is not an address: it begins with https://"),
    };
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return wrong(
            "has more than the host: write the address alone, such as https://example.service-now.com",
        );
    }
    Ok(url)
}

/// A text that is needed, without a character that no such text has.
fn filled(name: &str, text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err(format!("fill in `{name}`"));
    }
    if text.chars().any(char::is_control) || text.trim() != text {
        return Err(format!("`{name}` has a space at its beginning or end, or a line break: paste it again"));
    }
    Ok(())
}

impl TryFrom<Json> for ServiceNowCredential {
    type Error = String;

    fn try_from(json: Json) -> Result<Self, String> {
        let is_basic = !json.user.is_empty() || !json.password.is_empty();
        let is_oauth = !json.client_id.is_empty() || !json.client_secret.is_empty();
        let kind = match (is_basic, is_oauth) {
            (false, false) => {
                return Err("fill in `user` and `password`, or `client_id` and `client_secret`".to_owned());
            }
            (true, true) => {
                return Err(
                    "fill in `user` and `password`, or `client_id` and `client_secret`, not both".to_owned()
                );
            }
            (true, false) => {
                filled("user", &json.user)?;
                filled("password", &json.password)?;
                if json.user.contains(':') {
                    return Err("`user` has a colon, which no user name may have here".to_owned());
                }
                Kind::Basic { user: json.user, password: SecretString::from(json.password) }
            }
            (false, true) => {
                filled("client_id", &json.client_id)?;
                filled("client_secret", &json.client_secret)?;
                Kind::OAuth {
                    client_id: json.client_id,
                    client_secret: SecretString::from(json.client_secret),
                }
            }
        };
        Ok(Self { instance: instance(json.instance.trim())?, kind })
    }
}

impl fmt::Debug for ServiceNowCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServiceNowCredential([redacted])")
    }
}

impl PartialEq for ServiceNowCredential {
    fn eq(&self, other: &Self) -> bool {
        let parts = |one: &Self| match &one.kind {
            Kind::Basic { user, password } => (true, user.clone(), password.expose_secret().to_owned()),
            Kind::OAuth { client_id, client_secret } => {
                (false, client_id.clone(), client_secret.expose_secret().to_owned())
            }
        };
        self.instance == other.instance && parts(self) == parts(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<ServiceNowCredential, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn an_account_by_password_or_by_application_is_taken_at_a_secure_address() {
        for (json, is_basic) in [
            (
                r#"{"instance":" https://example.service-now.com/ ","user":"tableau","password":"p:w d"}"#,
                true,
            ),
            (r#"{"instance":"https://itsm.example.com:8443","client_id":"c","client_secret":"s"}"#, false),
            (r#"{"instance":"http://127.0.0.1:8095","user":"tableau","password":"p"}"#, true),
        ] {
            let credential = parse(json).unwrap();
            assert_eq!(matches!(credential.kind(), Kind::Basic { .. }), is_basic, "{json}");
        }
    }

    #[test]
    fn a_secret_that_cannot_work_is_refused_with_what_to_do_and_debug_shows_nothing() {
        let with = |instance: &str| format!(r#"{{"instance":"{instance}","user":"u","password":"hunter2"}}"#);
        for (json, expected) in [
            (with(""), "`instance` is empty"),
            (with("example.service-now.com"), "`instance` does not begin with https://"),
            (with("http://example.service-now.com"), "`instance` is not https"),
            (with("https://u:hunter2@example.service-now.com"), "`instance` has a user name or password"),
            (with("https://example.service-now.com/api/now"), "`instance` has more than the host"),
            (with("https://example.service-now.com/?x=hunter2"), "`instance` has more than the host"),
            (with("https://"), "`instance` is not an address"),
            (r#"{"instance":"https://a.example"}"#.to_owned(), "fill in `user` and `password`, or"),
            (r#"{"instance":"https://a.example","user":"u"}"#.to_owned(), "fill in `password`"),
            (
                r#"{"instance":"https://a.example","client_secret":"hunter2"}"#.to_owned(),
                "fill in `client_id`",
            ),
            (
                r#"{"instance":"https://a.example","user":"u","password":"hunter2","client_id":"c"}"#
                    .to_owned(),
                "fill in `user` and `password`, or `client_id` and `client_secret`, not both",
            ),
            (
                r#"{"instance":"https://a.example","user":"u","password":"hunter2\n"}"#.to_owned(),
                "`password` has a space",
            ),
            (
                r#"{"instance":"https://a.example","user":"a:b","password":"hunter2"}"#.to_owned(),
                "`user` has a colon",
            ),
        ] {
            let error = parse(&json).unwrap_err();
            assert!(error.starts_with(expected), "{json}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        let credential = parse(&with("https://example.service-now.com")).unwrap();
        assert_eq!(format!("{credential:?}"), "ServiceNowCredential([redacted])");
        assert_eq!(credential, parse(&with("https://example.service-now.com/")).unwrap());
    }
}
