//! Removes the secrets of a request from a refused request's answer.

use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use confidential::Secrets;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::BodyExt;
use secrecy::SecretString;
use serde_json::Value;

/// What a request contained. Its secrets are searched for only in a refusal.
pub(crate) struct Sent {
    headers: Vec<SecretString>,
    body: Option<SdkBody>,
}

/// The field with the name or ARN of a secret. It is not secret, and an error needs it.
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

/// The secret part of a header: the signature of a signed request, the token after `Bearer`, otherwise the whole
/// value.
fn secret_part(value: &str) -> &str {
    match value.split_once("Signature=") {
        Some((_, signature)) => signature,
        None => value.split_once(' ').map_or(value, |(_, credential)| credential),
    }
}

/// Collects the texts under keys that name a secret or a token.
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

/// The answer; if it is a refusal, without the secrets of its request.
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
    let body = refusal(body.to_bytes().into(), &secrets);
    Ok(Response::from_parts(head, SdkBody::from(body)))
}

/// A refusal without secrets. DynamoDB items inside it (from a failed condition) are not changed: the caller
/// continues with them.
fn refusal(body: Vec<u8>, secrets: &Secrets) -> Vec<u8> {
    let json = serde_json::from_slice::<Value>(&body).ok().filter(gives_items);
    let Some(mut json) = json else { return secrets.redact_refusal(body) };
    let mut items = Vec::new();
    each_item(&mut json, &mut |item| items.push(std::mem::take(item)));
    let redacted = secrets.redact_refusal(json.to_string().into_bytes());
    let Ok(mut json) = serde_json::from_slice(&redacted) else { return redacted };
    let mut items = items.into_iter();
    each_item(&mut json, &mut |item| *item = items.next().unwrap_or_default());
    json.to_string().into_bytes()
}

/// Whether a refusal is of the kind with which DynamoDB returns items.
fn gives_items(refusal: &Value) -> bool {
    let kind = refusal["__type"].as_str().unwrap_or_default().rsplit('#').next();
    matches!(kind, Some("ConditionalCheckFailedException" | "TransactionCanceledException"))
}

/// Visits the items in a refusal.
///
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CancellationReason.html>
fn each_item(refusal: &mut Value, act: &mut impl FnMut(&mut Value)) {
    refusal.get_mut("Item").into_iter().for_each(&mut *act);
    let reasons = refusal.get_mut("CancellationReasons").and_then(Value::as_array_mut);
    reasons.into_iter().flatten().filter_map(|reason| reason.get_mut("Item")).for_each(act);
}

fn headers(headers: &HeaderMap, secrets: &Secrets) -> HeaderMap {
    let redacted = headers.iter().filter_map(|(name, value)| {
        // The body's length has changed.
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

    #[tokio::test]
    async fn a_refusal_loses_the_secrets_of_the_request_and_nothing_else() {
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

    #[tokio::test]
    async fn an_item_that_failed_a_condition_comes_whole_and_the_words_beside_it_without_secrets() {
        let token = "IQoJb3JpZ2luX2VjEJr//w==";
        let request =
            Request::builder().header("x-amz-security-token", token).body(SdkBody::empty()).unwrap();
        let sent = Sent::of(&request);
        let item = serde_json::json!({ "document": { "S": format!("{token} {}", "x".repeat(300_000)) } });
        for (kind, reasons) in [("ConditionalCheckFailedException", 0), ("TransactionCanceledException", 2)] {
            let mut body = serde_json::json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{kind}"), "message": token });
            if reasons == 0 {
                body["Item"] = item.clone();
            } else {
                let reason =
                    serde_json::json!({ "Code": "ConditionalCheckFailed", "Message": token, "Item": item });
                body["CancellationReasons"] = serde_json::json!([{ "Code": "None" }, reason]);
            }
            let answer = Response::builder().status(400).body(SdkBody::from(body.to_string())).unwrap();
            let answer = without_secrets(answer, &sent).await.unwrap();
            let got: Value = serde_json::from_slice(answer.body().bytes().unwrap()).unwrap();
            let place = if reasons == 0 { &got } else { &got["CancellationReasons"][1] };
            assert_eq!(place["Item"], item, "{kind}");
            assert_eq!(got["message"], "[redacted]", "{kind}");
            assert!(reasons == 0 || place["Message"] == "[redacted]", "{kind}");
        }
        let other =
            serde_json::json!({ "__type": "x#ValidationException", "Item": { "S": token } }).to_string();
        let answer = Response::builder().status(400).body(SdkBody::from(other)).unwrap();
        let answer = without_secrets(answer, &sent).await.unwrap();
        assert!(!String::from_utf8_lossy(answer.body().bytes().unwrap()).contains(token));
    }
}
