//! The older names of events, as elements of `webhook-source`.

use crate::EventName;

/// The spelling of one of them in Tableau's documentation.
const LABEL_DELETED: &str = "webhook-source-event-label-labeldeleted";

impl EventName {
    /// The event as an element of `webhook-source`, which named it before REST API 3.9: `webhook-source-event-workbook-refresh-failed`.
    /// The names for the two admin events lack the first `source`.
    ///
    /// Source: <https://help.tableau.com/current/developer/webhooks/en-us/docs/webhooks-events-payload.html>
    pub fn webhook_source(&self) -> String {
        match self {
            Self::AdminPromoted => "webhook-event-user-promoted-admin".to_owned(),
            Self::AdminDemoted => "webhook-event-user-demoted-admin".to_owned(),
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

    /// The event that an element of `webhook-source` names; `None` for any other text. Samples have such names as the attribute `event` too,
    /// which wants the short ones.
    ///
    /// Source: <https://github.com/tableau/webhooks-docs/issues/21>
    pub fn of_webhook_source(source: &str) -> Option<Self> {
        let source = source.to_ascii_lowercase();
        if source == LABEL_DELETED {
            return Some(Self::LabelDeleted);
        }
        Self::KNOWN.into_iter().find(|event| source == event.webhook_source())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_comes_back_from_its_older_name() {
        for event in EventName::KNOWN {
            let source = event.webhook_source();
            assert_eq!(EventName::of_webhook_source(&source), Some(event), "{source}");
        }
        let documented = "webhook-source-event-label-LabelDeleted";
        assert_eq!(EventName::of_webhook_source(documented), Some(EventName::LabelDeleted));
        for other in [
            "",
            "DatasourceCreated",
            "webhook-source-event-pdf-published",
            "webhook-source-event-flow-completed",
        ] {
            assert_eq!(EventName::of_webhook_source(other), None, "{other}");
        }
    }
}
