//! What signing in takes.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use std::fmt;

/// What signing in takes. As JSON: `{"token_name": "…", "token_secret": "…"}` for a personal access token, or
/// `{"user_name": "…", "password": "…"}` (not on Tableau Cloud, which asks for a second factor).
#[derive(Clone, Deserialize)]
#[serde(try_from = "Json")]
#[non_exhaustive]
pub enum TableauCredential {
    /// A personal access token. Signing in again with it ends the session before.
    PersonalAccessToken {
        /// Its name.
        name: String,
        /// Its secret.
        secret: SecretString,
    },
    /// A user and password.
    Password {
        /// The user's name.
        user: String,
        /// The password.
        password: SecretString,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Json {
    #[serde(default)]
    token_name: String,
    #[serde(default)]
    token_secret: String,
    #[serde(default)]
    user_name: String,
    #[serde(default)]
    password: String,
}

impl TryFrom<Json> for TableauCredential {
    type Error = &'static str;

    fn try_from(json: Json) -> Result<Self, Self::Error> {
        let Json { token_name, token_secret, user_name, password } = json;
        match (token_name.is_empty(), token_secret.is_empty(), user_name.is_empty(), password.is_empty()) {
            (false, false, true, true) => Ok(Self::personal_access_token(token_name, token_secret)),
            (true, true, false, false) => Ok(Self::Password { user: user_name, password: password.into() }),
            (true, true, true, true) => Err("fill in `token_name` and `token_secret`"),
            _ => Err(
                "fill in `token_name` and `token_secret`, or `user_name` and `password`, and nothing else",
            ),
        }
    }
}

impl TableauCredential {
    /// A personal access token.
    pub fn personal_access_token(name: impl Into<String>, secret: impl Into<String>) -> Self {
        Self::PersonalAccessToken { name: name.into(), secret: SecretString::from(secret.into()) }
    }

    /// The name sessions are kept under. Not secret.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::PersonalAccessToken { name, .. } => name,
            Self::Password { user, .. } => user,
        }
    }

    /// The body of a sign-in.
    pub(crate) fn sign_in_body(&self, site: &str) -> Value {
        let site = json!({ "contentUrl": site });
        let credentials = match self {
            Self::PersonalAccessToken { name, secret } => json!({
                "personalAccessTokenName": name,
                "personalAccessTokenSecret": secret.expose_secret(),
                "site": site,
            }),
            Self::Password { user, password } => {
                json!({ "name": user, "password": password.expose_secret(), "site": site })
            }
        };
        json!({ "credentials": credentials })
    }
}

impl fmt::Debug for TableauCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TableauCredential({:?}, [redacted])", self.name())
    }
}

impl PartialEq for TableauCredential {
    fn eq(&self, other: &Self) -> bool {
        self.sign_in_body("") == other.sign_in_body("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfilled_secret_says_what_to_fill_in() {
        let parse = |json: &str| serde_json::from_str::<TableauCredential>(json).map_err(|e| e.to_string());
        let unfilled = parse(r#"{"token_name":"","token_secret":""}"#).unwrap_err();
        assert_eq!(unfilled, "fill in `token_name` and `token_secret`");
        assert!(parse(r#"{"token_name":"n"}"#).unwrap_err().contains("and nothing else"));
        assert!(parse(r#"{"token_name":"n","token_secret":"s"}"#).is_ok());
    }

    #[test]
    fn debug_shows_the_name_only() {
        let credential = TableauCredential::personal_access_token("lambda", "hunter2");
        assert_eq!(format!("{credential:?}"), r#"TableauCredential("lambda", [redacted])"#);
    }
}
