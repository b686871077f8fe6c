//! One upload session: its address, how far it is, and how many bytes there are belong together.
//!
//! Source: <https://learn.microsoft.com/graph/api/driveitem-createuploadsession>

use super::answer::{Answer, unreachable};
use crate::{Error, Pieces};
use bytes::Bytes;
use confidential::{Secrets, SecureUrl};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::time::Duration;

/// How long a piece may take. 5 MiB in this time are 44 KB a second.
const PIECE_TIMEOUT: Duration = Duration::from_secs(120);
/// How long a question may take.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(10);

/// An upload session. The address carries its own permission: who has it can write the file.
pub(super) struct Session {
    url: SecureUrl,
    /// How many bytes the service has.
    next: u64,
    total: u64,
}

/// What came of sending a piece.
pub(super) enum Sent {
    /// There is more to send.
    Next,
    /// The file is there: its answer.
    Whole(Answer),
    /// The service does not know the session any more.
    Gone,
    /// The service has other bytes than we think.
    OutOfStep,
    /// A refusal.
    Refused(Answer),
}

/// Whether a session has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// It was open until now.
    Now,
    /// It was not there any more: the file may be whole.
    Before,
    /// Nothing is known.
    Unknown,
}

impl Session {
    /// The session at an address that Graph named.
    pub(super) fn new(url: SecureUrl, total: u64) -> Self {
        Self { url, next: 0, total }
    }

    /// The address, to keep it sealed.
    pub(super) fn address(&self) -> SecretString {
        SecretString::from(self.url.as_str().to_owned())
    }

    /// How many bytes have arrived.
    pub(super) fn sent(&self) -> u64 {
        self.next
    }

    /// How many bytes there are.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// Whether the next piece is the last one.
    pub(super) fn is_at_the_last(&self, piece: usize) -> bool {
        self.next + piece as u64 >= self.total
    }

    /// Sends the next piece. Without our token: with one, an upload host answers 401.
    pub(super) async fn send(
        &mut self,
        http: &reqwest::Client,
        agent: &str,
        pieces: &Pieces<'_>,
    ) -> Result<Sent, Error> {
        let piece: Bytes = pieces.at(self.next).map_err(Error::Disk)?;
        let end = self.next + piece.len() as u64;
        let range = format!("bytes {}-{}/{}", self.next, end.saturating_sub(1), self.total);
        let request = http
            .put(self.url.as_url().clone())
            .timeout(PIECE_TIMEOUT)
            .header("user-agent", agent)
            .header("content-range", range)
            .body(piece);
        let response = request.send().await.map_err(unreachable)?;
        let answer = Answer::read(response, &self.secrets()).await?;
        Ok(match answer.status {
            200 | 201 => Sent::Whole(answer),
            202 => {
                // Ranges that the service asks for count more than what we think that it has.
                self.next =
                    answer.json.as_ref().and_then(expected).filter(|next| *next <= self.total).unwrap_or(end);
                Sent::Next
            }
            404 | 410 => Sent::Gone,
            // The address carries its own permission, which may end: our credential has no part in it.
            401 | 403 if !answer.is_in_use() => Sent::Gone,
            416 => Sent::OutOfStep,
            _ => Sent::Refused(answer),
        })
    }

    /// Asks the service how much it has.
    pub(super) async fn ask(&mut self, http: &reqwest::Client, agent: &str) -> Result<Sent, Error> {
        let request =
            http.get(self.url.as_url().clone()).timeout(QUESTION_TIMEOUT).header("user-agent", agent);
        let response = request.send().await.map_err(unreachable)?;
        let answer = Answer::read(response, &self.secrets()).await?;
        match answer.status {
            200 => match answer.json.as_ref().and_then(expected) {
                Some(next) if next < self.total => {
                    self.next = next;
                    Ok(Sent::Next)
                }
                // It expects nothing more, so it has all of it.
                _ => Ok(Sent::Gone),
            },
            401 | 403 | 404 | 410 => Ok(Sent::Gone),
            _ => Ok(Sent::Refused(answer)),
        }
    }

    /// Whether the service has all bytes, so that only its answer with the file is missing.
    pub(super) fn is_at_the_end(&self) -> bool {
        self.total > 0 && self.next >= self.total
    }

    /// Ends the session without a file.
    pub(super) async fn cancel(http: &reqwest::Client, agent: &str, address: &SecretString) -> Ended {
        let request =
            http.delete(address.expose_secret()).timeout(QUESTION_TIMEOUT).header("user-agent", agent);
        match request.send().await {
            Ok(answer) if answer.status().is_success() => Ended::Now,
            Ok(answer) if matches!(answer.status().as_u16(), 404 | 410) => Ended::Before,
            _ => Ended::Unknown,
        }
    }

    fn secrets(&self) -> Secrets {
        Secrets::of_url(self.url.as_url())
    }
}

/// The first byte that the service still expects: `{"nextExpectedRanges": ["26-", "40-50"]}`.
fn expected(json: &Value) -> Option<u64> {
    let range = json.get("nextExpectedRanges")?.as_array()?.first()?.as_str()?;
    range.split('-').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_first_range_that_is_expected_says_where_to_go_on() {
        for (json, next) in [
            (json!({ "nextExpectedRanges": ["327680-"] }), Some(327_680)),
            (json!({ "nextExpectedRanges": ["26-50", "70-"] }), Some(26)),
            (json!({ "nextExpectedRanges": [] }), None),
            (json!({ "nextExpectedRanges": ["x"] }), None),
            (json!({}), None),
        ] {
            assert_eq!(expected(&json), next, "{json}");
        }
    }
}
