//! How a webhook names its event, depending on the REST API version.

use crate::ApiVersion;
use serde_json::{Map, Value, json};
use tableau::EventName;

/// The first REST API version with the field `event`; before that, the name of an XML element names the event.
const EVENT_SINCE: ApiVersion = ApiVersion::new(3, 9);

pub(super) fn set_event(webhook: &mut Map<String, Value>, event: &EventName, version: ApiVersion) {
    if version >= EVENT_SINCE {
        webhook.insert("event".to_owned(), json!(event.as_str()));
    } else {
        webhook.insert("webhook-source".to_owned(), json!({ event.webhook_source(): {} }));
    }
}
