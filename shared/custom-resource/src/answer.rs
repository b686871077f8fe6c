//! Answers to CloudFormation.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html>

use crate::request::Request;
use serde::Serialize;
use std::time::Duration;
use workflow::BoxError;

/// How many bytes of an answer its reason may take, as JSON. CloudFormation refuses answers of more than 4,096 bytes.
const REASON_LIMIT: usize = 2_500;
/// How long CloudFormation may take to accept the answer.
const TIMEOUT: Duration = Duration::from_secs(5);
const ATTEMPTS: u32 = 3;

/// An answer. `D`: what the template can read with `GetAtt`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Answer<'r, D> {
    status: &'static str,
    reason: String,
    physical_resource_id: &'r str,
    stack_id: &'r str,
    request_id: &'r str,
    logical_resource_id: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<D>,
}

impl<'r, D: Serialize> Answer<'r, D> {
    /// What was requested was done. `id`: the id that a new resource gets.
    pub fn success<P>(request: &'r Request<P>, id: &'r str, reason: &str, data: Option<D>) -> Self {
        Self::new(request, id, "SUCCESS", reason, data)
    }

    /// What was requested was not done.
    pub fn failure<P>(request: &'r Request<P>, id: &'r str, reason: &str) -> Self {
        Self::new(request, id, "FAILED", reason, None)
    }

    fn new<P>(
        request: &'r Request<P>,
        id: &'r str,
        status: &'static str,
        reason: &str,
        data: Option<D>,
    ) -> Self {
        Self {
            status,
            reason: shortened(reason),
            physical_resource_id: request.physical_resource_id.as_deref().unwrap_or(id),
            stack_id: &request.stack_id,
            request_id: &request.request_id,
            logical_resource_id: &request.logical_resource_id,
            data,
        }
    }

    /// Sends the answer.
    ///
    /// # Errors
    /// When CloudFormation does not take it.
    pub async fn send<P>(&self, http: &reqwest::Client, request: &Request<P>) -> Result<(), BoxError> {
        let body = serde_json::to_vec(self)?;
        let mut failed = None;
        for attempt in 0..ATTEMPTS {
            tokio::time::sleep(Duration::from_secs(u64::from(attempt))).await;
            // The URL is signed for an empty content type.
            let call = http.put(request.response_url.reveal()).header("content-type", "").timeout(TIMEOUT);
            match call.body(body.clone()).send().await.and_then(reqwest::Response::error_for_status) {
                Ok(_) => return Ok(()),
                // The URL is a credential.
                Err(error) => failed = Some(error.without_url()),
            }
        }
        Err(failed.map_or_else(|| "no attempt was made".into(), BoxError::from))
    }
}

/// The reason, cut so that it takes at most [`REASON_LIMIT`] bytes as JSON.
fn shortened(reason: &str) -> String {
    let bytes = |text: &str| serde_json::to_string(text).map_or(usize::MAX, |json| json.len());
    if bytes(reason) <= REASON_LIMIT {
        return reason.to_owned();
    }
    let mut short = reason[..reason.floor_char_boundary(REASON_LIMIT)].to_owned();
    while bytes(&short) > REASON_LIMIT {
        short.truncate(short.floor_char_boundary(short.len() * 9 / 10));
    }
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::RequestType;
    use serde_json::{Value, json};

    fn request(id: Option<&str>) -> Request<Value> {
        let request = json!({
            "RequestType": "Update", "ResponseURL": "https://s3.example/hunter2", "StackId": "s".repeat(150),
            "RequestId": "r-1", "LogicalResourceId": "Rules", "PhysicalResourceId": id,
        });
        serde_json::from_value(request).unwrap()
    }

    /// Cases F01, F02, F03: an answer has the id that the request has, also a failed one, and a new resource gets a constant one.
    #[test]
    fn f01_f02_f03_an_answer_repeats_the_id_of_the_resource() {
        for (given, expected) in [(Some("a"), "a"), (None, "constant")] {
            let request = request(given);
            let success = Answer::success(&request, "constant", "", Some(json!({})));
            let failure = Answer::<Value>::failure(&request, "constant", "");
            assert_eq!((success.physical_resource_id, failure.physical_resource_id), (expected, expected));
        }
    }

    /// Case F06: answers over 4 KB are refused.
    #[test]
    fn f06_an_answer_stays_below_the_limit_whatever_its_reason_is_made_of() {
        let request = request(None);
        for part in ["a", "\"", "\n", "ü", "\u{1}", "🛑"] {
            for count in [10, 2_400, 5_000, 50_000] {
                let answer = Answer::<Value>::failure(&request, "constant", &part.repeat(count));
                let bytes = serde_json::to_vec(&answer).unwrap().len();
                assert!(bytes < 4_096, "{part:?} {count}: {bytes}");
            }
        }
        assert_eq!(shortened("short"), "short");
    }

    #[test]
    fn the_url_is_not_shown() {
        let request = request(None);
        assert_eq!(request.request_type, RequestType::Update);
        assert!(!format!("{request:?}").contains("hunter2"));
    }
}
