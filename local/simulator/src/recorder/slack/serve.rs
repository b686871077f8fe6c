//! Handles the calls to the Slack simulator and writes Slack's answers.
//!
//! Source: <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>,
//! <https://docs.slack.dev/reference/methods/chat.postMessage>, <https://docs.slack.dev/reference/methods/chat.update>

use super::blocks::{self, Invalid};
use super::lookup_by_email;
use super::message::{SlackCall, SlackMessage, SlackRefusal};
use super::state::{Shared, SlackFault};
use crate::socket::Connection;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Slack cuts a message's text after this many characters.
const TEXT_LIMIT: usize = 40_000;
/// `chat.update` refuses a text longer than this many characters.
const UPDATE_TEXT_LIMIT: usize = 4_000;

pub(super) async fn serve(
    State(state): State<Arc<Shared>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap_or_default();
    let path = parts.uri.path();
    let method = path.strip_prefix("/api/");
    state.calls.fetch_add(1, Ordering::SeqCst);
    let fault = state.faults().take(&[""]);
    let answered = fault != Some(SlackFault::AnswerLost);
    match fault {
        Some(SlackFault::RateLimited { retry_after }) => {
            let mut response = plain(429, "");
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(retry_after));
            return response;
        }
        Some(SlackFault::ServerError) => return plain(500, "rollup_error"),
        Some(SlackFault::Revoked) if method.is_some() => return not_ok("token_revoked"),
        Some(SlackFault::Revoked) => return plain(404, "no_service"),
        Some(SlackFault::Archived) if method.is_some() => return not_ok("is_archived"),
        Some(SlackFault::Archived) => return plain(410, "channel_is_archived"),
        Some(SlackFault::Blocks(word)) if has_blocks(&body) => {
            return if method.is_some() { not_ok(word) } else { plain(400, word) };
        }
        Some(SlackFault::Html(status)) => return page(status),
        Some(SlackFault::Empty(status)) => return plain(status, ""),
        Some(SlackFault::Hang) => std::future::pending::<()>().await,
        Some(SlackFault::Reset) => return connection.reset(),
        Some(SlackFault::AnswerLost | SlackFault::Blocks(_)) | None => {}
    }
    let is_lookup = method == Some(lookup_by_email::METHOD);
    if parts.method != Method::POST && !(is_lookup && parts.method == Method::GET) {
        return plain(405, "method_not_allowed");
    }
    let refuse = |invalid: &Invalid| {
        state.refusals.push(SlackRefusal {
            path: path.to_owned(),
            error: invalid.error.to_owned(),
            detail: invalid.detail.clone(),
            body: String::from_utf8_lossy(&body).into_owned(),
        });
    };
    let response = match method {
        Some(_) if is_lookup => {
            let found = check_token(&state, &parts.headers).and_then(|()| {
                lookup_by_email::look_up(&state, &parts.method, parts.uri.query(), &parts.headers, &body)
            });
            match found {
                Ok(answer) => json_response(&answer),
                Err(invalid) if invalid.error == "missing_scope" => missing_scope(),
                Err(invalid) => not_ok(invalid.error),
            }
        }
        Some(method) => match api(&state, method, &parts.headers, &body, answered) {
            Ok(answer) => json_response(&answer),
            Err(invalid) => {
                refuse(&invalid);
                not_ok(invalid.error)
            }
        },
        None => match webhook(&state, path, &body, answered) {
            Ok(()) => plain(200, "ok"),
            Err(invalid) => {
                refuse(&invalid);
                plain(if invalid.error == "no_service" { 404 } else { 400 }, invalid.error)
            }
        },
    };
    if answered { response } else { connection.reset() }
}

fn has_blocks(body: &[u8]) -> bool {
    let blocks = |body: &Value| body["blocks"].as_array().is_some_and(|blocks| !blocks.is_empty());
    serde_json::from_slice(body).is_ok_and(|body: Value| blocks(&body))
}

/// The answer of a proxy, a firewall or a login page instead of Slack. A redirect leads to a sign-in page.
fn page(status: u16) -> Response {
    let mut response = plain(status, "<!DOCTYPE html><title>Sign in to the network</title>");
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    if response.status().is_redirection() {
        let to = HeaderValue::from_static("https://login.corp.example.com/");
        response.headers_mut().insert(header::LOCATION, to);
    }
    response
}

fn invalid(error: &'static str, detail: impl Into<String>) -> Invalid {
    Invalid { error, detail: detail.into() }
}

fn webhook(state: &Shared, path: &str, body: &[u8], answered: bool) -> Result<(), Invalid> {
    let channel = state.workspace().webhook_channel(path).cloned();
    let channel = channel.ok_or_else(|| invalid("no_service", "no incoming webhook here"))?;
    let raw = serde_json::from_slice::<Value>(body).ok().filter(Value::is_object);
    let raw = raw.ok_or_else(|| invalid("invalid_payload", "not a JSON object"))?;
    let mut message = message(path, SlackCall::Webhook, raw)?;
    (message.channel, message.channel_name) = (channel.id, channel.name);
    message.ts = next_ts(state);
    message.answered = answered;
    state.messages.push(message);
    Ok(())
}

fn check_token(state: &Shared, headers: &HeaderMap) -> Result<(), Invalid> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()?.strip_prefix("Bearer "));
    let bearer = bearer.ok_or_else(|| invalid("not_authed", "no bearer token"))?;
    if bearer != state.workspace().token {
        return Err(invalid("invalid_auth", "not the current token"));
    }
    Ok(())
}

fn api(
    state: &Shared,
    method: &str,
    headers: &HeaderMap,
    body: &[u8],
    answered: bool,
) -> Result<Value, Invalid> {
    let call = match method {
        "chat.postMessage" => SlackCall::PostMessage,
        "chat.update" => SlackCall::Update,
        _ => return Err(invalid("unknown_method", method)),
    };
    check_token(state, headers)?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("application/json") {
        return Err(invalid(
            "invalid_form_data",
            format!("content type `{kind}`; only JSON is understood here"),
        ));
    }
    let raw = serde_json::from_slice::<Value>(body).ok().filter(Value::is_object);
    let raw = raw.ok_or_else(|| invalid("invalid_json", "not a JSON object"))?;
    let wanted = raw.get("channel").and_then(Value::as_str).unwrap_or_default().to_owned();
    let channel = state.channel(&wanted);
    // `chat.update` accepts channel ids, not names.
    let channel = channel.filter(|c| call != SlackCall::Update || c.id == wanted);
    let channel = channel.ok_or_else(|| invalid("channel_not_found", format!("no channel `{wanted}`")))?;
    if !channel.joined {
        return Err(invalid("not_in_channel", format!("the app is not in `{wanted}`")));
    }
    let ts = raw.get("ts").and_then(Value::as_str).unwrap_or_default().to_owned();
    // An update without this field keeps the old value.
    let keeps_blocks = raw.get("blocks").is_none_or(Value::is_null);
    let mut message = message(&format!("/api/{method}"), call, raw)?;
    (message.channel, message.channel_name) = (channel.id, channel.name);
    let channel = message.channel.clone();
    let find = |ts: &str| {
        let is_deleted = state.deleted().contains(&(channel.clone(), ts.to_owned()));
        let found = || state.messages.find(|m| m.channel == channel && m.ts == ts);
        if is_deleted { None } else { found() }
    };
    if call == SlackCall::Update {
        let old = find(&ts).ok_or_else(|| invalid("message_not_found", format!("no message {ts}")))?;
        if old.call == SlackCall::Webhook {
            return Err(invalid("cant_update_message", "posted by a webhook"));
        }
        message.ts = ts;
        if keeps_blocks {
            message.blocks.clone_from(&old.blocks);
        }
    } else {
        if let Some(parent) = &message.thread_ts {
            let is_parent = find(parent).is_some_and(|m| m.thread_ts.is_none());
            if !is_parent {
                return Err(invalid(
                    "cannot_reply_to_message",
                    format!("{parent} is not the parent of a thread"),
                ));
            }
        }
        message.ts = next_ts(state);
    }
    let mut answer = json!({
        "ok": true,
        "channel": message.channel,
        "ts": message.ts,
        "text": message.text,
        "message": { "text": message.text, "blocks": message.blocks, "ts": message.ts, "type": "message" },
    });
    if let Some(parent) = &message.thread_ts {
        answer["message"]["thread_ts"] = json!(parent);
    }
    message.answered = answered;
    state.messages.push(message);
    Ok(answer)
}

/// Checks a request's body and returns the message. The channel and `ts` are set later.
fn message(path: &str, call: SlackCall, raw: Value) -> Result<SlackMessage, Invalid> {
    let text = match raw.get("text") {
        None | Some(Value::Null) => "",
        Some(Value::String(text)) => text,
        Some(_) => return Err(invalid("invalid_payload", "text is not a string")),
    };
    let blocks = match raw.get("blocks") {
        None | Some(Value::Null) => &[][..],
        Some(Value::Array(blocks)) => blocks,
        Some(_) => return Err(invalid("invalid_blocks_format", "blocks is not an array")),
    };
    let attachments = raw.get("attachments").and_then(Value::as_array).map_or(0, Vec::len);
    let markdown = raw.get("markdown_text").and_then(Value::as_str);
    if attachments > 100 {
        return Err(invalid("too_many_attachments", format!("{attachments}, at most 100")));
    }
    if markdown.is_some() && !(text.is_empty() && blocks.is_empty()) {
        return Err(invalid("markdown_text_conflict", "markdown_text goes alone"));
    }
    if text.trim().is_empty() && blocks.is_empty() && attachments == 0 && markdown.is_none() {
        return Err(invalid("no_text", "neither text nor blocks"));
    }
    if call == SlackCall::Update && text.chars().count() > UPDATE_TEXT_LIMIT {
        return Err(invalid("msg_too_long", format!("text over {UPDATE_TEXT_LIMIT} characters")));
    }
    blocks::check(blocks)?;
    Ok(SlackMessage {
        call,
        path: path.to_owned(),
        channel: String::new(),
        channel_name: String::new(),
        ts: String::new(),
        thread_ts: raw.get("thread_ts").and_then(Value::as_str).map(str::to_owned),
        reply_broadcast: raw.get("reply_broadcast").and_then(Value::as_bool).unwrap_or(false),
        text: text.chars().take(TEXT_LIMIT).collect(),
        blocks: blocks.to_vec(),
        answered: true,
        raw,
    })
}

/// A new `ts` in Slack's format, larger than all earlier ones.
fn next_ts(state: &Shared) -> String {
    format!("1767225600.{:06}", state.workspace().next())
}

fn plain(status: u16, text: &str) -> Response {
    let mut response = Response::new(Body::from(text.to_owned()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

fn json_response(value: &Value) -> Response {
    let mut response = plain(200, &value.to_string());
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// The app has no scope for the method: the answer names it, and those that the app has.
fn missing_scope() -> Response {
    let error = "missing_scope";
    json_response(
        &json!({ "ok": false, "error": error, "needed": lookup_by_email::SCOPE, "provided": lookup_by_email::OTHER_SCOPES }),
    )
}

/// The Web API answers errors with status 200.
fn not_ok(error: &str) -> Response {
    json_response(&json!({ "ok": false, "error": error }))
}
