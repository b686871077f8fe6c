//! Connected apps with direct trust: the client signs a JSON Web Token, and Tableau returns a session for it.
//!
//! Unlike with a personal access token, an app can have several sessions at the same time.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use std::fmt;

/// How long a signed token is valid. Tableau accepts at most 10 minutes, and the token is used at once.
const LIFE: SignedDuration = SignedDuration::from_mins(5);
/// How far this machine's clock may be ahead of Tableau's.
const SKEW: SignedDuration = SignedDuration::from_secs(5);

/// A connected app with direct trust, and the user that it signs in. REST API 3.17+.
///
/// Source: <https://help.tableau.com/current/server/en-us/connected_apps_direct.htm>
#[derive(Clone)]
pub struct ConnectedApp {
    /// The app's client id.
    pub client_id: String,
    /// The id of one of the app's two secrets.
    pub secret_id: String,
    /// The value of that secret.
    pub secret_value: SecretString,
    /// The user to sign in. Upper and lower case matter; on Tableau Cloud it is the e-mail address.
    pub user: String,
    /// What the session may do, such as `tableau:content:read`. Each method of the client names the scope it needs. Empty: those of
    /// [`Settings::scopes`](crate::Settings::scopes).
    pub scopes: Vec<String>,
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'a str,
    typ: &'a str,
    kid: &'a str,
    iss: &'a str,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
    iat: i64,
    nbf: i64,
    jti: &'a str,
    scp: &'a [String],
}

impl ConnectedApp {
    /// The default scopes: enough to read content, jobs, and users with their groups.
    pub const SCOPES: [&'static str; 4] =
        ["tableau:content:read", "tableau:groups:read", "tableau:jobs:read", "tableau:users:read"];

    /// The scopes of a session: the app's own, if there are any.
    pub(crate) fn scopes_or<'a>(&'a self, default: &'a [String]) -> &'a [String] {
        if self.scopes.is_empty() { default } else { &self.scopes }
    }

    /// A signed token with which `user` can sign in once, within the next minutes.
    pub(crate) fn token(
        &self,
        user: &str,
        scopes: &[String],
        now: Timestamp,
    ) -> Result<SecretString, &'static str> {
        let mut unique = [0_u8; 16];
        SystemRandom::new().fill(&mut unique).map_err(|_| "this machine cannot provide random numbers")?;
        let unique = BASE64_URL_SAFE_NO_PAD.encode(unique);
        self.signed(user, self.scopes_or(scopes), now, &unique)
            .map(SecretString::from)
            .ok_or("the token cannot be written")
    }

    fn signed(&self, user: &str, scopes: &[String], now: Timestamp, unique: &str) -> Option<String> {
        let earlier = now.checked_sub(SKEW).ok()?.as_second();
        let header = Header { alg: "HS256", typ: "JWT", kid: &self.secret_id, iss: &self.client_id };
        let claims = Claims {
            iss: &self.client_id,
            sub: user,
            aud: "tableau",
            exp: now.checked_add(LIFE).ok()?.as_second(),
            iat: earlier,
            nbf: earlier,
            jti: unique,
            scp: scopes,
        };
        let part = |json: serde_json::Result<Vec<u8>>| Some(BASE64_URL_SAFE_NO_PAD.encode(json.ok()?));
        let mut token = part(serde_json::to_vec(&header))? + "." + &part(serde_json::to_vec(&claims))?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secret_value.expose_secret().as_bytes());
        let signature = BASE64_URL_SAFE_NO_PAD.encode(hmac::sign(&key, token.as_bytes()));
        token.push('.');
        token.push_str(&signature);
        Some(token)
    }
}

impl PartialEq for ConnectedApp {
    fn eq(&self, other: &Self) -> bool {
        let public =
            |app: &Self| (app.client_id.clone(), app.secret_id.clone(), app.user.clone(), app.scopes.clone());
        public(self) == public(other)
            && self.secret_value.expose_secret() == other.secret_value.expose_secret()
    }
}

impl fmt::Debug for ConnectedApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectedApp")
            .field("client_id", &self.client_id)
            .field("secret_id", &self.secret_id)
            .field("secret_value", &"[redacted]")
            .field("user", &self.user)
            .field("scopes", &self.scopes)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn app() -> ConnectedApp {
        ConnectedApp {
            client_id: "client-1".to_owned(),
            secret_id: "secret-1".to_owned(),
            secret_value: "hunter2".into(),
            user: "ana@example.com".to_owned(),
            scopes: vec!["tableau:content:read".to_owned()],
        }
    }

    fn part(token: &str, n: usize) -> Value {
        let part = token.split('.').nth(n).unwrap();
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn a_token_says_who_for_how_long_and_what() {
        let now = "2025-01-15T17:14:45Z".parse().unwrap();
        let scopes = ["tableau:content:read".to_owned()];
        let token = app().signed("ana@example.com", &scopes, now, "unique").unwrap();
        let header = json!({"alg": "HS256", "typ": "JWT", "kid": "secret-1", "iss": "client-1"});
        assert_eq!(part(&token, 0), header);
        let expected = json!({
            "iss": "client-1", "sub": "ana@example.com", "aud": "tableau", "jti": "unique",
            "iat": 1_736_961_280, "nbf": 1_736_961_280, "exp": 1_736_961_585, "scp": ["tableau:content:read"]
        });
        assert_eq!(part(&token, 1), expected);
    }

    #[test]
    fn the_scopes_of_the_app_count_before_those_of_the_settings() {
        let default = ["tableau:tasks:run".to_owned()];
        let scopes = |app: &ConnectedApp| {
            part(app.token("u", &default, Timestamp::UNIX_EPOCH).unwrap().expose_secret(), 1)["scp"].clone()
        };
        assert_eq!(scopes(&app()), json!(["tableau:content:read"]));
        assert_eq!(scopes(&ConnectedApp { scopes: Vec::new(), ..app() }), json!(default));
    }

    #[test]
    fn the_signature_is_hmac_sha_256() {
        // The example of RFC 7515, appendix A.1, signed here with its key.
        let key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
        let key = hmac::Key::new(hmac::HMAC_SHA256, &BASE64_URL_SAFE_NO_PAD.decode(key).unwrap());
        let signed = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0\
                      dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let signature = BASE64_URL_SAFE_NO_PAD.encode(hmac::sign(&key, signed.as_bytes()));
        assert_eq!(signature, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    }

    #[test]
    fn no_two_tokens_have_one_id() {
        let now = Timestamp::UNIX_EPOCH;
        let id = || part(app().token("u", &[], now).unwrap().expose_secret(), 1)["jti"].clone();
        assert_ne!(id(), id());
    }

    #[test]
    fn debug_does_not_show_the_secret() {
        assert!(!format!("{:?}", app()).contains("hunter2"));
    }
}
