//! The sentences of a mail: about the state of an incident or group, and about the workbooks that use a failing data source.

use alerting::impact::{Exact, Impact};
use alerting::notification::Status;
use alerting::notification::clock::{span, time};
use jiff::tz::TimeZone;

/// A sentence about the state. `None` for what the small print says.
pub(crate) fn sentence(status: &Status, zone: Option<&TimeZone>) -> Option<String> {
    match status {
        Status::StillOpen { lasted } => Some(format!("Still failing after {lasted}.")),
        Status::Failures { count: 0 | 1, .. } => Some("First failure.".to_owned()),
        Status::Failures { count, since, lasted } => {
            Some(format!("{count} failures in a row within {lasted}, since {}.", time(*since, zone)))
        }
        Status::LastSuccess { at } => Some(format!("Last success: {}.", time(*at, zone))),
        Status::Suspension { left: 0 } => Some(
            "Tableau has probably suspended the scheduled refresh. After the repair, resume it in Tableau: Tasks > Extract Refreshes > \
             Actions > Resume."
                .to_owned(),
        ),
        Status::Suspension { left } => Some(format!(
            "Tableau suspends the scheduled refresh at the earliest after {left} more {} in a row.",
            if *left == 1 { "failure" } else { "failures" }
        )),
        Status::Total { count, since, until } => {
            Some(format!("It had {}, from {}.", counted(*count as usize, "failure"), span(*since, *until, zone)))
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
pub(crate) fn members(status: &Status, zone: Option<&TimeZone>) -> Option<String> {
    let Status::Members { count, since } = status else { return None };
    let since = since.map(|at| format!(", since {}", time(at, zone))).unwrap_or_default();
    Some(format!("{} in this mail{since}", counted(*count, "object")))
}

/// Which workbooks use the data source. `named` makes one line of a name.
pub(crate) fn used_by(impact: &Impact, named: impl Fn(&str) -> String) -> String {
    let total = impact.total();
    if total == 0 {
        return "No workbook uses it, as far as Tableau knows.".to_owned();
    }
    let workbooks = counted(total, "workbook");
    let workbooks = if impact.exact == Exact::Nothing { format!("At least {workbooks}") } else { workbooks };
    let owners = counted(impact.owners, "owner");
    let owners = match (impact.owners, impact.exact) {
        (0, _) => String::new(),
        (_, Exact::All) => format!(" of {owners}"),
        (_, Exact::Workbooks | Exact::Nothing) => format!(" of at least {owners}"),
    };
    let names: Vec<String> = impact.workbooks.iter().map(|name| named(name)).collect();
    let names = if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) };
    let more = match impact.more {
        more if more > 0 && !impact.workbooks.is_empty() => format!(" … and {more} more"),
        _ => String::new(),
    };
    format!("{workbooks}{owners} {} it{names}{more}", if total == 1 { "uses" } else { "use" })
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn impact(names: &[&str], more: usize, owners: usize, exact: Exact) -> String {
        let workbooks = names.iter().map(|name| (*name).to_owned()).collect();
        used_by(&Impact { workbooks, more, owners, exact }, str::to_owned)
    }

    #[test]
    fn the_workbooks_that_use_a_data_source_are_counted_and_named() {
        for (shown, expected) in [
            (
                impact(&["Sales Overview", "KPI"], 10, 5, Exact::All),
                "12 workbooks of 5 owners use it: Sales Overview, KPI … and 10 more",
            ),
            (impact(&["KPI"], 0, 1, Exact::All), "1 workbook of 1 owner uses it: KPI"),
            (
                impact(&["A"], 999, 40, Exact::Workbooks),
                "1000 workbooks of at least 40 owners use it: A … and 999 more",
            ),
            (
                impact(&["A"], 99, 3, Exact::Nothing),
                "At least 100 workbooks of at least 3 owners use it: A … and 99 more",
            ),
            (impact(&[], 4, 2, Exact::All), "4 workbooks of 2 owners use it"),
            (impact(&[], 0, 0, Exact::All), "No workbook uses it, as far as Tableau knows."),
        ] {
            assert_eq!(shown, expected);
        }
    }

    #[test]
    fn of_a_suspension_a_mail_says_no_more_than_is_known() {
        let of = |left| sentence(&Status::Suspension { left }, None).unwrap();
        assert_eq!(
            of(4),
            "Tableau suspends the scheduled refresh at the earliest after 4 more failures in a row."
        );
        assert_eq!(
            of(1),
            "Tableau suspends the scheduled refresh at the earliest after 1 more failure in a row."
        );
        assert!(of(0).starts_with("Tableau has probably suspended the scheduled refresh."), "{}", of(0));
    }
}
