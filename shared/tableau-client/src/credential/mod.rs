//! The credential with which the client signs in.

mod json;
mod source;

pub use json::InvalidCredential;
pub use source::{CredentialError, CredentialSource, FixedCredential};

use crate::{ActAs, ConnectedApp, Settings};
use confidential::Secrets;
use jiff::Timestamp;
use ring::digest;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use std::fmt;

/// The credential with which the client signs in. As JSON one of
///
/// - `{"token_name": "…", "token_secret": "…"}`: a personal access token;
/// - `{"user_name": "…", "password": "…"}`: not on Tableau Cloud, which asks for a second factor;
/// - `{"client_id": "…", "secret_id": "…", "secret_value": "…", "user_name": "…", "scopes": ["…"]}`: a connected app;
///   without `scopes` it has those of [`Settings::scopes`](crate::Settings::scopes).
///
/// [`TableauCredential::from_json`] reads it, and so does serde.
#[derive(Clone)]
#[non_exhaustive]
pub enum TableauCredential {
    /// A personal access token. Signing in again with the same token ends the earlier session.
    PersonalAccessToken {
        /// The token's name.
        name: String,
        /// The token's secret.
        secret: SecretString,
    },
    /// A user name and password.
    Password {
        /// The user's name.
        user: String,
        /// The password.
        password: SecretString,
    },
    /// A connected app and the user that it signs in. Several sessions can exist side by side.
    ConnectedApp(ConnectedApp),
}

/// The body of a sign-in request.
#[derive(Serialize)]
struct SignIn<'a> {
    credentials: Credentials<'a>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Credentials<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    personal_access_token_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    personal_access_token_secret: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwt: Option<&'a str>,
    site: Site<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<User<'a>>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Site<'a> {
    content_url: &'a str,
}

#[derive(Serialize)]
struct User<'a> {
    id: &'a str,
}

/// Turns a text into a part of a session's key, without the characters that separate parts.
pub(crate) fn key_part(text: &str) -> String {
    text.replace('%', "%25").replace('#', "%23").replace('/', "%2F")
}

impl TableauCredential {
    /// A personal access token.
    pub fn personal_access_token(name: impl Into<String>, secret: impl Into<String>) -> Self {
        Self::PersonalAccessToken { name: name.into(), secret: SecretString::from(secret.into()) }
    }

    /// The credential's part of a session's key: its kind and names, without secrets. The session of a connected app
    /// is limited to the scopes it was opened with, so the scopes are part of the key.
    /// `default`: the scopes of an app that names none.
    pub(crate) fn key(&self, default: &[String]) -> String {
        match self {
            Self::PersonalAccessToken { name, .. } => format!("token/{}", key_part(name)),
            Self::Password { user, .. } => format!("user/{}", key_part(user)),
            Self::ConnectedApp(app) => {
                let mut scopes = app.scopes_or(default).to_vec();
                scopes.sort_unstable();
                let scopes = ring::digest::digest(&ring::digest::SHA256, scopes.join(" ").as_bytes());
                let scopes: String =
                    scopes.as_ref().iter().take(4).map(|byte| format!("{byte:02x}")).collect();
                format!("app/{}/{}/{scopes}", key_part(&app.client_id), key_part(&app.user))
            }
        }
    }

    /// Whether a second sign-in with this credential ends the first session.
    pub(crate) fn allows_one_session(&self) -> bool {
        matches!(self, Self::PersonalAccessToken { .. })
    }

    /// A short number that almost always differs before and after a rotation of the credential. `salt` makes the
    /// number useless for other purposes.
    ///
    /// The number has only 16 bits, because it is stored where others may read it: one in 65,536 passwords has the
    /// same number, so the number does not reveal the password.
    pub(crate) fn fingerprint(&self, salt: &str) -> u16 {
        let secret = match self {
            Self::PersonalAccessToken { secret, .. } => secret,
            Self::Password { password, .. } => password,
            Self::ConnectedApp(app) => &app.secret_value,
        };
        let id = match self {
            Self::ConnectedApp(app) => app.secret_id.as_str(),
            _ => "",
        };
        let mut context = digest::Context::new(&digest::SHA256);
        for part in [salt, id, secret.expose_secret()] {
            context.update(&part.len().to_be_bytes());
            context.update(part.as_bytes());
        }
        match context.finish().as_ref() {
            [high, low, ..] => u16::from_be_bytes([*high, *low]),
            _ => 0,
        }
    }

    /// The credential's secrets, which no error and no log line may repeat.
    pub(crate) fn secrets(&self) -> [SecretString; 1] {
        [match self {
            Self::PersonalAccessToken { secret, .. } => secret.clone(),
            Self::Password { password, .. } => password.clone(),
            Self::ConnectedApp(app) => app.secret_value.clone(),
        }]
    }

    /// The body of a sign-in at `now`, and the secrets in that body.
    ///
    /// # Errors
    /// The reason, when this credential cannot act as that user.
    pub(crate) fn sign_in_body(
        &self,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<(SecretString, Secrets), &'static str> {
        let mut secrets = Secrets::new(self.secrets());
        let token;
        let mut credentials =
            Credentials { site: Site { content_url: &settings.site }, ..Credentials::default() };
        match self {
            Self::PersonalAccessToken { name, secret } => {
                credentials.personal_access_token_name = Some(name);
                credentials.personal_access_token_secret = Some(secret.expose_secret());
            }
            Self::Password { user, password } => {
                credentials.name = Some(user);
                credentials.password = Some(password.expose_secret());
            }
            Self::ConnectedApp(app) => {
                let user = match &settings.act_as {
                    None => &app.user,
                    Some(ActAs::UserName(name)) => name,
                    Some(ActAs::User(_)) => return Err("a connected app acts as a user by name, not by id"),
                };
                token = app.token(user, &settings.scopes, now)?;
                secrets = secrets.and([token.clone()]);
                credentials.jwt = Some(token.expose_secret());
            }
        }
        match (self, &settings.act_as) {
            (Self::ConnectedApp(_), _) | (_, None) => {}
            (_, Some(ActAs::User(luid))) => credentials.user = Some(User { id: luid.as_str() }),
            (_, Some(ActAs::UserName(_))) => return Err("acting as a user by name needs a connected app"),
        }
        let body = serde_json::to_string(&SignIn { credentials });
        let body = body.map_err(|_| "the credential cannot be written as JSON")?;
        Ok((SecretString::from(body), secrets))
    }
}

impl fmt::Debug for TableauCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TableauCredential({:?}, [redacted])", self.key(&[]))
    }
}

impl PartialEq for TableauCredential {
    fn eq(&self, other: &Self) -> bool {
        let same = |a: &SecretString, b: &SecretString| a.expose_secret() == b.expose_secret();
        match (self, other) {
            (
                Self::PersonalAccessToken { name: a, secret: x },
                Self::PersonalAccessToken { name: b, secret: y },
            ) => a == b && same(x, y),
            (Self::Password { user: a, password: x }, Self::Password { user: b, password: y }) => {
                a == b && same(x, y)
            }
            (Self::ConnectedApp(a), Self::ConnectedApp(b)) => a == b,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn app() -> TableauCredential {
        TableauCredential::from_json(APP).unwrap()
    }

    fn body(credential: &TableauCredential, settings: &Settings) -> Result<Value, &'static str> {
        let (body, _) = credential.sign_in_body(settings, Timestamp::UNIX_EPOCH)?;
        Ok(serde_json::from_str(body.expose_secret()).unwrap())
    }

    fn site() -> Settings {
        Settings::new("https://tableau.example.com", "marketing", "").unwrap()
    }

    const APP: &str =
        r#"{"client_id":"c","secret_id":"i","secret_value":"hunter2","user_name":"ana@example.com"}"#;

    #[test]
    fn credentials_of_different_kinds_and_scopes_have_different_keys_and_no_secret_in_them() {
        let scoped = |scopes: &[&str]| {
            TableauCredential::ConnectedApp(ConnectedApp {
                client_id: "c".to_owned(),
                secret_id: "i".to_owned(),
                secret_value: "hunter2".into(),
                user: "ana@x".to_owned(),
                scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            })
        };
        let password = TableauCredential::Password { user: "ana@x".to_owned(), password: "hunter2".into() };
        let token = TableauCredential::personal_access_token("ana@x", "hunter2");
        let odd = TableauCredential::personal_access_token("ana#x/y", "hunter2");
        let credentials = [password, token, odd.clone(), scoped(&["a", "b"]), scoped(&["a"]), scoped(&[])];
        let default = ["c".to_owned()];
        let keys = credentials.map(|credential| credential.key(&default));
        let different: std::collections::BTreeSet<_> = keys.iter().collect();
        assert_eq!(different.len(), keys.len(), "{keys:?}");
        assert_eq!(scoped(&["a", "b"]).key(&[]), scoped(&["b", "a"]).key(&[]));
        assert_eq!(scoped(&[]).key(&default), scoped(&["c"]).key(&[]));
        assert_eq!(odd.key(&[]), "token/ana%23x%2Fy");
        assert!(keys.iter().all(|key| !key.contains("hunter2")));
    }

    #[test]
    fn what_is_kept_of_a_secret_wipes_its_memory() {
        fn wipes<T: secrecy::zeroize::ZeroizeOnDrop>(_: &T) {}
        let pat = TableauCredential::personal_access_token("n", "hunter2");
        wipes(&pat.sign_in_body(&site(), Timestamp::UNIX_EPOCH).unwrap().0);
        match &pat {
            TableauCredential::PersonalAccessToken { secret, .. } => wipes(secret),
            TableauCredential::Password { password, .. } => wipes(password),
            TableauCredential::ConnectedApp(app) => {
                wipes(&app.secret_value);
                wipes(&app.token("u", &[], Timestamp::UNIX_EPOCH).unwrap());
            }
        }
        let _ = |session: &crate::Session| wipes(&session.token);
    }

    #[test]
    fn debug_shows_the_name_only() {
        let credential = TableauCredential::personal_access_token("lambda", "hunter2");
        assert_eq!(format!("{credential:?}"), r#"TableauCredential("token/lambda", [redacted])"#);
        assert!(!format!("{:?}", app()).contains("hunter2"));
    }

    #[test]
    fn a_token_and_a_password_may_act_as_a_user_by_id() {
        let bea = site().acting_as(ActAs::User("u-1".parse().unwrap()));
        let pat = TableauCredential::personal_access_token("n", "s");
        let expected = json!({"credentials": {"personalAccessTokenName": "n", "personalAccessTokenSecret": "s",
            "site": {"contentUrl": "marketing"}, "user": {"id": "u-1"}}});
        assert_eq!(body(&pat, &bea), Ok(expected));
        assert!(body(&app(), &bea).is_err());
    }

    #[test]
    fn a_connected_app_may_act_as_a_user_by_name() {
        use base64::Engine;
        let bea = site().acting_as(ActAs::UserName("bea@example.com".to_owned()));
        let body = |settings: &Settings| body(&app(), settings).unwrap();
        let subject = |body: &Value| {
            let claims = body["credentials"]["jwt"].as_str().unwrap().split('.').nth(1).unwrap();
            let claims = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap();
            serde_json::from_slice::<Value>(&claims).unwrap()["sub"].clone()
        };
        assert_eq!(subject(&body(&site())), "ana@example.com");
        assert_eq!(subject(&body(&bea)), "bea@example.com");
        let pat = TableauCredential::personal_access_token("n", "s");
        assert!(pat.sign_in_body(&bea, Timestamp::UNIX_EPOCH).is_err());
    }
}
