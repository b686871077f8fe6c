//! The sentences of a mail about the state of an incident or group.

use alerting::notification::Status;

/// A sentence, with times as `clock` writes them. `None` for what the small print says.
pub(crate) fn sentence(status: &Status, clock: impl Fn(jiff::Timestamp) -> String) -> Option<String> {
    match status {
        Status::StillOpen { lasted } => Some(format!("Still failing after {lasted}.")),
        Status::Failures { count, since, lasted } => {
            Some(format!("{} in {lasted}, since {}.", failures(*count), clock(*since)))
        }
        Status::Total { count, since } => {
            Some(format!("It had {} since {}.", failures(*count), clock(*since)))
        }
        Status::Flapping { recoveries } => Some(format!(
            "Flapping: it failed and recovered {recoveries} times within a day. Further alerts are suppressed until it is stable."
        )),
        Status::SuccessEventMissing => Some(
            "Tableau's jobs show that a later refresh succeeded. Tableau sent no event about it.".to_owned(),
        ),
        Status::New { count } => Some(format!("New since the last mail: {count}.")),
        Status::Members { .. } => None,
    }
}

/// How many objects a mail is about.
pub(crate) fn members(status: &Status, clock: impl Fn(jiff::Timestamp) -> String) -> Option<String> {
    let Status::Members { count, since } = status else { return None };
    let objects = if *count == 1 { "object" } else { "objects" };
    let since = since.map(|at| format!(", since {}", clock(at))).unwrap_or_default();
    Some(format!("{count} {objects} in this mail{since}"))
}

fn failures(count: u32) -> String {
    if count == 1 { "1 failure".to_owned() } else { format!("{count} failures") }
}
