//! The text of a key, its hash, and the signing secret that is derived from it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use ring::rand::{SecureRandom, SystemRandom};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;
use workflow::BoxError;

/// How a key begins, so that people and scanners of repositories recognize it.
pub const KEY_START: &str = "twk_";
/// Characters of an id.
const ID: usize = 12;
const ID_LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
/// Bytes of a secret, and its characters in base64url.
const SECRET_BYTES: usize = 32;
const SECRET: usize = 43;
/// What the signing secret is derived for.
const SIGNATURE: &[u8] = b"callback signature";

/// The SHA-256 of a secret, as stored. `Debug` does not show it: signatures are made with it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Hash([u8; 32]);

impl Hash {
    fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }

    /// Whether a secret has this hash. Takes the same time for every secret.
    pub(crate) fn is_of(&self, secret: &str) -> bool {
        self.0.ct_eq(&Self::of(secret).0).into()
    }

    /// The secret with which what is sent to the caller is signed: `whsec_` and 32 bytes in base64.
    pub(crate) fn signing_secret(&self) -> Result<SecretString, BoxError> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0)?;
        mac.update(SIGNATURE);
        Ok(format!("whsec_{}", STANDARD.encode(mac.finalize().into_bytes())).into())
    }
}

impl PartialEq for Hash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Hash {}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hash([redacted])")
    }
}

impl TryFrom<String> for Hash {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bytes = STANDARD.decode(text).map_err(|_| "a hash is not base64")?;
        Ok(Self(bytes.try_into().map_err(|_| "a hash has another length")?))
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> Self {
        STANDARD.encode(hash.0)
    }
}

/// A new id, the whole key, and the hash of its secret.
pub(crate) fn generate() -> Result<(String, SecretString, Hash), BoxError> {
    let random = SystemRandom::new();
    let mut id = [0; ID];
    let mut secret = [0; SECRET_BYTES];
    random.fill(&mut id).map_err(|_| "there is no randomness")?;
    random.fill(&mut secret).map_err(|_| "there is no randomness")?;
    let id: String =
        id.iter().map(|byte| char::from(ID_LETTERS[usize::from(*byte) % ID_LETTERS.len()])).collect();
    let secret = URL_SAFE_NO_PAD.encode(secret);
    let hash = Hash::of(&secret);
    Ok((id.clone(), format!("{KEY_START}{id}_{secret}").into(), hash))
}

/// The id and the secret of a key; `None` if the text has another form.
pub(crate) fn parts(text: &str) -> Option<(&str, &str)> {
    let (id, secret) = text.strip_prefix(KEY_START)?.split_at_checked(ID)?;
    let secret = secret.strip_prefix('_')?;
    let is_secret = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (is_id(id) && secret.len() == SECRET && secret.bytes().all(is_secret)).then_some((id, secret))
}

/// The key in `Authorization: Bearer …`; `None` if there is no such header.
pub fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, key) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim()).filter(|key| !key.is_empty())
}

/// Whether a text can be a key's id.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() == ID && text.bytes().all(|byte| ID_LETTERS.contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    #[test]
    fn a_new_key_has_the_documented_form_and_its_own_hash() {
        let (id, key, hash) = generate().unwrap();
        let (other_id, other, _) = generate().unwrap();
        let (found, secret) = parts(key.expose_secret()).unwrap();
        assert_eq!((found, key.expose_secret().len()), (id.as_str(), 4 + 12 + 1 + 43));
        assert!(hash.is_of(secret) && !hash.is_of(parts(other.expose_secret()).unwrap().1));
        assert_ne!(id, other_id);
        let text = serde_json::to_string(&hash).unwrap();
        assert!(!text.contains(secret) && serde_json::from_str::<Hash>(&text).unwrap() == hash);
        assert_eq!(format!("{hash:?}"), "Hash([redacted])");
    }

    // The value was computed with Python: hmac.new(hashlib.sha256(b"A" * 43).digest(), b"callback signature", "sha256").
    #[test]
    fn the_signing_secret_is_derived_from_the_hash() {
        let hash = Hash::of(&"A".repeat(43));
        let expected = "whsec_nHNXheyuq4rx+A5LCN5pqSw7UrcDPk87np/vHwNy3sw=";
        assert_eq!(hash.signing_secret().unwrap().expose_secret(), expected);
    }

    #[test]
    fn other_texts_are_no_keys() {
        let secret = "A".repeat(43);
        assert_eq!(parts(&format!("twk_abc012xyz789_{secret}")), Some(("abc012xyz789", secret.as_str())));
        for text in [
            String::new(),
            format!("abc012xyz789_{secret}"),
            format!("twk_abc012xyz78_{secret}A"),
            format!("twk_ABC012xyz789_{secret}"),
            format!("twk_abc012xyz789-{secret}"),
            format!("twk_abc012xyz789_{secret}A"),
            format!("twk_abc012xyz789_{}=", &secret[1..]),
            format!("twk_abc012xyzä9_{secret}"),
            format!(" twk_abc012xyz789_{secret}"),
        ] {
            assert_eq!(parts(&text), None, "{text}");
        }
    }

    #[test]
    fn a_key_stands_behind_its_scheme() {
        for (text, expected) in [
            ("Bearer twk_1", Some("twk_1")),
            ("bearer  twk_1 ", Some("twk_1")),
            ("Bearer", None),
            ("Bearer ", None),
            ("Basic twk_1", None),
            ("twk_1", None),
            ("", None),
        ] {
            assert_eq!(bearer(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reading_panic(text in "(twk_)?\\PC{0,70}") {
            if let Some((id, secret)) = parts(&text) {
                prop_assert_eq!(format!("{}{}_{}", KEY_START, id, secret), text);
            }
        }
    }
}
