//! Writes answers, and the answers of faults.

use super::call::{Answer, Content, File};
use super::error::RestError;
use super::format::Format;
use crate::fault::Fault;
use axum::body::{Body, Bytes};
use axum::response::Response;
use http::{HeaderValue, StatusCode, Uri, header};
use http_body_util::channel::Channel;
use std::convert::Infallible;

/// Writes every answer in the caller's format.
pub(crate) fn written(answer: Answer, format: Format) -> Response {
    let (content_type, body) = match answer.content {
        Content::Nothing => (None, Body::empty()),
        Content::Document(root) => (Some(format.content_type()), Body::from(format.render(&root))),
        Content::Json(value) => (Some(Format::Json.content_type()), Body::from(value.to_string())),
        Content::File(file) => {
            let kind = file.media_type;
            let disposition = format!("attachment; filename=\"{}\"", file.name);
            let mut response = Response::new(streamed(file));
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
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

/// How many bytes are sent between two pauses.
const PIECE: usize = 64 * 1024;

/// The file, piece by piece if it is to be large or slow.
fn streamed(file: File) -> Body {
    if file.padding.is_none() && file.pause.is_zero() {
        return Body::from(file.bytes);
    }
    let (mut sender, body) = Channel::<Bytes, Infallible>::new(2);
    let (at, padding) = file.padding.unwrap_or((file.bytes.len(), 0));
    tokio::spawn(async move {
        let (head, tail) = file.bytes.split_at(at);
        let pad = |left: u64| {
            let mut line = vec![b'%'; PIECE.min(usize::try_from(left).unwrap_or(PIECE))];
            if let Some(last) = line.last_mut() {
                *last = b'\n';
            }
            Bytes::from(line)
        };
        let mut left = padding;
        let mut pieces: Vec<Bytes> = tail.chunks(PIECE).rev().map(Bytes::copy_from_slice).collect();
        let mut first: Vec<Bytes> = head.chunks(PIECE).rev().map(Bytes::copy_from_slice).collect();
        loop {
            let piece = match first.pop() {
                Some(piece) => piece,
                None if left > 0 => {
                    let piece = pad(left);
                    left -= piece.len() as u64;
                    piece
                }
                None => match pieces.pop() {
                    Some(piece) => piece,
                    None => return,
                },
            };
            if sender.send_data(piece).await.is_err() {
                return;
            }
            if !file.pause.is_zero() {
                tokio::time::sleep(file.pause).await;
            }
        }
    });
    Body::new(body)
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
