//! Tables with one line per row. No I/O.

use crate::colour::paint;
use crate::out::plain;
use anstyle::Style;
use jiff::{SignedDuration, Timestamp};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The widest column for a resource's name.
const NAME_WIDTH: usize = 28;
/// In a table narrower than this, times and ids are shortened.
const ROOMY_WIDTH: usize = 120;
const GAP: &str = "  ";

/// A cell with text from outside this program.
pub(super) fn cell(text: &str) -> String {
    let text = plain(text);
    if text.is_empty() { "–".to_owned() } else { text }
}

/// A cell with a resource's name.
pub(super) fn name(text: &str) -> String {
    cell(&shortened(plain(text).trim(), NAME_WIDTH))
}

/// A cell with an event's id; in a narrow table only as many digits as identify the event.
pub(super) fn event_id(id: &str, is_narrow: bool) -> String {
    cell(id.get(..if is_narrow { 8 } else { 12 }).unwrap_or(id))
}

/// A cell with the id of a message that is not an event; in a narrow table only as many digits as identify the
/// message.
pub(super) fn message_id(id: &str, is_narrow: bool) -> String {
    if is_narrow { cell(id.get(..8).unwrap_or(id)) } else { format!("message {}", plain(id)) }
}

/// How long ago, in the largest unit.
pub(crate) fn age(since: Option<Timestamp>, now: Timestamp) -> String {
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

/// A column, and how far its cells may be shortened if the row is too wide.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    head: &'static str,
    cut: Cut,
    /// The colour of a cell, by its text.
    style: fn(&str) -> Style,
}

fn no_style(_: &str) -> Style {
    Style::new()
}

#[derive(Clone, Copy, Debug)]
enum Cut {
    Never,
    /// The end of a cell is cut, down to this width.
    End(usize),
    /// The middle of a cell is cut, down to this width.
    Middle(usize),
}

impl Column {
    /// A column that is never cut.
    pub(crate) const fn whole(head: &'static str) -> Self {
        Self { head, cut: Cut::Never, style: no_style }
    }

    /// A column whose cells lose their ends.
    pub(crate) const fn cut(head: &'static str, least: usize) -> Self {
        Self { head, cut: Cut::End(least), style: no_style }
    }

    /// A column whose cells are cut in the middle: the beginning and the end of `DatasourceRefreshFailed` say most.
    pub(crate) const fn cut_in_the_middle(head: &'static str, least: usize) -> Self {
        Self { head, cut: Cut::Middle(least), style: no_style }
    }

    /// Colours the column's cells by `style`.
    pub(crate) const fn coloured(self, style: fn(&str) -> Style) -> Self {
        Self { style, ..self }
    }

    /// The narrowest that this column may become, if its full width is `width`.
    fn least(self, width: usize) -> usize {
        match self.cut {
            Cut::Never => width,
            Cut::End(least) | Cut::Middle(least) => least.min(width),
        }
    }

    fn fitted(self, cell: &str, width: usize) -> String {
        match self.cut {
            Cut::Middle(_) => without_middle(cell, width),
            Cut::Never | Cut::End(_) => shortened(cell, width),
        }
    }
}

/// A table whose column widths fit the rows seen so far, so that a row can be printed before all are known.
#[derive(Debug)]
pub(crate) struct Table<const N: usize> {
    columns: [Column; N],
    widths: [usize; N],
    /// The widest row; `None` means that nothing is cut.
    width: Option<usize>,
}

impl<const N: usize> Table<N> {
    pub(crate) fn new(columns: [Column; N], width: Option<usize>) -> Self {
        Self { columns, widths: columns.map(|column| column.head.width()), width }
    }

    /// Whether times and ids are shortened.
    pub(crate) fn is_narrow(&self) -> bool {
        self.width.is_some_and(|width| width < ROOMY_WIDTH)
    }

    /// Makes room for these.
    pub(crate) fn fit(&mut self, rows: &[[String; N]]) {
        for row in rows {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
    }

    pub(crate) fn head(&self) -> String {
        self.line(&self.columns.map(|column| column.head.to_owned()))
    }

    /// The column widths that fit into a row. Columns with the most room above their minimum are cut first.
    fn fitted(&self) -> [usize; N] {
        let mut widths = self.widths;
        let Some(whole) = self.width else { return widths };
        let room = whole.saturating_sub(GAP.len() * N.saturating_sub(1));
        // Below 80 columns, half of each minimum must be enough.
        for divisor in [1, 2] {
            while widths.iter().sum::<usize>() > room {
                let columns = widths.iter_mut().zip(self.columns).zip(self.widths);
                let spare = |width: usize, column: Column, full: usize| {
                    width.saturating_sub(column.least(full).min(full).div_ceil(divisor).max(1))
                };
                let spares = columns.map(|((width, column), full)| {
                    let spare =
                        if matches!(column.cut, Cut::Never) { 0 } else { spare(*width, column, full) };
                    (spare, width)
                });
                match spares.max_by_key(|(spare, _)| *spare) {
                    Some((1.., width)) => *width -= 1,
                    _ => break,
                }
            }
        }
        widths
    }

    /// The row in one line.
    pub(crate) fn line(&self, row: &[String; N]) -> String {
        let whole = self.width.unwrap_or(usize::MAX);
        let mut line = String::new();
        let mut painted = String::new();
        let rest_is_empty = |at: usize| row.iter().skip(at).all(String::is_empty);
        for (at, ((cell, column), width)) in row.iter().zip(self.columns).zip(self.fitted()).enumerate() {
            if rest_is_empty(at) {
                break;
            }
            let gap = if at == 0 { "" } else { GAP };
            let room = whole.saturating_sub(line.width() + gap.len());
            if room == 0 {
                // Even with the smallest widths the rest of the row does not fit.
                return format!("{}…", beginning(line.chars(), whole.saturating_sub(1)).trim_end());
            }
            let width = width.min(room);
            let shown = if self.width.is_some() { column.fitted(cell, width) } else { cell.clone() };
            let padding = " ".repeat(width.saturating_sub(shown.width()));
            painted.push_str(&format!("{gap}{}{padding}", paint((column.style)(cell), &shown)));
            line.push_str(&format!("{gap}{shown}{padding}"));
        }
        painted.trim_end().to_owned()
    }
}

/// Shortens a text to `width` columns, and marks the cut.
fn shortened(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    format!("{}…", beginning(text.chars(), width.saturating_sub(1)).trim_end())
}

/// Shortens a text to `width` columns in the middle, keeping its end.
fn without_middle(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(1);
    let end = beginning(text.chars().rev(), room / 2);
    let start = beginning(text.chars(), room - end.width());
    format!("{start}…{}", end.chars().rev().collect::<String>())
}

/// As many of the characters as fit into `room` columns.
fn beginning(characters: impl Iterator<Item = char>, room: usize) -> String {
    let mut left = room;
    let kept = characters.take_while(|c| {
        let width = c.width().unwrap_or(0);
        let fits = width <= left;
        left = if fits { left - width } else { 0 };
        fits
    });
    kept.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const REASON: &str =
        "Slack does not know the channel #data-alerts, or the app is not in it: channel_not_found";

    const COLUMNS: [Column; 6] = [
        Column::whole("WAITS FOR"),
        Column::cut("WORKFLOW", 10),
        Column::cut_in_the_middle("EVENT", 14),
        Column::cut("NAME", 8),
        Column::whole("ID"),
        Column::cut("REASON", 20),
    ];

    fn rows() -> [[String; 6]; 3] {
        [
            ["3 h", "notify-slack", "DatasourceRefreshFailed", "Sales Orders", "717bbc05", REASON],
            ["12 min", "notify-slack", "SiteUpdated", "数字数字数字", "66764cae", ""],
            ["1 s", "track-servicenow-incident", "DatasourceRefreshSucceeded", "a", "96764cae", "no"],
        ]
        .map(|row| row.map(str::to_owned))
    }

    fn table(width: Option<usize>) -> String {
        let mut table = Table::new(COLUMNS, width);
        table.fit(&rows());
        let lines = rows().into_iter().map(|row| table.line(&row));
        std::iter::once(table.head()).chain(lines).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn each_row_is_one_line_at_every_width_and_what_is_cut_is_marked() {
        for width in 1..200 {
            let shown = table(Some(width));
            assert_eq!(shown.lines().count(), 4, "{width}:\n{shown}");
            for (line, row) in shown.lines().skip(1).zip(rows()) {
                assert!(line.width() <= width, "{width}:\n{shown}");
                let is_whole = row.iter().all(|cell| line.contains(cell.as_str()));
                assert!(is_whole || line.contains('…'), "{width}:\n{shown}");
            }
        }
    }

    #[test]
    fn at_eighty_columns_every_column_is_there_and_ids_are_whole() {
        let expected = "\
WAITS FOR  WORKFLOW     EVENT           NAME      ID        REASON
3 h        notify-sla…  Datasou…Failed  Sales O…  717bbc05  Slack does not know…
12 min     notify-sla…  SiteUpdated     数字数…   66764cae
1 s        track-serv…  Datasou…ceeded  a         96764cae  no";
        let shown = table(Some(80));
        assert_eq!(shown, expected, "\n{shown}");
    }

    #[test]
    fn nothing_is_cut_where_there_is_room_or_when_everything_is_asked_for() {
        for width in [None, Some(300)] {
            let shown = table(width);
            assert!(shown.contains(REASON) && !shown.contains('…'), "{shown}");
            assert!(
                shown.contains("\n3 h        notify-slack               DatasourceRefreshFailed "),
                "{shown}"
            );
        }
        assert!(Table::new(COLUMNS, Some(119)).is_narrow());
        assert!(!Table::new(COLUMNS, Some(120)).is_narrow() && !Table::new(COLUMNS, None).is_narrow());
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
