//! Reads the content of a queue message.

use crate::content::Content;
use serde_json::Value;
use tableau::PayloadError;

/// The `source` of this service's events on the event bus.
pub const SOURCE: &str = "tableau.webhooks";

/// Message attributes that EventBridge adds when it sends an event to a dead-letter queue.
///
/// Source: <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html>
const OF_EVENT_BRIDGE: [&str; 3] = ["RULE_ARN", "TARGET_ARN", "ERROR_CODE"];
/// The keys that every EventBridge event has.
///
/// Source: <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html>
const ENVELOPE: [&str; 9] =
    ["account", "detail", "detail-type", "id", "region", "resources", "source", "time", "version"];

/// Reads the content of a queue message.
///
/// EventBridge normally delivers only the `detail` of an event. An event that it cannot deliver goes to the
/// dead-letter queue in EventBridge's whole envelope, marked by attributes, and a redrive in the console brings it
/// back. `has_attribute` says whether the message has an attribute. A message without the attributes counts as such
/// an envelope only if it has all of the envelope's keys and no event name of Tableau's.
///
/// # Errors
/// [`PayloadError`] when the body is not an event.
pub fn of_message(body: &str, has_attribute: impl Fn(&str) -> bool) -> Result<Content, PayloadError> {
    let envelope: Option<Value> = serde_json::from_str(body).ok();
    let marked = OF_EVENT_BRIDGE.into_iter().any(has_attribute);
    let detail =
        envelope.as_ref().filter(|envelope| is_ours(envelope, marked)).map(|envelope| &envelope["detail"]);
    match detail {
        Some(detail) => Content::stored(&detail.to_string()),
        None => Content::stored(body),
    }
}

fn is_ours(envelope: &Value, marked: bool) -> bool {
    let Some(keys) = envelope.as_object() else { return false };
    let whole = ENVELOPE.iter().all(|key| keys.contains_key(*key)) && !keys.contains_key("event_type");
    (marked || whole) && envelope["source"] == SOURCE && envelope["detail"].is_object()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"event_type":"SiteUpdated","resource":"SITE"}"#;

    fn envelope(source: &str) -> String {
        format!(
            r#"{{"version":"0","id":"1","detail-type":"SiteUpdated","source":"{source}","account":"1","time":"t",
                "region":"r","resources":[],"detail":{EVENT}}}"#
        )
    }

    fn content(body: &str, attributes: &[&str]) -> Content {
        of_message(body, |name| attributes.contains(&name)).unwrap()
    }

    #[test]
    fn an_event_that_event_bridge_could_not_deliver_is_the_event_in_it() {
        let event = Content::received(EVENT.as_bytes());
        for attribute in OF_EVENT_BRIDGE {
            assert_eq!(content(&envelope(SOURCE), &[attribute]), event);
        }
        assert_eq!(content(&envelope(SOURCE), &[]), event, "redriven by a tool that drops attributes");
        assert_eq!(content(EVENT, &["reason"]), event);
        assert_eq!(content(EVENT, &["RULE_ARN"]), event, "a target that takes the detail");
    }

    #[test]
    fn an_event_that_looks_like_an_envelope_is_not_taken_for_one() {
        let outer = r#"{"event_type":"SiteUpdated","source":"tableau.webhooks","detail-type":"X","detail":{"event_type":"SiteDeleted"}}"#;
        assert_eq!(content(outer, &[]).name(), "SiteUpdated");
        assert_eq!(content(&envelope("aws.s3"), &["RULE_ARN"]).name(), "", "of another source");
    }

    #[test]
    fn a_body_that_cannot_be_read_comes_through_a_redrive_too() {
        let unreadable = Content::received(b"\xff");
        let body = format!(r#"{{"source":"tableau.webhooks","detail":{}}}"#, unreadable.to_json());
        assert_eq!(content(&body, &["ERROR_CODE"]), unreadable);
    }
}
