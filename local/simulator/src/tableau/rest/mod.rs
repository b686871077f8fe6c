//! The REST API: from a request to an answer.

mod auth;
mod broadcasts;
pub(super) mod call;
mod capabilities;
mod connections;
mod content;
mod element;
pub(super) mod error;
mod export;
mod export_limit;
mod fields;
mod filter;
mod flow_runs;
mod flows;
mod format;
mod jobs;
mod json;
mod labels;
#[cfg(test)]
mod mapping;
mod page;
mod parts;
mod permission;
mod projects;
mod quality;
mod recycle_bin;
mod response;
mod route;
mod server;
mod tags;
mod takes;
mod tasks;
mod update;
mod users;
mod views;
mod webhooks;
mod xml;

use super::metadata;
use super::model::{Session, covers};
use super::state::State;
use super::version::RestVersion;
use crate::fault::Fault;
use crate::socket::Connection;
use axum::body::{Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State as Shared};
use axum::response::Response;
use call::{Answer, Body, Call, Content, Then};
use error::RestError;
use export_limit::ExportLimit;
use format::Format;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use response::{broken, moved, plain, refused, written};
use route::{Access, ROUTES, Route, Scope, Since};
use std::sync::Arc;

/// The largest request body that is read, in bytes.
const BODY_LIMIT: usize = 1 << 20;

/// Answers every request outside the admin page.
pub(super) async fn serve(
    Shared(state): Shared<Arc<State>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_LIMIT).await.unwrap_or_default();
    if let Some(there) = state.moved_to().as_deref() {
        return moved(there, &parts.uri);
    }
    let Some((version, path)) = split(parts.uri.path()) else {
        return plain(StatusCode::NOT_FOUND, format!("nothing at {} {}\n", parts.method, parts.uri.path()));
    };
    let call = format!("{} {path}", parts.method);
    let found =
        ROUTES.iter().find_map(|r| Some((r, r.variables(path)?)).filter(|_| parts.method == r.method));
    let name = found.as_ref().map_or_else(|| call.clone(), |(route, _)| route.name());
    // Held until the call is answered, even when a fault delays the answer.
    let _room = match ExportLimit::take(&state, found.as_ref().map(|(route, _)| *route), &parts.headers) {
        Ok(room) => room,
        Err(error) => {
            state.count(name, true);
            return refused(&error, Format::accepted(&parts.headers));
        }
    };
    if name.ends_with("/pdf") {
        state.asked().push((call.clone(), parts.uri.query().unwrap_or_default().to_owned()));
    }
    let fault = state.faults().take(&[&call, &name]);
    let response = match fault {
        Some(Fault::Reset) => {
            state.count(name, true);
            return connection.reset();
        }
        Some(Fault::Delay(delay)) => {
            state.hold(delay).await;
            answer(&state, &parts, version, path, found, &body, None).await
        }
        Some(Fault::Lost) => {
            answer(&state, &parts, version, path, found, &body, None).await;
            state.count(name, true);
            return connection.reset();
        }
        Some(Fault::DoneThen(code)) => {
            answer(&state, &parts, version, path, found, &body, None).await;
            broken(Fault::Status(code), Format::accepted(&parts.headers))
        }
        Some(Fault::Late(delay)) => {
            let response = answer(&state, &parts, version, path, found, &body, None).await;
            state.hold(delay).await;
            response
        }
        Some(Fault::Partial(code)) => answer(&state, &parts, version, path, found, &body, Some(code)).await,
        Some(fault) => broken(fault, Format::accepted(&parts.headers)),
        None => answer(&state, &parts, version, path, found, &body, None).await,
    };
    state.count(name, response.status().as_u16() >= 400);
    response
}

/// Splits `/api/3.29/sites/…` into `3.29` and `/sites/…`.
fn split(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix("/api/")?;
    let at = rest.find('/')?;
    Some((&rest[..at], &rest[at..]))
}

async fn answer(
    state: &Arc<State>,
    parts: &Parts,
    version: &str,
    path: &str,
    found: Option<(&Route, Vec<String>)>,
    body: &Bytes,
    partial: Option<&str>,
) -> Response {
    let format = Format::accepted(&parts.headers);
    let mut answer = match handled(state, parts, version, path, found, body) {
        Ok(answer) => answer,
        Err(error) => return refused(&error, format),
    };
    match std::mem::replace(&mut answer.then, Then::Nothing) {
        Then::Nothing => {}
        Then::Delete { luid, deleter } => {
            // Ignore errors: another caller was faster.
            let _ = state.delete(&luid, deleter);
        }
        Then::Fire(events) => {
            for (event, luid) in events {
                // Ignore errors: the object was deleted meanwhile.
                let _ = state.fire(&event, &luid);
            }
        }
        Then::Refresh { target, job } => state.run_refresh(target, job),
        Then::Test { webhook, url } => {
            let result = webhooks::test_result(&webhook, state.post(&url, "").await);
            answer.content = Content::Document(result);
        }
    }
    if let Some(code) = partial {
        answer = metadata::with_error(answer, code);
    }
    written(answer, format)
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
    let api = match (version, number) {
        (_, Some(number)) => Since::Version(number),
        ("exp", _) => Since::Experimental,
        ("metadata", _) => Since::Metadata,
        _ => return Err(RestError::new("404001", format!("API version '{version}' is not supported."))),
    };
    let unknown = || RestError::new("404003", format!("The resource '{path}' is not known in this version."));
    let Some((route, variables)) = found.filter(|(route, _)| route.is_in(api)) else {
        let other_method = ROUTES.iter().any(|r| r.variables(path).is_some() && r.is_in(api));
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
    check_scope(&call, route.scope)?;
    if let (Scope::Needs(needed, _), Some(Session { scopes: Some(_), .. })) = (route.scope, &call.session) {
        call.model.used_scopes.insert(needed);
    }
    check(&call, route.access)?;
    if !route.answers_a_file() {
        Format::acceptable(&parts.headers)?;
    }
    route.takes.check_query(&call.query, call.version)?;
    if route.takes.needs_body && body.is_empty() {
        return Err(call::malformed("Payload is either malformed or incomplete."));
    }
    call.body = Body(format::read(&parts.headers, body)?);
    route.takes.check_body(&call.body.0)?;
    page::check(&call)?;
    (route.handler)(&mut call)
}

fn token(headers: &HeaderMap) -> Result<&str, RestError> {
    let missing = RestError::new("401000", "No authentication credentials were provided.");
    let token = headers.get("x-tableau-auth").ok_or(missing)?.to_str().unwrap_or_default();
    if token.is_empty() {
        return Err(RestError::new("403001", "The authentication token header is empty."));
    }
    Ok(token)
}

/// Whether a connected app's scopes cover this route. The code `401002` of the refusal is not documented.
fn check_scope(call: &Call<'_>, scope: Scope) -> Result<(), RestError> {
    let Some(scopes) = call.session.as_ref().and_then(|s| s.scopes.as_ref()) else {
        return Ok(());
    };
    let refused =
        |why: &str| Err(RestError::new("401002", format!("The token has no scope for this method, {why}.")));
    match scope {
        Scope::Any => Ok(()),
        Scope::Needs(needed, since) if call.version >= since && covers(scopes, needed) => Ok(()),
        Scope::Needs(needed, _) => refused(&format!("which needs '{needed}'")),
        Scope::Unnamed => refused("which no connected app may call"),
    }
}

/// Whether the session is for the site in the path, and the user may call the route.
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
