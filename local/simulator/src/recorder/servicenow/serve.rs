//! Handles the calls of the Table API and for tokens, and writes their answers.
//!
//! Source: <https://www.servicenow.com/docs/r/api-reference/rest-apis/c_TableAPI.html>

use super::query::matching;
use super::shown::{Values, record};
use super::state::{ServiceNowCall, ServiceNowFault, Shared};
use super::write::{Refused, apply, check_policies, derive};
use crate::socket::Connection;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use url::form_urlencoded;

const TABLE: &str = "/api/now/table/incident";
const PARAMETERS: [&str; 8] = [
    "sysparm_query",
    "sysparm_fields",
    "sysparm_limit",
    "sysparm_offset",
    "sysparm_display_value",
    "sysparm_exclude_reference_link",
    "sysparm_input_display_value",
    "sysparm_suppress_pagination_header",
];

type Parameters = BTreeMap<String, String>;

/// What a call is, from its method and path.
fn kind(parts: &Parts) -> String {
    let path = parts.uri.path();
    let is_record = path.strip_prefix(TABLE).is_some_and(|rest| rest.starts_with('/'));
    match (&parts.method, path) {
        (&Method::POST, "/oauth_token.do") => "token".to_owned(),
        (&Method::GET, TABLE) => "search".to_owned(),
        (&Method::POST, TABLE) => "create".to_owned(),
        (&Method::GET, _) if is_record => "read".to_owned(),
        (&Method::PATCH | &Method::PUT, _) if is_record => "update".to_owned(),
        (method, _) => method.to_string(),
    }
}

pub(super) async fn serve(
    State(state): State<Arc<Shared>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap_or_default();
    let kind = kind(&parts);
    let fault = state.faults().take(&[&kind]);
    let log = |status: u16, refused: &str| {
        let target = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
        // The form of a token request has the secret in it.
        let body = if kind == "token" { String::new() } else { String::from_utf8_lossy(&body).into_owned() };
        let refused = refused.to_owned();
        state.calls.push(ServiceNowCall { kind: kind.clone(), status, target, body, refused });
    };
    match &fault {
        Some(ServiceNowFault::TooManyRequests { retry_after }) => {
            log(429, "fault");
            let mut response = error(429, "Rate limit exceeded");
            if let Some(seconds) = retry_after {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
            }
            return response;
        }
        Some(ServiceNowFault::Error(status)) => {
            log(*status, "fault");
            return error(*status, "Internal Server Error");
        }
        Some(ServiceNowFault::Html(status)) => {
            log(*status, "fault");
            return page(*status);
        }
        Some(ServiceNowFault::Cancelled) => {
            log(200, "fault");
            let message = "Transaction cancelled: maximum execution time exceeded";
            let failure = json!({ "message": message, "detail": "maximum execution time exceeded" });
            return json_answer(200, &json!({ "result": "", "error": failure, "status": "failure" }));
        }
        Some(ServiceNowFault::NoResult) => {
            log(200, "fault");
            return json_answer(200, &json!({ "result": "Transaction cancelled" }));
        }
        Some(ServiceNowFault::Hang) => {
            log(0, "fault");
            std::future::pending::<()>().await;
        }
        Some(ServiceNowFault::Reset) => {
            log(0, "fault");
            return connection.reset();
        }
        Some(ServiceNowFault::AnswerLost | ServiceNowFault::Slow(_)) | None => {}
    }
    let response = match answer(&state, &parts, &body, &kind) {
        Ok(response) => {
            log(response.status().as_u16(), "");
            response
        }
        Err((status, text)) => {
            log(status, &text);
            error(status, &text)
        }
    };
    match fault {
        Some(ServiceNowFault::AnswerLost) => return connection.reset(),
        Some(ServiceNowFault::Slow(milliseconds)) => {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await
        }
        _ => {}
    }
    response
}

fn answer(state: &Shared, parts: &Parts, body: &[u8], kind: &str) -> Result<Response, Refused> {
    if kind == "token" {
        let (status, body) = state.tokens().grant(body);
        return Ok(json_answer(status, &body));
    }
    let by = account(state, parts)?;
    let path = parts.uri.path();
    let id = match path.strip_prefix(TABLE) {
        Some("") => None,
        Some(rest) => Some(rest.trim_start_matches('/').to_owned()),
        None => return Err((400, "Invalid table".to_owned())),
    };
    let accepts = text_of(parts, "accept");
    if accepts.is_empty() || accepts == "*/*" {
        return Err((400, "Invalid request: no Accept header".to_owned()));
    }
    if !accepts.contains("application/json") && !accepts.contains("*/*") {
        return Err((406, "Invalid response content-type".to_owned()));
    }
    let parameters = parameters(parts)?;
    match kind {
        "search" => search(state, &parameters),
        "read" => {
            let mut instance = state.instance();
            let found = instance.find(&id.unwrap_or_default()).cloned().ok_or_else(no_record)?;
            Ok(json_answer(
                200,
                &json!({ "result": record(&instance, &found, fields(&parameters), values(&parameters)?) }),
            ))
        }
        "create" | "update" => write(state, parts, &parameters, body, id.as_deref(), &by),
        _ => Err((405, "Method not supported".to_owned())),
    }
}

fn no_record() -> Refused {
    (404, "No Record found".to_owned())
}

/// Whose call it is.
fn account(state: &Shared, parts: &Parts) -> Result<String, Refused> {
    let authorization = text_of(parts, "authorization");
    let refused = || (401, "User Not Authenticated".to_owned());
    if let Some(token) = authorization.strip_prefix("Bearer ") {
        return if state.tokens().is_valid(token) { Ok("oauth".to_owned()) } else { Err(refused()) };
    }
    let given = authorization
        .strip_prefix("Basic ")
        .and_then(|text| STANDARD.decode(text).ok())
        .ok_or_else(refused)?;
    let (user, password) = &*state.user();
    if given == format!("{user}:{password}").as_bytes() { Ok(user.clone()) } else { Err(refused()) }
}

fn text_of<'a>(parts: &'a Parts, name: &str) -> &'a str {
    parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn parameters(parts: &Parts) -> Result<Parameters, Refused> {
    let query = parts.uri.query().unwrap_or_default();
    let parameters: Parameters = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    match parameters.keys().find(|name| !PARAMETERS.contains(&name.as_str())) {
        Some(name) => Err((400, format!("the simulator does not know the parameter {name}"))),
        None => Ok(parameters),
    }
}

fn fields(parameters: &Parameters) -> Option<&str> {
    parameters.get("sysparm_fields").map(String::as_str)
}

fn values(parameters: &Parameters) -> Result<Values, Refused> {
    match parameters.get("sysparm_display_value").map(String::as_str) {
        None | Some("false") => Ok(Values::Stored),
        Some("true") => Ok(Values::Display),
        Some("all") => Ok(Values::Both),
        Some(other) => Err((400, format!("sysparm_display_value {other}"))),
    }
}

fn search(state: &Shared, parameters: &Parameters) -> Result<Response, Refused> {
    let number = |name: &str, usual: usize| {
        parameters
            .get(name)
            .map_or(Ok(usual), |text| text.parse().map_err(|_| (400, format!("{name} {text}"))))
    };
    let limit = number("sysparm_limit", 10_000)?;
    let offset = number("sysparm_offset", 0)?;
    let instance = state.instance();
    let query = parameters.get("sysparm_query").map(String::as_str).unwrap_or_default();
    let found = matching(&instance, query).map_err(|why| (400, why))?;
    let values = values(parameters)?;
    let shown: Vec<Value> = found
        .iter()
        .skip(offset)
        .take(limit)
        .map(|incident| record(&instance, incident, fields(parameters), values))
        .collect();
    let mut response = json_answer(200, &json!({ "result": shown }));
    response.headers_mut().insert("x-total-count", HeaderValue::from(found.len()));
    Ok(response)
}

fn write(
    state: &Shared,
    parts: &Parts,
    parameters: &Parameters,
    body: &[u8],
    id: Option<&str>,
    by: &str,
) -> Result<Response, Refused> {
    if !text_of(parts, "content-type").starts_with("application/json") {
        return Err((415, "Unsupported Media Type".to_owned()));
    }
    let body: Map<String, Value> =
        serde_json::from_slice(body).map_err(|_| (400, "Exception while reading request".to_owned()))?;
    let by_name = match parameters.get("sysparm_input_display_value").map(String::as_str) {
        None | Some("false") => false,
        Some("true") => true,
        Some(other) => return Err((400, format!("sysparm_input_display_value {other}"))),
    };
    let mut instance = state.instance();
    let mut incident = match id {
        None => instance.blank(),
        Some(id) => instance.find(id).cloned().ok_or_else(no_record)?,
    };
    if instance.locks_closed && !incident.is_active() {
        return Err((
            403,
            "Operation against file 'incident' was aborted by Business Rule 'Closed incidents'".to_owned(),
        ));
    }
    apply(&instance, &mut incident, &body, by_name, by)?;
    derive(&mut incident);
    check_policies(&instance, &incident, id.is_none())?;
    let shown = record(&instance, &incident, fields(parameters), values(parameters)?);
    let mut response = json_answer(if id.is_none() { 201 } else { 200 }, &json!({ "result": shown }));
    let location = HeaderValue::from_str(&format!("{TABLE}/{}", incident.field("sys_id")));
    match id.and_then(|id| instance.find(id)) {
        Some(there) => *there = incident,
        None => {
            instance.incidents.push(incident);
            response.headers_mut().extend(location.ok().map(|location| (header::LOCATION, location)));
        }
    }
    Ok(response)
}

fn json_answer(status: u16, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let json = HeaderValue::from_static("application/json;charset=UTF-8");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

fn error(status: u16, message: &str) -> Response {
    let detail =
        if status == 404 { "Record doesn't exist or ACL restricts the record retrieval" } else { message };
    json_answer(status, &json!({ "error": { "message": message, "detail": detail }, "status": "failure" }))
}

/// The page of an instance that is asleep, or of a proxy. A redirect leads to a login page.
fn page(status: u16) -> Response {
    let mut response =
        Response::new(Body::from("<html><head><title>Instance Hibernating page</title></head></html>"));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    if response.status().is_redirection() {
        let to = HeaderValue::from_static("https://login.corp.example.com/");
        response.headers_mut().insert(header::LOCATION, to);
    }
    response
}
