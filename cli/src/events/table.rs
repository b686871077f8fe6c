//! Events as lines of a table. No I/O.

use super::letter::Letter;
use crate::out::plain;
use jiff::{SignedDuration, Timestamp};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

const HEAD: [&str; 6] = ["SINCE", "WORKFLOW", "EVENT", "NAME", "EVENT ID", "REASON"];
/// The most that a resource's name gets.
const NAME_WIDTH: usize = 28;
/// With less than this beside the other columns, a reason has a line of its own.
const REASON_WIDTH: usize = 24;
const GAP: &str = "  ";

/// The cells of one line.
pub(super) type Row = [String; 6];

/// What is shown of a dead letter.
pub(super) fn row(letter: &Letter, workflow: &str, now: Timestamp) -> Row {
    let or_dash = |text: String| if text.is_empty() { "–".to_owned() } else { text };
    [
        letter.sent_at.map_or_else(|| "–".to_owned(), |at| age(now.duration_since(at))),
        workflow.to_owned(),
        or_dash(plain(&letter.event)),
        or_dash(shortened(plain(&letter.resource).trim(), NAME_WIDTH)),
        letter.id.short().to_owned(),
        plain(&letter.reason),
    ]
}

/// How long ago, in the largest unit.
fn age(passed: SignedDuration) -> String {
    match passed.as_secs().max(0) {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3_600 => format!("{} min", seconds / 60),
        seconds @ 3_600..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

/// Lines whose columns fit what has been seen so far: the lines are shown before all of them are known.
#[derive(Debug)]
pub(super) struct Table {
    widths: [usize; 5],
    /// Of the terminal; elsewhere no reason is shortened.
    width: Option<usize>,
}

impl Table {
    pub(super) fn new(width: Option<usize>) -> Self {
        let [since, workflow, event, name, id, _] = HEAD.map(UnicodeWidthStr::width);
        Self { widths: [since, workflow, event, name, id], width }
    }

    /// Makes room for the names of workflows.
    pub(super) fn fit_workflows<'a>(&mut self, names: impl Iterator<Item = &'a str>) {
        let [_, workflow, ..] = &mut self.widths;
        *workflow = names.map(UnicodeWidthStr::width).fold(*workflow, usize::max);
    }

    /// Makes room for these.
    pub(super) fn fit(&mut self, rows: &[Row]) {
        for row in rows {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
    }

    pub(super) fn head(&self) -> String {
        self.line(&HEAD.map(str::to_owned))
    }

    /// The row as text, of one line or two.
    pub(super) fn line(&self, row: &Row) -> String {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(self.widths) {
            line.push_str(cell);
            line.push_str(&" ".repeat(width.saturating_sub(cell.width())));
            line.push_str(GAP);
        }
        let [.., reason] = row;
        match self.width.map(|width| (width, width.saturating_sub(line.width()))) {
            None => line.push_str(reason),
            Some((_, left)) if left >= REASON_WIDTH => line.push_str(&shortened(reason, left)),
            Some((width, _)) => {
                line.truncate(line.trim_end().len());
                if !reason.is_empty() {
                    let room = width.saturating_sub(GAP.len()).max(REASON_WIDTH);
                    line = format!("{line}\n{GAP}{}", shortened(reason, room));
                }
            }
        }
        line.truncate(line.trim_end().len());
        line
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

    fn rows() -> [Row; 2] {
        [
            ["3 h", "notify-slack", "DatasourceRefreshFailed", "Sales Orders", "717bbc05a8f9", REASON],
            ["12 min", "notify-slack", "SiteUpdated", "数字", "66764cae3f27", ""],
        ]
        .map(|row| row.map(str::to_owned))
    }

    fn table(width: Option<usize>) -> String {
        let mut table = Table::new(width);
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
SINCE   WORKFLOW      EVENT                    NAME          EVENT ID      REASON
3 h     notify-slack  DatasourceRefreshFailed  Sales Orders  717bbc05a8f9  Slack does not know the…
12 min  notify-slack  SiteUpdated              数字          66764cae3f27";
        assert_eq!(table(Some(99)), expected);
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
    fn a_payload_cannot_steer_the_terminal_and_gets_no_more_than_its_column() {
        let payload = tableau::Payload { event_type: Some("X\u{1b}[31m".into()), ..Default::default() };
        let letter = Letter {
            id: tableau::EventId::of(&payload),
            body: String::new(),
            event: "X\u{1b}[31m".to_owned(),
            resource: "a\nb ".repeat(40),
            sent_at: Some(Timestamp::UNIX_EPOCH),
            reason: "\u{1b}]0;title\u{7}no".to_owned(),
        };
        let row = row(&letter, "notify-slack", Timestamp::UNIX_EPOCH);
        assert_eq!([row[0].as_str(), &row[2], &row[5]], ["0 s", "X[31m", "]0;titleno"]);
        assert!(row[3].starts_with("a b a b") && row[3].width() <= NAME_WIDTH, "{}", row[3]);
    }

    #[test]
    fn an_age_is_in_the_largest_unit() {
        for (seconds, expected) in
            [(-5, "0 s"), (59, "59 s"), (3_599, "59 min"), (172_799, "47 h"), (172_800, "2 d")]
        {
            assert_eq!(age(SignedDuration::from_secs(seconds)), expected);
        }
    }
}
