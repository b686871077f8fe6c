//! The dedup key: what PagerDuty recognises an alert by.
//!
//! It is made of what the notification is about and of nothing that changes while it lasts: no count, no time, no name. So a trigger
//! that is sent again opens no second alert, and a resolve finds the alert even if nothing is known of the trigger any more. The id of
//! the incident is in it: an alert that stayed open takes no new incident in, and the end of an old one closes no new alert.

use super::Origin;
use alerting::notification::{Kind, Notification};
use std::fmt;

/// The longest key that PagerDuty takes, in characters.
const LONGEST: usize = 255;
/// How each key begins, so that it meets none of another tool.
const START: &str = "tableau";

/// The key of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DedupKey(String);

/// The error that no key can be made: with an empty part, different objects would have one key, and the end of one would close the
/// alert of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no one was paged: the notification has no {0}, so its alert at PagerDuty could not be told from others"
)]
pub struct NoKey(pub &'static str);

impl DedupKey {
    /// The key of a notification.
    ///
    /// An incident has the key of its object (site, kind and LUID, and that it is about a refresh) and its own id. A group, a digest and
    /// any other event have one of their own; a digest that a group goes on with has the group's.
    ///
    /// # Errors
    /// [`NoKey`] naming what is missing.
    pub(super) fn of(shown: &Notification, origin: &Origin) -> Result<Self, NoKey> {
        let origin = origin.in_key();
        let origin = ("site of Tableau", origin.as_str());
        match shown.kind {
            Kind::Opened | Kind::Updated | Kind::Resolved => {
                let event = shown.event.as_deref().ok_or(NoKey("event"))?;
                let kind = event.subject.resource().to_lowercase();
                let site = ("LUID of a site", event.site.as_str());
                let object = ("LUID of an object", event.subject.luid());
                let incident = ("id of an incident", shown.thread.as_deref().unwrap_or_default());
                Self::joined(&[site, ("kind of object", &kind), object, ("", "refresh"), incident])
            }
            Kind::Digest if shown.thread.is_some() => Self::of_group(shown, origin),
            Kind::GroupOpened | Kind::GroupUpdated | Kind::GroupResolved => Self::of_group(shown, origin),
            Kind::Digest => {
                // The first event of the quiet hours: the same in each attempt to send the digest.
                let times = shown.lists.iter().flat_map(|list| &list.items).filter_map(|item| item.when);
                let first = times.map(|(first, _)| first).min().ok_or(NoKey("time of an event"))?;
                let first = first.as_second().to_string();
                Self::joined(&[origin, ("", "quiet-hours"), ("time of an event", &first)])
            }
            Kind::Event => match shown.event.as_deref() {
                Some(event) => {
                    let site = ("LUID of a site", event.site.as_str());
                    Self::joined(&[site, ("", "event"), ("id of an event", event.id.as_str())])
                }
                // Only the test notification announces no event.
                None => Self::joined(&[origin, ("", "test")]),
            },
        }
    }

    fn of_group(shown: &Notification, origin: (&'static str, &str)) -> Result<Self, NoKey> {
        let id = shown.thread.as_deref().unwrap_or_default();
        Self::joined(&[origin, ("", "group"), ("id of a group", id)])
    }

    fn joined(parts: &[(&'static str, &str)]) -> Result<Self, NoKey> {
        let mut key = START.to_owned();
        for (what, part) in parts {
            if part.trim().is_empty() {
                return Err(NoKey(what));
            }
            key.push(':');
            key.push_str(part);
        }
        Self::stored(&key).ok_or(NoKey("short id"))
    }

    /// The key of an alert that is open, as it was stored. `None` if it is none of this crate's.
    pub(super) fn stored(text: &str) -> Option<Self> {
        let is_key = text.starts_with(START) && text.len() <= LONGEST;
        (is_key && text.bytes().all(|byte| byte.is_ascii_graphic())).then(|| Self(text.to_owned()))
    }

    /// The key as PagerDuty gets it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    #[cfg(test)]
    pub(super) fn sample() -> Self {
        Self("tableau:s-1:datasource:r-1:refresh".to_owned())
    }
}

impl fmt::Display for DedupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // D058
    #[test]
    fn an_empty_part_makes_no_key() {
        for (parts, missing) in [
            ([("LUID of a site", ""), ("LUID of an object", "r-1")], "LUID of a site"),
            ([("LUID of a site", "s-1"), ("LUID of an object", "")], "LUID of an object"),
            ([("LUID of a site", "s-1"), ("LUID of an object", " ")], "LUID of an object"),
        ] {
            let error = DedupKey::joined(&parts).unwrap_err();
            assert_eq!(error, NoKey(missing));
            let text = error.to_string();
            assert!(
                text.starts_with(&format!("no one was paged: the notification has no {missing}")),
                "{text}"
            );
        }
        assert_eq!(DedupKey::joined(&[("a", "s-1"), ("b", "r-1")]).unwrap().as_str(), "tableau:s-1:r-1");
    }

    #[test]
    fn a_key_is_as_long_as_pagerduty_takes_and_a_stored_one_is_checked() {
        let long = "x".repeat(LONGEST - START.len() - 1);
        assert_eq!(DedupKey::joined(&[("a", &long)]).unwrap().as_str().len(), LONGEST);
        assert_eq!(DedupKey::joined(&[("a", &format!("{long}x"))]), Err(NoKey("short id")));
        assert!(DedupKey::stored("tableau:s-1:r-1").is_some());
        for other in ["grafana:1", "", "tableau:a b", "tableau:a\n"] {
            assert_eq!(DedupKey::stored(other), None, "{other:?}");
        }
    }
}
