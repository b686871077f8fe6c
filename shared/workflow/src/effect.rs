//! Effects: what attempts have done, as the delivery record stores it. No I/O.

use std::fmt;

/// An effect: something that an attempt did and that no later attempt repeats.
///
/// The delivery record stores an effect as text: `Display` writes it and `From<&str>` reads it. A text that this
/// version does not know is kept unchanged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// A target was notified of the event, or of the incident that the event is part of: `notified/data-alerts`.
    Notified {
        /// The target's key, such as a channel.
        target: String,
    },
    /// A Tableau Broadcast now shows the newest version of its workbook: `broadcast/{LUID of the view}`.
    Overwritten {
        /// The LUID of the Broadcast's view.
        view: String,
    },
    /// Another effect: one of a workflow of your own, or one that another version of this project wrote. Create it
    /// with `Effect::from`.
    Other(OtherEffect),
}

/// The text of an effect other than those above.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OtherEffect(String);

impl OtherEffect {
    /// The text, unchanged.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const NOTIFIED: &str = "notified";
const OVERWRITTEN: &str = "broadcast";

impl Effect {
    /// Reads a known effect from its text.
    fn known(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once('/')?;
        match kind {
            NOTIFIED => Some(Self::Notified { target: rest.to_owned() }),
            OVERWRITTEN => Some(Self::Overwritten { view: rest.to_owned() }),
            _ => None,
        }
    }
}

impl From<&str> for Effect {
    fn from(text: &str) -> Self {
        Self::known(text).unwrap_or_else(|| Self::Other(OtherEffect(text.to_owned())))
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Notified { target } => write!(f, "{NOTIFIED}/{target}"),
            Self::Overwritten { view } => write!(f, "{OVERWRITTEN}/{view}"),
            Self::Other(other) => f.write_str(other.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_kind_of_effect_has_its_text() {
        let notified = |target: &str| Effect::Notified { target: target.to_owned() };
        for (effect, text) in [
            (notified("data-alerts"), "notified/data-alerts"),
            (notified("a/b"), "notified/a/b"),
            (Effect::Overwritten { view: "View 1".to_owned() }, "broadcast/View 1"),
        ] {
            assert_eq!(effect.to_string(), text);
            assert_eq!(Effect::from(text), effect);
        }
    }

    #[test]
    fn an_effect_that_this_version_does_not_know_is_kept_as_it_is_written() {
        for text in ["", "/", "notified", "slack/data-alerts", "Notified/data-alerts", "observed"] {
            let effect = Effect::from(text);
            assert!(matches!(&effect, Effect::Other(other) if other.as_str() == text), "{effect:?}");
        }
    }

    proptest! {
        #[test]
        fn an_effect_is_read_as_it_was_written(target in any::<String>()) {
            for effect in [Effect::Notified { target: target.clone() }, Effect::Overwritten { view: target }] {
                prop_assert_eq!(Effect::from(effect.to_string().as_str()), effect);
            }
        }

        #[test]
        fn any_text_is_an_effect_and_is_written_as_it_was_read(
            text in prop_oneof![any::<String>(), "(notified|broadcast|observed|teams)(/[a-z/]{0,9}){0,3}"],
        ) {
            prop_assert_eq!(Effect::from(text.as_str()).to_string(), text);
        }
    }
}
