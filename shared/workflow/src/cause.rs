//! What attempts have found out about why refreshes failed. No I/O.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tableau::EventId;

/// What was found out about the cause of a failed refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundCause {
    /// The cause has the class of this name, such as `Credentials`.
    Class(&'static str),
    /// The cause was looked for and not found.
    NotFound,
}

impl FoundCause {
    /// The text for a cause that was not found, where others have the name of a class.
    pub const NOT_FOUND: &str = "NotFound";

    /// The class's name, or [`FoundCause::NOT_FOUND`]: few different values, as metrics need them.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Class(name) => name,
            Self::NotFound => Self::NOT_FOUND,
        }
    }
}

/// The causes that an attempt has found, by event: an attempt at one event may ask about another event of its group.
#[derive(Clone, Debug, Default)]
pub(crate) struct FoundCauses(Arc<Mutex<BTreeMap<EventId, FoundCause>>>);

impl FoundCauses {
    /// A class that was found once counts, also if a later lookup finds none.
    pub(crate) fn note(&self, event: &EventId, found: FoundCause) {
        let mut causes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if found != FoundCause::NotFound || !causes.contains_key(event) {
            causes.insert(event.clone(), found);
        }
    }

    pub(crate) fn of(&self, event: &EventId) -> Option<FoundCause> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(event).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_kept_for_its_own_event_and_a_class_is_not_forgotten() {
        let [failed, other] = ["failed", "other"].map(|text| EventId::of_bytes(text.as_bytes()));
        let causes = FoundCauses::default();
        causes.note(&failed, FoundCause::NotFound);
        assert_eq!(causes.of(&failed), Some(FoundCause::NotFound));
        assert_eq!(causes.of(&other), None);

        causes.note(&failed, FoundCause::Class("Quota"));
        causes.note(&failed, FoundCause::NotFound);

        assert_eq!(causes.of(&failed).map(FoundCause::as_str), Some("Quota"));
    }
}
