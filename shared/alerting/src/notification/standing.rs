//! How an open incident stands: how often it has failed, since when, and how far Tableau is from suspending its refresh.

use super::duration::duration;
use super::{Kind, Notification, Status};
use crate::incident::Open;
use rules::{SUSPENDS_AFTER, Site};

/// Adds to the notification of a failure how the incident stands.
pub(super) fn standing(
    failure: Notification,
    kind: Kind,
    site: Option<&Site>,
    incident: &Open,
) -> Notification {
    let mut footnotes = failure.footnotes;
    if incident.last_success.is_none() {
        footnotes.push("the last success is not known".to_owned());
    }
    Notification { kind, status: status(site, incident), footnotes, ..failure }
}

fn status(site: Option<&Site>, incident: &Open) -> Vec<Status> {
    let lasted = duration(incident.lasted(incident.last));
    let failures = Status::Failures { count: incident.failures, since: incident.since, lasted };
    let last_success = incident.last_success.map(|at| Status::LastSuccess { at });
    let suspension = suspends_after(site, incident)
        .map(|after| Status::Suspension { left: after.saturating_sub(incident.failures) });
    let flapping =
        incident.begins_to_flap().then(|| Status::Flapping { recoveries: incident.nth.saturating_sub(1) });
    [Some(failures), last_success, suspension, flapping].into_iter().flatten().collect()
}

/// After how many failures in a row Tableau suspends the refresh of this incident. `None`: the rules say never, or several
/// refreshes of the object fail, which Tableau counts each by itself.
pub(crate) fn suspends_after(site: Option<&Site>, incident: &Open) -> Option<u32> {
    let is_one_refresh = incident.kinds.len() <= 1;
    is_one_refresh.then(|| site.map_or(Some(SUSPENDS_AFTER), |site| site.suspends_after)).flatten()
}
