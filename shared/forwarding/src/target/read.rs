//! Reads answers.

use reqwest::Response;

/// How much of an answer is read, in bytes.
const BODY_LIMIT: usize = 16 * 1024;

/// The beginning of a body.
pub(super) async fn read_body(response: &mut Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() >= BODY_LIMIT {
            body.truncate(BODY_LIMIT);
            break;
        }
    }
    Ok(body)
}
