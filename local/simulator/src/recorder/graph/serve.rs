//! Handles the calls, and writes their answers.

use super::drive::InUse;
use super::id::id;
use super::refusal::{Refused, refused};
use super::state::{GraphCall, GraphFault, Shared};
use super::upload::{Taken, UploadSession};
use crate::socket::Connection;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Instant;
use url::form_urlencoded;

/// The largest body that is read.
const BODY_LIMIT: usize = 64 * 1024 * 1024;
/// The characters that no name has.
const REFUSED: [char; 9] = ['"', '*', ':', '<', '>', '?', '/', '\\', '|'];
/// The most characters of site, library, folders and name.
const LONGEST_PATH: usize = 400;

/// A call, as its address says it.
enum Kind {
    Token(String),
    Drive(String),
    Drives,
    Item(String, Vec<String>),
    Children(String, Vec<String>),
    Create(String, Vec<String>),
    Upload(String),
    Other,
}

fn kind(parts: &Parts) -> Kind {
    let path = parts.uri.path();
    if let Some(tenant) = path.strip_prefix('/').and_then(|path| path.strip_suffix("/oauth2/v2.0/token")) {
        return Kind::Token(tenant.to_owned());
    }
    if let Some(session) = path.strip_prefix("/upload/") {
        return Kind::Upload(session.to_owned());
    }
    if path.starts_with("/v1.0/sites/") && path.ends_with("/drives") {
        return Kind::Drives;
    }
    let Some(rest) = path.strip_prefix("/v1.0/drives/") else { return Kind::Other };
    let Some((drive, rest)) = rest.split_once('/') else { return Kind::Drive(decoded(rest)) };
    let drive = decoded(drive);
    if rest == "root/children" {
        return Kind::Children(drive, Vec::new());
    }
    let Some(rest) = rest.strip_prefix("root:/") else { return Kind::Other };
    let names = |rest: &str| rest.split('/').map(decoded).collect();
    match rest.split_once(":/") {
        Some((names_of, "createUploadSession" | "microsoft.graph.createUploadSession")) => {
            Kind::Create(drive, names(names_of))
        }
        Some((names_of, "children")) => Kind::Children(drive, names(names_of)),
        Some((names_of, "")) => Kind::Item(drive, names(names_of)),
        Some(_) => Kind::Other,
        None => Kind::Item(drive, names(rest.trim_end_matches(':'))),
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn header_of(parts: &Parts, name: &str) -> String {
    parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

pub(super) async fn serve(
    State(state): State<Arc<Shared>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_LIMIT).await.unwrap_or_default();
    let kind = kind(&parts);
    let name = match (&kind, &parts.method) {
        (Kind::Token(_), _) => "token".to_owned(),
        (Kind::Drive(_), _) => "drive".to_owned(),
        (Kind::Drives, _) => "drives".to_owned(),
        (Kind::Item(..), _) => "item".to_owned(),
        (Kind::Children(..), _) => "children".to_owned(),
        (Kind::Create(..), _) => "create".to_owned(),
        (Kind::Upload(_), &Method::PUT) => "piece".to_owned(),
        (Kind::Upload(_), &Method::GET) => "ask".to_owned(),
        (Kind::Upload(_), &Method::DELETE) => "cancel".to_owned(),
        (_, method) => format!("{method} {}", parts.uri.path()),
    };
    let fault = state.faults().take(&[&name]);
    let log = |status: u16| {
        let whole = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
        let target = if matches!(kind, Kind::Upload(_)) { parts.uri.path().to_owned() } else { whole };
        state.calls.push(GraphCall {
            kind: name.clone(),
            status,
            target,
            agent: header_of(&parts, "user-agent"),
            range: header_of(&parts, "content-range"),
            authorized: parts.headers.contains_key("authorization"),
        });
    };
    let planned = match &fault {
        Some(GraphFault::Status(status)) => Some(plain(*status, "", "text/plain")),
        Some(GraphFault::Text(status)) => {
            Some(plain(*status, "Access token validation failure.", "text/plain"))
        }
        Some(GraphFault::Html(status)) => {
            Some(plain(*status, "<html><body>Sorry</body></html>", "text/html"))
        }
        Some(GraphFault::Error { status, code, inner }) => {
            let inner = inner.map(|code| json!({ "code": code }));
            let error = json!({ "code": code, "message": "As planned.", "innerError": inner });
            Some(json_answer(*status, &json!({ "error": error })))
        }
        Some(GraphFault::TooManyRequests(seconds)) => {
            let (status, body) = refused(429, "activityLimitReached", "The request has been throttled");
            let mut response = json_answer(status, &body);
            if let Some(seconds) = seconds {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
            }
            Some(response)
        }
        Some(GraphFault::SessionGone) => {
            if let Kind::Upload(session) = &kind {
                state.sessions().remove(session);
            }
            None
        }
        Some(GraphFault::Reset) => {
            log(0);
            return connection.reset();
        }
        Some(GraphFault::Slow(time)) => {
            tokio::time::sleep(*time).await;
            None
        }
        Some(GraphFault::DoneThen(_) | GraphFault::DoneThenAccepted | GraphFault::AnswerLost) | None => None,
    };
    if let Some(response) = planned {
        log(response.status().as_u16());
        return response;
    }
    let response = match answer(&state, &parts, &body, &kind) {
        Ok((status, Value::Null)) => plain(status, "", "text/plain"),
        Ok((status, body)) => json_answer(status, &body),
        Err((status, Value::String(text))) => plain(status, &text, "text/plain"),
        Err((status, body)) => json_answer(status, &body),
    };
    match fault {
        Some(GraphFault::DoneThen(status)) => {
            log(status);
            plain(status, "", "text/plain")
        }
        Some(GraphFault::DoneThenAccepted) => {
            log(202);
            json_answer(202, &json!({ "expirationDateTime": "2099-01-01T00:00:00Z" }))
        }
        Some(GraphFault::AnswerLost) => {
            log(0);
            connection.reset()
        }
        _ => {
            log(response.status().as_u16());
            response
        }
    }
}

fn answer(state: &Shared, parts: &Parts, body: &Bytes, kind: &Kind) -> Result<(u16, Value), Refused> {
    if let Kind::Token(tenant) = kind {
        return token(state, tenant, body);
    }
    if let Kind::Upload(session) = kind {
        return upload(state, parts, body, session);
    }
    check_token(state, parts)?;
    let no_drive = || refused(404, "itemNotFound", "The resource could not be found.");
    match (kind, &parts.method) {
        (Kind::Drive(id), &Method::GET) => {
            let drives = state.drives();
            let drive = drives.iter().find(|drive| drive.id == *id).ok_or_else(no_drive)?;
            Ok((
                200,
                json!({ "id": drive.id, "name": drive.name, "webUrl": drive.url, "driveType": "documentLibrary" }),
            ))
        }
        (Kind::Drives, &Method::GET) => {
            let drives = state.drives();
            let all: Vec<Value> =
                drives.iter().map(|drive| json!({ "id": drive.id, "name": drive.name })).collect();
            Ok((200, json!({ "value": all })))
        }
        (Kind::Item(id, names), &Method::GET) => {
            let drives = state.drives();
            let drive = drives.iter().find(|drive| drive.id == *id).ok_or_else(no_drive)?;
            let missing = || refused(404, "itemNotFound", "The resource could not be found.");
            drive.item(&names.join("/")).map(|item| (200, item)).ok_or_else(missing)
        }
        (Kind::Children(id, names), &Method::GET) => {
            let drives = state.drives();
            let drive = drives.iter().find(|drive| drive.id == *id).ok_or_else(no_drive)?;
            let folder = names.iter().map(|name| format!("{name}/")).collect::<String>();
            Ok((200, json!({ "value": drive.children(&folder) })))
        }
        (Kind::Create(id, names), &Method::POST) => create(state, parts, body, id, names),
        _ => Err(refused(400, "invalidRequest", "The simulator does not know this call.")),
    }
}

fn token(state: &Shared, tenant: &str, body: &Bytes) -> Result<(u16, Value), Refused> {
    let pairs: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
    let of = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let wrong =
        |status, error: &str, text: &str| Err((status, json!({ "error": error, "error_description": text })));
    let mut app = state.app();
    if tenant != app.tenant {
        return wrong(400, "invalid_request", "AADSTS90002: Tenant not found.");
    }
    if of("grant_type") != Some("client_credentials") {
        return wrong(400, "unsupported_grant_type", "AADSTS70003: The grant type is not supported.");
    }
    if of("client_id") != Some(&app.client_id) {
        return wrong(
            400,
            "unauthorized_client",
            "AADSTS700016: Application was not found in the directory.",
        );
    }
    if of("client_secret") != Some(&app.secret) {
        return wrong(401, "invalid_client", "AADSTS7000215: Invalid client secret provided.");
    }
    if !of("scope").is_some_and(|scope| scope.ends_with("/.default")) {
        return wrong(400, "invalid_scope", "AADSTS1002012: The scope is not valid: it ends with /.default.");
    }
    let token = format!("ey{}.{}", id(), id());
    let life = app.life;
    state.given_secrets().push(token.clone());
    app.tokens.push((token.clone(), Instant::now() + life));
    let life = life.as_secs();
    Ok((
        200,
        json!({ "token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": token }),
    ))
}

fn check_token(state: &Shared, parts: &Parts) -> Result<(), Refused> {
    let given = header_of(parts, "authorization");
    let is_valid = given.strip_prefix("Bearer ").is_some_and(|token| {
        state.app().tokens.iter().any(|(known, until)| known == token && Instant::now() < *until)
    });
    if is_valid {
        Ok(())
    } else {
        Err(refused(401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid."))
    }
}

/// Refuses names that SharePoint refuses.
fn check_names(state: &Shared, names: &[String], library: usize) -> Result<(), Refused> {
    if names.last().is_some_and(|name| name.chars().count() > state.longest_name) {
        return Err((401, Value::String("401 UNAUTHORIZED".to_owned())));
    }
    if library + names.iter().map(|name| 1 + name.encode_utf16().count()).sum::<usize>() > LONGEST_PATH {
        return Err(refused(
            400,
            "pathIsTooLong",
            "The specified path, including the filename, is too long.",
        ));
    }
    let is_refused = |name: &String| {
        name.contains(REFUSED)
            || name.contains("&#")
            || name.contains("_vti_")
            || name.is_empty()
            || name.starts_with([' ', '~'])
            || name.ends_with([' ', '.'])
            || name.chars().any(char::is_control)
    };
    match names.iter().find(|name| is_refused(name)) {
        Some(_) => Err(refused(400, "invalidRequest", "The provided name cannot contain this character.")),
        None => Ok(()),
    }
}

fn create(
    state: &Shared,
    parts: &Parts,
    body: &Bytes,
    id_of_drive: &str,
    names: &[String],
) -> Result<(u16, Value), Refused> {
    let body: Value = if body.is_empty() {
        json!({})
    } else {
        serde_json::from_slice(body)
            .map_err(|_| refused(400, "BadRequest", "Unable to read JSON request payload."))?
    };
    let behaviour =
        body.pointer("/item/@microsoft.graph.conflictBehavior").and_then(Value::as_str).unwrap_or("fail");
    if !["replace", "rename", "fail"].contains(&behaviour) {
        return Err(refused(400, "invalidRequest", "The conflict behavior is not known."));
    }
    let drives = state.drives();
    let drive = drives.iter().find(|drive| drive.id == id_of_drive);
    let drive = drive.ok_or_else(|| refused(404, "itemNotFound", "The resource could not be found."))?;
    let library = url::Url::parse(&drive.url).map(|url| decoded(url.path()).len()).unwrap_or_default();
    // SharePoint decodes what is left after the first time again.
    let names: Vec<String> = names
        .iter()
        .flat_map(|name| decoded(name).split('/').map(str::to_owned).collect::<Vec<_>>())
        .collect();
    check_names(state, &names, library)?;
    let path = names.join("/");
    match drive.in_use.get(&path) {
        Some(InUse::Locked) => {
            return Err(refused(
                423,
                "resourceLocked",
                "The resource you are attempting to access is locked",
            ));
        }
        Some(InUse::Session) => {
            return Err(refused(409, "nameAlreadyExists", "An upload session already exists for this name."));
        }
        Some(InUse::Hidden) => {
            let inner = json!({ "code": "resourceLocked", "date": "2026-01-01T00:00:00" });
            return Err((
                403,
                json!({ "error": { "code": "notAllowed", "message": "The operation is not allowed.", "innerError": inner } }),
            ));
        }
        None => {}
    }
    if drive.is_full {
        return Err(refused(507, "quotaLimitReached", "Insufficient Space Available"));
    }
    if behaviour == "fail" && drive.stored(&path).is_some() {
        return Err(refused(409, "nameAlreadyExists", "The specified item name already exists."));
    }
    let mut sessions = state.sessions();
    if sessions
        .values()
        .any(|session| session.drive == id_of_drive && session.path.to_lowercase() == path.to_lowercase())
    {
        return Err(refused(409, "nameAlreadyExists", "The specified item name is under upload."));
    }
    let key = id();
    let secret = id();
    state.given_secrets().push(secret.clone());
    sessions.insert(key.clone(), UploadSession::new(id_of_drive, &path, behaviour, secret.clone()));
    let host = header_of(parts, "host");
    let url = format!("http://{host}/upload/{key}?tempauth={secret}");
    Ok((
        200,
        json!({ "uploadUrl": url, "expirationDateTime": "2099-01-01T00:00:00Z", "nextExpectedRanges": ["0-"] }),
    ))
}

fn upload(state: &Shared, parts: &Parts, body: &Bytes, key: &str) -> Result<(u16, Value), Refused> {
    if parts.headers.contains_key("authorization") {
        return Err(refused(401, "unauthenticated", "An upload address takes no Authorization header."));
    }
    let query = parts.uri.query().unwrap_or_default();
    let mut sessions = state.sessions();
    let session = sessions.get_mut(key).filter(|session| query == format!("tempauth={}", session.secret));
    let session = session.ok_or_else(|| refused(404, "itemNotFound", "The upload session was not found"))?;
    match parts.method {
        Method::GET => Ok((200, session.status())),
        Method::DELETE => {
            sessions.remove(key);
            Ok((204, Value::Null))
        }
        Method::PUT => match session.take(&header_of(parts, "content-range"), body)? {
            Taken::More => Ok((202, session.status())),
            Taken::Whole(size, content, sha256) => {
                let Some(session) = sessions.remove(key) else { return Ok((404, Value::Null)) };
                let mut drives = state.drives();
                let drive = drives.iter_mut().find(|drive| drive.id == session.drive);
                let drive =
                    drive.ok_or_else(|| refused(404, "itemNotFound", "The resource could not be found."))?;
                let path =
                    if session.behaviour == "rename" { drive.free(&session.path) } else { session.path };
                state.uploads.push((format!("{}/{path}", drive.name), size));
                let is_new = drive.put(&path, size, content, sha256);
                Ok((if is_new { 201 } else { 200 }, drive.item(&path).unwrap_or_default()))
            }
        },
        _ => Err(refused(405, "methodNotAllowed", "The method is not allowed.")),
    }
}

fn json_answer(status: u16, body: &Value) -> Response {
    plain(status, &body.to_string(), "application/json")
}

fn plain(status: u16, body: &str, kind: &'static str) -> Response {
    let mut response = Response::new(Body::from(body.to_owned()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
