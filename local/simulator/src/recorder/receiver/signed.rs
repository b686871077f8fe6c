//! A receiver of Standard Webhooks. It verifies the bytes that it got, before it reads them.

use super::Answer;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use jiff::Timestamp;
use sha2::Sha256;

/// By how much a timestamp may differ from the receiver's clock, in seconds.
const TOLERANCE: i64 = 5 * 60;

/// Takes or refuses a message.
pub(super) fn answer(keys: &[String], headers: &HeaderMap, body: &[u8], now: Timestamp) -> Answer {
    match verify(keys, headers, body, now) {
        Ok(()) => (204, String::new()),
        Err(why) => (401, why.to_owned()),
    }
}

fn verify(keys: &[String], headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<(), &'static str> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let id = header("webhook-id")
        .filter(|id| !id.is_empty() && !id.contains('.'))
        .ok_or("no usable webhook-id")?;
    let timestamp = header("webhook-timestamp").ok_or("no webhook-timestamp")?;
    let seconds: i64 = timestamp.parse().map_err(|_| "webhook-timestamp is no number")?;
    if (now.as_second() - seconds).abs() > TOLERANCE {
        return Err("webhook-timestamp is too old or too new");
    }
    let signatures = header("webhook-signature").ok_or("no webhook-signature")?;
    let is_ours = |signature: &str| {
        let given = signature.strip_prefix("v1,").and_then(|text| STANDARD.decode(text).ok());
        given.is_some_and(|given| keys.iter().any(|key| is_signed(key, id, timestamp, body, &given)))
    };
    if signatures.split(' ').any(is_ours) { Ok(()) } else { Err("no signature matches") }
}

fn is_signed(secret: &str, id: &str, timestamp: &str, body: &[u8], given: &[u8]) -> bool {
    let key = secret.strip_prefix("whsec_").and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default();
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else { return false };
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    mac.verify_slice(given).is_ok()
}
