//! An HTTP API: routes requests to functions as API Gateway does.

mod answer;
mod event;
mod route;

pub use route::RouteKey;

use crate::process::LambdaProcess;
use crate::stack_event::{Observer, StackEvent};
use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use http::StatusCode;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// The largest body the API takes: 10 MB.
///
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
const BODY_LIMIT_BYTES: usize = 10 * 1024 * 1024;
/// What is read of a body before it is found to be too large: all of it, so that the client hears the answer.
const READ_LIMIT_BYTES: usize = 64 * 1024 * 1024;

/// A route and the process behind it.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    pub(crate) key: RouteKey,
    pub(crate) function: LambdaProcess,
    pub(crate) timeout: Duration,
}

#[derive(Debug)]
struct Api {
    routes: Vec<Bound>,
    observer: Observer,
}

/// An HTTP API with these routes.
pub(crate) fn router(routes: Vec<Bound>, observer: Observer) -> Router {
    Router::new().fallback(handle).with_state(Arc::new(Api { routes, observer }))
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
        Ok(body) if body.len() <= BODY_LIMIT_BYTES => {
            let event = event::event(&route.key, parameters, &parts, &body, peer);
            match timeout(route.timeout, route.function.invoke(&event)).await {
                Ok(Ok(answer)) => answer::response(&answer),
                Ok(Err(error)) => {
                    let function = route.function.name().to_owned();
                    api.observer.notify(StackEvent::Failed { function, reason: error.chain() });
                    answer::failed()
                }
                Err(_) => answer::own(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
            }
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
