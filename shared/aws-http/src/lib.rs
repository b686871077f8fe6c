#![doc = include_str!("../README.md")]

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;

/// Makes the SDK's HTTP client of ours. The SDK's timeouts for operations and their attempts stand around it; those for
/// connecting and reading are the client's own.
pub fn shared_client(http: reqwest::Client) -> SharedHttpClient {
    let connector = SharedHttpConnector::new(Connector(http));
    http_client_fn(move |_, _| connector.clone())
}

#[derive(Debug)]
struct Connector(reqwest::Client);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let http = self.0.clone();
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(|e| ConnectorError::user(e.into()))?;
            let request = reqwest::Request::try_from(request.map(reqwest::Body::wrap))
                .map_err(|e| ConnectorError::user(e.into()))?;
            let response = http.execute(request).await.map_err(|e| classify(e.without_url()))?;
            let response = HttpResponse::try_from(http_response(response));
            response.map_err(|e| ConnectorError::other(e.into(), None))
        })
    }
}

fn http_response(response: reqwest::Response) -> http::Response<SdkBody> {
    http::Response::<reqwest::Body>::from(response).map(SdkBody::from_body_1_x)
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
