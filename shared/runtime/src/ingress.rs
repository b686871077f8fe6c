//! The ingress: checks the token of a request, stores the body, and answers with a status.
//!
//! The ingress needs the URL's token and the store, and nothing else: a mistake in the rules or another setting must
//! not keep events out. It stores every body that comes with the correct token, because Tableau switches a webhook
//! off after four refusals. The queue side decides which events can be acted on.

use crate::attempt::{Attempted, Request};
use crate::http::{HttpRequest, HttpResponse};
use crate::publish::EventPublisher;
use crate::telemetry::{self, Metric};
use async_trait::async_trait;
use deliveries::{Content, UNREADABLE};
use lambda_http::http::header::{ALLOW, RETRY_AFTER};
use lambda_http::http::{Method, StatusCode};
use secrets::WebhookTokens;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tableau::{EventId, EventName};
use workflow::{CredentialError, CredentialSource, chain};

/// The longest body that is accepted, in bytes. Tableau's bodies are below 1 KiB.
pub(crate) const BODY_LIMIT: usize = 64 * 1024;
/// How long the ingress lets a sender wait. Tableau's own timeout is not documented; a `503` in time is better than
/// an answer on a connection that Tableau has closed.
const TIMEOUT: Duration = Duration::from_secs(3);
/// The `Retry-After` of a `503`, for senders other than Tableau, which retries by its own schedule.
const RETRY_AFTER_SECONDS: &str = "5";

/// What an ingress does with an accepted event.
pub(crate) enum Then {
    /// Stores the event; it is handled later.
    Store(Arc<dyn EventPublisher>),
    /// Handles the event before answering: inline mode.
    Handle(Arc<dyn InlineHandler>),
}

/// Handles an event while the sender of the request waits.
#[async_trait]
pub(crate) trait InlineHandler: Send + Sync {
    async fn handle(&self, content: &Content, request: &Request) -> Attempted;
}

/// The part of a function that answers HTTP requests.
pub(crate) struct Ingress {
    pub(crate) function: &'static str,
    pub(crate) tokens: Arc<dyn CredentialSource<WebhookTokens>>,
    pub(crate) then: Then,
}

/// A body that came with the correct token. Only the token check creates this type, so no unverified body is parsed.
struct Verified(Vec<u8>);

/// Why a request was refused. The reason goes to the log; `answer` is what the sender receives.
enum Refused {
    Method,
    Forbidden(&'static str),
    TooLarge,
    Secret(CredentialError),
    NotStored(crate::publish::NotStored),
    TookTooLong,
}

impl Ingress {
    /// Answers an HTTP request.
    pub(crate) async fn answer(&self, http: &HttpRequest, request: &Request) -> HttpResponse {
        let answered = match &self.then {
            Then::Store(_) => match tokio::time::timeout(TIMEOUT, self.take(http, request)).await {
                Ok(answered) => answered,
                Err(_) => Err(Refused::TookTooLong),
            },
            // In inline mode the sender waits for the outcome, so no timeout applies.
            Then::Handle(_) => self.take(http, request).await,
        };
        let response = answered.unwrap_or_else(|refused| {
            let response = refused.response();
            refused.log(self.function, response.status().as_u16(), request);
            response
        });
        let status = response.status();
        let dimensions = [("function", self.function), ("status", status.as_str())];
        telemetry::report(&dimensions, &[Metric::count("Answers")], request.now().as_millisecond());
        response
    }

    async fn take(&self, http: &HttpRequest, request: &Request) -> Result<HttpResponse, Refused> {
        if http.method != Method::POST {
            return Err(Refused::Method);
        }
        let Verified(body) = self.verify(http).await?;
        let content = Content::received(&body);
        if content.payload().is_some_and(tableau::Payload::is_test) {
            tracing::info!(function = self.function, request.id = request.id, "test request answered");
            return Ok(HttpResponse::json(StatusCode::OK, &json!({ "status": "test" })));
        }
        let id = content.event_id();
        match &self.then {
            Then::Store(publisher) => {
                publisher.publish(&content).await.map_err(Refused::NotStored)?;
                self.accepted(&id, &content, request);
                Ok(HttpResponse::json(StatusCode::ACCEPTED, &json!({ "status": "accepted", "event_id": id })))
            }
            Then::Handle(handler) => Ok(inline(&id, handler.handle(&content, request).await)),
        }
    }

    async fn verify(&self, http: &HttpRequest) -> Result<Verified, Refused> {
        let Some(token) = http.token(self.function) else {
            return Err(Refused::Forbidden("no token"));
        };
        let tokens = self.tokens.current().await.map_err(Refused::Secret)?;
        let mut accepted = token.is_taken_by(|token| tokens.accept(token));
        // Without an answer the token may be the new one of a rotation. `503` says so; a `403` would not be true.
        if !accepted && let Some(renewed) = self.renewed(&tokens).await.map_err(Refused::Secret)? {
            accepted = token.is_taken_by(|token| renewed.accept(token));
        }
        if !accepted {
            return Err(Refused::Forbidden("wrong token"));
        }
        http.body(BODY_LIMIT).map(Verified).ok_or(Refused::TooLarge)
    }

    /// Reads the tokens again before a request is refused: after a rotation the cached tokens are old, and the first
    /// events with the new token must not be refused.
    async fn renewed(
        &self,
        tokens: &Arc<WebhookTokens>,
    ) -> Result<Option<Arc<WebhookTokens>>, CredentialError> {
        self.tokens.replacement(tokens).await
    }

    fn accepted(&self, id: &EventId, content: &Content, request: &Request) {
        let name = content.name();
        let site = content.payload().and_then(|payload| payload.site_luid.as_deref()).unwrap_or_default();
        tracing::info!(
            function = self.function,
            event.id = %id,
            event.name = name.chars().take(128).collect::<String>(),
            site.luid = site.chars().take(64).collect::<String>(),
            request.id = request.id,
            "event accepted"
        );
        if let Content::Unreadable(unreadable) = content {
            let reason = unreadable.reason.as_str();
            tracing::warn!(function = self.function, event.id = %id, reason, "the body cannot be read; it is stored all the same");
            let dimensions = [("function", self.function)];
            telemetry::report(&dimensions, &[Metric::count("Unreadable")], request.now().as_millisecond());
        }
        // The sender chooses the event name. Unknown names share one metric: each would otherwise create a metric of
        // its own.
        let known = name == UNREADABLE || EventName::from(name).is_known();
        let dimensions = [("function", self.function), ("event", if known { name } else { "Other" })];
        telemetry::report(&dimensions, &[Metric::count("Accepted")], request.now().as_millisecond());
    }
}

/// The answer in inline mode: the outcome of the attempt.
fn inline(id: &EventId, attempted: Attempted) -> HttpResponse {
    match attempted {
        Attempted::Done => HttpResponse::json(StatusCode::OK, &json!({ "status": "done", "event_id": id })),
        Attempted::Skipped(reason) => HttpResponse::json(
            StatusCode::OK,
            &json!({ "status": "skipped", "event_id": id, "reason": reason }),
        ),
        Attempted::Ignored(reason) => HttpResponse::json(
            StatusCode::OK,
            &json!({ "status": "ignored", "event_id": id, "reason": reason }),
        ),
        Attempted::Deferred { until, reason } => {
            let body = json!({ "status": "deferred", "event_id": id, "reason": reason, "until": until });
            HttpResponse::json(StatusCode::OK, &body)
        }
        Attempted::Duplicate => {
            let reason = "the event was handled before";
            HttpResponse::json(
                StatusCode::OK,
                &json!({ "status": "skipped", "event_id": id, "reason": reason }),
            )
        }
        Attempted::Busy { .. } => {
            let reason = "the event is being handled";
            let body =
                json!({ "status": "failed", "event_id": id, "failure": "transient", "reason": reason });
            HttpResponse::json(StatusCode::BAD_GATEWAY, &body)
        }
        Attempted::Failed { failure, .. } => {
            let kind = failure.kind();
            let reason = failure.reason();
            let body = json!({ "status": "failed", "event_id": id, "failure": kind, "reason": reason });
            HttpResponse::json(StatusCode::BAD_GATEWAY, &body)
        }
    }
}

impl Refused {
    fn response(&self) -> HttpResponse {
        match self {
            Self::Method => {
                let response = HttpResponse::error(StatusCode::METHOD_NOT_ALLOWED, "method not allowed");
                response.with_header(ALLOW, "POST")
            }
            Self::Forbidden(_) => HttpResponse::error(StatusCode::FORBIDDEN, "forbidden"),
            Self::TooLarge => {
                HttpResponse::error(StatusCode::PAYLOAD_TOO_LARGE, &format!("body: over {BODY_LIMIT} bytes"))
            }
            Self::Secret(_) | Self::NotStored(_) | Self::TookTooLong => {
                let response = HttpResponse::error(StatusCode::SERVICE_UNAVAILABLE, "try again later");
                response.with_header(RETRY_AFTER, RETRY_AFTER_SECONDS)
            }
        }
    }

    fn log(&self, function: &str, status: u16, request: &Request) {
        let reason = match self {
            Self::Method => "method".to_owned(),
            Self::Forbidden(reason) => (*reason).to_owned(),
            Self::TooLarge => "body too large".to_owned(),
            Self::Secret(error) => chain(error),
            Self::NotStored(error) => chain(error),
            Self::TookTooLong => {
                format!("the secret or the store did not answer within {} s", TIMEOUT.as_secs())
            }
        };
        if status == 503 {
            tracing::error!(function, status, reason, request.id = request.id, "event not stored");
        } else {
            tracing::warn!(function, status, reason, request.id = request.id, "request refused");
        }
    }
}
