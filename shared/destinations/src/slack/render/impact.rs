//! Renders which workbooks use a failing data source, in one line.

use super::parts::named;
use crate::slack::mrkdwn::escape;
use alerting::impact::Impact;

/// How many workbooks are named.
const NAMES: usize = 5;
/// The longest name of a workbook.
const NAME_LIMIT: usize = 60;
/// The longest line, as markup: names that do not fit are counted.
const LINE_LIMIT: usize = 700;
/// The space for `… and 1,000,000 more`.
const COUNT: usize = 30;

/// The line, in at most `room` characters. `None` if there is no room.
pub(super) fn line(impact: &Impact, room: usize) -> Option<String> {
    let mut line = impact.sentence();
    let room = room.min(LINE_LIMIT).checked_sub(line.chars().count() + COUNT)?;
    let mut names: Vec<String> = Vec::new();
    let mut length = 0;
    for name in impact.workbooks.iter().take(NAMES) {
        let name = format!("*{}*", escape(&named(name, NAME_LIMIT)));
        length += name.chars().count() + 2;
        if length > room {
            break;
        }
        names.push(name);
    }
    if names.is_empty() {
        return Some(line);
    }
    line.push_str(": ");
    line.push_str(&names.join(", "));
    match impact.total() - names.len() {
        0 => {}
        more => line.push_str(&format!(" … and {more} more")),
    }
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alerting::impact::Exact;
    use proptest::prelude::*;

    fn impact(names: &[&str], more: usize, owners: usize, exact: Exact) -> Impact {
        Impact { workbooks: names.iter().map(|name| (*name).to_owned()).collect(), more, owners, exact }
    }

    // 16, item 5
    #[test]
    fn the_line_says_how_many_and_names_some() {
        for (impact, expected) in [
            (
                impact(&["Sales Overview", "KPI"], 10, 5, Exact::All),
                "12 workbooks of 5 owners use it: *Sales Overview*, *KPI* … and 10 more",
            ),
            (impact(&["KPI"], 0, 1, Exact::All), "1 workbook of 1 owner uses it: *KPI*"),
            (impact(&["A", "B"], 0, 0, Exact::All), "2 workbooks use it: *A*, *B*"),
            (
                impact(&["A", "B", "C", "D", "E", "F", "G"], 993, 40, Exact::Workbooks),
                "1000 workbooks of at least 40 owners use it: *A*, *B*, *C*, *D*, *E* … and 995 more",
            ),
            (
                impact(&["A"], 99, 3, Exact::Nothing),
                "At least 100 workbooks of at least 3 owners use it: *A* … and 99 more",
            ),
            (impact(&[], 4, 2, Exact::All), "4 workbooks of 2 owners use it"),
            (impact(&[], 0, 0, Exact::All), "No workbook uses it, as far as Tableau knows."),
        ] {
            assert_eq!(line(&impact, 13_000).as_deref(), Some(expected));
        }
    }

    // 16, item 5
    #[test]
    fn names_that_do_not_fit_are_counted() {
        let long = "&".repeat(250);
        let shown = line(&impact(&[long.as_str(); 10], 190, 5, Exact::All), 13_000).unwrap();
        assert!(shown.chars().count() <= LINE_LIMIT, "{shown}");
        let named = shown.matches("*&amp;").count();
        assert!(named > 0 && shown.ends_with(&format!(" … and {} more", 200 - named)), "{shown}");
        assert_eq!(line(&impact(&["A"], 0, 0, Exact::All), 10), None);
    }

    proptest! {
        // 16, item 5
        #[test]
        fn a_name_calls_no_one_links_nowhere_and_adds_no_line(name in ".*", more in 0usize..2_000, room in 0usize..2_000) {
            let shown = line(&impact(&[&name, &name], more, 1, Exact::All), room).unwrap_or_default();
            prop_assert!(shown.chars().count() <= room.min(LINE_LIMIT));
            prop_assert!(!shown.contains(['<', '>', '\n', '\r']), "{}", shown);
        }
    }
}
