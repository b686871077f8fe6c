//! The key by which an incident is found again: its `correlation_id`.

use rules::TargetSettings;
use rules::settings::TrackServicenowIncident;
use std::fmt;
use workflow::Failure;

/// How every key of ours begins.
const PREFIX: &str = "tableau:";
/// How the key of an incident about a whole group ends.
const GROUP: &str = ":group";
/// The longest `correlation_id` that the table takes.
const LONGEST: usize = 100;

/// The key of an incident. It has no counts, times or names in it, so that it is the same each time; and no character that means
/// something in an encoded query.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key(String);

impl Key {
    /// The key of what a notification is about: an incident of one object, or an event.
    ///
    /// # Errors
    /// If there is nothing that it is about: all such incidents would be one.
    pub(super) fn of_one(thread: Option<&str>, target: &TrackServicenowIncident) -> Result<Self, Failure> {
        Self::new(thread, target, "")
    }

    /// The key of what a notification about a group is about. The first of its objects may have an incident of its own, by a key of
    /// its own.
    ///
    /// # Errors
    /// As for [`Self::of_one`].
    pub(super) fn of_group(thread: Option<&str>, target: &TrackServicenowIncident) -> Result<Self, Failure> {
        Self::new(thread, target, GROUP)
    }

    fn new(thread: Option<&str>, target: &TrackServicenowIncident, end: &str) -> Result<Self, Failure> {
        let is_of_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let thread = thread.filter(|thread| !thread.is_empty() && thread.chars().all(is_of_key));
        let key = thread.map(|thread| format!("{PREFIX}{thread}:{:08x}{end}", hash(target.key())));
        match key.filter(|key| key.len() <= LONGEST) {
            Some(key) => Ok(Self(key)),
            None => Err(Failure::permanent(
                "the notification does not say what it is about, so its incident could not be found again: nothing was written",
            )),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// FNV-1a: the same in every version of this project, which the standard library does not promise of its own.
///
/// Source: <https://datatracker.ietf.org/doc/html/draft-eastlake-fnv>
pub(super) fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(group: Option<&str>) -> TrackServicenowIncident {
        TrackServicenowIncident { assignment_group: group.map(str::to_owned), ..Default::default() }
    }

    // D056, D123
    #[test]
    fn a_key_is_the_same_each_time_and_another_one_for_each_target_and_for_a_group() {
        let bi = target(Some("BI Platform"));
        let key = Key::of_one(Some("717bbc05a8f9"), &bi).unwrap();
        assert_eq!(key.as_str(), format!("tableau:717bbc05a8f9:{:08x}", hash("BI Platform")));
        assert_eq!(hash("a"), 0xe40c_292c, "a test vector of the draft");
        let others = [
            Key::of_one(Some("717bbc05a8f9"), &target(None)).unwrap(),
            Key::of_one(Some("717bbc05a8f8"), &bi).unwrap(),
            Key::of_group(Some("717bbc05a8f9"), &bi).unwrap(),
            Key::of_group(Some("digest-1764000000-1"), &bi).unwrap(),
        ];
        for (n, other) in others.iter().enumerate() {
            assert_ne!(*other, key);
            assert!(others.iter().skip(n + 1).all(|another| another != other));
        }
    }

    // D056
    #[test]
    fn a_key_without_its_part_is_not_built_and_no_query_can_be_put_into_one() {
        let long = "a".repeat(100);
        for thread in [None, Some(""), Some("a^active=true"), Some("a,b"), Some("a b"), Some(long.as_str())] {
            assert!(
                matches!(Key::of_one(thread, &target(None)), Err(Failure::Permanent { .. })),
                "{thread:?}"
            );
        }
    }
}
