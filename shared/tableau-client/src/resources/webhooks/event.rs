//! How a webhook names its event, depending on the REST API version.

use crate::ApiVersion;
use serde_json::{Map, Value, json};
use tableau::EventName;

/// The first REST API version with the field `event`; before that, the name of an XML element names the event.
const EVENT_SINCE: ApiVersion = ApiVersion::new(3, 9);

/// The event as an element of `webhook-source`: `webhook-source-event-workbook-refresh-failed`. The names for the two
/// admin events lack the first `source`.
pub(super) fn source_name(event: &EventName) -> String {
    match event {
        EventName::AdminPromoted => "webhook-event-user-promoted-admin".to_owned(),
        EventName::AdminDemoted => "webhook-event-user-demoted-admin".to_owned(),
        event => {
            let mut name = "webhook-source-event".to_owned();
            for c in event.as_str().chars() {
                if c.is_ascii_uppercase() {
                    name.push('-');
                }
                name.push(c.to_ascii_lowercase());
            }
            name
        }
    }
}

pub(super) fn set_event(webhook: &mut Map<String, Value>, event: &EventName, version: ApiVersion) {
    if version >= EVENT_SINCE {
        webhook.insert("event".to_owned(), json!(event.as_str()));
    } else {
        webhook.insert("webhook-source".to_owned(), json!({ source_name(event): {} }));
    }
}
