//! The door: request → verified → payload → stored → status.

use crate::LoadedRules;
use crate::attempt::{Attempted, Request};
use crate::http::{BadBody, HttpRequest, HttpResponse};
use crate::publish::EventPublisher;
use crate::telemetry::{self, Metric};
use crate::tokens::WebhookTokens;
use async_trait::async_trait;
use secrecy::ExposeSecret;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tableau::{EventId, EventName, Payload, PayloadError};
use workflow::{CredentialError, CredentialSource, chain};

/// The longest body that is read. Tableau's are below 1 KiB.
pub(crate) const BODY_LIMIT: usize = 64 * 1024;
/// How long a sender waits at most. Tableau's own patience is not documented; a `503` in time beats a connection that
/// it has given up.
const PATIENCE: Duration = Duration::from_secs(3);
/// When to come back, if the store did not confirm. Tableau keeps its own time.
const RETRY_AFTER_SECONDS: &str = "5";

/// What a door does with an event.
pub(crate) enum Then {
    /// Stores it, for later.
    Store(Arc<dyn EventPublisher>),
    /// Handles it before it answers: inline mode.
    Handle(Arc<dyn InlineHandler>),
}

/// Handles an event while its sender waits.
#[async_trait]
pub(crate) trait InlineHandler: Send + Sync {
    async fn handle(&self, payload: &Payload, request: &Request) -> Attempted;
}

/// The HTTP side of a function.
pub(crate) struct Door {
    pub(crate) function: &'static str,
    pub(crate) tokens: Arc<dyn CredentialSource<WebhookTokens>>,
    pub(crate) rules: LoadedRules,
    pub(crate) then: Then,
}

/// A body whose sender showed the token. There is no other way to make one, so nothing unverified is parsed.
struct Verified(Vec<u8>);

/// Why a request got no further. The reason is for the log; what the sender reads is in `answer`.
enum Refused {
    Method,
    Forbidden(&'static str),
    UnknownSite(String),
    Body(BadBody),
    Payload(PayloadError),
    Secret(CredentialError),
    NotStored(crate::publish::NotStored),
    TookTooLong,
}

impl Door {
    /// Answers a request.
    pub(crate) async fn answer(&self, http: &HttpRequest<'_>, request: &Request) -> HttpResponse {
        let answered = match &self.then {
            Then::Store(_) => match tokio::time::timeout(PATIENCE, self.take(http, request)).await {
                Ok(answered) => answered,
                Err(_) => Err(Refused::TookTooLong),
            },
            // Who asked for the outcome waits for it.
            Then::Handle(_) => self.take(http, request).await,
        };
        let (response, status) = match &answered {
            Ok(response) => (response.clone(), response.status_code),
            Err(refused) => {
                let response = refused.response();
                let status = response.status_code;
                refused.log(self.function, status, request);
                (response, status)
            }
        };
        let dimensions = [("function", self.function), ("status", &status.to_string())];
        telemetry::report(&dimensions, &[Metric::count("Answers")], request.now().as_millisecond());
        response
    }

    async fn take(&self, http: &HttpRequest<'_>, request: &Request) -> Result<HttpResponse, Refused> {
        if http.method() != "POST" {
            return Err(Refused::Method);
        }
        let Verified(body) = self.verify(http).await?;
        let payload = Payload::parse(&body).map_err(Refused::Payload)?;
        if payload.is_test() {
            tracing::info!(function = self.function, request.id = request.id, "test request answered");
            return Ok(HttpResponse::json(200, &json!({ "status": "test" })));
        }
        self.check_site(&payload)?;
        let id = EventId::of(&payload);
        match &self.then {
            Then::Store(publisher) => {
                publisher.publish(&payload).await.map_err(Refused::NotStored)?;
                self.accepted(&id, &payload, request);
                Ok(HttpResponse::json(202, &json!({ "status": "accepted", "event_id": id })))
            }
            Then::Handle(handler) => Ok(inline(&id, handler.handle(&payload, request).await)),
        }
    }

    async fn verify(&self, http: &HttpRequest<'_>) -> Result<Verified, Refused> {
        let Some(token) = http.token() else {
            return Err(Refused::Forbidden("no token"));
        };
        let tokens = self.tokens.current().await.map_err(Refused::Secret)?;
        let mut accepted = tokens.accept(token.expose_secret());
        if !accepted && let Ok(Some(renewed)) = self.renewed(&tokens).await {
            accepted = renewed.accept(token.expose_secret());
        }
        if !accepted {
            return Err(Refused::Forbidden("wrong token"));
        }
        http.body(BODY_LIMIT).map(Verified).map_err(Refused::Body)
    }

    /// After a rotation the kept tokens are old, and the first events with the new one must not be turned away.
    async fn renewed(
        &self,
        tokens: &Arc<WebhookTokens>,
    ) -> Result<Option<Arc<WebhookTokens>>, CredentialError> {
        self.tokens.replacement(tokens).await
    }

    /// An event that names no site is no event of an unknown site: it is stored, and recorded as skipped. A
    /// broken rules file names no sites, and keeps nothing out.
    fn check_site(&self, payload: &Payload) -> Result<(), Refused> {
        match (&payload.site_luid, self.rules.as_ref()) {
            (Some(site), Ok(rules)) if !rules.accepts(site) => {
                Err(Refused::UnknownSite(site.chars().take(64).collect()))
            }
            _ => Ok(()),
        }
    }

    fn accepted(&self, id: &EventId, payload: &Payload, request: &Request) {
        let name = payload.event_type.as_deref().unwrap_or_default();
        tracing::info!(
            function = self.function,
            event.id = %id,
            event.name = name.chars().take(128).collect::<String>(),
            site.luid = payload.site_luid.as_deref().unwrap_or_default().chars().take(64).collect::<String>(),
            request.id = request.id,
            "event accepted"
        );
        // Names come from the sender: as a dimension each unknown one would be a metric of its own.
        let known = EventName::from(name).is_known();
        let dimensions = [("function", self.function), ("event", if known { name } else { "Other" })];
        telemetry::report(&dimensions, &[Metric::count("Accepted")], request.now().as_millisecond());
    }
}

/// What inline mode answers.
fn inline(id: &EventId, attempted: Attempted) -> HttpResponse {
    match attempted {
        Attempted::Done => HttpResponse::json(200, &json!({ "status": "done", "event_id": id })),
        Attempted::Skipped(reason) => {
            HttpResponse::json(200, &json!({ "status": "skipped", "event_id": id, "reason": reason }))
        }
        Attempted::Deferred { until, reason } => {
            let body = json!({ "status": "deferred", "event_id": id, "reason": reason, "until": until });
            HttpResponse::json(200, &body)
        }
        Attempted::Duplicate => {
            let reason = "the event was handled before";
            HttpResponse::json(200, &json!({ "status": "skipped", "event_id": id, "reason": reason }))
        }
        Attempted::Busy { .. } => {
            let reason = "the event is being handled";
            let body =
                json!({ "status": "failed", "event_id": id, "failure": "transient", "reason": reason });
            HttpResponse::json(502, &body)
        }
        Attempted::Failed(failure) => {
            let (kind, reason) = (failure.kind(), failure.reason());
            let body = json!({ "status": "failed", "event_id": id, "failure": kind, "reason": reason });
            HttpResponse::json(502, &body)
        }
    }
}

impl Refused {
    fn response(&self) -> HttpResponse {
        match self {
            Self::Method => HttpResponse::error(405, "method not allowed").with_header("allow", "POST"),
            Self::Forbidden(_) | Self::UnknownSite(_) => HttpResponse::error(403, "forbidden"),
            Self::Body(BadBody::TooLarge) => {
                HttpResponse::error(413, &format!("body: over {BODY_LIMIT} bytes"))
            }
            Self::Body(BadBody::NotBase64) => HttpResponse::error(400, "body: not base64, though it says so"),
            Self::Payload(error) => HttpResponse::error(400, &error.to_string()),
            Self::Secret(_) | Self::NotStored(_) | Self::TookTooLong => {
                HttpResponse::error(503, "try again later").with_header("retry-after", RETRY_AFTER_SECONDS)
            }
        }
    }

    fn log(&self, function: &str, status: u16, request: &Request) {
        let reason = match self {
            Self::Method => "method".to_owned(),
            Self::Forbidden(reason) => (*reason).to_owned(),
            // Its sender showed the token: most likely a site that someone forgot to list.
            Self::UnknownSite(site) => format!("the rules file lists sites, and `{site}` is not among them"),
            Self::Body(BadBody::TooLarge) => "body too large".to_owned(),
            Self::Body(BadBody::NotBase64) => "body not base64".to_owned(),
            Self::Payload(error) => error.to_string(),
            Self::Secret(error) => chain(error),
            Self::NotStored(error) => chain(error),
            Self::TookTooLong => {
                format!("the secret or the store did not answer within {} s", PATIENCE.as_secs())
            }
        };
        if status == 503 {
            tracing::error!(function, status, reason, request.id = request.id, "event not stored");
        } else {
            tracing::warn!(function, status, reason, request.id = request.id, "request refused");
        }
    }
}
