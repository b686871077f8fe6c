//! Lines of tables. No I/O.

use crate::out::plain;
use jiff::{SignedDuration, Timestamp};
use std::io::{IsTerminal, stdout};
use terminal_size::terminal_size;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

const USUAL_WIDTH: usize = 80;
/// The column with resources' names: where a terminal is narrow, it is the first to give way.
const NAME_COLUMN: usize = 3;
/// The least that it keeps.
const LEAST_NAME_WIDTH: usize = 10;
/// The most that a resource's name gets.
const NAME_WIDTH: usize = 28;
/// With less than this beside the other columns, the last one has a line of its own.
const LAST_WIDTH: usize = 24;
const GAP: &str = "  ";

/// A cell with what somebody else wrote.
pub(super) fn cell(text: &str) -> String {
    let text = plain(text);
    if text.is_empty() { "–".to_owned() } else { text }
}

/// A cell with a resource's name.
pub(super) fn name(text: &str) -> String {
    cell(&shortened(plain(text).trim(), NAME_WIDTH))
}

/// How long ago, in the largest unit.
pub(super) fn age(since: Option<Timestamp>, now: Timestamp) -> String {
    since.map_or_else(|| "–".to_owned(), |since| passed(now.duration_since(since)))
}

fn passed(passed: SignedDuration) -> String {
    match passed.as_secs().max(0) {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3_600 => format!("{} min", seconds / 60),
        seconds @ 3_600..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

/// How wide the terminal is that standard output goes to, if it goes to one.
pub(super) fn terminal_width() -> Option<usize> {
    let size = || terminal_size().map(|(width, _)| usize::from(width.0)).filter(|width| *width > 0);
    // Some terminals, such as those of scripts and of tests, do not know how wide they are.
    stdout().is_terminal().then(|| size().unwrap_or(USUAL_WIDTH))
}

/// Lines whose columns fit what has been seen so far: the lines are shown before all of them are known. The last column
/// takes what is left.
#[derive(Debug)]
pub(super) struct Table<const N: usize> {
    head: [&'static str; N],
    widths: [usize; N],
    /// Of the terminal; elsewhere nothing is shortened.
    width: Option<usize>,
}

impl<const N: usize> Table<N> {
    pub(super) fn new(head: [&'static str; N], width: Option<usize>) -> Self {
        Self { head, widths: head.map(UnicodeWidthStr::width), width }
    }

    /// Makes room for these in a column.
    pub(super) fn fit_column<'a>(&mut self, column: usize, cells: impl Iterator<Item = &'a str>) {
        if let Some(width) = self.widths.get_mut(column) {
            *width = cells.map(UnicodeWidthStr::width).fold(*width, usize::max);
        }
    }

    /// Makes room for these.
    pub(super) fn fit(&mut self, rows: &[[String; N]]) {
        for row in rows {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
    }

    pub(super) fn head(&self) -> String {
        self.line(&self.head.map(str::to_owned))
    }

    /// The widths, of which that of names is less where the others leave it less.
    fn fitted(&self) -> [usize; N] {
        let mut widths = self.widths;
        let others = |at: &usize| *at != NAME_COLUMN && *at + 1 != N;
        let taken: usize = (0..N).filter(others).filter_map(|at| Some(widths.get(at)? + GAP.len())).sum();
        if let (Some(whole), Some(width)) = (self.width, widths.get_mut(NAME_COLUMN)) {
            let room = whole.saturating_sub(taken);
            if room >= LEAST_NAME_WIDTH {
                *width = (*width).min(room);
            }
        }
        widths
    }

    /// The row as text. What does not fit beside the rest goes on in a line below.
    pub(super) fn line(&self, row: &[String; N]) -> String {
        let Some((last, cells)) = row.split_last() else { return String::new() };
        let (mut lines, mut line) = (Vec::new(), String::new());
        for ((cell, full), width) in cells.iter().zip(self.widths).zip(self.fitted()) {
            let cell = if width < full { shortened(cell, width) } else { cell.clone() };
            if self.width.is_some_and(|whole| line.width() + width > whole) && !line.trim().is_empty() {
                lines.push(std::mem::replace(&mut line, GAP.to_owned()));
            }
            line.push_str(&cell);
            line.push_str(&" ".repeat(width.saturating_sub(cell.width())));
            line.push_str(GAP);
        }
        match self.width.map(|width| (width, width.saturating_sub(line.width()))) {
            None => line.push_str(last),
            Some((_, left)) if left >= LAST_WIDTH => line.push_str(&shortened(last, left)),
            Some((width, _)) => {
                lines.push(std::mem::take(&mut line));
                let room = width.saturating_sub(GAP.len()).max(LAST_WIDTH);
                line = format!("{GAP}{}", shortened(last, room));
            }
        }
        lines.push(line);
        let lines = lines.iter().map(|line| line.trim_end()).filter(|line| !line.is_empty());
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// The text within `width` columns.
fn shortened(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut room = width.saturating_sub(1);
    let kept = text.chars().take_while(|c| {
        let fits = c.width().unwrap_or(0) <= room;
        room = room.saturating_sub(c.width().unwrap_or(0));
        fits
    });
    format!("{}…", kept.collect::<String>().trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    const REASON: &str =
        "Slack does not know the channel #data-alerts, or the app is not in it: channel_not_found";

    fn rows() -> [[String; 6]; 2] {
        [
            ["3 h", "notify-slack", "DatasourceRefreshFailed", "Sales Orders", "717bbc05a8f9", REASON],
            ["12 min", "notify-slack", "SiteUpdated", "数字", "66764cae3f27", ""],
        ]
        .map(|row| row.map(str::to_owned))
    }

    const HEAD: [&str; 6] = ["WAITS FOR", "WORKFLOW", "EVENT", "NAME", "EVENT ID", "REASON"];

    fn table(width: Option<usize>) -> String {
        let mut table = Table::new(HEAD, width);
        table.fit(&rows());
        [table.head()]
            .into_iter()
            .chain(rows().iter().map(|row| table.line(row)))
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn columns_stand_below_each_other_and_the_reason_is_shortened_to_the_terminal() {
        let expected = "\
WAITS FOR  WORKFLOW      EVENT                    NAME          EVENT ID      REASON
3 h        notify-slack  DatasourceRefreshFailed  Sales Orders  717bbc05a8f9  Slack does not know the…
12 min     notify-slack  SiteUpdated              数字          66764cae3f27";
        assert_eq!(table(Some(102)), expected);
    }

    #[test]
    fn on_a_narrow_terminal_the_reason_has_its_own_line() {
        let shown = table(Some(80));
        assert!(shown.lines().all(|line| line.width() <= 80), "{shown}");
        assert!(shown.contains("717bbc05a8f9\n  Slack does not know the channel #data-alerts"), "{shown}");
    }

    #[test]
    fn nothing_is_shortened_for_a_file_or_another_program() {
        assert!(table(None).contains(REASON));
    }

    #[test]
    fn names_give_way_before_columns_go_on_below() {
        let shown = table(Some(75));
        let expected = "
3 h        notify-slack  DatasourceRefreshFailed  Sales Orde…  717bbc05a8f9
  Slack does not";
        assert!(shown.contains(expected) && shown.lines().all(|line| line.width() <= 75), "{shown}");
    }

    #[test]
    fn on_a_terminal_that_is_too_narrow_the_columns_go_on_below() {
        let shown = table(Some(60));
        let expected =
            "3 h        notify-slack  DatasourceRefreshFailed\n  Sales Orders  717bbc05a8f9  Slack does not";
        assert!(shown.contains(expected) && shown.lines().all(|line| line.width() <= 60), "{shown}");
    }

    #[test]
    fn a_payload_cannot_steer_the_terminal_and_gets_no_more_than_its_column() {
        assert_eq!([cell("X\u{1b}[31m"), cell("\u{1b}")], ["X", "–"]);
        let name = name(&"a\nb ".repeat(40));
        assert!(name.starts_with("a b a b") && name.width() <= NAME_WIDTH, "{name}");
    }

    #[test]
    fn an_age_is_in_the_largest_unit() {
        for (seconds, expected) in
            [(-5, "0 s"), (59, "59 s"), (3_599, "59 min"), (172_799, "47 h"), (172_800, "2 d")]
        {
            assert_eq!(passed(SignedDuration::from_secs(seconds)), expected);
        }
    }
}
