//! The store keys of alerting's documents.

use jiff::Timestamp;
use store::records::Key;
use tableau::SiteLuid;

pub(crate) const INCIDENT: &str = "incident#";
pub(crate) const GROUP: &str = "group#";
pub(crate) const DIGEST: &str = "digest#";
pub(crate) const WINDOW: &str = "window#";
pub(crate) const MEMBER: &str = "member#";
pub(crate) const ENTRY: &str = "entry#";

pub(crate) fn incident(workflow: &str, object: &str) -> Key {
    Key::single(format!("{INCIDENT}{workflow}#{object}"))
}

pub(crate) fn site(workflow: &str, site: &SiteLuid) -> Key {
    Key::single(format!("site#{workflow}#{site}"))
}

/// The key of the window: which group is open for a target. `flood` names the kind of incident or event that is
/// grouped.
pub(crate) fn window(workflow: &str, target: &str, flood: &str) -> Key {
    Key::single(format!("{WINDOW}{workflow}#{target}#{flood}"))
}

pub(crate) fn group(workflow: &str, target: &str, id: &str) -> String {
    format!("{GROUP}{workflow}#{target}#{id}")
}

pub(crate) fn digest(workflow: &str, target: &str, until: Timestamp) -> String {
    format!("{DIGEST}{workflow}#{target}#{}", until.as_second())
}

/// Reads the target's key out of the partition key of a group or digest.
pub(crate) fn target<'a>(workflow: &str, partition: &'a str) -> &'a str {
    let kind = partition.strip_prefix(GROUP).or(partition.strip_prefix(DIGEST));
    let rest = kind.and_then(|rest| rest.strip_prefix(workflow)?.strip_prefix('#'));
    rest.and_then(|rest| rest.rsplit_once('#')).map_or("", |(target, _)| target)
}

pub(crate) fn head(partition: &str) -> Key {
    Key { partition: partition.to_owned(), sort: "head".to_owned() }
}

pub(crate) fn member(partition: &str, id: &str) -> Key {
    Key { partition: partition.to_owned(), sort: format!("{MEMBER}{id}") }
}

pub(crate) fn entry(partition: &str, event: &str) -> Key {
    Key { partition: partition.to_owned(), sort: format!("{ENTRY}{event}") }
}
