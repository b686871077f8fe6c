//! The sentences of a mail, with a full stop: about the state of an incident or group, and about the workbooks that use a failing
//! data source.

use alerting::impact::Impact;
use alerting::notification::Status;
use jiff::tz::TimeZone;

/// A sentence about the state. `None` for what the small print says.
pub(crate) fn sentence(status: &Status, zone: Option<&TimeZone>) -> Option<String> {
    let sentence = status.sentence(zone)?.to_string();
    Some(if sentence.ends_with('.') { sentence } else { format!("{sentence}.") })
}

/// Which workbooks use the data source. `named` makes one line of a name.
pub(crate) fn used_by(impact: &Impact, named: impl Fn(&str) -> String) -> String {
    let names: Vec<String> = impact.workbooks.iter().map(|name| named(name)).collect();
    let names = if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) };
    let more = match impact.more {
        more if more > 0 && !impact.workbooks.is_empty() => format!(" … and {more} more"),
        _ => String::new(),
    };
    format!("{}{names}{more}", impact.sentence())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alerting::impact::Exact;

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
    fn each_sentence_ends_with_one_full_stop() {
        for (status, expected) in [
            (
                Status::Failures { count: 1, since: jiff::Timestamp::UNIX_EPOCH, lasted: String::new() },
                "First failure.",
            ),
            (Status::StillOpen { lasted: "2 d".to_owned() }, "Still failing after 2 d."),
            (
                Status::Suspension { left: 1 },
                "Tableau suspends the scheduled refresh at the earliest after 1 more failure in a row.",
            ),
        ] {
            assert_eq!(sentence(&status, None).unwrap(), expected);
        }
    }
}
