//! What Twilio checks of a request before it takes a text.
//!
//! Source: <https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource>

use super::answer::Refused;
use super::message::TwilioMessage;
use super::segments::segments;
use super::state::Account;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};
use std::collections::BTreeMap;
use url::form_urlencoded;
use uuid::Uuid;

/// The longest text, in characters.
const LONGEST: usize = 1_600;

/// Checks the authorization.
pub(super) fn authorized(account: &Account, headers: &HeaderMap) -> Result<(), Refused> {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let basic = value.and_then(|value| value.strip_prefix("Basic "));
    let decoded = basic.and_then(|text| String::from_utf8(STANDARD.decode(text).ok()?).ok());
    let pair = decoded.as_deref().and_then(|text| text.split_once(':'));
    let is_known = pair
        .is_some_and(|(user, password)| account.passwords.get(user).is_some_and(|known| known == password));
    if is_known { Ok(()) } else { Err((401, 20_003)) }
}

/// The parameters of a body, each once.
fn parameters(headers: &HeaderMap, body: &[u8]) -> Result<BTreeMap<String, String>, Refused> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if kind.split(';').next().is_none_or(|kind| kind.trim() != "application/x-www-form-urlencoded") {
        // Another body has no parameters.
        return Ok(BTreeMap::new());
    }
    let mut parameters = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(body).into_owned() {
        if !["To", "From", "MessagingServiceSid", "Body"].contains(&name.as_str()) {
            // Twilio has many more. The simulator takes none that it does not honour.
            return Err((400, 20_001));
        }
        if parameters.insert(name, value).is_some() {
            return Err((400, 20_001));
        }
    }
    Ok(parameters)
}

/// The text of a request, if the account may send it. The second part of an error is the recipient, as the refusal repeats it.
pub(super) fn checked(
    account: &Account,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<TwilioMessage, (Refused, String)> {
    let mut given = parameters(headers, body).map_err(|refused| (refused, String::new()))?;
    let to = given.remove("To").unwrap_or_default();
    let wrong = |status, code| Err(((status, code), to.clone()));
    if to.is_empty() {
        return wrong(400, 21_604);
    }
    let digits = to.strip_prefix('+').unwrap_or_default();
    let is_number = (7..=15).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0');
    if !is_number {
        return wrong(400, 21_211);
    }
    let from = given.remove("From").filter(|from| !from.is_empty());
    let service = given.remove("MessagingServiceSid").filter(|sid| !sid.is_empty());
    match (&from, &service) {
        (None, None) => return wrong(400, 21_603),
        (_, Some(sid)) if !account.services.contains(sid) => return wrong(400, 21_701),
        (Some(from), _) if !account.senders.contains(from) => {
            let is_number = from.starts_with('+') || from.bytes().all(|byte| byte.is_ascii_digit());
            return wrong(400, if is_number { 21_659 } else { 21_606 });
        }
        _ => {}
    }
    let text = given.remove("Body").unwrap_or_default();
    if text.is_empty() {
        return wrong(400, 21_602);
    }
    if text.encode_utf16().count() > LONGEST {
        return wrong(400, 21_617);
    }
    if account.verified_only.as_ref().is_some_and(|verified| !verified.contains(&to)) {
        return wrong(400, 21_608);
    }
    if !account.countries.is_empty() && !account.countries.iter().any(|country| to.starts_with(country)) {
        return wrong(400, 21_408);
    }
    if account.opted_out.contains(&to) {
        return wrong(400, 21_610);
    }
    let sid = format!("SM{}", Uuid::new_v4().simple());
    let segments = segments(&text);
    Ok(TwilioMessage { sid, to, from, service, body: text, segments, answered: true })
}
