//! What a message says about the present state of an incident or group, or about a week, in the same words for every destination. Nothing here is
//! escaped, and nothing comes from outside.

use super::Status;
use super::clock::{span, time};
use super::duration::duration;
use jiff::tz::TimeZone;
use std::fmt;

/// A sentence that may begin with words in bold type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// The words in bold type. Empty if there are none.
    pub bold: String,
    /// What follows them.
    pub rest: String,
}

impl Sentence {
    fn new(bold: impl Into<String>, rest: impl Into<String>) -> Option<Self> {
        Some(Self { bold: bold.into(), rest: rest.into() })
    }
}

impl fmt::Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.bold, self.rest)
    }
}

impl Status {
    /// The sentence, with times in this zone. `None` for the number of members, which [`Self::members`] says.
    pub fn sentence(&self, zone: Option<&TimeZone>) -> Option<Sentence> {
        match self {
            Self::StillOpen { lasted } => Sentence::new(format!("Still failing after {lasted}"), ""),
            Self::Failures { count: 0 | 1, .. } => Sentence::new("First failure", ""),
            Self::Failures { count, since, lasted } => Sentence::new(
                format!("{count} failures in a row"),
                format!(" within {lasted}, since {}", time(*since, zone)),
            ),
            Self::LastSuccess { at } => Sentence::new("", format!("Last success: {}", time(*at, zone))),
            Self::Suspension { left: 0 } => Sentence::new(
                "Tableau has probably suspended the scheduled refresh.",
                " After the repair, resume it in Tableau: Tasks > Extract Refreshes > Actions > Resume.",
            ),
            Self::Suspension { left } => {
                let left =
                    if *left == 1 { "1 more failure".to_owned() } else { format!("{left} more failures") };
                Sentence::new(
                    "",
                    format!("Tableau suspends the scheduled refresh at the earliest after {left} in a row."),
                )
            }
            Self::Total { count, since, until } => {
                let span = span(*since, *until, zone);
                Sentence::new(
                    "",
                    match count {
                        1 => format!("It had 1 failure, and was failing from {span}."),
                        count => format!("It had {count} failures, from {span}."),
                    },
                )
            }
            Self::Flapping { recoveries } => Sentence::new(
                "Flapping:",
                format!(
                    " it failed and recovered {recoveries} times within a day. Further alerts are suppressed until it is stable."
                ),
            ),
            Self::SuccessEventMissing => Sentence::new(
                "",
                "Tableau's jobs show that a later refresh succeeded. Tableau sent no event about it.",
            ),
            Self::NoDeliveries { last_enabled, found } => {
                let found = time(*found, zone);
                let since = match last_enabled {
                    Some(last) => format!("since some time between {} and {found}", time(*last, zone)),
                    None => format!("since some time before {found}"),
                };
                Sentence::new(
                    "No deliveries",
                    format!(" {since}. Events are lost until the webhook is enabled again."),
                )
            }
            Self::MissedDeliveries { last_enabled, until } => {
                let in_time = match last_enabled {
                    Some(last) => {
                        let longest = duration(until.duration_since(*last));
                        format!("for up to {longest}, from {}", span(*last, *until, zone))
                    }
                    None => format!("from an unknown time to {}", time(*until, zone)),
                };
                Sentence::new(
                    "No deliveries",
                    format!(" {in_time}. Events while it was disabled did not arrive, and are lost."),
                )
            }
            Self::FailedInWeek { failed, ended, before } => {
                let before = before.map(|(failed, ended)| format!(" (week before: {failed} of {ended})"));
                let this = match ended {
                    0 => "No refresh ended in this week".to_owned(),
                    ended => format!("{failed} of {ended} refreshes failed"),
                };
                Sentence::new(this, before.unwrap_or_default())
            }
            Self::NoEventsInWeek => Sentence::new("No events came in this week.", ""),
            Self::New { count } => Sentence::new("New since the last message:", format!(" {count}")),
            Self::Members { .. } => None,
        }
    }

    /// How many objects the message is about, for its small print.
    pub fn members(&self, zone: Option<&TimeZone>) -> Option<String> {
        let Self::Members { count, since } = self else { return None };
        let since = since.map(|at| format!("since {} · ", time(at, zone))).unwrap_or_default();
        let objects = if *count == 1 { "object" } else { "objects" };
        Some(format!("{since}{count} {objects} in this message"))
    }
}
