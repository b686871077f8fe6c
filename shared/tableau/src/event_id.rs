//! Event ids.

use crate::{Payload, own};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::{self, Write};
use std::str::FromStr;

/// An event's id: the SHA-256 of the canonical payload, as 64 lower-case hexadecimal digits.
///
/// Tableau sends no id, and may deliver one event several times with identical JSON; deliveries with equal payloads
/// are therefore one event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(String);

impl EventId {
    /// The id of the event with this payload.
    pub fn of(payload: &Payload) -> Self {
        let identity = own::identity(payload);
        Self::of_bytes(identity.as_ref().unwrap_or(payload).canonical_json().as_bytes())
    }

    /// The id of a body that cannot be read: the SHA-256 of its bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        let digest = Sha256::digest(bytes);
        let mut hex = String::with_capacity(64);
        for byte in digest {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
        }
        Self(hex)
    }

    /// The complete id of 64 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The short id: the first 12 digits, enough for people to find the log line.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

/// The error that a text is not an event id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected 64 lower-case hexadecimal digits")]
pub struct NotAnEventId;

impl FromStr for EventId {
    type Err = NotAnEventId;

    fn from_str(text: &str) -> Result<Self, NotAnEventId> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let is_id = text.len() == 64 && text.bytes().all(is_digit);
        is_id.then(|| Self(text.to_owned())).ok_or(NotAnEventId)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_the_sha_256_of_the_canonical_text() {
        let payload = Payload::parse(br#"{"event_type":"SiteUpdated","resource":"SITE"}"#).unwrap();
        // printf '{"event_type":"SiteUpdated","resource":"SITE"}' | sha256sum
        let expected = "66764cae3f271aa0625a326e9fc66354d184574566364473c29659a80bd7bfd7";
        assert_eq!(EventId::of(&payload).as_str(), expected);
    }

    #[test]
    fn an_event_id_is_64_lower_case_hexadecimal_digits() {
        let id = EventId::of_bytes(b"");
        assert_eq!(id.as_str().parse(), Ok(id.clone()));
        for wrong in ["", "717bbc05a8f9", &id.as_str().to_uppercase(), &id.as_str().replace('e', "g")] {
            assert_eq!(wrong.parse::<EventId>(), Err(NotAnEventId), "{wrong}");
        }
    }
}
