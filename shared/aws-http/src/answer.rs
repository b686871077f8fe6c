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
        // Of a signed request the signature; a bearer token behind its scheme.
        let secrets = secrets.filter_map(|(_, value)| value.to_str().ok()?.rsplit([' ', '=']).next());
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
