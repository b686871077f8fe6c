//! A new token.

use ring::rand::{SecureRandom, SystemRandom};
use secrecy::SecretString;
use workflow::BoxError;

const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// Of so many letters and digits, each of which is as likely as any other, a token has 256 bits.
const LENGTH: usize = 43;
/// Of bytes up to here each letter is made from four.
const FAIR: u8 = 248;

/// A new token, as the stack generates its first one.
pub(super) fn generate() -> Result<SecretString, BoxError> {
    let random = SystemRandom::new();
    let mut token = String::with_capacity(LENGTH);
    while token.len() < LENGTH {
        let mut bytes = [0; LENGTH];
        random.fill(&mut bytes).map_err(|_| "the system gives no random numbers")?;
        let letters = bytes.iter().filter(|byte| **byte < FAIR);
        let letters = letters.filter_map(|byte| LETTERS.get(usize::from(*byte) % LETTERS.len()));
        token.extend(letters.take(LENGTH - token.len()).map(|letter| char::from(*letter)));
    }
    Ok(token.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;
    use std::collections::BTreeSet;

    #[test]
    fn each_token_is_new_and_every_letter_and_digit_occurs() {
        let tokens: Vec<SecretString> = (0..200).map(|_| generate().unwrap()).collect();
        let tokens: BTreeSet<&str> = tokens.iter().map(ExposeSecret::expose_secret).collect();
        assert_eq!(tokens.len(), 200);
        assert!(tokens.iter().all(|token| token.len() == LENGTH));
        let used: BTreeSet<u8> = tokens.iter().flat_map(|token| token.bytes()).collect();
        assert_eq!(used, LETTERS.iter().copied().collect());
    }
}
