//! Shared messages: one message that announces several events, sent by an alert group or by a digest. No I/O.

use jiff::Timestamp;
use std::fmt;

/// The message of an alert group or digest, which announces several events. The reason of a
/// [`Skipped`](crate::Outcome::Skipped) event names the message in a fixed text form: people read it, and programs
/// read it back to find the message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SharedMessage {
    /// The message of an alert group.
    Group {
        /// The group's id.
        id: String,
        /// The target's key, such as a channel.
        target: String,
    },
    /// The message of a digest.
    Digest {
        /// When the digest's quiet hours end, in whole seconds.
        until: Timestamp,
        /// The target's key, such as a channel.
        target: String,
    },
}

/// Why an event has no message of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Other incidents opened at about the same time.
    OtherIncidents,
    /// Other events of the same kind came at about the same time.
    OtherEvents,
    /// The event ends an incident that belongs to a group. The group announces the end if it has announced the
    /// failure.
    ItsFailure,
    /// The event's incident already belongs to a group, and the event adds nothing important.
    ItsIncident,
    /// The event happened during quiet hours.
    QuietHours,
}

impl Why {
    const ALL: [Self; 5] =
        [Self::OtherIncidents, Self::OtherEvents, Self::ItsFailure, Self::ItsIncident, Self::QuietHours];

    /// How the reason's text begins.
    fn text(self) -> &'static str {
        match self {
            Self::OtherIncidents => "grouped with other incidents of the same time: ",
            Self::OtherEvents => "grouped with other events of its kind: ",
            Self::ItsFailure => "grouped with its failure: ",
            Self::ItsIncident => "recorded with its incident, which needs no new message now: ",
            Self::QuietHours => "in the ",
        }
    }
}

/// The separator between the reasons for several targets.
const SEPARATOR: &str = "; ";
const GROUP: &str = "group ";
const DIGEST: &str = "digest of the quiet hours until ";
const IN: &str = " in ";

impl SharedMessage {
    /// The reason text why an event has no message of its own.
    pub fn reason(&self, why: Why) -> String {
        format!("{}{self}", why.text())
    }

    /// Joins the reasons for several targets.
    pub fn reasons(one: &str, other: &str) -> String {
        format!("{one}{SEPARATOR}{other}")
    }

    /// The shared messages that a reason names; none if the reason has another form.
    pub fn named_in(reason: &str) -> Vec<Self> {
        let named = |reason: &str| {
            let message = |why: Why| Self::read(reason.strip_prefix(why.text())?);
            Why::ALL.into_iter().find_map(message)
        };
        reason.split(SEPARATOR).filter_map(named).collect()
    }

    /// Whether a reason says that a group or digest contains the event.
    pub fn has_event(reason: &str) -> bool {
        reason.starts_with("grouped with ") || reason.starts_with("in the digest of ")
    }

    /// Reads a message name that `Display` wrote.
    pub fn read(text: &str) -> Option<Self> {
        let text_of = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        if let Some(rest) = text.strip_prefix(GROUP) {
            let (id, target) = rest.split_once(IN)?;
            return Some(Self::Group { id: text_of(id)?, target: text_of(target)? });
        }
        let (until, target) = text.strip_prefix(DIGEST)?.split_once(IN)?;
        Some(Self::Digest { until: until.parse().ok()?, target: text_of(target)? })
    }
}

impl fmt::Display for SharedMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group { id, target } => write!(f, "{GROUP}{id}{IN}{target}"),
            Self::Digest { until, target } => write!(f, "{DIGEST}{until:.0}{IN}{target}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn messages() -> impl Strategy<Value = SharedMessage> {
        let group = ("[0-9a-z-]{1,30}", "[^;\n]{1,40}");
        let digest = (0_i64..4_102_444_800, "[^;\n]{1,40}");
        prop_oneof![
            group.prop_map(|(id, target)| SharedMessage::Group { id, target }),
            digest.prop_map(|(until, target)| SharedMessage::Digest {
                until: Timestamp::from_second(until).unwrap(),
                target
            }),
        ]
    }

    proptest! {
        #[test]
        fn a_message_that_a_reason_names_is_read_again(one in messages(), other in messages()) {
            for why in Why::ALL {
                let reason = one.reason(why);
                prop_assert_eq!(SharedMessage::named_in(&reason), [one.clone()]);
                let both = SharedMessage::reasons(&reason, &other.reason(Why::OtherEvents));
                prop_assert_eq!(SharedMessage::named_in(&both), [one.clone(), other.clone()]);
            }
        }

        #[test]
        fn any_text_can_be_read(text: String) {
            let _ = SharedMessage::named_in(&text);
            let _ = SharedMessage::read(&text);
        }
    }

    #[test]
    fn a_group_or_digest_has_an_event_unless_its_incident_needs_no_new_message() {
        let group = SharedMessage::Group { id: "64c87bd200d1".to_owned(), target: "data-alerts".to_owned() };
        let until = Timestamp::from_second(1_764_000_000).unwrap();
        let digest = SharedMessage::Digest { until, target: "data-alerts".to_owned() };
        assert_eq!(
            digest.reason(Why::QuietHours),
            "in the digest of the quiet hours until 2025-11-24T16:00:00Z in data-alerts"
        );
        for why in [Why::OtherIncidents, Why::OtherEvents, Why::ItsFailure] {
            assert!(SharedMessage::has_event(&group.reason(why)), "{why:?}");
        }
        assert!(SharedMessage::has_event(&digest.reason(Why::QuietHours)));
        assert!(!SharedMessage::has_event(&group.reason(Why::ItsIncident)));
        assert!(!SharedMessage::has_event("no rule matches this SiteUpdated"));
    }
}
