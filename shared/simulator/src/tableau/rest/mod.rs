//! The REST API: from a request to an answer.

mod auth;
mod broadcasts;
mod call;
mod content;
mod element;
mod error;
mod filter;
mod jobs;
mod json;
mod page;
mod people;
mod route;
mod server;
mod version;
mod webhooks;

pub use version::RestVersion;

use super::state::State;
use crate::fault::Fault;
use crate::server::Connection;
use axum::body::{Body as HttpBody, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State as Shared};
use axum::response::Response;
use call::{Answer, Body, Call, Then};
use element::Element;
use error::RestError;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use route::{Access, ROUTES, Route, Since};
use std::sync::Arc;

/// The largest request body that is read.
const BODY_LIMIT: usize = 1 << 20;

/// Answers every request that no other part of the server takes.
pub(super) async fn serve(
    Shared(state): Shared<Arc<State>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_LIMIT).await.unwrap_or_default();
    let Some((version, path)) = split(parts.uri.path()) else {
        return plain(StatusCode::NOT_FOUND, format!("nothing at {} {}\n", parts.method, parts.uri.path()));
    };
    let call = format!("{} {path}", parts.method);
    let found =
        ROUTES.iter().find_map(|r| Some((r, r.variables(path)?)).filter(|_| parts.method == r.method));
    let name = found.as_ref().map_or_else(|| call.clone(), |(route, _)| route.name());
    let fault = state.faults().take(&[&call, &name]);
    let response = match fault {
        Some(Fault::Reset) => {
            state.count(name, true);
            return connection.reset();
        }
        Some(Fault::Delay(delay)) => {
            tokio::time::sleep(delay).await;
            answer(&state, &parts, version, path, found, &body).await
        }
        Some(fault) => broken(fault),
        None => answer(&state, &parts, version, path, found, &body).await,
    };
    state.count(name, response.status().as_u16() >= 400);
    response
}

/// `/api/3.29/sites/…` as `3.29` and `/sites/…`.
fn split(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix("/api/")?;
    let at = rest.find('/')?;
    Some((&rest[..at], &rest[at..]))
}

fn plain(status: StatusCode, text: String) -> Response {
    let mut response = Response::new(HttpBody::from(text));
    *response.status_mut() = status;
    response
}

/// The answer of a call that goes wrong on demand.
fn broken(fault: Fault) -> Response {
    let status = |code| StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match fault {
        Fault::Html(code) => {
            let page = format!("<html><body><h1>{}</h1></body></html>\n", status(code));
            let mut response = plain(status(code), page);
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
            response
        }
        Fault::TooManyRequests { retry_after } => {
            let mut response = refused(&RestError::new("429000", "Too many requests. Try again later."));
            if let Some(seconds) = retry_after {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            response
        }
        Fault::Error(code) => refused(&RestError::new(code, "As planned.")),
        Fault::Status(code) => plain(status(code), String::new()),
        Fault::Reset | Fault::Delay(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, String::new()),
    }
}

fn refused(error: &RestError) -> Response {
    written(error.status(), Some(&error.element()), None)
}

/// The one place that decides how an answer is written.
fn written(status: u16, document: Option<&Element>, location: Option<&str>) -> Response {
    let mut response = match document {
        Some(root) => {
            let mut response = Response::new(HttpBody::from(json::render(root)));
            let json = HeaderValue::from_static("application/json;charset=utf-8");
            response.headers_mut().insert(header::CONTENT_TYPE, json);
            response
        }
        None => Response::new(HttpBody::empty()),
    };
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Some(location) = location.and_then(|l| HeaderValue::from_str(l).ok()) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

async fn answer(
    state: &Arc<State>,
    parts: &Parts,
    version: &str,
    path: &str,
    found: Option<(&Route, Vec<String>)>,
    body: &Bytes,
) -> Response {
    let mut answer = match handled(state, parts, version, path, found, body) {
        Ok(answer) => answer,
        Err(error) => return refused(&error),
    };
    match std::mem::replace(&mut answer.then, Then::Nothing) {
        Then::Nothing => {}
        Then::Refresh(luid) => state.run_refresh(luid),
        Then::Test { webhook, url } => {
            answer.document = Some(webhooks::test_result(&webhook, state.post(&url, "").await));
        }
    }
    written(answer.status, answer.document.as_ref(), answer.location.as_deref())
}

fn handled(
    state: &State,
    parts: &Parts,
    version: &str,
    path: &str,
    found: Option<(&Route, Vec<String>)>,
    body: &Bytes,
) -> Result<Answer, RestError> {
    let settings = &state.settings;
    let spoken = RestVersion::FIRST..=settings.max_version;
    let number = version.parse().ok().filter(|v| spoken.contains(v));
    if number.is_none() && version != "exp" {
        return Err(RestError::new("404001", format!("API version '{version}' is not supported.")));
    }
    let unknown = || RestError::new("404003", format!("The resource '{path}' is not known in this version."));
    let Some((route, variables)) = found.filter(|(route, _)| is_there(route, number)) else {
        let other_method = ROUTES.iter().any(|r| r.variables(path).is_some() && is_there(r, number));
        let wrong = RestError::new("405000", format!("{} is not allowed here.", parts.method));
        return Err(if other_method { wrong } else { unknown() });
    };
    let now = settings.clock.now();
    let mut model = state.model();
    let session = match route.access {
        Access::Anyone => None,
        _ => {
            let token = token(&parts.headers)?;
            let invalid = || RestError::new("401002", "Invalid authentication credentials were provided.");
            Some(model.use_session(token, now).ok_or_else(invalid)?)
        }
    };
    let query = parts.uri.query().unwrap_or_default();
    let mut call = Call {
        settings,
        model: &mut model,
        now,
        version: number.unwrap_or(settings.max_version),
        path: variables,
        query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        body: Body::default(),
        session,
    };
    check(&call, route.access)?;
    call.body = Body::json(body)?;
    (route.handler)(&mut call)
}

/// Whether a route is there in this version; `None` stands for `exp`.
fn is_there(route: &Route, version: Option<RestVersion>) -> bool {
    match (route.since, version) {
        (Since::Version(since), Some(version)) => since <= version,
        (Since::Experimental, None) => true,
        _ => false,
    }
}

fn token(headers: &HeaderMap) -> Result<&str, RestError> {
    let missing = RestError::new("401000", "No authentication credentials were provided.");
    let token = headers.get("x-tableau-auth").ok_or(missing)?.to_str().unwrap_or_default();
    if token.is_empty() {
        return Err(RestError::new("403001", "The authentication token header is empty."));
    }
    Ok(token)
}

/// Whether the session is for the site in the path, and its user may do this.
fn check(call: &Call<'_>, access: Access) -> Result<(), RestError> {
    if !matches!(access, Access::Site | Access::Administrator) {
        return Ok(());
    }
    let site = call.path.first().map_or("", String::as_str);
    if call.model.site(site).is_none() {
        return Err(RestError::not_found("404000", "Site", site));
    }
    if call.site().as_str() != site {
        return Err(RestError::new("403010", "The session is for another site."));
    }
    if access == Access::Administrator && !call.is_administrator() {
        return Err(RestError::new("403000", "Only administrators may do this."));
    }
    Ok(())
}
