//! Handles the requests to the API, and writes their answers.

use super::answer::{Refused, json_answer, message, page, refusal};
use super::message::{TwilioRefusal, TwilioRequest};
use super::request::{authorized, checked};
use super::state::{Shared, TwilioFault};
use crate::socket::Connection;
use axum::body::{Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use http::request::Parts;
use http::{HeaderValue, Method, header};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A status with its body.
type Answer = (u16, Value);

pub(super) async fn serve(
    State(state): State<Arc<Shared>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap_or_default();
    let is_post = parts.method == Method::POST;
    state.calls.fetch_add(usize::from(is_post), Ordering::SeqCst);
    let fault = if is_post { state.faults().take(&[""]) } else { None };
    let mut response = match fault {
        Some(TwilioFault::Code(status, code)) => refused(&state, (status, code), ""),
        Some(TwilioFault::TooManyRequests { .. }) => refused(&state, (429, 20_429), ""),
        Some(TwilioFault::ServerError) => refused(&state, (503, 20_503), ""),
        Some(TwilioFault::Html(status)) => return page(status),
        Some(TwilioFault::Hang) => std::future::pending().await,
        Some(TwilioFault::Reset) => return connection.reset(),
        Some(TwilioFault::AnswerLost) => {
            answered(&state, &parts, &body, false);
            return connection.reset();
        }
        None => answered(&state, &parts, &body, true),
    };
    if let Some(TwilioFault::TooManyRequests { retry_after: Some(seconds) }) = fault {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn refused(state: &Shared, refused @ (status, code): Refused, to: &str) -> Response {
    state.refusals.push(TwilioRefusal { status, code });
    json_answer(status, &refusal(refused, to))
}

/// Carries the request out.
fn answered(state: &Shared, parts: &Parts, body: &Bytes, answered: bool) -> Response {
    let (status, answer) = match carried_out(state, parts, body, answered) {
        Ok(answer) => answer,
        Err((refused @ (status, code), to)) => {
            state.refusals.push(TwilioRefusal { status, code });
            (status, refusal(refused, &to))
        }
    };
    let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    state.requests.push(TwilioRequest {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        content_type: content_type.unwrap_or_default().to_owned(),
        body: String::from_utf8_lossy(body).into_owned(),
        status,
        answer: answer.to_string(),
    });
    json_answer(status, &answer)
}

fn carried_out(
    state: &Shared,
    parts: &Parts,
    body: &Bytes,
    answered: bool,
) -> Result<Answer, (Refused, String)> {
    let account = state.account();
    let refused = |status, code| ((status, code), String::new());
    let path = parts.uri.path().strip_prefix("/2010-04-01/Accounts/");
    let (sid, page) = path.and_then(|path| path.split_once('/')).ok_or(refused(404, 20_404))?;
    authorized(&account, &parts.headers).map_err(|refused| (refused, String::new()))?;
    if sid != account.sid {
        return Err(refused(404, 20_404));
    }
    if page == "Messages.json" {
        if parts.method != Method::POST {
            return Err(refused(405, 20_004));
        }
        let sent = checked(&account, &parts.headers, body)?;
        let status = if sent.service.is_some() { "accepted" } else { "queued" };
        let answer = message(&account.sid, &sent, status, None);
        drop(account);
        state.messages.push(super::TwilioMessage { answered, ..sent });
        return Ok((201, answer));
    }
    let id = page.strip_prefix("Messages/").and_then(|page| page.strip_suffix(".json"));
    let found = id.and_then(|id| state.messages.find(|message| message.sid == id));
    let sent = found.filter(|_| parts.method == Method::GET).ok_or(refused(404, 20_404))?;
    let end = account.ends.get(&sent.to).cloned();
    let (status, error) = end.unwrap_or_else(|| ("delivered".to_owned(), None));
    Ok((200, message(&account.sid, &sent, &status, error)))
}
