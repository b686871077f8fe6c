//! Public pages of a workflow. Anyone may ask for one; the workflow checks the token in the path.
//!
//! A page is no webhook: the path alone decides which of the two a request is, so the webhooks' token opens no page, and the token of a
//! link stores no event.

use crate::attempt::{RESERVE, Request, Worker};
use crate::http::{HttpRequest, HttpResponse};
use crate::telemetry::{self, Metric};
use lambda_http::http::header::{ALLOW, RETRY_AFTER};
use lambda_http::http::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;
use workflow::{Failure, Invocation, PageMethod, PageRequest, Workflow};

/// The longest form that is read, in bytes.
const FORM_LIMIT: usize = 16 * 1024;
/// How long a person waits at most: an HTTP API gives up after 30 seconds.
///
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
const TIMEOUT: Duration = Duration::from_secs(25);
const RETRY_AFTER_SECONDS: &str = "30";

impl<W: Workflow> Worker<W> {
    /// Answers a request for a page. Neither the path nor the body is logged: both hold what is secret.
    pub(crate) async fn page(
        &self,
        http: &HttpRequest,
        token: &SecretString,
        request: &Request,
    ) -> HttpResponse {
        let response = self.page_or_refusal(http, token, request).await;
        let response = if http.method == Method::HEAD { response.without_body() } else { response };
        let status = response.status();
        let method = http.method.as_str();
        tracing::info!(
            function = W::NAME,
            method,
            status = status.as_u16(),
            request.id = request.id,
            "page answered"
        );
        let dimensions = [("function", W::NAME), ("status", status.as_str())];
        telemetry::report(&dimensions, &[Metric::count("Pages")], request.now().as_millisecond());
        response
    }

    async fn page_or_refusal(
        &self,
        http: &HttpRequest,
        token: &SecretString,
        request: &Request,
    ) -> HttpResponse {
        let method = match http.method {
            Method::GET | Method::HEAD => PageMethod::Get,
            Method::POST => PageMethod::Post,
            _ => {
                let refused = HttpResponse::error(StatusCode::METHOD_NOT_ALLOWED, "method not allowed");
                return refused.with_header(ALLOW, "GET, HEAD, POST");
            }
        };
        let body = match method {
            PageMethod::Get => Some(Vec::new()),
            PageMethod::Post => http.body(FORM_LIMIT),
        };
        let Some(body) = body else {
            let limit = format!("body: over {FORM_LIMIT} bytes");
            return HttpResponse::error(StatusCode::PAYLOAD_TOO_LARGE, &limit);
        };
        let page = PageRequest {
            method,
            token: token.expose_secret().to_owned(),
            content_type: http.content_type().to_owned(),
            fetch_site: http.fetch_site().to_owned(),
            body,
        };
        let time = request.remaining().saturating_sub(RESERVE).min(TIMEOUT);
        let invocation = Invocation::new(request.id.clone(), request.now(), time);
        let answer = async {
            match tokio::time::timeout(time, self.workflow()?.on_page(&page, &invocation)).await {
                Ok(answer) => answer,
                Err(_) => Err(Failure::transient("the page was not ready in time")),
            }
        };
        match answer.await {
            Ok(page) => {
                if page.is_misconfigured {
                    let dimensions = [("workflow", W::NAME), ("outcome", "misconfigured")];
                    telemetry::report(
                        &dimensions,
                        &[Metric::count("Attempts")],
                        request.now().as_millisecond(),
                    );
                }
                HttpResponse::page(page)
            }
            Err(failure) => {
                let reason = failure.reason();
                tracing::error!(function = W::NAME, reason, request.id = request.id, "no page");
                let unavailable = HttpResponse::error(StatusCode::SERVICE_UNAVAILABLE, "try again later");
                unavailable.with_header(RETRY_AFTER, RETRY_AFTER_SECONDS)
            }
        }
    }
}
