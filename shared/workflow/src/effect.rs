//! What an attempt has done, as its record names it. No I/O.

use jiff::Timestamp;
use std::fmt;

/// Something that an attempt did, and that no later attempt repeats.
///
/// An effect has one text form, which the delivery record holds: `Display` writes it and `From<&str>` reads it. Both ways
/// nothing is lost, also of a text that this version does not know.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// A destination has taken the event's message: `slack/data-alerts`.
    Sent {
        /// Where it went.
        destination: Destination,
        /// For whom it is there, such as a channel.
        target: String,
    },
    /// The event is in a digest: `digest/data-alerts/2026-11-23T06:00:00Z`.
    InDigest {
        /// For whom the digest is.
        target: String,
        /// When it is sent.
        until: Timestamp,
    },
    /// The incident's own message says that it is over: `ended/data-alerts`.
    Ended {
        /// For whom the message is.
        target: String,
    },
    /// The event has changed its object's incident: `observed`.
    Observed,
    /// A Broadcast of Tableau shows the newest version of its workbook: `broadcast/{LUID of the view}`.
    Overwritten {
        /// The LUID of the Broadcast's view.
        view: String,
    },
    /// Any other: a workflow's own, or one that another version of this project wrote. `Effect::from` makes it.
    Other(OtherEffect),
}

/// The text of an effect that is none of the others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OtherEffect(String);

impl OtherEffect {
    /// The text as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A system that takes messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Destination {
    /// Slack; a target is a channel without its `#`.
    Slack,
}

impl Destination {
    const ALL: [Self; 1] = [Self::Slack];

    /// The word at the beginning of an effect: `slack`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Slack => "slack",
        }
    }
}

const IN_DIGEST: &str = "digest";
const ENDED: &str = "ended";
const OBSERVED: &str = "observed";
const OVERWRITTEN: &str = "broadcast";

impl Effect {
    /// A destination has taken the event's message for `target`.
    pub fn sent(destination: Destination, target: impl Into<String>) -> Self {
        Self::Sent { destination, target: target.into() }
    }

    /// What a text means, without regard to how it is written.
    fn known(text: &str) -> Option<Self> {
        let Some((kind, rest)) = text.split_once('/') else {
            return (text == OBSERVED).then_some(Self::Observed);
        };
        if let Some(destination) = Destination::ALL.into_iter().find(|known| known.as_str() == kind) {
            return Some(Self::sent(destination, rest));
        }
        match kind {
            IN_DIGEST => {
                // The instant has no slash; a target may have one.
                let (target, until) = rest.rsplit_once('/')?;
                Some(Self::InDigest { target: target.to_owned(), until: until.parse().ok()? })
            }
            ENDED => Some(Self::Ended { target: rest.to_owned() }),
            OVERWRITTEN => Some(Self::Overwritten { view: rest.to_owned() }),
            _ => None,
        }
    }
}

impl From<&str> for Effect {
    fn from(text: &str) -> Self {
        // An instant can be written in many ways: an effect that would be written in another way is kept as it is.
        let known = Self::known(text).filter(|known| known.to_string() == text);
        known.unwrap_or_else(|| Self::Other(OtherEffect(text.to_owned())))
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sent { destination, target } => write!(f, "{}/{target}", destination.as_str()),
            Self::InDigest { target, until } => write!(f, "{IN_DIGEST}/{target}/{until}"),
            Self::Ended { target } => write!(f, "{ENDED}/{target}"),
            Self::Observed => f.write_str(OBSERVED),
            Self::Overwritten { view } => write!(f, "{OVERWRITTEN}/{view}"),
            Self::Other(other) => f.write_str(other.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn until(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn each_kind_of_effect_has_its_text() {
        let morning = until("2026-11-23T06:00:00Z");
        for (effect, text) in [
            (Effect::sent(Destination::Slack, "data-alerts"), "slack/data-alerts"),
            (Effect::sent(Destination::Slack, "a/b"), "slack/a/b"),
            (
                Effect::InDigest { target: "data-night".to_owned(), until: morning },
                "digest/data-night/2026-11-23T06:00:00Z",
            ),
            (
                Effect::InDigest { target: "a/b".to_owned(), until: morning },
                "digest/a/b/2026-11-23T06:00:00Z",
            ),
            (Effect::Ended { target: "data-alerts".to_owned() }, "ended/data-alerts"),
            (Effect::Observed, "observed"),
            (Effect::Overwritten { view: "View 1".to_owned() }, "broadcast/View 1"),
        ] {
            assert_eq!(effect.to_string(), text);
            assert_eq!(Effect::from(text), effect);
        }
    }

    #[test]
    fn an_effect_that_this_version_does_not_know_is_kept_as_it_is_written() {
        for text in [
            "",
            "/",
            "slack",
            "teams/data-alerts",
            "Slack/data-alerts",
            "observed/again",
            "digest/data-night",
            "digest/data-night/in the morning",
            "digest/data-night/2026-11-23T07:00:00+01:00",
            "digest/data-night/2026-11-23T06:00:00.000Z",
        ] {
            let effect = Effect::from(text);
            assert!(matches!(&effect, Effect::Other(other) if other.as_str() == text), "{effect:?}");
        }
    }

    fn effects() -> impl Strategy<Value = Effect> {
        let target = || prop_oneof![any::<String>(), "[a-z0-9-]{0,80}", "[a-z/]{0,9}"];
        let instants = -377_705_023_201_000_i64..=253_402_207_200_999;
        let instants = prop_oneof![
            instants.prop_map(|ms| Timestamp::from_millisecond(ms).unwrap()),
            any::<i64>().prop_map(|ns| Timestamp::from_nanosecond(ns.into()).unwrap()),
        ];
        prop_oneof![
            target().prop_map(|target| Effect::sent(Destination::Slack, target)),
            (target(), instants).prop_map(|(target, until)| Effect::InDigest { target, until }),
            target().prop_map(|target| Effect::Ended { target }),
            Just(Effect::Observed),
            target().prop_map(|view| Effect::Overwritten { view }),
        ]
    }

    proptest! {
        #[test]
        fn an_effect_is_read_as_it_was_written(effect in effects()) {
            prop_assert_eq!(Effect::from(effect.to_string().as_str()), effect);
        }

        #[test]
        fn any_text_is_an_effect_and_is_written_as_it_was_read(
            text in prop_oneof![
                any::<String>(),
                "(slack|digest|ended|observed|broadcast|teams)(/[a-z/]{0,9}){0,3}",
                "digest/[a-z/]{0,5}/20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|\\+01:00)",
            ],
        ) {
            prop_assert_eq!(Effect::from(text.as_str()).to_string(), text);
        }
    }
}
