//! The API of a workflow, for programs. Anyone may send a request; the workflow checks who it is.
//!
//! An API is no webhook: the path alone decides which of the two a request is, so the webhooks' token opens no API, and the key of a
//! caller stores no event.

use crate::attempt::{RESERVE, Request, Worker};
use crate::http::{HttpRequest, HttpResponse};
use crate::telemetry::{self, Metric};
use serde_json::json;
use std::time::Duration;
use workflow::{ApiAnswer, ApiRequest, Failure, Invocation, Workflow};

/// How long a caller waits at most: an HTTP API gives up after 30 seconds.
///
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
const TIMEOUT: Duration = Duration::from_secs(28);
const RETRY_AFTER_SECONDS: &str = "10";

impl<W: Workflow> Worker<W> {
    /// Answers a request to the API. Of the request only the method is logged here; the workflow logs who asked for what.
    pub(crate) async fn api(
        &self,
        http: &HttpRequest,
        id: Option<String>,
        request: &Request,
    ) -> HttpResponse {
        let asked = ApiRequest {
            method: http.method.as_str().to_owned(),
            id,
            query: http.query(),
            authorization: http.authorization().to_owned(),
            idempotency_key: http.idempotency_key().map(str::to_owned),
            content_type: http.content_type().to_owned(),
            body: http.body(ApiRequest::BODY_LIMIT),
        };
        let time = request.remaining().saturating_sub(RESERVE).min(TIMEOUT);
        let invocation = Invocation::new(request.id.clone(), request.now(), time);
        let answer = async {
            match tokio::time::timeout(time, self.workflow()?.on_api(&asked, &invocation)).await {
                Ok(answer) => answer,
                Err(_) => Err(Failure::transient("the answer was not ready in time")),
            }
        };
        let answer = answer.await.unwrap_or_else(|failure| {
            let reason = failure.reason();
            tracing::error!(function = W::NAME, reason, request.id = request.id, "no answer");
            if matches!(failure, Failure::Misconfigured { .. }) {
                let dimensions = [("workflow", W::NAME), ("outcome", "misconfigured")];
                telemetry::report(&dimensions, &[Metric::count("Attempts")], request.now().as_millisecond());
            }
            unavailable()
        });
        let status = answer.status.to_string();
        let method = http.method.as_str();
        tracing::info!(function = W::NAME, method, status, request.id = request.id, "API request answered");
        let dimensions = [("function", W::NAME), ("status", status.as_str())];
        telemetry::report(&dimensions, &[Metric::count("ApiAnswers")], request.now().as_millisecond());
        HttpResponse::api(answer)
    }
}

/// The answer while a part that the API needs does not work.
fn unavailable() -> ApiAnswer {
    let problem = json!({
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "The service cannot answer now. Try again later.",
        "code": "unavailable",
    });
    ApiAnswer::problem(503, problem.to_string()).with_header("retry-after", RETRY_AFTER_SECONDS)
}
