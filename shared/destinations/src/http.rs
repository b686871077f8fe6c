//! What every destination's answer needs.

use reqwest::{Response, header};
use std::time::Duration;

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: String,
}

/// The longest answer that is looked at: refusals are a word or a small object, but Slack repeats the message that it took,
/// with six characters for each that is not ASCII.
const BODY_LIMIT: usize = 1024 * 1024;

impl Answer {
    /// Reads an answer. Errors lose their URL.
    pub(crate) async fn read(mut response: Response) -> Result<Self, reqwest::Error> {
        let status = response.status().as_u16();
        let retry_after = response
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|seconds| seconds.trim().parse().ok())
            .map(Duration::from_secs);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(reqwest::Error::without_url)? {
            body.extend_from_slice(&chunk);
            if body.len() >= BODY_LIMIT {
                body.truncate(BODY_LIMIT);
                break;
            }
        }
        Ok(Self { status, retry_after, body: String::from_utf8_lossy(&body).into_owned() })
    }

    /// The destination's word for its refusal, fit for a log line.
    pub(crate) fn word(text: &str) -> String {
        text.trim().chars().filter(|c| !c.is_control()).take(80).collect()
    }
}
