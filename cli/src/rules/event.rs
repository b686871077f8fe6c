//! An event as a file has it: its payload, or what carries it.

use crate::names::any_event_name;
use jiff::Timestamp;
use serde_json::Value;
use std::io::Read as _;
use std::path::Path;
use tableau::{Event, EventName, OwnEvent, Payload};
use workflow::BoxError;

/// The most that is read from standard input. A payload has a few hundred bytes.
const MOST_BYTES: u64 = 1024 * 1024;

/// The text that describes an event; `None` if it is the id of one.
pub(super) fn text(event: &str) -> Result<Option<String>, BoxError> {
    if event == "-" {
        let mut text = String::new();
        std::io::stdin().lock().take(MOST_BYTES).read_to_string(&mut text)?;
        return Ok(Some(text));
    }
    let path = Path::new(event);
    if path.is_file() {
        let text = crate::files::text(path).map_err(|error| format!("cannot read {event}: {error}"))?;
        return Ok(Some(text));
    }
    let is_id = event.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_id || event.contains(['/', '.']) {
        return if is_id { Ok(None) } else { Err(format!("there is no file {event}").into()) };
    }
    let name = any_event_name(event).map_err(|error| format!("there is no file {event}, and {error}"))?;
    Ok(sample(&name))
}

/// A sample of an event with this name, that happens now.
pub(super) fn sample(name: &EventName) -> Option<String> {
    if name.is_known() {
        return simulator::sample_payload(name, Timestamp::now());
    }
    let data = [("environment", "production"), ("tables", "412")];
    let own = OwnEvent {
        text: Some("412 tables, no errors".to_owned()),
        data: data.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        caller: "snowflake".to_owned(),
        ..OwnEvent::default()
    };
    let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    Some(own.payload(name.as_str(), "nightly load", now, None).canonical_json())
}

/// The payload and its event, in a payload or in what carries one: a request of API Gateway, a message of SQS, an event of EventBridge.
///
/// # Errors
/// What is wrong with it. The text is not repeated: a request has the webhook's token.
pub(super) fn read(text: &str) -> Result<(Payload, Event), BoxError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let carried = match serde_json::from_str::<Value>(text) {
        Ok(value) => payload(value),
        Err(error) => {
            return Err(format!("this is no JSON: line {}, column {}", error.line(), error.column()).into());
        }
    };
    let payload = Payload::parse(carried.as_bytes())?;
    if payload.is_test() {
        return Err("this is the test of a webhook, and not an event: no rule is for it".into());
    }
    let event = Event::try_from(&payload)?;
    Ok((payload, event))
}

/// The text of the payload that a value carries.
fn payload(value: Value) -> String {
    let inner = match &value {
        Value::Object(map) if map.contains_key("event_type") => None,
        Value::Object(map) => {
            let record = map.get("Records").and_then(|records| records.get(0));
            record.or_else(|| map.get("detail")).or_else(|| map.get("body")).cloned()
        }
        Value::String(text) => serde_json::from_str(text).ok(),
        _ => None,
    };
    match inner {
        Some(inner) => payload(inner),
        None => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use tableau::EventId;

    #[test]
    fn an_event_is_read_from_whatever_carries_it() {
        let body = sample(&EventName::WorkbookCreated).unwrap();
        let plain: Value = serde_json::from_str(&body).unwrap();
        let expected = EventId::of(&Payload::parse(plain.to_string().as_bytes()).unwrap());
        for carrier in [
            plain.clone(),
            json!({ "version": "2.0", "body": body }),
            json!({ "Records": [{ "body": body }] }),
            json!({ "Records": [{ "body": json!({ "source": "x", "detail": plain }).to_string() }] }),
            json!({ "detail-type": "WorkbookCreated", "detail": plain }),
        ] {
            let (_, event) = read(&carrier.to_string()).unwrap();
            assert_eq!(event.name, EventName::WorkbookCreated, "{carrier}");
            assert_eq!(event.id.as_str().len(), expected.as_str().len());
        }
        assert!(read("{").unwrap_err().to_string().starts_with("this is no JSON: line 1, column 1"));
        assert!(read("{\"event_type\":\"WorkbookCreated\"}").unwrap_err().to_string().contains("no usable"));
    }
}
