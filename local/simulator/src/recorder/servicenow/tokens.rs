//! OAuth tokens by the grant type client credentials.
//!
//! Source: <https://www.servicenow.com/docs/r/platform-security/authentication/client-credentials.html>

use super::instance::id;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use url::form_urlencoded;

/// Applications and their tokens.
#[derive(Debug)]
pub(super) struct Tokens {
    /// Id and secret of the application.
    pub(super) application: (String, String),
    /// Whether the instance allows the grant type.
    pub(super) allows: bool,
    /// How long a token lives from now on.
    pub(super) life: Duration,
    tokens: Vec<(String, Instant)>,
    /// How many tokens were given.
    pub(super) given: usize,
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            application: (id(), id()),
            allows: true,
            life: Duration::from_secs(1_799),
            tokens: Vec::new(),
            given: 0,
        }
    }
}

impl Tokens {
    /// The answer to a request for a token: status and body.
    pub(super) fn grant(&mut self, form: &[u8]) -> (u16, Value) {
        let pairs: Vec<(String, String)> = form_urlencoded::parse(form).into_owned().collect();
        let of = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let refused =
            |status, error: &str| (status, json!({ "error_description": "access_denied", "error": error }));
        if of("grant_type") != Some("client_credentials") || !self.allows {
            return refused(401, "unsupported_grant_type");
        }
        let (client, secret) = &self.application;
        if of("client_id") != Some(client) || of("client_secret") != Some(secret) {
            return refused(401, "invalid_client");
        }
        let token = format!("{}{}", id(), id());
        self.tokens.push((token.clone(), Instant::now() + self.life));
        self.given += 1;
        let life = self.life.as_secs();
        (
            200,
            json!({ "access_token": token, "scope": "useraccount", "token_type": "Bearer", "expires_in": life }),
        )
    }

    pub(super) fn is_valid(&self, token: &str) -> bool {
        self.tokens.iter().any(|(known, until)| known == token && Instant::now() < *until)
    }

    /// Ends all tokens.
    pub(super) fn revoke(&mut self) {
        self.tokens.clear();
    }
}
