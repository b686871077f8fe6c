//! Writes answers, and the answers of faults.

use super::call::{Answer, Content};
use super::error::RestError;
use super::format::Format;
use crate::fault::Fault;
use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, Uri, header};

/// Writes every answer in the caller's format.
pub(crate) fn written(answer: Answer, format: Format) -> Response {
    let (content_type, body) = match answer.content {
        Content::Nothing => (None, Body::empty()),
        Content::Document(root) => (Some(format.content_type()), Body::from(format.render(&root))),
        Content::Json(value) => (Some(Format::Json.content_type()), Body::from(value.to_string())),
        Content::File(file) => {
            let mut response = Response::new(Body::from(file.bytes));
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.media_type));
            let disposition = format!("attachment; filename=\"{}\"", file.name);
            if let Ok(disposition) = HeaderValue::from_str(&disposition) {
                headers.insert(header::CONTENT_DISPOSITION, disposition);
            }
            return response;
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = status(answer.status);
    if let Some(content_type) = content_type {
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    }
    if let Some(location) = answer.location.and_then(|l| HeaderValue::from_str(&l).ok()) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

pub(crate) fn refused(error: &RestError, format: Format) -> Response {
    written(Answer::ok(error.element()).status(error.status()), format)
}

pub(crate) fn plain(status: StatusCode, text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response
}

/// A redirect to the same path on another server.
pub(crate) fn moved(there: &str, uri: &Uri) -> Response {
    let mut response = plain(StatusCode::MOVED_PERMANENTLY, String::new());
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    if let Ok(location) = HeaderValue::from_str(&format!("{there}{path}")) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The answer of a fault.
pub(crate) fn broken(fault: Fault, format: Format) -> Response {
    match fault {
        Fault::Html(code) => {
            let page = format!("<html><body><h1>{}</h1></body></html>\n", status(code));
            let mut response = plain(status(code), page);
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
            response
        }
        Fault::TooManyRequests { retry_after } => {
            let error = RestError::new("429000", "Too many requests. Try again later.");
            let mut response = refused(&error, format);
            if let Some(seconds) = retry_after {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            response
        }
        Fault::Error(code) => refused(&RestError::new(code, "As planned."), format),
        Fault::Status(code) => plain(status(code), String::new()),
        Fault::Reset
        | Fault::Lost
        | Fault::DoneThen(_)
        | Fault::Delay(_)
        | Fault::Late(_)
        | Fault::Partial(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, String::new()),
    }
}
