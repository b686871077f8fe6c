//! The answers of Twilio: a message as it describes it, and refusals by code.
//!
//! Sources: <https://www.twilio.com/docs/messaging/api/message-resource>, <https://www.twilio.com/docs/api/errors>

use super::message::TwilioMessage;
use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use jiff::Timestamp;
use serde_json::{Value, json};

/// Status and code of a refusal.
pub(super) type Refused = (u16, u32);

/// What Twilio says about a code. It repeats numbers, so nothing may read or log these words.
fn words(code: u32, to: &str) -> String {
    match code {
        20_001 => "Unknown parameters".to_owned(),
        20_003 => "Authenticate".to_owned(),
        20_004 => "Method not allowed".to_owned(),
        20_404 => "The requested resource was not found".to_owned(),
        20_429 => "Too Many Requests".to_owned(),
        20_503 => "Service Unavailable".to_owned(),
        21_211 => format!("Invalid 'To' Phone Number: {to}"),
        21_408 => format!("Permission to send an SMS has not been enabled for the region indicated by the 'To' number: {to}."),
        21_602 => "Message body is required.".to_owned(),
        21_603 => "A 'From' phone number is required.".to_owned(),
        21_604 => "A 'To' phone number is required.".to_owned(),
        21_606 => "The From phone number is not a valid, SMS-capable inbound phone number or short code for your account.".to_owned(),
        21_608 => format!("The number {to} is unverified. Trial accounts cannot send messages to unverified numbers."),
        21_610 => format!("Attempt to send to unsubscribed recipient {to}"),
        21_611 => "This 'From' number has exceeded the maximum number of queued messages".to_owned(),
        21_617 => "The concatenated message body exceeds the 1600 character limit.".to_owned(),
        21_659 => "'From' is not a Twilio phone number or Short Code country mismatch".to_owned(),
        21_701 => "The Messaging Service does not exist.".to_owned(),
        63_038 => "Account exceeded the daily messages limit".to_owned(),
        other => format!("Error {other}"),
    }
}

/// The body of a refusal.
pub(super) fn refusal((status, code): Refused, to: &str) -> Value {
    json!({
        "code": code, "message": words(code, to), "more_info": format!("https://www.twilio.com/docs/errors/{code}"),
        "status": status,
    })
}

/// A message as Twilio describes it. `state` and `error` are what has become of it.
pub(super) fn message(account: &str, sent: &TwilioMessage, state: &str, error: Option<u32>) -> Value {
    let now = Timestamp::now();
    let now = jiff::fmt::rfc2822::to_string(&now.to_zoned(jiff::tz::TimeZone::UTC)).unwrap_or_default();
    let uri = format!("/2010-04-01/Accounts/{account}/Messages/{}", sent.sid);
    json!({
        "account_sid": account, "api_version": "2010-04-01", "body": sent.body,
        "date_created": now, "date_sent": null, "date_updated": now, "direction": "outbound-api",
        "error_code": error, "error_message": null, "from": sent.from, "messaging_service_sid": sent.service,
        "num_media": "0", "num_segments": sent.segments.to_string(), "price": null, "price_unit": "USD",
        "sid": sent.sid, "status": state, "subresource_uris": { "media": format!("{uri}/Media.json") },
        "to": sent.to, "uri": format!("{uri}.json"),
    })
}

pub(super) fn json_answer(status: u16, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The answer of a proxy or a login page. A redirect leads to a sign-in page.
pub(super) fn page(status: u16) -> Response {
    let mut response = Response::new(Body::from("<!DOCTYPE html><title>Sign in to the network</title>"));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    if response.status().is_redirection() {
        let to = HeaderValue::from_static("https://login.corp.example.com/");
        response.headers_mut().insert(header::LOCATION, to);
    }
    response
}
