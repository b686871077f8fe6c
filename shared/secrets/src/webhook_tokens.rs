//! The tokens in webhook URLs.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::fmt;
use subtle::ConstantTimeEq;

/// The shortest token that is accepted: a shorter one could be guessed. The stack generates 43 letters and digits
/// (256 bits).
pub const SHORTEST: usize = 32;

/// The token that webhook URLs carry and, during a rotation, the token before it.
///
/// As JSON: `{"current": "…", "previous": "…"}`, `previous` empty or left out when there is none.
#[derive(Clone, Deserialize)]
#[serde(try_from = "Json")]
pub struct WebhookTokens {
    /// The token that new webhooks get.
    pub current: SecretString,
    /// The token before it, while a rotation is going on.
    pub previous: Option<SecretString>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Json {
    current: String,
    #[serde(default)]
    previous: String,
}

impl TryFrom<Json> for WebhookTokens {
    type Error = String;

    fn try_from(json: Json) -> Result<Self, String> {
        check("current", &json.current)?;
        // A wrong `previous` token must not close the ingress: no webhook can have it in its URL, so it is ignored.
        let previous = match check("previous", &json.previous) {
            _ if json.previous.is_empty() => None,
            Ok(()) => Some(SecretString::from(json.previous)),
            Err(problem) => {
                tracing::error!(problem, "the previous token of the webhook secret is not used");
                None
            }
        };
        Ok(Self { current: SecretString::from(json.current), previous })
    }
}

fn check(name: &str, token: &str) -> Result<(), String> {
    if token.len() < SHORTEST {
        return Err(format!("`{name}` has fewer than {SHORTEST} characters"));
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(format!("`{name}` has a space or another character that no URL has: paste it again"));
    }
    Ok(())
}

impl WebhookTokens {
    /// Whether `token` is the current or the previous token. The time taken does not depend on how much of the token
    /// is right.
    pub fn accept(&self, token: &str) -> bool {
        let equal = |secret: &SecretString| secret.expose_secret().as_bytes().ct_eq(token.as_bytes());
        let mut accepted = equal(&self.current);
        if let Some(previous) = &self.previous {
            accepted |= equal(previous);
        }
        accepted.into()
    }
}

impl fmt::Debug for WebhookTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookTokens([redacted])")
    }
}

impl PartialEq for WebhookTokens {
    fn eq(&self, other: &Self) -> bool {
        let exposed = |tokens: &Self| {
            let previous = tokens.previous.as_ref().map(|token| token.expose_secret().to_owned());
            (tokens.current.expose_secret().to_owned(), previous)
        };
        exposed(self) == exposed(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(json: &str) -> Result<WebhookTokens, String> {
        serde_json::from_str(json).map_err(|e| e.to_string())
    }

    #[test]
    fn the_current_and_the_previous_token_are_accepted() {
        let new = "n".repeat(43);
        let old = "o".repeat(43);
        let both = tokens(&format!(r#"{{"current":"{new}","previous":"{old}"}}"#)).unwrap();
        assert!(both.accept(&new) && both.accept(&old));
        assert!(!both.accept(&"x".repeat(43)) && !both.accept("") && !both.accept(&new[..42]));
        let one = tokens(&format!(r#"{{"current":"{new}","previous":""}}"#)).unwrap();
        assert!(one.accept(&new) && !one.accept("") && !one.accept(&old));
    }

    #[test]
    fn a_short_token_is_refused() {
        assert_eq!(tokens(r#"{"current":"short"}"#).unwrap_err(), "`current` has fewer than 32 characters");
        assert!(tokens(r#"{"current":""}"#).is_err());
    }

    #[test]
    fn a_token_that_no_url_can_carry_is_refused_by_name() {
        for character in [" ", "\\n", "\u{feff}", "ü", "…"] {
            let token = format!("{character}{}", "h".repeat(43));
            let error = tokens(&format!(r#"{{"current":"{token}"}}"#)).unwrap_err();
            assert!(error.starts_with("`current` has a space or another character"), "{error}");
            // A wrong `previous` token does not close the ingress.
            let current = "n".repeat(43);
            let both = tokens(&format!(r#"{{"current":"{current}","previous":"{token}"}}"#)).unwrap();
            assert!(both.accept(&current) && !both.accept(&token));
        }
    }
}
