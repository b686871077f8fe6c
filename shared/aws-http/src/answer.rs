//! Answers without what the request has told.

use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use confidential::Secrets;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::BodyExt;
use secrecy::SecretString;
use serde_json::Value;

/// What a request carried. Its secrets are only looked for when its answer is a refusal.
pub(crate) struct Sent {
    headers: Vec<SecretString>,
    body: Option<SdkBody>,
}

/// The name or ARN of a secret: no secret, and what its error is about.
const SECRET_ID: &str = "SecretId";

impl Sent {
    pub(crate) fn of(request: &Request<SdkBody>) -> Self {
        let secrets = request
            .headers()
            .iter()
            .filter(|(name, _)| name.as_str().contains("authorization") || name.as_str().contains("token"));
        let secrets = secrets.filter_map(|(_, value)| value.to_str().ok()).map(secret_part);
        Self { headers: secrets.map(SecretString::from).collect(), body: request.body().try_clone() }
    }

    fn secrets(&self) -> Secrets {
        let mut found = Vec::new();
        let body = self.body.as_ref().and_then(SdkBody::bytes);
        if let Some(Ok(body)) = body.map(serde_json::from_slice::<Value>) {
            collect(&body, false, &mut found);
        }
        Secrets::new(self.headers.iter().cloned().chain(found))
    }
}

/// Of a signed request the signature, of a bearer token what is behind its scheme, and all of anything else.
fn secret_part(value: &str) -> &str {
    match value.split_once("Signature=") {
        Some((_, signature)) => signature,
        None => value.split_once(' ').map_or(value, |(_, credential)| credential),
    }
}

/// The texts below keys that speak of a secret or a token.
fn collect(value: &Value, is_secret: bool, found: &mut Vec<SecretString>) {
    match value {
        Value::String(text) if is_secret => found.push(text.as_str().into()),
        Value::Array(values) => values.iter().for_each(|value| collect(value, is_secret, found)),
        Value::Object(object) => {
            for (key, value) in object {
                let name = key.to_ascii_lowercase();
                let speaks_of_it = key != SECRET_ID && (name.contains("secret") || name.contains("token"));
                collect(value, is_secret || speaks_of_it, found);
            }
        }
        _ => {}
    }
}

/// The answer; a refusal without the secrets of its request.
pub(crate) async fn without_secrets(
    response: Response<SdkBody>,
    sent: &Sent,
) -> Result<Response<SdkBody>, ConnectorError> {
    if response.status().is_success() {
        return Ok(response);
    }
    let secrets = sent.secrets();
    let (mut head, body) = response.into_parts();
    let body = body.collect().await.map_err(|error| ConnectorError::other(error, None))?;
    head.headers = headers(&head.headers, &secrets);
    let body = secrets.redact_refusal(body.to_bytes().into());
    Ok(Response::from_parts(head, SdkBody::from(body)))
}

fn headers(headers: &HeaderMap, secrets: &Secrets) -> HeaderMap {
    let redacted = headers.iter().filter_map(|(name, value)| {
        // The body has another length now.
        if name == http::header::CONTENT_LENGTH {
            return None;
        }
        let value = HeaderValue::from_bytes(&secrets.redact(value.as_bytes())).ok()?;
        Some((name.clone(), value))
    });
    redacted.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // 12-S1
    #[tokio::test]
    async fn a_refusal_loses_what_the_request_has_told_and_nothing_else() {
        let token = "IQoJb3JpZ2luX2VjEJr//w==";
        let signature = "0123456789abcdef0123456789abcdef";
        let stored = "HvZM|5fI6=:_-|a946";
        let request = Request::builder()
            .header("authorization", format!("AWS4-HMAC-SHA256 Credential=AKIA/x, Signature={signature}"))
            .header("x-amz-security-token", token)
            .header("x-amz-target", "DynamoDB_20120810.UpdateItem")
            .body(SdkBody::from(
                serde_json::json!({ "TableName": "t", "Values": { ":token": { "S": stored } }, "SecretId": "tableau" })
                    .to_string(),
            ))
            .unwrap();
        let sent = Sent::of(&request);
        let message = format!("{token} {signature} {stored} DynamoDB_20120810.UpdateItem on tableau");
        let answer = |status: u16| {
            let body = serde_json::json!({ "message": message }).to_string();
            Response::builder()
                .status(status)
                .header("x-amzn-errortype", token)
                .body(SdkBody::from(body))
                .unwrap()
        };
        for status in [302, 400, 403, 500] {
            let answer = without_secrets(answer(status), &sent).await.unwrap();
            assert_eq!(answer.headers()["x-amzn-errortype"], "[redacted]");
            let body: Value = serde_json::from_slice(answer.body().bytes().unwrap()).unwrap();
            let left = "[redacted] [redacted] [redacted] DynamoDB_20120810.UpdateItem on tableau";
            assert_eq!(body["message"], left, "{status}");
        }
        let answer = without_secrets(answer(200), &sent).await.unwrap();
        assert_eq!(answer.headers()["x-amzn-errortype"], token);
    }
}
