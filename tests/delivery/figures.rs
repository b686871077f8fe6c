//! The table of figures that a run prints.

use std::fmt::{self, Display};

/// Rows of a name and a figure.
#[derive(Debug, Default)]
pub(crate) struct Figures(Vec<(String, String)>);

impl Figures {
    pub(crate) fn row(&mut self, name: impl Into<String>, figure: impl Display) {
        self.0.push((name.into(), figure.to_string()));
    }

    #[expect(clippy::print_stdout, reason = "the table is what the run is for")]
    pub(crate) fn print(&self, title: &str) {
        println!("\n{title}\n\n{self}");
    }
}

/// The table as Markdown.
impl Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.0.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
        writeln!(f, "| {:<width$} | {:>8} |\n| {:-<width$} | {:->7}: |", "what", "figure", "", "")?;
        self.0.iter().try_for_each(|(name, figure)| writeln!(f, "| {name:<width$} | {figure:>8} |"))
    }
}

#[test]
fn a_table_is_markdown() {
    let mut figures = Figures::default();
    figures.row("events", 120);
    figures.row("seconds", "61.2");
    assert_eq!(
        figures.to_string(),
        "| what    |   figure |\n| ------- | -------: |\n| events  |      120 |\n| seconds |     61.2 |\n"
    );
}
