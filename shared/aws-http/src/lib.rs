#![doc = include_str!("../README.md")]

mod answer;
mod reason;

pub use reason::{Said, code, reason, said};

use answer::{Sent, without_secrets};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use confidential::SecureUrl;
use http::Request;
use http::header::AUTHORIZATION;
use http_body_util::{LengthLimitError, Limited};
use std::error::Error;
use std::time::Duration;

/// The longest answer that is read, in bytes; a longer one is an error. The longest that the services in use send is
/// a page of DynamoDB: 1 MB of data, and a few times that as JSON.
pub const ANSWER_LIMIT_BYTES: usize = 16 * 1024 * 1024;

/// Lets the AWS SDK use this project's HTTP client, which reads at most [`ANSWER_LIMIT_BYTES`] of an answer. The
/// SDK's timeouts for operations and attempts apply; that for connecting is the HTTP client's, and so is that for a whole request, unless
/// the SDK has a timeout for reading.
pub fn shared_client(http: reqwest::Client) -> SharedHttpClient {
    http_client_fn(move |settings, _| {
        SharedHttpConnector::new(Connector(http.clone(), settings.read_timeout()))
    })
}

/// Whether an SDK error was caused by an answer longer than [`ANSWER_LIMIT_BYTES`].
pub fn is_too_long(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<LengthLimitError>() {
            return true;
        }
        next = error.source();
    }
    false
}

const INSECURE: &str = "the AWS endpoint URL must begin with https://, or with http:// for this machine";

/// The HTTP client, and how long a request may take if not as long as the client says.
#[derive(Debug)]
struct Connector(reqwest::Client, Option<Duration>);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (http, timeout) = (self.0.clone(), self.1);
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(|e| ConnectorError::user(e.into()))?;
            if is_signed(&request) && request.uri().to_string().parse::<SecureUrl>().is_err() {
                return Err(ConnectorError::user(INSECURE.into()));
            }
            let sent = Sent::of(&request);
            let mut request = reqwest::Request::try_from(request.map(reqwest::Body::wrap))
                .map_err(|e| ConnectorError::user(e.into()))?;
            if timeout.is_some() {
                *request.timeout_mut() = timeout;
            }
            let response = http.execute(request).await.map_err(|e| classify(e.without_url()))?;
            let response = without_secrets(http_response(response), &sent).await?;
            HttpResponse::try_from(response).map_err(|e| ConnectorError::other(e.into(), None))
        })
    }
}

/// Whether a request carries AWS credentials, so that its answer may contain secrets. Requests for credentials do not
/// carry any: those to the metadata services of EC2 and ECS go to link-local addresses over http.
fn is_signed(request: &Request<SdkBody>) -> bool {
    let authorization = request.headers().get(AUTHORIZATION);
    authorization.is_some_and(|value| value.as_bytes().starts_with(b"AWS4-"))
        || request.headers().contains_key("x-amz-security-token")
}

fn http_response(response: reqwest::Response) -> http::Response<SdkBody> {
    // Limited, because the SDK would otherwise read everything that a server sends into memory.
    http::Response::<reqwest::Body>::from(response)
        .map(|body| SdkBody::from_body_1_x(Limited::new(body, ANSWER_LIMIT_BYTES)))
}

fn classify(error: reqwest::Error) -> ConnectorError {
    if error.is_timeout() {
        ConnectorError::timeout(error.into())
    } else if error.is_connect() || error.is_request() || error.is_body() {
        ConnectorError::io(error.into())
    } else {
        ConnectorError::other(error.into(), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

    fn request(url: &str, header: (&str, &str)) -> HttpRequest {
        let request = Request::builder().uri(url).header(header.0, header.1).body(SdkBody::empty());
        HttpRequest::try_from(request.unwrap()).unwrap()
    }

    #[tokio::test]
    async fn a_signed_request_goes_to_https_or_to_this_machine_and_nowhere_else() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let connector = Connector(http_client::client(None).unwrap(), None);
        let signed = ("authorization", "AWS4-HMAC-SHA256 Credential=a");
        for header in [signed, ("x-amz-security-token", "t")] {
            for url in ["http://192.0.2.1/", "http://sqs.example.com/", "http://localhost.example.com/"] {
                let error = connector.call(request(url, header)).await.unwrap_err();
                assert!(workflow::chain(&error).contains(INSECURE), "{url}: {error:?}");
            }
        }
        // A request to this machine is sent (nothing listens there). So is a request for credentials.
        for (url, header) in
            [("http://127.0.0.1:9/", signed), ("http://localhost:9/", ("authorization", "token"))]
        {
            let error = connector.call(request(url, header)).await.unwrap_err();
            assert!(error.is_io(), "{url}: {error:?}");
        }
    }

    #[tokio::test]
    async fn a_timeout_of_the_sdk_for_reading_counts_in_place_of_the_clients() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        // The system accepts the connection, and nothing answers.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", silent.local_addr().unwrap());
        let connector = Connector(http_client::client(None).unwrap(), Some(Duration::from_millis(200)));
        let began = std::time::Instant::now();
        let error = connector.call(request(&url, ("accept", "*/*"))).await.unwrap_err();
        assert!(error.is_timeout() && began.elapsed() < Duration::from_secs(5), "{error:?}");
    }
}
