//! The key of a delivery record: a workflow and an event. No I/O.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use tableau::EventId;

/// The prefix of every delivery record's key.
const KIND: &str = "delivery";

/// The key of a delivery record. Its text, `delivery#{workflow}#{event id}`, is the item's partition key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryKey {
    /// The workflow's name.
    pub workflow: Cow<'static, str>,
    /// The event's id.
    pub event: EventId,
}

impl DeliveryKey {
    /// The key of `workflow`'s record of `event`.
    pub fn new(workflow: impl Into<Cow<'static, str>>, event: EventId) -> Self {
        Self { workflow: workflow.into(), event }
    }
}

impl fmt::Display for DeliveryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{KIND}#{}#{}", self.workflow, self.event)
    }
}

/// The error that a text is not the key of a delivery record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected delivery#WORKFLOW#EVENT_ID")]
pub struct NotADeliveryKey;

impl FromStr for DeliveryKey {
    type Err = NotADeliveryKey;

    fn from_str(text: &str) -> Result<Self, NotADeliveryKey> {
        let rest = text.strip_prefix(KIND).and_then(|rest| rest.strip_prefix('#')).ok_or(NotADeliveryKey)?;
        let (workflow, event) = rest.rsplit_once('#').ok_or(NotADeliveryKey)?;
        Ok(Self::new(workflow.to_owned(), event.parse().map_err(|_| NotADeliveryKey)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_key_names_the_workflow_and_the_event() {
        let event = EventId::of_bytes(b"");
        let text = "delivery#notify-slack#e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(DeliveryKey::new("notify-slack", event).to_string(), text);
        for wrong in [
            "",
            "delivery",
            "delivery#notify-slack",
            "delivery#notify-slack#",
            "delivery#notify-slack#717bbc05",
            "incident#notify-slack#e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            &text.to_uppercase(),
        ] {
            assert_eq!(wrong.parse::<DeliveryKey>(), Err(NotADeliveryKey), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn a_key_is_read_as_it_was_written(workflow: String, body: Vec<u8>) {
            let key = DeliveryKey::new(workflow, EventId::of_bytes(&body));
            prop_assert_eq!(key.to_string().parse(), Ok(key));
        }
    }
}
