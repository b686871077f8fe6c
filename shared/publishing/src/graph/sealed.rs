//! Keeps the address of an upload session where only the holder of the application's secret can read it: who has the address can write
//! the file.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::{SecureRandom, SystemRandom};
use secrecy::{ExposeSecret, SecretString};

const SALT: &[u8] = b"tableau-webhooks publish-pdf";
const INFO: &[u8] = b"address of an upload session";

/// The key that belongs to an application's secret.
fn key(secret: &SecretString) -> Option<LessSafeKey> {
    let from = Salt::new(HKDF_SHA256, SALT).extract(secret.expose_secret().as_bytes());
    let mut bytes = [0; 32];
    from.expand(&[INFO], &AES_256_GCM).ok()?.fill(&mut bytes).ok()?;
    UnboundKey::new(&AES_256_GCM, &bytes).ok().map(LessSafeKey::new)
}

/// `text`, so that only this secret opens it again, and only for `place`. `None` if this machine has no random numbers.
pub(super) fn seal(secret: &SecretString, place: &str, text: &str) -> Option<String> {
    let mut nonce = [0; NONCE_LEN];
    SystemRandom::new().fill(&mut nonce).ok()?;
    let mut bytes = text.as_bytes().to_vec();
    let nonce_of_call = Nonce::assume_unique_for_key(nonce);
    key(secret)?.seal_in_place_append_tag(nonce_of_call, Aad::from(place.as_bytes()), &mut bytes).ok()?;
    Some(STANDARD.encode([nonce.as_slice(), &bytes].concat()))
}

/// What was sealed. `None` if the secret is another one, or the text was changed.
pub(super) fn open(secret: &SecretString, place: &str, sealed: &str) -> Option<SecretString> {
    let bytes = STANDARD.decode(sealed).ok()?;
    let (nonce, rest) = bytes.split_at_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut rest = rest.to_vec();
    let text = key(secret)?.open_in_place(nonce, Aad::from(place.as_bytes()), &mut rest).ok()?;
    String::from_utf8(text.to_vec()).ok().map(SecretString::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_opened_with_the_same_secret_and_for_the_same_place_only() {
        let secret = SecretString::from("hunter2");
        let sealed = seal(&secret, "place", "https://up.example/x?token=abc").unwrap();
        assert!(
            !sealed.contains("example")
                && !STANDARD.decode(&sealed).unwrap().windows(5).any(|w| w == b"token")
        );
        assert_eq!(
            open(&secret, "place", &sealed).unwrap().expose_secret(),
            "https://up.example/x?token=abc"
        );
        assert!(open(&SecretString::from("other"), "place", &sealed).is_none());
        assert!(open(&secret, "elsewhere", &sealed).is_none());
        assert!(open(&secret, "place", &sealed[4..]).is_none() && open(&secret, "place", "").is_none());
        assert_ne!(seal(&secret, "place", "x"), seal(&secret, "place", "x"));
    }
}
