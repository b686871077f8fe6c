//! An HTTP API: routes requests to functions as API Gateway does.

mod answer;
mod event;
mod route;
mod throttle;

pub use route::RouteKey;

pub(crate) use throttle::Bucket;

use crate::lambda::Lambda;
use crate::process::InvocationError;
use crate::stack_event::{Observer, StackEvent};
use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use http::StatusCode;
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// The largest request body that the HTTP API accepts: 10 MB.
///
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
const BODY_LIMIT_BYTES: usize = 10 * 1024 * 1024;
/// How much of an oversized body is read: all of it, so that the client receives the answer.
const READ_LIMIT_BYTES: usize = 64 * 1024 * 1024;

/// A route and the function that answers it.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    pub(crate) key: RouteKey,
    pub(crate) function: Lambda,
    pub(crate) timeout: Duration,
}

#[derive(Debug)]
struct Api {
    routes: Vec<Bound>,
    throttle: Option<Bucket>,
    observer: Observer,
}

/// An HTTP API with these routes and the throttling of its stage.
pub(crate) fn router(routes: Vec<Bound>, throttle: Option<Bucket>, observer: Observer) -> Router {
    Router::new().fallback(handle).with_state(Arc::new(Api { routes, throttle, observer }))
}

async fn handle(
    State(api): State<Arc<Api>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let found = route::find(&api.routes, |route| &route.key, parts.method.as_str(), parts.uri.path());
    let Some((route, parameters)) = found else {
        return answer::own(StatusCode::NOT_FOUND, "Not Found");
    };
    let response = match axum::body::to_bytes(body, READ_LIMIT_BYTES).await {
        _ if api.throttle.as_ref().is_some_and(|bucket| !bucket.take(Instant::now())) => {
            answer::own(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests")
        }
        Ok(body) if body.len() <= BODY_LIMIT_BYTES => {
            let event = event::event(&route.key, parameters, &parts, &body, peer);
            answer(&api, route, &event).await
        }
        _ => answer::own(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
    };
    api.observer.notify(StackEvent::Answered {
        route: route.key.to_string(),
        function: route.function.name().to_owned(),
        status: response.status().as_u16(),
        duration: started.elapsed(),
    });
    response
}

/// The response of the function behind a route.
///
/// An HTTP API answers 503 both when a function takes too long and when Lambda throttles it with 429. The latter is
/// not documented; clients report it: <https://github.com/anomalyco/sst/issues/2232>.
async fn answer(api: &Api, route: &Bound, event: &Value) -> Response {
    let unavailable = || answer::own(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable");
    // API Gateway does not pass a lineage on, so each request begins a new chain of invocations.
    let trace = event["headers"]["x-amzn-trace-id"].as_str();
    let function = || route.function.name().to_owned();
    match timeout(route.timeout, route.function.invoke(event, trace)).await {
        Ok(Ok(answer)) => answer::response(&answer),
        Ok(Err(InvocationError::Throttled)) => {
            api.observer.notify(StackEvent::Throttled { function: function() });
            unavailable()
        }
        Ok(Err(error)) => {
            api.observer.notify(StackEvent::Failed { function: function(), reason: error.chain() });
            answer::failed()
        }
        Err(_) => unavailable(),
    }
}
