//! Sends the result of a request to the address that its caller named: signed, to public addresses only, without a redirect.

use forwarding::network::Endpoint;
use forwarding::{SigningKey, message_id, signatures};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

/// How long a receiver may take.
const TIMEOUT: Duration = Duration::from_secs(15);
/// The waits after attempts that failed. After the last one, the callback is given up.
const WAITS: [SignedDuration; 9] = [
    SignedDuration::from_secs(10),
    SignedDuration::from_mins(1),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(15),
    SignedDuration::from_hours(1),
    SignedDuration::from_hours(3),
    SignedDuration::from_hours(6),
    SignedDuration::from_hours(12),
    SignedDuration::from_hours(24),
];

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// The receiver has taken it.
    Taken,
    /// The receiver does not take it now, or did not answer.
    NotNow(String),
    /// It is no use to try again.
    Never(String),
}

/// The wait before the next attempt, after so many that failed. `None`: there is no next one.
pub(crate) fn wait_after(attempts: u32) -> Option<SignedDuration> {
    WAITS.get(usize::try_from(attempts).ok()?).copied()
}

/// Posts a result once.
pub(crate) async fn send(
    http: &reqwest::Client,
    url: &str,
    request: &str,
    secret: &SecretString,
    body: String,
    now: Timestamp,
) -> Sent {
    let endpoint = match Endpoint::parse(url) {
        Ok(endpoint) => endpoint,
        Err(problem) => return Sent::Never(format!("callback_url {problem}")),
    };
    let Ok(key) = SigningKey::parse(secret.expose_secret()) else {
        return Sent::Never("there is no key to sign with".to_owned());
    };
    let id = message_id(request, "callback");
    let timestamp = now.as_second();
    let Some(signature) = signatures(&[key], &id, timestamp, body.as_bytes()) else {
        return Sent::Never("there is no key to sign with".to_owned());
    };
    let posted = http
        .post(endpoint.as_url().clone())
        .timeout(TIMEOUT)
        .header("content-type", "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", timestamp.to_string())
        .header("webhook-signature", signature)
        .body(body)
        .send()
        .await;
    match posted {
        // The address may hold a secret.
        Err(error) => Sent::NotNow(workflow::chain(&error.without_url())),
        Ok(response) => match response.status().as_u16() {
            200..=299 => Sent::Taken,
            410 => Sent::Never("the receiver answered 410: it wants no more".to_owned()),
            status @ (300..=399) => {
                Sent::Never(format!("the receiver answered {status}: redirects are not followed"))
            }
            status => Sent::NotNow(format!("the receiver answered {status}")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_waits_grow_and_end() {
        let waits: Vec<_> = (0..20).map_while(wait_after).collect();
        assert_eq!(waits.len(), 9);
        assert!(waits.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(wait_after(u32::MAX), None);
    }
}
