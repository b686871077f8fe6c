//! Signatures of Standard Webhooks. No I/O.
//!
//! Source: <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice};
use sha2::{Digest, Sha256};
use std::fmt;

/// How a signing secret begins.
const START: &str = "whsec_";
/// How long a key may be, in bytes.
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;

/// The key of a signing secret.
#[derive(Clone)]
pub struct SigningKey(SecretSlice<u8>);

impl SigningKey {
    /// Reads a secret: `whsec_` and the key in base64.
    ///
    /// # Errors
    /// What is wrong, without the secret.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let wrong = |what: &str| Err(what.to_owned());
        if text.is_empty() {
            return wrong("is empty: write `whsec_` and the key in base64");
        }
        if text.starts_with("whsk_") || text.starts_with("whpk_") {
            return wrong(
                "is a key pair's: this function signs with a shared secret, which begins with `whsec_`",
            );
        }
        if text.starts_with("v1,") {
            return wrong("has `v1,` before `whsec_`: remove it");
        }
        let Some(encoded) = text.strip_prefix(START) else {
            return wrong(
                "does not begin with `whsec_`: copy it whole, or write `whsec_` before the key in base64",
            );
        };
        let Ok(key) = STANDARD.decode(encoded) else {
            return wrong(
                "is not base64 behind `whsec_`: copy it again, with `=` at its end if it has any, and with `+` and `/` in place of \
                 `-` and `_`",
            );
        };
        if !LENGTHS.contains(&key.len()) {
            return Err(format!(
                "has a key of {} bytes: {} to {} are needed, so make a new one with `openssl rand -base64 32`",
                key.len(),
                LENGTHS.start(),
                LENGTHS.end()
            ));
        }
        Ok(Self(key.into()))
    }

    /// The signature of one attempt.
    fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> Option<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret()).ok()?;
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    }
}

impl PartialEq for SigningKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose_secret() == other.0.expose_secret()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey([redacted])")
    }
}

/// The value of the header `webhook-signature`: a signature for each key, with a space between them. `None` without a key.
pub fn signatures(keys: &[SigningKey], id: &str, timestamp: i64, body: &[u8]) -> Option<String> {
    let all: Vec<String> = keys.iter().filter_map(|key| key.sign(id, timestamp, body)).collect();
    (!all.is_empty()).then(|| all.join(" "))
}

/// The id of a message: the same for each attempt to send an event to a destination, and another for another destination.
pub fn message_id(event: &str, destination: &str) -> String {
    let digest = Sha256::digest(format!("{event}/{destination}").as_bytes());
    let mut id = "msg_".to_owned();
    for byte in &digest[..16] {
        id.push_str(&format!("{byte:02x}"));
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    // The vector of the specification's reference libraries.
    #[test]
    fn the_signature_is_that_of_the_specification() {
        let key = SigningKey::parse(SECRET).unwrap();
        let body = br#"{"test": 2432232314}"#;
        let signed = signatures(&[key], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body).unwrap();
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn two_secrets_give_two_signatures_and_none_gives_none() {
        let other = SigningKey::parse("whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=").unwrap();
        let keys = [SigningKey::parse(SECRET).unwrap(), other.clone()];
        let both = signatures(&keys, "a", 1, b"x").unwrap();
        let alone = signatures(&[other], "a", 1, b"x").unwrap();
        assert_eq!(both.split(' ').count(), 2);
        assert_eq!(both.split(' ').nth(1), Some(alone.as_str()));
        assert_eq!(signatures(&[], "a", 1, b"x"), None);
    }

    // D094
    #[test]
    fn a_secret_is_whsec_and_base64_and_every_other_form_is_refused_with_a_reason() {
        for text in [SECRET.to_owned(), format!(" {SECRET}\n"), format!("whsec_{}", STANDARD.encode([7; 64]))]
        {
            assert!(SigningKey::parse(&text).is_ok(), "{text:?}");
        }
        let plain = SECRET.trim_start_matches(START);
        let short = format!("whsec_{}", STANDARD.encode([7; 23]));
        let long = format!("whsec_{}", STANDARD.encode([7; 65]));
        for (text, expected) in [
            ("", "is empty"),
            (plain, "does not begin with `whsec_`"),
            ("WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "does not begin with `whsec_`"),
            ("v1,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "has `v1,` before `whsec_`"),
            ("whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "is a key pair's"),
            ("whpk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "is a key pair's"),
            ("whsec_MfKQ9r8GKYqrTwjU\nPD8ILPZIo2LaLaSw", "is not base64"),
            ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-_", "is not base64"),
            ("whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo", "is not base64"),
            (short.as_str(), "has a key of 23 bytes: 24 to 64 are needed"),
            (long.as_str(), "has a key of 65 bytes"),
        ] {
            let problem = SigningKey::parse(text).unwrap_err();
            assert!(problem.starts_with(expected), "{text:?}: {problem}");
            assert!(plain.is_empty() || !problem.contains(plain), "{problem}");
        }
        assert_eq!(format!("{:?}", SigningKey::parse(SECRET).unwrap()), "SigningKey([redacted])");
    }

    #[test]
    fn an_id_belongs_to_an_event_and_a_destination_and_has_no_dot() {
        assert_eq!(message_id("e", "jira"), message_id("e", "jira"));
        assert_ne!(message_id("e", "jira"), message_id("e", "slack"));
        assert_ne!(message_id("e", "jira"), message_id("f", "jira"));
        assert!(!message_id("e", "jira").contains('.'));
    }
}
